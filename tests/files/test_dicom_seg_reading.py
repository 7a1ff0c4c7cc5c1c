"""DICOM Segmentations read again: what is in them, what differs, and what is never written."""

from dataclasses import replace

import highdicom
import numpy as np
import pydicom
import pytest
from dicom_seg_sample import (
    IDENTITY,
    LAYOUTS,
    OBLIQUE,
    SHAPE,
    by_highdicom,
    lesions,
    overlapping,
    series,
    write,
)

from napari_chest import findings
from napari_chest.errors import ReadError, SaveError
from napari_chest.files.dicom.tags import DEFLATED
from napari_chest.files.dicom_seg import compare_seg, read_seg, write_seg
from napari_chest.model import Mask, Segment

# Reading


@pytest.mark.parametrize("layout", LAYOUTS)
def test_own_reader_sees_what_highdicom_sees(tmp_path, layout):
    headers = series(tmp_path / "in", **LAYOUTS[layout])
    mask = lesions((len(headers), *SHAPE[1:]))
    path, masks = write(tmp_path, headers, [mask, overlapping(mask)])
    seg = read_seg(path)
    theirs = by_highdicom(path, headers)
    ours = np.zeros_like(theirs)
    places = {header.sop_instance_uid: z for z, header in enumerate(headers)}
    for index, frame in enumerate(seg.frames):
        ours[places[frame.sop_uid], ..., frame.segment - 1] = seg.frame(index)
        assert frame.position == headers[places[frame.sop_uid]].position
    assert np.array_equal(ours, theirs)
    assert (seg.reader, seg.shape) == ("Purple Group 1", (13, 11))
    assert [segment.label for segment in seg.segments][-1] == "Ä"
    voxels, doubts = compare_seg(seg, masks, headers)
    assert doubts == ()
    assert voxels == theirs.sum()


def test_highdicoms_own_file_is_read(tmp_path):
    """The reader does not only know what we write."""
    headers = series(
        tmp_path / "in", PatientID="", StudyID="", StudyDate="", StudyTime="", AccessionNumber=""
    )
    labels = lesions().labels
    sources = [pydicom.dcmread(header.path) for header in headers]
    code = highdicom.sr.CodedConcept("60046008", "SCT", "Pleural effusion")
    path = tmp_path / "theirs.dcm"
    highdicom.seg.Segmentation(
        sources, labels == 3, "BINARY",
        [highdicom.seg.SegmentDescription(1, "x", code, code, "MANUAL")],
        "1.2.7.1", 1, "1.2.7.2", 1, "m", "m", "1", "1", content_creator_name="A^B",
    ).save_as(path)  # fmt: skip
    seg = read_seg(path)
    mask = Mask("Theirs", (labels == 3).astype(np.uint8), (findings.PLEURAL_EFFUSION.segment(1),))
    voxels, doubts = compare_seg(seg, [mask], headers)
    assert voxels == (labels == 3).sum()
    assert doubts == ("Segment 1 is x, not Pleural effusion.",)  # of another category


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("bit", "Ground glass differs in 1 voxels of slice 1."),
        ("position", "Frame 2 does not lie where slice 2 does."),
        ("slice", "Frame 2 is there a second time."),
        ("stranger", "Frame 2 belongs to no slice of the case."),
        ("label", "Segment 2 is Consolidation, not Consolidation."),
        ("orientation", "Its orientation is not that of the images."),
        ("spacing", "Its pixel spacing is not that of the images."),
        ("series", "It does not refer to the case's series."),
        ("segment", "3 segments were meant, 4 are there."),
    ],
)
def test_any_difference_is_a_doubt(tmp_path, what, expected):
    headers = series(tmp_path / "in")
    path, masks = write(tmp_path, headers)
    seg = pydicom.dcmread(path)
    frame = seg.PerFrameFunctionalGroupsSequence[1]
    image = frame.DerivationImageSequence[0].SourceImageSequence[0]
    shared = seg.SharedFunctionalGroupsSequence[0]
    if what == "bit":
        seg.PixelData = bytes([seg.PixelData[0] ^ 1]) + seg.PixelData[1:]
    elif what == "position":
        frame.PlanePositionSequence[0].ImagePositionPatient[2] += 0.01
    elif what == "slice":
        image.ReferencedSOPInstanceUID = headers[0].sop_instance_uid
    elif what == "stranger":
        image.ReferencedSOPInstanceUID = "1.2.3.4.5"
    elif what == "label":
        seg.SegmentSequence[1].SegmentedPropertyTypeCodeSequence[0].CodeValue = "OTHER"
    elif what == "orientation":
        shared.PlaneOrientationSequence[0].ImageOrientationPatient = OBLIQUE
    elif what == "spacing":
        shared.PixelMeasuresSequence[0].PixelSpacing = [0.8, 0.7]
    elif what == "series":
        seg.ReferencedSeriesSequence[0].SeriesInstanceUID = "1.2.3.4"
    else:
        seg.SegmentSequence.append(seg.SegmentSequence[0])
    seg.save_as(path)
    assert expected in compare_seg(read_seg(path), masks, headers).doubts


def test_missing_frame_is_a_doubt(tmp_path):
    """A mask that has one slice more than what was written."""
    headers = series(tmp_path / "in")
    path, (mask,) = write(tmp_path, headers)
    labels = mask.labels.copy()
    labels[2, 5, 5] = 1
    labels[4][labels[4] == 3] = 0
    doubts = compare_seg(read_seg(path), [replace(mask, labels=labels)], headers).doubts
    assert "Ground glass differs in 1 voxels of slice 3." in doubts
    gone = (mask.labels[4] == 3).sum()
    assert f"Pleural effusion differs in {gone} voxels of slice 5." in doubts


