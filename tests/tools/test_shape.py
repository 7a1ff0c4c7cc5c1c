"""Margins against every distance in mm, smoothing against scipy's filters."""

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.distance import cdist
from tool_scenes import EVEN, THICK, after, ball, blobs, scene_of

from napari_chest.tools.base import ToolError
from napari_chest.tools.shape import (
    GAUSSIAN,
    GROW,
    MEDIAN,
    SHRINK,
    cut_bridges,
    fill_gaps,
    margin,
    smooth,
)

OBLONG = (2.0, 0.6, 0.9)
SPACINGS = [EVEN, THICK, (0.5, 0.7, 0.7), OBLONG]


def near_by_hand(inside, spacing, mm):
    """Every voxel against every voxel."""
    if not inside.any():
        return inside
    everywhere = np.indices(inside.shape).reshape(3, -1).T * spacing
    away = cdist(everywhere, everywhere[inside.ravel()]).min(axis=1)
    return away.reshape(inside.shape) <= mm + 1e-6


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("mm", [0.9, 2.1, 5.0])
def test_margins_by_every_distance(dtype, spacing, mm):
    shape = (7, 13, 12)
    inside = blobs(shape, seed=5, share=0.1)
    inside[0, 0, 0] = inside[6, 12, 5] = True  # at edges of the volume
    other = blobs(shape, seed=2, share=0.2) & ~inside
    if mm < min(spacing):
        with pytest.raises(ToolError, match="Choose more"):
            margin(scene_of(inside, spacing=spacing), GROW, mm)
        return
    labels = (inside * 4 + other * 9).astype(dtype)
    scene = scene_of(labels, 4, spacing)
    larger = near_by_hand(inside, spacing, mm)
    assert larger.sum() > inside.sum()
    expected = np.where(larger & ~other, 4, labels)
    np.testing.assert_array_equal(after(scene, margin(scene, GROW, mm)), expected)
    expected = np.where(larger, 4, labels)
    np.testing.assert_array_equal(after(scene, margin(scene, GROW, mm, others=True)), expected)


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("mm", [1.0, 2.1])
def test_shrinking_by_every_distance(spacing, mm):
    inside = ball((11, 15, 14), (3, 7, 6), 5.5)
    inside |= ball(inside.shape, (8, 9, 13), 4)  # reaches over the edge of the volume
    labels = np.where(inside, np.uint8(1), np.uint8(2))
    scene = scene_of(labels, 1, spacing)
    smaller = inside & ~near_by_hand(~inside, spacing, mm)
    assert smaller[:, :, -1].any(), "the edge of the volume takes nothing away"
    result = after(scene, margin(scene, SHRINK, mm))
    np.testing.assert_array_equal(result == 1, smaller)
    np.testing.assert_array_equal(result == 2, ~inside)
    assert (result[inside & ~smaller] == 0).all()


def test_a_margin_is_a_ball_in_mm():
    labels = np.zeros((9, 41, 41), np.uint8)
    labels[4, 20, 20] = 1
    scene = scene_of(labels, spacing=THICK)
    result = after(scene, margin(scene, GROW, 10.5))
    np.testing.assert_array_equal(result == 1, ball(labels.shape, (4, 20, 20), 10.5, THICK))
    assert result[2:7].any(axis=(1, 2)).all()
    assert not result[[1, 7]].any()
    assert result[4, 20, 5], "15 times 0.7 mm is 10.5 mm"


def test_slices_too_far_apart_for_a_margin_are_told():
    labels = np.zeros((3, 9, 9), np.uint8)
    labels[1, 4, 4] = 1
    assert margin(scene_of(labels, spacing=THICK), GROW, 2).note == (
        "within slices only, which are 5 mm apart"
    )
    assert margin(scene_of(labels, spacing=EVEN), GROW, 2).note == ""
    assert margin(scene_of(labels[1:2], spacing=THICK), GROW, 2).note == ""


def test_margins_that_make_no_sense():
    labels = np.zeros((3, 9, 9), np.uint8)
    with pytest.raises(ToolError, match="segment is empty"):
        margin(scene_of(labels))
    labels[1, 3:6, 3:6] = 1
    with pytest.raises(ToolError, match=r"Shrinking by 3 mm would leave nothing.*Choose less"):
        margin(scene_of(labels), SHRINK, 3)
    with pytest.raises(ToolError, match=r"0\.7 mm apart, 0\.5 mm is less"):
        margin(scene_of(labels, spacing=THICK), GROW, 0.5)
    full = np.ones((3, 4, 4), np.uint8)
    with pytest.raises(ToolError, match="cannot shrink"):
        margin(scene_of(full), SHRINK, 1)
    full[0] = 2
    with pytest.raises(ToolError, match="no room to grow"):
        margin(scene_of(full), GROW, 1)


