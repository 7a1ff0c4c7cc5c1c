"""The synthetic COVID-CT-MD: its files must have what the published ones were seen to have."""

import csv
import hashlib
import re
import warnings

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.encaps import get_frame

from napari_chest.errors import SaveError
from napari_chest.phantom import LOBES, PhantomCase, make_chest, make_covid_ct_md
from napari_chest.phantom.covid_ct_md import DEFAULT_CASES
from napari_chest.phantom.dicom import encode_elements, to_stored, write_slice

SHAPE = (32, 64, 64)
NAMED, IM = "P001", "P002"


@pytest.fixture(scope="module")
def progress():
    return []


@pytest.fixture(scope="module")
def phantom(tmp_path_factory, progress):
    root = tmp_path_factory.mktemp("covid") / "COVID-CT-MD"
    return make_covid_ct_md(root, shape=SHAPE, progress=lambda *done: progress.append(done))


def read(truth, z):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # dashed UIDs are meant
        return pydicom.dcmread(truth.folder / truth.files[z])


def pixels(dataset):
    return imagecodecs.jpeg8_decode(get_frame(dataset.PixelData, 0, number_of_frames=1))


def labels(phantom, kind, updated=""):
    return np.load(phantom.root / f"{kind}-level-labels{updated}.npy")


def test_folders_and_clutter(phantom):
    assert {path.name for path in phantom.root.iterdir()} == {
        ".DS_Store",
        "COVID-19 subjects",
        "Cap subjects",
        "Normal subjects",
        "Clinical-data.csv",
        "Index.csv",
        "Lobe-level-labels.npy",
        "Lobe-level-labels-updated-1.npy",
        "Slice-level-labels.npy",
        "Slice-level-labels-updated-1.npy",
    }
    leaves = sorted(path.relative_to(phantom.root).as_posix() for path in phantom.root.glob("*/*/"))
    assert [leaf for leaf in leaves if ".DS" not in leaf] == [
        "COVID-19 subjects/P001",
        "COVID-19 subjects/P002",
        "COVID-19 subjects/P003",
        "Cap subjects/cap001",
        "Cap subjects/cap002",
        "Normal subjects/normal001",
    ]
    assert len(list(phantom.root.rglob(".DS_Store"))) == 4
    for truth in phantom.cases:
        assert sorted(truth.files) == sorted(path.name for path in truth.folder.iterdir())
        assert len(truth.files) == SHAPE[0]


def test_progress_is_told_after_each_case(phantom, progress):
    assert progress == [(done, 6) for done in range(1, 7)]


def test_index_bytes(phantom):
    assert (phantom.root / "Index.csv").read_bytes() == (
        b"Label Index,Diagnosis,Relative Path,Folder/ID\r\n"
        b"0,COVID-19,./COVID-19/,P001\r\n"
        b"1,COVID-19,./COVID-19/,P002\r\n"
        b"3,CAP,./CAP/,cap001\r\n"
        b"4,CAP,./CAP/,cap002"
    )
    rows = {truth.case.leaf: truth.row for truth in phantom.cases}
    assert rows["cap001"] == 2
    assert rows["P003"] is None
    assert rows["normal001"] is None


def test_label_arrays(phantom):
    assert labels(phantom, "Slice").dtype == np.int64
    assert labels(phantom, "Slice", "-updated-1").dtype == np.int32
    for updated in ("", "-updated-1"):
        whole, lobes = labels(phantom, "Slice", updated), labels(phantom, "Lobe", updated)
        assert whole.shape == (4, 200)
        assert lobes.shape == (4, 200, 5)
        assert lobes.dtype == np.float64
        assert np.array_equal(whole, lobes.any(axis=2))
        assert not lobes[:, SHAPE[0] :].any()
        assert lobes.any(axis=(1, 2)).all()


def test_pairs_differ_in_one_case(phantom):
    differs = (labels(phantom, "Lobe") != labels(phantom, "Lobe", "-updated-1")).any(axis=(1, 2))
    assert np.flatnonzero(differs).tolist() == [phantom.case("P001").row]


