"""How a draft differs from an earlier state of its reading, kept up to date box by box."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from napari_chest import changes
from napari_chest.changes import MaskChange, ReadingChange
from napari_chest.edits.steps import Edit, MaskAdded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_chest.edits.history import History
    from napari_chest.edits.steps import Box, Step
    from napari_chest.model import Reading


class Difference:
    """How the present state differs from an earlier one; aids are left out.

    Parameters
    ----------
    before : the earlier state.
    history : the present one.
    alike : whether both are the same as yet.
    """

    def __init__(self, before: Reading, history: History, *, alike: bool = True) -> None:
        self._before = before
        self._masks = {mask.name: mask for mask in before.masks if not mask.aid}
        self._history = history
        self._counts: dict[tuple[str, int], int] = {}
        if not alike:
            for mask in (*self._masks.values(), *history.masks()):
                self._compare(mask.name, mask.labels.shape[0])

    @contextmanager
    def noting(self, step: Step) -> Iterator[None]:
        """Take note of a step that is done, undone or redone within."""
        if isinstance(step, Edit):
            names = self._history.masks_of(step)
            for name in names:
                self._count(name, step.box, -1)
            try:
                yield
            finally:
                for name in names:
                    self._count(name, step.box, 1)
            return
        yield
        if isinstance(step, MaskAdded):
            for name in self._history.masks_of(step):
                self._compare(name, step.shape[0])

    def change(self, now: Reading) -> ReadingChange:
        """What differs now.

        Parameters
        ----------
        now : slice table and answers as they stand now.
        """
        rest = changes.compare(replace(self._before, masks=()), now)
        masks = tuple(MaskChange(*key, count) for key, count in sorted(self._counts.items()))
        return replace(rest, masks=masks)

    def _count(self, name: str, box: Box, sign: int) -> None:
        """Add what differs in a box to the counts, or take it off."""
        if self._history.is_aid(name):
            return
        now = self._history.labels(name, box)
        was = self._masks[name].labels[box] if name in self._masks else None
        for i, z in enumerate(range(box[0].start, box[0].stop)):
            count = self._counts.get((name, z), 0)
            if sign < 0 and not count:
                continue  # nothing differs in the whole slice
            count += sign * int(np.count_nonzero(now[i] != (0 if was is None else was[i])))
            self._counts[name, z] = count
            if not count:
                del self._counts[name, z]

    def _compare(self, name: str, slices: int) -> None:
        """Count anew what differs in a mask."""
        if self._history.is_aid(name):
            return
        now = self._history.labels(name) if name in self._history.mask_names else None
        was = self._masks[name].labels if name in self._masks else None
        for z in range(slices):
            a, b = (0 if labels is None else labels[z] for labels in (now, was))
            self._counts.pop((name, z), None)
            if count := int(np.count_nonzero(a != b)):
                self._counts[name, z] = count
