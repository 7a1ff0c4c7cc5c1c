"""The words of the review as rows of tables, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from napari_chest.review.book import Snapshot
from napari_chest.review.rules import moment
from napari_chest.review.store import schema
from napari_chest.review.words import Comment, Decision, Round, Work, WorkKey

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Select, Table

    from napari_chest.review.rules import Changes
    from napari_chest.review.words import Role

_Values = dict[str, Any]
_TEXTS = msgspec.json.Decoder(tuple[str, ...])
_BOX = msgspec.json.Decoder(tuple[tuple[int, int], ...])
_VOXEL = msgspec.json.Decoder(tuple[int, int, int] | None)


def write(connection: Connection, found: Changes, number: int) -> None:
    """Bring the tables up to date with what the act of this number changed."""
    tables: tuple[tuple[Table, list[_Values]], ...] = (
        (schema.people, [{"name": name, "role": role} for name, role in found.people.items()]),
        (schema.rounds, [_round_values(one) for one in found.rounds]),
        (schema.work, [_work_values(one) for one in found.works]),
        (
            schema.priorities,
            [{"case_id": case, "priority": one} for case, one in found.priorities.items()],
        ),
        (schema.comments, [_comment_values(one) for one in found.comments]),
        (schema.decisions, [_decision_values(one) for one in found.decisions]),
    )
    for table, rows in tables:
        if rows:
            _put(connection, table, [row | {"changed": number} for row in rows])


def read(connection: Connection, number: int, after: int | None = None) -> Snapshot:
    """The rows that changed after an act, or all; `number` is that of the last act."""

    def rows(table: Table) -> Sequence[Any]:
        columns = [one for one in table.columns if one.name != "changed"]
        query: Select[Any] = select(*columns)
        if after is not None:
            query = query.where(table.c.changed > after)
        return connection.execute(query).all()

    return Snapshot(
        people=cast("dict[str, Role]", dict(rows(schema.people))),
        rounds=tuple(round_of(row) for row in rows(schema.rounds)),
        works=tuple(work_of(row) for row in rows(schema.work)),
        priorities=dict(rows(schema.priorities)),
        comments=tuple(comment_of(row) for row in rows(schema.comments)),
        decisions=tuple(decision_of(row) for row in rows(schema.decisions)),
        number=number,
    )


def _put(connection: Connection, table: Table, rows: list[_Values]) -> None:
    """Add rows, or put them where those of the same key are."""
    kind = sqlite if connection.dialect.name == "sqlite" else postgresql
    insert = kind.insert(table)
    keys = [one.name for one in table.primary_key]
    others = {one.name: insert.excluded[one.name] for one in table.columns if one.name not in keys}
    connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=others), rows)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _round_values(one: Round) -> _Values:
    return {
        "number": one.number, "title": one.title, "blind": one.blind, "start": one.start,
        "readers": _json(one.readers), "cases": _json(one.cases), "closed": one.closed,
    }  # fmt: skip


def round_of(row: Sequence[Any]) -> Round:
    """A row of the table of rounds as a round."""
    number, title, blind, start, readers, cases, closed = row[:7]
    return Round(number, title, blind, start, _TEXTS.decode(readers), _TEXTS.decode(cases), closed)


def _work_values(one: Work) -> _Values:
    return {
        "round": one.key.round, "case_id": one.key.case, "reader": one.key.reader,
        "state": one.state, "assigned": one.assigned, "difficulty": one.difficulty,
        "seconds": one.seconds, "version": one.version, "by": one.by,
        "at": one.at.timestamp() if one.at else None, "reason": one.reason, "note": one.note,
    }  # fmt: skip


def work_of(row: Sequence[Any]) -> Work:
    """A row of the table of work as work."""
    number, case, reader, state, assigned, difficulty, seconds, version, by, at = row[:10]
    reason, note = row[10:12]
    return Work(
        WorkKey(number, case, reader), state, assigned, difficulty, seconds, version, by,
        None if at is None else moment(at), reason, note,
    )  # fmt: skip


def _comment_values(one: Comment) -> _Values:
    return {
        "id": one.id, "case_id": one.case, "round": one.round, "author": one.author,
        "at": one.at.timestamp(), "text": one.text, "voxel": _json(one.voxel),
        "reader": one.reader, "resolved": one.resolved,
    }  # fmt: skip


def comment_of(row: Sequence[Any]) -> Comment:
    """A row of the table of comments as a comment."""
    key, case, number, author, at, text, voxel, reader, resolved = row[:9]
    return Comment(
        key, case, number, author, moment(at), text, _VOXEL.decode(voxel), reader, resolved
    )


def _decision_values(one: Decision) -> _Values:
    return {
        "id": one.id, "case_id": one.case, "who": one.who, "at": one.at.timestamp(),
        "choice": one.choice, "scope": one.scope, "readers": _json(one.readers),
        "mask": one.mask, "box": _json(one.box), "about": one.about, "reason": one.reason,
        "undone": one.undone,
    }  # fmt: skip


def decision_of(row: Sequence[Any]) -> Decision:
    """A row of the table of decisions as a decision."""
    key, case, who, at, choice, scope, readers, mask, box, about, reason, undone = row[:12]
    return Decision(
        key, case, who, moment(at), choice, scope, _TEXTS.decode(readers), mask,
        _BOX.decode(box), about, reason, undone,
    )  # fmt: skip
