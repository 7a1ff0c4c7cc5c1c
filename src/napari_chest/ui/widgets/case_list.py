"""The case list: searchable, sortable, filterable; what is unsaved stands out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from qtpy.QtCore import (
    QAbstractTableModel,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from qtpy.QtGui import QColor, QResizeEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QTableView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_chest.files.names import natural_key
from napari_chest.ui.keys import shown
from napari_chest.ui.widgets import style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_chest.model import CaseInfo

Index: TypeAlias = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()
_MOST_CHOICES = 8
_UNSAVED = "unsaved changes"
_FILTER_ROLE = int(Qt.ItemDataRole.UserRole)


class CaseModel(QAbstractTableModel):
    """Cases as rows: the title, then the dataset's list facts."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.cases: Sequence[CaseInfo] = ()
        self._columns: tuple[str, ...] = ("Case",)
        self._unsaved: frozenset[str] = frozenset()

    def show_cases(self, cases: Sequence[CaseInfo], facts: Sequence[str]) -> None:
        """Show other cases, with these facts as columns."""
        self.beginResetModel()
        self.cases, self._columns, self._unsaved = cases, ("Case", *facts), frozenset()
        self.endResetModel()

    def refresh(self, cases: Sequence[CaseInfo]) -> None:
        """Show other facts of the same cases."""
        self.cases = cases
        self._changed()

    def mark_unsaved(self, case_ids: frozenset[str]) -> None:
        """Mark the cases with changes that are not saved yet."""
        if case_ids == self._unsaved:
            return
        self._unsaved = case_ids
        self._changed()

    def _changed(self) -> None:
        if self.cases:
            last = self.index(len(self.cases) - 1, self.columnCount() - 1)
            self.dataChanged.emit(self.index(0, 0), last)

    def is_unsaved(self, row: int) -> bool:
        """Whether the case in a row has unsaved changes."""
        return self.cases[row].id in self._unsaved

    def rowCount(self, parent: Index = _NOWHERE) -> int:  # noqa: N802
        """Number of cases."""
        return 0 if parent.isValid() else len(self.cases)

    def columnCount(self, parent: Index = _NOWHERE) -> int:  # noqa: N802
        """Number of columns."""
        return 0 if parent.isValid() else len(self._columns)

    def headerData(  # noqa: N802
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Column titles."""
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return self._columns[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """A cell's text, its whole row as tool tip, and amber where changes are unsaved."""
        case = self.cases[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            text = self._text(case, index.column())
            return f"● {text}" if index.column() == 0 and self.is_unsaved(index.row()) else text
        if role == _FILTER_ROLE:
            return self._text(case, index.column())
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join([case.id, *(f"{name}: {fact}" for name, fact in case.facts.items())])
        if role == Qt.ItemDataRole.ForegroundRole and self.is_unsaved(index.row()):
            return QColor(style.AMBER)
        return None

    def _text(self, case: CaseInfo, column: int) -> str:
        return case.title if column == 0 else case.facts.get(self._columns[column], "")


class CaseFilter(QSortFilterProxyModel):
    """Keeps the cases that hold every word of a search and the chosen fact; sorts P2 before P10."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words: list[str] = []
        self._fact: tuple[str, str] | None = None
        self.unsaved_only = False

    def search(self, text: str) -> None:
        """Keep the cases in which every word stands somewhere."""
        self._words = text.casefold().split()
        self._again()

    def keep(self, fact: tuple[str, str] | None, *, unsaved_only: bool = False) -> None:
        """Keep the cases with a fact of this value, or with unsaved changes, or all."""
        self._fact, self.unsaved_only = fact, unsaved_only
        self._again()

    def filterAcceptsRow(self, source_row: int, source_parent: Index) -> bool:  # noqa: ARG002, N802
        """Whether a case is kept."""
        model = self.sourceModel()
        assert isinstance(model, CaseModel)
        case = model.cases[source_row]
        if self.unsaved_only and not model.is_unsaved(source_row):
            return False
        if self._fact and case.facts.get(self._fact[0], "") != self._fact[1]:
            return False
        text = " ".join((case.title, case.id, *case.facts.values())).casefold()
        return all(word in text for word in self._words)

    def lessThan(self, left: Index, right: Index) -> bool:  # noqa: N802
        """Whether a cell sorts before another, numbers by their value."""
        a, b = left.data(_FILTER_ROLE), right.data(_FILTER_ROLE)
        return natural_key(a or "") < natural_key(b or "")

    def _again(self) -> None:
        self.invalidate()


class CaseList(QWidget):
    """The work list with its search field, filter and count."""

    case_requested = Signal(str)
    step_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = CaseModel(self)
        self._filter = CaseFilter(self)
        self._filter.setSourceModel(self._model)
        self.search = QLineEdit(placeholderText="Search cases")
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName("Search cases")
        self.filter = QComboBox()
        self.filter.setAccessibleName("Filter cases")
        self.filter.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.filter.setMinimumContentsLength(9)
        self.count = QLabel()
        self.count.setProperty("role", "secondary")
        self.previous_button = _step_button("‹ Previous", "case_previous")
        self.next_button = _step_button("Next ›", "case_next")
        self.table = self._make_table()
        self._current: str | None = None
        self._widths: list[int] = []
        self._lay_out()
        self.previous_button.clicked.connect(lambda: self.step_requested.emit(-1))
        self.next_button.clicked.connect(lambda: self.step_requested.emit(1))
        self.search.textChanged.connect(self._on_search)
        self.search.returnPressed.connect(self._open_first)
        self.filter.currentIndexChanged.connect(self._on_filter)
        self.table.clicked.connect(self._on_picked)
        self.table.activated.connect(self._on_activated)

    def show_cases(self, cases: Sequence[CaseInfo], facts: Sequence[str]) -> None:
        """Show other cases, with those of these facts as columns that any case has."""
        facts = [fact for fact in facts if any(case.facts.get(fact) for case in cases)]
        self._model.show_cases(cases, facts)
        self._current = None
        self.search.clear()
        self._fill_filter(cases, facts)
        self.table.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        self._measure_columns()
        self._fit_columns()
        self._count()

    def refresh(self, cases: Sequence[CaseInfo]) -> None:
        """Show other facts of the same cases."""
        self._model.refresh(cases)

    def show_current(self, case_id: str) -> None:
        """Mark a case as the one that is open."""
        self._current = case_id
        row = self.order().index(case_id) if case_id in self.order() else -1
        if row >= 0:
            index = self._filter.index(row, 0)
            flags = QItemSelectionModel.SelectionFlag
            self.table.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
            self.table.scrollTo(index)
        self._count()

    def mark_unsaved(self, case_ids: frozenset[str]) -> None:
        """Mark the cases with changes that are not saved yet."""
        self._model.mark_unsaved(case_ids)
        if self._filter.unsaved_only:
            self._on_filter()

    def height_of(self, rows: int) -> int:
        """Height that shows so many cases."""
        beside = self.sizeHint().height() - self.table.sizeHint().height()
        header = self.table.horizontalHeader().sizeHint().height() + 6
        return beside + header + rows * self.table.verticalHeader().defaultSectionSize()

    def order(self) -> list[str]:
        """Ids of the cases as they are listed now."""
        rows = range(self._filter.rowCount())
        sources = (self._filter.mapToSource(self._filter.index(row, 0)).row() for row in rows)
        return [self._model.cases[row].id for row in sources]

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Show as many columns as have room."""
        super().resizeEvent(event)
        self._fit_columns()

    def _make_table(self) -> QTableView:
        table = QTableView()
        table.setModel(self._filter)
        table.setAccessibleName("Cases")
        table.setSortingEnabled(True)
        table.setAlternatingRowColors(True)
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.setTabKeyNavigation(False)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        table.verticalHeader().hide()
        rows = table.verticalHeader()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(table.fontMetrics().height() + 6)
        table.horizontalHeader().setHighlightSections(False)
        table.horizontalHeader().setStretchLastSection(True)
        return table

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.search, 3)
        top.addWidget(self.filter, 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addWidget(self.table, 1)
        bottom = QHBoxLayout()
        bottom.addWidget(self.count, 1)
        bottom.addWidget(self.previous_button)
        bottom.addWidget(self.next_button)
        layout.addLayout(bottom)

    def _fill_filter(self, cases: Sequence[CaseInfo], facts: Sequence[str]) -> None:
        self.filter.blockSignals(True)
        self.filter.clear()
        self.filter.addItem("all cases", None)
        self.filter.addItem(_UNSAVED, _UNSAVED)
        for fact in facts:
            values = sorted({case.facts.get(fact, "") for case in cases} - {""}, key=natural_key)
            if 1 < len(values) <= _MOST_CHOICES:
                for value in values:
                    self.filter.addItem(f"{fact}: {value}", (fact, value))
        self.filter.blockSignals(False)
        self._filter.keep(None)

    def _fit_columns(self) -> None:
        """Hide the columns that have no room; their facts stay in the tool tip."""
        room = self.table.width() - self.table.verticalScrollBar().sizeHint().width() - 4
        used = 0
        for column, width in enumerate(self._widths):
            fits = used + width <= room
            self.table.setColumnHidden(column, column > 0 and not fits)
            self.table.setColumnWidth(column, width if fits else room)
            used += width if fits or column == 0 else 0

    def _measure_columns(self) -> None:
        """Take the columns' widths once: Qt looks at every cell for them."""
        header = self.table.horizontalHeader()
        columns = range(self._model.columnCount())
        for column in columns:
            self.table.setColumnHidden(column, False)
        self._widths = [
            max(self.table.sizeHintForColumn(c) + 8, header.sectionSizeHint(c)) for c in columns
        ]
        self._widths[0] += self.table.fontMetrics().horizontalAdvance("● ")

    def _count(self) -> None:
        order = self.order()
        total = len(self._model.cases)
        place = f"case {order.index(self._current) + 1} of " if self._current in order else ""
        shown = f"{len(order)}" if len(order) == total else f"{len(order)} shown, {total} in all"
        self.count.setText(f"{place}{shown}" if total else "no cases")

    def _on_search(self, text: str) -> None:
        self._filter.search(text)
        self._keep_current()

    def _on_filter(self) -> None:
        chosen = self.filter.currentData()
        if chosen == _UNSAVED:
            self._filter.keep(None, unsaved_only=True)
        else:
            self._filter.keep(tuple(chosen) if chosen else None)
        self._keep_current()

    def _keep_current(self) -> None:
        if self._current is not None:
            self.show_current(self._current)
        self._count()

    def _open_first(self) -> None:
        order = self.order()
        if order:
            self.case_requested.emit(order[0])

    def _on_picked(self, index: QModelIndex) -> None:
        case = self._model.cases[self._filter.mapToSource(index).row()]
        if case.id != self._current:
            self.case_requested.emit(case.id)

    def _on_activated(self, index: QModelIndex) -> None:
        # Enter or a double click also opens the present case again.
        self.case_requested.emit(self._model.cases[self._filter.mapToSource(index).row()].id)


def _step_button(text: str, action: str) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setToolTip(shown(action))
    return button
