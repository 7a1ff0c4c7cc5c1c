"""The numbers of the selected segment, kept up to date while masks are edited."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

from napari_chest.edits import LUNGS, Edit, MaskAdded, mask_of
from napari_chest.measure.live import Numbers, SegmentNumbers
from napari_chest.ui import wording
from napari_chest.ui.background import Background
from napari_chest.ui.units import Unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from napari_chest.edits import Draft, Step
    from napari_chest.ui.canvas import Canvas
    from napari_chest.ui.session import Session
    from napari_chest.ui.workbench import Workbench


_MOST_AT_ONCE = 2**22
"""Voxels of an edit, beyond which the masks are counted anew: on a thread, as the window would be
held."""


class LiveNumbers:
    """Counts every mask once on a thread, and then only what edits touch."""

    def __init__(self, session: Session, bench: Workbench, canvas: Canvas) -> None:
        self._session = session
        self._bench = bench
        self._canvas = canvas
        self._draft: Draft | None = None
        self._numbers: dict[str, Numbers] = {}
        self._work: Background | None = None
        self._stale = False
        self._complete = False
        canvas.masks.segment_picked.connect(self._show)

    @property
    def busy(self) -> bool:
        """Whether masks are being counted."""
        return self._work is not None

    def begin_case(self) -> None:
        """Forget the case before; there is nothing to count until the next one is complete."""
        self._complete = False
        self._forget()
        self._show()

    def complete_case(self) -> None:
        """Count the masks of a case whose voxels are all there."""
        self._complete = True
        self.count()

    def count(self) -> None:
        """Count the masks of the reading on screen anew."""
        self._forget()
        self._draft = draft = self._session.draft
        self._show()
        if draft is None or not self._complete or not draft.masks():
            return
        names = [mask.name for mask in draft.masks()]
        self._work = Background(
            partial(_counted, draft, names, self._session.hounsfield),
            returned=self._on_counted,
            errored=self._on_error,
        )

    def show_step(self, step: Step | None) -> None:
        """Take note of a step that was done, undone or redone."""
        if isinstance(step, MaskAdded):
            self.count()
        elif isinstance(step, Edit):
            mask = mask_of(step.target)
            self._stale = self._stale or (self.busy and mask is not None)
            if mask in self._numbers and math.prod(step.shape) > _MOST_AT_ONCE:
                self.count()
            elif mask in self._numbers:
                self._update(step, mask)
        self._show()

    def close(self) -> None:
        """Count no more."""
        self._forget()
        self._canvas.masks.segment_picked.disconnect(self._show)

    def _update(self, edit: Edit, mask: str) -> None:
        draft = self._draft
        assert draft is not None
        before, after = edit.before, edit.after
        if draft.undoable is not edit:  # it was undone
            before, after = after, before
        if mask == LUNGS:
            lungs = draft.mask_labels(LUNGS)
            for name, numbers in self._numbers.items():
                if name != LUNGS:
                    labels = draft.mask_labels(name)[edit.box]
                    numbers.update_lungs(lungs, edit.box, before, after, labels)
        self._numbers[mask].update(edit.box, before, after)

    def _on_counted(self, numbers: dict[str, Numbers]) -> None:
        self._work = None
        if self._stale:
            self.count()  # an edit fell between what was counted and what was not
        else:
            self._numbers = numbers
            self._show()

    def _on_error(self, error: Exception) -> None:
        self._work = None
        raise error  # a mistake of ours: napari shows it with its traceback

    def _forget(self) -> None:
        if self._work is not None:
            self._work.let_go()
        self._work, self._numbers, self._stale = None, {}, False

    def _show(self, *_: object) -> None:
        draft, selected, case = self._draft, self._canvas.masks.selected, self._session.open_case
        if draft is None or selected is None or case is None or draft is not self._session.draft:
            self._bench.numbers.show_numbers("", ())
            return
        mask, value = selected
        names = {(m.name, s.value): s.name for m in draft.masks() for s in m.segments}
        if selected not in names:
            self._bench.numbers.show_numbers("", ())
            return
        if mask in self._numbers:
            numbers = self._numbers[mask].of(value)
        else:
            numbers = SegmentNumbers(int(draft.voxels(mask)[value]), None, 0, None)
        if mask == LUNGS:
            numbers = numbers._replace(in_lungs=numbers.voxels)
        lungs = _lungs_of(draft)
        parts = told(
            numbers, Unit(case.volume.grid), lungs, several=len(draft.mask_labels(mask)) > 1
        )
        self._bench.numbers.show_numbers(names[selected], parts)


def told(numbers: SegmentNumbers, unit: Unit, lungs: int, *, several: bool) -> Sequence[str]:
    """The numbers of a segment as a person reads them, those first that matter most.

    Parameters
    ----------
    numbers : of the segment.
    unit : of its size.
    lungs : voxels of both lungs.
    several : whether the volume has several slices.
    """
    if not numbers.voxels:
        return ("empty",)
    parts = [unit.text(numbers.voxels)]
    if numbers.mean is not None:
        parts.append(f"mean {numbers.mean:.0f} HU")
    if numbers.in_lungs is not None and lungs:
        parts.append(f"{100 * numbers.in_lungs / lungs:.1f} % of lungs")
    if numbers.slices and several:
        parts.append(wording.count(numbers.slices, "slice"))
    return parts


def _counted(
    draft: Draft, names: Sequence[str], voxels: npt.NDArray[Any] | None
) -> dict[str, Numbers]:
    lungs = draft.mask_labels(LUNGS) if LUNGS in names else None
    return {
        # The lungs lie in themselves, also while an edit changes both.
        name: Numbers(draft.mask_labels(name), voxels, lungs if name != LUNGS else None)
        for name in names
    }


def _lungs_of(draft: Draft) -> int:
    """How many voxels both lungs have."""
    known = any(mask.name == LUNGS for mask in draft.masks())
    return int(draft.voxels(LUNGS)[1:].sum()) if known else 0
