"""The registry: which category each study has and whether it has a mask; read only."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from napari_chest.errors import ReadError
from napari_chest.files.table import read_table
from napari_chest.files.workbook import read_workbook
from napari_chest.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from napari_chest.files.table import Table

_NUMBER = re.compile(r"(?:study_)?0*([0-9]{1,4})(?:\.0*)?", re.IGNORECASE)
_CATEGORY = re.compile(r"CT[-_ ]?([0-4])", re.IGNORECASE)


@dataclass(frozen=True)
class Row:
    """One study's row.

    Attributes
    ----------
    number : the study's number.
    category : ``CT-0`` to ``CT-4``, or empty where the cell says nothing of the kind.
    study_file, mask_file : as registered, with their leading slash; never opened.
    """

    number: int
    category: str
    study_file: str
    mask_file: str


@dataclass(frozen=True)
class Registry:
    """The registry as read; ``path`` is relative to the root, None where none can be used."""

    path: Path | None = None
    rows: Mapping[int, Row] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


def read_registry(root: Path, candidates: Iterable[Path]) -> Registry:
    """The first usable registry among these files of the root, and why others cannot be used."""
    problems: list[Problem] = []
    for path in candidates:
        try:
            table = _read(root / path)
            rows = tuple(_rows(root / path, table))
        except ReadError as error:
            text = f"This registry is not used. {error}"
            problems.append(Problem("warning", text, (path.as_posix(),)))
            continue
        by_number: dict[int, Row] = {}
        for row in rows:
            by_number.setdefault(row.number, row)
        problems += _row_problems(path, table, rows, by_number)
        return Registry(path, by_number, tuple(problems))
    if not problems:
        text = (
            "There is no dataset_registry.xlsx: categories are told by the folders alone, and "
            "nobody can tell whether studies or masks are missing."
        )
        problems.append(Problem("note", text))
    return Registry(problems=tuple(problems))


def is_registry(path: Path) -> bool:
    """Whether a file is a readable registry with its columns."""
    try:
        _columns(path, _read(path))
    except ReadError:
        return False
    return True


def category(text: str) -> str:
    """A category in the dataset's own spelling; empty where the text is none."""
    match = _CATEGORY.fullmatch(text.strip())
    return f"CT-{match[1]}" if match else ""


def number(text: str) -> int | None:
    """A study's number, written as ``255``, ``0255``, ``255.0`` or ``study_0255``."""
    match = _NUMBER.fullmatch(text.strip())
    return int(match[1]) if match else None


def _read(path: Path) -> Table:
    if path.suffix.casefold() in {".xlsx", ".xls"}:
        return read_workbook(path)
    return read_table(path)


def _columns(path: Path, table: Table) -> tuple[int, int]:
    id_column, category_column = table.find("study_id"), table.find("category")
    if id_column is None or category_column is None:
        raise ReadError(
            path,
            f"expected the columns study_id and category, found {', '.join(table.columns)[:200]}.",
        )
    return id_column, category_column


def _rows(path: Path, table: Table) -> Iterator[Row]:
    id_column, category_column = _columns(path, table)
    study_column, mask_column = table.find("study_file"), table.find("mask_file")
    for cells in table.rows:
        study = number(cells[id_column])
        if study is not None:
            yield Row(
                study,
                category(cells[category_column]),
                cells[study_column] if study_column is not None else "",
                cells[mask_column] if mask_column is not None else "",
            )


def _row_problems(
    path: Path, table: Table, rows: tuple[Row, ...], by_number: Mapping[int, Row]
) -> Iterator[Problem]:
    nameless = len(table.rows) - len(rows)
    if nameless:
        text = f"{nameless} of the registry's {len(table.rows)} rows name no study and are skipped."
        yield Problem("warning", text, (path.as_posix(),))
    if repeated := len(rows) - len(by_number):
        text = f"{repeated} rows of the registry repeat a study; the first row of each is used."
        yield Problem("warning", text, (path.as_posix(),))
    if unknown := sum(not row.category for row in by_number.values()):
        text = f"{unknown} rows of the registry have no category from CT-0 to CT-4."
        yield Problem("warning", text, (path.as_posix(),))
