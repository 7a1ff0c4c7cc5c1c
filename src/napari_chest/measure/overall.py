"""How far readers agree over many cases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_chest.measure.bland_altman import BlandAltman, bland_altman
from napari_chest.measure.kappa import Concordance, concordances
from napari_chest.measure.resampling import Estimate, mean

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from napari_chest.measure.agreement import CaseAgreement, Pair
    from napari_chest.measure.overlap import Overlap

MEANS = ("dice", "jaccard", "hd95", "hd", "assd", "difference", "difference_percent")
"""The numbers of an `Overlap` that are averaged over cases."""


@dataclass(frozen=True, eq=False)
class SegmentSummary:
    """How two readers' masks of one segment relate over cases.

    Attributes
    ----------
    readers : A and B.
    mask, segment : names.
    cases : ids of all in which any reader has this segment.
    overlaps : of each case.
    means : name of the number (`MEANS`) to its mean over cases, with a bootstrap interval.
    both_empty : cases in which neither reader marked anything; they are in no mean.
    volumes : Bland-Altman of the volumes in ml; of no case where there are no ml.
    """

    readers: Pair
    mask: str
    segment: str
    cases: tuple[str, ...]
    overlaps: tuple[Overlap, ...]
    means: Mapping[str, Estimate]
    both_empty: int
    volumes: BlandAltman


@dataclass(frozen=True, eq=False)
class Pooled:
    """How far readers agree on a column of the slice labels, or on a question, over cases.

    Attributes
    ----------
    name : the column, or the question's key.
    cases : ids.
    found : of all readers where they are more than two, then of every two who have an item in
        common; intervals come from resampling cases.
    """

    name: str
    cases: tuple[str, ...]
    found: tuple[Concordance, ...]


@dataclass(frozen=True, eq=False)
class Agreement:
    """How far readers agree over cases.

    Attributes
    ----------
    cases : what is known of each.
    readers : all that read any case, A first.
    segments : for every two readers and every segment.
    columns : for every column of the slice labels.
    questions : for every question.
    """

    cases: tuple[CaseAgreement, ...]
    readers: tuple[str, ...]
    segments: tuple[SegmentSummary, ...]
    columns: tuple[Pooled, ...]
    questions: tuple[Pooled, ...]


def over_cases(cases: Iterable[CaseAgreement], readers: Sequence[str] | None = None) -> Agreement:
    """What many cases tell together.

    Parameters
    ----------
    cases : of one dataset.
    readers : in the order to tell of them; by default as they come.
    """
    all_cases = tuple(cases)
    found = dict.fromkeys(name for case in all_cases for name in case.readers)
    order = (*(name for name in readers or () if name in found), *found)
    names = tuple(dict.fromkeys(order))
    return Agreement(
        all_cases,
        names,
        _segments(all_cases, names),
        _columns(all_cases, names),
        _questions(all_cases, names),
    )


def _segments(
    cases: Sequence[CaseAgreement], readers: tuple[str, ...]
) -> tuple[SegmentSummary, ...]:
    found: dict[tuple[str, str, Pair], dict[str, Overlap]] = {}
    for case in cases:
        for one in case.segments:
            a, b = one.readers
            turned = readers.index(a) > readers.index(b)
            pair = (b, a) if turned else (a, b)
            numbers = one.overlap.turned() if turned else one.overlap
            found.setdefault((one.mask, one.segment, pair), {})[case.case] = numbers
    return tuple(_summary(*key, overlaps) for key, overlaps in found.items())


def _summary(
    mask: str, segment: str, pair: Pair, overlaps: Mapping[str, Overlap]
) -> SegmentSummary:
    all_of_them = tuple(overlaps.values())
    told = [one for one in all_of_them if not one.both_empty]
    volumes = {
        case: (one.volume_a, one.volume_b)
        for case, one in overlaps.items()
        if one.volume_a is not None and one.volume_b is not None
    }
    return SegmentSummary(
        pair,
        mask,
        segment,
        tuple(overlaps),
        all_of_them,
        {name: _mean(name, told) for name in MEANS},
        len(all_of_them) - len(told),
        bland_altman(
            tuple(volumes), [a for a, _ in volumes.values()], [b for _, b in volumes.values()]
        ),
    )


def _mean(name: str, overlaps: Sequence[Overlap]) -> Estimate:
    missing = "in no case both readers marked something"
    return mean([getattr(one, name) for one in overlaps], missing)


def _columns(cases: Sequence[CaseAgreement], readers: tuple[str, ...]) -> tuple[Pooled, ...]:
    names = dict.fromkeys(one.column for case in cases for one in case.columns)
    return tuple(_column(name, cases, readers) for name in names)


def _column(name: str, cases: Sequence[CaseAgreement], readers: tuple[str, ...]) -> Pooled:
    told = [(case.case, one) for case in cases for one in case.columns if one.column == name]
    having = [reader for reader in readers if any(reader in one.labels for _, one in told)]
    ratings: dict[str, list[Hashable]] = {reader: [] for reader in having}
    clusters: list[Hashable] = []
    for case, one in told:
        slices = len(next(iter(one.labels.values())))
        clusters += [case] * slices
        for reader, said in ratings.items():
            said += one.labels[reader].tolist() if reader in one.labels else [None] * slices
    return Pooled(name, tuple(case for case, _ in told), _told(concordances(ratings, clusters)))


def _questions(cases: Sequence[CaseAgreement], readers: tuple[str, ...]) -> tuple[Pooled, ...]:
    names = dict.fromkeys(one.question for case in cases for one in case.answers)
    return tuple(_question(name, cases, readers) for name in names)


def _question(name: str, cases: Sequence[CaseAgreement], readers: tuple[str, ...]) -> Pooled:
    told = [
        (case.case, one.answers) for case in cases for one in case.answers if one.question == name
    ]
    having = [reader for reader in readers if any(reader in said for _, said in told)]
    ratings = {reader: [said.get(reader) for _, said in told] for reader in having}
    return Pooled(name, tuple(case for case, _ in told), _told(concordances(ratings)))


def _told(found: tuple[Concordance, ...]) -> tuple[Concordance, ...]:
    """Those of readers who have an item in common: in a large dataset few readers have."""
    return tuple(one for one in found if one.kappa.n)
