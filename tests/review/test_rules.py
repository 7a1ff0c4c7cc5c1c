"""Who may do what in a review, as the book tells it before the store is asked."""

import unicodedata
from datetime import UTC, datetime

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
from napari_chest.review.naming import clean_name
from napari_chest.review.words import ADJUDICATED, Work, WorkKey


@pytest.fixture
def book():
    return enrolled(Book())


def after(book, *acts):
    for act in acts:
        book = book.with_act(act)
    return book


def adjudicate(**more):
    return Adjudicate(case="c", choice="A", scope="component", readers=("L1",), about="x", **more)


def test_the_first_person_adjudicates_and_the_others_read(book):
    assert book.people == {"Ada": "adjudicator", "Bob": "reader", "Cy": "reader"}
    assert book.is_adjudicator("Ada")
    assert not book.is_adjudicator("Bob")
    assert not book.is_adjudicator("Nobody")


def test_whoever_acts_takes_part(book):
    assert Book().with_act(begin("c", "Eve")).people == {"Eve": "adjudicator"}
    assert book.with_act(begin("c", "Eve")).people["Eve"] == "reader"


def test_work_goes_from_begun_to_submitted_to_approved(book):
    fresh = book.work(0, "c", "Bob")
    assert fresh == Work(WorkKey(0, "c", "Bob"))
    book = after(book, begin("c", "Bob"))
    assert (book.work(0, "c", "Bob").state, book.work(0, "c", "Bob").version) == ("in progress", 1)
    assert after(book, begin("c", "Bob")).work(0, "c", "Bob").version == 1
    book = after(book, submit("c", "Bob", at=START + 60))
    assert book.submitted(0, "c") == ("Bob",)
    assert book.work(0, "c", "Bob").at == datetime(2023, 11, 14, 22, 14, 20, tzinfo=UTC)
    sent_back = decide("c", "Bob", "needs fix", 2, reason="missed", note="left apex")
    book = after(book, sent_back)
    work = book.work(0, "c", "Bob")
    assert (work.state, work.by, work.reason, work.note) == (
        "needs fix", "Ada", "missed", "left apex",
    )  # fmt: skip
    assert book.submitted(0, "c") == ()
    book = after(book, begin("c", "Bob"), submit("c", "Bob"), decide("c", "Bob", "approved", 4))
    work = book.work(0, "c", "Bob")
    assert (work.state, work.version, work.reason, work.note) == ("approved", 5, "", "")


def test_a_book_does_not_change(book):
    after(book, begin("c", "Bob"), Remark(who="Bob", case="c", text="here"), open_round(1))
    assert (dict(book.works), book.rounds, book.comments("c")) == ({}, (), ())


def test_a_late_decision_names_who_was_faster(book):
    book = after(book, submit("c", "Bob"), decide("c", "Bob", "rejected", 1, at=START))
    with pytest.raises(ConflictError) as caught:
        book.with_act(decide("c", "Bob", "approved", 1))
    day = datetime.fromtimestamp(START).strftime("%Y-%m-%d %H:%M")
    for part in ("c of Bob", '"rejected"', "Ada", day, '"approved" was not taken over'):
        assert part in str(caught.value)
    with pytest.raises(ConflictError, match="d of Bob is not started, which Ada had not seen"):
        book.with_act(decide("d", "Bob", "approved", 3))


@pytest.mark.parametrize(
    "act",
    [
        begin("c", "Cy", who="Bob"),
        submit("c", "Cy", who="Bob"),
        decide("c", "Cy", "deferred", 0, who="Bob"),
        Rate(who="Bob", case="c", reader="Cy", difficulty=2),
        Spend(who="Bob", case="c", reader="Cy", seconds=2),
        submit("c", ADJUDICATED, who="Bob"),
    ],
)
def test_a_reader_leaves_the_work_of_others_alone(book, act):
    with pytest.raises(NotAllowedError, match=r"belongs to .*Bob is a reader.*own work"):
        book.with_act(act)


