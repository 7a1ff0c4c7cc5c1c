"""Corrections of an export as edits of its text: what is not corrected keeps its bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from napari_chest.errors import SaveError
from napari_chest.files.mdai.added import added_values, annotation_at, dataset_of, plain_data
from napari_chest.files.mdai.edits import Add, Delete, ReplaceData
from napari_chest.files.mdai.ids import time_text
from napari_chest.files.mdai.structure import members_of
from napari_chest.files.mdai.style import Style, writes_ascii_only

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence
    from datetime import datetime

    from napari_chest.files.mdai.edits import MdaiEdit
    from napari_chest.files.mdai.file import MdaiFile
    from napari_chest.files.mdai.structure import Array

_ANNOTATIONS, _ANNOTATION, _DATA = 3, 4, 5
"""How deep they are: in the array of a dataset in the array of the export."""

_HEAD = 2**14
_DRAWN = len('{"x":0}')


class Patch(NamedTuple):
    """New text in place of what stands from ``start`` to ``stop``."""

    start: int
    stop: int
    text: bytes


@dataclass
class Plan:
    """What corrections come to.

    Attributes
    ----------
    replaced : the new values of annotations that stay, by index and key.
    deleted : the annotations that go.
    added : the values of new annotations, by their dataset's position.
    """

    replaced: dict[int, dict[str, object]] = field(default_factory=dict)
    deleted: set[int] = field(default_factory=set)
    added: dict[int, list[_New]] = field(default_factory=dict)


class _New(NamedTuple):
    values: dict[str, object]
    like: int | None


def planned(file: MdaiFile, edits: Sequence[MdaiEdit], now: datetime, person: str | None) -> Plan:
    """What the corrections come to.

    Raises
    ------
    SaveError
        when two of them contradict each other, or one cannot be made.
    """
    plan = Plan()
    used = {annotation.id for annotation in file.annotations}
    for edit in edits:
        if isinstance(edit, Add):
            values, like = added_values(file, edit, used, now, person)
            plan.added.setdefault(dataset_of(file, edit), []).append(_New(values, like))
            continue
        annotation = annotation_at(file, edit.index)
        if edit.index in plan.replaced or edit.index in plan.deleted:
            raise SaveError(f"{annotation} has two corrections at once. Nothing was changed.")
        if isinstance(edit, Delete):
            plan.deleted.add(edit.index)
            continue
        plan.replaced[edit.index] = _replaced(file, edit, now, person)
    return plan


def text_with(file: MdaiFile, plan: Plan) -> bytes:
    """The text of the file as planned."""
    style = _style(file)
    patches = [
        patch
        for index, values in plan.replaced.items()
        for patch in _renewed(file, index, values, style)
    ]
    first = 0
    for number, dataset in enumerate(file.places.datasets or ()):
        if dataset.annotations is None:
            continue
        elements = dataset.annotations.elements
        deleted = {index - first for index in plan.deleted if 0 <= index - first < len(elements)}
        new = [
            _style_of(file, one.like, style).write(one.values, _ANNOTATION).encode("utf-8")
            for one in plan.added.get(number, ())
        ]
        if deleted or new:
            patches += _array_patches(file, dataset.annotations, deleted, new, style)
        first += len(elements)
    return _patched(file.text.text, patches)


def _style(file: MdaiFile) -> Style:
    """How the file writes its values, told from its beginning and from its first drawing."""
    text = file.text.text
    style = Style(writes_ascii_only(text))
    # Labels are as deep as annotations.
    style = style.like(text[:_HEAD].decode("utf-8", errors="replace"), 0)
    drawn = (one for one in file.annotations if len(memoryview(one.head.data)) >= _DRAWN)
    first = next(drawn, None)
    return style if first is None else _style_of(file, first.index, style)


def _style_of(file: MdaiFile, index: int | None, style: Style) -> Style:
    """How an annotation is written; as the file does where it does not tell."""
    if index is None:
        return style
    sample = bytes(file.annotations[index].raw).decode("utf-8", errors="replace")
    return style.like(sample, _ANNOTATION)


def _replaced(
    file: MdaiFile, edit: ReplaceData, now: datetime, person: str | None
) -> dict[str, object]:
    annotation = file.annotations[edit.index]
    raw = bytes(annotation.raw)
    if not raw.startswith(b"{"):
        raise SaveError(f"{annotation} has no keys, so it can only be deleted.")
    keys = {member.key for member in members_of(raw)}
    values: dict[str, object] = {"data": plain_data(edit.data)}
    if "updatedAt" in keys:
        values["updatedAt"] = time_text(now)
    if "updatedById" in keys and person is not None:
        values["updatedById"] = person
    return values


def _renewed(
    file: MdaiFile, index: int, values: Mapping[str, object], style: Style
) -> Iterator[Patch]:
    """The patches that give an annotation other values."""
    start, stop = file.annotations[index].span
    members = members_of(bytes(file.annotations[index].raw))
    places = {member.key: member.value for member in members}  # the later of two counts
    style = _style_of(file, index, style)
    for key, value in values.items():
        text = style.write(value, _DATA)
        if key in places:
            first, last = places[key]
            yield Patch(start + first, start + last, text.encode("utf-8"))
            continue
        level = style.level(_ANNOTATION, "{")
        text = f'"{key}"{style.colon}{text}'
        if members:
            at = start + members[-1].value[1]
            yield Patch(at, at, f"{level.between}{text}".encode())
        else:
            yield Patch(start + 1, stop - 1, f"{level.first}{text}{level.last}".encode())


def _array_patches(
    file: MdaiFile,
    array: Array,
    deleted: Container[int],
    new: Sequence[bytes],
    style: Style,
) -> Iterator[Patch]:
    """The patches that take annotations out, each with one separator, and put new ones last."""
    elements = array.elements
    kept = [position for position in range(len(elements)) if position not in deleted]
    before = -1
    for position in kept:
        if position - before > 1:
            yield Patch(elements[before + 1][0], elements[position][0], b"")
        before = position
    if kept:
        between = _between(file, array, style)
        text = b"".join(between + one for one in new)
        yield Patch(elements[kept[-1]][1], elements[-1][1], text)
        return
    inner = array.span[0] + 1, array.span[1] - 1
    if not new:
        yield Patch(*inner, b"")
        return
    first, last = _ends(file, array, style)
    yield Patch(*inner, first + _between(file, array, style).join(new) + last)


def _between(file: MdaiFile, array: Array, style: Style) -> bytes:
    """What stands between two annotations."""
    text = file.text.text
    for one in _examples(file, array):
        if len(one.elements) > 1:
            return text[one.elements[0][1] : one.elements[1][0]]
    first, _ = _ends(file, array, style)
    if b"\n" in first:
        return b"," + first
    return style.level(_ANNOTATIONS, "[").between.encode()


def _ends(file: MdaiFile, array: Array, style: Style) -> tuple[bytes, bytes]:
    """What stands before the first annotation and after the last one."""
    text = file.text.text
    for one in _examples(file, array):
        start, stop = one.span
        return text[start + 1 : one.elements[0][0]], text[one.elements[-1][1] : stop - 1]
    level = style.level(_ANNOTATIONS, "[")
    return level.first.encode(), level.last.encode()


def _examples(file: MdaiFile, array: Array) -> list[Array]:
    """The arrays that have annotations, this one first."""
    others = (one.annotations for one in file.places.datasets or ())
    return [one for one in (array, *others) if one is not None and one.elements]


def _patched(text: bytes, patches: Sequence[Patch]) -> bytes:
    parts: list[bytes | memoryview] = []
    position = 0
    whole = memoryview(text)
    for patch in sorted(patches):
        parts += [whole[position : patch.start], patch.text]
        position = patch.stop
    return b"".join([*parts, whole[position:]])
