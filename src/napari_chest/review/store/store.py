"""A store of reviews: what everybody did, in one order, and how things stand because of it."""

from __future__ import annotations

import platform
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import func, insert, select, update

from napari_chest.errors import UnreachableError
from napari_chest.review.acts import (
    Assign,
    CloseRound,
    Enrol,
    OpenRound,
    Prioritise,
    Submit,
    detail,
)
from napari_chest.review.book import Delta
from napari_chest.review.naming import cleaned
from napari_chest.review.rules import changes, moment
from napari_chest.review.store import leases, rows, schema
from napari_chest.review.store.engine import BUSY_SECONDS, connect, for_reading, now, read_address
from napari_chest.review.store.opening import prepare, set_damaged_aside
from napari_chest.review.store.standing import StandingInStore
from napari_chest.review.store.trouble import told
from napari_chest.review.words import LogEntry, StoredReading

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from sqlalchemy import Connection, Engine

    from napari_chest.review.acts import AnyAct
    from napari_chest.review.book import Snapshot
    from napari_chest.review.store.engine import Address
    from napari_chest.review.store.leases import Lease

_SKEW_SECONDS = 300.0
"""By how much clocks may differ before the log tells it."""


def open_store(address: str | Path, dataset: str) -> Store:
    """Open the store of a dataset, made or brought up to date where it has to be.

    Parameters
    ----------
    address : path of an SQLite file, or URL of a PostgreSQL database.
    dataset : name of the dataset that it serves.

    Raises
    ------
    UnreachableError
        when it cannot be reached now.
    StoreError
        when it is the store of another dataset, of a newer program, or none at all.
    """
    where = read_address(address)
    notice = ""
    with told(where):
        if where.path is not None:
            where.path.parent.mkdir(parents=True, exist_ok=True)
            notice = set_damaged_aside(where.path)
            _write_ahead(where.path)
        engine = connect(where)
        try:
            prepare(engine, where, dataset)
        except BaseException:
            engine.dispose()
            raise
    return Store(engine, where, notice)


class Store:
    """The store of one dataset; several threads may use it.

    All of its methods raise `UnreachableError` when the store cannot be reached now.

    Attributes
    ----------
    address : where it is, without a password.
    notice : what a person should know of how it was opened.
    """

    def __init__(self, engine: Engine, address: Address, notice: str = "") -> None:
        self.address = address.shown
        self.notice = notice
        self._where = address
        self._engine = engine
        self._reader = for_reading(engine)
        self._identity = _identity(address.path)

    def do(self, act: AnyAct, sent: float | None = None) -> int:
        """Do what somebody did, once, and tell its number in the log.

        Parameters
        ----------
        act : what was done.
        sent : the time now by the clock of who sends it, in seconds since 1970; where it is not
            given, the act's own.

        Raises
        ------
        NotAllowedError
            when it is not this person's to do.
        ConflictError
            when somebody else was faster.
        """
        act = cleaned(act)
        with self._writing() as connection:
            # Held to the end, so that acts are committed in the order of their numbers.
            query = select(schema.meta.c.number, now(connection)).with_for_update()
            number, stored = connection.execute(query).one()
            known = select(schema.log.c.number).where(schema.log.c.id == act.id)
            done: int | None = connection.scalar(known)
            if done is not None:
                return done
            found = changes(act, StandingInStore(connection))
            number += 1
            connection.execute(
                insert(schema.log).values(
                    _entry(act, number, stored, act.at if sent is None else sent)
                )
            )
            rows.write(connection, found, number)
            if isinstance(act, Submit) and act.readings:
                connection.execute(insert(schema.readings), _readings(act, number))
            connection.execute(update(schema.meta).values(number=number))
        return int(number)

    def snapshot(self) -> Snapshot:
        """All but the readings, as of one moment."""
        with self._reading() as connection:
            return rows.read(connection, _last(connection))

    def since(self, number: int) -> Delta:
        """What changed after the act of that number, as of one moment."""
        with self._reading() as connection:
            last = _last(connection)
            if last <= number:
                return Delta(number=last)
            found = rows.read(connection, last, number)
        return Delta(**{one.name: getattr(found, one.name) for one in fields(found)})

    def readings(self, case: str | None = None, round: int | None = None) -> list[StoredReading]:  # noqa: A002
        """The last submitted reading of every case and name, by case and name."""
        table = schema.readings
        newest = select(func.max(table.c.number).label("number"), table.c.case_id, table.c.name)
        if case is not None:
            newest = newest.where(table.c.case_id == case)
        if round is not None:
            newest = newest.where(table.c.round == round)
        last = newest.group_by(table.c.case_id, table.c.name).subquery()
        same = [table.c[name] == last.c[name] for name in ("number", "case_id", "name")]
        query = select(table).join(last, same[0] & same[1] & same[2])
        with self._reading() as connection:
            found = connection.execute(query.order_by(table.c.case_id, table.c.name)).all()
        return [
            StoredReading(
                row.id, row.case_id, row.round, row.name, row.owner, row.of, row.base,
                moment(row.at), row.payload,
            )
            for row in found
        ]  # fmt: skip

    def log(
        self, after: int = 0, limit: int | None = None, case: str | None = None
    ) -> list[LogEntry]:
        """What was done after the act of that number, in the store's order."""
        table = schema.log
        query = select(table).where(table.c.number > after).order_by(table.c.number)
        if case is not None:
            query = query.where(table.c.case_id == case)
        if limit is not None:
            query = query.limit(limit)
        with self._reading() as connection:
            found = connection.execute(query).all()
        return [
            LogEntry(
                row.number, row.id, row.who, row.what, moment(row.at), moment(row.stored),
                row.case_id, row.round, row.reader, row.reason, row.note, row.detail,
            )
            for row in found
        ]  # fmt: skip

    def lease(
        self, case: str, reading: str, owner: str, who: str, seconds: float, host: str = ""
    ) -> Lease:
        """Take a reading of a case for so many seconds, or renew what one has.

        Parameters
        ----------
        owner : token of the window that asks.
        who, host : the person and the computer, for others to see.

        Returns
        -------
        lease : as it stands now; ``held`` where it is the window's that asked, else it tells who
            has it until when.
        """
        host = host or platform.node()
        with self._writing() as connection:
            return leases.take(connection, case, reading, owner, who, host, seconds)

    def release(self, case: str, reading: str, owner: str) -> None:
        """Give a lease back; nothing where another window has it."""
        with self._writing() as connection:
            leases.give(connection, case, reading, owner)

    def close(self) -> None:
        """Let go of the store."""
        self._engine.dispose()

    @contextmanager
    def _writing(self) -> Generator[Connection, None, None]:
        self._check_place()
        with told(self._where), self._engine.begin() as connection:
            yield connection
            self._check_place()

    @contextmanager
    def _reading(self) -> Generator[Connection, None, None]:
        self._check_place()
        with told(self._where), self._reader.begin() as connection:
            yield connection

    def _check_place(self) -> None:
        """Raise unless the path still leads to the file that is open."""
        # SQLite goes on writing into a file that was deleted, and nobody finds it again.
        if _identity(self._where.path) != self._identity:
            self._engine.dispose()
            raise UnreachableError(
                f"The store {self.address} is no longer there, or is another file now. Put it "
                "back, or open the dataset again."
            )


