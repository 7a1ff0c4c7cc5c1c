"""Label images: one edited voxel changes one voxel, no edit changes no byte; new ones fit."""

import gzip
import zlib
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from nifti_samples import LAS, as_displayed, ct, extension, gzip_header, nifti, packed

from napari_chest.errors import ReadError, SaveError
from napari_chest.files.nifti import (
    ON_GRID,
    labels_like,
    labels_on_grid,
    read_header,
    read_labels,
    same_grid,
)
from napari_chest.geometry import series_affine
from napari_chest.model import Grid

PUBLISHED = Path(__file__).parents[3] / "shared/data/mosmed/masks"
RAS_TO_LPS = np.diag([-1, -1, 1, 1])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "study_0255_mask.nii.gz"


def mask(dtype=np.int16, shape=(6, 5, 4), high=2):
    return np.random.default_rng(3).integers(0, high, shape).astype(dtype)


def opened(path, content):
    path.write_bytes(content)
    return read_labels(path)


def voxels(path, content):
    """The scaled values of some bytes as nibabel reads them, in stored order."""
    other = path.with_name(f"judged-{path.name}")
    other.write_bytes(content)
    return np.asarray(nib.load(other).dataobj)


# Reading


@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
@pytest.mark.parametrize("endian", ["<", ">"])
def test_labels_of_every_number_type(path, dtype, endian):
    array = mask(dtype, high=4)
    file = opened(path, packed(nifti(array, endian=endian)))
    np.testing.assert_array_equal(file.labels, as_displayed(array))
    assert file.labels.dtype == np.uint8
    assert not file.labels.flags.writeable
    assert file.values == (1, 2, 3)
    assert file.grid.shape == file.labels.shape == (4, 5, 6)
    assert file.content == path.read_bytes()


@pytest.mark.parametrize(
    ("highest", "dtype"), [(255, np.uint8), (256, np.uint16), (65_535, np.uint16)]
)
def test_large_labels(path, highest, dtype):
    array = mask(np.int32)
    array[0, 0, 0] = highest
    file = opened(path, nifti(array))
    assert file.labels.dtype == dtype
    assert file.values == (1, highest)
    np.testing.assert_array_equal(file.labels, as_displayed(array))


def test_empty_mask(path):
    file = opened(path, packed(nifti(mask(high=1))))
    assert file.values == ()
    assert not file.labels.any()


@pytest.mark.parametrize(
    ("dtype", "value", "match"),
    [
        ("i2", -1, "found values from -1 to"),
        ("i4", 65_536, "to 65536"),
        ("u8", 2**63, "expected labels from 0 to"),
        ("f4", 0.5, "found the value 0.5"),
        ("f8", np.nan, "found the value nan"),
        ("f8", np.inf, "found the value inf"),
        ("f8", 1e300, "expected labels from 0 to"),
    ],
)
def test_values_that_are_no_labels(path, dtype, value, match):
    array = mask(dtype)
    array[1, 1, 1] = value
    with pytest.raises(ReadError, match=match):
        opened(path, packed(nifti(array)))


