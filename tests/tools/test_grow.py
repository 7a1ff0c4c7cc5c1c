"""Growing from a click, against skimage.flood and shapes of which all is known."""

import numpy as np
import pytest
from skimage.segmentation import flood
from tool_scenes import after, ball, scene_of

from napari_chest.errors import StoppedError
from napari_chest.tools.base import ToolError
from napari_chest.tools.grow import between, grow

SHAPE = (12, 40, 44)
LUNG, LESION, AIR = -850, 30, -1000
CENTRE = (6, 20, 20)


def chest(noise=0):
    """Lung around a dense ball of 5 mm radius, in a body with air around it."""
    voxels = np.full(SHAPE, AIR, np.int16)
    voxels[:, 4:-4, 4:-4] = 40
    voxels[:, 7:-7, 7:-7] = LUNG
    voxels[ball(SHAPE, CENTRE, 5.0)] = LESION
    spread = np.random.default_rng(0).normal(0, noise, SHAPE) if noise else 0
    return (voxels + spread).astype(np.int16)


def scene_in(voxels, labels=None, value=1, **more):
    return scene_of(
        np.zeros(voxels.shape, np.uint8) if labels is None else labels, value, voxels=voxels, **more
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_lesion_and_nothing_else(dtype):
    scene = scene_in(chest(), np.zeros(SHAPE, dtype), value=np.iinfo(dtype).max)
    grown = after(scene, grow(scene, CENTRE))
    np.testing.assert_array_equal(grown, ball(SHAPE, CENTRE, 5.0) * np.iinfo(dtype).max)


@pytest.mark.parametrize("kind", [np.int16, np.int32, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("tolerance", [60, 150.5, 700])
def test_noise_as_skimage_floods_it(kind, tolerance):
    voxels = chest(noise=60)
    if kind is np.uint16:
        voxels = voxels + 3000
    voxels = voxels.astype(kind)
    rng = np.random.default_rng(1)
    met = 0
    for at in rng.integers(8, [12, 32, 36], (400, 3)):
        at = (int(at[0]) - 2, *map(int, at[1:]))
        around = voxels[at[0], at[1] - 1 : at[1] + 2, at[2] - 1 : at[2] + 2]
        if np.median(around) != voxels[at]:
            continue
        met += 1
        scene = scene_in(voxels)
        expected = flood(voxels.astype(float), at, connectivity=1, tolerance=tolerance)
        grown = after(scene, grow(scene, at, tolerance=tolerance))
        np.testing.assert_array_equal(grown, expected)
    assert met > 10


@pytest.mark.parametrize(("tolerance", "reached"), [(99, 3), (100, 5), (101, 7), (100.9, 5)])
def test_both_ends_of_the_range_belong_to_it(tolerance, reached):
    voxels = np.full((1, 9, 12), 900, np.int16)
    voxels[0, 3:6, :3] = 0
    voxels[0, 4, 3:7] = [100, -100, 101, -101]
    scene = scene_in(voxels)
    grown = after(scene, grow(scene, (0, 4, 1), tolerance=tolerance))
    assert grown[0, 4].nonzero()[0].tolist() == [*range(reached)]


def test_a_single_slice():
    scene = scene_in(chest())
    grown = after(scene, grow(scene, (4, 20, 20), one_slice=True))
    assert grown.any(axis=(1, 2)).nonzero()[0].tolist() == [4]
    np.testing.assert_array_equal(grown[4], ball(SHAPE, CENTRE, 5.0)[4])


def test_parts_that_share_no_face_are_apart():
    voxels = np.full((3, 12, 12), LUNG, np.int16)
    voxels[1, 2:5, 2:5] = voxels[1, 5:8, 5:8] = LESION
    scene = scene_in(voxels)
    grown = after(scene, grow(scene, (1, 3, 3)))
    assert grown.sum() == 9


def test_a_click_on_noise_means_what_is_around_it():
    voxels = chest()
    voxels[CENTRE] = 2000
    scene = scene_in(voxels)
    grown = after(scene, grow(scene, CENTRE))
    expected = ball(SHAPE, CENTRE, 5.0)
    expected[CENTRE] = False
    np.testing.assert_array_equal(grown, expected)


@pytest.mark.parametrize("at", [(0, 0, 0), (0, 8, 0), (0, 0, 9), (4, 8, 9), (2, 8, 5)])
def test_clicks_at_the_edges_of_the_volume(at):
    scene = scene_in(np.zeros((5, 9, 10), np.int16))
    assert after(scene, grow(scene, at)).all()


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 7), (1, 30, 30), (4, 1, 2)])
def test_volumes_of_any_shape(shape):
    scene = scene_in(np.full(shape, 12, np.int16))
    assert after(scene, grow(scene, (0, 0, 0))).all()


def test_other_segments_are_taken_and_its_own_voxels_stay():
    labels = np.zeros(SHAPE, np.uint8)
    labels[6, 20, 18:23] = 2
    labels[0, 0, 0] = 1
    scene = scene_in(chest(), labels)
    grown = after(scene, grow(scene, CENTRE))
    expected = ball(SHAPE, CENTRE, 5.0).astype(np.uint8)
    expected[0, 0, 0] = 1
    np.testing.assert_array_equal(grown, expected)


