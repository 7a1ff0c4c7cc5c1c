"""Where the pixels of a radiograph lie: its spacing, its directions and its grid; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from napari_chest.geometry import spacing_affine
from napari_chest.model import Grid

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from napari_chest.model import Calibration

_MOST_SPACING: Final = 10.0
"""Millimetres from pixel to pixel beyond which a spacing is no radiograph's."""
_SAME_SPACING: Final = 1e-3
"""Share by which two spacings may differ through rounding; magnification is far more."""
_DIRECTIONS: Final = {
    "L": (1.0, 0.0, 0.0), "R": (-1.0, 0.0, 0.0), "P": (0.0, 1.0, 0.0),
    "A": (0.0, -1.0, 0.0), "H": (0.0, 0.0, 1.0), "F": (0.0, 0.0, -1.0),
}  # fmt: skip


def pixel_spacing(
    pixel: Sequence[float], imager: Sequence[float]
) -> tuple[tuple[float, float], Calibration]:
    """Millimetres between rows and between columns, and where they were measured.

    Pixel Spacing that differs from that at the detector was calibrated (DICOM PS3.3 10.7.1.3).

    Parameters
    ----------
    pixel, imager : Pixel Spacing and Imager Pixel Spacing as in the file, were they no two numbers.
    """
    calibrated, detector = _distances(pixel), _distances(imager)
    if calibrated and not (
        detector and np.allclose(calibrated, detector, rtol=_SAME_SPACING, atol=0)
    ):
        return calibrated, "patient"
    if detector:
        return detector, "detector"
    return (1.0, 1.0), "unknown"


def patient_directions(orientation: Sequence[str]) -> npt.NDArray[np.float64] | None:
    """Patient directions (2, 3) in which rows run to the right and columns run down.

    Parameters
    ----------
    orientation : Patient Orientation; the first letter of each of its two values counts.

    Returns
    -------
    None where it does not tell two directions at right angles.
    """
    told = [_DIRECTIONS.get(part.strip()[:1].upper()) for part in orientation]
    if len(told) != 2 or None in told:
        return None
    directions = np.array(told, dtype=np.float64)
    return directions if directions[0] @ directions[1] == 0 else None


def radiograph_grid(
    shape: tuple[int, int],
    spacing: tuple[float, float],
    calibration: Calibration,
    directions: npt.NDArray[np.float64] | None,
    name: str,
) -> Grid:
    """The grid of a single image (Y, X), at no known place in the patient.

    Parameters
    ----------
    shape : rows and columns.
    spacing : mm between rows and between columns.
    calibration : where the spacing was measured.
    directions : as `patient_directions` tells them.
    name : of the image, unique in its dataset.
    """
    dy, dx = spacing
    affine = spacing_affine((1.0, dy, dx))
    if directions is not None:
        right, down = directions
        affine[:3, :3] = np.column_stack([np.cross(right, down), down * dy, right * dx])
    placed = directions is not None
    return Grid((1, *shape), affine, (name,), placed=placed, calibration=calibration)


def _distances(found: Sequence[float]) -> tuple[float, float] | None:
    if len(found) != 2 or not all(0 < distance <= _MOST_SPACING for distance in found):
        return None
    return found[0], found[1]
