"""Radiographs of a synthetic chest: parallel beams, a detector, and the processing of its maker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from scipy import ndimage

from napari_chest.phantom.paint import AIR
from napari_chest.phantom.shapes import EXTENT, Space

if TYPE_CHECKING:
    from collections.abc import Collection

    import numpy.typing as npt

    from napari_chest.phantom.chest import Chest
    from napari_chest.phantom.shapes import Floats

View = Literal["front", "side"]

SEEN = {1: 16.0, 2: 10.0}
"""mm of ground glass and of consolidation along a beam from which on a radiograph shows them."""

_LUNG = 45.0  # mm of lung along a beam from which on it counts as within the lungs
_BLUR = 2.5  # mm over which a finding's thickness is evened out before it counts as seen
_FINEST = (208, 228)  # rows and columns of the voxels that are projected; more is interpolated
_DEPTH = 88  # voxels along the beams
_BONE = 0.65  # how much more than in CT bone stops, per 1000 HU
_DENSE = 120  # HU from which on it is bone
_UNSHARP = 14.0  # mm over which the detector's maker evens out the picture
_MARKER = ("####.", "#...#", "#...#", "####.", "#.#..", "#..#.", "#...#")  # of the right side
_CELL = 2.6  # mm of a dot of the marker
_MARKED = (70.0, 9.0)  # y, x in mm of the marker's corner
_TABLE = (124.0, 55.0)  # y of the table in its middle and how far it rises at the sides, mm


class _Processing(NamedTuple):
    """How a detector's maker turns water into grey.

    ``middle`` is how many cm of water above those behind the lungs are middle grey, ``latitude``
    the width of the logistic in cm, ``detail`` how much details are raised and ``even`` how much
    the evened-out rest is lowered.
    """

    middle: float
    latitude: float
    detail: float
    even: float


_PROCESSING: dict[View, _Processing] = {
    "front": _Processing(3.2, 3.6, 1.7, 0.82),
    "side": _Processing(4.5, 4.6, 1.3, 0.6),
}


@dataclass(frozen=True, eq=False)
class Radiograph:
    """What one exposure shows.

    Attributes
    ----------
    picture : (Y, X) float32, 0 black to 1 white; bone is bright. Rows run to the feet. Columns run
        to the patient's left, in a view from the side from front to back.
    findings : opacity number (1 ground glass, 2 consolidation) to (Y, X) bool, where it is seen.
    spacing : (y, x) mm in the patient.
    """

    picture: npt.NDArray[np.float32]
    findings: dict[int, npt.NDArray[np.bool_]]
    spacing: tuple[float, float]


def volume_shape(size: tuple[int, int], views: Collection[View]) -> tuple[int, int, int]:
    """Shape (Z, Y, X) of the chest to make for radiographs of ``size`` (rows, columns)."""
    rows, columns = (min(n, most) for n, most in zip(size, _FINEST, strict=True))
    depth = min(_DEPTH, columns)
    return (rows, columns if "side" in views else depth, columns if "front" in views else depth)


def expose(chest: Chest, view: View, size: tuple[int, int], seed: int) -> Radiograph:
    """A radiograph of ``size`` (rows, columns) from the front (AP or PA) or from the side."""
    along = 1 if view == "front" else 2
    step = np.float32(EXTENT[along] / chest.voxels.shape[along])
    spacing = (EXTENT[0] / size[0], EXTENT[3 - along] / size[1])

    def thickness(inside: npt.NDArray[np.bool_]) -> Floats:
        depth = _resized(inside.sum(axis=along) * step, size)
        even: Floats = ndimage.gaussian_filter(depth, [_BLUR / mm for mm in spacing])
        return even

    water = _resized(_attenuation(chest).sum(axis=along) * step / 10, size)
    lung = thickness(chest.lobes > 0) > _LUNG
    findings = {
        kind: (thickness(chest.opacity == kind) > least) & lung for kind, least in SEEN.items()
    }
    picture = _processed(water, lung, spacing, seed, view)
    if view == "front":
        _mark_right(picture, spacing)
    return Radiograph(picture, findings, spacing)


def _attenuation(chest: Chest) -> Floats:
    """What each voxel stops, water 1."""
    voxels = chest.voxels.astype(np.float32)
    stops = np.clip(voxels - AIR, 0, None) / 1000
    stops += np.clip(voxels - _DENSE, 0, None) * np.float32(_BONE / 1000)
    # The table of the scanner does not stand in the way here.
    _, y, x = Space.of_shape(chest.voxels.shape).axes
    middle, rise = _TABLE
    behind = np.broadcast_to(y > middle - rise * (x / 175) ** 2, stops.shape)
    stops[behind & (voxels < -140)] = 0
    return stops


def _resized(picture: Floats, size: tuple[int, int]) -> Floats:
    zoom = tuple(n / m for n, m in zip(size, picture.shape, strict=True))
    shown: Floats = ndimage.zoom(
        picture.astype(np.float32), zoom, order=3, mode="nearest", grid_mode=True
    )
    return shown


def _processed(
    water: Floats,
    lung: npt.NDArray[np.bool_],
    spacing: tuple[float, float],
    seed: int,
    view: View,
) -> npt.NDArray[np.float32]:
    """Grey values, 0 to 1, of beams that went through so many cm of water."""
    how = _PROCESSING[view]
    quanta = np.random.default_rng((seed, 3)).standard_normal(water.shape, dtype=np.float32)
    # Fewer quanta arrive behind more water, so that it is noisier there.
    water = water + np.float32(0.035) * quanta * np.exp(np.clip(water, 0, 40) / 26)
    even = ndimage.gaussian_filter(water, [_UNSHARP / mm for mm in spacing])
    middle = np.median(water[lung]) + how.middle
    grey = how.even * (even - middle) + how.detail * (water - even)
    picture: npt.NDArray[np.float32] = 1 / (1 + np.exp(-grey / how.latitude))
    return picture.astype(np.float32)


def _mark_right(picture: npt.NDArray[np.float32], spacing: tuple[float, float]) -> None:
    """Lay a letter of lead beside the patient's right shoulder."""
    letter = np.array([[dot == "#" for dot in line] for line in _MARKER])
    lead = np.kron(letter, np.ones([max(1, round(_CELL / mm)) for mm in spacing], np.bool_))
    y, x = (round(at / mm) for at, mm in zip(_MARKED, spacing, strict=True))
    part = picture[y : y + lead.shape[0], x : x + lead.shape[1]]
    part[lead[: part.shape[0], : part.shape[1]]] = 1
