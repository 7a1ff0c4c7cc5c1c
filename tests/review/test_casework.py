"""Which readings of a case who may see, and how what was made of them becomes a release."""

from types import SimpleNamespace

import numpy as np
import pytest

import napari_chest
from napari_chest.edits import fingerprint
from napari_chest.export import export_readings, plan_release, released
from napari_chest.model import Question, Reading
from napari_chest.review.acts import Assign, CloseRound, Decide, OpenRound, Packed, Remark, Submit
from napari_chest.review.blind import blind_round, comments_seen, sees_all
from napari_chest.review.book import Book
from napari_chest.review.casework import Seat, alike, case_readings, emptied
from napari_chest.review.packed import pack_reading
from napari_chest.review.words import (
    ADJUDICATED,
    StoredReading,
    corrected_name,
    is_kept,
    reading_name,
)


class Desk:
    """What a case is opened with: who sits here, what the review knows, what was submitted."""

    def __init__(self, book, person, stored=()):
        self.book = book
        self.person = person
        self.stored = list(stored)

    def readings(self, case):
        return tuple(one for one in self.stored if one.case == case)


def booked(*acts):
    book = Book()
    for act in acts:
        book = book.with_act(act)
    return book


def stored(case, reading, owner, of="", base="", number=0):
    return StoredReading(
        "id", case, number, reading.reader, owner, of, base, None, pack_reading(reading)
    )


@pytest.fixture
def dataset(root):
    return napari_chest.open_dataset(root)


@pytest.fixture
def case(dataset):
    return next(one.id for one in dataset.cases() if dataset.readings(one.id))


def shape_of(dataset, case):
    return dataset.volume(case).grid.shape


def round_one(**more):
    return OpenRound(who="Ada", number=1, title="First", readers=("Ada", "Ben"), **more)


def seen(dataset, case, book, person, number=0, kept=(), begun=()):
    seat = Seat(Desk(book, person, kept), number)
    return case_readings(dataset, case, shape_of(dataset, case), seat, begun)


def names(found):
    return [reading.reader for reading in found.readings]


def test_outside_rounds_the_datasets_readings_are_shown(dataset, case):
    found = seen(dataset, case, booked(), "Ada")
    assert names(found) == [reading.reader for reading in dataset.readings(case)]
    assert found.blind == ""
    assert found.kept == {}


def test_in_a_blind_round_only_ones_own_reading_is_shown_and_says_nothing_yet(dataset, case):
    found = seen(dataset, case, booked(round_one()), "Ben", 1)
    assert names(found) == ["Ben · round 1"]
    own, theirs = found.readings[0], dataset.readings(case)[0]
    assert own.slice_labels.columns == theirs.slice_labels.columns
    assert not own.slice_labels.values.any()
    assert theirs.slice_labels.values.any()
    assert "First is read blind" in found.blind


def test_a_round_may_begin_with_the_datasets_reading(dataset, case):
    found = seen(dataset, case, booked(round_one(start="dataset")), "Ben", 1)
    first = dataset.readings(case)[0]
    np.testing.assert_array_equal(found.readings[0].slice_labels.values, first.slice_labels.values)
    assert found.kept["Ben · round 1"].of == first.reader


def test_who_reads_blind_sees_nothing_of_the_case_outside_the_round_either(dataset, case):
    found = seen(dataset, case, booked(round_one()), "Ben", 0)
    assert found.readings == ()
    assert "Choose that round" in found.blind


def test_who_was_given_a_case_of_an_open_blind_round_sees_nothing_of_it_elsewhere(case):
    anybody = OpenRound(who="Ada", number=1, title="First")
    given = Assign(who="Ada", cases=(case,), reader="Ben", round=1)
    assert sees_all(booked(anybody), "Ben", 0, case)
    assert not sees_all(booked(anybody, given), "Ben", 0, case)
    assert sees_all(booked(anybody, given), "Ben", 0, "another")


def test_after_submitting_all_readings_are_shown(dataset, case):
    of_ada = Reading("Ada · round 1", slice_labels=dataset.readings(case)[0].slice_labels)
    kept = [stored(case, of_ada, "Ada", number=1)]
    book = booked(round_one(), Submit(who="Ada", case=case, reader="Ada", round=1))
    assert "Ada · round 1" not in names(seen(dataset, case, book, "Ben", 1, kept))
    book = book.with_act(Submit(who="Ben", case=case, reader="Ben", round=1))
    found = seen(dataset, case, book, "Ben", 1, kept)
    assert found.blind == ""
    theirs = [reading.reader for reading in dataset.readings(case)]
    assert names(found) == ["Ben · round 1", *theirs, "Ada · round 1"]
    assert "belongs to Ada" in found.locked["Ada · round 1"]
    assert "Ben · round 1" not in found.locked


