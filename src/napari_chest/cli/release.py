"""``napari-chest review export``: what was approved or adjudicated, in the dataset's own format."""

from __future__ import annotations

import sys
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from napari_chest.cli.review import add_job, existing_store
from napari_chest.datasets import open_dataset
from napari_chest.review.words import SUBMITTED

if TYPE_CHECKING:
    import argparse

    from napari_chest.cli.review import Commands
    from napari_chest.review.store import Store
    from napari_chest.review.words import StoredReading


def add_release(jobs: Commands) -> None:
    """Register ``review export``."""
    text = "corrected annotations of what was approved or adjudicated, read back and compared"
    export = add_job(jobs, "export", _export, text)
    export.add_argument("--out", type=Path, required=True, help="a folder outside the dataset")
    export.add_argument(
        "--state",
        action="append",
        choices=sorted(SUBMITTED),
        help="whose corrections; may be repeated (default: approved)",
    )


def _export(options: argparse.Namespace) -> int:
    from napari_chest.export import export_readings, plan_release, released
    from napari_chest.review.book import Book

    dataset = open_dataset(options.path)
    dataset.prepare()
    store = existing_store(options, dataset)
    if store is None:
        print("Nothing is exported, because nothing was reviewed yet.", file=sys.stderr)
        return 1
    with closing(store):
        book, states = Book(store.snapshot()), frozenset(options.state or ("approved",))
        release = plan_release(dataset, book, states)
        for case, why in release.left.items():
            print(f"{case} is left out: {why}", file=sys.stderr)
        corrected = released(dataset, book, partial(_stored, store), release, states)
        if not corrected:
            print("Nothing is exported: no case is approved with a correction.", file=sys.stderr)
            return 1
        proof = export_readings(dataset, corrected, options.out)
    print("\n".join(proof.lines()))
    return 0 if proof.holds else 1


def _stored(store: Store, case: str) -> list[StoredReading]:
    return store.readings(case)
