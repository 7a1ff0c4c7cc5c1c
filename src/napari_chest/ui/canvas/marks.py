"""All that is drawn over the image: corners, letters, names, crosshair, pins and preview."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from napari_chest import geometry
from napari_chest.ui.canvas.overlay import Crosshair, Overlay, OverlayText
from napari_chest.ui.canvas.pins import Pins
from napari_chest.ui.planes.facing import facings

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget

    from napari_chest.ui.canvas.axes import Axes, Voxel
    from napari_chest.ui.canvas.preview import Preview
    from napari_chest.ui.canvas.strip import Strip


class Marks:
    """Brings together what lies over the image; `refresh` shows it.

    Parameters
    ----------
    widget : what the viewer draws on, if it has a window.
    axes : where the view stands in the volume.
    strip : whose columns have names.
    preview : what a tool would change.

    Attributes
    ----------
    overlay : the widget that shows it, if the viewer has a window.
    pins : where people commented.
    corners : the text in the corners.
    crosshair : the voxel at which a crosshair stands, or None.
    """

    def __init__(self, widget: QWidget | None, axes: Axes, strip: Strip, preview: Preview) -> None:
        self._axes = axes
        self._strip = strip
        self._preview = preview
        self.overlay = Overlay(widget) if widget is not None else None
        self.pins = Pins(axes)
        self.corners = OverlayText()
        self.crosshair: Voxel | None = None

    @property
    def text(self) -> OverlayText:
        """What lies over the image."""
        return self.overlay.text if self.overlay is not None else self.corners

    def refresh(self) -> None:
        """Show it as it is now."""
        if self.overlay is None:
            return
        self.overlay.set_preview(self._preview.picture())
        if self._axes.grid is None or not self._axes.flat:
            self.overlay.set_text(OverlayText())
            return
        letters = geometry.edge_letters(self._axes.grid, *self._axes.order[-2:])
        self.overlay.set_text(
            replace(
                self.corners,
                letters=letters,
                strip=self._strip.names(),
                image=self._axes.image_box(),
                crosshair=self._crosshair_lines(),
                pins=self.pins.marks(),
            )
        )

    def remove(self) -> None:
        """Leave the image bare for good."""
        if self.overlay is not None:
            self.overlay.remove()
            self.overlay = None

    def _crosshair_lines(self) -> Crosshair | None:
        """The crosshair on the plane that is shown: each line is the plane that stands on it."""
        grid = self._axes.grid
        if self.crosshair is None or grid is None:
            return None
        down, right = self._axes.order[-2:]
        places = [self.crosshair[axis] * grid.spacing[axis] for axis in (down, right)]
        planes = facings(grid)
        return Crosshair(*self._axes.to_pixels(*places), planes[down].color, planes[right].color)
