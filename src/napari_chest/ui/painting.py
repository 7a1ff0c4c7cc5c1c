"""Correcting masks: what the mouse paints and the segment list asks for becomes an edit."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_chest.changes import slice_ranges
from napari_chest.edits import Edit, MaskAdded, Protection, mask_of
from napari_chest.edits.protection import one_of
from napari_chest.errors import ProtectedError
from napari_chest.ui.canvas.masks import BRUSH, ERASER, FILL, MOVE, PICKER, POLYGON
from napari_chest.ui.units import Unit
from napari_chest.ui.widgets.segment_list import SegmentRow

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from napari_chest.edits import Draft, Step
    from napari_chest.edits.steps import Box
    from napari_chest.model import MaskOffer
    from napari_chest.ui.canvas import Canvas
    from napari_chest.ui.session import Session
    from napari_chest.ui.workbench import Workbench

_VERBS = {BRUSH: "brush", FILL: "fill", POLYGON: "polygon"}
_BRUSH_STEP = 1.25
_NOWHERE = (slice(0, 0),) * 3


class Painting:
    """Edits the masks on screen, and keeps the segment list and the tools in step with them."""

    def __init__(self, session: Session, bench: Workbench, canvas: Canvas) -> None:
        self._session = session
        self._bench = bench
        self._canvas = canvas
        self._masks = canvas.masks
        self._shown: Draft | None = None
        self._offers: tuple[MaskOffer, ...] = ()
        self._range: tuple[float, float] | None = None
        self._masks.painted.connect(self._on_painted)
        self._masks.refreshed.connect(self._on_refreshed)
        self._masks.segment_picked.connect(self._show_selected)
        self._masks.tool_changed.connect(bench.tools.show_tool)
        self._masks.brush_changed.connect(self._show_brush)
        self._masks.dropped.connect(self._on_dropped)
        self._masks.removed.connect(self._on_removed)
        self._masks.replaced.connect(self._on_replaced)
        self._masks.brush.refuses = self._refuses
        self._masks.brush.allowed = self._allowed
        self._masks.brush.refused.connect(bench.show_message)
        self._masks.brush.held_back.connect(self._say_protected)
        canvas.brush_stepped.connect(self._step_brush)
        bench.segments.segment_requested.connect(self._masks.select)
        bench.segments.visible_requested.connect(self._set_visible)
        bench.segments.locked_requested.connect(self._set_locked)
        bench.segments.offer_requested.connect(self._add_mask)
        bench.tools.tool_requested.connect(self._set_tool)
        bench.tools.brush_requested.connect(
            lambda size, deep: self._masks.set_brush(size, deep=deep)
        )
        bench.tools.range_requested.connect(self._set_range)
        self._show_brush()

    def actions(self) -> dict[str, Callable[[], Any]]:
        """What the keys of `keys.KEYS` do to masks."""
        return {
            "outline": self._masks.toggle_outline,
            "opacity": self._masks.step_opacity,
            "depth": self._toggle_depth,
            "brush_smaller": partial(self._step_brush, -1),
            "brush_larger": partial(self._step_brush, 1),
            "tool_brush": partial(self._set_tool, BRUSH),
            "tool_eraser": partial(self._set_tool, ERASER),
            "tool_fill": partial(self._set_tool, FILL),
            "tool_pick": partial(self._set_tool, PICKER),
            "tool_move": partial(self._set_tool, MOVE),
            "keep_others": self._toggle_keep_others,
        }

    def select_row(self, row: int) -> None:
        """Let the tools paint the segment in a row of the list."""
        rows = self._bench.segments.rows
        if row < len(rows):
            self._masks.select(rows[row].mask, rows[row].segment.value)

    def show(self, draft: Draft | None) -> None:
        """Show the masks of another reading, or none."""
        self._shown = None  # while masks come and go, what the screen holds belongs to no draft
        self._canvas.show_masks(draft.masks() if draft else ())
        self._shown = draft
        self._offers = self._session.offers()
        self._show_rows()

    def show_step(self, step: Step | None) -> None:
        """Show what a step changed, wherever it came from."""
        draft = self._draft
        if draft is None:
            return
        mask = mask_of(step.target) if isinstance(step, Edit) else None
        if isinstance(step, MaskAdded):
            self.show(draft)
        elif isinstance(step, Edit) and mask is not None:
            self._masks.update(mask, step.box, draft.mask_labels(mask)[step.box])
            self._show_rows()

    def flush(self) -> None:
        """Turn into edits what is on screen but was not announced."""
        self._masks.drop_outline()
        self._masks.flush()
        if self._draft is not None:
            for mask in self._draft.masks():
                shown = self._masks.values(mask.name)
                if shown is not None:
                    self._take(mask.name, shown)

    @property
    def _draft(self) -> Draft | None:
        """The draft whose masks are on screen, if it is the one to edit."""
        return self._shown if self._shown is self._session.draft else None

    # What a stroke may do

    def _refuses(self, mask: str, value: int) -> str:
        """Why a stroke with a value, 0 to erase, cannot be begun on a mask."""
        draft = self._draft
        if draft is None:
            return "There is no reading to correct."
        if draft.read_only:
            return draft.read_only
        if not self._masks.shown(mask) or value in self._masks.hidden(mask):
            return f"{self._named_value(mask, value)} is hidden. Show it before painting on it."
        if value and value not in self._values(mask):
            return "This value has no segment in the list. Choose a segment."
        if (mask, value) in draft.protection.locks:
            return f"{self._named_value(mask, value)} is locked. Unlock it to paint it."
        try:
            draft.editable(mask, _NOWHERE, self._hounsfield())
        except ProtectedError as error:
            return str(error)
        return ""

    def _allowed(self, mask: str, box: Box, value: int) -> npt.NDArray[np.bool_] | None:
        """The voxels of a box that a stroke may change; None for all."""
        draft = self._draft
        if draft is None:
            return None
        voxels = self._hounsfield()
        allowed = draft.editable(mask, box, voxels)
        if draft.protection.keep_others and value:
            free = draft.mask_labels(mask)[box] == 0
            allowed = free if allowed is None else allowed & free
        if self._range is not None and voxels is not None and value:
            low, high = self._range
            inside = (voxels[box] >= low) & (voxels[box] <= high)
            allowed = inside if allowed is None else allowed & inside
        return allowed

    def _say_protected(self) -> None:
        """Say that something was left as it is; the brush's own range says so by itself."""
        draft = self._draft
        if draft is not None and (draft.read_only or draft.protection != Protection()):
            self._bench.show_message(draft.read_only or "What is protected was left as it is.")

    def _set_range(self, hounsfield: tuple[float, float] | None) -> None:
        """Let the brush paint only where the image lies in a range of HU; the eraser is free."""
        self._range = hounsfield
        self._canvas.set_focus()

    def _hounsfield(self) -> npt.NDArray[Any] | None:
        volume = self._canvas.volume
        return volume.voxels if volume is not None and volume.modality == "CT" else None

    def _values(self, mask: str) -> list[int]:
        return [row.segment.value for row in self._bench.segments.rows if row.mask == mask]

    def _named_value(self, mask: str, value: int) -> str:
        rows = self._bench.segments.rows
        pairs = ((row.mask, row.segment.value, row.segment.name) for row in rows)
        return next((name for owner, v, name in pairs if (owner, v) == (mask, value)), mask)

    # What the tools do

    def _on_painted(self, mask: str, box: Box, values: npt.NDArray[Any], tool: str) -> None:
        draft = self._draft
        if draft is None:
            return
        before = draft.mask_labels(mask)[box]
        wanted = self._named(mask, before, values)
        if not np.array_equal(wanted, values):
            self._bench.show_message(
                "This value has no segment in the list, so nothing was painted. Choose a segment."
            )
        name = self._step_name(mask, box, before, wanted, tool)
        try:
            self._session.paint(name, mask, box, wanted)
        except ProtectedError as error:
            self._bench.show_message(str(error))
        else:
            if not np.array_equal(draft.mask_labels(mask)[box], wanted):
                self._say_protected()
        now = draft.mask_labels(mask)[box]
        self._masks.update(mask, box, now)

    def _named(
        self, mask: str, before: npt.NDArray[Any], values: npt.NDArray[Any]
    ) -> npt.NDArray[Any]:
        """The values where a segment has them or they stood there before; else what stood there."""
        known = one_of(values, [0, *self._values(mask)])
        if values.dtype == before.dtype and known.all():
            return values
        # napari can give a layer another kind of numbers.
        return np.where(known | (values == before), values, before).astype(before.dtype)

    def _step_name(
        self,
        mask: str,
        box: Box,
        before: npt.NDArray[Any],
        after: npt.NDArray[Any],
        tool: str,
    ) -> str:
        """What was done, by what it changed: a brush that takes voxels away erases."""
        changed = before != after
        rows = [row.segment for row in self._bench.segments.rows if row.mask == mask]
        values = set(np.unique(after[changed]).tolist())
        names = [segment.name for segment in rows if segment.value in values]
        what = f"{_VERBS.get(tool, 'edit')} {' and '.join(names)}" if names else "erase"
        volume = self._canvas.volume
        if volume is not None and volume.grid.shape[0] == 1:
            return what
        slices = (np.flatnonzero(changed.any(axis=(1, 2))) + box[0].start).tolist()
        return f"{what} on {'slice' if len(slices) == 1 else 'slices'} {slice_ranges(slices)}"

    def _on_dropped(self, z: int) -> None:
        self._bench.show_message(f"The outline begun on slice {z + 1} was not closed: dropped.")

    def _on_removed(self, mask: str) -> None:
        text = f"The layer of {mask} was removed. Its strokes are kept: open the case again."
        self._bench.show_message(text, "bad")

    def _on_replaced(self, mask: str, given: npt.NDArray[Any]) -> None:
        """Take over the array that another program gave a layer, as one edit."""
        draft = self._draft
        if draft is None:
            return
        now = draft.mask_labels(mask)
        values = np.asarray(given)
        if values.shape == now.shape and values.dtype.kind in "iub":
            self._take(mask, values)
        else:
            self._bench.show_message(
                f"Another program gave {mask} an array of {values.shape} {values.dtype} where "
                f"{now.shape} whole numbers belong. It was not taken.",
                "bad",
            )
        self._masks.give(mask, draft.mask_labels(mask))

    def _on_refreshed(self, mask: str, box: Box, values: npt.NDArray[Any]) -> None:
        draft = self._draft
        if draft is None or np.array_equal(values, draft.mask_labels(mask)[box]):
            return
        shown = self._masks.values(mask)
        if shown is not None:
            self._take(mask, shown)

    def _take(self, mask: str, shown: npt.NDArray[Any]) -> None:
        """Make an edit of what another program painted into the layer."""
        draft = self._draft
        if draft is not None and not np.array_equal(shown, draft.mask_labels(mask)):
            whole = tuple(slice(0, length) for length in shown.shape)
            self._on_painted(mask, whole, shown.copy(), "")

    # What the widgets ask for

    def _set_tool(self, tool: str) -> None:
        if self._masks.selected is None and not self._bench.segments.rows:
            self._bench.show_message("There is no mask to paint on. Add one first.")
        self._masks.set_tool(tool)
        self._canvas.set_focus()

    def _step_brush(self, notches: int) -> None:
        brush = self._masks.brush
        size = self._bench.tools.bounded(brush.size * _BRUSH_STEP**notches)
        self._masks.set_brush(size, deep=brush.deep)

    def _toggle_depth(self) -> None:
        brush = self._masks.brush
        self._masks.set_brush(brush.size, deep=not brush.deep)

    def _toggle_keep_others(self) -> None:
        draft = self._session.draft
        if draft is not None:
            keep = not draft.protection.keep_others
            self._session.protect(replace(draft.protection, keep_others=keep))
            self._bench.show_message(
                "No segment takes a voxel from another."
                if keep
                else "One segment may be painted over another."
            )

    def _set_visible(self, mask: str, value: int, visible: bool) -> None:
        hidden = self._masks.hidden(mask)
        self._masks.hide(mask, hidden - {value} if visible else hidden | {value})
        self._show_rows()

    def _set_locked(self, mask: str, value: int, locked: bool) -> None:
        draft = self._session.draft
        if draft is not None:
            pair = frozenset({(mask, value)})
            self._session.lock(draft.locks | pair if locked else draft.locks - pair)
            self._show_rows()

    def _add_mask(self, offer: MaskOffer) -> None:
        self.flush()
        self._session.add_mask(offer)
        self._masks.select(offer.name, offer.segments[0].value)

    # What is shown

    def _show_rows(self) -> None:
        draft, volume = self._session.draft, self._canvas.volume
        if draft is None or volume is None or self._session.dataset is None:
            self._bench.segments.show_rows((), ())
            self._bench.tools.hide()
            return
        unit = Unit(volume.grid)
        rows = [
            SegmentRow(
                mask.name,
                segment,
                unit.text(int(draft.voxels(mask.name)[segment.value])),
                visible=segment.value not in self._masks.hidden(mask.name),
                locked=(mask.name, segment.value) in draft.locks,
            )
            for mask in draft.masks()
            for segment in mask.segments
        ]
        self._bench.segments.show_rows(rows, self._offers)
        self._show_selected()
        self._bench.tools.setVisible(bool(rows))

    def _show_selected(self, *_: object) -> None:
        selected = self._masks.selected
        self._bench.segments.show_selected(*(selected or ("", 0)))

    def _show_brush(self) -> None:
        brush = self._masks.brush
        self._bench.tools.show_brush(brush.size, deep=brush.deep)
