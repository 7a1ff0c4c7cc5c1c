"""What is protected stays protected: every kind of protection, alone and together, in every box."""

import itertools

import numpy as np
import pytest

from napari_chest.edits import LUNGS, Draft, Locks, MaskAdded, Protection, edit_between, mask_target
from napari_chest.errors import ProtectedError
from napari_chest.model import CaseInfo, Mask, Reading, Segment, SliceLabels

CASE = CaseInfo("c", "C", "CT")
SHAPE = (8, 20, 20)
BOX = (slice(1, 7), slice(3, 17), slice(2, 18))
SEGMENTS = tuple(Segment(n, f"s{n}", "#ffffff") for n in (1, 2, 3))


def noise(seed, high=4):
    return np.random.default_rng(seed).integers(0, high, SHAPE).astype(np.uint8)


def image():
    return np.random.default_rng(9).integers(-1000, 300, SHAPE).astype(np.int16)


def draft_of(**more):
    masks = (
        Mask("m", noise(1), SEGMENTS),
        Mask("other", noise(2), SEGMENTS),
        Mask("lungs", noise(3, 3), SEGMENTS[:2], aid=True),
    )
    return Draft(CASE, Reading("r", masks, **more))


KINDS = {
    "locks": Protection(locks=frozenset({("m", 2), ("other", 1)})),
    "hounsfield": Protection(hounsfield=(-700, -300)),
    "inside": Protection(inside=("lungs", frozenset({1, 2}))),
    "slices": Protection(slices=(2, 4)),
    "keep_others": Protection(keep_others=True),
}


def together(names):
    parts = [KINDS[name] for name in names]
    return Protection(
        locks=next((p.locks for p in parts if p.locks), frozenset()),
        hounsfield=next((p.hounsfield for p in parts if p.hounsfield), None),
        inside=next((p.inside for p in parts if p.inside), None),
        slices=next((p.slices for p in parts if p.slices), None),
        keep_others=any(p.keep_others for p in parts),
    )


def may_change(names, place, now, wanted, draft, voxels):
    """One voxel of mask m, judged by the words of the promise."""
    allowed = {
        "locks": now != 2 and wanted != 2,
        "hounsfield": -700 <= voxels[place] <= -300,
        "inside": draft.mask_labels("lungs")[place] in {1, 2},
        "slices": 2 <= place[0] <= 4,
        "keep_others": now == 0 or wanted == 0,
    }
    return all(allowed[name] for name in names)


@pytest.mark.parametrize(
    "names", [names for n in range(6) for names in itertools.combinations(KINDS, n)], ids="+".join
)
def test_what_is_protected_does_not_change_and_all_else_does(names):
    draft, voxels = draft_of(), image()
    draft.protection = together(names)
    now = draft.mask_labels("m").copy()
    corner = np.array([part.start for part in BOX])
    wanted = noise(5)[BOX]
    edit = draft.painted("brush", "m", BOX, wanted, voxels)
    if edit is not None:
        draft.do(edit)
    after = draft.mask_labels("m")
    expected = now.copy()
    changed = refused = 0
    for index, value in np.ndenumerate(wanted):
        place = tuple(int(i) for i in corner + index)
        if value != now[place] and may_change(names, place, now[place], value, draft, voxels):
            expected[place] = value
            changed += 1
        elif value != now[place]:
            refused += 1
    np.testing.assert_array_equal(after, expected)
    assert changed > 0
    assert bool(refused) == bool(names)


@pytest.mark.parametrize("names", [(name,) for name in KINDS] + [tuple(KINDS)], ids="+".join)
@pytest.mark.parametrize("value", [0, 1, 2, 3])
def test_a_brush_of_one_value_keeps_protection_in_every_box(names, value):
    """Discs in one slice of every axis, balls, single voxels, and boxes at the edge."""
    draft, voxels = draft_of(), image()
    draft.protection = together(names)
    z, y, x = np.ogrid[:8, :20, :20]
    for centre in [(3, 10, 10), (0, 0, 0), (7, 19, 19), (4, 0, 12)]:
        away = (z - centre[0]) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2
        for axis in (None, 0, 1, 2):
            ends = zip(centre, SHAPE, strict=True)
            spread = [np.arange(max(c - 4, 0), min(c + 5, n)) for c, n in ends]
            if axis is not None:
                spread[axis] = np.array([centre[axis]])
            box = tuple(slice(int(s[0]), int(s[-1]) + 1) for s in spread)
            now = draft.mask_labels("m").copy()
            wanted = np.where(away[box] <= 16, value, now[box]).astype(np.uint8)
            edit = draft.painted("brush", "m", box, wanted, voxels)
            if edit is not None:
                draft.do(edit)
            changed = np.argwhere(draft.mask_labels("m") != now)
            for place in map(tuple, changed):
                assert may_change(names, place, now[place], value, draft, voxels)
                assert away[place] <= 16


