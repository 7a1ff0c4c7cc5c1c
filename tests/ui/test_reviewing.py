"""Reviewing in the window: beginning, handing in, deciding, deferring, time, and other people."""

import pytest
import reviewed
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication
from reviewed import ME, acts, elsewhere, log, make_reader, see, state_of

from napari_chest.errors import UnreachableError
from napari_chest.review.acts import Decide, OpenRound, Remark, Submit
from napari_chest.review.packed import unpack_reading
from napari_chest.ui.preferences import Preferences
from napari_chest.ui.presence import Stopwatch

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def opened(bench, dataset_folder):
    Preferences().person = ME
    bench.open(dataset_folder)
    bench.viewer.window._qt_window.activateWindow()
    return bench


@pytest.fixture
def painted(bench, work):
    return work


def bar(work):
    return work.dock.work.review


def visible(work):
    return {act for act, button in bar(work).buttons.items() if not button.isHidden()}


def wait_for_case(work, title):
    work.wait(
        lambda: (
            work.session.open_case.info.title == title and not work.controller.opening.reader.busy
        )
    )


def infect(work, z=3):
    return work.session.set_cells([z], "LLL", not work.values[z, 0])


# Beginning and handing in


def test_the_first_edit_begins_a_case_and_a_second_one_says_nothing(opened):
    case = opened.session.open_case.info.id
    assert bar(opened).state.text() == "not started"
    assert infect(opened) is not None
    assert bar(opened).state.text() == "in progress"
    infect(opened, 5)
    assert [(who, what, about) for who, what, about, _ in log(opened)] == [(ME, "begin", case)]


def test_looking_at_a_case_is_not_beginning_it(opened):
    opened.controller.act("case_next")
    wait_for_case(opened, "P002")
    opened.session.close()
    assert not reviewed.store_of(opened).exists()


def test_submitting_stores_what_was_corrected_and_opens_the_next_case(opened):
    case = opened.session.open_case.info.id
    edit = infect(opened)
    wanted = opened.values.copy()
    opened.key(Qt.Key.Key_Return, CTRL)
    wait_for_case(opened, "P002")
    assert state_of(opened, case) == "submitted"
    total = len(opened.session.cases)
    assert opened.dock.message.text() == f"P001 submitted. 1 of {total} done."
    assert edit is not None
    [submitted] = acts(opened, "submit")
    assert (submitted["who"], submitted["case"], submitted["reader"]) == (ME, case, ME)
    [stored] = opened.session.desk.readings(case)
    assert (stored.owner, stored.name) == (ME, f"updated-1 · corrected by {ME}")
    assert (unpack_reading(stored.payload).slice_labels.values == wanted).all()


def test_after_the_last_case_the_window_says_that_nothing_is_left(opened):
    for case in opened.session.cases[1:]:
        opened.session.desk.do(Submit(who=ME, case=case.id, reader=ME))
    opened.controller.assigning.show_all()
    opened.controller.act("submit")
    opened.wait(lambda: "No other case" in opened.dock.message.text())
    assert opened.session.open_case.info.title == "P001"
    assert state_of(opened, opened.session.open_case.info.id) == "submitted"


def test_what_was_submitted_by_mistake_is_opened_again(opened):
    opened.controller.act("submit")
    wait_for_case(opened, "P002")
    opened.open_case("P001")
    assert bar(opened).state.text() == "submitted"
    bar(opened).buttons["in progress"].click()
    assert bar(opened).state.text() == "in progress"
    assert [one["state"] for one in acts(opened, "decide")] == ["in progress"]
    assert opened.session.open_case.info.title == "P001"


def test_work_that_is_changed_after_it_was_submitted_can_be_submitted_again(opened):
    opened.controller.act("submit")
    wait_for_case(opened, "P002")
    opened.open_case("P001")
    assert "submit" not in visible(opened)
    infect(opened)
    assert bar(opened).state.text() == "submitted, changed since"
    assert bar(opened).buttons["submit"].text() == "Submit again"
    opened.controller.act("submit")
    wait_for_case(opened, "P002")
    case = opened.session.cases[0].id
    assert [one["case"] for one in acts(opened, "submit")] == [case, case]
    assert len(opened.session.desk.readings(case)) == 1


# Deciding


def test_a_reader_cannot_decide(opened):
    make_reader(opened)
    opened.qtbot.wait(150)
    assert visible(opened) == {"submit", "deferred"}
    opened.key(Qt.Key.Key_A, CTRL | SHIFT)
    assert opened.dock.message.text() == "Only an adjudicator can do this."
    assert acts(opened, "decide") == []


def test_an_adjudicator_approves_own_work_in_one_go(opened):
    case = opened.session.open_case.info.id
    infect(opened)
    opened.key(Qt.Key.Key_A, CTRL | SHIFT)
    wait_for_case(opened, "P002")
    assert state_of(opened, case) == "approved"
    assert [what for _, what, _, _ in log(opened)] == ["begin", "submit", "decide"]
    assert len(opened.session.desk.readings(case)) == 1


