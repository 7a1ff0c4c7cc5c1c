"""Where the readings of a case differ: connected parts of masks, runs of slices, answers; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_chest.changes import slice_ranges
from napari_chest.review.differing import ONLY_A, ONLY_B, OTHERS, Places, places_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import numpy.typing as npt

    from napari_chest.model import Mask, Question, Reading, Segment, SliceLabels
    from napari_chest.review.words import Voxel

    Labels = npt.NDArray[np.unsignedinteger[Any]]

__all__ = ["ONLY_A", "ONLY_B", "OTHERS", "AnswerDifference", "Component", "Disagreements"]

Extent = tuple[tuple[int, int], ...]
"""(start, stop) per axis, as a `Decision` has its box."""


@dataclass(frozen=True)
class Component:
    """Voxels that hang together (26-connected) where the readings do not all say the same.

    Attributes
    ----------
    mask : name of the mask.
    number : its place among those of its mask, the largest first.
    box : (start, stop) along (z, y, x).
    voxels, ml : how large it is.
    slice : the display slice with most of it.
    voxel : one of its voxels on that slice, near the middle.
    says : per reading (value, voxels) of what it says there, most first; 0 is background.
    """

    mask: str
    number: int
    box: Extent
    voxels: int
    ml: float
    slice: int
    voxel: Voxel
    says: tuple[tuple[tuple[int, int], ...], ...]

    @property
    def values(self) -> tuple[int, ...]:
        """The segments that anybody sees there, those with most voxels first."""
        sums: dict[int, int] = {}
        for value, voxels in (pair for said in self.says for pair in said if pair[0]):
            sums[value] = sums.get(value, 0) + voxels
        return tuple(sorted(sums, key=lambda value: -sums[value]))

    @property
    def about(self) -> str:
        """What it is, as a decision about it says."""
        start, stop = self.box[0]
        return f"component of {self.voxels} voxels on {on_slices(range(start, stop))}"


@dataclass(frozen=True)
class CellRun:
    """Slices in a row of which the readings say the same different things in one column.

    Attributes
    ----------
    column : name of the column.
    first, last : display slices.
    says : per reading yes or no; None of a reading without this column.
    """

    column: str
    first: int
    last: int
    says: tuple[bool | None, ...]

    @property
    def box(self) -> Extent:
        """The slices, (start, stop)."""
        return ((self.first, self.last + 1),)

    @property
    def about(self) -> str:
        """What it is, as a decision about it says."""
        return f"{self.column} on {on_slices(range(self.first, self.last + 1))}"


@dataclass(frozen=True)
class AnswerDifference:
    """A question that readings answer otherwise.

    Attributes
    ----------
    topic : what it asks, as `Question` has it.
    text : the question.
    says : per reading its answers, empty where it gives none; None where it was not asked.
    several : whether more than one answer may hold at once.
    """

    topic: str
    text: str
    says: tuple[tuple[str, ...] | None, ...]
    several: bool

    box: Extent = ()

    @property
    def about(self) -> str:
        """What it is, as a decision about it says."""
        return self.text


Item = Component | CellRun | AnswerDifference


@dataclass(frozen=True, eq=False)
class Disagreements:
    """All in which some readings of a case differ.

    Attributes
    ----------
    readers : whose readings were compared, A first.
    components : the largest first.
    runs : the longest first.
    answers : in the order of the questions.
    labels : per mask the labels of every reading, (Z, Y, X); edits may show in them.
    segments : per mask its segments, of all readings.
    columns : of slice labels that were compared.
    notes : what could not be compared, and why.
    """

    readers: tuple[str, ...]
    components: tuple[Component, ...]
    runs: tuple[CellRun, ...]
    answers: tuple[AnswerDifference, ...]
    labels: Mapping[str, tuple[Labels, ...]]
    segments: Mapping[str, tuple[Segment, ...]]
    columns: tuple[str, ...]
    notes: tuple[str, ...]
    _places: Mapping[str, Places]

    @property
    def items(self) -> tuple[Item, ...]:
        """All of them, in the order to decide them."""
        return (*self.components, *self.runs, *self.answers)

    def where(self, component: Component) -> npt.NDArray[np.bool_]:
        """Which voxels of its box a component is, of the box's shape."""
        where: npt.NDArray[np.bool_] = self.kinds(component) != 0
        return where

    def kinds(self, component: Component) -> npt.NDArray[np.uint8]:
        """`ONLY_A`, `ONLY_B` or `OTHERS` in a component, 0 around it; of its box's shape."""
        return self._places[component.mask].boxed(component.number, component.box)

    def fill(self, out: npt.NDArray[np.uint8]) -> None:
        """Write `ONLY_A`, `ONLY_B` and `OTHERS` of all masks into an array (Z, Y, X)."""
        for places in self._places.values():
            places.fill(out)

    def of_mask(self, mask: str) -> tuple[Component, ...]:
        """The components of a mask."""
        return tuple(one for one in self.components if one.mask == mask)


