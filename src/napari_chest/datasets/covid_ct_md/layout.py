"""Which folders are cases, and what Index.csv says of them."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from napari_chest.errors import ReadError
from napari_chest.files.dicom import read_header
from napari_chest.files.names import natural_key
from napari_chest.files.paths import is_inside
from napari_chest.files.table import Table, read_table
from napari_chest.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

INDEX_NAME = "Index.csv"
INDEX_LIMIT = 64 * 2**20
"""Bytes of an Index.csv; the published one has two thousand."""
_DIAGNOSES = {"covid": "COVID-19", "cap": "CAP", "normal": "Normal"}
_MOST_DIGITS = 10
_LEAF = re.compile(r"(p|cap|normal)\d+$", re.IGNORECASE)
_LEAF_OF_CLASS = {"covid": "p", "cap": "cap", "normal": "normal"}


@dataclass(frozen=True)
class CaseFolder:
    """One case's folder of slices.

    Attributes
    ----------
    id : path of the folder relative to the root, with forward slashes.
    leaf : the folder's own name, which Index.csv calls Folder/ID.
    diagnosis : by the class folder it lies in.
    path : the folder.
    """

    id: str
    leaf: str
    diagnosis: str
    path: Path


@dataclass(frozen=True)
class IndexRow:
    """One row of Index.csv; ``label_index`` is None where the cell is no number."""

    position: int
    label_index: int | None
    diagnosis: str
    leaf: str


@dataclass(frozen=True)
class Index:
    """Index.csv as read: the rows and what is wrong with it."""

    rows: tuple[IndexRow, ...] = ()
    problems: tuple[Problem, ...] = ()
    _by_leaf: dict[str, IndexRow] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        self._by_leaf.update({row.leaf.casefold(): row for row in reversed(self.rows)})

    def row_for(self, leaf: str) -> IndexRow | None:
        """The row of a case folder, ignoring case; None for an unlabelled case."""
        return self._by_leaf.get(leaf.casefold())

    def array_row(self, row: IndexRow, array_rows: int) -> int | None:
        """Where a case stands in a label array of so many rows; None if that cannot be told.

        Arrays with one row per row of Index.csv are in its order. The old 80-row arrays are in the
        order of Label Index, whose largest value is their last row.
        """
        if array_rows == len(self.rows):
            return row.position
        labels = [r.label_index for r in self.rows if r.label_index is not None]
        if labels and array_rows == max(labels) + 1:
            return row.label_index
        return None


def find_cases(root: Path) -> tuple[list[CaseFolder], list[Problem]]:
    """Case folders in the root or one folder below it: COVID-19 first, then CAP, then normal."""
    found: list[CaseFolder] = []
    problems: list[Problem] = []
    inside = root.resolve()
    for class_folder in _class_folders(root):
        kind = _kind(class_folder.name)
        for leaf in _folders(class_folder):
            if not _is_leaf(leaf.name, kind):
                continue
            name = leaf.relative_to(root).as_posix()
            if not leaf.resolve().is_relative_to(inside):
                problems.append(
                    Problem(
                        "error", "This case leads outside the dataset and is not read.", (name,)
                    )
                )
                continue
            found.append(CaseFolder(name, leaf.name, _DIAGNOSES[kind], leaf))
    order = list(_DIAGNOSES.values())
    found.sort(key=lambda c: (order.index(c.diagnosis), natural_key(c.leaf), c.id))
    return found, problems


def has_cases(root: Path) -> bool:
    """Whether any class folder with a case folder is there; stops at the first."""
    return any(
        _is_leaf(leaf.name, _kind(class_folder.name))
        for class_folder in _class_folders(root)
        for leaf in _folders(class_folder)
    )


def read_index(root: Path) -> Index:
    """Index.csv of the root; empty, with a problem that says why, where it cannot be used."""
    try:
        table = read_table(root / INDEX_NAME)
    except ReadError as error:
        return Index(
            problems=(Problem("error", f"No labels can be shown: {error}", (INDEX_NAME,)),)
        )
    leaf_column = table.find("Folder/ID", "Folder")
    if leaf_column is None:
        text = (
            "No labels can be shown: expected a column Folder/ID or Folder, "
            f"found {', '.join(table.columns)}."
        )
        return Index(problems=(Problem("error", text, (INDEX_NAME,)),))
    rows = tuple(_index_rows(table, leaf_column))
    return Index(rows, tuple(_repeated(rows)))


def image_facts(folder: Path, root: Path) -> dict[str, str]:
    """Facts from the number of slices and the first readable header of a case folder."""
    try:
        names = sorted(
            path
            for path in folder.iterdir()
            if path.suffix.casefold() == ".dcm" and not path.name.startswith(".")
        )
    except OSError:
        return {}
    facts = {"Slices": str(len(names))}
    for path in names[:3]:
        with suppress(ReadError):
            # A pipe would never end, and a link may lead out of the dataset.
            if is_inside(path, root):
                return facts | read_header(path).facts
    return facts


def same_diagnosis(text: str, folder: CaseFolder) -> bool:
    """Whether Index.csv and the class folder say the same, however they spell it."""
    return text.casefold()[:3] == folder.diagnosis.casefold()[:3]


def _index_rows(table: Table, leaf_column: int) -> Iterator[IndexRow]:
    label_column = table.find("Label Index")
    diagnosis_column = table.find("Diagnosis")
    for position, row in enumerate(table.rows):
        label = row[label_column] if label_column is not None else ""
        yield IndexRow(
            position,
            int(label) if label.isdecimal() and len(label) < _MOST_DIGITS else None,
            row[diagnosis_column] if diagnosis_column is not None else "",
            row[leaf_column],
        )


def _repeated(rows: tuple[IndexRow, ...]) -> Iterator[Problem]:
    seen: set[str] = set()
    for row in rows:
        if row.leaf.casefold() in seen:
            text = f"{row.leaf} stands in more than one row; its first row is used."
            yield Problem("warning", text, (INDEX_NAME,))
        seen.add(row.leaf.casefold())


def _class_folders(root: Path) -> Iterator[Path]:
    for folder in _folders(root):
        if _kind(folder.name):
            yield folder
        else:
            yield from (inner for inner in _folders(folder) if _kind(inner.name))


def _folders(folder: Path) -> list[Path]:
    try:
        inner = [path for path in folder.iterdir() if not path.name.startswith(".")]
        return sorted(path for path in inner if path.is_dir())
    except OSError:
        return []  # a folder that may not be listed holds no cases for this person


def _kind(name: str) -> str:
    folded = name.casefold()
    return next((kind for kind in _DIAGNOSES if folded.startswith(kind)), "")


def _is_leaf(name: str, kind: str) -> bool:
    match = _LEAF.match(name)
    return match is not None and match[1].casefold() == _LEAF_OF_CLASS[kind]
