"""What the checks look at: one reading of a case, its lesions, and what else is known."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_chest.changes import slice_ranges
from napari_chest.findings import (
    ATELECTASIS,
    CAVITY,
    CONSOLIDATION,
    CRAZY_PAVING,
    GROUND_GLASS,
    GROUND_GLASS_AND_CONSOLIDATION,
    INTERSTITIAL,
    INVERTED_HALO,
    NODULAR_CONSOLIDATION,
    OPACITY,
    TREE_IN_BUD,
    VASCULAR_THICKENING,
)
from napari_chest.review.contradictions.words import Contradiction
from napari_chest.tools.base import never

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import numpy.typing as npt

    from napari_chest.datasets import Dataset
    from napari_chest.model import CaseInfo, FactGroup, Level, Mask, Question, Reading, Volume
    from napari_chest.review.contradictions.words import Fix
    from napari_chest.review.words import Voxel

    Flags = npt.NDArray[np.bool_]

_INFECTION = {
    one.code
    for one in (
        GROUND_GLASS,
        CONSOLIDATION,
        GROUND_GLASS_AND_CONSOLIDATION,
        CRAZY_PAVING,
        INVERTED_HALO,
        OPACITY,
        TREE_IN_BUD,
        CAVITY,
    )
}
"""Findings that are signs of an infection."""
_IN_LUNGS = _INFECTION | {
    one.code for one in (INTERSTITIAL, VASCULAR_THICKENING, NODULAR_CONSOLIDATION, ATELECTASIS)
}
"""Findings that lie in the lungs; an effusion, or what nobody named, may lie elsewhere."""
_NOT_INFECTIOUS = "noninfectious"


class Seen:
    """One reading of a case, as it stands.

    Parameters
    ----------
    dataset, case : where it is from.
    reading : the reading.
    readings : all of the case that may be looked at, this one among them.
    volume : the image, complete; None where it was not opened.
    lungs : (Z, Y, X), 1 in the right lung and 2 in the left one; None where they are not known.
    alone : whether nothing but the reading itself may be looked at, as in a blind round.
    stopped : whether somebody has asked to stop.
    """

    def __init__(
        self,
        dataset: Dataset,
        case: CaseInfo,
        reading: Reading,
        readings: Sequence[Reading] = (),
        volume: Volume | None = None,
        lungs: npt.NDArray[Any] | None = None,
        *,
        alone: bool = False,
        stopped: Callable[[], bool] = never,
    ) -> None:
        self.dataset = dataset
        self.case = case
        self.reading = reading
        self.readings = readings or (reading,)
        self.volume = volume
        self.lungs = lungs
        self.alone = alone
        self.stopped = stopped

    # What is said

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """What the reading was asked."""
        return tuple(q for q in self.dataset.questions if q.key in self.reading.answers)

    @cached_property
    def about(self) -> tuple[FactGroup, ...]:
        """What is known of the case; nothing where the reading stands alone."""
        return () if self.alone else self.dataset.about(self.case.id)

    # What is drawn

    @cached_property
    def masks(self) -> tuple[Mask, ...]:
        """The masks that can be corrected: no aids, and none that another one tells apart."""
        return drawn(self.reading)

    @cached_property
    def infected(self) -> tuple[Mask, ...]:
        """The masks that have room for signs of an infection."""
        return tuple(mask for mask in self.masks if infection_values(mask))

    @cached_property
    def infection(self) -> Flags | None:
        """(Z, Y, X) where signs of an infection are drawn; None where no mask has room for any."""
        return united((mask, infection_values(mask)) for mask in self.infected)

    @cached_property
    def lesions(self) -> Flags | None:
        """(Z, Y, X) where anything is drawn that lies in the lungs; None without such a mask."""
        if all(lung_values(mask) == infection_values(mask) for mask in self.masks):
            return self.infection
        return united((mask, lung_values(mask)) for mask in self.masks if lung_values(mask))

    @cached_property
    def has_infection(self) -> bool:
        """Whether a sign of an infection is drawn."""
        return self.infection is not None and bool(self.infection.any())

    @property
    def labels_of_grid(self) -> bool:
        """Whether the image and the masks have one shape."""
        return self.volume is not None and all(
            mask.labels.shape == self.volume.grid.shape for mask in self.masks
        )

    # What is found

    def found(
        self,
        kind: str,
        text: str,
        *fixes: Fix,
        level: Level = "warning",
        mask: str = "",
        voxel: Voxel | None = None,
        slice: int | None = None,  # noqa: A002
    ) -> Contradiction:
        """A contradiction of this reading."""
        at = voxel[0] if voxel is not None else slice
        return Contradiction(
            kind, level, text, self.case.id, self.reading.reader, mask, voxel, at, fixes
        )


def drawn(reading: Reading) -> tuple[Mask, ...]:
    """The masks of a reading that can be corrected."""
    told_apart = {mask.splits for mask in reading.masks if mask.splits}
    return tuple(m for m in reading.masks if not m.aid and m.name not in told_apart)


def infection_values(mask: Mask) -> tuple[int, ...]:
    """The values of a mask that stand for signs of an infection."""
    return tuple(
        one.value
        for one in mask.segments
        if one.code in _INFECTION and _NOT_INFECTIOUS not in one.name.casefold()
    )


def lung_values(mask: Mask) -> tuple[int, ...]:
    """The values of a mask that stand for what lies in the lungs."""
    return tuple(one.value for one in mask.segments if one.code in _IN_LUNGS)


def where(mask: Mask, values: Iterable[int]) -> Flags:
    """(Z, Y, X) where a mask has one of some values."""
    table = np.zeros(np.iinfo(mask.labels.dtype).max + 1, np.bool_)
    table[list(values)] = True
    flags: Flags = table[mask.labels]
    return flags


def united(parts: Iterable[tuple[Mask, Iterable[int]]]) -> Flags | None:
    """(Z, Y, X) where any of the masks has one of its values; None without a mask."""
    flags: Flags | None = None
    for mask, values in parts:
        here = where(mask, values)
        if flags is None:
            flags = here
        elif flags.shape == here.shape:
            flags |= here
    return flags


def middle_of(flags: Flags) -> Voxel:
    """A voxel amid those that are True (Z, Y, X), of which there is one: on the fullest slice."""
    z = int(np.argmax(np.count_nonzero(flags, axis=(1, 2))))
    places = np.argwhere(flags[z])
    away = ((places - places.mean(axis=0)) ** 2).sum(axis=1)
    y, x = (int(v) for v in places[int(np.argmin(away))])
    return z, y, x


def slices_told(slices: Sequence[int]) -> str:
    """``slice 4`` or ``slices 4-6, 9``, as people count them."""
    return f"{'slice' if len(slices) == 1 else 'slices'} {slice_ranges(slices)}"
