"""napari's painting tools, and a brush whose size is in millimetres."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_chest.ui.keys import shown

_TOOLS = (
    ("pan_zoom", "Move", "Move and window; no tool (Z)"),
    ("paint", "Brush", "Paint the selected segment (P). Ctrl erases, Shift+wheel sets the size"),
    ("erase", "Erase", "Erase (E)"),
    ("fill", "Fill", "Fill what touches the point clicked, on this slice (F)"),
    ("polygon", "Polygon", "Click around an area, double-click to fill it"),
    ("pick", "Pick", "Select the segment that is clicked (L)"),
)
_IN_A_ROW = 3
_SMALLEST, _LARGEST = 0.1, 200.0


class ToolBar(QWidget):
    """One button per tool, the brush's diameter, and whether it is a ball.

    Signals
    -------
    tool_requested(str) : use this tool of napari's.
    brush_requested(float, bool) : a brush of this diameter in mm, in depth or not.
    """

    tool_requested = Signal(str)
    brush_requested = Signal(float, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.buttons: dict[str, QToolButton] = {}
        self._group = QButtonGroup(self)
        self.diameter = QDoubleSpinBox()
        self.diameter.setRange(_SMALLEST, _LARGEST)
        self.diameter.setDecimals(1)
        self.diameter.setSuffix(" mm")
        self.diameter.setKeyboardTracking(False)
        self.diameter.setAccessibleName("Brush diameter")
        self.diameter.setToolTip("Diameter of brush and eraser (Shift+wheel over the image)")
        self.deep = QCheckBox("3-D")
        self.deep.setToolTip(
            "A ball instead of a disc: reaches into the neighbouring slices that lie within its "
            f"diameter in mm ({shown('depth')})"
        )
        self._lay_out()
        self.diameter.valueChanged.connect(self._ask)
        self.deep.toggled.connect(self._ask)

    def show_tool(self, tool: str) -> None:
        """Press the button of the tool in use."""
        if tool in self.buttons:
            self.buttons[tool].setChecked(True)

    def show_brush(self, size: float, *, deep: bool) -> None:
        """Show the brush in use."""
        for widget in (self.diameter, self.deep):
            widget.blockSignals(True)
        self.diameter.setValue(size)
        self.deep.setChecked(deep)
        for widget in (self.diameter, self.deep):
            widget.blockSignals(False)

    def bounded(self, size: float) -> float:
        """The nearest diameter that the brush can have."""
        return min(max(size, _SMALLEST), _LARGEST)

    def _ask(self) -> None:
        self.brush_requested.emit(self.diameter.value(), self.deep.isChecked())

    def _lay_out(self) -> None:
        tools = QGridLayout()
        tools.setSpacing(3)
        for place, (tool, name, tip) in enumerate(_TOOLS):
            button = QToolButton()
            button.setText(name)
            button.setToolTip(tip)
            button.setCheckable(True)
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.clicked.connect(lambda _=False, tool=tool: self.tool_requested.emit(tool))
            self._group.addButton(button)
            self.buttons[tool] = button
            tools.addWidget(button, *divmod(place, _IN_A_ROW))
        self.buttons["pan_zoom"].setChecked(True)
        brush = QHBoxLayout()
        label = QLabel("Brush")
        label.setProperty("role", "secondary")
        label.setBuddy(self.diameter)
        brush.addWidget(label)
        brush.addWidget(self.diameter)
        brush.addWidget(self.deep)
        brush.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addLayout(tools)
        layout.addLayout(brush)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
