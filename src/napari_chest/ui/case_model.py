"""The cases that are listed, as Qt's table shows them: title, work, and the dataset's facts."""

from __future__ import annotations

from bisect import bisect_left
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from qtpy.QtGui import QColor, QPixmap

from napari_chest.ui.case_filter import CASE, WORK_COLUMNS, CaseFilter, Choice, Column
from napari_chest.ui.widgets import icons, style
from napari_chest.ui.worklist import NORMAL, PRIORITIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from qtpy.QtWidgets import QWidget

    from napari_chest.model import CaseInfo
    from napari_chest.ui.worklist import WorkRow

Index: TypeAlias = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()
_FEW = 200
"""Rows that are changed one by one; more are shown anew, which costs the same for all."""
_TITLES = {
    "case": "Case",
    "state": "State",
    "priority": "!",
    "comments": "",
    "difficulty": "Difficulty",
}
_TIPS = {
    "case": "Sort by title",
    "state": "Sort by state: what is still to be done first",
    "priority": "Priority; sort by it",
    "comments": "Open comments; sort by their number",
    "difficulty": "Difficulty as readers find it, 1 to 5; sort by it",
}


class CaseModel(QAbstractTableModel):
    """The listed cases as rows. What changes of one case costs that row and no other.

    A case that is changed stays where it stands until the list is sorted again: a row that jumps
    away is lost to who works on it.
    """

    def __init__(self, icon: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.list = CaseFilter()
        self.columns: tuple[Column, ...] = (CASE,)
        self._shown: list[int] = []
        self._icon = icon
        self._signs: dict[str, QPixmap] = {}
        self._bare_states = False

    # What is shown

    def show_cases(self, cases: Sequence[CaseInfo], facts: Sequence[str]) -> None:
        """Show other cases, with these facts as columns."""
        with self._anew():
            self.list.show_cases(cases)
            self.columns = (CASE, *(Column("fact", fact) for fact in facts))

    def refresh(self, cases: Sequence[CaseInfo]) -> None:
        """Show other facts of the same cases."""
        with self._anew():
            self.list.refresh(cases)

    def set_rows(self, works: Mapping[str, WorkRow]) -> None:
        """Show the work on all cases (by id), its columns behind the title; none without work."""
        if works and self.has_work:
            changed = self.list.take(works)
            if len(changed) <= _FEW:
                self._settle(changed)
                return
        facts = [column for column in self.columns if column.kind == "fact"]
        with self._anew():
            self.list.take_all(works)
            self.columns = (CASE, *(WORK_COLUMNS if works else ()), *facts)

    @property
    def has_work(self) -> bool:
        """Whether anything is known of the work on the cases."""
        return WORK_COLUMNS[0] in self.columns

    def update_rows(self, works: Mapping[str, WorkRow]) -> None:
        """Show the work on some cases (by id)."""
        self._settle(self.list.take(works))

    def mark_unsaved(self, case_ids: frozenset[str]) -> None:
        """Mark the cases with changes that are not saved yet."""
        rows = [self.list.row_of(case) for case in self.list.unsaved ^ case_ids]
        self.list.unsaved = case_ids
        self._settle([row for row in rows if row is not None])

    def show_bare_states(self, *, bare: bool) -> None:
        """Show states as signs alone, or with a word."""
        if bare != self._bare_states:
            self._bare_states = bare
            self._tell(0, len(self._shown) - 1)
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(self.columns) - 1)

    # Which are listed

    def search(self, text: str) -> None:
        """List the cases in which every word stands somewhere."""
        with self._anew():
            self.list.search(text)

    def choose(self, choice: Choice) -> None:
        """List only some of the cases."""
        with self._anew():
            self.list.choice = choice

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Order the cases by a column; below 0, as the dataset has them."""
        by = self.columns[column] if 0 <= column < len(self.columns) else None
        with self._anew():
            self.list.sort(by, descending=order == Qt.SortOrder.DescendingOrder)

    def order(self) -> list[str]:
        """Ids of the listed cases."""
        cases = self.list.cases
        return [cases[row].id for row in self._shown]

    def after(self, case_id: str | None) -> list[str]:
        """Ids of the listed cases from the one behind a case on, then those from the first to it.

        The case itself need not be listed any more; it comes last where it is.
        """
        row = self.list.row_of(case_id) if case_id is not None else None
        if row is None:
            return self.order()
        place = self._place(row)
        order = self.order()
        behind = place + 1 if self._is_at(row, place) else place
        return order[behind:] + order[:behind]

    def row_of(self, case_id: str | None) -> int:
        """Where a case is listed; below 0 where it is not."""
        row = self.list.row_of(case_id) if case_id is not None else None
        if row is None:
            return -1
        place = self._place(row)
        return place if self._is_at(row, place) else -1

    def case_at(self, row: int) -> CaseInfo:
        """The case of a row that is listed."""
        return self.list.cases[self._shown[row]]

    def work_at(self, row: int) -> WorkRow | None:
        """What is known of the work on it."""
        return self.list.works[self._shown[row]]

    # What Qt asks

    def rowCount(self, parent: Index = _NOWHERE) -> int:  # noqa: N802
        """Number of listed cases."""
        return 0 if parent.isValid() else len(self._shown)

    def columnCount(self, parent: Index = _NOWHERE) -> int:  # noqa: N802
        """Number of columns."""
        return 0 if parent.isValid() else len(self.columns)

    def headerData(  # noqa: N802
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Column titles; a bubble stands for comments."""
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self.columns):
            return None
        kind, fact = self.columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return "" if kind == "state" and self._bare_states else _TITLES.get(kind, fact)
        if role == Qt.ItemDataRole.ToolTipRole:
            return _TIPS.get(kind, f"Sort by {fact}")
        if role == Qt.ItemDataRole.DecorationRole and kind == "comments":
            return self._sign("comments")
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """A cell's text and sign, all of its case as tool tip, and amber where it is unsaved."""
        row, column = self._shown[index.row()], self.columns[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(row, column)
        if role == Qt.ItemDataRole.DecorationRole:
            return self._decoration(row, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(row)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._spoken(row, column)
        if role == Qt.ItemDataRole.ForegroundRole and self._is_unsaved(row):
            return QColor(style.AMBER)
        return None

    def _text(self, row: int, column: Column) -> str:
        if column.kind == "state" and self._bare_states:
            return ""
        text = self.list.text(row, column)
        return f"● {text}" if column is CASE and self._is_unsaved(row) else text

    def _decoration(self, row: int, column: Column) -> QPixmap | None:
        work = self.list.works[row]
        if work is None:
            return None
        if column.kind == "state":
            return self._sign(work.state)
        urgent = column.kind == "priority" and work.priority != NORMAL
        return self._sign(PRIORITIES[work.priority]) if urgent else None

    def _spoken(self, row: int, column: Column) -> str:
        work = self.list.works[row]
        if work is None or column.kind in ("case", "fact"):
            return self._text(row, column)
        said = {
            "state": work.state,
            "priority": f"{PRIORITIES[work.priority]} priority",
            "comments": f"open comments: {work.comments}",
            "difficulty": f"difficulty: {work.difficulty or 'not told'}",
        }
        return said[column.kind]

    def _tip(self, row: int) -> str:
        case, work = self.list.cases[row], self.list.works[row]
        told = work.lines() if work is not None else []
        unsaved = ["has changes that are not saved"] if self._is_unsaved(row) else []
        facts = [f"{name}: {fact}" for name, fact in case.facts.items()]
        return "\n".join([case.id, *told, *unsaved, *facts])

    def _is_unsaved(self, row: int) -> bool:
        return self.list.cases[row].id in self.list.unsaved

    def _sign(self, name: str) -> QPixmap:
        if name not in self._signs:
            self._signs[name] = icons.sign(name, self._icon)
        return self._signs[name]

    # Keeping up

    @contextmanager
    def _anew(self) -> Iterator[None]:
        """Show all rows anew after what is done meanwhile."""
        self.beginResetModel()
        try:
            yield
            self._shown = self.list.shown()
        finally:
            self.endResetModel()

    def _settle(self, rows: Sequence[int]) -> None:
        """Show rows as they are now, and list them or not."""
        if len(rows) > _FEW:
            with self._anew():
                return
        for row in rows:
            self._settle_row(row)

    def _settle_row(self, row: int) -> None:
        place = self._place(row)
        was, shows = self._is_at(row, place), self.list.shows(row)
        if was and shows:
            self._tell(place, place)
        elif shows:
            self.beginInsertRows(_NOWHERE, place, place)
            self._shown.insert(place, row)
            self.endInsertRows()
        elif was:
            self.beginRemoveRows(_NOWHERE, place, place)
            del self._shown[place]
            self.endRemoveRows()

    def _place(self, row: int) -> int:
        """Where a row is listed, or would be."""
        return bisect_left(self._shown, self.list.rank(row), key=self.list.rank)

    def _is_at(self, row: int, place: int) -> bool:
        return place < len(self._shown) and self._shown[place] == row

    def _tell(self, first: int, last: int) -> None:
        if first <= last:
            self.dataChanged.emit(self.index(first, 0), self.index(last, len(self.columns) - 1))
