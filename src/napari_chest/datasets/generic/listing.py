"""Which images a folder holds: every NIfTI image and every DICOM series is a case."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from napari_chest.datasets.generic import names, walk
from napari_chest.errors import ReadError
from napari_chest.files import dicom, nifti
from napari_chest.files.names import natural_key
from napari_chest.model import Modality, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from napari_chest.datasets.generic.walk import Folder
    from napari_chest.files.dicom import Series

FINDINGS: Final = "findings"
"""Name of the mask that lies in our folder of masks."""
MOST_HEADERS: Final = 20_000
"""DICOM headers that are read to tell the series of a folder apart: some seconds."""
_NIFTI_COST: Final = 5
"""DICOM headers that are read in the time of one of NIfTI."""
_FIRST: Final = 3
"""Headers of a folder that are tried where there are too many to read all."""
_ENDINGS: Final = (".dcm", ".dicom", ".ima")
"""Endings that promise DICOM: a folder of such files is a case even when none can be read."""

SeriesKey = tuple[str, int | None]
"""Series Instance UID and Series Number, by which the reader tells series apart."""


class MaskFile(NamedTuple):
    """A mask by its name and its file's path, relative to the root, with forward slashes."""

    name: str
    path: str


@dataclass(frozen=True)
class Found:
    """One case as the folder was looked through.

    Attributes
    ----------
    path : the NIfTI file, or the folder of slices.
    name : path of the file or folder relative to the root, with forward slashes.
    number : which of the stacks in that folder it is, from 1.
    modality : as it is shown.
    facts : what the headers say; names nobody.
    series : which series of the folder it is; None for NIfTI, and where it was not looked up.
    masks : masks of it beside it.
    is_nifti : whether it is a NIfTI file; otherwise it is DICOM.
    id : its name, with the number where that is not 1; unique.
    stem : what its own mask is named after.
    """

    path: Path
    name: str
    number: int = 1
    modality: Modality = "CT"
    facts: Mapping[str, str] = field(default_factory=dict)
    series: SeriesKey | None = None
    masks: tuple[MaskFile, ...] = ()
    is_nifti: bool = False
    id: str = ""
    stem: str = ""

    @property
    def mask_files(self) -> tuple[MaskFile, ...]:
        """Where its masks are or would be: our own, then those beside it."""
        return MaskFile(FINDINGS, f"{names.MASKS}/{self.stem}_mask.nii.gz"), *self.masks


def list_cases(root: Path) -> tuple[tuple[Found, ...], list[Problem]]:
    """Every image below a root, in the order of their paths, and what is not shown."""
    problems: list[Problem] = []
    skipped: dict[str, list[str]] = defaultdict(list)
    found: list[Found] = []
    undivided: list[str] = []
    left = MOST_HEADERS
    for folder in walk.walk(root, walk.MOST_LISTED, problems):
        left -= _NIFTI_COST * len(folder.nifti)
        found += _nifti_cases(root, folder, problems, with_facts=left >= 0)
        if len(folder.dicom) <= max(left, 0):
            left -= len(folder.dicom)
            found += _series_cases(root, folder, problems, skipped)
        else:
            found += _first_series(root, folder, skipped)
            undivided += [_relative(folder, "", root)] if len(folder.dicom) > 1 else []
    problems += _skipped_problems(skipped)
    if undivided:
        text = (
            f"There are more than {MOST_HEADERS:,} DICOM files. Of these folders only the first "
            "series is shown, if any; open one of them to see all of its series."
        )
        problems.append(Problem("warning", text, tuple(undivided)))
    found.sort(key=lambda one: (natural_key(one.name), one.name, one.number))
    places = [(one.name, one.number) for one in found]
    called = zip(found, names.unique_ids(places), names.unique_stems(places), strict=True)
    return tuple(replace(one, id=case_id, stem=stem) for one, case_id, stem in called), problems


def folder_series(folder: Path, root: Path) -> tuple[list[Series], list[Problem]]:
    """The series of a folder in the order of their numbers, localizers and others left out.

    Raises
    ------
    ReadError
        when the folder cannot be read.
    """
    series, problems = dicom.index_folder(folder, root=root)
    return sorted(filter(_is_shown, series), key=_order), problems


def key_of(series: Series) -> SeriesKey:
    """What tells a series from the others of its folder."""
    return series.uid, series.slices[0].series_number


def _is_shown(series: Series) -> bool:
    return series.modality in walk.SHOWN and not series.slices[0].is_localizer


def _order(series: Series) -> tuple[bool, int, str]:
    # By number, so that a series that is added later seldom moves the others.
    uid, number = key_of(series)
    return number is None, number or 0, uid


