"""One mask out of several readers' masks: union, intersection, majority, STAPLE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_chest.errors import StoppedError
from napari_chest.measure.boxes import joint_box

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Event

    import numpy.typing as npt

    from napari_chest.measure.boxes import Box

    Array = npt.NDArray[Any]
    Flags = npt.NDArray[np.bool_]
    Masks = Sequence[Array] | Array

DEFINITIONS: dict[str, str] = {
    "union": "What any reader marked; where readers named different segments, the first one's.",
    "intersection": "What all readers marked as the same segment.",
    "majority": "What more than half of the readers marked as the same segment; a tie of an even "
    "number of readers is background.",
    "STAPLE": "Voxels whose estimated probability of being marked in truth is above 0.5, each "
    "reader weighted by the sensitivity and specificity that the masks themselves suggest "
    "(Warfield 2004); every segment for itself.",
}
"""How each consensus is made, as shown beside it."""

MOST_READERS = 16
"""STAPLE tells every pattern of votes apart, of which there are two to the power of readers."""
_SURE = 1e-12
"""No reader is taken to be nearer to always right or always wrong: the logarithms stay finite."""
_MOST_ODDS = 700.0
"""Logarithms beyond have no exponential."""
_CHANGE = 1e-7
"""The estimate stays where no number changes by more; ITK stops there too."""
_ROUNDS = 100_000


@dataclass(frozen=True, eq=False)
class Staple:
    """What STAPLE makes of the masks of several readers.

    Attributes
    ----------
    mask : (Z, Y, X) bool, where the probability is above 0.5.
    sensitivities, specificities : of each reader; None where nothing was marked by anybody, or
        everything by everybody.
    prior : the share of voxels that readers marked, on average.
    rounds : how often the estimate was bettered until it stayed.
    """

    mask: Flags
    sensitivities: tuple[float, ...] | None
    specificities: tuple[float, ...] | None
    prior: float
    rounds: int
    _patterns: _Patterns
    _probability: npt.NDArray[np.float64]

    @property
    def probabilities(self) -> npt.NDArray[np.float64]:
        """(Z, Y, X) float64, how likely each voxel is to be marked in truth."""
        return self._patterns.painted(self._probability)


@dataclass(frozen=True, eq=False)
class _Patterns:
    """Who marked each voxel: bit i is reader i. Outside of the box nobody marked anything.

    Attributes
    ----------
    shape : of the masks.
    readers : how many.
    box : around all that is marked; None where nothing is.
    codes : the pattern of each voxel in the box.
    counts : (2 ** readers,) how many voxels have each pattern.
    """

    shape: tuple[int, ...]
    readers: int
    box: Box | None
    codes: npt.NDArray[np.unsignedinteger]
    counts: npt.NDArray[np.int64]

    def painted(self, table: Array) -> Array:
        """(Z, Y, X) with every pattern replaced by its entry of a table (2 ** readers,)."""
        # Memory that nobody writes to costs nothing.
        out = np.full(self.shape, table[0]) if table[0] else np.zeros(self.shape, table.dtype)
        if self.box is not None:
            for plane, codes in zip(out[self.box], self.codes, strict=True):
                np.take(table, codes, out=plane, mode="clip")
        return out


def consensus(choice: str, masks: Masks, stop: Event | None = None) -> Array:
    """One mask out of several, of the kind of numbers of the first.

    Parameters
    ----------
    choice : ``A`` (the first mask), ``B`` (the second), ``union``, ``intersection``, ``majority``
        or ``STAPLE``.
    masks : per reader (Z, Y, X) bool or labels, all of one shape. Of labels each segment is
        decided for itself.
    stop : ends the work early where it is long.

    Raises
    ------
    ValueError
        when there is no mask, they are of different shapes, or the choice is another one.
    StoppedError
        when ``stop`` was set before the end.
    """
    found = _checked(masks)
    if choice in ("A", "B"):
        index = "AB".index(choice)
        if index >= len(found):
            raise ValueError(f"there is no mask {choice} among {len(found)} readers' masks")
        return found[index].copy()
    if choice == "STAPLE" and not _is_yes_no(found):
        return _staple_of_labels(found, stop)
    if choice == "STAPLE":
        return staple(found, stop).mask.astype(found[0].dtype)
    if choice not in _WAYS:
        raise ValueError(f"{choice!r} is no way to make one mask of several")
    return _by_plane(found, _WAYS[choice])


def union(masks: Masks) -> Array:
    """What any reader marked; of labels the first reader's that is not 0."""
    return _by_plane(_checked(masks), _union)


