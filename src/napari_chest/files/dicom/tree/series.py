"""Puts the files of a tree together to series and says what kind of series they are."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from napari_chest import geometry

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from napari_chest.files.dicom.tree.entries import TreeEntry
    from napari_chest.geometry import Plane

Kind = Literal["axial", "coronal", "sagittal", "scout", "derived", "radiograph", "other"]

RADIOGRAPHS: Final = frozenset({"CR", "DX"})
_FEW: Final = 10
"""A scout, or slices to time the contrast by, are fewer than this."""
_FAR: Final = 50.0
"""Steps of this many mm and more are no CT of the lungs."""
_SCOUT_WORDS: Final = re.compile(
    r"\b(scouts?|scano\w*|topo\w*|surview|locali[sz]er|loc|smart ?prep|monitoring|premonitoring|"
    r"bolus|tracker|survey)\b"
)
_DERIVED_WORDS: Final = re.compile(
    r"\b(mpr|min ?ip|a?mip|iodine|\d+ ?kev|mono ?energetic|mono|vrt|reformat\w*|virtual|fused)\b"
)
_DERIVED_TYPES: Final = frozenset({"MPR", "MIP", "MINIP", "REFORMATTED", "PROJECTION IMAGE"})


@dataclass(frozen=True, eq=False)
class TreeSeries:
    """The files of one series, wherever in the tree they lie.

    Attributes
    ----------
    study_uid, series_uid : as in the files; may be empty or invalid.
    patient : number of the patient within the tree.
    modality : DICOM modality.
    number : Series Number.
    description : Series Description.
    plane : the anatomical plane nearest to most of its images; None where they do not say.
    kind : ``radiograph`` for CR and DX, ``other`` for what is neither that nor CT; of CT ``scout``,
        ``derived`` for what was computed from other images, else the plane, axial where unknown.
    entries : its files by instance number, then path.
    """

    study_uid: str
    series_uid: str
    patient: int
    modality: str
    number: int | None
    description: str
    plane: Plane | None
    kind: Kind
    entries: tuple[TreeEntry, ...]

    @property
    def n_files(self) -> int:
        """Number of files."""
        return len(self.entries)

    @property
    def title(self) -> str:
        """What a person calls the series."""
        number = "" if self.number is None else f"series {self.number}"
        return " ".join(filter(None, (number, self.description))) or "unnamed series"


def group_series(entries: Iterable[TreeEntry]) -> tuple[TreeSeries, ...]:
    """The series of these files, by study, number and UID.

    What shares patient, study and Series Instance UID is a series; where that UID is missing, the
    files of one folder are.
    """
    groups: dict[tuple[int, str, str, str], list[TreeEntry]] = defaultdict(list)
    for entry in entries:
        header = entry.header
        folder = "" if header.series_uid else entry.path.rpartition("/")[0]
        groups[header.patient, header.study_uid, header.series_uid, folder].append(entry)
    return tuple(sorted(map(_series, groups.values()), key=_place))


def _place(series: TreeSeries) -> tuple[object, ...]:
    number = -1 if series.number is None else series.number
    return series.study_uid, number, series.series_uid, series.entries[0].path


def _series(entries: list[TreeEntry]) -> TreeSeries:
    entries.sort(key=_instance)
    header = entries[0].header
    plane = _plane(entries)
    return TreeSeries(
        header.study_uid,
        header.series_uid,
        header.patient,
        header.modality,
        header.series_number,
        header.series_description,
        plane,
        _kind(entries, plane),
        tuple(entries),
    )


def _instance(entry: TreeEntry) -> tuple[int, str]:
    number = entry.header.instance_number
    return -1 if number is None else number, entry.path


def _plane(entries: Sequence[TreeEntry]) -> Plane | None:
    counts = Counter(entry.header.orientation for entry in entries if entry.header.orientation)
    for orientation, _ in counts.most_common(1):
        try:
            return geometry.acquisition_plane(orientation)
        except ValueError:  # no directions
            return None
    return None


def _kind(entries: Sequence[TreeEntry], plane: Plane | None) -> Kind:
    modality = entries[0].header.modality
    if modality in RADIOGRAPHS:
        return "radiograph"
    if modality not in {"CT", ""}:
        return "other"
    if _is_scout(entries):
        return "scout"
    return "derived" if _is_derived(entries, plane) else plane or "axial"


def _is_scout(entries: Sequence[TreeEntry]) -> bool:
    localizers = sum("LOCALIZER" in entry.header.image_type for entry in entries)
    if 2 * localizers > len(entries):
        return True
    named = _SCOUT_WORDS.search(_words(entries)) is not None
    return len(entries) < _FEW and (named or _is_far_apart(entries))


def _is_far_apart(entries: Sequence[TreeEntry]) -> bool:
    """Whether neighbours lie further apart than slices do, or all in one place."""
    positions = [entry.header.position for entry in entries if entry.header.position]
    if len(positions) < 2 or len(positions) < len(entries):
        return False
    length = float(np.linalg.norm(np.ptp(np.array(positions), axis=0)))
    return length < 0.01 or length / (len(positions) - 1) > _FAR


def _is_derived(entries: Sequence[TreeEntry], plane: Plane | None) -> bool:
    counts = Counter(entry.header.image_type for entry in entries)
    types = {word.upper() for word in counts.most_common(1)[0][0]}
    # A lossy or anonymised copy of an acquired slice is DERIVED\PRIMARY\AXIAL (PS3.3 C.7.6.1.1.2).
    copied = {"PRIMARY", "AXIAL"} <= types
    if types & _DERIVED_TYPES or ("DERIVED" in types and not copied):
        return True
    words = _words(entries)
    turned = plane != "axial" and re.search(r"\b(cor|sag)\b", words) is not None
    return turned or _DERIVED_WORDS.search(words) is not None


def _words(entries: Sequence[TreeEntry]) -> str:
    return entries[0].header.series_description.lower().replace("_", " ")