def test_what_needs_a_fix_is_blind_again(case):
    book = booked(round_one(), Submit(who="Ben", case=case, reader="Ben", round=1))
    assert sees_all(book, "Ben", 1, case)
    seen_version = book.work(1, case, "Ben").version
    back = Decide(who="Ada", case=case, reader="Ben", round=1, state="needs fix", seen=seen_version)
    assert blind_round(book.with_act(back), "Ben", 1, case).title == "First"


def test_an_adjudicator_who_does_not_read_sees_all_and_may_change_all(dataset, case):
    reading = Reading("Ben · round 1", slice_labels=dataset.readings(case)[0].slice_labels)
    opened = OpenRound(who="Ada", number=1, title="First", readers=("Ben", "Cleo"))
    found = seen(dataset, case, booked(opened), "Ada", 0, [stored(case, reading, "Ben", number=1)])
    assert "Ben · round 1" in names(found)
    assert found.locked == {}


def test_a_closed_round_hides_nothing_and_changes_no_more(dataset, case):
    book = booked(round_one(), CloseRound(who="Ada", number=1))
    found = seen(dataset, case, book, "Ben", 1)
    assert found.blind == ""
    assert "First is closed" in found.locked["Ben · round 1"]


def test_comments_of_others_are_hidden_in_blind_reading(case):
    book = booked(
        round_one(),
        Remark(who="Ada", case=case, text="look left", round=1),
        Remark(who="Ben", case=case, text="mine", round=1),
    )
    told = comments_seen(book, "Ben", 1, case, book.comments(case))
    assert [comment.text for comment in told] == ["mine"]
    book = book.with_act(Submit(who="Ben", case=case, reader="Ben", round=1))
    told = comments_seen(book, "Ben", 1, case, book.comments(case))
    assert {comment.text for comment in told} == {"look left", "mine"}


def test_a_reading_on_another_grid_is_told_and_left_out(dataset, case):
    table = dataset.readings(case)[0].slice_labels
    other = Reading(
        "original · corrected by Ben", slice_labels=table.with_values(table.values[:-1])
    )
    found = seen(dataset, case, booked(), "Ada", 0, [stored(case, other, "Ben", "original")])
    assert names(found) == [reading.reader for reading in dataset.readings(case)]
    assert any(f"not {len(table.values)}" in problem.text for problem in found.problems)


def test_a_damaged_reading_is_told_and_left_out(dataset, case):
    one = StoredReading("id", case, 0, "x · corrected by Ben", "Ben", "x", "", None, b"\x93bad")
    found = seen(dataset, case, booked(), "Ada", 0, [one])
    assert "x · corrected by Ben" not in names(found)
    assert "x · corrected by Ben in the store is not shown" in found.problems[0].text


def test_a_case_without_labels_can_be_read_from_scratch(dataset):
    case = next((one.id for one in dataset.cases() if not dataset.readings(one.id)), None)
    if case is None:
        pytest.skip("every case of the sample is labelled")
    found = seen(dataset, case, booked(round_one()), "Ben", 1)
    slices = shape_of(dataset, case)[0]
    assert found.readings[0].slice_labels.values.shape[0] == slices


def test_ones_own_correction_goes_on_in_the_journal_and_is_not_shown_twice(dataset, case):
    first = dataset.readings(case)[0]
    name = corrected_name(first.reader, "Ada")
    kept = [stored(case, Reading(name, slice_labels=first.slice_labels), "Ada", first.reader)]
    assert name in names(seen(dataset, case, booked(), "Ada", 0, kept))
    assert name not in names(seen(dataset, case, booked(), "Ada", 0, kept, {first.reader}))


def test_the_adjudicated_reading_that_was_only_begun_is_there_empty(dataset, case):
    found = seen(dataset, case, booked(), "Ada", 0, (), {ADJUDICATED})
    assert names(found)[-1] == ADJUDICATED
    assert not found.readings[-1].slice_labels.values.any()


def test_emptied_keeps_questions_and_drops_answers():
    reading = emptied(Reading("x", answers={"severity": ("mild",)}), "y")
    assert reading.answers == {"severity": ()}
    assert reading.reader == "y"


def test_readers_asked_under_other_keys_compare():
    asked = (Question("a", "A", ("1",), topic="exam"), Question("b", "B", ("1",), topic="exam"))
    found = alike([Reading("x", answers={"a": ("1",)}), Reading("y", answers={"b": ()})], asked)
    assert [dict(one.answers) for one in found] == [{"exam": ("1",)}, {"exam": ()}]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        (ADJUDICATED, True),
        (reading_name("Ada", 2), True),
        (corrected_name("original", "Ada"), True),
        ("original", False),
        ("Annotator · round table", False),
    ],
)
def test_the_reviews_own_readings_are_known_by_name(name, kept):
    assert is_kept(name) is kept


# Releases


