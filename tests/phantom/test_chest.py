"""The synthetic chest: what is said to be known of it must be what the voxels show."""

import hashlib

import numpy as np
import pytest
from scipy import ndimage

from napari_chest.phantom import LOBES, make_chest

SHAPE = (48, 112, 112)
LEFT = [number for number, lobe in enumerate(LOBES, 1) if lobe.startswith("L")]


@pytest.fixture(scope="module")
def sick():
    return make_chest(SHAPE, seed=4, severity=0.8, consolidated=0.4)


@pytest.fixture(scope="module")
def healthy():
    return make_chest(SHAPE, seed=4, severity=0.0)


def digest(chest):
    arrays = (chest.voxels, chest.lobes, chest.opacity, chest.slice_labels)
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()


def center(mask):
    return np.argwhere(mask).mean(axis=0)


def test_same_seed_same_bytes_other_seed_other_patient():
    first, again, other = (make_chest((16, 48, 48), seed=seed) for seed in (1, 1, 2))
    assert digest(first) == digest(again)
    assert digest(first) != digest(other)
    assert (first.lobes != other.lobes).any()


@pytest.mark.parametrize("shape", [(8, 32, 32), (5, 40, 33), (40, 32, 64), (130, 30, 30)])
def test_any_size_has_the_whole_chest(shape):
    chest = make_chest(shape, seed=3, severity=0.5)
    assert chest.voxels.shape == chest.lobes.shape == chest.opacity.shape == shape
    assert chest.voxels.dtype == np.int16
    assert chest.lobes.dtype == chest.opacity.dtype == np.uint8
    assert chest.slice_labels.shape == (shape[0], 5)
    assert chest.slice_labels.dtype == bool
    assert np.unique(chest.lobes).tolist() == [0, 1, 2, 3, 4, 5]
    assert chest.voxels.min() >= -1024
    assert chest.spacing == pytest.approx((320 / shape[0], 350 / shape[1], 350 / shape[2]))


def test_spacing_is_kept_as_given():
    assert make_chest((8, 32, 32), (2.0, 0.7, 0.7)).spacing == (2.0, 0.7, 0.7)


def test_hounsfield_units_are_those_of_their_tissue(healthy):
    hu = healthy.voxels
    assert -900 < np.median(hu[healthy.lobes > 0]) < -820
    assert np.median(hu[:, :6]) == pytest.approx(-1000, abs=10)
    assert (hu > 300).sum() > 500  # bone
    body = ndimage.binary_fill_holes(hu[SHAPE[0] // 2] > -300)
    soft = hu[SHAPE[0] // 2][body & (healthy.lobes[SHAPE[0] // 2] == 0)]
    assert (soft > 20).mean() > 0.3  # muscle, blood
    assert (soft < -60).mean() > 0.1  # fat


def test_lungs_are_closed(healthy):
    """No way leads through air from the lungs to the outside of the patient."""
    air, _ = ndimage.label(healthy.voxels < -500)
    outside = {int(air[z, y, x]) for z in (0, -1) for y in (0, -1) for x in (0, -1)} - {0}
    lungs = np.bincount(air[healthy.lobes > 0])
    lungs[0] = 0
    largest = int(lungs.argmax())
    assert largest not in outside
    assert (air[healthy.lobes > 0] == largest).mean() > 0.3
    assert not np.isin(air[healthy.lobes > 0], list(outside)).any()
    assert not healthy.lobes[:, [0, -1], :].any()
    assert not healthy.lobes[:, :, [0, -1]].any()


def test_volumes_are_those_of_an_adult(healthy):
    litres = np.bincount(healthy.lobes.ravel())[1:] * np.prod(healthy.spacing) / 1e6
    assert 3 < litres.sum() < 7.5
    by_name = dict(zip(LOBES, litres, strict=True))
    assert min(by_name, key=by_name.get) == "RML"
    assert litres.min() > 0.2


def test_left_and_right_head_and_feet_front_and_back(healthy):
    place = {name: center(healthy.lobes == number) for number, name in enumerate(LOBES, 1)}
    assert min(place["LLL"][2], place["LUL"][2]) > SHAPE[2] / 2
    assert max(place[name][2] for name in ("RLL", "RML", "RUL")) < SHAPE[2] / 2
    assert place["LUL"][0] < place["LLL"][0]
    assert place["RUL"][0] < place["RLL"][0]
    assert place["RUL"][0] < place["RML"][0]
    for lower, front in (("LLL", "LUL"), ("RLL", "RML")):
        assert place[lower][1] > place[front][1]


def test_heart_lies_to_the_left_and_liver_to_the_right(healthy):
    z, y, x = SHAPE
    soft = (healthy.voxels > 0) & (healthy.voxels < 130)
    soft = ndimage.median_filter(soft.astype(np.uint8), 3).astype(bool)
    heart = soft[int(0.6 * z), int(0.28 * y) : int(0.5 * y), int(0.3 * x) : int(0.7 * x)]
    assert center(heart)[1] > heart.shape[1] / 2
    # Low in the picture the liver fills the right; the left holds fat, gas and the stomach.
    low = (healthy.voxels > 35)[int(0.9 * z), int(0.3 * y) : int(0.6 * y)]
    right, left = low[:, int(0.15 * x) : int(0.45 * x)], low[:, int(0.55 * x) : int(0.85 * x)]
    assert right.mean() > left.mean() + 0.1


def test_a_healthy_chest_has_no_opacity(healthy):
    assert not healthy.opacity.any()
    assert not healthy.slice_labels.any()


def test_opacities_have_their_hounsfield_units(sick):
    hu = {kind: sick.voxels[sick.opacity == kind] for kind in (1, 2)}
    assert len(hu[1]) > 1000
    assert len(hu[2]) > 300
    assert -700 < np.median(hu[1]) < -400
    assert -100 < np.median(hu[2]) < 60
    assert not sick.opacity[sick.lobes == 0].any()


def test_slice_labels_are_the_opacity_of_each_lobe(sick):
    area = sick.spacing[1] * sick.spacing[2]
    for column in range(5):
        found = ((sick.lobes == column + 1) & (sick.opacity > 0)).sum(axis=(1, 2))
        labelled = sick.slice_labels[:, column]
        assert (found[labelled] * area >= 20).all()
        assert (found[~labelled] * area < 45).all()
        assert labelled.any()


def test_opacities_keep_to_the_chosen_lobes():
    chest = make_chest((24, 64, 64), seed=1, severity=0.6, lobes=("RUL",))
    assert chest.slice_labels[:, LOBES.index("RUL")].any()
    assert not np.delete(chest.slice_labels, LOBES.index("RUL"), axis=1).any()


def test_padding_lies_outside_the_circle_of_reconstruction():
    chest = make_chest((8, 64, 64), padding=True)
    assert (chest.voxels[:, 0, 0] == -1024).all()
    assert not (chest.voxels[:, 32, 1] == -1024).all()


def test_breasts_follow_the_sex():
    front = {}
    for sex in ("F", "M"):
        chest = make_chest((16, 64, 64), seed=5, severity=0, sex=sex)
        front[sex] = int(np.argmax((chest.voxels[8, :, 18:26] > -300).any(axis=1)))
    assert front["F"] < front["M"]
