"""The table of slice labels: slices down, columns across; click, drag and keys edit it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QPoint, QRect, QSize, Qt, Signal
from qtpy.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent, QWheelEvent
from qtpy.QtWidgets import QAbstractScrollArea, QToolTip, QWidget

from napari_chest.ui.widgets import style

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from napari_chest.model import SliceLabels

_NUMBER_COLUMN = 1.0
_ANY_COLUMN = 1.45
"""Widths of the column with the slice numbers and of the any-column, in cells."""


class SliceGrid(QAbstractScrollArea):
    """Shows one slice table and asks for changes of it; it changes nothing itself.

    Only the rows in view are drawn, so its cost does not grow with the number of slices. Rows are
    display slices, counted from 1 on screen. A range runs from the mark to the current slice.

    Signals
    -------
    slice_requested(int) : show this slice.
    range_requested(int) : extend a range from the current slice to this one.
    cells_requested(list, int, bool) : set a column of these slices.
    """

    slice_requested = Signal(int)
    range_requested = Signal(int)
    cells_requested = Signal(list, int, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._labels: SliceLabels | None = None
        self._saved: npt.NDArray[np.bool_] | None = None
        self._current = 0
        self._mark: int | None = None
        self._drag: tuple[int, int, bool] | None = None
        self._dragged_to = 0
        self._empty = "No case is open."
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Slice labels")
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.viewport().setMouseTracking(True)
        self.setMinimumHeight(6 * self._row_height())

    # What is shown

    def show_labels(
        self, labels: SliceLabels | None, saved: npt.NDArray[np.bool_] | None, empty: str = ""
    ) -> None:
        """Show a table and which of its cells differ from the saved ones; or why there is none."""
        self._labels, self._saved, self._empty = labels, saved, empty
        self._drag = None
        self._resize_scroll_bar()
        self.viewport().update()

    def show_current(self, z: int) -> None:
        """Mark the slice on screen and keep it in view."""
        self._current = z
        bar = self.verticalScrollBar()
        top, height = z * self._row_height(), self._row_height()
        margin = min(2 * height, self._body_height() // 3)
        if not margin <= top - bar.value() <= self._body_height() - height - margin:
            bar.setValue(top - (self._body_height() - height) // 2)
        self.viewport().update()

    def show_mark(self, z: int | None) -> None:
        """Show where a range begins, or that there is none."""
        self._mark = z
        self.viewport().update()

    @property
    def labels(self) -> SliceLabels | None:
        """The table that is shown."""
        return self._labels

    def cell_rect(self, z: int, column: int) -> QRect:
        """Where a cell lies in the viewport."""
        left, width = self._column_span(column)
        return QRect(left, self._row_top(z), width, self._row_height())

    def number_rect(self, z: int) -> QRect:
        """Where the number of a slice lies in the viewport."""
        return QRect(0, self._row_top(z), self._column_span(0)[0], self._row_height())

    def sizeHint(self) -> QSize:  # noqa: N802
        """Twelve rows of comfortable cells."""
        return QSize(280, self._row_height() * 13)

    # Mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Toggle a cell, or go to the slice whose number is hit; Shift makes a range."""
        z, column = self._hit(event.position().toPoint())
        if event.button() != Qt.MouseButton.LeftButton or self._labels is None or z is None:
            return
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.range_requested.emit(z)
        elif column is None:
            self.slice_requested.emit(z)
        else:
            self._drag = z, column, not bool(self._labels.values[z, column])
            self._dragged_to = z
            self.viewport().update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Extend the drag, or tell what is under the pointer."""
        at = event.position().toPoint()
        if self._drag is None:
            self._tell(at)
            return
        self._dragged_to = self._row_at(at.y())
        self.viewport().update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: ARG002, N802
        """Ask for the change that was drawn, as one step."""
        if self._drag is not None:
            _, column, value = self._drag
            rows = list(self._drag_rows())
            self._drag = None
            self.viewport().update()
            self.cells_requested.emit(rows, column, value)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        """Scroll by three rows a notch."""
        steps = event.angleDelta().y() / 120
        bar = self.verticalScrollBar()
        bar.setValue(round(bar.value() - 3 * steps * self._row_height()))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Keep the scroll bar and the current slice right."""
        super().resizeEvent(event)
        self._resize_scroll_bar()
        self.show_current(self._current)

    # Drawing

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802
        """Draw the rows in view."""
        painter = QPainter(self.viewport())
        try:
            self._paint(painter)
        finally:
            painter.end()  # a painter left open by an error would crash Qt

    def _paint(self, painter: QPainter) -> None:
        painter.fillRect(self.viewport().rect(), QColor("#1b1d22"))
        if self._labels is None:
            painter.setPen(QColor(style.SECONDARY))
            area = self.viewport().rect().adjusted(12, 8, -12, -8)
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(area, int(flags), self._empty)
        else:
            first = self.verticalScrollBar().value() // self._row_height()
            last = first + self._body_height() // self._row_height() + 2
            for z in range(first, min(last, len(self._labels.values))):
                self._draw_row(painter, z)
            self._draw_header(painter)

    def _draw_header(self, painter: QPainter) -> None:
        assert self._labels is not None
        width = self.viewport().width()
        painter.fillRect(0, 0, width, self._header_height(), QColor(style.BACKGROUND))
        painter.setPen(QColor(style.SECONDARY))
        center = int(Qt.AlignmentFlag.AlignCenter)
        row = self._row_height()
        painter.drawText(QRect(0, 0, self._column_span(0)[0], 2 * row), center, "slice")
        for column, name in enumerate(self._labels.columns):
            left, width = self._column_span(column)
            painter.setPen(QColor(style.TEXT))
            fitting = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, width)
            painter.drawText(QRect(left, 0, width, row), center, fitting)
            painter.setPen(QColor(style.SECONDARY))
            painter.drawText(QRect(left, row, width, row), center, f"{column + 1}")

    def _draw_row(self, painter: QPainter, z: int) -> None:
        assert self._labels is not None
        row = QRect(0, self._row_top(z), self.viewport().width(), self._row_height())
        if self._mark is not None and min(self._mark, self._current) <= z <= max(
            self._mark, self._current
        ):
            painter.fillRect(row, QColor("#4d4320"))
        if z == self._current:
            painter.fillRect(row, QColor("#2a7fb0"))
        marked = z == self._mark
        painter.setPen(QColor(style.AMBER if marked else style.TEXT))
        number = f"▸{z + 1}" if marked else f"{z + 1}"
        painter.drawText(self.number_rect(z), int(Qt.AlignmentFlag.AlignCenter), number)
        for column in range(len(self._labels.columns)):
            self._draw_cell(painter, z, column)

    def _draw_cell(self, painter: QPainter, z: int, column: int) -> None:
        assert self._labels is not None
        cell = self.cell_rect(z, column).adjusted(2, 2, -2, -1)
        value = bool(self._labels.values[z, column])
        if self._drag is not None and self._drag[1] == column and z in self._drag_rows():
            value = self._drag[2]
        on = (
            style.LABEL_ANY
            if self._labels.columns[column] == self._labels.any_column
            else style.LABEL_ON
        )
        painter.fillRect(cell, QColor(on if value else style.LABEL_OFF))
        if self._saved is not None and self._saved[z, column] != self._labels.values[z, column]:
            painter.setPen(QPen(QColor(style.AMBER), 2))
            painter.drawRect(cell.adjusted(1, 1, -1, -1))

    # Geometry

    def _row_height(self) -> int:
        return int(self.fontMetrics().height()) + 4

    def _header_height(self) -> int:
        return 2 * self._row_height()

    def _body_height(self) -> int:
        return max(self.viewport().height() - self._header_height(), self._row_height())

    def _row_top(self, z: int) -> int:
        return (
            self._header_height() + z * self._row_height() - int(self.verticalScrollBar().value())
        )

    def _row_at(self, y: int) -> int:
        rows = len(self._labels.values) if self._labels is not None else 0
        offset = y - self._header_height() + self.verticalScrollBar().value()
        return int(min(max(offset // self._row_height(), 0), max(rows - 1, 0)))

    def _column_span(self, column: int) -> tuple[int, int]:
        """Left edge and width of a column."""
        widths = [_NUMBER_COLUMN]
        if self._labels is not None:
            any_column = self._labels.any_column
            widths += [_ANY_COLUMN if c == any_column else 1.0 for c in self._labels.columns]
        unit = self.viewport().width() / sum(widths)
        left = round(sum(widths[: column + 1]) * unit)
        return left, round(sum(widths[: column + 2]) * unit) - left

    def _hit(self, at: QPoint) -> tuple[int | None, int | None]:
        """Slice and column under a point; None for the header, and for the number column."""
        if self._labels is None or at.y() < self._header_height():
            return None, None
        if at.y() >= self._row_top(len(self._labels.values)):
            return None, None
        columns = range(len(self._labels.columns))
        spans = [self._column_span(column) for column in columns]
        column = next((c for c in columns if 0 <= at.x() - spans[c][0] < spans[c][1]), None)
        return self._row_at(at.y()), column

    def _drag_rows(self) -> range:
        assert self._drag is not None
        start = self._drag[0]
        return range(min(start, self._dragged_to), max(start, self._dragged_to) + 1)

    def _tell(self, at: QPoint) -> None:
        z, column = self._hit(at)
        if self._labels is None or z is None or column is None:
            QToolTip.hideText()
            return
        name = self._labels.columns[column]
        value = "yes" if self._labels.values[z, column] else "no"
        text = f"slice {z + 1}, {name}: {value}"
        QToolTip.showText(self.viewport().mapToGlobal(at), text, self.viewport())

    def _resize_scroll_bar(self) -> None:
        rows = len(self._labels.values) if self._labels is not None else 0
        bar = self.verticalScrollBar()
        bar.setRange(0, max(rows * self._row_height() - self._body_height(), 0))
        bar.setPageStep(self._body_height())
        bar.setSingleStep(self._row_height())
