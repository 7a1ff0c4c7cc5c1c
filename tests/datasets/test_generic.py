"""Folders of images: which images are cases, whose masks are whose, and what is refused."""

import gzip
import os
import shutil
import warnings

import covid_ct_md_sample
import generic_sample
import nibabel as nib
import numpy as np
import pytest
from dicom_samples import write_slice, write_stack
from generic_sample import (
    BESIDE,
    MASKS,
    NIFTI_AFFINE,
    P01,
    P02,
    P03,
    P03_2,
    P04,
    SEGMENTS,
    SHAPE,
    dicom_affine,
    labels,
    make_nifti,
    make_series,
    save,
)

from napari_chest import findings, open_dataset
from napari_chest.changes import Correction, MaskChange
from napari_chest.datasets.generic import Generic, listing, walk
from napari_chest.errors import (
    ChangedOnDiskError,
    ReadError,
    SaveError,
    UnknownDatasetError,
)
from napari_chest.export import export_readings
from napari_chest.model import Mask, Reading, Segment

VOXEL = {"Voxel": "0.8 x 0.7 x 2.5 mm"}
NO_PLACE = {"ImagePositionPatient": None, "ImageOrientationPatient": None, "SliceLocation": None}


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    return generic_sample.build(tmp_path_factory.mktemp("generic"))


@pytest.fixture
def root(made, tmp_path):
    return shutil.copytree(made, tmp_path / "hospital")


