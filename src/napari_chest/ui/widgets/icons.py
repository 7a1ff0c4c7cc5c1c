"""Small icons drawn at the font's size: a segment's colour, and a padlock."""

from __future__ import annotations

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPen, QPixmap

from napari_chest.ui.widgets import style

_SCALE = 2
"""Pixels drawn per pixel shown, for screens of high density."""


def swatch(color: str, size: int, *, filled: bool) -> QPixmap:
    """A disc in a colour, or only its rim where the segment is hidden."""
    pixmap, painter = _canvas(size)
    painter.setPen(QPen(QColor(color if filled else style.SECONDARY), 1.5))
    painter.setBrush(QColor(color) if filled else Qt.BrushStyle.NoBrush)
    painter.drawEllipse(QPointF(size / 2, size / 2), size * 0.36, size * 0.36)
    painter.end()
    return pixmap


def padlock(size: int, *, closed: bool) -> QPixmap:
    """A padlock: closed and bright, or open and faint."""
    pixmap, painter = _canvas(size)
    color = QColor(style.AMBER if closed else "#6b737c")
    painter.setPen(QPen(color, 1.6))
    shackle = QRectF(size * 0.32, size * 0.14, size * 0.36, size * 0.5)
    painter.drawArc(shackle.translated(0 if closed else size * 0.2, 0), 0, 180 * 16)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    painter.drawRoundedRect(QRectF(size * 0.22, size * 0.42, size * 0.56, size * 0.42), 1.5, 1.5)
    painter.end()
    return pixmap


def _canvas(size: int) -> tuple[QPixmap, QPainter]:
    pixmap = QPixmap(size * _SCALE, size * _SCALE)
    pixmap.setDevicePixelRatio(_SCALE)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    return pixmap, painter
