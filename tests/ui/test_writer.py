"""Any labels layer saved as NIfTI through napari's own File > Save."""

import nibabel as nib
import numpy as np
import painted
import pytest
from npe2 import PluginManager, PluginManifest

from napari_chest.errors import SaveError
from napari_chest.model import Stored
from napari_chest.ui.writer import write_labels


def labels(shape=painted.SHAPE, dtype=np.uint8):
    random = np.random.default_rng(0)
    return random.integers(0, 4, shape).astype(dtype)


@pytest.mark.parametrize("name", ["m.nii.gz", "m.nii"])
def test_on_the_grid_of_the_case(tmp_path, name):
    """Every voxel lies in the patient where the case's grid says."""
    data, grid = labels(), painted.grid()
    image = nib.load(write_labels(tmp_path / name, data, {}, grid))
    ras = np.diag([-1, -1, 1, 1])
    stored = np.asarray(image.dataobj)
    for z, y, x in ((0, 0, 0), (3, 10, 20), (11, 59, 49)):
        place = np.linalg.inv(image.affine) @ ras @ np.append(grid.position(z, y, x), 1)
        assert stored[tuple(np.rint(place[:3]).astype(int))] == data[z, y, x]
    assert image.get_data_dtype() == np.uint8
    np.testing.assert_allclose(image.header.get_zooms(), (0.8, 0.8, 8.0))


def test_laid_out_as_the_study_it_belongs_to(tmp_path):
    """Programs that take study and mask index by index find each voxel at the study's index."""
    stored = Stored((2, 1, 0), (True, True, False))
    data, grid = labels(), painted.grid(stored=stored)
    image = nib.load(write_labels(tmp_path / "m.nii.gz", data, {}, grid))
    expected = data[::-1, ::-1].transpose(2, 1, 0)
    np.testing.assert_array_equal(np.asarray(image.dataobj), expected)


def test_another_layer_keeps_its_own_spacing(tmp_path):
    path = write_labels(tmp_path / "m.nii.gz", labels((4, 5, 6)), {"scale": (3, 2, 1)}, None)
    image = nib.load(path)
    assert image.shape == (6, 5, 4)
    np.testing.assert_allclose(image.header.get_zooms(), (1, 2, 3))
    assert image.header["sform_code"] == image.header["qform_code"] == 0


def test_wide_integers_become_the_smallest_that_holds_them(tmp_path):
    data = labels((2, 3, 4), np.int64)
    assert nib.load(write_labels(tmp_path / "a.nii", data, {}, None)).get_data_dtype() == np.uint8
    data[0, 0, 0] = 300
    image = nib.load(write_labels(tmp_path / "b.nii", data, {}, None))
    assert image.get_data_dtype() == np.uint16
    np.testing.assert_array_equal(np.asarray(image.dataobj).T, data)


@pytest.mark.parametrize("value", [-1, 70_000])
def test_labels_that_do_not_fit_are_refused(tmp_path, value):
    data = labels((2, 3, 4), np.int32)
    data[0, 0, 0] = value
    with pytest.raises(SaveError, match=str(value)):
        write_labels(tmp_path / "m.nii.gz", data, {}, None)
    assert not (tmp_path / "m.nii.gz").exists()


def test_a_layer_of_four_axes_is_refused(tmp_path):
    with pytest.raises(SaveError, match="this layer has 4"):
        write_labels(tmp_path / "m.nii.gz", np.zeros((1, 2, 3, 4), np.uint8), {}, None)


def test_file_save_of_any_labels_layer(bench, tmp_path):
    """The user's own layer over the open case is saved on the case's grid."""
    manifest = PluginManifest.from_distribution("napari-chest")
    manager = PluginManager.instance()
    if "napari-chest" not in manager:
        manager.register(manifest, warn_disabled=False)
    from napari_chest.ui.plugin import _sessions

    dataset = painted.Painted(tmp_path)
    bench.controller.opening._on_dataset_read(dataset, dataset.cases())
    bench.wait(lambda: bench.session.draft is not None and not bench.controller.opening.reader.busy)
    assert bench.viewer in _sessions
    data = labels()
    layer = bench.viewer.add_labels(data.astype(np.int32), name="mine")
    bench.viewer.layers.selection = {layer}
    path = tmp_path / "mine.nii.gz"
    assert bench.viewer.layers.save(str(path), selected=True, plugin="napari-chest") == [str(path)]
    image = nib.load(path)
    np.testing.assert_allclose(image.header.get_zooms(), (0.8, 0.8, 8.0))
    assert np.count_nonzero(np.asarray(image.dataobj)) == np.count_nonzero(data)
