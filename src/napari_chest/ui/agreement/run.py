"""Holds the readings of all cases against each other, case by case; no widgets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from napari_chest.edits import fingerprint
from napari_chest.errors import ChestError
from napari_chest.measure.agreement import agreement
from napari_chest.measure.overall import over_cases
from napari_chest.review.all_readings import readings_of

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Sequence
    from threading import Event

    from napari_chest.datasets import Dataset
    from napari_chest.measure.agreement import CaseAgreement
    from napari_chest.measure.overall import Agreement
    from napari_chest.model import CaseInfo, Grid, Question, Reading
    from napari_chest.review.casework import Seat


class Measured:
    """What was measured, by what the readings say: the same is not measured again.

    Parameters
    ----------
    questions : of the dataset.
    """

    def __init__(self, questions: Sequence[Question]) -> None:
        self._questions = questions
        self._found: dict[tuple[str, ...], CaseAgreement] = {}

    def of(
        self, case: str, readings: Sequence[Reading], grid: Grid, stop: Event | None = None
    ) -> CaseAgreement:
        """How far the readings of a case agree; raises like `agreement`."""
        key = case, *(part for one in readings for part in (one.reader, fingerprint(one)))
        if key not in self._found:
            self._found[key] = agreement(
                readings, grid, case=case, questions=self._questions, stop=stop
            )
        return self._found[key]


@dataclass(frozen=True)
class Progress:
    """How many cases were looked at."""

    done: int
    of: int


@dataclass(frozen=True)
class AllCases:
    """What came of it.

    Attributes
    ----------
    agreement : over the cases that have two or more readings.
    readers : all who read any case, also those that are left out.
    alone : cases with fewer than two readings.
    blind : cases whose readings are hidden.
    problems : title of a case and why it, or a reading of it, is not in there.
    stopped : whether somebody stopped before the last case.
    """

    agreement: Agreement
    readers: tuple[str, ...]
    alone: int = 0
    blind: int = 0
    problems: tuple[tuple[str, str], ...] = ()
    stopped: bool = False


@dataclass
class _Tally:
    found: list[CaseAgreement] = field(default_factory=list)
    readers: dict[str, None] = field(default_factory=dict)
    alone: int = 0
    blind: int = 0
    problems: list[tuple[str, str]] = field(default_factory=list)


def all_cases(
    dataset: Dataset,
    cases: Sequence[CaseInfo],
    seat: Seat | None,
    left_out: Collection[str],
    measured: Measured,
    stop: Event,
) -> Generator[Progress, None, AllCases]:
    """Hold the readings of every case against each other, until ``stop`` is set.

    Parameters
    ----------
    dataset, cases : the dataset and all its cases.
    seat : who looks; None where nothing but the dataset is known.
    left_out : readers who do not count.
    measured : what was measured before.
    """
    tally = _Tally()
    for done, info in enumerate(cases):
        if stop.is_set():
            break
        try:
            _look_at(dataset, info, seat, left_out, measured, tally, stop)
        except (ChestError, OSError, ValueError) as error:
            if not stop.is_set():
                tally.problems.append((info.title, str(error)))
        yield Progress(done + 1, len(cases))
    return AllCases(
        over_cases(tally.found, tuple(tally.readers)),
        tuple(tally.readers),
        tally.alone,
        tally.blind,
        tuple(tally.problems),
        stop.is_set(),
    )


def _look_at(
    dataset: Dataset,
    info: CaseInfo,
    seat: Seat | None,
    left_out: Collection[str],
    measured: Measured,
    tally: _Tally,
    stop: Event,
) -> None:
    stream = dataset.stream(info.id)
    stream.slices.close()  # where the voxels lie is enough
    grid = stream.volume.grid
    found = readings_of(dataset, seat, info.id, grid.shape)
    tally.problems += [(info.title, text) for text in found.problems]
    tally.readers |= dict.fromkeys(one.reader for one in found.readings)
    if found.blind:
        tally.blind += 1
        return
    readings = [one for one in found.readings if one.reader not in left_out]
    if len(readings) < 2:
        tally.alone += 1
    else:
        tally.found.append(measured.of(info.id, readings, grid, stop))
