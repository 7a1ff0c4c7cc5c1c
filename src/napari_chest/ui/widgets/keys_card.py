"""The card of all keys."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFrame, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from napari_chest.ui.keys import GROUPS, qt_sequence
from napari_chest.ui.widgets import style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_chest.ui.keys import Key

_MOUSE = (
    ("wheel", "slices"),
    ("Ctrl+wheel", "zoom"),
    ("Shift+wheel", "size of the brush"),
    ("middle drag", "pan"),
    ("without a tool", "left drag: window, right is wider, down is brighter; right drag: zoom"),
    ("with a tool", "left: the tool, Ctrl erases; right drag: window"),
    ("Shift+move", "the crosshair follows, and the other planes with it"),
    ("double click", "in another plane: that plane becomes the large one"),
    ("Enter, Esc", "keep or drop what a tool shows before it acts"),
    ("click a bar", "that column of the slice, on or off"),
)


class KeysCard(QWidget):
    """Every key and mouse action, made of the table that binds them."""

    done_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        groups = [_table(title, key_rows(keys)) for title, keys in GROUPS]
        text = QLabel(_table("Mouse", _MOUSE) + "".join(groups))
        text.setWordWrap(True)
        text.setAlignment(Qt.AlignmentFlag.AlignTop)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(text)
        self.done_button = QPushButton("Done")
        self.done_button.clicked.connect(self.done_requested)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(area, 1)
        layout.addWidget(self.done_button, 0, Qt.AlignmentFlag.AlignRight)


def key_rows(keys: Sequence[Key]) -> list[tuple[str, str]]:
    """Keys and what they do, alike ones in one row: ``1 to 6``."""
    rows: list[tuple[str, str]] = []
    for key in keys:
        shown = " or ".join(map(qt_sequence, key.keys))
        if key.text:
            rows.append((shown, key.text))
        else:
            first, text = rows[-1]
            rows[-1] = (f"{first.split(' to ')[0]} to {shown}", text)
    return rows


def _table(title: str, rows: Sequence[tuple[str, str]]) -> str:
    cells = "".join(
        f'<tr><td style="color:{style.ACCENT};padding-right:8px">{escape(keys)}</td>'
        f"<td>{escape(text)}</td></tr>"
        for keys, text in rows
    )
    return f"<p><b>{title}</b></p><table>{cells}</table>"
