"""A pane that looks at the same part of the same slice as the main view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QSize, Signal

from napari_chest.ui.planes.place import Place, View, view_of, viewed
from napari_chest.ui.planes.plane import Plane

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import numpy.typing as npt
    from qtpy.QtGui import QMouseEvent, QPainter, QResizeEvent
    from qtpy.QtWidgets import QWidget

    from napari_chest.model import Volume

_NARROWEST = 180


class Pane(Plane):
    """Shows a slice with something of its own drawn over it, and tells when it is dragged.

    Parameters
    ----------
    name : what it shows, for a person who cannot see it.
    draw : draws over the slice, given where it lies.

    Signals
    -------
    view_changed(View) : a person looks at another part of the slice.
    """

    view_changed = Signal(object)

    def __init__(
        self, name: str, draw: Callable[[QPainter, Place], None], parent: QWidget | None = None
    ) -> None:
        super().__init__(0, parent)
        self._name = name
        self._draw = draw
        self._view: View | None = None
        self._table: npt.NDArray[np.uint8] | None = None
        self._showing = False
        self.show_crosshair(False)
        self.setMinimumWidth(_NARROWEST)
        self.setAccessibleName(name)

    def show_volume(self, volume: Volume | None) -> None:
        """Show a volume in place of the one before; or none."""
        self._view = None
        super().show_volume(volume)
        if self.picture is not None:
            self.picture.over = self._draw
            self.picture.title = self._name
        self.setAccessibleName(self._name)

    def show_along(self, axis: int) -> None:
        """Show the slices along another display axis."""
        if axis != self.axis:
            self.axis = axis
            self.show_volume(None if self.picture is None else self.picture.volume)

    def set_name(self, name: str) -> None:
        """Say at the top left what is shown."""
        self._name = name
        self.setAccessibleName(name)
        if self.picture is not None:
            self.picture.title = name
        self.redraw()

    def look_at(self, view: View) -> None:
        """Look at this part of the slice."""
        self._view = view
        if self.picture is None:
            return
        self._showing = True
        try:
            self._show_place(viewed(self._whole, (self.width(), self.height()), view))
        finally:
            self._showing = False

    def show_over(self, table: npt.NDArray[np.uint8]) -> None:
        """Colour what `show_plane` shows by a table (N, 4) of red, green, blue and alpha."""
        self._table = table

    def show_plane(self, plane: npt.NDArray[np.uint8] | None) -> None:
        """Show these labels (H, W) over the slice that is shown, as it faces a person; or none."""
        self._update(self.picture is not None and self.picture.set_plane(plane, self._table))

    def redraw(self) -> None:
        """Draw anew what lies over the slice."""
        self._update(self.picture is not None and self.picture.forget_view())

    # Qt's events

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Go on looking at the same part."""
        super().resizeEvent(event)
        if self._view is not None:
            self.look_at(self._view)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """A quick second click is a click."""
        self.mousePressEvent(event)

    def sizeHint(self) -> QSize:  # noqa: N802
        """As large as is comfortable beside the main view."""
        return QSize(340, 340)

    def _show_place(self, place: Place | None) -> None:
        super()._show_place(place)
        if not self._showing and place is not None and self.picture is not None:
            self._view = view_of(place, self._whole, (self.width(), self.height()))
            self.view_changed.emit(self._view)
