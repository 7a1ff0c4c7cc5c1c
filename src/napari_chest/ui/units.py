"""How the size of a segment is told on a grid: ml, cm² on a radiograph, else pixels; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_chest.model import Grid


class Unit:
    """What a voxel of a grid stands for."""

    def __init__(self, grid: Grid) -> None:
        dz, dy, dx = grid.spacing
        if grid.calibration == "unknown":
            self._size, self.name = 1.0, "px"
        elif grid.shape[0] == 1:
            self._size, self.name = dy * dx / 100, "cm²"
        else:
            self._size, self.name = dz * dy * dx / 1000, "ml"

    def text(self, voxels: int) -> str:
        """So many voxels as a person reads them: ``12.3 ml``."""
        return f"{self._number(voxels)} {self.name}"

    def change(self, came: int, went: int) -> str:
        """What came and what went: ``+3.2 ml``, or ``+1.2 -0.8 ml``."""
        parts = [f"{sign}{self._number(n)}" for sign, n in (("+", came), ("-", went)) if n]
        return f"{' '.join(parts) or '0'} {self.name}"

    def _number(self, voxels: int) -> str:
        if self.name == "px":
            return f"{voxels:,}"
        size = voxels * self._size
        # What is there must not read as nothing.
        return f"{size:.1f}" if size >= _SMALL or not voxels else f"{size:.2g}"


_SMALL = 0.05
