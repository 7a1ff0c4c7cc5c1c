"""Overlap and distances of two masks, against every pair of surface voxels and against MedPy."""

from threading import Event

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage
from scipy.spatial.distance import cdist

from napari_chest.errors import StoppedError
from napari_chest.measure.overlap import DEFINITIONS, overlap, slice_profile

SPACING = (1.25, 0.7, 0.8)
PAIRS = arrays.array_shapes(min_dims=3, max_dims=3, max_side=6).flatmap(
    lambda shape: st.tuples(arrays.arrays(bool, shape), arrays.arrays(bool, shape))
)


def surface(mask):
    """Voxels that an erosion by the 6 neighbours (4 in one slice) takes away, in mm."""
    if len(mask) == 1:
        inner = ndimage.binary_erosion(mask[0])[None]
    else:
        inner = ndimage.binary_erosion(mask)
    return np.argwhere(mask & ~inner) * SPACING


def pooled(a, b):
    between = cdist(surface(a), surface(b))
    return np.concatenate([between.min(axis=1), between.min(axis=0)])


@given(PAIRS)
@settings(max_examples=300, deadline=None)
def test_any_two_masks_against_every_pair_of_surface_voxels(pair):
    a, b = pair
    found = overlap(a, b, SPACING)
    n_a, n_b, both = a.sum(), b.sum(), (a & b).sum()
    assert (found.voxels_a, found.voxels_b, found.voxels_both) == (n_a, n_b, both)
    assert found.volume_a == (None if len(a) == 1 else pytest.approx(n_a * 0.7e-3))
    if not n_a or not n_b:
        assert (found.hd, found.hd95, found.assd) == (None, None, None)
        return
    away = pooled(a, b)
    assert found.dice == pytest.approx(2 * both / (n_a + n_b))
    assert found.jaccard == pytest.approx(both / (a | b).sum())
    assert found.hd == pytest.approx(away.max())
    assert found.hd95 == pytest.approx(np.percentile(away, 95))
    assert found.assd == pytest.approx(away.mean())
    assert (found.surface_a, found.surface_b) == (len(surface(a)), len(surface(b)))


@pytest.mark.parametrize("seed", range(3))
def test_numbers_are_those_of_medpy(seed):
    medpy = pytest.importorskip("medpy.metric.binary", reason="MedPy is not installed")
    random = np.random.default_rng(seed)
    a, b = (ndimage.gaussian_filter(random.normal(size=(20, 40, 30)), 2) > 0.05 for _ in "ab")
    found = overlap(a, b, SPACING)
    assert found.dice == pytest.approx(medpy.dc(a, b), abs=1e-12)
    assert found.jaccard == pytest.approx(medpy.jc(a, b), abs=1e-12)
    assert found.hd == pytest.approx(medpy.hd(a, b, SPACING), abs=1e-9)
    assert found.hd95 == pytest.approx(medpy.hd95(a, b, SPACING), abs=1e-9)
    assert found.assd == pytest.approx(medpy.assd(a, b, SPACING), abs=1e-9)


def test_two_blocks_by_hand():
    a = np.zeros((5, 9, 9), bool)
    b = a.copy()
    a[1:4, 2:5, 2:5] = True
    b[1:4, 2:5, 4:7] = True  # two voxels on
    found = overlap(a, b, (2.0, 1.0, 1.0))
    assert found.dice == pytest.approx(2 * 9 / 54)
    assert found.jaccard == pytest.approx(9 / 45)
    assert found.hd == 2.0
    assert found.surface_a == 26
    assert found.volume_a == pytest.approx(0.054)
    assert found.difference == 0
    assert found.slices.both.tolist() == [0, 3, 3, 3, 0]
    np.testing.assert_allclose(found.slices.dice, [np.nan, 1 / 3, 1 / 3, 1 / 3, np.nan])


def test_nothing_marked_by_either_is_no_dice():
    nothing = np.zeros((3, 4, 4), bool)
    found = overlap(nothing, nothing, SPACING)
    assert found.both_empty
    assert (found.dice, found.jaccard, found.hd95, found.assd) == (None, None, None, None)
    assert (found.volume_a, found.difference, found.difference_percent) == (0, 0, None)


