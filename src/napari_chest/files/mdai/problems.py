"""What a person should know about an export as a whole."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from napari_chest.files.mdai.shapes import MODES
from napari_chest.model import Level, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from napari_chest.files.mdai.records import MdaiAnnotation, MdaiGroup, MdaiLabel
    from napari_chest.files.mdai.structure import Places

_MOST_NAMES = 5


def file_problems(
    groups: Sequence[MdaiGroup],
    labels: Mapping[str, MdaiLabel],
    annotations: Sequence[MdaiAnnotation],
    studies: Iterable[tuple[str, str, int | None]],
    places: Places,
) -> list[Problem]:
    """One problem of each kind, with the names of the first annotations that have it."""
    return [
        *_structure_problems(places, annotations),
        *_label_problems(groups),
        *_annotation_problems(annotations, labels, {(one[0], one[1]) for one in studies}),
    ]


def _structure_problems(places: Places, annotations: Sequence[MdaiAnnotation]) -> Iterator[Problem]:
    for key in dict.fromkeys(places.repeated):
        yield Problem("warning", f"The key {key[:40]!r} stands twice; the later value counts.")
    if missing := sum(one.annotations is None for one in places.datasets or ()):
        yield Problem("note", f"{missing:,} datasets have no list of annotations.")
    for fault in sorted({one.fault for one in annotations if one.fault}):
        yield _problem("warning", [one for one in annotations if one.fault == fault], fault)


def _label_problems(groups: Sequence[MdaiGroup]) -> Iterator[Problem]:
    labels = [label for group in groups for label in group.labels]
    counts = Counter(label.id for label in labels)
    for id_, count in counts.items():
        if count > 1:
            yield Problem("warning", f"{count} labels have the id {id_[:40]!r}; the first counts.")
    for mode in sorted({label.mode for label in labels if label.mode} - {*MODES}):
        yield Problem(
            "note",
            f"Labels of the mode {mode[:40]!r} are not known; what they draw is not shown, but "
            "kept.",
        )


def _annotation_problems(
    annotations: Sequence[MdaiAnnotation],
    labels: Mapping[str, MdaiLabel],
    studies: set[tuple[str, str]],
) -> Iterator[Problem]:
    able = [one for one in annotations if not one.fault]
    counts = Counter(one.head.id for one in able)
    of_image = {label.id for label in labels.values() if label.scope == "INSTANCE"}
    drawn = {label.id for label in labels.values() if label.mode}
    checks: tuple[tuple[Level, str, list[MdaiAnnotation]], ...] = (
        ("warning", "without an id", [one for one in able if not one.head.id]),
        (
            "warning",
            "with the id of another one",
            [one for one in able if one.head.id and counts[one.head.id] > 1],
        ),
        ("warning", "without a study", [one for one in able if not one.head.study]),
        (
            "warning",
            "with a label that is not defined",
            [one for one in able if one.head.label not in labels],
        ),
        (
            "warning",
            "with a label of images, but without an image",
            [one for one in able if not one.head.sop and one.head.label in of_image],
        ),
        (
            "note",
            "with a label that is drawn, but without a drawing",
            [one for one in able if one.head.label in drawn and one.draws_nothing],
        ),
        (
            "note",
            "of a study that is not listed",
            [
                one
                for one in able
                if one.head.study and (one.dataset, one.head.study) not in studies
            ],
        ),
    )
    yield from (_problem(level, found, text) for level, text, found in checks if found)


def _problem(level: Level, found: Sequence[MdaiAnnotation], text: str) -> Problem:
    names = ", ".join(one.id[:40] or f"number {one.index + 1:,}" for one in found[:_MOST_NAMES])
    more = f" and {len(found) - _MOST_NAMES:,} more" if len(found) > _MOST_NAMES else ""
    count = "1 annotation" if len(found) == 1 else f"{len(found):,} annotations"
    kept = "It is kept." if len(found) == 1 else "They are kept."
    return Problem(level, f"{count} {text}: {names}{more}. {kept}")
