"""Steps of a brush, against distances of all voxels worked out one by one."""

import math

import numpy as np
import pytest

from napari_chest.tools.brush import dab

SHAPE = (9, 24, 26)
SPACINGS = [(1.0, 1.0, 1.0), (5.0, 0.7, 0.7), (2.0, 0.5, 0.9)]


def away_from_way(start, end, spacing, axes):
    """Distances of all voxels of the painted slices from a way, in mm and in whole voxels."""
    voxels = np.moveaxis(np.indices(SHAPE), 0, -1)
    way = np.linspace(start, end, 400)
    mm, steps = np.full(SHAPE, np.inf), np.full(SHAPE, np.inf)
    for place in way:
        off = np.abs(voxels - place)[..., list(axes)]
        mm = np.minimum(mm, np.linalg.norm(off * np.array(spacing)[list(axes)], axis=-1))
        steps = np.minimum(steps, off.max(axis=-1))
    for k in set(range(3)) - set(axes):
        other = voxels[..., k] != math.floor(end[k] + 0.5)
        mm[other] = steps[other] = np.inf
    return mm, steps


def whole(step):
    box, touched = step
    assert touched.dtype == np.bool_
    assert touched.shape == tuple(part.stop - part.start for part in box)
    volume = np.zeros(SHAPE, bool)
    volume[box] = touched
    return volume


def paint(at, previous=None, spacing=(1.0, 1.0, 1.0), axes=(1, 2), diameter=5.0):
    return dab(at, previous, spacing=spacing, axes=axes, diameter=diameter, shape=SHAPE)


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("axes", [(1, 2), (0, 2), (0, 1), (0, 1, 2)])
@pytest.mark.parametrize("diameter", [1.0, 4.2, 9.0])
def test_a_step_touches_what_is_near_its_way_in_mm(spacing, axes, diameter):
    rng = np.random.default_rng(3)
    for previous in (None, rng.uniform(-6, 6, 3)):
        at = rng.uniform(1, np.array(SHAPE) - 2)
        before = None if previous is None else [*at]
        for k in axes if before else ():
            before[k] += previous[k]
        found = whole(paint(tuple(at), before, spacing, axes, diameter))
        mm, steps = away_from_way(at if before is None else before, at, spacing, axes)
        coarse = 0.0 if before is None else 0.05  # a way is looked at point by point here
        assert found[mm <= diameter / 2 - coarse].all()
        assert not found[(mm > diameter / 2 + 1e-9) & (steps > 0.5 + coarse)].any()


def test_a_disc_is_round_in_mm_where_voxels_are_oblong():
    step = paint((4, 12, 12), spacing=(5.0, 0.5, 1.0), diameter=6.0)
    box, touched = step
    assert box == (slice(4, 5), slice(6, 19), slice(9, 16))
    assert touched[0, :, 3].sum() == 13
    assert touched[0, 6].sum() == 7


def test_a_ball_goes_through_slices_by_their_distance():
    found = whole(paint((4, 12, 12), spacing=(3.0, 1.0, 1.0), axes=(0, 1, 2), diameter=9.0))
    assert found.any(axis=(1, 2)).nonzero()[0].tolist() == [3, 4, 5]
    assert found[4, 12].sum() == 9
    assert found[3, 12].sum() == 7  # sqrt(4.5² - 3²) = 3.35


def test_the_rim_belongs_to_the_brush_on_both_sides():
    for at, touched in ((12, [9, 10, 11, 12, 13, 14, 15]), (1, [0, 1, 2, 3, 4])):
        found = whole(paint((4, 12, at), spacing=(1.0, 0.1, 0.1), diameter=0.6))
        assert found[4, 12].nonzero()[0].tolist() == touched


def test_the_finest_brush_paints_the_voxel_under_the_pointer():
    assert np.argwhere(whole(paint((4.2, 11.4, 3.6), diameter=0.01))).tolist() == [[4, 11, 4]]


@pytest.mark.parametrize("begin", [(4, 3, 2), (4, 3.3, 2.2), (4, 18.2, 20.1), (4, 20, 3.4)])
def test_the_finest_brush_leaves_an_unbroken_line(begin):
    found = whole(paint((4, 20, 22), begin, diameter=0.01))
    places = np.argwhere(found)
    ends = {(20, 22), (math.floor(begin[1] + 0.5), math.floor(begin[2] + 0.5))}
    assert ends <= {(y, x) for _, y, x in places.tolist()}
    order = places[np.argsort(places[:, 2] * 100 + places[:, 1])]
    assert np.abs(np.diff(order, axis=0)).max() == 1


def test_a_stroke_begins_anew_on_another_slice():
    apart = paint((5, 12, 12), (4, 3, 3), diameter=3.0)
    alone = paint((5, 12, 12), None, diameter=3.0)
    assert apart[0] == alone[0]
    np.testing.assert_array_equal(apart[1], alone[1])


@pytest.mark.parametrize(
    ("at", "sides"),
    [((4, 0, 0), (slice(0, 3), slice(0, 3))), ((4, 23, 25), (slice(21, 24), slice(23, 26)))],
)
def test_a_brush_over_the_edge_keeps_to_the_volume(at, sides):
    box, touched = paint(at, diameter=4.0)
    assert box == (slice(4, 5), *sides)
    assert touched.any()


def test_a_brush_beyond_the_edge_still_reaches_in():
    assert whole(paint((4, -2, 12), diameter=6.0))[4, :2, 12].tolist() == [True, True]


@pytest.mark.parametrize("at", [(4, -20, 12), (4, 12, 60), (-1, 12, 12), (9, 12, 12)])
def test_outside_of_the_volume_nothing_is_touched(at):
    assert paint(at) is None


def test_a_radiograph_has_one_slice_for_balls_too():
    box, touched = dab(
        (0, 5, 5), None, spacing=(1.0, 0.2, 0.2), axes=(0, 1, 2), diameter=1.0, shape=(1, 12, 12)
    )
    assert box[0] == slice(0, 1)
    assert touched.shape[0] == 1
