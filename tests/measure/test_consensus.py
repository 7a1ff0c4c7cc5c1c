"""One mask out of several readers': votes voxel by voxel, and STAPLE against ITK's."""

from threading import Event

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from napari_chest.errors import StoppedError
from napari_chest.measure.consensus import consensus, intersection, majority, staple, union

WAYS = ("A", "B", "union", "intersection", "majority", "STAPLE")
LABELS = arrays.array_shapes(min_dims=3, max_dims=3, max_side=3).flatmap(
    lambda shape: st.lists(
        arrays.arrays(np.uint8, shape, elements=st.integers(0, 3)), min_size=1, max_size=5
    )
)


def readers(count=3, shape=(6, 20, 20), seed=0):
    """Readers who see the same ball, each with errors of their own."""
    random = np.random.default_rng(seed)
    away = sum((i - n / 2) ** 2 for i, n in zip(np.indices(shape), shape, strict=True))
    truth = away < 40
    wrong = [random.random(shape) < 0.02 * (n + 1) for n in range(count)]
    return [truth ^ each for each in wrong], truth


@given(LABELS)
@settings(max_examples=200, deadline=None)
def test_votes_voxel_by_voxel(masks):
    found = {way: consensus(way, masks) for way in ("union", "intersection", "majority")}
    for voxel in np.ndindex(masks[0].shape):
        said = [int(mask[voxel]) for mask in masks]
        assert found["union"][voxel] == next((value for value in said if value), 0)
        assert found["intersection"][voxel] == (said[0] if len(set(said)) == 1 else 0)
        most = [value for value in set(said) if said.count(value) * 2 > len(said)]
        assert found["majority"][voxel] == (most[0] if most else 0)


def test_tie_of_an_even_number_of_readers_is_background():
    a = np.array([[[1, 1, 0, 1]]], bool)
    b = np.array([[[1, 0, 0, 1]]], bool)
    assert majority([a, b]).tolist() == [[[True, False, False, True]]]
    assert majority([a, a, b, b]).tolist() == [[[True, False, False, True]]]


def test_array_of_readers_is_as_good_as_a_list():
    masks, _ = readers()
    for way in (union, intersection, majority):
        assert np.array_equal(way(np.stack(masks)), way(masks))
        assert way(masks).dtype == np.bool_


@pytest.mark.parametrize("way", WAYS)
def test_kind_of_numbers_and_inputs_stay(way):
    masks = [np.full((2, 3, 3), value, np.uint16) for value in (3, 300, 300)]
    for mask in masks:
        mask.flags.writeable = False
    found = consensus(way, masks)
    assert found.dtype == np.uint16
    assert found.flags.writeable
    assert not any(np.shares_memory(found, mask) for mask in masks)
    expected = {"A": 3, "B": 300, "union": 3, "intersection": 0, "majority": 300, "STAPLE": 300}
    assert set(np.unique(found)) == {expected[way]}


@pytest.mark.parametrize(("count", "seed"), [(2, 0), (3, 1), (5, 2), (9, 3)])
def test_staple_is_that_of_itk(count, seed):
    itk = pytest.importorskip("SimpleITK", reason="SimpleITK is not installed")
    masks, _ = readers(count, seed=seed)
    fuse = itk.STAPLEImageFilter()
    image = fuse.Execute([itk.GetImageFromArray(mask.astype(np.uint8)) for mask in masks])
    expected = itk.GetArrayFromImage(image)
    found = staple(masks)
    assert found.sensitivities == pytest.approx(fuse.GetSensitivity(), abs=1e-9)
    assert found.specificities == pytest.approx(fuse.GetSpecificity(), abs=1e-9)
    assert np.array_equal(found.mask, expected > 0.5)
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-9)
    assert found.rounds == fuse.GetElapsedIterations() + 1  # ITK counts from 0


def test_staple_trusts_the_better_readers():
    masks, truth = readers(5)
    found = staple(masks)
    assert np.count_nonzero(found.mask ^ truth) < min(np.count_nonzero(m ^ truth) for m in masks)
    assert list(found.sensitivities) == sorted(found.sensitivities, reverse=True)


def test_nested_readers_give_numbers():
    whole = np.zeros((4, 9, 9), bool)
    whole[1:3, 1:8, 1:8] = True
    inner = whole.copy()
    inner[:, :3] = False
    core = inner.copy()
    core[:, :, :4] = False
    found = staple([whole, inner, core])
    assert np.isfinite(found.probabilities).all()
    assert np.isfinite([*found.sensitivities, *found.specificities]).all()
    assert not (found.mask & ~whole).any()
    assert not (core & ~found.mask).any()


def test_nothing_marked_or_everything_leaves_readers_unjudged():
    nothing = staple([np.zeros((2, 3, 3), bool)] * 3)
    assert (nothing.sensitivities, nothing.mask.any(), nothing.probabilities.max()) == (None, 0, 0)
    everything = staple([np.ones((2, 3, 3), bool)] * 3)
    assert (everything.specificities, everything.mask.all()) == (None, True)


def test_one_reader_is_right():
    mask = readers(1)[0][0]
    assert np.array_equal(staple([mask]).mask, mask)


def test_staple_of_labels_decides_each_segment():
    masks, _ = readers(3)
    labels = [np.where(mask, 2, 0).astype(np.uint8) for mask in masks]
    for each in labels:
        each[0, :4, :4] = 5
    found = consensus("STAPLE", labels)
    alone = [np.where(each == 5, 0, each) for each in labels]
    assert np.array_equal(found == 2, staple([each == 2 for each in alone]).mask)
    assert (found[0, :4, :4] == 5).all()
    assert set(np.unique(found)) == {0, 2, 5}


def test_too_many_readers_for_staple_are_refused():
    with pytest.raises(ValueError, match="at most 16 readers and not of 17; use majority"):
        staple([np.ones((1, 2, 2), bool)] * 17)
    masks, _ = readers(16, shape=(2, 6, 6))
    assert len(staple(masks).sensitivities) == 16


def test_what_is_wrong_is_said_in_words():
    a, b = np.ones((1, 2, 2), bool), np.ones((1, 2, 3), bool)
    with pytest.raises(ValueError, match=r"\(1, 2, 2\) and \(1, 2, 3\) voxels lie on different"):
        majority([a, b])
    with pytest.raises(ValueError, match="at least one reader"):
        union([])
    with pytest.raises(ValueError, match="there is no mask B among 1"):
        consensus("B", [a])
    with pytest.raises(ValueError, match="'painted' is no way"):
        consensus("painted", [a])


def test_staple_may_be_stopped():
    stop = Event()
    stop.set()
    with pytest.raises(StoppedError):
        staple(readers()[0], stop)
