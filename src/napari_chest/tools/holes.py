"""Holes: what a segment encloses, in its slices or on all sides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cc3d
import cv2
import numpy as np

from napari_chest.tools.base import Parameter, Tool
from napari_chest.tools.regions import OTHERS, chosen, on_slice, repainted

if TYPE_CHECKING:
    import numpy.typing as npt

    from napari_chest.tools.base import Painted, Scene

IN_3D, IN_SLICES, IN_SLICE = "in 3-D", "in every slice", "in this slice"
_OUTSIDE = 2
_NONE = {
    IN_3D: "The segment encloses nothing on every side. Try it in every slice.",
    IN_SLICES: "The segment has no hole on any slice.",
    IN_SLICE: "The segment has no hole on this slice.",
}


def fill_holes(scene: Scene, where: str = IN_3D, *, others: bool = False) -> Painted:
    """Fill what the segment encloses and no way leads out of, across faces of voxels.

    Parameters
    ----------
    scene : the mask and the segment.
    where : a choice of the tool's form. What is enclosed within its slice may be open in 3-D.
    others : whether enclosed voxels of other segments are taken too.
    """
    box, inside = on_slice(scene) if where == IN_SLICE else chosen(scene)
    scene.go_on()
    filled = filled_in_3d(inside) if where == IN_3D else filled_in_slices(inside)
    unchanged = _NONE[where]
    if (filled > inside).any():
        unchanged = "Other segments fill the holes. Allow to take their voxels to fill them."
    return repainted(scene, box, filled, unchanged=unchanged, others=others)


def filled_in_slices(inside: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """A region with all that it encloses within each slice.

    Parameters
    ----------
    inside : (Z, Y, X).
    """
    room = np.pad(inside.view(np.uint8), ((0, 0), (1, 1), (1, 1)))
    for plane in room:
        cv2.floodFill(plane, None, (0, 0), _OUTSIDE)
    filled: npt.NDArray[np.bool_] = room[:, 1:-1, 1:-1] != _OUTSIDE
    return filled


def filled_in_3d(inside: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """A region with all that it encloses on every side.

    Parameters
    ----------
    inside : (Z, Y, X).
    """
    room = np.pad(~inside, 1, constant_values=True)
    parts: Any = cc3d.connected_components(room, connectivity=6)
    filled: npt.NDArray[np.bool_] = parts[1:-1, 1:-1, 1:-1] != parts[0, 0, 0]
    return filled


TOOLS = (
    Tool(
        "fill_holes",
        "Fill holes",
        "Fills what the segment encloses on every side, or within its outline on a slice.",
        "Fill",
        fill_holes,
        (
            Parameter("where", "Enclosed", "choice", IN_3D, choices=(IN_3D, IN_SLICES, IN_SLICE)),
            OTHERS,
        ),
        preview=True,
    ),
)
