"""Opacities of pneumonia: ground glass and consolidation, mostly under the pleura and behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_chest.phantom import shapes
from napari_chest.phantom.patient import LOBES, within_lobe

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from napari_chest.phantom.patient import Patient, Trees
    from napari_chest.phantom.shapes import Floats, Resampler, Space

    Box = tuple[slice, slice, slice]

_MOST = 16  # lesions of the most severe disease
_SMALLEST, _LARGEST = 15.0, 42.0  # radius of a lesion in mm
_BRONCHOGRAM = 0.6  # share of consolidations with air bronchograms


@dataclass(frozen=True, eq=False)
class Opacities:
    """How dense the disease is at each voxel, (Z, Y, X) uint8, 255 full."""

    glass: npt.NDArray[np.uint8]
    solid: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class _Lesion:
    """A lesion to be: its lobe's number, its middle (x, y, z) and radius in mm, and its kind."""

    lobe: int
    middle: tuple[float, float, float]
    radius: float
    solid: bool


def add_disease(
    patient: Patient,
    resampler: Resampler,
    trees: Trees,
    rng: np.random.Generator,
    *,
    severity: float,
    consolidated: float,
    lobes: Sequence[str],
) -> Opacities | None:
    """Draw lesions in some lobes; air bronchograms turn ``trees`` from vessels to airways there.

    Parameters
    ----------
    severity : 0 none to 1 severe; sets number and size.
    consolidated : share of the lesions that are consolidations.
    lobes : names of the lobes that get lesions, in turn.
    """
    lesions = _plan(patient, rng, severity, consolidated, lobes)
    if not lesions:
        return None
    fine = resampler.fine
    found = Opacities(np.zeros(fine.shape, np.uint8), np.zeros(fine.shape, np.uint8))
    for lesion in lesions:
        box = _box(fine, lesion)
        if not all(part.stop > part.start for part in box):
            continue
        glass = _density(fine.part(box), rng, lesion, soft=0.4)
        inside = _inside(patient, resampler, box, lesion.lobe)
        _raise(found.glass, box, inside * glass)
        if lesion.solid:
            core = _density(fine.part(box), rng, lesion, soft=0.28)
            _raise(found.solid, box, inside * core)
            if rng.random() < _BRONCHOGRAM:
                _open_bronchi(trees, found.solid, box)
    return found


def _plan(
    patient: Patient,
    rng: np.random.Generator,
    severity: float,
    consolidated: float,
    lobes: Sequence[str],
) -> list[_Lesion]:
    if severity <= 0 or not lobes:
        return []
    z, y, x = patient.space.axes
    depth = -patient.cavity  # below the ribs, not the mediastinum
    numbers = patient.lobes()
    liking = np.exp(-(((depth - 8) / 8) ** 2)) * (0.12 + 1 / (1 + np.exp((15 - y) / 14)))
    liking = liking * (0.3 + np.clip((z - 60) / 200, 0, 1))
    count = max(len(lobes), round(3 + (_MOST - 3) * severity))
    lesions = []
    for turn in range(count):
        number = LOBES.index(lobes[turn % len(lobes)]) + 1
        places = np.flatnonzero(numbers == number)
        if not len(places):
            continue
        weight = liking.reshape(-1)[places].astype(np.float64) + 1e-6
        place = places[np.searchsorted(np.cumsum(weight), rng.random() * weight.sum())]
        k, j, i = np.unravel_index(place, numbers.shape)
        size = rng.random() * (0.45 + 0.55 * severity)
        lesions.append(
            _Lesion(
                number,
                (float(x[0, 0, i]), float(y[0, j, 0]), float(z[k, 0, 0])),
                _SMALLEST + (_LARGEST - _SMALLEST) * float(size),
                # Spread evenly, so that the share holds for few lesions too.
                int((turn + 1) * consolidated + 0.5) > int(turn * consolidated + 0.5),
            )
        )
    return lesions


def _box(fine: Space, lesion: _Lesion) -> Box:
    middle = np.array(lesion.middle)
    reach = lesion.radius * 1.9
    box = fine.box(middle - reach, middle + reach)
    # A coarse picture may have no voxel centre within reach along an axis.
    counts = fine.shape
    return tuple(
        slice(max(part.start - 1, 0), min(part.stop + 1, count))
        for part, count in zip(box, counts, strict=True)
    )  # type: ignore[return-value]


def _density(part: Space, rng: np.random.Generator, lesion: _Lesion, soft: float) -> Floats:
    """A patch of several lobules run together, 0 to 1, with a ragged edge ``soft`` radii wide."""
    z, y, x = part.axes
    patch = np.full(part.shape, -9.0, np.float32)
    for _ in range(int(rng.integers(4, 8))):
        shift = rng.normal(0, 0.42, 3) * lesion.radius
        radius = lesion.radius * rng.uniform(0.45, 0.85)
        dx, dy, dz = (
            (axis - np.float32(middle + move)) / np.float32(radius)
            for axis, middle, move in zip((x, y, z), lesion.middle, shift, strict=True)
        )
        patch = np.maximum(patch, 1 - np.sqrt(dx * dx + dy * dy + dz * dz))
    patch += np.float32(0.17) * shapes.smooth_noise(rng, part, 10)
    patch += np.float32(0.07) * shapes.smooth_noise(rng, part, 4)
    ramp = np.clip(patch / np.float32(soft), 0, 1)
    density: Floats = ramp * ramp * (3 - 2 * ramp)
    return density


def _inside(patient: Patient, resampler: Resampler, box: Box, lobe: int) -> Floats:
    """How much of each voxel lies in the lobe, 0 to 1."""
    shown = [
        resampler.show(field, box) for field in (patient.lung, patient.oblique, patient.horizontal)
    ]
    # The lung's own surface is cut where it is painted; cut here too, it would have a dark rim.
    lung, oblique, horizontal = shown
    distance = within_lobe(lobe, resampler.fine.x[box[2]], lung - 3, oblique, horizontal)
    inside: Floats = np.clip(0.5 - distance / np.float32(1.6), 0, 1)
    return inside


def _raise(volume: npt.NDArray[np.uint8], box: Box, density: Floats) -> None:
    part = volume[box]
    np.maximum(part, (density * 255).astype(np.uint8), out=part)


def _open_bronchi(trees: Trees, solid: npt.NDArray[np.uint8], box: Box) -> None:
    # The bronchi run with the arteries: there the air shows, and the vessels do not.
    vessels, airways = trees.vessels[box], trees.airways[box]
    within = (solid[box] > 128) & (vessels > 110)
    airways[within] = np.maximum(airways[within], vessels[within])
    vessels[within] = 0
