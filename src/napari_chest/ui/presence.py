"""How long a person works: as long as something is done at least once a minute."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtGui import QWindow

IDLE_SECONDS = 60.0
"""Without anything done for so long, a person is taken to be away."""

_TOUCHES = (
    QEvent.Type.MouseMove,
    QEvent.Type.MouseButtonPress,
    QEvent.Type.Wheel,
    QEvent.Type.KeyPress,
)


class Presence(QObject):
    """Counts how long a person is at work in a window, by what mouse and keys do there."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.watch = Stopwatch()
        self._window: QWindow | None = None

    def begin(self, window: QWindow | None) -> None:
        """Count anew, in this window."""
        self.watch.stop()
        self.watch.touch()
        if self._window is None and window is not None:
            # The window itself: what it hands on to its widgets would be counted many times.
            self._window = window
            window.installEventFilter(self)

    def take(self) -> float:
        """The seconds since they were last taken."""
        return self.watch.take()

    def close(self) -> None:
        """Count no more."""
        self.watch.stop()
        if self._window is not None and isalive(self._window):
            self._window.removeEventFilter(self)
        self._window = None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802, ARG002
        """Take note of what a person does."""
        if event.type() in _TOUCHES:
            self.watch.touch()
        return False


class Stopwatch:
    """Adds up the time in which a person is there.

    Parameters
    ----------
    now : tells the time in seconds, from any moment on.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._touched: float | None = None
        self._counted = self._seconds = 0.0

    def touch(self) -> None:
        """Take note that the person did something."""
        self._count()
        self._touched = self._counted = self._now()

    def take(self) -> float:
        """The seconds since they were last taken."""
        self._count()
        seconds, self._seconds = self._seconds, 0.0
        return seconds

    def stop(self) -> None:
        """Forget what was counted, and count nothing until something is done again."""
        self._touched, self._seconds = None, 0.0

    def _count(self) -> None:
        if self._touched is not None:
            until = min(self._now(), self._touched + IDLE_SECONDS)
            self._seconds += max(until - self._counted, 0.0)
            self._counted = max(until, self._counted)
