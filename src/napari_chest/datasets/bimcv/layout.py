"""Which files of the dataset are what, found in one walk that opens none of them."""

from __future__ import annotations

import os
import re
from collections import deque
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from napari_chest.datasets.bimcv.names import ImageName, parse_image
from napari_chest.files.names import natural_key
from napari_chest.files.paths import leads_inside
from napari_chest.model import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

CORRECTED_NAME = "labels_corrected.tsv"
_DEEPEST = 12
"""Folders below the root: a ROI file made on Windows lies nine deep."""
_MOST_ENTRIES = 2_000_000
_COLLECTION_DEPTH = 2
"""Folders between the root and the subjects' folders; a deeper collection has a root of its own."""
_COLLECTION = re.compile(r"(bimcv[-_ ]*)?covid[-_ ]?19", re.IGNORECASE)
"""Names of the folders in between: another folder above a dataset is no part of it."""
_SESSION_DEPTH = 3
"""A session's folder, and folders in it, in which the first image is looked for."""
_LOOKED_AT = 200_000
"""Entries after which a folder without a fitting image counts as another dataset."""
_LABELS = re.compile(r"labels.*\.tsv$", re.IGNORECASE)
_TESTS = re.compile(r".*sil_.*\.(tsv|txt|csv)$", re.IGNORECASE)
_TREE = re.compile(r"tree_term_cui.*\.csv$", re.IGNORECASE)
_COLLECTION_PART = re.compile(r"subjects?[_-]?\d+$|part\d*$", re.IGNORECASE)


@dataclass(frozen=True)
class Listing:
    """The files of a dataset by what they are, as paths relative to its root.

    Attributes
    ----------
    images : in the order of a work list.
    sidecars : paths of the JSON files below a session, by their folder.
    labels, tests, participants, sessions, partitions, trees : the released tables.
    xml : XML files, which may be ROI files.
    derivatives : the folders of that name.
    problems : what was not read, and why.
    """

    images: list[ImageName] = field(default_factory=list)
    sidecars: dict[str, list[str]] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)
    tests: list[str] = field(default_factory=list)
    participants: list[str] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)
    partitions: list[str] = field(default_factory=list)
    trees: list[str] = field(default_factory=list)
    xml: list[str] = field(default_factory=list)
    derivatives: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def derivatives_of(self, collection: str) -> str:
        """The derivatives folder of a collection of subjects, which need not exist yet."""
        if self.derivatives:
            return min(self.derivatives, key=lambda d: (-likeness(d, collection), natural_key(d)))
        return default_derivatives(collection)

    @property
    def collections(self) -> list[str]:
        """The folders that hold subjects' folders."""
        return list(dict.fromkeys(image.collection for image in self.images))


def list_files(root: Path) -> Listing:
    """Every file of the dataset that has a meaning; opens none, and follows no link outwards."""
    listing = Listing()
    links: list[str] = []
    for count, (path, is_folder) in enumerate(_walk(root, links)):
        if count >= _MOST_ENTRIES:
            text = f"More than {_MOST_ENTRIES:,} files are here; the rest is not listed."
            listing.problems.append(Problem("error", text))
            break
        if not is_folder:
            _sort_in(listing, path)
        elif _is_derivatives(path):
            listing.derivatives.append(path)
    listing.images.sort(key=lambda image: natural_key(image.path))
    for paths in (listing.labels, listing.tests, listing.xml, listing.participants, listing.trees):
        paths.sort(key=natural_key)
    if links:
        text = "These links lead out of the dataset, or to a folder, and are not followed."
        listing.problems.append(Problem("warning", text, tuple(sorted(links))))
    return listing


def has_images(root: Path) -> bool:
    """Whether an image lies below a subject's and a session's folder; stops at the first."""
    for count, (path, is_folder) in enumerate(_walk(root, [], _may_hold_images)):
        if count >= _LOOKED_AT:
            return False
        image = None if is_folder else parse_image(path)
        if image is not None and image.named_modality:
            return True
    return False


def default_derivatives(collection: str) -> str:
    """Where the derivatives of a collection of subjects are made if the dataset has none."""
    parts = [part for part in collection.split("/") if part]
    # The archives of the first release spread one collection over numbered folders.
    if parts and _COLLECTION_PART.search(parts[-1]):
        parts.pop()
    return "/".join((*parts, "derivatives"))


