"""Correcting slice labels: what keys, grid and strip ask for becomes an edit of the session."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_chest.changes import slice_ranges
from napari_chest.ui.keys import LOBE_KEYS

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from napari_chest.model import SliceLabels
    from napari_chest.ui.canvas import Canvas
    from napari_chest.ui.session import Session
    from napari_chest.ui.workbench import Workbench


class Labelling:
    """Edits the slice table on screen, on the slice shown or from the mark to it."""

    def __init__(self, session: Session, bench: Workbench, canvas: Canvas) -> None:
        self._session = session
        self._bench = bench
        self._canvas = canvas
        self._mark: int | None = None
        self._used = False
        bench.grid.slice_requested.connect(self._on_slice_requested)
        bench.grid.range_requested.connect(self._on_range_requested)
        bench.grid.cells_requested.connect(self._on_cells_requested)
        canvas.strip_edited.connect(self._on_strip_edited)
        canvas.cell_clicked.connect(self._on_cell_clicked)
        canvas.slice_changed.connect(self._on_slice)

    def actions(self) -> dict[str, Callable[[], Any]]:
        """What the keys of `keys.KEYS` do to labels."""
        return {
            "mark": self._toggle_mark,
            "copy_previous": self._copy_previous,
            "infected_next": partial(self._step_infected, 1),
            "infected_previous": partial(self._step_infected, -1),
            **{f"only_{i}": partial(self._only, i) for i in range(LOBE_KEYS)},
        }

    def forget_mark(self) -> None:
        """Work on the slice shown alone again."""
        self._set_mark(None)

    # What the widgets ask for

    def _on_slice_requested(self, z: int) -> None:
        self._set_mark(None)
        self._canvas.go_to(z)

    def _on_slice(self) -> None:
        # A range serves several keys in a row, but must not lie in wait for the next slice.
        if self._used:
            self._set_mark(None)

    def _on_range_requested(self, z: int) -> None:
        if self._mark is None:
            self._set_mark(self._canvas.slice)
        self._canvas.go_to(z)

    def _on_cells_requested(self, rows: list[int], column: int, value: bool) -> None:
        self._set(rows, self._columns()[column], value)
        if self._canvas.slice not in rows:
            self._canvas.go_to(rows[0])

    def _on_cell_clicked(self, z: int, column: int) -> None:
        labels = self._labels
        if labels is not None:
            self._set([z], labels.columns[column], not bool(labels.values[z, column]))

    def _on_strip_edited(self, values: npt.NDArray[np.bool_]) -> None:
        labels = self._labels
        if labels is None:
            return
        slices = np.flatnonzero((values != labels.values).any(axis=1))
        if len(slices):
            self._session.edit(f"paint on slices {slice_ranges(slices.tolist())}", values)
        else:
            self._canvas.update_strip(labels.values)

    # What the keys do

    @property
    def _labels(self) -> SliceLabels | None:
        return self._session.draft.labels if self._session.draft else None

    def _columns(self) -> tuple[str, ...]:
        return self._labels.columns if self._labels else ()

    def _range(self) -> list[int]:
        z = self._canvas.slice
        mark = z if self._mark is None else self._mark
        return list(range(min(mark, z), max(mark, z) + 1))

    def toggle(self, column: int) -> None:
        """Set or clear a column on the slice shown, or from the mark to it."""
        labels = self._labels
        if labels is None or column >= len(labels.columns) or not self._sees_slice():
            return
        rows, name = self._range(), labels.columns[column]
        now = labels.values[rows, column]
        # The any-column cannot be set by itself, so what it can do is clear.
        every = now.any() if name == labels.any_column else now.all()
        self._set(rows, name, not every)
        self._used = True

    def _only(self, column: int) -> None:
        if column < len(self._columns()) and self._sees_slice():
            self._session.set_only(self._range(), self._columns()[column])
            self._used = True

    def _copy_previous(self) -> None:
        if not self._sees_slice():
            return
        rows = self._range()
        if rows[0] == 0:
            self._bench.show_message("The first slice has no slice before it.")
        else:
            self._session.copy_from(rows[0] - 1, rows)
            self._used = True

    def _toggle_mark(self) -> None:
        self._set_mark(self._canvas.slice if self._mark is None else None)

    def _step_infected(self, direction: int) -> None:
        draft, labels = self._session.draft, self._labels
        if draft is None:
            return
        found = [mask.labels.any(axis=(1, 2)) for mask in draft.masks()]
        found += [labels.values.any(axis=1)] if labels is not None else []
        infected = np.flatnonzero(np.any(found, axis=0)) if found else np.empty(0, np.intp)
        z = self._canvas.slice
        beyond = infected[infected > z] if direction > 0 else infected[infected < z][::-1]
        if len(beyond):
            self._canvas.go_to(int(beyond[0]))
        else:
            self._bench.show_message("No infected or annotated slice further on.")

    # Steps of these

    def _sees_slice(self) -> bool:
        """Whether the slice that keys would edit is the one on screen; says so where it is not."""
        if self._canvas.volume is None:
            self._bench.show_message("The image was removed. Open the case again to edit.", "bad")
        elif not self._canvas.axial:
            self._bench.show_message(
                "Keys edit the slice of the axial view. Here, click the bars or the table."
            )
        else:
            return True
        return False

    def _set(self, rows: list[int], column: str, value: bool) -> None:
        labels = self._labels
        edit = self._session.set_cells(rows, column, value)
        if edit is None and value and labels is not None and labels.any_column == column:
            text = f"A slice is {column} when one of its lobes is: mark the lobe."
            self._bench.show_message(text)

    def _set_mark(self, z: int | None) -> None:
        self._mark, self._used = z, False
        self._bench.grid.show_mark(z)
