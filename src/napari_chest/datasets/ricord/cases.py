"""Which cases a tree of images holds, in the order of a work list."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from napari_chest.datasets.ricord.layout import is_named_after, patient_of
from napari_chest.errors import ReadError
from napari_chest.files.dicom.tree import read_patient_id
from napari_chest.files.names import natural_key

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

    from napari_chest.files.dicom.tree import DicomTree, TreeEntry, TreeSeries
    from napari_chest.model import Modality

_MODALITIES: Final[dict[str, Modality]] = {"CR": "CR", "DX": "DX"}
_UID_TAIL: Final = 5
_TURNED: Final = {"coronal": "COR", "sagittal": "SAG"}


@dataclass(frozen=True, eq=False)
class Case:
    """One CT series, or one radiograph.

    Attributes
    ----------
    id : the UID of the series or of the radiograph; told apart where it is missing or shared.
    title : the patient's public code and the number of the series.
    study_uid : the study.
    series : its series; None where the series is annotated, but none of its images can be read.
    entry : the radiograph; None for a CT series.
    collection, patient : ``1A`` and the public code; empty where the image is of another origin.
    first : whether it is the case of its study with which the study's labels are answered.
    broken : files that seem to be the series' images and cannot be read.
    """

    id: str
    title: str
    study_uid: str
    series: TreeSeries | None
    entry: TreeEntry | None = None
    collection: str = ""
    patient: str = ""
    first: bool = False
    broken: tuple[str, ...] = ()

    @property
    def modality(self) -> Modality:
        """DICOM modality; what is no radiograph is shown as CT."""
        return _MODALITIES.get(self.series.modality if self.series else "", "CT")

    @property
    def kind(self) -> str:
        """What the series shows, in a word: ``axial``, ``COR``, ``scout``, ``radiograph``."""
        if self.series is None:
            return ""
        if self.series.kind in {"scout", "radiograph"}:
            return self.series.kind
        return _TURNED.get(self.series.plane or "", self.series.kind)

    @property
    def entries(self) -> Sequence[TreeEntry]:
        """Its files."""
        if self.entry is not None:
            return (self.entry,)
        return self.series.entries if self.series is not None else ()

    @property
    def sop_uids(self) -> Iterator[str]:
        """The SOP Instance UIDs of its files."""
        return (entry.header.sop_instance_uid for entry in self.entries)


def find_cases(
    tree: DicomTree, rings: Mapping[str, int], annotated: Mapping[str, str]
) -> dict[str, Case]:
    """Every CT series and every radiograph by identifier.

    Series that carry annotations come first, then other axial ones, then the rest; radiographs
    count as axial. At the end are annotated series of which only images that cannot be read are
    here, as far as their folder is named after them.

    Parameters
    ----------
    tree : the images.
    rings : how many annotations there are on each image, by SOP Instance UID.
    annotated : the study of each annotated series of which no image can be read.
    """
    found = list(_cases(tree))
    with_rings = {id(case) for case in found if any(uid in rings for uid in case.sop_uids)}
    found.sort(key=lambda case: (id(case) not in with_rings, *_rank(case)))
    known = {entry.path for entry in tree.entries}
    broken = {path for problem in tree.problems for path in problem.files} - known
    return _finished([*found, *_broken_cases(annotated, sorted(broken))])


def _broken_cases(annotated: Mapping[str, str], broken: Iterable[str]) -> Iterator[Case]:
    files = list(broken)
    for series_uid, study_uid in annotated.items():
        own = tuple(path for path in files if _in_folder_of(path, series_uid))
        if own:
            title = f"…{study_uid[-_UID_TAIL:]} · …{series_uid[-_UID_TAIL:]}"
            yield Case(series_uid, title, study_uid, None, broken=own)


def _in_folder_of(path: str, series_uid: str) -> bool:
    folder = path.rpartition("/")[0].rpartition("/")[2]
    return is_named_after(folder, series_uid)


def _cases(tree: DicomTree) -> Iterator[Case]:
    patients: dict[int, tuple[str, str]] = {}
    for series in tree.series:
        if series.kind == "other":
            continue
        if series.patient not in patients:
            patients[series.patient] = _patient(tree, series)
        collection, patient = patients[series.patient]
        code = "-".join(filter(None, (collection, patient))) or f"…{series.study_uid[-_UID_TAIL:]}"
        number = "" if series.number is None else str(series.number)
        title = " · ".join(filter(None, (code, number)))
        case = Case(series.series_uid, title, series.study_uid, series, None, collection, patient)
        if series.kind != "radiograph":
            yield case
            continue
        for entry in series.entries:
            uid = entry.header.sop_instance_uid or series.series_uid
            yield replace(case, id=uid, entry=entry)


def _patient(tree: DicomTree, series: TreeSeries) -> tuple[str, str]:
    try:
        return patient_of(read_patient_id(tree, series.entries[0]))
    except ReadError:  # which is an error of the image, and told as such
        return "", ""


def _rank(case: Case) -> tuple[object, ...]:
    series = case.series.number if case.series is not None else None
    image = case.entry.header.instance_number if case.entry is not None else None
    shown = case.kind in {"axial", "radiograph"}
    place = natural_key(case.title), case.study_uid, series or 0, image or 0
    return not shown, *place, natural_key(case.id)


def _finished(cases: Sequence[Case]) -> dict[str, Case]:
    """Cases by identifier with titles that are all different, the first of each study marked."""
    of_study = Counter((case.title, case.study_uid) for case in cases)
    studies_of = Counter(title for title, _ in of_study)
    found: dict[str, Case] = {}
    studies: set[str] = set()
    taken: set[str] = set()
    for case in cases:
        parts = [case.title]
        if studies_of[case.title] > 1:
            parts.append(f"…{case.study_uid[-_UID_TAIL:]}")
        if of_study[case.title, case.study_uid] > 1:
            parts.append(_own_name(case))
        title = _unlike(" · ".join(parts), taken)
        unique = _unlike(case.id or "without UID", found)
        found[unique] = replace(case, id=unique, title=title, first=case.study_uid not in studies)
        taken.add(title)
        studies.add(case.study_uid)
    return found


def _own_name(case: Case) -> str:
    """What tells a case from others of the same study and series number."""
    number = case.entry.header.instance_number if case.entry is not None else None
    return f"…{case.id[-_UID_TAIL:]}" if number is None else f"image {number}"


def _unlike(name: str, taken: Container[str]) -> str:
    """The name, numbered where it is taken."""
    number = 1
    unique = name
    while unique in taken:
        number += 1
        unique = f"{name} ({number})"
    return unique
