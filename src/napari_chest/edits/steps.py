"""The steps in which a reading changes: boxes of its arrays, answers, and masks that are begun."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from napari_chest.model import Mask

SLICE_LABELS = "slice labels"
"""The target of edits of the slice table; other targets are `mask_target` of a mask's name."""

_MASK = "mask "
Box = tuple[slice, ...]


def mask_target(name: str) -> str:
    """The target of edits of a mask."""
    return _MASK + name


def mask_of(target: str) -> str | None:
    """The name of the mask that a target is; None for the slice table."""
    return target.removeprefix(_MASK) if target.startswith(_MASK) else None


@dataclass(frozen=True, eq=False)
class Edit:
    """A box of voxels or table cells before and after.

    Attributes
    ----------
    name : what was done, as a person would say it: ``LUL on slices 41-50``.
    target : which array of the reading: `SLICE_LABELS` or a `mask_target`.
    box : one slice per axis.
    before, after : arrays of the box's shape.
    """

    name: str
    target: str
    box: Box
    before: npt.NDArray[Any]
    after: npt.NDArray[Any]

    @property
    def nbytes(self) -> int:
        """Memory the edit holds."""
        return self.before.nbytes + self.after.nbytes


@dataclass(frozen=True)
class AnswerEdit:
    """A question that is answered otherwise; an empty tuple is no answer, None a question unasked.

    Attributes
    ----------
    name : what was done, as a person would say it.
    question : key of the question.
    before, after : the answers.
    """

    name: str
    question: str
    before: tuple[str, ...] | None
    after: tuple[str, ...]
    nbytes = 0


@dataclass(frozen=True, eq=False)
class MaskAdded:
    """A mask that the reading did not have.

    Attributes
    ----------
    name : what was done, as a person would say it.
    mask : the mask as it begins.
    """

    name: str
    mask: Mask

    @property
    def nbytes(self) -> int:
        """Memory the step holds."""
        return self.mask.labels.nbytes


Step = Edit | AnswerEdit | MaskAdded


def edit_between(
    name: str, target: str, before: npt.NDArray[Any], after: npt.NDArray[Any], box: Box = ()
) -> Edit | None:
    """The smallest edit that turns one array into another of the same shape; None if equal.

    Parameters
    ----------
    name, target : of the edit.
    before, after : the arrays, or the same box of both.
    box : where in the whole array they lie; by default they are whole.
    """
    different = before != after
    if not different.any():
        return None
    inner = tuple(_extent(different, axis) for axis in range(different.ndim))
    corner = [part.start for part in box] or [0] * different.ndim
    place = tuple(
        slice(start + part.start, start + part.stop)
        for start, part in zip(corner, inner, strict=True)
    )
    return Edit(name, target, place, before[inner].copy(), after[inner].copy())


def _extent(different: npt.NDArray[np.bool_], axis: int) -> slice:
    others = tuple(other for other in range(different.ndim) if other != axis)
    where = np.flatnonzero(different.any(axis=others))
    return slice(int(where[0]), int(where[-1]) + 1)
