"""The journal: what was recorded is found again, and nothing else is taken for it."""

import pickle
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import replace

import journal_sample as sample
import msgspec
import numpy as np
import pytest

from napari_chest.edits import LUNGS, AnswerEdit, MaskAdded, Move, edit_between, mask_target
from napari_chest.errors import ReadError
from napari_chest.model import Mask, Segment
from napari_chest.review.journal import Journal, JournalMismatch

CASE = sample.CASE.id


@pytest.fixture
def path(tmp_path):
    return tmp_path / "review" / "journal.sqlite"


@pytest.fixture
def open_journal(path):
    """Open the journal as another session would; all are closed in the end."""
    opened = []

    def open_one(**arguments):
        opened.append(Journal(path, **arguments))
        return opened[-1]

    yield open_one
    for journal in opened:
        journal.close()


@pytest.fixture
def journal(open_journal):
    return open_journal()


def query(path, sql):
    with sqlite3.connect(path) as connection:
        return connection.execute(sql).fetchall()


def test_nothing_is_written_before_something_is_done(journal, path):
    assert journal.resume(CASE, "r1", sample.reading()) is None
    assert journal.in_progress() == []
    assert journal.flush()
    assert not path.exists()


def test_the_last_stroke_is_found_again(journal, open_journal):
    draft = sample.new_draft(journal)
    for z in range(3):
        sample.stroke(draft, z, 1)
    draft.undo()
    assert journal.flush()
    journal.close()
    again = sample.resumed_draft(open_journal())
    sample.assert_same(again.reading, draft.reading)
    assert again.redoable.name == "paint 1 on slice 3"
    again.redo()
    again.undo()
    again.undo()
    again.undo()
    sample.assert_same(again.reading, sample.reading())
    assert again.undo() is None


def test_flushed_means_committed_to_the_disk(journal, path):
    draft = sample.new_draft(journal)
    sample.stroke(draft, 0, 1)
    assert journal.flush()
    assert journal.state.pending == 0
    assert journal.state.oldest is None
    assert journal.state.saved is not None
    assert query(path, "SELECT kind FROM moves ORDER BY seq") == [("begin",), ("had",), ("do",)]


def test_moves_are_written_without_being_asked_for(journal, path):
    told = threading.Event()
    journal._changed = told.set
    sample.stroke(sample.new_draft(journal), 0, 1)
    assert told.wait(10)
    assert ("do",) in query(path, "SELECT kind FROM moves")


def test_every_commit_reaches_the_disk(journal, path, monkeypatch):
    sample.stroke(sample.new_draft(journal), 0, 1)
    assert journal.flush()
    connection = journal._database._connection
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)


def test_a_session_goes_on_in_the_log_of_the_one_before(journal, open_journal, path):
    sample.stroke(sample.new_draft(journal), 0, 1)
    journal.close()
    second = open_journal()
    draft = sample.resumed_draft(second)
    base = sample.reading()
    draft._record = lambda move: second.record(CASE, "r1", move, base)
    sample.stroke(draft, 1, 2)
    draft.undo()
    draft.undo()
    sample.stroke(draft, 2, 2)
    second.close()
    third = sample.resumed_draft(open_journal())
    sample.assert_same(third.reading, draft.reading)
    assert query(path, "SELECT COUNT(*) FROM logs") == [(1,)]


def test_random_work_over_many_sessions_is_found_exactly(open_journal):
    rng = np.random.default_rng(7)
    base = sample.reading()
    model = sample.Model(base)
    for _ in range(12):
        journal = open_journal()
        draft = sample.resumed_draft(journal)
        sample.assert_is(draft, model.now)
        draft._record = lambda move, to=journal: to.record(CASE, "r1", move, base)
        for _ in range(int(rng.integers(1, 25))):
            sample.random_move(draft, model, rng)
        journal.close()
    draft = sample.resumed_draft(open_journal())
    sample.assert_is(draft, model.now)
    while len(model.done) > 1:
        draft.undo()
        model.done.pop()
        sample.assert_is(draft, model.now)


def test_undo_goes_past_a_write_back_tomorrow(journal, open_journal):
    draft = sample.new_draft(journal)
    sample.stroke(draft, 0, 1)
    written = draft.reading
    journal.handed(CASE, "r1", written)
    sample.stroke(draft, 1, 2)  # while it is written
    draft.mark_saved(written, in_dataset=True)
    sample.stroke(draft, 2, 2)
    journal.close()
    again = sample.resumed_draft(open_journal(), written)
    sample.assert_same(again.reading, draft.reading)
    assert again.change.slices == (1, 2)
    for _ in range(3):
        again.undo()
    sample.assert_same(again.reading, sample.reading())
    assert again.change_to_dataset.slices == (0,)


