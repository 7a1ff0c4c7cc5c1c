"""MosMedData: layouts of the release and of mirrors, masks, their split, categories, saving."""

import gzip
import os
import shutil
from dataclasses import replace

import mosmed_sample
import nibabel as nib
import numpy as np
import pytest
from mosmed_sample import (
    CORRECTIONS,
    MASK,
    REGISTRY,
    ROWS,
    SHAPE,
    SPLIT,
    affine,
    kinds,
    lesions,
    nifti,
    packed,
    paint_one,
    painted_records,
    records,
    save,
    stored,
    voxels,
    workbook,
)

from napari_chest import open_dataset
from napari_chest.changes import AnswerChange, Correction, MaskChange, compare
from napari_chest.datasets import MosMed
from napari_chest.errors import ChangedOnDiskError, ReadError, SaveError
from napari_chest.export import export_readings, write_back
from napari_chest.findings import CONSOLIDATION, GROUND_GLASS, OPACITY
from napari_chest.model import Mask, Reading

A, B, BARE, MOVED = "study_0255", "study_0256", "study_0257", "study_0939"
MASK_A, MASK_B, SPLIT_A = MASK.format("0255"), MASK.format("0256"), SPLIT.format("0255")
STUDY_A = "studies/CT-1/study_0255.nii.gz"
NEW_MASK, NEW_SPLIT = MASK.format("0257"), SPLIT.format("0256")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return mosmed_sample.build(tmp_path_factory.mktemp("built"))


@pytest.fixture
def root(built, tmp_path):
    return shutil.copytree(built, tmp_path / "mosmed")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def display(array):
    """(i, j, k) to the left, front and head as (z, y, x) to the feet, back and left."""
    return np.asarray(array).transpose(2, 1, 0)[::-1, ::-1]


def reading_of(dataset, case, at=None):
    (reading,) = dataset.readings(case, at=at)
    return reading


def mask_of(dataset, case, name="opacities", at=None):
    return next(m for m in reading_of(dataset, case, at).masks if m.name == name)


def names_of(dataset, case, at=None):
    return [mask.name for mask in reading_of(dataset, case, at).masks]


def told(problems, word):
    """The one problem whose text holds the word."""
    found = [problem for problem in problems if word in str(problem)]
    assert len(found) == 1, [str(p) for p in problems]
    return found[0]


def facts(dataset):
    return {case.id: dict(case.facts) for case in dataset.cases()}


def painted(reading, name, where, value):
    """The reading with one voxel of one mask set; its other masks as they are."""
    masks = []
    for mask in reading.masks:
        labels = mask.labels.copy()
        if mask.name == name:
            labels[where] = value
        masks.append(replace(mask, labels=labels))
    return replace(reading, masks=tuple(masks))


def added(dataset, case, name, labels=None, at=None):
    """The case's reading with the mask that is offered under this name."""
    reading = reading_of(dataset, case, at)
    (offer,) = [o for o in dataset.offers(case, reading) if o.name == name]
    if labels is None:
        labels = np.zeros(dataset.stream(case).volume.grid.shape, np.uint8)
        if offer.splits:
            labels[mask_of(dataset, case, at=at).labels != 0] = offer.segments[-1].value
    return replace(
        reading, masks=(*reading.masks, Mask(name, labels, offer.segments, offer.splits))
    )


def answered(reading, *category):
    return replace(reading, answers={"category": category})


def differing(before, after):
    was, now = records(before), records(after)
    assert was.keys() == now.keys()
    return {record: now[record] for record in was if was[record] != now[record]}


