"""Which files of MIDRC-RICORD lie where: annotation exports, tables, the first image."""

from __future__ import annotations

import os
import re
import zipfile
import zlib
from collections import deque
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from napari_chest.files.mdai import is_mdai
from napari_chest.files.paths import leads_inside

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATIENT: Final = re.compile(r"MIDRC-RICORD-(1[A-Z])-([A-Z0-9]+-[0-9]+)", re.IGNORECASE)
_HEAD: Final = 8 * 1024
_DEEPEST_FILE: Final = 3
"""Levels below the root where annotations and tables are looked for."""
_DEEPEST_IMAGE: Final = 7
_LEVELS_ABOVE: Final = 6
"""An NBIA tree has its series five levels below the folder that holds the annotations."""
_MOST_ENTRIES: Final = 20_000
_MOST_FILES: Final = 50
_MOST_LOOKED_AT: Final = 200
"""JSON files that are looked into to recognise the dataset."""
_UID_TAIL: Final = 5
_NEITHER: Final = (
    "an MD.ai annotation export (JSON) with DICOM images below it, or DICOM images of patients "
    "such as MIDRC-RICORD-1A-440808-000012"
)
_PART: Final = re.compile(
    r"manifest-.*|MIDRC.*|annotations?|labels?|images?|dicom|clinical.*|[0-9.]+|"
    r"[0-9]{2}-[0-9]{2}-[0-9]{4}-.*|[0-9]+\.[0-9]{6}-.*",
    re.IGNORECASE,
)
"""Folders as NBIA, IDC and MD.ai name them, and as people sort them."""
_WORDS: Final = (b"labelGroups", b"StudyInstanceUID", b"dicomMetadata")
_TABLES: Final = frozenset({".xlsx", ".csv", ".tsv"})


@dataclass(frozen=True)
class Listing:
    """What may be annotations or a table, as paths relative to the root, the nearest first.

    Attributes
    ----------
    documents : JSON files, plain ones before zipped ones.
    tables : workbooks and text tables.
    """

    documents: tuple[str, ...]
    tables: tuple[str, ...]


def list_files(root: Path) -> Listing:
    """The JSON files and tables in a folder and a few levels below it."""
    documents, tables = [], []
    for path in _files(root, _DEEPEST_FILE):
        name = path.relative_to(root).as_posix()
        if _may_be_document(path.name):
            documents.append(name)
        elif path.suffix.casefold() in _TABLES and not path.name.startswith("~$"):
            tables.append(name)
    documents.sort(key=lambda name: (is_zip(name), name.count("/"), name))
    tables.sort(key=lambda name: (name.count("/"), name))
    return Listing(tuple(documents[:_MOST_FILES]), tuple(tables[:_MOST_FILES]))


def is_zip(name: str) -> bool:
    """Whether a file is a zip by its name, as downloads have it: ``x.json_.zip``."""
    return name.casefold().partition("?")[0].endswith(".zip")


def unpacked_name(name: str) -> str:
    """Where the plain document of a zipped one is written: beside it, without what zips add."""
    folder, slash, file = name.rpartition("/")
    stem = file.partition("?")[0][: -len(".zip")].rstrip("_")
    return f"{folder}{slash}{stem if stem.casefold().endswith('.json') else f'{stem}.json'}"


def patient_of(patient_id: str) -> tuple[str, str]:
    """Collection and public code in a Patient ID: ``1A``, ``440808-000012``; empty in others."""
    found = _PATIENT.search(patient_id)
    return (found[1].upper(), found[2]) if found else ("", "")


def is_named_after(folder: str, uid: str) -> bool:
    """Whether a folder is named after a series as NBIA, IDC and MD.ai name them."""
    return len(uid) >= _UID_TAIL and folder.endswith(uid[-_UID_TAIL:])


# Recognising


