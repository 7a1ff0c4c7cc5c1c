"""Answering by digits, and handing in by Enter, without leaving the form."""

import painted
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication
from reviewed import ME, acts, state_of

from napari_chest.model import Question, Reading
from napari_chest.review.packed import unpack_reading
from napari_chest.ui.preferences import Preferences

GRADE = Question("grade", "Grade", ("low", "high"))
MANY = Question("many", "Anatomy", tuple(f"part {n}" for n in range(40)), True)


class Asked(painted.Painted):
    """Two cases of two questions, and one that is asked by letters."""

    def __init__(self, root):
        super().__init__(root)
        answers = {"severity": (), "grade": (), "findings": ()}
        self.state = {
            "one": Reading("them", answers=answers),
            "two": Reading("them", answers=answers),
            "letters": Reading("them", answers={"many": ()}),
        }

    @property
    def questions(self):
        return (painted.SEVERITY, GRADE, painted.LABELS, MANY)


@pytest.fixture
def work(bench, tmp_path):
    Preferences().person = ME
    dataset = Asked(tmp_path / "set")
    bench.controller.opening._on_dataset_read(dataset, dataset.cases())
    bench.wait(lambda: bench.session.draft is not None and not bench.controller.opening.reader.busy)
    bench.viewer.window._qt_window.activateWindow()
    QTest.qWait(50)
    return bench


def form(work, key):
    return work.dock.questions.forms[key]


def press(key):
    QTest.keyClick(QApplication.focusWidget(), key)
    QApplication.processEvents()


def test_digits_answer_one_question_after_the_other_and_enter_submits(work):
    form(work, "severity").begin()
    press(Qt.Key.Key_2)
    assert QApplication.focusWidget() in form(work, "grade").focus_order()
    press(Qt.Key.Key_1)
    assert QApplication.focusWidget() is form(work, "findings").field
    press(Qt.Key.Key_1)
    press(Qt.Key.Key_3)
    assert work.session.draft.answers == {
        "severity": ("mild",),
        "grade": ("low",),
        "findings": ("pneumonia", "nodule"),
    }
    press(Qt.Key.Key_Return)
    work.wait(lambda: work.session.open_case.info.id == "two")
    work.wait(lambda: not work.controller.opening.reader.busy)
    assert state_of(work, "one") == "submitted"
    [submitted] = acts(work, "submit")
    assert submitted["case"] == "one"
    [stored] = work.session.desk.readings("one")
    assert (stored.owner, stored.at.timestamp()) == (ME, pytest.approx(submitted["at"], abs=1))
    assert unpack_reading(stored.payload).answers["findings"] == ("pneumonia", "nodule")
    # Who answers goes on answering.
    assert QApplication.focusWidget() in form(work, "severity").focus_order()
    press(Qt.Key.Key_3)
    assert work.session.draft.answers["severity"] == ("severe",)


def test_a_digit_takes_an_answer_back(work):
    form(work, "findings").begin()
    press(Qt.Key.Key_2)
    press(Qt.Key.Key_2)
    assert work.session.draft.answers["findings"] == ()
    press(Qt.Key.Key_9)  # there are three
    assert work.session.draft.answers["findings"] == ()


def test_a_digit_in_the_form_selects_no_segment(work):
    form(work, "severity").begin()
    asked = []
    work.dock.action_requested.connect(asked.append)
    press(Qt.Key.Key_1)
    press(Qt.Key.Key_9)
    assert asked == []


def test_enter_after_typed_letters_adds_an_answer_and_submits_nothing(work):
    work.open_case("letters")
    field = form(work, "many").field
    field.setFocus()
    QTest.keyClicks(field, "part 17")
    press(Qt.Key.Key_Return)
    assert work.session.draft.answers["many"] == ("part 17",)
    assert work.session.open_case.info.id == "letters"
    assert acts(work, "submit") == []
    assert field.text() == ""


def test_the_keys_of_a_form_are_told_while_it_has_the_keyboard(work):
    hint = work.dock.questions.hint
    assert hint.isHidden()
    form(work, "severity").begin()
    assert hint.text() == "1 none · 2 mild · 3 severe\nEnter submits the case"
    assert not hint.isHidden()
    work.controller.canvas.set_focus()
    work.wait(hint.isHidden)
