"""Which cases are listed, and in which order; pure, as Qt's own filters ask Python row by row."""

from __future__ import annotations

from heapq import nlargest
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from napari_chest.files.names import natural_key
from napari_chest.ui.worklist import NORMAL, URGENCY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from napari_chest.model import CaseInfo
    from napari_chest.ui.worklist import WorkRow

Kind = Literal[
    "all", "mine", "unreviewed", "disagreements", "problems", "unsaved changes", "state", "fact"
]
_SAMPLES = 5


class Column(NamedTuple):
    """What stands in a column: ``fact`` is the name of one of the dataset's facts."""

    kind: Literal["case", "state", "priority", "comments", "difficulty", "fact"]
    fact: str = ""


class Choice(NamedTuple):
    """Which cases are listed: by state ``value``, by a fact's ``name`` and ``value``, or others."""

    kind: Kind = "all"
    name: str = ""
    value: str = ""


CASE = Column("case")
WORK_COLUMNS = (Column("state"), Column("priority"), Column("comments"), Column("difficulty"))
ALL = Choice()
WORK_CHOICES = (Choice("mine"), Choice("unreviewed"), Choice("disagreements"), Choice("problems"))
UNSAVED = Choice("unsaved changes")
_OF_WORK: dict[str, Callable[[WorkRow], bool]] = {
    "mine": attrgetter("mine"),
    "unreviewed": attrgetter("waiting"),
    "disagreements": attrgetter("disagreement"),
    "problems": lambda row: row.problem or row.contradiction,
}


