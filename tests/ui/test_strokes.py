"""Strokes end where they belong, whatever happens while they are drawn."""

import numpy as np
import painted
import pytest
from hands import CTRL, RIGHT, click, drag, go_to, labels, move, press, release, rows
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_chest import findings
from napari_chest.ui.widgets.segment_list import SegmentList, SegmentRow


def polygon(work, *corners):
    work.dock.tools.buttons["polygon"].click()
    for y, x in corners:
        click(work, y, x)
        QTest.qWait(20)


# Another case or slice while a stroke is drawn


@pytest.mark.parametrize("modifiers", [Qt.KeyboardModifier.NoModifier, CTRL])
def test_a_stroke_ends_where_another_case_opens(work, modifiers):
    go_to(work, 6)
    work.key(Qt.Key.Key_A)
    press(work, 25, 5, modifiers)
    move(work, (25, 5), (25, 15))
    ct = work.viewer.layers["lesions"].data.copy()
    work.open_case("whole")
    move(work, (25, 15), (25, 40))
    release(work, 25, 40, modifiers)
    np.testing.assert_array_equal(labels(work, "whole"), painted.lesions() > 0)
    assert work.session.draft.undoable is None
    assert str(work.viewer.layers[-1].mode) == "paint"
    drag(work, (50, 5), (50, 20))
    assert (labels(work, "whole")[6, 50, 8:18] == 1).all()
    work.open_case("ct")
    np.testing.assert_array_equal(labels(work), ct)
    assert work.session.draft.undoable.name.endswith("on slice 7")


def test_a_case_that_opens_in_3d_is_flat_and_painted(work):
    work.viewer.dims.ndisplay = 3
    QTest.qWait(50)
    work.open_case("whole")
    assert work.viewer.dims.ndisplay == 2
    go_to(work, 6)
    work.key(Qt.Key.Key_A)
    drag(work, (50, 5), (50, 20))
    assert (labels(work, "whole")[6, 50, 8:18] == 1).all()


def test_an_outline_is_not_closed_on_another_slice(work):
    go_to(work, 8)
    polygon(work, (10, 10), (10, 30), (30, 30))
    go_to(work, 9)
    assert "slice 9" in work.dock.message.text()
    work.key(Qt.Key.Key_Return)
    QTest.qWait(50)
    np.testing.assert_array_equal(labels(work), painted.lesions())
    polygon(work, (10, 10), (10, 30), (30, 30), (30, 10))
    work.key(Qt.Key.Key_Return)
    QTest.qWait(50)
    assert np.unique(np.nonzero(labels(work) != painted.lesions())[0]).tolist() == [9]


def test_an_outline_is_not_closed_in_another_case(work):
    polygon(work, (40, 10), (40, 30), (55, 30))
    work.open_case("whole")
    work.key(Qt.Key.Key_Return)
    QTest.qWait(50)
    np.testing.assert_array_equal(labels(work, "whole"), painted.lesions() > 0)


def test_the_right_button_never_paints(work):
    go_to(work, 8)
    for key in (Qt.Key.Key_A, Qt.Key.Key_F):
        work.key(key)
        click(work, 10, 10, button=RIGHT)
        move(work, (10, 10), (10, 30))
        np.testing.assert_array_equal(labels(work), painted.lesions())
    assert work.session.draft.undoable is None


# What napari's own controls can do to a mask


def test_a_value_without_a_segment_is_not_painted(work):
    work.key(Qt.Key.Key_A)
    work.viewer.layers["lesions"].selected_label = 7
    drag(work, (50, 5), (50, 20))
    np.testing.assert_array_equal(labels(work), painted.lesions())
    assert "no segment" in work.dock.message.text()


def test_a_layer_of_other_numbers_is_painted_all_the_same(work):
    layer = work.viewer.layers["lesions"]
    layer.data = layer.data.astype(np.int32)
    work.key(Qt.Key.Key_A)
    drag(work, (50, 5), (50, 20))
    now = labels(work)
    assert now.dtype == np.uint8
    assert (now[6, 50, 8:18] == 1).all()
    assert work.session.draft.voxels("lesions")[1] == np.count_nonzero(now == 1)


def test_a_mask_that_is_removed_keeps_its_strokes(work):
    work.key(Qt.Key.Key_A)
    drag(work, (50, 5), (50, 20))
    now = labels(work).copy()
    work.viewer.layers.remove(work.viewer.layers["lesions"])
    assert "open the case again" in work.dock.message.text()
    work.open_case("ct")
    np.testing.assert_array_equal(labels(work), now)


def test_steps_are_undone_where_the_image_was_removed(work):
    work.key(Qt.Key.Key_A)
    drag(work, (50, 5), (50, 20))
    work.viewer.layers.remove(work.viewer.layers["ct"])
    work.session.undo()
    np.testing.assert_array_equal(labels(work), painted.lesions())


