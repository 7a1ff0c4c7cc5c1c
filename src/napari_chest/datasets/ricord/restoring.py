"""Annotations brought back byte for byte where a correction is taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from napari_chest.files.mdai import MdaiFile
    from napari_chest.files.mdai.structure import Array


class _Element(NamedTuple):
    """An annotation's identifier and text, and the text between it and the one before."""

    id: str
    text: bytes
    between: bytes


def are_alike(standing: MdaiFile, original: MdaiFile) -> bool:
    """Whether two states of a file have the same datasets, so that one can be restored in parts."""
    return len(_arrays(standing)) == len(_arrays(original))


def restored(
    standing: MdaiFile, gone: Collection[int], original: MdaiFile, back: Collection[int]
) -> bytes:
    """A file with some of its annotations replaced by those of an older state, as it had them.

    Parameters
    ----------
    standing : the file as it is.
    gone : indices of its annotations that go.
    original : the file as it was.
    back : indices of its annotations that come back, each after the one that was before it.
    """
    text, position, parts = standing.text.text, 0, []
    first_now = first_then = 0
    for now, then in zip(_arrays(standing), _arrays(original), strict=True):
        elements = list(_elements(standing, now))
        older = list(_elements(original, then))
        coming = {number for number in range(len(older)) if number + first_then in back}
        leaving = {index - first_now for index in gone}
        kept = [one for number, one in enumerate(elements) if number not in leaving]
        if len(kept) < len(elements) or coming:
            start, stop = now.span
            array = (original, then) if older else (standing, now)
            parts += [text[position : start + 1], _joined(*array, _merged(kept, older, coming))]
            position = stop - 1
        first_now += len(elements)
        first_then += len(older)
    return standing.text.encoded(b"".join([*parts, text[position:]]))


def _arrays(file: MdaiFile) -> list[Array]:
    found = (dataset.annotations for dataset in file.places.datasets or ())
    return [array for array in found if array is not None]


def _elements(file: MdaiFile, array: Array) -> Iterator[_Element]:
    text = file.text.text
    ids = {annotation.span: annotation.id for annotation in file.annotations}
    end = array.span[0] + 1
    for number, (start, stop) in enumerate(array.elements):
        yield _Element(ids[start, stop], text[start:stop], text[end:start] if number else b"")
        end = stop


def _merged(kept: list[_Element], older: list[_Element], back: Collection[int]) -> list[_Element]:
    """What is kept, with what comes back after whatever stood before it."""
    there = {one.id for one in kept}
    following: dict[str, list[_Element]] = {}
    anchor = ""
    for number, one in enumerate(older):
        if one.id in there:
            anchor = one.id
        elif number in back:  # not by its identifier, which others may have too
            following.setdefault(anchor, []).append(one)
    merged = following.pop("", [])
    for one in kept:
        merged += [one, *following.pop(one.id, ())]  # once, though identifiers may repeat
    return merged


def _joined(file: MdaiFile, array: Array, elements: list[_Element]) -> bytes:
    """The text of an array between its brackets, its blanks as in a file that has elements."""
    text = file.text.text
    if not elements:
        return b""
    if not array.elements:
        return b",".join(one.text for one in elements)
    usual = next((one.between for one in elements if one.between), b",")
    lead = text[array.span[0] + 1 : array.elements[0][0]]
    tail = text[array.elements[-1][1] : array.span[1] - 1]
    parts = [lead]
    for number, one in enumerate(elements):
        parts += [(one.between or usual) if number else b"", one.text]
    return b"".join([*parts, tail])
