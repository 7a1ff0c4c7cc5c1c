"""The CT of the synthetic BIMCV COVID-19: axial, coronal, and the scout they were planned on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from napari_chest.phantom.bimcv.cases import (
    CT_CONSOLIDATED,
    CT_LOBES,
    CT_SESSION,
    CT_SEVERITY,
    CT_SUBJECT,
    PERSONS,
    session_id,
    subject_id,
)
from napari_chest.phantom.bimcv.radiographs import DATE, TIME
from napari_chest.phantom.bimcv.sidecars import Acquisition, dicom_json, referenced_image
from napari_chest.phantom.bimcv.truth import FINDINGS, ImageTruth
from napari_chest.phantom.chest import make_chest
from napari_chest.phantom.folder import seed_of
from napari_chest.phantom.nifti import nifti_file, nifti_header, stored_axially
from napari_chest.phantom.radiograph import expose

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from napari_chest.phantom.bimcv.layout import Writer
    from napari_chest.phantom.chest import Chest

Voxels = TypeVar("Voxels", bound="npt.NDArray[Any]")

_SLICES, _SIZE = 80, 160
_STEP = 4  # rows of the axial picture that one coronal slice stands for
_MIDDLE = (0.0, -20.0, -150.0)  # x, y, z of the chest's middle in the patient, RAS+ mm


@dataclass(frozen=True, eq=False)
class _Series:
    """Voxels in stored order, the slowest axis first, and their (4, 4) affine to RAS+ mm."""

    run: int
    view: str
    stored: npt.NDArray[np.int16]
    affine: npt.NDArray[np.float64]


def write_volumes(writer: Writer, size: tuple[int, int]) -> None:
    """Write the CTs, not finer than a radiograph of ``size`` (rows, columns)."""
    slices, pixels = min(_SLICES, size[0]), min(_SIZE, size[1])
    seed = seed_of(writer.seed, CT_SUBJECT)
    chest = make_chest(
        (slices, pixels, pixels),
        seed=seed,
        severity=CT_SEVERITY,
        consolidated=CT_CONSOLIDATED,
        lobes=CT_LOBES,
        sex=PERSONS[CT_SUBJECT].sex,
    )
    axial, affine = stored_axially(chest.voxels, chest.spacing, _MIDDLE)
    path, sidecar = _write(writer, _Series(1, "axial", axial, affine))
    writer.images.append(_truth(path, sidecar, "axial", chest.voxels, chest.opacity))

    across = _coronal(chest.voxels)
    coronal = _Series(2, "coronal", across[:, ::-1], _coronal_affine(chest, affine, _STEP))
    path, sidecar = _write(writer, coronal)
    writer.images.append(_truth(path, sidecar, "coronal", across, _coronal(chest.opacity)))

    picture = expose(chest, "front", (slices, pixels), seed).picture[None, ::-1]
    scout = np.rint(1000 * picture).astype(np.int16)
    series = _Series(3, "localizer", scout, _coronal_affine(chest, affine, pixels))
    writer.others.setdefault(CT_SESSION, []).append(_write(writer, series)[0].name)


def write_scanned_page(writer: Writer) -> None:
    """Write a page of a report in colour, which BIMCV has among its CTs."""
    page = np.full((1, 64, 48, 3), 255, np.uint8)
    page[0, 8:-8:6, 6:-6] = 40  # its lines
    header = nifti_header((48, 64, 1), np.eye(4), "", [("R", "u1"), ("G", "u1"), ("B", "u1")])
    path = _write_file(writer, 4, header, page)
    writer.others.setdefault(CT_SESSION, []).append(path.name)


def _coronal(display: Voxels) -> Voxels:
    """Slices from front to back of a volume (Z, Y, X) in display order."""
    return cast("Voxels", display[:, ::_STEP].swapaxes(0, 1))


def _coronal_affine(
    chest: Chest, axial: npt.NDArray[np.float64], rows: int
) -> npt.NDArray[np.float64]:
    """The affine of slices of so many rows that are stored to the left, the head and the back."""
    step_z, step_y, step_x = chest.spacing
    affine = np.zeros((4, 4))
    affine[0, 0], affine[2, 1], affine[1, 2] = -step_x, step_z, -rows * step_y
    affine[:, 3] = axial @ (0, chest.voxels.shape[1] - 1, 0, 1)
    return affine


def _write_file(writer: Writer, run: int, header: bytes, stored: npt.NDArray[Any]) -> Path:
    """Write a NIfTI file of the session; returns where it will be."""
    start = f"{subject_id(CT_SUBJECT)}_{session_id(CT_SESSION)}"
    name = f"{start}_run-{run}_bp-chest_ct.nii"
    folder = f"{writer.session(CT_SUBJECT, CT_SESSION)}/mod-rx"
    return writer.write(f"{folder}/{name}.gz", nifti_file(header, stored, name))


def _write(writer: Writer, series: _Series) -> tuple[Path, Path]:
    """Write a series and its JSON; returns where they will be."""
    header = nifti_header(series.stored.shape[::-1], series.affine, "TE=0;sec=36900.0000")
    path = _write_file(writer, series.run, header, series.stored)
    _, rows, columns = series.stored.shape
    writer.sizes[path.name] = (rows, columns)
    step_x, step_y = np.linalg.norm(series.affine[:3, :2], axis=0)
    date, time = DATE.format(10 + CT_SESSION), TIME.format(8 + CT_SESSION)
    person = PERSONS[CT_SUBJECT]
    made = Acquisition(
        referenced_image("CT", date, time, writer.study(CT_SESSION), writer.rng),
        person.sex,
        person.age,
        series.view.upper(),
        (rows, columns),
        (float(step_y), float(step_x)),
        16,
        windows="several",
    )
    folder = writer.session(CT_SUBJECT, CT_SESSION)
    name = path.name.replace(".nii.gz", ".json")
    return path, writer.write(f"{folder}/mod-rx/{name}", dicom_json(made))


def _truth(
    path: Path,
    sidecar: Path,
    view: str,
    voxels: npt.NDArray[np.int16],
    opacity: npt.NDArray[np.generic],
) -> ImageTruth:
    return ImageTruth(
        subject_id(CT_SUBJECT),
        session_id(CT_SESSION),
        path,
        sidecar,
        None,
        "CT",
        view,
        False,
        voxels,
        {name: np.equal(opacity, kind) for kind, name in FINDINGS.items()},
    )
