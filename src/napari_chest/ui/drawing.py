"""What is drawn over images: text with a dark rim, from pictures that are kept, and crosshairs."""

from __future__ import annotations

from functools import lru_cache
from math import ceil

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen, QPixmap

TEXT = QColor("#f0f1f2")
HALO = QColor("#000000")
_HALO_WIDTH = 3
GAP = 12
"""Pixels about the middle of a crosshair that stay free, so that it does not hide the spot."""


def draw_text(painter: QPainter, font: QFont, at: QPointF, text: str, color: QColor = TEXT) -> None:
    """Draw a line of text; ``at`` is the beginning of its baseline."""
    ratio = painter.device().devicePixelRatioF()
    picture = _picture(text, font.toString(), color.name(), ratio)
    painter.drawPixmap(at - QPointF(_HALO_WIDTH, _ascent(font) + _HALO_WIDTH), picture)


def _ascent(font: QFont) -> float:
    return float(QFontMetricsF(font).ascent())


@lru_cache(maxsize=512)
def _picture(text: str, font_name: str, color: str, ratio: float) -> QPixmap:
    """A text with its rim: drawing the outlines of letters is slow, and most texts stay."""
    font = QFont()
    font.fromString(font_name)
    metrics = QFontMetricsF(font)
    width, height = (
        ceil((length + 2 * _HALO_WIDTH) * ratio)
        for length in (metrics.horizontalAdvance(text), metrics.height())
    )
    picture = QPixmap(width, height)
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    path = QPainterPath()
    path.addText(QPointF(_HALO_WIDTH, metrics.ascent() + _HALO_WIDTH), font, text)
    rim = QPen(HALO, _HALO_WIDTH)
    rim.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter = QPainter(picture)
    try:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.strokePath(path, rim)
        painter.fillPath(path, QColor(color))
    finally:
        painter.end()  # a painter left open by an error would crash Qt
    return picture


def draw_crosshair(
    painter: QPainter, area: QRectF, x: float, y: float, across: QColor, down: QColor
) -> None:
    """Draw two lines of a pixel through (x, y) over an area, with a gap where they would meet.

    Parameters
    ----------
    painter : of the widget.
    area : how far the lines reach, in pixels.
    x, y : where they would meet.
    across, down : colours of the horizontal and of the vertical line.
    """
    x, y, half = int(x) + 0.5, int(y) + 0.5, GAP / 2
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setPen(QPen(across, 1))
    if area.top() <= y <= area.bottom():
        _draw_line(painter, QPointF(area.left(), y), QPointF(min(x - half, area.right()), y))
        _draw_line(painter, QPointF(max(x + half, area.left()), y), QPointF(area.right(), y))
    painter.setPen(QPen(down, 1))
    if area.left() <= x <= area.right():
        _draw_line(painter, QPointF(x, area.top()), QPointF(x, min(y - half, area.bottom())))
        _draw_line(painter, QPointF(x, max(y + half, area.top())), QPointF(x, area.bottom()))


def _draw_line(painter: QPainter, start: QPointF, stop: QPointF) -> None:
    if start.x() <= stop.x() and start.y() <= stop.y():
        painter.drawLine(start, stop)
