"""Correcting slice labels by key, by mouse, and by napari's own tools."""

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_chest.ui.keys import KEYS

SHIFT, CTRL, ALT = (
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.AltModifier,
)
LLL, LUL, RLL, RML, RUL, INFECTED = range(6)


@pytest.fixture
def healthy(opened):
    """The first case with all labels cleared and saved so, at slice 10."""
    opened.session.clear(range(24))
    cleared = [(opened.session.draft.case.id, opened.session.draft.reading)]
    opened.session.mark_saved(cleared, in_dataset=True)
    opened.controller.canvas.go_to(10)
    return opened


def strip_of(bench):
    """The napari layer of the strip."""
    return next(layer for layer in bench.viewer.layers if layer.name.startswith("labels"))


def shown_by_strip(bench):
    strip = strip_of(bench)
    return strip.data[:, 0, :] != 0


def cells(*pairs):
    values = np.zeros((24, 6), bool)
    for z, column in pairs:
        values[z, column] = values[z, INFECTED] = True
    return values


def test_a_digit_toggles_its_lobe_on_the_slice_and_infected_follows(healthy):
    healthy.key(Qt.Key.Key_2)
    np.testing.assert_array_equal(healthy.values, cells((10, LUL)))
    np.testing.assert_array_equal(shown_by_strip(healthy), healthy.values)
    np.testing.assert_array_equal(healthy.dock.grid.labels.values, healthy.values)
    healthy.key(Qt.Key.Key_2)
    assert not healthy.values.any()


def test_clearing_infected_clears_the_lobes_and_setting_it_alone_is_explained(healthy):
    healthy.key(Qt.Key.Key_1)
    healthy.key(Qt.Key.Key_3)
    healthy.key(Qt.Key.Key_6)
    assert not healthy.values.any()
    healthy.key(Qt.Key.Key_6)
    assert not healthy.values.any()
    assert "mark the lobe" in healthy.dock.message.text()


def test_a_mark_makes_a_range_that_serves_several_keys_until_the_slice_changes(healthy):
    healthy.key(Qt.Key.Key_M)
    healthy.key(Qt.Key.Key_PageDown, SHIFT)
    assert healthy.controller.canvas.slice == 15
    healthy.key(Qt.Key.Key_1)
    healthy.key(Qt.Key.Key_4)
    expected = cells(*((z, c) for z in range(10, 16) for c in (LLL, RML)))
    np.testing.assert_array_equal(healthy.values, expected)
    healthy.key(Qt.Key.Key_PageDown)
    healthy.key(Qt.Key.Key_5)
    np.testing.assert_array_equal(healthy.values, expected | cells((16, RUL)))


def test_alt_digit_replaces_every_other_lobe_in_one_step(healthy):
    healthy.session.set_cells(range(10, 15), "LLL", True)
    before = healthy.values.copy()
    healthy.key(Qt.Key.Key_M)
    healthy.controller.canvas.go_to(14)
    healthy.key(Qt.Key.Key_2, ALT)
    np.testing.assert_array_equal(healthy.values, cells(*((z, LUL) for z in range(10, 15))))
    healthy.key(Qt.Key.Key_Z, CTRL)
    np.testing.assert_array_equal(healthy.values, before)


def test_copy_from_the_previous_slice(healthy):
    healthy.session.set_cells([9], "RML", True)
    healthy.session.set_cells([9], "LLL", True)
    healthy.key(Qt.Key.Key_D)
    np.testing.assert_array_equal(healthy.values[10], healthy.values[9])


def test_undo_and_redo_go_to_the_slice_they_change(healthy):
    healthy.key(Qt.Key.Key_2)
    once = healthy.values.copy()
    healthy.controller.canvas.go_to(20)
    healthy.key(Qt.Key.Key_Z, CTRL)
    assert not healthy.values.any()
    assert healthy.controller.canvas.slice == 10
    assert not shown_by_strip(healthy).any()
    healthy.key(Qt.Key.Key_Y, CTRL)
    np.testing.assert_array_equal(healthy.values, once)
    healthy.key(Qt.Key.Key_Z, CTRL)
    healthy.key(Qt.Key.Key_Z, CTRL | SHIFT)
    np.testing.assert_array_equal(healthy.values, once)


