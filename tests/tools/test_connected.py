"""What hangs together with a voxel, against scipy's components of the whole volume."""

import numpy as np
import pytest
from scipy import ndimage
from tool_scenes import blobs

from napari_chest.errors import StoppedError
from napari_chest.tools.connected import TooLargeError, connected

SHAPE = (40, 100, 110)  # several tiles along every axis
FACES, CORNERS = ndimage.generate_binary_structure(3, 1), np.ones((3, 3, 3), bool)


def whole(shape):
    return tuple(slice(0, length) for length in shape)


def search(inside, seed, **more):
    bounds = more.pop("bounds", whole(inside.shape))
    box, part = connected(lambda box: inside[box], seed, bounds, **more)
    found = np.zeros(inside.shape, bool)
    found[box] = part
    return found


def by_scipy(inside, seed, structure):
    parts, _ = ndimage.label(inside, structure)
    return parts == parts[seed]


@pytest.mark.parametrize(("connectivity", "structure"), [(6, FACES), (26, CORNERS)])
@pytest.mark.parametrize(("share", "sigma"), [(0.34, 0.0), (0.12, 0.0), (0.5, 1.0), (0.45, 4.0)])
def test_ragged_regions_as_scipy_labels_them(connectivity, structure, share, sigma):
    inside = blobs(SHAPE, share=share, sigma=sigma)
    rng = np.random.default_rng(2)
    places = np.argwhere(inside)
    corners = [places[0], places[-1]]
    for place in (*corners, *rng.choice(places, 5)):
        seed = tuple(place.tolist())
        found = search(inside, seed, connectivity=connectivity)
        np.testing.assert_array_equal(found, by_scipy(inside, seed, structure))


@pytest.mark.parametrize("towards", [(1, 1, 1), (1, -1, 1), (-1, 1, -1), (1, 1, 0), (0, -1, 1)])
def test_a_diagonal_line_is_followed_through_all_tiles_by_its_corners(towards):
    inside = np.zeros(SHAPE, bool)
    seed = (20, 50, 55)
    for step in range(-19, 20):
        inside[tuple(at + step * way for at, way in zip(seed, towards, strict=True))] = True
    np.testing.assert_array_equal(search(inside, seed, connectivity=26), inside)
    assert search(inside, seed, connectivity=6).sum() == 1


def test_a_winding_way_is_followed_to_its_end():
    inside = np.zeros((30, 150, 150), bool)
    for row in range(0, 150, 4):
        inside[:, row] = True
        inside[:: max(1, 29), row : row + 4, [0, 149][row // 4 % 2]] = True
    inside[1:-1, ::4] = False
    seed = (0, 0, 75)
    found = search(inside, seed)
    np.testing.assert_array_equal(found, by_scipy(inside, seed, FACES))
    assert found.sum() > 38 * 150


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_bounds_are_kept(axis):
    inside = np.ones((9, 80, 90), bool)
    bounds = list(whole(inside.shape))
    bounds[axis] = slice(4, 5)
    expected = np.zeros_like(inside)
    expected[tuple(bounds)] = True
    np.testing.assert_array_equal(search(inside, (4, 4, 4), bounds=tuple(bounds)), expected)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 200, 3), (300, 1, 1), (25, 65, 65)])
def test_volumes_of_any_shape(shape):
    inside = np.ones(shape, bool)
    for seed in ((0, 0, 0), tuple(length - 1 for length in shape)):
        assert search(inside, seed).all()


@pytest.mark.parametrize("size", [3, 70])
def test_exactly_as_many_voxels_as_allowed(size):
    inside = np.zeros((80, 80, 80), bool)
    inside[:size, :size, :size] = True
    assert search(inside, (1, 1, 1), most=size**3).sum() == size**3
    with pytest.raises(TooLargeError):
        search(inside, (1, 1, 1), most=size**3 - 1)


def test_what_is_too_large_is_given_up_early():
    looked_at = []

    def where(box):
        looked_at.append(box)
        return np.ones([part.stop - part.start for part in box], bool)

    with pytest.raises(TooLargeError):
        connected(where, (500, 500, 500), whole((1000, 1000, 1000)), most=3_000_000)
    assert len(looked_at) < 150


def test_only_tiles_that_are_reached_are_looked_at():
    inside = np.zeros((200, 300, 300), bool)
    inside[100, 150, :] = True
    looked_at = []

    def where(box):
        looked_at.append(box)
        return inside[box]

    connected(where, (100, 150, 150), whole(inside.shape))
    assert all(box[0].start <= 100 < box[0].stop for box in looked_at)
    assert all(box[1].start <= 150 < box[1].stop for box in looked_at)


def test_it_ends_when_asked_to():
    calls = []

    def go_on():
        calls.append(1)
        if len(calls) == 3:
            raise StoppedError

    with pytest.raises(StoppedError):
        search(np.ones(SHAPE, bool), (20, 50, 55), go_on=go_on)
    assert len(calls) == 3
