"""The journal's file: an SQLite database that is opened, checked, and given up when it is gone."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager, suppress
from threading import RLock
from typing import TYPE_CHECKING

from napari_chest.errors import ReadError
from napari_chest.files.atomic import reason
from napari_chest.review.folder import stamp

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

VERSION = 1
_BUSY_SECONDS = 5.0
_TABLES = """
CREATE TABLE logs (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    case_id TEXT NOT NULL,
    reader TEXT NOT NULL,
    begun REAL NOT NULL
);
CREATE INDEX logs_of_readings ON logs (case_id, reader, begun);
CREATE TABLE moves (
    log TEXT NOT NULL REFERENCES logs (id),
    seq INTEGER NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    at REAL NOT NULL,
    payload BLOB,
    fingerprint TEXT NOT NULL,
    PRIMARY KEY (log, seq)
);
CREATE TABLE claims (
    case_id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    since REAL NOT NULL,
    beat REAL NOT NULL
);
"""
_WORDS = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: "it cannot be written to",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
    sqlite3.SQLITE_IOERR: "the disk reports an error",
    sqlite3.SQLITE_BUSY: "another program keeps it locked",
    sqlite3.SQLITE_PERM: "permission is denied",
}
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def in_words(error: sqlite3.Error | OSError) -> str:
    """Why the database cannot be used, in words a person can act on."""
    if isinstance(error, OSError):
        return reason(error)
    return _WORDS.get(_code(error), str(error))


def _code(error: sqlite3.Error) -> int:
    """The primary result code; 0 where the error has none."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


