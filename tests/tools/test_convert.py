"""Giving voxels to another segment, against scipy's components and numpy's comparisons."""

import numpy as np
import pytest
from scipy import ndimage
from tool_scenes import after, blobs, scene_of

from napari_chest.errors import StoppedError
from napari_chest.tools.base import ToolError
from napari_chest.tools.convert import DENSER, LESS_DENSE, convert_by_density, convert_part

SHAPE = (9, 30, 31)
GLASS, DENSE, OTHER = 1, 2, 5


def mixed(dtype=np.uint8):
    """Glass in many pieces among other segments."""
    labels = np.zeros(SHAPE, dtype)
    labels[blobs(SHAPE, seed=4, share=0.25)] = GLASS
    labels[blobs(SHAPE, seed=5, share=0.1)] = OTHER
    labels[blobs(SHAPE, seed=6, share=0.1)] = DENSE
    return labels


def hounsfield():
    return np.random.default_rng(0).integers(-700, 100, SHAPE).astype(np.int16)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(("value", "to"), [(GLASS, DENSE), (DENSE, GLASS), (OTHER, 9)])
def test_every_part_as_scipy_labels_it(dtype, value, to):
    labels = mixed(dtype)
    parts, count = ndimage.label(labels == value, np.ones((3, 3, 3)))
    assert count > 3
    for number in range(1, count + 1):
        at = tuple(np.argwhere(parts == number)[-1].tolist())
        scene = scene_of(labels, value)
        expected = np.where(parts == number, to, labels)
        np.testing.assert_array_equal(after(scene, convert_part(scene, at, to=to)), expected)


def test_a_part_on_many_slices_and_its_volume():
    labels = np.zeros((60, 90, 90), np.uint8)
    labels[:, 40:42, 10:80] = GLASS
    labels[:, 45, :] = GLASS
    scene = scene_of(labels, GLASS, spacing=(5.0, 0.5, 0.5))
    painted = convert_part(scene, (3, 41, 79), to=DENSE)
    assert painted.box == (slice(0, 60), slice(40, 42), slice(10, 80))
    assert (painted.labels == DENSE).all()
    assert painted.note == "10.5 ml converted"


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("threshold", [-300, -299.5, 20])
@pytest.mark.parametrize(("value", "to"), [(GLASS, DENSE), (DENSE, GLASS)])
def test_by_density_both_ways(dtype, threshold, value, to):
    labels, voxels = mixed(dtype), hounsfield()
    scene = scene_of(labels, value, voxels=voxels)
    for which, wanted in ((DENSER, voxels >= threshold), (LESS_DENSE, voxels < threshold)):
        painted = convert_by_density(scene, to=to, which=which, threshold=threshold)
        expected = np.where((labels == value) & wanted, to, labels)
        np.testing.assert_array_equal(after(scene, painted), expected)


def test_a_voxel_at_the_threshold_is_denser():
    voxels = np.array([[[-301, -300, -299]]], np.int16)
    scene = scene_of(np.ones((1, 1, 3), bool), voxels=voxels)
    assert after(scene, convert_by_density(scene, to=2)).tolist() == [[[1, 2, 2]]]


def test_an_image_in_fractions_of_hu():
    voxels = np.array([[[-300.5, -299.5]]], np.float32)
    scene = scene_of(np.ones((1, 1, 2), bool), voxels=voxels)
    assert after(scene, convert_by_density(scene, to=2)).tolist() == [[[1, 2]]]


@pytest.mark.parametrize("at", [(0, 0, 0), (4, 4, 4), (-1, 4, 4), (9, 4, 4), (4, 4, 31)])
def test_a_click_beside_the_segment(at):
    labels = np.zeros(SHAPE, np.uint8)
    labels[4, 4, 4] = OTHER
    labels[2, 2, 2] = GLASS
    with pytest.raises(ToolError, match="chosen segment is not here"):
        convert_part(scene_of(labels, GLASS), at, to=DENSE)


@pytest.mark.parametrize(
    ("to", "said"),
    [(None, "Choose the segment"), (GLASS, "already"), (256, "no room"), (0, "Choose the segment")],
)
def test_a_segment_that_cannot_get_them(to, said):
    labels = mixed()
    at = tuple(np.argwhere(labels == GLASS)[0].tolist())
    scene = scene_of(labels, GLASS, voxels=hounsfield())
    with pytest.raises(ToolError, match=said):
        convert_part(scene, at, to=to)
    with pytest.raises(ToolError, match=said):
        convert_by_density(scene, to=to)


def test_an_empty_segment():
    scene = scene_of(mixed(), 77, voxels=hounsfield())
    with pytest.raises(ToolError, match="empty"):
        convert_by_density(scene, to=DENSE)


def test_no_voxel_is_so_dense():
    scene = scene_of(mixed(), GLASS, voxels=hounsfield())
    with pytest.raises(ToolError, match="no voxel at or above 100 HU"):
        convert_by_density(scene, to=DENSE, threshold=100)


def test_an_image_without_hounsfield_units():
    with pytest.raises(ToolError, match="no Hounsfield units"):
        convert_by_density(scene_of(mixed(), GLASS), to=DENSE)


def test_stopped():
    labels = mixed()
    at = tuple(np.argwhere(labels == GLASS)[0].tolist())
    scene = scene_of(labels, GLASS, voxels=hounsfield(), stopped=lambda: True)
    with pytest.raises(StoppedError):
        convert_part(scene, at, to=DENSE)
    with pytest.raises(StoppedError):
        convert_by_density(scene, to=DENSE)
