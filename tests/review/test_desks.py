"""Several desks at one store, at random: no act is lost or done twice, and all see the same."""

import random
import shutil
import time
from threading import Thread

import acting
import pytest

from napari_chest.errors import UnreachableError
from napari_chest.review.acts import (
    Adjudicate,
    Assign,
    CloseRound,
    Enrol,
    Prioritise,
    Rate,
    Remark,
    Resolve,
    Spend,
    Submit,
    TakeBack,
)
from napari_chest.review.book import Book, Snapshot
from napari_chest.review.desk import Desk, Refused
from napari_chest.review.desk import pending as waiting
from napari_chest.review.desk.pending import Pending
from napari_chest.review.store import open_store
from napari_chest.review.words import STATES

CASES = ("c1", "c2", "c3")
PEOPLE = ("Ada", "Bob", "Cy", "Dee")
SEATS = {"Ada": "Ada", "Bob": "Bob", "Bob at home": "Bob", "Cy": "Cy"}


def wait_until(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)


def knows(book):
    """All that a book tells."""
    said = {case: (book.comments(case), book.decisions(case), book.of_case(case)) for case in CASES}
    return dict(book.works), dict(book.people), book.rounds, dict(book.priorities), said


class Place:
    """A computer with a review folder: its desk may be closed, and its network away."""

    def __init__(self, address, folder, person):
        self.address, self.folder, self.person = address, folder, person
        self.away = False
        self.made = {}
        self.sit()

    def sit(self):
        self.desk = Desk(self.address, self.folder, "chests", self.person, pause=0.02, every=0.05)
        really = self.desk._line.open

        def opened():
            if self.away:
                raise UnreachableError("The store cannot be reached: no network.")
            return really()

        self.desk._line.open = opened

    def do(self, act):
        self.made[act.id] = act
        self.desk.do(act)

    def leave(self):
        assert self.desk.flush(20)
        self.desk.close()
        self.sit()


def some_act(random_, place):
    """What a person might do, allowed or not, as far as this desk knows of it."""
    book, who = place.desk.book, place.person
    case, reader = random_.choice(CASES), random_.choice(PEOPLE)
    mine = random_.choice((who, who, reader))
    number = random_.choice((0, 0, 1, 2))
    comments = [one.id for one in book.comments(case)] or ["none"]
    decisions = [one.id for one in book.decisions(case)] or ["none"]
    seen = max(0, book.work(number, case, mine).version - random_.choice((0, 0, 0, 1)))
    state = random_.choice(STATES)
    return random_.choice(
        (
            lambda: acting.begin(case, mine, who, number),
            lambda: acting.submit(case, mine, who, number, random_.randbytes(9)),
            lambda: acting.submit(case, mine, who, number, random_.randbytes(9)),
            lambda: acting.decide(case, mine, state, seen, who, round=number),
            lambda: acting.decide(case, mine, state, seen, who, round=number),
            lambda: Remark(who=who, case=case, text="look", round=number, reader=mine),
            lambda: Resolve(who=who, case=case, comment=random_.choice(comments)),
            lambda: Rate(who=who, case=case, reader=mine, difficulty=3, round=number),
            lambda: Spend(who=who, case=case, reader=mine, seconds=7, round=number),
            lambda: Assign(who=who, cases=(case,), reader=mine, round=number),
            lambda: Prioritise(who=who, cases=CASES[:2], priority=random_.randrange(4)),
            lambda: acting.open_round(random_.choice((1, 2, 3)), who, readers=PEOPLE[:3]),
            lambda: CloseRound(who=who, number=random_.choice((2, 3))),
            lambda: Enrol(who=who, person=reader, role=random_.choice(("reader", "adjudicator"))),
            lambda: Adjudicate(
                who=who, case=case, choice="A", scope="case", readers=PEOPLE[:2], about="all"
            ),
            lambda: TakeBack(who=who, case=case, decision=random_.choice(decisions)),
        )
    )()


