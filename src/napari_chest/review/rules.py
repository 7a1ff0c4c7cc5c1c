"""What an act changes and who may do it; pure, the same for the store and for the window's view.

A person who does not take part yet is enrolled by the first act: as adjudicator where nobody takes
part, else as reader. A reader acts on own work only, an adjudicator on anybody's. What is approved
or rejected is moved by adjudicators alone.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import singledispatch
from typing import TYPE_CHECKING, NamedTuple, Protocol

from napari_chest.errors import ConflictError, NotAllowedError
from napari_chest.review.acts import (
    Adjudicate,
    Assign,
    Begin,
    CloseRound,
    Decide,
    Enrol,
    OpenRound,
    Prioritise,
    Rate,
    Remark,
    Resolve,
    Spend,
    Submit,
    TakeBack,
)
from napari_chest.review.words import (
    ADJUDICATED,
    Comment,
    Decision,
    Round,
    Work,
    WorkKey,
    corrected_name,
    is_kept,
    reading_name,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from napari_chest.review.acts import AnyAct
    from napari_chest.review.words import Role, State

_SIGNED: tuple[State, ...] = ("approved", "rejected")
_OWN: tuple[State, ...] = ("in progress", "deferred")
"""What a reader may decide about own work; it is handed over by submitting it."""


@dataclass(frozen=True)
class Changes:
    """Rows of the store that are new or changed, each as it is now.

    Attributes
    ----------
    people : name and role.
    rounds, works, comments, decisions : see `review.words`.
    priorities : case and priority.
    """

    people: Mapping[str, Role] = field(default_factory=dict)
    rounds: tuple[Round, ...] = ()
    works: tuple[Work, ...] = ()
    priorities: Mapping[str, int] = field(default_factory=dict)
    comments: tuple[Comment, ...] = ()
    decisions: tuple[Decision, ...] = ()


class Standing(Protocol):
    """What the rules need to know of how things stand."""

    def role(self, person: str) -> Role | None:
        """The role of somebody; None for who does not take part."""

    def is_empty(self) -> bool:
        """Whether nobody takes part yet."""

    def works_of(self, keys: Sequence[WorkKey]) -> list[Work]:
        """The work of these keys in their order, begun or not."""

    def round_of(self, number: int) -> Round | None:
        """The round of that number."""

    def comment(self, comment: str) -> Comment | None:
        """The comment of that id."""

    def decision(self, decision: str) -> Decision | None:
        """The decision of that id."""

    def owner(self, case: str, reading: str) -> str:
        """Whose the reading of that name is; empty where there is none or it is not known."""


def moment(seconds: float) -> datetime:
    """Seconds since 1970 as a moment in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def changes(act: AnyAct, standing: Standing) -> Changes:
    """What an act changes; `act` as of `naming.cleaned`.

    Raises
    ------
    NotAllowedError
        when it is not this person's to do.
    ConflictError
        when somebody else was faster.
    """
    role = standing.role(act.who) or ("adjudicator" if standing.is_empty() else "reader")
    found = _effect(act, _Asked(standing, role))
    if standing.role(act.who) is None:
        found = replace(found, people={**found.people, act.who: role})
    return found


class _Asked(NamedTuple):
    """How things stand, and the role of who asks."""

    standing: Standing
    role: Role


@singledispatch
def _effect(act: AnyAct, asked: _Asked) -> Changes:
    raise TypeError(f"{type(act).__name__} of a {asked.role} is no act")


@_effect.register(Begin)
def _begin(act: Begin, asked: _Asked) -> Changes:
    work = _work(act, asked)
    if work.state != "not started":
        return Changes()
    _check_open(act.round, asked.standing)
    return Changes(works=(_moved(work, act, "in progress"),))


@_effect.register(Submit)
def _submit(act: Submit, asked: _Asked) -> Changes:
    work = _work(act, asked)
    _check_open(act.round, asked.standing)
    _check_unsigned(work, asked.role)
    names = [one.name for one in act.readings]
    if len(set(names)) < len(names):
        raise NotAllowedError(f"Two of the readings of {act.case} have the same name.")
    for reading in act.readings:
        _check_reading(act, reading.name, reading.of, asked.standing)
    return Changes(works=(_moved(work, act, "submitted"),))


