"""A small reading, and a person who corrects it by chance."""

import numpy as np

from napari_chest.edits import AnswerEdit, Draft
from napari_chest.model import CaseInfo, Mask, Reading, Segment, SliceLabels

SHAPE = (4, 6, 8)
CASE = CaseInfo("case-1", "Case 1", "CT")
SEGMENTS = (Segment(1, "GGO", "#56B4E9"), Segment(2, "consolidation", "#E69F00"))
COLUMNS = ("LUL", "RUL", "infected")
QUESTION = "severity"


def reading(reader="r1", seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, SHAPE, np.uint8)
    table = SliceLabels(COLUMNS, rng.integers(0, 2, (SHAPE[0], 3)).astype(bool))
    return Reading(reader, (Mask("opacity", labels, SEGMENTS),), table, {QUESTION: ("mild",)})


def new_draft(journal, base=None):
    """A draft that tells its moves to a journal, begun from what the dataset has."""
    base = base or reading()

    def record(move):
        journal.record(CASE.id, base.reader, move, draft.in_dataset)

    draft = Draft(CASE, base, record)
    return draft


def resumed_draft(journal, base=None):
    """A draft that goes on from what the journal has."""
    base = base or reading()
    found = journal.resume(CASE.id, base.reader, base)
    draft = Draft(CASE, base if found is None else found.whole(base))
    if found is not None:
        found.go_on(draft)
    return draft


def stroke(draft, z, value, name=None):
    """Paint one row of a slice."""
    box = (slice(z, z + 1), slice(1, 3), slice(0, SHAPE[2]))
    wanted = np.full((1, 2, SHAPE[2]), value, np.uint8)
    edit = draft.painted(name or f"paint {value} on slice {z + 1}", "opacity", box, wanted)
    if edit is not None:
        draft.do(edit)
    return edit


class Model:
    """What a reading should be, told by whole copies of its arrays."""

    def __init__(self, base):
        first = (base.masks[0].labels.copy(), base.slice_labels.values.copy(), dict(base.answers))
        self.done, self.undone = [first], []

    def push(self, state):
        self.done.append(state)
        self.undone.clear()

    @property
    def now(self):
        return self.done[-1]


def random_move(draft, model, rng):
    """Do one thing by chance to a draft, and to the model; says what, or None where nothing was."""
    labels, table, answers = model.now
    kind = rng.choice(["paint", "paint", "paint", "table", "answer", "undo", "redo"])
    if kind == "undo" and len(model.done) > 1:
        draft.undo()
        model.undone.append(model.done.pop())
    elif kind == "redo" and model.undone:
        draft.redo()
        model.done.append(model.undone.pop())
    elif kind == "paint":
        ends = (sorted(rng.integers(0, n, 2)) for n in SHAPE)
        box = tuple(slice(int(a), int(b) + 1) for a, b in ends)
        labels = labels.copy()
        value = int(rng.integers(0, 3))
        if (labels[box] == value).all():
            return None
        wanted = np.full(labels[box].shape, value, np.uint8)
        labels[box] = value
        draft.do(draft.painted("paint", "opacity", box, wanted))
        model.push((labels, table, answers))
    elif kind == "table":
        table = table.copy()
        table[int(rng.integers(0, SHAPE[0])), int(rng.integers(0, 3))] ^= True
        draft.do(draft.labelled("table", table))
        model.push((labels, table, answers))
    elif kind == "answer":
        answer = (str(rng.integers(0, 1000)),)
        if answers[QUESTION] == answer:
            return None
        draft.do(AnswerEdit("answer", QUESTION, answers[QUESTION], answer))
        model.push((labels, table, {QUESTION: answer}))
    else:
        return None
    return kind


def assert_is(draft, state):
    """Hold a draft against a state of the model."""
    now = draft.reading
    np.testing.assert_array_equal(now.masks[0].labels, state[0])
    np.testing.assert_array_equal(now.slice_labels.values, state[1])
    assert dict(now.answers) == state[2]


def assert_same(reading, other):
    """Hold two readings against each other."""
    assert [mask.name for mask in reading.masks] == [mask.name for mask in other.masks]
    for one, two in zip(reading.masks, other.masks, strict=True):
        np.testing.assert_array_equal(one.labels, two.labels)
    np.testing.assert_array_equal(reading.slice_labels.values, other.slice_labels.values)
    assert dict(reading.answers) == dict(other.answers)
