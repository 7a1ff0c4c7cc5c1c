"""Values in a mask that no segment names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_chest.edits.steps import count_values
from napari_chest.review.contradictions.seen import middle_of, where
from napari_chest.review.contradictions.words import SetVoxels
from napari_chest.tools.base import segment_box

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from napari_chest.model import Mask, Segment
    from napari_chest.review.contradictions.seen import Seen
    from napari_chest.review.contradictions.words import Contradiction, Fix

MOST_FIXED = 3
"""Values of a mask for which fixes are offered; more of them are no slip of a hand. Ours."""


def check_values(seen: Seen) -> Iterator[Contradiction]:
    """Stray values in a mask whose other values have names."""
    for mask in seen.masks:
        named = [one for one in mask.segments if not _by_number(one)]
        if not named:  # nobody named any of them, which is how the mask was made
            continue
        counts = _counts(mask)
        known = {one.value for one in named}
        strays = [value for value in counts if value not in known]
        if strays:
            told = ", ".join(f"{value} ({counts[value]:,} voxels)" for value in strays[:8])
            more = f" and {len(strays) - 8} more" if len(strays) > 8 else ""
            text = f"{mask.name} has values that no segment names: {told}{more}."
            fixes = _fixes(mask, strays, counts, named) if len(strays) <= MOST_FIXED else ()
            at = middle_of(where(mask, strays))
            yield seen.found("stray values", text, *fixes, mask=mask.name, voxel=at)


def _by_number(segment: Segment) -> bool:
    """Whether a segment is only called by its number, as datasets show what nobody named."""
    return segment.name == f"value {segment.value}"


def _counts(mask: Mask) -> dict[int, int]:
    """How many voxels have each value above 0."""
    found = count_values(mask.labels)
    return {value: int(found[value]) for value in range(1, len(found)) if found[value]}


def _fixes(
    mask: Mask, strays: Sequence[int], counts: dict[int, int], named: Sequence[Segment]
) -> Iterator[Fix]:
    for value in strays:
        box = segment_box(mask.labels, value)
        assert box is not None
        flags = mask.labels[box] == value
        count = f"{counts[value]:,} voxels" if counts[value] > 1 else "1 voxel"
        yield SetVoxels(f"Clear {count} of value {value}", mask.name, box, flags)
        if len(named) == 1:
            only = named[0]
            text = f"Make value {value} {only.name}"
            yield SetVoxels(text, mask.name, box, flags, only.value)
