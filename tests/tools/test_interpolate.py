"""Filling between outlined slices: shapes of known truth, and slices that must stay as they are."""

import numpy as np
import pytest
from tool_scenes import EVEN, THICK, after, ball, scene_of

from napari_chest.errors import StoppedError
from napari_chest.tools.base import ToolError
from napari_chest.tools.interpolate import BY_ITSELF, PLANES, gaps_along, interpolate, thinnest_axis

SHAPE = (41, 60, 60)


def ellipsoid(shape=SHAPE, middle=(20, 30, 30), radii=(24, 22, 14)):
    places = np.moveaxis(np.indices(shape), 0, -1)
    return np.linalg.norm((places - np.asarray(middle)) / radii, axis=-1) <= 1


def outlined(truth, axis, every, value=1, dtype=np.uint8):
    """Only every so-manieth slice of a region along an axis."""
    labels = np.zeros(truth.shape, dtype)
    planes, given = np.moveaxis(labels, axis, 0), np.moveaxis(truth, axis, 0)
    planes[::every] = given[::every] * value
    return labels


def disc(middle, radius, shape=(40, 50)):
    return ball((1, *shape), (0, *middle), radius)[0]


def stack(low, high, count):
    labels = np.zeros((count + 2, *low.shape), np.uint8)
    labels[0], labels[-1] = low, high
    return labels


def dice(one, other):
    return 2 * (one & other).sum() / (one.sum() + other.sum())


def filled(labels, **parameters):
    scene = scene_of(labels)
    result = after(scene, interpolate(scene, **parameters))
    shown = labels.any(axis=(1, 2))
    np.testing.assert_array_equal(result[shown], labels[shown])
    return result


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("plane", ["named", BY_ITSELF])
@pytest.mark.parametrize("spacing", [EVEN, (1.5, 0.7, 0.7)])
def test_an_ellipsoid_outlined_every_ten_slices(dtype, axis, plane, spacing):
    middle, radii = np.array((20, 30, 30)), np.array((24, 22, 14))
    order = [axis, *(a for a in range(3) if a != axis)]
    shape = np.empty(3, int)
    shape[order] = SHAPE
    places, sizes = np.empty(3), np.empty(3)
    places[order], sizes[order] = middle, radii
    truth = ellipsoid(tuple(shape), places, sizes)
    labels = outlined(truth, axis, 10, 6, dtype)
    scene = scene_of(labels, 6, spacing)
    result = after(scene, interpolate(scene, PLANES[axis] if plane == "named" else BY_ITSELF))
    assert dice(result == 6, truth) > 0.96
    outlines = [slice(None)] * 3
    outlines[axis] = slice(None, None, 10)
    np.testing.assert_array_equal(result[tuple(outlines)], labels[tuple(outlines)])
    between = np.delete(np.moveaxis(result, axis, 0), np.s_[::10], 0)
    wanted = np.delete(np.moveaxis(truth, axis, 0), np.s_[::10], 0)
    assert dice(between == 6, wanted) > 0.95


def test_outlines_on_both_lungs_are_gone_through_slice_by_slice():
    """Lesions that lie apart leave a gap from left to right too."""
    truth = ellipsoid((25, 40, 60), (12, 20, 12), (14, 12, 9))
    truth |= ellipsoid((25, 40, 60), (12, 20, 47), (14, 12, 9))
    labels = outlined(truth, 0, 6)
    assert [len(gaps_along(labels == 1, axis)) for axis in range(3)] == [4, 0, 1]
    assert thinnest_axis(labels == 1) == 0
    result = filled(labels)
    assert dice(result == 1, truth) > 0.95
    assert not result[:, :, 24:35].any()


def test_the_same_outline_twice_is_a_cylinder():
    shape = disc((20, 20), 9) & ~disc((20, 20), 4)  # with a hole
    shape[0:3, 0:5] = True  # and a corner of the image
    result = filled(stack(shape, shape, 7))
    assert (result == shape).all()


def test_a_middle_slice_is_halfway():
    result = filled(stack(disc((20, 25), 6), disc((20, 25), 14), 3))
    for index, radius in ((1, 8), (2, 10), (3, 12)):
        shape = result[index] == 1
        assert dice(shape, disc((20, 25), radius)) > 0.95
        assert dice(shape, shape[:, ::-1][:, np.r_[49, :49]]) == 1


def test_pixels_that_are_not_square_are_measured_in_mm():
    """On coronal outlines with slices 4 mm apart, a border moves as far in z as in x."""
    labels = np.zeros((15, 3, 61), np.uint8)
    scene_spacing = (4.0, 5.0, 1.0)
    low = ball((15, 1, 61), (7, 0, 30), 10, scene_spacing)[:, 0]
    high = ball((15, 1, 61), (7, 0, 30), 26, scene_spacing)[:, 0]
    labels[:, 0], labels[:, 2] = low, high
    scene = scene_of(labels, spacing=scene_spacing)
    result = after(scene, interpolate(scene, "coronal"))[:, 1] == 1
    assert dice(result, ball((15, 1, 61), (7, 0, 30), 18, scene_spacing)[:, 0]) > 0.95


