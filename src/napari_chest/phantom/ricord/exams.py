"""The exams, groups and labels of the synthetic RICORD-1C, as tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from napari_chest.phantom.dicom import Encoding
from napari_chest.phantom.patient import LOBES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_chest.phantom.patient import Sex
    from napari_chest.phantom.radiograph import View

TYPICAL, INDETERMINATE, ATYPICAL, NEGATIVE = CLASSES = (
    "Typical Appearance",
    "Indeterminate Appearance",
    "Atypical Appearance",
    "Negative for Pneumonia",
)
MILD, MODERATE, SEVERE = GRADES = ("Mild (1-2 zones)", "Moderate (3-4 zones)", "Severe (>4 zones)")
POOR = "Inadequate image quality"

READERS = ("Blue Group", "Green Group", "Red Group")
"""The groups that have read nearly everything."""

TRAINING, PILOT, ADJUDICATION = "Training Group", "Yellow Group", "Adjudication Group"
NAMES = {
    "Blue Group": "Mårten Quist",
    "Green Group": "Abena Wołowska",
    "Red Group": "Jürg O'Leary",
    TRAINING: "Test Reader",
    PILOT: "Pilar Šimić",
    ADJUDICATION: "Hana Sørlie",
}
"""Invented names of the one person in each group."""

LABELS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(READERS, (*CLASSES, *GRADES, POOR)),
    TRAINING: ("typical  appearance", "Atypical appearance ", "Negative for pneumonia", "Lines"),
    PILOT: ("Typical", "Indeterminate", "Atypical", "Negative", "MILD", "Moderate", "Severe"),
    ADJUDICATION: (*CLASSES, *GRADES),
}
"""The labels of each group; the groups that tried it out wrote them otherwise."""

Said = tuple[str, ...]
"""Names of labels; ``grade`` stands for the right one."""

GRADE = "grade"


_JPEG = Encoding(lossless=True)
_DX = Encoding(lossless=True, bits=14)
_PLAIN = Encoding(lossless=False)


@dataclass(frozen=True)
class Shot:
    """One image of an exam.

    Attributes
    ----------
    view : from where.
    modality : computed or digital radiography.
    encoding : of its pixels.
    inverted : whether small stored values are bright.
    description : Series Description, empty where the site gives none.
    together : whether it is in the series of the image before.
    """

    view: View = "front"
    modality: Literal["CR", "DX"] = "CR"
    encoding: Encoding = _JPEG
    inverted: bool = False
    description: str = ""
    together: bool = False


@dataclass(frozen=True)
class Exam:
    """One exam of the synthetic dataset.

    Attributes
    ----------
    site, number : of the patient's ID.
    date : Study Date.
    tail : the end of its UIDs.
    description : Study Description, empty where the site gives none.
    shots : its images.
    severity, consolidated, lobes, sex, age : of the patient, as `make_chest` takes them.
    appearance : the right class.
    said : what each group says of it; of the readers those who are not named say what is right.
    wrong : the group whose answer is a mistake, if one is.
    """

    site: str
    number: int
    date: str
    tail: str
    description: str
    shots: tuple[Shot, ...]
    severity: float
    consolidated: float
    lobes: tuple[str, ...]
    sex: Sex
    age: int
    appearance: str
    said: Mapping[str, Said]
    wrong: str = ""

    @property
    def patient(self) -> str:
        """Patient ID."""
        return f"MIDRC-RICORD-1C-{self.site}-{self.number}"


EXAMS = (
    Exam(
        "419639", 991001, "20040318", "419639.55", "XR CHEST PA LATERAL",
        (Shot(description="PA"), Shot("side", description="LATERAL")), 0.9, 0.4, LOBES, "M", 58,
        TYPICAL, {TRAINING: ("typical  appearance",), ADJUDICATION: (TYPICAL, GRADE)},
    ),
    Exam(
        "419639", 991001, "20040401", "419639.6.1", "XR CHEST PORTABLE",
        (
            Shot(modality="DX", encoding=_DX, description="AP"),
            Shot(modality="DX", encoding=_DX, description="AP", together=True),
        ), 0.25, 0.5, ("RLL",), "M", 58, INDETERMINATE,
        {"Red Group": (TYPICAL, GRADE), TRAINING: ("Lines",), PILOT: ("Indeterminate", "MILD")},
    ),
    Exam(
        "SITE2", 991002, "19990927", "20177", "", (Shot(inverted=True),), 0.5, 0.9, ("LLL", "LUL"),
        "F", 66, ATYPICAL,
        {"Blue Group": (TYPICAL, MODERATE), "Green Group": (INDETERMINATE, MILD),
         ADJUDICATION: (ATYPICAL, GRADE)},
    ),
    Exam(
        "440808", 991003, "20071130", "440808.77", "CHEST 1 VIEW",
        (Shot(encoding=_PLAIN, description="W033 Chest PA"),), 0.0, 0.0, (), "F", 29, NEGATIVE,
        {"Red Group": ()},
    ),
    Exam(
        "660042", 991004, "20091205", "30811", "",
        (Shot(), Shot(encoding=_PLAIN)), 0.7, 0.1, LOBES, "M", 49, TYPICAL,
        {"Green Group": (NEGATIVE,)}, wrong="Green Group",
    ),
    Exam(
        "SITE2", 991005, "20020214", "41902", "",
        (Shot(modality="DX", encoding=_DX, inverted=True),), 0.4, 0.3, ("RLL", "RUL", "LLL"), "F",
        73, TYPICAL,
        {"Blue Group": (TYPICAL, INDETERMINATE, GRADE), "Green Group": (TYPICAL, ATYPICAL, GRADE),
         "Red Group": (TYPICAL, POOR)},
    ),
)  # fmt: skip

GONE = ("419639.81", "440808.9.82", "50083")
"""The ends of the UIDs of exams that are annotated but not in the download.

The last one is not listed either; the others were withdrawn.
"""
