"""How far readers agree: the numbers of this case and of all, as tables, plots and files."""

import csv
import json
import subprocess
import sys
from dataclasses import replace
from threading import Event

import numpy as np
import painted
import pytest
from qtpy.QtCore import QPointF, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QFileDialog
from two_readers import ANNA, BERT, CARL, TwoReaders, anna, bert, dice, open_pair

from napari_chest.measure.agreement import BETWEEN_READERS
from napari_chest.model import Question
from napari_chest.review.all_readings import readings_of
from napari_chest.ui import agreeing
from napari_chest.ui.agreement import run
from napari_chest.ui.agreement.plots import GROUND
from napari_chest.ui.layers import READER_COLORS
from napari_chest.ui.widgets import style


@pytest.fixture
def work(bench, tmp_path):
    return open_pair(bench, tmp_path)


@pytest.fixture
def window(work):
    """The window, opened by key and filled."""
    work.key(Qt.Key.Key_F9)
    settle(work)
    return work.controller.agreeing.window


def settle(work):
    work.wait(lambda: not work.controller.agreeing.busy)
    QApplication.processEvents()


# The window


def cells(view):
    model = view.model()
    return [
        [model.index(row, column).data() for column in range(model.columnCount())]
        for row in range(model.rowCount())
    ]


def test_f9_shows_this_case(work, window):
    assert window.isVisible()
    assert window.sheet is window.masks
    rows = cells(window.masks.table)
    assert len(rows) == 2
    assert rows[0][2] == f"{dice(anna() == 1, bert() == 1):.3f}"
    assert window.labels.table.table.rows[0].cells[0] == "left"
    answers = cells(window.answers.table)
    assert answers == [["Severity", "mild", "severe", "no"]]
    assert all(READER_COLORS[i].lower() in window.legend.text().lower() for i in range(2))
    assert ANNA in window.legend.text()


def test_a_column_tells_what_it_means(window):
    table = window.masks.table
    table.setCurrentIndex(table.model().index(0, 4))
    assert "95th percentile" in window.definition.text()
    header = table.model().headerData(4, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole)
    assert header == window.definition.text()


def test_a_click_in_the_profile_goes_to_its_slice(work, window):
    QTest.qWait(50)
    chart = window.masks.profile
    for z in (4, 8):
        place = chart.plot.vb.mapViewToScene(QPointF(z + 1, 0.5))
        QTest.mouseClick(chart.viewport(), Qt.MouseButton.LeftButton, pos=chart.mapFromScene(place))
        assert work.controller.canvas.slice == z
        assert chart._here.value() == z + 1


def curves(chart):
    return [item for item in chart.plot.listDataItems() if item.xData is not None]


def test_the_profile_shows_dice_or_area_of_the_chosen_segment(window):
    sheet = window.masks
    drawn = curves(sheet.profile)[0]
    np.testing.assert_allclose(drawn.xData, np.arange(1, 13))
    a, b = anna()[6] == 1, bert()[6] == 1
    assert drawn.yData[6] == pytest.approx(dice(a, b))
    assert np.isnan(drawn.yData[0])
    assert drawn.yData[8] == 0
    sheet.measure.setCurrentIndex(1)
    areas = {item.opts["pen"].color().name(): item.yData for item in curves(sheet.profile)}
    pixel = painted.SPACING[1] * painted.SPACING[2] / 100
    np.testing.assert_allclose(
        areas[READER_COLORS[1].lower()], (bert() == 1).sum(axis=(1, 2)) * pixel
    )
    sheet.table.setCurrentIndex(sheet.table.model().index(1, 0))
    areas = {item.opts["pen"].color().name(): item.yData for item in curves(sheet.profile)}
    np.testing.assert_allclose(
        areas[READER_COLORS[0].lower()], (anna() == 2).sum(axis=(1, 2)) * pixel
    )
    assert painted.LESIONS[1].name in sheet.legend.text()


def test_an_edit_is_measured(work, window, monkeypatch):
    monkeypatch.setattr(agreeing, "_SETTLED_MS", 10)
    box = tuple(slice(0, n) for n in painted.SHAPE)
    work.session.paint("all as Bert", "lesions", box, bert())
    work.wait(lambda: cells(window.masks.table)[0][2] == "1.000")


def test_another_case_is_followed(work, window, monkeypatch):
    monkeypatch.setattr(agreeing, "_SETTLED_MS", 10)
    work.open_case("trio")
    work.wait(lambda: len(cells(window.masks.table)) == 6)
    assert "3 readers of 3" in window.readers.text()
    work.open_case("bare")
    work.wait(lambda: window.sheet is window.labels)
    assert "nothing to measure" in window.masks.empty.text()
    assert [row[0] for row in cells(window.labels.table)] == ["left", "right"]


def test_one_reading_alone_and_blind_reading_say_why_there_is_nothing(work, window, monkeypatch):
    monkeypatch.setattr(agreeing, "_SETTLED_MS", 10)
    work.open_case("alone")
    work.wait(lambda: "fewer than two" in window.masks.empty.text())
    assert window.masks.empty.isVisible()
    work.open_case("pair")
    work.wait(lambda: len(cells(window.masks.table)) == 2)
    work.session.show_case(replace(work.session.open_case, blind="Submit first."))
    work.wait(lambda: window.masks.empty.text() == "Submit first.")
    assert ANNA not in window.legend.text()
    assert cells(window.masks.table) == []


