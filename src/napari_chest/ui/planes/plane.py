"""One plane of a volume in a light pane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from qtpy.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import (
    QColor,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from qtpy.QtWidgets import QWidget

from napari_chest.model import Window
from napari_chest.ui.canvas.mouse import HU_PER_PANE, ZOOM_STEP
from napari_chest.ui.drawing import draw_crosshair
from napari_chest.ui.planes.marks import draw_brush
from napari_chest.ui.planes.picture import BORDER, Picture, draw_frame
from napari_chest.ui.planes.place import Place, fitted
from napari_chest.ui.widgets import style

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from napari_chest.edits.steps import Box
    from napari_chest.model import Volume

Voxel = tuple[int, int, int]
Spot = tuple[float, float, float]
"""A place in voxels, between their middles."""
Drag = Literal["", "move", "paint", "window", "pan"]

_FAST = 5
_END = 2**31
_KEYS = {
    Qt.Key.Key_Down: 1,
    Qt.Key.Key_PageDown: 1,
    Qt.Key.Key_Up: -1,
    Qt.Key.Key_PageUp: -1,
    Qt.Key.Key_End: _END,
    Qt.Key.Key_Home: -_END,
}
_LEFT, _RIGHT, _MIDDLE = (
    Qt.MouseButton.LeftButton,
    Qt.MouseButton.RightButton,
    Qt.MouseButton.MiddleButton,
)
_DRAGS: dict[Any, Drag] = {_LEFT: "move", _RIGHT: "window", _MIDDLE: "pan"}
_SHIFT = Qt.KeyboardModifier.ShiftModifier
_CTRL = Qt.KeyboardModifier.ControlModifier


class Plane(QWidget):
    """Shows the slice along one display axis and tells what a person does to it.

    It draws nothing before it is looked at: a hidden plane costs nothing.

    Parameters
    ----------
    axis : the display axis that is gone through.

    Signals
    -------
    moved(voxel) : the crosshair should go here.
    stroke(phase, spot, erase) : the brush does ``press``, ``move`` or ``release`` at a spot.
    window_dragged(Window) : the grey window should be another one.
    window_set() : that drag is over.
    stepped(steps) : so many slices on.
    brush_stepped(notches) : the brush should be larger or smaller.
    pointed(spot or None) : where the pointer is.
    main_requested() : this plane should be the main one.
    """

    moved = Signal(object)
    stroke = Signal(str, object, bool)
    window_dragged = Signal(object)
    window_set = Signal()
    stepped = Signal(int)
    brush_stepped = Signal(int)
    pointed = Signal(object)
    main_requested = Signal()

    def __init__(self, axis: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.axis = axis
        self.picture: Picture | None = None
        self._at: Voxel = (0, 0, 0)
        self._window, self._inverted = Window(0, 1), False
        self._painting, self._brush, self._crosshair = False, 0.0, True
        self._own_place: Place | None = None  # None: fitted to the widget
        self._drag: Drag = ""
        self._start = QPointF()
        self._place_before: Place | None = None
        self._window_before = self._window
        self._erase = False
        self._pointer: QPointF | None = None
        self._notches = 0.0
        self.setMouseTracking(True)
        self.setMinimumSize(120, 80)
        # Clicks leave the keyboard to the main view, whose keys edit; Tab comes here.
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    # What is shown

    def show_volume(self, volume: Volume | None) -> None:
        """Show a volume in place of the one before, fitted to the widget; or none."""
        self.picture = Picture(volume, self.axis) if volume is not None else None
        self._own_place, self._drag = None, ""
        if self.picture is not None:
            self.setAccessibleName(f"{self.picture.facing.plane.capitalize()} plane")
            self.picture.set_window(self._window, inverted=self._inverted)
            self._at = self._inside(self._at)
            self.picture.set_index(self._at[self.axis])
        self.update()

    def show_masks(
        self,
        masks: Sequence[tuple[npt.NDArray[Any], npt.NDArray[np.uint8]]],
        *,
        outline: bool = False,
    ) -> None:
        """Show these masks over the image and no others, the last of them on top.

        Parameters
        ----------
        masks : labels (Z, Y, X) of each, which are not copied, and a table (N, 4) of red, green,
            blue and alpha of every value.
        outline : whether only outlines are drawn.
        """
        self._update(self.picture is not None and self.picture.set_masks(masks, outline=outline))

    def show_preview(
        self, box: Box, labels: npt.NDArray[Any], table: npt.NDArray[np.uint8]
    ) -> None:
        """Show, over the masks, what a box would hold: its labels, and colours as of a mask."""
        self._update(self.picture is not None and self.picture.set_preview(box, labels, table))

    def drop_preview(self) -> None:
        """Show the masks alone."""
        self._update(self.picture is not None and self.picture.drop_preview())

    def show_at(self, voxel: Voxel) -> None:
        """Show the slice and the crosshair through a voxel, or the nearest there is."""
        if self.picture is None:
            self._at = voxel
            return
        before, self._at = self._at, self._inside(voxel)
        self._update(self.picture.set_index(self._at[self.axis]) or self._at != before)

    def show_window(self, window: Window, *, inverted: bool = False) -> None:
        """Show the image in another grey window."""
        self._window, self._inverted = window, inverted
        self._update(
            self.picture is not None and self.picture.set_window(window, inverted=inverted)
        )

    def refresh(self, box: Box | None = None) -> None:
        """Draw anew what masks hold in a box, or the whole slice."""
        if self.picture is None:
            return
        if box is None:
            self._update(self.picture.forget())
        else:
            self._update(self.picture.crosses(box) and self.picture.forget_labels())

    def set_painting(self, painting: bool) -> None:
        """Let a click paint, or move the crosshair."""
        self._painting = painting
        self.update()

    def show_brush(self, diameter: float) -> None:
        """Show a brush so many mm across under the pointer while it paints."""
        self._brush = diameter
        self.update()

    def show_crosshair(self, visible: bool) -> None:
        """Show the crosshair, or the image without it."""
        self._crosshair = visible
        self.update()

    def fit(self) -> None:
        """Show the whole slice, as large as it can be."""
        self._show_place(None)

    # Where

    @property
    def place(self) -> Place:
        """Where the slice lies on the widget."""
        return self._own_place if self._own_place is not None else self._whole

    @property
    def _whole(self) -> Place:
        """Where the slice lies as large as it fits."""
        assert self.picture is not None
        facing, grid = self.picture.facing, self.picture.volume.grid
        down, right = facing.down, facing.right
        return fitted(
            (grid.shape[down], grid.shape[right]),
            (grid.spacing[down], grid.spacing[right]),
            (self.width(), self.height()),
            BORDER,
        )

    def spot_at(self, point: QPointF) -> Spot:
        """The spot under a point of the widget; it may lie outside the volume."""
        assert self.picture is not None
        found = [float(index) for index in self._at]
        row, column = self.place.to_slice(point.x(), point.y())
        found[self.picture.facing.down], found[self.picture.facing.right] = row, column
        return found[0], found[1], found[2]

    def point_of(self, spot: Spot) -> QPointF:
        """The point of the widget at which a spot lies."""
        assert self.picture is not None
        facing = self.picture.facing
        return QPointF(*self.place.to_pixels(spot[facing.down], spot[facing.right]))

    def _inside(self, spot: Spot) -> Voxel:
        assert self.picture is not None
        pairs = zip(spot, self.picture.volume.grid.shape, strict=True)
        z, y, x = (min(max(round(i), 0), length - 1) for i, length in pairs)
        return z, y, x

    # Mouse and keys

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Move the crosshair or begin to paint; or begin to drag window or view."""
        if self.picture is None or self._drag:
            return
        self._pointer = self._start = self._under(event)
        self._window_before, self._place_before = self._window, self.place
        self._drag = _DRAGS.get(event.button(), "")
        modifiers = event.modifiers()
        if self._drag == "move" and self._painting and not modifiers & _SHIFT:
            self._drag, self._erase = "paint", bool(modifiers & _CTRL)
            self.stroke.emit("press", self.spot_at(self._pointer), self._erase)
        elif self._drag == "move":
            self._move()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Go on with what is dragged, or tell what is under the pointer."""
        if self.picture is None:
            return
        self._pointer = self._under(event)
        delta = self._pointer - self._start
        if self._drag == "paint":
            self.stroke.emit("move", self.spot_at(self._pointer), self._erase)
        elif self._drag == "window":
            self._drag_window(delta, event.modifiers())
        elif self._drag == "pan" and self._place_before is not None:
            self._show_place(self._place_before.moved(delta.x(), delta.y()))
        elif self._drag == "move" or event.modifiers() & _SHIFT:
            self._move()
        self.pointed.emit(self.spot_at(self._pointer))
        self._update(self._painting)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """End what is dragged."""
        held = "move" if self._drag == "paint" else self._drag
        if not held or _DRAGS.get(event.button()) != held:
            return
        self._pointer = self._under(event)
        if self._drag == "window" and self._window != self._window_before:
            self.window_set.emit()
        if self._drag == "paint":
            self.stroke.emit("release", self.spot_at(self._pointer), self._erase)
        self._drag = ""

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Ask to become the main plane; while painting, a quick second click paints, too."""
        if event.button() != _LEFT or self._painting:
            self.mousePressEvent(event)
        elif self.picture is not None:
            self.main_requested.emit()

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: ARG002, N802
        """End what is dragged: a hidden pane is not told that the button was let go."""
        if self._drag == "paint" and self._pointer is not None:
            self.stroke.emit("release", self.spot_at(self._pointer), self._erase)
        self._drag = ""

    def leaveEvent(self, event: QEvent) -> None:  # noqa: ARG002, N802
        """Take the brush off the pane."""
        if not self._drag:
            self._pointer = None
            self.pointed.emit(None)
            self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        """Go through the slices; with Ctrl zoom, with Shift change the brush."""
        event.accept()
        # Some systems turn the wheel sideways while a modifier is held.
        notches = (event.angleDelta().y() or event.angleDelta().x()) / 120
        if self.picture is None or self._drag or notches == 0:
            return
        if event.modifiers() & _CTRL:
            at = self._under(event)
            factor = ZOOM_STEP if notches > 0 else 1 / ZOOM_STEP
            self._show_place(self.place.zoomed(factor, at.x(), at.y()))
            return
        # A touchpad sends many small parts of a notch.
        self._notches += notches
        whole = int(self._notches)
        self._notches -= whole
        if whole and event.modifiers() & _SHIFT:
            self.brush_stepped.emit(whole)
        elif whole:
            self.stepped.emit(-whole)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Go through the slices, with Shift by five; Enter asks to become the main plane."""
        steps = _KEYS.get(Qt.Key(event.key()), 0)
        if steps:
            self.stepped.emit(steps * (_FAST if event.modifiers() & _SHIFT else 1))
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.main_requested.emit()
        else:
            super().keyPressEvent(event)

    def _under(self, event: QMouseEvent | QWheelEvent) -> QPointF:
        """The middle of the pixel that the pointer is on; Qt tells its upper left corner."""
        half = 0.5 / self.devicePixelRatioF()
        return event.position() + QPointF(half, half)

    def _move(self) -> None:
        assert self._pointer is not None
        self.moved.emit(self._inside(self.spot_at(self._pointer)))

    def _drag_window(self, delta: QPointF, modifiers: Any) -> None:
        speed = 4.0 if modifiers & _CTRL else 0.25 if modifiers & _SHIFT else 1.0
        step = HU_PER_PANE * speed / max(self.width(), 1)
        center, width = self._window_before
        width = max(width + delta.x() * step, 1.0)
        self.window_dragged.emit(Window(round(center - delta.y() * step), round(width)))

    # Drawing

    def sizeHint(self) -> QSize:  # noqa: N802
        """As large as is comfortable beside the main view."""
        return QSize(300, 260)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Keep what is in the middle there."""
        place = self._own_place
        if place is not None and event.oldSize().isValid():
            grown = event.size() - event.oldSize()
            place = place.moved(grown.width() / 2, grown.height() / 2)
        self._show_place(place)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802
        """Draw the slice and what lies over it."""
        painter = QPainter(self)
        try:
            self._paint(painter)
        finally:
            painter.end()  # a painter left open by an error would crash Qt

    def _paint(self, painter: QPainter) -> None:
        if self.picture is None:
            painter.fillRect(self.rect(), QColor("black"))
            return
        place, area = self.place, QRectF(self.rect())
        picture = self.picture.image(self.size(), self.devicePixelRatioF(), place, self.font())
        painter.drawImage(0, 0, picture)
        if self._crosshair:
            self._paint_crosshair(painter, QRectF(*place.area).intersected(area))
        if self._painting and self._brush and self._pointer is not None:
            at = self._pointer
            draw_brush(painter, at.x(), at.y(), self._brush * place.scale)
        if self.hasFocus():
            draw_frame(painter, area, QColor(style.ACCENT), BORDER)

    def _paint_crosshair(self, painter: QPainter, area: QRectF) -> None:
        assert self.picture is not None
        facing, facings = self.picture.facing, self.picture.facings
        at = self.point_of(self._at)
        across, down = (QColor(facings[axis].color) for axis in (facing.down, facing.right))
        draw_crosshair(painter, area, at.x(), at.y(), across, down)

    def _show_place(self, place: Place | None) -> None:
        self._own_place = place
        self._update(self.picture is not None and self.picture.forget_view())

    def _update(self, changed: bool) -> None:
        if changed:
            self.update()
