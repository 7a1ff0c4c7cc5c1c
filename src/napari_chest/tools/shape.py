"""Other shapes of a segment: smooth, larger, smaller, without thin bridges and narrow gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from napari_chest.tools.base import Parameter, Tool, ToolError
from napari_chest.tools.distance import near
from napari_chest.tools.regions import OTHERS, chosen, repainted, within

if TYPE_CHECKING:
    import numpy.typing as npt

    from napari_chest.tools.base import Painted, Scene

MEDIAN, GAUSSIAN = "median", "Gaussian"
GROW, SHRINK = "grow", "shrink"
_REACH = 4
"""So many standard deviations a Gaussian reaches."""
_NEXT = (1, 1, 1)
"""Margin in voxels that shows where the segment ends, which is all that shrinking needs."""


def smooth(scene: Scene, method: str = MEDIAN, mm: float = 3.0, *, others: bool = False) -> Painted:
    """Even out the border of the segment.

    Parameters
    ----------
    scene : the mask and the segment.
    method : a choice of the tool's form: the median of a box, or a Gaussian cut at one half.
    mm : edge of the median's box; twice the Gaussian's standard deviation.
    others : whether the segment may take voxels of other segments.
    """
    reach = within(mm / 2 if method == MEDIAN else _REACH * mm / 2, scene.spacing)
    if not any(reach):
        raise ToolError(f"{mm:g} mm is less than the distance of two voxels. Choose more.")
    box, inside = chosen(scene, reach)
    scene.go_on()
    if method == MEDIAN:
        smoothed = median(inside, reach)
    else:
        smoothed = gaussian(inside, scene.spacing, mm / 2)
    _refuse_nothing(smoothed, f"Smoothing over {mm:g} mm")
    unchanged = f"Smoothing over {mm:g} mm changes nothing. Choose more."
    return repainted(scene, box, smoothed, unchanged=unchanged, others=others)


def median(inside: npt.NDArray[np.bool_], reach: tuple[int, int, int]) -> npt.NDArray[np.bool_]:
    """Where most of a box of voxels is inside; beyond its border a region goes on as it ends.

    Parameters
    ----------
    inside : (Z, Y, X).
    reach : voxels from the middle of the box to its faces.
    """
    kz, ky, kx = (2 * r + 1 for r in reach)
    sums = np.empty(inside.shape, dtype=np.float32)
    for plane, out in zip(inside.view(np.uint8), sums, strict=True):
        cv2.boxFilter(
            plane, cv2.CV_32F, (kx, ky), out, normalize=False, borderType=cv2.BORDER_REPLICATE
        )
    if kz > 1:
        columns = sums.reshape(len(sums), -1)
        cv2.boxFilter(
            columns, -1, (1, kz), columns, normalize=False, borderType=cv2.BORDER_REPLICATE
        )
    most: npt.NDArray[np.bool_] = sums > kz * ky * kx / 2
    return most


def gaussian(
    inside: npt.NDArray[np.bool_], spacing: tuple[float, float, float], sigma: float
) -> npt.NDArray[np.bool_]:
    """Where a blurred region has at least one half; beyond its border it goes on as it ends.

    Parameters
    ----------
    inside : (Z, Y, X).
    spacing : distances between voxel centres along (z, y, x) in mm.
    sigma : standard deviation in mm.
    """
    sz, sy, sx = (sigma / step for step in spacing)
    kz, ky, kx = (2 * reach + 1 for reach in within(_REACH * sigma, spacing))
    blurred = inside.astype(np.float32)
    for plane in blurred:
        cv2.GaussianBlur(plane, (kx, ky), sx, plane, sy, cv2.BORDER_REPLICATE)
    columns = blurred.reshape(len(blurred), -1)
    cv2.GaussianBlur(columns, (1, kz), sz, columns, sz, cv2.BORDER_REPLICATE)
    at_least_half: npt.NDArray[np.bool_] = blurred >= 0.5
    return at_least_half


def margin(scene: Scene, way: str = GROW, mm: float = 2.0, *, others: bool = False) -> Painted:
    """Grow or shrink the segment by a distance that is the same in all directions.

    A voxel joins when its centre is no further than that from the centre of one of the segment,
    and leaves when it is no further from one outside; beyond the volume's edge nothing is outside.

    Parameters
    ----------
    scene : the mask and the segment.
    way : a choice of the tool's form.
    mm : the distance.
    others : whether the segment may take voxels of other segments.
    """
    reach = _reach(scene, mm)
    box, inside = chosen(scene, reach if way == GROW else _NEXT)
    scene.go_on()
    if way == GROW:
        shape = near(inside, scene.spacing, mm)
        unchanged = "There is no room to grow: other segments or the edge are all around."
    else:
        shape = ~near(~inside, scene.spacing, mm)
        unchanged = "The segment fills the volume, so it cannot shrink."
    _refuse_nothing(shape, f"Shrinking by {mm:g} mm")
    note = _flat(scene, reach)
    return repainted(scene, box, shape, unchanged=unchanged, others=others, note=note)


def cut_bridges(scene: Scene, mm: float = 1.5) -> Painted:
    """Clear what a ball of this radius cannot enter: spikes, and thin bridges between parts."""
    reach = _reach(scene, mm)
    box, inside = chosen(scene, _NEXT)
    scene.go_on()
    core = ~near(~inside, scene.spacing, mm)
    _refuse_nothing(core, f"Cutting what is within {mm:g} mm of both its sides")
    scene.go_on()
    opened = near(core, scene.spacing, mm)
    unchanged = f"A ball of {mm:g} mm radius gets everywhere in the segment; nothing is thinner."
    return repainted(scene, box, opened, unchanged=unchanged, note=_flat(scene, reach))


def fill_gaps(scene: Scene, mm: float = 1.5, *, others: bool = False) -> Painted:
    """Fill what a ball of this radius cannot enter from outside: cracks, notches, small holes."""
    reach = _reach(scene, mm)
    box, inside = chosen(scene)
    scene.go_on()
    # Beyond the volume's edge there is room too: a gap between segment and edge is none. What is
    # filled lies within the segment's box, because a ball can stand on each of its faces.
    outside = ~near(np.pad(inside, [(r, r) for r in reach]), scene.spacing, mm)
    scene.go_on()
    middle = tuple(slice(r, r + length) for r, length in zip(reach, inside.shape, strict=True))
    closed = ~near(outside, scene.spacing, mm)[middle]
    unchanged = (
        f"A ball of {mm:g} mm radius gets everywhere around the segment; no gap is narrower."
    )
    note = _flat(scene, reach)
    return repainted(scene, box, closed, unchanged=unchanged, others=others, note=note)


def _reach(scene: Scene, mm: float) -> tuple[int, int, int]:
    reach = within(mm, scene.spacing)
    if not any(reach):
        nearest = min(scene.spacing)
        raise ToolError(f"Voxels are {nearest:.3g} mm apart, {mm:g} mm is less. Choose more.")
    return reach


def _flat(scene: Scene, reach: tuple[int, int, int]) -> str:
    if reach[0] or scene.labels.shape[0] == 1:
        return ""
    return f"within slices only, which are {scene.spacing[0]:.3g} mm apart"


def _refuse_nothing(inside: npt.NDArray[np.bool_], doing: str) -> None:
    if not inside.any():
        raise ToolError(f"{doing} would leave nothing of the segment. Choose less.")


_MM = Parameter("mm", "By", "number", 2.0, 0.1, 50.0, "mm")
_RADIUS = Parameter("mm", "Radius of the ball", "number", 1.5, 0.1, 20.0, "mm")

TOOLS = (
    Tool(
        "smooth",
        "Smooth",
        "Evens out the border of the segment; details smaller than the distance go.",
        "Shape",
        smooth,
        (
            Parameter("method", "How", "choice", MEDIAN, choices=(MEDIAN, GAUSSIAN)),
            Parameter("mm", "Over", "number", 3.0, 0.5, 30.0, "mm"),
            OTHERS,
        ),
        preview=True,
    ),
    Tool(
        "margin",
        "Grow or shrink",
        "Moves the border of the segment by a distance, the same in all directions.",
        "Shape",
        margin,
        (Parameter("way", "Which way", "choice", GROW, choices=(GROW, SHRINK)), _MM, OTHERS),
        preview=True,
    ),
    Tool(
        "cut_bridges",
        "Cut thin bridges",
        "Clears spikes of the segment, and bridges between its parts, that a ball cannot enter.",
        "Shape",
        cut_bridges,
        (_RADIUS,),
        preview=True,
    ),
    Tool(
        "fill_gaps",
        "Fill narrow gaps",
        "Fills cracks, notches and small holes of the segment that a ball cannot enter.",
        "Shape",
        fill_gaps,
        (_RADIUS, OTHERS),
        preview=True,
    ),
)
