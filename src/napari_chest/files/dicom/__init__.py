"""Reads CT series from folders of DICOM files: index, order, decode.

``index_folder`` reads the headers, ``main_series`` picks the series to show, ``stream_series``
decodes its voxels. Files are only ever read.
"""

from napari_chest.files.dicom.header import SliceHeader, read_header
from napari_chest.files.dicom.pixels import AIR_HU
from napari_chest.files.dicom.series import Series, index_folder, main_series
from napari_chest.files.dicom.stream import stream_series

__all__ = [
    "AIR_HU",
    "Series",
    "SliceHeader",
    "index_folder",
    "main_series",
    "read_header",
    "stream_series",
]
