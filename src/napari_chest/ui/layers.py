"""Volumes, masks and slice tables as napari layer data, and back; pure.

A slice table becomes a strip beside the image: a labels array (Z, 1, C) whose cell (z, 0, c) is
``c + 1`` where the table is true. Scaled to the image's height it is a row of bars in the axial
view and a timeline along the body in the coronal one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_chest import findings
from napari_chest.model import Window

if TYPE_CHECKING:
    from collections.abc import Collection

    import numpy.typing as npt

    from napari_chest.model import Grid, Mask, Reading, SliceLabels, Volume

LayerData = tuple[Any, dict[str, Any], str]

LUNG = Window(-600, 1500)
AID_OPACITY = 0.15
"""Of masks that help with the work: what is corrected must stand out against them."""
FILL_OPACITY = 0.4
READER_COLORS = ("#00C0FF", "#FFC018", "#C000FF", "#90FFA8", "#FF0000", "#009048")
"""One per reader, far apart from each other and from the greys, also for colour-blind eyes."""
_UNITS = ("mm", "mm", "mm")
_AXES = ("z", "y", "x")
_GAP = 0.02
_CELL = 0.03
"""Gap between image and strip, and width of a cell, as shares of the image's width."""
_OFF = "#2b2f36"
_ON = ("#c090c0", "#a878b4")  # in turn, so that neighbouring bars stay apart
_ON_ANY = "#9fb3c8"


def image_layer(volume: Volume, name: str, window: Window = LUNG) -> LayerData:
    """The image layer of a volume, at its spacing in mm."""
    kwargs = {
        "name": name,
        "scale": volume.grid.spacing,
        "units": _UNITS,
        "axis_labels": _AXES,
        "contrast_limits": window.limits,
        "colormap": "gray_r" if volume.inverted else "gray",
        "interpolation2d": "linear",
    }
    return volume.voxels, kwargs, "image"


def slider_range(volume: Volume) -> tuple[float, float]:
    """The range of napari's contrast slider; without it, that of the first slice is taken."""
    if volume.modality == "CT":
        return -1350.0, 2000.0
    bits = max(int(volume.voxels.max()).bit_length(), 8)
    return 0.0, float(2**bits - 1)


def mask_layer(mask: Mask, grid: Grid) -> LayerData:
    """The labels layer of a mask, with an array of its own for napari to paint into."""
    named = {segment.value: segment.name for segment in mask.segments}
    kwargs = {
        "name": mask.name,
        "scale": grid.spacing,
        "units": _UNITS,
        "axis_labels": _AXES,
        "opacity": AID_OPACITY if mask.aid else FILL_OPACITY,
        "blending": "translucent_no_depth",
        "features": {"index": [0, *named], "segment": ["", *named.values()]},
    }
    return np.array(mask.labels), kwargs, "labels"


def outline_layer(reading: Reading, grid: Grid) -> LayerData:
    """The labels layer of all masks of a reading: each voxel has the number of the mask on top."""
    found = np.zeros(grid.shape, np.uint8)
    for number, mask in enumerate(reading.masks, 1):
        found[mask.labels != 0] = number
    names = [mask.name for mask in reading.masks]
    kwargs = {
        "name": reading.reader,
        "scale": grid.spacing,
        "units": _UNITS,
        "axis_labels": _AXES,
        "opacity": 1.0,
        "blending": "translucent_no_depth",
        "features": {"index": range(len(names) + 1), "segment": ["", *names]},
    }
    return found, kwargs, "labels"


def mask_colors(mask: Mask, hidden: Collection[int] = ()) -> dict[int | None, str]:
    """Colour of every value of a mask; values that no segment names are shown, too."""
    colors: dict[int | None, str] = {None: findings.OTHER.color, 0: "transparent"}
    for segment in mask.segments:
        colors[segment.value] = "transparent" if segment.value in hidden else segment.color
    return colors


def brush_voxels(size: float, spacing: float) -> int:
    """Size of napari's brush that is nearest to ``size`` mm across, for voxels ``spacing`` mm wide.

    napari's brush of size s is ``2 * (s // 2) + 1`` voxels of the finest painted axis across, and
    round in the layer's world, so that thick slices count as thick.
    """
    return 2 * max(round((size / spacing - 1) / 2), 0) + 1


def brush_size(voxels: int, spacing: float) -> float:
    """Diameter in mm of napari's brush of this size, for voxels ``spacing`` mm wide."""
    return (2 * (voxels // 2) + 1) * spacing


def strip_layer(labels: SliceLabels, grid: Grid, name: str) -> LayerData:
    """The labels layer of a slice table, standing to the right of the image."""
    left, cell = strip_place(grid)
    dz, dy, _ = grid.spacing
    height = grid.shape[1] * dy
    kwargs = {
        "name": name,
        "scale": (dz, height, cell),
        "translate": (0.0, (height - dy) / 2, left + cell / 2),
        "units": _UNITS,
        "axis_labels": _AXES,
        "opacity": 1.0,
        "blending": "translucent_no_depth",
        "features": {"index": range(len(labels.columns) + 1), "label": ["", *labels.columns]},
    }
    return strip_from_values(labels.values), kwargs, "labels"


def strip_place(grid: Grid) -> tuple[float, float]:
    """Left edge of the strip and width of one of its cells, in mm of the layer's world."""
    dx = grid.spacing[2]
    width = grid.shape[2] * dx
    # Voxel centres lie on whole numbers, so the image ends half a voxel after the last one.
    return width - dx / 2 + width * _GAP, width * _CELL


def strip_colors(labels: SliceLabels) -> dict[int | None, str]:
    """Colour of every value of the strip; 0 is shown, so that empty cells can be seen and hit."""
    colors: dict[int | None, str] = {None: _OFF, 0: _OFF}
    for index, column in enumerate(labels.columns):
        tone = _ON[index % len(_ON)]
        colors[index + 1] = _ON_ANY if column == labels.any_column else tone
    return colors


def strip_from_values(values: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """Strip (Z, 1, C) of table values (Z, C)."""
    numbers = np.arange(1, values.shape[1] + 1, dtype=np.uint8)
    return (values * numbers).astype(np.uint8)[:, None, :]


def values_from_strip(strip: npt.NDArray[np.unsignedinteger]) -> npt.NDArray[np.bool_]:
    """Table values (Z, C) of a strip (Z, 1, C); any painted value counts as true."""
    values: npt.NDArray[np.bool_] = strip[:, 0, :] != 0
    return values
