"""Where a slice lies on a widget: pixels of the widget and voxels of the slice; pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeVar

N = TypeVar("N", float, Any)


class View(NamedTuple):
    """Which part of a slice is looked at, however large the pane.

    Attributes
    ----------
    down, right : what lies in the middle, in mm from the middle of the first voxel.
    zoom : how many times larger the slice is than one that just fits.
    """

    down: float
    right: float
    zoom: float


@dataclass(frozen=True)
class Place:
    """A slice on a widget, drawn in mm so that a thick slice looks thick.

    Attributes
    ----------
    shape : rows and columns of the slice.
    spacing : mm from row to row and from column to column.
    scale : pixels of the widget per mm.
    left, top : where the slice's upper left corner lies, in pixels of the widget.
    """

    shape: tuple[int, int]
    spacing: tuple[float, float]
    scale: float
    left: float
    top: float

    @property
    def area(self) -> tuple[float, float, float, float]:
        """Left, top, width and height of the slice in pixels of the widget."""
        (rows, columns), (dy, dx) = self.shape, self.spacing
        return self.left, self.top, columns * dx * self.scale, rows * dy * self.scale

    def to_pixels(self, row: float, column: float) -> tuple[float, float]:
        """Pixels (x, y) of a place in voxels; the middle of a voxel is a whole number."""
        x = self.left + (column + 0.5) * self.spacing[1] * self.scale
        y = self.top + (row + 0.5) * self.spacing[0] * self.scale
        return x, y

    def to_slice(self, x: N, y: N) -> tuple[N, N]:
        """Row and column at a place in pixels; they may lie outside the slice."""
        row = (y - self.top) / (self.spacing[0] * self.scale) - 0.5
        column = (x - self.left) / (self.spacing[1] * self.scale) - 0.5
        return row, column

    def zoomed(self, factor: float, x: float, y: float) -> Place:
        """The slice larger by a factor, where what lies at a pixel stays."""
        return replace(
            self,
            scale=self.scale * factor,
            left=x + (self.left - x) * factor,
            top=y + (self.top - y) * factor,
        )

    def moved(self, dx: float, dy: float) -> Place:
        """The slice so many pixels further right and down."""
        return replace(self, left=self.left + dx, top=self.top + dy)


def fitted(
    shape: tuple[int, int], spacing: tuple[float, float], size: tuple[int, int], margin: int
) -> Place:
    """A slice as large as it fits into the middle of a widget.

    Parameters
    ----------
    shape, spacing : of the slice, rows before columns.
    size : width and height of the widget in pixels.
    margin : pixels left free at each edge.
    """
    room = max(size[0] - 2 * margin, 1), max(size[1] - 2 * margin, 1)
    across, down = shape[1] * spacing[1], shape[0] * spacing[0]
    scale = min(room[0] / across, room[1] / down)
    left, top = (size[0] - across * scale) / 2, (size[1] - down * scale) / 2
    return Place(shape, spacing, scale, left, top)


def viewed(whole: Place, size: tuple[int, int], view: View) -> Place:
    """The part of a slice that is looked at, on a widget on which ``whole`` just fits.

    ``size`` is the width and height of the widget in pixels.
    """
    scale = whole.scale * view.zoom
    (dy, dx), (width, height) = whole.spacing, size
    left, top = width / 2 - (view.right + dx / 2) * scale, height / 2 - (view.down + dy / 2) * scale
    return replace(whole, scale=scale, left=left, top=top)


def view_of(place: Place, whole: Place, size: tuple[int, int]) -> View:
    """Which part of a slice is looked at where it lies at a place; the reverse of `viewed`."""
    row, column = place.to_slice(size[0] / 2, size[1] / 2)
    return View(row * place.spacing[0], column * place.spacing[1], place.scale / whole.scale)
