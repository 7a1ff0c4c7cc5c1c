"""A synthetic dataset's folder: whole or not there at all."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_chest.errors import SaveError

if TYPE_CHECKING:
    from collections.abc import Iterator

_PARTIAL = ".napari-chest-partial"


@contextmanager
def made_whole(root: Path | str, last: str) -> Iterator[Path]:
    """A folder to fill, whose entries become those of ``root`` once nothing went wrong.

    Parameters
    ----------
    root : the dataset's folder, which must be empty or not exist.
    last : the entry that comes last, so that with it the folder is the dataset.

    Raises
    ------
    SaveError
        when the folder holds anything: two datasets would mix, and it may be real data.
    """
    root = Path(root)
    root.mkdir(parents=True, exist_ok=True)
    if any(entry.name != _PARTIAL for entry in root.iterdir()):
        raise SaveError(
            f"{root} is not empty, so the synthetic dataset was not written. "
            "Choose a new or an empty folder."
        )
    partial = root / _PARTIAL
    shutil.rmtree(partial, ignore_errors=True)  # what an interrupted run left
    partial.mkdir()
    try:
        yield partial
        for entry in sorted(partial.iterdir(), key=lambda entry: entry.name == last):
            entry.rename(root / entry.name)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def seed_of(seed: int, number: int) -> int:
    """The seed of the n-th patient of a dataset.

    Not seed + number: datasets of neighbouring seeds would share patients.
    """
    return int(np.random.SeedSequence((seed, number)).generate_state(1)[0])
