"""Manners of the dock: contrast in a dark room, a laptop's screen, fonts, the keyboard."""

import re

import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QPushButton, QToolButton, QWidget

from napari_chest.model import CaseInfo, Question
from napari_chest.ui.canvas.overlay import Overlay, OverlayText
from napari_chest.ui.canvas.window import main_window
from napari_chest.ui.elided_label import ElidedLabel
from napari_chest.ui.widgets import style
from napari_chest.ui.widgets.case_list import CaseList
from napari_chest.ui.widgets.protection import Choices
from napari_chest.ui.widgets.questions import OneAnswer


def luminance(color):
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_computed_as_wcag_does():
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("text", ["TEXT", "SECONDARY", "AMBER", "GOOD", "BAD"])
@pytest.mark.parametrize("ground", ["BACKGROUND", "#1b1d22"])
def test_text_can_be_read(text, ground):
    """WCAG 2.1, 1.4.3: at least 4.5 to 1."""
    assert contrast(getattr(style, text), getattr(style, ground, ground)) >= 4.5


def test_buttons_can_be_read():
    for ground in (style.RAISED, "#1d5f86"):
        assert contrast(style.TEXT, ground) >= 4.5


@pytest.mark.parametrize("color", ["LABEL_ON", "LABEL_ANY"])
def test_set_cells_stand_out_from_empty_ones(color):
    """WCAG 2.1, 1.4.11: at least 3 to 1."""
    assert contrast(getattr(style, color), style.LABEL_OFF) >= 3


def test_every_colour_of_the_style_sheet_is_a_full_one():
    assert all(len(c) == 7 for c in re.findall(r"#[0-9a-fA-F]+\b", style.STYLE))


@pytest.fixture
def font_size():
    """Sets the size of the application's font for a test."""
    before = QApplication.font()

    def set_size(points):
        font = QApplication.font()
        font.setPointSize(points)
        QApplication.setFont(font)

    yield set_size
    QApplication.setFont(before)


@pytest.mark.parametrize("points", [9, 12])
def test_the_dock_fits_a_laptop(font_size, bench, dataset_folder, points):
    font_size(points)
    bench.open(dataset_folder)
    dock = bench.dock
    assert dock.minimumSizeHint().width() <= 320
    buttons = (dock.open_button, dock.save_button, dock.undo_button, dock.redo_button)
    for button in buttons:
        below = button.mapTo(dock.window(), QPoint(0, button.height())).y()
        assert below <= 620
    assert not dock.cases.table.horizontalScrollBar().isVisible()


@pytest.mark.parametrize("points", [9, 12, 18])
def test_answers_are_not_cut_off(qtbot, font_size, points):
    font_size(points)
    form = OneAnswer(Question("category", "Severity", tuple(f"CT-{i}" for i in range(5))))
    qtbot.addWidget(form)
    form.resize(300, form.sizeHint().height())
    form.show()
    for choice, button in form.buttons.items():
        assert button.width() >= button.fontMetrics().horizontalAdvance(choice) + 4


def test_a_long_title_leaves_room_for_no_scrolling(qtbot):
    cases = CaseList()
    qtbot.addWidget(cases)
    cases.resize(300, 200)
    cases.show()
    facts = {"Wide fact": "x" * 40, "ROIs": "1"}
    infos = [CaseInfo("1", "long " * 40, "CT", facts)]
    cases.show_cases(infos, ("Wide fact", "ROIs"))
    assert cases.table.columnWidth(0) <= 300
    infos = [CaseInfo("1", "S1", "CT", facts)]
    cases.show_cases(infos, ("Wide fact", "ROIs"))
    hidden = [cases.table.isColumnHidden(column) for column in range(3)]
    assert hidden == [False, True, False]  # what is too wide does not hide what is not


def test_every_button_says_what_it_does(opened):
    dock = opened.dock
    opened.controller.act("save")
    buttons = [*dock.findChildren(QPushButton), *dock.findChildren(QToolButton)]
    assert len(buttons) > 15
    for button in buttons:
        assert button.text() or button.toolTip() or button.parent().inherits("QLineEdit")


def test_the_keyboard_reaches_every_control_of_the_work_page(opened):
    dock = opened.dock
    dock.cases.search.setFocus()
    reached = []
    for _ in range(40):
        reached.append(QApplication.focusWidget())
        dock.focusNextChild()
    for widget in (dock.cases.search, dock.cases.table, dock.reading, dock.grid, dock.open_button):
        assert widget in reached


def test_no_part_of_a_narrow_dock_is_cut_off(work):
    window = main_window(work.viewer)
    window.resize(1100, 768)
    window.resizeDocks([work.dock.parent()], [1], Qt.Orientation.Horizontal)
    QTest.qWait(100)
    dock = work.dock
    buttons = (*dock.tools.buttons.values(), dock.redo_button, dock.tool_menu)
    parts = (*buttons, dock.tools.within, dock.protection.button)
    port = dock.tools.parentWidget().parentWidget()
    for part in parts:
        right = part.mapTo(port, QPoint(part.width(), 0)).x()
        assert right <= port.width()
    words = dock.tools.diameter.fontMetrics().horizontalAdvance("200.0 mm")
    assert dock.tools.diameter.lineEdit().width() >= words


def test_what_is_protected_is_in_view_on_a_laptop(work):
    window = main_window(work.viewer)
    window.resize(1366, 768)
    work.dock.protection.protection_requested.emit(Choices((-750, -300), None, (0, 1), True))
    QTest.qWait(100)
    row, dock = work.dock.protection, work.dock
    assert row.words.isVisible()
    assert not row.visibleRegion().isEmpty()
    assert row.visibleRegion().boundingRect().height() == row.height()
    assert dock.cases.height() >= dock.cases.height_of(3)


def test_the_state_of_a_narrow_dock_ends_in_dots(qtbot):
    label = ElidedLabel("27 changes not exported")
    qtbot.addWidget(label)
    label.resize(400, 20)
    assert label.shown == label.text()
    label.resize(90, 20)
    assert label.shown.endswith("…")
    assert label.fontMetrics().horizontalAdvance(label.shown) <= 90


def test_the_status_bar_tells_the_keys_that_work_here(work):
    work.controller.act("tool_brush")
    assert work.viewer.help.startswith("A brush")
    work.controller.act("tool_move")
    assert work.viewer.help.startswith("A brush")


def test_the_corners_of_a_narrow_image_do_not_meet(qtbot):
    canvas = QWidget()
    canvas.resize(260, 200)
    qtbot.addWidget(canvas)
    overlay = Overlay(canvas)
    right, left = ("not exported",), ("MosMedData · study_0257 · authors",)

    def drawn(text):
        overlay.set_text(text)
        image = overlay.grab().toImage()
        room = overlay.fontMetrics().horizontalAdvance(right[0]) + 10
        return image.copy(image.width() - room, 0, room, image.height())

    assert drawn(OverlayText(left, right)) == drawn(OverlayText((), right))
    assert drawn(OverlayText((), (), left, right)) == drawn(OverlayText((), (), (), right))
