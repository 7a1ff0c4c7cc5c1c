"""Data elements as bytes in explicit VR little endian, without building data sets.

A segmentation repeats the same few elements for a thousand frames. pydicom takes most of a second
for them; joining bytes that were encoded once takes some milliseconds.
"""

from __future__ import annotations

import struct
from functools import cache
from typing import TYPE_CHECKING, Final

from pydicom.datadict import dictionary_VR, tag_for_keyword

if TYPE_CHECKING:
    from collections.abc import Mapping

    Value = str | int | tuple[int, ...] | list[bytes]
    # Text (several values joined by a backslash), numbers, or the items of a sequence.

_NUMBERS: Final = {"US": "<H", "UL": "<I"}


def encode(elements: Mapping[str, Value]) -> bytes:
    """Elements, given by keyword, in the order of their tags; text is encoded as UTF-8."""
    ordered = sorted(elements.items(), key=lambda pair: tag_of(pair[0]))
    return b"".join(_element(keyword, value) for keyword, value in ordered)


def item(content: bytes) -> bytes:
    """One item of a sequence."""
    return b"\xfe\xff\x00\xe0" + struct.pack("<I", len(content)) + content


def long_header(keyword: str, vr: str, length: int) -> bytes:
    """What stands before the ``length`` bytes of a sequence or of pixel data."""
    tag = tag_of(keyword)
    return struct.pack("<HH2sxxI", tag >> 16, tag & 0xFFFF, vr.encode(), length)


@cache
def tag_of(keyword: str) -> int:
    """The number of an element."""
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise KeyError(f"{keyword} is not the keyword of a DICOM data element")
    return tag


_vr_of = cache(dictionary_VR)


def _element(keyword: str, value: Value) -> bytes:
    tag = tag_of(keyword)
    vr = _vr_of(tag)
    content = _content(vr, value)
    if vr in {"SQ", "OB", "UT"}:
        return long_header(keyword, vr, len(content)) + content
    return struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr.encode(), len(content)) + content


def _content(vr: str, value: Value) -> bytes:
    if isinstance(value, list):
        return b"".join(value)
    if isinstance(value, str):
        text = value.encode("utf-8", "replace")
        return text + (b"\0" if vr == "UI" else b" ") * (len(text) % 2)
    numbers = (value,) if isinstance(value, int) else value
    if vr == "AT":
        return b"".join(struct.pack("<HH", one >> 16, one & 0xFFFF) for one in numbers)
    return b"".join(struct.pack(_NUMBERS[vr], one) for one in numbers)
