"""MD.ai's annotation exports (JSON), corrected without touching what stands around."""

from napari_chest.files.mdai.container import MAX_BYTES
from napari_chest.files.mdai.edits import Add, Delete, MdaiEdit, ReplaceData
from napari_chest.files.mdai.file import MdaiFile, is_mdai, parse_mdai, read_mdai
from napari_chest.files.mdai.new import MdaiSlice, new_mdai
from napari_chest.files.mdai.records import MdaiAnnotation, MdaiGroup, MdaiLabel
from napari_chest.files.mdai.shapes import Shape, mask_of, ring_data

__all__ = [
    "MAX_BYTES",
    "Add",
    "Delete",
    "MdaiAnnotation",
    "MdaiEdit",
    "MdaiFile",
    "MdaiGroup",
    "MdaiLabel",
    "MdaiSlice",
    "ReplaceData",
    "Shape",
    "is_mdai",
    "mask_of",
    "new_mdai",
    "parse_mdai",
    "read_mdai",
    "ring_data",
]
