"""The annotation files of a folder: the dataset's root, an export, a backup."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from napari_chest.datasets.bimcv import layout
from napari_chest.datasets.bimcv.corrections import Corrections, parse_corrections
from napari_chest.datasets.bimcv.names import roi_key
from napari_chest.errors import ReadError
from napari_chest.files.aim import AimFile, is_aim, parse_aim
from napari_chest.files.atomic import digest, read_whole
from napari_chest.files.paths import is_there
from napari_chest.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from napari_chest.datasets.bimcv.labels import SessionKey
    from napari_chest.datasets.bimcv.layout import Listing

MAX_BYTES = 64 * 2**20
_HEAD = 4096
_PARSED_FILES = 16


class Annotations:
    """The ROI files and the tables of corrected labels of a folder laid out as the dataset.

    Attributes
    ----------
    folder : the folder.
    rois, tables : paths relative to it.
    kept : contents that stand in place of those of the folder, by path.
    below : where a file is read that the folder lacks.
    """

    def __init__(
        self,
        folder: Path,
        rois: Iterable[str],
        tables: Iterable[str],
        kept: Mapping[str, bytes] | None = None,
        below: Annotations | None = None,
    ) -> None:
        self.folder = folder
        self.kept = dict(kept or {})
        self.below = below
        self.rois: tuple[str, ...] = tuple(sorted({*rois, *(below.rois if below else ())}))
        self.tables: tuple[str, ...] = tuple(sorted({*tables, *(below.tables if below else ())}))

    @property
    def names(self) -> tuple[str, ...]:
        """Every annotation file."""
        return (*self.rois, *self.tables)

    def content(self, name: str) -> bytes:
        """The bytes of a file; raises ReadError where it cannot be read."""
        if name in self.kept:
            return self.kept[name]
        if self.below is not None and not is_there(self.folder / name):
            return self.below.content(name)
        return read_whole(self.folder / name, MAX_BYTES)

    def digest(self, name: str) -> str:
        """The digest of a file's content; empty where it cannot be read."""
        try:
            return digest(self.content(name))
        except ReadError:
            return ""

    def digests(self) -> dict[str, str]:
        """The digest of every file."""
        return {name: self.digest(name) for name in self.names}

    def aim(self, name: str) -> AimFile:
        """A ROI file; raises ReadError where it is none."""
        return _parsed(self.content(name), self.folder / name)

    @cached_property
    def corrections(self) -> tuple[dict[str, Corrections], list[Problem]]:
        """The tables of corrected labels by their path, and which cannot be read."""
        found: dict[str, Corrections] = {}
        problems = []
        for name in self.tables:
            try:
                found[name] = parse_corrections(self.content(name), self.folder / name)
            except ReadError as error:
                text = f"Corrected labels are not shown. {error}"
                problems.append(Problem("error", text, (name,)))
        return found, problems

    @cached_property
    def corrected(self) -> dict[SessionKey, tuple[str, ...]]:
        """The corrected labels of each session that has some."""
        return {k: v for table in self.corrections[0].values() for k, v in table.labels.items()}


def roi_names(folder: Path, paths: Iterable[str]) -> list[str]:
    """Those of the XML files that carry ROIs, by their name or their beginning."""
    return [path for path in paths if roi_key(path) or _begins_as_aim(folder / path)]


def roi_homes(listing: Listing) -> list[str]:
    """The folders in which ROI files that the released ones do not know may have been made."""
    return [f"{folder}/roi" for folder in _derivatives(listing)]


def table_names(listing: Listing) -> list[str]:
    """Where tables of corrected labels may stand: beside the released ones first."""
    folders = [path.rpartition("/")[0] for path in listing.labels]
    folders += [f"{folder}/labels" for folder in _derivatives(listing)]
    return [f"{folder}/{layout.CORRECTED_NAME}" for folder in dict.fromkeys(folders)]


def _derivatives(listing: Listing) -> list[str]:
    ways = ([layout.default_derivatives(c) for c in listing.collections], listing.derivatives)
    return list(dict.fromkeys(folder for way in ways for folder in way))


def _begins_as_aim(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return is_aim(file.read(_HEAD))
    except OSError:
        return False


@lru_cache(_PARSED_FILES)
def _parsed(content: bytes, where: Path) -> AimFile:
    return parse_aim(content, where)
