"""Our own brush: what it may not paint it does not even show, and every stroke can be undone."""

import numpy as np
import painted
import pytest
from hands import CTRL, RIGHT, at, click, drag, go_to, labels, move, press, release
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_chest.edits import LUNGS, Protection
from napari_chest.ui.canvas.masks import BRUSH, MOVE

A, Z, SPACE = Qt.Key.Key_A, Qt.Key.Key_Z, Qt.Key.Key_Space


def shown(work):
    """The array that napari shows, whatever the session knows of it."""
    return work.viewer.layers["lesions"].data


def protect(work, **how):
    work.session.protect(Protection(**how))


# Protection holds while a stroke is drawn


@pytest.mark.parametrize("tool", ["paint", "fill"])
def test_inside_lungs_that_were_undone_nothing_is_painted_and_it_is_said(work, tool):
    go_to(work, 5)
    work.session.lungs_begun(np.ones(painted.SHAPE, np.uint8))
    protect(work, inside=(LUNGS, frozenset({1, 2})))
    work.session.undo()
    work.controller.canvas.masks.select("lesions", 2)
    work.dock.tools.buttons[tool].click()
    click(work, 25, 15)
    np.testing.assert_array_equal(labels(work), painted.lesions())
    assert "there is no such mask" in work.dock.message.text()
    work.viewer.layers["lesions"].data = np.ones(painted.SHAPE, np.uint8)
    np.testing.assert_array_equal(labels(work), painted.lesions())


def test_a_locked_segment_is_not_even_painted_for_the_length_of_a_stroke(work):
    go_to(work, 5)
    protect(work, locks=frozenset({("lesions", 2)}))
    work.key(A)
    press(work, 42, 25)
    move(work, (42, 25), (42, 45))
    np.testing.assert_array_equal(shown(work)[5, 40:45, 30:40], 2)
    release(work, 42, 45)
    now = labels(work)
    np.testing.assert_array_equal(now[5, 40:45, 30:40], 2)
    assert (now[5, 42, 25:30] == 1).all()
    assert (now[5, 42, 40:45] == 1).all()


def test_a_range_of_hounsfield_units_holds_for_brush_and_eraser(work):
    voxels = work.session.open_case.volume.voxels
    low, high = np.percentile(voxels[5], (30, 60))
    editable = (voxels >= low) & (voxels <= high)
    protect(work, hounsfield=(float(low), float(high)))
    before = labels(work).copy()
    go_to(work, 5)
    work.key(A)
    drag(work, (25, 5), (25, 45))
    drag(work, (25, 5), (25, 45), CTRL)
    changed = labels(work) != before
    assert not (changed & ~editable).any()
    drag(work, (50, 5), (50, 45))
    changed = labels(work) != before
    assert changed.any()
    assert not (changed & ~editable).any()


def test_the_brush_keeps_to_its_own_range_and_the_eraser_is_free(work):
    voxels = work.session.open_case.volume.voxels
    low, high = np.percentile(voxels[6], (20, 50))
    before = labels(work).copy()
    work.dock.tools.range_requested.emit((float(low), float(high)))
    go_to(work, 6)
    work.key(A)
    drag(work, (50, 5), (50, 45))
    painted_now = labels(work) != before
    assert painted_now.any()
    assert ((voxels[painted_now] >= low) & (voxels[painted_now] <= high)).all()
    drag(work, (50, 5), (50, 45), CTRL)
    np.testing.assert_array_equal(labels(work), before)


def test_only_some_slices_change_under_a_ball(work):
    protect(work, slices=(5, 6))
    before = labels(work).copy()
    work.controller.canvas.masks.set_brush(40.0, deep=True)
    go_to(work, 6)
    work.key(A)
    click(work, 50, 25)
    changed = np.unique(np.nonzero(labels(work) != before)[0]).tolist()
    assert changed == [5, 6]


