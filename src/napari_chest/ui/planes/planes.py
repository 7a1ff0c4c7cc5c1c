"""The two planes that are not the main one, in a column beside it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtWidgets import QLabel, QStackedLayout, QVBoxLayout, QWidget

from napari_chest.ui.planes.plane import Plane

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import numpy as np
    import numpy.typing as npt
    from qtpy.QtGui import QHideEvent, QShowEvent

    from napari_chest.edits.steps import Box
    from napari_chest.model import Volume, Window
    from napari_chest.ui.planes.plane import Voxel

_NARROWEST = 220
_NO_CASE = "Open a CT to see its other planes here."
_RADIOGRAPH = "A radiograph has no other planes."
_ONE_SLICE = "A single slice has no other planes."


class Planes(QWidget):
    """Shows the planes beside the main one and tells what a person does to them.

    Signals
    -------
    moved(voxel) : the crosshair should go here.
    stroke(axis, phase, spot, erase) : the brush does ``press``, ``move`` or ``release`` at a spot
        in voxels, in the plane that goes through this display axis.
    window_dragged(Window), window_set() : the grey window should be another one; that drag is over.
    brush_stepped(notches) : the brush should be larger or smaller.
    pointed(spot or None) : where the pointer is.
    main_requested(axis) : this plane should be the main one.
    shown(bool) : the planes came into view, or went.
    """

    moved = Signal(object)
    stroke = Signal(int, str, object, bool)
    window_dragged = Signal(object)
    window_set = Signal()
    brush_stepped = Signal(int)
    pointed = Signal(object)
    main_requested = Signal(int)
    shown = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._at: Voxel = (0, 0, 0)
        self._main = 0
        self.planes = tuple(Plane(axis) for axis in range(3))
        self.empty = QLabel(_NO_CASE)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        self.empty.setMargin(16)
        self.empty.setStyleSheet("background: black; color: #a8aeb4;")
        self._column = QWidget()
        column = QVBoxLayout(self._column)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        for plane in self.planes:
            column.addWidget(plane, 1)
            self._connect(plane)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self._column)
        self.setMinimumWidth(_NARROWEST)
        self.setAccessibleName("Other planes")
        self.set_main(0)

    def _connect(self, plane: Plane) -> None:
        plane.moved.connect(self.moved)
        plane.stroke.connect(partial(self.stroke.emit, plane.axis))
        plane.window_dragged.connect(self.window_dragged)
        plane.window_set.connect(self.window_set)
        plane.brush_stepped.connect(self.brush_stepped)
        plane.pointed.connect(self.pointed)
        plane.stepped.connect(partial(self._step, plane.axis))
        plane.main_requested.connect(partial(self.main_requested.emit, plane.axis))

    # What is shown

    @property
    def usable(self) -> bool:
        """Whether there is a volume that has other planes."""
        return bool(self._stack.currentWidget() is self._column)

    def show_volume(self, volume: Volume | None) -> None:
        """Show the planes of a volume; or why there are none."""
        why = _why_none(volume)
        self.empty.setText(why)
        for plane in self.planes:
            plane.show_volume(None if why else volume)
        self._stack.setCurrentWidget(self.empty if why else self._column)

    def show_masks(
        self,
        masks: Sequence[tuple[npt.NDArray[Any], npt.NDArray[np.uint8]]],
        *,
        outline: bool = False,
    ) -> None:
        """Show these masks over the image and no others; see `Plane.show_masks`."""
        for plane in self.planes:
            plane.show_masks(masks, outline=outline)

    def show_preview(
        self, box: Box, labels: npt.NDArray[Any], table: npt.NDArray[np.uint8]
    ) -> None:
        """Show, over the masks, what a box would hold."""
        for plane in self.planes:
            plane.show_preview(box, labels, table)

    def drop_preview(self) -> None:
        """Show the masks alone."""
        for plane in self.planes:
            plane.drop_preview()

    def show_at(self, voxel: Voxel) -> None:
        """Show the slices and the crosshair through a voxel."""
        self._at = voxel
        for plane in self.planes:
            plane.show_at(voxel)

    def show_window(self, window: Window, *, inverted: bool = False) -> None:
        """Show the image in another grey window."""
        for plane in self.planes:
            plane.show_window(window, inverted=inverted)

    def refresh(self, box: Box | None = None) -> None:
        """Draw anew what masks hold in a box, or everything."""
        for plane in self.planes:
            plane.refresh(box)

    def slices_arrived(self, slices: Collection[int]) -> None:
        """Draw anew what goes through display slices whose voxels have just been filled in."""
        for plane in self.planes:
            if plane.axis != 0 or self._at[0] in slices:
                plane.refresh()

    def set_main(self, axis: int) -> None:
        """Show the planes through the other two axes."""
        self._main = axis
        for plane in self.planes:
            plane.setVisible(plane.axis != axis)

    def set_painting(self, painting: bool) -> None:
        """Let clicks paint, or move the crosshair."""
        for plane in self.planes:
            plane.set_painting(painting)

    def show_brush(self, diameter: float) -> None:
        """Show a brush so many mm across under the pointer while it paints."""
        for plane in self.planes:
            plane.show_brush(diameter)

    def show_crosshair(self, visible: bool) -> None:
        """Show the crosshair, or the images without it."""
        for plane in self.planes:
            plane.show_crosshair(visible)

    def fit(self) -> None:
        """Show whole slices, as large as they can be."""
        for plane in self.planes:
            plane.fit()

    # Qt's events

    def sizeHint(self) -> QSize:  # noqa: N802
        """Narrow, so that a laptop's screen is left to the main plane."""
        return QSize(300, 520)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Tell that the planes came into view."""
        super().showEvent(event)
        self.shown.emit(True)

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802
        """Tell that the planes went."""
        super().hideEvent(event)
        self.shown.emit(False)

    def _step(self, axis: int, steps: int) -> None:
        voxel = list(self._at)
        voxel[axis] += steps
        self.moved.emit((voxel[0], voxel[1], voxel[2]))


def _why_none(volume: Volume | None) -> str:
    """Why a volume has no other planes; empty where it has."""
    if volume is None:
        return _NO_CASE
    if volume.modality != "CT":
        return _RADIOGRAPH
    return _ONE_SLICE if volume.grid.shape[0] == 1 else ""