def test_nothing_marked_by_one_is_a_dice_of_0_and_no_distance():
    nothing = np.zeros((3, 4, 4), bool)
    some = nothing.copy()
    some[1, 1:3, 1:3] = True
    found = overlap(nothing, some, (1.0, 1.0, 1.0))
    assert not found.both_empty
    assert (found.dice, found.jaccard, found.hd, found.hd95) == (0, 0, None, None)
    assert found.difference == pytest.approx(0.004)
    assert found.difference_percent == 200
    assert overlap(some, nothing, (1.0, 1.0, 1.0)).difference_percent == -200


def test_same_mask_has_no_distance_though_it_fills_the_array():
    found = overlap(np.ones((3, 4, 5), bool), np.ones((3, 4, 5), bool), SPACING)
    assert (found.dice, found.jaccard, found.hd, found.hd95, found.assd) == (1, 1, 0, 0, 0)
    assert found.surface_a == 60 - 1 * 2 * 3


def test_picture_of_one_slice_has_an_outline_and_no_volume():
    a = np.zeros((1, 8, 8), bool)
    a[0, 1:6, 1:6] = True
    b = np.roll(a, 2, axis=2)
    found = overlap(a, b, (1.0, 0.5, 0.5))
    assert found.surface_a == 16
    assert found.hd == 1.0
    assert (found.volume_a, found.volume_b, found.difference) == (None, None, None)
    assert found.difference_percent == 0


def test_without_spacing_distances_are_in_pixels():
    a = np.zeros((3, 8, 8), bool)
    a[1, 1, 1] = True
    b = np.roll(a, 3, axis=2)
    found = overlap(a, b, None)
    assert (found.unit, found.hd, found.volume_a) == ("px", 3.0, None)
    assert overlap(a, b, SPACING).unit == "mm"


def test_other_grids_are_refused_in_words():
    with pytest.raises(ValueError, match=r"\(3, 4, 5\) and \(3, 4, 6\) voxels lie on different"):
        overlap(np.ones((3, 4, 5), bool), np.ones((3, 4, 6), bool), SPACING)


def test_memory_order_means_nothing():
    random = np.random.default_rng(5)
    a, b = (random.random((6, 7, 8)) > 0.5 for _ in "ab")
    turned = overlap(np.asfortranarray(a), b[::-1, :, ::-1][::-1, :, ::-1], SPACING)
    assert turned.assd == overlap(a, b, SPACING).assd


def test_may_be_stopped():
    stop = Event()
    stop.set()
    a = np.zeros((3, 4, 4), bool)
    a[1, 1, 1] = True
    with pytest.raises(StoppedError):
        overlap(a, np.roll(a, 1, axis=1), SPACING, stop)


def test_turned_is_what_b_and_a_give():
    random = np.random.default_rng(6)
    a, b = (random.random((4, 5, 6)) > share for share in (0.5, 0.8))
    turned, other = overlap(a, b, SPACING).turned(), overlap(b, a, SPACING)
    for name in vars(other):
        if name != "slices":
            assert getattr(turned, name) == pytest.approx(getattr(other, name)), name
    for name in ("a", "b", "both"):
        assert np.array_equal(getattr(turned.slices, name), getattr(other.slices, name))


def test_profile_counts_slice_by_slice():
    random = np.random.default_rng(7)
    a, b = (random.random((4, 5, 6)) > 0.5 for _ in "ab")
    found = slice_profile(a, b)
    assert found.a.tolist() == a.sum(axis=(1, 2)).tolist()
    assert found.b.tolist() == b.sum(axis=(1, 2)).tolist()
    assert found.both.tolist() == (a & b).sum(axis=(1, 2)).tolist()


def test_every_distance_says_how_it_is_defined():
    assert {"dice", "jaccard", "hd", "hd95", "assd", "volume", "difference"} <= set(DEFINITIONS)
    assert "MedPy" in DEFINITIONS["hd95"]
    assert "pooled" in DEFINITIONS["assd"]
