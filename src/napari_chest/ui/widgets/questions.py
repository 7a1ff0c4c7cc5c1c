"""What is asked of the case as a whole, and how the reading on screen answers it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtWidgets import (
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

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_chest.model import Question

_LISTED_ROWS = 4
_WIDTH, _PADDING = 296, 12
"""Room of a row of buttons in a narrow dock, and what a button needs beside its text, in pixels."""


class QuestionPanel(QWidget):
    """One form per question that the reading answers or may answer.

    Signals
    -------
    answer_requested(str, tuple) : answer the question with this key so.
    refused(str) : what was typed is no answer, and why.
    """

    answer_requested = Signal(str, object)
    refused = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.forms: dict[str, OneAnswer | SeveralAnswers] = {}
        self._questions: tuple[Question, ...] = ()
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(4)
        self.show_questions(())

    def show_questions(self, questions: Sequence[Question]) -> None:
        """Ask other questions."""
        if tuple(questions) != self._questions:
            self._questions = tuple(questions)
            for form in self.forms.values():
                self._layout.removeWidget(form)
                form.deleteLater()
            self.forms = {question.key: self._make_form(question) for question in questions}
        self.setVisible(bool(questions))

    def show_answers(
        self, answers: Mapping[str, tuple[str, ...]], saved: Mapping[str, tuple[str, ...]]
    ) -> None:
        """Show how the reading answers, and which answers are not saved yet."""
        for key, form in self.forms.items():
            now = answers.get(key, ())
            form.show_answer(now, changed=now != saved.get(key, ()))

    def focus_order(self) -> list[QWidget]:
        """What Tab goes through."""
        return [widget for form in self.forms.values() for widget in form.focus_order()]

    def _make_form(self, question: Question) -> OneAnswer | SeveralAnswers:
        form = SeveralAnswers(question) if question.several else OneAnswer(question)
        form.answered.connect(lambda answer: self.answer_requested.emit(question.key, answer))
        if isinstance(form, SeveralAnswers):
            form.refused.connect(self.refused)
        self._layout.addWidget(form)
        return form


class OneAnswer(QWidget):
    """A question with one answer: a button for each choice; pressing it again takes it back."""

    answered = Signal(object)

    def __init__(self, question: Question) -> None:
        super().__init__()
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
        self.title = QLabel(question.text)
        self.list = QListWidget()
        self.list.setAccessibleName(question.text)
        self.list.setToolTip("Untick what does not hold")
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.field = QLineEdit(placeholderText="Add: type a few letters, Enter")
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
