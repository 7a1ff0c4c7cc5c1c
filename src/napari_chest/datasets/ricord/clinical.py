"""The clinical tables, shown for a case only where their rows can be told for certain."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from napari_chest.errors import ReadError
from napari_chest.files.table import read_table
from napari_chest.files.workbook import read_workbook
from napari_chest.model import FactGroup, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from napari_chest.datasets.ricord.cases import Case
    from napari_chest.files.table import Table

    Row = tuple[tuple[str, str], ...]

_STUDY: Final = re.compile(r"study\s*(instance\s*)?uid", re.IGNORECASE)
_RECORD: Final = re.compile(r"anon\s*mrn", re.IGNORECASE)
_OF_SERIES: Final = re.compile(r"series\s*(instance\s*)?uid", re.IGNORECASE)
"""NBIA's metadata.csv has a row for every series and tells nothing clinical."""
_PREFIX: Final = re.compile(r"MIDRC-RICORD-1[A-Z]-", re.IGNORECASE)
_MOST_ROWS: Final = 20


@dataclass
class Clinical:
    """The rows of all clinical tables.

    Attributes
    ----------
    of_study : by Study Instance UID; the table's name and the cells that are not empty.
    of_patient : by public code without its collection, of tables that name no studies.
    problems : tables that cannot be read, or whose rows cannot be told.
    """

    of_study: dict[str, list[tuple[str, Row]]] = field(default_factory=dict)
    of_patient: dict[str, list[tuple[str, Row]]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def groups(self, case: Case) -> Iterator[FactGroup]:
        """What the tables say of a case, a group for every row."""
        rows = self.of_study.get(case.study_uid, [])
        rows = rows + self.of_patient.get(case.patient.casefold(), []) if case.patient else rows
        for name, row in rows[:_MOST_ROWS]:
            yield FactGroup(name.rpartition("/")[2], row)


def read_clinical(root: Path, names: Iterable[str]) -> Clinical:
    """Read those of the tables that name studies or patients; the others go on."""
    clinical = Clinical()
    for name in names:
        path = root / name
        try:
            table = read_workbook(path) if path.suffix.casefold() == ".xlsx" else read_table(path)
        except ReadError as error:
            text = f"This table is not shown. {error}"
            clinical.problems.append(Problem("warning", text, (name,)))
            continue
        _add(clinical, name, table)
    return clinical


def _add(clinical: Clinical, name: str, table: Table) -> None:
    columns = [" ".join(column.split()) for column in table.columns]
    study, record = _find(columns, _STUDY), _find(columns, _RECORD)
    if _find(columns, _OF_SERIES) is not None:
        return
    if study is None and record is None:
        if "clinical" in name.casefold():
            text = (
                "This table is not shown: expected a column Study UID or Anon MRN, by which its "
                f"rows can be told, found {', '.join(filter(None, columns))[:200]}."
            )
            clinical.problems.append(Problem("note", text, (name,)))
        return
    for cells in table.rows:
        row = tuple((columns[i], cell) for i, cell in enumerate(cells) if cell and columns[i])
        if study is not None and cells[study]:
            clinical.of_study.setdefault(cells[study], []).append((name, row))
        elif record is not None and cells[record]:
            code = _PREFIX.sub("", cells[record]).casefold()
            clinical.of_patient.setdefault(code, []).append((name, row))


def _find(columns: list[str], pattern: re.Pattern[str]) -> int | None:
    return next((i for i, column in enumerate(columns) if pattern.search(column)), None)
