"""Saving from the window: the save page, the write, the proof, and the question before loss."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject, Signal
from qtpy.QtWidgets import QMessageBox, QWidget

from napari_chest.changes import CaseChange
from napari_chest.errors import ChangedOnDiskError, ChestError
from napari_chest.export import (
    Correction,
    Parts,
    Release,
    export_readings,
    plan_release,
    released,
    write_back,
)
from napari_chest.export.proof import describe
from napari_chest.files.atomic import write_together
from napari_chest.review.folder import review_folder, stamp
from napari_chest.ui.background import Background
from napari_chest.ui.resuming import take_up

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_chest.datasets import Dataset
    from napari_chest.edits import Draft
    from napari_chest.export import Part, Proof, SaveKind
    from napari_chest.model import CaseInfo
    from napari_chest.ui.drafts import Handed
    from napari_chest.ui.resuming import Unsaved
    from napari_chest.ui.session import Session
    from napari_chest.ui.workbench import Workbench


@dataclass(frozen=True)
class _Save:
    """A save under way: what was handed over, whatever is edited or opened in the meantime.

    Attributes
    ----------
    dataset : the dataset that is written, or exported from.
    kind : which of them.
    handed : what was handed over; readings that were left come to it on the thread.
    left : readings of which no draft is in memory.
    lines : what is saved, for a person.
    new_reader : under whom it is saved, where not under the reader who was corrected.
    """

    dataset: Dataset
    kind: SaveKind
    handed: list[Handed]
    left: list[Unsaved]
    lines: list[str]
    new_reader: str | None


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
        self._work: Background | None = None
        page = workbench.save
        page.export_requested.connect(lambda as_new: self._save("export", as_new))
        page.write_back_requested.connect(self._confirm_write_back)
        page.release_requested.connect(self._release)
        page.cancel_requested.connect(self.done)
        workbench.proof.done_requested.connect(self.done)
        session.unsaved_changed.connect(self._refresh_page)

    def show_page(self) -> None:
        """Show what is unsaved and where it can go."""
        dataset = self._session.dataset
        if dataset is None:
            return
        unsaved, outside = self._session.unsaved(), self._session.not_in_dataset()
        corrected = outside + [one for one in unsaved if one not in outside]
        lines = _describe(corrected, dataset)
        # Two versions of one case cannot both become the one new version.
        new_reader = dataset.new_reader() if len(corrected) == _cases(corrected) else None
        folder = str(review_folder(dataset.root) / "export")
        self._bench.save.show_changes(lines, _cases(unsaved), _cases(outside), folder, new_reader)
        self._show_release(dataset)
        self._bench.show_page(self._bench.save)

    def _show_release(self, dataset: Dataset) -> None:
        desk = self._session.desk
        release = Release() if desk is None else plan_release(dataset, desk.book)
        titles = {case.id: case.title for case in self._session.cases}
        left = [f"{titles.get(case, case)}: {why}" for case, why in release.left.items()]
        self._bench.save.show_release(len(release.cases), len(release.adjudicated), left)

    def close(self) -> None:
        """Let go of the session; a save under way still tells it what was written."""
        self._session.unsaved_changed.disconnect(self._refresh_page)

    def _refresh_page(self) -> None:
        """Keep the page true while it is in front and the image is still edited by keys."""
        if self._bench.pages.currentWidget() is self._bench.save and not self.busy:
            self.show_page()

    @property
    def busy(self) -> bool:
        """Whether a save is under way."""
        return self._work is not None

    def may_discard(self, what: str) -> bool:
        """Whether unsaved changes may be lost; asks where there are any."""
        return may_discard(self._bench, self._session, what)

    def _confirm_write_back(self, as_new: bool) -> None:
        dataset = self._session.dataset
        assert dataset is not None
        verb = f"Write {_count_changes(self._session.not_in_dataset())}"
        box = QMessageBox(self._bench)
        box.setWindowTitle("Write into the dataset")
        box.setText(f"{verb} into {dataset.root.name}?")
        box.setInformativeText(
            "The annotations of the dataset itself are changed. As they are now they are kept in "
            f"{review_folder(dataset.root) / 'backup'}."
        )
        write = box.addButton(verb, QMessageBox.ButtonRole.AcceptRole)
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
        box.exec()
        if box.clickedButton() is write:
            self._save("write back", as_new)

    def _save(self, kind: SaveKind, as_new: bool) -> None:
        session, dataset = self._session, self._session.dataset
        assert dataset is not None
        exporting = kind == "export"
        wanted = session.unsaved() if exporting else session.not_in_dataset()
        left = [one for one in wanted if session.draft_of(one) is None]
        new_reader = dataset.new_reader() if as_new else None
        under_way = _Save(dataset, kind, [], left, _describe(wanted, dataset), new_reader)
        corrected = self._corrections(wanted, under_way)
        session.begin_saving(one.case.id for one in wanted)
        save = export_readings if exporting else write_back
        self._bench.show_busy("Saving and reading back", can_stop=False)
        self._bench.save.setEnabled(False)

        def save_and_list() -> tuple[Proof, Sequence[CaseInfo]]:
            # Listed here, on the thread, because facts of many cases may have to be read again.
            return save(dataset, corrected), dataset.cases()

        self._work = Background(
            save_and_list,
            returned=lambda done: self._on_proof(done[0], done[1], under_way),
            errored=lambda error: self._on_error(error, under_way),
        )

    def _release(self) -> None:
        """Export what was approved or adjudicated, with its proof."""
        dataset, desk = self._session.dataset, self._session.desk
        if dataset is None or desk is None or self.busy:
            return
        book = desk.book
        out = review_folder(dataset.root) / "release" / stamp()
        self._bench.show_busy("Exporting the release and reading back", can_stop=False)
        self._bench.save.setEnabled(False)

        def save() -> Proof:
            corrected = released(dataset, book, desk.readings, plan_release(dataset, book))
            return export_readings(dataset, corrected, out)

        self._work = Background(
            save, returned=self._on_released, errored=lambda error: self._on_error(error, None)
        )

    def _on_released(self, proof: Proof) -> None:
        self._work = None
        if isalive(self._bench):
            self._show_idle()
            self._show_proof(proof)

    def _show_proof(self, proof: Proof) -> None:
        lines = proof.lines()
        self._bench.proof.show_proof(lines[0], lines[1:], proof.folder, holds=proof.holds)
        self._bench.show_page(self._bench.proof)

    def _corrections(self, wanted: list[Unsaved], save: _Save) -> dict[str, Sequence[Part]]:
        """What each reading changes; of those that were left it is found out when it is needed."""
        corrected: defaultdict[str, list[Part | Callable[[], Part]]] = defaultdict(list)
        for one in wanted:
            draft = self._session.draft_of(one)
            if draft is not None:
                corrected[one.case.id].append(_correction(self._session, draft, save))
            else:
                corrected[one.case.id].append(partial(_take_up, self._session, one, save))
        return {case_id: Parts(parts) for case_id, parts in corrected.items()}

    def _on_proof(self, proof: Proof, cases: Sequence[CaseInfo], save: _Save) -> None:
        self._work = None
        # The session first: it lives on where the dock has been closed in the meantime.
        if self._session.dataset is save.dataset:
            if proof.as_meant:
                self._take_note(proof, cases, save)
            self._session.saving_done()
        if not isalive(self._bench):
            return
        self._show_idle()
        self._bench.cases.refresh(self._session.listed())
        self._show_proof(proof)

    def _take_note(self, proof: Proof, cases: Sequence[CaseInfo], save: _Save) -> None:
        titles = {case.id: case.title for case in self._session.cases}
        written = [pair for pair in save.handed if titles[pair[0]] not in proof.refused]
        in_dataset = proof.kind == "write back"
        self._session.refresh_cases(cases)
        if not in_dataset or save.new_reader is None:
            self._session.mark_saved(written, in_dataset=in_dataset, left=save.left)
        else:
            # What was corrected is a label version of its own now, and the one before is unchanged.
            self._session.drop(written)
            self.reading_added.emit()

    def _on_error(self, error: Exception, save: _Save | None) -> None:
        self._work = None
        if save is not None and self._session.dataset is save.dataset:
            self._session.saving_done()
        text = str(error)
        if isinstance(error, ChangedOnDiskError) and save is not None:
            text += self._keep_list(save)
        if isalive(self._bench):
            self._show_idle()
            self.show_page()
            known = isinstance(error, ChestError | OSError)
            shown = text if known else f"Something unexpected happened: {error!r}"
            self._bench.show_message(shown, "bad")
        if not isinstance(error, ChestError | OSError):
            raise error  # a mistake of ours: napari shows it with its traceback

    def _keep_list(self, save: _Save) -> str:
        """Put the changes on disk as text where they cannot be saved; says where."""
        path = review_folder(save.dataset.root) / "not-saved" / f"{stamp()}.txt"
        try:
            write_together({path: "\n".join(save.lines).encode()})
        except ChestError:
            return " They could not even be listed in the review folder."
        return f" A list of your changes is in {path}."

    def _show_idle(self) -> None:
        self._bench.show_idle()
        self._bench.save.setEnabled(True)


class CloseGuard(QObject):
    """Asks before a window closes over unsaved changes; outlives the dock, as the session does.

    Signals
    -------
    closing() : the window closes for good; its session is closed right after.
    """

    closing = Signal()

    def __init__(self, window: QWidget, session: Session) -> None:
        super().__init__(window)
        self._window = window
        self._session = session
        self._asked = False
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Stop the window from closing where the person wants to go back."""
        # The type first: while the window is destroyed, this object has lost its attributes.
        if event.type() == QEvent.Type.Close and watched is self._window:
            if self._session.saving:
                self._session.refused.emit("Saving. Close the window once the proof is shown.")
            self._asked = not self._session.saving and may_discard(
                self._window, self._session, "Close"
            )
            if not self._asked:
                event.ignore()
                return True
        # napari may keep the window open after all. Where it does not, the window is hidden before
        # it is destroyed; no timer of this object would live to see the next turn of the loop.
        elif event.type() == QEvent.Type.Hide and watched is self._window and self._asked:
            self._asked = False
            self._close()
        return False

    def _close(self) -> None:
        self.closing.emit()
        self._session.close()


