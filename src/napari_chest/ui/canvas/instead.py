"""Another reader's masks in place of those that are corrected, as long as a key is held."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.colormaps import DirectLabelColormap

from napari_chest import findings
from napari_chest.ui import layers
from napari_chest.ui.canvas.strip import refill

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_chest.model import Grid, Reading


class Instead:
    """One layer with all masks of a reading; napari's tools do not work on it."""

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self._layer: Any = None
        self._reading: Reading | None = None
        self._title = ""

    def prepare(self, reading: Reading | None, grid: Grid, title: str) -> None:
        """Have these masks ready, unseen, or none: a layer that is made anew takes a while.

        ``title`` is what the reader is called on screen.
        """
        if reading is self._reading:
            return
        self._title = title
        self._reading = reading
        if reading is None:
            self.remove()
            return
        found, colors, names = _flat(reading, grid)
        kwargs = {
            "name": f"{title} (held)",
            "scale": grid.spacing,
            "units": ("mm",) * 3,
            "axis_labels": ("z", "y", "x"),
            "opacity": layers.FILL_OPACITY,
            "blending": "translucent_no_depth",
            "visible": False,
        }
        active = self._viewer.layers.selection.active
        if self._layer is None:
            self._layer = self._viewer.add_labels(found, **kwargs)
        else:
            refill(self._layer, found, kwargs)
        self._layer.features = {"index": range(len(names)), "segment": names}
        self._layer.colormap = DirectLabelColormap(color_dict=colors)
        self._layer.editable = False
        if active is not None and active in self._viewer.layers:
            self._viewer.layers.selection.active = active

    @property
    def ready(self) -> bool:
        """Whether there are masks to show."""
        return self._layer is not None

    @property
    def shown(self) -> str:
        """Whose masks are shown; empty where none are."""
        return self._title if self._layer is not None and self._layer.visible else ""

    def show(self, visible: bool) -> None:
        """Show the masks, or hide them."""
        if self._layer is not None:
            self._layer.visible = visible

    def remove(self) -> None:
        """Take them out of the viewer."""
        layer, self._layer, self._reading = self._layer, None, None
        if layer is not None and layer in self._viewer.layers:
            self._viewer.layers.remove(layer)

    def forget(self, layer: Any) -> None:
        """Take note that somebody removed a layer, should it be ours."""
        if layer is self._layer:
            self._layer = self._reading = None


def _flat(reading: Reading, grid: Grid) -> tuple[Any, dict[int | None, str], list[str]]:
    """All masks in one array, the last on top; colour and name of each of its values."""
    found = np.zeros(grid.shape, np.uint16)
    colors: dict[int | None, str] = {None: findings.OTHER.color, 0: "transparent"}
    names = [""]
    told = {mask.splits for mask in reading.masks}
    for mask in reading.masks:
        if mask.aid or mask.name in told:
            continue
        numbers = np.zeros(int(mask.labels.max(initial=0)) + 1, np.uint16)
        # What no segment names is seen as well.
        numbers[1:] = np.iinfo(np.uint16).max
        for segment in mask.segments:
            colors[len(names)] = segment.color
            if segment.value < len(numbers):
                numbers[segment.value] = len(names)
            names.append(segment.name)
        for shown, labels in zip(found, mask.labels, strict=True):  # to stay in the cache
            if labels.any():
                np.copyto(shown, numbers[labels], where=labels != 0)
    return found, colors, names
