"""NIfTI volumes: read as nibabel reads them, in display order; damaged and hostile ones told."""

import itertools
import os
import struct

import nibabel as nib
import numpy as np
import pytest
from nifti_samples import LAS, as_displayed, ct, extension, gzip_header, nifti, packed

from napari_chest.errors import ReadError
from napari_chest.files.nifti import grid_of, read_header, same_grid, stream, stream_nifti
from napari_chest.model import Window

AIR = -1024
RAS_TO_LPS = np.diag([-1, -1, 1, 1])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "study_0255.nii.gz"


def written(path, content):
    path.write_bytes(content)
    return path


def read(path, content):
    """The complete stream of some bytes."""
    result = stream_nifti(written(path, content))
    result.complete()
    return result


def refuse(path, content, match):
    with pytest.raises(ReadError, match=match) as caught:
        read(path, content)
    assert str(caught.value).startswith(str(path))


def texts(result, level):
    return [problem.text for problem in result.problems if problem.level == level]


# Headers


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("endian", ["<", ">"])
@pytest.mark.parametrize("pack", [packed, bytes])
def test_header_as_nibabel_reads_it(path, version, endian, pack):
    # nibabel 5.4 misreads extensions of big-endian files.
    extended = extension(b"kept") if endian == "<" else b""
    content = nifti(ct(), version=version, endian=endian, extension=extended)
    path = path.with_suffix("") if pack is bytes else path
    header = read_header(written(path, pack(content)))
    oracle = nib.load(path)
    assert header.path == path
    assert header.shape == oracle.shape == (6, 5, 4)
    assert header.dtype == oracle.get_data_dtype()
    assert header.dtype.newbyteorder(endian) == header.dtype
    np.testing.assert_array_equal(header.affine, oracle.affine)
    assert header.affine.dtype == np.float64
    assert (header.slope, header.inter, header.placed) == (1, 0, True)
    assert header.raw == content[: int(oracle.dataobj.offset)]
    assert header.gzip == (gzip_header() if pack is packed else None)


@pytest.mark.parametrize(
    ("sform", "qform", "placed"), [(1, 1, True), (2, 0, True), (0, 1, True), (0, 0, False)]
)
def test_affine_of_the_form_that_is_set(path, sform, qform, placed):
    array = ct()
    content = nifti(array, sform_code=sform, qform_code=qform, srow_x=[-0.9, 0, 0, 100])
    header = read_header(written(path, packed(content)))
    np.testing.assert_allclose(header.affine, nib.load(path).affine)
    assert header.placed is placed
    assert grid_of(header).placed is placed


def test_unset_quaternion_sign_is_read_as_the_standard_says(path):
    content = nifti(ct(), affine=np.diag([2, 2, 2, 1.0]), sform_code=0)
    pixdim = struct.unpack_from("<8f", content, 76)
    content = content[:76] + struct.pack("<8f", 0, *pixdim[1:]) + content[108:]
    header = read_header(written(path, packed(content)))
    np.testing.assert_allclose(header.affine, np.diag([2, 2, 2, 1.0]))


@pytest.mark.parametrize(
    ("slope", "inter", "expected"),
    [
        (2, 3, (2, 3)),
        (0, 3, (1, 0)),
        (np.nan, 3, (1, 0)),
        (np.inf, 3, (1, 0)),
        (2, np.nan, (2, 0)),
    ],
)
def test_scaling_that_is_not_set(path, slope, inter, expected):
    header = read_header(written(path, nifti(ct(), scl_slope=slope, scl_inter=inter)))
    assert (header.slope, header.inter) == expected


def test_description(path):
    header = read_header(written(path, nifti(ct(), descrip=b"Time=143137.150")))
    assert header.description == "Time=143137.150"


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((6, 5, 4, 1), (6, 5, 4)), ((6, 5, 1, 1, 1), (6, 5, 1)), ((6, 5, 4, 2), (6, 5, 4, 2))],
)
def test_trailing_axes_of_one(path, shape, expected):
    assert read_header(written(path, nifti(ct(shape)))).shape == expected


