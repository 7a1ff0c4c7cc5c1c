r"""Lists in table cells, which are printed Python lists with the accidents of several releases.

Items are separated by commas, or by tabs inside a quoted cell (iteration 1); they are quoted or
bare, have leading blanks, may be empty, and a cell may end in the middle. Evaluating such a cell
as Python would join the items of iteration 1 and fail on the rest.
"""

from __future__ import annotations

import re

_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_MOST_ITEMS = 10_000
# A quoted item to its quote or the cell's end, or a bare one to the next separator or bracket;
# blanks around it belong to it, but no tab, which separates.
_ITEM = re.compile(
    r"""[ ]*(?:'(?P<single>(?:[^'\\]|\\.)*)(?:'|\\?$)
         | "(?P<double>(?:[^"\\]|\\.)*)(?:"|\\?$)
         | (?P<bare>[^,\t\[\]]*))[ ]*""",
    re.VERBOSE | re.DOTALL,
)
_NOTHING = ("", "nan", "none")


def parse_list(cell: str) -> tuple[str, ...]:
    """The items of a cell, stripped, the empty ones left out."""
    return tuple(item for item in parse_slots(cell) if item)


def parse_slots(cell: str) -> tuple[str, ...]:
    """The items of a cell, stripped, with an empty text for each empty one."""
    text = cell.strip()
    if text.casefold() in _NOTHING:
        return ()
    if not text.startswith("["):
        return (text,)
    items: list[str] = []
    place, after_separator = 0, True
    while place < len(text) and len(items) < _MOST_ITEMS:
        if text[place] in "[]":
            place += 1
        elif text[place] in ",\t":
            if after_separator:
                items.append("")
            place, after_separator = place + 1, True
        else:
            match = _ITEM.match(text, place)
            if match is None or match.end() == place:
                place += 1
                continue
            if (item := _item(match)) is not None:
                items.append(item)
                after_separator = False
            place = match.end()
    if after_separator and items:
        items.append("")
    return tuple(items)


def first_of(cell: str) -> str:
    """The first item of a cell, or the cell itself where it is no list; ``nan`` is nothing."""
    return next(iter(parse_list(cell)), "")


def write_list(items: tuple[str, ...], separator: str = ",", quote: str = "'") -> str:
    """A list as the releases print it: ``['COVID 19', ' consolidation']``, unquoted ``[C1,C2]``."""
    if not quote:
        return f"[{separator.join(items)}]"
    spaced = [item if n == 0 else f" {item}" for n, item in enumerate(items)]
    return f"[{f'{separator} '.join(_quoted(item, quote) for item in spaced)}]"


def plain_number(cell: str) -> str:
    """A number that passed through pandas, as it was: ``20200317`` of ``20200317.0``."""
    match = re.fullmatch(r"(\d+)\.0*", cell.strip())
    return match[1] if match else "" if cell.strip().casefold() in _NOTHING else cell.strip()


def _item(match: re.Match[str]) -> str | None:
    quoted = match["single"] if match["single"] is not None else match["double"]
    if quoted is not None:
        return _ESCAPED.sub(lambda found: _ESCAPES.get(found[1], found[1]), quoted).strip()
    bare = match["bare"].strip()
    return None if not bare else "" if bare.casefold() in _NOTHING else bare


def _quoted(item: str, quote: str) -> str:
    escaped = item.replace("\\", "\\\\").replace(quote, f"\\{quote}")
    return f"{quote}{escaped}{quote}"
