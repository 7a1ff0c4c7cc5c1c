"""What every reader answers and says of the slice on screen, side by side with the majority."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QBrush, QColor
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from napari_chest.ui.widgets import style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtpy.QtGui import QKeyEvent, QResizeEvent

_MOST_ROWS = 7
_SHARE = 0.62
"""Of the table's width that the readers take at most."""
_LETTERS = "AB"
_MAJORITY = "Majority"


@dataclass(frozen=True)
class AnswersRow:
    """One thing that is asked.

    Attributes
    ----------
    name : what is asked.
    cells : what each reader says, and what most of them do.
    tips : the same at length, and what a click takes.
    differs : whether the readers differ.
    """

    name: str
    cells: tuple[str, ...]
    tips: tuple[str, ...]
    differs: bool


class AnswersTable(QTableWidget):
    """A row for all that is asked, a column for every reader, and one for the majority.

    Signals
    -------
    cell_requested(row, column) : take what stands there.
    """

    cell_requested = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[AnswersRow, ...] = ()
        self.setAccessibleName("Answers and slice labels of all readers")
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(self._row_height())
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setMinimumSectionSize(1)
        header.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.cellClicked.connect(self._ask)

    @property
    def rows(self) -> tuple[AnswersRow, ...]:
        """What is shown."""
        return self._rows

    def show_rows(self, title: str, readers: Sequence[str], rows: Sequence[AnswersRow]) -> None:
        """Show other rows.

        Parameters
        ----------
        title : above the names of the rows.
        readers : who says it, A first.
        rows : one for all that is asked.
        """
        letters = _LETTERS[: len(readers)]
        heads = (title, *letters, *readers[len(letters) :], _MAJORITY)
        names = (title, *readers, _MAJORITY)
        place = self.currentRow(), self.currentColumn()
        self._rows = tuple(rows)
        self.clear()
        self.setRowCount(len(rows))
        self.setColumnCount(len(heads))
        self.setHorizontalHeaderLabels(list(heads))
        for column, name in enumerate(names):
            self.horizontalHeaderItem(column).setToolTip(name)
        for number, row in enumerate(rows):
            self._fill(number, row)
        self._share_out()
        self.setCurrentCell(*place)
        self.setVisible(bool(rows))
        shown = min(len(rows), _MOST_ROWS)
        self.setFixedHeight(
            self.horizontalHeader().sizeHint().height() + shown * self._row_height() + 6
        )

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Take the current cell by Space or Enter."""
        keys = (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if event.key() in keys and self.currentRow() >= 0:
            self._ask(self.currentRow(), self.currentColumn())
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Keep the names readable."""
        super().resizeEvent(event)
        self._share_out()

    def _fill(self, number: int, row: AnswersRow) -> None:
        # A sign as well as a colour, for eyes that tell no amber from white.
        name = QTableWidgetItem(f"≠ {row.name}" if row.differs else f"   {row.name}")
        name.setToolTip(f"{row.name}: {'the readers differ' if row.differs else 'all agree'}")
        if row.differs:
            name.setForeground(QBrush(QColor(style.AMBER)))
        self.setItem(number, 0, name)
        for column, (text, tip) in enumerate(zip(row.cells, row.tips, strict=True), 1):
            item = QTableWidgetItem(text)
            item.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
            item.setToolTip(tip)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, tip)
            if row.differs:
                item.setForeground(QBrush(QColor(style.AMBER)))
            self.setItem(number, column, item)

    def _ask(self, row: int, column: int) -> None:
        if column > 0:
            self.cell_requested.emit(row, column - 1)

    def _share_out(self) -> None:
        columns, width = self.columnCount() - 1, self.viewport().width()
        if columns < 1:
            return
        wanted = self.fontMetrics().horizontalAdvance(f"{_MAJORITY}  ")
        each = min(wanted, int(width * _SHARE) // columns)
        for column in range(1, columns + 1):
            self.setColumnWidth(column, each)
        self.setColumnWidth(0, width - columns * each)

    def _row_height(self) -> int:
        return int(self.fontMetrics().height()) + 8