@pytest.fixture
def empty(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    return folder


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def ids(folder):
    return [case.id for case in Generic(folder).cases()]


def told(problems, word):
    """The one problem whose text holds the word."""
    found = [problem for problem in problems if word in str(problem)]
    assert len(found) == 1, [str(p) for p in problems]
    return found[0]


def masks_of(dataset, case, at=None):
    (reading,) = dataset.readings(case, at=at)
    return {mask.name: mask for mask in reading.masks}


def stored(path):
    """Stored numbers and affine by nibabel."""
    image = nib.load(path)
    return np.asanyarray(image.dataobj), image.affine


def begun(dataset, case, voxels):
    """The case's reading with a new mask of findings that is 2 at these voxels (z, y, x)."""
    (reading,) = dataset.readings(case)
    (offer,) = dataset.offers(case, reading)
    painted = np.zeros(dataset.stream(case).volume.grid.shape, np.uint8)
    painted[tuple(np.transpose(voxels))] = 2
    return Reading("annotator", (*reading.masks, Mask(offer.name, painted, offer.segments)))


# Cases


def test_every_series_and_every_nifti_image_is_a_case(root):
    """Masks, our own folder and what is no image are none."""
    cases = open_dataset(root).cases()
    assert [case.id for case in cases] == [P01, P02, P03, P03_2, P04]
    assert [case.title for case in cases] == ["p01", "ct", "p03", "p03_2", "view"]
    assert [case.modality for case in cases] == ["CT", "CT", "CT", "CT", "DX"]
    assert [case.facts["Slices"] for case in cases] == ["5", "5", "5", "5", "1"]
    assert [case.facts["Mask"] for case in cases] == ["yes"] * 5
    assert [case.facts.get("Series") for case in cases] == ["Thorax", None, *["Thorax"] * 3]
    assert [case.facts.get("Kernel") for case in cases][2:4] == ["B70f", "B30f"]


def test_nobody_is_named(root):
    """Neither the Patient's Name nor ID is in what is shown or written."""
    dataset = open_dataset(root)
    shown = repr([(c, dataset.about(c.id), dataset.problems(c.id)) for c in dataset.cases()])
    assert "Secret" not in shown
    assert "SECRET" not in shown


def test_series_keep_to_their_own_volume(root):
    """Two series whose files lie mixed in one folder."""
    dataset = open_dataset(root)
    make_series(root / "p03", "c", SeriesInstanceUID="9", SeriesNumber="9", numbers=[1, 2, 3])
    more = open_dataset(root)
    assert [c.id for c in more.cases() if c.id.startswith("p03")] == [P03, P03_2, "p03#3"]
    assert more.volume("p03#3").voxels.shape[0] == 3
    for case in (P03, P03_2):
        np.testing.assert_array_equal(more.volume(case).voxels, dataset.volume(case).voxels)


def test_a_radiograph_is_known_by_its_file(empty):
    """So that no other film takes its place, and its mask, when one is added."""
    for name in ("b.dcm", "d"):
        write_slice(empty / name, Modality="CR", SeriesInstanceUID=f"1.{len(name)}")
    assert ids(empty) == ["b.dcm", "d"]
    write_slice(empty / "a.dcm", Modality="CR", SeriesInstanceUID="1.0")
    assert ids(empty) == ["a.dcm", "b.dcm", "d"]
    dataset = Generic(empty)
    assert dataset.volume("d").modality == "CR"
    assert dataset._case("d").mask_files[0].path == "masks/d_mask.nii.gz"


def test_slices_in_the_root_itself_are_a_case(empty, out):
    write_stack(empty, 3)
    dataset = open_dataset(empty)
    assert ids(empty) == ["."]
    assert dataset.volume(".").voxels.shape[0] == 3
    written = dataset.write(".", [begun(dataset, ".", [(0, 0, 0)])], out)
    assert {path.name for path in written} == {"series_mask.nii.gz", "segments.csv"}


def test_cases_with_one_stem_have_masks_of_their_own(empty):
    """Also for a file system to which upper and lower case are the same."""
    make_series(empty / "a")
    make_series(empty / "a", "b", SeriesInstanceUID="2", SeriesNumber="5")
    make_series(empty / "A_2")
    make_nifti(empty / "a.nii.gz")
    make_nifti(empty / "a.nii")
    dataset = Generic(empty)
    paths = [dataset._case(case).mask_files[0].path for case in ids(empty)]
    assert len({path.casefold() for path in paths}) == len(paths) == 5
    assert dict(zip(ids(empty), paths, strict=True))["a"] == "masks/a_mask.nii.gz"
    titles = [case.title for case in dataset.cases()]
    assert len(set(titles)) == 5


def test_titles_are_as_long_as_they_must_be(empty):
    for path in ("x/one/ct.nii", "x/two/ct.nii", "y/two/ct.nii", "y/pet/lung.nii"):
        make_nifti(empty / path)
    titles = [case.title for case in Generic(empty).cases()]
    assert titles == ["one/ct", "x/two/ct", "lung", "y/two/ct"]


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"Modality": "MR"}, "MR"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "localizer"),
    ],
)
def test_other_series_are_named_and_not_shown(root, changes, word):
    make_series(root / "p03", "z", SeriesInstanceUID="7", SeriesNumber="0", **changes)
    make_series(root / "extra", SeriesInstanceUID="8", SeriesNumber="0", **changes)
    dataset = open_dataset(root)
    assert [case.id for case in dataset.cases()] == [P01, P02, P03, P03_2, P04]
    problem = told(dataset.problems(), "not shown")
    assert problem.level == "note"
    assert word in problem.text
    assert problem.files == ("extra", "p03")


def test_unreadable_files_are_named_and_stop_nothing(root):
    """A folder of damaged slices is a case that says so; text files are none."""
    (root / "p05").mkdir()
    (root / "p05" / "1.dcm").write_bytes(b"\0" * 300)
    (root / "p05" / "2.dcm").write_bytes(b"")
    (root / "p06").mkdir()
    (root / "p06" / "LICENSE").write_text("no image")
    (root / "p07.nii.gz").write_bytes(b"\x1f\x8b damaged")
    (root / "p01" / "a9.dcm").write_bytes(b"nothing")
    dataset = open_dataset(root)
    assert [case.id for case in dataset.cases()][5:] == ["p05", "p07.nii.gz"]
    for case, name in (("p05", "2.dcm"), ("p07.nii.gz", "p07.nii.gz")):
        with pytest.raises(ReadError):
            dataset.stream(case)
        assert dataset.readings(case) == ()
        problems = dataset.problems(case)
        assert problems[0].level == "error"
        assert name in str(problems)
    assert told(dataset.problems(P01), "Left out").files == ("a9.dcm",)
    assert dataset.volume(P01).voxels.shape == SHAPE


