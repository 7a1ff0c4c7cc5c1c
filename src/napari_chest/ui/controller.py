"""Connects the dock, the canvas and the session: the one place where asking becomes doing."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QTimer
from qtpy.QtWidgets import QFileDialog

from napari_chest.edits import Edit
from napari_chest.ui import wording
from napari_chest.ui.annotating import Annotating
from napari_chest.ui.canvas import Canvas
from napari_chest.ui.comparing import Comparing
from napari_chest.ui.corners import corners
from napari_chest.ui.journaling import Journaling
from napari_chest.ui.keys import KEYS, SEGMENT_KEYS
from napari_chest.ui.labelling import Labelling
from napari_chest.ui.layout import Layout
from napari_chest.ui.opening import Opening
from napari_chest.ui.painting import Painting
from napari_chest.ui.saving import Saver
from napari_chest.ui.tooling import Tooling
from napari_chest.ui.windows import PRESETS, file_window

if TYPE_CHECKING:
    from collections.abc import Callable

    import napari

    from napari_chest.edits import Draft, Step
    from napari_chest.model import Window
    from napari_chest.ui.canvas.canvas import Voxel
    from napari_chest.ui.preferences import Preferences
    from napari_chest.ui.session import Session
    from napari_chest.ui.workbench import Workbench


_POINTER_MS = 50
"""How often what is under the pointer is told anew: the text is drawn over the image."""
_NOT_LABELLED = (
    "This case is not labelled: the dataset has no row for it, which is not the same as all slices "
    "being free of infection."
)


class Controller(QObject):
    """One dock at work on one viewer. It lives and dies with the dock; the session outlives it."""

    def __init__(
        self,
        viewer: napari.Viewer,
        workbench: Workbench,
        session: Session,
        preferences: Preferences,
    ) -> None:
        super().__init__(workbench)
        self.session = session
        self.bench = workbench
        self.preferences = preferences
        self.canvas = Canvas(viewer)
        self.saver = Saver(session, workbench, self)
        self.opening = Opening(
            session, workbench, self.canvas, preferences, self.saver, self._flush, self
        )
        self.reader = self.opening.reader
        self.journaling = Journaling(session, preferences, workbench)
        self.labelling = Labelling(session, workbench, self.canvas)
        self.painting = Painting(session, workbench, self.canvas)
        self.annotating = Annotating(workbench, self.canvas)
        self.comparing = Comparing(session, workbench, self.canvas)
        self.tooling = Tooling(session, workbench, self.canvas)
        self.layout = Layout(session, workbench, self.canvas, preferences)
        self._closed = False
        self._pointer: Voxel | None = None
        self._pointer_timer = QTimer(self)
        self._pointer_timer.setSingleShot(True)
        self._pointer_timer.timeout.connect(self._show_corners)
        self._actions = self._make_actions()
        self._holds: dict[str, Callable[[bool], None]] = {
            "bare": self.canvas.hide_while,
            "window_drag": lambda held: self.canvas.masks.pause_tool(paused=held),
        }
        self._connect_bench()
        self._connect_canvas()
        self._connect_opening()
        self._connect_journal()
        self._connect_session()
        self._resume()

    def act(self, action: str) -> None:
        """Do what a key of `keys.KEYS` stands for."""
        self._actions[action]()

    def close(self) -> None:
        """Stop reading and leave the viewer as it was found; once is enough."""
        if self._closed:
            return
        self._closed = True
        self._flush()
        self.reader.stop()
        self._connect_session(connect=False)
        self.saver.close()
        self.journaling.close()
        self.tooling.close()
        self.layout.close()
        self.canvas.close()

    # Connecting

    def _connect_bench(self) -> None:
        bench = self.bench
        bench.open_button.clicked.connect(self._browse)
        bench.start.browse_requested.connect(self._browse)
        bench.start.folder_requested.connect(self.opening.open_folder)
        bench.start.demo_requested.connect(self.opening.open_demo)
        bench.folder_dropped.connect(self.opening.open_folder)
        bench.action_requested.connect(self.act)
        bench.keys_button.clicked.connect(partial(self.act, "show_keys"))
        bench.keys_card.done_requested.connect(self._back_to_work)
        bench.cancel_button.clicked.connect(self.opening.stop)
        bench.cases.case_requested.connect(self.opening.go_to_case)
        bench.cases.step_requested.connect(self.opening.step_case)
        bench.windows.window_requested.connect(self.act)
        bench.reading.activated.connect(self._on_reading_picked)
        bench.questions.answer_requested.connect(self.session.answer)
        bench.questions.refused.connect(bench.show_message)
        bench.undo_button.clicked.connect(partial(self.act, "undo"))
        bench.redo_button.clicked.connect(partial(self.act, "redo"))
        bench.save_button.clicked.connect(partial(self.act, "save"))
        bench.closed.connect(self.close)

    def _connect_canvas(self) -> None:
        canvas = self.canvas
        canvas.slice_changed.connect(self._on_slice)
        canvas.plane_changed.connect(self._show_corners)
        canvas.order_changed.connect(self._show_corners)
        canvas.masks.visibility_changed.connect(self._show_corners)
        canvas.window_changed.connect(self._on_window)
        canvas.pointer_changed.connect(self._on_pointer)
        pressed = [key for key in KEYS if not key.held]
        canvas.keys.bind(
            {n: partial(self.act, key.action) for key in pressed if not key.ours for n in key.keys},
            {n: partial(self.act, key.action) for key in pressed if key.ours for n in key.keys},
            {n: self._holds[key.action] for key in KEYS if key.held for n in key.keys},
        )
        canvas.window_chosen.connect(self._remember_window)

    def _connect_opening(self) -> None:
        opening = self.opening
        opening.dataset_left.connect(partial(self._on_reading_chosen, None))
        opening.case_left.connect(self.labelling.forget_mark)
        opening.case_left.connect(self.tooling.begin_case)
        # The voxel under the pointer may lie outside the next image.
        opening.case_left.connect(partial(self._on_pointer, None))
        opening.case_complete.connect(lambda _: self.tooling.complete_case())
        opening.case_shown.connect(lambda: self._on_slice(self.canvas.slice))
        opening.case_shown.connect(self.layout.show_as_before)
        self.saver.done.connect(self._back_to_work)

    def _connect_journal(self) -> None:
        self.journaling.state_changed.connect(self.bench.show_journal)
        self.journaling.said.connect(self.bench.show_message)
        self.bench.elsewhere_button.clicked.connect(self.journaling.save_elsewhere)

    def _save_now(self) -> None:
        """Put every step on disk, and say whether that was possible."""
        self._flush()
        if self.session.flush():
            self.bench.show_message("Every step is on disk.")
        self.journaling.look()

    def _connect_session(self, *, connect: bool = True) -> None:
        session = self.session
        for signal, slot in (
            (session.reading_chosen, self._on_reading_chosen),
            (session.edited, self._on_edited),
            (session.unsaved_changed, self._show_unsaved),
            (session.refused, self.bench.show_message),
        ):
            if connect:
                signal.connect(slot)
            else:
                signal.disconnect(slot)

    def _make_actions(self) -> dict[str, Callable[[], Any]]:
        actions: dict[str, Callable[[], Any]] = {
            "slice_next": partial(self.canvas.step, 1),
            "slice_previous": partial(self.canvas.step, -1),
            "slice_down_5": partial(self.canvas.step, 5),
            "slice_up_5": partial(self.canvas.step, -5),
            "slice_first": partial(self.canvas.step, -(2**31)),
            "slice_last": partial(self.canvas.step, 2**31),
            "case_next": partial(self.opening.step_case, 1),
            "case_previous": partial(self.opening.step_case, -1),
            "invert": self.canvas.invert,
            "smooth": self.canvas.toggle_smoothing,
            "toggle_labels": self.canvas.toggle_labels,
            "cycle_overlay": self.canvas.cycle_overlay,
            "undo": lambda: self._say_step("undone", self.session.undo()),
            "redo": lambda: self._say_step("done again", self.session.redo()),
            "save": self._save,
            "journal": self._save_now,
            "show_keys": lambda: self.bench.show_page(self.bench.keys_card),
        }
        actions |= {p.action: partial(self._use_window, p.window) for p in PRESETS}
        parts = (self.labelling, self.painting, self.annotating, self.tooling, self.layout)
        for part in parts:
            actions |= part.actions()
        return actions | {f"toggle_{i}": partial(self._digit, i) for i in range(SEGMENT_KEYS)}

    def _digit(self, number: int) -> None:
        """A digit speaks to the slice table, or where there is none to the segment list."""
        if self.session.draft is not None and self.session.draft.labels is None:
            self.painting.select_row(number)
        else:
            self.labelling.toggle(number)

    def _resume(self) -> None:
        """Show what the session holds: nothing at first, or what an earlier dock left."""
        self.bench.start.show_recent(self.preferences.recent())
        self.bench.show_page(self.bench.start)
        self._show_unsaved()
        if self.session.dataset is not None:
            self.opening.show_dataset(self.session.dataset, self.session.cases)
        if self.session.open_case is not None:
            self.opening.open_case(self.session.open_case.info.id)

    def _flush(self) -> None:
        """Turn into edits what is on screen, before something else is."""
        self.canvas.flush()
        self.painting.flush()

    # What the canvas and the widgets ask for

    def _save(self) -> None:
        self._flush()
        self.saver.show_page()

    def _browse(self) -> None:
        recent = self.preferences.recent()
        start = str(Path(recent[0]).parent) if recent else str(Path.home())
        folder = QFileDialog.getExistingDirectory(self.bench, "Open dataset folder", start)
        if folder:
            self.opening.open_folder(folder)

    def _back_to_work(self) -> None:
        bench = self.bench
        bench.show_page(bench.work if self.session.dataset is not None else bench.start)
        self.canvas.set_focus()

    def _on_reading_picked(self, index: int) -> None:
        self._flush()
        self.session.choose_reader(self.bench.reading.itemData(index))

    def _use_window(self, window: Window | None) -> None:
        volume = self.canvas.volume
        if volume is None:
            return
        if window is not None and volume.modality != "CT":
            self.bench.show_message("This preset is in HU, which a radiograph does not have.")
            return
        self.canvas.set_window(window or file_window(volume))
        if window is not None:  # a file's own window means nothing for the next file
            self._remember_window(window)

    # What is shown

    def _on_reading_chosen(self, draft: Draft | None) -> None:
        bench, case = self.bench, self.session.open_case
        readers = [reading.reader for reading in case.readings] if case else []
        bench.reading.clear()
        dataset = self.session.dataset
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
        self.canvas.show_strip(labels, f"labels {draft.saved.reader}" if draft else "")
        bench.grid.setVisible(labels is not None or draft is None)
        self.painting.show(draft)
        self.comparing.show()
        self.canvas.fit()
        self._show_questions(draft)
        self._show_labels()

    def _show_questions(self, draft: Draft | None) -> None:
        dataset = self.session.dataset
        asked = dataset.questions if dataset is not None and draft is not None else ()
        shown = [q for q in asked if draft is not None and q.key in draft.standing.answers]
        self.bench.questions.show_questions(shown)
        self.bench.order_tabs()

    def _why_no_labels(self) -> str:
        case = self.session.open_case
        if case is None:
            return "No case is open."
        errors = (p.text for p in self.opening.problems(case) if p.level == "error")
        return next(errors, _NOT_LABELLED)

    def _on_edited(self, step: Step | None) -> None:
        draft = self.session.draft
        if draft is not None and draft.labels is not None:
            self.canvas.update_strip(draft.labels.values)
        self.painting.show_step(step)
        self._show_labels()

    def _say_step(self, verb: str, step: Step | None) -> None:
        if step is None:
            self.bench.show_message("Nothing to undo or redo.")
            return
        if isinstance(step, Edit):
            self.canvas.show_box(step.box)
        self.bench.show_message(f"{step.name}: {verb}")

    def _show_labels(self) -> None:
        draft, bench = self.session.draft, self.bench
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

    def _show_unsaved(self) -> None:
        drafts, outside = self.session.unsaved(), self.session.not_in_dataset()
        bench = self.bench
        changed = sum(wording.size(draft.change) for draft in drafts)
        if self.session.dataset is None:
            bench.show_state("", "saved")
        elif drafts:
            cases = len({draft.case.id for draft in drafts})
            text = wording.count(changed, "change")
            more = f"{text} in {wording.count(cases, 'case')} not exported"
            bench.show_state(f"{text} not exported", "unsaved", more)
        else:
            bench.show_state("all exported" if outside else "nothing to export", "saved")
        bench.save_button.setEnabled(bool(drafts or outside))
        bench.cases.mark_unsaved(frozenset(draft.case.id for draft in drafts))
        self._show_corners()

    def _on_slice(self, z: int) -> None:
        self.bench.grid.show_current(z)
        self.bench.annotations.show_slice(z)
        self._show_corners()

    def _on_window(self, window: Window) -> None:
        self.bench.windows.show_window(window)
        self._show_corners()

    def _remember_window(self, window: Window) -> None:
        volume, dataset = self.canvas.volume, self.session.dataset
        if volume is not None and dataset is not None and volume.modality == "CT":
            self.preferences.remember_window(dataset.name, volume.modality, window)

    def _on_pointer(self, voxel: Voxel | None) -> None:
        if voxel != self._pointer:
            self._pointer = voxel
            if not self._pointer_timer.isActive():
                self._pointer_timer.start(_POINTER_MS)

    def _show_corners(self) -> None:
        text = corners(self.session, self.canvas, self._pointer)
        if text is not None:
            self.canvas.set_corners(*text)
