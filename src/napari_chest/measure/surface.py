"""The surface of a segment as triangles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from skimage.measure import marching_cubes

from napari_chest.measure.boxes import box_of

if TYPE_CHECKING:
    import numpy.typing as npt

    Spacing = tuple[float, float, float]

_MOST_VOXELS = 2_000_000
"""Boxes with more voxels are surfaced from means of blocks."""
_ROUNDS = 6
_SHRINK, _GROW = 0.5, -0.53
"""One round of Taubin's smoothing pulls the surface in and pushes it out again, so that its volume
stays."""


@dataclass(frozen=True, eq=False)
class Surface:
    """A closed surface in the display axes.

    The columns (z, y, x) are a right-handed frame: feet, back, left. Seen from outside, the corners
    of a triangle run counter-clockwise. z grows towards the feet, so a viewer that draws its first
    axis upwards shows the patient upside down: let the camera's up be -z, in napari
    ``camera.set_view_direction((0, 1, 0), (-1, 0, 0))``, which is a look from the front with the
    patient's left on the right. Programs that want (x, y, z) get LPS from ``(x, y, -z)``; without
    the minus the patient would be mirrored.

    Attributes
    ----------
    vertices : (N, 3) float32, mm along (z, y, x) from the centre of voxel (0, 0, 0).
    faces : (M, 3) int32, the three vertices of each triangle.
    """

    vertices: npt.NDArray[np.float32]
    faces: npt.NDArray[np.int32]


def surface(labels: npt.NDArray[Any], value: int, spacing: Spacing) -> Surface | None:
    """The surface of a segment, a little smoothed; None where it has no voxels.

    It is closed at the volume's end too.

    Parameters
    ----------
    labels : (Z, Y, X) uint8 or uint16.
    value : the segment.
    spacing : distances between voxel centres along (z, y, x) in mm.
    """
    box = box_of(labels, value)
    if box is None:
        return None
    field, strides = _blocks(labels[box] == value, spacing)
    # A segment thinner than half a block still has a surface.
    level = min(0.5, float(field.max()) / 2)
    vertices, faces, _, _ = marching_cubes(np.pad(field, 1), level, gradient_direction="ascent")
    faces = faces.astype(np.int32)
    vertices = _smoothed(vertices, faces)
    corner = np.array([part.start for part in box])
    stride = np.array(strides)
    voxels = corner + (vertices - 1) * stride + (stride - 1) / 2
    return Surface((voxels * spacing).astype(np.float32), faces)


def _blocks(
    inside: npt.NDArray[np.bool_], spacing: Spacing
) -> tuple[npt.NDArray[np.float32], tuple[int, int, int]]:
    """How much of each block of voxels is inside, and a block's size in voxels."""
    strides = [1, 1, 1]
    while inside.size > _MOST_VOXELS * np.prod(strides):
        finest = int(np.argmin(np.multiply(strides, spacing)))
        strides[finest] += 1
    field = inside.astype(np.float32)
    for axis, stride in enumerate(strides):
        missing = [(0, 0)] * 3
        missing[axis] = (0, -field.shape[axis] % stride)
        field = np.pad(field, missing) if stride > 1 else field
        shape = (*field.shape[:axis], -1, stride, *field.shape[axis + 1 :])
        field = field.reshape(shape).mean(axis=axis + 1)
    return field, (strides[0], strides[1], strides[2])


def _smoothed(
    vertices: npt.NDArray[np.float32], faces: npt.NDArray[np.int32]
) -> npt.NDArray[np.float32]:
    """The vertices drawn towards the middle of their neighbours and back."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    ones = np.ones(len(edges), np.float32)
    size = len(vertices)
    # Every edge of a closed surface is in two triangles, once in each direction.
    neighbours = sparse.csr_array((ones, (edges[:, 0], edges[:, 1])), shape=(size, size))
    degree = np.maximum(neighbours.sum(axis=1), 1)[:, None].astype(np.float32)
    for _ in range(_ROUNDS):
        for strength in (_SHRINK, _GROW):
            pull = neighbours @ vertices / degree - vertices
            vertices = vertices + np.float32(strength) * pull
    return vertices
