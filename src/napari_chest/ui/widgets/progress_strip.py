"""How far one is with the cases, as a thin bar; unfolded, how far every reader is, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QRectF, QSize, Qt
from qtpy.QtGui import QColor, QPainter
from qtpy.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from napari_chest.ui.elided_label import ElidedLabel
from napari_chest.ui.scrolled import Scrolled
from napari_chest.ui.widgets import style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtpy.QtGui import QPaintEvent

    from napari_chest.ui.worklist import Progress

_GAP = 1.0
_FEW_LINES, _MOST_LINES = 4, 8
"""How much of what is unfolded is shown at least and at most; the rest is scrolled."""


class ProgressStrip(QWidget):
    """One bar and the button that unfolds the others; hidden until there is something to tell."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bars: tuple[Progress, ...] = ()
        self.toggle = QToolButton()
        self.toggle.setCheckable(True)
        self.toggle.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.toggle.setArrowType(Qt.ArrowType.RightArrow)
        self.toggle.setToolTip("How far every reader is")
        self.bar = _Bar()
        self.remaining = _words()
        self.lines: list[_Line] = []
        self._column = QWidget()
        self._column.setProperty("role", "part")
        lines = QVBoxLayout(self._column)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(2)
        self._all = Scrolled(self._column)
        self._all.viewport().setAutoFillBackground(False)
        top = QHBoxLayout()
        top.addWidget(self.toggle)
        top.addWidget(self.bar, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addLayout(top)
        layout.addWidget(self.remaining)
        layout.addWidget(self._all)
        self.toggle.toggled.connect(self._fold)
        self._all.room_changed.connect(self._fit)
        self.show_progress((), "")

    def show_progress(self, bars: Sequence[Progress], remaining: str) -> None:
        """Show other figures.

        Parameters
        ----------
        bars : the one that is always shown, then the others.
        remaining : how long the rest may take, in words; empty where nobody knows.
        """
        self._bars = tuple(bars)
        self.remaining.setText(remaining[:1].upper() + remaining[1:])
        self.setVisible(bool(bars))
        if bars:
            told = f"{bars[0].who}: {bars[0].in_words}"
            self.toggle.setText(bars[0].in_short)
            self.toggle.setAccessibleDescription(told)
            self.setToolTip("\n".join(filter(None, (told, remaining))))
            self.bar.show_progress(bars[0])
        self._fold(self.toggle.isChecked())

    def _fold(self, unfolded: bool) -> None:
        self.toggle.setArrowType(Qt.ArrowType.DownArrow if unfolded else Qt.ArrowType.RightArrow)
        self.remaining.setVisible(unfolded and bool(self.remaining.text()))
        self._all.setVisible(unfolded)
        if unfolded:
            self._fill()

    def _fill(self) -> None:
        for _ in range(len(self._bars) - len(self.lines)):
            self.lines.append(_Line())
            self._column.layout().addWidget(self.lines[-1])
        for index, line in enumerate(self.lines):
            line.setVisible(index < len(self._bars))
            if index < len(self._bars):
                line.show_progress(self._bars[index])
        self._fit()

    def _fit(self) -> None:
        """Take the height that the lines need as they break now, within limits."""
        line, full = self.fontMetrics().lineSpacing(), self._all.full_height
        self._all.setMinimumHeight(min(_FEW_LINES * line, full))
        self._all.setMaximumHeight(min(_MOST_LINES * line, full))


class _Line(QWidget):
    """A name, its bar, and below them the numbers in words."""

    def __init__(self) -> None:
        super().__init__()
        self.name = ElidedLabel()
        self.bar = _Bar()
        self.words = _words()
        top = QHBoxLayout()
        top.addWidget(self.name, 2)
        top.addWidget(self.bar, 3)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(top)
        layout.addWidget(self.words)

    def show_progress(self, progress: Progress) -> None:
        """Show other figures."""
        self.name.setText(progress.who)
        self.words.setText(f"{progress.in_short}: {progress.in_words}")
        self.setToolTip(f"{progress.who}\n{self.words.text()}")
        self.bar.show_progress(progress)


class _Bar(QWidget):
    """A part for every state of work, what is furthest on the left; the rest is not begun."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: tuple[tuple[str, float], ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:  # noqa: N802
        """As thin as half a line of text."""
        return QSize(40, max(6, self.fontMetrics().height() // 2))

    def show_progress(self, progress: Progress) -> None:
        """Show other figures."""
        self._parts = tuple(
            (state, progress.counts[state] / progress.total)
            for state in progress.states
            if state != "not started"
        )
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002
        """Draw the parts side by side; none is so thin that it cannot be seen."""
        painter = QPainter(self)
        try:
            painter.fillRect(self.rect(), QColor(style.LABEL_OFF))
            left = 0.0
            for state, share in self._parts:
                width = max(2.0, share * self.width())
                part = QRectF(left, 0, width - _GAP, self.height())
                painter.fillRect(part, QColor(style.STATE_COLORS[state]))
                left += width
        finally:
            painter.end()  # a painter left open by an error would crash Qt


def _words() -> QLabel:
    label = QLabel()
    label.setProperty("role", "secondary")
    label.setWordWrap(True)
    return label
