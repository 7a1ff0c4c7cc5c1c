"""What is said of a case and cannot both be true, with where to look and what can be done.

Every check is a small function of a table. None changes anything: a fix is a value, and is done
through the same door as every other edit.
"""

from napari_chest.review.contradictions.checks import CHECKS, Check, find, find_lungs, wants_image
from napari_chest.review.contradictions.kept import Checked, Dismissed, Found, Queue, kept_as
from napari_chest.review.contradictions.running import Result, check_all, mark_of
from napari_chest.review.contradictions.words import (
    Contradiction,
    Fix,
    Key,
    SetAnswer,
    SetCells,
    SetVoxels,
)

__all__ = [
    "CHECKS",
    "Check",
    "Checked",
    "Contradiction",
    "Dismissed",
    "Fix",
    "Found",
    "Key",
    "Queue",
    "Result",
    "SetAnswer",
    "SetCells",
    "SetVoxels",
    "check_all",
    "find",
    "find_lungs",
    "kept_as",
    "mark_of",
    "wants_image",
]
