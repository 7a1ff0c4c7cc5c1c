"""The findings of chest imaging that datasets annotate, each with one colour everywhere; pure.

The colours were computed for an overlay on lung in a lung window: apart from each other and from
the greys, also for people with a colour vision deficiency. The findings 1 to 14 of BIMCV COVID-19
are those of table 4 of its paper (arXiv:2006.01174).
"""

from __future__ import annotations

from dataclasses import dataclass

from napari_chest.model import Segment


@dataclass(frozen=True)
class Finding:
    """Something a reader marks in an image.

    Attributes
    ----------
    code : two letters, shown where colours do not suffice.
    name : its English name.
    color : ``#RRGGBB``.
    """

    code: str
    name: str
    color: str

    def segment(self, value: int, name: str | None = None) -> Segment:
        """The finding as a structure of a mask, under its own or another name."""
        return Segment(value, name or self.name, self.color, self.code)


GROUND_GLASS = Finding("GG", "Ground glass", "#56B4E9")
CONSOLIDATION = Finding("CO", "Consolidation", "#E69F00")
PLEURAL_EFFUSION = Finding("PE", "Pleural effusion", "#906090")
INTERSTITIAL = Finding("IN", "Interstitial pattern", "#489000")
CRAZY_PAVING = Finding("CP", "Crazy paving", "#F04848")
INVERTED_HALO = Finding("IH", "Inverted halo", "#30FFA8")
VASCULAR_THICKENING = Finding("VT", "Vascular thickening", "#FFF018")
GROUND_GLASS_AND_CONSOLIDATION = Finding("GC", "Ground glass and consolidation", "#1860D8")
NODULAR_CONSOLIDATION = Finding("NO", "Nodular consolidation or mass", "#A84800")
TREE_IN_BUD = Finding("TB", "Tree-in-bud", "#78A878")
OPACITY = Finding("OP", "Opacity", "#C090C0")
CAVITY = Finding("CA", "Cavity", "#78D8FF")
ATELECTASIS = Finding("AT", "Atelectasis", "#F0C000")
OTHER = Finding("OT", "Other", "#4878FF")
