"""The page of the review: person, rounds, people, store, what was refused, the log."""

import csv
import json

import pytest
import reviewed
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QFileDialog, QPushButton, QToolButton
from reviewed import CHIEF, ME, acts, elsewhere, make_reader

from napari_chest.errors import NotAllowedError
from napari_chest.review.acts import Begin, Decide, Enrol, OpenRound, Submit
from napari_chest.review.book import Book
from napari_chest.review.words import Round
from napari_chest.ui.preferences import Preferences
from napari_chest.ui.review_words import act_in_words, round_lines


@pytest.fixture
def opened(bench, dataset_folder):
    Preferences().person = ME
    bench.open(dataset_folder)
    bench.viewer.window._qt_window.activateWindow()
    bench.dock.review_button.click()
    QTest.qWait(50)
    return bench


def page(work):
    return work.dock.rounds_page


def lines(listed):
    return [listed.item(row).text() for row in range(listed.count())]


# The person


def test_the_first_name_is_the_login_name(monkeypatch):
    monkeypatch.setattr("getpass.getuser", lambda: " anna ")
    assert Preferences().person == "anna"

    def nobody():
        raise OSError("no such user")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert Preferences().person == "reader"


@pytest.mark.parametrize("name", ["", "  ", "adjudicated", "a\u200bb", "A · B", "x" * 300])
def test_a_strange_name_is_refused_and_not_remembered(name):
    preferences = Preferences()
    preferences.person = "Anna"
    with pytest.raises(NotAllowedError):
        preferences.person = name
    assert Preferences().person == "Anna"


def test_another_name_is_used_at_once_and_the_next_time(opened):
    field = page(opened).person.name
    assert field.text() == ME
    field.clear()
    field.insert("Rita Réader")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert opened.session.person == "Rita Réader"
    assert Preferences().person == "Rita Réader"
    opened.wait(lambda: not opened.controller.opening.reader.busy)
    opened.session.set_cells([3], "LLL", not opened.values[3, 0])
    assert [who for who, *_ in reviewed.log(opened)] == ["Rita Réader"]


def test_the_list_hides_the_facts_as_soon_as_a_case_is_to_be_read_blind(opened):
    case = opened.session.open_case.info
    listed = opened.dock.cases.refresh
    shown = []
    opened.dock.cases.refresh = lambda cases: (shown.append(cases), listed(cases))
    opened.session.desk.do(OpenRound(who=ME, number=1, title="First", readers=(ME,)))
    opened.wait(lambda: bool(shown))
    assert case.facts
    assert not any(one.facts for one in shown[-1])
    opened.session.desk.do(Submit(who=ME, case=case.id, reader=ME, round=1))
    opened.wait(lambda: len(shown) > 1)
    assert [one.id for one in shown[-1] if one.facts] == [case.id]


def test_why_a_name_is_refused_is_said_beside_it(opened):
    page(opened).person.person_requested.emit("  ")
    assert "empty" in page(opened).person.role.text()
    assert page(opened).person.role.property("state") == "bad"
    assert opened.session.person == ME


# Rounds


def test_a_round_is_opened_read_in_and_closed(opened):
    rounds = page(opened).rounds
    opened.wait(lambda: rounds.toggle.isEnabled())
    rounds.toggle.click()
    rounds.open_button.click()
    assert rounds.refused.text() == "A round needs a title."
    rounds.title.setText("Pilot")
    rounds.readers.setText(f" {ME}, Rita ,")
    rounds.start.setCurrentIndex(1)
    rounds.open_button.click()
    [act] = acts(opened, "open round")
    told = {key: act[key] for key in ("number", "title", "blind", "start", "readers", "cases")}
    assert told == {
        "number": 1, "title": "Pilot", "blind": True, "start": "dataset", "readers": [ME, "Rita"],
        "cases": [],
    }  # fmt: skip
    assert rounds.form.isHidden()
    total = len(opened.session.cases)
    assert lines(rounds.list)[1] == (
        f"1 Pilot · blind · from the dataset's reading\n{ME} 0, Rita 0 of {total}"
    )
    rounds.list.setCurrentRow(1)
    rounds.read_button.click()
    assert opened.session.round == 1
    assert opened.dock.pages.currentWidget() is opened.dock.work
    opened.wait(lambda: opened.session.draft.saved.reader == f"{ME} · round 1")
    opened.dock.review_button.click()
    rounds.list.setCurrentRow(1)
    rounds.close_button.click()
    assert acts(opened, "close round") == []
    assert rounds.close_button.text() == "For good?"
    rounds.close_button.click()
    assert [one["number"] for one in acts(opened, "close round")] == [1]
    assert "closed" in lines(rounds.list)[1]
    assert not rounds.close_button.isEnabled()


