"""The widgets of tools, protection and numbers by themselves."""

import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QVBoxLayout, QWidget

from napari_chest.model import Segment
from napari_chest.tools.base import Parameter, Tool
from napari_chest.tools.ranges import CONSOLIDATION, GROUND_GLASS
from napari_chest.ui.keys import shown
from napari_chest.ui.widgets.numbers import NumbersLine, broken
from napari_chest.ui.widgets.preview_bar import PreviewBar
from napari_chest.ui.widgets.protection import Choices, Place, ProtectionRow, words
from napari_chest.ui.widgets.style import STYLE
from napari_chest.ui.widgets.tool_form import ToolForm
from napari_chest.ui.widgets.tool_menu import ToolMenu
from napari_chest.ui.widgets.tools import ToolBar

LUNGS = Place("lungs", "lungs", frozenset({1, 2}))
SEGMENTS = (Segment(2, "Consolidation", "#E69F00"), Segment(3, "Cavity", "#78D8FF"))


def tool(key="shape", *parameters, **how):
    return Tool(key, key.title(), f"Does {key}.", "Shape", print, parameters, **how)


MARGIN = tool(
    "margin",
    Parameter("mm", "By how much", "number", 2.0, 0.1, 50.0, "mm"),
    Parameter("count", "How often", "whole number", 1, 1, 9),
    Parameter("way", "Which way", "choice", "grow", choices=("shrink", "grow")),
    Parameter("others", "Take other segments' voxels", "yes or no", False),
    Parameter("to", "Give to", "segment"),
    preview=True,
)
ISLAND = Tool("island", "Island", "Does it.", "Clean", print, needs="voxel")


@pytest.fixture
def heard(qtbot):
    """Keeps a widget alive and on screen, and collects what a signal of it says."""

    def listen(widget, *signals):
        qtbot.addWidget(widget)
        widget.show()
        said = []
        for signal in signals:
            getattr(widget, signal).connect(lambda *args: said.append(args))
        return said

    return listen


# The tools of the mouse


def test_every_tool_has_a_button_that_says_what_it_does(heard):
    bar = ToolBar()
    said = heard(bar, "tool_requested")
    for button in bar.buttons.values():
        assert button.accessibleName() in button.toolTip()
        assert not button.icon().isNull()
        button.click()
    wanted = ["pan_zoom", "paint", "erase", "fill", "polygon", "pick", "click"]
    assert [tool for (tool,) in said] == wanted


def test_one_button_is_pressed_and_none_for_a_tool_without(heard):
    bar = ToolBar()
    heard(bar)
    bar.show_tool("erase")
    assert [name for name, button in bar.buttons.items() if button.isChecked()] == ["erase"]
    bar.show_tool("")
    assert not any(button.isChecked() for button in bar.buttons.values())
    bar.show_tool("paint")
    assert [name for name, button in bar.buttons.items() if button.isChecked()] == ["paint"]


def test_showing_the_brush_asks_for_nothing(heard):
    bar = ToolBar()
    said = heard(bar, "brush_requested", "range_requested")
    bar.show_brush(7.5, deep=True)
    bar.show_range((-750.0, -301.0))
    assert (bar.diameter.value(), bar.deep.isChecked()) == (7.5, True)
    assert said == []
    bar.deep.click()
    assert said == [(7.5, False)]


def test_the_brush_keeps_to_a_range(heard):
    bar = ToolBar()
    said = heard(bar, "range_requested")
    for index in range(bar.within.count()):
        bar.within.setCurrentIndex(index)
        bar.within.activated.emit(index)
    limits = [(r.low, r.high) for r in (GROUND_GLASS, CONSOLIDATION)]
    assert [said[0][0], said[1][0], said[2][0]] == [None, *limits]
    assert bar.low.isVisible()
    bar.low.setValue(100)
    bar.high.setValue(-50)
    assert said[-1] == ((-50.0, 100.0),)
    bar.show_range(None)
    assert not bar.low.isVisible()
    assert bar.within.currentIndex() == 0


def test_a_radiograph_has_no_ranges(heard):
    bar = ToolBar()
    heard(bar)
    bar.show_hounsfield(False)
    assert not bar.within.isEnabled()
    assert not bar.buttons["click"].isEnabled()
    bar.show_hounsfield(True)
    assert bar.within.isEnabled()


# The menu


def test_the_menu_groups_tools_and_tells_their_keys(heard):
    menu = ToolMenu()
    said = heard(menu, "volume_tool_requested")
    menu.show_tools((MARGIN, ISLAND), {"island": "Del"})
    texts = [action.text() for action in menu.menu().actions() if action.text()]
    assert texts == ["Shape", "Margin…", "Clean", "Island\tDel", "Lungs", texts[-1]]
    assert texts[-1] == f"Find the lungs\t{shown('lungs')}"
    assert menu.actions_by_key["margin"].toolTip() == "Does margin."
    menu.actions_by_key["island"].trigger()
    assert said == [(ISLAND,)]


