"""In what readings differ, held against counting voxel by voxel, and what a decision takes."""

from collections import Counter
from datetime import UTC, datetime
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from napari_chest.model import Mask, Question, Reading, Segment, SliceLabels
from napari_chest.review.deciding import (
    agreed,
    answer_taken,
    cell_taken,
    decided,
    target_of,
    target_of_case,
    target_on_slice,
    voxels_taken,
)
from napari_chest.review.disagreement import (
    ONLY_A,
    ONLY_B,
    OTHERS,
    AnswerDifference,
    CellRun,
    disagreements,
)
from napari_chest.review.words import Decision

GLASS, SOLID = Segment(1, "ground glass", "#56B4E9"), Segment(2, "consolidation", "#E69F00")
SHAPE = (4, 5, 6)
COLUMNS = ("upper", "lower", "infected")
small = arrays.arrays(np.uint8, SHAPE, elements=st.integers(0, 2))
sparse = small.map(lambda a: np.where(np.arange(a.size).reshape(SHAPE) % 3 == 0, a, 0))


def reading(reader, labels, name="lesions", **more):
    return Reading(reader, (Mask(name, labels.astype(np.uint8), (GLASS, SOLID)),), **more)


def read(*masks):
    return [reading(name, labels) for name, labels in zip("ABC", masks, strict=False)]


def table(reader, rows):
    values = np.array([[*row, any(row)] for row in rows], bool)
    return Reading(reader, (), SliceLabels(COLUMNS, values, "infected"))


def counted(masks):
    """The components by flooding, one voxel after another: sets of voxels."""
    left = {v for v in product(*map(range, SHAPE)) if len({int(m[v]) for m in masks}) > 1}
    while left:
        part, front = set(), {left.pop()}
        while front:
            part |= front
            around = {
                tuple(c + d for c, d in zip(voxel, step, strict=True))
                for voxel in front
                for step in product((-1, 0, 1), repeat=3)
            }
            front = around & left
            left -= front
        yield part


@given(st.lists(st.one_of(small, sparse), min_size=2, max_size=3))
def test_components_are_those_that_flooding_finds(masks):
    found = disagreements(read(*masks), (2.0, 0.5, 0.5))
    expected = {frozenset(part) for part in counted(masks)}
    seen = set()
    for one in found.components:
        where = found.where(one)
        corner = [start for start, _ in one.box]
        voxels = [tuple(int(i) for i in np.add(v, corner)) for v in np.argwhere(where)]
        seen.add(frozenset(voxels))
        assert one.voxels == len(voxels)
        assert one.ml == pytest.approx(len(voxels) * 0.5 / 1000)
        assert one.box == tuple((min(a), max(a) + 1) for a in zip(*voxels, strict=True))
        by_slice = Counter(z for z, _, _ in voxels)
        assert by_slice[one.slice] == max(by_slice.values())
        assert one.voxel in voxels
        assert one.voxel[0] == one.slice
        for mask, said in zip(masks, one.says, strict=True):
            assert dict(said) == Counter(int(mask[v]) for v in voxels)
    assert seen == expected
    sizes = [one.voxels for one in found.components]
    assert sizes == sorted(sizes, reverse=True)


def test_two_voxels_with_one_between_them_are_two_components():
    labels = np.zeros(SHAPE)
    labels[1, 2, [1, 3]] = 1
    found = disagreements(read(labels, np.zeros(SHAPE)))
    assert [one.voxel for one in found.components] == [(1, 2, 1), (1, 2, 3)]


@given(st.lists(sparse, min_size=2, max_size=3))
def test_every_voxel_has_the_kind_of_who_sees_something(masks):
    found = disagreements(read(*masks))
    shown = np.zeros(SHAPE, np.uint8)
    found.fill(shown)
    for voxel in product(*map(range, SHAPE)):
        says = [int(mask[voxel]) for mask in masks]
        expected = OTHERS
        if len(set(says)) == 1:
            expected = 0
        elif says[0] and not says[1]:
            expected = ONLY_A
        elif says[1] and not says[0]:
            expected = ONLY_B
        assert shown[voxel] == expected
    alone = np.zeros(SHAPE, np.uint8)
    for one in found.components:
        box = tuple(slice(*part) for part in one.box)
        alone[box] += found.kinds(one)
    np.testing.assert_array_equal(alone, shown)


def test_readings_that_agree_differ_in_nothing():
    labels = np.arange(120).reshape(SHAPE) % 3
    found = disagreements(read(labels, labels, labels))
    assert found.items == ()
    assert found.readers == ("A", "B", "C")


def test_a_mask_that_a_reader_lacks_is_empty():
    labels = np.zeros(SHAPE)
    labels[1, 1:3, 1:3] = 2
    found = disagreements([reading("A", labels), Reading("B")])
    (one,) = found.components
    assert one.says == (((2, 4),), ((0, 4),))
    assert one.values == (2,)
    assert found.segments["lesions"] == (GLASS, SOLID)


