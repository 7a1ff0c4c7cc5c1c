"""Overlap, surface distances and STAPLE of two or three readers, beside MedPy and others.

Two readers' lungs and lesions in 512 x 512 x 300: every contender computes Dice, HD95 and ASSD in
the same process, turn by turn, and the median counts; who takes over 20 s runs once. What each
takes for HD95 and ASSD is printed, because their definitions differ; ours are MedPy's, which is
held to nine digits. STAPLE of three readers is held against SimpleITK's to nine digits and voxel
for voxel.
MedPy, surface-distance and SimpleITK take part where they are installed (the ``bench`` dependency
group).

    python benchmarks/agreement.py [--slices 300] [--side 512] [--runs 3]
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import time
import tracemalloc
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import ndimage

from napari_chest.measure.consensus import majority, staple
from napari_chest.measure.overlap import overlap
from napari_chest.phantom import make_chest

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Flags = npt.NDArray[np.bool_]
    Jobs = dict[str, Callable[[], Any]]

OURS = "napari-chest"
SPACING = (0.6, 0.635, 0.635)
GOALS = {"MedPy": 40, "surface-distance": 10, "SimpleITK STAPLE": 50}
"""How many times as fast as each ours has to be."""

SLOW = 20
"""Seconds."""


def has(library: str) -> bool:
    return importlib.util.find_spec(library) is not None


def noise(shape: tuple[int, ...], scale: int, seed: int) -> npt.NDArray[np.float32]:
    """Smooth noise of deviation 1, made coarse and enlarged."""
    small = np.random.default_rng(seed).normal(size=[n // scale + 2 for n in shape])
    large = ndimage.zoom(small.astype(np.float32), scale, order=1)
    cut = large[tuple(slice(n) for n in shape)]
    return cut / cut.std()


def read_again(mask: Flags, seed: int) -> Flags:
    """The same structure as another reader draws it: the outline wanders, small parts are missed.

    The outline lies where noise crosses the distance to the first reader's, up to 3 voxels away.
    """
    inner = ndimage.binary_erosion(mask, iterations=3)
    outer = ndimage.binary_dilation(mask, iterations=3)
    wander = noise(mask.shape, 12, seed) + 0.3 * noise(mask.shape, 4, seed + 100)
    drawn: Flags = inner | (outer & (wander > 0.3)) | (mask & (wander > -0.6))
    return drawn & ~(noise(mask.shape, 24, seed + 200) > 2.6)


def with_medpy(a: Flags, b: Flags) -> tuple[float, float, float]:
    from medpy.metric import binary

    return binary.dc(a, b), binary.hd95(a, b, SPACING), binary.assd(a, b, SPACING)


def with_surface_distance(a: Flags, b: Flags) -> tuple[float, float, float]:
    import surface_distance as sd

    found = sd.compute_surface_distances(a, b, SPACING)
    there, back = sd.compute_average_surface_distance(found)
    return (
        sd.compute_dice_coefficient(a, b),
        sd.compute_robust_hausdorff(found, 95),
        (there + back) / 2,
    )


def with_simple_itk(a: Flags, b: Flags) -> tuple[float, float, float]:
    """Distance maps of both contours on both cores, as ITK's examples do it."""
    import SimpleITK

    images = [SimpleITK.GetImageFromArray(mask.view(np.uint8)) for mask in (a, b)]
    for image in images:
        image.SetSpacing(SPACING[::-1])
    overlaps = SimpleITK.LabelOverlapMeasuresImageFilter()
    overlaps.Execute(*images)
    contours = [SimpleITK.LabelContour(image) for image in images]
    maps = [
        SimpleITK.Abs(
            SimpleITK.SignedMaurerDistanceMap(contour, squaredDistance=False, useImageSpacing=True)
        )
        for contour in contours
    ]
    away = [
        SimpleITK.GetArrayViewFromImage(maps[1 - n])[
            SimpleITK.GetArrayViewFromImage(contours[n]) > 0
        ]
        for n in (0, 1)
    ]
    pooled = np.concatenate(away)
    return overlaps.GetDiceCoefficient(), float(np.percentile(pooled, 95)), float(pooled.mean())


def with_ours(a: Flags, b: Flags) -> tuple[float, float, float]:
    found = overlap(a, b, SPACING)
    assert found.dice is not None
    assert found.hd95 is not None
    assert found.assd is not None
    return found.dice, found.hd95, found.assd


def overlapping(a: Flags, b: Flags) -> Jobs:
    jobs: Jobs = {OURS: lambda: with_ours(a, b)}
    if has("surface_distance"):
        jobs["surface-distance"] = lambda: with_surface_distance(a, b)
    if has("medpy"):
        jobs["MedPy"] = lambda: with_medpy(a, b)
    if has("SimpleITK"):
        jobs["SimpleITK"] = lambda: with_simple_itk(a, b)
    return jobs