class Database:
    """One SQLite file, used by several threads one at a time.

    A damaged file is kept under another name and a new one begun. When the file is no longer where
    it was, what can still be read of it through the open handle is copied to the new one.

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
        self._orphan: sqlite3.Connection | None = None

    @contextmanager
    def transaction(self) -> Generator[sqlite3.Connection, None, None]:
        """All that is executed is on disk afterwards, or nothing of it.

        Raises
        ------
        ReadError
            when the file is not a journal that this program knows.
        sqlite3.Error, OSError
            when it cannot be written.
        """
        with self._lock:
            connection = self._opened()
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            except BaseException as error:
                self._take_back(connection, error)
                raise
            self._check_place()

    @contextmanager
    def reading(self) -> Generator[sqlite3.Connection | None, None, None]:
        """The database as it stands; None where there is none yet. Raises like `transaction`."""
        with self._lock:
            if self._connection is None and self._orphan is None and not self.path.exists():
                yield None
                return
            connection = self._orphan or self._opened()
            try:
                yield connection
            except sqlite3.Error as error:
                self._take_back(connection, error)
                raise

    def move_to(self, path: Path) -> None:
        """Go on in another file, with all that can still be read of this one.

        Raises
        ------
        ReadError, sqlite3.Error, OSError
            when the other file cannot be used; this one then stays in use.
        """
        with self._lock:
            other = Database(path)
            path.parent.mkdir(parents=True, exist_ok=True)
            source = self._connection or self._orphan or self._readable()
            try:
                with other.transaction() as target:
                    if source is not None:
                        self.notice = _copy(source, target)
            except BaseException:
                other.close()
                raise
            self.close()
            self.path, self._connection, self._identity = path, other._connection, other._identity
            self.openings += 1

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            for connection in (self._connection, self._orphan):
                if connection is not None:
                    with suppress(sqlite3.Error):  # what was committed is on disk all the same
                        connection.close()
            self._connection = self._orphan = self._identity = None

    def _opened(self) -> sqlite3.Connection:
        if self._connection is not None:
            self._check_place()
            return self._connection
        if self._orphan is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        elif not self.path.parent.is_dir():
            raise FileNotFoundError(2, "No such folder", str(self.path.parent))
        connection = _connect(self.path)
        if connection is None:
            self.notice = self._set_aside()
            connection = _connect(self.path)
            if connection is None:
                raise ReadError(
                    self.path, "a new journal cannot be read back; choose another disk."
                )
        if self._orphan is not None:
            connection.execute("BEGIN IMMEDIATE")
            self.notice = _copy(self._orphan, connection)
            connection.execute("COMMIT")
            self._orphan.close()
            self._orphan = None
        self._connection, self._identity = connection, _identity(self.path)
        self.openings += 1
        return connection

    def _readable(self) -> sqlite3.Connection | None:
        """The file as it is, where it can be read at all; of one that cannot nothing is taken."""
        try:
            return self._opened() if self.path.exists() else None
        except (sqlite3.Error, OSError, ReadError):
            return None

    def _check_place(self) -> None:
        """Raise unless the path still leads to the file that is open."""
        # SQLite goes on writing into a file that was deleted, and nobody finds it again.
        if _identity(self.path) != self._identity:
            self._orphan, self._connection = self._connection, None
            raise FileNotFoundError(2, "No such file", str(self.path))

    def _take_back(self, connection: sqlite3.Connection, error: BaseException) -> None:
        with suppress(sqlite3.Error):  # where the transaction ended by itself
            connection.execute("ROLLBACK")
        if not isinstance(error, sqlite3.Error) or connection is self._orphan:
            return
        if _code(error) in (*_DAMAGED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY):
            # Looked at anew the next time, which sets a damaged file aside.
            self.close()

    def _set_aside(self) -> str:
        kept = self.path.with_name(f"{self.path.stem}-damaged-{stamp()}{self.path.suffix}")
        for suffix in ("", "-wal", "-shm"):
            part = self.path.with_name(self.path.name + suffix)
            if part.exists():
                part.rename(kept.with_name(kept.name + suffix))
        return (
            f"The journal {self.path} is damaged and cannot be read. It is kept as {kept.name}; a "
            "new one was begun. Corrections of earlier days that were not exported are only in "
            "the damaged one."
        )


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _connect(path: Path) -> sqlite3.Connection | None:
    """Open or make the file; None where it is damaged or no journal."""
    connection = sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        if not _is_journal(connection, path):
            connection.close()
            return None
    except sqlite3.DatabaseError as error:
        connection.close()
        if _code(error) in _DAMAGED:
            return None
        raise
    except ReadError:
        connection.close()
        raise
    return connection


def _is_journal(connection: sqlite3.Connection, path: Path) -> bool:
    connection.execute("PRAGMA trusted_schema = OFF")
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > VERSION:
        raise ReadError(
            path,
            f"expected a journal of version {VERSION}, found version {version}, of a newer "
            "napari-chest. Update napari-chest, or choose another folder for the journal.",
        )
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    if tables:
        found = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
        if version != VERSION or not tables >= {"logs", "moves", "claims"} or found != "ok":
            return False
    # Some disks cannot do this, and SQLite then stays with the mode it has.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    _make_tables(connection)
    return True


def _make_tables(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    # Another window may have made them in the meantime.
    if not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
        for statement in _TABLES.split(";")[:-1]:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")


def _copy(source: sqlite3.Connection, target: sqlite3.Connection) -> str:
    """Add the logs of one database to another; says what could not be read."""
    try:
        logs = source.execute("SELECT id, case_id, reader, begun FROM logs ORDER BY number")
        target.executemany(
            "INSERT OR IGNORE INTO logs (id, case_id, reader, begun) VALUES (?, ?, ?, ?)", logs
        )
        moves = source.execute("SELECT log, seq, id, kind, at, payload, fingerprint FROM moves")
        target.executemany("INSERT OR IGNORE INTO moves VALUES (?, ?, ?, ?, ?, ?, ?)", moves)
    except sqlite3.Error as error:
        if _writing_failed(error):
            raise
        return (
            f"The journal before cannot be read: {in_words(error)}. The cases that are open are "
            "recorded here as a whole; corrections of other cases are only in the one before."
        )
    return ""


def _writing_failed(error: sqlite3.Error) -> bool:
    return _code(error) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY)
