"""The table of checks, and all of them on a case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_chest.errors import StoppedError
from napari_chest.review.contradictions import (
    appearance,
    category,
    outside,
    sides,
    slices,
    values,
)
from napari_chest.review.contradictions.seen import Seen, drawn, lung_values, where
from napari_chest.tools.base import ToolError, never
from napari_chest.tools.lungs import lungs as tools_lungs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy.typing as npt

    from napari_chest.datasets import Dataset
    from napari_chest.model import CaseInfo, Reading, Volume
    from napari_chest.review.contradictions.words import Contradiction

Needs = Literal["nothing", "image", "lungs"]

_AXIAL = 0.9
"""Cosine from which a display axis runs as it does in an axial series."""


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes
    ----------
    title : what it is about, in a few words.
    run : finds what contradicts itself in one reading.
    needs : what it cannot do without; it is left out where that is not there.
    """

    title: str
    run: Callable[[Seen], Iterator[Contradiction]]
    needs: Needs = "nothing"


CHECKS: tuple[Check, ...] = (
    Check("category and an empty or a filled mask", category.check_mask),
    Check("category and share of the lungs", category.check_share, "lungs"),
    Check("exam labels against each other", appearance.check_labels),
    Check("exam labels and opacities", appearance.check_opacity),
    Check("slice labels against each other", slices.check_rule),
    Check("labelled slices without a lesion", slices.check_labelled),
    Check("lesions on slices that are not labelled", slices.check_clean),
    Check("values that no segment names", values.check_values),
    Check("lesions outside the lungs", outside.check_outside, "lungs"),
    Check("sides in texts", sides.check_text, "image"),
    Check("sides in notes", sides.check_notes, "image"),
    Check("sides of lobes", sides.check_columns, "image"),
)
VERSION = 1
"""Of the checks: grows when one of them would find something else, so that all is checked anew."""


def find(
    dataset: Dataset,
    case: CaseInfo,
    readings: Sequence[Reading],
    volume: Volume | None = None,
    lungs: npt.NDArray[Any] | None = None,
    stopped: Callable[[], bool] = never,
    *,
    alone: bool = False,
) -> list[Contradiction]:
    """What contradicts itself in a case, by reading and in the order of the checks.

    Parameters
    ----------
    dataset, case : the case.
    readings : as they stand; those that are not given are not looked at.
    volume : the image, complete; checks that need it are left out without.
    lungs : (Z, Y, X), 1 right and 2 left, likewise.
    stopped : whether somebody has asked to stop.
    alone : whether a reading may be held against itself only, as in a blind round.

    Raises
    ------
    StoppedError
        when somebody has asked to stop.
    """
    has = {"nothing": True, "image": volume is not None, "lungs": lungs is not None}
    found: list[Contradiction] = []
    for reading in readings:
        seen = Seen(dataset, case, reading, readings, volume, lungs, alone=alone, stopped=stopped)
        for check in CHECKS:
            if stopped():
                raise StoppedError("Stopped; contradictions are looked for no further.")
            if has[check.needs]:
                found += check.run(seen)
    return found


def wants_image(readings: Sequence[Reading]) -> bool:
    """Whether there is anything to hold against an image: a lesion that is drawn."""
    return any(
        where(mask, lung_values(mask)).any()
        for reading in readings
        for mask in drawn(reading)
        if lung_values(mask)
    )


def find_lungs(volume: Volume, stopped: Callable[[], bool] = never) -> npt.NDArray[np.uint8] | None:
    """The lungs (Z, Y, X) of an axial CT, 1 right and 2 left; None where there are none to find.

    Raises
    ------
    StoppedError
        when somebody has asked to stop.
    """
    if volume.modality != "CT" or not _is_axial(volume):
        return None
    try:
        return tools_lungs(volume.voxels, volume.grid.spacing, stopped).labels
    except ToolError:  # no lungs in it, such as where the image is not there
        return None


def _is_axial(volume: Volume) -> bool:
    """Whether display axes run as `tools.lungs` expects, as far as the files tell."""
    if not volume.grid.placed:
        return True
    directions = volume.grid.affine[:3, :3] / np.linalg.norm(volume.grid.affine[:3, :3], axis=0)
    # Columns are the directions of z, y and x: feet, back and left.
    return bool(
        -directions[2, 0] > _AXIAL and directions[1, 1] > _AXIAL and directions[0, 2] > _AXIAL
    )
