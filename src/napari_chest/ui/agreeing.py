"""How far readers agree: opens the window and gives it what it shows."""

from __future__ import annotations

from functools import partial
from itertools import takewhile
from threading import Event
from typing import TYPE_CHECKING, Any

from psygnal import Signal
from qtpy.compat import isalive
from qtpy.QtCore import QTimer

from napari_chest.errors import ChestError
from napari_chest.ui.background import Background
from napari_chest.ui.naming import colors_of, titles_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from napari_chest.measure.agreement import CaseAgreement
    from napari_chest.model import Question
    from napari_chest.ui.agreement.run import AllCases, Measured, Progress
    from napari_chest.ui.agreement.tables import Names
    from napari_chest.ui.agreement.window import AgreementWindow
    from napari_chest.ui.canvas import Canvas
    from napari_chest.ui.session import Session
    from napari_chest.ui.workbench import Workbench

_SETTLED_MS = 1000
"""How long after an edit the case is measured anew."""
_NO_CASE = "Open a case to see how far its readers agree."
_ALONE = (
    "This case has fewer than two readings. Open a case that two readers have read, or compare "
    "all cases."
)
_CHOSEN_FEW = "Fewer than two readers are chosen above."
_MEASURING = "Measuring…"


class Agreeing:
    """Measures the readings of the open case, and on request of all, and shows the numbers.

    Parameters
    ----------
    session, bench, canvas : at work.
    open_case : opens a case, given its id.

    Attributes
    ----------
    window : the window, where it is open.

    Signals
    -------
    compared(frozenset or None) : the cases in which readers differ by more than people do, once all
        were compared; None when another dataset is open.
    """

    compared = Signal(object)

    def __init__(
        self,
        session: Session,
        bench: Workbench,
        canvas: Canvas,
        open_case: Callable[[str], None],
    ) -> None:
        self._session = session
        self._bench = bench
        self._canvas = canvas
        self._open_case = open_case
        self.window: AgreementWindow | None = None
        self._measured: Measured | None = None
        self._left_out: frozenset[str] = frozenset()
        self._work: Background | None = None
        self._run: Background | None = None
        self._stop_case, self._stop_run = Event(), Event()
        self._all: AllCases | None = None
        self._dataset: Any = None
        self._settled = QTimer(bench)
        self._settled.setSingleShot(True)
        self._settled.timeout.connect(self._measure)
        for signal, slot in self._signals():
            signal.connect(slot)

    def actions(self) -> dict[str, Callable[[], Any]]:
        """What the keys of `keys.KEYS` do about agreement."""
        return {"agreement": self.show}

    def show(self) -> None:
        """Show how far readers agree."""
        if not self._open:
            self._make()
        assert self.window is not None
        self.window.show()
        self.window.raise_()
        self.window.activateWindow()
        self._measure()

    def close(self) -> None:
        """Listen no more, stop what is under way and close the window."""
        for signal, slot in self._signals():
            signal.disconnect(slot)
        self._let_go()
        if self._open and self.window is not None:
            self.window.close()

    @property
    def busy(self) -> bool:
        """Whether something is being measured."""
        return self._work is not None or self._run is not None

    @property
    def _open(self) -> bool:
        return self.window is not None and isalive(self.window) and self.window.isVisible()

    def _make(self) -> None:
        # pyqtgraph takes a third of a second to load: not before somebody asks for a plot.
        from napari_chest.ui.agreement.window import AgreementWindow

        window = self.window = AgreementWindow(self._bench)
        window.readers_changed.connect(self._on_readers)
        window.run_requested.connect(self._run_all)
        window.stop_requested.connect(self._stop)
        window.slice_requested.connect(self._canvas.go_to)
        window.case_requested.connect(self._open_case)
        window.finished.connect(lambda _: self._let_go())
        self._show_all()

    def _signals(self) -> Iterator[tuple[Any, Callable[..., None]]]:
        session = self._session
        yield session.reading_chosen, self._on_case
        yield session.edited, self._on_case
        yield session.review_changed, self._on_case
        yield self._canvas.slice_changed, self._on_slice

    def _let_go(self) -> None:
        """Stop what is under way; nobody looks at it any more."""
        self._settled.stop()
        self._stop_case.set()
        self._stop_run.set()
        for work in (self._work, self._run):
            if work is not None:
                work.let_go()
        self._work = self._run = None

    # Names

    def _readers(self) -> list[str]:
        """All readers that are known: of the open case, then those of others."""
        case = self._session.open_case
        own = [] if case is None or case.blind else [one.reader for one in case.readings]
        others = () if self._all is None else self._all.readers
        return list(dict.fromkeys((*own, *others)))

    def _names(self) -> Names:
        from napari_chest.ui.agreement.tables import Names

        readers, dataset = self._readers(), self._session.dataset
        asked = () if dataset is None else dataset.questions
        return Names(
            titles_of(self._session, readers),
            colors_of(readers),
            _question_titles(asked),
            {case.id: case.title for case in self._session.cases},
        )

    def _show_readers(self) -> None:
        if self.window is None:
            return
        names = self._names()
        self.window.show_readers(
            [(name, names.titles[name], names.colors[name]) for name in self._readers()],
            self._left_out,
        )

    def _on_readers(self, left_out: frozenset[str]) -> None:
        self._left_out = left_out
        self._measure()
        if self._all is not None:
            self._run_all()

    # This case

    def _on_case(self, _: object) -> None:
        if self._open:
            self._settled.start(_SETTLED_MS)

    def _on_slice(self, z: int) -> None:
        if self._open and self.window is not None:
            self.window.show_slice(z)

    def _measure(self) -> None:
        """Measure the open case as it stands."""
        if not self._open or self.window is None:
            return
        self._forget_other_dataset()
        self._stop_case.set()
        if self._work is not None:
            self._work.let_go()
            self._work = None
        self._show_readers()
        why = self._why_not()
        if why:
            self.window.show_no_case(why)
            return
        from napari_chest.measure.agreement import agreement

        case, dataset = self._session.open_case, self._session.dataset
        assert case is not None
        assert dataset is not None
        standing = [self._session.standing(one.reader) for one in case.readings]
        readings = [one for one in standing if one is not None and one.reader not in self._left_out]
        grid, stop = case.volume.grid, Event()
        self._stop_case = stop
        self._work = Background(
            partial(
                agreement,
                readings,
                grid,
                case=case.info.id,
                questions=dataset.questions,
                stop=stop,
            ),
            returned=self._show_case,
            errored=self._on_case_error,
        )
        if not self.window.sheet.tables:
            self.window.show_no_case(_MEASURING)

    def _why_not(self) -> str:
        case = self._session.open_case
        if case is None:
            return _NO_CASE
        if case.blind:
            return case.blind
        if len(case.readings) < 2:
            return _ALONE
        counted = [one for one in case.readings if one.reader not in self._left_out]
        return _CHOSEN_FEW if len(counted) < 2 else ""

    def _show_case(self, found: CaseAgreement) -> None:
        self._work = None
        case = self._session.open_case
        if not self._open or self.window is None or case is None:
            return
        grid = case.volume.grid
        pixel = None
        if grid.calibration != "unknown":
            pixel = grid.spacing[1] * grid.spacing[2] / 100
        self.window.show_case(found, self._names(), pixel)
        self.window.show_slice(self._canvas.slice)

    def _on_case_error(self, error: Exception) -> None:
        self._work = None
        if self._open and self.window is not None:
            self.window.show_no_case(f"This case could not be measured: {error}")
        if not isinstance(error, ChestError | ValueError):
            raise error  # a mistake of ours: napari shows it with its traceback

    # All cases

    def _run_all(self) -> None:
        from napari_chest.ui.agreement.run import Measured, all_cases

        dataset = self._session.dataset
        if dataset is None or self.window is None:
            return
        measured = self._measured = self._measured or Measured(dataset.questions)
        self._stop_run.set()
        if self._run is not None:
            self._run.let_go()
        cases, seat, left_out = list(self._session.cases), self._session.seat, self._left_out
        stop = Event()
        self._stop_run, self._dataset = stop, dataset
        self.window.show_progress(0, len(cases))
        self._run = Background(
            partial(all_cases, dataset, cases, seat, left_out, measured, stop),
            returned=self._on_all,
            errored=self._on_run_error,
            yielded=self._on_progress,
        )

    def _stop(self) -> None:
        self._stop_run.set()

    def _on_progress(self, part: Progress) -> None:
        if self._open and self.window is not None and self._run is not None:
            self.window.show_progress(part.done, max(part.of, part.done + 1))

    def _on_all(self, found: AllCases) -> None:
        self._run, self._all = None, found
        if not found.stopped:
            cases = found.agreement.cases
            self.compared.emit(frozenset(one.case for one in cases if one.differs))
        if self._open and self.window is not None:
            self.window.show_progress(0, 0)
            self._show_readers()
            self._show_all()

    def _show_all(self) -> None:
        if self.window is not None and self._all is not None:
            self.window.show_all_cases(self._all, self._names())

    def _on_run_error(self, error: Exception) -> None:
        self._run = None
        if self._open and self.window is not None:
            self.window.show_progress(0, 0)
            self.window.show_no_cases(f"The cases could not be compared: {error}")
        raise error  # a mistake of ours: napari shows it with its traceback

    def _forget_other_dataset(self) -> None:
        """What another dataset told says nothing of this one."""
        if self._dataset is not None and self._dataset is not self._session.dataset:
            self._stop_run.set()
            self._all = self._dataset = self._measured = None
            self.compared.emit(None)
            self._left_out = frozenset()
            if self.window is not None:
                self.window.show_no_cases()


def _question_titles(questions: Sequence[Question]) -> dict[str, str]:
    """The text of every topic: what the texts of its questions begin with."""
    texts: dict[str, list[str]] = {}
    for one in questions:
        texts.setdefault(one.topic, []).append(one.text)
    return {topic: _beginning(found) or topic for topic, found in texts.items()}


def _beginning(texts: Sequence[str]) -> str:
    """What all texts begin with, without an opened bracket."""
    alike = takewhile(lambda letters: len(set(letters)) == 1, zip(*texts, strict=False))
    return "".join(letters[0] for letters in alike).rstrip(" (")
