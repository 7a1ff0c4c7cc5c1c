"""The work list without a window: states, whose turn it is, progress, pace, filter and order."""

from datetime import UTC, datetime, timedelta

import pytest

from napari_chest.model import CaseInfo
from napari_chest.review.book import Book, Snapshot
from napari_chest.review.words import ADJUDICATED, Comment, Round, Work, WorkKey
from napari_chest.ui.case_filter import ALL, UNSAVED, CaseFilter, Choice, Column
from napari_chest.ui.worklist import (
    Marks,
    next_unreviewed,
    pace,
    progress,
    remaining,
    work_rows,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PEOPLE = {"Anna": "reader", "Ben": "reader", "Dora": "adjudicator"}


def work(case, reader, state="not started", round_number=0, **more):
    return Work(WorkKey(round_number, case, reader), state, **more)


def book(*works, rounds=(), comments=(), priorities=None):
    return Book(
        Snapshot(
            people=PEOPLE,
            works=works,
            rounds=rounds,
            comments=comments,
            priorities=priorities or {},
        )
    )


def row(case, person, *works, round_number=0, marks=None, **more):
    return work_rows(book(*works, **more), person, round_number, [case], marks)[case]


def comment(name, author, resolved=""):
    return Comment(name, "c", 1, author, NOON, "look", resolved=resolved)


def test_a_case_that_nobody_has_waits_for_everybody():
    free = row("c", "Anna")
    assert (free.state, free.waiting, free.mine, free.overall) == (
        "not started",
        True,
        False,
        "not started",
    )
    assert row("c", "Dora").waiting


def test_a_case_that_somebody_else_has_waits_for_nobody_but_them():
    given = work("c", "Ben", assigned=True)
    assert row("c", "Ben", given).waiting
    assert row("c", "Ben", given).mine
    anna = row("c", "Anna", given)
    assert (anna.waiting, anna.mine, anna.own) == (False, False, None)


def test_a_reader_sees_the_own_state_and_an_adjudicator_what_wants_attention():
    works = work("c", "Anna", "in progress"), work("c", "Ben", "submitted")
    assert row("c", "Anna", *works).state == "in progress"
    assert row("c", "Ben", *works).state == "submitted"
    dora = row("c", "Dora", *works)
    assert (dora.state, dora.overall, dora.waiting) == ("submitted", "in progress", True)


@pytest.mark.parametrize(
    ("state", "waits"),
    [
        ("in progress", True),
        ("needs fix", True),
        ("submitted", False),
        ("deferred", False),
        ("approved", False),
        ("rejected", False),
    ],
)
def test_a_case_waits_for_its_reader_until_it_is_done_or_put_off(state, waits):
    assert row("c", "Anna", work("c", "Anna", state)).waiting is waits


def test_an_adjudicators_own_submitted_case_does_not_come_back():
    assert not row("c", "Dora", work("c", "Dora", "submitted")).waiting


def test_an_adjudicated_case_is_done_whatever_its_readings_are():
    works = (
        work("c", "Anna", "submitted"),
        work("c", "Ben", "submitted"),
        work("c", ADJUDICATED, "submitted"),
    )
    dora = row("c", "Dora", *works)
    assert (dora.state, dora.waiting) == ("submitted", False)
    assert row("c", "Dora", *works[:2]).waiting


def test_a_round_asks_its_readers_for_its_cases_alone():
    rounds = (Round(2, "twice", readers=("Anna", "Ben"), cases=("c",)),)
    anna = row("c", "Anna", round_number=2, rounds=rounds)
    assert anna.waiting
    assert anna.mine
    assert [one.key.reader for one in anna.works] == ["Anna", "Ben"]
    assert not row("c", "Cleo", round_number=2, rounds=rounds).waiting
    assert not row("other", "Anna", round_number=2, rounds=rounds).waiting
    elsewhere = work("c", "Anna", "approved")
    assert row("c", "Anna", elsewhere, round_number=2, rounds=rounds).state == "not started"


def test_what_is_given_to_some_readers_of_a_round_waits_for_no_others():
    rounds = (Round(1, "once", readers=("Anna", "Ben")),)
    given = work("c", "Ben", round_number=1, assigned=True)
    assert row("c", "Ben", given, round_number=1, rounds=rounds).waiting
    assert not row("c", "Anna", given, round_number=1, rounds=rounds).waiting


def test_nothing_waits_in_a_closed_round():
    rounds = (Round(1, "over", closed=True),)
    begun = work("c", "Anna", "in progress", 1)
    assert not row("c", "Anna", begun, round_number=1, rounds=rounds).waiting
    assert not row("c", "Anna", round_number=1, rounds=rounds).waiting


def test_a_blind_reader_learns_nothing_of_others_until_the_case_is_submitted():
    rounds = (Round(1, "blind", readers=("Anna", "Ben")),)
    ben = work("c", "Ben", "needs fix", 1, reason="missed", note="left base", difficulty=5)
    more = {"rounds": rounds, "comments": (comment("1", "Ben"), comment("2", "Anna"))}
    marks = Marks(disagreeing=frozenset("c"))
    before = row("c", "Anna", ben, round_number=1, marks=marks, **more)
    assert (before.disagreement, before.comments, before.difficulty) == (False, 1, None)
    assert "left base" not in "\n".join(before.lines())
    assert "missed" not in "\n".join(before.lines())
    own = work("c", "Anna", "submitted", 1)
    after = row("c", "Anna", own, ben, round_number=1, marks=marks, **more)
    assert (after.disagreement, after.comments, after.difficulty) == (True, 2, 5)
    assert "Ben: needs fix (missed lesion), difficulty 5 of 5: left base" in after.lines()


def test_disagreements_are_those_found_or_sent_back():
    both = work("c", "Anna", "submitted"), work("c", "Ben", "submitted")
    assert row("c", "Dora", *both).disagreement  # nobody has compared them
    assert not row("c", "Dora", *both, marks=Marks(disagreeing=frozenset())).disagreement
    assert row("c", "Dora", *both, marks=Marks(disagreeing=frozenset("c"))).disagreement
    back = work("c", "Anna", "rejected")
    assert row("c", "Dora", back, marks=Marks(disagreeing=frozenset())).disagreement
    assert not row("c", "Dora", both[0]).disagreement


def test_settled_comments_are_not_counted():
    comments = comment("1", "Ben"), comment("2", "Ben", resolved="Dora")
    assert row("c", "Anna", comments=comments).comments == 1


def test_progress_tells_the_person_then_all_then_each_other():
    works = (
        work("a", "Anna", "submitted"),
        work("b", "Anna", "in progress"),
        work("a", "Ben", "approved"),
        work("b", "Ben", "submitted"),
        work("c", "Ben", assigned=True),
    )
    rows = work_rows(book(*works), "Anna", 0, "abcd").values()
    me, everybody, ben = progress(rows, "Anna")
    assert (me.who, me.in_short) == ("Anna", "1 of 3 done")  # c is Ben's
    assert me.in_words == "1 submitted, 1 in progress, 1 not started"
    assert (everybody.who, everybody.in_short) == ("all readers", "1 of 4 done")
    assert (ben.who, ben.in_words) == ("Ben", "1 approved, 1 submitted, 1 not started")
    rows = work_rows(book(*works), "Dora", 0, "abcd").values()
    assert [one.who for one in progress(rows, "Dora")] == ["all readers", "Anna", "Ben"]
    alone = work_rows(book(), "Anna", 0, "abcd").values()
    assert [one.in_short for one in progress(alone, "Anna")] == ["0 of 4 done"]


def finished(*seconds):
    return [work(f"f{n}", "Anna", "submitted", seconds=each) for n, each in enumerate(seconds)]


def rows_of(works, free):
    cases = [one.key.case for one in works] + [f"open{n}" for n in range(free)]
    return work_rows(book(*works), "Anna", 0, cases).values()


@pytest.mark.parametrize(
    ("free", "text"),
    [
        (1, "about 3 min for 1 case"),
        (7, "about 20 min for 7 cases"),
        (20, "about 1 h for 20 cases"),
        (53, "about 2 h 40 min for 53 cases"),
        (400, "about 20 h for 400 cases"),
    ],
)
def test_the_time_left_follows_from_the_own_pace(free, text):
    assert remaining(rows_of(finished(60, 180, 9000), free)) == text


def test_no_time_is_told_before_three_cases_or_after_the_last():
    assert remaining(rows_of(finished(60, 180), 5)) == ""
    assert remaining(rows_of(finished(60, 180, 200), 0)) == ""


def test_pace_comes_from_the_times_between_cases_where_nobody_measured():
    minutes = 0, 2, 6, 8, 120, 124  # with a break
    works = [
        work(f"f{n}", "Anna", "submitted", by="Anna", at=NOON + timedelta(minutes=each))
        for n, each in enumerate(minutes)
    ]
    assert pace(rows_of(works, 1)) == 180
    by_another = [work(one.key.case, "Anna", "approved", by="Dora", at=one.at) for one in works]
    assert pace(rows_of(by_another, 1)) is None


def test_the_next_unreviewed_case_is_the_first_of_the_list_that_waits():
    works = work("a", "Anna", "submitted"), work("b", "Ben", "in progress")
    rows = work_rows(book(*works), "Anna", 0, "abcd")
    assert next_unreviewed(rows, "badc") == "d"
    assert next_unreviewed(rows, "ab") is None
    assert next_unreviewed(rows, ["vanished"]) is None


@pytest.fixture
def listed():
    """Five cases, the work on three of them known."""
    cases = [
        CaseInfo(f"id{n}", title, "CT", {"Diagnosis": kind})
        for n, (title, kind) in enumerate(
            [("P2", "CAP"), ("P10", "COVID"), ("p1", "CAP"), ("Q1", "Straße"), ("Q2", "")]
        )
    ]
    one = CaseFilter()
    one.show_cases(cases)
    works = work("id0", "Anna", "submitted"), work("id1", "Ben", "in progress")
    priorities = {"id2": 3, "id1": 0}
    rows = work_rows(
        book(*works, priorities=priorities),
        "Anna",
        0,
        ["id0", "id1", "id2", "gone"],
        Marks(problems=frozenset({"id0"}), contradictions=frozenset({"id1"})),
    )
    assert one.take(rows) == [0, 1, 2]
    return one


@pytest.mark.parametrize(
    ("choice", "rows"),
    [
        (ALL, [0, 1, 2, 3, 4]),
        (Choice("mine"), [0]),
        (Choice("unreviewed"), [2]),
        (Choice("problems"), [0, 1]),
        (Choice("disagreements"), []),
        (Choice("state", "State", "submitted"), [0]),
        (Choice("fact", "Diagnosis", "CAP"), [0, 2]),
        (UNSAVED, [3]),
    ],
)
def test_every_filter_keeps_its_cases(listed, choice, rows):
    listed.unsaved = frozenset({"id3"})
    listed.choice = choice
    assert listed.shown() == rows
    assert [row for row in range(5) if listed.shows(row)] == rows


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("cap", [0, 2]),
        ("CAP p2", [0]),
        ("STRASSE", [3]),
        ("ben", [1]),
        ("x", []),
        ("", [0, 1, 2, 3, 4]),
    ],
)
def test_a_search_looks_at_titles_ids_facts_and_readers(listed, text, rows):
    listed.search(text)
    assert listed.shown() == rows


@pytest.mark.parametrize(
    ("column", "rows"),
    [
        (Column("case"), [2, 0, 1, 3, 4]),
        (Column("state"), [1, 2, 0]),
        (Column("priority"), [2, 0, 1]),
        (None, [0, 1, 2, 3, 4]),
    ],
)
def test_cases_are_sorted_as_people_order_them(listed, column, rows):
    listed.sort(column)
    shown = [row for row in listed.shown() if column in (None, Column("case")) or row < 3]
    assert shown == rows
    assert [listed.rank(row) for row in listed.shown()] == list(range(5))


def test_what_is_known_already_changes_no_row(listed):
    assert listed.take({"id0": listed.works[0]}) == []
