"""How large the selected segment is, and what lies in it: one line, two at most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QPainter, QPaintEvent, QResizeEvent
from qtpy.QtWidgets import QSizePolicy, QWidget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtpy.QtGui import QFontMetrics

_BETWEEN = " · "
_MOST_LINES = 2


class NumbersLine(QWidget):
    """Numbers side by side, as many as there is room for; all of them stand in the tool tip."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.parts: tuple[str, ...] = ()
        self.lines: tuple[str, ...] = ()
        self.setAccessibleName("Numbers of the selected segment")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setProperty("role", "secondary")
        self.hide()

    def show_numbers(self, name: str, parts: Sequence[str]) -> None:
        """Show other numbers, those first that matter most; nothing is shown without any."""
        self.parts = tuple(parts)
        text = _BETWEEN.join(parts)
        self.setToolTip(f"{name}: {text}")
        self.setAccessibleDescription(f"{name}: {text}")
        self._break()
        self.setVisible(bool(parts))
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802
        """As high as its lines."""
        height = self.fontMetrics().lineSpacing() * max(len(self.lines), 1)
        return QSize(1, height + 2)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """As high as its lines, and as narrow as need be."""
        return self.sizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Break the lines anew."""
        super().resizeEvent(event)
        self._break()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002
        """Draw the lines."""
        painter = QPainter(self)
        painter.setPen(self.palette().windowText().color())
        height = self.fontMetrics().lineSpacing()
        for number, line in enumerate(self.lines):
            flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(0, number * height, self.width(), height, int(flags), line)

    def _break(self) -> None:
        lines = broken(self.parts, self.fontMetrics(), self.width())
        if len(lines) != len(self.lines):
            self.updateGeometry()
        self.lines = lines


def broken(parts: Sequence[str], metrics: QFontMetrics, width: int) -> tuple[str, ...]:
    """The parts in as few lines as they need, up to two; the last line is cut short if need be."""
    lines: list[str] = []
    for part in parts:
        longer = f"{lines[-1]}{_BETWEEN}{part}" if lines else part
        fits = metrics.horizontalAdvance(longer) <= width
        if lines and (fits or len(lines) == _MOST_LINES):
            lines[-1] = longer
        else:
            lines.append(part)
    return tuple(metrics.elidedText(line, Qt.TextElideMode.ElideRight, width) for line in lines)
