"""Small icons drawn at the font's size: a segment's colour, a padlock, the tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QLineF, QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QIcon, QPainter, QPen, QPixmap, QPolygonF

from napari_chest.ui.widgets import style

if TYPE_CHECKING:
    from collections.abc import Callable

_SCALE = 2
"""Pixels drawn per pixel shown, for screens of high density."""
_GRID = 24.0
"""Width of the square that the drawings of tools are told in."""


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


def tool_icon(tool: str, size: int) -> QIcon:
    """The drawing of a tool, by napari's name for it, in a square so many pixels wide."""
    icon = QIcon()
    for mode, color in ((QIcon.Mode.Normal, style.TEXT), (QIcon.Mode.Disabled, style.OFF)):
        pixmap, painter = _canvas(size)
        painter.scale(size / _GRID, size / _GRID)
        pen = QPen(QColor(color), 1.8)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        _DRAWINGS[tool](painter, QColor(color))
        painter.end()
        icon.addPixmap(pixmap, mode)
    return icon


def _canvas(size: int) -> tuple[QPixmap, QPainter]:
    pixmap = QPixmap(size * _SCALE, size * _SCALE)
    pixmap.setDevicePixelRatio(_SCALE)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    return pixmap, painter


def _points(*pairs: tuple[float, float]) -> QPolygonF:
    return QPolygonF([QPointF(*pair) for pair in pairs])


def _lines(painter: QPainter, *lines: tuple[float, float, float, float]) -> None:
    for line in lines:
        painter.drawLine(QLineF(*line))


def _move(painter: QPainter, color: QColor) -> None:
    """Arrows to four sides."""
    _lines(painter, (12, 4, 12, 20), (4, 12, 20, 12))
    painter.setBrush(color)
    for turn in range(4):
        painter.save()
        painter.translate(12, 12)
        painter.rotate(90 * turn)
        painter.drawPolygon(_points((-2.4, -7.4), (2.4, -7.4), (0, -10)))
        painter.restore()


def _brush(painter: QPainter, color: QColor) -> None:
    """A handle, and the hair at its end."""
    _lines(painter, (20, 4, 11.5, 12.5))
    painter.setBrush(color)
    painter.drawPolygon(_points((10, 11.5), (12.5, 14), (10, 19), (4, 20), (5, 14)))


def _erase(painter: QPainter, color: QColor) -> None:
    """A rubber that lies on a line, the end it rubs with filled."""
    _lines(painter, (8, 20.5, 21, 20.5))
    painter.drawPolygon(_points((13.5, 3.5), (20.5, 10.5), (11, 20), (4, 13)))
    painter.setBrush(color)
    painter.drawPolygon(_points((8.5, 8.5), (15.5, 15.5), (11, 20), (4, 13)))


def _fill(painter: QPainter, color: QColor) -> None:
    """A tilted bucket and the drop that leaves it."""
    painter.drawPolygon(_points((10, 4), (18, 12), (10.5, 19.5), (2.5, 11.5)))
    _lines(painter, (7.5, 1.8, 10, 4))
    painter.setBrush(color)
    painter.drawPolygon(_points((3.5, 12), (17.5, 12), (10.5, 19)))
    painter.drawEllipse(QPointF(20.5, 18.5), 1.5, 2.2)


def _polygon(painter: QPainter, color: QColor) -> None:
    """An outline of five corners, each a dot."""
    corners = _points((12, 4), (20.5, 10.5), (17, 20), (6.5, 19), (3.5, 10))
    painter.drawPolygon(corners)
    painter.setBrush(color)
    for corner in corners:
        painter.drawEllipse(corner, 1.7, 1.7)


def _pick(painter: QPainter, color: QColor) -> None:
    """A dropper."""
    painter.drawPolygon(_points((12.5, 8), (16, 11.5), (8, 19.5), (4, 20), (4.5, 16)))
    _lines(painter, (10.5, 6.5, 17.5, 13.5))
    painter.setBrush(color)
    painter.drawPolygon(_points((14, 8), (18, 3.8), (20.2, 6), (16, 10)))


def _grow(painter: QPainter, color: QColor) -> None:
    """A seed that spreads to all sides."""
    for turn in range(8):
        painter.save()
        painter.translate(12, 12)
        painter.rotate(45 * turn)
        painter.drawLine(QLineF(0, -6.5, 0, -9.5 if turn % 2 == 0 else -8))
        painter.restore()
    painter.setBrush(color)
    painter.drawEllipse(QRectF(8.8, 8.8, 6.4, 6.4))


_DRAWINGS: dict[str, Callable[[QPainter, QColor], None]] = {
    "pan_zoom": _move,
    "paint": _brush,
    "erase": _erase,
    "fill": _fill,
    "polygon": _polygon,
    "pick": _pick,
    "click": _grow,
}
