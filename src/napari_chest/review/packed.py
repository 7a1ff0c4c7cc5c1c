"""Readings as bytes, for what is submitted: masks packed, slice labels, answers."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta

from napari_chest.edits import MaskAdded, decode_step, encode_step
from napari_chest.edits.packing import MAX_BYTES, Packed, pack
from napari_chest.model import Mask, Reading, SliceLabels

MAX_READING_BYTES = 2 * MAX_BYTES
"""What the masks of a reading may unpack to; more is refused before any memory is taken."""

_Text = Annotated[str, Meta(max_length=10_000)]
_Length = Annotated[int, Meta(ge=1, lt=2**31)]
_Texts = Annotated[tuple[_Text, ...], Meta(max_length=10_000)]


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    columns: _Texts
    any_column: _Text | None
    shape: tuple[_Length, _Length]
    planes: Annotated[tuple[bytes, ...], Meta(max_length=1)]


class _Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reader: _Text
    masks: Annotated[tuple[bytes, ...], Meta(max_length=10_000)]
    table: _Table | None
    answers: Annotated[dict[_Text, _Texts], Meta(max_length=10_000)]
    version: Literal[1]


_DECODER = msgspec.msgpack.Decoder(_Record)


def pack_reading(reading: Reading) -> bytes:
    """A reading as bytes that `unpack_reading` reads; its aids are left out.

    Raises
    ------
    ValueError
        when the reading could not be unpacked again: its masks are too large, or differ in shape.
    """
    masks = [mask for mask in reading.masks if not mask.aid]
    _check_masks(
        [(mask.name, mask.labels.shape, mask.labels.dtype.itemsize) for mask in masks],
        None if reading.slice_labels is None else len(reading.slice_labels.values),
    )
    record = _Record(
        reader=reading.reader,
        masks=tuple(encode_step(MaskAdded("", mask)) for mask in masks),
        table=_table(reading.slice_labels),
        answers={question: tuple(answer) for question, answer in reading.answers.items()},
        version=1,
    )
    data = msgspec.msgpack.encode(record)
    _slice_labels(_decoded(data).table)
    return data


def unpack_reading(data: bytes) -> Reading:
    """The reading of these bytes.

    Raises
    ------
    ValueError
        when the bytes are no reading, or one of masks that are too large.
    """
    record = _decoded(data)
    table = _slice_labels(record.table)
    steps = [_mask_step(mask) for mask in record.masks]
    _check_masks(
        [(step.outline.name, step.shape, step.outline.labels.dtype.itemsize) for step in steps],
        None if table is None else len(table.values),
    )
    masks: tuple[Mask, ...] = tuple(step.mask for step in steps)
    return Reading(record.reader, masks, table, record.answers)


def _decoded(data: bytes) -> _Record:
    try:
        return _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"this is no record of a reading: {error}") from error


def _mask_step(data: bytes) -> MaskAdded:
    step = decode_step(data)
    if not isinstance(step, MaskAdded):
        raise ValueError(f"a reading holds {step!r} where a mask was expected")
    return step


def _check_masks(masks: list[tuple[str, tuple[int, ...], int]], slices: int | None) -> None:
    """Return if masks of these names, shapes and bytes a voxel make a reading.

    Parameters
    ----------
    masks : name, shape and bytes a voxel of each.
    slices : rows of the slice table; None where there is none.
    """
    if len({name for name, _, _ in masks}) < len(masks):
        raise ValueError("two masks of a reading have the same name")
    shapes = {shape for _, shape, _ in masks}
    heights = {shape[0] for shape in shapes} | ({slices} - {None})
    if len(shapes) > 1 or len(heights) > 1:
        raise ValueError(
            f"masks of {sorted(shapes, key=str)} and {slices} labelled slices lie on no common grid"
        )
    size = sum(math.prod(shape) * itemsize for _, shape, itemsize in masks)
    if size > MAX_READING_BYTES:
        raise ValueError(f"masks of {size:,} bytes are more than {MAX_READING_BYTES:,}")


def _table(labels: SliceLabels | None) -> _Table | None:
    if labels is None:
        return None
    packed = pack(labels.values)
    rows, columns = packed.shape
    return _Table(labels.columns, labels.any_column, (rows, columns), packed.planes)


def _slice_labels(table: _Table | None) -> SliceLabels | None:
    if table is None:
        return None
    columns = table.columns
    if len(columns) != table.shape[1] or len(set(columns)) < len(columns):
        raise ValueError(f"{table.shape[1]} columns of slice labels cannot be named {columns}")
    if table.any_column is not None and table.any_column not in columns:
        raise ValueError(f"{table.any_column!r} is not a column of the slice labels")
    packed = Packed(table.shape, np.dtype(bool), table.planes)
    packed.check()
    return SliceLabels(columns, packed.unpack(), table.any_column)