def test_only_the_beginning_of_a_file_is_needed(path):
    content = packed(nifti(np.random.default_rng(0).integers(0, 999, (64, 64, 64), np.int16)))
    assert read_header(written(path, content[:4096])).shape == (64, 64, 64)


# Display order


def test_published_orientation_starts_at_the_head(path):
    """Stored to left, front, head; shown from head to feet, front on top, patient right left."""
    array = ct()
    result = read(path, packed(nifti(array)))
    volume, grid = result.volume, result.volume.grid
    np.testing.assert_array_equal(volume.voxels, as_displayed(array))
    np.testing.assert_array_equal(volume.voxels[1], np.rot90(array[:, :, 2]))
    assert grid.stored.axes == (2, 1, 0)
    assert grid.stored.flipped == (True, True, False)
    assert grid.slice_ids == ("3", "2", "1", "0")
    assert grid.spacing == pytest.approx((8, 0.7, 0.7))
    head = LAS @ (0, 4, 3, 1)
    np.testing.assert_allclose(grid.position(0, 0, 0), (RAS_TO_LPS @ head)[:3], rtol=1e-6)
    assert volume.modality == "CT"
    assert result.problems == []


def _affines():
    """Every way of storing an isotropic volume along the patient's axes."""
    for axes in itertools.permutations(range(3)):
        for signs in itertools.product((-2.0, 2.0), repeat=3):
            affine = np.eye(4)
            affine[:3, :3] = np.diag(signs)[:, axes]
            affine[:3, 3] = (11, 12, 13)
            yield affine


@pytest.mark.parametrize("affine", list(_affines()), ids=lambda a: "".join(nib.aff2axcodes(a)))
def test_all_orientations_are_shown_alike(path, affine):
    array = ct()
    volume = read(path, nifti(array, affine)).volume
    canonical = nib.as_closest_canonical(nib.Nifti1Image(array, affine))  # to right, front, head
    expected = np.asarray(canonical.dataobj).T[::-1, ::-1, ::-1]
    np.testing.assert_array_equal(volume.voxels, expected)
    last = np.array(canonical.shape) - 1
    for index in ((0, 0, 0), (1, 2, 3)):
        ras = canonical.affine @ (*(last - index[::-1]), 1)
        np.testing.assert_allclose(volume.grid.position(*index), (RAS_TO_LPS @ ras)[:3])


def test_one_slice_and_four_axes(path):
    array = ct((6, 5, 1))
    volume = read(path, nifti(array)).volume
    np.testing.assert_array_equal(volume.voxels, as_displayed(array))
    four = ct((6, 5, 4, 1))
    np.testing.assert_array_equal(read(path, nifti(four)).volume.voxels, as_displayed(four[..., 0]))


# Values


@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
@pytest.mark.parametrize("endian", ["<", ">"])
def test_number_types(path, dtype, endian):
    low = 0 if dtype.startswith("u") else -100
    array = np.random.default_rng(1).integers(low, 127, (6, 5, 4)).astype(dtype)
    result = read(path, packed(nifti(array, endian=endian)))
    assert result.volume.voxels.dtype == np.int16
    np.testing.assert_array_equal(result.volume.voxels, as_displayed(array))
    assert result.problems == []
    assert not result.volume.voxels.flags.writeable


@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "f4"])
def test_scaled_values(path, dtype):
    array = np.random.default_rng(1).integers(0, 99, (6, 5, 4)).astype(dtype)
    volume = read(path, nifti(array, scl_slope=2, scl_inter=-1024)).volume
    np.testing.assert_array_equal(volume.voxels, as_displayed(array.astype(int)) * 2 - 1024)


