"""Opening datasets and cases: from a folder or a row of the list to what is on screen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QApplication

from napari_chest.model import Problem
from napari_chest.review.desk import Desk
from napari_chest.ui import wording
from napari_chest.ui.layers import LUNG
from napari_chest.ui.reading import CaseReader
from napari_chest.ui.windows import file_window

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_chest.datasets import Dataset
    from napari_chest.model import CaseInfo
    from napari_chest.ui.canvas import Canvas
    from napari_chest.ui.open_case import OpenCase
    from napari_chest.ui.preferences import Preferences
    from napari_chest.ui.saving import Saver
    from napari_chest.ui.session import Session
    from napari_chest.ui.workbench import Workbench

_NONE_WAITING = "No other case of the list is waiting for you. Choose another filter, or a round."


class Opening(QObject):
    """Reads what is asked for and shows it as it arrives.

    Parameters
    ----------
    flush : turns into edits what is on screen, before something else is.

    Signals
    -------
    dataset_left() : a dataset is open, and nothing of the one before is.
    dataset_shown() : its cases are listed.
    case_left() : another case is about to be shown.
    case_shown() : another case is on screen.
    case_complete(OpenCase) : all its slices have arrived.
    """

    dataset_left = Signal()
    dataset_shown = Signal()
    case_left = Signal()
    case_shown = Signal()
    case_complete = Signal(object)

    def __init__(
        self,
        session: Session,
        bench: Workbench,
        canvas: Canvas,
        preferences: Preferences,
        saver: Saver,
        flush: Callable[[], None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self.session = session
        self.bench = bench
        self.canvas = canvas
        self.preferences = preferences
        self.saver = saver
        self._flush = flush
        self.reader = CaseReader(self)
        self._first_case: str | None = None
        self._wanted: str | None = None
        self._discarded: frozenset[object] = frozenset()
        self._veiled: frozenset[str] = frozenset()  # cases listed without facts
        self.complete = True
        """Whether all slices of the open case have arrived."""
        self.reader.dataset_read.connect(self._on_dataset_read)
        self.reader.first_image.connect(self._on_first_image)
        self.reader.slices_arrived.connect(self._on_slices_arrived)
        self.reader.case_read.connect(self._on_case_read)
        self.reader.failed.connect(self._on_failed)
        self.reader.prepared.connect(
            lambda done, of: self.bench.show_progress(done, of, f"file {done:,} of {of:,}")
        )
        saver.reading_added.connect(self.read_again)

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
            session = self.session
            self.reader.open_case(dataset, info, session.journal, session.seat)

    def step_case(self, step: int) -> None:
        """Open the next or previous case of the list as it is filtered and sorted."""
        case_id = self.session.neighbour(step, self.bench.cases.order(), self._wanted)
        if case_id is None:
            self.bench.show_message("That was the last case of the list.")
        else:
            self.go_to_case(case_id)

    def open_unreviewed(self) -> None:
        """Open the next case of the list that waits for the person."""
        case = self.session.open_case
        now = self._wanted or (case.info.id if case is not None else None)
        case_id = self.bench.cases.unreviewed_after(now)
        if case_id is None:
            self.bench.show_message(_NONE_WAITING)
        else:
            self.go_to_case(case_id)

    def go_to_case(self, case_id: str) -> None:
        """Open a case that a person asked for."""
        self.bench.show_message("")  # what went wrong with another case is no news of this one
        self.open_case(case_id)

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
        unsaved = self.session.unsaved()
        return frozenset((one.case.id, one.reader, one.change) for one in unsaved)

    def _on_dataset_read(self, dataset: Dataset, cases: Sequence[CaseInfo]) -> None:
        self.bench.show_idle()
        self._flush()
        # What was corrected while the other dataset was read has not been asked about.
        if self._unsaved_state() != self._discarded and not self._may_leave("Open another dataset"):
            return
        self.canvas.clear()
        self.complete = True
        folder = self.preferences.journal_folder(dataset.root)
        self.session.open_dataset(dataset, cases, folder, self._desk(dataset, folder))
        self.dataset_left.emit()
        self.preferences.remember_folder(dataset.root)
        self.show_dataset(dataset, cases)
        wanted = [case.id for case in cases if self._first_case in (case.id, case.title)]
        if self._first_case is not None and not wanted:
            self.bench.show_message(f"There is no case {self._first_case}.", "bad")
        elif cases:
            self.open_case((wanted or [cases[0].id])[0])

    def show_facts(self) -> None:
        """Show in the list what may be known of the cases in this round."""
        dataset = self.session.dataset
        if dataset is not None:
            self.bench.cases.show_cases(self.session.listed(), dataset.list_facts)
            self._veiled = self._without_facts()

    def refresh_facts(self, _: frozenset[str]) -> None:
        """Show in the list what may be known of the cases now, where that is something else."""
        veiled = self._without_facts()
        if veiled != self._veiled:
            self._veiled = veiled
            self.bench.cases.refresh(self.session.listed())

    def _without_facts(self) -> frozenset[str]:
        """The cases of which the person may not know the facts."""
        session = self.session
        listed = zip(session.cases, session.listed(), strict=True)
        return frozenset(case.id for case, shown in listed if shown is not case)

    def sit_down(self) -> None:
        """Go on at another desk, for another person or with another store."""
        dataset = self.session.dataset
        if dataset is not None:
            folder = self.preferences.journal_folder(dataset.root)
            self.session.sit_at(self._desk(dataset, folder))

    def _desk(self, dataset: Dataset, folder: Path) -> Desk:
        """Where the review of a dataset is kept; it answers when it can."""
        address, person = self.preferences.store(dataset.root), self.preferences.person
        return Desk(address, folder, dataset.name, person, self.session.desk_changed.emit)

    def show_dataset(self, dataset: Dataset, cases: Sequence[CaseInfo]) -> None:
        """Show a dataset's list of cases and what is wrong with it as a whole."""
        bench = self.bench
        bench.show_dataset(dataset.title, str(dataset.root))
        bench.cases.show_cases(cases, dataset.list_facts)
        self._veiled = frozenset()
        problems = dataset.problems()
        bench.details.show_case({}, problems)
        bench.start.show_message("")
        bench.show_message(wording.in_short(problems), "bad")
        bench.show_page(bench.work)
        self.dataset_shown.emit()

    def _on_first_image(self, case: OpenCase, first: int) -> None:
        self._flush()
        self.case_left.emit()
        self.complete = False
        self._show_case(case, first)
        self.session.show_case(case)
        self.case_shown.emit()
        focus = QApplication.focusWidget()
        # Who goes through the list, the answers or the table by keyboard stays there.
        stays = (self.bench.cases, self.bench.questions)
        if focus is not self.bench.grid and not any(part.isAncestorOf(focus) for part in stays):
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
        self.bench.tools.show_hounsfield(case.volume.modality == "CT")
        self.bench.cases.show_current(case.info.id)
        self._show_details(case)
        if self.bench.message.property("state") != "bad":
            self.bench.show_message("")
        self.bench.windows.show_window(self.canvas.window)

    def _on_slices_arrived(self, slices: tuple[int, ...], so_far: int, of: int) -> None:
        self.canvas.slices_arrived(slices)
        self.bench.show_progress(so_far, of, f"slice {so_far} of {of}")

    def _on_case_read(self, case: OpenCase) -> None:
        self.bench.show_idle()
        self.complete = True
        self._show_details(case)
        self.case_complete.emit(case)

    def _show_details(self, case: OpenCase) -> None:
        self.bench.details.show_case(case.info.facts, self.problems(case), case.about)

    def problems(self, case: OpenCase) -> list[Problem]:
        """What a person should know of a case and of its dataset."""
        of_dataset = self.session.dataset.problems() if self.session.dataset else []
        return [*of_dataset, *case.problems]

    def read_again(self) -> None:
        """Open the case on screen anew."""
        if self.session.open_case is not None:
            self.open_case(self.session.open_case.info.id)

    def _on_failed(self, text: str) -> None:
        self.bench.show_idle()
        if self.session.dataset is None:
            self.bench.start.show_message(text)
        else:
            self.bench.show_message(text, "bad")
        case = self.session.open_case
        if case is None or self.complete:
            return
        if self._wanted == case.info.id:
            self._show_details(replace(case, problems=[*case.problems, Problem("error", text)]))
        else:
            self.open_case(case.info.id)  # its reading was stopped for what came to nothing

    def stop(self) -> None:
        """Stop what is being read, and say what is missing."""
        if not self.reader.busy:
            return
        self.reader.stop()
        self.bench.show_idle()
        shown = " What was not read is shown as air; open the case again."
        self.bench.show_message("Stopped." + ("" if self.complete else shown))
