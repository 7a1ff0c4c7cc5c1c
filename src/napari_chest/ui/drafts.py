"""All that was corrected in a dataset: drafts in memory, and how those in the journal differ."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from napari_chest.changes import ReadingChange, compare
from napari_chest.edits import Move
from napari_chest.review.journal import NAME, Journal
from napari_chest.ui.resuming import Unsaved, begin_draft, unsaved_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from napari_chest.edits import Draft
    from napari_chest.model import CaseInfo, Reading
    from napari_chest.ui.open_case import OpenCase

Handed = tuple[str, "Reading"]
"""Id of a case, and a reading of it as it was handed over to be saved."""


class Drafts:
    """The drafts of the open case, and of other cases how they differ from what is on disk.

    Where there is no journal, or it cannot be written, the drafts of other cases stay as well.

    Attributes
    ----------
    journal : where their moves are recorded, if anywhere.
    being_saved : cases that a save under way needs.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.journal = Journal(folder / NAME) if folder is not None else None
        self.being_saved: frozenset[str] = frozenset()
        self._drafts: dict[tuple[str, str], Draft] = {}
        self._left: dict[tuple[str, str], Unsaved] = {}
        self._opened: set[str] = set()

    def close(self) -> None:
        """Write what waits for the journal, and let go of it."""
        if self.journal is not None:
            self.journal.close()

    def open_case(self, case: str, set_aside: Iterable[str] = ()) -> None:
        """Keep drafts of this case; of others only how they differ, where the journal has them.

        Parameters
        ----------
        case : its id.
        set_aside : readers whose readings are not as they were any more.
        """
        self._opened.add(case)
        for key, draft in list(self._drafts.items()):
            # An untouched draft is made anew from the files: its arrays would fill the memory.
            anew = key[1] in set_aside or draft.read_only or not draft.touched
            if key[0] == case and anew:
                del self._drafts[key]
        self._leave_others(case)
        self._release(case)

    def of(self, case: OpenCase, reader: str) -> Draft:
        """The draft of a reading of the open case, as it was left or as the dataset has it."""
        key = case.info.id, reader
        if key not in self._drafts:
            draft = case.restored.drafts.pop(reader, None)
            if draft is None:
                reading = next(r for r in case.readings if r.reader == reader)
                draft = begin_draft(self.journal, case.info, reading)
            draft.read_only = case.restored.read_only or case.locked.get(reader, "")
            self._drafts[key] = draft
        if not self._drafts[key].read_only:
            self._left.pop(key, None)
        return self._drafts[key]

    def of_reading(self, case: str, reader: str) -> Draft | None:
        """The draft of a reading, where it is in memory."""
        return self._drafts.get((case, reader))

    # What is not saved yet

    def corrected(self, cases: Sequence[CaseInfo]) -> list[Unsaved]:
        """All readings that may differ from what is on disk, in the order of the cases."""
        live = (unsaved_of(draft) for draft in self._drafts.values() if not draft.read_only)
        order = {case.id: i for i, case in enumerate(cases)}
        return sorted((*live, *self._left.values()), key=lambda one: order.get(one.case.id, -1))

    def find(self, one: Unsaved) -> Draft | None:
        """The draft of a corrected reading, where it is in memory."""
        draft = self._drafts.get((one.case.id, one.reader))
        return None if draft is None or draft.read_only else draft

    def remember_left(self, found: Iterable[Unsaved]) -> None:
        """Take note of what earlier sessions left, but for cases that were opened in this one."""
        for one in found:
            if one.case.id not in self._opened:
                self._remember(one)

    def hand_over(self, draft: Draft) -> Reading:
        """A reading as it stands, to be saved; what is changed from now on stays unsaved."""
        reading = draft.reading
        if self.journal is not None:
            self.journal.handed(draft.case.id, reading.reader, reading)
        return reading

    def mark_saved(
        self, readings: Iterable[Handed], *, in_dataset: bool, left: Sequence[Unsaved]
    ) -> None:
        """Remember what is on disk now; ``left`` are those of which no draft was in memory."""
        for case_id, reading in readings:
            draft = self._drafts.get((case_id, reading.reader))
            if draft is not None:
                draft.mark_saved(reading, in_dataset=in_dataset)
            elif self.journal is not None:
                move = Move("write back" if in_dataset else "export")
                self.journal.record(case_id, reading.reader, move, reading)
                self._mark_left(
                    self._left.get((case_id, reading.reader)), left, in_dataset=in_dataset
                )

    def drop(self, readings: Iterable[Handed]) -> None:
        """Forget drafts that live on in the dataset under another reader.

        One that was corrected further since it was handed over stays.
        """
        for case_id, reading in readings:
            key = case_id, reading.reader
            draft = self._drafts.get(key)
            if draft is not None and compare(reading, draft.standing):
                continue
            self._drafts.pop(key, None)
            self._left.pop(key, None)
            if self.journal is not None:
                base = reading if draft is None else draft.in_dataset
                self.journal.record(*key, Move("discard"), base)

    def saving_done(self, opened: str | None) -> None:
        """Give back the cases that a save needed."""
        self.being_saved = frozenset()
        self._leave_others(opened)
        self._release(opened)

    def _leave_others(self, opened: str | None) -> None:
        """Forget the drafts of other cases that the journal has and no save waits for."""
        recorded = self.journal is not None and not self.journal.state.error
        needed = {opened, *self.being_saved}
        for key, draft in list(self._drafts.items()):
            if key[0] in needed:
                continue
            forgotten = draft.read_only or not draft.touched
            if recorded and not forgotten:
                self._remember(unsaved_of(draft))
                forgotten = True
            if forgotten:
                del self._drafts[key]

    def _mark_left(self, now: Unsaved | None, left: Sequence[Unsaved], *, in_dataset: bool) -> None:
        # Where it was opened and changed in the meantime, it is unsaved as it was left then.
        if now is not None and any(now is one for one in left):
            none = ReadingChange(now.reader)
            rest = none if in_dataset else now.change_to_dataset
            self._remember(replace(now, change=none, change_to_dataset=rest))

    def _remember(self, left: Unsaved) -> None:
        key = left.case.id, left.reader
        self._left.pop(key, None)
        if left.change or left.change_to_dataset:
            self._left[key] = left

    def _release(self, opened: str | None) -> None:
        if self.journal is not None:
            needed = {opened, *self.being_saved, *(case_id for case_id, _ in self._drafts)}
            for case_id in self.journal.held - needed:
                self.journal.release(case_id)
