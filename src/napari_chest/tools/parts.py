"""The connected parts of a set of voxels, each with a number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import cc3d
import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt


def numbered_parts(
    inside: npt.NDArray[np.bool_], connectivity: Literal[6, 26]
) -> npt.NDArray[np.unsignedinteger[Any]]:
    """The number of the part to which each voxel belongs, from 1; 0 outside.

    Parameters
    ----------
    inside : (Z, Y, X), C-contiguous or not.
    connectivity : how many neighbours of a voxel count.
    """
    shape = inside.shape
    if min(shape) > 1:
        found: npt.NDArray[np.unsignedinteger[Any]] = cc3d.connected_components(
            np.ascontiguousarray(inside), connectivity=connectivity
        )
        return found
    # cc3d 4.1 reserves too few numbers for some arrays that are one voxel thin, as for [1, 0, 1].
    padded = np.zeros([length + 1 for length in shape], np.bool_)
    inner = tuple(slice(0, length) for length in shape)
    padded[inner] = inside
    found = cc3d.connected_components(padded, connectivity=connectivity)
    return np.ascontiguousarray(found[inner])
