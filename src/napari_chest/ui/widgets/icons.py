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
        painter.setPen(_round_pen(QColor(color), 1.8))
        _DRAWINGS[tool](painter, QColor(color))
        painter.end()
        icon.addPixmap(pixmap, mode)
    return icon


def sign(name: str, size: int) -> QPixmap:
    """The sign of a state of work, of a priority (``low``, ``high``, ``urgent``), or ``comments``.

    Each has a shape of its own, as not everybody tells the colours apart.
    """
    pixmap, painter = _canvas(size)
    painter.scale(size / _GRID, size / _GRID)
    color = QColor(style.STATE_COLORS.get(name) or _SIGN_COLORS[name])
    painter.setPen(_round_pen(color, 2.4))
    _SIGNS[name](painter, color)
    painter.end()
    return pixmap


def _canvas(size: int) -> tuple[QPixmap, QPainter]:
    pixmap = QPixmap(size * _SCALE, size * _SCALE)
    pixmap.setDevicePixelRatio(_SCALE)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    return pixmap, painter


def _round_pen(color: QColor, width: float) -> QPen:
    pen = QPen(color, width)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    return pen


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


def _ring(painter: QPainter, color: QColor) -> None:  # noqa: ARG001
    """Nothing yet."""
    painter.drawEllipse(QPointF(12, 12), 7, 7)


def _half(painter: QPainter, color: QColor) -> None:
    """A disc that is half full."""
    painter.drawEllipse(QPointF(12, 12), 7, 7)
    painter.setBrush(color)
    painter.drawPie(QRectF(5, 5, 14, 14), 90 * 16, -180 * 16)


def _handed(painter: QPainter, color: QColor) -> None:
    """An arrow into somebody's tray."""
    _lines(painter, (12, 4, 12, 14), (4, 14, 4, 20), (4, 20, 20, 20), (20, 20, 20, 14))
    painter.setBrush(color)
    painter.drawPolygon(_points((8, 10), (16, 10), (12, 15)))


def _warning(painter: QPainter, color: QColor) -> None:
    """A triangle with a point in it."""
    painter.drawPolygon(_points((12, 4), (21, 20), (3, 20)))
    _lines(painter, (12, 10, 12, 14.5))
    painter.setBrush(color)
    painter.drawEllipse(QPointF(12, 17.4), 0.6, 0.6)


def _tick(painter: QPainter, color: QColor) -> None:  # noqa: ARG001
    """All is well."""
    painter.drawPolyline(_points((4, 12.5), (9.5, 18), (20, 6)))


def _cross(painter: QPainter, color: QColor) -> None:  # noqa: ARG001
    """Not at all."""
    _lines(painter, (6, 6, 18, 18), (18, 6, 6, 18))


def _pause(painter: QPainter, color: QColor) -> None:  # noqa: ARG001
    """Put off."""
    _lines(painter, (8.5, 6, 8.5, 18), (15.5, 6, 15.5, 18))


def _chevrons(painter: QPainter, *heights: float, down: bool = False) -> None:
    for y in heights:
        tip = y + 6 if down else y - 6
        painter.drawPolyline(_points((5.5, y), (12, tip), (18.5, y)))


def _bubble(painter: QPainter, color: QColor) -> None:  # noqa: ARG001
    """What somebody says."""
    corners = ((4, 5), (20, 5), (20, 16), (12, 16), (7.5, 20.5), (7.5, 16), (4, 16))
    painter.drawPolygon(_points(*corners))


_SIGN_COLORS = {
    "low": style.SECONDARY,
    "high": style.AMBER,
    "urgent": style.STATE_COLORS["rejected"],
    "comments": style.SECONDARY,
}
_SIGNS: dict[str, Callable[[QPainter, QColor], None]] = {
    "not started": _ring,
    "in progress": _half,
    "submitted": _handed,
    "needs fix": _warning,
    "approved": _tick,
    "rejected": _cross,
    "deferred": _pause,
    "low": lambda painter, _: _chevrons(painter, 9, down=True),
    "high": lambda painter, _: _chevrons(painter, 15),
    "urgent": lambda painter, _: _chevrons(painter, 12, 19),
    "comments": _bubble,
}
