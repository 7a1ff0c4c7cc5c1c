"""Where napari keeps its Qt parts; its private corners are touched nowhere else."""

from __future__ import annotations

from typing import Any

from napari.qt import QtViewer
from qtpy.QtGui import QOpenGLContext
from qtpy.QtWidgets import QApplication, QMainWindow, QWidget


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
            qt_viewer = window.findChild(QtViewer)
            if qt_viewer is not None and qt_viewer.viewer == viewer:
                return window, qt_viewer.canvas.native
    return None