@pytest.mark.parametrize("pair", ["original", "updated-1"])
def test_labels_are_the_truth_but_for_the_mistakes(phantom, pair):
    array = labels(phantom, "Lobe", "" if pair == "original" else "-updated-1")
    for truth in phantom.cases:
        if truth.row is None:
            continue
        expected = truth.slice_labels.copy()
        for mistake in phantom.mistakes:
            if mistake.leaf == truth.case.leaf and pair in mistake.pairs:
                for z, said, true in zip(
                    mistake.slices, mistake.labelled, mistake.true, strict=True
                ):
                    assert [LOBES[i] for i in np.flatnonzero(expected[z])] == list(true)
                    expected[z] = [lobe in said for lobe in LOBES]
        assert np.array_equal(array[truth.row, : SHAPE[0]], expected)


def test_the_mistake_says_lll_where_the_disease_is_in_lul(phantom):
    mistake = next(found for found in phantom.mistakes if "updated-1" in found.pairs)
    truth = phantom.case(mistake.leaf)
    assert mistake.leaf == "P001"
    assert len(mistake.slices) >= 3
    assert np.all(np.diff(mistake.slices) == 1)
    for z, said in zip(mistake.slices, mistake.labelled, strict=True):
        diseased = truth.lobes[z][truth.opacity[z] > 0]
        assert (diseased == LOBES.index("LUL") + 1).any()
        assert not (diseased == LOBES.index("LLL") + 1).any()
        assert "LLL" in said
        assert "LUL" not in said


def test_the_mistake_is_ten_slices_long_in_slices_of_usual_thickness(tmp_path):
    case = PhantomCase("COVID-19 subjects", "P001", "named", 0.45, True, lobes=("LUL",))
    phantom = make_covid_ct_md(tmp_path, shape=(160, 40, 40), cases=(case,))
    assert len(phantom.mistakes[0].slices) == 10


@pytest.mark.parametrize("leaf", [NAMED, IM])
def test_tags_of_both_families(phantom, leaf):
    dataset = read(phantom.case(leaf), 0)
    assert {element.tag for element in dataset.file_meta} == {0x00020000, 0x00020002, 0x00020010}
    assert dataset.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.4.70"
    assert (dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit) == (16, 12, 11)
    assert dataset.PixelRepresentation == 0
    assert (dataset.RescaleSlope, dataset.RescaleIntercept) == (1, -1024)
    assert list(dataset.WindowCenter) == [50, -600]
    assert list(dataset.WindowWidth) == [350, 1200]
    assert dataset.SliceThickness == 10
    assert list(dataset.ImageOrientationPatient) == [1, 0, 0, 0, 1, 0]
    assert dataset.PatientPosition == "HFS"
    assert dataset.Manufacturer == "Synthetic"
    assert "PatientName" not in dataset
    case = phantom.case(leaf).case
    assert (dataset.PatientSex, dataset.PatientAge) == (case.sex, f"{case.age:03d}Y")


def test_named_family(phantom):
    truth = phantom.case(NAMED)
    datasets = [read(truth, z) for z in range(SHAPE[0])]
    patient = datasets[0].PatientID
    assert patient != NAMED
    numbers = [int(re.fullmatch(rf"{patient}_(\d+)\.dcm", name)[1]) for name in truth.files]
    assert sorted(numbers) == list(range(1, SHAPE[0] + 1))
    assert numbers != sorted(numbers)
    assert len({dataset.SOPInstanceUID for dataset in datasets}) == SHAPE[0]
    assert len({dataset.SeriesInstanceUID for dataset in datasets}) == 1
    for keyword in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"):
        assert datasets[0][keyword].value.is_valid
    assert datasets[0].FrameOfReferenceUID.is_valid
    assert re.fullmatch(r"\d{8}", datasets[0].StudyDate)


@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")  # dashed UIDs are meant
def test_im_family(phantom):
    truth = phantom.case(IM)
    assert truth.files == tuple(f"IM{n:04d}.dcm" for n in range(1, SHAPE[0] + 1))
    dataset = read(truth, 0)
    assert dataset.PatientID == IM
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID"):
        assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", dataset[keyword].value)
    for keyword in ("SOPInstanceUID", "FrameOfReferenceUID", "StudyDate", "SeriesDescription"):
        assert keyword in dataset
        assert not dataset[keyword].value


