"""Text that lies over the image: corners, orientation letters, names of the strip's columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from qtpy.QtCore import QEvent, QObject, QPointF, QRectF, Qt, Signal
from qtpy.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QWidget

from napari_chest.ui.drawing import draw_crosshair, draw_text

if TYPE_CHECKING:
    from napari_chest.geometry import EdgeLetters
    from napari_chest.ui.canvas.pins import Pin
    from napari_chest.ui.canvas.preview import PreviewPicture

Detail = Literal["minimal", "none", "all"]
_NEXT: dict[Detail, Detail] = {"all": "minimal", "minimal": "none", "none": "all"}
_MARGIN = 10
_SCALE_BAR_HEIGHT = 36
"""Room at the bottom that napari's scale bar takes, in pixels."""
LINE_LENGTH = 40
"""Characters of a line, beyond which its middle is left out."""
_PIN = 6.0
"""Radius of the mark of a comment, in pixels."""
_PINNED, _SETTLED = "#f0c000", "#82888f"
_LETTER_TIPS = "H = head (superior), F = feet (inferior), R = patient's right, L = patient's left"


@dataclass(frozen=True)
class StripName:
    """The name of a strip column and the middle of its upper edge, in pixels of the canvas."""

    text: str
    x: float
    y: float


@dataclass(frozen=True)
class Crosshair:
    """Two lines over the image: where they meet, in pixels of the canvas, and their colours."""

    x: float
    y: float
    across: str
    down: str


@dataclass(frozen=True)
class OverlayText:
    """All that the overlay shows; a corner is a tuple of lines."""

    top_left: tuple[str, ...] = ()
    top_right: tuple[str, ...] = ()
    bottom_left: tuple[str, ...] = ()
    bottom_right: tuple[str, ...] = ()
    letters: EdgeLetters | None = None
    strip: tuple[StripName, ...] = ()
    image: tuple[float, float, float, float] | None = None
    """Left, top, right and bottom of the image in pixels of the canvas: letters stand at its edges
    as far as those are in view."""
    crosshair: Crosshair | None = None
    pins: tuple[Pin, ...] = ()


class Overlay(QWidget):
    """A transparent widget over the canvas that follows its size and lets the mouse through.

    Three states: all, minimal (letters and slice number), none.

    Signals
    -------
    resized() : the canvas has another size, so positions on it have changed.
    """

    resized = Signal()

    def __init__(self, canvas: QWidget) -> None:
        super().__init__(canvas)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName("Image overlay")
        self.setAccessibleDescription(_LETTER_TIPS)
        self._text = OverlayText()
        self._preview: PreviewPicture | None = None
        self._detail: Detail = "all"
        self._canvas = canvas
        canvas.installEventFilter(self)
        self.setGeometry(canvas.rect())
        self.show()

    @property
    def text(self) -> OverlayText:
        """What is shown when all is shown."""
        return self._text

    def set_text(self, text: OverlayText) -> None:
        """Show another text."""
        if text != self._text:
            self._text = text
            self.update()

    def set_preview(self, picture: PreviewPicture | None) -> None:
        """Show what a tool would change, also where no text is shown; or nothing of the kind."""
        if picture is not None or self._preview is not None:
            self._preview = picture
            self.update()

    def cycle_detail(self) -> None:
        """Go from all to minimal, to none, and back to all."""
        self._detail = _NEXT[self._detail]
        self.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: ARG002, N802
        """Follow the canvas's size."""
        # The type first: while the canvas is destroyed, this object has lost its attributes.
        if event.type() == QEvent.Type.Resize:
            self.setGeometry(self._canvas.rect())
            self.resized.emit()
        return False

    def remove(self) -> None:
        """Leave the canvas for good."""
        self._canvas.removeEventFilter(self)
        self.hide()
        self.deleteLater()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802
        """Draw preview and text."""
        painter = QPainter(self)
        try:
            if self._preview is not None:
                _draw_preview(painter, self._preview)
            if self._detail != "none":
                self._paint(painter)
        finally:
            painter.end()  # a painter left open by an error would crash Qt

    def _paint(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        everything = self._detail == "all"
        self._draw_crosshair(painter)
        for pin in self._text.pins:
            _draw_pin(painter, pin)
        area = QRectF(self.rect()).adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
        text, left, right = self._text, Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
        top, bottom = Qt.AlignmentFlag.AlignTop, Qt.AlignmentFlag.AlignBottom
        font = self._font(1.0)
        if everything:
            _draw_block(painter, font, area, text.top_right, right | top)
            beside = _beside(area, font, text.top_right)
            _draw_block(painter, font, beside, text.top_left, left | top)
            beside = _beside(area, font, text.bottom_right)
            _draw_block(painter, font, beside, text.bottom_left, left | bottom)
        lines = text.bottom_right if everything else text.bottom_right[:1]
        _draw_block(painter, font, area, lines, right | bottom)
        if text.letters is not None:
            self._draw_letters(painter, text.letters, area)
        if everything:
            self._draw_strip_names(painter)

    def _draw_crosshair(self, painter: QPainter) -> None:
        lines, image = self._text.crosshair, self._text.image
        if lines is None or image is None:
            return
        x0, y0, x1, y1 = image
        area = QRectF(self.rect()).intersected(QRectF(x0, y0, x1 - x0, y1 - y0))
        colors = QColor(lines.across), QColor(lines.down)
        draw_crosshair(painter, area, lines.x, lines.y, *colors)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)

    def _draw_letters(self, painter: QPainter, letters: EdgeLetters, area: QRectF) -> None:
        font = self._font(1.25, bold=True)
        metrics = QFontMetricsF(font)
        box = area
        if self._text.image is not None:
            x0, y0, x1, y1 = self._text.image
            box = area.intersected(QRectF(x0, y0, x1 - x0, y1 - y0).adjusted(4, 4, -4, -4))
        middle, above = box.center(), area.bottom() - _SCALE_BAR_HEIGHT
        baseline = middle.y() + metrics.ascent() / 2

        def width(letter: str) -> float:
            return float(metrics.horizontalAdvance(letter))

        places = (
            (letters.left, box.left(), baseline),
            (letters.right, box.right() - width(letters.right), baseline),
            (letters.top, middle.x() - width(letters.top) / 2, box.top() + metrics.ascent()),
            (letters.bottom, middle.x() - width(letters.bottom) / 2, min(box.bottom() - 2, above)),
        )
        for letter, x, y in places:
            draw_text(painter, font, QPointF(x, y), letter)

    def _draw_strip_names(self, painter: QPainter) -> None:
        """Draw the names upwards, above the strip where there is room, else upon it."""
        font = self._font(0.85)
        metrics = QFontMetricsF(font)
        longest = max((metrics.horizontalAdvance(n.text) for n in self._text.strip), default=0)
        used = metrics.lineSpacing() * max(len(self._text.top_right), 1) + _MARGIN
        for name in self._text.strip:
            above = name.y - longest > used + metrics.height()
            foot = name.y - 6 if above else max(name.y, used) + longest + 6
            _draw_upwards(painter, font, QPointF(name.x, foot), name.text)

    def _font(self, factor: float, *, bold: bool = False) -> QFont:
        font = QFont(self.font())
        font.setPointSizeF(max(font.pointSizeF(), 8.0) * factor)
        font.setBold(bold)
        return font


