"""BIMCV COVID-19: ROI files as masks, corrected and made."""

import os
import shutil
from pathlib import Path

import bimcv_sample as sample
import numpy as np
import pytest
from bimcv_sample import (
    CONSOLIDATION,
    CORRECTED,
    CR,
    CR_ROI,
    CR_UID,
    CT,
    DX,
    DX_ROI,
    DX_UID,
    EFFUSION,
    GROUND_GLASS,
    HEAD,
    SUBJECTS,
    aim,
    box_mask,
    new_mask,
    paint,
    reading,
    regions,
    save_radiograph,
    told,
    with_answer,
    with_masks,
    write,
)

from napari_chest import open_dataset
from napari_chest.changes import MaskChange, compare
from napari_chest.datasets.bimcv.findings import finding_number, mask_names, segments_of
from napari_chest.errors import ChangedOnDiskError, ReadError, SaveError
from napari_chest.model import Mask, Reading, Segment


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


# Regions


def test_overlapping_regions_are_separate_masks(dataset):
    first, second = reading(dataset).masks
    np.testing.assert_array_equal(first.labels[0], box_mask(GROUND_GLASS) * 1)
    np.testing.assert_array_equal(second.labels[0], box_mask(CONSOLIDATION) * 2)
    assert first.segments == (Segment(1, "Ground glass", "#56B4E9", "GG"),)
    assert second.segments == (Segment(2, "Consolidation", "#E69F00", "CO"),)


def test_stored_name_is_kept_and_meant_finding_shown(dataset):
    (mask,) = reading(dataset, DX).masks
    assert mask.name == "Derrame pleural"
    assert mask.segments == (Segment(3, "Pleural effusion", "#906090", "PE"),)


@pytest.mark.parametrize(
    ("name", "radiograph", "ct"),
    [
        ("5", 5, 5),
        ("014", 14, 14),
        ("99", None, None),
        ("Ground glass", 1, 5),
        ("ground-glass 2", 1, 5),
        ("Vidrio deslustrado", 1, 5),
        ("CONSOLIDACIÓN", 2, 11),
        ("Peural effusion", 3, 13),
        ("derrame pleural", 3, 13),
        ("Patrón intersticial", 4, 4),
        ("Interstitial pattern", 4, 4),
        ("Empedrado / crazy paving", 6, 6),
        ("halo invertido", 7, 7),
        ("Vascular thickening in ground-glass region", 8, 8),
        ("Ground glass and consolidation focus", 9, 9),
        ("Nodular consolidation or in", 10, 10),
        ("Normal consolidation", 2, 11),
        ("árbol en brote", 12, 12),
        ("Sprouting tree pattern", 12, 12),
        ("No RX or TAC findings", 14, 14),
        ("catheter", None, None),
        ("", None, None),
    ],
)
def test_what_a_name_means(name, radiograph, ct):
    assert finding_number(name, "CR") == radiograph
    assert finding_number(name, "CT") == ct


def test_names_are_made_unique_and_custom_ones_counted():
    stored = ["1", "Ground glass", "drain", "", "Drain", "catheter", "drain"]
    assert mask_names(stored) == [
        "Ground glass", "Ground glass 2", "drain", "Unnamed region", "Drain", "catheter", "drain 2",
    ]  # fmt: skip
    assert [s.value for s in segments_of(stored, "CR")] == [1, 1, 20, 21, 20, 22, 20]
    assert segments_of(stored, "CR")[2].name == "drain"


def test_unnamed_file_is_matched_by_the_image_uid(root):
    (root / DX_ROI).rename((root / DX_ROI).with_name("AIM_20200601_120000.xml"))
    assert [m.name for m in reading(open_dataset(root), DX).masks] == ["Derrame pleural"]


def test_unnamed_file_is_matched_by_the_only_image_of_a_series(root):
    (root / DX_ROI).unlink()
    content = aim("9.9.9", ("3", [EFFUSION]), series=f"{DX_UID}.1")
    write(root / HEAD / "derivatives/roi/AIM_1.xml", content)
    dataset = open_dataset(root)
    assert [m.name for m in reading(dataset, DX).masks] == ["Pleural effusion"]
    assert told(dataset.problems(DX), "another UID").level == "warning"
    assert reading(dataset, CT).masks == ()


def test_uid_that_images_share_decides_for_the_first(root):
    """Were the region on both, correcting it on one would change the other."""
    twin = (root / DX).with_name(Path(DX).name.replace("run-2", "run-3"))
    save_radiograph(twin, DX_UID)
    (root / DX_ROI).rename((root / DX_ROI).with_name("AIM_20200601_120000.xml"))
    dataset = open_dataset(root)
    assert [m.name for m in reading(dataset, DX).masks] == ["Derrame pleural"]
    assert reading(dataset, twin.relative_to(root).as_posix()).masks == ()


