"""The clinical table, shown for a case only where its row can be told for certain."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from napari_chest.errors import ReadError
from napari_chest.files.table import read_table
from napari_chest.model import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from napari_chest.files.table import Table

_ID_COLUMNS = ("Folder/ID", "Folder", "Patient ID", "Case", "ID")
_AGE = re.compile(r"0*(\d+)\s*y?$", re.IGNORECASE)


def read_clinical(root: Path) -> tuple[dict[str, dict[str, str]], list[Problem]]:
    """Clinical facts by case folder name (case-folded), from ``*clinical*.csv`` in the root.

    The table that the authors published beside their code has no column that names a folder and
    counts patients otherwise than the release; such a table is not joined, and a note says so.
    """
    facts: dict[str, dict[str, str]] = {}
    problems: list[Problem] = []
    for path in sorted(root.glob("*.csv")):
        if "clinical" not in path.name.casefold() or path.name.startswith("."):
            continue
        try:
            joined = _by_folder(read_table(path))
        except ReadError as error:
            problems.append(Problem("warning", f"Clinical facts are not shown. {error}"))
            continue
        if joined is None:
            text = (
                "Clinical facts are not shown: the table has no column that names the case folder "
                f"({', '.join(_ID_COLUMNS)}), so its rows cannot be matched for certain."
            )
            problems.append(Problem("note", text, (path.name,)))
        else:
            facts.update(joined)
    return facts, problems


def contradiction(clinical: Mapping[str, str], sex: str, age: str) -> str | None:
    """What the clinical row says otherwise than the images about sex or age, in words."""
    pairs = (("sex", _get(clinical, "Sex", "Gender"), sex), ("age", _get(clinical, "Age"), age))
    for what, told, seen in pairs:
        if told and seen and _plain(told) != _plain(seen):
            return f"{what} {told} in the clinical table, {seen} in the images"
    return None


def _by_folder(table: Table) -> dict[str, dict[str, str]] | None:
    id_column = table.find(*_ID_COLUMNS)
    if id_column is None:
        return None
    kept = [(i, name) for i, name in enumerate(table.columns) if name and i != id_column]
    return {
        row[id_column].casefold(): {name: row[i] for i, name in kept if row[i]}
        for row in table.rows
        if row[id_column]
    }


def _get(facts: Mapping[str, str], *words: str) -> str:
    return next((facts[k] for k in facts if any(w in k.split() for w in words)), "")


def _plain(value: str) -> str:
    match = _AGE.match(value)
    return match[1] if match else value[:1].upper()
