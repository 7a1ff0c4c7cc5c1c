"""The work list on screen: columns, filters, several cases at once, the next one, and progress."""

import itertools
from datetime import UTC, datetime

import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QContextMenuEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QMenu

from napari_chest.model import CaseInfo
from napari_chest.review.book import Book, Snapshot
from napari_chest.review.words import STATES, Comment, Work, WorkKey
from napari_chest.ui.case_filter import Choice
from napari_chest.ui.widgets import icons, style
from napari_chest.ui.widgets.case_list import CaseList
from napari_chest.ui.widgets.progress_strip import ProgressStrip
from napari_chest.ui.worklist import Progress, progress, work_rows

FACTS = ("Diagnosis",)


def case_infos(titles):
    return [
        CaseInfo(f"id{n}", title, "CT", {"Diagnosis": ("CAP", "COVID-19")[n % 2]})
        for n, title in enumerate(titles)
    ]


def rows_of(states, ids=None, priorities=None, comments=()):
    """Rows for Anna, whose work on the cases is in these states."""
    ids = ids or [f"id{n}" for n in range(len(states))]
    works = [Work(WorkKey(0, i, "Anna"), s) for i, s in zip(ids, states, strict=True)]
    people = {"Anna": "reader", "Ben & Co": "reader"}
    rows = Snapshot(
        people=people, works=tuple(works), priorities=priorities or {}, comments=comments
    )
    return work_rows(Book(rows), "Anna", 0, ids)


@pytest.fixture
def cases(qtbot):
    """Four cases; two of them still wait for Anna."""
    cases = CaseList()
    qtbot.addWidget(cases)
    cases.resize(500, 300)
    cases.show()
    cases.show_cases(case_infos(["P1", "P2", "P3", "P4"]), FACTS)
    cases.set_rows(rows_of(["submitted", "in progress", "not started", "approved"]))
    cases.show_people(["Anna", "Ben & Co"])
    return cases


def column_of(cases, title):
    model = cases.table.model()
    titles = [model.headerData(c, Qt.Orientation.Horizontal) for c in range(model.columnCount())]
    return titles.index(title)


def click(cases, row, modifiers=Qt.KeyboardModifier.NoModifier):
    place = cases.table.visualRect(cases.table.model().index(row, 0)).center()
    QTest.mouseClick(cases.table.viewport(), Qt.MouseButton.LeftButton, modifiers, place)


def menu_of(cases):
    menu = cases.findChildren(QMenu)[-1]
    return {action.text().replace("&&", "&"): action for action in menu.actions()}


def ask_for_menu(cases):
    """As the menu key does."""
    event = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(-1, -1), QPoint(-1, -1))
    QApplication.sendEvent(cases.table.viewport(), event)
    return menu_of(cases)


def test_without_a_review_the_list_is_a_plain_one(qtbot):
    cases = CaseList()
    qtbot.addWidget(cases)
    cases.show_cases(case_infos(["P1", "P2"]), FACTS)
    assert cases.table.model().columnCount() == 2
    assert cases.filter.findText("mine") < 0
    assert cases.unreviewed_button.isHidden()


def test_states_stand_behind_the_titles_in_words_and_shapes(cases):
    model = cases.table.model()
    state = column_of(cases, "State")
    assert state == 1
    shown = [model.index(row, state).data() for row in range(4)]
    assert shown == ["submitted", "begun", "to do", "approved"]
    assert "Anna: in progress" in model.index(1, 0).data(Qt.ItemDataRole.ToolTipRole)
    role = Qt.ItemDataRole.AccessibleTextRole
    assert model.index(2, state).data(role) == "not started"


def test_every_sign_has_a_shape_of_its_own():
    shapes = {}
    for name in (*STATES, "low", "high", "urgent", "comments"):
        image = icons.sign(name, 24).toImage()
        shapes[name] = bytes(
            image.pixelColor(x, y).alpha() > 100 for x in range(48) for y in range(48)
        )
    for one, other in itertools.combinations(shapes, 2):
        differ = sum(a != b for a, b in zip(shapes[one], shapes[other], strict=True))
        assert differ > 60, (one, other)


