"""The history of a draft: what 1,000 strokes weigh, and what one costs, however many the slices.

Strokes are told as the brush tells them, boxes of a mask and what they should hold. The draft's
own work is timed: making the edit under protection, applying it, and knowing what differs.

    python benchmarks/history.py [--strokes 1000] [--runs 200]
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_chest.edits import Draft
from napari_chest.model import CaseInfo, Mask, Reading, Segment

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from napari_chest.edits import Box

SIDE = 512
CASE = CaseInfo("c", "C", "CT")
SEGMENTS = tuple(Segment(n, f"segment {n}", "#808080") for n in (1, 2, 3))


class Brush(NamedTuple):
    """A round brush: diameter in mm, how many steps a stroke has, and whether it is a ball."""

    name: str
    diameter: float
    moves: int
    deep: bool
    spacing: tuple[float, float, float] = (1.0, 0.75, 0.75)


DISC = Brush("10 mm disc, 40 steps", 10, 40, deep=False)
BALL = Brush("40 mm ball, 40 steps", 40, 40, deep=True)


def draft_of(slices: int) -> Draft:
    """A draft with one mask: three lesions of a published kind, and the sizes on screen known."""
    labels = np.zeros((slices, SIDE, SIDE), np.uint8)
    middle = slices // 2
    for value in (1, 2, 3):
        labels[middle - 20 : middle + 20, 100 * value : 100 * value + 60, 200:280] = value
    draft = Draft(CASE, Reading("r", (Mask("m", labels, SEGMENTS),)))
    draft.own("m")
    draft.voxels("m")
    return draft


def stroke(draft: Draft, brush: Brush, random: np.random.Generator) -> tuple[Box, npt.NDArray]:
    """The box of a wandering stroke and what it should hold."""
    labels = draft.mask_labels("m")
    reach = [brush.diameter / 2 / mm for mm in brush.spacing]
    if not brush.deep:
        reach[0] = 0
    steps = random.normal(0, 4, (brush.moves, 3)).cumsum(axis=0)
    steps[:, 0] = 0
    low = np.array([labels.shape[0] // 3, 80, 80])
    path = (random.uniform(low, np.array(labels.shape) - low) + steps).round()
    start = np.maximum(path.min(axis=0) - np.ceil(reach), 0).astype(int)
    stop = np.minimum(path.max(axis=0) + np.ceil(reach) + 1, labels.shape).astype(int)
    box = tuple(slice(int(a), int(b)) for a, b in zip(start, stop, strict=True))
    grid = np.ogrid[box]
    wanted = labels[box].copy()
    value = int(random.integers(0, 4))
    for centre in path:
        away = sum(
            ((axis - c) / max(r, 0.5)) ** 2 for axis, c, r in zip(grid, centre, reach, strict=True)
        )
        wanted[away <= 1] = value
    return box, wanted


def timed(job: Callable[[], object]) -> float:
    """Milliseconds that a job takes."""
    started = time.perf_counter()
    job()
    return 1000 * (time.perf_counter() - started)


def cost(slices: int, brush: Brush, runs: int) -> tuple[float, float]:
    """Median milliseconds of a stroke, and of asking what differs after it."""
    draft, random = draft_of(slices), np.random.default_rng(1)
    strokes, asked = [], []
    for _ in range(runs):
        box, wanted = stroke(draft, brush, random)

        def paint(box: Box = box, wanted: npt.NDArray = wanted) -> None:
            edit = draft.painted("brush", "m", box, wanted)
            if edit is not None:
                draft.do(edit)

        strokes.append(timed(paint))
        asked.append(timed(lambda: draft.change))
    return statistics.median(strokes), statistics.median(asked)


def weight(brush: Brush, strokes: int) -> tuple[float, float]:
    """Megabytes that so many strokes hold, and that their boxes would hold unpacked."""
    draft, random = draft_of(150), np.random.default_rng(2)
    edits = []
    plain = 0
    while len(edits) < strokes:
        edit = draft.painted("brush", "m", *stroke(draft, brush, random))
        if edit is not None:
            plain += edit.nbytes
            draft.do(edit)
            edits.append(edit)
    return sum(edit.nbytes for edit in edits) / 2**20, plain / 2**20


def large_edit() -> list[tuple[str, float]]:
    """Milliseconds of the steps of one edit of 300 x 400 x 400 voxels, two ragged lungs."""
    random = np.random.default_rng(3)
    labels = np.zeros((300, SIDE, SIDE), np.uint8)
    draft = Draft(CASE, Reading("r", (Mask("m", labels, SEGMENTS),)))
    draft.voxels("m")
    z, y, x = np.ogrid[-1:1:300j, -1:1:400j, -1:1:400j]
    wanted = np.zeros((300, 400, 400), np.uint8)
    rough = random.normal(0, 0.1, (75, 100, 100)).repeat(4, 0).repeat(4, 1).repeat(4, 2)
    for value, side in ((1, -0.5), (2, 0.5)):
        wanted[z**2 + y**2 + ((x - side) / 0.48) ** 2 + rough < 1] = value
    box = (slice(0, 300), slice(56, 456), slice(56, 456))
    made = []

    def make() -> None:
        edit = draft.painted("lungs", "m", box, wanted)
        assert edit is not None
        edit.pack()
        made.append(edit)

    times = [("copy ahead (thread)", timed(lambda: draft.own("m")))]
    times.append(("make and pack (thread)", timed(make)))
    times.append(("do", timed(lambda: draft.do(made[0]))))
    times.append(("undo", timed(draft.undo)))
    times.append(("redo", timed(draft.redo)))
    assert (draft.mask_labels("m")[box] == wanted).all(), "OTHER voxels"
    times.append((f"holds {made[0].nbytes / 2**20:.2f} MB", 0.0))
    return times


def main() -> None:
    """Measure strokes of two brushes, and one large edit."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--strokes", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=200)
    options = parser.parse_args()
    for brush in (DISC, BALL):
        held, plain = weight(brush, options.strokes)
        print(f"{brush.name}: {options.strokes} strokes hold {held:.2f} MB, unpacked {plain:.0f}")
        for slices in (150, 600):
            stroke_ms, asked_ms = cost(slices, brush, options.runs)
            print(f"  {slices} slices: {stroke_ms:.3f} ms a stroke, {asked_ms:.3f} to ask")
    print("an edit of 300 x 400 x 400 voxels")
    for name, taken in large_edit():
        print(f"  {name:24}{taken:8.1f} ms")


if __name__ == "__main__":
    main()
