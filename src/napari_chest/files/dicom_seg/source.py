"""What a segmentation repeats of the images it was drawn on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pydicom
from pydicom.multival import MultiValue
from pydicom.valuerep import format_number_as_ds

from napari_chest.errors import ReadError
from napari_chest.files.dicom import tags
from napari_chest.files.dicom.fallback import quiet_pydicom

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from napari_chest.files.dicom import SliceHeader

_PATIENT_AND_STUDY: Final = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime",
    "ReferringPhysicianName", "StudyID", "AccessionNumber",
)  # fmt: skip
"""What the modules Patient and General Study require of every object (PS3.3 C.7.1.1, C.7.2.1)."""
_LOSSY: Final = (
    "LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod",
)  # fmt: skip
_PLACE: Final = ("FrameOfReferenceUID", "PositionReferenceIndicator", "PatientOrientation")
_UID: Final = re.compile(r"(?=.{1,64}$)[0-9]+(\.[0-9]+)+")
_LONGEST_TEXT: Final = 1024
_SAME: Final = 1e-4
"""Directions, and spacings in parts of each other, that differ by less are written as one."""
_SAME_STEP: Final = 0.01


@dataclass(frozen=True)
class Place:
    """Where the frames of a segmentation lie.

    Attributes
    ----------
    frame_of_reference : the source's Frame of Reference UID.
    indicator : its Position Reference Indicator.
    positions : Image Position (Patient) of each slice as decimal strings.
    orientation, pixel_spacing, thickness : of all slices, as decimal strings.
    step : mm between slices along their normal; empty for a single slice or for uneven steps that
        are no multiples of the smallest.
    """

    frame_of_reference: str
    indicator: str
    positions: tuple[str, ...]
    orientation: str
    pixel_spacing: str
    thickness: str
    step: str


@dataclass(frozen=True)
class Source:
    """The images of one series, in display order.

    Attributes
    ----------
    headers : one per slice.
    patient_and_study : the elements that a segmentation has in common with them, by keyword.
    lossy : what they say of lossy compression; empty where there was none.
    place : where they lie; None for a single image without a frame of reference, whose
        segmentation lies on it pixel by pixel (PS3.3 A.51.5.1).
    patient_orientation : where rows and columns run, as a radiograph tells it.
    """

    headers: tuple[SliceHeader, ...]
    patient_and_study: Mapping[str, str]
    lossy: Mapping[str, str]
    place: Place | None
    patient_orientation: str

    @property
    def shape(self) -> tuple[int, int, int]:
        """(Z, Y, X)."""
        first = self.headers[0]
        return len(self.headers), first.rows, first.columns


def read_source(headers: Sequence[SliceHeader]) -> Source:
    """Read from the first file what its headers do not hold, and see that all fit together.

    Raises
    ------
    ReadError
        when a segmentation cannot refer to the images or cannot be placed in the patient.
    """
    if not headers:
        raise ReadError("this case", "it has no DICOM images that a segmentation could refer to.")
    _refuse_unfit(headers)
    first = headers[0]
    values = _texts(first)
    patient = {keyword: values[keyword] for keyword in _PATIENT_AND_STUDY}
    lossy = {keyword: values[keyword] for keyword in _LOSSY if values[keyword]}
    return Source(
        tuple(headers),
        patient | {"StudyInstanceUID": first.study_uid},
        lossy if lossy.get("LossyImageCompression") == "01" else {},
        _place(headers, values),
        values["PatientOrientation"],
    )


def _refuse_unfit(headers: Sequence[SliceHeader]) -> None:
    first = headers[0]
    seen: set[tuple[str, int | None]] = set()
    for header in headers:
        for name, uid in (
            ("SOP Class UID", header.sop_class),
            ("SOP Instance UID", header.sop_instance_uid),
            ("Series Instance UID", header.series_uid),
            ("Study Instance UID", header.study_uid),
        ):
            if not _UID.fullmatch(uid):
                raise ReadError(
                    header.path,
                    f"its {name} is missing or no UID, so a segmentation cannot refer to it.",
                )
        if (header.study_uid, header.series_uid) != (first.study_uid, first.series_uid):
            raise ReadError(header.path, f"it is not of the same series as {first.name}.")
        if (header.rows, header.columns) != (first.rows, first.columns):
            raise ReadError(header.path, f"its image is not as large as that of {first.name}.")
        seen.add((header.sop_instance_uid, header.frame))
    if len(seen) < len(headers):
        raise ReadError(
            first.path.parent,
            "several images share a SOP Instance UID, so a segmentation cannot tell them apart.",
        )


def _texts(header: SliceHeader) -> dict[str, str]:
    """The further elements of a file as text; empty where it lacks them."""
    if header.transfer_syntax == tags.DEFLATED:  # pydicom would inflate it whole, whatever its size
        raise ReadError(header.path, "its data set is deflated; store it uncompressed first.")
    wanted = (*_PATIENT_AND_STUDY, *_LOSSY, *_PLACE)
    try:
        with quiet_pydicom():
            found = pydicom.dcmread(
                header.path,
                stop_before_pixels=True,
                force=True,
                specific_tags=["SpecificCharacterSet", *wanted],
            )
            return {keyword: _text(found.get(keyword)) for keyword in wanted}
    except Exception as error:  # pydicom lets many kinds escape from a damaged file
        raise ReadError(header.path, f"its header cannot be read ({error}).") from error


def _text(value: object) -> str:
    if value is None:
        return ""
    parts = value if isinstance(value, MultiValue) else [value]
    return "\\".join(str(part) for part in parts)[:_LONGEST_TEXT]


def _place(headers: Sequence[SliceHeader], values: Mapping[str, str]) -> Place | None:
    uid = values["FrameOfReferenceUID"]
    positions = [header.position for header in headers if header.position]
    orientations = [header.orientation for header in headers if header.orientation]
    spacings = [header.pixel_spacing for header in headers if header.pixel_spacing]
    placed = len(headers) == len(positions) == len(orientations) == len(spacings)
    if len(headers) == 1 and not (uid and placed):
        return None
    first = headers[0]
    if not _UID.fullmatch(uid):
        raise ReadError(
            first.path,
            "its Frame of Reference UID is missing or no UID. A segmentation of several slices "
            "needs one to say where they lie.",
        )
    if not placed:
        raise ReadError(
            first.path.parent,
            "Image Position, Image Orientation or Pixel Spacing is missing, so a segmentation "
            "cannot be placed in the patient.",
        )
    if np.ptp(orientations, axis=0).max() > _SAME or np.ptp(np.log(spacings), axis=0).max() > _SAME:
        raise ReadError(
            first.path.parent,
            "its slices differ in orientation or pixel spacing; a segmentation has one of each for "
            "all its frames.",
        )
    step = _step(np.array(positions), orientations[0])
    return Place(
        frame_of_reference=uid,
        indicator=values["PositionReferenceIndicator"],
        positions=tuple(map(decimals, positions)),
        orientation=decimals(orientations[0]),
        pixel_spacing=decimals(spacings[0]),
        thickness=decimals([first.slice_thickness or step or 1.0]),
        step=decimals([step]) if step else "",
    )


def _step(positions: npt.NDArray[np.float64], orientation: Sequence[float]) -> float:
    """The step along the normal, or 0 where there is none; slices that are missing do not count."""
    steps = np.abs(np.diff(positions @ np.cross(orientation[:3], orientation[3:])))
    if not len(steps) or not steps.min() > 0:
        return 0.0
    counts = np.rint(steps / steps.min())
    if (np.abs(steps - counts * steps.min()) > _SAME_STEP * steps.min()).any():
        return 0.0
    return float(steps.sum() / counts.sum())


def decimals(numbers: Sequence[float]) -> str:
    """Numbers as decimal strings of at most 16 characters each, joined by backslashes."""
    texts = (repr(float(number)) for number in numbers)
    return "\\".join(t if len(t) <= 16 else str(format_number_as_ds(float(t))) for t in texts)
