"""The thread that sends acts to the store, and asks it what others did."""

from __future__ import annotations

import time
from collections import Counter, deque
from concurrent.futures import Future
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

from napari_chest.errors import ConflictError, NotAllowedError, StoreError, UnreachableError
from napari_chest.review.book import Book, Delta
from napari_chest.review.desk.outbox import Refused
from napari_chest.review.desk.pending import ANYTHING, cases_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Condition

    from napari_chest.review.acts import AnyAct
    from napari_chest.review.book import Snapshot
    from napari_chest.review.desk.keeping import Keeper
    from napari_chest.review.desk.line import Leases, Line
    from napari_chest.review.desk.pending import Pending
    from napari_chest.review.store import Store

_RENEW_SECONDS = 20.0
_CLOSING_SECONDS = 2.0
_MOST_FAILURES = 3
_MOST_DELTAS = 500
_Answer = TypeVar("_Answer")


class Sender:
    """Sends what is on disk, in its order, and keeps the book up to date.

    Parameters
    ----------
    line : to the store.
    pending : what is on its way.
    keeper : of the outbox.
    leases : of the window.
    wake : notified when there is something to do or done.
    told : called from the thread with the cases that changed, after every round.
    every : after how many seconds the store is asked what others did.

    Attributes
    ----------
    needed : whether the store is to be made where there is none yet.
    """

    def __init__(
        self,
        line: Line,
        pending: Pending,
        keeper: Keeper,
        leases: Leases,
        wake: Condition,
        told: Callable[[list[frozenset[str]]], None],
        every: float,
    ) -> None:
        self.needed = False
        self._line = line
        self._pending = pending
        self._keeper = keeper
        self._leases = leases
        self._wake = wake
        self._told = told
        self._every = every
        self._closed = False
        self._until = 0.0  # when closing has to be done
        self._jobs: deque[tuple[Future[Any], Callable[[Store], Any]]] = deque()
        self._stored: Book | None = None  # as the store told it
        self._source: Store | None = None  # of that
        self._deltas = 0  # since a snapshot
        self._polled = self._renewed = float("-inf")
        self._failures: Counter[str] = Counter()
        self._thread = Thread(target=self._run, name="desk", daemon=True)

    def start(self) -> None:
        """Send from now on."""
        self._thread.start()

    def post(self, job: Callable[[Store], _Answer]) -> Future[_Answer | None]:
        """Ask something of the store, on the thread; the answer is None where it has none."""
        answer: Future[_Answer | None] = Future()
        with self._wake:
            if self._closed:
                answer.set_result(None)
            else:
                self._jobs.append((answer, job))
            self._wake.notify_all()
        return answer

    def ask(self, job: Callable[[Store], _Answer], timeout: float) -> _Answer | None:
        """Ask something of the store and wait; None where it has no answer."""
        answer = self.post(job)
        try:
            return answer.result(timeout)
        except TimeoutError:
            answer.cancel()
            self._renewed = float("-inf")  # so that a lease is taken as soon as can be
            return None

    def stop(self, until: float) -> None:
        """Send what can be sent until then, `time.monotonic`, and stop."""
        with self._wake:
            self._closed, self._until = True, until
            self._wake.notify_all()

    def join(self, timeout: float) -> bool:
        """Wait until the thread has stopped; says whether it has."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    # The thread

    def _run(self) -> None:
        pause = 0.0  # at first, what others did is asked at once
        while True:
            with self._wake:
                self._wake.wait_for(self._has_work, pause)
                closed = self._closed
            if closed:
                self._keeper.join(_CLOSING_SECONDS)
            self._told(self._talk())
            with self._wake:
                self._wake.notify_all()
            if closed:
                self._answer_nothing()
                return self._hang_up()
            pause = self._line.wait or self._every

    def _has_work(self) -> bool:
        if self._closed or self._jobs:
            return True
        return not self._line.wait and bool(self._to_send())

    def _to_send(self) -> list[AnyAct]:
        # What the disk refuses is only in memory, and all the more to be sent.
        return self._pending.to_send(all_of_them=bool(self._keeper.error))

    def _talk(self) -> list[frozenset[str]]:
        """Send, ask and answer; tells which cases changed for the window."""
        cases: list[frozenset[str]] = []
        if self._line.wait:
            self._answer_nothing()
            return cases
        try:
            if self._line.exists or self.needed or self._to_send():
                store = self._line.open()
                if self._stored is None:  # what is asked first, such as who may see what, needs it
                    self._poll(store, cases)
                self._answer(store)
                self._send(store, cases)
                self._poll(store, cases)
                self._renew(store)
            else:
                self._answer_nothing()
        except Exception as error:  # also a mistake of ours, which must not end the thread unseen
            self._line.failed(error)
            self._answer_nothing()
        else:
            self._line.worked()
        return cases

    def _send(self, store: Store, cases: list[frozenset[str]]) -> None:
        done = []
        try:
            for act in self._to_send():
                if self._closed and time.monotonic() > self._until:
                    return
                if self._is_sent(store, act):
                    self._pending.sent(act)
                    done.append(act)
                else:
                    cases.append(cases_of([act]))
                self._answer(store)
        finally:
            if done:
                self._polled = float("-inf")  # for what became of them
                self._keeper.sent(done)

    def _is_sent(self, store: Store, act: AnyAct) -> bool:
        """Send an act; says whether the store has it, which otherwise has refused it."""
        try:
            store.do(act, time.time())
        except (NotAllowedError, ConflictError) as error:
            self._refuse(act, str(error))
            return False
        except UnreachableError:
            raise
        except Exception as error:
            self._failures[act.id] += 1
            if self._failures[act.id] < _MOST_FAILURES:
                raise
            self._refuse(act, str(error))  # others must not wait for it for ever
            return False
        return True

    def _refuse(self, act: AnyAct, why: str) -> None:
        self._polled = float("-inf")  # for what the store knew and this book did not
        refused = Refused(act, why)
        self._pending.refuse(refused)
        self._pending.stand()
        self._keeper.refused(refused)

    def _poll(self, store: Store, cases: list[frozenset[str]]) -> None:
        """Bring the book up to date with the store."""
        if time.monotonic() - self._polled < self._every:
            return
        sent = self._pending.of_store()  # before the store is asked, so that its answer has them
        rows, stored = self._rows(store)
        self._polled = time.monotonic()
        if stored is self._stored and not sent:
            return
        self._stored = stored
        self._pending.stand(stored, sent)
        cases.append(_cases_in(rows) if isinstance(rows, Delta) else ANYTHING)

    def _rows(self, store: Store) -> tuple[Snapshot, Book]:
        """What is new in the store, and the book with it."""
        known = self._stored
        # One that was connected anew may be an earlier copy, which then went on another way.
        if known is not None and store is self._source and self._deltas < _MOST_DELTAS:
            delta = store.since(known.number)
            if delta.number == known.number:
                return delta, known
            if delta.number > known.number:
                self._deltas += 1
                self._keeper.remember(delta, anew=False)
                return delta, known.with_delta(delta)
        rows = store.snapshot()
        self._deltas, self._source = 0, store
        self._keeper.remember(rows, anew=True)
        return rows, Book(rows)

    def _renew(self, store: Store) -> None:
        if not self._line.connected or time.monotonic() - self._renewed >= _RENEW_SECONDS:
            self._renewed = time.monotonic()
            self._leases.renew(store)

    def _answer(self, store: Store) -> None:
        while self._jobs:
            answer, job = self._jobs.popleft()
            if not answer.set_running_or_notify_cancel():
                continue
            try:
                answer.set_result(job(store))
            except Exception:
                answer.set_result(None)
                raise

    def _answer_nothing(self) -> None:
        while self._jobs:
            answer, _ = self._jobs.popleft()
            if answer.set_running_or_notify_cancel():
                answer.set_result(None)

    def _hang_up(self) -> None:
        if self._line.connected and self._leases.any:
            try:
                self._leases.give_all(self._line.open())
            except StoreError as error:
                self._line.failed(error)  # leases run out by themselves
        self._line.close()


def _cases_in(rows: Delta) -> frozenset[str]:
    """The cases that rows are about; `ANYTHING` where some are about none in particular."""
    if rows.rounds or rows.people:
        return ANYTHING
    cases = {work.key.case for work in rows.works} | set(rows.priorities)
    cases |= {comment.case for comment in rows.comments}
    return frozenset(cases | {decision.case for decision in rows.decisions})
