"""Bland-Altman numbers: how far one reader's volumes lie above or below another's."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from napari_chest.measure.resampling import LEVEL, Estimate

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

DEFINITION = (
    "Bland-Altman: bias is the mean of B less A over cases; between the limits of agreement, bias "
    "± 1.96 standard deviations, lie 95 % of the differences if these are normal. Intervals of "
    "both by Student's t (Bland and Altman 1999)."
)
_SPREAD = 1.96


@dataclass(frozen=True, eq=False)
class BlandAltman:
    """Two readers' numbers of the same cases.

    Attributes
    ----------
    cases : ids, (N,).
    means, differences : (N,) mean of both and B less A of each case.
    bias, lower, upper : the mean difference and the limits of agreement, with intervals. One case
        alone has no limits and no intervals.
    """

    cases: tuple[str, ...]
    means: npt.NDArray[np.float64]
    differences: npt.NDArray[np.float64]
    bias: Estimate
    lower: Estimate
    upper: Estimate


def bland_altman(cases: Sequence[str], a: Sequence[float], b: Sequence[float]) -> BlandAltman:
    """Bland-Altman numbers of one number per case by two readers.

    Parameters
    ----------
    cases : ids, (N,).
    a, b : (N,) the numbers of both readers.
    """
    first, second = np.asarray(a, np.float64), np.asarray(b, np.float64)
    differences = second - first
    return BlandAltman(
        tuple(cases), (first + second) / 2, differences, *_bias_and_limits(differences)
    )


def _bias_and_limits(
    differences: npt.NDArray[np.float64],
) -> tuple[Estimate, Estimate, Estimate]:
    n = len(differences)
    if n == 0:
        nothing = Estimate(None, None, None, 0, note="no case has both volumes")
        return nothing, nothing, nothing
    bias = float(differences.mean())
    if n == 1:
        note = "one case alone has no limits of agreement"
        nothing = Estimate(None, None, None, 1, note=note)
        return Estimate(bias, None, None, 1, note=note), nothing, nothing
    from scipy.stats import t

    deviation = float(differences.std(ddof=1))
    wide = float(t.ppf((1 + LEVEL) / 2, n - 1)) * deviation
    of_bias = wide * sqrt(1 / n)
    of_limit = wide * sqrt(1 / n + _SPREAD**2 / (2 * (n - 1)))
    return (
        _around(bias, of_bias, n),
        _around(bias - _SPREAD * deviation, of_limit, n),
        _around(bias + _SPREAD * deviation, of_limit, n),
    )


def _around(value: float, width: float, n: int) -> Estimate:
    return Estimate(value, value - width, value + width, n)
