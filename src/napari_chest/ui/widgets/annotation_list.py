"""The single marks that the dataset holds of the slice on screen, with their readers and notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QListWidget, QListWidgetItem, QToolButton, QVBoxLayout, QWidget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_chest.model import Annotation

_MOST_ROWS = 5


class AnnotationList(QWidget):
    """A fold that lists the annotations of a slice; its title counts them.

    Signals
    -------
    annotation_requested(Annotation) : bring it into view.
    """

    annotation_requested = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._all: tuple[Annotation, ...] = ()
        self._shown: tuple[Annotation, ...] = ()
        self._slice = -1
        self.toggle = QToolButton()
        self.toggle.setCheckable(True)
        self.toggle.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.toggle.setArrowType(Qt.ArrowType.RightArrow)
        self.toggle.setToolTip("Who drew what on this slice; click one to see it")
        self.list = QListWidget()
        self.list.setAccessibleName("Annotations of this slice")
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(self.toggle)
        layout.addWidget(self.list)
        self.toggle.toggled.connect(self._fold)
        self.list.itemActivated.connect(self._on_item)
        self.list.itemClicked.connect(self._on_item)
        self.show_annotations(())

    @property
    def annotations(self) -> tuple[Annotation, ...]:
        """All annotations of the case."""
        return self._all

    def show_annotations(self, annotations: Sequence[Annotation]) -> None:
        """Show those of another case."""
        self._all = tuple(annotations)
        self._slice = -1
        self.setVisible(bool(self._all))

    def show_slice(self, z: int) -> None:
        """Show those of another slice."""
        if z == self._slice or not self._all:
            return
        self._slice = z
        self._shown = tuple(one for one in self._all if one.slice == z)
        self.toggle.setText(f"On this slice: {_count(len(self._shown))}, {len(self._all)} in all")
        self.list.clear()
        for one in self._shown:
            item = QListWidgetItem(f"{one.label} · {one.reader}")
            item.setForeground(QColor(one.color))
            item.setToolTip(f"{one.label}\n{one.reader}\n{one.text}")
            self.list.addItem(item)
        row = self.list.sizeHintForRow(0) if self._shown else 0
        self.list.setFixedHeight(min(len(self._shown), _MOST_ROWS) * row + 6)
        self._fold(self.toggle.isChecked())

    def _fold(self, unfolded: bool) -> None:
        self.toggle.setArrowType(Qt.ArrowType.DownArrow if unfolded else Qt.ArrowType.RightArrow)
        self.list.setVisible(unfolded and bool(self._shown))

    def _on_item(self, item: QListWidgetItem) -> None:
        self.annotation_requested.emit(self._shown[self.list.row(item)])


def _count(number: int) -> str:
    return "1 annotation" if number == 1 else f"{number} annotations"
