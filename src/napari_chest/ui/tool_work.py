"""One piece of work of the tools at a time, on a thread, that can be stopped."""

from __future__ import annotations

from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer

from napari_chest.errors import ChestError
from napari_chest.ui.background import Background

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_chest.ui.canvas import Canvas
    from napari_chest.ui.workbench import Workbench

_BUSY_MS = 200
"""Until the dock is told of work; it waits as long as it does with all work before it shows it."""


class ToolWork:
    """Does one thing, shows that it takes long where it does, and says why it failed.

    Escape over the image and the dock's button stop it; what comes of it is not told then.
    """

    def __init__(self, bench: Workbench, canvas: Canvas) -> None:
        self._bench = bench
        self._canvas = canvas
        self._work: Background | None = None
        self._stop = Event()
        self.title = ""
        """What is done, or was done last."""
        self._busy_timer = QTimer(bench)
        self._busy_timer.setSingleShot(True)
        self._busy_timer.timeout.connect(self._show_busy)
        bench.cancel_button.clicked.connect(self.stop)

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        return self._work is not None

    def start(
        self, title: str, work: Callable[[], Any], told: Callable[[Any], None], stop: Event
    ) -> None:
        """Begin something in place of what is under way.

        Parameters
        ----------
        title : what is done.
        work : runs on a thread, and may raise `ChestError`.
        told : called with what it returns.
        stop : is set to make it end early.
        """
        self.let_go()
        self.title, self._stop = title, stop
        self._busy_timer.start(_BUSY_MS)
        self._work = Background(
            work, returned=partial(self._end, told), errored=partial(self._end, self._on_error)
        )

    def stop(self) -> None:
        """End what is under way, and say so."""
        if self.busy:
            self.let_go()
            self._bench.show_message(f"{self.title}: stopped, nothing was changed.")

    def let_go(self) -> None:
        """End what is under way."""
        self._stop.set()
        if self._work is not None:
            self._work.let_go()
            self._idle()

    def _show_busy(self) -> None:
        self._bench.show_busy(self.title)
        self._canvas.bind_for_now({"Escape": self.stop})

    def _idle(self) -> None:
        self._work = None
        if self._busy_timer.isActive():
            self._busy_timer.stop()
        else:
            self._canvas.unbind_now()
            self._bench.show_idle()

    def _end(self, told: Callable[[Any], None], result: Any) -> None:
        self._idle()
        told(result)

    def _on_error(self, error: Exception) -> None:
        if isinstance(error, ChestError):
            self._bench.show_message(str(error))
        elif isinstance(error, MemoryError):
            self._bench.show_message(f"{self.title}: this computer has not enough memory.", "bad")
        else:
            self._bench.show_message(f"Something unexpected happened: {error!r}", "bad")
            raise error  # a mistake of ours: napari shows it with its traceback
