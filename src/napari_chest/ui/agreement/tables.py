"""Agreement as tables: what stands in which column, and what each number means; pure."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

from napari_chest.measure import bland_altman
from napari_chest.measure.agreement import DEFINITIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from napari_chest.measure.agreement import CaseAgreement
    from napari_chest.measure.kappa import Concordance, Confusion
    from napari_chest.measure.overall import Agreement, Pooled
    from napari_chest.measure.resampling import Estimate

Cell = float | int | str | None

_INTERVAL = "In brackets the 95 % confidence interval."
_KAPPA = (
    f"{DEFINITIONS['Cohen']} {DEFINITIONS['Fleiss']} Kappa is undefined where all say the same."
)
_UNKNOWN = "–"
CHOICE = " · "
"""Between a question and one of its choices."""


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes
    ----------
    title : what stands above it.
    definition : what its numbers mean; empty where the title says it.
    digits : after the point.
    """

    title: str
    definition: str = ""
    digits: int = 2


@dataclass(frozen=True)
class Names:
    """What things are called on screen, and the readers' colours.

    Attributes
    ----------
    titles, colors : of readers, by name; their order is that of their numbers.
    questions, cases : texts of questions by topic, titles of cases by id.
    """

    titles: Mapping[str, str] = field(default_factory=dict)
    colors: Mapping[str, str] = field(default_factory=dict)
    questions: Mapping[str, str] = field(default_factory=dict)
    cases: Mapping[str, str] = field(default_factory=dict)

    def readers(self, names: Sequence[str]) -> Readers:
        """Readers as a cell."""
        numbers = {name: str(number) for number, name in enumerate(self.titles, 1)}
        return Readers(
            " – ".join(numbers.get(name, name) for name in names),
            tuple(self.titles.get(name, name) for name in names),
        )

    def question(self, key: str) -> str:
        """What a question, or one choice of it, is called."""
        topic, dot, choice = key.partition(CHOICE)
        return f"{self.questions.get(topic, topic)}{dot}{choice}"


