"""Where readings differ, and what becomes of it: a list, and a button for every way to decide."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_chest.ui.keys import shown
from napari_chest.ui.widgets import icons
from napari_chest.ui.wrapped_label import WrappedLabel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_ICON = 14
_IN_A_ROW = 3
_SCOPES = {"component": "This part", "slice": "This slice", "case": "Whole case"}
_CONSENSUS = {
    "majority": "Majority: what more than half of the readings say. A tie, as it always is where "
    "two readings differ, becomes background",
    "STAPLE": "STAPLE: every reading weighted by how well it meets the others in the whole mask. "
    "Of slices and answers the majority",
}


@dataclass(frozen=True)
class ReaderChoice:
    """A reading that can be compared.

    Attributes
    ----------
    name : of its reader.
    title : what the reader is called on screen.
    color : of what only this reading shows.
    """

    name: str
    title: str
    color: str


class AdjudicationPanel(QWidget):
    """A fold with the list, and below it how to decide; its title counts what is decided.

    Parameters
    ----------
    table : the list.
    side : what stands at the bottom: answers and slice labels side by side.

    Signals
    -------
    unfolded(bool) : it was unfolded, or folded.
    readers_requested(a, b, others) : compare these readings, A and B by name, others a tuple.
    take_requested(choice, scope, reason) : decide so.
    reopen_requested() : what was decided is open again.
    """

    unfolded = Signal(bool)
    readers_requested = Signal(str, str, object)
    take_requested = Signal(str, str, str)
    reopen_requested = Signal()

    def __init__(self, table: QWidget, side: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._readers: tuple[ReaderChoice, ...] = ()
        self._others: frozenset[str] = frozenset()
        self._consensus = "majority"
        self.toggle = QToolButton()
        self.toggle.setCheckable(True)
        self.toggle.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.toggle.setMinimumWidth(1)  # its text gives way, before the dock has to grow
        self.toggle.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.toggle.setToolTip("Where readings differ, and what is taken of them")
        self.words, self.said = WrappedLabel(), WrappedLabel()
        self.words.setProperty("role", "secondary")
        self._make_choices()
        self._make_buttons()
        self._lay_out(table, side)
        self.toggle.toggled.connect(self._fold)
        self._fold(unfolded=False)
        self.show_count(None, None)
        self.show_current("", decided=False)

    # What is shown

    @property
    def consensus(self) -> str:
        """What a consensus is: ``majority`` or ``STAPLE``."""
        return self._consensus

    def show_readers(self, readers: Sequence[ReaderChoice], compared: Sequence[str]) -> None:
        """Offer these readings; ``compared`` are those that are, A and B first."""
        self._readers = tuple(readers)
        self._others = frozenset(compared[2:])
        for number, combo in enumerate((self.a, self.b)):
            combo.clear()
            for one in readers:
                combo.addItem(icons.swatch(one.color, _ICON, filled=True), one.title, one.name)
            combo.setCurrentIndex(combo.findData(compared[number]) if compared[number:] else -1)
            combo.setToolTip(f"Reading {'AB'[number]}: {combo.currentText()}")
        self._fill_more()

    def show_count(self, decided: int | None, total: int | None) -> None:
        """Count in the title; None while that is not known."""
        counted = ""
        if total is not None:
            counted = f": {decided} of {total} decided" if total else ": none"
        self.toggle.setText(f"Disagreements{counted}")

    def show_words(self, text: str, *, readers: bool, decisions: bool, allowed: bool) -> None:
        """Say what there is to know, such as why nothing can be decided.

        Parameters
        ----------
        text : it; empty for nothing.
        readers : whether readings can be chosen.
        decisions : whether there is something to decide.
        allowed : whether the person may.
        """
        self.words.setText(text)
        self.words.setVisible(bool(text))
        self._reader_row.setVisible(readers)
        self._decisions.setVisible(decisions)
        for widget in (*self.buttons.values(), self.scope, self.reason, self.reopen):
            widget.setEnabled(allowed)

    def show_current(self, said: str, *, decided: bool) -> None:
        """Tell who says what of the disagreement that is looked at, and what was decided."""
        self.said.setText(said)
        self.said.setVisible(bool(said))
        self.reopen.setVisible(decided and self.toggle.isChecked())

    # What is asked for

    def take(self, choice: str) -> None:
        """Ask for a decision, as a button does."""
        scope = str(self.scope.currentData())
        self.take_requested.emit(choice, scope, self.reason.text().strip())

    def _take_consensus(self) -> None:
        self.take(self._consensus)

    def _ask_readers(self) -> None:
        a, b = self.a.currentData() or "", self.b.currentData() or ""
        wanted = self._others - {a, b}
        others = tuple(one.name for one in self._readers if one.name in wanted)
        self.readers_requested.emit(a, b, others)

    def _want_other(self, name: str, wanted: bool) -> None:
        self._others = self._others | {name} if wanted else self._others - {name}
        self._ask_readers()

    def _choose_consensus(self, choice: str, checked: bool = False) -> None:  # noqa: ARG002
        self._consensus = choice
        self.consensus_button.setText(_named(choice))
        self.consensus_button.setToolTip(f"{_CONSENSUS[choice]} ({shown('take_consensus')})")

    def _fold(self, unfolded: bool) -> None:
        arrow = Qt.ArrowType.DownArrow if unfolded else Qt.ArrowType.RightArrow
        self.toggle.setArrowType(arrow)
        self.body.setVisible(unfolded)
        self.reopen.hide()
        self.unfolded.emit(unfolded)

    # Parts

    def _make_choices(self) -> None:
        self.a, self.b, self.scope = QComboBox(), QComboBox(), QComboBox()
        names = ("Reading A", "Reading B", "How much is decided")
        for combo, name in zip((self.a, self.b, self.scope), names, strict=True):
            combo.setAccessibleName(name)
            combo.setMinimumContentsLength(4)
            combo.setSizeAdjustPolicy(
                QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
        for combo in (self.a, self.b):
            combo.activated.connect(self._ask_readers)
        self.scope.setToolTip("How much is decided at once")
        for key, text in _SCOPES.items():
            self.scope.addItem(text, key)
        self.reason = QLineEdit(placeholderText="Reason (optional)")
        self.reason.setAccessibleName("Reason")
        self.reason.setMaxLength(1000)
        self.more = QToolButton()
        self.more.setToolTip("Further readings that are compared")
        self.more.setAccessibleName("Further readings")
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)

    def _make_buttons(self) -> None:
        self.reopen = _button("Reopen", "It is not decided any more", self.reopen_requested.emit)
        self.buttons = {
            choice: _button(text, f"{tip} ({shown(key)})", partial(self.take, choice))
            for choice, text, tip, key in (
                ("A", "Take A", "As A has it", "take_a"),
                ("B", "Take B", "As B has it", "take_b"),
                ("union", "Union", "What any reading shows", "take_union"),
                ("intersection", "Intersection", "What all show", "take_intersection"),
            )
        }
        self.consensus_button = _button("", "", self._take_consensus)
        self.consensus_button.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        self.buttons["consensus"] = self.consensus_button
        tip = "Paint it by hand in the adjudicated reading, then press this: decided as it stands"
        self.buttons["painted"] = _button("As painted", tip, partial(self.take, "painted"))
        menu = QMenu(self.consensus_button)
        menu.setToolTipsVisible(True)
        for choice, text in _CONSENSUS.items():
            action = menu.addAction(_named(choice))
            action.setToolTip(text)
            action.triggered.connect(partial(self._choose_consensus, choice))
        self.consensus_button.setMenu(menu)
        self._choose_consensus("majority")

    def _lay_out(self, table: QWidget, side: QWidget) -> None:
        self._reader_row, self._decisions, self.body = (_plain() for _ in range(3))
        row, below, body = (
            _tight(QHBoxLayout(self._reader_row)),
            _tight(QVBoxLayout(self._decisions)),
            _tight(QVBoxLayout(self.body)),
        )
        row.addWidget(self.a, 1)
        row.addWidget(self.b, 1)
        row.addWidget(self.more)
        head, how, buttons = QHBoxLayout(), QHBoxLayout(), QGridLayout()
        head.addWidget(self.toggle)
        head.addStretch(1)
        head.addWidget(self.reopen)
        how.addWidget(self.scope, 2)
        how.addWidget(self.reason, 3)
        for number, button in enumerate(self.buttons.values()):
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            buttons.addWidget(button, *divmod(number, _IN_A_ROW))
        below.addWidget(table)
        for part in (buttons, how):
            part.setSpacing(4)
            below.addLayout(part)
        below.addWidget(self.said)
        below.addWidget(side)
        for widget in (self._reader_row, self.words, self._decisions):
            body.addWidget(widget)
        layout = _tight(QVBoxLayout(self))
        layout.addLayout(head)
        layout.addWidget(self.body)

    def _fill_more(self) -> None:
        first = {self.a.currentData(), self.b.currentData()}
        rest = [one for one in self._readers if one.name not in first]
        menu = QMenu(self.more)
        for one in rest:
            action = menu.addAction(one.title)
            action.setCheckable(True)
            action.setChecked(one.name in self._others)
            action.toggled.connect(partial(self._want_other, one.name))
        before = self.more.menu()
        self.more.setMenu(menu)
        if before is not None:
            before.deleteLater()
        self.more.setText(f"+{sum(one.name in self._others for one in rest)} ▾")
        self.more.setVisible(bool(rest))


def _named(choice: str) -> str:
    return _CONSENSUS[choice].partition(":")[0]


def _button(text: str, tip: str, act: Callable[[], None]) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setToolTip(tip)
    button.clicked.connect(lambda _=False: act())
    return button


def _plain() -> QWidget:
    """A widget that has no background of its own."""
    widget = QWidget()
    widget.setProperty("role", "part")
    return widget


def _tight(layout: QHBoxLayout | QVBoxLayout) -> QHBoxLayout | QVBoxLayout:
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(4)
    return layout