def _nifti_cases(
    root: Path, folder: Folder, problems: list[Problem], *, with_facts: bool
) -> Iterator[Found]:
    images = [name for name in folder.nifti if names.mask_of(name) is None]
    beside: dict[str, list[MaskFile]] = defaultdict(list)
    for name in folder.nifti:
        if mask := names.mask_of(name):
            beside[mask[0].casefold()].append(MaskFile(mask[1], _relative(folder, name, root)))
    for name in images:
        path = folder.path / name
        masks = _unlike(beside.pop(names.stem(name).casefold(), []))
        facts = _nifti_facts(path) if with_facts else {}
        yield Found(path, _relative(folder, name, root), facts=facts, masks=masks, is_nifti=True)
    if beside:
        alone = tuple(file.path for files in beside.values() for file in files)
        text = "Files are named as masks, but no image of that name lies beside them; not shown."
        problems.append(Problem("note", text, alone))


def _unlike(files: Iterable[MaskFile]) -> tuple[MaskFile, ...]:
    """The masks of one image under names of their own: ``seg``, ``seg 2``."""
    found: dict[str, MaskFile] = {}
    for file in files:
        same = [name for name in found if name.split(" ")[0] == file.name]
        name = f"{file.name} {len(same) + 1}" if same else file.name
        found[name] = MaskFile(name, file.path)
    return tuple(found.values())


def _nifti_facts(path: Path) -> dict[str, str]:
    try:
        grid = nifti.grid_of(nifti.read_header(path))
    except ReadError:  # told when the case is opened
        return {}
    dz, dy, dx = grid.spacing
    return {"Slices": str(grid.shape[0]), "Voxel": f"{dx:.3g} x {dy:.3g} x {dz:.3g} mm"}


def _series_cases(
    root: Path, folder: Folder, problems: list[Problem], skipped: dict[str, list[str]]
) -> Iterator[Found]:
    if not folder.dicom:
        return
    name = _relative(folder, "", root)
    try:
        series, left_out = dicom.index_folder(folder.path, root=root)
    except ReadError as error:
        problems.append(Problem("error", str(error), (name,)))
        return
    for one in series:
        if not _is_shown(one):
            skipped[_kind(one)].append(name)
    stacks = 0
    for one in sorted(filter(_is_shown, series), key=_order):
        files = {header.path.name for header in one.slices}
        stacks += len(files) > 1
        place = (name, stacks) if len(files) > 1 else (_relative(folder, files.pop(), root), 1)
        modality = walk.SHOWN[one.modality]
        yield Found(folder.path, *place, modality, one.facts, key_of(one))
    if not series and _promises_slices(folder):
        yield Found(folder.path, name)
    elif not any(map(_is_shown, series)):
        problems += _of_folder(left_out, folder, root)


def _first_series(root: Path, folder: Folder, skipped: dict[str, list[str]]) -> Iterator[Found]:
    """The folder as one case, after a look at its first headers."""
    name = _relative(folder, folder.dicom[0] if len(folder.dicom) == 1 else "", root)
    for file in folder.dicom[:_FIRST]:
        try:
            header = dicom.read_header(folder.path / file)
        except ReadError:  # told when the case is opened
            continue
        if header.modality in walk.SHOWN:
            modality = walk.SHOWN[header.modality]
            yield Found(folder.path, name, modality=modality, facts=header.facts)
        else:
            skipped[_named(header.modality)].append(name)
        return
    if _promises_slices(folder):
        yield Found(folder.path, name)


def _promises_slices(folder: Folder) -> bool:
    return any(file.lower().endswith(_ENDINGS) for file in folder.dicom)


def _kind(series: Series) -> str:
    return "localizer" if series.modality in walk.SHOWN else _named(series.modality)


def _named(modality: str) -> str:
    return f"modality {modality}"


def _skipped_problems(skipped: Mapping[str, Sequence[str]]) -> Iterator[Problem]:
    for kind, folders in skipped.items():
        count = "1 series is" if len(folders) == 1 else f"{len(folders)} series are"
        shown = ", ".join(filter(None, walk.SHOWN))
        text = f"{count} not shown: {kind}. What is shown are images of {shown}."
        yield Problem("note", text, tuple(dict.fromkeys(folders)))


def _of_folder(problems: Sequence[Problem], folder: Folder, root: Path) -> Iterator[Problem]:
    """What is wrong with files of a folder that is no case; that a text is no DICOM is not."""
    for one in problems:
        if one.level != "note" and set(one.files) <= set(folder.dicom):
            yield replace(one, files=tuple(_relative(folder, name, root) for name in one.files))


def _relative(folder: Folder, name: str, root: Path) -> str:
    return (folder.path / name).relative_to(root).as_posix()
