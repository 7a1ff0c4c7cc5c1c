"""Work on a thread whose results come back to the window's own."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from superqt.utils import create_worker

if TYPE_CHECKING:
    from collections.abc import Callable


class Background:
    """A function that runs on a thread; its results are told in the window's thread.

    Parameters
    ----------
    function : what runs; where it is a generator function, what it yields is told as well.
    returned, errored, yielded : called with what comes of it.
    """

    def __init__(
        self,
        function: Callable[[], Any],
        *,
        returned: Callable[[Any], None],
        errored: Callable[[Exception], None],
        yielded: Callable[[Any], None] | None = None,
    ) -> None:
        self._worker = create_worker(function, _start_thread=False, _ignore_errors=True)
        self._told: list[Any] = [self._worker.returned, self._worker.errored]
        self._worker.returned.connect(lambda result: self._end(returned, result))
        self._worker.errored.connect(lambda error: self._end(errored, error))
        if yielded is not None:
            self._told.append(self._worker.yielded)
            self._worker.yielded.connect(lambda part: self._tell(yielded, part))
        self._worker.start()

    def let_go(self) -> None:
        """Listen no more.

        The thread then holds nothing of the window: were it the last to hold a widget, Qt would
        destroy that widget on the wrong thread.
        """
        for signal in self._told:
            with suppress(RuntimeError, TypeError):  # the worker may have been deleted already
                signal.disconnect()
        self._told = []

    def _tell(self, slot: Callable[[Any], None], value: Any) -> None:
        if self._told:
            slot(value)

    def _end(self, slot: Callable[[Any], None], value: Any) -> None:
        if self._told:
            self.let_go()
            slot(value)