@_effect.register(Decide)
def _decide(act: Decide, asked: _Asked) -> Changes:
    work = _work(act, asked)
    if asked.role != "adjudicator":
        if act.state not in _OWN:
            raise NotAllowedError(
                f'Only an adjudicator can set {act.case} to "{act.state}"; {act.who} is a reader.'
            )
        _check_unsigned(work, asked.role)
        _check_open(act.round, asked.standing)
    if act.seen != work.version:
        raise ConflictError(
            f'{_as_it_is(work)}, which {act.who} had not seen. "{act.state}" was not taken over: '
            "look at it again."
        )
    return Changes(works=(_moved(work, act, act.state, act.reason, act.note),))


@_effect.register(Assign)
def _assign(act: Assign, asked: _Asked) -> Changes:
    if act.reader != act.who:
        _check_adjudicator(act.who, asked.role, f"give cases to {act.reader}")
    keys = [WorkKey(act.round, case, act.reader) for case in dict.fromkeys(act.cases)]
    _check_round(keys, asked.standing)
    works = tuple(replace(one, assigned=act.assigned) for one in asked.standing.works_of(keys))
    return Changes(people=_newcomers((act.reader,), asked.standing, act.who), works=works)


@_effect.register(Prioritise)
def _prioritise(act: Prioritise, asked: _Asked) -> Changes:
    _check_adjudicator(act.who, asked.role, "say which cases are urgent")
    return Changes(priorities=dict.fromkeys(act.cases, act.priority))


@_effect.register(Rate)
def _rate(act: Rate, asked: _Asked) -> Changes:
    return Changes(works=(replace(_work(act, asked), difficulty=act.difficulty),))


@_effect.register(Spend)
def _spend(act: Spend, asked: _Asked) -> Changes:
    work = _work(act, asked)
    return Changes(works=(replace(work, seconds=work.seconds + act.seconds),))


@_effect.register(Remark)
def _remark(act: Remark, asked: _Asked) -> Changes:
    if act.round and asked.standing.round_of(act.round) is None:
        raise _no_round(act.round)
    comment = Comment(
        act.id, act.case, act.round, act.who, moment(act.at), act.text, act.voxel, act.reader
    )
    return Changes(comments=(comment,))


@_effect.register(Resolve)
def _resolve(act: Resolve, asked: _Asked) -> Changes:
    comment = asked.standing.comment(act.comment)
    if comment is None or comment.case != act.case:
        raise NotAllowedError(f"There is no such comment on {act.case}.")
    mine = (act.who, reading_name(act.who, comment.round))
    own = act.who == comment.author or comment.reader in ("", *mine)
    own |= comment.reader.endswith(corrected_name("", act.who))
    if not own:
        _check_adjudicator(act.who, asked.role, f"settle this comment of {comment.author}")
    return Changes(comments=(replace(comment, resolved=act.who if act.resolved else ""),))


@_effect.register(Adjudicate)
def _adjudicate(act: Adjudicate, asked: _Asked) -> Changes:
    _check_adjudicator(act.who, asked.role, "decide about disagreements")
    decision = Decision(
        act.id, act.case, act.who, moment(act.at), act.choice, act.scope, act.readers, act.mask,
        act.box, act.about, act.reason,
    )  # fmt: skip
    return Changes(decisions=(decision,))


@_effect.register(TakeBack)
def _take_back(act: TakeBack, asked: _Asked) -> Changes:
    _check_adjudicator(act.who, asked.role, "take decisions back")
    decision = asked.standing.decision(act.decision)
    if decision is None or decision.case != act.case:
        raise NotAllowedError(f"There is no such decision about {act.case}.")
    return Changes(decisions=(replace(decision, undone=act.undone),))


@_effect.register(OpenRound)
def _open_round(act: OpenRound, asked: _Asked) -> Changes:
    _check_adjudicator(act.who, asked.role, "open rounds")
    there = asked.standing.round_of(act.number)
    if there is not None:
        raise ConflictError(
            f'Round {act.number} is there already: "{there.title}". Open the round with a number '
            "that none has yet."
        )
    cases = tuple(dict.fromkeys(act.cases))
    opened = Round(act.number, act.title, act.blind, act.start, act.readers, cases)
    return Changes(people=_newcomers(act.readers, asked.standing, act.who), rounds=(opened,))


