"""One reading of one case while it is being corrected."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_chest.edits import door
from napari_chest.edits.difference import Difference
from napari_chest.edits.history import History
from napari_chest.edits.protection import Locks, Protection
from napari_chest.edits.steps import (
    SLICE_LABELS,
    Edit,
    Move,
    Step,
    count_values,
    mask_target,
)
from napari_chest.errors import ProtectedError
from napari_chest.model import Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from napari_chest.changes import ReadingChange
    from napari_chest.edits.steps import Box, Kind
    from napari_chest.model import CaseInfo, Mask, SliceLabels


class Draft:
    """A reading, what was changed in it, and how that differs from what is on disk.

    Parameters
    ----------
    case : the case.
    reading : the reading as the dataset has it.
    record : is told every move after it happened.

    Attributes
    ----------
    case : the case.
    saved : the reading as it was read, or as it was last saved, wherever that was.
    in_dataset : the reading as the dataset itself has it.
    protection : what no edit may change.
    read_only : why nothing may be changed; empty where it may.
    written_back : whether it was written into the dataset since it was last exported, so that an
        export has to bring more than what differs from `saved`.
    """

    def __init__(
        self, case: CaseInfo, reading: Reading, record: Callable[[Move], None] | None = None
    ) -> None:
        self.case = case
        self.saved = self.in_dataset = reading
        self.protection = Protection()
        self.read_only = ""
        self.written_back = False
        self._record = record
        self._history = History(reading)
        self._to_saved = self._to_dataset = Difference(reading, self._history)
        self._voxels: dict[str, npt.NDArray[np.int64]] = {}

    # As it stands now

    @property
    def reading(self) -> Reading:
        """The reading as it stands now, without aids, independent of later edits."""
        return self._history.reading

    @property
    def standing(self) -> Reading:
        """The reading as it stands now, without aids; later edits may show in its arrays."""
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
        """The masks as they stand now, with aids, those that others tell apart left out."""
        return self._history.masks(told_apart=False)

    def mask_labels(self, name: str) -> npt.NDArray[Any]:
        """The labels of a mask as they stand now; later edits may show in them."""
        return self._history.labels(name)

    def voxels(self, mask: str) -> npt.NDArray[np.int64]:
        """How many voxels of a mask have each value: index is the value."""
        if mask not in self._voxels:
            labels = self._history.labels(mask)
            found = count_values(labels)
            counts = np.zeros(np.iinfo(labels.dtype).max + 1, np.int64)
            counts[: len(found)] = found
            self._voxels[mask] = counts
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

    def own(self, mask: str) -> None:
        """Copy a mask ahead of its first edit, so that this one need not; any thread may do so."""
        self._history.own(mask_target(mask))

    def do(self, step: Step) -> None:
        """Do a step that was made from the present state.

        Raises
        ------
        ProtectedError
            when it was made from another state or under another protection, or nothing may be
            changed; nothing has changed then.
        """
        self._check_open()
        door.check(step, self.protection, self._history)
        self._make("do", step)
        self._tell(Move("do", step))

    def undo(self) -> Step | None:
        """Take back the last step and return it; None where there is none.

        What stood before comes back exactly, whatever is protected now.
        """
        self._check_open()
        step = self._history.undoable
        if step is not None:
            self._make("undo", step)
            self._tell(Move("undo", step))
        return step

    def redo(self) -> Step | None:
        """Do the last undone step again and return it; None where there is none."""
        self._check_open()
        step = self._history.redoable
        if step is not None:
            self._make("redo", step)
            self._tell(Move("redo", step))
        return step

    def resume(self, moves: Sequence[Move], start: int) -> None:
        """Go on from what was recorded; nothing of it is recorded again.

        An export among the moves stands where the reading stood that was exported, which edits may
        have gone on from while it was written.

        Parameters
        ----------
        moves : all moves since the last discard, steps of them from the first on.
        start : the moves before this one show in the reading already, so that they can only be
            undone and redone; the others are done again, and all those of aids, which no dataset
            has.

        Raises
        ------
        ProtectedError
            when a move does not fit the state that those before it led to; these stay done.
        """
        for move in moves[:start]:
            self._remember(move)
        for move in moves[start:]:
            self._repeat(move)

    # What may change

    @property
    def locks(self) -> Locks:
        """The segments that no edit may take a voxel from or give one to."""
        return self.protection.locks

    @locks.setter
    def locks(self, locks: Locks) -> None:
        self.protection = replace(self.protection, locks=locks)

    def editable(
        self, mask: str, box: Box, voxels: npt.NDArray[Any] | None = None
    ) -> npt.NDArray[np.bool_] | None:
        """Which voxels of a box of a mask may change at all; None where all may.

        Whether a segment may take a voxel from another depends on what is wanted, and is not told.

        Parameters
        ----------
        mask : name of the mask.
        box : one slice per axis.
        voxels : (Z, Y, X), the whole image in HU; None where it has none.

        Raises
        ------
        ProtectedError
            when the protection asks for HU and there are none, or for a mask that is not there.
        """
        return door.editable(mask, box, voxels, self.protection, self._history)

    def painted(
        self,
        name: str,
        mask: str,
        box: Box,
        wanted: npt.NDArray[Any],
        voxels: npt.NDArray[Any] | None = None,
    ) -> Edit | None:
        """The edit that brings a box of a mask to the wanted values where protection allows it.

        Parameters
        ----------
        name : what was done, as a person would say it.
        mask : name of the mask.
        box : one slice per axis.
        wanted : of the box's shape.
        voxels : (Z, Y, X), the whole image in HU; None where it has none.

        Raises
        ------
        ProtectedError
            as `editable` does; when nothing may be changed; when another mask tells this one apart;
            when the mask cannot hold the wanted values.
        """
        self._check_open()
        return door.painted(name, mask, box, wanted, voxels, self.protection, self._history)

    def labelled(self, name: str, wanted: npt.NDArray[np.bool_]) -> Edit | None:
        """The edit that brings the slice table to the wanted values once its rule is kept.

        Parameters
        ----------
        name : what was done, as a person would say it.
        wanted : (Z, C) bool.

        Raises
        ------
        ProtectedError
            when nothing may be changed.
        """
        self._check_open()
        labels = self.labels
        if labels is None:
            return None
        return door.labelled(name, wanted, labels, self.protection, self._history)

    # How it differs from what is on disk

    @property
    def change(self) -> ReadingChange:
        """What differs from what was last saved."""
        return self._to_saved.change(self._rest)

    @property
    def change_to_dataset(self) -> ReadingChange:
        """What differs from the dataset itself: all that is unsaved or was only exported."""
        return self._to_dataset.change(self._rest)

    def mark_saved(self, reading: Reading, *, in_dataset: bool) -> None:
        """Take note of what is on disk now; later edits stay unsaved."""
        self._settle(reading)
        self.written_back = in_dataset
        if in_dataset:
            self.in_dataset, self._to_dataset = reading, self._to_saved
        self._tell(Move("write back" if in_dataset else "export"))

    @property
    def touched(self) -> bool:
        """Whether anything was done to it, or it differs from the dataset."""
        known = self._history.steps > 0 or self.undoable is not None or self.redoable is not None
        return known or self.saved is not self.in_dataset

    @property
    def _rest(self) -> Reading:
        """What is not a mask, as it stands now."""
        return Reading(self.saved.reader, slice_labels=self.labels, answers=self.answers)

    # Moves

    def _check_open(self) -> None:
        if self.read_only:
            raise ProtectedError(self.read_only)

    def _tell(self, move: Move) -> None:
        if self._record is not None:
            self._record(move)

    def _make(self, kind: Kind, step: Step) -> None:
        """Do, undo or redo a step."""
        forward = kind != "undo"
        self._history.check(step, forward=forward)
        with ExitStack() as stack:
            for difference in {id(d): d for d in (self._to_saved, self._to_dataset)}.values():
                stack.enter_context(difference.noting(step))
            match kind:
                case "do":
                    self._history.do(step)
                case "undo":
                    self._history.undo()
                case _:
                    self._history.redo()
        self._count(step, forward=forward)

    def _settle(self, reading: Reading) -> None:
        self.saved = reading
        self._to_saved = Difference(reading, self._history, alike=False)

    def _count(self, step: Step, *, forward: bool) -> None:
        names = self._history.masks_of(step)
        if isinstance(step, Edit) and names and names[0] in self._voxels:
            counts = self._voxels[names[0]].copy()
            counts[: len(step.counts)] += step.counts if forward else -step.counts
            self._voxels[names[0]] = counts
            names = names[1:]
        for name in names:
            self._voxels.pop(name, None)

    def _remember(self, move: Move) -> None:
        """Take note of a move that shows in the reading already, unless it was about an aid."""
        history = self._history
        step = self._step_of(move)
        if step is None:
            return
        if history.concerns_aid(step):
            self._repeat(move)
        elif move.kind == "do":
            history.remember(step)
        elif move.kind == "undo":
            history.remember_undo()
        else:
            history.remember_redo()

    def _repeat(self, move: Move) -> None:
        """Make a move once more."""
        step = self._step_of(move)
        if step is not None:
            self._make(move.kind, step)
        elif move.kind == "export":
            self._settle(self.reading)

    def _step_of(self, move: Move) -> Step | None:
        """The step that a recorded move is about; None for a save."""
        steps = {"do": move.step, "undo": self.undoable, "redo": self.redoable}
        if move.kind not in steps:
            return None
        step = steps[move.kind]
        if step is None:
            raise ProtectedError(f"What was recorded is damaged: no step to {move.kind}.")
        return step
