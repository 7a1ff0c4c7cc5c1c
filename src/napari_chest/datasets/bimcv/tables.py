"""The tables beside the images: participants, sessions, tests over time, partitions."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from napari_chest.datasets.bimcv.cells import first_of, parse_list, plain_number
from napari_chest.datasets.bimcv.labels import SessionKey, ragged_problem, session_key
from napari_chest.datasets.bimcv.names import same_code
from napari_chest.errors import ReadError
from napari_chest.files.table import read_table
from napari_chest.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from napari_chest.files.table import Table

_DAY_FIRST = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})\b")
_YEAR_FIRST = re.compile(r"(\d{4})[./-]?(\d{2})[./-]?(\d{2})(?!\d)")


@dataclass(frozen=True)
class Participant:
    """What participants.tsv says of a subject; texts, empty where it says nothing."""

    sex: str
    ages: tuple[str, ...]


@dataclass(frozen=True)
class Session:
    """What a sessions table says of a session: its date and the reports' texts."""

    date: str
    evaluations: tuple[str, ...]


@dataclass(frozen=True, order=True)
class Test:
    """One test of a subject; the date is ``YYYY-MM-DD`` where it could be told."""

    date: str
    name: str
    result: str


@dataclass(frozen=True)
class Tables:
    """Tables by subject, and what is wrong with them."""

    participants: dict[str, Participant] = field(default_factory=dict)
    tests: dict[str, list[Test]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read_tables(root: Path, participants: Iterable[str], tests: Iterable[str]) -> Tables:
    """Read the tables about subjects; one that cannot be read is a problem, the others go on."""
    tables = Tables()
    for path in participants:
        table = _read(root, path, tables.problems, delimiter="\t")
        if table is not None:
            _add_participants(tables, path, table)
    for path in tests:
        table = _read(root, path, tables.problems)
        if table is not None:
            _add_tests(tables, path, table)
    return tables


def read_sessions(
    root: Path, paths: Iterable[str], problems: list[Problem]
) -> dict[SessionKey, Session]:
    """What a subject's sessions tables say, by session."""
    found: dict[SessionKey, Session] = {}
    for path in paths:
        table = _read(root, path, problems, delimiter="\t")
        column = None if table is None else table.find("session_id", "session")
        if table is None or column is None:
            continue
        subject = path.rpartition("/")[2].removesuffix("_sessions.tsv")
        date, text = table.find("study_date"), table.find("medical_evaluation")
        for row in table.rows:
            told = parse_list(row[text]) if text is not None else ()
            day = iso_date(row[date]) if date is not None else ""
            found[session_key(subject, row[column])] = Session(day, told)
    return found


def read_partitions(
    root: Path, paths: Iterable[str], problems: list[Problem]
) -> dict[tuple[str, str, str], str]:
    """Paths as partitions.tsv lists them, by subject, session and file name.

    The header's names are wrong in the releases, so columns count by their place; the paths of
    the negative partition omit ``mod-rx/``.
    """
    listed: dict[tuple[str, str, str], str] = {}
    for path in paths:
        table = _read(root, path, problems, delimiter="\t")
        rows = () if table is None else (table.columns, *table.rows)
        for row in rows:
            if len(row) >= 3 and "/" in row[2]:
                name = re.split(r"[\\/]", row[2])[-1]
                listed[(same_code(row[0]), same_code(row[1]), name)] = row[2]
    return listed


def iso_date(cell: str) -> str:
    """A date as ``YYYY-MM-DD``; the cell as it is where none can be told, ``nan`` is nothing."""
    text = plain_number(cell)
    if match := _DAY_FIRST.match(text):
        return f"{match[3]}-{int(match[2]):02}-{int(match[1]):02}"
    if match := _YEAR_FIRST.match(text):
        return "-".join(match.groups())
    return text


def _read(
    root: Path, path: str, problems: list[Problem], delimiter: str | None = None
) -> Table | None:
    try:
        table = read_table(root / path, delimiter=delimiter)
    except ReadError as error:
        problems.append(Problem("warning", f"This table is not shown. {error}", (path,)))
        return None
    if problem := ragged_problem(path, table):
        problems.append(problem)
    return table


def _add_participants(tables: Tables, path: str, table: Table) -> None:
    subject = table.find("participant", "participant_id", "subject")
    if subject is None:
        tables.problems.append(_without_subjects(path, table))
        return
    sex, age = table.find("gender", "sex"), table.find("age")
    for row in table.rows:
        # The releases have a row about their own derivatives folder.
        if row[subject].casefold().startswith("sub-"):
            tables.participants[same_code(row[subject])] = Participant(
                sex=first_of(row[sex]) if sex is not None else "",
                ages=tuple(map(plain_number, parse_list(row[age]))) if age is not None else (),
            )


def _add_tests(tables: Tables, path: str, table: Table) -> None:
    subject = table.find("participant", "subject", "patientid")
    test, result = table.find("test", "prueba"), table.find("result", "resultado")
    date = table.find("date", "fecha")
    if subject is None or test is None:
        tables.problems.append(_without_subjects(path, table))
        return
    for row in table.rows:
        one = Test(
            date=iso_date(row[date]) if date is not None else "",
            name=row[test],
            result=row[result] if result is not None else "",
        )
        tests = tables.tests.setdefault(same_code(row[subject]), [])
        if one not in tests:  # two releases in one folder say the same twice
            tests.append(one)


def _without_subjects(path: str, table: Table) -> Problem:
    text = (
        "This table is not shown: expected a column that names the subject, found "
        f"{', '.join(column or 'a blank' for column in table.columns)[:200]}."
    )
    return Problem("warning", text, (path,))
