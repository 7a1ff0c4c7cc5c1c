"""Exports as DICOM Segmentation: which files appear, what the proof says, what is refused."""

from dataclasses import replace
from datetime import datetime
from types import SimpleNamespace

import highdicom
import numpy as np
import pydicom
import pytest
from dicom_samples import write_slice

from napari_chest import findings
from napari_chest.errors import ReadError, SaveError
from napari_chest.export import dicom_seg
from napari_chest.export.dicom_seg import export_dicom_seg
from napari_chest.files.dicom import index_folder, main_series
from napari_chest.model import Mask, Reading

SHAPE = (4, 6, 7)
NOW = datetime(2026, 1, 2, 3, 4, 5)


class Sample:
    """As much of a dataset as an export asks for."""

    def __init__(self, root, readings):
        self.root = root
        self.by_case = readings
        self.without_images = set()

    def cases(self):
        return [SimpleNamespace(id=case, title=f"Case {case}") for case in self.by_case]

    def readings(self, case_id):
        return self.by_case[case_id]

    def source_headers(self, case_id):
        if case_id in self.without_images:
            return ()
        return main_series(index_folder(self.root / "images")[0]).slices


def mask(name="Lesions", seed=0):
    labels = np.random.default_rng(seed).integers(0, 3, SHAPE).astype(np.uint8)
    return Mask(name, labels, (findings.GROUND_GLASS.segment(1), findings.CONSOLIDATION.segment(2)))


def empty(name="Lesions"):
    return replace(mask(name), labels=np.zeros(SHAPE, np.uint8))


@pytest.fixture
def sample(tmp_path):
    """Two cases on the same images; the first has two readings."""
    images = tmp_path / "dataset" / "images"
    images.mkdir(parents=True)
    for number in range(1, 5):
        stored = np.zeros(SHAPE[1:], np.uint16)
        write_slice(
            images / f"{number}.dcm", 10.0 - number, number, stored=stored,
            FrameOfReferenceUID="1.2.9.1",
        )  # fmt: skip
    first = (Reading("Group 1", (mask(), mask("Others", 1))), Reading("Group 2", (mask(seed=2),)))
    return Sample(tmp_path / "dataset", {"A": first, "B": (Reading("Group 1", (mask(seed=3),)),)})


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.dcm"))


def test_every_reading_becomes_a_file_that_holds_it(sample, tmp_path):
    out, told = tmp_path / "out", []
    proof = export_dicom_seg(
        sample, ["A", "B"], out, progress=lambda *done: told.append(done), now=NOW
    )
    assert files(out) == ["A/Group 1.dcm", "A/Group 2.dcm", "B/Group 1.dcm"]
    assert told == [(1, 2), (2, 2)]
    assert proof.holds
    assert proof.headline == "Proved: 3 segmentations on disk, voxel for voxel as in the readings."
    uids = [header.sop_instance_uid for header in sample.source_headers("A")]
    found = highdicom.seg.segread(out / "A/Group 1.dcm").get_pixels_by_source_instance(
        uids, assert_missing_frames_are_empty=True
    )
    masks = sample.by_case["A"][0].masks
    meant = [one.labels == value for one in masks for value in (1, 2)]
    assert np.array_equal(found, np.stack(meant, axis=-1))
    (written, *_) = proof.written
    assert (written.case, written.reader, written.file) == ("Case A", "Group 1", "A/Group 1.dcm")
    assert written.segments == ("Ground glass", "Consolidation", "Ground glass", "Consolidation")
    assert written.frames == 16
    assert written.voxels == sum(np.count_nonzero(one.labels) for one in masks)
    lines = proof.lines()
    assert f"    16 frames, {written.voxels} voxels" in lines
    assert lines[-1] == f"Export: {out}"


