"""Where slices and voxels lie in the patient: slice order, affines, orientation letters; pure.

Patient coordinates are millimetres in LPS: x to the patient's left, y to the back, z to the head
(DICOM PS3.3 C.7.6.2.1.1). Affines map display voxels ``(z, y, x, 1)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from napari_chest.model import Stored

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    import numpy.typing as npt

    from napari_chest.model import Grid

Plane = Literal["axial", "coronal", "sagittal"]

UNKNOWN_LETTER = "?"
_LETTERS = (("R", "L"), ("A", "P"), ("F", "H"))  # towards smaller, larger x, y, z in LPS
_OBLIQUE = 0.3
"""From this share of a direction on, its second letter is shown too: about 17 degrees."""
_THICK = 1.25
"""From this ratio of its spacing to both others on, an axis is the one slices are counted along."""
_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])

# Head to feet, front to back, right to left: the order in which each acquisition plane is read.
_READING_DIRECTION: dict[Plane, tuple[float, float, float]] = {
    "axial": (0.0, 0.0, -1.0),
    "coronal": (0.0, 1.0, 0.0),
    "sagittal": (1.0, 0.0, 0.0),
}
# Where y and x of a slice of each plane run to.
_DOWN: dict[Plane, tuple[float, float, float]] = {
    "axial": (0.0, 1.0, 0.0),
    "coronal": (0.0, 0.0, -1.0),
    "sagittal": (0.0, 0.0, -1.0),
}
_ACROSS: dict[Plane, tuple[float, float, float]] = {
    "axial": (1.0, 0.0, 0.0),
    "coronal": (1.0, 0.0, 0.0),
    "sagittal": (0.0, 1.0, 0.0),
}
_PLANES: tuple[Plane, Plane, Plane] = ("sagittal", "coronal", "axial")


@dataclass(frozen=True)
class EdgeLetters:
    """The orientation letters at the middle of each edge of a view; ``?`` where unknown."""

    left: str
    right: str
    top: str
    bottom: str


def slice_normal(orientation: Sequence[float]) -> npt.NDArray[np.float64]:
    """Unit normal (3,) of a slice with this Image Orientation (Patient), six direction cosines.

    Raises
    ------
    ValueError
        when row and column direction are not two perpendicular directions.
    """
    if len(orientation) != 6:
        raise ValueError(f"not six direction cosines: {list(orientation)}")
    row = np.asarray(orientation[:3], dtype=np.float64)
    column = np.asarray(orientation[3:6], dtype=np.float64)
    normal = np.cross(row, column)
    lengths = np.linalg.norm([row, column, normal], axis=1)
    if not (np.abs(lengths - 1) <= 0.05).all():  # also when not a number
        raise ValueError(f"not two perpendicular direction cosines: {list(orientation)}")
    unit: npt.NDArray[np.float64] = normal / lengths[2]
    return unit


def acquisition_plane(orientation: Sequence[float]) -> Plane:
    """The anatomical plane nearest to slices of this Image Orientation (Patient)."""
    return _PLANES[int(np.abs(slice_normal(orientation)).argmax())]


def reading_direction(orientation: Sequence[float]) -> npt.NDArray[np.float64]:
    """Unit vector (3,) along the slice normal in which display slices are counted.

    Axial slices are counted from head to feet, coronal from front to back, sagittal from the
    patient's right to left.
    """
    normal = slice_normal(orientation)
    wanted = np.asarray(_READING_DIRECTION[acquisition_plane(orientation)])
    return normal if float(normal @ wanted) >= 0 else -normal


def distances_along(
    positions: npt.NDArray[np.float64], direction: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Distance (N,) in mm of each position (N, 3) along a unit direction (3,)."""
    distances: npt.NDArray[np.float64] = np.asarray(positions, dtype=np.float64) @ direction
    return distances


def series_affine(
    orientation: Sequence[float],
    pixel_spacing: tuple[float, float],
    positions: npt.NDArray[np.float64],
    thickness: float,
) -> npt.NDArray[np.float64]:
    """Affine (4, 4) of slices stacked in display order (DICOM PS3.3 C.7.6.2.1.1).

    Parameters
    ----------
    orientation : Image Orientation (Patient): row direction, then column direction.
    pixel_spacing : mm between rows, mm between columns (the order of Pixel Spacing).
    positions : (N, 3) Image Position (Patient) of the slices in display order.
    thickness : mm between slices, used only where there is a single one.

    The step between slices is the mean of the real steps, so a gantry tilt stays as a shear.
    """
    affine = np.eye(4)
    affine[:3, 2] = np.asarray(orientation[:3]) * pixel_spacing[1]
    affine[:3, 1] = np.asarray(orientation[3:6]) * pixel_spacing[0]
    if len(positions) > 1:
        affine[:3, 0] = (positions[-1] - positions[0]) / (len(positions) - 1)
    else:
        affine[:3, 0] = reading_direction(orientation) * thickness
    affine[:3, 3] = positions[0]
    return affine


def spacing_affine(spacing: tuple[float, float, float]) -> npt.NDArray[np.float64]:
    """Affine (4, 4) of axial slices of which only the spacing (z, y, x) in mm is known."""
    dz, dy, dx = spacing
    affine = np.eye(4)
    affine[:3, :3] = np.array([[0, 0, dx], [0, dy, 0], [-dz, 0, 0]])
    return affine


