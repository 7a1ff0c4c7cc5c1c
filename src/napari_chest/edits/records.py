"""Steps as bytes, for what outlives the program."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta

from napari_chest.edits.packing import Packed
from napari_chest.edits.steps import AnswerEdit, Edit, MaskAdded, Step
from napari_chest.model import Mask, Segment

Text = Annotated[str, Meta(max_length=10_000)]
Length = Annotated[int, Meta(ge=0, lt=2**31)]
Part = tuple[Length, Length]
Planes = Annotated[tuple[bytes, ...], Meta(max_length=16)]
Answers = Annotated[tuple[Text, ...], Meta(max_length=10_000)]


class _Array(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    shape: Annotated[tuple[Length, ...], Meta(max_length=3)]
    dtype: Literal["bool", "uint8", "uint16"]
    planes: Planes


class _EditRecord(msgspec.Struct, frozen=True, tag="edit", forbid_unknown_fields=True):
    name: Text
    target: Text
    box: Annotated[tuple[Part, ...], Meta(min_length=1, max_length=3)]
    before: _Array
    after: _Array


class _AnswerRecord(msgspec.Struct, frozen=True, tag="answer", forbid_unknown_fields=True):
    name: Text
    question: Text
    before: Answers | None
    after: Answers


class _SegmentRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    value: Annotated[int, Meta(ge=1, lt=2**16)]
    name: Text
    color: Annotated[str, Meta(pattern="^#[0-9A-Fa-f]{6}$")]
    code: Text


class _MaskRecord(msgspec.Struct, frozen=True, tag="mask", forbid_unknown_fields=True):
    name: Text
    mask: Text
    segments: Annotated[tuple[_SegmentRecord, ...], Meta(max_length=2**16)]
    splits: Text | None
    aid: bool
    labels: _Array


_DECODER = msgspec.msgpack.Decoder(_EditRecord | _AnswerRecord | _MaskRecord)


def encode_step(step: Step) -> bytes:
    """A step as bytes that `decode_step` reads."""
    record: _EditRecord | _AnswerRecord | _MaskRecord
    match step:
        case Edit():
            box = tuple((part.start, part.stop) for part in step.box)
            record = _EditRecord(step.name, step.target, box, *map(_array, step.packed))
        case AnswerEdit():
            record = _AnswerRecord(step.name, step.question, step.before, step.after)
        case MaskAdded():
            mask = step.outline
            segments = tuple(
                _SegmentRecord(s.value, s.name, s.color, s.code) for s in mask.segments
            )
            labels = _array(step.packed)
            record = _MaskRecord(step.name, mask.name, segments, mask.splits, mask.aid, labels)
    return msgspec.msgpack.encode(record)


def decode_step(data: bytes) -> Step:
    """The step that `encode_step` made bytes of, packed; nothing in it needs trust.

    Raises
    ------
    ValueError
        when the bytes are no step, or one of arrays that are too large.
    """
    try:
        record = _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"this is no record of a step: {error}") from error
    match record:
        case _EditRecord():
            return _edit(record)
        case _AnswerRecord():
            return AnswerEdit(record.name, record.question, record.before, record.after)
        case _:
            return _mask_added(record)


def _edit(record: _EditRecord) -> Edit:
    box = tuple(slice(*part) for part in record.box)
    shape = tuple(part.stop - part.start for part in box)
    if min(shape) < 1 or not record.before.shape == record.after.shape == shape:
        raise ValueError(f"an edit of {box} cannot hold arrays of {record.before.shape}")
    if record.before.dtype != record.after.dtype:
        raise ValueError(f"an edit turns {record.before.dtype} into {record.after.dtype}")
    arrays = _packed(record.before), _packed(record.after)
    return Edit(record.name, record.target, box, *arrays)


def _mask_added(record: _MaskRecord) -> MaskAdded:
    labels = _packed(record.labels)
    if len(labels.shape) != 3 or labels.dtype == bool:
        raise ValueError(f"a mask cannot be {labels.dtype} of {labels.shape}")
    segments = tuple(Segment(s.value, s.name, s.color, s.code) for s in record.segments)
    none = np.zeros((0, 0, 0), labels.dtype)
    mask = Mask(record.mask, none, segments, record.splits, record.aid)
    return MaskAdded(record.name, mask, labels)


def _array(packed: Packed) -> _Array:
    return _Array(packed.shape, packed.dtype.name, packed.planes)  # type: ignore[arg-type]


def _packed(array: _Array) -> Packed:
    """The array, after it was found to unpack."""
    packed = Packed(array.shape, np.dtype(array.dtype), array.planes)
    packed.check()
    return packed
