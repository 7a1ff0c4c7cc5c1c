"""Both lungs of synthetic chests with known truth, cut or sick ones too, and of real chests."""

import numpy as np
import pytest

from napari_chest import open_dataset
from napari_chest.errors import StoppedError
from napari_chest.phantom import LOBES, make_chest
from napari_chest.tools.base import ToolError
from napari_chest.tools.lungs import LUNG_SEGMENTS, lungs

SHAPE = (64, 160, 160)
LEFT = [number for number, lobe in enumerate(LOBES, 1) if lobe.startswith("L")]


def truth(chest):
    """1 in the right and 2 in the left lung."""
    return np.where(np.isin(chest.lobes, LEFT), 2, chest.lobes > 0).astype(np.uint8)


def dice(found, expected, side):
    a, b = found == side, expected == side
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


def both(found, expected):
    """The worse Dice of the two lungs."""
    return min(dice(found, expected, 1), dice(found, expected, 2))


@pytest.fixture(scope="module")
def healthy():
    return make_chest(SHAPE, seed=4, severity=0.0)


@pytest.fixture(scope="module")
def found(healthy):
    return lungs(healthy.voxels, healthy.spacing)


def test_healthy_lungs_are_those_of_the_truth(healthy, found):
    assert found.labels.shape == SHAPE
    assert found.labels.dtype == np.uint8
    assert both(found.labels, truth(healthy)) > 0.97
    assert found.notes == ()


def test_right_lung_is_at_small_x(found):
    right, left = (np.argwhere(found.labels == side)[:, 2].mean() for side in (1, 2))
    assert right < left
    assert [(s.value, s.name, s.code) for s in LUNG_SEGMENTS] == [
        (1, "right lung", "RL"),
        (2, "left lung", "LL"),
    ]


def test_no_lung_outside_the_body_nor_in_the_windpipe(healthy, found):
    middle = SHAPE[2] // 2
    windpipe = (healthy.voxels[:12] < -900) & (found.labels[:12] == 0)
    assert windpipe[:, :, middle - 12 : middle + 12].any(axis=(1, 2)).all()
    wrong = (found.labels > 0) & (healthy.lobes == 0)
    assert np.count_nonzero(wrong & (healthy.voxels < -950)) < 0.002 * (found.labels > 0).sum()
    assert not found.labels[:, :5].any()
    assert not found.labels[:, -5:].any()


@pytest.mark.parametrize("seed", range(5))
def test_any_patient(seed):
    chest = make_chest(SHAPE, seed=seed, severity=0.3, consolidated=0.0)
    assert both(lungs(chest.voxels, chest.spacing).labels, truth(chest)) > 0.95


@pytest.mark.parametrize("slices", [20, 40, 64])
def test_thick_slices(slices):
    chest = make_chest((slices, 160, 160), seed=2, severity=0.0)
    assert both(lungs(chest.voxels, chest.spacing).labels, truth(chest)) > 0.95


def test_thin_slices_are_put_together():
    chest = make_chest((40, 160, 160), seed=2, severity=0.0)
    thin = np.repeat(chest.voxels, 8, axis=0)
    found = lungs(thin, (1.0, *chest.spacing[1:])).labels
    assert found.shape == thin.shape
    assert both(found, np.repeat(truth(chest), 8, axis=0)) > 0.95


def test_fine_pixels_keep_their_border():
    """Coarse shapes do not coarsen what air bounds: a doubled picture has doubled lungs."""
    chest = make_chest((32, 160, 160), (10.0, 1.5, 1.5), seed=2, severity=0.0)
    fine = chest.voxels.repeat(2, axis=1).repeat(2, axis=2)
    found = lungs(fine, (10.0, 0.75, 0.75)).labels
    expected = lungs(chest.voxels, chest.spacing).labels.repeat(2, axis=1).repeat(2, axis=2)
    assert both(found, expected) > 0.995


@pytest.mark.parametrize("severity", [1.0, 2.0])
def test_dense_disease_is_filled_back_as_far_as_it_goes(severity):
    chest = make_chest(SHAPE, seed=1, severity=severity, consolidated=1.0)
    expected = truth(chest)
    air = np.where(chest.voxels < -400, expected, 0)
    found = lungs(chest.voxels, chest.spacing)
    assert both(found.labels, expected) > both(air, expected) + 0.02
    assert both(found.labels, expected) > (0.95 if severity == 1 else 0.9)
    assert any("is dense: check its borders" in note for note in found.notes)


def test_solid_back_of_a_lung_is_filled_to_the_ribs(healthy):
    voxels, expected = healthy.voxels.copy(), truth(healthy)
    z, y, _ = np.indices(SHAPE)
    solid = (expected == 1) & (z > 25) & (z < 40) & (y > 92)
    voxels[solid] = 40
    found = lungs(voxels, healthy.spacing).labels
    assert np.count_nonzero(solid) > 3000
    assert np.count_nonzero(found[solid] == 1) > 0.7 * np.count_nonzero(solid)


