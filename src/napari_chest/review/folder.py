"""The review folder: where exports, backups and proofs of a dataset live, never inside it."""

from __future__ import annotations

import hashlib
import os
from datetime import datetime
from pathlib import Path

import platformdirs


def review_folder(root: Path) -> Path:
    """``<root>-review`` beside the dataset, or a folder of the user's where that cannot be made.

    The folder is only named here; whoever writes into it makes it.
    """
    root = root.resolve()
    if root.name:  # a disk's topmost folder has none, and nothing beside it
        beside = root.with_name(f"{root.name}-review")
        if os.access(beside if beside.exists() else root.parent, os.W_OK):
            return beside
    mark = hashlib.sha256(os.fsencode(root)).hexdigest()[:8]
    name = f"{root.name or 'dataset'}-{mark}-review"
    return Path(platformdirs.user_data_dir("napari-chest")) / name


def stamp(now: datetime | None = None) -> str:
    """A moment as a name that sorts by time, to the second, in local time."""
    return (now or datetime.now()).strftime("%Y-%m-%dT%H-%M-%S")
