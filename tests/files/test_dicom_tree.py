"""Trees of DICOM files: found once, remembered, told apart, opened."""

import io
import os
import shutil
import subprocess
import sys
import threading

import numpy as np
import pydicom
import pytest
from dicom_samples import (
    CT,
    IMPLICIT_LE,
    JPEG_LOSSLESS_SV1,
    encode,
    slice_dataset,
    stored_values,
    write_dataset,
    write_slice,
)  # fmt: skip

from napari_chest.errors import ChestError, ReadError, StoppedError
from napari_chest.files.dicom.tree import (
    folders,
    helper,
    index_tree,
    looking,
    read_patient_id,
    read_tree_series,
    stream_tree_image,
    stream_tree_series,
)

COMPUTED_RADIOGRAPHY = "1.2.840.10008.5.1.4.1.1.1"
CORONAL = [1, 0, 0, 0, 0, -1]
SAGITTAL = [0, 1, 0, 0, 0, -1]


def write_series(folder, uid, count=3, *, study="1.2.3", patient="P1", step=-2.5, **changes):
    """Slices ``1-1.dcm`` ... of one series, whose SOP UIDs are the series' with a number."""
    folder.mkdir(parents=True, exist_ok=True)
    for n in range(1, count + 1):
        own = {"SOPInstanceUID": f"{uid}.{n}", "SeriesInstanceUID": uid} | changes
        write_slice(
            folder / f"1-{n}.dcm", step * n, n, StudyInstanceUID=study, PatientID=patient, **own
        )


def write_radiograph(path, stored, syntax="1.2.840.10008.1.2.1", **changes):
    bare = dict.fromkeys(
        ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceLocation",
         "WindowCenter", "WindowWidth", "RescaleSlope", "RescaleIntercept"),
    )  # fmt: skip
    own = {"Modality": "CR", "PatientOrientation": ["L", "F"], "SOPInstanceUID": "1.2.99"}
    dataset, _ = slice_dataset(
        stored=stored, sop_class=COMPUTED_RADIOGRAPHY, **bare | own | changes
    )
    write_dataset(path, dataset, encode(stored, syntax, dataset), syntax)


def texts(tree):
    return [str(problem) for problem in tree.problems]


@pytest.fixture
def tree_folder(tmp_path):
    """Two patients: a CT of 12 slices with a scout, and another CT of 3."""
    root = tmp_path / "images"
    study = root / "manifest-1" / "RICORD" / "P1" / "01-02-2003-NA-NA-3"
    write_series(study / "2.000000-Thorax-10", "1.2.3.10", 12)
    write_series(
        study / "1.000000-NA-20", "1.2.3.20", 2, SeriesNumber="1",
        ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"], ImageOrientationPatient=CORONAL,
    )  # fmt: skip
    write_series(root / "manifest-1" / "RICORD" / "P2" / "x", "1.5.1", 3, study="1.5", patient="P2")
    (root / "manifest-1" / "metadata.csv").write_text("a,b\n")
    return root


def test_every_file_is_found_by_its_sop_uid(tree_folder):
    tree = index_tree(tree_folder, None)
    files = sorted(tree_folder.rglob("*.dcm"))
    assert [tree.path_of(entry) for entry in tree.entries] == files
    assert len(tree.by_sop) == len(files) == 17
    for path in files:
        dataset = pydicom.dcmread(path)
        header = tree.by_sop[dataset.SOPInstanceUID].header
        entry = tree.by_sop[dataset.SOPInstanceUID]
        assert tree.path_of(entry) == path
        assert (entry.size, entry.mtime_ns) == (path.stat().st_size, path.stat().st_mtime_ns)
        assert header.series_uid == dataset.SeriesInstanceUID
        assert header.study_uid == dataset.StudyInstanceUID
        assert header.sop_class == dataset.SOPClassUID == CT
        assert header.position == tuple(dataset.ImagePositionPatient)
        assert header.orientation == tuple(dataset.ImageOrientationPatient)
        assert header.pixel_spacing == tuple(dataset.PixelSpacing)
        assert (header.rows, header.columns) == (dataset.Rows, dataset.Columns)
        assert header.instance_number == dataset.InstanceNumber
        assert header.image_type == tuple(dataset.ImageType)
        assert header.has_pixels
    assert tree.problems == ()


