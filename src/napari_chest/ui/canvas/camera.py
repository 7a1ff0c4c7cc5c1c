"""Where the view goes: to slices, voxels and boxes of the volume."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from psygnal import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari.components import ViewerModel

    from napari_chest.edits.steps import Box
    from napari_chest.ui.canvas.axes import Axes, Voxel

_EDGE = 30
"""Pixels at the edge of the canvas in which a voxel is not taken to be seen."""
_SCALE_BAR_MM = (1, 5, 10, 20, 50, 100)
_SCALE_BAR_SHARE = 0.2
"""Lengths of the scale bar, of which the longest within this share of the canvas is shown."""


class Camera:
    """Moves the view through the volume and over the slice; it stays where there is no volume.

    Signals
    -------
    navigated(voxel) : the other planes are to go through a voxel.
    """

    navigated = Signal(object)

    def __init__(self, viewer: ViewerModel, axes: Axes) -> None:
        self._viewer = viewer
        self._axes = axes

    def go_to(self, z: int) -> None:
        """Show another slice, or the nearest there is."""
        if self._axes.grid is not None:
            self._axes.move(0, z)

    def step(self, steps: int) -> None:
        """Go through the plane that is shown: slices in the axial view, rows in the coronal."""
        if self._axes.grid is not None:
            axis = self._axes.order[0]
            self._axes.move(axis, self._axes.index(axis) + steps)

    def show_box(self, box: Box) -> None:
        """Go where a box of voxels, or of slices alone, can be seen, if it cannot already."""
        if self._axes.grid is None:
            return
        axis = self._axes.order[0] if len(box) == len(self._axes.grid.shape) else 0
        if not box[axis].start <= self._axes.index(axis) < box[axis].stop:
            self._axes.move(axis, (box[axis].start + box[axis].stop - 1) // 2)

    def center_on(self, y: float, x: float) -> None:
        """Bring a voxel of the axial slice into the middle of the view."""
        if self._axes.grid is None or self._axes.order[0] != 0:
            return
        _, dy, dx = self._axes.grid.spacing
        self._center(y * dy, x * dx)

    def show_voxel(self, voxel: Voxel) -> None:
        """Bring a voxel into the middle of the view, and let the other planes go through it."""
        if self._axes.grid is None:
            return
        axis, down, right = self._axes.order
        self._axes.move(axis, voxel[axis])
        self.navigated.emit(voxel)
        if self._axes.flat:
            spacing = self._axes.grid.spacing
            self._center(voxel[down] * spacing[down], voxel[right] * spacing[right])

    def visit(self, voxel: Voxel) -> None:
        """Let all planes go through a voxel; the view stays where it can be seen there."""
        if self._axes.grid is None:
            return
        axis, down, right = self._axes.order
        spacing = self._axes.grid.spacing
        x, y = self._axes.to_pixels(voxel[down] * spacing[down], voxel[right] * spacing[right])
        height, width = self._viewer.canvas.size
        if not (self._axes.flat and _EDGE < x < width - _EDGE and _EDGE < y < height - _EDGE):
            self.show_voxel(voxel)
            return
        self._axes.move(axis, voxel[axis])
        self.navigated.emit(voxel)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Stay where the view is: napari moves it when a layer of another extent comes or goes."""
        place = [self._axes.index(axis) for axis in range(3)]
        yield
        for axis, index in enumerate(place):
            self._axes.move(axis, index)

    @property
    def zoom(self) -> float:
        """Screen pixels per voxel across the image."""
        dx = self._axes.grid.spacing[2] if self._axes.grid is not None else 1.0
        return float(self._viewer.scene.camera.zoom * dx)

    def show_scale_bar(self) -> None:
        """Show a length in mm, where lengths on screen are those in the patient or detector."""
        grid, bar = self._axes.grid, self._viewer.canvas.overlays.scale_bar
        bar.visible = (
            grid is not None
            and grid.calibration != "unknown"
            and (grid.placed or grid.shape[0] == 1)
        )
        bar.position = "bottom_center"
        bar.font_size = 9

    def fit_scale_bar(self) -> None:
        """Give the scale bar the length that suits the zoom."""
        room = self._viewer.canvas.size[1] * _SCALE_BAR_SHARE / self._viewer.scene.camera.zoom
        fitting = [step for step in _SCALE_BAR_MM if step <= room]
        self._viewer.canvas.overlays.scale_bar.length = fitting[-1] if fitting else None

    def _center(self, down: float, right: float) -> None:
        camera = self._viewer.scene.camera
        camera.center = (*camera.center[:-2], down, right)
