"""Rings: every reader draws the mask they were made from, and decoding is skimage's own rule."""

import cv2
import numpy as np
import pytest
from skimage.draw import polygon

from napari_chest import rings
from napari_chest.rings import decode_fillpoly, decode_rings, encode_mask, ring_pixels

SHAPE = (30, 40)


def blobs(seed):
    random = np.random.default_rng(seed)
    return cv2.GaussianBlur(random.random(SHAPE), (0, 0), 2) > 0.5


def noise(seed, share=0.5):
    return np.random.default_rng(seed).random(SHAPE) < share


def from_text(text):
    return np.array([[c == "#" for c in line] for line in text.split()])


NEST = from_text(
    """
    ###########
    #.........#
    #.#######.#
    #.#.....#.#
    #.#.###.#.#
    #.#.#.#.#.#
    #.#.###.#.#
    #.#.....#.#
    #.#######.#
    #.........#
    ###########
    """
)
DIAGONALS = from_text("#.#.# .#.#. #.#.# .#.#. #...#")
TWO_HOLES_IN_A_ROW = from_text("####### #.##.## ####### ##.#..# #######")
HOLE_AT_A_CORNER = from_text("##### #.### ##.## ##### ##...")
SINGLE = from_text(".... ..#. ....")
LINES = from_text("#..... #.#### #.#... #.#.#. ..#... ######")
MASKS = {
    **{f"blobs {seed}": blobs(seed) for seed in range(8)},
    **{f"noise {seed}": noise(seed) for seed in range(8)},
    "sparse": noise(1, 0.1),
    "dense": noise(2, 0.93),
    "holes in blobs": blobs(3) & noise(3, 0.8),
    "nest": NEST,
    "diagonals": DIAGONALS,
    "two holes in a row": TWO_HOLES_IN_A_ROW,
    "hole at a corner": HOLE_AT_A_CORNER,
    "single pixel": SINGLE,
    "lines": LINES,
    "full": np.ones(SHAPE, bool),
    "one by one": np.ones((1, 1), bool),
    "one row": np.array([[True, False, True, True]]),
    "one column": np.array([[True], [True], [False]]),
}


@pytest.fixture(params=MASKS.values(), ids=MASKS)
def mask(request):
    return request.param


def filled(drawn, shape):
    """Union of rings as ``cv2.fillPoly`` draws each."""
    out = np.zeros(shape, np.uint8)
    for ring in drawn:
        cv2.fillPoly(out, [np.int32(ring)], 1)
    return out > 0


def polygons(drawn, shape):
    """Union of rings as scikit-image draws each."""
    out = np.zeros(shape, bool)
    for ring in drawn:
        out[polygon(ring[:, 1], ring[:, 0], shape)] = True
    return out


# What is written


def test_exact_for_all_readers(mask):
    drawn = encode_mask(mask)
    np.testing.assert_array_equal(filled(drawn, mask.shape), mask)
    np.testing.assert_array_equal(filled([np.rint(ring) for ring in drawn], mask.shape), mask)
    np.testing.assert_array_equal(polygons(drawn, mask.shape), mask)
    np.testing.assert_array_equal(decode_rings(drawn, mask.shape), mask)
    np.testing.assert_array_equal(decode_fillpoly(drawn, mask.shape), mask)


def test_exact_from_the_corner_of_the_pixel(mask):
    """As AIM counts; its readers truncate, or take half a pixel off."""
    drawn = [np.round(ring + 0.5, 2) for ring in encode_mask(mask)]
    np.testing.assert_array_equal(filled(drawn, mask.shape), mask)
    np.testing.assert_array_equal(polygons([ring - 0.5 for ring in drawn], mask.shape), mask)


def test_one_ring_for_each_part(mask):
    count, parts = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    drawn = encode_mask(mask)
    assert len(drawn) == count - 1
    found = set()
    for ring in drawn:
        part = polygons([ring], mask.shape)
        number = parts[part][0]
        np.testing.assert_array_equal(part, parts == number)
        found.add(number)
    assert len(found) == len(drawn)


def test_rings_are_short_and_not_closed(mask):
    for ring in encode_mask(mask):
        assert ring.dtype == np.float64
        assert len(ring) >= 4
        assert (ring != np.roll(ring, 1, axis=0)).any(axis=1).all()
        np.testing.assert_array_equal(ring, np.round(ring, 2))
        assert set(np.unique(np.round(ring % 1, 2))) <= {0.0, 0.49}


def test_encoding_again_gives_the_same_rings(mask):
    once = encode_mask(mask)
    again = encode_mask(decode_rings(once, mask.shape))
    assert [ring.tolist() for ring in again] == [ring.tolist() for ring in once]


def test_rings_move_with_the_mask(mask):
    moved = np.zeros((mask.shape[0] + 9, mask.shape[1] + 6), bool)
    moved[7:-2, 5:-1] = mask
    for ring, shifted in zip(encode_mask(mask), encode_mask(moved), strict=True):
        np.testing.assert_allclose(shifted, ring + np.array((5, 7)))


def test_single_pixel():
    assert encode_mask(SINGLE)[0].tolist() == [[2, 1], [2, 1.49], [2.49, 1.49], [2.49, 1]]


