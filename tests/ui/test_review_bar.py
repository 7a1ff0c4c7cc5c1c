"""The bar of the review by itself: what it offers, how it asks, and that nothing is cut off."""

from datetime import UTC, datetime

import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QVBoxLayout, QWidget

from napari_chest.review.words import STATES, Work, WorkKey
from napari_chest.ui.widgets.review_bar import ReviewBar, Shown
from napari_chest.ui.widgets.style import STYLE

AT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def work(state="in progress", reader="Mira", **more):
    return Work(WorkKey(0, "P001", reader), state, **more)


@pytest.fixture
def bar(qtbot):
    """The bar in a dock of 280 pixels, whose content has 264."""
    dock = QWidget()
    dock.setObjectName("chest")
    dock.setStyleSheet(STYLE)
    qtbot.addWidget(dock)
    bar = ReviewBar()
    layout = QVBoxLayout(dock)
    layout.setContentsMargins(8, 0, 8, 0)
    layout.addStretch(1)
    layout.addWidget(bar)
    dock.resize(280, 400)
    dock.show()
    yield bar
    dock.hide()


def offered(bar):
    return [act for act, button in bar.buttons.items() if not button.isHidden()]


@pytest.mark.parametrize(
    ("state", "acts"),
    [
        ("not started", ["submit", "deferred"]),
        ("in progress", ["submit", "deferred"]),
        ("needs fix", ["submit", "deferred"]),
        ("deferred", ["submit", "in progress"]),
        ("submitted", ["in progress"]),
        ("approved", []),
        ("rejected", []),
    ],
)
def test_what_a_reader_may_do_with_own_work(bar, state, acts):
    bar.show_work(Shown(work(state)))
    assert offered(bar) == acts
    assert bar.acts == tuple(acts)
    assert bar.state.text() == state


@pytest.mark.parametrize(
    ("state", "acts"),
    [
        ("in progress", []),
        ("submitted", ["approved", "needs fix", "rejected"]),
        ("approved", ["needs fix", "rejected"]),
        ("needs fix", ["approved", "rejected"]),
    ],
)
def test_what_an_adjudicator_may_do_with_the_work_of_somebody_else(bar, state, acts):
    bar.show_work(Shown(work(state, "Rita"), own=False, adjudicates=True))
    assert offered(bar) == acts
    assert bar.state.text() == f"{state} · Rita"
    assert bar.difficulty.isHidden()


@pytest.mark.parametrize("state", STATES)
def test_in_a_narrow_dock_no_button_is_cut_off(bar, state):
    bar.show_work(Shown(work(state), adjudicates=True, changed=True, readers=("Mira", "R" * 60)))
    QApplication.processEvents()
    assert bar.width() == 264
    for act in offered(bar):
        button = bar.buttons[act]
        place = button.mapTo(bar, QPoint(button.width(), button.height()))
        assert place.x() <= 264
        assert place.y() <= bar.height()
        assert button.width() >= button.fontMetrics().horizontalAdvance(button.text())
    assert bar.minimumSizeHint().width() <= 264


@pytest.mark.parametrize(
    ("state", "asked"),
    [("submitted", "needs fix"), ("submitted", "rejected"), ("in progress", "deferred")],
)
def test_asking_for_a_reason_makes_the_dock_no_wider(bar, state, asked):
    bar.show_work(Shown(work(state), adjudicates=True))
    assert bar.act(asked)
    QApplication.processEvents()
    assert bar.reason.isVisible()
    assert bar.minimumSizeHint().width() <= 264
    popup = bar.reason.view()
    assert popup.minimumWidth() >= popup.sizeHintForColumn(0)


def test_who_brought_it_there_when_and_why_is_told(bar):
    sent_back = work(
        "needs fix", by="Chief", at=AT, reason="missed", note="left lower lobe", seconds=75.0
    )
    bar.show_work(Shown(sent_back))
    assert bar.more.text() == "missed lesion: left lower lobe"
    tip = bar.state.toolTip()
    assert "by Chief, " + AT.astimezone().strftime("%Y-%m-%d %H:%M") in tip
    assert "1 min 15 s" in tip


def test_nothing_can_be_done_where_a_round_is_closed(bar):
    bar.show_work(Shown(work(), adjudicates=True, closed="Pilot is closed."))
    assert offered(bar) == []
    assert not bar.act("submit")
    assert bar.more.text() == "Pilot is closed."


def test_without_a_case_the_bar_says_what_to_do(bar):
    bar.show_nothing("Open a case to review it.")
    assert bar.state.text() == "Open a case to review it."
    assert offered(bar) == []
    assert bar.difficulty.isHidden()


def test_a_reason_is_asked_for_sent_by_enter_and_left_by_escape(bar, qtbot):
    sent, left = [], []
    bar.decision_requested.connect(lambda *told: sent.append(told))
    bar.left.connect(lambda: left.append(True))
    bar.show_work(Shown(work("submitted", "Rita"), own=False, adjudicates=True))
    bar.buttons["needs fix"].click()
    assert not bar.form.isHidden()
    QTest.keyClick(bar.reason, Qt.Key.Key_Escape)
    assert (bar.form.isHidden(), left, sent) == (True, [True], [])
    bar.buttons["rejected"].click()
    QTest.keyClick(bar.note, Qt.Key.Key_Return)
    assert (bar.question.text(), sent) == ("Choose a reason:", [])
    bar.reason.setCurrentIndex(bar.reason.findData("false"))
    bar.note.setText("  a vessel  ")
    QTest.keyClick(bar.note, Qt.Key.Key_Return)
    assert sent == [("rejected", "false", "a vessel")]
    assert bar.form.isHidden()


def test_another_case_takes_the_question_away(bar):
    bar.show_work(Shown(work()))
    bar.act("deferred")
    bar.show_work(Shown(Work(WorkKey(0, "P002", "Mira"))))
    assert bar.form.isHidden()
    assert offered(bar) == ["submit", "deferred"]


def test_letters_choose_a_reason_and_are_no_keys_of_the_dock(bar, qtbot):
    bar.show_work(Shown(work()))
    bar.act("deferred")
    QTest.keyClick(bar.reason, Qt.Key.Key_I)
    assert bar.reason.currentData() == "quality"  # image quality


def test_every_control_has_a_name(bar):
    for control in (bar.readers, bar.difficulty, bar.reason, bar.note):
        assert control.accessibleName()
    for button in bar.buttons.values():
        assert button.text()
        assert button.toolTip()
