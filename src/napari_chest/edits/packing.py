"""Label arrays packed small: one bit a voxel for each bit of a label, deflated."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

MAX_BYTES = 2**31
"""What a packed array may unpack to; more is refused before any memory is taken."""

# How many voxels are worked on at a time, so that they stay in the cache. Bits are filled up to
# whole bytes after each such part: another number here would be another format.
_PART = 2**17
_LEVEL = 1


@dataclass(frozen=True)
class Packed:
    """An array of labels or yes and no, packed.

    Attributes
    ----------
    shape : of the array, no axis of which is empty.
    dtype : bool, uint8 or uint16.
    planes : plane ``b`` holds bit ``b`` of every value in C order, deflated; planes above the
        highest bit that is set are left out, so that an array of zeros has none.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    planes: tuple[bytes, ...]

    @property
    def nbytes(self) -> int:
        """Memory it holds."""
        return sum(len(plane) for plane in self.planes)

    def check(self) -> None:
        """Return if this can be unpacked.

        Raises
        ------
        ValueError
            when the planes do not make an array of this shape and dtype, or too large a one.
        """
        _check(self.shape, self.dtype)
        if len(self.planes) > _bits(self.dtype):
            raise ValueError(f"{len(self.planes)} planes of bits for values of {self.dtype}")
        for plane in self.planes:
            _inflate(plane, _plane_length(self.shape))

    def unpack(self) -> npt.NDArray[Any]:
        """The array, read-only."""
        array = np.empty(self.shape, self.dtype)
        self.write(array)
        array.flags.writeable = False
        return array

    def write(self, array: npt.NDArray[Any]) -> None:
        """Unpack into an array of the same shape."""
        for part, values in self._parts():
            array[part] = values

    def equals(self, array: npt.NDArray[Any]) -> bool:
        """Whether an array of the same shape holds the same."""
        if not self.planes:
            return not array.any()
        return all(np.array_equal(array[part], values) for part, values in self._parts())

    def _parts(self) -> Iterator[tuple[slice, npt.NDArray[Any]]]:
        """Part after part along the first axis, and what it holds."""
        inflated = [_inflate(plane, _plane_length(self.shape)) for plane in self.planes]
        planes = [np.frombuffer(plane, np.uint8) for plane in inflated]
        row = math.prod(self.shape[1:])
        at = 0
        for part in _parts_of(self.shape):
            size = (part.stop - part.start) * row
            length = -(-size // 8)
            here = [plane[at : at + length] for plane in planes]
            values = _joined(here, size, self.dtype)
            at += length
            yield part, values.reshape(-1, *self.shape[1:])


def pack(array: npt.NDArray[Any]) -> Packed:
    """Pack an array of bool, uint8 or uint16.

    Raises
    ------
    ValueError
        when the array is of another kind, or empty or too large.
    """
    _check(array.shape, array.dtype)
    numbers = array.view(np.uint8) if array.dtype.kind == "b" else array
    bits = int(numbers.max()).bit_length()
    planes = tuple(_plane(numbers, bit) for bit in range(bits))
    return Packed(array.shape, array.dtype.newbyteorder("="), planes)


def _plane(numbers: npt.NDArray[Any], bit: int) -> bytes:
    packer = zlib.compressobj(_LEVEL)
    parts = (np.packbits(numbers[part] >> bit & 1) for part in _parts_of(numbers.shape))
    return b"".join((*(packer.compress(part.data) for part in parts), packer.flush()))


def _joined(
    planes: list[npt.NDArray[np.uint8]], size: int, dtype: np.dtype[Any]
) -> npt.NDArray[Any]:
    """So many values of their bits, the lowest first."""
    if not planes:
        return np.zeros(size, dtype)
    values = np.unpackbits(planes[0], count=size)
    if dtype.itemsize > 1:
        values = values.astype(dtype)
    for bit, plane in enumerate(planes[1:], start=1):
        bits = np.unpackbits(plane, count=size)
        values |= np.left_shift(bits, bit, dtype=values.dtype)
    return values.view(dtype)


def _inflate(plane: bytes, length: int) -> bytes:
    """Exactly so many bytes, and never more in memory."""
    unpacker = zlib.decompressobj()
    try:
        data = unpacker.decompress(plane, length + 1)
    except zlib.error as error:
        raise ValueError(f"packed labels are damaged: {error}") from error
    if len(data) != length or not unpacker.eof or unpacker.unused_data:
        raise ValueError(f"packed labels do not hold the {length} bytes they should")
    return data


def _check(shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    size = math.prod(shape)
    if not shape or size < 1 or size * dtype.itemsize > MAX_BYTES:
        raise ValueError(f"an array of {shape} is empty, or larger than {MAX_BYTES} bytes")
    _bits(dtype)


def _bits(dtype: np.dtype[Any]) -> int:
    """How many bits a value of these may have."""
    if dtype.kind == "b":
        return 1
    if dtype.kind == "u" and dtype.itemsize <= 2:
        return 8 * dtype.itemsize
    raise ValueError(f"labels are bool, uint8 or uint16, not {dtype}")


def _parts_of(shape: tuple[int, ...]) -> Iterator[slice]:
    step = max(1, _PART // math.prod(shape[1:]))
    for start in range(0, shape[0], step):
        yield slice(start, min(start + step, shape[0]))


def _plane_length(shape: tuple[int, ...]) -> int:
    row = math.prod(shape[1:])
    return sum(-(-(part.stop - part.start) * row // 8) for part in _parts_of(shape))
