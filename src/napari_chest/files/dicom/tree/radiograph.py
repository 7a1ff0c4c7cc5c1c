"""Reads a radiograph (CR or DX) as a volume with Z = 1, in stored values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from napari_chest.errors import ReadError
from napari_chest.files.atomic import reason
from napari_chest.files.dicom import parse, tags
from napari_chest.files.dicom.header import read_header
from napari_chest.files.dicom.pixels import read_stored
from napari_chest.files.dicom.tree.entries import read_raw
from napari_chest.geometry import spacing_affine
from napari_chest.model import Grid, Problem, Volume, Window

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from napari_chest.files.dicom.header import SliceHeader
    from napari_chest.model import Calibration, Modality

    Directions = npt.NDArray[np.float64]
    Values = dict[int, bytes]

_WANTED: Final = frozenset({tags.PIXEL_SPACING, tags.IMAGER_SPACING, tags.PATIENT_ORIENTATION})
_MOST_SPACING: Final = 10.0
"""Millimetres from pixel to pixel beyond which a spacing is no radiograph's."""
_SAME_SPACING: Final = 1e-3
"""Share by which two spacings may differ through rounding; magnification is far more."""
_DIRECTIONS: Final = {
    "L": (1.0, 0.0, 0.0), "R": (-1.0, 0.0, 0.0), "P": (0.0, 1.0, 0.0),
    "A": (0.0, -1.0, 0.0), "H": (0.0, 0.0, 1.0), "F": (0.0, 0.0, -1.0),
}  # fmt: skip


def read_radiograph_file(path: Path) -> tuple[Volume, list[Problem]]:
    """The radiograph in a DICOM file, and what a person should know of it.

    The voxels, (1, Y, X), are the stored values, and so is the window; whether small ones are meant
    to be shown bright is `Volume.inverted`.

    Raises
    ------
    ReadError
        when the file cannot be read as an image.
    """
    header = read_header(path)
    stored = read_stored(header)
    try:
        values = read_raw(path, _WANTED).values
    except OSError as error:
        raise ReadError(path, f"the file cannot be read: {reason(error)}.") from error
    problems: list[Problem] = []
    grid = _grid(header, values, problems)
    modality: Modality = "DX" if header.modality == "DX" else "CR"
    # A negative slope turns the grey scale round once more.
    inverted = (header.photometric == "MONOCHROME1") != (header.slope < 0)
    window = _window(header, stored, problems)
    return Volume(stored[None], grid, modality, window, inverted), problems


def _grid(header: SliceHeader, values: Values, problems: list[Problem]) -> Grid:
    spacing, calibration = _spacing(values)
    if calibration == "unknown":
        text = "The file gives no usable spacing, so lengths can only be counted in pixels."
        problems.append(Problem("note", text, (header.name,)))
    directions = _directions(values)
    if directions is None:
        text = "The file gives no usable Patient Orientation, so left and right are not known."
        problems.append(Problem("note", text, (header.name,)))
    dy, dx = spacing
    affine = spacing_affine((1.0, dy, dx))
    if directions is not None:
        right, down = directions
        affine[:3, :3] = np.column_stack([np.cross(right, down), down * dy, right * dx])
    return Grid(
        (1, header.rows, header.columns),
        affine,
        (header.sop_instance_uid or header.name,),
        placed=directions is not None,
        calibration=calibration,
    )


def _spacing(values: Values) -> tuple[tuple[float, float], Calibration]:
    """Millimetres between rows and between columns, and where they were measured.

    Pixel Spacing that differs from that at the detector was calibrated (PS3.3 10.7.1.3).
    """
    pixel = _distances(values, tags.PIXEL_SPACING)
    imager = _distances(values, tags.IMAGER_SPACING)
    if pixel and not (imager and np.allclose(pixel, imager, rtol=_SAME_SPACING, atol=0)):
        return pixel, "patient"
    if imager:
        return imager, "detector"
    return (1.0, 1.0), "unknown"


def _distances(values: Values, tag: int) -> tuple[float, float] | None:
    match parse.numbers(values, tag):
        case (rows, columns) if 0 < rows <= _MOST_SPACING and 0 < columns <= _MOST_SPACING:
            return rows, columns
    return None


def _directions(values: Values) -> Directions | None:
    """Patient directions (2, 3) in which rows run to the right and columns run down."""
    told = parse.texts(values, tags.PATIENT_ORIENTATION)
    known = [_DIRECTIONS[part[:1].upper()] for part in told if part[:1].upper() in _DIRECTIONS]
    directions = np.array(known, dtype=np.float64)
    if len(told) != 2 or len(known) != 2 or directions[0] @ directions[1]:
        return None
    return directions


def _window(
    header: SliceHeader, stored: npt.NDArray[np.generic], problems: list[Problem]
) -> Window | None:
    """The file's first window in stored values; None where it cannot show the image."""
    if not header.window_centers or not header.window_widths:
        return None
    center, width = header.window_centers[0], header.window_widths[0]
    window = Window((center - header.intercept) / header.slope, width / abs(header.slope))
    darkest, brightest = window.limits
    smallest, largest = int(stored.min()), int(stored.max())
    if window.width > 0 and brightest > smallest and darkest < largest:
        return window
    text = (
        f"The file's window is not used: it shows {darkest:g} to {brightest:g}, and the image has "
        f"values from {smallest} to {largest}."
    )
    problems.append(Problem("note", text, (header.name,)))
    return None
