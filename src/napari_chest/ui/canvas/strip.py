"""The strip of slice labels beside the image, as a napari labels layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.colormaps import DirectLabelColormap
from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_chest.ui import layers
from napari_chest.ui.canvas.overlay import StripName

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt
    from napari.components import ViewerModel

    from napari_chest.model import Grid, SliceLabels
    from napari_chest.ui.canvas.axes import Axes

_SMALLEST_NAME = 9
"""Width in pixels below which a cell has no room for its name."""


class Strip:
    """Shows one slice table and tells what napari's tools paint on it.

    What is on screen is a copy: only `update` makes a change stay.
    """

    edited = Signal(object)

    def __init__(self, viewer: ViewerModel, axes: Axes, bind: Callable[[Any], None]) -> None:
        self._viewer = viewer
        self._axes = axes
        self._bind = bind
        self._labels: SliceLabels | None = None
        self._layer: Any = None
        self._busy = False

    def show(self, labels: SliceLabels | None, grid: Grid, name: str) -> None:
        """Show a table, or none."""
        before, self._labels = self._labels, labels
        alike = before is not None and labels is not None and before.columns == labels.columns
        if not alike:
            self.remove()
        if labels is None:
            return
        self._labels = labels
        data, kwargs, _ = layers.strip_layer(labels, grid, name)
        if self._layer is None:
            self._add(labels, data, kwargs)
        else:
            self._refill(data, kwargs)

    def update(self, values: npt.NDArray[np.bool_]) -> None:
        """Show other values (Z, C) of the same table."""
        if self._layer is None:
            return
        self._busy = True
        try:
            np.copyto(self._layer.data, layers.strip_from_values(values))
            self._layer.refresh()
        finally:
            self._busy = False

    def flush(self) -> None:
        """Tell of strokes that are on the strip but not announced yet."""
        if not self._busy and self._layer is not None:
            self.edited.emit(layers.values_from_strip(self._layer.data))

    @property
    def layers(self) -> list[Any]:
        """The layer that shows the strip, if there is one."""
        return [] if self._layer is None else [self._layer]

    @property
    def visible(self) -> bool:
        """Whether the strip is shown."""
        return self._layer is not None and bool(self._layer.visible)

    @visible.setter
    def visible(self, visible: bool) -> None:
        if self._layer is not None:
            self._layer.visible = visible

    def remove(self) -> None:
        """Take the strip off the screen."""
        layer, self._layer, self._labels = self._layer, None, None
        if layer is not None and layer in self._viewer.layers:
            self._viewer.layers.remove(layer)

    def forget(self, layer: Any) -> None:
        """Take note that somebody removed a layer, should it be ours."""
        if layer is self._layer:
            self._layer = self._labels = None

    def cell_at(self, position: Any) -> tuple[int, int] | None:
        """Slice and column of the cell at a world position; None where there is none."""
        if not self._shown():
            return None
        cell = np.rint(self._layer.world_to_data(position[-3:])).astype(int)
        if not ((cell >= 0) & (cell < self._layer.data.shape)).all():
            return None
        return int(cell[0]), int(cell[2])

    def names(self) -> tuple[StripName, ...]:
        """The names of the columns and where they stand, where they have room."""
        grid = self._axes.grid
        if not self._shown() or self._labels is None or grid is None:
            return ()
        left, cell = layers.strip_place(grid)
        if cell * self._viewer.scene.camera.zoom < _SMALLEST_NAME:
            return ()
        top = -grid.spacing[self._axes.order[-2]] / 2
        return tuple(
            StripName(name, *self._axes.to_pixels(top, left + (i + 0.5) * cell))
            for i, name in enumerate(self._labels.columns)
        )

    def _shown(self) -> bool:
        return self._layer is not None and self._layer.visible and self._axes.order[-1] == 2

    def _add(self, labels: SliceLabels, data: Any, kwargs: dict[str, Any]) -> None:
        colormap = DirectLabelColormap(color_dict=layers.strip_colors(labels))
        self._layer = self._viewer.add_labels(data, colormap=colormap, **kwargs)
        self._layer.brush_size = 1
        # napari announces a fill before it writes it; a stroke is announced once, at its end.
        self._layer.events.paint.connect(lambda: QTimer.singleShot(0, self.flush))
        self._layer.events.set_data.connect(lambda: self.flush())
        self._bind(self._layer)

    def _refill(self, data: Any, kwargs: dict[str, Any]) -> None:
        self._busy = True
        try:
            # napari's own history would write the old cells into the new array; this forgets it.
            self._layer.editable = False
            refill(self._layer, data, kwargs)
            self._layer.editable = True
        finally:
            self._busy = False


def refill(layer: Any, data: Any, kwargs: dict[str, Any]) -> None:
    """Give a layer another array and place: napari needs most of a second to replace a layer."""
    layer.data = data
    for name in ("scale", "translate", "name"):
        if name in kwargs:
            setattr(layer, name, kwargs[name])
