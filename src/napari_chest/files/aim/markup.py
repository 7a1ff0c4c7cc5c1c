"""The elements of an AIM document as XNAT's OHIF viewer writes them, in any document's style."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_chest.errors import SaveError
from napari_chest.files.aim.records import COORDINATES, POLYGON
from napari_chest.files.aim.tree import COORDINATE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    import numpy as np
    import numpy.typing as npt

    from napari_chest.files.aim.records import AimImage
    from napari_chest.files.aim.tree import Document, Element

_AIM = "gme://caCORE.caCORE/4.4/edu.northwestern.radiology.AIM"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_TYPE = "xsi:type"
_UID_GROUPS = (1, 1, 1, 1, 1, 1, 4, 3, 1, 1, 39)
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", '"': "&quot;", "\t": "&#x9;", "\n": "&#xA;", "\r": "&#xD;"}
)


@dataclass(frozen=True)
class Node:
    """An element to be written; attributes without a value are left out."""

    name: str
    attributes: Mapping[str, str]
    children: Sequence[Node] = ()


@dataclass(frozen=True)
class Style:
    """How a document writes its elements.

    Attributes
    ----------
    prefix : before every name, such as ``ns0:``.
    newline : between elements; empty where the document is one line.
    indent : one step to the right.
    empty : how an element without children ends.
    type_name : ``xsi:type``.
    type_prefix : what stands before the name of a type.
    type_declaration : what makes ``type_name`` known, where the document does not.
    """

    prefix: str = ""
    newline: str = "\n"
    indent: str = "    "
    empty: str = "/>"
    type_name: str = _TYPE
    type_prefix: str = ""
    type_declaration: str = ""

    def write(self, node: Node, depth: str = "") -> str:
        """The element as text; ``depth`` is the indentation of the line it stands in.

        Raises
        ------
        SaveError
            when a value has a character that no XML document may have.
        """
        attributes = "".join(
            self._attribute(name, value) for name, value in node.attributes.items() if value
        )
        name = self.prefix + node.name
        if not node.children:
            return f"<{name}{attributes}{self.empty}"
        return f"<{name}{attributes}>{self.inside(node.children, depth)}</{name}>"

    def inside(self, children: Sequence[Node], depth: str) -> str:
        """What stands between the tags of an element whose line is indented by ``depth``."""
        step = depth + self.indent
        lines = "".join(self.newline + step + self.write(child, step) for child in children)
        return lines + self.newline + depth

    def _attribute(self, name: str, value: str) -> str:
        if name == _TYPE:
            value = _escaped(self.type_prefix + value)
            return f'{self.type_declaration} {self.type_name}="{value}"'
        return f' {name}="{_escaped(value)}"'


def style_of(document: Document) -> Style:
    """How a document writes its elements, told from its outermost ones."""
    root = document.root
    first = next(iter(root.children), None)
    lines = first is None or b"\n" in document.space_before(first)
    single = next((e for e in _all_below(root) if e.inner == e.end), None)
    spaced = single is not None and document.text[single.inner - 3 : single.inner] == b" />"
    windows = document.text.partition(b"\n")[0].endswith(b"\r")
    return Style(
        prefix=root.prefix,
        newline="" if not lines else "\r\n" if windows else "\n",
        indent="    " if first is None else document.indentation(first),
        empty=" />" if spaced else "/>",
        **_type_style(root),
    )


def _type_style(root: Element) -> dict[str, str]:
    declared = (k for k, v in root.attributes.items() if k.startswith("xmlns:") and v == _XSI)
    known = next(declared, "")
    name = f"{known.removeprefix('xmlns:') or 'xsi'}:type"
    examples = (e.attributes[name] for e in _all_below(root) if name in e.attributes)
    prefix, colon, _ = next(examples, f"{root.prefix}any").rpartition(":")
    return {
        "type_name": name,
        "type_prefix": prefix + colon,
        "type_declaration": "" if known else f' xmlns:xsi="{_XSI}"',
    }


def _all_below(element: Element) -> Iterator[Element]:
    for child in element.children:
        yield child
        yield from _all_below(child)


def markup_node(
    points: npt.NDArray[np.float64], shape: int, image_uid: str, frame: int = 1, colour: str = ""
) -> Node:
    """A new polygon; ``points`` (n, 2) are in AIM's coordinates."""
    children = [
        Node("uniqueIdentifier", {"root": new_uid()}),
        Node("shapeIdentifier", {"value": str(shape)}),
        Node("includeFlag", {"value": "true"}),
        *([Node("lineColour", {"value": colour})] if colour else []),
        Node("imageReferenceUid", {"root": image_uid}),
        Node("referencedFrameNumber", {"value": str(frame)}),
        Node(COORDINATES, {}, coordinate_nodes(points)),
    ]
    return Node("MarkupEntity", {_TYPE: POLYGON}, children)


