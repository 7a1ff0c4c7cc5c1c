"""The annotation exports of a folder: the dataset's root, an export, a backup."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final

from napari_chest.datasets.ricord.layout import begins_as_export, is_zip, unpacked_name
from napari_chest.errors import ReadError
from napari_chest.files.atomic import digest, read_whole
from napari_chest.files.mdai import MAX_BYTES, parse_mdai, read_mdai
from napari_chest.files.paths import leads_inside
from napari_chest.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from napari_chest.datasets.ricord.layout import Listing
    from napari_chest.files.mdai import MdaiFile
    from napari_chest.model import Level


_PARSED: Final = 2
"""Exports that are kept parsed: a save asks for the same ones again and again."""


@dataclass(frozen=True, eq=False)
class Document:
    """One annotation export as it was read.

    Attributes
    ----------
    name : path of the file relative to its folder.
    file : what it says.
    seal : the digest of the file, which tells whether it changed since.
    """

    name: str
    file: MdaiFile
    seal: str

    @property
    def target(self) -> str:
        """Where corrections are written: a zip is never rewritten, but unpacked beside itself."""
        return unpacked_name(self.name) if is_zip(self.name) else self.name

    @cached_property
    def studies(self) -> frozenset[str]:
        """The studies that are listed or annotated."""
        listed = {study_uid for _, study_uid, _ in self.file.studies}
        return frozenset(listed | {one.study_uid for one in self.file.annotations})

    @cached_property
    def datasets(self) -> frozenset[str]:
        """The identifiers of its datasets."""
        listed = {dataset for dataset, _, _ in self.file.studies}
        return frozenset(listed | {one.dataset for one in self.file.annotations})


class Documents:
    """The annotation exports of a folder laid out as the dataset.

    Attributes
    ----------
    folder : the folder.
    seals : the digest of every export that is there, by its path relative to the folder.
    present : every candidate that is there, also look-alikes, likewise.
    read : those that can be read, by name; of several exports of one dataset the first.
    problems : what cannot be read, and what is passed over.
    """

    def __init__(self, folder: Path, candidates: Iterable[str]) -> None:
        self.folder = folder
        self.read: dict[str, Document] = {}
        self.problems: list[Problem] = []
        self.seals: dict[str, str] = {}
        self.present: set[str] = set()
        for name in candidates:
            if not is_inside(folder, name):
                continue
            self.present.add(name)
            try:
                document = _read(folder, name)
            except ReadError as error:
                level: Level = "error" if begins_as_export(folder / name) else "warning"
                text = f"No annotations are read from this file. {error}"
                self.problems.append(Problem(level, text, (name,)))
                continue
            self.seals[name] = document.seal
            self._take(document)

    @property
    def names(self) -> tuple[str, ...]:
        """The exports that are there, as paths relative to the folder, plain before zipped ones."""
        return tuple(self.seals)

    def of_study(self, study_uid: str) -> Document | None:
        """The export that speaks of a study; None where none does."""
        return self._by_study.get(study_uid)

    @cached_property
    def _by_study(self) -> Mapping[str, Document]:
        found: dict[str, Document] = {}
        for document in self.read.values():
            for study_uid in document.studies:
                found.setdefault(study_uid, document)
        return found

    def _take(self, document: Document) -> None:
        """Keep an export, unless another one of the same datasets is kept already."""
        for other in self.read.values():
            if document.datasets & other.datasets:
                text = (
                    f"This is another export of the datasets of {other.name}, which is read "
                    "instead; it is kept as it is."
                )
                self.problems.append(Problem("note", text, (document.name,)))
                return
        self.read[document.name] = document


def candidates(listing: Listing) -> tuple[str, ...]:
    """Where exports may stand in a folder laid out as the dataset, plain ones first."""
    plain = [name for name in listing.documents if not is_zip(name)]
    zipped = [name for name in listing.documents if is_zip(name)]
    return tuple(dict.fromkeys((*plain, *map(unpacked_name, zipped), *zipped)))


def is_inside(folder: Path, name: str) -> bool:
    """Whether a folder has a file of this name, and no link leads out of the folder."""
    path = folder / name
    return path.is_file() and leads_inside(path, folder)


def seal_of(path: Path) -> str:
    """The digest of a file; empty where it cannot be read."""
    try:
        return digest(read_whole(path, MAX_BYTES))
    except ReadError:
        return ""


def _read(folder: Path, name: str) -> Document:
    path = folder / name
    if is_zip(name):
        return Document(name, read_mdai(path), seal_of(path))
    content = read_whole(path, MAX_BYTES)
    return Document(name, _parsed(content, name), digest(content))


@lru_cache(_PARSED)
def _parsed(content: bytes, name: str) -> MdaiFile:
    return parse_mdai(content, name)
