"""The desk: what is handed in is shown at once, kept at once, and sent in its order."""

import threading
import time

import acting
import pytest

from napari_chest.review.acts import Assign, Decide, Remark, Spend
from napari_chest.review.desk import Desk
from napari_chest.review.desk.outbox import Outbox
from napari_chest.review.store import open_store


def wait_until(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "set-review"


@pytest.fixture
def open_desk(folder):
    opened = []

    def one(address="", person="Ada", where=None, every=0.05, **arguments):
        opened.append(
            Desk(address, where or folder, "chests", person, pause=0.05, every=every, **arguments)
        )
        return opened[-1]

    yield one
    for desk in opened:
        desk.close()


def remarks(desk, case="c"):
    return [comment.text for comment in desk.book.comments(case)]


def remark(text, who="Ada", case="c"):
    return Remark(who=who, case=case, text=text)


def test_what_is_done_is_in_the_book_at_once_and_then_in_the_store(open_desk, address):
    desk = open_desk(address)
    book = desk.book
    desk.do(acting.begin("c", "Ada"), remark("look here"))
    assert desk.book.work(0, "c", "Ada").state == "in progress"
    assert remarks(desk) == ["look here"]
    assert book.works == {}  # which the window may be reading
    assert desk.sent(20)
    assert desk.state.pending == 0
    store = open_store(address, "chests")
    assert [entry.what for entry in store.log()] == ["begin", "remark"]
    store.close()


def test_acts_arrive_in_the_order_in_which_they_were_made(open_desk, address):
    desk = open_desk(address)
    texts = [f"no. {n}" for n in range(60)]
    for text in texts:
        desk.do(remark(text))
    assert desk.sent(20)
    store = open_store(address, "chests")
    assert [entry.detail.split('"text":"')[1].split('"')[0] for entry in store.log()] == texts
    store.close()


def test_two_people_see_what_the_other_did(open_desk, address, tmp_path):
    heard = []
    ada = open_desk(address, "Ada", changed=heard.append)
    bob = open_desk(address, "Bob", tmp_path / "elsewhere-review")
    ada.do(acting.begin("c", "Ada"))
    assert ada.sent(20)
    wait_until(lambda: bob.book.people == {"Ada": "adjudicator"})
    bob.do(acting.begin("d", "Bob"))
    assert bob.sent(20)
    wait_until(lambda: ada.book.people.get("Bob") == "reader")
    heard.clear()
    bob.do(acting.submit("d", "Bob"))
    wait_until(lambda: ada.book.work(0, "d", "Bob").state == "submitted")
    wait_until(lambda: heard)
    assert heard == [frozenset({"d"})]
    (reading,) = ada.readings("d")
    assert (reading.owner, reading.payload) == ("Bob", b"voxels")


def test_the_window_hears_from_a_thread_of_the_desk_what_it_did_itself(open_desk):
    heard = []
    desk = open_desk(changed=lambda cases: heard.append((cases, threading.current_thread())))
    desk.do(acting.begin("c", "Ada"))
    desk.sent(20)
    wait_until(lambda: desk.book.number == 1)
    before = len(heard)
    desk.do(Assign(who="Ada", cases=("d", "e"), reader="Ada"))
    wait_until(lambda: len(heard) > before)
    assert heard[before][0] == {"d", "e"}
    assert threading.current_thread() not in {thread for _, thread in heard}


def test_a_window_that_fails_to_listen_does_not_stop_the_desk(open_desk):
    def fail(cases):
        raise RuntimeError("the window is gone")

    desk = open_desk(changed=fail)
    for text in ("a", "b"):
        desk.do(remark(text))
        assert desk.sent(20)
    assert "the window is gone" in desk.state.error


def test_looking_makes_no_folder(open_desk, folder):
    desk = open_desk()
    wait_until(lambda: desk.state.connected)
    assert desk.readings("c") == ()
    assert desk.flush()
    assert desk.sent()
    desk.close()
    assert not folder.exists()


def test_a_store_that_another_window_makes_is_found(open_desk):
    looking, working = open_desk(), open_desk()
    working.do(remark("first"))
    assert working.sent(20)
    wait_until(lambda: remarks(looking) == ["first"])


def test_own_readings_are_there_before_they_are_sent(open_desk, folder):
    desk = open_desk()
    desk.do(acting.begin("c", "Ada"))
    assert desk.sent(20)
    desk.do(acting.submit("c", "Ada", payload=b"old"), acting.submit("d", "Ada"))
    desk.do(acting.submit("c", "Ada", payload=b"new"))
    assert [one.payload for one in desk.readings("c")] == [b"new"]
    assert desk.sent(20)
    (stored,) = desk.readings("c")
    assert (stored.payload, stored.name, stored.case) == (b"new", "L1 · corrected by Ada", "c")


def test_own_readings_on_their_way_are_as_the_store_will_have_them(open_desk):
    desk = open_desk("postgresql://nobody@127.0.0.1:1/nothing")
    act = acting.submit("c", "Ada")
    desk.do(act)
    (waiting,) = desk.readings("c")
    desk.close()
    other = open_desk()
    assert other.flush()
    assert other.sent(20)
    (stored,) = other.readings("c")
    assert vars(stored) == vars(waiting)


# Refused


def test_a_refused_act_is_told_kept_and_can_be_dismissed(open_desk, folder, address):
    boss, desk = open_desk(address, "Ada"), open_desk(address, "Bob")
    boss.do(acting.begin("c", "Ada"))
    assert boss.sent(20)
    wait_until(lambda: desk.book.people)
    act = acting.decide("c", "Ada", "approved", 1, who="Bob")
    desk.do(act, remark("after it", "Bob"))
    wait_until(lambda: desk.state.refused)
    assert desk.sent(20)
    ((refused, why),) = [(one.act, one.why) for one in desk.state.refused]
    assert refused == act
    assert "Bob is a reader" in why
    assert desk.book.work(0, "c", "Ada").state == "in progress"
    assert remarks(desk) == ["after it"]
    assert boss.state.refused == ()  # it is not Ada's
    desk.close()
    desk = open_desk(address, "Bob")
    wait_until(lambda: desk.state.refused)
    desk.dismiss(act.id)
    assert desk.state.refused == ()
    wait_until(lambda: Outbox(folder / "outbox.sqlite").refused() == [])


def test_of_two_decisions_at_once_one_is_refused_and_the_book_follows_the_store(
    open_desk, address, tmp_path
):
    ada = open_desk(address)
    ada.do(acting.begin("c", "Ada"), acting.submit("c", "Ada"))
    assert ada.sent(20)
    too = open_desk(address, "Ada", tmp_path / "other-review", every=3600)
    wait_until(lambda: too.book.work(0, "c", "Ada").version == 2)
    ada.do(acting.decide("c", "Ada", "approved", 2))
    assert ada.sent(20)
    too.do(acting.decide("c", "Ada", "rejected", 2))
    assert too.book.work(0, "c", "Ada").state == "rejected"
    wait_until(lambda: too.state.refused)
    assert '"approved" by Ada' in too.state.refused[0].why
    wait_until(lambda: too.book.work(0, "c", "Ada").state == "approved")


def test_what_cannot_be_kept_at_all_is_refused_and_stops_nothing(open_desk):
    desk = open_desk()
    desk.do(remark("lone \ud800 surrogate"), remark("fine"))
    assert desk.sent(20)
    assert [one.act.text for one in desk.state.refused] == ["lone \ud800 surrogate"]
    assert remarks(desk) == ["fine"]
    desk.dismiss(desk.state.refused[0].act.id)
    assert desk.state.refused == ()
    assert desk.flush()


def test_what_the_store_cannot_take_does_not_hold_up_the_rest(open_desk, address):
    desk = open_desk(address)
    desk.do(remark("nul \0"), remark("fine"), Decide(
        who="Ada", case="c", reader="Ada", state="deferred", seen=77
    ))  # fmt: skip
    assert desk.sent(20)
    wait_until(lambda: len(desk.state.refused) == 2)
    assert remarks(desk) == ["fine"]


# Two windows


def test_two_windows_on_one_outbox_do_everything_once(open_desk, address):
    desks = [open_desk(address), open_desk(address)]
    for n in range(20):
        for desk in desks:
            desk.do(Spend(who="Ada", case="c", reader="Ada", seconds=1), remark(f"no. {n}"))
    assert all(desk.sent(20) for desk in desks)
    for desk in desks:
        wait_until(
            lambda: (
                desk.book.work(0, "c", "Ada").seconds == 40  # noqa: B023
                and len(remarks(desk)) == 40  # noqa: B023
            )
        )
    store = open_store(address, "chests")
    assert len(store.log()) == 80
    store.close()


# Leases


def test_a_reading_is_taken_by_one_window(open_desk, address, tmp_path):
    ada, bob = open_desk(address), open_desk(address, "Bob", tmp_path / "b-review")
    assert ada.take("c", "L1") == ""
    assert "Ada" in bob.take("c", "L1")
    assert bob.take("c", "L2") == ""
    assert ada.take("c", "L1") == ""
    ada.give("c", "L1")
    wait_until(lambda: bob.take("c", "L1") == "")
    assert "Bob" in ada.take("c", "L1")
    assert (ada.state.lost, bob.state.lost) == ({}, {})


def test_what_a_window_has_is_given_back_when_it_closes(open_desk, address):
    first = open_desk(address)
    assert first.take("c", "L1") == ""
    first.close()
    assert open_desk(address, "Bob").take("c", "L1") == ""


def test_a_lease_that_another_took_over_is_told(open_desk, address, monkeypatch):
    monkeypatch.setattr("napari_chest.review.desk.sending._RENEW_SECONDS", 0.2)
    monkeypatch.setattr("napari_chest.review.desk.line.LEASE_SECONDS", 0.01)
    desk = open_desk(address)
    assert desk.take("c", "L1") == ""
    store = open_store(address, "chests")
    wait_until(lambda: store.lease("c", "L1", "other window", "Bob", 60).held)
    store.close()
    wait_until(lambda: desk.state.lost)
    assert desk.state.lost == {("c", "L1"): "Bob"}
    desk.give("c", "L1")
    assert desk.state.lost == {}


def test_closing_twice_and_asking_afterwards_does_no_harm(open_desk):
    desk = open_desk()
    desk.do(remark("last"))
    desk.close()
    desk.close()
    assert desk.take("c", "L1") == ""
    desk.give("c", "L1")
    assert desk.readings("c") == ()
    again = open_desk()
    wait_until(lambda: remarks(again) == ["last"])