def test_next_infected_slice(healthy):
    healthy.session.set_cells([3, 17], "LLL", True)
    healthy.key(Qt.Key.Key_N)
    assert healthy.controller.canvas.slice == 17
    healthy.key(Qt.Key.Key_N, SHIFT)
    assert healthy.controller.canvas.slice == 3


def test_keys_work_while_the_dock_has_the_keyboard_but_not_in_its_search_field(healthy):
    grid = healthy.dock.grid
    grid.setFocus()
    QTest.keyClick(grid, Qt.Key.Key_3)
    np.testing.assert_array_equal(healthy.values, cells((10, RLL)))
    search = healthy.dock.cases.search
    search.setFocus()
    QTest.keyClick(search, Qt.Key.Key_1)
    assert search.text() == "1"
    np.testing.assert_array_equal(healthy.values, cells((10, RLL)))


def test_clicking_a_grid_cell_toggles_it(healthy):
    grid = healthy.dock.grid
    grid.show_current(10)
    at = grid.cell_rect(10, RUL).center()
    QTest.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=at)
    np.testing.assert_array_equal(healthy.values, cells((10, RUL)))
    QTest.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert not healthy.values.any()


def drag(widget, start, end, button=Qt.MouseButton.LeftButton):
    QTest.mousePress(widget, button, pos=start)
    for step in range(1, 9):
        at = QPointF(start + (end - start) * step / 8)
        event = QMouseEvent(
            QEvent.Type.MouseMove,
            at,
            QPointF(widget.mapToGlobal(at.toPoint())),
            Qt.MouseButton.NoButton,
            button,
            Qt.KeyboardModifier.NoModifier,
        )
        QApplication.sendEvent(widget, event)
        QTest.qWait(10)  # napari looks at the mouse every 5 ms
    QTest.mouseRelease(widget, button, pos=end)


def test_dragging_down_a_grid_column_sets_the_range_as_one_step(healthy):
    grid = healthy.dock.grid
    grid.show_current(10)
    drag(grid.viewport(), grid.cell_rect(9, LUL).center(), grid.cell_rect(12, LUL).center())
    np.testing.assert_array_equal(healthy.values, cells(*((z, LUL) for z in range(9, 13))))
    healthy.key(Qt.Key.Key_Z, CTRL)
    assert not healthy.values.any()


def test_slice_numbers_of_the_grid_go_there_and_shift_makes_a_range(healthy):
    grid = healthy.dock.grid
    QTest.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=grid.number_rect(8).center())
    assert healthy.controller.canvas.slice == 8
    QTest.mouseClick(
        grid.viewport(), Qt.MouseButton.LeftButton, SHIFT, grid.number_rect(11).center()
    )
    assert healthy.controller.canvas.slice == 11
    healthy.key(Qt.Key.Key_2)
    np.testing.assert_array_equal(healthy.values, cells(*((z, LUL) for z in range(8, 12))))


def canvas_point(bench, z, column):
    """Pixel of the canvas at the middle of a strip cell in the axial view."""
    strip = strip_of(bench)
    world = strip.data_to_world((z, 0, column))
    x, y = bench.controller.canvas.axes.to_pixels(world[1], world[2])
    return QPoint(round(x), round(y))


def test_clicking_a_bar_beside_the_image_toggles_it(healthy):
    widget = healthy.controller.canvas.widget
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=canvas_point(healthy, 10, RML))
    np.testing.assert_array_equal(healthy.values, cells((10, RML)))


