"""The patients and exposures of the synthetic BIMCV COVID-19, as tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from napari_chest.phantom.patient import LOBES

if TYPE_CHECKING:
    from napari_chest.phantom.bimcv.sidecars import Windows
    from napari_chest.phantom.patient import Sex

Sidecar = Literal["model", "results", "none", "broken"]
"""The JSON beside an image: DICOM JSON Model, the older list, none, or text that is no JSON."""


@dataclass(frozen=True)
class Person:
    """A patient: sex, and age in years."""

    sex: Sex
    age: int


@dataclass(frozen=True)
class Exposure:
    """One radiograph of the synthetic dataset.

    Attributes
    ----------
    subject, session : numbers as in ``sub-S00001`` and ``ses-E00001``.
    modality : computed or digital radiography.
    projection : as in the file's name.
    severity, consolidated, lobes : of the disease, as `make_chest` takes them.
    bits : Bits Stored.
    inverted : whether small stored values are bright.
    acquisition : number of an ``acq-`` in the file's name, if there is one.
    sidecar : the JSON beside it.
    windows, calibrated : what the JSON has of grey windows and of Pixel Spacing.
    rois : opacity number (1 ground glass, 2 consolidation) and name of each outlined finding.
    wrong_lung : whether the outlines lie over the other lung.
    """

    subject: int
    session: int
    modality: Literal["CR", "DX"]
    projection: Literal["pa", "ap", "lateral"]
    severity: float
    consolidated: float = 0.3
    lobes: tuple[str, ...] = LOBES
    bits: int = 12
    inverted: bool = False
    acquisition: int | None = None
    sidecar: Sidecar = "model"
    windows: Windows = "one"
    calibrated: bool = False
    rois: tuple[tuple[int, str], ...] = ()
    wrong_lung: bool = False

    @property
    def stem(self) -> str:
        """The file's name without its ending."""
        acquisition = f"_acq-{self.acquisition}" if self.acquisition else ""
        start = f"{subject_id(self.subject)}_{session_id(self.session)}{acquisition}"
        return f"{start}_run-1_bp-chest_vp-{self.projection}_{self.modality.lower()}"


def subject_id(number: int) -> str:
    """``sub-S00001``."""
    return f"sub-S{number:05d}"


def session_id(number: int) -> str:
    """``ses-E00001``."""
    return f"ses-E{number:05d}"


PERSONS = {
    1: Person("M", 61),
    2: Person("F", 48),
    3: Person("M", 77),
    4: Person("F", 55),
    5: Person("M", 34),
    6: Person("F", 69),
}

_RIGHT, _LEFT = ("RLL", "RUL"), ("LLL", "LUL")

EXPOSURES = (
    Exposure(
        1, 1, "CR", "pa", 0.7, 0.4, windows="several", calibrated=True,
        rois=((1, "Ground glass"), (2, "Consolidation")),
    ),
    Exposure(1, 1, "CR", "lateral", 0.7, 0.4),
    Exposure(
        2, 2, "DX", "ap", 0.3, 0.5, _RIGHT, inverted=True, rois=((2, "Consolidación"),)
    ),
    Exposure(
        2, 3, "DX", "ap", 0.5, 0.6, _RIGHT, inverted=True,
        rois=((2, "Consolidación"),), wrong_lung=True,
    ),
    Exposure(
        3, 4, "CR", "ap", 0.6, 0.5, bits=8, sidecar="results", windows="none", rois=((1, "1"),)
    ),
    Exposure(4, 5, "CR", "pa", 0.5, 0.2, _LEFT, sidecar="none"),
    Exposure(5, 7, "CR", "pa", 0.0, sidecar="broken"),
    Exposure(6, 8, "DX", "pa", 0.9, 0.0, acquisition=1, bits=14, windows="none", calibrated=True),
    Exposure(6, 8, "DX", "pa", 0.9, 0.0, acquisition=2, bits=14, sidecar="none"),
)  # fmt: skip

UNLABELLED = (4, 2)
"""The session whose label row lacks a finding, and the opacity number of that finding."""

CT_SUBJECT, CT_SESSION = 4, 6
CT_SEVERITY, CT_CONSOLIDATED, CT_LOBES = 0.5, 0.2, _LEFT
