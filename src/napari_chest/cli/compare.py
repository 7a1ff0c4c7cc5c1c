"""How far readings agree, without a window: ``napari-chest compare --help``."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_chest.datasets import open_dataset
from napari_chest.errors import ChestError, ReadError, SaveError
from napari_chest.files.atomic import write_together
from napari_chest.measure.agreement import NOISE_FLOOR, agreement
from napari_chest.measure.listing import (
    MASK,
    QUESTION,
    Line,
    as_csv,
    as_json,
    as_text,
    definitions_of,
    lines_of_case,
    lines_over_cases,
)
from napari_chest.measure.overall import over_cases

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from napari_chest.datasets import Dataset
    from napari_chest.measure.agreement import CaseAgreement
    from napari_chest.model import Grid, Reading

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

WRITERS = {".csv": as_csv, ".json": as_json}
_OTHER = "{} (B)"
"""Name of a reader's reading in the second folder."""


@dataclass
class _Found:
    """What came of the cases.

    Attributes
    ----------
    groups : what is compared with each other; one of all readers, or one per reader of two folders.
    readers : all who read any case.
    alone : cases without two readings to compare.
    problems : case and why it is not compared.
    """

    groups: dict[str, list[CaseAgreement]] = field(default_factory=dict)
    readers: dict[str, None] = field(default_factory=dict)
    alone: int = 0
    problems: list[tuple[str, str]] = field(default_factory=list)


def add_compare(commands: Commands) -> None:
    """Register ``compare``."""
    compare = commands.add_parser("compare", help="how far readers agree, case by case and overall")
    compare.add_argument("path", type=Path, help="the dataset's folder, as it was downloaded")
    compare.add_argument(
        "other",
        type=Path,
        nargs="?",
        help="an export of the same dataset, or another copy of it: every reading is then compared "
        "with the same reader's there",
    )
    compare.add_argument(
        "--case", metavar="ID", action="append", help="a case; may be repeated (default: all)"
    )
    compare.add_argument(
        "--readers", metavar="NAME", nargs="+", help="compare only these, in this order"
    )
    compare.add_argument("--out", type=Path, help="a .csv or .json file for all numbers")
    compare.set_defaults(run=_compare)


def _compare(options: argparse.Namespace) -> int:
    dataset = open_dataset(options.path)
    if options.out is not None:
        _check_out(dataset, options.out)
    if options.other is not None:
        _check_other(dataset, options.other)
    dataset.prepare(lambda done, total: print(f"{done} of {total}", file=sys.stderr))
    found = _Found()
    for case in _cases(dataset, options.case):
        try:
            _look_at(dataset, case, options, found)
        except (ChestError, OSError, ValueError) as error:
            found.problems.append((case, str(error)))
    _check_readers(options.readers, found)
    overall = [over_cases(cases, options.readers) for cases in found.groups.values()]
    lines = [line for one in overall for case in one.cases for line in lines_of_case(case)]
    total = [line for one in overall for line in lines_over_cases(one)]
    if options.out is not None:
        _write(options.out, [*lines, *total])
    _print_all(dataset, options.other, found, lines, total)
    return 1 if found.problems else 0


def _check_out(dataset: Dataset, out: Path) -> None:
    if out.suffix.lower() not in WRITERS:
        raise SaveError(f"{out}: choose a name that ends in .csv or .json.")
    if out.resolve().is_relative_to(dataset.root.resolve()):
        raise SaveError(f"{out} lies inside the dataset. Choose a file outside of it.")


def _check_other(dataset: Dataset, other: Path) -> None:
    if not other.is_dir():
        raise ReadError(other, "there is no such folder. Name an export or a copy of the dataset.")
    if not dataset.annotation_files(other):
        raise ReadError(
            other,
            f"there are no annotation files of {dataset.title}. Name an export or a copy of it.",
        )


def _cases(dataset: Dataset, wanted: Sequence[str] | None) -> list[str]:
    have = [case.id for case in dataset.cases()]
    unknown = [case for case in wanted or () if case not in have]
    if unknown:
        raise ReadError(
            dataset.root,
            f"there is no case {', '.join(unknown[:5])}. `napari-chest info` lists them.",
        )
    return list(dict.fromkeys(wanted)) if wanted else have


def _look_at(dataset: Dataset, case: str, options: argparse.Namespace, found: _Found) -> None:
    readings = dataset.readings(case)
    found.readers |= dict.fromkeys(one.reader for one in readings)
    groups = _groups(dataset, case, readings, options)
    if not groups:
        found.alone += 1
        return
    grid = _grid(dataset, case)
    for name, group in groups.items():
        one = agreement(group, grid, case=case, questions=dataset.questions)
        found.groups.setdefault(name, []).append(one)


def _groups(
    dataset: Dataset, case: str, readings: Sequence[Reading], options: argparse.Namespace
) -> dict[str, list[Reading]]:
    """What is to be compared with each other, by a name for it; nothing of fewer than two."""
    by_name = {one.reader: one for one in readings}
    wanted = [name for name in options.readers or by_name if name in by_name]
    if options.other is None:
        return {"": [by_name[name] for name in wanted]} if len(wanted) > 1 else {}
    there = {one.reader: one for one in dataset.readings(case, at=options.other)}
    return {
        name: [by_name[name], replace(there[name], reader=_OTHER.format(name))]
        for name in wanted
        if name in there
    }


def _grid(dataset: Dataset, case: str) -> Grid:
    stream = dataset.stream(case)
    stream.slices.close()  # where the voxels lie is enough
    return stream.volume.grid


def _check_readers(wanted: Sequence[str] | None, found: _Found) -> None:
    unknown = [name for name in wanted or () if name not in found.readers]
    if unknown:
        have = ", ".join(found.readers) or "none"
        raise ReadError(
            ", ".join(unknown), f"nobody of this name read these cases. Readers are: {have}."
        )


def _write(out: Path, lines: Sequence[Line]) -> None:
    write_together({out: WRITERS[out.suffix.lower()](lines).encode("utf-8")})


def _print_all(
    dataset: Dataset,
    other: Path | None,
    found: _Found,
    lines: Sequence[Line],
    total: Sequence[Line],
) -> None:
    cases = len({line.case for line in lines})
    print(f"{dataset.title}: {cases} cases compared, {found.alone} without two readings to compare")
    if other is not None:
        print(f"B is {other}")
    compared = [one for group in found.groups.values() for one in group]
    notes = [f"{one.case}: {note}" for one in compared for note in one.notes]
    differing = [line for line in lines if line.about != QUESTION or line.value not in (None, 1)]
    told = {
        "Cases, and answers where they differ": as_text(differing),
        "All cases": as_text(total),
        "Notes": notes,
    }
    for title, part in told.items():
        if part:
            print("\n".join(["", title, *(f"  {text}" for text in part)]))
    _print_definitions([*lines, *total])
    for case, problem in found.problems:
        print(f"{case}: {problem}", file=sys.stderr)


def _print_definitions(lines: Sequence[Line]) -> None:
    told = list(dict.fromkeys(definitions_of(lines).values()))
    if any(line.about == MASK for line in lines):
        told += [f"{n.name}: {n.mean:.2f} ± {n.deviation:.2f} ({n.source})" for n in NOISE_FLOOR]
    if told:
        print("\n".join(["", "What the numbers mean", *(f"  {text}" for text in told)]))
