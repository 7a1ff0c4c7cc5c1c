"""Edits and their history: exact, bounded; and the rule that a slice table keeps."""

import itertools

import numpy as np
import pytest

from napari_chest.changes import MaskChange, compare
from napari_chest.edits import (
    SLICE_LABELS,
    AnswerEdit,
    Draft,
    Edit,
    History,
    MaskAdded,
    edit_between,
    mask_of,
    mask_target,
    protect,
    settle,
)
from napari_chest.model import CaseInfo, Mask, Reading, Segment, SliceLabels

COLUMNS = ("LUL", "RUL", "infected")
ROWS = [np.array(row, bool) for row in itertools.product((0, 1), repeat=3)]


def settled(before, wanted, any_column="infected"):
    labels = SliceLabels(COLUMNS, np.atleast_2d(before), any_column)
    return settle(labels, np.atleast_2d(wanted))


def bits(text):
    return np.array([c == "1" for c in text])


# The rule of a slice table: LUL RUL infected


@pytest.mark.parametrize(
    ("before", "wanted", "expected", "why"),
    [
        ("000", "100", "101", "a lobe was set: infected follows"),
        ("101", "001", "000", "the last lobe was cleared: infected follows"),
        ("111", "011", "011", "one of two lobes was cleared: infected stays"),
        ("101", "100", "000", "infected alone was cleared: the lobes go with it"),
        ("111", "110", "000", "all of them"),
        ("000", "001", "000", "infected alone was set: nobody can say which lobe"),
        ("000", "110", "111", "several lobes at once"),
        ("101", "010", "011", "a lobe was exchanged and infected cleared: the lobes decide"),
        ("101", "000", "000", "everything was cleared"),
        ("000", "111", "111", "everything was set"),
        ("001", "001", "001", "infected without a lobe, as found, stays"),
        ("100", "100", "100", "a lobe without infected, as found, stays"),
        ("001", "101", "101", "and is put right when a lobe is set"),
        ("001", "000", "000", "or when infected is cleared"),
        ("100", "101", "101", "or when infected is set where a lobe is"),
        ("100", "000", "000", "or when the lobe is cleared"),
        ("100", "110", "111", "or when another lobe is set"),
    ],
)
def test_settle(before, wanted, expected, why):
    assert settled(bits(before), bits(wanted)).tolist() == [bits(expected).tolist()], why


def test_settle_keeps_its_promises_in_every_case():
    """For all 64 pairs: untouched rows stay, touched rows agree, a change of lobes is obeyed."""
    for before, wanted in itertools.product(ROWS, ROWS):
        result = settled(before, wanted)[0]
        if (before == wanted).all():
            assert (result == before).all()
            continue
        assert result[2] == result[:2].any()
        if (before[:2] != wanted[:2]).any():
            assert (result[:2] == wanted[:2]).all()
        elif wanted[2]:
            assert (result[:2] == before[:2]).all()
        else:
            assert not result.any()
        assert (settled(before, result)[0] == result).all(), "settling twice is settling once"


def test_settle_judges_every_row_alone():
    before = np.array([bits("000"), bits("001"), bits("101"), bits("111")])
    wanted = np.array([bits("100"), bits("001"), bits("100"), bits("111")])
    expected = np.array([bits("101"), bits("001"), bits("000"), bits("111")])
    np.testing.assert_array_equal(settled(before, wanted), expected)


def test_settle_without_an_any_column_changes_nothing():
    for before, wanted in itertools.product(ROWS, ROWS):
        np.testing.assert_array_equal(settled(before, wanted, None)[0], wanted)


def test_settle_leaves_its_arguments_alone():
    before, wanted = bits("000")[None], bits("100")[None]
    result = settled(before, wanted)
    assert before.tolist() == [bits("000").tolist()]
    assert wanted.tolist() == [bits("100").tolist()]
    assert not np.shares_memory(result, wanted)


M = mask_target("m")


def history_of(original, **how):
    return History(Reading("r", masks=(Mask("m", original, ()),)), **how)


# Edits


