"""What file names say: which are images, which are masks of them, and how cases are called."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MASKS = "masks"
"""The folder in the root in which our masks lie."""
_WHOLE_ROOT = "series"
"""What masks of the slices that lie in the root itself are named after."""
_ENDING = re.compile(r"\.(nii|nii\.gz|dcm|dicom|ima|img)$", re.IGNORECASE)
_NIFTI = re.compile(r"\.nii(\.gz)?$", re.IGNORECASE)
_BESIDE = re.compile(r"(.+)[-_](mask|seg|labels?)$", re.IGNORECASE)


def is_nifti(name: str) -> bool:
    """Whether a file is NIfTI by its name."""
    return _NIFTI.search(name) is not None


def stem(name: str) -> str:
    """A file's name or path without the ending of an image file."""
    return _ENDING.sub("", name)


def mask_of(name: str) -> tuple[str, str] | None:
    """The image that a NIfTI file is a mask of, as its stem, and what the mask shows.

    ``ct_seg.nii.gz`` is the mask ``seg`` of ``ct``; None for a file that is named as an image.
    """
    match = _BESIDE.match(stem(name))
    return (match[1], match[2].casefold()) if match else None


def unique_ids(cases: Sequence[tuple[str, int]]) -> list[str]:
    """For each path and number of a case its id: ``p01`` for number 1, ``p01#2`` for number 2."""
    ids = [path if number == 1 else f"{path}#{number}" for path, number in cases]
    counts = Counter(ids)  # a folder may be named like that
    return [
        f"{path}##{number}" if counts[one] > 1 else one
        for one, (path, number) in zip(ids, cases, strict=True)
    ]


def unique_stems(cases: Sequence[tuple[str, int]]) -> list[str]:
    """For each path and number of a case a path that no other has, ignoring upper and lower case.

    That is the path without its ending. Where an earlier case has it already, as with ``a`` and
    ``a.nii``, it keeps its ending.
    """
    taken: set[str] = set()
    found = []
    for path, number in cases:
        short, whole = (
            (_WHOLE_ROOT if part == "." else part) + ("" if number == 1 else f"_{number}")
            for part in (stem(path), path)
        )
        chosen = short if short.casefold() not in taken else whole
        while chosen.casefold() in taken:
            chosen += "_"
        taken.add(chosen.casefold())
        found.append(chosen)
    return found


def short_titles(paths: Sequence[str]) -> list[str]:
    """For each of several different paths the shortest end of it that no other ends in."""
    parts = [PurePosixPath(path).parts for path in paths]
    titles = list(paths)
    for length in range(max(map(len, parts), default=0), 0, -1):
        ends = ["/".join(one[-length:]) for one in parts]
        counts = Counter(ends)
        titles = [end if counts[end] == 1 else t for end, t in zip(ends, titles, strict=True)]
    return titles
