"""Regions of interest as AIM 4 XML, in the letter of the XNAT-OHIF viewer's files of 2020."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import numpy as np
from scipy import ndimage
from skimage import measure

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

_AIM = "gme://caCORE.caCORE/4.4/edu.northwestern.radiology.AIM"
_SMOOTH = 3.0  # mm over which a reader's hand evens out an outline
_LEAST = 250.0  # mm² from which on a spot gets an outline of its own
_STEP = 5.0  # mm between the vertices of an outline, about


@dataclass(frozen=True, eq=False)
class Roi:
    """A finding that a reader outlined.

    Attributes
    ----------
    name : as the reader wrote it.
    outlines : (n, 2) x, y each, in pixels from the corner of the image; not closed.
    """

    name: str
    outlines: tuple[npt.NDArray[np.float64], ...]


@dataclass(frozen=True)
class ReferencedImage:
    """The image that ROIs are drawn on, as AIM names it."""

    sop_class: str
    sop_instance: str
    series: str
    study: str
    modality: str
    date: str
    time: str


@dataclass
class _Element:
    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[_Element] = field(default_factory=list)


def outlines(
    mask: npt.NDArray[np.bool_], spacing: tuple[float, float]
) -> tuple[npt.NDArray[np.float64], ...]:
    """Smooth outlines (n, 2) x, y around the spots of a mask (Y, X), the largest first.

    Coordinates count pixels from the corner of the image, as AIM's do: the middle of the first
    pixel is (0.5, 0.5). ``spacing`` is (y, x) in mm.
    """
    filled = ndimage.binary_fill_holes(mask).astype(np.float32)
    soft = ndimage.gaussian_filter(np.pad(filled, 1), [_SMOOTH / mm for mm in spacing])
    found = []
    for contour in measure.find_contours(soft, 0.5):
        y, x = contour[:-1].T - 1  # without the padding; the last vertex repeats the first
        area = spacing[0] * spacing[1] * abs(float(np.dot(x, np.roll(y, 1) - np.roll(y, -1)))) / 2
        step = max(1, round(_STEP / min(spacing)))
        found.append((area, np.stack([x, y], axis=1)[::step] + 0.5))
    found.sort(key=lambda one: -one[0])
    return tuple(points for n, (area, points) in enumerate(found) if n == 0 or area >= _LEAST)


def aim_file(
    rois: Sequence[Roi], image: ReferencedImage, moment: str, rng: np.random.Generator
) -> bytes:
    """The bytes of a collection of ROIs on one image.

    Parameters
    ----------
    rois : the findings.
    image : what they are drawn on.
    moment : when, as ``YYYYMMDDHHMMSS``.
    rng : for identifiers.
    """
    time = _leaf("dateTime", "value", moment)
    annotations = _Element("imageAnnotations")
    shape = 0
    for roi in rois:
        annotations.children.append(_annotation(roi, shape, image, time, rng))
        shape += len(roi.outlines)  # runs on over the whole collection
    root = _Element(
        "ImageAnnotationCollection",
        {
            "xmlns": _AIM,
            "xmlns:rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "aimVersion": "AIMv4_0",
            "xsi:schemaLocation": f"{_AIM} AIM_v4_rv44_XML.xsd",
        },
        [
            _leaf("uniqueIdentifier", "root", _identifier(rng)),
            time,
            _leaf("description", "value", f"ROI <{image.modality}> & findings"),
            _values("user", name="Synthetic Reader", loginName="reader", roleInTrial=""),
            _values(
                "equipment",
                manufacturerName="Synthetic",
                manufacturerModelName="napari-chest phantom",
                softwareVersion="1",
            ),
            _values("person", name="", id="", birthDate="", sex="", ethnicGroup=""),
            annotations,
        ],
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{_text(root, 0)}'.encode()


def _annotation(
    roi: Roi, shape: int, image: ReferencedImage, time: _Element, rng: np.random.Generator
) -> _Element:
    blank = dict.fromkeys(("codeSystem", "codeSystemName", "codeSystemVersion"), " ")
    markups = [_markup(points, shape + n, image, rng) for n, points in enumerate(roi.outlines)]
    return _Element(
        "ImageAnnotation",
        children=[
            _leaf("uniqueIdentifier", "root", _identifier(rng)),
            _Element("typeCode", {"code": "AnyClosedShape", **blank}),
            time,
            _leaf("name", "value", roi.name),
            _Element("markupEntityCollection", children=markups),
            _Element("imageReferenceEntityCollection", children=[_reference(image, rng)]),
        ],
    )


def _markup(
    points: npt.NDArray[np.float64], shape: int, image: ReferencedImage, rng: np.random.Generator
) -> _Element:
    closed = [*enumerate(points.tolist()), (0, points[0].tolist())]
    coordinates = [
        _Element(
            "TwoDimensionSpatialCoordinate",
            children=[
                _leaf("coordinateIndex", "value", str(index)),
                _leaf("x", "value", _number(x)),
                _leaf("y", "value", _number(y)),
            ],
        )
        for index, (x, y) in closed
    ]
    return _Element(
        "MarkupEntity",
        {"xsi:type": "TwoDimensionPolyline"},
        [
            _leaf("uniqueIdentifier", "root", _identifier(rng)),
            _leaf("shapeIdentifier", "value", str(shape)),
            _leaf("includeFlag", "value", "true"),
            _leaf("imageReferenceUid", "root", image.sop_instance),
            _leaf("referencedFrameNumber", "value", "1"),
            _Element("twoDimensionSpatialCoordinateCollection", children=coordinates),
        ],
    )


def _reference(image: ReferencedImage, rng: np.random.Generator) -> _Element:
    modality = {
        "code": image.modality,
        "codeSystem": "1.2.840.10008.2.16.4",
        "codeSystemName": "DCM",
        "codeSystemVersion": "01",
    }
    listed = [
        _leaf("sopClassUid", "root", image.sop_class),
        _leaf("sopInstanceUid", "root", image.sop_instance),
    ]
    series = [
        _leaf("instanceUid", "root", image.series),
        _Element("modality", modality),
        _Element("imageCollection", children=[_Element("Image", children=listed)]),
    ]
    study = [
        _leaf("instanceUid", "root", image.study),
        _leaf("startDate", "value", image.date),
        _leaf("startTime", "value", image.time),
        _Element("imageSeries", children=series),
    ]
    return _Element(
        "ImageReferenceEntity",
        {"xsi:type": "DicomImageReferenceEntity"},
        [_leaf("uniqueIdentifier", "root", _identifier(rng)), _Element("imageStudy", {}, study)],
    )


def _leaf(name: str, attribute: str, value: str) -> _Element:
    # The writer leaves the attribute out where it has no value.
    return _Element(name, {attribute: value} if value else {})


def _values(element: str, /, **values: str) -> _Element:
    return _Element(element, children=[_leaf(key, "value", text) for key, text in values.items()])


def _text(element: _Element, depth: int) -> str:
    indent = "    " * depth
    attributes = "".join(
        f' {name}="{_quoted(value)}"' for name, value in element.attributes.items()
    )
    if not element.children:
        return f"{indent}<{element.name}{attributes}/>"
    inner = "\n".join(_text(child, depth + 1) for child in element.children)
    return f"{indent}<{element.name}{attributes}>\n{inner}\n{indent}</{element.name}>"


def _quoted(value: str) -> str:
    # A ">" is left as it is.
    escapes = {'"': "&quot;", "\t": "&#x9;", "\n": "&#xA;", "\r": "&#xD;"}
    return escape(value, escapes).replace("&gt;", ">")


def _number(value: float) -> str:
    return f"{value:.0f}" if value == round(value) else repr(value)


def _identifier(rng: np.random.Generator) -> str:
    """An identifier as the viewer makes it: hexadecimal, so it is no DICOM UID."""
    digits = rng.bytes(32).hex()
    groups = [1, 1, 1, 1, 1, 1, 4, 3, 1, 1, 39]
    ends = np.cumsum(groups)
    return ".".join(digits[end - size : end] for size, end in zip(groups, ends, strict=True))
