"""Walks over a DICOM header and keeps the few elements we need, without building a data set.

A pure-Python walk over the first kilobytes is some twenty times faster than parsing the whole data
set. It reads the four encodings of a data set (DICOM PS3.5 section 7 and annex A); what it does not
understand is `OddHeaderError`, and pydicom is asked instead.
"""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from struct import Struct
from struct import error as StructError  # noqa: N812
from typing import TYPE_CHECKING, Final, NamedTuple

from napari_chest.files.dicom import tags

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from io import FileIO
    from pathlib import Path

    # (data, offset) -> tag, value length, value offset, whether it may hold items
    ReadElement = Callable[[bytes, int], tuple[int, int, int, bool]]

_FIRST_READ: Final = 8 * 1024
_LARGEST_HEADER: Final = 64 * 1024 * 1024
_LARGEST_LAYOUT: Final = 64 * 1024
_LARGEST_VALUE: Final = 1024 * 1024
_LARGEST_META: Final = 64 * 1024
_INFLATION: Final = 8
_ENDS: Final = frozenset({tags.ITEM_END, tags.SEQUENCE_END})

_LONG_VR: Final = dict.fromkeys(
    (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"),
    True,
) | dict.fromkeys(
    (
        b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"PN",
        b"SH", b"SL", b"SS", b"ST", b"TM", b"UI", b"UL", b"US",
    ),
    False,
)  # fmt: skip
"""VRs with a length of 32 bits (True) or 16 bits (DICOM PS3.5 section 7.1.2)."""
_LONG_LE: Final = frozenset(int.from_bytes(vr, "little") for vr in _LONG_VR if _LONG_VR[vr])
_SHORT_LE: Final = frozenset(int.from_bytes(vr, "little") for vr in _LONG_VR if not _LONG_VR[vr])
_UNKNOWN_LE: Final = int.from_bytes(b"UN", "little")
_HEAD_LE: Final = Struct("<IHH").unpack_from
_LENGTH_LE: Final = Struct("<I").unpack_from


class OddHeaderError(Exception):
    """The header is not one that the walker reads; pydicom may."""


class _MoreNeededError(Exception):
    """The walk needs the bytes up to ``position``."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


@dataclass(frozen=True, slots=True)
class RawHeader:
    """The bytes of the wanted elements of one file.

    Attributes
    ----------
    values : top-level elements as they stand in the file.
    transfer_syntax : its UID.
    size : size of the file in bytes.
    pixel_offset : where the value of Pixel Data begins; in the inflated data set when deflated.
        None when the file has none.
    pixel_length : its length in bytes; None when undefined, as in encapsulated pixel data.
    """

    values: dict[int, bytes]
    transfer_syntax: str
    size: int
    pixel_offset: int | None
    pixel_length: int | None

    @property
    def byte_order(self) -> str:
        """``<`` or ``>`` as in `struct`."""
        return ">" if self.transfer_syntax == tags.EXPLICIT_BE else "<"


class _Layout(NamedTuple):
    """Where the elements of a data set lie that is encoded in explicit little endian.

    The files of a series have mostly the same elements, each as long as in the file before. Where
    all the heads (tag, VR and length) are those of the last data set, so are their places.

    Attributes
    ----------
    start : where the data set begins.
    heads : cuts the heads of all elements out of a data set.
    expected : the heads.
    tags : the wanted elements that are there.
    values : cuts their values out of a data set.
    pixels : offset and length of Pixel Data.
    """

    start: int
    heads: Callable[[bytes], tuple[bytes, ...]]
    expected: tuple[bytes, ...]
    tags: tuple[int, ...]
    values: Callable[[bytes], tuple[bytes, ...]]
    pixels: tuple[int, int | None]


_LAST: dict[frozenset[int], _Layout] = {}
"""The layout of the last data set, by what was wanted of it."""


def scan(path: Path, wanted: frozenset[int] = tags.WANTED) -> RawHeader:
    """The wanted elements of a DICOM file, read from as few bytes as possible.

    Raises
    ------
    OSError
        when the file cannot be read.
    OddHeaderError
        when the walker does not understand it.
    """
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        data = file.read(_FIRST_READ)
        while True:
            try:
                return _scan_bytes(data, size, wanted)
            except _MoreNeededError as more:
                data += _further(file, data, size, more.position)


def inflate(data: bytes, limit: int) -> tuple[bytes, bool]:
    """At most ``limit`` bytes of a deflated data set, and whether that was all of it.

    Raises
    ------
    OddHeaderError
        when the data is not deflated.
    """
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = engine.decompress(data, limit)
    except zlib.error as error:
        raise OddHeaderError(str(error)) from error
    return inflated, engine.eof


def body_offset(data: bytes) -> tuple[str, int]:
    """Transfer syntax and offset of the data set behind the file meta information (PS3.10 7.1)."""
    if data[128:132] != b"DICM":
        raise OddHeaderError("no DICM")
    syntax, position, end = "", 132, 0
    while True:
        # a deflated data set may begin with any two bytes, so only there the group's length counts
        if data[position : position + 2] != b"\2\0" or (
            syntax == tags.DEFLATED and position == end
        ):
            return syntax, position
        try:
            tag, length, start, _ = _explicit_le(data, position)
        except StructError as error:
            raise _MoreNeededError(position + 12) from error
        position = start + length
        if length > _LARGEST_META:
            raise OddHeaderError("file meta information")
        if tag == tags.META_LENGTH and length == 4:
            end = position + int.from_bytes(data[start:position], "little")
        elif tag == tags.TRANSFER_SYNTAX:
            syntax = data[start:position].decode("latin-1").strip(" \0")


def _further(file: FileIO, data: bytes, size: int, position: int) -> bytes:
    target = max(4 * len(data), position + _FIRST_READ)
    if len(data) >= size or position > size or target > _LARGEST_HEADER:
        raise OddHeaderError("the header is longer than the file")
    more = file.read(target - len(data))
    if not more:
        raise OddHeaderError("the file shrank while it was read")
    return more


def _scan_bytes(data: bytes, size: int, wanted: frozenset[int]) -> RawHeader:
    syntax, start = body_offset(data)
    if syntax == tags.DEFLATED:
        return _scan_deflated(data, size, start, wanted)
    values: dict[int, bytes] = {}
    if syntax in (tags.IMPLICIT_LE, tags.EXPLICIT_BE):
        read_element = _implicit_le if syntax == tags.IMPLICIT_LE else _explicit_be
        offset, length = _walk(data, start, read_element, wanted, values)
    elif syntax:
        offset, length = _as_before(data, start, wanted, values)
    else:
        raise OddHeaderError("no transfer syntax")
    return RawHeader(values, syntax, size, offset, length)


def _scan_deflated(data: bytes, size: int, start: int, wanted: frozenset[int]) -> RawHeader:
    inflated, whole = inflate(data[start:], _INFLATION * len(data))
    values: dict[int, bytes] = {}
    try:
        offset, length = _as_before(inflated, 0, wanted, values)
    except _MoreNeededError as more:
        if whole:
            raise OddHeaderError("the header is longer than the data set") from more
        raise _MoreNeededError(len(data) + 1) from more
    return RawHeader(values, tags.DEFLATED, size, offset, length)


def _walk(
    data: bytes,
    position: int,
    read_element: ReadElement,
    wanted: frozenset[int],
    values: dict[int, bytes],
) -> tuple[int, int | None]:
    """Offset and length of Pixel Data; fills ``values`` with the wanted elements before it.

    Items of undefined length are walked through by counting how deep we are, so that nesting costs
    no recursion; everything of known length is jumped over.
    """
    depth = 0
    size = len(data)
    while True:
        if position + 12 > size:  # the longest element header
            raise _MoreNeededError(position + 12)
        tag, length, start, nests = read_element(data, position)
        if not depth and tag >= tags.PIXEL_DATA:
            return _pixels(tag, start, length)
        if length == tags.UNDEFINED:
            if not nests:
                raise OddHeaderError(f"undefined length at {position}")
            depth += 1
            length = 0
        elif depth:
            depth -= tag in _ENDS
        elif length and tag in wanted:
            values[tag] = _value(data, start, length)
        position = start + length


def _as_before(
    data: bytes, start: int, wanted: frozenset[int], values: dict[int, bytes]
) -> tuple[int, int | None]:
    """As `_walk_explicit_le`, but without a walk where all elements lie as in the last data set."""
    if len(data) > _LARGEST_LAYOUT:
        return _walk(data, start, _explicit_le, wanted, values)
    layout = _LAST.get(wanted)
    if layout is None or layout.start != start or layout.heads(data) != layout.expected:
        layout = _LAST[wanted] = _explicit_le_layout(data, start, wanted)
    values.update(zip(layout.tags, layout.values(data), strict=True))
    return layout.pixels


def _explicit_le_layout(data: bytes, start: int, wanted: frozenset[int]) -> _Layout:
    places: dict[int, slice] = {}
    found: list[slice] = []
    pixels = _walk_explicit_le(data, start, wanted, places, found)
    heads = _getter(found)
    values = _getter(tuple(places.values()))
    return _Layout(start, heads, heads(data), tuple(places), values, pixels)


def _getter(slices: Sequence[slice]) -> Callable[[bytes], tuple[bytes, ...]]:
    """A function that cuts these out of a data set, in one call where there are several."""
    if len(slices) > 1:
        return itemgetter(*slices)
    return lambda data: tuple(data[one] for one in slices)


def _walk_explicit_le(
    data: bytes,
    position: int,
    wanted: frozenset[int],
    places: dict[int, slice],
    heads: list[slice],
) -> tuple[int, int | None]:
    """As `_walk`, in a third of the time, for the encoding that nearly all files have.

    Notes where all elements have their heads and the wanted ones their values.
    """
    head, short, wanted_here = _HEAD_LE, _SHORT_LE, _swapped_tags(wanted)  # locals are faster
    depth = 0
    try:
        while True:
            tag, vr, length = head(data, position)
            start = position + 8
            if vr not in short:
                tag = _swapped(tag)
                length, start, nests = _long_form(data, position, tag, vr)
                heads.append(slice(position, start))
                if not depth and tag >= tags.PIXEL_DATA:
                    return _pixels(tag, start, length)
                if length == tags.UNDEFINED:
                    if not nests:
                        raise OddHeaderError(f"undefined length at {position}")
                    depth, length = depth + 1, 0
                elif depth:
                    depth -= tag in _ENDS
                elif tag in wanted and length:
                    places[tag] = _place(data, start, length)
            else:
                heads.append(slice(position, start))
                if tag in wanted_here and length and not depth:
                    places[wanted_here[tag]] = _place(data, start, length)
            position = start + length
    except StructError as error:
        raise _MoreNeededError(position + 12) from error


def _pixels(tag: int, start: int, length: int) -> tuple[int, int | None]:
    if tag != tags.PIXEL_DATA:
        raise OddHeaderError("no pixel data")
    return start, None if length == tags.UNDEFINED else length


def _value(data: bytes, start: int, length: int) -> bytes:
    return data[_place(data, start, length)]


def _place(data: bytes, start: int, length: int) -> slice:
    if length > _LARGEST_VALUE:
        raise OddHeaderError(f"a value of {length} bytes")
    if start + length > len(data):
        raise _MoreNeededError(start + length)
    return slice(start, start + length)


def _explicit(order: str) -> ReadElement:
    head = Struct(order + "HH2sH").unpack_from
    long = Struct(order + "I").unpack_from
    is_long = _LONG_VR.get

    def read_element(data: bytes, position: int) -> tuple[int, int, int, bool]:
        group, element, vr, length = head(data, position)
        long_form = is_long(vr)
        if long_form:
            length = long(data, position + 8)[0]
            return group << 16 | element, length, position + 12, vr != b"UN"
        if long_form is None:  # items and delimiters have no VR
            if group != 0xFFFE:
                raise OddHeaderError(f"no VR at {position}")
            return group << 16 | element, long(data, position + 4)[0], position + 8, True
        return group << 16 | element, length, position + 8, False

    return read_element


_explicit_le = _explicit("<")
_explicit_be = _explicit(">")
_implicit_head = Struct("<HHI").unpack_from


def _implicit_le(data: bytes, position: int) -> tuple[int, int, int, bool]:
    group, element, length = _implicit_head(data, position)
    return group << 16 | element, length, position + 8, True


def _swapped(tag: int) -> int:
    """Group and element exchanged, as they are when both are read as one little-endian number."""
    return tag >> 16 | (tag & 0xFFFF) << 16


@cache
def _swapped_tags(wanted: frozenset[int]) -> dict[int, int]:
    return {_swapped(tag): tag for tag in wanted}


def _long_form(data: bytes, position: int, tag: int, vr: int) -> tuple[int, int, bool]:
    """Length and offset of a value whose length has 32 bits, and whether it may hold items."""
    if vr in _LONG_LE:
        return _LENGTH_LE(data, position + 8)[0], position + 12, vr != _UNKNOWN_LE
    if tag >> 16 != 0xFFFE:  # items and delimiters have no VR
        raise OddHeaderError(f"no VR at {position}")
    return _LENGTH_LE(data, position + 4)[0], position + 8, True
