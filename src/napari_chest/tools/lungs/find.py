"""From voxels to the right and the left lung."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from napari_chest.errors import StoppedError
from napari_chest.tools.base import ToolError, never
from napari_chest.tools.lungs.airways import airways
from napari_chest.tools.lungs.cage import behind_ribs
from napari_chest.tools.lungs.coarse import AIR, Coarse, body_of, box_of, coarsen, per_slice
from napari_chest.tools.lungs.dense import fill
from napari_chest.tools.lungs.sides import LEFT, NO_LUNGS, RIGHT, find_sides

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    import numpy.typing as npt

    from napari_chest.tools.lungs.coarse import Bytes, Spacing

_WALL = 2.0
"""mm by which an airway's lumen is blurred into its wall."""
_FEWEST = 3
"""Slices, rows and columns that a chest has at least."""
_MARGIN = 80.0
"""mm around the lungs' air in which dense lung is looked for."""
_UNEQUAL = 0.5
"""Of the larger lung: a smaller one is doubtful."""
_FILLED = 0.15
"""Share of a lung that was filled back from which it should be looked at."""
_SMALL = 1.0
"""Litres of both lungs together below which an adult's are not whole."""
_NAMES = {RIGHT: "right", LEFT: "left"}


@dataclass(frozen=True, eq=False)
class Lungs:
    """Both lungs of a chest.

    Attributes
    ----------
    labels : (Z, Y, X) uint8; 1 right lung, 2 left lung.
    notes : what a person should look at, a sentence each.
    """

    labels: npt.NDArray[np.uint8]
    notes: tuple[str, ...] = ()


def lungs(voxels: npt.NDArray[Any], spacing: Spacing, stopped: Callable[[], bool] = never) -> Lungs:
    """The right and the left lung of a chest CT, without trachea and main bronchi.

    Lungs are found by their air, on a coarser grid. Vessels and dense disease are filled back where
    lung or ribs surround them; what touches heart, diaphragm or the front of the chest cannot be
    told from them by its HU, and stays out. Fluid in the pleural space may be filled in.

    Parameters
    ----------
    voxels : (Z, Y, X), HU; z grows from head to feet, y to the back, x to the patient's left.
    spacing : distances between voxel centres along (z, y, x) in mm.
    stopped : whether somebody has asked to stop.

    Raises
    ------
    ToolError
        when there are no lungs to be found.
    StoppedError
        when somebody has asked to stop.
    """
    if voxels.ndim != 3 or min(voxels.shape) < _FEWEST:
        raise ToolError(f"Lungs are looked for in a CT series, and this image is {voxels.shape}.")
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        chest = coarsen(voxels, spacing, pool)
        _go_on(stopped)
        body = body_of(chest, pool)
        middle = _middle(body)
        _go_on(stopped)
        tubes = airways(chest, body, middle)
        walls = per_slice(tubes, cv2.MORPH_DILATE, chest.disc(_WALL), pool)
        air = ((chest.hu < AIR) & (body > 0) & (walls == 0)).view(np.uint8)
        _go_on(stopped)
        sides = find_sides(chest, air, middle)
        _go_on(stopped)
        filled = _filled(chest, sides, tubes, middle, pool)
        _go_on(stopped)
        labels = _refined(chest, filled, voxels, pool)
    return Lungs(labels, _notes(chest, sides, filled))


def _go_on(stopped: Callable[[], bool]) -> None:
    if stopped():
        raise StoppedError("Stopped; no lungs were made.")


def _middle(body: Bytes) -> float:
    """The mean x of the body in voxels."""
    columns = np.count_nonzero(body, axis=(0, 1)).astype(float)
    if not columns.any():
        raise ToolError(NO_LUNGS)
    return float(columns @ np.arange(len(columns)) / columns.sum())


