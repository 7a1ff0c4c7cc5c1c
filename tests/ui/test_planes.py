"""The planes beside the main one: what they show, and what a person does to them."""

import numpy as np
import painted
import pytest
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QImage, QMouseEvent, QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_chest.model import Volume, Window
from napari_chest.ui.planes import Planes, render
from napari_chest.ui.planes.plane import Plane

LEFT, RIGHT, MIDDLE = (
    Qt.MouseButton.LeftButton,
    Qt.MouseButton.RightButton,
    Qt.MouseButton.MiddleButton,
)
NONE, CTRL, SHIFT = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
)
SHAPE, SPACING = painted.SHAPE, painted.SPACING
MARK = (2, 44, 11)
"""A voxel that lies elsewhere however axes are turned or exchanged."""
WINDOW = Window(-600, 1500)
COLORS = {None: "#ffffff", 0: "transparent", 1: "#0000ff", 2: "#ff0000"}


def ct():
    """Air with a bright block about the mark: of a single voxel, smoothing would leave little."""
    voxels = np.full(SHAPE, -1000, np.int16)
    voxels[tuple(slice(i - 1, i + 2) for i in MARK)] = 1000
    return Volume(voxels, painted.grid(), "CT")


@pytest.fixture(params=[0, 1, 2], ids=["axial", "coronal", "sagittal"])
def plane(request, qtbot):
    """A plane through the mark, without the crosshair."""
    return shown(qtbot, Plane(request.param), (320, 260))


def shown(qtbot, plane, size):
    qtbot.addWidget(plane)
    plane.resize(*size)
    plane.show_volume(ct())
    plane.show_window(WINDOW)
    plane.show_at(MARK)
    plane.show_crosshair(False)
    plane.show()
    qtbot.waitExposed(plane)
    return plane