def _write_ahead(path: Path) -> None:
    """Let others read while somebody writes; some disks cannot do this, and it stays as it is."""
    with closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            return  # another program is at it, or the file cannot be written to


def _identity(path: Path | None) -> tuple[int, int] | None:
    try:
        found = path.stat() if path is not None else None
    except OSError:
        return 0, 0
    return (found.st_dev, found.st_ino) if found else None


def _last(connection: Connection) -> int:
    return int(connection.execute(select(schema.meta.c.number)).scalar_one())


def _entry(act: AnyAct, number: int, stored: float, sent: float) -> dict[str, Any]:
    """The line of the log for an act."""
    values = msgspec.structs.asdict(act)
    cases = act.cases if isinstance(act, Assign | Prioritise) else (values.get("case", ""),)
    reader = act.person if isinstance(act, Enrol) else values.get("reader", "")
    about = act.number if isinstance(act, OpenRound | CloseRound) else values.get("round", 0)
    told_as = detail(act)
    if abs(stored - sent) > _SKEW_SECONDS:
        told_as = _with_clock(told_as, sent - stored)
    return {
        "number": number, "id": act.id, "who": act.who, "what": act.__struct_config__.tag,
        "at": act.at, "stored": stored, "case_id": cases[0] if len(cases) == 1 else "",
        "round": about, "reader": reader, "reason": values.get("reason", ""),
        "note": values.get("note", ""), "detail": told_as,
    }  # fmt: skip


def _with_clock(told_as: str, seconds: float) -> str:
    """The detail of an act with the seconds that the sender's clock was ahead."""
    values = msgspec.json.decode(told_as)
    return msgspec.json.encode(values | {"clock": round(seconds)}).decode()


def _readings(act: Submit, number: int) -> list[dict[str, Any]]:
    return [
        {
            "id": f"{act.id}-{place}", "number": number, "case_id": act.case, "round": act.round,
            "name": one.name, "owner": act.reader, "of": one.of, "base": one.base, "at": act.at,
            "payload": one.payload,
        }
        for place, one in enumerate(act.readings)
    ]  # fmt: skip
