"""The work list as a whole: who is how far with every case, and who is given what."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, QTimer

from napari_chest.review.acts import Assign, Prioritise
from napari_chest.ui.worklist import Marks, Progress, progress, remaining, work_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_chest.ui.session import Session
    from napari_chest.ui.workbench import Workbench
    from napari_chest.ui.worklist import WorkRow

_PROGRESS_MS = 200
"""How long the figures of all cases may lag behind: they are counted over the whole list."""


class Assigning(QObject):
    """Keeps the rows of the case list as the review stands, and gives out cases.

    Attributes
    ----------
    own : how far the person is; None where no case is theirs to do.
    """

    def __init__(self, session: Session, bench: Workbench, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._bench = bench
        self._marks = Marks()
        self._rows: dict[str, WorkRow] = {}
        self._progress_timer = QTimer(self)
        self._progress_timer.setSingleShot(True)
        self._progress_timer.setInterval(_PROGRESS_MS)
        self._progress_timer.timeout.connect(self._show_progress)
        session.review_changed.connect(self._on_changed)
        cases = bench.cases
        cases.priority_requested.connect(self._prioritise)
        cases.assign_requested.connect(lambda ids, reader: self._assign(ids, reader, assigned=True))
        cases.take_back_requested.connect(
            lambda ids, reader: self._assign(ids, reader, assigned=False)
        )

    @property
    def own(self) -> Progress | None:
        """How far the person is; None where no case is theirs to do."""
        person = self._session.person
        bars = progress(self._rows.values(), person)
        return next((bar for bar in bars if bar.who == person and bar.total), None)

    def close(self) -> None:
        """Listen no more: the session outlives the dock."""
        self._progress_timer.stop()
        self._session.review_changed.disconnect(self._on_changed)

    def mark_contradictions(self, cases: frozenset[str]) -> None:
        """Show of which cases things are said that cannot all be true."""
        self._mark(replace(self._marks, contradictions=cases))

    def mark_disagreeing(self, cases: frozenset[str] | None) -> None:
        """Show in which cases readers differ more than people do; None where nobody compared."""
        self._mark(replace(self._marks, disagreeing=cases))

    def _mark(self, marks: Marks) -> None:
        if marks != self._marks:
            self._marks = marks
            self.show_all()

    def show_all(self) -> None:
        """Show the work on all cases, as after another dataset was opened."""
        self._on_changed(frozenset())

    def _on_changed(self, cases: frozenset[str]) -> None:
        desk, listed = self._session.desk, self._bench.cases
        if desk is None:
            self._rows = {}
            listed.set_rows({})
        else:
            known = [case.id for case in self._session.cases if not cases or case.id in cases]
            rows = work_rows(desk.book, desk.person, self._session.round, known, self._marks)
            if cases:
                self._rows |= rows
                listed.update_rows(rows)
            else:
                self._rows = rows
                listed.set_rows(rows)
                listed.show_people(sorted(desk.book.people, key=str.casefold))
        self._progress_timer.start()

    def _show_progress(self) -> None:
        rows, person = self._rows.values(), self._session.person
        strip = self._bench.work.work_progress
        if self._rows:
            strip.show_progress(progress(rows, person), remaining(rows))
        else:
            strip.show_progress((), "")

    def _prioritise(self, cases: Sequence[str], priority: int) -> None:
        desk = self._session.desk
        if desk is not None and cases:
            desk.do(Prioritise(who=desk.person, cases=tuple(cases), priority=priority))
            self._session.review_changed.emit(frozenset(cases))

    def _assign(self, cases: Sequence[str], reader: str, *, assigned: bool) -> None:
        desk = self._session.desk
        if desk is not None and cases:
            desk.do(
                Assign(
                    who=desk.person, cases=tuple(cases), reader=reader, assigned=assigned,
                    round=self._session.round,
                )
            )  # fmt: skip
            self._session.review_changed.emit(frozenset(cases))
