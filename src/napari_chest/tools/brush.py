"""The voxels that a step of a brush touches, round in mm; pure."""

from __future__ import annotations

from math import ceil, floor, hypot
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from napari_chest.edits.steps import Box

Place = tuple[float, float, float]
_ROUNDING = 1e-9
"""A voxel whose centre lies on the brush's rim belongs to it, whatever rounding says."""


def dab(
    at: Place,
    previous: Place | None,
    *,
    spacing: Place,
    axes: Sequence[int],
    diameter: float,
    shape: tuple[int, int, int],
) -> tuple[Box, npt.NDArray[np.bool_]] | None:
    """The box and the voxels in it that a stroke touches on its way to a place.

    A voxel is touched when its centre is at most half the diameter away from the way, measured in
    mm along the painted axes. The finest brush still touches an unbroken line of voxels.

    Parameters
    ----------
    at : where the stroke is now, in voxels (z, y, x); centres are whole numbers.
    previous : where it was before; None at its begin. A stroke that has changed its slice begins
        anew.
    spacing : distances between voxel centres along (z, y, x) in mm.
    axes : the display axes that are painted: two for a disc in one slice, three for a ball.
    diameter : in mm.
    shape : (Z, Y, X) of the volume.

    Returns
    -------
    one slice per axis, and a bool array of that shape; None where no voxel is touched.
    """
    start = at if previous is None or _left(at, previous, axes) else previous
    box = _box(at, start, spacing, axes, diameter / 2, shape)
    if any(part.start >= part.stop for part in box):
        return None
    touched = _capsule(box, at, start, spacing, axes, diameter / 2)
    _add_way(touched, box, at, start, axes)
    return (box, touched) if touched.any() else None


def _left(at: Place, previous: Place, axes: Sequence[int]) -> bool:
    return any(_nearest(at[k]) != _nearest(previous[k]) for k in range(3) if k not in axes)


def _nearest(place: float) -> int:
    return floor(place + 0.5)


def _box(
    at: Place,
    start: Place,
    spacing: Place,
    axes: Sequence[int],
    radius: float,
    shape: tuple[int, int, int],
) -> Box:
    parts = []
    for k, length in enumerate(shape):
        low, high = sorted((start[k], at[k]))
        first, last = _nearest(low), _nearest(high)
        if k in axes:
            away = radius * (1 + _ROUNDING) / spacing[k]
            first, last = min(first, ceil(low - away)), max(last, floor(high + away))
        else:
            first = last = _nearest(at[k])
        parts.append(slice(max(0, first), min(length, last + 1)))
    return tuple(parts)


def _capsule(
    box: Box, at: Place, start: Place, spacing: Place, axes: Sequence[int], radius: float
) -> npt.NDArray[np.bool_]:
    """Where in the box the centres are no farther than the radius from the way."""
    offsets = {k: _along(k, box, start, spacing) for k in axes}
    way = {k: step for k in axes if (step := (at[k] - start[k]) * spacing[k])}
    # What an axis adds on which the way stands still is the same all the way: a ball is drawn in a
    # plane, so that the way itself is looked at in two dimensions.
    room = radius**2 * (1 + _ROUNDING) - sum(offsets[k] ** 2 for k in axes if k not in way)
    if not way:
        return np.asarray(room >= 0)
    length = hypot(*way.values())
    # The foot of each centre on the way is `foot` mm from its begin; the square of the distance to
    # it is that to the begin less foot * (2 * along - foot).
    along = np.asarray(sum(offsets[k] * (step / length) for k, step in way.items()))
    foot = np.clip(along, 0, length)
    along = foot * (2 * along - foot)
    return np.asarray(sum(offsets[k] ** 2 for k in way) - along <= room)


def _along(axis: int, box: Box, start: Place, spacing: Place) -> npt.NDArray[np.float64]:
    """Distances in mm from where the step begins, along an axis, in shape to be broadcast."""
    part = box[axis]
    places = (np.arange(part.start, part.stop, dtype=np.float64) - start[axis]) * spacing[axis]
    return places.reshape([-1 if k == axis else 1 for k in range(3)])


def _add_way(
    touched: npt.NDArray[np.bool_], box: Box, at: Place, start: Place, axes: Sequence[int]
) -> None:
    """Mark voxels that the way runs through, one step after another."""
    steps = ceil(max(abs(at[k] - start[k]) for k in axes))
    share = np.linspace(0, 1, steps + 1)[:, None]
    way = np.array(start) + share * (np.array(at) - np.array(start))
    voxels = np.floor(way + 0.5).astype(np.int64) - [part.start for part in box]
    inside = ((voxels >= 0) & (voxels < touched.shape)).all(axis=1)
    touched[tuple(voxels[inside].T)] = True
