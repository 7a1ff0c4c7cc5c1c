"""The text of a JSON file whatever its encoding, and its values whatever its writer let pass."""

from __future__ import annotations

import codecs
import json
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from napari_chest.errors import ReadError

if TYPE_CHECKING:
    from pathlib import Path

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins like the mark of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MOST_DIGITS = 15


class Text(NamedTuple):
    """A file's text.

    Attributes
    ----------
    text : it in UTF-8, without a byte order mark.
    mark : the byte order mark before it, or nothing.
    codec : how the file encodes it.
    """

    text: bytes
    mark: bytes
    codec: str

    def encoded(self, text: bytes) -> bytes:
        """Another text as a file of the same encoding."""
        return self.mark + _recoded(text, "utf-8", self.codec)


def text_of_file(content: bytes, where: Path | str) -> Text:
    """The text of a file in UTF-8, UTF-16 or UTF-32, as `json.load` tells them apart.

    Raises
    ------
    ReadError
        when it ends in the middle of a character.
    """
    marked = (pair for pair in _MARKS if content.startswith(pair[0]))
    mark, codec = next(marked, (b"", json.detect_encoding(content[:4])))
    try:
        return Text(_recoded(content[len(mark) :], codec, "utf-8"), mark, codec)
    except UnicodeDecodeError as error:
        raise ReadError(
            where,
            f"expected text encoded as {codec}, found none at byte {error.start:,}. Copy or "
            "download it again.",
        ) from error


def decoded_head(head: bytes) -> str:
    """The beginning of a file as text, as well as it can be told from these bytes alone."""
    for mark, codec in _MARKS:
        if head.startswith(mark):
            return head[len(mark) :].decode(codec, errors="ignore")
    return head.decode(json.detect_encoding(head[:4]), errors="ignore")


def value_of(raw: bytes | msgspec.Raw) -> object:
    """The value that a piece of JSON says; NaN, infinities and broken characters are let pass.

    Raises
    ------
    ValueError
        when it is no JSON.
    RecursionError
        when its values are nested too deeply.
    """
    try:
        return msgspec.json.decode(raw)
    except ValueError:
        text = bytes(raw).decode("utf-8", errors="surrogateescape")
        return json.loads(text, parse_int=_whole, strict=False)


def shown(value: object) -> str:
    """An identifier or a text as something that can be shown; empty where it is neither."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode(errors="replace").decode()
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def whole(value: object) -> int | None:
    """A whole number, also one that was written as a text or with a fraction of zero."""
    if isinstance(value, str):
        value = value.strip()
        digits = value.removeprefix("-")
        fits = digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS
        return int(value) if fits else None
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return int(value) if value == value // 1 and abs(value) < 10**_MOST_DIGITS else None


def _recoded(text: bytes, source: str, target: str) -> bytes:
    if source == target:  # broken characters stay what they are
        return text
    return text.decode(source, errors="surrogatepass").encode(target, errors="surrogatepass")


def _whole(digits: str) -> float:
    # Python refuses to read integers of thousands of digits.
    return int(digits) if len(digits) <= _MOST_DIGITS else float(digits)
