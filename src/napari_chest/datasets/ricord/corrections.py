"""A reading brought into an export: only what it says otherwise is touched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_chest.datasets.ricord import answers, drawing
from napari_chest.datasets.ricord.findings import may_be_drawn, question_key
from napari_chest.datasets.ricord.rings import data_of
from napari_chest.errors import SaveError
from napari_chest.files.mdai import Add, Delete, ReplaceData

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    from napari_chest.datasets.ricord.cases import Case
    from napari_chest.datasets.ricord.drawing import Drawing, Patch, Rule
    from napari_chest.datasets.ricord.findings import GroupLabels
    from napari_chest.datasets.ricord.readers import Reader
    from napari_chest.files.mdai import MdaiAnnotation, MdaiEdit, MdaiFile
    from napari_chest.model import Grid, Mask, Reading

    Pixels = npt.NDArray[np.bool_]

_TOUCHING = np.ones((3, 3), dtype=np.bool_)


@dataclass(frozen=True, eq=False)
class State:
    """One state of an export as it speaks of a case.

    Attributes
    ----------
    file : the export.
    drawing : what it draws on the case's slices; None where the case has no readable image.
    """

    file: MdaiFile
    drawing: Drawing | None


@dataclass(frozen=True, eq=False)
class Place:
    """What has to be known of a case and a reader to write what the reader says.

    Attributes
    ----------
    grid : None where the case has no readable image.
    labels : the labels of the reader's group.
    rule : how rings become pixels.
    """

    case: Case
    grid: Grid | None
    reader: Reader
    labels: GroupLabels
    rule: Rule

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of a slice."""
        assert self.grid is not None
        return self.grid.shape[1], self.grid.shape[2]


@dataclass(frozen=True, eq=False)
class Unit:
    """What a reader says of one label in one place, and what is to stand there.

    Attributes
    ----------
    label : identifier of the label.
    z : the slice; None for the study or its series.
    wanted : (Y, X) bool; for the study whether the label holds.
    """

    label: str
    z: int | None
    wanted: Pixels | bool


def check_reading(place: Place, reading: Reading) -> None:
    """Refuse what the export has no room for."""
    title = place.case.title
    if reading.slice_labels is not None:
        raise SaveError(f"{title}: the annotations have no slice labels. Nothing was written.")
    if reading.masks and place.grid is None:
        raise SaveError(f"{title} has no image that can be annotated. Nothing was written.")
    names = [mask.name for mask in reading.masks]
    if unknown := set(names) - set(place.labels.drawn.values()):
        raise SaveError(
            f"{title}: {place.labels.group.name} has no label {', '.join(sorted(unknown))}. "
            "Nothing was written."
        )
    if len(set(names)) < len(names):
        raise SaveError(f"{title}: two masks have one name. Nothing was written.")
    for mask in reading.masks:
        if place.grid is not None and mask.labels.shape != place.grid.shape:
            raise SaveError(
                f"{title} has the shape {place.grid.shape}, the mask {mask.name} is for "
                f"{mask.labels.shape}. Nothing was written."
            )


def differing(place: Place, reading: Reading, standing: State) -> list[Unit]:
    """What of a reading is not as it stands."""
    return [
        *_differing_masks(place, reading, standing),
        *_differing_answers(place, reading, standing),
    ]


def members(place: Place, unit: Unit, state: State) -> list[MdaiAnnotation]:
    """The annotations that say what a unit is about."""
    if unit.z is not None:
        assert state.drawing is not None
        patches = state.drawing.of(place.reader, unit.label, unit.z)
        return [patch.annotation for patch in patches]
    found = answers.answering(state.file, place.case, place.reader, place.labels)
    return [one for one in found if one.label_id == unit.label]


def is_as_in(place: Place, unit: Unit, state: State) -> bool:
    """Whether another state says of a unit what is to stand there."""
    if unit.z is None:
        return bool(members(place, unit, state)) == unit.wanted
    assert state.drawing is not None
    patches = state.drawing.of(place.reader, unit.label, unit.z)
    return np.array_equal(drawing.union_of(patches, place.size), unit.wanted)


def edits_of(place: Place, unit: Unit, state: State) -> list[MdaiEdit]:
    """The edits that make an export say what a unit wants.

    Raises
    ------
    SaveError
        when its label has no room for that.
    """
    if unit.z is None:
        return _answer_edits(place, unit, state)
    return _mask_edits(place, unit, state)


# Masks


def _differing_masks(place: Place, reading: Reading, standing: State) -> Iterator[Unit]:
    if place.grid is None or standing.drawing is None:
        return
    wanted = {mask.name: mask for mask in reading.masks}
    for label, name in place.labels.drawn.items():
        mask = wanted.get(name)
        there = set(standing.drawing.slices_of(place.reader, label))
        for z in sorted(there | _painted(mask)):
            pixels = mask.labels[z] != 0 if mask else np.zeros(place.size, dtype=np.bool_)
            unit = Unit(label, z, pixels)
            if not is_as_in(place, unit, standing):
                yield unit


def _painted(mask: Mask | None) -> set[int]:
    """The slices on which a mask is anywhere."""
    if mask is None or not mask.labels.size:
        return set()
    highest = mask.labels.reshape(len(mask.labels), -1).max(axis=1)
    return set(np.flatnonzero(highest).tolist())