def test_file_of_xnat_is_found_wherever_it_lies(root):
    name = "sub-S00002/ses-E00002/assessors/RoiCollection/out/resources/1/files/AIM_1.xml"
    write(root / name, aim(DX_UID, ("nodulo", [EFFUSION])))
    (root / DX_ROI).unlink()
    dataset = open_dataset(root)
    assert [m.segments[0].value for m in reading(dataset, DX).masks] == [10]
    assert Path(name) in dataset.annotation_files()


def test_other_shapes_are_told(root):
    text = (root / DX_ROI).read_text().replace("TwoDimensionPolyline", "TwoDimensionCircle")
    write(root / DX_ROI, text)
    dataset = open_dataset(root)
    assert told(dataset.problems(DX), "no closed outlines").level == "warning"
    assert not reading(dataset, DX).masks[0].labels.any()


def test_file_of_no_image_is_told_and_kept(root, out):
    name = f"{HEAD}/derivatives/roi/AIM_1.xml"
    write(root / name, aim("9.9.9", ("3", [EFFUSION])))
    dataset = open_dataset(root)
    assert told(dataset.problems(), "belongs to no image").files == (name,)
    dataset.write(CR, dataset.readings(CR), out)
    assert (out / name).read_bytes() == (root / name).read_bytes()


def test_named_file_of_another_uid_is_shown_with_a_warning(root, out):
    write(root / DX_ROI, aim("9.9.9", ("3", [EFFUSION])))
    dataset = open_dataset(root)
    found = reading(dataset, DX)
    np.testing.assert_array_equal(found.masks[0].labels[0] > 0, box_mask(EFFUSION))
    assert told(dataset.problems(DX), "another UID").level == "warning"
    dataset.write(DX, [with_masks(found, paint(found.masks[0]))], out)
    ((_, mask),) = regions(out / DX_ROI)
    assert mask[1, 1]
    assert mask.sum() == box_mask(EFFUSION).sum() + 1


def test_collection_of_several_images_shows_each_its_own(root, out):
    """A file that speaks of two images is corrected for one without touching the other."""
    for name in (CR_ROI, DX_ROI):
        (root / name).unlink()
    both = aim(CR_UID, ("3", [GROUND_GLASS])).replace(
        "    </imageAnnotations>",
        sample._annotation(DX_UID, f"{DX_UID}.1", "3", [EFFUSION]) + "    </imageAnnotations>",
    )
    name = f"{HEAD}/derivatives/roi/AIM_2.xml"
    write(root / name, both)
    dataset = open_dataset(root)
    (first,), (second,) = reading(dataset, CR).masks, reading(dataset, DX).masks
    assert (first.name, second.name) == ("Pleural effusion", "Pleural effusion")
    dataset.write(DX, [with_masks(reading(dataset, DX), paint(second))], out)
    (_, kept), (_, painted) = regions(out / name)
    np.testing.assert_array_equal(kept, box_mask(GROUND_GLASS))
    assert painted[1, 1]
    (change,) = dataset.compare(root, out)
    assert change.reading.masks == (MaskChange("Pleural effusion", 0, 1),)


def test_name_of_an_unplaced_region_is_taken(root):
    """A region whose outlines are on other images keeps its name for itself."""
    text = aim("9.9.1", ("Ground glass", [EFFUSION, CONSOLIDATION]))
    outline = '<imageReferenceUid root="9.9.{}"/>'.format
    write(root / DX_ROI, text.replace(outline(1), outline(2), 1))
    dataset = open_dataset(root)
    assert reading(dataset, DX).masks == ()
    assert told(dataset.problems(DX), "several images").level == "note"
    mask = new_mask(dataset, DX, "GG", GROUND_GLASS)
    assert mask.name == "Ground glass 2"
    dataset.write(DX, [with_masks(reading(dataset, DX), mask)], root)
    assert [m.name for m in reading(open_dataset(root), DX).masks] == ["Ground glass 2"]


