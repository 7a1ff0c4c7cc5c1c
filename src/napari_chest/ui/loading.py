"""Reading away from the window: datasets and cases, slice after slice; no widgets."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from napari_chest.datasets import open_dataset
from napari_chest.errors import ReadError
from napari_chest.review.casework import CaseReadings, case_readings
from napari_chest.ui.open_case import OpenCase
from napari_chest.ui.resuming import restore

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from pathlib import Path
    from threading import Event

    from napari_chest.datasets import Dataset
    from napari_chest.model import CaseInfo, Volume
    from napari_chest.review.casework import Seat
    from napari_chest.review.journal import Journal

_BATCH_SECONDS = 0.04
"""How long slices are gathered before the window is told: often enough to look alive."""


@dataclass(frozen=True)
class FirstImage:
    """The case, as soon as its first slice can be shown."""

    case: OpenCase
    first: int


@dataclass(frozen=True)
class Arrived:
    """Slices that can be shown now, and how many there are so far."""

    slices: tuple[int, ...]
    so_far: int
    of: int


@dataclass(frozen=True)
class Prepared:
    """How much of what a dataset needs before its cases can be listed is done."""

    done: int
    of: int


def read_dataset(
    path: Path, stop: Event | None = None, tell: Callable[[Prepared], None] | None = None
) -> tuple[Dataset, Sequence[CaseInfo]]:
    """Open a dataset and list its cases; raises like `open_dataset`, and StoppedError on ``stop``.

    ``tell`` is called from the thread that reads.
    """
    dataset = open_dataset(path)
    dataset.prepare(None if tell is None else lambda done, of: tell(Prepared(done, of)), stop)
    return dataset, dataset.cases()


def read_case(
    dataset: Dataset,
    info: CaseInfo,
    stop: Event,
    journal: Journal | None = None,
    seat: Seat | None = None,
) -> Generator[FirstImage | Arrived, None, OpenCase]:
    """Read a case from its middle slice outwards, until it is complete or ``stop`` is set.

    Yields the case with its first slice, then further slices in batches. Returns the case with all
    that is wrong with it. Its readings are as the journal has them, where there is one; with a seat
    they are those that the person who sits there may see.

    Raises
    ------
    ReadError
        when the case has no readable image.
    """
    stream = dataset.stream(info.id)
    try:
        first = next(stream.slices)
        case = _opened(dataset, info, stream.volume, journal, seat)
        yield FirstImage(case, first)
        total = stream.volume.grid.shape[0]
        so_far, batch, last = 1, [], time.monotonic()
        for z in stream.slices:
            if stop.is_set():
                break
            batch.append(z)
            if time.monotonic() - last >= _BATCH_SECONDS:
                so_far += len(batch)
                yield Arrived(tuple(batch), so_far, total)
                batch, last = [], time.monotonic()
        yield Arrived(tuple(batch), total, total)
    finally:
        stream.slices.close()
    return replace(case, problems=[*case.problems, *stream.problems])


def _begun(journal: Journal | None, case: str) -> tuple[str, ...]:
    """Readers of whom the journal has work in progress; `restore` tells where it cannot be read."""
    try:
        return () if journal is None else tuple(one.reader for one in journal.in_progress(case))
    except ReadError:
        return ()


def _opened(
    dataset: Dataset,
    info: CaseInfo,
    volume: Volume,
    journal: Journal | None,
    seat: Seat | None,
) -> OpenCase:
    if seat is None:
        found = CaseReadings(dataset.readings(info.id))
    else:
        begun = _begun(journal, info.id)
        found = case_readings(dataset, info.id, volume.grid.shape, seat, begun)
    restored = restore(journal, info, found.readings)
    problems = dataset.problems(info.id)
    if found.blind:  # what is known of a case, and what is wrong with it, tells of its readings
        info = replace(info, facts={})
        problems = [problem for problem in problems if problem.level == "error"]
    return OpenCase(
        info,
        volume,
        (*found.readings, *(() if found.blind else restored.erased)),
        [*problems, *restored.problems, *found.problems],
        () if found.blind else dataset.about(info.id),
        () if found.blind else dataset.annotations(info.id),
        restored,
        found.kept,
        found.blind,
        found.locked,
        found.like,
        found.handed_in,
    )
