"""The journal in the window: work goes on tomorrow, in one window, and says if it fails."""

import sqlite3
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event

import numpy as np
import pytest
from napari.qt import QtViewer
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QFileDialog

import napari_chest
from napari_chest.review.folder import review_folder
from napari_chest.review.journal.telling import JournalState
from napari_chest.ui.journaling import Journaling, state_text
from napari_chest.ui.loading import FirstImage, read_case
from napari_chest.ui.preferences import Preferences
from napari_chest.ui.session import Session

CTRL = Qt.KeyboardModifier.ControlModifier


class Elsewhere:
    """Another session on the same dataset, as of another program."""

    def __init__(self, folder):
        self.dataset = napari_chest.open_dataset(folder)
        self.session = Session()
        self.session.open_dataset(self.dataset, self.dataset.cases(), review_folder(folder))

    def open(self, title):
        info = next(case for case in self.session.cases if case.title == title)
        for part in read_case(self.dataset, info, Event(), self.session.journal):
            if isinstance(part, FirstImage):
                self.session.show_case(part.case)
        return self.session.draft


@pytest.fixture
def elsewhere(dataset_folder):
    opened = []

    def open_one():
        opened.append(Elsewhere(dataset_folder))
        return opened[-1]

    yield open_one
    for one in opened:
        one.session.close()


def test_a_restart_finds_the_last_stroke_and_can_undo_it(opened, elsewhere):
    before = opened.values.copy()
    opened.key(Qt.Key.Key_4)
    opened.key(Qt.Key.Key_PageDown)
    opened.key(Qt.Key.Key_3)
    changed = opened.values.copy()
    opened.session.close()
    draft = elsewhere().open("P001")
    np.testing.assert_array_equal(draft.labels.values, changed)
    draft.undo()
    draft.undo()
    np.testing.assert_array_equal(draft.labels.values, before)
    assert draft.undo() is None


def test_undo_goes_past_a_write_back_after_a_restart(opened, elsewhere, dataset_folder, answers):
    before = opened.values.copy()
    opened.key(Qt.Key.Key_4)
    answers.expect("Write 1 slice")
    opened.save(opened.dock.save.write_button)
    opened.dock.proof.done_button.click()
    opened.session.close()
    other = elsewhere()
    draft = other.open("P001")
    assert other.session.unsaved() == []
    assert other.session.open_case.restored.problems == ()
    assert other.session.undo() is not None
    np.testing.assert_array_equal(draft.labels.values, before)
    assert [one.case.title for one in other.session.not_in_dataset()] == ["P001"]


def test_what_was_left_is_listed_after_a_restart_and_saved_unopened(
    bench, elsewhere, dataset_folder
):
    first = elsewhere()
    first.open("P002")
    first.session.set_cells([5], "RML", value=True)
    first.session.set_cells([6], "RML", value=False)
    changed = first.session.draft.labels.values.copy()
    first.session.close()
    bench.open(dataset_folder, "P001")
    bench.wait(lambda: bool(bench.session.unsaved()))
    assert [one.case.title for one in bench.session.unsaved()] == ["P002"]
    assert bench.dock.state.property("state") == "unsaved"
    bench.controller.act("save")
    assert "P002, updated-1" in bench.dock.save.changes.toPlainText()
    bench.dock.save.export_button.click()
    bench.wait(lambda: bench.dock.pages.currentWidget() is bench.dock.proof)
    assert bench.dock.proof.headline.property("state") == "saved"
    assert bench.session.unsaved() == []
    assert [one.case.title for one in bench.session.not_in_dataset()] == ["P002"]
    exported = np.load(review_folder(dataset_folder) / "export" / "Lobe-level-labels-updated-1.npy")
    np.testing.assert_array_equal(exported[1, :24].astype(bool), changed[:, :5])
    bench.dock.proof.done_button.click()
    bench.open_case("P002")
    np.testing.assert_array_equal(bench.values, changed)
    assert bench.session.unsaved() == []


