"""A synthetic chest CT of which all is known: lobes, opacities, and which slices show them."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_chest.phantom.disease import add_disease
from napari_chest.phantom.paint import PADDING, Painter
from napari_chest.phantom.patient import LOBES, draw_trees, make_patient
from napari_chest.phantom.shapes import EXTENT, Resampler, Space

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from napari_chest.phantom.patient import Sex

_ENOUGH = 30.0
"""From this area on, in mm² of a slice, a lobe's opacity is labelled: readers miss smaller ones."""


_TOGETHER = 6
"""Slices painted at once: enough for threads to run side by side, few enough for the cache."""


@dataclass(frozen=True, eq=False)
class Chest:
    """A synthetic chest in display order: z from head to feet, y to the back, x to the left.

    Attributes
    ----------
    voxels : (Z, Y, X) int16, Hounsfield units.
    lobes : (Z, Y, X) uint8; 0 outside the lungs, 1 to 5 for LLL, LUL, RLL, RML, RUL.
    opacity : (Z, Y, X) uint8; 0 none, 1 ground glass, 2 consolidation.
    spacing : (z, y, x) mm.
    slice_labels : (Z, 5) bool; whether the lobe has opacity in the slice, in the order of `LOBES`.
    """

    voxels: npt.NDArray[np.int16]
    lobes: npt.NDArray[np.uint8]
    opacity: npt.NDArray[np.uint8]
    spacing: tuple[float, float, float]
    slice_labels: npt.NDArray[np.bool_]


def make_chest(
    shape: tuple[int, int, int] = (160, 256, 256),
    spacing: tuple[float, float, float] | None = None,
    seed: int = 0,
    *,
    severity: float = 0.4,
    consolidated: float = 0.25,
    lobes: Sequence[str] = LOBES,
    sex: Sex | None = None,
    padding: bool = False,
) -> Chest:
    """A chest CT of one synthetic adult; the same arguments give the same voxels.

    Parameters
    ----------
    shape : (Z, Y, X). The picture always shows the whole chest, in as many voxels.
    spacing : (z, y, x) mm that the chest is said to have; by default that of a field of view of
        350 mm and a length of 320 mm.
    seed : another number is another patient.
    severity : 0 healthy to 1 severe pneumonia; above it, lungs that are mostly opaque.
    consolidated : share of the opacities that are consolidations, 0 to 1; the rest is ground glass.
    lobes : names of the lobes that get opacities, in turn.
    sex : of the patient, at random by default.
    padding : whether voxels outside the circle of reconstruction hold a padding value.
    """
    if spacing is None:
        depth, height, width = (size / n for size, n in zip(EXTENT, shape, strict=True))
        spacing = (depth, height, width)
    rng = np.random.default_rng(seed)
    patient = make_patient(shape, rng, sex)
    resampler = Resampler(patient.space, Space.of_shape(shape))
    trees = draw_trees(patient, resampler.fine, rng)
    opacities = add_disease(
        patient,
        resampler,
        trees,
        rng,
        severity=severity,
        consolidated=consolidated,
        lobes=lobes,
    )
    painter = Painter(patient, resampler, trees, opacities, seed)
    voxels = np.empty(shape, np.int16)
    numbers, opacity = np.empty(shape, np.uint8), np.empty(shape, np.uint8)

    def paint(z: int) -> None:
        part = slice(z, min(z + _TOGETHER, shape[0]))
        voxels[part], numbers[part], opacity[part] = painter.paint(part)

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        list(pool.map(paint, range(0, shape[0], _TOGETHER)))
    if padding:
        voxels[:, _outside(resampler.fine)] = PADDING
    return Chest(voxels, numbers, opacity, spacing, _slice_labels(numbers, opacity, resampler.fine))


def _slice_labels(
    lobes: npt.NDArray[np.uint8], opacity: npt.NDArray[np.uint8], space: Space
) -> npt.NDArray[np.bool_]:
    least = max(2.0, _ENOUGH / (space.step[1] * space.step[2]))
    diseased = np.where(opacity > 0, lobes, 0).reshape(len(lobes), -1)
    counts = np.stack([np.bincount(plane, minlength=len(LOBES) + 1)[1:] for plane in diseased])
    return counts >= least


def _outside(space: Space) -> npt.NDArray[np.bool_]:
    return np.hypot(space.y[:, None], space.x) > EXTENT[1] / 2