def test_series_are_told_apart(tree_folder):
    tree = index_tree(tree_folder, None)
    found = [(s.series_uid, s.kind, s.plane, s.n_files, s.patient) for s in tree.series]
    assert found == [
        ("1.2.3.20", "scout", "coronal", 2, 0),
        ("1.2.3.10", "axial", "axial", 12, 0),
        ("1.5.1", "axial", "axial", 3, 1),
    ]
    axial = tree.series[1]
    assert axial.title == "series 4 Thorax"
    assert [entry.header.instance_number for entry in axial.entries] == list(range(1, 13))
    assert tree.series_of(tree.by_sop["1.2.3.10.7"]) is axial


@pytest.mark.parametrize(
    ("count", "changes", "kind"),
    [
        (3, {}, "axial"),
        (3, {"ImageOrientationPatient": None}, "axial"),
        (3, {"ImageOrientationPatient": CORONAL, "SeriesDescription": "Chest"}, "coronal"),
        (3, {"ImageOrientationPatient": SAGITTAL, "SeriesDescription": "Chest"}, "sagittal"),
        (3, {"ImageOrientationPatient": CORONAL, "SeriesDescription": "COR 3X3"}, "derived"),
        (3, {"ImageOrientationPatient": SAGITTAL, "SeriesDescription": "SAG 3X3"}, "derived"),
        (3, {"SeriesDescription": "COR ANGIO"}, "axial"),  # axial slices of the heart's arteries
        (3, {"SeriesDescription": "AX_MIP 8x2"}, "derived"),
        (3, {"SeriesDescription": "IODINE(WATER)"}, "derived"),
        (3, {"SeriesDescription": "60 KEV"}, "derived"),
        (3, {"SeriesDescription": "Monitoring"}, "scout"),
        (3, {"SeriesDescription": "Smart Prep Series"}, "scout"),
        (12, {"SeriesDescription": "after bolus"}, "axial"),
        (3, {"ImageType": ["DERIVED", "SECONDARY", "MPR"]}, "derived"),
        (3, {"ImageType": ["DERIVED", "PRIMARY", "AXIAL"]}, "axial"),
        (3, {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "scout"),
        (3, {"step": 0.0}, "scout"),
        (3, {"step": 90.0}, "scout"),
        (3, {"Modality": "DX"}, "radiograph"),
        (3, {"Modality": "PT"}, "other"),
    ],
)
def test_the_kind_of_a_series(tmp_path, count, changes, kind):
    write_series(tmp_path, "1.2.3.4", count, **changes)
    (series,) = index_tree(tmp_path, None).series
    assert series.kind == kind


def test_without_series_uid_the_files_of_a_folder_are_a_series(tmp_path):
    for name in ("a", "b"):
        write_series(tmp_path / name, "1.2.3", 2, SeriesInstanceUID="", SOPInstanceUID="")
    tree = index_tree(tmp_path, None)
    assert [[entry.path for entry in series.entries] for series in tree.series] == [
        ["a/1-1.dcm", "a/1-2.dcm"],
        ["b/1-1.dcm", "b/1-2.dcm"],
    ]
    assert tree.by_sop == {}


def test_headers_that_only_pydicom_reads(tmp_path):
    dataset, stored = slice_dataset(SOPInstanceUID="1.2.9")
    buffer = io.BytesIO()
    dataset.PixelData = stored.tobytes()
    pydicom.dcmwrite(buffer, dataset, implicit_vr=True, little_endian=True)
    (tmp_path / "bare.dcm").write_bytes(buffer.getvalue())  # no preamble, no meta information
    write_slice(tmp_path / "implicit.dcm", syntax=IMPLICIT_LE, SOPInstanceUID="1.2.8")
    tree = index_tree(tmp_path, None)
    assert set(tree.by_sop) == {"1.2.8", "1.2.9"}
    assert tree.by_sop["1.2.9"].header.rows == stored.shape[0]


@pytest.mark.parametrize("extra", [0, 6_000, 30_000, 200_000])
def test_headers_alike_and_unlike_are_read_one_after_another(tmp_path, extra):
    descriptions = ["Thorax", "Lunges", "A longer one", "Thorax", "", "Lunges"]
    for n, text in enumerate(descriptions):
        inner = pydicom.Dataset()
        inner.SOPInstanceUID, inner.SeriesDescription = "9.9.9", "not this one"
        write_slice(
            tmp_path / f"{n}.dcm", 2.5 * n, SeriesDescription=text, SOPInstanceUID=f"1.2.3.{n}",
            SourceImageSequence=[inner], ImageComments="x" * extra,
            SeriesInstanceUID=f"1.{n}",
        )  # fmt: skip
    tree = index_tree(tmp_path, None)
    assert [entry.header.series_description for entry in tree.entries] == descriptions
    assert [entry.header.sop_instance_uid for entry in tree.entries] == list(tree.by_sop)
    for entry in tree.entries:
        dataset = pydicom.dcmread(tree.path_of(entry))
        assert entry.header.sop_instance_uid == dataset.SOPInstanceUID
        assert entry.header.position == tuple(dataset.ImagePositionPatient)
        assert (entry.header.rows, entry.header.columns) == (dataset.Rows, dataset.Columns)


# What is remembered


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def remembered(cache):
    (file,) = cache.iterdir()
    return file


def same(one, other):
    assert one.entries == other.entries
    assert one.by_sop == other.by_sop
    assert [s.entries for s in one.series] == [s.entries for s in other.series]
    assert one.problems == other.problems


def test_a_remembered_tree_is_the_same_and_reads_no_header(tree_folder, cache, monkeypatch):
    (tree_folder / "broken.dcm").write_bytes(b"no DICOM")
    first = index_tree(tree_folder, cache)
    monkeypatch.setattr(looking, "look_at", None)  # calling it would fail
    same(index_tree(tree_folder, cache), first)
    assert len(first.problems) == 1


def rewrite(path, uid, before):
    """Another image in the same file, with a given size and time as far as they are told."""
    write_slice(path, 1, 3, SOPInstanceUID=uid, PatientID="P1", StudyInstanceUID="1.2.3",
                SeriesInstanceUID="1.2.3.10")  # fmt: skip
    os.utime(path, ns=(before, before))


def test_a_changed_file_is_read_again(tree_folder, cache):
    index_tree(tree_folder, cache)
    path = next(tree_folder.rglob("*Thorax*/1-3.dcm"))
    before = path.stat()
    rewrite(path, "1.2.3.77.3", before.st_mtime_ns)
    assert path.stat().st_size == before.st_size
    assert "1.2.3.10.3" in index_tree(tree_folder, cache).by_sop  # size and time are trusted
    rewrite(path, "1.2.3.77.3", before.st_mtime_ns + 1)
    tree = index_tree(tree_folder, cache)
    assert "1.2.3.77.3" in tree.by_sop
    assert "1.2.3.10.3" not in tree.by_sop
    rewrite(path, "1.2.3.77.333", before.st_mtime_ns + 1)
    assert path.stat().st_size != before.st_size
    assert "1.2.3.77.333" in index_tree(tree_folder, cache).by_sop


def test_what_was_removed_is_gone_and_what_was_added_is_there(tree_folder, cache):
    index_tree(tree_folder, cache)
    shutil.rmtree(next(tree_folder.rglob("*Thorax*")))
    write_series(tree_folder / "new", "1.9.1", 2, study="1.9", patient="P2")
    tree = index_tree(tree_folder, cache)
    assert len(tree.entries) == 7
    same(tree, index_tree(tree_folder, cache))
    same(tree, index_tree(tree_folder, cache))


def test_a_patient_keeps_the_number_when_files_are_added(tree_folder, cache):
    before = index_tree(tree_folder, cache)
    write_series(tree_folder / "a", "1.9.1", 1, study="1.9", patient="P2")
    write_series(tree_folder / "b", "1.9.2", 1, study="1.9.9", patient="P3")
    tree = index_tree(tree_folder, cache)
    numbers = {read_patient_id(tree, entry): entry.header.patient for entry in tree.entries}
    assert numbers == {"P1": 0, "P2": 1, "P3": 2}
    assert {entry.header.patient for entry in before.entries} == {0, 1}


def test_the_cache_names_no_patient(tmp_path, cache):
    root = tmp_path / "images"
    secret = "DOE-JOHN-4711"
    write_series(
        root / secret, "1.2.3.4", 2, patient=secret, PatientName=secret, PatientBirthDate="19700102"
    )
    shutil.copy(root / secret / "1-1.dcm", root / f"{secret}.dcm")
    (root / f"{secret}-broken.dcm").write_bytes(b"no DICOM")
    index_tree(root, cache)
    content = remembered(cache).read_bytes() + remembered(cache).name.encode()
    assert b"1.2.3.4.1" in content
    for name in (secret, "DOE", "4711", "19700102"):
        assert name.encode() not in content


def test_damaged_and_foreign_caches_are_replaced(tree_folder, cache):
    expected = index_tree(tree_folder, cache)
    file = remembered(cache)
    good = file.read_bytes()
    places = (0, 20, 29, 40, 200, 900, len(good) - 1)
    flipped = [good[:at] + bytes([good[at] ^ 0x40]) + good[at + 1 :] for at in places]
    for bad in (
        b"",
        b"\x00" * 100,
        good[:-1],
        good[:31],
        good + b"!",
        b"index 0\n" + good,
        *flipped,
    ):
        file.write_bytes(bad)
        same(index_tree(tree_folder, cache), expected)
        assert file.read_bytes() == good
    file.unlink()
    file.mkdir()
    same(index_tree(tree_folder, cache), expected)


def test_a_cache_that_cannot_be_written_is_no_error(tree_folder, tmp_path):
    taken = tmp_path / "taken"
    taken.write_text("a file, not a folder")
    same(index_tree(tree_folder, taken), index_tree(tree_folder, None))
    assert taken.read_text() == "a file, not a folder"


def test_the_dataset_is_left_alone(tree_folder, cache):
    before = {path: path.read_bytes() for path in tree_folder.rglob("*") if path.is_file()}
    index_tree(tree_folder, cache)
    after = {path: path.read_bytes() for path in tree_folder.rglob("*") if path.is_file()}
    assert after == before


# Progress, stopping, help


def test_progress_ends_at_the_number_of_files(tree_folder, cache):
    told = []
    index_tree(tree_folder, cache, progress=lambda *now: told.append(now))
    assert told[-1] == (17, 17)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_what_was_read_before_stopping_is_remembered(tree_folder, cache, monkeypatch):
    stop = threading.Event()
    looked = []
    look_at = looking.look_at

    def look_and_stop(path):
        looked.append(path)
        if len(looked) == 5:
            stop.set()
        return look_at(path)

    monkeypatch.setattr(looking, "look_at", look_and_stop)
    with pytest.raises(StoppedError) as stopped:
        index_tree(tree_folder, cache, stop=stop)
    assert isinstance(stopped.value, ChestError)
    assert len(looked) == 5
    stop.clear()
    tree = index_tree(tree_folder, cache, stop=stop)
    assert len(looked) == 17
    same(tree, index_tree(tree_folder, None))


def test_stopped_before_it_began(tree_folder, cache):
    stop = threading.Event()
    stop.set()
    with pytest.raises(StoppedError):
        index_tree(tree_folder, cache, stop=stop)


def test_a_helper_finds_what_this_process_finds(tree_folder):
    (tree_folder / "broken.dcm").write_bytes(b"no DICOM")
    paths = [str(path) for path in sorted(tree_folder.rglob("*.dcm"))]
    with subprocess.Popen(
        looking._COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        first = helper.ask(process, paths[:4])
        found = first + helper.ask(process, paths[4:])
        process.stdin.close()
        assert process.wait(timeout=60) == 0
    assert found == [looking.look_at(tree_folder / path) for path in paths]
    assert found[-1].header is not None
    assert [look.failure for look in found].count("") == 17


def test_helpers_change_nothing(tree_folder, cache):
    same(index_tree(tree_folder, cache, workers=3), index_tree(tree_folder, None, workers=1))


@pytest.mark.parametrize(
    "program", ["", "import sys; sys.stdout.buffer.write(b'\\0' * 7 + b'\\1?' * 99)", "1/0"]
)
def test_helpers_that_fail_do_no_harm(tree_folder, monkeypatch, program):
    monkeypatch.setattr(looking, "_COMMAND", (sys.executable, "-c", program))
    monkeypatch.setattr(looking, "_CHUNK", 2)
    same(index_tree(tree_folder, None, workers=3), index_tree(tree_folder, None, workers=1))


def test_a_helper_that_cannot_be_started_does_no_harm(tree_folder, monkeypatch):
    monkeypatch.setattr(looking, "_COMMAND", ("/nowhere/python",))
    assert len(index_tree(tree_folder, None, workers=3).entries) == 17


# What is odd


def test_a_copy_is_told_with_both_names_and_the_first_is_used(tmp_path):
    write_series(tmp_path / "scan 10", "1.2.3.4", 2)
    write_series(tmp_path / "scan 9", "1.2.3.4", 3)
    tree = index_tree(tmp_path, None)
    (problem,) = tree.problems
    assert problem.level == "note"
    assert problem.text.startswith("2 images are there more than once")
    assert problem.files == (
        "scan 9/1-1.dcm", "scan 10/1-1.dcm", "scan 9/1-2.dcm", "scan 10/1-2.dcm",
    )  # fmt: skip
    assert tree.by_sop["1.2.3.4.1"].path == "scan 9/1-1.dcm"
    (series,) = tree.series
    assert [entry.path for entry in series.entries] == [f"scan 9/1-{n}.dcm" for n in (1, 2, 3)]
    assert len(tree.entries) == 5


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"patient": "P2"}, "different patients"),
        ({"study": "1.7"}, "different studies"),
        ({"SeriesInstanceUID": "1.7"}, "different series"),
    ],
)
def test_another_image_under_the_same_uid_is_an_error(tmp_path, other, named):
    write_series(tmp_path / "a", "1.2.3.4", 1)
    write_series(tmp_path / "b", "1.2.3.4", 1, **other)
    tree = index_tree(tmp_path, None)
    (problem,) = tree.problems
    assert problem.level == "error"
    assert named in problem.text
    assert problem.files == ("a/1-1.dcm", "b/1-1.dcm")
    assert tree.by_sop["1.2.3.4.1"].path == "a/1-1.dcm"
    assert [[entry.path for entry in series.entries] for series in tree.series] == [
        ["a/1-1.dcm"],
        ["b/1-1.dcm"],
    ]
    assert "P1" not in problem.text
    assert "P2" not in problem.text


