"""Steps as bytes: they come back exactly, and nonsense is refused before it costs memory."""

import tracemalloc
import zlib

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from napari_chest.edits import (
    SLICE_LABELS,
    AnswerEdit,
    Edit,
    MaskAdded,
    decode_step,
    encode_step,
    mask_target,
)
from napari_chest.model import Mask, Segment

M = mask_target("Mäske\n1")


def edit_of(before, after, corner=(0, 0, 0), target=M):
    box = tuple(
        slice(start, start + length) for start, length in zip(corner, before.shape, strict=False)
    )
    return Edit("brush on slice 7", target, box, before, after)


@st.composite
def edits(draw):
    dtype = draw(st.sampled_from([np.uint8, np.uint16]))
    shape = draw(arrays.array_shapes(min_dims=3, max_dims=3, max_side=6))
    before, after = (draw(arrays.arrays(dtype, shape)) for _ in range(2))
    corner = draw(st.tuples(*[st.integers(0, 1000)] * 3))
    return edit_of(before, after, corner, draw(st.text(max_size=20)))


answers = st.lists(st.text(max_size=10), max_size=3).map(tuple)


@given(edits())
def test_edits_come_back(edit):
    for _ in range(2):
        back = decode_step(encode_step(edit))
        assert (back.name, back.target, back.box) == (edit.name, edit.target, edit.box)
        assert back.before.dtype == edit.before.dtype
        np.testing.assert_array_equal(back.before, edit.before)
        np.testing.assert_array_equal(back.after, edit.after)
        np.testing.assert_array_equal(back.counts, edit.counts)
        edit.pack()


@given(st.text(max_size=20), st.text(max_size=20), st.none() | answers, answers)
def test_answers_come_back(name, question, before, after):
    step = AnswerEdit(name, question, before, after)
    assert decode_step(encode_step(step)) == step


def test_edits_of_the_slice_table_come_back():
    before, after = np.zeros((4, 3), bool), np.eye(4, 3, dtype=bool)
    back = decode_step(encode_step(edit_of(before, after, (5, 0), SLICE_LABELS)))
    assert back.target == SLICE_LABELS
    assert back.box == (slice(5, 9), slice(0, 3))
    assert back.after.dtype == bool
    np.testing.assert_array_equal(back.after, after)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_masks_that_were_begun_come_back(dtype):
    labels = np.zeros((3, 9, 9), dtype)
    labels[1, 2:5, 3:7] = 2
    segments = (Segment(1, "right lung", "#78D8FF", "RL"), Segment(2, "left lung", "#F0C000"))
    for splits, aid in ((None, True), ("whole", False)):
        step = MaskAdded("lungs", Mask("lungs", labels, segments, splits, aid))
        back = decode_step(encode_step(step))
        assert back.name == "lungs"
        mask = back.mask
        assert (mask.name, mask.segments, mask.splits, mask.aid) == ("lungs", segments, splits, aid)
        assert mask.labels.dtype == dtype
        np.testing.assert_array_equal(mask.labels, labels)


def test_a_step_is_small_as_bytes():
    labels = np.zeros((150, 512, 512), np.uint8)
    labels[40:80, 100:300, 100:250] = 1
    assert len(encode_step(MaskAdded("begin", Mask("m", labels, ())))) < 50_000


# What somebody else may have written


def record(**changes):
    """The fields of a good edit, with some changed."""
    array = {"shape": (1, 2, 3), "dtype": "uint8", "planes": [zlib.compress(b"\x15")]}
    good = {
        "type": "edit",
        "name": "e",
        "target": M,
        "box": [(0, 1), (5, 7), (2, 5)],
        "before": array,
        "after": {**array, "planes": []},
    }
    for key, value in changes.items():
        outer, _, inner = key.partition("__")
        good[outer] = {**good[outer], inner: value} if inner else value
    return good


def mask_record(**changes):
    array = {"shape": (1, 2, 3), "dtype": "uint8", "planes": []}
    good = {"type": "mask", "name": "b", "mask": "m", "segments": [], "splits": None, "aid": False}
    return {**good, "labels": array, **changes}


def test_the_samples_are_good():
    edit = decode_step(msgspec.msgpack.encode(record()))
    assert edit.before.tolist() == [[[0, 0, 0], [1, 0, 1]]]
    assert decode_step(msgspec.msgpack.encode(mask_record())).mask.labels.shape == (1, 2, 3)


HUGE = 2**31 - 1
ARRAY = {"shape": (HUGE, HUGE, HUGE), "dtype": "uint8", "planes": []}


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        [],
        None,
        "edit",
        {"type": "edit"},
        {"type": "virus"},
        record(type="answer"),
        record(extra=1),
        record(name=7),
        record(name="x" * 20_000),
        record(target=None),
        record(box=[]),
        record(box=[(0, 1), (5, 7)]),
        record(box=[(0, 1), (5, 7), (2, 6)]),
        record(box=[(0, 1), (5, 7), (5, 2)]),
        record(box=[(-1, 0), (5, 7), (2, 5)]),
        record(box=[(0.5, 1), (5, 7), (2, 5)]),
        record(box=[(0, 0), (5, 7), (2, 5)], before__shape=(0, 2, 3), after__shape=(0, 2, 3)),
        record(box=[(0, 2**40), (5, 7), (2, 5)]),
        record(box=[(0, HUGE)] * 3, before=ARRAY, after=ARRAY),
        record(box=[(0, 1)] * 4, before__shape=(1,) * 4, after__shape=(1,) * 4),
        record(before__shape=(1, 3, 2)),
        record(before__dtype="float64"),
        record(before__dtype="object"),
        record(after__dtype="uint16"),
        record(before__planes=[zlib.compress(b"\x15\x00")]),
        record(before__planes=[zlib.compress(bytes(2**26), 9)]),
        record(before__planes=[b""] * 17),
        record(before__planes=["text"]),
        mask_record(labels=ARRAY),
        mask_record(labels={"shape": (2, 3), "dtype": "uint8", "planes": []}),
        mask_record(labels={"shape": (1, 2, 3), "dtype": "bool", "planes": []}),
        mask_record(labels={"shape": (1, 0, 3), "dtype": "uint8", "planes": []}),
        mask_record(aid=1),
        mask_record(segments=[{"value": 0, "name": "", "color": "#ffffff", "code": ""}]),
        mask_record(segments=[{"value": 1, "name": "", "color": "url(x)", "code": ""}]),
        {"type": "answer", "name": "a", "question": "q", "before": None, "after": None},
        {"type": "answer", "name": "a", "question": "q", "before": [1], "after": []},
    ],
)
def test_what_is_no_step_is_refused_in_little_memory(wrong):
    data = msgspec.msgpack.encode(wrong)
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"\w+"):
        decode_step(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**21


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_are_a_step_or_refused(data):
    try:
        decode_step(data)
    except ValueError:
        return


@settings(max_examples=300)
@given(edits(), st.data())
def test_damaged_bytes_are_a_step_or_refused(edit, data):
    good = bytearray(encode_step(edit))
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(good)))
    for damaged in (bytes(good), bytes(good[:cut])):
        try:
            step = decode_step(damaged)
        except ValueError:
            continue
        if isinstance(step, Edit):
            assert step.before.shape == tuple(part.stop - part.start for part in step.box)
