"""Two windows on one case: the second is told who has it."""

import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from napari_chest.review.journal import Journal, claims
from napari_chest.review.journal.claims import Claims


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.sqlite"


@pytest.fixture
def open_journal(path):
    opened = []

    def open_one():
        opened.append(Journal(path, retry=0.05))
        return opened[-1]

    yield open_one
    for journal in opened:
        journal.close()


@pytest.fixture
def connection(open_journal, path):
    """A connection to a journal's tables."""
    journal = open_journal()
    journal.claim("somewhere else")
    journal.close()
    connection = sqlite3.connect(path, isolation_level=None)
    yield connection
    connection.close()


def test_the_second_window_is_told_and_the_first_is_not(open_journal):
    first, second = open_journal(), open_journal()
    assert first.claim("case-1") == ""
    assert first.claim("case-1") == ""
    told = second.claim("case-1")
    assert "another window on this computer" in told
    assert time.strftime("%Y-%m-%d") in told
    assert second.claim("case-2") == ""
    first.release("case-1")
    first.flush()
    assert second.claim("case-1") == ""
    assert first.claim("case-1") != ""


def test_a_closed_window_has_no_case(open_journal):
    first, second = open_journal(), open_journal()
    first.claim("case-1")
    first.close()
    assert second.claim("case-1") == ""


def test_a_released_case_that_is_claimed_again_is_kept(open_journal):
    first, second = open_journal(), open_journal()
    for _ in range(20):
        first.claim("case-1")
        first.release("case-1")
        first.claim("case-1")
        first.flush()
        assert second.claim("case-1") != ""


def test_another_program_has_the_case_until_it_is_dead(open_journal, path):
    code = (
        "import sys, pathlib; from napari_chest.review.journal import Journal;"
        f"j = Journal(pathlib.Path({str(path)!r})); print(repr(j.claim('case-1')), flush=True);"
        "sys.stdin.read()"
    )
    program = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert program.stdout.readline() == "''\n"
    journal = open_journal()
    assert "another window on this computer" in journal.claim("case-1")
    program.kill()
    program.wait()
    assert journal.claim("case-1") == ""


def claimed_elsewhere(connection, beat, host="reading-room-2"):
    connection.execute(
        "INSERT OR REPLACE INTO claims VALUES ('c', 'other', ?, ?, ?, ?)",
        (host, os.getpid(), beat, beat),
    )


def test_another_computer_has_the_case_while_it_gives_signs_of_life(connection, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(claims.time, "monotonic", lambda: now[0])
    skewed = time.time() - 300  # its clock is five minutes slow
    mine = Claims()
    claimed_elsewhere(connection, skewed)
    assert "reading-room-2" in mine.claim(connection, "c")
    now[0] += 25
    claimed_elsewhere(connection, skewed + 25)
    assert mine.claim(connection, "c")
    now[0] += 25
    assert mine.claim(connection, "c")
    now[0] += 31  # and no sign since
    assert mine.claim(connection, "c") == ""


@pytest.mark.parametrize(("age", "free"), [(-3600.0, False), (3600.0, True), (20.0, False)])
def test_old_claims_of_other_computers_are_given_up_and_early_ones_are_not(connection, age, free):
    claimed_elsewhere(connection, time.time() - age)
    assert (Claims().claim(connection, "c") == "") is free


def test_a_window_of_this_computer_without_a_sign_for_long_has_no_case(connection):
    claimed_elsewhere(connection, time.time() - 31, host=Claims()._host)
    assert Claims().claim(connection, "c") == ""
    claimed_elsewhere(connection, time.time() - 20, host=Claims()._host)
    assert Claims().claim(connection, "c") != ""


def test_a_window_learns_that_its_case_was_taken(connection):
    mine = Claims()
    mine.claim(connection, "c")
    mine.beat(connection)
    assert mine.lost == frozenset()
    claimed_elsewhere(connection, time.time())
    mine.beat(connection)
    assert mine.lost == {"c"}
    assert mine.held == set()


def test_a_beat_is_written(connection, monkeypatch):
    mine = Claims()
    mine.claim(connection, "c")
    then = time.time() + 17
    monkeypatch.setattr(claims.time, "time", lambda: then)
    mine.beat(connection)
    since, beat = connection.execute(
        "SELECT since, beat FROM claims WHERE case_id = 'c'"
    ).fetchone()
    assert beat == then
    assert since < then - 10


def test_no_claim_can_be_taken_where_nothing_can_be_written(tmp_path):
    (tmp_path / "file").write_text("no folder")
    journal = Journal(Path(tmp_path / "file" / "journal.sqlite"), retry=0.05)
    assert journal.claim("case-1") == ""
    assert journal.state.error
    journal.close()
