"""The contradictions of the open case, kept up to date while it is corrected."""

from __future__ import annotations

from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any

from qtpy.compat import isalive
from qtpy.QtCore import QTimer

from napari_chest.edits import LUNGS
from napari_chest.errors import ChestError, StoppedError
from napari_chest.ui.background import Background
from napari_chest.ui.contradicting.work import Here, look

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    from napari_chest.edits import Step
    from napari_chest.review.contradictions import Contradiction, Key
    from napari_chest.ui.contradicting.work import Looked
    from napari_chest.ui.opening import Opening
    from napari_chest.ui.session import Session
    from napari_chest.ui.workbench import Workbench

_SETTLED_MS = 1000
"""How long after an edit the case is looked at again."""


class OpenCaseLooking:
    """Looks at the open case on a thread, once nothing was changed for a while.

    Lungs are only looked for while ``seeks_lungs`` is set: that takes seconds of all cores. Those
    of the reading on screen are used anyway.

    Parameters
    ----------
    session, bench, opening : at work.
    told : called with what was found, in the window's thread.

    Attributes
    ----------
    case : id of the case that was looked at; empty where none was.
    found : what was found in it.
    seeks_lungs : whether to find the lungs where they are not known.
    stale : whether the case was changed since it was looked at.
    """

    def __init__(
        self,
        session: Session,
        bench: Workbench,
        opening: Opening,
        told: Callable[[Looked], None],
    ) -> None:
        self._session, self._bench, self._opening = session, bench, opening
        self._told = told
        self.case = ""
        self.found: dict[Key, Contradiction] = {}
        self.seeks_lungs = self.stale = False
        self._lungs: npt.NDArray[Any] | None = None
        self._work: Background | None = None
        self._stop = Event()
        self._settled = QTimer(bench)
        self._settled.setSingleShot(True)
        self._settled.timeout.connect(self._look)
        for signal, slot in self._signals():
            signal.connect(slot)

    @property
    def busy(self) -> bool:
        """Whether the case is being looked at, or is about to be."""
        return self._work is not None or self._settled.isActive()

    def seek_lungs(self, *, wanted: bool) -> None:
        """Find the lungs from now on, or no more."""
        self.seeks_lungs = wanted
        if wanted and self._lungs is None:
            self._settled.start(0)

    def close(self) -> None:
        """Listen no more, and stop what is under way."""
        for signal, slot in self._signals():
            signal.disconnect(slot)
        self.leave()

    def leave(self) -> None:
        """Forget the case."""
        self._settled.stop()
        self._let_go()
        self.case, self.found, self._lungs = "", {}, None
        self.stale = False

    def _signals(self) -> Iterator[tuple[Any, Callable[..., None]]]:
        yield self._session.reading_chosen, self._on_changed
        yield self._session.edited, self._on_edited
        yield self._opening.case_left, self.leave
        yield self._opening.case_complete, self._on_changed

    def _on_edited(self, step: Step | None) -> None:
        if step is not None:
            self.stale = True
            self._on_changed()

    def _on_changed(self, *_: object) -> None:
        """Look again once it is quiet; what is under way would tell what was."""
        self._let_go()
        self._settled.start(_SETTLED_MS)

    def _look(self) -> None:
        self._let_go()
        here = self._what_is_here()
        if here is not None:
            self._stop = Event()
            self._work = Background(
                partial(look, here, self._stop), returned=self._on_looked, errored=self._on_error
            )

    def _what_is_here(self) -> Here | None:
        session, case = self._session, self._session.open_case
        if session.dataset is None or case is None:
            return None
        standing = (session.standing(reading.reader) for reading in case.readings)
        return Here(
            session.dataset,
            case.info,
            tuple(reading for reading in standing if reading is not None),
            case.volume if self._opening.complete else None,
            self._known_lungs(),
            seeks_lungs=self.seeks_lungs,
            alone=bool(case.blind),
        )

    def _known_lungs(self) -> npt.NDArray[Any] | None:
        """The lungs of the reading on screen, else those that were found before."""
        draft = self._session.draft
        if draft is not None and any(mask.name == LUNGS for mask in draft.masks()):
            return draft.mask_labels(LUNGS)
        return self._lungs

    def _on_looked(self, looked: Looked) -> None:
        self._work = None
        if not isalive(self._bench):  # the window was closed meanwhile
            return
        self.case = looked.case
        self.found = {one.key: one for one in looked.found}
        self._lungs = looked.lungs
        self.stale = False
        self._told(looked)

    def _on_error(self, error: Exception) -> None:
        self._work = None
        if isinstance(error, StoppedError):
            return
        if not isinstance(error, ChestError | OSError):
            raise error  # a mistake of ours: napari shows it with its traceback
        self._bench.show_message(str(error))

    def _let_go(self) -> None:
        self._stop.set()
        if self._work is not None:
            self._work.let_go()
        self._work = None
