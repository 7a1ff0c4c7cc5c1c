"""The card that shows what a save really did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, QUrl, Signal
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

if TYPE_CHECKING:
    from pathlib import Path


class ProofCard(QWidget):
    """A headline in green or red, the proof's lines, and the way back."""

    done_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.headline = QLabel()
        self.headline.setWordWrap(True)
        self.text = QPlainTextEdit(readOnly=True)
        self.text.setAccessibleName("Proof of the save")
        self.text.setTabChangesFocus(True)
        self.folder_button = QPushButton("Show folder")
        self.done_button = QPushButton("Done")
        self.done_button.setProperty("primary", "true")
        self._folder: Path | None = None
        row = QHBoxLayout()
        row.addWidget(self.folder_button)
        row.addStretch(1)
        row.addWidget(self.done_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.headline)
        layout.addWidget(self.text, 1)
        layout.addLayout(row)
        self.done_button.clicked.connect(self.done_requested)
        self.folder_button.clicked.connect(self._open_folder)

    def show_proof(self, headline: str, lines: list[str], folder: Path, *, holds: bool) -> None:
        """Show a proof."""
        self._folder = folder
        self.headline.setText(f"{'✓' if holds else '✗'} {headline}")
        self.headline.setProperty("state", "saved" if holds else "bad")
        self.headline.style().polish(self.headline)
        self.text.setPlainText("\n".join(lines))
        self.done_button.setFocus()

    def keyPressEvent(self, event: object) -> None:  # noqa: N802
        """Enter and Escape go back to the case."""
        key = event.key()  # type: ignore[attr-defined]
        if key in (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.done_requested.emit()
        else:
            super().keyPressEvent(event)

    def _open_folder(self) -> None:
        if self._folder is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._folder)))
