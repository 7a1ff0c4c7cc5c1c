"""The menu of one or several cases of the list: how urgent they are, and who is to read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QMenu

from napari_chest.ui.wording import count
from napari_chest.ui.worklist import PRIORITIES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qtpy.QtWidgets import QWidget

    from napari_chest.ui.worklist import WorkRow


def case_menu(
    parent: QWidget,
    rows: Sequence[WorkRow],
    people: Sequence[str],
    *,
    prioritise: Callable[[int], None],
    assign: Callable[[str, bool], None],
) -> QMenu:
    """Make the menu.

    Parameters
    ----------
    parent : the widget it belongs to.
    rows : the cases.
    people : to whom they may be given.
    prioritise : is told the priority that was chosen.
    assign : is told to whom the cases are given (true) or from whom they are taken back.
    """
    menu = QMenu(parent)
    _head(menu, f"Priority of {count(len(rows), 'case')}")
    present = {row.priority for row in rows}
    for number in reversed(range(len(PRIORITIES))):
        action = menu.addAction(PRIORITIES[number].capitalize())
        action.setCheckable(True)
        action.setChecked(present == {number})
        action.triggered.connect(lambda _=False, n=number: prioritise(n))
    menu.addSeparator()
    _head(menu, "Give to")
    have = [_assigned(row) for row in rows]
    for name in people:
        everywhere = all(name in names for names in have)
        action = menu.addAction(_plain(name))
        action.setCheckable(True)
        action.setChecked(everywhere)
        action.triggered.connect(lambda _=False, n=name, give=not everywhere: assign(n, give))
    if not people:
        _head(menu, "nobody takes part yet")
    return menu


def _assigned(row: WorkRow) -> set[str]:
    return {work.key.reader for work in row.works if work.assigned}


def _head(menu: QMenu, text: str) -> None:
    menu.addAction(text).setEnabled(False)


def _plain(name: str) -> str:
    """A name in which ``&`` underlines nothing."""
    return name.replace("&", "&&")