def test_masks_are_matched_by_name_and_aids_left_out():
    labels = np.ones(SHAPE, np.uint8)
    lungs = Mask("lungs", labels, (GLASS,), aid=True)
    a = Reading("A", (Mask("one", labels, (GLASS,)), lungs))
    b = Reading("B", (Mask("other", labels, (GLASS,)),))
    assert [one.mask for one in disagreements([a, b]).components] == ["one", "other"]


def test_a_mask_that_tells_another_apart_stands_for_it():
    whole = np.zeros(SHAPE, np.uint8)
    whole[2, 2:4, 2:4] = 1
    parts = np.where(whole, 2, 0).astype(np.uint8)
    parts[2, 2, 2] = 1
    both = (Mask("whole", whole, (GLASS,)), Mask("parts", parts, (GLASS, SOLID), "whole"))
    found = disagreements([Reading("A", both), Reading("B", both[:1])])
    (one,) = found.components
    # B has not told them apart: all of it is what the mask would begin with.
    assert (one.mask, one.voxels, one.says) == ("parts", 1, (((1, 1),), ((2, 1),)))


def test_another_grid_is_told_and_not_compared():
    a, b = reading("A", np.ones(SHAPE)), reading("B", np.ones((3, 5, 6)))
    found = disagreements([a, b])
    assert found.components == ()
    assert "lesions" in found.notes[0]
    assert "grid" in found.notes[0]


def test_slices_of_one_vote_are_one_run():
    found = disagreements(
        [
            table("A", [(0, 0), (1, 0), (1, 0), (1, 1), (0, 1)]),
            table("B", [(0, 0), (0, 0), (0, 0), (1, 0), (0, 0)]),
            table("C", [(0, 0), (0, 0), (1, 0), (1, 0), (0, 0)]),
        ]
    )
    runs = {(one.column, one.first, one.last): one.says for one in found.runs}
    # The column that follows the others is none of its own.
    assert runs == {
        ("lower", 3, 4): (True, False, False),
        ("upper", 1, 1): (True, False, False),
        ("upper", 2, 2): (True, False, True),
    }
    assert found.runs[0].column == "lower"


def test_a_reader_without_slice_labels_has_no_say():
    a, b = table("A", [(1, 0)]), table("B", [(0, 0)])
    assert disagreements([a, Reading("C")]).runs == ()
    (run,) = disagreements([a, Reading("C"), b]).runs
    assert run.says == (True, None, False)


def test_tables_of_other_lengths_are_told_and_not_compared():
    found = disagreements([table("A", [(1, 0)]), table("B", [(0, 0), (1, 1)])])
    assert found.runs == ()
    assert "numbers of slices" in found.notes[0]


EXAM = tuple(
    Question(
        f"exam:{name}", f"Exam labels ({name} Group)", ("typical", "mild", "severe"), True, "exam"
    )
    for name in ("Red", "Blue")
)
"""The same question, which each reader is asked under a key of its own."""


def answers(**by_reader):
    return [Reading(name, answers={f"exam:{name}": said}) for name, said in by_reader.items()]


def test_a_question_is_matched_by_its_topic():
    found = disagreements(answers(Red=("typical",), Blue=("mild",)), questions=EXAM)
    (one,) = found.answers
    assert (one.topic, one.text) == ("exam", "Exam labels")
    assert one.says == (("typical",), ("mild",))
    same = answers(Red=("typical", "mild"), Blue=("mild", "typical"))
    assert disagreements(same, questions=EXAM).answers == ()


def test_who_was_not_asked_has_no_say_but_who_gave_no_answer_differs():
    red, blue = answers(Red=("typical",), Blue=())
    assert disagreements([red, Reading("C")], questions=EXAM).answers == ()
    (one,) = disagreements([red, blue], questions=EXAM).answers
    assert one.says == (("typical",), ())


# What a choice takes


@given(st.lists(sparse, min_size=2, max_size=3))
def test_what_a_choice_takes_is_what_the_votes_say(masks):
    found = disagreements(read(*masks))
    for one in found.components:
        box = tuple(slice(*part) for part in one.box)
        votes = np.stack([mask[box] for mask in masks])
        where = found.where(one)
        takes = {
            "A": votes[0],
            "B": votes[1],
            "union": np.apply_along_axis(lambda v: next((x for x in v if x), 0), 0, votes),
            "intersection": np.zeros_like(votes[0]),
            "majority": np.apply_along_axis(
                lambda v: next((x for x in (1, 2) if 2 * (v == x).sum() > len(v)), 0), 0, votes
            ),
        }
        for choice, expected in takes.items():
            taken = voxels_taken(choice, found, one)
            np.testing.assert_array_equal(taken[where], expected[where], choice)


