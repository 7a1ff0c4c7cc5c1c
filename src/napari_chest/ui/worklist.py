"""The work list: what is to be done with every case, by whom, and how long it may take; pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from napari_chest.review.blind import comments_seen, sees_all
from napari_chest.review.words import ADJUDICATED, OPEN, REASONS, SUBMITTED, Work, WorkKey
from napari_chest.ui.wording import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from napari_chest.review.book import Book
    from napari_chest.review.words import Round, State

NORMAL = 1
PRIORITIES = ("low", "normal", "high", "urgent")
URGENCY: tuple[State, ...] = (
    "needs fix",
    "in progress",
    "not started",
    "submitted",
    "deferred",
    "rejected",
    "approved",
)
"""In this order the list is sorted by state: what is still to be done stands first."""
_ATTENTION: tuple[State, ...] = (
    "submitted",
    "needs fix",
    "in progress",
    "not started",
    "deferred",
    "rejected",
    "approved",
)
"""The first of these that any reader's work has is what an adjudicator should know of a case."""
_FURTHEST: tuple[State, ...] = (
    "not started",
    "in progress",
    "needs fix",
    "deferred",
    "submitted",
    "rejected",
    "approved",
)
"""A case is as far as the reader who is least far with it."""
_RANK = _FURTHEST.index
_SENT_BACK: frozenset[State] = frozenset({"needs fix", "rejected"})
_FEWEST = 3
"""Finished cases that a pace can be told from."""
_SHORTEST, _LONGEST = 5.0, 3600.0
"""Seconds between two cases that a person finished; less is no reading, and more is a break."""


@dataclass(frozen=True)
class Marks:
    """What was found out about cases elsewhere, as their ids.

    Attributes
    ----------
    problems : something is wrong with the case.
    contradictions : what is said about the case does not fit together.
    disagreeing : its readings differ by more than readers do; None where nobody has compared
        them, so that every case with two submitted readings counts.
    """

    problems: frozenset[str] = frozenset()
    contradictions: frozenset[str] = frozenset()
    disagreeing: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class WorkRow:
    """What the work list shows of a case.

    Attributes
    ----------
    case : its id.
    state : of the person's own work; for an adjudicator the one that wants attention.
    works : everybody's work on the case in the round shown.
    own : the person's work, begun or not; None where the case is left to others.
    overall : how far the reader is who is least far.
    priority : 0 (low), 1 (normal), 2 (high), 3 (urgent).
    comments : how many are open.
    mine : whether the person was given the case or has begun it.
    waiting : whether it waits for the person: to be read, or to be decided about.
    disagreement : whether its readings differ, or one was sent back or rejected.
    problem : whether something is wrong with it.
    contradiction : whether what is said about it does not fit together.
    """

    case: str
    state: State = "not started"
    works: tuple[Work, ...] = ()
    own: Work | None = None
    overall: State = "not started"
    priority: int = NORMAL
    comments: int = 0
    mine: bool = False
    waiting: bool = False
    disagreement: bool = False
    problem: bool = False
    contradiction: bool = False

    @property
    def difficulty(self) -> int | None:
        """As the person finds it, else as the reader finds it for whom it is hardest."""
        if self.own is not None and self.own.difficulty is not None:
            return self.own.difficulty
        return max((one.difficulty for one in self.works if one.difficulty), default=None)

    def lines(self) -> list[str]:
        """All of it in words, for a tool tip."""
        told = [work_in_words(work) for work in self.works] or ["nobody has begun"]
        if self.priority != NORMAL:
            told.append(f"priority: {PRIORITIES[self.priority]}")
        if self.comments:
            told.append(count(self.comments, "open comment"))
        flags = {
            "the readings disagree, or one was sent back": self.disagreement,
            "there are problems": self.problem,
            "there are contradictions": self.contradiction,
        }
        return told + [text for text, holds in flags.items() if holds]


