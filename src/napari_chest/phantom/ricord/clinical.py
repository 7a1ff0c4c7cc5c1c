"""The clinical workbooks of the synthetic RICORD, with the stray blanks of the published ones."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from napari_chest.phantom.workbook import workbook

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_chest.phantom.ricord.cases import CtStudy
    from napari_chest.phantom.ricord.exams import Exam
    from napari_chest.phantom.workbook import Cell


def ct_workbook(studies: Sequence[tuple[str, CtStudy]]) -> bytes:
    """The bytes of the workbook of CT, given Study Instance UIDs and studies."""
    header = (
        "Anon MRN ", "Anon Study UID", " Age", "Sex ", "Test Type", "Result ", "Days to Test",
        "Symptoms",
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = [header]
    for number, (uid, study) in enumerate(studies):
        mrn = study.patient.removeprefix("MIDRC-RICORD-1A-")
        symptoms = ("Fever", "Cough, dyspnea", None)[number % 3]
        rows.append((mrn, uid, study.age, study.sex, "RT-PCR", "DETECTED", number, symptoms))
    return workbook("CT Pos - TCIA Submission", rows)


def radiograph_workbook(exams: Sequence[tuple[str, Exam]]) -> bytes:
    """The bytes of the workbook of radiographs, given Study Instance UIDs and exams."""
    header = (
        "Anon MRN ", "Anon TCIA Study Date", " Anon Exam Description", "Anon Study UID", "Age ",
        "Sex",
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = [header]
    for number, (uid, exam) in enumerate(exams):
        mrn = exam.patient.removeprefix("MIDRC-RICORD-1C-")
        day = date.fromisoformat(exam.date)
        # Some dates were typed as text.
        moment = f"{day.month}/{day.day}/{day.year}" if number % 2 else day
        rows.append((mrn, moment, exam.description or None, uid, exam.age, exam.sex))
    return workbook("CR Pos - TCIA Submission", rows)
