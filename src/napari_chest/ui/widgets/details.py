"""The facts panel: what is known of the open case, and what to beware of."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QFrame,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_chest.ui.widgets import style

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_chest.model import FactGroup, Problem

_COLORS = {"error": style.BAD, "warning": style.AMBER, "note": style.SECONDARY}
_MOST_FILES = 3
_HEIGHT_IN_LINES = 7


class Details(QWidget):
    """A fold with the case's facts and problems; its title counts the problems."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.toggle = QToolButton()
        self.toggle.setCheckable(True)
        self.toggle.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.toggle.setArrowType(Qt.ArrowType.RightArrow)
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setTextFormat(Qt.TextFormat.RichText)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.text.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setWidget(self.text)
        self._area.setMinimumHeight(self.fontMetrics().height() * _HEIGHT_IN_LINES)
        self._area.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.toggle)
        layout.addWidget(self._area, 1)
        self.toggle.toggled.connect(self._fold)
        self._fold(unfolded=False)
        self.show_case({}, ())

    def show_case(
        self,
        facts: Mapping[str, str],
        problems: Sequence[Problem],
        about: Sequence[FactGroup] = (),
    ) -> None:
        """Show other facts and problems."""
        levels = {problem.level for problem in problems}
        worst = next((level for level in ("error", "warning") if level in levels), None)
        number = len(problems)
        count = "no problems" if not number else f"{number} note{'' if number == 1 else 's'}"
        self.toggle.setText(f"Facts, {count}")
        color = _COLORS[worst] if worst else style.TEXT
        self.toggle.setStyleSheet(f"color: {color};")
        lines = [_problem_line(problem) for problem in problems]
        lines += [
            f'<span style="color:{style.SECONDARY}">{escape(name)}</span> {escape(fact)}'
            for name, fact in facts.items()
        ]
        lines += [line for group in about for line in _group_lines(group)]
        self.text.setText("<br>".join(lines) or "No case is open.")
        self._area.verticalScrollBar().setValue(0)

    def _fold(self, unfolded: bool) -> None:
        self.toggle.setArrowType(Qt.ArrowType.DownArrow if unfolded else Qt.ArrowType.RightArrow)
        self._area.setVisible(unfolded)
        policy = QSizePolicy.Policy
        self.setSizePolicy(policy.Preferred, policy.Expanding if unfolded else policy.Fixed)


def _group_lines(group: FactGroup) -> list[str]:
    lines = [f"<br><b>{escape(group.title)}</b>"]
    for name, text in group.rows:
        depth = len(name) - len(name.lstrip())
        head = f'<span style="color:{style.SECONDARY}">{escape(name.strip())}</span> '
        body = escape(text).replace("\n", "<br>")
        lines.append("&nbsp;" * 2 * depth + (head if name.strip() else "") + body)
    return lines


def _problem_line(problem: Problem) -> str:
    files = ", ".join(problem.files[:_MOST_FILES])
    if len(problem.files) > _MOST_FILES:
        files += f" and {len(problem.files) - _MOST_FILES} more"
    where = f" ({escape(files)})" if files else ""
    color = _COLORS[problem.level]
    return f'<span style="color:{color}">{problem.level}</span> {escape(problem.text)}{where}'
