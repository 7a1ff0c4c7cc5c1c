"""A reading that only changes by steps, each of which can be undone and redone exactly."""

from __future__ import annotations

from dataclasses import replace
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

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from napari_chest.model import Mask, Reading

DEFAULT_BUDGET = 256 * 2**20
"""Bytes of edits kept for undo; the oldest are forgotten first."""


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
        self._answers = dict(reading.answers)
        self._budget = budget
        self._done: list[Step] = []
        self._undone: list[Step] = []
        self.steps = 0
        """How often the reading has changed: grows with every step, undo and redo."""

    def array(self, target: str) -> npt.NDArray[Any]:
        """An array of the reading as it stands now, read-only; later steps may show in it."""
        view = self._arrays[target].view()
        view.flags.writeable = False
        return view

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
            mask = step.mask
        elif (name := mask_of(step.target)) is not None:
            mask = self._masks[name]
        else:
            return ()
        return (mask.name,) if mask.splits is None else (mask.name, mask.splits)

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

    def labels(self, name: str, slices: slice = slice(None)) -> npt.NDArray[Any]:
        """Some slices of a mask as they stand now, read-only; later steps may show in them.

        Of a mask that another one tells apart: 1 where that one is not 0.
        """
        teller = next((mask for mask in self._masks.values() if mask.splits == name), None)
        labels: npt.NDArray[Any]
        if teller is None:
            labels = self.array(mask_target(name))[slices]
            return labels
        told_apart = self._arrays[mask_target(teller.name)][slices] != 0
        labels = told_apart.astype(self._masks[name].labels.dtype)
        return labels

    @property
    def standing(self) -> Reading:
        """The reading as it stands now; later steps may show in its arrays."""
        labels = self._start.slice_labels
        if labels is not None:
            labels = replace(labels, values=self.array(SLICE_LABELS))
        return replace(
            self._start, masks=self.masks(), slice_labels=labels, answers=dict(self._answers)
        )

    @property
    def reading(self) -> Reading:
        """The reading as it stands now, independent of later steps."""
        now = self.standing
        return replace(
            now,
            masks=tuple(replace(mask, labels=mask.labels.copy()) for mask in now.masks),
            slice_labels=now.slice_labels and now.slice_labels.with_values(now.slice_labels.values),
        )

    @property
    def undoable(self) -> Step | None:
        """The step that `undo` would take back."""
        return self._done[-1] if self._done else None

    @property
    def redoable(self) -> Step | None:
        """The step that `redo` would do again."""
        return self._undone[-1] if self._undone else None

    def do(self, step: Step) -> None:
        """Do a step that was made from the present state of the reading."""
        self._set(step, forward=True)
        self._done.append(step)
        self._undone.clear()
        kept = sum(s.nbytes for s in self._done)
        while kept > self._budget and len(self._done) > 1:
            kept -= self._done.pop(0).nbytes

    def undo(self) -> Step | None:
        """Take back the last step and return it; None where there is none."""
        return self._move(self._done, self._undone, forward=False)

    def redo(self) -> Step | None:
        """Do the last undone step again and return it; None where there is none."""
        return self._move(self._undone, self._done, forward=True)

    def _move(self, source: list[Step], target: list[Step], *, forward: bool) -> Step | None:
        if not source:
            return None
        step = source.pop()
        self._set(step, forward=forward)
        target.append(step)
        return step

    def _set(self, step: Step, *, forward: bool) -> None:
        self.steps += 1
        match step:
            case Edit():
                self._writable(step.target)[step.box] = step.after if forward else step.before
            case AnswerEdit():
                answer = step.after if forward else step.before
                self._answers.pop(step.question, None)
                if answer is not None:
                    self._answers[step.question] = answer
            case MaskAdded():
                self._hold(step.mask, held=forward)

    def _writable(self, target: str) -> npt.NDArray[Any]:
        if target not in self._own:
            self._arrays[target] = np.array(self._arrays[target])
            self._own.add(target)
        return self._arrays[target]

    def _hold(self, mask: Mask, *, held: bool) -> None:
        target = mask_target(mask.name)
        self._own.discard(target)
        if held:
            self._masks[mask.name], self._arrays[target] = mask, mask.labels
        else:
            del self._masks[mask.name], self._arrays[target]