# Which folders are opened


@pytest.mark.parametrize("what", ["masks", "mr", "damaged", "text"])
def test_a_folder_without_images_is_refused(empty, what):
    if what == "masks":
        save(empty / "ct_mask.nii.gz", labels(1), NIFTI_AFFINE)
        save(empty / "masks" / "ct.nii.gz", labels(1), NIFTI_AFFINE)
    elif what == "mr":
        write_stack(empty / "mr", 2, Modality="MR")
    elif what == "damaged":
        (empty / "a.nii.gz").write_bytes(b"")
        (empty / "a.dcm").write_bytes(b"\x08\x00" * 500)
    else:
        (empty / "Makefile").write_text("all:\n")
    assert Generic.missing(empty) == ["DICOM slices (CT, CR or DX) or NIfTI images"]
    with pytest.raises(UnknownDatasetError) as error:
        open_dataset(empty)
    assert "Folder of images: DICOM slices" in str(error.value)
    assert error.value.nearby is None


def test_slices_without_preamble_are_images(empty):
    write_slice(empty / "IM1")
    content = (empty / "IM1").read_bytes()
    (empty / "IM1").write_bytes(content[132:])
    assert Generic.missing(empty) == []
    assert Generic(empty).volume("IM1").voxels.shape[0] == 1


def test_the_search_for_images_ends(empty, monkeypatch):
    """Neither a large, a deep nor a circular folder keeps it busy."""
    monkeypatch.setattr(walk, "MOST_LOOKED_AT", 50)
    for n in range(100):
        (empty / f"{n:03}").mkdir()
    make_nifti(empty / "099" / "ct.nii.gz")
    seen = []
    real = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: seen.append(path) or real(path))
    assert Generic.missing(empty)
    assert len(seen) == 1
    monkeypatch.setattr(walk, "MOST_LOOKED_AT", 1000)
    assert Generic.missing(empty) == []
    (empty / "099" / "ct.nii.gz").unlink()
    (empty / "loop").symlink_to(empty)
    deep = empty.joinpath(*"abcdefgh")
    deep.mkdir(parents=True)
    make_nifti(deep / "ct.nii.gz")
    assert Generic.missing(empty)
    make_nifti(empty.joinpath(*"abcdef") / "ct.nii.gz")
    dataset = open_dataset(empty)
    assert [case.id for case in dataset.cases()] == ["a/b/c/d/e/f/ct.nii.gz"]
    assert told(dataset.problems(), "levels down").files == ("a/b/c/d/e/f/g",)


def test_a_listing_that_ends_early_says_so(root, monkeypatch):
    monkeypatch.setattr(walk, "MOST_LISTED", 8)
    dataset = Generic(root)
    assert len(dataset.cases()) < 5
    assert told(dataset.problems(), "8 files and folders or more").level == "warning"


def test_many_slices_of_another_kind_are_named(root, monkeypatch):
    """Where only first headers are read, too; and damaged slices remain a case."""
    make_series(root / "p05", Modality="PT")
    (root / "p06").mkdir()
    (root / "p06" / "1.dcm").write_bytes(b"damaged")
    monkeypatch.setattr(listing, "MOST_HEADERS", 0)
    dataset = Generic(root)
    assert [case.id for case in dataset.cases()] == [P01, P02, P03, P04, "p06/1.dcm"]
    assert told(dataset.problems(), "modality PT").files == ("p05",)
    assert dataset.cases()[1].facts == {"Modality": "CT", "Mask": "yes"}
    with pytest.raises(ReadError):
        dataset.stream("p06/1.dcm")


