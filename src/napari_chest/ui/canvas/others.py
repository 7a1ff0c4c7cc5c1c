"""The masks of other readers as outlines over the image: to be seen, not to be painted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.utils.colormaps import DirectLabelColormap

from napari_chest.ui import layers
from napari_chest.ui.canvas.strip import refill

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.components import ViewerModel

    from napari_chest.model import Grid, Reading

_OUTLINE = 2


class Others:
    """One layer per reader, outlined in the reader's colour; napari's tools do not work on it."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._layers: list[Any] = []

    def show(self, readings: Sequence[tuple[Reading, str]], grid: Grid) -> None:
        """Show these readings, each in its colour, and no others."""
        active = self._viewer.layers.selection.active
        self._layers, spare = self._layers[: len(readings)], self._layers[len(readings) :]
        for layer in spare:
            self._viewer.layers.remove(layer)
        for index, (reading, color) in enumerate(readings):
            data, kwargs, _ = layers.outline_layer(reading, grid)
            if index < len(self._layers):
                refill(self._layers[index], data, kwargs)
            else:
                self._layers.append(self._viewer.add_labels(data, **kwargs))
            layer = self._layers[index]
            layer.features = kwargs["features"]
            layer.colormap = DirectLabelColormap(color_dict={None: color, 0: "transparent"})
            layer.contour = _OUTLINE
            layer.editable = False
        if active is not None and active in self._viewer.layers:
            self._viewer.layers.selection.active = active

    def remove(self) -> None:
        """Take them off the screen."""
        shown, self._layers = self._layers, []
        for layer in shown:
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)

    def forget(self, layer: Any) -> None:
        """Take note that somebody removed a layer, should it be ours."""
        if layer in self._layers:
            self._layers.remove(layer)

    @property
    def layers(self) -> list[Any]:
        """The layers that show them."""
        return list(self._layers)

    @property
    def visible(self) -> bool:
        """Whether any of them is shown."""
        return any(layer.visible for layer in self._layers)

    @visible.setter
    def visible(self, visible: bool) -> None:
        for layer in self._layers:
            layer.visible = visible
