"""Which column of the label arrays belongs to which slice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_chest.model import Problem

if TYPE_CHECKING:
    import numpy.typing as npt

    from napari_chest.files.dicom import Series

_MOST_SLICES = 10_000
"""Instance Numbers above this do not count slices."""


def label_columns(series: Series) -> tuple[npt.NDArray[np.intp], Problem | None]:
    """Array column (Z,) of each display slice, and what a person should know about it.

    Column k is the k-th slice of the published series from head to feet, which is its Instance
    Number less one. A complete series gives 0, 1, 2, ... either way. Where slices are missing, the
    Instance Numbers keep the rest in place, provided they run from head to feet like the positions.
    """
    by_position = np.arange(len(series.slices))
    numbers = [s.instance_number for s in series.slices]
    if any(n is None or not 1 <= n <= _MOST_SLICES for n in numbers):
        return by_position, None
    by_number = np.array(numbers, dtype=np.intp) - 1
    if np.array_equal(by_number, by_position):
        return by_position, None
    if (np.diff(by_number) > 0).all():
        absent = np.setdiff1d(np.arange(by_number[-1] + 1), by_number) + 1
        text = (
            f"Instance Numbers skip {', '.join(map(str, absent[:5]))}"
            f"{' and more' if len(absent) > 5 else ''}: labels are matched by Instance Number, so "
            "those of the missing slices are kept and the others stay on their slices."
        )
        return by_number, Problem("warning", text)
    text = (
        "Instance Numbers do not run from head to feet: labels are matched to slices by position."
    )
    return by_position, Problem("warning", text)
