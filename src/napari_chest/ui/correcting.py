"""The reading on screen while it is corrected: every change of it passes here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal

from napari_chest import changes
from napari_chest.edits import LUNGS, AnswerEdit, MaskAdded
from napari_chest.model import Mask
from napari_chest.tools.lungs import LUNG_SEGMENTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from napari_chest.datasets import Dataset
    from napari_chest.edits import Draft, Edit, Locks, Protection, Step
    from napari_chest.edits.steps import Box
    from napari_chest.model import MaskOffer, Reading, SliceLabels, Volume
    from napari_chest.ui.open_case import OpenCase


class Corrections:
    """Keeps the rules and the history of the reading on screen, whoever changes it.

    Signals
    -------
    edited(Step or None) : the reading on screen changed by a step, or what was asked of it came to
        nothing and has to be taken back where it was painted.
    protection_changed() : other voxels of the reading on screen are protected.
    unsaved_changed() : what is not saved yet is something else now.
    refused(str) : nothing may be changed, and why.
    """

    edited = Signal(object)
    protection_changed = Signal()
    unsaved_changed = Signal()
    refused = Signal(str)

    def __init__(self) -> None:
        self.dataset: Dataset | None = None
        self.open_case: OpenCase | None = None
        self.draft: Draft | None = None

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

    def begin_with(self, agreed: Reading) -> None:
        """Give the reading on screen, which says nothing yet, what another one says."""
        if self.draft is None or self._is_refused():
            return
        name = "what all agree on"
        there = {mask.name for mask in self.draft.masks()}
        for mask in agreed.masks:
            if mask.name in there:
                whole = tuple(slice(0, length) for length in mask.labels.shape)
                self.paint(name, mask.name, whole, mask.labels)
            elif mask.labels.any():
                self._do(MaskAdded(name, mask))
        if agreed.slice_labels is not None and self.draft.labels is not None:
            self.edit(name, agreed.slice_labels.values)
        for question, said in agreed.answers.items():
            if question in self.draft.answers:
                self.answer(question, said)

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
