"""Grey windows of a chest reading room, and which one was last used for what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_chest.model import Window
from napari_chest.ui.layers import LUNG

if TYPE_CHECKING:
    from napari_chest.model import Volume


@dataclass(frozen=True)
class Preset:
    """A named window.

    Attributes
    ----------
    action : the action of its keys in `keys.KEYS`.
    name : fits on a small button.
    title : the whole name.
    window : None for the one stored in the file.
    """

    action: str
    name: str
    title: str
    window: Window | None


PRESETS: tuple[Preset, ...] = (
    Preset("window_lung", "Lung", "Lung", LUNG),
    Preset("window_mediastinum", "Soft", "Mediastinum", Window(40, 400)),
    Preset("window_bone", "Bone", "Bone", Window(500, 2000)),
    Preset("window_covid", "GGO", "Faint ground glass", Window(-600, 1200)),
    Preset("window_file", "File", "As stored in the file", None),
)


def file_window(volume: Volume) -> Window:
    """The window stored in the file, else the range from the 0.1 to the 99.9 percentile."""
    if volume.window is not None:
        return volume.window
    step = tuple(max(length // 64, 1) for length in volume.grid.shape)
    sample = volume.voxels[:: step[0], :: step[1], :: step[2]]
    low, high = (float(v) for v in np.percentile(sample.astype(np.float32), (0.1, 99.9)))
    return Window((low + high) / 2, max(high - low, 1.0))


def preset_name(window: Window) -> str:
    """The title of the preset with exactly this window; empty where there is none."""
    rounded = Window(round(window.center), round(window.width))
    return next((p.title for p in PRESETS if p.window == rounded), "")
