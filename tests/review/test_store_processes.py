"""Several programs use one store at the same time, and nothing is lost; on either database."""

import json
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import store_worker
from acting import begin, submit
from store_worker import CASES, SECONDS

from napari_chest.review.acts import Enrol
from napari_chest.review.book import Book
from napari_chest.review.store import open_store
from napari_chest.review.words import WorkKey

NAMES = ("Ada", "Eve", "Kim", "Pat")
"""Adjudicators, who may all act on the work of Bob."""


@pytest.fixture
def gate(tmp_path):
    return tmp_path / "gate"


@pytest.fixture
def team(store):
    """A store with four adjudicators and Bob."""
    store.do(Enrol(who="Ada", person="Ada"))
    for name in NAMES[1:]:
        store.do(Enrol(who="Ada", person=name, role="adjudicator"))
    store.do(Enrol(who="Ada", person="Bob"))
    return store


class Program:
    """Another program, which does one job after the other."""

    def __init__(self, name):
        self.name = name
        self._process = subprocess.Popen(
            [sys.executable, store_worker.__file__, name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def ask(self, job, address, gate):
        """Let it wait for the gate to do a job."""
        self._process.stdin.write(json.dumps([job, str(address), str(gate)]) + "\n")
        self._process.stdin.flush()

    def said(self):
        """What it says next."""
        return json.loads(self._process.stdout.readline())

    def kill(self):
        self._process.kill()
        self._process.communicate()


@pytest.fixture(scope="module")
def programs():
    """Four programs that are running already, so that they are really at it at once."""
    started = [Program(name) for name in NAMES]
    yield started
    for one in started:
        one.kill()


@pytest.fixture
def let_all(programs, gate):
    """Let programs do a job at the same time; gives what each says, by name, once it is done."""

    def start(job, address):
        for one in programs:
            one.ask(job, address, gate)
        assert [one.said() for one in programs] == ["ready"] * len(programs)
        gate.touch()
        return ThreadPoolExecutor(1).submit(lambda: {one.name: one.said() for one in programs})

    return start


def polled_until_all_are_done(store, answers):
    """A book that was only ever told what changed, and the log entries as they came."""
    book, entries = Book(store.snapshot()), []
    done = False
    while not done:
        done = answers.done()
        before = book.number
        book = book.with_delta(store.since(before))
        came = store.log(after=before, limit=book.number - before) if book.number > before else []
        # None is told of late: each poll brings all up to its number.
        assert [entry.number for entry in came] == list(range(before + 1, book.number + 1))
        entries += came
        time.sleep(0.01)
    return book, entries


def test_nothing_of_four_programs_is_lost(team, address, let_all):
    first = team.snapshot().number
    answers = let_all("work", address)
    book, entries = polled_until_all_are_done(team, answers)
    numbers = answers.result()
    sent = {act: number for of_one in numbers.values() for act, number in of_one.items()}
    assert len(sent) == len(NAMES) * len(CASES) * 4
    assert {entry.id: entry.number for entry in entries} == sent
    assert sorted(sent.values()) == list(range(first + 1, first + 1 + len(sent)))
    assert book.works == Book(team.snapshot()).works
    for case in CASES:
        of_bob = book.work(0, case, "Bob")
        assert (of_bob.version, of_bob.seconds) == (len(NAMES), len(NAMES) * SECONDS)
        assert {book.work(0, case, name).version for name in NAMES} == {2}
    submitted = [entry for entry in entries if entry.what == "submit" and entry.reader == "Bob"]
    last = {entry.case: entry for entry in submitted}
    for reading in team.readings():
        if reading.owner == "Bob":
            assert reading.payload.decode() == last[reading.case].who
            assert book.work(0, reading.case, "Bob").by == last[reading.case].who
    assert len(team.readings()) == len(CASES) * (len(NAMES) + 1)


def test_of_conflicting_decisions_one_wins(team, address, let_all):
    for case in CASES:
        team.do(submit(case, "Bob"))
    won = let_all("decide", address).result()
    winners = {case: name for name, cases in won.items() for case in cases}
    assert Counter(case for cases in won.values() for case in cases) == Counter(CASES)
    book = Book(team.snapshot())
    for case in CASES:
        work = book.work(0, case, "Bob")
        assert (work.state, work.version) == ("approved", 2)
        assert work.by == work.note == winners[case]
    assert sum(entry.what == "decide" for entry in team.log()) == len(CASES)


def test_of_programs_that_race_for_a_lease_one_has_it(store, address, let_all):
    taken = let_all("take", address).result()
    assert Counter(case for cases in taken.values() for case in cases) == Counter(CASES)
    for name, cases in taken.items():
        for case in cases:
            asked = store.lease(case, "L1", "late", "Bob", 60)
            assert (asked.held, asked.who) == (False, name)


def test_programs_that_open_an_empty_file_at_once_are_all_fine(let_all, tmp_path):
    check_who_was_first(tmp_path / "empty.sqlite", let_all)


def test_programs_that_open_an_empty_database_at_once_are_all_fine(let_all, empty_database):
    check_who_was_first(empty_database, let_all)


def check_who_was_first(empty, let_all):
    numbers = let_all("enrol", empty).result()
    assert sorted(numbers.values()) == [1, 2, 3, 4]
    store = open_store(empty, "chests")
    people = store.snapshot().people
    store.close()
    first = min(numbers, key=numbers.get)
    assert people == {name: "adjudicator" if name == first else "reader" for name in NAMES}


def test_a_program_that_is_killed_leaves_a_store_that_works(team, address, gate):
    gate.touch()
    killed = [Program(name) for name in NAMES[:2]]
    try:
        for one in killed:
            one.ask("rate", address, gate)
        while len({entry.who for entry in team.log() if entry.what == "rate"}) < len(killed):
            time.sleep(0.02)
    finally:
        for one in killed:
            one.kill()
    number = team.do(begin("case 0", "Bob"))
    log = team.log()
    assert [entry.number for entry in log] == list(range(1, number + 1))
    book = Book(team.snapshot())
    for one in killed:
        rated = [entry.detail for entry in log if (entry.who, entry.what) == (one.name, "rate")]
        found = book.works[WorkKey(0, "case 0", one.name)].difficulty
        assert found == json.loads(rated[-1])["difficulty"]
