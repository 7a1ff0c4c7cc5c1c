"""Tells how far a long job is, and ends it when it is asked to."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from napari_chest.errors import StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

_EVERY: Final = 0.1
"""Seconds between two calls of ``progress``."""


class Watch:
    """What a job calls after each of its parts.

    Parameters
    ----------
    progress : called with the number of parts done and the number of all, at most ten times a
        second, from the thread that works.
    stop : set to end the job.
    """

    def __init__(self, progress: Callable[[int, int], None] | None, stop: Event | None) -> None:
        self._progress = progress
        self._stop = stop
        self._next = 0.0

    def tick(self, done: int, total: int) -> None:
        """Tell how far the job is.

        Raises
        ------
        StoppedError
            when it was asked to stop.
        """
        if self._stop is not None and self._stop.is_set():
            raise StoppedError("The DICOM headers were not all read, as it was asked to stop.")
        if self._progress is not None:
            now = time.monotonic()
            if now >= self._next or done == total:
                self._next = now + _EVERY
                self._progress(done, total)
