"""Writing a DICOM Segmentation of 300 x 512 x 512 with four segments: beside highdicom.

Every contender starts from the same labels and the same headers, already read, and ends with a file
on disk; the turns alternate and the median counts. The floor packs the bits of the same frames and
writes them, and nothing else. What this project wrote is then read by highdicom, and what highdicom
wrote by this project, so that nobody is fast by being wrong. Run with the dependency group ``dev``:

    python benchmarks/dicom_seg.py [--runs 7]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import highdicom
import numpy as np
import pydicom
from highdicom.seg import SegmentationTypeValues as SegType
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, JPEGLSLossless, RLELossless, generate_uid

from napari_chest import findings
from napari_chest.files.dicom import index_folder, main_series
from napari_chest.files.dicom_seg import SegIdentity, encode_seg, read_seg, read_source, write_seg
from napari_chest.model import Mask, Segment
from napari_chest.phantom.dicom import encode_elements, write_slice

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from napari_chest.files.dicom import SliceHeader

    Labels = npt.NDArray[np.uint8]

SHAPE = (300, 512, 512)
SEGMENTS = (
    Segment(1, "Right lung", "#4878FF"),
    Segment(2, "Left lung", "#F0C000"),
    findings.GROUND_GLASS.segment(3),
    findings.CONSOLIDATION.segment(4),
)


def make_labels() -> Labels:
    """Two lungs with lesions in them; about 1,060 frames of a segment are not empty."""
    z, y, x = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    labels = np.zeros(SHAPE, np.uint8)
    for value, centre in ((1, 160), (2, 350)):
        labels[((z - 150) / 145) ** 2 + ((y - 256) / 150) ** 2 + ((x - centre) / 85) ** 2 < 1] = (
            value
        )
    random = np.random.default_rng(0)
    for value in (3, 4):
        for start in range(30, 270, 12):
            cy, cx = random.integers(170, 340), random.choice((160, 350)) + random.integers(-40, 40)
            blob = (z - start) ** 2 + (y - cy) ** 2 + (x - cx) ** 2 < random.integers(9, 28) ** 2
            labels[blob & (labels > 0)] = value
    return labels


def make_series(folder: Path) -> tuple[SliceHeader, ...]:
    """Files with headers as scanners write them and nothing to see."""
    stored = np.zeros(SHAPE[1:], np.uint16)
    study, series, frame = generate_uid(), generate_uid(), generate_uid()
    shared = encode_elements(
        {
            "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2",
            "StudyInstanceUID": study,
            "SeriesInstanceUID": series,
            "FrameOfReferenceUID": frame,
            "Modality": "CT",
            "PatientName": "",
            "PatientID": "1",
            "PatientBirthDate": "",
            "PatientSex": "",
            "StudyDate": "20200101",
            "StudyTime": "",
            "StudyID": "1",
            "AccessionNumber": "",
            "ReferringPhysicianName": "",
            "SeriesNumber": "1",
            "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"],
            "PixelSpacing": ["0.7", "0.7"],
            "SliceThickness": "1",
            "SamplesPerPixel": 1,
            "PhotometricInterpretation": "MONOCHROME2",
            "BitsAllocated": 16,
            "BitsStored": 12,
            "HighBit": 11,
            "PixelRepresentation": 0,
            "RescaleSlope": "1",
            "RescaleIntercept": "-1024",
        }
    )
    for z in range(SHAPE[0]):
        own = {
            "SOPInstanceUID": generate_uid(),
            "InstanceNumber": str(z + 1),
            "ImagePositionPatient": ["-180", "-180", str(150 - z)],
        }
        write_slice(folder / f"{z:03}.dcm", stored, shared, own)
    return main_series(index_folder(folder)[0]).slices


def ours(path: Path, headers: tuple[SliceHeader, ...], masks: list[Mask]) -> None:
    """This project, with the file brought safely to the disk as every save is."""
    write_seg(path, headers, masks, identity())


def ours_unsynced(path: Path, headers: tuple[SliceHeader, ...], masks: list[Mask]) -> None:
    """This project, without waiting for the disk, as the others do."""
    path.write_bytes(encode_seg(read_source(headers), masks, identity()))


def identity() -> SegIdentity:
    made = datetime(2026, 1, 2, tzinfo=UTC)
    return SegIdentity("Reader 1", generate_uid(), generate_uid(), generate_uid(), made)


def with_highdicom(
    path: Path, sources: list[pydicom.Dataset], labels: Labels, kind: SegType, syntax: str
) -> None:
    """highdicom, in one of its lossless ways."""
    described = [
        highdicom.seg.SegmentDescription(
            segment_number=segment.value,
            segment_label=segment.name,
            segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
            segmented_property_type=codes.SCT.Lesion,
            algorithm_type=highdicom.seg.SegmentAlgorithmTypeValues.MANUAL,
        )
        for segment in SEGMENTS
    ]
    highdicom.seg.Segmentation(
        source_images=sources,
        pixel_array=labels,
        segmentation_type=kind,
        segment_descriptions=described,
        series_instance_uid=generate_uid(),
        series_number=9000,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="m",
        manufacturer_model_name="m",
        software_versions="1",
        device_serial_number="1",
        transfer_syntax_uid=syntax,
    ).save_as(path)


def floor(path: Path, labels: Labels) -> None:
    """Pack the bits of the frames that are not empty and write them."""
    frames = []
    for value in range(1, 5):
        for plane in labels:
            frame = plane == value
            if frame.any():
                frames.append(np.packbits(frame, bitorder="little"))
    with path.open("wb") as file:
        for frame in frames:
            file.write(frame)


def measure(contenders: dict[str, Callable[[Path], None]], folder: Path, runs: int) -> None:
    """Print the median milliseconds of each contender, taken in turns, and its file's size."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    sizes = {}
    for run in range(runs + 1):
        for name, write in contenders.items():
            path = folder / "seg.dcm"
            path.unlink(missing_ok=True)
            started = time.perf_counter()
            write(path)
            elapsed = time.perf_counter() - started
            sizes[name] = path.stat().st_size / 2**20
            if run:
                times[name].append(1000 * elapsed)
    for name, taken in times.items():
        print(f"{name:42} {statistics.median(taken):7.0f} ms {sizes[name]:7.2f} MiB")