class Readers(NamedTuple):
    """A cell that tells of readers by number, as there is little room, and is exported by title."""

    text: str
    titles: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes
    ----------
    cells : one per column; a number, a text, an estimate, or None where nothing can be said.
    about : what it is of, by which it is known again.
    note : what should be known of it.
    """

    cells: tuple[Any, ...]
    about: Any = None
    note: str = ""


@dataclass(frozen=True)
class Table:
    """A table as it is shown and exported."""

    name: str
    columns: tuple[Column, ...] = ()
    rows: tuple[Row, ...] = ()


def told(cell: Any, digits: int) -> str:
    """A cell as a person reads it."""
    if cell is None:
        return _UNKNOWN
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, str | int):
        return str(cell)
    if isinstance(cell, Readers):
        return cell.text
    if isinstance(cell, float):
        return f"{cell:.{digits}f}" if isfinite(cell) else _UNKNOWN
    if cell.value is None:
        return _UNKNOWN
    text = f"{cell.value:.{digits}f}"
    if cell.low is None or cell.high is None:
        return text
    return f"{text} [{cell.low:.{digits}f}, {cell.high:.{digits}f}]"


# This case


def segments_table(found: CaseAgreement, names: Names) -> Table:
    """Every two readers and every segment of one case."""
    unit = found.unit
    columns = (
        Column("A – B", "The numbers of two readers, as above: A is the first, B the second."),
        Column("Segment"),
        Column("Dice", DEFINITIONS["dice"], 3),
        Column("Jaccard", DEFINITIONS["jaccard"], 3),
        Column(f"HD95 ({unit})", DEFINITIONS["hd95"], 1),
        Column(f"ASSD ({unit})", DEFINITIONS["assd"]),
        Column("A (ml)", DEFINITIONS["volume"], 1),
        Column("B (ml)", DEFINITIONS["volume"], 1),
        Column("B − A (ml)", DEFINITIONS["difference"], 1),
        Column("B − A (%)", DEFINITIONS["difference"], 0),
    )
    rows = []
    for one in found.segments:
        n = one.overlap
        numbers = (n.dice, n.jaccard, n.hd95, n.assd, n.volume_a, n.volume_b)
        differences = (n.difference, n.difference_percent)
        title = segment_title(one.mask, one.segment)
        cells = (names.readers(one.readers), title, *numbers, *differences)
        note = "Neither reader marked anything: both agree." if n.both_empty else ""
        rows.append(Row(cells, one, note))
    return Table("Masks", columns, tuple(rows))


def columns_table(found: CaseAgreement, names: Names) -> Table:
    """Every column of the slice labels of one case."""
    rows = [
        _concordance_row(one.column, each, names) for one in found.columns for each in one.found
    ]
    return Table("Slice labels", _concordance_columns("Column", "slices"), tuple(rows))


def answers_table(found: CaseAgreement, names: Names) -> Table:
    """What each reader answered to every question about one case."""
    readers = [
        reader for reader in found.readers if any(reader in a.answers for a in found.answers)
    ]
    columns = (
        Column("Question"),
        *(Column(names.titles.get(r, r)) for r in readers),
        Column("Same"),
    )
    rows = [
        Row(
            (
                names.question(one.question),
                *(one.answers.get(reader) for reader in readers),
                one.same,
            ),
            one,
        )
        for one in found.answers
    ]
    return Table("Questions", columns, tuple(rows))


# All cases


def overall_segments_table(found: Agreement, names: Names) -> Table:
    """Every two readers and every segment over cases."""
    unit = "px" if all(case.unit == "px" for case in found.cases) else "mm"
    bland = f"{bland_altman.DEFINITION} {_INTERVAL}"
    columns = (
        Column("A – B", "The numbers of two readers, as above: A is the first, B the second."),
        Column("Segment"),
        Column("Cases", "Cases in which any reader has this segment."),
        Column("Empty", "Cases in which neither reader marked anything; they are in no mean.", 0),
        Column("Dice", f"Mean over cases. {DEFINITIONS['dice']} {_INTERVAL}", 3),
        Column("Jaccard", f"Mean over cases. {DEFINITIONS['jaccard']} {_INTERVAL}", 3),
        Column(f"HD95 ({unit})", f"Mean over cases. {DEFINITIONS['hd95']} {_INTERVAL}", 1),
        Column(f"ASSD ({unit})", f"Mean over cases. {DEFINITIONS['assd']} {_INTERVAL}"),
        Column("Bias (ml)", bland, 1),
        Column("Lower limit (ml)", bland, 1),
        Column("Upper limit (ml)", bland, 1),
    )
    rows = []
    for one in found.segments:
        means = tuple(one.means[name] for name in ("dice", "jaccard", "hd95", "assd"))
        limits = (one.volumes.bias, one.volumes.lower, one.volumes.upper)
        title = segment_title(one.mask, one.segment)
        head = (names.readers(one.readers), title, len(one.cases), one.both_empty)
        note = next((each.note for each in (*means, *limits) if each.note), "")
        rows.append(Row((*head, *means, *limits), one, note))
    return Table("Masks over cases", columns, tuple(rows))


def pooled_table(
    name: str,
    pooled: Iterable[Pooled],
    names: Names,
    of: str,
) -> Table:
    """Columns of the slice labels, or questions, over cases.

    Parameters
    ----------
    name : of the table.
    pooled : what is known of each.
    names : what readers and questions are called.
    of : what is counted: ``slices`` or ``cases``.
    """
    rows = [
        _concordance_row(names.question(one.name), each, names)
        for one in pooled
        for each in one.found
    ]
    head = "Column" if of == "slices" else "Question"
    return Table(name, _concordance_columns(head, of), tuple(rows))


def confusion_table(found: Concordance | None, names: Names) -> Table:
    """How often A said one thing and B another; empty where more than two readers are compared."""
    if found is None or found.confusion is None:
        return Table("Confusion")
    confusion: Confusion = found.confusion
    a, b = names.readers(found.readers).titles
    text = f"Rows: {a}. Columns: {b}."
    if confusion.left_out:
        text += f" {confusion.left_out} left out, because one of both did not answer."
    columns = (Column("A \\ B", text), *(Column(name, text) for name in confusion.categories))
    counts = confusion.counts.tolist()
    rows = [Row((name, *each)) for name, each in zip(confusion.categories, counts, strict=True)]
    return Table("Confusion", columns, tuple(rows))


def _concordance_columns(head: str, of: str) -> tuple[Column, ...]:
    return (
        Column(head),
        Column("Readers", "Their numbers, as above."),
        Column("Kappa", f"{_KAPPA} {_INTERVAL}"),
        Column("Kind", "Cohen's kappa for two readers, Fleiss' for more."),
        Column("Agreement (%)", DEFINITIONS["percent agreement"], 1),
        Column("n", f"How many {of} all of them judged.", 0),
        Column("Left out", f"How many {of} one of them did not judge.", 0),
    )


def _concordance_row(name: str, found: Concordance, names: Names) -> Row:
    kappa, percent = found.kappa, found.percent
    cells = (
        name,
        names.readers(found.readers),
        kappa,
        found.kind,
        _percent(percent),
        kappa.n,
        kappa.left_out,
    )
    return Row(cells, (name, found), kappa.note)


def _percent(share: Estimate) -> Estimate:
    value, low, high = (None if v is None else 100 * v for v in share[:3])
    return share._replace(value=value, low=low, high=high)


def segment_title(mask: str, segment: str) -> str:
    """What a segment of a mask is called: the mask is told where it says more."""
    return segment if mask == segment else f"{mask}: {segment}"


# As text


def as_tsv(table: Table, rows: Sequence[int] | None = None) -> str:
    """Rows of a table as a spreadsheet takes them from the clipboard; by default all."""
    chosen = table.rows if rows is None else [table.rows[index] for index in rows]
    lines = [[column.title for column in table.columns]]
    lines += [
        [told(cell, column.digits) for cell, column in zip(row.cells, table.columns, strict=True)]
        for row in chosen
    ]
    return "\n".join("\t".join(line) for line in lines)


def as_csv(table: Table) -> str:
    """A table with full numbers; an estimate has columns of its own for its interval."""
    records = [_record(table, row) for row in table.rows]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(key for r in records for key in r)))
    writer.writeheader()
    writer.writerows({key: _safe(value) for key, value in record.items()} for record in records)
    return text.getvalue()


def as_json(tables: Iterable[Table]) -> str:
    """Tables by name, with full numbers and what each of them means."""
    found = {
        table.name: {
            "definitions": {c.title: c.definition for c in table.columns if c.definition},
            "rows": [_record(table, row) for row in table.rows],
        }
        for table in tables
    }
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def _record(table: Table, row: Row) -> dict[str, Cell]:
    record: dict[str, Cell] = {}
    for column, cell in zip(table.columns, row.cells, strict=True):
        if isinstance(cell, Readers):
            record |= _of_readers(cell.titles)
        elif cell is None or isinstance(cell, bool | int | float | str):
            record[column.title] = cell
        else:
            record[column.title] = cell.value
            record[f"{column.title} low"], record[f"{column.title} high"] = cell.low, cell.high
    if row.note:
        record["Note"] = row.note
    return record


def _of_readers(titles: tuple[str, ...]) -> dict[str, Cell]:
    if len(titles) == 2:
        return {"A": titles[0], "B": titles[1]}
    return {"A": " / ".join(titles), "B": ""}


def _safe(value: Cell) -> Cell:
    # A spreadsheet would take a text that begins so for a formula.
    return f"'{value}" if isinstance(value, str) and value[:1] in tuple("=+-@\t\r") else value
