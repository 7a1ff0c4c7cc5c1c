"""Agreement of readings: what is compared with what, and what of it is said."""

import csv
import io
import json
from dataclasses import replace
from threading import Event

import numpy as np
import pytest

from napari_chest.errors import StoppedError
from napari_chest.measure.agreement import NOISE_FLOOR, agreement
from napari_chest.measure.listing import (
    as_csv,
    as_json,
    as_text,
    definitions_of,
    lines_of_case,
    lines_over_cases,
)
from napari_chest.measure.overall import over_cases
from napari_chest.model import Grid, Mask, Question, Reading, Segment, SliceLabels

SHAPE = (4, 10, 10)
GRID = Grid(SHAPE, np.diag([2.0, 1.0, 1.0, 1.0]), ("a", "b", "c", "d"))
GG, CO = Segment(1, "ground glass", "#56B4E9"), Segment(2, "consolidation", "#E69F00")


def block(start, value=1, segments=(GG, CO), name="lesions"):
    """A block of 2 x 4 x 4 voxels that begins at this column."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[1:3, 2:6, start : start + 4] = value
    return Mask(name, labels, segments)


def table(*rows):
    return SliceLabels(("left", "right"), np.array(rows, bool))


def by_key(found):
    return {(one.mask, one.segment, one.readers): one.overlap for one in found.segments}


def test_every_two_readers_and_every_segment():
    readings = [
        Reading("A", (block(1),)),
        Reading("B", (block(2),)),
        Reading("C", (block(1, value=2),)),
    ]
    found = by_key(agreement(readings, GRID, case="x"))
    assert len(found) == 6
    assert found["lesions", "ground glass", ("A", "B")].dice == pytest.approx(0.75)
    assert found["lesions", "ground glass", ("A", "B")].hd == 1
    assert found["lesions", "ground glass", ("A", "C")].dice == 0
    assert found["lesions", "consolidation", ("A", "B")].both_empty
    assert found["lesions", "ground glass", ("A", "B")].volume_a == pytest.approx(32 * 2 / 1000)


def test_segments_meet_by_name_though_their_values_differ():
    other = (replace(GG, value=7), replace(CO, value=1))
    found = by_key(
        agreement([Reading("A", (block(1),)), Reading("B", (block(1, 7, other),))], GRID)
    )
    assert found["lesions", "ground glass", ("A", "B")].dice == 1


def test_segments_of_one_name_are_told_apart_by_their_value():
    twice = (GG, replace(GG, value=2))
    readings = [Reading("A", (block(1, 1, twice),)), Reading("B", (block(1, 2, twice),))]
    found = by_key(agreement(readings, GRID))
    assert {segment for _, segment, _ in found} == {"ground glass (1)", "ground glass (2)"}
    assert [one.dice for one in found.values()] == [0, 0]


def test_mask_that_a_reader_lacks_is_empty_and_told():
    found = agreement([Reading("A", (block(1),)), Reading("B")], GRID)
    one = found.segments[0].overlap
    assert (one.dice, one.hd95, one.voxels_b) == (0, None, 0)
    assert found.notes == ("B has no mask lesions; it counts as empty.",)


def test_aids_are_nobodys_reading():
    aid = replace(block(1, name="lungs"), aid=True)
    found = agreement([Reading("A", (aid,)), Reading("B", (aid,))], GRID)
    assert found.segments == ()


def test_unknown_spacing_is_told():
    found = agreement(
        [Reading("A", (block(1),)), Reading("B", (block(3),))], replace(GRID, calibration="unknown")
    )
    assert (found.unit, found.segments[0].overlap.unit) == ("px", "px")
    assert found.segments[0].overlap.volume_a is None
    assert "spacing of this image is unknown" in found.notes[0]


def test_only_given_readers_in_the_given_order():
    readings = [Reading(name, (block(1 + n),)) for n, name in enumerate("ABC")]
    found = agreement(readings, GRID, readers=["C", "A", "nobody"])
    assert found.readers == ("C", "A")
    assert {one.readers for one in found.segments} == {("C", "A")}


def test_other_grids_and_single_readings_are_refused_in_words():
    a = Reading("A", (block(1),))
    small = Reading("B", (Mask("lesions", np.zeros((4, 5, 5), np.uint8), (GG,)),))
    with pytest.raises(ValueError, match=r"mask lesions of B has \(4, 5, 5\) voxels and the case"):
        agreement([a, small], GRID)
    with pytest.raises(ValueError, match="slice labels of B tell of 2 slices and the case has 4"):
        agreement([a, Reading("B", (), table([0, 1], [1, 0]))], GRID)
    with pytest.raises(ValueError, match="readings of two readers; this case has: A"):
        agreement([a], GRID)
    with pytest.raises(ValueError, match="two readings are of the same reader"):
        agreement([a, a], GRID)


def test_slice_labels_by_column():
    rows = [[1, 0], [1, 0], [0, 0], [0, 0]]
    other = [[1, 0], [0, 0], [0, 0], [0, 0]]
    readings = [Reading("A", (), table(*rows)), Reading("B", (), table(*other)), Reading("C")]
    found = {one.column: one for one in agreement(readings, GRID).columns}
    left = found["left"].found
    assert [one.readers for one in left] == [("A", "B")]  # C labelled no slices
    assert left[0].kappa.value == pytest.approx(0.5)
    assert left[0].percent.value == 0.75
    assert left[0].confusion.counts.tolist() == [[2, 0], [1, 1]]
    assert found["right"].found[0].kappa.value is None
    assert found["right"].found[0].percent.value == 1


def test_answers_meet_by_topic_and_choice_by_choice():
    questions = (
        Question("exam:1", "Exam (1)", ("typical", "effusion"), True, "exam"),
        Question("exam:2", "Exam (2)", ("typical", "effusion"), True, "exam"),
        Question("exam:3", "Exam (3)", ("typical", "lines"), True, "exam"),
    )
    readings = [
        Reading("A", answers={"exam:1": ("typical",)}),
        Reading("B", answers={"exam:2": ("effusion", "typical")}),
        Reading("C", answers={"exam:3": ("typical",)}),
        Reading("D", answers={"exam:1": ()}),
    ]
    found = {one.question: one for one in agreement(readings, GRID, questions=questions).answers}
    assert set(found) == {"exam", "exam · typical", "exam · effusion"}
    assert found["exam"].answers == {
        "A": "typical",
        "B": "effusion + typical",
        "C": "typical",
        "D": None,
    }
    assert found["exam"].same is False
    assert found["exam · typical"].same is True
    # C could not have said it, D said nothing at all.
    assert found["exam · effusion"].answers == {"A": "no", "B": "yes", "C": None, "D": None}


def test_answers_without_questions_meet_by_key():
    readings = [Reading("A", answers={"q": ("x", "y")}), Reading("B", answers={"q": ("y", "x")})]
    (one,) = agreement(readings, GRID).answers
    assert (one.question, one.same) == ("q", True)
    (alone,) = agreement([readings[0], Reading("B", answers={"q": ()})], GRID).answers
    assert alone.same is None


def test_may_be_stopped():
    stop = Event()
    stop.set()
    for readings in (
        [Reading("A", (block(1),)), Reading("B", (block(2),))],
        [Reading(name, (), table(*[[0, 1]] * 4)) for name in "AB"],
    ):
        with pytest.raises(StoppedError):
            agreement(readings, GRID, stop=stop)


def cases():
    """Three cases; in the second B comes first, in the third neither marked anything."""
    empty = Mask("lesions", np.zeros(SHAPE, np.uint8), (GG,))
    one = (GG,)
    first = [Reading("A", (block(1, 1, one),)), Reading("B", (block(2, 1, one),))]
    second = [Reading("B", (empty,)), Reading("A", (block(1, 1, one),))]
    third = [Reading("A", (empty,)), Reading("B", (empty,))]
    return [
        agreement(each, GRID, case=name)
        for name, each in (("1", first), ("2", second), ("3", third))
    ]


def test_over_cases_the_same_reader_is_always_a():
    found = over_cases(cases())
    (summary,) = found.segments
    assert summary.readers == ("A", "B")
    assert summary.cases == ("1", "2", "3")
    assert summary.both_empty == 1
    assert summary.means["dice"].value == pytest.approx((0.75 + 0) / 2)
    assert (summary.means["dice"].n, summary.means["dice"].left_out) == (2, 0)
    assert (summary.means["hd95"].n, summary.means["hd95"].left_out) == (1, 1)
    # B less A: nothing, all of A's 0.064 ml less, nothing.
    assert summary.volumes.differences.tolist() == pytest.approx([0, -0.064, 0])
    assert over_cases(cases(), ["B", "A"]).segments[0].readers == ("B", "A")


def test_columns_are_pooled_and_cases_resampled():
    random = np.random.default_rng(0)
    found = []
    for case in range(6):
        a = random.random((4, 2)) < 0.5
        b = a ^ (random.random((4, 2)) < 0.2)
        readings = [Reading("A", (), table(*a)), Reading("B", (), table(*b))]
        found.append(agreement(readings, GRID, case=str(case)))
    left = over_cases(found).columns[0]
    assert (left.name, len(left.cases)) == ("left", 6)
    (both,) = left.found
    assert both.kappa.n == 24
    assert both.confusion.counts.sum() == 24
    pooled = [np.concatenate([c.columns[0].labels[r] for c in found]) for r in "AB"]
    same = np.mean(pooled[0] == pooled[1])
    chance = sum(np.mean(pooled[0] == v) * np.mean(pooled[1] == v) for v in (0, 1))
    assert both.kappa.value == pytest.approx((same - chance) / (1 - chance))
    assert both.kappa.low < both.kappa.value < both.kappa.high


def test_questions_are_pooled_and_readers_who_never_met_left_out():
    said = {"1": {"A": "x", "B": "x"}, "2": {"A": "y", "B": "y"}, "3": {"A": "x", "C": "x"}}
    found = over_cases(
        agreement([Reading(r, answers={"q": (v,)}) for r, v in each.items()], GRID, case=case)
        for case, each in said.items()
    )
    (question,) = found.questions
    met = {one.readers: one for one in question.found}
    assert set(met) == {("A", "B", "C"), ("A", "B"), ("A", "C")}
    assert (met["A", "B"].kappa.value, met["A", "B"].kappa.n) == (1, 2)
    assert (met["A", "B"].percent.left_out, met["A", "C"].percent.n) == (1, 1)


def test_no_case_is_no_error():
    found = over_cases([])
    assert (found.cases, found.readers, found.segments) == ((), (), ())
    assert lines_over_cases(found) == []


def test_noise_floor_names_its_source():
    between, within = NOISE_FLOOR
    assert (between.mean, between.deviation) == (0.70, 0.08)
    assert (within.mean, within.deviation) == (0.72, 0.09)
    assert "Bartoli" in between.source
    assert "2022" in between.source


def test_lines_hold_every_number_in_full():
    found = cases()
    lines = lines_of_case(found[0]) + lines_over_cases(over_cases(found))
    told = {(line.case, line.number): line for line in lines}
    assert told["1", "dice"].value == found[0].segments[0].overlap.dice
    assert (told["1", "hd95"].unit, told["1", "volume A"].unit) == ("mm", "ml")
    assert told["", "mean dice"].value == pytest.approx(0.375)
    assert "1 more cases neither marked" in told["", "mean dice"].note
    rows = list(csv.DictReader(io.StringIO(as_csv(lines))))
    assert len(rows) == len(lines)
    assert float(rows[0]["value"]) == lines[0].value
    assert rows[0]["readers"] == "A / B"
    document = json.loads(as_json(lines))
    assert "MedPy" in document["definitions"]["hd95"]
    assert document["numbers"][0]["readers"] == ["A", "B"]
    assert any("mean dice 0.375" in text for text in as_text(lines))


def test_lines_know_what_their_numbers_mean():
    found = cases()
    lines = lines_of_case(found[0])
    assert set(definitions_of(lines)) == {
        *("dice", "jaccard", "hd", "hd95", "assd", "volume", "difference")
    }
    assert "bias" in definitions_of(lines_over_cases(over_cases(found)))


def test_names_are_no_formulas_of_a_spreadsheet():
    readings = [Reading(name, answers={"q": ("=1+1",)}) for name in ("=A", "B")]
    text = as_csv(lines_of_case(agreement(readings, GRID)))
    row = next(csv.DictReader(io.StringIO(text)))
    assert row["readers"].startswith("'=A")
    assert row["note"].startswith("'=A")


@pytest.mark.parametrize(
    ("second", "differs"),
    [
        (Reading("B", (block(2),)), False),  # Dice 0.75
        (Reading("B", (block(3),)), True),  # Dice 0.5
        (Reading("B"), True),
    ],
)
def test_masks_differ_by_more_than_people_do(second, differs):
    assert agreement([Reading("A", (block(1),)), second], GRID).differs is differs


def test_labels_and_answers_differ_at_all():
    same = table((0, 1), (0, 0), (1, 1), (0, 0))
    other = table((0, 1), (0, 0), (1, 1), (0, 1))
    first = Reading("A", slice_labels=same, answers={"q": ("yes",)})
    assert not agreement([first, replace(first, reader="B")], GRID).differs
    assert agreement([first, replace(first, reader="B", slice_labels=other)], GRID).differs
    assert agreement([first, replace(first, reader="B", answers={"q": ("no",)})], GRID).differs
