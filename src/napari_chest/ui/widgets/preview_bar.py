"""What a tool would change, and whether to keep it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from napari_chest.ui.wrapped_label import WrappedLabel

if TYPE_CHECKING:
    from qtpy.QtGui import QKeyEvent


class PreviewBar(QWidget):
    """A line that says what is previewed, and two buttons; hidden while there is no preview.

    Signals
    -------
    kept() : make it an edit.
    dropped() : leave the mask as it is.
    """

    kept = Signal()
    dropped = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text = WrappedLabel()
        self.text.setProperty("state", "unsaved")
        self.keep = QPushButton("Keep (Enter)")
        self.keep.setToolTip("Make it an edit; it can be undone")
        self.keep.setProperty("primary", "true")
        self.drop = QPushButton("Drop (Esc)")
        self.drop.setToolTip("Leave the mask as it is")
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        for button, share in ((self.keep, 6), (self.drop, 5)):
            # Their padding gives way in a narrow dock, before the dock has to grow.
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            buttons.addWidget(button, share)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(self.text)
        layout.addLayout(buttons)
        self.keep.clicked.connect(self.kept)
        self.drop.clicked.connect(self.dropped)
        self.hide()

    def show_preview(self, text: str, more: str = "") -> None:
        """Say what is previewed, such as ``Interpolate: +3.2 ml on slices 12-20``.

        Parameters
        ----------
        text : one line.
        more : what the tool has to say about it, such as where it stopped.
        """
        self.text.setText(f"{text}\n{more}" if more else text)
        self.show()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Keep by Enter and drop by Escape also while a button has the keyboard."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.kept.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.dropped.emit()
        else:
            super().keyPressEvent(event)
