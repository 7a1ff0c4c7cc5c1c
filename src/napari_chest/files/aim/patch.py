"""Corrections of an AIM document as edits of its text: what is not corrected keeps its bytes."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from napari_chest.errors import SaveError
from napari_chest.files.aim.markup import (
    Node,
    annotation_node,
    coordinate_nodes,
    image_node,
    markup_node,
    style_of,
    time_text,
)
from napari_chest.files.aim.records import (
    COORDINATES,
    AimPolygon,
    annotations_of,
    count_of,
    markups_of,
    polygon_of,
    series_of,
)
from napari_chest.files.aim.tree import Edit
from napari_chest.rings import decode_rings, encode_mask, ring_pixels

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    import numpy.typing as npt

    from napari_chest.files.aim.records import AimImage
    from napari_chest.files.aim.tree import Document, Element

    Mask = npt.NDArray[np.bool_]
    Points = npt.NDArray[np.float64]

_CENTRE = 0.5
"""From the corner of a pixel, where AIM counts from, to its centre."""


class _Outline(NamedTuple):
    """A polygon and the element that says it."""

    element: Element
    polygon: AimPolygon


def polygons_mask(polygons: Iterable[AimPolygon], shape: tuple[int, int]) -> Mask:
    """The (Y, X) mask of these polygons together."""
    return decode_rings([polygon.points - _CENTRE for polygon in polygons], shape)


def mask_points(mask: Mask) -> list[Points]:
    """The polygons (n, 2) in AIM's coordinates that are exactly this (Y, X) mask."""
    return [np.round(ring + _CENTRE, 2) for ring in encode_mask(mask)]


class Patch:
    """Edits of one document that correct and add findings."""

    def __init__(self, document: Document, now: datetime) -> None:
        self._document = document
        self._now = now
        self._style = style_of(document)
        self._edits: list[Edit] = []
        used = [
            count_of(markup.text("shapeIdentifier"))
            for annotation in annotations_of(document.root)
            for markup in markups_of(annotation)
        ]
        self._shapes = itertools.count(max(used, default=-1) + 1)

    def content(self) -> bytes:
        """The document with the edits."""
        return self._document.edited(self._edits)

    def correct(self, annotation: Element, mask: Mask, image_uid: str | None) -> None:
        """Make a finding this (Y, X) mask on one image; None takes all its polygons for it.

        Raises
        ------
        SaveError
            when the finding cannot refer to the image.
        """
        outlines = _outlines(annotation, image_uid)
        changed = polygons_mask((one.polygon for one in outlines), mask.shape) != mask
        if not changed.any():
            return
        replaced, kept = _parted(outlines, changed)
        remaining = mask & ~kept
        renewed, more = _assigned(replaced, mask_points(remaining), remaining)
        for outline, points in zip(replaced, renewed, strict=True):
            self._renew(outline.element, points)
        if more:
            self._append(annotation, outlines, replaced, more, image_uid)
        self._date(annotation)

    def add(self, name: str, mask: Mask, image: AimImage) -> None:
        """Add a finding as the last one."""
        markups = [
            markup_node(points, next(self._shapes), image.sop_instance_uid)
            for points in mask_points(mask)
        ]
        node = annotation_node(name, markups, image, self._now)
        root = self._document.root
        places = list(root.all("imageAnnotations"))
        if places:
            self._insert(places[-1], [node])
        else:
            self._insert(root, [Node("imageAnnotations", {}, [node])])

    def _renew(self, markup: Element, points: Points | None) -> None:
        """Give a polygon other vertices, or remove it where it has none."""
        if points is None:
            space = self._document.space_before(markup)
            self._edits.append(Edit(markup.start - len(space), markup.end, b""))
            return
        place = markup.first(COORDINATES)
        assert place is not None
        text = self._style.inside(coordinate_nodes(points), self._document.indentation(place))
        self._edits.append(Edit(place.inner, place.close, text.encode("utf-8")))

    def _append(
        self,
        annotation: Element,
        outlines: Sequence[_Outline],
        replaced: Sequence[_Outline],
        polygons: Sequence[Points],
        image_uid: str | None,
    ) -> None:
        """Add polygons beside those that were replaced, or else as the last ones."""
        place = annotation.first("markupEntityCollection")
        if place is None:
            raise SaveError(
                "The finding has no place for outlines (markupEntityCollection). Nothing was "
                "changed; add the outlines as a new finding."
            )
        if outlines:
            uid, frame = outlines[-1].polygon.image_uid, outlines[-1].polygon.frame
        else:
            uid, frame = self._listed(annotation, image_uid), 1
        colours = (markup.text("lineColour") for markup in markups_of(annotation))
        colour = next(filter(None, colours), "")
        nodes = [markup_node(points, next(self._shapes), uid, frame, colour) for points in polygons]
        self._insert(place, nodes, after=replaced[-1].element if replaced else None)

    def _listed(self, annotation: Element, image_uid: str | None) -> str:
        """The image's identifier, once the finding refers to it; without, XNAT skips a polygon."""
        collections = [c for series in series_of(annotation) for c in series.all("imageCollection")]
        images = [image for collection in collections for image in collection.all("Image")]
        listed = [image.text("sopInstanceUid", "root") for image in images]
        if image_uid is None and listed:
            return listed[0]
        if image_uid is not None and image_uid in listed:
            return image_uid
        if image_uid is None or len(collections) != 1 or not images:
            raise SaveError(
                "The finding does not say of which series its image is. Nothing was changed; add "
                "the outlines as a new finding."
            )
        node = image_node(images[-1].text("sopClassUid", "root"), image_uid)
        self._insert(collections[0], [node])
        return image_uid

    def _date(self, annotation: Element) -> None:
        element = annotation.first("dateTime")
        if element is None:
            return
        time = time_text(self._now).encode("ascii")
        place = self._document.attribute_place(element, "value")
        if place is None:
            at = element.start + len(f"<{element.prefix}{element.name}".encode())
            self._edits.append(Edit(at, at, b' value="%s"' % time))
        else:
            self._edits.append(Edit(*place, time))

    def _insert(self, parent: Element, nodes: Sequence[Node], after: Element | None = None) -> None:
        """Put elements after one of the parent's, or behind the last one."""
        document, style = self._document, self._style
        if parent.children:
            after = after or parent.children[-1]
            depth = document.indentation(after)
            lines = (style.newline + depth + style.write(node, depth) for node in nodes)
            edit = Edit(after.end, after.end, "".join(lines).encode("utf-8"))
        else:
            inside = style.inside(nodes, document.indentation(parent)).encode("utf-8")
            tag = document.text[parent.start : parent.inner]
            ends = b"</%s%s>" % (parent.prefix.encode("utf-8"), parent.name.encode("utf-8"))
            if parent.inner == parent.end:
                tag = tag.removesuffix(b"/>").rstrip() + b">"
            kept = document.text[parent.inner : parent.close].rstrip()
            edit = Edit(parent.start, parent.end, tag + kept + inside + ends)
        self._edits.append(edit)


