"""A table of agreement on screen: read by keyboard, copied, with what each number means."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QSortFilterProxyModel, Qt, Signal
from qtpy.QtGui import QKeyEvent, QKeySequence
from qtpy.QtWidgets import QAbstractItemView, QApplication, QHeaderView, QTableView, QWidget

from napari_chest.ui.agreement.tables import Readers, Row, Table, as_tsv, told

_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_SORTED = Qt.ItemDataRole.UserRole
_WIDEST = 44
"""Characters of a column, beyond which a text is cut; its tool tip has all of it."""


class TableModel(QAbstractTableModel):
    """Gives Qt the cells of a table."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.table = Table("")

    def show_table(self, table: Table) -> None:
        """Show another table."""
        self.beginResetModel()
        self.table = table
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | None = None) -> int:  # noqa: ARG002, N802
        """As Qt asks for it."""
        return len(self.table.rows)

    def columnCount(self, parent: QModelIndex | None = None) -> int:  # noqa: ARG002, N802
        """As Qt asks for it."""
        return len(self.table.columns)

    def headerData(  # noqa: N802
        self, section: int, orientation: Any, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Title of a column, or what it means."""
        if orientation != Qt.Orientation.Horizontal or section >= len(self.table.columns):
            return None
        column = self.table.columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title
        return column.definition or None if role == Qt.ItemDataRole.ToolTipRole else None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """A cell as text, how it is aligned, and what it is sorted by."""
        row, column = self.table.rows[index.row()], self.table.columns[index.column()]
        cell = row.cells[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return told(cell, column.digits)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return None if isinstance(cell, str | bool | Readers) else _RIGHT
        if role == Qt.ItemDataRole.ToolTipRole:
            return _tip(cell, row)
        return _order(cell) if role == _SORTED else None


def _tip(cell: Any, row: Row) -> str:
    if isinstance(cell, Readers):
        return " – ".join(cell.titles)
    return cell if isinstance(cell, str) else row.note


def _order(cell: Any) -> Any:
    if isinstance(cell, Readers):
        return cell.text
    value = getattr(cell, "value", cell)
    return float("-inf") if value is None else value


class TableView(QTableView):
    """Shows one table.

    Signals
    -------
    row_chosen(Row) : another row is the current one.
    defined(text) : what the column under the pointer, or the current one, means.
    """

    row_chosen = Signal(object)
    defined = Signal(str)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self._model = TableModel(self)
        self._sorted = QSortFilterProxyModel(self)
        self._sorted.setSourceModel(self._model)
        self._sorted.setSortRole(_SORTED)
        self.setModel(self._sorted)
        self.setSortingEnabled(True)
        self.sortByColumn(-1, Qt.SortOrder.AscendingOrder)  # as it comes
        self.setAlternatingRowColors(True)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.setMouseTracking(True)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 6)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.horizontalHeader().setDefaultAlignment(_LEFT)
        self.horizontalHeader().setMouseTracking(True)
        self.horizontalHeader().entered.connect(self._define)
        self.entered.connect(self._define)
        self.selectionModel().currentChanged.connect(self._on_current)

    @property
    def table(self) -> Table:
        """The table that is shown."""
        return self._model.table

    def show_table(self, table: Table) -> None:
        """Show another table; the row stays where the same is there again."""
        before = self.currentIndex()
        at = before.row() if before.isValid() and table.name == self.table.name else 0
        self._model.show_table(table)
        self._fit_columns()
        if table.rows:
            self.selectRow(min(at, len(table.rows) - 1))

    @property
    def current(self) -> Row | None:
        """The current row."""
        index = self._sorted.mapToSource(self.currentIndex())
        return self.table.rows[index.row()] if index.isValid() else None

    def copy(self) -> None:
        """Put the chosen rows on the clipboard, or all where none or one is chosen."""
        chosen = [self._sorted.mapToSource(i).row() for i in self.selectionModel().selectedRows()]
        QApplication.clipboard().setText(
            as_tsv(self.table, sorted(chosen) if len(chosen) > 1 else None)
        )

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Copy, or go from cell to cell."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        else:
            super().keyPressEvent(event)

    def _fit_columns(self) -> None:
        self.resizeColumnsToContents()
        widest = self.fontMetrics().averageCharWidth() * _WIDEST
        for column in range(self._model.columnCount()):
            self.setColumnWidth(column, min(self.columnWidth(column), widest))

    def _on_current(self, index: QModelIndex, before: QModelIndex) -> None:  # noqa: ARG002
        self._define(index)
        row = self.current
        if row is not None:
            self.row_chosen.emit(row)

    def _define(self, index: QModelIndex) -> None:
        if 0 <= index.column() < len(self.table.columns):
            column = self.table.columns[index.column()]
            row = self._sorted.mapToSource(index).row()
            note = self.table.rows[row].note if 0 <= row < len(self.table.rows) else ""
            self.defined.emit(" ".join(part for part in (column.definition, note) if part))
