"""Names of people as they are compared, and acts as they can be kept."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import msgspec

from napari_chest.errors import NotAllowedError
from napari_chest.review.acts import (
    Assign,
    Begin,
    Decide,
    Enrol,
    OpenRound,
    Prioritise,
    Rate,
    Spend,
    Submit,
    decode_act,
    detail,
    encode_act,
)
from napari_chest.review.words import ADJUDICATED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_chest.review.acts import AnyAct

NAME_LENGTH = 200
CASE_LENGTH = 300
"""Of ids of cases and names of readings: what a database's index can hold."""
_LAST_SECOND = 253_402_300_799.0
"""The end of the year 9999, where calendars of programs end."""
_JOINERS = "\u200c\u200d"
"""Invisible, but part of how some languages are written."""
_INVISIBLE = ("Cc", "Cf", "Cs", "Zl", "Zp")


def clean_name(name: str) -> str:
    """A person's name without outer blanks, its letters composed as Unicode recommends.

    Raises
    ------
    NotAllowedError
        when it is no name for a person.
    """
    clean = unicodedata.normalize("NFC", name).strip()
    if not clean.strip(_JOINERS):
        raise NotAllowedError("A name is empty. Say who it is.")
    if len(clean) > NAME_LENGTH:
        raise NotAllowedError(
            f"The name {clean[:20]}... has {len(clean)} characters; use {NAME_LENGTH} at most."
        )
    if any(unicodedata.category(one) in _INVISIBLE and one not in _JOINERS for one in clean):
        shown = clean.encode("ascii", "backslashreplace").decode()
        raise NotAllowedError(
            f'The name "{shown[:60]}" has characters that cannot be seen. Type it anew.'
        )
    if clean.casefold() == ADJUDICATED:
        raise NotAllowedError(
            f'Nobody can be called "{clean}": this is the name of what adjudicators decide on. '
            "Choose another name."
        )
    if " · " in clean:
        raise NotAllowedError(
            f'The name "{clean}" has a dot between blanks, which separates names from rounds. '
            "Choose another name."
        )
    return clean


def cleaned(act: AnyAct) -> AnyAct:
    """The act with its names as they are compared.

    Raises
    ------
    NotAllowedError
        when it cannot be kept: a name, a text, a number or a time that is none.
    """
    _check_values(act)
    names: dict[str, object] = {"who": clean_name(act.who)}
    if isinstance(act, Begin | Submit | Decide | Rate | Spend):
        names["reader"] = ADJUDICATED if act.reader == ADJUDICATED else clean_name(act.reader)
    elif isinstance(act, Assign):
        names["reader"] = clean_name(act.reader)
    elif isinstance(act, OpenRound):
        names["readers"] = tuple(dict.fromkeys(clean_name(one) for one in act.readers))
    elif isinstance(act, Enrol):
        names["person"] = clean_name(act.person)
    return msgspec.structs.replace(act, **names)


def _check_values(act: AnyAct) -> None:
    try:
        decode_act(encode_act(act))
        texts = list(_texts(msgspec.json.decode(detail(act))))
    except (ValueError, TypeError) as error:  # a text that is no Unicode is a ValueError too
        raise NotAllowedError(f"This cannot be kept in a store: {error}.") from error
    if any("\0" in text for text in texts):
        raise NotAllowedError("This cannot be kept in a store: a text has the character 0 in it.")
    if not act.id:
        raise NotAllowedError("This cannot be kept in a store: it has no id.")
    _check_lengths(act)
    if not 0 <= act.at <= _LAST_SECOND:
        raise NotAllowedError(
            f"The clock of {act.who}'s computer says {act.at} seconds since 1970, which is no "
            "date. Set the clock, then do it again."
        )


def _check_lengths(act: AnyAct) -> None:
    cases = [act.case] if hasattr(act, "case") else []
    if isinstance(act, Assign | OpenRound | Prioritise):
        cases = list(act.cases)
    elif isinstance(act, Submit):
        cases += [one.name for one in act.readings]
    for one in cases:
        if not 0 < len(one) <= CASE_LENGTH:
            raise NotAllowedError(
                "This cannot be kept in a store: the id of a case, or the name of a reading, has "
                f"{len(one)} characters, expected 1 to {CASE_LENGTH}."
            )


def _texts(value: object) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from (key, *_texts(one))
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