@dataclass(frozen=True)
class Progress:
    """How far somebody is with the cases of a round.

    Attributes
    ----------
    who : a reader, or ``all readers``.
    counts : how many cases are in which state; only states that occur.
    """

    who: str
    counts: Mapping[State, int]

    @property
    def total(self) -> int:
        """Number of cases."""
        return sum(self.counts.values())

    @property
    def done(self) -> int:
        """Number of cases that were submitted, also of those that were decided about since."""
        return sum(self.counts.get(state, 0) for state in SUBMITTED)

    @property
    def in_short(self) -> str:
        """``12 of 60 done``."""
        return f"{self.done:,} of {self.total:,} done"

    @property
    def states(self) -> list[State]:
        """The states that occur, what is furthest first."""
        return sorted(self.counts, key=_FURTHEST.index, reverse=True)

    @property
    def in_words(self) -> str:
        """How many cases are in which state."""
        return ", ".join(f"{self.counts[state]:,} {state}" for state in self.states)


def work_in_words(work: Work) -> str:
    """Who is how far with a case, and why."""
    asked = work.assigned and work.state == "not started"
    text = f"{work.key.reader}: {'assigned, ' if asked else ''}{work.state}"
    if work.reason:
        text += f" ({REASONS.get(work.reason, work.reason)})"
    if work.difficulty is not None:
        text += f", difficulty {work.difficulty} of 5"
    return f"{text}: {work.note}" if work.note else text


def work_rows(
    book: Book, person: str, round_number: int, cases: Iterable[str], marks: Marks | None = None
) -> dict[str, WorkRow]:
    """What the list shows of these cases (by id) to a person who works in a round."""
    view = _View(book, person, round_number, marks or Marks())
    return {case: view.row(case) for case in cases}


def progress(rows: Iterable[WorkRow], person: str) -> tuple[Progress, ...]:
    """How far the person is, then all readers together, then each of the others by name.

    The person is left out who has no case, and all together where there is one reader only.
    """
    rows = list(rows)
    others: dict[str, dict[State, int]] = {}
    counted = Counter((work.key.reader, work.state) for row in rows for work in row.works)
    for (reader, state), number in counted.items():
        if reader != person:
            others.setdefault(reader, {})[state] = number
    told = []
    if not others or any(row.mine for row in rows):
        told.append(Progress(person, Counter(row.own.state for row in rows if row.own)))
    if others:
        told.append(Progress("all readers", Counter(row.overall for row in rows)))
    names = sorted(others, key=str.casefold)
    return (*told, *(Progress(name, others[name]) for name in names))


def pace(rows: Iterable[WorkRow]) -> float | None:
    """Seconds the person needs for a case: half of those finished took less.

    From how long each was worked on, else from the times between one case and the next; None
    where there are fewer than three.
    """
    done = [row.own for row in rows if row.own is not None and row.own.state in SUBMITTED]
    seconds = [work.seconds for work in done if work.seconds > 0]
    if len(seconds) < _FEWEST:
        times = sorted(
            work.at.timestamp() for work in done if work.at and work.by == work.key.reader
        )
        between = (later - earlier for earlier, later in pairwise(times))
        seconds = [gap for gap in between if _SHORTEST <= gap <= _LONGEST]
    return median(seconds) if len(seconds) >= _FEWEST else None


def remaining(rows: Iterable[WorkRow]) -> str:
    """How long the person's open cases may take: ``about 2 h 40 min for 53 cases``, or nothing."""
    rows = list(rows)
    left = sum(row.own is not None and row.own.state in OPEN for row in rows)
    each = pace(rows) if left else None
    return "" if each is None else f"about {_duration(left * each)} for {count(left, 'case')}"


def next_unreviewed(rows: Mapping[str, WorkRow], order: Iterable[str]) -> str | None:
    """The first case of a list (of ids) that waits for the person; None where none does."""
    return next((case for case in order if case in rows and rows[case].waiting), None)


def _duration(seconds: float) -> str:
    """A time in words, no finer than anybody can know it."""
    minutes = max(1, round(seconds / 60))
    if minutes < 10:
        return f"{minutes} min"
    minutes = 5 * round(minutes / 5) if minutes < 60 else 10 * round(minutes / 10)
    hours, rest = divmod(minutes, 60)
    if hours >= 10 or (hours and not rest):
        return f"{hours} h"
    return f"{hours} h {rest} min" if hours else f"{rest} min"


