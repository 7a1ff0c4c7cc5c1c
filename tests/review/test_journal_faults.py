"""What befalls a journal: killed programs, full disks, folders that go; no stroke is lost."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import editing
import journal_sample as sample
import numpy as np
import pytest

from napari_chest.edits import Draft
from napari_chest.errors import SaveError
from napari_chest.review.journal import Journal

CASE = sample.CASE.id
KILLS = 40


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "review"


@pytest.fixture
def path(folder):
    return folder / "journal.sqlite"


@pytest.fixture
def open_journal(path):
    opened = []

    def open_one(where=path, **arguments):
        opened.append(Journal(where, retry=0.05, **arguments))
        return opened[-1]

    yield open_one
    for journal in opened:
        journal.close()


@pytest.fixture
def journal(open_journal):
    return open_journal()


def wait_until(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)


def found_by_others(path):
    """What another program finds."""
    other = Journal(path)
    try:
        return sample.resumed_draft(other).reading
    finally:
        other.close()


# Killed


@pytest.fixture
def editors():
    """The program that starts the programs that are killed."""
    here = Path(__file__).parent
    program = subprocess.Popen(
        [sys.executable, str(here / "editing.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(here)},
    )
    yield program
    program.stdin.close()
    program.wait()
    program.stdout.close()


def edit_until_killed(editors, path, seed, delay):
    """How many moves were acknowledged when the program was killed."""
    editors.stdin.write(f"{path} {seed}\n")
    editors.stdin.flush()
    child = int(editors.stdout.readline())
    told = path.with_name(f"{path.name}.told")
    wait_until(lambda: told.exists() and told.read_text())
    time.sleep(delay)
    os.kill(child, signal.SIGKILL)
    assert int(editors.stdout.readline()) == signal.SIGKILL
    return int(told.read_text().splitlines()[-1])


def state_after(seed, moves):
    """What the reading should be after so many of the scripted moves."""
    base = sample.reading()
    draft, model = Draft(sample.CASE, base), sample.Model(base)
    rng = np.random.default_rng(seed)
    left = 0
    for _ in range(moves):
        if left == 0:
            left = int(rng.integers(1, 6))
        editing.scripted(draft, model, rng)
        left -= 1
    return model.now


def moves_in(path):
    """How many moves a database has, which is whole; it may have been killed before it had any."""
    if not path.exists():
        return 0
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
        kinds = connection.execute("SELECT kind FROM moves").fetchall() if tables else []
    connection.close()
    return sum(kind in ("do", "undo", "redo") for (kind,) in kinds)


def test_every_acknowledged_stroke_outlives_a_killed_program(editors, tmp_path):
    chance = random.Random(5)
    acknowledged = []
    for seed in range(KILLS):
        path = tmp_path / f"{seed}.sqlite"
        told = edit_until_killed(editors, path, seed, chance.uniform(0, 0.15))
        acknowledged.append(told)
        kept = moves_in(path)
        assert kept >= told
        journal = Journal(path)
        draft = sample.resumed_draft(journal)
        journal.close()
        sample.assert_is(draft, state_after(seed, kept))
    assert sum(told > 0 for told in acknowledged) > KILLS / 2


# Disks that refuse


def test_a_full_disk_is_told_at_once_and_written_to_when_there_is_room(journal, path, monkeypatch):
    draft = sample.new_draft(journal)
    sample.stroke(draft, 0, 1)
    assert journal.flush()
    refusing = Refusing(journal, "database or disk is full", sqlite3.SQLITE_FULL)
    sample.stroke(draft, 1, 1)
    assert not journal.flush()
    assert "the disk is full" in journal.state.error
    assert str(path) in journal.state.error
    sample.stroke(draft, 2, 1)
    assert journal.state.pending == 2
    assert journal.state.oldest is not None
    refusing.stop()
    wait_until(lambda: journal.state.pending == 0)
    assert journal.state.error == ""
    sample.assert_same(found_by_others(path), draft.reading)


class Refusing:
    """Every write fails as SQLite says it does, until it is told to stop."""

    def __init__(self, journal, text, code):
        self._journal = journal
        self._real = journal._database._connection
        journal._database._connection = self
        self.error = sqlite3.OperationalError(text)
        self.error.sqlite_errorcode = code

    def execute(self, sql, *arguments):
        if sql == "COMMIT":
            raise self.error
        return self._real.execute(sql, *arguments)

    def executemany(self, sql, rows):
        return self._real.executemany(sql, rows)

    def close(self):
        self._real.close()

    def stop(self):
        if self._journal._database._connection is self:
            self._journal._database._connection = self._real


def test_a_file_that_may_not_grow_keeps_what_was_acknowledged(tmp_path):
    """The system itself refuses to let the files grow, in a program of its own."""
    path = tmp_path / "journal.sqlite"
    code = f"""
        import resource, signal
        from pathlib import Path
        import journal_sample as sample
        import numpy as np
        from napari_chest.review.journal import Journal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
        journal = Journal(Path({str(path)!r}), retry=0.05)
        draft = sample.new_draft(journal)
        rng, model = np.random.default_rng(1), sample.Model(sample.reading())
        made = told = 0
        while journal.flush():
            told = made
            made += sample.random_move(draft, model, rng) is not None
            assert made < 3000
        assert journal.state.error, "nothing was told"
        assert journal.state.pending == made - told
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        import time
        end = time.monotonic() + 20
        while not journal.flush():
            assert time.monotonic() < end
        assert journal.state.error == ""
        again = sample.resumed_draft(Journal(Path({str(path)!r})))
        sample.assert_same(again.reading, draft.reading)
        print("done", told > 10)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
    )
    assert done.stdout == "done True\n", done.stderr
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_folder_that_goes_is_told_and_filled_again_when_it_is_back(journal, folder, path):
    draft = sample.new_draft(journal)
    sample.stroke(draft, 0, 1)
    assert journal.flush()
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    sample.stroke(draft, 1, 1)
    assert not journal.flush()
    assert "no longer there" in journal.state.error
    assert not folder.exists()
    sample.stroke(draft, 2, 1)
    draft.undo()
    folder.mkdir()
    wait_until(lambda: journal.state.pending == 0)
    assert journal.state.error == ""
    sample.assert_same(found_by_others(path), draft.reading)