@pytest.mark.parametrize("dtype", ["u2", "u4", "i4", "i8", "u8", "f4", "f8"])
def test_values_beyond_int16_are_clipped_and_told(path, dtype):
    array = np.zeros((6, 5, 4), dtype)
    array[0, 0, 0] = array[1, 0, 3] = 60_000
    array[2, 0, 0] = 0 if dtype.startswith("u") else -60_000
    result = read(path, nifti(array))
    np.testing.assert_array_equal(
        result.volume.voxels, as_displayed(np.clip(array.astype(float), -32768, 32767))
    )
    count = 2 if dtype.startswith("u") else 3
    assert texts(result, "note") == [f"Voxels beyond -32768 to 32767 HU, shown clipped: {count}."]


def test_what_is_no_number_is_air(path):
    array = ct(dtype=np.float32)
    array[1, 2, 3], array[0, 0, 0], array[0, 0, 1] = np.nan, np.inf, -np.inf
    result = read(path, nifti(array))
    shown = result.volume.voxels
    assert shown[0, 2, 1] == AIR
    assert (shown[3, 4, 0], shown[2, 4, 0]) == (32767, -32768)
    assert texts(result, "note") == [
        "Voxels beyond -32768 to 32767 HU, shown clipped: 2.",
        "Voxels that are no number, shown as air: 1.",
    ]


def test_fractions_are_rounded_and_told(path):
    array = ct(dtype=np.float32)
    array[0, 0, 0] = 12.7
    result = read(path, nifti(array))
    assert result.volume.voxels[3, 4, 0] == 13
    assert any("rounded" in text for text in texts(result, "note"))


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(-1000, 400, Window(-300, 1400)), (0, 0, None), (5, 5, None), (9, 3, None)],
)
def test_the_files_own_window(path, low, high, expected):
    assert read(path, nifti(ct(), cal_min=low, cal_max=high)).volume.window == expected


# Streaming


@pytest.mark.parametrize("affine", [LAS, np.diag([-1, 1, -8, 1.0])], ids=["upwards", "downwards"])
@pytest.mark.parametrize(("first", "start"), [(None, 10), (0, 0), (3, 3), (19, 19), (99, 19)])
def test_slices_arrive_from_the_one_asked_for(path, affine, first, start):
    array = ct((6, 5, 20))
    result = stream_nifti(written(path, packed(nifti(array, affine))), first)
    assert (result.volume.voxels == AIR).all()
    expected = nib.as_closest_canonical(nib.Nifti1Image(array, affine))
    expected = np.asarray(expected.dataobj).T[::-1, ::-1, ::-1]
    seen = []
    for index in result.slices:
        np.testing.assert_array_equal(result.volume.voxels[index], expected[index])
        seen.append(index)
    assert seen[0] == start
    assert sorted(seen) == list(range(20))
    before = 19 - start if affine[2, 2] > 0 else start
    held = seen[1 : before + 1]
    assert held == sorted(held, key=lambda index: abs(index - start))  # the nearest first


def test_nothing_behind_the_slice_asked_for_is_unpacked_before_it(path):
    array = ct((64, 64, 40))
    result = stream_nifti(written(path, packed(nifti(array))))
    next(result.slices)
    arrived = (result.volume.voxels != AIR).any(axis=(1, 2))
    np.testing.assert_array_equal(arrived, np.arange(40) >= 20)  # stored from the feet


def test_closing_stops_and_closes_the_file(path, monkeypatch):
    opened = []
    really_open = stream.open_file

    def spy(path):
        opened.append(really_open(path))
        return opened[-1]

    monkeypatch.setattr(stream, "open_file", spy)
    result = stream_nifti(written(path, packed(nifti(ct((6, 5, 20))))))
    next(result.slices)
    assert not opened[-1].closed
    result.slices.close()
    assert all(file.closed for file in opened)
    assert (result.volume.voxels[0] == AIR).all()