def test_an_adjudicator_sends_back_the_work_of_somebody_else_with_a_reason(opened):
    case = opened.session.open_case.info.id
    infect(opened)
    log(opened)
    with elsewhere(opened, "Rita") as desk:
        desk.do(Submit(who="Rita", case=case, reader="Rita"))
    see(opened, lambda: state_of(opened, case, "Rita") == "submitted")
    names = [bar(opened).readers.itemText(i) for i in range(bar(opened).readers.count())]
    assert names == [ME, "Rita"]
    bar(opened).readers.setCurrentText("Rita")
    bar(opened).readers.activated.emit(1)
    assert (bar(opened).state.text(), bar(opened).readers.currentText()) == ("submitted", "Rita")
    assert visible(opened) == {"approved", "needs fix", "rejected"}
    opened.key(Qt.Key.Key_F, CTRL | SHIFT)
    assert QApplication.focusWidget() is bar(opened).reason
    bar(opened).reason.setCurrentIndex(bar(opened).reason.findData("missed"))
    bar(opened).note.setText("left lower lobe")
    QTest.keyClick(bar(opened).note, Qt.Key.Key_Return)
    assert state_of(opened, case, "Rita") == "needs fix"
    [decided] = acts(opened, "decide")
    told = (decided["who"], decided["reader"], decided["state"], decided["reason"], decided["note"])
    assert told == (ME, "Rita", "needs fix", "missed", "left lower lobe")
    assert decided["seen"] == 1
    opened.wait(lambda: "of Rita: needs fix (missed lesion)" in opened.dock.message.text())


def test_who_was_faster_is_not_overruled(opened):
    case = opened.session.open_case.info.id
    infect(opened)
    log(opened)
    with elsewhere(opened, "Rita") as desk:
        desk.do(Submit(who="Rita", case=case, reader="Rita"))
    see(opened, lambda: state_of(opened, case, "Rita") == "submitted")
    bar(opened).reader_requested.emit("Rita")
    assert bar(opened).shown.work.version == 1
    with elsewhere(opened, ME) as desk:  # the same person in another window
        desk.do(Decide(who=ME, case=case, reader="Rita", state="rejected", seen=1, reason="false"))
    opened.session.review_changed.block()  # what the other window did has not been shown yet
    opened.wait(lambda: state_of(opened, case, "Rita") == "rejected")
    opened.session.review_changed.unblock()
    bar(opened).decision_requested.emit("approved", "", "")
    opened.wait(lambda: bool(opened.session.desk.state.refused))
    assert state_of(opened, case, "Rita") == "rejected"
    opened.controller.rounds.look()
    assert opened.dock.store.text() == "1 refused"
    assert "rejected" in opened.dock.message.text()


def test_a_case_is_put_off_with_a_reason_by_keys_alone(opened):
    case = opened.session.open_case.info.id
    opened.key(Qt.Key.Key_D, CTRL | SHIFT)
    reason = QApplication.focusWidget()
    QTest.keyClick(reason, Qt.Key.Key_Return)
    assert not bar(opened).form.isHidden()  # not without a reason
    for _ in range(8):
        QTest.keyClick(reason, Qt.Key.Key_Down)
    QTest.keyClick(reason, Qt.Key.Key_Return)
    [decided] = acts(opened, "decide")
    assert (decided["state"], decided["reason"]) == ("deferred", "quality")
    wait_for_case(opened, "P002")
    assert state_of(opened, case) == "deferred"


def test_escape_leaves_the_case_as_it_is(opened):
    opened.key(Qt.Key.Key_D, CTRL | SHIFT)
    QTest.keyClick(bar(opened).reason, Qt.Key.Key_Escape)
    assert bar(opened).form.isHidden()
    opened.session.close()
    assert not reviewed.store_of(opened).exists()


def test_how_difficult_a_case_is(opened):
    case = opened.session.open_case.info.id
    bar(opened).difficulty.setCurrentIndex(3)
    bar(opened).difficulty.activated.emit(3)
    assert [(one["case"], one["difficulty"]) for one in acts(opened, "rate")] == [(case, 4)]
    opened.open_case("P002")
    assert bar(opened).difficulty.currentIndex() == -1
    opened.open_case("P001")
    assert bar(opened).difficulty.currentText() == "4 of 5"


# Time


def test_time_is_counted_while_something_is_done():
    now = [100.0]
    watch = Stopwatch(lambda: now[0])
    now[0] += 30
    assert watch.take() == 0  # nothing was done yet
    watch.touch()
    now[0] += 40
    watch.touch()
    now[0] += 300  # away
    assert watch.take() == 100
    now[0] += 300
    assert watch.take() == 0
    watch.touch()
    now[0] += 10
    assert watch.take() == 10
    now[0] += 55
    assert watch.take() == 50  # a minute after the last touch
    watch.touch()
    watch.stop()
    now[0] += 10
    assert watch.take() == 0


