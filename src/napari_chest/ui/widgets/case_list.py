"""The case list: searchable, sortable, filterable; what is to be done and unsaved stands out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QModelIndex, QPoint, Qt, Signal
from qtpy.QtWidgets import (
    QApplication,
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_chest.ui.case_filter import ALL, UNSAVED, WORK_CHOICES, Choice
from napari_chest.ui.case_menu import case_menu
from napari_chest.ui.case_table import CaseTable
from napari_chest.ui.elided_label import ElidedLabel
from napari_chest.ui.keys import shown
from napari_chest.ui.worklist import URGENCY, next_unreviewed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_chest.model import CaseInfo
    from napari_chest.ui.worklist import WorkRow

_MOST_CHOICES = 8
_EMPTY = {
    "mine": "No case was given to you, and you have begun none. Choose another filter, or a round.",
    "unreviewed": "No case is waiting for you. Choose another filter, or a round.",
    "disagreements": "No readings are known to disagree. Choose another filter, or a round.",
    "problems": "No case has problems. Choose another filter.",
    "unsaved changes": "No case has changes that are not exported. Choose another filter.",
    "state": "No case is in this state. Choose another filter, or a round.",
}


class CaseList(QWidget):
    """The work list with its search field, filter and count.

    Signals
    -------
    case_requested(str) : open the case of this id.
    step_requested(int) : open the case so many rows away.
    unreviewed_requested() : open the next case that waits for the person.
    priority_requested(list, int) : give the cases of these ids this priority, 0 to 3.
    assign_requested(list, str), take_back_requested(list, str) : give them to a reader, or take
        them back.
    """

    case_requested = Signal(str)
    step_requested = Signal(int)
    unreviewed_requested = Signal()
    priority_requested = Signal(list, int)
    assign_requested = Signal(list, str)
    take_back_requested = Signal(list, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.table = CaseTable()
        self._model = self.table.cases
        self._people: tuple[str, ...] = ()
        self._current: str | None = None
        self._kept: list[str] = []
        self._choices: list[Choice] = []
        self._make_search()
        self.count = ElidedLabel()
        self.count.setProperty("role", "secondary")
        self.previous_button = _step_button("‹", "Previous case", "case_previous")
        self.next_button = _step_button("›", "Next case", "case_next")
        self.unreviewed_button = _step_button(
            "Unreviewed ›", "Next unreviewed case", "case_unreviewed"
        )
        self.unreviewed_button.hide()
        self._lay_out()
        self._connect()

    # What is shown

    def show_cases(self, cases: Sequence[CaseInfo], facts: Sequence[str]) -> None:
        """Show other cases, with those of these facts as columns that any case has."""
        facts = [fact for fact in facts if any(case.facts.get(fact) for case in cases)]
        self._current = None
        self.search.clear()
        self._model.show_cases(cases, facts)
        self._show_columns()

    def refresh(self, cases: Sequence[CaseInfo]) -> None:
        """Show other facts of the same cases."""
        self._model.refresh(cases)

    def set_rows(self, rows: Mapping[str, WorkRow]) -> None:
        """Show the work on all cases (by id), as `worklist.work_rows` tells it; again after cases.

        Without any, the list is a plain one.
        """
        had = self._model.has_work
        self._model.set_rows(rows)
        if had != self._model.has_work:
            self._show_columns()
        self.table.fit_columns()

    def update_rows(self, rows: Mapping[str, WorkRow]) -> None:
        """Show the work on some cases (by id); costs those and no others."""
        self._model.update_rows(rows)
        self.table.fit_columns()
        self._count()

    def show_people(self, names: Sequence[str]) -> None:
        """Offer to give cases to these people."""
        self._people = tuple(names)

    def show_current(self, case_id: str) -> None:
        """Mark a case as the one that is open."""
        self._current = case_id
        self.table.show_current(self._current)
        self._count()

    def mark_unsaved(self, case_ids: frozenset[str]) -> None:
        """Mark the cases with changes that are not saved yet."""
        self._model.mark_unsaved(case_ids)
        self._count()

    def add_below(self, widget: QWidget) -> None:
        """Show something between the cases and their count."""
        layout = self.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.insertWidget(layout.count() - 1, widget)

    def height_of(self, rows: int) -> int:
        """Height that shows so many cases."""
        beside = self.sizeHint().height() - self.table.sizeHint().height()
        header = self.table.horizontalHeader().sizeHint().height() + 6
        return beside + header + rows * self.table.verticalHeader().defaultSectionSize()

    # Which are listed

    def order(self) -> list[str]:
        """Ids of the cases as they are listed now."""
        return self._model.order()

    def unreviewed_after(self, case_id: str | None) -> str | None:
        """The listed case behind another that waits for the person, else the first that does."""
        rows = {work.case: work for work in self._model.list.works if work is not None}
        others = (case for case in self._model.after(case_id) if case != case_id)
        return next_unreviewed(rows, others)

    def selected(self) -> list[str]:
        """Ids of the selected cases, as they are listed."""
        return [self._model.case_at(row).id for row in self.table.selected_rows()]

    def choose(self, choice: Choice) -> None:
        """List only some of the cases, as if it had been chosen in the filter box."""
        self.filter.setCurrentIndex(self._choices.index(choice))

    # Parts

    def _make_search(self) -> None:
        self.search = QLineEdit(placeholderText="Search cases")
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName("Search cases")
        self.filter = QComboBox()
        self.filter.setAccessibleName("Filter cases")
        self.filter.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.filter.setMinimumContentsLength(9)

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.search, 3)
        top.addWidget(self.filter, 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addWidget(self.table, 1)
        bottom = QHBoxLayout()
        bottom.addWidget(self.count, 1)
        for button in (self.previous_button, self.next_button, self.unreviewed_button):
            bottom.addWidget(button)
        layout.addLayout(bottom)

    def _connect(self) -> None:
        self.previous_button.clicked.connect(lambda: self.step_requested.emit(-1))
        self.next_button.clicked.connect(lambda: self.step_requested.emit(1))
        self.unreviewed_button.clicked.connect(self.unreviewed_requested)
        self.search.textChanged.connect(self._model.search)
        self.search.returnPressed.connect(self._open_first)
        self.filter.currentIndexChanged.connect(self._on_filter)
        self.table.clicked.connect(self._on_picked)
        self.table.activated.connect(self._on_activated)
        self.table.customContextMenuRequested.connect(self._show_menu)
        self._model.modelAboutToBeReset.connect(self._keep_selection)
        self._model.modelReset.connect(self._on_listed)

    # Columns and filter

    def _show_columns(self) -> None:
        """Begin anew with the columns and filters there are now, unsorted."""
        self._fill_filter()
        self.unreviewed_button.setVisible(self._model.has_work)
        self.table.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        self.table.measure_columns()

    def _fill_filter(self) -> None:
        """Offer all kinds of filter, and keep the chosen one where it is among them."""
        cases = self._model.list
        states = [Choice("state", "State", state) for state in URGENCY]
        facts = []
        for column in self._model.columns:
            values = cases.values(column.fact) if column.kind == "fact" else []
            if 1 < len(values) <= _MOST_CHOICES:
                facts += [Choice("fact", column.fact, value) for value in values]
        work = self._model.has_work
        groups = ([ALL, *(WORK_CHOICES if work else ()), UNSAVED], states if work else [], facts)
        chosen = cases.choice
        self.filter.blockSignals(True)
        self.filter.clear()
        self._choices = []
        for group in filter(None, groups):
            if self._choices:
                self.filter.insertSeparator(self.filter.count())
                self._choices.append(ALL)  # nobody can choose the separator
            for choice in group:
                self.filter.addItem(_filter_text(choice))
                self._choices.append(choice)
        kept = chosen if chosen in self._choices else ALL
        self.filter.setCurrentIndex(self._choices.index(kept))
        self.filter.blockSignals(False)
        if kept != chosen:
            self._model.choose(kept)

    # What a person does

    def _on_filter(self, index: int) -> None:
        self._model.choose(self._choices[index])

    def _open_first(self) -> None:
        order = self.order()
        if order:
            self.case_requested.emit(order[0])

    def _on_picked(self, index: QModelIndex) -> None:
        several = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
        case = self._model.case_at(index.row())
        if case.id != self._current and not QApplication.keyboardModifiers() & several:
            self.case_requested.emit(case.id)

    def _on_activated(self, index: QModelIndex) -> None:
        # Enter or a double click also opens the present case again.
        self.case_requested.emit(self._model.case_at(index.row()).id)

    def _show_menu(self, position: QPoint) -> None:
        """Offer what can be done with the selected cases, at the pointer or at the present row."""
        works = [work for work in map(self._model.work_at, self.table.selected_rows()) if work]
        if not works:
            return
        cases = [work.case for work in works]

        def prioritise(priority: int) -> None:
            self.priority_requested.emit(cases, priority)

        def assign(name: str, give: bool) -> None:
            (self.assign_requested if give else self.take_back_requested).emit(cases, name)

        if not self.table.indexAt(position).isValid():  # the key was pressed
            position = self.table.visualRect(self.table.currentIndex()).bottomLeft()
        menu = case_menu(self, works, self._people, prioritise=prioritise, assign=assign)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.table.viewport().mapToGlobal(position))

    # After the list was shown anew

    def _keep_selection(self) -> None:
        self._kept = self.selected()

    def _on_listed(self) -> None:
        choice = self._model.list.choice
        self.table.empty = _EMPTY.get(choice.kind, "No case is listed. Choose another filter.")
        if self.search.text() or choice.kind in ("all", "fact"):
            self.table.empty = "No case has all these words. Search for others, or among all cases."
        if not self._model.list.cases:
            self.table.empty = "The dataset has no cases."
        self.table.setAccessibleDescription("" if self._model.rowCount() else self.table.empty)
        self.table.select(self._kept)
        if len(self._kept) < 2:
            self.table.show_current(self._current)
        self._count()

    def _count(self) -> None:
        listed, total = self._model.rowCount(), len(self._model.list.cases)
        row = self._model.row_of(self._current)
        place = f"case {row + 1:,} of " if row >= 0 else ""
        shown = f"{listed:,}" if listed == total else f"{listed:,} shown, {total:,} in all"
        self.count.setText(f"{place}{shown}" if total else "no cases")
        self.count.setToolTip(self.count.text())


def _filter_text(choice: Choice) -> str:
    if choice.kind == "fact":
        return f"{choice.name}: {choice.value}"
    return {"all": "all cases", "state": choice.value}.get(choice.kind, choice.kind)


def _step_button(text: str, name: str, action: str) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setAccessibleName(name)
    button.setToolTip(f"{name} ({shown(action)})")
    return button
