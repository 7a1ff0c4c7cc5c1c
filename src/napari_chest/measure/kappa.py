"""How far readers agree on labels and answers: percent agreement, Cohen's and Fleiss' kappa."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from math import sqrt
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_chest.measure.resampling import NORMAL, UNVARIED, Estimate, resampled

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    import numpy.typing as npt

    Array = npt.NDArray[Any]
    Counts = npt.NDArray[np.int64]
    Statistic = Callable[[Array], Array]

DEFINITIONS: dict[str, str] = {
    "percent agreement": "Percent agreement: the share of items on which all who answered say the "
    "same; 95 % interval by Wilson, or by resampling cases where items of a case belong together.",
    "Cohen": "Cohen's kappa of two readers: agreement beyond chance by the most there can be, "
    "chance being each reader's own shares; unweighted. 95 % interval by the large-sample variance "
    "(Fleiss, Cohen and Everitt 1969), or by resampling cases.",
    "Fleiss": "Fleiss' kappa of three or more readers (1971): as Cohen's, with chance from the "
    "shares of all readers together. Items that some readers did not answer count with the pairs "
    "of those who did. 95 % interval by resampling items, or cases.",
}
"""What each number means, as shown beside it."""

SAME = "all say the same throughout, which leaves kappa undefined"
NONE = "no two of these readers answered the same item"
ONE_SIDED = "a reader says the same throughout: kappa is 0 whatever the other says"


@dataclass(frozen=True, eq=False)
class Confusion:
    """How often reader A said one thing and reader B another.

    Attributes
    ----------
    categories : what was said.
    counts : (C, C), one row per answer of A, one column per answer of B.
    left_out : items that one of both did not answer.
    """

    categories: tuple[str, ...]
    counts: Counts
    left_out: int = 0


@dataclass(frozen=True, eq=False)
class Concordance:
    """How far readers agree on the same items.

    Attributes
    ----------
    readers : two or more.
    kind : whose kappa it is: Cohen's for two readers, else Fleiss'.
    kappa, percent : kappa, and the share of items on which all say the same (0 to 1).
    confusion : of two readers; None for more.
    """

    readers: tuple[str, ...]
    kind: Literal["Cohen", "Fleiss"]
    kappa: Estimate
    percent: Estimate
    confusion: Confusion | None


def confusion(a: Sequence[Hashable], b: Sequence[Hashable]) -> Confusion:
    """How often A said one thing and B another.

    Parameters
    ----------
    a, b : the answers to the same items, in the same order; None where there is none.
    """
    return _confusion(_answered(_coded((a, b))))


def cohen(
    a: Sequence[Hashable], b: Sequence[Hashable], clusters: Sequence[Hashable] | None = None
) -> Estimate:
    """Cohen's kappa of two readers.

    Parameters
    ----------
    a, b : the answers to the same items, in the same order; None where there is none.
    clusters : which items belong together, such as the case of each slice: the interval then comes
        from resampling these. Without it items are taken to be independent.
    """
    return _cohen(_answered(_coded((a, b), clusters)))


def fleiss(
    ratings: Sequence[Sequence[Hashable]], clusters: Sequence[Hashable] | None = None
) -> Estimate:
    """Fleiss' kappa of two or more readers.

    Parameters
    ----------
    ratings : per reader the answers to the same items, in the same order; None where there is none.
    clusters : which items belong together, such as the case of each slice; by default each stands
        for itself. The interval comes from resampling these.
    """
    return _resampled_kappa(_answered(_coded(ratings, clusters)), _fleiss_sums, _fleiss_of_sums)


def percent_agreement(
    ratings: Sequence[Sequence[Hashable]], clusters: Sequence[Hashable] | None = None
) -> Estimate:
    """The share of items on which all who answered say the same, 0 to 1; takes what `fleiss` does.

    An item that fewer than two answered is left out.
    """
    return _percent(_answered(_coded(ratings, clusters)))


def wilson(count: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval (1927) of the share of ``count`` in ``n`` items, one or more."""
    share = count / n
    middle = share + NORMAL**2 / (2 * n)
    width = NORMAL * sqrt(share * (1 - share) / n + NORMAL**2 / (4 * n**2))
    room = 1 + NORMAL**2 / n
    return max(0.0, (middle - width) / room), min(1.0, (middle + width) / room)