def test_many_clashes_are_counted(tmp_path):
    write_series(tmp_path / "a", "1.2.3.4", 14)
    write_series(tmp_path / "b", "1.2.3.4", 14, study="1.7")
    problems = index_tree(tmp_path, None).problems
    assert len(problems) == 11
    assert problems[-1].text.startswith("4 more files")
    named = {path for problem in problems for path in problem.files}
    assert {f"b/1-{n}.dcm" for n in range(1, 15)} <= named


def test_files_without_pixels_are_noted_and_in_no_series(tmp_path):
    write_series(tmp_path, "1.2.3.4", 2)
    dataset, _ = slice_dataset(SOPInstanceUID="1.2.3.4.3", SeriesInstanceUID="1.2.3.4")
    write_dataset(tmp_path / "bare.dcm", dataset, b"")
    del dataset.PixelData
    pydicom.dcmwrite(
        tmp_path / "bare.dcm", dataset, implicit_vr=False, little_endian=True,
        enforce_file_format=False,
    )  # fmt: skip
    tree = index_tree(tmp_path, None)
    (problem,) = tree.problems
    assert (problem.level, problem.files) == ("note", ("bare.dcm",))
    assert problem.text.startswith("1 file has no pixel data")
    assert not tree.by_sop["1.2.3.4.3"].header.has_pixels
    assert [series.n_files for series in tree.series] == [2]
    assert tree.series_of(tree.by_sop["1.2.3.4.3"]) is None


