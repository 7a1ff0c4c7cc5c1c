"""What no edit may change, whatever tool makes it; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection

    import numpy.typing as npt

Locks = frozenset[tuple[str, int]]
"""Locked segments, each by its mask's name and its value."""


@dataclass(frozen=True)
class Protection:
    """What no edit may change; every part of it holds at once.

    It holds for what is painted. Undo and redo restore exactly what stood before, whatever is
    protected now.

    Attributes
    ----------
    locks : segments that no edit may take a voxel from or give one to.
    hounsfield : only voxels within this range, ends included, may change.
    inside : only voxels inside these segments of this mask may change; does not hold for that mask
        itself.
    slices : only these display slices, first and last, may change, in masks and the slice table.
    keep_others : no segment takes a voxel from another: a labelled voxel may only be cleared.
    """

    locks: Locks = frozenset()
    hounsfield: tuple[float, float] | None = None
    inside: tuple[str, frozenset[int]] | None = None
    slices: tuple[int, int] | None = None
    keep_others: bool = False

    def locked(self, mask: str) -> list[int]:
        """The locked values of a mask."""
        return sorted(value for owner, value in self.locks if owner == mask)


class Rules(NamedTuple):
    """What an edit was held against when it was made.

    Attributes
    ----------
    protection : the protection.
    inside : how often the mask that it names had changed by then.
    """

    protection: Protection
    inside: int


def protect(
    now: npt.NDArray[Any],
    wanted: npt.NDArray[Any],
    locked: Collection[int],
    *,
    keep_others: bool = False,
) -> npt.NDArray[Any]:
    """The wanted values where they neither take a voxel from a locked segment nor give it one.

    Parameters
    ----------
    now, wanted : labels of the same shape.
    locked : values of the locked segments.
    keep_others : whether a labelled voxel may only be cleared.
    """
    if not locked and not keep_others:
        return wanted
    refused = one_of(now, locked) | one_of(wanted, locked)
    if keep_others:
        refused |= (now != 0) & (wanted != 0)
    return np.where(refused, now, wanted)


def one_of(labels: npt.NDArray[Any], values: Collection[int]) -> npt.NDArray[np.bool_]:
    """Where labels have one of some values."""
    found = np.zeros(labels.shape, bool)
    for value in values:  # a handful: comparing is far quicker than looking values up
        found |= labels == value
    return found
