"""The voxels in which labels differ, component by component; kept as places, not as volumes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cc3d
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    Labels = npt.NDArray[np.unsignedinteger[Any]]
    Numbers = npt.NDArray[np.integer[Any]]
    Extent = tuple[tuple[int, int], ...]
    Voxel = tuple[int, int, int]

ONLY_A, ONLY_B, OTHERS = 1, 2, 3
"""Who sees something where readings differ: only A of A and B, only B, or neither alone."""


@dataclass(frozen=True, eq=False)
class Places:
    """All voxels in which readings differ in a mask, the largest component first.

    Attributes
    ----------
    shape : (Z, Y, X) of the mask.
    at : (N,) flat indices into the mask, component after component, ascending in each.
    kinds : (N,) `ONLY_A`, `ONLY_B` or `OTHERS`.
    starts : where each component begins among the voxels, and where the last one ends.
    boxes : (start, stop) along each axis, per component.
    voxels : per component, the one near the middle of the slice that has most of it.
    votes : per reading (N,) what it says.
    """

    shape: tuple[int, ...]
    at: Numbers
    kinds: npt.NDArray[np.uint8]
    starts: Numbers
    boxes: tuple[Extent, ...]
    voxels: tuple[Voxel, ...]
    votes: tuple[Labels, ...]

    @property
    def count(self) -> int:
        """How many components there are."""
        return len(self.boxes)

    @property
    def sizes(self) -> list[int]:
        """Voxels of each component."""
        sizes: list[int] = np.diff(self.starts).tolist()
        return sizes

    def says(self, number: int) -> tuple[tuple[tuple[int, int], ...], ...]:
        """Per reading (value, voxels) of what it says in a component, most first."""
        part = self._part(number)
        found = []
        for vote in self.votes:
            values, counts = np.unique(vote[part], return_counts=True)
            order = np.argsort(-counts, kind="stable")
            found.append(tuple(zip(values[order].tolist(), counts[order].tolist(), strict=True)))
        return tuple(found)

    def boxed(self, number: int, box: Extent) -> npt.NDArray[np.uint8]:
        """The kinds of a component within its box, 0 around it."""
        out = np.zeros([stop - start for start, stop in box], np.uint8)
        part = self._part(number)
        where = np.unravel_index(self.at[part], self.shape)
        out[tuple(index - start for index, (start, _) in zip(where, box, strict=True))] = (
            self.kinds[part]
        )
        return out

    def fill(self, out: npt.NDArray[np.uint8]) -> None:
        """Write the kinds of all components into an array of the mask's shape."""
        out.reshape(-1)[self.at] = self.kinds

    def _part(self, number: int) -> slice:
        return slice(int(self.starts[number]), int(self.starts[number + 1]))


def places_of(labels: Sequence[Labels]) -> Places:
    """Where two or more label arrays (Z, Y, X) differ, by components (26-connected)."""
    shape = labels[0].shape
    found = list(_parts(labels))
    at = _joined([where for where, _ in found])
    counts = [int(numbers.max()) for _, numbers in found]
    offsets = np.cumsum([0, *counts])[:-1]
    numbers = _joined([part + more for (_, part), more in zip(found, offsets, strict=True)])
    sizes = np.bincount(numbers, minlength=1)[1:]
    rank = np.empty(len(sizes) + 1, np.int64)
    rank[1 + np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    numbers = rank[numbers]
    order = np.argsort(numbers, kind="stable")
    at, numbers = at[order], numbers[order]
    starts = np.concatenate(([0], np.cumsum(np.sort(sizes)[::-1])))
    place = np.unravel_index(at, shape)
    votes = tuple(one[place] for one in labels)
    return Places(
        shape,
        at,
        _kinds(votes),
        starts,
        tuple(_boxes(place, starts)),
        tuple(_middles(place, starts)),
        votes,
    )


def _parts(labels: Sequence[Labels]) -> Iterator[tuple[Numbers, Numbers]]:
    """Runs of slices with differences: flat indices of the voxels and, from 1, their component."""
    run: list[npt.NDArray[np.bool_]] = []
    for z, planes in enumerate(zip(*labels, strict=True)):
        differs = planes[0] != planes[1]
        for plane in planes[2:]:
            differs |= planes[0] != plane
        if differs.any():
            run.append(differs)
        elif run:
            yield _numbered(run, z - len(run), labels[0].shape)
            run = []
    if run:
        yield _numbered(run, len(labels[0]) - len(run), labels[0].shape)


def _numbered(
    run: Sequence[npt.NDArray[np.bool_]], first: int, shape: tuple[int, ...]
) -> tuple[Numbers, Numbers]:
    across = np.logical_or.reduce(run)
    box = tuple(
        slice(int(where[0]), int(where[-1]) + 1)
        for where in (np.flatnonzero(across.any(axis=axis)) for axis in (1, 0))
    )
    # One voxel more along each axis: cc3d 4.1 fails on a few narrow arrays such as [1, 0, 1].
    lengths = [len(run), *(part.stop - part.start for part in box)]
    inside = np.zeros([length + 1 for length in lengths], np.bool_)
    for plane, target in zip(run, inside, strict=False):
        target[:-1, :-1] = plane[box]
    numbers: Numbers = cc3d.connected_components(inside, connectivity=26)
    at = np.flatnonzero(inside)  # several times as fast as looking for three indices at once
    z, y, x = np.unravel_index(at, inside.shape)
    where = (z + first, y + box[0].start, x + box[1].start)
    return np.ravel_multi_index(where, shape), numbers.reshape(-1)[at].astype(np.int64)


def _joined(parts: Sequence[Numbers]) -> Numbers:
    return np.concatenate([np.empty(0, np.int64), *parts])


def _kinds(votes: Sequence[Labels]) -> npt.NDArray[np.uint8]:
    a, b = votes[0] != 0, votes[1] != 0
    kinds = np.full(len(a), OTHERS, np.uint8)
    kinds[a & ~b] = ONLY_A
    kinds[b & ~a] = ONLY_B
    return kinds


def _boxes(place: tuple[Numbers, ...], starts: Numbers) -> Iterator[Extent]:
    if len(starts) < 2:
        return
    lows = [np.minimum.reduceat(axis, starts[:-1]).tolist() for axis in place]
    highs = [(np.maximum.reduceat(axis, starts[:-1]) + 1).tolist() for axis in place]
    for low, high in zip(zip(*lows, strict=True), zip(*highs, strict=True), strict=True):
        yield tuple(zip(low, high, strict=True))


def _middles(place: tuple[Numbers, ...], starts: Numbers) -> Iterator[Voxel]:
    """Per component a voxel of its largest slice, the nearest one to the middle of what is there.

    The voxels of a component on one slice stand in a row, because they ascend.
    """
    z, y, x = place
    for start, stop in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        depth = z[start:stop]
        first = start + int(np.searchsorted(depth, _most_frequent(depth)))
        last = start + int(np.searchsorted(depth, z[first], side="right"))
        rows, columns = y[first:last], x[first:last]
        away = (rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2
        nearest = first + int(away.argmin())
        yield int(z[nearest]), int(y[nearest]), int(x[nearest])


def _most_frequent(ascending: Numbers) -> int:
    low = int(ascending[0])
    return low + int(np.bincount(ascending - low).argmax())
