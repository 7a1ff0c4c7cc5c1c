"""The bits of a binary segmentation: which frames hold anything, and their packing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_chest.errors import SaveError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from napari_chest.model import Mask, Segment

_TOGETHER = 8
"""Frames that are packed at once: eight of any size fill whole bytes."""


class Drawn(NamedTuple):
    """A segment of which something is drawn, and the mask it is of."""

    mask: Mask
    segment: Segment


class Frame(NamedTuple):
    """One frame: its segment's number from 1, and its slice from 0."""

    segment: int
    slice: int


@dataclass(frozen=True, eq=False)
class Packed:
    """What is drawn in some masks, without the empty frames.

    Attributes
    ----------
    drawn : the segments, in the order of masks and values.
    frames : segment by segment, slices in display order.
    pixels : the frames' bits without gaps, the first one lowest in its byte; of even length.
    """

    drawn: tuple[Drawn, ...]
    frames: tuple[Frame, ...]
    pixels: bytes


def pack(masks: Sequence[Mask]) -> Packed:
    """Pack every segment of the masks, which may overlap.

    Raises
    ------
    SaveError
        when a mask holds a value that none of its segments names.
    """
    drawn: list[Drawn] = []
    frames: list[Frame] = []
    packer = _Packer()
    for mask in masks:
        filled = [(z, n) for z, one in enumerate(mask.labels) if (n := np.count_nonzero(one))]
        told = 0
        for segment in mask.segments:
            before = len(frames)
            for z, _ in filled:
                voxels = packer.add(mask.labels[z], segment.value)
                if voxels:
                    frames.append(Frame(len(drawn) + 1, z))
                    told += voxels
            if len(frames) > before:
                drawn.append(Drawn(mask, segment))
        if told != sum(n for _, n in filled):
            raise SaveError(
                f"{mask.name} holds a value that none of its segments names, so nothing was "
                "written. Give every value of the mask a name first."
            )
    return Packed(tuple(drawn), tuple(frames), packer.packed())


class _Packer:
    """Packs frames as they come, eight at a time."""

    def __init__(self) -> None:
        self._batch: npt.NDArray[np.bool_] | None = None
        self._waiting = 0
        self._pieces: list[bytes] = []

    def add(self, labels: npt.NDArray[np.unsignedinteger], value: int) -> int:
        """Add the frame of the voxels with this value, unless there is none; returns how many."""
        if self._batch is None:
            self._batch = np.empty((_TOGETHER, *labels.shape), np.bool_)
        frame = self._batch[self._waiting]
        np.equal(labels, value, out=frame)
        voxels = int(np.count_nonzero(frame))
        if voxels:
            self._waiting += 1
            if self._waiting == _TOGETHER:
                self._pack(self._batch)
        return voxels

    def packed(self) -> bytes:
        """All the frames' bits."""
        if self._batch is not None and self._waiting:
            self._pack(self._batch[: self._waiting])
        if sum(map(len, self._pieces)) % 2:
            self._pieces.append(b"\0")
        return b"".join(self._pieces)

    def _pack(self, frames: npt.NDArray[np.bool_]) -> None:
        self._pieces.append(np.packbits(frames, bitorder="little").tobytes())
        self._waiting = 0
