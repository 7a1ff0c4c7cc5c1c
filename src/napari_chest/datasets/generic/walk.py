"""Looks for images in a folder of unknown size, without getting lost in it."""

from __future__ import annotations

import os
from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from napari_chest.datasets.generic.names import MASKS, is_nifti, mask_of
from napari_chest.errors import ReadError
from napari_chest.files import dicom, nifti
from napari_chest.files.atomic import reason
from napari_chest.files.paths import leads_inside
from napari_chest.model import Modality, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Entry = os.DirEntry[str]

MOST_LOOKED_AT: Final = 20_000
"""Files and folders that are looked at to tell whether a folder holds images at all."""
MOST_LISTED: Final = 200_000
"""Files and folders that are looked at to list every case."""
DEEPEST: Final = 6
"""Levels below the root that are looked into."""
SHOWN: Final[dict[str, Modality]] = {"CT": "CT", "": "CT", "CR": "CR", "DX": "DX"}
"""The modalities that are shown, and as what; the reader warns where a file names none."""
_DICOM_ENDINGS: Final = frozenset({"", ".dcm", ".dicom", ".ima", ".img"})
_SYSTEM: Final = frozenset({"proc", "sys", "dev"})
"""What lies in these, below a disk's topmost folder, only looks like files."""


@dataclass(frozen=True)
class Folder:
    """The files of one folder that may be images, by name.

    Attributes
    ----------
    path : the folder.
    nifti : names of NIfTI files, masks among them.
    dicom : names as DICOM files have them.
    """

    path: Path
    nifti: tuple[str, ...]
    dicom: tuple[str, ...]


def walk(root: Path, most: int, problems: list[Problem]) -> Iterator[Folder]:
    """The folders below a root, the upper ones first, until ``most`` entries were looked at.

    Hidden entries and our own folder of masks are passed over. Links to folders are not followed,
    links to files only where they lead inside the root. ``problems`` gets what was left out.
    """
    waiting = deque([(root, 0)])
    left = most
    too_deep: list[str] = []
    while waiting and left > 0:
        path, depth = waiting.popleft()
        entries = _entries(path, root, left, problems)
        left -= len(entries)
        entries = [entry for entry in entries if not entry.name.startswith(".")]
        yield _folder(path, root, entries, problems)
        inner = [path / entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
        if depth < DEEPEST:
            waiting += [(one, depth + 1) for one in inner if not _is_passed_over(one, root)]
        else:
            too_deep += [one.relative_to(root).as_posix() for one in inner]
    if too_deep:
        text = f"Folders more than {DEEPEST} levels down are not looked into."
        problems.append(Problem("warning", text, tuple(too_deep)))
    if left <= 0:
        text = (
            f"The folder holds {most:,} files and folders or more; images beyond them are not "
            "shown. Open one of its folders instead."
        )
        problems.append(Problem("warning", text))


def lacking(root: Path) -> list[str]:
    """What a folder lacks to be opened for its images, in words; empty when it holds one."""
    if any(_holds_image(folder) for folder in walk(root, MOST_LOOKED_AT, [])):
        return []
    return ["DICOM slices (CT, CR or DX) or NIfTI images"]


def _holds_image(folder: Folder) -> bool:
    images = [name for name in folder.nifti if mask_of(name) is None]
    return any(_is_nifti_image(folder.path / name) for name in images) or any(
        _is_shown_dicom(folder.path / name) for name in folder.dicom
    )


def _is_nifti_image(path: Path) -> bool:
    try:
        nifti.read_header(path)
    except ReadError:
        return False
    return True


def _is_shown_dicom(path: Path) -> bool:
    try:
        return dicom.read_header(path).modality in SHOWN
    except ReadError:
        return False


def _entries(path: Path, root: Path, most: int, problems: list[Problem]) -> list[Entry]:
    try:
        with os.scandir(path) as scan:
            return sorted(islice(scan, most), key=lambda entry: entry.name)
    except OSError as error:
        name = path.relative_to(root).as_posix()
        text = f"A folder cannot be looked into: {reason(error)}."
        problems.append(Problem("warning", text, (name,)))
        return []


def _folder(path: Path, root: Path, entries: list[Entry], problems: list[Problem]) -> Folder:
    names = []
    for entry in entries:
        if not entry.is_symlink():
            if entry.is_file():
                names.append(entry.name)
        elif not leads_inside(path / entry.name, root):
            text = "This link leads out of the folder or nowhere and was not followed."
            name = (path / entry.name).relative_to(root).as_posix()
            problems.append(Problem("warning", text, (name,)))
        elif entry.is_file():
            names.append(entry.name)
    return Folder(
        path,
        tuple(name for name in names if is_nifti(name)),
        tuple(name for name in names if _may_be_dicom(name)),
    )


def _is_passed_over(folder: Path, root: Path) -> bool:
    if folder.parent != root:
        return False
    return folder.name.casefold() == MASKS or (root.parent == root and folder.name in _SYSTEM)


def _may_be_dicom(name: str) -> bool:
    ending = os.path.splitext(name)[1].lower()  # noqa: PTH122 ten times faster than Path
    return name.upper() != "DICOMDIR" and (ending in _DICOM_ENDINGS or ending[1:].isdecimal())
