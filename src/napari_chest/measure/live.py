"""How much there is of each segment of a mask, kept up to date from the boxes that edits touch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    Labels = npt.NDArray[Any]
    Flags = npt.NDArray[np.bool_]
    Box = tuple[slice, ...]


_FEW = 8
"""Up to so many segments on a slice it is quicker to look at one after the other."""


class SegmentNumbers(NamedTuple):
    """What is known of one segment.

    Attributes
    ----------
    voxels : how many it has.
    mean : of their HU; None where there are no voxels, or the image has no HU.
    slices : how many slices it is seen on.
    in_lungs : how many of its voxels lie in the lungs; None where the lungs are not known.
    """

    voxels: int
    mean: float | None
    slices: int
    in_lungs: int | None


@dataclass(eq=False)
class _Tally:
    """Of one segment: its voxels per slice (Z,) and in all, the sum of their HU, those in lungs."""

    per_slice: npt.NDArray[np.int64]
    voxels: int = 0
    hounsfield: int = 0
    in_lungs: int = 0


class Numbers:
    """The numbers of every segment of one mask.

    Making one reads the whole mask, which is work for a thread; nothing may change the arrays
    meanwhile. Edits are then told by `update`, whose cost is that of their box. All sums are
    integers, so that undoing an edit brings the earlier numbers back exactly.

    Parameters
    ----------
    labels : (Z, Y, X) uint8 or uint16, the mask.
    voxels : (Z, Y, X) integers, HU; None where the image has none. Kept, and read where edits are.
    lungs : (Z, Y, X), not 0 in the lungs; None where they are not known. Kept likewise.
    """

    def __init__(
        self, labels: Labels, voxels: Labels | None = None, lungs: Labels | None = None
    ) -> None:
        self._depth = labels.shape[0]
        self._voxels = voxels
        self._lungs = lungs
        self._tallies: dict[int, _Tally] = {}
        for z, plane in enumerate(labels):
            if plane.any():
                self._count((z, slice(None), slice(None)), plane, plane != 0, 1)

    def update(self, box: Box, before: Labels, after: Labels) -> None:
        """Take note of an edit; of one that is undone with ``before`` and ``after`` exchanged.

        Parameters
        ----------
        box : one slice per axis, with start and stop.
        before, after : the labels in the box.
        """
        for i, place, changed in _changed_planes(box, before, after):
            self._count(place, before[i], changed, -1)
            self._count(place, after[i], changed, 1)

    def set_lungs(self, lungs: Labels | None, labels: Labels) -> None:
        """Use other lungs.

        Parameters
        ----------
        lungs : (Z, Y, X), not 0 in the lungs; None where they are not known any more.
        labels : (Z, Y, X), the mask as it stands.
        """
        self._lungs = lungs
        for tally in self._tallies.values():
            tally.in_lungs = 0
        if lungs is None:
            return
        for plane, lung in zip(labels, lungs, strict=True):
            if plane.any():
                self._count_lungs(plane[(lung != 0) & (plane != 0)], 1)

    def update_lungs(
        self, lungs: Labels, box: Box, before: Labels, after: Labels, labels: Labels
    ) -> None:
        """Take note of an edit of the lungs themselves.

        Parameters
        ----------
        lungs : (Z, Y, X), the lungs as they stand now; kept from now on.
        box : one slice per axis, with start and stop.
        before, after : the lungs in the box.
        labels : the mask in the box, as it stands.
        """
        if self._lungs is None:
            raise ValueError("the lungs were not known before they were edited: use set_lungs")
        self._lungs = lungs
        for i, _, changed in _changed_planes(box, before != 0, after != 0):
            touched = changed & (labels[i] != 0)
            came = after[i] != 0
            self._count_lungs(labels[i][touched & came], 1)
            self._count_lungs(labels[i][touched & ~came], -1)

    def of(self, value: int) -> SegmentNumbers:
        """The numbers of a segment by its value; also of one that has no voxels yet."""
        lungs_known = self._lungs is not None
        tally = self._tallies.get(value)
        if tally is None or not tally.voxels:
            return SegmentNumbers(0, None, 0, 0 if lungs_known else None)
        mean = None if self._voxels is None else tally.hounsfield / tally.voxels
        slices = int(np.count_nonzero(tally.per_slice))
        return SegmentNumbers(tally.voxels, mean, slices, tally.in_lungs if lungs_known else None)

    def _count(
        self, place: tuple[int, slice, slice], plane: Labels, where: Flags, sign: int
    ) -> None:
        """Add (1) or take off (-1) the voxels of a plane (Y, X) that lie ``where``."""
        values = plane[where]
        if not values.any():  # most of what is painted was background before
            return
        counts, sums = _counted(
            values, None if self._voxels is None else self._voxels[place][where]
        )
        for value, count in counts.items():
            tally = self._tally(value)
            tally.per_slice[place[0]] += sign * count
            tally.voxels += sign * count
            tally.hounsfield += sign * sums.get(value, 0)
        if self._lungs is not None:
            self._count_lungs(values[self._lungs[place][where] != 0], sign)

    def _count_lungs(self, values: Labels, sign: int) -> None:
        """Add (1) or take off (-1) voxels of these values (N,) that lie in the lungs."""
        for value, count in _counted(values)[0].items():
            self._tally(value).in_lungs += sign * count

    def _tally(self, value: int) -> _Tally:
        if value not in self._tallies:
            self._tallies[value] = _Tally(np.zeros(self._depth, np.int64))
        return self._tallies[value]


def _changed_planes(
    box: Box, before: Labels, after: Labels
) -> Iterator[tuple[int, tuple[int, slice, slice], Flags]]:
    """Every plane of a box in which something changed: its index, its place, and where."""
    zs, ys, xs = box
    for i, z in enumerate(range(zs.start, zs.stop)):
        changed = before[i] != after[i]
        if changed.any():
            yield i, (z, ys, xs), changed


def _counted(
    values: Labels, hounsfield: Labels | None = None
) -> tuple[dict[int, int], dict[int, int]]:
    """How often each value above 0 occurs among these (N,), and the sum of the HU (N,) there."""
    occurs = np.zeros(int(values.max(initial=0)) + 1, bool)
    occurs[values] = True
    present = (np.flatnonzero(occurs[1:]) + 1).tolist()
    if len(present) > _FEW:
        return _counted_at_once(values, hounsfield, present)
    counts, sums = {}, {}
    for value in present:
        here = values == value
        counts[value] = int(np.count_nonzero(here))
        if hounsfield is not None:
            sums[value] = int(hounsfield[here].sum(dtype=np.int64))
    return counts, sums


def _counted_at_once(
    values: Labels, hounsfield: Labels | None, present: list[int]
) -> tuple[dict[int, int], dict[int, int]]:
    counts = np.bincount(values)
    sums = np.zeros(len(counts), np.int64)
    if hounsfield is not None:
        np.add.at(sums, values, hounsfield)
    return {v: int(counts[v]) for v in present}, {v: int(sums[v]) for v in present}