def intersection(masks: Masks) -> Array:
    """What all readers marked as the same segment."""
    return _by_plane(_checked(masks), _intersection)


def majority(masks: Masks) -> Array:
    """What more than half of the readers marked as the same segment; a tie is background."""
    return _by_plane(_checked(masks), _majority)


def staple(masks: Masks, stop: Event | None = None) -> Staple:
    """STAPLE of yes/no masks: the likeliest truth, and how well each reader meets it.

    The estimate starts and ends as ITK's: a voxel is at first as likely as the share of readers
    that marked it, the prior is the readers' mean share of marked voxels. It runs over the patterns
    of votes instead of over voxels, which are the same sums in another order.

    Parameters
    ----------
    masks : per reader (Z, Y, X), not 0 where marked.
    stop : ends the work early.

    Raises
    ------
    ValueError
        when there is no mask, they are of different shapes, or there are too many readers.
    StoppedError
        when ``stop`` was set before the end.
    """
    found = _checked(masks)
    if len(found) > MOST_READERS:
        raise ValueError(
            f"STAPLE takes masks of at most {MOST_READERS} readers and not of {len(found)}; "
            "use majority, or leave readers out"
        )
    patterns = _patterns_of(found, stop)
    return _estimated(patterns, stop)


def _checked(masks: Masks) -> list[Array]:
    found = list(masks)
    if not found:
        raise ValueError("a consensus needs the mask of at least one reader")
    shapes = {mask.shape for mask in found}
    if len(shapes) > 1:
        raise ValueError(
            f"masks of {' and '.join(map(str, sorted(shapes)))} voxels lie on different grids "
            "and have no consensus"
        )
    if found[0].ndim != 3:
        raise ValueError(f"a mask has the axes (Z, Y, X); this one is of {found[0].shape}")
    return found


def _is_yes_no(masks: Sequence[Array]) -> bool:
    return all(mask.dtype == np.bool_ for mask in masks)


def _by_plane(masks: Sequence[Array], way: Callable[[Sequence[Array]], Array]) -> Array:
    # Plane by plane the passes in between stay in the processor's cache.
    out = np.zeros(masks[0].shape, masks[0].dtype)
    for z, planes in enumerate(zip(*masks, strict=True)):
        if any(plane.any() for plane in planes):
            out[z] = way(planes)
    return out


def _union(planes: Sequence[Array]) -> Array:
    out = planes[0].copy()
    for plane in planes[1:]:
        np.copyto(out, plane, where=out == 0, casting="same_kind")
    return out


def _intersection(planes: Sequence[Array]) -> Array:
    out = planes[0].copy()
    for plane in planes[1:]:
        out[plane != planes[0]] = 0
    return out


