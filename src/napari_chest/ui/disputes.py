"""What a person reads of disagreements: rows of the list and of answers, who says what; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_chest.changes import slice_ranges
from napari_chest.review.deciding import answer_taken
from napari_chest.review.disagreement import (
    AnswerDifference,
    CellRun,
    Component,
    columns_of,
    on_slices,
)
from napari_chest.ui.widgets.answers_table import AnswersRow
from napari_chest.ui.widgets.disagreement_list import DisagreementRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from napari_chest.model import Reading
    from napari_chest.review.disagreement import Disagreements, Item
    from napari_chest.review.words import Decision
    from napari_chest.ui.units import Unit

_YES, _NO, _NOTHING = "yes", "no", "–"
_NONE = "no answer"


@dataclass(frozen=True)
class Asked:
    """A row of the table of answers, and what it is about.

    Attributes
    ----------
    row : as it is shown.
    item : what differs; None where nothing does.
    """

    row: AnswersRow
    item: CellRun | AnswerDifference | None


def row_of(
    item: Item, found: Disagreements, unit: Unit, decision: Decision | None
) -> DisagreementRow:
    """A disagreement as the list shows it."""
    decided = decision_words(decision) if decision is not None else ""
    match item:
        case Component():
            what, size = " / ".join(segment_names(item, found)), unit.text(item.voxels)
            where = slice_ranges(range(*item.box[0]))
            tip = f"{what} ({item.mask}), {size} on {on_slices(range(*item.box[0]))}"
        case CellRun():
            what, size = item.column, f"{item.last - item.first + 1}×"
            where = slice_ranges(range(*item.box[0]))
            tip = f"{what}: {on_slices(range(*item.box[0]))}"
        case AnswerDifference():
            what, where, size = item.text, "", "answer"
            tip = item.text
    return DisagreementRow(what, where, size, decided, tip)


def said_of(
    item: Item,
    found: Disagreements,
    titles: Mapping[str, str],
    unit: Unit,
    decision: Decision | None,
) -> str:
    """Who says what, and what was decided: ``A ground glass 1.2 ml · B nothing``."""
    told = decision_words(decision) if decision is not None else ""
    said = ""
    if not isinstance(item, AnswerDifference):  # answers are told side by side, in full
        whose = ("A", "B", *(f"{titles[reader]}:" for reader in found.readers[2:]))
        parts = (f"{who} {_said(item, n, found, unit)}" for n, who in enumerate(whose))
        said = " · ".join(parts)
    return "\n".join(line for line in (said, f"✓ {told}" if told else "") if line)


def decision_words(decision: Decision) -> str:
    """``A taken by Anna: reason``."""
    how = {"painted": "as painted"}.get(decision.choice, decision.choice)
    if decision.choice in ("A", "B"):
        how = decision.readers["AB".index(decision.choice)]
    reason = f": {decision.reason}" if decision.reason else ""
    return f"{how}, decided by {decision.who}{reason}"


def segment_names(item: Component, found: Disagreements) -> list[str]:
    """The segments that anybody sees in a component, by name."""
    names = {segment.value: segment.name for segment in found.segments[item.mask]}
    return [names.get(value, f"{item.mask} {value}") for value in item.values]


def asked_rows(
    found: Disagreements,
    everything: Sequence[AnswerDifference],
    readings: Sequence[Reading],
    titles: Sequence[str],
    z: int,
) -> Iterator[Asked]:
    """All that is asked of the case, and of one slice, with what every reader says.

    Of a question with several answers each answer that anybody gives is a row.

    Parameters
    ----------
    found : what differs.
    everything : all questions, those that nobody differs on as well.
    readings, titles : as compared, A first, and what their readers are called.
    z : the slice.
    """
    differing = {one.topic: one for one in found.answers}
    for one in everything:
        item = differing.get(one.topic)
        yield from _rows_of_question(one, item, titles)
    runs = {run.column: run for run in found.runs if run.first <= z <= run.last}
    for column in columns_of(readings):
        says = tuple(_cell(reading, column, z) for reading in readings)
        yield _row_of_column(column, z, says, runs.get(column), titles)


def _rows_of_question(
    one: AnswerDifference, item: AnswerDifference | None, titles: Sequence[str]
) -> Iterator[Asked]:
    taken = answer_taken("majority", one)
    says = (*one.says, taken)
    tips = tuple(
        _tip(who, one.text, _answer(said), takes=item is not None)
        for who, said in zip((*titles, "The majority"), says, strict=True)
    )
    if not one.several:
        cells = tuple(_answer(said) if said else _NOTHING for said in says)
        yield Asked(AnswersRow(one.text, cells, tips, item is not None), item)
        return
    for answer in dict.fromkeys(answer for said in one.says for answer in said or ()):
        here = [None if said is None else answer in said for said in one.says]
        cells = tuple(_ticked(said) for said in (*here, None if taken is None else answer in taken))
        differs = len({tick for tick in here if tick is not None}) > 1
        yield Asked(AnswersRow(answer, cells, tips, differs), item)


def _row_of_column(
    column: str,
    z: int,
    says: tuple[bool | None, ...],
    run: CellRun | None,
    titles: Sequence[str],
) -> Asked:
    votes = [said for said in says if said is not None]
    cells = tuple(_ticked(said) for said in (*says, 2 * sum(votes) > len(votes)))
    what = f"{column} on {on_slices(range(*run.box[0]) if run is not None else [z])}"
    tips = tuple(
        _tip(who, what, {"✓": _YES, "·": _NO}.get(cell, _NONE), takes=run is not None)
        for who, cell in zip((*titles, "The majority"), cells, strict=True)
    )
    return Asked(AnswersRow(column, cells, tips, run is not None), run)


def _said(item: Component | CellRun, number: int, found: Disagreements, unit: Unit) -> str:
    match item:
        case Component():
            names = {segment.value: segment.name for segment in found.segments[item.mask]}
            named = [
                f"{names.get(value, value)} {unit.text(voxels)}"
                for value, voxels in item.says[number]
                if value
            ]
            return ", ".join(named) or "nothing"
        case CellRun():
            said = item.says[number]
            return _NOTHING if said is None else (_YES if said else _NO)


def _answer(said: tuple[str, ...] | None) -> str:
    return ", ".join(said) if said else _NONE


def _ticked(said: bool | None) -> str:
    return _NOTHING if said is None else ("✓" if said else "·")


def _cell(reading: Reading, column: str, z: int) -> bool | None:
    table = reading.slice_labels
    if table is None or column not in table.columns or z >= len(table.values):
        return None
    return bool(table.values[z, table.columns.index(column)])


def _tip(who: str, what: str, said: str, *, takes: bool) -> str:
    return f"{who}, {what}: {said}\n{'Click to take it' if takes else 'All agree on it'}"
