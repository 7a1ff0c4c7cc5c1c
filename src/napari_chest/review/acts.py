"""What people do in a review, as values that are kept, sent and logged; JSON both ways."""

from __future__ import annotations

import time
from typing import Annotated
from uuid import uuid4

import msgspec
from msgspec import Meta

from napari_chest.review.words import Choice, Role, Scope, Start, State

Text = Annotated[str, Meta(max_length=10_000)]
Name = Annotated[str, Meta(max_length=200)]
Round = Annotated[int, Meta(ge=0, lt=2**31)]
Index = Annotated[int, Meta(ge=0, lt=2**31)]


class Act(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every act says.

    Attributes
    ----------
    who : who did it.
    id : unique; an act that is sent twice is done once.
    at : when, in seconds since 1970, by the clock of who did it.
    """

    who: Name
    id: Name = msgspec.field(default_factory=lambda: uuid4().hex)
    at: float = msgspec.field(default_factory=time.time)


class Begin(Act, frozen=True, tag="begin"):
    """A reader begins with a case; nothing where the work is begun already."""

    case: Text
    reader: Name
    round: Round = 0


class Packed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A reading that is submitted; ``payload`` as of `review.packed`, left out of the log."""

    name: Text
    of: Text
    base: Text
    payload: bytes


class Submit(Act, frozen=True, tag="submit"):
    """A reader is done with a case; ``readings`` are what was made of it."""

    case: Text
    reader: Name
    round: Round = 0
    readings: tuple[Packed, ...] = ()


class Decide(Act, frozen=True, tag="decide"):
    """Work goes to another state; ``seen`` is the version it had for who decided it."""

    case: Text
    reader: Name
    state: State
    seen: Index
    round: Round = 0
    reason: Name = ""
    note: Text = ""


class Assign(Act, frozen=True, tag="assign"):
    """Cases are given to a reader, or taken back."""

    cases: tuple[Text, ...]
    reader: Name
    round: Round = 0
    assigned: bool = True


class Prioritise(Act, frozen=True, tag="prioritise"):
    """Cases become more or less urgent: 0 (low), 1 (normal), 2 (high), 3 (urgent)."""

    cases: tuple[Text, ...]
    priority: Annotated[int, Meta(ge=0, le=3)]


class Rate(Act, frozen=True, tag="rate"):
    """A reader says how difficult a case is, 1 (easy) to 5."""

    case: Text
    reader: Name
    difficulty: Annotated[int, Meta(ge=1, le=5)]
    round: Round = 0


class Spend(Act, frozen=True, tag="spend"):
    """A reader worked on a case for so many more seconds."""

    case: Text
    reader: Name
    seconds: Annotated[float, Meta(ge=0, le=86_400)]
    round: Round = 0


class Remark(Act, frozen=True, tag="remark"):
    """Somebody comments on a case; the act's id is the comment's."""

    case: Text
    text: Text
    round: Round = 0
    voxel: tuple[Index, Index, Index] | None = None
    reader: Name = ""


class Resolve(Act, frozen=True, tag="resolve"):
    """A comment is settled, or open again."""

    case: Text
    comment: Name
    resolved: bool = True


class Adjudicate(Act, frozen=True, tag="adjudicate"):
    """An adjudicator decides about a disagreement; the act's id is the decision's."""

    case: Text
    choice: Choice
    scope: Scope
    readers: tuple[Text, ...]
    about: Text
    mask: Text = ""
    box: tuple[tuple[Index, Index], ...] = ()
    reason: Text = ""


class TakeBack(Act, frozen=True, tag="take back"):
    """A decision was undone, or done again."""

    case: Text
    decision: Name
    undone: bool = True


class OpenRound(Act, frozen=True, tag="open round"):
    """A reading round begins; its number is one that no round has yet."""

    number: Annotated[int, Meta(ge=1, lt=2**31)]
    title: Text
    blind: bool = True
    start: Start = "scratch"
    readers: tuple[Name, ...] = ()
    cases: tuple[Text, ...] = ()


class CloseRound(Act, frozen=True, tag="close round"):
    """Nothing more is submitted in a round."""

    number: Annotated[int, Meta(ge=1, lt=2**31)]


class Enrol(Act, frozen=True, tag="enrol"):
    """Somebody takes part, in a role."""

    person: Name
    role: Role = "reader"


AnyAct = (
    Begin
    | Submit
    | Decide
    | Assign
    | Prioritise
    | Rate
    | Spend
    | Remark
    | Resolve
    | Adjudicate
    | TakeBack
    | OpenRound
    | CloseRound
    | Enrol
)
_DECODER = msgspec.msgpack.Decoder(AnyAct)


def encode_act(act: AnyAct) -> bytes:
    """An act as bytes that `decode_act` reads, with its readings."""
    return msgspec.msgpack.encode(act)


def decode_act(data: bytes) -> AnyAct:
    """The act of these bytes.

    Raises
    ------
    ValueError
        when they are not those of an act.
    """
    act: AnyAct = _DECODER.decode(data)
    return act


def detail(act: AnyAct) -> str:
    """An act as one line of JSON for the log, without the voxels of its readings."""
    if isinstance(act, Submit):
        names = {one.name: len(one.payload) for one in act.readings}
        plain = msgspec.to_builtins(msgspec.structs.replace(act, readings=()))
        return msgspec.json.encode(plain | {"readings": names}).decode()
    return msgspec.json.encode(act).decode()
