"""Finds the images of a dataset of DICOM files wherever they lie in its folders.

``index_tree`` reads every header once and remembers it, ``stream_tree_series`` opens a series and
``stream_tree_image`` a radiograph.
"""

from napari_chest.files.dicom.tree.entries import TreeEntry, TreeHeader
from napari_chest.files.dicom.tree.index import DicomTree, index_tree
from napari_chest.files.dicom.tree.series import TreeSeries
from napari_chest.files.dicom.tree.stream import (
    read_patient_id,
    read_tree_series,
    stream_tree_image,
    stream_tree_series,
)

__all__ = [
    "DicomTree",
    "TreeEntry",
    "TreeHeader",
    "TreeSeries",
    "index_tree",
    "read_patient_id",
    "read_tree_series",
    "stream_tree_image",
    "stream_tree_series",
]