def test_naparis_brush_paints_the_strip_and_the_rule_holds(healthy):
    strip = strip_of(healthy)
    healthy.viewer.layers.selection.active = strip
    strip.mode = "paint"
    widget = healthy.controller.canvas.widget
    at = canvas_point(healthy, 10, RLL)
    QTest.mousePress(widget, Qt.MouseButton.LeftButton, pos=at)
    QTest.mouseRelease(widget, Qt.MouseButton.LeftButton, pos=at)
    healthy.wait(lambda: healthy.values.any())
    np.testing.assert_array_equal(healthy.values, cells((10, RLL)))
    np.testing.assert_array_equal(shown_by_strip(healthy), healthy.values)
    # Every cell shows its own column's value, whatever value the brush had.
    assert strip.data[10, 0].tolist() == [0, 0, 3, 0, 0, 6]
    strip.mode = "pan_zoom"
    healthy.key(Qt.Key.Key_Z, CTRL)
    assert not healthy.values.any()
    assert not strip.data.any()


def test_naparis_fill_sets_a_whole_run_and_painting_infected_alone_falls_back(healthy):
    strip = strip_of(healthy)
    strip.fill((10, 0, LLL), 1)
    healthy.wait(lambda: healthy.values[10].all())
    healthy.key(Qt.Key.Key_Z, CTRL)
    strip.paint((12, 0, INFECTED), 1)
    assert strip.data.any()
    healthy.wait(lambda: not strip.data.any())
    assert not healthy.values.any()


def test_unsaved_work_is_obvious(healthy):
    assert healthy.dock.state.text() == "nothing to export"
    healthy.key(Qt.Key.Key_2)
    assert healthy.dock.state.text() == "2 changes not exported"
    assert healthy.dock.state.toolTip() == "2 changes in 1 case not exported"
    assert healthy.dock.save_button.isEnabled()
    first = healthy.dock.cases.table.model().index(0, 0)
    assert first.data() == "● P001"
    assert healthy.controller.canvas.overlay_text.top_right == ("not exported",)
    healthy.key(Qt.Key.Key_2)
    assert healthy.dock.state.text() == "nothing to export"


def test_work_outlives_going_to_another_case_and_back(healthy):
    healthy.key(Qt.Key.Key_2)
    changed = healthy.values.copy()
    healthy.open_case("P002")
    assert healthy.dock.state.text() == "2 changes not exported"
    healthy.open_case("P001")
    np.testing.assert_array_equal(healthy.values, changed)
    healthy.key(Qt.Key.Key_Z, CTRL)
    assert not healthy.values.any()


def test_hiding_labels_inverting_and_smoothing_are_keys(healthy):
    strip = strip_of(healthy)
    healthy.key(Qt.Key.Key_G)
    assert not strip.visible
    healthy.key(Qt.Key.Key_G)
    assert strip.visible
    healthy.key(Qt.Key.Key_Slash)
    image = healthy.viewer.layers["P001"]
    assert image.colormap.name == "gray_r"
    healthy.key(Qt.Key.Key_U)
    assert str(image.interpolation2d) == "nearest"
    healthy.key(Qt.Key.Key_U)
    assert str(image.interpolation2d) == "linear"


def test_every_key_has_an_action_and_no_key_stands_twice(healthy):
    names = [name for key in KEYS for name in key.keys]
    assert len(names) == len(set(names))
    assert {key.action for key in KEYS if not key.held} == set(healthy.controller._actions)
    assert {key.action for key in KEYS if key.held} == set(healthy.controller._holds)


def test_keys_that_napari_uses_are_taken_on_our_layers_only(healthy):
    other = healthy.viewer.add_labels(np.zeros((24, 8, 8), np.uint8), name="mine")
    healthy.viewer.layers.selection.active = other
    healthy.key(Qt.Key.Key_2)
    assert other.mode == "paint"
    assert not healthy.values.any()
    healthy.viewer.layers.remove(other)


