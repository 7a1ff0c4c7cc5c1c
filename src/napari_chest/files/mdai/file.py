"""An annotation export, read, corrected and proven."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from napari_chest.errors import ReadError, SaveError
from napari_chest.files.mdai.container import read_export
from napari_chest.files.mdai.problems import file_problems
from napari_chest.files.mdai.proof import check
from napari_chest.files.mdai.records import (
    MdaiAnnotation,
    MdaiGroup,
    MdaiLabel,
    dataset_id,
    groups_of,
    head_of,
    objects,
)
from napari_chest.files.mdai.splice import planned, text_with
from napari_chest.files.mdai.structure import places_of
from napari_chest.files.mdai.text import Text, decoded_head, shown, text_of_file, value_of, whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from napari_chest.files.mdai.edits import MdaiEdit
    from napari_chest.files.mdai.structure import Places
    from napari_chest.model import Problem

Study = tuple[str, str, int | None]


@dataclass(frozen=True, eq=False)
class MdaiFile:
    """An annotation export and its bytes.

    Attributes
    ----------
    content : the whole file.
    text : its text in UTF-8 without a byte order mark, where the annotations' spans count; nearly
        always the content itself.
    groups : the label groups in the file's order.
    labels : the labels by their ids.
    annotations : all annotations in the file's order, also such of which nothing can be shown.
    studies : id of the dataset, Study Instance UID and exam number of each listed study.
        Annotations may be of others.
    problems : what a person should know about the file as a whole.
    where : what the file is called in messages.
    places : where its values stand in the text.
    by_sop, by_study : the annotations by the UID of their image and of their study.
    """

    content: bytes = field(repr=False)
    text: Text = field(repr=False)
    groups: tuple[MdaiGroup, ...]
    labels: Mapping[str, MdaiLabel]
    annotations: tuple[MdaiAnnotation, ...] = field(repr=False)
    studies: tuple[Study, ...] = field(repr=False)
    problems: list[Problem]
    where: Path | str
    places: Places = field(repr=False)
    by_sop: Mapping[str, Sequence[MdaiAnnotation]] = field(repr=False)
    by_study: Mapping[str, Sequence[MdaiAnnotation]] = field(repr=False)

    def of_sop(self, sop_uid: str) -> tuple[MdaiAnnotation, ...]:
        """The annotations of one image, in the file's order."""
        return tuple(self.by_sop.get(sop_uid, ())) if sop_uid else ()

    def of_study(self, study_uid: str) -> tuple[MdaiAnnotation, ...]:
        """The annotations of a study and of its series and images, in the file's order."""
        return tuple(self.by_study.get(study_uid, ()))

    def children(self, index: int) -> tuple[MdaiAnnotation, ...]:
        """The annotations that call this one their parent."""
        parent = self.annotations[index]
        same_study = self.of_study(parent.study_uid)
        return tuple(one for one in same_study if parent.id and one.parent_id == parent.id)

    def changed(self, edits: Sequence[MdaiEdit], now: datetime, person: str | None) -> bytes:
        """The bytes of `corrected`."""
        return self.corrected(edits, now, person).content

    def corrected(self, edits: Sequence[MdaiEdit], now: datetime, person: str | None) -> MdaiFile:
        """The file with these corrections; annotations without one keep their bytes.

        Parameters
        ----------
        now : the time that corrected annotations get; one without a time zone is local time.
        person : id of the user who corrects; None leaves the id of who did last.

        Raises
        ------
        SaveError
            when a correction cannot be made, or would not be read again as it was meant.
        """
        if not edits:
            return self
        plan = planned(self, edits, now, person)
        try:
            after = parse_mdai(self.text.encoded(text_with(self, plan)), self.where)
        except ReadError as error:
            raise SaveError(
                f"The corrected export could not be read again, so nothing was changed. {error}"
            ) from error
        check(self, after, plan)
        return after


def is_mdai(head: bytes) -> bool:
    """Whether a file that begins like this may be an export of MD.ai, of annotations or not."""
    text = decoded_head(head)
    return text.lstrip().startswith("{") and any(
        key in text for key in ('"labelGroups"', '"datasets"', '"isPrivate"')
    )


