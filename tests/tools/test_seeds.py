"""Growing from seeds, against Dijkstra's cheapest ways and shapes of which all is known."""

import heapq

import numpy as np
import pytest
from tool_scenes import EVEN, after, ball, scene_of

from napari_chest.errors import StoppedError
from napari_chest.tools import seeds as module
from napari_chest.tools.base import ToolError
from napari_chest.tools.seeds import ALL, CHOSEN, grow_from_seeds

SHAPE = (16, 40, 44)
ONE, OTHER = (8, 14, 14), (8, 26, 30)
THICK = (4.0, 0.8, 0.8)


def lesions(noise=0):
    """Two balls in lung: ground glass and, in another place, consolidation."""
    voxels = np.full(SHAPE, -850, np.int16)
    voxels[ball(SHAPE, ONE, 6.0)] = -500
    voxels[ball(SHAPE, OTHER, 5.0)] = 0
    return (voxels + np.random.default_rng(0).normal(0, noise, SHAPE)).astype(np.int16)


def drawn(dtype=np.uint8):
    """A dab in the middle of each."""
    labels = np.zeros(SHAPE, dtype)
    labels[8, 13:16, 13:16] = 1
    labels[8, 25:28, 29:32] = 2
    return labels


def cheapest(voxels, owners, spacing, closed=None):
    """What the cheapest way to each voxel costs from each owner, (owners, Z, Y, X)."""
    costs = np.full((owners.max() + 1, *owners.shape), np.inf)
    for owner in range(1, owners.max() + 1):
        heap = [(0, tuple(at)) for at in np.argwhere(owners == owner).tolist()]
        while heap:
            cost, at = heapq.heappop(heap)
            if costs[(owner, *at)] <= cost:
                continue
            costs[(owner, *at)] = cost
            for axis in range(3):
                for step in (-1, 1):
                    to = tuple(n + step * (k == axis) for k, n in enumerate(at))
                    if not all(0 <= n < size for n, size in zip(to, owners.shape, strict=True)):
                        continue
                    if closed is not None and (closed[at] or closed[to]):
                        continue
                    more = 4 * abs(int(voxels[at]) - int(voxels[to])) + round(4 * spacing[axis])
                    heapq.heappush(heap, (cost + more, to))
    return costs


@pytest.mark.parametrize("spacing", [EVEN, THICK])
@pytest.mark.parametrize("closed", [False, True])
def test_every_voxel_goes_to_whom_the_cheapest_way_comes_from(spacing, closed, monkeypatch):
    monkeypatch.setattr(module, "_smooth", lambda voxels: voxels.astype(np.int32))
    rng = np.random.default_rng(7)
    shape = (7, 12, 13)
    voxels = rng.integers(-900, 100, shape).astype(np.int16)
    labels = np.zeros(shape, np.uint8)
    for value in (3, 4, 9):
        labels[tuple(rng.integers(0, shape, (4, 3)).T)] = value
    allowed = rng.random(shape) > 0.2 if closed else None
    scene = scene_of(labels, 3, spacing, voxels=voxels, within=allowed)
    grown = after(scene, grow_from_seeds(scene, margin=60.0))  # all of the volume
    owners = np.searchsorted([0, 3, 4, 9], labels)
    costs = cheapest(voxels, owners, spacing, None if allowed is None else ~allowed)
    least = costs.min(axis=0)
    reached = np.isfinite(least) & (True if allowed is None else allowed)
    assert reached.sum() > 500
    won = np.take_along_axis(costs, np.searchsorted([0, 3, 4, 9], grown)[None], axis=0)[0]
    np.testing.assert_array_equal(won[reached], least[reached])
    np.testing.assert_array_equal(grown[~reached], labels[~reached])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("noise", [0, 20])
def test_both_lesions_are_found_from_a_dab_in_each(dtype, noise):
    values = (np.iinfo(dtype).max, 7)
    labels = np.array([0, *values], dtype)[drawn()]
    scene = scene_of(labels, values[0], voxels=lesions(noise))
    grown = after(scene, grow_from_seeds(scene))
    for value, centre, radius in ((values[0], ONE, 6.0), (values[1], OTHER, 5.0)):
        truth = ball(SHAPE, centre, radius)
        found = grown == value
        assert 2 * (truth & found).sum() / (truth.sum() + found.sum()) > 0.9


def test_what_is_drawn_stays():
    labels = drawn()
    labels[8, 30, 8:12] = 1  # of the one segment, in the lung
    labels[8, 26, 30] = 1  # and in the middle of the other lesion
    scene = scene_of(labels, voxels=lesions())
    grown = after(scene, grow_from_seeds(scene))
    np.testing.assert_array_equal(grown[labels > 0], labels[labels > 0])


def test_only_the_chosen_one_grows_against_the_others():
    scene = scene_of(drawn(), 2, voxels=lesions())
    grown = after(scene, grow_from_seeds(scene, CHOSEN))
    np.testing.assert_array_equal(grown == 1, drawn() == 1)
    truth = ball(SHAPE, OTHER, 5.0)
    assert 2 * (truth & (grown == 2)).sum() / (truth.sum() + (grown == 2).sum()) > 0.9


def test_others_that_do_not_grow_keep_what_they_would_win():
    voxels = np.zeros((3, 30, 30), np.int16)
    labels = np.zeros(voxels.shape, np.uint8)
    labels[1, 15, 5], labels[1, 15, 25] = 1, 2
    scene = scene_of(labels, 1, voxels=voxels)
    grown = after(scene, grow_from_seeds(scene, CHOSEN, margin=100.0))
    assert (grown[:, :, :15] == 1).all()
    assert (grown[:, :, 16:] == 1).sum() == 0
    np.testing.assert_array_equal(grown == 2, labels == 2)


