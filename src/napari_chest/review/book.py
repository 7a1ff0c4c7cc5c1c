"""The state of the review in memory, as the store has it and with what was not sent yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from napari_chest.review.naming import cleaned
from napari_chest.review.rules import Changes, changes
from napari_chest.review.words import SUBMITTED, Comment, Decision, Round, Work, WorkKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from napari_chest.review.acts import AnyAct
    from napari_chest.review.words import Role

_Said = TypeVar("_Said", Comment, Decision)


@dataclass(frozen=True)
class Snapshot(Changes):
    """All that a store knows but readings, at one moment.

    Attributes
    ----------
    number : of the last act that is in it.
    """

    number: int = 0


@dataclass(frozen=True)
class Delta(Snapshot):
    """What changed in a store after some act, each row as it is now.

    A ``number`` below the one that was asked for tells that the store is another one now, such as
    a copy of an earlier day: take a snapshot then.
    """


class Book:
    """The state of the review; a book never changes, what changes it makes another one.

    Attributes
    ----------
    number : of the last act of the store that is in it.
    works : what anybody began or was given.
    people : name and role, of all who take part.
    rounds : by number.
    priorities : of cases that are more or less urgent than usual (1).
    """

    number: int
    works: Mapping[WorkKey, Work]
    people: Mapping[str, Role]
    rounds: tuple[Round, ...]
    priorities: Mapping[str, int]

    def __init__(self, rows: Snapshot | None = None) -> None:
        self.number = 0
        self.works = {}
        self.people = {}
        self.rounds = ()
        self.priorities = {}
        self._comments: dict[str, Comment] = {}
        self._decisions: dict[str, Decision] = {}
        self._keys: dict[str, tuple[WorkKey, ...]] = {}
        self._commented: dict[str, tuple[str, ...]] = {}
        self._decided: dict[str, tuple[str, ...]] = {}
        if rows is not None:
            self._take(rows)
            self.number = rows.number

    def work(self, round: int, case: str, reader: str) -> Work:  # noqa: A002
        """A reader's work on a case, begun or not."""
        key = WorkKey(round, case, reader)
        return self.works.get(key) or Work(key)

    def of_case(self, case: str) -> tuple[Work, ...]:
        """All work on a case, by round and reader."""
        return tuple(self.works[key] for key in sorted(self._keys.get(case, ())))

    def comments(self, case: str) -> tuple[Comment, ...]:
        """What was said about a case, the oldest first."""
        return _by_time(self._comments[one] for one in self._commented.get(case, ()))

    def decisions(self, case: str) -> tuple[Decision, ...]:
        """What was decided about a case, the oldest first, also what was undone."""
        return _by_time(self._decisions[one] for one in self._decided.get(case, ()))

    def submitted(self, round: int, case: str) -> tuple[str, ...]:  # noqa: A002
        """The readers who are done with a case in a round."""
        return tuple(
            work.key.reader
            for work in self.of_case(case)
            if work.key.round == round and work.state in SUBMITTED
        )

    def is_adjudicator(self, person: str) -> bool:
        """Whether somebody may act on the work of others."""
        return self.people.get(person) == "adjudicator"

    def with_act(self, act: AnyAct) -> Book:
        """The book after an act that the store does not have yet.

        Raises
        ------
        NotAllowedError, ConflictError
            as the store would.
        """
        return self._with(changes(cleaned(act), self))

    def with_delta(self, delta: Delta) -> Book:
        """The book after what changed in the store."""
        other = self._with(delta)
        other.number = delta.number
        return other

    def role(self, person: str) -> Role | None:
        """The role of somebody; None for who does not take part."""
        return self.people.get(person)

    def is_empty(self) -> bool:
        """Whether nobody takes part yet."""
        return not self.people

    def works_of(self, keys: Sequence[WorkKey]) -> list[Work]:
        """The work of these keys in their order, begun or not."""
        return [self.work(*key) for key in keys]

    def round_of(self, number: int) -> Round | None:
        """The round of that number."""
        return next((one for one in self.rounds if one.number == number), None)

    def comment(self, comment: str) -> Comment | None:
        """The comment of that id."""
        return self._comments.get(comment)

    def decision(self, decision: str) -> Decision | None:
        """The decision of that id."""
        return self._decisions.get(decision)

    def owner(self, case: str, reading: str) -> str:  # noqa: ARG002
        """Empty: whose a reading is, is known to the store alone."""
        return ""

    def _with(self, rows: Changes) -> Book:
        other = Book()
        other.__dict__.update(self.__dict__)
        other._take(rows)
        return other

    def _take(self, rows: Changes) -> None:
        """Bring rows in; what they touch is copied first, as other books share it."""
        new = [work.key for work in rows.works if work.key not in self.works]
        if rows.works:
            self.works = {**self.works, **{work.key: work for work in rows.works}}
        self._keys = _indexed(self._keys, ((key.case, key) for key in new))
        if rows.people:
            self.people = {**self.people, **rows.people}
        if rows.priorities:
            self.priorities = {**self.priorities, **rows.priorities}
        if rows.rounds:
            rounds = {one.number: one for one in (*self.rounds, *rows.rounds)}
            self.rounds = tuple(rounds[number] for number in sorted(rounds))
        self._comments, self._commented = _said(self._comments, self._commented, rows.comments)
        self._decisions, self._decided = _said(self._decisions, self._decided, rows.decisions)


def _said(
    known: dict[str, _Said], index: dict[str, tuple[str, ...]], rows: tuple[_Said, ...]
) -> tuple[dict[str, _Said], dict[str, tuple[str, ...]]]:
    if not rows:
        return known, index
    new = ((one.case, one.id) for one in rows if one.id not in known)
    return {**known, **{one.id: one for one in rows}}, _indexed(index, new)


_Key = TypeVar("_Key")


def _indexed(
    index: dict[str, tuple[_Key, ...]], new: Iterable[tuple[str, _Key]]
) -> dict[str, tuple[_Key, ...]]:
    """The index with more keys of cases."""
    grown: dict[str, tuple[_Key, ...]] = {}
    for case, key in new:
        grown[case] = (*(grown.get(case) or index.get(case, ())), key)
    if not grown:
        return index
    return {**index, **grown}


def _by_time(said: Iterable[_Said]) -> tuple[_Said, ...]:
    return tuple(sorted(said, key=lambda one: (one.at, one.id)))
