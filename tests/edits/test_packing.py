"""Label arrays packed small: exact, bounded, and refused where they are damaged."""

import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from napari_chest.edits.packing import MAX_BYTES, Packed, pack


@given(
    st.sampled_from([np.bool_, np.uint8, np.uint16]).flatmap(
        lambda dtype: arrays.arrays(dtype, arrays.array_shapes(max_dims=3, max_side=9))
    )
)
def test_any_array_comes_back(array):
    packed = pack(array)
    packed.check()
    back = packed.unpack()
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)
    assert packed.equals(array)
    box = np.ones_like(array)
    packed.write(box)
    np.testing.assert_array_equal(box, array)


@pytest.mark.parametrize("shape", [(3, 2**17 - 1), (5, 300, 301), (2**18 + 3,), (2**17 + 9, 3)])
@pytest.mark.parametrize("dtype", [bool, np.uint8, np.uint16])
def test_arrays_of_many_parts_come_back(shape, dtype):
    values = np.random.default_rng(0).integers(0, 300, shape)
    array = (values % 2).astype(dtype) if dtype is bool else values.astype(dtype)
    packed = pack(array)
    np.testing.assert_array_equal(packed.unpack(), array)
    assert packed.equals(array)
    other = array.copy()
    other.flat[-1] = not other.flat[-1]
    assert not packed.equals(other)


def test_a_bit_of_every_voxel_is_all_that_a_segment_takes():
    labels = np.zeros((40, 100, 100), np.uint8)
    assert pack(labels).planes == ()
    labels[10:20, 30:60, 30:60] = 2
    packed = pack(labels)
    assert len(packed.planes) == 2
    assert packed.nbytes < 1000
    assert set(zlib.decompress(packed.planes[0])) == {0}


def test_turned_and_foreign_arrays_come_back():
    array = np.arange(2 * 3 * 4, dtype=np.uint16).reshape(2, 3, 4)
    for turned in (array[::-1, :, ::2], array.T, array.astype(">u2")):
        packed = pack(turned)
        assert packed.dtype == np.dtype("=u2")
        np.testing.assert_array_equal(packed.unpack(), turned)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((2, 2), np.int16),
        np.zeros((2, 2), float),
        np.zeros((0, 2), np.uint8),
        np.zeros((), np.uint8),
    ],
)
def test_other_arrays_are_refused(array):
    with pytest.raises(ValueError, match=r"labels are bool|is empty"):
        pack(array)


def bomb(length):
    return zlib.compress(bytes(length), 9)


@pytest.mark.parametrize(
    ("shape", "dtype", "planes"),
    [
        ((8, 8), np.uint8, (b"",)),
        ((8, 8), np.uint8, (b"nonsense",)),
        ((8, 8), np.uint8, (zlib.compress(bytes(7)),)),
        ((8, 8), np.uint8, (zlib.compress(bytes(9)),)),
        ((8, 8), np.uint8, (zlib.compress(bytes(8))[:-1],)),
        ((8, 8), np.uint8, (zlib.compress(bytes(8)) + b"x",)),
        ((8, 8), np.uint8, (zlib.compress(bytes(8)),) * 9),
        ((8, 8), bool, (zlib.compress(bytes(8)),) * 2),
        ((8, 8), np.float32, ()),
        ((8, 0), np.uint8, ()),
        ((), np.uint8, ()),
        ((8, 8), np.uint8, (bomb(2**26),)),
        ((2**31 - 1,) * 3, np.uint8, ()),
        ((MAX_BYTES // 2 + 1,), np.uint16, ()),
    ],
)
def test_what_is_damaged_or_too_large_is_refused_in_little_memory(shape, dtype, planes):
    packed = Packed(shape, np.dtype(dtype), planes)
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"packed labels|planes of bits|labels are|an array of"):
        packed.check()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20