def _filled(chest: Coarse, sides: Bytes, tubes: Bytes, middle: float, pool: Executor) -> Bytes:
    """Both lungs with what is dense in them, on the coarse grid."""
    _, y, x = box_of(sides, margin=round(_MARGIN / min(chest.spacing[1:])))
    box = slice(None), y, x
    near = Coarse(chest.hu[box], chest.factors, chest.spacing)
    seen, lumen = sides[box], tubes[box]
    center = _between(seen, middle - x.start)
    filled = np.zeros_like(sides)
    for side in (RIGHT, LEFT):
        air = (seen == side).view(np.uint8)
        if not air.any():
            continue
        lung = air | behind_ribs(near, air, -1 if side == RIGHT else 1)
        lung = fill(near, lung, lumen, center, pool)
        free = (filled[box] == 0) & ((seen == 0) | (seen == side))
        filled[box][(lung > 0) & free] = side
    return filled


def _between(sides: Bytes, middle: float) -> npt.NDArray[np.float64]:
    """The place (y, x) between both lungs; in the body's middle where there is only one."""
    means = []
    for side in _NAMES:
        counts = np.count_nonzero(sides == side, axis=0)
        if counts.any():
            means.append(
                np.average(
                    np.mgrid[: counts.shape[0], : counts.shape[1]], axis=(1, 2), weights=counts
                )
            )
    place: npt.NDArray[np.float64] = np.mean(means, axis=0)
    return place if len(means) == 2 else np.array([place[0], middle])


def _refined(chest: Coarse, filled: Bytes, voxels: npt.NDArray[Any], pool: Executor) -> Bytes:
    """The lungs in the volume's own voxels: their border with air by its HU, the rest as filled."""
    fz, fy, fx = chest.factors
    labels = np.zeros(voxels.shape, np.uint8)
    width, height = chest.hu.shape[2] * fx, chest.hu.shape[1] * fy
    ones = np.ones((3, 3), np.uint8)

    def refine(z: int) -> None:
        k = min(z // fz, len(filled) - 1)
        coarse = filled[k]
        if not coarse.any():
            return
        mask = (coarse > 0).astype(np.uint8)
        sure = cv2.erode(mask, ones) | (mask & (chest.hu[k] >= AIR))
        sure = cv2.resize(sure * np.uint8(255), (width, height), interpolation=cv2.INTER_LINEAR)
        near = cv2.resize(
            cv2.dilate(coarse, ones), (width, height), interpolation=cv2.INTER_NEAREST
        )
        air = voxels[z, :height, :width] < AIR
        lung = ((air | (sure > 127)) & (near > 0)).view(np.uint8)
        lung = cv2.morphologyEx(lung, cv2.MORPH_CLOSE, ones)
        lung = cv2.morphologyEx(lung, cv2.MORPH_OPEN, ones)
        labels[z, :height, :width] = lung * near

    list(pool.map(refine, range(len(voxels))))
    return labels


def _notes(chest: Coarse, sides: Bytes, filled: Bytes) -> tuple[str, ...]:
    """What is doubtful about the lungs."""
    litres = {s: float(np.count_nonzero(filled == s)) * chest.millilitre / 1000 for s in _NAMES}
    air = {s: float(np.count_nonzero(sides == s)) * chest.millilitre / 1000 for s in _NAMES}
    told = f"right lung {litres[RIGHT]:.1f} l, left {litres[LEFT]:.1f} l"
    notes = []
    for side, name in _NAMES.items():
        if not litres[side]:
            notes.append(f"Only one lung was found: the {name} one is missing or has no air.")
        elif air[side] < (1 - _FILLED) * litres[side]:
            share = 1 - air[side] / litres[side]
            notes.append(f"{share * 100:.0f} % of the {name} lung is dense: check its borders.")
    if min(litres.values()) and min(litres.values()) < _UNEQUAL * max(litres.values()):
        notes.append(f"{told}: dense disease may be missing.")
    elif sum(litres.values()) < _SMALL:
        notes.append(f"{told}: they are small, or not wholly in the picture.")
    cut = [end for end, plane in (("top", filled[0]), ("lower end", filled[-1])) if plane.any()]
    if cut:
        notes.append(f"The lungs reach the {' and the '.join(cut)} of the series.")
    return tuple(notes)