class CaseFilter:
    """The cases of a dataset with the work on them; a row is a case's place among all of them.

    Attributes
    ----------
    cases : all cases.
    works : what is known of the work on each; None where nothing is.
    unsaved : ids of the cases with changes that are not saved yet.
    choice : which of them a person wants to see.
    """

    def __init__(self) -> None:
        self.cases: Sequence[CaseInfo] = ()
        self.works: list[WorkRow | None] = []
        self.unsaved: frozenset[str] = frozenset()
        self.choice = ALL
        self._words: list[str] = []
        self._facts: list[str] = []
        self._texts: list[str] = []
        self._rows: dict[str, int] = {}
        self._sorted: list[int] = []
        self._ranks: list[int] = []
        self._sorting: tuple[Column | None, bool] = None, False

    def show_cases(self, cases: Sequence[CaseInfo]) -> None:
        """Begin anew with other cases, all of them listed."""
        self.works = [None] * len(cases)
        self.unsaved, self.choice, self._words = frozenset(), ALL, []
        self.refresh(cases)
        self.sort(None)

    def refresh(self, cases: Sequence[CaseInfo]) -> None:
        """Take other facts of the same cases."""
        self.cases = cases
        self._rows = {case.id: row for row, case in enumerate(cases)}
        self._facts = [
            " ".join((case.title, case.id, *case.facts.values())).casefold() for case in cases
        ]
        self._texts = [self._text(row) for row in range(len(cases))]

    def take(self, works: Mapping[str, WorkRow]) -> list[int]:
        """Take what is known of the work on some cases (by id); tells the rows that changed."""
        rows = []
        for case, work in works.items():
            row = self._rows.get(case)  # none where a case vanished from the dataset
            if row is not None and work != self.works[row]:
                self.works[row] = work
                self._texts[row] = self._text(row)
                rows.append(row)
        return rows

    def take_all(self, works: Mapping[str, WorkRow]) -> None:
        """Take what is known of the work on all cases, and forget what was known before."""
        self.works = [None] * len(self.cases)
        self.take(works)
        self._texts = [self._text(row) for row in range(len(self.cases))]
        column, descending = self._sorting
        self.sort(column, descending=descending)

    def row_of(self, case: str) -> int | None:
        """The row of a case."""
        return self._rows.get(case)

    def search(self, text: str) -> None:
        """List the cases in which every word stands somewhere."""
        self._words = text.casefold().split()

    def sort(self, column: Column | None, *, descending: bool = False) -> None:
        """Order all cases by a column, or as the dataset has them."""
        self._sorting = column, descending
        self._sorted = list(range(len(self.cases)))
        if column is not None:
            keys = [self._key(row, column) for row in self._sorted]
            self._sorted.sort(key=keys.__getitem__, reverse=descending)
        self._ranks = [0] * len(self._sorted)
        for rank, row in enumerate(self._sorted):
            self._ranks[row] = rank

    def rank(self, row: int) -> int:
        """The place of a row among all, as they are sorted."""
        return self._ranks[row]

    def shown(self) -> list[int]:
        """The rows that are listed, in order."""
        chosen, texts, words = self._chosen(), self._texts, self._words
        rows = self._sorted if chosen is None else [row for row in self._sorted if chosen(row)]
        for word in words:
            rows = [row for row in rows if word in texts[row]]
        return list(rows)

    def shows(self, row: int) -> bool:
        """Whether a row is listed."""
        chosen = self._chosen()
        found = all(word in self._texts[row] for word in self._words)
        return found and (chosen is None or chosen(row))

    def values(self, fact: str) -> list[str]:
        """What the cases have of a fact."""
        found = {case.facts.get(fact, "") for case in self.cases}
        return sorted(found - {""}, key=natural_key)

    def text(self, row: int, column: Column) -> str:
        """What stands in a cell."""
        if column.kind == "case":
            return self.cases[row].title
        if column.kind == "fact":
            return self.cases[row].facts.get(column.fact, "")
        work = self.works[row]
        told = _WORK_TEXTS.get(column.kind)  # a priority is told by a sign
        return told(work) if told is not None and work is not None else ""

    def longest(self, column: Column) -> list[str]:
        """The longest texts of a column, of those that may come as well."""
        if column.kind == "state":
            return [_BRIEF.get(state, state) for state in URGENCY]
        texts = {self.text(row, column) for row in range(len(self.cases))}
        return nlargest(_SAMPLES, texts, key=len)

    def says(self, column: Column) -> bool:
        """Whether any cell of a column has something to say; titles, states and facts have."""
        holds = _SAYS.get(column.kind)
        return holds is None or any(work is not None and holds(work) for work in self.works)

    def _chosen(self) -> Callable[[int], bool] | None:
        """Whether a row is what a person wants to see; None where all are."""
        kind, name, value = self.choice
        cases, works = self.cases, self.works
        if kind == "all":
            return None
        if kind == "unsaved changes":
            return lambda row: cases[row].id in self.unsaved
        if kind == "fact":
            return lambda row: cases[row].facts.get(name, "") == value
        if kind == "state":
            return lambda row: (work := works[row]) is not None and work.state == value
        holds = _OF_WORK[kind]
        return lambda row: (work := works[row]) is not None and holds(work)

    def _text(self, row: int) -> str:
        """All that a search looks at: the case, its facts, and who works on it."""
        work = self.works[row]
        if work is None or not work.works:
            return self._facts[row]
        return " ".join((self._facts[row], *(one.key.reader.casefold() for one in work.works)))

    def _key(self, row: int, column: Column) -> Any:
        """What a row is sorted by; of the work, what is most urgent stands first."""
        if column.kind in ("case", "fact"):
            return natural_key(self.text(row, column))
        work = self.works[row]
        return _WORK_KEYS[column.kind](work) if work is not None else 0


_BRIEF = {"not started": "to do", "in progress": "begun", "needs fix": "to fix"}
_WORK_TEXTS: dict[str, Callable[[WorkRow], str]] = {
    "state": lambda work: _BRIEF.get(work.state, work.state),
    "comments": lambda work: str(work.comments or ""),
    "difficulty": lambda work: str(work.difficulty or ""),
}
_WORK_KEYS: dict[str, Callable[[WorkRow], int]] = {
    "state": lambda work: URGENCY.index(work.state),
    "priority": lambda work: -work.priority,
    "comments": lambda work: -work.comments,
    "difficulty": lambda work: -(work.difficulty or 0),
}
_SAYS: dict[str, Callable[[WorkRow], bool]] = {
    "priority": lambda work: work.priority != NORMAL,
    "comments": lambda work: work.comments > 0,
    "difficulty": lambda work: work.difficulty is not None,
}
