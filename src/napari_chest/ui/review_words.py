"""How the review is told in words: the store, the rounds, what was refused, the log."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from napari_chest.errors import UnreachableError
from napari_chest.review.listing import LOG_COLUMNS, as_csv, as_json, log_rows
from napari_chest.review.words import ADJUDICATED, SUBMITTED
from napari_chest.ui.widgets.round_list import RoundLine
from napari_chest.ui.wording import count

if TYPE_CHECKING:
    from pathlib import Path

    from napari_chest.review.acts import AnyAct
    from napari_chest.review.book import Book
    from napari_chest.review.desk import Desk, DeskState
    from napari_chest.review.words import Round

_MOST_NAMES = 6
_SENDING_SECONDS = 5.0


def save_log(desk: Desk, path: Path, kind: str) -> str:
    """Write the log into a file as ``csv`` or ``json``, and say so; blocking.

    Raises
    ------
    UnreachableError
        when the store does not answer.
    OSError
        when the file cannot be written.
    """
    sent = desk.sent(_SENDING_SECONDS)
    entries = desk.log()
    if entries is None:
        raise UnreachableError("The store does not answer. Try again when it is connected.")
    rows = log_rows(entries)
    text = as_csv(LOG_COLUMNS, rows) if kind == "csv" else as_json(rows)
    path.write_text(text, encoding="utf-8", newline="")
    rest = "" if sent else " What was not sent yet is not in it."
    return f"{count(len(rows), 'line')} of the log in {path}.{rest}"


def in_header(state: DeskState, *, slow: bool) -> tuple[str, str]:
    """How the store is, in a few words and at length; empty while all is well."""
    waiting = f": {state.pending} waiting" if state.pending else ""
    if state.refused:
        return f"{len(state.refused)} refused", "The store did not take over what you did."
    if state.connected or not (slow or state.error):
        return "", ""
    more = "Work goes on, and is sent when the store can be reached again."
    return f"offline{waiting}", " ".join(filter(None, (state.error, more)))


def in_words(state: DeskState, address: str) -> tuple[str, str]:
    """How the store is, in words, and as the ``state`` of a label."""
    where = "on a server" if "://" in address else "on this computer"
    waiting = f", {count(state.pending, 'act')} waiting" if state.pending else ""
    if state.error:
        return f"{where}{waiting}. {state.error}", "bad"
    if not state.connected:
        return f"{where}, not connected yet{waiting}", "unsaved"
    return f"{where}, connected{waiting}", "unsaved" if state.pending else "saved"


def round_lines(book: Book, person: str, cases: list[str]) -> list[RoundLine]:
    """The review and all rounds as lines of a list, with how far their readers are."""
    known = frozenset(cases)
    done: dict[int, Counter[str]] = {}
    for key, work in book.works.items():
        if work.state in SUBMITTED and key.case in known and key.reader != ADJUDICATED:
            done.setdefault(key.round, Counter())[key.reader] += 1
    review = f"Review of the dataset's readings\n{_far(done.get(0, Counter()), len(cases), ())}"
    lines = [RoundLine(0, review, False)]
    for one in book.rounds:
        of = len(one.cases) or len(cases)
        text = f"{_title(one)}\n{_far(done.get(one.number, Counter()), of, one.readers)}"
        own = "" if not one.readers or person in one.readers else "\nyou do not read in it"
        lines.append(RoundLine(one.number, text + own, not one.closed))
    return lines


def act_in_words(act: AnyAct) -> str:
    """An act in a few words: ``submit, P003``."""
    what = str(act.__struct_config__.tag)
    plain = msgspec.to_builtins(act)
    about = next((plain[name] for name in ("case", "title", "person") if plain.get(name)), "")
    return f"{what}, {about}" if about else what


def _title(one: Round) -> str:
    kinds = (
        "blind" if one.blind else "",
        "from scratch" if one.start == "scratch" else "from the dataset's reading",
        "closed" if one.closed else "",
    )
    return " · ".join((f"{one.number} {one.title}", *filter(None, kinds)))


def _far(done: Counter[str], of: int, readers: tuple[str, ...]) -> str:
    """How far the readers are: ``Anna 12, Ben 3 of 40``."""
    names = [*readers, *sorted(set(done) - set(readers), key=str.casefold)]
    if not names:
        return f"nobody has submitted any of {count(of, 'case')}"
    told = [f"{name} {done[name]:,}" for name in names[:_MOST_NAMES]]
    more = [f"{len(names) - _MOST_NAMES} more"] if len(names) > _MOST_NAMES else []
    return f"{', '.join(told + more)} of {of:,}"
