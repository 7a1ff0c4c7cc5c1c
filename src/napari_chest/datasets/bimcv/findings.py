"""The findings of the paper's table 4, and which of them the name of a ROI means.

Whether a name holds the finding's number, its English or its Spanish text is not documented, so
all of them are understood; any other name is a finding of its own.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

from napari_chest.findings import (
    CONSOLIDATION,
    CRAZY_PAVING,
    GROUND_GLASS,
    GROUND_GLASS_AND_CONSOLIDATION,
    INTERSTITIAL,
    INVERTED_HALO,
    NODULAR_CONSOLIDATION,
    OTHER,
    PLEURAL_EFFUSION,
    TREE_IN_BUD,
    VASCULAR_THICKENING,
    Finding,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from napari_chest.model import Modality, Segment

FINDINGS: Final[dict[int, Finding]] = {
    1: GROUND_GLASS,
    2: CONSOLIDATION,
    3: PLEURAL_EFFUSION,
    4: INTERSTITIAL,
    5: GROUND_GLASS,
    6: CRAZY_PAVING,
    7: INVERTED_HALO,
    8: VASCULAR_THICKENING,
    9: GROUND_GLASS_AND_CONSOLIDATION,
    10: NODULAR_CONSOLIDATION,
    11: CONSOLIDATION,
    12: TREE_IN_BUD,
    13: PLEURAL_EFFUSION,
    14: Finding(OTHER.code, "No findings", OTHER.color),
}
"""The findings by their numbers: 1 to 4 in radiographs, 5 to 13 in CT."""
RADIOGRAPH_FINDINGS: Final = (1, 2, 3, 4)
FIRST_CUSTOM: Final = 20
"""Segment value of the first ROI whose name is none of the findings'."""
UNNAMED: Final = "Unnamed region"

# The first pattern that is found decides, so what combines two findings stands before either.
# Numbers are those of radiographs and of CT.
_WORDS: Final = tuple(
    (re.compile(pattern), radiograph, ct)
    for pattern, radiograph, ct in (
        (r"no (rx|tac|ct|findings?|hallazgos?)\b|sin hallazgos?|^normal$", 14, 14),
        (r"(crazy|cobble|empedrado|adoquin)", 6, 6),
        (r"(halo)", 7, 7),
        (r"(vascular|vasos|vessel)", 8, 8),
        (r"(ground|deslustrado|esmerilado|ggo).*(consolid)", 9, 9),
        (r"(consolid).*(ground|deslustrado|esmerilado|ggo)", 9, 9),
        (r"(nodul|mass\b|masa\b)", 10, 10),
        (r"(bud\b|sprout|arbol)", 12, 12),
        (r"(ground ?-?glass|deslustrado|esmerilado|\bggo\b)", 1, 5),
        (r"(consolid)", 2, 11),
        (r"(pleural|peural|effusion|derrame)", 3, 13),
        (r"(interstit|intersticial)", 4, 4),
    )
)


def finding_number(name: str, modality: Modality) -> int | None:
    """The number of the finding that a ROI's name means; None where it is none of them."""
    plain = _plain(name)
    if re.fullmatch(r"0*\d{1,2}", plain):
        number = int(plain)
        return number if number in FINDINGS else None
    for pattern, radiograph, ct in _WORDS:
        if pattern.search(plain):
            return ct if modality == "CT" else radiograph
    return None


def mask_names(stored: Iterable[str]) -> list[str]:
    """A mask's name for each ROI in document order: as stored, or the finding of its number.

    A name that stands before already is made another by `unique_name`.
    """
    names: list[str] = []
    for name in stored:
        plain = name.strip()
        number = int(plain) if re.fullmatch(r"\d{1,2}", plain) else None
        shown = FINDINGS[number].name if number in FINDINGS else plain or UNNAMED
        names.append(unique_name(shown, names))
    return names


def unique_name(name: str, taken: Collection[str]) -> str:
    """The name, or the name with the first of 2, 3, ... that is not taken."""
    if name not in taken:
        return name
    number = 2
    while f"{name} {number}" in taken:
        number += 1
    return f"{name} {number}"


def segments_of(stored: Iterable[str], modality: Modality) -> list[Segment]:
    """The structure that each ROI shows, in document order; custom ones are counted from 20."""
    custom: dict[str, int] = {}
    segments = []
    for name in stored:
        number = finding_number(name, modality)
        if number is not None:
            segments.append(FINDINGS[number].segment(number))
            continue
        shown = name.strip() or UNNAMED
        value = custom.setdefault(shown.casefold(), min(FIRST_CUSTOM + len(custom), 255))
        segments.append(OTHER.segment(value, shown))
    return segments


def _plain(name: str) -> str:
    """The name without case, accents and repeated blanks."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    kept = "".join(c for c in decomposed if not unicodedata.combining(c))
    return " ".join(re.sub(r"[_\s]+", " ", kept).split())
