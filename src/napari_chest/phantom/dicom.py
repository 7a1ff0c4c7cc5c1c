"""CT slices as DICOM files, for phantoms of every layout.

pydicom's writer completes and checks what it writes. Published files lack what it completes and
hold what it refuses (dashed UIDs, empty identifiers), so a slice is put together here from
separately encoded elements. What all slices share is encoded once, which is also ten times faster.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
from pydicom import config
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.encaps import encapsulate
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, JPEGLosslessSV1

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


@dataclass(frozen=True)
class Encoding:
    """How the pixels of an image are stored: as JPEG Lossless or as they are, in so many bits."""

    lossless: bool
    bits: int = BITS_STORED
    signed: bool = False

    @property
    def headers(self) -> dict[str, object]:
        """What an image's header says of it, by keyword."""
        return {
            "SamplesPerPixel": 1,
            "BitsAllocated": 16,
            "BitsStored": self.bits,
            "HighBit": self.bits - 1,
            "PixelRepresentation": int(self.signed),
        }


def encode_elements(values: Mapping[str, object], *, signed: bool = False) -> Elements:
    """Encode data elements, given by keyword, as explicit VR little endian without checking them.

    An empty string or ``None`` makes an empty element. ``signed`` says what pixel values are.
    """
    elements: Elements = {}
    for keyword, value in values.items():
        tag = tag_for_keyword(keyword)
        if tag is None:
            raise KeyError(f"{keyword} is not the keyword of a DICOM data element")
        kinds = dictionary_VR(tag).split(" or ")  # several where they follow the pixels
        vr = "SS" if signed and "SS" in kinds else kinds[0]
        element = DataElement(tag, vr, value, validation_mode=config.IGNORE)
        stream = DicomBytesIO()
        stream.is_little_endian, stream.is_implicit_VR = True, False
        write_data_element(stream, element, ["latin-1"])
        elements[int(tag)] = stream.getvalue()
    return elements


def decimal_string(value: float) -> str:
    """A number as DICOM writes decimals, in the 16 characters it allows."""
    return f"{value:.10f}".rstrip("0").rstrip(".")[:16]


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
    elements = shared | encode_elements(
        {
            **own,
            "Rows": stored.shape[0],
            "Columns": stored.shape[1],
            "SmallestImagePixelValue": int(stored.min()),
            "LargestImagePixelValue": int(stored.max()),
        }
    )
    elements[_PIXEL_DATA] = _compressed(stored, BITS_STORED)
    path.write_bytes(_FILE_START + _joined(elements))


def write_image(
    path: Path,
    stored: npt.NDArray[np.integer],
    encoding: Encoding,
    shared: Elements,
    own: Mapping[str, object],
) -> None:
    """Write one image with the file meta information that the standard asks for.

    Parameters
    ----------
    path : the file to write.
    stored : (rows, columns) stored values, which fit the encoding.
    encoding : of the pixels; the header elements that tell it are added.
    shared : elements of all images of the series, encoded once by `encode_elements`.
    own : further elements of this image by keyword, with its class and its UID; they win.
    """
    elements = shared | encode_elements(
        {**encoding.headers, **own, "Rows": stored.shape[0], "Columns": stored.shape[1]},
        signed=encoding.signed,
    )
    values = stored.astype("<i2" if encoding.signed else "<u2").view("<u2")
    elements[_PIXEL_DATA] = (
        _compressed(values, encoding.bits) if encoding.lossless else _uncompressed(values)
    )
    syntax = JPEGLosslessSV1 if encoding.lossless else ExplicitVRLittleEndian
    start = _file_start(
        {
            "FileMetaInformationVersion": b"\x00\x01",
            "MediaStorageSOPClassUID": own["SOPClassUID"],
            "MediaStorageSOPInstanceUID": own["SOPInstanceUID"],
            "TransferSyntaxUID": syntax,
            "ImplementationClassUID": _IMPLEMENTATION,
        }
    )
    path.write_bytes(start + _joined(elements))


def _compressed(stored: npt.NDArray[np.uint16], bits: int) -> bytes:
    """The element of the pixels as JPEG Lossless, selection value 1."""
    stored = np.ascontiguousarray(stored)
    frame = imagecodecs.jpeg8_encode(stored, lossless=True, predictor=1, bitspersample=bits)
    pixels = encapsulate([bytes(frame)], has_bot=False)
    return b"\xe0\x7f\x10\x00OB\x00\x00\xff\xff\xff\xff" + pixels + _SEQUENCE_END


def _uncompressed(stored: npt.NDArray[np.uint16]) -> bytes:
    """The element of the pixels as they are; whole words, so always an even length."""
    pixels = stored.tobytes()
    return b"\xe0\x7f\x10\x00OW\x00\x00" + len(pixels).to_bytes(4, "little") + pixels


def _file_start(values: Mapping[str, object]) -> bytes:
    body = _joined(encode_elements(values))
    length = _joined(encode_elements({"FileMetaInformationGroupLength": len(body)}))
    return bytes(128) + b"DICM" + length + body


def _joined(elements: Elements) -> bytes:
    return b"".join(elements[tag] for tag in sorted(elements))


_SEQUENCE_END = b"\xfe\xff\xdd\xe0\x00\x00\x00\x00"
_IMPLEMENTATION = "2.25.76401482203514983"
_FILE_START = _file_start(
    {"MediaStorageSOPClassUID": CTImageStorage, "TransferSyntaxUID": JPEGLosslessSV1}
)
