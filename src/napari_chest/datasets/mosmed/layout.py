"""Which files of MosMedData lie where, in the published layout and in the mirrors'."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from napari_chest.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Kind = Literal["study", "mask", "split"]

MASK_FOLDER = "masks"
_KINDS: dict[str, Kind] = {"": "study", "_mask": "mask", "_mask_split": "split"}
_NAME = re.compile(r"study_([0-9]{4})(_mask(?:_split)?)?\.nii(\.gz)?")
_REGISTRY = re.compile(r"dataset_registry\.(xlsx|csv|tsv|txt|xls)", re.IGNORECASE)
_CATEGORY = re.compile(r"CT[-_]([0-4]+)", re.IGNORECASE)
_PART = re.compile(r"masks?|studies|CT[-_][0-4]+|__MACOSX", re.IGNORECASE)
_WRAPPER = re.compile(r"(mosmed|covid19_1110).*", re.IGNORECASE)
_DEEPEST = 6
_MOST_FOLDERS = 5_000
_MOST_ENTRIES = 20_000
"""Entries of one folder that are looked at to recognise the dataset."""


@dataclass
class Layout:
    """The files of the dataset in a folder, as paths relative to it.

    Attributes
    ----------
    studies, masks, splits : by number, the nearest to the root first; usually one. A file without
        content only where it is alone.
    registries : what may be the registry, the nearest to the root first.
    problems : what was met and is not read.
    """

    studies: dict[int, list[Path]] = field(default_factory=dict)
    masks: dict[int, list[Path]] = field(default_factory=dict)
    splits: dict[int, list[Path]] = field(default_factory=dict)
    registries: list[Path] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @cached_property
    def mask_folder(self) -> Path:
        """The folder of most masks, in which a new one belongs too."""
        folders = [path.parent for paths in self.masks.values() for path in paths]
        # Kaggle unpacks a file into a folder of the file's name, which is no place for others.
        folders = [f.parent if kind_and_number(f.name) else f for f in folders]
        return max(sorted(set(folders)), key=folders.count, default=Path(MASK_FOLDER))

    @cached_property
    def annotation_folders(self) -> tuple[Path, ...]:
        """Every folder with masks, and the one in which a new mask belongs."""
        folders = {self.mask_folder}
        for paths in (*self.masks.values(), *self.splits.values()):
            folders |= {path.parent for path in paths}
        return tuple(sorted(folders))


def kind_and_number(name: str) -> tuple[Kind, int] | None:
    """What a file of this name is and of which study; None for every other name."""
    match = _NAME.fullmatch(name)
    return (_KINDS[match[2] or ""], int(match[1])) if match else None


def find_files(root: Path) -> Layout:
    """Every file of the dataset anywhere under the root; links that lead out are not read."""
    layout = Layout()
    inside = root.resolve()
    empty: set[Path] = set()
    for entry in _walk(root, layout.problems):
        path = Path(entry.path).relative_to(root)
        known = kind_and_number(entry.name)
        if known is None and not _REGISTRY.fullmatch(entry.name):
            continue
        if _leads_out(entry, inside):
            text = "This link leads outside the dataset and is not read."
            layout.problems.append(Problem("error", text, (path.as_posix(),)))
            continue
        if known is None:
            layout.registries.append(path)
            continue
        if _size(entry) == 0:
            empty.add(path)
        found = {"study": layout.studies, "mask": layout.masks, "split": layout.splits}[known[0]]
        found.setdefault(known[1], []).append(path)
    for files in (layout.studies, layout.masks, layout.splits):
        for paths in files.values():
            paths.sort(key=lambda path: (len(path.parts), path.as_posix()))
            _leave_out_empty(paths, empty, layout.problems)
    layout.registries.sort(key=_registry_order)
    return layout


def annotation_names(folder: Path, inner: Iterable[Path]) -> list[Path]:
    """Masks and their splits in these inner folders of a folder, relative to it, as they are now.

    A file that may not be read is left out: it can be carried nowhere.
    """
    found = []
    inside = folder.resolve()
    for part in inner:
        for entry in _entries(folder / part):
            known = kind_and_number(entry.name)
            if known is None or known[0] == "study" or not _is_file(entry):
                continue
            if not _leads_out(entry, inside) and os.access(entry.path, os.R_OK):
                found.append(part / entry.name)
    return sorted(found)


def categories_of(root: Path, path: Path) -> tuple[str, ...]:
    """The categories that the nearest folder named after any stands for; two for ``CT-23``."""
    for folder in reversed((root.name, *path.parts[:-1])):
        if match := _CATEGORY.fullmatch(folder):
            return tuple(f"CT-{digit}" for digit in match[1])
    return ()


# Recognising


def has_files(root: Path) -> bool:
    """Whether a study or a mask is where the release or a mirror has it; stops at the first."""
    return any(kind_and_number(entry.name) for entry in _expected(root))


def registries(root: Path) -> list[Path]:
    """What may be the registry, by name, where the release or a mirror has it."""
    return [Path(entry.path) for entry in _expected(root) if _REGISTRY.fullmatch(entry.name)]


def is_part(folder: Path) -> bool:
    """Whether a folder such as ``masks`` or ``CT-1`` stands beside the rest of its dataset."""
    if not _PART.fullmatch(folder.name):
        return False
    if _PART.fullmatch(folder.parent.name):
        return True
    beside = (entry for entry in _entries(folder.parent) if entry.name != folder.name)
    return any(_PART.fullmatch(e.name) or _REGISTRY.fullmatch(e.name) for e in beside)


def _expected(root: Path, depth: int = 0) -> Iterator[os.DirEntry[str]]:
    folders: list[str] = []
    for entry in islice(_entries(root), _MOST_ENTRIES):
        if _is_folder(entry):
            folders.append(entry.name)
        elif _is_file(entry):
            yield entry
    # A folder around the whole is part of it only where it is alone, as in an archive.
    known = (_PART, _NAME, _WRAPPER) if len(folders) == 1 else (_PART, _NAME)
    for name in sorted(folders):
        if depth < _DEEPEST and any(pattern.fullmatch(name) for pattern in known):
            yield from _expected(root / name, depth + 1)


# Walking


def _walk(root: Path, problems: list[Problem]) -> Iterator[os.DirEntry[str]]:
    """Files under the root; folders are not followed through links."""
    folders = [(root, 0)]
    for _ in range(_MOST_FOLDERS):
        if not folders:
            return
        folder, depth = folders.pop()
        for entry in _entries(folder):
            if _is_folder(entry):
                if depth < _DEEPEST:
                    folders.append((Path(entry.path), depth + 1))
            elif _is_file(entry):
                yield entry
    if folders:
        text = (
            f"Only {_MOST_FOLDERS:,} folders were looked through; more files may be in the others."
        )
        problems.append(Problem("warning", text))


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.startswith((".", "__MACOSX")):
                    yield entry
    except OSError:
        return  # a folder that may not be listed holds no files for this person


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a loop of links
        return False


def _leads_out(entry: os.DirEntry[str], inside: Path) -> bool:
    return entry.is_symlink() and not Path(entry.path).resolve().is_relative_to(inside)


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat().st_size
    except OSError:
        return 0


def _leave_out_empty(paths: list[Path], empty: set[Path], problems: list[Problem]) -> None:
    filled = [path for path in paths if path not in empty]
    if filled and len(filled) < len(paths):
        names = tuple(path.as_posix() for path in paths if path in empty)
        problems.append(Problem("note", "Files without content are passed over.", names))
        paths[:] = filled


def _registry_order(path: Path) -> tuple[int, bool, str]:
    return len(path.parts), path.suffix.casefold() != ".xlsx", path.as_posix()
