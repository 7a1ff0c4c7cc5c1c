"""A review under test: what its store holds, and people who sit elsewhere."""

import json
import sqlite3
from contextlib import closing, contextmanager

from napari_chest.review.acts import Enrol
from napari_chest.review.desk import STORE, Desk

ME, CHIEF = "Mira", "Chief"


def store_of(work):
    """The file in which the review of the open dataset is kept."""
    root = work.session.dataset.root
    return work.controller.preferences.journal_folder(root) / STORE


def log(work):
    """What the store's log has: (who, what, case, the act as JSON)."""
    assert work.session.desk.sent(10), work.session.desk.state
    with closing(sqlite3.connect(store_of(work))) as store:
        rows = store.execute("SELECT who, what, case_id, detail FROM log ORDER BY number")
        return [(who, what, case, json.loads(detail)) for who, what, case, detail in rows]


def acts(work, what):
    """The acts of one kind in the store's log, as JSON."""
    return [detail for _, kind, _, detail in log(work) if kind == what]


def state_of(work, case, reader=ME, number=0):
    return work.session.desk.book.work(number, case, reader).state


@contextmanager
def elsewhere(work, person):
    """A desk of somebody else at the same store."""
    store = store_of(work)
    desk = Desk(store, store.parent / f"of {person}", work.session.dataset.name, person)
    try:
        yield desk
        assert desk.sent(10), desk.state
    finally:
        desk.close()


def make_reader(work):
    """Let somebody else be the adjudicator, so that who sits here is a reader."""
    with elsewhere(work, CHIEF) as desk:
        desk.do(Enrol(who=CHIEF, person=ME))
    work.wait(lambda: work.session.desk.book.people == {CHIEF: "adjudicator", ME: "reader"})


def see(work, condition):
    """Wait until what somebody did elsewhere is in the window's book and shown."""
    work.wait(lambda: bool(condition()))
    work.qtbot.wait(120)