def _mask_edits(place: Place, unit: Unit, state: State) -> list[MdaiEdit]:
    """Replace, add and delete the annotations of one slice whose pixels changed.

    An annotation is kept when nothing changed in its pixels or next to them. What the kept ones
    leave to draw is drawn anew, each part in place of the annotation that it has most in common
    with.
    """
    assert state.drawing is not None
    assert isinstance(unit.wanted, np.ndarray)
    assert unit.z is not None
    patches = state.drawing.of(place.reader, unit.label, unit.z)
    changed = drawing.union_of(patches, place.size) != unit.wanted
    near = ndimage.binary_dilation(changed, _TOUCHING)
    kept = [patch for patch in patches if not (near[patch.box] & patch.pixels).any()]
    touched = [patch for patch in patches if patch not in kept]
    parts, count = ndimage.label(
        unit.wanted & ~drawing.union_of(kept, place.size), structure=_TOUCHING
    )
    successors = _successors(parts, count, touched)
    edits: list[MdaiEdit] = [
        Delete(patch.annotation.index) for patch in touched if patch not in successors.values()
    ]
    label = state.file.labels[unit.label]
    for number in range(1, count + 1):
        patch = successors.get(number)
        shape = patch.annotation.shape if patch else None
        what = f"{place.case.title}, {label.name}, slice {unit.z + 1}"
        data = data_of(parts == number, label, shape, what)
        if patch is not None:
            edits.append(ReplaceData(patch.annotation.index, data))
            continue
        if not may_be_drawn(label):
            raise SaveError(
                f"{what}: new annotations of this label cannot be drawn as a mask, as it is one "
                f"for {label.mode or 'no drawing'}. Nothing was written."
            )
        like = _example(place, unit, state, touched or kept)
        edits.append(_added(place, unit, like, data))
    return edits


def _successors(
    parts: npt.NDArray[np.int32], count: int, touched: Sequence[Patch]
) -> Mapping[int, Patch]:
    """Which annotation each part takes the place of: the one it has most pixels in common with."""
    shared = []
    for order, patch in enumerate(touched):
        pixels = np.bincount(parts[patch.box][patch.pixels], minlength=count + 1)
        shared += [(-int(n), order, part) for part, n in enumerate(pixels) if part and n]
    found: dict[int, Patch] = {}
    used: set[int] = set()
    for _, order, part in sorted(shared):
        if part not in found and order not in used:
            found[part] = touched[order]
            used.add(order)
    return found


def _example(
    place: Place, unit: Unit, state: State, near: Sequence[Patch]
) -> MdaiAnnotation | None:
    """The annotation that a new one is like: one beside it, else of the label, else any."""
    assert state.drawing is not None
    if near:
        return near[0].annotation
    own = {key: found for key, found in state.drawing.patches.items() if key[0] == place.reader}
    of_label = [found for key, found in own.items() if key[1] == unit.label]
    return next((found[0].annotation for found in (*of_label, *own.values())), None)


def _added(
    place: Place, unit: Unit, like: MdaiAnnotation | None, data: Mapping[str, object]
) -> Add:
    assert place.grid is not None
    assert unit.z is not None
    height, width = place.size
    return Add(
        unit.label,
        place.case.study_uid,
        answers.series_uid_of(place.case),
        place.grid.slice_ids[unit.z],
        height,
        width,
        data,
        None,
        None if like is None else like.index,
        "" if like is None else like.dataset,
    )


# Answers


def _differing_answers(place: Place, reading: Reading, standing: State) -> Iterator[Unit]:
    case, labels = place.case, place.labels
    for key, names in reading.answers.items():
        if key != question_key(labels.group.id):
            raise SaveError(f"{case.title}: nothing asks {key}. Nothing was written.")
        if unknown := set(names) - set(labels.answered.values()):
            raise SaveError(
                f"{case.title}: {labels.group.name} has no label {', '.join(sorted(unknown))}. "
                "Nothing was written."
            )
        for label, name in labels.answered.items():
            unit = Unit(label, None, name in names)
            if not is_as_in(place, unit, standing):
                yield unit


def _answer_edits(place: Place, unit: Unit, state: State) -> list[MdaiEdit]:
    standing = members(place, unit, state)
    if not unit.wanted:
        return [Delete(one.index) for one in standing]
    label = state.file.labels[unit.label]
    of_series = label.scope == "SERIES"
    if not of_series and not place.case.first:
        raise SaveError(
            f"{place.case.title}: {label.name} is said of the whole study, which is answered with "
            "its first case. Nothing was written."
        )
    like = _answer_example(place, state, of_series=of_series)
    series_uid = answers.series_uid_of(place.case) if of_series else ""
    return [
        Add(
            unit.label,
            place.case.study_uid,
            series_uid,
            like=None if like is None else like.index,
            dataset="" if like is None else like.dataset,
        )
    ]


def _answer_example(place: Place, state: State, *, of_series: bool) -> MdaiAnnotation | None:
    """An annotation of the same study and reader that says something of as much of it."""
    found = [
        one
        for one in state.file.of_study(place.case.study_uid)
        if one.label_id in place.labels.answered and bool(one.series_uid) == of_series
    ]
    return max(found, key=lambda one: one.creator == place.reader.creator, default=None)
