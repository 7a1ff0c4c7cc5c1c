"""The words of the review: states, rounds, comments and what else the store knows; frozen."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

if TYPE_CHECKING:
    from datetime import datetime

State = Literal[
    "not started", "in progress", "submitted", "needs fix", "approved", "rejected", "deferred"
]
STATES: tuple[State, ...] = get_args(State)
SUBMITTED: frozenset[State] = frozenset({"submitted", "approved", "rejected"})
"""The states of work that its reader is done with."""
OPEN: frozenset[State] = frozenset({"not started", "in progress", "needs fix"})
"""The states of work that its reader still has to do."""

Role = Literal["reader", "adjudicator"]
Start = Literal["scratch", "dataset"]
Scope = Literal["component", "slice", "case"]
Choice = Literal["A", "B", "union", "intersection", "majority", "STAPLE", "painted"]

REASONS: dict[str, str] = {
    "extent": "wrong extent",
    "missed": "missed lesion",
    "false": "false lesion",
    "segment": "wrong segment",
    "side": "wrong side",
    "label": "wrong slice or lobe label",
    "answer": "wrong answer",
    "quality": "image quality",
    "unsure": "second opinion wanted",
    "other": "other",
}
"""Why a case was sent back, rejected or put off: code and text."""

ADJUDICATED = "adjudicated"
"""Reader of the reading that an adjudicator makes of all others."""

_KEPT = re.compile(r" · (round \d+$|corrected by .)")

Voxel = tuple[int, int, int]
"""(z, y, x), display indices from 0."""


class WorkKey(NamedTuple):
    """Whose work on which case: ``round`` is 0 outside reading rounds."""

    round: int
    case: str
    reader: str


@dataclass(frozen=True)
class Work:
    """How far a reader is with a case.

    Attributes
    ----------
    key : round, case and reader.
    state : how far it is.
    assigned : whether the case was given to the reader.
    difficulty : as the reader finds it, 1 (easy) to 5; None where not told.
    seconds : how long the reader worked on it.
    version : grows with every change of its state; a decision names the version that was seen.
    by, at : who changed its state last, and when; None where nobody did.
    reason : code of `REASONS` for its state, or empty.
    note : what was said with it.
    """

    key: WorkKey
    state: State = "not started"
    assigned: bool = False
    difficulty: int | None = None
    seconds: float = 0.0
    version: int = 0
    by: str = ""
    at: datetime | None = None
    reason: str = ""
    note: str = ""


@dataclass(frozen=True)
class Comment:
    """Something said about a case, pinned to a voxel or not.

    Attributes
    ----------
    id : unique in the store.
    case, round : what it is about.
    author, at : who said it, and when.
    text : what was said.
    voxel : where, if anywhere.
    reader : whose reading it is about; empty for the case as such.
    resolved : who settled it; empty while it is open.
    """

    id: str
    case: str
    round: int
    author: str
    at: datetime
    text: str
    voxel: Voxel | None = None
    reader: str = ""
    resolved: str = ""


@dataclass(frozen=True)
class Round:
    """A reading round: the same cases read by several readers, or by the same one again.

    Attributes
    ----------
    number : 1 or more.
    title : what people call it.
    blind : whether other readings and the dataset's own are hidden until one submits.
    start : whether a reading begins empty, or as the dataset's.
    readers : who reads; empty for whoever wants to.
    cases : their ids; empty for all.
    closed : whether no more is submitted in it.
    """

    number: int
    title: str
    blind: bool = True
    start: Start = "scratch"
    readers: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    closed: bool = False


@dataclass(frozen=True)
class Decision:
    """What an adjudicator decided about a disagreement.

    Attributes
    ----------
    id : unique in the store.
    case : of which case.
    who, at : by whom, and when.
    choice, scope : what was taken, and for how much.
    readers : whose readings were compared, A first.
    mask, box : where: name of the mask, and (start, stop) per axis; empty for labels and answers.
    about : what was decided, in words: ``component of 512 voxels on slices 40-44``.
    reason : why.
    undone : whether it was taken back.
    """

    id: str
    case: str
    who: str
    at: datetime
    choice: Choice
    scope: Scope
    readers: tuple[str, ...]
    mask: str
    box: tuple[tuple[int, int], ...]
    about: str
    reason: str = ""
    undone: bool = False


@dataclass(frozen=True, eq=False)
class StoredReading:
    """A reading that was submitted, as the store keeps it.

    Attributes
    ----------
    id : unique in the store.
    case, round : what was read, and in which round.
    name : the reader of the `Reading` within.
    owner : whose it is: the reader it was submitted for, also where an adjudicator did it.
    of : the dataset's reader whose reading it corrects; empty where it began from scratch.
    base : fingerprint of that reading as the dataset had it; empty where it began from scratch.
    at : when it was submitted.
    payload : the reading as bytes; see `review.packed`.
    """

    id: str
    case: str
    round: int
    name: str
    owner: str
    of: str
    base: str
    at: datetime
    payload: bytes


@dataclass(frozen=True)
class LogEntry:
    """One line of the log: who did what, when and why. Lines are never changed or removed.

    Attributes
    ----------
    number : place in the store's order, which no clock decides.
    id : of the act.
    who, what : who did it, and which act it was.
    at : by the clock of who did it.
    stored : by the store's clock.
    case, round, reader : what it was about; empty or 0 where nothing in particular.
    reason, note : why.
    detail : the act as JSON, without readings.
    """

    number: int
    id: str
    who: str
    what: str
    at: datetime
    stored: datetime
    case: str
    round: int
    reader: str
    reason: str
    note: str
    detail: str


def is_kept(reading: str) -> bool:
    """Whether the reading of this reader is one of the review's own, and none of the dataset's."""
    return reading == ADJUDICATED or bool(_KEPT.search(reading))


def reading_name(reader: str, round_number: int) -> str:
    """Name of a reader's own reading in a round; in the first ``Anna · round 1``."""
    return f"{reader} · round {round_number}"


def corrected_name(reading: str, by: str) -> str:
    """Name of a dataset's reading as somebody corrected it."""
    return f"{reading} · corrected by {by}"
