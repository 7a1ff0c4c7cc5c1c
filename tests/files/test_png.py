"""PNG images: read as they were written, whoever wrote them; hostile ones refused in words."""

import os
import struct
import tracemalloc
import zlib

import imageio.v3 as imageio
import numpy as np
import pytest

from napari_chest.errors import ReadError
from napari_chest.files.png import PngHeader, read_png, read_png_header

SIGNATURE = b"\x89PNG\r\n\x1a\n"
ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2))
GREY, COLOR, PALETTE, GREY_ALPHA, COLOR_ALPHA = 0, 2, 3, 4, 6
SAMPLES = {GREY: 1, COLOR: 3, PALETTE: 1, GREY_ALPHA: 2, COLOR_ALPHA: 4}
BOMB = zlib.compress(bytes(50_000_000), 9)


def chunk(name, data=b""):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def header(width, height, depth, kind=GREY, interlaced=0):
    return SIGNATURE + chunk(
        b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlaced)
    )


def packed(samples, depth):
    """The bytes of one line of samples (X * C,)."""
    if depth == 16:
        return samples.astype(">u2").tobytes()
    bits = np.unpackbits(samples.astype(np.uint8)[:, None], axis=1)[:, 8 - depth :]
    return np.packbits(bits.ravel()).tobytes()


def filtered(line, above, step, method):
    """One line as PNG stores it, with the number of its filter (PNG, 9.2)."""
    line, above = np.frombuffer(line, np.uint8), np.frombuffer(above, np.uint8)
    a = np.r_[np.zeros(step, np.uint8), line[:-step]].astype(int)[: len(line)]
    b = above.astype(int)
    c = np.r_[np.zeros(step, np.uint8), above[:-step]].astype(int)[: len(line)]
    estimate = a + b - c
    distances = np.abs([estimate - a, estimate - b, estimate - c])
    paeth = np.choose(distances.argmin(axis=0), [a, b, c])
    predicted = (np.zeros_like(a), a, b, (a + b) // 2, paeth)[method]
    return bytes([method]) + ((line - predicted) % 256).astype(np.uint8).tobytes()


def lines_of(image, depth, kind):
    """All lines of an image (Y, X) or (Y, X, C), each with another filter than the one before."""
    samples = SAMPLES[kind]
    above = bytes(len(packed(image[0].ravel(), depth)))
    content = b""
    for y, row in enumerate(image):
        line = packed(row.ravel(), depth)
        content += filtered(line, above, max(samples * depth // 8, 1), y % 5)
        above = line
    return content


def png(image, depth=8, kind=GREY, before=b"", interlaced=False, pieces=1):
    """A file written by hand."""
    height, width = image.shape[:2]
    parts = [image]
    if interlaced:
        parts = [image[y::dy, x::dx] for y, x, dy, dx in (*ADAM7, (1, 0, 2, 1))]
    content = zlib.compress(b"".join(lines_of(part, depth, kind) for part in parts if part.size))
    size = -(-len(content) // pieces)
    data = [chunk(b"IDAT", content[at : at + size]) for at in range(0, len(content), size)]
    start = header(width, height, depth, kind, int(interlaced))
    return start + before + b"".join(data) + chunk(b"IEND")


def sample(depth, shape=(21, 17)):
    return np.random.default_rng(2).integers(0, 2**depth, shape).astype(np.uint16)


@pytest.fixture
def read(tmp_path):
    def read(content):
        path = tmp_path / "image.png"
        path.write_bytes(content)
        return read_png(path)

    return read


@pytest.fixture
def refuse(tmp_path, capfd):
    def refuse(content, words):
        path = tmp_path / "image.png"
        path.write_bytes(content)
        with pytest.raises(ReadError, match=words):
            read_png(path)
        assert capfd.readouterr().err == ""  # libpng speaks to the terminal where it can

    return refuse


# Read as written


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_what_another_program_wrote(tmp_path, dtype):
    image = np.random.default_rng(1).integers(0, np.iinfo(dtype).max, (120, 97), dtype, True)
    path = tmp_path / "image.png"
    imageio.imwrite(path, image)
    found = read_png(path)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, image)


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("interlaced", [False, True])
def test_every_depth_and_filter_holds_the_stored_values(read, capfd, depth, interlaced):
    image = sample(depth)
    found = read(png(image, depth, interlaced=interlaced))
    assert found.dtype == (np.uint16 if depth == 16 else np.uint8)
    np.testing.assert_array_equal(found, image)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 3), (5, 4), (8, 8), (3, 300)])