def test_no_segment_takes_a_voxel_from_another_after_b(work):
    go_to(work, 5)
    work.key(Qt.Key.Key_B)
    work.key(A)
    drag(work, (42, 25), (42, 45))
    np.testing.assert_array_equal(labels(work)[5, 40:45, 30:40], 2)
    drag(work, (42, 35), (42, 36), CTRL)
    assert labels(work)[5, 42, 35] == 0


@pytest.mark.parametrize(
    ("how", "why"),
    [("hidden", "hidden"), ("locked", "locked"), ("read only", "another window")],
)
def test_a_stroke_that_cannot_be_is_not_begun_and_says_why(work, how, why):
    draft = work.session.draft
    if how == "hidden":
        work.dock.segments.visible_requested.emit("lesions", 1, False)
    elif how == "locked":
        work.dock.segments.locked_requested.emit("lesions", 1, True)
    else:
        draft.read_only = "This case is open in another window since 10:00."
    work.key(A)
    press(work, 50, 5)
    move(work, (50, 5), (50, 20))
    np.testing.assert_array_equal(shown(work), painted.lesions())
    release(work, 50, 20)
    np.testing.assert_array_equal(labels(work), painted.lesions())
    assert why in work.dock.message.text()
    assert draft.undoable is None
    draft.read_only = ""


# The mouse with a tool in hand


def test_the_right_button_drags_the_window_while_a_tool_is_in_hand(work):
    work.key(A)
    before = work.controller.canvas.window
    widget = work.controller.canvas.widget
    QTest.mousePress(widget, RIGHT, Qt.KeyboardModifier.NoModifier, at(work, 30, 10))
    QTest.mouseMove(widget, at(work, 30, 25))
    QTest.mouseMove(widget, at(work, 30, 40))
    QTest.mouseRelease(widget, RIGHT, Qt.KeyboardModifier.NoModifier, at(work, 30, 40))
    assert work.controller.canvas.window.width > before.width
    np.testing.assert_array_equal(labels(work), painted.lesions())


def test_w_held_lets_the_left_button_drag_the_window(work):
    work.key(A)
    before = work.controller.canvas.window
    widget = work.controller.canvas.widget
    QTest.keyPress(widget, Qt.Key.Key_W)
    drag(work, (30, 10), (30, 40))
    QTest.keyRelease(widget, Qt.Key.Key_W)
    assert work.controller.canvas.window.width > before.width
    np.testing.assert_array_equal(labels(work), painted.lesions())
    drag(work, (50, 5), (50, 20))
    assert (labels(work)[6, 50, 8:18] == 1).all()


def test_space_held_shows_the_bare_image(work):
    work.key(A)
    widget = work.controller.canvas.widget
    QTest.keyPress(widget, SPACE)
    assert not work.viewer.layers["lesions"].visible
    QTest.keyRelease(widget, SPACE)
    assert work.viewer.layers["lesions"].visible
    drag(work, (50, 5), (50, 20))
    assert (labels(work)[6, 50, 8:18] == 1).all()


def test_space_does_not_show_what_the_eye_icon_hid(work):
    work.open_case("xray")
    work.viewer.layers["effusion"].visible = False
    work.key(SPACE)
    visible = {layer.name: layer.visible for layer in work.controller.canvas.masks.layers}
    assert visible == {"effusion": False, "consolidation": True}


def test_keys_are_let_go_when_the_keyboard_goes_elsewhere(work):
    work.key(A)
    canvas, masks = work.controller.canvas, work.controller.canvas.masks
    for key, held in (
        (SPACE, lambda: not masks.visible),
        (Qt.Key.Key_W, lambda: masks.tool == MOVE),
    ):
        QTest.keyPress(canvas.widget, key)
        assert held()
        work.dock.cases.table.setFocus()
        assert not held()
        canvas.set_focus()
        QTest.keyRelease(canvas.widget, key)
        assert not held()
        QTest.keyPress(canvas.widget, key)
        assert held()
        QTest.keyRelease(canvas.widget, key)
        assert not held()
    assert masks.tool == BRUSH


