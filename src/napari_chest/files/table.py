"""Tables in text files (CSV, TSV) as people and programs save them: read tolerantly."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_chest.errors import ReadError
from napari_chest.files.atomic import read_whole

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 256 * 2**20
_DELIMITERS = ",;\t|"


@dataclass(frozen=True)
class Table:
    """A table of text; every row has one cell per column, stripped of outer blanks."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def find(self, *names: str) -> int | None:
        """Index of the first column with one of these names, ignoring case; None if absent."""
        folded = [column.casefold() for column in self.columns]
        return next((folded.index(n.casefold()) for n in names if n.casefold() in folded), None)


def read_table(path: Path) -> Table:
    """Read a delimited text file with a header row.

    UTF-8 and UTF-16 with a byte order mark, UTF-8 without, else Latin-1; the delimiter is the one
    of comma, semicolon, tab and bar that is most frequent in the header. Blank lines are skipped.

    Raises
    ------
    ReadError
        when the file cannot be read or holds no header.
    """
    text = _decode(read_whole(path, MAX_BYTES))
    header = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(_DELIMITERS, key=header.count)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise ReadError(path, f"expected a table, found a line that is none: {error}.") from error
    filled = [[cell.strip() for cell in line] for line in lines if any(c.strip() for c in line)]
    if not filled:
        raise ReadError(path, "expected a table with a header row, found an empty file.")
    columns = tuple(filled[0])
    width = len(columns)
    return Table(columns, tuple(tuple((row + [""] * width)[:width]) for row in filled[1:]))


def _decode(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")