def test_the_time_on_a_case_is_handed_in_when_it_is_left(opened):
    case = opened.session.open_case.info.id
    now = [0.0]
    opened.controller.reviewing._presence.watch = watch = Stopwatch(lambda: now[0])
    watch.touch()
    infect(opened)
    now[0] = 42.0
    opened.open_case("P002")
    [spent] = acts(opened, "spend")
    assert (spent["who"], spent["case"], spent["seconds"]) == (ME, case, 42.0)
    now[0] = 60.0
    opened.open_case("P001")  # nothing was done on the other case
    assert len(acts(opened, "spend")) == 1
    assert opened.session.desk.book.work(0, case, ME).seconds == 42.0


def test_mouse_and_keys_in_the_window_are_work(opened):
    presence = opened.controller.reviewing._presence
    now = [0.0]
    presence.watch = Stopwatch(lambda: now[0])
    window = opened.dock.window().windowHandle()
    QTest.keyClick(window, Qt.Key.Key_Shift)
    now[0] = 7.0
    assert presence.take() == 7.0


# Others, and a store that is away


def test_what_others_do_is_shown_without_asking(opened):
    infect(opened)
    log(opened)
    case = opened.session.cases[1].id
    with elsewhere(opened, "Rita") as desk:
        desk.do(Submit(who="Rita", case=case, reader="Rita"))
    see(opened, lambda: state_of(opened, case, "Rita") == "submitted")
    rows = {row.case: row for row in opened.controller.assigning._rows.values()}
    assert [(work.key.reader, work.state) for work in rows[case].works] == [("Rita", "submitted")]


def test_work_goes_on_without_the_store_and_the_header_says_so(opened, monkeypatch):
    def unreachable(*_):
        raise UnreachableError("The store cannot be reached.")

    monkeypatch.setattr("napari_chest.review.store.open_store", unreachable)
    assert opened.dock.store.isHidden()
    infect(opened)
    assert bar(opened).state.text() == "in progress"
    opened.wait(lambda: opened.dock.store.text() == "offline: 1 waiting")
    assert "cannot be reached" in opened.dock.store.toolTip()
    monkeypatch.undo()
    assert opened.session.desk.sent(20)
    opened.controller.rounds.look()
    assert opened.dock.store.isHidden()
    assert [what for _, what, _, _ in log(opened)] == ["begin"]


def test_a_blind_round_hides_what_others_say_until_one_has_submitted(opened):
    case = opened.session.open_case.info.id
    me = opened.session.desk
    me.do(OpenRound(who=ME, number=1, title="Pilot", readers=(ME, "Rita")))
    log(opened)
    with elsewhere(opened, "Rita") as desk:
        desk.do(Remark(who="Rita", case=case, text="look here", round=1, voxel=(3, 4, 5)))
    see(opened, lambda: me.book.comments(case))
    rounds = opened.dock.work.rounds.rounds
    assert [rounds.itemText(i) for i in range(rounds.count())] == [
        "Round: Review", "Round: 1 Pilot (blind)",
    ]  # fmt: skip
    rounds.activated.emit(1)
    opened.wait(lambda: bool(opened.session.open_case.blind))
    opened.wait(lambda: not opened.controller.opening.reader.busy)
    assert "blind" in bar(opened).more.text()
    assert opened.dock.reading.count() == 1
    comments = opened.dock.work.comments
    assert comments.comments == ()
    assert "hidden until you have submitted" in comments.empty.text()
    assert opened.controller.canvas.overlay_text.pins == ()
    assert not opened.values.any()  # from scratch
    infect(opened)
    opened.controller.act("submit")
    wait_for_case(opened, "P002")
    opened.open_case("P001")
    assert not opened.session.open_case.blind
    assert [one.text for one in comments.comments] == ["look here"]
    assert opened.dock.reading.count() > 1
    assert opened.session.desk.readings(case)[0].name == f"{ME} · round 1"


def test_a_closed_dock_listens_no_more_and_the_next_one_goes_on(opened):
    infect(opened)
    case = opened.session.open_case.info.id
    opened.controller.close()
    with elsewhere(opened, "Rita") as desk:
        desk.do(Submit(who="Rita", case=case, reader="Rita"))
    opened.wait(lambda: state_of(opened, case, "Rita") == "submitted")
    opened.qtbot.wait(150)
    assert bar(opened).readers.isHidden()


def test_letters_that_choose_a_reason_are_no_keys_of_the_dock(opened):
    asked = []
    opened.dock.action_requested.connect(asked.append)
    opened.controller.act("defer")
    QTest.keyClick(bar(opened).reason, Qt.Key.Key_M)  # elsewhere the mark
    assert asked == []
    assert bar(opened).reason.currentText() == "missed lesion"