def test_undone_past_a_write_back_stays_undone(journal, open_journal):
    draft = sample.new_draft(journal)
    sample.stroke(draft, 0, 1)
    written = draft.reading
    journal.handed(CASE, "r1", written)
    draft.mark_saved(written, in_dataset=True)
    draft.undo()
    journal.close()
    again = sample.resumed_draft(open_journal(), written)
    sample.assert_same(again.reading, sample.reading())
    again.redo()
    assert not again.change_to_dataset


def test_a_write_back_told_without_its_handing_over_counts(journal, open_journal):
    draft = sample.new_draft(journal)
    sample.stroke(draft, 0, 1)
    draft.mark_saved(draft.reading, in_dataset=True)
    sample.stroke(draft, 1, 1)
    journal.close()
    again = sample.resumed_draft(open_journal(), draft.in_dataset)
    sample.assert_same(again.reading, draft.reading)


def test_a_crash_between_writing_back_and_its_record_loses_nothing(journal, open_journal):
    draft = sample.new_draft(journal)
    sample.stroke(draft, 0, 1)
    journal.handed(CASE, "r1", draft.reading)
    journal.close()
    for base in (sample.reading(), draft.reading):  # not written after all, or written
        again = sample.resumed_draft(open_journal(), base)
        sample.assert_same(again.reading, draft.reading)
        again.undo()
        sample.assert_same(again.reading, sample.reading())


def test_a_dataset_put_back_after_a_write_back_shows_the_work_as_unsaved(journal, open_journal):
    draft = sample.new_draft(journal)
    sample.stroke(draft, 0, 1)
    written = draft.reading
    journal.handed(CASE, "r1", written)
    draft.mark_saved(written, in_dataset=True)
    journal.close()
    again = sample.resumed_draft(open_journal())
    sample.assert_same(again.reading, written)
    assert again.change.slices == again.change_to_dataset.slices == (0,)


def test_what_was_exported_is_known_tomorrow(journal, open_journal):
    draft = sample.new_draft(journal)
    sample.stroke(draft, 0, 1)
    exported = draft.reading
    journal.handed(CASE, "r1", exported)
    sample.stroke(draft, 1, 1)
    draft.mark_saved(exported, in_dataset=False)
    journal.close()
    again = sample.resumed_draft(open_journal())
    assert again.change.slices == (1,)
    assert again.change_to_dataset.slices == (0, 1)
    sample.assert_same(again.saved, exported)


def test_lungs_come_back_though_no_dataset_has_them(journal, open_journal):
    draft = sample.new_draft(journal)
    lungs = np.ones(sample.SHAPE, np.uint8)
    right = Segment(1, "right lung", "#78D8FF", "RL")
    draft.do(MaskAdded("lungs", Mask(LUNGS, lungs, (right,), aid=True)))
    after = lungs.copy()
    after[0] = 0
    draft.do(edit_between("less lung", mask_target(LUNGS), lungs, after))
    sample.stroke(draft, 0, 1)
    written = draft.reading
    journal.handed(CASE, "r1", written)
    draft.mark_saved(written, in_dataset=True)
    sample.stroke(draft, 1, 1)
    journal.close()
    again = sample.resumed_draft(open_journal(), written)
    np.testing.assert_array_equal(again.mask_labels(LUNGS), after)
    sample.assert_same(again.reading, draft.reading)
    for _ in range(4):
        again.undo()
    assert LUNGS not in {mask.name for mask in again.masks()}
    sample.assert_same(again.reading, sample.reading())


def test_a_mask_that_is_empty_may_be_missing_from_the_dataset(journal, open_journal):
    draft = sample.new_draft(journal)
    empty = Mask("new", np.zeros(sample.SHAPE, np.uint8), sample.SEGMENTS)
    draft.do(MaskAdded("add a mask", empty))
    sample.stroke(draft, 0, 1)
    written = draft.reading
    journal.handed(CASE, "r1", written)
    draft.mark_saved(written, in_dataset=True)
    box = (slice(0, 1), slice(0, 2), slice(0, 2))
    draft.do(draft.painted("first stroke", "new", box, np.ones((1, 2, 2), np.uint8)))
    journal.close()
    as_read = replace(written, masks=written.masks[:1])
    again = sample.resumed_draft(open_journal(), as_read)
    sample.assert_same(again.reading, draft.reading)
    for _ in range(3):
        again.undo()
    sample.assert_same(again.reading, sample.reading())