def fusing(masks: list[Flags]) -> Jobs:
    jobs: Jobs = {OURS: lambda: staple(masks), "ours, majority": lambda: majority(masks)}
    if has("SimpleITK"):
        import SimpleITK

        images = [SimpleITK.GetImageFromArray(mask.view(np.uint8)) for mask in masks]

        def with_itk() -> Any:
            fuse = SimpleITK.STAPLEImageFilter()
            return fuse.Execute(images), fuse.GetSensitivity(), fuse.GetSpecificity()

        jobs["SimpleITK STAPLE"] = with_itk
        jobs["SimpleITK voting"] = lambda: SimpleITK.LabelVoting(images)
    return jobs


def peak(job: Callable[[], Any]) -> float:
    """MB of arrays that a job holds at once; what libraries take outside of Python is not seen."""
    tracemalloc.start()
    job()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / 1e6


class Times(NamedTuple):
    """Seconds by the clock and of all cores together: a busy machine spoils the first."""

    clock: float
    cores: float


def measured(jobs: Jobs, runs: int) -> tuple[dict[str, Times], dict[str, Any]]:
    """Median times of each, taken in turns, and what each found."""
    taken: dict[str, list[Times]] = {name: [] for name in jobs}
    found: dict[str, Any] = {}
    for _ in range(runs):
        for name, job in jobs.items():
            if taken[name] and taken[name][0].clock > SLOW:
                continue
            before = Times(time.perf_counter(), time.process_time())
            found[name] = job()
            after = Times(time.perf_counter(), time.process_time())
            taken[name].append(Times(after.clock - before.clock, after.cores - before.cores))
    medians = {
        name: Times(*(statistics.median(kind) for kind in zip(*times, strict=True)))
        for name, times in taken.items()
    }
    return medians, found


def told(name: str, taken: Times, ours: Times) -> str:
    ratio, of_cores = taken.clock / ours.clock, taken.cores / ours.cores
    goal = GOALS.get(name)
    met = "" if goal is None else f"  goal {goal}: {'met' if ratio >= goal else 'NOT met'}"
    times = f"{1000 * taken.clock:10.0f} ms{1000 * taken.cores:10.0f} ms of cores"
    return f"  {name:20}{times}{ratio:8.1f} and {of_cores:.1f} x ours{met}"


def compare_overlap(title: str, a: Flags, b: Flags, runs: int) -> None:
    jobs = overlapping(a, b)
    print(f"{title}: {np.count_nonzero(a)} and {np.count_nonzero(b)} voxels")
    taken, found = measured(jobs, runs)
    for name, times in taken.items():
        dice, hd95, assd = found[name]
        print(told(name, times, taken[OURS]))
        print(f"  {'':20}Dice {dice:.5f}  HD95 {hd95:.5f}  ASSD {assd:.5f}")
    if "MedPy" in found:
        np.testing.assert_allclose(found[OURS], found["MedPy"], rtol=1e-9)
        print("  ours are MedPy's numbers to nine digits")


def compare_peaks(a: Flags, b: Flags) -> None:
    print("most memory at once, of Python's arrays")
    for name, job in overlapping(a, b).items():
        print(f"  {name:20}{peak(job):10.0f} MB")


def compare_staple(masks: list[Flags], runs: int) -> None:
    print(f"STAPLE of {len(masks)} readers")
    taken, found = measured(fusing(masks), runs)
    for name, times in taken.items():
        print(told(name, times, taken[OURS]))
    if "SimpleITK STAPLE" not in found:
        return
    import SimpleITK

    image, sensitivities, specificities = found["SimpleITK STAPLE"]
    ours = found[OURS]
    np.testing.assert_allclose(ours.sensitivities, sensitivities, atol=1e-9)
    np.testing.assert_allclose(ours.specificities, specificities, atol=1e-9)
    assert np.array_equal(ours.mask, SimpleITK.GetArrayViewFromImage(image) > 0.5)
    print("  ours are ITK's sensitivities and specificities to nine digits, and its mask")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    chest = make_chest((options.slices, options.side, options.side), seed=3, severity=0.7)
    lungs, lesions = chest.lobes > 0, chest.opacity > 0
    del chest
    compare_overlap("lungs", lungs, read_again(lungs, 1), options.runs)
    again = [read_again(lesions, seed) for seed in (1, 2)]
    compare_overlap("lesions", lesions, again[0], options.runs)
    compare_staple([lesions, *again], options.runs)
    compare_staple([lungs, read_again(lungs, 1), read_again(lungs, 2)], options.runs)
    compare_peaks(lesions, again[0])


if __name__ == "__main__":
    main()
