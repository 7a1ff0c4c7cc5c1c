"""The three axes of our volume among those of a viewer that may hold layers of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_chest.ui.planes.place import View

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_chest.model import Grid

Voxel = tuple[int, int, int]


class Axes:
    """Where the view stands in our volume; axis 0 is the slices', whatever the viewer counts.

    Attributes
    ----------
    grid : the volume's grid, or None while there is none.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self.grid: Grid | None = None

    @property
    def order(self) -> tuple[int, ...]:
        """Our axes in the order of the view: the one gone through, down, to the right."""
        extra = self._extra()
        return tuple(axis - extra for axis in self._viewer.dims.order if axis >= extra)

    @property
    def flat(self) -> bool:
        """Whether the view is flat and shows two of our axes."""
        dims = self._viewer.dims
        return dims.ndisplay == 2 and all(axis >= self._extra() for axis in dims.displayed)

    def index(self, axis: int) -> int:
        """The voxel index at which the view stands on an axis."""
        assert self.grid is not None
        at = self._viewer.dims.point[axis + self._extra()] / self.grid.spacing[axis]
        return self._inside(axis, round(float(at)))

    def move(self, axis: int, index: int) -> None:
        """Go to a voxel index on an axis, or the nearest there is."""
        assert self.grid is not None
        world = self._inside(axis, index) * self.grid.spacing[axis]
        self._viewer.dims.set_point(axis + self._extra(), world)

    def voxel_at(self, position: Any) -> Voxel | None:
        """The voxel at a world position; None where it is not over the image."""
        if self.grid is None or len(position) < 3:
            return None
        grid = self.grid
        z, y, x = (round(p / s) for p, s in zip(position[-3:], grid.spacing, strict=True))
        inside = 0 <= z < grid.shape[0] and 0 <= y < grid.shape[1] and 0 <= x < grid.shape[2]
        return (z, y, x) if inside else None

    def place(self, position: Any) -> tuple[float, float, float]:
        """Voxel coordinates of a world position; on the slice that is shown, wherever it lies."""
        assert self.grid is not None
        place = [p / s for p, s in zip(position[-3:], self.grid.spacing, strict=True)]
        axis = self.order[0]
        place[axis] = self.index(axis)
        return place[0], place[1], place[2]

    def finest(self, *, deep: bool) -> float:
        """Width in mm of a voxel along the finest axis that a brush paints, in depth or not."""
        if self.grid is None:
            return 1.0
        painted = self.order if deep else self.order[-2:]
        return min(self.grid.spacing[axis] for axis in painted)

    def to_pixels(self, vertical: float, horizontal: float) -> tuple[float, float]:
        """Pixels (x, y) of the canvas at which world coordinates of the shown axes lie."""
        camera = self._viewer.scene.camera
        height, width = self._viewer.canvas.size
        x = (horizontal - camera.center[-1]) * camera.zoom + width / 2
        y = (vertical - camera.center[-2]) * camera.zoom + height / 2
        return x, y

    @property
    def view(self) -> View:
        """Which part of the slice is looked at."""
        camera = self._viewer.scene.camera
        down, right = camera.center[-2:]
        return View(float(down), float(right), float(camera.zoom) / self._fitting())

    def look_at(self, view: View) -> None:
        """Look at another part of the slice."""
        camera = self._viewer.scene.camera
        camera.zoom = view.zoom * self._fitting()
        camera.center = (*camera.center[:-2], view.down, view.right)

    def image_box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the image in pixels of the canvas."""
        assert self.grid is not None
        vertical, horizontal = self.order[-2:]
        spacing, shape = self.grid.spacing, self.grid.shape
        dv, dh = spacing[vertical], spacing[horizontal]
        x0, y0 = self.to_pixels(-dv / 2, -dh / 2)
        x1, y1 = self.to_pixels((shape[vertical] - 0.5) * dv, (shape[horizontal] - 0.5) * dh)
        return x0, y0, x1, y1

    def _fitting(self) -> float:
        """Pixels per mm at which the slice just fits."""
        assert self.grid is not None
        sides = zip(self._viewer.canvas.size, self.order[-2:], strict=True)
        return float(
            min(
                max(pixels, 1) / (self.grid.shape[axis] * self.grid.spacing[axis])
                for pixels, axis in sides
            )
        )

    def _inside(self, axis: int, index: int) -> int:
        assert self.grid is not None
        return min(max(index, 0), self.grid.shape[axis] - 1)

    def _extra(self) -> int:
        """Axes that layers of others put before ours."""
        return max(int(self._viewer.dims.ndim) - 3, 0)