def corrected(dataset, case, person):
    """A submitted correction of the dataset's first reading, with one cell changed."""
    first = dataset.readings(case)[0]
    values = first.slice_labels.values.copy()
    values[0, 0] = ~values[0, 0]
    any_column = first.slice_labels.any_column
    if any_column:
        index = first.slice_labels.columns.index(any_column)
        values[0, index] = np.delete(values[0], index).any()
    name = corrected_name(first.reader, person)
    reading = Reading(name, slice_labels=first.slice_labels.with_values(values))
    one = stored(case, reading, person, first.reader, fingerprint(first))
    part = Packed(name, one.of, one.base, one.payload)
    return one, Submit(who=person, case=case, reader=person, readings=(part,))


def approve(book, case, reader, by="Ada"):
    seen_version = book.work(0, case, reader).version
    return book.with_act(
        Decide(who=by, case=case, reader=reader, state="approved", seen=seen_version)
    )


def test_a_release_writes_what_was_approved_and_proves_it(dataset, case, tmp_path):
    one, submit = corrected(dataset, case, "Ada")
    book = booked(submit)
    assert plan_release(dataset, book).cases == ()
    assert "not approved" in plan_release(dataset, book).left[case]
    book = approve(book, case, "Ada")
    release = plan_release(dataset, book)
    assert release.cases == (case,)
    parts = released(dataset, book, lambda _: [one], release)
    proof = export_readings(dataset, parts, tmp_path / "release")
    assert proof.holds
    before = dataset.readings(case)[0].slice_labels.values
    after = dataset.readings(case, tmp_path / "release")[0].slice_labels.values
    assert (before != after)[0, 0]
    assert not (before != after)[1:].any()


def test_a_case_that_vanished_from_the_dataset_is_told_and_left_out(dataset):
    book = approve(booked(Submit(who="Ada", case="gone", reader="Ada")), "gone", "Ada")
    release = plan_release(dataset, book)
    assert release.cases == ()
    assert "does not have this case any more" in release.left["gone"]


def test_what_was_read_in_a_round_and_not_adjudicated_is_told_and_left_out(dataset, case):
    book = booked(round_one(), Submit(who="Ben", case=case, reader="Ben", round=1))
    release = plan_release(dataset, book)
    assert release.cases == ()
    assert "not adjudicated" in release.left[case]
    book = book.with_act(Submit(who="Ada", case=case, reader=ADJUDICATED))
    assert plan_release(dataset, book).cases == (case,)
    assert plan_release(dataset, book).left == {}


def test_two_approved_corrections_of_one_case_wait_for_adjudication(dataset, case):
    _, submit = corrected(dataset, case, "Ada")
    _, other = corrected(dataset, case, "Ben")
    book = booked(submit, other)
    book = approve(approve(book, case, "Ada"), case, "Ben")
    release = plan_release(dataset, book)
    assert release.cases == ()
    assert "adjudicate it first" in release.left[case]


def test_the_adjudicated_reading_stands_for_its_case(dataset, case, tmp_path):
    one, submit = corrected(dataset, case, "Ada")
    first = dataset.readings(case)[0]
    agreed = emptied(first, ADJUDICATED)
    part = stored(case, agreed, "Ada", first.reader, fingerprint(first))
    packed = Packed(ADJUDICATED, part.of, part.base, part.payload)
    done = Submit(who="Ada", case=case, reader=ADJUDICATED, readings=(packed,))
    book = approve(booked(submit, done), case, "Ada")
    release = plan_release(dataset, book)
    assert release.adjudicated == {case}
    parts = released(dataset, book, lambda _: [one, part], release)
    proof = export_readings(dataset, parts, tmp_path / "release")
    assert proof.holds
    after = dataset.readings(case, tmp_path / "release")[0]
    assert not after.slice_labels.values.any()


def test_a_correction_of_what_the_dataset_no_longer_has_is_refused(dataset, case, tmp_path):
    one, submit = corrected(dataset, case, "Ada")
    other = next(c.id for c in dataset.cases() if c.id != case and dataset.readings(c.id))
    good, second = corrected(dataset, other, "Ada")
    stale = StoredReading(**(one.__dict__ | {"base": "another"}))
    book = approve(approve(booked(submit, second), case, "Ada"), other, "Ada")
    by_case = {case: [stale], other: [good]}
    parts = released(dataset, book, by_case.__getitem__, plan_release(dataset, book))
    proof = export_readings(dataset, parts, tmp_path / "release")
    assert len(proof.refused) == 1
    assert "does not have any more" in next(iter(proof.refused.values()))


def test_a_question_left_open_in_adjudication_keeps_its_answer(tmp_path):
    before = Reading("group 1", answers={"exam": ("typical",), "other": ()})
    dataset = SimpleNamespace(readings=lambda case: (before,))
    agreed = Reading(ADJUDICATED, answers={"exam": (), "other": ("yes",)})
    one = stored("c", agreed, "Ada", "group 1", fingerprint(before))
    book = booked(Submit(who="Ada", case="c", reader=ADJUDICATED))
    dataset.cases = lambda: [SimpleNamespace(id="c", title="c")]
    parts = released(dataset, book, lambda _: [one], plan_release(dataset, book))
    assert dict(parts["c"][0].after.answers) == {"exam": ("typical",), "other": ("yes",)}
