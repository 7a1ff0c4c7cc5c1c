"""Where paths lead, told also of folders that may not be looked into."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def is_there(path: Path) -> bool:
    """Whether a path is a file; True also where that may not be looked at, as reading tells why."""
    try:
        return path.is_file()
    except OSError:
        return True


def is_inside(path: Path, folder: Path) -> bool:
    """As `is_there`, but False for a link that leads out of the folder."""
    return is_there(path) and path.resolve().is_relative_to(folder.resolve())


def leads_inside(path: Path, folder: Path) -> bool:
    """Whether a path, once every link in it is followed, is there and in the folder."""
    try:
        return path.resolve(strict=True).is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # a loop of links; RuntimeError until Python 3.13
        return False
