"""Array files: read as numpy reads them, patched byte by byte, hostile ones refused."""

import io
import os
import pickle
import struct

import numpy as np
import pytest

from napari_chest.errors import ReadError
from napari_chest.files.npy import read_npy

DTYPES = ("<i8", "<i4", "<f8", "|b1", ">i2", "|u1", "<f4", ">u8")


def stored(array, version=None, order="C"):
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asarray(array, order=order), version=version)
    return file.getvalue()


def with_header(text, data=b"", version=(1, 0)):
    """A file whose header is any text."""
    text = text.encode() if isinstance(text, str) else text
    length = struct.pack("<H" if version == (1, 0) else "<I", len(text))
    return b"\x93NUMPY" + bytes(version) + length + text + data


def header(shape, descr="'<i8'", fortran=False):
    return f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "array.npy"


def sample(dtype, shape=(3, 4, 5)):
    values = np.random.default_rng(3).integers(0, 2, shape)
    return values.astype(dtype)


# Round trips


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
def test_round_trip(path, dtype, order, version):
    array = sample(dtype)
    path.write_bytes(content := stored(array, version, order))
    file = read_npy(path)
    np.testing.assert_array_equal(file.array, array)
    assert file.array.dtype == np.dtype(dtype)
    assert file.dtype.str == np.dtype(dtype).str
    assert file.shape == (3, 4, 5)
    assert file.fortran_order == (order == "F")
    assert file.content == content
    everything = (slice(None),) * 3
    assert file.patched(everything, file.array).content == content
    assert file.patched((np.array([], int),), np.zeros((0, 4, 5))).content == content


def test_array_is_read_only(path):
    path.write_bytes(stored(sample("<i8")))
    with pytest.raises(ValueError, match="read-only"):
        read_npy(path).array[0] = 1


@pytest.mark.parametrize("shape", [(), (0,), (1,), (0, 5), (2, 0, 3), (1, 1, 1, 1)])
def test_odd_shapes(path, shape):
    array = np.ones(shape, "<f8")
    path.write_bytes(stored(array))
    np.testing.assert_array_equal(read_npy(path).array, array)


# Patching


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
def test_patch_changes_the_bytes_of_its_cell_alone(path, dtype, order, version):
    array = sample(dtype)
    path.write_bytes(content := stored(array, version, order) + b"trailing bytes")
    file = read_npy(path)
    size = array.itemsize
    for z, y, x in [(0, 0, 0), (2, 3, 4), (1, 2, 3)]:
        value = 1 - int(array[z, y, x])
        patched = file.patched((z, y, x), np.array(value))
        at = (z * 20 + y * 5 + x) if order == "C" else (z + y * 3 + x * 12)
        start = file.offset + at * size
        pairs = zip(content, patched.content, strict=True)
        differing = {n for n, (a, b) in enumerate(pairs) if a != b}
        assert differing
        assert differing <= set(range(start, start + size))
        assert patched.content[start : start + size] == np.array(value, dtype).tobytes()
        assert len(patched.content) == len(content)
        assert patched.array[z, y, x] == value
        assert patched.frame == file.frame
        assert patched.frame[1] == b"trailing bytes"
        path.write_bytes(patched.content)
        np.testing.assert_array_equal(np.load(path), patched.array)
    assert file.content == content, "the file that was patched stays as it was"


def test_patch_with_lists_of_cells(path):
    array = np.zeros((4, 6, 5))
    path.write_bytes(stored(array))
    patched = read_npy(path).patched((1, np.array([5, 0])), np.array([[1] * 5, [0, 1, 0, 1, 0]]))
    array[1, 5], array[1, 0] = 1, (0, 1, 0, 1, 0)
    assert patched.content == stored(array)


@pytest.mark.parametrize("dtype", ["<f8", "<f4"])
def test_untouched_nans_and_negative_zeros_keep_their_bytes(path, dtype):
    array = np.zeros((2, 4), dtype)
    payload = 0x7FC0_1234 if array.itemsize == 4 else 0x7FF8_0000_0000_1234
    array.view(f"u{array.itemsize}")[0, 0] = payload
    array[0, 1] = -0.0
    path.write_bytes(stored(array))
    patched = read_npy(path).patched((1, 2), np.array(1))
    array[1, 2] = 1
    assert patched.content == stored(array)


# What is refused


def refuse(path, content, match=None):
    path.write_bytes(content)
    with pytest.raises(ReadError, match=match) as error:
        read_npy(path)
    assert str(path) in str(error.value)


class Bomb:
    """A pickle that makes a file when it is opened."""

    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.mkdir, (os.fspath(self.target),)


