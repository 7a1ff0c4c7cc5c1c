"""Identifiers and times as MD.ai writes them."""

from __future__ import annotations

import secrets
import string
from datetime import UTC
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

_CHARACTERS = string.digits + string.ascii_letters
_LENGTH = 6


def fresh_id(kind: str, used: set[str]) -> str:
    """An identifier such as ``A_x09dNb`` that is not among the used ones; it is put among them."""
    while True:
        found = f"{kind}_{''.join(secrets.choice(_CHARACTERS) for _ in range(_LENGTH))}"
        if found not in used:
            used.add(found)
            return found


def time_text(time: datetime) -> str:
    """A time with milliseconds, in UTC; one without a time zone is local time."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
