"""The logs of a window in memory: what was told, what of it is on disk, what may be forgotten."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from napari_chest.edits import MaskAdded
from napari_chest.edits.packing import Packed
from napari_chest.review.journal.replay import BEGIN, HAD, HANDED, STEPS, Log, Row, state_of

if TYPE_CHECKING:
    from napari_chest.edits import Move
    from napari_chest.model import Mask, Reading

Key = tuple[str, str]
"""Case and reader."""


@dataclass(frozen=True)
class _Told:
    """What was told and not looked at yet."""

    key: Key
    kind: str
    move: Move | None
    reading: Reading
    at: float
    since: float


class Recording:
    """The logs that a window is at, and those it ended.

    Only `tell` may be called without the journal's lock.

    Attributes
    ----------
    logs : the log of each reading at work.
    released : cases whose logs may be forgotten once they are written.
    """

    def __init__(self) -> None:
        self.logs: dict[Key, Log] = {}
        self.released: set[str] = set()
        self._told: deque[_Told] = deque()
        self._ended: list[Log] = []
        self._since: dict[str, float] = {}  # of rows that are not on disk, by their ids

    @property
    def waiting(self) -> bool:
        """Whether something was told and not looked at yet."""
        return bool(self._told)

    @property
    def pending(self) -> tuple[float, ...]:
        """When each move that is not on disk was told, `time.monotonic`."""
        return (*tuple(self._since.values()), *(told.since for told in tuple(self._told)))

    def tell(self, key: Key, kind: str, move: Move | None, reading: Reading) -> None:
        """Take note of something; returns at once."""
        self._told.append(_Told(key, kind, move, reading, time.time(), time.monotonic()))

    def gather(self) -> None:
        """Take what was told into its logs."""
        while self._told:
            told = self._told[0]
            row = self._row(told)
            if row is not None:
                self._since[row.id] = told.since
            self._told.popleft()

    def end(self, key: Key) -> None:
        """Record no more in a log, which is still written to its end."""
        log = self.logs.pop(key, None)
        if log is not None:
            self._ended.append(log)

    def end_case(self, case: str) -> None:
        """Record no more in the logs of a case."""
        self.gather()
        for key in [key for key in self.logs if key[0] == case]:
            self.end(key)

    def all_logs(self) -> list[Log]:
        """All logs in memory, the ended ones first."""
        return [*self._ended, *self.logs.values()]

    def unwritten(self) -> list[Log]:
        """The logs that have rows which are not on disk."""
        return [log for log in self.all_logs() if log.written < len(log.rows)]

    def all_written(self, released: frozenset[str]) -> None:
        """Take note that all logs are on disk, and forget those of released cases."""
        for log in self.all_logs():
            log.written = len(log.rows)
        self._since.clear()
        self._ended.clear()
        self.released -= released
        for key in [key for key in self.logs if key[0] in released]:
            del self.logs[key]

    def _row(self, told: _Told) -> Row | None:
        log = self._log(told)
        if log is None:
            return None
        row = Row(uuid4().hex, told.kind, told.at)
        if told.kind == "do" and told.move is not None:
            row.step = told.move.step
        elif told.kind == HANDED or (told.kind == "write back" and not _was_handed(log)):
            row.fingerprint = state_of(told.reading)
        log.rows.append(row)
        return row

    def _log(self, told: _Told) -> Log | None:
        """The log to go on with, or a new one; None where nothing was done that could be saved."""
        log = self.logs.get(told.key)
        if log is not None and log.rows[-1].kind == "discard":
            self.end(told.key)
            log = None
        if log is None and told.kind in STEPS:
            log = self.logs[told.key] = Log(uuid4().hex, *told.key, _beginning(told))
        return log


def _beginning(told: _Told) -> list[Row]:
    """The first rows of a log: what the dataset has."""
    begin = Row(uuid4().hex, BEGIN, told.at, fingerprint=state_of(told.reading))
    # A mask that is emptied may be gone from the dataset when it is to be filled again.
    had = (mask for mask in told.reading.masks if not mask.aid)
    return [begin, *(Row(uuid4().hex, HAD, told.at, _emptied(mask)) for mask in had)]


def _emptied(mask: Mask) -> MaskAdded:
    dtype = mask.labels.dtype.newbyteorder("=")
    return MaskAdded(mask.name, mask, Packed(mask.labels.shape, dtype, ()))


def _was_handed(log: Log) -> bool:
    """Whether the reading that a save wrote is in the log since the save before it."""
    kinds = [row.kind for row in reversed(log.rows)]
    saves = [n for n, kind in enumerate(kinds) if kind in ("export", "write back")]
    return HANDED in kinds[: min(saves, default=len(kinds))]
