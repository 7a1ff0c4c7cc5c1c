"""The slice table against the masks, and against its own rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_chest.review.contradictions.seen import Seen, infection_values, slices_told
from napari_chest.review.contradictions.words import SetCells, SetVoxels

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from napari_chest.model import SliceLabels
    from napari_chest.review.contradictions.seen import Flags
    from napari_chest.review.contradictions.words import Contradiction, Fix


def check_rule(seen: Seen) -> Iterator[Contradiction]:
    """Slices whose column for any is not true exactly where another one is."""
    table = seen.reading.slice_labels
    if table is None or table.any_column is None:
        return
    index = table.columns.index(table.any_column)
    others = _any(np.delete(table.values, index, axis=1))
    wrong = [int(z) for z in np.flatnonzero(table.values[:, index] != others)]
    if not wrong:
        return
    cells = tuple((z, table.any_column, bool(others[z])) for z in wrong)
    text = (
        f"{slices_told(wrong).capitalize()}: {table.any_column} is not what the other columns say. "
        f"{_both_ways(table.any_column, wrong, others)}"
    )
    fix = SetCells(f"Set {table.any_column} by the other columns", cells)
    yield seen.found("slice rule", text, fix, slice=wrong[0])


def check_labelled(seen: Seen) -> Iterator[Contradiction]:
    """Slices that are labelled and show no lesion, where the reading has both."""
    for table, lesions in _both(seen):
        empty = [int(z) for z in np.flatnonzero(_any(table.values) & ~lesions)]
        if empty:
            told = slices_told(empty)
            text = f"{told.capitalize()}: labelled {_what(table, empty)}, and no lesion is drawn."
            cells = tuple((z, column, False) for z in empty for column in table.columns)
            yield seen.found(
                "slice without lesion", text, SetCells(f"Clear {told}", cells), slice=empty[0]
            )


def check_clean(seen: Seen) -> Iterator[Contradiction]:
    """Slices with a lesion that are labelled clean, where the reading has both."""
    for table, lesions in _both(seen):
        clean = [int(z) for z in np.flatnonzero(~_any(table.values) & lesions)]
        if not clean:
            continue
        told = slices_told(clean)
        text = f"{told.capitalize()}: a lesion is drawn, and no column says so."
        fixes: list[Fix] = []
        if len(table.columns) == 1:  # of several, nobody can say from here which is meant
            column = table.columns[0]
            cells = tuple((z, column, True) for z in clean)
            fixes.append(SetCells(f"Mark {told} {column}", cells))
        if len(seen.infected) == 1 and seen.reading.masks:
            fixes.append(_cleared(seen, clean))
        yield seen.found("lesion on clean slice", text, *fixes, slice=clean[0])


def _both(seen: Seen) -> Iterator[tuple[SliceLabels, Flags]]:
    """The table, and on which slices (Z,) a lesion is drawn; nothing without either.

    A reading without masks is held against the only other one that has them and no table of its
    own: a dataset may keep the two kinds apart.
    """
    table = seen.reading.slice_labels
    if table is None:
        return
    drawn = seen
    if not seen.infected:
        others = [one for one in seen.readings if one.masks and one.slice_labels is None]
        if seen.alone or len(others) != 1:
            return
        drawn = Seen(seen.dataset, seen.case, others[0])
    infection = drawn.infection
    if infection is not None and len(infection) == len(table.values) and drawn.has_infection:
        yield table, np.count_nonzero(infection, axis=(1, 2)) > 0


def _cleared(seen: Seen, slices: Sequence[int]) -> SetVoxels:
    mask = seen.infected[0]
    first, last = slices[0], slices[-1] + 1
    box = (slice(first, last), *(slice(0, length) for length in mask.labels.shape[1:]))
    on = np.zeros(last - first, np.bool_)
    on[[z - first for z in slices]] = True
    where = np.isin(mask.labels[box], infection_values(mask)) & on[:, None, None]
    return SetVoxels(f"Erase the lesion on {slices_told(slices)}", mask.name, box, where)


def _what(table: SliceLabels, slices: Sequence[int]) -> str:
    used = _any(table.values[list(slices)].T)
    return ", ".join(name for name, is_used in zip(table.columns, used, strict=True) if is_used)


def _any(rows: Flags) -> Flags:
    """Which rows (N,) of a table have anything True."""
    found: Flags = np.count_nonzero(rows, axis=1) > 0
    return found


def _both_ways(column: str, wrong: Sequence[int], others: Flags) -> str:
    """Which slices are ``column`` alone, and which only by the others."""
    alone = [z for z in wrong if not others[z]]
    missing = [z for z in wrong if others[z]]
    told = []
    if alone:
        told.append(f"{slices_told(alone).capitalize()}: {column} without any other.")
    if missing:
        told.append(f"{slices_told(missing).capitalize()}: another without {column}.")
    return " ".join(told)
