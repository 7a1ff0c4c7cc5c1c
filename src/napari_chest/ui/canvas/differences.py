"""Where readings differ, coloured over the image: to be seen, not to be painted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.colormaps import DirectLabelColormap

from napari_chest.ui.canvas import strokes
from napari_chest.ui.canvas.strip import refill

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from napari.components import ViewerModel

    from napari_chest.edits.steps import Box
    from napari_chest.model import Grid
    from napari_chest.ui.canvas.axes import Axes

_NAME = "disagreements"
_FAINT, _DENSE = "80", "e6"
"""Alpha of what differs, and of that part of it which is looked at."""
_CURRENT = 16
"""Is added to the kinds of voxels that are looked at."""


class Differences:
    """One layer; it stays in the viewer unseen, because making one anew takes a while."""

    def __init__(self, viewer: ViewerModel, axes: Axes) -> None:
        self._viewer = viewer
        self._axes = axes
        self._layer: Any = None
        self._wanted = False
        self._current: Box | None = None

    def show(self, kinds: npt.NDArray[np.uint8], colors: Sequence[str], grid: Grid) -> None:
        """Show what differs.

        Parameters
        ----------
        kinds : (Z, Y, X), 0 where nothing does; it is kept, and written to.
        colors : ``#RRGGBB`` of the kinds, from 1.
        grid : of the volume.
        """
        kwargs = {
            "name": _NAME,
            "scale": grid.spacing,
            "units": ("mm",) * 3,
            "axis_labels": ("z", "y", "x"),
            "blending": "translucent_no_depth",
        }
        self._current = None
        active = self._viewer.layers.selection.active
        if self._layer is None:
            self._layer = self._viewer.add_labels(kinds, opacity=1.0, **kwargs)
        else:
            refill(self._layer, kinds, kwargs)
        self._layer.colormap = DirectLabelColormap(color_dict=_color_dict(colors))
        self._layer.editable = False
        self._wanted = self._layer.visible = True
        if active is not None and active in self._viewer.layers:
            self._viewer.layers.selection.active = active

    def emphasise(self, box: Box | None) -> None:
        """Show what differs in a box densely, and all else faintly."""
        if self._layer is None:
            return
        for place, more in ((self._current, 0), (box, _CURRENT)):
            if place is not None:
                part = self._layer.data[place]
                kinds = part % _CURRENT
                np.copyto(part, np.where(kinds != 0, kinds + more, 0).astype(part.dtype))
        seen = [place for place in (self._current, box) if place is not None]
        self._current = box
        if any(strokes.crosses(place, self._axes) for place in seen):
            self._layer.refresh(thumbnail=False, extent=False, highlight=False)

    def begin(self, grid: Grid) -> None:
        """Show nothing in another volume; a layer of the old one's extent would move the view."""
        self._wanted, self._current = False, None
        if self._layer is not None:
            self._layer.visible = False
            refill(self._layer, np.zeros((1, 1, 1), np.uint8), {"scale": grid.spacing})

    def hide(self) -> None:
        """Show nothing until `show`."""
        self._wanted = False
        self.visible = False

    @property
    def layers(self) -> list[Any]:
        """The layer that shows it, if there is one."""
        return [] if self._layer is None else [self._layer]

    @property
    def visible(self) -> bool:
        """Whether it is seen."""
        return self._layer is not None and bool(self._layer.visible)

    @visible.setter
    def visible(self, visible: bool) -> None:
        if self._layer is not None:
            self._layer.visible = visible and self._wanted

    def remove(self) -> None:
        """Take it out of the viewer."""
        layer, self._layer, self._current = self._layer, None, None
        self._wanted = False
        if layer is not None and layer in self._viewer.layers:
            self._viewer.layers.remove(layer)

    def forget(self, layer: Any) -> None:
        """Take note that somebody removed a layer, should it be ours."""
        if layer is self._layer:
            self._layer = self._current = None
            self._wanted = False


def _color_dict(colors: Sequence[str]) -> dict[int | None, str]:
    found: dict[int | None, str] = {None: "transparent", 0: "transparent"}
    for kind, color in enumerate(colors, 1):
        found[kind] = f"{color}{_FAINT}"
        found[kind + _CURRENT] = f"{color}{_DENSE}"
    return found
