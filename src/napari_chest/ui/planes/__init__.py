"""Light panes beside the main view: the other two planes, drawn without OpenGL."""

from napari_chest.ui.planes.planes import Planes

__all__ = ["Planes"]