def test_a_folder_may_be_named_like_a_series(root):
    make_series(root / P03_2)
    dataset = open_dataset(root)
    found = [case.id for case in dataset.cases()]
    assert len(set(found)) == len(found) == 6
    assert all(dataset.volume(case).voxels.size for case in found)


def test_a_folder_that_went_away_is_told(root):
    dataset = open_dataset(root)
    dataset.cases()
    shutil.rmtree(root / "p01")
    with pytest.raises(ReadError):
        dataset.stream(P01)
    assert [problem.level for problem in dataset.problems(P01)] == ["error", "error"]
    assert dataset.readings(P01) == ()
    assert dataset.readings(P02)


def test_links_are_not_followed_out(root, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    make_series(elsewhere)
    make_nifti(elsewhere / "ct.nii.gz")
    (root / "there").symlink_to(elsewhere)
    (root / "ct.nii.gz").symlink_to(elsewhere / "ct.nii.gz")
    (root / "inner.nii.gz").symlink_to(root / P02)
    dataset = open_dataset(root)
    assert [case.id for case in dataset.cases()] == ["inner.nii.gz", P01, P02, P03, P03_2, P04]
    links = [problem.files for problem in dataset.problems() if "link" in problem.text]
    assert sorted(links) == [("ct.nii.gz",), ("there",)]
    lonely = tmp_path / "lonely"
    lonely.mkdir()
    (lonely / "ct.nii.gz").symlink_to(elsewhere / "ct.nii.gz")
    assert Generic.missing(lonely)


def test_many_slices_are_listed_by_folder(root, monkeypatch):
    """Beyond a number of headers a folder is one case, and a warning names it."""
    monkeypatch.setattr(listing, "MOST_HEADERS", 16)
    dataset = Generic(root)
    cases = [case.id for case in dataset.cases()]
    assert cases == [P01, P02, P03, P04]
    assert told(dataset.problems(), "first series").files == ("p03",)
    assert dataset.cases()[1].facts == {"Slices": "5", "Modality": "CT", "Mask": "yes", **VOXEL}
    assert dataset.volume(P03).voxels.shape == SHAPE
    np.testing.assert_array_equal(masks_of(dataset, P03)["findings"].labels, labels(3))


@pytest.mark.parametrize("inner", ["Sample data", covid_ct_md_sample.P001])
def test_a_folder_inside_a_published_dataset_leads_to_it(tmp_path, inner):
    """A patient's folder alone holds images, but it was opened too deep."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        covid_ct_md_sample.build(tmp_path)
    assert Generic.missing(tmp_path / inner) == []
    with pytest.raises(UnknownDatasetError) as error:
        open_dataset(tmp_path / inner)
    assert error.value.nearby == tmp_path
    assert f"open {tmp_path} instead" in str(error.value)


def test_a_folder_that_holds_a_published_dataset_leads_to_it(root):
    """Opened one level too high, its images would lose their own labels."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        covid_ct_md_sample.build(root / "q")
    assert Generic.missing(root) == []
    with pytest.raises(UnknownDatasetError) as error:
        open_dataset(root)
    assert f"open {root / 'q'} instead" in str(error.value)
    shutil.rmtree(root / "q")
    assert type(open_dataset(root)) is Generic


# Masks that are there


def test_masks_lie_on_their_image_however_they_are_stored(root):
    """Stored from head to feet or from feet to head: shown as the image is."""
    dataset = open_dataset(root)
    for seed, case in ((1, P01), (2, P02), (3, P03), (4, P03_2)):
        np.testing.assert_array_equal(masks_of(dataset, case)["findings"].labels, labels(seed))
    np.testing.assert_array_equal(masks_of(dataset, P04)["findings"].labels, labels(5)[:1])
    np.testing.assert_array_equal(masks_of(dataset, P02)["seg"].labels, labels(6, values=(1, 7)))


def test_axes_in_another_order_are_the_same_grid(root):
    """A program that stores z first says so in the affine."""
    turned = labels(1).transpose(0, 2, 1)  # stored z, x, y
    order = dicom_affine()[:, [2, 0, 1, 3]]
    nib.save(nib.Nifti1Image(np.ascontiguousarray(turned), order), root / MASKS[P01])
    dataset = open_dataset(root)
    np.testing.assert_array_equal(masks_of(dataset, P01)["findings"].labels, labels(1))


def test_segments_are_those_of_the_table(root):
    dataset = open_dataset(root)
    known = (
        Segment(1, "Ground glass", "#56B4E9", "GG"),
        Segment(2, "Fibrosis", "#00FF00", "FI"),
        Segment(3, "Scar", "#AA0000"),
    )
    assert masks_of(dataset, P01)["findings"].segments == known
    seg = masks_of(dataset, P02)["seg"].segments
    assert seg[0] == known[0]
    assert (seg[1].value, seg[1].name) == (7, "value 7")
    (root / SEGMENTS).unlink()
    dataset = open_dataset(root)
    default = masks_of(dataset, P01)["findings"].segments
    assert [s.name for s in default[:4]] == [
        "Ground glass", "Consolidation", "Pleural effusion", "Other opacity",
    ]  # fmt: skip
    assert default[0].color == findings.GROUND_GLASS.color
    assert len({s.value for s in default}) == len({s.color for s in default}) == len(default)
    # what others call 1 is not known without a table
    assert [s.name for s in masks_of(dataset, P02)["seg"].segments] == ["value 1", "value 7"]


def test_a_bad_table_is_told_and_masks_stay(root):
    rows = ["value,name,color,code", "0,Air,,", "2,Fibrosis,green,FI", "2,Again,,", "3,,,",
            "99999999999,Far,,", "x,Y,,", "9,Stent,#00FFFF"]  # fmt: skip
    (root / SEGMENTS).write_text("\n".join(rows))
    dataset = open_dataset(root)
    found = masks_of(dataset, P01)["findings"].segments
    assert [(s.value, s.name) for s in found] == [(2, "Fibrosis"), (9, "Stent"), (1, "value 1")]
    assert all(s.color.startswith("#") and len(s.color) == 7 for s in found)
    texts = [problem.text for problem in dataset.problems()]
    assert [text.split(" is not used: ")[0][-19:] for text in texts] == [
        f"ow {n} of the structures"[-19:] for n in (1, 3, 4, 5, 6)
    ]
    moved = shutil.move(root / SEGMENTS, root.parent / "elsewhere.csv")
    (root / SEGMENTS).symlink_to(moved)
    assert "leads out" in told(open_dataset(root).problems(), "cannot be read").text
    (root / SEGMENTS).unlink()
    (root / SEGMENTS).write_text("a,b\n1,2\n")
    dataset = open_dataset(root)
    assert "found a, b" in told(dataset.problems(), "table of structures").text
    assert masks_of(dataset, P01)["findings"].segments[1].name == "Consolidation"


def test_masks_beside_an_image_go_by_their_suffix(empty):
    make_nifti(empty / "ct.nii.gz")
    for name in ("ct_mask.nii.gz", "ct-label.nii", "ct_label.nii.gz", "CT_labels.nii.gz"):
        save(empty / name, labels(1)[::-1], NIFTI_AFFINE)
    (empty / "ct-label.nii").write_bytes(
        nib.Nifti1Image(labels(1)[::-1].T.copy(), NIFTI_AFFINE).to_bytes()
    )
    save(empty / "other_seg.nii.gz", labels(1), NIFTI_AFFINE)
    save(empty / "masks" / "gone_mask.nii.gz", labels(1), NIFTI_AFFINE)
    dataset = open_dataset(empty)
    assert ids(empty) == ["ct.nii.gz"]
    assert sorted(masks_of(dataset, "ct.nii.gz")) == ["label", "label 2", "labels", "mask"]
    assert told(dataset.problems(), "no image of that name").files == ("other_seg.nii.gz",)
    assert told(dataset.problems(), "belong to no image").files == ("masks/gone_mask.nii.gz",)
    assert [
        offer.name for offer in dataset.offers("ct.nii.gz", *dataset.readings("ct.nii.gz"))
    ] == ["findings"]


@pytest.mark.parametrize("how", ["shape", "place", "spacing"])
@pytest.mark.parametrize("case", [P01, P02])
def test_a_mask_on_another_grid_is_refused(root, out, case, how):
    """It is not shown, both grids are told, and it is not overwritten."""
    array, affine = stored(root / MASKS[case])
    if how == "shape":
        array = array[:-1]
    elif how == "place":
        affine[0, 3] += 1
    else:
        affine[:3, 2] *= 1.1
    save(root / MASKS[case], array.T, affine)
    dataset = open_dataset(root)
    (reading,) = dataset.readings(case)
    assert "findings" not in {mask.name for mask in reading.masks}
    problem = told(dataset.problems(case), "another grid")
    assert problem.level == "error"
    assert problem.files == (MASKS[case],)
    assert str(SHAPE) in problem.text
    assert str(array.T.shape) in problem.text
    assert problem.text.count("affine [[") == 2
    assert dataset.offers(case, reading) == ()
    painted = Mask("findings", labels(9), ())
    with pytest.raises(SaveError, match="would overwrite one that cannot be read"):
        dataset.write(case, [Reading("annotator", (painted,))], out)
    assert not out.exists()


def test_a_mask_of_no_labels_is_refused(root):
    array, affine = stored(root / MASKS[P01])
    save(root / MASKS[P01], array.T.astype(np.float32) / 3, affine)
    dataset = open_dataset(root)
    assert masks_of(dataset, P01) == {}
    assert told(dataset.problems(P01), "not shown").files == (MASKS[P01],)
    assert masks_of(dataset, P02)


def test_a_mask_that_leads_out_is_refused(root, tmp_path):
    shutil.move(root / MASKS[P01], tmp_path / "elsewhere.nii.gz")
    (root / MASKS[P01]).symlink_to(tmp_path / "elsewhere.nii.gz")
    dataset = open_dataset(root)
    assert masks_of(dataset, P01) == {}
    assert told(dataset.problems(P01), "leads out").level == "error"
    assert MASKS[P01] not in {path.as_posix() for path in dataset.annotation_files()}


# Writing


@pytest.mark.parametrize("case", [P01, P02, P03_2, P04])
def test_a_mask_begins_on_the_grid_of_its_image(root, out, case):
    """The new file has the image's place in the patient, as nibabel reads it."""
    shutil.rmtree(root / "masks")
    dataset = open_dataset(root)
    assert dataset.cases()[0].facts["Mask"] == "no"
    z = dataset.stream(case).volume.grid.shape[0] - 1
    written = dataset.write(case, [begun(dataset, case, [(z, 1, 2)])], out)
    assert sorted(path.relative_to(out).as_posix() for path in written) == sorted(
        [MASKS[case], SEGMENTS]
    )
    array, affine = stored(out / MASKS[case])
    (voxel,) = np.argwhere(array)
    assert array[tuple(voxel)] == 2
    position = affine @ [*voxel, 1]
    source = NIFTI_AFFINE if case == P02 else dicom_affine()
    np.testing.assert_allclose(
        position, source @ [2, 1, 0 if case == P02 else z, 1], atol=1e-4
    )  # the last slice from the head is the first one stored from the feet
    assert (out / SEGMENTS).read_text().splitlines()[:3] == [
        "value,name,color,code",
        "1,Ground glass,#56B4E9,GG",
        "2,Consolidation,#E69F00,CO",
    ]
    assert not (root / "masks").exists()
    again = masks_of(dataset, case, at=out)["findings"]
    np.testing.assert_array_equal(np.argwhere(again.labels), [(z, 1, 2)])


def test_a_mask_begun_in_the_root_is_seen_at_once(root):
    shutil.rmtree(root / "masks")
    dataset = open_dataset(root)
    wanted = begun(dataset, P01, [(0, 0, 0)])
    dataset.write(P01, [wanted], root)
    (reading,) = dataset.readings(P01)
    assert [mask.name for mask in reading.masks] == ["findings"]
    assert dataset.offers(P01, reading) == ()
    assert [case.facts["Mask"] for case in dataset.cases()] == ["yes", "yes", "no", "no", "no"]
    assert dataset.write(P01, [reading], root) == []
    dataset.write(P02, [begun(dataset, P02, [(0, 0, 0)])], root)  # nobody else changed anything


@pytest.mark.parametrize(
    "changes",
    [
        {"ImageOrientationPatient": [1, 0, 0, 0, 0, -1]},
        {"ImageOrientationPatient": [0, 1, 0, 0, 0, -1]},
        {"ImageOrientationPatient": [0.8, 0.6, 0, -0.6, 0.8, 0]},
        {"ImageOrientationPatient": [1, 0, 0, 0, 0.98, -0.199]},
        NO_PLACE,
    ],
    ids=["coronal", "sagittal", "oblique", "tilted", "nowhere"],
)
def test_a_mask_comes_back_where_it_was_painted(empty, out, changes):
    """Whatever plane the series was acquired in, and also where nothing says so."""
    orientation = changes.get("ImageOrientationPatient")
    for n in range(4):
        place = {}
        if orientation is not None and orientation[5] == -1:
            place = {"ImagePositionPatient": [10 + 2.5 * n, 20 + 2.5 * n, 30]}
        write_slice(empty / f"{n}.dcm", 2.5 * n, n, **{**changes, **place})
    dataset = open_dataset(empty)
    voxels = [(0, 0, 0), (1, 2, 3), (3, 11, 9), (2, 11, 0)]
    wanted = begun(dataset, ".", voxels)
    dataset.write(".", [wanted], out)
    again = masks_of(dataset, ".", at=out)["findings"].labels
    np.testing.assert_array_equal(again, wanted.masks[0].labels)
    assert dataset.compare(empty, out)[0].reading.slices == (0, 1, 2, 3)


def test_a_mask_beside_an_image_is_corrected_in_place(root, out):
    """One voxel changes and no other byte of what is packed."""
    dataset = open_dataset(root)
    (reading,) = dataset.readings(P02)
    own, seg = reading.masks
    painted = seg.labels.copy()
    painted[4, 5, 6] = 7 if painted[4, 5, 6] != 7 else 1
    after = Reading("annotator", (own, Mask(seg.name, painted, seg.segments)))
    assert dataset.write(P02, [after], out) == [out / BESIDE]
    was, now = (gzip.decompress((folder / BESIDE).read_bytes()) for folder in (root, out))
    (where,) = [i for i, (a, b) in enumerate(zip(was, now, strict=True)) if a != b]
    assert where == 352 + np.ravel_multi_index((0, 5, 6), SHAPE)  # feet first, x fastest
    (found,) = dataset.compare(root, out)
    assert found.reading.masks == (MaskChange("seg", 4, 1),)


def test_a_mask_that_is_not_mentioned_stays(root, out):
    dataset = open_dataset(root)
    own = dataset.readings(P02)[0].masks[0]
    assert dataset.write(P02, [Reading("annotator", (own,))], out) == []
    assert (out / BESIDE).read_bytes() == (root / BESIDE).read_bytes()


def test_new_structures_are_added_to_the_table(root, out):
    dataset = open_dataset(root)
    (reading,) = dataset.readings(P01)
    (mask,) = reading.masks
    painted = mask.labels.copy()
    painted[0, 0, 0] = 20
    after = Mask("findings", painted, (*mask.segments, Segment(20, "Drain, left", "#123456", "DR")))
    dataset.write(P01, [Reading("annotator", (after,))], out)
    before = (root / SEGMENTS).read_text()
    assert (out / SEGMENTS).read_text() == before + '20,"Drain, left",#123456,DR\n'
    assert masks_of(dataset, P01, at=out)["findings"].segments[-1] == after.segments[-1]
    other = Mask("findings", painted, (Segment(2, "Scar", "#123456"),))
    with pytest.raises(SaveError, match="calls the value 2 Fibrosis, the mask calls it Scar"):
        dataset.write(P01, [Reading("annotator", (other,))], root)


def test_a_table_of_another_kind_is_not_extended(root, out):
    (root / SEGMENTS).write_text("name;value\nScar;2\n")
    dataset = open_dataset(root)
    (mask,) = dataset.readings(P01)[0].masks
    assert [(s.value, s.name) for s in mask.segments] == [(2, "Scar"), (1, "value 1")]
    painted = np.where(mask.labels == 0, 5, mask.labels)
    after = Mask("findings", painted, (*mask.segments, Segment(5, "Drain", "#123456")))
    with pytest.raises(SaveError, match="add a row for it"):
        dataset.write(P01, [Reading("annotator", (after,))], out)
    assert not out.exists()


def test_a_mask_that_appeared_meanwhile_is_not_overwritten(root, out):
    (root / MASKS[P01]).unlink()
    dataset = open_dataset(root)
    wanted = begun(dataset, P01, [(0, 0, 0)])
    save(root / MASKS[P01], labels(8), dicom_affine())
    for target in (out, root):
        with pytest.raises(ChangedOnDiskError) as error:
            dataset.write(P01, [wanted], target)
        assert error.value.path == root / MASKS[P01]
    np.testing.assert_array_equal(stored(root / MASKS[P01])[0].T, labels(8))


@pytest.mark.parametrize(
    ("reading", "word"),
    [
        (Reading("somebody"), "only one is annotator"),
        (Reading("annotator", (Mask("lungs", labels(1), ()),)), "lungs is no mask of p01"),
        (Reading("annotator", (Mask("findings", labels(1)[1:], ()),)), r"\(4, 6, 7\), the image"),
    ],
)
def test_what_has_no_place_is_refused(root, out, reading, word):
    with pytest.raises(SaveError, match=word):
        open_dataset(root).write(P01, [reading], out)
    assert not out.exists()


def test_an_export_of_a_new_mask_is_proved(root, out):
    """Case after case, the second one in another session."""
    shutil.rmtree(root / "masks")
    for case, voxel in ((P01, (0, 1, 1)), (P03_2, (2, 3, 4))):
        dataset = open_dataset(root)
        correction = Correction(*dataset.readings(case), begun(dataset, case, [voxel]))
        proof = export_readings(dataset, {case: [correction]}, out)
        assert proof.holds, proof.lines()
        (change,) = proof.found
        assert change.reading.masks == (MaskChange("findings", voxel[0], 1),)
    assert {path.name for path in (out / "masks").iterdir()} == {
        "p01_mask.nii.gz", "p03_2_mask.nii.gz", "segments.csv",
    }  # fmt: skip
    assert len(proof.since_dataset) == 2
    assert proof.identical_files == ("masks/p01_mask.nii.gz", SEGMENTS, BESIDE)


def test_a_mask_that_is_gone_is_told(root, out):
    dataset = open_dataset(root)
    dataset.write(P01, dataset.readings(P01), out)
    (out / MASKS[P03]).unlink()
    with pytest.raises(ReadError, match="of p03 the mask findings is gone"):
        dataset.compare(root, out)


def test_compare_refuses_a_change_around_the_voxels(root, out):
    dataset = open_dataset(root)
    dataset.write(P01, [generic_sample.paint_one(*dataset.readings(P01))], out)
    path = out / MASKS[P01]
    plain = gzip.decompress(path.read_bytes())
    for bad in (plain[:150] + b"x" + plain[151:], plain + b"more"):
        path.write_bytes(gzip.compress(bad))
        with pytest.raises(ReadError, match="around its voxels"):
            dataset.compare(root, out)
