"""How far the readings of a case agree, in masks, slice labels and answers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from napari_chest.errors import StoppedError
from napari_chest.measure import kappa
from napari_chest.measure import overlap as overlaps
from napari_chest.measure.answers import AnswerAgreement, answer_agreements
from napari_chest.measure.kappa import Concordance, concordances
from napari_chest.measure.overlap import Overlap, overlap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from threading import Event

    import numpy.typing as npt

    from napari_chest.model import Grid, Mask, Question, Reading, Segment

Pair = tuple[str, str]
"""Two readers, A and B."""

DEFINITIONS: dict[str, str] = {**overlaps.DEFINITIONS, **kappa.DEFINITIONS}
"""What each number means, as shown beside it."""


class NoiseFloor(NamedTuple):
    """What people reach among themselves: mean and standard deviation of a number, and whence."""

    name: str
    mean: float
    deviation: float
    source: str


BETWEEN_READERS = NoiseFloor(
    "Dice of COVID-19 lesions between readers", 0.70, 0.08, "Bartoli et al. 2022"
)
WITHIN_A_READER = NoiseFloor(
    "Dice of COVID-19 lesions of one reader twice", 0.72, 0.09, "Bartoli et al. 2022"
)
NOISE_FLOOR: tuple[NoiseFloor, ...] = (BETWEEN_READERS, WITHIN_A_READER)
"""Reference lines for the Dice of lesions: two people do not agree better than this."""


@dataclass(frozen=True, eq=False)
class SegmentAgreement:
    """How two readers' masks of one segment relate.

    Attributes
    ----------
    readers : A and B.
    mask, segment : names of the mask and of the segment in it.
    overlap : the numbers.
    """

    readers: Pair
    mask: str
    segment: str
    overlap: Overlap


@dataclass(frozen=True, eq=False)
class ColumnAgreement:
    """How far readers agree on one column of the slice labels.

    Attributes
    ----------
    column : what was asked of each slice.
    labels : per reader (Z,) bool.
    found : of all readers where they are more than two, then of every two.
    """

    column: str
    labels: Mapping[str, npt.NDArray[np.bool_]]
    found: tuple[Concordance, ...]


@dataclass(frozen=True, eq=False)
class CaseAgreement:
    """How far the readings of one case agree.

    Attributes
    ----------
    case : its id.
    readers : A first.
    unit : of distances: ``px`` where the spacing is unknown.
    segments : for every two readers and every segment that any of them has.
    columns : for every column of the slice labels that two readers have.
    answers : for every question that any of them answered.
    notes : what should be known before believing the numbers.
    """

    case: str
    readers: tuple[str, ...]
    unit: Literal["mm", "px"]
    segments: tuple[SegmentAgreement, ...]
    columns: tuple[ColumnAgreement, ...]
    answers: tuple[AnswerAgreement, ...]
    notes: tuple[str, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether the readers differ: by more than people do in masks, at all in labels or answers.

        In masks by a Dice that lies below the mean of `BETWEEN_READERS` by more than its deviation.
        """
        least = BETWEEN_READERS.mean - BETWEEN_READERS.deviation
        found = (one.overlap.dice for one in self.segments)
        masks = any(dice is not None and dice < least for dice in found)
        labels = any(
            not np.array_equal(said, first)
            for column in self.columns
            for first in list(column.labels.values())[:1]
            for said in column.labels.values()
        )
        return masks or labels or any(one.same is False for one in self.answers)


def agreement(
    readings: Sequence[Reading],
    grid: Grid,
    *,
    case: str = "",
    readers: Sequence[str] | None = None,
    questions: Sequence[Question] = (),
    stop: Event | None = None,
) -> CaseAgreement:
    """How far two or more readings of a case agree.

    A mask or segment that a reader does not have is empty. Aids are left out.

    Parameters
    ----------
    readings : of one case, A first.
    grid : of the case's volume.
    case : its id.
    readers : compare only these, in this order; those that are not among the readings are left out.
    questions : of the dataset: which keys of answers ask the same, and the choices.
    stop : ends the work early.

    Raises
    ------
    ValueError
        when fewer than two readings are left, two are of the same reader, or one does not lie on
        the grid.
    StoppedError
        when ``stop`` was set before the end.
    """
    chosen = _chosen(readings, readers)
    for reading in chosen:
        _check_grid(reading, grid)
    spacing = None if grid.calibration == "unknown" else grid.spacing
    return CaseAgreement(
        case,
        tuple(reading.reader for reading in chosen),
        "px" if spacing is None else "mm",
        _segments(chosen, grid, spacing, stop),
        _columns(chosen, stop),
        answer_agreements(chosen, questions),
        _notes(chosen, spacing),
    )


