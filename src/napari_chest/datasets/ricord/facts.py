"""What a person is told of a case beside its masks: a row of the list, groups of facts."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from napari_chest.changes import slice_ranges
from napari_chest.datasets.ricord.answers import KINDS, answers_of, vote
from napari_chest.model import CaseInfo, FactGroup

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_chest.datasets.ricord.cases import Case
    from napari_chest.datasets.ricord.census import Census
    from napari_chest.datasets.ricord.documents import Document
    from napari_chest.datasets.ricord.drawing import Drawing
    from napari_chest.datasets.ricord.findings import GroupLabels
    from napari_chest.datasets.ricord.readers import Roster
    from napari_chest.files.mdai import MdaiFile

LIST_FACTS: Final = (
    "Annotations", "Kind", "Slices", "Readers", "Class", "Adjudicated", "Collection",
)  # fmt: skip


def case_info(case: Case, document: Document | None, census: Census, roster: Roster) -> CaseInfo:
    """A case as a row of the case list; told by headers and annotations alone."""
    rings = sum(census.rings.get(uid, 0) for uid in case.sop_uids)
    readers = len(census.readers.get(case.study_uid, ()))
    told = {
        "Collection": case.collection,
        "Kind": case.kind,
        "Slices": str(len(case.entries)) if case.entry is None and case.entries else "",
        "Annotations": f"{rings:,}" if rings else "",
        "Readers": str(readers or ""),
        "Series": case.series.description if case.series is not None else "",
    }
    if case.entry is not None and document is not None:
        classes = vote(document.file, case.study_uid, "Class", roster)
        told |= {"Class": classes.text, "Adjudicated": classes.adjudicated}
    kept = {name: text for name, text in told.items() if text}
    return CaseInfo(case.id, case.title, case.modality, kept)


def readers_group(
    case: Case, file: MdaiFile, roster: Roster, labels: Mapping[str, GroupLabels]
) -> FactGroup:
    """What every reader answers, side by side, and what most of them say."""
    rows = []
    of_study = replace(case, first=True)
    for reader, name in roster.names.items():
        given = answers_of(file, of_study, reader, labels[reader.group])
        if given:
            rows.append((name, ", ".join(given)))
    if case.entry is not None:
        for kind in KINDS:
            found = vote(file, case.study_uid, kind, roster)
            rows.append((f"{kind}, majority", found.text))
            rows.append((f"{kind}, adjudicated", found.adjudicated))
    return FactGroup("Readers", tuple(row for row in rows if row[1]))


def drawn_group(drawing: Drawing, roster: Roster, labels: Mapping[str, GroupLabels]) -> FactGroup:
    """On which slices every reader drew what, and how many annotations there are."""
    slices: dict[tuple[str, str], set[int]] = defaultdict(set)
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for (reader, label, z), patches in drawing.patches.items():
        key = roster.name_of(reader), labels[reader.group].name_of(label)
        slices[key].add(z)
        counts[key] += len(patches)
    return FactGroup(
        "Annotations",
        tuple(
            (f"{reader}: {label}", f"{counts[reader, label]} on {slice_ranges(found)}")
            for (reader, label), found in slices.items()
        ),
    )


def image_group(case: Case) -> FactGroup:
    """What the headers tell of the images; nothing that tells who they are of."""
    if case.series is None or not case.entries:
        return FactGroup("Image", tuple(("Cannot be read", path) for path in case.broken[:10]))
    header = case.entries[0].header
    spacing = header.pixel_spacing
    rows = {
        "Series": case.series.title,
        "Kind": case.kind,
        "Modality": header.modality,
        "Rows and columns": f"{header.rows} x {header.columns}",
        "Pixel spacing": f"{spacing[0]:.3g} x {spacing[1]:.3g} mm" if spacing else "",
        "Image type": ", ".join(header.image_type),
        "Photometric interpretation": header.photometric,
        "Study": case.study_uid,
        "Series UID": case.series.series_uid,
        "Folder": case.entries[0].path.rpartition("/")[0],
    }
    return FactGroup("Image", tuple((name, text) for name, text in rows.items() if text))