def test_unreadable_files_are_named_in_one_problem(tmp_path):
    write_series(tmp_path, "1.2.3.4", 1)
    (tmp_path / "empty.dcm").touch()
    (tmp_path / "text.dcm").write_text("a page of text, not an image")
    (tmp_path / "LICENSE").write_text("CC BY-NC 4.0")
    tree = index_tree(tmp_path, None)
    dicom, other = tree.problems
    assert dicom.level == "warning"
    assert dicom.text.startswith("2 files are left out. empty.dcm: the file is empty.")
    assert dicom.files == ("empty.dcm", "text.dcm")
    assert (other.level, other.files) == ("note", ("LICENSE",))
    assert str(tmp_path) not in dicom.text


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_links_are_followed_only_to_files_inside(tmp_path):
    root = tmp_path / "images"
    write_series(root / "a", "1.2.3.4", 1)
    write_series(root / ".store", "1.2.3.5", 1)
    write_series(tmp_path / "outside", "1.2.3.6", 1)
    (root / "known.dcm").symlink_to("a/1-1.dcm")
    (root / "stored.dcm").symlink_to(".store/1-1.dcm")
    (root / "out.dcm").symlink_to(tmp_path / "outside" / "1-1.dcm")
    (root / "nowhere.dcm").symlink_to("missing.dcm")
    (root / "round.dcm").symlink_to("round.dcm")
    (root / "folder.v2").symlink_to(tmp_path / "outside")
    (root / "read.me").symlink_to(tmp_path / "outside" / "1-1.dcm")
    (root / "gone.txt").symlink_to("missing.txt")
    (root / "loop").symlink_to(root)
    tree = index_tree(root, None)
    assert [entry.path for entry in tree.entries] == ["a/1-1.dcm", "stored.dcm"]
    (problem,) = tree.problems
    assert problem.files == ("folder.v2", "nowhere.dcm", "out.dcm", "round.dcm")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes")
