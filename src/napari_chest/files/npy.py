"""NumPy array files whose bytes outside the changed cells stay as they were.

The format is NumPy's NEP 1. Arrays of Python objects are pickles and are never loaded.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_chest.errors import ReadError
from napari_chest.files.atomic import read_whole

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

MAX_BYTES = 2**30
_NUMBERS = "biuf"
_MOST_AXES = 32


@dataclass(frozen=True, eq=False)
class NpyFile:
    """The bytes of an array file and where its numbers stand in them.

    Attributes
    ----------
    content : the whole file.
    offset : where the numbers begin.
    shape, dtype, fortran_order : as the header states them.
    """

    content: bytes
    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran_order: bool

    @property
    def array(self) -> npt.NDArray[Any]:
        """The numbers as a read-only view of ``content``."""
        return self._view(self.content)

    @property
    def frame(self) -> tuple[bytes, bytes]:
        """The bytes before and after the numbers."""
        end = self.offset + self.array.nbytes
        return self.content[: self.offset], self.content[end:]

    def patched(self, index: tuple[Any, ...], values: npt.NDArray[Any]) -> NpyFile:
        """The same file with other numbers at ``array[index]``; every other byte is kept."""
        content = bytearray(self.content)
        self._view(content)[index] = values
        return NpyFile(bytes(content), self.offset, self.shape, self.dtype, self.fortran_order)

    def _view(self, buffer: bytes | bytearray) -> npt.NDArray[Any]:
        order: Literal["F", "C"] = "F" if self.fortran_order else "C"
        return np.ndarray(self.shape, self.dtype, buffer, self.offset, order=order)


def read_npy(path: Path) -> NpyFile:
    """Read a file of plain numbers.

    Raises
    ------
    ReadError
        when it is not an array of plain numbers, or its header does not fit its size.
    """
    content = read_whole(path, MAX_BYTES)
    file = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(file)
        read_header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, fortran_order, dtype = read_header(file)
    except Exception as error:  # the header is Python text, which can fail in any way
        raise ReadError(
            path, f"expected a NumPy array file (.npy), found {content[:8]!r}."
        ) from error
    if dtype.kind not in _NUMBERS:
        raise ReadError(
            path,
            f"expected an array of numbers, found {dtype}. Arrays of Python objects can carry "
            "programs and are never opened.",
        )
    if any(length < 0 for length in shape):
        raise ReadError(path, f"expected lengths of 0 or more, found the shape {shape}.")
    if len(shape) > _MOST_AXES or max(shape, default=0) > MAX_BYTES:
        raise ReadError(path, f"expected an array that fits into memory, found {shape}.")
    expected = file.tell() + int(np.prod(shape, dtype=object)) * dtype.itemsize
    if len(content) < expected:
        raise ReadError(
            path,
            f"expected {expected:,} bytes for {shape} {dtype}, found {len(content):,}: "
            "the file is cut short.",
        )
    return NpyFile(content, file.tell(), shape, dtype, fortran_order)
