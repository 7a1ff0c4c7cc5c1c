"""Label images that are corrected voxel by voxel; every other byte of the file stays."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from napari_chest import geometry
from napari_chest.errors import ReadError, SaveError
from napari_chest.files.atomic import read_whole
from napari_chest.files.nifti.container import (
    HEAD_BYTES,
    DamagedError,
    Source,
    gzip_header,
    gzip_member,
)
from napari_chest.files.nifti.header import NiftiHeader, check_promise, grid_of, read_from

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from napari_chest.model import Grid, Stored

    Labels = npt.NDArray[np.unsignedinteger]
    Numbers = npt.NDArray[Any]

_MOST_BYTES: Final = 2**30
_MOST_TRAILING: Final = 16 * 2**20
_HIGHEST: Final = 2**16 - 1
_WHOLE: Final = 1e-3
"""Numbers this near to a whole one are it: 255 times a rounded 1/255 is not quite 1."""


@dataclass(frozen=True, eq=False)
class LabelFile:
    """A label image as it is stored, to be corrected.

    Attributes
    ----------
    header : what its header says.
    grid : where its voxels lie.
    labels : (Z, Y, X) uint8, or uint16 where a value needs it; read-only, in display order.
    values : the values present other than 0, ascending.
    content : the file's bytes as they were read.
    frame : all of the file but its voxels: its gzip header, the unpacked bytes before and behind
        the voxels, and the bytes behind what was packed.
    """

    header: NiftiHeader
    grid: Grid
    labels: Labels
    values: tuple[int, ...]
    content: bytes
    frame: tuple[bytes, ...]

    def with_labels(self, labels: Labels) -> bytes:
        """The file's bytes with other labels (Z, Y, X); the numbers of unchanged voxels stay.

        Raises
        ------
        SaveError
            when the shape is another, or the file's number type cannot hold a label.
        """
        if labels.shape != self.labels.shape:
            raise SaveError(
                f"{self.header.path}: expected labels of the shape {self.labels.shape}, "
                f"found {labels.shape}. Nothing was written."
            )
        changed = labels != self.labels
        slices = np.flatnonzero(changed.any(axis=(1, 2)))
        if not len(slices):
            return self.content
        image, rest = _unpacked(self.header, self.content)
        stored = geometry.to_display(_numbers(self.header, image), self.grid.stored)
        for z in slices:
            stored[z][changed[z]] = _to_store(self.header, labels[z][changed[z]])
        if self.header.gzip is None:
            return bytes(image)
        return gzip_member(self.header.gzip, image) + rest


def read_labels(path: Path, stored: Stored | None = None) -> LabelFile:
    """Read a label image; ``stored`` asks for another display order than the usual.

    Raises
    ------
    ReadError
        when it is no whole NIfTI image with three axes, or its values are not whole numbers from
        0 to 65,535.
    """
    content = read_whole(path, _MOST_BYTES)
    try:
        gzip = gzip_header(content[:HEAD_BYTES])
        header = read_from(path, Source(io.BytesIO(content), gzip), gzip)
        grid = grid_of(header, stored)
        check_promise(header, len(content))
        image, rest = _unpacked(header, content)
    except DamagedError as error:
        raise ReadError(path, f"expected a label image, but {error}.") from error
    labels = geometry.to_display(_labels(header, _numbers(header, image)), grid.stored)
    labels.flags.writeable = False
    present = np.unique(labels[labels > 0])
    values = tuple(int(value) for value in present)
    behind = bytes(image[len(header.raw) + header.data_bytes :])
    frame = (header.gzip or b"", header.raw, behind, rest)
    return LabelFile(header, grid, labels, values, content, frame)


def _unpacked(header: NiftiHeader, content: bytes) -> tuple[bytearray, bytes]:
    """Everything that was packed, and the bytes behind it in the file."""
    file = io.BytesIO(content)
    source = Source(file, header.gzip)
    whole = len(header.raw) + header.data_bytes
    if header.gzip is None and len(content) < whole:
        raise DamagedError(f"it ends after {len(content):,} of {whole:,} bytes")
    image = bytearray(whole)
    found = source.fill(memoryview(image))
    if found < whole:
        raise DamagedError(f"it ends after {found:,} of {whole:,} unpacked bytes")
    trailing = source.read(_MOST_TRAILING + 1)
    if len(trailing) > _MOST_TRAILING:
        raise DamagedError("far more follows its voxels than its header promises")
    if source.cut:
        raise DamagedError("its last bytes are missing")
    image += trailing
    return image, source.rest + file.read()


def _numbers(header: NiftiHeader, image: bytearray) -> Numbers:
    return np.ndarray(header.shape, header.dtype, image, len(header.raw), order="F")


def _labels(header: NiftiHeader, numbers: Numbers) -> Labels:
    """The labels that stored numbers stand for, in stored order."""
    labels = np.empty(numbers.shape, np.uint16, order="F")
    highest = 0
    for k in range(numbers.shape[2]):
        values = _whole_values(header, numbers[..., k])
        low, high = values.min(), values.max()
        if low < 0 or high > _HIGHEST:
            raise ReadError(
                header.path,
                f"expected labels from 0 to {_HIGHEST:,}, found values from {low:g} to {high:g}.",
            )
        labels[..., k] = values
        highest = max(highest, int(high))
    return labels.astype(np.uint8) if highest <= np.iinfo(np.uint8).max else labels


def _whole_values(header: NiftiHeader, numbers: Numbers) -> Numbers:
    if numbers.dtype.kind != "f" and not header.scaled:
        return numbers
    with np.errstate(all="ignore"):  # what is no number is told below
        values = numbers.astype(np.float64) * header.slope + header.inter
        whole = np.rint(values)
        near = np.abs(values - whole) <= _WHOLE
    if not near.all():  # also when not a number
        found = float(values[~near].flat[0])
        raise ReadError(header.path, f"expected labels, found the value {found:g}.")
    return whole


def _to_store(header: NiftiHeader, labels: Labels) -> Numbers:
    """The numbers to store for these labels (N,)."""
    with np.errstate(all="ignore"):  # a number that does not fit is told below
        wanted = (labels.astype(np.float64) - header.inter) / header.slope
        if header.dtype.kind != "f":
            wanted = np.rint(wanted)
        stored = wanted.astype(header.dtype)
        read_back = stored.astype(np.float64) * header.slope + header.inter
        kept = np.abs(read_back - labels) <= _WHOLE
    if not kept.all():
        raise SaveError(
            f"{header.path}: its voxels are {header.dtype.name}, which cannot hold the label "
            f"{int(labels[~kept][0])}. Nothing was written; save the labels to a new file."
        )
    return stored
