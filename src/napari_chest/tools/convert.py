"""Giving voxels of one segment to another one, such as ground glass that is consolidated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_chest.tools.base import Painted, Parameter, Tool, ToolError
from napari_chest.tools.connected import connected
from napari_chest.tools.ranges import DENSE
from napari_chest.tools.regions import chosen, given, millilitres, painted

if TYPE_CHECKING:
    import numpy.typing as npt

    from napari_chest.edits.steps import Box
    from napari_chest.tools.base import Scene, Voxel

DENSER = "at or above"
LESS_DENSE = "below"


def convert_part(scene: Scene, at: Voxel, to: int | None = None) -> Painted:
    """Give the part of the chosen segment at a voxel to another segment.

    Parameters
    ----------
    scene : the mask and the chosen segment.
    at : a voxel of the part, which is all that touches it by face, edge or corner.
    to : the other segment.

    Raises
    ------
    ToolError
        where the voxel is not of the chosen segment, or no other segment is chosen.
    """
    other = _other(scene, to)
    shape = scene.labels.shape
    outside = not all(0 <= place < length for place, length in zip(at, shape, strict=True))
    if outside or scene.labels[at] != scene.value:
        raise ToolError("The chosen segment is not here. Click on a part of it.")

    def where(box: Box) -> npt.NDArray[np.bool_]:
        here: npt.NDArray[np.bool_] = scene.labels[box] == scene.value
        return here

    bounds = tuple(slice(0, length) for length in shape)
    box, part = connected(where, at, bounds, connectivity=26, go_on=scene.go_on)
    return _converted(scene, box, part, other)


def convert_by_density(
    scene: Scene, to: int | None = None, which: str = DENSER, threshold: float = DENSE
) -> Painted:
    """Give those voxels of the chosen segment to another one that are denser, or less dense.

    Parameters
    ----------
    scene : the mask, the chosen segment and the image.
    to : the other segment.
    which : `DENSER` or `LESS_DENSE`.
    threshold : in HU; voxels of exactly this value are denser.

    Raises
    ------
    ToolError
        where there are no such voxels, no other segment is chosen, or the image has no HU.
    """
    other = _other(scene, to)
    voxels = scene.hounsfield()
    box, part = chosen(scene)
    scene.go_on()
    dense = voxels[box] >= threshold
    part &= dense if which == DENSER else ~dense
    if not part.any():
        raise ToolError(
            f"The chosen segment has no voxel {which} {threshold:g} HU. Choose another threshold."
        )
    return _converted(scene, box, part, other)


def _other(scene: Scene, to: int | None) -> int:
    other = given(scene, to)
    if other == scene.value:
        raise ToolError("The voxels are of this segment already. Choose another one for them.")
    return other


def _converted(scene: Scene, box: Box, part: npt.NDArray[np.bool_], to: int) -> Painted:
    labels = scene.labels[box].copy()
    np.copyto(labels, to, where=part)
    volume = millilitres(int(np.count_nonzero(part)), scene.spacing)
    return painted(scene, box, labels, unchanged="", note=f"{volume:.3g} ml converted")


_TO = Parameter("to", "To", "segment")

TOOLS = (
    Tool(
        "convert_part",
        "Convert a part",
        "Gives the part of the segment that is clicked, on all slices, to another segment.",
        "Convert",
        convert_part,
        (_TO,),
        needs="voxel",
    ),
    Tool(
        "convert_by_density",
        "Convert by density",
        "Gives the denser or the less dense voxels of the segment to another segment.",
        "Convert",
        convert_by_density,
        (
            _TO,
            Parameter("which", "Voxels", "choice", DENSER, choices=(DENSER, LESS_DENSE)),
            Parameter("threshold", "Threshold", "number", DENSE, -1024.0, 3071.0, "HU"),
        ),
        preview=True,
    ),
)