def disagreements(
    readings: Sequence[Reading],
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0),
    questions: Sequence[Question] = (),
) -> Disagreements:
    """In what two or more readings of a case differ.

    Masks are matched by name; one that a reading lacks is empty, or as it would begin where it
    tells another one apart. Aids are left out, and the column that follows the other ones. A
    reading without a slice table, or that was not asked a question, has no say in it.

    Parameters
    ----------
    readings : A first, then B.
    spacing : between voxel centres along (z, y, x) in mm.
    questions : which keys of answers ask the same, and in which words.
    """
    notes: list[str] = []
    components: list[Component] = []
    labels, places = {}, {}
    ml = spacing[0] * spacing[1] * spacing[2] / 1000
    for name in compared_masks(readings):
        arrays = labels_of(readings, name)
        if len({array.shape for array in arrays}) > 1:
            notes.append(f"Mask {name} has another grid in some readings, so it is not compared.")
            continue
        labels[name], places[name] = arrays, places_of(arrays)
        components += _components(name, places[name], ml)
    return Disagreements(
        tuple(reading.reader for reading in readings),
        tuple(sorted(components, key=lambda one: -one.voxels)),
        tuple(sorted(_runs(readings, notes), key=lambda one: one.first - one.last)),
        tuple(one for one in asked(readings, questions) if _differ(one.says)),
        labels,
        {name: segments_of(readings, name) for name in labels},
        columns_of(readings),
        tuple(notes),
        places,
    )


def compared_masks(readings: Iterable[Reading]) -> tuple[str, ...]:
    """The names of the masks that readings are compared by, aids and followers left out."""
    masks = [mask for reading in readings for mask in reading.masks if not mask.aid]
    told_apart = {mask.splits for mask in masks}
    return tuple(dict.fromkeys(mask.name for mask in masks if mask.name not in told_apart))


def labels_of(readings: Sequence[Reading], name: str) -> tuple[Labels, ...]:
    """What each reading says in a mask, (Z, Y, X); of one that lacks it, as it would begin."""
    known = next(mask for reading in readings for mask in reading.masks if mask.name == name)
    return tuple(_labels(reading, known) for reading in readings)


def segments_of(readings: Iterable[Reading], name: str) -> tuple[Segment, ...]:
    """The segments of a mask; of two readings that name a value otherwise, the first's counts."""
    found: dict[int, Segment] = {}
    for mask in (mask for reading in readings for mask in reading.masks if mask.name == name):
        for segment in mask.segments:
            found.setdefault(segment.value, segment)
    return tuple(found[value] for value in sorted(found))


def asked(
    readings: Sequence[Reading], questions: Sequence[Question]
) -> tuple[AnswerDifference, ...]:
    """Every question that a reading was asked, with what each says, alike or not."""
    topics = {question.key: question.topic for question in questions}
    keys = dict.fromkeys(question.key for question in questions)
    keys |= dict.fromkeys(key for reading in readings for key in reading.answers)
    by_topic: dict[str, list[str]] = {}
    for key in keys:
        by_topic.setdefault(topics.get(key, key), []).append(key)
    known = {question.key: question for question in questions}
    found = []
    for topic, alike in by_topic.items():
        says = tuple(_answer(reading, alike) for reading in readings)
        first = known.get(alike[0])
        texts = [known[key].text for key in alike if key in known]
        if any(said is not None for said in says):
            several = first is None or first.several
            found.append(AnswerDifference(topic, _common(texts) or topic, says, several))
    return tuple(found)


