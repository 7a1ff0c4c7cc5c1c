"""The radiographs of the synthetic BIMCV COVID-19, with headers and outlined findings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_chest.phantom.aim import Roi, aim_file, outlines
from napari_chest.phantom.bimcv.cases import EXPOSURES, PERSONS, session_id, subject_id
from napari_chest.phantom.bimcv.sidecars import (
    Acquisition,
    dicom_json,
    referenced_image,
    result_set,
)
from napari_chest.phantom.bimcv.truth import FINDINGS, BimcvMistake, ImageTruth
from napari_chest.phantom.chest import make_chest
from napari_chest.phantom.folder import seed_of
from napari_chest.phantom.png import grey_png
from napari_chest.phantom.radiograph import expose, volume_shape

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from napari_chest.phantom.bimcv.cases import Exposure
    from napari_chest.phantom.bimcv.layout import Writer
    from napari_chest.phantom.chest import Chest
    from napari_chest.phantom.radiograph import Radiograph, View

DATE, TIME = "202003{:02d}", "{:02d}1500.000000"
"""Study date and time, by the number of the session."""


def write_radiographs(writer: Writer, size: tuple[int, int]) -> Iterator[None]:
    """Write all radiographs of ``size`` (rows, columns), one at a time."""
    for session in dict.fromkeys(exposure.session for exposure in EXPOSURES):
        exposures = [exposure for exposure in EXPOSURES if exposure.session == session]
        chest = _chest(exposures, size, writer.seed)
        for exposure in exposures:
            _write_radiograph(writer, exposure, chest, size)
            yield


def _view(exposure: Exposure) -> View:
    return "side" if exposure.projection == "lateral" else "front"


def _chest(exposures: Sequence[Exposure], size: tuple[int, int], seed: int) -> Chest:
    """The chest that all exposures of a session show."""
    first = exposures[0]
    return make_chest(
        volume_shape(size, {_view(exposure) for exposure in exposures}),
        seed=seed_of(seed, first.subject),
        severity=first.severity,
        consolidated=first.consolidated,
        lobes=first.lobes,
        sex=PERSONS[first.subject].sex,
    )


def _write_radiograph(
    writer: Writer, exposure: Exposure, chest: Chest, size: tuple[int, int]
) -> None:
    own_seed = seed_of(writer.seed, 100 * exposure.session + (exposure.acquisition or 0))
    shown = expose(chest, _view(exposure), size, own_seed)
    pixels = _stored(shown.picture, exposure)
    place = f"{writer.session(exposure.subject, exposure.session)}/mod-rx/{exposure.stem}"
    path = writer.write(f"{place}.png", grey_png(pixels))
    writer.sizes[path.name] = size
    made = _acquisition(writer, exposure, shown, size)
    header = {
        "model": dicom_json(made),
        "results": result_set(made),
        "broken": dicom_json(made)[:-40],
        "none": b"",
    }[exposure.sidecar]
    writer.images.append(
        ImageTruth(
            subject_id(exposure.subject),
            session_id(exposure.session),
            path,
            writer.write(f"{place}.json", header) if header else None,
            _write_rois(writer, exposure, shown, made) if exposure.rois else None,
            exposure.modality,
            exposure.projection,
            exposure.inverted,
            pixels,
            {FINDINGS[kind]: found for kind, found in shown.findings.items()},
        )
    )


def _stored(picture: npt.NDArray[np.float32], exposure: Exposure) -> npt.NDArray[Any]:
    """Stored values of a picture of 0 black to 1 white."""
    top = 2**exposure.bits - 1
    # No exposure reaches either end of what a detector stores.
    values = np.rint((0.04 + 0.9 * picture) * top)
    if exposure.inverted:
        values = top - values
    stored: npt.NDArray[Any] = values.astype(np.uint8 if exposure.bits == 8 else np.uint16)
    return stored


def _acquisition(
    writer: Writer, exposure: Exposure, shown: Radiograph, size: tuple[int, int]
) -> Acquisition:
    image = referenced_image(
        exposure.modality,
        DATE.format(10 + exposure.session),
        TIME.format(8 + exposure.session),
        writer.study(exposure.session),
        writer.rng,
    )
    person = PERSONS[exposure.subject]
    return Acquisition(
        image,
        person.sex,
        person.age,
        "LL" if exposure.projection == "lateral" else exposure.projection.upper(),
        size,
        shown.spacing,
        exposure.bits,
        exposure.inverted,
        exposure.windows,
        exposure.calibrated,
    )


def _write_rois(writer: Writer, exposure: Exposure, shown: Radiograph, made: Acquisition) -> Path:
    subject, session = subject_id(exposure.subject), session_id(exposure.session)
    modality = exposure.modality.lower()
    name = f"{exposure.stem.removesuffix(modality)}mod-{modality}_roi.xml"
    # The name was put together on Windows and unpacked elsewhere.
    inner = "\\".join(("derivatives", "roi", subject, session, "mod-rx", name))
    path = f"{writer.layout.head}/derivatives/roi/{subject}/{inner}"
    rois = []
    for kind, word in exposure.rois:
        true = shown.findings[kind]
        said = true[:, ::-1] if exposure.wrong_lung else true
        rois.append(Roi(word, outlines(said, shown.spacing)))
        if exposure.wrong_lung:
            text = "The outline lies over the left lung; the finding is in the right one."
            writer.mistakes.append(
                BimcvMistake(session, "wrong lung", FINDINGS[kind], path, said, true, text)
            )
    moment = f"{made.image.date}180{exposure.session}00"
    return writer.write(path, aim_file(rois, made.image, moment, writer.rng))
