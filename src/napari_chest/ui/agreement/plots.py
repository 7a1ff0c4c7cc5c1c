"""Plots of agreement, dark, drawn by pyqtgraph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import QPointF, Qt, Signal

from napari_chest.ui.agreement.tables import CHOICE
from napari_chest.ui.widgets import style

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from qtpy.QtGui import QMouseEvent
    from qtpy.QtWidgets import QWidget

    from napari_chest.measure.agreement import NoiseFloor
    from napari_chest.measure.bland_altman import BlandAltman
    from napari_chest.measure.resampling import Estimate

GROUND = "#1b1d22"
_LINE, _DOT = 2, 7
_WEAK = 110
"""Alpha of what another row of the table is about, of 255."""
_TICKS = 10
_BAND = 40
"""Alpha of bands, of 255: lines and words must stand out against them."""


class Look(NamedTuple):
    """How two readers are drawn: a line in A's colour with dots in B's, or one reader alone.

    Attributes
    ----------
    name : for the legend.
    color, dot : ``#rrggbb``.
    strong : whether it stands out against others.
    """

    name: str
    color: str
    dot: str
    strong: bool = True

    @property
    def pen(self) -> Any:
        """The line."""
        if self.strong:
            return pg.mkPen(self.color, width=_LINE)
        return pg.mkPen(_fill(self.color, _WEAK).color(), width=1)

    @property
    def brush(self) -> Any:
        """The dots."""
        return _fill(self.dot, 255 if self.strong else _WEAK)

    @property
    def html(self) -> str:
        """The line and the dot before the name, as rich text."""
        name = f"<b>{self.name}</b>" if self.strong else self.name
        return (
            f'<span style="color:{self.color}">━</span><span style="color:{self.dot}">●</span>'
            f"&nbsp;{name}"
        )


class Curve(NamedTuple):
    """Numbers of every slice, NaN where there is none."""

    look: Look
    values: npt.NDArray[np.float64]


class Chart(pg.PlotWidget):
    """A dark plot without pyqtgraph's menus, whose words are as large as the font."""

    def __init__(self, name: str, x: str, y: str, parent: QWidget | None = None) -> None:
        super().__init__(parent, background=GROUND)
        self.setAccessibleName(name)
        self.setMinimumHeight(120)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAntialiasing(True)
        self.plot = self.getPlotItem()
        self.plot.setMenuEnabled(False)
        self.plot.hideButtons()
        self.plot.setMouseEnabled(x=False, y=False)
        self.plot.showGrid(x=False, y=True, alpha=0.15)
        self._titles = {"bottom": x, "left": y}
        for side, title in self._titles.items():
            axis = self.plot.getAxis(side)
            axis.setPen(style.SECONDARY)
            axis.setTextPen(style.TEXT)
            axis.setTickFont(self.font())
            self.set_title(side, title)

    def set_title(self, side: str, title: str) -> None:
        """Say what an axis shows."""
        size = f"{self.font().pointSizeF():g}pt"
        self.plot.setLabel(side, title, **{"color": style.TEXT, "font-size": size})

    def empty(self) -> None:
        """Take everything off."""
        self.plot.clear()

    def add_level(self, value: float, text: str, color: str, *, dashed: bool = False) -> Any:
        """Draw a level line with words on it."""
        dash = Qt.PenStyle.DashLine if dashed else Qt.PenStyle.SolidLine
        line = pg.InfiniteLine(
            value,
            angle=0,
            pen=pg.mkPen(color, width=_LINE, style=dash),
            label=text,
            labelOpts={"position": 0.02, "anchors": [(0, 1), (0, 0)], "color": color},
        )
        line.label.setFont(self.font())
        self.plot.addItem(line)
        return line

    def add_band(self, low: float, high: float, color: str) -> Any:
        """Draw a level band."""
        band = pg.LinearRegionItem(
            (low, high),
            orientation="horizontal",
            movable=False,
            brush=_fill(color, _BAND),
            pen=pg.mkPen(None),
        )
        band.setZValue(-10)
        self.plot.addItem(band)
        return band

    def add_dots(
        self, x: Sequence[float], y: Sequence[float], look: Look, told: Sequence[str]
    ) -> Any:
        """Draw dots; each tells something under the pointer."""
        dots = pg.ScatterPlotItem(
            x=list(x),
            y=list(y),
            data=list(told),
            size=_DOT,
            brush=look.brush,
            pen=look.pen,
            hoverable=True,
            tip=_tip,
        )
        self.plot.addItem(dots)
        return dots

    def at(self, event: QMouseEvent) -> QPointF:
        """Where on the axes a point of the widget lies."""
        return self.plot.vb.mapSceneToView(self.mapToScene(event.position().toPoint()))


