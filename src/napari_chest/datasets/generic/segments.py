"""The structures of masks: a small table beside them, which people may edit too."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

from napari_chest import findings
from napari_chest.datasets.generic.names import MASKS
from napari_chest.errors import ReadError, SaveError
from napari_chest.files.atomic import read_whole
from napari_chest.files.paths import is_there, leads_inside
from napari_chest.files.table import Table, read_table
from napari_chest.model import Problem, Segment

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

SEGMENTS = f"{MASKS}/segments.csv"
LIMIT = 2**20
"""Bytes of a table of structures; 65,535 of them fit in."""
_COLUMNS = ("value", "name", "color", "code")
HEADER = ",".join(_COLUMNS).encode()
_COLOR = re.compile(r"#[0-9a-fA-F]{6}$")
_HIGHEST = 2**16 - 1
_MOST_DIGITS = 5
_MOST_LETTERS = 80

DEFAULT = (
    findings.GROUND_GLASS.segment(1),
    findings.CONSOLIDATION.segment(2),
    findings.PLEURAL_EFFUSION.segment(3),
    findings.OPACITY.segment(4, "Other opacity"),
    findings.CRAZY_PAVING.segment(5),
    findings.INVERTED_HALO.segment(6),
    findings.NODULAR_CONSOLIDATION.segment(7),
    findings.TREE_IN_BUD.segment(8),
    findings.CAVITY.segment(9),
    findings.ATELECTASIS.segment(10),
    findings.INTERSTITIAL.segment(11),
    findings.VASCULAR_THICKENING.segment(12),
    findings.OTHER.segment(13),
)
"""The structures of a mask that begins where there is no table yet."""


def read_segments(folder: Path) -> tuple[tuple[Segment, ...] | None, list[Problem]]:
    """The structures of the table in a folder, in its order; None where there is no table."""
    path = folder / SEGMENTS
    if not is_there(path):
        return None, []
    try:
        if not leads_inside(path, folder):
            text = f"it cannot be reached, or is a link that leads out of {folder}."
            raise ReadError(path, text)
        read_whole(path, LIMIT)  # refuses what is too large
        table = read_table(path)
    except ReadError as error:
        return None, [_unused(f"The table of structures cannot be read. {error}")]
    columns = [table.find(name) for name in _COLUMNS]
    if columns[0] is None or columns[1] is None:
        text = (
            "The table of structures is not used: expected the columns value and name, "
            f"found {', '.join(table.columns)[:200]}."
        )
        return None, [_unused(text)]
    return _segments(table, columns)


def named(values: Iterable[int], known: Sequence[Segment]) -> tuple[Segment, ...]:
    """A structure for each value; one that is not known is named after its number."""
    by_value = {segment.value: segment for segment in known}
    return tuple(by_value.get(value) or _unnamed(value) for value in sorted(values))


def table_with(folder: Path, used: Sequence[Segment], *, begun: bool) -> bytes | None:
    """The content of the table in a folder once it names these structures; None where it does.

    What the table says already stays as it is. Without a table the usual structures need none
    until a mask is begun.

    Raises
    ------
    SaveError
        when it calls one of them otherwise, or lacks one and has columns of its own kind.
    """
    path = folder / SEGMENTS
    table = read_segments(folder)[0]
    known = {segment.value: segment.name for segment in (DEFAULT if table is None else table)}
    if not is_there(path):
        usual = all(known.get(one.value, _unnamed(one.value).name) == one.name for one in used)
        return None if usual and not begun else _lines(HEADER, used)
    for segment in used:
        if known.get(segment.value, segment.name) != segment.name:
            raise SaveError(
                f"{path} calls the value {segment.value} {known[segment.value]}, the mask calls it "
                f"{segment.name}. Nothing was written; use one name for it."
            )
    new = [one for one in used if one.value not in known and one != _unnamed(one.value)]
    return _lines(_appendable(path, new[0]), new) if new else None


def _appendable(path: Path, new: Segment) -> bytes:
    content = read_whole(path, LIMIT)
    if not content.startswith(HEADER):
        raise SaveError(
            f"{path} does not name the value {new.value}, {new.name}, and begins with other "
            f"columns than {', '.join(_COLUMNS)}. Nothing was written; add a row for it."
        )
    return content


def _lines(content: bytes, more: Sequence[Segment]) -> bytes:
    """A table's content with further rows."""
    rows = io.StringIO()
    for one in more:
        csv.writer(rows, lineterminator="\n").writerow((one.value, one.name, one.color, one.code))
    return content + (b"" if content.endswith(b"\n") else b"\n") + rows.getvalue().encode()


def _segments(
    table: Table, columns: Sequence[int | None]
) -> tuple[tuple[Segment, ...] | None, list[Problem]]:
    found: dict[int, Segment] = {}
    problems = []
    for number, row in enumerate(table.rows, start=1):
        value, name, color, code = ("" if c is None else row[c] for c in columns)
        whole = int(value) if value.isdecimal() and len(value) <= _MOST_DIGITS else 0
        wrong = _wrong(value, whole, name, found)
        if wrong:
            problems.append(_unused(f"Row {number} of the structures is not used: {wrong}."))
            continue
        if not _COLOR.match(color):
            color = _unnamed(whole).color
        found[whole] = Segment(whole, name[:_MOST_LETTERS], color, code[:_MOST_LETTERS])
    return tuple(found.values()) or None, problems


def _wrong(value: str, whole: int, name: str, found: dict[int, Segment]) -> str:
    if not 1 <= whole <= _HIGHEST:
        return f"expected a value from 1 to {_HIGHEST:,}, found {value[:_MOST_LETTERS] or 'none'}"
    if whole in found:
        return f"the value {whole} is {found[whole].name} already"
    return "" if name else f"the value {whole} has no name"


def _unused(text: str) -> Problem:
    return Problem("warning", text, (SEGMENTS,))


def _unnamed(value: int) -> Segment:
    color = DEFAULT[(value - 1) % len(DEFAULT)].color
    return Segment(value, f"value {value}", color)
