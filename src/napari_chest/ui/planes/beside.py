"""Another reader's masks and the difference to those on the canvas, in panes beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QColor, QIcon, QPainter, QPixmap
from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_chest.ui.keys import shown
from napari_chest.ui.planes.outlines import AGREED, draw_outline, outline, reader_line
from napari_chest.ui.planes.pane import Pane
from napari_chest.ui.widgets.style import STYLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt
    from qtpy.QtGui import QHideEvent, QPainterPath, QResizeEvent, QShowEvent

    from napari_chest.ui.planes.place import Place

    Drawn = Sequence[tuple[npt.NDArray[np.bool_], int]]

_ICON = 12
_NARROWEST = 200
_WIDE = 1600
"""Windows narrower than this have one pane only."""


class Beside(QWidget):
    """A pane with another reader's masks and one with the difference, below their names.

    Where the window is narrow there is the difference alone: the other reader's masks are then
    shown on the canvas as long as a key is held.

    Signals
    -------
    other_requested(reader) : compare with another reader.
    link_requested() : let the panes scroll with the canvas, or on their own.
    shown(bool) : the panes came into view, or went.
    wide_changed() : there is room for one pane more, or less.
    """

    other_requested = Signal(str)
    link_requested = Signal()
    shown = Signal(bool)
    wide_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("chest")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setStyleSheet(STYLE)
        self.setAccessibleName("Side by side")
        self.setMinimumWidth(_NARROWEST)
        self.others = QComboBox()
        self.others.setAccessibleName("Reader to compare with")
        self.others.setToolTip("Whose masks stand beside those on the canvas")
        self.others.setMinimumContentsLength(6)
        self.others.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.others.activated.connect(
            lambda index: self.other_requested.emit(self.others.itemData(index))
        )
        self.link = QToolButton()
        self.link.setCheckable(True)
        self.link.setText("Linked")
        self.link.setAccessibleName("Scroll together")
        self.link.clicked.connect(self.link_requested)
        self.legend = QLabel()
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        self.legend.setWordWrap(True)
        self.empty = QLabel()
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        self.empty.setMargin(16)
        self.other = Pane("B", self._draw_other)
        self.difference = Pane("Difference", self._draw_difference)
        self.panes = (self.other, self.difference)
        self._other_paths: list[tuple[QPainterPath, int]] = []
        self._agreed: QPainterPath | None = None
        self._lay_out()
        self.show_linked(True)

    # What is shown

    @property
    def wide(self) -> bool:
        """Whether there is room for both panes."""
        return bool(self.window().width() >= _WIDE)

    def show_readers(self, readers: Sequence[tuple[str, str, str]], chosen: str) -> None:
        """Offer these readers: name, what it is called on screen, and colour of each."""
        self.others.clear()
        for index, (name, title, color) in enumerate(readers):
            pixmap = QPixmap(_ICON, _ICON)
            pixmap.fill(QColor(color))
            self.others.addItem(QIcon(pixmap), title, name)
            if name == chosen:
                self.others.setCurrentIndex(index)
        self.others.setEnabled(len(readers) > 1)

    def show_names(self, a: str, b: str, color_a: str, color_b: str) -> None:
        """Say whose masks the colours stand for."""
        self.other.set_name(f"B: {b}")
        self.legend.setText(
            f'<span style="color:{color_a}">■</span> only A: {_plain(a)} &nbsp; '
            f'<span style="color:{color_b}">■</span> only B: {_plain(b)} &nbsp; '
            "□ both"
        )

    def show_linked(self, linked: bool) -> None:
        """Show whether the panes scroll with the canvas."""
        self.link.setChecked(linked)
        self.link.setText("Linked" if linked else "Free")
        state = "The panes scroll with the image" if linked else "The panes scroll on their own"
        self.link.setToolTip(f"{state} ({shown('unlink')})")

    def show_empty(self, text: str) -> None:
        """Say why there is nothing to compare; without words show the panes."""
        self.empty.setText(text)
        self._stack.setCurrentWidget(self.empty if text else self._panes)

    def show_outlines(self, other: Drawn, agreed: npt.NDArray[np.bool_] | None) -> None:
        """Draw these outlines.

        Parameters
        ----------
        other : planes (H, W) of the other reader and the number of the reader's line.
        agreed : (H, W) what both have; None draws nothing.
        """
        self._other_paths = [(outline(plane), number) for plane, number in other]
        self._agreed = None if agreed is None else outline(agreed)
        for pane in self.panes:
            pane.redraw()

    def _draw_other(self, painter: QPainter, place: Place) -> None:
        for path, number in self._other_paths:
            draw_outline(painter, place, path, reader_line(number))

    def _draw_difference(self, painter: QPainter, place: Place) -> None:
        if self._agreed is not None:
            draw_outline(painter, place, self._agreed, AGREED)

    # Qt's events

    def sizeHint(self) -> QSize:  # noqa: N802
        """One pane, or two of them."""
        return QSize(720 if self.wide else 360, 520)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Tell that the panes came into view."""
        super().showEvent(event)
        self._fold()
        self.shown.emit(True)

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802
        """Tell that the panes went."""
        super().hideEvent(event)
        self.shown.emit(False)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Have as many panes as there is room for."""
        super().resizeEvent(event)
        self._fold()

    def _fold(self) -> None:
        if self.other.isHidden() == self.wide:
            self.other.setVisible(self.wide)
            self.wide_changed.emit()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(6, 4, 6, 0)
        head.addWidget(QLabel("B:"))
        head.addWidget(self.others, 1)
        head.addWidget(self.link)
        self._panes = QWidget()
        row = QHBoxLayout(self._panes)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        for pane in self.panes:
            row.addWidget(pane, 1)
        self._stack = QStackedLayout()
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self._panes)
        foot = QHBoxLayout()
        foot.setContentsMargins(6, 0, 6, 4)
        foot.addWidget(self.legend, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(head)
        layout.addLayout(self._stack, 1)
        layout.addLayout(foot)


def _plain(text: str) -> str:
    """A name as rich text shows it, whatever signs it has."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