def test_the_image_comes_back_below_the_masks(work):
    work.viewer.layers.remove(work.viewer.layers["ct"])
    work.open_case("ct")
    assert [layer.name for layer in work.viewer.layers] == ["ct", "lesions"]


# The picker


def test_the_picker_picks_from_every_mask(work):
    work.open_case("xray")
    work.key(Qt.Key.Key_L)
    click(work, 35, 35)
    assert work.controller.canvas.masks.selected == ("consolidation", 2)
    click(work, 8, 8)
    assert work.controller.canvas.masks.selected == ("effusion", 3)
    assert work.dock.segments.table.currentIndex().row() == 0


def test_the_picker_does_not_make_the_brush_an_eraser(work):
    go_to(work, 5)
    work.key(Qt.Key.Key_2)
    work.key(Qt.Key.Key_L)
    click(work, 5, 5)
    assert work.controller.canvas.masks.selected == ("lesions", 2)
    assert work.dock.segments.table.currentIndex().row() == 1


# Keys alone


def test_tab_goes_through_the_answers_before_the_segments(work):
    work.dock.details.toggle.setFocus()
    buttons = work.dock.questions.forms["severity"].buttons
    for button in buttons.values():
        work.dock.focusNextChild()
        assert QApplication.focusWidget() is button
    QTest.keyClick(buttons["severe"], Qt.Key.Key_Space)
    assert work.session.draft.answers["severity"] == ("severe",)


# What is told


def test_segments_of_one_name_are_told_apart_by_their_masks(qtbot):
    segment = findings.GROUND_GLASS.segment(1)
    shown = SegmentList()
    qtbot.addWidget(shown)
    shown.show_rows([SegmentRow(mask, segment, "1 ml") for mask in ("Ground glass", "scan")], ())
    model = shown.table.model()
    titles = [model.index(row, 1).data() for row in range(2)]
    assert titles == ["1  Ground glass", "2  Ground glass (scan)"]


def test_steps_are_named_by_what_they_changed(work):
    go_to(work, 5)
    work.key(Qt.Key.Key_A)
    drag(work, (25, 8), (25, 22), CTRL)
    assert work.session.draft.undoable.name == "erase on slice 6"
    work.viewer.layers["lesions"].data[2, 5:9, 5:9] = 2
    work.controller.act("save")
    assert work.session.draft.undoable.name == "edit Consolidation on slice 3"


def test_a_radiograph_has_no_slices_to_name(work):
    work.open_case("xray")
    work.key(Qt.Key.Key_A)
    drag(work, (50, 5), (50, 20))
    assert work.session.draft.undoable.name == "brush Pleural effusion"


def test_undo_shows_its_place_in_the_coronal_plane(work):
    work.viewer.dims.order = (1, 0, 2)
    canvas = work.controller.canvas
    canvas.axes.move(1, 40)
    box = (slice(3, 4), slice(40, 41), slice(5, 6))
    work.session.paint("voxel", "lesions", box, np.ones((1, 1, 1), np.uint8))
    canvas.axes.move(1, 10)
    work.key(Qt.Key.Key_Z, CTRL)
    assert canvas.axes.index(1) == 40
    np.testing.assert_array_equal(labels(work), painted.lesions())


def test_hidden_masks_are_told_over_the_image(work):
    def told():
        return any("hidden" in line for line in work.controller.canvas.overlay_text.top_right)

    assert not told()
    work.key(Qt.Key.Key_G)
    assert told()
    work.open_case("whole")
    assert told()
    work.viewer.layers[-1].visible = True
    assert not told()


def test_nothing_of_the_dataset_before_stays_in_the_dock(work, tmp_path):
    class Unreadable(painted.Painted):
        def stream(self, case_id, first=None):
            raise OSError("gone")

    assert rows(work)
    broken = Unreadable(tmp_path)
    work.controller.opening._on_dataset_read(broken, broken.cases())
    work.wait(lambda: "gone" in work.dock.message.text())
    assert not rows(work)
    assert not work.dock.questions.isVisible()
    assert not work.dock.tools.isVisible()
    assert not work.dock.undo_button.isEnabled()


def test_what_was_wrong_with_one_case_is_not_said_of_the_next(work, monkeypatch):
    dataset, stream = work.session.dataset, work.session.dataset.stream

    def broken(case_id, first=None):
        if case_id == "bare":
            raise OSError("gone")
        return stream(case_id)

    monkeypatch.setattr(dataset, "stream", broken)
    work.controller.opening.open_case("bare")
    work.wait(lambda: "gone" in work.dock.message.text())
    work.controller.opening.step_case(1)
    work.wait(lambda: work.session.open_case.info.id == "whole")
    assert "gone" not in work.dock.message.text()
