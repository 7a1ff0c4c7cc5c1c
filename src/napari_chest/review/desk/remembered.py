"""What a store said as bytes, for when it cannot be reached."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from napari_chest.review.book import Book, Delta, Snapshot
from napari_chest.review.words import (
    Choice,
    Comment,
    Decision,
    Role,
    Round,
    Scope,
    Start,
    State,
    Voxel,
    Work,
    WorkKey,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

# The fields of each dataclass of `review.words`, in their order.
_Work = tuple[
    tuple[int, str, str], State, bool, int | None, float, int, str, datetime | None, str, str
]
_Comment = tuple[str, str, int, str, datetime, str, Voxel | None, str, str]
_Round = tuple[int, str, bool, Start, tuple[str, ...], tuple[str, ...], bool]
_Box = tuple[tuple[int, int], ...]
_Decision = tuple[
    str, str, str, datetime, Choice, Scope, tuple[str, ...], str, _Box, str, str, bool
]


class _Rows(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    number: int
    people: dict[str, Role]
    priorities: dict[str, int]
    works: tuple[_Work, ...]
    comments: tuple[_Comment, ...]
    rounds: tuple[_Round, ...]
    decisions: tuple[_Decision, ...]
    version: Literal[1]


_DECODER = msgspec.msgpack.Decoder(_Rows)


def pack_rows(rows: Snapshot) -> bytes:
    """A snapshot, or what changed since one, as bytes that `unpack_rows` reads."""
    return msgspec.msgpack.encode(
        {
            "number": rows.number,
            "people": dict(rows.people),
            "priorities": dict(rows.priorities),
            "works": _plain(rows.works),
            "comments": _plain(rows.comments),
            "rounds": _plain(rows.rounds),
            "decisions": _plain(rows.decisions),
            "version": 1,
        }
    )


def unpack_rows(data: bytes) -> Delta:
    """What a store said, of these bytes.

    Raises
    ------
    ValueError
        when they are not those of rows.
    """
    try:
        found = _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"these are no rows of a store: {error}") from error
    return Delta(
        people=found.people,
        rounds=tuple(Round(*row) for row in found.rounds),
        works=tuple(Work(WorkKey(*row[0]), *row[1:]) for row in found.works),
        priorities=found.priorities,
        comments=tuple(Comment(*row) for row in found.comments),
        decisions=tuple(Decision(*row) for row in found.decisions),
        number=found.number,
    )


def book_of(rows: Iterable[Delta]) -> Book:
    """The book of a snapshot and what changed since."""
    book = Book()
    for one in rows:
        book = book.with_delta(one)
    return book


def _plain(rows: Iterable[Any]) -> list[tuple[object, ...]]:
    return [tuple(getattr(row, field.name) for field in fields(row)) for row in rows]