def test_pipes_are_not_opened(tmp_path):
    write_series(tmp_path, "1.2.3.4", 1)
    os.mkfifo(tmp_path / "pipe.dcm")
    assert len(index_tree(tmp_path, None).entries) == 1


def test_the_walk_is_bounded(tmp_path, monkeypatch):
    write_series(tmp_path / "a" / "b", "1.2.3.4", 6)
    monkeypatch.setattr(folders, "DEEPEST", 1)
    tree = index_tree(tmp_path, None)
    assert tree.entries == ()
    assert tree.problems[0].files == ("a/b",)
    monkeypatch.setattr(folders, "DEEPEST", 9)
    monkeypatch.setattr(folders, "MOST_FILES", 5)
    tree = index_tree(tmp_path, None)
    assert len(tree.entries) == 3
    assert "5 files and folders or more" in tree.problems[0].text


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(ReadError, match="no longer there"):
        index_tree(tmp_path / "missing", None)


# Opening


def test_a_series_is_streamed_with_sop_uids_as_slice_ids(tree_folder):
    tree = index_tree(tree_folder, None)
    series = next(one for one in tree.series if one.series_uid == "1.2.3.10")
    stream = stream_tree_series(tree, series, first=2)
    assert next(stream.slices) == 2
    volume = stream.complete()
    assert volume.grid.slice_ids == tuple(f"1.2.3.10.{n}" for n in range(1, 13))
    for z, uid in enumerate(volume.grid.slice_ids):
        expected = pydicom.dcmread(tree.path_of(tree.by_sop[uid])).pixel_array.astype(int) - 1024
        assert np.array_equal(volume.voxels[z], expected)
    assert volume.grid.spacing == pytest.approx((2.5, 0.7, 0.8))