def test_lungs_that_touch_are_told_apart(healthy):
    """A bridge of lung in front of the heart and one behind it, as where only pleura parts them."""
    voxels, expected = healthy.voxels.copy(), truth(healthy)
    for z in (30, 31):
        for y in np.flatnonzero((expected[z] == 1).any(axis=1) & (expected[z] == 2).any(axis=1))[
            :3
        ]:
            right = np.flatnonzero(expected[z, y] == 1).max()
            left = np.flatnonzero(expected[z, y] == 2).min()
            voxels[z, y, right : left + 1] = -850
    assert (voxels != healthy.voxels).sum() > 10
    assert both(lungs(voxels, healthy.spacing).labels, expected) > 0.95


def test_cut_at_either_end_is_told(healthy):
    cut = slice(22, 44)
    found = lungs(healthy.voxels[cut], healthy.spacing)
    assert both(found.labels, truth(healthy)[cut]) > 0.95
    assert any("reach the top and the lower end" in note for note in found.notes)


def test_cropped_picture(healthy):
    """The edge runs through both lungs."""
    expected = truth(healthy)
    columns = np.flatnonzero((expected > 0).any(axis=(0, 1)))
    part = np.s_[:, 30:-30, columns[0] + 10 : columns[-1] - 10]
    found = lungs(np.ascontiguousarray(healthy.voxels[part]), healthy.spacing)
    assert both(found.labels, expected[part]) > 0.95


@pytest.mark.parametrize("padding", [-1024, -2000, -3024])
def test_picture_in_a_circle(healthy, padding):
    y, x = np.indices(SHAPE[1:])
    outside = np.hypot(y - 80, x - 80) > 55
    voxels, expected = healthy.voxels.copy(), truth(healthy)
    assert (expected[:, outside] > 0).any()
    voxels[:, outside] = padding
    expected[:, outside] = 0
    assert both(lungs(voxels, healthy.spacing).labels, expected) > 0.95


@pytest.mark.parametrize(("side", "name"), [(1, "right"), (2, "left")])
def test_lung_without_air_is_told(healthy, side, name):
    voxels, expected = healthy.voxels.copy(), truth(healthy)
    voxels[expected == side] = 40
    found = lungs(voxels, healthy.spacing)
    assert not (found.labels == side).any()
    assert dice(found.labels, expected, 3 - side) > 0.95
    assert f"Only one lung was found: the {name} one is missing or has no air." in found.notes


def test_unequal_lungs_are_told(healthy):
    voxels, expected = healthy.voxels.copy(), truth(healthy)
    lower = (expected == 2) & (np.indices(SHAPE)[0] > 22)
    voxels[lower] = 40
    notes = lungs(voxels, healthy.spacing).notes
    assert any(note.endswith("dense disease may be missing.") for note in notes), notes
    assert any("right lung 2." in note and "left 0." in note for note in notes), notes


@pytest.mark.parametrize("value", [-1000, 0])
def test_no_lungs_no_mask(value):
    with pytest.raises(ToolError, match="is this a chest CT"):
        lungs(np.full((12, 64, 64), value, np.int16), (5.0, 5.0, 5.0))


def test_stored_values_are_no_hounsfield_units(healthy):
    with pytest.raises(ToolError, match="voxels are in HU"):
        lungs(healthy.voxels + 1024, healthy.spacing)


def test_radiograph_has_no_lungs_to_find():
    with pytest.raises(ToolError, match="CT series"):
        lungs(np.zeros((1, 64, 64), np.int16), (1.0, 0.2, 0.2))


def test_input_is_left_alone_and_the_result_repeats(healthy, found):
    voxels = healthy.voxels.copy()
    voxels.flags.writeable = False
    assert np.array_equal(lungs(voxels, healthy.spacing).labels, found.labels)
    turned = np.asfortranarray(voxels)
    assert np.array_equal(lungs(turned, healthy.spacing).labels, found.labels)


@pytest.mark.parametrize("after", range(5))
def test_stops_when_asked(healthy, after):
    asked = []

    def stopped():
        asked.append(1)
        return len(asked) > after

    with pytest.raises(StoppedError):
        lungs(healthy.voxels, healthy.spacing, stopped)
    assert len(asked) == after + 1


@pytest.mark.parametrize("factor", [1, 4])
def test_real_series(real_covid_ct_md, factor):
    """In real lungs of adults: litres, both sides, little that is no lung; also in 8 mm slices."""
    dataset = open_dataset(real_covid_ct_md)
    for case in dataset.cases():
        volume = dataset.stream(case.id).complete()
        depth = len(volume.voxels) // factor * factor
        shape = (depth // factor, factor, *volume.voxels.shape[1:])
        voxels = volume.voxels[:depth].reshape(shape).mean(axis=1).astype(np.int16)
        dz, dy, dx = volume.grid.spacing
        labels = lungs(voxels, (dz * factor, dy, dx)).labels
        litres = np.bincount(labels.ravel(), minlength=3)[1:] * dz * factor * dy * dx / 1e6
        assert (litres > 1.2).all(), (case.id, litres)
        assert (litres < 4.0).all(), (case.id, litres)
        assert 0.5 < litres[1] / litres[0] < 1.2
        assert np.median(voxels[labels > 0]) < -780
        assert np.percentile(voxels[labels > 0], 99) < 200
        middle = labels.shape[2] // 2
        assert np.count_nonzero(labels[:, :, : middle - 60] == 2) == 0
        assert np.count_nonzero(labels[:, :, middle + 60 :] == 1) == 0
