"""Where the synthetic dataset of the demo lives."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from napari_chest.phantom import make_covid_ct_md

_DONE = "Index.csv"


def demo_folder(folder: Path | None = None) -> Path:
    """The folder of the synthetic dataset, which is made when it is not there yet.

    Unless given it lies in the user's cache folder, or where ``NAPARI_CHEST_CACHE`` says.
    """
    cache = os.environ.get("NAPARI_CHEST_CACHE") or platformdirs.user_cache_dir("napari-chest")
    folder = folder or Path(cache) / "synthetic-covid-ct-md"
    if not (folder / _DONE).is_file():
        make_covid_ct_md(folder)
    return folder