def concordance(
    ratings: Mapping[str, Sequence[Hashable]], clusters: Sequence[Hashable] | None = None
) -> Concordance:
    """How far these readers agree.

    Parameters
    ----------
    ratings : per reader the answers to the same items, in the same order; None where there is none.
    clusters : which items belong together.
    """
    return _concordance(tuple(ratings), _coded(tuple(ratings.values()), clusters))


def concordances(
    ratings: Mapping[str, Sequence[Hashable]], clusters: Sequence[Hashable] | None = None
) -> tuple[Concordance, ...]:
    """How far all readers agree where they are more than two, then every two of them."""
    items = _coded(tuple(ratings.values()), clusters)
    names = tuple(ratings)
    groups = [tuple(range(len(names)))] if len(names) > 2 else []
    groups += combinations(range(len(names)), 2)
    return tuple(_concordance(tuple(names[n] for n in group), items.of(group)) for group in groups)


@dataclass(frozen=True, eq=False)
class _Items:
    """What readers said of the same items.

    Attributes
    ----------
    names : what was said, in order.
    codes : (N, readers), the number of each answer among the names; -1 of none.
    clusters : (N,), the number of the cluster of each item; None where each stands for itself.
    left_out : items that are not among these.
    """

    names: tuple[str, ...]
    codes: Counts
    clusters: Counts | None
    left_out: int = 0

    def of(self, readers: Sequence[int]) -> _Items:
        """Those of some readers."""
        return replace(self, codes=self.codes[:, list(readers)])


def _coded(
    ratings: Sequence[Sequence[Hashable]], clusters: Sequence[Hashable] | None = None
) -> _Items:
    found = {answer for answers in ratings for answer in answers}
    ordered = sorted(found - {None}, key=_order)
    number = {None: -1} | {answer: n for n, answer in enumerate(ordered)}
    codes = np.array([[number[answer] for answer in answers] for answers in ratings], np.int64)
    of_cluster = {one: n for n, one in enumerate(dict.fromkeys(clusters or ()))}
    return _Items(
        tuple(_named(answer) for answer in ordered),
        codes.T,
        None if clusters is None else np.array([of_cluster[one] for one in clusters], np.int64),
    )


def _answered(items: _Items) -> _Items:
    """The items that two or more readers answered, with the answers that occur among them."""
    kept = (items.codes >= 0).sum(axis=1) > 1
    codes = items.codes[kept]
    said = np.unique(codes[codes >= 0])
    return _Items(
        tuple(items.names[n] for n in said),
        np.where(codes >= 0, np.searchsorted(said, codes), -1),
        None if items.clusters is None else items.clusters[kept],
        int(np.count_nonzero(~kept)),
    )


def _concordance(readers: tuple[str, ...], items: _Items) -> Concordance:
    answered = _answered(items)
    percent = _percent(answered)
    if len(readers) == 2:
        return Concordance(readers, "Cohen", _cohen(answered), percent, _confusion(answered))
    kappa = _resampled_kappa(answered, _fleiss_sums, _fleiss_of_sums)
    return Concordance(readers, "Fleiss", kappa, percent, None)


def _confusion(items: _Items) -> Confusion:
    counts = np.zeros((len(items.names), len(items.names)), np.int64)
    np.add.at(counts, (items.codes[:, 0], items.codes[:, 1]), 1)
    return Confusion(items.names, counts, items.left_out)


def _percent(items: _Items) -> Estimate:
    n = len(items.codes)
    if n == 0:
        return Estimate(None, None, None, 0, items.left_out, NONE)
    most = items.codes.max(axis=1, keepdims=True)
    same = ((items.codes == most) | (items.codes < 0)).all(axis=1)
    if _is_clustered(items):
        sums = np.stack([same, np.ones(n)], axis=1)
        return resampled(_by_cluster(sums, items.clusters), _share, n, items.left_out)
    low, high = wilson(int(same.sum()), n)
    return Estimate(float(same.mean()), low, high, n, items.left_out)


def _cohen(items: _Items) -> Estimate:
    if _is_clustered(items):
        return _resampled_kappa(items, _cohen_sums, _cohen_of_sums)
    found = _confusion(items)
    n, left_out = len(items.codes), items.left_out
    if len(found.categories) < 2:
        return Estimate(None, None, None, n, left_out, SAME if n else NONE)
    if any(np.count_nonzero(found.counts.sum(axis=axis)) == 1 for axis in (0, 1)):
        return Estimate(0.0, None, None, n, left_out, ONE_SIDED)
    if n == int(np.trace(found.counts)):
        return Estimate(1.0, None, None, n, left_out, UNVARIED)
    kappa, deviation = _kappa_and_deviation(found.counts / n)
    width = NORMAL * deviation / sqrt(n)
    return Estimate(kappa, max(-1.0, kappa - width), min(1.0, kappa + width), n, left_out)


