"""Decodes one frame of a DICOM file to Hounsfield units, straight into its place in the volume."""

from __future__ import annotations

from struct import unpack_from
from typing import TYPE_CHECKING, Any, Final

import imagecodecs
import numpy as np
from pydicom.encaps import get_frame

from napari_chest.errors import ReadError
from napari_chest.files.dicom import tags
from napari_chest.files.dicom.fallback import decode_with_pydicom, syntax_name
from napari_chest.files.dicom.walk import body_offset, inflate

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import BufferedReader

    import numpy.typing as npt

    from napari_chest.files.dicom.header import SliceHeader

    Stored = npt.NDArray[Any]
    Decode = Callable[[bytes, Stored], None]

AIR_HU: Final = -1024
"""Hounsfield units shown where nothing was measured: padding, and slices that are not there yet."""

_LOWEST, _HIGHEST = -(2**15), 2**15 - 1
_SLACK: Final = 64 * 1024
"""Bytes beyond twice the uncompressed frame that no compressed frame exceeds."""


def _jpeg(data: bytes, out: Stored) -> None:
    imagecodecs.jpeg8_decode(data, out=out)


def _jpeg_ls(data: bytes, out: Stored) -> None:
    imagecodecs.jpegls_decode(data, out=out)


def _jpeg_2000(data: bytes, out: Stored) -> None:
    imagecodecs.jpeg2k_decode(data, out=out, numthreads=1)