def test_rectangle_has_four_corners():
    mask = np.zeros(SHAPE, bool)
    mask[3:20, 5:31] = True
    assert sorted(encode_mask(mask)[0].tolist()) == [[5, 3], [5, 19.49], [30.49, 3], [30.49, 19.49]]


def test_empty_masks_have_no_rings():
    assert encode_mask(np.zeros(SHAPE, bool)) == []
    assert encode_mask(np.zeros((0, 0), bool)) == []
    assert not decode_rings([], SHAPE).any()
    assert not decode_fillpoly([], SHAPE).any()


@pytest.mark.parametrize("view", [np.asfortranarray, lambda m: m[::-1, ::-1], lambda m: m.T])
def test_any_memory_layout(view):
    mask = view(noise(5))
    np.testing.assert_array_equal(polygons(encode_mask(mask), mask.shape), mask)


def test_radiograph():
    y, x = np.ogrid[:2140, :1760]
    mask = ((y - 1000) / 300) ** 2 + ((x - 800) / 250) ** 2 < 1
    mask &= (y - 1000) ** 2 + (x - 800) ** 2 >= 50**2
    mask[np.random.default_rng(0).integers(800, 1200, 300), 900:1200:100] = False
    assert mask.sum() > 200_000
    drawn = encode_mask(mask)
    np.testing.assert_array_equal(decode_rings(drawn, mask.shape), mask)
    np.testing.assert_array_equal(filled(drawn, mask.shape), mask)


# What is read


def random_ring(random, kind):
    points = random.uniform(-10, 45, (random.integers(1, 12), 2))
    return {
        "real": points,
        "whole": np.round(points),
        "half": np.round(points * 2) / 2,
        "tenth": np.round(points, 1),
        "corner": np.round(points, 1) + 0.5 - 0.5,
    }[kind]


@pytest.mark.parametrize("kind", ["real", "whole", "half", "tenth", "corner"])
def test_decodes_as_scikit_image_does(kind):
    random = np.random.default_rng(7)
    covered = 0
    for _ in range(300):
        ring = random_ring(random, kind)
        expected = polygons([ring], SHAPE)
        np.testing.assert_array_equal(decode_rings([ring], SHAPE), expected, err_msg=repr(ring))
        covered += expected.sum()
    assert covered > 30_000


def test_decodes_as_fillpoly_does():
    random = np.random.default_rng(8)
    for _ in range(200):
        drawn = [random_ring(random, "real") for _ in range(3)]
        np.testing.assert_array_equal(decode_fillpoly(drawn, SHAPE), filled(drawn, SHAPE))


@pytest.mark.parametrize("block", [1, 7, 100])
def test_blocks_change_nothing(monkeypatch, block):
    drawn = encode_mask(noise(9))
    monkeypatch.setattr(rings, "_BLOCK", block)
    np.testing.assert_array_equal(decode_rings(drawn, SHAPE), noise(9))


@pytest.mark.parametrize("decode", [decode_rings, decode_fillpoly])
def test_rings_that_overlap_unite(decode):
    square = np.array([[2.0, 2], [12, 2], [12, 12], [2, 12]])
    mask = decode([square, square + 5, square], SHAPE)
    assert mask[2:13, 2:13].all()
    assert mask[7:18, 7:18].all()
    assert mask.sum() == 2 * 121 - 36


def test_a_ring_that_crosses_itself_stays_open_in_the_middle():
    angles = np.arange(5) * 4 * np.pi / 5
    star = np.stack([20 + 12 * np.sin(angles), 15 - 12 * np.cos(angles)], axis=1)
    mask = decode_rings([star], SHAPE)
    assert not mask[15, 20]
    assert mask[6, 20]


def test_the_edge_belongs_to_the_ring():
    square = np.array([[2.0, 3], [6, 3], [6, 8], [2, 8]])
    assert decode_rings([square], SHAPE).sum() == 5 * 6
    assert decode_rings([square - 0.01], SHAPE).sum() == 4 * 5
    assert decode_rings([square[::-1]], SHAPE).sum() == 5 * 6


@pytest.mark.parametrize("decode", [decode_rings, decode_fillpoly])
def test_outside_is_cut_off(decode):
    far = rings.FARTHEST
    around = np.array([[-far, -far], [far, -far], [far, far], [-far, far]])
    assert decode([around], SHAPE).all()
    beside = np.array([[100.0, 3], [120, 3], [120, 9]])
    for ring in (beside, -beside, beside[:, ::-1], np.empty((0, 2))):
        assert not decode([ring], SHAPE).any()
    corner = np.array([[-5.0, -5], [2, -5], [2, 1], [-5, 1]])
    mask = decode([corner], SHAPE)
    assert mask[:2, :3].all()
    assert mask.sum() == 6


def test_pixels_of_a_ring():
    square = np.array([[36.0, 28], [50, 28], [50, 60], [36, 60]])
    rows, columns = ring_pixels(square, SHAPE)
    assert set(zip(rows.tolist(), columns.tolist(), strict=True)) == {
        (y, x) for y in (28, 29) for x in (36, 37, 38, 39)
    }
