"""The line to the store: opened when it is wanted, given up when it fails, and tried again."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from napari_chest.errors import ChestError, UnreachableError

if TYPE_CHECKING:
    from napari_chest.review.store import Store

LEASE_SECONDS = 60.0
_LONGEST_PAUSE = 30.0


class Line:
    """The store as one thread uses it.

    Parameters
    ----------
    address : path of an SQLite file, or URL of a PostgreSQL database.
    dataset : name of the dataset.
    pause : after how many seconds a store that failed is tried again; the pauses grow.
    own : whether it is the file beside the outbox, made with its folder when it is first wanted.

    Attributes
    ----------
    connected : whether the store answered when it was asked last.
    error : why not, and what becomes of the work; empty where it did.
    notice : what a person should know of the store.
    """

    def __init__(
        self, address: str | Path, dataset: str, pause: float = 1.0, *, own: bool = False
    ) -> None:
        self.connected = False
        self.error = ""
        self.notice = ""
        self._address = address
        self._dataset = dataset
        self._own = own
        self._store: Store | None = None
        self._first = self._pause = pause
        self._due = 0.0

    @property
    def exists(self) -> bool:
        """Whether there may be something in the store."""
        if self._store is not None or not self._own or not isinstance(self._address, Path):
            return True
        return self._address.exists()

    @property
    def wait(self) -> float:
        """After how many seconds the store may be tried; 0 for at once."""
        return max(0.0, self._due - time.monotonic())

    def open(self) -> Store:
        """The store. Raises StoreError when it cannot be used."""
        # Loaded here, on a thread, because the window should not wait for it.
        from napari_chest.review.store import open_store

        if self._store is None:
            self._check_folder()
            self._store = open_store(self._address, self._dataset)
            self.notice = self._store.notice
        return self._store

    def _check_folder(self) -> None:
        # Made anew, it would hide the disk that is put back in its place, and what is on it.
        if isinstance(self._address, Path) and not self._own and not self._address.parent.is_dir():
            raise UnreachableError(
                f"The store {self._address} cannot be used: its folder is not there. Make it, or "
                "connect the disk that it is on."
            )

    def worked(self) -> None:
        """Take note that the store answered, or is not needed."""
        self.connected, self.error, self._pause, self._due = True, "", self._first, 0.0

    def failed(self, error: Exception) -> None:
        """Give the store up for a while."""
        why = str(error) if isinstance(error, ChestError) else f"The store failed: {error!r}"
        self.connected = False
        self.error = f"{why} Work goes on: what you do is kept here, and sent when the store works."
        self.close()
        self._due = time.monotonic() + self._pause
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)

    def hurry(self) -> None:
        """Try a store that failed at once."""
        self._due = 0.0

    def close(self) -> None:
        """Let go of the store."""
        if self._store is not None:
            self._store.close()
            self._store = None


class Leases:
    """The readings that a window corrects, so that another one knows.

    Parameters
    ----------
    owner : token of the window.
    who : the person.

    Attributes
    ----------
    lost : who has what was this window's, or should have been: by case and reading.
    """

    def __init__(self, owner: str, who: str) -> None:
        self.lost: dict[tuple[str, str], str] = {}
        self._owner = owner
        self._who = who
        self._wanted: set[tuple[str, str]] = set()

    @property
    def any(self) -> bool:
        """Whether there is anything to give back."""
        return bool(self._wanted)

    def want(self, case: str, reading: str) -> None:
        """Take a reading the next time that leases are renewed, and keep it."""
        self._wanted.add((case, reading))

    def take(self, store: Store, case: str, reading: str) -> str:
        """Take a reading; says who has it where that is another window."""
        lease = store.lease(case, reading, self._owner, self._who, LEASE_SECONDS)
        lost = dict(self.lost)
        lost.pop((case, reading), None)
        self.lost = lost
        if lease.held:
            return ""
        self._wanted.discard((case, reading))
        since = lease.until.astimezone().strftime("%H:%M:%S")
        return f"{lease.who} on {lease.host} has this reading open, at least until {since}"

    def leave(self, case: str, reading: str) -> None:
        """Keep a reading no longer."""
        self._wanted.discard((case, reading))
        self.lost = {key: who for key, who in self.lost.items() if key != (case, reading)}

    def give(self, store: Store, case: str, reading: str) -> None:
        """Give a reading back unless it was taken again."""
        if (case, reading) not in self._wanted:
            store.release(case, reading, self._owner)

    def renew(self, store: Store) -> None:
        """Keep what one has for another while; what another window took meanwhile is lost."""
        for case, reading in sorted(self._wanted):
            lease = store.lease(case, reading, self._owner, self._who, LEASE_SECONDS)
            if not lease.held:
                self._wanted.discard((case, reading))
                self.lost = {**self.lost, (case, reading): lease.who}

    def give_all(self, store: Store) -> None:
        """Give everything back."""
        for case, reading in sorted(self._wanted):
            store.release(case, reading, self._owner)
        self._wanted.clear()
