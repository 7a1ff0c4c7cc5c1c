"""Numbers with their confidence intervals, by resampling what is independent."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    Array = npt.NDArray[Any]

LEVEL = 0.95
"""Of all confidence intervals."""
NORMAL = NormalDist().inv_cdf((1 + LEVEL) / 2)
"""So many deviations to either side lies `LEVEL` of a normal distribution."""
SAMPLES = 2000
_SEED = 20200311
"""Fixed, so that the same readings give the same intervals."""
_AT_ONCE = 2_000_000
"""Numbers drawn at once."""
_MOST_UNDEFINED = 0.5


UNVARIED = "nothing varies among these items, which leaves no interval"


class Estimate(NamedTuple):
    """A number and how sure it is.

    Attributes
    ----------
    value : None where it is undefined; the note says why.
    low, high : of its 95 % confidence interval; None where there is none.
    n : items it comes from.
    left_out : items it does not come from, because somebody did not answer or it is undefined.
    note : what should be known of it.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    left_out: int = 0
    note: str = ""


def resampled(
    sums: Array, statistic: Callable[[Array], Array], n: int, left_out: int = 0
) -> Estimate:
    """A statistic of sums over independent things, with its percentile bootstrap interval.

    Parameters
    ----------
    sums : (M, F), what each of M independent things adds to the F sums.
    statistic : from sums (..., F) to values (...), NaN where undefined.
    n, left_out : to be told in the estimate.
    """
    whole = float(statistic(sums.sum(axis=0)[None])[0])
    if np.isnan(whole):
        return Estimate(None, None, None, n, left_out, "undefined for these items")
    if len(sums) < 2:
        return Estimate(whole, None, None, n, left_out, "one case alone gives no interval")
    values = _statistics(sums, statistic)
    known = values[~np.isnan(values)]
    if len(known) < _MOST_UNDEFINED * len(values):
        note = "too few items for an interval"
        return Estimate(whole, None, None, n, left_out, note)
    low, high = (float(v) for v in np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]))
    if np.ptp(known) == 0:
        return Estimate(whole, None, None, n, left_out, UNVARIED)
    return Estimate(whole, low, high, n, left_out)


def mean(values: Sequence[float | None], missing: str = "") -> Estimate:
    """The mean of what is known of these, with its bootstrap interval; ``missing`` names the rest.

    Each value is an independent thing.
    """
    known = [value for value in values if value is not None]
    left_out = len(values) - len(known)
    if not known:
        return Estimate(None, None, None, 0, left_out, missing)
    sums = np.stack([np.array(known, np.float64), np.ones(len(known))], axis=1)
    return resampled(sums, lambda s: s[..., 0] / s[..., 1], len(known), left_out)


def _statistics(sums: Array, statistic: Callable[[Array], Array]) -> Array:
    """The statistic of resampled things; those that add the same are drawn as one kind."""
    kinds, numbers = np.unique(sums, axis=0, return_counts=True)
    random = np.random.default_rng(_SEED)
    step = max(1, _AT_ONCE // len(kinds))
    found = []
    for start in range(0, SAMPLES, step):
        size = min(step, SAMPLES - start)
        drawn = random.multinomial(len(sums), numbers / len(sums), size)
        found.append(statistic(drawn.astype(np.float64) @ kinds))  # BLAS knows no integers
    return np.concatenate(found)
