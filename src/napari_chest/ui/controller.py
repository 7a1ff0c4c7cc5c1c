"""Connects the dock, the canvas and the session: the one place where asking becomes doing."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject
from qtpy.QtWidgets import QFileDialog

from napari_chest.edits import Edit
from napari_chest.ui.adjudicating import Adjudicating
from napari_chest.ui.agreeing import Agreeing
from napari_chest.ui.annotating import Annotating
from napari_chest.ui.assigning import Assigning
from napari_chest.ui.canvas import Canvas
from napari_chest.ui.commenting import Commenting
from napari_chest.ui.comparing import Comparing
from napari_chest.ui.contradicting import Contradicting
from napari_chest.ui.journaling import Journaling
from napari_chest.ui.keys import KEYS, SEGMENT_KEYS
from napari_chest.ui.labelling import Labelling
from napari_chest.ui.layout import Layout
from napari_chest.ui.opening import Opening
from napari_chest.ui.painting import Painting
from napari_chest.ui.reviewing import Reviewing
from napari_chest.ui.rounds import Rounds
from napari_chest.ui.saving import Saver
from napari_chest.ui.showing import Showing
from napari_chest.ui.side_by_side import SideBySide
from napari_chest.ui.tooling import Tooling
from napari_chest.ui.windows import PRESETS, file_window

if TYPE_CHECKING:
    from collections.abc import Callable

    import napari

    from napari_chest.edits import Step
    from napari_chest.model import Window
    from napari_chest.ui.preferences import Preferences
    from napari_chest.ui.session import Session
    from napari_chest.ui.workbench import Workbench


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
        self.showing = Showing(
            session, workbench, self.canvas, self.opening, self.painting, self.comparing, self
        )
        self.layout = Layout(session, workbench, self.canvas, preferences)
        self.assigning = Assigning(session, workbench, self)
        self.reviewing = Reviewing(
            session,
            workbench,
            self.opening,
            self.assigning,
            self._flush,
            lambda: self.adjudicating.undecided,
            self,
        )
        self.commenting = Commenting(session, workbench, self.canvas)
        self.rounds = Rounds(session, workbench, self.opening, preferences, self._flush, self)
        self.side_by_side = SideBySide(session, workbench, self.canvas, self.layout)
        self.adjudicating = Adjudicating(session, workbench, self.canvas)
        self.agreeing = Agreeing(session, workbench, self.canvas, self.opening.go_to_case)
        self.contradicting = Contradicting(
            session, workbench, self.canvas, self.opening, preferences, self._flush
        )
        self._closed = False
        self._actions = self._make_actions()
        self._holds: dict[str, Callable[[bool], None]] = {
            "bare": self.canvas.hide_while,
            "other_reader": self.side_by_side.hold,
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
        for part in (self.reviewing, self.assigning, self.commenting, self.rounds):
            part.close()
        self.reader.stop()
        self._connect_session(connect=False)
        self.saver.close()
        self.journaling.close()
        self.tooling.close()
        self.agreeing.close()
        self.adjudicating.close()
        self.contradicting.close()
        self.side_by_side.close()
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
        bench.rounds_page.done_requested.connect(self._back_to_work)
        bench.cancel_button.clicked.connect(self.opening.stop)
        bench.cases.case_requested.connect(self.opening.go_to_case)
        bench.cases.step_requested.connect(self.opening.step_case)
        bench.cases.unreviewed_requested.connect(self.opening.open_unreviewed)
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
        canvas.slice_changed.connect(self.showing.show_slice)
        canvas.plane_changed.connect(self.showing.show_corners)
        canvas.order_changed.connect(self.showing.show_corners)
        canvas.masks.visibility_changed.connect(self.showing.show_corners)
        canvas.window_changed.connect(self.showing.show_window)
        canvas.pointer_changed.connect(self.showing.show_pointer)
        pressed = [key for key in KEYS if not key.held]
        canvas.keys.bind(
            {n: partial(self.act, key.action) for key in pressed if not key.ours for n in key.keys},
            {n: partial(self.act, key.action) for key in pressed if key.ours for n in key.keys},
            {n: self._holds[key.action] for key in KEYS if key.held for n in key.keys},
        )
        canvas.window_chosen.connect(self._remember_window)

    def _connect_opening(self) -> None:
        opening = self.opening
        opening.dataset_left.connect(partial(self.showing.show_reading, None))
        opening.dataset_shown.connect(self.assigning.show_all)
        opening.case_left.connect(self.labelling.forget_mark)
        opening.case_left.connect(self.tooling.begin_case)
        opening.case_left.connect(self.adjudicating.forget)
        # The voxel under the pointer may lie outside the next image.
        opening.case_left.connect(partial(self.showing.show_pointer, None))
        opening.case_complete.connect(lambda _: self.tooling.complete_case())
        opening.case_shown.connect(lambda: self.showing.show_slice(self.canvas.slice))
        opening.case_shown.connect(self.layout.show_as_before)
        self.saver.done.connect(self._back_to_work)
        self.contradicting.marked.connect(self.assigning.mark_contradictions)
        self.agreeing.compared.connect(self.assigning.mark_disagreeing)

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
            (session.reading_chosen, self.showing.show_reading),
            (session.edited, self.showing.show_step),
            (session.unsaved_changed, self.showing.show_unsaved),
            (session.review_changed, self.showing.show_unsaved),
            (session.review_changed, self.opening.refresh_facts),
            (session.round_chosen, self.opening.show_facts),
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
            "case_unreviewed": self.opening.open_unreviewed,
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
        parts = (
            self.labelling,
            self.painting,
            self.annotating,
            self.tooling,
            self.layout,
            self.side_by_side,
            self.agreeing,
            self.adjudicating,
            self.reviewing,
            self.commenting,
            self.contradicting,
        )
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
        self.showing.show_unsaved()
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

    def _say_step(self, verb: str, step: Step | None) -> None:
        if step is None:
            self.bench.show_message("Nothing to undo or redo.")
            return
        if isinstance(step, Edit):
            self.canvas.show_box(step.box)
        self.bench.show_message(f"{step.name}: {verb}")

    def _remember_window(self, window: Window) -> None:
        volume, dataset = self.canvas.volume, self.session.dataset
        if volume is not None and dataset is not None and volume.modality == "CT":
            self.preferences.remember_window(dataset.name, volume.modality, window)
