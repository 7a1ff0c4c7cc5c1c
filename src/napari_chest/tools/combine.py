"""A segment and other regions, its copies on other slices and on the other side; clearing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from napari_chest.tools.base import Painted, Parameter, Tool, ToolError, segment_box
from napari_chest.tools.regions import OTHERS, chosen, given, on_slice, painted, repainted

if TYPE_CHECKING:
    import numpy.typing as npt

    from napari_chest.tools.base import Scene

    Region = npt.NDArray[np.bool_]

NEXT, PREVIOUS = "next slice", "previous slice"
BODY, IMAGE = "body", "image"
_BODY = -300.0
"""HU above which a voxel is body, or the table under it, and not air or lung."""
_SLICES = 16
"""So many slices are enough to find the middle of the body."""


def unite(scene: Scene, other: Region, *, others: bool = False) -> Painted:
    """Add a region, such as a segment of another mask or reader, to the segment.

    Parameters
    ----------
    scene : the mask and the segment, which may be empty.
    other : (Z, Y, X), the region.
    others : whether voxels of other segments are taken.
    """
    box = segment_box(other, value=True)
    if box is None:
        raise ToolError("There is nothing to add. Choose a segment that is not empty.")
    inside = other[box] | (scene.labels[box] == scene.value)
    unchanged = "The segment has all of it already, or other segments have the rest."
    return repainted(scene, box, inside, unchanged=unchanged, others=others)


def subtract(scene: Scene, other: Region) -> Painted:
    """Clear the segment inside a region (Z, Y, X), such as a segment of another mask or reader."""
    box, inside = chosen(scene)
    unchanged = "The two do not overlap; there is nothing to clear."
    return repainted(scene, box, inside & ~other[box], unchanged=unchanged)


def intersect(scene: Scene, other: Region) -> Painted:
    """Clear the segment outside a region (Z, Y, X), such as a segment of another mask or reader."""
    box, inside = chosen(scene)
    common = inside & other[box]
    if not common.any():
        raise ToolError("The two do not overlap; nothing would be left. Clear the segment instead.")
    unchanged = "The whole segment lies inside; there is nothing to clear."
    return repainted(scene, box, common, unchanged=unchanged)


def merge(scene: Scene, segment: int | None = None) -> Painted:
    """Give all voxels of another segment of the mask to the chosen one."""
    taken = given(scene, segment)
    box = segment_box(scene.labels, taken)
    if box is None or taken == scene.value:
        raise ToolError("That segment has no voxels to take. Choose another one.")
    labels = scene.labels[box].copy()
    np.copyto(labels, scene.value, where=labels == taken)
    return painted(scene, box, labels, unchanged="")


def copy_slice(
    scene: Scene, to: str = NEXT, *, replace: bool = False, others: bool = False
) -> Painted:
    """Copy the segment of the slice that is looked at to the next or the previous one.

    Parameters
    ----------
    scene : the mask, the segment and the slice.
    to : a choice of the tool's form.
    replace : whether the segment of that slice goes; otherwise the copy is added to it.
    others : whether voxels of other segments are taken.
    """
    (here, *window), inside = on_slice(scene)
    step = 1 if to == NEXT else -1
    if not 0 <= here.start + step < len(scene.labels):
        raise ToolError(f"There is no {to}. This is the {'last' if step > 0 else 'first'} one.")
    there = slice(here.start + step, here.stop + step)
    wanted = scene.labels[there] == scene.value
    if replace:
        wanted[:] = False
    wanted[:, *window] |= inside
    whole = tuple(slice(0, length) for length in wanted.shape[1:])
    unchanged = f"The {to} shows the segment like this already, or has other segments there."
    return repainted(scene, (there, *whole), wanted, unchanged=unchanged, others=others)


def mirror(scene: Scene, across: str = BODY, *, keep: bool = True, others: bool = False) -> Painted:
    """Mirror the segment from left to right, along display axis x.

    The middle of the body is found by its HU around the segment, because patients lie off the
    middle of the image by centimetres; an image without HU has only its own middle.

    Parameters
    ----------
    scene : the mask, the segment and the image.
    across : a choice of the tool's form: the middle of what.
    keep : whether the segment stays where it is, too.
    others : whether voxels of other segments are taken.
    """
    box, inside = chosen(scene)
    width = scene.labels.shape[2]
    middle = None
    if across == BODY and scene.voxels is not None:
        middle = body_middle(scene.voxels[box[0]])
    turn = width - 1 if middle is None else round(2 * middle)
    columns = np.arange(box[2].start, box[2].stop)
    there = turn - columns
    seen = (there >= 0) & (there < width)
    if not seen.any():
        raise ToolError("The mirrored segment lies beyond the image's edge.")
    wanted = np.zeros((*inside.shape[:2], width), dtype=np.bool_)
    wanted[..., there[seen]] = inside[..., seen]
    if keep:
        wanted[..., box[2]] |= inside
    note = f"across the middle of the {IMAGE if middle is None else BODY}, column {turn / 2 + 1:g}"
    return repainted(
        scene,
        (*box[:2], slice(0, width)),
        wanted,
        unchanged="Mirrored, the segment is what it is, or other segments are in its place.",
        others=others,
        note=note if seen.all() else f"{note}; what lies beyond the image's edge is left out",
    )


def body_middle(voxels: npt.NDArray[Any]) -> float | None:
    """The column (from 0, to half a voxel) in the middle of the body; None where there is no body.

    It is the median over all rows of the largest part on each slice that is not air.

    Parameters
    ----------
    voxels : (Z, Y, X), HU.
    """
    sums: list[npt.NDArray[np.int64]] = []
    for plane in voxels[:: -(-len(voxels) // _SLICES)]:
        _, parts, stats, _ = cv2.connectedComponentsWithStats((plane > _BODY).view(np.uint8))
        if len(stats) == 1:
            continue
        body = parts == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
        rows = body[body.any(axis=1)]
        sums.append(rows.argmax(axis=1) + rows.shape[1] - 1 - rows[:, ::-1].argmax(axis=1))
    return float(round(np.median(np.concatenate(sums)))) / 2 if sums else None


def clear_slice(scene: Scene, *, everything: bool = False) -> Painted:
    """Clear the segment, or all segments, on the slice that is looked at."""
    here = slice(scene.slice, scene.slice + 1)
    if everything:
        whole = tuple(slice(0, length) for length in scene.labels.shape[1:])
        blank = np.zeros_like(scene.labels[here])
        unchanged = "This slice shows no segment; there is nothing to clear."
        return painted(scene, (here, *whole), blank, unchanged=unchanged)
    box, inside = on_slice(scene)
    return repainted(scene, box, np.zeros_like(inside), unchanged="")


def clear_segment(scene: Scene) -> Painted:
    """Clear the segment on all slices."""
    box, inside = chosen(scene)
    return repainted(scene, box, np.zeros_like(inside), unchanged="")


TOOLS = (
    Tool(
        "merge",
        "Take over a segment",
        "Makes all voxels of another segment voxels of this one.",
        "Combine",
        merge,
        (Parameter("segment", "Segment to take over", "segment"),),
        needs="nothing",
        preview=True,
    ),
    Tool(
        "copy_slice",
        "Copy to a slice beside",
        "Copies the segment of this slice to the next or the previous slice.",
        "Combine",
        copy_slice,
        (
            Parameter("to", "To the", "choice", NEXT, choices=(NEXT, PREVIOUS)),
            Parameter("replace", "In place of what is there", "yes or no", default=False),
            OTHERS,
        ),
    ),
    Tool(
        "mirror",
        "Mirror left and right",
        "Mirrors the segment to the other side of the body, or of the image where that is unknown.",
        "Combine",
        mirror,
        (
            Parameter("across", "Across the middle of the", "choice", BODY, choices=(BODY, IMAGE)),
            Parameter("keep", "Keep this side too", "yes or no", default=True),
            OTHERS,
        ),
        preview=True,
    ),
    Tool(
        "clear_slice",
        "Clear this slice",
        "Clears the segment on this slice.",
        "Clear",
        clear_slice,
        (Parameter("everything", "All segments", "yes or no", default=False),),
        needs="nothing",
    ),
    Tool(
        "clear_segment",
        "Clear the segment",
        "Clears the segment on all slices.",
        "Clear",
        clear_segment,
    ),
)
