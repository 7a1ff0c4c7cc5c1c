"""What is protected: asked for in its row, kept by the session, and always told."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import partial
from typing import TYPE_CHECKING

from napari_chest.edits import LUNGS
from napari_chest.tools.lungs import LUNG_SEGMENTS
from napari_chest.ui.widgets.protection import Choices, Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_chest.edits import Draft
    from napari_chest.ui.canvas import Canvas
    from napari_chest.ui.session import Session
    from napari_chest.ui.workbench import Workbench

BOTH_LUNGS = frozenset(segment.value for segment in LUNG_SEGMENTS)


class Protecting:
    """Keeps the row and the session in step.

    Parameters
    ----------
    session, bench, canvas : what is connected.
    find_lungs : gives the reading its lungs, and then calls what it is given.
    """

    def __init__(
        self,
        session: Session,
        bench: Workbench,
        canvas: Canvas,
        find_lungs: Callable[[Callable[[], None]], None],
    ) -> None:
        self._session = session
        self._bench = bench
        self._canvas = canvas
        self._find_lungs = find_lungs
        bench.protection.protection_requested.connect(self._protect)
        canvas.slice_changed.connect(bench.protection.show_slice)
        session.protection_changed.connect(self.show)

    def close(self) -> None:
        """Listen to the session no more, which outlives the dock."""
        self._session.protection_changed.disconnect(self.show)
        self._canvas.slice_changed.disconnect(self._bench.protection.show_slice)

    def show(self) -> None:
        """Show what is protected in the reading on screen, and what could be."""
        draft, volume, row = self._session.draft, self._canvas.volume, self._bench.protection
        has_masks = draft is not None and volume is not None and bool(draft.masks())
        row.setVisible(has_masks)
        if draft is None or volume is None:
            return
        row.show_hounsfield(volume.modality == "CT")
        row.show_slices(volume.grid.shape[0])
        row.show_slice(self._canvas.slice)
        row.show_places(_places(draft, hounsfield=volume.modality == "CT"))
        now = draft.protection
        row.show_protection(Choices(now.hounsfield, now.inside, now.slices, now.keep_others))

    def _protect(self, wanted: Choices) -> None:
        draft = self._session.draft
        if draft is None:
            return
        known = {mask.name for mask in draft.masks()}
        if wanted.inside is not None and wanted.inside[0] == LUNGS and LUNGS not in known:
            self.show()  # nothing is protected until the lungs are there
            self._find_lungs(partial(self._protect_in, draft, wanted))
            return
        self._protect_in(draft, wanted)

    def _protect_in(self, draft: Draft, wanted: Choices) -> None:
        if self._session.draft is draft:
            chosen = {one.name: getattr(wanted, one.name) for one in fields(wanted)}
            self._session.protect(replace(draft.protection, **chosen))


def _places(draft: Draft, *, hounsfield: bool) -> list[Place]:
    """The lungs, which are looked for when they are asked for, and segments of other masks."""
    masks = draft.masks()
    others = [mask for mask in masks if mask.name != LUNGS]
    places = [Place("lungs", LUNGS, BOTH_LUNGS)] if hounsfield else []
    if any(mask.name == LUNGS for mask in masks):
        places += [Place(one.name, LUNGS, frozenset({one.value})) for one in LUNG_SEGMENTS]
    if len(others) > 1:  # a mask is not held inside itself
        places += [
            Place(segment.name, mask.name, frozenset({segment.value}))
            for mask in others
            for segment in mask.segments
        ]
    return places
