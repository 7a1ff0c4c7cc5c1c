"""Saving from the window: what is on disk afterwards, and what a person is told."""

import hashlib
import sqlite3
import threading

import numpy as np
from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QCloseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

import napari_chest
from napari_chest.edits import Draft
from napari_chest.files import atomic
from napari_chest.review.journal import Journal
from napari_chest.ui.saving import CloseGuard


def digests(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def refuse_writing(journal):
    """Let the journal meet a full disk."""

    def full():
        raise sqlite3.OperationalError("database or disk is full")

    journal._database.transaction = full


def heal(journal):
    del journal._database.transaction


def test_toggle_by_key_save_and_read_back_with_plain_numpy(opened, dataset_folder):
    source = digests(dataset_folder)
    before = np.load(dataset_folder / "Lobe-level-labels-updated-1.npy")
    opened.controller.canvas.go_to(12)
    was = before[0, 12].copy()
    opened.key(Qt.Key.Key_4)
    opened.key(
        Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    )
    assert opened.dock.pages.currentWidget() is opened.dock.save
    assert "RML" in opened.dock.save.changes.toPlainText()
    assert QApplication.focusWidget() is opened.dock.save.export_button
    QTest.keyClick(opened.dock.save.export_button, Qt.Key.Key_Return)
    opened.wait(lambda: opened.dock.pages.currentWidget() is opened.dock.proof)

    export = dataset_folder.with_name("covid-ct-md-review") / "export"
    after = np.load(export / "Lobe-level-labels-updated-1.npy")
    assert after.dtype == before.dtype
    assert np.argwhere(after != before).tolist() == [[0, 12, 3]]
    assert after[0, 12, 3] == 1 - was[3]
    slices = np.load(export / "Slice-level-labels-updated-1.npy")
    np.testing.assert_array_equal(slices[0] != 0, after[0].any(axis=1))
    for name in ("Index.csv", "Lobe-level-labels.npy", "Slice-level-labels.npy"):
        assert (export / name).read_bytes() == (dataset_folder / name).read_bytes()
    assert digests(dataset_folder) == source
    assert opened.dock.proof.headline.text().startswith("✓ Proved: exactly")
    assert opened.dock.state.text() == "all exported"
    QTest.keyClick(opened.dock.proof.done_button, Qt.Key.Key_Return)
    assert opened.dock.pages.currentWidget() is opened.dock.work


def test_write_back_asks_keeps_a_backup_and_changes_the_dataset(opened, dataset_folder, answers):
    old = (dataset_folder / "Lobe-level-labels-updated-1.npy").read_bytes()
    opened.controller.canvas.go_to(12)
    opened.key(Qt.Key.Key_4)
    slices = len(opened.session.draft.change.slices)
    answers.expect(f"Write {slices} slice")
    opened.save(opened.dock.save.write_button)
    assert answers.asked == ["Write 1 slice into covid-ct-md?"]
    now = np.load(dataset_folder / "Lobe-level-labels-updated-1.npy")
    np.testing.assert_array_equal(now[0, :24].astype(bool), opened.values[:, :5])
    backups = list((dataset_folder.with_name("covid-ct-md-review") / "backup").iterdir())
    assert len(backups) == 1
    assert (backups[0] / "Lobe-level-labels-updated-1.npy").read_bytes() == old
    infected = int(opened.values[:, -1].sum())
    model = opened.dock.cases.table.model()
    listed = [model.index(0, column).data() for column in range(model.columnCount())]
    assert f"{infected} infected" in listed
    # The dataset goes on from what is on disk now.
    opened.dock.proof.done_button.click()
    opened.key(Qt.Key.Key_4)
    answers.expect("Write 1 slice")
    opened.save(opened.dock.save.write_button)
    assert (dataset_folder / "Lobe-level-labels-updated-1.npy").read_bytes() == old


def test_write_back_can_be_refused(opened, dataset_folder, answers):
    source = digests(dataset_folder)
    opened.key(Qt.Key.Key_4)
    opened.controller.act("save")
    answers.expect("Cancel")
    opened.dock.save.write_button.click()
    assert digests(dataset_folder) == source
    assert opened.session.unsaved()


def test_saving_as_a_new_label_version_leaves_the_old_ones(opened, dataset_folder):
    opened.key(Qt.Key.Key_4)
    opened.controller.act("save")
    assert opened.dock.save.as_new.text() == "as a new label version, updated-2"
    opened.dock.save.as_new.setChecked(True)
    opened.dock.save.export_button.click()
    opened.wait(lambda: opened.dock.pages.currentWidget() is opened.dock.proof)
    export = dataset_folder.with_name("covid-ct-md-review") / "export"
    new = np.load(export / "Lobe-level-labels-updated-2.npy")
    np.testing.assert_array_equal(new[0, :24].astype(bool), opened.values[:, :5])
    name = "Lobe-level-labels-updated-1.npy"
    assert (export / name).read_bytes() == (dataset_folder / name).read_bytes()


def test_what_was_exported_can_still_be_written_back(opened, dataset_folder, answers):
    opened.controller.canvas.go_to(12)
    opened.key(Qt.Key.Key_4)
    opened.save(opened.dock.save.export_button)
    opened.dock.proof.done_button.click()
    opened.controller.act("save")
    assert not opened.dock.save.export_button.isEnabled()
    answers.expect("Write 1 slice")
    opened.save(opened.dock.save.write_button)
    now = np.load(dataset_folder / "Lobe-level-labels-updated-1.npy")
    np.testing.assert_array_equal(now[0, :24].astype(bool), opened.values[:, :5])
    assert opened.dock.state.text() == "nothing to export"
    assert not opened.dock.save_button.isEnabled()


def test_an_exported_correction_can_be_taken_back_by_another_export(opened, dataset_folder):
    export = dataset_folder.with_name("covid-ct-md-review") / "export"
    opened.controller.canvas.go_to(12)
    opened.key(Qt.Key.Key_4)
    opened.save(opened.dock.save.export_button)
    opened.dock.proof.done_button.click()
    opened.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    opened.controller.act("save")
    assert opened.dock.save.changes.toPlainText() == "P001, updated-1: as in the dataset again"
    assert not opened.dock.save.write_button.isEnabled()
    opened.dock.save.export_button.click()
    opened.wait(lambda: opened.dock.pages.currentWidget() is opened.dock.proof)
    assert opened.dock.proof.headline.property("state") == "saved"
    for name in ("Lobe-level-labels-updated-1.npy", "Slice-level-labels-updated-1.npy"):
        assert (export / name).read_bytes() == (dataset_folder / name).read_bytes()
    assert opened.dock.state.text() == "nothing to export"


def test_a_new_label_version_written_back_is_shown_as_the_newest(opened, dataset_folder, answers):
    before = opened.values.copy()
    opened.controller.canvas.go_to(12)
    opened.key(Qt.Key.Key_4)
    wanted = opened.values.copy()
    opened.controller.act("save")
    opened.dock.save.as_new.setChecked(True)
    answers.expect("Write 1 slice")
    opened.dock.save.write_button.click()
    opened.wait(lambda: opened.dock.pages.currentWidget() is opened.dock.proof)
    opened.wait(
        lambda: opened.session.draft is not None and not opened.controller.opening.reader.busy
    )
    assert opened.dock.reading.currentText() == "updated-2 (newest)"
    np.testing.assert_array_equal(opened.values, wanted)
    opened.session.choose_reader("updated-1")
    np.testing.assert_array_equal(opened.values, before)
    assert opened.session.not_in_dataset() == []


def test_two_cases_are_saved_together(opened):
    opened.key(Qt.Key.Key_4)
    opened.open_case("P002")
    opened.key(Qt.Key.Key_1)
    opened.save(opened.dock.save.export_button)
    text = opened.dock.proof.text.toPlainText()
    assert "P001, updated-1" in text
    assert "P002, updated-1" in text
    assert opened.session.unsaved() == []


def test_a_dataset_changed_meanwhile_is_refused_and_the_work_is_kept(opened, dataset_folder):
    opened.key(Qt.Key.Key_4)
    path = dataset_folder / "Slice-level-labels.npy"
    path.write_bytes(path.read_bytes()[:-8] + b"\1\0\0\0\0\0\0\0")
    opened.controller.act("save")
    opened.dock.save.export_button.click()
    opened.wait(lambda: "changed on disk" in opened.dock.message.text())
    assert opened.dock.message.property("state") == "bad"
    assert opened.session.unsaved()
    assert not (dataset_folder.with_name("covid-ct-md-review") / "export").exists()


def test_a_full_disk_is_told_and_the_work_is_kept(opened, dataset_folder, monkeypatch):
    source = digests(dataset_folder)

    def full(handle):
        raise OSError(28, "No space left on device")

    opened.key(Qt.Key.Key_4)
    monkeypatch.setattr(atomic.os, "fsync", full)
    opened.controller.act("save")
    opened.dock.save.export_button.click()
    opened.wait(lambda: "the disk is full" in opened.dock.message.text())
    assert opened.session.unsaved()
    assert digests(dataset_folder) == source
    monkeypatch.undo()
    opened.dock.save.export_button.click()
    opened.wait(lambda: opened.dock.pages.currentWidget() is opened.dock.proof)
    assert opened.session.unsaved() == []


def test_escape_leaves_the_save_page_with_nothing_done(opened, dataset_folder):
    opened.key(Qt.Key.Key_4)
    opened.controller.act("save")
    QTest.keyClick(opened.dock.save.export_button, Qt.Key.Key_Escape)
    assert opened.dock.pages.currentWidget() is opened.dock.work
    review = dataset_folder.with_name("covid-ct-md-review")
    kept = {"journal.sqlite", "outbox.sqlite", "review.sqlite"}
    assert {path.name.partition("-")[0] for path in review.iterdir()} <= kept


def test_closing_the_window_asks_nothing_once_all_is_in_the_journal(opened, dataset_folder):
    window = opened.dock.window()
    opened.key(Qt.Key.Key_4)
    changed = opened.values.copy()
    keep = KeepOpen(window)
    QApplication.sendEvent(window, QCloseEvent())
    window.removeEventFilter(keep)
    journal = Journal(dataset_folder.with_name("covid-ct-md-review") / "journal.sqlite")
    reading = napari_chest.open_dataset(dataset_folder).readings(opened.session.open_case.info.id)
    draft = Draft(opened.session.open_case.info, reading[0])
    journal.resume(draft.case.id, "updated-1", reading[0]).go_on(draft)
    journal.close()
    np.testing.assert_array_equal(draft.labels.values, changed)


class KeepOpen(QObject):
    """Lets a window hear that it is closed, and keeps it for the rest of the test."""

    def __init__(self, window):
        super().__init__(window)
        self.window = window
        window.installEventFilter(self)

    def eventFilter(self, watched, event):  # noqa: N802
        if event.type() == QEvent.Type.Close:
            (guard,) = self.window.findChildren(CloseGuard)
            assert not guard.eventFilter(watched, event)
            event.ignore()
            return True
        return False


def test_closing_the_window_lets_go_of_what_is_read_and_ends_the_threads(bench, dataset_folder):
    window, others = bench.dock.window(), set(threading.enumerate())
    bench.controller.opening.open_folder(dataset_folder)
    bench.wait(lambda: bench.session.journal is not None)
    assert bench.controller.reader.busy
    keep = KeepOpen(window)
    QApplication.sendEvent(window, QCloseEvent())
    window.hide()  # as Qt does before it destroys the window, when no timer fires any more
    window.removeEventFilter(keep)
    assert not bench.controller.reader.busy
    left = {one.name for one in set(threading.enumerate()) - others if one.is_alive()}
    assert not left & {"desk", "outbox", "journal"}


def test_a_window_does_not_close_while_what_is_saved_is_read_back(opened):
    window = opened.dock.window()
    opened.session.begin_saving([opened.session.open_case.info.id])
    event = QCloseEvent()
    QApplication.sendEvent(window, event)
    assert not event.isAccepted()
    assert window.isVisible()
    assert opened.dock.message.text() == "Saving. Close the window once the proof is shown."
    opened.session.saving_done()


def test_a_window_that_was_not_closed_goes_on_when_it_is_hidden(opened):
    window = opened.dock.window()
    window.hide()
    window.show()
    opened.key(Qt.Key.Key_4)
    assert opened.session.flush()
    assert opened.session.journal.state.error == ""


def test_closing_the_window_asks_where_the_journal_cannot_be_written(opened, answers):
    window = opened.dock.window()
    refuse_writing(opened.session.journal)
    opened.key(Qt.Key.Key_4)
    answers.expect("Go back")
    event = QCloseEvent()
    QApplication.sendEvent(window, event)
    assert answers.asked == ["Changes of P001 are not saved."]
    assert not event.isAccepted()
    assert window.isVisible()
    heal(opened.session.journal)


def test_opening_another_dataset_asks_where_the_journal_cannot_be_written(
    opened, dataset_folder, answers
):
    refuse_writing(opened.session.journal)
    opened.key(Qt.Key.Key_4)
    answers.expect("Go back")
    opened.controller.opening.open_folder(dataset_folder)
    assert not opened.controller.opening.reader.busy
    assert opened.session.unsaved()
    answers.expect("Open another dataset and lose them")
    opened.controller.opening.open_folder(dataset_folder)
    opened.wait(lambda: bool(answers.asked[1:]) and opened.session.draft is not None)
    opened.wait(lambda: not opened.controller.opening.reader.busy)
    assert opened.session.unsaved() == []


def test_opening_a_dataset_again_loses_nothing(opened, dataset_folder, answers):
    first, draft = opened.session.journal, opened.session.draft
    opened.controller.opening.open_folder(dataset_folder)
    opened.key(Qt.Key.Key_4)  # while it is read
    changed = draft.labels.values.copy()
    assert draft.change
    opened.wait(lambda: opened.session.journal is not first and opened.session.draft is not None)
    opened.wait(lambda: not opened.controller.opening.reader.busy)
    assert answers.asked == []
    np.testing.assert_array_equal(opened.values, changed)
    assert [one.case.title for one in opened.session.unsaved()] == ["P001"]


def test_an_export_after_a_restart_adds_to_the_one_before(bench, dataset_folder):
    export = dataset_folder.with_name("covid-ct-md-review") / "export"
    for z in (3, 5):  # each in a session of its own that starts from the dataset
        bench.open(dataset_folder)
        bench.controller.canvas.go_to(z)
        bench.key(Qt.Key.Key_4)
        bench.save(bench.dock.save.export_button)
        assert bench.dock.proof.headline.property("state") == "saved"
        assert f"on slice {z + 1}" in bench.dock.proof.text.toPlainText()
        bench.dock.proof.done_button.click()
    before = np.load(dataset_folder / "Lobe-level-labels-updated-1.npy")
    after = np.load(export / "Lobe-level-labels-updated-1.npy")
    assert np.argwhere(before != after).tolist() == [[0, 3, 3], [0, 5, 3]]
    slices = np.load(export / "Slice-level-labels-updated-1.npy")
    np.testing.assert_array_equal(slices[0] != 0, after[0].any(axis=1))


def test_the_save_page_stays_true_while_the_image_is_edited(opened):
    opened.key(Qt.Key.Key_4)
    opened.controller.act("save")
    before = opened.dock.save.changes.toPlainText()
    opened.key(Qt.Key.Key_PageDown)
    opened.key(Qt.Key.Key_4)
    assert opened.dock.save.changes.toPlainText() != before


def test_a_refused_save_leaves_the_keyboard_and_a_list_of_the_changes(opened, dataset_folder):
    opened.key(Qt.Key.Key_4)
    with (dataset_folder / "Index.csv").open("ab") as file:
        file.write(b"\r\n")
    opened.controller.act("save")
    opened.dock.save.export_button.click()
    opened.wait(lambda: "changed on disk" in opened.dock.message.text())
    assert QApplication.focusWidget() is opened.dock.save.export_button
    (kept,) = (dataset_folder.with_name("covid-ct-md-review") / "not-saved").iterdir()
    assert "P001, updated-1: RML" in kept.read_text()
    assert str(kept) in opened.dock.message.text()
