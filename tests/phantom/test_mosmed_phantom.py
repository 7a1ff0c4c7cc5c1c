"""The synthetic MosMedData: its files must have what the published ones were seen to have."""

import gzip
import hashlib
import struct
import zipfile
import zlib
from xml.etree import ElementTree as ET

import nibabel
import numpy as np
import pytest
from scipy import ndimage

from napari_chest.errors import SaveError
from napari_chest.phantom import LOBES, make_mosmed

SHAPE = (20, 40, 48)
NUMBERS = (12, 255, 256, 257, 258, 305, 940, 1070, 1109)
MASKED = (255, 256, 257, 258)
SHEETS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


@pytest.fixture(scope="module")
def progress():
    return []


@pytest.fixture(scope="module")
def phantom(tmp_path_factory, progress):
    root = tmp_path_factory.mktemp("mosmed") / "COVID19_1110"
    return make_mosmed(root, SHAPE, progress=lambda *done: progress.append(done))


def displayed(path):
    """Voxels as the dataset's loaders show them: rotated by 90°, from the head on."""
    stored = np.asanyarray(nibabel.load(path).dataobj)
    return np.stack([np.rot90(stored[:, :, k]) for k in range(stored.shape[2])])[::-1]


def table(root):
    """The registry's cells as they are stored: text, number or nothing."""
    with zipfile.ZipFile(root / "dataset_registry.xlsx") as archive:
        assert archive.testzip() is None
        texts = [
            item.findtext(f"{SHEETS}t")
            for item in ET.fromstring(archive.read("xl/sharedStrings.xml"))
        ]
        sheet = ET.fromstring(archive.read("xl/worksheets/sheet1.xml"))
        book = ET.fromstring(archive.read("xl/workbook.xml"))
    rows = []
    for row in sheet.iter(f"{SHEETS}row"):
        cells = dict.fromkeys("ABCD")
        for cell in row:
            value = int(cell.findtext(f"{SHEETS}v"))
            cells[cell.get("r")[0]] = texts[value] if cell.get("t") == "s" else value
        rows.append(tuple(cells.values()))
    return [sheet.get("name") for sheet in book.iter(f"{SHEETS}sheet")], rows


def test_folders(phantom):
    found = {
        path.relative_to(phantom.root).as_posix()
        for path in phantom.root.rglob("*")
        if path.is_file()
    }
    assert found == {
        "LICENSE",
        "README_EN.md",
        "dataset_registry.xlsx",
        "studies/CT-0/study_0012.nii.gz",
        *(f"studies/CT-1/study_{n:04d}.nii.gz" for n in (255, 256, 257, 258, 305)),
        "studies/CT-2/study_0940.nii.gz",
        "studies/CT-3/study_1070.nii.gz",
        "studies/CT-4/study_1109.nii.gz",
        *(f"masks/study_{n:04d}_mask.nii.gz" for n in MASKED),
    }


def test_numbers_lie_where_the_published_categories_have_them(phantom):
    ranges = {
        "0": (1, 254),
        "1": (255, 938),
        "2": (939, 1063),
        "3": (1064, 1108),
        "4": (1109, 1110),
    }
    for truth in phantom.studies:
        first, last = ranges[truth.study.parent.name[-1]]
        assert first <= truth.case.number <= last
        assert (truth.mask is not None) == (truth.case.number in MASKED)


def test_progress_is_told_after_each_study(phantom, progress):
    assert progress == [(done, 9) for done in range(1, 10)]


def test_registry(phantom):
    names, rows = table(phantom.root)
    assert names == ["MosMedData COVID19_1110"]
    assert rows[0] == ("study_id", "category", "study_file", "mask_file")
    assert [row[0] for row in rows[1:]] == list(NUMBERS)
    assert rows[1] == (12, "CT-0", "/studies/CT-0/study_0012.nii.gz", None)
    assert rows[2][3] == "/masks/study_0255_mask.nii.gz"
    for _, _, study, mask in rows[1:]:
        assert (phantom.root / study[1:]).is_file()
        assert mask is None or (phantom.root / mask[1:]).is_file() or "0305" in mask


@pytest.mark.parametrize("number", NUMBERS)
def test_headers(phantom, number):
    truth = phantom.study(number)
    header = gzip.decompress(truth.study.read_bytes())[:352]
    fields = nibabel.load(truth.study).header
    assert header[:4] == struct.pack("<i", 348)
    assert header[344:352] == b"n+1\0\0\0\0\0"
    assert struct.unpack("<8h", header[40:56]) == (3, *SHAPE[::-1], 1, 1, 1, 1)
    assert (int(fields["datatype"]), int(fields["bitpix"])) == (4, 16)
    assert struct.unpack("<3f", header[108:120]) == (352, 1, 0)
    assert int(fields["xyzt_units"]) == 10
    assert (int(fields["qform_code"]), int(fields["sform_code"])) == (1, 1)
    assert np.allclose(fields.get_qform(), fields.get_sform(), atol=1e-4)
    assert nibabel.aff2axcodes(fields.get_sform()) == ("L", "A", "S")
    steps = [-1, 350 / SHAPE[2], 350 / SHAPE[1], 8, 0, 0, 0, 0]
    assert fields["pixdim"].tolist() == pytest.approx(steps)
    assert bytes(fields["descrip"]).startswith(b"Time=")
    assert truth.spacing == (8, 350 / SHAPE[1], 350 / SHAPE[2])


