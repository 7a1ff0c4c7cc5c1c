"""The command ``contradictions``: what is said of cases and cannot both be true."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from napari_chest.datasets import open_dataset
from napari_chest.errors import ReadError, SaveError
from napari_chest.files.atomic import write_together
from napari_chest.review.contradictions import Queue, check_all
from napari_chest.review.folder import review_folder

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from napari_chest.datasets import Dataset
    from napari_chest.model import CaseInfo
    from napari_chest.review.contradictions import Found, Result

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_contradictions(commands: Commands) -> None:
    """Add the command to those of the program."""
    parser = commands.add_parser(
        "contradictions",
        help="what is said of cases and cannot both be true; exit code 1 where there is any",
    )
    parser.add_argument("path", type=Path, help="the dataset's folder, as it was downloaded")
    parser.add_argument(
        "--case", metavar="ID", action="append", help="a case; may be repeated (default: all)"
    )
    parser.add_argument(
        "--images",
        action="store_true",
        help="open the images of cases with lesions: shares of the lungs, sides (slow)",
    )
    parser.add_argument(
        "--dismissed", action="store_true", help="also those that somebody dismissed in the window"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the JSON document there")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Look at cases and print what is found; the dataset and its review folder are only read."""
    dataset = open_dataset(options.path)
    if options.out is not None:
        _check_outside(options.out, dataset)
    dataset.prepare()
    cases = _chosen(dataset, options.case)
    queue = Queue(review_folder(dataset.root), dataset.name, read_only=True)
    if queue.problem:
        print(f"napari-chest: {queue.problem}", file=sys.stderr)
    dismissed = {} if options.dismissed else queue.dismissed
    results, found = [], []
    for result in check_all(dataset, cases, {}, images=options.images):
        here = [one for one in result.checked.found if one.key not in dismissed]
        results.append(result)
        found += here
        if not options.json:
            _print(result, here)
    failed = {one.case: one.checked.failed for one in results if one.checked.failed}
    text = json.dumps(_document(dataset, results, found, failed), indent=2, ensure_ascii=False)
    if options.out is not None:
        write_together({options.out.absolute(): text.encode() + b"\n"})
    if options.json:
        print(text)
    else:
        what = "contradiction" if len(found) == 1 else "contradictions"
        print(f"{len(results)} cases checked, {len(found)} {what}, {len(failed)} failed")
    return 1 if found or failed else 0


def _chosen(dataset: Dataset, wanted: Sequence[str] | None) -> list[CaseInfo]:
    cases = list(dataset.cases())
    if not wanted:
        return cases
    for name in wanted:
        if not any(name in (case.id, case.title) for case in cases):
            raise ReadError(dataset.root, f"it has no case {name}. `info` lists its cases.")
    return [case for case in cases if case.id in wanted or case.title in wanted]


def _check_outside(out: Path, dataset: Dataset) -> None:
    if out.resolve().is_relative_to(dataset.root.resolve()):
        raise SaveError(
            f"{out} lies inside the dataset, which is only changed by writing back into it. "
            "Nothing was written; choose a file outside it."
        )


def _print(result: Result, found: Sequence[Found]) -> None:
    if result.checked.failed:
        print(f"napari-chest: {result.case}: {result.checked.failed}", file=sys.stderr)
    for one in found:
        place = "" if one.slice is None else f", slice {one.slice + 1}"
        print(f"{one.case} ({one.reader}{place}): {one.level}: {one.text}")


def _document(
    dataset: Dataset, results: Sequence[Result], found: Sequence[Found], failed: dict[str, str]
) -> dict[str, Any]:
    return {
        "dataset": dataset.name,
        "root": str(dataset.root),
        "cases": len(results),
        "contradictions": [msgspec.to_builtins(one) for one in found],
        "failed": failed,
    }
