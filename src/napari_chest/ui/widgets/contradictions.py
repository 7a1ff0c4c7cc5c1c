"""What is said of cases and cannot both be true: a list to go through, with fixes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_chest.ui.widgets.style import AMBER, SECONDARY, TEXT

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST_ROWS = 6
_NOTHING = "Nothing here contradicts itself, as far as it was looked at."
_UNCHECKED = " “Check all” looks at the other cases."


@dataclass(frozen=True)
class Row:
    """A contradiction as the list shows it.

    Attributes
    ----------
    key : by which it is asked for.
    case : title of its case.
    text : what contradicts itself.
    reader : whose reading.
    is_note : whether the check itself may be wrong.
    is_here : whether its case is open.
    fixes : what can be done, as on buttons.
    dismissed : why, and by whom; empty where it is not.
    """

    key: Any
    case: str
    text: str
    reader: str
    is_note: bool = False
    is_here: bool = False
    fixes: tuple[str, ...] = ()
    dismissed: str = ""


class Contradictions(QWidget):
    """A fold with a row for each contradiction, and what can be done about the chosen one.

    Signals
    -------
    row_requested(key) : open its case, where it is.
    fix_requested(key, int) : do one of its fixes.
    dismiss_requested(key, str) : list it no more, and why.
    restore_requested(key) : list it again.
    next_requested() : go to the next one.
    check_requested(bool) : look at all cases, with their images or without.
    stop_requested() : look at no more cases.
    dismissed_toggled(bool) : whether dismissed ones are listed as well.
    grown() : what can be done about the chosen row needs more room.
    """

    row_requested = Signal(object)
    fix_requested = Signal(object, int)
    dismiss_requested = Signal(object, str)
    restore_requested = Signal(object)
    next_requested = Signal()
    check_requested = Signal(bool)
    stop_requested = Signal()
    dismissed_toggled = Signal(bool)
    grown = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: tuple[Row, ...] = ()
        self.fixes: list[QPushButton] = []
        self._checked = False
        self._make_head()
        self._make_list()
        self._make_reason()
        self._make_acts()
        self._make_run()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(self.toggle)
        layout.addWidget(self.body)
        self.show_rows((), checked=False)

    # What is shown

    @property
    def chosen(self) -> Row | None:
        """The row that is chosen."""
        index = self.list.currentRow()
        return self.rows[index] if 0 <= index < len(self.rows) else None

    def show_rows(self, rows: Sequence[Row], *, checked: bool) -> None:
        """Show these rows; the one that was chosen stays so, or the one in its place is.

        Parameters
        ----------
        rows : in their order.
        checked : whether all cases were looked at.
        """
        chosen, place = self.chosen, self.list.currentRow()
        self.rows, self._checked = tuple(rows), checked
        self.list.blockSignals(True)
        self.list.clear()
        for row in self.rows:
            self.list.addItem(_item(row))
        keys = [row.key for row in self.rows]
        if chosen is not None:
            known = chosen.key in keys
            self.list.setCurrentRow(keys.index(chosen.key) if known else min(place, len(keys) - 1))
        self.list.blockSignals(False)
        self._fit_list()
        self.empty.setText(_NOTHING + ("" if checked else _UNCHECKED))
        self.empty.setVisible(not self.rows)
        self.toggle.setText(_title(self.rows))
        self._show_chosen()

    def choose(self, key: Any) -> None:
        """Choose a row."""
        keys = [row.key for row in self.rows]
        if key in keys:
            self.list.setCurrentRow(keys.index(key))
            self.list.scrollToItem(self.list.currentItem())

    def show_progress(self, done: int, of: int) -> None:
        """Show how many cases were looked at."""
        self.progress.setRange(0, of)
        self.progress.setValue(done)
        self.progress.setFormat(f"case {done:,} of {of:,}")
        self._show_running(running=True)

    def show_idle(self) -> None:
        """Show that no cases are being looked at."""
        self._show_running(running=False)

    def unfold(self) -> None:
        """Open the fold, with the keyboard in its list."""
        self.toggle.setChecked(True)
        (self.list if self.rows else self.check_button).setFocus()

    # Parts

    def _make_head(self) -> None:
        self.toggle = QToolButton()
        self.toggle.setCheckable(True)
        self.toggle.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.toggle.setArrowType(Qt.ArrowType.RightArrow)
        self.toggle.setToolTip("What is said of cases and cannot both be true")
        self.toggle.toggled.connect(self._fold)
        self.body = QWidget()
        self.body.hide()
        self._layout = QVBoxLayout(self.body)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(3)

    def _make_list(self) -> None:
        self.empty = QLabel()
        self.empty.setWordWrap(True)
        self.empty.setProperty("role", "secondary")
        self.list = QListWidget()
        self.list.setAccessibleName("Contradictions")
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.currentRowChanged.connect(self._show_chosen)
        self.list.itemActivated.connect(self._on_item)
        self.list.itemClicked.connect(self._on_item)
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        for widget in (self.empty, self.list):
            self._layout.addWidget(widget)

    def _make_acts(self) -> None:
        self.acts = QWidget()
        below = QVBoxLayout(self.acts)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(3)
        below.addWidget(self.text)
        self._fix_box = QVBoxLayout()
        self._fix_box.setSpacing(3)
        below.addLayout(self._fix_box)
        self.next_button = QPushButton("Next")
        self.next_button.setToolTip("Go to the next contradiction")
        self.next_button.clicked.connect(self.next_requested.emit)
        self.dismiss_button = QPushButton("Dismiss…")
        self.dismiss_button.clicked.connect(self._on_dismiss)
        self._buttons = QWidget()
        _fill(QHBoxLayout(self._buttons), self.next_button, self.dismiss_button)
        below.addWidget(self._buttons)
        below.addWidget(self._reason)
        self._layout.addWidget(self.acts)

    def _make_reason(self) -> None:
        self.why = QLineEdit()
        self.why.setAccessibleName("Why it is dismissed")
        self.why.setPlaceholderText("Why? It is kept with the review")
        self.why.setMaxLength(500)
        self.why.textChanged.connect(self._on_why)
        self.why.returnPressed.connect(self._on_reason)
        self.keep_button = QPushButton("Dismiss")
        self.keep_button.setEnabled(False)
        self.keep_button.clicked.connect(self._on_reason)
        self.back_button = QPushButton("Back")
        self.back_button.clicked.connect(self._leave_reason)
        self._reason = QWidget()
        column = QVBoxLayout(self._reason)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addWidget(self.why)
        buttons = QHBoxLayout()
        _fill(buttons, self.keep_button, self.back_button)
        column.addLayout(buttons)
        self._reason.hide()

    def _make_run(self) -> None:
        self.images = QCheckBox("with images")
        self.images.setToolTip("Opens the image where lesions are drawn: lungs and sides. Slow.")
        self.check_button = QPushButton("Check all")
        self.check_button.setToolTip("Look at every case that changed since the last time")
        self.check_button.clicked.connect(
            lambda: self.check_requested.emit(self.images.isChecked())
        )
        self._start = QWidget()
        _fill(QHBoxLayout(self._start), self.check_button, self.images)
        self.progress = QProgressBar()
        self.progress.setMaximumHeight(self.fontMetrics().height() + 6)
        self.stop_button = QPushButton("Stop")
        self.stop_button.clicked.connect(self.stop_requested.emit)
        self._running = QWidget()
        line = QHBoxLayout(self._running)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self.progress, 1)
        line.addWidget(self.stop_button)
        self._running.hide()
        self.show_dismissed = QCheckBox("show dismissed")
        self.show_dismissed.toggled.connect(self.dismissed_toggled.emit)
        for widget in (self._start, self._running, self.show_dismissed):
            self._layout.addWidget(widget)

    # What a person does

    def _fold(self, unfolded: bool) -> None:
        self.toggle.setArrowType(Qt.ArrowType.DownArrow if unfolded else Qt.ArrowType.RightArrow)
        self.body.setVisible(unfolded)

    def _on_item(self, item: QListWidgetItem) -> None:
        self.row_requested.emit(self.rows[self.list.row(item)].key)

    def _on_dismiss(self) -> None:
        row = self.chosen
        if row is not None and row.dismissed:
            self.restore_requested.emit(row.key)
        elif row is not None:
            self._buttons.hide()
            self._reason.show()
            self.why.setFocus()
            self.grown.emit()

    def _on_why(self, text: str) -> None:
        self.keep_button.setEnabled(bool(text.strip()))

    def _on_reason(self) -> None:
        row, why = self.chosen, self.why.text().strip()
        if row is not None and why:
            self._leave_reason()
            self.dismiss_requested.emit(row.key, why)

    def _leave_reason(self) -> None:
        self.why.clear()
        self._reason.hide()
        self._buttons.show()

    # What follows from what is shown

    def _show_chosen(self, *_: object) -> None:
        row = self.chosen
        self.text.setText("" if row is None else _told(row))
        self.text.setVisible(row is not None)
        self.next_button.setEnabled(bool(self.rows))
        self.dismiss_button.setEnabled(row is not None)
        again = row is not None and bool(row.dismissed)
        self.dismiss_button.setText("Show it again" if again else "Dismiss…")
        self._leave_reason()
        self._show_fixes(row)
        if row is not None and self.toggle.isChecked():
            self.grown.emit()

    def _show_fixes(self, row: Row | None) -> None:
        for button in self.fixes:
            self._fix_box.removeWidget(button)
            button.hide()
            button.deleteLater()
        self.fixes = []
        if row is None or row.dismissed or not row.is_here:
            return
        for number, text in enumerate(row.fixes):
            button = QPushButton(self.fontMetrics().elidedText(text, _RIGHT, self._room))
            button.setToolTip(f"{text}; it can be undone")
            button.setAccessibleName(text)
            button.clicked.connect(
                lambda _=False, key=row.key, n=number: self.fix_requested.emit(key, n)
            )
            self._fix_box.addWidget(button)
            button.show()
            self.fixes.append(button)

    @property
    def _room(self) -> int:
        """Pixels that a button's text may have."""
        return max(self.width() - 4 * self.fontMetrics().height() // 2, 160)

    def _show_running(self, *, running: bool) -> None:
        self._running.setVisible(running)
        self._start.setVisible(not running)

    def _fit_list(self) -> None:
        self.list.setVisible(bool(self.rows))
        height = self.list.sizeHintForRow(0) if self.rows else 0
        self.list.setFixedHeight(min(len(self.rows), _MOST_ROWS) * height + 6)


_RIGHT = Qt.TextElideMode.ElideRight


def _item(row: Row) -> QListWidgetItem:
    text = row.text if row.is_here else f"{row.case}: {row.text}"
    item = QListWidgetItem(text)
    item.setToolTip(f"{row.case}\n{row.reader}\n{row.text}")
    color = SECONDARY if row.dismissed or row.is_note else AMBER if row.is_here else TEXT
    item.setForeground(QColor(color))
    return item


def _told(row: Row) -> str:
    """All of a row in words."""
    told = [f"{row.case} · {row.reader}", row.text]
    if row.dismissed:
        told.append(f"Dismissed: {row.dismissed}")
    elif not row.is_here and row.fixes:
        told.append(f"Once its case is open: {'; '.join(row.fixes)}.")
    elif not row.fixes:
        told.append("Look at it, and correct what is wrong.")
    return "\n".join(told)


def _title(rows: Sequence[Row]) -> str:
    open_rows = [row for row in rows if not row.dismissed]
    here = sum(row.is_here for row in open_rows)
    if not open_rows:
        return "Contradictions: none"
    return f"Contradictions: {here} here, {len(open_rows)} in all"


def _fill(line: QHBoxLayout, *widgets: QWidget) -> None:
    line.setContentsMargins(0, 0, 0, 0)
    line.setSpacing(4)
    for widget in widgets:
        line.addWidget(widget)
    line.addStretch(1)
