"""How far the work on screen is, and what may be done with it: submit, approve, send back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)
from superqt import QFlowLayout

from napari_chest.review.words import REASONS, SUBMITTED
from napari_chest.ui.elided_label import ElidedLabel
from napari_chest.ui.keys import shown
from napari_chest.ui.widgets import icons, style
from napari_chest.ui.wrapped_label import WrappedLabel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_chest.review.words import Work

_ASKS: dict[str, str] = {
    "needs fix": "What needs a fix?",
    "rejected": "Why is it rejected?",
    "deferred": "Why is it put off?",
}
"""The states that are told with a reason."""
_HARDEST = 5


@dataclass(frozen=True)
class Shown:
    """The work that the bar shows.

    Attributes
    ----------
    work : it.
    own : whether it is this person's to submit.
    adjudicates : whether the person may decide about it.
    readers : whose work may be shown instead, with this one's; empty for no choice.
    changed : whether it was changed since it was submitted.
    closed : why nothing can be done with it; empty where something can.
    word : what else to say of it: why others are hidden.
    """

    work: Work
    own: bool = True
    adjudicates: bool = False
    readers: tuple[str, ...] = ()
    changed: bool = False
    closed: str = ""
    word: str = ""

    @property
    def acts(self) -> tuple[str, ...]:
        """What may be done: ``submit``, or the state that the work is brought to."""
        if self.closed:
            return ()
        state, found = self.work.state, []
        if self.own and (state not in SUBMITTED or self.changed):
            found.append("submit")
        if self.adjudicates and (self.own or state in (*SUBMITTED, "needs fix")):
            found += [one for one in self._decisions if one != state]
        reader = self.own and (self.adjudicates or state not in ("approved", "rejected"))
        if reader and state in (*SUBMITTED, "deferred"):
            found.append("in progress")
        elif self.own and state not in (*SUBMITTED, "deferred"):
            found.append("deferred")
        return tuple(found)

    @property
    def _decisions(self) -> tuple[str, ...]:
        """What an adjudicator may decide; what nobody handed in is not sent back to anybody."""
        handed = self.work.state in (*SUBMITTED, "needs fix")
        return ("approved", "needs fix", "rejected") if handed else ("approved", "rejected")


class ReviewBar(QWidget):
    """The state, what may be done and, while a reason is asked for, a form.

    Signals
    -------
    submit_requested() : hand the work over.
    decision_requested(state, reason, note) : bring the work to another state.
    difficulty_requested(int) : the case is so difficult, 1 (easy) to 5.
    reader_requested(str) : show the work of somebody else.
    left() : no reason is given after all.
    """

    submit_requested = Signal()
    decision_requested = Signal(str, str, str)
    difficulty_requested = Signal(int)
    reader_requested = Signal(str)
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shown: Shown | None = None
        self._asked = ""
        self.sign = QLabel()
        self.state = ElidedLabel()
        self.state.setAccessibleName("State of the work on screen")
        self.more = WrappedLabel()
        self.more.setProperty("role", "secondary")
        self.readers = _combo("Whose work")
        self.difficulty = _combo("Difficulty of the case")
        self.difficulty.setToolTip("How difficult the case is: 1 is easy, 5 is hard")
        self.difficulty.setPlaceholderText("difficulty")
        for number in range(1, _HARDEST + 1):
            self.difficulty.addItem(f"{number} of {_HARDEST}", number)
        self.buttons = {
            "submit": _button("Submit", "Hand it over, and open the next case", "submit"),
            "approved": _button("Approve", "It is right as it is", "approve"),
            "needs fix": _button("Needs fix…", "Send it back, with a reason", "needs_fix"),
            "rejected": _button("Reject…", "Do not use it, with a reason", "reject"),
            "deferred": _button("Defer…", "Put it off, with a reason", "defer"),
            "in progress": _button("Reopen", "It is not done after all", ""),
        }
        self.buttons["submit"].setProperty("primary", "true")
        self._make_form()
        self._lay_out()
        for act, button in self.buttons.items():
            button.clicked.connect(lambda _=False, act=act: self.act(act))
        self.difficulty.activated.connect(lambda index: self.difficulty_requested.emit(index + 1))
        self.readers.activated.connect(
            lambda index: self.reader_requested.emit(self.readers.itemText(index))
        )
        self.show_nothing("Open a case to review it.")

    @property
    def acts(self) -> tuple[str, ...]:
        """What may be done with the work on screen."""
        return () if self.shown is None else self.shown.acts

    def show_work(self, shown: Shown) -> None:
        """Show some work, and what may be done with it."""
        if self.shown is None or shown.work.key != self.shown.work.key:
            self._leave()
        self.shown = shown
        work = shown.work
        # The state first: a long name must not leave it out.
        name = "" if shown.own or len(shown.readers) > 1 else f" · {work.key.reader}"
        changed = ", changed since" if shown.changed else ""
        self._say(f"{work.state}{changed}{name}", style.STATE_COLORS[work.state], _more(shown))
        size = self.fontMetrics().height()
        self.sign.setPixmap(icons.sign(work.state, size))
        self.sign.show()
        self._say_more(shown)
        self._show_readers(shown.readers, work.key.reader)
        self.difficulty.setVisible(shown.own and not shown.closed)
        self.difficulty.setCurrentIndex((work.difficulty or 0) - 1)
        for act, button in self.buttons.items():
            button.setVisible(act in shown.acts)
        again = work.state in SUBMITTED
        self.buttons["submit"].setText("Submit again" if again else "Submit")
        if self._asked and self._asked not in shown.acts:
            self._leave()

    def show_nothing(self, why: str) -> None:
        """Show that there is no work, and why."""
        self._leave()
        self.shown = None
        self._say(why, style.SECONDARY, why)
        self.sign.hide()
        self.more.hide()
        self._show_readers((), "")
        self.difficulty.hide()
        for button in self.buttons.values():
            button.hide()

    def act(self, act: str) -> bool:
        """Ask for what a button stands for, or first for its reason; whether it may be done."""
        if act not in self.acts:
            return False
        if act == "submit":
            self.submit_requested.emit()
        elif act in _ASKS:
            self._ask(act)
        else:
            self.decision_requested.emit(act, "", "")
        return True

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Send the reason by Enter, and leave without one by Escape."""
        if not self._asked:
            super().keyPressEvent(event)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._send()
        elif event.key() == Qt.Key.Key_Escape:
            self._leave()
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802, ARG002
        """Keep the letters that choose a reason from the keys of the dock."""
        if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.ShortcutOverride:
            return False
        typed = bool(event.text()) and event.text().isprintable()
        event.setAccepted(typed)
        return typed

    # The reason

    def _make_form(self) -> None:
        self.question = QLabel()
        self.reason = _combo("Reason")
        for code, text in REASONS.items():
            self.reason.addItem(text, code)
        view = self.reason.view()  # the popup shows whole reasons, also where the dock is narrow
        view.setMinimumWidth(view.sizeHintForColumn(0))
        self.reason.installEventFilter(self)
        self.note = QLineEdit(placeholderText="Note (need not be)")
        self.note.setAccessibleName("Note")
        self.note.setMaxLength(10_000)
        self.send_button = QPushButton("Send")
        self.send_button.setToolTip("Enter; Esc leaves without it")
        self.send_button.setProperty("primary", "true")
        self.send_button.clicked.connect(self._send)
        self.form = QWidget()
        top, bottom = QHBoxLayout(), QHBoxLayout()
        top.addWidget(self.question)
        top.addWidget(self.reason, 1)
        bottom.addWidget(self.note, 1)
        bottom.addWidget(self.send_button)
        layout = _column(self.form)
        layout.addLayout(top)
        layout.addLayout(bottom)
        self.form.hide()

    def _ask(self, state: str) -> None:
        """Ask for the reason of a state."""
        self._asked = state
        self.question.setText(_ASKS[state])
        self.reason.setCurrentIndex(-1)
        self.reason.setPlaceholderText("choose one")
        self.note.clear()
        self.form.show()
        self._acts.hide()
        self.reason.setFocus()

    def _send(self) -> None:
        if self.reason.currentIndex() < 0:
            self.question.setText("Choose a reason:")
            self.reason.setFocus()
            return
        asked, code, note = self._asked, self.reason.currentData(), self.note.text().strip()
        self._leave()
        self.decision_requested.emit(asked, code, note)

    def _leave(self) -> None:
        self._asked = ""
        self.form.hide()
        self._acts.show()

    # Parts

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(4)
        head.addWidget(self.sign)
        head.addWidget(self.state, 1)
        head.addWidget(self.readers)
        head.addWidget(self.difficulty)
        self._acts = QWidget()
        flow = QFlowLayout(self._acts)
        flow.setContentsMargins(0, 0, 0, 0)
        flow.setHorizontalSpacing(4)
        flow.setVerticalSpacing(3)
        for button in self.buttons.values():
            flow.addWidget(button)
        layout = _column(self)
        layout.addLayout(head)
        layout.addWidget(self.more)
        layout.addWidget(self._acts)
        layout.addWidget(self.form)

    def _say(self, text: str, color: str, more: str) -> None:
        self.state.setText(text)
        self.state.setToolTip(more)
        self.state.setStyleSheet(f"QWidget#chest QLabel {{ color: {color}; }}")

    def _say_more(self, shown: Shown) -> None:
        """Say why the work was brought to its state, and what may not be done or seen."""
        work = shown.work
        why = ": ".join(filter(None, (REASONS.get(work.reason, work.reason), work.note)))
        lines = [line for line in (why, shown.closed, shown.word) if line]
        self.more.setText("\n".join(lines))
        self.more.setVisible(bool(lines))

    def _show_readers(self, readers: Sequence[str], current: str) -> None:
        self.readers.clear()
        self.readers.addItems(list(readers))
        self.readers.setCurrentText(current)
        self.readers.setToolTip(f"Whose work is shown: {current}")
        self.readers.setVisible(len(readers) > 1)


def _more(shown: Shown) -> str:
    """All that is known about some work."""
    work = shown.work
    lines = [f"{work.key.reader}: {work.state}"]
    if work.at is not None:
        lines.append(f"by {work.by}, {work.at.astimezone():%Y-%m-%d %H:%M}")
    if work.reason:
        lines.append(REASONS.get(work.reason, work.reason))
    lines += [line for line in (work.note, shown.closed) if line]
    if work.seconds >= 1:
        minutes, seconds = divmod(round(work.seconds), 60)
        lines.append(f"worked on for {minutes} min {seconds} s")
    return "\n".join(lines)


def _combo(name: str) -> QComboBox:
    combo = QComboBox()
    combo.setAccessibleName(name)
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(7)
    return combo


def _button(text: str, tip: str, action: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(f"{tip} ({shown(action)})" if action else tip)
    button.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
    return button


def _column(widget: QWidget) -> QVBoxLayout:
    layout = QVBoxLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(3)
    return layout