@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
def test_arrays_of_objects_are_never_unpickled(path, tmp_path, version):
    target = tmp_path / "owned"
    array = np.empty(1, object)
    array[0] = Bomb(target)
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version, allow_pickle=True)
    refuse(path, file.getvalue(), "never opened")
    assert not target.exists()
    np.load(path, allow_pickle=True)
    assert target.exists(), "the trap works"


def test_bare_pickles_are_refused(path, tmp_path):
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        refuse(path, pickle.dumps(Bomb(tmp_path / "owned"), protocol), r"expected a NumPy array")
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
def test_cut_short_anywhere(path, version):
    content = stored(sample("<i8", (2, 3)), version)
    for length in range(len(content)):
        refuse(path, content[:length])
    path.write_bytes(content)
    assert read_npy(path).array.shape == (2, 3)


@pytest.mark.parametrize(
    "shape",
    [
        "(3,)",
        f"({10**18},)",
        f"({2**62}, {2**62})",
        f"(0, {10**30})",
        f"({10**30}, 0)",
        f"({2**63}, 0, 5)",
        "(-1,)",
        "(-2, -1)",
        "(-5, 0)",
        f"({', '.join(['1'] * 40)})",
        f"({', '.join(['1'] * 100)})",
        "(1.5,)",
        "('2',)",
        "[2]",
        "2",
        "None",
    ],
)
def test_lying_shapes(path, shape):
    refuse(path, with_header(header(shape), bytes(16)))


@pytest.mark.parametrize(
    "descr",
    [
        "'|O'", "'O'", "[('a', 'O')]", "[('a', '<i8')]", "'<U5'", "'|S8'", "'<M8[ns]'", "'|V8'",
        "'<c16'", "('<i4', (2,))", "'nonsense'", "''", "()", "[]", "{}", "None", "3", "[[]]",
        "[()]", "('<i8',)", "((), ())", "'<i8,<i8'", "[('a',)]", "b'<i8'", "(None, None)",
    ],
)  # fmt: skip
def test_types_that_are_no_numbers(path, descr):
    refuse(path, with_header(header("(1,)", descr), bytes(64)))


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "(" * 5000, "[" * 200 + "]" * 200, "{'descr': '<i8'}", "[]", "1", "\0", "'", "{}",
        "x", "__import__('os').mkdir('owned')", "{'descr': '<i8', 'fortran_order': 2, 'shape': ()}",
        "{1: 2, 'a': 3}", "{[]: 1}",
        "{'shape': (1,), 'fortran_order': False, 'descr': '<i8', 3: 4}",
        "-" * 3000 + "1", "'''", "\\", "\t \n  x", "0777", "1L", "{'a':" * 60,
    ],
)  # fmt: skip
def test_headers_that_are_none(path, text):
    for version in ((1, 0), (2, 0)):
        refuse(path, with_header(text, bytes(8), version), "expected a NumPy array file")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUMPY",
        b"\x93NUMPY\x01\x00",
        b"\x93NUMPY\x09\x00" + bytes(100),
        b"\x93NUMPY\x03\x00" + bytes(100),
        b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + bytes(100),
        b"\x93NUMPY\x01\x00\xff\xff" + bytes(70_000),
        b"PK\x03\x04" + bytes(100),
        b"Label Index,Diagnosis\r\n",
        bytes(200),
    ],
)
def test_files_that_are_no_arrays(path, content):
    refuse(path, content, "expected a NumPy array file")


def test_random_damage_raises_read_errors_only(path):
    random = np.random.default_rng(5)
    good = np.frombuffer(stored(sample("<i4", (3, 4))), np.uint8)
    read = 0
    for _ in range(400):
        bad = good.copy()
        where = random.integers(0, 128, random.integers(1, 4))
        bad[where] = random.choice(np.frombuffer(b"\x00\xff(){}[]'<>,0129-bOV:\\\n", np.uint8))
        path.write_bytes(bad.tobytes())
        try:
            file = read_npy(path)
        except ReadError:
            continue
        read += 1
        assert file.array.nbytes <= len(good)
        assert file.patched((Ellipsis,), file.array).content == bad.tobytes()
    assert read < 400


def test_too_large_is_refused_before_it_is_read(path):
    with path.open("wb") as file:
        file.write(stored(np.zeros(1)))
        file.truncate(2**30 + 1)  # a sparse file
    with pytest.raises(ReadError, match="expected at most"):
        read_npy(path)


def test_missing_file(path):
    with pytest.raises(ReadError, match="no longer there"):
        read_npy(path)
