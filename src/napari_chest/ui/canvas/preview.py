"""What a tool would change, shown before it is kept: what comes is white, what goes is red."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_chest.ui.planes import render
from napari_chest.ui.tool_jobs import COMES, GOES

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from napari_chest.edits.steps import Box
    from napari_chest.ui.canvas.axes import Axes

_COLORS: dict[int | None, str] = {
    None: "transparent",
    0: "transparent",
    COMES: "#f0f1f2",
    GOES: "#ff8a7a",
}
_PIXELS = render.packed(render.color_table(_COLORS, 0.8))


@dataclass(frozen=True, eq=False)
class PreviewPicture:
    """What of a preview lies on the plane on screen.

    Attributes
    ----------
    pixels : (H, W), premultiplied ``0xAARRGGBB``, one a voxel.
    area : left, top, right and bottom of it in pixels of the canvas.
    """

    pixels: npt.NDArray[np.uint32]
    area: tuple[float, float, float, float]


class Preview:
    """What is previewed, and how it looks on the plane on screen.

    It is drawn over the image and no layer of napari's: making one and taking it away again costs
    half a second.

    Attributes
    ----------
    pending : the box, what comes and goes in it, and the colours of both; None without a preview.

    Signals
    -------
    changed() : something else is previewed, or nothing any more.
    """

    changed = Signal()

    def __init__(self, axes: Axes) -> None:
        self._axes = axes
        self.pending: tuple[Box, npt.NDArray[np.uint8], dict[int | None, str]] | None = None

    @property
    def shown(self) -> bool:
        """Whether something is previewed."""
        return self.pending is not None

    def show(self, box: Box, difference: npt.NDArray[np.uint8]) -> None:
        """Show how a box of a mask would change.

        Parameters
        ----------
        box : where.
        difference : of the box's shape, as `tool_jobs.Outcome` has it.
        """
        self.pending = box, difference, _COLORS
        self.changed.emit()

    def drop(self) -> None:
        """Show nothing."""
        if self.pending is not None:
            self.pending = None
            self.changed.emit()

    def picture(self) -> PreviewPicture | None:
        """What of it lies on the plane on screen; None where nothing does."""
        axes = self._axes
        if self.pending is None or axes.grid is None or not axes.flat:
            return None
        box, difference, _ = self.pending
        axis, down, right = axes.order
        index = axes.index(axis)
        if not box[axis].start <= index < box[axis].stop:
            return None
        labels = difference.take(index - box[axis].start, axis)
        pixels = _PIXELS[labels if down < right else labels.T]
        edges = [
            [(place - 0.5) * axes.grid.spacing[k] for place in (box[k].start, box[k].stop)]
            for k in (down, right)
        ]
        corners = [axes.to_pixels(*corner) for corner in zip(*edges, strict=True)]
        return PreviewPicture(pixels, (*corners[0], *corners[1]))
