"""What the annotations of RICORD hold that a program written for its documentation trips over."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_chest.phantom.ricord.cases import FINDINGS, OPACITY
from napari_chest.phantom.ricord.download import new_uid
from napari_chest.phantom.ricord.drawing import covered, spots
from napari_chest.phantom.ricord.project import Place
from napari_chest.phantom.ricord.readers import GONE, WRONG_SERIES
from napari_chest.phantom.ricord.truth import RingTruth

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from napari_chest.phantom.ricord.cases import CtStudy
    from napari_chest.phantom.ricord.ct import Ct
    from napari_chest.phantom.ricord.project import Project, Row
    from napari_chest.phantom.ricord.readers import Readers, Reading

OTHER = FINDINGS[-1]


class Oddities(NamedTuple):
    """UIDs of what is annotated but not in the download, and unknown keys of the dataset."""

    studies: tuple[str, ...]
    series: str
    keys: dict[str, object]


def add_oddities(readers: Readers, read: Sequence[tuple[CtStudy, Ct]]) -> Oddities:
    """Add the odd annotations and bring all into no order."""
    project = readers.project
    first = next(ct for study, ct in read if study.planned)
    _add_nothing(readers.reading(first, "P1"))
    _add_program(readers.reading(first, ""))
    _add_unknown_label(readers.reading(first, "O1"))
    _add_shapes(readers.reading(first, "A1"))
    _add_series_label(readers.reading(first, "P1"))
    _add_reviews(project)
    project.groups[1]["archived"] = False
    project.groups[1]["labels"][0]["hotkey"] = "1"
    absent = tuple(new_uid(project.rng, tail) for tail in ("419639.4", "419639.5"))
    project.studies.insert(1, {"StudyInstanceUID": absent[0], "number": "99", "findings": []})
    for study in absent:
        reading = readers.reading(first, "P1")
        _add_absent(reading, study, new_uid(project.rng))
        reading.annotate("Typical", Place(study))
    series = new_uid(project.rng)
    away = next(ct for study, ct in read if study.nodule)
    _add_absent(readers.reading(away, "O1"), away.uid, series)
    readers.shuffle()
    return Oddities(absent, series, {"imageCount": 1.25e21, "site": {"name": None}})


def _middle(reading: Reading) -> int:
    return len(reading.ct.chest.opacity) // 2


def _add_nothing(reading: Reading) -> None:
    """Rings without a shape, as left behind by a click."""
    for z in (_middle(reading), _middle(reading) + 1):
        reading.annotate(OPACITY, reading.place(z))


def _add_program(reading: Reading) -> None:
    """A ring that a program drew and nobody signed."""
    z = _middle(reading)
    chest = reading.ct.chest
    seen = chest.opacity[z] > 0
    places = spots(seen if seen.any() else chest.lobes[z] > 0)
    reading.ring(OPACITY, z, max(places, key=lambda spot: int(spot.sum())))
    reading.project.rows[-1]["modelId"] = reading.project.new_id("M")


def _add_unknown_label(reading: Reading) -> None:
    """A ring of a label that was deleted, with hardly a key."""
    place = reading.place(_middle(reading))
    row = reading.project.annotate(GONE, place, reading.person, {"vertices": _box(place, 0.1, 0.2)})
    for key in ("parentId", "annotationNumber", "note", "radlexTagIds", "updatedById", "modelId"):
        del row[key]


def _add_shapes(reading: Reading) -> None:
    """A shape of each mode, one of an unknown mode, and a mask of a label drawn freehand."""
    z = _middle(reading)
    place = reading.place(z)
    height, width = place.size or (0, 0)
    hollow = {
        "foreground": [_box(place, 0.55, 0.7)],
        "background": [_box(place, 0.6, 0.65)],
    }
    shapes: dict[str, Row] = {
        "Extent": {"x": 0.25 * width, "y": 0.3 * height, "width": 21.5, "height": 10},
        "Trace": {"vertices": _box(place, 0.3, 0.42)},
        "Largest diameter": {"vertices": _box(place, 0.2, 0.4)[::2]},
        "Carina": {"x": 0.5 * width + 0.25, "y": 0.4 * height},
        "Whole lesion": hollow,
        "Sphere": {"center": [0.5 * width, 0.5 * height, z], "radius": 1e-5},
        OTHER: hollow,
    }
    rows = {label: reading.annotate(label, place, data) for label, data in shapes.items()}
    trace = np.array(shapes["Trace"]["vertices"])
    reading.rings.append(RingTruth(rows["Trace"]["id"], "Trace", z, trace))
    cover = _hollow(hollow, (height, width))
    reading.patches += [("Whole lesion", z, cover), (OTHER, z, cover)]


def _box(place: Place, start: float, stop: float) -> list[list[float]]:
    """The corners of a box between two shares of the image's height and width."""
    height, width = place.size or (0, 0)
    left, right, top, bottom = start * width, stop * width, start * height, stop * height
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


def _hollow(data: Row, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    inside, outside = (
        covered([np.array(ring) for ring in data[key]], size)
        for key in ("foreground", "background")
    )
    return inside & ~outside


def _add_series_label(reading: Reading) -> None:
    coronal = next(one for one in reading.ct.series if one.kind == "coronal")
    reading.annotate(WRONG_SERIES, Place(reading.ct.uid, coronal.uid), note="reformat")


def _add_reviews(project: Project) -> None:
    """Reviews of one annotation, and the history and the terms of others."""
    later = [row for row in project.rows if row.get("reviews") == []]
    person = project.people["A1"]
    review = {
        "id": project.new_id("R"),
        "createdById": person,
        "rating": 1,
        "note": "einverstanden",
    }
    later[0] |= {"reviews": [review], "reviewsPositiveCount": 1}
    later[1]["updateHistory"] = [{"updatedAt": later[1]["createdAt"], "updatedById": person}]
    later[2]["radlexTagIds"] = ["RID50149", "RID28749"]


def _add_absent(reading: Reading, study: str, series: str) -> None:
    """Rings on images that are not in the download."""
    size = reading.place(0).size
    for _ in range(3):
        place = Place(study, series, new_uid(reading.project.rng), size)
        reading.annotate(OPACITY, place, {"vertices": _box(place, 0.3, 0.35)})
