"""Connects the planes beside the main one with canvas and session: crosshair, strokes, window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from superqt.utils import qthrottled

from napari_chest.edits import Edit, mask_of
from napari_chest.ui.canvas.masks import CLICK
from napari_chest.ui.planes import render
from napari_chest.ui.planes.facing import facings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from napari_chest.edits import Draft, Step
    from napari_chest.model import Window
    from napari_chest.ui.canvas import Canvas
    from napari_chest.ui.planes.plane import Spot, Voxel
    from napari_chest.ui.planes.planes import Planes
    from napari_chest.ui.session import Session

_MOVE_MS = 30
"""How often the planes follow the main one."""
_ARRIVED_MS = 250
"""How often the planes show slices that have arrived: what is read must not wait for them."""
_OPAQUE = 1.0


class Viewing:
    """Keeps three planes of one volume at one voxel.

    The main view stands where the viewer's sliders do; the two axes that it shows are kept here,
    because napari would read its slice anew for each of their moves.

    Attributes
    ----------
    at : the voxel that all planes go through.
    crosshair : whether it is shown.
    """

    def __init__(self, session: Session, canvas: Canvas, planes: Planes) -> None:
        self._session = session
        self._canvas = canvas
        self._planes = planes
        self.at: Voxel = (0, 0, 0)
        self.crosshair = True
        self._closed = False
        self._arrived: set[int] = set()
        self._show_at_soon = qthrottled(self._show_at, timeout=_MOVE_MS)
        self._show_arrived_soon = qthrottled(self._show_arrived, timeout=_ARRIVED_MS)
        for signal, slot in self._signals():
            signal.connect(slot)
        self._connect_planes()
        self._on_volume()
        self._show_masks()
        self._on_tool()

    def close(self) -> None:
        """Listen no more, and take the crosshair off the main view."""
        if not self._closed:
            self._let_go()
            self._canvas.show_crosshair(None)

    def _let_go(self) -> None:
        """Listen no more."""
        if self._closed:
            return
        self._closed = True
        for signal, slot in self._signals():
            signal.disconnect(slot)
        for soon in (self._show_at_soon, self._show_arrived_soon):
            soon.cancel()

    def make_main(self, axis: int) -> None:
        """Show the plane through a display axis in the main view."""
        volume = self._canvas.volume
        if volume is not None:
            self._canvas.axes.move(axis, self.at[axis])  # before it is seen
            self._canvas.show_plane(facings(volume.grid)[axis].order)

    def go_to(self, voxel: Voxel) -> None:
        """Let all planes go through a voxel, or the nearest there is."""
        volume = self._canvas.volume
        if volume is None:
            return
        pairs = zip(voxel, volume.grid.shape, strict=True)
        z, y, x = (min(max(index, 0), length - 1) for index, length in pairs)
        axes = self._canvas.axes
        for axis in self._on_sliders:
            if axes.index(axis) != (z, y, x)[axis]:
                axes.move(axis, (z, y, x)[axis])
        self.at = z, y, x  # only now: each move was told, with the other slider where it was
        self._show_at_soon()

    def toggle_crosshair(self) -> None:
        """Show the crosshair in all planes, or in none."""
        self.crosshair = not self.crosshair
        self._planes.show_crosshair(self.crosshair)
        self._show_at()

    def _signals(self) -> Iterator[tuple[Any, Callable[..., None]]]:
        canvas, session, masks = self._canvas, self._session, self._canvas.masks
        yield session.reading_chosen, self._on_reading
        yield session.edited, self._on_edited
        yield canvas.volume_changed, self._on_volume
        yield canvas.voxels_arrived, self._on_arrived
        yield canvas.moved, self._on_moved
        yield canvas.order_changed, self._on_order
        yield canvas.window_changed, self._on_window
        yield canvas.navigated, self.go_to
        yield masks.look_changed, self._show_masks
        yield masks.tool_changed, self._on_tool
        yield masks.brush_changed, self._on_tool
        yield masks.brush.stepped, self._on_stroke_stepped
        yield masks.preview.changed, self._on_preview

    def _connect_planes(self) -> None:
        planes = self._planes
        planes.moved.connect(self.go_to)
        planes.stroke.connect(self._on_stroke)
        planes.window_dragged.connect(self._canvas.set_window)
        planes.window_set.connect(lambda: self._canvas.window_chosen.emit(self._canvas.window))
        planes.brush_stepped.connect(self._canvas.brush_stepped.emit)
        planes.pointed.connect(self._on_pointed)
        planes.main_requested.connect(self.make_main)
        planes.shown.connect(lambda _: self._show_at())
        planes.destroyed.connect(lambda: self._let_go())  # with its window, which tells nobody

    # What happens in the main view

    @property
    def _on_sliders(self) -> set[int]:
        """The axes on which the viewer's sliders tell the place: the slices' and the main one."""
        return {0, self._canvas.axes.order[0]}

    def _on_volume(self) -> None:
        volume = self._canvas.volume
        self._planes.show_volume(volume)
        self._arrived.clear()
        if volume is None:
            return
        z, y, x = (length // 2 for length in volume.grid.shape)
        self.at = z, y, x
        main = self._canvas.axes.order[0] if self._planes.usable else 0
        order = facings(volume.grid)[main].order
        if self._canvas.axes.order != order:
            self._canvas.show_plane(order)
        self._planes.set_main(main)
        self._on_window(self._canvas.window)
        self._on_moved()

    def _on_moved(self) -> None:
        if self._canvas.volume is not None:
            moved = self._on_sliders
            z, y, x = (self._canvas.axes.index(a) if a in moved else self.at[a] for a in range(3))
            self.at = z, y, x
            self._show_at_soon()

    def _on_order(self) -> None:
        if self._canvas.volume is None:
            return
        main = self._canvas.axes.order[0]
        self._planes.set_main(main)
        self._canvas.axes.move(main, self.at[main])
        self._show_at()

    def _on_window(self, window: Window | None) -> None:
        if window is not None:
            self._planes.show_window(window, inverted=self._canvas.inverted)

    def _on_arrived(self, slices: Sequence[int]) -> None:
        self._arrived.update(slices)
        self._show_arrived_soon()

    def _on_tool(self, *_: object) -> None:
        masks = self._canvas.masks
        self._planes.set_painting(masks.painting or masks.tool == CLICK)
        self._planes.show_brush(masks.brush.size if masks.painting else 0.0)

    def _on_stroke_stepped(self, mask: str, box: Any) -> None:  # noqa: ARG002
        self._planes.refresh(box)

    def _on_preview(self) -> None:
        found = self._canvas.masks.preview.pending
        if found is None:
            self._planes.drop_preview()
        else:
            box, labels, colors = found
            self._planes.show_preview(box, labels, render.color_table(colors, _OPAQUE))

    # What happens to the reading

    def _on_reading(self, draft: Draft | None) -> None:  # noqa: ARG002
        self._show_masks()

    def _on_edited(self, step: Step | None) -> None:
        if isinstance(step, Edit) and mask_of(step.target) is not None:
            self._planes.refresh(step.box)
        elif not isinstance(step, Edit):
            self._show_masks()  # a mask was added, or a stroke taken back

    # What happens in the planes

    def _on_stroke(self, axis: int, phase: str, spot: Spot, erase: bool) -> None:
        masks = self._canvas.masks
        if masks.tool == CLICK:
            voxel = self._voxel(spot)
            if phase == "press" and voxel is not None:
                self._canvas.voxel_clicked.emit(voxel)
        elif phase == "press":
            masks.begin_stroke(spot, axis, erase=erase)
        elif phase == "move":
            masks.brush.go_on(spot)
        else:
            masks.end_stroke()

    def _on_pointed(self, spot: Spot | None) -> None:
        self._canvas.pointer_changed.emit(None if spot is None else self._voxel(spot))

    def _voxel(self, spot: Spot) -> Voxel | None:
        """The voxel at a spot, or None outside the volume."""
        volume = self._canvas.volume
        if volume is None:
            return None
        z, y, x = (round(place) for place in spot)
        pairs = zip((z, y, x), volume.grid.shape, strict=True)
        return (z, y, x) if all(0 <= i < length for i, length in pairs) else None

    # What is shown

    def _show_at(self) -> None:
        self._planes.show_at(self.at)
        seen = self.crosshair and self._planes.usable and self._planes.isVisible()
        self._canvas.show_crosshair(self.at if seen else None)

    def _show_arrived(self) -> None:
        arrived, self._arrived = self._arrived, set()
        self._planes.slices_arrived(arrived)

    def _show_masks(self) -> None:
        looks = self._canvas.masks.looks()
        outline = any(look.outline for look in looks)
        tables = [
            (look.labels, render.color_table(look.colors, _OPAQUE if outline else look.opacity))
            for look in looks
        ]
        self._planes.show_masks(tables, outline=outline)
