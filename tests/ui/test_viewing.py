"""Three planes of one volume: the crosshair, strokes and windows reach all of them."""

import numpy as np
import pytest
from hands import LEFT, NONE, SHIFT, at, labels
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication
from test_planes import CTRL, RIGHT, moving, pixels, told

from napari_chest.model import Window
from napari_chest.ui.canvas.masks import BRUSH, CLICK
from napari_chest.ui.planes import render

AXIAL, CORONAL, SAGITTAL = 0, 1, 2


@pytest.fixture
def views(work):
    """The dock on a case of 12 x 60 x 50 voxels, with all three planes shown."""
    work.controller.act("layout")
    work.wait(lambda: planes(work).isVisible())
    settle()
    return work


def planes(work):
    return work.controller.layout.planes


def viewing(work):
    return work.controller.layout.viewing


def settle():
    """Wait until what is throttled is shown."""
    QTest.qWait(80)
    QApplication.processEvents()


def pane(work, axis):
    return planes(work).planes[axis]


def spot(work, axis, voxel):
    """Where a voxel lies on the pane of a plane."""
    return pane(work, axis).point_of(voxel).toPoint()


def color(work, axis, voxel):
    where = spot(work, axis, voxel)
    moving(pane(work, axis), QPoint(3, 3))  # no brush over what is looked at
    return pixels(pane(work, axis))[where.y(), where.x()].astype(int)


def test_a_step_in_the_main_plane_moves_the_others_crosshair(views):
    views.controller.canvas.go_to(9)
    settle()
    assert viewing(views).at == (9, 30, 25)
    views.controller.act("slice_previous")
    settle()
    assert viewing(views).at == (8, 30, 25)


def test_a_click_in_a_plane_moves_the_others(views):
    QTest.mouseClick(pane(views, CORONAL), LEFT, NONE, spot(views, CORONAL, (3, 30, 41)))
    settle()
    assert viewing(views).at == (3, 30, 41)
    assert views.controller.canvas.slice == 3
    assert pane(views, SAGITTAL).picture.index == 41


def test_the_crosshair_on_the_main_plane_follows_and_can_be_hidden(views):
    before = views.controller.canvas.overlay_text.crosshair
    QTest.mouseClick(pane(views, SAGITTAL), LEFT, NONE, spot(views, SAGITTAL, (6, 12, 25)))
    settle()
    now = views.controller.canvas.overlay_text.crosshair
    assert now.x == pytest.approx(before.x)
    assert now.y == pytest.approx(at(views, 12, 25).y(), abs=1)
    views.controller.act("crosshair")
    settle()
    assert views.controller.canvas.overlay_text.crosshair is None


def test_shift_and_the_pointer_lead_the_other_planes(views):
    moving(views.controller.canvas.widget, at(views, 20, 14), SHIFT)
    settle()
    assert viewing(views).at == (6, 20, 14)
    assert pane(views, CORONAL).picture.index == 20


def test_a_double_click_makes_a_plane_the_main_one_head_up(views):
    viewing(views).go_to((4, 33, 17))
    settle()
    QTest.mouseDClick(pane(views, CORONAL), LEFT, NONE, spot(views, CORONAL, (4, 33, 17)))
    settle()
    canvas = views.controller.canvas
    assert canvas.axes.order == (1, 0, 2)
    assert canvas.axes.index(CORONAL) == 33
    letters = canvas.overlay_text.letters
    assert (letters.top, letters.left) == ("H", "R")
    # The head is above the feet on screen.
    assert canvas.axes.to_pixels(0, 0)[1] < canvas.axes.to_pixels(80, 0)[1]
    assert [plane.axis for plane in planes(views).planes if plane.isVisible()] == [0, 2]
    QTest.mouseDClick(pane(views, SAGITTAL), LEFT, NONE, spot(views, SAGITTAL, (4, 33, 17)))
    settle()
    assert canvas.axes.order == (2, 0, 1)
    letters = canvas.overlay_text.letters
    assert (letters.top, letters.left) == ("H", "A")
    assert viewing(views).at == (4, 33, 17)