def test_edit_is_the_smallest_box():
    before = np.zeros((6, 5, 4), np.uint8)
    after = before.copy()
    after[2, 1, 3] = after[4, 3, 3] = 7
    edit = edit_between("paint", M, before, after)
    assert edit.box == (slice(2, 5), slice(1, 4), slice(3, 4))
    assert edit.before.shape == edit.after.shape == (3, 3, 1)
    assert edit.nbytes == 18
    assert edit.name == "paint"


def test_equal_arrays_make_no_edit():
    array = np.arange(12).reshape(3, 4)
    assert edit_between("nothing", M, array, array.copy()) is None


def test_edit_keeps_its_values_when_the_arrays_change():
    before, after = np.zeros((2, 2), bool), np.ones((2, 2), bool)
    edit = edit_between("all", M, before, after)
    before[:], after[:] = True, False
    assert not edit.before.any()
    assert edit.after.all()


# History


def changed(array, random):
    """The array with a random box of random values, which may be the old ones."""
    after = array.copy()
    low = [random.integers(0, n) for n in array.shape]
    box = tuple(slice(a, random.integers(a, n) + 1) for a, n in zip(low, array.shape, strict=True))
    after[box] = random.integers(0, 3, after[box].shape)
    return after


def test_history_follows_edits_exactly():
    """Under any sequence of edits, undos and redos, the array is that of a list of states."""
    for seed in range(30):
        random = np.random.default_rng(seed)
        original = random.integers(0, 3, (5, 4, 3)).astype(np.uint8)
        history = history_of(original)
        states, now = [original.copy()], 0
        for _ in range(60):
            action = random.choice(["edit", "undo", "redo"], p=[0.5, 0.3, 0.2])
            if action == "edit":
                edit = edit_between("e", M, history.array(M), changed(history.array(M), random))
                if edit is not None:
                    state = history.array(M).copy()
                    state[edit.box] = edit.after
                    history.do(edit)
                    states[now + 1 :] = [state]
                    now += 1
            elif action == "undo":
                assert (history.undo() is None) == (now == 0)
                now = max(now - 1, 0)
            else:
                assert (history.redo() is None) == (now == len(states) - 1)
                now = min(now + 1, len(states) - 1)
            np.testing.assert_array_equal(history.array(M), states[now])
            assert (history.undoable is None) == (now == 0)
            assert (history.redoable is None) == (now == len(states) - 1)
        while history.undo():
            pass
        np.testing.assert_array_equal(history.array(M), original)
        while history.redo():
            pass
        np.testing.assert_array_equal(history.array(M), states[-1])


def full(value, size=100):
    return np.full(size, value, np.uint8)


def test_history_has_its_own_copy_and_shows_a_read_only_view():
    original = full(0)
    history = history_of(original)
    view = history.array(M)
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 1
    history.do(edit_between("one", M, view, full(1)))
    assert (history.array(M) == 1).all()
    assert not original.any()
    with pytest.raises(ValueError, match="read-only"):
        history.array(M)[0] = 2


def test_nothing_is_copied_before_the_first_edit():
    original = full(0)
    history = history_of(original)
    assert np.shares_memory(history.array(M), original)


def test_a_new_edit_forgets_what_was_undone():
    history = history_of(full(0))
    history.do(edit_between("one", M, history.array(M), full(1)))
    history.undo()
    assert history.redoable.name == "one"
    history.do(edit_between("two", M, history.array(M), full(2)))
    assert history.redoable is None
    assert history.redo() is None
    assert (history.array(M) == 2).all()


def test_undo_and_redo_tell_what_they_did():
    history = history_of(full(0))
    assert history.undo() is None
    assert history.redo() is None
    edit = edit_between("one", M, history.array(M), full(1))
    history.do(edit)
    assert history.undoable is edit
    assert history.undo() is edit
    assert history.redo() is edit
    assert (history.array(M) == 1).all()


def test_budget_forgets_the_oldest_first():
    random = np.random.default_rng(0)
    states = [random.integers(0, 256, 1000).astype(np.uint8) for _ in range(6)]
    history = history_of(states[0], budget=5000)  # noise: each edit holds 1000 and 1000, or more
    for value in range(1, 6):
        history.do(edit_between(str(value), M, history.array(M), states[value]))
    undone = []
    while edit := history.undo():
        undone.append(edit.name)
    assert undone == ["5", "4"]
    np.testing.assert_array_equal(history.array(M), states[3])
    while history.redo():
        pass
    np.testing.assert_array_equal(history.array(M), states[5])


