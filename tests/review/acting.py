"""Acts as tests do them: Ada adjudicates, Bob and Cy read."""

from napari_chest.review.acts import Begin, Decide, Enrol, OpenRound, Packed, Submit
from napari_chest.review.words import corrected_name, reading_name

START = 1_700_000_000.0
"""2023-11-14 22:13:20 UTC."""


def enrolled(target):
    """Let Ada, Bob and Cy take part, in a store or through a book."""
    acts = [Enrol(who=one, person=one, at=START) for one in ("Ada", "Bob", "Cy")]
    if hasattr(target, "with_act"):
        for act in acts:
            target = target.with_act(act)
        return target
    for act in acts:
        target.do(act)
    return target


def begin(case, reader, who=None, round_number=0, at=START):
    return Begin(who=who or reader, case=case, reader=reader, round=round_number, at=at)


def submit(case, reader, who=None, round_number=0, payload=b"voxels", at=START):
    name = reading_name(reader, round_number) if round_number else corrected_name("L1", reader)
    packed = Packed(name=name, of="" if round_number else "L1", base="", payload=payload)
    who = who or reader
    return Submit(who=who, case=case, reader=reader, round=round_number, readings=(packed,), at=at)


def decide(case, reader, state, seen, who="Ada", **more):
    return Decide(who=who, case=case, reader=reader, state=state, seen=seen, **more)


def open_round(number, who="Ada", **more):
    return OpenRound(who=who, number=number, title=f"Reading {number}", **more)