def check(path: Path, headers: tuple[SliceHeader, ...], labels: Labels) -> None:
    """Let highdicom read what this project wrote, and time both readers."""
    started = time.perf_counter()
    uids = [header.sop_instance_uid for header in headers]
    found = highdicom.seg.segread(path).get_pixels_by_source_instance(
        uids, combine_segments=True, assert_missing_frames_are_empty=True
    )
    print(f"{'highdicom reads it':42} {1000 * (time.perf_counter() - started):7.0f} ms")
    assert np.array_equal(found, labels)
    started = time.perf_counter()
    seg = read_seg(path)
    again = np.zeros(SHAPE, np.uint8)
    places = {uid: z for z, uid in enumerate(uids)}
    for index, frame in enumerate(seg.frames):
        again[places[frame.sop_uid]][seg.frame(index)] = frame.segment
    print(f"{'napari-chest reads it':42} {1000 * (time.perf_counter() - started):7.0f} ms")
    assert np.array_equal(again, labels)
    print(f"{len(seg.frames)} frames")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    labels = make_labels()
    masks = [Mask("Findings", labels, SEGMENTS)]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "series").mkdir()
        headers = make_series(folder / "series")
        sources = [pydicom.dcmread(header.path, stop_before_pixels=True) for header in headers]
        contenders: dict[str, Callable[[Path], None]] = {
            "floor": lambda path: floor(path, labels),
            "napari-chest": lambda path: ours(path, headers, masks),
            "napari-chest, not waiting for the disk": lambda path: ours_unsynced(
                path, headers, masks
            ),
        }
        for name, kind, syntax in (
            ("highdicom LABELMAP JPEG-LS", SegType.LABELMAP, JPEGLSLossless),
            ("highdicom LABELMAP RLE", SegType.LABELMAP, RLELossless),
            ("highdicom BINARY", SegType.BINARY, ExplicitVRLittleEndian),
        ):
            contenders[name] = lambda path, kind=kind, syntax=syntax: with_highdicom(
                path, sources, labels, kind, syntax
            )
        measure(contenders, folder, options.runs)
        ours(folder / "seg.dcm", headers, masks)
        check(folder / "seg.dcm", headers, labels)


if __name__ == "__main__":
    main()
