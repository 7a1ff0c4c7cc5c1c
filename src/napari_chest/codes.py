"""Coded terms of what readers mark, as DICOM asks for them; pure.

A standard code is one that DICOM PS3.16 lists (SNOMED CT as SCT, DICOM's own as DCM); atelectasis,
which it does not list, is SNOMED CT's own concept. Everything else has a code of the local scheme
99NAPARICHEST, since no standard one is known to mean exactly it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from napari_chest import findings

if TYPE_CHECKING:
    from napari_chest.model import Segment

LOCAL_SCHEME: Final = "99NAPARICHEST"
_LONGEST_MEANING: Final = 64


@dataclass(frozen=True)
class Term:
    """A coded term (DICOM PS3.3 section 8): at most 16, 16 and 64 characters.

    Attributes
    ----------
    value : the code.
    scheme : the designator of its coding scheme: SCT, DCM or the local one.
    meaning : what it means, in English.
    """

    value: str
    scheme: str
    meaning: str


@dataclass(frozen=True)
class SegmentTerms:
    """What a segment shows.

    Attributes
    ----------
    category : the broad kind of thing.
    kind : the thing itself.
    modifier : what narrows the kind, if anything does.
    region : where in the body it is, as far as the kind says.
    """

    category: Term
    kind: Term
    modifier: Term | None = None
    region: Term | None = None


_TISSUE = Term("85756007", "SCT", "Tissue")
_ABNORMAL = Term("49755003", "SCT", "Morphologically Abnormal Structure")
_LUNG = Term("39607008", "SCT", "Lung")
_PLEURA = Term("3120008", "SCT", "Pleura")
_INFECTIOUS = Term("INFECTIOUS", LOCAL_SCHEME, "Infectious")
_NONINFECTIOUS = Term("NONINFECTIOUS", LOCAL_SCHEME, "Not infectious")

_OPACITY = Term("112001", "DCM", "Opacity")
_TREE_IN_BUD = Term("112127", "DCM", "Tree-in-bud sign")
_CAVITY = Term("CAVITY", LOCAL_SCHEME, "Cavity")
_ATELECTASIS = Term("46621007", "SCT", "Atelectasis")


def _local(value: str, meaning: str) -> Term:
    return Term(value, LOCAL_SCHEME, meaning)


def _in_lung(kind: Term, modifier: Term | None = None) -> SegmentTerms:
    return SegmentTerms(_ABNORMAL, kind, modifier, _LUNG)


OF_FINDINGS: Final = {
    findings.GROUND_GLASS: _in_lung(Term("112120", "DCM", "Ground glass opacity")),
    findings.CONSOLIDATION: _in_lung(_local("CONSOLIDATION", "Consolidation")),
    findings.PLEURAL_EFFUSION: SegmentTerms(
        _ABNORMAL, Term("60046008", "SCT", "Pleural effusion"), region=_PLEURA
    ),
    findings.INTERSTITIAL: _in_lung(Term("112004", "DCM", "Abnormal interstitial pattern")),
    findings.CRAZY_PAVING: _in_lung(_local("CRAZY_PAVING", "Crazy paving pattern")),
    findings.INVERTED_HALO: _in_lung(_local("INVERTED_HALO", "Inverted halo sign")),
    findings.VASCULAR_THICKENING: _in_lung(_local("VASC_THICKENING", "Vascular thickening")),
    findings.GROUND_GLASS_AND_CONSOLIDATION: _in_lung(
        _local("GGO_CONSOLID", "Ground glass opacity and consolidation")
    ),
    findings.NODULAR_CONSOLIDATION: _in_lung(
        _local("NODULAR_CONSOLID", "Nodular consolidation or mass")
    ),
    findings.TREE_IN_BUD: _in_lung(_TREE_IN_BUD),
    findings.OPACITY: _in_lung(_OPACITY),
    findings.CAVITY: _in_lung(_CAVITY),
    findings.ATELECTASIS: _in_lung(_ATELECTASIS),
    findings.OTHER: SegmentTerms(_ABNORMAL, _local("OTHER_FINDING", "Other finding")),
}

OF_RICORD: Final = {
    "Infectious opacity": _in_lung(_OPACITY, _INFECTIOUS),
    "Infectious TIB/micronodules": _in_lung(
        _local("TIB_MICRONODULES", "Tree-in-bud sign or micronodules"), _INFECTIOUS
    ),
    "Infectious cavity": _in_lung(_CAVITY, _INFECTIOUS),
    "Noninfectious nodule/mass": _in_lung(
        _local("NODULE_OR_MASS", "Nodule or mass"), _NONINFECTIOUS
    ),
    "Atelectasis": _in_lung(_ATELECTASIS),
    "Other noninfectious opacity": _in_lung(_OPACITY, _NONINFECTIOUS),
}
"""By the names of the labels of MIDRC-RICORD."""


def _key(name: str) -> str:
    return " ".join(name.split()).casefold()


_BY_NAME: Final = {_key(finding.name): terms for finding, terms in OF_FINDINGS.items()} | {
    _key(name): terms for name, terms in OF_RICORD.items()
}
# Both, since other people's label files may use the same two letters for something else.
_BY_LOOK: Final = {(one.code, one.color): terms for one, terms in OF_FINDINGS.items()}


def terms_of(segment: Segment) -> SegmentTerms:
    """The terms of a segment: by its name, else by the code and colour of a finding.

    Any other segment is a tissue of a local kind, whose code follows from its name alone.
    """
    key = _key(segment.name)
    known = _BY_NAME.get(key) or _BY_LOOK.get((segment.code, segment.color))
    if known is not None:
        return known
    mark = hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:8].upper()
    return SegmentTerms(
        _TISSUE, _local(f"SEGMENT_{mark}", segment.name[:_LONGEST_MEANING] or "Unnamed")
    )
