"""What befalls a desk: servers that are away, killed programs, full disks; no act is lost."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import acting
import pytest

import napari_chest.review.store as stores
from napari_chest.errors import StoreError, UnreachableError
from napari_chest.review.acts import Remark, decode_act
from napari_chest.review.desk import Desk
from napari_chest.review.desk.line import Line
from napari_chest.review.store import open_store


def wait_until(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)


class Gate:
    """A server that can go away, also in the middle; counts how often it was looked for."""

    def __init__(self):
        self.open = True
        self.opened = 0
        self.trouble = UnreachableError("The store cannot be reached: nobody answers.")
        self.answers_lost = 0
        self.really_open = stores.open_store

    def open_store(self, address, dataset):
        self.opened += 1
        self.check()
        return Guarded(self, self.really_open(address, dataset))

    def check(self):
        if not self.open:
            raise self.trouble


class Guarded:
    """A store behind the gate."""

    def __init__(self, gate, store):
        self._gate, self._store = gate, store
        self.notice = store.notice

    def do(self, act, sent=None):
        self._gate.check()
        number = self._store.do(act, sent)
        if self._gate.answers_lost:
            self._gate.answers_lost -= 1
            raise UnreachableError("The connection broke before the answer came.")
        return number

    def close(self):
        self._store.close()

    def __getattr__(self, name):
        self._gate.check()
        return getattr(self._store, name)


@pytest.fixture
def gate(monkeypatch):
    found = Gate()
    monkeypatch.setattr(stores, "open_store", found.open_store)
    return found


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "set-review"


@pytest.fixture
def place(tmp_path):
    """Of a store that is not beside the outbox."""
    path = tmp_path / "server" / "review.sqlite"
    path.parent.mkdir()
    return path


@pytest.fixture
def open_desk(folder, place):
    opened = []

    def one(address=None, person="Ada", where=None, **arguments):
        address = place if address is None else address
        opened.append(
            Desk(address, where or folder, "chests", person, pause=0.02, every=0.02, **arguments)
        )
        return opened[-1]

    yield one
    for desk in opened:
        desk.close()


def remark(text, who="Ada"):
    return Remark(who=who, case="c", text=text)


def remarks(book):
    return [comment.text for comment in book.comments("c")]


def logged(place):
    store = open_store(place, "chests")
    found = [entry.id for entry in store.log()]
    store.close()
    return found


def in_outbox(folder):
    with sqlite3.connect(folder / "outbox.sqlite") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = connection.execute("SELECT payload FROM acts ORDER BY number").fetchall()
    connection.close()
    return [decode_act(payload) for (payload,) in rows]


# A store that is away


def test_work_goes_on_without_the_store_and_is_sent_when_it_is_back(open_desk, gate, folder, place):
    desk = open_desk()
    wait_until(lambda: desk.state.connected)
    gate.open = False
    acts = [acting.begin("c", "Ada"), remark("a"), remark("b"), acting.submit("c", "Ada")]
    desk.do(*acts)
    wait_until(lambda: desk.state.error)
    assert "nobody answers" in desk.state.error
    assert "Work goes on" in desk.state.error
    assert (desk.state.connected, desk.state.pending) == (False, 4)
    assert desk.book.work(0, "c", "Ada").state == "submitted"
    assert remarks(desk.book) == ["a", "b"]
    assert desk.flush()
    assert in_outbox(folder) == acts
    assert desk.take("c", "L1") == ""
    gate.open = True
    assert desk.sent(20)
    wait_until(lambda: desk.state.connected)
    assert (desk.state.error, desk.state.pending) == ("", 0)
    assert logged(place) == [act.id for act in acts]
    assert remarks(desk.book) == ["a", "b"]


def test_the_pauses_between_tries_grow_to_half_a_minute(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("napari_chest.review.desk.line.time.monotonic", lambda: now[0])
    line = Line("postgresql://nowhere", "chests")
    pauses = []
    for _ in range(8):
        line.failed(UnreachableError("away"))
        pauses.append(line.wait)
        now[0] += line.wait
        assert line.wait == 0
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]
    line.worked()
    line.failed(UnreachableError("away"))
    assert line.wait == 1


def test_an_act_whose_answer_was_lost_is_done_once(open_desk, gate, place):
    desk = open_desk()
    gate.answers_lost = 2
    act = remark("once")
    desk.do(act)
    assert desk.sent(20)
    assert logged(place) == [act.id]
    assert remarks(desk.book) == ["once"]


def test_a_lease_that_was_wanted_while_the_store_was_away_is_taken_later(
    open_desk, gate, place, tmp_path
):
    gate.open = False
    desk = open_desk()
    wait_until(lambda: desk.state.error)
    assert desk.take("c", "L1") == ""
    assert desk.take("c", "L2") == ""
    other = gate.really_open(place, "chests")
    assert other.lease("c", "L2", "other window", "Bob", 60).held
    gate.open = True
    wait_until(lambda: desk.state.lost)
    assert desk.state.lost == {("c", "L2"): "Bob"}
    assert not other.lease("c", "L1", "other window", "Bob", 60).held
    other.close()


def test_a_disk_that_is_not_connected_is_waited_for(open_desk, place):
    place.parent.rmdir()
    desk = open_desk()
    desk.do(remark("a"))
    wait_until(lambda: desk.state.error)
    assert "connect the disk" in desk.state.error
    assert not place.parent.exists()
    place.parent.mkdir()
    assert desk.sent(20)
    assert len(logged(place)) == 1


def test_a_real_server_that_does_not_answer_is_told_in_words(open_desk):
    desk = open_desk("postgresql://ada:secret@127.0.0.1:1/nothing")
    desk.do(remark("kept"))
    wait_until(lambda: desk.state.error)
    assert "127.0.0.1:1/nothing cannot be reached" in desk.state.error
    assert "secret" not in desk.state.error
    assert remarks(desk.book) == ["kept"]


# A store that is not ours


@pytest.mark.parametrize("words", ["of a newer napari-chest", "is that of mosmed"])
def test_a_store_that_cannot_be_used_stops_no_work(open_desk, gate, folder, words):
    gate.open, gate.trouble = False, StoreError(f"The store {words}.")
    desk = open_desk()
    acts = [remark("a"), remark("b")]
    desk.do(*acts)
    wait_until(lambda: gate.opened > 2)
    assert words in desk.state.error
    assert desk.state.refused == ()
    assert remarks(desk.book) == ["a", "b"]
    assert desk.flush()
    desk.close()
    assert in_outbox(folder) == acts


def test_the_store_of_another_dataset_gets_nothing(open_desk, folder, place):
    open_store(place, "mosmed").close()
    desk = open_desk()
    desk.do(remark("a"))
    wait_until(lambda: desk.state.error)
    assert "mosmed" in desk.state.error
    desk.close()
    store = open_store(place, "mosmed")
    assert store.log() == []
    store.close()
    assert [act.text for act in in_outbox(folder)] == ["a"]


def test_an_act_that_the_store_fails_on_does_not_hold_up_the_others(open_desk, monkeypatch):
    does = stores.Store.do

    def fail(self, act, sent=None):
        if getattr(act, "text", "") == "poison":
            raise StoreError("The store did not do this.")
        return does(self, act, sent)

    monkeypatch.setattr(stores.Store, "do", fail)
    desk = open_desk()
    desk.do(remark("a"), remark("poison"), remark("b"))
    assert desk.sent(20)
    assert [one.act.text for one in desk.state.refused] == ["poison"]
    assert remarks(desk.book) == ["a", "b"]


# Without the store from the beginning


def test_what_was_known_last_is_shown_at_a_start_without_the_store(
    open_desk, gate, tmp_path, place
):
    bob = open_desk(where=tmp_path / "b-review", person="Bob")
    bob.do(acting.begin("c", "Bob"), remark("from Bob", "Bob"), acting.submit("c", "Bob"))
    assert bob.sent(20)
    desk = open_desk()
    wait_until(lambda: remarks(desk.book) == ["from Bob"])
    bob.do(remark("later", "Bob"))
    wait_until(lambda: remarks(desk.book) == ["from Bob", "later"])
    assert [one.payload for one in desk.readings("c")] == [b"voxels"]
    desk.close()
    gate.open = False
    again = open_desk()
    wait_until(lambda: again.book.number == 4)
    assert remarks(again.book) == ["from Bob", "later"]
    assert again.book.work(0, "c", "Bob").state == "submitted"
    assert again.book.people == {"Bob": "adjudicator"}
    ((name, payload),) = [(one.name, one.payload) for one in again.readings("c")]
    assert (name, payload) == ("L1 · corrected by Bob", b"voxels")
    other = open_desk(tmp_path / "another.sqlite")
    wait_until(lambda: other.state.error)
    assert other.book.number == 0  # what one store said is not shown for another


def test_a_store_that_was_put_back_to_an_earlier_day_is_shown_as_it_is(
    open_desk, gate, place, tmp_path
):
    desk = open_desk()
    desk.do(remark("old"))
    assert desk.sent(20)
    wait_until(lambda: desk.book.number == 1)
    gate.open = False
    wait_until(lambda: desk.state.error)
    for path in place.parent.glob("review.sqlite*"):
        path.unlink()
    gate.open = True
    wait_until(lambda: desk.state.connected and desk.book.number == 0)
    assert remarks(desk.book) == []
    desk.do(remark("new"))
    assert desk.sent(20)
    assert remarks(desk.book) == ["new"]


# Killed


def test_every_acknowledged_act_outlives_a_killed_program(tmp_path, open_desk):
    here = Path(__file__).parent
    folder = tmp_path / "killed-review"
    program = subprocess.Popen(
        [sys.executable, str(here / "handing_in.py"), str(folder)],
        env={**os.environ, "PYTHONPATH": str(here)},
    )
    told = tmp_path / "told"
    wait_until(lambda: told.exists() and len(told.read_text().splitlines()) > 3)
    program.send_signal(signal.SIGKILL)
    assert program.wait() == -signal.SIGKILL
    acknowledged = int(told.read_text().splitlines()[-1])
    kept = [act.text for act in in_outbox(folder)]
    assert len(kept) >= acknowledged > 0
    assert kept == [str(n) for n in range(len(kept))]
    desk = open_desk("", "Bob", where=folder)
    assert desk.flush()
    assert desk.sent(20)
    desk.close()
    assert in_outbox(folder) == []
    store = open_store(folder / "review.sqlite", "chests")
    assert [comment.text for comment in store.snapshot().comments] == kept
    store.close()


def test_what_another_person_left_on_this_computer_is_sent_as_theirs(open_desk, gate, place):
    gate.open = False
    bob = open_desk(person="Bob")
    bob.do(remark("mine", "Bob"))
    bob.close()
    gate.open = True
    ada = open_desk(person="Ada")
    assert ada.flush()
    assert ada.sent(20)
    assert [comment.author for comment in ada.book.comments("c")] == ["Bob"]


# The disk


class Full(sqlite3.OperationalError):
    sqlite_errorcode = sqlite3.SQLITE_FULL


def test_with_a_full_disk_acts_stay_in_memory_and_are_sent_from_there(
    open_desk, gate, folder, place, monkeypatch
):
    gate.open = False
    desk = open_desk()
    desk.do(remark("on disk"))
    assert desk.flush()

    def fail(self, acts):
        with self._in_words():
            raise Full("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("napari_chest.review.desk.outbox.Outbox.put", fail)
        desk.do(remark("in memory"))
        assert not desk.flush()
        wait_until(lambda: "the disk is full" in desk.state.error)
        assert remarks(desk.book) == ["on disk", "in memory"]
        gate.open = True
        assert desk.sent(20)
        assert len(logged(place)) == 2
        gate.open = False
        desk.do(remark("later on disk"))
        assert not desk.flush()
    wait_until(lambda: "disk is full" not in desk.state.error)
    assert desk.flush()
    assert [act.text for act in in_outbox(folder)] == ["later on disk"]


def test_an_outbox_that_is_deleted_at_work_is_made_again_with_all_that_waits(
    open_desk, gate, folder
):
    gate.open = False
    desk = open_desk()
    acts = [remark("a"), remark("b")]
    desk.do(*acts)
    assert desk.flush()
    for path in folder.glob("outbox.sqlite*"):
        path.unlink()
    last = remark("c")
    desk.do(last)
    assert desk.flush()
    assert {act.id for act in in_outbox(folder)} == {act.id for act in [*acts, last]}


def test_a_damaged_outbox_is_told_and_work_goes_on(open_desk, folder, place):
    folder.mkdir()
    (folder / "outbox.sqlite").write_bytes(b"no database" * 1000)
    desk = open_desk()
    desk.do(remark("a"))
    assert desk.sent(20)
    assert "outbox-damaged-" in desk.state.notice
    assert len(logged(place)) == 1


def test_a_clock_that_was_set_back_changes_no_order(open_desk, gate, place):
    gate.open = False
    desk = open_desk()
    acts = [Remark(who="Ada", case="c", text=str(n), at=1_700_000_000.0 - n) for n in range(5)]
    desk.do(*acts)
    assert desk.flush()
    desk.close()
    gate.open = True
    again = open_desk()
    assert again.flush()
    assert again.sent(20)
    assert logged(place) == [act.id for act in acts]


def test_closing_does_not_wait_for_a_store_that_is_away(open_desk, gate, folder):
    gate.open = False
    desk = open_desk()
    wait_until(lambda: desk.state.error)
    act = remark("a")
    desk.do(act)
    desk.close()
    assert in_outbox(folder) == [act]
    assert not desk._sender._thread.is_alive()


def test_leaving_the_program_sends_what_was_done(tmp_path):
    code = """
import sys
from pathlib import Path
from napari_chest.review.acts import Remark
from napari_chest.review.desk import Desk
desk = Desk("", Path(sys.argv[1]), "chests", "Ada")
desk.do(Remark(who="Ada", case="c", text="last words"))
"""
    folder = tmp_path / "set-review"
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True, timeout=60)
    store = open_store(folder / "review.sqlite", "chests")
    waiting = [act.text for act in in_outbox(folder)]
    sent = [comment.text for comment in store.snapshot().comments]
    store.close()
    assert sent + waiting == ["last words"]
