"""Finds the files below a folder that may be DICOM, with their sizes and times."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from napari_chest.errors import ReadError
from napari_chest.files.atomic import reason
from napari_chest.files.dicom.series import may_be_dicom
from napari_chest.model import Problem

if TYPE_CHECKING:
    from collections.abc import Container
    from pathlib import Path

    from napari_chest.files.dicom.tree.watch import Watch

MOST_FILES: Final = 1_000_000
"""Files and folders that are looked at; a hundred thousand take a fraction of a second."""
DEEPEST: Final = 32
"""Levels below the root that are looked into."""
_PER_TICK: Final = 32


class FoundFile(NamedTuple):
    """A file that may be DICOM.

    Attributes
    ----------
    path : relative to the root, with forward slashes.
    size : in bytes.
    mtime_ns : when it was last changed, as the system tells it.
    """

    path: str
    size: int
    mtime_ns: int


@dataclass
class _Search:
    root: Path
    inside: Path
    watch: Watch
    files: list[FoundFile] = field(default_factory=list)
    # looked at last, when it is known which files are found anyway
    links: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    too_deep: list[str] = field(default_factory=list)
    seen: int = 0


def find_files(root: Path, watch: Watch) -> tuple[list[FoundFile], list[Problem]]:
    """The files that may be DICOM, ordered by path, and what was not looked at.

    Hidden entries are passed over. A link to a file is followed where it leads to a file inside the
    root that is not found anyway; links to folders are not followed.

    Raises
    ------
    ReadError
        when the root itself cannot be read.
    StoppedError
        when ``watch`` says so.
    """
    try:
        search = _Search(root, root.resolve(strict=True), watch)
        os.scandir(root).close()
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links, until Python 3.13
        why = reason(error) if isinstance(error, OSError) else "its links go round in circles"
        raise ReadError(root, f"the folder cannot be read: {why}.") from error
    waiting = [("", 0)]
    while waiting and search.seen < MOST_FILES:
        prefix, depth = waiting.pop()
        inner = _look_into(search, prefix)
        if depth < DEEPEST:
            waiting += [(one, depth + 1) for one in inner]
        else:
            search.too_deep += inner
    _add_links(search)
    search.files.sort()
    return search.files, search.problems + _limits_met(search)


def _look_into(search: _Search, prefix: str) -> list[str]:
    """Add the files of one folder; returns its folders."""
    inner: list[str] = []
    try:
        with os.scandir(search.root / prefix) as scan:
            for entry in islice(scan, MOST_FILES - search.seen):
                search.seen += 1
                if search.seen % _PER_TICK == 0:
                    search.watch.tick(0, search.seen)
                if entry.is_file(follow_symlinks=False):
                    _take(search, prefix, entry)
                elif not entry.name.startswith("."):
                    _pass_on(search, prefix, entry, inner)
    except OSError as error:
        text = f"A folder cannot be looked into: {reason(error)}."
        search.problems.append(Problem("warning", text, (prefix.rstrip("/"),)))
    return inner


def _take(search: _Search, prefix: str, entry: os.DirEntry[str]) -> None:
    if may_be_dicom(entry.name):
        found = entry.stat(follow_symlinks=False)
        search.files.append(FoundFile(prefix + entry.name, found.st_size, found.st_mtime_ns))


def _pass_on(search: _Search, prefix: str, entry: os.DirEntry[str], inner: list[str]) -> None:
    if entry.is_dir(follow_symlinks=False):
        inner.append(f"{prefix}{entry.name}/")
    elif entry.is_symlink():
        search.links.append(prefix + entry.name)


def _add_links(search: _Search) -> None:
    known = {file.path for file in search.files} if search.links else set()
    outside = [link for link in search.links if not _add_link(search, link, known)]
    if outside:
        text = "These links lead out of the dataset or nowhere and were not followed."
        search.problems.append(Problem("warning", text, tuple(sorted(outside))))


def _add_link(search: _Search, link: str, known: Container[str]) -> bool:
    """Add the file a link leads to, unless it is known; False where a person should be told."""
    named_dicom = may_be_dicom(link.rpartition("/")[2])
    try:
        target = (search.root / link).resolve(strict=True)
        found = target.stat()
    except (OSError, RuntimeError):  # a loop of links; RuntimeError until Python 3.13
        return not named_dicom
    if not target.is_relative_to(search.inside):
        return not named_dicom and not stat.S_ISDIR(found.st_mode)
    is_file = stat.S_ISREG(found.st_mode)
    if is_file and named_dicom and target.relative_to(search.inside).as_posix() not in known:
        search.files.append(FoundFile(link, found.st_size, found.st_mtime_ns))
    return True


def _limits_met(search: _Search) -> list[Problem]:
    problems = []
    if search.too_deep:
        text = f"Folders more than {DEEPEST} levels down are not looked into."
        names = tuple(folder.rstrip("/") for folder in search.too_deep)
        problems.append(Problem("warning", text, names))
    if search.seen >= MOST_FILES:
        text = (
            f"The folder holds {MOST_FILES:,} files and folders or more; images beyond them are "
            "not found. Open one of its folders instead."
        )
        problems.append(Problem("warning", text))
    return problems
