"""Indexes a tree of DICOM files: every header once, remembered until its file changes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec.structs import replace

from napari_chest.files.dicom.tree.cache import Remembered, TreeCache
from napari_chest.files.dicom.tree.entries import Look, TreeEntry, look_at
from napari_chest.files.dicom.tree.folders import find_files
from napari_chest.files.dicom.tree.looking import Looking
from napari_chest.files.dicom.tree.problems import (
    by_sop,
    failure_problems,
    pixel_problems,
    same_uid_problems,
)
from napari_chest.files.dicom.tree.series import TreeSeries, group_series
from napari_chest.files.dicom.tree.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from threading import Event

    from napari_chest.files.dicom.tree.folders import FoundFile
    from napari_chest.model import Problem


@dataclass(frozen=True, eq=False)
class DicomTree:
    """The DICOM files below a folder.

    Attributes
    ----------
    root : the folder.
    entries : every DICOM file, ordered by path.
    by_sop : the files by SOP Instance UID; of several with the same one the first by natural
        order of paths. Files without one are not among them.
    series : the series of images. Files without pixel data are in none of them, nor is a copy of
        an image that the series has already.
    problems : what a person should know before working with them.
    """

    root: Path
    entries: tuple[TreeEntry, ...]
    by_sop: Mapping[str, TreeEntry]
    series: tuple[TreeSeries, ...]
    problems: tuple[Problem, ...]

    @cached_property
    def _series_of(self) -> dict[str, TreeSeries]:
        return {entry.path: series for series in self.series for entry in series.entries}

    def path_of(self, entry: TreeEntry) -> Path:
        """Where a file lies."""
        return self.root / entry.path

    def series_of(self, entry: TreeEntry) -> TreeSeries | None:
        """The series that a file belongs to; None where it holds no image or is a copy."""
        return self._series_of.get(entry.path)


def index_tree(
    root: Path,
    cache: Path | None,
    *,
    progress: Callable[[int, int], None] | None = None,
    stop: Event | None = None,
    workers: int | None = None,
) -> DicomTree:
    """Read the header of every DICOM file below a folder.

    Parameters
    ----------
    root : the folder.
    cache : folder that remembers the headers; None to remember nothing. What it remembers of a
        file counts only while the file's size and time of change are the same.
    progress : called with the numbers of headers read and to be read, at least five times a second;
        the number of all is a guess until the first header is read.
    stop : set to end early; what was read until then is remembered.
    workers : number of processes; as many as pay by default.

    Raises
    ------
    ReadError
        when the folder cannot be read.
    StoppedError
        when it was asked to stop.
    """
    watch = Watch(progress, stop)
    files, problems = find_files(root, watch)
    remembered = TreeCache(cache, root)
    known = remembered.recall(files)
    new = [file.path for file in files if file.path not in known]
    learned: dict[str, Remembered] = {}
    if new:
        looking = Looking(root, new, workers)
        try:
            looking.run(watch)
        finally:
            learned = _numbered(root, known, looking.looks)
            lasting = {path: one for path, one in learned.items() if looking.looks[path].lasting}
            remembered.keep(files, known | lasting)
        watch.tick(len(new), len(new))
    return _tree(root, files, known | learned, problems)


def _numbered(
    root: Path, known: Mapping[str, Remembered], looks: Mapping[str, Look]
) -> dict[str, Remembered]:
    """What was just read, with the numbers of the patients.

    Which Patient ID has which number is not remembered, so one file of each is read again.
    """
    first = {one.header.patient: path for path, one in known.items() if one.header}
    numbers = {look_at(root / path).patient_id: number for number, path in first.items()}
    most = max(first, default=-1)
    learned = {}
    for path, look in looks.items():
        if look.header is None:
            learned[path] = Remembered(None, look.failure)
            continue
        number = numbers.setdefault(look.patient_id, most + 1)
        most = max(most, number)
        learned[path] = Remembered(replace(look.header, patient=number))
    return learned


def _tree(
    root: Path,
    files: Sequence[FoundFile],
    known: Mapping[str, Remembered],
    problems: list[Problem],
) -> DicomTree:
    entries, failures = [], []
    for path, size, mtime_ns in files:
        header, failure = known[path]
        if header is None:
            failures.append((path, failure))
        else:
            entries.append(TreeEntry(path, size, mtime_ns, header))
    by_uid, pairs = by_sop(entries)
    problems += same_uid_problems(pairs)
    problems += pixel_problems(entries)
    problems += failure_problems(failures)
    copies = {pair.other.path for pair in pairs if pair.is_copy}
    images = (one for one in entries if one.header.has_pixels and one.path not in copies)
    return DicomTree(root, tuple(entries), by_uid, group_series(images), tuple(problems))
