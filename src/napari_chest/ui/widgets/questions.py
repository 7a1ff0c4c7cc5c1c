"""What is asked of the case as a whole, and how the reading on screen answers it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtWidgets import (
    QApplication,
    QCompleter,
    QGridLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_chest.ui.form_keys import FormKeys
from napari_chest.ui.wrapped_label import WrappedLabel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qtpy.QtGui import QKeyEvent

    from napari_chest.model import Question

_LISTED_ROWS = 4
_NUMBERED = 12
"""A question with more choices is answered by letters; of others the first nine have a digit."""
_HINT_MS = 400
_WIDTH, _PADDING = 296, 12
"""Room of a row of buttons in a narrow dock, and what a button needs beside its text, in pixels."""


class QuestionPanel(QWidget):
    """One form per question that the reading answers or may answer.

    While a form has the keyboard, digits choose its answers, and Enter hands the case in.

    Signals
    -------
    answer_requested(str, tuple) : answer the question with this key so.
    refused(str) : what was typed is no answer, and why.
    submit_requested() : all is answered.
    """

    answer_requested = Signal(str, object)
    refused = Signal(str)
    submit_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.forms: dict[str, OneAnswer | SeveralAnswers] = {}
        self._questions: tuple[Question, ...] = ()
        self._stays = False
        """Whether the forms of the next case get the keyboard."""
        self.hint = WrappedLabel()
        self.hint.setProperty("role", "secondary")
        self.hint.hide()
        self._hint_timer = QTimer(self)
        self._hint_timer.setSingleShot(True)
        self._hint_timer.timeout.connect(self._hide_hint)
        self._keys = FormKeys(self)
        self._keys.digit_pressed.connect(self._on_digit)
        self._keys.reached.connect(self._show_hint)
        self._keys.left.connect(lambda: self._hint_timer.start(_HINT_MS))
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(4)
        self.show_questions(())

    def show_questions(self, questions: Sequence[Question]) -> None:
        """Ask other questions."""
        if tuple(questions) != self._questions:
            self._stays = self._stays or self._has_focus()
            self._questions = tuple(questions)
            for form in self.forms.values():
                self._layout.removeWidget(form)
                form.deleteLater()
            self.forms = {question.key: self._make_form(question) for question in questions}
            self._layout.addWidget(self.hint)
        self.setVisible(bool(questions))

    def show_answers(
        self, answers: Mapping[str, tuple[str, ...]], saved: Mapping[str, tuple[str, ...]]
    ) -> None:
        """Show how the reading answers, and which answers are not saved yet."""
        for key, form in self.forms.items():
            now = answers.get(key, ())
            form.show_answer(now, changed=now != saved.get(key, ()))

    def go_on(self) -> None:
        """Let whoever answered the case before answer this one, from its first question."""
        stays, self._stays = self._stays or self._has_focus(), False
        if stays and self.forms:
            next(iter(self.forms.values())).begin()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Hand the case in by Enter."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._stays = True
            self.submit_requested.emit()
        else:
            super().keyPressEvent(event)

    def focus_order(self) -> list[QWidget]:
        """What Tab goes through."""
        return [widget for form in self.forms.values() for widget in form.focus_order()]

    def _make_form(self, question: Question) -> OneAnswer | SeveralAnswers:
        form = SeveralAnswers(question) if question.several else OneAnswer(question)
        form.answered.connect(lambda answer: self.answer_requested.emit(question.key, answer))
        if isinstance(form, SeveralAnswers):
            form.refused.connect(self.refused)
        self._layout.addWidget(form)
        for widget in form.focus_order():
            self._keys.watch(widget)
        return form

    def _has_focus(self) -> bool:
        focus = QApplication.focusWidget()
        return focus is not None and self.isAncestorOf(focus)

    def _form_of(self, widget: QWidget) -> OneAnswer | SeveralAnswers | None:
        return next((form for form in self.forms.values() if form.isAncestorOf(widget)), None)

    def _on_digit(self, widget: QWidget, digit: int) -> None:
        """Choose an answer; after a question that has one answer goes the next question."""
        form = self._form_of(widget)
        if form is None or not form.choose(digit - 1) or isinstance(form, SeveralAnswers):
            return
        forms = list(self.forms.values())
        following = forms[forms.index(form) + 1 :]
        if following:
            following[0].begin()

    def _show_hint(self, widget: QWidget) -> None:
        form = self._form_of(widget)
        if form is not None:
            choices = form.numbered
            keys = " · ".join(f"{n} {choice}" for n, choice in enumerate(choices, 1))
            self.hint.setText(f"{keys}\nEnter submits the case".strip())
            self._hint_timer.stop()
            self.hint.show()

    def _hide_hint(self) -> None:
        # Not while a button is pressed: what moves under the pointer then is not clicked.
        if QApplication.mouseButtons() != Qt.MouseButton.NoButton:
            self._hint_timer.start(_HINT_MS)
        else:
            self.hint.hide()


class OneAnswer(QWidget):
    """A question with one answer: a button for each choice; pressing it again takes it back."""

    answered = Signal(object)

    def __init__(self, question: Question) -> None:
        super().__init__()
        self.numbered = question.choices[:9] if len(question.choices) <= _NUMBERED else ()
        self.title = QLabel(question.text)
        self.buttons = {choice: QToolButton() for choice in question.choices}
        grid = QGridLayout()
        grid.setSpacing(3)
        widest = max(map(self.fontMetrics().horizontalAdvance, question.choices), default=0)
        in_a_row = max(_WIDTH // (widest + _PADDING), 1)
        for place, (choice, button) in enumerate(self.buttons.items()):
            button.setText(choice)
            button.setCheckable(True)
            button.setAccessibleName(f"{question.text}: {choice}")
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.clicked.connect(
                lambda pressed, choice=choice: self.answered.emit((choice,) if pressed else ())
            )
            grid.addWidget(button, *divmod(place, in_a_row))
        layout = _column(self, self.title)
        layout.addLayout(grid)

    def focus_order(self) -> list[QWidget]:
        """What Tab goes through."""
        return list(self.buttons.values())

    def begin(self) -> None:
        """Take the keyboard, at the answer that is given or the first there is."""
        buttons = self.focus_order()
        given = (button for button in self.buttons.values() if button.isChecked())
        for button in (*given, *buttons)[:1]:
            button.setFocus()

    def choose(self, place: int) -> bool:
        """Press the button at a place; says whether there is one."""
        if place >= len(self.numbered):
            return False
        self.buttons[self.numbered[place]].click()
        return True

    def show_answer(self, answer: tuple[str, ...], *, changed: bool) -> None:
        """Show the answer, and whether it is not saved yet."""
        _show_changed(self.title, changed=changed)
        for choice, button in self.buttons.items():
            button.setChecked(choice in answer)


class SeveralAnswers(QWidget):
    """A question with any number of answers: those that hold, and a field that adds one."""

    answered = Signal(object)
    refused = Signal(str)

    def __init__(self, question: Question) -> None:
        super().__init__()
        self._question = question
        self._answer: tuple[str, ...] = ()
        self.numbered = question.choices[:9] if len(question.choices) <= _NUMBERED else ()
        self.title = QLabel(question.text)
        self.list = QListWidget()
        self.list.setAccessibleName(question.text)
        self.list.setToolTip("Untick what does not hold")
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        digits = f"1-{len(self.numbered)}, or " if self.numbered else "type "
        self.field = QLineEdit(placeholderText=f"Add: {digits}a few letters, Enter")
        self.field.setAccessibleName(f"Add to {question.text}")
        completer = QCompleter(list(question.choices), self.field)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        self.field.setCompleter(completer)
        layout = _column(self, self.title)
        layout.addWidget(self.list)
        layout.addWidget(self.field)
        self.list.itemChanged.connect(self._on_ticked)
        self.field.returnPressed.connect(self._add)

    def focus_order(self) -> list[QWidget]:
        """What Tab goes through."""
        return [self.list, self.field]

    def begin(self) -> None:
        """Take the keyboard."""
        self.field.setFocus()

    def choose(self, place: int) -> bool:
        """Add the answer at a place, or take it back; says whether there is one."""
        if place >= len(self.numbered):
            return False
        chosen = self.numbered[place]
        rest = tuple(choice for choice in self._answer if choice != chosen)
        self.answered.emit(rest if chosen in self._answer else (*self._answer, chosen))
        return True

    def show_answer(self, answer: tuple[str, ...], *, changed: bool) -> None:
        """Show the answers, and whether they are not saved yet."""
        _show_changed(self.title, changed=changed)
        self._answer = answer
        self.list.blockSignals(True)
        self.list.clear()
        for choice in answer:
            item = QListWidgetItem(choice)
            item.setToolTip(choice)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked)
            self.list.addItem(item)
        self.list.blockSignals(False)
        self.list.setVisible(bool(answer))
        row = self.list.sizeHintForRow(0)
        self.list.setFixedHeight(min(len(answer), _LISTED_ROWS) * row + 6)

    def _on_ticked(self, item: QListWidgetItem) -> None:
        if item.checkState() != Qt.CheckState.Checked:
            rest = tuple(choice for choice in self._answer if choice != item.text())
            # Later, because showing the new answer removes the item that is still at work.
            QTimer.singleShot(0, lambda: self.answered.emit(rest))

    def _add(self) -> None:
        typed = self.field.text().strip().casefold()
        if not typed:
            return
        choices = self._question.choices
        exact = [choice for choice in choices if choice.casefold() == typed]
        near = [choice for choice in choices if typed in choice.casefold()]
        found = exact or (near if len(near) == 1 else [])
        if not found:
            text = "matches several answers; choose one" if near else "is not among the answers"
            self.refused.emit(f"“{self.field.text().strip()}” {text}.")
            return
        self.field.clear()
        if found[0] not in self._answer:
            self.answered.emit((*self._answer, found[0]))


def _column(form: QWidget, title: QLabel) -> QVBoxLayout:
    layout = QVBoxLayout(form)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(3)
    title.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
    layout.addWidget(title)
    return layout


def _show_changed(title: QLabel, *, changed: bool) -> None:
    title.setProperty("state", "unsaved" if changed else "")
    title.style().polish(title)
