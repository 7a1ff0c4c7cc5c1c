"""Builds small series, masks on them and segmentations of both."""

from datetime import datetime

import highdicom
import numpy as np
import pydicom
from dicom_samples import write_frames, write_slice

from napari_chest import findings
from napari_chest.files.dicom import index_folder, main_series, read_header
from napari_chest.files.dicom_seg import SegIdentity, write_seg
from napari_chest.model import Mask, Segment

FRAME_OF_REFERENCE = "1.2.9.1"
IDENTITY = SegIdentity(
    "Purple Group 1", "1.2.7.1", "1.2.7.2", "1.2.7.3", datetime(2026, 1, 2, 3, 4, 5), 9001
)
SHAPE = (5, 13, 11)  # 143 voxels in a frame: frames begin within bytes
OBLIQUE = [0.96, 0.28, 0, -0.28, 0.96, 0]
TILTED = [1, 0, 0, 0, 0.96, -0.28]
LAYOUTS = {
    "axial": {},
    "single": {"count": 1},
    "oblique": {"orientation": OBLIQUE},
    "tilted": {"orientation": TILTED},
    "missing": {"tops": [50, 47.5, 45, 35, 32.5], "SliceThickness": "5"},
    "uneven": {"tops": [50, 47.5, 44.1, 40, 37.5]},
}


def series(folder, *, count=5, orientation=(1, 0, 0, 0, 1, 0), tops=None, syntax=None, **changes):
    """The headers of an axial stack of 13 x 11 with a frame of reference, in display order."""
    folder.mkdir(parents=True, exist_ok=True)
    changes = {"FrameOfReferenceUID": FRAME_OF_REFERENCE, **changes}
    if changes["FrameOfReferenceUID"] is None:
        del changes["FrameOfReferenceUID"]
    for number, top in enumerate(tops or [50 - 2.5 * n for n in range(count)], 1):
        write_slice(
            folder / f"s{number:02}.dcm", top, number,
            stored=np.full(SHAPE[1:], number, np.uint16),
            ImageOrientationPatient=list(orientation),
            **({"syntax": syntax} if syntax else {}), **changes,
        )  # fmt: skip
    return main_series(index_folder(folder)[0]).slices


def lesions(shape=SHAPE, seed=0, dtype=np.uint8):
    """Ground glass, consolidation and effusion; slice 2 is empty, consolidation is on one slice."""
    labels = np.random.default_rng(seed).choice([0, 0, 1, 3], shape).astype(dtype)
    labels[0, :3] = 2
    if shape[0] > 2:
        labels[2] = 0
    segments = (
        findings.GROUND_GLASS.segment(1),
        findings.CONSOLIDATION.segment(2),
        findings.PLEURAL_EFFUSION.segment(3),
        findings.CAVITY.segment(4),  # of which nothing is drawn
    )
    return Mask("Lesions", labels, segments)


def overlapping(mask):
    """A second mask over part of the first."""
    return Mask(
        "Bounds", (mask.labels > 1).astype(np.uint16) * 300, (Segment(300, "Ä", "#FFFFFF"),)
    )


def write(folder, headers, masks=None):
    masks = masks or [lesions((len(headers), *SHAPE[1:]))]
    path = folder / "out" / "seg.dcm"
    write_seg(path, headers, masks, IDENTITY)
    return path, masks


def by_highdicom(path, headers):
    """The voxels (Z, Y, X, segment) that highdicom reads for these images."""
    return highdicom.seg.segread(path).get_pixels_by_source_instance(
        [header.sop_instance_uid for header in headers], assert_missing_frames_are_empty=True
    )


def radiograph(folder):
    """A radiograph without a frame of reference."""
    folder.mkdir(exist_ok=True)
    changes = dict.fromkeys(("ImagePositionPatient", "ImageOrientationPatient", "SliceLocation"))
    write_slice(
        folder / "dx.dcm", stored=np.zeros((20, 9), np.uint16), Modality="DX",
        sop_class="1.2.840.10008.5.1.4.1.1.1.1", PatientOrientation=["L", "F"], **changes,
    )  # fmt: skip
    return (read_header(folder / "dx.dcm"),)


def enhanced(folder):
    """Four frames of one enhanced CT file, of 12 x 10."""
    folder = folder / "enhanced"
    folder.mkdir()
    frames = [np.full((12, 10), n, np.uint16) for n in range(4)]
    write_frames(folder / "ct.dcm", frames, [30.0, 20.0, 10.0, 0.0])
    dataset = pydicom.dcmread(folder / "ct.dcm")
    dataset.FrameOfReferenceUID = FRAME_OF_REFERENCE
    dataset.save_as(folder / "ct.dcm")
    return main_series(index_folder(folder)[0]).slices