def tables(readings: Iterable[Reading]) -> Iterator[SliceLabels]:
    """The slice tables of readings, of those that have one."""
    return (reading.slice_labels for reading in readings if reading.slice_labels is not None)


def columns_of(readings: Sequence[Reading]) -> tuple[str, ...]:
    """The columns that readings are compared by: not those that follow the others."""
    found: dict[str, None] = {}
    for table in tables(readings):
        follows = table.any_column if len(table.columns) > 1 else None
        found |= dict.fromkeys(name for name in table.columns if name != follows)
    return tuple(found)


def on_slices(slices: Iterable[int]) -> str:
    """Slices as a person counts them: ``slices 40-44``."""
    found = list(slices)
    return f"{'slice' if len(found) == 1 else 'slices'} {slice_ranges(found)}"


def _components(mask: str, places: Places, ml: float) -> Iterator[Component]:
    for number in range(places.count):
        voxels = places.sizes[number]
        yield Component(
            mask,
            number,
            places.boxes[number],
            voxels,
            voxels * ml,
            places.voxels[number][0],
            places.voxels[number],
            places.says(number),
        )


def _labels(reading: Reading, known: Mask) -> Labels:
    masks = {mask.name: mask for mask in reading.masks}
    if known.name in masks:
        return masks[known.name].labels
    whole = masks.get(known.splits or "")
    if whole is not None and known.segments:
        begun: Labels = np.where(whole.labels != 0, known.segments[-1].value, 0)
        return begun.astype(known.labels.dtype)
    # One zero, seen everywhere: it takes no memory.
    nothing: Labels = np.broadcast_to(known.labels.dtype.type(0), known.labels.shape)
    return nothing


def _runs(readings: Sequence[Reading], notes: list[str]) -> Iterator[CellRun]:
    lengths = {len(table.values) for table in tables(readings)}
    if len(lengths) > 1:
        notes.append("The readings label different numbers of slices, so these are not compared.")
        return
    for column in columns_of(readings):
        votes = [_column(reading.slice_labels, column) for reading in readings]
        rows = list(zip(*(vote for vote in votes if vote is not None), strict=True))
        first = 0
        for z in range(1, len(rows) + 1):
            if z == len(rows) or rows[z] != rows[first]:
                if len(set(rows[first])) > 1:
                    yield CellRun(column, first, z - 1, _said(votes, first))
                first = z


def _column(table: SliceLabels | None, column: str) -> list[bool] | None:
    if table is None or column not in table.columns:
        return None
    values: list[bool] = table.values[:, table.columns.index(column)].tolist()
    return values


def _said(votes: Sequence[list[bool] | None], z: int) -> tuple[bool | None, ...]:
    return tuple(None if vote is None else vote[z] for vote in votes)


def _answer(reading: Reading, keys: Iterable[str]) -> tuple[str, ...] | None:
    """What a reading answers under any of these keys; None where it was asked under none."""
    given = [reading.answers[key] for key in keys if key in reading.answers]
    return next((answer for answer in given if answer), given[0] if given else None)


def _differ(says: Iterable[tuple[str, ...] | None]) -> bool:
    # In which order several answers were given means nothing.
    return len({frozenset(said) for said in says if said is not None}) > 1


def _common(texts: Sequence[str]) -> str:
    """The words of a question that was asked of each reader apart, without those of one reader."""
    if len(set(texts)) < 2:
        return texts[0] if texts else ""
    words = zip(*(text.split() for text in texts), strict=False)
    shared = []
    for alike in words:
        if len(set(alike)) > 1:
            break
        shared.append(alike[0])
    return " ".join(shared).rstrip(" (:")
