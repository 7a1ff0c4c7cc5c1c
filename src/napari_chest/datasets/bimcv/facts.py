"""What a person is told of an image beside its masks: a row of the list, groups of facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from napari_chest.datasets.bimcv.layout import partition_of
from napari_chest.datasets.bimcv.names import bare, same_code
from napari_chest.datasets.bimcv.source import key_of
from napari_chest.datasets.bimcv.tree import placed
from napari_chest.files.radiograph import view_of
from napari_chest.model import CaseInfo, FactGroup

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from napari_chest.datasets.bimcv.folder import Annotations
    from napari_chest.datasets.bimcv.names import ImageName
    from napari_chest.datasets.bimcv.source import Source

_SHOWN_LABELS: Final = 4
_SEXES: Final = {"m": "male", "f": "female", "o": "other"}
# What a sidecar tells of the image and not of the person.
_IMAGE_TAGS: Final = (
    ("View position", "00185101"),
    ("Patient orientation", "00200020"),
    ("Image type", "00080008"),
    ("Series", "0008103E"),
    ("Body part", "00180015"),
    ("Rows", "00280010"),
    ("Columns", "00280011"),
    ("Imager pixel spacing (mm)", "00181164"),
    ("Pixel spacing (mm)", "00280030"),
    ("Slice thickness (mm)", "00180050"),
    ("Photometric interpretation", "00280004"),
    ("Presentation LUT shape", "20500020"),
    ("Bits stored", "00280101"),
    ("Window centre", "00281050"),
    ("Window width", "00281051"),
    ("Manufacturer", "00080070"),
    ("Model", "00081090"),
    ("Tube voltage (kVp)", "00180060"),
    ("Exposure (mAs)", "00181152"),
)
_LONGEST: Final = 200
"""Characters of a DICOM element; longer ones would be no fact."""


def case_infos(source: Source, here: Annotations) -> tuple[CaseInfo, ...]:
    """Every image as a row of the case list; told by names and tables alone."""
    images = source.images.values()
    partitions = {partition_of(image) for image in images} - {""}
    roi_files: dict[str, int] = {}
    for name in here.rois:
        if (image := source.owners.by_name(name)) is not None:
            roi_files[image.path] = roi_files.get(image.path, 0) + 1
    found = []
    for image in images:
        labels = source.labels_of(key_of(image), here)
        told = {
            "Findings": str(len(labels) or ""),
            "ROIs": str(roi_files.get(image.path, "")),
            "View": image.view,
            "Labels": _short_list(labels),
            "Subject": bare(image.subject),
            "Session": bare(image.session),
            "Partition": partition_of(image) if len(partitions) > 1 else "",
            **_sex_and_age(source, image),
        }
        kept = {name: text for name, text in told.items() if text}
        found.append(CaseInfo(image.path, source.titles[image.path], image.modality, kept))
    return tuple(found)


def fact_groups(source: Source, here: Annotations, image: ImageName) -> tuple[FactGroup, ...]:
    """All that is known of an image, without opening it; empty groups are left out."""
    key = key_of(image)
    groups = (
        FactGroup("Report", tuple(_reports(source, image))),
        FactGroup("Labels", tuple(_labels(source, here, image))),
        FactGroup(
            "Localizations", tuple(("", text) for text in source.labels.localizations_of(key))
        ),
        FactGroup("Tests over time", tuple(_tests(source, image))),
        FactGroup("Image", tuple(row for row in _image(source, image) if row[1])),
        FactGroup("Files", tuple(_files(source, here, image))),
    )
    return tuple(group for group in groups if group.rows)


def _short_list(labels: Sequence[str]) -> str:
    shown = ", ".join(labels[:_SHOWN_LABELS])
    more = len(labels) - _SHOWN_LABELS
    return f"{shown} and {more} more" if more > 0 else shown


def _sex_and_age(source: Source, image: ImageName) -> dict[str, str]:
    """Sex and age of a subject, empty where unknown; the ages of several studies are joined."""
    participant = source.tables.participants.get(same_code(image.subject))
    if participant is None:
        return {}
    ages = ", ".join(dict.fromkeys(age for age in participant.ages if age.isdecimal()))
    return {"Sex": _SEXES.get(participant.sex.casefold()[:1], ""), "Age": ages}


def _reports(source: Source, image: ImageName) -> Iterator[tuple[str, str]]:
    """The texts of a session's reports: of the labels table, then of the sessions table."""
    rows = source.labels.rows.get(key_of(image), ())
    reports = tuple(dict.fromkeys(row.report for row in rows if row.report))
    for number, text in enumerate(reports, 1):
        yield f"Report {number}" if len(reports) > 1 else "", text
    session = source.session(image)
    for text in session.evaluations if session is not None else ():
        if text not in reports:
            yield "Evaluation", text


def _labels(source: Source, here: Annotations, image: ImageName) -> Iterator[tuple[str, str]]:
    """The labels of the session with their concepts, in the tree of terms where there is one."""
    key = key_of(image)
    yield from placed(source.labels_of(key, here), source.labels.cuis, source.terms)
    if key in here.corrected:
        yield "Released", ", ".join(source.labels.of(key)) or "nothing"
    if (first := source.first_image[key]) != image:
        yield "Corrected with", source.titles[first.path]


def _tests(source: Source, image: ImageName) -> Iterator[tuple[str, str]]:
    for test in sorted(source.tables.tests.get(same_code(image.subject), ())):
        yield test.date, f"{test.name} {test.result}".strip()


def _image(source: Source, image: ImageName) -> Iterator[tuple[str, str]]:
    """What the sidecar tells of the image; nothing that tells who it is of."""
    sidecar, session = source.sidecar(image), source.session(image)
    yield "View", view_of(image.path, sidecar.sidecar)
    yield "Kind", sidecar.kind
    yield "Study date", session.date if session is not None else ""
    yield from _sex_and_age(source, image).items()
    for name, tag in _IMAGE_TAGS:
        yield name, sidecar.text(tag).replace("\\", ", ")[:_LONGEST]


def _files(source: Source, here: Annotations, image: ImageName) -> Iterator[tuple[str, str]]:
    yield "Image", image.path
    if path := source.sidecar(image).path:
        yield "Sidecar", path
    for path in source.files_of(image, here)[0]:
        yield "ROI file", path
    if partition := partition_of(image):
        yield "Partition", partition
    name = image.path.rpartition("/")[2]
    if listed := source.partitions.get((*key_of(image), name)):
        yield "Listed in partitions.tsv as", listed
