"""Two readers side by side: what differs, at one place, and the other's masks by a held key."""

from dataclasses import replace

import numpy as np
import painted
import pytest
from hands import SHIFT, go_to
from qtpy.QtCore import QPointF, Qt
from qtpy.QtGui import QColor, QImage, QPainter, QPainterPath
from qtpy.QtTest import QTest
from two_readers import ANNA, BERT, CARL, anna, bert, mask, open_pair

from napari_chest.model import Mask
from napari_chest.ui import naming
from napari_chest.ui.canvas.window import main_window
from napari_chest.ui.layers import READER_COLORS
from napari_chest.ui.planes.compared import BOTH, ONLY_A, ONLY_B, compared, disagreeing
from napari_chest.ui.planes.facing import facings
from napari_chest.ui.planes.outlines import AGREED, Line, draw_outline, outline, reader_line
from napari_chest.ui.planes.place import Place, View, fitted, view_of, viewed

AXIAL, CORONAL, _ = facings(painted.grid())


@pytest.fixture
def work(bench, tmp_path):
    return open_pair(bench, tmp_path)


@pytest.fixture
def beside(work):
    """The panes, shown by key, on the slice where most differs."""
    work.key(Qt.Key.Key_F7, SHIFT)
    work.wait(lambda: work.controller.side_by_side.visible)
    work.wait(lambda: work.controller.canvas.slice == 8)
    QTest.qWait(80)
    return work.controller.side_by_side.panes


# What differs


def test_voxels_of_one_reader_and_of_both_are_told_apart():
    found = compared([mask(anna())], [mask(bert())], AXIAL, 5)
    a, b = anna()[5], bert()[5]
    np.testing.assert_array_equal(found == BOTH, (a != 0) & (a == b))
    np.testing.assert_array_equal(found == ONLY_A, (a != 0) & (b == 0))
    assert not (found == ONLY_B).any()


def test_another_segment_is_no_agreement_and_shows_both_readers():
    found = compared([mask(anna())], [mask(bert())], AXIAL, 6)
    place = found[20:30, 18:20]
    assert (place == ONLY_A).sum() == (place == ONLY_B).sum() == 10
    assert not (place == BOTH).any()


def test_segments_of_one_name_belong_together_whatever_their_values():
    turned = tuple(
        type(s)(3 - s.value, s.name, s.color) for s in painted.LESIONS
    )  # the values 1 and 2 exchanged
    labels = anna()
    other = np.where(labels == 0, 0, 3 - labels).astype(np.uint8)
    assert sum(disagreeing([mask(labels)], [Mask("other", other, turned)], AXIAL, 12)) == 0


def test_a_mask_told_apart_by_one_reader_only_is_compared_as_a_whole():
    whole = Mask("whole", (anna() > 0).astype(np.uint8), painted.WHOLE)
    parts = Mask("parts", anna(), painted.PARTS, splits="whole")
    assert sum(disagreeing([whole, parts], [whole], AXIAL, 12)) == 0
    other = Mask("parts", bert(), painted.PARTS, splits="whole")
    both = Mask("whole", (bert() > 0).astype(np.uint8), painted.WHOLE)
    assert sum(disagreeing([whole, parts], [both, other], AXIAL, 12)) == 20 + 100 + 20


def test_aids_and_values_without_a_segment():
    lungs = Mask("lungs", np.ones(painted.SHAPE, np.uint8), painted.WHOLE, aid=True)
    assert compared([lungs], [], AXIAL, 0) is None
    stray = np.zeros(painted.SHAPE, np.uint8)
    stray[0, 0, 0] = 9
    found = compared([mask(stray)], [mask(anna())], AXIAL, 0)
    assert found[0, 0] == ONLY_A
    assert found.sum() == ONLY_A


def test_slices_along_another_axis_face_a_person_as_the_planes_do():
    found = compared([mask(anna())], [mask(bert())], CORONAL, 21)
    assert found.shape == (12, 50)
    assert (found == ONLY_A)[5, 10:20].all()


