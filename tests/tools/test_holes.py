"""Holes, against scipy's and masks drawn by hand."""

import numpy as np
import pytest
from scipy import ndimage
from tool_scenes import after, blobs, scene_of

from napari_chest.tools.base import ToolError
from napari_chest.tools.holes import IN_3D, IN_SLICE, IN_SLICES, fill_holes


def filled_by_scipy(inside, where):
    if where == IN_3D:
        return ndimage.binary_fill_holes(inside)
    return np.stack([ndimage.binary_fill_holes(plane) for plane in inside])


def drawn(*rows):
    return np.array([[int(cell) for cell in row] for row in rows], np.uint8)


RING = drawn("000000", "011110", "010010", "010010", "011110", "000000")


@pytest.mark.parametrize("where", [IN_3D, IN_SLICES])
@pytest.mark.parametrize("share", [0.3, 0.55, 0.75])
@pytest.mark.parametrize("sigma", [0.0, 0.7, 1.5])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_ragged_regions_as_scipy_fills_them(where, share, sigma, dtype):
    inside = blobs((11, 17, 19), share=share, sigma=sigma)
    scene = scene_of(inside.astype(dtype) * 3, 3)
    expected = filled_by_scipy(inside, where).astype(dtype) * 3
    if (expected == scene.labels).all():
        with pytest.raises(ToolError):
            fill_holes(scene, where)
    else:
        np.testing.assert_array_equal(after(scene, fill_holes(scene, where)), expected)


def test_a_tube_has_holes_in_its_slices_only():
    scene = scene_of(np.stack([RING] * 3))
    with pytest.raises(ToolError, match=r"nothing on every side\. Try it in every slice"):
        fill_holes(scene, IN_3D)
    result = after(scene, fill_holes(scene, IN_SLICES))
    assert result[:, 1:5, 1:5].all()
    assert result.sum() == 3 * 16


def test_a_hole_that_opens_at_the_edge_of_the_volume_is_none():
    walled = np.ones((4, 6, 6), np.uint8)
    walled[:2, 2:4, 2:4] = 0  # a pit from the first slice, closed below
    with pytest.raises(ToolError):
        fill_holes(scene_of(walled), IN_3D)
    walled[0] = 1
    scene = scene_of(walled)
    painted = fill_holes(scene, IN_3D)
    assert painted.box == (slice(1, 2), slice(2, 4), slice(2, 4))
    assert after(scene, painted).all()


def test_a_diagonal_is_no_way_out():
    closed = drawn("01110", "11011", "10001", "11011", "01110")
    scene = scene_of(closed[None])
    result = after(scene, fill_holes(scene, IN_SLICES))
    np.testing.assert_array_equal(result[0], ndimage.binary_fill_holes(closed))


def test_an_island_in_a_hole_in_an_island():
    rings = np.zeros((9, 9), np.uint8)
    rings[0:9, 0:9] = 1
    rings[1:8, 1:8] = 0
    rings[2:7, 2:7] = 1
    rings[3:6, 3:6] = 0
    rings[4, 4] = 1
    scene = scene_of(rings[None])
    assert after(scene, fill_holes(scene, IN_SLICES)).all()


def test_only_the_slice_that_is_looked_at():
    labels = np.stack([RING, RING, np.zeros_like(RING)])
    scene = scene_of(labels, slice=1)
    result = after(scene, fill_holes(scene, IN_SLICE))
    np.testing.assert_array_equal(result[0], RING)
    assert result[1].sum() == 16
    with pytest.raises(ToolError, match="not on this slice"):
        fill_holes(scene_of(labels, slice=2), IN_SLICE)


def test_other_segments_in_a_hole_stay_unless_asked():
    labels = RING[None].copy()
    labels[0, 2, 2] = 2
    scene = scene_of(labels)
    result = after(scene, fill_holes(scene, IN_SLICES))
    assert result[0, 2, 2] == 2
    assert (result == 1).sum() == 15
    assert (after(scene, fill_holes(scene, IN_SLICES, others=True)) == 1).sum() == 16
    labels[0, 2:4, 2:4] = 2
    with pytest.raises(ToolError, match="Other segments fill the holes"):
        fill_holes(scene_of(labels), IN_SLICES)


@pytest.mark.parametrize("where", [IN_3D, IN_SLICES])
def test_nothing_to_fill(where):
    with pytest.raises(ToolError, match="segment is empty"):
        fill_holes(scene_of(np.zeros((2, 3, 3))), where)
    with pytest.raises(ToolError):
        fill_holes(scene_of(np.ones((2, 3, 3))), where)
