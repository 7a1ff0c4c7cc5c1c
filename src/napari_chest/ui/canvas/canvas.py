"""One viewer's canvas: the image and the strip of slice labels beside it, and who looks at what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psygnal import Signal
from qtpy.compat import isalive
from qtpy.QtCore import Qt

from napari_chest.ui.canvas.axes import Axes, Voxel
from napari_chest.ui.canvas.bindings import Bindings
from napari_chest.ui.canvas.camera import Camera
from napari_chest.ui.canvas.differences import Differences
from napari_chest.ui.canvas.image import Image
from napari_chest.ui.canvas.instead import Instead
from napari_chest.ui.canvas.marks import Marks
from napari_chest.ui.canvas.masks import CLICK, Masks
from napari_chest.ui.canvas.mouse import Mouse
from napari_chest.ui.canvas.others import Others
from napari_chest.ui.canvas.overlay import OverlayText
from napari_chest.ui.canvas.strip import Strip
from napari_chest.ui.canvas.warm_up import warm_up
from napari_chest.ui.canvas.window import canvas_widget, dock_before, resize_docks, undock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import napari
    import numpy as np
    import numpy.typing as npt
    from qtpy.QtWidgets import QWidget

    from napari_chest.edits.steps import Box
    from napari_chest.model import Mask, Reading, SliceLabels, Volume, Window

__all__ = ["Canvas", "Voxel"]


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
    view_changed = Signal()

    def __init__(self, viewer: napari.Viewer) -> None:
        self._viewer = viewer
        self._volume: Volume | None = None
        self._closed = False
        self._z = -1
        self._hidden_now: list[Any] = []
        self.axes = Axes(viewer)
        self._camera = Camera(viewer, self.axes)
        self._camera.navigated.connect(self.navigated.emit)
        self.widget = canvas_widget(viewer)
        self.keys = Bindings(viewer, self.widget, self._own_layers)
        self._image = Image(viewer, self.keys.bind_layer)
        self._image.window_changed.connect(self._on_window)
        self._strip = Strip(viewer, self.axes, self.keys.bind_layer)
        self._strip.edited.connect(self.strip_edited.emit)
        self.masks = Masks(viewer, self.axes, self.keys.bind_layer, lambda: self._mouse.held)
        self._others = Others(viewer)
        self.differences = Differences(viewer, self.axes)
        self._instead = Instead(viewer)
        self._layered = (self._strip, self.masks, self._others, self.differences, self._instead)
        self._marks = Marks(self.widget, self.axes, self._strip, self.masks.preview)
        if self._marks.overlay is not None:
            # Once napari has taken note of the new size itself.
            self._marks.overlay.resized.connect(self._on_view, Qt.ConnectionType.QueuedConnection)
        self.masks.preview.changed.connect(self._marks.refresh)
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
        return self._marks.text

    def show_volume(self, volume: Volume, name: str, window: Window, first: int) -> None:
        """Show a volume in place of the one before, at one of its slices."""
        self._flatten()
        self._volume, self.axes.grid = volume, volume.grid
        if self._image.layer is None:
            self._strip.remove()  # the image belongs below them
            self.masks.remove()
        self._image.show(volume, name, window)
        self.differences.begin(volume.grid)
        self._z = -1
        self._image.reset_window(volume, window)
        self._camera.show_scale_bar()
        self.go_to(first)
        self._on_step()  # napari is silent where the view stands there already
        self.volume_changed.emit()
        self._marks.refresh()

    def slices_arrived(self, slices: Sequence[int]) -> None:
        """Show slices whose voxels have just been filled in, where they are looked at."""
        if self._image.layer is not None and (self.slice in slices or not self.axial):
            self._image.layer.refresh()
        self.voxels_arrived.emit(slices)

    def show_strip(self, labels: SliceLabels | None, name: str) -> None:
        """Show a slice table beside the image, or none."""
        if self._volume is not None:
            with self._camera.in_place():
                self._strip.show(labels, self._volume.grid, name)
            self._viewer.layers.selection.active = self._image.layer
        self._marks.refresh()

    def show_masks(self, masks: Sequence[Mask]) -> None:
        """Show these masks over the image and no others."""
        if self._volume is not None:
            self._flatten()
            with self._camera.in_place():
                self.masks.show(masks, self._volume.grid)

    def show_others(self, readings: Sequence[tuple[Reading, str]]) -> None:
        """Show the masks of other readings as outlines, each in its colour, and no others."""
        if self._volume is not None:
            with self._camera.in_place():
                self._others.show(readings, self._volume.grid)

    def show_differences(self, kinds: npt.NDArray[np.uint8], colors: Sequence[str]) -> None:
        """Show in which voxels (Z, Y, X) readings differ, kind 1 in the first colour."""
        if self._volume is not None:
            with self._camera.in_place():
                self.differences.show(kinds, colors, self._volume.grid)

    def prepare_other(self, reading: Reading | None, title: str = "") -> None:
        """Have the masks of another reading ready for `show_other_while`, or none."""
        if self._volume is not None:
            with self._camera.in_place():
                self._instead.prepare(reading, self._volume.grid, title)

    def show_pins(self, places: Iterable[tuple[Voxel, bool]]) -> None:
        """Mark these voxels, each settled or not, and no others."""
        self._marks.pins.show(places)
        self._marks.refresh()

    def fit(self) -> None:
        """Let the view show the image and what stands beside it, as large as it can."""
        if self._volume is not None:
            self._viewer.reset_view()
            self._marks.refresh()

    def flush(self) -> None:
        """Tell of strokes that are on screen but not announced yet, before others are shown."""
        self._strip.flush()
        self.masks.flush()

    def update_strip(self, values: npt.NDArray[np.bool_]) -> None:
        """Show other values (Z, C) of the same table."""
        self._strip.update(values)

    def clear(self) -> None:
        """Take our own layers off the screen; those of others stay."""
        for part in self._layered:
            part.remove()
        if self._image.layer is not None:
            self._viewer.layers.remove(self._image.layer)
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
        self._marks.remove()

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
        self._camera.go_to(z)

    def show_box(self, box: Box) -> None:
        """Go where a box of voxels, or of slices alone, can be seen, if it cannot already."""
        self._camera.show_box(box)

    def center_on(self, y: float, x: float) -> None:
        """Bring a voxel of the axial slice into the middle of the view."""
        self._camera.center_on(y, x)

    def show_voxel(self, voxel: Voxel) -> None:
        """Bring a voxel into the middle of the view, and let the other planes go through it."""
        self._camera.show_voxel(voxel)

    def visit(self, voxel: Voxel) -> None:
        """Let all planes go through a voxel; the view stays where it can be seen there."""
        self._camera.visit(voxel)

    def step(self, steps: int) -> None:
        """Go through the plane that is shown: slices in the axial view, rows in the coronal."""
        self._camera.step(steps)

    @property
    def window(self) -> Window | None:
        """The grey window of the image, or None where there is none."""
        return self._image.window

    def set_window(self, window: Window) -> None:
        """Show the image in another grey window."""
        self._image.set_window(window)

    def invert(self) -> None:
        """Show bright as dark; the voxels stay."""
        self._image.invert()

    @property
    def inverted(self) -> bool:
        """Whether bright is shown as dark."""
        return self._image.inverted

    def toggle_smoothing(self) -> None:
        """Show the image smoothed between voxel centres, or voxel by voxel; labels never are."""
        self._image.toggle_smoothing()

    def hide_while(self, held: bool) -> None:
        """Show the bare image while a key is held, then what was shown before."""
        if held:
            parts = (self.masks, self._strip, self._others, self.differences)
            shown = [layer for part in parts for layer in part.layers]
            self._hidden_now += [layer for layer in shown if layer.visible]
        for layer in self._hidden_now:
            layer.visible = not held
        if not held:
            self._hidden_now = []
        self._marks.pins.bare = held
        self._marks.refresh()

    @property
    def other_shown(self) -> str:
        """Whose masks `show_other_while` shows; empty while it does not."""
        return self._instead.shown

    def show_other_while(self, held: bool) -> None:
        """Show the masks of `prepare_other` while a key is held, then what was shown before."""
        if self._instead.ready:
            self._instead.show(held)  # first: hiding is told, and who asks then is told of this
            self.hide_while(held)

    def toggle_labels(self) -> None:
        """Hide masks and labels, or show them again."""
        parts = (self.masks, self._strip, self._others, self._marks.pins, self.differences)
        visible = any(part.visible for part in parts)
        for part in parts:
            part.visible = not visible
        self._marks.refresh()

    def cycle_overlay(self) -> None:
        """Show all text over the image, only what matters, or none."""
        if self._marks.overlay is not None:
            self._marks.overlay.cycle_detail()

    def show_plane(self, order: tuple[int, int, int]) -> None:
        """Show the plane through the first of these display axes, the second running down."""
        extra = self._viewer.dims.ndim - 3
        self._viewer.dims.order = (*range(extra), *(axis + extra for axis in order))
        self.fit()

    def show_crosshair(self, voxel: Voxel | None) -> None:
        """Show a crosshair at a voxel, or none."""
        self._marks.crosshair = voxel
        self._marks.refresh()

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
        self._marks.corners = OverlayText(
            tuple(top_left), tuple(top_right), tuple(bottom_left), tuple(bottom_right)
        )
        self._marks.refresh()

    @property
    def zoom(self) -> float:
        """Screen pixels per voxel across the image."""
        return self._camera.zoom

    def _flatten(self) -> None:
        """Leave the 3-D display, in which napari fails to select a layer before the mouse moves."""
        self._viewer.dims.ndisplay = 2

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
        image = [] if self._image.layer is None else [self._image.layer]
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
            self._marks.refresh()
        self.moved.emit()

    def _on_order(self) -> None:
        self.order_changed.emit()
        self._on_view()

    def _on_view(self) -> None:
        self._camera.fit_scale_bar()
        self._marks.refresh()
        self.view_changed.emit()

    def _on_window(self) -> None:
        self.window_changed.emit(self.window)

    def _on_removed(self, event: Any) -> None:
        for part in self._layered:
            part.forget(event.value)
        if event.value is self._image.layer:
            self._forget_image()
        self._marks.refresh()

    def _forget_image(self) -> None:
        self._image.layer = self._volume = self.axes.grid = self._marks.crosshair = None
        self.volume_changed.emit()
        self._marks.refresh()

    def _on_pointer(self, viewer: napari.Viewer, event: Any) -> None:  # noqa: ARG002
        voxel = self.axes.voxel_at(event.position)
        self.pointer_changed.emit(voxel)
        if voxel is not None and tuple(event.modifiers) == ("Shift",) and not self._mouse.held:
            self.navigated.emit(voxel)

    def _click(self, position: Any) -> bool:
        """Take a click that hits a cell of the strip, or belongs to a tool that is clicked."""
        cell = self._strip.cell_at(position) if self._volume is not None else None
        if cell is not None:
            self.cell_clicked.emit(*cell)
            return True
        voxel = self.axes.voxel_at(position)
        if self.masks.tool != CLICK or voxel is None:
            return False
        self.voxel_clicked.emit(voxel)
        return True

    @property
    def voxel_under_pointer(self) -> Voxel | None:
        """The voxel under the pointer; None where it is not over the image."""
        return self.axes.voxel_at(self._viewer.cursor.position)
