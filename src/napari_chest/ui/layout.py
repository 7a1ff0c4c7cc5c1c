"""One plane or all three: the two other planes stand between the image and the dock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psygnal import Signal
from qtpy.compat import isalive
from qtpy.QtCore import QTimer

from napari_chest.ui.keys import shown
from napari_chest.ui.planes.planes import Planes
from napari_chest.ui.surfaces import Surfaces, visible_parts
from napari_chest.ui.viewing import Viewing

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtWidgets import QWidget

    from napari_chest.ui.canvas import Canvas
    from napari_chest.ui.preferences import Preferences
    from napari_chest.ui.session import Session
    from napari_chest.ui.workbench import Workbench


_NAME = "Other planes"
_PLANES_SHARE = 6
"""Which part of the window's width the planes have: the image comes first."""


class Layout:
    """Shows and hides the other planes, and opens the window of surfaces.

    The planes are made when they are first asked for; whether they are shown is remembered.

    Signals
    -------
    planes_shown() : the planes came into view.
    """

    planes_shown = Signal()

    def __init__(
        self, session: Session, bench: Workbench, canvas: Canvas, preferences: Preferences
    ) -> None:
        self._session = session
        self._bench = bench
        self._canvas = canvas
        self._preferences = preferences
        self._dock: QWidget | None = None
        self._surfaces: Surfaces | None = None
        self.planes: Planes | None = None
        self.viewing: Viewing | None = None

    def actions(self) -> dict[str, Callable[[], Any]]:
        """What the keys of `keys.KEYS` do to the layout."""
        return {
            "layout": self.toggle,
            "crosshair": self._toggle_crosshair,
            "surfaces": self._show_surfaces,
        }

    def show_as_before(self) -> None:
        """Show the planes where they were shown the last time."""
        if self._preferences.three_planes and self._dock is None:
            self._show()

    @property
    def _visible(self) -> bool:
        return self._dock is not None and isalive(self._dock) and bool(self._dock.isVisible())

    def toggle(self) -> None:
        """Show one plane, or all three."""
        if self._visible:
            self.hide()
        else:
            self._show()
        self._preferences.three_planes = self._visible
        self._canvas.set_focus()

    def hide(self) -> None:
        """Show one plane for now."""
        if self._dock is not None and self._visible:
            width = self._bench.width()
            self._dock.hide()
            self._give_room(width)

    def close(self) -> None:
        """Take the planes out of the window."""
        if self.viewing is not None:
            self.viewing.close()
        if self.planes is not None and isalive(self.planes):
            self._canvas.undock(self.planes)
        if self._surfaces is not None and isalive(self._surfaces):
            self._surfaces.close()

    def _show(self) -> None:
        width = self._bench.width()
        if self.planes is None or not isalive(self.planes):
            if self.viewing is not None:
                self.viewing.close()
            self.planes = Planes()
            self.viewing = Viewing(self._session, self._canvas, self.planes)
        if self.planes.parent() is None:  # new, or let go by a dock that was closed
            self._dock = self._canvas.dock_beside(self.planes, _NAME, self._bench)
        if self._dock is not None and not self._dock.isVisible():
            self._dock.show()
        self._give_room(width)
        self.planes_shown.emit()

    def _give_room(self, width: int) -> None:
        """Leave the workbench its width and give the planes their share; the image has the rest."""
        widths: dict[QWidget, int] = {self._bench: width}
        if self.planes is not None:
            widths[self.planes] = self._bench.window().width() // _PLANES_SHARE

        def resize() -> None:
            # The dock may have been closed meanwhile.
            self._canvas.resize_docks({part: w for part, w in widths.items() if isalive(part)})
            QTimer.singleShot(0, self._canvas.fit)

        QTimer.singleShot(0, resize)  # once Qt has taken note of what is there

    def _toggle_crosshair(self) -> None:
        if self.viewing is not None:
            self.viewing.toggle_crosshair()
        else:
            self._bench.show_message(
                f"The crosshair belongs to the three planes: {shown('layout')} shows them."
            )

    def _show_surfaces(self) -> None:
        """Show the visible segments in a window of their own."""
        draft, volume = self._session.draft, self._canvas.volume
        if draft is None or volume is None or volume.grid.shape[0] == 1:
            self._bench.show_message("Surfaces are of the segments of a CT: open one first.")
            return
        if self._surfaces is None or not isalive(self._surfaces) or not self._surfaces.isVisible():
            self._surfaces = Surfaces(self._bench)
        masks = self._canvas.masks
        parts = visible_parts(draft.masks(), masks.shown, masks.hidden)
        self._surfaces.show_parts(volume.grid, parts)
        self._surfaces.show()
