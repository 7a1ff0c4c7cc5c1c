"""Which readings of the open case are compared, and in what they differ, found on a thread."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_chest.measure.consensus import consensus
from napari_chest.review.disagreement import disagreements
from napari_chest.review.words import ADJUDICATED
from napari_chest.ui.background import Background

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import numpy.typing as npt
    from qtpy.QtCore import QObject

    from napari_chest.edits import Step
    from napari_chest.model import Question, Reading
    from napari_chest.review.disagreement import Disagreements
    from napari_chest.ui.open_case import OpenCase
    from napari_chest.ui.session import Session

_EDIT_MS = 200
"""How long after an edit of a compared reading what differs is looked for anew."""
_RESULT = "adjudicat"
"""In the names of readers who agreed on something already."""
_ALONE = (
    "Nothing to compare: this case has only one reading. Open a reading round, or let another "
    "reader submit a correction."
)
_NONE_CHOSEN = "Choose two readings to compare."


class Finding:
    """Keeps what differs up to date while somebody wants to see it.

    Signals
    -------
    found_changed() : what differs was found, or is not known any more.
    failed(str) : it could not be found, and why.

    Attributes
    ----------
    wanted : whether somebody wants to see it.
    found : what differs, as it was found last; None while that is not known.
    staple : per mask what STAPLE makes of the readings, as far as it was asked for.
    """

    found_changed = Signal()
    failed = Signal(str)

    def __init__(self, session: Session, parent: QObject) -> None:
        self._session = session
        self._chosen: tuple[str, ...] = ()
        self._seen: tuple[Reading, ...] = ()
        self._likely: tuple[str, ...] = ()
        self._blind = ""
        self._stale = True
        self._work: Background | None = None
        self._then: Callable[[], None] | None = None
        self.wanted = False
        self.found: Disagreements | None = None
        self.staple: Mapping[str, npt.NDArray[Any]] = {}
        self._timer = QTimer(parent)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.look)

    @property
    def busy(self) -> bool:
        """Whether something is being looked for."""
        return self._work is not None

    @property
    def fresh(self) -> bool:
        """Whether `found` is how the readings differ now."""
        return self.found is not None and not self._stale

    @property
    def questions(self) -> Sequence[Question]:
        """What the dataset asks."""
        dataset = self._session.dataset
        return dataset.questions if dataset is not None else ()

    # What is compared

    @property
    def comparable(self) -> tuple[Reading, ...]:
        """The readings that can be compared: all but what came of comparing them."""
        case = self._session.open_case
        readings = case.readings if case is not None and not case.blind else ()
        return tuple(one for one in readings if one.reader != ADJUDICATED)

    @property
    def compared(self) -> tuple[str, ...]:
        """Whose readings are compared, A first."""
        names = [reading.reader for reading in self._seen]
        chosen = tuple(name for name in self._chosen if name in names)
        return chosen if len(chosen) > 1 else self._likely

    @property
    def readings(self) -> list[Reading]:
        """The readings that are compared, as they stand now."""
        standing = (self._session.standing(reader) for reader in self.compared)
        return [reading for reading in standing if reading is not None]

    @property
    def refusal(self) -> str:
        """Why nothing is compared; empty where something is."""
        case = self._session.open_case
        if case is None:
            return "No case is open."
        if case.blind:
            return case.blind
        if len(self.comparable) < 2:
            return _ALONE
        return "" if len(self.compared) > 1 else _NONE_CHOSEN

    def choose(self, readers: Iterable[str]) -> None:
        """Compare other readings, of this case and of those opened after it; A first."""
        self._chosen = tuple(dict.fromkeys(name for name in readers if name))
        self._outdate()
        self.look()

    def see_case(self) -> bool:
        """Take note of the open case and its readings; says whether they are other ones."""
        case = self._session.open_case
        blind = case.blind if case is not None else ""
        readings = self.comparable
        if blind == self._blind and [*map(id, readings)] == [*map(id, self._seen)]:
            return False
        self._seen, self._blind = readings, blind
        self._likely = _likely(readings, case, self._session.round) if case is not None else ()
        self._outdate()
        return True

    def see_step(self, step: Step | None) -> None:
        """Take note of a step of the reading on screen."""
        draft = self._session.draft
        if step is not None and draft is not None and draft.saved.reader in self.compared:
            self._stale = True
            self._timer.start(_EDIT_MS)

    # What differs

    def look(self) -> None:
        """Look for what differs, on a thread, where somebody wants to see it."""
        readings, case = self.readings, self._session.open_case
        needed = self._stale and (self.wanted or self._then is not None)
        if not needed or self.busy or case is None or len(readings) < 2:
            return
        self._stale = False
        work = partial(disagreements, readings, case.volume.grid.spacing, self.questions)
        self._work = Background(work, returned=self._on_found, errored=self._on_error)

    def when_found(self, act: Callable[[], None]) -> None:
        """Act once it is known how the readings differ now."""
        if self.fresh:
            act()
        else:
            self._then = act
            self._timer.stop()
            self.look()

    def weigh(self, masks: Iterable[str], then: Callable[[], None]) -> None:
        """Let STAPLE weigh the readings of whole masks, on a thread, and go on with something."""
        found = self.found
        missing = sorted(set(masks) - set(self.staple))
        if found is None or self.busy:
            return
        if not missing:
            then()
            return

        def told(made: dict[str, npt.NDArray[Any]]) -> None:
            self._work = None
            if self.fresh and self.found is found:
                self.staple = {**self.staple, **made}
                then()
            else:
                self.look()

        labels = {mask: found.labels[mask] for mask in missing}
        self._work = Background(
            lambda: {mask: consensus("STAPLE", votes) for mask, votes in labels.items()},
            returned=told,
            errored=self._on_error,
        )

    def let_go(self) -> None:
        """Look for nothing more."""
        self._timer.stop()
        if self._work is not None:
            self._work.let_go()
        self._work = self._then = None

    def _outdate(self) -> None:
        """Know nothing of what differs any more."""
        self.let_go()
        self.found, self.staple, self._stale = None, {}, True
        self.found_changed.emit()

    def _on_found(self, found: Disagreements) -> None:
        self._work = None
        if self._stale:  # somebody has changed a reading meanwhile
            self.look()
            return
        self.found, self.staple = found, {}
        self.found_changed.emit()
        then, self._then = self._then, None
        if then is not None:
            then()

    def _on_error(self, error: Exception) -> None:
        self._work = self._then = None
        self.failed.emit(f"The readings could not be compared: {error}")


def _likely(readings: Sequence[Reading], case: OpenCase, number: int) -> tuple[str, ...]:
    """Whom to compare unless somebody chooses: a round's own readers, else all who say something.

    What was agreed on already is left out.
    """
    names = [reading.reader for reading in readings]
    own = [
        name for name in names if number and name in case.kept and case.kept[name].round == number
    ]
    if len(own) > 1:
        return tuple(own)
    speak = [
        reading.reader
        for reading in readings
        if _RESULT not in reading.reader.casefold() and _says_something(reading)
    ]
    return tuple(speak if len(speak) > 1 else names[:2])


def _says_something(reading: Reading) -> bool:
    return bool(
        any(mask.labels.any() for mask in reading.masks if not mask.aid)
        or reading.slice_labels is not None
        or any(reading.answers.values())
    )