@pytest.mark.parametrize(
    "act",
    [
        decide("c", "Bob", "approved", 0, who="Bob"),
        decide("c", "Bob", "rejected", 0, who="Bob"),
        decide("c", "Bob", "needs fix", 0, who="Bob"),
        Assign(who="Bob", cases=("c",), reader="Cy"),
        Prioritise(who="Bob", cases=("c",), priority=3),
        adjudicate(who="Bob"),
        TakeBack(who="Bob", case="c", decision="d"),
        open_round(1, who="Bob"),
        CloseRound(who="Bob", number=1),
        Enrol(who="Bob", person="Bob", role="adjudicator"),
        Enrol(who="Bob", person="Eve"),
        Enrol(who="Bob", person="Ada"),
    ],
)
def test_only_an_adjudicator_may(book, act):
    with pytest.raises(NotAllowedError, match=r"[Oo]nly an adjudicator can .*Bob is a reader"):
        book.with_act(act)


def test_an_adjudicator_acts_on_the_work_of_others(book):
    book = after(
        book,
        begin("c", "Bob", who="Ada"),
        Assign(who="Ada", cases=("c", "d"), reader="Bob"),
        Prioritise(who="Ada", cases=("c",), priority=3),
        submit("c", "Bob", who="Ada"),
        Rate(who="Bob", case="c", reader="Bob", difficulty=4),
        Spend(who="Bob", case="c", reader="Bob", seconds=30),
        Spend(who="Bob", case="c", reader="Bob", seconds=12.5),
    )
    work = book.work(0, "c", "Bob")
    assert (work.assigned, work.difficulty, work.seconds, work.by) == (True, 4, 42.5, "Ada")
    assert work.version == 2
    assert book.work(0, "d", "Bob").state == "not started"
    assert book.priorities == {"c": 3}


def test_a_reader_takes_and_gives_back_own_cases(book):
    book = after(book, Assign(who="Bob", cases=("c",), reader="Bob"))
    assert book.work(0, "c", "Bob").assigned
    book = after(book, Assign(who="Bob", cases=("c",), reader="Bob", assigned=False))
    assert not book.work(0, "c", "Bob").assigned


def test_a_reader_puts_off_and_opens_again_until_it_is_signed(book):
    book = after(book, decide("c", "Bob", "deferred", 0, who="Bob"), submit("c", "Bob"))
    book = after(book, decide("c", "Bob", "in progress", 2, who="Bob"), submit("c", "Bob"))
    book = after(book, decide("c", "Bob", "approved", 4))
    for act in (submit("c", "Bob"), decide("c", "Bob", "in progress", 5, who="Bob")):
        with pytest.raises(NotAllowedError, match=r'"approved" by Ada on .* send it back'):
            book.with_act(act)
    book = after(book, decide("c", "Bob", "needs fix", 5), submit("c", "Bob"))
    assert book.work(0, "c", "Bob").state == "submitted"


def test_nobody_gives_an_own_role_away(book):
    assert after(book, Enrol(who="Ada", person="Ada")).is_adjudicator("Ada")
    book = after(book, Enrol(who="Ada", person="Bob", role="adjudicator"))
    book = after(book, Enrol(who="Bob", person="Ada"))
    assert book.people["Ada"] == "reader"
    with pytest.raises(NotAllowedError):
        book.with_act(Enrol(who="Ada", person="Bob"))


