"""How much two masks overlap, and how far their surfaces lie apart."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy.spatial import cKDTree

from napari_chest.errors import StoppedError
from napari_chest.measure.boxes import joint_box

if TYPE_CHECKING:
    from threading import Event

    import numpy.typing as npt

    Array = npt.NDArray[Any]
    Flags = npt.NDArray[np.bool_]
    Points = npt.NDArray[np.float64]
    Spacing = tuple[float, float, float]

DEFINITIONS: dict[str, str] = {
    "dice": "Dice: twice the voxels in both masks, by the sum of the voxels of each.",
    "jaccard": "Jaccard: the voxels in both masks by those in either.",
    "hd": "HD, Hausdorff distance: the longest way from a surface voxel of either mask to the "
    "nearest surface voxel of the other. Distances go between voxel centres; a voxel is on the "
    "surface where one of its 6 neighbours is not in the mask (4 in a picture of one slice).",
    "hd95": "HD95: 95th percentile (linear between ranks) of the distances of all surface voxels "
    "of both masks to the other mask's surface, pooled, as MedPy defines it. Others take the "
    "larger of two percentiles, or weigh by area, and get other numbers.",
    "assd": "ASSD, average symmetric surface distance: mean of the distances of all surface voxels "
    "of both masks to the other mask's surface, pooled, as MedPy defines it. Others take the mean "
    "of two means.",
    "volume": "Volume: voxels times the volume of one, in ml.",
    "difference": "Volume difference: B less A, in ml; in % of the mean of both.",
}
"""What each number means, as shown beside it: other programs use the same names for others."""

_CHUNK = 100_000
"""Points whose nearest neighbours are sought at once; in between the work may be stopped."""


@dataclass(frozen=True, eq=False)
class SliceProfile:
    """What two masks hold slice by slice.

    Attributes
    ----------
    a, b, both : (Z,) int64, voxels of each mask and of both at once.
    """

    a: npt.NDArray[np.int64]
    b: npt.NDArray[np.int64]
    both: npt.NDArray[np.int64]

    @property
    def dice(self) -> npt.NDArray[np.float64]:
        """(Z,) the Dice of each slice; NaN where neither mask has voxels."""
        total = self.a + self.b
        dice = np.full(len(total), np.nan)
        np.divide(2 * self.both, total, out=dice, where=total > 0)
        return dice


@dataclass(frozen=True, eq=False)
class Overlap:
    """How two masks A and B relate; a number is None where it has no meaning.

    Where neither mask has voxels nothing can be said of overlap or distance: both readers agree
    that there is nothing, and `both_empty` tells so. Where one is empty Dice and Jaccard are 0 and
    there are no distances.

    Attributes
    ----------
    voxels_a, voxels_b, voxels_both : in A, in B, in both.
    surface_a, surface_b : surface voxels of each.
    dice, jaccard : 0 to 1.
    hd, hd95, assd : distances of the surfaces, in `unit`.
    volume_a, volume_b : in ml; None where the spacing is unknown or there is one slice only.
    difference, difference_percent : B less A, in ml and in % of the mean of both; the second also
        where there are no ml.
    unit : ``mm``, or ``px`` where the spacing is unknown.
    slices : the voxels slice by slice.
    """

    voxels_a: int
    voxels_b: int
    voxels_both: int
    surface_a: int
    surface_b: int
    dice: float | None
    jaccard: float | None
    hd: float | None
    hd95: float | None
    assd: float | None
    volume_a: float | None
    volume_b: float | None
    difference: float | None
    difference_percent: float | None
    unit: Literal["mm", "px"]
    slices: SliceProfile

    @property
    def both_empty(self) -> bool:
        """Whether neither mask has a voxel."""
        return self.voxels_a == 0 and self.voxels_b == 0

    def turned(self) -> Overlap:
        """The same with A and B exchanged."""
        return replace(
            self,
            voxels_a=self.voxels_b,
            voxels_b=self.voxels_a,
            surface_a=self.surface_b,
            surface_b=self.surface_a,
            volume_a=self.volume_b,
            volume_b=self.volume_a,
            difference=_negative(self.difference),
            difference_percent=_negative(self.difference_percent),
            slices=SliceProfile(self.slices.b, self.slices.a, self.slices.both),
        )


def overlap(a: Flags, b: Flags, spacing: Spacing | None, stop: Event | None = None) -> Overlap:
    """Dice, Jaccard, distances of the surfaces and volumes of two masks.

    Parameters
    ----------
    a, b : (Z, Y, X) bool.
    spacing : distances between voxel centres along (z, y, x) in mm; None where it is unknown.
    stop : ends the work early.

    Raises
    ------
    ValueError
        when the masks lie on different grids.
    StoppedError
        when ``stop`` was set before the end.
    """
    if a.shape != b.shape or a.ndim != 3:
        raise ValueError(
            f"masks of {a.shape} and {b.shape} voxels lie on different grids and cannot be compared"
        )
    a, b = np.ascontiguousarray(a), np.ascontiguousarray(b)  # all goes plane by plane
    slices = slice_profile(a, b)
    n_a, n_b, both = (int(each.sum()) for each in (slices.a, slices.b, slices.both))
    distances, surfaces = _distances(a, b, spacing, stop)
    ml = None if spacing is None or a.shape[0] == 1 else float(np.prod(spacing)) / 1000
    return Overlap(
        n_a,
        n_b,
        both,
        *surfaces,
        dice=2 * both / (n_a + n_b) if n_a + n_b else None,
        jaccard=both / (n_a + n_b - both) if n_a + n_b else None,
        hd=float(distances.max()) if distances.size else None,
        hd95=float(np.percentile(distances, 95)) if distances.size else None,
        assd=float(distances.mean()) if distances.size else None,
        volume_a=None if ml is None else n_a * ml,
        volume_b=None if ml is None else n_b * ml,
        difference=None if ml is None else (n_b - n_a) * ml,
        difference_percent=200 * (n_b - n_a) / (n_a + n_b) if n_a + n_b else None,
        unit="px" if spacing is None else "mm",
        slices=slices,
    )


def _negative(value: float | None) -> float | None:
    return None if value is None else -value


def slice_profile(a: Flags, b: Flags) -> SliceProfile:
    """What two masks (Z, Y, X) bool hold slice by slice."""
    counts = np.zeros((3, len(a)), np.int64)
    for z, (one, other) in enumerate(zip(a, b, strict=True)):
        counts[0, z] = np.count_nonzero(one)
        counts[1, z] = np.count_nonzero(other)
        if counts[0, z] and counts[1, z]:
            counts[2, z] = np.count_nonzero(one & other)
    return SliceProfile(*counts)


def _distances(
    a: Flags, b: Flags, spacing: Spacing | None, stop: Event | None
) -> tuple[npt.NDArray[np.float64], tuple[int, int]]:
    """The distances of all surface voxels to the other surface, and the number of each."""
    box = joint_box((a, b))
    if box is None:
        return np.zeros(0), (0, 0)
    (of_a, a_alone), (of_b, b_alone) = _surfaces(a[box], b[box], spacing or (1.0, 1.0, 1.0))
    if not len(of_a) or not len(of_b):
        return np.zeros(0), (len(of_a), len(of_b))
    # The voxels that are on both surfaces, often nearly all, have the distance 0.
    distances = np.zeros(len(of_a) + len(of_b))
    alone = np.concatenate([a_alone, b_alone])
    distances[alone] = np.concatenate(
        [_nearest(of_a[a_alone], of_b, stop), _nearest(of_b[b_alone], of_a, stop)]
    )
    return distances, (len(of_a), len(of_b))


def _surfaces(a: Flags, b: Flags, spacing: Spacing) -> tuple[tuple[Points, Flags], ...]:
    """Of each mask the centres (N, 3) of its surface voxels in mm, and (N,) which only it has."""
    places: tuple[list[Array], list[Array]] = ([], [])
    alone: tuple[list[Flags], list[Flags]] = ([], [])
    for z in range(len(a)):
        planes = (_surface(a, z).ravel(), _surface(b, z).ravel())
        for mine in (0, 1):
            found = np.flatnonzero(planes[mine])
            places[mine].append(found + z * planes[mine].size)
            alone[mine].append(~planes[1 - mine][found])
    return tuple(
        (_centres(np.concatenate(where), a.shape, spacing), np.concatenate(only))
        for where, only in zip(places, alone, strict=True)
    )


def _centres(places: Array, shape: tuple[int, ...], spacing: Spacing) -> Points:
    """(N, 3) mm, of voxels by their number in the array."""
    axes = np.unravel_index(places, shape)
    return np.stack([axis * step for axis, step in zip(axes, spacing, strict=True)], axis=1)


def _surface(mask: Flags, z: int) -> Flags:
    """(Y, X) the voxels of a slice with a neighbour that is not in the mask, or beyond its end."""
    inside = np.zeros(mask.shape[1:], np.bool_)
    if len(mask) == 1:
        inside[1:-1, 1:-1] = True
    elif 0 < z < len(mask) - 1:
        np.logical_and(mask[z - 1, 1:-1, 1:-1], mask[z + 1, 1:-1, 1:-1], out=inside[1:-1, 1:-1])
    middle, plane = inside[1:-1, 1:-1], mask[z]
    for neighbours in (plane[:-2, 1:-1], plane[2:, 1:-1], plane[1:-1, :-2], plane[1:-1, 2:]):
        middle &= neighbours
    return np.asarray(plane & ~inside)


def _nearest(points: Points, others: Points, stop: Event | None) -> npt.NDArray[np.float64]:
    """(N,) how far each point is from the nearest of the others."""
    away = np.empty(len(points))
    if not len(points):
        return away
    tree = cKDTree(others, balanced_tree=False, compact_nodes=False)
    for start in range(0, len(points), _CHUNK):
        if stop is not None and stop.is_set():
            raise StoppedError("Stopped; the masks were not compared.")
        part = slice(start, start + _CHUNK)
        away[part] = tree.query(points[part], workers=-1)[0]
    return away
