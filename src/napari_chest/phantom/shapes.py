"""Soft geometry for phantoms: signed distances on a coarse grid, resampled where they are shown.

Distances are in millimetres of a reference patient, negative inside. They vary smoothly, so a grid
of 3 mm holds edges that are sharp at any resolution once a distance is turned into a coverage.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.interpolate import PchipInterpolator

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Floats = npt.NDArray[np.floating[Any]]

EXTENT = (320.0, 350.0, 350.0)
"""Size (z, y, x) in mm of the reference patient's field of view; every phantom shows all of it."""

_COARSE = (108, 118, 118)

Point = tuple[float, float, float, float]
"""x to the patient's left, y to the back, z to the feet, radius; mm from the middle of the top."""


@dataclass(frozen=True, eq=False)
class Space:
    """Voxel centres of a grid in reference millimetres.

    Attributes
    ----------
    z, y, x : (n,) float32 each; z from the top of the field of view, y and x from its middle.
    """

    z: Floats
    y: Floats
    x: Floats

    @classmethod
    def of_shape(cls, shape: tuple[int, int, int]) -> Space:
        """The grid of this shape (Z, Y, X) that fills the field of view."""
        z, y, x = (
            ((np.arange(n) + 0.5) * (extent / n)).astype(np.float32)
            for n, extent in zip(shape, EXTENT, strict=True)
        )
        return cls(z, y - np.float32(EXTENT[1] / 2), x - np.float32(EXTENT[2] / 2))

    @classmethod
    def coarse(cls, shape: tuple[int, int, int]) -> Space:
        """The grid on which anatomy for a picture of this shape is worked out."""
        z, y, x = (min(n, most) for n, most in zip(shape, _COARSE, strict=True))
        return cls.of_shape((z, y, x))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along (z, y, x)."""
        return len(self.z), len(self.y), len(self.x)

    @property
    def axes(self) -> tuple[Floats, Floats, Floats]:
        """Coordinates z, y and x, shaped to be broadcast over the grid."""
        return self.z[:, None, None], self.y[None, :, None], self.x[None, None, :]

    @property
    def step(self) -> tuple[float, float, float]:
        """Millimetres between voxel centres along (z, y, x)."""
        return EXTENT[0] / len(self.z), EXTENT[1] / len(self.y), EXTENT[2] / len(self.x)

    def box(self, low: npt.ArrayLike, high: npt.ArrayLike) -> tuple[slice, slice, slice]:
        """The slices of the grid between two corners (x, y, z) in mm."""
        (x0, y0, z0), (x1, y1, z1) = np.asarray(low), np.asarray(high)
        return (
            slice(*np.searchsorted(self.z, (z0, z1)).tolist()),
            slice(*np.searchsorted(self.y, (y0, y1)).tolist()),
            slice(*np.searchsorted(self.x, (x0, x1)).tolist()),
        )

    def part(self, box: tuple[slice, slice, slice]) -> Space:
        """The part of the grid in a box."""
        return Space(self.z[box[0]], self.y[box[1]], self.x[box[2]])

    def empty(self, reach: float) -> Floats:
        """Distances ``reach`` mm away from anything, (Z, Y, X)."""
        return np.full(self.shape, reach, np.float32)


@cache
def _interpolator(rows: tuple[tuple[float, ...], ...]) -> PchipInterpolator:
    table = np.asarray(rows, dtype=np.float64)
    return PchipInterpolator(table[:, 0], table[:, 1:])


def profile(z: Floats, rows: tuple[tuple[float, ...], ...]) -> tuple[Floats, ...]:
    """The columns of a table, whose first is z, at each z, (Z, 1, 1), without overshoot."""
    inside = np.clip(z.astype(np.float64), rows[0][0], rows[-1][0])
    columns = _interpolator(rows)(inside).astype(np.float32)
    return tuple(column[:, None, None] for column in columns.T)


def ellipsoid(
    space: Space, center: tuple[float, float, float], radii: tuple[float, float, float]
) -> Floats:
    """Distance to an ellipsoid, its centre and half axes along (x, y, z)."""
    z, y, x = space.axes
    dx, dy, dz = x - center[0], y - center[1], z - center[2]
    rx, ry, rz = radii
    reach = np.sqrt((dx / rx) ** 2 + (dy / ry) ** 2 + (dz / rz) ** 2)
    length = np.sqrt(dx * dx + dy * dy + dz * dz)
    # Along the ray from the centre: right at the surface, and never steeper than a distance.
    distance: Floats = length - length / np.maximum(reach, np.float32(1e-3))
    return distance


def super_ellipse(
    space: Space, center_y: Floats, half: Floats, front: Floats, back: Floats, power: float
) -> Floats:
    """Distance to a rounded contour per slice: half width, front and back y as (Z, 1, 1)."""
    _, y, x = space.axes
    dy = y - center_y
    across = (np.abs(x) / half) ** power
    along = (np.abs(dy) / np.where(dy < 0, center_y - front, back - center_y)) ** power
    reach = (across + along) ** np.float32(1 / power)
    length = np.sqrt(x * x + dy * dy)
    distance: Floats = length - length / np.maximum(reach, np.float32(1e-3))
    return distance.astype(np.float32)


def add_capsule(
    field: Floats,
    space: Space,
    start: Point,
    end: Point,
    *,
    flat: float = 1.0,
    margin: float,
) -> None:
    """Join a rod with round ends to a field of distances, in a box around it.

    ``flat`` below 1 makes the rod that much taller along z. ``margin`` is how far around it the
    distances are worked out: not less than the field's own, or the box shows as an edge.
    """
    a, b = np.asarray(start, np.float32), np.asarray(end, np.float32)
    reach = max(start[3], end[3]) + margin
    pad = np.array([reach, reach, reach / flat], np.float32)
    box = space.box(np.minimum(a, b)[:3] - pad, np.maximum(a, b)[:3] + pad)
    if any(part.start >= part.stop for part in box):
        return
    z, y, x = space.part(box).axes
    axis = b[:3] - a[:3]
    dx, dy, dz = x - a[0], y - a[1], z - a[2]
    along = dx * axis[0] + dy * axis[1] + dz * axis[2]
    along = np.clip(along / max(float(axis @ axis), 1e-6), 0, 1)
    dx, dy, dz = dx - along * axis[0], dy - along * axis[1], (dz - along * axis[2]) * flat
    distance = np.sqrt(dx * dx + dy * dy + dz * dz) - (a[3] + along * (b[3] - a[3]))
    part = field[box]
    np.minimum(part, distance, out=part)


def add_tube(field: Floats, space: Space, points: Sequence[Point], **how: float) -> None:
    """Join rods along a line of points to a field of distances; see `add_capsule`."""
    for start, end in pairwise(points):
        add_capsule(field, space, start, end, **how)


def curve(points: Sequence[Point], spacing: float = 8.0) -> list[Point]:
    """A smooth line through the points, with a point about every ``spacing`` mm."""
    table = np.asarray(points, dtype=np.float64)
    steps = np.linalg.norm(np.diff(table[:, :3], axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    at = np.linspace(0, along[-1], max(2, round(along[-1] / spacing) + 1))
    return [
        (float(x), float(y), float(z), float(r))
        for x, y, z, r in PchipInterpolator(along, table)(at)
    ]


def mirrored(points: Sequence[Point]) -> list[Point]:
    """The same line on the other side of the patient."""
    return [(-x, y, z, r) for x, y, z, r in points]


def blend(a: Floats, b: Floats, width: float) -> Floats:
    """The union of two distances with the crease filled over ``width`` mm."""
    share = np.clip(0.5 + (b - a) * np.float32(0.5 / width), 0, 1)
    joined: Floats = b + (a - b) * share - np.float32(width) * share * (1 - share)
    return joined


def smooth_noise(rng: np.random.Generator, space: Space, scale: float) -> Floats:
    """Noise of about unit variance that varies over ``scale`` mm, (Z, Y, X)."""
    field: Floats
    spans = [(float(axis[0]), float(axis[-1])) for axis in (space.z, space.y, space.x)]
    counts = [int((high - low) / scale) + 4 for low, high in spans]
    field = rng.standard_normal(counts, dtype=np.float32) * np.float32(1.6)
    for number, (axis, (low, _)) in enumerate(zip((space.z, space.y, space.x), spans, strict=True)):
        taps, weights = _cubic((axis - np.float32(low)) / np.float32(scale) + 1, counts[number])
        field = _resample(field, number, taps, weights)
    return field


class Resampler:
    """Shows coarse fields at the voxels of a finer grid by cubic convolution."""

    def __init__(self, coarse: Space, fine: Space) -> None:
        self.coarse, self.fine = coarse, fine
        self._taps = []
        for source, target in ((coarse.z, fine.z), (coarse.y, fine.y), (coarse.x, fine.x)):
            step = (source[-1] - source[0]) / max(len(source) - 1, 1) or np.float32(1)
            self._taps.append(_cubic((target - source[0]) / step, len(source)))

    def show(self, field: Floats, box: tuple[slice, slice, slice]) -> Floats:
        """The part of a coarse field in a box (z, y, x) of the fine grid."""
        for axis in range(3):
            if self.coarse.shape[axis] == self.fine.shape[axis]:
                chosen = [slice(None)] * 3
                chosen[axis] = box[axis]
                field = field[tuple(chosen)]
            else:
                index, weights = self._taps[axis]
                field = _resample(field, axis, index[:, box[axis]], weights[:, box[axis]])
        return field


def _cubic(position: Floats, count: int) -> tuple[npt.NDArray[np.intp], Floats]:
    """Indices and weights (4, n) of Catmull-Rom interpolation, the ends held."""
    base = np.floor(position)
    t = (position - base).astype(np.float32)
    weights = np.stack(
        [
            ((2 - t) * t - 1) * t / 2,
            ((3 * t - 5) * t * t + 2) / 2,
            ((4 - 3 * t) * t + 1) * t / 2,
            (t - 1) * t * t / 2,
        ]
    )
    index = base.astype(np.intp) + np.arange(-1, 3)[:, None]
    return np.clip(index, 0, count - 1), weights.astype(np.float32)


def _resample(field: Floats, axis: int, index: npt.NDArray[np.intp], weights: Floats) -> Floats:
    shape = [1] * field.ndim
    shape[axis] = -1
    # The indices are in range; without "clip" they would be checked, which takes twice as long.
    result: Floats = np.take(field, index[0], axis, mode="clip") * weights[0].reshape(shape)
    for tap in range(1, 4):
        result += np.take(field, index[tap], axis, mode="clip") * weights[tap].reshape(shape)
    return result
