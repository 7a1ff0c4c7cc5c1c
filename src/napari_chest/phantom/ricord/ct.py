"""The CT of the synthetic RICORD-1A: axial series, coronal slices and scouts as DICOM files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pydicom.uid import CTImageStorage
from scipy import ndimage

from napari_chest.phantom.chest import make_chest
from napari_chest.phantom.dicom import (
    INTERCEPT,
    Encoding,
    decimal_string,
    encode_elements,
    write_image,
)
from napari_chest.phantom.radiograph import expose
from napari_chest.phantom.ricord.cases import CORONAL, SCOUT
from napari_chest.phantom.ricord.download import Listed, new_uid
from napari_chest.phantom.ricord.truth import SeriesTruth

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future, ThreadPoolExecutor
    from pathlib import Path

    import numpy.typing as npt

    from napari_chest.phantom.chest import Chest
    from napari_chest.phantom.ricord.cases import CtStudy
    from napari_chest.phantom.ricord.download import Download
    from napari_chest.phantom.ricord.truth import SeriesKind

PADDING = -2000
"""Stored value around the circle of reconstruction."""

NOTHING = -1024
"""Hounsfield units of the truth where the stored value is padding."""

_TOP, _BED = -60.0, -130.0  # patient z of the first slice and y of the middle of the picture, mm
_STEP = 3  # rows of the axial picture that one coronal slice stands for
_NODULE = 8.0  # radius in mm
_NODULE_HU = 35
_ORIENTATIONS: dict[str, tuple[str, ...]] = {
    "axial": ("1", "0", "0", "0", "1", "0"),
    "coronal": ("1", "0", "0", "0", "0", "-1"),
    "side": ("0", "1", "0", "0", "0", "-1"),
}


@dataclass(frozen=True, eq=False)
class _Series:
    """A series to write.

    Attributes
    ----------
    kind, number, description : as in the truth and in the headers.
    image_type : Image Type.
    stored : (Z, Y, X) in display order.
    orientations : which way each slice lies.
    corners : (Z, 3) patient x, y, z of each slice's first pixel, mm.
    spacing : mm between slices, rows and columns.
    encoding, intercept : of the stored values.
    numbers : Instance Number of each slice.
    """

    kind: SeriesKind
    number: int
    description: str
    image_type: tuple[str, ...]
    stored: npt.NDArray[np.int16]
    orientations: tuple[str, ...]
    corners: npt.NDArray[np.float64]
    spacing: tuple[float, float, float]
    encoding: Encoding
    intercept: int
    numbers: npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Ct:
    """A study whose files are being written.

    Attributes
    ----------
    uid : Study Instance UID.
    series : the truth of its series.
    nodule : (Z, Y, X) bool.
    writes : to wait for.
    """

    uid: str
    chest: Chest
    series: tuple[SeriesTruth, ...]
    nodule: npt.NDArray[np.bool_]
    writes: list[Future[None]]

    @property
    def axial(self) -> SeriesTruth:
        """The series to draw in."""
        return next(series for series in self.series if series.kind == "axial")


def write_ct(
    pool: ThreadPoolExecutor,
    download: Download,
    final: Path,
    study: CtStudy,
    shape: tuple[int, int, int],
    seed: int,
) -> Ct:
    """Begin to write a study of ``shape`` (Z, Y, X) whose download will lie in ``final``."""
    chest = make_chest(
        shape,
        seed=seed,
        severity=study.severity,
        consolidated=study.consolidated,
        lobes=study.lobes,
        sex=study.sex,
    )
    rng = np.random.default_rng((seed, 4))
    nodule = _add_nodule(chest) if study.nodule else np.zeros(shape, np.bool_)
    uid, frame = new_uid(rng, study.tail), new_uid(rng)
    truths, writes = [], []
    for series in _series(study, chest, seed, rng):
        listed = Listed(
            study.patient,
            uid,
            study.date,
            study.description,
            new_uid(rng, f"{study.tail[:-1]}{series.number}"),
            series.number,
            series.description,
            "CT",
            CTImageStorage,
        )
        folder = download.add(listed)
        sops = tuple(new_uid(rng) for _ in series.stored)
        truth, own = _write(pool, folder, study, series, listed, sops, frame)
        truths.append(
            SeriesTruth(
                listed.uid,
                series.kind,
                series.description,
                final / folder.relative_to(download.folder),
                *truth,
                _shown(series, study),
            )
        )
        writes += own
    return Ct(uid, chest, tuple(truths), nodule, writes)


def _shown(series: _Series, study: CtStudy) -> npt.NDArray[np.int16]:
    if series.kind == "scout":
        return series.stored
    voxels = series.stored + np.int16(series.intercept)
    if study.padded:
        voxels[series.stored == PADDING] = NOTHING
    return voxels


def _series(study: CtStudy, chest: Chest, seed: int, rng: np.random.Generator) -> Iterator[_Series]:
    if study.planned:
        yield _scout(chest, seed)
    yield _axial(study, chest, rng)
    if study.planned:
        yield _coronal(chest)


def _axial(study: CtStudy, chest: Chest, rng: np.random.Generator) -> _Series:
    count, rows, columns = chest.voxels.shape
    stored = chest.voxels - np.int16(study.intercept)
    if study.padded:
        y, x = (np.arange(n) - (n - 1) / 2 for n in (rows, columns))
        outside = np.hypot(y[:, None] / rows, x / columns) > 0.5
        stored[:, outside] = PADDING
    if not study.encoding.signed:
        stored = np.clip(stored, 0, 2**study.encoding.bits - 1)
    corners = np.tile(_corner(chest), (count, 1))
    corners[:, 2] -= np.arange(count) * chest.spacing[0]
    # The scanner went from the feet up, as the numbers of the files do.
    numbers = rng.permutation(count) + 1 if study.shuffled else np.arange(count, 0, -1)
    kind = ("ORIGINAL", "PRIMARY", "AXIAL")
    number = 2 if study.planned else 4
    return _Series(
        "axial", number, study.series, kind, stored, ("axial",) * count, corners, chest.spacing,
        study.encoding, study.intercept, numbers,
    )  # fmt: skip


def _corner(chest: Chest) -> npt.NDArray[np.float64]:
    """Patient x, y, z of the first voxel, mm."""
    _, step_y, step_x = chest.spacing
    _, rows, columns = chest.voxels.shape
    return np.array([-step_x * (columns - 1) / 2, _BED - step_y * (rows - 1) / 2, _TOP])


def _coronal(chest: Chest) -> _Series:
    """Every third row of the axial picture, interpolated to square pixels."""
    step_z, step_y, step_x = chest.spacing
    across = chest.voxels[:, ::_STEP].transpose(1, 0, 2)
    zoom = round(across.shape[1] * step_z / step_x) / across.shape[1]
    fine = ndimage.zoom(across, (1, zoom, 1), order=1, mode="nearest", grid_mode=True)
    step = step_z / zoom
    stored = np.clip(fine - INTERCEPT, 0, 4095).astype(np.int16)
    corners = np.tile(_corner(chest), (len(stored), 1))
    corners[:, 1] += np.arange(len(stored)) * _STEP * step_y
    corners[:, 2] += (step_z - step) / 2
    kind = ("DERIVED", "SECONDARY", "REFORMATTED")
    return _Series(
        "coronal", 3, CORONAL, kind, stored, ("coronal",) * len(stored), corners,
        (_STEP * step_y, step, step_x), Encoding(lossless=True), INTERCEPT,
        np.arange(1, len(stored) + 1),
    )  # fmt: skip


def _scout(chest: Chest, seed: int) -> _Series:
    """A picture from the front and one from the side, each as wide as the chest."""
    count, _, columns = chest.voxels.shape
    step_z, _, step_x = chest.spacing
    size = (round(count * step_z / step_x), columns)
    pictures = [expose(chest, view, size, seed).picture for view in ("front", "side")]
    stored = np.rint(1000 * np.clip(np.stack(pictures), 0, 2)).astype(np.int16)
    corners = np.tile(_corner(chest), (2, 1))
    corners[0, 1], corners[1, 0] = _BED, 0
    spacing = (step_x, count * step_z / size[0], step_x)
    kind = ("ORIGINAL", "PRIMARY", "LOCALIZER")
    return _Series(
        "scout", 1, SCOUT, kind, stored, ("coronal", "side"), corners, spacing,
        Encoding(lossless=True), INTERCEPT, np.array([1, 2]),
    )  # fmt: skip


def _add_nodule(chest: Chest) -> npt.NDArray[np.bool_]:
    """Put a nodule into the middle of the healthy part of the lungs; returns where."""
    healthy = (chest.lobes > 0) & (chest.opacity == 0)
    depth = ndimage.distance_transform_edt(np.pad(healthy, 1), sampling=chest.spacing)
    middle = np.unravel_index(depth[1:-1, 1:-1, 1:-1].argmax(), healthy.shape)
    z, y, x = (
        (np.arange(n) - at) * step
        for n, at, step in zip(healthy.shape, middle, chest.spacing, strict=True)
    )
    radius = max(_NODULE, 1.5 * max(chest.spacing[1:]))
    apart = np.sqrt(z[:, None, None] ** 2 + y[:, None] ** 2 + x**2)
    inside: npt.NDArray[np.bool_] = (apart < radius) & healthy
    chest.voxels[inside] = _NODULE_HU
    return inside


def _write(
    pool: ThreadPoolExecutor,
    folder: Path,
    study: CtStudy,
    series: _Series,
    listed: Listed,
    sops: tuple[str, ...],
    frame: str,
) -> tuple[tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]], list[Future[None]]]:
    """File names, SOP Instance UIDs and the names of files that repeat a slice."""
    shared = encode_elements(_shared(study, series, listed, frame), signed=series.encoding.signed)
    files = tuple(f"1-{number:03d}.dcm" for number in series.numbers)

    def write(name: str, z: int) -> None:
        own = _own(series, z) | {"SOPInstanceUID": sops[z]}
        write_image(folder / name, series.stored[z], series.encoding, shared, own)

    writes = [pool.submit(write, name, z) for z, name in enumerate(files)]
    repeated: tuple[str, ...] = ()
    if study.duplicated:
        repeated = (f"1-{len(files) + 1:03d}.dcm",)
        writes.append(pool.submit(write, repeated[0], len(files) // 2))
    return (files, sops, repeated), writes


def _shared(study: CtStudy, series: _Series, listed: Listed, frame: str) -> dict[str, object]:
    spacing = [decimal_string(step) for step in series.spacing]
    values: dict[str, object] = {
        "SpecificCharacterSet": "ISO_IR 100",
        "ImageType": list(series.image_type),
        "StudyDate": study.date,
        "SeriesDate": study.date,
        "StudyTime": "",
        "AccessionNumber": "",
        "Modality": "CT",
        "Manufacturer": "Synthetic",
        "ReferringPhysicianName": "",
        "ManufacturerModelName": "napari-chest phantom",
        "PatientName": study.patient,
        "PatientID": study.patient,
        "PatientBirthDate": "",
        "PatientSex": study.sex,
        "PatientAge": f"{study.age:03d}Y",
        "PatientIdentityRemoved": "YES",
        "BodyPartExamined": "CHEST",
        "SliceThickness": spacing[0],
        "KVP": "120",
        "PatientPosition": "HFS",
        "StudyInstanceUID": listed.study_uid,
        "SeriesInstanceUID": listed.uid,
        "StudyID": "",
        "SeriesNumber": str(listed.number),
        "AcquisitionNumber": "1",
        "FrameOfReferenceUID": frame,
        "PositionReferenceIndicator": "",
        "PhotometricInterpretation": "MONOCHROME2",
        "PixelSpacing": spacing[1:],
        "WindowCenter": "-600",
        "WindowWidth": "1500",
        "RescaleIntercept": str(series.intercept),
        "RescaleSlope": "1",
        "ImageComments": "Synthetic phantom, no patient",
    }
    if study.description:
        values["StudyDescription"] = study.description
    if series.description:
        values["SeriesDescription"] = series.description
    if study.padded:
        values["PixelPaddingValue"] = PADDING
    return values


def _own(series: _Series, z: int) -> dict[str, object]:
    return {
        "SOPClassUID": CTImageStorage,
        "InstanceNumber": str(series.numbers[z]),
        "ImageOrientationPatient": list(_ORIENTATIONS[series.orientations[z]]),
        "ImagePositionPatient": [decimal_string(mm) for mm in series.corners[z]],
        "SliceLocation": decimal_string(series.corners[z][2]),
    }