def likeness(path: str, collection: str) -> int:
    """How well a path in derivatives fits a collection of subjects: letters they begin alike.

    The metadata of a release may unpack to a folder of its own beside the subjects, such as
    ``covid19_posi_head`` for ``covid19_posi``.
    """
    folder = f"/{path}/".partition("/derivatives/")[0].removeprefix("/")
    pairs = zip(f"{folder}/", f"{collection}/", strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def xml_below(root: Path, folders: Iterable[str]) -> list[str]:
    """The XML files in folders below a root, relative to it."""
    found = []
    for folder in folders:
        inside = root / folder
        if leads_inside(inside, root) and not inside.is_symlink():
            found += [f"{folder}/{path}" for path, is_folder in _walk(inside, []) if not is_folder]
    return sorted(path for path in found if path.casefold().endswith(".xml"))


def partition_of(image: ImageName) -> str:
    """``positive`` or ``negative`` by the folders above the subject; empty where they say none."""
    for part in reversed(image.collection.casefold().split("/")):
        words = re.split(r"[^a-z]+", part)
        for word, partition in (("posi", "positive"), ("neg", "negative")):
            if any(w.startswith(word) for w in words):
                return partition
    return ""


def _sort_in(listing: Listing, path: str) -> None:
    folder, _, name = path.rpartition("/")
    folded, parent = name.casefold(), folder.rpartition("/")[2].casefold()
    if (image := parse_image(path)) is not None:
        listing.images.append(image)
    elif folded.endswith(".json"):
        listing.sidecars.setdefault(folder, []).append(path)
    elif folded.endswith(".xml"):
        listing.xml.append(path)
    elif folded.endswith("_sessions.tsv"):
        listing.sessions.append(path)
    elif parent == "labels" and _LABELS.match(name) and folded != CORRECTED_NAME:
        listing.labels.append(path)
    elif parent == "ehr" and _TESTS.match(name):
        listing.tests.append(path)
    elif folded == "participants.tsv":
        listing.participants.append(path)
    elif folded == "partitions.tsv":
        listing.partitions.append(path)
    elif _TREE.match(name):
        listing.trees.append(path)


def _is_derivatives(path: str) -> bool:
    """Whether a folder is one of derivatives; one inside another was unpacked from a file name."""
    *above, name = path.casefold().split("/")
    return name == "derivatives" and name not in above


def _may_hold_images(path: str) -> bool:
    """Whether a folder is near enough to the root, or a subject's or a session's or inside one."""
    parts = path.split("/")
    near = parts[: _COLLECTION_DEPTH + 1]
    subject = next((n for n, part in enumerate(near) if part.startswith("sub-")), None)
    if subject is None:
        return len(parts) <= _COLLECTION_DEPTH and all(map(_COLLECTION.match, parts))
    inside = parts[subject + 1 :]
    return not inside or (inside[0].startswith("ses-") and len(inside) <= _SESSION_DEPTH)


def _any_folder(_path: str) -> bool:
    return True


def _walk(
    root: Path, links: list[str], enters: Callable[[str], bool] = _any_folder
) -> Iterator[tuple[str, bool]]:
    """Paths below a folder, relative to it, and whether each is a folder; hidden ones are not.

    Folders are entered where ``enters`` says so, the first by name before the next.
    Links that are not followed are added to ``links``: those to folders, which are listed where
    they lie if they are inside, and those of files that lead outside.
    """
    waiting = deque([(str(root), "", 0)])
    inside = None
    while waiting:
        folder, prefix, depth = waiting.pop()
        inner: list[tuple[str, str, int]] = []
        for entry in _entries(folder):
            path = f"{prefix}{entry.name}"
            if entry.is_symlink():
                inside = inside or root.resolve()
                if not _is_file_inside(entry, inside):
                    links.append(path)
                    continue
                yield path, False
            elif entry.is_dir(follow_symlinks=False):
                yield path, True
                if depth < _DEEPEST and enters(path):
                    inner.append((entry.path, f"{path}/", depth + 1))
            elif entry.is_file(follow_symlinks=False):
                yield path, False
        waiting.extend(reversed(inner))


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            shown = [entry for entry in found if not entry.name.startswith(".")]
    except OSError:
        return []  # a folder that may not be listed holds nothing for this person
    return sorted(shown, key=lambda entry: entry.name)


def _is_file_inside(entry: os.DirEntry[str], inside: Path) -> bool:
    try:
        target = Path(entry.path).resolve(strict=True)
    except (OSError, RuntimeError):  # RuntimeError: a loop of links, until Python 3.13
        return False
    return target.is_file() and target.is_relative_to(inside)
