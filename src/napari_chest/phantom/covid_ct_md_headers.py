"""DICOM headers of the two families of files in COVID-CT-MD, as tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydicom.uid import CTImageStorage

from napari_chest.phantom.dicom import BITS_STORED, INTERCEPT, decimal_string

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_chest.phantom.patient import Sex

Family = Literal["named", "IM"]

_TOP = -60.0  # patient z of the first slice, mm
_BED = -130.0  # patient y of the middle of the picture, mm
_DATE = "20200305"
_TIME = "101500.000000"

_SCANNER: dict[str, object] = {
    "SpecificCharacterSet": "ISO_IR 100",
    "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL", "CT_SOM5 SPI"],
    "SOPClassUID": CTImageStorage,
    "AccessionNumber": "",
    "Modality": "CT",
    "Manufacturer": "Synthetic",
    "ReferringPhysicianName": "",
    "ManufacturerModelName": "napari-chest phantom",
    "BodyPartExamined": "CHEST",
    "KVP": "110",
    "SoftwareVersions": "phantom",
    "GantryDetectorTilt": "0",
    "ConvolutionKernel": "D40s",
    "PatientPosition": "HFS",
    "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"],
    "PositionReferenceIndicator": "",
    "ImageComments": "Synthetic phantom, no patient",
    "SamplesPerPixel": 1,
    "PhotometricInterpretation": "MONOCHROME2",
    "BitsAllocated": 16,
    "BitsStored": BITS_STORED,
    "HighBit": BITS_STORED - 1,
    "PixelRepresentation": 0,
    "WindowCenter": ["50", "-600"],
    "WindowWidth": ["350", "1200"],
    "RescaleIntercept": str(INTERCEPT),
    "RescaleSlope": "1",
    "WindowCenterWidthExplanation": ["WINDOW1", "WINDOW2"],
    "LossyImageCompression": "00",
}

# Present in one family and emptied in the other.
_SESSION: dict[str, object] = {
    "StudyDate": _DATE,
    "SeriesDate": _DATE,
    "AcquisitionDate": _DATE,
    "ContentDate": _DATE,
    "StudyTime": _TIME,
    "SeriesTime": _TIME,
    "AcquisitionTime": _TIME,
    "ContentTime": _TIME,
    "StationName": "PHANTOM",
    "StudyDescription": "Thorax^Phantom (Adult)",
    "SeriesDescription": "ThorRoutine  2.0  D40s",
    "DeviceSerialNumber": "00000",
    "DateOfLastCalibration": _DATE,
    "TimeOfLastCalibration": _TIME,
    "StudyID": "1",
    "SeriesNumber": "4",
    "AcquisitionNumber": "2",
}


@dataclass(frozen=True)
class Patient:
    """Who a series is of: the folder's name, the sex and the age in years."""

    leaf: str
    sex: Sex
    age: int


@dataclass(frozen=True)
class SeriesHeaders:
    """The headers of one series, by DICOM keyword.

    Attributes
    ----------
    shared : elements that all slices have in common.
    files : file names from head to feet.
    uids : SOP Instance UIDs from head to feet, empty strings in the "IM" family.
    step : mm between slices.
    corner : patient x and y of the first voxel, mm.
    """

    shared: Mapping[str, object]
    files: tuple[str, ...]
    uids: tuple[str, ...]
    step: float
    corner: tuple[float, float]

    def own(self, z: int) -> dict[str, object]:
        """Elements of display slice ``z`` alone, 0 at the head."""
        location = decimal_string(_TOP - z * self.step)
        return {
            "SOPInstanceUID": self.uids[z],
            "InstanceNumber": str(z + 1),
            "ImagePositionPatient": [
                decimal_string(self.corner[0]),
                decimal_string(self.corner[1]),
                location,
            ],
            "SliceLocation": location,
        }


def series_headers(
    patient: Patient,
    family: Family,
    shape: tuple[int, ...],
    spacing: tuple[float, float, float],
    seed: int,
) -> SeriesHeaders:
    """Headers of a series of ``shape`` (Z, Y, X) and ``spacing`` (z, y, x) in mm."""
    rng = np.random.default_rng((seed, 2))
    named = family == "named"
    patient_id = _patient_id(rng) if named else patient.leaf
    slices = range(1, shape[0] + 1)
    if named:
        numbers = rng.permutation(shape[0]) + 1
        files = tuple(f"{patient_id}_{number}.dcm" for number in numbers)
    else:
        files = tuple(f"IM{number:04d}.dcm" for number in slices)
    series = _uid(rng)
    shared = {
        **_SCANNER,
        **(_SESSION if named else dict.fromkeys(_SESSION, "") | {"DigitalSignatureUID": ""}),
        "PatientID": patient_id,
        "PatientSex": patient.sex,
        "PatientAge": f"{patient.age:03d}Y",
        "SliceThickness": decimal_string(spacing[0]),
        "ReconstructionDiameter": decimal_string(round(spacing[2] * shape[2])),
        "PixelSpacing": [decimal_string(spacing[1]), decimal_string(spacing[2])],
        "StudyInstanceUID": _uid(rng) if named else _dashed(rng),
        "SeriesInstanceUID": series if named else _dashed(rng),
        "FrameOfReferenceUID": _uid(rng) if named else "",
    }
    uids = tuple(f"{series}.{number}" if named else "" for number in slices)
    corner = (-spacing[2] * (shape[2] - 1) / 2, _BED - spacing[1] * (shape[1] - 1) / 2)
    return SeriesHeaders(shared, files, uids, spacing[0], corner)


def _patient_id(rng: np.random.Generator) -> str:
    return f"99S{rng.integers(1000, 9999)}-SYNT"


def _uid(rng: np.random.Generator) -> str:
    # 2.25 is the root for UIDs made from random numbers; short enough to append a slice number.
    return f"2.25.{rng.integers(10**17, 10**18)}{rng.integers(10**9, 10**10)}"


def _dashed(rng: np.random.Generator) -> str:
    digits = rng.bytes(16).hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
