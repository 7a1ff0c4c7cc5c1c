"""Labels of studies and series as answers, and what several readers agree on."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from napari_chest.datasets.ricord.cases import Case
    from napari_chest.datasets.ricord.findings import GroupLabels
    from napari_chest.datasets.ricord.readers import Reader, Roster
    from napari_chest.files.mdai import MdaiAnnotation, MdaiFile

_CLASSES: Final = re.compile(r"\s*(typical|indeterminate|atypical|negative)\b", re.IGNORECASE)
_GRADES: Final = re.compile(r"\s*(mild|moderate|severe)\b", re.IGNORECASE)
KINDS: Final = {"Class": _CLASSES, "Grade": _GRADES}
"""What readers of radiographs vote on, and how the names of its labels begin."""


class Vote(NamedTuple):
    """What the readers of a study say of one kind.

    Attributes
    ----------
    majority : what more than half of the readers that vote say; empty where nothing is.
    answers : what each of these label groups says, by its identifier; empty where it says nothing.
    adjudicated : what was agreed on, as the file has it; empty where it has nothing.
    """

    majority: str
    answers: Mapping[str, str]
    adjudicated: str

    @property
    def text(self) -> str:
        """The majority in words."""
        if self.majority:
            return self.majority
        return "no majority" if any(self.answers.values()) else ""


def answers_of(file: MdaiFile, case: Case, reader: Reader, labels: GroupLabels) -> tuple[str, ...]:
    """What a reader answers with a case, in the order of the choices."""
    given = {one.label_id for one in answering(file, case, reader, labels)}
    return tuple(name for label, name in labels.answered.items() if label in given)


def answering(
    file: MdaiFile, case: Case, reader: Reader, labels: GroupLabels
) -> tuple[MdaiAnnotation, ...]:
    """The annotations that answer with a case.

    Those of its study where it is the study's first case, and those of its series.
    """
    return tuple(
        one
        for one in file.of_study(case.study_uid)
        if one.label_id in labels.answered
        and one.creator == reader.creator
        and not one.sop_uid
        and (one.series_uid == series_uid_of(case) if one.series_uid else case.first)
    )


def asks(case: Case, labels: GroupLabels) -> bool:
    """Whether a group's labels are answered with a case."""
    return bool(labels.answered) and (case.first or labels.has_series_labels)


def series_uid_of(case: Case) -> str:
    """Series Instance UID of a case."""
    return case.series.series_uid if case.series is not None else case.id


def vote(file: MdaiFile, study_uid: str, kind: str, roster: Roster) -> Vote:
    """What the readers of a study say of one kind; nothing of it is ever written."""
    said: dict[str, list[str]] = {}
    for one in file.of_study(study_uid):
        label = file.labels.get(one.label_id)
        if label is not None and KINDS[kind].match(label.name):
            names = said.setdefault(label.group, [])
            if label.name.strip() not in names:
                names.append(label.name.strip())
    votes = {group: said.get(group, []) for group in roster.voters}
    return Vote(
        _majority(votes.values()),
        {group: ", ".join(names) for group, names in votes.items()},
        ", ".join(name for group in roster.adjudicators for name in said.get(group, ())),
    )


def _majority(votes: Iterable[Iterable[str]]) -> str:
    """What more than half of the readers say; their spelling of it may differ in case and blanks.

    A reader who says nothing does not vote against anything.
    """
    told = list(votes)
    spelled: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for names in told:
        for name in names:
            key = " ".join(name.casefold().split())
            spelled.setdefault(key, name)
            counts[key] += 1
    most = [key for key, count in counts.items() if 2 * count > len(told)]
    return " and ".join(spelled[key] for key in most)