def test_regions_of_a_ct_are_unplaced_and_kept(root, out):
    name = f"{HEAD}/derivatives/roi/sub-S00003/{sample.CT_STEM}_mod-ct_roi.xml"
    write(root / name, aim("1.2.3.99", ("5", [EFFUSION])))
    dataset = open_dataset(root)
    found = reading(dataset, CT)
    assert found.masks == ()
    assert dataset.offers(CT, found) == ()
    problem = told(dataset.problems(CT), "Unplaced")
    assert problem.level == "note"
    assert "Ground glass" in problem.text
    dataset.write(CT, [with_answer(found, "x")], out)
    assert (out / name).read_bytes() == (root / name).read_bytes()
    mask = Mask("m", np.ones((5, 6, 7), np.uint8), (Segment(1, "m", "#000000"),))
    with pytest.raises(SaveError, match="outlines"):
        dataset.write(CT, [with_masks(found, mask)], out)


BOMB = '<!DOCTYPE a [<!ENTITY b "bbbb">]><ImageAnnotationCollection>&b;</ImageAnnotationCollection>'


@pytest.mark.parametrize("content", [BOMB, "<other/>", "", "<a", b"\xff\xfe<\0"])
def test_broken_roi_file_stops_its_case_alone(root, out, content):
    write(root / CR_ROI, content)
    dataset = open_dataset(root)
    found = reading(dataset)
    assert found.masks == ()
    assert told(dataset.problems(CR), "regions of this file").level == "error"
    assert dataset.offers(CR, found) == ()
    (mask,) = reading(dataset, DX).masks
    dataset.write(DX, [with_masks(reading(dataset, DX), paint(mask))], out)
    assert (out / CR_ROI).read_bytes() == (root / CR_ROI).read_bytes()
    assert regions(out / DX_ROI)[0][1][1, 1]


def test_size_that_differs_from_the_sidecar_is_a_warning(root):
    save_radiograph(root / CR, CR_UID, **{"00280010": [99]})
    assert told(open_dataset(root).problems(CR), "99").level == "warning"


# Writing regions


def test_same_physical_name_is_written(dataset, root, out):
    first, second = reading(dataset).masks
    (path,) = dataset.write(CR, [with_masks(reading(dataset), paint(first), second)], out)
    assert path == out / CR_ROI
    assert "\\" in path.name or os.name == "nt"
    (name, mask), (_, other) = regions(path)
    assert name == "1"
    assert mask.sum() == box_mask(GROUND_GLASS).sum() + 1
    np.testing.assert_array_equal(other, box_mask(CONSOLIDATION))


def test_new_region_joins_the_images_file(dataset, root, out):
    found = reading(dataset, DX)
    box = (2, 2, 6, 5)
    mask = new_mask(dataset, DX, "GG", box)
    assert mask.name == "Ground glass"
    (path,) = dataset.write(DX, [with_masks(found, *found.masks, mask)], out)
    assert path == out / DX_ROI
    assert [name for name, _ in regions(path)] == ["Derrame pleural", "Ground glass"]
    np.testing.assert_array_equal(regions(path)[1][1], box_mask(box))
    now = reading(dataset, DX, at=out)
    assert not compare(with_masks(found, *found.masks, mask), now)
    assert now.masks[1].segments[0].value == 1
    assert f'<sopInstanceUid root="{DX_UID}"/>' in path.read_text()


def test_first_region_makes_a_file_beside_the_others(root, out):
    (root / DX_ROI).unlink()
    dataset = open_dataset(root)
    mask = new_mask(dataset, DX, "IN", EFFUSION)
    (path,) = dataset.write(DX, [with_masks(reading(dataset, DX), mask)], out)
    assert path == out / DX_ROI
    ((name, found),) = regions(path)
    assert name == "Interstitial pattern"
    np.testing.assert_array_equal(found, box_mask(EFFUSION))
    assert reading(dataset, DX, at=out).masks[0].segments == mask.segments
    assert "284108" not in path.read_text()
    (change,) = dataset.compare(root, out)
    voxels = int(box_mask(EFFUSION).sum())
    assert change.reading.masks == (MaskChange("Interstitial pattern", 0, voxels),)


def test_second_region_of_a_finding_gets_a_number(dataset, root):
    found = reading(dataset)
    one = new_mask(dataset, CR, "GG", (0, 0, 2, 2))
    more = with_masks(found, *found.masks, one)
    two = new_mask(dataset, CR, "GG", (20, 0, 22, 2), present=more)
    assert (one.name, two.name) == ("Ground glass 2", "Ground glass 3")
    dataset.write(CR, [with_masks(found, *found.masks, one, two)], root)
    again = open_dataset(root)
    assert [m.name for m in reading(again).masks][2:] == ["Ground glass 2", "Ground glass 3"]
    assert [m.segments[0].value for m in reading(again).masks] == [1, 2, 1, 1]