def tree(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def write_registry(root, rows):
    (root / REGISTRY).write_bytes(workbook(rows))


# The release


def test_cases_by_number_with_category_and_mask(root):
    assert facts(open_dataset(root)) == {
        A: {"Category": "CT-1", "Mask": "yes"},
        B: {"Category": "CT-1", "Mask": "yes"},
        BARE: {"Category": "CT-1", "Mask": "no"},
        MOVED: {"Category": "CT-3", "Mask": "no"},
    }


def test_volume_and_masks_stand_as_in_the_patient(root):
    """Slices run from head to feet, rows to the back, columns to the left, mask on volume."""
    dataset = open_dataset(root)
    volume = dataset.volume(A)
    np.testing.assert_array_equal(volume.voxels, display(voxels(255)))
    np.testing.assert_array_equal(mask_of(dataset, A).labels, display(lesions(255)))
    z, y, x = np.argwhere(volume.voxels == 1000)[0]
    patient = nib.affines.apply_affine(affine(), (1, 2, 4)) * (-1, -1, 1)  # RAS to LPS
    np.testing.assert_allclose(volume.grid.position(z, y, x), patient, atol=1e-4)
    assert np.diag(np.fliplr(volume.grid.affine[:3, :3])).min() < 0  # z falls
    np.testing.assert_allclose(volume.grid.spacing, (8.0, 0.7, 0.7), atol=1e-6)


def test_masks_and_their_split(root):
    dataset = open_dataset(root)
    opacities, types = reading_of(dataset, A).masks
    assert (opacities.name, opacities.splits) == ("opacities", None)
    assert opacities.segments == (OPACITY.segment(1, "GGO or consolidation"),)
    assert (types.name, types.splits) == ("opacity types", "opacities")
    assert types.segments == (
        GROUND_GLASS.segment(1),
        CONSOLIDATION.segment(2),
        OPACITY.segment(3, "Not yet split"),
    )
    np.testing.assert_array_equal(types.labels, display(lesions(255) * kinds()))
    assert names_of(dataset, B) == ["opacities"]
    assert names_of(dataset, BARE) == []
    assert reading_of(dataset, BARE).reader == "authors"


def test_question_and_answers(root):
    dataset = open_dataset(root)
    (question,) = dataset.questions
    assert question.choices == ("CT-0", "CT-1", "CT-2", "CT-3", "CT-4")
    assert not question.several
    assert reading_of(dataset, A).answers == {question.key: ("CT-1",)}
    assert reading_of(dataset, MOVED).answers == {question.key: ("CT-3",)}  # corrected before


def test_offers(root):
    dataset = open_dataset(root)
    begin, split = (dataset.offers(case, reading_of(dataset, case))[0] for case in (BARE, B))
    assert begin.text == "Begin a mask"
    assert (begin.name, begin.splits) == ("opacities", None)
    assert split.text == "Split into GGO and consolidation"
    assert (split.name, split.splits) == ("opacity types", "opacities")
    assert split.segments[-1].name == "Not yet split"
    assert dataset.offers(A, reading_of(dataset, A)) == ()
    begun = added(dataset, BARE, "opacities")
    assert [offer.name for offer in dataset.offers(BARE, begun)] == ["opacity types"]


def test_about_names_row_and_files(root):
    registry, files = open_dataset(root).about(A)
    assert dict(registry.rows) == {
        "study_id": "255",
        "category": "CT-1",
        "study_file": "/studies/CT-1/study_0255.nii.gz",
        "mask_file": "/masks/study_0255_mask.nii.gz",
    }
    assert dict(files.rows) == {"Study": STUDY_A, "Mask": MASK_A, "Split mask": SPLIT_A}


def test_dataset_tells_its_variant_and_what_is_not_here(root):
    problems = open_dataset(root).problems()
    variant = told(problems, "The published layout")
    assert variant.level == "note"
    assert "4 studies in studies/CT-1, studies/CT-2, 2 masks in masks" in variant.text
    assert told(problems, "1 of the 5 studies of the registry are not here").level == "warning"
    assert told(problems, "is not free of lesions").level == "note"
    assert [str(p) for case in (A, B, BARE) for p in open_dataset(root).problems(case)] == []


# Mirrors


def move(root, *pairs):
    for old, new in pairs:
        (root / new).parent.mkdir(parents=True, exist_ok=True)
        (root / old).rename(root / new)


def without_registry(root):
    (root / REGISTRY).unlink()


def categories_under_the_root(root):
    for category in ("CT-1", "CT-2"):
        move(root, (f"studies/{category}", category))


def underscores(root):
    for category in ("CT-1", "CT-2"):
        move(root, (f"studies/{category}", f"studies/{category.replace('-', '_')}"))


def merged(root):
    move(root, ("studies/CT-2", "CT-23"))


def not_packed(root):
    for path in [*root.glob("studies/*/study*"), *root.glob("masks/study*")]:
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()


def kaggle(root):
    """A folder around everything, a folder named as each file, masks in masks."""
    inner = "COVID19_1110 (1)/mosmeddata"
    for path in [*root.glob("studies/*/study*"), *root.glob("masks/study*")]:
        name = path.relative_to(root).with_suffix("").as_posix().replace("_split", "")
        (root / inner / name).mkdir(parents=True, exist_ok=True)
        (root / inner / name / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    move(root, (REGISTRY, f"{inner}/{REGISTRY}"))
    for emptied in ("studies", "masks"):
        shutil.rmtree(root / emptied)


def csv_with_mark(root):
    lines = "\r\n".join(",".join(map(str, row)) for row in ROWS)
    (root / "dataset_registry.csv").write_bytes(b"\xef\xbb\xbf" + lines.encode() + b"\r\n")
    without_registry(root)


def flat(root):
    for path in [*root.glob("studies/*/study*"), *root.glob("masks/study*")]:
        path.rename(root / path.name)


@pytest.mark.parametrize(
    ("change", "variant"),
    [
        (categories_under_the_root, "4 studies in CT-1, CT-2"),
        (underscores, "studies/CT_1, studies/CT_2"),
        (merged, "4 studies in CT-23, studies/CT-1"),
        (not_packed, "4 studies (4 not packed) in"),
        (kaggle, f"registry COVID19_1110 (1)/mosmeddata/{REGISTRY}"),
        (csv_with_mark, "registry dataset_registry.csv"),
        (without_registry, "no registry"),
        (flat, "4 studies in the root"),
    ],
)
def test_mirrors(root, out, change, variant):
    """The same cases, categories, masks and corrections whatever the layout."""
    expected = open_dataset(root)
    change(root)
    dataset = open_dataset(root)
    assert isinstance(dataset, MosMed)
    assert facts(dataset) == facts(expected)
    assert variant in told(dataset.problems(), "layout").text
    for case in (A, B, BARE, MOVED):
        np.testing.assert_array_equal(dataset.volume(case).voxels, display(voxels(int(case[-4:]))))
        assert reading_of(dataset, case).answers["category"] == (
            "CT-3" if case == MOVED else "CT-1",
        )
    np.testing.assert_array_equal(mask_of(dataset, A).labels, display(lesions(255)))
    assert names_of(dataset, A) == (["opacities", "opacity types"])
    edit = painted(reading_of(dataset, B), "opacities", (0, 0, 0), 1)
    (path,) = dataset.write(B, [edit], out)
    name = path.relative_to(out)
    assert np.argwhere(stored(path) != stored(root / name)).tolist() == [[0, 7, 5]]
    assert set(tree(out)) == {p.as_posix() for p in dataset.annotation_files()}
    assert compare(reading_of(dataset, B, at=out), edit) == compare(edit, edit)
    (found,) = dataset.compare(root, out)
    assert (found.case, found.reading.masks) == (B, (MaskChange("opacities", 0, 1),))


def test_masks_alone_and_registry_alone(root):
    shutil.rmtree(root / "studies")
    dataset = open_dataset(root)
    assert list(facts(dataset)) == [A, B]
    assert told(dataset.problems(), "3 of the 5 studies of the registry")
    shutil.rmtree(root / "masks")
    empty = open_dataset(root)
    assert isinstance(empty, MosMed)
    assert list(empty.cases()) == []
    assert told(empty.problems(), "5 of the 5 studies of the registry are not here.")


def test_masks_without_registry_or_anything(root, tmp_path):
    """Kaggle's folder of masks alone is a dataset; beside the rest it is a part of one."""
    alone = shutil.copytree(root / "masks", tmp_path / "download" / "masks")
    assert MosMed.missing(alone) == []
    assert list(facts(open_dataset(alone))) == [A, B]
    assert "beside masks" in MosMed.missing(root / "masks")[0]
    assert MosMed.missing(root / "studies" / "CT-1")


def test_merged_folder_without_registry_is_not_guessed(root):
    merged(root)
    without_registry(root)
    (root / CORRECTIONS).unlink()
    dataset = open_dataset(root)
    assert facts(dataset)[MOVED]["Category"] == "CT-2 or CT-3"
    assert reading_of(dataset, MOVED).answers == {"category": ()}
    told(dataset.problems(), "There is no dataset_registry.xlsx")


@pytest.mark.parametrize("content", [b"", b"PK\3\4 cut", workbook((("id", "class"), (1, "CT-0")))])
def test_unusable_registry_is_told_and_the_next_one_used(root, content):
    csv_with_mark(root)
    (root / REGISTRY).write_bytes(content)
    dataset = open_dataset(root)
    assert told(dataset.problems(), "This registry is not used").files == (REGISTRY,)
    assert told(dataset.problems(), "registry dataset_registry.csv")
    (root / "dataset_registry.csv").unlink()
    assert facts(open_dataset(root))[A] == {"Category": "CT-1", "Mask": "yes"}


def test_odd_rows_of_the_registry(root):
    write_registry(root, (*ROWS, ("total", "", "", ""), (256, "CT-4", "", ""), (300, "?", "", "")))
    dataset = open_dataset(root)
    told(dataset.problems(), "1 of the registry's 8 rows name no study")
    told(dataset.problems(), "1 rows of the registry repeat a study")
    told(dataset.problems(), "1 rows of the registry have no category")
    assert facts(dataset)[B]["Category"] == "CT-1"


def test_big_foreign_folders_are_turned_away_without_reading(tmp_path):
    """No file is opened, no deep folder walked."""
    for n in range(300):
        (tmp_path / f"sub-S{n:05}" / "ses-E1" / "mod-rx").mkdir(parents=True)
    save(tmp_path / "a" / "b" / "masks" / "study_0255_mask.nii.gz", lesions(255))
    (tmp_path / "COVID-19 subjects" / "P001").mkdir(parents=True)
    assert "study_0255" in MosMed.missing(tmp_path)[0]


def test_a_folder_of_datasets_is_none(root, tmp_path):
    """An archive around the dataset is it; a folder with other things beside it is not."""
    assert MosMed.missing(tmp_path) == []
    (tmp_path / "holiday").mkdir()
    assert MosMed.missing(tmp_path)


def test_case_list_opens_no_image(root):
    for name in (STUDY_A, MASK_A, MASK_B, SPLIT_A):
        (root / name).write_bytes(b"not an image")
    assert facts(open_dataset(root))[A] == {"Category": "CT-1", "Mask": "yes"}


# Contradictions


def test_study_in_another_folder_than_registered(root):
    move(root, (STUDY_A, "studies/CT-2/study_0255.nii.gz"))
    dataset = open_dataset(root)
    assert facts(dataset)[A] == {"Category": "CT-2", "Mask": "yes", "Folder": "studies/CT-2"}
    problem = told(dataset.problems(A), "The registry says CT-1, the folder says CT-2")
    assert problem.level == "warning"
    assert reading_of(dataset, A).answers == {"category": ("CT-2",)}


def test_registered_mask_that_is_not_here_and_the_reverse(root):
    (root / MASK_A).rename(root / NEW_MASK)
    dataset = open_dataset(root)
    gone = told(dataset.problems(A), "/masks/study_0255_mask.nii.gz; it is not here")
    assert gone.level == "warning"
    assert told(dataset.problems(A), "the mask that it splits").level == "error"
    assert told(dataset.problems(BARE), "does not know this mask").files == (NEW_MASK,)
    write_registry(root, ROWS[:3])
    told(open_dataset(root).problems(BARE), "does not know this study")


def test_two_files_for_one_number(root):
    """The registered one is used, else the first; empty ones are passed over."""
    (root / "a").mkdir()
    shutil.copy(root / "studies/CT-1/study_0256.nii.gz", root / "a" / "study_0255.nii.gz")
    save(root / "a" / "study_0256_mask.nii", lesions(255))
    (root / "a" / "study_0257.nii").touch()
    dataset = open_dataset(root)
    assert STUDY_A in told(dataset.problems(A), "More than one file holds this study").text
    assert MASK_B in told(dataset.problems(B), "More than one file holds this mask").text
    np.testing.assert_array_equal(dataset.volume(A).voxels, display(voxels(255)))
    assert dataset.problems(BARE) == []
    assert told(dataset.problems(), "without content").files == ("a/study_0257.nii",)
    without_registry(root)
    assert "a/study_0255.nii.gz is used" in str(open_dataset(root).problems(A))


def test_a_copy_further_down_is_not_taken_for_the_mask(root):
    shutil.copytree(root / "masks", root / "backup" / "masks")
    dataset = open_dataset(root)
    assert f"{MASK_B} is used" in str(dataset.problems(B))
    assert dict(dataset.about(B)[1].rows)["Mask"] == MASK_B
    assert len(dataset.annotation_files()) == 2 * 3 + 1


def test_registered_paths_are_never_opened(root, tmp_path):
    """Leading slashes and dots lead nowhere."""
    outside = tmp_path / "study_0255.nii.gz"
    shutil.copy(root / "studies/CT-1/study_0256.nii.gz", outside)
    rows = [list(row) for row in ROWS]
    rows[2][2:] = [str(outside), "/../../masks/study_0255_mask.nii.gz"]
    write_registry(root, rows)
    dataset = open_dataset(root)
    np.testing.assert_array_equal(dataset.volume(A).voxels, display(voxels(255)))
    assert names_of(dataset, A) == ["opacities", "opacity types"]
    (root / STUDY_A).unlink()
    assert "The study of this mask is not here" in str(open_dataset(root).problems(A))


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_out_of_the_dataset_are_not_read(root, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.move(root / MASK_A, elsewhere / "mask.nii.gz")
    (root / MASK_A).symlink_to(elsewhere / "mask.nii.gz")
    save(elsewhere / "study_0001.nii.gz", voxels(1))
    (root / "studies" / "CT-0").symlink_to(elsewhere)
    (root / "studies" / "loop").symlink_to(root)
    dataset = open_dataset(root)
    assert list(facts(dataset)) == [A, B, BARE, MOVED]
    assert told(dataset.problems(), "leads outside").files == (MASK_A,)
    assert names_of(dataset, A) == []
    assert MASK_A not in {path.as_posix() for path in dataset.annotation_files()}


# Masks and studies that cannot be used


def test_mask_without_its_study_is_shown_on_air(root):
    (root / STUDY_A).unlink()
    dataset = open_dataset(root)
    volume = dataset.volume(A)
    assert volume.voxels.dtype == np.int16
    assert np.unique(volume.voxels).tolist() == [-1024]
    assert volume.voxels.shape == mask_of(dataset, A).labels.shape
    np.testing.assert_allclose(volume.grid.affine, dataset.volume(B).grid.affine)
    assert next(dataset.stream(A, first=1).slices) == 1
    assert told(dataset.problems(A), "shown on air").level == "warning"


def test_neither_study_nor_mask(root):
    dataset = open_dataset(root)
    for case in ("study_0001", "study_9999", "P001"):
        with pytest.raises(ReadError, match="neither the study nor a mask"):
            dataset.stream(case)


def test_unreadable_mask_is_left_out_and_kept(root, out):
    (root / MASK_A).write_bytes(b"\x1f\x8b damaged")
    dataset = open_dataset(root)
    assert names_of(dataset, A) == []
    assert told(dataset.problems(A), "The mask is not shown").level == "error"
    assert dataset.offers(A, reading_of(dataset, A)) == ()
    assert dataset.write(A, dataset.readings(A), out) == []
    assert (out / MASK_A).read_bytes() == b"\x1f\x8b damaged"
    begun = Mask("opacities", np.ones(SHAPE[::-1], np.uint8), mask_of(dataset, B).segments)
    with pytest.raises(SaveError, match="cannot be corrected"):
        dataset.write(A, [replace(reading_of(dataset, A), masks=(begun,))], out)
    dataset.write(B, [paint_one(reading_of(dataset, B))], out)
    assert len(dataset.compare(root, out)) == 1


@pytest.mark.parametrize("how", ["shape", "place", "mirrored"])
def test_mask_on_another_grid_is_refused(root, out, how):
    """It names both, and cannot be written; a mask turned around is not taken for right."""
    placed, labels = affine(), lesions(255)
    if how == "shape":
        labels = labels[:, :, :5]
    if how == "place":
        placed[2, 3] += 8
    if how == "mirrored":
        placed[0] *= -1
    shown = mask_of(open_dataset(root), A)
    save(root / MASK_A, labels, placed=placed)
    dataset = open_dataset(root)
    assert names_of(dataset, A) == []
    problem = told(dataset.problems(A), "on the grid of its study")
    assert problem.level == "error"
    for word in ("study_0255_mask", "study_0255.nii", "shape" if how == "shape" else "affines"):
        assert word in problem.text
    with pytest.raises(SaveError, match="on the grid of its study"):
        dataset.write(A, [replace(reading_of(dataset, A), masks=(shown,))], out)
    assert dataset.write(A, [answered(reading_of(dataset, A), "CT-4")], out) == [out / CORRECTIONS]


def test_other_values_are_shown_and_reported(root, out):
    labels = lesions(256)
    labels[0, 0, 0], labels[0, 1, 0] = 2, 300
    save(root / MASK_B, labels)
    dataset = open_dataset(root)
    mask = mask_of(dataset, B)
    assert [(s.value, s.name) for s in mask.segments[1:]] == [(2, "value 2"), (300, "value 300")]
    assert mask.labels.dtype == np.uint16
    assert told(dataset.problems(B), "found 2, 300 too").level == "warning"
    assert dataset.offers(B, reading_of(dataset, B)) == ()
    (path,) = dataset.write(B, [painted(reading_of(dataset, B), "opacities", (0, 0, 0), 2)], out)
    assert np.argwhere(stored(path) != labels).tolist() == [[0, 7, 5]]
    with pytest.raises(SaveError, match="holds 7"):
        dataset.write(B, [painted(reading_of(dataset, B), "opacities", (0, 0, 0), 7)], out)


def test_a_volume_named_like_a_mask_is_no_mask(root):
    save(root / MASK_B, np.arange(np.prod(SHAPE)).reshape(SHAPE))
    dataset = open_dataset(root)
    assert names_of(dataset, B) == []
    told(dataset.problems(B), "expected a mask of 0 and 1")


def test_the_binary_mask_is_right_where_the_split_disagrees(root, out):
    split = np.where(lesions(255) == 1, 2, 0)
    split[0, 0, 0] = 1  # outside
    split[1, 2, 3] = 0  # not told
    save(root / SPLIT_A, split)
    dataset = open_dataset(root)
    expected = np.where(lesions(255) == 1, 2, 0)
    expected[1, 2, 3] = 3
    np.testing.assert_array_equal(mask_of(dataset, A, "opacity types").labels, display(expected))
    assert told(dataset.problems(A), "disagree on 2 voxels").level == "warning"
    assert dataset.write(A, dataset.readings(A), out) == []
    edit = paint_one(reading_of(dataset, A))
    dataset.write(A, [edit], out)
    changed = {**painted_records(A), (SPLIT_A, 0, 7, 5): 2}
    assert differing(root, out) == changed  # and the disagreement stays as it was
    assert not compare(edit, reading_of(dataset, A, at=out))


@pytest.mark.parametrize("how", ["value", "grid", "damaged"])
def test_unusable_split_is_left_out_and_kept(root, out, how):
    if how == "value":
        save(root / SPLIT_A, lesions(255) * 4)
    if how == "grid":
        save(root / SPLIT_A, lesions(255)[:, :, :4])
    if how == "damaged":
        (root / SPLIT_A).write_bytes(b"damaged")
    dataset = open_dataset(root)
    assert names_of(dataset, A) == ["opacities"]
    assert told(dataset.problems(A), "split mask is not shown").level == "error"
    assert dataset.offers(A, reading_of(dataset, A)) == ()
    before = (root / SPLIT_A).read_bytes()
    dataset.write(A, [painted(reading_of(dataset, A), "opacities", (0, 0, 0), 1)], out)
    assert (out / SPLIT_A).read_bytes() == before
    assert len(dataset.compare(root, out)) == 1


@pytest.mark.parametrize("study", [b"", b"damaged"])
def test_unreadable_study(root, study):
    (root / STUDY_A).write_bytes(study)
    dataset = open_dataset(root)
    with pytest.raises(ReadError):
        dataset.volume(A)
    assert told(dataset.problems(A), "The image cannot be shown").level == "error"
    assert dataset.volume(B).voxels.size


def test_study_that_lies_nowhere_is_told(root):
    content = bytearray(nifti(voxels(257)))
    content[252:256] = bytes(4)  # qform_code, sform_code
    path = root / "studies/CT-1/study_0257.nii.gz"
    path.write_bytes(packed(bytes(content), "study_0257.nii"))
    assert told(open_dataset(root).problems(BARE), "where it lies").level == "warning"


# New masks


def test_a_new_mask_is_made_like_its_study(root, out):
    dataset = open_dataset(root)
    labels = np.zeros(SHAPE[::-1], np.uint8)
    labels[1, 2, 3] = 1
    reading = added(dataset, BARE, "opacities", labels)
    assert dataset.write(BARE, [reading], out) == [out / NEW_MASK]
    mask, study = nib.load(out / NEW_MASK), nib.load(root / "studies/CT-1/study_0257.nii.gz")
    np.testing.assert_array_equal(mask.affine, study.affine)
    assert mask.header.get_data_dtype() == np.int16
    assert np.argwhere(stored(out / NEW_MASK)).tolist() == [[3, 7 - 2, 5 - 1]]
    for name in (MASK_A, MASK_B, SPLIT_A, CORRECTIONS):
        assert (out / name).read_bytes() == (root / name).read_bytes()
    (found,) = dataset.compare(root, out)
    assert found.reading.masks == (MaskChange("opacities", 1, 1),)
    assert not compare(reading, reading_of(dataset, BARE, at=out))


def test_a_new_mask_goes_where_the_others_are(root, out):
    move(root, ("masks", "annotations/lesions"))
    dataset = open_dataset(root)
    reading = added(dataset, BARE, "opacities", np.ones(SHAPE[::-1], np.uint8))
    (path,) = dataset.write(BARE, [reading], out)
    assert path == out / "annotations/lesions/study_0257_mask.nii.gz"


def test_a_new_mask_goes_into_no_folder_that_is_named_as_a_file(root, out):
    kaggle(root)
    dataset = open_dataset(root)
    reading = added(dataset, BARE, "opacities", np.ones(SHAPE[::-1], np.uint8))
    (path,) = dataset.write(BARE, [reading], out)
    assert path == out / "COVID19_1110 (1)/mosmeddata/masks/study_0257_mask.nii.gz"


def test_an_empty_new_mask_writes_nothing(root, out):
    dataset = open_dataset(root)
    assert dataset.write(BARE, [added(dataset, BARE, "opacities")], out) == []
    assert not (out / NEW_MASK).exists()


def test_a_new_split_is_a_file_of_its_own(root, out):
    """The binary mask keeps its bytes; the new file lies on its grid."""
    dataset = open_dataset(root)
    reading = added(dataset, B, "opacity types")
    z, y, x = np.argwhere(reading.masks[0].labels)[0]
    reading = painted(reading, "opacity types", (z, y, x), 2)
    assert dataset.write(B, [reading], out) == [out / NEW_SPLIT]
    assert (out / MASK_B).read_bytes() == (root / MASK_B).read_bytes()
    expected = lesions(256) * 3
    expected[x, 7 - y, 5 - z] = 2
    np.testing.assert_array_equal(stored(out / NEW_SPLIT), expected)
    np.testing.assert_array_equal(nib.load(out / NEW_SPLIT).affine, nib.load(out / MASK_B).affine)
    assert not compare(reading, reading_of(dataset, B, at=out))
    assert sum(m.voxels for m in dataset.compare(root, out)[0].reading.masks) == lesions(256).sum()


@pytest.mark.parametrize("into", ["out", "root"])
def test_an_added_mask_can_be_taken_back(root, out, tmp_path, into):
    """Its file stays, empty; what it split is as it was; it is offered again."""
    dataset, target = open_dataset(root), root if into == "root" else out
    was = reading_of(dataset, B)
    new = added(dataset, B, "opacity types")
    dataset.write(B, [new], target)
    before = shutil.copytree(target, tmp_path / "before")
    dataset.write(B, [was], target)
    assert dataset.compare(before, target)[0].reading == compare(new, was)
    assert not stored(target / NEW_SPLIT).any()
    assert names_of(dataset, B, at=target) == ["opacities"]
    assert open_dataset(root).problems(B) == []
    assert [offer.name for offer in dataset.offers(B, was)] == ["opacity types"]
    dataset.write(B, [new], target)
    np.testing.assert_array_equal(stored(target / NEW_SPLIT), lesions(256) * 3)


def test_a_mask_of_the_release_is_not_left_out(root, out):
    dataset = open_dataset(root)
    with pytest.raises(SaveError, match="a mask of the release"):
        dataset.write(B, [replace(reading_of(dataset, B), masks=())], out)
    assert not out.exists()


# Saving


def test_one_voxel_changes_one_voxel_and_no_byte_of_any_header(root, out):
    dataset = open_dataset(root)
    dataset.write(B, [painted(reading_of(dataset, B), "opacities", (2, 3, 4), 1)], out)
    was, now = ((folder / MASK_B).read_bytes() for folder in (root, out))
    plain, edited = gzip.decompress(was), gzip.decompress(now)
    # The 16-bit number at i=4, j=7-3, k=5-2 and no other byte.
    at = 352 + 2 * (4 + 10 * (4 + 8 * 3))
    assert edited == plain[:at] + b"\1\0" + plain[at + 2 :]
    assert now[:30] == was[:30]
    assert set(tree(out)) == {MASK_A, MASK_B, SPLIT_A, CORRECTIONS}


def test_an_edit_taken_back_gives_the_files_of_the_dataset_again(root, out):
    """However they were packed, and however the table was quoted."""
    content = gzip.compress(gzip.decompress((root / MASK_B).read_bytes()), 9)
    (root / MASK_B).write_bytes(content)
    (root / CORRECTIONS).write_text('study_id,category,corrected_category\n"939",CT-2,"CT-3"\n')
    dataset = open_dataset(root)
    was = reading_of(dataset, B)
    dataset.write(B, [answered(paint_one(was), "CT-0")], out)
    assert (out / MASK_B).read_bytes() != content
    assert dataset.write(B, [was], out) == [out / CORRECTIONS, out / MASK_B]
    for name in (MASK_B, CORRECTIONS):
        assert (out / name).read_bytes() == (root / name).read_bytes()


def test_masks_that_disagree_are_refused(root, out):
    dataset = open_dataset(root)
    for name in ("opacities", "opacity types"):
        with pytest.raises(SaveError, match="mark different voxels, 1 of them"):
            dataset.write(A, [painted(reading_of(dataset, A), name, (0, 0, 0), 1)], out)
    only = reading_of(dataset, A).masks[1:]
    with pytest.raises(SaveError, match="which is missing"):
        dataset.write(A, [replace(reading_of(dataset, A), masks=only)], out)
    assert not out.exists()


def test_what_there_is_no_room_for_is_refused(root, out):
    dataset = open_dataset(root)
    reading = reading_of(dataset, B)
    wrong = replace(reading.masks[0], labels=reading.masks[0].labels[1:])
    other = Mask("lung", reading.masks[0].labels, reading.masks[0].segments)
    for bad, match in (
        (Reading("you", reading.masks), "one reader"),
        (replace(reading, masks=(wrong,)), "of the shape"),
        (replace(reading, masks=(*reading.masks, other)), "no mask lung"),
        (answered(reading, "CT-5"), "one category"),
        (answered(reading, "CT-1", "CT-2"), "one category"),
    ):
        with pytest.raises(SaveError, match=match):
            dataset.write(B, [bad], out)
    assert not out.exists()
    assert dataset.new_reader() is None


def test_a_mask_that_came_or_changed_meanwhile_is_not_overwritten(root, out):
    dataset = open_dataset(root)
    reading = reading_of(dataset, B)
    save(root / NEW_MASK, lesions(257))
    with pytest.raises(ChangedOnDiskError) as error:
        dataset.write(B, [paint_one(reading)], out)
    assert error.value.path == root / NEW_MASK
    (root / NEW_MASK).unlink()
    save(root / MASK_B, lesions(255))
    with pytest.raises(ChangedOnDiskError):
        dataset.write(B, [paint_one(reading)], root)
    assert not out.exists()


def test_mask_that_may_not_be_read_stops_no_other_case(root, out, monkeypatch):
    """Locked by another program, or of another user."""
    real = os.access
    monkeypatch.setattr(os, "access", lambda p, m: not str(p).endswith(MASK_A) and real(p, m))
    dataset = open_dataset(root)
    proof = export_readings(dataset, {B: [paint_one(reading_of(dataset, B))]}, out)
    assert proof.holds
    assert not (out / MASK_A).exists()


# Categories


def test_a_corrected_category_goes_to_a_table_of_its_own(root, out):
    dataset = open_dataset(root)
    registry = (root / REGISTRY).read_bytes()
    reading = answered(reading_of(dataset, A), "CT-4")
    assert dataset.write(A, [reading], out) == [out / CORRECTIONS]
    assert (out / CORRECTIONS).read_text() == (
        "study_id,category,corrected_category\n255,CT-1,CT-4\n939,CT-2,CT-3\n"
    )
    (found,) = dataset.compare(root, out)
    assert found.reading.answers == (AnswerChange("category", ("CT-1",), ("CT-4",)),)
    assert reading_of(dataset, A, at=out).answers == reading.answers
    dataset.write(A, [reading], root)
    assert facts(dataset)[A]["Category"] == facts(open_dataset(root))[A]["Category"] == "CT-4"
    assert (root / REGISTRY).read_bytes() == registry


def test_a_correction_that_is_taken_back_leaves_the_header(root, out):
    (root / CORRECTIONS).unlink()
    dataset = open_dataset(root)
    was = reading_of(dataset, A)
    dataset.write(A, [answered(was, "CT-0")], out)
    dataset.write(A, [was], out)
    assert (out / CORRECTIONS).read_bytes() == b"study_id,category,corrected_category\n"
    assert dataset.compare(root, out) == ()


def test_an_answer_can_be_taken_away_and_given_where_there_was_none(root, out):
    merged(root)
    without_registry(root)
    (root / CORRECTIONS).unlink()
    dataset = open_dataset(root)
    dataset.write(A, [answered(reading_of(dataset, A))], out)
    dataset.write(MOVED, [answered(reading_of(dataset, MOVED), "CT-2")], out)
    assert (out / CORRECTIONS).read_text().splitlines()[1:] == ["255,CT-1,", "939,,CT-2"]
    assert reading_of(dataset, A, at=out).answers == {"category": ()}
    assert reading_of(dataset, MOVED, at=out).answers == {"category": ("CT-2",)}


def test_other_rows_and_columns_of_the_table_stay(root, out):
    (root / CORRECTIONS).write_bytes(
        b"\xef\xbb\xbfstudy_id,category,corrected_category,note\r\n"
        b'0939,CT-2,CT-3,"seen, twice"\r\nlast,x,y,z\r\n12,CT-0,CT-9,\r\n'
    )
    dataset = open_dataset(root)
    assert told(dataset.problems(), "2 rows of corrected categories").level == "warning"
    dataset.write(A, [answered(reading_of(dataset, A), "CT-0")], out)
    assert (out / CORRECTIONS).read_bytes() == (
        b"\xef\xbb\xbfstudy_id,category,corrected_category,note\r\n12,CT-0,CT-9,\r\n"
        b'255,CT-1,CT-0\r\n0939,CT-2,CT-3,"seen, twice"\r\nlast,x,y,z\r\n'
    )


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\xff\xfe\0", b'study_id,"'])
def test_a_table_that_is_another_is_told_and_kept(root, out, content):
    (root / CORRECTIONS).write_bytes(content)
    dataset = open_dataset(root)
    assert told(dataset.problems(), "Corrected categories are not shown").level == "error"
    assert facts(dataset)[MOVED]["Category"] == "CT-2"
    with pytest.raises(SaveError, match="move the file away"):
        dataset.write(A, [answered(reading_of(dataset, A), "CT-0")], out)
    dataset.write(B, [paint_one(reading_of(dataset, B))], out)
    assert (out / CORRECTIONS).read_bytes() == content


# Comparing and proving


def test_compare_refuses_what_no_correction_does(root, out):
    dataset = open_dataset(root)
    dataset.write(B, [paint_one(reading_of(dataset, B))], out)
    good = (out / MASK_B).read_bytes()
    plain = gzip.decompress(good)
    for bad, match in (
        (packed(plain[:60] + b"\1" + plain[61:], "study_0256_mask.nii"), "more than voxels"),
        (gzip.compress(plain), "more than voxels"),
        (packed(plain + b"more", "study_0256_mask.nii"), "more than voxels"),
        (good + b"more", "more than voxels"),
        (good[:-20], "0256"),
        (b"", "0256"),
    ):
        (out / MASK_B).write_bytes(bad)
        with pytest.raises(ReadError, match=match):
            dataset.compare(root, out)
    (out / MASK_B).unlink()
    with pytest.raises(ReadError, match="is gone"):
        dataset.compare(root, out)


def test_exports_of_several_sessions_are_proved_and_add_up(root, out):
    for case, name in ((A, MASK_A), (B, MASK_B)):
        dataset = open_dataset(root)
        was = reading_of(dataset, case)
        proof = export_readings(dataset, {case: [Correction(was, paint_one(was))]}, out)
        assert proof.holds
        assert name in proof.changed_files
        assert MASK_A in (*proof.changed_files, *proof.identical_files)
    assert differing(root, out) == painted_records(A) | painted_records(B)
    assert {change.case for change in proof.since_dataset} == {A, B}
    was = reading_of(dataset, A)
    after = answered(added(dataset, BARE, "opacities", np.ones(SHAPE[::-1], np.uint8)), "CT-2")
    mixed = {BARE: [Correction(reading_of(dataset, BARE), after)]}
    proof = export_readings(dataset, mixed, out)
    assert proof.holds
    assert set(proof.changed_files) == {NEW_MASK, CORRECTIONS}


def test_write_back_is_proved(root):
    dataset = open_dataset(root)
    after = answered(added(dataset, B, "opacity types"), "CT-3")
    before = tree(root)
    proof = write_back(dataset, {B: [Correction(reading_of(dataset, B), after)]})
    assert proof.holds
    changed = {name for name, content in tree(root).items() if before.get(name) != content}
    assert changed == {NEW_SPLIT, CORRECTIONS} == set(proof.changed_files)
    assert dataset.problems(B) == []
    assert facts(dataset)[B]["Category"] == "CT-3"
    assert names_of(dataset, B) == ["opacities", "opacity types"]


# The published masks and registry


@pytest.fixture
def real(pytestconfig, tmp_path):
    """A copy of the published masks and registry, so that nothing lands beside them."""
    folder = pytestconfig.rootpath.parent / "shared" / "data" / "mosmed"
    if not folder.is_dir():
        pytest.skip("the published MosMedData masks are not beside the project")
    return shutil.copytree(folder, tmp_path / "real")


def test_real_masks_and_registry(real):
    dataset = open_dataset(real)
    expected = {255: 45526, 256: 41741, 257: 7698, 287: 98, 297: 109454}
    assert facts(dataset) == {
        f"study_{n:04}": {"Category": "CT-1", "Mask": "yes"} for n in expected
    }
    told(dataset.problems(), "1,105 of the 1,110 studies of the registry are not here")
    for number, positives in expected.items():
        mask = mask_of(dataset, f"study_{number:04}")
        array = stored(real / MASK.format(f"{number:04}"))
        assert int(np.count_nonzero(mask.labels)) == int(np.count_nonzero(array)) == positives
        # What every public loader does: rows are the reversed second axis, slices from the feet.
        for z in (0, 10, 20):
            np.testing.assert_array_equal(mask.labels[-1 - z], np.rot90(array[:, :, z]))
        grid = dataset.stream(f"study_{number:04}").volume.grid
        assert grid.spacing[0] == pytest.approx(8)
        assert grid.affine[2, 0] == pytest.approx(-8)


def test_real_one_voxel_export_is_proved(real, out):
    dataset = open_dataset(real)
    case = "study_0287"
    reading = reading_of(dataset, case)
    edit = painted(reading, "opacities", (3, 200, 300), 1)
    proof = export_readings(dataset, {case: [Correction(reading, edit)]}, out)
    assert proof.holds
    assert proof.changed_files == (MASK.format("0287"),)
    for path in sorted((real / "masks").iterdir()):
        was, now = path.read_bytes(), (out / "masks" / path.name).read_bytes()
        if path.name != "study_0287_mask.nii.gz":
            assert now == was
            continue
        plain, edited = gzip.decompress(was), gzip.decompress(now)
        assert sum(a != b for a, b in zip(plain, edited, strict=True)) == 1
        assert now[:33] == was[:33]  # the gzip header with its name and time
    proof = export_readings(dataset, {case: [reading]}, out)
    assert proof.holds
    assert tree(out) == {f"masks/{p.name}": p.read_bytes() for p in (real / "masks").iterdir()}
    unedited = dataset.write(case, [reading], real)
    assert unedited == []
