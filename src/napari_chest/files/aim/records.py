"""What an AIM document says: findings, their polygons, and the images that they are on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_chest.files.aim.tree import COORDINATE
from napari_chest.rings import FARTHEST

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from napari_chest.files.aim.tree import Element

POLYGON = "TwoDimensionPolyline"
COORDINATES = "twoDimensionSpatialCoordinateCollection"


@dataclass(frozen=True, eq=False)
class AimPolygon:
    """One closed outline on one image.

    Attributes
    ----------
    points : (n, 2) float64, x then y, from the corner of the top-left pixel; the first is not
        repeated at the end. They may lie outside the image.
    image_uid : SOP Instance UID of the image.
    frame : the image's frame, from 1.
    """

    points: npt.NDArray[np.float64]
    image_uid: str
    frame: int


@dataclass(frozen=True, eq=False)
class AimRoi:
    """One finding (ImageAnnotation) with all its outlines, on whichever images.

    Attributes
    ----------
    uid : its identifier, which need not be a valid DICOM UID.
    name : as stored; may be empty.
    polygons : the outlines that can be shown.
    others : how many markups it has that cannot: other shapes, excluded regions, and polygons
        without readable coordinates. They are kept.
    """

    uid: str
    name: str
    polygons: tuple[AimPolygon, ...]
    others: int


@dataclass(frozen=True)
class AimImage:
    """The image that a new finding is on, as its DICOM tags name it; any may be empty.

    Attributes
    ----------
    study_date, study_time : as in DICOM, ``YYYYMMDD`` and ``HHMMSS``.
    """

    sop_instance_uid: str
    sop_class_uid: str
    series_uid: str
    study_uid: str
    modality: str
    study_date: str
    study_time: str


def annotations_of(root: Element) -> list[Element]:
    """The findings of a document, one element each."""
    return list(root.all("imageAnnotations", "ImageAnnotation"))


def markups_of(annotation: Element) -> list[Element]:
    """The markups of a finding, of whatever shape."""
    return list(annotation.all("markupEntityCollection", "MarkupEntity"))


def series_of(annotation: Element) -> Iterator[Element]:
    """The image series that a finding refers to."""
    return annotation.all(
        "imageReferenceEntityCollection", "ImageReferenceEntity", "imageStudy", "imageSeries"
    )


def images_of(series: Element) -> Iterator[Element]:
    """The images of a series that a finding refers to."""
    return series.all("imageCollection", "Image")


def roi_of(annotation: Element) -> AimRoi:
    """What a finding says."""
    found = [polygon_of(markup) for markup in markups_of(annotation)]
    polygons = tuple(polygon for polygon in found if polygon is not None)
    return AimRoi(
        annotation.text("uniqueIdentifier", "root"),
        annotation.text("name"),
        polygons,
        len(found) - len(polygons),
    )


def polygon_of(markup: Element) -> AimPolygon | None:
    """The outline that a markup is, or None where it is not one that can be shown."""
    kind = next((v for k, v in markup.attributes.items() if k.rpartition(":")[2] == "type"), "")
    collections = list(markup.all(COORDINATES))
    included = markup.text("includeFlag").strip().casefold() != "false"
    if kind.rpartition(":")[2] != POLYGON or len(collections) != 1 or not included:
        return None
    points = _points(list(collections[0].all(COORDINATE)))
    if points is None:
        return None
    frame = count_of(markup.text("referencedFrameNumber"))
    return AimPolygon(points, markup.text("imageReferenceUid", "root"), max(frame, 1))


def count_of(text: str) -> int:
    """A count, or -1 where the text is none."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def _points(coordinates: list[Element]) -> npt.NDArray[np.float64] | None:
    """The vertices in their order, (n, 2), or None where one is no point."""
    values = [[_number(c.attributes.get(axis, "")) for axis in "xy"] for c in coordinates]
    points = np.array(values, dtype=np.float64).reshape(-1, 2)
    # False also where a number is missing.
    if not len(points) or not (np.abs(points) <= FARTHEST).all():
        return None
    indices = [count_of(c.attributes.get("coordinateIndex", "")) for c in coordinates]
    if len(points) > 1 and indices[0] == indices[-1] and (points[0] == points[-1]).all():
        points, indices = points[:-1], indices[:-1]
    if sorted(indices) == list(range(len(points))):
        points = points[np.argsort(indices)]
    if len(points) > 1 and (points[0] == points[-1]).all():  # closed by a vertex of its own
        points = points[:-1]
    points.flags.writeable = False
    return points


def _number(text: str) -> float:
    try:
        return float(text) if "_" not in text else math.nan
    except ValueError:
        return math.nan