class _View:
    """The book as one person sees it in one round."""

    def __init__(self, book: Book, person: str, number: int, marks: Marks) -> None:
        self._book, self._person, self._number, self._marks = book, person, number, marks
        self._round: Round | None = book.round_of(number)
        self._cases = frozenset(self._round.cases) if self._round else frozenset()
        self._adjudicates = book.is_adjudicator(person)
        self._blind = any(one.blind and not one.closed for one in book.rounds)

    def row(self, case: str) -> WorkRow:
        """What is shown of a case."""
        works = self._works(case)
        if any(work.key.reader != self._person and _says_more(work) for work in works):
            works = works if self._sees_all(case) else tuple(map(self._veiled, works))
        own = next((work for work in works if work.key.reader == self._person), None)
        if own is None and self._may_begin(case, works):
            own = Work(WorkKey(self._number, case, self._person))
        return WorkRow(
            case,
            state=self._state(own, works),
            works=works,
            own=own,
            overall=min((work.state for work in works), key=_RANK, default="not started"),
            priority=self._book.priorities.get(case, NORMAL),
            comments=self._comments(case),
            mine=own is not None and own in works,
            waiting=self._is_waiting(own, works),
            disagreement=self._disagree(case, own, works),
            problem=case in self._marks.problems,
            contradiction=case in self._marks.contradictions,
        )

    def _works(self, case: str) -> tuple[Work, ...]:
        """Everybody's work, also of those who are asked and have not begun; by name."""
        works = [
            work
            for work in self._book.of_case(case)
            if work.key.round == self._number and (work.assigned or work.state != "not started")
        ]
        if self._is_read(case) and not any(work.assigned for work in works):
            begun = {work.key.reader for work in works}
            asked = self._round.readers if self._round is not None else ()
            keys = (WorkKey(self._number, case, name) for name in asked if name not in begun)
            works += map(Work, keys)
        return tuple(sorted(works, key=lambda work: work.key.reader.casefold()))

    def _is_read(self, case: str) -> bool:
        """Whether the reading round is open and has the case."""
        one = self._round
        return one is not None and not one.closed and (not one.cases or case in self._cases)

    def _may_begin(self, case: str, works: tuple[Work, ...]) -> bool:
        """Whether the person may begin a case that nobody gave to them."""
        if self._number == 0:
            return not works
        anybody = self._round is not None and not self._round.readers
        return anybody and self._is_read(case) and not any(work.assigned for work in works)

    def _state(self, own: Work | None, works: tuple[Work, ...]) -> State:
        """The state to show."""
        if not self._adjudicates and own is not None:
            return own.state
        joint = next((work.state for work in works if work.key.reader == ADJUDICATED), None)
        if joint in SUBMITTED:
            return joint
        return min((work.state for work in works), key=_ATTENTION.index, default="not started")

    def _is_waiting(self, own: Work | None, works: tuple[Work, ...]) -> bool:
        """Whether the person should open the case."""
        if own is not None and own.state in OPEN:
            return self._round is None or not self._round.closed
        if not self._adjudicates:
            return False
        if any(work.key.reader == ADJUDICATED and work.state in SUBMITTED for work in works):
            return False
        return any(work.state == "submitted" and work is not own for work in works)

    def _comments(self, case: str) -> int:
        """How many open comments the person may see."""
        comments = self._book.comments(case)
        if comments and self._blind:
            comments = comments_seen(self._book, self._person, self._number, case, comments)
        return sum(not comment.resolved for comment in comments)

    def _disagree(self, case: str, own: Work | None, works: tuple[Work, ...]) -> bool:
        """Whether the person may know that others see the case another way."""
        if own is not None and own.state in _SENT_BACK:
            return True
        found = any(work.state in _SENT_BACK for work in works)
        if self._marks.disagreeing is not None:
            found = found or case in self._marks.disagreeing
        else:
            found = found or sum(work.state in SUBMITTED for work in works) > 1
        return found and self._sees_all(case)

    def _sees_all(self, case: str) -> bool:
        """Whether the person may see what others say about a case."""
        return not self._blind or sees_all(self._book, self._person, self._number, case)

    def _veiled(self, work: Work) -> Work:
        """The work of somebody else without what it tells of the case."""
        if work.key.reader == self._person:
            return work
        return replace(work, reason="", note="", difficulty=None)


def _says_more(work: Work) -> bool:
    return bool(work.reason or work.note or work.difficulty)
