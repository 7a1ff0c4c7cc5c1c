"""Reads NIfTI volumes and corrects label images, in single files with or without gzip.

``read_header`` and ``grid_of`` look at a file, ``stream_nifti`` reads its voxels, ``read_labels``
reads a label image to be corrected, ``labels_like`` and ``labels_on_grid`` make a new one.
"""

from napari_chest.files.nifti.header import NiftiHeader, grid_of, read_header, same_grid
from napari_chest.files.nifti.labels import LabelFile, read_labels
from napari_chest.files.nifti.new import ON_GRID, labels_like, labels_on_grid
from napari_chest.files.nifti.stream import stream_nifti

__all__ = [
    "ON_GRID",
    "LabelFile",
    "NiftiHeader",
    "grid_of",
    "labels_like",
    "labels_on_grid",
    "read_header",
    "read_labels",
    "same_grid",
    "stream_nifti",
]
