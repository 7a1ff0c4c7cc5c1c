"""The chosen segment in its box, and what a new shape of it makes of the mask; pure."""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_chest.tools.base import Painted, Parameter, ToolError, segment_box

if TYPE_CHECKING:
    import numpy.typing as npt

    from napari_chest.edits.steps import Box
    from napari_chest.tools.base import Scene

EMPTY = "The chosen segment is empty. Draw something with it, or choose another segment."
TIE = 1e-3
"""By so many mm a distance may be exceeded: rounding must not tell equal ones apart."""
OTHERS = Parameter("others", "Also take voxels of other segments", "yes or no", default=False)


def chosen(
    scene: Scene, margin: tuple[int, int, int] = (0, 0, 0)
) -> tuple[Box, npt.NDArray[np.bool_]]:
    """The box of the chosen segment with a margin in voxels, and where in it the segment is.

    Raises
    ------
    ToolError
        where the segment is empty.
    """
    box = segment_box(scene.labels, scene.value)
    if box is None:
        raise ToolError(EMPTY)
    box = grown(box, margin, scene.labels.shape)
    return box, scene.labels[box] == scene.value


def grown(box: Box, margin: tuple[int, ...], shape: tuple[int, ...]) -> Box:
    """A box with this many voxels more on either side of each axis, as far as the array goes."""
    return tuple(
        slice(max(0, part.start - more), min(length, part.stop + more))
        for part, more, length in zip(box, margin, shape, strict=True)
    )


def within(mm: float, spacing: tuple[float, float, float]) -> tuple[int, int, int]:
    """How many voxels away along (z, y, x) voxel centres lie within a distance in mm."""
    z, y, x = (floor((mm + TIE) / step) for step in spacing)
    return z, y, x


def repainted(
    scene: Scene,
    box: Box,
    inside: npt.NDArray[np.bool_],
    *,
    unchanged: str,
    others: bool = False,
    note: str = "",
) -> Painted:
    """The box with the chosen segment in another shape; what leaves it becomes background.

    Parameters
    ----------
    scene : the mask and the chosen segment.
    box, inside : where the segment is to be within the box.
    unchanged : what to tell where this changes nothing.
    others : whether the segment may take voxels of other segments.
    note : of what is painted.

    Raises
    ------
    ToolError
        where nothing changes.
    """
    now = scene.labels[box]
    mine = now == scene.value
    gone, came = mine > inside, inside > mine
    if not others:
        came &= now == 0
    inner = segment_box(gone | came, value=True)
    if inner is None:
        raise ToolError(unchanged)
    labels = now[inner].copy()
    np.copyto(labels, 0, where=gone[inner])
    np.copyto(labels, scene.value, where=came[inner])
    return Painted(placed(box, inner), labels, note)


def painted(
    scene: Scene, box: Box, labels: npt.NDArray[Any], *, unchanged: str, note: str = ""
) -> Painted:
    """The smallest part of a box that holds all that changes.

    Raises
    ------
    ToolError
        where nothing changes.
    """
    inner = segment_box(scene.labels[box] != labels, value=True)
    if inner is None:
        raise ToolError(unchanged)
    return Painted(placed(box, inner), labels[inner].copy(), note)


def placed(box: Box, inner: Box) -> Box:
    """A box within another one, counted in the whole array."""
    return tuple(
        slice(outer.start + part.start, outer.start + part.stop)
        for outer, part in zip(box, inner, strict=True)
    )


def given(scene: Scene, value: int | None) -> int:
    """A segment that voxels are to be given to, other than the chosen one.

    Raises
    ------
    ToolError
        where there is none, or the mask cannot hold it.
    """
    if value is None or value < 1:
        raise ToolError("Choose the segment that is to get the voxels.")
    if value > np.iinfo(scene.labels.dtype).max:
        raise ToolError(f"This mask has no room for a segment {value}. Choose another segment.")
    return value


def on_slice(scene: Scene) -> tuple[Box, npt.NDArray[np.bool_]]:
    """The box of the chosen segment on the slice that is looked at, and where in it it is.

    Raises
    ------
    ToolError
        where the segment is not on that slice.
    """
    here = slice(scene.slice, scene.slice + 1)
    box = segment_box(scene.labels[here], scene.value)
    if box is None:
        raise ToolError("The chosen segment is not on this slice. Go to a slice that shows it.")
    box = (here, *box[1:])
    return box, scene.labels[box] == scene.value


def millilitres(voxels: int, spacing: tuple[float, float, float]) -> float:
    """The volume of so many voxels in ml."""
    return voxels * spacing[0] * spacing[1] * spacing[2] / 1000
