"""Growing a segment from a click: all that hangs together with it and has about the same HU."""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING, Any

import cc3d
import numpy as np

from napari_chest.tools.base import Parameter, Tool, ToolError
from napari_chest.tools.connected import TooLargeError, connected
from napari_chest.tools.regions import given, millilitres, painted

if TYPE_CHECKING:
    import numpy.typing as npt

    from napari_chest.edits.steps import Box
    from napari_chest.tools.base import Painted, Scene, Voxel
    from napari_chest.tools.connected import Where

TOLERANCE = 150.0
"""In HU; about half of what parts soft tissue from ground glass, or that from aerated lung."""
MOST = 250.0
"""More than this many ml at once is rather a leak than an opacity."""
_AIR = -900.0
"""Up to here, in HU, it is air, or no picture at all."""


def grow(
    scene: Scene,
    at: Voxel,
    tolerance: float = TOLERANCE,
    most: float = MOST,
    one_slice: bool = False,
) -> Painted:
    """Give the segment all that hangs together with a voxel by faces and is as dense.

    Parameters
    ----------
    scene : the mask, the chosen segment, the image, and where it may go.
    at : the voxel.
    tolerance : how far in HU a voxel may be from the median of the 3 x 3 around ``at``.
    most : the largest volume in ml.
    one_slice : whether to keep to the slice of the voxel.

    Raises
    ------
    ToolError
        where it would leak, where nothing is to be grown into, or where the image has no HU.
    """
    voxels, value = scene.hounsfield(), given(scene, scene.value)
    _require_allowed(scene, at)
    median = _median_around(scene, at)
    if median <= _AIR and scene.within is None:
        _require_body(voxels[at[0]], at)
    low, high = median - tolerance, median + tolerance

    def where(box: Box) -> npt.NDArray[np.bool_]:
        inside = between(voxels[box], low, high)
        if scene.within is not None:
            inside &= scene.within[box]
        return inside

    try:
        box, part = connected(
            where,
            _seed(where, at, scene),
            _bounds(scene, at, one_slice=one_slice),
            most=most / millilitres(1, scene.spacing),
            go_on=scene.go_on,
        )
    except TooLargeError:
        raise ToolError(
            f"From {low:.0f} to {high:.0f} HU this spreads over more than {most:g} ml. Choose a "
            "smaller tolerance, keep to the inside of the lungs, or allow a larger volume."
        ) from None
    labels = scene.labels[box].copy()
    np.copyto(labels, value, where=part)
    volume = millilitres(int(np.count_nonzero(part)), scene.spacing)
    return painted(
        scene,
        box,
        labels,
        unchanged="All that is as dense here is in the segment already. Click elsewhere, or "
        "choose a larger tolerance.",
        note=f"{volume:.3g} ml from {low:.0f} to {high:.0f} HU",
    )


def between(voxels: npt.NDArray[Any], low: float, high: float) -> npt.NDArray[np.bool_]:
    """Where the voxels (Z, Y, X) lie in a range, both ends included."""
    if np.issubdtype(voxels.dtype, np.integer):
        low, high = ceil(low), floor(high)  # compared with a float, integers would be converted
    inside = np.empty(voxels.shape, np.bool_)
    not_above = np.empty(voxels.shape[1:], np.bool_)
    for plane, out in zip(voxels, inside, strict=True):  # slice by slice, to stay in the cache
        np.greater_equal(plane, low, out=out)
        np.less_equal(plane, high, out=not_above)
        out &= not_above
    return inside


def _require_allowed(scene: Scene, at: Voxel) -> None:
    shape = scene.labels.shape
    if not all(0 <= place < length for place, length in zip(at, shape, strict=True)):
        raise ToolError("This is outside the volume. Click on what is to be filled.")
    if scene.within is not None and not scene.within[at]:
        raise ToolError("Edits are kept inside of something, and this is outside. Click inside.")


def _require_body(plane: npt.NDArray[Any], at: Voxel) -> None:
    """Raise where a voxel of air hangs together with a side of its slice (Y, X)."""
    parts: Any = cc3d.connected_components(plane <= _AIR, connectivity=4)
    here = parts[at[1:]]
    sides = (parts[0], parts[-1], parts[:, 0], parts[:, -1])
    if here and any((side == here).any() for side in sides):
        raise ToolError("This is the air around the patient. Click inside the body.")


def _median_around(scene: Scene, at: Voxel) -> float:
    box = _around(at, scene.labels.shape)
    values = scene.hounsfield()[box]
    if scene.within is not None:
        values = values[scene.within[box]]
    # A value that one of the voxels has, never one between two, so that one can be begun from.
    values = np.sort(values, axis=None)
    return float(values[values.size // 2])


def _seed(where: Where, at: Voxel, scene: Scene) -> Voxel:
    """The voxel itself or, where it is noise, the nearest of the 3 x 3 that takes part."""
    box = _around(at, scene.labels.shape)
    places = np.argwhere(where(box)) + [part.start for part in box]
    away = ((places - at) ** 2).sum(axis=1)
    z, y, x = places[away.argmin()].tolist()
    return z, y, x


def _around(at: Voxel, shape: tuple[int, ...]) -> Box:
    """The 3 x 3 voxels around one on its slice, as far as the slice goes."""
    rows, columns = (
        slice(max(0, place - 1), min(length, place + 2))
        for place, length in zip(at[1:], shape[1:], strict=True)
    )
    return slice(at[0], at[0] + 1), rows, columns


def _bounds(scene: Scene, at: Voxel, *, one_slice: bool) -> Box:
    depth, height, width = scene.labels.shape
    slices = slice(at[0], at[0] + 1) if one_slice else slice(0, depth)
    return slices, slice(0, height), slice(0, width)


TOOLS = (
    Tool(
        "grow",
        "Grow from a click",
        "Gives the segment all that hangs together with the voxel clicked and is about as dense.",
        "Fill",
        grow,
        (
            Parameter("tolerance", "Tolerance", "number", TOLERANCE, 5.0, 1000.0, "HU"),
            Parameter("most", "At most", "number", MOST, 0.1, 10_000.0, "ml"),
            Parameter("one_slice", "On this slice only", "yes or no", default=False),
        ),
        needs="voxel",
        preview=True,
    ),
)