def test_it_goes_only_where_it_may():
    allowed = np.zeros(SHAPE, bool)
    allowed[:, :, :15] = True
    labels = drawn()
    scene = scene_of(labels, voxels=lesions(), within=allowed)
    grown = after(scene, grow_from_seeds(scene))
    np.testing.assert_array_equal(grown[~allowed], labels[~allowed])
    assert (grown == 1)[allowed].sum() > 200


def test_nothing_comes_through_what_is_forbidden():
    allowed = np.ones((3, 20, 40), bool)
    allowed[:, :, 20] = False
    labels = np.zeros(allowed.shape, np.uint8)
    labels[1, 10, 19] = 1
    labels[1, 10, 2] = 2
    scene = scene_of(labels, voxels=np.zeros(allowed.shape, np.int16), within=allowed)
    grown = after(scene, grow_from_seeds(scene, margin=60.0))
    assert not grown[:, :, 20:].any()
    assert grown[:, :, :20].all()


@pytest.mark.parametrize("spacing", [EVEN, THICK, (12.0, 0.5, 0.5)])
def test_the_box_reaches_as_many_mm_and_no_farther(spacing):
    labels = np.zeros(SHAPE, np.uint8)
    labels[8, 20, 22] = 1
    scene = scene_of(labels, spacing=spacing, voxels=np.zeros(SHAPE, np.int16))
    painted = grow_from_seeds(scene, margin=6.0)
    for part, at, step in zip(painted.box, (8, 20, 22), spacing, strict=True):
        reach = max(1, int(6.0 / step))
        assert at - part.start <= reach
        assert part.stop - 1 - at <= reach


def test_the_sides_of_the_box_are_background_but_not_those_of_the_volume():
    voxels = np.zeros((4, 30, 30), np.int16)
    labels = np.zeros(voxels.shape, np.uint8)
    labels[:, :3] = 1
    scene = scene_of(labels, voxels=voxels)
    grown = after(scene, grow_from_seeds(scene, margin=10.0))
    assert (grown[:, :7] == 1).all()
    assert not grown[:, 9:].any()


def test_edges_of_metal_part_no_more_than_those_of_bone():
    voxels = np.zeros((2, 12, 60), np.int32)
    voxels[:, :, ::8] = voxels[:, :, 1::8] = voxels[:, :, 2::8] = 1_000_000
    labels = np.zeros(voxels.shape, np.uint8)
    labels[0, 0, 0], labels[0, 0, 1] = 1, 2
    scene = scene_of(labels, voxels=voxels)
    assert after(scene, grow_from_seeds(scene, margin=100.0)).all()


def test_many_segments():
    labels = np.zeros((2, 16, 32), np.uint16)
    labels[0, ::2, ::2].flat[:128] = np.arange(1, 129) * 500
    scene = scene_of(labels, 500, voxels=np.zeros(labels.shape, np.int16))
    grown = after(scene, grow_from_seeds(scene))
    assert set(np.unique(grown)) == {*(np.arange(1, 129) * 500)}


def test_too_many_segments():
    labels = np.arange(2 * 16 * 16, dtype=np.uint16).reshape(2, 16, 16)
    scene = scene_of(labels, 1, voxels=np.zeros(labels.shape, np.int16))
    with pytest.raises(ToolError, match="More than 254 segments"):
        grow_from_seeds(scene)


def test_no_seeds():
    empty = scene_of(np.zeros(SHAPE, np.uint8), voxels=lesions())
    with pytest.raises(ToolError, match="nothing to grow from"):
        grow_from_seeds(empty, ALL)
    with pytest.raises(ToolError, match="empty"):
        grow_from_seeds(scene_of(drawn(), 3, voxels=lesions()), CHOSEN)


def test_nothing_competes():
    labels = np.zeros((2, 5, 5), np.uint8)
    labels[0, 2, 2] = 1
    scene = scene_of(labels, voxels=np.zeros(labels.shape, np.int16))
    with pytest.raises(ToolError, match=r"Nothing competes.*another one"):
        grow_from_seeds(scene)


def test_nothing_grows():
    labels = np.ones((2, 5, 5), np.uint8)
    labels[1] = 2
    scene = scene_of(labels, voxels=np.zeros(labels.shape, np.int16))
    with pytest.raises(ToolError, match="Nothing has grown"):
        grow_from_seeds(scene)


def test_too_large_a_box(monkeypatch):
    monkeypatch.setattr(module, "_MOST_VOXELS", 1000)
    with pytest.raises(ToolError, match=r"million voxels.*smaller margin"):
        grow_from_seeds(scene_of(drawn(), voxels=lesions()))


def test_an_image_without_hounsfield_units():
    with pytest.raises(ToolError, match="no Hounsfield units"):
        grow_from_seeds(scene_of(drawn()))


def test_stopped_between_two_rounds():
    asked = []

    def stopped():
        asked.append(1)
        return len(asked) > 2

    with pytest.raises(StoppedError):
        grow_from_seeds(scene_of(drawn(), voxels=lesions(), stopped=stopped))
    assert len(asked) == 3


def test_the_mask_stays_as_it_is():
    scene = scene_of(drawn(), voxels=lesions())
    grow_from_seeds(scene).labels[:] = 7
    np.testing.assert_array_equal(scene.labels, drawn())