def test_scaled_labels(path):
    """0 and 255 with a rounded slope of 1/255 are 0 and 1."""
    array = mask(np.uint8) * 255
    file = opened(path, nifti(array, scl_slope=1 / 255))
    np.testing.assert_array_equal(file.labels, as_displayed(array) // 255)
    labels = file.labels.copy()
    labels[0, 0, 0] ^= 1
    changed = voxels(path.with_suffix(""), file.with_labels(labels))
    assert np.rint(changed[0, 4, 3]) == labels[0, 0, 0]
    with pytest.raises(SaveError, match="uint8, which cannot hold the label 2"):
        file.with_labels(np.full_like(labels, 2))


@pytest.mark.parametrize(
    "content",
    [
        nifti(mask())[:-1],
        packed(nifti(mask()))[:-1],
        packed(nifti(mask())[:-1]),
        packed(nifti(mask()))[:-30],
        nifti(mask(), dim=[3, 700, 700, 700, 1, 1, 1, 1]),
        packed(nifti(mask(), dim=[3, 700, 700, 700, 1, 1, 1, 1])),
        packed(nifti(mask()))[:-5] + b"\xff" * 5,
        packed(nifti(mask()) + bytes(20 * 2**20)),
        nifti(np.zeros((6, 5, 4), np.complex64)),
        nifti(mask(shape=(6, 5, 4, 2))),
        b"",
    ],
)
def test_labels_that_are_not_whole_are_refused(path, content):
    with pytest.raises(ReadError) as caught:
        opened(path, content)
    assert str(caught.value).startswith(str(path))


def test_damaged_labels_are_never_read(path):
    """Every flipped bit behind the gzip header shows in the checksum at the latest."""
    good = packed(nifti(mask(shape=(60, 50, 4), high=3)))
    random = np.random.default_rng(4)
    for where in random.integers(len(gzip_header()), len(good), 200):
        bad = bytearray(good)
        bad[where] ^= 1 << int(random.integers(8))
        with pytest.raises(ReadError):
            opened(path, bytes(bad))


# Correcting


def edited(file, value=1):
    """Labels with one voxel changed, and where that one is stored (LAS)."""
    labels = file.labels.copy()
    labels[1, 2, 3] = value if labels[1, 2, 3] != value else 0
    n_z, n_y, _ = labels.shape
    return labels, (3, n_y - 1 - 2, n_z - 1 - 1)


@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "u8", "f4", "f8"])
@pytest.mark.parametrize("endian", ["<", ">"])
@pytest.mark.parametrize("version", [1, 2])
def test_one_voxel_changes_one_voxel_and_no_other_byte(path, dtype, endian, version):
    array = mask(dtype)
    original = nifti(
        array,
        version=version,
        endian=endian,
        extension=extension(b"anything"),
        trailing=b"behind",
        descrip=b"Time=143137.150",
    )
    for pack, path_ in ((packed, path), (bytes, path.with_suffix(""))):
        file = opened(path_, pack(original))
        labels, where = edited(file)
        content = file.with_labels(labels)
        stored = np.frombuffer(gzip.decompress(content) if pack is packed else content, np.uint8)
        expected = array.copy()
        expected[where] = 1 - array[where]
        start = len(original) - len(b"behind") - array.nbytes
        numbers = expected.astype(array.dtype.newbyteorder(endian)).tobytes(order="F")
        assert stored.tobytes() == original[:start] + numbers + b"behind"
        assert file.with_labels(labels) == content
        np.testing.assert_array_equal(opened(path_, content).labels, labels)


def test_unchanged_labels_are_the_bytes_as_read(path):
    """Also where another program packed them in another way, in many members."""
    content = nifti(mask())
    for stored in (
        content,
        packed(content, level=1),
        packed(content[:300]) + packed(content[300:]),
        packed(content) + bytes(100),
    ):
        file = opened(path, stored)
        assert file.with_labels(file.labels) is file.content
        assert file.with_labels(file.labels.astype(np.uint16)) == stored


@pytest.mark.parametrize(
    "header",
    [
        gzip_header(),
        gzip_header(name=b"", time=0),
        gzip_header(extra=b"xyz", comment=b"words", checksum=True),
    ],
)
def test_gzip_header_stays_and_an_edit_taken_back_restores_the_file(path, header):
    stored = packed(nifti(mask()), header) + b"\0\0\0"
    file = opened(path, stored)
    labels, _ = edited(file)
    once = file.with_labels(labels)
    assert once != stored
    assert once.startswith(header)
    assert once.endswith(b"\0\0\0")
    assert opened(path, once).with_labels(file.labels) == stored


def test_several_members_become_one_with_the_first_header(path):
    content = nifti(mask())
    first = gzip_header(name=b"first")
    stored = packed(content[:300], first) + packed(content[300:], gzip_header(name=b"second"))
    file = opened(path, stored)
    labels, where = edited(file)
    expected = mask()
    expected[where] ^= 1
    assert file.with_labels(labels) == packed(nifti(expected), first)


def test_unchanged_voxels_keep_numbers_that_only_nearly_are_labels(path):
    array = mask(np.float32)
    array[array == 1] = np.float32(1.0001)
    file = opened(path, nifti(array))
    labels, where = edited(file)
    changed = voxels(path.with_suffix(""), file.with_labels(labels))
    differs = np.argwhere(changed != array)
    np.testing.assert_array_equal(differs, [where])


@pytest.mark.parametrize(
    ("dtype", "fields", "value"),
    [
        ("u1", {}, 256),
        ("i1", {}, 128),
        ("i2", {}, 40_000),
        ("i2", {"scl_slope": 2}, 3),
        ("u1", {"scl_inter": 1}, 0),
        ("i8", {"scl_slope": 1e-30}, 3),
    ],
)
def test_labels_that_do_not_fit_are_refused(path, dtype, fields, value):
    array = np.zeros((6, 5, 4), dtype) if "scl_inter" in fields else mask(dtype, high=1)
    file = opened(path, nifti(array, **fields))
    labels = file.labels.astype(np.uint16)
    labels[0, 0, 0] = value
    with pytest.raises(SaveError, match=f"cannot hold the label {value}") as caught:
        file.with_labels(labels)
    assert "Nothing was written" in str(caught.value)


def test_labels_of_another_shape_are_refused(path):
    file = opened(path, nifti(mask()))
    with pytest.raises(SaveError, match=r"expected labels of the shape \(4, 5, 6\)"):
        file.with_labels(file.labels[:3])


# New label images


