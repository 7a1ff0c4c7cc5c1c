"""The same jobs without a window: ``napari-chest --help``."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_chest.cli.compare import add_compare
from napari_chest.cli.contradictions import add_contradictions
from napari_chest.cli.release import add_release
from napari_chest.cli.review import add_review
from napari_chest.datasets import open_dataset
from napari_chest.errors import ChestError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_chest.datasets import Dataset
    from napari_chest.model import CaseInfo, Problem

PHANTOMS = ("covid-ct-md", "mosmed", "bimcv", "ricord", "ricord-1c")
FORMATS = ("dicom-seg", "mdai")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code: 0 done, 1 errors found, 2 could not be done."""
    options = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        code = run(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads has seen enough, as in `| head`; closing Python would complain of it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ChestError, OSError) as error:
        print(f"napari-chest: {error}", file=sys.stderr)
        return 2
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="napari-chest",
        description="Open, correct and write back the annotations of chest-imaging datasets.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    demo = commands.add_parser("demo", help="a synthetic dataset in napari, ready to correct")
    demo.add_argument("dataset", nargs="?", choices=PHANTOMS, default=PHANTOMS[0])
    demo.add_argument("--out", type=Path, help="folder for the dataset (default: ./demo)")
    demo.add_argument(
        "--scripted",
        action="store_true",
        help="walk through open, correct, save and proof by itself, then close; "
        "so it does where there is no display",
    )
    demo.set_defaults(run=_demo)

    show = commands.add_parser("open", help="napari on a dataset")
    show.add_argument("path", type=Path, help="the dataset's folder, as it was downloaded")
    show.add_argument("--case", metavar="ID", help="the case to open first")
    show.add_argument(
        "--store", metavar="ADDRESS", help="file or URL of the review's store, this time"
    )
    show.add_argument("--as", dest="who", metavar="NAME", help="who sits here, this time")
    show.set_defaults(run=_open)

    info = commands.add_parser("info", help="dataset, cases and readings")
    check = commands.add_parser("check", help="every case's problems; exit code 1 where errors are")
    for command, run in ((info, _info), (check, _check)):
        command.add_argument("path", type=Path, help="the dataset's folder, as it was downloaded")
        command.add_argument("--json", action="store_true", help="one JSON document")
        command.set_defaults(run=run)

    make = commands.add_parser("make-demo", help="write the synthetic dataset to a folder")
    make.add_argument("dataset", choices=PHANTOMS)
    make.add_argument("out", type=Path, help="a new or empty folder")
    make.set_defaults(run=_make_demo)

    export = commands.add_parser("export", help="masks in another format, each read back")
    export.add_argument("path", type=Path, help="the dataset's folder, as it was downloaded")
    export.add_argument("--to", required=True, choices=FORMATS, help="the format")
    export.add_argument("--out", type=Path, required=True, help="a folder outside the dataset")
    export.add_argument(
        "--case", metavar="ID", action="append", help="a case; may be repeated (default: all)"
    )
    export.set_defaults(run=_export)

    add_compare(commands)
    add_contradictions(commands)
    add_release(add_review(commands))
    return parser


def _demo(options: argparse.Namespace) -> int:
    from napari_chest.ui import demo  # the window's libraries load only when one is wanted

    return demo.run(options.dataset, options.out or Path("demo"), scripted=options.scripted)


def _open(options: argparse.Namespace) -> int:
    open_dataset(options.path)  # says why not before a window opens
    if options.store:
        os.environ["NAPARI_CHEST_STORE"] = options.store
    if options.who:
        os.environ["NAPARI_CHEST_PERSON"] = options.who
    from napari_chest.ui import demo

    return demo.show(options.path, options.case)


def _info(options: argparse.Namespace) -> int:
    dataset = open_dataset(options.path)
    cases = [_case_json(dataset, case) for case in dataset.cases()]
    problems = dataset.problems()
    if options.json:
        document = {
            "dataset": dataset.name,
            "title": dataset.title,
            "root": str(dataset.root),
            "problems": [_problem_json(problem) for problem in problems],
            "cases": cases,
        }
        print(json.dumps(document, indent=2))
        return 0
    print(f"{dataset.title}: {len(cases)} cases in {dataset.root}")
    for problem in problems:
        print(f"  {problem}")
    for case in cases:
        facts = ", ".join(f"{case['facts'].get(name, '-')}" for name in dataset.list_facts)
        print(f"  {case['id']}: {facts}; readings: {', '.join(case['readings']) or 'none'}")
    return 0


def _check(options: argparse.Namespace) -> int:
    dataset = open_dataset(options.path)
    found: dict[str, list[Problem]] = {"": dataset.problems()}
    found |= {case.id: dataset.problems(case.id) for case in dataset.cases()}
    errors = sum(problem.level == "error" for problems in found.values() for problem in problems)
    if options.json:
        document = {
            "dataset": dataset.name,
            "errors": errors,
            "problems": {case: [_problem_json(p) for p in ps] for case, ps in found.items() if ps},
        }
        print(json.dumps(document, indent=2))
    else:
        for case, problems in found.items():
            for problem in problems:
                print(f"{case or dataset.title}: {problem}")
        print(f"{len(dataset.cases())} cases checked, {errors} errors")
    return 1 if errors else 0


def _make_demo(options: argparse.Namespace) -> int:
    from napari_chest.phantom import LAYOUTS

    if options.out.exists() and (not options.out.is_dir() or any(options.out.iterdir())):
        print(f"napari-chest: {options.out} is not an empty folder", file=sys.stderr)
        return 2
    LAYOUTS[options.dataset](options.out, progress=_print_progress)
    print(f"Wrote a synthetic {options.dataset} dataset to {options.out}")
    return 0


def _export(options: argparse.Namespace) -> int:
    from napari_chest.export.dicom_seg import export_dicom_seg
    from napari_chest.export.mdai import export_mdai

    export = export_dicom_seg if options.to == "dicom-seg" else export_mdai
    dataset = open_dataset(options.path)
    dataset.prepare(_print_progress)
    proof = export(dataset, options.case or [case.id for case in dataset.cases()], options.out)
    print("\n".join(proof.lines()))
    return 0 if proof.holds else 1


def _print_progress(done: int, total: int) -> None:
    print(f"{done} of {total}", file=sys.stderr)


def _case_json(dataset: Dataset, case: CaseInfo) -> dict[str, Any]:
    try:
        readers = [reading.reader for reading in dataset.readings(case.id)]
    except ChestError:
        readers = []  # `check` names the reason; the list of cases goes on
    return {
        "id": case.id,
        "title": case.title,
        "modality": case.modality,
        "facts": dict(case.facts),
        "readings": readers,
    }


def _problem_json(problem: Problem) -> dict[str, Any]:
    return {"level": problem.level, "text": problem.text, "files": list(problem.files)}