def _majority(planes: Sequence[Array]) -> Array:
    out = planes[0].copy()
    differ = np.zeros(out.shape, np.bool_)
    for plane in planes[1:]:
        differ |= plane != out
    votes = np.sort([plane[differ] for plane in planes], axis=0)
    middle = votes[len(votes) // 2]  # what more than half say stands in the middle, too
    out[differ] = np.where(2 * (votes == middle).sum(axis=0) > len(votes), middle, 0)
    return out


_WAYS = {"union": _union, "intersection": _intersection, "majority": _majority}


def _staple_of_labels(masks: Sequence[Array], stop: Event | None) -> Array:
    """Every segment for itself; of segments that are likely at one voxel, the likeliest."""
    values = np.unique(np.concatenate([_values(mask) for mask in masks]))
    out = np.zeros(masks[0].shape, masks[0].dtype)
    likeliest = np.zeros(out.shape, np.float32) if len(values) > 1 else None
    for value in values:
        found = staple([mask == value for mask in masks], stop)
        mine = found.mask
        if likeliest is not None:
            probability = found.probabilities.astype(np.float32)
            mine = mine & (probability > likeliest)
            np.copyto(likeliest, probability, where=mine)
        out[mine] = value
    return out


def _values(mask: Array) -> Array:
    values = np.unique(np.concatenate([np.unique(plane) for plane in mask]))
    return np.asarray(values[values != 0])


def _patterns_of(masks: Sequence[Array], stop: Event | None) -> _Patterns:
    readers = len(masks)
    box = joint_box(masks)
    kind: type[np.unsignedinteger] = np.uint8 if readers <= 8 else np.uint16
    counts = np.zeros(2**readers, np.int64)
    inside = tuple(part.stop - part.start for part in box) if box else (0, 0, 0)
    codes = np.zeros(inside, kind)
    cropped = [mask[box] for mask in masks] if box else []
    for z, plane in enumerate(codes):
        _go_on(stop)
        for reader, mask in enumerate(cropped):
            votes = mask[z] if mask.dtype == np.bool_ else mask[z] != 0
            plane |= np.left_shift(votes.view(np.uint8), reader, dtype=kind)
        _count(plane, counts)
    counts[0] += masks[0].size - codes.size
    return _Patterns(masks[0].shape, readers, box, codes, counts)


def _count(codes: npt.NDArray[np.unsignedinteger], counts: npt.NDArray[np.int64]) -> None:
    """Add how often every pattern occurs; nearly all voxels are everybody's or nobody's."""
    everybody = codes == len(counts) - 1
    some = codes[(codes != 0) & ~everybody]
    of_everybody = np.count_nonzero(everybody)
    counts += np.bincount(some, minlength=len(counts))
    counts[-1] += of_everybody
    counts[0] += codes.size - of_everybody - some.size


def _estimated(patterns: _Patterns, stop: Event | None) -> Staple:
    present = np.flatnonzero(patterns.counts)
    counts = patterns.counts[present].astype(np.float64)
    votes = (present[:, None] >> np.arange(patterns.readers) & 1).astype(np.float64)
    total = counts.sum()
    prior = float(counts @ votes.mean(axis=1) / total) if total else 0.0
    table = np.zeros(len(patterns.counts))
    if prior in (0.0, 1.0):
        table[:] = prior
        return Staple(patterns.painted(table > 0.5), None, None, prior, 0, patterns, table)
    truth = votes.mean(axis=1)
    untruth = 1 - truth
    p = q = np.full(patterns.readers, np.inf)
    rounds = 0
    change = 1.0
    while change > _CHANGE and rounds < _ROUNDS:
        _go_on(stop)
        marked, unmarked = counts * truth, counts * untruth
        better_p = np.clip(marked @ votes / marked.sum(), _SURE, 1 - _SURE)
        better_q = np.clip(unmarked @ (1 - votes) / unmarked.sum(), _SURE, 1 - _SURE)
        change = float(np.abs([better_p - p, better_q - q]).max())
        p, q = better_p, better_q
        truth, untruth = _likely(votes, p, q, prior)
        rounds += 1
    table[present] = truth
    return Staple(
        patterns.painted(table > 0.5),
        tuple(p.tolist()),
        tuple(q.tolist()),
        prior,
        rounds,
        patterns,
        table,
    )


def _likely(votes: Array, p: Array, q: Array, prior: float) -> tuple[Array, Array]:
    """How likely each pattern of votes (P, readers) is to mean marked in truth, and not marked."""
    yes = np.log(prior) + votes @ np.log(p) + (1 - votes) @ np.log(1 - p)
    no = np.log(1 - prior) + votes @ np.log(1 - q) + (1 - votes) @ np.log(q)
    odds = np.clip(yes - no, -_MOST_ODDS, _MOST_ODDS)
    # Both by themselves: next to 1, one less the other would be 0.
    return 1 / (1 + np.exp(-odds)), 1 / (1 + np.exp(odds))


def _go_on(stop: Event | None) -> None:
    if stop is not None and stop.is_set():
        raise StoppedError("Stopped; there is no consensus of the masks.")
