"""What hangs together with a voxel, found tile by tile, so that only what it reaches is looked at.

Neighbouring tiles share a layer of voxels. A component of one goes on in the other where both have
one of these voxels, which holds for corners too, because two voxels that touch are always together
in some tile.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_chest.tools.parts import numbered_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    from napari_chest.edits.steps import Box
    from napari_chest.tools.base import Voxel

    Connectivity = Literal[6, 26]
    Where = Callable[[Box], npt.NDArray[np.bool_]]
    Place = tuple[int, ...]

_TILE = (24, 64, 64)
"""Voxels along (z, y, x) from one tile to the next: a nodule fits into the first."""
_FEW = 12
"""Up to so many numbers are sooner compared one by one than looked up."""


class TooLargeError(Exception):
    """What hangs together with the voxel is larger than allowed."""


def connected(
    where: Where,
    seed: Voxel,
    bounds: Box,
    *,
    connectivity: Connectivity = 6,
    most: float = np.inf,
    go_on: Callable[[], None] = lambda: None,
) -> tuple[Box, npt.NDArray[np.bool_]]:
    """All that hangs together with a voxel, and a box that holds it.

    Parameters
    ----------
    where : which voxels of a box take part; the seed does.
    seed : the voxel.
    bounds : where to look, one slice per axis.
    connectivity : 6 for voxels that share a face, 26 for those that share a corner.
    most : how many voxels are allowed.
    go_on : called before each tile; raises to end the search.

    Raises
    ------
    TooLargeError
        where there are more voxels than allowed.
    """
    tiles = _Tiles(where, seed, bounds, connectivity)
    tiles.begin()
    next_count = 8
    while tiles.waiting:
        go_on()
        tiles.follow()
        if len(tiles.known) >= next_count:
            next_count *= 2
            if tiles.least_size() > most:
                raise TooLargeError
    box, part = tiles.gather()
    if np.count_nonzero(part) > most:
        raise TooLargeError
    return box, part


@dataclass(eq=False)
class _Tile:
    """A box and its components.

    Attributes
    ----------
    box : one slice per axis.
    parts : of the box's shape; 0 outside, else the number of the component.
    kept : per number, whether the component hangs together with the seed.
    fresh : per number, whether its neighbours have not been looked at since.
    """

    box: Box
    parts: npt.NDArray[Any]
    kept: npt.NDArray[np.bool_]
    fresh: npt.NDArray[np.bool_]

    @property
    def inside(self) -> npt.NDArray[np.bool_]:
        """Which voxels are of components that are kept."""
        numbers = np.flatnonzero(self.kept).tolist()
        if len(numbers) > _FEW:
            looked_up: npt.NDArray[np.bool_] = self.kept[self.parts]
            return looked_up
        found = np.zeros(self.parts.shape, np.bool_)
        for number in numbers:
            found |= self.parts == number
        return found

    def keep(self, numbers: npt.NDArray[Any]) -> bool:
        """Keep components, and tell whether any was not kept before."""
        more = np.zeros_like(self.kept)
        more[numbers] = True
        more &= ~self.kept
        self.kept |= more
        self.fresh |= more
        return bool(more.any())


class _Tiles:
    """The tiles that are reached from a voxel, which is in the middle of the first."""

    def __init__(self, where: Where, seed: Voxel, bounds: Box, connectivity: Connectivity) -> None:
        self._where = where
        self._seed = seed
        self._bounds = bounds
        self._connectivity: Connectivity = connectivity
        self.known: dict[Place, _Tile] = {}
        self.waiting: set[Place] = set()

    def begin(self) -> None:
        first = self._tile((0, 0, 0))
        inner = tuple(at - side.start for at, side in zip(self._seed, first.box, strict=True))
        first.keep(first.parts[inner])
        self.waiting.add((0, 0, 0))

    def follow(self) -> None:
        """Go on from a tile into its neighbours."""
        place = self.waiting.pop()
        tile = self.known[place]
        fresh, tile.fresh = tile.fresh, np.zeros_like(tile.fresh)
        for axis, step in self._ways(tile.box):
            met = fresh[tile.parts.take(-1 if step > 0 else 0, axis)]
            if met.any():
                next_to_it = tuple(at + step * (k == axis) for k, at in enumerate(place))
                other = self._tile(next_to_it)
                if other.keep(other.parts.take(0 if step > 0 else -1, axis)[met]):
                    self.waiting.add(next_to_it)

    def least_size(self) -> int:
        """How many voxels hang together with the seed so far, a few too few."""
        return sum(int(np.count_nonzero(tile.inside[1:, 1:, 1:])) for tile in self.known.values())

    def gather(self) -> tuple[Box, npt.NDArray[np.bool_]]:
        """All that hangs together with the seed, and the box of the tiles that hold it."""
        boxes = [tile.box for tile in self.known.values()]
        box = tuple(
            slice(min(side.start for side in sides), max(side.stop for side in sides))
            for sides in zip(*boxes, strict=True)
        )
        part = np.zeros([side.stop - side.start for side in box], np.bool_)
        for tile in self.known.values():
            inner = tuple(
                slice(side.start - outer.start, side.stop - outer.start)
                for side, outer in zip(tile.box, box, strict=True)
            )
            part[inner] = tile.inside
        return box, part

    def _tile(self, place: Place) -> _Tile:
        if place not in self.known:
            box = tuple(
                slice(
                    max(limit.start, at - size // 2 + k * size),
                    min(limit.stop, at - size // 2 + (k + 1) * size + 1),
                )
                for at, k, size, limit in zip(self._seed, place, _TILE, self._bounds, strict=True)
            )
            parts = numbered_parts(self._where(box), self._connectivity)
            kept = np.zeros(int(parts.max()) + 1, np.bool_)
            self.known[place] = _Tile(box, parts, kept, kept.copy())
        return self.known[place]

    def _ways(self, box: Box) -> Iterator[tuple[int, int]]:
        """The axes along which there is more, with -1 for back and 1 for ahead."""
        for axis, step in product(range(3), (-1, 1)):
            side, limit = box[axis], self._bounds[axis]
            if (side.start > limit.start) if step < 0 else (side.stop < limit.stop):
                yield axis, step