def lacking(root: Path) -> list[str]:
    """What a folder lacks to be MIDRC-RICORD, in words; empty when it is. Quick and bounded.

    A folder among whose folders are others than those of the collections is recognised by an export
    that lies in itself alone, as it may hold many datasets.
    """
    whole = _is_whole(root)
    document = next(_exports(root, _DEEPEST_FILE if whole else 0), None)
    if document is None and not whole:
        return [_NEITHER]
    image = _first_image(root)
    if document is not None:
        return [] if image else [f"DICOM images below the folder that holds {document.name}"]
    if image is None or not any(patient_of(_head(image).decode("latin-1"))):
        return [_NEITHER]
    if above := _exports_above(root):
        return [f"its annotations, which are {above.name} above it; open {above.parent} instead"]
    return []


def _is_whole(root: Path) -> bool:
    """Whether a folder's only folder, or all of its folders, may be those of one collection."""
    folders = [entry.name for entry in _entries(root, _MOST_ENTRIES) if _is_folder(entry)]
    return len(folders) <= 1 or all(map(_PART.fullmatch, folders))


def begins_as_export(path: Path) -> bool:
    """Whether a file, or the JSON in a zip, begins as an MD.ai annotation export."""
    head = _beginning(path)
    return is_mdai(head) and any(word in head for word in _WORDS)


def _exports(folder: Path, deepest: int) -> Iterator[Path]:
    """The files that begin as an MD.ai annotation export."""
    documents = (path for path in _files(folder, deepest) if _may_be_document(path.name))
    return filter(begins_as_export, islice(documents, _MOST_LOOKED_AT))


def _exports_above(root: Path) -> Path | None:
    above = (path for folder in list(root.parents)[:_LEVELS_ABOVE] for path in _exports(folder, 0))
    return next(above, None)


def _beginning(path: Path) -> bytes:
    """The first bytes of a document; none where it cannot be read."""
    if not is_zip(path.name):
        return _head(path)
    try:
        with zipfile.ZipFile(path) as archive:
            names = (name for name in archive.namelist() if name.casefold().endswith(".json"))
            name = next(names, None)
            if name is None:
                return b""
            with archive.open(name) as member:
                return member.read(_HEAD)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError):
        return b""


def _first_image(root: Path) -> Path | None:
    """The first DICOM file that is met going down."""
    folders, left = [(root, 0)], _MOST_ENTRIES
    while folders and left > 0:
        folder, depth = folders.pop()
        entries = _entries(folder, left)
        left -= len(entries)
        for entry in entries:
            if _is_file(entry) and _begins_as_dicom(Path(entry.path)):
                return Path(entry.path)
        if depth < _DEEPEST_IMAGE:
            inner = [Path(entry.path) for entry in reversed(entries) if _is_folder(entry)]
            folders += [(path, depth + 1) for path in inner]
    return None


def _begins_as_dicom(path: Path) -> bool:
    ending = path.suffix.casefold()
    if ending not in {"", ".dcm", ".dicom", ".ima"} and not ending[1:].isdecimal():
        return False
    return _head(path)[128:132] == b"DICM"


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD)
    except OSError:
        return b""


def _may_be_document(name: str) -> bool:
    plain = name.casefold().partition("?")[0]
    return plain.endswith((".json", ".zip"))


# Walking


def _files(root: Path, deepest: int) -> Iterator[Path]:
    """Files of a folder and below it, the upper ones first, that no link leads out of it."""
    waiting, left = deque([(root, 0)]), _MOST_ENTRIES
    while waiting and left > 0:
        folder, depth = waiting.popleft()
        entries = _entries(folder, left)
        left -= len(entries)
        for entry in entries:
            path = folder / entry.name
            if _is_folder(entry):
                if depth < deepest:
                    waiting.append((path, depth + 1))
            elif _is_file(entry) and (not entry.is_symlink() or leads_inside(path, root)):
                yield path


def _entries(folder: Path, most: int) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as scan:
            shown = (entry for entry in scan if not entry.name.startswith((".", "__MACOSX")))
            return sorted(islice(shown, most), key=lambda entry: entry.name)
    except OSError:
        return []  # a folder that may not be listed holds no files for this person


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