class ProfileChart(Chart):
    """Numbers slice by slice; a click goes to the slice.

    Signals
    -------
    slice_requested(index) : go to this slice.
    """

    slice_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Slice by slice", "Slice", "Dice", parent)
        self._slices = 0
        self._here: Any = None
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def show_curves(self, title: str, curves: Sequence[Curve], top: float | None = None) -> None:
        """Show these numbers; ``top`` is the largest there can be."""
        self.empty()
        self.set_title("left", title)
        self._slices = max((len(curve.values) for curve in curves), default=0)
        for look, values in curves:
            self.plot.plot(
                np.arange(1, len(values) + 1),
                values,
                pen=look.pen,
                symbol="o",
                symbolSize=_DOT - 2,
                symbolBrush=look.brush,
                symbolPen=None,
                connect="finite",
            )
        self.plot.setXRange(1, max(self._slices, 2), padding=0.02)
        highest = max((float(np.nanmax(c.values, initial=0)) for c in curves), default=0.0)
        self.plot.setYRange(0, top or highest or 1, padding=0.04)
        self._here = pg.InfiniteLine(
            0, angle=90, pen=pg.mkPen(style.TEXT, width=1, style=Qt.PenStyle.DotLine)
        )
        self.plot.addItem(self._here)

    def show_current(self, z: int) -> None:
        """Mark the slice that is on screen."""
        if self._here is not None:
            self._here.setValue(z + 1)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Ask for the slice under the pointer."""
        if event.button() == Qt.MouseButton.LeftButton and self._slices:
            number = round(self.at(event).x())
            self.slice_requested.emit(min(max(number, 1), self._slices) - 1)
        else:
            super().mousePressEvent(event)


class CasesChart(Chart):
    """A plot whose dots are cases.

    Signals
    -------
    case_requested(id) : a case was clicked.
    """

    case_requested = Signal(str)

    def add_cases(
        self,
        x: Sequence[float],
        y: Sequence[float],
        look: Look,
        cases: Sequence[str],
        told: Sequence[str],
    ) -> None:
        """Draw a dot per case, that tells something and can be clicked."""
        dots = self.add_dots(x, y, look, told)
        dots.sigClicked.connect(
            lambda _, points, *__: self.case_requested.emit(cases[points[0].index()])
        )


class BlandAltmanChart(CasesChart):
    """Differences of two readers' volumes against their means, with bias and limits."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Bland-Altman of volumes", "Mean of A and B (ml)", "B − A (ml)", parent)

    def show_numbers(self, found: BlandAltman, look: Look, titles: Sequence[str]) -> None:
        """Show the volumes of these cases."""
        self.empty()
        for estimate, text in (
            (found.bias, "bias"),
            (found.lower, "lower limit"),
            (found.upper, "upper limit"),
        ):
            if estimate.value is None:
                continue
            color = style.TEXT if text == "bias" else style.AMBER
            self.add_level(estimate.value, f"{text} {estimate.value:.1f}", color, dashed=True)
            if estimate.low is not None and estimate.high is not None:
                self.add_band(estimate.low, estimate.high, color)
        told = [
            f"{title}: {difference:+.1f} ml"
            for title, difference in zip(titles, found.differences, strict=True)
        ]
        self.add_cases(found.means.tolist(), found.differences.tolist(), look, found.cases, told)
        self.plot.autoRange(padding=0.08)


class DiceChart(CasesChart):
    """The Dice of every case, the lowest first, above what people reach among themselves."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Dice of every case", "Cases, the lowest Dice first", "Dice", parent)

    def show_cases(
        self,
        shown: Sequence[tuple[Look, Sequence[tuple[str, str, float]]]],
        floor: NoiseFloor,
    ) -> None:
        """Show, of every two readers, id, title and Dice of their cases."""
        self.empty()
        low, high = floor.mean - floor.deviation, floor.mean + floor.deviation
        self.add_band(low, high, style.SECONDARY)
        text = f"between readers {floor.mean:.2f} ± {floor.deviation:.2f}"
        self.add_level(floor.mean, text, style.SECONDARY, dashed=True)
        self.setToolTip(f"{floor.name}: {floor.mean:.2f} ± {floor.deviation:.2f} ({floor.source})")
        longest = 1
        for look, cases in shown:
            ordered = sorted(cases, key=lambda case: case[2])
            longest = max(longest, len(ordered))
            values = [case[2] for case in ordered]
            told = [f"{title}: Dice {value:.3f}" for _, title, value in ordered]
            ids = [case[0] for case in ordered]
            self.add_cases(range(1, len(values) + 1), values, look, ids, told)
        step = max(longest // _TICKS, 1)  # there is no half a case
        self.plot.getAxis("bottom").setTickSpacing(step, step)
        self.plot.setXRange(1, max(longest, 2), padding=0.06)
        self.plot.setYRange(0, 1, padding=0.04)


class KappaChart(Chart):
    """Kappa of every column or question, with its interval, for every two readers."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Kappa", "Kappa", "", parent)
        self.plot.showGrid(x=True, y=False, alpha=0.15)

    def show_kappas(
        self, names: Sequence[str], kappas: Sequence[tuple[Look, Sequence[Estimate | None]]]
    ) -> None:
        """Show, of every two readers, the kappas of these columns or questions from top to bottom.

        What is None or undefined is left out.
        """
        self.empty()
        ticks = [(-number, _short(name)) for number, name in enumerate(names)]
        self.plot.getAxis("left").setTicks([ticks])
        lowest = 0.0
        for which, (look, estimates) in enumerate(kappas):
            shift = 0.5 * ((which + 0.5) / len(kappas) - 0.5)
            known = [
                (estimate, -number - shift)
                for number, estimate in enumerate(estimates)
                if estimate is not None and estimate.value is not None
            ]
            for estimate, y in known:
                if estimate.low is not None and estimate.high is not None:
                    lowest = min(lowest, estimate.low)
                    self.plot.plot([estimate.low, estimate.high], [y, y], pen=look.pen)
            values = [float(estimate.value or 0) for estimate, _ in known]
            lowest = min([lowest, *values])
            told = [f"{value:.2f}" for value in values]
            self.add_dots(values, [y for _, y in known], look, told)
        self.plot.setXRange(lowest, 1, padding=0.04)
        self.plot.setYRange(0.6 - len(names), 0.6, padding=0)


def _tip(x: float, y: float, data: str) -> str:  # noqa: ARG001
    return data


def _fill(color: str, alpha: int) -> Any:
    red, green, blue = bytes.fromhex(color.removeprefix("#"))
    return pg.mkBrush(red, green, blue, alpha)


_LONGEST = 28


def _short(name: str) -> str:
    """A name that leaves room for the plot; of a choice without its question."""
    name = name.rpartition(CHOICE)[2]
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
