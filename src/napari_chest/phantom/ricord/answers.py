"""What the groups of the synthetic RICORD-1C said of its exams, and where they erred."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from napari_chest.phantom.ricord.download import new_uid
from napari_chest.phantom.ricord.exams import (
    CLASSES,
    EXAMS,
    GONE,
    GRADE,
    GRADES,
    LABELS,
    NAMES,
    NEGATIVE,
    READERS,
    TRAINING,
    TYPICAL,
)
from napari_chest.phantom.ricord.project import Label, Place, Project
from napari_chest.phantom.ricord.truth import AnswerTruth, ExamTruth, RicordMistake

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_chest.phantom.ricord.exams import Exam, Said
    from napari_chest.phantom.ricord.radiographs import Exposed

_UNKNOWN = "L_gone1C"  # id of a label that no group has


class Panel:
    """The groups at work on the exams.

    Attributes
    ----------
    project : what they made.
    exams : the truth of each exam.
    withdrawn, unlisted : UIDs of exams that are annotated but not in the download.
    mistakes : where they erred.
    """

    def __init__(self, exposed: Sequence[Exposed], seed: int) -> None:
        rng = np.random.default_rng((seed, 5))
        self.project = Project("Synthetic RICORD-1C", rng)
        for group, name in NAMES.items():
            self.project.add_person(group, name)
            self.project.add_group(group, [_label(label) for label in LABELS[group]])
        self.mistakes: list[RicordMistake] = []
        *self.withdrawn, self.unlisted = (new_uid(rng, tail) for tail in GONE)
        for exam, shown in zip(EXAMS, exposed, strict=True):
            self._read(exam, shown)
        self._read_gone()
        self._add_oddities(exposed[0])
        rows = self.project.rows
        self.project.rows = [rows[n] for n in rng.permutation(len(rows))]
        for number, uid in enumerate([*(one.uid for one in exposed), *self.withdrawn], 1):
            self.project.studies.append({"StudyInstanceUID": uid, "number": number})
        self.exams = [self._truth(*one) for one in zip(EXAMS, exposed, strict=True)]

    def _read(self, exam: Exam, shown: Exposed) -> None:
        right = (exam.appearance, GRADE)
        for group in NAMES:
            said = exam.said.get(group, right if group in READERS else ())
            labels = [shown.grade if label == GRADE else label for label in said]
            self._say(group, shown.uid, tuple(filter(None, labels)))
        if exam.wrong:
            said = exam.said[exam.wrong]
            true = ", ".join(filter(None, (exam.appearance, shown.grade)))
            text = "The exam is called negative; it has opacities in many zones."
            person = self.project.people[exam.wrong]
            self.mistakes.append(
                RicordMistake(
                    shown.uid,
                    "wrong exam label",
                    exam.wrong,
                    person,
                    said[0],
                    (),
                    None,
                    said[0],
                    true,
                    text,
                )
            )

    def _say(self, group: str, uid: str, labels: Said) -> None:
        for label in labels:
            note = "Überlagerung, rotated?" if label.startswith("Inad") else None
            label_id = self.project.labels[group, label]
            self.project.annotate(label_id, Place(uid), group, note=note)

    def _read_gone(self) -> None:
        for uid in (*self.withdrawn, self.unlisted):
            for group in READERS:
                self._say(group, uid, (TYPICAL, GRADES[0]))

    def _add_oddities(self, first: Exposed) -> None:
        """A label that is no more, and a place where none is expected."""
        self.project.annotate(_UNKNOWN, Place(first.uid), TRAINING)
        label = self.project.labels[TRAINING, "Lines"]
        self.project.annotate(label, Place(first.uid), TRAINING, {"x": 12, "y": 30.5})

    def _truth(self, exam: Exam, shown: Exposed) -> ExamTruth:
        names = {label_id: key for key, label_id in self.project.labels.items()}
        said: dict[str, list[str]] = {group: [] for group in NAMES}
        for row in self.project.rows:
            if row["StudyInstanceUID"] == shown.uid and row["labelId"] in names:
                group, label = names[row["labelId"]]
                said[group].append(label)
        votes = Counter(label for group in READERS for label in said[group])
        readings = tuple(
            AnswerTruth(
                group, self.project.group_id(group), self.project.people[group], tuple(labels)
            )
            for group, labels in said.items()
            if labels
        )
        majority = tuple(label for label in (*CLASSES, *GRADES) if votes[label] > 1)
        return ExamTruth(
            exam.patient, shown.uid, shown.shots, exam.appearance, shown.grade, readings, majority
        )


def _label(name: str) -> Label:
    return Label(name, "STUDY", description="No lung opacities" if name == NEGATIVE else "")
