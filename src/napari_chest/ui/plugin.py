"""What the manifest names: the dock, the reader, the sample dataset."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import napari
import numpy as np
from qtpy.QtCore import QTimer

from napari_chest.datasets import open_dataset
from napari_chest.errors import UnknownDatasetError
from napari_chest.ui import layers
from napari_chest.ui.canvas.window import main_window
from napari_chest.ui.controller import Controller
from napari_chest.ui.demo_data import demo_folder
from napari_chest.ui.preferences import Preferences
from napari_chest.ui.saving import CloseGuard
from napari_chest.ui.session import Session
from napari_chest.ui.workbench import Workbench
from napari_chest.ui.writer import write_labels

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_chest.datasets import Dataset

PLUGIN, WIDGET = "napari-chest", "Chest"
_PLACEHOLDER = "opening the synthetic dataset"
_sessions: WeakKeyDictionary[Any, Session] = WeakKeyDictionary()


class ChestDock(Workbench):
    """The Chest dock of a viewer; a dock that was closed before goes on where it was."""

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        # Plugins are handed a proxy that hides private names; wrapt publishes what it wraps.
        viewer = getattr(napari_viewer, "__wrapped__", napari_viewer)
        session, window = _sessions.get(viewer), main_window(viewer)
        if session is None:
            session = _sessions[viewer] = Session()
            if window is not None:
                CloseGuard(window, session)
        self.controller = Controller(viewer, self, session, Preferences())
        guard = window.findChild(CloseGuard) if window is not None else None
        if guard is not None:
            guard.closing.connect(self.closed)


def open_workbench(viewer: napari.viewer.Viewer) -> Controller:
    """The controller of the viewer's Chest dock, which is opened when it is not there yet."""
    _, widget = viewer.window.add_plugin_dock_widget(PLUGIN, WIDGET)
    controller: Controller = widget.controller
    return controller


def get_reader(path: str | Sequence[str]) -> Callable[..., list[Any]] | None:
    """A reader for a folder that is a dataset; None for anything else (npe2 reader)."""
    if not isinstance(path, str) or not Path(path).is_dir():
        return None
    try:
        dataset = open_dataset(path)
    except UnknownDatasetError:
        return None

    def read(_: str | Sequence[str]) -> list[Any]:
        viewer = napari.current_viewer()
        if viewer is None:
            return _first_case(dataset)
        open_workbench(viewer).opening.open_folder(dataset.root)
        return [(None,)]

    return read


def save_labels(path: str, data: Any, meta: dict[str, Any]) -> list[str]:
    """Save one labels layer as NIfTI on the grid of the open case (npe2 writer)."""
    viewer = napari.current_viewer()
    session = None if viewer is None else _sessions.get(getattr(viewer, "__wrapped__", viewer))
    case = session.open_case if session is not None else None
    return [str(write_labels(Path(path), data, meta, case.volume.grid if case else None))]


def open_covid_ct_md() -> list[Any]:
    """The synthetic COVID-CT-MD, in the Chest dock (npe2 sample data)."""
    return _open_sample("covid-ct-md")


def open_mosmed() -> list[Any]:
    """The synthetic MosMedData, in the Chest dock (npe2 sample data)."""
    return _open_sample("mosmed")


def open_bimcv() -> list[Any]:
    """The synthetic BIMCV COVID-19, in the Chest dock (npe2 sample data)."""
    return _open_sample("bimcv")


def open_ricord() -> list[Any]:
    """The synthetic MIDRC-RICORD-1A, in the Chest dock (npe2 sample data)."""
    return _open_sample("ricord")


def open_ricord_1c() -> list[Any]:
    """The synthetic MIDRC-RICORD-1C, in the Chest dock (npe2 sample data)."""
    return _open_sample("ricord-1c")


def _open_sample(layout: str) -> list[Any]:
    viewer = napari.current_viewer()
    if viewer is None:
        return _first_case(open_dataset(demo_folder(layout)))
    open_workbench(viewer).opening.open_demo(layout)
    # napari takes a sample without a layer for a failure; the workbench adds layers of its own, so
    # this one leaves at once.
    QTimer.singleShot(0, lambda: _remove_layer(viewer, _PLACEHOLDER))
    return [(np.empty((0, 3)), {"name": _PLACEHOLDER}, "points")]


def _remove_layer(viewer: napari.viewer.Viewer, name: str) -> None:
    if name in viewer.layers:
        viewer.layers.remove(name)


def _first_case(dataset: Dataset) -> list[Any]:
    """Layer data of the first case, for programs that read without a window."""
    info = dataset.cases()[0]
    volume = dataset.volume(info.id)
    found = [layers.image_layer(volume, info.title)]
    for reading in dataset.readings(info.id)[:1]:
        found += [layers.mask_layer(mask, volume.grid) for mask in reading.masks]
        if reading.slice_labels is not None:
            name = f"labels {reading.reader}"
            found.append(layers.strip_layer(reading.slice_labels, volume.grid, name))
    return list(found)