def test_a_click_moves_both_sliders_where_another_plane_is_the_main_one(views):
    viewing(views).make_main(CORONAL)
    settle()
    QTest.mouseClick(pane(views, SAGITTAL), LEFT, NONE, spot(views, SAGITTAL, (2, 47, 25)))
    settle()
    axes = views.controller.canvas.axes
    assert (axes.index(AXIAL), axes.index(CORONAL)) == (2, 47)
    assert viewing(views).at == (2, 47, 25)


def test_when_napari_turns_the_view_the_planes_follow(views):
    viewing(views).go_to((4, 33, 17))
    views.viewer.dims.order = (1, 0, 2)
    settle()
    assert viewing(views).at == (4, 33, 17)
    assert views.controller.canvas.axes.index(CORONAL) == 33
    assert [plane.axis for plane in planes(views).planes if plane.isVisible()] == [0, 2]


def test_the_brush_paints_in_every_plane_and_undo_takes_it_back(views):
    masks = views.controller.canvas.masks
    masks.set_tool(BRUSH)
    masks.set_brush(1.0, deep=False)
    viewing(views).toggle_crosshair()  # undoing goes to what is undone, and the crosshair with it
    before = labels(views).copy()
    for axis, voxel in ((CORONAL, (9, 30, 40)), (SAGITTAL, (2, 50, 25))):
        dark = color(views, axis, voxel)
        QTest.mouseClick(pane(views, axis), LEFT, NONE, spot(views, axis, voxel))
        settle()
        assert labels(views)[voxel] == 1
        assert (color(views, axis, voxel) != dark).any()
        views.controller.act("undo")
        settle()
        np.testing.assert_array_equal(labels(views), before)
        assert (color(views, axis, voxel) == dark).all()


def test_a_stroke_in_a_plane_stays_in_it_and_is_round_in_mm(views):
    masks = views.controller.canvas.masks
    masks.set_tool(BRUSH)
    masks.set_brush(20.0, deep=False)
    before = labels(views).copy()
    QTest.mouseClick(pane(views, CORONAL), LEFT, NONE, spot(views, CORONAL, (9, 30, 25)))
    settle()
    z, y, x = (labels(views) != before).nonzero()
    assert set(y) == {30}
    assert abs(np.ptp(z) * 8.0 - np.ptp(x) * 0.8) <= 8.0


def test_a_stroke_ends_when_its_plane_is_hidden(views):
    views.controller.canvas.masks.set_tool(BRUSH)
    QTest.mousePress(pane(views, CORONAL), LEFT, NONE, spot(views, CORONAL, (8, 30, 10)))
    views.controller.act("layout")
    assert views.session.draft.undoable is not None
    views.controller.act("layout")
    settle()
    now = labels(views).copy()
    moving(pane(views, CORONAL), spot(views, CORONAL, (8, 30, 40)))
    np.testing.assert_array_equal(labels(views), now)


def test_a_mask_that_is_removed_leaves_the_planes(views):
    views.viewer.layers.remove(views.viewer.layers["lesions"])
    before = color(views, CORONAL, (5, 25, 15))
    views.open_case("bare")
    np.testing.assert_array_equal(before, color(views, CORONAL, (5, 25, 15)))


def test_control_erases_in_a_plane(views):
    views.controller.canvas.masks.set_tool(BRUSH)
    viewing(views).go_to((5, 25, 15))
    settle()
    assert labels(views)[5, 25, 15] == 1
    QTest.mouseClick(pane(views, CORONAL), LEFT, CTRL, spot(views, CORONAL, (5, 25, 15)))
    settle()
    assert labels(views)[5, 25, 15] == 0


def test_a_locked_segment_is_not_painted_in_a_plane_either(views):
    draft = views.session.draft
    views.session.lock(frozenset({("lesions", 1)}))
    views.controller.canvas.masks.set_tool(BRUSH)
    before = labels(views).copy()
    QTest.mouseClick(pane(views, CORONAL), LEFT, NONE, spot(views, CORONAL, (9, 30, 40)))
    settle()
    np.testing.assert_array_equal(labels(views), before)
    assert not draft.touched


def test_hiding_a_segment_hides_it_everywhere(views):
    viewing(views).go_to((5, 25, 15))
    settle()
    shown = color(views, CORONAL, (4, 25, 12))
    views.controller.canvas.masks.hide("lesions", {1})
    settle()
    assert (color(views, CORONAL, (4, 25, 12)) != shown).any()
    views.controller.canvas.masks.hide("lesions", set())
    settle()
    assert (color(views, CORONAL, (4, 25, 12)) == shown).all()


