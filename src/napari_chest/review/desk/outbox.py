"""The outbox: acts on their way to the store, and what the store said last, in a file."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import RLock
from typing import TYPE_CHECKING, Any

from napari_chest.errors import ReadError
from napari_chest.review.acts import decode_act, encode_act
from napari_chest.review.desk.remembered import pack_rows, unpack_rows
from napari_chest.review.folder import stamp
from napari_chest.review.journal.database import in_words
from napari_chest.review.words import StoredReading

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterable
    from pathlib import Path

    from napari_chest.review.acts import AnyAct
    from napari_chest.review.book import Delta, Snapshot

VERSION = 1
_BUSY_SECONDS = 5.0
_KEPT_READINGS = 2000
_TABLES = {
    "acts": "number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, payload BLOB NOT NULL, "
    "refused TEXT NOT NULL DEFAULT ''",
    "rows": "number INTEGER PRIMARY KEY, store TEXT NOT NULL, payload BLOB NOT NULL",
    "readings": "store TEXT NOT NULL, id TEXT NOT NULL, case_id TEXT NOT NULL, "
    "round INTEGER NOT NULL, name TEXT NOT NULL, owner TEXT NOT NULL, of_reader TEXT NOT NULL, "
    "base TEXT NOT NULL, at REAL NOT NULL, payload BLOB NOT NULL, "
    "PRIMARY KEY (store, case_id, name)",
}
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_BROKEN = (*_DAMAGED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY)


@dataclass(frozen=True)
class Refused:
    """An act that the store did not take over, and why."""

    act: AnyAct
    why: str


class Outbox:
    """Acts that the store does not have yet, in the order in which they were made.

    Any thread may use it, one at a time. A damaged file is kept under another name and a new one
    begun. All methods raise ReadError, with what to do, when the file cannot be used.

    Attributes
    ----------
    path : the file; it is made when something is first written.
    notice : what a person should know of how it was opened.
    openings : how often the file was opened, each time perhaps as another one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notice = ""
        self.openings = 0
        self._lock = RLock()
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None

    # Acts

    def put(self, acts: Iterable[AnyAct]) -> None:
        """Add acts; they are on disk afterwards, or none of them."""
        rows = [(act.id, encode_act(act)) for act in acts]
        with self._writing() as connection:
            connection.executemany("INSERT OR IGNORE INTO acts (id, payload) VALUES (?, ?)", rows)

    def pending(self, known: Collection[str] = ()) -> list[AnyAct]:
        """The acts that were neither sent nor refused, without those of known ids."""
        found = self._query("SELECT id FROM acts WHERE refused = '' ORDER BY number")
        acts = (self._act(act_id) for (act_id,) in found if act_id not in known)
        return [act for act in acts if act is not None]

    def sent(self, ids: Iterable[str]) -> None:
        """Forget acts that the store has now."""
        if self.path.exists():
            with self._writing() as connection:
                connection.executemany("DELETE FROM acts WHERE id = ?", [(one,) for one in ids])

    def refuse(self, refused: Refused) -> None:
        """Keep an act as one that the store did not take over."""
        row = refused.act.id, encode_act(refused.act), refused.why
        with self._writing() as connection:
            connection.execute(
                "INSERT INTO acts (id, payload, refused) VALUES (?, ?, ?) "
                "ON CONFLICT (id) DO UPDATE SET refused = excluded.refused",
                row,
            )

    def refused(self, known: Collection[str] = ()) -> list[Refused]:
        """The acts that the store did not take over, without those of known ids."""
        found = self._query("SELECT id, refused FROM acts WHERE refused != '' ORDER BY number")
        acts = ((self._act(act_id), why) for act_id, why in found if act_id not in known)
        return [Refused(act, str(why)) for act, why in acts if act is not None]

    def _act(self, act_id: str) -> AnyAct | None:
        found = self._query("SELECT payload FROM acts WHERE id = ?", (act_id,))
        if not found:  # sent by another window in the meantime
            return None
        try:
            return decode_act(found[0][0])
        except (ValueError, TypeError):
            self.notice = (
                f"Something that waits in {self.path} to be sent cannot be read, perhaps because "
                "a newer napari-chest wrote it. It is kept there; update napari-chest to send it."
            )
            return None

    # What the store said last

    def remember(self, store: str, rows: Snapshot, *, anew: bool = False) -> None:
        """Keep what a store said.

        Parameters
        ----------
        store : its name in this file.
        rows : a snapshot, or what changed since.
        anew : whether what was kept before is to be forgotten, as for a snapshot.
        """
        payload = pack_rows(rows)
        with self._writing() as connection:
            if anew:
                connection.execute("DELETE FROM rows WHERE store = ?", (store,))
            connection.execute("INSERT INTO rows (store, payload) VALUES (?, ?)", (store, payload))

    def remembered(self, store: str) -> list[Delta]:
        """What a store said, as far as it can be read: a snapshot, and what changed since."""
        found = self._query("SELECT payload FROM rows WHERE store = ? ORDER BY number", (store,))
        rows = []
        for (payload,) in found:
            try:
                rows.append(unpack_rows(payload))
            except (ValueError, TypeError):
                break  # only a copy, and the store tells it anew
        return rows

    def keep_readings(self, store: str, case: str, readings: Iterable[StoredReading]) -> None:
        """Keep the readings that a store has of a case."""
        rows = [
            (store, one.id, one.case, one.round, one.name, one.owner, one.of, one.base,
             one.at.timestamp(), one.payload)
            for one in readings
        ]  # fmt: skip
        with self._writing() as connection:
            connection.execute(
                "DELETE FROM readings WHERE store = ? AND case_id = ?", (store, case)
            )
            connection.execute(
                "DELETE FROM readings WHERE rowid <= (SELECT max(rowid) FROM readings) - ?",
                (_KEPT_READINGS,),
            )
            places = ", ".join("?" * 10)
            connection.executemany(f"INSERT OR REPLACE INTO readings VALUES ({places})", rows)  # noqa: S608

    def kept_readings(self, store: str, case: str) -> list[StoredReading]:
        """The readings that a store had of a case when they were last asked for."""
        found = self._query(
            "SELECT id, case_id, round, name, owner, of_reader, base, at, payload FROM readings "
            "WHERE store = ? AND case_id = ? ORDER BY at",
            (store, case),
        )
        try:
            return [_reading(*row) for row in found]
        except (ValueError, TypeError, OverflowError):
            return []  # only a copy, and the store tells it anew

    # The file

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._connection is not None:
                with suppress(sqlite3.Error):  # what was committed is on disk all the same
                    self._connection.close()
            self._connection = self._identity = None

    @contextmanager
    def _writing(self) -> Generator[sqlite3.Connection, None, None]:
        with self._lock, self._in_words():
            connection = self._opened()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # where the transaction ended by itself
                    connection.execute("ROLLBACK")
                raise

    def _query(self, statement: str, values: tuple[str, ...] = ()) -> list[Any]:
        with self._lock, self._in_words():
            if self._connection is None and not self.path.exists():
                return []
            return self._opened().execute(statement, values).fetchall()

    @contextmanager
    def _in_words(self) -> Generator[None, None, None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code in _BROKEN or isinstance(error, OSError):
                self.close()  # looked at anew the next time, which sets a damaged file aside
            raise ReadError(
                self.path,
                f"what you do in the review cannot be kept here: {in_words(error)}. It is kept in "
                "memory and tried again; make room or put the folder back.",
            ) from error

    def _opened(self) -> sqlite3.Connection:
        # SQLite goes on writing into a file that was deleted, and nobody finds it again.
        if self._connection is not None and _identity(self.path) == self._identity:
            return self._connection
        self.close()
        if not self.openings:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        elif not self.path.parent.is_dir():  # a disk that is gone, and nothing to put in its place
            raise FileNotFoundError(2, "No such folder", str(self.path.parent))
        connection = _connect(self.path)
        if connection is None:
            self.notice = self._set_aside()
            connection = _connect(self.path)
            if connection is None:
                raise ReadError(self.path, "a new outbox cannot be read back; use another disk.")
        self._connection, self._identity = connection, _identity(self.path)
        self.openings += 1
        return connection

    def _set_aside(self) -> str:
        kept = self.path.with_name(f"{self.path.stem}-damaged-{stamp()}{self.path.suffix}")
        for suffix in ("", "-wal", "-shm"):
            part = self.path.with_name(self.path.name + suffix)
            if part.exists():
                part.replace(kept.with_name(kept.name + suffix))
        return (
            f"The outbox {self.path} is damaged and cannot be read. It is kept as {kept.name}; a "
            "new one was begun. What was done in the review and not sent before this session is "
            "only in the damaged one."
        )


def _reading(*row: Any) -> StoredReading:  # noqa: ANN401
    reading_id, case, round_number, name, owner, of, base, at, payload = row
    moment = datetime.fromtimestamp(at, UTC)
    return StoredReading(
        reading_id, case, round_number, name, owner, of, base, moment, bytes(payload)
    )


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _connect(path: Path) -> sqlite3.Connection | None:
    """Open or make the file; None where it is damaged or no outbox."""
    connection = sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        if _is_outbox(connection, path):
            return connection
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF not in _DAMAGED:
            connection.close()
            raise
    except ReadError:
        connection.close()
        raise
    connection.close()
    return None


def _is_outbox(connection: sqlite3.Connection, path: Path) -> bool:
    connection.execute("PRAGMA trusted_schema = OFF")
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > VERSION:
        raise ReadError(
            path,
            f"expected an outbox of version {VERSION}, found version {version}, of a newer "
            "napari-chest. What you do is kept in memory and sent from there; update napari-chest.",
        )
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    if tables:
        found = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
        if version != VERSION or not tables >= _TABLES.keys() or found != "ok":
            return False
    # Some disks cannot do this, and SQLite then stays with the mode it has.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("BEGIN IMMEDIATE")
    for name, columns in _TABLES.items():  # another window may have made them in the meantime
        connection.execute(f"CREATE TABLE IF NOT EXISTS {name} ({columns})")
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")
    return True