def _chosen(readings: Sequence[Reading], readers: Sequence[str] | None) -> list[Reading]:
    by_name = {reading.reader: reading for reading in readings}
    if len(by_name) < len(readings):
        raise ValueError("two readings are of the same reader; give each a name of its own")
    names = by_name if readers is None else dict.fromkeys(readers)
    chosen = [by_name[name] for name in names if name in by_name]
    if len(chosen) < 2:
        have = ", ".join(by_name) or "none"
        raise ValueError(f"agreement needs readings of two readers; this case has: {have}")
    return chosen


def _check_grid(reading: Reading, grid: Grid) -> None:
    for mask in reading.masks:
        if mask.labels.shape != grid.shape:
            raise ValueError(
                f"mask {mask.name} of {reading.reader} has {mask.labels.shape} voxels and the case "
                f"{grid.shape}: they lie on different grids and cannot be compared"
            )
    labels = reading.slice_labels
    if labels is not None and len(labels.values) != grid.shape[0]:
        raise ValueError(
            f"the slice labels of {reading.reader} tell of {len(labels.values)} slices and the "
            f"case has {grid.shape[0]}: they cannot be compared"
        )


def _segments(
    readings: Sequence[Reading],
    grid: Grid,
    spacing: tuple[float, float, float] | None,
    stop: Event | None,
) -> tuple[SegmentAgreement, ...]:
    found = []
    for mask, segment in _all_segments(readings):
        inside = {reading.reader: _inside(reading, mask, segment, grid) for reading in readings}
        for a, b in combinations(inside, 2):
            numbers = overlap(inside[a], inside[b], spacing, stop)
            found.append(SegmentAgreement((a, b), mask, segment, numbers))
    return tuple(found)


def _all_segments(readings: Sequence[Reading]) -> tuple[tuple[str, str], ...]:
    """Names of mask and segment of all that any reader has, in their order."""
    return tuple(
        dict.fromkeys(
            (mask.name, _key(mask, segment))
            for reading in readings
            for mask in reading.masks
            if not mask.aid
            for segment in mask.segments
        )
    )


def _key(mask: Mask, segment: Segment) -> str:
    """Name of a segment, unique in its mask; readers may use other values for the same name."""
    names = [other.name for other in mask.segments]
    return segment.name if names.count(segment.name) == 1 else f"{segment.name} ({segment.value})"


def _inside(reading: Reading, mask: str, segment: str, grid: Grid) -> npt.NDArray[np.bool_]:
    for own in reading.masks:
        for one in own.segments:
            if own.name == mask and _key(own, one) == segment and not own.aid:
                return np.asarray(own.labels == one.value)
    return np.zeros(grid.shape, np.bool_)


def _columns(readings: Sequence[Reading], stop: Event | None) -> tuple[ColumnAgreement, ...]:
    tables = {r.reader: r.slice_labels for r in readings if r.slice_labels is not None}
    columns = dict.fromkeys(column for table in tables.values() for column in table.columns)
    found = []
    for column in columns:
        if stop is not None and stop.is_set():
            raise StoppedError("Stopped; the readings were not compared.")
        labels = {
            reader: table.values[:, table.columns.index(column)]
            for reader, table in tables.items()
            if column in table.columns
        }
        if len(labels) > 1:
            ratings = {reader: values.tolist() for reader, values in labels.items()}
            found.append(ColumnAgreement(column, labels, concordances(ratings)))
    return tuple(found)


def _notes(
    readings: Sequence[Reading], spacing: tuple[float, float, float] | None
) -> tuple[str, ...]:
    masks = dict.fromkeys(m.name for r in readings for m in r.masks if not m.aid)
    notes = [
        f"{reading.reader} has no mask {name}; it counts as empty."
        for name in masks
        for reading in readings
        if name not in {mask.name for mask in reading.masks}
    ]
    if masks and spacing is None:
        notes.append("The spacing of this image is unknown: distances are in px, there are no ml.")
    return tuple(notes)
