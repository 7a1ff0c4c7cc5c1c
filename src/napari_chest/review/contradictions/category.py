"""The severity category of a CT against the share of the lungs that its mask covers.

The README of MosMedData COVID19_1110 ("Class C Annotation Principles") gives the cut points: CT-0
no signs, CT-1 below 25 % of the lung parenchyma, CT-2 25 to 50 %, CT-3 50 to 75 %, CT-4 above. It
does not say whether both lungs count together or the worse one, so both shares are told, and a
category contradicts the mask only where it does by both.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_chest.review.contradictions.seen import middle_of
from napari_chest.review.contradictions.words import SetAnswer
from napari_chest.tools.lungs import LUNG_SEGMENTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    import numpy.typing as npt

    from napari_chest.model import Question
    from napari_chest.review.contradictions.seen import Flags, Seen
    from napari_chest.review.contradictions.words import Contradiction

CUTS = (0.25, 0.5, 0.75)
"""Shares of the lungs that part CT-1, CT-2, CT-3 and CT-4; README of MosMedData COVID19_1110."""
SLACK = 0.03
"""Share by which the lungs found and an estimate by eye may be off; ours."""
LEAST_LUNG = 0.2
"""Of the larger lung: a smaller one was not found whole, and shares of it mean nothing; ours."""
_CATEGORY = re.compile(r"CT-([0-4])")


class Shares(NamedTuple):
    """How much of both lungs together, and of the worse one, is covered; 0 to 1."""

    both: float
    worse: float


def category_of(share: float) -> int:
    """The category of lungs of which so much is covered, 0 to 4."""
    return 0 if share <= 0 else 1 + sum(share > cut for cut in CUTS)


def contradicts(category: int, share: float) -> bool:
    """Whether a share is outside a category by more than the slack."""
    if category == 0 or share <= 0:
        return (category == 0) != (share <= 0)
    low, high = (0.0, *CUTS, 1.0)[category - 1 : category + 1]
    return not low - SLACK <= share <= high + SLACK


def shares(lesions: Flags, lungs: npt.NDArray[Any]) -> Shares | None:
    """How much of the lungs lesions cover; None where one lung was not found.

    Dense disease that the lungs lack belongs to them: a lesion outside counts as lung of the side
    whose middle is nearer.

    Parameters
    ----------
    lesions : (Z, Y, X).
    lungs : (Z, Y, X), 1 right and 2 left.
    """
    right, left = (segment.value for segment in LUNG_SEGMENTS)
    counts = {side: int(np.count_nonzero(lungs == side)) for side in (right, left)}
    if min(counts.values()) < LEAST_LUNG * max(counts.values()) or not max(counts.values()):
        return None
    columns = {side: _mean_column(lungs == side) for side in counts}
    middle = (columns[right] + columns[left]) / 2
    covered = {side: int(np.count_nonzero(lesions & (lungs == side))) for side in counts}
    outside = np.count_nonzero(lesions & (lungs == 0), axis=(0, 1))
    near_left = (np.arange(len(outside)) > middle) == (columns[left] > middle)
    for side, there in ((left, near_left), (right, ~near_left)):
        more = int(outside[there].sum())
        covered[side] += more
        counts[side] += more
    worse = max(covered[side] / counts[side] for side in counts)
    return Shares(sum(covered.values()) / sum(counts.values()), worse)


def check_mask(seen: Seen) -> Iterator[Contradiction]:
    """A category of healthy lungs over lesions, or one of sick lungs over an empty mask."""
    for question, category in _answered(seen):
        if seen.infection is None or (category == 0) != seen.has_infection:
            continue
        if category:
            text = f"The category is CT-{category}, and the mask is empty."
            fix = SetAnswer("Set category to CT-0", question.key, ("CT-0",))
            yield seen.found("category mask", text, fix, mask=seen.infected[0].name)
        else:
            text = "The category is CT-0, which is lungs without a sign, and the mask has lesions."
            fix = SetAnswer("Set category to CT-1", question.key, ("CT-1",))
            at = middle_of(seen.infection)
            yield seen.found("category mask", text, fix, mask=seen.infected[0].name, voxel=at)


def check_share(seen: Seen) -> Iterator[Contradiction]:
    """A category that the share of the lungs contradicts, of both and of the worse one."""
    if seen.lungs is None or seen.infection is None or not seen.has_infection:
        return
    if seen.lungs.shape != seen.infection.shape:
        return
    for question, category in _answered(seen):
        found = shares(seen.infection, seen.lungs) if category else None
        if found is None or not all(contradicts(category, share) for share in found):
            continue
        likely = [category_of(share) for share in found]
        text = (
            f"The category is CT-{category}; the mask covers {100 * found.both:.0f} % of the lungs "
            f"(CT-{likely[0]}) and {100 * found.worse:.0f} % of the worse one (CT-{likely[1]})."
        )
        fixes = [
            SetAnswer(f"Set category to CT-{one}", question.key, (f"CT-{one}",))
            for one in dict.fromkeys(likely)
            if one != category
        ]
        at = middle_of(seen.infection)
        yield seen.found("category share", text, *fixes, mask=seen.infected[0].name, voxel=at)


def _answered(seen: Seen) -> Iterator[tuple[Question, int]]:
    """The questions about the category that have one answer, and that answer."""
    for question in seen.questions:
        given = seen.reading.answers[question.key]
        asked = all(_CATEGORY.fullmatch(choice) for choice in question.choices)
        if asked and len(given) == 1 and (match := _CATEGORY.fullmatch(given[0])):
            yield question, int(match[1])


def _mean_column(flags: Flags) -> float:
    columns = np.count_nonzero(flags, axis=(0, 1))
    return float(columns @ np.arange(len(columns)) / max(columns.sum(), 1))
