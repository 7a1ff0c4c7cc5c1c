"""Ranges of HU that people paint and sort opacities by; pure.

Ground glass and consolidation part at -300 HU: of eight thresholds compared on CTs of suspected
COVID-19, this one told patients with and without the disease apart best (BMC Infect Dis 2021,
doi:10.1186/s12879-021-06556-z). Ground glass begins where Lung CT Analyzer, an extension of 3D
Slicer, ends inflated lung, at -750 HU. No paper was found for the upper end of consolidation; the
one here leaves out calcium, most bone and vessels full of contrast medium.
"""

from __future__ import annotations

from typing import NamedTuple

DENSE = -300.0
"""From here on, in HU, an opacity is consolidated."""


class Range(NamedTuple):
    """A range of HU with a name; both ends belong to it."""

    name: str
    low: float
    high: float


GROUND_GLASS = Range("Ground glass", -750, DENSE - 1)
CONSOLIDATION = Range("Consolidation", DENSE, 150)
OPACITY = Range("Any opacity", GROUND_GLASS.low, CONSOLIDATION.high)
AERATED = Range("Aerated lung", -950, GROUND_GLASS.low - 1)

RANGES = (GROUND_GLASS, CONSOLIDATION, OPACITY, AERATED)
