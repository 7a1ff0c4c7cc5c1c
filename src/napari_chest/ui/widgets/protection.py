"""What no edit may change: chosen in a popup, and always told in words while it holds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QPoint, Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_chest.changes import slice_ranges
from napari_chest.tools.ranges import RANGES
from napari_chest.ui.wrapped_label import WrappedLabel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtpy.QtGui import QKeyEvent

_LOWEST, _HIGHEST = -1024, 3071
_PRESETS = "presets"
_INDENT = 22


@dataclass(frozen=True)
class Place:
    """Where edits may be kept inside.

    Attributes
    ----------
    name : ``lungs``, or a segment's name.
    mask, values : the segments that it is, of one mask.
    """

    name: str
    mask: str
    values: frozenset[int]


@dataclass(frozen=True)
class Choices:
    """What is protected, as `napari_chest.edits.Protection` has it; locks are chosen elsewhere.

    Attributes
    ----------
    hounsfield : only voxels from the first to the second value may change.
    inside : only voxels inside these segments of this mask.
    slices : only these display slices, first and last.
    keep_others : no segment takes a voxel from another one.
    """

    hounsfield: tuple[float, float] | None = None
    inside: tuple[str, frozenset[int]] | None = None
    slices: tuple[int, int] | None = None
    keep_others: bool = False


class ProtectionRow(QWidget):
    """A button that opens the choices, and below it in words what is protected, if anything.

    Parameters
    ----------
    beside : a widget that shares the line with the button.

    Signals
    -------
    protection_requested(Choices) : protect this and no more.
    """

    protection_requested = Signal(object)

    def __init__(self, beside: QWidget | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._places: tuple[Place, ...] = ()
        self.button = QToolButton()
        self.button.setText("Protect ▾")
        self.button.setToolTip("Keep edits within HU, inside the lungs or a segment, or on slices")
        self.button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.words = WrappedLabel()
        self.words.setProperty("state", "unsaved")
        self.clear_button = QToolButton()
        self.clear_button.setText("Clear")
        self.clear_button.setToolTip("Protect nothing but the locked segments")
        self.popup = ProtectionPopup(self)
        head, self._told = QHBoxLayout(), QWidget()
        head.setSpacing(4)
        for widget in (beside, self.button):
            if widget is not None:
                head.addWidget(widget, 1)
        self._told.setProperty("role", "part")
        told = QHBoxLayout(self._told)
        told.setContentsMargins(0, 0, 0, 0)
        told.setSpacing(4)
        told.addWidget(self.words, 1)
        told.addWidget(self.clear_button, 0, Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addLayout(head)
        layout.addWidget(self._told)
        self.button.clicked.connect(self._open)
        self.clear_button.clicked.connect(lambda: self.protection_requested.emit(Choices()))
        self.popup.protection_requested.connect(self.protection_requested)
        self.show_protection(Choices())

    def show_places(self, places: Sequence[Place]) -> None:
        """Offer other places to stay inside of."""
        if tuple(places) != self._places:
            self._places = tuple(places)
            self.popup.show_places(places)

    def show_slices(self, count: int) -> None:
        """Take note of how many slices there are."""
        self.popup.show_slices(count)

    def show_slice(self, z: int) -> None:
        """Take note of the display slice that is looked at."""
        self.popup.slice = z

    def show_hounsfield(self, hounsfield: bool) -> None:
        """Offer what needs HU, or not."""
        self.popup.show_hounsfield(hounsfield)

    def show_protection(self, protection: Choices) -> None:
        """Show what is protected."""
        self.popup.show_protection(protection)
        text = words(protection, self._places)
        self.words.setText(text)
        self._told.setVisible(bool(text))

    def _open(self) -> None:
        self.popup.adjustSize()
        above = self.button.mapToGlobal(QPoint(0, 0))
        below = self.button.mapToGlobal(QPoint(0, self.button.height()))
        screen = self.screen().availableGeometry()
        size = self.popup.sizeHint()
        x = max(min(below.x(), screen.right() - size.width()), screen.left())
        fits = below.y() + size.height() <= screen.bottom()
        self.popup.move(x, below.y() if fits else max(above.y() - size.height(), screen.top()))
        self.popup.show()
        self.popup.hounsfield.setFocus()


def words(protection: Choices, places: Sequence[Place] = ()) -> str:
    """What is protected besides locked segments: ``Protected: inside lungs, HU -750 to -300``."""
    parts = []
    if protection.inside is not None:
        mask, values = protection.inside
        known = (place.name for place in places if (place.mask, place.values) == (mask, values))
        parts.append(f"inside {next(known, mask)}")
    if protection.hounsfield is not None:
        low, high = protection.hounsfield
        parts.append(f"HU {low:.0f} to {high:.0f}")
    if protection.slices is not None:
        first, last = protection.slices
        which = slice_ranges(range(first, last + 1))
        parts.append(f"slice {which}" if first == last else f"slices {which}")
    if protection.keep_others:
        parts.append("other segments kept")
    return f"Protected: {', '.join(parts)}" if parts else ""


class ProtectionPopup(QFrame):
    """The choices; each holds as soon as it is ticked, and is ticked as soon as it is set."""

    protection_requested = Signal(object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setProperty("role", "popup")
        self.slice = 0
        self.hounsfield = QCheckBox("Only where the image is")
        self.inside = QCheckBox("Only inside")
        self.slices = QCheckBox("Only on slices")
        self.keep_others = QCheckBox("Keep other segments (B)")
        self.keep_others.setToolTip("No segment takes a voxel from another one")
        self.low, self.high = (_number(text, " HU") for text in ("Lowest HU", "Highest HU"))
        self.first, self.last = (_number(text) for text in ("First slice", "Last slice"))
        self.preset, self.place = QComboBox(), QComboBox()
        self.this_slice = QToolButton()
        self.done = QPushButton("Done")
        self._quiet = False
        self._fill_fields()
        self._lay_out()
        for box in (self.hounsfield, self.inside, self.slices, self.keep_others):
            box.toggled.connect(self._ask)
        for box, fields in (
            (self.hounsfield, (self.low, self.high)),
            (self.slices, (self.first, self.last)),
        ):
            for field in fields:
                field.valueChanged.connect(lambda _, box=box: self._ask_with(box))
        self.place.activated.connect(lambda _: self._ask_with(self.inside))
        self.preset.activated.connect(self._on_preset)
        self.this_slice.clicked.connect(self._on_this_slice)
        self.done.clicked.connect(self.hide)

    def show_places(self, places: Sequence[Place]) -> None:
        """Offer other places to stay inside of."""
        self.place.clear()
        for place in places:
            self.place.addItem(place.name, place)
        self.inside.setEnabled(bool(places))
        self.place.setEnabled(bool(places))

    def show_slices(self, count: int) -> None:
        """Take note of how many slices there are."""
        if count == self.last.maximum():
            return
        for widget in self._slice_rows:
            widget.setVisible(count > 1)
        self._quiet = True
        for field in (self.first, self.last):
            field.setRange(1, max(count, 1))
        self.last.setValue(count)
        self._quiet = False

    def show_hounsfield(self, hounsfield: bool) -> None:
        """Offer what needs HU, or not."""
        for widget in (self.hounsfield, self.low, self.high, self.preset):
            widget.setEnabled(hounsfield)

    def show_protection(self, protection: Choices) -> None:
        """Show what is protected."""
        self._quiet = True
        self.hounsfield.setChecked(protection.hounsfield is not None)
        if protection.hounsfield is not None:
            self.low.setValue(round(protection.hounsfield[0]))
            self.high.setValue(round(protection.hounsfield[1]))
        self.inside.setChecked(protection.inside is not None)
        for index in range(self.place.count()):
            place = self.place.itemData(index)
            if (place.mask, place.values) == protection.inside:
                self.place.setCurrentIndex(index)
        self.slices.setChecked(protection.slices is not None)
        if protection.slices is not None:
            self.first.setValue(protection.slices[0] + 1)
            self.last.setValue(protection.slices[1] + 1)
        self.keep_others.setChecked(protection.keep_others)
        self._quiet = False

    @property
    def protection(self) -> Choices:
        """What is chosen."""
        place: Place | None = self.place.currentData()
        chosen = Choices(keep_others=self.keep_others.isChecked())
        if self.hounsfield.isChecked():
            ends = float(self.low.value()), float(self.high.value())
            chosen = replace(chosen, hounsfield=(min(ends), max(ends)))
        if self.inside.isChecked() and place is not None:
            chosen = replace(chosen, inside=(place.mask, place.values))
        if self.slices.isChecked():
            first, last = sorted((self.first.value() - 1, self.last.value() - 1))
            chosen = replace(chosen, slices=(first, last))
        return chosen

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Take the size that another font needs."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.adjustSize()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Close by Enter or Escape; what was chosen holds already."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape):
            self.hide()
        else:
            super().keyPressEvent(event)

    def _ask(self) -> None:
        if not self._quiet:
            self.protection_requested.emit(self.protection)

    def _ask_with(self, box: QCheckBox) -> None:
        """Ask for what was set, and tick that it holds."""
        if self._quiet:
            return
        self._quiet = True
        box.setChecked(True)
        self._quiet = False
        self._ask()

    def _on_preset(self) -> None:
        wanted = self.preset.currentData()
        if wanted is None:
            return
        self._quiet = True
        self.low.setValue(round(wanted[0]))
        self.high.setValue(round(wanted[1]))
        self.preset.setCurrentIndex(0)
        self._quiet = False
        self._ask_with(self.hounsfield)

    def _on_this_slice(self) -> None:
        self._quiet = True
        for field in (self.first, self.last):
            field.setValue(self.slice + 1)
        self._quiet = False
        self._ask_with(self.slices)

    def _fill_fields(self) -> None:
        for field in (self.low, self.high):
            field.setRange(_LOWEST, _HIGHEST)
            field.setSingleStep(10)
        self.low.setValue(round(RANGES[0].low))
        self.high.setValue(round(RANGES[0].high))
        self.preset.setAccessibleName("Ranges of HU")
        self.preset.addItem(_PRESETS, None)
        for name, low, high in RANGES:
            self.preset.addItem(f"{name}, {low:.0f} to {high:.0f}", (low, high))
        self.place.setAccessibleName("Inside of what")
        self.this_slice.setText("This slice")
        self.this_slice.setToolTip("Only the slice that is looked at")

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 8, 10, 8)
        layout.setSpacing(5)
        hounsfield = _row(self.hounsfield, self.preset), _row(_to(), self.low, self.high)
        self._slice_rows = _row(self.slices, self.this_slice), _row(_to(), self.first, self.last)
        for row in (*hounsfield, _row(self.inside, self.place), *self._slice_rows):
            layout.addWidget(row)
        layout.addWidget(self.keep_others)
        layout.addWidget(self.done, 0, Qt.AlignmentFlag.AlignRight)


def _number(name: str, suffix: str = "") -> QSpinBox:
    box = QSpinBox()
    box.setAccessibleName(name)
    box.setSuffix(suffix)
    box.setKeyboardTracking(False)
    return box


def _row(head: QWidget, *fields: QWidget) -> QWidget:
    row = QWidget()
    row.setProperty("role", "part")
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(head)
    for field in fields:
        layout.addWidget(field, 1)
    return row


def _to() -> QLabel:
    label = QLabel("from, to")
    label.setProperty("role", "secondary")
    label.setIndent(_INDENT)
    return label
