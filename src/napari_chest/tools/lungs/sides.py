"""Which air in the body is lung, and which of the two."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cc3d
import edt
import numpy as np
from skimage.segmentation import watershed

from napari_chest.tools.base import ToolError
from napari_chest.tools.lungs.coarse import PURE, Coarse, box_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from napari_chest.tools.lungs.coarse import Bytes

    Flags = npt.NDArray[np.bool_]

RIGHT, LEFT = 1, 2
NO_LUNGS = "No lungs were found: is this a chest CT whose voxels are in HU?"
_SMALLEST = 40.0
"""ml of aerated lung from which a part of its own is taken for a lung; bowel has less."""
_SHARE = 0.1
"""Of a part that is both lungs in one: what at least lies on each side of the middle."""
_GAS = 0.5
"""Share of pure air from which a part is bowel gas or an airway; in lungs it is a few percent."""
_REACH = 45.0
"""mm on both sides of the body's middle in which the lungs may touch."""
_CORES = (2.0, 3.0, 4.5, 6.0, 8.0, 11.0)
"""mm that are peeled off lungs that touch, until they come apart."""
_CRUMB = 1.0
"""ml below which a core is too small to tell anything."""


def find_sides(chest: Coarse, air: Bytes, middle: float) -> Bytes:
    """The aerated right (1) and left (2) lung, (Z, Y, X).

    Parameters
    ----------
    air : 1 in the air inside the body, airways left out.
    middle : x of the body's middle in voxels.

    Raises
    ------
    ToolError
        when no part of the air can be a lung.
    """
    found = np.zeros(air.shape, np.uint8)
    if not air.any():
        raise ToolError(NO_LUNGS)
    box = box_of(air)
    part = Coarse(chest.hu[box], chest.factors, chest.spacing)
    found[box] = _sides(part, air[box], middle - box[2].start)
    return found


def _sides(chest: Coarse, air: Bytes, middle: float) -> Bytes:
    parts, count = cc3d.connected_components(air, connectivity=6, return_N=True)
    inside = air > 0
    numbers, places = parts[inside], np.nonzero(inside)[2]
    sizes = np.bincount(numbers, minlength=count + 1) * chest.millilitre
    pure = np.bincount(numbers[chest.hu[inside] < PURE], minlength=count + 1) * chest.millilitre
    is_lung = (sizes > _SMALLEST) & (pure < _GAS * sizes)
    if not is_lung.any():
        raise ToolError(NO_LUNGS)
    middle = _valley(places[is_lung[numbers]], middle, chest)
    right = np.bincount(numbers[places < middle], minlength=count + 1) * chest.millilitre
    share = right / np.maximum(sizes, chest.millilitre)
    sides: Bytes = np.where(is_lung, np.where(share > 0.5, RIGHT, LEFT), 0).astype(np.uint8)[parts]
    for number in np.flatnonzero(is_lung & (share > _SHARE) & (share < 1 - _SHARE)):
        joined = parts == number
        box = box_of(joined)
        own = Coarse(chest.hu[box], chest.factors, chest.spacing)
        parted = _parted(own, joined[box], middle - box[2].start)
        np.copyto(sides[box], parted, where=joined[box])
    return sides


def _valley(places: npt.NDArray[np.intp], middle: float, chest: Coarse) -> float:
    """The x near the body's middle at which the fewest of these places (N,) lie."""
    width = chest.hu.shape[2]
    profile = np.bincount(places, minlength=width).astype(float)
    profile = np.convolve(profile, np.ones(2 * round(6 / chest.spacing[2]) + 1), "same")
    reach = round(_REACH / chest.spacing[2])
    low = min(max(0, round(middle) - reach), width - 1)
    near = profile[low : max(low + 1, round(middle) + reach + 1)]
    lowest = np.flatnonzero(near <= near.min() + 0.02 * profile.max())
    return float(low + lowest.mean())


def _parted(chest: Coarse, joined: Flags, middle: float) -> Bytes:
    """Lungs that touch, told apart: their cores by side, the rest where the seam is densest."""
    columns = np.arange(joined.shape[2])
    sides = np.where(columns < middle, RIGHT, LEFT).astype(np.uint8)
    parted: Bytes = np.where(joined, sides, 0).astype(np.uint8)
    reach = _REACH / chest.spacing[2]
    low, high = max(0, int(middle - reach)), int(middle + reach) + 1
    band = np.s_[:, :, low:high]
    seeds = _cores(chest, joined[band], middle - low)
    if seeds is None:
        return parted
    # What leaves the band belongs to the side on which it leaves.
    for edge in (0, -1):
        seeds[:, :, edge] = np.where(joined[band][:, :, edge], sides[band[2]][edge], 0)
    unsure = joined[band] & (seeds == 0)
    if unsure.any():
        box = box_of(unsure, margin=1)
        mask = unsure[box] | ((seeds[box] > 0) & _beside(unsure[box]))
        grown = watershed(chest.hu[band][box], np.where(mask, seeds[box], 0), mask=mask)
        np.copyto(seeds[box], grown.astype(np.uint8), where=unsure[box])
    np.copyto(parted[band], seeds, where=seeds > 0)
    return parted


def _cores(chest: Coarse, joined: Flags, middle: float) -> Bytes | None:
    """The thick parts of lungs that touch, as soon as none lies on both sides; else None."""
    depth = edt.edt(joined.view(np.uint8), anisotropy=chest.spacing, parallel=0)
    for radius in _CORES:
        core = depth > radius
        parts, count = cc3d.connected_components(core, connectivity=6, return_N=True)
        numbers, places = parts[core], np.nonzero(core)[2]
        sizes = np.maximum(np.bincount(numbers, minlength=count + 1), 1)
        share = np.bincount(numbers[places < middle], minlength=count + 1) / sizes
        large = sizes * chest.millilitre > _CRUMB
        if not (large & (share > _SHARE) & (share < 1 - _SHARE)).any():
            sides = np.where(share > 0.5, RIGHT, LEFT).astype(np.uint8)
            sides[~large] = 0
            sides[0] = 0
            found: Bytes = sides[parts]
            return found
    return None


def _beside(mask: Flags) -> Flags:
    """The voxels that share a face with the mask."""
    beside = np.zeros_like(mask)
    for axis in range(3):
        there, back = [slice(None)] * 3, [slice(None)] * 3
        there[axis], back[axis] = slice(1, None), slice(None, -1)
        beside[tuple(there)] |= mask[tuple(back)]
        beside[tuple(back)] |= mask[tuple(there)]
    return beside