def test_disagreement_is_counted_slice_by_slice():
    sizes = list(disagreeing([mask(anna())], [mask(bert())], AXIAL, 12))
    assert [(z, n) for z, n in enumerate(sizes) if n] == [(5, 20), (6, 20), (8, 100)]


# Outlines


def test_an_outline_runs_along_the_edges_of_voxels_and_around_holes():
    plane = np.zeros((8, 8), bool)
    plane[2:6, 1:7] = True
    plane[3:5, 3:5] = False
    path = outline(plane)
    box = path.boundingRect()
    assert (box.left(), box.top(), box.right(), box.bottom()) == (0.5, 1.5, 6.5, 5.5)
    assert path.contains(QPointF(2, 2))
    assert not path.contains(QPointF(3.5, 3.5))
    inner = [path.elementAt(i) for i in range(path.elementCount())]
    assert any((p.x, p.y) == (2.5, 2.5) for p in inner)
    assert outline(np.zeros((4, 4), bool)).isEmpty()


def drawn(line, path):
    image = QImage(60, 60, QImage.Format.Format_RGB32)
    image.fill(QColor("#808080"))
    painter = QPainter(image)
    draw_outline(painter, Place((6, 6), (1.0, 1.0), 10.0, 0.0, 0.0), path, line)
    painter.end()
    return [QColor(image.pixel(x, 10)).name() for x in range(12, 48)], [
        QColor(image.pixel(30, y)).name() for y in range(20)
    ]


def square():
    plane = np.zeros((6, 6), bool)
    plane[1:5, 1:5] = True
    return outline(plane)


def test_lines_are_cased_in_black_and_as_thick_whatever_the_zoom():
    along, across = drawn(reader_line(0), square())
    assert along.count(READER_COLORS[0].lower()) > 30
    assert across[8:12] == [
        "#000000",
        READER_COLORS[0].lower(),
        READER_COLORS[0].lower(),
        "#000000",
    ]
    assert across[:7] == ["#808080"] * 7


def test_readers_differ_in_dash_as_well_as_in_colour():
    dashes = [(reader_line(n).dash, reader_line(n).double) for n in range(len(READER_COLORS))]
    assert len(set(dashes)) == len(READER_COLORS)
    along, _ = drawn(reader_line(1), square())
    assert "#000000" in along  # between two dashes
    assert READER_COLORS[1].lower() in along


def test_what_both_have_is_a_thin_white_line_without_a_rim():
    _, across = drawn(AGREED, square())
    assert "#000000" not in across
    assert max(QColor(c).lightness() for c in across) > 180
    assert drawn(Line("#ffffff"), QPainterPath())[0] == ["#808080"] * 36


# Where


def test_a_view_is_the_same_in_panes_of_any_size():
    whole = fitted((60, 50), (0.8, 0.8), (400, 300), 2)
    view = View(20.0, 12.0, 3.0)
    place = viewed(whole, (400, 300), view)
    assert view_of(place, whole, (400, 300)) == pytest.approx(view)
    x, y = place.to_pixels(20.0 / 0.8, 12.0 / 0.8)
    assert (x, y) == pytest.approx((200, 150))
    small = viewed(fitted((60, 50), (0.8, 0.8), (200, 150), 2), (200, 150), view)
    assert small.scale / place.scale == pytest.approx(146 / 296)


# In the window


def colors_of(pane, z, y, x):
    """Colour of a voxel of a pane."""
    point = pane.point_of((float(z), float(y), float(x)))
    return pane.grab().toImage().pixelColor(round(point.x()), round(point.y()))


def near(color, wanted, tolerance=60):
    other = QColor(wanted)
    return all(
        abs(a - b) < tolerance for a, b in zip(color.getRgb()[:3], other.getRgb()[:3], strict=True)
    )


def test_it_opens_where_most_differs_and_paints_it_in_the_readers_colours(work, beside):
    work.wait(lambda: near(colors_of(beside.difference, 8, 10, 10), READER_COLORS[1]))
    go_to(work, 5)
    work.wait(lambda: near(colors_of(beside.difference, 5, 20.5, 15), READER_COLORS[0]))
    agreed = colors_of(beside.difference, 5, 25, 15)
    assert agreed.saturation() < 10  # no fill where both agree


