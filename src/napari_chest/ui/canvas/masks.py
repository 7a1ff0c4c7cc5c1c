"""The masks of a reading on screen, and what napari's tools do to them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_chest.ui import layers
from napari_chest.ui.canvas import strokes
from napari_chest.ui.canvas.brush import Brush
from napari_chest.ui.canvas.equipment import HELP, equip
from napari_chest.ui.canvas.mask_layers import MaskLayers
from napari_chest.ui.canvas.preview import Preview

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    import numpy.typing as npt
    from napari.components import ViewerModel

    from napari_chest.edits.steps import Box
    from napari_chest.model import Grid, Mask
    from napari_chest.ui.canvas.axes import Axes
    from napari_chest.ui.canvas.brush import Place
    from napari_chest.ui.canvas.mask_layers import Look

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
_LEFT = 1


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
        self._layers = MaskLayers(viewer, self._listen)
        self._dirty: list[tuple[Any, Box, str]] = []
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
        self._layers.show(masks, grid)
        first = self._layers.first
        if first is not None:
            self._viewer.layers.selection.active = first
            first.selected_label = masks[0].segments[0].value if masks[0].segments else 1
            self._equip(first)
        self.look_changed.emit()

    def update(self, name: str, box: Box, values: npt.NDArray[Any]) -> None:
        """Show other values in a box of a mask."""
        layer = self._layers.named(name)
        if layer is None:
            return
        if self._layers.write(layer, box, values) and strokes.crosses(box, self._axes):
            self._layers.refresh(layer)

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
                self.painted.emit(self._layers.name(layer), box, layer.data[box].copy(), tool)

    def values(self, name: str) -> npt.NDArray[Any] | None:
        """The whole mask as it is on screen; None where it is not."""
        layer = self._layers.named(name)
        return None if layer is None else layer.data

    def remove(self) -> None:
        """Take the masks off the screen."""
        self.brush.end()
        self.preview.drop()
        self._layers.remove()

    def forget(self, layer: Any) -> None:
        """Take note that somebody removed a layer, should it be ours."""
        if layer in self._layers:
            name = self._layers.name(layer)
            self._layers.forget(layer)
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
        return self._layers.looks()

    @property
    def layers(self) -> list[Any]:
        """The layers that show the masks."""
        return list(self._layers)

    @property
    def visible(self) -> bool:
        """Whether any of the masks is shown."""
        return self._layers.visible

    @visible.setter
    def visible(self, visible: bool) -> None:
        self._layers.visible = visible

    def shown(self, name: str) -> bool:
        """Whether a mask is shown."""
        layer = self._layers.named(name)
        return layer is not None and bool(layer.visible)

    @property
    def all_hidden(self) -> bool:
        """Whether there are masks, none of which is shown."""
        return self._layers.first is not None and not self.visible

    def toggle_outline(self) -> None:
        """Show the masks filled, or their outlines."""
        self._layers.toggle_outline()
        self.look_changed.emit()

    def step_opacity(self) -> None:
        """Show the masks' fill denser, fainter, or as at first."""
        self._layers.step_opacity()
        self.look_changed.emit()

    def hide(self, name: str, values: Collection[int]) -> None:
        """Show all segments of a mask but these."""
        self._layers.hide(name, values)
        self.look_changed.emit()

    def hidden(self, name: str) -> frozenset[int]:
        """The segments of a mask that are not shown."""
        return self._layers.hidden(name)

    # Tools

    @property
    def selected(self) -> tuple[str, int] | None:
        """Mask and value that the tools paint; None where no mask is selected."""
        layer = self._layers.active
        return None if layer is None else (self._layers.name(layer), int(layer.selected_label))

    def select(self, name: str, value: int) -> None:
        """Let the tools paint this segment of this mask."""
        layer = self._layers.named(name)
        if layer is None:
            return
        if self._layers.active is not layer:
            self._viewer.layers.selection.active = layer
        layer.selected_label = value

    def set_tool(self, tool: str) -> None:
        """Choose a tool for the mask that is selected."""
        layer = self._layers.active
        if layer is None:
            layer = self._layers.first
            if layer is None:
                return
            self._viewer.layers.selection.active = layer
        self.tool, self._paused = tool, ""
        self._equip(layer)
        self.tool_changed.emit(tool)

    def pause_tool(self, *, paused: bool) -> None:
        """Let the mouse do without the tool for a while, and give it back unless one was chosen."""
        layer = self._layers.active
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
        layer = self._layers.active
        if layer is None:
            return False
        self.flush()
        value = 0 if erase or self.tool == ERASER else int(layer.selected_label)
        return self.brush.begin(layer, self._layers.name(layer), value, at, through)

    def end_stroke(self) -> None:
        """End the stroke and tell of it."""
        found = self.brush.end()
        if found is not None and found[0] in self._layers:
            self._dirty.append((*found, BRUSH))
            self.flush()

    def stroke(self, name: str, voxel: tuple[int, int, int]) -> None:
        """Paint once with the brush at a voxel of the plane on screen, as a click would."""
        self.select(name, int(self._layers.named(name).selected_label))
        z, y, x = voxel
        if self.begin_stroke((float(z), float(y), float(x)), self._axes.order[0], erase=False):
            self.end_stroke()

    def set_brush(self, size: float, *, deep: bool) -> None:
        """Give brush and eraser a diameter in mm, in one slice or as a ball through several."""
        self.brush.size, self.brush.deep = size, deep
        layer = self._layers.active
        if layer is not None:
            self._equip(layer)
        self.brush_changed.emit()

    # napari's events

    def _on_paint(self, layer: Any, event: Any) -> None:
        if self._layers.busy or layer not in self._layers:
            return
        tool = str(layer.mode)
        for box in strokes.boxes(event.value):
            self._dirty.append((layer, box, tool))
        self._dirty = [*strokes.joined(self._dirty)]
        # napari announces a fill before it writes it; a stroke is announced once, at its end.
        QTimer.singleShot(0, self.flush)

    def _stroke(self, layer: Any, event: Any) -> Iterator[None]:
        """A stroke of the mouse, as napari asks its drag callbacks for it."""
        if event.button != _LEFT or layer is not self._layers.active or self._axes.grid is None:
            return
        begun = self.begin_stroke(
            self._axes.place(event.position),
            self._axes.order[0],
            erase="Control" in event.modifiers,
        )
        if not begun:
            return
        yield
        while event.type == "mouse_move":
            self.brush.go_on(self._axes.place(event.position))
            yield
        self.end_stroke()

    def _on_data(self, layer: Any) -> None:
        """Somebody gave the layer another array: its voxels count, but the array is not ours."""
        if not self._layers.busy and layer in self._layers:
            self.replaced.emit(self._layers.name(layer), layer.data)

    def give(self, name: str, labels: npt.NDArray[Any]) -> None:
        """Show a mask in an array of its own, whatever array its layer has been given."""
        layer = self._layers.named(name)
        if layer is not None:
            self._layers.refill(layer, np.array(labels), {})
            self._equip(self._layers.active or layer)
            self.look_changed.emit()  # the array is another one

    def _on_refreshed(self, layer: Any) -> None:
        if self._layers.busy or self._dirty or self.brush.busy or self._axes.grid is None:
            return
        if layer not in self._layers or layer.data.shape != self._axes.grid.shape:
            return
        axis = self._axes.order[0]
        index = self._axes.index(axis)
        box = tuple(slice(index, index + 1) if a == axis else slice(None) for a in range(3))
        self.refreshed.emit(self._layers.name(layer), box, layer.data[box])

    def _on_selected_label(self, layer: Any) -> None:
        if self._layers.busy or layer is not self._layers.active:
            return
        if self.tool == PICKER and not layer.selected_label:
            self._pick_elsewhere(layer)
        else:
            self._last_label = int(layer.selected_label)
            self.segment_picked.emit(self._layers.name(layer), int(layer.selected_label))

    def _on_mode(self, layer: Any) -> None:
        if self._layers.busy or layer is not self._layers.active:
            return
        if layer.visible:  # napari puts down the tool of a layer that is hidden; it comes back
            self.tool = str(layer.mode)
        self._equip(layer)
        self.tool_changed.emit(self.tool)

    def _on_visible(self, layer: Any) -> None:
        if layer.visible and layer is self._layers.active:
            self._equip(layer)
        self.visibility_changed.emit()
        self.look_changed.emit()

    def _on_brush(self, layer: Any) -> None:
        if self._layers.busy or layer is not self._layers.active:
            return
        self.brush.size = layers.brush_size(
            int(layer.brush_size), self._axes.finest(deep=self.brush.deep)
        )
        self.brush_changed.emit()

    def _on_active(self) -> None:
        layer = self._layers.active
        if layer is None or self._layers.busy:
            return
        self._equip(layer)
        self.segment_picked.emit(self._layers.name(layer), int(layer.selected_label))

    def _on_order(self) -> None:
        self.drop_outline()
        layer = self._layers.active
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
        found = self._layers.segment_at(self._viewer.cursor.position)
        if found is None:
            layer.selected_label = self._last_label
        else:
            self.select(*found)

    def _equip(self, layer: Any) -> None:
        """Give a layer the tool and the brush that were chosen on another."""
        mode = MOVE if self.tool == CLICK else self.tool
        with self._layers.quietly():
            equip(
                layer,
                mode,
                self._stroke,
                size=self.brush.size,
                spacing=self._axes.finest(deep=self.brush.deep),
                # napari's bucket takes seconds and hundreds of megabytes for a whole volume.
                deep=self.brush.deep and self.painting,
            )
            self._viewer.help = HELP

    def _listen(self, layer: Any) -> None:
        """Take note of what happens to a new layer, and give it our keys."""
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


def _without_event(slot: Callable[[Any], None], layer: Any, event: Any) -> None:  # noqa: ARG001
    slot(layer)
