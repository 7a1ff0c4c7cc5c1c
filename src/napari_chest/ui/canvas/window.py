"""Where napari keeps its Qt parts; its private corners are touched nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.qt import QtViewer
from qtpy.QtCore import Qt
from qtpy.QtGui import QOpenGLContext
from qtpy.QtWidgets import QApplication, QDockWidget, QMainWindow, QWidget

if TYPE_CHECKING:
    from collections.abc import Mapping


def main_window(viewer: Any) -> QMainWindow | None:
    """The main window of a viewer, or None for a viewer without a window."""
    found = _window_and_canvas(viewer)
    return found[0] if found else None


def canvas_widget(viewer: Any) -> QWidget | None:
    """The Qt widget that a viewer draws on, or None for a viewer without a window."""
    found = _window_and_canvas(viewer)
    return found[1] if found else None


def can_draw() -> bool:
    """Whether there is an OpenGL context to draw with; makes the application if need be."""
    if QApplication.instance() is None:
        QApplication([])
    return bool(QOpenGLContext().create())


def _window_and_canvas(viewer: Any) -> tuple[QMainWindow, QWidget] | None:
    for window in QApplication.topLevelWidgets():
        if isinstance(window, QMainWindow):
            # Our window of surfaces has a viewer of its own, elsewhere in the same window.
            central = window.centralWidget()
            qt_viewer = central.findChild(QtViewer) if central is not None else None
            # Equal is not enough for napari: two viewers that show the same are.
            if qt_viewer is not None and qt_viewer.viewer is viewer:
                return window, qt_viewer.canvas.native
    return None


def dock_before(viewer: Any, widget: QWidget, name: str, neighbour: QWidget) -> QWidget | None:
    """Dock a widget between the canvas and another one that is docked; None without a window.

    Returns the dock, which can be hidden and shown.
    """
    window = main_window(viewer)
    beside = _dock_of(neighbour)
    if window is None or beside is None:
        return None
    dock = viewer.window.add_dock_widget(widget, name=name, area="right", tabify=False)
    # First beside it, wherever napari has put it; then before it.
    window.splitDockWidget(beside, dock, Qt.Orientation.Horizontal)
    window.splitDockWidget(dock, beside, Qt.Orientation.Horizontal)
    return dock


def resize_docks(viewer: Any, widths: Mapping[QWidget, int]) -> None:
    """Give the docks of widgets other widths; the canvas takes the rest."""
    window = main_window(viewer)
    docks = {dock: width for widget, width in widths.items() if (dock := _dock_of(widget))}
    if window is not None and docks:
        window.resizeDocks(list(docks), list(docks.values()), Qt.Orientation.Horizontal)


def undock(viewer: Any, widget: QWidget) -> None:
    """Take a widget out of a viewer's window, where it is still in it."""
    if main_window(viewer) is not None and _dock_of(widget) is not None:
        viewer.window.remove_dock_widget(widget)


def _dock_of(widget: QWidget) -> QDockWidget | None:
    parent = widget.parent()
    while parent is not None and not isinstance(parent, QDockWidget):
        parent = parent.parent()
    return parent
