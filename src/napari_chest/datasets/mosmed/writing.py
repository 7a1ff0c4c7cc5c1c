"""What is to be written for a case, and what has to hold before it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_chest.datasets.mosmed import masks
from napari_chest.datasets.mosmed.cases import CATEGORIES
from napari_chest.datasets.mosmed.masks import OPACITIES, TYPES
from napari_chest.errors import ReadError, SaveError
from napari_chest.files.atomic import read_whole
from napari_chest.files.nifti import labels_like

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy.typing as npt

    from napari_chest.datasets.mosmed.cases import Case
    from napari_chest.datasets.mosmed.corrections import Corrections
    from napari_chest.datasets.mosmed.masks import CaseMasks
    from napari_chest.files.nifti import LabelFile, NiftiHeader
    from napari_chest.model import Mask, Reading

    Labels = npt.NDArray[np.unsignedinteger]

READER = "authors"
CATEGORY = "category"
LARGEST = 2**30
"""Bytes of an annotation file; a published mask has about thirty thousand."""


def check_reading(case: Case, reading: Reading) -> None:
    """Refuse what MosMedData has no room for."""
    if reading.reader != READER:
        raise SaveError(
            f"{case.id}: MosMedData has one reader, {READER}, and no room for {reading.reader}. "
            "Nothing was written."
        )
    if reading.slice_labels is not None:
        raise SaveError(f"{case.id}: MosMedData has no slice labels. Nothing was written.")
    if others := {mask.name for mask in reading.masks} - {OPACITIES, TYPES}:
        raise SaveError(
            f"{case.id}: MosMedData has no mask {', '.join(sorted(others))}. Nothing was written."
        )
    masks.check_agreement(reading)


def mask_contents(
    case: Case,
    reading: Reading,
    standing: CaseMasks,
    original: CaseMasks | None,
    study: Callable[[], NiftiHeader],
) -> dict[Path, bytes]:
    """New bytes of the case's mask files where the reading differs, by path in the dataset.

    Parameters
    ----------
    case : the case.
    reading : what is to stand in the end.
    standing : what is to be corrected.
    original : the dataset's own files, whose bytes come back when an edit is taken back; None
        where they are what is to be corrected.
    study : gives the header of the study, from which a new mask takes its grid.
    """
    contents = {}
    for name, path in ((OPACITIES, case.mask_path), (TYPES, case.split_path)):
        wanted, shown = _wanted(case, reading, name, standing), standing.named(name)
        if wanted is None or (shown is not None and np.array_equal(wanted, shown.labels)):
            continue
        stored = standing.file(name)
        if stored is not None:
            contents[path] = _corrected(
                stored, wanted, shown, original.file(name) if original else None
            )
        elif wanted.any():  # a mask that was begun and left empty says nothing
            like = standing.binary.header if standing.binary else study()
            contents[path] = labels_like(wanted, like)
    return contents


def category_content(
    case: Case, reading: Reading, standing: Corrections, original: Corrections
) -> bytes | None:
    """New bytes of the table of corrected categories; None where it needs no change."""
    answers = reading.answers.get(CATEGORY, ())
    if len(answers) > 1 or not set(answers) <= set(CATEGORIES):
        raise SaveError(
            f"{case.id}: expected one category of {', '.join(CATEGORIES)}, "
            f"found {', '.join(answers)}. Nothing was written."
        )
    wanted = answers[0] if answers else ""
    if wanted == standing.categories.get(case.number, case.category):
        return None
    changed = standing.with_category(case.number, case.category, wanted)
    return original.content if original.holds(changed) else changed


def same_bytes(a: Path, b: Path) -> bool:
    """Whether both are there with the same content."""
    try:
        return read_whole(a, LARGEST) == read_whole(b, LARGEST)
    except ReadError:
        return False


def check_frame(was: LabelFile | None, now: LabelFile | None) -> None:
    """Refuse two states of a mask file that differ in more than their voxels.

    Raises
    ------
    ReadError
        when their headers differ, or what is behind their voxels.
    """
    if was is None or now is None:
        return
    if was.frame != now.frame:
        raise ReadError(
            now.header.path,
            f"what is around its voxels is not as in {was.header.path}, so more than voxels "
            "changed.",
        )


def _wanted(case: Case, reading: Reading, name: str, standing: CaseMasks) -> Labels | None:
    """The labels that are to stand in the end; None where there are none and were none."""
    mask, shown = masks.mask_named(reading.masks, name), standing.named(name)
    if mask is not None:
        _check_mask(case, mask, shown, standing.unusable.get(name))
        return mask.labels
    if shown is None:
        return None
    if name == OPACITIES and not case.mask_is_ours:
        raise SaveError(
            f"{case.id}: the reading lacks {name}, a mask of the release. Nothing was written; to "
            "empty a mask, erase what it marks."
        )
    return np.zeros_like(shown.labels)


def _check_mask(case: Case, mask: Mask, shown: Mask | None, unusable: str | None) -> None:
    if unusable is not None:
        raise SaveError(
            f"{case.id}: the file of {mask.name} cannot be corrected. {unusable} "
            "Nothing was written; move that file away, then save again."
        )
    if shown is not None and shown.labels.shape != mask.labels.shape:
        raise SaveError(
            f"{case.id}: expected {mask.name} of the shape {shown.labels.shape}, "
            f"found {mask.labels.shape}. Nothing was written."
        )
    known = {segment.value for segment in (shown or mask).segments}
    if unknown := set(np.unique(mask.labels).tolist()) - {0, *known}:
        raise SaveError(
            f"{case.id}: {mask.name} holds {max(unknown)}, which is none of its structures. "
            "Nothing was written."
        )


def _corrected(
    stored: LabelFile, wanted: Labels, shown: Mask | None, original: LabelFile | None
) -> bytes:
    labels = wanted
    if shown is not None and wanted.any():
        # Only what differs from what was shown: where a split disagrees otherwise, it still does.
        labels = np.where(wanted != shown.labels, wanted, stored.labels)
    if original is not None and _is_back(stored, labels, original):
        return original.content
    return stored.with_labels(labels)


def _is_back(stored: LabelFile, labels: Labels, original: LabelFile) -> bool:
    return original.frame == stored.frame and np.array_equal(original.labels, labels)