def test_objects_are_new_and_their_series_apart(sample, tmp_path):
    """Two exports never share a UID, since their contents may differ."""
    seen = set()
    for name in ("one", "two"):
        export_dicom_seg(sample, ["A"], tmp_path / name, now=NOW)
        for path in sorted((tmp_path / name / "A").iterdir()):
            seg = pydicom.dcmread(path)
            seen |= {
                seg.SOPInstanceUID,
                seg.SeriesInstanceUID,
                seg.DimensionOrganizationSequence[0].DimensionOrganizationUID,
            }
            assert (seg.ContentDate, seg.StudyInstanceUID) == ("20260102", "1.2.3")
            assert seg.SeriesNumber == (9001 if path.stem == "Group 1" else 9002)
    assert len(seen) == 12
    assert all(uid.is_valid for uid in seen)


def test_export_replaces_an_earlier_one_and_touches_no_other_file(sample, tmp_path):
    out = tmp_path / "out"
    (out / "A").mkdir(parents=True)
    (out / "A" / "notes.txt").write_text("mine")
    (out / "A" / "Group 1.dcm").write_text("old")
    assert export_dicom_seg(sample, ["A"], out).holds
    assert (out / "A" / "notes.txt").read_text() == "mine"
    assert pydicom.dcmread(out / "A" / "Group 1.dcm").Modality == "SEG"


def test_dataset_is_not_touched(sample, tmp_path):
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in sample.root.rglob("*.dcm")}
    export_dicom_seg(sample, ["A", "B"], tmp_path / "out")
    assert before == {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in sample.root.rglob("*")
                      if p.is_file()}  # fmt: skip


# What is not written


def test_case_without_dicom_images_is_skipped_with_the_reason(sample, tmp_path):
    sample.without_images = {"A"}
    proof = export_dicom_seg(sample, ["A", "B"], tmp_path / "out")
    assert files(tmp_path / "out") == ["B/Group 1.dcm"]
    (why,) = proof.skipped
    assert why.startswith("Case A has no DICOM images")
    assert proof.holds
    assert f"  Skipped: {why}" in proof.lines()


def test_nothing_to_write_is_no_proof(sample, tmp_path):
    sample.without_images = {"A", "B"}
    proof = export_dicom_seg(sample, ["A", "B"], tmp_path / "out")
    assert not proof.holds
    assert proof.headline == "Nothing was written."
    assert len(proof.skipped) == 2
    assert not (tmp_path / "out").exists()


def test_readings_without_anything_drawn_are_skipped(sample, tmp_path):
    sample.by_case["B"] = (Reading("Group 1", (empty(),)), Reading("Group 2"))
    proof = export_dicom_seg(sample, ["B"], tmp_path / "out")
    assert proof.skipped == (
        "Case B, Group 1: nothing is drawn.", "Case B, Group 2: nothing is drawn.",
    )  # fmt: skip
    assert not (tmp_path / "out").exists()


def test_reading_that_cannot_be_written_does_not_stop_the_others(sample, tmp_path):
    labels = mask().labels.copy()
    labels[0, 0, 0] = 9
    wrong = Reading("Wrong", (replace(mask(), labels=labels),))
    sample.by_case["A"] = (wrong, *sample.by_case["A"])
    proof = export_dicom_seg(sample, ["A", "B"], tmp_path / "out")
    assert len(proof.written) == 3
    assert not proof.holds
    assert proof.as_meant
    (why,) = proof.refused
    assert why.startswith("Case A, Wrong: Lesions holds a value that none of its segments names")
    assert proof.headline.startswith("Not everything was written: 1 refused; 3 segmentations")


def test_case_that_cannot_be_read_does_not_stop_the_others(sample, tmp_path, monkeypatch):
    def readings(case_id):
        if case_id == "A":
            raise ReadError("labels.json", "it is damaged.")
        return sample.by_case[case_id]

    monkeypatch.setattr(sample, "readings", readings)
    proof = export_dicom_seg(sample, ["A", "B"], tmp_path / "out")
    assert proof.refused == ("Case A: labels.json: it is damaged.",)
    assert files(tmp_path / "out") == ["B/Group 1.dcm"]


