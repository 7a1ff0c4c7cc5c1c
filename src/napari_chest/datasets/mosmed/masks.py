"""The masks of a case: the binary one and, beside it, the one that tells its lesions apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_chest import findings
from napari_chest.errors import ReadError, SaveError
from napari_chest.files.nifti import read_labels, same_grid
from napari_chest.model import Mask, MaskOffer, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import numpy.typing as npt

    from napari_chest.files.nifti import LabelFile, NiftiHeader
    from napari_chest.model import Reading, Segment

    Labels = npt.NDArray[np.unsignedinteger]

OPACITIES = "opacities"
TYPES = "opacity types"
LESION = findings.OPACITY.segment(1, "GGO or consolidation")
NOT_TOLD_APART = findings.OPACITY.segment(3, "Not yet split")
KINDS = (findings.GROUND_GLASS.segment(1), findings.CONSOLIDATION.segment(2), NOT_TOLD_APART)
BEGIN = MaskOffer("Begin a mask", OPACITIES, (LESION,))
SPLIT = MaskOffer("Split into GGO and consolidation", TYPES, KINDS, splits=OPACITIES)
_MOST_VALUES = 32


@dataclass(frozen=True, eq=False)
class CaseMasks:
    """The masks of a case as they are stored, and as they are shown.

    Attributes
    ----------
    binary, split : the files; None where there is none or it cannot be used.
    shown : what a reading shows of them. The binary mask is the truth: a lesion that the split
        does not tell apart is so marked, and what the split marks outside is left out.
    problems : what a person should know; an error for each file that is left out.
    unusable : why a file that is there cannot be used, by the name of its mask.
    """

    binary: LabelFile | None
    split: LabelFile | None
    shown: tuple[Mask, ...]
    problems: tuple[Problem, ...]
    unusable: dict[str, str]

    def named(self, name: str) -> Mask | None:
        """The shown mask of this name."""
        return mask_named(self.shown, name)

    def file(self, name: str) -> LabelFile | None:
        """The file that holds the mask of this name."""
        return self.binary if name == OPACITIES else self.split


def mask_named(masks: Iterable[Mask], name: str) -> Mask | None:
    """The mask of this name, None where there is none."""
    return next((mask for mask in masks if mask.name == name), None)


def read_masks(mask: Path | None, split: Path | None, study: NiftiHeader | None) -> CaseMasks:
    """Read a case's mask and its split where there are any.

    Parameters
    ----------
    mask, split : the files.
    study : header of the study, on whose grid the mask has to lie; None where it is not known.
    """
    problems: list[Problem] = []
    unusable: dict[str, str] = {}
    binary, types = None, None
    shown: list[Mask] = []
    if mask is not None:
        try:
            binary = _labels_on(mask, study)
            segments = _segments(binary)
        except ReadError as error:
            binary = None
            unusable[OPACITIES] = str(error)
            problems.append(Problem("error", f"The mask is not shown. {error}", (mask.name,)))
        else:
            shown.append(Mask(OPACITIES, binary.labels, segments))
            problems += _other_values(binary, segments)
    if split is not None:
        try:
            types = _split_of(binary, split)
        except ReadError as error:
            unusable[TYPES] = str(error)
            problems.append(
                Problem("error", f"The split mask is not shown. {error}", (split.name,))
            )
    if binary is not None and types is not None and types.values:  # an empty one was taken back
        effective = told_apart(binary.labels, types.labels)
        shown.append(Mask(TYPES, effective, KINDS, splits=OPACITIES))
        problems += _disagreement(types, effective)
    return CaseMasks(binary, types, tuple(shown), tuple(problems), unusable)


def told_apart(binary: Labels, split: Labels) -> npt.NDArray[np.uint8]:
    """The split (Z, Y, X) as far as it agrees with the binary mask."""
    inside = np.where(split == 0, NOT_TOLD_APART.value, split)
    effective: npt.NDArray[np.uint8] = np.where(binary != 0, inside, 0).astype(np.uint8)
    return effective


def check_agreement(reading: Reading) -> None:
    """Refuse a reading whose two masks do not mark the same voxels.

    Raises
    ------
    SaveError
        when they do not, or the split has no mask to split.
    """
    split = mask_named(reading.masks, TYPES)
    if split is None:
        return
    binary = mask_named(reading.masks, OPACITIES)
    if binary is None or binary.labels.shape != split.labels.shape:
        raise SaveError(f"{TYPES} splits {OPACITIES}, which is missing. Nothing was written.")
    differs = int(np.count_nonzero((binary.labels == 1) != (split.labels != 0)))
    if differs:
        raise SaveError(
            f"{OPACITIES} and {TYPES} mark different voxels, {differs:,} of them: the first has to "
            "be 1 exactly where the second is not 0. Nothing was written."
        )


def offers(reading: Reading, own: CaseMasks) -> tuple[MaskOffer, ...]:
    """What may be added to a reading; nothing over a file that is there but cannot be used."""
    binary = mask_named(reading.masks, OPACITIES)
    if binary is None:
        return () if OPACITIES in own.unusable else (BEGIN,)
    taken = TYPES in own.unusable or mask_named(reading.masks, TYPES) is not None
    return () if taken or binary.segments != (LESION,) else (SPLIT,)


def _labels_on(path: Path, study: NiftiHeader | None) -> LabelFile:
    labels = read_labels(path)
    if study is not None and (differs := same_grid(labels.header, study)):
        raise ReadError(path, f"expected a mask on the grid of its study. {differs}")
    return labels


def _segments(binary: LabelFile) -> tuple[Segment, ...]:
    others = [value for value in binary.values if value != LESION.value]
    if len(others) > _MOST_VALUES:
        raise ReadError(
            binary.header.path, f"expected a mask of 0 and 1, found {len(others):,} other values."
        )
    return (LESION, *(findings.OTHER.segment(value, f"value {value}") for value in others))


def _other_values(binary: LabelFile, segments: tuple[Segment, ...]) -> list[Problem]:
    others = ", ".join(str(segment.value) for segment in segments[1:])
    if not others:
        return []
    text = f"Expected a mask of 0 and 1, found {others} too; shown under their numbers."
    return [Problem("warning", text, (binary.header.path.name,))]


def _split_of(binary: LabelFile | None, path: Path) -> LabelFile:
    if binary is None:
        raise ReadError(path, "the mask that it splits cannot be shown.")
    if set(binary.values) - {LESION.value}:
        raise ReadError(path, "the mask that it splits holds other values than 0 and 1.")
    split = _labels_on(path, binary.header)
    if others := set(split.values) - {segment.value for segment in KINDS}:
        raise ReadError(path, f"expected the values 1 to {len(KINDS)}, found {max(others)}.")
    return split


def _disagreement(split: LabelFile, effective: Labels) -> list[Problem]:
    differs = int(np.count_nonzero(split.labels != effective))
    if not differs:
        return []
    text = (
        f"The split mask and the mask disagree on {differs:,} voxels; the mask is right: what it "
        f"lacks is not shown, what the split lacks is {NOT_TOLD_APART.name.casefold()}."
    )
    return [Problem("warning", text, (split.header.path.name,))]
