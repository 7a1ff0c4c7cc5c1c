"""What an adjudicator decides about: one disagreement, those of a slice, or all; pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_chest.edits import settle
from napari_chest.measure.consensus import consensus
from napari_chest.model import Mask, Reading, SliceLabels
from napari_chest.review.disagreement import (
    AnswerDifference,
    CellRun,
    Component,
    asked,
    columns_of,
    compared_masks,
    labels_of,
    on_slices,
    segments_of,
    tables,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy.typing as npt

    from napari_chest.model import Question
    from napari_chest.review.disagreement import Disagreements, Extent, Item
    from napari_chest.review.words import Choice, Decision, Scope

    Labels = npt.NDArray[np.unsignedinteger[Any]]


@dataclass(frozen=True)
class Target:
    """What a decision is about.

    Attributes
    ----------
    scope : how much it is.
    about : what it is, in words.
    mask : name of the mask; empty where it is none or several.
    box : (start, stop) per axis of what is concerned; empty where it has no place.
    components : of masks.
    runs : of slice labels.
    answers : to questions.
    slice : the only display slice that is concerned; None for all.
    """

    scope: Scope
    about: str
    mask: str = ""
    box: Extent = ()
    components: tuple[Component, ...] = ()
    runs: tuple[CellRun, ...] = ()
    answers: tuple[AnswerDifference, ...] = ()
    slice: int | None = None

    def __bool__(self) -> bool:
        return bool(self.components or self.runs or self.answers)


def target_of(item: Item) -> Target:
    """One disagreement."""
    match item:
        case Component():
            return Target("component", item.about, item.mask, item.box, components=(item,))
        case CellRun():
            return Target("component", item.about, box=item.box, runs=(item,))
        case AnswerDifference():
            return Target("component", item.about, answers=(item,))


def target_on_slice(found: Disagreements, z: int) -> Target:
    """All that differs on one display slice."""
    components = tuple(one for one in found.components if one.box[0][0] <= z < one.box[0][1])
    runs = tuple(replace(r, first=z, last=z) for r in found.runs if r.first <= z <= r.last)
    voxels = sum(int(np.count_nonzero(found.where(c)[z - c.box[0][0]])) for c in components)
    about = f"{on_slices([z])}: {_counted(components, voxels, runs, ())}"
    box = ((z, z + 1), *_around(components)[1:])
    return Target("slice", about, _only_mask(components), box, components, runs, (), z)


def target_of_case(found: Disagreements) -> Target:
    """All that differs."""
    voxels = sum(one.voxels for one in found.components)
    counted = _counted(found.components, voxels, found.runs, found.answers)
    return Target(
        "case",
        f"the whole case: {counted}",
        _only_mask(found.components),
        _around(found.components),
        found.components,
        found.runs,
        found.answers,
    )


def decided(found: Disagreements, decisions: Iterable[Decision]) -> dict[Item, Decision]:
    """The last decision about every disagreement that was decided.

    A decision holds for what it was made about: where a reading has changed since, what differs
    there now is open again. Which reading was A and which B does not matter.
    """
    everybody = frozenset(found.readers)
    by_key = {_key(target_of(item)): item for item in found.items}
    whole = target_of_case(found)
    settled: dict[Item, Decision] = {}
    slices: dict[int, Decision] = {}
    for one in decisions:
        if one.undone or frozenset(one.readers) != everybody:
            continue
        key = (one.mask, one.box, one.about)
        if one.scope == "component" and key in by_key:
            settled[by_key[key]] = one
        elif one.scope == "case" and one.about == whole.about and one.box == whole.box:
            settled |= dict.fromkeys(found.items, one)
        elif one.scope == "slice" and one.box:
            z = one.box[0][0]
            if target_on_slice(found, z).about == one.about:
                slices[z] = one
                settled |= _through(found, slices, z, one)
    return settled


def _through(
    found: Disagreements, slices: Mapping[int, Decision], z: int, last: Decision
) -> dict[Item, Decision]:
    """What goes through a slice and was decided on all its slices, one by one."""
    placed: tuple[Component | CellRun, ...] = (*found.components, *found.runs)
    return {
        item: last
        for item in placed
        if item.box[0][0] <= z < item.box[0][1]
        and all(other in slices for other in range(*item.box[0]))
    }


# What a choice makes of it


def voxels_taken(
    choice: Choice, found: Disagreements, component: Component, staple: Labels | None = None
) -> Labels:
    """The labels of a component's box as a choice has them.

    Parameters
    ----------
    choice : any but ``painted``.
    found, component : what differs.
    staple : (Z, Y, X), what STAPLE makes of the whole mask, where that is the choice.
    """
    box = tuple(slice(*part) for part in component.box)
    if staple is not None:
        return staple[box]
    votes = found.labels[component.mask]
    kind = np.result_type(*votes)
    taken: Labels = consensus(choice, [vote[box].astype(kind, copy=False) for vote in votes])
    return taken


def cell_taken(choice: Choice, run: CellRun) -> bool | None:
    """What a choice says of slices in a column; None where A or B has no such column.

    STAPLE weighs readers by many voxels, which single cells are not: it is the majority here.
    """
    votes = [said for said in run.says if said is not None]
    match choice:
        case "A" | "B":
            return run.says["AB".index(choice)]
        case "union":
            return any(votes)
        case "intersection":
            return all(votes)
        case _:
            return 2 * sum(votes) > len(votes)


def answer_taken(choice: Choice, one: AnswerDifference) -> tuple[str, ...] | None:
    """What a choice answers; None where it comes to no answer that the question allows.

    A reader who gave no answer has no vote. STAPLE is the majority here, as of slices.
    """
    if choice in ("A", "B"):
        return one.says["AB".index(choice)]
    votes = [said for said in one.says if said]
    counts = Counter(answer for said in votes for answer in dict.fromkeys(said))
    least = {"union": 1, "intersection": len(votes)}.get(choice, len(votes) // 2 + 1)
    taken = tuple(answer for answer, count in counts.items() if count >= least)
    return taken if len(taken) == 1 or (taken and one.several) else None


def agreed(
    readings: Sequence[Reading],
    questions: Sequence[Question] = (),
    base: Reading | None = None,
) -> Reading:
    """What all readings of a case agree on: the intersection of masks and cells, equal answers.

    Parameters
    ----------
    readings : those that are compared.
    questions : which keys of answers ask the same; an answer stands under all of them.
    base : the reading that this is written as in the end. What none of the others speaks of stays
        as it has it.
    """
    masks = []
    for name in compared_masks(readings):
        votes = labels_of(readings, name)
        if len({vote.shape for vote in votes}) == 1:
            kind = np.result_type(*votes)
            labels = consensus("intersection", [vote.astype(kind, copy=False) for vote in votes])
            known = next(m for reading in readings for m in reading.masks if m.name == name)
            masks.append(Mask(name, labels, segments_of(readings, name), known.splits))
    topics: dict[str, list[str]] = {}
    for question in questions:
        topics.setdefault(question.topic, []).append(question.key)
    answers = {
        key: next(said for said in one.says if said is not None)
        for one in asked(readings, questions)
        if len({frozenset(said) for said in one.says if said is not None}) == 1
        for key in topics.get(one.topic, [one.topic])
    }
    agreed_on = Reading("", tuple(masks), _agreed_labels(readings), answers)
    return agreed_on if base is None else _with_rest(agreed_on, readings, base, topics)


def _with_rest(
    agreed_on: Reading,
    readings: Sequence[Reading],
    base: Reading,
    topics: Mapping[str, Sequence[str]],
) -> Reading:
    """The same with all that the base has and none of the readings speaks of."""
    known = {mask.name for reading in readings for mask in reading.masks}
    masks = tuple(m for m in base.masks if m.name not in known and m.splits not in known)
    spoken = {key for reading in readings for key in reading.answers}
    spoken |= {key for keys in topics.values() if spoken & set(keys) for key in keys}
    answers = {key: said for key, said in base.answers.items() if key not in spoken}
    return replace(
        agreed_on,
        masks=(*agreed_on.masks, *(mask for mask in masks if not mask.aid)),
        slice_labels=agreed_on.slice_labels or base.slice_labels,
        answers={**answers, **agreed_on.answers},
    )


def _agreed_labels(readings: Sequence[Reading]) -> SliceLabels | None:
    found = list(tables(readings))
    if not found or len({len(table.values) for table in found}) > 1:
        return None
    first = found[0]
    values = np.zeros(first.values.shape, np.bool_)
    for column in columns_of(readings):
        votes = [t.values[:, t.columns.index(column)] for t in found if column in t.columns]
        if column in first.columns:
            values[:, first.columns.index(column)] = np.logical_and.reduce(votes)
    return first.with_values(settle(first.with_values(np.zeros_like(values)), values))


def _key(target: Target) -> tuple[str, Extent, str]:
    return target.mask, target.box, target.about


def _only_mask(components: Iterable[Component]) -> str:
    names = {one.mask for one in components}
    return names.pop() if len(names) == 1 else ""


def _around(components: Sequence[Component]) -> Extent:
    if not components:
        return ()
    return tuple(
        (min(one.box[axis][0] for one in components), max(one.box[axis][1] for one in components))
        for axis in range(3)
    )


def _counted(
    components: Sequence[Component],
    voxels: int,
    runs: Sequence[CellRun],
    answers: Sequence[AnswerDifference],
) -> str:
    parts = (
        (len(components), "component", f" of {voxels} voxels"),
        (len(runs), "run of slice labels", ""),
        (len(answers), "answer", ""),
    )
    told = [_plural(number, noun) + more for number, noun, more in parts if number]
    return ", ".join(told) or "nothing"


def _plural(number: int, noun: str) -> str:
    if number == 1:
        return f"1 {noun}"
    first, *rest = noun.split(" ")
    return " ".join((f"{number} {first}s", *rest))
