"""What napari does once per process, done before it is waited for."""

from __future__ import annotations

from functools import cache
from threading import Thread

import numpy as np


@cache
def warm_up() -> None:
    """Load, on a thread, what the first layers of a process load: about a second of imports."""
    Thread(target=_make_layers, name="napari-chest warm-up", daemon=True).start()


def _make_layers() -> None:
    from napari.layers import Image, Labels

    units = ("mm", "mm", "mm")
    Image(np.zeros((2, 2, 2), np.int16), contrast_limits=(0, 1), scale=(1, 1, 1), units=units)
    Labels(np.zeros((2, 1, 2), np.uint8), scale=(1, 1, 1), units=units)
