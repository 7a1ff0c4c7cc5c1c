"""Masks in the window: painted with napari's own tools, by mouse and keys, as one edit each."""

import numpy as np
import painted
import pytest
from hands import CTRL, LEFT, NONE, SHIFT, at, click, drag, go_to, labels, rows
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_chest.changes import AnswerChange, MaskChange
from napari_chest.ui.canvas.window import main_window
from napari_chest.ui.layers import brush_size, brush_voxels

# What is shown


def test_masks_are_layers_with_names_and_colours(work):
    layer = work.viewer.layers["lesions"]
    assert layer.data.dtype == np.uint8
    assert list(layer.features["segment"]) == ["", "Ground glass", "Consolidation"]
    np.testing.assert_allclose(
        layer.get_color(1)[:3], np.array([0x56, 0xB4, 0xE9]) / 255, atol=0.01
    )
    np.testing.assert_allclose(layer.get_color(2)[:3], np.array([0xE6, 0x9F, 0]) / 255, atol=0.01)
    assert tuple(layer.scale) == painted.SPACING
    assert layer is work.viewer.layers.selection.active


def test_the_list_tells_volumes_in_millilitres(work):
    voxel = np.prod(painted.SPACING) / 1000
    ground_glass, consolidation = 3 * 10 * 10, 5 * 10
    assert rows(work)["Ground glass"].size == f"{ground_glass * voxel:.1f} ml"
    assert rows(work)["Consolidation"].size == f"{consolidation * voxel:.1f} ml"


def test_what_is_painted_is_a_copy(work):
    original = work.session.draft.saved.masks[0].labels
    work.key(Qt.Key.Key_A)
    drag(work, (10, 10), (12, 20))
    assert labels(work).any()
    np.testing.assert_array_equal(original, painted.lesions())


# The tools


def test_a_brush_stroke_is_one_edit(work):
    go_to(work, 6)
    work.key(Qt.Key.Key_A)
    drag(work, (40, 10), (40, 30))
    now = labels(work)
    assert (now[6, 40, 12:28] == 1).all()
    assert not np.delete(now != painted.lesions(), 6, axis=0).any()
    assert work.session.draft.undoable.name == "brush Ground glass on slice 7"
    work.key(Qt.Key.Key_Z, CTRL)
    np.testing.assert_array_equal(labels(work), painted.lesions())
    assert work.session.draft.undoable is None
    work.key(Qt.Key.Key_Y, CTRL)
    np.testing.assert_array_equal(labels(work), now)


def test_digits_choose_the_segment(work):
    go_to(work, 6)
    work.key(Qt.Key.Key_2)
    assert work.viewer.layers["lesions"].selected_label == 2
    work.key(Qt.Key.Key_A)
    drag(work, (50, 10), (50, 20))
    assert (labels(work)[6, 50, 12:18] == 2).all()
    assert str(work.viewer.layers["lesions"].mode) == "paint"  # the digit was not napari's tool


def test_the_list_chooses_the_segment_and_follows_the_picker(work):
    go_to(work, 5)
    list_ = work.dock.segments
    rect = list_.table.visualRect(list_._model.index(1, 1))
    QTest.mouseClick(list_.table.viewport(), LEFT, NONE, rect.center())
    assert work.viewer.layers["lesions"].selected_label == 2
    work.key(Qt.Key.Key_L)
    click(work, 25, 15)
    assert work.viewer.layers["lesions"].selected_label == 1
    assert list_.table.currentIndex().row() == 0


def test_the_eraser_erases(work):
    go_to(work, 5)
    work.key(Qt.Key.Key_E)
    drag(work, (25, 8), (25, 22))
    now = labels(work)
    assert not now[5, 25, 10:20].any()
    assert (now[4, 20:30, 10:20] == 1).all()
    assert work.session.draft.undoable.name == "erase on slice 6"


def test_ctrl_lets_the_brush_erase(work):
    go_to(work, 5)
    work.key(Qt.Key.Key_A)
    drag(work, (25, 8), (25, 22), CTRL)
    assert not labels(work)[5, 25, 12:18].any()
    assert str(work.viewer.layers["lesions"].mode) == "paint"
    drag(work, (25, 8), (25, 22))
    assert (labels(work)[5, 25, 12:18] == 1).all()


