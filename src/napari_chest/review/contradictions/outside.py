"""Lesions that are drawn outside the lungs.

The lungs are found by a program or drawn for the work; dense disease may be missing from them. So
islands that come nowhere near a lung are told, and large parts beyond them, as notes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_chest.review.contradictions.seen import lung_values, middle_of, where
from napari_chest.review.contradictions.words import SetVoxels
from napari_chest.tools.base import segment_box
from napari_chest.tools.distance import near
from napari_chest.tools.lungs import LUNG_SEGMENTS
from napari_chest.tools.parts import numbered_parts
from napari_chest.tools.regions import grown, millilitres, placed, within

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from napari_chest.edits import Box
    from napari_chest.model import Mask
    from napari_chest.review.contradictions.seen import Flags, Seen
    from napari_chest.review.contradictions.words import Contradiction

TOLERANCE_MM = 10.0
"""So far from a lung a lesion still counts as in it. Ours."""
TOLERANCE_SLICES = 1.5
"""Likewise, in slices, where these are thick: those of MosMedData are 8 mm. Ours."""
ISLANDS_ML = 0.5
"""Of islands that come nowhere near a lung, from which they are told. Ours."""
BEYOND_ML = 5.0
"""Of what lies beyond the tolerance in all, from which it is told. Ours."""
BEYOND_SHARE = 0.1
"""Of the lesions of the mask, likewise. Ours."""


def check_outside(seen: Seen) -> Iterator[Contradiction]:
    """Lesions outside the lungs, by mask."""
    if seen.lungs is None or seen.volume is None or not _both_lungs(seen.lungs):
        return
    for mask in seen.masks:
        values = lung_values(mask)
        if values and mask.labels.shape == seen.lungs.shape:
            yield from _outside(seen, mask, where(mask, values))


def _both_lungs(lungs: npt.NDArray[Any]) -> bool:
    """Whether both lungs were found: a lesion may fill the one that was not."""
    return all((lungs == segment.value).any() for segment in LUNG_SEGMENTS)


def _outside(seen: Seen, mask: Mask, lesions: Flags) -> Iterator[Contradiction]:
    assert seen.volume is not None
    assert seen.lungs is not None
    spacing = seen.volume.grid.spacing
    inner = segment_box(lesions, value=True)
    if inner is None:
        return
    # With a margin, so that lung beside the box counts.
    tolerance = max(TOLERANCE_MM, TOLERANCE_SLICES * spacing[0])
    box = grown(inner, within(tolerance, spacing), lesions.shape)
    there = lesions[box]
    far = there & ~near(seen.lungs[box] != 0, spacing, tolerance)
    islands = _islands_in(there, far)
    alone = millilitres(int(np.count_nonzero(islands)), spacing)
    beyond = millilitres(int(np.count_nonzero(far)), spacing)
    share = np.count_nonzero(far) / np.count_nonzero(there)
    if alone >= ISLANDS_ML:
        text = (
            f"{mask.name}: {alone:.1f} ml lie more than {tolerance:.0f} mm outside the lungs, "
            "apart from all that is in them."
        )
        fix = _cleared(mask, box, islands, f"Clear {alone:.1f} ml outside the lungs")
        yield _note(seen, mask, box, islands, text, fix)
    elif beyond >= BEYOND_ML and share >= BEYOND_SHARE:
        text = (
            f"{mask.name}: {beyond:.0f} ml of it, {100 * share:.0f} %, lie more than "
            f"{tolerance:.0f} mm outside the lungs; or the lungs lack dense disease there."
        )
        yield _note(seen, mask, box, far, text)


def _islands_in(there: Flags, far: Flags) -> Flags:
    """The islands (26 neighbours) of which every voxel is far."""
    if not far.any():
        return far
    numbers = numbered_parts(there, 26)
    touches = np.zeros(int(numbers.max(initial=0)) + 1, np.bool_)
    touches[numbers[there & ~far]] = True
    islands: Flags = far & ~touches[numbers]
    return islands


def _cleared(mask: Mask, box: Box, flags: Flags, text: str) -> SetVoxels:
    inner = segment_box(flags, value=True)
    assert inner is not None
    return SetVoxels(text, mask.name, placed(box, inner), flags[inner].copy())


def _note(
    seen: Seen, mask: Mask, box: Box, flags: Flags, text: str, *fixes: SetVoxels
) -> Contradiction:
    z, y, x = (part.start + at for part, at in zip(box, middle_of(flags), strict=True))
    return seen.found("outside lungs", text, *fixes, level="note", mask=mask.name, voxel=(z, y, x))
