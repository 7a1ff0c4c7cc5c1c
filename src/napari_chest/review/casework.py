"""The readings of a case for whoever opens it: the dataset's, one's own, and those submitted."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_chest.edits import fingerprint
from napari_chest.model import Problem, Reading
from napari_chest.review.blind import blind_round
from napari_chest.review.packed import unpack_reading
from napari_chest.review.words import ADJUDICATED, reading_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from napari_chest.datasets import Dataset
    from napari_chest.model import Question
    from napari_chest.review.desk import Desk
    from napari_chest.review.words import Round, StoredReading


Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Seat:
    """Who reads, and in which round; 0 is the review of the dataset's own readings."""

    desk: Desk
    round: int = 0


@dataclass(frozen=True)
class Kept:
    """A reading that the review's store keeps, or will.

    Attributes
    ----------
    owner : whose it is; empty for the adjudicated one.
    round : in which it was made.
    of : the dataset's reader whose reading it corrects; empty where it began from scratch.
    base : fingerprint of that reading; empty where it began from scratch.
    """

    owner: str
    round: int
    of: str = ""
    base: str = ""


@dataclass(frozen=True)
class CaseReadings:
    """The readings of a case that somebody may see.

    Attributes
    ----------
    readings : in the order to show them.
    kept : those of them that are no readings of the dataset, by name.
    blind : why others are hidden; empty where all are shown.
    locked : why readings may not be changed, by name.
    problems : what a person should know.
    like : the dataset's reader as whose readings those that are kept are laid out.
    handed_in : the dataset's readers of whom this person submitted a correction, shown or not.
    """

    readings: tuple[Reading, ...]
    kept: Mapping[str, Kept] = field(default_factory=dict)
    blind: str = ""
    locked: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    like: str = ""
    handed_in: frozenset[str] = frozenset()


def case_readings(
    dataset: Dataset, case: str, shape: Shape, seat: Seat, begun: Collection[str] = ()
) -> CaseReadings:
    """The readings of a case for whoever sits here.

    Parameters
    ----------
    dataset, case : the case, by its id.
    shape : (Z, Y, X), of its volume.
    seat : who reads, and in which round.
    begun : readers of whom the journal has work in progress.

    Raises
    ------
    ReadError
        when the dataset's readings cannot be read.
    """
    # The store first: while it was not heard of, the book knows of no blind round.
    stored, problems = _fitting(seat.desk.readings(case), shape)
    book, person = seat.desk.book, seat.desk.person
    of_dataset = dataset.readings(case)
    blind = blind_round(book, person, seat.round, case)
    round_ = book.round_of(seat.round) if seat.round else None
    own = None
    if round_ is not None and (not round_.cases or case in round_.cases):
        name = reading_name(person, round_.number)
        own = stored.get(name) or _begun(dataset, case, shape, of_dataset, round_, name)
    if blind is not None:
        why = _why_blind(blind, seat.round)
        shown = _together(own, (), ())
    else:
        why = ""
        shown = _together(own, of_dataset, _others(dataset, of_dataset, stored, begun, person))
    locked = _locked(shown.kept, seat, adjudicates=book.is_adjudicator(person))
    return replace(
        shown,
        blind=why,
        locked=locked,
        problems=() if blind else problems,
        like=dataset.adjudicated_as(of_dataset) or "",
        handed_in=frozenset(
            kept.of for _, kept in stored.values() if kept.owner == person and not kept.round
        ),
    )


def emptied(reading: Reading, name: str) -> Reading:
    """A reading under another name that says nothing yet where the other says something."""
    masks = tuple(replace(m, labels=np.zeros_like(m.labels)) for m in reading.masks if not m.aid)
    table = reading.slice_labels
    if table is not None:
        table = table.with_values(np.zeros_like(table.values))
    return Reading(name, masks, table, dict.fromkeys(reading.answers, ()))


def alike(readings: Iterable[Reading], questions: Sequence[Question]) -> tuple[Reading, ...]:
    """The same readings with answers by topic, so that readers asked under other keys compare."""
    topics = {question.key: question.topic for question in questions}
    return tuple(
        replace(one, answers={topics.get(key, key): said for key, said in one.answers.items()})
        for one in readings
    )


def template(dataset: Dataset, case: str, readings: Sequence[Reading], slices: int) -> Reading:
    """The dataset's reading that one of the review's own is written as, or a blank one."""
    target = dataset.adjudicated_as(readings)
    found = next((one for one in readings if one.reader == target), None)
    return found if found is not None else dataset.blank(case, slices)


