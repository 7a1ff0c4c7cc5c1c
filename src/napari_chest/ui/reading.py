"""Runs what is read in the background, one thing at a time, and tells the window what arrived."""

from __future__ import annotations

from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal

from napari_chest.errors import ChestError
from napari_chest.ui.background import Background
from napari_chest.ui.demo_data import demo_folder
from napari_chest.ui.loading import Arrived, FirstImage, Prepared, read_case, read_dataset

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_chest.datasets import Dataset
    from napari_chest.model import CaseInfo
    from napari_chest.review.casework import Seat
    from napari_chest.review.journal import Journal


class CaseReader(QObject):
    """Reads datasets and cases on a thread; starting one thing stops the one before.

    Signals
    -------
    dataset_read(Dataset, cases) : a dataset is open.
    first_image(OpenCase, int) : a case can be shown at this slice.
    slices_arrived(tuple, int, int) : slices that are in place, how many so far, of how many.
    case_read(OpenCase) : a case is complete, with all its problems.
    prepared(int, int) : how far a dataset is on its way to its list of cases.
    failed(str) : nothing came of it, and why.
    """

    dataset_read = Signal(object, object)
    first_image = Signal(object, int)
    slices_arrived = Signal(object, int, int)
    case_read = Signal(object)
    failed = Signal(str)
    prepared = Signal(int, int)
    _prepared = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._work: Background | None = None
        self._stop = Event()
        self._prepared.connect(self._on_prepared)  # which brings it to the window's thread

    @property
    def busy(self) -> bool:
        """Whether something is being read."""
        return self._work is not None

    def open_dataset(self, folder: Path) -> None:
        """Read a dataset's case list."""
        self.stop()
        reading = partial(read_dataset, folder, self._stop, self._prepared.emit)
        self._start(reading, returned=self._on_dataset)

    def make_demo(self, layout: str) -> None:
        """Make a synthetic dataset if need be, and read its case list."""
        self.stop()
        self._start(lambda: read_dataset(demo_folder(layout)), returned=self._on_dataset)

    def open_case(
        self, dataset: Dataset, info: CaseInfo, journal: Journal | None, seat: Seat | None
    ) -> None:
        """Read a case, slice after slice, with its readings as the journal and the review have."""
        self.stop()
        self._start(
            partial(read_case, dataset, info, self._stop, journal, seat),
            returned=self._on_case,
            yielded=self._on_part,
        )

    def stop(self) -> None:
        """Stop reading; what arrives after this is not told."""
        # The thread sees the event, closes its files and ends by itself.
        self._stop.set()
        self._stop = Event()
        if self._work is not None:
            self._work.let_go()
            self._work = None

    def _start(
        self,
        function: Callable[[], Any],
        *,
        returned: Callable[[Any], None],
        yielded: Callable[[Any], None] | None = None,
    ) -> None:
        self._work = Background(
            function,
            returned=partial(self._end, returned),
            errored=partial(self._end, self._on_error),
            yielded=yielded,
        )

    def _end(self, slot: Callable[[Any], None], value: Any) -> None:
        self._work = None
        slot(value)

    def _on_prepared(self, part: Prepared) -> None:
        if self._work is not None:
            self.prepared.emit(part.done, part.of)

    def _on_dataset(self, result: Any) -> None:
        self.dataset_read.emit(*result)

    def _on_part(self, part: FirstImage | Arrived) -> None:
        if isinstance(part, FirstImage):
            self.first_image.emit(part.case, part.first)
        else:
            self.slices_arrived.emit(part.slices, part.so_far, part.of)

    def _on_case(self, case: Any) -> None:
        if case is not None:
            self.case_read.emit(case)

    def _on_error(self, error: Exception) -> None:
        if isinstance(error, ChestError | OSError):
            self.failed.emit(str(error))
        else:
            self.failed.emit(f"Something unexpected happened: {error!r}")
            raise error  # a mistake of ours: napari shows it with its traceback
