"""The history of a reading: bounded whatever is done, packed at any time, safe from stale steps."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from napari_chest.edits import (
    SLICE_LABELS,
    AnswerEdit,
    Draft,
    Edit,
    History,
    MaskAdded,
    edit_between,
    mask_target,
)
from napari_chest.errors import ProtectedError
from napari_chest.model import CaseInfo, Mask, Reading, Segment

M = mask_target("m")
CASE = CaseInfo("c", "C", "CT")
SEGMENTS = (Segment(1, "a", "#ffffff"), Segment(2, "b", "#ffffff"))


def cube(*shape):
    return np.zeros(shape or (4, 6, 5), np.uint8)


def history_of(labels, **how):
    return History(Reading("r", (Mask("m", labels, ()),)), **how)


def test_budget_holds_while_steps_are_undone_and_others_done():
    """What is kept is told anew after every move, and never more than the budget allows."""
    for seed in range(10):
        random = np.random.default_rng(seed)
        history = history_of(np.zeros(1000, np.uint8), budget=8000)
        kept, undone = [], []
        for _ in range(60):
            action = random.choice(["do", "undo", "redo"], p=[0.6, 0.2, 0.2])
            if action == "do":
                noise = random.integers(0, 256, random.integers(1, 1000)).astype(np.uint8)
                after = history.array(M).copy()
                after[: len(noise)] = noise
                edit = edit_between("noise", M, history.array(M), after)
                history.do(edit)
                kept.append(edit)
                undone.clear()
                while len(kept) > 1 and sum(one.nbytes for one in kept) > 8000:
                    kept.pop(0)
            elif action == "undo":
                assert history.undo() is (kept[-1] if kept else None)
                undone += [kept.pop()] if kept else []
            else:
                assert history.redo() is (undone[-1] if undone else None)
                kept += [undone.pop()] if undone else []
            assert history.undoable is (kept[-1] if kept else None)
        while kept:
            assert history.undo() is kept.pop()
        assert history.undo() is None


def test_a_packed_edit_is_the_same_edit():
    before, after = np.zeros((3, 40, 50), np.uint8), np.zeros((3, 40, 50), np.uint8)
    before[1, 3:9, 4:20] = 3
    after[1:, 5:30] = 2
    edit = Edit("e", M, (slice(2, 5), slice(0, 40), slice(5, 55)), before, after)
    plain = edit.nbytes
    edit.pack()
    packed = edit.nbytes
    edit.pack()
    np.testing.assert_array_equal(edit.before, before)
    np.testing.assert_array_equal(edit.after, after)
    assert edit.nbytes == packed < plain / 50
    assert edit.counts.tolist() == [96 - 2500, 0, 2500, -96]
    for held in (edit.before, edit.after):
        with pytest.raises(ValueError, match="read-only"):
            held[0] = 1


def test_an_edit_can_be_packed_while_others_read_it():
    random = np.random.default_rng(0)
    before, after = random.integers(0, 4, (2, 20, 64, 64)).astype(np.uint8)
    for _ in range(20):
        edit = Edit("e", M, (slice(0, 20), slice(0, 64), slice(0, 64)), before, after)
        with ThreadPoolExecutor(6) as threads:
            packing = [threads.submit(edit.pack) for _ in range(3)]
            read = [threads.submit(lambda e=edit: (e.before, e.after, e.counts)) for _ in range(3)]
            for job in packing:
                job.result()
            for job in read:
                was, became, counts = job.result()
                np.testing.assert_array_equal(was, before)
                np.testing.assert_array_equal(became, after)
                assert counts.sum() == 0


def test_an_edit_made_from_another_state_is_refused():
    history = history_of(cube())
    box = (slice(0, 1), slice(0, 2), slice(0, 2))
    first = edit_between("first", M, history.array(M)[box], np.full((1, 2, 2), 1, np.uint8), box)
    late = edit_between("late", M, history.array(M)[box], np.full((1, 2, 2), 2, np.uint8), box)
    history.do(first)
    for packed in (False, True):
        if packed:
            late.pack()
        with pytest.raises(ProtectedError, match="the mask changed meanwhile"):
            history.do(late)
        assert (history.array(M)[box] == 1).all()
        assert history.undoable is first
    history.undo()
    history.do(late)
    assert (history.array(M)[box] == 2).all()


@pytest.mark.parametrize(
    ("target", "box", "dtype"),
    [
        (mask_target("another"), ((0, 1), (0, 2), (0, 2)), np.uint8),
        (SLICE_LABELS, ((0, 1), (0, 2)), bool),
        (M, ((3, 5), (0, 2), (0, 2)), np.uint8),
        (M, ((-1, 1), (0, 2), (0, 2)), np.uint8),
        (M, ((0, 1), (0, 2)), np.uint8),
        (M, ((0, 1), (0, 2), (0, 2)), np.uint16),
    ],
)
def test_an_edit_without_a_place_is_refused(target, box, dtype):
    history = history_of(cube())
    shape = tuple(stop - start for start, stop in box)
    edit = Edit(
        "e",
        target,
        tuple(slice(*part) for part in box),
        np.zeros(shape, dtype),
        np.ones(shape, dtype),
    )
    with pytest.raises(ProtectedError):
        history.do(edit)
    assert history.undoable is None
    assert not history.array(M).any()


def test_answers_and_masks_made_from_another_state_are_refused():
    history = History(Reading("r", (Mask("m", cube(), ()),), answers={"q": ("no",)}))
    with pytest.raises(ProtectedError, match="the answer changed meanwhile"):
        history.do(AnswerEdit("a", "q", ("yes",), ("maybe",)))
    with pytest.raises(ProtectedError, match="already has mask m"):
        history.do(MaskAdded("b", Mask("m", cube(), ())))
    with pytest.raises(ProtectedError, match=r"is of \(1, 2, 3\), the others are of \(4, 6, 5\)"):
        history.do(MaskAdded("c", Mask("n", cube(1, 2, 3), ())))
    assert history.undoable is None
    assert history.answers == {"q": ("no",)}


def test_a_copy_made_ahead_by_a_thread_is_the_one_that_changes():
    original = cube(40, 64, 64)
    original[20, 3:30] = 2
    draft = Draft(CASE, Reading("r", (Mask("m", original, SEGMENTS),)))
    before = draft.mask_labels("m")
    with ThreadPoolExecutor(4) as threads:
        for job in [threads.submit(draft.own, "m") for _ in range(8)]:
            job.result()
    owned = draft.mask_labels("m")
    assert not np.shares_memory(owned, original)
    np.testing.assert_array_equal(owned, original)
    box = (slice(20, 21), slice(0, 9), slice(0, 9))
    draft.do(draft.painted("brush", "m", box, np.ones((1, 9, 9), np.uint8)))
    assert np.shares_memory(draft.mask_labels("m"), owned)
    assert (before[20, 3:9] == 2).all()