def test_the_window_is_one_for_all_planes(views):
    canvas = views.controller.canvas
    before = color(views, CORONAL, (1, 30, 5))
    canvas.set_window(Window(-800, 400))
    settle()
    assert abs(color(views, CORONAL, (1, 30, 5))[0] - 128) <= 1 != before[0]
    chosen = told(canvas.window_chosen)
    start = QPoint(40, 60)
    QTest.mousePress(pane(views, CORONAL), RIGHT, NONE, start)
    QTest.mouseMove(pane(views, CORONAL), start + QPoint(30, 0))
    QTest.mouseRelease(pane(views, CORONAL), RIGHT, NONE, start + QPoint(30, 0))
    assert canvas.window.width > 400
    assert chosen == [(canvas.window,)]
    canvas.set_window(Window(-800, 2000))
    grey = color(views, CORONAL, (1, 30, 5))[0]
    canvas.set_window(Window(-700, 2000))
    darker = color(views, CORONAL, (1, 30, 5))[0]
    assert darker < grey
    canvas.invert()
    settle()
    assert color(views, CORONAL, (1, 30, 5))[0] == pytest.approx(255 - darker, abs=1)


def test_what_is_under_the_pointer_in_a_plane_is_told(views):
    pointed = told(views.controller.canvas.pointer_changed)
    moving(pane(views, CORONAL), spot(views, CORONAL, (9, 30, 40)))
    assert pointed[-1] == ((9, 30, 40),)
    moving(pane(views, CORONAL), QPoint(0, 0))
    assert pointed[-1] == (None,)


def test_a_tool_that_is_clicked_can_be_clicked_in_a_plane(views):
    clicked = told(views.controller.canvas.voxel_clicked)
    views.controller.canvas.masks.set_tool(CLICK)
    QTest.mouseClick(pane(views, CORONAL), LEFT, NONE, spot(views, CORONAL, (9, 30, 40)))
    assert ((9, 30, 40),) in clicked


def test_a_radiograph_has_no_other_planes_and_is_seen_from_the_front(views):
    viewing(views).make_main(CORONAL)
    views.open_case("xray")
    settle()
    assert not planes(views).usable
    assert views.controller.canvas.axes.order == (0, 1, 2)
    assert views.controller.canvas.overlay_text.crosshair is None
    views.open_case("bare")
    settle()
    assert planes(views).usable
    assert pane(views, CORONAL).isVisible()


def test_one_plane_alone_draws_none_of_the_others(views, monkeypatch):
    views.controller.act("layout")
    settle()
    assert not planes(views).isVisible()
    assert views.controller.canvas.overlay_text.crosshair is None
    monkeypatch.setattr(render, "cut", None)
    views.controller.canvas.go_to(2)
    settle()
    assert viewing(views).at[0] == 2


def test_the_keyboard_stays_with_the_main_plane(views):
    canvas = views.controller.canvas
    canvas.set_focus()
    QTest.mouseClick(pane(views, CORONAL), LEFT, NONE, spot(views, CORONAL, (3, 30, 41)))
    settle()
    views.key(Qt.Key.Key_PageDown)
    assert canvas.slice == 4


def test_a_closed_dock_listens_no_more(views):
    session, last = views.session, viewing(views)
    views.controller.close()
    before = last.at
    session.edited.emit(None)
    session.reading_chosen.emit(session.draft)
    settle()
    assert last.at == before


def test_hiding_the_planes_gives_their_room_to_the_image(views):
    views.controller.act("layout")
    settle()
    dock, image = views.dock.width(), views.controller.canvas.widget.width()
    views.controller.act("layout")
    settle()
    assert views.controller.canvas.widget.width() < image
    views.controller.act("layout")
    settle()
    assert (views.dock.width(), views.controller.canvas.widget.width()) == (dock, image)


def test_the_planes_come_back_after_their_dock_was_closed(views):
    views.controller.canvas.undock(planes(views))
    settle()
    views.controller.act("layout")
    views.wait(lambda: planes(views).isVisible())
    views.controller.canvas.go_to(9)
    settle()
    assert viewing(views).at == (9, 30, 25)
