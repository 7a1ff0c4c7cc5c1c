"""Our own brush and eraser: round in mm, the same in every plane, and never over what is protected.

They stand in place of napari's, which know no protection, so that a protected voxel is not even
painted for the length of a stroke.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_chest.tools.brush import dab
from napari_chest.ui.canvas import strokes

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import numpy.typing as npt

    from napari_chest.edits.steps import Box
    from napari_chest.ui.canvas.axes import Axes

Place = tuple[float, float, float]


@dataclass
class _Stroke:
    """A stroke under way: where it is, what it has touched."""

    layer: Any
    mask: str
    value: int
    axes: tuple[int, ...]
    at: Place
    box: Box | None = None
    held_back: bool = False


class Brush:
    """Paints strokes into the arrays of labels layers.

    Parameters
    ----------
    axes : where the view stands in the volume.

    Attributes
    ----------
    size : diameter in mm.
    deep : whether it reaches into neighbouring slices.
    refuses : asked before a stroke, with mask and value (0 erases): why it may not be, or nothing.
    allowed : asked at every step, with mask, box and value: the voxels that it may change, or None
        for all.

    Signals
    -------
    refused(text) : no stroke was begun, and why.
    stepped(mask, box) : a stroke has changed voxels of a box.
    held_back() : a stroke has ended that left voxels which it might not change.
    """

    refused = Signal(str)
    stepped = Signal(str, object)
    held_back = Signal()

    def __init__(self, axes: Axes) -> None:
        self._axes = axes
        self._stroke: _Stroke | None = None
        self.size = 10.0
        self.deep = False
        self.refuses: Callable[[str, int], str] = lambda mask, value: ""  # noqa: ARG005
        self.allowed: Callable[[str, Box, int], npt.NDArray[np.bool_] | None] = (
            lambda mask, box, value: None  # noqa: ARG005
        )

    @property
    def busy(self) -> bool:
        """Whether a stroke is under way."""
        return self._stroke is not None

    def begin(self, layer: Any, mask: str, value: int, at: Place, through: int) -> bool:
        """Begin a stroke with a value, 0 to erase, in the plane through an axis; tells whether."""
        reason = self.refuses(mask, value)
        if reason:
            self.refused.emit(reason)
            return False
        painted = tuple(axis for axis in range(3) if self.deep or axis != through)
        self._stroke = _Stroke(layer, mask, value, painted, at)
        self._step(at, None)
        return True

    def go_on(self, at: Place) -> None:
        """Take the stroke to another place."""
        if self._stroke is not None:
            self._step(at, self._stroke.at)
            self._stroke.at = at

    def end(self) -> tuple[Any, Box] | None:
        """End the stroke: the layer and the box that it has touched, if it has."""
        stroke, self._stroke = self._stroke, None
        if stroke is not None and stroke.held_back:
            self.held_back.emit()
        return (stroke.layer, stroke.box) if stroke is not None and stroke.box else None

    def _step(self, at: Place, previous: Place | None) -> None:
        stroke, grid = self._stroke, self._axes.grid
        if stroke is None or grid is None:
            return
        found = dab(
            at,
            previous,
            spacing=grid.spacing,
            axes=stroke.axes,
            diameter=self.size,
            shape=grid.shape,
        )
        if found is None:
            return
        box, touched = found
        now = stroke.layer.data[box]
        touched = touched & (now != stroke.value)
        allowed = self.allowed(stroke.mask, box, stroke.value)
        if allowed is not None:
            stroke.held_back = stroke.held_back or bool((touched & ~allowed).any())
            touched &= allowed
        if not touched.any():
            return
        now[touched] = stroke.value
        stroke.box = box if stroke.box is None else strokes.around(stroke.box, box)
        if strokes.crosses(box, self._axes):
            strokes.show(stroke.layer, box)
        self.stepped.emit(stroke.mask, box)
