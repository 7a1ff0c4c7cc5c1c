"""Where the synthetic datasets of the demo live."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from napari_chest.phantom import LAYOUTS


def demo_folder(layout: str = "covid-ct-md", folder: Path | None = None) -> Path:
    """The folder of a synthetic dataset, which is made when it is not there yet.

    Unless given it lies in the user's cache folder, or where ``NAPARI_CHEST_CACHE`` says.
    """
    cache = os.environ.get("NAPARI_CHEST_CACHE") or platformdirs.user_cache_dir("napari-chest")
    folder = folder or Path(cache) / f"synthetic-{layout}"
    # Such a folder has entries of its own only once it is whole.
    if not folder.is_dir() or all(entry.name.startswith(".") for entry in folder.iterdir()):
        LAYOUTS[layout](folder)
    return folder