def coordinate_nodes(points: npt.NDArray[np.float64]) -> list[Node]:
    """The vertices of a polygon (n, 2), closed by the first one once more."""
    vertices = list(enumerate(points.tolist()))
    return [
        Node(
            COORDINATE,
            {},
            (
                Node("coordinateIndex", {"value": str(index)}),
                Node("x", {"value": number_text(x)}),
                Node("y", {"value": number_text(y)}),
            ),
        )
        for index, (x, y) in (*vertices, vertices[0])
    ]


def annotation_node(name: str, markups: Sequence[Node], image: AimImage, now: datetime) -> Node:
    """A new finding on one image; readers take the name to be the fourth element in it."""
    return Node(
        "ImageAnnotation",
        {},
        (
            Node("uniqueIdentifier", {"root": new_uid()}),
            Node("typeCode", _code("AnyClosedShape", " ", " ", " ")),
            Node("dateTime", {"value": time_text(now)}),
            Node("name", {"value": name}),
            Node("markupEntityCollection", {}, markups),
            Node("imageReferenceEntityCollection", {}, (_reference_node(image),)),
        ),
    )


def _reference_node(image: AimImage) -> Node:
    series = Node(
        "imageSeries",
        {},
        (
            Node("instanceUid", {"root": image.series_uid}),
            Node("modality", _code(image.modality, "1.2.840.10008.2.16.4", "DCM", "01")),
            Node("imageCollection", {}, (image_node(image.sop_class_uid, image.sop_instance_uid),)),
        ),
    )
    study = (
        Node("instanceUid", {"root": image.study_uid}),
        Node("startDate", {"value": image.study_date}),
        Node("startTime", {"value": image.study_time}),
        series,
    )
    return Node(
        "ImageReferenceEntity",
        {_TYPE: "DicomImageReferenceEntity"},
        (Node("uniqueIdentifier", {"root": new_uid()}), Node("imageStudy", {}, study)),
    )


def image_node(sop_class_uid: str, sop_instance_uid: str) -> Node:
    """One image in a collection of images."""
    return Node(
        "Image",
        {},
        (
            Node("sopClassUid", {"root": sop_class_uid}),
            Node("sopInstanceUid", {"root": sop_instance_uid}),
        ),
    )


def document_text(annotation: Node, description: str, now: datetime) -> str:
    """A whole document with one finding; it names no person."""
    root = Node(
        "ImageAnnotationCollection",
        {
            "xmlns": _AIM,
            "xmlns:rdf": _RDF,
            "xmlns:xsi": _XSI,
            "aimVersion": "AIMv4_0",
            "xsi:schemaLocation": f"{_AIM} AIM_v4_rv44_XML.xsd",
        },
        (
            Node("uniqueIdentifier", {"root": new_uid()}),
            Node("dateTime", {"value": time_text(now)}),
            Node("description", {"value": description}),
            Node("user", {}, _empty("name", "loginName", "roleInTrial")),
            Node(
                "equipment",
                {},
                (
                    Node("manufacturerName", {"value": "napari-chest"}),
                    Node("manufacturerModelName", {"value": "napari-chest"}),
                    Node("softwareVersion", {}),
                ),
            ),
            Node("person", {}, _empty("name", "id", "birthDate", "sex", "ethnicGroup")),
            Node("imageAnnotations", {}, (annotation,)),
        ),
    )
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Style().write(root)


def new_uid() -> str:
    """A random identifier of the kind that XNAT's viewer gives; no DICOM UID."""
    return ".".join(secrets.token_hex(length)[:length] for length in _UID_GROUPS)


def time_text(time: datetime) -> str:
    """A time as AIM writes it, ``YYYYMMDDHHMMSS``."""
    return time.strftime("%Y%m%d%H%M%S")


def number_text(number: float) -> str:
    """A number as JavaScript writes it: ``12`` and ``12.5``."""
    return repr(float(number)).removesuffix(".0")


def _code(code: str, system: str, system_name: str, version: str) -> dict[str, str]:
    return {
        "code": code,
        "codeSystem": system,
        "codeSystemName": system_name,
        "codeSystemVersion": version,
    }


def _empty(*names: str) -> tuple[Node, ...]:
    return tuple(Node(name, {}) for name in names)


def _escaped(value: str) -> str:
    if found := _NOT_XML.search(value):
        raise SaveError(
            f"The character U+{ord(found[0]):04X} cannot be saved in an AIM document, so nothing "
            "was changed. Take it out of the finding's name, or out of the image's tags."
        )
    return value.translate(_ESCAPES)
