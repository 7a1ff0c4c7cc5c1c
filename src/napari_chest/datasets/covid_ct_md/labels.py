"""The label arrays: pairs of a slice-level and a lobe-level array, one pair per version."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_chest.errors import ReadError
from napari_chest.files.npy import NpyFile, read_npy
from napari_chest.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    import numpy.typing as npt

LOBES = ("LLL", "LUL", "RLL", "RML", "RUL")
INFECTED = "infected"
ORIGINAL = "original"
_NAME = re.compile(r"(slice|lobe)[-_]level[-_]labels[-_]?(.*)\.npy$", re.IGNORECASE)
_UPDATED = re.compile(r"updated-(\d+)$", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class LabelPair:
    """The two arrays of one label version; one of them may be absent.

    Attributes
    ----------
    version : what follows the name's stem, or ``original``.
    files : array per file name; the slice array is 2-D, the lobe array 3-D.
    slice_name, lobe_name : their file names, or None.
    """

    version: str
    files: Mapping[str, NpyFile]
    slice_name: str | None
    lobe_name: str | None

    @property
    def shape(self) -> tuple[int, int]:
        """Rows (cases) and columns (slices) of the arrays."""
        rows, columns = next(iter(self.files.values())).shape[:2]
        return rows, columns

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a case's slice table: the lobes where they are known, and infected."""
        return (*LOBES, INFECTED) if self.lobe_name else (INFECTED,)

    def row(self, row: int) -> npt.NDArray[Any]:
        """A case's labels as stored, (array columns, table columns), whatever their values."""
        parts = []
        if self.lobe_name:
            lobes = self.files[self.lobe_name].array[row]
            parts.append(lobes)
        if self.slice_name:
            parts.append(self.files[self.slice_name].array[row][:, None])
        else:
            parts.append((lobes != 0).any(axis=1, keepdims=True))
        return np.concatenate([part.astype(np.float64) for part in parts], axis=1)

    def patched(
        self, row: int, columns: npt.NDArray[np.intp], values: npt.NDArray[np.bool_]
    ) -> LabelPair:
        """The pair with a case's labels at these array columns replaced, (Z, table columns)."""
        files = dict(self.files)
        if self.lobe_name:
            files[self.lobe_name] = files[self.lobe_name].patched((row, columns), values[:, :5])
        if self.slice_name:
            files[self.slice_name] = files[self.slice_name].patched((row, columns), values[:, -1])
        return LabelPair(self.version, files, self.slice_name, self.lobe_name)

    def same_frame(self, other: LabelPair) -> bool:
        """Whether the other pair differs in nothing but its numbers and the files' names."""
        kinds = ((self.slice_name, other.slice_name), (self.lobe_name, other.lobe_name))
        if any((a is None) != (b is None) for a, b in kinds):
            return False
        return all(self.files[a].frame == other.files[b].frame for a, b in kinds if a and b)

    def renamed(self, version: str) -> LabelPair:
        """The same arrays as another version, under that version's file names."""
        slice_name = f"Slice-level-labels-{version}.npy" if self.slice_name else None
        lobe_name = f"Lobe-level-labels-{version}.npy" if self.lobe_name else None
        names = {self.slice_name: slice_name, self.lobe_name: lobe_name}
        files = {str(names[old]): file for old, file in self.files.items()}
        return LabelPair(version, files, slice_name, lobe_name)


def find_pairs(folder: Path) -> tuple[list[LabelPair], list[Problem]]:
    """Every label version in the folder, the newest first, and what cannot be used and why."""
    names: dict[str, dict[str, str]] = {}
    problems: list[Problem] = []
    for name in label_names(folder):
        kind, version = _kind_and_version(name)
        other = names.setdefault(version, {}).setdefault(kind, name)
        if other != name:
            text = f"Both hold the {kind} labels of version {version}; {other} is used."
            problems.append(Problem("warning", text, (other, name)))
    pairs = []
    for version in sorted(names, key=_age, reverse=True):
        try:
            pairs.append(_read_pair(folder, version, names[version]))
        except ReadError as error:
            text = f"Label version {version} is not shown. {error}"
            problems.append(Problem("error", text, tuple(names[version].values())))
    return pairs, problems


def has_labels(folder: Path) -> bool:
    """Whether any label array is there, by name."""
    return any(True for _ in label_names(folder))


def versions_of(names: Iterable[str]) -> set[str]:
    """The versions that label arrays of these names belong to, usable or not."""
    return {_kind_and_version(name)[1] for name in names}


def newest(pairs: Iterable[LabelPair]) -> LabelPair:
    """The pair of the newest version."""
    return max(pairs, key=lambda pair: _age(pair.version))


def next_version(versions: Iterable[str]) -> str:
    """The version name that follows the dataset's own way: ``updated-2`` after ``updated-1``."""
    numbers = [int(m[1]) for m in map(_UPDATED.match, versions) if m]
    return f"updated-{max(numbers, default=0) + 1}"


def label_names(folder: Path) -> Iterator[str]:
    """Names of the label arrays in a folder, usable or not."""
    try:
        # Dashes before underscores: the present release's names win over those of old downloads.
        names = sorted(path.name for path in folder.iterdir() if path.is_file())
    except OSError:
        return
    yield from (name for name in names if _NAME.match(name))


def _kind_and_version(name: str) -> tuple[str, str]:
    match = _NAME.match(name)
    assert match is not None
    return match[1].casefold(), match[2].casefold() or ORIGINAL


def _age(version: str) -> tuple[int, int, str]:
    """Sort key by age: the original, then versions of unknown standing, then the updates."""
    if version == ORIGINAL:
        return 0, 0, ""
    match = _UPDATED.match(version)
    return (2, int(match[1]), "") if match else (1, 0, version)


def _read_pair(folder: Path, version: str, names: Mapping[str, str]) -> LabelPair:
    files = {}
    for kind, name in names.items():
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            raise ReadError(path, "it leads outside the dataset and is not read.")
        files[name] = read_npy(path)
        _check_shape(path, kind, files[name].shape)
    shapes = {file.shape[:2] for file in files.values()}
    if len(shapes) > 1:
        listed = ", ".join(f"{name} {file.shape}" for name, file in files.items())
        raise ReadError(
            folder, f"expected the same rows and columns in both arrays, found {listed}."
        )
    return LabelPair(version, files, names.get("slice"), names.get("lobe"))


def _check_shape(path: Path, kind: str, shape: tuple[int, ...]) -> None:
    if kind == "slice" and len(shape) != 2:
        raise ReadError(path, f"expected the shape (cases, slices), found {shape}.")
    if kind == "lobe" and (len(shape) != 3 or shape[2] != len(LOBES)):
        raise ReadError(path, f"expected the shape (cases, slices, 5), found {shape}.")