def test_a_round_of_the_listed_cases_has_no_others(opened):
    opened.dock.cases.search.setText("subjects/P002 COVID")
    opened.dock.review_button.click()
    rounds = page(opened).rounds
    assert rounds.cases.itemText(1) == "the 1 cases listed now"
    rounds.title.setText("Two")
    rounds.cases.setCurrentIndex(1)
    rounds.open_button.click()
    case = next(case.id for case in opened.session.cases if case.title == "P002")
    assert [one["cases"] for one in acts(opened, "open round")] == [[case]]


def test_a_reader_opens_no_rounds_and_is_told_why(opened):
    make_reader(opened)
    opened.wait(lambda: not page(opened).rounds.toggle.isEnabled())
    assert "Only adjudicators" in page(opened).rounds.toggle.toolTip()
    assert "Only adjudicators" in page(opened).rounds.hint.text()
    assert not page(opened).people.enrol_button.isEnabled()
    assert "Only adjudicators" in page(opened).people.hint.text()
    assert page(opened).person.role.text() == "takes part as reader"


def test_how_far_the_readers_of_a_round_are():
    book = Book()
    names = [f"R{n}" for n in range(9)]
    for act in (
        Enrol(who=CHIEF, person="R1"),
        OpenRound(who=CHIEF, number=1, title="Many", readers=tuple(names)),
        Submit(who=CHIEF, case="a", reader="R1", round=1),
        Submit(who=CHIEF, case="gone", reader="R1", round=1),
        Submit(who=CHIEF, case="a", reader=CHIEF),
    ):
        book = book.with_act(act)
    review, many = round_lines(book, CHIEF, ["a", "b"])
    assert (review.number, review.open) == (0, False)
    assert review.text == f"Review of the dataset's readings\n{CHIEF} 1 of 2"
    assert many.text == (
        "1 Many · blind · from scratch\nR0 0, R1 1, R2 0, R3 0, R4 0, R5 0, 3 more of 2\n"
        "you do not read in it"
    )
    assert many.open
    assert round_lines(Book(), CHIEF, ["a"])[0].text.endswith("nobody has submitted any of 1 case")
    assert Round(1, "x").blind


# People


def test_people_are_enrolled_and_their_roles_changed(opened):
    people = page(opened).people
    opened.wait(lambda: people.enrol_button.isEnabled())
    assert "first adjudicates" in people.hint.text()
    people.name.setText("Rita")
    people.enrol_button.click()
    assert lines(people.list) == [f"{ME} · adjudicator", "Rita · reader"]
    people.list.setCurrentRow(1)
    assert people.name.text() == "Rita"
    people.role.setCurrentText("adjudicator")
    people.enrol_button.click()
    assert lines(people.list) == [f"{ME} · adjudicator", "Rita · adjudicator"]
    assert [(one["person"], one["role"]) for one in acts(opened, "enrol")] == [
        ("Rita", "reader"), ("Rita", "adjudicator"),
    ]  # fmt: skip


# The store