def test_a_round_has_its_readers_and_cases_until_it_is_closed(book):
    book = after(book, open_round(1, readers=("Bob", "Eve"), cases=("c", "d")))
    assert book.people["Eve"] == "reader"
    assert book.round_of(1).readers == ("Bob", "Eve")
    assert book.round_of(2) is None
    book = after(book, begin("c", "Bob", round_number=1), submit("c", "Bob", round_number=1))
    assert book.submitted(1, "c") == ("Bob",)
    assert book.submitted(0, "c") == ()
    refused = {
        begin("c", "Cy", round_number=1): "Cy does not read in round 1",
        begin("e", "Bob", round_number=1): "e is not among the cases of round 1",
        begin("c", "Bob", round_number=2): "no round 2",
        Assign(who="Ada", cases=("c", "e"), reader="Bob", round=1): "e is not among",
        Remark(who="Bob", case="c", text="x", round=3): "no round 3",
        CloseRound(who="Ada", number=7): "no round 7",
    }
    for act, words in refused.items():
        with pytest.raises(NotAllowedError, match=words):
            book.with_act(act)
    with pytest.raises(ConflictError, match="Round 1 is there already"):
        book.with_act(open_round(1))
    book = after(book, CloseRound(who="Ada", number=1))
    for act in (begin("d", "Bob", round_number=1), submit("c", "Bob", round_number=1)):
        with pytest.raises(NotAllowedError, match="closed"):
            book.with_act(act)
    assert after(book, decide("c", "Bob", "approved", 2, round=1)).work(1, "c", "Bob").by == "Ada"


@pytest.mark.parametrize(
    ("name", "of", "reader", "round_number"),
    [
        ("Cy · round 1", "", "Bob", 1),
        ("Bob · round 2", "", "Bob", 1),
        ("L1 · corrected by Cy", "L1", "Bob", 0),
        ("L2 · corrected by Bob", "L1", "Bob", 0),
        ("L1", "L1", "Bob", 0),
        ("Cy · round 1", "", "Bob", 0),
        ("L1 · corrected by Cy", "", "Bob", 0),
        (ADJUDICATED, "", "Bob", 0),
        ("Bob · round 1", "L1", ADJUDICATED, 0),
    ],
)
def test_a_reading_belongs_to_its_reader(book, name, of, reader, round_number):
    book = after(book, open_round(1))
    packed = Packed(name=name, of=of, base="", payload=b"")
    who = "Ada" if reader == ADJUDICATED else reader
    act = Submit(who=who, case="c", reader=reader, round=round_number, readings=(packed,))
    with pytest.raises(NotAllowedError, match="not a reading of"):
        book.with_act(act)


def test_readings_of_one_submission_have_different_names(book):
    packed = Packed(name="L1 · corrected by Bob", of="L1", base="", payload=b"")
    with pytest.raises(NotAllowedError, match="same name"):
        book.with_act(Submit(who="Bob", case="c", reader="Bob", readings=(packed, packed)))


def test_the_adjudicated_reading_is_submitted_by_adjudicators(book):
    packed = Packed(name=ADJUDICATED, of="L1", base="", payload=b"")
    act = Submit(who="Ada", case="c", reader=ADJUDICATED, readings=(packed,))
    assert book.with_act(act).work(0, "c", ADJUDICATED).by == "Ada"


def test_comments_are_settled_by_whom_they_concern(book):
    free = Remark(who="Bob", case="c", text="look", voxel=(3, 2, 1), at=START)
    of_cy = Remark(who="Bob", case="c", text="why?", reader="L1 · corrected by Cy", at=START + 1)
    of_ada = Remark(who="Ada", case="c", text="mine", reader="Ada · round 1", at=START + 2)
    book = after(book, of_ada, of_cy, free)
    assert [one.id for one in book.comments("c")] == [free.id, of_cy.id, of_ada.id]
    assert book.comments("c")[0].voxel == (3, 2, 1)
    book = after(book, Resolve(who="Cy", case="c", comment=of_cy.id))
    book = after(book, Resolve(who="Cy", case="c", comment=free.id))
    assert [one.resolved for one in book.comments("c")] == ["Cy", "Cy", ""]
    with pytest.raises(NotAllowedError, match="Only an adjudicator"):
        book.with_act(Resolve(who="Cy", case="c", comment=of_ada.id))
    with pytest.raises(NotAllowedError, match="no such comment"):
        book.with_act(Resolve(who="Cy", case="d", comment=free.id))
    again = after(book, Resolve(who="Ada", case="c", comment=free.id, resolved=False))
    assert again.comments("c")[0].resolved == ""


