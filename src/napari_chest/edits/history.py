"""A reading that only changes by steps, each of which can be undone and redone exactly."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_chest.edits.steps import (
    SLICE_LABELS,
    AnswerEdit,
    Edit,
    MaskAdded,
    Step,
    mask_of,
    mask_target,
)
from napari_chest.errors import ProtectedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from napari_chest.edits.steps import Box
    from napari_chest.model import Mask, Reading

DEFAULT_BUDGET = 256 * 2**20
"""Bytes of steps kept for undo; the oldest are forgotten first."""


class History:
    """The state of a reading and the steps that led to it.

    Parameters
    ----------
    reading : the reading before any step. An array of it is copied when it first changes.
    budget : bytes of steps to keep.
    """

    def __init__(self, reading: Reading, budget: int = DEFAULT_BUDGET) -> None:
        self._start = reading
        self._masks = {mask.name: mask for mask in reading.masks}
        self._arrays: dict[str, npt.NDArray[Any]] = {
            mask_target(mask.name): mask.labels for mask in reading.masks
        }
        if reading.slice_labels is not None:
            self._arrays[SLICE_LABELS] = reading.slice_labels.values
        self._own: set[str] = set()
        self._owning = Lock()
        self._versions: dict[str, int] = {}
        self._answers = dict(reading.answers)
        self._budget = budget
        self._done: deque[Step] = deque()
        self._older = 0  # bytes of all done steps but the last, which are packed
        self._undone: list[Step] = []
        self.steps = 0
        """How often the reading has changed: grows with every step, undo and redo."""

    # The state

    def array(self, target: str) -> npt.NDArray[Any]:
        """An array of the reading as it stands now, read-only; later steps may show in it."""
        view = self._arrays[target].view()
        view.flags.writeable = False
        return view

    def version(self, target: str) -> int:
        """How often an array has changed."""
        return self._versions.get(target, 0)

    def own(self, target: str) -> None:
        """Copy an array ahead of its first change; any thread may do so."""
        with self._owning:
            if target not in self._own and target in self._arrays:
                self._arrays[target] = _copied(self._arrays[target])
                self._own.add(target)

    @property
    def answers(self) -> Mapping[str, tuple[str, ...]]:
        """The answers as they stand now."""
        return dict(self._answers)

    @property
    def mask_names(self) -> frozenset[str]:
        """The names of the masks there are now."""
        return frozenset(self._masks)

    def masks_of(self, step: Step) -> tuple[str, ...]:
        """The names of the masks in which a step shows."""
        if isinstance(step, AnswerEdit):
            return ()
        if isinstance(step, MaskAdded):
            mask = step.outline
        elif (name := mask_of(step.target)) in self._masks:
            mask = self._masks[name]
        else:
            return ()
        return (mask.name, mask.splits) if mask.splits in self._masks else (mask.name,)

    def masks(self, *, told_apart: bool = True) -> tuple[Mask, ...]:
        """The masks as they stand now, with or without those that others tell apart.

        Later steps may show in their arrays.
        """
        left_out = set() if told_apart else {mask.splits for mask in self._masks.values()}
        return tuple(
            replace(mask, labels=self.labels(name))
            for name, mask in self._masks.items()
            if name not in left_out
        )

    def is_aid(self, name: str) -> bool:
        """Whether a mask is an aid."""
        return name in self._masks and self._masks[name].aid

    def told_apart_by(self, name: str) -> str | None:
        """The name of the mask that this one tells apart, if it does."""
        return self._masks[name].splits

    def concerns_aid(self, step: Step) -> bool:
        """Whether a step begins or changes an aid."""
        if isinstance(step, MaskAdded):
            return step.outline.aid
        return isinstance(step, Edit) and self.is_aid(mask_of(step.target) or "")

    def teller(self, name: str) -> str | None:
        """The name of the mask that tells this one apart, if there is one."""
        tellers = (mask.name for mask in self._masks.values() if mask.splits == name)
        return next(tellers, None)

    def labels(self, name: str, box: Box = ()) -> npt.NDArray[Any]:
        """A mask, or a box of it, as it stands now, read-only; later steps may show in it.

        Of a mask that another one tells apart: 1 where that one is not 0.
        """
        teller = self.teller(name)
        labels: npt.NDArray[Any]
        if teller is None:
            labels = self.array(mask_target(name))[box]
            return labels
        told_apart = self._arrays[mask_target(teller)][box] != 0
        labels = told_apart.astype(self._masks[name].labels.dtype)
        return labels

    @property
    def standing(self) -> Reading:
        """The reading as it stands now, without aids; later steps may show in its arrays."""
        labels = self._start.slice_labels
        if labels is not None:
            labels = replace(labels, values=self.array(SLICE_LABELS))
        masks = tuple(mask for mask in self.masks() if not mask.aid)
        return replace(self._start, masks=masks, slice_labels=labels, answers=dict(self._answers))

    @property
    def reading(self) -> Reading:
        """The reading as it stands now, without aids, independent of later steps."""
        now = self.standing
        return replace(
            now,
            masks=tuple(replace(mask, labels=mask.labels.copy()) for mask in now.masks),
            slice_labels=now.slice_labels and now.slice_labels.with_values(now.slice_labels.values),
        )

    # The steps

    @property
    def undoable(self) -> Step | None:
        """The step that `undo` would take back."""
        return self._done[-1] if self._done else None

    @property
    def redoable(self) -> Step | None:
        """The step that `redo` would do again."""
        return self._undone[-1] if self._undone else None

    def check(self, step: Step, *, forward: bool) -> None:
        """Refuse a step that has no place in the present state."""
        match step:
            case Edit():
                self._check_place(step)
            case AnswerEdit():
                now = self._answers.get(step.question)
                if _in_order(now) != _in_order(step.before if forward else step.after):
                    raise ProtectedError(f"{step.name}: the answer changed meanwhile.")
            case MaskAdded():
                name = step.outline.name
                if forward == (name in self._masks):
                    found = "already has" if forward else "has no"
                    raise ProtectedError(f"{step.name}: the reading {found} mask {name}.")
                shapes = {mask.labels.shape for mask in self._masks.values()}
                if forward and shapes - {step.shape}:
                    raise ProtectedError(
                        f"{step.name}: mask {name} is of {step.shape}, the others are of "
                        f"{min(shapes)}."
                    )

    def do(self, step: Step) -> None:
        """Do a step that was made from the present state of the reading.

        Raises
        ------
        ProtectedError
            when it was made from another state; nothing has changed then.
        """
        self.check(step, forward=True)
        if isinstance(step, Edit):
            self._check_begins(step)
        self._set(step, forward=True)
        self._keep(step)

    def undo(self) -> Step | None:
        """Take back the last step and return it; None where there is none."""
        if not self._done:
            return None
        self.check(self._done[-1], forward=False)
        self._set(self._done[-1], forward=False)
        return self.remember_undo()

    def redo(self) -> Step | None:
        """Do the last undone step again and return it; None where there is none."""
        if not self._undone:
            return None
        self.check(self._undone[-1], forward=True)
        self._set(self._undone[-1], forward=True)
        return self.remember_redo()

    def remember(self, step: Step) -> None:
        """Take note of a step that shows in the reading already."""
        self._keep(step)

    def _keep(self, step: Step) -> None:
        self._undone.clear()
        self._push(step)
        while len(self._done) > 1 and self._older + step.nbytes > self._budget:
            self._older -= self._done.popleft().nbytes

    def remember_undo(self) -> Step | None:
        """Take note that the last step was taken back from the reading already."""
        if not self._done:
            return None
        step = self._done.pop()
        self._older -= self._done[-1].nbytes if self._done else 0
        self._undone.append(step)
        return step

    def remember_redo(self) -> Step | None:
        """Take note that the last undone step shows in the reading already again."""
        if not self._undone:
            return None
        step = self._undone.pop()
        self._push(step)
        return step

    def _push(self, step: Step) -> None:
        if self._done:
            # Packed by now where a journal writes it; what it holds stays the same from here on.
            self._done[-1].pack()
            self._older += self._done[-1].nbytes
        self._done.append(step)

    # What a step does

    def _check_place(self, edit: Edit) -> None:
        array = self._arrays.get(edit.target)
        if array is None:
            raise ProtectedError(f"{edit.name}: the reading has no {edit.target}.")
        inside = len(edit.box) == array.ndim and all(
            0 <= part.start <= part.stop <= length
            for part, length in zip(edit.box, array.shape, strict=True)
        )
        shape = tuple(part.stop - part.start for part in edit.box)
        if not inside or edit.shape != shape or edit.dtype.name != array.dtype.name:
            raise ProtectedError(
                f"{edit.name}: {edit.dtype} {edit.shape} at {edit.box} has no place in "
                f"{edit.target}, which is {array.dtype} {array.shape}."
            )

    def _check_begins(self, edit: Edit) -> None:
        if not edit.begins(self._arrays[edit.target][edit.box]):
            what = "slice table" if edit.target == SLICE_LABELS else "mask"
            raise ProtectedError(f"{edit.name}: the {what} changed meanwhile, so do it again.")

    def _set(self, step: Step, *, forward: bool) -> None:
        self.steps += 1
        match step:
            case Edit():
                self.own(step.target)
                step.write(self._arrays[step.target][step.box], forward=forward)
                self._versions[step.target] = self.version(step.target) + 1
            case AnswerEdit():
                answer = step.after if forward else step.before
                self._answers.pop(step.question, None)
                if answer is not None:
                    self._answers[step.question] = answer
            case MaskAdded():
                if not forward:
                    self._restore_told_apart(step.mask)
                self._hold(step.mask if forward else step.outline, held=forward)

    def _restore_told_apart(self, mask: Mask) -> None:
        """Bring the mask that another one tells apart to where it stood when that one was begun.

        A reading that was read since has it as it followed the other.
        """
        if mask.splits in self._masks:
            whole = mask_target(mask.splits)
            self._arrays[whole] = (mask.labels != 0).astype(self._arrays[whole].dtype)
            self._own.add(whole)

    def _hold(self, mask: Mask, *, held: bool) -> None:
        target = mask_target(mask.name)
        with self._owning:
            self._own.discard(target)
            # A new mapping, because other threads may be looking through the one that stands.
            masks = {name: one for name, one in self._masks.items() if name != mask.name}
            if held:
                self._arrays[target] = mask.labels
                self._masks = {**masks, mask.name: mask}
            else:
                self._masks = masks
                del self._arrays[target]
        self._versions[target] = self.version(target) + 1


def _in_order(answers: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Answers as they are compared: a dataset may give back several in another order."""
    return answers and tuple(sorted(answers))


def _copied(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A copy that takes no memory for empty slices, of which masks have many."""
    copy = np.zeros(array.shape, array.dtype)
    for z, plane in enumerate(array):
        if plane.any():
            copy[z] = plane
    return copy
