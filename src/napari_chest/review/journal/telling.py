"""What the journal tells: how far it is, what is in progress, and what went wrong."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from napari_chest.review.journal.database import in_words
from napari_chest.review.journal.replay import STEPS

if TYPE_CHECKING:
    from pathlib import Path

    from napari_chest.review.journal.replay import Log


@dataclass(frozen=True)
class JournalState:
    """How far the journal is.

    Attributes
    ----------
    pending : how many moves are not on disk yet.
    oldest : when the oldest of them was made, `time.monotonic`; None where there is none.
    saved : when moves were last written.
    error : why nothing can be written; empty where it can.
    notice : what a person should know of the journal's file.
    """

    pending: int = 0
    oldest: float | None = None
    saved: datetime | None = None
    error: str = ""
    notice: str = ""


@dataclass(frozen=True)
class InProgress:
    """A reading with moves that are not in the dataset.

    Attributes
    ----------
    case, reader : which one.
    moves : how many.
    last : when the last of them was made.
    """

    case: str
    reader: str
    moves: int
    last: datetime


def not_recorded(path: Path, error: Exception) -> str:
    """Why moves cannot be written, and what to do about it."""
    words = in_words(error) if isinstance(error, sqlite3.Error | OSError) else repr(error)
    return (
        f"Your work cannot be recorded in {path}: {words}. It is kept in memory and tried again; "
        "make room or put the folder back, or record it elsewhere."
    )


def damaged(reader: str, path: Path, error: ValueError) -> str:
    """What became of a log that cannot be replayed."""
    return (
        f"What was recorded of {reader} in {path} is damaged: {error}. It is kept there, and not "
        "shown; the reading is as the dataset has it."
    )


def misfit(log: Log, path: Path) -> str:
    """What became of a log that was begun on another reading than the dataset has now."""
    count = sum(row.kind in STEPS for row in log.rows)
    steps = "1 step, which was" if count == 1 else f"{count} steps, which were"
    return (
        f"{log.reader}: {steps} recorded since {_moment(log.rows[0].at)} and last on "
        f"{_moment(log.rows[-1].at)}, cannot be shown, because the dataset has another reading now "
        f"than the one that was corrected. All of it is kept in {path}; put the dataset back as it "
        "was to go on with it."
    )


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at).strftime("%Y-%m-%d %H:%M")
