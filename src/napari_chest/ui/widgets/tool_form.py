"""What a person may set of one tool, as a form that is made from the tool's own table."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_chest.ui.wrapped_label import WrappedLabel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qtpy.QtGui import QKeyEvent

    from napari_chest.model import Segment
    from napari_chest.tools.base import Parameter, Tool

Field: TypeAlias = QSpinBox | QDoubleSpinBox | QComboBox | QCheckBox
_MOST_DECIMALS = 3


class ToolForm(QWidget):
    """The form of one tool; hidden while no tool needs it.

    Signals
    -------
    asked(Tool) : use the tool with `values`.
    cancelled() : the tool is not wanted.
    """

    asked = Signal(object)
    cancelled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tool: Tool | None = None
        self.fields: dict[str, Field] = {}
        self._clicked = False
        self._last: dict[str, dict[str, Any]] = {}
        self.title = WrappedLabel()
        self.title.setProperty("role", "title")
        self.apply = QPushButton("Apply")
        self.apply.setProperty("primary", "true")
        self.cancel = QPushButton("Cancel")
        self.cancel.setToolTip("Leave the mask as it is (Esc)")
        self._rows = QWidget()
        self._buttons = QWidget()
        self._buttons.setProperty("role", "part")
        buttons = QHBoxLayout(self._buttons)
        buttons.setContentsMargins(0, 0, 0, 0)
        buttons.setSpacing(4)
        buttons.addWidget(self.apply, 1)
        buttons.addWidget(self.cancel, 1)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(3)
        for widget in (self.title, self._rows, self._buttons):
            self._layout.addWidget(widget)
        self.apply.clicked.connect(self._ask)
        self.cancel.clicked.connect(self.cancelled)
        self.hide()

    def show_tool(self, tool: Tool, segments: Sequence[Segment], *, clicked: bool = False) -> None:
        """Show the form of a tool with the values that were used last.

        Parameters
        ----------
        tool : the tool.
        segments : those that it can be given, besides the one that is chosen.
        clicked : whether it is a click on the image that uses the tool, so that the form only
            holds what the next click goes by.
        """
        self._remember()
        self.tool = tool
        self._clicked = clicked
        self.title.setText(f"{tool.title}: click in the image" if clicked else tool.title)
        self.title.setToolTip(tool.text)
        self.apply.setText("Preview" if tool.preview else "Apply")
        self.apply.setToolTip(f"{tool.text} (Enter)")
        self._buttons.setVisible(not clicked)
        self._fill(tool, segments)
        self.show()

    def hide_tool(self) -> None:
        """Show no form."""
        self._remember()
        self.tool = None
        self.hide()

    def show_previewed(self) -> None:
        """Leave the room of the buttons to those of the preview, until something is set anew."""
        self._buttons.hide()

    def focus_first(self) -> None:
        """Let the keyboard speak to the first field."""
        next(iter(self.fields.values()), self.apply).setFocus(Qt.FocusReason.TabFocusReason)

    def values(self, tool: Tool) -> dict[str, Any]:
        """What a tool is used with: as the form shows, else as it was last, else as at first."""
        if tool is self.tool:
            self._remember()
        first = {one.key: one.default for one in tool.parameters if one.default is not None}
        return first | self._last.get(tool.key, {})

    def focus_order(self) -> list[QWidget]:
        """What Tab goes through."""
        return [*self.fields.values(), self.apply, self.cancel]

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Use the tool by Enter and leave the form by Escape."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not self._clicked:
            self._ask()
        elif event.key() == Qt.Key.Key_Escape:
            self.cancelled.emit()
        else:
            super().keyPressEvent(event)

    def _on_set(self) -> None:
        self._buttons.setVisible(not self._clicked)

    def _ask(self) -> None:
        if self.tool is not None:
            self._remember()
            self.asked.emit(self.tool)

    def _remember(self) -> None:
        if self.tool is not None:
            self._last[self.tool.key] = {key: _value(f) for key, f in self.fields.items()}

    def _fill(self, tool: Tool, segments: Sequence[Segment]) -> None:
        """Make the fields anew."""
        rows, old = QWidget(), self._rows
        rows.setProperty("role", "part")
        grid = QGridLayout(rows)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(3)
        grid.setColumnStretch(0, 1)
        self.fields = {}
        last = self._last.get(tool.key, {})
        for number, parameter in enumerate(tool.parameters):
            field = _field(parameter, segments, last.get(parameter.key, parameter.default))
            field.setAccessibleName(f"{tool.title}: {parameter.text}")
            _connect(field, self._on_set)
            self.fields[parameter.key] = field
            label = WrappedLabel(parameter.text)
            label.setBuddy(field)
            grid.addWidget(label, number, 0)
            grid.addWidget(field, number, 1)
        self._layout.replaceWidget(old, rows)
        self._rows = rows
        old.hide()
        old.deleteLater()
        order = self.focus_order()
        for before, after in pairwise(order):
            QWidget.setTabOrder(before, after)


def _field(parameter: Parameter, segments: Sequence[Segment], value: Any) -> Field:
    if parameter.kind == "yes or no":
        box = QCheckBox()  # its text stands beside it, where it may take two lines
        box.setChecked(bool(value))
        return box
    if parameter.kind in ("choice", "segment"):
        named = [(segment.name, segment.value) for segment in segments]
        pairs = named if parameter.kind == "segment" else [(c, c) for c in parameter.choices]
        return _combo(pairs, value)
    number = QSpinBox() if parameter.kind == "whole number" else QDoubleSpinBox()
    if isinstance(number, QDoubleSpinBox):
        number.setDecimals(_decimals(parameter))
        number.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
        number.setRange(parameter.low, parameter.high)
        number.setValue(float(value))
    else:
        number.setRange(int(parameter.low), int(parameter.high))
        number.setValue(int(value))
    number.setSuffix(f" {parameter.unit}" if parameter.unit else "")
    return number


def _decimals(parameter: Parameter) -> int:
    """As many as the lowest and the first value need."""
    needed = (
        places
        for places in range(_MOST_DECIMALS)
        if all(round(v, places) == v for v in (parameter.low, float(parameter.default)))
    )
    return next(needed, _MOST_DECIMALS)


def _combo(pairs: Sequence[tuple[str, Any]], value: Any) -> QComboBox:
    combo = QComboBox()
    policy = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
    combo.setSizeAdjustPolicy(policy)
    combo.setMinimumContentsLength(6)
    for text, data in pairs:
        combo.addItem(text, data)
    combo.setCurrentIndex(max(combo.findData(value), 0))
    return combo


def _connect(field: Field, slot: Callable[[], None]) -> None:
    if isinstance(field, QCheckBox):
        field.toggled.connect(slot)
    elif isinstance(field, QComboBox):
        field.activated.connect(slot)
    else:
        field.valueChanged.connect(slot)


def _value(field: Field) -> Any:
    if isinstance(field, QCheckBox):
        return field.isChecked()
    if isinstance(field, QComboBox):
        return field.currentData()
    return field.value()
