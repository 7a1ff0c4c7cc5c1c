"""The chest on a coarser grid, where shapes are looked for; its body and the air in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor

    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]
    Flags = npt.NDArray[np.bool_]
    Spacing = tuple[float, float, float]

AIR = -400
"""HU below which a voxel is air or aerated lung: midway between lung and soft tissue."""
PURE = -930
"""HU below which a coarse voxel is air and no lung that can breathe."""
_TISSUE = -300
_PADDING = -1100
"""HU below which nothing was reconstructed."""
_STEP = 1.5
_SHELL = 3.0
"""mm up to which half a shell of a table is too thin to be a body."""

_SQUARE = np.ones((3, 3), np.uint8)


@dataclass(frozen=True, eq=False)
class Coarse:
    """A chest in voxels of about 1.5 mm, or of its own where those are larger.

    Attributes
    ----------
    hu : (Z, Y, X) int16, means of blocks.
    factors : size of a block in voxels along (z, y, x).
    spacing : of the coarse voxels along (z, y, x) in mm.
    """

    hu: npt.NDArray[np.int16]
    factors: tuple[int, int, int]
    spacing: Spacing

    @property
    def millilitre(self) -> float:
        """The volume of a voxel."""
        return float(np.prod(self.spacing)) / 1000

    def disc(self, radius: float) -> Bytes:
        """A disc of a radius in mm, as OpenCV's morphology takes it."""
        ry, rx = (max(1, round(radius / step)) for step in self.spacing[1:])
        return as_bytes(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * rx + 1, 2 * ry + 1)))


def coarsen(voxels: npt.NDArray[Any], spacing: Spacing, pool: Executor) -> Coarse:
    """Means of blocks of whole voxels; what is left over at the far edges is dropped."""
    factors = [max(1, round(_STEP / step)) for step in spacing]
    factors = [min(f, n) for f, n in zip(factors, voxels.shape, strict=True)]
    fz, fy, fx = factors
    depth, height, width = (n // f for n, f in zip(voxels.shape, factors, strict=True))
    hu = np.empty((depth, height, width), np.int16)

    def shrink(z: int) -> None:
        planes = voxels[z * fz : (z + 1) * fz, : height * fy, : width * fx]
        small = [_shrunk(plane, (width, height)) for plane in planes]
        hu[z] = small[0] if fz == 1 else np.mean(small, axis=0)

    list(pool.map(shrink, range(depth)))
    dz, dy, dx = (step * f for step, f in zip(spacing, factors, strict=True))
    return Coarse(hu, (fz, fy, fx), (dz, dy, dx))


def body_of(chest: Coarse, pool: Executor) -> Bytes:
    """1 in the body with all its hollows, (Z, Y, X); the table, and air under it, are left out."""
    body = np.zeros(chest.hu.shape, np.uint8)
    inside = _reconstructed(chest.hu)
    disc = chest.disc(_SHELL)

    def fill(z: int) -> None:
        tissue = (chest.hu[z] > _TISSUE).view(np.uint8)
        tissue = as_bytes(cv2.morphologyEx(tissue, cv2.MORPH_OPEN, disc))
        tissue |= _cut_edge(chest.hu[z], inside[z])
        tissue = as_bytes(cv2.morphologyEx(tissue, cv2.MORPH_CLOSE, _SQUARE))
        contours, _ = cv2.findContours(tissue, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        if contours:
            largest = max(contours, key=cv2.contourArea)
            cv2.drawContours(body[z], [largest], -1, 1, cv2.FILLED)
            body[z] &= as_bytes(cv2.erode(inside[z].view(np.uint8), _SQUARE))

    list(pool.map(fill, range(len(body))))
    return body


def per_slice(mask: Bytes, operation: int, disc: Bytes, pool: Executor) -> Bytes:
    """An OpenCV morphology of every slice of a mask (Z, Y, X) of 0 and 1."""
    out = np.empty_like(mask)

    def change(z: int) -> None:
        out[z] = cv2.morphologyEx(mask[z], operation, disc) if mask[z].any() else 0

    list(pool.map(change, range(len(mask))))
    return out


def box_of(mask: npt.NDArray[Any], margin: int = 0) -> tuple[slice, slice, slice]:
    """The smallest box around what is not 0, and a margin within the array."""
    parts = []
    for axes, length in zip(((1, 2), (0, 2), (0, 1)), mask.shape, strict=True):
        found = np.flatnonzero(mask.any(axis=axes))
        parts.append(
            slice(max(0, int(found[0]) - margin), min(length, int(found[-1]) + 1 + margin))
        )
    return parts[0], parts[1], parts[2]


def as_bytes(picture: Any) -> Bytes:  # noqa: ANN401
    """What OpenCV says is some array, as the bytes that went into it."""
    return np.asarray(picture, np.uint8)


def _shrunk(plane: npt.NDArray[Any], size: Sequence[int]) -> npt.NDArray[np.int16]:
    plane = np.ascontiguousarray(plane, np.int16)
    if plane.shape == (size[1], size[0]):
        return plane
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.int16)


def _reconstructed(hu: npt.NDArray[np.int16]) -> Flags:
    """Where there is a picture, (Z, Y, X): padding is very low, or the same on all slices."""
    padding: Flags = hu.min(axis=0) == hu.max(axis=0)
    return (hu >= _PADDING) & ~padding


def _cut_edge(plane: npt.NDArray[np.int16], inside: Flags) -> Bytes:
    """Where the edge of the picture cuts tissue or lung, which then ends there; (Y, X)."""
    framed = np.pad(inside.view(np.uint8), 1)
    edge = framed - as_bytes(cv2.erode(framed, _SQUARE))
    matter = cv2.morphologyEx((inside & (plane > PURE)).view(np.uint8), cv2.MORPH_OPEN, _SQUARE)
    return edge[1:-1, 1:-1] & as_bytes(cv2.dilate(matter, _SQUARE, iterations=3))
