"""Who takes part in the review, in which role."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_chest.review.words import Role
from napari_chest.ui.wrapped_label import WrappedLabel

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST_ROWS = 5


class PeopleList(QWidget):
    """People with their roles, and a line that enrols somebody.

    Signals
    -------
    enrol_requested(str, str) : this person takes part in this role.
    """

    enrol_requested = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        title = QLabel("People")
        title.setProperty("role", "title")
        self.list = QListWidget()
        self.list.setAccessibleName("People and roles")
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.name = QLineEdit(placeholderText="Name")
        self.name.setAccessibleName("Name of who is enrolled")
        self.role = QComboBox()
        self.role.setAccessibleName("Role")
        self.role.addItems(get_args(Role))
        self.enrol_button = QPushButton("Enrol")
        self.hint = WrappedLabel()
        self.hint.setProperty("role", "secondary")
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.name, 1)
        row.addWidget(self.role)
        row.addWidget(self.enrol_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(title)
        layout.addWidget(self.list)
        layout.addLayout(row)
        layout.addWidget(self.hint)
        self._names: tuple[str, ...] = ()
        self.list.currentRowChanged.connect(self._on_row)
        self.name.returnPressed.connect(self._send)
        self.enrol_button.clicked.connect(self._send)
        self.show_people({}, "")

    def show_people(self, people: Mapping[str, Role], why: str) -> None:
        """Show who takes part, and whether roles may be given or why not."""
        names = tuple(sorted(people, key=str.casefold))
        lines = [f"{name} · {people[name]}" for name in names]
        if lines != [self.list.item(row).text() for row in range(self.list.count())]:
            self._names = names
            self.list.blockSignals(True)
            self.list.clear()
            self.list.addItems(lines)
            for row, line in enumerate(lines):
                self.list.item(row).setToolTip(line)
            self.list.blockSignals(False)
        rows = min(len(lines), _MOST_ROWS) * self.list.sizeHintForRow(0) if lines else 0
        self.list.setFixedHeight(rows + 6)
        self.list.setVisible(bool(lines))
        for part in (self.name, self.role, self.enrol_button):
            part.setEnabled(not why)
        nobody = "" if people else "Nobody takes part yet. Who does something first adjudicates. "
        self.hint.setText(
            nobody
            + (
                why
                or "Readers work on what is theirs; adjudicators decide, and give roles and cases."
            )
        )

    def _on_row(self, row: int) -> None:
        if 0 <= row < len(self._names) and self.name.isEnabled():
            self.name.setText(self._names[row])

    def _send(self) -> None:
        if self.name.text().strip():
            self.enrol_requested.emit(self.name.text(), self.role.currentText())

    def accept(self) -> None:
        """Make room for the next name."""
        self.name.clear()
