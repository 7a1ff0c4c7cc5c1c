"""What is odd about the files of a tree, said in problems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from napari_chest.files.names import natural_key
from napari_chest.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from napari_chest.files.dicom.tree.entries import TreeEntry
    from napari_chest.model import Level

_MOST_NAMED: Final = 10
_NAMED_DICOM: Final = (".dcm", ".dicom", ".ima")


class SameUid(NamedTuple):
    """Two files with the same SOP Instance UID; the first is used."""

    used: TreeEntry
    other: TreeEntry

    @property
    def is_copy(self) -> bool:
        """Whether both say that they are the same image of the same series."""
        one, two = self.used.header, self.other.header
        return (one.patient, one.study_uid, one.series_uid) == (
            two.patient,
            two.study_uid,
            two.series_uid,
        )


def by_sop(entries: Iterable[TreeEntry]) -> tuple[dict[str, TreeEntry], list[SameUid]]:
    """The files by SOP Instance UID, the first by natural order of paths, and those after it."""
    found: dict[str, TreeEntry] = {}
    several: dict[str, list[TreeEntry]] = {}
    for entry in entries:
        uid = entry.header.sop_instance_uid
        if not uid:
            continue
        first = found.setdefault(uid, entry)
        if first is not entry:
            several.setdefault(uid, [first]).append(entry)
    pairs = []
    for uid, same in several.items():
        used, *others = sorted(same, key=lambda entry: natural_key(entry.path))
        found[uid] = used
        pairs += [SameUid(used, other) for other in others]
    return found, pairs


def same_uid_problems(pairs: Sequence[SameUid]) -> Iterator[Problem]:
    """What is to be said of files that share a SOP Instance UID."""
    copies = [pair for pair in pairs if pair.is_copy]
    if copies:
        images = "1 image is" if len(copies) == 1 else f"{len(copies)} images are"
        text = (
            f"{images} there more than once, under the same SOP Instance UID; of each pair named "
            "here the first file is used."
        )
        files = (path for pair in copies for path in (pair.used.path, pair.other.path))
        yield Problem("note", text, tuple(files))
    clashes = [pair for pair in pairs if not pair.is_copy]
    for used, other in clashes[:_MOST_NAMED]:
        text = (
            f"Two files of {_differing(used, other)} have the same SOP Instance UID; annotations "
            "of that image are shown on the first. Remove the wrong one."
        )
        yield Problem("error", text, (used.path, other.path))
    if len(clashes) > _MOST_NAMED:
        text = f"{len(clashes) - _MOST_NAMED} more files have the UID of an image they are not."
        yield Problem("error", text, tuple(pair.other.path for pair in clashes[_MOST_NAMED:]))


def _differing(one: TreeEntry, other: TreeEntry) -> str:
    if one.header.patient != other.header.patient:
        return "different patients"
    if one.header.study_uid != other.header.study_uid:
        return "different studies"
    return "different series"


def pixel_problems(entries: Iterable[TreeEntry]) -> Iterator[Problem]:
    """What is to be said of the files without an image."""
    bare = tuple(entry.path for entry in entries if not entry.header.has_pixels)
    if bare:
        files = "1 file has" if len(bare) == 1 else f"{len(bare)} files have"
        yield Problem("note", f"{files} no pixel data and cannot be shown.", bare)


def failure_problems(failures: Sequence[tuple[str, str]]) -> Iterator[Problem]:
    """What is to be said of the files that could not be read, given as path and reason.

    Names without an ending may be anything, such as a licence, so those are only noted.
    """
    named = [one for one in failures if one[0].lower().endswith(_NAMED_DICOM)]
    others = [one for one in failures if not one[0].lower().endswith(_NAMED_DICOM)]
    levels: tuple[tuple[Level, list[tuple[str, str]]], ...]
    levels = ("warning", named), ("note", others)
    for level, failed in levels:
        if failed:
            path, why = failed[0]
            files = "1 file is" if len(failed) == 1 else f"{len(failed)} files are"
            text = f"{files} left out. {path}: {why}"
            yield Problem(level, text, tuple(path for path, _ in failed))
