"""What is true of the synthetic MIDRC-RICORD, whatever its readers say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy.typing as npt

SeriesKind = Literal["axial", "coronal", "scout"]
MistakeKind = Literal["false ring", "missing slice", "wrong exam label"]


@dataclass(frozen=True, eq=False)
class SeriesTruth:
    """One series of the download.

    Attributes
    ----------
    uid : Series Instance UID.
    kind : which way its slices run.
    description : Series Description, empty where the headers have none.
    folder : its folder.
    files, sops : file name and SOP Instance UID of each slice in display order: axial from head to
        feet, coronal from front to back.
    duplicates : further files that repeat one of the slices.
    voxels : (Z, Y, X) int16 in display order, Hounsfield units and -1024 where the stored value is
        padding; of a scout the stored values.
    """

    uid: str
    kind: SeriesKind
    description: str
    folder: Path
    files: tuple[str, ...]
    sops: tuple[str, ...]
    duplicates: tuple[str, ...]
    voxels: npt.NDArray[np.int16]


@dataclass(frozen=True, eq=False)
class RingTruth:
    """One ring as the annotations hold it.

    Attributes
    ----------
    annotation : its id.
    label : name of its label.
    z : the display slice.
    vertices : (n, 2) x, y.
    """

    annotation: str
    label: str
    z: int
    vertices: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ReadingTruth:
    """What one person of one label group said of one study.

    Attributes
    ----------
    group, group_id : name and id of the label group.
    creator : id of the person, empty for a program's.
    rings : of the annotated series, in the order of the file. Only those that are rings and whose
        slice is in the download.
    masks : label name to (Z, Y, X) bool, the union of the label's rings as ``cv2.fillPoly`` fills
        their truncated vertices, and of its masks of several rings likewise.
    answers : names of the labels given to the study, in the order of the file.
    """

    group: str
    group_id: str
    creator: str
    rings: tuple[RingTruth, ...]
    masks: Mapping[str, npt.NDArray[np.bool_]]
    answers: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class StudyTruth:
    """What is true of one study of CT.

    Attributes
    ----------
    patient : Patient ID.
    uid : Study Instance UID.
    series : those in the download.
    opacity : (Z, Y, X) uint8 of the axial series; 0 none, 1 ground glass, 2 consolidation.
    nodule : (Z, Y, X) bool of the axial series.
    labels : the right names of labels for the study.
    readings : in the order in which the annotations have their groups and people.
    """

    patient: str
    uid: str
    series: tuple[SeriesTruth, ...]
    opacity: npt.NDArray[np.uint8]
    nodule: npt.NDArray[np.bool_]
    labels: tuple[str, ...]
    readings: tuple[ReadingTruth, ...]

    @property
    def axial(self) -> SeriesTruth:
        """The series that readers drew in."""
        return next(series for series in self.series if series.kind == "axial")

    def union(self, group: str, label: str) -> npt.NDArray[np.bool_]:
        """(Z, Y, X) bool; where anybody of the group drew a ring of the label."""
        found = np.zeros(self.opacity.shape, np.bool_)
        for reading in self.readings:
            if reading.group == group and label in reading.masks:
                found |= reading.masks[label]
        return found


@dataclass(frozen=True, eq=False)
class RicordMistake:
    """A deliberate error of a reader.

    Attributes
    ----------
    study : Study Instance UID.
    kind : what is wrong.
    group, creator : who erred: name of the label group and id of the person.
    label : name of the label.
    slices : display slices, 0 at the head; none where the whole study is concerned.
    voxels : (Z, Y, X) bool; what is drawn and should not be, or is not and should be. None where
        nothing was drawn.
    said, true : what the annotations say and what is right.
    text : one sentence about it.
    """

    study: str
    kind: MistakeKind
    group: str
    creator: str
    label: str
    slices: tuple[int, ...]
    voxels: npt.NDArray[np.bool_] | None
    said: str
    true: str
    text: str


@dataclass(frozen=True, eq=False)
class RicordPhantom:
    """A synthetic RICORD-1A on disk and what is true of it.

    Attributes
    ----------
    root : the folder to open.
    images : the folder of the download.
    annotations : the file of the annotations.
    clinical : the workbook.
    studies : the truth of each study in the download.
    absent : Study Instance UIDs that are annotated but not in the download; the last one is not
        among the studies that the annotations list either.
    absent_series : Series Instance UID that is annotated but not in the download, of a study that
        is.
    mistakes : where readers depart from the truth.
    """

    root: Path
    images: Path
    annotations: Path
    clinical: Path
    studies: tuple[StudyTruth, ...]
    absent: tuple[str, ...]
    absent_series: str
    mistakes: tuple[RicordMistake, ...]

    def study(self, uid: str) -> StudyTruth:
        """The truth of the study with this UID."""
        return next(truth for truth in self.studies if truth.uid == uid)


@dataclass(frozen=True, eq=False)
class ShotTruth:
    """One radiograph of the download.

    Attributes
    ----------
    path : its file.
    series, sop : Series and SOP Instance UID.
    modality : CR or DX.
    view : ``front`` or ``side``.
    description : Series Description, empty where the header has none.
    inverted : whether small stored values are bright.
    pixels : (Y, X) stored values.
    """

    path: Path
    series: str
    sop: str
    modality: str
    view: str
    description: str
    inverted: bool
    pixels: npt.NDArray[np.uint16]


@dataclass(frozen=True)
class AnswerTruth:
    """What one group said of one exam.

    Attributes
    ----------
    group, group_id : name and id of the label group.
    creator : id of the person.
    answers : names of labels in the order of the file.
    """

    group: str
    group_id: str
    creator: str
    answers: tuple[str, ...]


@dataclass(frozen=True)
class ExamTruth:
    """What is true of one exam.

    Attributes
    ----------
    patient : Patient ID.
    uid : Study Instance UID.
    shots : its images.
    appearance : the right class.
    grade : the right grade, empty where there is no disease.
    readings : of the groups that said something, in the order of the file.
    majority : names of the labels that two or all of the three readers' groups gave.
    """

    patient: str
    uid: str
    shots: tuple[ShotTruth, ...]
    appearance: str
    grade: str
    readings: tuple[AnswerTruth, ...]
    majority: tuple[str, ...]

    def said(self, group: str) -> tuple[str, ...]:
        """What a group said, nothing if it has not read the exam."""
        return next((one.answers for one in self.readings if one.group == group), ())


@dataclass(frozen=True, eq=False)
class Ricord1cPhantom:
    """A synthetic RICORD-1C on disk and what is true of it.

    Attributes
    ----------
    root : the folder to open.
    images : the folder of the download.
    annotations : the file of the annotations.
    clinical : the workbook.
    exams : the truth of each exam in the download.
    withdrawn : Study Instance UIDs that the annotations list but the download has not.
    unlisted : Study Instance UID that is annotated, but neither listed nor in the download.
    mistakes : where readers depart from the truth.
    """

    root: Path
    images: Path
    annotations: Path
    clinical: Path
    exams: tuple[ExamTruth, ...]
    withdrawn: tuple[str, ...]
    unlisted: str
    mistakes: tuple[RicordMistake, ...]

    def exam(self, uid: str) -> ExamTruth:
        """The truth of the exam with this UID."""
        return next(truth for truth in self.exams if truth.uid == uid)