@pytest.mark.parametrize("number", MASKED)
def test_masks_have_the_header_of_their_study_and_gzip_of_their_kind(phantom, number):
    truth = phantom.study(number)
    packed = truth.mask.read_bytes()
    content = gzip.decompress(packed)
    assert content[:352] == gzip.decompress(truth.study.read_bytes())[:352]
    assert set(np.unique(np.frombuffer(content[352:], "<i2"))) == {0, 1}
    name = f"study_{number:04d}_mask.nii".encode()
    start = b"\x1f\x8b\x08\x08" + struct.pack("<I", 1588115200) + b"\0\x03" + name + b"\0"
    assert packed.startswith(start)
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
    assert packed[len(start) : -8] == deflate.compress(content) + deflate.flush()
    assert packed[-8:] == struct.pack("<II", zlib.crc32(content), len(content))


@pytest.mark.parametrize("number", NUMBERS)
def test_studies_show_what_the_truth_says(phantom, number):
    truth = phantom.study(number)
    hu = displayed(truth.study)
    assert hu.dtype == np.int16
    healthy = (truth.lobes > 0) & (truth.opacity == 0)
    assert (hu[healthy] < -500).mean() > 0.75
    if (truth.opacity > 0).sum() > 300:
        # At large voxels half of each is something else.
        assert np.median(hu[truth.opacity > 0]) > np.median(hu[healthy]) + 150


def test_studies_are_stored_neither_mirrored_nor_upside_down(phantom):
    truth = phantom.study(12)
    dark = displayed(truth.study) < -500
    shown = dark[truth.lobes > 0].mean()
    for axis in range(3):
        assert np.flip(dark, axis)[truth.lobes > 0].mean() < shown - 0.03


def test_left_is_on_the_right_of_the_picture(phantom):
    lobes = phantom.study(12).lobes
    left = np.argwhere(np.isin(lobes, [LOBES.index(name) + 1 for name in ("LLL", "LUL")]))
    assert left[:, 2].min() > SHAPE[2] * 0.4
    # The heart lies to the left: low in the chest the left lung is the smaller one.
    low = lobes[int(SHAPE[0] * 0.6)]
    assert 0 < (np.isin(low, (1, 2))).sum() < (low > 2).sum()


@pytest.mark.parametrize("number", MASKED)
def test_masks_are_the_truth_but_for_the_mistakes(phantom, number):
    truth = phantom.study(number)
    wrong = np.zeros(SHAPE, bool)
    for mistake in phantom.mistakes:
        if mistake.number == number and mistake.voxels is not None:
            wrong |= mistake.voxels
    assert wrong.any() == (number == 255)
    assert np.array_equal(displayed(truth.mask) == 1, (truth.opacity > 0) ^ wrong)


def test_a_reviewer_finds_two_false_patches_and_two_missing_lesions(phantom):
    truth = phantom.study(255)
    found = [mistake for mistake in phantom.mistakes if mistake.number == 255]
    assert sorted(mistake.kind for mistake in found) == ["false patch"] * 2 + ["missing lesion"] * 2
    slices = sorted({mistake.slices for mistake in found})
    assert len(slices) == 2
    assert slices[1][0] - slices[0][0] == 1
    labels = displayed(truth.mask)
    for mistake in found:
        (z,) = mistake.slices
        assert np.flatnonzero(mistake.voxels.any(axis=(1, 2))).tolist() == [z]
        assert ndimage.label(mistake.voxels[z])[1] == 1
        said, true = (1, 0) if mistake.kind == "false patch" else (0, 1)
        assert (labels[mistake.voxels] == said).all()
        assert ((truth.opacity[mistake.voxels] > 0) == true).all()
        assert (truth.lobes[mistake.voxels] > 0).all()


def test_categories_are_the_share_of_the_lungs_but_for_one(phantom):
    limits = (0.0, 0.25, 0.5, 0.75, 1.0)
    for truth in phantom.studies:
        share = (truth.opacity > 0).sum() / (truth.lobes > 0).sum()
        assert share == pytest.approx(truth.share)
        right = next(n for n, most in enumerate(limits) if share <= most)
        assert truth.category == f"CT-{right}"
        said = truth.study.parent.name
        assert (said == truth.category) == (truth.case.number != 257)
    mistake = next(found for found in phantom.mistakes if found.kind == "category")
    assert (mistake.number, mistake.said, mistake.true) == (257, "CT-1", "CT-2")


def test_a_promised_mask_is_not_there(phantom):
    mistake = next(found for found in phantom.mistakes if found.kind == "missing mask")
    assert mistake.number == 305
    assert not (phantom.root / mistake.said.lstrip("/")).exists()
    assert phantom.study(305).mask is None
    assert phantom.study(305).opacity.any()


def test_same_seed_same_files(tmp_path):
    def digest(name, seed):
        root = make_mosmed(tmp_path / name, (8, 32, 32), seed).root
        paths = sorted(path for path in root.rglob("*") if path.is_file())
        listed = b"".join(
            path.relative_to(root).as_posix().encode() + path.read_bytes() for path in paths
        )
        return hashlib.sha256(listed).hexdigest()

    assert digest("a", 1) == digest("b", 1) != digest("c", 2)


def test_a_folder_that_holds_anything_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(SaveError, match="not empty"):
        make_mosmed(tmp_path, (8, 32, 32))
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_an_interrupted_run_leaves_nothing(tmp_path):
    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_mosmed(tmp_path, (8, 32, 32), progress=interrupt)
    assert list(tmp_path.iterdir()) == []
