"""The one door that every change passes: drafts, the steps that change them, and their rules."""

from napari_chest.edits.draft import Draft
from napari_chest.edits.fingerprint import fingerprint
from napari_chest.edits.history import History
from napari_chest.edits.protection import Locks, Protection, protect
from napari_chest.edits.records import decode_step, encode_step
from napari_chest.edits.slice_labels import settle
from napari_chest.edits.steps import (
    LUNGS,
    SLICE_LABELS,
    AnswerEdit,
    Box,
    Edit,
    MaskAdded,
    Move,
    Step,
    edit_between,
    mask_of,
    mask_target,
)

__all__ = [
    "LUNGS",
    "SLICE_LABELS",
    "AnswerEdit",
    "Box",
    "Draft",
    "Edit",
    "History",
    "Locks",
    "MaskAdded",
    "Move",
    "Protection",
    "Step",
    "decode_step",
    "edit_between",
    "encode_step",
    "fingerprint",
    "mask_of",
    "mask_target",
    "protect",
    "settle",
]
