"""Parts that are scrolled up and down where they have no room, never from side to side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QObject, QPoint, QSize, Qt, Signal
from qtpy.QtWidgets import QFrame, QScrollArea, QWidget

if TYPE_CHECKING:
    from qtpy.QtGui import QResizeEvent


class Scrolled(QScrollArea):
    """Shows a widget as wide as it must be, however little of its height there is room for.

    Signals
    -------
    room_changed() : the widget needs more or less room, or has it.
    """

    room_changed = Signal()

    def __init__(self, widget: QWidget) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(widget)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """As wide as the widget and the scroll bar: what is cut off cannot be used."""
        hint, widget = super().minimumSizeHint(), self.widget()
        if widget is not None:
            beside = self.verticalScrollBar().sizeHint().width() + 2 * self.frameWidth()
            hint.setWidth(widget.minimumSizeHint().width() + beside)
        return hint

    @property
    def full_height(self) -> int:
        """The height at which nothing has to be scrolled."""
        widget = self.widget()
        depends = widget.hasHeightForWidth()  # on how the lines of its texts break
        width = self.viewport().width()
        height = widget.heightForWidth(width) if depends else widget.sizeHint().height()
        return int(height) + 2 * self.frameWidth()

    def bring(self, part: QWidget) -> None:
        """Bring a part into view; of one that is too high for that its top."""
        if part.height() <= self.viewport().height():
            self.ensureWidgetVisible(part)
        else:
            top = part.mapTo(self.widget(), QPoint(0, 0)).y()
            self.verticalScrollBar().setValue(top)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Ask for another width where the widget needs one."""
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
            self.room_changed.emit()
        return bool(super().eventFilter(watched, event))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Tell of it."""
        super().resizeEvent(event)
        self.room_changed.emit()