def test_a_tool_chosen_while_w_is_held_stays(work):
    widget = work.controller.canvas.widget
    QTest.keyPress(widget, Qt.Key.Key_W)
    work.key(A)
    QTest.keyRelease(widget, Qt.Key.Key_W)
    assert work.controller.canvas.masks.tool == BRUSH


def test_a_stroke_goes_on_through_the_slices_that_the_wheel_brings(work):
    go_to(work, 6)
    work.key(A)
    press(work, 50, 5)
    move(work, (50, 5), (50, 12))
    go_to(work, 7)
    move(work, (50, 12), (50, 20))
    release(work, 50, 20)
    now = labels(work)
    assert (now[6, 50, 6:11] == 1).all()
    assert (now[7, 50, 14:20] == 1).all()
    work.key(Z, CTRL)
    np.testing.assert_array_equal(labels(work), painted.lesions())


# Other programs and napari's own ways


def test_another_array_becomes_one_edit_and_stays_no_ones_elses(work):
    given = painted.lesions()
    given[2, 10:20, 10:20] = 2
    given[9, 30, 30] = 1
    work.viewer.layers["lesions"].data = given
    np.testing.assert_array_equal(labels(work), given)
    work.key(A)
    drag(work, (50, 5), (50, 20))
    assert given[6, 50, 12] == 0
    work.key(Z, CTRL)
    work.key(Z, CTRL)
    np.testing.assert_array_equal(labels(work), painted.lesions())
    assert work.session.draft.undoable is None


@pytest.mark.parametrize("wrong", [np.zeros((3, 4, 5), np.uint8), np.zeros(painted.SHAPE, float)])
def test_an_array_that_is_no_mask_of_this_case_is_not_taken(work, wrong):
    try:
        work.viewer.layers["lesions"].data = wrong
    except TypeError:  # napari itself refuses fractions
        pass
    else:
        assert "not taken" in work.dock.message.text()
    np.testing.assert_array_equal(labels(work), painted.lesions())
    work.key(A)
    drag(work, (50, 5), (50, 20))
    assert (labels(work)[6, 50, 8:18] == 1).all()


@pytest.mark.parametrize("seed", range(4))
def test_undo_after_any_mixture_gives_the_earlier_voxels(work, seed):
    random = np.random.default_rng(seed)
    layer = work.viewer.layers["lesions"]
    states = [labels(work).copy()]

    def brush():
        y, x = random.integers(5, 55), random.integers(5, 45)
        drag(work, (y, x), (y, min(x + 10, 48)), CTRL if random.random() < 0.3 else hands_none)

    def script():
        layer.paint((int(random.integers(12)), 30, 20), int(random.integers(0, 3)))
        QTest.qWait(20)

    def bucket():
        layer.fill((work.controller.canvas.slice, 2, 2), 2)
        QTest.qWait(20)

    def array():
        given = np.array(layer.data)
        given[random.integers(12), :10, :10] = random.integers(0, 3)
        layer.data = given

    def silent():
        layer.data[work.controller.canvas.slice, 50:55, 5:9] = random.integers(0, 3)
        layer.refresh()

    hands_none = Qt.KeyboardModifier.NoModifier
    work.key(A)
    for _ in range(8):
        go_to(work, int(random.integers(12)))
        random.choice([brush, script, bucket, array, silent])()
        now = labels(work)
        if not np.array_equal(now, states[-1]):
            states.append(now.copy())
    for state in states[-2::-1]:
        work.key(Z, CTRL)
        np.testing.assert_array_equal(labels(work), state)
    for state in states[1:]:
        work.key(Z, CTRL | Qt.KeyboardModifier.ShiftModifier)
        np.testing.assert_array_equal(labels(work), state)