def test_every_size(read, shape, interlaced):
    image = sample(16, shape)
    np.testing.assert_array_equal(read(png(image, 16, interlaced=interlaced)), image)


def test_data_in_many_pieces_and_a_large_image(read):
    image = sample(16, (300, 400))
    np.testing.assert_array_equal(read(png(image, 16, pieces=1000)), image)


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("kind", [COLOR, GREY_ALPHA, COLOR_ALPHA])
@pytest.mark.parametrize("interlaced", [False, True])
def test_grey_in_several_channels_is_grey(read, depth, kind, interlaced):
    grey = sample(depth)
    image = np.repeat(grey[..., None], SAMPLES[kind], axis=2)
    if kind != COLOR:
        image[..., -1] = sample(depth)[::-1]  # opacity says nothing
    found = read(png(image, depth, kind, interlaced=interlaced))
    np.testing.assert_array_equal(found, grey)
    assert found.flags.c_contiguous


@pytest.mark.parametrize("palette", [b"no palette", bytes(9), bytes(900)])
def test_a_palette_that_is_not_used_is_left_aside(read, palette):
    grey = sample(8)
    image = np.repeat(grey[..., None], 3, axis=2)
    np.testing.assert_array_equal(read(png(image, 8, COLOR, chunk(b"PLTE", palette))), grey)


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_a_grey_palette_is_grey(read, depth):
    levels = np.arange(2**depth)[::-1] * (255 // (2**depth - 1))
    palette = chunk(b"PLTE", np.repeat(levels[:, None], 3, axis=1).astype(np.uint8).tobytes())
    image = sample(depth)
    opacity = chunk(b"tRNS", bytes([0]))
    found = read(png(image, depth, PALETTE, palette + opacity))
    np.testing.assert_array_equal(found, levels[image])


@pytest.mark.parametrize(
    "extra",
    [
        chunk(b"gAMA", struct.pack(">I", 220000)),
        chunk(b"sBIT", b"\x0c"),
        chunk(b"tRNS", b"\0\5"),
        chunk(b"bKGD", b"\0\5"),
        chunk(b"pHYs", bytes(9)),
        chunk(b"PLTE", bytes(3)),
        chunk(b"PLTE", b"no palette"),
        chunk(b"acTL", bytes(8)),
        chunk(b"prVt", b"anything"),
        chunk(b"iCCP", b"profile\0\0" + BOMB),
        chunk(b"zTXt", b"Comment\0\0" + BOMB),
        chunk(b"iTXt", b"Comment\0\1\0\0\0" + BOMB),
        chunk(b"tEXt", b"a\0b") * 5000,
        b"\0\0\0\0tEXt" + b"sum?",
    ],
)  # fmt: skip
def test_what_a_file_says_of_showing_it_is_left_aside(read, capfd, extra):
    image = sample(16)
    np.testing.assert_array_equal(read(png(image, 16, before=extra)), image)
    assert capfd.readouterr().err == ""


def test_nothing_behind_the_image_matters(read):
    content = png(image := sample(8))
    end = len(chunk(b"IEND"))
    beyond = b"\0\0\0\4IDATdata" + b"sum?"
    for odd in (
        content + beyond,
        content + b"junk" * 9,
        content[:-1],
        content[:-4],
        content[:-7],
        content[:-end],
    ):
        np.testing.assert_array_equal(read(odd), image)


def test_data_beyond_the_image_are_not_inflated(tmp_path, capfd):
    lines = lines_of(image := sample(8), 8, GREY)
    bomb = zlib.compress(lines + bytes(50_000_000), 9)
    path = tmp_path / "image.png"
    path.write_bytes(header(17, 21, 8) + chunk(b"IDAT", bomb) + chunk(b"IEND"))
    tracemalloc.start()
    try:
        np.testing.assert_array_equal(read_png(path), image)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
    assert capfd.readouterr().err == ""


# Headers


@pytest.mark.parametrize(
    ("depth", "kind", "channels"),
    [(1, 0, 1), (16, 0, 1), (8, 2, 3), (4, 3, 3), (16, 4, 2), (8, 6, 4)],
)
def test_header(tmp_path, depth, kind, channels):
    path = tmp_path / "image.png"
    path.write_bytes(header(2140, 1760, depth, kind))  # no image behind it
    assert read_png_header(path) == PngHeader(2140, 1760, depth, channels)


@pytest.mark.parametrize(
    ("width", "height", "depth", "kind"),
    [
        (0, 5, 8, GREY), (5, 0, 8, GREY), (0, 0, 16, GREY), (65_536, 1, 1, GREY),
        (1, 65_536, 1, GREY), (2**31 - 1, 2**31 - 1, 16, COLOR_ALPHA), (2**32 - 1, 1, 1, GREY),
        (10_000, 10_001, 1, GREY), (9_000, 9_000, 16, COLOR_ALPHA), (10_000, 10_000, 8, PALETTE),
    ],
)  # fmt: skip
def test_impossible_sizes_are_refused_by_the_header(tmp_path, refuse, width, height, depth, kind):
    content = header(width, height, depth, kind)
    refuse(content, rf"at most, found {width:,} x {height:,} pixels")
    with pytest.raises(ReadError, match="at most, found"):
        read_png_header(tmp_path / "image.png")


def test_the_largest_image_is_refused_for_its_missing_data_alone(refuse):
    refuse(header(10_000, 10_000, 16) + chunk(b"IDAT", BOMB), "damaged or cut short")


@pytest.mark.parametrize(
    ("depth", "kind"), [(0, 0), (3, 0), (32, 0), (4, 2), (16, 3), (4, 4), (1, 6), (8, 1), (8, 7)]
)
def test_kinds_that_there_are_not(refuse, depth, kind):
    refuse(header(4, 4, depth, kind) + chunk(b"IDAT", BOMB), "damaged")


@pytest.mark.parametrize("ways", [(1, 0, 0), (0, 1, 0), (0, 0, 2)])
def test_ways_of_storing_that_there_are_not(refuse, ways):
    content = png(sample(8))
    start = SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", 17, 21, 8, GREY, *ways))
    refuse(start + content[33:], "damaged")


@pytest.mark.parametrize("at", range(8, 33))
def test_a_damaged_header(refuse, at):
    content = bytearray(png(sample(8)))
    content[at] ^= 0x41
    refuse(bytes(content), "damaged or cut short")


def test_empty_and_other_files(tmp_path, refuse):
    refuse(b"", "the file is empty")
    for other in (b"\xff\xd8\xff\xe0JFIF", b"GIF89a", b"\0" * 400, b"<html>", SIGNATURE[:7]):
        refuse(other, "expected a PNG image, found another kind of file")
    (tmp_path / "image.png").write_bytes(b"")
    with pytest.raises(ReadError, match="the file is empty"):
        read_png_header(tmp_path / "image.png")


@pytest.mark.parametrize("read", [read_png, read_png_header])
def test_what_is_no_file(tmp_path, read):
    with pytest.raises(ReadError, match="no longer there"):
        read(tmp_path / "none.png")
    with pytest.raises(ReadError, match="expected a file"):
        read(tmp_path)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.png")
        with pytest.raises(ReadError, match="expected a file"):
            read(tmp_path / "pipe.png")


# Damage


def test_colour_is_refused_with_its_reason(refuse):
    for kind in (COLOR, COLOR_ALPHA):
        image = np.zeros((5, 4, SAMPLES[kind]), np.uint8)
        image[3, 2, 1] = 1
        refuse(png(image, 8, kind), "colour image.*personal data")
    palette = chunk(b"PLTE", bytes([1, 1, 1, 9, 9, 8]))
    refuse(png(np.array([[0, 1]]), 1, PALETTE, palette), "colour image.*personal data")


def test_cut_short_anywhere_before_the_image_ends(refuse):
    content = png(sample(16, (4, 3)), 16, pieces=2)
    for length in range(1, content.index(b"IEND") - 4):
        refuse(content[:length], "another kind" if length < 8 else "damaged or cut short")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nonsense",
        zlib.compress(b""),
        zlib.compress(bytes(20)),
        zlib.compress(b"\x07" + bytes(20)),  # a filter that there is not
        zlib.compress(bytes(21))[:-5],
        BOMB[:3],
    ],
)
def test_data_that_are_no_image(refuse, data):
    refuse(header(20, 1, 8) + chunk(b"IDAT", data) + chunk(b"IEND"), "damaged or cut short")