def test_the_bucket_fills_the_slice_alone(work):
    go_to(work, 5)
    work.dock.tools.deep.setChecked(True)
    work.key(Qt.Key.Key_2)
    work.key(Qt.Key.Key_F)
    click(work, 25, 15)
    now = labels(work)
    assert (now[5, 20:30, 10:20] == 2).all()
    assert (now[4, 20:30, 10:20] == 1).all()
    assert (now[6, 20:30, 10:20] == 1).all()
    assert work.session.draft.undoable.name == "fill Consolidation on slice 6"
    work.key(Qt.Key.Key_Z, CTRL)
    np.testing.assert_array_equal(labels(work), painted.lesions())


def test_the_polygon_fills_its_area(work):
    go_to(work, 8)
    work.dock.tools.buttons["polygon"].click()
    for y, x in ((10, 10), (10, 30), (30, 30), (30, 10)):
        click(work, y, x)
        QTest.qWait(20)
    work.key(Qt.Key.Key_Return)
    QTest.qWait(50)
    now = labels(work)
    assert (now[8, 12:28, 12:28] == 1).all()
    assert not now[8, 32:, :].any()
    assert work.session.draft.undoable.name == "polygon Ground glass on slice 9"


def test_tool_and_brush_stay_from_mask_to_mask(work):
    work.open_case("xray")
    work.key(Qt.Key.Key_A)
    work.dock.tools.diameter.setValue(2.0)
    work.key(Qt.Key.Key_2)
    active = work.viewer.layers.selection.active
    assert active.name == "consolidation"
    assert str(active.mode) == "paint"
    drag(work, (50, 5), (50, 20))
    assert labels(work, "consolidation")[0, 50, 8:18].all()
    assert not (labels(work, "effusion")[0] != painted.square(5, 25, 3)[0]).any()


# The brush in millimetres


@pytest.mark.parametrize(("size", "spacing"), [(10, 0.8), (5, 0.7), (0.5, 0.8), (30, 1.0)])
def test_brush_sizes_are_the_nearest_there_are(size, spacing):
    voxels = brush_voxels(size, spacing)
    across = brush_size(voxels, spacing)
    assert abs(across - size) <= spacing or voxels == 1
    assert brush_voxels(across, spacing) == voxels


@pytest.mark.parametrize(("size", "reach"), [(10, 0), (18, 1), (34, 2)])
def test_a_ball_is_round_in_millimetres_on_thick_slices(work, size, reach):
    """8 mm slices: a ball of 10 mm stays in its slice, one of 18 mm touches its neighbours."""
    go_to(work, 9)
    work.dock.tools.diameter.setValue(size)
    work.dock.tools.deep.setChecked(True)
    work.key(Qt.Key.Key_A)
    click(work, 40, 25)
    painted_now = labels(work) != painted.lesions()
    z, y, x = (np.unique(found) for found in np.nonzero(painted_now))
    assert z.min() == 9 - reach
    assert z.max() == min(9 + reach, 11)
    assert abs(len(x) * 0.8 - size) <= 1.6
    for found, center, spacing in ((y, 40, 0.8), (x, 25, 0.8), (z, 9, 8.0)):
        assert (np.abs(found - center) * spacing <= size / 2 + 0.8).all()


def test_a_disc_stays_in_its_slice(work):
    go_to(work, 9)
    work.dock.tools.diameter.setValue(34)
    work.key(Qt.Key.Key_A)
    click(work, 40, 25)
    assert np.unique(np.nonzero(labels(work) != painted.lesions())[0]).tolist() == [9]


def test_shift_and_wheel_change_the_brush(work):
    before = work.dock.tools.diameter.value()
    widget = work.controller.canvas.widget
    middle = QPointF(at(work, 30, 25))
    event = QWheelEvent(
        middle,
        QPointF(widget.mapToGlobal(middle.toPoint())),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        SHIFT,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)
    QTest.qWait(20)
    assert work.dock.tools.diameter.value() > before
    layer = work.viewer.layers["lesions"]
    assert layer.brush_size == brush_voxels(work.dock.tools.diameter.value(), 0.8)


def test_naparis_own_brush_slider_is_followed(work):
    work.viewer.layers["lesions"].brush_size = 25
    assert work.dock.tools.diameter.value() == pytest.approx(25 * 0.8)


# Locks and visibility


