"""DICOM Segmentations as other programs see them: highdicom, dciodvfy, dcmqi and pydicom."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import highdicom
import nibabel
import numpy as np
import pydicom
import pytest
from dicom_samples import CT, SERIES_UID
from dicom_seg_sample import (
    FRAME_OF_REFERENCE,
    IDENTITY,
    LAYOUTS,
    OBLIQUE,
    SHAPE,
    by_highdicom,
    enhanced,
    lesions,
    overlapping,
    radiograph,
    series,
    write,
)

from napari_chest import findings
from napari_chest.files.dicom import index_folder, main_series
from napari_chest.files.dicom.tags import IMPLICIT_LE
from napari_chest.files.dicom_seg import compare_seg, encode_seg, read_seg, read_source, write_seg
from napari_chest.files.dicom_seg.color import cie_lab
from napari_chest.model import Mask, Segment

DCMQI = shutil.which(
    "segimage2itkimage", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
)
needs_dciodvfy = pytest.mark.skipif(not shutil.which("dciodvfy"), reason="dicom3tools is absent")
needs_dcmqi = pytest.mark.skipif(not DCMQI, reason="dcmqi is absent")


# Voxels and places, as other programs see them


@pytest.mark.parametrize("layout", LAYOUTS)
def test_highdicom_reads_the_same_voxels(tmp_path, layout):
    headers = series(tmp_path / "in", **LAYOUTS[layout])
    mask = lesions((len(headers), *SHAPE[1:]))
    path, _ = write(tmp_path, headers, [mask, overlapping(mask)])
    found = by_highdicom(path, headers)
    meant = [mask.labels == 1, mask.labels == 2, mask.labels == 3, mask.labels > 1]
    assert np.array_equal(found, np.stack(meant, axis=-1))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_frames_lie_where_their_slices_do(tmp_path, layout):
    """Also where steps differ or the gantry is tilted: each frame has its own slice's position."""
    headers = series(tmp_path / "in", **LAYOUTS[layout])
    path, _ = write(tmp_path, headers)
    seg = pydicom.dcmread(path)
    sources = {(one := pydicom.dcmread(h.path)).SOPInstanceUID: one for h in headers}
    assert seg.FrameOfReferenceUID == FRAME_OF_REFERENCE
    shared = seg.SharedFunctionalGroupsSequence[0]
    for frame in seg.PerFrameFunctionalGroupsSequence:
        image = frame.DerivationImageSequence[0].SourceImageSequence[0]
        source = sources[image.ReferencedSOPInstanceUID]
        assert image.ReferencedSOPClassUID == CT
        position = frame.PlanePositionSequence[0].ImagePositionPatient
        assert position == source.ImagePositionPatient
        orientation = shared.PlaneOrientationSequence[0].ImageOrientationPatient
        assert orientation == source.ImageOrientationPatient
        assert shared.PixelMeasuresSequence[0].PixelSpacing == source.PixelSpacing
        assert shared.PixelMeasuresSequence[0].SliceThickness == source.SliceThickness


@pytest.mark.parametrize(
    ("layout", "step"),
    [
        ("axial", 2.5),
        ("oblique", 2.5),
        ("tilted", 2.4),
        ("missing", 2.5),
        ("uneven", None),
        ("single", None),
    ],
)
def test_step_is_told_along_the_normal_where_there_is_one(tmp_path, layout, step):
    path, _ = write(tmp_path, series(tmp_path / "in", **LAYOUTS[layout]))
    groups = pydicom.dcmread(path).SharedFunctionalGroupsSequence[0]
    told = groups.PixelMeasuresSequence[0].get("SpacingBetweenSlices")
    assert told == (None if step is None else pytest.approx(step))


def test_highdicom_sees_the_volume_where_the_series_is(tmp_path):
    headers = series(tmp_path / "in", orientation=OBLIQUE)
    grid = main_series(index_folder(tmp_path / "in")[0]).grid
    path, (mask,) = write(tmp_path, headers)
    volume = highdicom.seg.segread(path).get_volume(
        combine_segments=True, allow_missing_positions=True
    )
    assert np.allclose(volume.affine, grid.affine)
    assert np.array_equal(volume.array, mask.labels)