def test_what_was_left_is_written_back_unopened(bench, elsewhere, dataset_folder, answers):
    first = elsewhere()
    first.open("P002")
    first.session.set_cells([5], "RML", value=True)
    first.session.close()
    bench.open(dataset_folder, "P001")
    bench.wait(lambda: bool(bench.session.unsaved()))
    answers.expect("Write 1 slice")
    bench.save(bench.dock.save.write_button)
    assert bench.session.not_in_dataset() == []
    bench.session.close()
    second = elsewhere()
    assert second.session.journal.in_progress() == []
    second.open("P002")
    assert second.session.open_case.restored.problems == ()
    assert second.session.undo().name == "RML on slice 6"


def test_cases_that_were_left_are_not_kept_in_memory(opened):
    opened.key(Qt.Key.Key_4)
    changed = opened.values.copy()
    opened.open_case("P002")
    assert {case for case, _ in opened.session._drafts._drafts} == {
        opened.session.open_case.info.id
    }
    assert [one.case.title for one in opened.session.unsaved()] == ["P001"]
    opened.open_case("P001")
    np.testing.assert_array_equal(opened.values, changed)
    opened.key(Qt.Key.Key_Z, CTRL)
    assert opened.session.unsaved() == []


def test_cases_stay_in_memory_while_the_journal_cannot_be_written(opened, monkeypatch):
    journal = opened.session.journal
    with monkeypatch.context() as patch:
        patch.setattr(journal._database, "transaction", full_disk)
        opened.key(Qt.Key.Key_4)
        changed = opened.values.copy()
        opened.wait(lambda: bool(journal.state.error))
        opened.open_case("P002")
        assert [one.case.title for one in opened.session.unsaved()] == ["P001"]
        opened.open_case("P001")
        np.testing.assert_array_equal(opened.values, changed)
    assert journal.flush()


def full_disk():
    raise sqlite3.OperationalError("database or disk is full")


# Two windows


def test_a_second_window_is_read_only_and_says_so(opened, elsewhere):
    opened.key(Qt.Key.Key_4)
    opened.session.flush()
    other = elsewhere()
    draft = other.open("P001")
    told = []
    other.session.refused.connect(told.append)
    np.testing.assert_array_equal(draft.labels.values, opened.values)
    assert "another window on this computer has had this case open" in draft.read_only
    (problem,) = other.session.open_case.restored.problems
    assert problem.level == "warning"
    assert problem.text == draft.read_only
    assert other.session.set_cells([0], "LUL", value=True) is None
    assert other.session.undo() is None
    other.session.answer("severity", ("mild",))
    assert told == [draft.read_only] * 3
    np.testing.assert_array_equal(draft.labels.values, opened.values)
    assert other.session.unsaved() == []
    opened.open_case("P002")
    opened.session.flush()
    assert other.open("P001").read_only == ""
    assert other.session.undo() is not None


def test_a_case_that_is_open_elsewhere_is_not_saved_here(opened, elsewhere, dataset_folder):
    opened.key(Qt.Key.Key_4)
    opened.open_case("P002")
    opened.session.flush()
    other = elsewhere()
    other.open("P001")
    opened.controller.act("save")
    opened.dock.save.export_button.click()
    opened.wait(lambda: "was not saved" in opened.dock.message.text())
    assert "another window" in opened.dock.message.text()
    assert opened.session.unsaved()


def test_a_case_taken_over_by_another_window_changes_no_more(opened, monkeypatch):
    told = []
    opened.session.refused.connect(told.append)
    journal = opened.session.journal
    journal._claims.lost = frozenset({opened.session.open_case.info.id})
    opened.controller.journaling.look()
    assert "another window has taken it over" in opened.session.draft.read_only
    opened.controller.journaling.look()
    assert len(told) == 1


# Another dataset than before


def test_work_on_another_state_of_the_dataset_is_told_and_not_replayed(
    bench, elsewhere, dataset_folder
):
    first = elsewhere()
    first.open("P001")
    first.session.set_cells([5], "RML", value=True)
    first.session.close()
    path = dataset_folder / "Lobe-level-labels-updated-1.npy"
    labels = np.load(path)
    labels[0, 0, 0] = 1 - labels[0, 0, 0]
    np.save(path, labels)
    bench.open(dataset_folder)
    np.testing.assert_array_equal(bench.values[:, :5], labels[0, :24].astype(bool))
    told = bench.dock.details.text.text()
    assert "1 step, which was recorded since" in told
    assert "journal.sqlite" in told


