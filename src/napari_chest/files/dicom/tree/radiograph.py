"""Reads a radiograph (CR or DX) as a volume with Z = 1, in stored values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from napari_chest.errors import ReadError
from napari_chest.files.atomic import reason
from napari_chest.files.dicom import parse, tags
from napari_chest.files.dicom.header import read_header
from napari_chest.files.dicom.pixels import read_stored
from napari_chest.files.dicom.tree.entries import read_raw
from napari_chest.model import Problem, Volume, Window
from napari_chest.projection import patient_directions, pixel_spacing, radiograph_grid

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

    from napari_chest.files.dicom.header import SliceHeader
    from napari_chest.model import Grid, Modality

    Values = dict[int, bytes]

_WANTED: Final = frozenset({tags.PIXEL_SPACING, tags.IMAGER_SPACING, tags.PATIENT_ORIENTATION})


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
    spacing, calibration = pixel_spacing(
        parse.numbers(values, tags.PIXEL_SPACING), parse.numbers(values, tags.IMAGER_SPACING)
    )
    if calibration == "unknown":
        text = "The file gives no usable spacing, so lengths can only be counted in pixels."
        problems.append(Problem("note", text, (header.name,)))
    directions = patient_directions(parse.texts(values, tags.PATIENT_ORIENTATION))
    if directions is None:
        text = "The file gives no usable Patient Orientation, so left and right are not known."
        problems.append(Problem("note", text, (header.name,)))
    name = header.sop_instance_uid or header.name
    return radiograph_grid((header.rows, header.columns), spacing, calibration, directions, name)


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
