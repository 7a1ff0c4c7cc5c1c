"""Outlines in AIM 4 documents (XML), corrected without touching what stands around them.

Coordinates in AIM count from the corner of the top-left pixel: the centre of pixel (y, x) lies at
(x + 0.5, y + 0.5). The documents are those of XNAT's OHIF viewer; those of others are read as far
as they say the same things.
"""

from napari_chest.files.aim.file import (
    AimFile,
    differ_elsewhere,
    is_aim,
    new_aim,
    parse_aim,
    read_aim,
)
from napari_chest.files.aim.records import AimImage, AimPolygon, AimRoi

__all__ = [
    "AimFile",
    "AimImage",
    "AimPolygon",
    "AimRoi",
    "differ_elsewhere",
    "is_aim",
    "new_aim",
    "parse_aim",
    "read_aim",
]
