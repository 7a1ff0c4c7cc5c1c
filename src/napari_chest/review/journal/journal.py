"""The journal: every move of every reading, on disk within a moment, away from the window."""

from __future__ import annotations

import atexit
import sqlite3
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from threading import Condition, RLock, Thread
from typing import TYPE_CHECKING

from napari_chest.errors import ReadError, SaveError
from napari_chest.review.journal import logs
from napari_chest.review.journal.claims import HEARTBEAT_SECONDS, Claims
from napari_chest.review.journal.database import Database, in_words
from napari_chest.review.journal.recording import Key, Recording
from napari_chest.review.journal.replay import (
    HANDED,
    JournalMismatch,
    Log,
    Resumed,
    replay,
    state_of,
    unsaved_steps,
)
from napari_chest.review.journal.telling import (
    InProgress,
    JournalState,
    damaged,
    misfit,
    not_recorded,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from napari_chest.edits import Move
    from napari_chest.model import Reading

NAME = "journal.sqlite"
_RETRY_SECONDS = 3.0
_CLOSING_SECONDS = 2.0
_FAILURES = (sqlite3.Error, OSError, ReadError)


class Journal:
    """Writes moves on a thread of its own, and finds them again.

    Moves are acknowledged by `flush`, or by ``pending`` being 0: they are on the disk then, each
    batch in one transaction. While the disk refuses, moves wait in memory and are tried again every
    few seconds. The log of a reading stays in memory until its case is released, so that it can be
    written as a whole elsewhere.

    Parameters
    ----------
    path : the database; it is made when something is first written.
    changed : called from the writing thread when `state` has changed.
    retry : after how many seconds a disk that refused is tried again.
    """

    def __init__(
        self,
        path: Path,
        changed: Callable[[], None] = lambda: None,
        retry: float = _RETRY_SECONDS,
    ) -> None:
        self._database = Database(path)
        self._changed = changed
        self._retry = retry
        self._claims = Claims()
        self._recording = Recording()
        self._lock = RLock()  # of the recording
        self._wake = Condition()
        self._asked = self._answered = 0  # rounds of writing
        self._openings = 0  # of the database, as far as all logs are in it
        self._beaten = 0.0
        self._closed = False
        self._error = self._notice = ""
        self._lost: frozenset[str] = frozenset()
        self._saved: datetime | None = None
        self._thread = Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    @property
    def path(self) -> Path:
        """The database in use."""
        return self._database.path

    @property
    def state(self) -> JournalState:
        """How far the journal is now."""
        times = self._recording.pending
        oldest = min(times, default=None)
        return JournalState(len(times), oldest, self._saved, self._error, self._notice)

    @property
    def held(self) -> frozenset[str]:
        """Cases that this window has."""
        return frozenset(self._claims.held)

    @property
    def lost(self) -> frozenset[str]:
        """Cases that another window took over, because this one gave no sign of life."""
        return self._claims.lost

    # What is recorded

    def record(self, case: str, reader: str, move: Move, base: Reading) -> None:
        """Take note of a move; returns at once.

        Parameters
        ----------
        case, reader : of the reading that was changed.
        move : what was done.
        base : the reading as the dataset has it; after a write back, as it has it now.
        """
        self._tell((case, reader), move.kind, move, base)

    def handed(self, case: str, reader: str, reading: Reading) -> None:
        """Take note of a reading as it stands, which is about to be saved; returns at once.

        A save is recorded when it is done, and other moves may be made in the meantime.
        """
        self._tell((case, reader), HANDED, None, reading)

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until all that was recorded before is on disk; says whether it is."""
        asked = self._ask()
        with self._wake:
            self._wake.wait_for(lambda: self._answered >= asked or self._closed, timeout)
        return self.state.pending == 0

    def _tell(self, key: Key, kind: str, move: Move | None, reading: Reading) -> None:
        self._recording.tell(key, kind, move, reading)
        with self._wake:
            self._wake.notify_all()

    # What is found again

    def in_progress(self, case: str | None = None) -> list[InProgress]:
        """The readings with moves that are not in the dataset, in the order of their cases.

        Parameters
        ----------
        case : of this case only, where one is told.

        Raises
        ------
        ReadError
            when the journal cannot be read.
        """
        self.flush()
        with self._reading() as connection:
            found = [] if connection is None else logs.kinds_of_all(connection, case)
        return [
            InProgress(case_id, reader, moves, datetime.fromtimestamp(last, UTC))
            for case_id, reader, kinds, last in found
            if kinds[-1:] != ["discard"] and (moves := unsaved_steps(kinds))
        ]

    def resume(self, case: str, reader: str, reading: Reading) -> Resumed | None:
        """What was recorded of a reading; further moves are then recorded in the same log.

        Parameters
        ----------
        case, reader : of the reading.
        reading : the reading as the dataset has it now.

        Raises
        ------
        JournalMismatch
            when it was recorded on another reading than this one, or is damaged. It is kept; what
            is recorded next begins a new log.
        ReadError
            when the journal cannot be read.
        """
        self.flush()  # before the lock, which the writing thread needs
        with self._lock:
            try:
                found = self._replayed((case, reader), reading)
            except JournalMismatch:
                self._recording.end((case, reader))
                raise
            if found is None:
                return None
            log, resumed = found
            log.hold(resumed)
            if self._recording.logs.get((case, reader)) is not log:
                self._recording.end((case, reader))
            self._recording.logs[case, reader] = log
            return resumed

    def peek(self, case: str, reader: str, reading: Reading) -> Resumed | None:
        """What was recorded of a reading, without going on with it; raises like `resume`."""
        self.flush()
        found = self._replayed((case, reader), reading)
        return None if found is None else found[1]

    def set_aside(self, case: str, reader: str) -> None:
        """Begin a new log with the next move of a reading, which does not go on with the last."""
        with self._lock:
            self._recording.end((case, reader))

    def _replayed(self, key: Key, reading: Reading) -> tuple[Log, Resumed] | None:
        """The last log of a reading that fits it, and what to make of it."""
        present = state_of(reading)
        with self._lock:
            self._recording.gather()
            try:
                last = self._recording.logs.get(key) or self._load(key)
                if last is None or last.rows[-1].kind == "discard":
                    return None
                resumed = replay(last.rows, present)
            except ValueError as error:
                raise JournalMismatch(damaged(key[1], self.path, error)) from error
            if resumed is not None:
                return last, resumed
            earlier = self._earlier(key, last, present)
        if earlier is None:
            raise JournalMismatch(misfit(last, self.path))
        return earlier

    def _earlier(self, key: Key, last: Log, present: str) -> tuple[Log, Resumed] | None:
        """An earlier log that fits: the dataset was put back as it was."""
        with self._reading() as connection:
            found = [] if connection is None else logs.of_reading(connection, *key)
        for log_id in found:
            with suppress(ValueError):  # damaged, and told when it was the last
                log = None if log_id == last.id else self._load(key, log_id)
                if log is not None and log.rows[-1].kind != "discard":
                    resumed = replay(log.rows, present)
                    if resumed is not None:
                        return log, resumed
        return None

    def _load(self, key: Key, log_id: str | None = None) -> Log | None:
        """A log of a reading, the last one unless told."""
        with self._reading() as connection:
            if connection is None:
                return None
            found = [log_id] if log_id is not None else logs.of_reading(connection, *key)
            return logs.load(connection, found[0], *key) if found else None

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection | None]:
        try:
            with self._database.reading() as connection:
                yield connection
        except (sqlite3.Error, OSError) as error:
            raise ReadError(
                self.path,
                f"the journal cannot be read: {in_words(error)}. What was corrected in earlier "
                "sessions is in it; see to the disk, then open the case again.",
            ) from error

    # Who works on what

    def claim(self, case: str) -> str:
        """Take a case for this window; says who has it where that is another one."""
        with self._lock:
            self._recording.released.discard(case)
            held = case in self._claims.held
            try:
                with self._database.transaction() as connection:
                    reason = self._claims.claim(connection, case)
            except _FAILURES as error:
                self._claims.held.add(case)  # with the next sign of life that can be written
                self._fail(error)
                return ""
            if not held:  # another window may have gone on with it since
                self._recording.end_case(case)
            return reason

    def release(self, case: str) -> None:
        """Give a case back; its readings are to be resumed before more of them is recorded."""
        self._recording.released.add(case)
        self._ask()

    # Where it is written

    def move_to(self, folder: Path) -> None:
        """Go on in another folder, with all that can be read here and all that is in memory.

        Raises
        ------
        SaveError
            when that folder cannot be used either; nothing has changed then.
        """
        with self._lock:
            self._recording.gather()
            try:
                self._database.move_to(folder / NAME)
            except (sqlite3.Error, OSError) as error:
                raise SaveError(
                    f"The journal cannot be kept in {folder}: {in_words(error)}. Choose another "
                    "folder."
                ) from error
            except ReadError as error:
                raise SaveError(str(error)) from error
        self.flush()

    def close(self) -> None:
        """Write what waits, give all cases back and stop."""
        atexit.unregister(self.close)
        if self._thread.is_alive():
            self.flush(_CLOSING_SECONDS)
            with self._wake:
                self._closed = True
                self._wake.notify_all()
            self._thread.join(_CLOSING_SECONDS)
        if not self._thread.is_alive():  # a disk that hangs would hold the window as well
            self._database.close()

    # The writing thread

    def _ask(self) -> int:
        with self._wake:
            self._asked += 1
            self._wake.notify_all()
            return self._asked

    def _run(self) -> None:
        while True:
            with self._wake:
                pause = self._retry if self._error else HEARTBEAT_SECONDS
                self._wake.wait_for(self._has_work, pause)
                asked, closed = self._asked, self._closed
            if closed:
                self._recording.released |= self._claims.held
            self._write()
            with self._wake:
                self._answered = asked
                self._wake.notify_all()
            if closed:
                return

    def _has_work(self) -> bool:
        # Where the disk refuses, another move is no reason to try again before it is time.
        return (
            self._closed
            or self._asked > self._answered
            or bool(self._recording.waiting and not self._error)
        )

    def _write(self) -> None:
        try:
            with self._lock:
                self._recording.gather()
                written = self._write_logs()
        except _FAILURES as error:
            self._fail(error)
        except Exception as error:  # a mistake of ours, which must not end the writing unseen
            self._fail(error)
        else:
            self._succeed(written=written)

    def _write_logs(self) -> bool:
        """Write what waits in one transaction; says whether anything did."""
        due = time.monotonic() - self._beaten >= HEARTBEAT_SECONDS
        released = frozenset(self._recording.released)
        if not (due and self._claims.held) and not released and not self._recording.unwritten():
            return False
        with self._database.transaction() as connection:
            waiting = self._recording.unwritten()
            if self._database.openings != self._openings:
                # Another file than before may lack what was written already.
                waiting, due = self._recording.all_logs(), True
            for log in waiting:
                logs.store(connection, log)
            for case in released:
                self._claims.release(connection, case)
            if due:
                self._claims.beat(connection)
                self._beaten = time.monotonic()
        self._openings = self._database.openings
        self._recording.all_written(released)
        return bool(waiting)

    def _fail(self, error: Exception) -> None:
        words = str(error) if isinstance(error, ReadError) else not_recorded(self.path, error)
        if words != self._error:
            self._error = words
            self._changed()

    def _succeed(self, *, written: bool) -> None:
        notice = self._database.notice
        changed = written or bool(self._error) or notice != self._notice
        changed = changed or self.lost != self._lost
        self._error, self._notice, self._lost = "", notice, self.lost
        if written:
            self._saved = datetime.now(UTC)
        if changed:
            self._changed()