def test_cells_are_voted_on_and_a_tie_is_no():
    run = CellRun("upper", 1, 2, (True, None, False))
    taken = {c: cell_taken(c, run) for c in ("A", "B", "union", "intersection", "majority")}
    assert taken == {"A": True, "B": None, "union": True, "intersection": False, "majority": False}
    assert cell_taken("STAPLE", CellRun("upper", 1, 2, (True, True, False))) is True


@pytest.mark.parametrize(
    ("choice", "several", "expected"),
    [
        ("A", True, ("typical", "mild")),
        ("B", False, ()),
        ("union", True, ("typical", "mild", "severe")),
        ("union", False, None),
        ("intersection", True, ("mild",)),
        ("majority", True, ("mild",)),
    ],
)
def test_answers_are_voted_on_by_who_gave_one(choice, several, expected):
    says = (("typical", "mild"), (), ("mild", "severe"))
    assert answer_taken(choice, AnswerDifference("exam", "Exam", says, several)) == expected


def test_a_vote_that_comes_to_nothing_is_no_answer():
    one = AnswerDifference("exam", "Exam", (("typical",), ("mild",)), True)
    assert answer_taken("majority", one) is None
    assert answer_taken("intersection", one) is None


# What all agree on


@given(st.lists(small, min_size=2, max_size=3))
def test_the_adjudicated_mask_begins_with_what_all_say(masks):
    (mask,) = agreed(read(*masks)).masks
    alike = np.all([m == masks[0] for m in masks], axis=0)
    np.testing.assert_array_equal(mask.labels, np.where(alike, masks[0], 0))
    assert mask.segments == (GLASS, SOLID)


def test_cells_and_answers_begin_as_all_have_them():
    a, b = table("A", [(1, 0), (1, 1), (0, 0)]), table("B", [(1, 1), (0, 1), (0, 1)])
    labels = agreed([a, b]).slice_labels
    assert labels.values.tolist() == [[1, 0, 1], [0, 1, 1], [0, 0, 0]]
    both = answers(Red=("typical", "mild"), Blue=("mild", "typical"))
    begun = agreed(both, EXAM).answers
    assert {key: set(said) for key, said in begun.items()} == {
        "exam:Red": {"typical", "mild"},
        "exam:Blue": {"typical", "mild"},
    }
    assert agreed(answers(Red=("typical",), Blue=()), EXAM).answers == {}


# What is decided


def two_parts():
    a, b = np.zeros(SHAPE), np.zeros(SHAPE)
    a[0:2, 0:2, 0:2] = 1
    b[1:3, 4, 4:6] = 2
    return read(a, b)


def decision(target, choice="A", readers=("A", "B"), at=0, **more):
    when = datetime(2026, 1, 1, 0, at, tzinfo=UTC)
    return Decision(
        f"d{at}", "case", "Ada", when, choice, target.scope, readers, target.mask, target.box,
        target.about, **more,
    )  # fmt: skip


def test_a_component_is_decided_until_a_reading_changes():
    found = disagreements(two_parts())
    first, second = found.components
    made = decision(target_of(first))
    assert decided(found, [made]) == {first: made}
    turned = disagreements(two_parts()[::-1])
    assert [*decided(turned, [made]).values()] == [made]
    a, b = two_parts()
    grown = a.masks[0].labels.copy()
    grown[3, 0, 0] = grown[2, 0, 0] = 1
    again = disagreements([reading("A", grown), b])
    assert decided(again, [made]) == {}
    assert decided(found, [decision(target_of(second), undone=True)]) == {}
    assert decided(found, [decision(target_of(first), readers=("A", "C"))]) == {}


def test_the_last_decision_counts():
    found = disagreements(two_parts())
    first = found.components[0]
    made = [decision(target_of(first), choice, at=at) for at, choice in enumerate(("A", "B"))]
    assert decided(found, made)[first].choice == "B"
    whole = decision(target_of_case(found), "union", at=2)
    assert {one.choice for one in decided(found, [*made, whole]).values()} == {"union"}


def test_a_component_is_decided_once_all_its_slices_are():
    found = disagreements(two_parts())
    first, second = found.components
    slices = [decision(target_on_slice(found, z), at=z) for z in (0, 1, 2)]
    assert decided(found, slices[:1]) == {}
    assert decided(found, slices[:2]) == {first: slices[1]}
    assert decided(found, slices) == {first: slices[1], second: slices[2]}


def test_what_a_decision_is_about_is_told_in_words():
    found = disagreements(two_parts())
    first = found.components[0]
    assert target_of(first).about == "component of 8 voxels on slices 1-2"
    here = target_on_slice(found, 1)
    assert here.about == "slice 2: 2 components of 6 voxels"
    assert here.mask == "lesions"
    assert here.box == ((1, 2), (0, 5), (0, 6))
    assert target_of_case(found).about == "the whole case: 2 components of 12 voxels"
    assert not target_on_slice(found, 3)
