"""Comments: listed, pinned to a voxel, marked in the image, gone to, settled."""

from datetime import UTC, datetime, timedelta

import pytest
import reviewed
from hands import at, go_to
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QWidget
from reviewed import ME, acts

from napari_chest.review.acts import Remark
from napari_chest.review.words import Comment
from napari_chest.ui.preferences import Preferences
from napari_chest.ui.widgets.comments import CommentList
from napari_chest.ui.widgets.style import STYLE

AT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def comment(number, **more):
    more = {"author": "Anna", "at": AT + timedelta(minutes=number), "text": f"text {number}"} | more
    return Comment(str(number), "P001", 0, **more)


@pytest.fixture
def comments(qtbot):
    dock = QWidget()
    dock.setObjectName("chest")
    dock.setStyleSheet(STYLE)
    qtbot.addWidget(dock)
    comments = CommentList(dock)
    comments.setFixedWidth(264)
    dock.resize(280, 500)
    dock.show()
    comments.toggle.setChecked(True)
    yield comments
    dock.hide()


def texts(comments):
    return [comments.list.item(row).text() for row in range(comments.list.count())]


def test_open_comments_come_first_with_author_time_and_slice(comments):
    told = [comment(1, resolved="Ben"), comment(2, voxel=(4, 20, 30)), comment(3, reader="Ben")]
    comments.show_comments(told, 12)
    assert [one.id for one in comments.comments] == ["2", "3", "1"]
    at_2 = (AT + timedelta(minutes=2)).astimezone().strftime("%Y-%m-%d %H:%M")
    assert texts(comments)[0] == f"Anna · {at_2} · slice 5\ntext 2"
    assert "on Ben" in texts(comments)[1]
    assert "resolved by Ben" in texts(comments)[2]
    assert comments.toggle.text() == "Comments: 2 open, 3 in all"


def test_on_a_radiograph_no_slice_is_told(comments):
    comments.show_comments([comment(1, voxel=(0, 20, 30))], 1)
    assert "slice" not in texts(comments)[0]


def test_a_long_text_is_broken_into_lines_and_never_scrolled_to_the_side(comments):
    long = "ground glass " * 30 + "x" * 200
    comments.show_comments([comment(1, text=long, author="A" * 80)], 12)
    QApplication.processEvents()
    item = comments.list.item(0)
    lines = item.sizeHint().height() / comments.list.fontMetrics().lineSpacing()
    width = comments.list.viewport().width()
    needed = comments.list.fontMetrics().horizontalAdvance(long) / width
    assert lines >= needed
    assert not comments.list.horizontalScrollBar().isVisible()
    assert comments.minimumSizeHint().width() <= 264


def test_without_comments_the_list_says_how_to_comment(comments):
    comments.show_comments((), 12)
    assert "press C" in comments.empty.text()
    assert not comments.empty.isHidden()
    comments.show_comments((), 12, hidden=True)
    assert "hidden until you have submitted" in comments.empty.text()


def test_what_was_typed_stays_when_the_field_is_left(comments):
    sent = []
    comments.remark_requested.connect(lambda *told: sent.append(told))
    comments.begin((3, 20, 30))
    assert comments.place.text() == "About voxel 30, 20:"  # of a case of one slice
    QTest.keyClicks(comments.field, "half a th")
    QTest.keyClick(comments.field, Qt.Key.Key_Escape)
    assert comments.field.parentWidget().isHidden()
    comments.begin((5, 1, 2))
    QTest.keyClicks(comments.field, "ought")
    QTest.keyClick(comments.field, Qt.Key.Key_Return)
    assert sent == [("half a thought", (5, 1, 2))]
    comments.begin(None)
    QTest.keyClick(comments.field, Qt.Key.Key_Return)
    assert len(sent) == 1  # nothing was said


def test_a_chosen_comment_is_settled_and_opened_again(comments):
    asked = []
    comments.resolve_requested.connect(lambda one, settled: asked.append((one.id, settled)))
    comments.show_comments([comment(1), comment(2, resolved="Ben")], 12)
    assert comments.resolve_button.isHidden()
    comments.list.setCurrentRow(0)
    assert comments.resolve_button.text() == "Resolve"
    comments.resolve_button.click()
    comments.list.setCurrentRow(1)
    assert comments.resolve_button.text() == "Open again"
    comments.resolve_button.click()
    assert asked == [("1", True), ("2", False)]


# In the window


@pytest.fixture
def window(work):
    Preferences().person = ME
    work.controller.opening.sit_down()
    return work


