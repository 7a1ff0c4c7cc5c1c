"""Names as people order them."""

from __future__ import annotations

import re


def natural_key(text: str) -> tuple[tuple[bool, int, str], ...]:
    """A sort key that puts P2 before P10, ignoring case."""
    parts = re.findall(r"\d+|\D+", text.casefold())
    return tuple(_number_key(part) if part.isdecimal() else (True, 0, part) for part in parts)


def _number_key(digits: str) -> tuple[bool, int, str]:
    # By length, then digit by digit: a number of any size, which int() would refuse.
    significant = digits.lstrip("0")
    return False, len(significant), significant