def test_slices_across_the_files_order(path):
    """An isotropic coronal stack is shown axially, so a slice is whole only at the end."""
    affine = np.array([[-1, 0, 0, 0], [0, 0, -1.0, 0], [0, 1, 0, 0], [0, 0, 0, 1]])
    array = ct((6, 20, 4))
    result = stream_nifti(written(path, packed(nifti(array, affine))))
    assert list(result.slices)[:3] == [10, 11, 9]
    expected = nib.as_closest_canonical(nib.Nifti1Image(array, affine))
    np.testing.assert_array_equal(
        result.volume.voxels, np.asarray(expected.dataobj).T[::-1, ::-1, ::-1]
    )
    cut = read(path, packed(nifti(array, affine)[:-100]))
    assert cut.volume.grid.shape == (20, 4, 6)
    assert "Every slice lacks a part, as 1 of 4 stored planes" in texts(cut, "error")[0]


# Packing


def test_gzip_with_every_kind_of_header(path):
    array = ct()
    for header in (
        gzip_header(name=b""),
        gzip_header(extra=b"any", comment=b"words"),
        gzip_header(extra=b"x" * 5000, checksum=True),
    ):
        result = read(path, packed(nifti(array), header))
        np.testing.assert_array_equal(result.volume.voxels, as_displayed(array))
        assert read_header(path).gzip == header


@pytest.mark.parametrize("size", [100, 333, 1024, 50_000])
def test_several_gzip_members_are_one_file(path, size):
    array = ct((40, 30, 20))
    content = nifti(array)
    parts = [content[start : start + size] for start in range(0, len(content), size)]
    headers = [gzip_header(name=b"part", checksum=n % 2 == 0) for n in range(len(parts))]
    result = read(path, b"".join(map(packed, parts, headers)) + packed(b""))
    np.testing.assert_array_equal(result.volume.voxels, as_displayed(array))
    assert result.problems == []


@pytest.mark.parametrize("level", [0, 1, 9])
@pytest.mark.parametrize("count", [3, 70])
def test_any_level_and_length(path, level, count):
    array = ct((60, 50, count), seed=level)
    result = read(path, packed(nifti(array), level=level))
    np.testing.assert_array_equal(result.volume.voxels, as_displayed(array))


# Damage


def test_file_cut_short_shows_air_and_says_how_much(path):
    array = ct((60, 50, 20))
    content = nifti(array)
    end = 352 + 7 * 60 * 50 * 2 + 1234  # seven slices and a bit, stored from the feet
    for cut in (content[:end], packed(content[:end])):
        result = read(path, cut)
        shown = result.volume.voxels
        np.testing.assert_array_equal(shown[13:], as_displayed(array)[13:])
        assert (shown[:13] == AIR).all()
        errors = texts(result, "error")
        assert len(errors) == 1
        assert "13 of 20 slices are missing" in errors[0]
        assert result.problems[0].files == (path.name,)


def test_every_slice_comes_out_even_of_a_file_cut_short(path):
    result = stream_nifti(written(path, packed(nifti(ct((60, 50, 20))))[:-40_000]))
    assert sorted(result.slices) == list(range(20))
    assert len(texts(result, "error")) == 1


def test_last_bytes_missing(path):
    array = ct((60, 50, 20))
    result = read(path, packed(nifti(array))[:-3])
    np.testing.assert_array_equal(result.volume.voxels, as_displayed(array))
    assert "last bytes are missing" in texts(result, "warning")[0]


@pytest.mark.parametrize("where", [-6, -1])
def test_wrong_checksum_is_told_and_the_voxels_are_shown(path, where):
    array = ct((60, 50, 20))
    content = bytearray(packed(nifti(array)))
    content[where] ^= 0x10
    result = read(path, bytes(content))
    np.testing.assert_array_equal(result.volume.voxels, as_displayed(array))
    assert "Voxels may be wrong" in texts(result, "error")[0]


def test_damage_in_the_middle_is_always_told(path):
    array = ct((60, 50, 20))
    good = packed(nifti(array))
    random = np.random.default_rng(2)
    for where in random.integers(2000, len(good) - 8, 40):
        bad = bytearray(good)
        bad[where] ^= 1 << int(random.integers(8))
        try:
            result = read(path, bytes(bad))
        except ReadError:
            continue
        assert texts(result, "error")


