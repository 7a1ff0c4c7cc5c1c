"""What differs between two readings: everything, and nothing else."""

import numpy as np
import pytest

from napari_chest.changes import (
    AnswerChange,
    CellChange,
    Correction,
    MaskChange,
    ReadingChange,
    compare,
    slice_ranges,
)
from napari_chest.model import Mask, Reading, Segment, SliceLabels


def table(values, columns=("LUL", "RUL", "infected"), reader="you"):
    labels = SliceLabels(columns, np.array(values, bool), "infected")
    return Reading(reader, slice_labels=labels)


def masked(labels, name="lesions"):
    return Reading("you", masks=(Mask(name, np.asarray(labels, np.uint8), ()),))


EMPTY = np.zeros((4, 3), bool)


def test_equal_readings_do_not_differ():
    one = table(EMPTY)
    found = compare(one, table(EMPTY))
    assert found == ReadingChange("you")
    assert not found
    assert found.slices == ()
    assert not compare(one, one)
    assert not compare(Reading("a"), Reading("b"))


def test_cells_are_found_one_by_one_with_both_values():
    after = EMPTY.copy()
    after[1, 0] = after[3, 2] = True
    found = compare(table(EMPTY), table(after, reader="updated-2"))
    assert found.reader == "updated-2"
    assert found.cells == (
        CellChange(1, "LUL", before=False, after=True),
        CellChange(3, "infected", before=False, after=True),
    )
    assert found.slices == (1, 3)
    back = compare(table(after), table(EMPTY)).cells
    assert {(c.slice, c.column, c.before, c.after) for c in back} == {
        (1, "LUL", True, False),
        (3, "infected", True, False),
    }
    assert all(type(c.slice) is int and type(c.after) is bool for c in found.cells)


def test_cells_agree_with_a_count_of_their_own():
    random = np.random.default_rng(1)
    for _ in range(20):
        a, b = random.random((2, 9, 3)) < 0.4
        found = compare(table(a), table(b))
        expected = {
            (z, name): bool(b[z, c])
            for z in range(9)
            for c, name in enumerate(("LUL", "RUL", "infected"))
            if a[z, c] != b[z, c]
        }
        assert {(cell.slice, cell.column): cell.after for cell in found.cells} == expected
        assert bool(found) == bool(expected)


@pytest.mark.parametrize(
    "other",
    [
        table(np.zeros((5, 3))),
        table(np.zeros((4, 3)), columns=("RUL", "LUL", "infected")),
        table(np.zeros((4, 1)), columns=("infected",)),
        Reading("you"),
    ],
    ids=["slices", "order of columns", "columns", "no table"],
)
def test_tables_of_other_shape_are_not_compared(other):
    for pair in ((table(EMPTY), other), (other, table(EMPTY))):
        with pytest.raises(ValueError, match="slice labels"):
            compare(*pair)


def test_masks_are_compared_voxel_by_voxel():
    before = np.zeros((3, 4, 4), np.uint8)
    after = before.copy()
    after[0, 0, 0] = 1
    after[2, 1:3, 1:3] = 2
    found = compare(masked(before), masked(after))
    assert found.masks == (MaskChange("lesions", 0, 1), MaskChange("lesions", 2, 4))
    assert found.slices == (0, 2)
    after[2] = 3  # another value where one was: a change, although neither is background
    assert compare(masked(np.where(after, 1, 0)), masked(after)).masks[-1].voxels == 16


def test_masks_that_are_new_or_gone_count_their_voxels():
    labels = np.zeros((2, 2, 2), np.uint8)
    labels[1] = 5
    assert compare(Reading("you"), masked(labels)).masks == (MaskChange("lesions", 1, 4),)
    assert compare(masked(labels), Reading("you")).masks == (MaskChange("lesions", 1, 4),)
    renamed = compare(masked(labels), masked(labels, "other")).masks
    assert {m.mask for m in renamed} == {"lesions", "other"}
    assert not compare(Reading("you"), masked(np.zeros((2, 2, 2))))


def test_masks_of_different_depth_of_value_are_compared_by_value():
    wide = Mask("lesions", np.full((1, 2, 2), 300, np.uint16), ())
    narrow = Mask("lesions", np.full((1, 2, 2), 300 % 256, np.uint8), ())
    before, after = Reading("you", masks=(narrow,)), Reading("you", masks=(wide,))
    assert compare(before, after).masks == (MaskChange("lesions", 0, 4),)


def test_masks_of_other_shape_are_not_compared():
    with pytest.raises(ValueError, match="lesions"):
        compare(masked(np.zeros((2, 2, 2))), masked(np.zeros((3, 2, 2))))


def test_answers():
    before = Reading("you", answers={"severity": ("mild",), "qa": ("ok",), "gone": ("x",)})
    after = Reading("you", answers={"severity": ("severe",), "qa": ("ok",), "new": ("y",)})
    assert set(compare(before, after).answers) == {
        AnswerChange("severity", ("mild",), ("severe",)),
        AnswerChange("gone", ("x",), ()),
        AnswerChange("new", (), ("y",)),
    }
    assert not compare(before, before)


@pytest.mark.parametrize(
    ("slices", "text"),
    [
        ((), ""),
        ((0,), "1"),
        ((40, 41, 42), "41-43"),
        ((9, 3, 4, 9, 7), "4-5, 8, 10"),
        (iter([1, 0]), "1-2"),
    ],
)
def test_slices_are_told_counted_from_one(slices, text):
    assert slice_ranges(slices) == text


