"""The smallest boxes around what masks hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    Box = tuple[slice, slice, slice]


def box_of(labels: npt.NDArray[Any], value: int) -> Box | None:
    """The smallest box around a segment of a mask (Z, Y, X); None where it has no voxels."""
    return _around(labels.shape, (plane == value for plane in labels))


def joint_box(masks: Sequence[npt.NDArray[Any]]) -> Box | None:
    """The smallest box around all that is not 0 in any of these masks (Z, Y, X)."""
    boxes = [box for box in (_around(m.shape, iter(m)) for m in masks) if box is not None]
    if not boxes:
        return None
    z, y, x = (
        slice(min(part.start for part in parts), max(part.stop for part in parts))
        for parts in zip(*boxes, strict=True)
    )
    return z, y, x


def _around(shape: tuple[int, ...], planes: Iterable[npt.NDArray[Any]]) -> Box | None:
    shadow = np.zeros(shape[1:], np.bool_)
    slices = []
    for z, plane in enumerate(planes):
        if plane.any():
            slices.append(z)
            np.logical_or(shadow, plane, out=shadow)
    if not slices:
        return None
    y, x = (np.flatnonzero(shadow.any(axis=axis)) for axis in (1, 0))
    return (
        slice(slices[0], slices[-1] + 1),
        slice(int(y[0]), int(y[-1]) + 1),
        slice(int(x[0]), int(x[-1]) + 1),
    )
