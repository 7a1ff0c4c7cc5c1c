"""The table of corrected labels beside the released one, which itself is never written.

One row per corrected session, in the columns and the style of the released table: the session's
first released row, with its labels and their concepts replaced. A correction that is taken back
takes its row with it. Rows that are not corrected keep their bytes.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_chest.datasets.bimcv.cells import parse_list, write_list
from napari_chest.datasets.bimcv.labels import DOCUMENTED_COLUMNS, SessionKey, session_key
from napari_chest.datasets.bimcv.tree import concept
from napari_chest.errors import ReadError, SaveError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from napari_chest.datasets.bimcv.labels import Labels
    from napari_chest.datasets.bimcv.names import ImageName
    from napari_chest.datasets.bimcv.tree import Term

_KEYS = ("PatientID", "ReportID", "Labels")
_CORRECTED = ("Labels", "labelCUIS")


@dataclass(frozen=True)
class CorrectionRow:
    """One row of the table: its cells, and its text as it stands in the file with its line end."""

    cells: tuple[str, ...]
    text: str

    @classmethod
    def of(cls, cells: tuple[str, ...]) -> CorrectionRow:
        """A row that is written anew."""
        buffer = io.StringIO(newline="")
        # With this line end, cells with either of its characters are quoted.
        csv.writer(buffer, delimiter="\t", lineterminator="\r\n").writerow(cells)
        return cls(cells, buffer.getvalue().removesuffix("\r\n") + "\n")


@dataclass(frozen=True)
class Corrections:
    """A table of corrected labels.

    Attributes
    ----------
    head : its header, and its text as it stands in the file with its line end.
    rows : by session.
    """

    head: CorrectionRow
    rows: Mapping[SessionKey, CorrectionRow]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return self.head.cells

    @property
    def labels(self) -> dict[SessionKey, tuple[str, ...]]:
        """The corrected labels of each session."""
        column = self.columns.index("Labels")
        return {key: parse_list(row.cells[column]) for key, row in self.rows.items()}

    @property
    def content(self) -> bytes:
        """The table as a file."""
        *texts, last = (row.text for row in (self.head, *self.rows.values()))
        ended = [text if text.endswith("\n") else f"{text}\n" for text in texts]
        return "".join((*ended, last)).encode()

    def with_row(self, key: SessionKey, row: CorrectionRow) -> Corrections:
        """The table with a session's row replaced, or added at the end."""
        return Corrections(self.head, {**self.rows, key: row})

    def new_row(self, cells: Mapping[str, str]) -> CorrectionRow:
        """A row of these cells by their columns; columns that the table lacks are left out."""
        return CorrectionRow.of(tuple(cells.get(column, "") for column in self.columns))

    def cells_of(self, key: SessionKey) -> dict[str, str]:
        """The cells of a session's row by their columns; none where it has no row."""
        row = self.rows.get(key)
        return {} if row is None else dict(zip(self.columns, row.cells, strict=True))

    def rest_of(self, key: SessionKey) -> dict[str, str]:
        """The cells of a session's row that no correction changes."""
        return {c: cell for c, cell in self.cells_of(key).items() if c not in _CORRECTED}

    def without(self, key: SessionKey) -> Corrections:
        """The table without a session's row."""
        return Corrections(self.head, {k: r for k, r in self.rows.items() if k != key})


def empty_corrections(labels: Labels, key: SessionKey) -> Corrections:
    """A table without rows, in the columns of the session's released one, or the documented."""
    columns = labels.columns.get(labels.table_of(key), DOCUMENTED_COLUMNS)
    return Corrections(CorrectionRow.of(columns), {})


def parse_corrections(content: bytes, path: Path) -> Corrections:
    """Read a table of corrected labels.

    Raises
    ------
    ReadError
        when it is not as it was written: other columns, a row of another length, or a session that
        stands in two rows.
    """
    try:
        lines = io.StringIO(content.decode("utf-8"), newline="").readlines()
    except UnicodeDecodeError as error:
        raise ReadError(path, "expected UTF-8 text, found other bytes.") from error
    rows = _rows(path, lines)
    head = next(rows, CorrectionRow((), ""))
    if not set(_KEYS) <= set(head.cells):
        raise ReadError(
            path,
            f"expected the columns {', '.join(_KEYS)}, found "
            f"{', '.join(cell or 'a blank' for cell in head.cells)[:200] or 'an empty file'}.",
        )
    found: dict[SessionKey, CorrectionRow] = {}
    for row in rows:
        found[_checked_key(path, head.cells, row, found)] = row
    return Corrections(head, found)


def check_rest(was: Corrections, now: Corrections, path: Path) -> None:
    """Refuse two states of a table that differ in more than labels and rows of their own.

    Raises
    ------
    ReadError
        when a row that both have differs in another cell.
    """
    if was.columns != now.columns:
        raise ReadError(path, "its columns changed, which no correction changes.")
    for key in was.rows.keys() & now.rows.keys():
        if was.rest_of(key) != now.rest_of(key):
            raise ReadError(path, "more than the labels of a row changed.")


def _rows(path: Path, lines: list[str]) -> Iterator[CorrectionRow]:
    reader = csv.reader(lines, delimiter="\t")
    start = 0
    try:
        for cells in reader:
            yield CorrectionRow(tuple(cells), "".join(lines[start : reader.line_num]))
            start = reader.line_num
    except csv.Error as error:
        raise ReadError(path, f"expected a table, found a line that is none: {error}.") from error


def released_cells(labels: Labels, image: ImageName) -> dict[str, str]:
    """What a session's first corrected row begins with: the cells of its first released one."""
    rows = labels.rows.get(session_key(image.subject, image.session))
    named = {"PatientID": image.subject, "ReportID": image.session}
    return {**rows[0].cells} if rows else named


def label_cells(
    labels: Labels, terms: Mapping[str, Term], image: ImageName, corrected: tuple[str, ...]
) -> dict[str, str]:
    """The cells of corrected labels, by column, in the style of the session's released table.

    A label's concept is the one the released tables give it, else that of the tree of terms.

    Raises
    ------
    SaveError
        when the labels would be read otherwise.
    """
    table = labels.table_of(session_key(image.subject, image.session))
    separator = labels.separator.get(table, ",")
    text = write_list(corrected, separator)
    if parse_list(text) != corrected:
        raise SaveError(
            f"{image.title}: these findings cannot be written as a list: {', '.join(corrected)}. "
            "Nothing was written."
        )
    cuis = tuple(concept(label, labels.cuis, terms) for label in corrected)
    return {"Labels": text, "labelCUIS": write_list(cuis, separator, quote="")}


def _checked_key(
    path: Path,
    columns: tuple[str, ...],
    row: CorrectionRow,
    rows: Mapping[SessionKey, CorrectionRow],
) -> SessionKey:
    if len(row.cells) != len(columns):
        raise ReadError(
            path,
            f"expected {len(columns)} cells in every row, found {len(row.cells)} in row "
            f"{len(rows) + 2}.",
        )
    patient, report = (row.cells[columns.index(name)] for name in _KEYS[:2])
    key = session_key(patient, report)
    if key in rows:
        raise ReadError(path, f"expected one row per session, found two of {patient} {report}.")
    return key
