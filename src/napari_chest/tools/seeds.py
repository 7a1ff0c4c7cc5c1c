"""Growing segments from seeds: what is drawn competes for what lies around it, along edges of HU.

A voxel goes to whom the cheapest way to it comes from. A step to the next voxel costs as much as
the HU of the two differ, and a little for its length. Ways are found by sweeping over the box along
each axis, there and back, until hardly anything changes. One number holds the cost of a way and, in
its lowest bits, whose it is, so that the smaller of two numbers is the cheaper way with its owner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np

from napari_chest.tools.base import Parameter, Tool, ToolError, segment_box
from napari_chest.tools.regions import chosen, grown, millilitres, painted
from napari_chest.tools.regions import within as voxels_within

if TYPE_CHECKING:
    import numpy.typing as npt

    from napari_chest.edits.steps import Box
    from napari_chest.tools.base import Painted, Scene

ALL = "all segments"
CHOSEN = "the chosen one"
MARGIN = 10.0
"""How far around the seeds is grown, in mm."""

_CLIP = (-1024, 300)
"""The edges of bone and metal, beyond these HU, part no opacities."""
_SQUARE = 3
"""A voxel gets the median of a square of so many voxels a side, against noise."""
_STEPS = 4
"""Costs are told in so many steps to one HU, or one mm."""
_OWNER_BITS = 8
_MOST_OWNERS = (1 << _OWNER_BITS) - 1
_NOBODY = 1 << 31
"""The cost of a place that no way leads to."""
_WALL = 1 << 30
"""The cost of a step into or out of where nothing may grow; two of them lead nowhere."""
_MOST_VOXELS = 32_000_000


class _Seeds(NamedTuple):
    """Who begins where.

    Attributes
    ----------
    box : what is competed for.
    owners : uint8 of the box's shape; 0 for nobody's.
    values : the segment of each owner, 0 for background; its first is nobody's.
    """

    box: Box
    owners: npt.NDArray[np.uint8]
    values: npt.NDArray[Any]


def grow_from_seeds(scene: Scene, who: str = ALL, margin: float = MARGIN) -> Painted:
    """Let segments grow from what they have, against each other and against what is around them.

    What is drawn stays. The sides of the box that is competed for are background and compete too,
    but for those where the volume ends.

    Parameters
    ----------
    scene : the mask, the image, and where segments may grow.
    who : `ALL` segments grow, or only the `CHOSEN` one, against all others.
    margin : how far around the seeds, in mm; at least a voxel.

    Raises
    ------
    ToolError
        where there are no seeds or no rivals, where nothing grows, where the box is too large, or
        where the image has no HU.
    """
    voxels = scene.hounsfield()
    seeds = _seeds(scene, who, margin)
    won = seeds.values[_compete(scene, _smooth(voxels[seeds.box]), seeds)]
    labels = scene.labels[seeds.box].copy()
    free = labels == 0
    if scene.within is not None:
        free &= scene.within[seeds.box]
    np.copyto(labels, won, where=free)
    volume = millilitres(int(np.count_nonzero(won[free])), scene.spacing)
    return painted(
        scene,
        seeds.box,
        labels,
        unchanged="Nothing has grown. Draw larger seeds, or choose a larger margin.",
        note=f"{volume:.3g} ml more",
    )


def _seeds(scene: Scene, who: str, margin: float) -> _Seeds:
    labels = scene.labels
    box = _with_margin(_drawn(labels) if who == ALL else chosen(scene)[0], margin, scene)
    now = labels[box]
    present = np.flatnonzero(np.bincount(now.ravel()))
    present = present[present > 0]
    growing = present if who == ALL else present[present == scene.value]
    if len(growing) >= _MOST_OWNERS:
        raise ToolError(f"More than {_MOST_OWNERS - 1} segments cannot compete. Let one grow.")
    background = len(growing) + 1
    owner_of = np.zeros(int(present[-1]) + 1, np.uint8)
    owner_of[present] = background
    owner_of[growing] = np.arange(1, background)
    owners = owner_of[now]
    _add_background(owners, box, labels.shape, background)
    if np.count_nonzero(np.bincount(owners.ravel())[1:]) < 2:
        raise ToolError("Nothing competes with the segment. Draw a little of another one too.")
    return _Seeds(box, owners, np.array([0, *growing, 0], labels.dtype))


def _drawn(labels: npt.NDArray[Any]) -> Box:
    """The box around all segments."""
    slices = np.flatnonzero([plane.any() for plane in labels])
    if not slices.size:
        raise ToolError("There is nothing to grow from. Draw a little of each segment first.")
    some = slice(int(slices[0]), int(slices[-1]) + 1)
    box = segment_box(labels[some] != 0, value=True)
    assert box is not None
    return some, *box[1:]


def _with_margin(box: Box, margin: float, scene: Scene) -> Box:
    z, y, x = (max(1, voxels) for voxels in voxels_within(margin, scene.spacing))
    box = grown(box, (z, y, x), scene.labels.shape)
    size = int(np.prod([part.stop - part.start for part in box]))
    if size > _MOST_VOXELS:
        raise ToolError(
            f"The seeds and the margin span {size / 1e6:.0f} million voxels, which is too much at "
            "once. Let only the chosen segment grow, or choose a smaller margin."
        )
    return box


def _add_background(
    owners: npt.NDArray[np.uint8], box: Box, shape: tuple[int, ...], background: int
) -> None:
    """Give the sides of the box to the background where the volume goes on beyond them."""
    for axis, (part, length) in enumerate(zip(box, shape, strict=True)):
        along = np.moveaxis(owners, axis, 0)
        sides = [along[0]] * (part.start > 0) + [along[-1]] * (part.stop < length)
        for side in sides:
            side[side == 0] = background


def _smooth(voxels: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    clipped = np.clip(voxels, *_CLIP).astype(np.float32)
    medians = [cv2.medianBlur(plane, _SQUARE) for plane in clipped]
    return np.stack(medians).astype(np.int32)


def _compete(scene: Scene, voxels: npt.NDArray[np.int32], seeds: _Seeds) -> npt.NDArray[np.uint8]:
    """Whose each voxel of the box is in the end."""
    closed = None if scene.within is None else ~scene.within[seeds.box]
    costs = [_costs(voxels, closed, axis, scene.spacing[axis]) for axis in range(3)]
    owners = seeds.owners
    ways = np.where(owners > 0, owners, np.uint32(_NOBODY))
    settled = max(0, ways.size // 100 - 1000)  # so few changes late no longer shift borders
    changed = ways.size
    while changed > settled:
        scene.go_on()
        before = ways.copy()
        for axis in range(3):
            along = np.moveaxis(ways, axis, 0)
            if axis < 2:
                _sweep(along, costs[axis])
            else:  # planes across the last axis are scattered in memory
                turned = np.ascontiguousarray(along)
                _sweep(turned, costs[axis])
                along[...] = turned
        changed = int(np.count_nonzero(ways != before))
    return ways.astype(np.uint8)  # what is cut off is the cost


def _costs(
    voxels: npt.NDArray[np.int32],
    closed: npt.NDArray[np.bool_] | None,
    axis: int,
    step: float,
) -> npt.NDArray[np.uint32]:
    """What the steps along an axis cost, in number format of ways; that axis is the first."""
    costs = np.abs(np.diff(np.moveaxis(voxels, axis, 0), axis=0))
    shifted = np.ascontiguousarray(costs, np.uint32)
    shifted *= _STEPS
    shifted += round(_STEPS * step)
    shifted <<= _OWNER_BITS
    if closed is not None:
        along = np.moveaxis(closed, axis, 0)
        shifted[along[1:] | along[:-1]] = _WALL
    return shifted


def _sweep(ways: npt.NDArray[np.uint32], costs: npt.NDArray[np.uint32]) -> None:
    """Take every way on along the first axis, there and back, as far as it is the cheapest."""
    further = np.empty(ways.shape[1:], np.uint32)
    last = len(ways) - 1
    for i in range(last):
        np.add(ways[i], costs[i], out=further)
        np.minimum(ways[i + 1], further, out=ways[i + 1])
    for i in range(last, 0, -1):
        np.add(ways[i], costs[i - 1], out=further)
        np.minimum(ways[i - 1], further, out=ways[i - 1])


TOOLS = (
    Tool(
        "grow_from_seeds",
        "Grow from seeds",
        "Lets what is drawn of the segments compete for the voxels around it, along edges of HU.",
        "Fill",
        grow_from_seeds,
        (
            Parameter("who", "What grows", "choice", ALL, choices=(ALL, CHOSEN)),
            Parameter("margin", "Margin", "number", MARGIN, 1.0, 50.0, "mm"),
        ),
        needs="nothing",
        preview=True,
    ),
)