def test_the_menu_finds_lungs(heard):
    menu = ToolMenu()
    said = heard(menu, "lungs_requested")
    menu.show_tools((), {})
    menu.lungs.trigger()
    assert said == [()]


# The form


def test_a_form_has_a_field_for_every_parameter(heard):
    form = ToolForm()
    heard(form)
    form.show_tool(MARGIN, SEGMENTS)
    assert form.values(MARGIN) == {"mm": 2.0, "count": 1, "way": "grow", "others": False, "to": 2}
    assert form.fields["mm"].suffix() == " mm"
    assert form.fields["mm"].maximum() == 50
    assert [form.fields["to"].itemText(i) for i in range(2)] == ["Consolidation", "Cavity"]
    assert form.apply.text() == "Preview"
    form.show_tool(tool("smooth", MARGIN.parameters[0]), ())
    assert form.apply.text() == "Apply"


def test_small_numbers_are_not_rounded_away(heard):
    form = ToolForm()
    heard(form)
    small = tool("clean", Parameter("ml", "Smaller than", "number", 0.1, 0.001, 10.0, "ml"))
    form.show_tool(small, ())
    form.fields["ml"].setValue(0.004)
    assert form.values(small) == {"ml": 0.004}


def test_a_form_remembers_what_was_used_last(heard):
    form = ToolForm()
    heard(form)
    assert form.values(MARGIN)["mm"] == 2.0
    form.show_tool(MARGIN, SEGMENTS)
    form.fields["mm"].setValue(7.5)
    form.fields["to"].setCurrentIndex(1)
    form.show_tool(tool("smooth", MARGIN.parameters[0]), ())
    assert form.values(MARGIN) | {"mm": 7.5, "to": 3} == form.values(MARGIN)
    form.show_tool(MARGIN, SEGMENTS)
    assert form.fields["mm"].value() == 7.5
    form.hide_tool()
    assert form.values(MARGIN)["to"] == 3


def test_enter_uses_the_tool_and_escape_leaves_it(heard):
    form = ToolForm()
    said = heard(form, "asked", "cancelled")
    form.show_tool(MARGIN, SEGMENTS)
    QTest.keyClick(form.fields["mm"], Qt.Key.Key_Return)
    QTest.keyClick(form.fields["way"], Qt.Key.Key_Escape)
    assert said == [(MARGIN,), ()]


def test_the_buttons_of_a_form_make_room_for_those_of_the_preview(heard):
    form = ToolForm()
    heard(form)
    form.show_tool(MARGIN, SEGMENTS)
    form.show_previewed()
    assert not form.apply.isVisible()
    form.fields["mm"].setValue(5)
    assert form.apply.isVisible()


def test_a_clicked_tool_has_nothing_to_press(heard):
    form = ToolForm()
    said = heard(form, "asked")
    form.show_tool(MARGIN, SEGMENTS, clicked=True)
    assert not form.apply.isVisible()
    assert form.title.text() == "Margin: click in the image"
    QTest.keyClick(form, Qt.Key.Key_Return)
    assert said == []


# The preview


def test_a_preview_is_kept_or_dropped_by_key_and_button(heard):
    bar = PreviewBar()
    kept, dropped = heard(bar, "kept"), []
    bar.dropped.connect(lambda: dropped.append(1))
    bar.show_preview("Interpolate: +3.2 ml on slices 12-20", "one gap was too long")
    assert bar.text.text() == "Interpolate: +3.2 ml on slices 12-20\none gap was too long"
    bar.keep.click()
    QTest.keyClick(bar.drop, Qt.Key.Key_Return)
    bar.drop.click()
    QTest.keyClick(bar.keep, Qt.Key.Key_Escape)
    assert (len(kept), len(dropped)) == (2, 2)


# Protection


@pytest.mark.parametrize(
    ("protection", "text"),
    [
        (Choices(), ""),
        (Choices(hounsfield=(-750, -300)), "Protected: HU -750 to -300"),
        (Choices(inside=("lungs", frozenset({1, 2}))), "Protected: inside lungs"),
        (Choices(inside=("gone", frozenset({7}))), "Protected: inside gone"),
        (Choices(slices=(11, 19)), "Protected: slices 12-20"),
        (Choices(slices=(4, 4)), "Protected: slice 5"),
        (
            Choices(hounsfield=(-750, -300), keep_others=True),
            "Protected: HU -750 to -300, other segments kept",
        ),
    ],
)
def test_protection_in_words(protection, text):
    assert words(protection, (LUNGS,)) == text


