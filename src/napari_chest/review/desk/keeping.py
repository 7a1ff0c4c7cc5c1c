"""The thread that keeps acts on disk before they are sent, and what the store said last."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING

from napari_chest.errors import ReadError
from napari_chest.review.desk.outbox import Outbox
from napari_chest.review.desk.pending import cases_of
from napari_chest.review.desk.remembered import book_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from pathlib import Path
    from threading import Condition

    from napari_chest.review.acts import AnyAct
    from napari_chest.review.book import Snapshot
    from napari_chest.review.desk.outbox import Refused
    from napari_chest.review.desk.pending import Pending
    from napari_chest.review.words import StoredReading


class Keeper:
    """Writes what is on its way into the outbox, and finds there what others left.

    What the disk refuses stays in memory and is tried again.

    Parameters
    ----------
    path : the outbox; it is made when something is first written.
    store : name of the store in the outbox; empty where nothing is to be kept of what it says.
    pending : what is on its way.
    wake : notified when there is something to do or done.
    told : called from the thread with the cases that changed, after every round.
    pause, every : after how many seconds a disk that failed is tried, and one that works is read.

    Attributes
    ----------
    error : why nothing can be kept; empty where it can.
    """

    def __init__(
        self,
        path: Path,
        store: str,
        pending: Pending,
        wake: Condition,
        told: Callable[[list[frozenset[str]]], None],
        pause: float,
        every: float,
    ) -> None:
        self.error = ""
        self._outbox = Outbox(path)
        self._store = store
        self._pending = pending
        self._wake = wake
        self._told = told
        self._pause, self._every = pause, every
        self._asked = self._answered = 0  # rounds of writing
        self._openings = 0  # of the outbox, as far as all acts are in it
        self._away: set[str] = set()  # dismissed, and no longer in the outbox
        self._loaded = self._closed = False
        self._thread = Thread(target=self._run, name="outbox", daemon=True)

    @property
    def notice(self) -> str:
        """What a person should know of the outbox."""
        return self._outbox.notice

    def start(self) -> None:
        """Read what there is, and write from now on."""
        self._thread.start()

    def flush(self, timeout: float) -> None:
        """Wait until there was a round of writing."""
        with self._wake:
            self._asked += 1
            asked = self._asked
            self._wake.notify_all()
            self._wake.wait_for(lambda: self._answered >= asked or self._closed, timeout)

    def stop(self) -> None:
        """Write what waits, then stop."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()

    def join(self, timeout: float) -> bool:
        """Wait until the thread has stopped; says whether it has."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def close(self) -> None:
        """Let go of the file."""
        self._outbox.close()

    # For the thread that sends

    def sent(self, acts: Iterable[AnyAct]) -> None:
        """Forget acts that the store has now."""
        with self._disk():
            self._outbox.sent([act.id for act in acts])

    def refused(self, refused: Refused) -> None:
        """Keep an act as one that the store did not take over."""
        with self._disk():
            self._outbox.refuse(refused)

    def remember(self, rows: Snapshot, *, anew: bool) -> None:
        """Keep what the store said: all of it anew, or what changed since."""
        if self._store:
            with self._disk():
                self._outbox.remember(self._store, rows, anew=anew)

    def keep_readings(self, case: str, readings: list[StoredReading]) -> None:
        """Keep the readings that the store has of a case."""
        if self._store:
            with self._disk():
                self._outbox.keep_readings(self._store, case, readings)

    def kept_readings(self, case: str) -> list[StoredReading]:
        """The readings that the store had of a case when it was asked last."""
        found: list[StoredReading] = []
        if self._store:
            with self._disk():
                found = self._outbox.kept_readings(self._store, case)
        return found

    # The thread

    def _run(self) -> None:
        while True:
            with self._wake:
                pause = self._pause if self.error else self._every
                if self._loaded:
                    self._wake.wait_for(self._has_work, pause)
                asked, closed = self._asked, self._closed
            cases = self._keep()
            with self._wake:
                self._answered = asked
                self._wake.notify_all()
            self._told(cases)
            if closed:
                return

    def _has_work(self) -> bool:
        # Where the disk refuses, another act is no reason to try again before it is time.
        if self._closed or self._asked > self._answered:
            return True
        waits = bool(self._pending.unwritten()) or self._pending.dismissed != self._away
        return waits and not self.error

    def _keep(self) -> list[frozenset[str]]:
        """Bring outbox and memory together; tells which cases changed for the window."""
        cases = []
        kept = False
        with self._disk():
            found = self._gather()
            acts = self._pending.unwritten()
            cases = [cases_of(some) for some in (found, acts) if some]
            self._write(acts)
            kept = True
        if kept:
            self.error = ""
        self._loaded = True
        return cases

    def _gather(self) -> list[AnyAct]:
        """Take in what another window or an earlier session left in the outbox."""
        if not self._loaded and self._store:
            rows = self._outbox.remembered(self._store)
            self._pending.remembered(book_of(rows))
        known = self._pending.known
        acts, refused = self._outbox.pending(known), self._outbox.refused(known)
        if acts or refused:
            self._pending.found(acts, refused)
        return acts

    def _write(self, acts: list[AnyAct]) -> None:
        if acts:
            self._outbox.put(acts)
        if self._outbox.openings != self._openings:  # another file than before may lack acts
            acts = self._pending.unwritten(all_of_them=True)
            if acts:
                self._outbox.put(acts)
            self._openings = self._outbox.openings
        dismissed = self._pending.dismissed
        stale = {*self._pending.written(acts), *(dismissed - self._away)}
        if stale:
            self._outbox.sent(stale)
        self._away = dismissed

    @contextmanager
    def _disk(self) -> Generator[None, None, None]:
        try:
            yield
        except ReadError as error:
            self.error = str(error)
