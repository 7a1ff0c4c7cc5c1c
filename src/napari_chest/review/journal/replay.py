"""What was recorded of a reading, and how work on it goes on from there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from napari_chest.edits import (
    AnswerEdit,
    Edit,
    MaskAdded,
    Move,
    decode_step,
    encode_step,
    fingerprint,
    mask_of,
)
from napari_chest.errors import ChestError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_chest.edits import Draft, Step
    from napari_chest.model import Mask, Reading

BEGIN = "begin"
"""The first row of a log: the reading that the dataset had then."""

HAD = "had"
"""A mask that the reading had when a log began, without its labels."""

HANDED = "handed"
"""A reading as it stood when it was handed over to be saved."""

STEPS = ("do", "undo", "redo")
_MAX_BYTES = 2**31


class JournalMismatch(ChestError):  # noqa: N818
    """What was recorded of a reading does not fit the reading that the dataset has now."""


@dataclass
class Row:
    """One line of a log.

    Attributes
    ----------
    id : unique among all rows of all programs.
    kind : `BEGIN`, `HANDED` or the kind of a move.
    at : when it was recorded, in seconds since 1970.
    step : of a move that does something.
    payload : the step as bytes.
    fingerprint : `state_of` the reading, for `BEGIN`, `HANDED` and some saves.
    """

    id: str
    kind: str
    at: float
    step: Step | None = None
    payload: bytes | None = None
    fingerprint: str = ""

    def encoded(self) -> bytes | None:
        """The step as bytes; packed from now on."""
        if self.payload is not None or self.step is None:
            return self.payload
        self.step.pack()
        return encode_step(self.step)


@dataclass
class Log:
    """All that was recorded of one reading since it was last as the dataset had it.

    Attributes
    ----------
    id : unique among all logs.
    case, reader : of the reading.
    rows : from its beginning on.
    written : how many of them are on disk.
    """

    id: str
    case: str
    reader: str
    rows: list[Row] = field(default_factory=list)
    written: int = 0

    def hold(self, resumed: Resumed) -> None:
        """Let the rows hold the steps that were made of them, not their bytes as well."""
        rows = [row for row in self.rows if row.kind in STEPS]
        moves = [move for move in resumed.moves if move.kind in STEPS]
        for row, move in zip(rows, moves, strict=True):
            if row.kind == "do":
                row.step, row.payload = move.step, None


@dataclass(frozen=True)
class Resumed:
    """What was recorded of a reading.

    Attributes
    ----------
    moves : all moves since the last discard.
    start : the moves before this one show in the dataset's reading already.
    had : the masks that the reading had when the log began, each as it is when it is empty.
    written_back : whether the last save was into the dataset.
    """

    moves: tuple[Move, ...]
    start: int
    had: tuple[MaskAdded, ...] = ()
    written_back: bool = False

    def whole(self, reading: Reading) -> Reading:
        """The dataset's reading with the masks and questions that were there when it was saved.

        A dataset may keep nothing of a mask that is empty, or more than was there: an empty mask,
        or one that tells nothing apart. And it may have nothing more of a reader who says nothing.
        """
        there = {step.outline.name: step for step in self.had}
        asked: dict[str, tuple[str, ...]] = {}
        for n, move in enumerate(self.moves):
            step = move.step
            if isinstance(step, MaskAdded) and n < self.start:
                there.pop(step.outline.name, None)
                if move.kind != "undo":
                    there[step.outline.name] = step
            elif isinstance(step, AnswerEdit) and step.before is not None:
                asked[step.question] = ()
        known = {mask.name for mask in reading.masks}
        masks = [mask for mask in reading.masks if mask.name in there]
        missing = [step for step in self.had if step.outline.name in there.keys() - known]
        masks += [_begun(step.mask, reading) for step in missing]
        return replace(reading, masks=tuple(masks), answers={**asked, **reading.answers})

    def go_on(self, draft: Draft) -> None:
        """Bring a draft of the `whole` reading to the state that was recorded last.

        Raises
        ------
        ProtectedError
            when a move does not fit the state that those before it led to.
        """
        masks = {mask.name for mask in draft.in_dataset.masks}
        for n, move in enumerate(self.moves):
            if move.kind == "export":
                draft.mark_saved(draft.reading, in_dataset=False)
            elif move.step is not None:
                # A dataset has no aids, and not every one keeps a mask that is empty: all moves of
                # a mask that is not there have to be made again.
                mask = _mask_of(move.step)
                shown = n < self.start and (mask is None or mask in masks)
                draft.resume([move], int(shown))
        draft.written_back = self.written_back


def state_of(reading: Reading) -> str:
    """By which a state of a reading is known again.

    What says nothing counts for nothing: masks that are empty or tell nothing apart, and questions
    without an answer.
    """
    masks = tuple(mask for mask in reading.masks if _says_something(mask))
    answers = {question: answer for question, answer in reading.answers.items() if answer}
    return fingerprint(replace(reading, masks=masks, answers=answers))


def _says_something(mask: Mask) -> bool:
    if mask.splits is None:
        return bool(mask.labels.any())
    rest = mask.segments[-1].value
    return any(((plane != 0) & (plane != rest)).any() for plane in mask.labels)


def _begun(mask: Mask, reading: Reading) -> Mask:
    """A mask that a reading has not, as it begins: one that tells another apart is filled."""
    whole = next((other for other in reading.masks if other.name == mask.splits), None)
    if whole is None:
        return mask
    rest = mask.labels.dtype.type(mask.segments[-1].value)
    return replace(mask, labels=(whole.labels != 0) * rest)


def replay(rows: Sequence[Row], present: str) -> Resumed | None:
    """How work goes on from the reading that the dataset has now; None where it has another one.

    Parameters
    ----------
    rows : of one log, in their order.
    present : `state_of` the reading that the dataset has now.

    Raises
    ------
    ValueError
        when the rows are damaged.
    """
    if not rows or rows[0].kind != BEGIN:
        raise ValueError("its beginning is missing")
    if sum(len(row.payload or b"") for row in rows) > _MAX_BYTES:
        raise ValueError(f"it is larger than {_MAX_BYTES:,} bytes")
    anchors = [n for n, row in enumerate(rows) if row.fingerprint == present]
    if not anchors:
        return None
    steps = iter(_steps(rows))
    exported = _exported(rows)
    moves: list[Move] = []
    start = 0
    for n, row in enumerate(rows):
        if n == anchors[-1]:
            start = len(moves)
        if row.kind in STEPS:
            moves.append(Move(row.kind, next(steps)))  # type: ignore[arg-type]
        elif n in exported and n > anchors[-1]:
            moves.append(Move("export"))
    had = (row.step or decode_step(row.payload or b"") for row in rows if row.kind == HAD)
    masks = tuple(step for step in had if isinstance(step, MaskAdded))
    saves = [row.kind for row in rows if row.kind in ("export", "write back")]
    return Resumed(tuple(moves), start, masks, saves[-1:] == ["write back"])


def unsaved_steps(kinds: Sequence[str]) -> int:
    """How many moves of a log, told by the kinds of its rows, are not in the dataset."""
    written = max((_handed_before(kinds, n) for n in _all(kinds, "write back")), default=0)
    return sum(kind in STEPS for kind in kinds[written:])


def _steps(rows: Sequence[Row]) -> list[Step]:
    """The step of each row that is one, where undo and redo name none of their own."""
    done: list[Step] = []
    undone: list[Step] = []
    steps = []
    for row in rows:
        if row.kind not in STEPS:
            continue
        if row.kind == "do":
            undone.clear()
            step = row.step or decode_step(row.payload or b"")
        else:
            stack = done if row.kind == "undo" else undone
            if not stack:
                raise ValueError(f"there is nothing to {row.kind} where it says so")
            step = stack.pop()
        (undone if row.kind == "undo" else done).append(step)
        steps.append(step)
    return steps


def _exported(rows: Sequence[Row]) -> set[int]:
    """The rows at which the reading stood that was exported."""
    kinds = [row.kind for row in rows]
    return {_handed_before(kinds, n) for n in _all(kinds, "export")}


def _handed_before(kinds: Sequence[str], save: int) -> int:
    """The row at which the reading stood that a save wrote."""
    handed = [n for n in _all(kinds, HANDED) if n < save]
    return handed[-1] if handed else save


def _all(kinds: Sequence[str], kind: str) -> list[int]:
    return [n for n, one in enumerate(kinds) if one == kind]


def _mask_of(step: Step) -> str | None:
    """The name of the mask that a step changes; None where it changes another thing."""
    if isinstance(step, MaskAdded):
        return step.outline.name
    return mask_of(step.target) if isinstance(step, Edit) else None
