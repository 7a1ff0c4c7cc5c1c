"""What was done here and is not in the store yet, and the book with it."""

from __future__ import annotations

from datetime import UTC, datetime
from threading import Lock, RLock
from typing import TYPE_CHECKING

from napari_chest.errors import StoreError
from napari_chest.review.acts import Assign, Prioritise, Submit, decode_act, encode_act
from napari_chest.review.book import Book
from napari_chest.review.desk.outbox import Refused
from napari_chest.review.words import StoredReading

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from napari_chest.review.acts import AnyAct

ANYTHING: frozenset[str] = frozenset()
"""Changed cases where what changed is not about cases, or not known."""


class Pending:
    """Acts on their way, by their ids, in the order in which they are sent; for any thread.

    Attributes
    ----------
    book : the store's state and what is on its way; replaced as a whole, never changed.
    """

    def __init__(self) -> None:
        self.book = Book()
        self._stored = self.book
        self._lock = Lock()
        self._standing = RLock()  # of two threads, the one that began later has the last word
        self._acts: dict[str, AnyAct] = {}
        self._unwritten: dict[str, AnyAct] = {}
        self._sent: set[str] = set()  # and in the book, until the store tells of them
        self._refused: dict[str, Refused] = {}
        self._dismissed: set[str] = set()

    # What is on its way

    def add(self, acts: Iterable[AnyAct]) -> None:
        """Take in what was done just now; what cannot be kept is refused."""
        for act in acts:
            try:
                decode_act(encode_act(act))
            except (ValueError, TypeError) as error:  # a text that is no Unicode, or endless
                self.refuse(Refused(act, f"It cannot be kept: {error}."))
                continue
            with self._lock:
                self._acts[act.id] = self._unwritten[act.id] = act
                self.book = _with(self.book, act)

    def found(self, acts: Sequence[AnyAct], refused: Iterable[Refused] = ()) -> None:
        """Take in what is on disk already: of earlier days, or of another window."""
        with self._lock:
            earlier = {act.id: act for act in acts if act.id not in self._refused}
            self._acts = {**earlier, **self._acts}
            for one in refused:
                if one.act.id not in self._dismissed:
                    self._acts.pop(one.act.id, None)
                    self._refused[one.act.id] = one
        self.stand()

    def remembered(self, stored: Book) -> None:
        """Take in the store's state of an earlier day, unless the store has told it since."""
        with self._standing:
            if stored.number and not self._stored.number:
                self.stand(stored)

    def stand(self, stored: Book | None = None, gone: Iterable[str] = ()) -> None:
        """Make the book anew.

        Parameters
        ----------
        stored : the store's state, where it is another one now.
        gone : ids of acts that are in it, or were refused.
        """
        with self._standing:
            with self._lock:
                self._stored = stored or self._stored
                self._forget(gone)
                book, acts = self._stored, list(self._acts.values())
            for act in acts:  # without the lock, for which the window would wait
                book = _with(book, act)
            with self._lock:
                known = {act.id for act in acts}
                for act in self._acts.values():
                    book = book if act.id in known else _with(book, act)
                self.book = book

    def to_send(self, *, all_of_them: bool) -> list[AnyAct]:
        """The acts that the store has not got; only those on disk unless all are wanted."""
        with self._lock:
            held = self._sent if all_of_them else self._sent | self._unwritten.keys()
            return [act for act in self._acts.values() if act.id not in held]

    def sent(self, act: AnyAct) -> None:
        """Take note that the store has an act, of which it has not told yet."""
        with self._lock:
            self._sent.add(act.id)

    def of_store(self) -> set[str]:
        """The ids of acts that were sent, and are in the store's state when it is asked next."""
        with self._lock:
            return set(self._sent)

    @property
    def count(self) -> int:
        """How many acts the store has not got."""
        with self._lock:
            return len(self._acts.keys() - self._sent)

    @property
    def known(self) -> set[str]:
        """The ids of all acts that are here."""
        with self._lock:
            return {*self._acts, *self._refused, *self._dismissed}

    def readings(self, case: str) -> list[StoredReading]:
        """What of a case was submitted and is on its way, as the store will have it."""
        with self._lock:
            acts = [act for act in self._acts.values() if isinstance(act, Submit)]
        return [one for act in acts if act.case == case for one in _readings(act)]

    # What is not on disk

    def unwritten(self, *, all_of_them: bool = False) -> list[AnyAct]:
        """The acts that are not on disk; or all, for a disk that is another one now."""
        with self._lock:
            return list((self._acts if all_of_them else self._unwritten).values())

    def written(self, acts: Iterable[AnyAct]) -> list[str]:
        """Take note of what is on disk; tells what of it was sent and should not be there."""
        with self._lock:
            ids = [act.id for act in acts]
            for one in ids:
                self._unwritten.pop(one, None)
            # What was refused in the meantime is there to be told, also tomorrow.
            wanted = (self._acts.keys() - self._sent) | self._refused.keys()
            return [one for one in ids if one not in wanted]

    # What was refused

    @property
    def refused(self) -> tuple[Refused, ...]:
        """What the store did not take over and nobody dismissed."""
        with self._lock:
            return tuple(self._refused.values())

    def refuse(self, refused: Refused) -> None:
        """Take an act out that the store did not take over."""
        with self._lock:
            self._forget([refused.act.id])
            self._refused[refused.act.id] = refused

    def dismiss(self, act_id: str) -> None:
        """Show a refused act no more."""
        with self._lock:
            if self._refused.pop(act_id, None):
                self._dismissed.add(act_id)

    @property
    def dismissed(self) -> set[str]:
        """The ids of refused acts that are shown no more."""
        with self._lock:
            return set(self._dismissed)

    def _forget(self, ids: Iterable[str]) -> None:
        for one in ids:
            self._acts.pop(one, None)
            self._unwritten.pop(one, None)
            self._sent.discard(one)


def cases_of(acts: Iterable[AnyAct]) -> frozenset[str]:
    """The cases that acts are about; `ANYTHING` where one is about none in particular."""
    cases: set[str] = set()
    for act in acts:
        mine = act.cases if isinstance(act, Assign | Prioritise) else (getattr(act, "case", ""),)
        if not any(mine):
            return ANYTHING
        cases.update(mine)
    return frozenset(cases)


def _with(book: Book, act: AnyAct) -> Book:
    try:
        return book.with_act(act)
    except StoreError:
        return book  # the store decides, which may know more than this book


def _readings(act: Submit) -> list[StoredReading]:
    at = datetime.fromtimestamp(act.at, UTC)
    return [
        StoredReading(
            f"{act.id}-{place}", act.case, act.round, one.name, act.reader, one.of, one.base, at,
            one.payload,
        )
        for place, one in enumerate(act.readings)
    ]  # fmt: skip