@pytest.fixture
def places(address, tmp_path):
    found = [Place(address, tmp_path / name, person) for name, person in SEATS.items()]
    yield found
    for place in found:
        place.desk.close()


def work_at_random(random_, places, acts):
    """Let everybody do what comes to mind, with networks and programs that come and go."""
    for _ in range(acts):
        place, what = random_.choice(places), random_.random()
        if what < 0.1:
            place.away = not place.away
        elif what < 0.14:
            place.leave()
        elif what < 0.2:
            time.sleep(0.05)
        else:
            place.do(some_act(random_, place))
    for place in places:
        place.away = False
        assert place.desk.flush(20)  # which also finds what was left in the outbox
        assert place.desk.sent(20)


def payloads(readings):
    return {one.name: one.payload for one in readings}


def last_submitted(acts, case):
    """The readings of a case that these acts leave behind."""
    found = {}
    for act in acts:
        if isinstance(act, Submit) and act.case == case:
            found |= payloads(act.readings)
    return found


@pytest.mark.parametrize("seed", range(3))
def test_what_several_desks_do_at_random_is_done_once_and_seen_by_all(places, store, seed):
    work_at_random(random.Random(seed), places, acts=120)
    made = {act_id: act for place in places for act_id, act in place.made.items()}
    log = [entry.id for entry in store.log()]
    refused = [one.act.id for place in places for one in place.desk.state.refused]
    assert sorted([*log, *refused]) == sorted(made)
    assert log
    assert refused
    stored, retold = knows(Book(store.snapshot())), Book()
    for act_id in log:
        retold = retold.with_act(made[act_id])
    assert knows(retold) == stored
    for place in places:
        assert {one.act.id for one in place.desk.state.refused} <= place.made.keys()
        wait_until(lambda desk=place.desk: knows(desk.book) == stored)
    for case in CASES:
        last = last_submitted([made[act_id] for act_id in log], case)
        assert payloads(store.readings(case)) == last
        assert all(payloads(place.desk.readings(case)) == last for place in places)


def test_a_store_put_back_as_it_was_and_gone_on_with_is_seen_as_it_is_now(tmp_path):
    path, kept = tmp_path / "team" / "chests.sqlite", tmp_path / "kept.sqlite"
    path.parent.mkdir()
    store = open_store(path, "chests")
    acting.enrolled(store)
    store.close()
    shutil.copy(path, kept)
    desk = Desk(path, tmp_path / "Ada", "chests", "Ada", pause=0.05, every=0.2)
    try:
        desk.do(Remark(who="Ada", case="c1", text="first"))
        assert desk.sent(20)
        wait_until(lambda: desk.book.number == 4)
        for one in path.parent.iterdir():
            one.unlink()
        shutil.copy(kept, path)
        store = open_store(path, "chests")
        for text in ("second", "third"):
            store.do(Remark(who="Bob", case="c1", text=text))
        wait_until(lambda: knows(desk.book) == knows(Book(store.snapshot())))
    finally:
        desk.close()
        store.close()


def test_of_two_threads_that_make_the_book_the_older_state_does_not_win(monkeypatch):
    pending, newer = Pending(), Book(Snapshot(people={"Ada": "adjudicator"}, number=3))
    pending.add([Remark(who="Ada", case="c1", text="look")])
    other = Thread(target=pending.stand, args=(newer,))
    really = waiting._with

    def slowly(book, act):
        if other.ident is None:
            other.start()
            other.join(0.2)
        return really(book, act)

    monkeypatch.setattr(waiting, "_with", slowly)
    pending.stand()
    other.join(20)
    assert pending.book.number == 3
    assert pending.book.comments("c1")


def test_what_was_refused_while_it_was_written_is_kept_until_it_is_dismissed():
    pending, act = Pending(), Remark(who="Bob", case="c1", text="look")
    pending.add([act])
    writing = pending.unwritten()
    pending.refuse(Refused(act, "no"))
    assert pending.written(writing) == []
    pending.dismiss(act.id)
    assert pending.written(writing) == [act.id]