@pytest.mark.parametrize("inside", ["", "new", "images", "x/../y"])
def test_dataset_is_no_place_for_an_export(sample, inside):
    before = sorted(sample.root.rglob("*"))
    with pytest.raises(SaveError, match="inside the dataset"):
        export_dicom_seg(sample, ["A"], sample.root / inside)
    assert sorted(sample.root.rglob("*")) == before


def test_unknown_case_is_refused(sample, tmp_path):
    with pytest.raises(SaveError, match="no case C"):
        export_dicom_seg(sample, ["A", "C"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


# The proof notices what is not as meant


def test_file_that_differs_is_not_proved(sample, tmp_path, monkeypatch):
    """What the disk made of the file counts, not what was handed to it."""

    def write(path, *arguments, **options):
        honest(path, *arguments, **options)
        content = bytearray(path.read_bytes())
        content[-2] ^= 1
        path.write_bytes(content)

    honest = dicom_seg.write_seg
    monkeypatch.setattr(dicom_seg, "write_seg", write)
    proof = export_dicom_seg(sample, ["B"], tmp_path / "out")
    assert not proof.holds
    assert proof.headline == "NOT proved: what was read back is not what was meant."
    (doubt,) = proof.written[0].doubts
    assert doubt == "Consolidation differs in 1 voxels of slice 4."
    assert f"    {doubt}" in proof.lines()


def test_file_that_cannot_be_read_back_is_not_proved(sample, tmp_path, monkeypatch):
    def write(path, *arguments, **options):
        honest(path, *arguments, **options)
        path.write_bytes(path.read_bytes()[:-100])

    honest = dicom_seg.write_seg
    monkeypatch.setattr(dicom_seg, "write_seg", write)
    proof = export_dicom_seg(sample, ["B"], tmp_path / "out")
    assert not proof.holds
    assert proof.written[0].doubts[0].startswith("What was written cannot be read back.")


# Names of files


@pytest.mark.parametrize(
    ("case", "reader", "expected"),
    [
        ("../../up", "/etc/x", "_._.._up/_etc_x.dcm"),
        ("COVID-19 subjects/P001", "a\\b:c", "COVID-19 subjects_P001/a_b_c.dcm"),
        ("..", ".", "_/_.dcm"),
        ("con", "NUL.x", "_con/_NUL.x.dcm"),
        ("Röntgen 1", "  ", "Röntgen 1/_.dcm"),
        ("x" * 300, "y\n\0", f"{'x' * 80}/y__.dcm"),
    ],
)
def test_names_stay_inside_and_are_files_everywhere(sample, tmp_path, case, reader, expected):
    sample.by_case = {case: (Reading(reader, (mask(),)),)}
    out = tmp_path / "deep" / "out"
    proof = export_dicom_seg(sample, [case], out)
    assert proof.written[0].file == expected
    assert files(tmp_path / "deep") == [f"out/{expected}"]


def test_names_that_meet_are_numbered(sample, tmp_path):
    """Also where only letter case tells them apart, which not every disk does."""
    readers = ("a/b", "a:b", "A_B", "a_b-2")
    sample.by_case = {"A": tuple(Reading(reader, (mask(),)) for reader in readers)}
    proof = export_dicom_seg(sample, ["A"], tmp_path / "out")
    assert [one.file for one in proof.written] == [
        "A/a_b.dcm", "A/a_b-2.dcm", "A/A_B-3.dcm", "A/a_b-2-2.dcm",
    ]  # fmt: skip
    assert proof.holds


def test_link_that_leads_out_is_refused(sample, tmp_path):
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    out.mkdir()
    elsewhere.mkdir()
    (out / "A").symlink_to(elsewhere)
    proof = export_dicom_seg(sample, ["A", "B"], out)
    assert list(elsewhere.iterdir()) == []
    assert len(proof.refused) == 2
    assert "leads out of" in proof.refused[0]
    assert [one.file for one in proof.written] == ["B/Group 1.dcm"]
