"""Readings as bytes: they come back exactly, and nonsense is refused before it costs memory."""

import tracemalloc
import zlib

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from napari_chest.edits import AnswerEdit, MaskAdded, encode_step
from napari_chest.model import Mask, Reading, Segment, SliceLabels
from napari_chest.review.packed import pack_reading, unpack_reading

WORDS = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)


@st.composite
def masks_of(draw, shape, names):
    dtype = draw(st.sampled_from([np.uint8, np.uint16, np.dtype(">u2")]))
    values = draw(st.lists(st.integers(1, 255), unique=True, max_size=3))
    segments = tuple(Segment(value, draw(WORDS), f"#{value:06X}", draw(WORDS)) for value in values)
    labels = draw(arrays.arrays(dtype, shape))
    return Mask(draw(st.sampled_from(names)), labels, segments, draw(st.none() | WORDS))


@st.composite
def readings(draw):
    shape = draw(arrays.array_shapes(min_dims=3, max_dims=3, max_side=6))
    masks = draw(
        st.lists(masks_of(shape, ["a", "ä\n", ""]), max_size=3, unique_by=lambda mask: mask.name)
    )
    table = None
    columns = draw(st.lists(WORDS, unique=True, max_size=4))
    if columns:
        values = draw(arrays.arrays(bool, (shape[0], len(columns))))
        table = SliceLabels(tuple(columns), values, draw(st.sampled_from([None, *columns])))
    answers = draw(st.dictionaries(WORDS, st.lists(WORDS, max_size=3).map(tuple), max_size=3))
    return Reading(draw(WORDS), tuple(masks), table, answers)


def assert_same(back, reading):
    assert back.reader == reading.reader
    assert back.answers == reading.answers
    assert len(back.masks) == len(reading.masks)
    for found, mask in zip(back.masks, reading.masks, strict=True):
        assert (found.name, found.segments, found.splits, found.aid) == (
            (mask.name, mask.segments, mask.splits, False)
        )
        assert found.labels.dtype.itemsize == mask.labels.dtype.itemsize
        assert not found.labels.flags.writeable
        np.testing.assert_array_equal(found.labels, mask.labels)
    if reading.slice_labels is None:
        assert back.slice_labels is None
        return
    assert back.slice_labels.columns == reading.slice_labels.columns
    assert back.slice_labels.any_column == reading.slice_labels.any_column
    np.testing.assert_array_equal(back.slice_labels.values, reading.slice_labels.values)


@given(readings())
def test_readings_come_back(reading):
    data = pack_reading(reading)
    assert data == pack_reading(reading)
    assert_same(unpack_reading(data), reading)


def sample():
    labels = np.zeros((4, 9, 9), np.uint8)
    labels[1, 2:5, 3:7] = 2
    mask = Mask("lesions", labels, (Segment(2, "GGO", "#78D8FF", "GG"),))
    table = SliceLabels(("infected", "left"), np.eye(4, 2, dtype=bool), "infected")
    return Reading("Anna", (mask,), table, {"exam": ("typical",)})


def test_aids_are_left_out():
    reading = sample()
    lungs = Mask("lungs", np.ones((9, 9, 9), np.uint8), (), aid=True)
    with_lungs = Reading("Anna", (lungs, *reading.masks), reading.slice_labels, reading.answers)
    assert pack_reading(with_lungs) == pack_reading(reading)


def test_labels_are_deflated():
    rng = np.random.default_rng(0)
    labels = np.zeros((20, 64, 64), np.uint8)
    labels[5:15, 10:40, 10:40] = rng.integers(0, 2, (10, 30, 30))
    data = pack_reading(Reading("x", (Mask("m", labels, ()),)))
    assert len(data) < labels.nbytes / 30


@settings(max_examples=400)
@given(st.data())
def test_mutated_bytes_are_refused_or_make_a_reading(data):
    good = bytearray(pack_reading(sample()))
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.none() | st.integers(0, len(good)))
    try:
        reading = unpack_reading(bytes(good[:cut]))
    except ValueError:
        return
    assert {mask.labels.shape[0] for mask in reading.masks} <= {4}


@given(st.binary(max_size=200))
def test_other_bytes_are_refused(data):
    with pytest.raises(ValueError, match="no record of a reading"):
        unpack_reading(data)


def forged(**changes):
    record = msgspec.msgpack.decode(pack_reading(sample()))
    for name, value in changes.items():
        record[name] = {**record[name], **value} if isinstance(value, dict) else value
    return msgspec.msgpack.encode(record)


def a_mask(name="m", shape=(4, 9, 9), planes=()):
    step = MaskAdded("", Mask(name, np.zeros((1, 1, 1), np.uint8), ()))
    record = msgspec.msgpack.decode(encode_step(step))
    record["labels"] = {"shape": shape, "dtype": "uint8", "planes": list(planes)}
    return msgspec.msgpack.encode(record)


def test_forging_itself_changes_nothing():
    assert_same(unpack_reading(forged()), sample())
    assert unpack_reading(forged(masks=[a_mask()])).masks[0].labels.shape == (4, 9, 9)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"version": 2}, "no record of a reading"),
        ({"more": 1}, "no record of a reading"),
        ({"masks": [b"nonsense"]}, "no record of a step"),
        ({"masks": [encode_step(AnswerEdit("x", "q", None, ()))]}, "where a mask was expected"),
        ({"masks": [a_mask(), a_mask()]}, "the same name"),
        ({"masks": [a_mask("a"), a_mask("b", (4, 9, 8))]}, "no common grid"),
        ({"masks": [a_mask(shape=(5, 9, 9))]}, "no common grid"),
        ({"masks": [a_mask(planes=[zlib.compress(b"1")])]}, "do not hold the"),
        ({"masks": [a_mask(shape=(2**30, 2**30, 2))]}, "larger than"),
        ({"masks": [a_mask(n, (4, 2**15, 2**14)) for n in "abc"]}, "are more than"),
        ({"table": {"shape": (4, 3)}}, "cannot be named"),
        ({"table": {"columns": ("left", "left")}}, "cannot be named"),
        ({"table": {"any_column": "right"}}, "not a column"),
        ({"table": {"shape": (2**31 - 1, 2)}}, "do not hold|larger than"),
        ({"table": {"planes": [b""]}}, "do not hold"),
    ],
)
def test_forged_readings_are_refused_before_they_cost_memory(changes, words):
    data = forged(**changes)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=words):
            unpack_reading(data)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("reading", "words"),
    [
        (Reading("x" * 10_001), "no record of a reading"),
        (
            Reading("x", tuple(Mask(n, np.zeros(s, np.uint8), ()) for n, s in
                               (("a", (1, 2, 3)), ("b", (1, 3, 2))))),
            "no common grid",
        ),
        (
            Reading("x", (Mask("a", np.zeros((3, 2, 2), np.uint8), ()),),
                    SliceLabels(("c",), np.zeros((4, 1), bool))),
            "no common grid",
        ),
        (Reading("x", (), SliceLabels(("c", "c"), np.zeros((4, 2), bool))), "cannot be named"),
    ],
)  # fmt: skip
def test_what_could_not_be_unpacked_is_not_packed(reading, words):
    with pytest.raises(ValueError, match=words):
        pack_reading(reading)
