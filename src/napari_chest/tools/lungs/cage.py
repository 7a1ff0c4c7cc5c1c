"""Dense disease between a lung's air and the ribs, at the side and the back of the chest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    import numpy.typing as npt

    from napari_chest.tools.lungs.coarse import Bytes, Coarse

    Floats = npt.NDArray[np.float64]

BONE = 180
"""HU from which a voxel is bone."""
_FORWARDS, _BACKWARDS = -20.0, {-1: 120.0, 1: 110.0}
"""Degrees of the first and last ray: 0 is straight to the side, 90 to the back. In front of them
the heart may lie against the ribs; behind them, on the left, the aorta against the spine."""
_TURN = 1.5
_REACH = 200.0
"""Length of a ray in mm."""
_PLEURA = 3.0
"""mm between a rib and the lung within it."""
_THICK = 6.0
"""mm from which what lies between air and ribs is taken for disease."""
_RIBS_APART = 16.0
"""mm within which there is a rib above or below."""
_SOFT = (-60.0, 110.0)
"""Mean HU of dense lung along a ray; fat and muscle with bone in it lie outside."""


def behind_ribs(chest: Coarse, lung: Bytes, side: int) -> Bytes:
    """1 where soft tissue lies between the lung's air and its ribs, (Z, Y, X).

    Rays run from the lung's middle outwards. On each the last air of the lung and the first bone
    behind it are looked up; where ribs leave gaps, those above and below stand in.

    Parameters
    ----------
    lung : 1 where it is aerated.
    side : -1 for the right lung, 1 for the left.
    """
    rays = _Rays(chest, _middle(lung), side)
    air = rays.along(lung).astype(bool)
    seen = air.any(axis=2)
    last = np.where(seen, air.shape[2] - 1 - air[:, :, ::-1].argmax(axis=2), 0)
    hu = rays.along(chest.hu)
    beyond = np.arange(air.shape[2]) > last[:, :, None]
    bone = (hu >= BONE) & beyond
    first = np.where(bone.any(axis=2), bone.argmax(axis=2), np.inf)
    window = (2 * round(_RIBS_APART / chest.spacing[0]) + 1, 5)
    ribs = ndimage.minimum_filter(first, window, mode="nearest") - _PLEURA / rays.step
    thick = seen & np.isfinite(ribs) & (ribs - last > _THICK / rays.step)
    between = beyond & (np.arange(air.shape[2]) < ribs[:, :, None])
    count = np.maximum(np.count_nonzero(between, axis=2), 1)
    mean = np.where(between, hu, 0).sum(axis=2, dtype=np.float64) / count
    dense = thick & (mean > _SOFT[0]) & (mean < _SOFT[1])
    found = np.zeros(lung.shape, np.uint8)
    for z in np.flatnonzero(dense.any(axis=1)):
        rays.fill(found[z], dense[z], last[z], ribs[z])
    return found


class _Rays:
    """Rays in every slice, from one place outwards, sampled at steps of a voxel."""

    def __init__(self, chest: Coarse, middle: tuple[float, float], side: int) -> None:
        self.step = min(chest.spacing[1:])
        radii = np.arange(0, _REACH, self.step)
        angles = np.deg2rad(np.arange(_FORWARDS, _BACKWARDS[side] + 1, _TURN))[:, None]
        down, across = (1 / step for step in chest.spacing[1:])
        self._y = middle[0] + np.sin(angles) * radii * down
        self._x = middle[1] + side * np.cos(angles) * radii * across
        height, width = chest.hu.shape[1:]
        self._rows = np.clip(np.rint(self._y), 0, height - 1).astype(np.intp)
        self._columns = np.clip(np.rint(self._x), 0, width - 1).astype(np.intp)

    def along(self, image: npt.NDArray[np.integer]) -> npt.NDArray[np.integer]:
        """What a picture (Z, Y, X) shows along the rays, (Z, rays, steps)."""
        return image[:, self._rows, self._columns]

    def fill(
        self,
        plane: Bytes,
        chosen: npt.NDArray[np.bool_],
        inner: npt.NDArray[np.intp],
        outer: Floats,
    ) -> None:
        """Set a plane (Y, X) to 1 between two steps of every ray that is chosen."""
        runs, count = ndimage.label(chosen)
        for run in range(1, count + 1):
            rays = np.flatnonzero(runs == run)
            near = inner[rays]
            far = np.minimum(outer[rays], self._y.shape[1] - 1).astype(np.intp)
            ring = np.concatenate([self._points(rays, near), self._points(rays, far)[::-1]])
            cv2.fillPoly(plane, [ring], 1)

    def _points(
        self, rays: npt.NDArray[np.intp], steps: npt.NDArray[np.intp]
    ) -> npt.NDArray[np.int32]:
        points = np.stack([self._x[rays, steps], self._y[rays, steps]], axis=1)
        rounded: npt.NDArray[np.int32] = np.rint(points).astype(np.int32)
        return rounded


def _middle(lung: Bytes) -> tuple[float, float]:
    """The mean (y, x) of a lung, in voxels."""
    counts = np.count_nonzero(lung, axis=0)
    y, x = (counts.sum(axis=axis).astype(float) for axis in (1, 0))
    return float(y @ np.arange(len(y)) / y.sum()), float(x @ np.arange(len(x)) / x.sum())
