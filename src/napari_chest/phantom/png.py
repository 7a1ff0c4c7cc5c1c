"""Grey PNG files of 8 or 16 bits, written with zlib alone."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_UP = 2  # filter: each byte less the one above it


def grey_png(stored: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]) -> bytes:
    """The bytes of a PNG file of (rows, columns) unsigned values."""
    rows, columns = stored.shape
    lines = np.ascontiguousarray(stored.astype(stored.dtype.newbyteorder(">")))
    content = lines.view(np.uint8).reshape(rows, -1)
    filtered = np.empty((rows, content.shape[1] + 1), np.uint8)
    filtered[:, 0] = _UP
    filtered[:, 1:] = content
    filtered[1:, 1:] -= content[:-1]
    header = struct.pack(">IIBBBBB", columns, rows, 8 * stored.itemsize, 0, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(filtered.tobytes(), 6)), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(kind, body) for kind, body in parts)


def _chunk(kind: bytes, body: bytes) -> bytes:
    check = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)
