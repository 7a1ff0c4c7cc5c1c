"""Reads the values of DICOM elements from their bytes; what is no value is None or empty.

Numbers are tolerated as writers make them (``1.0`` as an integer string), but must be finite and of
a size that patients and scanners have, so that later arithmetic holds.
"""

from __future__ import annotations

from struct import unpack_from
from typing import TYPE_CHECKING, Final

from pydicom.charset import convert_encodings, decode_bytes

from napari_chest.files.dicom import tags
from napari_chest.files.dicom.fallback import quiet_pydicom

if TYPE_CHECKING:
    from collections.abc import Mapping

    Values = Mapping[int, bytes]

_LARGEST_NUMBER: Final = 1e9


def text(values: Values, tag: int, codes: bytes = b"") -> str:
    """A string, without its padding; ``codes`` is the value of Specific Character Set."""
    value = values.get(tag)
    if not value:
        return ""
    try:
        decoded = value.decode("ascii")
    except UnicodeDecodeError:
        decoded = _decode(value, codes)
    return decoded.strip(" \0")


def texts(values: Values, tag: int) -> tuple[str, ...]:
    """All values of a string."""
    whole = text(values, tag)
    return tuple(part.strip() for part in whole.split("\\")) if whole else ()


def numbers(values: Values, tag: int) -> tuple[float, ...]:
    """All values of a decimal string, or nothing when one of them is no number."""
    value = values.get(tag)
    if not value:
        return ()
    try:
        found = tuple(map(float, value.strip(b" \0").split(b"\\")))
    except ValueError:
        return ()
    for one in found:
        if not abs(one) < _LARGEST_NUMBER:  # false for NaN too
            return ()
    return found


def number(values: Values, tag: int) -> float | None:
    """The first value of a decimal string."""
    found = numbers(values, tag)
    return found[0] if found else None


def number_or_double(values: Values, tag: int, order: str) -> float | None:
    """A decimal string, which enhanced CT writes as an 8-byte float."""
    found = number(values, tag)
    value = values.get(tag, b"")
    if found is None and len(value) == 8:
        (double,) = unpack_from(order + "d", value)
        return float(double) if abs(double) < _LARGEST_NUMBER else None
    return found


def integer(values: Values, tag: int) -> int | None:
    """The first value of an integer string."""
    found = number(values, tag)
    return None if found is None else int(found)


def short(values: Values, tag: int, order: str, *, signed: bool = False) -> int | None:
    """The first value of a 16-bit integer; ``order`` is ``<`` or ``>``."""
    value = values.get(tag)
    if value is None or len(value) < 2:
        return None
    return int(unpack_from(order + ("h" if signed else "H"), value)[0])


def acquisition(values: Values, order: str) -> int | None:
    """Acquisition Number, of the frame where it has its own."""
    found = short(values, tags.FRAME_ACQUISITION_NUMBER, order)
    return integer(values, tags.ACQUISITION_NUMBER) if found is None else found


def position(values: Values) -> tuple[float, float, float] | None:
    """Image Position (Patient)."""
    match numbers(values, tags.POSITION):
        case (x, y, z):
            return x, y, z
    return None


def orientation(values: Values) -> tuple[float, float, float, float, float, float] | None:
    """Image Orientation (Patient)."""
    match numbers(values, tags.ORIENTATION):
        case (rx, ry, rz, cx, cy, cz):
            return rx, ry, rz, cx, cy, cz
    return None


def spacing(values: Values) -> tuple[float, float] | None:
    """Pixel Spacing, where both distances are more than nothing."""
    match numbers(values, tags.PIXEL_SPACING):
        case (between_rows, between_columns) if between_rows > 0 and between_columns > 0:
            return between_rows, between_columns
    return None


def frame_offsets(values: Values) -> tuple[bytes, bytes] | None:
    """The extended offset table and its lengths, where there are both (PS3.3 C.7.6.3.1.8)."""
    offsets, lengths = values.get(tags.FRAME_OFFSETS), values.get(tags.FRAME_LENGTHS)
    return (offsets, lengths) if offsets and lengths else None


def _decode(value: bytes, codes: bytes) -> str:
    try:
        with quiet_pydicom():
            encodings = convert_encodings(codes.decode("ascii").strip(" \0").split("\\"))
            return str(decode_bytes(value, encodings, set()))
    except (LookupError, ValueError):
        return value.decode("latin-1")