@_effect.register(CloseRound)
def _close_round(act: CloseRound, asked: _Asked) -> Changes:
    _check_adjudicator(act.who, asked.role, "close rounds")
    there = asked.standing.round_of(act.number)
    if there is None:
        raise _no_round(act.number)
    return Changes(rounds=(replace(there, closed=True),))


@_effect.register(Enrol)
def _enrol(act: Enrol, asked: _Asked) -> Changes:
    # Nobody takes an own role away, so that one adjudicator always stays.
    if act.person == act.who and act.role in ("reader", asked.role):
        return Changes()
    _check_adjudicator(act.who, asked.role, f"make {act.person} take part as {act.role}")
    return Changes(people={act.person: act.role})


def _work(act: Begin | Submit | Decide | Rate | Spend, asked: _Asked) -> Work:
    """The work that an act is about, if it is this person's to act on."""
    key = WorkKey(act.round, act.case, act.reader)
    if act.reader != act.who and asked.role != "adjudicator":
        raise NotAllowedError(
            f"{_named(key)} belongs to {act.reader}; {act.who} is a reader and can change own work "
            "only."
        )
    _check_round([key], asked.standing)
    return asked.standing.works_of([key])[0]


def _moved(work: Work, act: AnyAct, state: State, reason: str = "", note: str = "") -> Work:
    return replace(
        work, state=state, version=work.version + 1, by=act.who, at=moment(act.at), reason=reason,
        note=note,
    )  # fmt: skip


def _named(key: WorkKey) -> str:
    return f"{key.case} of {key.reader}" + (f" in round {key.round}" if key.round else "")


def _as_it_is(work: Work) -> str:
    """Who set work to what, and when in local time."""
    if work.at is None:
        return f"{_named(work.key)} is {work.state}"
    when = work.at.astimezone().strftime("%Y-%m-%d %H:%M")
    return f'{_named(work.key)} was set to "{work.state}" by {work.by} on {when}'


def _newcomers(names: Iterable[str], standing: Standing, who: str) -> dict[str, Role]:
    return {one: "reader" for one in names if one != who and standing.role(one) is None}


def _no_round(number: int) -> NotAllowedError:
    return NotAllowedError(f"There is no round {number}. An adjudicator can open it.")


def _check_adjudicator(who: str, role: Role, what: str) -> None:
    if role != "adjudicator":
        raise NotAllowedError(f"Only an adjudicator can {what}; {who} is a reader.")


def _check_round(keys: Sequence[WorkKey], standing: Standing) -> None:
    if not keys or not keys[0].round:
        return
    number, _, reader = keys[0]
    there = standing.round_of(number)
    if there is None:
        raise _no_round(number)
    if there.readers and reader not in (*there.readers, ADJUDICATED):
        raise NotAllowedError(
            f"{reader} does not read in round {number}; its readers are {', '.join(there.readers)}."
        )
    outside = {key.case for key in keys} - set(there.cases) if there.cases else set()
    if outside:
        raise NotAllowedError(f"{min(outside)} is not among the cases of round {number}.")


def _check_open(number: int, standing: Standing) -> None:
    there = standing.round_of(number) if number else None
    if there is not None and there.closed:
        raise NotAllowedError(f'Round {number}, "{there.title}", is closed.')


def _check_unsigned(work: Work, role: Role) -> None:
    if work.state in _SIGNED and role != "adjudicator":
        raise NotAllowedError(f"{_as_it_is(work)}. Ask an adjudicator to send it back first.")


def _check_reading(act: Submit, name: str, of: str, standing: Standing) -> None:
    """Raise unless a reading of that name is the reader's to submit."""
    if act.reader == ADJUDICATED:
        allowed = name == ADJUDICATED
    elif act.round:
        allowed = _same(name, reading_name(act.reader, act.round))
    elif of:
        allowed = _same(name, corrected_name(of, act.reader))
    else:
        allowed = not is_kept(name) and standing.owner(act.case, name) in ("", act.reader)
    if not allowed:
        raise NotAllowedError(
            f'"{name}" of {act.case} is not a reading of {act.reader}, and was not taken over.'
        )


def _same(name: str, other: str) -> bool:
    return unicodedata.normalize("NFC", name) == unicodedata.normalize("NFC", other)
