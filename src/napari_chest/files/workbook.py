"""Tables in Excel workbooks (.xlsx), read only: nothing of ours writes one.

A workbook is a zip of XML parts (ECMA-376). What it says of its own size is not believed: the
parts are unpacked here within bounds, and only those that were are handed to python-calamine.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from datetime import date, time
from itertools import pairwise
from typing import TYPE_CHECKING

from python_calamine import CalamineError, CalamineWorkbook

from napari_chest.errors import ReadError
from napari_chest.files.atomic import read_whole
from napari_chest.files.table import Table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

MAX_BYTES = 16 * 2**20
MAX_UNPACKED = 64 * 2**20
MAX_PARTS = 1_000
MAX_CELLS = 2_000_000
"""Cells of the rectangle from the first used cell to the last, empty ones included."""
MAX_TEXT = 2**31
"""Characters that all cells together would have if each held the longest text."""

_TAG = rb"<(?:[^\s<>/:]+:)?"
_ROW = re.compile(_TAG + rb"row(?=[\s>/])")
_CELL = re.compile(_TAG + rb"c(?=[\s>/])")
_TEXT = re.compile(_TAG + rb"si(?=[\s>/])")
_REFERENCE = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]*)([0-9]*)([^"']*)["']""")
_COUNT = re.compile(rb"""\s(?:unique)?count\s*=\s*["']\+?([0-9]+)""", re.IGNORECASE)


def read_workbook(path: Path) -> Table:
    """The first sheet of a workbook as text, its first row that is not blank as the header.

    Whole numbers have no decimals, dates and times are ISO 8601, an empty cell is an empty text.
    Blank rows are skipped.

    Raises
    ------
    ReadError
        when it is no workbook, is protected by a password, is too large or holds no header.
    """
    repacked = _repacked(path, read_whole(path, MAX_BYTES))
    try:
        with CalamineWorkbook.from_filelike(repacked) as workbook:
            sheet = workbook.get_sheet_by_index(0)
            rows = [[_text(cell) for cell in row] for row in sheet.to_python()]
    except (CalamineError, IndexError, ValueError) as error:
        raise ReadError(path, f"expected an Excel workbook (.xlsx), found {error}.") from error
    filled = [tuple(row) for row in rows if any(row)]
    if not filled:
        raise ReadError(path, "expected a sheet with a header row, found an empty one.")
    return Table(filled[0], tuple(filled[1:]))


def _repacked(path: Path, content: bytes) -> io.BytesIO:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as source:
            parts = dict(_parts(path, source))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError) as error:
        raise _no_workbook(path, content, error) from error
    except (zlib.error, EOFError, OSError) as error:
        raise ReadError(path, f"the workbook is damaged: {error}.") from error
    for part in parts.values():
        _check_part(path, part)
    _check_texts(path, parts.values())
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as copy:
        for name, part in parts.items():
            copy.writestr(name, part)
    target.seek(0)
    return target


def _parts(path: Path, source: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    """The XML parts by name; pictures, macros and whatever else there is are not unpacked."""
    room = MAX_UNPACKED
    names = dict.fromkeys(source.namelist())
    if len(names) > MAX_PARTS:
        raise ReadError(path, f"expected at most {MAX_PARTS:,} parts, found {len(names):,}.")
    for name in names:
        if not name.endswith((".xml", ".rels")):
            continue
        with source.open(name) as file:
            part = file.read(room + 1)
        room -= len(part)
        if room < 0:
            raise ReadError(path, f"expected at most {MAX_UNPACKED:,} bytes unpacked, found more.")
        yield name, part


def _check_part(path: Path, part: bytes) -> None:
    """Refuse what would make python-calamine allocate without bounds, which ends the program."""
    if b"\0" in part or b"<!DOCTYPE" in part or b"<!ENTITY" in part:
        raise ReadError(path, "expected plain XML in UTF-8, found a DTD or another encoding.")
    if any(_number(match[1]) > MAX_CELLS for match in _COUNT.finditer(part)):
        raise ReadError(path, f"expected at most {MAX_CELLS:,} texts, found a count above that.")
    cells = _area(path, part)
    if cells > MAX_CELLS:
        raise ReadError(path, f"expected at most {MAX_CELLS:,} cells, found up to {cells:,}.")


def _check_texts(path: Path, parts: Collection[bytes]) -> None:
    """Refuse a long text that so many cells share that their copies would not fit."""
    longest = 0
    for part in parts:
        starts = [match.start() for match in _TEXT.finditer(part)]
        longest = max([longest, *(b - a for a, b in pairwise((*starts, len(part))))])
    cells = sum(1 for part in parts for _ in _CELL.finditer(part))
    if longest * cells > MAX_TEXT:
        raise ReadError(
            path, f"expected at most {MAX_TEXT:,} characters, found up to {longest * cells:,}."
        )


def _area(path: Path, part: bytes) -> int:
    """The most cells that the used rectangle of a sheet can have."""
    height = width = 0
    pieces = _ROW.split(part) if _CELL.search(part) else []
    for piece in pieces:
        placed = last = 0
        for column, row, rest in _REFERENCE.findall(piece):
            if rest:
                raise ReadError(path, f"expected cells such as A1, found {rest[:20]!r}.")
            height = max(height, _number(row))
            last = max(last, _column(column))
            placed += bool(column)
        # A cell that does not say where it stands follows the one before it; so does a row.
        width = max(width, last + max(len(_CELL.findall(piece)) - placed, 0))
    return (height + len(pieces)) * width


def _column(letters: bytes) -> int:
    if len(letters) > 3:  # the last column is XFD
        return MAX_CELLS + 1
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - ord("A") + 1
    return number


def _number(digits: bytes) -> int:
    if len(digits) > 9:
        return MAX_CELLS + 1
    return int(digits or b"0")


def _no_workbook(path: Path, content: bytes, error: Exception) -> ReadError:
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        return ReadError(
            path,
            "expected an Excel workbook (.xlsx), found an old one (.xls) or one with a password. "
            "Save it as .xlsx without a password, or as .csv.",
        )
    return ReadError(path, f"expected an Excel workbook (.xlsx), found no zip: {error}.")


def _text(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell).strip()