def test_the_last_edit_can_always_be_undone():
    history = history_of(full(0), budget=10)
    history.do(edit_between("one", M, history.array(M), full(1)))
    history.do(edit_between("two", M, history.array(M), full(2)))
    assert history.undo().name == "two"
    assert (history.array(M) == 1).all()
    assert history.undo() is None


def test_budget_counts_bytes_not_edits():
    history = history_of(np.zeros(1000, np.uint8), budget=10_000)
    for index in range(400):
        after = history.array(M).copy()
        after[index] = 1
        history.do(edit_between(str(index), M, history.array(M), after))
    count = 0
    while history.undo():
        count += 1
    assert count == 400
    assert not history.array(M).any()


def test_memory_is_that_of_the_boxes():
    edit = Edit("e", M, (slice(0, 2),), np.zeros(2, np.uint16), np.ones(2, np.uint16))
    assert edit.nbytes == 8


# A reading's masks, answers and new masks in one history


def cube(*shape):
    return np.zeros(shape or (4, 6, 5), np.uint8)


def reading_of(*masks, answers=None, labels=None):
    return Reading("r", tuple(masks), labels, answers or {})


def segments(*names):
    return tuple(Segment(n + 1, name, "#ffffff") for n, name in enumerate(names))


def test_masks_slices_and_answers_share_one_order_of_undo():
    table = SliceLabels(COLUMNS, np.zeros((4, 3), bool), "infected")
    history = History(
        reading_of(Mask("m", cube(), ()), answers={"q": ("no",)}, labels=table), budget=10**9
    )
    history.do(edit_between("brush", M, history.array(M), cube() + 1))
    history.do(AnswerEdit("answer", "q", ("no",), ("yes",)))
    history.do(AnswerEdit("answer", "new", None, ("x",)))
    cells = np.zeros((4, 3), bool)
    cells[0, 0] = True
    history.do(edit_between("cell", SLICE_LABELS, history.array(SLICE_LABELS), cells))
    assert history.answers == {"q": ("yes",), "new": ("x",)}
    assert history.reading.slice_labels.values[0].tolist() == [True, False, False]
    assert [history.undo().name for _ in range(3)] == ["cell", "answer", "answer"]
    assert history.answers == {"q": ("no",)}
    assert (history.array(M) == 1).all()
    history.undo()
    assert not history.array(M).any()
    while history.redo():
        pass
    assert history.answers == {"q": ("yes",), "new": ("x",)}
    assert (history.reading.masks[0].labels == 1).all()


def test_a_mask_that_is_begun_can_be_undone_and_painted_again():
    history = History(reading_of())
    history.do(MaskAdded("begin", Mask("m", cube(), ())))
    history.do(edit_between("brush", M, history.array(M), cube() + 2))
    history.undo()
    history.undo()
    assert history.reading.masks == ()
    history.redo()
    assert not history.array(M).any()
    history.redo()
    assert (history.array(M) == 2).all()


def test_the_mask_that_is_told_apart_follows():
    whole, parts = cube(), cube()
    whole[1, 2:4] = 1
    parts[1, 2:4] = 3
    history = History(
        reading_of(
            Mask("whole", whole, segments("any")),
            Mask("parts", parts, segments("a", "b", "rest"), splits="whole"),
        )
    )
    after = parts.copy()
    after[1, 2], after[1, 3], after[2, 0, 0] = 1, 0, 2
    history.do(edit_between("brush", mask_target("parts"), parts, after))
    told = {mask.name: mask.labels for mask in history.reading.masks}
    np.testing.assert_array_equal(told["parts"], after)
    np.testing.assert_array_equal(told["whole"], after != 0)
    assert told["whole"].dtype == np.uint8
    history.undo()
    np.testing.assert_array_equal(history.reading.masks[0].labels, whole)


def test_a_reading_taken_out_does_not_follow_later_edits():
    history = history_of(cube())
    taken = history.reading
    history.do(edit_between("brush", M, history.array(M), cube() + 1))
    assert not taken.masks[0].labels.any()


