"""A store does what people did, once and in one order, on either database."""

import json
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import psycopg
import pytest
from acting import START, begin, decide, enrolled, open_round, submit

from napari_chest.errors import ConflictError, NotAllowedError
from napari_chest.review.acts import (
    Adjudicate,
    Assign,
    CloseRound,
    Enrol,
    Packed,
    Prioritise,
    Rate,
    Remark,
    Resolve,
    Spend,
    Submit,
    TakeBack,
)
from napari_chest.review.book import Book
from napari_chest.review.words import ADJUDICATED, Decision, Round, WorkKey

REMARK = Remark(
    who="Bob", case="c", text="nodule?\nor vessel ☂", voxel=(3, 0, 511), reader="L1", at=START
)
DECISION = Adjudicate(
    who="Ada", case="c", choice="STAPLE", scope="slice", readers=("Bob · round 1", "L1"),
    about="slice 40", mask="lesions", box=((40, 41), (0, 5), (2, 9)), reason="clear", at=START,
)  # fmt: skip
ALL_KINDS = (
    begin("c", "Bob"),
    open_round(1, readers=("Bob", "Cy"), cases=("c", "d"), blind=False, start="dataset"),
    begin("c", "Cy", round_number=1),
    submit("c", "Cy", round_number=1),
    submit("c", "Bob"),
    Assign(who="Ada", cases=("c", "d", "e"), reader="Eve"),
    Assign(who="Ada", cases=("d",), reader="Eve", assigned=False),
    Prioritise(who="Ada", cases=("c", "d"), priority=2),
    Prioritise(who="Ada", cases=("d",), priority=0),
    Rate(who="Bob", case="c", reader="Bob", difficulty=5),
    Spend(who="Bob", case="c", reader="Bob", seconds=1.25),
    REMARK,
    Remark(who="Cy", case="c", text="yes", at=START + 1),
    Resolve(who="Ada", case="c", comment=REMARK.id),
    DECISION,
    TakeBack(who="Ada", case="c", decision=DECISION.id),
    decide("c", "Bob", "needs fix", 2, reason="side", note="left is right"),
    CloseRound(who="Ada", number=1),
    Enrol(who="Ada", person="Cy", role="adjudicator"),
)