def test_a_series_lies_in_several_folders(tmp_path):
    write_series(tmp_path / "a", "1.2.3.4", 2)
    for n in (3, 4):
        own = {"SOPInstanceUID": f"1.2.3.4.{n}", "SeriesInstanceUID": "1.2.3.4"}
        (tmp_path / f"b{n}").mkdir()
        write_slice(tmp_path / f"b{n}" / "1-1.dcm", -2.5 * n, n, PatientID="P1", **own)
    tree = index_tree(tmp_path, None)
    (series,) = tree.series
    found = read_tree_series(tree, series)
    assert found.grid.slice_ids == tuple(f"1.2.3.4.{n}" for n in (1, 2, 3, 4))
    assert found.problems == ()


def test_a_file_that_vanished_is_left_out_and_told(tree_folder):
    tree = index_tree(tree_folder, None)
    series = tree.series[2]
    tree.path_of(series.entries[1]).unlink()
    found = read_tree_series(tree, series)
    assert found.n_slices == 2
    assert found.problems[0].files == ("1-2.dcm",)
    for entry in series.entries[::2]:
        tree.path_of(entry).unlink()
    with pytest.raises(ReadError, match="no image of the series"):
        stream_tree_series(tree, series)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.1", JPEG_LOSSLESS_SV1])
def test_a_radiograph_is_read_in_stored_values(tmp_path, syntax):
    stored = stored_values(3, (7, 9))
    write_radiograph(
        tmp_path / "cr.dcm", stored, syntax, PhotometricInterpretation="MONOCHROME1",
        ImagerPixelSpacing=["0.2", "0.1"], WindowCenter=["2000"], WindowWidth=["1500"],
        PatientOrientation=["L", "F"],
    )  # fmt: skip
    tree = index_tree(tmp_path, None)
    (series,) = tree.series
    assert series.kind == "radiograph"
    stream = stream_tree_image(tree, series.entries[0])
    assert list(stream.slices) == [0]
    volume = stream.volume
    assert np.array_equal(volume.voxels, stored[None])
    assert volume.modality == "CR"
    assert volume.inverted
    assert volume.window == (2000, 1500)
    assert volume.grid.slice_ids == ("1.2.99",)
    assert volume.grid.calibration == "detector"
    assert volume.grid.spacing == pytest.approx((1, 0.2, 0.1))
    assert np.allclose(volume.grid.affine[:3, 2], (0.1, 0, 0))
    assert np.allclose(volume.grid.affine[:3, 1], (0, 0, -0.2))
    assert stream.problems == []
    assert np.array_equal(stream_tree_series(tree, series).complete().voxels, stored[None])


