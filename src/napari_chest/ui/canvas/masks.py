"""The masks of a reading as napari labels layers, and the tools that paint them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.colormaps import DirectLabelColormap
from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_chest.ui import keys, layers
from napari_chest.ui.canvas import strokes
from napari_chest.ui.canvas.brush import Brush
from napari_chest.ui.canvas.preview import Preview
from napari_chest.ui.canvas.strip import refill

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    import numpy.typing as npt
    from napari.components import ViewerModel

    from napari_chest.edits.steps import Box
    from napari_chest.model import Grid, Mask
    from napari_chest.ui.canvas.axes import Axes
    from napari_chest.ui.canvas.brush import Place

MOVE, BRUSH, ERASER, FILL, POLYGON, PICKER = (
    "pan_zoom",
    "paint",
    "erase",
    "fill",
    "polygon",
    "pick",
)
"""napari's tools that we use, by napari's names; brush and eraser are our own."""
CLICK = "click"
"""A tool that does nothing but tell the voxels that are clicked."""

_ROUND = (BRUSH, ERASER)
_OPACITIES = (layers.FILL_OPACITY, 0.7, 0.15)
_OUTLINE = 2
_LEFT = 1
_HELP = ", ".join(
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


class Masks:
    """Shows masks and tells what napari's tools paint on them.

    What is on screen is a copy: only `update` makes a change stay.

    Parameters
    ----------
    viewer : napari's viewer.
    axes : where the view stands in the volume.
    bind : gives a new layer our keys.
    held : whether a mouse button is held down over the image.

    Attributes
    ----------
    brush : brush and eraser.
    preview : what a tool would change.

    Signals
    -------
    painted(mask, box, values, tool) : the values that now stand in a box of a mask.
    refreshed(mask, box, values) : the same of the slice on screen, which somebody may have changed
        without a tool.
    segment_picked(mask, value) : another segment is selected.
    tool_changed(tool) : another tool is chosen.
    brush_changed() : the brush has another size or depth.
    visibility_changed() : a mask was hidden or shown.
    look_changed() : masks came or went, or look otherwise.
    dropped(slice) : an outline begun on this slice was left unfinished.
    removed(mask) : somebody took the layer of a mask away.
    replaced(mask, array) : somebody gave the layer of a mask another array.
    """

    painted = Signal(str, object, object, str)
    refreshed = Signal(str, object, object)
    segment_picked = Signal(str, int)
    tool_changed = Signal(str)
    brush_changed = Signal()
    visibility_changed = Signal()
    look_changed = Signal()
    dropped = Signal(int)
    removed = Signal(str)
    replaced = Signal(str, object)

    def __init__(
        self,
        viewer: ViewerModel,
        axes: Axes,
        bind: Callable[[Any], None],
        held: Callable[[], bool],
    ) -> None:
        self._viewer = viewer
        self._axes = axes
        self._bind = bind
        self._held = held
        self._layers: list[Any] = []
        self._masks: list[Mask] = []
        self._hidden: dict[str, frozenset[int]] = {}
        self._dirty: list[tuple[Any, Box, str]] = []
        self._busy = False
        self._last_label = 1
        self._paused = ""
        self.tool = MOVE
        self.brush = Brush(axes)
        self.preview = Preview(axes)
        viewer.layers.selection.events.active.connect(self._on_active)
        viewer.dims.events.order.connect(self._on_order)
        viewer.dims.events.current_step.connect(self._on_step)

    # What is shown

    def show(self, masks: Sequence[Mask], grid: Grid) -> None:
        """Show these masks and no others; the first of them is the one to paint on."""
        self._dirty.clear()
        self.brush.end()
        self.preview.drop()
        if self._held():
            self.remove()  # a stroke of napari's would go on into the next mask
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
                self._refill(self._layers[index], data, kwargs)
            else:
                self._add(data, kwargs)
            self._paint_colors(index)
        if masks:
            self._viewer.layers.selection.active = self._layers[0]
            self._layers[0].selected_label = masks[0].segments[0].value if masks[0].segments else 1
            self._equip(self._layers[0])
        self.look_changed.emit()

    def update(self, name: str, box: Box, values: npt.NDArray[Any]) -> None:
        """Show other values in a box of a mask."""
        layer = self._layer(name)
        if layer is None:
            return
        changed = False
        for shown, plane in zip(layer.data[box], values, strict=True):  # to stay in the cache
            if not np.array_equal(shown, plane):
                shown[...] = plane
                changed = True
        if changed and strokes.crosses(box, self._axes):
            self._refresh(layer)

    def drop_outline(self) -> None:
        """Drop an outline that is still being drawn: it must not be closed on something else."""
        for layer in self._layers:
            begun = strokes.begun(layer)
            if begun is not None:
                strokes.drop(layer)
                self.dropped.emit(begun[0])

    def flush(self) -> None:
        """Tell of strokes that are on screen but not announced yet."""
        self.end_stroke()
        dirty, self._dirty = self._dirty, []
        for layer, box, tool in dirty:
            if layer in self._layers:
                self.painted.emit(self._name(layer), box, layer.data[box].copy(), tool)

    def values(self, name: str) -> npt.NDArray[Any] | None:
        """The whole mask as it is on screen; None where it is not."""
        layer = self._layer(name)
        return None if layer is None else layer.data

    def remove(self) -> None:
        """Take the masks off the screen."""
        self.brush.end()
        self.preview.drop()
        shown, self._layers, self._masks = self._layers, [], []
        for layer in shown:
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)

    def forget(self, layer: Any) -> None:
        """Take note that somebody removed a layer, should it be ours."""
        if layer in self._layers:
            index = self._layers.index(layer)
            name = self._masks[index].name
            del self._layers[index], self._masks[index]
            self.look_changed.emit()
            self.removed.emit(name)

    def close(self) -> None:
        """Listen to the viewer no more."""
        self._viewer.layers.selection.events.active.disconnect(self._on_active)
        self._viewer.dims.events.order.disconnect(self._on_order)
        self._viewer.dims.events.current_step.disconnect(self._on_step)

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
    def layers(self) -> list[Any]:
        """The layers that show the masks."""
        return list(self._layers)

    @property
    def visible(self) -> bool:
        """Whether any of the masks is shown."""
        return any(layer.visible for layer in self._layers)

    @visible.setter
    def visible(self, visible: bool) -> None:
        for layer in self._layers:
            layer.visible = visible

    def shown(self, name: str) -> bool:
        """Whether a mask is shown."""
        layer = self._layer(name)
        return layer is not None and bool(layer.visible)

    @property
    def all_hidden(self) -> bool:
        """Whether there are masks, none of which is shown."""
        return bool(self._layers) and not self.visible

    def toggle_outline(self) -> None:
        """Show the masks filled, or their outlines."""
        outlined = any(layer.contour for layer in self._layers)
        for layer in self._layers:
            layer.contour = 0 if outlined else _OUTLINE
            layer.opacity = layers.FILL_OPACITY if outlined else 1.0
        self.look_changed.emit()

    def step_opacity(self) -> None:
        """Show the masks' fill denser, fainter, or as at first."""
        for layer in self._layers:
            nearest = min(_OPACITIES, key=lambda opacity: abs(opacity - layer.opacity))
            layer.opacity = _OPACITIES[(_OPACITIES.index(nearest) + 1) % len(_OPACITIES)]
        self.look_changed.emit()

    def hide(self, name: str, values: Collection[int]) -> None:
        """Show all segments of a mask but these."""
        self._hidden[name] = frozenset(values)
        for index, mask in enumerate(self._masks):
            if mask.name == name:
                self._paint_colors(index)
        self.look_changed.emit()

    def hidden(self, name: str) -> frozenset[int]:
        """The segments of a mask that are not shown."""
        return self._hidden.get(name, frozenset())

    # Tools

    @property
    def selected(self) -> tuple[str, int] | None:
        """Mask and value that the tools paint; None where no mask is selected."""
        layer = self._active()
        return None if layer is None else (self._name(layer), int(layer.selected_label))

    def select(self, name: str, value: int) -> None:
        """Let the tools paint this segment of this mask."""
        layer = self._layer(name)
        if layer is None:
            return
        if self._active() is not layer:
            self._viewer.layers.selection.active = layer
        layer.selected_label = value

    def set_tool(self, tool: str) -> None:
        """Choose a tool for the mask that is selected."""
        layer = self._active()
        if layer is None and self._layers:
            layer = self._viewer.layers.selection.active = self._layers[0]
        if layer is None:
            return
        self.tool, self._paused = tool, ""
        self._equip(layer)
        self.tool_changed.emit(tool)

    def pause_tool(self, *, paused: bool) -> None:
        """Let the mouse do without the tool for a while, and give it back unless one was chosen."""
        layer = self._active()
        if layer is None or paused == bool(self._paused):
            return
        before = self.tool if paused else ""
        self.set_tool(MOVE if paused else self._paused)
        self._paused = before

    @property
    def painting(self) -> bool:
        """Whether brush or eraser is the tool."""
        return self.tool in _ROUND

    def begin_stroke(self, at: Place, through: int, *, erase: bool) -> bool:
        """Begin a stroke in the plane through an axis, from whatever view; tells whether."""
        layer = self._active()
        if layer is None:
            return False
        self.flush()
        value = 0 if erase or self.tool == ERASER else int(layer.selected_label)
        return self.brush.begin(layer, self._name(layer), value, at, through)

    def end_stroke(self) -> None:
        """End the stroke and tell of it."""
        tool = BRUSH
        found = self.brush.end()
        if found is not None and found[0] in self._layers:
            self._dirty.append((*found, tool))
            self.flush()

    def stroke(self, name: str, voxel: tuple[int, int, int]) -> None:
        """Paint once with the brush at a voxel of the plane on screen, as a click would."""
        self.select(name, int(self._layer(name).selected_label))
        z, y, x = voxel
        if self.begin_stroke((float(z), float(y), float(x)), self._axes.order[0], erase=False):
            self.end_stroke()

    def set_brush(self, size: float, *, deep: bool) -> None:
        """Give brush and eraser a diameter in mm, in one slice or as a ball through several."""
        self.brush.size, self.brush.deep = size, deep
        layer = self._active()
        if layer is not None:
            self._equip(layer)
        self.brush_changed.emit()

    # napari's events

    def _on_paint(self, layer: Any, event: Any) -> None:
        if self._busy or layer not in self._layers:
            return
        tool = str(layer.mode)
        for box in strokes.boxes(event.value):
            self._dirty.append((layer, box, tool))
        self._dirty = [*strokes.joined(self._dirty)]
        # napari announces a fill before it writes it; a stroke is announced once, at its end.
        QTimer.singleShot(0, self.flush)

    def _stroke(self, layer: Any, event: Any) -> Iterator[None]:
        """A stroke of the mouse, as napari asks its drag callbacks for it."""
        if event.button != _LEFT or layer is not self._active() or self._axes.grid is None:
            return
        begun = self.begin_stroke(
            self._place(event.position), self._axes.order[0], erase="Control" in event.modifiers
        )
        if not begun:
            return
        yield
        while event.type == "mouse_move":
            self.brush.go_on(self._place(event.position))
            yield
        self.end_stroke()

    def _place(self, position: Any) -> Place:
        """Voxel coordinates of a world position; on the slice that is shown, wherever it lies."""
        assert self._axes.grid is not None
        place = [p / s for p, s in zip(position[-3:], self._axes.grid.spacing, strict=True)]
        axis = self._axes.order[0]
        place[axis] = self._axes.index(axis)
        return place[0], place[1], place[2]

    def _on_data(self, layer: Any) -> None:
        """Somebody gave the layer another array: its voxels count, but the array is not ours."""
        if not self._busy and layer in self._layers:
            self.replaced.emit(self._name(layer), layer.data)

    def give(self, name: str, labels: npt.NDArray[Any]) -> None:
        """Show a mask in an array of its own, whatever array its layer has been given."""
        layer = self._layer(name)
        if layer is not None:
            self._refill(layer, np.array(labels), {})
            self._equip(self._active() or layer)
            self.look_changed.emit()  # the array is another one

    def _on_refreshed(self, layer: Any) -> None:
        if self._busy or self._dirty or self.brush.busy or self._axes.grid is None:
            return
        if layer not in self._layers or layer.data.shape != self._axes.grid.shape:
            return
        axis = self._axes.order[0]
        index = self._axes.index(axis)
        box = tuple(slice(index, index + 1) if a == axis else slice(None) for a in range(3))
        self.refreshed.emit(self._name(layer), box, layer.data[box])

    def _on_selected_label(self, layer: Any) -> None:
        if self._busy or layer is not self._active():
            return
        if self.tool == PICKER and not layer.selected_label:
            self._pick_elsewhere(layer)
        else:
            self._last_label = int(layer.selected_label)
            self.segment_picked.emit(self._name(layer), int(layer.selected_label))

    def _on_mode(self, layer: Any) -> None:
        if self._busy or layer is not self._active():
            return
        if layer.visible:  # napari puts down the tool of a layer that is hidden; it comes back
            self.tool = str(layer.mode)
        self._equip(layer)
        self.tool_changed.emit(self.tool)

    def _on_visible(self, layer: Any) -> None:
        if layer.visible and layer is self._active():
            self._equip(layer)
        self.visibility_changed.emit()
        self.look_changed.emit()

    def _on_brush(self, layer: Any) -> None:
        if self._busy or layer is not self._active():
            return
        self.brush.size = layers.brush_size(int(layer.brush_size), self._spacing())
        self.brush_changed.emit()

    def _on_active(self) -> None:
        layer = self._active()
        if layer is None or self._busy:
            return
        self._equip(layer)
        self.segment_picked.emit(self._name(layer), int(layer.selected_label))

    def _on_order(self) -> None:
        self.drop_outline()
        layer = self._active()
        if layer is not None:
            self._equip(layer)

    def _on_step(self) -> None:
        if self._axes.grid is None:
            return
        axis = self._axes.order[0]
        begun = [place for place in map(strokes.begun, self._layers) if place is not None]
        if any(place[axis] != self._axes.index(axis) for place in begun):
            self.drop_outline()

    # Steps of these

    def _pick_elsewhere(self, layer: Any) -> None:
        """Select what another mask has where nothing of this one was picked, or what was before.

        Background is no segment: the brush would erase without saying so.
        """
        found = self._segment_at(self._viewer.cursor.position)
        if found is None:
            layer.selected_label = self._last_label
        else:
            self.select(*found)

    def _segment_at(self, position: Any) -> tuple[str, int] | None:
        """Mask and value that are seen at a world position."""
        for layer, mask in zip(self._layers[::-1], self._masks[::-1], strict=True):
            voxel = tuple(np.rint(layer.world_to_data(position[-3:])).astype(int))
            inside = all(0 <= i < length for i, length in zip(voxel, layer.data.shape, strict=True))
            value = int(layer.data[voxel]) if inside and layer.visible else 0
            if value and value not in self.hidden(mask.name):
                return mask.name, value
        return None

    def _active(self) -> Any:
        layer = self._viewer.layers.selection.active
        return layer if layer in self._layers else None

    def _layer(self, name: str) -> Any:
        found = (self._layers[i] for i, mask in enumerate(self._masks) if mask.name == name)
        return next(found, None)

    def _name(self, layer: Any) -> str:
        return self._masks[self._layers.index(layer)].name

    def _spacing(self) -> float:
        """Width in mm of a voxel along the finest axis that the brush paints."""
        if self._axes.grid is None:
            return 1.0
        painted = self._axes.order if self.brush.deep else self._axes.order[-2:]
        return min(self._axes.grid.spacing[axis] for axis in painted)

    def _equip(self, layer: Any) -> None:
        """Give a layer the tool and the brush that were chosen on another."""
        self._busy = True
        try:
            mode = MOVE if self.tool == CLICK else self.tool
            if str(layer.mode) != mode:
                layer.mode = mode
            strokes.take_over(layer, self._stroke)
            # napari's bucket takes seconds and hundreds of megabytes for a whole volume.
            layer.n_edit_dimensions = 3 if self.brush.deep and self.tool in _ROUND else 2
            layer.brush_size = layers.brush_voxels(self.brush.size, self._spacing())
            # napari's own names digits that mean something else here.
            layer.help = self._viewer.help = _HELP
        finally:
            self._busy = False

    def _paint_colors(self, index: int) -> None:
        mask = self._masks[index]
        colors = layers.mask_colors(mask, self.hidden(mask.name))
        self._layers[index].colormap = DirectLabelColormap(color_dict=colors)

    def _add(self, data: Any, kwargs: dict[str, Any]) -> None:
        layer = self._viewer.add_labels(data, **kwargs)
        self._layers.append(layer)
        events = layer.events
        events.paint.connect(partial(self._on_paint, layer))
        for emitter, slot in (
            (events.visible, self._on_visible),
            (events.set_data, self._on_refreshed),
            (events.data, self._on_data),
            (events.selected_label, self._on_selected_label),
            (events.mode, self._on_mode),
            (events.brush_size, self._on_brush),
        ):
            emitter.connect(partial(_without_event, slot, layer))
        self._bind(layer)

    def _refill(self, layer: Any, data: Any, kwargs: dict[str, Any]) -> None:
        self._busy = True
        try:
            # napari's own history would write the old voxels into the new array; this forgets it.
            layer.editable = False
            refill(layer, data, kwargs)
            if "features" in kwargs:
                layer.features = kwargs["features"]
            layer.editable = True
        finally:
            self._busy = False

    def _refresh(self, layer: Any) -> None:
        self._busy = True
        try:
            layer.refresh(thumbnail=False, extent=False, highlight=False)
        finally:
            self._busy = False


def _without_event(slot: Callable[[Any], None], layer: Any, event: Any) -> None:  # noqa: ARG001
    slot(layer)
