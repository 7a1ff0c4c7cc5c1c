"""The rule that a slice table keeps while it is edited; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from napari_chest.model import SliceLabels


def settle(labels: SliceLabels, wanted: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The values (Z, C) nearest to the wanted ones that keep ``any_column`` true to its name.

    Only rows that differ from ``labels`` are touched. Where another column changed, the any-column
    follows. Where only the any-column was cleared, the others are cleared with it. Where only it
    was set, it falls back: nobody can say from it which of the others is meant.
    """
    settled = wanted.copy()
    if labels.any_column is None:
        return settled
    any_index = labels.columns.index(labels.any_column)
    others = [i for i in range(len(labels.columns)) if i != any_index]
    changed = wanted != labels.values
    cleared = changed[:, any_index] & ~wanted[:, any_index] & ~changed[:, others].any(axis=1)
    settled[np.ix_(cleared, others)] = False
    touched = changed.any(axis=1)
    settled[touched, any_index] = settled[touched][:, others].any(axis=1)
    return settled
