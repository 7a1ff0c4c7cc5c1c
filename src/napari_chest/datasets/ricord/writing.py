"""A case's readings brought into an export, with the proof that they read back as they were."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from napari_chest.datasets.ricord.corrections import (
    State,
    check_reading,
    differing,
    edits_of,
    is_as_in,
    members,
)
from napari_chest.datasets.ricord.drawing import draw
from napari_chest.datasets.ricord.restoring import are_alike, restored
from napari_chest.errors import SaveError
from napari_chest.files.mdai import Add, Delete, parse_mdai

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_chest.datasets.ricord.corrections import Place, Unit
    from napari_chest.files.mdai import MdaiEdit, MdaiFile
    from napari_chest.model import Reading


def checked_out(root: Path, out: Path) -> Path:
    """``out`` as an absolute path, or the root itself; refuses a folder inside the root."""
    out = out.absolute()
    if out.resolve() == root.resolve():
        return root
    if out.resolve().is_relative_to(root.resolve()):
        raise SaveError(
            f"{out} lies inside the dataset, which is only changed by writing back into it. "
            "Nothing was written; choose a folder outside it."
        )
    return out


def corrected(place: Place, reading: Reading, standing: State, original: State | None) -> State:
    """An export that says of a case what a reading says; the same where it does already.

    What is to stand as the original has it gets the original's bytes.

    Raises
    ------
    SaveError
        when the export has no room for it, or it would not be read back as it is.
    """
    check_reading(place, reading)
    units = differing(place, reading, standing)
    if not units:
        return standing
    state = standing
    if original is not None:
        taken_back = [unit for unit in units if is_as_in(place, unit, original)]
        state = _taken_back(place, taken_back, state, original)
        units = differing(place, reading, state) if state is not standing else units
    edits = [edit for unit in units for edit in edits_of(place, unit, state)]
    state = _edited(place, edits, state)
    if differing(place, reading, state):
        raise SaveError(
            f"{place.case.title}: what was written would not be read back as it was painted, so "
            "nothing was written. Please report this."
        )
    return state


def state_of(file: MdaiFile, place: Place) -> State:
    """An export as it speaks of a case."""
    return State(file, None if place.grid is None else draw(file, place.grid, place.rule))


def _taken_back(place: Place, units: Sequence[Unit], state: State, original: State) -> State:
    if not units or not are_alike(state.file, original.file):
        return state
    gone = {one.index for unit in units for one in members(place, unit, state)}
    back = {one.index for unit in units for one in members(place, unit, original)}
    content = restored(state.file, gone, original.file, back)
    after = parse_mdai(content, state.file.where)
    kept = Counter(bytes(o.raw) for o in state.file.annotations if o.index not in gone)
    brought = Counter(bytes(original.file.annotations[index].raw) for index in back)
    found = Counter(bytes(one.raw) for one in after.annotations)
    if kept - found or found - kept - brought:
        raise SaveError(
            f"{place.case.title}: taking the correction back would change other annotations, so "
            "nothing was written. Please report this."
        )
    return state_of(after, place)


def _edited(place: Place, edits: Sequence[MdaiEdit], state: State) -> State:
    """The export with the edits; what is added is said to be made by the reader."""
    now = datetime.now(UTC)
    added = [edit for edit in edits if isinstance(edit, Add)]
    others = [edit for edit in edits if not isinstance(edit, Add)]
    file = state.file
    if others:
        file = file.corrected(others, now, None)
    if added:
        gone = {edit.index for edit in others if isinstance(edit, Delete)}
        placed = [_moved(edit, gone) for edit in added]
        file = file.corrected(placed, now, place.reader.creator or None)
    return state_of(file, place) if edits else state


def _moved(edit: Add, gone: set[int]) -> Add:
    """The same addition after some annotations went."""
    if edit.like is None or edit.like in gone:
        return replace(edit, like=None)
    return replace(edit, like=edit.like - sum(index < edit.like for index in gone))