@needs_dcmqi
@pytest.mark.parametrize("layout", ["axial", "oblique", "missing", "single"])
def test_dcmqi_reads_the_same_voxels_in_the_same_place(tmp_path, layout):
    headers = series(tmp_path / "in", **LAYOUTS[layout])
    path, (mask,) = write(tmp_path, headers)
    out = tmp_path / "dcmqi"
    out.mkdir()
    subprocess.run(
        [DCMQI, "--inputDICOM", path, "--outputDirectory", out, "--outputType", "nii"],
        check=True, capture_output=True,
    )  # fmt: skip
    found = sorted(out.glob("*.nii.gz"))
    assert len(found) == 3
    for value, name in enumerate(found, 1):
        image = nibabel.load(name)
        drawn = np.argwhere(np.asanyarray(image.dataobj))
        theirs = nibabel.affines.apply_affine(image.affine, drawn) * [-1, -1, 1]
        ours = [patient(headers[z], y, x) for z, y, x in np.argwhere(mask.labels == value)]
        assert hundredths(theirs) == hundredths(ours)


def patient(header, y, x):
    """Where a pixel of an image lies (DICOM PS3.3 C.7.6.2.1.1)."""
    (row_mm, column_mm), directions = header.pixel_spacing, np.reshape(header.orientation, (2, 3))
    return header.position + x * column_mm * directions[0] + y * row_mm * directions[1]


def hundredths(points):
    """Positions in mm as a set, to a hundredth."""
    return {tuple(point) for point in np.rint(np.multiply(points, 100)).astype(int).tolist()}


