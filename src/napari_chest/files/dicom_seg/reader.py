"""Reads a binary DICOM Segmentation, to see what was really written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pydicom
from pydicom.filereader import read_file_meta_info

from napari_chest.codes import Term
from napari_chest.errors import ReadError
from napari_chest.files.atomic import reason
from napari_chest.files.dicom import tags
from napari_chest.files.dicom.fallback import quiet_pydicom
from napari_chest.files.dicom_seg.writer import SEGMENTATION_STORAGE

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt
    from pydicom.dataset import Dataset

    Numbers = tuple[float, ...]

_LARGEST: Final = 2 * 2**30


@dataclass(frozen=True)
class SegSegment:
    """A segment as the file describes it: number, label, description, and what it shows."""

    number: int
    label: str
    description: str
    category: Term
    kind: Term


@dataclass(frozen=True)
class SegFrame:
    """What the file says of one frame.

    Attributes
    ----------
    segment : number of its segment.
    sop_uid : SOP Instance UID of the image it was drawn on.
    source_frame : that image's frame from 0; None where the image has a single one.
    position : Image Position (Patient), LPS mm; None without a frame of reference.
    """

    segment: int
    sop_uid: str
    source_frame: int | None
    position: Numbers | None


@dataclass(frozen=True, eq=False)
class SegFile:
    """A binary segmentation.

    Attributes
    ----------
    reader : the content's creator.
    study_uid, series_uid : of the study and of the series it refers to.
    frame_of_reference : its UID; empty without one.
    orientation, pixel_spacing : of all frames; None without a frame of reference.
    segments : in the order of their numbers.
    frames : in the file's order.
    shape : rows and columns.
    """

    reader: str
    study_uid: str
    series_uid: str
    frame_of_reference: str
    orientation: Numbers | None
    pixel_spacing: Numbers | None
    segments: tuple[SegSegment, ...]
    frames: tuple[SegFrame, ...]
    shape: tuple[int, int]
    pixels: bytes

    def frame(self, index: int) -> npt.NDArray[np.bool_]:
        """The voxels (Y, X) of a frame."""
        size = self.shape[0] * self.shape[1]
        start, end = index * size, (index + 1) * size
        part = np.frombuffer(self.pixels, np.uint8)[start // 8 : -(-end // 8)]
        bits = np.unpackbits(part, bitorder="little")[start % 8 :][:size]
        return bits.reshape(self.shape).view(np.bool_)


def read_seg(path: Path) -> SegFile:
    """Read a binary segmentation that is not compressed.

    Raises
    ------
    ReadError
        when the file is anything else, or says of itself what does not hold.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise ReadError(path, f"expected at most {_LARGEST:,} bytes.")
        with quiet_pydicom():
            syntax = read_file_meta_info(path).get("TransferSyntaxUID", "")
            if syntax != tags.EXPLICIT_LE:  # a deflated one would be inflated, whatever its size
                raise ReadError(path, "expected explicit VR little endian, found another encoding.")
            dataset = pydicom.dcmread(path)
            return _seg_file(path, dataset)
    except OSError as error:
        raise ReadError(path, f"cannot be read: {reason(error)}.") from error
    except ReadError:
        raise
    except Exception as error:  # pydicom lets many kinds escape from a damaged file
        raise ReadError(path, f"no segmentation could be read from it ({error}).") from error


def _seg_file(path: Path, dataset: Dataset) -> SegFile:
    if dataset.SOPClassUID != SEGMENTATION_STORAGE or dataset.SegmentationType != "BINARY":
        raise ReadError(path, "expected a binary DICOM Segmentation, found another object.")
    shape = (int(dataset.Rows), int(dataset.Columns))
    shared = dataset.SharedFunctionalGroupsSequence[0]
    frames = tuple(_frame(item, shared) for item in dataset.PerFrameFunctionalGroupsSequence)
    count = int(dataset.NumberOfFrames)
    needed = -(-count * shape[0] * shape[1] // 8)
    if len(frames) != count or len(dataset.PixelData) < needed:
        raise ReadError(
            path,
            f"it promises {count} frames of {shape[0]} x {shape[1]}, but describes {len(frames)} "
            f"and holds {len(dataset.PixelData)} of {needed} bytes.",
        )
    return SegFile(
        reader=str(dataset.ContentCreatorName),
        study_uid=str(dataset.StudyInstanceUID),
        series_uid=str(dataset.ReferencedSeriesSequence[0].SeriesInstanceUID),
        frame_of_reference=str(dataset.get("FrameOfReferenceUID", "")),
        orientation=_numbers(shared, "PlaneOrientationSequence", "ImageOrientationPatient"),
        pixel_spacing=_numbers(shared, "PixelMeasuresSequence", "PixelSpacing"),
        segments=tuple(map(_segment, dataset.SegmentSequence)),
        frames=frames,
        shape=shape,
        pixels=dataset.PixelData,
    )


def _segment(item: Dataset) -> SegSegment:
    return SegSegment(
        int(item.SegmentNumber),
        str(item.SegmentLabel),
        str(item.get("SegmentDescription", "")),
        _term(item.SegmentedPropertyCategoryCodeSequence[0]),
        _term(item.SegmentedPropertyTypeCodeSequence[0]),
    )


def _term(item: Dataset) -> Term:
    return Term(str(item.CodeValue), str(item.CodingSchemeDesignator), str(item.CodeMeaning))


def _frame(item: Dataset, shared: Dataset) -> SegFrame:
    image = _group(item, shared, "DerivationImageSequence").SourceImageSequence[0]
    segment = _group(item, shared, "SegmentIdentificationSequence")
    number = image.get("ReferencedFrameNumber")
    return SegFrame(
        int(segment.ReferencedSegmentNumber),
        str(image.ReferencedSOPInstanceUID),
        None if number is None else int(number) - 1,
        _numbers(item, "PlanePositionSequence", "ImagePositionPatient")
        or _numbers(shared, "PlanePositionSequence", "ImagePositionPatient"),
    )


def _group(item: Dataset, shared: Dataset, keyword: str) -> Dataset:
    """What the frame's functional groups say, else what is said of all frames."""
    group: Dataset = (item if keyword in item else shared)[keyword][0]
    return group


def _numbers(item: Dataset, sequence: str, keyword: str) -> Numbers | None:
    if sequence not in item:
        return None
    return tuple(float(value) for value in item[sequence][0][keyword].value)
