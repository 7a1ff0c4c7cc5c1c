"""Lungs, live numbers and surfaces of a 150-slice CT, beside SimpleITK and scikit-image with SciPy.

Every contender does the same job in the same process, turn by turn, and the median counts. What
each takes for lung is held against the phantom's truth. SimpleITK takes part where it is installed
(the ``bench`` dependency group).

    python benchmarks/lungs.py [--slices 150] [--side 512] [--runs 3]
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import time
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage
from skimage import measure, morphology

from napari_chest.measure.live import Numbers
from napari_chest.measure.surface import surface
from napari_chest.phantom import make_chest
from napari_chest.tools.lungs import lungs

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from napari_chest.phantom.chest import Chest

    Array = npt.NDArray[np.generic]
    Jobs = dict[str, Callable[[], object]]

HAS_SIMPLE_ITK = importlib.util.find_spec("SimpleITK") is not None
if HAS_SIMPLE_ITK:
    import SimpleITK

AIR = -400
CLOSING = 8


def inner_two(labels: Array) -> Array:
    """The numbers of the two largest parts that do not reach the sides of the picture."""
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    for edge in (labels[:, 0], labels[:, -1], labels[:, :, 0], labels[:, :, -1]):
        sizes[np.unique(edge)] = 0
    return np.argsort(-sizes)[:2]


def lungs_with_skimage(voxels: Array) -> Array:
    """Air off the sides of the picture, the two largest parts, closed and filled by slice."""
    labels = measure.label(voxels < AIR, connectivity=1)
    kept = np.isin(labels, inner_two(labels))
    disc = morphology.disk(CLOSING, decomposition="sequence")
    lung = np.zeros_like(kept)
    for z in np.flatnonzero(kept.any(axis=(1, 2))):
        lung[z] = ndimage.binary_fill_holes(morphology.closing(kept[z], disc))
    return lung


def lungs_with_simple_itk(voxels: Array) -> Array:
    """The same steps, on both cores."""
    parts = SimpleITK.ConnectedComponent(SimpleITK.GetImageFromArray(voxels) < AIR)
    first, second = (int(n) for n in inner_two(SimpleITK.GetArrayFromImage(parts)))
    kept = SimpleITK.Or(parts == first, parts == second)
    disc = (CLOSING, CLOSING, 0)
    closed = SimpleITK.BinaryMorphologicalClosing(kept, disc, SimpleITK.sitkBall)
    filled = [SimpleITK.BinaryFillhole(closed[:, :, z]) for z in range(len(voxels))]
    return SimpleITK.GetArrayFromImage(SimpleITK.JoinSeries(filled)) > 0


def dice(a: Array, b: Array) -> float:
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


def finding(chest: Chest) -> Jobs:
    jobs: Jobs = {
        "napari-chest": lambda: lungs(chest.voxels, chest.spacing).labels,
        "scikit-image + SciPy": lambda: lungs_with_skimage(chest.voxels),
    }
    if HAS_SIMPLE_ITK:
        jobs["SimpleITK"] = lambda: lungs_with_simple_itk(chest.voxels)
    for name, job in jobs.items():
        found = np.asarray(job()) > 0
        print(f"  {name:22} Dice with the truth {dice(found, chest.lobes > 0):.4f}")
    return jobs


def counting(chest: Chest, labels: Array) -> Jobs:
    """All numbers of the two lungs: voxels, mean HU, slices."""
    jobs: Jobs = {
        "napari-chest": lambda: Numbers(labels, chest.voxels, labels),
        "scikit-image + SciPy": lambda: [
            (region.area, region.intensity_mean, region.bbox)
            for region in measure.regionprops(labels, chest.voxels)
        ],
    }
    if HAS_SIMPLE_ITK:
        image, mask = (SimpleITK.GetImageFromArray(array) for array in (chest.voxels, labels))
        jobs["SimpleITK"] = lambda: SimpleITK.LabelStatisticsImageFilter().Execute(image, mask)
    return jobs


def editing(chest: Chest, labels: Array) -> Jobs:
    """One dab of 14 x 14 voxels: ours takes note of it, others count anew."""
    numbers = Numbers(labels, chest.voxels, labels)
    middle = [n // 2 for n in labels.shape]
    box = (slice(middle[0], middle[0] + 1), *(slice(m - 7, m + 7) for m in middle[1:]))
    before = labels[box].copy()
    after = np.full_like(before, 2)
    others = counting(chest, labels)
    return {**others, "napari-chest": lambda: numbers.update(box, before, after)}


def surfacing(chest: Chest, labels: Array) -> Jobs:
    return {
        "napari-chest": lambda: surface(labels, 1, chest.spacing),
        "scikit-image + SciPy": lambda: measure.marching_cubes(
            ndimage.gaussian_filter((labels == 1).astype(np.float32), 1), 0.5, spacing=chest.spacing
        ),
    }


def times(jobs: Jobs, runs: int) -> dict[str, float]:
    """Median milliseconds of each, taken in turns after one run to warm up."""
    taken: dict[str, list[float]] = {name: [] for name in jobs}
    for run in range(runs + 1):
        for name, job in jobs.items():
            started = time.perf_counter()
            result = job()
            elapsed = time.perf_counter() - started
            del result
            if run:
                taken[name].append(1000 * elapsed)
    return {name: statistics.median(each) for name, each in taken.items()}


def report(title: str, jobs: Jobs, runs: int) -> None:
    """Print the times, and how they relate to ours."""
    print(title)
    found = times(jobs, runs)
    print(f"  {'':22}{'ms':>10}{'x ours':>10}")
    for name, each in found.items():
        print(f"  {name:22}{each:10.2f}{each / found['napari-chest']:10.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--slices", type=int, default=150)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    if not HAS_SIMPLE_ITK:
        print("SimpleITK is not installed")
    chest = make_chest((options.slices, options.side, options.side), seed=3, severity=0.5)
    size = f"{options.side} x {options.side} x {options.slices}"
    report(f"find the lungs in {size}", finding(chest), options.runs)
    labels = lungs(chest.voxels, chest.spacing).labels
    report("voxels, mean HU and slices of both lungs", counting(chest, labels), options.runs)
    report("the same after a dab of 14 x 14 voxels", editing(chest, labels), options.runs)
    report("the surface of the right lung", surfacing(chest, labels), options.runs)


if __name__ == "__main__":
    main()