def test_below_a_wide_window_there_is_the_difference_alone(work, beside):
    assert beside.difference.isVisible()
    assert not beside.other.isVisible()
    main_window(work.viewer).resize(1700, 900)
    work.wait(lambda: beside.other.isVisible())
    work.wait(lambda: near(colors_of(beside.other, 8, 10, 10), painted.LESIONS[0].color, 90))
    main_window(work.viewer).resize(1366, 768)
    work.wait(lambda: not beside.other.isVisible())


def test_panes_scroll_and_look_where_the_canvas_does(work, beside):
    canvas = work.controller.canvas
    go_to(work, 3)
    pane = beside.difference
    work.wait(lambda: pane.picture.index == 3)
    canvas.axes.look_at(View(10.0, 15.0, 4.0))
    work.wait(lambda: pane._view == canvas.axes.view)
    assert pane.spot_at(QPointF(pane.width() / 2, pane.height() / 2)) == pytest.approx(
        (3, 10.0 / 0.8, 15.0 / 0.8), abs=0.01
    )
    pane.stepped.emit(2)
    assert canvas.slice == 5
    pane.view_changed.emit(View(8.0, 9.0, 2.0))
    assert canvas.axes.view == pytest.approx((8.0, 9.0, 2.0))


def test_a_drag_in_a_pane_moves_the_canvas(work, beside):
    pane = beside.difference
    before = work.controller.canvas.axes.view
    middle = pane.rect().center()
    QTest.mousePress(pane, Qt.MouseButton.MiddleButton, pos=middle)
    QTest.mouseMove(pane, middle + QPointF(30, 0).toPoint())
    QTest.mouseRelease(pane, Qt.MouseButton.MiddleButton, pos=middle + QPointF(30, 0).toPoint())
    after = work.controller.canvas.axes.view
    assert after.right == pytest.approx(before.right - 30 / pane.place.scale, abs=0.05)
    assert after.zoom == pytest.approx(before.zoom)


def test_unlinked_panes_scroll_on_their_own_and_come_back(work, beside):
    go_to(work, 4)
    QTest.qWait(80)
    work.key(Qt.Key.Key_U, SHIFT)
    assert beside.link.text() == "Free"
    beside.difference.stepped.emit(3)
    assert work.controller.canvas.slice == 4
    assert beside.difference.picture.index == 7
    go_to(work, 2)
    QTest.qWait(80)
    assert beside.difference.picture.index == 7
    work.key(Qt.Key.Key_U, SHIFT)
    assert beside.difference.picture.index == 2


def test_the_window_is_one(work, beside):
    pane = beside.difference
    work.key(Qt.Key.Key_F3)
    shown = pane.picture._window
    assert shown == work.controller.canvas.window


def shown_labels(work):
    return {
        layer.name: bool(layer.visible)
        for layer in work.viewer.layers
        if type(layer).__name__ == "Labels"
    }


def test_a_held_key_shows_the_other_readers_masks(work, beside):
    widget = work.controller.canvas.widget
    before = shown_labels(work)
    QTest.keyPress(widget, Qt.Key.Key_Backslash)
    now = shown_labels(work)
    assert [name for name, on in now.items() if on] == [f"{BERT} (held)"]
    layer = work.viewer.layers[f"{BERT} (held)"]
    np.testing.assert_array_equal(np.asarray(layer.data), bert())
    text = work.controller.canvas.overlay_text.top_right
    assert any(f"masks of {BERT}" in line for line in text)
    QTest.keyRelease(widget, Qt.Key.Key_Backslash)
    assert shown_labels(work) == before
    text = work.controller.canvas.overlay_text.top_right
    assert not any("masks" in line for line in text)


def test_held_without_panes_and_given_back_when_the_reader_changes(work):
    widget = work.controller.canvas.widget
    QTest.keyPress(widget, Qt.Key.Key_Backslash)
    assert [name for name, on in shown_labels(work).items() if on][-1] == f"{BERT} (held)"
    work.session.choose_reader(BERT)
    assert f"{BERT} (held)" not in shown_labels(work)
    assert work.controller.canvas.masks.shown("lesions")
    QTest.keyRelease(widget, Qt.Key.Key_Backslash)
    assert work.controller.canvas.masks.shown("lesions")