def test_what_is_editable_is_what_may_change_at_all():
    draft, voxels = draft_of(), image()
    assert draft.editable("m", BOX) is None
    for name in ("hounsfield", "inside", "slices", "locks"):
        draft.protection = KINDS[name]
        found = draft.editable("m", BOX, voxels)
        assert found.shape == noise(1)[BOX].shape
        now = draft.mask_labels("m")
        for index, allowed in np.ndenumerate(found):
            place = tuple(int(part.start + i) for part, i in zip(BOX, index, strict=True))
            assert allowed == may_change((name,), place, now[place], 1, draft, voxels)
    draft.protection = KINDS["keep_others"]
    assert draft.editable("m", BOX) is None, "it depends on what is wanted"


def test_a_range_of_hounsfield_units_includes_its_ends_and_refuses_what_is_no_number():
    draft = draft_of()
    voxels = np.full(SHAPE, 5.0, np.float32)
    voxels[1, 3, 2:7] = [-700, -700.5, -300, -299.5, np.nan]
    draft.protection = KINDS["hounsfield"]
    found = draft.editable("m", BOX, voxels)
    assert found[0, 0, :5].tolist() == [True, False, True, False, False]
    assert np.count_nonzero(found) == 2


def test_a_range_of_hounsfield_units_needs_some():
    draft = draft_of()
    draft.protection = KINDS["hounsfield"]
    with pytest.raises(ProtectedError, match="this image has no HU"):
        draft.painted("brush", "m", BOX, noise(5)[BOX])
    with pytest.raises(ProtectedError, match="this image has no HU"):
        draft.editable("m", BOX)
    with pytest.raises(ProtectedError, match=r"The image is of \(2, 20, 20\)"):
        draft.painted("brush", "m", BOX, noise(5)[BOX], image()[:2])


def test_inside_needs_its_mask_and_does_not_hold_for_it():
    draft = draft_of()
    draft.protection = Protection(inside=("heart", frozenset({1})))
    with pytest.raises(ProtectedError, match="inside heart may change, but there is no such mask"):
        draft.painted("brush", "m", BOX, noise(5)[BOX])
    draft.protection = KINDS["inside"]
    edit = draft.painted("brush", LUNGS, BOX, np.full_like(noise(5)[BOX], 1))
    draft.do(edit)
    assert (draft.mask_labels(LUNGS)[BOX] == 1).all()


def test_inside_no_segment_lets_nothing_change():
    draft = draft_of()
    draft.protection = Protection(inside=("lungs", frozenset()))
    assert draft.painted("brush", "m", BOX, noise(5)[BOX]) is None


def test_slices_hold_for_the_slice_table_too():
    table = SliceLabels(("LUL", "infected"), np.zeros((8, 2), bool), "infected")
    draft = draft_of(slice_labels=table)
    draft.protection = KINDS["slices"]
    wanted = np.zeros((8, 2), bool)
    wanted[:, 0] = True
    draft.do(draft.labelled("LUL", wanted))
    assert draft.labels.values.tolist() == [[2 <= z <= 4] * 2 for z in range(8)]
    wanted[:] = True
    assert draft.labelled("LUL", wanted) is None
    draft.protection = Protection()
    draft.do(draft.labelled("LUL", wanted))
    assert draft.labels.values.all()


def test_a_slice_table_of_another_shape_is_refused():
    table = SliceLabels(("LUL",), np.zeros((8, 1), bool))
    with pytest.raises(ProtectedError, match=r"cells of \(7, 1\)"):
        draft_of(slice_labels=table).labelled("x", np.ones((7, 1), bool))
    assert draft_of().labelled("x", np.ones((8, 1), bool)) is None


# Masks that tell another one apart


