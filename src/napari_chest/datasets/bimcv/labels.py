"""The labels tables: what the reports of a session were found to say."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from napari_chest.datasets.bimcv.cells import parse_list, parse_slots
from napari_chest.datasets.bimcv.names import same_code
from napari_chest.errors import ReadError
from napari_chest.files.table import read_table
from napari_chest.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from napari_chest.files.table import Table

DOCUMENTED_COLUMNS = (
    "",
    "PatientID",
    "ReportID",
    "Report",
    "Labels",
    "Localizations",
    "LabelsLocalizationsBySentence",
    "labelCUIS",
    "LocalizationsCUIS",
)
"""The columns of the releases; the first is the index that pandas wrote."""

SessionKey = tuple[str, str]


@dataclass(frozen=True)
class LabelRow:
    """One row of a labels table.

    Attributes
    ----------
    table : path of the table, relative to the root.
    cells : as stored but for outer blanks, by column.
    """

    table: str
    cells: Mapping[str, str]

    @property
    def labels(self) -> tuple[str, ...]:
        """What was found, stripped."""
        return parse_list(self.cells.get("Labels", ""))

    @property
    def localizations(self) -> tuple[str, ...]:
        """Where, as the table says it."""
        return parse_list(self.cells.get("Localizations", ""))

    @property
    def report(self) -> str:
        """The report's text; empty where there is none."""
        text = self.cells.get("Report", "")
        return "" if text.casefold() == "nan" else text


@dataclass(frozen=True)
class Labels:
    """All labels tables of a dataset.

    Attributes
    ----------
    rows : of each session, in the order of the tables.
    columns : of each table, by its path.
    separator : between the items of a list in each table, by its path.
    counts : how many sessions have each label.
    cuis : the concept (UMLS) of a label, where the tables tell it.
    problems : what is wrong with the tables.
    """

    rows: dict[SessionKey, list[LabelRow]] = field(default_factory=dict)
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    separator: dict[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    cuis: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def of(self, key: SessionKey) -> tuple[str, ...]:
        """The labels of all reports of a session, each once."""
        return _each_once(row.labels for row in self.rows.get(key, ()))

    def localizations_of(self, key: SessionKey) -> tuple[str, ...]:
        """The localizations of all reports of a session, each once."""
        return _each_once(row.localizations for row in self.rows.get(key, ()))

    def table_of(self, key: SessionKey) -> str:
        """The table a session is in, the first one for a session in none, or an empty text."""
        rows = self.rows.get(key)
        return rows[0].table if rows else next(iter(self.columns), "")

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """Every label, the most frequent first."""
        return tuple(sorted(self.counts, key=lambda label: (-self.counts[label], label)))


def session_key(subject: str, session: str) -> SessionKey:
    """The key under which the tables speak of a session: PatientID and ReportID."""
    return same_code(subject), same_code(session)


def read_labels(root: Path, paths: Iterable[str]) -> Labels:
    """Read the labels tables; one that cannot be read is a problem, the others go on."""
    labels = Labels()
    for path in paths:
        try:
            table = read_table(root / path, delimiter="\t")
        except ReadError as error:
            text = f"The labels of this table are not shown. {error}"
            labels.problems.append(Problem("error", text, (path,)))
            continue
        _add_table(labels, path, table)
    for key in labels.rows:
        labels.counts.update(labels.of(key))
    return labels


def ragged_problem(path: str, table: Table) -> Problem | None:
    """What a person should know of rows with more or fewer cells than the header."""
    if not table.ragged:
        return None
    first = ", ".join(str(row) for row in table.ragged[:5])
    rows = "row" if len(table.ragged) == 1 else "rows"
    text = (
        f"{len(table.ragged)} {rows} of this table have not as many cells as its header (row "
        f"{first}{' and more' if len(table.ragged) > 5 else ''}); missing cells are read as "
        "empty, surplus ones are not read."
    )
    return Problem("warning", text, (path,))


def _add_table(labels: Labels, path: str, table: Table) -> None:
    patient, report = table.find("PatientID"), table.find("ReportID")
    found = table.find("Labels")
    if patient is None or report is None or found is None:
        text = (
            "The labels of this table are not shown: expected the columns PatientID, ReportID and "
            f"Labels, found {', '.join(column or 'a blank' for column in table.columns)[:200]}."
        )
        labels.problems.append(Problem("error", text, (path,)))
        return
    if problem := ragged_problem(path, table):
        labels.problems.append(problem)
    names = _canonical(table.columns)
    labels.columns[path] = tuple(names)
    labels.separator[path] = _separator(row[found] for row in table.rows)
    cui_votes: dict[str, Counter[str]] = {}
    for cells in table.rows:
        row = LabelRow(path, dict(zip(names, cells, strict=True)))
        key = session_key(cells[patient], cells[report])
        labels.rows.setdefault(key, []).append(row)
        for label, cui in _concepts(row):
            cui_votes.setdefault(label, Counter())[cui] += 1
    for label, votes in cui_votes.items():
        labels.cuis.setdefault(label, votes.most_common(1)[0][0])


def _canonical(columns: tuple[str, ...]) -> list[str]:
    """The documented spelling of each column, else its own."""
    known = {column.casefold(): column for column in DOCUMENTED_COLUMNS}
    return [known.get(column.casefold(), column) for column in columns]


def _concepts(row: LabelRow) -> Iterable[tuple[str, str]]:
    labels = parse_slots(row.cells.get("Labels", ""))
    cuis = parse_slots(row.cells.get("labelCUIS", ""))
    if len(labels) != len(cuis):  # one of the lists has an empty item that the other omits
        labels, cuis = (tuple(item for item in items if item) for items in (labels, cuis))
    if len(labels) == len(cuis):
        return [(a, b) for a, b in zip(labels, cuis, strict=True) if a and b]
    return ()


def _separator(cells: Iterable[str]) -> str:
    several = next((cell for cell in cells if len(parse_list(cell)) > 1), "")
    return "\t" if "\t" in several else ","


def _each_once(lists: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item for items in lists for item in items))
