"""The work list and the log as tables, for spreadsheets and for programs.

Columns keep their names and order; new ones come last. Times are ISO 8601 in UTC.
"""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC
from typing import TYPE_CHECKING

from napari_chest.review.words import Work, WorkKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from napari_chest.model import CaseInfo
    from napari_chest.review.book import Book
    from napari_chest.review.words import LogEntry

Row = dict[str, str | int | float | bool | None]

WORK_COLUMNS = (
    "round", "case", "title", "reader", "state", "assigned", "priority", "difficulty", "seconds",
    "version", "by", "at", "reason", "note", "open comments", "in dataset",
)  # fmt: skip
"""Of the work list; a case that nobody began or was given has one row without a reader."""
LOG_COLUMNS = (
    "number", "id", "at", "stored", "who", "what", "case", "round", "reader", "reason", "note",
    "detail",
)  # fmt: skip
"""Of the log; ``detail`` is the act as JSON."""
ROUND_COLUMNS = ("number", "title", "blind", "start", "closed", "readers", "cases")
"""Of the rounds; no readers or cases stand for all."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def work_rows(
    book: Book, cases: Sequence[CaseInfo], reader: str = "", states: Sequence[str] = ()
) -> list[Row]:
    """The work list, by case in the dataset's order, round and reader.

    Parameters
    ----------
    book : how the review stands.
    cases : of the dataset; cases that are only in the book come last.
    reader : only the work of this one; empty for all.
    states : only work in one of these; empty for all.
    """
    titles = {case.id: case.title for case in cases}
    gone = sorted({key.case for key in book.works} - titles.keys())
    # Cases that wait for anybody are nobody's, and so not on the list of one reader.
    works = (
        work
        for case in (*titles, *gone)
        for work in book.of_case(case) or (Work(WorkKey(0, case, "")),)
    )
    return [
        _work_row(book, work, titles)
        for work in works
        if reader in ("", work.key.reader) and (not states or work.state in states)
    ]


def log_rows(entries: Iterable[LogEntry]) -> list[Row]:
    """The log, a row for each act."""
    return [
        {
            "number": one.number, "id": one.id, "at": _iso(one.at), "stored": _iso(one.stored),
            "who": one.who, "what": one.what, "case": one.case, "round": one.round,
            "reader": one.reader, "reason": one.reason, "note": one.note, "detail": one.detail,
        }
        for one in entries
    ]  # fmt: skip


def round_rows(book: Book) -> list[Row]:
    """The reading rounds, by number."""
    return [
        {
            "number": one.number, "title": one.title, "blind": one.blind, "start": one.start,
            "closed": one.closed, "readers": "; ".join(one.readers), "cases": "; ".join(one.cases),
        }
        for one in book.rounds
    ]  # fmt: skip


def as_csv(columns: Sequence[str], rows: Iterable[Row]) -> str:
    """Rows as RFC 4180 says, under a line of columns.

    A text that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_cell(row[column]) for column in columns] for row in rows)
    return text.getvalue()


def as_json(rows: Iterable[Row]) -> str:
    """Rows as one JSON array of objects, texts as they are."""
    return json.dumps(list(rows), indent=2, ensure_ascii=False) + "\n"


def _work_row(book: Book, work: Work, titles: Mapping[str, str]) -> Row:
    case = work.key.case
    return {
        "round": work.key.round,
        "case": case,
        "title": titles.get(case, ""),
        "reader": work.key.reader,
        "state": work.state,
        "assigned": work.assigned,
        "priority": book.priorities.get(case, 1),
        "difficulty": work.difficulty,
        "seconds": round(work.seconds, 1),
        "version": work.version,
        "by": work.by,
        "at": _iso(work.at) if work.at else "",
        "reason": work.reason,
        "note": work.note,
        "open comments": sum(not comment.resolved for comment in book.comments(case)),
        "in dataset": case in titles,
    }


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _cell(value: str | float | bool | None) -> str | int | float:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
