"""What is seen before a dataset is open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QLabel, QMenu, QPushButton, QVBoxLayout, QWidget

from napari_chest.ui.canvas.overlay import elide_middle

if TYPE_CHECKING:
    from collections.abc import Sequence

DEMOS = (
    ("covid-ct-md", "COVID-CT-MD: slice and lobe labels"),
    ("mosmed", "MosMedData: masks on CT"),
    ("bimcv", "BIMCV COVID-19: radiographs, ROIs, reports"),
    ("ricord", "MIDRC-RICORD-1A: outlines of several readers"),
    ("ricord-1c", "MIDRC-RICORD-1C: radiographs, exam labels"),
)
_MOST_RECENT = 5
_NAME_LENGTH = 34


class StartPage(QWidget):
    """Ways to open a dataset, and why the last attempt failed if it did."""

    browse_requested = Signal()
    folder_requested = Signal(str)
    demo_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.open_button = QPushButton("Open dataset folder…")
        self.open_button.setProperty("primary", "true")
        self.demo_button = QPushButton("Try it on a synthetic dataset")
        self.demo_button.setMenu(self._demo_menu())
        self.message = QLabel()
        self.message.setWordWrap(True)
        self.message.setProperty("state", "bad")
        self.message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.message.hide()
        self.recent: list[QPushButton] = []
        self._recent_area = QVBoxLayout()
        self._lay_out()
        self.open_button.clicked.connect(self.browse_requested)

    def show_recent(self, folders: Sequence[str]) -> None:
        """Offer the folders that were open before."""
        for button in self.recent:
            self._recent_area.removeWidget(button)
            button.deleteLater()
        self.recent = []
        for folder in folders[:_MOST_RECENT]:
            button = QPushButton(elide_middle(Path(folder).name, _NAME_LENGTH))
            button.setToolTip(folder)
            button.clicked.connect(lambda _=False, f=folder: self.folder_requested.emit(f))
            self._recent_area.addWidget(button)
            self.recent.append(button)
        self._recent_title.setVisible(bool(self.recent))

    def show_message(self, text: str) -> None:
        """Say why nothing could be opened."""
        self.message.setText(text)
        self.message.setVisible(bool(text))

    def _demo_menu(self) -> QMenu:
        menu = QMenu(self)
        for layout, text in DEMOS:
            action = menu.addAction(text)
            action.triggered.connect(lambda _=False, name=layout: self.demo_requested.emit(name))
        return menu

    def _lay_out(self) -> None:
        hint = QLabel("or drop the folder here, as it was downloaded.")
        hint.setProperty("role", "secondary")
        hint.setWordWrap(True)
        self._recent_title = QLabel("Opened before")
        self._recent_title.setProperty("role", "secondary")
        self._recent_title.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.open_button)
        layout.addWidget(hint)
        layout.addWidget(self.message)
        layout.addSpacing(12)
        layout.addWidget(self._recent_title)
        layout.addLayout(self._recent_area)
        layout.addSpacing(12)
        layout.addWidget(self.demo_button)
        layout.addStretch(1)
