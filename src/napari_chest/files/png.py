"""Greyscale PNG images (W3C PNG, third edition), with the values that the file stores.

libpng only sees what it needs: the header, the palette and image data that were inflated here up to
the size the header states, so that no chunk can grow beyond it.
"""

from __future__ import annotations

import stat
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import imagecodecs
import numpy as np
from isal import isal_zlib

from napari_chest.errors import ReadError
from napari_chest.files.atomic import read_whole, reason

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy.typing as npt

    _Places = tuple[tuple[int, int, int, int], ...]

MAX_BYTES: Final = 2**28
MAX_PIXELS: Final = 100_000_000
MAX_SIDE: Final = 65_535  # the most rows and columns that DICOM can count
_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_HEADER_END: Final = 33  # signature, then length, name, 13 bytes and checksum of IHDR
_MOST_CHUNKS: Final = 200_000
_GREY, _COLOR, _PALETTE, _GREY_ALPHA, _COLOR_ALPHA = 0, 2, 3, 4, 6
_CHANNELS: Final = {_GREY: 1, _COLOR: 3, _PALETTE: 3, _GREY_ALPHA: 2, _COLOR_ALPHA: 4}
_DEPTHS: Final = {
    _GREY: (1, 2, 4, 8, 16),
    _COLOR: (8, 16),
    _PALETTE: (1, 2, 4, 8),
    _GREY_ALPHA: (8, 16),
    _COLOR_ALPHA: (8, 16),
}
# First row, first column, and steps between rows and between columns of the parts of an image.
_WHOLE: Final = ((0, 0, 1, 1),)
_ADAM7: Final = (
    (0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2),
    (1, 0, 2, 1),
)  # fmt: skip
_DECODING_ERRORS: Final[tuple[type[Exception], ...]] = (
    isal_zlib.error,  # type: ignore[assignment]  # its stub says it were an instance
    imagecodecs.PngError,
    UnicodeDecodeError,  # where imagecodecs cannot decode the message of libpng's error
)
_DAMAGED: Final = "the image is damaged or cut short. Copy or download it again."


class _Part(NamedTuple):
    """One of the images that an interlaced image is stored as, or the whole image.

    Attributes
    ----------
    place : the rows and the columns of the image that it holds.
    height, width : how many these are.
    size : bytes of its lines before their filters are undone.
    """

    place: tuple[slice, slice]
    height: int
    width: int
    size: int


@dataclass(frozen=True)
class PngHeader:
    """What a PNG file says of its image before any of it is read.

    Attributes
    ----------
    width, height : pixels.
    bit_depth : bits of each stored sample: 1, 2, 4, 8 or 16.
    channels : 1 grey, 2 grey and opacity, 3 colour or palette, 4 colour and opacity.
    """

    width: int
    height: int
    bit_depth: int
    channels: int


def read_png_header(path: Path) -> PngHeader:
    """The size and the kind of the image in a PNG file.

    Raises
    ------
    ReadError
        when the file is empty or no PNG, or its header is damaged or promises too large an image.
    """
    return _header(path, _read_head(path))


def read_png(path: Path) -> npt.NDArray[Any]:
    """The image of a PNG file as (Y, X) uint8 or uint16, with the stored values.

    Colour images whose channels are all equal are grey; opacity is ignored, and so is everything
    else a file may say about how to show it.

    Raises
    ------
    ReadError
        when the file is empty, no PNG, damaged, cut short, too large, or a colour image.
    """
    content = read_whole(path, MAX_BYTES)
    header = _header(path, content)
    image = _decode(path, content, header)
    if image.ndim == 2:
        return image // (255 // (2**header.bit_depth - 1)) if header.bit_depth < 8 else image
    colors = image[..., : header.channels - 1 + header.channels % 2]  # without opacity
    if (colors[..., 1:] != colors[..., :1]).any():
        raise ReadError(
            path,
            "it is a colour image, and a radiograph is grey. It is not shown: it may be a scanned "
            "report with personal data.",
        )
    return colors[..., 0].copy()


def _read_head(path: Path) -> bytes:
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe or a device may never end
            raise ReadError(path, "expected a file, found a folder, pipe or device.")
        with path.open("rb") as file:
            return file.read(_HEADER_END)
    except OSError as error:
        raise ReadError(path, f"cannot be read: {reason(error)}.") from error


