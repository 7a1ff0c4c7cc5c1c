"""The one door that every change passes: drafts, the steps that change them, and their rules."""

from napari_chest.edits.draft import Draft
from napari_chest.edits.history import History
from napari_chest.edits.protection import Locks, protect
from napari_chest.edits.slice_labels import settle
from napari_chest.edits.steps import (
    SLICE_LABELS,
    AnswerEdit,
    Edit,
    MaskAdded,
    Step,
    edit_between,
    mask_of,
    mask_target,
)

__all__ = [
    "SLICE_LABELS",
    "AnswerEdit",
    "Draft",
    "Edit",
    "History",
    "Locks",
    "MaskAdded",
    "Step",
    "edit_between",
    "mask_of",
    "mask_target",
    "protect",
    "settle",
]
