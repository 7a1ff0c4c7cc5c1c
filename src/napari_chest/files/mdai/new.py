"""A fresh document in MD.ai's form, for masks of any dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from napari_chest.errors import SaveError
from napari_chest.files.mdai.ids import fresh_id, time_text
from napari_chest.files.mdai.shapes import Points, ring_data
from napari_chest.files.mdai.style import Style

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from napari_chest.model import Segment


class MdaiSlice(NamedTuple):
    """The rings on one image, (n, 2) each, by the names of their labels."""

    study_uid: str
    series_uid: str
    sop_uid: str
    height: int
    width: int
    rings: Mapping[str, Sequence[Points]]


def new_mdai(
    name: str, segments: Sequence[Segment], slices: Iterable[MdaiSlice], now: datetime
) -> bytes:
    """A document with one group of freeform labels and an annotation for every ring.

    Parameters
    ----------
    name : of the project, the label group and the dataset.
    segments : the labels; their names are unique.
    slices : the images in any order.

    Raises
    ------
    SaveError
        when a ring's label is not among them.
    """
    used: set[str] = set()
    stamps = {"createdAt": time_text(now), "updatedAt": time_text(now)}
    labels = {segment.name: fresh_id("L", used) for segment in segments}
    group = fresh_id("G", used)
    studies: dict[str, None] = {}
    annotations: list[dict[str, object]] = []
    for image in slices:
        studies[image.study_uid] = None
        for label, rings in image.rings.items():
            if label not in labels:
                raise SaveError(f"{label} is none of the labels {', '.join(labels)}.")
            annotations += (
                _annotation(fresh_id("A", used), labels[label], group, image, ring, stamps)
                for ring in rings
            )
    for number, annotation in enumerate(annotations, 1):
        annotation["annotationNumber"] = number
    document = {
        "id": fresh_id("P", used).removeprefix("P_"),
        **stamps,
        "name": name,
        "description": "",
        "isPrivate": True,
        "labelGroups": [
            {
                "id": group,
                **stamps,
                "name": name,
                "description": "",
                "type": "STANDARD",
                "labels": [_label(labels[one.name], one, stamps) for one in segments],
            }
        ],
        "datasets": [
            {
                "id": fresh_id("D", used),
                "type": "DICOM",
                **stamps,
                "name": name,
                "description": "",
                "studies": [
                    {"StudyInstanceUID": uid, "number": number}
                    for number, uid in enumerate(studies, 1)
                ],
                "annotations": annotations,
            }
        ],
    }
    return Style().write(document, 0).encode("utf-8")


def _label(id_: str, segment: Segment, stamps: Mapping[str, str]) -> dict[str, object]:
    return {
        "id": id_,
        "parentId": None,
        **stamps,
        "name": segment.name,
        "shortName": segment.code,
        "description": "",
        "color": segment.color.lower(),
        "type": "LOCAL",
        "scope": "INSTANCE",
        "annotationMode": "freeform",
        "radlexTagIds": [],
    }


def _annotation(
    id_: str,
    label: str,
    group: str,
    image: MdaiSlice,
    ring: Points,
    stamps: Mapping[str, str],
) -> dict[str, object]:
    return {
        "id": id_,
        "parentId": None,
        "isImported": True,
        "createdAt": stamps["createdAt"],
        "createdById": None,
        "updatedAt": stamps["updatedAt"],
        "updatedById": None,
        "modelId": None,
        "StudyInstanceUID": image.study_uid,
        "SeriesInstanceUID": image.series_uid,
        "SOPInstanceUID": image.sop_uid,
        "labelId": label,
        "annotationNumber": None,
        "height": image.height,
        "width": image.width,
        "data": ring_data(ring),
        "note": None,
        "radlexTagIds": [],
        "reviewsPositiveCount": 0,
        "reviewsNegativeCount": 0,
        "groupId": group,
    }
