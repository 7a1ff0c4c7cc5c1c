"""Annotations of a case's slices as patches of pixels, and these as masks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from napari_chest.datasets.ricord.findings import segment_of
from napari_chest.datasets.ricord.readers import Reader
from napari_chest.files.mdai import mask_of
from napari_chest.model import Mask

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy.typing as npt

    from napari_chest.datasets.ricord.findings import GroupLabels
    from napari_chest.files.mdai import MdaiAnnotation, MdaiFile
    from napari_chest.model import Grid

    Pixels = npt.NDArray[np.bool_]

Rule = Literal["fillpoly", "center"]

RULE: Rule = "fillpoly"
"""How rings become pixels unless told otherwise: as ``cv2.fillPoly`` draws truncated vertices."""


@dataclass(frozen=True, eq=False)
class Patch:
    """One annotation as it is drawn on a slice.

    Attributes
    ----------
    annotation : the annotation.
    y, x : where the patch begins on the slice.
    pixels : (H, W) bool.
    """

    annotation: MdaiAnnotation
    y: int
    x: int
    pixels: npt.NDArray[np.bool_]

    @property
    def box(self) -> tuple[slice, slice]:
        """The rows and columns of the slice that the patch covers."""
        height, width = self.pixels.shape
        return slice(self.y, self.y + height), slice(self.x, self.x + width)


@dataclass(frozen=True, eq=False)
class Drawing:
    """What an export draws on the slices of one case.

    Attributes
    ----------
    patches : of every reader, label and slice on which something is drawn.
    hidden : annotations on slices of the case that cannot be drawn, by why not.
    """

    patches: Mapping[tuple[Reader, str, int], list[Patch]] = field(default_factory=dict)
    hidden: Mapping[str, list[MdaiAnnotation]] = field(default_factory=dict)

    def slices_of(self, reader: Reader, label: str) -> list[int]:
        """The slices on which a reader drew something of a label."""
        return sorted(z for one, other, z in self.patches if (one, other) == (reader, label))

    def of(self, reader: Reader, label: str, z: int) -> list[Patch]:
        """What a reader drew of a label on a slice."""
        return self.patches.get((reader, label, z), [])


def draw(file: MdaiFile, grid: Grid, rule: Rule) -> Drawing:
    """Draw every annotation of the slices of a grid; joined by SOP Instance UID alone."""
    patches: dict[tuple[Reader, str, int], list[Patch]] = {}
    hidden: dict[str, list[MdaiAnnotation]] = {}
    size = (grid.shape[1], grid.shape[2])
    for z, sop_uid in enumerate(grid.slice_ids):
        for annotation in file.of_sop(sop_uid):
            label = file.labels.get(annotation.label_id)
            if label is None:
                hidden.setdefault("its label is not defined", []).append(annotation)
                continue
            found = _drawn(annotation, size, rule)
            if isinstance(found, Patch):
                reader = Reader(label.group, annotation.creator)
                patches.setdefault((reader, label.id, z), []).append(found)
            else:
                hidden.setdefault(found, []).append(annotation)
    return Drawing(patches, hidden)


def union_of(patches: Iterable[Patch], size: tuple[int, int]) -> Pixels:
    """Where any of the patches is, (Y, X) bool."""
    union = np.zeros(size, dtype=np.bool_)
    for patch in patches:
        union[patch.box] |= patch.pixels
    return union


def masks(
    drawing: Drawing, reader: Reader, labels: GroupLabels, shape: tuple[int, int, int]
) -> tuple[Mask, ...]:
    """What a reader drew, a mask for every label; overlaps are in both."""
    found = {}
    for (one, label, z), patches in drawing.patches.items():
        if one != reader or label not in labels.drawn:
            continue
        if label not in found:
            found[label] = np.zeros(shape, dtype=np.uint8)
        for patch in patches:
            found[label][z][patch.box] |= patch.pixels.view(np.uint8)
    return tuple(
        Mask(labels.drawn[label.id], found[label.id], (segment_of(label),))
        for label in labels.group.labels
        if label.id in found
    )


def _drawn(annotation: MdaiAnnotation, size: tuple[int, int], rule: Rule) -> Patch | str:
    """The patch of an annotation, or why there is none."""
    told = annotation.height, annotation.width
    if None not in told and told != size:
        return (
            f"it is meant for an image of {told[0]} rows and {told[1]} columns, this one has "
            f"{size[0]} and {size[1]}"
        )
    if annotation.draws_nothing:
        return "it says nothing of where"
    shape = annotation.shape
    if shape.kind == "unknown":
        return shape.fault
    y, x, pixels = mask_of(shape, size, rule)
    return Patch(annotation, y, x, pixels) if pixels.any() else "it is outside of the image"
