"""The tools that the mouse works with, and a brush in mm that may keep to a range of HU."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QSize, Qt, Signal
from qtpy.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_chest.tools.ranges import RANGES
from napari_chest.ui.keys import shown
from napari_chest.ui.widgets import icons

if TYPE_CHECKING:
    from collections.abc import Sequence

Range = tuple[float, float]
GROW = "click"
"""The tool whose clicks are told to us; by itself it grows."""
_TOOLS = (
    ("pan_zoom", "Move", "no tool: the mouse moves the image and sets the window", "tool_move"),
    ("paint", "Brush", "paint the segment; Ctrl erases, Shift+wheel sets the size", "tool_brush"),
    ("erase", "Erase", "take away what the eraser touches", "tool_eraser"),
    ("fill", "Fill", "fill what touches the point clicked, on this slice", "tool_fill"),
    ("polygon", "Polygon", "click around an area, double-click to fill it", ""),
    ("pick", "Pick", "select the segment that is clicked", "tool_pick"),
    (GROW, "Grow", "click in a region: it is filled as far as its HU are alike", "grow"),
)
_SMALLEST, _LARGEST = 0.1, 200.0
_LOWEST, _HIGHEST = -1024, 3071
_ANY, _OWN = "any HU", "from … to"


class ToolBar(QWidget):
    """One button per tool; the brush's diameter, whether it is a ball, and where it paints.

    Signals
    -------
    tool_requested(str) : use this tool, by napari's name, or `GROW`.
    brush_requested(float, bool) : a brush of this diameter in mm, in depth or not.
    range_requested(tuple or None) : paint only where the image is from the first to the second
        value in HU; None for everywhere.
    """

    tool_requested = Signal(str)
    brush_requested = Signal(float, bool)
    range_requested = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.buttons: dict[str, QToolButton] = {}
        self._group = QButtonGroup(self)
        self._make_buttons()
        self._make_brush()
        self._make_range()
        self._lay_out()
        self._fit_icons()
        self.diameter.valueChanged.connect(self._ask_brush)
        self.deep.toggled.connect(self._ask_brush)
        self.within.activated.connect(self._ask_range)
        self.low.valueChanged.connect(self._ask_range)
        self.high.valueChanged.connect(self._ask_range)

    def show_tool(self, tool: str) -> None:
        """Press the button of the tool in use; none where it has no button."""
        if tool in self.buttons:
            self.buttons[tool].setChecked(True)
            return
        self._group.setExclusive(False)
        for button in self.buttons.values():
            button.setChecked(False)
        self._group.setExclusive(True)

    def show_brush(self, size: float, *, deep: bool) -> None:
        """Show the brush in use."""
        _quietly(self.diameter, size)
        self.deep.blockSignals(True)
        self.deep.setChecked(deep)
        self.deep.blockSignals(False)

    def show_range(self, wanted: Range | None) -> None:
        """Show to which HU the brush keeps; None for any."""
        known = [self.within.itemData(index) for index in range(self.within.count() - 1)]
        own = wanted not in known
        self.within.setCurrentIndex(len(known) if own else known.index(wanted))
        if wanted is not None:
            _quietly(self.low, round(wanted[0]))
            _quietly(self.high, round(wanted[1]))
        self._show_own()

    def show_hounsfield(self, hounsfield: bool) -> None:
        """Offer what needs HU, or not: a radiograph has none."""
        self.within.setEnabled(hounsfield)
        self.buttons[GROW].setEnabled(hounsfield)
        self._show_own()

    def bounded(self, size: float) -> float:
        """The nearest diameter that the brush can have."""
        return min(max(size, _SMALLEST), _LARGEST)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Draw the icons anew for another font."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange) and self.buttons:
            self._fit_icons()

    @property
    def _range(self) -> Range | None:
        """The range that is asked for."""
        if self._is_own:
            ends = self.low.value(), self.high.value()
            return float(min(ends)), float(max(ends))
        found: Range | None = self.within.currentData()
        return found

    @property
    def _is_own(self) -> bool:
        return self.within.currentIndex() == self.within.count() - 1

    def _ask_brush(self) -> None:
        self.brush_requested.emit(self.diameter.value(), self.deep.isChecked())

    def _ask_range(self) -> None:
        wanted = self._range
        if wanted is not None and not self._is_own:
            # What is changed into an own range afterwards begins with this one.
            _quietly(self.low, round(wanted[0]))
            _quietly(self.high, round(wanted[1]))
        self._show_own()
        self.range_requested.emit(wanted)

    def _show_own(self) -> None:
        self._own.setVisible(self._is_own and self.within.isEnabled())

    # Parts

    def _make_buttons(self) -> None:
        for tool, name, tip, action in _TOOLS:
            button = QToolButton()
            button.setAccessibleName(name)
            button.setToolTip(f"{name}: {tip} ({shown(action)})" if action else f"{name}: {tip}")
            button.setCheckable(True)
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.clicked.connect(lambda _=False, tool=tool: self.tool_requested.emit(tool))
            self._group.addButton(button)
            self.buttons[tool] = button
        self.buttons["pan_zoom"].setChecked(True)

    def _make_brush(self) -> None:
        self.diameter = QDoubleSpinBox()
        self.diameter.setRange(_SMALLEST, _LARGEST)
        self.diameter.setDecimals(1)
        self.diameter.setSuffix(" mm")
        self.diameter.setKeyboardTracking(False)
        self.diameter.setAccessibleName("Brush diameter")
        self.diameter.setToolTip("Diameter of brush and eraser (Shift+wheel over the image)")
        self.deep = QToolButton()
        self.deep.setText("3-D")
        self.deep.setCheckable(True)
        self.deep.setAccessibleName("Brush in depth")
        self.deep.setToolTip(
            "A ball instead of a disc: reaches into the neighbouring slices that lie within its "
            f"diameter in mm ({shown('depth')})"
        )

    def _make_range(self) -> None:
        self.within = QComboBox()
        self.within.setAccessibleName("Paint only within")
        self.within.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.within.setMinimumContentsLength(5)
        self.within.setToolTip("Paint only where the image is within these HU")
        for name, wanted in _offered():
            self.within.addItem(name, wanted)
            self.within.setItemData(
                self.within.count() - 1, _tip(wanted), Qt.ItemDataRole.ToolTipRole
            )
        self.low, self.high = (_hounsfield(name) for name in ("Lowest HU", "Highest HU"))
        self.low.setValue(round(RANGES[0][1]))
        self.high.setValue(round(RANGES[0][2]))

    def _lay_out(self) -> None:
        tools, brush = QHBoxLayout(), QHBoxLayout()
        tools.setSpacing(2)
        for button in self.buttons.values():
            tools.addWidget(button)
        brush.setSpacing(4)
        brush.addWidget(self.diameter)
        brush.addWidget(self.deep)
        brush.addWidget(self.within, 1)
        self._own = QWidget()
        self._own.setProperty("role", "part")
        own = QHBoxLayout(self._own)
        own.setContentsMargins(0, 0, 0, 0)
        own.setSpacing(4)
        for widget in (_secondary("HU"), self.low, _secondary("to"), self.high):
            own.addWidget(widget, isinstance(widget, QSpinBox))
        self._own.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addLayout(tools)
        layout.addLayout(brush)
        layout.addWidget(self._own)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def _fit_icons(self) -> None:
        size = self.fontMetrics().height() + 2
        for tool, button in self.buttons.items():
            button.setIcon(icons.tool_icon(tool, size))
            button.setIconSize(QSize(size, size))


def _offered() -> Sequence[tuple[str, Range | None]]:
    named = [(name, (float(low), float(high))) for name, low, high in RANGES]
    return [(_ANY, None), *named, (_OWN, None)]


def _tip(wanted: Range | None) -> str:
    return "" if wanted is None else f"{wanted[0]:.0f} to {wanted[1]:.0f} HU"


def _hounsfield(name: str) -> QSpinBox:
    box = QSpinBox()
    box.setRange(_LOWEST, _HIGHEST)
    box.setSingleStep(10)
    box.setKeyboardTracking(False)
    box.setAccessibleName(name)
    box.setToolTip(f"{name} that the brush paints over")
    return box


def _secondary(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "secondary")
    return label


def _quietly(box: QSpinBox | QDoubleSpinBox, value: float) -> None:
    box.blockSignals(True)
    box.setValue(value)
    box.blockSignals(False)