def test_nothing_readable(path):
    content = nifti(ct((60, 50, 20)))
    refuse(path, packed(content[:1000]), "no slice can be read: the file is cut short")
    refuse(path, content[:1000], "cannot hold")
    refuse(path, content[:6100], "no slice can be read")


def test_more_than_promised_is_noted(path):
    array = ct()
    content = nifti(array)
    for more in (content + b"more", packed(content + b"more"), packed(content) + b"more"):
        result = read(path, more)
        np.testing.assert_array_equal(result.volume.voxels, as_displayed(array))
        assert texts(result, "note") == [
            "More follows the voxels than the header promises; it is not shown."
        ]
    assert read(path, packed(content) + bytes(512)).problems == []  # tapes are padded with zeros


def test_a_file_that_changed_meanwhile(path):
    result = stream_nifti(written(path, nifti(ct())))
    path.write_bytes(nifti(ct((5, 6, 4))))
    with pytest.raises(ReadError, match="changed while it was read"):
        list(result.slices)


def test_a_file_that_went_away_meanwhile(path):
    result = stream_nifti(written(path, nifti(ct())))
    path.unlink()
    with pytest.raises(ReadError, match="no longer there"):
        list(result.slices)


# Refused


@pytest.mark.parametrize("pack", [packed, bytes])
@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ({"dim": [3, 30_000, 30_000, 30_000, 1, 1, 1, 1]}, "at most 2,147,483,648 bytes"),
        ({"dim": [3, 700, 700, 700, 1, 1, 1, 1]}, "cannot hold"),
        ({"dim": [3, 6, 0, 4, 1, 1, 1, 1]}, "lengths from 1 to"),
        ({"dim": [3, 6, -5, 4, 1, 1, 1, 1]}, "lengths from 1 to"),
        ({"dim": [0, 6, 5, 4, 1, 1, 1, 1]}, "1 to 7 axes, found 0"),
        ({"dim": [9, 6, 5, 4, 1, 1, 1, 1]}, "1 to 7 axes, found 9"),
        ({"dim": [2, 6, 20, 1, 1, 1, 1, 1]}, "three axes, found 2"),
        ({"dim": [4, 3, 5, 4, 2, 1, 1, 1]}, "three axes, found 4"),
        ({"datatype": 0}, "data type code 0"),
        ({"datatype": 1}, "data type code 1"),
        ({"datatype": 777}, "code 777"),
        ({"datatype": 128}, "Colour images"),
        ({"datatype": 2304}, "Colour images"),
        ({"datatype": 32}, "complex"),
        ({"vox_offset": 0}, "found the offset 0"),
        ({"vox_offset": 353.5}, "found the offset 353.5"),
        ({"vox_offset": 1e30}, r"found the offset 1e\+30"),
        ({"vox_offset": np.nan}, "found the offset nan"),
        ({"vox_offset": 9000}, "header of 9,000 bytes"),
        ({"magic": b"ni1"}, "pair"),
        ({"magic": b""}, "no mark, as in Analyze"),
        ({"magic": b"xyz"}, "found the mark"),
        ({"sizeof_hdr": 349}, "begins with"),
        ({"srow_x": [np.nan, 0, 0, 0]}, "one that is none"),
        ({"srow_x": [np.inf, 0, 0, 0]}, "one that is none"),
        ({"srow_x": [0, 0, 0, 0]}, "spacings above 0 mm"),
        ({"srow_x": [1, 1, 0, 0], "srow_y": [0, 0, 0, 0]}, "two that coincide"),
        ({"sform_code": 0, "pixdim": [1, 0, 1, 1, 0, 0, 0, 0]}, "spacings above 0 mm"),
        ({"sform_code": 0, "pixdim": [1, 1, -1, 1, 0, 0, 0, 0]}, "spacings above 0 mm"),
        ({"sform_code": 0, "pixdim": [1, 1, 1, np.nan, 0, 0, 0, 0]}, "spacings above 0 mm"),
        ({"sform_code": 0, "quatern_b": 5}, "place in the patient"),
    ],
)
def test_what_no_volume_can_be(path, fields, match, pack):
    refuse(path, pack(nifti(ct(), **fields)), match)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "no content"),
        (b"\x5c\x01\0\0", "header of 348 bytes, found 4"),
        (b"N", "begins with"),
        (b"PK\x03\x04" + bytes(400), "begins with"),
        (nifti(ct())[:200], "header of 348 bytes, found 200"),
        (packed(nifti(ct())[:200]), "header of 348 bytes, found 200"),
        (packed(packed(nifti(ct()))), "begins with"),
        (b"\x1f\x8b", "gzip header is damaged"),
        (b"\x1f\x8b\x07" + bytes(50), "gzip header is damaged"),
        (b"\x1f\x8b\x08\xe0" + bytes(50), "gzip header is damaged"),
        (b"\x1f\x8b\x08\x08" + b"a" * 70_000, "gzip header is cut short"),
        (b"\x1f\x8b\x08\x04" + bytes(6) + b"\xff\xff", "gzip header is cut short"),
        (gzip_header() + b"\xff" * 400, "packed content is damaged"),
        (packed(b""), "no content"),
    ],
)
def test_what_no_nifti_file_is(path, content, match):
    refuse(path, content, match)


