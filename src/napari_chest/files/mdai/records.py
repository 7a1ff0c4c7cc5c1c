"""What an export says: its label groups, its studies, and its annotations."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from napari_chest.files.mdai.shapes import Shape, no_shape, shape_of
from napari_chest.files.mdai.structure import members_of
from napari_chest.files.mdai.text import shown, value_of, whole
from napari_chest.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_chest.files.mdai.structure import DatasetPlaces, Span

_NULL = b"null"


@dataclass(frozen=True)
class MdaiLabel:
    """One label of a group.

    Attributes
    ----------
    id : its key everywhere; the same name stands in every group under another id.
    short_name : may be empty, as may be the color and the description.
    color : as stored, ``#rrggbb``.
    type : ``GLOBAL`` or ``LOCAL`` where the file has either in any case.
    scope : ``STUDY``, ``SERIES`` or ``INSTANCE``; ``EXAM`` is a study.
    mode : what is drawn, such as ``freeform``; None for a label without a drawing.
    parent_id : the label that this one is a part of.
    group : id of its group.
    """

    id: str
    name: str
    short_name: str
    color: str
    type: str
    scope: str
    mode: str | None
    parent_id: str | None
    description: str
    group: str


@dataclass(frozen=True)
class MdaiGroup:
    """Labels that belong together, often those of one reader."""

    id: str
    name: str
    type: str
    labels: tuple[MdaiLabel, ...]


class Head(msgspec.Struct, gc=False):
    """The values of an annotation that are read; None where there is none."""

    id: str | None = None
    parent: str | None = msgspec.field(default=None, name="parentId")
    creator: str | None = msgspec.field(default=None, name="createdById")
    study: str | None = msgspec.field(default=None, name="StudyInstanceUID")
    series: str | None = msgspec.field(default=None, name="SeriesInstanceUID")
    sop: str | None = msgspec.field(default=None, name="SOPInstanceUID")
    label: str | None = msgspec.field(default=None, name="labelId")
    note: str | None = None
    frame: int | None = msgspec.field(default=None, name="frameNumber")
    number: int | None = msgspec.field(default=None, name="annotationNumber")
    height: int | None = None
    width: int | None = None
    data: msgspec.Raw = msgspec.Raw(_NULL)


_HEAD = msgspec.json.Decoder(Head)
_NUMBERS = ("frame", "number", "height", "width")


@dataclass(frozen=True, eq=False, slots=True)
class MdaiAnnotation:
    """One annotation; what it draws is read when it is asked for.

    Attributes
    ----------
    index : its position among all annotations of the file.
    dataset : id of its dataset.
    span : where it stands in the file's text, from and to which byte.
    mode : the mode of its label; None also where the file has no such label.
    raw : its text.
    head : its values.
    fault : what is wrong with its text, as part of a sentence; empty where nothing is.
    """

    index: int
    dataset: str
    span: Span
    mode: str | None
    raw: bytes | msgspec.Raw = field(repr=False)
    head: Head = field(repr=False)
    fault: str = ""

    @property
    def id(self) -> str:
        """Its id, which others may have too; empty where it has none."""
        return self.head.id or ""

    @property
    def label_id(self) -> str:
        """Id of its label, which the file may not define."""
        return self.head.label or ""

    @property
    def study_uid(self) -> str:
        """Study Instance UID."""
        return self.head.study or ""

    @property
    def series_uid(self) -> str:
        """Series Instance UID; empty for a whole study."""
        return self.head.series or ""

    @property
    def sop_uid(self) -> str:
        """SOP Instance UID; empty for a whole study or series."""
        return self.head.sop or ""

    @property
    def frame(self) -> int | None:
        """The frame of an image that has several."""
        return self.head.frame

    @property
    def creator(self) -> str:
        """Id of the person who made it; may be empty."""
        return self.head.creator or ""

    @property
    def height(self) -> int | None:
        """Rows of the image, not of what is drawn."""
        return self.head.height

    @property
    def width(self) -> int | None:
        """Columns of the image, not of what is drawn."""
        return self.head.width

    @property
    def number(self) -> int | None:
        """The number that a person saw beside it."""
        return self.head.number

    @property
    def note(self) -> str:
        """What a person wrote; may be empty."""
        return self.head.note or ""

    @property
    def parent_id(self) -> str:
        """Id of the annotation that this one is a part of; may be empty."""
        return self.head.parent or ""

    @property
    def draws_nothing(self) -> bool:
        """Whether its data is null or absent."""
        data = memoryview(self.head.data)
        return len(data) == len(_NULL) and bytes(data) == _NULL

    @property
    def shape(self) -> Shape:
        """What it draws, read anew each time."""
        try:
            return shape_of(value_of(self.head.data), self.mode)
        except RecursionError:
            return no_shape("its data is nested too deeply")

    @property
    def problem(self) -> Problem | None:
        """What a person should know before working on it; looked for anew each time."""
        faults = [f"is one {self.fault}"] if self.fault else []
        if shape_fault := self.shape.fault:
            faults.append(f"is not shown as it is meant, as {shape_fault}")
        if not self.fault:
            counts = Counter(member.key for member in members_of(bytes(self.raw)))
            faults += (
                f"has the key {key[:40]!r} {count} times, of which the last counts"
                for key, count in counts.items()
                if count > 1
            )
        if not faults:
            return None
        return Problem("warning", f"{self} {', and '.join(faults)}. It is kept.")

    def __str__(self) -> str:
        return f"Annotation {self.id[:40] or f'number {self.index + 1:,}'}"


def head_of(raw: bytes | msgspec.Raw) -> tuple[Head, str]:
    """The values of an annotation, and what is wrong with its text, if anything."""
    try:
        return _HEAD.decode(raw), ""
    except ValueError:
        pass
    fault = ""
    try:
        bytes(raw).decode("utf-8")
    except UnicodeDecodeError:
        fault = "with text that is not UTF-8"
    values = value_of(raw)
    if not isinstance(values, dict):
        return Head(), "without keys"
    head = Head()
    for name, key in zip(Head.__struct_fields__, Head.__struct_encode_fields__, strict=True):
        value = values.get(key)
        if name == "data":
            # Of a drawing only numbers matter, and they come back from this.
            head.data = msgspec.Raw(json.dumps(value).encode("ascii"))
        else:
            setattr(head, name, whole(value) if name in _NUMBERS else shown(value) or None)
    return head, fault


def dataset_id(text: bytes, dataset: DatasetPlaces) -> str:
    """Id of a dataset; empty where it has none."""
    span = dataset.values.get("id")
    return "" if span is None else shown(value_of(text[slice(*span)]))


def groups_of(values: object) -> tuple[MdaiGroup, ...]:
    """The label groups of an export; what is no group or label is left out."""
    return tuple(
        MdaiGroup(
            shown(group.get("id")),
            shown(group.get("name")),
            shown(group.get("type")),
            tuple(_label(label, shown(group.get("id"))) for label in objects(group.get("labels"))),
        )
        for group in objects(values)
    )


def objects(values: object) -> Iterable[dict[str, object]]:
    """The objects in a list; none where it is no list."""
    return (one for one in (values if isinstance(values, list) else ()) if isinstance(one, dict))


def _label(label: dict[str, object], group: str) -> MdaiLabel:
    scope = shown(label.get("scope")).upper()
    return MdaiLabel(
        id=shown(label.get("id")),
        name=shown(label.get("name")),
        short_name=shown(label.get("shortName")),
        color=shown(label.get("color")),
        type=shown(label.get("type")).upper(),
        scope="STUDY" if scope == "EXAM" else scope,
        mode=shown(label.get("annotationMode")) or None,
        parent_id=shown(label.get("parentId")) or None,
        description=shown(label.get("description")),
        group=group,
    )