def test_a_journal_that_cannot_be_read_lets_nothing_be_changed(bench, dataset_folder):
    path = review_folder(dataset_folder) / "journal.sqlite"
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 7")
    connection.close()
    bench.open(dataset_folder)
    assert "newer napari-chest" in bench.session.draft.read_only
    assert "newer napari-chest" in bench.dock.details.text.text()


# What is told


NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ago", "text"), [(2, "2 s ago"), (-3, "0 s ago"), (200, "3 min ago"), (7300, "2 h ago")]
)
def test_the_state_says_when_it_was_saved(ago, text):
    state = JournalState(saved=NOW - timedelta(seconds=ago))
    assert state_text(state, NOW) == (f"saved {text}", "saved")


def test_the_state_says_that_the_journal_is_behind_or_fails():
    state = JournalState(pending=2, oldest=time.monotonic() - 7, saved=NOW)
    assert state_text(state, NOW) == ("saving, 7 s behind", "unsaved")
    recent = replace(state, oldest=time.monotonic() - 1)
    assert state_text(recent, NOW) == ("saved 0 s ago", "saved")
    failed = replace(state, error="the disk is full")
    assert state_text(failed, NOW) == ("not saved: the disk is full", "bad")
    assert state_text(JournalState(), NOW) == ("", "saved")


def test_a_full_disk_is_told_and_work_is_recorded_elsewhere(
    opened, elsewhere, dataset_folder, tmp_path, monkeypatch
):
    journaling = opened.controller.journaling
    states, said = [], []
    journaling.state_changed.connect(lambda text, state: states.append((text, state)))
    journaling.said.connect(lambda text, state: said.append((text, state)))
    journal = opened.session.journal
    chosen = tmp_path / "other disk"
    chosen.mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(journal._database, "transaction", full_disk)
        patch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(chosen))
        opened.key(Qt.Key.Key_4)
        changed = opened.values.copy()
        opened.wait(lambda: any("disk is full" in text for text, _ in states))
        assert states[-1][1] == "bad"
        journaling.save_elsewhere()
        opened.wait(lambda: bool(said))
    assert said == [(f"Your work is recorded in {chosen} from now on.", "")]
    opened.wait(lambda: states[-1][1] == "saved")
    assert Preferences().journal_folder(dataset_folder) == chosen
    first = opened.session.journal
    opened.controller.opening.open_folder(dataset_folder)
    opened.wait(lambda: opened.session.journal is not first and opened.session.draft is not None)
    opened.wait(lambda: not opened.controller.opening.reader.busy)
    assert opened.session.journal.path == chosen / "journal.sqlite"
    np.testing.assert_array_equal(opened.values, changed)


def test_a_damaged_journal_is_told(bench, dataset_folder):
    path = review_folder(dataset_folder) / "journal.sqlite"
    path.parent.mkdir()
    path.write_bytes(b"no database" * 500)
    said = []
    bench.controller.journaling.said.connect(lambda text, state: said.append((text, state)))
    bench.open(dataset_folder)
    bench.wait(lambda: bool(said))
    assert "is damaged" in said[0][0]
    assert said[0][1] == "bad"


def test_a_closed_dock_listens_no_more(opened):
    session = opened.session
    assert isinstance(opened.controller.journaling, Journaling)
    before = len(session.journal_changed)
    opened.viewer.window.remove_dock_widget(opened.dock)
    assert len(session.journal_changed) == before - 1


@pytest.mark.parametrize("where", ["the canvas", "the dock"])
def test_ctrl_s_puts_strokes_on_disk_and_not_naparis_dialog_on_screen(opened, monkeypatch, where):
    asked = []
    monkeypatch.setattr(QtViewer, "_save_layers_dialog", lambda *_, **__: asked.append(True))
    opened.viewer.window._qt_window.activateWindow()
    opened.key(Qt.Key.Key_4)
    button = opened.dock.work.review.buttons["submit"]
    button.setFocus()
    pressed = opened.controller.canvas.widget if where == "the canvas" else button
    QTest.keyClick(pressed, Qt.Key.Key_S, CTRL)
    QApplication.processEvents()
    assert asked == []
    assert opened.dock.message.text() == "Every step is on disk."