def display_order(ras_affine: npt.NDArray[np.float64], shape: tuple[int, int, int]) -> Stored:
    """How a stored volume is turned for display, by permutation and flips only.

    Slices are counted along the only axis of length 1; else along the axis whose spacing is more
    than 1.25 times both others, so that thick slices are seen as they were acquired; else along
    the axis nearest to the head-feet direction. Axial slices then run from head to feet with the
    front on top, coronal ones from front to back and sagittal ones from right to left with the
    head on top.

    Parameters
    ----------
    ras_affine : (4, 4), stored voxel to patient mm in RAS+; its columns must not be 0.
    shape : lengths of the stored axes.
    """
    columns = _RAS_TO_LPS[:3, :3] @ np.asarray(ras_affine, dtype=np.float64)[:3, :3]
    spacing = np.linalg.norm(columns, axis=0)
    directions = columns / spacing
    z = _slice_axis(directions, spacing, shape)
    one, other = (axis for axis in range(3) if axis != z)
    normal = np.cross(directions[:, one], directions[:, other])
    plane = _PLANES[int(np.abs(normal).argmax())]
    down = np.abs(np.asarray(_DOWN[plane]) @ directions)
    y, x = (one, other) if down[one] >= down[other] else (other, one)
    wanted = (_READING_DIRECTION[plane], _DOWN[plane], _ACROSS[plane])
    flips = [
        bool(np.asarray(direction) @ directions[:, axis] < 0)
        for direction, axis in zip(wanted, (z, y, x), strict=True)
    ]
    return Stored((z, y, x), (flips[0], flips[1], flips[2]))


def _slice_axis(
    directions: npt.NDArray[np.float64],
    spacing: npt.NDArray[np.float64],
    shape: tuple[int, int, int],
) -> int:
    if shape.count(1) == 1:
        return shape.index(1)
    thickest = int(spacing.argmax())
    if (np.delete(spacing, thickest) * _THICK < spacing[thickest]).all():
        return thickest
    return int(np.abs(directions[2]).argmax())


def display_affine(
    ras_affine: npt.NDArray[np.float64], shape: tuple[int, int, int], stored: Stored
) -> npt.NDArray[np.float64]:
    """Affine (4, 4) from display voxels to LPS of a volume stored with this RAS+ affine."""
    affine: npt.NDArray[np.float64] = _RAS_TO_LPS @ ras_affine @ _to_stored_voxel(shape, stored)
    return affine


def stored_affine(
    affine: npt.NDArray[np.float64], shape: tuple[int, int, int], stored: Stored
) -> npt.NDArray[np.float64]:
    """RAS+ affine (4, 4) of stored voxels whose display voxels have this one; see `display_affine`.

    Parameters
    ----------
    affine : (4, 4), display voxel to patient mm in LPS.
    shape : lengths of the stored axes.
    stored : how they are turned for display.
    """
    to_display_voxel = np.linalg.inv(_to_stored_voxel(shape, stored))
    ras_affine: npt.NDArray[np.float64] = _RAS_TO_LPS @ affine @ to_display_voxel
    return ras_affine


def _to_stored_voxel(shape: tuple[int, int, int], stored: Stored) -> npt.NDArray[np.float64]:
    matrix = np.zeros((4, 4))
    matrix[3, 3] = 1.0
    for display, (axis, flipped) in enumerate(zip(stored.axes, stored.flipped, strict=True)):
        matrix[axis, display] = -1.0 if flipped else 1.0
        matrix[axis, 3] = shape[axis] - 1 if flipped else 0.0
    return matrix


def to_display(array: npt.NDArray[Any], stored: Stored) -> npt.NDArray[Any]:
    """A stored volume in display order ``(Z, Y, X)``, as a view."""
    return array.transpose(stored.axes)[_flips(stored)]


def to_stored(array: npt.NDArray[Any], stored: Stored) -> npt.NDArray[Any]:
    """A volume in display order as it is stored, as a view."""
    back = np.argsort(stored.axes)
    return array[_flips(stored)].transpose(back)


def _flips(stored: Stored) -> tuple[slice, ...]:
    return tuple(slice(None, None, -1 if flipped else 1) for flipped in stored.flipped)


def direction_letters(direction: npt.NDArray[np.float64]) -> str:
    """Letters of a patient direction (3,), the strongest first: ``L``, or ``LP`` when oblique."""
    unit = direction / np.linalg.norm(direction)
    order = [int(axis) for axis in np.argsort(-np.abs(unit), kind="stable")]
    strong = [axis for axis in order if abs(unit[axis]) >= _OBLIQUE]
    return "".join(_LETTERS[axis][int(unit[axis] > 0)] for axis in strong)


def edge_letters(grid: Grid, vertical_axis: int, horizontal_axis: int) -> EdgeLetters:
    """Letters at the edges of a view that shows two display axes, growing down and to the right."""
    if not grid.placed:
        return EdgeLetters(*(UNKNOWN_LETTER,) * 4)
    right = grid.affine[:3, horizontal_axis]
    down = grid.affine[:3, vertical_axis]
    return EdgeLetters(
        left=direction_letters(-right),
        right=direction_letters(right),
        top=direction_letters(-down),
        bottom=direction_letters(down),
    )
