"""Which window works on which case, so that no two do on the same one."""

from __future__ import annotations

import os
import platform
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import uuid4

if TYPE_CHECKING:
    import sqlite3

HEARTBEAT_SECONDS = 5.0
STALE_SECONDS = 30.0
_SKEW_SECONDS = 600.0
"""How far the clocks of two computers may differ."""

_CLAIM = """
INSERT INTO claims VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (case_id) DO UPDATE SET
    since = iif(owner = excluded.owner, since, excluded.since),
    owner = excluded.owner, host = excluded.host, pid = excluded.pid, beat = excluded.beat
"""


@dataclass(frozen=True)
class _Claim:
    owner: str
    host: str
    pid: int
    since: float
    beat: float


class Claims:
    """The claims of one window, and what it saw of those of others.

    Attributes
    ----------
    held : the cases that this window has.
    lost : the cases that another window took, because this one gave no sign of life.
    """

    def __init__(self) -> None:
        self.held: set[str] = set()
        self.lost: frozenset[str] = frozenset()
        self._owner = uuid4().hex
        self._host = platform.node()
        self._seen: dict[str, tuple[float, float]] = {}

    def claim(self, connection: sqlite3.Connection, case: str) -> str:
        """Take a case; says who has it where that is another window."""
        other = self._other(connection, case)
        if other is not None and not self._is_stale(case, other):
            return self._who(other)
        now = time.time()
        mine = (case, self._owner, self._host, os.getpid(), now, now)
        connection.execute(_CLAIM, mine)
        self.held.add(case)
        self.lost -= {case}
        return ""

    def release(self, connection: sqlite3.Connection, case: str) -> None:
        """Give a case back."""
        self.held.discard(case)
        self.lost -= {case}
        connection.execute(
            "DELETE FROM claims WHERE case_id = ? AND owner = ?", (case, self._owner)
        )

    def beat(self, connection: sqlite3.Connection) -> None:
        """Show that this window is alive, and look whether others are."""
        for case in sorted(self.held):
            if self.claim(connection, case):
                self.held.discard(case)
                self.lost |= {case}
        for case in self._seen:
            other = self._other(connection, case)
            if other is not None:
                self._is_stale(case, other)

    def _other(self, connection: sqlite3.Connection, case: str) -> _Claim | None:
        row = connection.execute(
            "SELECT owner, host, pid, since, beat FROM claims WHERE case_id = ? AND owner != ?",
            (case, self._owner),
        ).fetchone()
        return _Claim(*row) if row else None

    def _is_stale(self, case: str, other: _Claim) -> bool:
        """Whether the window that claimed a case is gone."""
        age = abs(time.time() - other.beat)
        if other.host == self._host:
            return age > STALE_SECONDS or not _is_alive(other.pid)
        # Clocks of two computers differ, so the sign of life is watched on our own.
        beat, first = self._seen.get(case, (None, 0.0))
        if beat != other.beat:
            self._seen[case] = other.beat, time.monotonic()
            return age > STALE_SECONDS + _SKEW_SECONDS and other.beat < time.time()
        return time.monotonic() - first > STALE_SECONDS

    def _who(self, other: _Claim) -> str:
        since = datetime.fromtimestamp(other.since).strftime("%Y-%m-%d %H:%M")
        where = "this computer" if other.host == self._host else other.host
        return f"another window on {where} has had this case open since {since}"


def _is_alive(pid: int) -> bool:
    if pid == os.getpid():
        return True
    if os.name == "nt":  # where asking would end the process; its heartbeat has to do
        return True
    with suppress(PermissionError):  # of another user, and so alive
        try:
            os.kill(pid, 0)
        except (ProcessLookupError, OverflowError):
            return False
    return True
