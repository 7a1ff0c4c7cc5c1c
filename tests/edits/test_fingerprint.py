"""A reading is known again by what it says, and by nothing else."""

from dataclasses import replace

import numpy as np

from napari_chest.edits import fingerprint
from napari_chest.model import Mask, Reading, Segment, SliceLabels


def labels(seed=0):
    return np.random.default_rng(seed).integers(0, 3, (4, 5, 6)).astype(np.uint16)


A = Mask("a", labels(1), ())
B = Mask("b", labels(2), ())
TABLE = SliceLabels(("LUL", "any"), np.eye(4, 2, dtype=bool), "any")
READING = Reading("r", (A, B), TABLE, {"q": ("yes", "no"), "p": ()})


def test_the_same_words_make_the_same_fingerprint():
    turned = replace(A, labels=np.asfortranarray(A.labels))
    foreign = replace(B, labels=B.labels.astype(">u2"), segments=(Segment(1, "x", "#ffffff"),))
    aid = Mask("lungs", labels(3), (), aid=True)
    same = Reading(
        "another",
        (foreign, aid, turned),
        TABLE.with_values(TABLE.values),
        {"p": (), "q": ("no", "yes")},
    )
    assert fingerprint(same) == fingerprint(READING)
    assert len(bytes.fromhex(fingerprint(READING))) == 32


def test_every_difference_makes_another_fingerprint():
    voxel = A.labels.copy()
    voxel[3, 4, 5] += 1
    cell = TABLE.values.copy()
    cell[3, 1] = True
    others = [
        replace(READING, masks=(A,)),
        replace(READING, masks=()),
        replace(READING, masks=(replace(A, labels=voxel), B)),
        replace(READING, masks=(replace(A, name="c"), B)),
        replace(READING, masks=(replace(A, name="b"), replace(B, name="a"))),
        replace(READING, masks=(replace(A, labels=A.labels.astype(np.uint8)), B)),
        replace(READING, masks=(replace(A, labels=A.labels.reshape(5, 4, 6)), B)),
        replace(READING, slice_labels=None),
        replace(READING, slice_labels=TABLE.with_values(cell)),
        replace(READING, slice_labels=SliceLabels(("LUL", "LLL"), TABLE.values)),
        replace(READING, answers={}),
        replace(READING, answers={"q": ("yes", "no"), "p": ("x",)}),
        replace(READING, answers={"q": ("yes",), "p": ()}),
        replace(READING, answers={"q": ("yes", "no")}),
        Reading("r"),
    ]
    found = [fingerprint(reading) for reading in (READING, *others)]
    assert len(set(found)) == len(found)
