"""The table of the case list: it fits its columns into a narrow dock, and says why it is empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QItemSelection, QItemSelectionModel, QSize, Qt
from qtpy.QtGui import QColor, QPainter
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from napari_chest.ui.case_model import CaseModel
from napari_chest.ui.widgets import style

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qtpy.QtGui import QPaintEvent, QResizeEvent

_FEW_ROWS = 3
_BESIDE_TEXT = 16
"""Pixels that a cell is wider than its text."""


class CaseTable(QTableView):
    """Rows that are chosen whole, one or several; never scrolled from side to side.

    Attributes
    ----------
    cases : the model.
    empty : what it says where no case is listed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.cases = CaseModel(self.fontMetrics().height(), self)
        self.empty = ""
        self._widths: list[int] = []
        self.setModel(self.cases)
        self.setAccessibleName("Cases")
        self.setSortingEnabled(True)
        self.setAlternatingRowColors(True)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        rows, header = self.verticalHeader(), self.horizontalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(self.fontMetrics().height() + 6)
        header.setHighlightSections(False)
        header.setStretchLastSection(True)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """High enough for a few rows."""
        rows = _FEW_ROWS * self.verticalHeader().defaultSectionSize()
        header = self.horizontalHeader().sizeHint().height() + 2 * self.frameWidth()
        return QSize(super().minimumSizeHint().width(), header + rows)

    def measure_columns(self) -> None:
        """Take the columns' widths once: Qt would look at every cell for them."""
        header, metrics = self.horizontalHeader(), self.fontMetrics()
        self._widths = []
        for index, column in enumerate(self.cases.columns):
            self.setColumnHidden(index, False)  # what is hidden has no width
            texts = self.cases.list.longest(column)
            text = max(map(metrics.horizontalAdvance, texts), default=0) + _BESIDE_TEXT
            sign = metrics.height() if column.kind in ("state", "priority") else 0
            self._widths.append(max(text + sign, header.sectionSizeHint(index)))
        self._widths[0] += metrics.horizontalAdvance("● ")
        self.fit_columns()

    def fit_columns(self) -> None:
        """Hide the columns that have no room; what they say stays in the tool tip."""
        room = self.width() - self.verticalScrollBar().sizeHint().width() - 4
        if len(self._widths) != len(self.cases.columns):
            return
        used = self._fit_title(room)
        for index, column in enumerate(self.cases.columns):
            if column.kind in ("case", "state"):
                continue
            width = self._widths[index]
            fits = used + width <= room and self.cases.list.says(column)
            self.setColumnHidden(index, not fits)
            self.setColumnWidth(index, width)
            used += width if fits else 0

    def select(self, cases: Iterable[str]) -> None:
        """Select the cases of these ids, where they are listed, and no others."""
        selection = QItemSelection()
        for row in filter(lambda row: row >= 0, map(self.cases.row_of, cases)):
            selection.select(self.cases.index(row, 0), self.cases.index(row, 0))
        flags = QItemSelectionModel.SelectionFlag
        self.selectionModel().select(selection, flags.ClearAndSelect | flags.Rows)

    def show_current(self, case: str | None) -> None:
        """Select a case and bring it into view, where it is listed."""
        row = self.cases.row_of(case)
        if row >= 0:
            index = self.cases.index(row, 0)
            flags = QItemSelectionModel.SelectionFlag
            self.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
            self.scrollTo(index)

    def selected_rows(self) -> list[int]:
        """The selected rows, from the first to the last."""
        return sorted(index.row() for index in self.selectionModel().selectedRows())

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Show as many columns as have room."""
        super().resizeEvent(event)
        self.fit_columns()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Draw the rows, or why there are none."""
        super().paintEvent(event)
        if self.cases.rowCount():
            return
        painter = QPainter(self.viewport())
        try:
            painter.setPen(QColor(style.SECONDARY))
            room = self.viewport().rect().adjusted(8, 8, -8, -8)
            flags = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop
            painter.drawText(room, int(flags) | int(Qt.TextFlag.TextWordWrap), self.empty)
        finally:
            painter.end()  # a painter left open by an error would crash Qt

    def _fit_title(self, room: int) -> int:
        """Give title and state their room; where it is little, a state is told by its sign."""
        if not self.cases.has_work:
            self.setColumnWidth(0, min(self._widths[0], room))
            return self._widths[0]
        bare = self._widths[0] + self._widths[1] > room
        self.cases.show_bare_states(bare=bare)
        sign = self.fontMetrics().height() + _BESIDE_TEXT
        state = max(sign, self.horizontalHeader().minimumSectionSize()) if bare else self._widths[1]
        title = min(self._widths[0], room - state)
        self.setColumnHidden(1, False)  # a fact stood there before
        self.setColumnWidth(0, title)
        self.setColumnWidth(1, state)
        return title + state