def test_one_part_becomes_two():
    high = disc((20, 14), 6) | disc((20, 36), 6)
    low = disc((20, 25), 19)
    result = filled(stack(low, high, 5))
    assert result[1:-1].any(axis=(1, 2)).all()
    areas = result.sum(axis=(1, 2)).astype(int)
    assert (np.diff(areas) < 0).all()
    assert (result[1:-1] <= (low | high)).all()
    np.testing.assert_array_equal(filled(stack(high, low, 5)), result[::-1])


def test_a_part_that_ends_tapers_off_halfway():
    low = disc((20, 12), 8) | disc((20, 38), 7)
    result = filled(stack(low, disc((20, 12), 8), 7))
    assert (result[:, :, :25] == disc((20, 12), 8)[:, :25]).all()
    areas = result[:, :, 25:].sum(axis=(1, 2)).astype(int)
    assert (np.diff(areas[:5]) < 0).all()
    assert areas[3] > 0
    assert areas[4] == 0
    reverse = filled(stack(disc((20, 12), 8), low, 7))
    np.testing.assert_array_equal(reverse, result[::-1])


def test_a_part_moves_to_its_neighbour():
    result = filled(stack(disc((12, 10), 5), disc((20, 26), 5), 7))
    for index in range(1, 8):
        middle = np.argwhere(result[index]).mean(axis=0)
        np.testing.assert_allclose(middle, (12 + index, 10 + 2 * index), atol=0.51)
        assert dice(result[index] == 1, disc((12 + index, 10 + 2 * index), 5)) > 0.9


def test_a_part_moves_along_the_edge_of_the_image():
    low = disc((0, 10), 6)
    high = disc((0, 26), 9)
    result = filled(stack(low, high, 3))
    assert dice(result[2] == 1, disc((0, 18), 7.5)) > 0.9


def test_lesions_that_lie_apart_are_not_joined():
    labels = stack(disc((8, 8), 4), disc((30, 40), 4), 5)
    with pytest.raises(ToolError, match=r"too far apart.*Outline a slice in between"):
        interpolate(scene_of(labels))
    one_more = np.concatenate([labels, labels[-2:-1], labels[-1:]])
    scene = scene_of(one_more)
    painted = interpolate(scene)
    assert painted.box[0] == slice(7, 8)
    assert painted.note == "1 slice filled, 1 left open where the outlines lie too far apart"


def test_many_small_parts():
    """A ragged pair of slices: what lies alone is gone halfway, the rest goes on."""
    random = np.random.default_rng(0)
    low = disc((20, 25), 15) & (random.random((40, 50)) < 0.6)
    high = disc((20, 25), 15) & (random.random((40, 50)) < 0.6)
    low[2, 2:5] = high[37, 42:46] = True
    result = filled(stack(low, high, 3))
    assert result[1, 2, 2:5].all()
    assert result[3, 37, 42:46].all()
    assert not result[2, :, :6].any()
    assert not result[2, :, 42:].any()
    assert dice(result[2] == 1, low | high) > 0.6


def test_several_gaps_and_those_that_are_too_long():
    truth = ellipsoid()
    labels = np.zeros(SHAPE, np.uint8)
    for index in (2, 6, 7, 12, 34, 38):
        labels[index] = truth[index]
    scene = scene_of(labels)
    painted = interpolate(scene, longest=5)
    result = after(scene, painted)
    for index in (3, 4, 5, 8, 9, 10, 11, 35, 36, 37):
        assert dice(result[index] == 1, truth[index]) > 0.9
    assert not result[13:34].any()
    assert painted.box[0] == slice(3, 38)
    assert painted.note == "10 slices filled, 1 longer gap left open"
    assert after(scene, interpolate(scene, longest=60))[13:34].any(axis=(1, 2)).all()


def test_lengths_are_in_mm():
    labels = stack(disc((20, 25), 9), disc((20, 25), 9), 3)
    scene = scene_of(labels, spacing=THICK)
    with pytest.raises(ToolError, match=r"20 mm to the next outline, more than 19 mm\. Allow"):
        interpolate(scene, longest=19)
    assert after(scene, interpolate(scene, longest=20)).all(axis=0).any()


def test_other_segments_in_the_gap_stay_unless_asked():
    labels = stack(disc((20, 25), 9), disc((20, 25), 9), 3)
    labels[2, 20] = 2
    labels[0, 0, 0] = 3
    result = filled_one(labels)
    assert (result[2, 20] == 2).all()
    assert (result[2, 19, 17:34] == 1).all()
    assert result[0, 0, 0] == 3
    result = filled_one(labels, others=True)
    assert (result[2, 20, 16:35] == 1).all()
    labels[1:4] = 2
    with pytest.raises(ToolError, match="other segments are in between"):
        interpolate(scene_of(labels))


def filled_one(labels, **parameters):
    scene = scene_of(labels)
    return after(scene, interpolate(scene, **parameters))


def test_nothing_to_fill():
    labels = np.zeros((5, 8, 8), np.uint8)
    with pytest.raises(ToolError, match="segment is empty"):
        interpolate(scene_of(labels))
    labels[2:4, 3:6, 3:6] = 1
    for plane in (BY_ITSELF, *PLANES):
        with pytest.raises(ToolError, match=r"There is no gap\. Outline"):
            interpolate(scene_of(labels), plane)
    labels[0, 3:6, 3:6] = 1
    with pytest.raises(StoppedError):
        interpolate(scene_of(labels, stopped=lambda: True))
