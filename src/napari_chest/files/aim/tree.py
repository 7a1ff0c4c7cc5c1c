"""An XML document as a tree that knows where each element stands in the text.

Nothing outside the document is ever opened: a document type declaration, which is where entities
and links to other files come from, is refused.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Never
from xml.parsers import expat

from napari_chest.errors import ReadError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

MAX_BYTES = 64 * 2**20
MAX_ELEMENTS = 2**20
MAX_DEPTH = 64
_MOST_SPACE = 1000
COORDINATE = "TwoDimensionSpatialCoordinate"

_START_TAG = re.compile(rb"""<(?:[^"'>]++|"[^"]*"|'[^']*')*+>""")
_ATTRIBUTE = re.compile(rb"""\s([^\s=]+)\s*=\s*("[^"]*"|'[^']*')""")
_DECLARED = re.compile(r"""<\?xml\s[^>]*?\bencoding\s*=\s*["']([\w.-]+)["']""", re.ASCII)
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_UNMARKED = {b"<\0": "utf-16-le", b"\0<": "utf-16-be"}
_ONE_BYTE = {"utf-8", "ascii", "iso8859-1", "iso8859-15", "cp1252"}


@dataclass(slots=True)
class Element:
    """One element and where it stands in the UTF-8 text of its document.

    Attributes
    ----------
    prefix, name : ``ns0:`` and ``user`` of ``<ns0:user>``.
    attributes : as written, but for references, which are resolved. Of a coordinate, also the
        ``value`` of each child, by the child's name.
    start, inner, close, end : where its first tag begins and ends, its last tag begins and ends;
        ``inner``, ``close`` and ``end`` are one where there is a single tag.
    children : the elements in it; a coordinate has none.
    """

    prefix: str
    name: str
    attributes: dict[str, str]
    start: int
    inner: int
    close: int = 0
    end: int = 0
    children: list[Element] = field(default_factory=list)

    def all(self, *path: str) -> Iterator[Element]:
        """The elements at this path of names below this one, in document order."""
        if not path:
            yield self
            return
        for child in self.children:
            if child.name == path[0]:
                yield from child.all(*path[1:])

    def first(self, *path: str) -> Element | None:
        """The first element at this path of names below this one."""
        return next(self.all(*path), None)

    def text(self, name: str, attribute: str = "value") -> str:
        """An attribute of the first child of this name; empty where there is none."""
        child = self.first(name)
        return "" if child is None else child.attributes.get(attribute, "")


@dataclass(frozen=True)
class Edit:
    """New text, UTF-8, in place of what stands from ``start`` to ``end``."""

    start: int
    end: int
    text: bytes


@dataclass(frozen=True, eq=False)
class Document:
    """A parsed document.

    Attributes
    ----------
    text : the document in UTF-8, without a byte order mark.
    mark : its byte order mark, or nothing.
    codec : how it is encoded after the mark.
    root : its outermost element.
    """

    text: bytes
    mark: bytes
    codec: str
    root: Element

    def edited(self, edits: Iterable[Edit]) -> bytes:
        """The document in its own encoding with these edits, which must not overlap."""
        parts, position = [], 0
        for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
            parts += [self.text[position : edit.start], edit.text]
            position = edit.end
        text = b"".join([*parts, self.text[position:]]).decode("utf-8")
        return self.mark + text.encode(self.codec, errors="xmlcharrefreplace")

    def attribute_place(self, element: Element, name: str) -> tuple[int, int] | None:
        """Where the value of an attribute stands, without its quotes."""
        for match in _ATTRIBUTE.finditer(self.text, element.start, element.inner):
            if match[1].decode("utf-8") == name:
                return match.start(2) + 1, match.end(2) - 1
        return None

    def space_before(self, element: Element) -> bytes:
        """The blanks and line ends between an element and what stands before it."""
        before = self.text[max(0, element.start - _MOST_SPACE) : element.start]
        return before[len(before.rstrip()) :]

    def indentation(self, element: Element) -> str:
        """The blanks before an element in its line."""
        return self.space_before(element).rpartition(b"\n")[2].decode("ascii")


def parse_document(content: bytes, where: Path | str) -> Document:
    """Parse XML in UTF-8, UTF-16, Latin-1 or Windows-1252.

    Raises
    ------
    ReadError
        when it is not well-formed, too large or too deep, is encoded otherwise than it says, or
        has a document type declaration.
    """
    if len(content) > MAX_BYTES:
        raise ReadError(where, f"expected at most {MAX_BYTES:,} bytes, found {len(content):,}.")
    mark, codec = _encoding(content, where)
    try:
        text = content[len(mark) :].decode(codec).encode("utf-8")
    except UnicodeDecodeError as error:
        raise ReadError(
            where, f"expected text encoded as {codec}, found none at byte {error.start:,}."
        ) from error
    if b"\0" in text:  # expat would take it for UTF-16
        raise ReadError(where, "expected an XML document, found NUL characters.")
    try:
        root = _Builder(text, where).build()
    except expat.ExpatError as error:
        raise ReadError(where, f"expected an XML document, found an error: {error}.") from error
    return Document(text, mark, codec, root)


def decoded_head(content: bytes) -> str:
    """The beginning of a document as text, as well as it can be told from these bytes alone."""
    mark, codec = _signature(content)
    return content[len(mark) :].decode(codec or "latin-1", errors="ignore")


def _signature(content: bytes) -> tuple[bytes, str]:
    for mark, codec in _MARKS.items():
        if content.startswith(mark):
            return mark, codec
    return b"", _UNMARKED.get(content[:2], "")


def _encoding(content: bytes, where: Path | str) -> tuple[bytes, str]:
    """The byte order mark and the codec of what follows it."""
    mark, found = _signature(content)
    match = _DECLARED.match(decoded_head(content[:1000]))
    if match is None:
        return mark, found or "utf-8"
    try:
        declared = codecs.lookup(match[1]).name
    except LookupError:
        declared = match[1]
    if not found and declared in _ONE_BYTE:
        return mark, declared
    if found and found in (declared, f"{declared}-le", f"{declared}-be"):
        return mark, found
    expected = found or "one of UTF-8, UTF-16 with a byte order mark, ISO-8859-1, windows-1252"
    raise ReadError(where, f"expected the encoding {expected}, found that it declares {match[1]}.")


class _Builder:
    """Builds the tree from what expat announces."""

    def __init__(self, text: bytes, where: Path | str) -> None:
        self._text = text
        self._where = where
        self._count = 0
        self._top = Element("", "", {}, 0, 0)
        self._open = [self._top]
        # The text is UTF-8 by now, whatever its declaration says.
        self._parser = expat.ParserCreate("utf-8")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = self._refuse_doctype

    def build(self) -> Element:
        self._parser.Parse(self._text, True)
        return self._top.children[0]

    def _start(self, full_name: str, attributes: dict[str, str]) -> None:
        if len(self._open) > MAX_DEPTH:
            raise ReadError(
                self._where, f"expected at most {MAX_DEPTH} elements in one another, found more."
            )
        start = self._parser.CurrentByteIndex
        tag = _START_TAG.match(self._text, start)
        assert tag is not None
        prefix, colon, name = full_name.rpartition(":")
        element = Element(prefix + colon, name, attributes, start, tag.end())
        parent = self._open[-1]
        if parent.name == COORDINATE:  # one object each, where there are hundreds of thousands
            parent.attributes[name] = attributes.get("value", "")
        else:
            self._count += 1
            parent.children.append(element)
        if self._count > MAX_ELEMENTS:
            raise ReadError(self._where, f"expected at most {MAX_ELEMENTS:,} elements, found more.")
        self._open.append(element)

    def _end(self, _name: str) -> None:
        element = self._open.pop()
        if self._text[element.inner - 2 : element.inner] == b"/>":
            element.close = element.end = element.inner
        else:
            element.close = self._parser.CurrentByteIndex
            element.end = self._text.index(b">", element.close) + 1

    def _refuse_doctype(self, *_declaration: object) -> Never:
        raise ReadError(
            self._where,
            "expected a document without a document type declaration (DOCTYPE), found one. It can "
            "pull in other files or grow without end, so the document is not opened.",
        )