@pytest.mark.parametrize("spacing", [EVEN, (0.5, 0.7, 0.9)])
def test_bridges_and_gaps_are_openings_and_closings_with_a_ball(spacing):
    inside = blobs((13, 20, 21), seed=3, share=0.4)
    inside[:, :3] = False
    inside[4:9, 5:15, 6:] |= True
    mm = 1.5
    reach = [int(mm / step + 1e-6) for step in spacing]
    ball_of = ball([2 * r + 1 for r in reach], reach, mm, spacing)
    wide = np.pad(inside, 4)  # room beyond the edges
    closed = ndimage.binary_closing(wide, ball_of)[4:-4, 4:-4, 4:-4]
    opened = ndimage.binary_dilation(
        ndimage.binary_erosion(inside, ball_of, border_value=1), ball_of
    )
    assert opened.any()
    assert opened.sum() < inside.sum() < closed.sum()
    scene = scene_of(inside, spacing=spacing)
    np.testing.assert_array_equal(after(scene, cut_bridges(scene, mm)) == 1, opened)
    np.testing.assert_array_equal(after(scene, fill_gaps(scene, mm)) == 1, closed)


def test_a_bridge_goes_and_a_gap_is_filled():
    labels = np.zeros((5, 9, 20), np.uint8)
    labels[:, 1:8, 1:8] = labels[:, 1:8, 11:18] = 1
    apart = labels.copy()
    labels[2, 4, 8:11] = 1
    scene = scene_of(labels)
    result = after(scene, cut_bridges(scene, 1.0))
    assert not result[2, 4, 9]
    assert ndimage.label(result)[1] == 2
    apart[2, 4, 9] = 2
    scene = scene_of(apart)
    result = after(scene, fill_gaps(scene, 2.0))
    assert result[2, 4, 8:11].tolist() == [1, 2, 1]
    assert after(scene, fill_gaps(scene, 2.0, others=True))[2, 4, 9] == 1


def test_bridges_and_gaps_that_are_not_there():
    labels = np.ones((5, 9, 9), np.uint8)
    with pytest.raises(ToolError, match="nothing is thinner"):
        cut_bridges(scene_of(labels), 1.0)
    with pytest.raises(ToolError, match="no gap is narrower"):
        fill_gaps(scene_of(labels), 1.0)
    labels[1:] = 0
    labels[:, 1::2] = 0
    with pytest.raises(ToolError, match=r"within 1 mm of both its sides would leave nothing"):
        cut_bridges(scene_of(labels), 1.0)
    for tool in (cut_bridges, fill_gaps, smooth):
        with pytest.raises(ToolError, match="segment is empty"):
            tool(scene_of(labels, value=3))


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("mm", [2.0, 4.2])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_median_as_scipy_has_it(spacing, mm, dtype):
    inside = blobs((12, 20, 18), seed=4, share=0.35, sigma=1.0)
    labels = inside.astype(dtype) * 2
    size = [2 * int(mm / 2 / step + 1e-6) + 1 for step in spacing]
    expected = ndimage.median_filter(inside.astype(np.uint8), size, mode="nearest")
    scene = scene_of(labels, 2, spacing)
    np.testing.assert_array_equal(after(scene, smooth(scene, MEDIAN, mm)) == 2, expected == 1)


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("mm", [2.0, 4.2])
def test_gaussian_as_scipy_has_it(spacing, mm):
    inside = blobs((12, 24, 22), seed=4, share=0.35, sigma=1.0)
    sigmas = [mm / 2 / step for step in spacing]
    blurred = ndimage.gaussian_filter(inside.astype(float), sigmas, mode="nearest", truncate=6)
    scene = scene_of(inside, spacing=spacing)
    result = after(scene, smooth(scene, GAUSSIAN, mm)) == 1
    clear = np.abs(blurred - 0.5) > 1e-3
    assert clear.mean() > 0.99
    np.testing.assert_array_equal(result[clear], blurred[clear] > 0.5)


@pytest.mark.parametrize("method", [MEDIAN, GAUSSIAN])
def test_smoothing_keeps_a_large_shape_and_other_segments(method):
    truth = ball((24, 40, 40), (12, 20, 20), 14, (1, 1, 1))
    rough = truth ^ (np.random.default_rng(0).random(truth.shape) < 0.05)
    labels = rough.astype(np.uint8)
    labels[:, 30] = 2
    scene = scene_of(labels)
    result = after(scene, smooth(scene, method, 3.0))
    assert (result[:, 30] == 2).all()
    wrong = (result == 1) != truth
    assert wrong[:, :30].mean() < 0.01 < 0.04 < (rough != truth)[:, :30].mean()
    assert (after(scene, smooth(scene, method, 3.0, others=True))[:, 30] == 1).any()


def test_a_segment_at_the_edge_keeps_its_edge():
    labels = np.zeros((6, 10, 10), np.uint8)
    labels[:3, :, 4:] = 1
    labels[1, 5, 2] = 1
    for method in (MEDIAN, GAUSSIAN):
        scene = scene_of(labels)
        result = after(scene, smooth(scene, method, 2.0))
        expected = labels.copy()
        expected[1, 5, 2] = 0
        expected[2, :, 4] = 0  # the brim is rounded off
        np.testing.assert_array_equal(result, expected)


def test_smoothing_that_makes_no_sense():
    labels = np.zeros((5, 9, 9), np.uint8)
    labels[2, 4, 4] = 1
    for method in (MEDIAN, GAUSSIAN):
        with pytest.raises(ToolError, match="Smoothing over 3 mm would leave nothing"):
            smooth(scene_of(labels), method, 3.0)
    with pytest.raises(ToolError, match="Choose more"):
        smooth(scene_of(labels), MEDIAN, 1.0)
    full = np.ones((5, 9, 9), np.uint8)
    with pytest.raises(ToolError, match="changes nothing"):
        smooth(scene_of(full), MEDIAN, 3.0)
