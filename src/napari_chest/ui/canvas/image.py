"""The image as a napari layer: its voxels and its grey window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_chest.model import Window
from napari_chest.ui import layers
from napari_chest.ui.canvas.strip import refill

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel

    from napari_chest.model import Volume


class Image:
    """One layer for every volume: napari needs most of a second to make another.

    Parameters
    ----------
    viewer : napari's viewer.
    bind : gives a new layer our keys.

    Attributes
    ----------
    layer : what shows the image; None while there is none.

    Signals
    -------
    window_changed() : the image is shown in another grey window, or bright as dark.
    """

    window_changed = Signal()

    def __init__(self, viewer: ViewerModel, bind: Callable[[Any], None]) -> None:
        self._viewer = viewer
        self._bind = bind
        self.layer: Any = None

    def show(self, volume: Volume, name: str, window: Window) -> None:
        """Show a volume in place of the one before; `reset_window` is to follow."""
        data, kwargs, _ = layers.image_layer(volume, name, window)
        if self.layer is None:
            self.layer = self._viewer.add_image(data, **kwargs)
            self.layer.events.contrast_limits.connect(self._on_contrast)
            self._bind(self.layer)
        else:
            refill(self.layer, data, kwargs)
            self.layer.colormap = kwargs["colormap"]

    def reset_window(self, volume: Volume, window: Window) -> None:
        """Show a volume in a grey window, and give napari's slider the range of its values."""
        self.layer.contrast_limits_range = layers.slider_range(volume)
        self.layer.contrast_limits = window.limits

    @property
    def window(self) -> Window | None:
        """The grey window of the image, or None where there is none."""
        if self.layer is None:
            return None
        low, high = self.layer.contrast_limits
        return Window((low + high) / 2, high - low)

    def set_window(self, window: Window) -> None:
        """Show the image in another grey window."""
        if self.layer is not None:
            low, high = window.limits
            now_low, now_high = self.layer.contrast_limits_range
            self.layer.contrast_limits_range = (min(low, now_low), max(high, now_high))
            self.layer.contrast_limits = (low, high)

    def invert(self) -> None:
        """Show bright as dark; the voxels stay."""
        if self.layer is not None:
            self.layer.colormap = "gray" if self.inverted else "gray_r"
            self.window_changed.emit()

    @property
    def inverted(self) -> bool:
        """Whether bright is shown as dark."""
        return self.layer is not None and self.layer.colormap.name == "gray_r"

    def toggle_smoothing(self) -> None:
        """Show the image smoothed between voxel centres, or voxel by voxel; labels never are."""
        if self.layer is not None:
            smooth = str(self.layer.interpolation2d) == "linear"
            self.layer.interpolation2d = "nearest" if smooth else "linear"

    def _on_contrast(self) -> None:
        self.window_changed.emit()