def _kappa_and_deviation(shares: Array) -> tuple[float, float]:
    """Cohen's kappa, and the large-sample deviation of its estimate times the root of n.

    Parameters
    ----------
    shares : (C, C) confusion, of a sum of 1.
    """
    a, b = shares.sum(axis=1), shares.sum(axis=0)
    agreed = np.diag(shares)
    expected = float(a @ b)
    kappa = (float(agreed.sum()) - expected) / (1 - expected)
    on = float((agreed * (1 - (a + b) * (1 - kappa)) ** 2).sum())
    off = shares * (a[None, :] + b[:, None]) ** 2
    off_sum = (1 - kappa) ** 2 * float(off.sum() - np.trace(off))
    variance = (on + off_sum - (kappa - expected * (1 - kappa)) ** 2) / (1 - expected) ** 2
    return kappa, sqrt(max(0.0, variance))


def _order(answer: Hashable) -> tuple[int, Any]:
    return (0, answer) if isinstance(answer, int | float) else (1, str(answer))


def _named(answer: Hashable) -> str:
    return ("yes" if answer else "no") if isinstance(answer, bool | np.bool_) else str(answer)


def _is_clustered(items: _Items) -> bool:
    return items.clusters is not None and len(np.unique(items.clusters)) > 1


def _by_cluster(sums: Array, clusters: Counts | None) -> Array:
    """(M, F), the sums (N, F) of all items of each of M clusters."""
    if clusters is None:
        return sums
    kinds, number = np.unique(clusters, return_inverse=True)
    out = np.zeros((len(kinds), sums.shape[1]))
    np.add.at(out, number, sums)
    return out


def _resampled_kappa(
    items: _Items, sums_of: Callable[[Counts, int], Array], statistic: Statistic
) -> Estimate:
    n, left_out = len(items.codes), items.left_out
    if len(items.names) < 2:
        return Estimate(None, None, None, n, left_out, SAME if n else NONE)
    sums = _by_cluster(sums_of(items.codes, len(items.names)), items.clusters)
    return resampled(sums, statistic, n, left_out)


def _one_hot(codes: Counts, categories: int) -> Array:
    return np.asarray(codes[..., None] == np.arange(categories), np.float64)


def _cohen_sums(codes: Counts, categories: int) -> Array:
    """(N, 2 + 2 C): what of each item is summed for Cohen's kappa."""
    same = codes[:, 0] == codes[:, 1]
    ones = np.ones(len(codes))
    both = [_one_hot(codes[:, reader], categories) for reader in (0, 1)]
    return np.column_stack([ones, same, *both])


def _cohen_of_sums(sums: Array) -> Array:
    n, same = sums[..., 0], sums[..., 1]
    a, b = np.split(sums[..., 2:], 2, axis=-1)
    return _beyond_chance(same / n, (a * b).sum(axis=-1) / n**2)


def _fleiss_sums(codes: Counts, categories: int) -> Array:
    """(N, 2 + C): what of each item is summed for Fleiss' kappa."""
    counts = _one_hot(codes, categories).sum(axis=1)
    readers = counts.sum(axis=1)
    pairs = (counts * (counts - 1)).sum(axis=1) / (readers * (readers - 1))
    return np.column_stack([np.ones(len(codes)), pairs, counts / readers[:, None]])


def _fleiss_of_sums(sums: Array) -> Array:
    n, pairs, shares = sums[..., 0], sums[..., 1], sums[..., 2:]
    return _beyond_chance(pairs / n, ((shares / n[..., None]) ** 2).sum(axis=-1))


def _beyond_chance(observed: Array, expected: Array) -> Array:
    """Kappa; NaN where chance alone agrees fully."""
    room = 1 - expected
    undefined = room < 1e-12
    return np.where(undefined, np.nan, (observed - expected) / np.where(undefined, 1, room))


def _share(sums: Array) -> Array:
    return np.asarray(sums[..., 0] / sums[..., 1])
