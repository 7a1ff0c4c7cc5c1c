"""Outlines of readers over a slice: each in its colour and its dash, with a dark casing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from qtpy.QtCore import QPointF, Qt
from qtpy.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF, QTransform

from napari_chest.ui.layers import READER_COLORS

if TYPE_CHECKING:
    import numpy.typing as npt

    from napari_chest.ui.planes.place import Place

_CASING = "#000000"
_AGREED = "#ffffff"
_EDGE = 1.0
"""How far the casing goes beyond a line, in pixels of the screen."""


@dataclass(frozen=True)
class Line:
    """How an outline is drawn.

    Attributes
    ----------
    color : ``#rrggbb``.
    width : in pixels of the screen.
    dash : lengths of strokes and gaps in widths; none for a solid line.
    double : whether it is two thin lines.
    casing : whether it has a dark rim, so that it stands out against every grey.
    """

    color: str
    width: float = 2.0
    dash: tuple[float, ...] = ()
    double: bool = False
    casing: bool = True


AGREED = Line(_AGREED, 1.0, casing=False)
"""Without a rim, which would cover what differs along it."""
_DASHES: tuple[tuple[float, ...], ...] = ((), (4, 2.5), (1, 2), (4, 2, 1, 2), (9, 3), ())


def reader_line(number: int) -> Line:
    """The line of a reader by its place among the readings of a case, from 0."""
    number %= len(READER_COLORS)
    double = number == len(READER_COLORS) - 1
    return Line(READER_COLORS[number], 5.0 if double else 2.0, _DASHES[number], double)


def outline(plane: npt.NDArray[np.bool_]) -> QPainterPath:
    """The borders of what a slice (H, W) holds, along the edges of its voxels.

    x is the column and y the row; the middle of a voxel is a whole number.
    """
    path = QPainterPath()
    rows, columns = np.flatnonzero(plane.any(axis=1)), np.flatnonzero(plane.any(axis=0))
    if not len(rows):
        return path
    top, left = int(rows[0]), int(columns[0])
    box = plane[top : rows[-1] + 1, left : columns[-1] + 1].astype(np.uint8)
    doubled = box.repeat(2, axis=0).repeat(2, axis=1)  # so that nothing is one pixel thin
    borders, _ = cv2.findContours(doubled, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    for border in borders:
        points = np.asarray(border).reshape(-1, 2)
        edges = points // 2 + points % 2 - 0.5 + (left, top)
        path.addPolygon(QPolygonF([QPointF(x, y) for x, y in edges.tolist()]))
        path.closeSubpath()
    return path


def draw_outline(painter: QPainter, place: Place, path: QPainterPath, line: Line) -> None:
    """Draw an outline, as thick on the screen however large a voxel is."""
    (dy, dx), scale = place.spacing, place.scale
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setTransform(
        QTransform(
            dx * scale, 0, 0, dy * scale, place.left + dx * scale / 2, place.top + dy * scale / 2
        ),
        True,
    )
    for pen in _pens(line):
        painter.setPen(pen)
        painter.drawPath(path)
    painter.restore()


def _pens(line: Line) -> list[Any]:
    pens = [_pen(_CASING, line.width + 2 * _EDGE)] if line.casing else []
    pens.append(_pen(line.color, line.width, line.dash))
    if line.double:
        pens.append(_pen(_CASING, line.width - 4 * _EDGE))
    return pens


def _pen(color: str, width: float, dash: tuple[float, ...] = ()) -> Any:
    pen = QPen(QColor(color), width)
    pen.setCosmetic(True)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    if dash:
        pen.setDashPattern(list(dash))
    return pen
