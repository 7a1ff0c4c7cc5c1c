"""Saving: what will be written, and where to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


class SavePage(QWidget):
    """Lists the unsaved changes and offers to export them or to write them back.

    Enter exports, which never touches the dataset. Escape goes back.
    """

    export_requested = Signal(bool)
    write_back_requested = Signal(bool)
    release_requested = Signal()
    cancel_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = QLabel("Save")
        self.title.setProperty("role", "title")
        self.changes = QPlainTextEdit(readOnly=True)
        self.changes.setAccessibleName("Unsaved changes")
        self.changes.setTabChangesFocus(True)
        self.as_new = QCheckBox()
        self.export_button = QPushButton()
        self.export_button.setProperty("primary", "true")
        self.export_hint = _hint()
        self.write_button = QPushButton()
        self.write_hint = _hint(
            "Changes the dataset itself. Its files as they are now are kept as a dated backup."
        )
        self.release_button = QPushButton()
        self.release_hint = _hint()
        self.cancel_button = QPushButton("Back")
        self._lay_out()
        self.export_button.clicked.connect(
            lambda: self.export_requested.emit(self.as_new.isChecked())
        )
        self.write_button.clicked.connect(
            lambda: self.write_back_requested.emit(self.as_new.isChecked())
        )
        self.release_button.clicked.connect(self.release_requested)
        self.cancel_button.clicked.connect(self.cancel_requested)

    def show_changes(
        self,
        lines: Sequence[str],
        to_export: int,
        to_write: int,
        export_folder: str,
        new_reader: str | None,
    ) -> None:
        """Show how the cases differ from the dataset, and how many each button would save."""
        self.changes.setPlainText("\n".join(lines) or "Nothing has changed.")
        self.export_button.setText(f"Export {_count(to_export)}" if to_export else "Exported")
        self.export_hint.setText(
            f"Writes corrected files, laid out as the dataset, into {export_folder}. "
            "The dataset itself is not touched."
        )
        self.write_button.setText(f"Write {_count(to_write)} into the dataset…")
        self.as_new.setChecked(False)
        self.as_new.setVisible(new_reader is not None)
        self.as_new.setText(f"as a new label version, {new_reader}")
        self.export_button.setEnabled(to_export > 0)
        self.write_button.setEnabled(to_write > 0)
        (self.export_button if to_export else self.cancel_button).setFocus()

    def show_release(self, cases: int, adjudicated: int, left: Sequence[str]) -> None:
        """Show what of the review can be exported.

        Parameters
        ----------
        cases, adjudicated : how many cases, and how many of them were adjudicated.
        left : cases that were submitted and are left out, each with why.
        """
        self.release_button.setVisible(bool(cases or left))
        self.release_hint.setVisible(bool(cases or left))
        self.release_button.setEnabled(cases > 0)
        self.release_button.setText(f"Export release of {_count(cases)}" if cases else "No release")
        more = f" {_count(len(left))} left out." if left else ""
        self.release_hint.setText(
            f"{cases - adjudicated} approved and {adjudicated} adjudicated, as corrected files in "
            f"a folder of their own.{more}"
        )
        self.release_hint.setToolTip("\n".join(left))

    def keyPressEvent(self, event: object) -> None:  # noqa: N802
        """Enter presses the button that has the focus, Escape goes back."""
        key = event.key()  # type: ignore[attr-defined]
        focused = self.focusWidget()
        if key == Qt.Key.Key_Escape:
            self.cancel_requested.emit()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and isinstance(focused, QPushButton):
            focused.click()
        else:
            super().keyPressEvent(event)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.title)
        layout.addWidget(self.changes, 1)
        layout.addWidget(self.as_new)
        layout.addWidget(self.export_button)
        layout.addWidget(self.export_hint)
        layout.addSpacing(8)
        layout.addWidget(self.write_button)
        layout.addWidget(self.write_hint)
        layout.addSpacing(8)
        layout.addWidget(self.release_button)
        layout.addWidget(self.release_hint)
        layout.addSpacing(8)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.cancel_button)
        layout.addLayout(row)


def _count(cases: int) -> str:
    return "1 case" if cases == 1 else f"{cases} cases"


def _hint(text: str = "") -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    label.setProperty("role", "secondary")
    return label