@needs_dciodvfy
@pytest.mark.parametrize("layout", [*LAYOUTS, "radiograph", "enhanced"])
def test_dciodvfy_finds_no_error(tmp_path, layout):
    if layout == "radiograph":
        headers = radiograph(tmp_path)
    elif layout == "enhanced":
        headers = enhanced(tmp_path)
    else:
        headers = series(tmp_path / "in", **LAYOUTS[layout])
    mask = lesions((len(headers), headers[0].rows, headers[0].columns))
    path, _ = write(tmp_path, headers, [mask, overlapping(mask)])
    done = subprocess.run(["dciodvfy", "-new", path], capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert "Segmentation" in said.splitlines()
    assert [line for line in said.splitlines() if "Error" in line] == []


# What else the object says


def test_patient_and_study_are_copied_and_nothing_more(tmp_path):
    """Names in another character set stay the same name; scanner and staff stay behind."""
    headers = series(
        tmp_path / "in",
        SpecificCharacterSet="ISO_IR 100", PatientName="Müller^Ö", PatientID="P 1",
        StudyDate="20200301", StudyTime="101112", StudyID="7", AccessionNumber="A9",
        InstitutionName="Hospital", OperatorsName="Operator^O",
    )  # fmt: skip
    path, _ = write(tmp_path, headers)
    seg, source = pydicom.dcmread(path), pydicom.dcmread(headers[1].path)
    for keyword in (
        "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID",
        "StudyDate", "StudyTime", "StudyID", "AccessionNumber", "FrameOfReferenceUID",
    ):  # fmt: skip
        assert seg[keyword].value == source[keyword].value, keyword
    assert seg.PatientName.family_name == "Müller"
    assert seg.ReferringPhysicianName == ""  # required, and the source has none
    assert b"Hospital" not in path.read_bytes()
    common = {element.keyword for element in seg} & {element.keyword for element in source}
    assert {k for k in common if seg[k].value == source[k].value} == {
        "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID",
        "StudyDate", "StudyTime", "StudyID", "AccessionNumber", "FrameOfReferenceUID",
        "Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "PixelRepresentation",
    }  # fmt: skip


def test_reader_and_identity_stand_in_the_object(tmp_path):
    headers = series(tmp_path / "in")
    path = tmp_path / "seg.dcm"
    write_seg(path, headers, [lesions()], replace(IDENTITY, reader="A^B=C\\D\n" + 90 * "x"))
    seg = pydicom.dcmread(path)
    assert (seg.SeriesInstanceUID, seg.SOPInstanceUID) == ("1.2.7.1", "1.2.7.2")
    assert seg.file_meta.MediaStorageSOPInstanceUID == "1.2.7.2"
    assert seg.DimensionOrganizationSequence[0].DimensionOrganizationUID == "1.2.7.3"
    assert (seg.SeriesNumber, seg.Modality, seg.SegmentationType) == (9001, "SEG", "BINARY")
    assert (seg.ContentDate, seg.ContentTime) == ("20260102", "030405")
    assert str(seg.ContentCreatorName) == f"A B C/D {90 * 'x'}"[:64]
    assert seg.SeriesDescription.startswith("Segmentation by A^B=C/D xxx")
    assert len(seg.SeriesDescription) == 64
    (referred,) = seg.ReferencedSeriesSequence
    assert referred.SeriesInstanceUID == SERIES_UID
    # slice 2 is empty, so nothing was derived from it
    named = {one.ReferencedSOPInstanceUID for one in referred.ReferencedInstanceSequence}
    assert named == {h.sop_instance_uid for z, h in enumerate(headers) if z != 2}


def test_only_drawn_segments_and_frames_are_written(tmp_path):
    path, _ = write(tmp_path, series(tmp_path / "in"))
    seg = pydicom.dcmread(path)
    assert [s.SegmentLabel for s in seg.SegmentSequence] == [
        "Ground glass", "Consolidation", "Pleural effusion",
    ]  # fmt: skip
    frames = [
        (f.SegmentIdentificationSequence[0].ReferencedSegmentNumber,
         list(f.FrameContentSequence[0].DimensionIndexValues))
        for f in seg.PerFrameFunctionalGroupsSequence
    ]  # fmt: skip
    # the third index is slice 3: positions are counted where anything is drawn
    assert frames == [
        (1, [1, 1]), (1, [1, 2]), (1, [1, 3]), (1, [1, 4]), (2, [2, 1]),
        (3, [3, 1]), (3, [3, 2]), (3, [3, 3]), (3, [3, 4]),
    ]  # fmt: skip
    assert seg.NumberOfFrames == 9
    assert seg.SegmentsOverlap == "NO"
    assert len(seg.PixelData) == 162  # 9 * 143 bits are 160.9 bytes, and the length is even


def test_segments_are_coded_and_coloured(tmp_path):
    headers = series(tmp_path / "in", count=1)
    labels = np.arange(143, dtype=np.uint8).reshape(1, 13, 11) % 3
    segments = (
        findings.PLEURAL_EFFUSION.segment(1),
        Segment(2, "Infectious TIB/micronodules", "#D500F9", "IT"),
    )
    path, _ = write(tmp_path, headers, [Mask("Readers\\mask", labels, segments)])
    effusion, micro = pydicom.dcmread(path).SegmentSequence
    assert coded(effusion.SegmentedPropertyCategoryCodeSequence) == (
        "49755003", "SCT", "Morphologically Abnormal Structure",
    )  # fmt: skip
    assert coded(effusion.SegmentedPropertyTypeCodeSequence) == (
        "60046008", "SCT", "Pleural effusion",
    )  # fmt: skip
    assert coded(effusion.AnatomicRegionSequence) == ("3120008", "SCT", "Pleura")
    assert effusion.SegmentAlgorithmType == "MANUAL"
    assert effusion.SegmentDescription == "Readers/mask"
    kind = micro.SegmentedPropertyTypeCodeSequence
    assert coded(kind) == (
        "TIB_MICRONODULES", "99NAPARICHEST", "Tree-in-bud sign or micronodules",
    )  # fmt: skip
    modifier = kind[0].SegmentedPropertyTypeModifierCodeSequence
    assert coded(modifier) == ("INFECTIOUS", "99NAPARICHEST", "Infectious")
    assert micro.RecommendedDisplayCIELabValue == list(cie_lab("#D500F9"))


def coded(sequence):
    (item,) = sequence
    return item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning


@pytest.mark.parametrize("color", ["#000000", "#FFFFFF", "#56B4E9", "#d500f9", "#010203"])
def test_colours_are_those_of_highdicom(color):
    theirs = highdicom.color.CIELabColor.from_rgb(*bytes.fromhex(color[1:])).value
    assert (
        np.abs(np.subtract(cie_lab(color), theirs)).max() <= 5
    )  # of 65,535; their white point differs


def test_lossy_sources_are_told(tmp_path):
    lossy = {"LossyImageCompression": "01", "LossyImageCompressionRatio": "12.5",
             "LossyImageCompressionMethod": "ISO_15444_1"}  # fmt: skip
    path, _ = write(tmp_path, series(tmp_path / "in", **lossy))
    seg = pydicom.dcmread(path)
    assert {name: str(seg[name].value) for name in lossy} == lossy
    path, _ = write(tmp_path, series(tmp_path / "other", LossyImageCompression="00"))
    seg = pydicom.dcmread(path)
    assert (seg.LossyImageCompression, "LossyImageCompressionRatio" in seg) == ("00", False)


def test_same_arguments_give_the_same_bytes(tmp_path):
    source = read_source(series(tmp_path / "in"))
    first = encode_seg(source, [lesions()], IDENTITY)
    assert encode_seg(source, [lesions()], IDENTITY) == first
    assert encode_seg(source, [lesions()], replace(IDENTITY, sop_uid="1.2.7.9")) != first


def test_pydicom_writes_what_it_read_unchanged(tmp_path):
    """Lengths, order of tags and padding are those of a conforming writer."""
    path, _ = write(tmp_path, series(tmp_path / "in"))
    seg = pydicom.dcmread(path)
    assert len(list(seg.iterall())) > 200  # every element is parsed now, so written anew
    seg.save_as(tmp_path / "again.dcm", enforce_file_format=True)
    again = (tmp_path / "again.dcm").read_bytes()
    start = again.index(b"\x08\x00\x05\x00CS")
    ours = path.read_bytes()
    assert ours[ours.index(b"\x08\x00\x05\x00CS") :] == again[start:]


def test_headers_in_any_encoding_serve(tmp_path):
    headers = series(tmp_path / "in", syntax=IMPLICIT_LE, PatientID="Q")
    path, _ = write(tmp_path, headers)
    assert pydicom.dcmread(path).PatientID == "Q"


def test_long_positions_are_shortened_to_what_the_standard_allows(tmp_path):
    headers = series(tmp_path / "in", tops=[1 / 3, -200 / 3])
    path, _ = write(tmp_path, headers)
    seg = pydicom.dcmread(path)
    for frame in seg.PerFrameFunctionalGroupsSequence:
        texts = [str(v) for v in frame.PlanePositionSequence[0].ImagePositionPatient]
        assert max(map(len, texts)) <= 16
    assert compare_seg(read_seg(path), [lesions((2, 13, 11))], headers).doubts == ()


# Images without a frame of reference, and several in one file


def test_radiograph_is_covered_pixel_by_pixel(tmp_path):
    """Without a frame of reference the frames have no place but their image (PS3.3 A.51.5.1)."""
    headers = radiograph(tmp_path)
    mask = lesions((1, 20, 9))
    path, _ = write(tmp_path, headers, [mask])
    seg = pydicom.dcmread(path)
    assert "FrameOfReferenceUID" not in seg
    assert seg.PatientOrientation == ["L", "F"]
    assert len(seg.SharedFunctionalGroupsSequence[0]) == 0
    for frame in seg.PerFrameFunctionalGroupsSequence:
        assert "PlanePositionSequence" not in frame
    found = by_highdicom(path, headers)
    assert np.array_equal(found, np.stack([mask.labels == v for v in (1, 2, 3)], axis=-1))
    assert compare_seg(read_seg(path), [mask], headers).doubts == ()


def test_frames_of_one_file_are_told_apart(tmp_path):
    headers = enhanced(tmp_path)
    mask = lesions((4, 12, 10))
    path, _ = write(tmp_path, headers, [mask])
    found = highdicom.seg.segread(path).get_pixels_by_source_frame(
        headers[0].sop_instance_uid, [1, 2, 3, 4], combine_segments=True,
        assert_missing_frames_are_empty=True,
    )  # fmt: skip
    frames = [header.frame for header in headers]
    assert np.array_equal(found[frames], mask.labels)
    seg = pydicom.dcmread(path)
    (referred,) = seg.ReferencedSeriesSequence
    assert len(referred.ReferencedInstanceSequence) == 1
    assert compare_seg(read_seg(path), [mask], headers).doubts == ()
