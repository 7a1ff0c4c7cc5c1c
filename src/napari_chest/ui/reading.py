"""Runs what is read in the background, one thing at a time, and tells the window what arrived."""

from __future__ import annotations

from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal
from superqt.utils import create_worker

from napari_chest.errors import ChestError
from napari_chest.ui.demo_data import demo_folder
from napari_chest.ui.loading import Arrived, FirstImage, read_case, read_dataset

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_chest.datasets import Dataset
    from napari_chest.model import CaseInfo


class CaseReader(QObject):
    """Reads datasets and cases on a thread; starting one thing stops the one before.

    Signals
    -------
    dataset_read(Dataset, cases) : a dataset is open.
    first_image(OpenCase, int) : a case can be shown at this slice.
    slices_arrived(tuple, int, int) : slices that are in place, how many so far, of how many.
    case_read(OpenCase) : a case is complete, with all its problems.
    failed(str) : nothing came of it, and why.
    """

    dataset_read = Signal(object, object)
    first_image = Signal(object, int)
    slices_arrived = Signal(object, int, int)
    case_read = Signal(object)
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._worker: Any = None
        self._stop = Event()

    @property
    def busy(self) -> bool:
        """Whether something is being read."""
        return self._worker is not None

    def open_dataset(self, folder: Path) -> None:
        """Read a dataset's case list."""
        self.stop()
        self._start(partial(read_dataset, folder), returned=self._on_dataset)

    def make_demo(self) -> None:
        """Make the synthetic dataset if need be, and read its case list."""
        self.stop()
        self._start(lambda: read_dataset(demo_folder()), returned=self._on_dataset)

    def open_case(self, dataset: Dataset, info: CaseInfo) -> None:
        """Read a case, slice after slice."""
        self.stop()
        self._start(
            partial(read_case, dataset, info, self._stop),
            returned=self._on_case,
            yielded=self._on_part,
        )

    def stop(self) -> None:
        """Stop reading; what arrives after this is not told."""
        # The worker is let go: it sees the event, closes its files and ends by itself.
        self._stop.set()
        self._stop = Event()
        self._worker = None

    def _start(
        self,
        function: Callable[[], Any],
        *,
        returned: Callable[[Any], None],
        yielded: Callable[[Any], None] | None = None,
    ) -> None:
        worker = create_worker(function, _start_thread=False, _ignore_errors=True)
        self._worker = worker
        # A worker let go may still deliver what it had; only the present one is listened to.
        worker.returned.connect(lambda result: self._if_present(worker, returned, result, end=True))
        worker.errored.connect(lambda e: self._if_present(worker, self._on_error, e, end=True))
        if yielded is not None:
            worker.yielded.connect(lambda part: self._if_present(worker, yielded, part))
        worker.start()

    def _if_present(
        self, worker: Any, slot: Callable[[Any], None], value: Any, *, end: bool = False
    ) -> None:
        if worker is not self._worker:
            return
        if end:
            self._worker = None
        slot(value)

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
