"""Labels of an exam against what is drawn, and against each other.

The words are those of RICORD: four classes of appearance, of which one holds, and grades that
count lung zones. How the lungs are parted into zones is not documented, so that no mask can be
held against a grade; a grade over no opacity is a contradiction all the same.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from napari_chest.errors import ChestError
from napari_chest.review.contradictions.seen import Seen, middle_of
from napari_chest.review.contradictions.words import SetAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from napari_chest.model import CaseInfo, Question
    from napari_chest.review.contradictions.words import Contradiction

_CLASS = re.compile(r"(?:.*:)?\s*(typical|indeterminate|atypical|negative)\b", re.IGNORECASE)
_GRADE = re.compile(r"(?:.*:)?\s*(mild|moderate|severe)\b", re.IGNORECASE)
_NEGATIVE = "negative"


def check_labels(seen: Seen) -> Iterator[Contradiction]:
    """Two classes or two grades at once, or a negative exam with a class or a grade."""
    for question, classes, grades in _answered(seen):
        clashing = [*classes, *grades] if _negative(classes) else []
        if len(clashing) < 2:
            clashing = classes if len(classes) > 1 else grades if len(grades) > 1 else []
        if len(clashing) < 2:
            continue
        text = f"{_listed(clashing)} are said of one exam, of which one can be true."
        fixes = [_without(seen, question, clashing, keep) for keep in clashing]
        yield seen.found("exam labels", text, *fixes)


def check_opacity(seen: Seen) -> Iterator[Contradiction]:
    """A class of pneumonia with no infectious opacity drawn, or a negative exam with one."""
    for question, classes, grades in _answered(seen):
        if _negative(classes) and len(classes) == 1:
            if seen.infection is not None and seen.has_infection:
                yield _negative_with_opacity(seen, question, classes[0])
        elif len(classes) == 1 or grades:
            told = [*classes, *grades]
            if _may_be_drawn(seen) and not any(_drawn_by_group(seen, question)):
                yield _no_opacity(seen, question, told)


def _negative_with_opacity(seen: Seen, question: Question, told: str) -> Contradiction:
    assert seen.infection is not None
    text = f"The exam is called {_short(told)}, and infectious opacities are drawn."
    fix = _without(seen, question, [told], "")
    at = middle_of(seen.infection)
    names = [mask.name for mask in seen.infected if mask.labels.any()]
    return seen.found("exam opacity", text, fix, mask=names[0], voxel=at)


def _no_opacity(seen: Seen, question: Question, told: Sequence[str]) -> Contradiction:
    text = (
        f"The exam is called {_listed(told)}, and no infectious opacity is drawn in any of its "
        "series."
    )
    negative = [name for name in question.choices if _is_negative(name)][:1]
    kept = tuple(a for a in seen.reading.answers[question.key] if a not in told)
    fixes = [
        SetAnswer(f"Set to {_short(name)}", question.key, (*kept, name)) for name in negative[:1]
    ]
    return seen.found("exam opacity", text, *fixes)


def _answered(seen: Seen) -> Iterator[tuple[Question, list[str], list[str]]]:
    """The questions about an exam with the classes and the grades that were answered."""
    for question in seen.questions:
        if len({_kind(_CLASS, choice) for choice in question.choices} - {""}) < 2:
            continue
        given = seen.reading.answers[question.key]
        classes, grades = ([a for a in given if _kind(p, a)] for p in (_CLASS, _GRADE))
        yield question, classes, grades


def _may_be_drawn(seen: Seen) -> bool:
    """Whether a reader of this case could have drawn an opacity: not on radiographs of RICORD."""
    return seen.case.modality == "CT"


def _drawn_by_group(seen: Seen, question: Question) -> Iterator[bool]:
    """Whether each of those who were asked the same drew an infectious opacity, in any series.

    A study's labels are answered with one of its series, and drawn on another; and one person of
    a group may have answered what another one drew.
    """
    yield seen.has_infection
    if seen.alone:
        return
    for other in seen.readings:
        if other is not seen.reading and question.key in other.answers:
            yield Seen(seen.dataset, seen.case, other).has_infection
    groups = _readers_asked(seen, question)
    for case in _same_study(seen):
        for other in seen.dataset.readings(case.id):
            if other.reader in groups or question.key in other.answers:
                yield Seen(seen.dataset, case, other).has_infection


def _readers_asked(seen: Seen, question: Question) -> set[str]:
    """Readers who were asked the same question of this case."""
    return {one.reader for one in seen.readings if question.key in one.answers}


def _same_study(seen: Seen) -> Iterator[CaseInfo]:
    """Other cases with drawings of the same study, which their headers tell."""
    study = _study_of(seen, seen.case.id)
    patient = seen.case.title.partition(" · ")[0]
    for case in seen.dataset.cases():
        near = case.title.startswith(patient) and "Annotations" in case.facts
        if study and near and case.id != seen.case.id and _study_of(seen, case.id) == study:
            yield case


def _study_of(seen: Seen, case: str) -> str:
    try:
        groups = seen.dataset.about(case)
    except ChestError:  # which is a problem of that other case
        return ""
    rows = (row for group in groups if group.title == "Image" for row in group.rows)
    return next((text for name, text in rows if name == "Study"), "")


def _without(seen: Seen, question: Question, clashing: Sequence[str], keep: str) -> SetAnswer:
    given = seen.reading.answers[question.key]
    left = tuple(answer for answer in given if answer == keep or answer not in clashing)
    text = f"Keep {_short(keep)} only" if keep else f"Remove {_short(clashing[0])}"
    return SetAnswer(text, question.key, left)


def _kind(words: re.Pattern[str], answer: str) -> str:
    match = words.match(answer)
    return match[1].casefold() if match else ""


def _is_negative(answer: str) -> bool:
    return _kind(_CLASS, answer) == _NEGATIVE


def _negative(classes: Sequence[str]) -> bool:
    return any(map(_is_negative, classes))


def _short(name: str) -> str:
    """A label without the one it stands under."""
    return name.rpartition(": ")[2].strip()


def _listed(names: Sequence[str]) -> str:
    *first, last = map(_short, names)
    return f"{', '.join(first)} and {last}" if first else last
