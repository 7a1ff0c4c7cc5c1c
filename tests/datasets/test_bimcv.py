"""BIMCV COVID-19: names, layouts, images, comparing and exporting."""

import shutil
from pathlib import Path

import bimcv_sample as sample
import nibabel as nib
import numpy as np
import pytest
from bimcv_sample import (
    CORRECTED,
    CR,
    CR_ROI,
    CR_UID,
    CT,
    DX,
    DX_ROI,
    EFFUSION,
    GROUND_GLASS,
    HEAD,
    SHAPE,
    SUBJECTS,
    aim,
    box_mask,
    group,
    new_mask,
    paint,
    reading,
    regions,
    save_sidecar,
    told,
    with_masks,
    write,
)

from napari_chest import open_dataset
from napari_chest.changes import compare
from napari_chest.datasets import Bimcv, MosMed
from napari_chest.datasets.bimcv.names import parse_image, roi_key
from napari_chest.errors import ReadError
from napari_chest.export import export_readings, write_back
from napari_chest.model import Reading


@pytest.fixture
def root(tmp_path):
    """A dataset of its own for each test; there are no corrected labels."""
    folder = tmp_path / "bimcv"
    sample.build(folder)
    (folder / CORRECTED).unlink()
    return folder


@pytest.fixture
def dataset(root):
    return open_dataset(root)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


# Names and layouts


@pytest.mark.parametrize(
    ("name", "modality", "view", "title"),
    [
        ("sub-S1_ses-E2_run-1_bp-chest_vp-ap_cr.png", "CR", "AP", "S1 E2 run-1 AP"),
        ("sub-S1_ses-E2_acq-4_run-2_bp-chest_ct.nii.gz", "CT", "", "S1 E2 acq-4 run-2 CT"),
        ("sub-S1_ses-E2_run-1_bp-chest_vp-lateral_DX.PNG", "DX", "LATERAL", "S1 E2 run-1 LATERAL"),
        ("sub-S1_ses-E2_run-3_bp-chest_ct.nii", "CT", "", "S1 E2 run-3 CT"),
        ("scan.png", "CR", "", "S1 E2 CR"),
        ("scan.nii.gz", "CT", "", "S1 E2 CT"),
    ],
)
def test_names_tell(name, modality, view, title):
    image = parse_image(f"a/sub-S1/ses-E2/mod-rx/{name}")
    assert (image.modality, image.view, image.title) == (modality, view, title)
    assert (image.collection, image.subject, image.session) == ("a", "sub-S1", "ses-E2")
    assert image.named_modality is not name.startswith("scan")


@pytest.mark.parametrize(
    "path",
    [
        "sub-S1/ses-E2/mod-rx/x_cr.json",
        "sub-S1/ses-E2/mod-rx/._x_cr.png",
        "sub-S1/ses-E2/mod-rx/.png",
        "derivatives/sub-S1/ses-E2/mod-rx/x_cr.png",
        "sub-S1/x_cr.png",
        "studies/CT-1/study_0255.nii.gz",
        "x_cr.png",
    ],
)
def test_other_paths_are_no_images(path):
    assert parse_image(path) is None


@pytest.mark.parametrize(
    "name",
    [
        "sub-S1_ses-E2_run-1_vp-ap_mod-cr_roi.xml",
        "sub-S1_ses-E2_run-1_vp-ap_cr_roi.xml",
        "derivatives\\roi\\sub-S1\\ses-E2\\mod-rx\\sub-S1_ses-E2_run-1_vp-ap_mod-cr_ROI.xml",
        "roi/sub-S1/sub-S1_ses-E2_run-1_vp-ap_mod-cr_roi-2.xml",
    ],
)
def test_roi_file_is_named_after_its_image(name):
    assert roi_key(name) == "sub-s1_ses-e2_run-1_vp-ap_cr"


@pytest.mark.parametrize("name", ["notes_roi.xml", "AIM_20200601_120000.xml", "x_cr.xml"])
def test_other_xml_is_named_after_no_image(name):
    assert roi_key(name) == ""