def test_a_locked_segment_stays_whatever_paints(work):
    go_to(work, 5)
    list_ = work.dock.segments
    rect = list_.table.visualRect(list_._model.index(0, 3))
    QTest.mouseClick(list_.table.viewport(), LEFT, NONE, rect.center())
    assert rows(work)["Ground glass"].locked
    work.key(Qt.Key.Key_2)
    work.key(Qt.Key.Key_A)
    drag(work, (25, 5), (25, 25))
    now = labels(work)
    assert (now[5, 20:30, 10:20] == 1).all()
    assert (now[5, 25, 21:24] == 2).all()
    assert "protected" in work.dock.message.text()
    work.key(Qt.Key.Key_E)
    drag(work, (22, 5), (22, 25))
    assert (labels(work)[5, 20:30, 10:20] == 1).all()


def test_nothing_is_painted_with_a_locked_segment(work):
    work.session.lock(frozenset({("lesions", 1)}))
    work.key(Qt.Key.Key_A)
    drag(work, (50, 5), (50, 25))
    np.testing.assert_array_equal(labels(work), painted.lesions())
    assert work.session.draft.undoable is None


def test_a_hidden_segment_is_transparent_and_comes_back(work):
    table = work.dock.segments.table
    layer = work.viewer.layers["lesions"]
    work.dock.segments.show_selected("lesions", 1)
    QTest.keyClick(table, Qt.Key.Key_Space)
    assert not rows(work)["Ground glass"].visible
    assert layer.get_color(1)[3] == 0
    assert layer.get_color(2)[3] == 1
    QTest.keyClick(table, Qt.Key.Key_Space)
    assert layer.get_color(1)[3] == 1


def test_keys_hide_outline_and_thin_the_masks(work):
    layer = work.viewer.layers["lesions"]
    work.key(Qt.Key.Key_G)
    assert not layer.visible
    work.key(Qt.Key.Key_G)
    assert layer.visible
    work.key(Qt.Key.Key_O)
    assert layer.contour > 0
    work.key(Qt.Key.Key_O)
    assert (layer.contour, layer.opacity) == (0, 0.4)
    seen = []
    for _ in range(3):
        work.key(Qt.Key.Key_O, SHIFT)
        seen.append(layer.opacity)
    assert sorted(seen) == [0.15, 0.4, 0.7]


# New masks, masks told apart, answers


def test_a_mask_is_begun_and_painted(work):
    work.open_case("bare")
    assert not work.dock.tools.isVisible()
    assert work.dock.segments.add_button.text() == "Begin a mask"
    work.dock.segments.add_button.click()
    assert [row.segment.name for row in work.dock.segments.rows] == [
        "Ground glass",
        "Consolidation",
    ]
    assert work.dock.tools.isVisible()
    assert not work.dock.segments.add_button.isVisible()
    work.key(Qt.Key.Key_A)
    drag(work, (20, 10), (20, 30))
    assert work.session.draft.change.masks[0].mask == "lesions"
    work.key(Qt.Key.Key_Z, CTRL)
    work.key(Qt.Key.Key_Z, CTRL)
    assert work.dock.segments.rows == ()
    assert "lesions" not in work.viewer.layers


def test_a_mask_is_told_apart(work):
    work.open_case("whole")
    work.dock.segments.add_button.click()
    assert [layer.name for layer in work.viewer.layers] == ["whole", "parts"]
    np.testing.assert_array_equal(labels(work, "parts"), (painted.lesions() > 0) * 3)
    go_to(work, 5)
    work.key(Qt.Key.Key_1)
    work.key(Qt.Key.Key_F)
    click(work, 25, 15)
    assert (labels(work, "parts")[5, 20:30, 10:20] == 1).all()
    change = work.session.draft.change
    assert {mask.mask for mask in change.masks} == {"parts"}  # the whole mask is as it was
    work.key(Qt.Key.Key_E)
    drag(work, (25, 8), (25, 22))
    erased = np.count_nonzero(labels(work, "parts")[5] == 0) - np.count_nonzero(
        painted.lesions()[5] == 0
    )
    assert MaskChange("whole", 5, erased) in work.session.draft.change.masks


def test_a_question_is_answered_and_taken_back(work):
    form = work.dock.questions.forms["severity"]
    assert form.buttons["mild"].isChecked()
    form.buttons["severe"].click()
    assert work.session.draft.change.answers == (AnswerChange("severity", ("mild",), ("severe",)),)
    assert not form.buttons["mild"].isChecked()
    assert form.title.property("state") == "unsaved"
    form.buttons["severe"].click()
    assert work.session.draft.answers["severity"] == ()
    work.controller.act("undo")
    work.controller.act("undo")
    assert form.buttons["mild"].isChecked()
    assert not work.session.draft.change


