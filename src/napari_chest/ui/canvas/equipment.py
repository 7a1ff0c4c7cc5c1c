"""What a labels layer is given to be painted on: the tool, its size, and a line of help."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_chest.ui import keys, layers
from napari_chest.ui.canvas import strokes

if TYPE_CHECKING:
    from collections.abc import Callable

HELP = ", ".join(
    f"{keys.shown(action)} {word}"
    for action, word in (
        ("tool_brush", "brush (hold Ctrl to erase)"),
        ("tool_eraser", "eraser"),
        ("tool_fill", "fill"),
        ("tool_pick", "pick"),
        ("tool_move", "no tool"),
        ("tool_menu", "all tools"),
        ("show_keys", "all keys"),
    )
)


def equip(
    layer: Any,
    mode: str,
    stroke: Callable[[Any, Any], Any],
    *,
    size: float,
    spacing: float,
    deep: bool,
) -> None:
    """Give a layer a tool and a brush.

    Parameters
    ----------
    layer : napari's labels layer.
    mode : the tool, by napari's name.
    stroke : the drag callback in place of napari's brush and eraser.
    size : diameter of the brush in mm.
    spacing : width in mm of a voxel along the finest axis that it paints.
    deep : whether the tool works in three dimensions.
    """
    if str(layer.mode) != mode:
        layer.mode = mode
    strokes.take_over(layer, stroke)
    layer.n_edit_dimensions = 3 if deep else 2
    layer.brush_size = layers.brush_voxels(size, spacing)
    # napari's own names digits that mean something else here.
    layer.help = HELP
