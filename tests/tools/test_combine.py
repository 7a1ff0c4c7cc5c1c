"""Segments and regions together, copies beside and across, clearing: counted by hand."""

import numpy as np
import pytest
from tool_scenes import after, blobs, scene_of

from napari_chest.tools.base import ToolError
from napari_chest.tools.combine import (
    BODY,
    IMAGE,
    NEXT,
    PREVIOUS,
    body_middle,
    clear_segment,
    clear_slice,
    copy_slice,
    intersect,
    merge,
    mirror,
    subtract,
    unite,
)

SHAPE = (5, 8, 10)


def mixed(dtype=np.uint8):
    """Segment 1 in places, 2 in others, 7 in one corner."""
    labels = np.zeros(SHAPE, dtype)
    labels[blobs(SHAPE, seed=1, share=0.3, sigma=0.6)] = 1
    labels[blobs(SHAPE, seed=2, share=0.2, sigma=0.6)] = 2
    labels[0, 0, 0] = 7
    return labels


REGION = blobs(SHAPE, seed=3, share=0.4)


# Regions of other masks and readers


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("value", [1, 5])
def test_unite(dtype, value):
    labels = mixed(dtype)
    scene = scene_of(labels, value)  # segment 5 is still empty
    expected = np.where(REGION & (labels == 0), value, labels)
    np.testing.assert_array_equal(after(scene, unite(scene, REGION)), expected)
    expected = np.where(REGION, value, labels)
    np.testing.assert_array_equal(after(scene, unite(scene, REGION, others=True)), expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_subtract_and_intersect(dtype):
    labels = mixed(dtype)
    scene = scene_of(labels)
    expected = np.where((labels == 1) & REGION, 0, labels)
    np.testing.assert_array_equal(after(scene, subtract(scene, REGION)), expected)
    expected = np.where((labels == 1) & ~REGION, 0, labels)
    np.testing.assert_array_equal(after(scene, intersect(scene, REGION)), expected)


def test_regions_that_change_nothing():
    labels = mixed()
    nothing, everything = np.zeros(SHAPE, bool), np.ones(SHAPE, bool)
    with pytest.raises(ToolError, match="nothing to add"):
        unite(scene_of(labels), nothing)
    with pytest.raises(ToolError, match="has all of it already"):
        unite(scene_of(labels), labels == 1)
    with pytest.raises(ToolError, match="other segments have the rest"):
        unite(scene_of(labels), labels > 0)
    with pytest.raises(ToolError, match="do not overlap"):
        subtract(scene_of(labels), labels == 2)
    with pytest.raises(ToolError, match=r"nothing would be left\. Clear the segment instead"):
        intersect(scene_of(labels), nothing)
    with pytest.raises(ToolError, match="lies inside"):
        intersect(scene_of(labels), everything)
    for tool in (subtract, intersect):
        with pytest.raises(ToolError, match="segment is empty"):
            tool(scene_of(labels, value=5), everything)


# Another segment of the mask


@pytest.mark.parametrize("value", [1, 5])
def test_merge_takes_all_of_the_other_and_nothing_else(value):
    labels = mixed()
    scene = scene_of(labels, value)
    expected = np.where(labels == 2, value, labels)
    np.testing.assert_array_equal(after(scene, merge(scene, 2)), expected)


def test_merge_with_nobody():
    scene = scene_of(mixed())
    for segment, problem in (
        (None, "Choose the segment"),
        (1, "no voxels to take"),
        (6, "no voxels to take"),
        (256, "no room"),
    ):
        with pytest.raises(ToolError, match=problem):
            merge(scene, segment)


# Slices beside


@pytest.mark.parametrize(("to", "there"), [(NEXT, 3), (PREVIOUS, 1)])
@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("others", [False, True])
def test_copy_to_a_slice_beside(to, there, replace, others):
    labels = mixed()
    scene = scene_of(labels, slice=2)
    expected = labels.copy()
    if replace:
        expected[there][labels[there] == 1] = 0
    free = np.ones(SHAPE[1:], bool) if others else np.isin(labels[there], (0, 1))
    expected[there][(labels[2] == 1) & free] = 1
    result = after(scene, copy_slice(scene, to, replace=replace, others=others))
    np.testing.assert_array_equal(result, expected)


def test_copies_that_are_not_possible():
    labels = np.zeros(SHAPE, np.uint8)
    labels[[0, 1, 4], 2:4, 2:4] = 1
    with pytest.raises(ToolError, match=r"no next slice\. This is the last one"):
        copy_slice(scene_of(labels, slice=4))
    with pytest.raises(ToolError, match=r"no previous slice\. This is the first one"):
        copy_slice(scene_of(labels, slice=0), PREVIOUS)
    with pytest.raises(ToolError, match="shows the segment like this already"):
        copy_slice(scene_of(labels, slice=0))
    for place in (2, 5):
        with pytest.raises(ToolError, match="not on this slice"):
            copy_slice(scene_of(labels, slice=place))


# The other side


def chest(middle, width=60):
    """A body around a column, with air around, two lungs in it and a table below."""
    y, x = np.mgrid[:40, :width]
    voxels = np.full((40, width), -1000)
    voxels[((x - middle) / 20) ** 2 + ((y - 18) / 13) ** 2 <= 1] = 30
    for side in (-9, 9):
        voxels[((x - middle - side) / 6) ** 2 + ((y - 18) / 8) ** 2 <= 1] = -850
    voxels[36:38, 5:55] = 200
    return np.stack([voxels] * 6).astype(np.int16)


@pytest.mark.parametrize("middle", [29.5, 24.0, 33.0])
def test_the_middle_of_the_body_is_not_the_middle_of_the_image(middle):
    voxels = chest(middle)
    assert body_middle(voxels) == middle
    labels = np.zeros(voxels.shape, np.uint8)
    labels[1:3, 14:18, 12:16] = 1
    labels[2, 15, 14] = 0
    scene = scene_of(labels, voxels=voxels)
    painted = mirror(scene, BODY)
    expected = labels.copy()
    for z, y, x in np.argwhere(labels):
        expected[z, y, round(2 * middle) - x] = 1
    np.testing.assert_array_equal(after(scene, painted), expected)
    assert painted.note == f"across the middle of the body, column {middle + 1:g}"


def test_without_hounsfield_units_the_image_has_a_middle():
    labels = np.zeros((2, 4, 9), np.uint8)
    labels[0, 1, 0:3] = 1
    labels[1, 2, 4:6] = 1
    scene = scene_of(labels)
    painted = mirror(scene)
    np.testing.assert_array_equal(after(scene, painted), labels | labels[:, :, ::-1])
    assert painted.note == "across the middle of the image, column 5"
    air = scene_of(labels, voxels=np.full(labels.shape, -1000, np.int16))
    np.testing.assert_array_equal(after(air, mirror(air)), labels | labels[:, :, ::-1])
    flipped = after(scene, mirror(scene, IMAGE, keep=False))
    np.testing.assert_array_equal(flipped, labels[:, :, ::-1])
    back = scene_of(flipped)
    np.testing.assert_array_equal(after(back, mirror(back, IMAGE, keep=False)), labels)


def test_mirrored_beyond_the_edge():
    voxels = chest(22.0)
    labels = np.zeros(voxels.shape, np.uint8)
    labels[3, 18, 42:50] = 1
    scene = scene_of(labels, voxels=voxels)
    painted = mirror(scene)
    assert np.flatnonzero(after(scene, painted)[3, 18]).tolist() == [0, 1, 2, *range(42, 50)]
    assert painted.note.endswith("what lies beyond the image's edge is left out")
    labels[3, 18, :48] = 0
    with pytest.raises(ToolError, match="beyond the image's edge"):
        mirror(scene_of(labels, voxels=voxels))


def test_mirrored_onto_other_segments():
    labels = np.zeros((1, 3, 8), np.uint8)
    labels[0, 1, 0:3] = 1
    labels[0, 1, 5:7] = 2
    scene = scene_of(labels)
    assert after(scene, mirror(scene, IMAGE))[0, 1].tolist() == [1, 1, 1, 0, 0, 2, 2, 1]
    result = after(scene, mirror(scene, IMAGE, others=True))
    assert result[0, 1].tolist() == [1, 1, 1, 0, 0, 1, 1, 1]
    with pytest.raises(ToolError, match="Mirrored, the segment is what it is"):
        mirror(scene_of(np.ones((1, 3, 8))), IMAGE)
    with pytest.raises(ToolError, match="segment is empty"):
        mirror(scene_of(labels, value=3))


# Clearing


def test_clear_this_slice():
    labels = mixed()
    scene = scene_of(labels, slice=2)
    expected = labels.copy()
    expected[2][labels[2] == 1] = 0
    np.testing.assert_array_equal(after(scene, clear_slice(scene)), expected)
    expected[2] = 0
    np.testing.assert_array_equal(after(scene, clear_slice(scene, everything=True)), expected)
    labels[2] = 0
    for place in (2, 5):
        with pytest.raises(ToolError, match="not on this slice"):
            clear_slice(scene_of(labels, slice=place))
        with pytest.raises(ToolError, match="shows no segment"):
            clear_slice(scene_of(labels, slice=place), everything=True)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_clear_the_segment(dtype):
    labels = mixed(dtype)
    scene = scene_of(labels, 2)
    np.testing.assert_array_equal(
        after(scene, clear_segment(scene)), np.where(labels == 2, 0, labels)
    )
    with pytest.raises(ToolError, match="segment is empty"):
        clear_segment(scene_of(labels, 300))
