"""Other readers beside the one that is corrected: whose outlines are shown, in which colour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import QMenu

from napari_chest.ui.layers import READER_COLORS

if TYPE_CHECKING:
    from napari_chest.model import Reading
    from napari_chest.ui.canvas import Canvas
    from napari_chest.ui.session import Session
    from napari_chest.ui.workbench import Workbench

_ICON = 12


class Comparing:
    """Fills the menu of other readers, and shows the masks of those that are ticked.

    What is ticked stays so from case to case.
    """

    def __init__(self, session: Session, bench: Workbench, canvas: Canvas) -> None:
        self._session = session
        self._bench = bench
        self._canvas = canvas
        self._wanted: set[str] = set()

    def show(self) -> None:
        """Offer the other readings of the open case, and show those that are wanted."""
        readings = self._others()
        menu = QMenu(self._bench.others)
        if len(readings) > 1:
            menu.addAction("All readers").triggered.connect(lambda _=False: self._want_all(True))
            menu.addAction("None").triggered.connect(lambda _=False: self._want_all(False))
            menu.addSeparator()
        for reading, color in readings:
            action = menu.addAction(_disc(color), reading.reader)
            action.setCheckable(True)
            action.setChecked(reading.reader in self._wanted)
            action.toggled.connect(lambda on, name=reading.reader: self._want(name, on))
        before = self._bench.others.menu()
        self._bench.others.setMenu(menu)
        if before is not None:
            before.deleteLater()
        self._bench.others.setVisible(bool(readings))
        self._show_wanted()

    def _others(self) -> list[tuple[Reading, str]]:
        """The other readings that have masks, each with the colour that is its own in this case."""
        case, draft = self._session.open_case, self._session.draft
        if case is None or draft is None:
            return []
        pairs = (
            (reading, READER_COLORS[number % len(READER_COLORS)])
            for number, reading in enumerate(case.readings)
        )
        return [
            (reading, color)
            for reading, color in pairs
            if reading.reader != draft.saved.reader and reading.masks
        ]

    def _want(self, reader: str, wanted: bool) -> None:
        self._wanted = self._wanted | {reader} if wanted else self._wanted - {reader}
        self._show_wanted()

    def _want_all(self, wanted: bool) -> None:
        names = {reading.reader for reading, _ in self._others()}
        self._wanted = self._wanted | names if wanted else self._wanted - names
        self.show()

    def _show_wanted(self) -> None:
        shown = [pair for pair in self._others() if pair[0].reader in self._wanted]
        self._canvas.show_others(shown)


def _disc(color: str) -> QIcon:
    pixmap = QPixmap(_ICON, _ICON)
    pixmap.fill(QColor(color))
    return QIcon(pixmap)
