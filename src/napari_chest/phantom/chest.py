"""Crude."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

LOBES = ("LLL", "LUL", "RLL", "RML", "RUL")


@dataclass(frozen=True, eq=False)
class Chest:
    voxels: npt.NDArray[np.int16]
    lobes: npt.NDArray[np.uint8]
    opacity: npt.NDArray[np.uint8]
    spacing: tuple[float, float, float]
    slice_labels: npt.NDArray[np.bool_]


def make_chest(
    shape: tuple[int, int, int] = (160, 256, 256),
    spacing: tuple[float, float, float] | None = None,
    seed: int = 0,
    *,
    severity: float = 0.4,
    consolidated: float = 0.25,
    lobes: Sequence[str] = LOBES,
    padding: bool = False,
) -> Chest:
    """Crude."""
    rng = np.random.default_rng(seed)
    Z, Y, X = shape
    spacing = spacing or (320 / Z, 350 / Y, 350 / X)
    z, y, x = np.ogrid[0 : 1 : Z * 1j, -175 : 175 : Y * 1j, -175 : 175 : X * 1j]
    z = z.astype(np.float32) * 320
    body = (x / 160) ** 2 + (y / 110) ** 2 < 1
    hu = np.broadcast_to(np.where(body, 40, -1000), shape).astype(np.float32)
    lobe = np.zeros(shape, np.uint8)
    for side in (-1, 1):
        lung = ((x - side * 62) / 50) ** 2 + (y / 80) ** 2 + ((z - 160) / 130) ** 2 < 1
        low = z - 200 - y * -1 > 0
        if side > 0:
            lobe[lung & low], lobe[lung & ~low] = 1, 2
        else:
            mid = ~low & (z > 160)
            lobe[lung & low], lobe[lung & mid], lobe[lung & ~low & ~mid] = 3, 4, 5
    hu[lobe > 0] = -850
    opacity = np.zeros(shape, np.uint8)
    for name in lobes if severity else ():
        where = np.argwhere(lobe == LOBES.index(name) + 1)
        if len(where):
            c = where[rng.integers(len(where))] * spacing
            zz, yy, xx = np.ogrid[0:Z, 0:Y, 0:X]
            d = (
                (zz * spacing[0] - c[0]) ** 2
                + (yy * spacing[1] - c[1]) ** 2
                + (xx * spacing[2] - c[2]) ** 2
            )
            opacity[(d < 25**2) & (lobe == LOBES.index(name) + 1)] = 1
    hu[opacity == 1] = -500
    hu += rng.normal(0, 15, shape)
    truth = np.stack([((lobe == i + 1) & (opacity > 0)).sum((1, 2)) >= 5 for i in range(5)], 1)
    return Chest(np.clip(hu, -1024, 3071).astype(np.int16), lobe, opacity, spacing, truth)
