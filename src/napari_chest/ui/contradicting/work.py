"""Looking for contradictions away from the window: in the open case, and in all cases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_chest.errors import ChestError, StoppedError
from napari_chest.review.contradictions import (
    Checked,
    Contradiction,
    check_all,
    find,
    find_lungs,
    kept_as,
    mark_of,
    wants_image,
)
from napari_chest.ui.resuming import begin_draft

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from threading import Event
    from typing import Any

    import numpy.typing as npt

    from napari_chest.datasets import Dataset
    from napari_chest.model import CaseInfo, Reading, Volume
    from napari_chest.review.contradictions import Result
    from napari_chest.review.journal import Journal


@dataclass(frozen=True, eq=False)
class Here:
    """What is looked at in the open case.

    Attributes
    ----------
    dataset, case, readings : as they stand, those that may be seen.
    volume : its image; None while it is not complete.
    lungs : (Z, Y, X), 1 right and 2 left; None where they are not known.
    seeks_lungs : whether to find them where they are not known.
    alone : whether a reading may be held against itself only.
    """

    dataset: Dataset
    case: CaseInfo
    readings: tuple[Reading, ...]
    volume: Volume | None
    lungs: npt.NDArray[Any] | None
    seeks_lungs: bool
    alone: bool


@dataclass(frozen=True, eq=False)
class Looked:
    """What came of it: the contradictions, as they are kept, and the lungs that were found."""

    case: str
    found: tuple[Contradiction, ...]
    checked: Checked
    lungs: npt.NDArray[Any] | None


def look(here: Here, stop: Event) -> Looked:
    """Look at the open case.

    Raises
    ------
    StoppedError
        when ``stop`` was set.
    """
    lungs, wanted = here.lungs, wants_image(here.readings)
    if lungs is None and here.seeks_lungs and wanted and here.volume is not None:
        lungs = find_lungs(here.volume, stop.is_set)
    found = find(
        here.dataset,
        here.case,
        here.readings,
        here.volume,
        lungs,
        stop.is_set,
        alone=here.alone,
    )
    whole = not wanted or (here.volume is not None and (here.seeks_lungs or lungs is not None))
    mark = mark_of(here.dataset, here.case, here.readings)
    if stop.is_set():
        raise StoppedError("Stopped; contradictions are looked for no further.")
    return Looked(
        here.case.id, tuple(found), Checked(mark, whole, tuple(map(kept_as, found))), lungs
    )


def look_at_all(
    dataset: Dataset,
    cases: Sequence[CaseInfo],
    before: Mapping[str, Checked],
    journal: Journal | None,
    stop: Event,
    *,
    images: bool,
) -> Iterator[Result]:
    """Look at cases, with what was corrected in them.

    The dataset is opened anew, so that nothing that is read here is in the window's way.
    """
    own = type(dataset)(dataset.root)
    own.prepare(stop=stop)
    yield from check_all(
        own,
        cases,
        before,
        images=images,
        readings_of=_as_left(own, journal),
        stopped=stop.is_set,
    )


def _as_left(
    dataset: Dataset, journal: Journal | None
) -> Callable[[CaseInfo], Sequence[Reading]] | None:
    """The readings of a case as they were left, where the journal has work on them."""
    if journal is None:
        return None
    begun = {(one.case, one.reader) for one in journal.in_progress()}

    def left(case: CaseInfo) -> Sequence[Reading]:
        found = []
        for reading in dataset.readings(case.id):
            one = reading
            if (case.id, reading.reader) in begun:
                one = _resumed(journal, case, reading)
            found.append(one)
        return found

    return left


def _resumed(journal: Journal, case: CaseInfo, reading: Reading) -> Reading:
    try:
        resumed = journal.peek(case.id, reading.reader, reading)
        if resumed is None:
            return reading
        return begin_draft(None, case, reading, resumed).standing
    except ChestError:
        return reading  # which opening the case tells
