"""Every reading of a case that somebody may see and that its reader is done with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_chest.review.casework import case_readings

if TYPE_CHECKING:
    from napari_chest.datasets import Dataset
    from napari_chest.model import Reading
    from napari_chest.review.casework import Seat, Shape


@dataclass(frozen=True)
class Done:
    """Readings that can be held against each other.

    Attributes
    ----------
    readings : the dataset's own first.
    blind : why others are hidden; empty where all are there.
    problems : why something is left out.
    """

    readings: tuple[Reading, ...]
    blind: str = ""
    problems: tuple[str, ...] = ()


def readings_of(dataset: Dataset, seat: Seat | None, case: str, shape: Shape) -> Done:
    """The readings of a case, the dataset's own and those that were submitted.

    May wait for the store.

    Parameters
    ----------
    dataset, case : the case, by its id.
    seat : who looks; None where nothing but the dataset is known.
    shape : (Z, Y, X), of its volume.

    Raises
    ------
    ReadError
        when the dataset's readings cannot be read.
    """
    if seat is None:
        return Done(dataset.readings(case))
    found = case_readings(dataset, case, shape, seat)
    if found.blind:
        return Done((), found.blind)
    # One's own reading stands there from the beginning, also where it says nothing yet.
    submitted = {one.name for one in seat.desk.readings(case)}
    done = tuple(
        one for one in found.readings if one.reader not in found.kept or one.reader in submitted
    )
    problems = tuple(problem.text for problem in found.problems)
    return Done(done, "", problems)
