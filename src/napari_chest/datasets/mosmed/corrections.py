"""Corrected categories, in a small table beside the registry, which is never rewritten."""

from __future__ import annotations

import csv
import io
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from napari_chest.datasets.mosmed.cases import CATEGORIES
from napari_chest.datasets.mosmed.registry import number as number_of
from napari_chest.errors import ReadError, SaveError
from napari_chest.files.atomic import read_whole
from napari_chest.files.paths import is_inside
from napari_chest.model import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PATH = Path("category_corrections.csv")
"""The table, relative to the root."""
COLUMNS = ("study_id", "category", "corrected_category")
_MOST_BYTES = 16 * 2**20
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Corrections:
    """The table as read.

    Attributes
    ----------
    content : the file's bytes, None where there is no file.
    lines : every line as cells, the header first.
    categories : corrected category by study number; empty where a category was taken away.
    problems : what cannot be used.
    """

    content: bytes | None = None
    lines: tuple[tuple[str, ...], ...] = (COLUMNS,)
    categories: Mapping[int, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    @property
    def unusable(self) -> bool:
        """Whether the file is there and is no such table."""
        return any(problem.level == "error" for problem in self.problems)

    def with_category(self, number: int, own: str, category: str) -> bytes:
        """The file's bytes with a study's category; other lines keep their cells.

        A category that is the dataset's own needs no line.

        Raises
        ------
        SaveError
            when the file is there and is no such table.
        """
        if self.unusable:
            raise SaveError(
                f"{self.problems[0].text} Nothing was written; move the file away, then save again."
            )
        header, *rows = self.lines
        kept = [row for row in rows if _number(row) != number]
        if category != own:
            kept.append((str(number), own, category))
        kept.sort(key=lambda row: (_number(row) is None, _number(row) or 0))
        text = io.StringIO()
        end = "\r\n" if b"\r\n" in (self.content or b"") else "\n"
        csv.writer(text, lineterminator=end).writerows([header, *kept])
        mark = _BOM if (self.content or b"").startswith(_BOM) else b""
        return mark + text.getvalue().encode()

    def holds(self, content: bytes) -> bool:
        """Whether the file is there and says in its own bytes what these bytes say."""
        return self.content is not None and self.lines == _cells(content)


def names(folder: Path) -> tuple[Path, ...]:
    """The table where a folder has one that may be read and lies in it, else nothing."""
    path = folder / PATH
    return (PATH,) if is_inside(path, folder) and os.access(path, os.R_OK) else ()


def read_corrections(folder: Path) -> Corrections:
    """The corrected categories in a folder; none, and an error, where the file is another."""
    path = folder / PATH
    if not names(folder):
        return Corrections()
    content = b""
    try:
        content = read_whole(path, _MOST_BYTES)
        lines = _lines(path, content)
    except ReadError as error:
        text = f"Corrected categories are not shown. {error}"
        return Corrections(content, problems=(Problem("error", text, (PATH.name,)),))
    categories: dict[int, str] = {}
    unused = 0
    for row in lines[1:]:
        number, category = _number(row), row[2].strip() if len(row) > 2 else None
        if number is None or category not in {"", *CATEGORIES}:
            unused += 1
        else:
            categories.setdefault(number, str(category))
    problems: tuple[Problem, ...] = ()
    if unused:
        text = f"{unused} rows of corrected categories name no study or no category, and are kept."
        problems = (Problem("warning", text, (PATH.name,)),)
    return Corrections(content, lines, categories, problems)


def _lines(path: Path, content: bytes) -> tuple[tuple[str, ...], ...]:
    try:
        lines = _cells(content)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ReadError(path, f"expected a table in UTF-8, found {error}.") from error
    if not lines or tuple(cell.strip() for cell in lines[0][: len(COLUMNS)]) != COLUMNS:
        found = ",".join(lines[0])[:200] if lines else "nothing"
        raise ReadError(path, f"expected the columns {','.join(COLUMNS)}, found {found}.")
    return lines


def _cells(content: bytes) -> tuple[tuple[str, ...], ...]:
    text = io.StringIO(content.decode("utf-8-sig"), newline="")
    return tuple(tuple(row) for row in csv.reader(text) if row)


def _number(row: Sequence[str]) -> int | None:
    return number_of(row[0])
