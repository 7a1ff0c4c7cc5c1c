"""What is open, what has been corrected, and what is not saved yet; no widgets, no layers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal

from napari_chest import changes
from napari_chest.edits import SLICE_LABELS, AnswerEdit, Draft, MaskAdded, edit_between, settle
from napari_chest.model import Mask

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from napari_chest.datasets import Dataset
    from napari_chest.edits import Edit, Locks, Step
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


@dataclass(frozen=True)
class OpenCase:
    """The case on screen: its image, what is said about it, and what to know of it."""

    info: CaseInfo
    volume: Volume
    readings: tuple[Reading, ...]
    problems: list[Problem] = field(default_factory=list)
    about: tuple[FactGroup, ...] = ()
    annotations: tuple[Annotation, ...] = ()


class Session:
    """One dataset at work: which case is open, whose reading is shown, what was corrected.

    Drafts outlive case switches, so that going back to a case finds it as it was left. Every change
    of a reading passes the methods under "Corrections", which keep its rules and its history.

    Signals
    -------
    reading_chosen(Draft or None) : another reading is shown.
    edited(Step or None) : the reading on screen changed by a step, or what was asked of it came to
        nothing and has to be taken back where it was painted.
    locks_changed() : other segments of the reading on screen are locked.
    unsaved_changed() : what is not saved yet is something else now.
    """

    reading_chosen = Signal(object)
    edited = Signal(object)
    locks_changed = Signal()
    unsaved_changed = Signal()

    def __init__(self) -> None:
        self.dataset: Dataset | None = None
        self.cases: Sequence[CaseInfo] = ()
        self.open_case: OpenCase | None = None
        self.draft: Draft | None = None
        self._reader: str | None = None
        self._drafts: dict[tuple[str, str], Draft] = {}

    # What is open

    def open_dataset(self, dataset: Dataset, cases: Sequence[CaseInfo]) -> None:
        """Start anew with a dataset; drafts of the one before are gone."""
        self.dataset, self.cases = dataset, cases
        self.open_case = self.draft = self._reader = None
        self._drafts.clear()
        self.unsaved_changed.emit()

    def show_case(self, case: OpenCase) -> None:
        """Make a case the open one, with the reading that was shown before or else its first."""
        self.open_case = case
        self.draft = None
        # An untouched draft is made anew from the files: its arrays would fill the memory.
        self._drafts = {key: draft for key, draft in self._drafts.items() if draft.touched}
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
        key = (case.info.id, reader)
        if key not in self._drafts:
            reading = next(r for r in case.readings if r.reader == reader)
            self._drafts[key] = Draft(case.info, reading)
        self.draft = self._drafts[key]
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
        if labels is None:
            return None
        edit = edit_between(name, SLICE_LABELS, labels.values, settle(labels, wanted))
        # Also when nothing changed: a view that painted the refused cell has to take it back.
        self._do(edit)
        return edit

    def paint(self, name: str, mask: str, box: Box, wanted: npt.NDArray[Any]) -> Edit | None:
        """Bring a box of a mask to the wanted values, but for what is locked, as one step."""
        edit = self.draft.painted(name, mask, box, wanted) if self.draft else None
        self._do(edit)
        return edit

    def add_mask(self, offer: MaskOffer) -> None:
        """Give the reading on screen a mask that its dataset has room for."""
        if self.draft is not None and self.open_case is not None:
            mask = _begun(offer, self.draft.standing, self.open_case.volume)
            self._do(MaskAdded(offer.text, mask))

    def answer(self, question: str, answers: tuple[str, ...]) -> None:
        """Answer a question about the case."""
        draft = self.draft
        before = draft.answers.get(question) if draft else None
        if draft is not None and before != answers:
            asked = self.dataset.questions if self.dataset is not None else ()
            text = next((one.text for one in asked if one.key == question), question)
            name = f"{text}: {', '.join(answers) or 'no answer'}"
            self._do(AnswerEdit(name, question, before, answers))

    def lock(self, locks: Locks) -> None:
        """Lock these segments of the reading on screen against every edit, and no others."""
        if self.draft is not None:
            self.draft.locks = locks
            self.locks_changed.emit()

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
        step = self.draft.undo() if self.draft else None
        self._announce(step)
        return step

    def redo(self) -> Step | None:
        """Do the last undone step of the reading on screen again."""
        step = self.draft.redo() if self.draft else None
        self._announce(step)
        return step

    # What is not saved yet

    def unsaved(self) -> list[Draft]:
        """Drafts that differ from what was last saved, in the order of the case list."""
        return self._ordered(draft for draft in self._drafts.values() if draft.change)

    def not_in_dataset(self) -> list[Draft]:
        """Drafts that differ from the dataset itself: unsaved ones, and those only exported."""
        return self._ordered(draft for draft in self._drafts.values() if draft.change_to_dataset)

    def mark_saved(
        self, readings: Iterable[tuple[str, Reading]], *, in_dataset: bool = False
    ) -> None:
        """Remember what of each case (by id) is on disk now; later edits stay unsaved."""
        for case_id, reading in readings:
            draft = self._drafts.get((case_id, reading.reader))
            if draft is not None:
                draft.mark_saved(reading, in_dataset=in_dataset)
        self.unsaved_changed.emit()

    def drop(self, readings: Iterable[tuple[str, Reading]]) -> None:
        """Forget drafts that live on in the dataset under another reader."""
        for case_id, reading in readings:
            self._drafts.pop((case_id, reading.reader), None)
        self.draft = self._reader = None
        self.unsaved_changed.emit()

    def _ordered(self, drafts: Iterable[Draft]) -> list[Draft]:
        order = {case.id: i for i, case in enumerate(self.cases)}
        return sorted(drafts, key=lambda draft: order.get(draft.case.id, -1))

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
