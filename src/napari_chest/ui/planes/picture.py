"""The slice of a plane as a person sees it, with masks and words, without crosshair and pointer."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QFont, QImage, QPainter, QPen

from napari_chest import geometry
from napari_chest.model import Window
from napari_chest.ui.planes import render
from napari_chest.ui.planes.facing import facings
from napari_chest.ui.planes.marks import draw_letters, draw_names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from napari_chest.edits.steps import Box
    from napari_chest.model import Volume
    from napari_chest.ui.planes.place import Place

BORDER = 2
_OPAQUE = QImage.Format.Format_RGB32
_TRANSLUCENT = QImage.Format.Format_ARGB32_Premultiplied


@dataclass(frozen=True, eq=False)
class _Overlay:
    """Labels over the image: the pixel of each value, and the voxel at which the array begins."""

    labels: npt.NDArray[Any]
    lut: npt.NDArray[np.uint32]
    origin: tuple[int, int, int] = (0, 0, 0)


@dataclass(frozen=True, eq=False)
class _Part:
    """What an overlay holds on the slice: labels (H, W), and where on the slice they begin."""

    labels: npt.NDArray[Any]
    lut: npt.NDArray[np.uint32]
    top: int
    left: int


class Picture:
    """Keeps what was drawn of a slice until something of it changes.

    Parameters
    ----------
    volume : the volume.
    axis : the display axis that is gone through.

    Attributes
    ----------
    title : what stands at the top left: the plane's name.
    over : draws over the masks, if anything has to be.
    """

    def __init__(self, volume: Volume, axis: int) -> None:
        self.volume = volume
        self.facings = facings(volume.grid)
        self.facing = self.facings[axis]
        self.title = self.facing.plane.capitalize()
        self.over: Callable[[QPainter, Place], None] | None = None
        self.index = 0
        self._window, self._inverted = Window(0, 1), False
        self._overlays: list[_Overlay] = []
        self._preview: _Overlay | None = None
        self._plane: _Part | None = None
        self._outline = False
        self._grey: npt.NDArray[np.uint32] | None = None
        self._labels: list[_Part] | None = None
        self._drawn: QImage | None = None

    # What is shown; each says whether something changed

    def set_index(self, index: int) -> bool:
        """Show another slice."""
        changed, self.index = index != self.index, index
        return changed and self.forget()

    def set_window(self, window: Window, *, inverted: bool) -> bool:
        """Show the image in another grey window."""
        changed = (window, inverted) != (self._window, self._inverted)
        self._window, self._inverted = window, inverted
        self._grey = None if changed else self._grey
        return changed and self.forget_view()

    def set_masks(
        self,
        masks: Sequence[tuple[npt.NDArray[Any], npt.NDArray[np.uint8]]],
        *,
        outline: bool,
    ) -> bool:
        """Show these masks and no others."""
        self._overlays = [_Overlay(labels, render.packed(table)) for labels, table in masks]
        self._outline = outline
        return self.forget_labels()

    def set_preview(self, box: Box, labels: npt.NDArray[Any], table: npt.NDArray[np.uint8]) -> bool:
        """Show, over the masks, what a box would hold."""
        z, y, x = (part.start for part in box)
        self._preview = _Overlay(labels, render.packed(table), (z, y, x))
        return self.forget_labels()

    def drop_preview(self) -> bool:
        """Show the masks alone."""
        had, self._preview = self._preview is not None, None
        return had and self.forget_labels()

    def set_plane(
        self, labels: npt.NDArray[Any] | None, table: npt.NDArray[np.uint8] | None
    ) -> bool:
        """Show labels (H, W) over the slice that is shown, as it faces a person; or none."""
        found = None if labels is None else render.filled_box(labels)
        self._plane = None
        if found is not None and table is not None:
            labels, top, left = found
            self._plane = _Part(labels, render.packed(table), top, left)
        return self.forget_labels()

    def crosses(self, box: Box) -> bool:
        """Whether the slice goes through a box."""
        part = box[self.facing.axis]
        return bool(part.start <= self.index < part.stop)

    # What was drawn

    def forget(self) -> bool:
        """Draw everything anew."""
        self._grey = None
        return self.forget_labels()

    def forget_labels(self) -> bool:
        """Draw the masks anew."""
        self._labels = None
        return self.forget_view()

    def forget_view(self) -> bool:
        """Draw the same slice anew, at another place."""
        self._drawn = None
        return True

    def image(self, size: QSize, ratio: float, place: Place, font: QFont) -> QImage:
        """The picture for a widget.

        Parameters
        ----------
        size : of the widget.
        ratio : pixels of the screen per pixel of the widget.
        place : where the slice lies on the widget.
        font : of the words.
        """
        if self._drawn is None:
            self._drawn = QImage(size * ratio, QImage.Format.Format_RGB32)
            self._drawn.setDevicePixelRatio(ratio)
            self._drawn.fill(QColor("black"))
            painter = QPainter(self._drawn)
            try:
                area = QRectF(0, 0, size.width(), size.height())
                self._draw_slice(painter, area, place)
                if self.over is not None:
                    self.over(painter, place)
                self._draw_words(painter, area, place, font)
            finally:
                painter.end()
        return self._drawn

    def _draw_slice(self, painter: QPainter, area: QRectF, place: Place) -> None:
        if self._grey is None:
            voxels = render.cut(self.volume.voxels, self.facing, self.index)
            self._grey = render.grey_pixels(voxels, self._window, inverted=self._inverted)
        if self._labels is None:
            shown = [*self._overlays, *([self._preview] if self._preview is not None else [])]
            parts = [self._part(overlay) for overlay in shown]
            self._labels = [part for part in (*parts, self._plane) if part is not None]
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        _draw_voxels(painter, place, self._grey, _OPAQUE)
        # Half a voxel of a segment does not exist.
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        for part in self._labels:
            if self._outline:
                _draw_outline(painter, area, place, part)
            else:
                pixels = render.label_pixels(part.labels, part.lut)
                _draw_voxels(painter, place, pixels, _TRANSLUCENT, part.top, part.left)

    def _part(self, overlay: _Overlay) -> _Part | None:
        facing, origin = self.facing, overlay.origin
        index = self.index - origin[facing.axis]
        if not 0 <= index < overlay.labels.shape[facing.axis]:
            return None
        found = render.filled_box(render.cut(overlay.labels, facing, index))
        if found is None:
            return None
        labels, top, left = found
        return _Part(labels, overlay.lut, top + origin[facing.down], left + origin[facing.right])

    def _draw_words(self, painter: QPainter, area: QRectF, place: Place, font: QFont) -> None:
        facing, grid = self.facing, self.volume.grid
        bold = QFont(font)
        bold.setBold(True)
        letters = geometry.edge_letters(grid, facing.down, facing.right)
        draw_letters(painter, bold, area, QRectF(*place.area), letters)
        number = f"{self.index + 1}/{grid.shape[facing.axis]}"
        draw_names(painter, bold, area, self.title, number)
        draw_frame(painter, area, QColor(facing.color), 0)


def _draw_voxels(
    painter: QPainter,
    place: Place,
    pixels: npt.NDArray[np.uint32],
    form: QImage.Format,
    top: int = 0,
    left: int = 0,
) -> None:
    """Draw one pixel per voxel from a row and column of the slice on."""
    height, width = pixels.shape
    start = place.to_pixels(top - 0.5, left - 0.5)
    stop = place.to_pixels(top + height - 0.5, left + width - 0.5)
    target = QRectF(QPointF(*start), QPointF(*stop))
    image = _image(pixels, form)
    painter.drawImage(target, image, QRectF(image.rect()))


def _draw_outline(painter: QPainter, area: QRectF, place: Place, part: _Part) -> None:
    """Draw the outline of what a part holds in view, in pixels of the screen."""
    ratio = painter.device().devicePixelRatioF()
    height, width = part.labels.shape
    start = place.to_pixels(part.top - 0.5, part.left - 0.5)
    stop = place.to_pixels(part.top + height - 0.5, part.left + width - 0.5)
    seen = QRectF(QPointF(*start), QPointF(*stop)).intersected(area)
    if seen.isEmpty():
        return
    xs = np.arange(floor(seen.left() * ratio), ceil(seen.right() * ratio))
    ys = np.arange(floor(seen.top() * ratio), ceil(seen.bottom() * ratio))
    rows, columns = place.to_slice((xs + 0.5) / ratio, (ys + 0.5) / ratio)
    pixels = render.outline_pixels(part.labels, part.lut, rows - part.top, columns - part.left)
    image = _image(pixels, _TRANSLUCENT)
    image.setDevicePixelRatio(ratio)
    painter.drawImage(QPointF(xs[0] / ratio, ys[0] / ratio), image)


def _image(pixels: npt.NDArray[np.uint32], form: QImage.Format) -> QImage:
    """An image that reads pixels in place: they must live as long."""
    height, width = pixels.shape
    return QImage(pixels.data, width, height, pixels.strides[0], form)


def draw_frame(painter: QPainter, area: QRectF, color: QColor, inset: int) -> None:
    """Draw a frame so many pixels inside an area."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    pen = QPen(color, BORDER)
    pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
    painter.setPen(pen)
    inner = inset + BORDER / 2
    painter.drawRect(area.adjusted(inner, inner, -inner, -inner))