def test_a_moved_folder_is_told(journal, folder, tmp_path):
    draft = sample.new_draft(journal)
    sample.stroke(draft, 0, 1)
    assert journal.flush()
    folder.rename(tmp_path / "elsewhere")
    sample.stroke(draft, 1, 1)
    assert not journal.flush()
    (tmp_path / "elsewhere").rename(folder)
    wait_until(lambda: journal.state.pending == 0)
    sample.assert_same(found_by_others(folder / "journal.sqlite"), draft.reading)


def test_a_deleted_file_is_made_again_with_all_that_was_in_it(journal, path):
    other = sample.new_draft(journal, sample.reading("r2", seed=2))
    sample.stroke(other, 0, 2)
    journal.flush()
    journal._recording.logs.clear()  # as after its case was released
    draft = sample.new_draft(journal)
    sample.stroke(draft, 0, 1)
    assert journal.flush()
    for file in path.parent.iterdir():
        file.unlink()
    sample.stroke(draft, 1, 1)
    wait_until(lambda: journal.flush())
    sample.assert_same(found_by_others(path), draft.reading)
    again = Journal(path)
    found = sample.resumed_draft(again, sample.reading("r2", seed=2))
    again.close()
    sample.assert_same(found.reading, other.reading)


@pytest.mark.skipif(os.geteuid() == 0, reason="everything may be written by the superuser")
def test_a_read_only_folder_is_told(open_journal, folder, path):
    folder.mkdir()
    folder.chmod(0o500)
    journal = open_journal()
    draft = sample.new_draft(journal)
    sample.stroke(draft, 0, 1)
    assert not journal.flush()
    assert journal.state.error
    assert journal.resume(CASE, "r1", sample.reading()) is not None  # from memory
    folder.chmod(0o700)
    wait_until(lambda: journal.state.pending == 0)
    sample.assert_same(found_by_others(path), draft.reading)


def test_a_file_in_the_folders_place_is_told(open_journal, folder, path):
    folder.write_text("not a folder")
    journal = open_journal()
    draft = sample.new_draft(journal)
    sample.stroke(draft, 0, 1)
    assert not journal.flush()
    assert journal.state.error
    folder.unlink()
    wait_until(lambda: journal.state.pending == 0)
    sample.assert_same(found_by_others(path), draft.reading)


