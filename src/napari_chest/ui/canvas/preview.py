"""What a tool would change, shown before it is kept: what comes is white, what goes is red."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.colormaps import DirectLabelColormap
from psygnal import Signal

from napari_chest.ui import layers

if TYPE_CHECKING:
    import numpy.typing as npt
    from napari.components import ViewerModel

    from napari_chest.edits.steps import Box
    from napari_chest.ui.canvas.axes import Axes

_COMES, _GOES = 1, 2
_COLORS: dict[int | None, str] = {
    None: "transparent",
    0: "transparent",
    _COMES: "#f0f1f2",
    _GOES: "#ff8a7a",
}


class Preview:
    """One layer above the masks while something is previewed, and none at other times.

    Attributes
    ----------
    pending : the box, what comes and goes in it, and the colours of both; None without a preview.

    Signals
    -------
    changed() : something else is previewed, or nothing any more.
    """

    changed = Signal()

    def __init__(self, viewer: ViewerModel, axes: Axes) -> None:
        self._viewer = viewer
        self._axes = axes
        self._layer: Any = None
        self.pending: tuple[Box, npt.NDArray[np.uint8], dict[int | None, str]] | None = None

    @property
    def shown(self) -> bool:
        """Whether something is previewed."""
        return self._layer is not None

    def show(self, box: Box, now: npt.NDArray[Any], wanted: npt.NDArray[Any]) -> None:
        """Show how a box of a mask would change.

        Parameters
        ----------
        box : where.
        now, wanted : labels of the box's shape.
        """
        self.drop()
        grid = self._axes.grid
        if grid is None:
            return
        difference = np.where(now == wanted, 0, np.where(wanted == 0, _GOES, _COMES))
        shown = np.zeros(grid.shape, np.uint8)
        shown[box] = difference
        active = self._viewer.layers.selection.active
        self._layer = self._viewer.add_labels(shown, **layers.preview_layer(grid))
        self._layer.colormap = DirectLabelColormap(color_dict=_COLORS)
        self._layer.editable = False
        self._viewer.layers.selection.active = active
        self.pending = box, shown[box], _COLORS
        self.changed.emit()

    def drop(self) -> None:
        """Show nothing."""
        layer, self._layer = self._layer, None
        if self.pending is not None:
            self.pending = None
            self.changed.emit()
        if layer is not None and layer in self._viewer.layers:
            self._viewer.layers.remove(layer)

    def forget(self, layer: Any) -> None:
        """Take note that somebody removed a layer, should it be ours."""
        if layer is self._layer:
            self._layer = None
