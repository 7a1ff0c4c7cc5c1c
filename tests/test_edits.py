"""Edits and their history: exact, bounded; and the rule that a slice table keeps."""

import itertools

import numpy as np
import pytest

from napari_chest.edits import Edit, History, edit_between, settle
from napari_chest.model import SliceLabels

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


# Edits


def test_edit_is_the_smallest_box():
    before = np.zeros((6, 5, 4), np.uint8)
    after = before.copy()
    after[2, 1, 3] = after[4, 3, 3] = 7
    edit = edit_between("paint", before, after)
    assert edit.box == (slice(2, 5), slice(1, 4), slice(3, 4))
    assert edit.before.shape == edit.after.shape == (3, 3, 1)
    assert edit.nbytes == 18
    assert edit.name == "paint"


def test_equal_arrays_make_no_edit():
    array = np.arange(12).reshape(3, 4)
    assert edit_between("nothing", array, array.copy()) is None


def test_edit_keeps_its_values_when_the_arrays_change():
    before, after = np.zeros((2, 2), bool), np.ones((2, 2), bool)
    edit = edit_between("all", before, after)
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
        history = History(original)
        states, now = [original.copy()], 0
        for _ in range(60):
            action = random.choice(["edit", "undo", "redo"], p=[0.5, 0.3, 0.2])
            if action == "edit":
                edit = edit_between("e", history.array, changed(history.array, random))
                if edit is not None:
                    state = history.array.copy()
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
            np.testing.assert_array_equal(history.array, states[now])
            assert (history.undoable is None) == (now == 0)
            assert (history.redoable is None) == (now == len(states) - 1)
        while history.undo():
            pass
        np.testing.assert_array_equal(history.array, original)
        while history.redo():
            pass
        np.testing.assert_array_equal(history.array, states[-1])


def full(value, size=100):
    return np.full(size, value, np.uint8)


def test_history_has_its_own_copy_and_shows_a_live_read_only_view():
    original = full(0)
    history = History(original)
    view = history.array
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 1
    original[:] = 9
    assert not view.any()
    history.do(edit_between("one", view, full(1)))
    assert (view == 1).all()
    assert (original == 9).all()
    assert history.array is view


def test_a_new_edit_forgets_what_was_undone():
    history = History(full(0))
    history.do(edit_between("one", history.array, full(1)))
    history.undo()
    assert history.redoable.name == "one"
    history.do(edit_between("two", history.array, full(2)))
    assert history.redoable is None
    assert history.redo() is None
    assert (history.array == 2).all()


def test_undo_and_redo_tell_what_they_did():
    history = History(full(0))
    assert history.undo() is None
    assert history.redo() is None
    edit = edit_between("one", history.array, full(1))
    history.do(edit)
    assert history.undoable is edit
    assert history.undo() is edit
    assert history.redo() is edit
    assert (history.array == 1).all()


def test_budget_forgets_the_oldest_first():
    history = History(full(0), budget=450)  # each edit holds 100 bytes before and 100 after
    for value in range(1, 6):
        history.do(edit_between(str(value), history.array, full(value)))
    undone = []
    while edit := history.undo():
        undone.append(edit.name)
    assert undone == ["5", "4"]
    assert (history.array == 3).all()
    while history.redo():
        pass
    assert (history.array == 5).all()


def test_the_last_edit_can_always_be_undone():
    history = History(full(0), budget=10)
    history.do(edit_between("one", history.array, full(1)))
    history.do(edit_between("two", history.array, full(2)))
    assert history.undo().name == "two"
    assert (history.array == 1).all()
    assert history.undo() is None


def test_budget_counts_bytes_not_edits():
    history = History(np.zeros(1000, np.uint8), budget=1000)
    for index in range(400):
        after = history.array.copy()
        after[index] = 1
        history.do(edit_between(str(index), history.array, after))
    count = 0
    while history.undo():
        count += 1
    assert count == 400
    assert not history.array.any()


def test_memory_is_that_of_the_boxes():
    edit = Edit("e", (slice(0, 2),), np.zeros(2, np.uint16), np.ones(2, np.uint16))
    assert edit.nbytes == 8