def _outlines(annotation: Element, image_uid: str | None) -> list[_Outline]:
    pairs = ((markup, polygon_of(markup)) for markup in markups_of(annotation))
    return [
        _Outline(markup, polygon)
        for markup, polygon in pairs
        if polygon is not None and image_uid in (None, polygon.image_uid)
    ]


def _parted(outlines: Iterable[_Outline], changed: Mask) -> tuple[list[_Outline], Mask]:
    """The outlines that a change touches or stands beside, and the mask of the others."""
    near = cv2.dilate(changed.view(np.uint8), np.ones((3, 3), np.uint8))
    replaced: list[_Outline] = []
    kept = np.zeros_like(changed)
    for outline in outlines:
        pixels = _pixels(outline, changed.shape)
        if near[pixels].any():
            replaced.append(outline)
        else:
            kept[pixels] = True
    return replaced, kept


def _assigned(
    replaced: Sequence[_Outline], polygons: Sequence[Points], mask: Mask
) -> tuple[list[Points | None], list[Points]]:
    """For each replaced outline the new polygon that has most in common with it, if any is left.

    Also the polygons that are left over. ``mask`` (Y, X) is what the polygons show together.
    """
    _, parts = cv2.connectedComponents(mask.view(np.uint8), connectivity=8)
    # A vertex lies in a pixel of its polygon's part.
    left = {int(parts[int(points[0, 1]), int(points[0, 0])]): points for points in polygons}
    found: list[Points | None] = []
    for outline in replaced:
        common = np.bincount(parts[_pixels(outline, mask.shape)], minlength=int(parts.max()) + 1)
        best = max(left, key=lambda part: common[part], default=0)
        found.append(left.pop(best) if left and common[best] else None)
    for index, points in enumerate(found):
        if points is None and left:
            found[index] = left.pop(next(iter(left)))
    return found, list(left.values())


def _pixels(
    outline: _Outline, shape: tuple[int, ...]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    return ring_pixels(outline.polygon.points - _CENTRE, (shape[0], shape[1]))
