"""Edits as boxes before and after, and a history of them that undoes and redoes exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

DEFAULT_BUDGET = 256 * 2**20
"""Bytes of edits kept for undo; the oldest are forgotten first."""


@dataclass(frozen=True, eq=False)
class Edit:
    """A box of voxels or table cells before and after.

    Attributes
    ----------
    name : what was done, as a person would say it: ``LUL on slices 41-50``.
    box : one slice per axis.
    before, after : arrays of the box's shape.
    """

    name: str
    box: tuple[slice, ...]
    before: npt.NDArray[Any]
    after: npt.NDArray[Any]

    @property
    def nbytes(self) -> int:
        """Memory the edit holds."""
        return self.before.nbytes + self.after.nbytes


def edit_between(name: str, before: npt.NDArray[Any], after: npt.NDArray[Any]) -> Edit | None:
    """The smallest edit that turns one array into another of the same shape; None if equal."""
    different = np.argwhere(before != after)
    if not len(different):
        return None
    low, high = different.min(axis=0), different.max(axis=0) + 1
    box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return Edit(name, box, before[box].copy(), after[box].copy())


class History:
    """An array that only changes by edits, each of which can be undone and redone.

    Parameters
    ----------
    original : the array before any edit; it is copied.
    budget : bytes of edits to keep.
    """

    def __init__(self, original: npt.NDArray[Any], budget: int = DEFAULT_BUDGET) -> None:
        self._array = original.copy()
        self._view = self._array.view()
        self._view.flags.writeable = False
        self._budget = budget
        self._done: list[Edit] = []
        self._undone: list[Edit] = []
        self.steps = 0
        """How often the array has changed: grows with every edit, undo and redo."""

    @property
    def array(self) -> npt.NDArray[Any]:
        """The array as it stands now, as a read-only view that follows every edit."""
        return self._view

    @property
    def undoable(self) -> Edit | None:
        """The edit that `undo` would take back."""
        return self._done[-1] if self._done else None

    @property
    def redoable(self) -> Edit | None:
        """The edit that `redo` would do again."""
        return self._undone[-1] if self._undone else None

    def do(self, edit: Edit) -> None:
        """Apply an edit that was made from the present state of the array."""
        self.steps += 1
        self._array[edit.box] = edit.after
        self._done.append(edit)
        self._undone.clear()
        kept = sum(e.nbytes for e in self._done)
        while kept > self._budget and len(self._done) > 1:
            kept -= self._done.pop(0).nbytes

    def undo(self) -> Edit | None:
        """Take back the last edit and return it; None where there is none."""
        if not self._done:
            return None
        self.steps += 1
        edit = self._done.pop()
        self._array[edit.box] = edit.before
        self._undone.append(edit)
        return edit

    def redo(self) -> Edit | None:
        """Do the last undone edit again and return it; None where there is none."""
        if not self._undone:
            return None
        self.steps += 1
        edit = self._undone.pop()
        self._array[edit.box] = edit.after
        self._done.append(edit)
        return edit