def may_discard(parent: QWidget, session: Session, what: str) -> bool:
    """Whether what is open may be left; asks where the journal does not have all that was done."""
    if session.flush():
        return True
    unsaved = session.unsaved()
    if not unsaved:
        return True
    titles = ", ".join(dict.fromkeys(one.case.title for one in unsaved))
    box = QMessageBox(parent)
    box.setWindowTitle("Unsaved changes")
    box.setText(f"Changes of {titles} are not saved.")
    box.setInformativeText(session.check_journal().error)
    discard = box.addButton(f"{what} and lose them", QMessageBox.ButtonRole.DestructiveRole)
    back = box.addButton("Go back", QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(back)
    box.setEscapeButton(back)
    box.exec()
    return box.clickedButton() is discard


def _take_up(session: Session, left: Unsaved, save: _Save) -> Part:
    """What a reading changes that was left; on the saving thread."""
    assert session.journal is not None
    return _correction(session, take_up(session.journal, save.dataset, left), save)


def _correction(session: Session, draft: Draft, save: _Save) -> Part:
    """What a draft changes since it was last saved, or against the dataset itself."""
    after = session.hand_over(draft)
    save.handed.append((draft.case.id, after))
    if save.new_reader is not None:
        return Correction(draft.in_dataset, replace(after, reader=save.new_reader))
    if save.kind == "export" and draft.written_back:
        return after  # what was written into the dataset is not in the export folder yet
    return Correction(draft.saved if save.kind == "export" else draft.in_dataset, after)


def _describe(unsaved: list[Unsaved], dataset: Dataset) -> list[str]:
    """How the readings differ from the dataset, in lines."""
    questions = {question.key: question.text for question in dataset.questions}
    lines = []
    for one in unsaved:
        found = describe(CaseChange(one.case.title, one.change_to_dataset), questions)
        # Exported in another state before, so that there is something to export again.
        same = f"{one.case.title}, {one.reader}: as in the dataset again"
        lines += found or [same]
    return lines


def _count_changes(unsaved: list[Unsaved]) -> str:
    """What a write back changes, in its largest units: ``3 slices and 1 answer``."""
    changes = [one.change_to_dataset for one in unsaved]
    counts = {
        "slice": sum(len(change.slices) for change in changes),
        "answer": sum(len(change.answers) for change in changes),
    }
    parts = [f"{n} {noun}{'' if n == 1 else 's'}" for noun, n in counts.items() if n]
    return " and ".join(parts) or "no change"


def _cases(unsaved: list[Unsaved]) -> int:
    return len({one.case.id for one in unsaved})
