"""Where the review is kept, how that is going, what it refused, and its log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_chest.ui.wrapped_label import WrappedLabel

if TYPE_CHECKING:
    from collections.abc import Sequence

_HINT = (
    "Leave it empty to keep the review in a file on this computer. A team writes "
    "postgresql+psycopg://name@server/database, one database for each dataset."
)
_MOST_LINES = 7


class StoreForm(QWidget):
    """The address of the store, its state, refused acts and buttons for the log.

    Signals
    -------
    store_requested(str) : keep the review there from now on; empty for a file of its own.
    dismiss_requested(str) : the refused act of this id is known, show it no more.
    log_requested(str) : write the log as ``csv`` or ``json``.
    """

    store_requested = Signal(str)
    dismiss_requested = Signal(str)
    log_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._wrong: str | None = None
        """An address that cannot be used, and stands in the field."""
        title = QLabel("Store")
        title.setProperty("role", "title")
        self.address = QLineEdit(placeholderText="A file on this computer")
        self.address.setAccessibleName("Address of the store")
        self.use_button = QPushButton("Use")
        self.use_button.setToolTip("Keep the review there from now on (Enter)")
        self.state = WrappedLabel()
        self.hint = WrappedLabel(_HINT)
        self.hint.setProperty("role", "secondary")
        self._make_refused()
        self.log_buttons = {
            kind: QPushButton(f"Log as {kind.upper()}…") for kind in ("csv", "json")
        }
        self._lay_out(title)
        self.address.returnPressed.connect(self._send)
        self.use_button.clicked.connect(self._send)
        self.dismiss_button.clicked.connect(self._dismiss)
        self.refused.itemSelectionChanged.connect(self._show_dismiss)
        for kind, button in self.log_buttons.items():
            button.setToolTip("Who did what, when and why, all of it, into a file")
            button.clicked.connect(lambda _=False, kind=kind: self.log_requested.emit(kind))

    def show_store(self, address: str, text: str, state: str) -> None:
        """Show where the review is kept and how that is going; ``state`` as of a label."""
        if not self.address.isModified():
            self.address.setText(address)
            self.address.setToolTip(address)
        if self.address.text() != self._wrong:
            self._say(text, state)

    def show_refused_address(self, why: str) -> None:
        """Show why an address cannot be used, until it is another one."""
        self._wrong = self.address.text()
        self._say(why, "bad")

    def accept(self) -> None:
        """Take note that the address is in use."""
        self.address.setModified(False)
        self._wrong = None

    def show_refused(self, refused: Sequence[tuple[str, str, str]]) -> None:
        """Show acts that the store refused: id, what it was, and why."""
        shown = [
            self.refused.item(row).data(Qt.ItemDataRole.UserRole)
            for row in range(self.refused.count())
        ]
        if shown != [one for one, _, _ in refused]:
            self.refused.clear()
            for act, what, why in refused:
                item = QListWidgetItem(f"{what}\n{why}")
                item.setData(Qt.ItemDataRole.UserRole, act)
                item.setToolTip(f"{what}\n{why}")
                self.refused.addItem(item)
            if refused:
                self.refused.setCurrentRow(0)
        lines = self.refused.fontMetrics().lineSpacing()
        self.refused.setFixedHeight(min(4 * len(refused), _MOST_LINES) * lines + 8)
        self._refused_area.setVisible(bool(refused))
        self._show_dismiss()

    def show_log(self, why: str) -> None:
        """Let the log be written, or not and why."""
        for button in self.log_buttons.values():
            button.setEnabled(not why)

    def _make_refused(self) -> None:
        text = WrappedLabel("Not taken over by the store. Do it again where that makes sense:")
        text.setProperty("state", "bad")
        self.refused = QListWidget()
        self.refused.setAccessibleName("What the store refused")
        self.refused.setWordWrap(True)
        self.refused.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.refused.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.refused.setTabKeyNavigation(False)
        self.dismiss_button = QPushButton("Dismiss")
        self.dismiss_button.setToolTip("I have read it; show it no more")
        self._refused_area = QWidget()
        layout = _column(self._refused_area)
        layout.addWidget(text)
        layout.addWidget(self.refused)
        layout.addWidget(self.dismiss_button, 0, Qt.AlignmentFlag.AlignRight)
        self._refused_area.hide()

    def _lay_out(self, title: QLabel) -> None:
        row, logs = QHBoxLayout(), QHBoxLayout()
        row.addWidget(self.address, 1)
        row.addWidget(self.use_button)
        for button in self.log_buttons.values():
            logs.addWidget(button)
        logs.addStretch(1)
        layout = _column(self)
        layout.addWidget(title)
        layout.addLayout(row)
        layout.addWidget(self.state)
        layout.addWidget(self.hint)
        layout.addWidget(self._refused_area)
        layout.addLayout(logs)

    def _say(self, text: str, state: str) -> None:
        self.state.setText(text)
        self.state.setProperty("state", state)
        self.state.style().polish(self.state)

    def _send(self) -> None:
        self.store_requested.emit(self.address.text().strip())

    def _dismiss(self) -> None:
        item = self.refused.currentItem()
        if item is not None:
            self.dismiss_requested.emit(item.data(Qt.ItemDataRole.UserRole))

    def _show_dismiss(self) -> None:
        self.dismiss_button.setEnabled(self.refused.currentItem() is not None)


def _column(widget: QWidget) -> QVBoxLayout:
    layout = QVBoxLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(3)
    return layout