def told_apart():
    whole = np.zeros(SHAPE, np.uint8)
    whole[:, 5:15, 5:15] = 1
    parts = whole * 3
    parts[:, 5:10, 5:15] = 1
    return Draft(
        CASE,
        Reading(
            "r",
            (
                Mask("whole", whole, SEGMENTS[:1]),
                Mask("parts", parts, SEGMENTS, splits="whole"),
                Mask("other", np.zeros(SHAPE, np.uint8), SEGMENTS),
            ),
        ),
    )


def test_a_lock_on_the_whole_keeps_its_outline_but_not_what_is_told_apart_in_it():
    draft = told_apart()
    draft.protection = Protection(locks=frozenset({("whole", 1)}))
    before = draft.mask_labels("whole").copy()
    for value in (0, 2):
        wanted = np.full(SHAPE, value, np.uint8)[BOX]
        edit = draft.painted("brush", "parts", BOX, wanted)
        if edit is not None:
            draft.do(edit)
        np.testing.assert_array_equal(draft.mask_labels("whole"), before)
    parts = draft.mask_labels("parts")
    inside = before[BOX] == 1
    assert (parts[BOX][inside] == 2).all()
    assert not parts[BOX][~inside].any()


def test_a_lock_on_a_part_holds_in_the_mask_that_tells_it_apart():
    draft = told_apart()
    draft.protection = Protection(locks=frozenset({("parts", 1)}))
    before = draft.mask_labels("parts").copy()
    draft.do(draft.painted("erase", "parts", BOX, np.zeros(SHAPE, np.uint8)[BOX]))
    after = draft.mask_labels("parts")
    np.testing.assert_array_equal(after == 1, before == 1)
    assert np.count_nonzero(after[BOX]) == np.count_nonzero(before[BOX] == 1)


def test_inside_a_mask_that_is_told_apart():
    draft = told_apart()
    draft.protection = Protection(inside=("whole", frozenset({1})))
    everywhere = np.full(SHAPE, 2, np.uint8)[BOX]
    for mask in ("other", "parts"):
        draft.do(draft.painted("brush", mask, BOX, everywhere))
    assert np.count_nonzero(draft.mask_labels("other")) == 6 * 10 * 10
    assert np.count_nonzero(draft.mask_labels("whole")) == 8 * 10 * 10
    assert (draft.mask_labels("other")[BOX] == 2).sum() == (draft.mask_labels("parts") == 2).sum()


def test_the_mask_that_is_told_apart_is_not_edited_itself():
    draft = told_apart()
    wanted = np.ones(SHAPE, np.uint8)[BOX]
    with pytest.raises(ProtectedError, match="whole follows mask parts"):
        draft.painted("brush", "whole", BOX, wanted)
    bare = edit_between("b", mask_target("whole"), draft.mask_labels("whole")[BOX], wanted, BOX)
    with pytest.raises(ProtectedError, match="whole follows mask parts"):
        draft.do(bare)
    assert draft.undoable is None


# Rules that change between making an edit and doing it


def test_an_edit_made_under_another_protection_is_refused():
    draft = draft_of()
    edit = draft.painted("brush", "m", BOX, noise(5)[BOX])
    draft.protection = KINDS["locks"]
    before = draft.mask_labels("m").copy()
    with pytest.raises(ProtectedError, match="protection changed meanwhile"):
        draft.do(edit)
    np.testing.assert_array_equal(draft.mask_labels("m"), before)
    draft.protection = Protection()
    draft.do(edit)


def test_an_edit_is_refused_when_what_it_must_stay_inside_has_changed():
    draft = draft_of()
    draft.protection = KINDS["inside"]
    edit = draft.painted("brush", "m", BOX, noise(5)[BOX])
    draft.do(draft.painted("clear", LUNGS, BOX, np.zeros_like(noise(5)[BOX])))
    with pytest.raises(ProtectedError, match="protection changed meanwhile"):
        draft.do(edit)
    draft.undo()
    whole = told_apart()
    whole.protection = Protection(inside=("whole", frozenset({1})))
    edit = whole.painted("brush", "other", BOX, np.ones(SHAPE, np.uint8)[BOX])
    whole.do(whole.painted("erase", "parts", BOX, np.zeros(SHAPE, np.uint8)[BOX]))
    with pytest.raises(ProtectedError, match="protection changed meanwhile"):
        whole.do(edit)


