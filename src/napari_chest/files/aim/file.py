"""An AIM document, read, corrected and proven."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from napari_chest.errors import ReadError, SaveError
from napari_chest.files.aim.markup import annotation_node, document_text, markup_node
from napari_chest.files.aim.patch import Patch, mask_points, polygons_mask
from napari_chest.files.aim.records import (
    annotations_of,
    images_of,
    markups_of,
    polygon_of,
    roi_of,
    series_of,
)
from napari_chest.files.aim.tree import MAX_BYTES, decoded_head, parse_document
from napari_chest.files.atomic import read_whole

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    import numpy.typing as npt

    from napari_chest.files.aim.records import AimImage, AimRoi
    from napari_chest.files.aim.tree import Document, Element

    Mask = npt.NDArray[np.bool_]

_ROOT = "ImageAnnotationCollection"
_BEGINS = re.compile(
    # Blanks, comments, the document type, the declaration and instructions, then the root.
    r"(?:\s++|(?><!--.*?-->)|(?><!DOCTYPE[^\[>]*+(?:\[[^\]]*+\]\s*+)?>)|(?><\?[^>]*+>))*+"
    rf"<(?:[\w.-]+:)?{_ROOT}[\s/>]",
    re.DOTALL,
)


@dataclass(frozen=True, eq=False)
class AimFile:
    """The findings of an AIM document and its bytes.

    Attributes
    ----------
    content : the whole file.
    rois : the findings in the document's order.
    image_uids : SOP Instance UIDs of the images that findings refer to, each once.
    series_uids : Series Instance UIDs of their series, each once.
    where : what the document is called in messages.
    """

    content: bytes = field(repr=False)
    rois: tuple[AimRoi, ...]
    image_uids: tuple[str, ...]
    series_uids: tuple[str, ...]
    where: Path | str

    def mask(
        self, index: int, shape: tuple[int, int], image_uids: Collection[str] | None = None
    ) -> Mask:
        """The (Y, X) mask of a finding on these images; None takes all its polygons."""
        polygons = self.rois[index].polygons
        chosen = (p for p in polygons if image_uids is None or p.image_uid in image_uids)
        return polygons_mask(chosen, shape)

    def with_masks(
        self, masks: Mapping[int, Mask], image_uid: str | None, now: datetime
    ) -> AimFile:
        """The document with findings corrected on one image.

        A polygon of which no pixel changed, nor one beside it, keeps its bytes; the others are
        replaced in their places, and end at the edge of the image. Markups of other shapes and on
        other images are kept, and so is a finding of which nothing is left.

        Parameters
        ----------
        masks : index of a finding to its corrected (Y, X) mask.
        image_uid : SOP Instance UID of the image; None takes all polygons to be on it.
        now : what a corrected finding gives as its time.

        Raises
        ------
        SaveError
            when a finding cannot be written so that it is read as this mask.
        """
        document = parse_document(self.content, self.where)
        annotations = annotations_of(document.root)
        patch = Patch(document, now)
        asked = {index: np.ascontiguousarray(mask, np.bool_) for index, mask in masks.items()}
        for index, mask in asked.items():
            patch.correct(annotations[index], mask, image_uid)
        chosen = None if image_uid is None else {image_uid}
        return _proven(patch.content(), self.where, asked, chosen)

    def with_new_roi(self, name: str, mask: Mask, image: AimImage, now: datetime) -> AimFile:
        """The document with one more finding, its last, which is this (Y, X) mask on the image.

        Raises
        ------
        SaveError
            when it cannot be written so that it is read as this mask.
        """
        mask = np.ascontiguousarray(mask, np.bool_)
        patch = Patch(parse_document(self.content, self.where), now)
        patch.add(name, mask, image)
        asked = {len(self.rois): mask}
        return _proven(patch.content(), self.where, asked, {image.sop_instance_uid})


def is_aim(head: bytes) -> bool:
    """Whether a file that begins like this is an AIM document."""
    return _BEGINS.match(decoded_head(head)) is not None


def read_aim(path: Path) -> AimFile:
    """Read an AIM document.

    Raises
    ------
    ReadError
        when it is none, or none that is safe to open.
    """
    return parse_aim(read_whole(path, MAX_BYTES), path)


def parse_aim(content: bytes, where: Path | str) -> AimFile:
    """An AIM document from its bytes; ``where`` is what messages call it.

    Raises
    ------
    ReadError
        when it is none, or none that is safe to open.
    """
    root = parse_document(content, where).root
    if root.name != _ROOT:
        raise ReadError(
            where, f"expected an AIM 4 document ({_ROOT}), found another kind: {root.name[:60]}."
        )
    annotations = annotations_of(root)
    rois = tuple(roi_of(annotation) for annotation in annotations)
    series = [one for annotation in annotations for one in series_of(annotation)]
    images = [image for one in series for image in images_of(one)]
    listed = [image.text("sopInstanceUid", "root") for image in images]
    drawn_on = [polygon.image_uid for roi in rois for polygon in roi.polygons]
    series_uids = [one.text("instanceUid", "root") for one in series]
    return AimFile(content, rois, _each_once([*listed, *drawn_on]), _each_once(series_uids), where)


def new_aim(name: str, mask: Mask, image: AimImage, now: datetime) -> AimFile:
    """A new document with one finding, which is this (Y, X) mask on the image.

    Raises
    ------
    SaveError
        when it cannot be written so that it is read as this mask.
    """
    mask = np.ascontiguousarray(mask, np.bool_)
    markups = [
        markup_node(points, shape, image.sop_instance_uid)
        for shape, points in enumerate(mask_points(mask))
    ]
    annotation = annotation_node(name, markups, image, now)
    content = document_text(annotation, name, now).encode("utf-8")
    return _proven(content, "the new AIM document", {0: mask}, None)


def differ_elsewhere(was: AimFile, now: AimFile) -> bool:
    """Whether two states of a document differ in more than outlines, times and findings added.

    What stands between elements does not count, nor which images a finding lists.
    """
    old, new = (parse_document(file.content, file.where) for file in (was, now))
    if _around_findings(old) != _around_findings(new):
        return True
    pairs = zip(annotations_of(old.root), annotations_of(new.root), strict=False)
    return any(_around_outlines(old, a) != _around_outlines(new, b) for a, b in pairs)


def _around_findings(document: Document) -> bytes:
    return _without(document, document.root, {"imageAnnotations"})


def _around_outlines(document: Document, annotation: Element) -> list[bytes]:
    """What no correction changes in a finding, markups of other shapes among it."""
    changing = {"dateTime", "markupEntityCollection", "imageCollection"}
    others = [markup for markup in markups_of(annotation) if polygon_of(markup) is None]
    return [
        _without(document, annotation, changing),
        *(document.text[markup.start : markup.end] for markup in others),
    ]


def _without(document: Document, element: Element, names: Collection[str]) -> bytes:
    """An element's text without the elements of these names in it, and without blanks."""
    parts: list[bytes] = []
    position = element.start
    for place in _outermost(element, names):
        parts.append(document.text[position : place.start])
        position = place.end
    return b"".join(b"".join([*parts, document.text[position : element.end]]).split())


def _outermost(element: Element, names: Collection[str]) -> Iterator[Element]:
    for child in element.children:
        if child.name in names:
            yield child
        else:
            yield from _outermost(child, names)


def _proven(
    content: bytes,
    where: Path | str,
    asked: Mapping[int, Mask],
    image_uids: Collection[str] | None,
) -> AimFile:
    """The document as it reads, once it reads as what was asked for."""
    try:
        file = parse_aim(content, where)
    except ReadError as error:
        raise SaveError(
            f"The corrected document could not be read again, so nothing was changed. {error}"
        ) from error
    for index, mask in asked.items():
        found = file.mask(index, mask.shape, image_uids)
        if differ := int(np.count_nonzero(found != mask)):
            raise SaveError(
                f"{where}: finding {index + 1} would be read with {differ:,} pixels other than "
                "were drawn, so nothing was changed. Please report this."
            )
    return file


def _each_once(uids: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(uid for uid in uids if uid))
