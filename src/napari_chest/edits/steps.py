"""The steps in which a reading changes: boxes of its arrays, answers, and masks that are begun."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_chest.edits.packing import Packed, pack

if TYPE_CHECKING:
    import numpy.typing as npt

    from napari_chest.edits.protection import Rules
    from napari_chest.model import Mask

SLICE_LABELS = "slice labels"
"""The target of edits of the slice table; other targets are `mask_target` of a mask's name."""

LUNGS = "lungs"
"""The name of the aid that holds the lungs."""

_MASK = "mask "
_FEW = 16  # values; comparing with each of so few is quicker than counting them all at once
Box = tuple[slice, ...]
Kind = Literal["do", "undo", "redo", "export", "write back", "discard"]


def mask_target(name: str) -> str:
    """The target of edits of a mask."""
    return _MASK + name


def mask_of(target: str) -> str | None:
    """The name of the mask that a target is; None for the slice table."""
    return target.removeprefix(_MASK) if target.startswith(_MASK) else None


class Edit:
    """A box of voxels or table cells before and after.

    Its arrays may be packed at any time, also by another thread: each is exchanged in one
    assignment for one that unpacks to the same values.

    Attributes
    ----------
    name : what was done, as a person would say it: ``LUL on slices 41-50``.
    target : which array of the reading: `SLICE_LABELS` or a `mask_target`.
    box : one slice per axis.
    rules : the rules it was made under, or None where it is held against none.
    """

    def __init__(
        self,
        name: str,
        target: str,
        box: Box,
        before: npt.NDArray[Any] | Packed,
        after: npt.NDArray[Any] | Packed,
        rules: Rules | None = None,
    ) -> None:
        self.name = name
        self.target = target
        self.box = box
        self.rules = rules
        self._before = _read_only(before)
        self._after = _read_only(after)

    def __repr__(self) -> str:
        return f"Edit({self.name!r}, {self.target!r}, {self.box})"

    @property
    def before(self) -> npt.NDArray[Any]:
        """The box before, read-only; unpacked anew each time where it is packed."""
        return _unpacked(self._before)

    @property
    def after(self) -> npt.NDArray[Any]:
        """The box after, read-only; unpacked anew each time where it is packed."""
        return _unpacked(self._after)

    @property
    def packed(self) -> tuple[Packed, Packed]:
        """The box before and after, packed."""
        return _packed(self._before), _packed(self._after)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The kind of numbers of the box."""
        return self._before.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the box."""
        return self._before.shape

    @property
    def nbytes(self) -> int:
        """Memory the edit holds now."""
        return self._before.nbytes + self._after.nbytes

    @cached_property
    def counts(self) -> npt.NDArray[np.int64]:
        """How many voxels came to each value minus how many left it: index is the value."""
        before, after = count_values(self.before), count_values(self.after)
        counts = np.zeros(max(len(before), len(after)), np.int64)
        counts[: len(after)] += after
        counts[: len(before)] -= before
        return counts

    def begins(self, now: npt.NDArray[Any]) -> bool:
        """Whether the box stands as it was before."""
        held = self._before
        return held.equals(now) if isinstance(held, Packed) else np.array_equal(held, now)

    def write(self, box: npt.NDArray[Any], *, forward: bool) -> None:
        """Bring the box to what it was after, or before."""
        held = self._after if forward else self._before
        if isinstance(held, Packed):
            held.write(box)
        else:
            box[...] = held

    def pack(self) -> None:
        """Hold the arrays packed from now on."""
        if not isinstance(self._before, Packed):
            _ = self.counts  # quicker while the arrays are at hand
            self._after, self._before = _packed(self._after), _packed(self._before)


@dataclass(frozen=True)
class AnswerEdit:
    """A question that is answered otherwise; an empty tuple is no answer, None a question unasked.

    Attributes
    ----------
    name : what was done, as a person would say it.
    question : key of the question.
    before, after : the answers.
    """

    name: str
    question: str
    before: tuple[str, ...] | None
    after: tuple[str, ...]
    nbytes = 0

    def pack(self) -> None:
        """Nothing of it can be packed."""


class MaskAdded:
    """A mask that the reading did not have.

    Its labels may be packed at any time, as those of an `Edit`.

    Attributes
    ----------
    name : what was done, as a person would say it.
    outline : the mask without its labels.
    """

    def __init__(self, name: str, mask: Mask, labels: Packed | None = None) -> None:
        self.name = name
        self.outline = replace(mask, labels=mask.labels[:0, :0, :0])
        self._labels = mask.labels if labels is None else labels

    def __repr__(self) -> str:
        return f"MaskAdded({self.name!r}, {self.outline.name!r} of {self._labels.shape})"

    @property
    def mask(self) -> Mask:
        """The mask as it begins."""
        return replace(self.outline, labels=_unpacked(self._labels))

    @property
    def packed(self) -> Packed:
        """The labels with which the mask begins, packed."""
        return _packed(self._labels)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the mask."""
        return self._labels.shape

    @property
    def nbytes(self) -> int:
        """Memory the step holds now."""
        return self._labels.nbytes

    def pack(self) -> None:
        """Hold the labels packed from now on."""
        self._labels = self.packed


Step = Edit | AnswerEdit | MaskAdded


@dataclass(frozen=True)
class Move:
    """A step done, undone or redone, or a save.

    Attributes
    ----------
    kind : which of them.
    step : the step, where there is one.
    """

    kind: Kind
    step: Step | None = None


def edit_between(
    name: str,
    target: str,
    before: npt.NDArray[Any],
    after: npt.NDArray[Any],
    box: Box = (),
    rules: Rules | None = None,
) -> Edit | None:
    """The smallest edit that turns one array into another of the same shape; None if equal.

    Parameters
    ----------
    name, target, rules : of the edit.
    before, after : the arrays, or the same box of both.
    box : where in the whole array they lie; by default they are whole.
    """
    different = before != after
    if not different.any():
        return None
    inner = tuple(_extent(different, axis) for axis in range(different.ndim))
    corner = [part.start for part in box] or [0] * different.ndim
    place = tuple(
        slice(start + part.start, start + part.stop)
        for start, part in zip(corner, inner, strict=True)
    )
    return Edit(name, target, place, before[inner].copy(), after[inner].copy(), rules)


def count_values(labels: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """How many voxels (slices first) have each value, up to the highest there is."""
    counts = np.zeros(int(labels.max(initial=0)) + 1, np.int64)
    for plane in labels:
        if not plane.any():  # far quicker than counting the zeros of empty slices
            continue
        if len(counts) <= _FEW:
            counts[1:] += [np.count_nonzero(plane == value) for value in range(1, len(counts))]
        else:
            counts += np.bincount(plane.ravel(), minlength=len(counts))
    counts[0] = labels.size - counts[1:].sum()
    return counts


def _extent(different: npt.NDArray[np.bool_], axis: int) -> slice:
    others = tuple(other for other in range(different.ndim) if other != axis)
    where = np.flatnonzero(different.any(axis=others))
    return slice(int(where[0]), int(where[-1]) + 1)


def _read_only(held: npt.NDArray[Any] | Packed) -> npt.NDArray[Any] | Packed:
    if isinstance(held, Packed):
        return held
    view = held.view()
    view.flags.writeable = False
    return view


def _packed(held: npt.NDArray[Any] | Packed) -> Packed:
    return held if isinstance(held, Packed) else pack(held)


def _unpacked(held: npt.NDArray[Any] | Packed) -> npt.NDArray[Any]:
    return held.unpack() if isinstance(held, Packed) else held