@pytest.fixture
def row(heard):
    row = ProtectionRow()
    row.said = heard(row, "protection_requested")
    row.show_places((LUNGS, Place("left lung", "lungs", frozenset({2}))))
    row.show_slices(40)
    row.show_slice(16)
    return row


def test_what_is_protected_is_always_told(row):
    assert not row.words.isVisible()
    row.show_protection(Choices(hounsfield=(-750, -300)))
    assert row.words.isVisible()
    assert row.words.text() == "Protected: HU -750 to -300"
    assert row.said == []
    row.clear_button.click()
    assert row.said == [(Choices(),)]


def test_setting_a_field_ticks_its_box(row):
    popup = row.popup
    popup.low.setValue(-500)
    popup.this_slice.click()
    popup.place.setCurrentIndex(1)
    popup.place.activated.emit(1)
    popup.keep_others.click()
    (last,) = row.said[-1]
    assert last == Choices(
        hounsfield=(-500, popup.high.value()),
        inside=("lungs", frozenset({2})),
        slices=(16, 16),
        keep_others=True,
    )
    assert len(row.said) == 4


def test_a_preset_sets_both_ends(row):
    popup = row.popup
    popup.preset.setCurrentIndex(2)
    popup.preset.activated.emit(2)
    assert row.said == [(Choices(hounsfield=(CONSOLIDATION.low, CONSOLIDATION.high)),)]


def test_ends_are_put_in_order(row):
    row.popup.low.setValue(300)
    row.popup.high.setValue(-300)
    assert row.said[-1] == (Choices(hounsfield=(-300, 300)),)


def test_the_popup_leaves_its_button_free(row):
    bottom = row.screen().availableGeometry().bottom()
    for y in (0, bottom - row.height()):
        row.move(0, y)
        row.button.click()
        popup, button = row.popup.geometry(), row.button.rect()
        assert popup.bottom() <= bottom
        assert not popup.intersects(button.translated(row.button.mapToGlobal(QPoint(0, 0))))
        row.popup.hide()


def test_the_popup_shows_what_is_protected(row):
    wanted = Choices(
        hounsfield=(-600, -200), inside=("lungs", frozenset({2})), slices=(3, 9), keep_others=True
    )
    row.show_protection(wanted)
    assert row.popup.protection == wanted
    row.show_protection(Choices())
    assert row.popup.protection == Choices()
    assert row.said == []


def test_another_number_of_slices_asks_for_nothing(row):
    row.show_protection(Choices(slices=(30, 39)))
    row.show_slices(12)
    row.show_slices(1)
    assert row.said == []
    assert not row.popup.slices.isVisibleTo(row.popup)


# Numbers


def test_numbers_take_two_lines_at_most(heard):
    line = NumbersLine()
    heard(line)
    metrics = line.fontMetrics()
    parts = ("335.3 ml", "mean -612 HU", "4.1 % of lungs", "112 slices")
    assert broken(parts, metrics, 2000) == (
        "335.3 ml · mean -612 HU · 4.1 % of lungs · 112 slices",
    )
    narrow = metrics.horizontalAdvance("335.3 ml · mean -612 HU") + 1
    assert broken(parts, metrics, narrow)[0] == "335.3 ml · mean -612 HU"
    assert len(broken(parts, metrics, narrow)) == 2
    assert len(broken(parts, metrics, 20)) == 2
    assert broken((), metrics, 100) == ()


def test_numbers_that_do_not_fit_stand_in_the_tool_tip(heard):
    line = NumbersLine()
    heard(line)
    line.show_numbers("Ground glass", ("335.3 ml", "mean -612 HU"))
    assert line.toolTip() == "Ground glass: 335.3 ml · mean -612 HU"
    assert line.isVisible()
    line.show_numbers("", ())
    assert not line.isVisible()


# Room


@pytest.mark.parametrize("points", [9, 12, 18])
def test_everything_fits_a_narrow_dock(heard, points):
    before = QApplication.font()
    font = QApplication.font()
    font.setPointSize(points)
    QApplication.setFont(font)
    try:
        dock = QWidget()
        dock.setObjectName("chest")
        dock.setStyleSheet(STYLE)
        layout = QVBoxLayout(dock)
        layout.setContentsMargins(8, 6, 8, 6)
        bar, row, form, preview = ToolBar(), ProtectionRow(ToolMenu()), ToolForm(), PreviewBar()
        for widget in (bar, row, form, preview):
            layout.addWidget(widget)
        heard(dock)
        bar.show_range((-900.0, -50.0))
        row.show_protection(Choices((-750, -300), ("lungs", frozenset({1})), (3, 9), True))
        form.show_tool(MARGIN, SEGMENTS)
        preview.show_preview("Interpolate: +3.2 -12.5 ml on slices 12-20, 30-41")
        QApplication.processEvents()
        assert dock.minimumSizeHint().width() <= 320
    finally:
        QApplication.setFont(before)
