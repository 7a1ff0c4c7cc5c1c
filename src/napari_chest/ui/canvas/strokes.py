"""What napari tells of strokes, and how it is told of ours: its private corners are met here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers.labels._labels_mouse_bindings import draw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from napari_chest.edits.steps import Box
    from napari_chest.ui.canvas.axes import Axes

_LEFT = 1


def begun(layer: Any) -> tuple[int, ...] | None:
    """The voxel at which an outline that is being drawn on a layer began; None without one."""
    # napari tells of them nowhere else.
    polygon, stroke = layer._overlays["polygon"], layer._overlays["brush_stroke"]
    points = [stroke.center] if stroke.active else polygon.points[:1]
    return tuple(int(place) for place in points[0]) if points else None


def drop(layer: Any) -> None:
    """Drop the outline that is being drawn on a layer."""
    if layer._overlays["brush_stroke"].active:
        layer._overlays["brush_stroke"].abort(layer)
    layer._overlays["polygon"].points = []


def boxes(step: Sequence[Any]) -> Iterator[Box]:
    """The boxes of voxels that a step of napari's own history names."""
    for part in step:
        box = getattr(part, "slice_key", None)
        if box is None:  # of `Labels.data_setitem`: indices, old values, new values
            box = tuple(slice(int(np.min(i)), int(np.max(i)) + 1) for i in part[0])
        yield tuple(box)


def joined(dirty: Sequence[tuple[Any, Box, str]]) -> Iterator[tuple[Any, Box, str]]:
    """The same boxes, those of one layer joined to the one around them."""
    by_layer: dict[int, tuple[Any, Box, str]] = {}
    for layer, box, tool in dirty:
        known = by_layer.get(id(layer))
        if known is not None:
            box = around(known[1], box)
        by_layer[id(layer)] = layer, box, tool
    yield from by_layer.values()


def around(one: Box, other: Box) -> Box:
    """The smallest box around two."""
    pairs = zip(one, other, strict=True)
    return tuple(slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in pairs)


def crosses(box: Box, axes: Axes) -> bool:
    """Whether a box of voxels can be seen on the plane that is shown."""
    if axes.grid is None:
        return True  # somebody took the image away, so that nobody knows where the masks lie
    axis = axes.order[0]
    return bool(box[axis].start <= axes.index(axis) < box[axis].stop)


def show(layer: Any, box: Box) -> None:
    """Show what was written into a box of a layer's array, and no more than that."""
    # napari's own strokes are shown like this; a refresh would send the whole slice.
    layer._accumulate_updated_slice(box)
    layer._partial_labels_refresh()


def take_over(layer: Any, stroke: Callable[[Any, Any], Any]) -> None:
    """Put our stroke in place of napari's brush and eraser, and keep its bucket to the left button.

    Call it whenever the layer has got another mode: napari then adds its own again.
    """
    acts = [act for act in layer.mouse_drag_callbacks if act not in (draw, _fill, stroke)]
    mode = str(layer.mode)
    if mode in ("paint", "erase"):
        acts.append(stroke)
    elif mode == "fill":
        acts.append(_fill)
    layer.mouse_drag_callbacks[:] = acts
    layer._overlays["brush_stroke"].enabled = False  # the right button is for the window


def _fill(layer: Any, event: Any) -> Iterator[None]:
    if event.button == _LEFT:
        yield from draw(layer, event)