class TestCorrection:
    """A correction writes what it changed and leaves alone what else has changed."""

    COLUMNS = ("LLL", "LUL", "infected")

    def reading(self, *rows, reader="r"):
        values = np.array(rows, dtype=bool)
        return Reading(reader, slice_labels=SliceLabels(self.COLUMNS, values, "infected"))

    def onto(self, before, after, standing):
        found = Correction(before, after).onto(standing)
        return found.slice_labels.values.astype(int).tolist()

    def test_the_state_it_started_from_becomes_the_corrected_one(self):
        before, after = self.reading([1, 0, 1], [0, 0, 0]), self.reading([0, 1, 1], [0, 0, 0])
        assert self.onto(before, after, before) == [[0, 1, 1], [0, 0, 0]]

    def test_other_slices_and_other_cells_of_a_slice_stay_as_they_stand(self):
        before = self.reading([0, 0, 0], [0, 0, 0])
        after = self.reading([1, 0, 1], [0, 0, 0])
        standing = self.reading([0, 1, 1], [1, 0, 1])
        assert self.onto(before, after, standing) == [[1, 1, 1], [1, 0, 1]]

    def test_a_slice_stays_infected_by_a_lobe_the_correction_did_not_touch(self):
        before, after = self.reading([1, 0, 1]), self.reading([0, 0, 0])
        assert self.onto(before, after, self.reading([1, 1, 1])) == [[0, 1, 1]]
        assert self.onto(before, after, self.reading([0, 1, 1])) == [[0, 1, 1]]

    def test_what_was_inconsistent_can_be_restored(self):
        before, after = self.reading([1, 0, 1]), self.reading([0, 0, 1])
        assert self.onto(before, after, before) == [[0, 0, 1]]

    def test_the_reader_is_the_corrected_one(self):
        before = self.reading([1, 0, 1], reader="updated-1")
        after = self.reading([0, 0, 0], reader="updated-2")
        assert Correction(before, after).onto(before).reader == "updated-2"

    def test_another_number_of_slices_is_refused(self):
        before, after = self.reading([1, 0, 1]), self.reading([0, 0, 0])
        with pytest.raises(ValueError, match="cannot be compared"):
            Correction(before, after).onto(self.reading([1, 0, 1], [0, 0, 0]))

    def test_masks_and_answers_are_carried_over_likewise(self):
        def state(voxels, answers):
            mask = Mask("m", np.array(voxels, np.uint8).reshape(1, 2, 2), ())
            return Reading("r", masks=(mask,), answers=answers)

        before = state([0, 1, 0, 0], {"a": ("1",), "b": ("1",)})
        after = state([2, 1, 0, 0], {"a": ("2",), "b": ("1",)})
        standing = state([0, 0, 0, 3], {"a": ("1",), "b": ("9",)})
        found = Correction(before, after).onto(standing)
        assert found.masks[0].labels.ravel().tolist() == [2, 0, 0, 3]
        assert found.answers == {"a": ("2",), "b": ("9",)}


# Masks of earlier exports


SEGMENTS = tuple(Segment(value, str(value), "#ffffff") for value in (1, 2, 3))


def masks_reading(**masks):
    """A reading of masks (1, 1, X), ``parts`` telling ``whole`` apart."""
    made = [
        Mask(
            name,
            np.array(row, np.uint8)[None, None],
            SEGMENTS,
            "whole" if name == "parts" else None,
        )
        for name, row in masks.items()
    ]
    return Reading("r", masks=tuple(made))


def rows_of(reading):
    return {mask.name: mask.labels[0, 0].tolist() for mask in reading.masks}


def test_a_mask_begun_twice_keeps_the_strokes_of_both_days():
    correction = Correction(masks_reading(), masks_reading(m=[0, 0, 1, 1]))
    assert rows_of(correction.onto(masks_reading(m=[2, 2, 0, 0]))) == {"m": [2, 2, 1, 1]}


def test_a_mask_of_another_day_stays():
    correction = Correction(masks_reading(a=[0, 0]), masks_reading(a=[1, 0]))
    standing = masks_reading(a=[0, 2], b=[3, 3])
    assert rows_of(correction.onto(standing)) == {"a": [1, 2], "b": [3, 3]}


def test_a_mask_that_was_corrected_before_is_told_apart():
    """Day 1 added a voxel to the whole mask; day 2, from the dataset, tells another one apart."""
    before = masks_reading(whole=[1, 1, 0, 0])
    after = masks_reading(whole=[1, 1, 0, 0], parts=[1, 3, 0, 0])
    standing = masks_reading(whole=[1, 1, 1, 0])
    assert rows_of(Correction(before, after).onto(standing)) == {
        "whole": [1, 1, 1, 0],
        "parts": [1, 3, 3, 0],
    }


def test_told_apart_on_two_days():
    before = masks_reading(whole=[1, 1, 1, 0])
    after = masks_reading(whole=[1, 1, 0, 0], parts=[3, 2, 0, 0])
    standing = masks_reading(whole=[1, 1, 1, 1], parts=[1, 3, 3, 3])
    assert rows_of(Correction(before, after).onto(standing)) == {
        "whole": [1, 1, 0, 1],
        "parts": [1, 2, 0, 3],
    }


def test_the_whole_mask_corrected_after_it_was_told_apart():
    before = masks_reading(whole=[1, 1, 0, 0])
    after = masks_reading(whole=[0, 1, 1, 0])
    standing = masks_reading(whole=[1, 1, 0, 1], parts=[1, 2, 0, 2])
    assert rows_of(Correction(before, after).onto(standing)) == {
        "whole": [0, 1, 1, 1],
        "parts": [0, 2, 3, 2],
    }


def test_the_order_of_several_answers_means_nothing():
    before, after = (Reading("r", answers={"q": given}) for given in (("a", "b"), ("b", "a")))
    assert not compare(before, after)
    change = AnswerChange("q", ("b", "a"), ("c", "a"))
    assert change.in_order == AnswerChange("q", ("a", "b"), ("a", "c"))
