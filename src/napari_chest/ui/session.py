"""What is open, what has been corrected, and what is not saved yet; no widgets, no layers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_chest import changes
from napari_chest.edits import History, edit_between, settle
from napari_chest.model import Reading, SliceLabels

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    import numpy.typing as npt

    from napari_chest.datasets import Dataset
    from napari_chest.edits import Edit
    from napari_chest.model import CaseInfo, Problem, Volume


@dataclass(eq=False)
class Draft:
    """One reading of one case while it is being corrected.

    Attributes
    ----------
    case : the case.
    saved : the reading as it was read, or as it was last saved, wherever that was.
    in_dataset : the reading as the dataset itself has it.
    history : the slice table's values (Z, C) and the edits made to them.
    """

    case: CaseInfo
    saved: Reading
    in_dataset: Reading
    history: History
    _known: dict[str, tuple[int, Reading, changes.ReadingChange]] = field(
        default_factory=dict, init=False, repr=False
    )

    @property
    def labels(self) -> SliceLabels:
        """The slice table as it stands now."""
        assert self.saved.slice_labels is not None
        return SliceLabels(
            self.saved.slice_labels.columns,
            self.history.array,
            self.saved.slice_labels.any_column,
        )

    @property
    def reading(self) -> Reading:
        """The reading as it stands now, independent of later edits."""
        labels = self.labels.with_values(self.history.array)
        return Reading(self.saved.reader, self.saved.masks, labels, self.saved.answers)

    @property
    def change(self) -> changes.ReadingChange:
        """What differs from what was last saved."""
        return self._difference("saved", self.saved)

    @property
    def change_to_dataset(self) -> changes.ReadingChange:
        """What differs from the dataset itself: all that is unsaved or was only exported."""
        return self._difference("in_dataset", self.in_dataset)

    def _difference(self, name: str, before: Reading) -> changes.ReadingChange:
        # Asked for at every edit and for every case; compared again only after a change.
        steps, compared, change = self._known.get(name, (-1, None, None))
        if change is None or steps != self.history.steps or compared is not before:
            change = changes.compare(before, self.reading)
            self._known[name] = self.history.steps, before, change
        return change


@dataclass(frozen=True)
class OpenCase:
    """The case on screen: its image, what is said about it, and what to know of it."""

    info: CaseInfo
    volume: Volume
    readings: tuple[Reading, ...]
    problems: list[Problem] = field(default_factory=list)


class Session:
    """One dataset at work: which case is open, whose reading is shown, what was corrected.

    Drafts outlive case switches, so that going back to a case finds it as it was left. Every change
    of a slice table passes `edit`, which keeps the table's rule and the history.
    """

    reading_chosen = Signal(object)
    labels_changed = Signal(object)
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
        reading = next(r for r in case.readings if r.reader == reader)
        if reading.slice_labels is None:
            self.draft = None
        else:
            key = (case.info.id, reader)
            if key not in self._drafts:
                self._drafts[key] = Draft(
                    case.info, reading, reading, History(reading.slice_labels.values)
                )
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
        draft = self.draft
        if draft is None:
            return None
        edit = edit_between(name, draft.history.array, settle(draft.labels, wanted))
        if edit is not None:
            draft.history.do(edit)
        # Also when nothing changed: a view that painted the refused cell has to take it back.
        self._announce(edit)
        return edit

    def set_cells(self, slices: Iterable[int], column: str, value: bool) -> Edit | None:
        """Set one column on some slices."""
        rows = list(slices)
        verb = column if value else f"not {column}"
        return self._edit_rows(f"{verb} on {_slices(rows)}", rows, {column: value})

    def set_only(self, slices: Iterable[int], column: str) -> Edit | None:
        """Set one column on some slices and clear all others there."""
        rows = list(slices)
        labels = self.draft.labels if self.draft else None
        # Without the any-column: it follows, and clearing it would mean clearing the others.
        columns = [c for c in labels.columns if c != labels.any_column] if labels else []
        wanted = {name: name == column for name in columns}
        return self._edit_rows(f"only {column} on {_slices(rows)}", rows, wanted)

    def clear(self, slices: Iterable[int]) -> Edit | None:
        """Clear all columns on some slices."""
        rows = list(slices)
        columns = self.draft.labels.columns if self.draft else ()
        return self._edit_rows(f"clear {_slices(rows)}", rows, dict.fromkeys(columns, False))

    def copy_from(self, source: int, slices: Iterable[int]) -> Edit | None:
        """Give some slices the labels of another slice."""
        rows = list(slices)
        if self.draft is None or not 0 <= source < len(self.draft.history.array):
            return None
        labels = self.draft.labels
        values = zip(labels.columns, labels.values[source], strict=True)
        wanted = {name: bool(value) for name, value in values if name != labels.any_column}
        return self._edit_rows(f"copy slice {source + 1} to {_slices(rows)}", rows, wanted)

    def undo(self) -> Edit | None:
        """Take back the last edit of the reading on screen."""
        edit = self.draft.history.undo() if self.draft else None
        self._announce(edit)
        return edit

    def redo(self) -> Edit | None:
        """Do the last undone edit of the reading on screen again."""
        edit = self.draft.history.redo() if self.draft else None
        self._announce(edit)
        return edit

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
                draft.saved = reading
                draft.in_dataset = reading if in_dataset else draft.in_dataset
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
        if self.draft is None:
            return None
        labels = self.draft.labels
        values = labels.values.copy()
        inside = [row for row in rows if 0 <= row < len(values)]
        for column, value in wanted.items():
            values[inside, labels.columns.index(column)] = value
        return self.edit(name, values)

    def _announce(self, edit: Any) -> None:
        self.labels_changed.emit(edit)
        if edit is not None:
            self.unsaved_changed.emit()


def _slices(rows: Sequence[int]) -> str:
    return f"{'slice' if len(rows) == 1 else 'slices'} {changes.slice_ranges(rows)}"
