"""What a reading says, as one short number by which it is known again."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from napari_chest.model import Reading


def fingerprint(reading: Reading) -> str:
    """SHA-256 over what a reading says: its masks without aids, its slice table, its answers.

    In which order masks and several answers stand means nothing.
    """
    digest = hashlib.sha256()
    for piece in _pieces(reading):
        digest.update(piece)
    return digest.hexdigest()


def _pieces(reading: Reading) -> Iterator[bytes | memoryview]:
    for mask in sorted(reading.masks, key=lambda mask: mask.name):
        if not mask.aid:
            yield _words("mask", mask.name, mask.labels.shape, mask.labels.dtype.name)
            yield from _slices(mask.labels)
    table = reading.slice_labels
    if table is not None:
        yield _words("table", table.columns, table.values.shape)
        yield from _slices(table.values)
    for question, answers in sorted(reading.answers.items()):
        yield _words("answer", question, sorted(answers))


def _words(*words: object) -> bytes:
    """Words with their length before them, so that no two readings make the same bytes."""
    text = msgspec.json.encode(words)
    return b"%d:" % len(text) + text


def _slices(array: npt.NDArray[Any]) -> Iterator[memoryview]:
    for part in array:  # slice by slice, so that a turned array is not copied whole
        yield np.ascontiguousarray(part, part.dtype.newbyteorder("<")).data
