"""Who sits here."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from napari_chest.ui.wrapped_label import WrappedLabel

_HINT = (
    "Stands with everything you do in the review: who corrected, submitted, commented and decided. "
    "No password: who may write to a server is decided there."
)


class PersonForm(QWidget):
    """The person's name and role.

    Signals
    -------
    person_requested(str) : go by this name from now on.
    """

    person_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        title = QLabel("You")
        title.setProperty("role", "title")
        self.name = QLineEdit(placeholderText="Your name")
        self.name.setAccessibleName("Your name in the review")
        self.use_button = QPushButton("Use")
        self.use_button.setToolTip("Go by this name from now on (Enter)")
        self.role = WrappedLabel()
        self.hint = WrappedLabel(_HINT)
        self.hint.setProperty("role", "secondary")
        row = QHBoxLayout()
        row.addWidget(self.name, 1)
        row.addWidget(self.use_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(title)
        layout.addLayout(row)
        layout.addWidget(self.role)
        layout.addWidget(self.hint)
        self.name.returnPressed.connect(self._send)
        self.use_button.clicked.connect(self._send)

    def show_person(self, name: str, role: str) -> None:
        """Show who it is, and in which role; a name that is being typed stays."""
        if not self.name.isModified():
            self.name.setText(name)
        self._say(role, "")

    def show_refused(self, why: str) -> None:
        """Show why a name cannot be used."""
        self._say(why, "bad")

    def accept(self) -> None:
        """Take note that the name is in use."""
        self.name.setModified(False)

    def _send(self) -> None:
        self.person_requested.emit(self.name.text())

    def _say(self, text: str, state: str) -> None:
        self.role.setText(text)
        self.role.setProperty("state", state)
        self.role.style().polish(self.role)
