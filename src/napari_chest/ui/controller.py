"""Connects the dock, the canvas and the session: the one place where asking becomes doing."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject
from qtpy.QtWidgets import QApplication, QFileDialog

from napari_chest.edits import Edit
from napari_chest.model import Problem
from napari_chest.ui import wording
from napari_chest.ui.annotating import Annotating
from napari_chest.ui.canvas import Canvas
from napari_chest.ui.comparing import Comparing
from napari_chest.ui.corners import corners
from napari_chest.ui.keys import KEYS, SEGMENT_KEYS
from napari_chest.ui.labelling import Labelling
from napari_chest.ui.layers import LUNG
from napari_chest.ui.painting import Painting
from napari_chest.ui.reading import CaseReader
from napari_chest.ui.saving import Saver
from napari_chest.ui.windows import PRESETS, file_window

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import napari

    from napari_chest.datasets import Dataset
    from napari_chest.edits import Draft, Step
    from napari_chest.model import CaseInfo, Window
    from napari_chest.ui.preferences import Preferences
    from napari_chest.ui.session import OpenCase, Session
    from napari_chest.ui.workbench import Workbench


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
        self.reader = CaseReader(self)
        self.saver = Saver(session, workbench, self)
        self.labelling = Labelling(session, workbench, self.canvas)
        self.painting = Painting(session, workbench, self.canvas)
        self.annotating = Annotating(workbench, self.canvas)
        self.comparing = Comparing(session, workbench, self.canvas)
        self._first_case: str | None = None
        self._wanted: str | None = None
        self._discarded: frozenset[object] = frozenset()
        self._complete = True
        self._closed = False
        self._pointer = ""
        self._actions = self._make_actions()
        self._connect_bench()
        self._connect_canvas()
        self._connect_reader()
        self._connect_session()
        self._resume()

    # Opening

    def open_folder(self, folder: str | Path, case_id: str | None = None) -> None:
        """Open the dataset in a folder at its first or another case; asks before work is lost."""
        if self._may_leave("Open another dataset"):
            self._first_case = case_id
            self.bench.show_busy("Opening the dataset")
            self.reader.open_dataset(Path(folder))

    def open_demo(self, layout: str) -> None:
        """Open a synthetic dataset, which is made at first; asks before work is lost."""
        if self._may_leave("Open the synthetic dataset"):
            self._first_case = None
            self.bench.show_busy("Making a synthetic dataset")
            self.reader.make_demo(layout)

    def open_case(self, case_id: str) -> None:
        """Open a case of the dataset."""
        dataset = self.session.dataset
        info = next((case for case in self.session.cases if case.id == case_id), None)
        if dataset is not None and info is not None:
            self._wanted = case_id
            self.bench.show_busy(f"Reading {info.title}")
            self.reader.open_case(dataset, info)

    def step_case(self, step: int) -> None:
        """Open the next or previous case of the list as it is filtered and sorted."""
        case_id = self.session.neighbour(step, self.bench.cases.order(), self._wanted)
        if case_id is None:
            self.bench.show_message("That was the last case of the list.")
        else:
            self._go_to_case(case_id)

    def _go_to_case(self, case_id: str) -> None:
        self.bench.show_message("")  # what went wrong with another case is no news of this one
        self.open_case(case_id)

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
        self.canvas.close()

    # Connecting

    def _connect_bench(self) -> None:
        bench = self.bench
        bench.open_button.clicked.connect(self._browse)
        bench.start.browse_requested.connect(self._browse)
        bench.start.folder_requested.connect(self.open_folder)
        bench.start.demo_requested.connect(self.open_demo)
        bench.folder_dropped.connect(self.open_folder)
        bench.action_requested.connect(self.act)
        bench.keys_button.clicked.connect(partial(self.act, "show_keys"))
        bench.keys_card.done_requested.connect(self._back_to_work)
        bench.cancel_button.clicked.connect(self._cancel)
        bench.cases.case_requested.connect(self._go_to_case)
        bench.cases.step_requested.connect(self.step_case)
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
        canvas.masks.visibility_changed.connect(self._show_corners)
        canvas.window_changed.connect(self._on_window)
        canvas.pointer_changed.connect(self._on_pointer)
        acts = {
            name: (key.ours, partial(self.act, key.action)) for key in KEYS for name in key.keys
        }
        canvas.bind_keys(
            {name: act for name, (ours, act) in acts.items() if not ours},
            {name: act for name, (ours, act) in acts.items() if ours},
        )
        canvas.window_chosen.connect(self._remember_window)

    def _connect_reader(self) -> None:
        self.reader.dataset_read.connect(self._on_dataset_read)
        self.reader.first_image.connect(self._on_first_image)
        self.reader.slices_arrived.connect(self._on_slices_arrived)
        self.reader.case_read.connect(self._on_case_read)
        self.reader.failed.connect(self._on_failed)
        self.reader.prepared.connect(
            lambda done, of: self.bench.show_progress(done, of, f"file {done:,} of {of:,}")
        )
        self.saver.done.connect(self._back_to_work)
        self.saver.reading_added.connect(self._read_again)

    def _connect_session(self, *, connect: bool = True) -> None:
        session = self.session
        for signal, slot in (
            (session.reading_chosen, self._on_reading_chosen),
            (session.edited, self._on_edited),
            (session.unsaved_changed, self._show_unsaved),
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
            "case_next": partial(self.step_case, 1),
            "case_previous": partial(self.step_case, -1),
            "invert": self.canvas.invert,
            "smooth": self.canvas.toggle_smoothing,
            "toggle_labels": self.canvas.toggle_labels,
            "cycle_overlay": self.canvas.cycle_overlay,
            "undo": lambda: self._say_step("undone", self.session.undo()),
            "redo": lambda: self._say_step("done again", self.session.redo()),
            "save": self._save,
            "show_keys": lambda: self.bench.show_page(self.bench.keys_card),
        }
        actions |= {p.action: partial(self._use_window, p.window) for p in PRESETS}
        for part in (self.labelling, self.painting, self.annotating):
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
            self._show_dataset(self.session.dataset, self.session.cases)
        if self.session.open_case is not None:
            self.open_case(self.session.open_case.info.id)

    # What the reader brings

    def _may_leave(self, what: str) -> bool:
        """Whether the dataset may be left for another; asks before work is lost."""
        if self.saver.busy:
            self.bench.show_message("Saving. One moment, then open it again.")
            return False
        self._flush()
        if not self.saver.may_discard(what):
            return False
        self._discarded = self._unsaved_state()
        return True

    def _unsaved_state(self) -> frozenset[object]:
        drafts = self.session.unsaved()
        return frozenset((draft.case.id, draft.saved.reader, draft.change) for draft in drafts)

    def _on_dataset_read(self, dataset: Dataset, cases: Sequence[CaseInfo]) -> None:
        self.bench.show_idle()
        self._flush()
        # What was corrected while the other dataset was read has not been asked about.
        if self._unsaved_state() != self._discarded and not self._may_leave("Open another dataset"):
            return
        self.canvas.clear()
        self._complete = True
        self.session.open_dataset(dataset, cases)
        self._on_reading_chosen(None)
        self.preferences.remember_folder(dataset.root)
        self._show_dataset(dataset, cases)
        wanted = [case.id for case in cases if self._first_case in (case.id, case.title)]
        if self._first_case is not None and not wanted:
            self.bench.show_message(f"There is no case {self._first_case}.", "bad")
        elif cases:
            self.open_case((wanted or [cases[0].id])[0])

    def _show_dataset(self, dataset: Dataset, cases: Sequence[CaseInfo]) -> None:
        bench = self.bench
        bench.show_dataset(dataset.title, str(dataset.root))
        bench.cases.show_cases(cases, dataset.list_facts)
        problems = dataset.problems()
        bench.details.show_case({}, problems)
        bench.start.show_message("")
        bench.show_message(wording.in_short(problems), "bad")
        bench.show_page(bench.work)

    def _on_first_image(self, case: OpenCase, first: int) -> None:
        self._flush()
        self.labelling.forget_mark()
        self._complete = False
        self._show_case(case, first)
        self.session.show_case(case)
        self._show_corners()
        focus = QApplication.focusWidget()
        # Who goes through the list or the table by keyboard stays there.
        if focus is not self.bench.grid and not self.bench.cases.isAncestorOf(focus):
            self.canvas.set_focus()

    def _show_case(self, case: OpenCase, first: int) -> None:
        dataset = self.session.dataset
        assert dataset is not None
        window = file_window(case.volume)  # a radiograph's values have no unit, so each has its own
        if case.volume.modality == "CT":
            window = self.preferences.window(dataset.name, case.volume.modality) or LUNG
        self.canvas.show_volume(case.volume, case.info.title, window, first)
        self.bench.annotations.show_annotations(case.annotations)
        self.bench.windows.show_hounsfield(case.volume.modality == "CT")
        self.bench.cases.show_current(case.info.id)
        self._show_details(case)
        if self.bench.message.property("state") != "bad":
            self.bench.show_message("")
        self.bench.windows.show_window(self.canvas.window)
        self._on_slice(self.canvas.slice)

    def _on_slices_arrived(self, slices: tuple[int, ...], so_far: int, of: int) -> None:
        if self.canvas.slice in slices:
            self.canvas.slice_arrived(self.canvas.slice)
        elif slices:
            self.canvas.slice_arrived(slices[0])
        self.bench.show_progress(so_far, of, f"slice {so_far} of {of}")

    def _on_case_read(self, case: OpenCase) -> None:
        self.bench.show_idle()
        self._complete = True
        self._show_details(case)

    def _show_details(self, case: OpenCase) -> None:
        self.bench.details.show_case(case.info.facts, self._problems(case), case.about)

    def _problems(self, case: OpenCase) -> list[Problem]:
        of_dataset = self.session.dataset.problems() if self.session.dataset else []
        return [*of_dataset, *case.problems]

    def _read_again(self) -> None:
        if self.session.open_case is not None:
            self.open_case(self.session.open_case.info.id)

    def _on_failed(self, text: str) -> None:
        self.bench.show_idle()
        if self.session.dataset is None:
            self.bench.start.show_message(text)
        else:
            self.bench.show_message(text, "bad")
        case = self.session.open_case
        if case is None or self._complete:
            return
        if self._wanted == case.info.id:
            self._show_details(replace(case, problems=[*case.problems, Problem("error", text)]))
        else:
            self.open_case(case.info.id)  # its reading was stopped for what came to nothing

    def _cancel(self) -> None:
        self.reader.stop()
        self.bench.show_idle()
        shown = " What was not read is shown as air; open the case again."
        self.bench.show_message("Stopped." + ("" if self._complete else shown))

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
            self.open_folder(folder)

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
        bench.balance()

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
        errors = (p.text for p in self._problems(case) if p.level == "error")
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
            text = f"{wording.count(changed, 'change')} in {wording.count(cases, 'case')} not saved"
            bench.show_state(text, "unsaved")
        else:
            bench.show_state("all saved, by export" if outside else "all saved", "saved")
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

    def _on_pointer(self, text: str) -> None:
        if text != self._pointer:
            self._pointer = text
            self._show_corners()

    def _show_corners(self) -> None:
        text = corners(self.session, self.canvas, self._pointer)
        if text is not None:
            self.canvas.set_corners(*text)
