"""A button whose menu has the tools that change a mask as a whole, under their headings."""

from __future__ import annotations

from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QMenu, QSizePolicy, QToolButton, QWidget

from napari_chest.ui.keys import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qtpy.QtGui import QAction

    from napari_chest.tools.base import Tool


class ToolMenu(QToolButton):
    """The button and its menu.

    Signals
    -------
    volume_tool_requested(Tool) : use this tool.
    lungs_requested() : find the lungs.
    """

    volume_tool_requested = Signal(object)
    lungs_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setText("Tools ▾")
        tip = "Fill, clean, shape and combine the selected segment"
        self.setToolTip(f"{tip} ({shown('tool_menu')})")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.actions_by_key: dict[str, QAction] = {}

    def show_tools(self, tools: Sequence[Tool], keys: Mapping[str, str]) -> None:
        """Offer these tools.

        Parameters
        ----------
        tools : those of one group one after the other.
        keys : the key of the keyboard for a tool's key, where it has one.
        """
        old, menu = self.menu(), QMenu(self)
        menu.setToolTipsVisible(True)
        self.actions_by_key = {}
        for group, members in groupby(tools, key=lambda tool: tool.group):
            _add_heading(menu, group)
            for tool in members:
                self.actions_by_key[tool.key] = self._add(menu, tool, keys.get(tool.key, ""))
        self._add_lungs(menu)
        self.setMenu(menu)
        if old is not None:
            old.deleteLater()

    def _add(self, menu: QMenu, tool: Tool, key: str) -> QAction:
        more = "…" if tool.parameters else ""
        action: QAction = menu.addAction(_with_key(tool.title + more, key))
        action.setToolTip(tool.text)
        action.triggered.connect(partial(self._ask, tool))
        return action

    def _add_lungs(self, menu: QMenu) -> None:
        """They are a mask of their own, so no tool that paints finds them."""
        _add_heading(menu, "Lungs")
        self.lungs = menu.addAction(_with_key("Find the lungs", shown("lungs")))
        self.lungs.setToolTip(
            "Makes a mask of the right and the left lung that can be corrected and is never saved: "
            "for protection, and for the share of the lungs"
        )
        self.lungs.triggered.connect(lambda: self.lungs_requested.emit())

    def _ask(self, tool: Tool, checked: bool = False) -> None:  # noqa: ARG002
        self.volume_tool_requested.emit(tool)


def _with_key(text: str, key: str) -> str:
    # As text: a shortcut of the action itself would compete with the one that is bound.
    return f"{text}\t{key}" if key else text


def _add_heading(menu: QMenu, text: str) -> None:
    # A section's text is not drawn where a style sheet is in use.
    menu.addSeparator()
    menu.addAction(text).setEnabled(False)