def execute(address, statement):
    """Run a statement without our own code."""
    if isinstance(address, str):
        with psycopg.connect(address.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(statement)
    else:
        connection = sqlite3.connect(address, isolation_level=None)
        try:
            connection.execute(statement)
        finally:
            connection.close()


def rows(book):
    """All that a book shows."""
    cases = ("c", "d", "e")
    return (
        book.works, book.people, book.rounds, book.priorities,
        [book.comments(case) for case in cases], [book.decisions(case) for case in cases],
    )  # fmt: skip


def test_an_act_is_done_once(store, new_store):
    act = begin("c", "Bob")
    assert store.do(act) == 1
    assert store.do(begin("d", "Bob")) == 2
    assert store.do(act) == 1
    assert new_store().do(act) == 1
    assert [entry.number for entry in store.log()] == [1, 2]
    assert store.snapshot().number == 2


def test_every_act_leaves_in_the_store_what_it_leaves_in_the_book(store, new_store):
    book = enrolled(Book())
    enrolled(store)
    polled = Book(store.snapshot())
    for act in ALL_KINDS:
        store.do(act)
        book = book.with_act(act)
        polled = polled.with_delta(store.since(polled.number))
        assert rows(polled) == rows(book)
    assert rows(Book(new_store().snapshot())) == rows(book)
    assert polled.number == 3 + len(ALL_KINDS)
    assert book.rounds == (
        Round(1, "Reading 1", False, "dataset", ("Bob", "Cy"), ("c", "d"), True),
    )
    assert book.decisions("c") == (
        Decision(
            DECISION.id, "c", "Ada", datetime.fromtimestamp(START, UTC), "STAPLE", "slice",
            ("Bob · round 1", "L1"), "lesions", ((40, 41), (0, 5), (2, 9)), "slice 40", "clear",
            undone=True,
        ),
    )  # fmt: skip
    assert book.priorities == {"c": 2, "d": 0}


def test_what_is_refused_leaves_nothing(store):
    enrolled(store)
    store.do(submit("c", "Bob"))
    before = store.snapshot()
    for act in (
        submit("c", "Bob", who="Cy"),
        decide("c", "Bob", "approved", 1, who="Cy"),
        begin("c", "Eve", round_number=4),
        Assign(who="Eve", cases=("c",), reader="Bob"),
    ):
        with pytest.raises(NotAllowedError):
            store.do(act)
    with pytest.raises(ConflictError, match=r"submitted.*by Bob"):
        store.do(decide("c", "Bob", "approved", 0))
    assert store.snapshot() == before
    assert len(store.log()) == before.number == 4
    assert len(store.readings()) == 1


def test_an_act_that_was_refused_may_be_done_later(store):
    enrolled(store)
    act = decide("c", "Bob", "approved", 1)
    with pytest.raises(ConflictError):
        store.do(act)
    store.do(submit("c", "Bob"))
    assert store.do(act) == 5


def test_since_tells_only_what_changed(store):
    enrolled(store)
    store.do(Assign(who="Ada", cases=("c", "d"), reader="Bob"))
    number = store.do(begin("d", "Bob"))
    assert store.since(number).works == ()
    assert store.since(number).number == number
    found = store.since(number - 1)
    assert [work.key.case for work in found.works] == ["d"]
    assert (found.people, found.priorities, found.comments) == ({}, {}, ())
    assert {work.key.case for work in store.since(number - 2).works} == {"c", "d"}
    assert store.since(number + 5).number == number


def test_the_log_tells_who_did_what_and_when(store):
    act = decide("c", "Bob", "rejected", 0, reason="quality", note="moved", at=START)
    for one in (act, Enrol(who="Ada", person="Bob"), open_round(3)):
        store.do(one)
    first, second, third = store.log()
    assert (first.number, first.id, first.who, first.what) == (1, act.id, "Ada", "decide")
    assert (first.case, first.round, first.reader) == ("c", 0, "Bob")
    assert (first.reason, first.note) == ("quality", "moved")
    assert first.at == datetime.fromtimestamp(START, UTC)
    assert abs(first.stored.timestamp() - time.time()) < 60
    assert json.loads(first.detail)["state"] == "rejected"
    assert (second.what, second.reader) == ("enrol", "Bob")
    assert (third.what, third.round, third.case) == ("open round", 3, "")
    assert [one.number for one in store.log(after=1)] == [2, 3]
    assert [one.number for one in store.log(limit=2)] == [1, 2]
    assert [one.number for one in store.log(case="c")] == [1]


def test_a_wrong_clock_is_noted_and_decides_nothing(store):
    now = time.time()
    store.do(begin("c", "Ada", at=now + 86_400))
    store.do(begin("d", "Ada", at=now - 7200), sent=now)
    store.do(begin("e", "Ada", at=now), sent=now - 1000)
    store.do(begin("f", "Ada", at=now))
    clocks = [json.loads(entry.detail).get("clock") for entry in store.log()]
    assert clocks[0] == pytest.approx(86_400, abs=60)
    assert clocks[1] is None
    assert clocks[2] == pytest.approx(-1000, abs=60)
    assert clocks[3] is None
    assert [entry.case for entry in store.log()] == ["c", "d", "e", "f"]
    assert Book(store.snapshot()).work(0, "c", "Ada").at.timestamp() == pytest.approx(now + 86_400)


@pytest.mark.parametrize("table", ["log", "readings"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET at = 0", "DELETE FROM {}"])
def test_the_log_and_the_readings_are_never_changed(store, address, table, statement):
    store.do(submit("c", "Ada"))
    before = store.log(), [(one.id, one.at, one.payload) for one in store.readings()]
    with pytest.raises((sqlite3.Error, psycopg.Error), match="never changed or removed"):
        execute(address, statement.format(table))
    after = store.log(), [(one.id, one.at, one.payload) for one in store.readings()]
    assert after == before


def test_the_log_on_postgresql_is_never_emptied(postgres_address):
    with pytest.raises(psycopg.Error, match="never changed or removed"):
        execute(postgres_address, "TRUNCATE log CASCADE")


def test_the_last_submitted_reading_counts(store):
    enrolled(store)
    store.do(open_round(1))
    payload = bytes(range(256)) * 1000
    store.do(submit("c", "Bob", payload=b"first"))
    store.do(submit("c", "Bob", payload=payload, at=START + 9))
    store.do(submit("c", "Bob", payload=b"in round", round_number=1))
    store.do(submit("d", "Cy", payload=b""))
    found = store.readings()
    assert [(one.case, one.name, one.round) for one in found] == [
        ("c", "Bob · round 1", 1), ("c", "L1 · corrected by Bob", 0),
        ("d", "L1 · corrected by Cy", 0),
    ]  # fmt: skip
    assert found[1].payload == payload
    assert (found[1].owner, found[1].of, found[1].at.timestamp()) == ("Bob", "L1", START + 9)
    assert found[2].payload == b""
    assert [one.payload for one in store.readings("c", 1)] == [b"in round"]
    assert [one.case for one in store.readings(round=0)] == ["c", "d"]
    assert store.readings("e") == []
    assert str(payload) not in store.log(case="c")[1].detail


def test_a_reading_stays_its_readers_when_an_adjudicator_submits_it(store):
    enrolled(store)
    store.do(submit("c", "Bob", payload=b"of Bob"))
    store.do(submit("c", "Bob", who="Ada", payload=b"mended"))
    (found,) = store.readings("c")
    assert (found.owner, found.payload) == ("Bob", b"mended")
    assert Book(store.snapshot()).work(0, "c", "Bob").by == "Ada"


def test_a_reading_from_scratch_belongs_to_who_was_first(store):
    enrolled(store)
    packed = Packed(name="new", of="", base="", payload=b"1")
    store.do(Submit(who="Bob", case="c", reader="Bob", readings=(packed,)))
    with pytest.raises(NotAllowedError, match="not a reading of Cy"):
        store.do(Submit(who="Cy", case="c", reader="Cy", readings=(packed,)))
    store.do(Submit(who="Cy", case="d", reader="Cy", readings=(packed,)))
    store.do(Submit(who="Bob", case="c", reader="Bob", readings=(packed,)))
    assert [one.owner for one in store.readings()] == ["Bob", "Cy"]


def test_an_adjudicated_reading_belongs_to_no_person(store):
    packed = Packed(name=ADJUDICATED, of="L1", base="", payload=b"1")
    store.do(Submit(who="Ada", case="c", reader=ADJUDICATED, readings=(packed,)))
    assert store.readings()[0].owner == ADJUDICATED
    assert WorkKey(0, "c", ADJUDICATED) in Book(store.snapshot()).works


def test_many_cases_are_given_at_once(store):
    cases = tuple(f"case-{number}" for number in range(1203))
    store.do(Assign(who="Ada", cases=cases, reader="Bob"))
    store.do(begin("case-1200", "Bob"))
    store.do(Assign(who="Ada", cases=(*cases, "case-7"), reader="Bob", assigned=False))
    works = store.snapshot().works
    assert len(works) == 1203
    assert not any(work.assigned for work in works)
    assert [work.key.case for work in works if work.state != "not started"] == ["case-1200"]


def test_several_threads_may_use_one_store(store):
    enrolled(store)

    def work(number):
        store.do(Spend(who="Bob", case="c", reader="Bob", seconds=0.5))
        return store.since(3).number, len(store.log(case="c")), number

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(work, range(40)))
    assert len(found) == 40
    assert Book(store.snapshot()).work(0, "c", "Bob").seconds == 20
    assert [entry.number for entry in store.log()] == list(range(1, 44))


def test_texts_are_kept_as_they_are(store):
    text = "' OR 1=1; -- %s :who {} \\ \u2028 𝄞"
    store.do(Remark(who="Zoë", case="c'\"%(x)s", text=text))
    assert Book(store.snapshot()).comments("c'\"%(x)s")[0].text == text


def test_a_lease_is_held_by_one_window(store, new_store):
    other = new_store()
    mine = store.lease("c", "L1", "window 1", "Bob", 60, host="ward 3")
    assert mine.held
    assert abs(mine.until.timestamp() - time.time() - 60) < 30
    asked = other.lease("c", "L1", "window 2", "Cy", 60)
    assert (asked.held, asked.who, asked.host, asked.until) == (False, "Bob", "ward 3", mine.until)
    assert other.lease("c", "L2", "window 2", "Cy", 60).held
    assert other.lease("d", "L1", "window 2", "Cy", 60).held
    renewed = store.lease("c", "L1", "window 1", "Bob", 120)
    assert renewed.held
    assert renewed.until > mine.until
    other.release("c", "L1", "window 2")
    assert not other.lease("c", "L1", "window 2", "Cy", 60).held
    store.release("c", "L1", "window 1")
    assert other.lease("c", "L1", "window 2", "Cy", 60).held


def test_a_lease_that_ran_out_may_be_taken(store, new_store, monkeypatch):
    other = new_store()
    store.lease("c", "L1", "window 1", "Bob", -1)
    # By the database's clock, not this computer's.
    monkeypatch.setattr(time, "time", lambda: 0.0)
    taken = other.lease("c", "L1", "window 2", "Cy", 60)
    assert taken.held
    told = store.lease("c", "L1", "window 1", "Bob", 60)
    assert (told.held, told.who, told.owner) == (False, "Cy", "window 2")
    store.release("c", "L1", "window 1")
    assert not store.lease("c", "L1", "window 1", "Bob", 60).held


def test_leases_are_no_acts(store):
    store.lease("c", "L1", "window 1", "Bob", 60)
    assert (store.log(), store.snapshot().number) == ([], 0)


def test_ten_thousand_cases_of_three_readers_come_back_whole(store):
    cases = tuple(f"case-{number:05}" for number in range(10_000))
    for reader in ("Bob", "Cy", "Eve"):
        store.do(Assign(who="Ada", cases=cases, reader=reader))
    book = Book(store.snapshot())
    assert len(book.works) == 30_000
    assert [work.key.reader for work in book.of_case("case-07777")] == ["Bob", "Cy", "Eve"]