def pixels(widget):
    """Red, green and blue (H, W, 3) of a widget as it is drawn."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    data = np.array(image.constBits())  # a copy: the image goes
    return data.reshape(image.height(), image.bytesPerLine() // 4, 4)[:, : image.width(), 2::-1]


def white(widget):
    """The middle (x, y) of all that is as bright as can be, and how large it is."""
    ys, xs = (pixels(widget) == 255).all(axis=2).nonzero()
    middle = QPoint(int(xs.min() + xs.max()) // 2, int(ys.min() + ys.max()) // 2)
    return middle, int(np.ptp(xs)) + 1, int(np.ptp(ys)) + 1


def by_hand(plane):
    """Where the mark must lie: the slice as large as it fits within a border of 2 pixels."""
    down, right = [axis for axis in range(3) if axis != plane.axis]
    across, along = SHAPE[right] * SPACING[right], SHAPE[down] * SPACING[down]
    scale = min((plane.width() - 4) / across, (plane.height() - 4) / along)
    x = plane.width() / 2 + ((MARK[right] + 0.5) * SPACING[right] - across / 2) * scale
    y = plane.height() / 2 + ((MARK[down] + 0.5) * SPACING[down] - along / 2) * scale
    return x, y, scale


def wheel(plane, notches, at, modifiers=NONE):
    event = QWheelEvent(
        QPointF(at),
        QPointF(plane.mapToGlobal(at)),
        QPoint(),
        QPoint(0, round(120 * notches)),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(plane, event)


def told(signal):
    """What a signal says from now on, as a list of tuples."""
    found = []
    signal.connect(lambda *values: found.append(values))
    return found


def drag(plane, start, stop, button=LEFT, modifiers=NONE):
    QTest.mousePress(plane, button, modifiers, start)
    QTest.mouseMove(plane, (start + stop) / 2)
    QTest.mouseMove(plane, stop)
    QTest.mouseRelease(plane, button, modifiers, stop)


# What is shown


def test_a_voxel_stands_where_it_lies_in_the_patient(plane):
    x, y, _scale = by_hand(plane)
    at, _, _ = white(plane)
    assert abs(at.x() - x) <= 2
    assert abs(at.y() - y) <= 2


def test_thick_slices_look_thick(qtbot):
    plane = shown(qtbot, Plane(1), (320, 500))
    wheel(plane, 1, QPoint(160, 250), CTRL)  # fitted, its edges would be those of the widget
    _, width, height = white(plane)
    # A voxel of 0.8 x 8 mm; what is smoothed is not quite white at its ends.
    assert 5 < height / width < 15


def test_a_slice_beside_the_mark_is_dark(plane):
    other = list(MARK)
    other[plane.axis] += 2
    plane.show_at(tuple(other))
    assert not (pixels(plane) == 255).all(axis=2).any()


def test_greys_follow_the_window_and_can_be_inverted(plane):
    middle = QPoint(plane.width() // 2 + 20, plane.height() // 2 + 20)
    for window, inverted, grey in (
        (Window(-1000, 400), False, 128),
        (Window(-950, 400), False, 96),
        (Window(-950, 400), True, 159),
    ):
        plane.show_window(window, inverted=inverted)
        assert abs(int(pixels(plane)[middle.y(), middle.x(), 0]) - grey) <= 1


def test_masks_lie_over_the_image_at_their_opacity(plane):
    labels = np.zeros(SHAPE, np.uint8)
    labels[MARK] = 1
    plane.show_masks([(labels, render.color_table(COLORS, 0.4))])
    x, y, _ = by_hand(plane)
    red, green, blue = pixels(plane)[int(y), int(x)].astype(int)
    assert blue - red >= 90
    assert abs(red - green) <= 1


def test_labels_are_not_smoothed(qtbot):
    plane = shown(qtbot, Plane(0), (320, 260))
    labels = np.zeros(SHAPE, np.uint8)
    labels[2, :30] = 2
    plane.show_masks([(labels, render.color_table(COLORS, 1.0))])
    column = pixels(plane)[:, plane.width() // 2 + 40]
    reds = set(map(tuple, column[20:-20].tolist()))
    dark = tuple(pixels(plane)[230, plane.width() // 2 + 40].tolist())
    assert reds == {(255, 0, 0), dark}


def test_a_mask_that_changes_is_drawn_anew_only_where_the_plane_crosses(plane, monkeypatch):
    labels = np.zeros(SHAPE, np.uint8)
    plane.show_masks([(labels, render.color_table(COLORS, 1.0))])
    pixels(plane)
    drawn = []
    cut = render.cut
    monkeypatch.setattr(render, "cut", lambda *args: drawn.append(args[0].dtype) or cut(*args))
    labels[MARK] = 2
    beside = [slice(i, i + 1) for i in MARK]
    beside[plane.axis] = slice(MARK[plane.axis] + 1, MARK[plane.axis] + 3)
    plane.refresh(tuple(beside))
    pixels(plane)
    assert not drawn
    plane.refresh(tuple(slice(i, i + 1) for i in MARK))
    x, y, _ = by_hand(plane)
    assert pixels(plane)[int(y), int(x)].tolist() == [255, 0, 0]
    assert drawn == [np.uint8]  # the image itself stays as it was drawn


def test_a_crosshair_that_moves_within_the_plane_costs_no_new_slice(plane, monkeypatch):
    pixels(plane)
    monkeypatch.setattr(render, "cut", None)
    at = [i + 1 for i in MARK]
    at[plane.axis] = MARK[plane.axis]
    plane.show_at(tuple(at))
    pixels(plane)


def test_a_hidden_plane_draws_nothing(qtbot, monkeypatch):
    monkeypatch.setattr(render, "cut", None)
    plane = Plane(1)
    qtbot.addWidget(plane)
    plane.show_volume(ct())
    plane.show_at(MARK)
    plane.refresh()
    QApplication.processEvents()


def test_a_preview_lies_over_the_masks_until_it_is_dropped(plane):
    box = tuple(slice(i - 1, i + 2) for i in MARK)
    x, y, _ = by_hand(plane)
    before = pixels(plane)[int(y), int(x)].tolist()
    labels = np.zeros((3, 3, 3), np.uint8)
    labels[1, 1, 1] = 2
    plane.show_preview(box, labels, render.color_table(COLORS, 1.0))
    assert pixels(plane)[int(y), int(x)].tolist() == [255, 0, 0]
    plane.drop_preview()
    assert pixels(plane)[int(y), int(x)].tolist() == before


def test_outlines_are_two_pixels_thick_and_leave_the_inside_free(qtbot):
    plane = shown(qtbot, Plane(0), (320, 260))
    labels = np.zeros(SHAPE, np.uint8)
    labels[2, 10:40, 10:40] = 2
    plane.show_masks([(labels, render.color_table(COLORS, 1.0))], outline=True)
    row = (pixels(plane)[130] == (255, 0, 0)).all(axis=1)
    (ends,) = np.diff(row.astype(int)).nonzero()
    assert np.diff(ends)[[0, 2]].tolist() == [2, 2]
    assert len(ends) == 4


def test_each_plane_has_its_colour_and_says_its_name(plane):
    color = {0: (200, 0, 0), 1: (0, 200, 0), 2: (200, 200, 0)}[plane.axis]
    name = {0: "Axial plane", 1: "Coronal plane", 2: "Sagittal plane"}[plane.axis]
    seen = pixels(plane)
    for edge in (seen[0], seen[-1], seen[:, 0], seen[:, -1]):
        assert (edge == color).all()
    assert plane.accessibleName() == name


def test_the_keyboard_focus_is_seen(plane):
    plane.activateWindow()
    plane.clearFocus()
    before = pixels(plane)
    plane.setFocus(Qt.FocusReason.TabFocusReason)
    QApplication.processEvents()
    assert plane.hasFocus()
    assert (pixels(plane) != before).any()


def test_the_crosshair_has_the_colours_of_the_planes_it_shows_and_a_gap(qtbot):
    plane = shown(qtbot, Plane(1), (320, 260))
    plane.show_crosshair(True)
    x, y, _ = by_hand(plane)
    x, y = int(x), int(y)
    seen = pixels(plane)
    assert seen[y, x + 10].tolist() == [200, 0, 0]  # the axial plane
    assert seen[y - 10, x].tolist() == [200, 200, 0]  # the sagittal one
    for free in (seen[y, x - 5 : x + 6], seen[y - 5 : y + 6, x]):
        assert (free[:, 0] == free[:, 1]).all()
        assert (free[:, 1] == free[:, 2]).all()


# What a person does


def test_a_click_tells_the_voxel_that_is_seen_there_at_every_zoom(plane):
    moved = told(plane.moved)
    for notches, pan in ((0, 0), (3, 0), (5, 25), (-2, -10)):
        at, _, _ = white(plane)
        wheel(plane, notches, at, CTRL) if notches else None
        if pan:
            drag(plane, QPoint(100, 100), QPoint(100 + pan, 100 - pan), MIDDLE)
        at, _, _ = white(plane)
        QTest.mouseClick(plane, LEFT, NONE, at)
        assert moved.pop() == (MARK,)


def test_zooming_keeps_the_spot_under_the_pointer(plane):
    before, width, height = white(plane)
    wheel(plane, 1, before, CTRL)
    wheel(plane, 1, before, CTRL)
    after, wider, higher = white(plane)
    assert (before - after).manhattanLength() <= 2
    assert wider >= width
    assert higher >= height
    assert wider + higher > width + height
    plane.fit()
    assert white(plane) == (before, width, height)


def test_a_resized_pane_keeps_what_was_in_the_middle(plane):
    at = QPoint(plane.width() // 2, plane.height() // 2)
    wheel(plane, 1, at, CTRL)
    spot = plane.spot_at(QPointF(at))
    plane.resize(220, 400)
    QApplication.processEvents()
    assert plane.spot_at(QPointF(110, 200)) == pytest.approx(spot, abs=0.3)


def test_a_click_beside_the_image_goes_to_its_nearest_voxel(qtbot):
    plane = shown(qtbot, Plane(0), (500, 120))
    moved = told(plane.moved)
    QTest.mouseClick(plane, LEFT, NONE, QPoint(3, 60))
    ((voxel,),) = moved
    assert voxel[0] == MARK[0]
    assert voxel[2] == 0


def test_dragging_takes_the_crosshair_along_and_shift_needs_no_button(plane):
    moved = told(plane.moved)
    drag(plane, QPoint(100, 100), QPoint(140, 120))
    assert len(moved) == 3
    assert len(set(moved)) > 1
    QTest.mouseMove(plane, QPoint(60, 60))
    assert len(moved) == 3
    moving(plane, QPoint(90, 80), SHIFT)
    assert len(moved) == 4


def moving(plane, at, modifiers=NONE, buttons=Qt.MouseButton.NoButton):
    """Move the pointer with keys held, which QTest cannot."""

    position, everywhere = QPointF(at), QPointF(plane.mapToGlobal(at))
    button = Qt.MouseButton.NoButton
    event = QMouseEvent(QEvent.Type.MouseMove, position, everywhere, button, buttons, modifiers)
    QApplication.sendEvent(plane, event)


def test_while_painting_a_drag_is_a_stroke_between_voxels(plane):
    plane.set_painting(True)
    plane.show_brush(6.0)
    moved, strokes = told(plane.moved), told(plane.stroke)
    x, y, scale = by_hand(plane)
    start = QPoint(round(x), round(y))
    drag(plane, start, start + QPoint(16, 8))
    assert not moved
    assert [phase for phase, _, _ in strokes] == ["press", "move", "move", "release"]
    assert not any(erase for *_, erase in strokes)
    down, right = [axis for axis in range(3) if axis != plane.axis]
    first, last = strokes[0][1], strokes[-1][1]
    assert first[plane.axis] == MARK[plane.axis]
    assert first[down] == pytest.approx(MARK[down], abs=1 / (scale * SPACING[down]))
    assert last[down] - first[down] == pytest.approx(8 / (scale * SPACING[down]))
    assert last[right] - first[right] == pytest.approx(16 / (scale * SPACING[right]))


def test_control_erases_and_quick_clicks_all_paint(plane):
    plane.set_painting(True)
    strokes, mains = told(plane.stroke), told(plane.main_requested)
    QTest.mouseClick(plane, LEFT, CTRL, QPoint(90, 90))
    assert [(phase, erase) for phase, _, erase in strokes] == [("press", True), ("release", True)]
    strokes.clear()
    QTest.mouseDClick(plane, LEFT, NONE, QPoint(90, 90))
    QTest.mouseRelease(plane, LEFT, NONE, QPoint(90, 90))
    assert [phase for phase, *_ in strokes].count("press") >= 1
    assert not mains


def test_while_painting_shift_still_navigates(plane):
    plane.set_painting(True)
    moved, strokes = told(plane.moved), told(plane.stroke)
    QTest.mouseClick(plane, LEFT, SHIFT, QPoint(90, 90))
    assert moved
    assert not strokes


def test_the_brush_is_drawn_in_mm_under_the_pointer(qtbot):
    plane = shown(qtbot, Plane(0), (320, 260))
    plane.set_painting(True)
    plane.show_brush(10.0)
    before = pixels(plane)
    moving(plane, QPoint(160, 130))
    ys, xs = (pixels(plane) != before).any(axis=2).nonzero()
    *_, scale = by_hand(plane)
    for across in (np.ptp(xs), np.ptp(ys)):
        assert across == pytest.approx(10 * scale + 3, abs=2)
    QApplication.sendEvent(plane, QEvent(QEvent.Type.Leave))
    np.testing.assert_array_equal(pixels(plane), before)


def test_a_right_drag_to_the_right_widens_and_down_brightens(plane):
    windows, done = told(plane.window_dragged), told(plane.window_set)
    plane.window_dragged.connect(plane.show_window)
    drag(plane, QPoint(100, 100), QPoint(132, 100), RIGHT)
    assert windows[-1][0] == Window(-600, 1600)  # a tenth of the pane is 100 HU
    assert done == [()]
    drag(plane, QPoint(100, 100), QPoint(100, 132), RIGHT)
    assert windows[-1][0] == Window(-700, 1600)
    QTest.mouseClick(plane, RIGHT, NONE, QPoint(100, 100))
    assert len(done) == 2  # nothing was changed


def test_wheel_and_keys_go_through_the_slices(plane):
    steps, brush, main = told(plane.stepped), told(plane.brush_stepped), told(plane.main_requested)
    at = QPoint(100, 100)
    wheel(plane, -1, at)
    wheel(plane, 0.4, at)
    wheel(plane, 0.6, at)
    assert steps == [(1,), (-1,)]
    wheel(plane, 1, at, SHIFT)
    assert brush == [(1,)]
    steps.clear()
    QTest.keyClick(plane, Qt.Key.Key_PageDown)
    QTest.keyClick(plane, Qt.Key.Key_Up, SHIFT)
    QTest.keyClick(plane, Qt.Key.Key_Return)
    assert steps == [(1,), (-5,)]
    assert main == [()]


def test_a_double_click_asks_to_be_the_main_plane(plane):
    main = told(plane.main_requested)
    QTest.mouseDClick(plane, LEFT, NONE, QPoint(90, 90))
    assert main == [()]


def test_without_a_volume_nothing_happens(qtbot):
    plane = Plane(0)
    qtbot.addWidget(plane)
    plane.show_at(MARK)
    plane.show_masks([])
    plane.refresh()
    plane.show()
    moved = told(plane.moved)
    drag(plane, QPoint(30, 30), QPoint(50, 50))
    wheel(plane, 1, QPoint(30, 30))
    assert (pixels(plane) == 0).all()
    assert not moved


# The column


@pytest.fixture
def planes(qtbot):
    column = Planes()
    qtbot.addWidget(column)
    column.resize(220, 500)
    column.show_volume(ct())
    column.show_window(WINDOW)
    column.show_at(MARK)
    column.show()
    qtbot.waitExposed(column)
    return column


def test_the_column_shows_the_two_planes_that_are_not_the_main_one(planes):
    for main in (0, 1, 2):
        planes.set_main(main)
        QApplication.processEvents()
        seen = [plane for plane in planes.planes if plane.isVisible()]
        assert [plane.axis for plane in seen] == [a for a in range(3) if a != main]
        assert all(plane.width() == 220 for plane in seen)
        assert seen[0].geometry().bottom() < seen[1].geometry().top()


def test_steps_of_a_plane_move_the_crosshair(planes):
    moved = told(planes.moved)
    planes.planes[1].stepped.emit(3)
    planes.planes[2].stepped.emit(-1)
    assert moved == [((2, 47, 11),), ((2, 44, 10),)]


def test_strokes_tell_the_plane_they_are_painted_in(planes):
    planes.set_painting(True)
    strokes = told(planes.stroke)
    QTest.mouseClick(planes.planes[2], LEFT, NONE, QPoint(90, 90))
    assert [(axis, phase) for axis, phase, *_ in strokes] == [(2, "press"), (2, "release")]


@pytest.mark.parametrize(
    ("volume", "text"),
    [
        (None, "Open a CT"),
        (Volume(np.zeros((1, 9, 9), np.uint16), painted.grid((1, 9, 9)), "DX"), "radiograph"),
        (Volume(np.zeros((1, 9, 9), np.int16), painted.grid((1, 9, 9)), "CT"), "single slice"),
    ],
)
def test_where_there_are_no_other_planes_a_sentence_says_so(planes, volume, text):
    planes.show_volume(volume)
    QApplication.processEvents()
    assert not planes.usable
    assert planes.empty.isVisible()
    assert text in planes.empty.text()
    assert not any(plane.isVisible() for plane in planes.planes)
    planes.show_volume(ct())
    assert planes.usable


def test_slices_that_arrive_are_shown(qtbot):
    voxels = np.full(SHAPE, -1000, np.int16)
    column = Planes()
    qtbot.addWidget(column)
    column.show_volume(Volume(voxels, painted.grid(), "CT"))
    column.show_window(WINDOW)
    column.show_at(MARK)
    column.show_crosshair(False)
    column.show()
    plane = column.planes[1]
    assert not (pixels(plane) == 255).all(axis=2).any()
    voxels[1:4] = 1000
    column.slices_arrived({1, 2, 3})
    assert (pixels(plane) == 255).all(axis=2).any()
