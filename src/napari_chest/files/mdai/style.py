"""JSON written as a file already writes it: its blanks, its escapes, JavaScript's numbers."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[\]{}:,]|[^\s\[\]{}:,"]++', re.DOTALL)
_ESCAPED = re.compile(rb"\\(?:[^u]|u(?:00[0-7][0-9a-fA-F]|([0-9a-fA-F]{4})))")
_LAST = {"{": "}", "[": "]"}
_MOST_TOKENS = 200_000
_LONGEST_WHOLE = 10**21
_SMALLEST_PLAIN = 1e-6


class Level(NamedTuple):
    """The text after the first bracket, between two values, and before the last bracket."""

    first: str
    between: str
    last: str


@dataclass
class Style:
    """How a file writes its values.

    Attributes
    ----------
    ascii_only : whether characters beyond ASCII are written as escapes.
    colon : between a key and its value.
    levels : by the depth and the kind of bracket.
    """

    ascii_only: bool = False
    colon: str = ":"
    levels: dict[tuple[int, str], Level] = field(default_factory=dict)

    def like(self, sample: str, depth: int) -> Style:
        """The style of a value that stands at this depth; this one where it does not tell."""
        levels = self.levels | _levels(sample, depth)
        return Style(self.ascii_only, _colon(sample) or self.colon, levels)

    def write(self, value: object, depth: int) -> str:
        """A value at this depth, of what JSON has."""
        if isinstance(value, dict):
            members = (
                f"{self._text(str(key))}{self.colon}{self.write(one, depth + 1)}"
                for key, one in value.items()
            )
            return self._enclosed(members, "{", depth)
        if isinstance(value, list | tuple):
            return self._enclosed((self.write(one, depth + 1) for one in value), "[", depth)
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return number_text(value)
        return json.dumps(value)

    def level(self, depth: int, bracket: str) -> Level:
        """How a value at this depth is written, derived from others where it was never seen."""
        for kind in (bracket, "{" if bracket == "[" else "["):
            if (found := self.levels.get((depth, kind))) is not None:
                return found
        above = next((d for d in range(depth - 1, -1, -1) if self._known(d)), None)
        if above is None:
            return Level("", ",", "")
        first, between, last = self.level(above, "{")
        if "\n" not in first:
            return Level(first, between, last)
        step = first.removeprefix(last) * (depth - above)
        return Level(first + step, between + step, last + step)

    def _known(self, depth: int) -> bool:
        return (depth, "{") in self.levels or (depth, "[") in self.levels

    def _enclosed(self, values: Iterable[str], bracket: str, depth: int) -> str:
        first, between, last = self.level(depth, bracket)
        inside = between.join(values)
        return (
            f"{bracket}{first}{inside}{last}{_LAST[bracket]}"
            if inside
            else bracket + _LAST[bracket]
        )

    def _text(self, text: str) -> str:
        return json.dumps(text, ensure_ascii=self.ascii_only)


def number_text(number: float) -> str:
    """A finite number as JavaScript writes it: ``12``, ``0.00001``, ``1e-7``, ``1e+21``."""
    if isinstance(number, int):
        return str(number)
    if number == 0:
        return "0"
    digits = repr(float(number))
    if _SMALLEST_PLAIN <= abs(number) < _LONGEST_WHOLE:
        return format(Decimal(digits), "f").removesuffix(".0")
    mantissa, _, exponent = digits.partition("e")
    return f"{mantissa}e{int(exponent):+d}"


def writes_ascii_only(text: bytes) -> bool:
    """Whether a text writes characters beyond ASCII as escapes."""
    return b"\\" in text and text.isascii() and any(match[1] for match in _ESCAPED.finditer(text))


def _colon(sample: str) -> str:
    tokens = iter(_TOKEN.finditer(sample))
    before = None
    for token in tokens:
        if token[0] == ":" and before is not None:
            after = next(tokens, None)
            return sample[before.end() : token.end() if after is None else after.start()]
        before = token
    return ""


def _levels(sample: str, depth: int) -> dict[tuple[int, str], Level]:
    """What the blanks of a value are, from the first bracket of each kind at each depth."""
    first: dict[tuple[int, str], str] = {}
    between: dict[tuple[int, str], str] = {}
    last: dict[tuple[int, str], str] = {}
    opened: list[tuple[int, str]] = []
    tokens = [*islice(_TOKEN.finditer(sample), _MOST_TOKENS)]
    for position, token in enumerate(tokens[:-1]):
        sign, following = token[0], tokens[position + 1]
        blanks = sample[token.end() : following.start()]
        if sign in "[{":
            opened.append((depth + len(opened), sign))
            if following[0] not in "]}":
                first.setdefault(opened[-1], blanks)
        elif sign in "]}":
            opened.pop()
        elif sign == "," and opened:
            before = sample[tokens[position - 1].end() : token.start()]
            between.setdefault(opened[-1], f"{before},{blanks}")
        if following[0] in "]}" and sign not in "[{" and opened:
            last.setdefault(opened[-1], blanks)
    in_line = next((text for text in between.values() if "\n" not in text), ",")
    return {
        key: Level(
            blanks,
            between.get(key, f",{blanks}" if "\n" in blanks else in_line),
            last[key],
        )
        for key, blanks in first.items()
        if key in last
    }