@pytest.mark.parametrize("cut", [0, 100, 140, 900, 3000, -10])
def test_damaged_segmentation_is_refused_by_name(tmp_path, cut):
    path, _ = write(tmp_path, series(tmp_path / "in"))
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ReadError, match=r"seg\.dcm"):
        read_seg(path)


def test_promised_frames_must_be_there(tmp_path):
    path, _ = write(tmp_path, series(tmp_path / "in"))
    seg = pydicom.dcmread(path)
    seg.Rows = 60000
    seg.save_as(path)
    with pytest.raises(ReadError, match=r"promises 9 frames of 60000 x 11, .* 162 of 742500 bytes"):
        read_seg(path)


def test_other_objects_are_no_segmentation(tmp_path):
    headers = series(tmp_path / "in")
    with pytest.raises(ReadError, match="expected a binary DICOM Segmentation"):
        read_seg(headers[0].path)


def test_names_are_fitted_and_still_the_same_segment(tmp_path):
    """What DICOM cannot hold of a name is no difference between file and reading."""
    headers = series(tmp_path / "in", count=1)
    labels = np.arange(143, dtype=np.uint8).reshape(1, 13, 11) % 4
    names = ("", "a\\b\n  c ", "long " * 30)
    segments = tuple(Segment(n, name, "#FFFFFF") for n, name in enumerate(names, 1))
    path, masks = write(tmp_path, headers, [Mask("", labels, segments)])
    seg = read_seg(path)
    assert [one.label for one in seg.segments] == ["Unnamed", "a/b c", ("long " * 13)[:64].strip()]
    assert compare_seg(seg, masks, headers).doubts == ()


def test_deflated_segmentation_is_refused(tmp_path):
    path, _ = write(tmp_path, series(tmp_path / "in"))
    seg = pydicom.dcmread(path)
    seg.file_meta.TransferSyntaxUID = DEFLATED
    seg.save_as(path)
    with pytest.raises(ReadError, match="expected explicit VR little endian"):
        read_seg(path)


# Refusals: nothing is written


def refused(tmp_path, error, match, headers, masks):
    path = tmp_path / "out" / "seg.dcm"
    with pytest.raises(error, match=match):
        write_seg(path, headers, masks, IDENTITY)
    assert not path.parent.exists()


def test_nothing_drawn_is_refused(tmp_path):
    headers = series(tmp_path / "in")
    empty = replace(lesions(), labels=np.zeros(SHAPE, np.uint8))
    refused(tmp_path, SaveError, "Nothing is drawn", headers, [empty])
    refused(tmp_path, SaveError, "Nothing is drawn", headers, [])


def test_value_without_a_name_is_refused(tmp_path):
    labels = lesions().labels.copy()
    labels[4, 12, 10] = 9
    mask = replace(lesions(), labels=labels)
    refused(tmp_path, SaveError, "Lesions holds a value", series(tmp_path / "in"), [mask])


@pytest.mark.parametrize("shape", [(4, 13, 11), (5, 11, 13), (5, 13, 12)])
def test_masks_of_another_size_are_refused(tmp_path, shape):
    refused(
        tmp_path, SaveError, r"shape .* \(5, 13, 11\)", series(tmp_path / "in"), [lesions(shape)]
    )


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"SOPInstanceUID": ""}, "SOP Instance UID is missing or no UID"),
        ({"SOPInstanceUID": "1.2-3"}, "SOP Instance UID is missing or no UID"),
        ({"SOPInstanceUID": "1.2.3"}, "share a SOP Instance UID"),
        ({"StudyInstanceUID": ""}, "Study Instance UID is missing or no UID"),
        ({"SeriesInstanceUID": "x"}, "Series Instance UID is missing or no UID"),
        ({"FrameOfReferenceUID": None}, "Frame of Reference UID is missing"),
        ({"FrameOfReferenceUID": ""}, "Frame of Reference UID is missing"),
        ({"FrameOfReferenceUID": "none"}, "Frame of Reference UID is missing"),
        ({"PixelSpacing": None}, "Pixel Spacing is missing"),
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")  # that is the point
def test_images_that_cannot_be_referred_to_are_refused(tmp_path, changes, match):
    headers = series(tmp_path / "in", **changes)
    refused(tmp_path, ReadError, match, headers, [lesions()])


def test_images_that_do_not_fit_together_are_refused(tmp_path):
    headers = series(tmp_path / "in")
    for change, match in (
        ({"series_uid": "1.2.8"}, "not of the same series as s01.dcm"),
        ({"rows": 14}, "not as large as that of s01.dcm"),
        ({"position": None}, "Image Position"),
        ({"orientation": (1.0, 0.0, 0.0, 0.0, 0.999, 0.04)}, "differ in orientation"),
        ({"pixel_spacing": (0.7, 0.801)}, "differ in orientation or pixel spacing"),
    ):
        changed = (*headers[:-1], replace(headers[-1], **change))
        refused(tmp_path, ReadError, match, changed, [lesions()])
    refused(tmp_path, ReadError, "no DICOM images", (), [lesions()])


def test_deflated_sources_are_refused(tmp_path):
    headers = series(tmp_path / "in", syntax=DEFLATED)
    refused(tmp_path, ReadError, "deflated", headers, [lesions()])


def test_vanished_source_is_named(tmp_path):
    headers = series(tmp_path / "in")
    headers[0].path.unlink()
    refused(tmp_path, ReadError, r"s01\.dcm: its header cannot be read", headers, [lesions()])
