"""The right and the left lung of a chest CT, found by classical means."""

from napari_chest.model import Segment
from napari_chest.tools.lungs.find import Lungs, lungs

LUNG_SEGMENTS = (
    Segment(1, "right lung", "#78D8FF", "RL"),
    Segment(2, "left lung", "#F0C000", "LL"),
)
"""The segments of the mask that `lungs` makes."""

__all__ = ["LUNG_SEGMENTS", "Lungs", "lungs"]
