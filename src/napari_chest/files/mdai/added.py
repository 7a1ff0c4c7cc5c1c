"""The values of a new annotation, with the keys that others of the file have."""

from __future__ import annotations

import json
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING

from napari_chest.errors import SaveError
from napari_chest.files.mdai.ids import fresh_id, time_text
from napari_chest.files.mdai.records import dataset_id
from napari_chest.files.mdai.style import Style
from napari_chest.files.mdai.text import shown, value_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from napari_chest.files.mdai.edits import Add
    from napari_chest.files.mdai.file import MdaiFile
    from napari_chest.files.mdai.records import MdaiAnnotation

_USUAL_KEYS = (
    "id",
    "parentId",
    "isImported",
    "createdAt",
    "createdById",
    "updatedAt",
    "updatedById",
    "modelId",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SOPInstanceUID",
    "labelId",
    "annotationNumber",
    "height",
    "width",
    "data",
    "note",
    "radlexTagIds",
    "reviewsPositiveCount",
    "reviewsNegativeCount",
)
_COUNTS = ("reviewsPositiveCount", "reviewsNegativeCount")
_NEEDED = ("id", "StudyInstanceUID", "labelId")


def annotation_at(file: MdaiFile, index: int) -> MdaiAnnotation:
    """The annotation that a correction means.

    Raises
    ------
    SaveError
        when there is none.
    """
    if not 0 <= index < len(file.annotations):
        raise SaveError(
            f"{file.where} has no annotation number {index + 1:,}. Nothing was changed."
        )
    return file.annotations[index]


def dataset_of(file: MdaiFile, add: Add) -> int:
    """The position of the dataset that a new annotation is put into.

    Raises
    ------
    SaveError
        when there is none.
    """
    datasets = file.places.datasets or []
    able = [number for number, one in enumerate(datasets) if one.annotations is not None]
    if not add.dataset and add.like is not None:
        return able[_nth_array(file, add.like)]
    names = {number: dataset_id(file.text.text, datasets[number]) for number in able}
    if add.dataset:
        able = [number for number in able if names[number] == add.dataset]
    listed = {dataset for dataset, study, _ in file.studies if study == add.study_uid}
    found = next((number for number in able if names[number] in listed), next(iter(able), None))
    if found is None:
        raise SaveError(
            f"{file.where} has no dataset {add.dataset} with a list of annotations. Nothing was "
            "changed."
        )
    return found


def added_values(
    file: MdaiFile, add: Add, used: set[str], now: datetime, person: str | None
) -> tuple[dict[str, object], int | None]:
    """The values of a new annotation by their keys, and the index of the one that it follows.

    ``used`` are the ids that are taken; the new one is put among them.

    Raises
    ------
    SaveError
        when there is none that it can follow.
    """
    sibling = _sibling(file, add) if add.like is None else annotation_at(file, add.like)
    model = {} if sibling is None else value_of(sibling.raw)
    if not isinstance(model, dict):
        raise SaveError(f"{sibling} has no keys, so that none can be like it.")
    time = time_text(now)
    label = file.labels.get(add.label_id)
    known: dict[str, object] = {
        "id": fresh_id("A", used),
        "isImported": True,
        "createdAt": time,
        "createdById": person,
        "updatedAt": time,
        "updatedById": person,
        "StudyInstanceUID": add.study_uid,
        "SeriesInstanceUID": add.series_uid,
        "SOPInstanceUID": add.sop_uid,
        "labelId": add.label_id,
        "annotationNumber": _number(file, add, model),
        "height": add.height,
        "width": add.width,
        "data": None if add.data is None else plain_data(add.data),
        "note": None if add.note is None else shown(add.note),
        "groupId": None if label is None else label.group,
        **dict.fromkeys(_COUNTS, 0),
    }
    keys = _keys(model or dict.fromkeys(_USUAL_KEYS), known)
    values = {key: known[key] if key in known else _empty(model.get(key)) for key in keys}
    return values, None if sibling is None else sibling.index


def plain_data(data: Mapping[str, object]) -> object:
    """What an annotation draws as it comes back from JSON.

    Raises
    ------
    SaveError
        when it has numbers that JSON cannot say.
    """
    try:
        json.dumps(data, allow_nan=False)
    except ValueError as error:
        raise SaveError(
            f"An outline has a coordinate that JSON cannot say ({error}). Nothing was changed."
        ) from error
    return value_of(Style().write(data, 0).encode("utf-8"))


def _sibling(file: MdaiFile, add: Add) -> MdaiAnnotation | None:
    """An annotation of the same label, else of as much of a study, else any."""
    scope = bool(add.series_uid), bool(add.sop_uid)
    able = [one for one in file.annotations if not one.fault]
    same_label = (one for one in able if one.label_id == add.label_id)
    same_scope = (one for one in able if (bool(one.series_uid), bool(one.sop_uid)) == scope)
    return next(same_label, next(same_scope, next(iter(able), None)))


def _keys(model: Iterable[str], known: dict[str, object]) -> list[str]:
    """The keys of the model but for those of another scope, and those without which it fails."""
    keys = list(model)
    for uid in ("SeriesInstanceUID", "SOPInstanceUID"):
        if uid in keys and not known[uid]:
            keys.remove(uid)
    said = [key for key in ("SeriesInstanceUID", "SOPInstanceUID") if known[key]]
    # Without its creator, a new annotation would be another reader's.
    optional = ("createdById", "height", "width", "data", "note")
    said += [key for key in optional if known[key] is not None]
    needed = {*_NEEDED, *said}
    for position, key in enumerate(_USUAL_KEYS):
        if key in needed and key not in keys:
            before = [one for one in _USUAL_KEYS[:position] if one in keys]
            keys.insert(keys.index(before[-1]) + 1 if before else 0, key)
    return keys


def _number(file: MdaiFile, add: Add, model: dict[str, object]) -> int | None:
    """The number after the study's highest one, where annotations like this one have numbers."""
    if model.get("annotationNumber") is None:
        return None
    numbers = (one.number for one in file.of_study(add.study_uid))
    return max((number for number in numbers if number is not None), default=0) + 1


def _empty(example: object) -> object:
    """What says nothing, of the example's kind."""
    if isinstance(example, list):
        return []
    return False if isinstance(example, bool) else None


def _nth_array(file: MdaiFile, index: int) -> int:
    """In which of the arrays of annotations one stands."""
    arrays = [one.annotations for one in file.places.datasets or () if one.annotations is not None]
    return bisect_right(list(accumulate(len(array.elements) for array in arrays)), index)
