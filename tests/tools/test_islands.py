"""Islands, against scipy's labels and masks small enough to count."""

import numpy as np
import pytest
from scipy import ndimage
from tool_scenes import THICK, after, blobs, scene_of

from napari_chest.errors import StoppedError
from napari_chest.tools.base import ToolError
from napari_chest.tools.islands import (
    keep_island,
    keep_largest_islands,
    remove_island,
    remove_small_islands,
    split_islands,
)

CORNERS = np.ones((3, 3, 3))


def three_islands(dtype=np.uint8):
    """Segment 1 with 8, 3 and 1 voxels, the last at the volume's corner; 2 and 3 beside them."""
    labels = np.zeros((4, 6, 8), dtype)
    labels[0:2, 0:2, 0:2] = 1
    labels[3, 3, 1:4] = 1
    labels[3, 5, 7] = 1
    labels[0:2, 0:2, 2] = 2
    labels[3, 4, 4] = 3
    return labels


def cleared(labels, *places):
    labels = labels.copy()
    for place in places:
        labels[place] = 0
    return labels


BIG, LINE, CORNER = (
    (slice(0, 2), slice(0, 2), slice(0, 2)),
    (3, 3, slice(1, 4)),
    (3, 5, 7),
)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_small_islands_go_by_volume(dtype):
    labels = three_islands(dtype)
    scene = scene_of(labels, spacing=THICK)  # a voxel has 0.00245 ml
    painted = remove_small_islands(scene, ml=0.0074)
    np.testing.assert_array_equal(after(scene, painted), cleared(labels, LINE, CORNER))
    assert painted.note == "2 islands cleared, 0.0098 ml"


def test_an_island_of_just_that_volume_stays():
    labels = three_islands()
    scene = scene_of(labels, spacing=(1.0, 0.1, 1.0))
    painted = remove_small_islands(scene, ml=3 * 0.0001)
    np.testing.assert_array_equal(after(scene, painted), cleared(labels, CORNER))


def test_the_last_island_is_not_taken_for_a_small_one():
    with pytest.raises(ToolError, match=r"smaller than 50 ml, the largest has 0\.008 ml"):
        remove_small_islands(scene_of(three_islands()), ml=50)


def test_nothing_small_to_remove():
    with pytest.raises(ToolError, match=r"No island of this segment is smaller than 0\.0005 ml"):
        remove_small_islands(scene_of(three_islands()), ml=0.0005)


@pytest.mark.parametrize(
    ("count", "gone"), [(1, (LINE, CORNER)), (2, (CORNER,))], ids=["one", "two"]
)
def test_keep_the_largest(count, gone):
    labels = three_islands()
    scene = scene_of(labels)
    painted = keep_largest_islands(scene, count)
    np.testing.assert_array_equal(after(scene, painted), cleared(labels, *gone))


def test_no_more_islands_than_are_kept():
    with pytest.raises(ToolError, match="only 3 islands"):
        keep_largest_islands(scene_of(three_islands()), 3)
    with pytest.raises(ToolError, match="only one island"):
        keep_largest_islands(scene_of(three_islands(), value=3))


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), THICK])
def test_ragged_islands_as_scipy_counts_them(spacing):
    inside = blobs((14, 30, 26), share=0.1, sigma=1.0)
    labels = np.where(inside, 7, np.uint8(0)).astype(np.uint8)
    labels[~inside & blobs(inside.shape, seed=1)] = 2
    parts, count = ndimage.label(inside, CORNERS)
    sizes = ndimage.sum_labels(inside, parts, np.arange(count + 1))
    assert count > 8
    scene = scene_of(labels, 7, spacing)
    limit = (np.sort(sizes)[-4] - 0.5) * np.prod(spacing) / 1000
    expected = np.where(inside & (sizes[parts] < np.sort(sizes)[-4]), 0, labels)
    np.testing.assert_array_equal(after(scene, remove_small_islands(scene, limit)), expected)
    largest = 1 + int(np.argmax(sizes[1:]))
    expected = np.where(inside & (parts != largest), 0, labels)
    np.testing.assert_array_equal(after(scene, keep_largest_islands(scene)), expected)


def test_a_corner_joins_and_a_step_does_not():
    labels = np.zeros((4, 4, 4), np.uint8)
    labels[0, 0, 0] = labels[1, 1, 1] = labels[3, 3, 3] = 1
    scene = scene_of(labels)
    result = after(scene, remove_island(scene, (0, 0, 0)))
    np.testing.assert_array_equal(np.argwhere(result), [[3, 3, 3]])


def test_the_island_pointed_at_goes_whatever_segment_is_chosen():
    labels = three_islands()
    scene = scene_of(labels, value=3)
    painted = remove_island(scene, (3, 3, 2))
    np.testing.assert_array_equal(after(scene, painted), cleared(labels, LINE))
    assert painted.box == (slice(3, 4), slice(3, 4), slice(1, 4))
    assert painted.note.startswith("1 island cleared")


def test_only_the_island_pointed_at_stays():
    labels = three_islands()
    scene = scene_of(labels)
    result = after(scene, keep_island(scene, (3, 5, 7)))
    np.testing.assert_array_equal(result, cleared(labels, BIG, LINE))
    with pytest.raises(ToolError, match="only island"):
        keep_island(scene, (3, 4, 4))


@pytest.mark.parametrize("tool", [remove_island, keep_island])
def test_pointing_at_nothing(tool):
    scene = scene_of(three_islands())
    with pytest.raises(ToolError, match=r"no segment here\. Point at an island"):
        tool(scene, (2, 0, 7))
    for at in ((4, 0, 0), (0, -1, 0)):
        with pytest.raises(ToolError, match="outside the volume"):
            tool(scene, at)


def test_split_off_all_but_the_largest():
    labels = three_islands()
    scene = scene_of(labels)
    expected = labels.copy()
    expected[LINE] = expected[CORNER] = 2
    painted = split_islands(scene, to=2)
    np.testing.assert_array_equal(after(scene, painted), expected)
    assert painted.note == "2 islands given away, 0.004 ml"


def test_who_gets_an_island_must_be_a_segment_of_the_mask():
    scene = scene_of(three_islands())
    for to, problem in ((None, "Choose the segment"), (0, "Choose the segment"), (256, "no room")):
        with pytest.raises(ToolError, match=problem):
            split_islands(scene, to)
    with pytest.raises(ToolError, match="another segment"):
        split_islands(scene, 1)
    with pytest.raises(ToolError, match="is one island"):
        split_islands(scene_of(three_islands(), value=3), 1)


@pytest.mark.parametrize("tool", [remove_small_islands, keep_largest_islands, split_islands])
def test_an_empty_segment(tool):
    with pytest.raises(ToolError, match="segment is empty"):
        tool(scene_of(three_islands(), value=9))


def test_stopped_before_anything_is_painted():
    with pytest.raises(StoppedError):
        keep_largest_islands(scene_of(three_islands(), stopped=lambda: True))