def test_an_edit_shows_at_once_in_the_difference(work, beside):
    box = (slice(8, 9), slice(5, 15), slice(5, 15))
    work.session.paint("brush", "lesions", box, np.ones((1, 10, 10), np.uint8))
    work.wait(lambda: colors_of(beside.difference, 8, 10, 10).saturation() < 10)


def test_another_reader_is_chosen_and_the_corrected_one_is_never_offered(work, beside):
    work.open_case("trio")
    QTest.qWait(80)
    names = [beside.others.itemData(i) for i in range(beside.others.count())]
    assert names == [BERT, CARL]
    beside.others.setCurrentIndex(1)
    beside.others.activated.emit(1)
    work.wait(lambda: work.controller.canvas.slice == 8)
    work.wait(lambda: near(colors_of(beside.difference, 8, 10, 10), READER_COLORS[2]))
    assert CARL in beside.legend.text()
    work.session.choose_reader(CARL)
    names = [beside.others.itemData(i) for i in range(beside.others.count())]
    assert names == [ANNA, BERT]


@pytest.mark.parametrize(("case", "words"), [("alone", "no other reading"), ("bare", "no masks")])
def test_where_there_is_nothing_to_compare_a_sentence_says_why(work, beside, case, words):
    work.open_case(case)
    QTest.qWait(50)
    assert beside.empty.isVisible()
    assert words in beside.empty.text()
    work.open_case("pair")
    QTest.qWait(50)
    assert not beside.empty.isVisible()


def test_three_planes_and_two_readers_exclude_each_other(work, beside):
    side, layout = work.controller.side_by_side, work.controller.layout
    work.key(Qt.Key.Key_F7)
    QTest.qWait(50)
    assert not side.visible
    assert layout.planes.isVisible()
    bench = work.dock
    assert layout.planes.mapToGlobal(layout.planes.rect().topRight()).x() < (
        bench.mapToGlobal(bench.rect().topLeft()).x()
    )
    work.key(Qt.Key.Key_F7, SHIFT)
    QTest.qWait(50)
    assert side.visible
    assert not layout.planes.isVisible()
    work.key(Qt.Key.Key_F7, SHIFT)
    assert not side.visible
    assert not any("held" in name for name in shown_labels(work))


def test_shown_again_after_its_dock_was_closed(work, beside):
    work.controller.canvas.undock(beside)
    QTest.qWait(50)
    side = work.controller.side_by_side
    assert not side.visible
    side.toggle()
    QTest.qWait(50)
    assert side.visible
    assert side.panes.isVisible()


def test_the_pane_stands_between_image_and_dock_and_is_as_wide_as_the_image(work, beside):
    QTest.qWait(100)
    image, dock = work.controller.canvas.widget, work.dock
    assert beside.height() > 0.8 * dock.height()
    assert beside.difference.width() == pytest.approx(image.width(), rel=0.25)
    assert image.mapToGlobal(image.rect().topRight()).x() < beside.mapToGlobal(beside.pos()).x()


def test_blind_readings_are_hidden(work, beside):
    case = replace(work.session.open_case, blind="Round 1 is read blind: submit first.")
    work.session.show_case(case)
    QTest.qWait(50)
    assert beside.empty.text() == "Round 1 is read blind: submit first."
    assert beside.difference.picture is None
    assert beside.others.count() == 0
    work.key(Qt.Key.Key_Backslash)
    assert not any("held" in name for name in shown_labels(work))


def test_names_are_hidden_while_a_blind_round_is_read(work, beside, monkeypatch):
    monkeypatch.setattr(naming, "names_hidden", lambda session: True)
    work.session.choose_reader(ANNA)
    assert beside.others.currentText() == "Reader 2"
    assert BERT not in beside.legend.text()
    assert "Reader 1" in beside.legend.text()
    assert BERT not in beside.other.accessibleName()
    assert not any(BERT in layer.name for layer in work.viewer.layers)
