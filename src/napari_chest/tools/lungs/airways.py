"""The trachea and the main bronchi, followed from slice to slice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from napari_chest.tools.lungs.coarse import Bytes, Coarse

_LUMEN = -780
"""HU below which a voxel is in a lumen; walls of 1 mm still stand out."""
_PURE = -900
"""Median HU of an airway's cross section, which no lung has."""
_SMALLEST, _LARGEST = 60.0, 700.0
"""Areas in mm² that a trachea has on a slice."""
_WIDEST = 1200.0
"""Area in mm² of the trachea where it divides, with main bronchi that lie in the slice."""
_GROWS = 2.2
"""From a slice to the next; more is a way into the lung."""
_OFF_MIDDLE = 55.0
"""mm from the body's middle."""
_LONG = 25.0
"""mm that a trachea can be followed; other round air cannot."""
_THINNEST = 15.0
"""Area in mm² of the last bronchus that is followed."""


def airways(chest: Coarse, body: Bytes, middle: float) -> Bytes:
    """1 in the lumen of trachea and main bronchi, (Z, Y, X); empty where they are not found.

    Parameters
    ----------
    body : 1 in the body.
    middle : x of the body's middle in voxels.
    """
    tubes = np.zeros(body.shape, np.uint8)
    start = 0
    for z in range(len(body)):
        parts = _Parts(chest, body, z)
        if z and tubes[z - 1].any():
            tubes[z] = parts.continuing(tubes[z - 1])
        elif (z - start) * chest.spacing[0] >= _LONG:
            return tubes
        else:
            tubes[start:z] = 0
            start = z
            tubes[z] = parts.tracheas(middle)
    if (len(body) - start) * chest.spacing[0] < _LONG:
        tubes[start:] = 0
    return tubes


class _Parts:
    """The separate patches of nearly pure air in the body on one slice."""

    def __init__(self, chest: Coarse, body: Bytes, z: int) -> None:
        self._hu = chest.hu[z]
        lumen = ((self._hu < _LUMEN) & (body[z] > 0)).astype(np.uint8)
        _, self._labels, stats, centres = cv2.connectedComponentsWithStats(lumen, connectivity=4)
        self._stats, self._centres = stats, centres
        self._areas = stats[:, cv2.CC_STAT_AREA] * chest.spacing[1] * chest.spacing[2]
        self._step = chest.spacing[2]

    def tracheas(self, middle: float) -> Bytes:
        """Where a trachea may begin: round and pure air near the middle."""
        near = np.abs(self._centres[:, 0] - middle) * self._step < _OFF_MIDDLE
        fits = (self._areas > _SMALLEST) & (self._areas < _LARGEST)
        boxes = self._stats[:, cv2.CC_STAT_WIDTH] * self._stats[:, cv2.CC_STAT_HEIGHT]
        round_ = self._stats[:, cv2.CC_STAT_AREA] > 0.55 * boxes
        chosen = [i for i in np.flatnonzero(near & fits & round_) if i and self._pure(int(i))]
        return np.isin(self._labels, chosen).astype(np.uint8)

    def continuing(self, above: Bytes) -> Bytes:
        """What goes on from the airways of the slice above."""
        shared = np.bincount(self._labels[above > 0], minlength=len(self._areas))
        size_above = float(np.count_nonzero(above)) * self._areas[0] / max(self._stats[0, 4], 1)
        limit = min(_WIDEST, max(_GROWS * size_above, 3 * _SMALLEST))
        chosen = [
            i
            for i in np.flatnonzero(shared)
            if i and _THINNEST < self._areas[i] < limit and self._pure(int(i))
        ]
        return np.isin(self._labels, chosen).astype(np.uint8)

    def _pure(self, part: int) -> bool:
        left, top, width, height = self._stats[part, :4]
        box = slice(top, top + height), slice(left, left + width)
        here: npt.NDArray[np.int16] = self._hu[box][self._labels[box] == part]
        return float(np.median(here)) < _PURE