@pytest.mark.parametrize(
    ("images", "tables", "labels"),
    [
        (SUBJECTS, HEAD, "labels_covid19_posi.tsv"),
        ("covid19_posi", "covid19_posi", "labels_covid_posi.tsv"),
        ("covid19_posi", "covid19_posi_head", "Labels_covid_123.tsv"),
        ("covid19_neg", ".", "Labels_covid_NEG_JAN21.tsv"),
        (".", ".", "labels_SARS-cov-2_nega.tsv"),
    ],
)
def test_every_release_is_found(tmp_path, images, tables, labels):
    """Wherever a release unpacks its images and its tables to."""
    sample.build(tmp_path / "built")
    root = tmp_path / "root"
    shutil.copytree(tmp_path / "built" / SUBJECTS, root / images)
    shutil.copytree(tmp_path / "built" / HEAD, root / tables, dirs_exist_ok=True)
    (root / tables / "derivatives/labels/labels_covid19_posi.tsv").rename(
        root / tables / "derivatives/labels" / labels
    )
    (root / tables / "derivatives/labels/labels_corrected.tsv").unlink()
    (root / tables / "derivatives/EHR/sil_reg_covid.tsv").rename(
        root / tables / "derivatives/EHR/SIL_REG_COVID_POSI_iter123.txt"
    )
    dataset = open_dataset(root)
    assert isinstance(dataset, Bimcv)
    assert [case.title for case in dataset.cases()] == [
        "S00001 E00001 run-1 AP",
        "S00002 E00002 run-2 PA",
        "S00003 E00003 acq-1 run-1 CT",
    ]
    first = dataset.cases()[0]
    assert first.id == (Path(images) / CR.removeprefix(f"{SUBJECTS}/")).as_posix()
    assert reading(dataset, first.id).answers == {"findings": ("COVID 19", "consolidation")}
    assert [mask.name for mask in reading(dataset, first.id).masks] == [
        "Ground glass",
        "Consolidation",
    ]
    assert group(dataset, "Tests over time", first.id)
    assert first.facts["Age"] == "80"


def test_both_partitions_are_told_apart(root):
    shutil.copytree(root / SUBJECTS / "sub-S00001", root / "covid19_neg/sub-S00077/")
    cases = open_dataset(root).cases()
    assert {case.facts["Partition"] for case in cases} == {"positive", "negative"}
    assert len({case.title for case in cases}) == len(cases)


def test_one_partition_needs_no_word(dataset):
    assert "Partition" not in dataset.cases()[0].facts


def test_corrections_stand_beside_the_table_of_their_partition(root):
    negative = root / "covid19_neg"
    shutil.copytree(root / SUBJECTS / "sub-S00002", negative / "sub-S00088/")
    for path in (negative / "sub-S00088").rglob("*S00002*.*"):
        path.rename(path.with_name(path.name.replace("S00002", "S00088")))
    text = labels_row("sub-S00088", "['normal']")
    write(negative / "derivatives/labels/Labels_covid_NEG_JAN21.tsv", text)
    dataset = open_dataset(root)
    case = next(case.id for case in dataset.cases() if "S00088" in case.id)
    mask = new_mask(dataset, case, "GG", EFFUSION)
    after = Reading("authors", (mask,), answers={"findings": ("COVID 19",)})
    written = dataset.write(case, [after], root)
    assert [path.relative_to(negative).as_posix() for path in written] == [
        "derivatives/labels/labels_corrected.tsv",
        "derivatives/roi/sub-S00088/sub-S00088_ses-E00002_run-2_bp-chest_vp-pa_mod-dx_roi.xml",
    ]
    assert not compare(after, reading(open_dataset(root), case))


def labels_row(subject, labels):
    return f"{sample.COLUMNS}\n0\t{subject}\tses-E00002\t\t{labels}\t\t\t\t\n"


def test_dataset_without_derivatives_gets_them(root):
    shutil.rmtree(root / HEAD)
    dataset = open_dataset(root)
    mask = new_mask(dataset, CR, "CO", EFFUSION)
    after = Reading("authors", (mask,), answers={"findings": ("Consolidation",)})
    written = dataset.write(CR, [after], root)
    assert {path.relative_to(root).parts[:2] for path in written} == {
        ("derivatives", "labels"),
        ("derivatives", "roi"),
    }
    assert not compare(after, reading(open_dataset(root)))


