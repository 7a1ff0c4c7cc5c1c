"""The parts in which readings differ, as a list: what, where, how large, and whether decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from qtpy.QtCore import (
    QAbstractTableModel,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
    Signal,
)
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

if TYPE_CHECKING:
    from collections.abc import Sequence

Index: TypeAlias = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()
_SIGN, _WHAT, _WHERE, _SIZE = range(4)
_MOST_ROWS = 4


@dataclass(frozen=True)
class DisagreementRow:
    """One part in which readings differ.

    Attributes
    ----------
    what, where, size : in a word or two each.
    decided : what was taken and by whom; empty while it is open.
    tip : all of it at length.
    """

    what: str
    where: str
    size: str
    decided: str
    tip: str


class DisagreementModel(QAbstractTableModel):
    """Disagreements as rows: decided or not, what, where, size."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: tuple[DisagreementRow, ...] = ()

    def show_rows(self, rows: Sequence[DisagreementRow]) -> None:
        """Show other rows; as many as before in place, so that the selection stays."""
        alike = len(rows) == len(self.rows)
        if not alike:
            self.beginResetModel()
        self.rows = tuple(rows)
        if not alike:
            self.endResetModel()
        elif rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, _SIZE))

    def rowCount(self, parent: Index = _NOWHERE) -> int:  # noqa: N802
        """Number of disagreements."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = _NOWHERE) -> int:  # noqa: N802
        """Number of columns."""
        return 0 if parent.isValid() else _SIZE + 1

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """A cell's text and tool tip."""
        row, column = self.rows[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            sign = "✓" if row.decided else "○"
            return {_SIGN: sign, _WHAT: row.what, _WHERE: row.where, _SIZE: row.size}[column]
        if role == Qt.ItemDataRole.TextAlignmentRole and column in (_WHERE, _SIZE):
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{row.tip}\n{row.decided or 'open'}"
        return None


class DisagreementList(QTableView):
    """The list, and which of it is looked at.

    Signals
    -------
    row_requested(int) : go there.
    """

    row_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._quiet = False
        self._model = DisagreementModel(self)
        self.setModel(self._model)
        self.setAccessibleName("Disagreements")
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerItem)
        for header in (self.horizontalHeader(), self.verticalHeader()):
            header.hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(self._row_height())
        # Looking through thousands of rows for the widest would take long.
        self.horizontalHeader().setResizeContentsPrecision(50)
        mode = QHeaderView.ResizeMode
        for column in (_SIGN, _WHERE, _SIZE):
            self.horizontalHeader().setSectionResizeMode(column, mode.ResizeToContents)
        self.horizontalHeader().setSectionResizeMode(_WHAT, mode.Stretch)
        self.clicked.connect(lambda index: self.row_requested.emit(index.row()))

    @property
    def rows(self) -> tuple[DisagreementRow, ...]:
        """What is listed."""
        return self._model.rows

    def show_rows(self, rows: Sequence[DisagreementRow]) -> None:
        """List other disagreements, or the same ones otherwise."""
        self._model.show_rows(rows)
        self.setFixedHeight(min(max(len(rows), 1), _MOST_ROWS) * self._row_height() + 6)

    def show_current(self, number: int | None) -> None:
        """Mark a row, and bring it into view."""
        self._quiet = True
        flags = QItemSelectionModel.SelectionFlag
        if number is None:
            self.selectionModel().clear()
        else:
            index = self._model.index(number, _WHAT)
            self.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
            self.scrollTo(index)
        self._quiet = False

    def currentChanged(self, current: QModelIndex, previous: QModelIndex) -> None:  # noqa: N802
        """Tell which row the arrow keys have reached."""
        super().currentChanged(current, previous)
        if current.isValid() and not self._quiet and self.hasFocus():
            self.row_requested.emit(current.row())

    def _row_height(self) -> int:
        return int(self.fontMetrics().height()) + 8
