"""What people said about the case, where in it, and the field in which to say something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QSize, Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_chest.ui.keys import shown
from napari_chest.ui.widgets import style
from napari_chest.ui.wrapped_label import WrappedLabel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtpy.QtGui import QKeyEvent, QResizeEvent

    from napari_chest.review.words import Comment, Voxel

_MOST_LINES = 9
"""Of the list, beyond which it is scrolled."""
_LONGEST = 10_000


class CommentList(QWidget):
    """A fold with the comments of a case, open ones first, and a field for another.

    Signals
    -------
    comment_requested() : somebody wants to comment; `begin` opens the field.
    remark_requested(str, Voxel or None) : this was said, there or about the case as such.
    comment_chosen(Comment) : bring it into view.
    resolve_requested(Comment, bool) : it is settled, or open again.
    left() : nothing more is said.
    """

    comment_requested = Signal()
    remark_requested = Signal(str, object)
    comment_chosen = Signal(object)
    resolve_requested = Signal(object, bool)
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._comments: tuple[Comment, ...] = ()
        self._slices = 1
        self._voxel: Voxel | None = None
        self.toggle = QToolButton()
        self.toggle.setCheckable(True)
        self.toggle.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.toggle.setToolTip("What was said about this case; click one to see where")
        self.add_button = QToolButton()
        self.add_button.setText("Comment")
        self.add_button.setToolTip(f"Say something about the voxel pointed at ({shown('comment')})")
        self.list = QListWidget()
        self.list.setAccessibleName("Comments of the case")
        self.list.setWordWrap(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.list.setTabKeyNavigation(False)
        self.resolve_button = QToolButton()
        self.empty = WrappedLabel()
        self.empty.setProperty("role", "secondary")
        self._make_field()
        self._lay_out()
        self.toggle.toggled.connect(self._show_parts)
        self.add_button.clicked.connect(self.comment_requested)
        self.list.itemActivated.connect(self._on_item)
        self.list.itemClicked.connect(self._on_item)
        self.list.currentRowChanged.connect(self._show_resolve)
        self.resolve_button.clicked.connect(self._on_resolve)
        self.show_comments((), 1)

    @property
    def comments(self) -> tuple[Comment, ...]:
        """Those that are listed, in their order."""
        return self._comments

    def show_comments(
        self, comments: Sequence[Comment], slices: int, *, hidden: bool = False
    ) -> None:
        """Show these comments on a case of so many slices.

        Parameters
        ----------
        comments : what may be seen.
        slices : slices of the case; on a radiograph the slice is not told.
        hidden : whether what others say may not be seen yet.
        """
        ordered = sorted(comments, key=lambda one: (bool(one.resolved), one.at))
        self.empty.setText(
            "What others say is hidden until you have submitted this case."
            if hidden
            else f"Nobody commented on this case. Point at a voxel and press {shown('comment')}."
        )
        if tuple(ordered) != self._comments or slices != self._slices:
            self._comments, self._slices = tuple(ordered), slices
            self._fill()
        is_open = sum(not one.resolved for one in ordered)
        count = f"{is_open} open" + (f", {len(ordered)} in all" if len(ordered) > is_open else "")
        self.toggle.setText(f"Comments: {count if ordered else 'none'}")
        self._show_parts()

    def show_enabled(self, why: str) -> None:
        """Let people comment, or not and why."""
        self.add_button.setEnabled(not why)
        tip = f"Say something about the voxel pointed at ({shown('comment')})"
        self.add_button.setToolTip(why or tip)

    def begin(self, voxel: Voxel | None) -> None:
        """Open the field for a comment on a voxel, or on the case as such."""
        self._voxel = voxel
        if voxel is None:
            self.place.setText("About this case as such:")
        else:
            parts = (self._where(voxel), f"voxel {voxel[2]}, {voxel[1]}")
            self.place.setText(f"About {', '.join(filter(None, parts))}:")
        self._area.show()
        self.field.setFocus()

    def leave(self) -> None:
        """Close the field; what was typed is kept in it until another case is shown."""
        self._area.hide()

    def clear(self) -> None:
        """Forget what was typed."""
        self.field.clear()
        self.leave()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Leave the field by Escape."""
        if event.key() == Qt.Key.Key_Escape and self.field.hasFocus():
            self.leave()
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Break the lines anew."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Follow the size of the font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit()

    # Parts

    def _make_field(self) -> None:
        self.place = QLabel()
        self.place.setProperty("role", "secondary")
        self.field = QLineEdit(placeholderText="Comment; Enter sends, Esc leaves")
        self.field.setAccessibleName("Comment")
        self.field.setMaxLength(_LONGEST)
        self.field.returnPressed.connect(self._send)
        self._area = QWidget()
        layout = QVBoxLayout(self._area)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.place)
        layout.addWidget(self.field)
        self._area.hide()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(4)
        head.addWidget(self.toggle)
        head.addStretch(1)
        head.addWidget(self.resolve_button)
        head.addWidget(self.add_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addLayout(head)
        layout.addWidget(self._area)
        layout.addWidget(self.empty)
        layout.addWidget(self.list)

    def _fill(self) -> None:
        chosen = self.list.currentRow()
        kept = self.list.currentItem().data(Qt.ItemDataRole.UserRole) if chosen >= 0 else ""
        self.list.clear()
        for one in self._comments:
            item = QListWidgetItem(self._text(one))
            item.setData(Qt.ItemDataRole.UserRole, one.id)
            item.setToolTip(f"{self._head(one)}\n{one.text}")
            if one.resolved:
                item.setForeground(QColor(style.SECONDARY))
            self.list.addItem(item)
            if one.id == kept:
                self.list.setCurrentItem(item)
        self._fit()

    def _text(self, one: Comment) -> str:
        return f"{'✓ ' if one.resolved else ''}{self._head(one)}\n{one.text}"

    def _head(self, one: Comment) -> str:
        at = f"{one.at.astimezone():%Y-%m-%d %H:%M}"
        where = self._where(one.voxel) if one.voxel is not None else ""
        about = f"on {one.reader}" if one.reader else ""
        settled = f"resolved by {one.resolved}" if one.resolved else ""
        return " · ".join(filter(None, (one.author, at, where, about, settled)))

    def _where(self, voxel: Voxel) -> str:
        return f"slice {voxel[0] + 1}" if self._slices > 1 else ""

    def _fit(self) -> None:
        """Give every comment the lines it needs, and the list as much room as its first ones."""
        metrics, total = self.list.fontMetrics(), 0
        width = self.width() - self.list.verticalScrollBar().sizeHint().width() - 14
        flags = int(Qt.TextFlag.TextWordWrap | Qt.TextFlag.TextWrapAnywhere)
        for row in range(self.list.count()):
            item = self.list.item(row)
            box = metrics.boundingRect(0, 0, max(width, 1), 2**15, flags, item.text())
            item.setSizeHint(QSize(1, box.height() + 8))
            total += box.height() + 8
        self.list.setFixedHeight(min(total, _MOST_LINES * metrics.lineSpacing()) + 6)

    def _show_parts(self) -> None:
        unfolded = self.toggle.isChecked()
        self.toggle.setArrowType(Qt.ArrowType.DownArrow if unfolded else Qt.ArrowType.RightArrow)
        self.list.setVisible(unfolded and bool(self._comments))
        self.empty.setVisible(unfolded and not self._comments)
        self._show_resolve()

    def _show_resolve(self, *_: object) -> None:
        row = self.list.currentRow()
        chosen = self._comments[row] if 0 <= row < len(self._comments) else None
        self.resolve_button.setVisible(self.toggle.isChecked() and chosen is not None)
        settled = chosen is not None and bool(chosen.resolved)
        self.resolve_button.setText("Open again" if settled else "Resolve")
        self.resolve_button.setToolTip("The comment chosen in the list is settled, or is not")

    # What people do

    def _on_item(self, item: QListWidgetItem) -> None:
        self.comment_chosen.emit(self._comments[self.list.row(item)])

    def _on_resolve(self) -> None:
        chosen = self._comments[self.list.currentRow()]
        self.resolve_requested.emit(chosen, not chosen.resolved)

    def _send(self) -> None:
        text = self.field.text().strip()
        if text:
            self.clear()
            self.remark_requested.emit(text, self._voxel)