def test_checksums_are_proven(refuse):
    palette = chunk(b"PLTE", b"\1\1\1\2\2\2")
    content = png(np.array([[0, 1]]), 1, PALETTE, palette)
    for name in (b"PLTE", b"IDAT"):
        at = content.index(name)
        length = int.from_bytes(content[at - 4 : at])
        damaged = bytearray(content)
        damaged[at + 4 + length] ^= 1
        refuse(bytes(damaged), "damaged")


def test_no_data_no_palette_and_bad_palettes(refuse):
    refuse(header(2, 2, 8) + chunk(b"IEND"), "damaged")
    image = np.zeros((2, 2), np.uint8)
    for palette in (b"", chunk(b"PLTE"), chunk(b"PLTE", b"ab"), chunk(b"PLTE", bytes(3000))):
        refuse(png(image, 8, PALETTE, palette), "damaged")


def test_too_many_chunks_are_refused(refuse):
    refuse(png(sample(8), before=chunk(b"tEXt") * 200_001), "expected at most 200,000 chunks")


def test_random_damage_raises_read_errors_or_harms_no_pixel(tmp_path):
    random = np.random.default_rng(5)
    path = tmp_path / "image.png"
    image = sample(16, (6, 7))
    good = np.frombuffer(png(image, 16, before=chunk(b"tEXt", b"a\0b"), pieces=3), np.uint8)
    refused = 0
    for _ in range(600):
        bad = good.copy()
        where = random.integers(0, len(bad), random.integers(1, 4))
        bad[where] = random.integers(0, 256, len(where))
        path.write_bytes(bad.tobytes())
        try:
            found = read_png(path)
        except ReadError:
            refused += 1
            continue
        np.testing.assert_array_equal(found, image)
    assert 0 < refused < 600


def test_damage_that_every_checksum_confirms(tmp_path):
    random = np.random.default_rng(6)
    path = tmp_path / "image.png"
    shapes, refused = set(), 0
    for _ in range(600):
        width, height = random.integers(1, 12, 2)
        depth, kind = random.choice([1, 2, 4, 8, 16]), random.choice([0, 2, 3, 4, 6])
        lines = random.integers(0, random.choice([1, 5, 6]), 400).astype(np.uint8)
        content = header(width, height, depth, kind, random.integers(0, 2))
        content += chunk(b"PLTE", bytes([5] * random.integers(0, 9)))
        content += chunk(b"IDAT", zlib.compress(lines.tobytes())) + chunk(b"IEND")
        path.write_bytes(content)
        try:
            found = read_png(path)
        except ReadError:
            refused += 1
            continue
        assert found.shape == (height, width)
        shapes.add(found.shape)
    assert len(shapes) > 50
    assert refused > 50


def test_too_large_a_file_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "image.png"
    with path.open("wb") as file:
        file.write(png(sample(8)))
        file.truncate(2**28 + 1)  # a sparse file
    with pytest.raises(ReadError, match="expected at most"):
        read_png(path)
    assert read_png_header(path).width == 17
