"""Readings as they were left: drafts from the journal, and what is known of those not open."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from napari_chest.edits import Draft
from napari_chest.errors import ChestError, ProtectedError, ReadError, SaveError
from napari_chest.model import Problem, Reading
from napari_chest.review.journal.replay import JournalMismatch
from napari_chest.review.words import is_kept

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from napari_chest.changes import ReadingChange
    from napari_chest.datasets import Dataset
    from napari_chest.edits import Move
    from napari_chest.model import CaseInfo
    from napari_chest.review.journal import Journal
    from napari_chest.review.journal.replay import Resumed


@dataclass(frozen=True)
class Unsaved:
    """A reading that differs from what was last saved, or from the dataset.

    Attributes
    ----------
    case : the case.
    reader : of the reading.
    change : what differs from what was last saved.
    change_to_dataset : what differs from the dataset itself.
    """

    case: CaseInfo
    reader: str
    change: ReadingChange
    change_to_dataset: ReadingChange


@dataclass(frozen=True)
class Restored:
    """What the journal had of a case when it was opened.

    Attributes
    ----------
    drafts : reader to the reading as it was left.
    read_only : why nothing of the case may be changed; empty where it may.
    problems : what a person should know of it.
    set_aside : readers of whom something was recorded that does not fit their readings now.
    erased : readings that are worked on, and of which the dataset has nothing any more.
    """

    drafts: dict[str, Draft] = field(default_factory=dict)
    read_only: str = ""
    problems: tuple[Problem, ...] = ()
    set_aside: frozenset[str] = frozenset()
    erased: tuple[Reading, ...] = ()


class Recorder:
    """Tells the moves of one draft to a journal."""

    def __init__(self, journal: Journal, case: str, reader: str) -> None:
        self._journal = journal
        self._case = case
        self._reader = reader
        self._draft: Draft | None = None

    def begin(self, draft: Draft) -> None:
        """Record from now on: what a draft went through before is recorded already."""
        self._draft = draft

    def __call__(self, move: Move) -> None:
        """Record a move."""
        if self._draft is not None:
            self._journal.record(self._case, self._reader, move, self._draft.in_dataset)


def begin_draft(
    journal: Journal | None, case: CaseInfo, reading: Reading, resumed: Resumed | None = None
) -> Draft:
    """A draft of the dataset's reading, which goes on from what was recorded.

    Raises
    ------
    ProtectedError
        when what was recorded does not fit the reading.
    """
    recorder = Recorder(journal, case.id, reading.reader) if journal is not None else None
    draft = Draft(case, reading if resumed is None else resumed.whole(reading), recorder)
    if resumed is not None:
        resumed.go_on(draft)
    if recorder is not None:
        recorder.begin(draft)
    return draft


def unsaved_of(draft: Draft) -> Unsaved:
    """How a draft differs from what is on disk."""
    return Unsaved(draft.case, draft.saved.reader, draft.change, draft.change_to_dataset)


def restore(journal: Journal | None, case: CaseInfo, readings: Sequence[Reading]) -> Restored:
    """Take a case for this window, with its readings as they were left."""
    if journal is None:
        return Restored()
    reason = journal.claim(case.id)
    if reason:
        told = (
            f"{case.title} cannot be changed here: {reason}. Close it there, then open the case "
            "again."
        )
        return Restored(_as_left(journal, case, readings), told, (Problem("warning", told),))
    try:
        return _restored(journal, case, readings, _erased(journal, case, readings))
    except ReadError as error:
        # Correcting on top of what cannot be seen would leave two states of one reading.
        return Restored({}, str(error), (Problem("error", str(error)),))


def _restored(
    journal: Journal, case: CaseInfo, readings: Sequence[Reading], erased: Sequence[Reading]
) -> Restored:
    drafts: dict[str, Draft] = {}
    problems: list[Problem] = []
    set_aside: set[str] = set()
    for reading in (*readings, *erased):
        try:
            resumed = journal.resume(case.id, reading.reader, reading)
            if resumed is not None:
                drafts[reading.reader] = begin_draft(journal, case, reading, resumed)
        except JournalMismatch as error:
            set_aside.add(reading.reader)
            problems.append(Problem("warning", str(error)))
        except ProtectedError as error:
            set_aside.add(reading.reader)
            journal.set_aside(case.id, reading.reader)
            problems.append(Problem("warning", _misfit(journal, reading, error)))
    more = tuple(reading for reading in erased if reading.reader in drafts)
    return Restored(drafts, "", tuple(problems), frozenset(set_aside), more)


def take_up(journal: Journal, dataset: Dataset, left: Unsaved) -> Draft:
    """A reading that was left, to be saved without being opened.

    Raises
    ------
    ChestError
        when another window has the case, or what was recorded does not fit the dataset.
    """
    reason = journal.claim(left.case.id)
    if reason:
        raise SaveError(f"{left.case.title} was not saved: {reason}. Save it there.")
    reading = _reading_of(dataset, left.case, left.reader)
    return begin_draft(
        journal, left.case, reading, journal.resume(left.case.id, left.reader, reading)
    )


def all_unsaved(journal: Journal, dataset: Dataset, cases: Iterable[CaseInfo]) -> list[Unsaved]:
    """What was left in all cases of a dataset; those that cannot be told are left out.

    Opening such a case tells what is wrong with it. Readings that the review keeps are left out
    too: the work list tells how far they are.
    """
    known = {case.id: case for case in cases}
    found = []
    for one in journal.in_progress():
        if one.case in known and not is_kept(one.reader):
            found += _unsaved_in(journal, dataset, known[one.case], one.reader)
    return found


def _unsaved_in(journal: Journal, dataset: Dataset, case: CaseInfo, reader: str) -> list[Unsaved]:
    try:
        drafts = _as_left(journal, case, [_reading_of(dataset, case, reader)]).values()
    except ChestError:
        return []
    found = [unsaved_of(draft) for draft in drafts]
    return [one for one in found if one.change or one.change_to_dataset]


def _as_left(journal: Journal, case: CaseInfo, readings: Iterable[Reading]) -> dict[str, Draft]:
    """The readings as they were left, to be looked at; those that do not fit are left out."""
    drafts = {}
    for reading in readings:
        try:
            resumed = journal.peek(case.id, reading.reader, reading)
            if resumed is not None:
                drafts[reading.reader] = begin_draft(None, case, reading, resumed)
        except ChestError:
            continue  # shown as the dataset has it
    return drafts


def _reading_of(dataset: Dataset, case: CaseInfo, reader: str) -> Reading:
    """What a reader says; nothing where the dataset has nothing of that reader any more."""
    found = (one for one in dataset.readings(case.id) if one.reader == reader)
    return next(found, Reading(reader))


def _erased(journal: Journal, case: CaseInfo, readings: Iterable[Reading]) -> list[Reading]:
    """Readings that are worked on, of readers of whom the dataset has nothing any more."""
    known = {reading.reader for reading in readings}
    return [
        Reading(one.reader)
        for one in journal.in_progress(case.id)
        if one.reader not in known and not is_kept(one.reader)
    ]


def _misfit(journal: Journal, reading: Reading, error: ProtectedError) -> str:
    return (
        f"What was recorded of {reading.reader} in {journal.path} does not fit the reading: "
        f"{error} It is kept there, and not shown."
    )