def test_several_answers_are_ticked_and_typed(work):
    work.open_case("xray")
    form = work.dock.questions.forms["findings"]
    assert [form.list.item(i).text() for i in range(form.list.count())] == ["pneumonia"]
    form.field.setText("effus")
    QTest.keyClick(form.field, Qt.Key.Key_Return)
    assert work.session.draft.answers["findings"] == ("pneumonia", "pleural effusion")
    form.field.setText("p")
    QTest.keyClick(form.field, Qt.Key.Key_Return)
    assert "several" in work.dock.message.text()
    form.list.item(0).setCheckState(Qt.CheckState.Unchecked)
    QTest.qWait(20)
    assert work.session.draft.answers["findings"] == ("pleural effusion",)


def test_only_questions_that_the_reading_knows_are_asked(work):
    assert list(work.dock.questions.forms) == ["severity"]
    work.open_case("xray")
    assert list(work.dock.questions.forms) == ["findings"]
    work.open_case("whole")
    assert not work.dock.questions.isVisible()


# Drafts over cases, and what others paint


def test_strokes_survive_a_change_of_case(work):
    go_to(work, 6)
    work.key(Qt.Key.Key_A)
    drag(work, (40, 10), (40, 30))
    now = labels(work).copy()
    work.open_case("whole")
    work.open_case("ct")
    np.testing.assert_array_equal(labels(work), now)
    assert "not exported" in work.dock.state.text()


def test_what_another_program_paints_is_an_edit_too(work):
    layer = work.viewer.layers["lesions"]
    layer.data[2, 5:9, 5:9] = 2
    layer.refresh()
    layer.data[10, 5:9, 5:9] = 2  # and without telling anybody
    work.open_case("whole")
    assert [one.case.id for one in work.session.unsaved()] == ["ct"]
    work.open_case("ct")
    assert (work.session.draft.mask_labels("lesions")[[2, 10], 5:9, 5:9] == 2).all()


def test_naparis_history_cannot_reach_into_the_next_case(work):
    work.key(Qt.Key.Key_A)
    drag(work, (40, 10), (40, 30))
    layer = work.viewer.layers["lesions"]
    work.open_case("xray")
    layer.undo()
    assert not (labels(work, "effusion") != painted.square(5, 25, 3)).any()


def test_every_case_opens_at_its_middle_whatever_was_open_before(work):
    for name in ("xray", "ct", "xray", "bare", "xray", "whole", "ct"):
        work.open_case(name)
        middle = 0 if name == "xray" else painted.SHAPE[0] // 2
        assert work.controller.canvas.slice == middle
        assert work.viewer.dims.point[0] == middle * (1.0 if name == "xray" else 8.0)


# Radiographs


def test_a_radiograph_opens_flat_in_its_own_window(work):
    work.open_case("xray")
    image = work.viewer.layers["xray"]
    assert image.colormap.name == "gray_r"
    low, high = image.contrast_limits
    assert 0 <= low < 10
    assert 2990 < high < 3000
    assert not work.dock.windows.buttons["window_lung"].isEnabled()
    work.key(Qt.Key.Key_F2)
    assert tuple(image.contrast_limits) == (low, high)
    assert "radiograph" in work.dock.message.text()
    text = work.controller.canvas.overlay_text
    assert text.bottom_right == ("50 x 60 px", "0.20 mm a pixel (at detector)")
    assert text.letters.left == "?"
    assert rows(work)["Pleural effusion"].size == f"{400 * 0.04 / 100:.1f} cm²"


def test_the_wheel_zooms_a_radiograph(work):
    work.open_case("xray")
    zoom = work.viewer.scene.camera.zoom
    widget = work.controller.canvas.widget
    middle = QPointF(widget.width() / 2, widget.height() / 2)
    event = QWheelEvent(
        middle,
        QPointF(widget.mapToGlobal(middle.toPoint())),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        NONE,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)
    QTest.qWait(20)
    assert work.viewer.scene.camera.zoom > zoom


def test_the_facts_panel_shows_what_is_known(work):
    text = work.dock.details.text.text()
    assert "Report" in text
    assert "Sin hallazgos<br>en el resto" in text
    assert "&nbsp;&nbsp;&nbsp;&nbsp;" in text  # the tree's depth


def test_the_window_holds_the_dock_on_a_laptop(work):
    work.open_case("xray")
    window = main_window(work.viewer)
    window.resize(1366, 768)
    QTest.qWait(50)
    assert window.height() <= 768
    bottom = work.dock.tools.mapTo(work.dock, QPoint(0, work.dock.tools.height())).y()
    assert bottom <= work.dock.height()