def test_path_unpacked_on_windows_is_followed(root):
    """There the backslashes of the name became folders, derivatives among them."""
    nested = f"{HEAD}/derivatives/roi/sub-S00001/" + sample.WINDOWS.replace("\\", "/")
    (root / nested).mkdir(parents=True)
    (root / CR_ROI).rename(root / nested / f"{sample.CR_STEM}_mod-cr_roi.xml")
    (root / DX_ROI).unlink()
    dataset = open_dataset(root)
    assert len(reading(dataset).masks) == 2
    (path,) = dataset.write(
        DX, [with_masks(reading(dataset, DX), new_mask(dataset, DX, "GG", EFFUSION))], root
    )
    assert path == root / DX_ROI


def test_name_without_modality_is_a_warning(root):
    image = (root / CR).with_name("sub-S00001_ses-E00001_run-7.png")
    shutil.copy(root / CR, image)
    dataset = open_dataset(root)
    case = image.relative_to(root).as_posix()
    assert told(dataset.problems(case), "CR is assumed").level == "warning"
    assert dataset.volume(case).modality == "CR"


def test_facts_of_the_list(dataset):
    first, second, third = dataset.cases()
    assert dict(first.facts) == {
        "Findings": "2",
        "ROIs": "1",
        "View": "AP",
        "Labels": "COVID 19, consolidation",
        "Subject": "S00001",
        "Session": "E00001",
        "Sex": "male",
        "Age": "80",
    }
    assert (first.modality, second.modality, third.modality) == ("CR", "DX", "CT")
    assert second.facts["Age"] == "54, 55"
    assert "Age" not in third.facts


def test_same_title_gets_its_path(root):
    shutil.copytree(root / SUBJECTS / "sub-S00001", root / "more/sub-S00001")
    cases = open_dataset(root).cases()
    alike = [case for case in cases if case.title.startswith("S00001 E00001 run-1 AP")]
    assert [case.title for case in alike] == [f"S00001 E00001 run-1 AP ({c.id})" for c in alike]


def test_other_datasets_are_not_claimed(tmp_path):
    study = tmp_path / "mosmed" / "studies" / "CT-1" / "study_0255.nii.gz"
    study.parent.mkdir(parents=True)
    nib.save(nib.Nifti1Image(np.zeros((3, 3, 3), np.int16), np.eye(4)), study)
    assert Bimcv.missing(tmp_path / "mosmed")
    sample.build(tmp_path / "bimcv")
    assert MosMed.missing(tmp_path / "bimcv")
    assert Bimcv.missing(tmp_path / "bimcv") == []


def test_folder_of_datasets_is_none(tmp_path):
    """The folder above, deep enough, is not the dataset."""
    sample.build(tmp_path / "a" / "b")
    assert Bimcv.missing(tmp_path)
    assert Bimcv.missing(tmp_path / "a" / "b") == []


def test_listing_opens_no_image_and_no_sidecar(root, monkeypatch):
    """Images and sidecars that cannot be read are listed like any other."""
    for path in (root / SUBJECTS).rglob("*.*"):
        if path.suffix in {".png", ".json", ".gz"}:
            path.write_bytes(b"")
    assert len(open_dataset(root).cases()) == 3


def test_links_out_of_the_dataset_are_not_followed(root, tmp_path):
    outside = tmp_path / "outside"
    shutil.copytree(root / SUBJECTS / "sub-S00001", outside / "sub-S00050")
    (root / "covid19_posi").symlink_to(outside)
    image = root / SUBJECTS / "sub-S00002/ses-E00002/mod-rx/sub-S00002_ses-E00002_run-9_cr.png"
    image.symlink_to(root / CR)
    image.with_name("sub-S00002_ses-E00002_run-8_cr.png").symlink_to(
        outside / "sub-S00050/ses-E00001/mod-rx" / Path(CR).name
    )
    (root / "loop").symlink_to(root)
    dataset = open_dataset(root)
    assert [case.title for case in dataset.cases()] == [
        "S00001 E00001 run-1 AP",
        "S00002 E00002 run-2 PA",
        "S00002 E00002 run-9 CR",
        "S00003 E00003 acq-1 run-1 CT",
    ]
    problem = told(dataset.problems(), "lead out of the dataset")
    assert "covid19_posi" in problem.files
    assert any(name.endswith("run-8_cr.png") for name in problem.files)


# Images and sidecars


def test_radiograph_and_ct_are_volumes(dataset, root):
    cr, ct = dataset.volume(CR), dataset.volume(CT)
    assert cr.voxels.shape == (1, *SHAPE)
    assert cr.inverted
    assert not dataset.volume(DX).inverted
    stored = np.asanyarray(nib.load(root / CT).dataobj)
    np.testing.assert_array_equal(ct.voxels, stored.transpose(2, 1, 0)[::-1, ::-1])
    assert ct.modality == "CT"