def test_in_progress_names_what_is_not_in_the_dataset(journal, open_journal):
    draft = sample.new_draft(journal)
    sample.stroke(draft, 0, 1)
    sample.stroke(draft, 1, 1)
    edit = sample.stroke(sample.new_draft(journal, sample.reading("r2")), 0, 1)
    assert edit is not None
    found = open_journal().in_progress()
    assert journal.flush()
    found = open_journal().in_progress()
    assert [(one.case, one.reader, one.moves) for one in found] == [
        (CASE, "r1", 2),
        (CASE, "r2", 1),
    ]
    assert found[0].last.tzinfo is not None
    journal.handed(CASE, "r1", draft.reading)
    draft.mark_saved(draft.reading, in_dataset=True)
    assert [one.reader for one in journal.in_progress()] == ["r2"]


def test_discarded_work_is_not_shown_and_still_there(journal, open_journal, path):
    draft = sample.new_draft(journal)
    sample.stroke(draft, 0, 1)
    journal.record(CASE, "r1", Move("discard"), draft.in_dataset)
    assert journal.in_progress() == []
    assert journal.resume(CASE, "r1", sample.reading()) is None
    fresh = sample.new_draft(journal)
    sample.stroke(fresh, 2, 2)
    journal.close()
    again = sample.resumed_draft(open_journal())
    sample.assert_same(again.reading, fresh.reading)
    assert query(path, "SELECT COUNT(*) FROM moves WHERE kind = 'do'") == [(2,)]


def test_another_reading_is_never_replayed_onto(journal, open_journal, path):
    draft = sample.new_draft(journal)
    sample.stroke(draft, 0, 1)
    journal.close()
    changed = sample.reading(seed=1)
    second = open_journal()
    with pytest.raises(JournalMismatch) as caught:
        second.resume(CASE, "r1", changed)
    text = str(caught.value)
    assert "r1: 1 step, which was recorded since" in text
    assert str(path) in text
    assert time.strftime("%Y-%m-%d") in text
    fresh = sample.new_draft(second, changed)
    sample.stroke(fresh, 1, 1)
    second.close()
    third = open_journal()
    again = sample.resumed_draft(third, changed)
    sample.assert_same(again.reading, fresh.reading)
    assert query(path, "SELECT COUNT(*) FROM moves WHERE kind = 'do'") == [(2,)]


def test_recording_what_was_not_resumed_begins_anew(journal, open_journal):
    sample.stroke(sample.new_draft(journal), 0, 1)
    journal.close()
    second = open_journal()
    fresh = sample.new_draft(second)
    sample.stroke(fresh, 3, 2)
    second.close()
    sample.assert_same(sample.resumed_draft(open_journal()).reading, fresh.reading)


def test_a_released_case_is_read_from_the_disk_again(journal):
    draft = sample.new_draft(journal)
    sample.stroke(draft, 0, 1)
    journal.release(CASE)
    assert journal.flush()
    assert journal._recording.logs == {}
    again = sample.resumed_draft(journal)
    sample.assert_same(again.reading, draft.reading)
    again._record = lambda move: journal.record(CASE, "r1", move, sample.reading())
    sample.stroke(again, 1, 1)
    sample.assert_same(sample.resumed_draft(journal).reading, again.reading)


def test_a_window_that_goes_on_in_the_same_log_loses_nothing(open_journal, path):
    """Two windows at one reading, which claims should prevent: each keeps all of its own moves."""
    first, second = open_journal(), open_journal()
    one = sample.new_draft(first)
    sample.stroke(one, 0, 1)
    assert first.flush()
    two = sample.resumed_draft(second)
    two._record = lambda move: second.record(CASE, "r1", move, sample.reading())
    sample.stroke(two, 1, 1)
    assert second.flush()
    sample.stroke(one, 2, 1)
    sample.stroke(one, 3, 1)
    assert first.flush()
    logs = query(path, "SELECT log, COUNT(*) FROM moves GROUP BY log")
    assert sorted(count for _, count in logs) == [4, 5]


def test_nothing_but_ids_and_steps_is_kept(journal, path):
    draft = sample.new_draft(journal)
    sample.stroke(draft, 0, 1)
    assert journal.flush()
    journal.close()
    columns = {row[1] for row in query(path, "PRAGMA table_info(logs)")}
    assert columns == {"number", "id", "case_id", "reader", "begun"}
    assert query(path, "SELECT case_id, reader FROM logs") == [(CASE, "r1")]
    assert b"Case 1" not in path.read_bytes()  # the title, which may name more than the id


# Bad input


def write_payload(path, payload):
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE moves SET payload = ? WHERE kind = 'do'", (payload,))
    connection.close()


@pytest.fixture
def recorded(journal, path):
    sample.stroke(sample.new_draft(journal), 0, 1)
    journal.close()
    return path


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("something was unpickled",))


