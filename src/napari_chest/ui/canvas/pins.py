"""Marks over the image where people commented."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_chest.review.words import Voxel
    from napari_chest.ui.canvas.axes import Axes


@dataclass(frozen=True)
class Pin:
    """A mark: its middle in pixels of the canvas, and whether it is settled and so fainter."""

    x: float
    y: float
    faint: bool = False


class Pins:
    """Where the marks are, and which of them lie on the plane on screen.

    They are drawn over the image and no layer of napari's, which would shift the view.

    Attributes
    ----------
    visible : whether they are shown with the masks.
    bare : whether they are hidden as long as a key is held.
    """

    def __init__(self, axes: Axes) -> None:
        self._axes = axes
        self._places: tuple[tuple[Voxel, bool], ...] = ()
        self._on = True
        self.bare = False

    @property
    def visible(self) -> bool:
        """Whether there are any to be seen."""
        return self._on and bool(self._places)

    @visible.setter
    def visible(self, visible: bool) -> None:
        self._on = visible

    def show(self, places: Iterable[tuple[Voxel, bool]]) -> None:
        """Mark these voxels, each settled or not, and no others."""
        self._places = tuple(places)

    def marks(self) -> tuple[Pin, ...]:
        """What of them lies on the plane on screen; those that are settled come first."""
        axes = self._axes
        if axes.grid is None or not axes.flat or not self.visible or self.bare:
            return ()
        order = axes.order
        if len(order) < 3:  # the viewer has lost its layers
            return ()
        axis, down, right = order
        here, spacing = axes.index(axis), axes.grid.spacing
        return tuple(
            Pin(*axes.to_pixels(at[down] * spacing[down], at[right] * spacing[right]), faint)
            for at, faint in sorted(self._places, key=lambda place: not place[1])
            if at[axis] == here
        )