def test_a_promise_is_held_against_the_size_before_memory_is_taken(path, monkeypatch):
    def never(*_, **__):
        raise AssertionError("memory was taken")

    monkeypatch.setattr(stream.np, "full", never)
    for dim in ([3, 1000, 1000, 1000], [3, 32_767, 32_767, 32_767], [3, 512, 512, 300]):
        refuse(path, packed(nifti(ct(), dim=[*dim, 1, 1, 1, 1])), "found|cannot hold")


def test_endless_slices_of_nifti_2(path):
    refuse(path, nifti(ct(), version=2, dim=[3, 1, 1, 2**40, 1, 1, 1, 1]), "lengths from 1 to")


def test_no_file(tmp_path):
    with pytest.raises(ReadError, match="no longer there"):
        read_header(tmp_path / "none.nii")
    with pytest.raises(ReadError, match="found a folder"):
        read_header(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes with names")
def test_a_pipe_is_not_waited_for(path):
    os.mkfifo(path)
    with pytest.raises(ReadError, match="pipe"):
        read_header(path)


@pytest.mark.parametrize("version", [1, 2])
def test_random_damage_of_headers_raises_read_errors_only(path, version):
    random = np.random.default_rng(7)
    array = ct()
    good = np.frombuffer(nifti(array, version=version), np.uint8)
    read_well = 0
    for _ in range(600):
        bad = good.copy()
        where = random.integers(0, 352, random.integers(1, 5))
        bad[where] = random.choice(np.frombuffer(b"\x00\x01\x7f\x80\xff\x08\x20", np.uint8))
        try:
            result = read(path, bad.tobytes())
        except ReadError:
            continue
        read_well += 1
        assert result.volume.voxels.nbytes <= len(good) * 32_767
        assert np.isfinite(result.volume.grid.affine).all()
    assert 0 < read_well < 600


# Two images


def test_same_grid(tmp_path):
    def header(name, array, affine=LAS):
        return read_header(written(tmp_path / name, nifti(array, affine)))

    study = header("study.nii", ct())
    moved = LAS + np.array([[0, 0, 0, 0.5e-3]] * 3 + [[0] * 4])
    assert same_grid(study, header("mask.nii", ct(dtype=np.uint8), moved)) == ""
    other_shape = same_grid(study, header("mask.nii", ct((6, 5, 3))))
    assert "(6, 5, 4)" in other_shape
    assert "mask.nii has (6, 5, 3)" in other_shape
    moved[0, 3] += 1
    other_place = same_grid(study, header("mask.nii", ct(), moved))
    assert "180.0" in other_place
    assert "181.0" in other_place
