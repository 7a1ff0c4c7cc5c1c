"""Tables in text files (CSV, TSV) as people and programs save them: read tolerantly."""

from __future__ import annotations

import csv
import io
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from napari_chest.errors import ReadError
from napari_chest.files.atomic import read_whole
from napari_chest.files.text import decode_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_BYTES: Final = 256 * 2**20
_DELIMITERS: Final = ",;\t|"
_MOST_LINES: Final = 200
"""Lines of a file that one row may take before its quote counts as never closed."""
_MOST_UNCLOSED: Final = 20
_LIMIT: Final = threading.Lock()


@dataclass(frozen=True)
class Table:
    """A table of text; every row has one cell per column, stripped of outer blanks.

    Attributes
    ----------
    columns : the header.
    rows : one cell per column; short rows are filled up with empty cells, long ones are cut.
    ragged : which rows had fewer or more cells than the header, counted as a spreadsheet counts:
        from 1, the header and blank rows included.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    ragged: tuple[int, ...] = ()

    def find(self, *names: str) -> int | None:
        """Index of the first column with one of these names, ignoring case; None if absent."""
        folded = [column.casefold() for column in self.columns]
        return next((folded.index(n.casefold()) for n in names if n.casefold() in folded), None)


def read_table(path: Path, delimiter: str | None = None) -> Table:
    """Read a delimited text file with a header row.

    UTF-8 and UTF-16 with a byte order mark, UTF-8 without, else Latin-1. Blank lines are skipped.
    A line whose quote is not closed within 200 lines is a row of its own, its quotes are text;
    after twenty such lines every quote is text.

    Parameters
    ----------
    path : the file.
    delimiter : what stands between cells; by default the one of comma, semicolon, tab and bar that
        is most frequent in the header.

    Raises
    ------
    ReadError
        when the file cannot be read or holds no header.
    """
    lines = io.StringIO(decode_text(read_whole(path, MAX_BYTES)), newline="").readlines()
    if delimiter is None:
        delimiter = max(_DELIMITERS, key=next(filter(str.strip, lines), "").count)
    with _any_cell_size():
        cells = [[cell.strip() for cell in row] for row in _rows(lines, delimiter)]
    numbered = ((number, row) for number, row in enumerate(cells, 1) if any(row))
    _, columns = next(numbered, (0, []))
    if not columns:
        raise ReadError(path, "expected a table with a header row, found an empty file.")
    width = len(columns)
    rows, ragged = [], []
    for number, row in numbered:
        if len(row) != width:
            ragged.append(number)
            row = (row + [""] * width)[:width]
        rows.append(tuple(row))
    return Table(tuple(columns), tuple(rows), tuple(ragged))


class _Feed:
    """Lines for a `csv.reader`, which ends within a row that takes too many of them.

    Attributes
    ----------
    row : where the row begins that is being read.
    next : the next line.
    unclosed : whether the end came within a row.
    """

    def __init__(self, lines: list[str], at: int) -> None:
        self._lines = lines
        self.row = self.next = at
        self.unclosed = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.next == len(self._lines) or self.next - self.row >= _MOST_LINES:
            self.unclosed = self.next > self.row
            raise StopIteration
        self.next += 1
        return self._lines[self.next - 1]


def _rows(lines: list[str], delimiter: str) -> Iterator[list[str]]:
    at = 0
    for _ in range(_MOST_UNCLOSED):
        feed = _Feed(lines, at)
        for row in csv.reader(feed, delimiter=delimiter):
            if feed.unclosed:
                break
            yield row
            feed.row = feed.next
        if not feed.unclosed:
            return
        yield lines[feed.row].split(delimiter)
        at = feed.row + 1
    yield from (line.split(delimiter) for line in lines[at:])


@contextmanager
def _any_cell_size() -> Iterator[None]:
    """The csv module's limit, which is that of the whole process, lifted for a while."""
    with _LIMIT:
        before = csv.field_size_limit(MAX_BYTES)
        try:
            yield
        finally:
            csv.field_size_limit(before)
