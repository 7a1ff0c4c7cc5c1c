"""One viewer's canvas: the image and the strip of slice labels beside it, and who looks at what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.utils.colormaps import DirectLabelColormap
from psygnal import Signal
from qtpy.compat import isalive
from qtpy.QtCore import Qt, QTimer

from napari_chest import geometry
from napari_chest.model import Window
from napari_chest.ui import layers
from napari_chest.ui.canvas.mouse import Mouse
from napari_chest.ui.canvas.overlay import Overlay, OverlayText, StripName
from napari_chest.ui.canvas.warm_up import warm_up
from napari_chest.ui.canvas.window import canvas_widget

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import napari
    import numpy.typing as npt

    from napari_chest.model import SliceLabels, Volume


class Canvas:
    """Shows one volume and one slice table in a napari viewer.

    Everything that depends on napari's events, keys, mouse or window stands in this package. The
    table on screen is a copy: painting it emits ``strip_edited``, and only `update_strip` makes a
    change stay.
    """

    slice_changed = Signal(int)
    plane_changed = Signal()
    window_changed = Signal(object)
    window_chosen = Signal(object)
    pointer_changed = Signal(str)
    strip_edited = Signal(object)
    cell_clicked = Signal(int, int)

    def __init__(self, viewer: napari.Viewer) -> None:
        self._viewer = viewer
        self._volume: Volume | None = None
        self._labels: SliceLabels | None = None
        self._image: Any = None
        self._strip: Any = None
        self._busy = self._closed = False
        self._z = -1
        self._keys: list[tuple[str, Callable[[], None]]] = []
        self._layer_keys: dict[str, Callable[[], None]] = {}
        self.widget = canvas_widget(self._viewer)
        self._overlay = Overlay(self.widget) if self.widget is not None else None
        if self._overlay is not None:
            # Once napari has taken note of the new size itself.
            self._overlay.resized.connect(self._refresh_overlay, Qt.ConnectionType.QueuedConnection)
        self._corners = OverlayText()
        warm_up()
        self._mouse = Mouse(
            self._viewer,
            window=lambda: self.window,
            set_window=self.set_window,
            window_set=lambda: self.window_chosen.emit(self.window),
            step_slices=self.step,
            click=self._click,
        )
        self._connect(self._viewer, connect=True)

    # What is shown

    @property
    def volume(self) -> Volume | None:
        """The volume on screen."""
        return self._volume

    @property
    def overlay_text(self) -> OverlayText:
        """What lies over the image."""
        return self._overlay.text if self._overlay is not None else self._corners

    def show_volume(self, volume: Volume, name: str, window: Window, first: int) -> None:
        """Show a volume in place of the one before, at one of its slices."""
        self._volume = volume
        data, kwargs, _ = layers.image_layer(volume, name, window)
        if self._image is None:
            self._image = self._viewer.add_image(data, **kwargs)
            self._image.events.contrast_limits.connect(self._on_contrast)
            self._bind_layer(self._image)
        else:
            # Another array in the same layer: napari needs most of a second to replace a layer.
            _refill(self._image, data, kwargs)
        self._z = -1
        self._image.contrast_limits_range = layers.slider_range(volume)
        self._image.contrast_limits = window.limits
        self._viewer.canvas.overlays.scale_bar.visible = volume.grid.placed
        self._viewer.canvas.overlays.scale_bar.position = "bottom_center"
        self._viewer.canvas.overlays.scale_bar.font_size = 9
        self.go_to(first)
        self._viewer.reset_view()
        self._refresh_overlay()

    def slice_arrived(self, z: int) -> None:
        """Show a slice whose voxels have just been filled in, if it is the one looked at."""
        if self._image is not None and (z == self.slice or self.shown_axis != 0):
            self._image.refresh()

    def show_strip(self, labels: SliceLabels | None, name: str) -> None:
        """Show a slice table beside the image, or none."""
        before, self._labels = self._labels, labels
        if self._strip is not None and (labels is None or not _alike(before, labels)):
            self._remove(self._strip)
        if labels is not None and self._volume is not None:
            data, kwargs, _ = layers.strip_layer(labels, self._volume.grid, name)
            if self._strip is None:
                self._add_strip(labels, data, kwargs)
            else:
                self._refill_strip(data, kwargs)
            self._viewer.layers.selection.active = self._image
            self._viewer.reset_view()
        self._refresh_overlay()

    def _add_strip(self, labels: SliceLabels, data: Any, kwargs: dict[str, Any]) -> None:
        colormap = DirectLabelColormap(color_dict=layers.strip_colors(labels))
        self._strip = self._viewer.add_labels(data, colormap=colormap, **kwargs)
        self._strip.brush_size = 1
        self._strip.events.paint.connect(self._on_paint)
        self._strip.events.set_data.connect(self._read_strip)
        self._bind_layer(self._strip)

    def _refill_strip(self, data: Any, kwargs: dict[str, Any]) -> None:
        self._busy = True
        try:
            # napari's own history would write the old cells into the new array; this forgets it.
            self._strip.editable = False
            _refill(self._strip, data, kwargs)
            self._strip.editable = True
        finally:
            self._busy = False

    def flush(self) -> None:
        """Tell of strokes that are on the strip but not announced yet, before it shows others."""
        self._read_strip()

    def update_strip(self, values: npt.NDArray[np.bool_]) -> None:
        """Show other values (Z, C) of the same table."""
        if self._strip is None:
            return
        self._busy = True
        try:
            np.copyto(self._strip.data, layers.strip_from_values(values))
            self._strip.refresh()
        finally:
            self._busy = False

    def clear(self) -> None:
        """Take our own layers off the screen; those of others stay."""
        for layer in (self._strip, self._image):
            if layer is not None:
                self._remove(layer)
        self._volume = self._labels = None
        self._refresh_overlay()

    def close(self) -> None:
        """Leave the viewer as it was found; nothing to do where its window is closing."""
        if self._closed:
            return
        self._closed = True
        self._connect(self._viewer, connect=False)
        if self.widget is None or not isalive(self.widget) or not self.widget.isVisible():
            return
        self.clear()
        self._viewer.canvas.overlays.scale_bar.visible = False
        self._mouse.release()
        for key, _ in self._keys:
            self._viewer.bind_key(key, None, overwrite=True)
        if self._overlay is not None:
            self._overlay.remove()
            self._overlay = None

    # Slice, window, visibility

    @property
    def slice(self) -> int:
        """The display slice that is shown, or was when another plane took its place."""
        return max(self._z, 0)

    def go_to(self, z: int) -> None:
        """Show another slice, or the nearest there is."""
        if self._volume is None:
            return
        self._move(0, z)

    def step(self, steps: int) -> None:
        """Go through the plane that is shown: slices in the axial view, rows in the coronal."""
        if self._volume is not None:
            self._move(self.shown_axis, self._index(self.shown_axis) + steps)

    @property
    def shown_axis(self) -> int:
        """The axis of the volume that the view goes through: 0 in the axial view."""
        return self._order()[0]

    @property
    def shown_index(self) -> int:
        """Where the view stands on `shown_axis`."""
        return self._index(self.shown_axis)

    def _index(self, axis: int) -> int:
        """The voxel index on an axis of the volume, whatever other layers the viewer holds."""
        assert self._volume is not None
        at = self._viewer.dims.point[axis + self._extra_axes()] / self._volume.grid.spacing[axis]
        return min(max(round(float(at)), 0), self._volume.grid.shape[axis] - 1)

    def _move(self, axis: int, index: int) -> None:
        assert self._volume is not None
        index = min(max(index, 0), self._volume.grid.shape[axis] - 1)
        world = index * self._volume.grid.spacing[axis]
        self._viewer.dims.set_point(axis + self._extra_axes(), world)

    def _extra_axes(self) -> int:
        """Axes that layers of others put before the three of the volume."""
        return max(int(self._viewer.dims.ndim) - 3, 0)

    @property
    def window(self) -> Window | None:
        """The grey window of the image, or None where there is none."""
        if self._image is None:
            return None
        low, high = self._image.contrast_limits
        return Window((low + high) / 2, high - low)

    def set_window(self, window: Window) -> None:
        """Show the image in another grey window."""
        if self._image is not None:
            low, high = window.limits
            now_low, now_high = self._image.contrast_limits_range
            self._image.contrast_limits_range = (min(low, now_low), max(high, now_high))
            self._image.contrast_limits = (low, high)

    def invert(self) -> None:
        """Show bright as dark; the voxels stay."""
        if self._image is not None:
            grey = self._image.colormap.name == "gray"
            self._image.colormap = "gray_r" if grey else "gray"

    def toggle_smoothing(self) -> None:
        """Show the image smoothed between voxel centres, or voxel by voxel; labels never are."""
        if self._image is not None:
            smooth = str(self._image.interpolation2d) == "linear"
            self._image.interpolation2d = "nearest" if smooth else "linear"

    def toggle_strip(self) -> None:
        """Hide the labels, or show them again."""
        if self._strip is not None:
            self._strip.visible = not self._strip.visible
            self._refresh_overlay()

    def cycle_overlay(self) -> None:
        """Show all text over the image, only what matters, or none."""
        if self._overlay is not None:
            self._overlay.cycle_detail()

    def set_focus(self) -> None:
        """Let the keyboard speak to the image."""
        if self.widget is not None:
            self.widget.setFocus()

    def set_corners(
        self,
        top_left: Iterable[str],
        top_right: Iterable[str],
        bottom_left: Iterable[str],
        bottom_right: Iterable[str],
    ) -> None:
        """Set the text in the corners of the image."""
        self._corners = OverlayText(
            tuple(top_left), tuple(top_right), tuple(bottom_left), tuple(bottom_right)
        )
        self._refresh_overlay()

    @property
    def zoom(self) -> float:
        """Screen pixels per voxel across the image."""
        dx = self._volume.grid.spacing[2] if self._volume else 1.0
        return float(self._viewer.scene.camera.zoom * dx)

    # Keys

    def bind_keys(
        self,
        everywhere: dict[str, Callable[[], None]],
        on_layers: dict[str, Callable[[], None]],
    ) -> None:
        """Bind keys, written as napari writes them, while the canvas has the keyboard.

        Keys ``everywhere`` are the viewer's; keys ``on_layers`` only hold while one of our own
        layers is selected, so that they may differ from what napari does on other layers.
        """
        for key, act in everywhere.items():
            self._viewer.bind_key(key, _ignoring_argument(act), overwrite=True)
        self._keys = list(everywhere.items())
        self._layer_keys = on_layers | everywhere

    def _bind_layer(self, layer: Any) -> None:
        for key, act in self._layer_keys.items():
            layer.bind_key(key, _ignoring_argument(act), overwrite=True)

    # napari's events

    def _connect(self, viewer: napari.Viewer, *, connect: bool) -> None:
        pairs = (
            (viewer.dims.events.current_step, self._on_step),
            (viewer.dims.events.order, self._on_view),
            (viewer.dims.events.ndisplay, self._on_view),
            (viewer.scene.camera.events.zoom, self._on_view),
            (viewer.scene.camera.events.center, self._on_view),
            (viewer.layers.events.removed, self._on_removed),
        )
        for emitter, slot in pairs:
            if connect:
                emitter.connect(slot)
            else:
                emitter.disconnect(slot)
        moves = viewer.mouse_move_callbacks
        if connect:
            moves.append(self._on_pointer)
        elif self._on_pointer in moves:
            moves.remove(self._on_pointer)

    def _on_step(self) -> None:
        if self._volume is None:
            return
        z = self._index(0)
        if z != self._z:
            self._z = z
            self.slice_changed.emit(z)
        elif self.shown_axis != 0:
            self.plane_changed.emit()

    def _on_view(self) -> None:
        room = self._viewer.canvas.size[1] * _SCALE_BAR_SHARE / self._viewer.scene.camera.zoom
        fitting = [step for step in _SCALE_BAR_MM if step <= room]
        self._viewer.canvas.overlays.scale_bar.length = fitting[-1] if fitting else None
        self._refresh_overlay()

    def _on_contrast(self) -> None:
        self.window_changed.emit(self.window)

    def _on_paint(self) -> None:
        # napari announces a fill before it writes it; a stroke is announced once, at its end.
        QTimer.singleShot(0, self._read_strip)

    def _read_strip(self) -> None:
        if not self._busy and self._strip is not None:
            self.strip_edited.emit(layers.values_from_strip(self._strip.data))

    def _on_removed(self, event: Any) -> None:
        if event.value is self._image:
            self._image = self._volume = None
            self._refresh_overlay()
        if event.value is self._strip:
            self._strip = self._labels = None
            self._refresh_overlay()

    def _on_pointer(self, viewer: napari.Viewer, event: Any) -> None:  # noqa: ARG002
        self.pointer_changed.emit(self._value_at(event.position))

    def _click(self, position: Any) -> bool:
        """Take a click that hits a cell of the strip."""
        if self._strip is None or not self._strip.visible or self._order()[-1] != 2:
            return False
        cell = np.rint(self._strip.world_to_data(position[-3:])).astype(int)
        if not ((cell >= 0) & (cell < self._strip.data.shape)).all():
            return False
        self.cell_clicked.emit(int(cell[0]), int(cell[2]))
        return True

    def _value_at(self, position: Any) -> str:
        if self._volume is None or len(position) < 3:
            return ""
        spacing = self._volume.grid.spacing
        z, y, x = (round(p / s) for p, s in zip(position[-3:], spacing, strict=True))
        shape = self._volume.grid.shape
        if not (0 <= z < shape[0] and 0 <= y < shape[1] and 0 <= x < shape[2]):
            return ""
        unit = "HU " if self._volume.modality == "CT" else ""
        return f"{unit}{self._volume.voxels[z, y, x]:.0f} @ {x},{y}"

    # The overlay

    def _refresh_overlay(self) -> None:
        if self._overlay is None:
            return
        shown = self._viewer.dims.displayed
        foreign = any(axis < self._extra_axes() for axis in shown)
        if self._volume is None or self._viewer.dims.ndisplay == 3 or foreign:
            self._overlay.set_text(OverlayText())
            return
        vertical, horizontal = self._order()[-2:]
        corners = self._corners
        self._overlay.set_text(
            OverlayText(
                corners.top_left,
                corners.top_right,
                corners.bottom_left,
                corners.bottom_right,
                geometry.edge_letters(self._volume.grid, vertical, horizontal),
                self._strip_names(horizontal),
                self._image_box(vertical, horizontal),
            )
        )

    def _strip_names(self, horizontal: int) -> tuple[StripName, ...]:
        hidden = self._strip is None or not self._strip.visible
        if hidden or self._labels is None or self._volume is None or horizontal != 2:
            return ()
        left, cell = layers.strip_place(self._volume.grid)
        vertical = self._order()[-2]
        top = -self._volume.grid.spacing[vertical] / 2
        if cell * self._viewer.scene.camera.zoom < _SMALLEST_NAME:
            return ()
        return tuple(
            StripName(name, *self._to_pixels(top, left + (i + 0.5) * cell))
            for i, name in enumerate(self._labels.columns)
        )

    def _image_box(self, vertical: int, horizontal: int) -> tuple[float, float, float, float]:
        assert self._volume is not None
        spacing, shape = self._volume.grid.spacing, self._volume.grid.shape
        dv, dh = spacing[vertical], spacing[horizontal]
        x0, y0 = self._to_pixels(-dv / 2, -dh / 2)
        x1, y1 = self._to_pixels((shape[vertical] - 0.5) * dv, (shape[horizontal] - 0.5) * dh)
        return x0, y0, x1, y1

    def _to_pixels(self, v: float, h: float) -> tuple[float, float]:
        """Pixels of the canvas at which world coordinates of the two shown axes lie."""
        camera = self._viewer.scene.camera
        height, width = self._viewer.canvas.size
        x = (h - camera.center[-1]) * camera.zoom + width / 2
        y = (v - camera.center[-2]) * camera.zoom + height / 2
        return x, y

    def _order(self) -> tuple[int, ...]:
        """The volume's axes in the order of the view: the one gone through, down, to the right."""
        extra = self._extra_axes()
        return tuple(axis - extra for axis in self._viewer.dims.order if axis >= extra)

    def _remove(self, layer: Any) -> None:
        if layer in self._viewer.layers:
            self._viewer.layers.remove(layer)


_SCALE_BAR_MM = (1, 5, 10, 20, 50, 100)
_SCALE_BAR_SHARE = 0.2
"""Lengths of the scale bar, of which the longest within this share of the canvas is shown."""
_SMALLEST_NAME = 9
"""Width in pixels below which a strip cell has no room for its name."""


def _refill(layer: Any, data: Any, kwargs: dict[str, Any]) -> None:
    """Give a layer another array and place."""
    layer.data = data
    for name in ("scale", "translate", "name"):
        if name in kwargs:
            setattr(layer, name, kwargs[name])


def _alike(before: SliceLabels | None, after: SliceLabels) -> bool:
    return before is not None and before.columns == after.columns


def _ignoring_argument(act: Callable[[], None]) -> Callable[[Any], None]:
    def bound(_: Any) -> None:
        act()

    return bound
