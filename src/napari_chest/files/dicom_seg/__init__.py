"""DICOM Segmentation: masks written for other programs, and read again to prove it.

``write_seg`` writes one object for one reader and series, ``read_seg`` reads it with other means,
``compare_seg`` holds it against what was meant.
"""

from napari_chest.files.dicom_seg.comparison import Comparison, compare_seg
from napari_chest.files.dicom_seg.reader import SegFile, SegFrame, SegSegment, read_seg
from napari_chest.files.dicom_seg.source import Source, read_source
from napari_chest.files.dicom_seg.writer import SegIdentity, encode_seg, write_seg

__all__ = [
    "Comparison",
    "SegFile",
    "SegFrame",
    "SegIdentity",
    "SegSegment",
    "Source",
    "compare_seg",
    "encode_seg",
    "read_seg",
    "read_source",
    "write_seg",
]
