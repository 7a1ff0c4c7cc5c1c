"""What is open, what has been corrected, and what is not saved yet; no widgets, no layers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal

from napari_chest import changes
from napari_chest.edits import LUNGS, AnswerEdit, MaskAdded
from napari_chest.model import Mask
from napari_chest.review.telling import JournalState
from napari_chest.tools.lungs import LUNG_SEGMENTS
from napari_chest.ui.drafts import Drafts
from napari_chest.ui.resuming import Restored

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from napari_chest.datasets import Dataset
    from napari_chest.edits import Draft, Edit, Locks, Protection, Step
    from napari_chest.edits.steps import Box
    from napari_chest.model import (
        Annotation,
        CaseInfo,
        FactGroup,
        MaskOffer,
        Problem,
        Reading,
        SliceLabels,
        Volume,
    )
    from napari_chest.review.journal import Journal
    from napari_chest.ui.drafts import Handed
    from napari_chest.ui.resuming import Unsaved


@dataclass(frozen=True)
class OpenCase:
    """The case on screen: its image, what is said about it, and what to know of it."""

    info: CaseInfo
    volume: Volume
    readings: tuple[Reading, ...]
    problems: list[Problem] = field(default_factory=list)
    about: tuple[FactGroup, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    restored: Restored = field(default_factory=Restored)


class Session:
    """One dataset at work: which case is open, whose reading is shown, what was corrected.

    Every move is told to the dataset's journal, from which going back to a case finds it as it was
    left. Every change of a reading passes the methods under "Corrections", which keep its rules
    and its history.

    Signals
    -------
    reading_chosen(Draft or None) : another reading is shown.
    edited(Step or None) : the reading on screen changed by a step, or what was asked of it came to
        nothing and has to be taken back where it was painted.
    protection_changed() : other voxels of the reading on screen are protected.
    unsaved_changed() : what is not saved yet is something else now.
    journal_changed() : the journal is another one, or further than it was.
    refused(str) : nothing may be changed, and why.
    """

    reading_chosen = Signal(object)
    edited = Signal(object)
    protection_changed = Signal()
    unsaved_changed = Signal()
    journal_changed = Signal()
    refused = Signal(str)

    def __init__(self) -> None:
        self.dataset: Dataset | None = None
        self.cases: Sequence[CaseInfo] = ()
        self.open_case: OpenCase | None = None
        self.draft: Draft | None = None
        self._reader: str | None = None
        self._drafts = Drafts()
        self._state = JournalState()

    @property
    def journal(self) -> Journal | None:
        """Where moves are recorded, if anywhere."""
        return self._drafts.journal

    # What is open

    def open_dataset(
        self, dataset: Dataset, cases: Sequence[CaseInfo], journal: Path | None = None
    ) -> None:
        """Start anew with a dataset; what was done in the one before is in its journal.

        Parameters
        ----------
        dataset, cases : the dataset and all its cases.
        journal : the folder in which moves are recorded; they are recorded nowhere without one.
        """
        self.close()
        self.dataset, self.cases = dataset, cases
        self.open_case = self.draft = self._reader = None
        self._drafts = Drafts(journal)
        self.unsaved_changed.emit()
        self.journal_changed.emit()

    def close(self) -> None:
        """Write what waits for the journal, and record no more."""
        self._drafts.close()

    def show_case(self, case: OpenCase) -> None:
        """Make a case the open one, with the reading that was shown before or else its first."""
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

    # Corrections

    def edit(self, name: str, wanted: npt.NDArray[np.bool_]) -> Edit | None:
        """Bring the slice table to the wanted values (Z, C), as one step that can be undone.

        Returns None where nothing changes once the table's rule is kept.
        """
        labels = self._labels
        if labels is None or self._is_refused():
            return None
        assert self.draft is not None
        edit = self.draft.labelled(name, wanted)
        # Also when nothing changed: a view that painted the refused cell has to take it back.
        self._do(edit)
        return edit

    def paint(self, name: str, mask: str, box: Box, wanted: npt.NDArray[Any]) -> Edit | None:
        """Bring a box of a mask to the wanted values, but for what is protected, as one step.

        Raises
        ------
        ProtectedError
            when the whole edit is refused, as for want of HU.
        """
        edit = None
        if self.draft is not None and not self._is_refused():
            edit = self.draft.painted(name, mask, box, wanted, self.hounsfield)
        self._do(edit)
        return edit

    def do(self, edit: Edit) -> None:
        """Do an edit of the reading on screen that was made on a thread.

        Raises
        ------
        ProtectedError
            when the mask or its protection has changed since the edit was made.
        """
        if not self._is_refused():
            self._do(edit)

    @property
    def hounsfield(self) -> npt.NDArray[Any] | None:
        """The voxels of the open case in HU; None where it has none."""
        case = self.open_case
        return case.volume.voxels if case is not None and case.volume.modality == "CT" else None

    def lungs_begun(self, labels: npt.NDArray[np.uint8]) -> None:
        """Give the reading on screen lungs (Z, Y, X), in place of those it may have."""
        if self.draft is None or self._is_refused():
            return
        if LUNGS in {mask.name for mask in self.draft.masks()}:
            whole = tuple(slice(0, length) for length in labels.shape)
            self.paint("lungs", LUNGS, whole, labels)
        else:
            self._do(MaskAdded("lungs", Mask(LUNGS, labels, LUNG_SEGMENTS, aid=True)))

    def add_mask(self, offer: MaskOffer) -> None:
        """Give the reading on screen a mask that its dataset has room for."""
        refused = self._is_refused()
        if self.draft is not None and self.open_case is not None and not refused:
            mask = _begun(offer, self.draft.standing, self.open_case.volume)
            self._do(MaskAdded(offer.text, mask))

    def answer(self, question: str, answers: tuple[str, ...]) -> None:
        """Answer a question about the case."""
        draft = self.draft
        before = draft.answers.get(question) if draft else None
        if draft is not None and before != answers and not self._is_refused():
            asked = self.dataset.questions if self.dataset is not None else ()
            text = next((one.text for one in asked if one.key == question), question)
            name = f"{text}: {', '.join(answers) or 'no answer'}"
            self._do(AnswerEdit(name, question, before, answers))

    def lock(self, locks: Locks) -> None:
        """Lock these segments of the reading on screen against every edit, and no others."""
        if self.draft is not None:
            self.protect(replace(self.draft.protection, locks=locks))

    def protect(self, protection: Protection) -> None:
        """Hold this against every edit of the reading on screen."""
        if self.draft is not None:
            self.draft.protection = protection
            self.protection_changed.emit()

    def _is_refused(self) -> bool:
        """Whether nothing may be changed; tells why, and lets views take back what they show."""
        if self.draft is None or not self.draft.read_only:
            return False
        self.refused.emit(self.draft.read_only)
        self.edited.emit(None)
        return True

    def _do(self, step: Step | None) -> None:
        if step is not None and self.draft is not None:
            self.draft.do(step)
        self._announce(step)

    def set_cells(self, slices: Iterable[int], column: str, value: bool) -> Edit | None:
        """Set one column on some slices."""
        rows = list(slices)
        verb = column if value else f"not {column}"
        return self._edit_rows(f"{verb} on {_slices(rows)}", rows, {column: value})

    def set_only(self, slices: Iterable[int], column: str) -> Edit | None:
        """Set one column on some slices and clear all others there."""
        rows = list(slices)
        labels = self._labels
        # Without the any-column: it follows, and clearing it would mean clearing the others.
        columns = [c for c in labels.columns if c != labels.any_column] if labels else []
        wanted = {name: name == column for name in columns}
        return self._edit_rows(f"only {column} on {_slices(rows)}", rows, wanted)

    def clear(self, slices: Iterable[int]) -> Edit | None:
        """Clear all columns on some slices."""
        rows = list(slices)
        columns = self._labels.columns if self._labels else ()
        return self._edit_rows(f"clear {_slices(rows)}", rows, dict.fromkeys(columns, False))

    def copy_from(self, source: int, slices: Iterable[int]) -> Edit | None:
        """Give some slices the labels of another slice."""
        rows = list(slices)
        labels = self._labels
        if labels is None or not 0 <= source < len(labels.values):
            return None
        values = zip(labels.columns, labels.values[source], strict=True)
        wanted = {name: bool(value) for name, value in values if name != labels.any_column}
        return self._edit_rows(f"copy slice {source + 1} to {_slices(rows)}", rows, wanted)

    def undo(self) -> Step | None:
        """Take back the last step of the reading on screen."""
        step = self.draft.undo() if self.draft and not self._is_refused() else None
        self._announce(step)
        return step

    def redo(self) -> Step | None:
        """Do the last undone step of the reading on screen again."""
        step = self.draft.redo() if self.draft and not self._is_refused() else None
        self._announce(step)
        return step

    # What is not saved yet

    def unsaved(self) -> list[Unsaved]:
        """Readings that differ from what was last saved, in the order of the case list."""
        return [one for one in self._drafts.corrected(self.cases) if one.change]

    def not_in_dataset(self) -> list[Unsaved]:
        """Readings that differ from the dataset: unsaved ones, and those only exported."""
        return [one for one in self._drafts.corrected(self.cases) if one.change_to_dataset]

    def draft_of(self, one: Unsaved) -> Draft | None:
        """The draft of a corrected reading, where it is in memory."""
        return self._drafts.find(one)

    def remember_left(self, found: Iterable[Unsaved]) -> None:
        """Take note of what earlier sessions left, but for cases that were opened in this one."""
        self._drafts.remember_left(found)
        self.unsaved_changed.emit()

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
        if state != self._state:
            self._state = state
            self.journal_changed.emit()
        return state

    def _give_up(self, title: str) -> None:
        """Change nothing more of a case that another window took over."""
        if self.draft is not None and not self.draft.read_only:
            self.draft.read_only = (
                f"{title} cannot be changed here any more: another window has taken it over, "
                "because this one gave no sign of life for a while. Open the case again."
            )
            self.refused.emit(self.draft.read_only)

    def _edit_rows(self, name: str, rows: list[int], wanted: dict[str, bool]) -> Edit | None:
        labels = self._labels
        if labels is None:
            return None
        values = labels.values.copy()
        inside = [row for row in rows if 0 <= row < len(values)]
        for column, value in wanted.items():
            values[inside, labels.columns.index(column)] = value
        return self.edit(name, values)

    @property
    def _labels(self) -> SliceLabels | None:
        return self.draft.labels if self.draft else None

    def _announce(self, step: Step | None) -> None:
        self.edited.emit(step)
        if step is not None:
            self.unsaved_changed.emit()


def _begun(offer: MaskOffer, reading: Reading, volume: Volume) -> Mask:
    """The mask of an offer as it begins: empty, or filled where it tells another one apart."""
    labels = np.zeros(volume.grid.shape, np.uint8)
    whole = next((mask for mask in reading.masks if mask.name == offer.splits), None)
    if whole is not None:
        labels[whole.labels != 0] = offer.segments[-1].value
    return Mask(offer.name, labels, offer.segments, offer.splits)


def _slices(rows: Sequence[int]) -> str:
    return f"{'slice' if len(rows) == 1 else 'slices'} {changes.slice_ranges(rows)}"