@pytest.mark.parametrize(
    ("tags", "word"),
    [
        ({"00080008": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "localizer"),
        ({"00080008": ["DERIVED", "SECONDARY", "REFORMATTED", "AVERAGE"]}, "reformat"),
        ({"0008103E": ["Torax MIP"]}, "reformat"),
    ],
)
def test_localizers_and_reformats_are_told(root, tags, word):
    save_sidecar(root / CT, {"00080018": ["1.2"], **tags})
    dataset = open_dataset(root)
    assert told(dataset.problems(CT), word).level == "note"
    assert ("Kind", word) in group(dataset, "Image", CT)


def rgb(path):
    dtype = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
    nib.save(nib.Nifti1Image(np.zeros((4, 4, 2), dtype), np.eye(4)), path)


def flat(path):
    nib.save(nib.Nifti1Image(np.zeros((4, 4), np.int16), np.eye(4)), path)


def four_dimensional(path):
    nib.save(nib.Nifti1Image(np.zeros((4, 4, 2, 3), np.int16), np.eye(4)), path)


@pytest.mark.parametrize("spoil", [rgb, flat, four_dimensional, lambda path: path.write_bytes(b"")])
def test_ct_that_is_none_is_an_error_of_its_case(root, spoil):
    spoil(root / CT)
    dataset = open_dataset(root)
    with pytest.raises(ReadError):
        dataset.volume(CT)
    assert any(problem.level == "error" for problem in dataset.problems(CT))
    assert dataset.volume(CR).voxels.size


def test_acquisition_without_a_sidecar_borrows_one(root):
    image = (root / CR).with_name(Path(CR).name.replace("run-1", "acq-2_run-1"))
    shutil.copy(root / CR, image)
    dataset = open_dataset(root)
    case = image.relative_to(root).as_posix()
    problem = told(dataset.problems(case), "no sidecar of its own; ")
    assert problem.level == "warning"
    assert dataset.volume(case).inverted
    assert dataset.offers(case, reading(dataset, case)) == ()
    assert [mask.name for mask in reading(dataset, case).masks] == []


@pytest.mark.parametrize("content", [b"", b"{", b'{"a": 1}', b"[" * 100_000])
def test_broken_sidecar_is_a_warning(root, content):
    (root / CR).with_suffix(".json").write_bytes(content)
    dataset = open_dataset(root)
    assert told(dataset.problems(CR), "cannot be read").level == "warning"
    assert dataset.volume(CR).voxels.shape == (1, *SHAPE)
    assert [mask.name for mask in reading(dataset).masks] == ["Ground glass", "Consolidation"]
    assert dataset.offers(CR, reading(dataset)) == ()


# Comparing and exporting


def test_what_vanished_is_an_error(dataset, root, out):
    shutil.copytree(root / HEAD, out / HEAD)
    (out / CR_ROI).unlink()
    with pytest.raises(ReadError, match="is gone"):
        dataset.compare(root, out)
    write(out / CR_ROI, aim(CR_UID, ("1", [GROUND_GLASS])))
    with pytest.raises(ReadError, match="Consolidation"):
        dataset.compare(root, out)
    write(out / CR_ROI, "<other/>")
    with pytest.raises(ReadError, match="other"):
        dataset.compare(root, out)


def test_export_proves_masks_and_labels(dataset, root, out):
    found = reading(dataset)
    first, second = found.masks
    after = Reading("authors", (paint(first), second), answers={"findings": ("normal",)})
    proof = export_readings(dataset, {CR: [after]}, out)
    assert proof.holds, proof.lines()
    assert set(proof.changed_files) == {CR_ROI, CORRECTED}
    assert DX_ROI in proof.identical_files


def test_write_back_proves_a_new_region(dataset, root):
    found = reading(dataset, DX)
    mask = new_mask(dataset, DX, "CO", (2, 2, 8, 6))
    proof = write_back(dataset, {DX: [with_masks(found, *found.masks, mask)]})
    assert proof.holds, proof.lines()
    assert proof.changed_files == (DX_ROI,)
    np.testing.assert_array_equal(regions(root / DX_ROI)[1][1], box_mask((2, 2, 8, 6)))
