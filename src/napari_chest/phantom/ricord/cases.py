"""The studies, people and labels of the synthetic RICORD-1A, as tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from napari_chest.phantom.dicom import INTERCEPT, Encoding
from napari_chest.phantom.patient import LOBES
from napari_chest.phantom.ricord.drawing import Hand

if TYPE_CHECKING:
    from napari_chest.phantom.patient import Sex

Person = Literal["P1", "P2", "O1", "", "A1"]
"""Who annotated, by initials of the label group; the one without any is a program."""

OPACITY = "Infectious opacity"
MICRONODULES = "Infectious TIB/micronodules"
NODULE = "Noninfectious nodule/mass"
ATELECTASIS = "Atelectasis"
FINDINGS = (
    OPACITY,
    MICRONODULES,
    "Infectious cavity",
    NODULE,
    ATELECTASIS,
    "Other noninfectious opacity",
)
"""The labels of rings, which every group has under ids of its own."""

INFECTIOUS, NEGATIVE = "Infectious lung disease", "Negative for pneumonia"
STUDY_LABELS: dict[str, str | None] = {
    INFECTIOUS: None,
    "Typical": INFECTIOUS,
    "Indeterminate": INFECTIOUS,
    "Atypical": INFECTIOUS,
    NEGATIVE: None,
    "Effusion": None,
    "Lymphadenopathy": None,
    "Emphysema": None,
    "Inadequate - motion/breathing": None,
    "Inadequate - inspiration": None,
    "Inadequate - coverage": None,
}
"""The labels of whole studies, each with the label that it is part of."""

GROUPS: dict[str, tuple[Person, ...]] = {
    "Purple Group 1": ("P1", "P2"),
    "Orange Group 2": ("O1", ""),
    "Adjudication Group": ("A1",),
}
NAMES: dict[Person, str] = {
    "P1": "Vera Lindqvist-Ångström",
    "P2": "Tomás Okafor",
    "O1": "Chidi Baumgärtner",
    "A1": "Ines 中村",
}
"""Invented names by person."""

HANDS: dict[Person, Hand] = {
    "P1": Hand(),
    "P2": Hand(level=0.42, wobble=0.5),
    "O1": Hand(level=0.38, wobble=0.4),
    "": Hand(wobble=0.0),
    "A1": Hand(wobble=0.15),
}


@dataclass(frozen=True)
class CtStudy:
    """One study of CT.

    Attributes
    ----------
    site, number : of the patient's ID.
    date : Study Date.
    tail : the end of its UIDs.
    description, series : Study and Series Description, empty where the site gives none.
    encoding : of the axial series.
    severity, consolidated, lobes, sex, age : of the patient, as `make_chest` takes them.
    intercept : Rescale Intercept of the axial series.
    padded : whether there is padding around the circle of reconstruction.
    shuffled : whether file numbers are in no order; else they run from the feet to the head.
    planned : whether a scout and coronal slices are in the study too.
    duplicated : whether one slice is there twice.
    nodule : whether there is a nodule.
    labels : the right labels of the study.
    drawn : who drew rings in it.
    answered : who gave it labels, and which if not the right ones.
    """

    site: str
    number: int
    date: str
    tail: str
    description: str
    series: str
    encoding: Encoding
    severity: float
    consolidated: float
    lobes: tuple[str, ...]
    sex: Sex
    age: int
    labels: tuple[str, ...]
    drawn: tuple[Person, ...]
    answered: dict[Person, tuple[str, ...] | None]
    intercept: int = INTERCEPT
    padded: bool = False
    shuffled: bool = False
    planned: bool = False
    duplicated: bool = False
    nodule: bool = False

    @property
    def patient(self) -> str:
        """Patient ID."""
        return f"MIDRC-RICORD-1A-{self.site}-{self.number}"


_TYPICAL = (INFECTIOUS, "Typical")

STUDIES = (
    CtStudy(
        "419639", 990001, "20030512", "419639.21", "CT CHEST WO CONTRAST", "AXIAL 5.0 LUNG",
        Encoding(lossless=True), 0.55, 0.4, LOBES, "M", 61, (*_TYPICAL, "Effusion"),
        ("P1", "P2", "O1", "A1"), {"P1": None, "P2": _TYPICAL, "O1": None, "A1": None},
        planned=True,
    ),
    CtStudy(
        "419639", 990001, "20030602", "419639.8.275", "CT CHEST W/O CONTRAST", "THIN AXIAL 60 KEV",
        Encoding(lossless=True, bits=16, signed=True), 0.35, 0.1, ("LLL", "RLL", "RUL"), "M", 61,
        _TYPICAL, ("P1", "O1"), {"P1": None, "O1": (NEGATIVE,)}, padded=True,
    ),
    CtStudy(
        "440808", 990002, "20070919", "440808.13", "CT THORAX", "CHEST 5.0 B60f",
        Encoding(lossless=False, bits=16, signed=True), 0.4, 0.7, ("RLL", "RML"), "F", 47,
        (INFECTIOUS, "Atypical", "Lymphadenopathy"), ("P2", "O1"),
        {"P2": None, "O1": (INFECTIOUS, "Indeterminate", "Atypical")}, intercept=0,
        duplicated=True,
    ),
    CtStudy(
        "660042", 990003, "20081120", "25678", "", "", Encoding(lossless=False), 0.3, 0.2,
        ("LUL", "RLL"), "F", 70, (INFECTIOUS, "Indeterminate", "Emphysema"), ("P1", "O1"),
        {"P1": None, "O1": None}, shuffled=True, nodule=True,
    ),
    CtStudy(
        "SITE2", 990004, "19981003", "990144", "", "", Encoding(lossless=False), 0.0, 0.0, (), "M",
        38, (NEGATIVE, "Inadequate - motion/breathing"), (),
        {"P1": None, "O1": (NEGATIVE,)}, shuffled=True,
    ),
)  # fmt: skip

SCOUT, CORONAL = "SCOUT", "COR 3X3"
"""Series Description of the further series of a planned study."""
