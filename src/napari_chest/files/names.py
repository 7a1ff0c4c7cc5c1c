"""Names as people order them."""

from __future__ import annotations

import re


def natural_key(text: str) -> tuple[tuple[int, int | str], ...]:
    """A sort key that puts P2 before P10, ignoring case."""
    parts = re.split(r"(\d+)", text.casefold())
    # isdecimal() also holds for digits of other scripts, which int() reads as well.
    return tuple((0, int(part)) if part.isdecimal() else (1, part) for part in parts if part)