def test_targets_name_masks():
    assert mask_of(mask_target("slice labels")) == "slice labels"
    assert mask_of(SLICE_LABELS) is None


# Protection


def test_a_locked_segment_neither_loses_nor_gains_a_voxel():
    now = np.array([0, 1, 2, 2, 1, 0], np.uint8)
    wanted = np.array([2, 2, 1, 0, 0, 1], np.uint8)
    assert protect(now, wanted, [2]).tolist() == [0, 1, 2, 2, 0, 1]
    assert protect(now, wanted, [1, 2]).tolist() == now.tolist()
    assert protect(now, wanted, []).tolist() == wanted.tolist()


def test_a_draft_refuses_to_paint_over_a_lock():
    labels = cube()
    labels[1, 1, 1] = 2
    draft = Draft(CASE, reading_of(Mask("m", labels, segments("a", "b"))))
    draft.locks = frozenset({("m", 2)})
    box = (slice(1, 2), slice(0, 3), slice(0, 3))
    edit = draft.painted("brush", "m", box, np.ones((1, 3, 3), np.uint8))
    draft.do(edit)
    painted = draft.masks()[0].labels
    assert painted[1, 1, 1] == 2
    assert np.count_nonzero(painted == 1) == 8
    draft.locks = frozenset({("other", 1)})
    assert draft.painted("brush", "m", box, np.zeros((1, 3, 3), np.uint8)) is not None


# Drafts


CASE = CaseInfo("c", "C", "CT")


def stroke(draft, random):
    """A random box of one mask with a random value."""
    mask = draft.masks()[random.integers(len(draft.masks()))]
    low = [int(random.integers(0, n)) for n in mask.labels.shape]
    box = tuple(
        slice(a, int(random.integers(a, n)) + 1)
        for a, n in zip(low, mask.labels.shape, strict=True)
    )
    wanted = np.full_like(mask.labels[box], random.integers(0, 4))
    return draft.painted("brush", mask.name, box, wanted)


def test_a_draft_always_knows_how_it_differs():
    """Whatever is done, undone and saved, its changes and counts are those of whole readings."""
    for seed in range(25):
        random = np.random.default_rng(seed)
        whole, other = cube(), cube()
        whole[0:2, 1:3] = 1
        reading = reading_of(
            Mask("whole", whole, segments("any")),
            Mask("parts", whole * 3, segments("a", "b", "rest"), splits="whole"),
            Mask("other", other, segments("x", "y", "z")),
        )
        draft = Draft(CASE, reading)
        draft.voxels("parts")
        for _ in range(40):
            action = random.choice(
                ["edit", "undo", "redo", "add", "save"], p=[0.5, 0.2, 0.15, 0.05, 0.1]
            )
            if action == "edit" and (edit := stroke(draft, random)):
                draft.do(edit)
            elif action == "undo":
                draft.undo()
            elif action == "redo":
                draft.redo()
            elif action == "add":
                name = f"new {random.integers(10**6)}"
                draft.do(MaskAdded("add", Mask(name, cube(), segments("n"))))
            elif action == "save":
                draft.mark_saved(draft.reading, in_dataset=bool(random.integers(2)))
            for change, before in (
                (draft.change, draft.saved),
                (draft.change_to_dataset, draft.in_dataset),
            ):
                expected = compare(before, draft.reading)
                assert set(change.masks) == set(expected.masks)
                assert change.cells == expected.cells
                assert change.answers == expected.answers
            for mask in draft.masks():
                counts = np.bincount(mask.labels.ravel(), minlength=256)
                np.testing.assert_array_equal(draft.voxels(mask.name), counts)


def test_a_draft_shows_only_the_mask_that_tells_another_apart():
    draft = Draft(
        CASE,
        reading_of(Mask("whole", cube(), ()), Mask("parts", cube(), (), splits="whole")),
    )
    assert [mask.name for mask in draft.masks()] == ["parts"]
    box = (slice(0, 1), slice(0, 1), slice(0, 2))
    draft.do(draft.painted("brush", "parts", box, np.full((1, 1, 2), 2, np.uint8)))
    assert set(draft.change.masks) == {MaskChange("parts", 0, 2), MaskChange("whole", 0, 2)}