def test_decisions_are_taken_back_and_made_again(book):
    act = adjudicate(who="Ada", box=((1, 2), (3, 4), (5, 6)), at=START)
    book = after(book, act, TakeBack(who="Ada", case="c", decision=act.id))
    (decision,) = book.decisions("c")
    assert (decision.undone, decision.box, decision.who) == (True, ((1, 2), (3, 4), (5, 6)), "Ada")
    again = TakeBack(who="Ada", case="c", decision=act.id, undone=False)
    assert not book.with_act(again).decisions("c")[0].undone
    with pytest.raises(NotAllowedError, match="no such decision"):
        book.with_act(TakeBack(who="Ada", case="d", decision=act.id))


@pytest.mark.parametrize("name", ["Zoë", "李明", "محمد", "O'Neil-Šašek Jr.", "a" * 200, "می‌خواهم"])
def test_names_of_all_languages_are_names(name):
    assert clean_name(f"  {name} ") == name


def test_names_are_compared_as_they_look():
    decomposed = unicodedata.normalize("NFD", "Zoë")
    assert decomposed != "Zoë"
    book = Book().with_act(begin("c", decomposed)).with_act(begin("d", " Zoë"))
    assert book.people == {"Zoë": "adjudicator"}
    assert {key.reader for key in book.works} == {"Zoë"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "empty"),
        (" \t\n", "empty"),
        ("\u200d", "empty"),
        ("a" * 201, "201 characters"),
        ("Bob\x00", "cannot be seen"),
        ("Bob\nCy", "cannot be seen"),
        ("Bob\u202eyC", "cannot be seen"),
        ("Bob\u200b", "cannot be seen"),
        ("\ud800", "cannot be seen"),
        ("Adjudicated", "Nobody can be called"),
        ("Bob · round 1", "separates names"),
    ],
)
def test_what_is_no_name_is_refused(name, words):
    with pytest.raises(NotAllowedError, match=words) as caught:
        clean_name(name)
    str(caught.value).encode()


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (begin("", "Bob"), "expected 1 to 300"),
        (begin("c" * 301, "Bob"), "301 characters"),
        (begin("c", "B" * 201), "cannot be kept"),
        (Assign(who="Ada", cases=("c", ""), reader="Bob"), "expected 1 to 300"),
        (Remark(who="Bob", case="c", text="a\0b"), "character 0"),
        (Remark(who="Bob", case="c", text="\udcff"), "cannot be kept"),
        (Remark(who="Bob", case="c", text="a" * 10_001), "cannot be kept"),
        (Rate(who="Bob", case="c", reader="Bob", difficulty=9), "cannot be kept"),
        (Spend(who="Bob", case="c", reader="Bob", seconds=-1), "cannot be kept"),
        (Spend(who="Bob", case="c", reader="Bob", seconds=float("nan")), "cannot be kept"),
        (decide("c", "Bob", "finished", 0), "cannot be kept"),
        (begin("c", "Bob", at=float("inf")), "no date"),
        (begin("c", "Bob", at=-1.0), "no date"),
        (Remark(who="Bob", case="c", text="x", id=""), "no id"),
    ],
)
def test_what_no_store_can_keep_is_refused(book, act, words):
    with pytest.raises(NotAllowedError, match=words):
        book.with_act(act)


def test_a_book_finds_a_case_among_many(book):
    cases = tuple(f"case-{number}" for number in range(300))
    for reader in ("Cy", "Bob"):
        book = book.with_act(Assign(who="Ada", cases=cases, reader=reader))
    book = after(book, open_round(1), begin("case-7", "Bob", round_number=1))
    assert [one.key for one in book.of_case("case-7")] == [
        WorkKey(0, "case-7", "Bob"), WorkKey(0, "case-7", "Cy"), WorkKey(1, "case-7", "Bob"),
    ]  # fmt: skip
    assert len(book.works) == 601
    assert book.of_case("case-300") == ()
