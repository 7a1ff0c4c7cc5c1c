"""What a contradiction is and what can be done about it; frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from napari_chest.edits import Box
    from napari_chest.model import Level
    from napari_chest.review.words import Voxel


class Key(NamedTuple):
    """By what a contradiction is known again, whatever its text says."""

    kind: str
    case: str
    reader: str
    mask: str


@dataclass(frozen=True)
class SetAnswer:
    """A question gets other answers; ``text`` is the fix as on a button."""

    text: str
    question: str
    answers: tuple[str, ...]


@dataclass(frozen=True)
class SetCells:
    """Cells of the slice table get a value.

    Attributes
    ----------
    text : the fix as on a button.
    cells : display slice, column and whether it is true.
    """

    text: str
    cells: tuple[tuple[int, str, bool], ...]


@dataclass(frozen=True, eq=False)
class SetVoxels:
    """Voxels of a mask get a value.

    Attributes
    ----------
    text : the fix as on a button.
    mask : name of the mask.
    box : one slice per axis.
    where : of the box's shape; which voxels of it.
    value : what they get; 0 clears them.
    """

    text: str
    mask: str
    box: Box
    where: npt.NDArray[np.bool_]
    value: int = 0


Fix = SetAnswer | SetCells | SetVoxels


@dataclass(frozen=True, eq=False)
class Contradiction:
    """Two things that are said of a case and cannot both be true.

    Attributes
    ----------
    kind : which check found it, one of `checks.CHECKS`.
    level : ``warning``, or ``note`` where the check itself may be wrong.
    text : what is said and what is found, in one or two sentences.
    case : id of the case.
    reader : whose reading.
    mask : name of the mask it is about; empty where it is about none.
    voxel : where to look; None where it is about no place, or about whole slices.
    slice : the display slice to look at, from 0; None where it is about no place.
    fixes : what can be done, the likeliest first; none where a person has to look.
    """

    kind: str
    level: Level
    text: str
    case: str
    reader: str
    mask: str = ""
    voxel: Voxel | None = None
    slice: int | None = None
    fixes: tuple[Fix, ...] = ()

    @property
    def key(self) -> Key:
        """By what it is known again."""
        return Key(self.kind, self.case, self.reader, self.mask)
