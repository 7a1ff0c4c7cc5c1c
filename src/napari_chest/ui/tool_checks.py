"""Which segment is chosen, and why a tool cannot be used on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_chest.edits import Draft
    from napari_chest.model import Mask, Segment
    from napari_chest.tools.base import Tool
    from napari_chest.ui.canvas.masks import Masks

NOTHING_CHOSEN = "Choose a segment in the list first: tools work on one."


def chosen(draft: Draft | None, masks: Masks) -> tuple[Mask, Segment] | None:
    """The mask and the segment that tools work on; None where none is chosen."""
    for mask in draft.masks() if draft is not None else ():
        for segment in mask.segments:
            if (mask.name, segment.value) == masks.selected:
                return mask, segment
    return None


def others(draft: Draft | None, masks: Masks) -> Sequence[Segment]:
    """The other segments of the mask of the chosen one."""
    found = chosen(draft, masks)
    return () if found is None else [one for one in found[0].segments if one != found[1]]


def why_no_edit(draft: Draft | None, *, complete: bool) -> str:
    """Why nothing can be changed; empty where it can.

    Parameters
    ----------
    draft : the reading on screen.
    complete : whether all voxels of its image are there.
    """
    if draft is None:
        return "There is no reading to correct."
    if not complete:
        return "The case is still being read. One moment, then use it again."
    return draft.read_only


def why_not(tool: Tool, draft: Draft | None, masks: Masks, *, complete: bool) -> str:
    """Why a tool cannot be used; empty where it can."""
    refusal = why_no_edit(draft, complete=complete)
    if refusal or draft is None:
        return refusal
    found = chosen(draft, masks)
    if found is None:
        return NOTHING_CHOSEN
    mask, segment = found
    if not masks.shown(mask.name) or segment.value in masks.hidden(mask.name):
        return f"{segment.name} is hidden. Show it before using a tool on it."
    if (mask.name, segment.value) in draft.protection.locks:
        return f"{segment.name} is locked. Unlock it to use a tool on it."
    if tool.needs == "segment" and not draft.voxels(mask.name)[segment.value]:
        return f"{segment.name} is empty, so there is nothing to work on. Paint it first."
    return ""
