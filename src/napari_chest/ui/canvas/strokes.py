"""What napari tells of strokes: the boxes they change, and outlines that are still being drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from napari_chest.edits.steps import Box


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
            pairs = zip(known[1], box, strict=True)
            box = tuple(slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in pairs)
        by_layer[id(layer)] = layer, box, tool
    yield from by_layer.values()