def test_work_can_be_read_while_the_disk_refuses(journal):
    draft = sample.new_draft(journal)
    sample.stroke(draft, 0, 1)
    assert journal.flush()
    Refusing(journal, "database or disk is full", sqlite3.SQLITE_FULL)
    sample.stroke(draft, 1, 1)
    sample.assert_same(sample.resumed_draft(journal).reading, draft.reading)


# Elsewhere


def test_moving_on_takes_along_all_that_was_recorded(journal, path, tmp_path):
    other = sample.new_draft(journal, sample.reading("r2", seed=2))
    sample.stroke(other, 0, 2)
    draft = sample.new_draft(journal)
    sample.stroke(draft, 0, 1)
    journal.release(CASE)
    journal.flush()
    draft = sample.resumed_draft(journal)
    draft._record = lambda move: journal.record(CASE, "r1", move, sample.reading())
    journal.move_to(tmp_path / "new" / "place")
    sample.stroke(draft, 1, 1)
    assert journal.flush()
    target = tmp_path / "new" / "place" / "journal.sqlite"
    assert journal.path == target
    sample.assert_same(found_by_others(target), draft.reading)
    again = Journal(target)
    found = sample.resumed_draft(again, sample.reading("r2", seed=2))
    again.close()
    sample.assert_same(found.reading, other.reading)
    assert path.exists()


def test_moving_on_from_a_folder_that_is_gone_loses_nothing(journal, folder, tmp_path):
    draft = sample.new_draft(journal)
    sample.stroke(draft, 0, 1)
    sample.stroke(draft, 1, 1)
    assert journal.flush()
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    sample.stroke(draft, 2, 1)
    draft.undo()
    assert not journal.flush()
    journal._database._orphan.close()  # as when the disk itself was pulled out
    journal.move_to(tmp_path / "new")
    assert journal.state.error == ""
    assert journal.state.pending == 0
    again = Journal(tmp_path / "new" / "journal.sqlite")
    found = sample.resumed_draft(again)
    again.close()
    sample.assert_same(found.reading, draft.reading)
    assert found.redoable.name == "paint 1 on slice 3"
    found.undo()
    found.undo()
    sample.assert_same(found.reading, sample.reading())


def test_moving_on_from_a_full_disk_takes_along_what_waits(journal, path, tmp_path):
    draft = sample.new_draft(journal)
    sample.stroke(draft, 0, 1)
    assert journal.flush()
    Refusing(journal, "database or disk is full", sqlite3.SQLITE_FULL)
    sample.stroke(draft, 1, 1)
    assert not journal.flush()
    journal.move_to(tmp_path / "new")
    assert journal.state.pending == 0
    sample.assert_same(found_by_others(tmp_path / "new" / "journal.sqlite"), draft.reading)


def test_moving_on_to_where_nothing_can_be_written_changes_nothing(journal, path, tmp_path):
    draft = sample.new_draft(journal)
    sample.stroke(draft, 0, 1)
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(SaveError, match="cannot be kept in"):
        journal.move_to(tmp_path / "file")
    sample.stroke(draft, 1, 1)
    assert journal.flush()
    assert journal.path == path
    sample.assert_same(found_by_others(path), draft.reading)


def test_moving_away_and_back_keeps_both(journal, folder, path, tmp_path):
    draft = sample.new_draft(journal)
    sample.stroke(draft, 0, 1)
    journal.move_to(tmp_path / "new")
    sample.stroke(draft, 1, 1)
    journal.move_to(folder)
    sample.stroke(draft, 2, 1)
    assert journal.flush()
    sample.assert_same(found_by_others(path), draft.reading)


def test_a_mistake_while_writing_is_told_and_ends_nothing(journal, path, monkeypatch):
    draft = sample.new_draft(journal)
    with monkeypatch.context() as patch:
        patch.setattr("napari_chest.review.journal.logs.store", lambda *_: 1 / 0)
        sample.stroke(draft, 0, 1)
        assert not journal.flush()
        assert "ZeroDivisionError" in journal.state.error
    wait_until(lambda: journal.state.pending == 0)
    sample.assert_same(found_by_others(path), draft.reading)
