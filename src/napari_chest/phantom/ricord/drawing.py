"""Rings as people draw them around a finding with a freehand tool, and what they cover."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from scipy import ndimage
from skimage import measure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy.typing as npt

    Ring = npt.NDArray[np.float64]

_SMOOTH = 0.8  # pixels over which a hand evens out the border
_APART = 3.0  # pixels between vertices
_WAVES = 5  # of a hand around one ring
_FEWEST = 4  # vertices of the smallest ring


@dataclass(frozen=True)
class Hand:
    """How somebody draws.

    Attributes
    ----------
    level : share of finding in a pixel on the border, 0 to 1; lower draws wider.
    wobble : how far the hand strays, pixels.
    least : area in pixels of the smallest spot that is drawn.
    """

    level: float = 0.5
    wobble: float = 0.3
    least: int = 5


def spots(mask: npt.NDArray[np.bool_], least: int = 1) -> Iterator[npt.NDArray[np.bool_]]:
    """The connected spots of a mask (Y, X) of at least so many pixels, each as a mask."""
    numbers, _ = ndimage.label(mask, np.ones((3, 3)))
    areas = np.bincount(numbers.reshape(-1))
    for number in np.flatnonzero(areas >= least):
        if number:
            yield numbers == number


def draw(mask: npt.NDArray[np.bool_], hand: Hand, rng: np.random.Generator) -> Ring:
    """The ring (n, 2) x, y around one spot (Y, X), holes included.

    Coordinates count pixels from the corner of the image: the middle of the first is (0.5, 0.5).
    """
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    part = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    margin = 4
    filled = np.pad(ndimage.binary_fill_holes(part).astype(np.float32), margin)
    soft = ndimage.gaussian_filter(filled, _SMOOTH)
    level = min(hand.level, 0.8 * float(soft.max()))
    contour = max(measure.find_contours(soft, level), key=len)
    ring = _strayed(_spaced(contour[:, ::-1]), hand, rng)
    ring += (columns[0] - margin + 0.5, rows[0] - margin + 0.5)
    return np.clip(ring, 0, (mask.shape[1] - 0.01, mask.shape[0] - 0.01))


def _spaced(contour: Ring) -> Ring:
    """Vertices of a closed contour at even distances, the last one apart from the first."""
    steps = np.hypot(*np.diff(contour, axis=0).T)
    along = np.concatenate(([0.0], np.cumsum(steps)))
    count = max(_FEWEST, round(along[-1] / _APART))
    at = np.arange(count) * along[-1] / count
    return np.stack([np.interp(at, along, axis) for axis in contour.T], axis=1)


def _strayed(ring: Ring, hand: Hand, rng: np.random.Generator) -> Ring:
    turn = 2 * np.pi * np.arange(len(ring))[:, None] / len(ring)
    waves = np.arange(1, _WAVES + 1)
    phases = rng.uniform(0, 2 * np.pi, (2, _WAVES))
    sizes = rng.normal(0, hand.wobble / np.sqrt(_WAVES / 2), (2, _WAVES))
    shifts = [
        (size * np.sin(turn * waves + phase)).sum(axis=1)
        for size, phase in zip(sizes, phases, strict=True)
    ]
    strayed: Ring = ring + np.stack(shifts, axis=1)
    return strayed


def covered(rings: Iterable[Ring], shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Pixels (Y, X) that lie in any of the rings, as ``cv2.fillPoly`` fills truncated vertices."""
    found = np.zeros(shape, np.uint8)
    for ring in rings:
        cv2.fillPoly(found, [ring.astype(np.int32)], (1,))
    return found > 0
