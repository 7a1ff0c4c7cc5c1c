"""Corrected releases: what was approved or adjudicated, in the dataset's own format."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from napari_chest.changes import Correction
from napari_chest.edits import fingerprint
from napari_chest.errors import SaveError
from napari_chest.export.parts import Parts
from napari_chest.review.packed import unpack_reading
from napari_chest.review.words import ADJUDICATED, SUBMITTED

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from napari_chest.datasets import Dataset
    from napari_chest.model import Reading
    from napari_chest.review.book import Book
    from napari_chest.review.words import State, StoredReading

APPROVED: frozenset[State] = frozenset({"approved"})


@dataclass(frozen=True)
class Release:
    """What of a review would be exported.

    Attributes
    ----------
    cases : their ids, in the order of the dataset.
    adjudicated : those of them whose adjudicated reading is.
    left : ids of cases that were submitted and are left out, and why.
    """

    cases: tuple[str, ...] = ()
    adjudicated: frozenset[str] = frozenset()
    left: Mapping[str, str] = field(default_factory=dict)


def plan_release(dataset: Dataset, book: Book, states: Collection[State] = APPROVED) -> Release:
    """What of a review can be exported; cheap, no reading is opened.

    An adjudicated reading stands for its case. Else the corrections of who is in one of the states
    do; of two such people for one case neither does, because that is for an adjudicator.

    Parameters
    ----------
    dataset : the dataset.
    book : what the review knows.
    states : of work whose corrections are exported.
    """
    cases, adjudicated, left = [], set(), {}
    infos = dataset.cases()
    for info in infos:
        works = {one.key.reader: one for one in book.of_case(info.id) if not one.key.round}
        agreed = works.pop(ADJUDICATED, None)
        done = [one for one in works.values() if one.state in states]
        if agreed is not None and agreed.state in SUBMITTED - {"rejected"}:
            cases.append(info.id)
            adjudicated.add(info.id)
        elif len(done) == 1:
            cases.append(info.id)
        elif done:
            names = " and ".join(sorted(one.key.reader for one in done))
            left[info.id] = f"{names} both corrected it: adjudicate it first."
        elif any(one.state in SUBMITTED for one in works.values()):
            left[info.id] = "It is submitted and not approved."
        elif any(one.state in SUBMITTED for one in book.of_case(info.id)):
            left[info.id] = "It was read in a round and is not adjudicated."
    known = {info.id for info in infos}
    for key, work in sorted(book.works.items()):
        if work.state in SUBMITTED and key.case not in known:
            left[key.case] = "The dataset does not have this case any more."
    return Release(tuple(cases), frozenset(adjudicated), left)


def has_release(book: Book) -> bool:
    """Whether anything of a review may be exported; cheaper than to plan it."""
    return any(
        work.state in APPROVED or (work.key.reader == ADJUDICATED and work.state in SUBMITTED)
        for work in book.works.values()
    )


def released(
    dataset: Dataset,
    book: Book,
    stored: Callable[[str], Sequence[StoredReading]],
    release: Release,
    states: Collection[State] = APPROVED,
) -> dict[str, Parts]:
    """The corrections of a release by case, for `export_readings` or `write_back`.

    Parameters
    ----------
    dataset, book, release, states : as in `plan_release`.
    stored : gives the readings that were submitted for a case.
    """
    found = {}
    for case in release.cases:
        wanted = _wanted(book, stored(case), case, states, adjudicated=case in release.adjudicated)
        if wanted:
            found[case] = Parts([partial(_correction, dataset, one) for one in wanted])
    return found


def _wanted(
    book: Book,
    stored: Sequence[StoredReading],
    case: str,
    states: Collection[State],
    *,
    adjudicated: bool,
) -> list[StoredReading]:
    if adjudicated:
        return [one for one in stored if one.name == ADJUDICATED]
    return [
        one
        for one in stored
        if not one.round
        and one.of
        and one.name != ADJUDICATED
        and book.work(0, case, one.owner).state in states
    ]


def _correction(dataset: Dataset, stored: StoredReading) -> Correction:
    """How a stored reading corrects the dataset's.

    Raises
    ------
    SaveError
        when the dataset has another reading now than the one that was corrected, or what is stored
        is damaged.
    """
    before = next((r for r in dataset.readings(stored.case) if r.reader == stored.of), None)
    if before is None or fingerprint(before) != stored.base:
        raise SaveError(
            f"{stored.name} corrects a reading of {stored.of} that the dataset does not have any "
            "more. Put the dataset back as it was, or submit the case again."
        )
    try:
        after = unpack_reading(stored.payload)
    except ValueError as error:
        raise SaveError(
            f"{stored.name} in the store is damaged: {error}. Submit it again."
        ) from error
    return Correction(before, _as_written(after, before))


def _as_written(after: Reading, before: Reading) -> Reading:
    """A stored reading under the name of the one that it corrects."""
    said = after.answers
    if after.reader == ADJUDICATED:
        # A question that was left open there is not one that was answered with nothing.
        said = {key: answer for key, answer in said.items() if answer or key not in before.answers}
    return replace(after, reader=before.reader, answers={**before.answers, **said})
