"""The segments of the masks on screen: which is painted, shown, locked, and how large it is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from qtpy.QtCore import (
    QAbstractTableModel,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QSize,
    Qt,
    Signal,
)
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QMenu,
    QTableView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_chest.ui.keys import SEGMENT_KEYS
from napari_chest.ui.widgets import icons

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtpy.QtGui import QKeyEvent

    from napari_chest.model import MaskOffer, Segment

Index: TypeAlias = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()
_SHOWN, _NAME, _SIZE, _LOCK = range(4)
_MOST_ROWS = 8


@dataclass(frozen=True)
class SegmentRow:
    """One segment of one mask.

    Attributes
    ----------
    mask : the mask's name.
    segment : the segment.
    size : how large it is, with its unit.
    visible : whether it is shown.
    locked : whether no edit may change it.
    """

    mask: str
    segment: Segment
    size: str
    visible: bool = True
    locked: bool = False


class SegmentModel(QAbstractTableModel):
    """Segments as rows: shown or not, name, size, lock."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: tuple[SegmentRow, ...] = ()

    def show_rows(self, rows: Sequence[SegmentRow]) -> None:
        """Show other rows; alike ones in place, so that the selection stays."""
        before, now = self.rows, tuple(rows)
        if [(r.mask, r.segment) for r in before] == [(r.mask, r.segment) for r in now]:
            self.rows = now
            if now:
                self.dataChanged.emit(self.index(0, 0), self.index(len(now) - 1, _LOCK))
            return
        self.beginResetModel()
        self.rows = now
        self.endResetModel()

    def rowCount(self, parent: Index = _NOWHERE) -> int:  # noqa: N802
        """Number of segments."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = _NOWHERE) -> int:  # noqa: N802
        """Number of columns."""
        return 0 if parent.isValid() else _LOCK + 1

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """A cell's text, icon and tool tip."""
        row, column = self.rows[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            key = f"{index.row() + 1}  " if index.row() < SEGMENT_KEYS else ""
            return {_NAME: f"{key}{self._title(row)}", _SIZE: row.size}.get(column)
        if role == Qt.ItemDataRole.DecorationRole and column == _SHOWN:
            return icons.swatch(row.segment.color, _ICON, filled=row.visible)
        if role == Qt.ItemDataRole.DecorationRole and column == _LOCK:
            return icons.padlock(_ICON, closed=row.locked)
        if role == Qt.ItemDataRole.TextAlignmentRole and column == _SIZE:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return _tip(row, column)
        return None

    def _title(self, row: SegmentRow) -> str:
        """The segment's name, and its mask where another one has a segment of this name."""
        name, mask = row.segment.name, row.mask
        if sum(other.segment.name == name for other in self.rows) < 2:
            return name
        return mask if mask.startswith(name) else f"{name} ({mask})"


def _tip(row: SegmentRow, column: int) -> str:
    if column == _SHOWN:
        return "Click to hide (Space)" if row.visible else "Click to show (Space)"
    if column == _LOCK:
        if row.locked:
            return "Locked: no tool changes it. Click to unlock (L)"
        return "Click to lock it against every tool (L)"
    code = f" ({row.segment.code})" if row.segment.code else ""
    return f"{row.segment.name}{code}, mask {row.mask}, {row.size}"


class SegmentList(QWidget):
    """The list and the button that adds masks.

    Signals
    -------
    segment_requested(mask, value) : paint this segment.
    visible_requested(mask, value, bool), locked_requested(mask, value, bool) : as they say.
    offer_requested(MaskOffer) : add this mask.
    """

    segment_requested = Signal(str, int)
    visible_requested = Signal(str, int, bool)
    locked_requested = Signal(str, int, bool)
    offer_requested = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = SegmentModel(self)
        self._offers: tuple[MaskOffer, ...] = ()
        self.table = _Table()
        self.table.setModel(self._model)
        self.table.fit_columns()
        self.add_button = QToolButton()
        self.add_button.setToolTip("Add a mask to this reading")
        self.add_button.setMinimumWidth(1)  # its text gives way, before the dock has to grow
        self.add_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.add_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(self.table)
        layout.addWidget(self.add_button)
        self.add_button.clicked.connect(self._on_button)
        self.table.clicked.connect(self._on_clicked)
        self.table.row_chosen.connect(self._on_row)
        self.table.toggle_requested.connect(self._toggle)
        self.show_rows((), ())

    @property
    def rows(self) -> tuple[SegmentRow, ...]:
        """The segments that are listed."""
        return self._model.rows

    def show_rows(self, rows: Sequence[SegmentRow], offers: Sequence[MaskOffer]) -> None:
        """Show other segments, and what can be added."""
        self._model.show_rows(rows)
        self.table.setVisible(bool(rows))
        self.table.setFixedHeight(self.table.sizeHint().height())
        if tuple(offers) != self._offers:
            self._offers = tuple(offers)
            self._fill_button()
        self.add_button.setVisible(bool(offers))
        self.setVisible(bool(rows or offers))

    def show_selected(self, mask: str, value: int) -> None:
        """Mark the segment that the tools paint."""
        selection = self.table.selectionModel()
        for number, row in enumerate(self.rows):
            if (row.mask, row.segment.value) == (mask, value):
                flags = QItemSelectionModel.SelectionFlag
                index = self._model.index(number, _NAME)
                if selection.currentIndex().row() != number or not selection.hasSelection():
                    selection.setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
                return
        selection.clear()

    def _fill_button(self) -> None:
        """Offer a single mask by the button itself, several in its menu."""
        old = self.add_button.menu()
        if len(self._offers) == 1:
            self.add_button.setMenu(None)
            self.add_button.setText(self._offers[0].text)
        else:
            menu = QMenu(self.add_button)
            for offer in self._offers:
                action = menu.addAction(offer.text)
                action.triggered.connect(partial(self._on_offer, offer))
            self.add_button.setMenu(menu)
            self.add_button.setText("Add a finding…")
        if old is not None:
            old.deleteLater()

    def _on_button(self) -> None:
        if len(self._offers) == 1:
            self.offer_requested.emit(self._offers[0])

    def _on_offer(self, offer: MaskOffer, checked: bool = False) -> None:  # noqa: ARG002
        self.offer_requested.emit(offer)

    def _on_clicked(self, index: QModelIndex) -> None:
        if index.column() in (_SHOWN, _LOCK):
            self._toggle(index.row(), index.column())

    def _on_row(self, number: int) -> None:
        row = self.rows[number]
        self.segment_requested.emit(row.mask, row.segment.value)

    def _toggle(self, number: int, column: int) -> None:
        row = self.rows[number]
        if column == _SHOWN:
            self.visible_requested.emit(row.mask, row.segment.value, not row.visible)
        else:
            self.locked_requested.emit(row.mask, row.segment.value, not row.locked)


class _Table(QTableView):
    """The list itself; Space hides and L locks the segment that is selected."""

    row_chosen = Signal(int)
    toggle_requested = Signal(int, int)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Segments")
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setIconSize(QSize(_ICON, _ICON))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.horizontalHeader().hide()
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(self._row_height())

    def fit_columns(self) -> None:
        """Give the name what the others leave."""
        header = self.horizontalHeader()
        header.setMinimumSectionSize(_ICON + 8)
        mode = QHeaderView.ResizeMode
        for column in (_SHOWN, _LOCK):
            header.setSectionResizeMode(column, mode.Fixed)
        header.setSectionResizeMode(_NAME, mode.Stretch)
        header.setSectionResizeMode(_SIZE, mode.ResizeToContents)
        self.setColumnWidth(_SHOWN, _ICON + 10)
        self.setColumnWidth(_LOCK, _ICON + 10)

    def currentChanged(self, current: QModelIndex, previous: QModelIndex) -> None:  # noqa: N802
        """Tell which segment is chosen."""
        super().currentChanged(current, previous)
        if current.isValid() and current.row() != previous.row():
            self.row_chosen.emit(current.row())

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Hide or lock the selected segment."""
        row = self.currentIndex().row()
        columns = {Qt.Key.Key_Space: _SHOWN, Qt.Key.Key_L: _LOCK}
        if row >= 0 and event.key() in columns:
            self.toggle_requested.emit(row, columns[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)

    def sizeHint(self) -> QSize:  # noqa: N802
        """As many rows as there are, up to a few."""
        rows = min(self.model().rowCount() if self.model() else 0, _MOST_ROWS)
        return QSize(280, rows * self._row_height() + 6)

    def _row_height(self) -> int:
        return int(self.fontMetrics().height()) + 8


_ICON = 16