def study(path, **fields):
    """The header of a study that says more than it should."""
    affine = LAS.copy()
    affine[:2, :2] = [[-0.69, 0.1], [0.1, 0.69]]
    texts = {"descrip": b"JOHN DOE", "db_name": b"DOE", "aux_file": b"doe", "intent_name": b"john"}
    content = nifti(
        ct(),
        affine,
        extension=extension(b"JOHN DOE"),
        scl_slope=2,
        scl_inter=-1024,
        cal_min=-1000,
        cal_max=400,
        **(texts | fields),
    )
    path.write_bytes(packed(content, gzip_header(name=b"john_doe.nii")))
    return read_header(path)


def test_labels_like_a_study(path, tmp_path):
    header = study(tmp_path / "study.nii.gz", xyzt_units=10, qform_code=1, sform_code=2)
    labels = as_displayed(mask(np.uint8, high=3))
    content = labels_like(labels, header)
    path.write_bytes(content)
    written = nib.load(path)
    np.testing.assert_array_equal(np.asarray(written.dataobj), mask(high=3))
    assert written.get_data_dtype() == np.int16
    assert (written.dataobj.slope, written.dataobj.inter) == (1, 0)
    original = nib.load(tmp_path / "study.nii.gz")
    np.testing.assert_array_equal(written.get_sform(coded=True)[0], original.get_sform())
    np.testing.assert_array_equal(written.get_qform(coded=True)[0], original.get_qform())
    assert [int(written.header[f"{form}form_code"]) for form in "sq"] == [2, 1]
    assert written.header.get_xyzt_units() == ("mm", "sec")
    assert same_grid(read_header(path), header, atol=0) == ""
    np.testing.assert_array_equal(read_labels(path).labels, labels)
    assert b"doe" not in gzip.decompress(content).lower()
    assert b"doe" not in content.lower()
    assert len(gzip.decompress(content)) == 352 + 6 * 5 * 4 * 2
    assert content[:10] == bytes((31, 139, 8, 0, 0, 0, 0, 0, 0, 255))
    assert labels_like(labels, header) == content


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("endian", ["<", ">"])
def test_labels_like_any_study(path, tmp_path, version, endian):
    other = tmp_path / "study.nii"
    other.write_bytes(nifti(ct(), version=version, endian=endian, sform_code=0, qform_code=0))
    header = read_header(other)
    labels = as_displayed(mask(np.uint16, high=9))
    labels[0, 0, 0] = 40_000  # more than int16 holds
    path.write_bytes(labels_like(labels, header))
    file = read_labels(path)
    np.testing.assert_array_equal(file.labels, labels)
    assert same_grid(file.header, header, atol=0) == ""
    assert file.grid.placed is False
    nib.load(path).header.check_fix(error_level=10)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (b"Time=143137.150", "Time=143137.150"),
        (b"Time=60724.850", "Time=60724.850"),
        (b"Time=143137.150 DOE", ""),
        (b"DOE Time=143137.150", ""),
        (b"", ""),
    ],
)
def test_only_the_converters_description_is_kept(path, tmp_path, text, kept):
    header = study(tmp_path / "study.nii.gz", descrip=text)
    path.write_bytes(labels_like(as_displayed(mask(np.uint8)), header))
    assert read_header(path).description == kept


def test_new_labels_of_another_shape_are_refused(tmp_path):
    header = study(tmp_path / "study.nii.gz")
    with pytest.raises(SaveError, match=r"expected labels of the shape \(4, 5, 6\)"):
        labels_like(np.zeros((4, 6, 5), np.uint8), header)
    grid = Grid((4, 5, 6), np.eye(4), tuple("0123"))
    with pytest.raises(SaveError, match=r"expected labels of the shape \(4, 5, 6\)"):
        labels_on_grid(np.zeros((4, 6, 5), np.uint8), grid)
    long = Grid((1, 1, 40_000), np.eye(4), ("0",))
    with pytest.raises(SaveError, match="at most 32,767"):
        labels_on_grid(np.zeros(long.shape, np.uint8), long)


ORIENTATIONS = {
    "supine": (1, 0, 0, 0, 1, 0),
    "prone": (-1, 0, 0, 0, -1, 0),
    "coronal": (1, 0, 0, 0, 0, -1),
    "sagittal": (0, 1, 0, 0, 0, -1),
    "oblique": (0.8, 0.6, 0, -0.6, 0.8, 0),
}


