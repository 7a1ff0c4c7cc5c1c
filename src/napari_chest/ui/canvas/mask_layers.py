"""The napari labels layers that show masks: made, filled, coloured, hidden, and found again."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.colormaps import DirectLabelColormap

from napari_chest.ui import layers
from napari_chest.ui.canvas.strip import refill

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    import numpy.typing as npt
    from napari.components import ViewerModel

    from napari_chest.edits.steps import Box
    from napari_chest.model import Grid, Mask

_OPACITIES = (layers.FILL_OPACITY, 0.7, 0.15)
_OUTLINE = 2


@dataclass(frozen=True, eq=False)
class Look:
    """How a mask is shown.

    Attributes
    ----------
    labels : (Z, Y, X), the array on screen.
    colors : colour of every value; of values without a segment under None.
    opacity : from 0 to 1.
    outline : whether only its outline is shown.
    """

    labels: npt.NDArray[Any]
    colors: dict[int | None, str]
    opacity: float
    outline: bool


class MaskLayers:
    """One layer per mask, the first mask lowest; each has an array of its own.

    Parameters
    ----------
    viewer : napari's viewer.
    added : called with every new layer.

    Attributes
    ----------
    busy : whether what the layers tell of now is our own doing.
    """

    def __init__(self, viewer: ViewerModel, added: Callable[[Any], None]) -> None:
        self._viewer = viewer
        self._added = added
        self._layers: list[Any] = []
        self._masks: list[Mask] = []
        self._hidden: dict[str, frozenset[int]] = {}
        self.busy = False

    def __iter__(self) -> Iterator[Any]:
        return iter(self._layers)

    def __contains__(self, layer: Any) -> bool:
        return layer in self._layers

    # What is shown

    def show(self, masks: Sequence[Mask], grid: Grid) -> None:
        """Show these masks and no others."""
        alike = [mask.name for mask in masks[: len(self._masks)]]
        if [mask.name for mask in self._masks] != alike:
            self._hidden.clear()
        self._layers, spare = self._layers[: len(masks)], self._layers[len(masks) :]
        for layer in spare:
            self._viewer.layers.remove(layer)
        self._masks = list(masks)
        for index, mask in enumerate(masks):
            data, kwargs, _ = layers.mask_layer(mask, grid)
            if index < len(self._layers):
                self.refill(self._layers[index], data, kwargs)
            else:
                self._add(data, kwargs)
            self._paint_colors(index)

    def refill(self, layer: Any, data: Any, kwargs: dict[str, Any]) -> None:
        """Give a layer another array, and what `layers.mask_layer` says of it."""
        with self.quietly():
            # napari's own history would write the old voxels into the new array; this forgets it.
            layer.editable = False
            refill(layer, data, kwargs)
            if "features" in kwargs:
                layer.features = kwargs["features"]
            layer.editable = True

    def write(self, layer: Any, box: Box, values: npt.NDArray[Any]) -> bool:
        """Write values into a box of a layer's array, unseen; tells whether they are others."""
        changed = False
        for shown, plane in zip(layer.data[box], values, strict=True):  # to stay in the cache
            if not np.array_equal(shown, plane):
                shown[...] = plane
                changed = True
        return changed

    def refresh(self, layer: Any) -> None:
        """Let napari show what stands in a layer's array."""
        with self.quietly():
            layer.refresh(thumbnail=False, extent=False, highlight=False)

    def remove(self) -> None:
        """Take the masks off the screen."""
        shown, self._layers, self._masks = self._layers, [], []
        for layer in shown:
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)

    def forget(self, layer: Any) -> None:
        """Know nothing more of one of our layers."""
        index = self._layers.index(layer)
        del self._layers[index], self._masks[index]

    @contextmanager
    def quietly(self) -> Iterator[None]:
        """Be `busy` for a while."""
        self.busy = True
        try:
            yield
        finally:
            self.busy = False

    # Which is which

    @property
    def first(self) -> Any:
        """The lowest of the layers; None without any."""
        return self._layers[0] if self._layers else None

    @property
    def active(self) -> Any:
        """The layer that is selected; None where none of ours is."""
        layer = self._viewer.layers.selection.active
        return layer if layer in self._layers else None

    def named(self, name: str) -> Any:
        """The layer of a mask; None where it is not shown."""
        found = (self._layers[i] for i, mask in enumerate(self._masks) if mask.name == name)
        return next(found, None)

    def name(self, layer: Any) -> str:
        """The mask that one of our layers shows."""
        return self._masks[self._layers.index(layer)].name

    def segment_at(self, position: Any) -> tuple[str, int] | None:
        """Mask and value that are seen at a world position."""
        for layer, mask in zip(self._layers[::-1], self._masks[::-1], strict=True):
            voxel = tuple(np.rint(layer.world_to_data(position[-3:])).astype(int))
            inside = all(0 <= i < length for i, length in zip(voxel, layer.data.shape, strict=True))
            value = int(layer.data[voxel]) if inside and layer.visible else 0
            if value and value not in self.hidden(mask.name):
                return mask.name, value
        return None

    # How it is shown

    def looks(self) -> list[Look]:
        """How the masks that are shown look, from the lowest to the one on top."""
        return [
            Look(
                layer.data,
                layers.mask_colors(mask, self.hidden(mask.name)),
                float(layer.opacity),
                outline=bool(layer.contour),
            )
            for layer, mask in zip(self._layers, self._masks, strict=True)
            if layer.visible
        ]

    @property
    def visible(self) -> bool:
        """Whether any of the masks is shown."""
        return any(layer.visible for layer in self._layers)

    @visible.setter
    def visible(self, visible: bool) -> None:
        for layer in self._layers:
            layer.visible = visible

    def toggle_outline(self) -> None:
        """Show the masks filled, or their outlines."""
        outlined = any(layer.contour for layer in self._layers)
        for layer in self._layers:
            layer.contour = 0 if outlined else _OUTLINE
            layer.opacity = layers.FILL_OPACITY if outlined else 1.0

    def step_opacity(self) -> None:
        """Show the masks' fill denser, fainter, or as at first."""
        for layer in self._layers:
            nearest = min(_OPACITIES, key=lambda opacity: abs(opacity - layer.opacity))
            layer.opacity = _OPACITIES[(_OPACITIES.index(nearest) + 1) % len(_OPACITIES)]

    def hide(self, name: str, values: Collection[int]) -> None:
        """Show all segments of a mask but these."""
        self._hidden[name] = frozenset(values)
        for index, mask in enumerate(self._masks):
            if mask.name == name:
                self._paint_colors(index)

    def hidden(self, name: str) -> frozenset[int]:
        """The segments of a mask that are not shown."""
        return self._hidden.get(name, frozenset())

    # Steps of these

    def _paint_colors(self, index: int) -> None:
        mask = self._masks[index]
        colors = layers.mask_colors(mask, self.hidden(mask.name))
        self._layers[index].colormap = DirectLabelColormap(color_dict=colors)

    def _add(self, data: Any, kwargs: dict[str, Any]) -> None:
        layer = self._viewer.add_labels(data, **kwargs)
        self._layers.append(layer)
        self._added(layer)