def test_region_that_is_taken_away_is_emptied(dataset, root, out):
    first, second = reading(dataset).masks
    dataset.write(CR, [with_masks(reading(dataset), second)], out)
    assert regions(out / CR_ROI)[0][1].sum() == 0
    (change,) = dataset.compare(root, out)
    assert change.reading.masks == (MaskChange(first.name, 0, int((first.labels > 0).sum())),)


def test_new_region_taken_back_gives_the_bytes_back(dataset, root):
    original = (root / DX_ROI).read_bytes()
    found = reading(dataset, DX)
    dataset.write(
        DX, [with_masks(found, *found.masks, new_mask(dataset, DX, "CO", EFFUSION))], root
    )
    assert len(regions(root / DX_ROI)) == 2
    dataset.write(DX, [found], root)
    assert (root / DX_ROI).read_bytes() == original


def test_mask_of_another_shape_is_refused(dataset, out):
    mask = Mask("x", np.ones((1, 3, 3), np.uint8), (Segment(1, "x", "#000000"),))
    with pytest.raises(SaveError, match=r"\(1, 20, 24\)"):
        dataset.write(CR, [with_masks(reading(dataset), mask)], out)
    assert not out.exists()


def test_another_reader_is_refused(dataset, out):
    with pytest.raises(SaveError, match="Nobody"):
        dataset.write(CR, [Reading("Nobody")], out)


def test_file_added_since_is_noticed(dataset, root, out):
    reading(dataset)
    name = f"{HEAD}/derivatives/roi/sub-S00001/more_cr_roi.xml"
    write(root / name, aim(CR_UID, ("1", [EFFUSION])))
    with pytest.raises(ChangedOnDiskError) as error:
        dataset.write(CR, [reading(dataset)], out)
    assert error.value.path == root / name


def test_copy_of_an_image_takes_no_regions(root, out):
    """They would be read as those of the other copy, whose file has the same name."""
    shutil.copytree(root / SUBJECTS, root / "covid19_posi")
    dataset = open_dataset(root)
    copy = CR.replace(SUBJECTS, "covid19_posi")
    assert len(reading(dataset).masks) == 2
    assert dataset.offers(copy, reading(dataset, copy)) == ()
    told(dataset.problems(copy), "another image here has the same name")
    mask = Mask("Ground glass", box_mask(EFFUSION)[None].astype(np.uint8), ())
    with pytest.raises(SaveError, match="another image here"):
        dataset.write(copy, [with_masks(reading(dataset, copy), mask)], out)
    assert not out.exists()


def test_copies_in_two_collections_have_regions_of_their_own(root, out):
    for name in (SUBJECTS, HEAD):
        shutil.copytree(root / name, root / "copied" / name)
    dataset = open_dataset(root)
    copy = f"copied/{CR}"
    assert [len(reading(dataset, case).masks) for case in (CR, copy)] == [2, 2]
    mask = new_mask(dataset, copy, "IN", EFFUSION)
    masks = (*reading(dataset, copy).masks, mask)
    paths = dataset.write(copy, [with_masks(reading(dataset, copy), *masks)], out)
    assert paths == [out / "copied" / CR_ROI]
    (change,) = dataset.compare(root, out)
    assert "copied" in change.case


@pytest.mark.parametrize(
    ("was", "now"),
    [
        (b'value="reader"', b'value="other"'),  # outside the findings
        (b'root="c.2.d"', b'root="c.2.e"'),
        (b'code="AnyClosedShape"', b'code="OpenShape"'),
        (b'<instanceUid root="1.2.840', b'<instanceUid root="1.2.841'),
    ],
)
def test_compare_refuses_what_is_no_outline(dataset, root, out, was, now):
    first, *others = reading(dataset).masks
    dataset.write(CR, [with_masks(reading(dataset), paint(first), *others)], out)
    assert len(dataset.compare(root, out)) == 1
    content = (out / CR_ROI).read_bytes()
    assert was in content
    write(out / CR_ROI, content.replace(was, now, 1))
    with pytest.raises(ReadError, match="more than the corrected regions"):
        dataset.compare(root, out)


def test_compare_takes_every_change_of_outlines(dataset, root, out):
    """A finding emptied and drawn again has other outlines and times, and is the same region."""
    found = reading(dataset)
    first, second = found.masks
    more = new_mask(dataset, CR, "IN", EFFUSION)
    for masks in ((second,), (first, paint(second)), (first, second, more)):
        dataset.write(CR, [with_masks(found, *masks)], out)
        (change,) = dataset.compare(root, out)
        assert change.reading.masks
    assert [mask.mask for mask in change.reading.masks] == [more.name]