def _rle(data: bytes, out: Stored) -> None:
    # The codec follows the header's offsets wherever they lead (DICOM PS3.5 G.5).
    header = np.frombuffer(data, "<u4", min(16, len(data) // 4))
    segments = int(header[0]) if len(header) == 16 else 0
    offsets = header[1 : 1 + segments]
    if not 1 <= segments <= 15 or offsets.min() < 64 or offsets.max() > len(data):
        raise ValueError("the offsets of its RLE segments lead out of the data")
    decoded = imagecodecs.dicomrle_decode(data, out.dtype)
    out[...] = np.frombuffer(decoded, out.dtype).reshape(out.shape)


# All of these release the GIL, and all but RLE refuse an `out` of another size than the image's
# before they allocate anything (DICOM PS3.5 annex A.4).
_CODECS: Final[dict[str, Decode]] = {
    "1.2.840.10008.1.2.5": _rle,
    **dict.fromkeys((f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 57, 70)), _jpeg),
    **dict.fromkeys((f"1.2.840.10008.1.2.4.{n}" for n in (80, 81)), _jpeg_ls),
    **dict.fromkeys((f"1.2.840.10008.1.2.4.{n}" for n in (90, 91, 201, 202, 203)), _jpeg_2000),
}


def decode_into(header: SliceHeader, out: npt.NDArray[np.int16]) -> None:
    """Read one image and put its Hounsfield units into ``out``, (rows, columns) int16, contiguous.

    Values are rescaled with this image's own slope and intercept, rounded, and held within int16;
    padding becomes `AIR_HU` (DICOM PS3.3 C.7.5.1.1.2 and C.11.1.1.2). When it fails, ``out`` may
    hold anything.

    Raises
    ------
    ReadError
        when the file vanished, is damaged, or has a transfer syntax that nothing here decodes.
    """
    stored, high_bit = _read_stored(header, out)
    if not _shift_in_place(header, stored, high_bit, out):
        values = _clean(header, stored, high_bit)
        padding = _padding(header, values)
        _rescale(header, values, out)
        _fill(out, padding)


def read_stored(header: SliceHeader) -> Stored:
    """The stored values of one image, (rows, columns), integers of 8, 16 or 32 bits.

    Raises
    ------
    ReadError
        when the file vanished, is damaged, or has a transfer syntax that nothing here decodes.
    """
    scratch = np.empty((header.rows, header.columns), np.int16)
    stored, high_bit = _read_stored(header, scratch)
    return _clean(header, stored, high_bit)


def _read_stored(header: SliceHeader, scratch: npt.NDArray[np.int16]) -> tuple[Stored, int]:
    """Stored values and their high bit; compressed ones are decoded into ``scratch`` if fit."""
    try:
        if header.transfer_syntax in tags.UNCOMPRESSED:
            return _uncompressed(header), header.high_bit
        stored = _decompressed(header, _encapsulated_frame(header), scratch)
        return stored, min(header.bits_stored, stored.dtype.itemsize * 8) - 1  # as codecs put them
    except ReadError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise ReadError(header.path, f"the file cannot be read ({reason}).") from error
    except Exception as error:  # a damaged file makes codecs raise many kinds
        name = syntax_name(header.transfer_syntax)
        raise ReadError(
            header.path, f"its pixel data ({name}) cannot be decoded ({error})."
        ) from error


def _stored_type(header: SliceHeader) -> np.dtype[Any]:
    if header.samples_per_pixel != 1 or header.bits_allocated not in (8, 16, 32):
        raise ReadError(
            header.path,
            f"it has {header.samples_per_pixel} x {header.bits_allocated} bits per pixel; "
            "a CT image has 1 x 16.",
        )
    order = ">" if header.transfer_syntax == tags.EXPLICIT_BE else "<"
    kind = "i" if header.pixel_representation else "u"
    return np.dtype(f"{order}{kind}{header.bits_allocated // 8}")


def _uncompressed(header: SliceHeader) -> Stored:
    dtype = _stored_type(header)
    if dtype.itemsize == 1 and header.transfer_syntax == tags.EXPLICIT_BE:
        return _odd(header)  # 8-bit values may be swapped in 16-bit words
    length = header.rows * header.columns * dtype.itemsize
    start = header.pixel_offset + (header.frame or 0) * length
    with header.path.open("rb", buffering=0) as file:
        if header.transfer_syntax == tags.DEFLATED:
            data = _inflated(file.read(), start + length)[start:]
        else:
            file.seek(start)
            data = file.read(length) or b""
    if len(data) < length:
        raise _too_short(header)
    return np.frombuffer(data, dtype).reshape(header.rows, header.columns)


def _inflated(data: bytes, length: int) -> bytes:
    _, start = body_offset(data)
    return inflate(data[start:], length)[0]


def _encapsulated_frame(header: SliceHeader) -> bytes:
    most = 2 * header.rows * header.columns * header.bits_allocated // 8 + _SLACK
    with header.path.open("rb") as file:
        file.seek(header.pixel_offset)
        if header.frame is not None:
            return _frame_of_many(header, file)
        length = most if header.pixel_length is None else min(header.pixel_length, most)
        return _joined_fragments(header, memoryview(file.read(length)))


def _frame_of_many(header: SliceHeader, file: BufferedReader) -> bytes:
    return get_frame(
        file,
        header.frame or 0,
        extended_offsets=header.frame_offsets,
        number_of_frames=header.number_of_frames,
    )


def _joined_fragments(header: SliceHeader, data: memoryview) -> bytes:
    """The only frame, without its offset table and item headers (DICOM PS3.5 A.4)."""
    fragments: list[memoryview] = []
    position = 0
    while position + 8 <= len(data):
        group, element, length = unpack_from("<HHI", data, position)
        tag = group << 16 | element
        position += 8
        if tag == tags.SEQUENCE_END:
            break
        if tag != tags.ITEM or position + length > len(data):
            raise _too_short(header)
        fragments.append(data[position : position + length])
        position += length
    if len(fragments) < 2:  # the first item is the offset table
        raise _too_short(header)
    return b"".join(fragments[1:])


def _too_short(header: SliceHeader) -> ReadError:
    return ReadError(
        header.path,
        "its pixel data are damaged or end too early. Copy or download the file again.",
    )


def _decompressed(header: SliceHeader, data: bytes, scratch: npt.NDArray[np.int16]) -> Stored:
    decode = _CODECS.get(header.transfer_syntax)
    kind = "i" if _stored_type(header).kind == "i" else "u"
    if decode is None:
        return _odd(header)
    # libjpeg writes 8-bit images into bytes, whatever the header allocates
    sizes = (2, 1) if header.bits_allocated == 16 else (1,)
    for size in sizes:
        out: Stored = scratch if size == 2 else np.empty(scratch.shape, np.uint8)
        try:
            decode(data, out.view(f"u{size}"))
        except Exception:  # noqa: S112 pydicom has the last word
            continue
        return out.view(f"{kind}{size}")
    return _odd(header)


def _odd(header: SliceHeader) -> Stored:
    stored = decode_with_pydicom(header.path, header.frame or 0)
    if stored.shape != (header.rows, header.columns) or stored.dtype.kind not in "iu":
        raise ReadError(
            header.path,
            f"it decodes to {stored.dtype} {stored.shape}, "
            f"expected integers of {(header.rows, header.columns)}.",
        )
    return stored


def _padding(header: SliceHeader, values: Stored) -> npt.NDArray[np.bool_] | None:
    if header.padding_value is None:
        return None
    limit = header.padding_value if header.padding_limit is None else header.padding_limit
    low, high = sorted((header.padding_value, limit))
    found: npt.NDArray[np.bool_]
    found = values == low if low == high else (values >= low) & (values <= high)
    return found


def _fill(out: npt.NDArray[np.int16], padding: npt.NDArray[np.bool_] | None) -> None:
    if padding is not None:
        out[padding] = AIR_HU


def _shift_in_place(
    header: SliceHeader, stored: Stored, high_bit: int, out: npt.NDArray[np.int16]
) -> bool:
    """The usual CT in two passes without copies: unsigned, at most 15 bits, whole intercept."""
    bits = header.bits_stored
    highest = (1 << bits) - 1
    usual = (
        stored.dtype == np.uint16
        and high_bit == bits - 1
        and bits < 16
        and header.slope == 1
        and header.intercept.is_integer()
        and header.intercept >= _LOWEST
        and highest + header.intercept <= _HIGHEST
    )
    if usual:
        np.bitwise_and(stored.view(np.int16), np.int16(highest), out=out)
        padding = _padding(header, out)
        np.add(out, np.int16(header.intercept), out=out)
        _fill(out, padding)
    return usual


def _clean(header: SliceHeader, stored: Stored, high_bit: int) -> Stored:
    """Stored values without what else shares their words, such as overlays (DICOM PS3.5 8.1.1)."""
    allocated = stored.dtype.itemsize * 8
    bits = min(header.bits_stored, allocated)
    above, below = allocated - 1 - high_bit, high_bit + 1 - bits
    if above < 0 or below < 0:
        raise ReadError(
            header.path,
            f"{bits} bits stored with high bit {high_bit} do not fit in {allocated} bits.",
        )
    if above == below == 0:
        return stored
    values = stored.astype(stored.dtype.newbyteorder("="))
    values <<= above
    values >>= above + below  # an arithmetic shift for signed values: it extends the sign
    return values


def _rescale(header: SliceHeader, stored: Stored, out: npt.NDArray[np.int16]) -> None:
    whole = header.slope == 1 and header.intercept.is_integer() and stored.dtype.itemsize < 4
    if whole:
        values: Stored = stored.astype(np.int32)
        values += np.int32(max(min(header.intercept, 2**30), -(2**30)))
    else:
        values = stored * np.float64(header.slope)
        values += header.intercept
        np.rint(values, out=values)
    np.clip(values, _LOWEST, _HIGHEST, out=values)
    out[...] = values
