"""The annotations of a case one by one, and what people wrote beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from napari_chest.datasets.ricord.answers import series_uid_of
from napari_chest.datasets.ricord.findings import segment_of
from napari_chest.datasets.ricord.readers import Reader
from napari_chest.model import Annotation, FactGroup

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_chest.datasets.ricord.cases import Case
    from napari_chest.datasets.ricord.drawing import Drawing, Patch
    from napari_chest.datasets.ricord.readers import Roster
    from napari_chest.files.mdai import MdaiAnnotation, MdaiFile, MdaiLabel
    from napari_chest.model import Grid

_MOST_NOTES: Final = 200
_LONGEST: Final = 500


def marks(file: MdaiFile, drawing: Drawing, roster: Roster) -> tuple[Annotation, ...]:
    """The annotations that are drawn on a case's slices, in the order of slices and of the file."""
    found = [
        (z, patch.annotation.index, _mark(z, patch, file.labels[label], roster.name_of(reader)))
        for (reader, label, z), patches in drawing.patches.items()
        for patch in patches
    ]
    return tuple(mark for _, _, mark in sorted(found, key=lambda one: one[:2]))


def notes_group(case: Case, file: MdaiFile, grid: Grid | None, roster: Roster) -> FactGroup:
    """What people wrote about the study and its slices, with the label and who did."""
    rows = []
    for place, one in _places(case, file, grid):
        if one.note.strip():
            label = file.labels.get(one.label_id)
            who = roster.name_of(Reader(label.group, one.creator)) if label else one.label_id
            told = ", ".join(filter(None, (label.name if label else "", who)))
            rows.append((place, f"{told}: {one.note.strip()[:_LONGEST]}"))
    return FactGroup("Notes", tuple(rows[:_MOST_NOTES]))


def _mark(z: int, patch: Patch, label: MdaiLabel, reader: str) -> Annotation:
    one = patch.annotation
    height, width = patch.pixels.shape
    told = (label.mode or "", one.id, one.note.strip()[:_LONGEST])
    return Annotation(
        slice=z,
        reader=reader,
        label=label.name.strip() or label.id,
        text=" · ".join(filter(None, told)),
        box=(patch.y, patch.y + height - 1, patch.x, patch.x + width - 1),
        color=segment_of(label).color,
    )


def _places(case: Case, file: MdaiFile, grid: Grid | None) -> Iterator[tuple[str, MdaiAnnotation]]:
    """The annotations of the study and the series, then those of the slices, with their place."""
    for one in file.of_study(case.study_uid):
        if not one.sop_uid and one.series_uid in {"", series_uid_of(case)}:
            yield "Series" if one.series_uid else "Study", one
    for z, sop_uid in enumerate(grid.slice_ids if grid is not None else ()):
        for one in file.of_sop(sop_uid):
            yield f"Slice {z + 1}", one