def test_it_goes_only_where_it_may():
    allowed = np.zeros(SHAPE, bool)
    allowed[:, :, 18:] = True
    scene = scene_in(chest(), within=allowed)
    grown = after(scene, grow(scene, CENTRE))
    np.testing.assert_array_equal(grown, ball(SHAPE, CENTRE, 5.0) & allowed)


def test_a_leak_through_what_is_forbidden_is_none():
    voxels = chest()
    voxels[6, 20] = LESION  # a bridge through the lung into the body
    allowed = np.zeros(SHAPE, bool)
    allowed[:, 7:-7, 7:-7] = True
    scene = scene_in(voxels, within=allowed)
    grown = after(scene, grow(scene, CENTRE))
    assert not grown[~allowed].any()
    assert grown[6, 20, 7:-7].all()


def test_what_lies_outside_of_where_it_may_go_does_not_set_the_range():
    voxels = np.full((1, 20, 20), LESION, np.int16)
    voxels[:, :, 10] = LUNG
    allowed = voxels == LUNG
    scene = scene_in(voxels, within=allowed)
    np.testing.assert_array_equal(after(scene, grow(scene, (0, 10, 10))), allowed)


def test_a_leak_is_refused_with_what_to_do():
    scene = scene_in(chest(), spacing=(5.0, 2.0, 2.0))
    volume = ball(SHAPE, CENTRE, 5.0).sum() * 5 * 2 * 2 / 1000
    assert f"{volume:.3g} ml" in grow(scene, CENTRE, most=volume + 0.001).note
    with pytest.raises(ToolError, match=r"-120 to 180 HU.*more than 1 ml.*smaller tolerance"):
        grow(scene, CENTRE, most=1.0)


def test_a_lung_with_the_air_of_its_airways_is_not_the_outside():
    voxels = chest()
    voxels[:, 10:30, 10:13] = -980
    scene = scene_in(voxels)
    assert after(scene, grow(scene, (6, 20, 11), tolerance=50)).sum() == 12 * 20 * 3


@pytest.mark.parametrize("at", [(6, 1, 1), (0, 39, 43), (11, 20, 2)])
@pytest.mark.parametrize("outside", [AIR, -2000, -3024])
def test_the_air_around_the_patient(at, outside):
    voxels = chest()
    voxels[voxels == AIR] = outside
    voxels[:, 2, 10:20] = -1000
    with pytest.raises(ToolError, match=r"air around the patient.*Click inside the body"):
        grow(scene_in(voxels), at)


@pytest.mark.parametrize("at", [(-1, 3, 3), (12, 3, 3), (3, 40, 3), (3, 3, -1)])
def test_outside_of_the_volume(at):
    with pytest.raises(ToolError, match="outside the volume"):
        grow(scene_in(chest()), at)


def test_outside_of_where_it_may_go():
    with pytest.raises(ToolError, match=r"this is outside\. Click inside"):
        grow(scene_in(chest(), within=np.zeros(SHAPE, bool)), CENTRE)


def test_an_image_without_hounsfield_units():
    with pytest.raises(ToolError, match="no Hounsfield units"):
        grow(scene_of(np.zeros(SHAPE, np.uint8)), CENTRE)


@pytest.mark.parametrize(("value", "said"), [(256, "no room for a segment 256"), (0, "Choose")])
def test_a_segment_that_the_mask_cannot_hold(value, said):
    with pytest.raises(ToolError, match=said):
        grow(scene_in(chest(), value=value), CENTRE)


def test_nothing_new():
    scene = scene_in(chest(), ball(SHAPE, CENTRE, 5.0))
    with pytest.raises(ToolError, match=r"in the segment already.*larger tolerance"):
        grow(scene, CENTRE)


def test_stopped():
    with pytest.raises(StoppedError):
        grow(scene_in(chest(), stopped=lambda: True), CENTRE)


def test_the_mask_and_the_image_stay_as_they_are():
    voxels = chest()
    scene = scene_in(voxels)
    before = voxels.copy()
    painted = grow(scene, CENTRE)
    painted.labels[:] = 9
    assert not scene.labels.any()
    np.testing.assert_array_equal(voxels, before)


@pytest.mark.parametrize("kind", [np.int16, np.uint8, np.float32])
@pytest.mark.parametrize(("low", "high"), [(10, 20), (9.5, 20.5), (20, 10), (-9e9, 9e9), (15, 15)])
def test_between(kind, low, high):
    voxels = np.arange(40).reshape(2, 4, 5).astype(kind)
    expected = (voxels.astype(float) >= low) & (voxels.astype(float) <= high)
    np.testing.assert_array_equal(between(voxels, low, high), expected)


def test_memory_order_does_not_matter():
    voxels = np.asfortranarray(chest(noise=40))
    turned = scene_in(voxels[::-1, :, ::-1])
    straight = scene_in(np.ascontiguousarray(voxels[::-1, :, ::-1]))
    at = (5, 20, 23)
    one, other = grow(turned, at), grow(straight, at)
    assert one.box == other.box
    np.testing.assert_array_equal(one.labels, other.labels)
