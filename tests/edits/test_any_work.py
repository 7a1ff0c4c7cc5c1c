"""Any work on a draft, undone, packed, recorded and resumed, is what full copies say it is."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_chest.changes import compare
from napari_chest.edits import (
    LUNGS,
    AnswerEdit,
    Draft,
    Edit,
    MaskAdded,
    Move,
    Protection,
    decode_step,
    encode_step,
    settle,
)
from napari_chest.errors import ProtectedError
from napari_chest.model import CaseInfo, Mask, Reading, Segment, SliceLabels

CASE = CaseInfo("c", "C", "CT")
SHAPE = (4, 6, 5)
SEGMENTS = tuple(Segment(n, f"s{n}", "#ffffff") for n in (1, 2, 3))
IMAGE = np.random.default_rng(0).integers(-1000, 300, SHAPE).astype(np.int16)
COLUMNS = ("LUL", "RUL", "infected")


def first_reading():
    whole = np.zeros(SHAPE, np.uint8)
    whole[0:3, 1:4] = 1
    return Reading(
        "r",
        (
            Mask("whole", whole, SEGMENTS[:1]),
            Mask("other", (IMAGE > 0).astype(np.uint16) * 300, SEGMENTS),
        ),
        SliceLabels(COLUMNS, np.zeros((4, 3), bool), "infected"),
        {"q": ("no",)},
    )


@dataclass
class Model:
    """A draft told as plainly as can be: whole copies, and a list of all states."""

    masks: dict
    cells: np.ndarray
    answers: dict
    protection: Protection = field(default_factory=Protection)
    before: list = field(default_factory=list)
    after: list = field(default_factory=list)

    @property
    def state(self):
        return (
            {name: (mask, labels.copy()) for name, (mask, labels) in self.masks.items()},
            self.cells.copy(),
            dict(self.answers),
        )

    @state.setter
    def state(self, state):
        masks, self.cells, self.answers = state
        self.masks = {name: (mask, labels.copy()) for name, (mask, labels) in masks.items()}

    def step(self):
        self.before.append(self.state)
        self.after.clear()

    def labels(self, name):
        for mask, labels in self.masks.values():
            if mask.splits == name:
                return (labels != 0).astype(self.masks[name][1].dtype)
        return self.masks[name][1]

    def paint(self, name, box, value):
        labels = self.labels(name)
        wanted = labels.copy()
        wanted[box] = value
        rules, whole = self.protection, self.masks[name][0].splits
        ok = np.ones(SHAPE, bool)
        for owner, locked in rules.locks:
            if owner == name:
                ok &= (labels != locked) & (wanted != locked)
            if owner == whole:
                ok &= (labels != 0) == (wanted != 0)
        if rules.hounsfield:
            ok &= (rules.hounsfield[0] <= IMAGE) & (rules.hounsfield[1] >= IMAGE)
        if rules.inside and rules.inside[0] != name:
            ok &= np.isin(self.labels(rules.inside[0]), list(rules.inside[1]))
        if rules.slices:
            z = np.arange(SHAPE[0])[:, None, None]
            ok = ok & (z >= rules.slices[0]) & (z <= rules.slices[1])
        if rules.keep_others:
            ok &= (labels == 0) | (wanted == 0)
        after = np.where(ok, wanted, labels)
        if (after == labels).all():
            return False
        self.step()
        self.masks[name] = (self.masks[name][0], after)
        return True

    def label(self, wanted):
        after = settle(SliceLabels(COLUMNS, self.cells, "infected"), wanted)
        if self.protection.slices:
            first, last = self.protection.slices
            after[:first], after[last + 1 :] = self.cells[:first], self.cells[last + 1 :]
        if (after == self.cells).all():
            return False
        self.step()
        self.cells = after
        return True

    def undo(self):
        if self.before:
            self.after.append(self.state)
            self.state = self.before.pop()

    def redo(self):
        if self.after:
            self.before.append(self.state)
            self.state = self.after.pop()


def model_of(reading):
    return Model(
        {mask.name: (replace(mask, labels=mask.labels[:0]), mask.labels) for mask in reading.masks},
        reading.slice_labels.values,
        dict(reading.answers),
    )


def random_box(random):
    low = [int(random.integers(0, n)) for n in SHAPE]
    return tuple(slice(a, int(random.integers(a, n)) + 1) for a, n in zip(low, SHAPE, strict=True))


def random_protection(random, names):
    return Protection(
        frozenset((str(random.choice(names)), int(random.integers(1, 4))) for _ in range(2))
        if random.random() < 0.4
        else frozenset(),
        (-800, 100) if random.random() < 0.3 else None,
        (str(random.choice(names)), frozenset({1, 3})) if random.random() < 0.3 else None,
        (1, 2) if random.random() < 0.3 else None,
        keep_others=bool(random.random() < 0.3),
    )


class Work:
    """A draft at work beside its model, and what was recorded of it."""

    def __init__(self, reading):
        self.model = model_of(reading)
        self.recorded = []
        self.readings = [reading]
        self.draft = Draft(CASE, reading, record=self.recorded.append)

    def act(self, kind, seed):
        getattr(self, kind)(np.random.default_rng(seed))
        while len(self.readings) <= len(self.recorded):
            self.readings.append(self.draft.reading)

    def paint(self, random):
        names = [mask.name for mask in self.draft.masks()]
        name, box = str(random.choice(names)), random_box(random)
        value = int(random.integers(0, 2 if name == "whole" else 4))
        wanted = np.full_like(self.draft.mask_labels(name)[box], value)
        rules = self.draft.protection
        if rules.inside and rules.inside[0] not in {*names, "whole"}:
            with pytest.raises(ProtectedError):
                self.draft.painted("brush", name, box, wanted, IMAGE)
            return
        edit = self.draft.painted("brush", name, box, wanted, IMAGE)
        assert (edit is not None) == self.model.paint(name, box, value)
        if edit is not None:
            if random.random() < 0.3:
                edit.pack()
            self.draft.do(edit)

    def label(self, random):
        wanted = self.draft.labels.values ^ (random.random((4, 3)) < 0.2)
        edit = self.draft.labelled("cells", wanted)
        assert (edit is not None) == self.model.label(wanted)
        if edit is not None:
            self.draft.do(edit)

    def answer(self, random):
        question = str(random.choice(["q", "new"]))
        answers = tuple(map(str, random.integers(0, 9, random.integers(0, 3))))
        before = self.draft.answers.get(question)
        if before != answers:
            self.model.step()
            self.model.answers[question] = answers
            self.draft.do(AnswerEdit("answer", question, before, answers))

    def add(self, random):
        offers = {
            "parts": Mask("parts", self.model.labels("whole") * 3, SEGMENTS, splits="whole"),
            LUNGS: Mask(LUNGS, (IMAGE < -500).astype(np.uint8), SEGMENTS[:2], aid=True),
            "plain": Mask("plain", np.zeros(SHAPE, np.uint16), SEGMENTS),
        }
        name = str(random.choice(list(offers)))
        if name not in self.model.masks:
            self.model.step()
            outline = replace(offers[name], labels=offers[name].labels[:0])
            self.model.masks[name] = (outline, offers[name].labels)
            self.draft.do(MaskAdded("add", offers[name]))

    def protect(self, random):
        names = ["whole", "other", "parts", LUNGS]
        self.model.protection = self.draft.protection = random_protection(random, names)

    def undo(self, random):
        self.model.undo()
        self.draft.undo()

    def redo(self, random):
        self.model.redo()
        self.draft.redo()

    def pack(self, random):
        steps = [move.step for move in self.recorded if move.step is not None]
        if steps:
            steps[random.integers(len(steps))].pack()

    def save(self, random):
        self.draft.mark_saved(self.draft.reading, in_dataset=bool(random.integers(2)))


def assert_same(draft, model):
    told_apart = {mask.splits for mask, _ in model.masks.values()}
    assert {mask.name for mask in draft.masks()} == model.masks.keys() - told_apart
    for name in model.masks:
        np.testing.assert_array_equal(draft.mask_labels(name), model.labels(name))
        counts = np.bincount(model.labels(name).ravel(), minlength=draft.voxels(name).size)
        np.testing.assert_array_equal(draft.voxels(name), counts)
    np.testing.assert_array_equal(draft.labels.values, model.cells)
    assert draft.answers == model.answers
    reading = draft.reading
    aids = {name for name, (mask, _) in model.masks.items() if mask.aid}
    assert {mask.name for mask in reading.masks} == model.masks.keys() - aids
    for change, before in (
        (draft.change, draft.saved),
        (draft.change_to_dataset, draft.in_dataset),
    ):
        expected = compare(before, reading)
        assert set(change.masks) == set(expected.masks)
        assert (change.cells, change.answers) == (expected.cells, expected.answers)
    assert (draft.undoable is None) == (not model.before)
    assert (draft.redoable is None) == (not model.after)


ACTIONS = ["paint"] * 5 + ["undo"] * 3 + ["redo"] * 2
ACTIONS += ["label", "answer", "add", "add", "protect", "pack", "save"]
work = st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 2**32 - 1)), max_size=40)


@settings(max_examples=150, deadline=None)
@given(work)
def test_any_work_is_what_full_copies_say(actions):
    done = Work(first_reading())
    for kind, seed in actions:
        done.act(kind, seed)
        assert_same(done.draft, done.model)
    while done.model.before:
        done.act("undo", 0)
        assert_same(done.draft, done.model)
    while done.model.after:
        done.act("redo", 0)
    assert_same(done.draft, done.model)


def as_recorded(moves):
    """Moves as they are read from disk; undo and redo name no step of their own there."""
    return [
        Move(m.kind, decode_step(encode_step(m.step)) if m.kind == "do" else None) for m in moves
    ]


@settings(max_examples=150, deadline=None)
@given(work, st.data())
def test_work_goes_on_from_any_reading_that_was_saved(actions, data):
    """Whenever the dataset was written, everything recorded comes back and can be undone."""
    done = Work(first_reading())
    for kind, seed in actions:
        done.act(kind, seed)
    start = data.draw(st.integers(0, len(done.recorded)))
    heard = []
    resumed = Draft(CASE, done.readings[start], record=heard.append)
    resumed.resume(as_recorded(done.recorded), start)
    assert heard == []
    model = done.model
    assert_same(resumed, model)
    while model.before:
        model.undo()
        resumed.undo()
        assert_same(resumed, model)
    while model.after:
        model.redo()
        resumed.redo()
        assert_same(resumed, model)
    assert {move.kind for move in heard} <= {"undo", "redo"}


def test_what_was_recorded_is_told_move_by_move():
    heard = []
    draft = Draft(CASE, first_reading(), record=heard.append)
    box = (slice(0, 1), slice(0, 2), slice(0, 2))
    edit = draft.painted("brush", "other", box, np.full((1, 2, 2), 2, np.uint16))
    assert heard == []
    draft.do(edit)
    draft.undo()
    draft.undo()
    draft.redo()
    draft.redo()
    draft.mark_saved(draft.reading, in_dataset=False)
    draft.mark_saved(draft.reading, in_dataset=True)
    assert [move.kind for move in heard] == ["do", "undo", "redo", "export", "write back"]
    assert [move.step for move in heard] == [edit, edit, edit, None, None]


def test_a_refused_step_is_neither_told_nor_counted():
    heard = []
    draft = Draft(CASE, first_reading(), record=heard.append)
    box = (slice(0, 1), slice(0, 2), slice(0, 2))
    late = draft.painted("brush", "other", box, np.full((1, 2, 2), 3, np.uint16))
    draft.voxels("other")
    draft.do(draft.painted("brush", "other", box, np.full((1, 2, 2), 2, np.uint16)))
    change, voxels = draft.change, draft.voxels("other").copy()
    with pytest.raises(ProtectedError):
        draft.do(late)
    assert draft.change == change
    np.testing.assert_array_equal(draft.voxels("other"), voxels)
    assert len(heard) == 1


def brush(value, reading):
    draft = Draft(CASE, reading)
    box = (slice(0, 1), slice(0, 2), slice(0, 2))
    return draft.painted("brush", "other", box, np.full((1, 2, 2), value, np.uint16))


@pytest.mark.parametrize(
    "moves",
    [
        [Move("undo")],
        [Move("redo")],
        [Move("do")],
        [Move("do", brush(2, first_reading())), Move("undo"), Move("undo")],
        [Move("do", brush(2, first_reading())), Move("redo")],
    ],
)
@pytest.mark.parametrize("shown", [False, True])
def test_moves_that_lack_their_step_are_refused(moves, shown):
    draft = Draft(CASE, first_reading())
    with pytest.raises(ProtectedError, match="What was recorded is damaged"):
        draft.resume(moves, len(moves) if shown else 0)


def test_moves_that_were_made_from_another_reading_are_refused():
    other = replace(first_reading(), masks=(Mask("other", np.full(SHAPE, 7, np.uint16), SEGMENTS),))
    draft = Draft(CASE, first_reading())
    with pytest.raises(ProtectedError, match="changed meanwhile"):
        draft.resume([Move("do", brush(2, other))], 0)
    foreign = Edit("e", "mask other", (slice(9, 10),) * 3, *np.zeros((2, 1, 1, 1), np.uint16))
    draft.resume([Move("do", foreign)], 1)
    with pytest.raises(ProtectedError, match="has no place"):
        draft.undo()
    np.testing.assert_array_equal(draft.mask_labels("other"), first_reading().masks[1].labels)


def test_what_was_exported_is_saved_again_after_resuming():
    reading = first_reading()
    moves = [Move("do", brush(2, reading)), Move("export")]
    draft = Draft(CASE, reading)
    draft.resume(moves, 0)
    assert not draft.change
    assert draft.change_to_dataset
    assert draft.touched
    late = Draft(CASE, draft.reading)
    late.resume(moves, 2)
    assert not late.change
    assert not late.change_to_dataset
    assert late.touched
