"""One viewer's canvas: the image and the strip of slice labels beside it, and who looks at what."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from psygnal import Signal
from qtpy.compat import isalive
from qtpy.QtCore import Qt

from napari_chest import geometry
from napari_chest.model import Window
from napari_chest.ui import layers
from napari_chest.ui.canvas.axes import Axes
from napari_chest.ui.canvas.bindings import Bindings
from napari_chest.ui.canvas.masks import CLICK, Masks
from napari_chest.ui.canvas.mouse import Mouse
from napari_chest.ui.canvas.others import Others
from napari_chest.ui.canvas.overlay import Crosshair, Overlay, OverlayText
from napari_chest.ui.canvas.strip import Strip, refill
from napari_chest.ui.canvas.warm_up import warm_up
from napari_chest.ui.canvas.window import canvas_widget, dock_before, resize_docks, undock
from napari_chest.ui.planes.facing import facings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import napari
    import numpy as np
    import numpy.typing as npt
    from qtpy.QtWidgets import QWidget

    from napari_chest.edits.steps import Box
    from napari_chest.model import Grid, Mask, Reading, SliceLabels, Volume

Voxel = tuple[int, int, int]


class Canvas:
    """Shows one volume, its masks and one slice table in a napari viewer.

    Everything that depends on napari's events, keys, mouse or window stands in this package. The
    table on screen is a copy: painting it emits ``strip_edited``, and only `update_strip` makes a
    change stay. The same goes for ``masks``.
    """

    volume_changed = Signal()
    voxels_arrived = Signal(object)
    navigated = Signal(object)
    moved = Signal()
    order_changed = Signal()
    slice_changed = Signal(int)
    plane_changed = Signal()
    window_changed = Signal(object)
    window_chosen = Signal(object)
    pointer_changed = Signal(object)
    strip_edited = Signal(object)
    cell_clicked = Signal(int, int)
    brush_stepped = Signal(int)
    voxel_clicked = Signal(object)

    def __init__(self, viewer: napari.Viewer) -> None:
        self._viewer = viewer
        self._volume: Volume | None = None
        self._image: Any = None
        self._closed = False
        self._z = -1
        self._hidden_now: list[Any] = []
        self._crosshair: Voxel | None = None
        self.axes = Axes(viewer)
        self.widget = canvas_widget(viewer)
        self.keys = Bindings(viewer, self.widget, self._own_layers)
        self._strip = Strip(viewer, self.axes, self.keys.bind_layer)
        self._strip.edited.connect(self.strip_edited.emit)
        self.masks = Masks(viewer, self.axes, self.keys.bind_layer, lambda: self._mouse.held)
        self._others = Others(viewer)
        self._overlay = Overlay(self.widget) if self.widget is not None else None
        if self._overlay is not None:
            # Once napari has taken note of the new size itself.
            self._overlay.resized.connect(self._refresh_overlay, Qt.ConnectionType.QueuedConnection)
        self.masks.preview.changed.connect(self._refresh_overlay)
        self._corners = OverlayText()
        warm_up()
        self._mouse = Mouse(
            self._viewer,
            window=lambda: self.window,
            set_window=self.set_window,
            window_set=lambda: self.window_chosen.emit(self.window),
            step_slices=self.step,
            step_brush=self.brush_stepped.emit,
            scrolls=lambda: self._volume is None or self._volume.grid.shape[0] > 1,
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
        self._flatten()
        self._volume, self.axes.grid = volume, volume.grid
        data, kwargs, _ = layers.image_layer(volume, name, window)
        if self._image is None:
            self._strip.remove()  # the image belongs below them
            self.masks.remove()
            self._image = self._viewer.add_image(data, **kwargs)
            self._image.events.contrast_limits.connect(self._on_contrast)
            self.keys.bind_layer(self._image)
        else:
            refill(self._image, data, kwargs)
            self._image.colormap = kwargs["colormap"]
        self._z = -1
        self._image.contrast_limits_range = layers.slider_range(volume)
        self._image.contrast_limits = window.limits
        self._viewer.canvas.overlays.scale_bar.visible = _has_scale(volume.grid)
        self._viewer.canvas.overlays.scale_bar.position = "bottom_center"
        self._viewer.canvas.overlays.scale_bar.font_size = 9
        self.go_to(first)
        self._on_step()  # napari is silent where the view stands there already
        self.volume_changed.emit()
        self._refresh_overlay()

    def slices_arrived(self, slices: Sequence[int]) -> None:
        """Show slices whose voxels have just been filled in, where they are looked at."""
        if self._image is not None and (self.slice in slices or not self.axial):
            self._image.refresh()
        self.voxels_arrived.emit(slices)

    def show_strip(self, labels: SliceLabels | None, name: str) -> None:
        """Show a slice table beside the image, or none."""
        if self._volume is not None:
            with self._in_place():
                self._strip.show(labels, self._volume.grid, name)
            self._viewer.layers.selection.active = self._image
        self._refresh_overlay()

    def show_masks(self, masks: Sequence[Mask]) -> None:
        """Show these masks over the image and no others."""
        if self._volume is not None:
            self._flatten()
            with self._in_place():
                self.masks.show(masks, self._volume.grid)

    def show_others(self, readings: Sequence[tuple[Reading, str]]) -> None:
        """Show the masks of other readings as outlines, each in its colour, and no others."""
        if self._volume is not None:
            with self._in_place():
                self._others.show(readings, self._volume.grid)

    def fit(self) -> None:
        """Let the view show the image and what stands beside it, as large as it can."""
        if self._volume is not None:
            self._viewer.reset_view()
            self._refresh_overlay()

    def flush(self) -> None:
        """Tell of strokes that are on screen but not announced yet, before others are shown."""
        self._strip.flush()
        self.masks.flush()

    def update_strip(self, values: npt.NDArray[np.bool_]) -> None:
        """Show other values (Z, C) of the same table."""
        self._strip.update(values)

    def clear(self) -> None:
        """Take our own layers off the screen; those of others stay."""
        self._strip.remove()
        self.masks.remove()
        self._others.remove()
        if self._image is not None:
            self._viewer.layers.remove(self._image)
        self._forget_image()

    def close(self) -> None:
        """Leave the viewer as it was found; nothing to do where its window is closing."""
        if self._closed:
            return
        self._closed = True
        self._connect(self._viewer, connect=False)
        self.masks.close()
        if self.widget is None or not isalive(self.widget) or not self.widget.isVisible():
            return
        self.clear()
        self._viewer.canvas.overlays.scale_bar.visible = False
        self._mouse.release()
        self.keys.release()
        if self._overlay is not None:
            self._overlay.remove()
            self._overlay = None

    # Slice, window, visibility

    @property
    def slice(self) -> int:
        """The display slice that is shown, or was when another plane took its place."""
        return self.axes.index(0) if self._volume is not None else 0

    @property
    def axial(self) -> bool:
        """Whether the view goes through the slices."""
        return self.axes.order[0] == 0

    def go_to(self, z: int) -> None:
        """Show another slice, or the nearest there is."""
        if self._volume is not None:
            self.axes.move(0, z)

    def show_box(self, box: Box) -> None:
        """Go where a box of voxels, or of slices alone, can be seen, if it cannot already."""
        if self._volume is None:
            return
        axis = self.axes.order[0] if len(box) == len(self._volume.grid.shape) else 0
        if not box[axis].start <= self.axes.index(axis) < box[axis].stop:
            self.axes.move(axis, (box[axis].start + box[axis].stop - 1) // 2)

    def center_on(self, y: float, x: float) -> None:
        """Bring a voxel of the axial slice into the middle of the view."""
        if self._volume is None or not self.axial:
            return
        _, dy, dx = self._volume.grid.spacing
        camera = self._viewer.scene.camera
        camera.center = (*camera.center[:-2], y * dy, x * dx)

    def step(self, steps: int) -> None:
        """Go through the plane that is shown: slices in the axial view, rows in the coronal."""
        if self._volume is not None:
            axis = self.axes.order[0]
            self.axes.move(axis, self.axes.index(axis) + steps)

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
            self._image.colormap = "gray" if self.inverted else "gray_r"
            self.window_changed.emit(self.window)

    @property
    def inverted(self) -> bool:
        """Whether bright is shown as dark."""
        return self._image is not None and self._image.colormap.name == "gray_r"

    def toggle_smoothing(self) -> None:
        """Show the image smoothed between voxel centres, or voxel by voxel; labels never are."""
        if self._image is not None:
            smooth = str(self._image.interpolation2d) == "linear"
            self._image.interpolation2d = "nearest" if smooth else "linear"

    def hide_while(self, held: bool) -> None:
        """Show the bare image while a key is held, then what was shown before."""
        if held:
            shown = (*self.masks.layers, *self._strip.layers, *self._others.layers)
            self._hidden_now = [layer for layer in shown if layer.visible]
        for layer in self._hidden_now:
            layer.visible = not held
        self._refresh_overlay()

    def toggle_labels(self) -> None:
        """Hide masks and labels, or show them again."""
        parts = (self.masks, self._strip, self._others)
        visible = any(part.visible for part in parts)
        for part in parts:
            part.visible = not visible
        self._refresh_overlay()

    def cycle_overlay(self) -> None:
        """Show all text over the image, only what matters, or none."""
        if self._overlay is not None:
            self._overlay.cycle_detail()

    def show_plane(self, order: tuple[int, int, int]) -> None:
        """Show the plane through the first of these display axes, the second running down."""
        extra = self._viewer.dims.ndim - 3
        self._viewer.dims.order = (*range(extra), *(axis + extra for axis in order))
        self.fit()

    def show_crosshair(self, voxel: Voxel | None) -> None:
        """Show a crosshair at a voxel, or none."""
        self._crosshair = voxel
        self._refresh_overlay()

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

    def _flatten(self) -> None:
        """Leave the 3-D display, in which napari fails to select a layer before the mouse moves."""
        self._viewer.dims.ndisplay = 2

    @contextmanager
    def _in_place(self) -> Iterator[None]:
        """Stay where the view is: napari moves it when a layer of another extent comes or goes."""
        place = [self.axes.index(axis) for axis in range(3)]
        yield
        for axis, index in enumerate(place):
            self.axes.move(axis, index)

    def bind_for_now(self, acts: dict[str, Callable[[], None]]) -> None:
        """Let keys of our layers do something else until `unbind_now`."""
        self.keys.bind_for_now(acts)

    def unbind_now(self) -> None:
        """Let the keys do what they did before."""
        self.keys.unbind_now()

    def dock_beside(self, widget: QWidget, name: str, neighbour: QWidget) -> QWidget | None:
        """Dock a widget between the image and a dock; None without a window."""
        return dock_before(self._viewer, widget, name, neighbour)

    def resize_docks(self, widths: Mapping[QWidget, int]) -> None:
        """Give the docks of widgets other widths; the image takes the rest."""
        resize_docks(self._viewer, widths)

    def undock(self, widget: QWidget) -> None:
        """Take a widget out of the window, where it is still in it."""
        undock(self._viewer, widget)

    def _own_layers(self) -> list[Any]:
        image = [] if self._image is None else [self._image]
        return [*image, *self._strip.layers, *self.masks.layers]

    # napari's events

    def _connect(self, viewer: napari.Viewer, *, connect: bool) -> None:
        pairs = (
            (viewer.dims.events.current_step, self._on_step),
            (viewer.dims.events.order, self._on_order),
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
        z = self.axes.index(0)
        if z != self._z:
            self._z = z
            self.slice_changed.emit(z)
        elif not self.axial:
            self.plane_changed.emit()
        if self.masks.preview.shown:
            self._refresh_overlay()
        self.moved.emit()

    def _on_order(self) -> None:
        self.order_changed.emit()
        self._on_view()

    def _on_view(self) -> None:
        room = self._viewer.canvas.size[1] * _SCALE_BAR_SHARE / self._viewer.scene.camera.zoom
        fitting = [step for step in _SCALE_BAR_MM if step <= room]
        self._viewer.canvas.overlays.scale_bar.length = fitting[-1] if fitting else None
        self._refresh_overlay()

    def _on_contrast(self) -> None:
        self.window_changed.emit(self.window)

    def _on_removed(self, event: Any) -> None:
        self._strip.forget(event.value)
        self.masks.forget(event.value)
        self._others.forget(event.value)
        if event.value is self._image:
            self._forget_image()
        self._refresh_overlay()

    def _forget_image(self) -> None:
        self._image = self._volume = self.axes.grid = self._crosshair = None
        self.volume_changed.emit()
        self._refresh_overlay()

    def _on_pointer(self, viewer: napari.Viewer, event: Any) -> None:  # noqa: ARG002
        voxel = self._voxel_at(event.position)
        self.pointer_changed.emit(voxel)
        if voxel is not None and tuple(event.modifiers) == ("Shift",) and not self._mouse.held:
            self.navigated.emit(voxel)

    def _click(self, position: Any) -> bool:
        """Take a click that hits a cell of the strip, or belongs to a tool that is clicked."""
        cell = self._strip.cell_at(position) if self._volume is not None else None
        if cell is not None:
            self.cell_clicked.emit(*cell)
            return True
        voxel = self._voxel_at(position)
        if self.masks.tool != CLICK or voxel is None:
            return False
        self.voxel_clicked.emit(voxel)
        return True

    @property
    def voxel_under_pointer(self) -> Voxel | None:
        """The voxel under the pointer; None where it is not over the image."""
        return self._voxel_at(self._viewer.cursor.position)

    def _voxel_at(self, position: Any) -> Voxel | None:
        if self._volume is None or len(position) < 3:
            return None
        grid = self._volume.grid
        z, y, x = (round(p / s) for p, s in zip(position[-3:], grid.spacing, strict=True))
        inside = 0 <= z < grid.shape[0] and 0 <= y < grid.shape[1] and 0 <= x < grid.shape[2]
        return (z, y, x) if inside else None

    # The overlay

    def _refresh_overlay(self) -> None:
        if self._overlay is None:
            return
        self._overlay.set_preview(self.masks.preview.picture())
        if self._volume is None or not self.axes.flat:
            self._overlay.set_text(OverlayText())
            return
        letters = geometry.edge_letters(self._volume.grid, *self.axes.order[-2:])
        self._overlay.set_text(
            replace(
                self._corners,
                letters=letters,
                strip=self._strip.names(),
                image=self.axes.image_box(),
                crosshair=self._crosshair_lines(),
            )
        )

    def _crosshair_lines(self) -> Crosshair | None:
        """The crosshair on the plane that is shown: each line is the plane that stands on it."""
        if self._crosshair is None or self._volume is None:
            return None
        grid = self._volume.grid
        down, right = self.axes.order[-2:]
        places = [self._crosshair[axis] * grid.spacing[axis] for axis in (down, right)]
        planes = facings(grid)
        return Crosshair(*self.axes.to_pixels(*places), planes[down].color, planes[right].color)


def _has_scale(grid: Grid) -> bool:
    """Whether a length on screen is one in the patient or at the detector."""
    return grid.calibration != "unknown" and (grid.placed or grid.shape[0] == 1)


_SCALE_BAR_MM = (1, 5, 10, 20, 50, 100)
_SCALE_BAR_SHARE = 0.2
"""Lengths of the scale bar, of which the longest within this share of the canvas is shown."""