@pytest.mark.parametrize("step", [(0, 0, -2.0), (0, 0.4, -2.0)], ids=["straight", "tilted"])
@pytest.mark.parametrize("orientation", ORIENTATIONS.values(), ids=ORIENTATIONS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_labels_on_the_grid_of_a_dicom_series(path, orientation, step, dtype):
    normal = np.cross(orientation[:3], orientation[3:])
    step = np.array(step) if abs(normal[2]) > 0.9 else 2 * normal
    positions = np.array([-10.0, -20, 30]) + np.outer(np.arange(4), step)
    affine = series_affine(orientation, (0.7, 0.8), positions, 2)
    grid = Grid((4, 5, 6), affine, tuple("0123"))
    labels = mask(dtype, shape=grid.shape, high=200)
    path.write_bytes(labels_on_grid(labels, grid))
    written = nib.load(path)
    assert written.get_data_dtype() == dtype
    stored = np.asarray(written.dataobj)
    for z, y, x in ((0, 0, 0), (3, 2, 5)):
        assert stored[x, y, z] == labels[z, y, x]
        lps = RAS_TO_LPS @ written.affine @ (x, y, z, 1)
        np.testing.assert_allclose(lps[:3], grid.position(z, y, x), atol=1e-4)
    if written.header["qform_code"]:  # programs that prefer the qform see the same place
        np.testing.assert_allclose(written.get_qform(), written.get_sform(), atol=1e-3)
    assert labels_on_grid(labels, grid, packed=False) == gzip.decompress(path.read_bytes())
    back = read_labels(path, ON_GRID)
    np.testing.assert_array_equal(back.labels, labels)
    np.testing.assert_allclose(back.grid.affine, affine, atol=1e-4)


def test_a_gantry_tilt_has_no_qform(path):
    affine = np.array([[0, 0, 0.7, 0], [0.8, 0.7, 0, 0], [-2, 0, 0, 0], [0, 0, 0, 1]])
    path.write_bytes(labels_on_grid(mask(np.uint8), Grid((6, 5, 4), affine, tuple("012345"))))
    header = nib.load(path).header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (1, 0)


def test_labels_on_a_grid_that_is_not_placed(path):
    affine = np.array([[0, 0, 0.7, 0], [0, 0.8, 0, 0], [-2, 0, 0, 0], [0, 0, 0, 1.0]])
    grid = Grid((4, 5, 6), affine, tuple("0123"), placed=False)
    labels = mask(np.uint8, shape=grid.shape)
    path.write_bytes(labels_on_grid(labels, grid))
    back = read_labels(path, ON_GRID)
    np.testing.assert_array_equal(back.labels, labels)
    assert back.grid.placed is False
    assert back.grid.spacing == pytest.approx((2, 0.8, 0.7))


# Published masks


@pytest.fixture(params=["0255", "0256", "0257", "0287", "0297"])
def published(request):
    if not PUBLISHED.is_dir():
        pytest.skip("the published masks are not here")
    return PUBLISHED / f"study_{request.param}_mask.nii.gz"


def test_published_mask_without_edit(published):
    content = published.read_bytes()
    file = read_labels(published)
    assert file.with_labels(file.labels.copy()) == content
    assert file.values == (1,)
    expected = np.asarray(nib.load(published).dataobj)
    assert nib.aff2axcodes(nib.load(published).affine) == ("L", "A", "S")
    np.testing.assert_array_equal(file.labels, as_displayed(expected))
    z = int(np.argmax(file.labels.any(axis=(1, 2))))
    np.testing.assert_array_equal(
        file.labels[z], np.rot90(expected[:, :, expected.shape[2] - 1 - z])
    )
    assert file.grid.spacing[0] == pytest.approx(8)
    assert file.grid.position(0, 0, 0)[2] > file.grid.position(1, 0, 0)[2]


def test_published_mask_with_one_edited_voxel(published, path):
    content = published.read_bytes()
    file = read_labels(published)
    labels = file.labels.copy()
    labels[5, 100, 200] ^= 1
    corrected = file.with_labels(labels)
    name_end = content.index(b".nii\0") + 5
    assert corrected[:name_end] == content[:name_end]
    was, now = gzip.decompress(content), gzip.decompress(corrected)
    assert now[:352] == was[:352]
    before, after = voxels(path, content), voxels(path, corrected)
    stored_z = before.shape[2] - 1 - 5
    np.testing.assert_array_equal(np.argwhere(before != after), [[200, 511 - 100, stored_z]])
    assert after[200, 411, stored_z] == labels[5, 100, 200]


def test_published_mask_with_an_edit_taken_back(published, path):
    """The deflate stream is the publisher's own again, bit for bit."""
    file = read_labels(published)
    labels = file.labels.copy()
    labels[0] = 1
    path.write_bytes(file.with_labels(labels))
    assert read_labels(path).with_labels(file.labels) == published.read_bytes()


def test_new_labels_are_like_published_ones(published):
    file = read_labels(published)
    like = labels_like(file.labels, file.header)
    assert gzip.decompress(like) == gzip.decompress(file.content)
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    assert like[10:-8] == packer.compress(gzip.decompress(like)) + packer.flush()
