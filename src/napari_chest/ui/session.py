"""What is open, what has been corrected, and what is not saved yet; no widgets, no layers."""

from __future__ import annotations

from dataclasses import replace
from threading import Thread
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_chest.edits import fingerprint
from napari_chest.errors import StoreError
from napari_chest.review.acts import Packed, Submit
from napari_chest.review.blind import sees_all
from napari_chest.review.casework import Seat, adjudicated
from napari_chest.review.journal.telling import JournalState
from napari_chest.review.packed import pack_reading
from napari_chest.review.words import ADJUDICATED, corrected_name, is_kept, reading_name
from napari_chest.ui.correcting import Corrections
from napari_chest.ui.drafts import Drafts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from napari_chest.datasets import Dataset
    from napari_chest.edits import Draft
    from napari_chest.model import CaseInfo, MaskOffer, Reading
    from napari_chest.review.casework import Kept
    from napari_chest.review.desk import Desk
    from napari_chest.review.journal import Journal
    from napari_chest.ui.drafts import Handed
    from napari_chest.ui.open_case import OpenCase
    from napari_chest.ui.resuming import Unsaved


class Session(Corrections):
    """One dataset at work: which case is open, whose reading is shown, what was corrected.

    Every move is told to the dataset's journal, from which going back to a case finds it as it was
    left.

    Signals
    -------
    reading_chosen(Draft or None) : another reading is shown.
    journal_changed() : the journal is another one, or further than it was.
    desk_changed(frozenset) : the review of these cases changed, of any where it is empty; told from
        the desk's thread.
    review_changed(frozenset) : the same, told by the window in its own.
    round_chosen() : cases are opened for another round from now on.
    """

    reading_chosen = Signal(object)
    journal_changed = Signal()
    desk_changed = Signal(object)
    review_changed = Signal(object)
    round_chosen = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.cases: Sequence[CaseInfo] = ()
        self._reader: str | None = None
        self.desk: Desk | None = None
        self.round = 0
        self._drafts = Drafts()
        self._state = JournalState()
        self._taken: set[tuple[str, str]] = set()

    @property
    def person(self) -> str:
        """Who sits here; empty without a desk."""
        return "" if self.desk is None else self.desk.person

    @property
    def seat(self) -> Seat | None:
        """Who opens cases, and in which round; None without a desk."""
        return None if self.desk is None else Seat(self.desk, self.round)

    @property
    def journal(self) -> Journal | None:
        """Where moves are recorded, if anywhere."""
        return self._drafts.journal

    # What is open

    def open_dataset(
        self,
        dataset: Dataset,
        cases: Sequence[CaseInfo],
        journal: Path | None = None,
        desk: Desk | None = None,
    ) -> None:
        """Start anew with a dataset; what was done in the one before is in its journal.

        Parameters
        ----------
        dataset, cases : the dataset and all its cases.
        journal : the folder in which moves are recorded; they are recorded nowhere without one.
        desk : where the review is kept; there is none without one.
        """
        self.close()
        self.desk, self.round, self._taken = desk, 0, set()
        self.dataset, self.cases = dataset, cases
        self.open_case = self.draft = self._reader = None
        self._drafts = Drafts(journal)
        self.unsaved_changed.emit()
        self.journal_changed.emit()

    def close(self) -> None:
        """Write what waits for the journal and the desk, and record no more."""
        self._drafts.close()
        if self.desk is not None:
            self.desk.close()

    def show_case(self, case: OpenCase) -> None:
        """Make a case the open one, with the reading that was shown before or else its first."""
        self._give_back(case.info.id)
        self.open_case = case
        self.draft = None
        self._drafts.open_case(case.info.id, case.restored.set_aside)
        readers = [reading.reader for reading in case.readings]
        if readers:
            self._show_reading(self._reader if self._reader in readers else readers[0])
        else:
            self.reading_chosen.emit(None)

    def choose_reader(self, reader: str) -> None:
        """Show another reader's reading, of the open case and of those opened after it."""
        self._reader = reader
        self._show_reading(reader)

    def _show_reading(self, reader: str) -> None:
        case = self.open_case
        if case is None:
            return
        self.draft = self._drafts.of(case, reader)
        self.reading_chosen.emit(self.draft)

    def refresh_cases(self, cases: Sequence[CaseInfo]) -> None:
        """Take note of other facts about the same cases."""
        self.cases = cases

    def listed(self) -> Sequence[CaseInfo]:
        """The cases as a list may show them: those read blind without facts, which may tell."""
        desk = self.desk
        if desk is None or not any(one.blind and not one.closed for one in desk.book.rounds):
            return self.cases
        book, person = desk.book, desk.person
        return [
            case if sees_all(book, person, self.round, case.id) else replace(case, facts={})
            for case in self.cases
        ]

    def neighbour(self, step: int, order: Sequence[str], start: str | None = None) -> str | None:
        """The case so many steps away from another in a list of case ids; None at its end.

        Unless given, the start is the open case; a start that is not in the list gives its first.
        """
        if not order:
            return None
        now = start or (self.open_case.info.id if self.open_case else None)
        if now not in order:
            return order[0]
        index = order.index(now) + step
        return order[index] if 0 <= index < len(order) else None

    # The review

    def sit_at(self, desk: Desk) -> None:
        """Go on at another desk; what was done at the one before is kept there."""
        self._give_back("")
        if self.desk is not None:  # which may wait for a server
            Thread(target=self.desk.close, name="closing desk").start()
        self.desk, self.round, self._reader, self._taken = desk, 0, None, set()
        self.round_chosen.emit()
        self.review_changed.emit(frozenset())

    def choose_round(self, number: int) -> None:
        """Open cases for another round from now on; 0 is the review of the dataset's readings."""
        if number != self.round:
            self.round, self._reader = number, None
            self.round_chosen.emit()
            self.review_changed.emit(frozenset())

    def standing(self, reader: str) -> Reading | None:
        """A reading of the open case as it stands now; later edits may show in its arrays."""
        case = self.open_case
        if case is None:
            return None
        draft = self._drafts.of_reading(case.info.id, reader)
        if draft is None:  # left earlier, and not looked at since
            draft = case.restored.drafts.get(reader)
        if draft is not None:
            return draft.standing
        return next((one for one in case.readings if one.reader == reader), None)

    def offers(self) -> tuple[MaskOffer, ...]:
        """The masks that a person may add to the reading on screen."""
        case, draft, dataset = self.open_case, self.draft, self.dataset
        if case is None or draft is None or dataset is None:
            return ()
        reading = draft.standing
        if reading.reader in case.kept:  # of which the dataset does not know
            reading = replace(reading, reader=case.like)
        return dataset.offers(case.info.id, reading)

    def submit(self) -> bool:
        """Hand in what was made of the open case; says whether that was possible.

        Of a reading that the review keeps all is handed in; of the dataset's what was corrected,
        which may be nothing.
        """
        case, desk = self.open_case, self.desk
        if case is None or desk is None:
            return False
        name = self._submitted_name(case)
        kept = case.kept.get(name)
        drafts = [self._drafts.of(case, name)] if kept else self._corrected(case)
        locked = next((draft.read_only for draft in drafts if draft.read_only), "")
        if locked or (self.round and kept is None):
            self.refused.emit(locked or "This case is not read in this round.")
            return False
        readings = [(draft, self._drafts.hand_over(draft)) for draft in drafts]
        parts = tuple(_packed(draft, reading, kept, self.person) for draft, reading in readings)
        whose = self.person if kept is None else kept.owner or ADJUDICATED
        number = 0 if kept is None else kept.round
        act = Submit(who=self.person, case=case.info.id, reader=whose, round=number, readings=parts)
        try:
            desk.book.with_act(act)
        except StoreError as error:
            self.refused.emit(str(error))
            return False
        desk.do(act)
        if kept is not None:
            self.mark_saved([(case.info.id, reading) for _, reading in readings], in_dataset=True)
        else:
            handed_in = case.handed_in | {reading.reader for _, reading in readings}
            self.open_case = replace(case, handed_in=handed_in)
        return True

    def adjudicate(self, agreed: Reading | None = None) -> None:
        """Show the adjudicated reading of the open case, which is begun where there is none.

        Parameters
        ----------
        agreed : what it begins with; nothing unless given.
        """
        case, dataset = self.open_case, self.dataset
        if case is None or dataset is None or not case.readings:
            return
        begins = all(one.reader != ADJUDICATED for one in case.readings)
        if begins:
            of_dataset = [one for one in case.readings if one.reader not in case.kept]
            reading, kept = adjudicated(dataset, of_dataset or case.readings)
            self.open_case = replace(
                case,
                readings=(*case.readings, reading),
                kept={**case.kept, ADJUDICATED: kept},
            )
        self.choose_reader(ADJUDICATED)
        if begins and agreed is not None:
            self.begin_with(agreed)

    def _submitted_name(self, case: OpenCase) -> str:
        shown = self.draft.saved.reader if self.draft is not None else ""
        if shown in case.kept or not self.round:
            return shown
        return reading_name(self.person, self.round)

    def _corrected(self, case: OpenCase) -> list[Draft]:
        """The drafts of the dataset's readings of the open case that were corrected.

        Also those whose correction was taken back, which would stand as it was submitted else.
        """
        of_dataset = [r.reader for r in case.readings if r.reader not in case.kept]
        return [
            draft
            for draft in (self._drafts.of(case, reader) for reader in of_dataset)
            if draft.change_to_dataset or (draft.touched and draft.saved.reader in case.handed_in)
        ]

    def _is_refused(self) -> bool:
        """Whether nothing may be changed, also because somebody else is at it."""
        case, draft = self.open_case, self.draft
        if self.desk is not None and case is not None and draft is not None:
            name = self._lease_of(case, draft)
            if not draft.read_only and (case.info.id, name) not in self._taken:
                taken_by = self.desk.take(case.info.id, name)
                if taken_by:
                    draft.read_only = (
                        f"{case.info.title} cannot be changed here: {taken_by}. Open the case "
                        "again once it is closed there."
                    )
                else:
                    self._taken.add((case.info.id, name))
        return super()._is_refused()

    @staticmethod
    def _lease_of(case: OpenCase, draft: Draft) -> str:
        """What a window holds to correct a reading; empty for all of the dataset's of a case."""
        return draft.saved.reader if draft.saved.reader in case.kept else ""

    def _give_back(self, opened: str) -> None:
        """Let others correct what this window has left."""
        if self.desk is not None:
            for case, name in [one for one in self._taken if one[0] != opened]:
                self.desk.give(case, name)
                self._taken.discard((case, name))

    # What is not saved yet

    def unsaved(self) -> list[Unsaved]:
        """Readings that differ from what was last saved, in the order of the case list."""
        return [one for one in self._of_dataset() if one.change]

    def not_in_dataset(self) -> list[Unsaved]:
        """Readings that differ from the dataset: unsaved ones, and those only exported."""
        return [one for one in self._of_dataset() if one.change_to_dataset]

    def unsubmitted(self) -> list[Unsaved]:
        """Readings of the review's own that differ from what was last submitted."""
        corrected = self._drafts.corrected(self.cases)
        return [one for one in corrected if is_kept(one.reader) and one.change]

    def _of_dataset(self) -> list[Unsaved]:
        corrected = self._drafts.corrected(self.cases)
        return [one for one in corrected if not is_kept(one.reader)]

    def draft_of(self, one: Unsaved) -> Draft | None:
        """The draft of a corrected reading, where it is in memory."""
        return self._drafts.find(one)

    def remember_left(self, found: Iterable[Unsaved]) -> None:
        """Take note of what earlier sessions left, but for cases that were opened in this one."""
        self._drafts.remember_left(found)
        self.unsaved_changed.emit()

    @property
    def saving(self) -> bool:
        """Whether a save is under way that still tells what it wrote."""
        return bool(self._drafts.being_saved)

    def begin_saving(self, cases: Iterable[str]) -> None:
        """Keep these cases for this window until `saving_done`."""
        self._drafts.being_saved = frozenset(cases)

    def hand_over(self, draft: Draft) -> Reading:
        """A reading as it stands, to be saved; what is changed from now on stays unsaved."""
        return self._drafts.hand_over(draft)

    def mark_saved(
        self,
        readings: Iterable[Handed],
        *,
        in_dataset: bool = False,
        left: Sequence[Unsaved] = (),
    ) -> None:
        """Remember what of each case (by id) is on disk now; later edits stay unsaved.

        Parameters
        ----------
        readings : as they were handed over.
        in_dataset : whether they are in the dataset itself now.
        left : how those of them differed of which no draft was in memory.
        """
        self._drafts.mark_saved(readings, in_dataset=in_dataset, left=left)
        self.unsaved_changed.emit()

    def drop(self, readings: Iterable[Handed]) -> None:
        """Forget drafts that live on in the dataset under another reader.

        One that was corrected further since it was handed over stays, and is shown on.
        """
        self._drafts.drop(readings)
        if all(self.draft_of(one) is not self.draft for one in self.not_in_dataset()):
            self.draft = self._reader = None
        self.unsaved_changed.emit()

    def saving_done(self) -> None:
        """Give back the cases that a save needed."""
        self._drafts.saving_done(self.open_case.info.id if self.open_case else None)

    # The journal

    def flush(self, timeout: float = 1.0) -> bool:
        """Wait until all moves are on disk; says whether they are."""
        return self.journal is not None and self.journal.flush(timeout)

    def check_journal(self) -> JournalState:
        """How far the journal is; tells when that is something else than the last time."""
        journal, case = self.journal, self.open_case
        state = journal.state if journal is not None else JournalState()
        if journal is not None and case is not None and case.info.id in journal.lost:
            self._give_up(case.info.title)
        self._check_lease()
        if state != self._state:
            self._state = state
            self.journal_changed.emit()
        return state

    def _check_lease(self) -> None:
        """Change nothing more of a reading that somebody else took over."""
        case, draft, desk = self.open_case, self.draft, self.desk
        if case is None or draft is None or desk is None or draft.read_only:
            return
        who = desk.state.lost.get((case.info.id, self._lease_of(case, draft)))
        if who:
            draft.read_only = (
                f"{case.info.title} cannot be changed here any more: {who} has taken it over, "
                "because this window could not be heard of for a while. Open the case again."
            )
            self.refused.emit(draft.read_only)

    def _give_up(self, title: str) -> None:
        """Change nothing more of a case that another window took over."""
        if self.draft is not None and not self.draft.read_only:
            self.draft.read_only = (
                f"{title} cannot be changed here any more: another window has taken it over, "
                "because this one gave no sign of life for a while. Open the case again."
            )
            self.refused.emit(self.draft.read_only)


def _packed(draft: Draft, reading: Reading, kept: Kept | None, person: str) -> Packed:
    """A reading as it is submitted."""
    if kept is not None:
        return Packed(reading.reader, kept.of, kept.base, pack_reading(reading))
    name = corrected_name(reading.reader, person)
    base = fingerprint(draft.in_dataset)
    return Packed(name, reading.reader, base, pack_reading(replace(reading, reader=name)))
