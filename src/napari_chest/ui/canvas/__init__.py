"""The adapter to napari: its layers, events, keys, mouse and private corners."""

from napari_chest.ui.canvas.canvas import Canvas

__all__ = ["Canvas"]
