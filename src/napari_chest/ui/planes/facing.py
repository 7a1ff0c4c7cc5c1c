"""How the slices along each axis of a volume face a person: name, colour, which way is up; pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from napari_chest.geometry import Plane
    from napari_chest.model import Grid

COLORS: dict[Plane, str] = {"axial": "#c80000", "sagittal": "#c8c800", "coronal": "#00c800"}
_ACROSS: tuple[Plane, Plane, Plane] = ("sagittal", "coronal", "axial")
"""The planes that patient axes x, y and z stand upright on."""
_DOWN = {"axial": (0.0, 1.0, 0.0), "coronal": (0.0, 0.0, -1.0), "sagittal": (0.0, 0.0, -1.0)}
"""Where the screen's lower edge should be in the patient, LPS: the back, else the feet."""


@dataclass(frozen=True)
class Facing:
    """How the slices along one display axis are shown.

    Attributes
    ----------
    axis : the display axis that is gone through.
    down, right : the display axes that run down and to the right on the screen.
    plane : its name.
    """

    axis: int
    down: int
    right: int
    plane: Plane

    @property
    def color(self) -> str:
        """The plane's colour, ``#rrggbb``."""
        return COLORS[self.plane]

    @property
    def order(self) -> tuple[int, int, int]:
        """The axis gone through, the one that runs down and the one that runs to the right."""
        return self.axis, self.down, self.right


def facings(grid: Grid) -> tuple[Facing, Facing, Facing]:
    """How the slices along each display axis of a grid are shown, head or front up."""
    columns = grid.affine[:3, :3]
    directions = columns / np.linalg.norm(columns, axis=0)
    # Each patient axis goes to one display axis, so that an oblique volume has all three planes.
    cut = max(permutations(range(3)), key=lambda p: sum(abs(directions[p[i], i]) for i in range(3)))
    return _facing(0, cut, directions), _facing(1, cut, directions), _facing(2, cut, directions)


def _facing(axis: int, cut: tuple[int, ...], directions: np.ndarray) -> Facing:
    plane = _ACROSS[cut[axis]]
    one, other = (a for a in range(3) if a != axis)
    down = np.abs(np.asarray(_DOWN[plane]) @ directions)
    if down[other] > down[one]:
        one, other = other, one
    return Facing(axis, one, other, plane)