def test_nothing_is_open(bench):
    bench.controller.act("agreement")
    window = bench.controller.agreeing.window
    assert "Open a case" in window.masks.empty.text()
    window.run_button.click()
    assert not bench.controller.agreeing.busy


def test_readers_are_chosen(work, window, monkeypatch):
    monkeypatch.setattr(agreeing, "_SETTLED_MS", 10)
    work.open_case("trio")
    work.wait(lambda: len(cells(window.masks.table)) == 6)
    action = {action.text(): action for action in window.readers.menu().actions()}[BERT]
    action.setChecked(False)
    settle(work)
    assert [row[0] for row in cells(window.masks.table)] == ["1 – 3"] * 2
    assert window.readers.text() == "2 readers of 3"
    action = {action.text(): action for action in window.readers.menu().actions()}[CARL]
    action.setChecked(False)
    settle(work)
    assert "Fewer than two readers" in window.masks.empty.text()


# All cases in the window


def run_all(work, window):
    window.pages.setCurrentIndex(1)
    window.run_button.click()
    settle(work)
    QTest.qWait(20)


def test_all_cases_are_compared_on_request(work, window):
    window.pages.setCurrentIndex(1)
    assert "Compare all cases" in window.all_masks.empty.text()
    run_all(work, window)
    rows = {(row[0], row[1]): row for row in cells(window.all_masks.table)}
    ground = f"lesions: {painted.LESIONS[0].name}"
    # Anna and Bert differ in the first case and are alike in the second.
    mean = (dice(anna() == 1, bert() == 1) + 1) / 2
    row = rows["1 – 2", ground]
    assert row[2] == "2"
    assert row[4].startswith(f"{mean:.3f} [")
    assert ("1 – 3", ground) in rows
    assert "3 cases with two readings or more, 1 with fewer" in window.summary.text()
    assert not window.stop_button.isVisible()
    assert [r[0] for r in cells(window.all_labels.table)] == ["left", "right"]
    assert cells(window.all_answers.table)[0][0] == "Severity"


def test_cases_in_which_readers_differ_can_be_listed_afterwards(work, window):
    run_all(work, window)
    work.wait(lambda: not work.controller.agreeing.busy)
    apart = min(dice(anna() == value, bert() == value) for value in (1, 2)) < 0.70 - 0.08
    wanted = {"pair", "bare"} | ({"trio"} if apart else set())
    rows = work.controller.assigning._rows
    assert {case for case, row in rows.items() if row.disagreement} == wanted


def test_plots_of_all_cases(work, window):
    run_all(work, window)
    table = window.all_masks.table
    table.setCurrentIndex(table.model().index(0, 0))
    shown = table.current.about
    dots = [item for item in window.all_masks.volumes.plot.items if hasattr(item, "points")]
    found = sorted(point.pos().y() for item in dots for point in item.points())
    assert found == pytest.approx(sorted(shown.volumes.differences))
    levels = [i.value() for i in window.all_masks.volumes.plot.items if hasattr(i, "label")]
    wanted = (shown.volumes.bias, shown.volumes.lower, shown.volumes.upper)
    assert levels == pytest.approx([estimate.value for estimate in wanted])
    chart = window.all_masks.dice
    bands = [item for item in chart.plot.items if hasattr(item, "getRegion")]
    assert bands[0].getRegion() == pytest.approx((0.62, 0.78))
    assert BETWEEN_READERS.source in chart.toolTip()
    dots = [item for item in chart.plot.items if hasattr(item, "points")]
    lowest = [point.pos().y() for point in dots[-1].points()]
    assert lowest == sorted(lowest)


def test_a_case_in_a_plot_is_opened_by_a_click(work, window):
    run_all(work, window)
    chart = window.all_masks.dice
    dots = [item for item in chart.plot.items if hasattr(item, "points")]
    asked = []
    chart.case_requested.connect(asked.append)
    lists = {tuple(p.data() for p in item.points()): item for item in dots}
    told_of, item = next((key, item) for key, item in lists.items() if "trio" in key[-1])
    item.sigClicked.emit(item, [item.points()[len(told_of) - 1]], None)
    assert asked == ["trio"]
    work.wait(lambda: work.session.open_case.info.id == "trio")


def test_kappas_of_columns_are_drawn_with_their_intervals(window):
    chart = window.labels.kappas
    ticks = dict(chart.plot.getAxis("left")._tickLevels[0])
    assert ticks == {0: "left", -1: "right"}
    dots = [item for item in chart.plot.items if hasattr(item, "points")]
    kappas = [row.cells[2].value for row in window.labels.table.table.rows]
    assert [point.pos().x() for point in dots[0].points()] == pytest.approx(kappas)
    estimate = window.labels.table.table.rows[0].cells[2]
    line = next(i for i in chart.plot.listDataItems() if i.xData is not None and len(i.xData) == 2)
    assert list(line.xData) == pytest.approx([estimate.low, estimate.high])


