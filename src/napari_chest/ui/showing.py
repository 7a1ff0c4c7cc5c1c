"""What the dock and the corners of the image tell of the reading on screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, QTimer

from napari_chest.export import has_release
from napari_chest.ui import wording
from napari_chest.ui.corners import corners

if TYPE_CHECKING:
    from napari_chest.edits import Draft, Step
    from napari_chest.model import Window
    from napari_chest.review.book import Book
    from napari_chest.ui.canvas import Canvas
    from napari_chest.ui.canvas.canvas import Voxel
    from napari_chest.ui.comparing import Comparing
    from napari_chest.ui.opening import Opening
    from napari_chest.ui.painting import Painting
    from napari_chest.ui.session import Session
    from napari_chest.ui.workbench import Workbench

_POINTER_MS = 50
"""How often what is under the pointer is told anew: the text is drawn over the image."""
_NOT_LABELLED = (
    "This case is not labelled: the dataset has no row for it, which is not the same as all slices "
    "being free of infection."
)


class Showing(QObject):
    """Follows the session and the canvas with what is written about them."""

    def __init__(
        self,
        session: Session,
        bench: Workbench,
        canvas: Canvas,
        opening: Opening,
        painting: Painting,
        comparing: Comparing,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._bench = bench
        self._canvas = canvas
        self._opening = opening
        self._painting = painting
        self._comparing = comparing
        self._asked: Book | None = None
        self._releases = False
        self._pointer: Voxel | None = None
        self._pointer_timer = QTimer(self)
        self._pointer_timer.setSingleShot(True)
        self._pointer_timer.timeout.connect(self.show_corners)

    def show_reading(self, draft: Draft | None) -> None:
        """Show another reading, or that there is none."""
        bench, case = self._bench, self._session.open_case
        readers = [reading.reader for reading in case.readings] if case else []
        bench.reading.clear()
        dataset = self._session.dataset
        versions = dataset is not None and dataset.new_reader() is not None
        for index, reader in enumerate(readers):
            newest = versions and index == 0 and len(readers) > 1
            bench.reading.addItem(f"{reader} (newest)" if newest else reader, reader)
        bench.reading.setEnabled(len(readers) > 1)
        if draft is None:
            bench.reading.addItem("no labels")
        else:
            bench.reading.setCurrentIndex(readers.index(draft.saved.reader))
        bench.reading.setToolTip(bench.reading.currentText())
        labels = draft.labels if draft else None
        self._canvas.show_strip(labels, f"labels {draft.saved.reader}" if draft else "")
        bench.grid.setVisible(labels is not None or draft is None)
        self._painting.show(draft)
        self._comparing.show()
        self._canvas.fit()
        self._show_questions(draft)
        self._show_labels()

    def show_step(self, step: Step | None) -> None:
        """Show a step of the reading, or take back what came to nothing."""
        draft = self._session.draft
        if draft is not None and draft.labels is not None:
            self._canvas.update_strip(draft.labels.values)
        self._painting.show_step(step)
        self._show_labels()

    def show_unsaved(self) -> None:
        """Show what is not exported yet, in the header and in the case list."""
        drafts, outside = self._session.unsaved(), self._session.not_in_dataset()
        unsubmitted = self._session.unsubmitted()
        bench = self._bench
        changed = sum(wording.size(draft.change) for draft in drafts)
        if self._session.dataset is None:
            bench.show_state("", "saved")
        elif drafts:
            cases = len({draft.case.id for draft in drafts})
            text = wording.count(changed, "change")
            more = f"{text} in {wording.count(cases, 'case')} not exported"
            bench.show_state(f"{text} not exported", "unsaved", more)
        elif unsubmitted:
            changed = sum(wording.size(one.change) for one in unsubmitted)
            bench.show_state(f"{wording.count(changed, 'change')} not submitted", "unsaved")
        else:
            bench.show_state("all exported" if outside else "nothing to export", "saved")
        bench.save_button.setEnabled(bool(drafts or outside) or self._may_release())
        bench.cases.mark_unsaved(frozenset(draft.case.id for draft in drafts))
        self.show_corners()

    def show_slice(self, z: int) -> None:
        """Show what belongs to another slice."""
        self._bench.grid.show_current(z)
        self._bench.annotations.show_slice(z)
        self.show_corners()

    def show_window(self, window: Window) -> None:
        """Show another grey window."""
        self._bench.windows.show_window(window)
        self.show_corners()

    def show_pointer(self, voxel: Voxel | None) -> None:
        """Show what is under the pointer, a moment later."""
        if voxel != self._pointer:
            self._pointer = voxel
            if not self._pointer_timer.isActive():
                self._pointer_timer.start(_POINTER_MS)

    def show_corners(self) -> None:
        """Write the corners of the image anew."""
        text = corners(self._session, self._canvas, self._pointer)
        if text is not None:
            self._canvas.set_corners(*text)

    def _may_release(self) -> bool:
        """Whether the review has something to export though nothing was corrected here."""
        desk = self._session.desk
        book = desk.book if desk is not None else None
        if book is not self._asked:  # it is asked with every edit, and seldom another one
            self._asked, self._releases = book, book is not None and has_release(book)
        return self._releases

    # Parts of a reading

    def _show_questions(self, draft: Draft | None) -> None:
        dataset = self._session.dataset
        asked = dataset.questions if dataset is not None and draft is not None else ()
        shown = [q for q in asked if draft is not None and q.key in draft.standing.answers]
        self._bench.questions.show_questions(shown)
        self._bench.work.order_tabs()

    def _why_no_labels(self) -> str:
        case = self._session.open_case
        if case is None:
            return "No case is open."
        if case.blind:
            return case.blind
        errors = (p.text for p in self._opening.problems(case) if p.level == "error")
        return next(errors, _NOT_LABELLED)

    def _show_labels(self) -> None:
        draft, bench = self._session.draft, self._bench
        if draft is None or draft.labels is None:
            bench.grid.show_labels(None, None, self._why_no_labels())
        else:
            saved = draft.saved.slice_labels
            bench.grid.show_labels(draft.labels, saved.values if saved else None)
        if draft is not None:
            bench.questions.show_answers(draft.answers, draft.saved.answers)
        for button, step, verb in (
            (bench.undo_button, draft and draft.undoable, "Undo"),
            (bench.redo_button, draft and draft.redoable, "Redo"),
        ):
            button.setEnabled(step is not None)
            button.setToolTip(f"{verb}: {step.name}" if step else f"Nothing to {verb.lower()}")
