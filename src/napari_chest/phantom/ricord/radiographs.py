"""The radiographs of the synthetic RICORD-1C as DICOM files."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
)

from napari_chest.phantom.chest import make_chest
from napari_chest.phantom.dicom import decimal_string, encode_elements, write_image
from napari_chest.phantom.radiograph import expose, volume_shape
from napari_chest.phantom.ricord.download import Listed, new_uid
from napari_chest.phantom.ricord.exams import GRADES
from napari_chest.phantom.ricord.truth import ShotTruth

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from napari_chest.phantom.chest import Chest
    from napari_chest.phantom.radiograph import Radiograph
    from napari_chest.phantom.ricord.download import Download
    from napari_chest.phantom.ricord.exams import Exam, Shot

_CLASSES = {
    "CR": ComputedRadiographyImageStorage,
    "DX": DigitalXRayImageStorageForPresentation,
}
_ENOUGH = 0.02  # share of a zone of the lungs from which on its opacity counts


class Exposed(NamedTuple):
    """An exam as written: Study Instance UID, grade of its disease, empty if none, its images."""

    uid: str
    grade: str
    shots: tuple[ShotTruth, ...]


def write_exam(
    download: Download, final: Path, exam: Exam, size: tuple[int, int], seed: int
) -> Exposed:
    """Write an exam of images of ``size`` (rows, columns) whose download will lie in ``final``."""
    chest = make_chest(
        volume_shape(size, {shot.view for shot in exam.shots}),
        seed=seed,
        severity=exam.severity,
        consolidated=exam.consolidated,
        lobes=exam.lobes,
        sex=exam.sex,
    )
    rng = np.random.default_rng((seed, 4))
    uid, truths = new_uid(rng, exam.tail), []
    listed: Listed | None = None
    for number, shot in enumerate(exam.shots, 1):
        if listed is None or not shot.together:
            listed = _listed(exam, shot, uid, number, rng)
            folder = download.add(listed)
        instance = number - listed.number + 1
        shown = expose(chest, shot.view, size, seed + number)
        pixels, sop = _stored(shown.picture, shot), new_uid(rng)
        name = f"1-{instance:03d}.dcm"
        own = _own(shot, shown, instance) | {"SOPInstanceUID": sop}
        shared = encode_elements(_shared(exam, listed))
        write_image(folder / name, pixels, shot.encoding, shared, own)
        path = final / folder.relative_to(download.folder) / name
        truths.append(
            ShotTruth(
                path,
                listed.uid,
                sop,
                shot.modality,
                shot.view,
                shot.description,
                shot.inverted,
                pixels,
            )
        )
    return Exposed(uid, _grade(chest), tuple(truths))


def _listed(exam: Exam, shot: Shot, uid: str, number: int, rng: np.random.Generator) -> Listed:
    return Listed(
        exam.patient,
        uid,
        exam.date,
        exam.description,
        new_uid(rng, f"{exam.tail}{number}"),
        number,
        shot.description,
        shot.modality,
        _CLASSES[shot.modality],
    )


def _stored(picture: npt.NDArray[np.float32], shot: Shot) -> npt.NDArray[np.uint16]:
    """Stored values of a picture of 0 black to 1 white."""
    top = 2**shot.encoding.bits - 1
    # No exposure reaches either end of what a detector stores.
    values = np.rint((0.04 + 0.9 * picture) * top)
    stored: npt.NDArray[np.uint16] = (top - values if shot.inverted else values).astype(np.uint16)
    return stored


def _grade(chest: Chest) -> str:
    """The grade of a chest, by how many of six zones show disease: each lung in three parts."""
    zones = 0
    for left in (True, False):
        lung = (chest.lobes > 0) & ((chest.lobes <= 2) == left)
        rows = np.flatnonzero(lung.any(axis=(1, 2)))
        for part in np.array_split(rows, 3):
            within = lung[part]
            sick = within & (chest.opacity[part] > 0)
            zones += int(sick.sum() > _ENOUGH * within.sum())
    return GRADES[min((zones - 1) // 2, 2)] if zones else ""


def _shared(exam: Exam, listed: Listed) -> dict[str, object]:
    values: dict[str, object] = {
        "SpecificCharacterSet": "ISO_IR 100",
        "ImageType": ["DERIVED", "PRIMARY"],
        "StudyDate": exam.date,
        "StudyTime": "",
        "AccessionNumber": "",
        "Modality": listed.modality,
        "Manufacturer": "Synthetic",
        "ReferringPhysicianName": "",
        "ManufacturerModelName": "napari-chest phantom",
        "PatientName": exam.patient,
        "PatientID": exam.patient,
        "PatientBirthDate": "",
        "PatientSex": exam.sex,
        "PatientAge": f"{exam.age:03d}Y",
        "PatientIdentityRemoved": "YES",
        "BodyPartExamined": "CHEST",
        "StudyInstanceUID": listed.study_uid,
        "SeriesInstanceUID": listed.uid,
        "StudyID": "",
        "SeriesNumber": str(listed.number),
        "ImageComments": "Synthetic phantom, no patient",
    }
    if exam.description:
        values["StudyDescription"] = exam.description
    if listed.description:
        values["SeriesDescription"] = listed.description
    return values


def _own(shot: Shot, shown: Radiograph, instance: int) -> dict[str, object]:
    middle = 2 ** (shot.encoding.bits - 1)
    values: dict[str, object] = {
        "SOPClassUID": _CLASSES[shot.modality],
        "InstanceNumber": str(instance),
        "PatientOrientation": ["L", "F"] if shot.view == "front" else ["P", "F"],
        "ViewPosition": "LL" if shot.view == "side" else "AP",
        "ImagerPixelSpacing": [decimal_string(step) for step in shown.spacing],
        "PhotometricInterpretation": "MONOCHROME1" if shot.inverted else "MONOCHROME2",
        "WindowCenter": str(middle),
        "WindowWidth": str(2 * middle),
    }
    if shot.modality == "DX":
        values |= {
            "PresentationIntentType": "FOR PRESENTATION",
            "PresentationLUTShape": "INVERSE" if shot.inverted else "IDENTITY",
            "RescaleIntercept": "0",
            "RescaleSlope": "1",
            "RescaleType": "US",
        }
    return values
