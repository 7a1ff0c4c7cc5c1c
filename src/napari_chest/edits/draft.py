"""One reading of one case while it is being corrected."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_chest import changes
from napari_chest.changes import MaskChange, ReadingChange
from napari_chest.edits.history import History
from napari_chest.edits.protection import Locks, protect
from napari_chest.edits.steps import SLICE_LABELS, Edit, MaskAdded, Step, edit_between, mask_target
from napari_chest.model import Reading

if TYPE_CHECKING:
    import numpy.typing as npt

    from napari_chest.edits.steps import Box
    from napari_chest.model import CaseInfo, Mask, SliceLabels


class Draft:
    """A reading, what was changed in it, and how that differs from what is on disk.

    Attributes
    ----------
    case : the case.
    saved : the reading as it was read, or as it was last saved, wherever that was.
    in_dataset : the reading as the dataset itself has it.
    locks : the segments that no edit may change.
    """

    def __init__(self, case: CaseInfo, reading: Reading) -> None:
        self.case = case
        self.saved = self.in_dataset = reading
        self.locks: Locks = frozenset()
        self._history = History(reading)
        self._to_saved = self._to_dataset = _Difference(reading, self._history)
        self._voxels: dict[str, npt.NDArray[np.int64]] = {}

    # As it stands now

    @property
    def reading(self) -> Reading:
        """The reading as it stands now, independent of later edits."""
        return self._history.reading

    @property
    def standing(self) -> Reading:
        """The reading as it stands now; later edits may show in its arrays."""
        return self._history.standing

    @property
    def labels(self) -> SliceLabels | None:
        """The slice table as it stands now, or None where the reading has none."""
        table = self.saved.slice_labels
        return table and replace(table, values=self._history.array(SLICE_LABELS))

    @property
    def answers(self) -> dict[str, tuple[str, ...]]:
        """The answers as they stand now."""
        return dict(self._history.answers)

    def masks(self) -> tuple[Mask, ...]:
        """The masks as they stand now, those that others tell apart left out."""
        return self._history.masks(told_apart=False)

    def mask_labels(self, name: str) -> npt.NDArray[Any]:
        """The labels of a mask as they stand now; later edits may show in them."""
        return self._history.labels(name)

    def voxels(self, mask: str) -> npt.NDArray[np.int64]:
        """How many voxels of a mask have each value: index is the value."""
        if mask not in self._voxels:
            self._voxels[mask] = _count_values(self._history.array(mask_target(mask)))
        return self._voxels[mask]

    # How it changes

    @property
    def undoable(self) -> Step | None:
        """The step that `undo` would take back."""
        return self._history.undoable

    @property
    def redoable(self) -> Step | None:
        """The step that `redo` would do again."""
        return self._history.redoable

    def do(self, step: Step) -> None:
        """Do a step that was made from the present state."""
        self._history.do(step)
        self._note(step, forward=True)

    def undo(self) -> Step | None:
        """Take back the last step and return it; None where there is none."""
        step = self._history.undo()
        if step is not None:
            self._note(step, forward=False)
        return step

    def redo(self) -> Step | None:
        """Do the last undone step again and return it; None where there is none."""
        step = self._history.redo()
        if step is not None:
            self._note(step, forward=True)
        return step

    def painted(self, name: str, mask: str, box: Box, wanted: npt.NDArray[Any]) -> Edit | None:
        """The edit that brings a box of a mask to the wanted values where no lock forbids it."""
        now = self._history.array(mask_target(mask))[box]
        locked = [value for owner, value in self.locks if owner == mask]
        return edit_between(name, mask_target(mask), now, protect(now, wanted, locked), box)

    # How it differs from what is on disk

    @property
    def change(self) -> ReadingChange:
        """What differs from what was last saved."""
        return self._to_saved.change(self)

    @property
    def change_to_dataset(self) -> ReadingChange:
        """What differs from the dataset itself: all that is unsaved or was only exported."""
        return self._to_dataset.change(self)

    def mark_saved(self, reading: Reading, *, in_dataset: bool) -> None:
        """Take note of what is on disk now; later edits stay unsaved."""
        self.saved = reading
        self._to_saved = _Difference(reading, self._history, alike=False)
        if in_dataset:
            self.in_dataset, self._to_dataset = reading, self._to_saved

    @property
    def touched(self) -> bool:
        """Whether anything was done to it, or it differs from the dataset."""
        return self._history.steps > 0 or self.saved is not self.in_dataset

    def _note(self, step: Step, *, forward: bool) -> None:
        for difference in {id(d): d for d in (self._to_saved, self._to_dataset)}.values():
            difference.update(step)
        if isinstance(step, MaskAdded):
            self._voxels.pop(step.mask.name, None)
        elif isinstance(step, Edit):
            self._count_edit(step, forward=forward)

    def _count_edit(self, edit: Edit, *, forward: bool) -> None:
        for name, voxels in self._voxels.items():
            if mask_target(name) == edit.target:
                came, went = _count_values(edit.after), _count_values(edit.before)
                more = came - went if forward else went - came
                self._voxels[name] = voxels + more


class _Difference:
    """How the present state differs from an earlier one, kept up to date slice by slice."""

    def __init__(self, before: Reading, history: History, *, alike: bool = True) -> None:
        self._before = before
        self._masks = {mask.name: mask for mask in before.masks}
        self._history = history
        self._counts: dict[tuple[str, int], int] = {}
        if not alike:
            for mask in (*before.masks, *history.masks()):
                self._compare(mask.name, slice(0, mask.labels.shape[0]))

    def update(self, step: Step) -> None:
        """Compare anew what a step touched."""
        for name in self._history.masks_of(step):
            if isinstance(step, Edit):
                self._compare(name, step.box[0])
            elif isinstance(step, MaskAdded):
                self._compare(name, slice(0, step.mask.labels.shape[0]))

    def change(self, draft: Draft) -> ReadingChange:
        """What differs now."""
        now = Reading(draft.saved.reader, slice_labels=draft.labels, answers=draft.answers)
        rest = changes.compare(replace(self._before, masks=()), now)
        masks = tuple(MaskChange(*key, count) for key, count in sorted(self._counts.items()))
        return replace(rest, masks=masks)

    def _compare(self, name: str, slices: slice) -> None:
        now = self._history.labels(name, slices) if name in self._history.mask_names else None
        was = self._masks[name].labels[slices] if name in self._masks else None
        for i, z in enumerate(range(slices.start, slices.stop)):
            a, b = (0 if labels is None else labels[i] for labels in (now, was))
            self._counts.pop((name, z), None)
            if count := int(np.count_nonzero(a != b)):
                self._counts[name, z] = count


def _count_values(labels: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """How many voxels (Z, Y, X) have each value."""
    counts = np.zeros(int(np.iinfo(labels.dtype).max) + 1, np.int64)
    for plane in labels:
        if plane.any():  # far quicker than counting the zeros of empty slices
            counts += np.bincount(plane.ravel(), minlength=len(counts))
    counts[0] = labels.size - counts[1:].sum()
    return counts
