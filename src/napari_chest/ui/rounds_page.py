"""The page of the review as a whole: who sits here, the rounds, the people, the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from napari_chest.ui.boxes import row
from napari_chest.ui.scrolled import Scrolled
from napari_chest.ui.widgets.people_list import PeopleList
from napari_chest.ui.widgets.person_form import PersonForm
from napari_chest.ui.widgets.round_list import RoundList
from napari_chest.ui.widgets.store_form import StoreForm

if TYPE_CHECKING:
    from qtpy.QtGui import QKeyEvent


class RoundsPage(QWidget):
    """Gives the parts their places; what they ask for is connected elsewhere.

    Signals
    -------
    done_requested() : go back to the case.
    """

    done_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        title = QLabel("Review")
        title.setProperty("role", "title")
        self.done_button = QPushButton("Back")
        self.done_button.setToolTip("Esc")
        self.person = PersonForm()
        self.rounds = RoundList()
        self.people = PeopleList()
        self.store = StoreForm()
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 4, 0)
        column.setSpacing(12)
        for part in (self.person, self.rounds, self.people, self.store):
            column.addWidget(part)
        column.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(row(title, self.done_button, stretch=0))
        layout.addWidget(Scrolled(inner), 1)
        self.done_button.clicked.connect(self.done_requested)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Escape goes back to the case."""
        if event.key() == Qt.Key.Key_Escape:
            self.done_requested.emit()
        else:
            super().keyPressEvent(event)