def test_undo_and_redo_restore_exactly_whatever_is_protected():
    draft = draft_of()
    before = draft.mask_labels("m").copy()
    draft.do(draft.painted("brush", "m", BOX, noise(5)[BOX]))
    after = draft.mask_labels("m").copy()
    draft.protection = Protection(
        frozenset(("m", value) for value in range(4)), slices=(0, 0), keep_others=True
    )
    draft.undo()
    np.testing.assert_array_equal(draft.mask_labels("m"), before)
    draft.redo()
    np.testing.assert_array_equal(draft.mask_labels("m"), after)


# What cannot be painted at all


def test_values_that_the_mask_cannot_hold_are_refused():
    draft = draft_of()
    shape = noise(5)[BOX].shape
    for wrong in (256, -1, 1.5):
        with pytest.raises(ProtectedError, match="whole numbers from 0 to 255"):
            draft.painted("brush", "m", BOX, np.full(shape, wrong))
    edit = draft.painted("brush", "m", BOX, np.full(shape, 3, np.int64))
    assert edit.after.dtype == np.uint8
    draft.do(edit)
    assert (draft.mask_labels("m")[BOX] == 3).all()


def test_labels_of_another_shape_and_masks_that_are_not_there_are_refused():
    draft = draft_of()
    with pytest.raises(ProtectedError, match=r"Labels of \(2, 2\) cannot be painted"):
        draft.painted("brush", "m", BOX, np.zeros((2, 2), np.uint8))
    with pytest.raises(ProtectedError, match="no mask heart"):
        draft.painted("brush", "heart", BOX, noise(5)[BOX])


def test_a_box_without_ends_is_the_whole_axis():
    draft = draft_of()
    box = (slice(2, 3), slice(None), slice(None))
    draft.do(draft.painted("fill", "m", box, np.full((1, 20, 20), 3, np.uint8)))
    assert (draft.mask_labels("m")[2] == 3).all()
    np.testing.assert_array_equal(draft.mask_labels("m")[[0, 1, 3]], noise(1)[[0, 1, 3]])


def test_nothing_changes_in_a_draft_that_may_only_be_read():
    table = SliceLabels(("LUL",), np.zeros((8, 1), bool))
    draft = draft_of(slice_labels=table)
    edit = draft.painted("brush", "m", BOX, noise(5)[BOX])
    draft.do(edit)
    draft.undo()
    draft.read_only = "Another window has this case."
    for attempt in (
        lambda: draft.painted("brush", "m", BOX, noise(5)[BOX]),
        lambda: draft.labelled("LUL", np.ones((8, 1), bool)),
        lambda: draft.do(edit),
        draft.undo,
        draft.redo,
    ):
        with pytest.raises(ProtectedError, match="Another window has this case"):
            attempt()
    np.testing.assert_array_equal(draft.mask_labels("m"), noise(1))
    draft.read_only = ""
    draft.redo()
    np.testing.assert_array_equal(draft.mask_labels("m")[BOX], noise(5)[BOX])


def test_locks_are_part_of_the_protection():
    draft = draft_of()
    draft.protection = Protection(slices=(2, 4))
    locks: Locks = frozenset({("m", 1)})
    draft.locks = locks
    assert draft.protection == Protection(locks, slices=(2, 4))
    assert draft.locks == locks


# Aids


def test_an_aid_is_edited_like_a_mask_and_belongs_to_no_reading():
    mask = Mask("m", noise(1), SEGMENTS)
    draft = Draft(CASE, Reading("r", (mask,)))
    aid = Mask(LUNGS, noise(3, 3), SEGMENTS[:2], aid=True)
    draft.do(MaskAdded("lungs", aid))
    draft.do(draft.painted("brush", LUNGS, BOX, np.full_like(noise(5)[BOX], 2)))
    assert [mask.name for mask in draft.masks()] == ["m", LUNGS]
    assert draft.masks()[1].aid
    assert (draft.mask_labels(LUNGS)[BOX] == 2).all()
    assert draft.voxels(LUNGS)[2] == np.count_nonzero(draft.mask_labels(LUNGS) == 2)
    for reading in (draft.reading, draft.standing):
        assert [mask.name for mask in reading.masks] == ["m"]
    assert not draft.change
    assert not draft.change_to_dataset
    draft.mark_saved(draft.reading, in_dataset=True)
    assert not draft.change
    draft.undo()
    np.testing.assert_array_equal(draft.mask_labels(LUNGS), noise(3, 3))
    draft.undo()
    assert [mask.name for mask in draft.masks()] == ["m"]
    assert not draft.change
    draft.redo()
    np.testing.assert_array_equal(draft.mask_labels(LUNGS), noise(3, 3))
