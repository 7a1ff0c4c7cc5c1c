"""What differs between two readings: which cells, slices and answers; pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy.typing as npt

    from napari_chest.model import Mask, Reading, SliceLabels


@dataclass(frozen=True, order=True)
class CellChange:
    """One cell of a slice table that differs; ``slice`` is the display slice, from 0."""

    slice: int
    column: str
    before: bool
    after: bool


@dataclass(frozen=True, order=True)
class MaskChange:
    """One slice of a mask that differs, and in how many voxels."""

    mask: str
    slice: int
    voxels: int


@dataclass(frozen=True, order=True)
class AnswerChange:
    """One question whose answer differs; an empty tuple is no answer."""

    question: str
    before: tuple[str, ...]
    after: tuple[str, ...]

    @property
    def in_order(self) -> AnswerChange:
        """The same change with its answers in one order: that in which they stand means nothing."""
        return AnswerChange(self.question, tuple(sorted(self.before)), tuple(sorted(self.after)))


@dataclass(frozen=True)
class ReadingChange:
    """All that differs between two states of one reader's reading of one case."""

    reader: str
    cells: tuple[CellChange, ...] = ()
    masks: tuple[MaskChange, ...] = ()
    answers: tuple[AnswerChange, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.cells or self.masks or self.answers)

    @property
    def slices(self) -> tuple[int, ...]:
        """The display slices in which anything differs, from 0."""
        return tuple(sorted({c.slice for c in self.cells} | {m.slice for m in self.masks}))


@dataclass(frozen=True)
class CaseChange:
    """What differs in one case, by its title."""

    case: str
    reading: ReadingChange


@dataclass(frozen=True, eq=False)
class Correction:
    """What a person changed in a reading, as the two states of it.

    Saving a correction writes what differs between them and leaves alone what else may have
    changed where it is written, such as earlier exports.
    """

    before: Reading
    after: Reading

    def onto(self, standing: Reading) -> Reading:
        """Another state of the same reading with this correction, under the corrected reader.

        Raises
        ------
        ValueError
            when the readings are not about the same grid.
        """
        for state in (self.before, standing):
            compare(state, self.after)  # refuses other columns and shapes
        answers = dict(standing.answers)
        for change in _compare_answers(self.before, self.after):
            answers[change.question] = change.after
        return replace(
            self.after,
            masks=_masks_onto(self.before, self.after, standing),
            slice_labels=self._labels_onto(standing.slice_labels),
            answers=answers,
        )

    def _labels_onto(self, standing: SliceLabels | None) -> SliceLabels | None:
        was, now = self.before.slice_labels, self.after.slice_labels
        if was is None or now is None or standing is None:
            return standing
        differs = was.values != now.values
        values = np.where(differs, now.values, standing.values)
        # Where the rest of a slice has changed too, its any-column has to be told anew.
        mixed = differs.any(axis=1) & (standing.values != was.values).any(axis=1)
        if now.any_column is not None:
            any_index = now.columns.index(now.any_column)
            others = np.delete(values, any_index, axis=1)
            values[mixed, any_index] = others[mixed].any(axis=1)
        return now.with_values(values)


def _masks_onto(before: Reading, after: Reading, standing: Reading) -> tuple[Mask, ...]:
    """The standing masks with what changed from one reading to the other."""
    was, now, stands = ({mask.name: mask for mask in r.masks} for r in (before, after, standing))
    merged = {}
    for name in dict.fromkeys((*stands, *now)):
        mask = now.get(name) or stands[name]
        states = [_labels(reading, mask) for reading in (was, now, stands)]
        merged[name] = replace(mask, labels=np.where(states[0] != states[1], *states[1:]))
    for mask in list(merged.values()):
        whole = merged.get(mask.splits or "")
        if whole is not None:
            parts, whole = _agreed(mask, whole, told_apart=mask.name in now)
            merged[parts.name], merged[whole.name] = parts, whole
    return tuple(merged.values())


def _labels(masks: Mapping[str, Mask], mask: Mask) -> npt.NDArray[np.unsignedinteger]:
    """A mask of a reading; as it would begin where the reading has it not."""
    if mask.name in masks:
        return masks[mask.name].labels
    labels = np.zeros_like(mask.labels)
    if mask.splits is not None and mask.splits in masks:
        labels[masks[mask.splits].labels != 0] = mask.segments[-1].value
    return labels


def _agreed(parts: Mask, whole: Mask, *, told_apart: bool) -> tuple[Mask, Mask]:
    """A mask and the one it tells apart, after the one that was not corrected follows the other."""
    if told_apart:
        labels = (parts.labels != 0).astype(whole.labels.dtype)
        return parts, replace(whole, labels=labels)
    inside = whole.labels != 0
    told = np.where(parts.labels != 0, parts.labels, parts.segments[-1].value)
    return replace(parts, labels=np.where(inside, told, 0).astype(parts.labels.dtype)), whole


def compare(before: Reading, after: Reading) -> ReadingChange:
    """What differs between two readings of one case.

    Raises
    ------
    ValueError
        when the readings are not about the same grid: other columns or another number of slices.
    """
    return ReadingChange(
        after.reader,
        _compare_slice_labels(before.slice_labels, after.slice_labels),
        _compare_masks(before.masks, after.masks),
        _compare_answers(before, after),
    )


def _compare_slice_labels(
    before: SliceLabels | None, after: SliceLabels | None
) -> tuple[CellChange, ...]:
    if before is None or after is None:
        if before is after:
            return ()
        raise ValueError("one reading has slice labels and the other has none")
    if before.columns != after.columns or before.values.shape != after.values.shape:
        raise ValueError(
            f"slice labels of {before.values.shape} {before.columns} cannot be compared with "
            f"{after.values.shape} {after.columns}"
        )
    return tuple(
        CellChange(int(z), after.columns[c], bool(before.values[z, c]), bool(after.values[z, c]))
        for z, c in np.argwhere(before.values != after.values)
    )


def _compare_masks(before: Iterable[Mask], after: Iterable[Mask]) -> tuple[MaskChange, ...]:
    was = {mask.name: mask.labels for mask in before}
    now = {mask.name: mask.labels for mask in after}
    found = []
    for name in dict.fromkeys((*was, *now)):
        a, b = was.get(name), now.get(name)
        if a is not None and b is not None and a.shape != b.shape:
            raise ValueError(f"mask {name} of {a.shape} cannot be compared with {b.shape}")
        shape = (a if a is not None else b).shape  # type: ignore[union-attr]
        for z in range(shape[0]):
            differs = (0 if a is None else a[z]) != (0 if b is None else b[z])
            if voxels := int(np.count_nonzero(differs)):
                found.append(MaskChange(name, z, voxels))
    return tuple(found)


def _compare_answers(before: Reading, after: Reading) -> tuple[AnswerChange, ...]:
    keys = dict.fromkeys((*before.answers, *after.answers))
    pairs = ((key, before.answers.get(key, ()), after.answers.get(key, ())) for key in keys)
    # In which order several answers were given means nothing.
    return tuple(AnswerChange(key, was, now) for key, was, now in pairs if set(was) != set(now))


def slice_ranges(slices: Iterable[int]) -> str:
    """Slices as a person counts them, from 1: ``41-50, 60``."""
    runs: list[list[int]] = []
    for z in sorted(set(slices)):
        if runs and z == runs[-1][1] + 1:
            runs[-1][1] = z
        else:
            runs.append([z, z])
    return ", ".join(f"{a + 1}" if a == b else f"{a + 1}-{b + 1}" for a, b in runs)
