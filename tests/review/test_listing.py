"""The work list and the log as tables: what a spreadsheet and a program read back."""

import csv
import io
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone

import acting
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_chest.model import CaseInfo
from napari_chest.review.acts import Assign, Prioritise, Rate, Remark, Resolve, Spend
from napari_chest.review.book import Book
from napari_chest.review.listing import (
    LOG_COLUMNS,
    ROUND_COLUMNS,
    WORK_COLUMNS,
    as_csv,
    as_json,
    log_rows,
    round_rows,
    work_rows,
)
from napari_chest.review.words import LogEntry

CASES = [CaseInfo(one, f"Case {one}", "CT") for one in ("c2", "c1", "c3")]


def read(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def reviewed():
    book = acting.enrolled(Book())
    for act in (
        acting.open_round(1, readers=("Bob", "Cy"), cases=("c1", "c2")),
        acting.begin("c1", "Bob"),
        acting.submit("c1", "Bob"),
        acting.decide("c1", "Bob", "needs fix", 2, at=acting.START + 0.5, reason="extent"),
        acting.begin("c1", "Cy", round_number=1),
        acting.begin("gone", "Bob"),
        Assign(who="Ada", cases=("c2",), reader="Cy"),
        Rate(who="Bob", case="c1", reader="Bob", difficulty=4),
        Spend(who="Bob", case="c1", reader="Bob", seconds=12.34),
        Prioritise(who="Ada", cases=("c1",), priority=3),
        Remark(who="Cy", case="c1", text="a", id="r"),
        Remark(who="Cy", case="c1", text="b"),
        Resolve(who="Cy", case="c1", comment="r"),
    ):
        book = book.with_act(act)
    return book


def test_the_work_list_has_a_row_for_all_work_and_for_cases_that_wait():
    rows = read(as_csv(WORK_COLUMNS, work_rows(reviewed(), CASES)))
    assert [(row["case"], row["round"], row["reader"], row["state"]) for row in rows] == [
        ("c2", "0", "Cy", "not started"),
        ("c1", "0", "Bob", "needs fix"),
        ("c1", "1", "Cy", "in progress"),
        ("c3", "0", "", "not started"),
        ("gone", "0", "Bob", "in progress"),
    ]
    assert list(rows[0]) == list(WORK_COLUMNS)
    assert rows[1] == {
        "round": "0", "case": "c1", "title": "Case c1", "reader": "Bob", "state": "needs fix",
        "assigned": "no", "priority": "3", "difficulty": "4", "seconds": "12.3", "version": "3",
        "by": "Ada", "at": "2023-11-14T22:13:20.500Z", "reason": "extent", "note": "",
        "open comments": "1", "in dataset": "yes",
    }  # fmt: skip
    assert (rows[0]["assigned"], rows[0]["at"], rows[0]["difficulty"]) == ("yes", "", "")
    assert (rows[4]["in dataset"], rows[4]["title"]) == ("no", "")


def test_the_work_list_of_one_reader_and_of_some_states():
    rows = work_rows(reviewed(), CASES, "Cy")
    assert [(row["case"], row["round"]) for row in rows] == [("c2", 0), ("c1", 1)]
    rows = work_rows(reviewed(), CASES, states=["needs fix", "in progress"])
    assert [row["case"] for row in rows] == ["c1", "c1", "gone"]
    assert work_rows(reviewed(), CASES, "Bob", ["approved"]) == []


def test_json_has_the_same_rows_with_numbers_as_numbers():
    rows = json.loads(as_json(work_rows(reviewed(), CASES)))
    assert [list(row) for row in rows] == [list(WORK_COLUMNS)] * 5
    bob = rows[1]
    assert (bob["round"], bob["difficulty"], bob["seconds"], bob["assigned"]) == (0, 4, 12.3, False)
    assert rows[0]["difficulty"] is None


def test_times_are_told_in_utc():
    moment = datetime(2024, 2, 29, 23, 30, tzinfo=timezone(timedelta(hours=-5)))
    entry = LogEntry(
        7, "id", "Bob", "remark", moment, moment.astimezone(UTC), "c1", 0, "", "", "=1+1", "{}"
    )
    (row,) = log_rows([entry])
    assert row["at"] == row["stored"] == "2024-03-01T04:30:00.000Z"
    assert tuple(row) == LOG_COLUMNS
    assert read(as_csv(LOG_COLUMNS, [row]))[0]["note"] == "'=1+1"
    assert json.loads(as_json([row]))[0]["note"] == "=1+1"


def test_rounds_are_listed():
    (row,) = round_rows(reviewed())
    assert tuple(row) == ROUND_COLUMNS
    assert row == {
        "number": 1, "title": "Reading 1", "blind": True, "start": "scratch", "closed": False,
        "readers": "Bob; Cy", "cases": "c1; c2",
    }  # fmt: skip


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=20), st.integers())
def test_any_text_comes_back_from_a_spreadsheet_and_starts_no_formula(text, number):
    (row,) = read(as_csv(("a", "b", "c"), [{"a": text, "b": number, "c": "z"}]))
    assert row["c"] == "z"
    assert row["b"] == str(number)
    assert row["a"].removeprefix("'") == text.removeprefix("'")
    assert not row["a"].startswith(("=", "+", "-", "@", "\t", "\r"))


def test_lines_end_as_rfc_4180_says():
    text = as_csv(("a", "b"), [{"a": 'say "x", y', "b": "two\nlines"}, {"a": None, "b": -1}])
    assert text == 'a,b\r\n"say ""x"", y","two\nlines"\r\n,-1\r\n'


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_files_are_utf_8(kind):
    rows = [{"a": "Größe · 肺"}]
    text = as_csv(("a",), rows) if kind == "csv" else as_json(rows)
    assert "Größe · 肺".encode() in text.encode()


def test_tables_need_no_database_and_no_window():
    code = """
import sys
import napari_chest.review.listing
print([one for one in ("sqlalchemy", "qtpy", "napari") if one in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
