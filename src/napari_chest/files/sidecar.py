"""JSON files that say of an image what its DICOM header said.

They hold the DICOM JSON Model (DICOM PS3.18 F), or the older list of XNAT's header dump:
``{"ResultSet": {"Result": [{"tag1": "(0008,0018)", "vr": "UI", "value": "1.2.3"}, ...]}}``. Value
representations are often wrong in published files, so they are not looked at.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from napari_chest.errors import ReadError
from napari_chest.files.atomic import read_whole
from napari_chest.files.text import decode_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

MAX_BYTES: Final = 64 * 2**20
_TAG: Final = re.compile(r"\(?([0-9A-F]{4}),?([0-9A-F]{4})\)?", re.IGNORECASE)
_NAME_PARTS: Final = ("Alphabetic", "Ideographic", "Phonetic")
_MOST_DIGITS: Final = 15
_MOST_PARTS: Final = 1_000_000
"""Lists, mappings and commas in a sidecar; each can take a hundred times its size in memory."""


@dataclass(frozen=True)
class Sidecar:
    """The DICOM elements in a sidecar.

    Attributes
    ----------
    values : the values of each element by its tag, eight upper-case hexadecimal digits such as
        ``00280010``. A value is text, a number, None where it is missing among others, or for an
        item of a sequence another such mapping.
    """

    values: Mapping[str, tuple[object, ...]]

    def text(self, tag: str) -> str:
        r"""The element as text, several values joined by ``\``; empty where it is absent."""
        return "\\".join(_text(value) for value in self.values.get(tag.upper(), ())).strip()

    def numbers(self, tag: str) -> tuple[float, ...]:
        """The finite numbers among the element's values."""
        parts = self.text(tag).split("\\")
        found = (_number(part) for part in parts)
        return tuple(number for number in found if number is not None)

    def number(self, tag: str) -> float | None:
        """The first finite number among the element's values; None where there is none."""
        return next(iter(self.numbers(tag)), None)


def read_sidecar(path: Path) -> Sidecar:
    """Read the DICOM elements of a sidecar.

    Elements that cannot be understood are left out, and so are the nested ones of the older kind.

    Raises
    ------
    ReadError
        when the file is empty, no JSON, or holds no DICOM elements.
    """
    text = decode_text(read_whole(path, MAX_BYTES))
    if not text.strip():
        raise ReadError(path, "the file is empty. Copy or download it again.")
    if sum(map(text.count, "[{,")) > _MOST_PARTS:
        raise ReadError(path, f"expected at most {_MOST_PARTS:,} values, found more.")
    try:
        values = _elements(_parse(text))
    except RecursionError as error:
        raise ReadError(path, "expected DICOM elements, found too deeply nested JSON.") from error
    except ValueError as error:
        raise ReadError(path, f"expected JSON, found text that is none: {error}.") from error
    if not values:
        raise ReadError(path, "expected the DICOM elements of one image, found other JSON.")
    return Sidecar(values)


def _parse(text: str) -> object:
    # Some writers leave line breaks in texts, and NaN or Infinity where a value is missing.
    return json.loads(text, parse_int=_whole, parse_constant=lambda _: None, strict=False)


def _elements(found: object) -> dict[str, tuple[object, ...]]:
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    if not isinstance(found, dict):
        return {}
    result = found.get("ResultSet")
    rows = result.get("Result") if isinstance(result, dict) else None
    return dict(_listed(rows)) if isinstance(rows, list) else _item(found)


def _listed(rows: list[object]) -> Iterator[tuple[str, tuple[object, ...]]]:
    for row in reversed(rows):  # the first of several rows of one tag stands
        if not isinstance(row, dict) or row.get("tag2"):
            continue
        tag, value = _tag(row.get("tag1")), row.get("value")
        if tag:
            yield tag, _values(value.split("\\") if isinstance(value, str) else value)


def _item(found: dict[str, object]) -> dict[str, tuple[object, ...]]:
    elements = ((_tag(name), element) for name, element in found.items())
    return {
        tag: _values(element.get("Value") if isinstance(element, dict) else element)
        for tag, element in elements
        if tag
    }


def _values(found: object) -> tuple[object, ...]:
    if found is None:
        return ()
    return tuple(_value(value) for value in (found if isinstance(found, list) else [found]))


def _value(found: object) -> object:
    if isinstance(found, str):
        # Neither half a surrogate pair nor NUL can be shown.
        return found.encode(errors="replace").decode().replace("\0", "")
    if not isinstance(found, dict):
        return found
    if name := next((found[part] for part in _NAME_PARTS if part in found), None):
        return _value(name)
    return _item(found)


def _tag(name: object) -> str:
    match = _TAG.fullmatch(name.strip()) if isinstance(name, str) else None
    return (match[1] + match[2]).upper() if match else ""


def _whole(digits: str) -> float:
    # Python refuses to read integers of thousands of digits.
    return int(digits) if len(digits) <= _MOST_DIGITS else float(digits)


def _text(value: object) -> str:
    if isinstance(value, str):
        return value.strip()
    if not isinstance(value, int | float) or not math.isfinite(value):
        return ""
    return str(int(value)) if value == int(value) else str(value)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
