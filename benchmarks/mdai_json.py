"""MD.ai exports: loading until the first case can be shown, and saving a corrected slice.

Beside `json.load` and, where it is installed, MD.ai's own library. Every contender does its job in
the same process, turn by turn, and the median counts. Memory is what Python allocated at most, in
a run of its own.

    python benchmarks/mdai_json.py [--annotations 30000] [--runs 7]
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import tempfile
import time
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_chest.files.mdai import ReplaceData, mask_of, read_mdai, ring_data
from napari_chest.rings import encode_mask

if TYPE_CHECKING:
    from collections.abc import Callable

    Jobs = dict[str, Callable[[], object]]

HAS_MDAI = importlib.util.find_spec("mdai") is not None
TIME = "2020-08-01T12:05:00.250Z"
ROOT = "1.2.826.0.1.3680043.10.474.419639"
STUDIES = 120
SLICES = 100


def label(number: int, scope: str, mode: str | None) -> dict[str, object]:
    """One label of the only group."""
    return {
        "id": f"L_{number:06}",
        "parentId": None,
        "createdAt": TIME,
        "updatedAt": TIME,
        "name": f"Label {number}",
        "shortName": "",
        "description": "",
        "color": "#d500f9",
        "type": "LOCAL" if mode else "GLOBAL",
        "scope": scope,
        "annotationMode": mode,
        "radlexTagIds": [],
    }


def annotation(number: int, label_id: str, place: dict[str, object]) -> dict[str, object]:
    """One annotation with the keys of late 2020."""
    return {
        "id": f"A_{number:06}",
        "parentId": None,
        "isImported": False,
        "createdAt": TIME,
        "createdById": "U_aaaaa1",
        "updatedAt": TIME,
        "updatedById": "U_aaaaa1",
        "modelId": None,
        **place,
        "labelId": label_id,
        "note": None,
        "radlexTagIds": [],
        "reviewsPositiveCount": 0,
        "reviewsNegativeCount": 0,
    }


def synthetic_export(count: int) -> bytes:
    """As many outlines, of 10 to 54 vertices, and three answers for every study."""
    random = np.random.default_rng(0)
    annotations = []
    for number in range(count):
        study = f"{ROOT}.{1000 + number % STUDIES}.84725"
        turns = np.sort(random.uniform(0, 2 * np.pi, random.integers(10, 55)))
        ring = random.uniform(60, 450, 2) + random.uniform(4, 40) * np.stack(
            [np.cos(turns), np.sin(turns)], axis=1
        )
        place = {
            "StudyInstanceUID": study,
            "SeriesInstanceUID": f"{study}.2",
            "SOPInstanceUID": f"{study}.2.{number // STUDIES % SLICES}",
            "annotationNumber": number,
            "height": 512,
            "width": 512,
            "data": {"vertices": ring.tolist()},
        }
        annotations.append(annotation(number, f"L_{number % 6:06}", place))
    for number in range(3 * STUDIES):
        place = {"StudyInstanceUID": f"{ROOT}.{1000 + number % STUDIES}.84725", "data": None}
        annotations.append(annotation(count + number, "L_000006", place))
    labels = [*(label(number, "INSTANCE", "freeform") for number in range(6))]
    labels.append(label(6, "STUDY", None))
    group = {"id": "G_000001", "createdAt": TIME, "updatedAt": TIME, "name": "Purple Group 1"}
    dataset = {
        "id": "D_000001",
        "type": "DICOM",
        "name": "CT",
        "studies": [
            {"StudyInstanceUID": f"{ROOT}.{1000 + number}.84725", "number": number}
            for number in range(STUDIES)
        ],
        "annotations": annotations,
    }
    export = {"id": "x", "labelGroups": [{**group, "labels": labels}], "datasets": [dataset]}
    return json.dumps(export, separators=(",", ":")).encode()


def first_case(path: Path) -> int:
    """Read the export and draw all that was outlined in its first study."""
    file = read_mdai(path)
    return sum(mask_of(one.shape, (512, 512))[2].sum() for one in file.of_study(file.studies[0][1]))


def load_with_json(path: Path) -> object:
    """As most scripts do."""
    with path.open(encoding="utf-8") as file:
        return json.load(file)


def load_with_mdai(path: Path) -> object:
    """MD.ai's own library."""
    from mdai.utils.common_utils import json_to_dataframe

    return json_to_dataframe(path)


def loading(path: Path) -> Jobs:
    """Who reads an export."""
    jobs: Jobs = {
        "napari-chest": lambda: read_mdai(path),
        "  and the first case": lambda: first_case(path),
        "json.load": lambda: load_with_json(path),
    }
    if HAS_MDAI:
        jobs["mdai"] = lambda: load_with_mdai(path)
    return jobs


def saving(path: Path) -> Jobs:
    """Who makes the file with three other outlines; reading it before is not counted."""
    file = read_mdai(path)
    disc = np.hypot(*np.mgrid[-99:413, -99:413]) < 30
    ring = encode_mask(disc)[0]
    edits = [ReplaceData(one.index, ring_data(ring)) for one in file.annotations[:3]]
    export = load_with_json(path)
    return {
        "napari-chest": lambda: file.changed(edits, datetime.now(UTC), None),
        "json.dumps": lambda: json.dumps(export, separators=(",", ":")).encode(),
    }


def measure(jobs: Jobs, runs: int) -> dict[str, float]:
    """Median milliseconds of each, taken in turns after one run to warm up."""
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for run in range(runs + 1):
        for name, job in jobs.items():
            started = time.perf_counter()
            result = job()
            elapsed = time.perf_counter() - started
            del result
            if run:
                times[name].append(1000 * elapsed)
    return {name: statistics.median(taken) for name, taken in times.items()}


def peak(job: Callable[[], object]) -> float:
    """The most MB that Python allocated in a run."""
    tracemalloc.start()
    result = job()
    found = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    del result
    return found


def report(title: str, jobs: Jobs, runs: int) -> None:
    """Print times and memory, and how the times relate to ours."""
    print(title)
    times = measure(jobs, runs)
    print(f"  {'':22}{'ms':>8}{'x ours':>8}{'peak MB':>9}")
    for name, taken in times.items():
        ratio = taken / times["napari-chest"]
        print(f"  {name:22}{taken:8.1f}{ratio:8.2f}{peak(jobs[name]):9.0f}")


def main() -> None:
    """Measure reading and saving of a synthetic export."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--annotations", type=int, default=30_000)
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    if not HAS_MDAI:
        print("mdai is not installed")
    with tempfile.TemporaryDirectory() as made:
        path = Path(made) / "export.json"
        path.write_bytes(synthetic_export(options.annotations))
        size = f"{path.stat().st_size / 1e6:.1f} MB"
        report(f"read {options.annotations:,} outlines, {size}", loading(path), options.runs)
        report("change three outlines, without the disk", saving(path), options.runs)


if __name__ == "__main__":
    main()
