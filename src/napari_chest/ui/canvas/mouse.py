"""The mouse of a reading workstation: wheel for slices, drags for window, pan and zoom.

Values and directions follow IHE Basic Image Review as radiology viewers implement it: dragging to
the right widens the window, dragging down brightens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_chest.model import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari.components import ViewerModel

HU_PER_PANE = 1000.0
"""How far a drag over the whole pane changes the window; Ctrl is four times, Shift a quarter."""
ZOOM_STEP = 1.15
_ZOOM_PER_PANE = 8.0
_LEFT, _RIGHT, _MIDDLE = 1, 2, 3


class Mouse:
    """Mouse bindings of one viewer, in place of napari's own until `release`.

    Parameters
    ----------
    viewer : napari's viewer.
    window : returns the present window, or None where there is no image.
    set_window : called with the new window while it is dragged.
    window_set : called when the drag is over.
    step_slices : called with a number of slices to go down the body.
    step_brush : called with a number of steps by which the brush grows.
    scrolls : whether there are slices to go through; the wheel zooms otherwise.
    click : called with the world position of a left press; returns whether it took the click.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        *,
        window: Callable[[], Window | None],
        set_window: Callable[[Window], None],
        window_set: Callable[[], None],
        step_slices: Callable[[int], None],
        step_brush: Callable[[int], None],
        scrolls: Callable[[], bool],
        click: Callable[[Any], bool],
    ) -> None:
        self._viewer = viewer
        self._window = window
        self._set_window = set_window
        self._window_set = window_set
        self._step_slices = step_slices
        self._step_brush = step_brush
        self._scrolls = scrolls
        self._click = click
        self._presses = 0
        self._notches = 0.0
        self._wheel_before = list(viewer.mouse_wheel_callbacks)
        self._zoom_before = viewer.scene.camera.mouse_zoom
        viewer.mouse_wheel_callbacks[:] = [self._on_wheel]
        viewer.mouse_drag_callbacks.append(self._on_drag)
        viewer.scene.camera.mouse_zoom = False

    @property
    def held(self) -> bool:
        """Whether a button is held down over the image."""
        return self._presses > 0

    def release(self) -> None:
        """Give napari its own mouse back."""
        viewer = self._viewer
        added = [act for act in viewer.mouse_wheel_callbacks if act != self._on_wheel]
        viewer.mouse_wheel_callbacks[:] = [*self._wheel_before, *added]
        if self._on_drag in viewer.mouse_drag_callbacks:
            viewer.mouse_drag_callbacks.remove(self._on_drag)
        viewer.scene.camera.mouse_zoom = self._zoom_before

    def _on_wheel(self, _: ViewerModel, event: Any) -> None:
        # Some systems turn the wheel sideways while Shift is held.
        notches = float(event.delta[1] or event.delta[0])
        if notches == 0:
            return
        event.handled = True
        if "Control" in event.modifiers or not (event.modifiers or self._scrolls()):
            self._zoom(ZOOM_STEP if notches > 0 else 1 / ZOOM_STEP, event.position)
        elif not event.modifiers:
            self._step(notches, lambda whole: self._step_slices(-whole))
        elif _shift_only(event):
            self._step(notches, self._step_brush)

    def _step(self, notches: float, act: Callable[[int], None]) -> None:
        # A touchpad sends many small parts of a notch.
        self._notches += notches
        whole = int(self._notches)
        self._notches -= whole
        if whole:
            act(whole)

    def _on_drag(self, viewer: ViewerModel, event: Any) -> Iterator[None]:
        self._presses += 1
        try:
            if viewer.dims.ndisplay == 2:
                yield from self._without_panning(viewer, event)
            if event.type == "mouse_press":
                yield
            while event.type == "mouse_move":
                yield
        finally:
            self._presses -= 1

    def _without_panning(self, viewer: ViewerModel, event: Any) -> Iterator[None]:
        # napari allows its own panning again whenever another layer or tool is chosen.
        camera = viewer.scene.camera
        before, camera.mouse_pan = camera.mouse_pan, False
        try:
            yield from self._gesture(viewer, event)
        finally:
            camera.mouse_pan = before

    def _gesture(self, viewer: ViewerModel, event: Any) -> Iterator[None]:
        # While a tool is chosen the left button belongs to it, and the right one to the window.
        free = _no_tool(viewer)
        if event.button == _MIDDLE or (event.button == _LEFT and free and _shift_only(event)):
            yield from self._pan(event)
        elif event.button == _LEFT and free and not self._click(event.position):
            yield from self._drag_window(event)
        elif event.button == _RIGHT and free:
            yield from self._drag_zoom(event)
        elif event.button == _RIGHT and not _draws_outlines(viewer):
            yield from self._drag_window(event)

    def _pan(self, event: Any) -> Iterator[None]:
        camera = self._viewer.scene.camera
        start, center = event.pos, camera.center
        yield
        while event.type == "mouse_move":
            dx, dy = (event.pos - start) / camera.zoom
            camera.center = (*center[:-2], center[-2] - dy, center[-1] - dx)
            yield

    def _drag_window(self, event: Any) -> Iterator[None]:
        before = self._window()
        start = event.pos
        yield
        while event.type == "mouse_move":
            if before is not None:
                dx, dy = (event.pos - start) / self._pane()
                step = HU_PER_PANE * _speed(event.modifiers)
                width = max(before.width + dx * step, 1.0)
                self._set_window(Window(round(before.center - dy * step), round(width)))
            yield
        if before is not None and self._window() != before:
            self._window_set()

    def _drag_zoom(self, event: Any) -> Iterator[None]:
        camera = self._viewer.scene.camera
        start, zoom = event.pos, camera.zoom
        yield
        while event.type == "mouse_move":
            _, dy = (event.pos - start) / self._pane()
            camera.zoom = zoom * _ZOOM_PER_PANE**-dy
            yield

    def _zoom(self, factor: float, position: Any) -> None:
        """Zoom so that the point under the pointer stays where it is."""
        viewer = self._viewer
        vertical, horizontal = viewer.dims.displayed[-2:]
        center = viewer.scene.camera.center
        y, x = position[vertical], position[horizontal]
        viewer.scene.camera.zoom *= factor
        viewer.scene.camera.center = (
            *center[:-2],
            y + (center[-2] - y) / factor,
            x + (center[-1] - x) / factor,
        )

    def _pane(self) -> float:
        return float(max(self._viewer.canvas.size[1], 1))


def _no_tool(viewer: ViewerModel) -> bool:
    layer = viewer.layers.selection.active
    return layer is None or str(getattr(layer, "mode", "pan_zoom")) == "pan_zoom"


def _draws_outlines(viewer: ViewerModel) -> bool:
    """Whether the right button takes back the last point of a polygon."""
    layer = viewer.layers.selection.active
    return str(getattr(layer, "mode", "")) == "polygon"


def _shift_only(event: Any) -> bool:
    return tuple(event.modifiers) == ("Shift",)


def _speed(modifiers: Any) -> float:
    if "Control" in modifiers:
        return 4.0
    return 0.25 if "Shift" in modifiers else 1.0
