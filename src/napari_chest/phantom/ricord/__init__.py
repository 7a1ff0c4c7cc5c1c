"""A synthetic dataset laid out as MIDRC-RICORD-1A or 1C is published, quirks included.

CT or radiographs as the NBIA Data Retriever downloads them, and beside them the export of an MD.ai
project in which several label groups annotated them. What the readers say comes from the phantom's
truth but for a few `RicordMistake` values, which are what a reviewer should find.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from napari_chest.phantom.folder import made_whole, seed_of
from napari_chest.phantom.ricord.answers import Panel
from napari_chest.phantom.ricord.cases import STUDIES
from napari_chest.phantom.ricord.clinical import ct_workbook, radiograph_workbook
from napari_chest.phantom.ricord.ct import write_ct
from napari_chest.phantom.ricord.download import Download
from napari_chest.phantom.ricord.exams import EXAMS
from napari_chest.phantom.ricord.oddities import add_oddities
from napari_chest.phantom.ricord.radiographs import write_exam
from napari_chest.phantom.ricord.readers import Readers
from napari_chest.phantom.ricord.truth import (
    AnswerTruth,
    ExamTruth,
    ReadingTruth,
    Ricord1cPhantom,
    RicordMistake,
    RicordPhantom,
    RingTruth,
    SeriesTruth,
    ShotTruth,
    StudyTruth,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari_chest.phantom.ricord.cases import CtStudy
    from napari_chest.phantom.ricord.ct import Ct
    from napari_chest.phantom.ricord.radiographs import Exposed

__all__ = [
    "AnswerTruth",
    "ExamTruth",
    "ReadingTruth",
    "Ricord1cPhantom",
    "RicordMistake",
    "RicordPhantom",
    "RingTruth",
    "SeriesTruth",
    "ShotTruth",
    "StudyTruth",
    "make_ricord",
    "make_ricord_1c",
]

_MANIFEST = "manifest-1608266677008"
_ANNOTATIONS = "MIDRC-RICORD-1a_annotations_labelgroup_all_2020-Dec-8.json"
_CLINICAL = "MIDRC-RICORD-1a-Clinical-Data-Jan-13-2021.xlsx"
_MANIFEST_1C = "manifest-1610656454899"
_ANNOTATIONS_1C = "1c_mdai_rsna_project_MwBeK3Nr_annotations_labelgroup_all_2021-01-08-164102.json"
_CLINICAL_1C = "MIDRC-RICORD-1c Clinical Data Jan 13 2021 .xlsx"


def make_ricord(
    root: Path | str,
    shape: tuple[int, int, int] = (60, 256, 256),
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> RicordPhantom:
    """Write a synthetic dataset laid out as MIDRC-RICORD-1A is downloaded; return what is true.

    Parameters
    ----------
    root : the dataset's folder, which must be empty or not exist.
    shape : (Z, Y, X) of every axial series.
    seed : same seed, same bytes.
    progress : called after each study with the number of studies done and their total.

    Raises
    ------
    SaveError
        when the folder holds anything: two datasets would mix, and it may be real data.
    """
    root = Path(root)
    readers = Readers(seed)
    read: list[tuple[CtStudy, Ct]] = []
    with made_whole(root, last=_ANNOTATIONS) as partial:
        download = Download(partial / _MANIFEST, "MIDRC-RICORD-1A")
        for study, ct in _write_studies(download, root / _MANIFEST, shape, seed):
            readers.read(study, ct)
            read.append((study, ct))
            if progress is not None:
                progress(len(read), len(STUDIES))
        download.finish()
        odd = add_oddities(readers, read)
        (partial / _ANNOTATIONS).write_bytes(readers.project.text(odd.keys))
        (partial / _CLINICAL).write_bytes(ct_workbook([(ct.uid, study) for study, ct in read]))
    return RicordPhantom(
        root,
        root / _MANIFEST,
        root / _ANNOTATIONS,
        root / _CLINICAL,
        tuple(_truth(study, ct, readers) for study, ct in read),
        odd.studies,
        odd.series,
        tuple(readers.mistakes),
    )


def make_ricord_1c(
    root: Path | str,
    size: tuple[int, int] = (448, 490),
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Ricord1cPhantom:
    """Write a synthetic dataset laid out as MIDRC-RICORD-1C is downloaded; return what is true.

    Parameters
    ----------
    root : the dataset's folder, which must be empty or not exist.
    size : (rows, columns) of every radiograph.
    seed : same seed, same bytes.
    progress : called after each exam with the number of exams done and their total.

    Raises
    ------
    SaveError
        when the folder holds anything: two datasets would mix, and it may be real data.
    """
    root = Path(root)
    exposed: list[Exposed] = []
    with made_whole(root, last=_ANNOTATIONS_1C) as partial:
        download = Download(partial / _MANIFEST_1C, "MIDRC-RICORD-1C")
        for number, exam in enumerate(EXAMS):
            # Chests of neither collection are those of the other.
            own_seed = seed_of(seed, len(STUDIES) + number)
            exposed.append(write_exam(download, root / _MANIFEST_1C, exam, size, own_seed))
            if progress is not None:
                progress(len(exposed), len(EXAMS))
        download.finish()
        panel = Panel(exposed, seed)
        (partial / _ANNOTATIONS_1C).write_bytes(panel.project.text({}))
        rows = [(shown.uid, exam) for shown, exam in zip(exposed, EXAMS, strict=True)]
        (partial / _CLINICAL_1C).write_bytes(radiograph_workbook(rows))
    return Ricord1cPhantom(
        root,
        root / _MANIFEST_1C,
        root / _ANNOTATIONS_1C,
        root / _CLINICAL_1C,
        tuple(panel.exams),
        tuple(panel.withdrawn),
        panel.unlisted,
        tuple(panel.mistakes),
    )


def _write_studies(
    download: Download, final: Path, shape: tuple[int, int, int], seed: int
) -> Iterator[tuple[CtStudy, Ct]]:
    """Each study once its files are written."""
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        waiting: tuple[CtStudy, Ct] | None = None
        for number, study in enumerate(STUDIES):
            ct = write_ct(pool, download, final, study, shape, seed_of(seed, number))
            if waiting is not None:
                yield _finished(*waiting)
            # Written while the next chest is made.
            waiting = study, ct
        if waiting is not None:
            yield _finished(*waiting)


def _finished(study: CtStudy, ct: Ct) -> tuple[CtStudy, Ct]:
    for write in ct.writes:
        write.result()
    return study, ct


def _truth(study: CtStudy, ct: Ct, readers: Readers) -> StudyTruth:
    return StudyTruth(
        study.patient,
        ct.uid,
        ct.series,
        ct.chest.opacity,
        ct.nodule,
        study.labels,
        readers.truth(ct),
    )
