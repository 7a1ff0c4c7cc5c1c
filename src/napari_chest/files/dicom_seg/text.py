"""Words of people as the text elements of DICOM take them (PS3.5 6.2)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from napari_chest.model import Segment

_LONGEST: Final = 64


def segment_label(segment: Segment) -> str:
    """The name of a segment as its label, which must not be empty."""
    return long_string(segment.name) or "Unnamed"


def long_string(text: str) -> str:
    """Text as a LO: one line without backslash, at most 64 characters."""
    return one_line(text)[:_LONGEST].strip()


def person_name(text: str) -> str:
    """Text as the family name of a PN, in which ``^`` and ``=`` would divide it."""
    return long_string(re.sub(r"[\^=]", " ", text))


def one_line(text: str) -> str:
    """Text without backslashes, which separate values, and without what cannot be printed."""
    visible = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(visible.replace("\\", "/").split())
