"""Radiographs: a PNG image of stored values, and the sidecar that says how to show it."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from napari_chest.files.png import read_png
from napari_chest.model import Problem, Volume, Window
from napari_chest.projection import patient_directions, pixel_spacing, radiograph_grid

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy.typing as npt

    from napari_chest.files.sidecar import Sidecar
    from napari_chest.model import Modality

_IMAGER_SPACING: Final = "00181164"
_VIEW_POSITION: Final = "00185101"
_PATIENT_ORIENTATION: Final = "00200020"
_PHOTOMETRIC: Final = "00280004"
_ROWS: Final = "00280010"
_COLUMNS: Final = "00280011"
_PIXEL_SPACING: Final = "00280030"
_BITS_STORED: Final = "00280101"
_WINDOW_CENTER: Final = "00281050"
_WINDOW_WIDTH: Final = "00281051"
_INTERCEPT: Final = "00281052"
_SLOPE: Final = "00281053"
_VOI_LUT: Final = "00283010"

_ONLY: Final = "0"
"""Name of the only slice."""
_VIEWS: Final = {
    "PA": "PA", "AP": "AP", "LL": "LL", "RL": "lateral", "LAT": "lateral", "LATERAL": "lateral",
}  # fmt: skip
_VIEW_IN_NAME: Final = re.compile(r"_vp-(pa|ap|ll|lateral)(?=[_.]|$)", re.IGNORECASE)


def read_radiograph(
    path: Path, sidecar: Sidecar | None, modality: Modality
) -> tuple[Volume, list[Problem]]:
    """The radiograph in a PNG file, and what a person should know of it.

    The voxels, (1, Y, X) uint8 or uint16, are those of the file. The window is stated in them too,
    and whether small ones are meant to be shown bright is `Volume.inverted`.

    Raises
    ------
    ReadError
        when the image cannot be read.
    """
    image = read_png(path)
    shape = image.shape[0], image.shape[1]
    if sidecar is None:
        text = (
            "The image has no sidecar: its window, spacing and orientation are not known, nor "
            "whether its small values are meant to be shown bright."
        )
        grid = radiograph_grid(shape, (1.0, 1.0), "unknown", None, _ONLY)
        return Volume(image[None], grid, modality), [Problem("note", text, (path.name,))]
    problems = list(_size_problems(image, sidecar))
    spacing, calibration = pixel_spacing(
        sidecar.numbers(_PIXEL_SPACING), sidecar.numbers(_IMAGER_SPACING)
    )
    if calibration == "unknown":
        text = "The sidecar gives no usable spacing, so lengths can only be counted in pixels."
        problems.append(Problem("note", text))
    directions = patient_directions(sidecar.text(_PATIENT_ORIENTATION).split("\\"))
    if directions is None:
        text = "The sidecar gives no usable Patient Orientation, so left and right are not known."
        problems.append(Problem("note", text))
    grid = radiograph_grid(shape, spacing, calibration, directions, _ONLY)
    window = _window(image, sidecar, problems)
    slope, _ = _rescale(sidecar)
    # A negative slope turns the grey scale round once more.
    inverted = (sidecar.text(_PHOTOMETRIC).upper() == "MONOCHROME1") != (slope < 0)
    volume = Volume(image[None], grid, modality, window, inverted)
    return volume, [replace(problem, files=(path.name,)) for problem in problems]


def view_of(name: str, sidecar: Sidecar | None) -> str:
    """From where the patient was seen: ``PA``, ``AP``, ``LL``, ``lateral``, or empty if unknown.

    View Position decides; where it says none of them, the part ``vp-`` of the file name does.
    """
    told = _VIEWS.get(sidecar.text(_VIEW_POSITION).upper(), "") if sidecar else ""
    named = _VIEW_IN_NAME.search(name)
    return told or (_VIEWS[named[1].upper()] if named else "")


def _size_problems(image: npt.NDArray[Any], sidecar: Sidecar) -> Iterator[Problem]:
    found = image.shape
    told = sidecar.number(_ROWS) or found[0], sidecar.number(_COLUMNS) or found[1]
    if told != found:
        yield Problem(
            "warning",
            f"The image has {found[0]} rows and {found[1]} columns, its sidecar says "
            f"{told[0]:g} and {told[1]:g}: it may tell of another image, so window, spacing and "
            "orientation may be wrong.",
        )


def _window(image: npt.NDArray[Any], sidecar: Sidecar, problems: list[Problem]) -> Window | None:
    """The sidecar's first window, in stored values; None with a note where it cannot be used."""
    centers, widths = sidecar.numbers(_WINDOW_CENTER), sidecar.numbers(_WINDOW_WIDTH)
    if not centers and not widths:
        if sidecar.values.get(_VOI_LUT):
            problems.append(Problem("note", "The sidecar gives a VOI LUT, which is not applied."))
        return None
    slope, intercept = _rescale(sidecar)
    reason = "its centre and its width do not pair"
    if len(centers) == len(widths):
        window = Window((centers[0] - intercept) / slope, widths[0] / abs(slope))
        reason = _unusable(window, image, sidecar)
        if not reason:
            return window
    problems.append(Problem("note", f"The sidecar's window is not used: {reason}."))
    return None


def _unusable(window: Window, image: npt.NDArray[Any], sidecar: Sidecar) -> str:
    """Why a window in stored values cannot show the image; empty where it can."""
    darkest, brightest = window.limits
    if not 0 < window.width < math.inf:
        return f"its width is {window.width:g}"
    bits = sidecar.number(_BITS_STORED) or 0
    if image.dtype == np.uint8 and bits > 8:
        return f"it is meant for values of {bits:g} bits, and the image has 8"
    smallest, largest = int(image.min()), int(image.max())
    if brightest <= smallest or darkest >= largest:
        shown = f"it shows {darkest:g} to {brightest:g}"
        return f"{shown}, and the image has values from {smallest} to {largest}"
    return ""


def _rescale(sidecar: Sidecar) -> tuple[float, float]:
    """Slope and intercept from stored values to those in which the sidecar states windows."""
    return sidecar.number(_SLOPE) or 1.0, sidecar.number(_INTERCEPT) or 0.0
