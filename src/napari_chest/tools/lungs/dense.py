"""Vessels and dense disease, filled back into lungs that were found by their air."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from napari_chest.tools.lungs.cage import BONE
from napari_chest.tools.lungs.coarse import as_bytes

if TYPE_CHECKING:
    from concurrent.futures import Executor

    import numpy.typing as npt

    from napari_chest.tools.lungs.coarse import Bytes, Coarse

    Point = npt.NDArray[np.float64]

_CLOSE = 9.0
"""Radius in mm of the disc that closes notches, such as vessels at the hilum."""
_HOLE = 400.0
"""Area in mm² below which a hole is vessel or lesion; a larger one may be the diaphragm's dome."""
_DEEP = 3.0
"""Depth in mm from which a hollow is more than the lung's own shape."""
_FACING = 0.55
"""Cosine of the angle up to which a hollow's mouth faces away from the middle of the chest."""
_WALL = 0.12
"""Share of bone or of fat in a hollow from which it is part of the chest wall."""
_FAT = (-160, -40)

_THIN = 3.0
"""mm between slices up to which disease is seen on more than two."""


def fill(chest: Coarse, lung: Bytes, tubes: Bytes, center: Point, pool: Executor) -> Bytes:
    """A lung (Z, Y, X) with its vessels, and with what disease has filled.

    Parameters
    ----------
    lung : 1 where it is aerated, or known to be dense.
    tubes : 1 in trachea and main bronchi, which stay out unless lung lies all around them.
    center : (y, x) between both lungs, in voxels.
    """
    out = np.zeros_like(lung)
    disc = chest.disc(_CLOSE)
    most = _HOLE / (chest.spacing[1] * chest.spacing[2])

    def fill_slice(z: int) -> None:
        box = _box_of(lung[z], disc.shape[0])
        if box is None:
            return
        hu = chest.hu[z][box]
        corner = np.array([box[1].start, box[0].start])
        plane = _with_hollows(lung[z][box], hu, center[::-1] - corner, chest.spacing)
        plane = as_bytes(cv2.morphologyEx(plane, cv2.MORPH_CLOSE, disc))
        plane[(hu >= BONE) | (tubes[z][box] > 0)] = 0
        out[z][box] = _without_holes(np.bitwise_or(plane, lung[z][box]), most)

    list(pool.map(fill_slice, range(len(lung))))
    return np.bitwise_or(_steady(out), lung) if chest.spacing[0] < _THIN else out


def _steady(filled: Bytes) -> Bytes:
    """What is filled on three slices in a row: single slices are hollows between ribs."""
    ends = np.pad(filled, ((1, 1), (0, 0), (0, 0)), mode="edge")
    least = np.minimum.reduce([ends[:-2], ends[1:-1], ends[2:]])
    ends = np.pad(least, ((1, 1), (0, 0), (0, 0)), mode="edge")
    steady: Bytes = np.maximum.reduce([ends[:-2], ends[1:-1], ends[2:]])
    return steady


def _box_of(plane: Bytes, margin: int) -> tuple[slice, slice] | None:
    """The box of what is not 0 in a plane, with a margin."""
    x, y, width, height = cv2.boundingRect(plane)
    if not width:
        return None
    return (
        slice(max(0, y - margin), y + height + margin),
        slice(max(0, x - margin), x + width + margin),
    )


def _with_hollows(
    plane: Bytes, hu: npt.NDArray[np.int16], center: Point, spacing: tuple[float, float, float]
) -> Bytes:
    """The plane with its hollows on the side of the ribs, where a healthy lung has none."""
    step = np.array([spacing[2], spacing[1]])
    full = plane.copy()
    contours, _ = cv2.findContours(plane, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    for contour in contours:
        points = contour[:, 0]
        for first, last, _, depth in _defects(contour):
            a, b = points[first], points[last]
            deep = depth / 256 * step.min() > _DEEP
            if not deep or not _faces_ribs(
                a * step, b * step, center * step, points.mean(0) * step
            ):
                continue
            ring = points[first : last + 1]
            if first > last:
                ring = np.concatenate([points[first:], points[: last + 1]])
            hollow = np.zeros_like(plane)
            cv2.fillPoly(hollow, [ring], 1)
            if not _is_wall(hu[(hollow > 0) & (plane == 0)]):
                full |= hollow
    return full


def _defects(contour: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    """The hollows of a contour, (N, 4): first and last point, the deepest, its depth times 256."""
    if len(contour) < 8:
        return np.zeros((0, 4), np.int32)
    hull = np.sort(cv2.convexHull(contour, returnPoints=False), axis=0)[::-1]
    defects: Any = cv2.convexityDefects(contour, hull.astype(np.int32))
    if defects is None:  # the contour is convex
        return np.zeros((0, 4), np.int32)
    return np.asarray(defects, np.int32).reshape(-1, 4)


def _faces_ribs(a: Point, b: Point, center: Point, own: Point) -> bool:
    """Whether a hollow's mouth from a to b faces away from the middle of the chest; all in mm."""
    mouth = (a + b) / 2
    across = b - a
    normal = np.array([across[1], -across[0]])
    if normal @ (mouth - own) < 0:
        normal = -normal
    out = mouth - center
    length = float(np.linalg.norm(normal) * np.linalg.norm(out))
    return length > 0 and float(normal @ out) / length > _FACING


def _is_wall(hu: npt.NDArray[np.int16]) -> bool:
    """Whether these voxels (N,) of a hollow are chest wall: dense lung has neither bone nor fat."""
    if not len(hu):
        return False
    bone = int(np.count_nonzero(hu >= BONE))
    fat = int(np.count_nonzero((hu > _FAT[0]) & (hu < _FAT[1])))
    return max(bone, fat / 2) > _WALL * len(hu)


def _without_holes(plane: Bytes, largest: float) -> Bytes:
    """The plane with its holes below a number of voxels filled."""
    contours, tree = cv2.findContours(plane, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    parents = np.asarray(tree).reshape(-1, 4)[:, 3] if contours else ()
    for contour, parent in zip(contours, parents, strict=True):
        if parent >= 0 and cv2.contourArea(contour) < largest:
            cv2.drawContours(plane, [contour], -1, 1, cv2.FILLED)
    return plane