def _draw_preview(painter: QPainter, picture: PreviewPicture) -> None:
    pixels = np.ascontiguousarray(picture.pixels)
    height, width = pixels.shape
    form = QImage.Format.Format_ARGB32_Premultiplied
    image = QImage(pixels.data, width, height, pixels.strides[0], form)
    left, top, right, bottom = picture.area
    target = QRectF(left, top, right - left, bottom - top)
    painter.drawImage(target, image, QRectF(image.rect()))


def _draw_pin(painter: QPainter, pin: Pin) -> None:
    """A ring around the voxel, which stays to be seen, with a black casing."""
    at = QPointF(pin.x, pin.y)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for color, width in (("#000000", 4.0), (_SETTLED if pin.faint else _PINNED, 2.0)):
        painter.setPen(QPen(QColor(color), width))
        painter.drawEllipse(at, _PIN, _PIN)
        painter.drawLine(at - QPointF(0, _PIN), at - QPointF(0, 2 * _PIN))


def _beside(area: QRectF, font: QFont, lines: tuple[str, ...]) -> QRectF:
    """What a block of lines at the right leaves of an area to one at the left."""
    metrics = QFontMetricsF(font)
    widest = max((metrics.horizontalAdvance(line) for line in lines), default=0.0)
    return area.adjusted(0, 0, -min(widest + _MARGIN, area.width()), 0)


def _draw_block(
    painter: QPainter,
    font: QFont,
    area: QRectF,
    lines: tuple[str, ...],
    corner: Qt.AlignmentFlag,
) -> None:
    metrics = QFontMetricsF(font)
    step = metrics.lineSpacing()
    y = area.top() + metrics.ascent()
    if corner & Qt.AlignmentFlag.AlignBottom:
        y = area.bottom() - metrics.descent() - step * (len(lines) - 1)
    for line in lines:
        shown = elide_middle(line, LINE_LENGTH)
        shown = metrics.elidedText(shown, Qt.TextElideMode.ElideMiddle, area.width())
        x = area.left()
        if corner & Qt.AlignmentFlag.AlignRight:
            x = area.right() - metrics.horizontalAdvance(shown)
        draw_text(painter, font, QPointF(x, y), shown)
        y += step


def _draw_upwards(painter: QPainter, font: QFont, foot: QPointF, text: str) -> None:
    painter.save()
    painter.translate(foot.x() + QFontMetricsF(font).ascent() / 2 - 1, foot.y())
    painter.rotate(-90)
    draw_text(painter, font, QPointF(0, 0), text)
    painter.restore()


def elide_middle(text: str, length: int) -> str:
    """The text, or its beginning and end where it is longer than ``length`` characters."""
    if len(text) <= length:
        return text
    head = (length - 1) // 2
    return f"{text[:head]}…{text[-(length - 1 - head) :]}"
