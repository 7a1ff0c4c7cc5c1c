"""Builds small AIM 4 documents, written as XNAT's OHIF viewer serialises them."""

from typing import NamedTuple
from xml.etree import ElementTree as ET

import numpy as np

NAMESPACE = "gme://caCORE.caCORE/4.4/edu.northwestern.radiology.AIM"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
SOP = "1.2.840.113654.2.70.1.204119871996046538323443604925949973351"
OTHER_SOP = "1.2.840.113654.2.70.1.11"
SERIES = "1.2.840.113654.2.70.1.56854046800326935217550344070269727625"
STUDY = "1.2.840.113654.2.70.1.3"
CR = "1.2.840.10008.5.1.4.1.1.1"
START = '<ImageAnnotationCollection xmlns="{}" xmlns:rdf="{}" xmlns:xsi="{}" {} {}>'.format(
    NAMESPACE,
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    XSI,
    'aimVersion="AIMv4_0"',
    f'xsi:schemaLocation="{NAMESPACE} AIM_v4_rv44_XML.xsd"',
)

SQUARE = ((2.5, 3.5), (9.25, 3.5), (9.25, 8.125), (2.5, 8.125))
TRIANGLE = ((20.0, 4.0), (28.75, 5.0), ("22.1234567890123456789", 14.0))
FAR_SQUARE = ((4.5, 20.5), (12.5, 20.5), (12.5, 27.5), (4.5, 27.5))


class Polygon(NamedTuple):
    """One polygon to be written; a vertex may be numbers or the text of numbers."""

    points: tuple
    image: str = SOP
    shape: str = "TwoDimensionPolyline"
    colour: str = ""
    include: str = "true"


def document(*rois, listed=(SOP,)):
    """A document of findings, each ``(name, [Polygon, ...])``; ends without a line end."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        START,
        f'    <uniqueIdentifier root="a.1.f.0.3.9.1b2c.00d.e.7.{"9a" * 19}b"/>',
        '    <dateTime value="20200601120000"/>',
        '    <description value="Chest findings"/>',
        "    <user>",
        '        <name value="Reader, A"/>',
        '        <loginName value="reader"/>',
        "        <roleInTrial/>",
        "    </user>",
        "    <equipment>",
        '        <manufacturerName value="Maker &amp; Sons"/>',
        '        <manufacturerModelName value="DX > 2"/>',
        "        <softwareVersion/>",
        "    </equipment>",
        "    <person>",
        '        <name value="S03044"/>',
        '        <id value="S03044"/>',
        "        <birthDate/>",
        '        <sex value="F"/>',
        "        <ethnicGroup/>",
        "    </person>",
        "    <imageAnnotations>",
    ]
    shape = 0
    for number, (name, polygons) in enumerate(rois):
        lines += annotation(number, name, polygons, shape, listed)
        shape += len(polygons)
    return "\n".join([*lines, "    </imageAnnotations>", "</ImageAnnotationCollection>"])


def annotation(number, name, polygons, shape, listed):
    name = f'<name value="{name}"/>' if name else "<name/>"
    lines = [
        "        <ImageAnnotation>",
        f'            <uniqueIdentifier root="0.0.0.0.0.0.000{number}.000.0.0.{"ab" * 19}c"/>',
        '            <typeCode code="AnyClosedShape" codeSystem=" " codeSystemName=" "'
        ' codeSystemVersion=" "/>',
        '            <dateTime value="20200601120000"/>',
        f"            {name}",
        "            <markupEntityCollection>",
    ]
    for nth, polygon in enumerate(polygons):
        lines += markup(polygon, shape + nth)
    lines += [
        "            </markupEntityCollection>",
        "            <imageReferenceEntityCollection>",
        '                <ImageReferenceEntity xsi:type="DicomImageReferenceEntity">',
        f'{" " * 20}<uniqueIdentifier root="b.0.0.0.0.0.0000.000.0.{number}.{"cd" * 19}e"/>',
        "                    <imageStudy>",
        f'                        <instanceUid root="{STUDY}"/>',
        '                        <startDate value="20200320"/>',
        "                        <startTime/>",
        "                        <imageSeries>",
        f'                            <instanceUid root="{SERIES}"/>',
        '                            <modality code="CR" codeSystem="1.2.840.10008.2.16.4"'
        ' codeSystemName="DCM" codeSystemVersion="01"/>',
        "                            <imageCollection>",
    ]
    for uid in listed:
        lines += [
            "                                <Image>",
            f'                                    <sopClassUid root="{CR}"/>',
            f'                                    <sopInstanceUid root="{uid}"/>',
            "                                </Image>",
        ]
    return [
        *lines,
        "                            </imageCollection>",
        "                        </imageSeries>",
        "                    </imageStudy>",
        "                </ImageReferenceEntity>",
        "            </imageReferenceEntityCollection>",
        "        </ImageAnnotation>",
    ]


def markup(polygon, shape):
    inner = " " * 20
    lines = [
        f'{inner[4:]}<MarkupEntity xsi:type="{polygon.shape}">',
        f'{inner}<uniqueIdentifier root="c.0.0.0.0.0.0000.000.0.{shape:x}.{"ef" * 19}f"/>',
        f'{inner}<shapeIdentifier value="{shape}"/>',
        f'{inner}<includeFlag value="{polygon.include}"/>',
    ]
    lines += [f'{inner}<lineColour value="{polygon.colour}"/>'] if polygon.colour else []
    lines += [
        f'{inner}<imageReferenceUid root="{polygon.image}"/>',
        f'{inner}<referencedFrameNumber value="1"/>',
        f"{inner}<twoDimensionSpatialCoordinateCollection>",
    ]
    points = list(enumerate(polygon.points))
    for index, (x, y) in [*points, *points[:1]]:
        lines += [
            f"{inner}    <TwoDimensionSpatialCoordinate>",
            f'{inner}        <coordinateIndex value="{index}"/>',
            f'{inner}        <x value="{script_number(x)}"/>',
            f'{inner}        <y value="{script_number(y)}"/>',
            f"{inner}    </TwoDimensionSpatialCoordinate>",
        ]
    lines += [f"{inner}</twoDimensionSpatialCoordinateCollection>"]
    return [*lines, f"{inner[4:]}</MarkupEntity>"]


def script_number(value):
    """A number as JavaScript writes it; text stays what it is."""
    if isinstance(value, str):
        return value
    return str(int(value)) if value == int(value) else repr(value)


# What a file says, by Python's own parser


def local(element):
    return element.tag.rpartition("}")[2]


def find(element, *path):
    """All elements at a path of local names."""
    if not path:
        return [element]
    return [below for e in element if local(e) == path[0] for below in find(e, *path[1:])]


def value(element, name, attribute="value"):
    return find(element, name)[0].get(attribute)


def root_of(content):
    return ET.fromstring(content)  # the document is our own


def annotations(content):
    return find(root_of(content), "imageAnnotations", "ImageAnnotation")


def markups(annotation):
    return find(annotation, "markupEntityCollection", "MarkupEntity")


def vertices(markup):
    """Index, x and y of every coordinate, the closing one included."""
    path = ("twoDimensionSpatialCoordinateCollection", "TwoDimensionSpatialCoordinate")
    return [
        (int(value(c, "coordinateIndex")), float(value(c, "x")), float(value(c, "y")))
        for c in find(markup, *path)
    ]


def open_points(markup):
    """The vertices without the closing one, (n, 2), as XNAT's viewer takes them."""
    return np.array([(x, y) for _, x, y in vertices(markup)[:-1]])
