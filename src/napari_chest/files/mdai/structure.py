"""Where the annotations of an export stand in its text, to the byte."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from napari_chest.errors import ReadError
from napari_chest.files.mdai.text import shown, value_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Span = tuple[int, int]

_BLANKS = re.compile(rb"[ \t\n\r]*+")
_BETWEEN = re.compile(rb"[ \t\n\r]*+([,\]}])[ \t\n\r]*+")
_KEY = re.compile(rb'("(?:[^"\\]++|\\.)*+")[ \t\n\r]*+:[ \t\n\r]*+', re.DOTALL)
_STRING_OR_BRACKET = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{}]', re.DOTALL)
_PLAIN = re.compile(rb"[^\s,\]}]*+")
# Numbers are only passed over: some are too long for Python, and none is needed.
_DECODER = json.JSONDecoder(strict=False, parse_int=str, parse_float=str)


class _BrokenError(Exception):
    """The text is no JSON from some byte on."""

    def __init__(self, problem: str, at: int) -> None:
        super().__init__(problem)
        self.at = at


@dataclass(frozen=True)
class Array:
    """An array: where it stands with its brackets, and where its elements do."""

    span: Span
    elements: list[Span]


@dataclass
class DatasetPlaces:
    """Where the values of one dataset stand; of a key that stands twice, the later ones."""

    values: dict[str, Span] = field(default_factory=dict)
    annotations: Array | None = None


@dataclass
class Places:
    """Where an export's values stand.

    Attributes
    ----------
    is_object : whether it is a JSON object at all.
    values : the places of the values by their keys; of a key that stands twice, the later one.
    datasets : the datasets in their order; None where there is no such list.
    repeated : keys that stand more than once in one object.
    raws : the annotations as msgspec passed over them, in their order; None where it could not.
    """

    is_object: bool = False
    values: dict[str, Span] = field(default_factory=dict)
    datasets: list[DatasetPlaces] | None = None
    repeated: list[str] = field(default_factory=list)
    raws: list[msgspec.Raw] | None = None


class Member(NamedTuple):
    """One key of an object, and where its value stands."""

    key: str
    value: Span


class _Dataset(msgspec.Struct):
    annotations: list[msgspec.Raw] = []


class _Export(msgspec.Struct):
    datasets: list[_Dataset] = []


_EXPORT = msgspec.json.Decoder(_Export)


def places_of(text: bytes, where: Path | str) -> Places:
    """Where the annotations of an export stand.

    msgspec passes over the annotations at the speed of memory and says how long each is; the
    places follow from walking the text in order, and are compared with what it saw. Text that
    msgspec refuses is walked with Python's own decoder.

    Raises
    ------
    ReadError
        when it is no JSON.
    RecursionError
        when its values are nested too deeply.
    """
    return _fast_places(text) or _slow_places(text, where)


def _fast_places(text: bytes) -> Places | None:
    """The places, or None where Python's own decoder must find them."""
    try:
        raws = [raw for one in _EXPORT.decode(text).datasets for raw in one.annotations]
    except ValueError:
        return None
    lengths = iter([len(memoryview(raw)) for raw in raws])
    walk = _Walk(text, lambda start: _stop_of(text, start), lambda start: start + next(lengths, 0))
    try:
        places = walk.places()
    except _BrokenError:  # a key stands twice, so that the lengths belong elsewhere
        return None
    spans = elements_of(places)
    if len(spans) != len(raws) or any(
        text[start:stop] != bytes(raw) for (start, stop), raw in zip(spans, raws, strict=True)
    ):
        return None
    places.raws = raws
    return places


def _slow_places(text: bytes, where: Path | str) -> Places:
    view = text.decode("latin-1")  # JSON's own signs are ASCII, so one character is one byte

    def stop_of(start: int) -> int:
        try:
            stop: int = _DECODER.raw_decode(view, start)[1]
        except json.JSONDecodeError as error:
            raise _BrokenError(error.msg, error.pos) from None
        return stop

    walk = _Walk(text, stop_of, stop_of)
    try:
        return walk.places()
    except _BrokenError as error:
        line = text.count(b"\n", 0, error.at) + 1
        raise ReadError(
            where,
            f"expected JSON, found an error at byte {error.at:,} of {len(text):,}, in line "
            f"{line:,}{_after(text, walk.passed)}: {error}. Copy or download it again.",
        ) from None


def _after(text: bytes, passed: list[Span]) -> str:
    """Which annotation stands before an error."""
    if not passed:
        return ""
    last = value_of(text[slice(*passed[-1])])
    name = shown(last.get("id"))[:40] if isinstance(last, dict) else ""
    return f", after {len(passed):,} annotations, the last one {name or 'without an id'}"


