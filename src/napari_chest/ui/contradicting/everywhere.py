"""The contradictions of all cases, looked for on request."""

from __future__ import annotations

from functools import partial
from threading import Event
from typing import TYPE_CHECKING

from qtpy.compat import isalive

from napari_chest.errors import ChestError
from napari_chest.ui.background import Background
from napari_chest.ui.contradicting.work import look_at_all

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from napari_chest.model import CaseInfo
    from napari_chest.review.contradictions import Checked, Result
    from napari_chest.ui.session import Session
    from napari_chest.ui.workbench import Workbench


class AllCasesLooking:
    """Looks at cases on a thread, one after the other, with progress and until it is stopped.

    Parameters
    ----------
    session, bench : at work.
    told : called with what came of each case.
    ended : called when it is over; with whether all cases were looked at.
    """

    def __init__(
        self,
        session: Session,
        bench: Workbench,
        told: Callable[[Result], None],
        ended: Callable[[bool], None],
    ) -> None:
        self._session, self._bench = session, bench
        self._told, self._ended = told, ended
        self._work: Background | None = None
        self._stop = Event()

    @property
    def busy(self) -> bool:
        """Whether cases are being looked at."""
        return self._work is not None

    def start(
        self, cases: Sequence[CaseInfo], before: Mapping[str, Checked], *, images: bool
    ) -> None:
        """Look at cases, of which some were looked at before; nothing while that is under way."""
        dataset = self._session.dataset
        if dataset is None or self.busy:
            return
        self._stop = Event()
        self._bench.work.contradictions.show_progress(0, len(cases))
        run = partial(
            look_at_all, dataset, cases, before, self._session.journal, self._stop, images=images
        )
        self._work = Background(
            run,
            yielded=self._on_result,
            returned=lambda _: self._end(whole=not self._stop.is_set()),
            errored=self._on_error,
        )

    def stop(self) -> None:
        """Look at no more cases; what was found stays."""
        self._stop.set()

    def leave(self) -> None:
        """Stop, and tell nothing more."""
        self._stop.set()
        if self._work is not None:
            self._work.let_go()
            self._work = None
            self._bench.work.contradictions.show_idle()

    def _on_result(self, result: Result) -> None:
        if not isalive(self._bench):  # the window was closed meanwhile
            self._stop.set()
            return
        self._bench.work.contradictions.show_progress(result.done, result.of)
        self._told(result)

    def _on_error(self, error: Exception) -> None:
        self._end(whole=False)
        if not isinstance(error, ChestError | OSError):
            raise error  # a mistake of ours: napari shows it with its traceback
        if not self._stop.is_set():
            self._bench.show_message(str(error), "bad")

    def _end(self, *, whole: bool) -> None:
        self._work = None
        if isalive(self._bench):
            self._bench.work.contradictions.show_idle()
            self._ended(whole)
