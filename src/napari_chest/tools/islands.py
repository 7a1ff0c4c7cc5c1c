"""Islands: the parts of a segment that do not touch, by face, edge or corner (26-connected)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_chest.tools.base import Parameter, Tool, ToolError
from napari_chest.tools.connected import connected
from napari_chest.tools.parts import numbered_parts
from napari_chest.tools.regions import chosen, given, millilitres, painted

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from napari_chest.edits.steps import Box
    from napari_chest.tools.base import Painted, Scene, Voxel

_ALIKE = 1e-9
"""Volumes that differ by a smaller share than this are the same."""


class Islands(NamedTuple):
    """The islands of a segment within its box.

    Attributes
    ----------
    box : of the segment.
    parts : of the box's shape; 0 outside, else the number of the island.
    sizes : voxels of each island, by its number; 0 for number 0.
    """

    box: Box
    parts: npt.NDArray[np.unsignedinteger]
    sizes: npt.NDArray[np.int64]


def remove_small_islands(scene: Scene, ml: float = 0.1) -> Painted:
    """Clear every island of the segment with less than this volume."""
    islands = find_islands(scene)
    volumes = islands.sizes * millilitres(1, scene.spacing)
    small = volumes < ml * (1 - _ALIKE)
    if small.all():
        raise ToolError(
            f"All islands of this segment are smaller than {ml:g} ml, the largest has "
            f"{volumes.max():.3g} ml. Choose a smaller volume."
        )
    unchanged = f"No island of this segment is smaller than {ml:g} ml."
    return _repainted(scene, islands, small, 0, unchanged)


def keep_largest_islands(scene: Scene, count: int = 1) -> Painted:
    """Clear every island of the segment but this many of the largest."""
    islands = find_islands(scene)
    found = len(islands.sizes) - 1
    smaller = np.ones(found + 1, dtype=np.bool_)
    smaller[_by_size(islands)[:count]] = False
    have = "one island" if found == 1 else f"{found} islands"
    unchanged = f"This segment has only {have}; there is nothing to remove."
    return _repainted(scene, islands, smaller, 0, unchanged)


def remove_island(scene: Scene, at: Voxel) -> Painted:
    """Clear the island at a voxel, whatever segment it is of."""
    box, island = _island_at(scene, at)
    labels = scene.labels[box].copy()
    np.copyto(labels, 0, where=island)
    note = _counted(scene, [int(np.count_nonzero(island))], "cleared")
    return painted(scene, box, labels, unchanged="", note=note)


def keep_island(scene: Scene, at: Voxel) -> Painted:
    """Clear all islands of the segment at a voxel but the one that is there."""
    scene = replace(scene, value=_segment_at(scene, at))
    islands = find_islands(scene)
    place = tuple(index - part.start for index, part in zip(at, islands.box, strict=True))
    others = np.ones(len(islands.sizes), dtype=np.bool_)
    others[islands.parts[place]] = False
    return _repainted(scene, islands, others, 0, "This is the only island of its segment.")


def split_islands(scene: Scene, to: int | None = None) -> Painted:
    """Give all islands of the segment but the largest to another segment."""
    islands = find_islands(scene)
    smaller = np.ones(len(islands.sizes), dtype=np.bool_)
    smaller[_by_size(islands)[0]] = False
    if not smaller[1:].any():
        raise ToolError("This segment is one island; there is nothing to split off.")
    unchanged = "Choose another segment than the one that is split."
    return _repainted(scene, islands, smaller, given(scene, to), unchanged)


def find_islands(scene: Scene) -> Islands:
    """The islands of the chosen segment.

    Raises
    ------
    ToolError
        where the segment is empty.
    """
    box, inside = chosen(scene)
    scene.go_on()
    parts = numbered_parts(inside, 26)
    scene.go_on()
    return Islands(box, parts, np.bincount(parts[inside]))


def _island_at(scene: Scene, at: Voxel) -> tuple[Box, npt.NDArray[np.bool_]]:
    """A box that holds the island at a voxel, and where in it the island is."""
    value = _segment_at(scene, at)

    def where(box: Box) -> npt.NDArray[np.bool_]:
        here: npt.NDArray[np.bool_] = scene.labels[box] == value
        return here

    everywhere = tuple(slice(0, length) for length in scene.labels.shape)
    return connected(where, at, everywhere, connectivity=26, go_on=scene.go_on)


def _segment_at(scene: Scene, at: Voxel) -> int:
    if not all(0 <= i < length for i, length in zip(at, scene.labels.shape, strict=True)):
        raise ToolError("This is outside the volume. Point at an island.")
    value = int(scene.labels[at])
    if value == 0:
        raise ToolError("There is no segment here. Point at an island.")
    return value


def _by_size(islands: Islands) -> npt.NDArray[np.int64]:
    """Numbers of the islands, the largest first."""
    return 1 + np.argsort(-islands.sizes[1:], kind="stable")


def _repainted(
    scene: Scene, islands: Islands, which: npt.NDArray[np.bool_], value: int, unchanged: str
) -> Painted:
    """Some islands with another value; what is said of number 0 counts for nothing."""
    which[0] = False
    labels = scene.labels[islands.box].copy()
    np.copyto(labels, value, where=np.take(which, islands.parts, mode="clip"))  # unchecked: fast
    note = _counted(scene, islands.sizes[which], "given away" if value else "cleared")
    return painted(scene, islands.box, labels, unchanged=unchanged, note=note)


def _counted(scene: Scene, sizes: Sequence[int] | npt.NDArray[np.int64], done: str) -> str:
    islands = "1 island" if len(sizes) == 1 else f"{len(sizes)} islands"
    return f"{islands} {done}, {millilitres(int(sum(sizes)), scene.spacing):.3g} ml"


_TO = Parameter("to", "Give to", "segment")

TOOLS = (
    Tool(
        "remove_small_islands",
        "Remove small islands",
        "Clears every part of the segment that is smaller than a volume.",
        "Clean",
        remove_small_islands,
        (Parameter("ml", "Smaller than", "number", 0.1, 0.001, 1000.0, "ml"),),
        preview=True,
    ),
    Tool(
        "keep_largest_islands",
        "Keep the largest",
        "Clears all parts of the segment but the largest one, or the largest few.",
        "Clean",
        keep_largest_islands,
        (Parameter("count", "How many to keep", "whole number", 1, 1, 100),),
        preview=True,
    ),
    Tool(
        "remove_island",
        "Remove this island",
        "Clears the part that is pointed at, on all slices, whatever segment it is of.",
        "Clean",
        remove_island,
        needs="voxel",
    ),
    Tool(
        "keep_island",
        "Keep only this island",
        "Clears all other parts of the segment that is pointed at.",
        "Clean",
        keep_island,
        needs="voxel",
    ),
    Tool(
        "split_islands",
        "Split off smaller islands",
        "Gives all parts of the segment but the largest one to another segment.",
        "Clean",
        split_islands,
        (_TO,),
        preview=True,
    ),
)
