"""The desk: where the window hands in what people do, and sees how the review stands."""

from __future__ import annotations

import atexit
import hashlib
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Condition, Lock
from typing import TYPE_CHECKING
from uuid import uuid4

from napari_chest.review.desk.keeping import Keeper
from napari_chest.review.desk.line import Leases, Line
from napari_chest.review.desk.outbox import Refused
from napari_chest.review.desk.pending import ANYTHING, Pending
from napari_chest.review.desk.sending import Sender

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from napari_chest.review.acts import AnyAct
    from napari_chest.review.book import Book
    from napari_chest.review.store import Store
    from napari_chest.review.words import LogEntry, StoredReading

STORE = "review.sqlite"
OUTBOX = "outbox.sqlite"
_EVERY_SECONDS = 2.0
_TAKE_SECONDS = 0.5
"""The window waits so long for a lease; what comes later is told by `DeskState.lost`."""
_READ_SECONDS = 20.0
_CLOSING_SECONDS = 2.0

__all__ = ["OUTBOX", "STORE", "Desk", "DeskState", "Refused", "store_place"]


@dataclass(frozen=True)
class DeskState:
    """How the desk stands.

    Attributes
    ----------
    connected : whether the store answered last.
    pending : how many acts the store has not got.
    error : what is wrong with the store or the outbox, and that work goes on; empty where nothing.
    notice : what a person should know of their files.
    refused : what the store did not take over of this person's acts, and why.
    lost : who has what this window had, by case and reading.
    """

    connected: bool = False
    pending: int = 0
    error: str = ""
    notice: str = ""
    refused: tuple[Refused, ...] = ()
    lost: Mapping[tuple[str, str], str] = field(default_factory=dict)


class Desk:
    """Takes acts at once, keeps them on disk, and sends them to the store, on threads of its own.

    While the store cannot be reached, acts wait in the outbox and are in the book all the same.

    Parameters
    ----------
    address : path or URL of the store; empty for a file in `folder`, made when it is first wanted.
    folder : the review folder.
    dataset : name of the dataset.
    person : who works here.
    changed : called from threads of the desk with the ids of cases that changed, no ids standing
        for anything, such as the state of the desk.
    pause : after how many seconds a store or disk that failed is first tried again.
    every : after how many seconds the store is asked what others did.

    Attributes
    ----------
    person : who works here.
    """

    def __init__(
        self,
        address: str | Path,
        folder: Path,
        dataset: str,
        person: str,
        changed: Callable[[frozenset[str]], None] = lambda _: None,
        *,
        pause: float = 1.0,
        every: float = _EVERY_SECONDS,
    ) -> None:
        self.person = person
        self._changed = changed
        self._fault = ""
        self._told = DeskState()
        self._telling = Lock()
        self._wake = Condition()
        self._pending = Pending()
        self._leases = Leases(uuid4().hex, person)
        place = store_place(address, folder)
        own = place == folder / STORE
        self._line = Line(place, dataset, pause, own=own)
        # A store beside the outbox is gone when the outbox is, and needs no copy in it.
        copy = "" if own else hashlib.sha256(str(place).encode()).hexdigest()
        path = folder / OUTBOX
        self._keeper = Keeper(path, copy, self._pending, self._wake, self._tell, pause, every)
        self._sender = Sender(
            self._line, self._pending, self._keeper, self._leases, self._wake, self._tell, every
        )
        self._keeper.start()
        self._sender.start()
        atexit.register(self.close)

    @property
    def book(self) -> Book:
        """How the review stands, with what was not sent yet; another book after every change."""
        return self._pending.book

    @property
    def state(self) -> DeskState:
        """How the desk stands."""
        return DeskState(
            self._line.connected,
            self._pending.count,
            _joined(self._keeper.error, self._line.error, self._fault),
            _joined(self._keeper.notice, self._line.notice),
            tuple(one for one in self._pending.refused if one.act.who == self.person),
            self._leases.lost,
        )

    def do(self, *acts: AnyAct) -> None:
        """Take in what somebody did; it is in the book when this returns, at once."""
        self._pending.add(acts)
        self._notify()

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until all that was done before is in the outbox on disk; says whether it is."""
        self._keeper.flush(timeout)
        return not self._pending.unwritten()

    def sent(self, timeout: float = 5.0) -> bool:
        """Wait until all that was done before is in the store; says whether it is."""
        self._line.hurry()
        with self._wake:
            self._wake.notify_all()
            self._wake.wait_for(lambda: not self._pending.count, timeout)
        return not self._pending.count

    def dismiss(self, act_id: str) -> None:
        """Forget an act that was refused."""
        self._pending.dismiss(act_id)
        self._notify()

    def readings(self, case: str) -> tuple[StoredReading, ...]:
        """What was submitted of a case, the last of each name, with what was not sent yet.

        Waits for the store; while it cannot be reached, what it said last is told.
        """

        def ask(store: Store) -> list[StoredReading]:
            found = store.readings(case)
            self._keeper.keep_readings(case, found)
            return found

        found = self._sender.ask(ask, _READ_SECONDS)
        if found is None:
            found = self._keeper.kept_readings(case)
        last = {one.name: one for one in (*found, *self._pending.readings(case))}
        return tuple(last.values())

    def log(self) -> list[LogEntry] | None:
        """All that was ever done, as the store has it; None while it cannot be reached."""
        return self._sender.ask(lambda store: store.log(), _READ_SECONDS)

    def take(self, case: str, reading: str) -> str:
        """Take a reading for this window; says who has it where that is another one.

        Empty as well while the store cannot be reached, or is not there yet: it is taken later, or
        told in ``state.lost``. What was taken is kept until it is given back.
        """
        self._leases.want(case, reading)
        self._sender.needed = True
        if self._line.error or not self._line.exists:  # who begins a store need not wait for it
            return ""
        take = self._leases.take
        return self._sender.ask(lambda store: take(store, case, reading), _TAKE_SECONDS) or ""

    def give(self, case: str, reading: str) -> None:
        """Give a reading back; returns at once."""
        self._leases.leave(case, reading)
        self._sender.post(lambda store: self._leases.give(store, case, reading))

    def close(self) -> None:
        """Keep what waits, send what can be sent in a moment, and stop."""
        atexit.unregister(self.close)
        until = time.monotonic() + _CLOSING_SECONDS
        self._keeper.stop()
        self._sender.stop(until)
        kept = self._keeper.join(_CLOSING_SECONDS)
        hung_up = self._sender.join(max(0.1, until - time.monotonic()))
        if kept and hung_up:  # a disk or server that hangs would hold the window as well
            self._keeper.close()

    def _notify(self) -> None:
        with self._wake:
            self._wake.notify_all()

    def _tell(self, cases: list[frozenset[str]]) -> None:
        """Call `changed` where cases or the state of the desk did."""
        with self._telling:
            state = replace(self.state, pending=0)
            anything = state != self._told or ANYTHING in cases
            self._told = state
            if not cases and not anything:
                return
            try:
                self._changed(ANYTHING if anything else frozenset().union(*cases))
            except Exception as error:  # of the window's, which must not end the thread
                self._fault = f"What changed in the review could not be shown: {error!r}."


def store_place(address: str | Path, folder: Path) -> str | Path:
    """The file or the URL that an address means; an empty one means a file in the folder."""
    if not address:
        return folder / STORE
    if isinstance(address, str) and "://" in address:
        return address
    return Path(address).expanduser().absolute()


def _joined(*texts: str) -> str:
    return " ".join(text for text in texts if text)
