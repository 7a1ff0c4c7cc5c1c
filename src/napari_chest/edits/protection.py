"""What no edit may change, whatever tool makes it; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

Locks = frozenset[tuple[str, int]]
"""Locked segments, each by its mask's name and its value."""


def protect(
    now: npt.NDArray[Any], wanted: npt.NDArray[Any], locked: Sequence[int]
) -> npt.NDArray[Any]:
    """The wanted values where they neither take a voxel from a locked segment nor give it one.

    Parameters
    ----------
    now, wanted : labels of the same shape.
    locked : values of the locked segments.
    """
    if not locked:
        return wanted
    return np.where(np.isin(now, locked) | np.isin(wanted, locked), now, wanted)
