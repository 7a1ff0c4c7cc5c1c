"""The text in the corners of the image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_chest.ui.canvas.overlay import LINE_LENGTH
from napari_chest.ui.keys import shown
from napari_chest.ui.windows import preset_name

if TYPE_CHECKING:
    from napari_chest.edits import Draft
    from napari_chest.model import Grid, Volume
    from napari_chest.ui.canvas import Canvas
    from napari_chest.ui.canvas.canvas import Voxel
    from napari_chest.ui.open_case import OpenCase
    from napari_chest.ui.session import Session

_DIRECTIONS = (("R", "L"), ("A", "P"), ("F", "H"))
"""Letters of the patient's directions against and along x, y and z of LPS coordinates."""
Corners = tuple[list[str], list[str], list[str], list[str]]


def corners(session: Session, canvas: Canvas, pointer: Voxel | None) -> Corners | None:
    """Lines for top left, top right, bottom left and bottom right; None while there is no image.

    No patient's name or birth date: screenshots travel.
    """
    case, volume, window = session.open_case, canvas.volume, canvas.window
    if case is None or volume is None or window is None or session.dataset is None:
        return None
    draft = session.draft
    state = "no labels" if draft is None else _unsaved(draft, case) if draft.change else ""
    values = f"W {window.width:.0f} L {window.center:.0f} {preset_name(window)}".rstrip()
    view = [case.info.facts["View"]] if case.info.facts.get("View") else []
    hidden = [f"masks hidden ({shown('toggle_labels')})"] if canvas.masks.all_hidden else []
    if canvas.other_shown:
        hidden = [f"masks of {canvas.other_shown}"]
    flat = volume.grid.shape[0] == 1
    return (
        _title(session.dataset.title, case.info.title, draft.saved.reader if draft else ""),
        [line for line in (*view, state, *hidden) if line],
        [*_under_pointer(session, canvas, volume, pointer), values, f"zoom {canvas.zoom:.1f}x"],
        _size(volume.grid) if flat else _slice(volume.grid, canvas),
    )


def _unsaved(draft: Draft, case: OpenCase) -> str:
    return "not submitted" if draft.saved.reader in case.kept else "not exported"


def _title(dataset: str, case: str, reader: str) -> list[str]:
    """Dataset, case and reader; the case on a line of its own where one is too short for all."""
    line = " · ".join(filter(None, (dataset, case, reader)))
    if len(line) <= LINE_LENGTH:
        return [line]
    return [" · ".join(filter(None, (dataset, reader))), case]


def _under_pointer(
    session: Session, canvas: Canvas, volume: Volume, voxel: Voxel | None
) -> list[str]:
    """Value, segment and patient position of the voxel under the pointer; blank without one."""
    if voxel is None:
        return ["", ""]
    z, y, x = voxel
    unit = "HU " if volume.modality == "CT" else ""
    value = f"{unit}{volume.voxels[voxel]:.0f} @ {x},{y}"
    segments = [] if session.draft is None else _segments_at(session.draft, canvas, voxel)
    grid = volume.grid
    if not grid.placed:
        return [*segments, value, ""]
    place = grid.position(z, y, x)
    pairs = zip(_DIRECTIONS, place, strict=True)
    where = "  ".join(f"{names[int(mm >= 0)]} {abs(mm):.1f}" for names, mm in pairs)
    return [*segments, value, where]


def _segments_at(draft: Draft, canvas: Canvas, voxel: Voxel) -> list[str]:
    """The segments that are shown at a voxel, on one line."""
    names = []
    for mask in draft.masks():
        value = int(mask.labels[voxel])
        if value and canvas.masks.shown(mask.name) and value not in canvas.masks.hidden(mask.name):
            names += [segment.name for segment in mask.segments if segment.value == value]
    return [", ".join(names)] if names else []


def _slice(grid: Grid, canvas: Canvas) -> list[str]:
    axis = canvas.axes.order[0]
    index = canvas.axes.index(axis)
    return [
        f"{index + 1}/{grid.shape[axis]}",
        _place(grid, axis, index),
        f"{grid.spacing[axis]:.1f} mm thick",
    ]


def _size(grid: Grid) -> list[str]:
    """Size of an image of a single slice and of its pixels."""
    _, height, width = grid.shape
    size = f"{width} x {height} px"
    if grid.calibration == "unknown":
        return [size]
    where = " (at detector)" if grid.calibration == "detector" else ""
    return [size, f"{grid.spacing[2]:.2f} mm a pixel{where}"]


def _place(grid: Grid, axis: int, index: int) -> str:
    """Where a plane lies along the patient's axis that it cuts: ``z -126.0 mm``."""
    cut = int(np.abs(grid.affine[:3, axis]).argmax())
    name = "xyz"[cut]
    if not grid.placed:
        return f"{name} ?"
    voxel = [0.0, 0.0, 0.0]
    voxel[axis] = index
    return f"{name} {grid.position(*voxel)[cut]:.1f} mm"
