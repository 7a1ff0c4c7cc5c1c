"""Fill between outlined slices: the depth of each pixel in its outline goes over into the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_chest.tools.base import Parameter, Tool, ToolError
from napari_chest.tools.outlines import shapes_between
from napari_chest.tools.regions import OTHERS, chosen, placed, repainted

if TYPE_CHECKING:
    import numpy.typing as npt

    from napari_chest.tools.base import Painted, Scene

BY_ITSELF = "where gaps are"
PLANES = ("axial", "coronal", "sagittal")
"""By the display axis that is gone through."""


class Gap(NamedTuple):
    """Slices without a voxel of a segment, and the two with some that they lie between."""

    low: int
    high: int


def interpolate(
    scene: Scene, plane: str = BY_ITSELF, longest: float = 100.0, *, others: bool = False
) -> Painted:
    """Fill the slices between outlined ones; slices that show the segment stay as they are.

    Parameters
    ----------
    scene : the mask and the segment.
    plane : a choice of the tool's form: the plane that was outlined in.
    longest : from outline to outline in mm; longer gaps stay open.
    others : whether voxels of other segments are taken.
    """
    box, inside = chosen(scene)
    axis = thinnest_axis(inside) if plane == BY_ITSELF else PLANES.index(plane)
    gaps = gaps_along(inside, axis)
    if not gaps:
        raise ToolError("There is no gap. Outline the segment on a slice further away first.")
    step = scene.spacing[axis]
    short = [gap for gap in gaps if (gap.high - gap.low) * step <= longest]
    if not short:
        shortest = min(gap.high - gap.low for gap in gaps) * step
        raise ToolError(
            f"It is {shortest:g} mm to the next outline, more than {longest:g} mm. "
            "Allow longer gaps, or outline a slice in between."
        )
    down, across = (step for other, step in enumerate(scene.spacing) if other != axis)
    planes = np.moveaxis(inside, axis, 0)
    for gap in short:
        scene.go_on()
        low, high = (np.ascontiguousarray(planes[index]) for index in gap)
        planes[gap.low + 1 : gap.high] = shapes_between(
            low, high, gap.high - gap.low - 1, (down, across)
        )
    inner = [slice(0, length) for length in inside.shape]
    inner[axis] = slice(short[0].low + 1, short[-1].high)
    return repainted(
        scene,
        placed(box, tuple(inner)),
        inside[tuple(inner)],
        unchanged="The outlines on either side of the gap lie too far apart to belong together, "
        "or other segments are in between. Outline a slice in between.",
        others=others,
        note=_note(planes, short, len(gaps) - len(short)),
    )


def gaps_along(inside: npt.NDArray[np.bool_], axis: int) -> list[Gap]:
    """The gaps of a region along an axis, in order.

    Parameters
    ----------
    inside : (Z, Y, X), within its box.
    axis : the one that is gone through.
    """
    others = tuple(other for other in range(inside.ndim) if other != axis)
    return _gaps(np.any(inside, axis=others))


def thinnest_axis(inside: npt.NDArray[np.bool_]) -> int:
    """The axis with gaps along which a region is thinnest between them, else the first axis.

    Outlines are one slice thick; lesions that lie apart leave gaps too, but are thicker.
    """
    shadow = np.any(inside, axis=0)
    shown = (np.any(inside, axis=(1, 2)), np.any(shadow, axis=1), np.any(shadow, axis=0))
    thickness = [
        np.count_nonzero(slices) / (len(gaps) + 1) if (gaps := _gaps(slices)) else np.inf
        for slices in shown
    ]
    return int(np.argmin(thickness))


def _gaps(shown: npt.NDArray[np.bool_]) -> list[Gap]:
    slices = np.flatnonzero(shown)
    before = np.flatnonzero(np.diff(slices) > 1)
    return [Gap(int(slices[i]), int(slices[i + 1])) for i in before]


def _note(planes: npt.NDArray[np.bool_], gaps: list[Gap], too_long: int) -> str:
    open_gaps = [gap for gap in gaps if not planes[gap.low + 1 : gap.high].any()]
    slices = sum(gap.high - gap.low - 1 for gap in gaps if gap not in open_gaps)
    note = f"{slices} {'slice' if slices == 1 else 'slices'} filled"
    if too_long:
        note += f", {too_long} longer {'gap' if too_long == 1 else 'gaps'} left open"
    if open_gaps:
        note += f", {len(open_gaps)} left open where the outlines lie too far apart"
    return note


TOOLS = (
    Tool(
        "interpolate",
        "Fill between slices",
        "Fills the slices between those where the segment was outlined.",
        "Fill",
        interpolate,
        (
            Parameter("plane", "Plane", "choice", BY_ITSELF, choices=(BY_ITSELF, *PLANES)),
            Parameter("longest", "From outline to outline at most", "number", 100.0, 1, 500, "mm"),
            OTHERS,
        ),
        preview=True,
    ),
)
