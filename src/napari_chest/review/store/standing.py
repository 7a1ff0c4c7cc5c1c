"""How things stand in a store, as the rules ask it within one transaction."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from sqlalchemy import select

from napari_chest.review.store import rows, schema
from napari_chest.review.words import Work, WorkKey

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection

    from napari_chest.review.words import Comment, Decision, Role, Round

_BATCH = 500
"""How many keys one question may name; databases bound it."""


class StandingInStore:
    """What the rules need to know, asked of the tables; see `rules.Standing`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def role(self, person: str) -> Role | None:
        """The role of somebody; None for who does not take part."""
        people = schema.people.c
        found: Role | None = self._connection.scalar(
            select(people.role).where(people.name == person)
        )
        return found

    def is_empty(self) -> bool:
        """Whether nobody takes part yet."""
        return self._connection.execute(select(schema.people.c.name).limit(1)).first() is None

    def works_of(self, keys: Sequence[WorkKey]) -> list[Work]:
        """The work of these keys in their order, begun or not."""
        found = {}
        for number, reader, cases in _batches(keys):
            work = schema.work.c
            query = select(schema.work).where(
                work.round == number, work.reader == reader, work.case_id.in_(cases)
            )
            for row in self._connection.execute(query):
                one = rows.work_of(row)
                found[one.key] = one
        return [found.get(key) or Work(key) for key in keys]

    def round_of(self, number: int) -> Round | None:
        """The round of that number."""
        query = select(schema.rounds).where(schema.rounds.c.number == number)
        row = self._connection.execute(query).first()
        return rows.round_of(row) if row else None

    def comment(self, comment: str) -> Comment | None:
        """The comment of that id."""
        query = select(schema.comments).where(schema.comments.c.id == comment)
        row = self._connection.execute(query).first()
        return rows.comment_of(row) if row else None

    def decision(self, decision: str) -> Decision | None:
        """The decision of that id."""
        query = select(schema.decisions).where(schema.decisions.c.id == decision)
        row = self._connection.execute(query).first()
        return rows.decision_of(row) if row else None

    def owner(self, case: str, reading: str) -> str:
        """Whose the reading of that name is; empty where there is none."""
        readings = schema.readings.c
        query = (
            select(readings.owner)
            .where(readings.case_id == case, readings.name == reading)
            .order_by(readings.number.desc())
            .limit(1)
        )
        return self._connection.scalar(query) or ""


def _batches(keys: Sequence[WorkKey]) -> Iterator[tuple[int, str, list[str]]]:
    """Round, reader and cases of keys, not too many at a time."""
    for (number, reader), alike in groupby(keys, lambda key: (key.round, key.reader)):
        cases = [key.case for key in alike]
        for start in range(0, len(cases), _BATCH):
            yield number, reader, cases[start : start + _BATCH]
