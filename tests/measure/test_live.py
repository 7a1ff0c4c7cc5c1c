"""Live numbers of segments, held against counting everything anew."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_chest.measure.live import Numbers, SegmentNumbers

SHAPE = (5, 7, 6)
VALUES = (0, 1, 2, 9)


def counted(labels, value, voxels=None, lungs=None):
    """What the numbers should be, the slow way."""
    here = labels == value
    count = int(here.sum())
    mean = None
    if voxels is not None and count:
        mean = sum(int(v) for v in voxels[here]) / count
    slices = sum(bool(plane.any()) for plane in here)
    inside = None if lungs is None else int((here & (lungs != 0)).sum())
    return SegmentNumbers(count, mean, slices, inside)


def random_box(random):
    starts = [int(random.integers(0, n)) for n in SHAPE]
    stops = [int(random.integers(a + 1, n + 1)) for a, n in zip(starts, SHAPE, strict=True)]
    return tuple(slice(a, b) for a, b in zip(starts, stops, strict=True))


def scene(random, values=VALUES, dtype=np.uint8):
    labels = random.choice(values, SHAPE).astype(dtype)
    labels[random.integers(0, 5)] = 0
    voxels = random.integers(-1024, 3000, SHAPE).astype(np.int16)
    return labels, voxels, random.integers(0, 3, SHAPE).astype(np.uint8)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.booleans(), st.booleans())
def test_any_edits_keep_the_numbers_exact(seed, with_voxels, with_lungs):
    random = np.random.default_rng(seed)
    labels, voxels, lungs = scene(random)
    voxels, lungs = voxels if with_voxels else None, lungs if with_lungs else None
    numbers = Numbers(labels, voxels, lungs)
    done = []
    for _ in range(8):
        box = random_box(random)
        before = labels[box].copy()
        if done and random.random() < 0.3:
            box, after, before = done.pop()
        else:
            after = np.where(random.random(before.shape) < 0.5, random.choice(VALUES), before)
            after = after.astype(np.uint8)
            done = [*done, (box, before, after)]
        before = labels[box].copy()
        labels[box] = after
        numbers.update(box, before, after)
        if with_lungs and random.random() < 0.5:
            box = random_box(random)
            earlier = lungs[box].copy()
            lungs = lungs.copy()  # as a draft does when a mask first changes
            lungs[box] = random.integers(0, 3, earlier.shape)
            numbers.update_lungs(lungs, box, earlier, lungs[box].copy(), labels[box])
        for value in (1, 2, 9, 200):
            assert numbers.of(value) == counted(labels, value, voxels, lungs)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_many_segments_on_one_slice(dtype):
    random = np.random.default_rng(0)
    highest = np.iinfo(dtype).max
    values = (0, *random.integers(1, highest, 40).tolist(), highest)
    labels, voxels, lungs = scene(random, values, dtype)
    numbers = Numbers(labels, voxels, lungs)
    for value in values[1:]:
        assert numbers.of(value) == counted(labels, value, voxels, lungs)


def test_lungs_that_come_later_change_and_go():
    labels, voxels, lungs = scene(np.random.default_rng(1))
    numbers = Numbers(labels, voxels)
    assert numbers.of(1).in_lungs is None
    with pytest.raises(ValueError, match="set_lungs"):
        numbers.update_lungs(lungs, np.s_[0:1, 0:1, 0:1], lungs, lungs, labels)
    for known in (lungs, lungs == 1, None):
        numbers.set_lungs(known, labels)
        for value in (1, 2, 9):
            assert numbers.of(value) == counted(labels, value, voxels, known)


def test_sums_are_exact_where_floats_are_not():
    labels = np.ones((2, 300, 300), np.uint8)
    voxels = np.full(labels.shape, 2**31 - 1, np.int32)
    voxels[0, 0, 0] -= 1
    assert Numbers(labels, voxels).of(1).mean == (labels.size * (2**31 - 1) - 1) / labels.size


def test_a_segment_that_is_wiped_out_has_no_mean():
    labels = np.ones((2, 3, 3), np.uint8)
    numbers = Numbers(labels, labels.astype(np.int16), labels)
    numbers.update(np.s_[0:2, 0:3, 0:3], labels, np.zeros_like(labels))
    assert numbers.of(1) == SegmentNumbers(0, None, 0, 0)


def test_an_update_reads_its_box_only():
    """Outside the box nothing is looked at: what stands there may be anything."""
    labels, voxels, _ = scene(np.random.default_rng(2))
    seen = []

    class Watched(np.ndarray):
        def __getitem__(self, place):
            seen.append(place)
            return super().__getitem__(place)

    numbers = Numbers(labels, voxels.view(Watched))
    seen.clear()
    box = np.s_[2:4, 1:3, 2:5]
    after = np.full((2, 2, 3), 9, np.uint8)
    numbers.update(box, labels[box], after)
    places = [place for place in seen if isinstance(place, tuple)]
    assert len(places) > 1
    assert all(place[0] in {2, 3} and list(place[1:]) == list(box[1:]) for place in places)


def test_arrays_in_any_memory_order():
    labels, voxels, lungs = scene(np.random.default_rng(3))
    turned = [np.asfortranarray(a)[::-1, :, ::-1] for a in (labels, voxels, lungs)]
    numbers = Numbers(*turned)
    assert numbers.of(2) == counted(*turned[:1], 2, *turned[1:])
