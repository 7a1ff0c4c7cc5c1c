"""CT slices as DICOM files, for phantoms of every layout.

pydicom's writer completes and checks what it writes. Published files lack what it completes and
hold what it refuses (dashed UIDs, empty identifiers), so a slice is put together here from
separately encoded elements. What all slices share is encoded once, which is also ten times faster.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
from pydicom import config
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.encaps import encapsulate
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element
from pydicom.uid import CTImageStorage, JPEGLosslessSV1

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy.typing as npt

INTERCEPT = -1024
"""Rescale Intercept of every slice; the slope is 1."""

BITS_STORED = 12
_STORED_MAX = 2**BITS_STORED - 1
_PIXEL_DATA = 0x7FE00010

Elements = dict[int, bytes]
"""Encoded data elements by tag."""


def encode_elements(values: Mapping[str, object]) -> Elements:
    """Encode data elements, given by keyword, as explicit VR little endian without checking them.

    An empty string or ``None`` makes an empty element.
    """
    elements: Elements = {}
    for keyword, value in values.items():
        tag = tag_for_keyword(keyword)
        if tag is None:
            raise KeyError(f"{keyword} is not the keyword of a DICOM data element")
        vr = dictionary_VR(tag).split(" or ")[0]  # unsigned, where it follows the pixels
        element = DataElement(tag, vr, value, validation_mode=config.IGNORE)
        stream = DicomBytesIO()
        stream.is_little_endian, stream.is_implicit_VR = True, False
        write_data_element(stream, element, ["latin-1"])
        elements[int(tag)] = stream.getvalue()
    return elements


def to_stored(voxels: npt.NDArray[np.int16]) -> npt.NDArray[np.uint16]:
    """Stored 12-bit values of Hounsfield units, of the same shape; HU outside are clipped."""
    stored = np.clip(voxels.astype(np.int32) - INTERCEPT, 0, _STORED_MAX)
    return stored.astype(np.uint16)


def write_slice(
    path: Path, stored: npt.NDArray[np.uint16], shared: Elements, own: Mapping[str, object]
) -> None:
    """Write one CT slice as JPEG Lossless (selection value 1) with minimal file meta information.

    Parameters
    ----------
    path : the file to write.
    stored : (rows, columns) unsigned stored values of 12 bits.
    shared : elements of all slices of the series, encoded once by `encode_elements`.
    own : further elements of this slice by keyword; they win over the shared ones.
    """
    stored = np.ascontiguousarray(stored)
    frame = imagecodecs.jpeg8_encode(stored, lossless=True, predictor=1, bitspersample=BITS_STORED)
    pixels = encapsulate([bytes(frame)], has_bot=False)
    elements = shared | encode_elements(
        {
            **own,
            "Rows": stored.shape[0],
            "Columns": stored.shape[1],
            "SmallestImagePixelValue": int(stored.min()),
            "LargestImagePixelValue": int(stored.max()),
        }
    )
    elements[_PIXEL_DATA] = b"\xe0\x7f\x10\x00OB\x00\x00\xff\xff\xff\xff" + pixels + _SEQUENCE_END
    path.write_bytes(_FILE_START + b"".join(elements[tag] for tag in sorted(elements)))


def _file_start() -> bytes:
    meta = encode_elements(
        {"MediaStorageSOPClassUID": CTImageStorage, "TransferSyntaxUID": JPEGLosslessSV1}
    )
    body = b"".join(meta[tag] for tag in sorted(meta))
    length = b"".join(encode_elements({"FileMetaInformationGroupLength": len(body)}).values())
    return bytes(128) + b"DICM" + length + body


_SEQUENCE_END = b"\xfe\xff\xdd\xe0\x00\x00\x00\x00"
_FILE_START = _file_start()