@pytest.mark.parametrize("leaf", [NAMED, IM])
def test_slices_run_head_to_feet_and_match_the_truth(phantom, leaf):
    truth = phantom.case(leaf)
    datasets = [read(truth, z) for z in range(SHAPE[0])]
    assert [dataset.InstanceNumber for dataset in datasets] == list(range(1, SHAPE[0] + 1))
    heights = [float(dataset.SliceLocation) for dataset in datasets]
    assert heights == [float(dataset.ImagePositionPatient[2]) for dataset in datasets]
    assert np.diff(heights) == pytest.approx(-10)
    # Lung is where the truth has lobes: a reversed order could not show that.
    hu = np.stack([pixels(dataset) for dataset in datasets]).astype(np.int32) - 1024
    normal_lung = (truth.lobes > 0) & (truth.opacity == 0)
    assert (hu[normal_lung] < -500).mean() > 0.85
    assert (hu[::-1][normal_lung] < -500).mean() < 0.8


def test_clinical_table_agrees_with_the_images(phantom):
    raw = (phantom.root / "Clinical-data.csv").read_bytes()
    assert raw.count(b"\n") == raw.count(b"\r\n") == 7
    rows = {row["Folder/ID"]: row for row in csv.DictReader(raw.decode().splitlines())}
    for truth in phantom.cases:
        row, dataset = rows[truth.case.leaf], read(truth, 0)
        assert (row["Patient Gender"], row["Patient Age"]) == (
            dataset.PatientSex,
            dataset.PatientAge,
        )
    assert {"Diagnosis", "Dyspnea", "Cough", "Fever", "Fatigue"} <= set(rows["P001"])


def test_same_seed_same_files(tmp_path):
    def digest(name, seed):
        cases = DEFAULT_CASES[:2]
        root = make_covid_ct_md(tmp_path / name, shape=(8, 32, 32), cases=cases, seed=seed).root
        paths = sorted(path for path in root.rglob("*") if path.is_file())
        listed = b"".join(
            path.relative_to(root).as_posix().encode() + path.read_bytes() for path in paths
        )
        return hashlib.sha256(listed).hexdigest()

    assert digest("a", 1) == digest("b", 1) != digest("c", 2)


def test_arrays_grow_with_the_slices(tmp_path):
    case = PhantomCase("Cap subjects", "cap001", "IM", 0.5, True)
    phantom = make_covid_ct_md(tmp_path, shape=(210, 32, 32), cases=(case,))
    assert labels(phantom, "Lobe").shape == (1, 210, 5)


def test_a_written_slice_decodes_to_its_voxels(tmp_path):
    voxels = make_chest((8, 33, 47), seed=2).voxels[4]
    shared = encode_elements({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.2", "BitsStored": 12})
    path = tmp_path / "slice.dcm"
    write_slice(path, to_stored(voxels), shared, {"InstanceNumber": "5"})
    dataset = pydicom.dcmread(path)
    assert np.array_equal(pixels(dataset).astype(np.int16) - 1024, voxels)
    assert (dataset.Rows, dataset.Columns, dataset.InstanceNumber) == (33, 47, 5)
    assert dataset.LargestImagePixelValue == int(voxels.max()) + 1024


def test_a_folder_that_holds_anything_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(SaveError, match="not empty"):
        make_covid_ct_md(tmp_path, shape=(8, 32, 32))
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_an_interrupted_run_leaves_nothing_and_can_be_repeated(tmp_path):
    def interrupt(done, total):
        raise KeyboardInterrupt

    cases = DEFAULT_CASES[:2]
    with pytest.raises(KeyboardInterrupt):
        make_covid_ct_md(tmp_path, shape=(8, 32, 32), cases=cases, progress=interrupt)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / ".napari-chest-partial").mkdir()  # as after a killed process
    truth = make_covid_ct_md(tmp_path, shape=(8, 32, 32), cases=cases).case("P001")
    assert all((truth.folder / name).is_file() for name in truth.files)
    assert not (tmp_path / ".napari-chest-partial").exists()


def test_an_unknown_keyword_is_refused():
    with pytest.raises(KeyError, match="WindowCentre"):
        encode_elements({"WindowCentre": "50"})