_Named = tuple[Reading, Kept]


def _begun(
    dataset: Dataset,
    case: str,
    shape: Shape,
    of_dataset: Sequence[Reading],
    round_: Round,
    name: str,
) -> _Named:
    """One's own reading in a round, as it begins."""
    owner = name.removesuffix(reading_name("", round_.number))
    begins = template(dataset, case, of_dataset, shape[0])
    if round_.start == "scratch" or not begins.reader:
        return emptied(begins, name), Kept(owner, round_.number)
    kept = Kept(owner, round_.number, begins.reader, fingerprint(begins))
    return replace(begins, reader=name), kept


def _others(
    dataset: Dataset,
    of_dataset: Sequence[Reading],
    stored: Mapping[str, _Named],
    begun: Collection[str],
    person: str,
) -> list[_Named]:
    """The readings that were submitted, and the adjudicated one, also where it is only begun."""
    # One's own correction goes on in the journal, where it began.
    found = [
        (reading, kept)
        for reading, kept in stored.values()
        if kept.owner != person or kept.round or kept.of not in begun
    ]
    if ADJUDICATED in begun and ADJUDICATED not in stored and of_dataset:
        found.append(adjudicated(dataset, of_dataset))
    return found


def adjudicated(dataset: Dataset, of_dataset: Sequence[Reading]) -> _Named:
    """The adjudicated reading of a case as it begins: empty, laid out as what it is written as.

    Parameters
    ----------
    dataset : the dataset.
    of_dataset : its readings of the case, one or more.
    """
    target = dataset.adjudicated_as(of_dataset)
    base = next((one for one in of_dataset if one.reader == target), of_dataset[0])
    return emptied(base, ADJUDICATED), Kept("", 0, base.reader, fingerprint(base))


def _fitting(
    stored: Iterable[StoredReading], shape: Shape
) -> tuple[dict[str, _Named], tuple[Problem, ...]]:
    """The stored readings that can be shown on a case, by name, and what is wrong with others."""
    found: dict[str, _Named] = {}
    problems = []
    for one in stored:
        try:
            reading = unpack_reading(one.payload)
            _check_shape(reading, shape)
        except ValueError as error:
            text = f"{one.name} in the store is not shown: {error}. Let {one.owner} submit it anew."
            problems.append(Problem("error", text))
            continue
        owner = "" if one.name == ADJUDICATED else one.owner
        kept = Kept(owner, one.round, one.of, one.base)
        found[one.name] = replace(reading, reader=one.name), kept
    return found, tuple(problems)


def _check_shape(reading: Reading, shape: Shape) -> None:
    for mask in reading.masks:
        if mask.labels.shape != shape:
            raise ValueError(f"its mask {mask.name} has {mask.labels.shape} voxels, not {shape}")
    table = reading.slice_labels
    if table is not None and len(table.values) != shape[0]:
        raise ValueError(f"it labels {len(table.values)} slices, not {shape[0]}")


def _together(
    own: _Named | None, of_dataset: Iterable[Reading], others: Iterable[_Named]
) -> CaseReadings:
    first = [] if own is None else [own]
    rest = [one for one in others if own is None or one[0].reader != own[0].reader]
    readings = (*(r for r, _ in first), *of_dataset, *(r for r, _ in rest))
    return CaseReadings(readings, {reading.reader: kept for reading, kept in (*first, *rest)})


def _locked(kept: Mapping[str, Kept], seat: Seat, *, adjudicates: bool) -> dict[str, str]:
    person, book = seat.desk.person, seat.desk.book
    locked = {}
    for name, one in kept.items():
        round_ = book.round_of(one.round) if one.round else None
        if round_ is not None and round_.closed:
            locked[name] = f"{round_.title} is closed, so that {name} cannot be changed any more."
        elif name == ADJUDICATED and not adjudicates:
            locked[name] = "Only an adjudicator changes the adjudicated reading."
        elif one.owner == person and one.round != seat.round:
            where = round_.title if round_ else "Review"
            locked[name] = f"{name} is changed in its own round: choose {where}."
        elif one.owner not in ("", person) and not adjudicates:
            locked[name] = f"{name} belongs to {one.owner}, and only an adjudicator may change it."
    return locked


def _why_blind(blind: Round, here: int) -> str:
    if blind.number == here:
        return f"{blind.title} is read blind: other readings are shown once you have submitted."
    return (
        f"You read this case blind in {blind.title}. Choose that round and submit there; then "
        "all readings are shown."
    )