def pins(work):
    return work.controller.canvas.overlay_text.pins


def test_c_comments_on_the_voxel_under_the_pointer(window):
    work = window
    go_to(work, 5)
    QTest.mouseMove(work.controller.canvas.widget, at(work, 24, 14))
    QTest.qWait(30)
    work.key(Qt.Key.Key_C)
    field = work.dock.work.comments.field
    assert QApplication.focusWidget() is field
    QTest.keyClicks(field, "not a lesion")
    QTest.keyClick(field, Qt.Key.Key_Return)
    [said] = acts(work, "remark")
    assert (said["who"], said["text"], said["voxel"]) == (ME, "not a lesion", [5, 24, 14])
    assert abs(said["at"] - datetime.now(UTC).timestamp()) < 60
    assert len(pins(work)) == 1
    here = QPoint(round(pins(work)[0].x), round(pins(work)[0].y))
    assert (here - at(work, 24, 14)).manhattanLength() <= 2
    assert QApplication.focusWidget() is work.controller.canvas.widget


def test_the_pointer_stays_while_the_slice_under_it_changes(window):
    work = window
    go_to(work, 5)
    QTest.mouseMove(work.controller.canvas.widget, at(work, 31, 9))
    QTest.qWait(30)
    work.controller.act("slice_next")
    work.key(Qt.Key.Key_C)
    assert work.dock.work.comments.place.text() == "About slice 7, voxel 9, 31:"


def test_a_comment_is_gone_to_and_nothing_else_moves(window):
    work = window
    canvas = work.controller.canvas
    layers = list(work.viewer.layers)
    active = work.viewer.layers.selection.active
    zoom = work.viewer.scene.camera.zoom
    case = work.session.open_case.info.id
    work.session.desk.do(Remark(who=ME, case=case, text="here", voxel=(9, 50, 7)))
    reviewed.see(work, lambda: work.dock.work.comments.comments)
    assert pins(work) == ()  # it lies on another slice
    work.dock.work.comments.toggle.setChecked(True)
    item = work.dock.work.comments.list.item(0)
    work.dock.work.comments.list.itemClicked.emit(item)
    assert canvas.slice == 9
    middle = canvas.widget.rect().center()
    assert (at(work, 50, 7) - middle).manhattanLength() <= 3
    [pin] = pins(work)
    assert (QPoint(round(pin.x), round(pin.y)) - middle).manhattanLength() <= 3
    assert list(work.viewer.layers) == layers
    assert work.viewer.layers.selection.active is active
    assert work.viewer.scene.camera.zoom == zoom


def test_marks_are_hidden_with_the_masks_and_while_space_is_held(window):
    work = window
    case, canvas = work.session.open_case.info.id, work.controller.canvas
    voxel = (canvas.slice, 20, 20)
    work.session.desk.do(Remark(who=ME, case=case, text="here", voxel=voxel))
    reviewed.see(work, lambda: pins(work))
    work.key(Qt.Key.Key_G)
    assert pins(work) == ()
    work.key(Qt.Key.Key_G)
    assert len(pins(work)) == 1
    canvas.hide_while(True)
    assert pins(work) == ()
    canvas.hide_while(False)
    assert len(pins(work)) == 1


def test_a_settled_comment_has_a_fainter_mark(window):
    work = window
    case, canvas = work.session.open_case.info.id, work.controller.canvas
    work.session.desk.do(Remark(who=ME, case=case, text="here", voxel=(canvas.slice, 20, 20)))
    reviewed.see(work, lambda: pins(work))
    comments = work.dock.work.comments
    comments.toggle.setChecked(True)
    comments.list.setCurrentRow(0)
    comments.resolve_button.click()
    assert [pin.faint for pin in pins(work)] == [True]
    assert [one["resolved"] for one in acts(work, "resolve")] == [True]
    assert comments.toggle.text() == "Comments: 0 open, 1 in all"


def test_the_comments_of_one_case_are_not_those_of_another(window):
    work = window
    case = work.session.open_case.info.id
    work.session.desk.do(Remark(who=ME, case=case, text="here", voxel=(6, 20, 20)))
    reviewed.see(work, lambda: work.dock.work.comments.comments)
    work.dock.work.comments.begin((6, 1, 1))
    QTest.keyClicks(work.dock.work.comments.field, "unsent")
    work.open_case("bare")
    assert work.dock.work.comments.comments == ()
    assert work.dock.work.comments.field.text() == ""
    assert pins(work) == ()
