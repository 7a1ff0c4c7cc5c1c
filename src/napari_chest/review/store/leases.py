"""Who corrects a reading at present: a lease runs out by the store's clock unless it is renewed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from napari_chest.review.rules import moment
from napari_chest.review.store import schema
from napari_chest.review.store.engine import now

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection


@dataclass(frozen=True)
class Lease:
    """Who has a reading of a case.

    Attributes
    ----------
    case, reading : what it is about.
    owner : token of the window that has it.
    who, host : the person and the computer.
    until : when it runs out, by the store's clock.
    held : whether it is the one who asked that has it.
    """

    case: str
    reading: str
    owner: str
    who: str
    host: str
    until: datetime
    held: bool


def take(
    connection: Connection, case: str, reading: str, owner: str, who: str, host: str, seconds: float
) -> Lease:
    """Take or renew a lease unless another window has it; tells who has it now."""
    leases = schema.leases
    kind = sqlite if connection.dialect.name == "sqlite" else postgresql
    clock = now(connection)
    insert = kind.insert(leases).values(
        case_id=case, reading=reading, owner=owner, who=who, host=host, until=clock + seconds
    )
    keys = ["case_id", "reading"]
    others = {name: insert.excluded[name] for name in ("owner", "who", "host", "until")}
    # One statement, so that of two who take it at once one sees the other's.
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=keys,
            set_=others,
            where=or_(leases.c.until <= clock, leases.c.owner == insert.excluded.owner),
        )
    )
    query = select(leases).where(leases.c.case_id == case, leases.c.reading == reading)
    row = connection.execute(query).one()
    return Lease(case, reading, row.owner, row.who, row.host, moment(row.until), row.owner == owner)


def give(connection: Connection, case: str, reading: str, owner: str) -> None:
    """Give a lease back; nothing where another window has it."""
    leases = schema.leases.c
    connection.execute(
        delete(schema.leases).where(
            leases.case_id == case, leases.reading == reading, leases.owner == owner
        )
    )
