"""One case's row of a label pair: read onto slices, checked, patched; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_chest.errors import SaveError
from napari_chest.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from napari_chest.datasets.covid_ct_md.labels import LabelPair
    from napari_chest.model import Reading


def on_slices(row: npt.NDArray[np.bool_], columns: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
    """Table values (Z, C) of a row (array columns, C), given each slice's array column (Z,)."""
    values = np.zeros((len(columns), row.shape[1]), dtype=np.bool_)
    inside = columns < len(row)
    values[inside] = row[columns[inside]]
    return values


def unusable(row: npt.NDArray[np.float64]) -> str | None:
    """The values other than 0 and 1 in a stored row, as text; None where there are none."""
    other = row[(row != 0) & (row != 1)]
    return None if not other.size else ", ".join(f"{v:g}" for v in np.unique(other)[:5])


def same(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Where two stored rows are equal, NaN being equal to NaN."""
    equal: npt.NDArray[np.bool_] = (a == b) | (np.isnan(a) & np.isnan(b))
    return equal


def with_reading(
    pair: LabelPair, row: int, columns: npt.NDArray[np.intp], reading: Reading, case_id: str
) -> LabelPair:
    """The pair with a case's row brought to a reading; cells that say so already keep their bytes.

    Raises
    ------
    SaveError
        when the row cannot hold the reading, or holds what would be lost.
    """
    table = reading.slice_labels
    if table is None or table.columns != pair.columns:
        raise SaveError(
            f"Label version {reading.reader} has the columns {', '.join(pair.columns)}, the labels "
            f"of {case_id} have others. Nothing was written."
        )
    if other := unusable(pair.row(row)):
        raise SaveError(
            f"{case_id} has values other than 0 and 1 in label version {reading.reader} "
            f"({other}), which would be lost. Nothing was written."
        )
    if len(table.values) != len(columns):
        raise SaveError(
            f"{case_id} has {len(columns)} slices, the labels are for {len(table.values)}. "
            "Nothing was written."
        )
    inside = columns < pair.shape[1]
    if table.values[~inside].any():
        raise SaveError(
            f"The label arrays have room for {pair.shape[1]} slices and {case_id} has labels "
            "beyond them. Nothing was written."
        )
    return _patch_differing(pair, row, columns[inside], table.values[inside])


def row_problems(pair: LabelPair, row: int, columns: npt.NDArray[np.intp]) -> Iterator[Problem]:
    """What a person should know of a case's row before working on it."""
    stored = pair.row(row)
    files = tuple(pair.files)
    if other := unusable(stored):
        text = (
            f"Label version {pair.version} of this case is not shown: expected 0 and 1 only, "
            f"found {other} in row {row}."
        )
        yield Problem("error", text, files)
        return
    beyond = np.setdiff1d(np.arange(len(stored)), columns)
    if stored[beyond].any():
        text = (
            f"Label version {pair.version} has labels in columns without a slice; they are kept "
            "as they are and cannot be shown."
        )
        yield Problem("warning", text, files)
    if (columns >= len(stored)).any():
        text = f"The label arrays end at slice {len(stored)}; the slices below cannot be labelled."
        yield Problem("warning", text, files)
    if pair.slice_name and pair.lobe_name:
        wrong = np.flatnonzero(stored[:, -1] != stored[:, :-1].any(axis=1))
        if len(wrong):
            text = (
                f"In label version {pair.version} {len(wrong)} slices are infected without a lobe "
                "or the reverse; they stay so until they are edited."
            )
            yield Problem("warning", text, files)


def _patch_differing(
    pair: LabelPair, row: int, columns: npt.NDArray[np.intp], values: npt.NDArray[np.bool_]
) -> LabelPair:
    # Only rows that say something else are rewritten, so that an untouched cell keeps its bytes.
    differs = (values != (pair.row(row)[columns] != 0)).any(axis=1)
    return pair.patched(row, columns[differs], values[differs]) if differs.any() else pair