def test_the_review_is_kept_elsewhere_from_now_on(opened, tmp_path):
    root = opened.session.dataset.root
    other = tmp_path / "shared" / "team.sqlite"
    other.parent.mkdir()
    store = page(opened).store
    store.address.setText(str(other))
    store.address.setModified(True)
    store.use_button.click()
    opened.session.set_cells([3], "LLL", not opened.values[3, 0])
    assert opened.session.desk.sent(10)
    assert other.is_file()
    assert Preferences().store(root) == str(other)
    opened.controller.rounds.look()
    assert store.state.text() == "on this computer, connected"


def test_a_password_in_the_address_is_refused(opened):
    store = page(opened).store
    store.address.insert("postgresql+psycopg://me:secret@server/db")
    store.use_button.click()
    assert "password" in store.state.text()
    opened.controller.rounds.look()
    assert "password" in store.state.text()  # as long as it stands there
    assert Preferences().store(opened.session.dataset.root) == ""


def test_the_environment_names_the_store_first(monkeypatch, tmp_path):
    preferences = Preferences()
    preferences.remember_store(tmp_path, "here.sqlite")
    assert preferences.store(tmp_path) == "here.sqlite"
    assert preferences.store(tmp_path / "other") == ""
    monkeypatch.setenv("NAPARI_CHEST_STORE", "there.sqlite")
    assert preferences.store(tmp_path) == "there.sqlite"


def test_what_the_store_refused_is_listed_with_why_and_dismissed(opened):
    case = opened.session.cases[0].id
    opened.session.desk.do(Begin(who=ME, case=case, reader=ME))
    opened.session.desk.do(Decide(who=ME, case=case, reader=ME, state="approved", seen=40))
    opened.wait(lambda: bool(opened.session.desk.state.refused))
    opened.controller.rounds.look()
    store = page(opened).store
    assert not store.refused.isHidden()
    assert "in progress" in lines(store.refused)[0]
    assert lines(store.refused)[0].startswith(f"decide, {case}\n")
    assert opened.dock.store.text() == "1 refused"
    store.dismiss_button.click()
    assert store.refused.count() == 0
    assert opened.dock.store.isHidden()


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_the_log_is_written_into_a_file(opened, monkeypatch, tmp_path, kind):
    target = tmp_path / f"log.{kind}"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    case = opened.session.cases[0].id
    opened.session.desk.do(Begin(who=ME, case=case, reader=ME))
    assert opened.session.desk.sent(10)
    page(opened).store.log_buttons[kind].click()
    opened.wait(lambda: "1 line of the log" in opened.dock.message.text())
    if kind == "csv":
        with target.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    else:
        rows = json.loads(target.read_text("utf-8"))
    assert [(row["who"], row["what"], row["case"]) for row in rows] == [(ME, "begin", case)]


def test_an_act_in_words():
    assert act_in_words(Submit(who=ME, case="P001", reader=ME)) == "submit, P001"
    assert act_in_words(OpenRound(who=ME, number=1, title="Pilot")) == "open round, Pilot"
    assert act_in_words(Enrol(who=ME, person="Rita")) == "enrol, Rita"


# Manners


def test_escape_goes_back_and_everything_has_a_name(opened):
    for button in (
        *page(opened).findChildren(QPushButton),
        *page(opened).findChildren(QToolButton),
    ):
        assert button.text() or button.parent().inherits("QLineEdit")
    QTest.keyClick(page(opened).done_button, Qt.Key.Key_Escape)
    assert opened.dock.pages.currentWidget() is opened.dock.work


def test_long_names_do_not_widen_the_page(opened):
    long = "Bartholomäus Featherstonehaugh-Cholmondeley-Montgomery the Younger"
    with elsewhere(opened, long) as desk:
        desk.do(OpenRound(who=long, number=1, title="T" * 150, readers=(long, ME)))
    opened.wait(lambda: page(opened).rounds.list.count() == 2)
    assert page(opened).minimumSizeHint().width() <= 264
    assert opened.dock.minimumSizeHint().width() <= 280
