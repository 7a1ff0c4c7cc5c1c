"""The reading rounds: how far each is, which one is read in, and another one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_chest.ui.wrapped_label import WrappedLabel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtpy.QtGui import QResizeEvent

    from napari_chest.review.words import Start

_MOST_LINES = 9
_STARTS: tuple[tuple[str, Start], ...] = (
    ("begins from scratch", "scratch"),
    ("begins with the dataset's reading", "dataset"),
)


@dataclass(frozen=True)
class RoundLine:
    """A round as the list shows it.

    Attributes
    ----------
    number : 0 for the review of the dataset's readings.
    text : what it is, and how far.
    open : whether it can be closed.
    """

    number: int
    text: str
    open: bool


@dataclass(frozen=True)
class NewRound:
    """What a person wants of a new round; ``listed`` for the cases of the list alone."""

    title: str
    blind: bool
    start: Start
    readers: tuple[str, ...]
    listed: bool


class RoundList(QWidget):
    """The rounds, two buttons for the one chosen, and a fold with the form of a new one.

    Signals
    -------
    round_requested(int) : read in this round.
    close_requested(int) : nothing more is submitted in this round.
    open_requested(NewRound) : begin another round.
    """

    round_requested = Signal(int)
    close_requested = Signal(int)
    open_requested = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines: tuple[RoundLine, ...] = ()
        self._why = ""
        self._closing: int | None = None
        """The round that was asked to be closed once."""
        title = QLabel("Reading rounds")
        title.setProperty("role", "title")
        self.list = QListWidget()
        self.list.setAccessibleName("Reading rounds")
        self.list.setWordWrap(True)
        self.list.setTabKeyNavigation(False)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.read_button = QPushButton("Read")
        self.read_button.setToolTip("Read in the round chosen above")
        self.close_button = QPushButton("Close")
        self.toggle = QToolButton()
        self.toggle.setText("New round")
        self.toggle.setCheckable(True)
        self.toggle.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.toggle.setArrowType(Qt.ArrowType.RightArrow)
        self.hint = WrappedLabel()
        self.hint.setProperty("role", "secondary")
        self._make_form()
        self._lay_out(title)
        self.toggle.toggled.connect(self._fold)
        self.list.currentRowChanged.connect(self._on_row)
        self.list.itemActivated.connect(self._read)
        self.read_button.clicked.connect(self._read)
        self.close_button.clicked.connect(self._close)
        self.open_button.clicked.connect(self._open)
        self.title.returnPressed.connect(self._open)

    def show_rounds(self, lines: Sequence[RoundLine], current: int, why: str) -> None:
        """Show these rounds, which one is read in, and whether rounds may be made or why not."""
        if tuple(lines) != self._lines:
            row = max(self.list.currentRow(), 0)
            self._lines = tuple(lines)
            self.list.clear()
            for line in lines:
                item = QListWidgetItem(line.text)
                item.setToolTip(line.text)
                self.list.addItem(item)
            self.list.setCurrentRow(min(row, len(lines) - 1))
        for row, line in enumerate(lines):
            font = self.list.item(row).font()
            font.setBold(line.number == current)
            self.list.item(row).setFont(font)
        self._why = why
        self.toggle.setEnabled(not why)
        self.toggle.setToolTip(why or "Let several people read the same cases, or one again")
        if why:
            self.toggle.setChecked(False)
        none = "" if len(lines) > 1 else "No reading round yet: what is done is the review of the "
        none += "dataset's own readings. " if none else ""
        self.hint.setText(none + why)
        self.hint.setVisible(bool(self.hint.text()))
        self._fit()
        self._show_buttons()

    def show_cases(self, listed: int, total: int) -> None:
        """Show how many cases there are to choose from."""
        self.cases.setItemText(0, f"all {total:,} cases")
        self.cases.setItemText(1, f"the {listed:,} cases listed now")

    def show_refused(self, why: str) -> None:
        """Show why no round was opened."""
        self.refused.setText(why)
        self.refused.setVisible(bool(why))

    def accept(self) -> None:
        """Close the form of the new round, which is there now."""
        self.title.clear()
        self.readers.clear()
        self.show_refused("")
        self.toggle.setChecked(False)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Break the lines anew."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit()

    # Parts

    def _make_form(self) -> None:
        self.title = QLineEdit(placeholderText="Title, such as Pilot")
        self.title.setAccessibleName("Title of the round")
        self.title.setMaxLength(200)
        self.blind = QCheckBox("blind until submitted")
        self.blind.setToolTip("Nobody sees what others say of a case before submitting it")
        self.blind.setChecked(True)
        self.start = QComboBox()
        self.start.setAccessibleName("How a reading begins")
        for text, start in _STARTS:
            self.start.addItem(text, start)
        self.readers = QLineEdit(placeholderText="Readers: Anna, Ben; empty for anybody")
        self.readers.setAccessibleName("Readers of the round, with commas between them")
        self.cases = QComboBox()
        self.cases.setAccessibleName("Cases of the round")
        self.cases.addItems(["all cases", "the cases listed now"])
        for combo in (self.start, self.cases):
            combo.setSizeAdjustPolicy(
                QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
        self.refused = WrappedLabel()
        self.refused.setProperty("state", "bad")
        self.refused.hide()
        self.open_button = QPushButton("Open the round")
        self.open_button.setProperty("primary", "true")
        self.form = QWidget()
        layout = _column(self.form)
        parts = (self.title, self.blind, self.start, self.readers, self.cases, self.refused)
        for part in parts:
            layout.addWidget(part)
        layout.addWidget(self.open_button, 0, Qt.AlignmentFlag.AlignRight)
        self.form.hide()

    def _lay_out(self, title: QLabel) -> None:
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.toggle)
        row.addStretch(1)
        row.addWidget(self.close_button)
        row.addWidget(self.read_button)
        layout = _column(self)
        layout.addWidget(title)
        layout.addWidget(self.list)
        layout.addLayout(row)
        layout.addWidget(self.hint)
        layout.addWidget(self.form)

    def _fit(self) -> None:
        """Give every round the lines it needs."""
        metrics, total = self.list.fontMetrics(), 0
        width = self.width() - self.list.verticalScrollBar().sizeHint().width() - 18
        flags = int(Qt.TextFlag.TextWordWrap | Qt.TextFlag.TextWrapAnywhere)
        for row in range(self.list.count()):
            item = self.list.item(row)
            box = metrics.boundingRect(0, 0, max(width, 1), 2**15, flags, item.text())
            height = box.height() + metrics.lineSpacing() // 2
            item.setSizeHint(QSize(1, height))
            total += height
        self.list.setFixedHeight(min(total, _MOST_LINES * metrics.lineSpacing()) + 6)

    def _fold(self, unfolded: bool) -> None:
        self.toggle.setArrowType(Qt.ArrowType.DownArrow if unfolded else Qt.ArrowType.RightArrow)
        self.form.setVisible(unfolded)
        if unfolded:
            self.title.setFocus()

    def _chosen(self) -> RoundLine | None:
        row = self.list.currentRow()
        return self._lines[row] if 0 <= row < len(self._lines) else None

    def _show_buttons(self) -> None:
        chosen = self._chosen()
        sure = chosen is not None and chosen.number == self._closing
        self.close_button.setText("For good?" if sure else "Close")
        self.read_button.setEnabled(chosen is not None)
        self.close_button.setEnabled(chosen is not None and chosen.open and not self._why)
        self.close_button.setToolTip(self._why or "Nothing more is submitted in it")

    # What people do

    def _on_row(self, _: int) -> None:
        self._closing = None
        self._show_buttons()

    def _read(self) -> None:
        chosen = self._chosen()
        if chosen is not None:
            self.round_requested.emit(chosen.number)

    def _close(self) -> None:
        """Close the chosen round when asked twice: it cannot be opened again."""
        chosen = self._chosen()
        if chosen is not None and self._closing == chosen.number:
            self._closing = None
            self.close_requested.emit(chosen.number)
        elif chosen is not None:
            self._closing = chosen.number
        self._show_buttons()

    def _open(self) -> None:
        readers = tuple(filter(None, (one.strip() for one in self.readers.text().split(","))))
        wanted = NewRound(
            self.title.text().strip(),
            self.blind.isChecked(),
            self.start.currentData(),
            readers,
            self.cases.currentIndex() == 1,
        )
        if wanted.title:
            self.open_requested.emit(wanted)
        else:
            self.show_refused("A round needs a title.")
            self.title.setFocus()


def _column(widget: QWidget) -> QVBoxLayout:
    layout = QVBoxLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(3)
    return layout