def test_left_drag_changes_the_window_and_middle_drag_pans(healthy):
    canvas = healthy.controller.canvas
    widget = canvas.widget
    middle = QPoint(widget.width() // 3, widget.height() // 2)
    before = canvas.window
    drag(widget, middle, middle + QPoint(60, 30))
    after = canvas.window
    assert after.width > before.width
    assert after.center < before.center  # down is brighter
    assert after.width - before.width == pytest.approx(1000 * 60 / widget.width(), abs=2)

    camera = healthy.viewer.scene.camera
    center = camera.center
    drag(widget, middle, middle + QPoint(40, 20), Qt.MouseButton.MiddleButton)
    assert canvas.window == after
    assert camera.center[-1] == pytest.approx(center[-1] - 40 / camera.zoom)
    assert camera.center[-2] == pytest.approx(center[-2] - 20 / camera.zoom)


def test_right_drag_zooms(healthy):
    widget = healthy.controller.canvas.widget
    camera = healthy.viewer.scene.camera
    zoom = camera.zoom
    middle = QPoint(widget.width() // 3, widget.height() // 2)
    drag(widget, middle, middle + QPoint(0, -60), Qt.MouseButton.RightButton)
    assert camera.zoom > zoom


def test_the_card_of_keys_shows_every_key_once(healthy):
    from napari_chest.ui.widgets.keys_card import key_rows

    rows = dict(key_rows(KEYS))
    assert rows["1 to 7"].startswith("that column of the slice")
    assert "Alt+1 to Alt+5" in rows
    assert rows["F2 or 8"] == "lung window"
    healthy.key(Qt.Key.Key_F1)
    assert healthy.dock.pages.currentWidget() is healthy.dock.keys_card
    healthy.dock.keys_card.done_button.click()
    assert healthy.dock.pages.currentWidget() is healthy.dock.work


def test_a_left_drag_does_not_pan_even_after_a_tool_was_used(healthy):
    strip = strip_of(healthy)
    image = healthy.viewer.layers["P001"]
    healthy.viewer.layers.selection.active = strip
    strip.mode = "paint"
    strip.mode = "pan_zoom"
    healthy.viewer.layers.selection.active = image
    widget, camera = healthy.controller.canvas.widget, healthy.viewer.scene.camera
    center, zoom = camera.center, camera.zoom
    start = QPoint(widget.width() // 3, widget.height() // 2)
    drag(widget, start, start + QPoint(40, 30))
    assert camera.center == center
    drag(widget, start, start + QPoint(0, -40), Qt.MouseButton.RightButton)
    assert camera.center == center
    assert camera.zoom > zoom


def test_key_6_clears_a_range_in_which_only_some_slices_are_infected(healthy):
    healthy.session.set_cells([10, 12], "RUL", True)
    healthy.key(Qt.Key.Key_M)
    healthy.controller.canvas.go_to(13)
    healthy.key(Qt.Key.Key_6)
    assert not healthy.values.any()


def test_a_stroke_is_kept_when_the_case_changes_under_it(healthy):
    strip = strip_of(healthy)
    healthy.viewer.layers.selection.active = strip
    strip.mode = "paint"
    widget = healthy.controller.canvas.widget
    at = canvas_point(healthy, 10, RLL)
    QTest.mousePress(widget, Qt.MouseButton.LeftButton, pos=at)
    healthy.open_case("P002")
    QTest.mouseRelease(widget, Qt.MouseButton.LeftButton, pos=at)
    assert [one.case.title for one in healthy.session.unsaved()] == ["P001"]
    healthy.open_case("P001")
    np.testing.assert_array_equal(healthy.values, cells((10, RLL)))


def test_keys_do_not_edit_a_slice_that_is_not_on_screen(healthy):
    healthy.viewer.dims.order = (1, 0, 2)
    healthy.key(Qt.Key.Key_2)
    assert not healthy.values.any()
    assert "axial view" in healthy.dock.message.text()
    healthy.viewer.dims.order = (0, 1, 2)
    healthy.key(Qt.Key.Key_2)
    np.testing.assert_array_equal(healthy.values, cells((10, LUL)))
