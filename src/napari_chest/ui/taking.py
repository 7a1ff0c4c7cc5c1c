"""Decisions: what is taken goes into the adjudicated reading and into the log, both ways."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_chest.edits import Edit
from napari_chest.errors import ProtectedError
from napari_chest.model import MaskOffer
from napari_chest.review.acts import Adjudicate, TakeBack
from napari_chest.review.deciding import (
    Target,
    agreed,
    answer_taken,
    cell_taken,
    voxels_taken,
)
from napari_chest.review.words import ADJUDICATED
from napari_chest.ui.wording import count

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from napari_chest.edits import Draft, Step
    from napari_chest.model import Reading
    from napari_chest.review.disagreement import Component, Disagreements
    from napari_chest.review.words import Choice, Decision
    from napari_chest.ui.canvas import Canvas
    from napari_chest.ui.session import Session

    Staple = Mapping[str, npt.NDArray[Any]]

_NO_DESK = "There is no review of this dataset, so nothing can be decided."
_NOT_CHANGED = "Nothing was taken"


@dataclass(frozen=True, eq=False)
class _Made:
    """The steps that came of a decision, and its id."""

    decision: str
    steps: tuple[Step, ...]

    def holds(self, step: Step | None) -> bool:
        """Whether a step is one of these, and not only alike."""
        return any(step is one for one in self.steps)


@dataclass(eq=False)
class _Outcome:
    """What came of a decision while it is made.

    Attributes
    ----------
    steps : what was done.
    held : how many voxels and cells protection kept, by what they are.
    left : what could not be taken, and why.
    """

    steps: list[Step]
    held: Counter[str] = field(default_factory=Counter)
    left: tuple[str, ...] = ()


class Taking:
    """Takes what readers say into the adjudicated reading of the open case."""

    def __init__(self, session: Session, canvas: Canvas) -> None:
        self._session = session
        self._canvas = canvas
        self._made: list[_Made] = []
        self._busy = False

    def forget(self) -> None:
        """Let go of the steps of a case that is left."""
        self._made.clear()

    def why_not(self) -> str:
        """Why this person may decide nothing; empty where they may."""
        desk = self._session.desk
        if desk is None:
            return _NO_DESK
        book = desk.book
        # Who is the first to do anything in a store becomes an adjudicator by it.
        if book.is_adjudicator(desk.person) or (book.is_empty() and desk.state.connected):
            return ""
        return f"Only adjudicators decide, and {desk.person} is a reader. You can look at it all."

    def take(
        self,
        choice: Choice,
        target: Target,
        found: Disagreements,
        reason: str = "",
        staple: Staple | None = None,
    ) -> str:
        """Decide about something, as one step that can be undone; returns what came of it.

        Parameters
        ----------
        choice, target, found : what is taken, of what.
        reason : why.
        staple : what STAPLE makes of the masks, where that is the choice.
        """
        refusal = self.why_not() or self._begin(found)
        if refusal:
            return refusal
        name = f"{_title(choice, found)}: {target.about}"
        outcome = _Outcome([])
        self._busy = True
        try:
            if choice != "painted":
                self._do(name, choice, target, found, staple or {}, outcome)
        except ProtectedError as error:
            self._undo(outcome.steps)
            return str(error)
        finally:
            self._busy = False
        return self._log(name, choice, target, found, reason, outcome)

    def reopen(self, decision: Decision) -> str:
        """Take a decision back: by undoing its step where that is the last one."""
        draft = self._draft
        made = next((one for one in self._made if one.decision == decision.id), None)
        if made is not None and draft is not None and made.holds(draft.undoable):
            self._session.undo()
            return f"{decision.about}: undone, and open again."
        self._take_back(decision.id, undone=True)
        return f"{decision.about}: open again; what is painted there stays."

    def follow(self, step: Step | None) -> bool:
        """Take note of a step of the reading on screen: a decision goes and comes with its own.

        A decision about several masks is undone and done again as a whole. Returns whether a
        decision went or came.
        """
        draft = self._draft
        if self._busy or step is None or draft is None:
            return False
        undone = draft.redoable is step
        made = next((one for one in self._made if one.holds(step)), None)
        if made is None:
            return self._follow_older(step, undone=undone)
        self._busy = True
        try:
            while made.holds(draft.undoable if undone else draft.redoable):
                _ = self._session.undo() if undone else self._session.redo()
        finally:
            self._busy = False
        self._take_back(made.decision, undone=undone)
        return True

    # Steps of these

    @property
    def _draft(self) -> Draft | None:
        """The adjudicated reading, where it is on screen."""
        draft = self._session.draft
        return draft if draft is not None and draft.saved.reader == ADJUDICATED else None

    def _begin(self, found: Disagreements) -> str:
        """Have the adjudicated reading on screen; returns why it cannot be changed."""
        self._canvas.flush()
        if self._draft is None:
            view = self._canvas.axes.view
            self._session.adjudicate(self._agreed(found))
            self._canvas.axes.look_at(view)
        draft = self._draft
        return "This case has no reading to adjudicate." if draft is None else draft.read_only

    def _agreed(self, found: Disagreements) -> Reading | None:
        """What the adjudicated reading begins with."""
        case, dataset = self._session.open_case, self._session.dataset
        if case is None or dataset is None:
            return None
        standing = (self._session.standing(reader) for reader in found.readers)
        readings = [reading for reading in standing if reading is not None]
        of_dataset = [one for one in case.readings if one.reader not in case.kept]
        target = dataset.adjudicated_as(of_dataset)
        base = next((one for one in of_dataset if one.reader == target), None)
        return agreed(readings, dataset.questions, base)

    def _do(
        self,
        name: str,
        choice: Choice,
        target: Target,
        found: Disagreements,
        staple: Staple,
        outcome: _Outcome,
    ) -> None:
        by_mask: dict[str, list[Component]] = defaultdict(list)
        for component in target.components:
            by_mask[component.mask].append(component)
        for mask, components in by_mask.items():
            part = replace(target, components=tuple(components))
            self._do_mask(name, choice, mask, part, found, staple.get(mask), outcome)
        if target.runs:
            self._do_cells(name, choice, target, outcome)
        if target.answers:
            self._do_answers(choice, target, outcome)

    def _do_mask(
        self,
        name: str,
        choice: Choice,
        mask: str,
        target: Target,
        found: Disagreements,
        staple: npt.NDArray[Any] | None,
        outcome: _Outcome,
    ) -> None:
        """Bring the components of a mask to what the choice makes of them."""
        draft = self._draft
        assert draft is not None
        if mask not in {one.name for one in draft.masks()}:
            self._session.add_mask(MaskOffer(name, mask, found.segments[mask]))
            self._note(draft, outcome)
        z = target.slice
        corner, box = _box(target.components, z)
        votes = found.labels[mask]
        now = draft.mask_labels(mask)
        wanted = now[box].astype(np.result_type(now, *votes))
        for one in target.components:
            where = found.where(one)
            taken = voxels_taken(choice, found, one, staple)
            if z is not None:
                here = slice(z - one.box[0][0], z - one.box[0][0] + 1)
                where, taken = where[here], taken[here]
            first = one.box[0][0] if z is None else z
            start = (first, one.box[1][0], one.box[2][0])
            place = tuple(
                slice(at - low, at - low + length)
                for at, low, length in zip(start, corner, where.shape, strict=True)
            )
            np.copyto(wanted[place], taken, where=where, casting="unsafe")
        if self._session.paint(name, mask, box, wanted) is not None:
            self._note(draft, outcome)
        held = draft.mask_labels(mask)[box] != wanted
        outcome.held["protected voxel"] += int(np.count_nonzero(held))

    def _do_cells(self, name: str, choice: Choice, target: Target, outcome: _Outcome) -> None:
        draft = self._draft
        assert draft is not None
        labels = draft.labels
        left = []
        if labels is None:
            outcome.left += ("the adjudicated reading has no slice labels",)
            return
        values = labels.values.copy()
        for run in target.runs:
            taken = cell_taken(choice, run)
            if run.column not in labels.columns or taken is None:
                left.append(f"nothing is said of {run.about}")
            else:
                values[run.first : run.last + 1, labels.columns.index(run.column)] = taken
        if self._session.edit(name, values) is not None:
            self._note(draft, outcome)
        now = draft.labels
        asked = [name in {run.column for run in target.runs} for name in labels.columns]
        if now is not None:
            held = (now.values != values)[:, asked]
            outcome.held["protected cell"] += int(np.count_nonzero(held))
        outcome.left += tuple(left)

    def _do_answers(self, choice: Choice, target: Target, outcome: _Outcome) -> None:
        draft, dataset = self._draft, self._session.dataset
        assert draft is not None
        topics = {one.key: one.topic for one in dataset.questions} if dataset else {}
        for one in target.answers:
            taken = answer_taken(choice, one)
            key = next((key for key in draft.answers if topics.get(key, key) == one.topic), None)
            if key is None:
                outcome.left += (f"the adjudicated reading is not asked “{one.text}”",)
            elif taken is None:
                outcome.left += (f"“{one.text}” has no such answer",)
            elif draft.answers[key] != taken:
                self._session.answer(key, taken)
                self._note(draft, outcome)

    def _note(self, draft: Draft, outcome: _Outcome) -> None:
        """Remember the step that was just done."""
        step = draft.undoable
        if step is not None and not any(step is one for one in outcome.steps):
            outcome.steps.append(step)

    def _log(
        self,
        name: str,
        choice: Choice,
        target: Target,
        found: Disagreements,
        reason: str,
        outcome: _Outcome,
    ) -> str:
        """Log what was decided, unless all of it was refused; returns what came of it."""
        draft, desk, case = self._draft, self._session.desk, self._session.open_case
        assert desk is not None
        assert case is not None
        if draft is None or draft.read_only:
            return draft.read_only if draft is not None else ""
        asked = len(target.components) + len(target.runs) + len(target.answers)
        held = {what: number for what, number in outcome.held.items() if number}
        if not outcome.steps and (held or len(outcome.left) == asked):
            why = "what it would change is protected" if held else "; ".join(outcome.left)
            return f"{_NOT_CHANGED}: {why}."
        act = Adjudicate(
            who=desk.person,
            case=case.info.id,
            choice=choice,
            scope=target.scope,
            readers=found.readers,
            about=target.about,
            mask=target.mask,
            box=target.box,
            reason=reason,
        )
        self._made.append(_Made(act.id, tuple(outcome.steps)))
        desk.do(act)
        said = [f"{name}."]
        said += [f"Not changed: {count(number, what)}." for what, number in held.items()]
        said += [f"{text[0].upper()}{text[1:]}." for text in outcome.left]
        return " ".join(said)

    def _undo(self, steps: Sequence[Step]) -> None:
        """Take back what was done of a decision that was refused half way."""
        draft = self._draft
        while draft is not None and any(draft.undoable is step for step in steps):
            self._session.undo()

    def _take_back(self, decision: str, *, undone: bool) -> None:
        desk, case = self._session.desk, self._session.open_case
        if desk is not None and case is not None:
            desk.do(TakeBack(who=desk.person, case=case.info.id, decision=decision, undone=undone))

    def _follow_older(self, step: Step, *, undone: bool) -> bool:
        """The same of a step that was made before this window was opened: by its name."""
        desk, case = self._session.desk, self._session.open_case
        if desk is None or case is None or not isinstance(step, Edit):
            return False
        for one in reversed(desk.book.decisions(case.info.id)):
            name = f"{_verb(one.choice, one.readers)}: {one.about}"
            if one.undone != undone and step.name == name:
                self._take_back(one.id, undone=undone)
                return True
        return False


def _title(choice: Choice, found: Disagreements) -> str:
    return _verb(choice, found.readers)


def _verb(choice: Choice, readers: Sequence[str]) -> str:
    """What was done, as a step is called: ``take Anna``."""
    if choice in ("A", "B"):
        return f"take {readers['AB'.index(choice)]}"
    return "decided as painted" if choice == "painted" else f"take {choice}"


def _box(
    components: Sequence[Component], z: int | None
) -> tuple[tuple[int, ...], tuple[slice, ...]]:
    """Corner and box around components, or around what of them lies on one slice."""
    parts = [
        (min(one.box[axis][0] for one in components), max(one.box[axis][1] for one in components))
        for axis in range(3)
    ]
    if z is not None:
        parts[0] = (z, z + 1)
    return tuple(start for start, _ in parts), tuple(slice(*part) for part in parts)
