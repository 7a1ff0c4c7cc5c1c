"""Whether an export that was corrected reads as it was meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_chest.errors import SaveError
from napari_chest.files.mdai.structure import members_of
from napari_chest.files.mdai.text import value_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from napari_chest.files.mdai.file import MdaiFile
    from napari_chest.files.mdai.splice import Plan


def check(before: MdaiFile, after: MdaiFile, plan: Plan) -> None:
    """Compare every annotation, and the text around them.

    Raises
    ------
    SaveError
        when anything is other than planned.
    """
    if list(_around(before)) != list(_around(after)):
        raise _failed("the text around the annotations")
    expected = list(_expected(before, plan))
    if len(expected) != len(after.annotations):
        raise _failed("the number of annotations")
    for source, annotation in zip(expected, after.annotations, strict=True):
        raw = bytes(annotation.raw)
        if isinstance(source, dict):
            same = value_of(raw) == source
        else:
            same = _same(bytes(before.annotations[source].raw), raw, plan.replaced.get(source))
        if not same:
            raise _failed(str(annotation))


def _around(file: MdaiFile) -> Iterator[bytes]:
    position = 0
    for dataset in file.places.datasets or ():
        if dataset.annotations is not None:
            start, stop = dataset.annotations.span
            yield file.text.text[position : start + 1]
            position = stop - 1
    yield file.text.text[position:]


def _expected(before: MdaiFile, plan: Plan) -> Iterator[int | dict[str, object]]:
    """For each annotation of the result its index before, or the values of a new one."""
    index = 0
    for number, dataset in enumerate(before.places.datasets or ()):
        count = 0 if dataset.annotations is None else len(dataset.annotations.elements)
        yield from (one for one in range(index, index + count) if one not in plan.deleted)
        yield from (one.values for one in plan.added.get(number, ()))
        index += count


def _same(old: bytes, new: bytes, values: Mapping[str, object] | None) -> bool:
    """Whether an annotation is what it was but for these values."""
    if values is None:
        return old == new
    found = {member.key: value_of(new[slice(*member.value)]) for member in members_of(new)}
    if any(found[key] != value for key, value in values.items()):
        return False
    if values.keys() <= {member.key for member in members_of(old)}:
        return _without(old, values) == _without(new, values)
    return _others(old, values) == _others(new, values)


def _others(raw: bytes, values: Mapping[str, object]) -> list[tuple[str, bytes]]:
    """The other keys and the texts of their values."""
    return [(m.key, raw[slice(*m.value)]) for m in members_of(raw) if m.key not in values]


def _without(raw: bytes, values: Mapping[str, object]) -> list[bytes]:
    """The text around the values."""
    places = sorted({m.key: m.value for m in members_of(raw) if m.key in values}.values())
    edges = [0, *(edge for place in places for edge in place), len(raw)]
    return [raw[start:stop] for start, stop in zip(edges[::2], edges[1::2], strict=True)]


def _failed(what: str) -> SaveError:
    return SaveError(
        f"{what} would be read other than was meant, so nothing was changed. Please report this."
    )