def elements_of(places: Places) -> list[Span]:
    """The places of all annotations in the order of the file."""
    arrays = (one.annotations for one in places.datasets or ())
    return [span for array in arrays if array is not None for span in array.elements]


def members_of(text: bytes) -> list[Member]:
    """The keys of a valid object that is this text, in their order, also repeated ones."""
    found: list[Member] = []

    def enter(key: str, start: int) -> int:
        stop = _stop_of(text, start)
        found.append(Member(key, (start, stop)))
        return stop

    _walk_object(text, 0, enter)
    return found


class _Walk:
    """One walk through an export.

    Attributes
    ----------
    text : the export.
    stop_of, annotation_stop : where the value, and where the annotation, ends that begins here.
    passed : where the annotations stand that were passed so far.
    """

    def __init__(
        self, text: bytes, stop_of: Callable[[int], int], annotation_stop: Callable[[int], int]
    ) -> None:
        self.text = text
        self.stop_of = stop_of
        self.annotation_stop = annotation_stop
        self.passed: list[Span] = []
        self._places = Places()

    def places(self) -> Places:
        start = _skip(self.text, 0)
        self._places.is_object = self.text.startswith(b"{", start)
        if self._places.is_object:
            stop = _walk_object(self.text, start, self._top)
        else:
            stop = self.stop_of(start)
        if (end := _skip(self.text, stop)) != len(self.text):
            raise _BrokenError("Extra data", end)
        return self._places

    def _top(self, key: str, start: int) -> int:
        if key == "datasets" and self.text.startswith(b"[", start):
            self._places.datasets = []
            stop = _walk_array(self.text, start, self._dataset)
        else:
            stop = self.stop_of(start)
        self._note(self._places.values, key, (start, stop))
        return stop

    def _dataset(self, start: int) -> int:
        places = DatasetPlaces()
        assert self._places.datasets is not None
        self._places.datasets.append(places)
        if not self.text.startswith(b"{", start):
            return self.stop_of(start)

        def enter(key: str, start: int) -> int:
            if key == "annotations":
                places.annotations = None
            if key == "annotations" and self.text.startswith(b"[", start):
                places.annotations = self._annotations(start)
                stop = places.annotations.span[1]
            else:
                stop = self.stop_of(start)
            self._note(places.values, key, (start, stop))
            return stop

        return _walk_object(self.text, start, enter)

    def _annotations(self, start: int) -> Array:
        first = len(self.passed)

        def enter(at: int) -> int:
            stop = self.annotation_stop(at)
            self.passed.append((at, stop))
            return stop

        stop = _walk_array(self.text, start, enter)
        return Array((start, stop), self.passed[first:])

    def _note(self, values: dict[str, Span], key: str, span: Span) -> None:
        if key in values:
            self._places.repeated.append(key)
        values[key] = span


def _walk_object(text: bytes, start: int, enter: Callable[[str, int], int]) -> int:
    """Walk an object and say where it ends.

    ``enter`` is told each key and where its value begins, and says where that ends.
    """
    at = _skip(text, start + 1)
    if text.startswith(b"}", at):
        return at + 1
    while True:
        key = _KEY.match(text, at)
        if key is None:
            raise _BrokenError("Expecting a key in double quotes and a colon", at)
        stop = enter(_key_text(key[1], at), key.end())
        between = _BETWEEN.match(text, stop)
        if between is None or between[1] == b"]":
            raise _BrokenError("Expecting ',' or '}'", stop)
        if between[1] == b"}":
            return between.end(1)
        at = between.end()


def _key_text(key: bytes, at: int) -> str:
    try:
        return shown(value_of(key))
    except ValueError:
        raise _BrokenError("Invalid escape in a key", at) from None


def _walk_array(text: bytes, start: int, enter: Callable[[int], int]) -> int:
    """Walk an array as `_walk_object` does an object."""
    at = _skip(text, start + 1)
    if text.startswith(b"]", at):
        return at + 1
    while True:
        stop = enter(at)
        between = _BETWEEN.match(text, stop)
        if between is None or between[1] == b"}":
            raise _BrokenError("Expecting ',' or ']'", stop)
        if between[1] == b"]":
            return between.end(1)
        at = between.end()


def _stop_of(text: bytes, start: int) -> int:
    """Where a value ends that is known to be valid."""
    if text[start : start + 1] not in (b'"', b"[", b"{"):
        plain = _PLAIN.match(text, start)
        return start if plain is None else plain.end()
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(text, start):
        if token[0] in (b"[", b"{"):
            depth += 1
        elif token[0] in (b"]", b"}"):
            depth -= 1
        if depth == 0:
            return token.end()
    return len(text)


def _skip(text: bytes, start: int) -> int:
    blanks = _BLANKS.match(text, start)
    return start if blanks is None else blanks.end()
