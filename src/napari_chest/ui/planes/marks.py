"""What lies over a plane: the brush, orientation letters, the plane's name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QFont, QFontMetricsF, QPainter, QPen

from napari_chest.ui.drawing import HALO, TEXT, draw_text

if TYPE_CHECKING:
    from napari_chest.geometry import EdgeLetters

_MARGIN = 7


def draw_brush(painter: QPainter, x: float, y: float, diameter: float) -> None:
    """Draw the outline of a brush so many pixels across, bright with a dark rim."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for color, width in ((HALO, 3), (TEXT, 1)):
        painter.setPen(QPen(color, width))
        painter.drawEllipse(QPointF(x, y), diameter / 2, diameter / 2)


def draw_names(painter: QPainter, font: QFont, area: QRectF, plane: str, number: str) -> None:
    """Draw the plane's name at the top left and the number of the slice at the bottom right."""
    metrics = QFontMetricsF(font)
    inner = area.adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
    draw_text(painter, font, QPointF(inner.left(), inner.top() + metrics.ascent()), plane)
    right = inner.right() - metrics.horizontalAdvance(number)
    draw_text(painter, font, QPointF(right, inner.bottom() - metrics.descent()), number)


def draw_letters(
    painter: QPainter, font: QFont, area: QRectF, image: QRectF, letters: EdgeLetters
) -> None:
    """Draw orientation letters at the middle of each edge of the image, as far as it is in view."""
    metrics = QFontMetricsF(font)
    box = area.adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
    seen = box.intersected(image.adjusted(3, 3, -3, -3))
    if seen.width() > 6 * metrics.averageCharWidth() and seen.height() > 3 * metrics.height():
        box = seen
    middle, baseline = box.center(), box.center().y() + metrics.ascent() / 2

    def width(letter: str) -> float:
        return float(metrics.horizontalAdvance(letter))

    for letter, x, y in (
        (letters.left, box.left(), baseline),
        (letters.right, box.right() - width(letters.right), baseline),
        (letters.top, middle.x() - width(letters.top) / 2, box.top() + metrics.ascent()),
        (letters.bottom, middle.x() - width(letters.bottom) / 2, box.bottom() - metrics.descent()),
    ):
        draw_text(painter, font, QPointF(x, y), letter)
