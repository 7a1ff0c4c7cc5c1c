"""Short texts about counts, changes and problems; pure."""

from __future__ import annotations

from textwrap import shorten
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_chest.changes import ReadingChange
    from napari_chest.model import Problem

_MESSAGE_LENGTH = 160


def count(number: int, noun: str) -> str:
    """So many of something: ``1 case``, ``2 cases``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def size(change: ReadingChange) -> int:
    """How many cells, slices of masks and answers differ."""
    return len(change.cells) + len(change.masks) + len(change.answers)


def in_short(problems: Sequence[Problem]) -> str:
    """The worst of a dataset's problems, shortened, and how many more its facts show."""
    serious = [problem for problem in problems if problem.level != "note"]
    serious.sort(key=lambda problem: problem.level != "error")
    if not serious:
        return ""
    worst, more = serious[0], len(serious) - 1
    rest = f" {more} more under Facts." if more else ""
    return f"{worst.level}: {shorten(worst.text, _MESSAGE_LENGTH, placeholder=' …')}{rest}"