def read_mdai(path: Path) -> MdaiFile:
    """Read an annotation export, also the first JSON file of a zip archive.

    Raises
    ------
    ReadError
        when it is none, or too large to open.
    """
    return parse_mdai(read_export(path), path)


def parse_mdai(content: bytes, where: Path | str) -> MdaiFile:
    """An annotation export from its bytes; ``where`` is what messages call it.

    Raises
    ------
    ReadError
        when it is none.
    """
    try:
        with _no_collector():
            return _parsed(content, where)
    except RecursionError as error:
        raise ReadError(where, "expected JSON, found values nested too deeply.") from error


def _parsed(content: bytes, where: Path | str) -> MdaiFile:
    text = text_of_file(content, where)
    places = places_of(text.text, where)
    _check_kind(places, where)
    groups = groups_of(value_of(text.text[slice(*places.values["labelGroups"])]))
    # Reversed, so that the first of several with one id stands.
    labels = {label.id: label for g in reversed(groups) for label in reversed(g.labels)}
    annotations = _annotations(text.text, places, labels)
    studies = _studies(text.text, places)
    by_sop: dict[str, list[MdaiAnnotation]] = {}
    by_study: dict[str, list[MdaiAnnotation]] = {}
    for annotation in annotations:
        by_sop.setdefault(annotation.head.sop or "", []).append(annotation)
        by_study.setdefault(annotation.head.study or "", []).append(annotation)
    return MdaiFile(
        content,
        text,
        groups,
        labels,
        annotations,
        studies,
        file_problems(groups, labels, annotations, studies, places),
        where,
        places,
        by_sop,
        by_study,
    )


@contextmanager
def _no_collector() -> Iterator[None]:
    """Without the garbage collector, which would look through every new object again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _check_kind(places: Places, where: Path | str) -> None:
    """Refuse what is no annotation export, and say what it is."""
    expected = "expected an annotation export of MD.ai (labelGroups and datasets with annotations)"
    datasets = places.datasets
    if not places.is_object:
        raise ReadError(where, f"{expected}, found JSON that is no object.")
    if datasets and any("dicomMetadata" in one.values for one in datasets):
        raise ReadError(
            where,
            f"{expected}, found MD.ai's other export, of DICOM metadata. Choose the one whose name "
            "has the word annotations.",
        )
    if {"images", "categories"} <= places.values.keys():
        raise ReadError(where, f"{expected}, found JSON of COCO's kind.")
    lacks = [
        text
        for text, found in (
            ("labelGroups", "labelGroups" in places.values),
            ("datasets", datasets is not None),
            ("annotations", any(one.annotations for one in datasets or ())),
        )
        if not found
    ]
    if lacks:
        raise ReadError(where, f"{expected}, found JSON without a list of {' and '.join(lacks)}.")


def _annotations(
    text: bytes, places: Places, labels: Mapping[str, MdaiLabel]
) -> tuple[MdaiAnnotation, ...]:
    modes = {label.id: label.mode for label in labels.values()}
    found: list[MdaiAnnotation] = []
    for dataset in places.datasets or ():
        if dataset.annotations is None:
            continue
        name = dataset_id(text, dataset)
        for span in dataset.annotations.elements:
            index = len(found)
            raw = places.raws[index] if places.raws is not None else text[slice(*span)]
            head, fault = head_of(raw)
            mode = modes.get(head.label or "")
            found.append(MdaiAnnotation(index, name, span, mode, raw, head, fault))
    return tuple(found)


def _studies(text: bytes, places: Places) -> tuple[Study, ...]:
    found: list[Study] = []
    for dataset in places.datasets or ():
        name = dataset_id(text, dataset)
        span = dataset.values.get("studies")
        rows = [] if span is None else value_of(text[slice(*span)])
        found += (
            (name, shown(row.get("StudyInstanceUID")), whole(row.get("number")))
            for row in objects(rows)
        )
    return tuple(found)
