"""Saving from the window: the save page, the write, the proof, and the question before loss."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Literal

from qtpy.QtCore import QEvent, QObject, Signal
from qtpy.QtWidgets import QMessageBox, QWidget
from superqt.utils import create_worker

from napari_chest.changes import CaseChange
from napari_chest.errors import ChestError
from napari_chest.export import export_readings, write_back
from napari_chest.export.proof import describe
from napari_chest.model import Reading
from napari_chest.review.folder import review_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_chest.export import Proof
    from napari_chest.model import CaseInfo
    from napari_chest.ui.session import Draft, Session
    from napari_chest.ui.workbench import Workbench

Corrected = dict[str, list[Reading]]


class Saver(QObject):
    """Leads from unsaved changes to a proof.

    Signals
    -------
    done() : the person is finished with saving.
    reading_added() : the dataset has a new reading, which the open case does not show yet.
    """

    done = Signal()
    reading_added = Signal()

    def __init__(self, session: Session, workbench: Workbench, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._bench = workbench
        self._worker: Any = None
        page = workbench.save
        page.export_requested.connect(lambda as_new: self._save("export", as_new))
        page.write_back_requested.connect(self._confirm_write_back)
        page.cancel_requested.connect(self.done)
        workbench.proof.done_requested.connect(self.done)

    def show_page(self) -> None:
        """Show what is unsaved and where it can go."""
        dataset = self._session.dataset
        if dataset is None:
            return
        unsaved, outside = self._session.unsaved(), self._session.not_in_dataset()
        drafts = outside or unsaved
        lines = [
            line
            for draft in drafts
            for line in describe(CaseChange(draft.case.title, draft.change_to_dataset))
        ]
        # Two versions of one case cannot both become the one new version.
        new_reader = dataset.new_reader() if len(drafts) == _cases(drafts) else None
        folder = str(review_folder(dataset.root) / "export")
        self._bench.save.show_changes(lines, _cases(unsaved), _cases(outside), folder, new_reader)
        self._bench.show_page(self._bench.save)

    def may_discard(self, what: str) -> bool:
        """Whether unsaved changes may be lost; asks where there are any."""
        return may_discard(self._bench, self._session, what)

    def _confirm_write_back(self, as_new: bool) -> None:
        dataset = self._session.dataset
        assert dataset is not None
        drafts = self._session.not_in_dataset()
        slices = sum(len(draft.change_to_dataset.slices) for draft in drafts)
        verb = f"Write {slices} slice{'' if slices == 1 else 's'}"
        box = QMessageBox(self._bench)
        box.setWindowTitle("Write into the dataset")
        box.setText(f"{verb} into {dataset.root.name}?")
        box.setInformativeText(
            "The label files of the dataset itself are changed. As they are now they are kept in "
            "the backup folder of the review folder beside the dataset."
        )
        write = box.addButton(verb, QMessageBox.ButtonRole.AcceptRole)
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
        box.exec()
        if box.clickedButton() is write:
            self._save("write back", as_new)

    def _save(self, kind: Literal["export", "write back"], as_new: bool) -> None:
        dataset = self._session.dataset
        assert dataset is not None
        exporting = kind == "export"
        drafts = self._session.unsaved() if exporting else self._session.not_in_dataset()
        new_reader = dataset.new_reader() if as_new else None
        corrected = _readings(drafts, new_reader)
        save = export_readings if exporting else write_back
        self._bench.show_busy("Saving and reading back")
        self._bench.save.setEnabled(False)

        def save_and_list() -> tuple[Proof, Sequence[CaseInfo]]:
            # Listed here, on the thread, because facts of many cases may have to be read again.
            return save(dataset, corrected), dataset.cases()

        self._worker = create_worker(save_and_list, _start_thread=False, _ignore_errors=True)
        # What is saved is what was handed over, whatever is edited in the meantime.
        handed = [(draft.case.id, draft.reading) for draft in drafts]
        self._worker.returned.connect(
            lambda result: self._on_proof(result[0], result[1], handed, as_new)
        )
        self._worker.errored.connect(self._on_error)
        self._worker.start()

    def _on_proof(
        self,
        proof: Proof,
        cases: Sequence[CaseInfo],
        handed: list[tuple[str, Reading]],
        as_new: bool,
    ) -> None:
        self._finish()
        self._session.refresh_cases(cases)
        self._bench.cases.refresh(cases)
        titles = {case.id: case.title for case in self._session.cases}
        written = [saved for saved in handed if titles[saved[0]] not in proof.refused]
        in_dataset = proof.kind == "write back"
        if proof.as_meant:
            self._session.mark_saved(written, in_dataset=in_dataset)
        if proof.as_meant and in_dataset and as_new:
            # What was corrected is a label version of its own now, and the one before is unchanged.
            self._session.drop(written)
            self.reading_added.emit()
        lines = proof.lines()
        self._bench.proof.show_proof(lines[0], lines[1:], proof.folder, holds=proof.holds)
        self._bench.show_page(self._bench.proof)

    def _on_error(self, error: Exception) -> None:
        self._finish()
        if not isinstance(error, ChestError | OSError):
            raise error  # a mistake of ours: napari shows it with its traceback
        self._bench.show_message(str(error), "bad")

    def _finish(self) -> None:
        self._worker = None
        self._bench.show_idle()
        self._bench.save.setEnabled(True)


class CloseGuard(QObject):
    """Asks before a window closes over unsaved changes; outlives the dock, as the session does."""

    def __init__(self, window: QWidget, session: Session) -> None:
        super().__init__(window)
        self._window = window
        self._session = session
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Stop the window from closing where the person wants to go back."""
        # The type first: while the window is destroyed, this object has lost its attributes.
        if event.type() == QEvent.Type.Close and watched is self._window:
            if may_discard(self._window, self._session, "Close"):
                return False
            event.ignore()
            return True
        return False


def may_discard(parent: QWidget, session: Session, what: str) -> bool:
    """Whether unsaved changes may be lost by doing ``what``; asks where there are any."""
    drafts = session.unsaved()
    if not drafts:
        return True
    titles = ", ".join(dict.fromkeys(draft.case.title for draft in drafts))
    box = QMessageBox(parent)
    box.setWindowTitle("Unsaved changes")
    box.setText(f"Changes of {titles} are not saved.")
    discard = box.addButton(f"{what} and lose them", QMessageBox.ButtonRole.DestructiveRole)
    back = box.addButton("Go back", QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(back)
    box.setEscapeButton(back)
    box.exec()
    return box.clickedButton() is discard


def _cases(drafts: list[Draft]) -> int:
    return len({draft.case.id for draft in drafts})


def _readings(drafts: list[Draft], new_reader: str | None) -> Corrected:
    corrected: defaultdict[str, list[Reading]] = defaultdict(list)
    for draft in drafts:
        reading = draft.reading
        if new_reader is not None:
            reading = Reading(new_reader, reading.masks, reading.slice_labels, reading.answers)
        corrected[draft.case.id].append(reading)
    return dict(corrected)
