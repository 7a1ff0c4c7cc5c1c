"""Agreement as lines, one number each, for tables and files."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, NamedTuple

from napari_chest.measure import bland_altman
from napari_chest.measure.agreement import DEFINITIONS
from napari_chest.measure.resampling import Estimate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from napari_chest.measure.agreement import CaseAgreement
    from napari_chest.measure.kappa import Concordance
    from napari_chest.measure.overall import Agreement, SegmentSummary

    _Where = tuple[str, tuple[str, ...], str, str]

MASK, SLICES, QUESTION = "mask", "slice labels", "question"
"""What lines are about."""

_OF_PAIR = ("dice", "jaccard", "hd", "hd95", "assd", "volume_a", "volume_b")
_DIFFERENCES = ("difference", "difference_percent")
_LIMITS = {"bias": "bias", "lower": "lower limit", "upper": "upper limit"}
_NAMES = {
    "volume_a": "volume A",
    "volume_b": "volume B",
    "difference_percent": "difference in %",
}
_DISTANCES = frozenset({"hd", "hd95", "assd"})
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Line(NamedTuple):
    """One number.

    Attributes
    ----------
    case : its id; empty for all cases together.
    readers : who is compared, A first.
    about : `MASK`, `SLICES` or `QUESTION`.
    item : the segment with its mask, the column, the question.
    number : which number it is: a name of `definitions`, and ``mean`` before it over cases.
    value, low, high : the number and its 95 % confidence interval.
    unit : of all three; empty for shares and kappas.
    n, left_out : items it comes from, and those it does not.
    note : what should be known of it.
    """

    case: str
    readers: tuple[str, ...]
    about: str
    item: str
    number: str
    value: float | None
    low: float | None
    high: float | None
    unit: str
    n: int
    left_out: int
    note: str


def definitions() -> dict[str, str]:
    """What the numbers mean, by name."""
    limits = dict.fromkeys(_LIMITS.values(), bland_altman.DEFINITION)
    return {**DEFINITIONS, **limits}


def definitions_of(lines: Iterable[Line]) -> dict[str, str]:
    """What the numbers of these lines mean, by name."""
    used = {_defined(line.number) for line in lines}
    return {name: text for name, text in definitions().items() if name in used}


def lines_of_case(found: CaseAgreement) -> list[Line]:
    """Every number of one case."""
    lines = []
    for one in found.segments:
        item, numbers = _segment(one.mask, one.segment), one.overlap
        note = "neither reader marked anything" if numbers.both_empty else ""
        for name in (*_OF_PAIR, *_DIFFERENCES):
            estimate = Estimate(getattr(numbers, name), None, None, 1, note=note)
            where = (found.case, one.readers, MASK, item)
            lines.append(_line(where, _NAMES.get(name, name), estimate, _unit(name, found.unit)))
    for column in found.columns:
        for each in column.found:
            lines += _concordance((found.case, each.readers, SLICES, column.column), each)
    for answer in found.answers:
        said = {name: text for name, text in answer.answers.items() if text is not None}
        same = None if answer.same is None else float(answer.same)
        note = "; ".join(f"{name}: {text}" for name, text in said.items())
        estimate = Estimate(same, None, None, len(said), len(answer.answers) - len(said), note)
        of_all = (found.case, tuple(said), QUESTION, answer.question)
        lines.append(_line(of_all, "percent agreement", estimate))
    return lines


def lines_over_cases(found: Agreement) -> list[Line]:
    """Every number over all cases."""
    unit = "px" if any(case.unit == "px" for case in found.cases) else "mm"
    lines = [line for one in found.segments for line in _summary(one, unit)]
    for about, pooled in ((SLICES, found.columns), (QUESTION, found.questions)):
        for one in pooled:
            for each in one.found:
                lines += _concordance(("", each.readers, about, one.name), each)
    return lines


def as_csv(lines: Iterable[Line]) -> str:
    """Lines as CSV, with full numbers."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(Line._fields)
    for line in lines:
        writer.writerow([_safe(value) for value in _flat(line).values()])
    return text.getvalue()


def as_json(lines: Iterable[Line]) -> str:
    """Lines as JSON, with full numbers and what each of them means."""
    told = [line._asdict() for line in lines]
    document = {"definitions": definitions(), "numbers": told}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def as_text(lines: Sequence[Line]) -> list[str]:
    """Lines as a person reads them: one per item and readers, with all its numbers."""
    rows: dict[tuple[str, str, str, tuple[str, ...]], list[str]] = {}
    for line in lines:
        key = (line.case, line.about, line.item, line.readers)
        rows.setdefault(key, []).append(f"{line.number} {_told(line)}")
    return [
        f"{case + ': ' if case else ''}{about} {item}, {' / '.join(readers)}: {', '.join(numbers)}"
        for (case, about, item, readers), numbers in rows.items()
    ]


def _summary(one: SegmentSummary, unit: str) -> Iterator[Line]:
    where = ("", one.readers, MASK, _segment(one.mask, one.segment))
    empty = f"in {one.both_empty} more cases neither marked anything" if one.both_empty else ""
    for name, estimate in one.means.items():
        told = estimate._replace(note="; ".join(filter(None, (estimate.note, empty))))
        yield _line(where, f"mean {_NAMES.get(name, name)}", told, _unit(name, unit))
    for name, title in _LIMITS.items():
        yield _line(where, title, getattr(one.volumes, name), "ml")


def _concordance(where: _Where, found: Concordance) -> Iterator[Line]:
    yield _line(where, found.kind, found.kappa)
    yield _line(where, "percent agreement", found.percent)


def _line(where: _Where, number: str, estimate: Estimate, unit: str = "") -> Line:
    value, low, high, n, left_out, note = estimate
    return Line(*where, number, value, low, high, unit, n, left_out, note)


def _segment(mask: str, segment: str) -> str:
    return segment if mask == segment else f"{mask}: {segment}"


def _defined(number: str) -> str:
    """The name under which a number is defined: ``mean volume A`` is defined as ``volume``."""
    name = number.removeprefix("mean ").removesuffix(" in %")
    return name.removesuffix(" A").removesuffix(" B")


def _unit(name: str, of_distances: str) -> str:
    if name in _DISTANCES:
        return of_distances
    if name == "difference_percent":
        return "%"
    return "ml" if name.startswith(("volume", "difference")) else ""


def _told(line: Line) -> str:
    if line.value is None:
        return f"- ({line.note})" if line.note else "-"
    text = f"{line.value:.3f}"
    if line.low is not None and line.high is not None:
        text += f" [{line.low:.3f}, {line.high:.3f}]"
    told = f"{text} {line.unit}".rstrip()
    return f"{told} ({line.note})" if line.about == QUESTION and line.note else told


def _flat(line: Line) -> dict[str, float | int | str | None]:
    return {**line._asdict(), "readers": " / ".join(line.readers)}


def _safe(value: float | int | str | None) -> float | int | str | None:
    # A spreadsheet would take a text that begins so for a formula.
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