@pytest.mark.parametrize(
    ("changes", "spacing", "calibration"),
    [
        ({"PixelSpacing": [0.3, 0.3]}, 0.3, "patient"),
        ({"PixelSpacing": [0.3, 0.3], "ImagerPixelSpacing": [0.3, 0.3]}, 0.3, "detector"),
        ({"PixelSpacing": [0.25, 0.25], "ImagerPixelSpacing": [0.3, 0.3]}, 0.25, "patient"),
        ({"PixelSpacing": [0, 0]}, 1, "unknown"),
        ({"PixelSpacing": [25, 25]}, 1, "unknown"),
        ({}, 1, "unknown"),
    ],
)
def test_where_the_spacing_of_a_radiograph_was_measured(tmp_path, changes, spacing, calibration):
    write_radiograph(tmp_path / "cr.dcm", stored_values(), **changes)
    tree = index_tree(tmp_path, None)
    stream = stream_tree_image(tree, tree.entries[0])
    assert stream.volume.grid.calibration == calibration
    assert stream.volume.grid.spacing[1] == pytest.approx(spacing)
    assert [problem.level for problem in stream.problems] == ["note"] * (calibration == "unknown")


@pytest.mark.parametrize("told", [["L"], ["L", "L"], ["", "F"], ["X", "Y"], None])
def test_a_radiograph_without_usable_orientation_is_not_placed(tmp_path, told):
    write_radiograph(
        tmp_path / "cr.dcm", stored_values(), PatientOrientation=told or "", PixelSpacing=[1, 1]
    )
    tree = index_tree(tmp_path, None)
    stream = stream_tree_image(tree, tree.entries[0])
    assert not stream.volume.grid.placed
    assert "left and right are not known" in stream.problems[0].text


def test_the_window_of_a_radiograph_is_turned_into_stored_values(tmp_path):
    write_radiograph(
        tmp_path / "cr.dcm", stored_values(), PixelSpacing=[1, 1], WindowCenter="1000",
        WindowWidth="500", RescaleSlope="-2", RescaleIntercept="5000",
    )  # fmt: skip
    tree = index_tree(tmp_path, None)
    volume = stream_tree_image(tree, tree.entries[0]).volume
    assert volume.window == (2000, 250)
    assert volume.inverted  # MONOCHROME2 through a negative slope


def test_a_window_that_shows_nothing_is_not_used(tmp_path):
    write_radiograph(
        tmp_path / "cr.dcm", stored_values(), PixelSpacing=[1, 1], WindowCenter="30000",
        WindowWidth="100",
    )  # fmt: skip
    tree = index_tree(tmp_path, None)
    stream = stream_tree_image(tree, tree.entries[0])
    assert stream.volume.window is None
    assert "window is not used" in stream.problems[0].text


def test_several_radiographs_are_opened_one_by_one(tmp_path):
    images = [stored_values(n) for n in range(2)]
    for n, stored in enumerate(images):
        write_radiograph(tmp_path / f"{n}.dcm", stored, SOPInstanceUID=f"1.{n}", InstanceNumber=n)
    tree = index_tree(tmp_path, None)
    (series,) = tree.series
    for entry, stored in zip(series.entries, images, strict=True):
        assert np.array_equal(stream_tree_image(tree, entry).complete().voxels[0], stored)
    with pytest.raises(ReadError, match="2 radiographs"):
        stream_tree_series(tree, series)


def test_a_radiograph_that_is_cut_short_is_an_error(tmp_path):
    write_radiograph(tmp_path / "cr.dcm", stored_values())
    whole = (tmp_path / "cr.dcm").read_bytes()
    (tmp_path / "cr.dcm").write_bytes(whole[:-40])
    tree = index_tree(tmp_path, None)
    with pytest.raises(ReadError, match="ends before its pixel data"):
        stream_tree_image(tree, tree.entries[0])