def test_who_said_what_follows_the_row(window):
    sheet = window.labels
    sheet.table.setCurrentIndex(sheet.table.model().index(1, 0))
    assert cells(sheet.confusion) == [["no", "11", "0"], ["yes", "0", "1"]]


def test_stop_keeps_what_was_found(work, window, monkeypatch):
    held, seen = Event(), []

    def slow(dataset, seat, case, shape):
        seen.append(case)
        if case == "trio":
            held.wait(20)
        return readings_of(dataset, None, case, shape)

    monkeypatch.setattr(run, "readings_of", slow)
    window.pages.setCurrentIndex(1)
    window.run_button.click()
    work.wait(lambda: "trio" in seen)
    assert window.stop_button.isVisible()
    assert not window.run_button.isEnabled()
    window.stop_button.click()
    held.set()
    settle(work)
    assert "alone" not in seen
    assert window.summary.text().startswith("Stopped")
    assert window.run_button.isEnabled()
    assert not window.progress.isVisible()


def test_closing_stops_and_the_next_window_has_what_was_found(work, window):
    run_all(work, window)
    window.close()
    QTest.qWait(50)
    work.controller.act("agreement")
    settle(work)
    again = work.controller.agreeing.window
    assert again is not window
    assert len(cells(again.all_masks.table)) == 6


def test_another_dataset_forgets_what_this_one_told(work, window, tmp_path):
    run_all(work, window)
    other = TwoReaders(tmp_path / "other")
    work.controller.opening._on_dataset_read(other, other.cases())
    work.wait(lambda: work.session.open_case is not None and not work.controller.reader.busy)
    work.controller.act("agreement")
    settle(work)
    assert cells(window.all_masks.table) == []


# Taking it along


def test_export_as_csv_and_json(work, window, tmp_path, monkeypatch):
    def choose(path, kind):
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), kind))
        window.export_button.click()

    choose(tmp_path / "one.csv", "This table (*.csv)")
    with (tmp_path / "one.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["A"] for row in rows] == [ANNA, ANNA]
    assert float(rows[0]["Dice"]) == pytest.approx(dice(anna() == 1, bert() == 1))
    assert "one.csv" in window.definition.text()
    choose(tmp_path / "all", "All tables of this page (*.json)")
    found = json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))
    assert set(found) == {"Masks", "Slice labels", "Confusion", "Questions"}
    choose(tmp_path / "missing" / "one.csv", "This table (*.csv)")
    assert "Nothing was written" in window.definition.text()
    choose("", "")
    assert "Nothing was written" in window.definition.text()
    window.pages.setCurrentIndex(1)
    window.export_button.click()
    assert "nothing to export" in window.definition.text()


def test_copy(window):
    window.copy_button.click()
    lines = QApplication.clipboard().text().split("\n")
    assert len(lines) == 3
    assert lines[0].split("\t")[2] == "Dice"
    QTest.keyClick(window.masks.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QApplication.clipboard().text().split("\n") == lines


# Manners


def test_tabs_are_reached_by_keyboard(window):
    window.activateWindow()
    window.masks.table.setFocus()
    QTest.keyClick(window.masks.table, Qt.Key.Key_Tab, Qt.KeyboardModifier.ControlModifier)
    assert window.sheet is window.labels
    bar = window.pages.tabBar()
    assert bar.focusPolicy() & Qt.FocusPolicy.TabFocus
    QTest.keyClick(bar, Qt.Key.Key_Right)
    assert window.pages.currentIndex() == 1
    for widget in (window.readers, window.masks.measure, window.copy_button, window.run_button):
        assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        assert widget.accessibleName() or widget.text()


def luminance(color):
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_words_in_plots_can_be_read_and_nothing_is_bright(work, window):
    for color in (style.TEXT, style.SECONDARY, style.AMBER):
        light, dark = luminance(color), luminance(GROUND)
        assert (light + 0.05) / (dark + 0.05) >= 4.5
    run_all(work, window)
    for page in (0, 1):
        window.pages.setCurrentIndex(page)
        QTest.qWait(50)
        image = window.grab().toImage()
        sample = [
            image.pixelColor(x, y).lightness()
            for x in range(0, image.width(), 7)
            for y in range(0, image.height(), 7)
        ]
        assert sum(value > 160 for value in sample) < 0.05 * len(sample)


def test_it_fits_a_laptop(window):
    assert window.minimumSizeHint().width() <= 1000
    assert window.minimumSizeHint().height() <= 640


def test_topics_are_called_what_their_questions_begin_with():
    asked = (
        Question("a", "Exam labels (Purple)", (), topic="exam"),
        Question("b", "Exam labels (Orange)", (), topic="exam"),
        Question("c", "Severity", ()),
    )
    assert agreeing._question_titles(asked) == {"exam": "Exam labels", "c": "Severity"}


def test_plots_are_loaded_only_when_they_are_asked_for():
    code = "import sys, napari_chest.ui.controller; print('pyqtgraph' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
