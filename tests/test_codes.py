"""Coded terms: standard codes are the standard's, the others say that they are local."""

from pydicom.sr._concepts_dict import concepts

from napari_chest import codes, findings
from napari_chest.model import Segment


def all_terms():
    for terms in (*codes.OF_FINDINGS.values(), *codes.OF_RICORD.values()):
        for term in (terms.category, terms.kind, terms.modifier, terms.region):
            if term is not None:
                yield term


def test_every_finding_has_terms():
    known = {one for one in vars(findings).values() if isinstance(one, findings.Finding)}
    assert set(codes.OF_FINDINGS) == known
    for finding in known:
        assert codes.terms_of(finding.segment(1)) == codes.OF_FINDINGS[finding]
        assert codes.terms_of(finding.segment(1, "Reader's word")) == codes.OF_FINDINGS[finding]


def test_standard_codes_stand_in_the_standard():
    """As pydicom ships the tables of PS3.16; of SNOMED CT's other concepts one is used."""
    standard = {term for term in all_terms() if term.scheme != codes.LOCAL_SCHEME}
    assert len(standard) > 8
    for term in standard - {codes.Term("46621007", "SCT", "Atelectasis")}:
        meanings = [
            meaning
            for names in concepts[term.scheme].values()
            for code, (meaning, _) in names.items()
            if code == term.value
        ]
        assert term.meaning in meanings


def test_terms_fit_their_elements_and_mean_one_thing_each():
    meanings = {}
    for term in all_terms():
        assert len(term.value) <= 16
        assert len(term.scheme) <= 16
        assert len(term.meaning) <= 64
        assert meanings.setdefault((term.scheme, term.value), term.meaning) == term.meaning


def test_labels_of_ricord_are_known_however_they_are_spelled():
    terms = codes.terms_of(Segment(1, " infectious  OPACITY", "#123456"))
    assert terms == codes.OF_RICORD["Infectious opacity"]
    assert terms.kind == codes.Term("112001", "DCM", "Opacity")
    assert len(set(codes.OF_RICORD.values())) == 6


def test_unknown_segments_are_coded_by_their_name():
    """Two letters alone decide nothing: elsewhere AT may be an artery."""
    artery = codes.terms_of(Segment(1, "Artery", "#000000", "AT"))
    assert artery.kind.scheme == codes.LOCAL_SCHEME
    assert artery.kind.meaning == "Artery"
    assert artery.kind.value == codes.terms_of(Segment(7, "artery ", "#FFFFFF")).kind.value
    assert artery.kind.value != codes.terms_of(Segment(1, "Vein", "#000000", "AT")).kind.value
    long = codes.terms_of(Segment(1, 100 * "n", "#000000")).kind
    assert (len(long.value), len(long.meaning)) == (16, 64)