def _header(path: Path, content: bytes) -> PngHeader:
    if not content:
        raise ReadError(path, "the file is empty. Copy or download it again.")
    if not content.startswith(_SIGNATURE):
        raise ReadError(path, "expected a PNG image, found another kind of file.")
    start = content[:_HEADER_END]
    whole = len(start) == _HEADER_END and start[8:16] == b"\0\0\0\rIHDR"
    if not whole or zlib.crc32(start[12:29]) != int.from_bytes(start[29:]):
        raise ReadError(path, _DAMAGED)
    said = struct.unpack(">IIBBBBB", start[16:29])
    width, height, depth, kind, compression, filters, interlace = said
    if depth not in _DEPTHS.get(kind, ()) or compression or filters or interlace > 1:
        raise ReadError(path, _DAMAGED)
    header = PngHeader(width, height, depth, _CHANNELS[kind])
    if not _is_possible(header):
        raise ReadError(
            path,
            f"expected an image of 1 to {MAX_SIDE:,} pixels a side, {MAX_PIXELS // 10**6} "
            f"megapixels and {MAX_BYTES // 2**20} MiB at most, found {width:,} x {height:,} pixels "
            f"with {header.channels} x {depth} bits.",
        )
    return header


def _is_possible(header: PngHeader) -> bool:
    """Whether an image may be this large; asked before memory is taken for it."""
    sides = (header.width, header.height)
    pixels = header.width * header.height
    size = pixels * header.channels * max(header.bit_depth, 8) // 8
    return all(0 < n <= MAX_SIDE for n in sides) and pixels <= MAX_PIXELS and size <= MAX_BYTES


def _decode(path: Path, content: bytes, header: PngHeader) -> npt.NDArray[Any]:
    """The image as libpng decodes it: (Y, X), or (Y, X, C) where it has several channels."""
    kind, interlaced = content[25], content[28]
    samples = 1 if kind == _PALETTE else header.channels
    parts = list(_parts(header, samples, _ADAM7 if interlaced else _WHOLE))
    size = sum(part.size for part in parts)
    palette, data = _needed_chunks(path, content)
    try:
        lines = memoryview(isal_zlib.decompressobj().decompress(data, size))
        if len(lines) < size:
            raise ReadError(path, _DAMAGED)
        decoded = []
        for part in parts:
            decoded.append(_decode_part(part, header.bit_depth, kind, palette, lines[: part.size]))
            lines = lines[part.size :]
    except _DECODING_ERRORS as error:
        raise ReadError(path, _DAMAGED) from error
    if not interlaced:
        return decoded[0]
    image = np.empty((header.height, header.width, *decoded[0].shape[2:]), decoded[0].dtype)
    for part, pixels in zip(parts, decoded, strict=True):
        image[part.place] = pixels
    return image


def _parts(header: PngHeader, samples: int, places: _Places) -> Iterator[_Part]:
    for row, column, row_step, column_step in places:
        height = -((row - header.height) // row_step)
        width = -((column - header.width) // column_step)
        if height > 0 and width > 0:
            line = 1 + -(-width * samples * header.bit_depth // 8)  # one byte names its filter
            place = slice(row, None, row_step), slice(column, None, column_step)
            yield _Part(place, height, width, height * line)


def _decode_part(
    part: _Part, depth: int, kind: int, palette: bytes, lines: memoryview
) -> npt.NDArray[Any]:
    # libpng is given a file of this part alone, so it never meets an interlaced image either.
    start = struct.pack(">IIBBBBB", part.width, part.height, depth, kind, 0, 0, 0)
    chunks = (
        _chunk(b"IHDR", start),
        palette,
        _chunk(b"IDAT", zlib.compress(lines, 0)),
        _chunk(b"IEND", b""),
    )
    decoded: npt.NDArray[Any] = imagecodecs.png_decode(b"".join((_SIGNATURE, *chunks)))
    return decoded


def _needed_chunks(path: Path, content: bytes) -> tuple[bytes, bytes]:
    """The whole chunk of the palette, empty where there is none, and the joined image data."""
    palette = b""
    data: list[memoryview] = []
    for name, chunk in _chunks(path, content):
        if name == b"IDAT":
            data.append(chunk[8:-4])
        elif name == b"PLTE":
            palette = bytes(chunk)
    if content[25] == _PALETTE and not palette:
        raise ReadError(path, _DAMAGED)
    return palette, b"".join(data)


def _chunks(path: Path, content: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """The name and the bytes of every chunk that matters, its checksum proven."""
    view = memoryview(content)
    at = _HEADER_END
    for _ in range(_MOST_CHUNKS):
        name = content[at + 4 : at + 8]
        if name in (b"", b"IEND"):
            return
        end = at + 12 + int.from_bytes(content[at : at + 4])
        if name in (b"IDAT", b"PLTE"):
            chunk = view[at:end]
            if zlib.crc32(chunk[4:-4]) != int.from_bytes(chunk[-4:]):
                raise ReadError(path, _DAMAGED)
            yield name, chunk
        at = end
    raise ReadError(path, f"expected at most {_MOST_CHUNKS:,} chunks, found more.")


def _chunk(name: bytes, data: bytes) -> bytes:
    return b"".join(
        (len(data).to_bytes(4), name, data, zlib.crc32(data, zlib.crc32(name)).to_bytes(4))
    )
