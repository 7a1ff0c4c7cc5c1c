"""The bytes of a file with or without gzip (RFC 1952), in pieces of bounded size."""

from __future__ import annotations

import os
import stat
import zlib
from typing import TYPE_CHECKING, Final

from isal import igzip_lib, isal_zlib

from napari_chest.errors import ReadError
from napari_chest.files.atomic import reason

if TYPE_CHECKING:
    from io import BytesIO, FileIO
    from pathlib import Path

    File = FileIO | BytesIO

GZIP_MAGIC: Final = b"\x1f\x8b"
NEW_GZIP_HEADER: Final = bytes((0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255))
"""No name, no time, no system: equal content gives equal files."""

LARGEST_RATIO: Final = 1032
"""Deflate cannot pack more bytes than this into one."""

HEAD_BYTES: Final = 64 * 1024
_UNPACK_ERROR: Final[type[Exception]] = igzip_lib.IsalError  # type: ignore[assignment]  # its stub
_PIECE: Final = 128 * 1024
_END_BYTES: Final = 8
_AT_ONCE: Final = 512 * 1024  # what is unpacked is copied while it is still in the cache
_MOST_MEMBERS: Final = 100_000
_LEVEL: Final = 6  # what gzip itself uses, so that published masks keep their packed bytes
_CHECKSUM, _EXTRA, _NAME, _COMMENT, _RESERVED = 2, 4, 8, 16, 0xE0


class DamagedError(ValueError):
    """What was packed cannot be unpacked from here on; the message says why."""


def open_file(path: Path) -> FileIO:
    """Open a regular file for reading.

    Raises
    ------
    ReadError
        when it is none or cannot be read.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe or a device may never end
            raise ReadError(path, "expected a file, found a folder, pipe or device.")
        return path.open("rb", buffering=0)
    except OSError as error:
        raise ReadError(path, f"cannot be read: {reason(error)}.") from error


def size_of(file: File) -> int:
    """Length of an opened file in bytes."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    return size


def gzip_header(head: bytes) -> bytes | None:
    """The gzip header that a file begins with, None where it is not packed.

    Raises
    ------
    DamagedError
        when the header is cut short, too long or of another method than deflate.
    """
    if not head.startswith(GZIP_MAGIC):
        return None
    if len(head) < len(NEW_GZIP_HEADER) or head[2] != 8 or head[3] & _RESERVED:
        raise DamagedError("its gzip header is damaged")
    flags, end = head[3], len(NEW_GZIP_HEADER)
    if flags & _EXTRA:
        end += 2 + int.from_bytes(head[end : end + 2], "little")
    for text in (_NAME, _COMMENT):
        if flags & text:
            end = head.find(b"\0", end) + 1 or len(head) + 1
    end += 2 if flags & _CHECKSUM else 0
    if end > len(head):
        raise DamagedError("its gzip header is cut short")
    return head[:end]


def gzip_member(header: bytes, content: bytes | bytearray) -> bytes:
    """Content as one gzip member with this header, packed as gzip itself packs."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packer.compress(content) + packer.flush()
    return header + packed + _end_of_member(isal_zlib.crc32(content), len(content))


class Source:
    """Reads a file from its beginning, unpacked where it is packed.

    Parameters
    ----------
    file : the file, at its beginning.
    gzip : the gzip header it begins with, None where it is not packed.

    Attributes
    ----------
    cut : whether the file ended within what was packed.
    rest : bytes met behind the last gzip member, once its end was read.
    """

    def __init__(self, file: File, gzip: bytes | None) -> None:
        self.cut = False
        self.rest = b""
        self._file = file
        self._packed = gzip is not None
        self._ended = False
        self._members = 0
        self._unpacker = _unpacker()
        self._pending = b""
        self._checksum = self._length = 0
        file.seek(len(gzip or b""))

    def read(self, size: int) -> bytes:
        """The next ``size`` bytes, fewer only at the end; raises `DamagedError`."""
        buffer = bytearray(size)
        return bytes(buffer[: self.fill(memoryview(buffer))])

    def fill(self, buffer: memoryview) -> int:
        """Fill a buffer of bytes and return how many there were; raises `DamagedError`."""
        fill_some = self._unpack_some if self._packed else self._file.readinto
        done = 0
        while done < len(buffer):
            count = fill_some(buffer[done:])
            if not count:
                break
            done += count
        return done

    def _unpack_some(self, buffer: memoryview) -> int:
        """Unpack into the buffer, which may stay partly unfilled; 0 only at the end."""
        piece = b""
        while not piece:
            if self._unpacker.eof and self._end_member():
                return 0
            packed = self._more_packed()
            if packed is None:
                self.cut = True
                return 0
            try:
                piece = self._unpacker.decompress(packed, min(len(buffer), _AT_ONCE))
            except _UNPACK_ERROR as error:
                raise DamagedError(f"its packed content is damaged ({error})") from error
        buffer[: len(piece)] = piece
        self._checksum = isal_zlib.crc32(piece, self._checksum)
        self._length += len(piece)
        return len(piece)

    def _more_packed(self) -> bytes | None:
        """What to unpack next, empty where there is still enough of it; None at the file's end."""
        if not self._unpacker.needs_input:
            return b""
        packed, self._pending = self._pending or self._file.read(_PIECE), b""
        return packed or None

    def _end_member(self) -> bool:
        """Hold the member that ended against its checksum; whether it was the last one."""
        if self._ended:
            return True
        behind = self._unpacker.unused_data
        if len(behind) < HEAD_BYTES:
            behind += self._file.read(HEAD_BYTES)
        end, behind = behind[:_END_BYTES], behind[_END_BYTES:]
        if len(end) < _END_BYTES:
            self.cut = self._ended = True
            return True
        if end != _end_of_member(self._checksum, self._length):
            raise DamagedError("its content is not what its checksum says")
        header = gzip_header(behind)
        if header is None:
            self.rest, self._ended = behind, True
        elif self._members == _MOST_MEMBERS:
            raise DamagedError(f"it has more than {_MOST_MEMBERS:,} gzip members")
        else:
            self._members += 1
            self._unpacker = _unpacker()
            self._pending = behind[len(header) :]
            self._checksum = self._length = 0
        return self._ended


def _unpacker() -> igzip_lib.IgzipDecompressor:
    # The bare deflate stream: a wrong checksum would otherwise cost the last bytes as well.
    return igzip_lib.IgzipDecompressor(igzip_lib.DECOMP_DEFLATE)


def _end_of_member(checksum: int, length: int) -> bytes:
    return checksum.to_bytes(4, "little") + (length % 2**32).to_bytes(4, "little")
