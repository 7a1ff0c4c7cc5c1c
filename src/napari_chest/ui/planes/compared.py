"""What two readings agree on and what only one of them has, slice by slice; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_chest.ui.planes.render import cut

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from napari_chest.model import Mask
    from napari_chest.ui.planes.facing import Facing

    Plane = npt.NDArray[np.bool_]

ONLY_A, ONLY_B, BOTH = 1, 2, 3
"""Values of `compared`; 0 is what neither has."""


def compared(
    masks_a: Sequence[Mask], masks_b: Sequence[Mask], facing: Facing, index: int
) -> npt.NDArray[np.uint8] | None:
    """What two readings have on a slice, as it faces a person; None where neither has masks.

    Segments of one name belong together. Where each has a segment that the other has not, voxels
    are `ONLY_A` and `ONLY_B` in turn.

    Parameters
    ----------
    masks_a, masks_b : of the two readings, on one grid; aids count for nothing.
    facing, index : which slice.
    """
    masks_a, masks_b = _alike(masks_a, masks_b)
    parts_a, parts_b = _parts(masks_a, facing, index), _parts(masks_b, facing, index)
    shape = next((part.shape for part in (*parts_a.values(), *parts_b.values())), None)
    if shape is None:
        return None
    none, only_a, only_b, both = (np.zeros(shape, np.bool_) for _ in range(4))
    for name in parts_a.keys() | parts_b.keys():
        a, b = parts_a.get(name, none), parts_b.get(name, none)
        only_a |= a & ~b
        only_b |= b & ~a
        both |= a & b
    found = np.where(both, np.uint8(BOTH), np.uint8(0))
    found[only_b] = ONLY_B
    in_turn = np.add.outer(np.arange(shape[0]), np.arange(shape[1])) % 2 == 0
    found[only_a & (~only_b | in_turn)] = ONLY_A
    return found


def disagreeing(
    masks_a: Sequence[Mask], masks_b: Sequence[Mask], facing: Facing, count: int
) -> Iterator[int]:
    """How many voxels of each of so many slices only one of two readings has."""
    for index in range(count):
        found = compared(masks_a, masks_b, facing, index)
        yield 0 if found is None else int(np.isin(found, (ONLY_A, ONLY_B)).sum())


def _alike(
    masks_a: Sequence[Mask], masks_b: Sequence[Mask]
) -> tuple[Sequence[Mask], Sequence[Mask]]:
    """The masks to compare: one that is told apart where both tell it apart, else as a whole."""
    told = [{mask.splits for mask in masks if mask.splits} for masks in (masks_a, masks_b)]
    apart = told[0] & told[1]

    def kept(masks: Sequence[Mask]) -> list[Mask]:
        names = {mask.name for mask in masks}
        return [
            mask
            for mask in masks
            if not mask.aid
            and mask.name not in apart
            and (mask.splits not in names or mask.splits in apart)
        ]

    return kept(masks_a), kept(masks_b)


def _parts(masks: Sequence[Mask], facing: Facing, index: int) -> dict[str, Plane]:
    """What a reading has on a slice, by name of segment; what no segment names by that of mask."""
    parts: dict[str, Plane] = {}
    for mask in masks:
        plane: npt.NDArray[Any] = cut(mask.labels, facing, index)
        rest = plane != 0
        for segment in mask.segments:
            here = plane == segment.value
            rest &= ~here
            parts[segment.name] = parts.get(segment.name, False) | here
        if rest.any():
            parts[mask.name] = parts.get(mask.name, False) | rest
    return parts