@pytest.mark.parametrize("ground", ["#1b1d22", "#1d5f86"])
def test_signs_stand_out_from_rows_and_from_selected_ones(ground):
    """WCAG 2.1, 1.4.11: at least 3 to 1."""
    for color in style.STATE_COLORS.values():
        light, dark = sorted((luminance(color), luminance(ground)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 3, color


def luminance(color):
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.fixture
def font_size():
    before = QApplication.font()

    def set_size(points):
        font = QApplication.font()
        font.setPointSize(points)
        QApplication.setFont(font)

    yield set_size
    QApplication.setFont(before)


@pytest.mark.parametrize("points", [9, 12, 18])
@pytest.mark.parametrize("width", [264, 304])
def test_a_narrow_dock_keeps_title_and_state(qtbot, font_size, points, width):
    font_size(points)
    cases = CaseList()
    qtbot.addWidget(cases)
    cases.resize(width, 300)
    cases.show()
    cases.show_cases(case_infos([f"MIDRC-RICORD-1A-419639-00{n}" for n in range(40)]), FACTS)
    cases.set_rows(rows_of(["needs fix"] * 40))
    table = cases.table
    assert not table.isColumnHidden(0)
    assert not table.isColumnHidden(1)
    assert table.columnWidth(0) >= 0.4 * width
    assert table.columnWidth(1) >= table.fontMetrics().height()
    right = table.columnViewportPosition(1) + table.columnWidth(1)
    assert right <= table.viewport().width()
    state = table.model().index(0, 1)
    assert not state.data(Qt.ItemDataRole.DecorationRole).isNull()
    text = table.fontMetrics().horizontalAdvance(state.data()) if state.data() else 0
    assert table.columnWidth(1) >= text + table.fontMetrics().height() * bool(text)


def test_a_column_that_has_nothing_to_say_takes_no_room(cases):
    table = cases.table
    assert table.isColumnHidden(column_of(cases, "!"))
    assert not table.isColumnHidden(column_of(cases, "Diagnosis"))
    cases.update_rows(rows_of(["submitted"], ["id0"], {"id0": 3}))
    assert not table.isColumnHidden(column_of(cases, "!"))
    index = table.model().index(0, column_of(cases, "!"))
    assert index.data(Qt.ItemDataRole.AccessibleTextRole) == "urgent priority"


def test_filters_stand_in_groups(cases):
    texts = [cases.filter.itemText(n) for n in range(cases.filter.count())]
    groups = [list(g) for full, g in itertools.groupby(texts, bool) if full]
    assert groups[0] == [
        "all cases", "mine", "unreviewed", "disagreements", "problems", "unsaved changes",
    ]  # fmt: skip
    assert set(groups[1]) == set(STATES)
    assert groups[2] == ["Diagnosis: CAP", "Diagnosis: COVID-19"]
    for text, order in (
        ("unreviewed", ["id1", "id2"]),
        ("approved", ["id3"]),
        ("Diagnosis: CAP", ["id0", "id2"]),
    ):
        cases.filter.setCurrentIndex(cases.filter.findText(text))
        assert cases.order() == order


def test_a_filter_stays_when_the_work_is_shown_anew(cases):
    cases.choose(Choice("unreviewed"))
    cases.set_rows(rows_of(["submitted", "submitted", "not started", "approved"]))
    assert cases.order() == ["id2"]
    assert cases.filter.currentText() == "unreviewed"


def test_one_act_changes_one_row(cases, qtbot):
    model = cases.table.model()
    changed, anew = [], []
    model.dataChanged.connect(lambda first, last, *_: changed.append((first.row(), last.row())))
    model.modelReset.connect(lambda: anew.append(True))
    cases.update_rows(rows_of(["submitted"], ["id1"]))
    assert changed == [(1, 1)]
    cases.update_rows(rows_of(["submitted"], ["id1"]))
    assert changed == [(1, 1)]
    assert not anew


def test_a_case_leaves_the_filter_and_comes_back_to_its_place(cases):
    cases.choose(Choice("unreviewed"))
    cases.show_current("id2")
    cases.update_rows(rows_of(["submitted"], ["id1"]))
    assert cases.order() == ["id2"]
    assert cases.selected() == ["id2"]
    cases.update_rows(rows_of(["needs fix"], ["id0"]))
    cases.update_rows(rows_of(["needs fix"], ["id1"]))
    assert cases.order() == ["id0", "id1", "id2"]
    assert cases.selected() == ["id2"]


def test_a_changed_case_stays_where_it_stands_until_the_list_is_sorted_again(cases):
    state = column_of(cases, "State")
    cases.table.sortByColumn(state, Qt.SortOrder.AscendingOrder)
    assert cases.order() == ["id1", "id2", "id0", "id3"]
    cases.update_rows(rows_of(["approved"], ["id1"]))
    assert cases.order() == ["id1", "id2", "id0", "id3"]
    cases.table.sortByColumn(state, Qt.SortOrder.AscendingOrder)
    assert cases.order() == ["id2", "id0", "id1", "id3"]


def test_an_empty_list_says_why(cases):
    cases.choose(Choice("unreviewed"))
    full = cases.table.grab().toImage()
    cases.set_rows(rows_of(["approved"] * 4))
    assert cases.order() == []
    assert cases.table.empty == ("No case is waiting for you. Choose another filter, or a round.")
    said = cases.table.grab().toImage()
    cases.table.empty = ""
    assert cases.table.grab().toImage() != said != full
    cases.search.setText("nowhere")
    assert "words" in cases.table.empty
    assert "words" in cases.table.accessibleDescription()


def test_a_click_opens_a_case_and_a_click_with_ctrl_or_shift_only_selects_it(cases):
    asked = []
    cases.case_requested.connect(asked.append)
    click(cases, 0)
    assert asked == ["id0"]
    cases.show_current("id0")
    click(cases, 2, Qt.KeyboardModifier.ControlModifier)
    assert cases.selected() == ["id0", "id2"]
    click(cases, 3, Qt.KeyboardModifier.ShiftModifier)
    assert len(cases.selected()) > 1
    assert asked == ["id0"]
    cases.table.setFocus()
    QTest.keyClick(cases.table, Qt.Key.Key_Return)
    assert asked == ["id0", "id3"]


def test_the_menu_key_gives_selected_cases_a_priority_and_a_reader(cases):
    click(cases, 1)
    click(cases, 3, Qt.KeyboardModifier.ControlModifier)
    urgent, given, back = [], [], []
    cases.priority_requested.connect(lambda *what: urgent.append(what))
    cases.assign_requested.connect(lambda *what: given.append(what))
    cases.take_back_requested.connect(lambda *what: back.append(what))
    actions = ask_for_menu(cases)
    assert "Priority of 2 cases" in actions
    assert actions["Normal"].isChecked()
    actions["Urgent"].trigger()
    actions["Ben & Co"].trigger()
    assert urgent == [(["id1", "id3"], 3)]
    assert given == [(["id1", "id3"], "Ben & Co")]
    assert back == []


def test_a_case_that_somebody_has_can_be_taken_back(cases):
    row = Work(WorkKey(0, "id0", "Anna"), assigned=True)
    book = Book(Snapshot(people={"Anna": "reader"}, works=(row,)))
    cases.update_rows(work_rows(book, "Anna", 0, ["id0"]))
    back = []
    cases.take_back_requested.connect(lambda *what: back.append(what))
    click(cases, 0)
    action = ask_for_menu(cases)["Anna"]
    assert action.isChecked()
    action.trigger()
    assert back == [(["id0"], "Anna")]


def test_a_selection_survives_a_search_and_sorting(cases):
    click(cases, 1)
    click(cases, 3, Qt.KeyboardModifier.ControlModifier)
    cases.table.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    assert cases.selected() == ["id3", "id1"]
    cases.search.setText("covid")
    assert cases.selected() == ["id3", "id1"]


def test_the_next_unreviewed_case_follows_one_that_left_the_list(cases):
    assert cases.unreviewed_after("id1") == "id2"
    assert cases.unreviewed_after("id3") == "id1"  # from the first on again
    cases.choose(Choice("unreviewed"))
    cases.update_rows(rows_of(["submitted"], ["id1"]))
    assert cases.order() == ["id2"]
    assert cases.unreviewed_after("id1") == "id2"
    assert cases.unreviewed_after("id2") is None


def test_the_key_opens_the_next_unreviewed_case_of_the_window(opened):
    ids = {case.title: case.id for case in opened.session.cases}
    order = opened.dock.cases.order()
    states = ["in progress" if i == ids["cap001"] else "approved" for i in order]
    opened.dock.cases.set_rows(rows_of(states, order))
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    opened.key(Qt.Key.Key_PageDown, both)
    opened.wait(lambda: opened.session.open_case.info.title == "cap001")
    opened.wait(lambda: not opened.controller.opening.reader.busy)
    assert opened.dock.cases.unreviewed_button.isVisible()
    opened.dock.cases.unreviewed_button.click()
    assert "No other case of the list is waiting for you" in opened.dock.message.text()
    assert opened.session.open_case.info.title == "cap001"


@pytest.fixture
def strip(qtbot):
    strip = ProgressStrip()
    qtbot.addWidget(strip)
    strip.resize(264, 200)
    return strip


def test_progress_unfolds_by_keyboard_and_tells_everybody_in_words(strip):
    assert strip.isHidden()
    bars = (
        Progress("Anna", {"submitted": 1, "approved": 2, "not started": 3}),
        Progress("all readers", {"not started": 6}),
        Progress("Ben", {"in progress": 1}),
    )
    strip.show_progress(bars, "about 9 min for 3 cases")
    strip.show()
    assert strip.toggle.text() == "3 of 6 done"
    assert not strip.remaining.isVisible()
    strip.toggle.setFocus()
    QTest.keyClick(strip.toggle, Qt.Key.Key_Space)
    assert strip.remaining.text() == "About 9 min for 3 cases"
    assert strip.remaining.isVisible()
    told = [(line.name.text(), line.words.text()) for line in strip.lines if line.isVisible()]
    assert told == [
        ("Anna", "3 of 6 done: 2 approved, 1 submitted, 3 not started"),
        ("all readers", "0 of 6 done: 6 not started"),
        ("Ben", "0 of 1 done: 1 in progress"),
    ]
    strip.show_progress(bars[:1], "")
    assert [line.isVisible() for line in strip.lines] == [True, False, False]
    assert not strip.remaining.isVisible()


def test_the_bar_is_as_long_as_what_is_done(strip):
    strip.show_progress((Progress("Anna", {"approved": 1, "not started": 3}),), "")
    strip.show()
    bar = strip.bar.grab().toImage()
    colors = [bar.pixelColor(x, bar.height() // 2).name() for x in range(bar.width())]
    done = colors.count(style.STATE_COLORS["approved"])
    assert done == pytest.approx(bar.width() / 4, abs=3)
    assert colors.index(style.STATE_COLORS["approved"]) == 0


def test_a_big_list_is_shown_filtered_and_kept_up(qtbot):
    cases = CaseList()
    qtbot.addWidget(cases)
    cases.show()
    infos = case_infos([f"P{n}" for n in range(10_000)])
    cases.show_cases(infos, FACTS)
    states = [STATES[n % 7] for n in range(10_000)]
    rows = rows_of(states)
    cases.set_rows(rows)
    cases.choose(Choice("state", "State", "submitted"))
    cases.search.setText("p99")
    expected = [f"id{n}" for n in range(10_000) if states[n] == "submitted" and "p99" in f"p{n}"]
    assert cases.order() == expected
    assert cases.count.text() == f"{len(expected)} shown, 10,000 in all"
    assert progress(rows.values(), "Anna")[0].total == 10_000


def test_comments_are_counted_in_their_column(cases):
    said = Comment("1", "id0", 0, "Ben", datetime(2026, 3, 1, tzinfo=UTC), "look")
    cases.update_rows(rows_of(["submitted"], ["id0"], comments=(said,)))
    index = cases.table.model().index(0, column_of(cases, "State") + 2)
    assert index.data() == "1"
    assert not cases.table.isColumnHidden(index.column())
    assert "1 open comment" in index.data(Qt.ItemDataRole.ToolTipRole)
