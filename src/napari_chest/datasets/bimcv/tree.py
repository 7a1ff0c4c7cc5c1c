"""The tree of terms that the labels are taken from, as the releases print it in a text file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_chest.errors import ReadError
from napari_chest.files.atomic import read_whole
from napari_chest.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

_MAX_BYTES = 16 * 2**20
_MOST_TERMS = 100_000
_BRANCH = 4
"""Characters of a printed branch, such as ``├── ``."""
_LONGEST_LINE = 2000
_LINE = re.compile(
    r"^(?P<branches>[\s│├└┌─━┃|+`-]*)(?P<label>[^\[\n]*?)\s*\[\s*CUI:\s*(?P<cui>[A-Za-z]?\d*)"
)


NO_CONCEPT = "no concept given"


@dataclass(frozen=True)
class Term:
    """A term with the terms above it, the uppermost first."""

    label: str
    cui: str
    above: tuple[str, ...]


def read_tree(root: Path, paths: Iterable[str], problems: list[Problem]) -> dict[str, Term]:
    """Every term by its label, case-folded; the first of the same name counts."""
    terms: dict[str, Term] = {}
    for path in paths:
        try:
            text = read_whole(root / path, _MAX_BYTES).decode("utf-8", errors="replace")
        except ReadError as error:
            problems.append(Problem("warning", f"The tree of terms is not used. {error}", (path,)))
            continue
        for term in parse_tree(text):
            terms.setdefault(term.label.casefold(), term)
    return terms


def parse_tree(text: str) -> list[Term]:
    """The terms of a printed tree, one a line; other lines are passed over."""
    terms: list[Term] = []
    above: list[str] = []
    for line in text.lstrip("\ufeff").splitlines():
        match = _LINE.match(line[:_LONGEST_LINE].replace("\u00a0", " ").strip("\"'"))
        if match is None or not match["label"]:
            continue
        depth = len(match["branches"]) // _BRANCH
        del above[depth:]
        terms.append(Term(match["label"], match["cui"], tuple(above)))
        above.append(match["label"])
        if len(terms) >= _MOST_TERMS:
            break
    return terms


def placed(
    labels: Sequence[str], cuis: Mapping[str, str], terms: Mapping[str, Term]
) -> tuple[tuple[str, str], ...]:
    """Labels as rows of a tree: name with its depth as leading blanks, and its concept.

    Terms above a label that are no labels themselves have an empty text. Labels outside the tree
    follow, without depth.
    """
    texts = {label.casefold(): concept(label, cuis, terms) or NO_CONCEPT for label in labels}
    children: dict[tuple[str, ...], list[str]] = {}
    for term in terms.values():
        path = (*term.above, term.label) if term.label.casefold() in texts else ()
        for depth, name in enumerate(path):
            below = children.setdefault(path[:depth], [])
            if name not in below:
                below.append(name)
    outside = [
        (label, texts[label.casefold()]) for label in labels if label.casefold() not in terms
    ]
    rows: list[tuple[str, str]] = []
    waiting: list[tuple[str, ...]] = [(name,) for name in reversed(children.get((), []))]
    while waiting:
        path = waiting.pop()
        rows.append(("  " * (len(path) - 1) + path[-1], texts.get(path[-1].casefold(), "")))
        waiting.extend((*path, name) for name in reversed(children.get(path, [])))
    return (*rows, *outside)


def concept(label: str, cuis: Mapping[str, str], terms: Mapping[str, Term]) -> str:
    """The concept of a label: by the tables, else by the tree; empty where neither tells it."""
    term = terms.get(label.casefold())
    return cuis.get(label) or (term.cui if term else "")