@pytest.mark.parametrize(
    "payload",
    [
        pickle.dumps(Bomb()),
        b"",
        None,
        "text",
        msgspec.msgpack.encode({"type": "edit"}),
        b"\xdd\xff\xff\xff\xff",
    ],
    ids=["pickle", "empty", "none", "text", "record", "huge"],
)
def test_nonsense_in_a_row_is_told_and_kept(recorded, open_journal, payload):
    write_payload(recorded, payload)
    journal = open_journal()
    with pytest.raises(JournalMismatch, match="damaged"):
        journal.resume(CASE, "r1", sample.reading())
    fresh = sample.new_draft(journal)
    sample.stroke(fresh, 1, 1)
    assert journal.flush()
    assert query(recorded, "SELECT COUNT(*) FROM logs") == [(2,)]


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM moves WHERE kind = 'begin'",
        "DELETE FROM moves",
        "UPDATE moves SET kind = 'undo' WHERE kind = 'do'",
        "UPDATE moves SET at = 'yesterday'",
        "UPDATE moves SET seq = 9 WHERE kind = 'do'",
        "UPDATE moves SET kind = 'do' WHERE kind = 'begin'",
    ],
)
def test_a_log_with_missing_rows_is_not_replayed(recorded, open_journal, sql):
    with sqlite3.connect(recorded) as connection:
        connection.execute(sql)
    connection.close()
    with pytest.raises(JournalMismatch, match="damaged"):
        open_journal().resume(CASE, "r1", sample.reading())


def test_a_promise_of_terabytes_is_refused_before_memory_is_taken(recorded, open_journal):
    (payload,) = query(recorded, "SELECT payload FROM moves WHERE kind = 'do'")[0]
    record = msgspec.msgpack.decode(payload)
    record["box"] = [[0, 2**20], [0, 2**20], [0, 8]]
    for side in ("before", "after"):
        record[side]["shape"] = [2**20, 2**20, 8]
    write_payload(recorded, msgspec.msgpack.encode(record))
    with pytest.raises(JournalMismatch, match="larger than"):
        open_journal().resume(CASE, "r1", sample.reading())


def test_a_newer_journal_is_refused_and_left_alone(recorded, open_journal):
    with sqlite3.connect(recorded) as connection:
        connection.execute("PRAGMA user_version = 2")
    connection.close()
    journal = open_journal()
    with pytest.raises(ReadError, match=r"version 2.*newer"):
        journal.resume(CASE, "r1", sample.reading())
    sample.stroke(sample.new_draft(journal), 0, 1)
    assert not journal.flush()
    assert "newer" in journal.state.error
    assert query(recorded, "SELECT COUNT(*) FROM moves") == [(3,)]


@pytest.mark.parametrize("damage", ["garbage", "middle", "other"])
def test_a_damaged_journal_is_kept_aside_and_a_new_one_begun(recorded, open_journal, damage):
    content = recorded.read_bytes()
    if damage == "garbage":
        content = b"no database at all" * 100
    elif damage == "middle":
        content = content[:4096] + b"\xa5" * (len(content) - 4096)
    recorded.write_bytes(content)
    if damage == "other":
        recorded.unlink()
        with sqlite3.connect(recorded) as connection:
            connection.execute("CREATE TABLE songs (title TEXT)")
        connection.close()
        content = recorded.read_bytes()
    journal = open_journal()
    draft = sample.resumed_draft(journal)
    draft._record = lambda move: journal.record(CASE, "r1", move, sample.reading())
    sample.stroke(draft, 1, 1)
    assert journal.flush()
    assert "damaged" in journal.state.notice
    (kept,) = recorded.parent.glob("journal-damaged-*.sqlite")
    assert kept.name in journal.state.notice
    assert kept.read_bytes() == content
    sample.assert_same(sample.resumed_draft(open_journal()).reading, draft.reading)


def test_needs_no_window():
    code = (
        "import sys, napari_chest.review.journal;"
        "print([m for m in ('napari', 'qtpy', 'vispy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_readers_and_cases_have_logs_of_their_own(journal, open_journal):
    one = sample.new_draft(journal)
    two = sample.new_draft(journal, sample.reading("r2", seed=3))
    sample.stroke(one, 0, 1)
    sample.stroke(two, 1, 2)
    two.do(AnswerEdit("answer", sample.QUESTION, ("mild",), ("severe",)))
    journal.close()
    second = open_journal()
    sample.assert_same(sample.resumed_draft(second).reading, one.reading)
    found = sample.resumed_draft(second, sample.reading("r2", seed=3))
    sample.assert_same(found.reading, two.reading)
    other = replace(sample.reading(), reader="r3")
    assert second.resume(CASE, "r3", other) is None
    assert second.resume("case-2", "r1", sample.reading()) is None
