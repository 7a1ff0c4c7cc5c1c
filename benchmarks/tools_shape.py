"""Tools on the shape of a segment, beside SimpleITK, scipy, scikit-image, cc3d, fill_voids and edt.

A ragged lesion of 30 % of a box of 2 million voxels lies in a mask of 300 x 512 x 512. Our tools
find it, work, and hand over the labels of what changes. The others are lent our ways to find the
box and to hand over. All take turns in one process, and the median counts; that they find the same
voxels is seen to first, but for those with a star, whose method is another one.
SimpleITK (the ``bench`` dependency group) and fill_voids take part where they are installed.

    python benchmarks/tools_shape.py [--runs 7]
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import cc3d
import cv2
import edt
import numpy as np
from scipy import ndimage
from skimage import morphology

from napari_chest.tools.base import Painted, Scene, segment_box
from napari_chest.tools.holes import IN_3D, IN_SLICES, fill_holes
from napari_chest.tools.interpolate import interpolate
from napari_chest.tools.islands import keep_largest_islands, remove_island, remove_small_islands
from napari_chest.tools.regions import chosen, repainted
from napari_chest.tools.shape import (
    GAUSSIAN,
    GROW,
    MEDIAN,
    SHRINK,
    cut_bridges,
    fill_gaps,
    margin,
    smooth,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    Region = npt.NDArray[np.bool_]
    Jobs = dict[str, Callable[[], Any]]

HAS_SIMPLE_ITK = importlib.util.find_spec("SimpleITK") is not None
HAS_FILL_VOIDS = importlib.util.find_spec("fill_voids") is not None
OURS = "napari-chest"
SHAPE = (300, 512, 512)
BOX = (slice(100, 180), slice(200, 360), slice(100, 260))
LENGTHS = tuple(part.stop - part.start for part in BOX)
SPACING = (1.0, 0.7, 0.7)
TIE = 1e-3
"""Distances in mm that differ by less are equal."""
CORNERS = np.ones((3, 3, 3))


def lesion() -> Region:
    """A ragged region with islands, holes and tunnels that touches all sides of its box."""
    random = np.random.default_rng(0)
    coarse, fine = (ndimage.gaussian_filter(random.normal(size=LENGTHS), s) for s in (8, 2))
    mixed = coarse / coarse.std() + 0.5 * fine / fine.std()
    region: Region = mixed > np.quantile(mixed, 0.7)
    for axis in range(3):
        sides = np.moveaxis(region, axis, 0)
        sides[0, 5:9, 5:9] = sides[-1, 5:9, 5:9] = True
    return region


def scene_of(region: Region) -> Scene:
    """A mask with the lesion as segment 3 and a neighbour as segment 2."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[BOX][region] = 3
    labels[20:60, 100:200, 100:200] = 2
    return Scene(labels, 3, SPACING)


def crop(scene: Scene) -> Region:
    """The lesion in its box, found in the mask."""
    return chosen(scene)[1]


def itk(scene: Scene) -> Any:
    """SimpleITK's image of the lesion in its box, found in the mask."""
    import SimpleITK

    image = SimpleITK.GetImageFromArray(crop(scene).view(np.uint8))
    image.SetSpacing(SPACING[::-1])
    return image


def region_of(scene: Scene, result: Any) -> Region:
    """The lesion in its box, whoever made it."""
    if isinstance(result, Painted):
        labels = scene.labels.copy()
        labels[result.box] = result.labels
        return labels[BOX] == scene.value
    if not isinstance(result, np.ndarray):
        import SimpleITK

        return SimpleITK.GetArrayViewFromImage(result) > 0
    if result.dtype == np.bool_:
        return result
    region: Region = result > 0
    return region


def handing_over(scene: Scene, jobs: Jobs) -> Jobs:
    """The jobs of which all hand over the labels of what changes, as ours does."""

    def finished(job: Callable[[], Any]) -> Painted:
        region = region_of(scene, job())
        if region.shape != LENGTHS:  # SimpleITK's, with room around
            room = [(mine - want) // 2 for mine, want in zip(region.shape, LENGTHS, strict=True)]
            region = region[tuple(slice(r, r + n) for r, n in zip(room, LENGTHS, strict=True))]
        return repainted(scene, BOX, region, unchanged="")

    return {n: job if n == OURS else partial(finished, job) for n, job in jobs.items()}


def small_islands(scene: Scene, ml: float) -> Jobs:
    """Who removes islands below a volume."""
    least = int(np.ceil(ml * 1000 / np.prod(SPACING)))

    def by_scipy() -> Region:
        parts, _ = ndimage.label(crop(scene), CORNERS)
        sizes = np.bincount(parts.ravel())
        sizes[0] = 0
        return (sizes >= least)[parts]

    jobs: Jobs = {
        OURS: lambda: remove_small_islands(scene, ml),
        "cc3d.dust": lambda: cc3d.dust(crop(scene), least, connectivity=26),
        "scipy": by_scipy,
        "scikit-image": lambda: morphology.remove_small_objects(
            crop(scene), max_size=least - 1, connectivity=3
        ),
    }
    if HAS_SIMPLE_ITK:
        import SimpleITK

        jobs["SimpleITK"] = lambda: SimpleITK.RelabelComponent(
            SimpleITK.ConnectedComponent(itk(scene), True), minimumObjectSize=least
        )
    return jobs


def largest_island(scene: Scene) -> Jobs:
    """Who keeps the largest island."""
    jobs: Jobs = {
        OURS: lambda: keep_largest_islands(scene, 1),
        "cc3d.largest_k": lambda: cc3d.largest_k(crop(scene), k=1, connectivity=26),
    }
    if HAS_SIMPLE_ITK:
        import SimpleITK

        jobs["SimpleITK"] = lambda: (
            SimpleITK.RelabelComponent(SimpleITK.ConnectedComponent(itk(scene), True)) == 1
        )
    return jobs


def one_island(scene: Scene) -> Jobs:
    """Who removes the island at a voxel, one of middle size."""
    parts, _ = ndimage.label(crop(scene), CORNERS)
    order = np.argsort(np.bincount(parts.ravel())[1:])
    inner = tuple(int(i) for i in np.argwhere(parts == order[len(order) // 2] + 1)[0])
    at = tuple(i + part.start for i, part in zip(inner, BOX, strict=True))

    def by_cc3d() -> Region:
        region = crop(scene)
        found: Any = cc3d.connected_components(region, connectivity=26)
        return region & (found != found[inner])

    return {OURS: lambda: remove_island(scene, at), "cc3d": by_cc3d}


def holes_in_3d(scene: Scene) -> Jobs:
    """Who fills what is enclosed on all sides."""
    jobs: Jobs = {
        OURS: lambda: fill_holes(scene, IN_3D),
        "scipy": lambda: ndimage.binary_fill_holes(crop(scene)),
    }
    if HAS_FILL_VOIDS:
        import fill_voids

        jobs["fill_voids"] = lambda: fill_voids.fill(crop(scene))
    if HAS_SIMPLE_ITK:
        import SimpleITK

        jobs["SimpleITK"] = lambda: SimpleITK.BinaryFillhole(itk(scene))
    return jobs


def holes_in_slices(scene: Scene) -> Jobs:
    """Who fills what is enclosed within its slice."""
    jobs: Jobs = {
        OURS: lambda: fill_holes(scene, IN_SLICES),
        "scipy": lambda: np.stack([ndimage.binary_fill_holes(plane) for plane in crop(scene)]),
    }
    if HAS_FILL_VOIDS:
        import fill_voids

        jobs["fill_voids"] = lambda: np.stack([fill_voids.fill(plane) for plane in crop(scene)])
    return jobs


def growing(scene: Scene, mm: float) -> Jobs:
    """Who grows the lesion, which needs room around its box."""
    reach = reach_of(mm)
    inner = tuple(slice(r, -r) for r in reach)

    def by_edt() -> Region:
        away = edt.edt(padded(~crop(scene), reach, 1).view(np.uint8), SPACING, parallel=2)
        return (away <= mm + TIE)[inner]

    def by_scipy() -> Region:
        away = ndimage.distance_transform_edt(padded(~crop(scene), reach, 1), SPACING)
        return (away <= mm + TIE)[inner]

    jobs: Jobs = {
        OURS: lambda: margin(scene, GROW, mm),
        "edt, 2 threads": by_edt,
        "scipy": by_scipy,
    }
    if HAS_SIMPLE_ITK:
        import SimpleITK

        jobs["SimpleITK *"] = lambda: (
            SimpleITK.SignedMaurerDistanceMap(
                SimpleITK.ConstantPad(itk(scene), reach[::-1], reach[::-1]),
                squaredDistance=False,
                useImageSpacing=True,
            )
            <= mm
        )
    return jobs


def shrinking(scene: Scene, mm: float) -> Jobs:
    """Who shrinks the lesion; a layer around its box is needed to see where it ends."""
    layer, inner = (1, 1, 1), (slice(1, -1),) * 3

    def by_edt() -> Region:
        away = edt.edt(padded(crop(scene), layer).view(np.uint8), SPACING, parallel=2)
        return (away > mm + TIE)[inner]

    def by_scipy() -> Region:
        away = ndimage.distance_transform_edt(padded(crop(scene), layer), SPACING)
        return (away > mm + TIE)[inner]

    return {
        OURS: lambda: margin(scene, SHRINK, mm),
        "edt, 2 threads": by_edt,
        "scipy": by_scipy,
    }


def medians(scene: Scene, mm: float) -> Jobs:
    """Who takes the median of a box of voxels."""
    reach = reach_of(mm / 2)
    size = [2 * r + 1 for r in reach]
    jobs: Jobs = {
        OURS: lambda: smooth(scene, MEDIAN, mm),
        "scipy, by the mean": lambda: (
            ndimage.uniform_filter(crop(scene).astype(np.float32), size, mode="constant") > 0.5
        ),
        "scipy": lambda: ndimage.median_filter(crop(scene).view(np.uint8), size, mode="constant"),
    }
    if HAS_SIMPLE_ITK:
        import SimpleITK

        jobs["SimpleITK *"] = lambda: SimpleITK.BinaryMedian(itk(scene), reach[::-1])
    return jobs


def gaussians(scene: Scene, mm: float) -> Jobs:
    """Who cuts a Gaussian at one half."""
    sigmas = [mm / 2 / step for step in SPACING]
    jobs: Jobs = {
        OURS: lambda: smooth(scene, GAUSSIAN, mm),
        "scipy *": lambda: (
            ndimage.gaussian_filter(crop(scene).astype(np.float32), sigmas, mode="constant") >= 0.5
        ),
    }
    if HAS_SIMPLE_ITK:
        import SimpleITK

        jobs["SimpleITK *"] = lambda: (
            SimpleITK.SmoothingRecursiveGaussian(itk(scene), mm / 2) >= 0.5
        )
    return jobs


def opening(scene: Scene, mm: float) -> Jobs:
    """Who opens with a ball; SimpleITK's is one of voxels."""
    ball = ball_of(mm)
    jobs: Jobs = {
        OURS: lambda: cut_bridges(scene, mm),
        "scipy": lambda: ndimage.binary_opening(crop(scene), ball),
        "scikit-image *": lambda: morphology.opening(crop(scene), ball),
    }
    if HAS_SIMPLE_ITK:
        import SimpleITK

        jobs["SimpleITK *"] = lambda: SimpleITK.BinaryMorphologicalOpening(
            itk(scene), reach_of(mm)[::-1]
        )
    return jobs


def closing(scene: Scene, mm: float) -> Jobs:
    """Who closes with a ball, which needs room around the box; SimpleITK's is one of voxels."""
    ball = ball_of(mm)
    reach = reach_of(mm)
    inner = tuple(slice(r, -r) for r in reach)
    jobs: Jobs = {
        OURS: lambda: fill_gaps(scene, mm),
        "scipy": lambda: ndimage.binary_closing(padded(crop(scene), reach), ball)[inner],
        "scikit-image *": lambda: morphology.closing(padded(crop(scene), reach), ball)[inner],
    }
    if HAS_SIMPLE_ITK:
        import SimpleITK

        jobs["SimpleITK *"] = lambda: SimpleITK.BinaryMorphologicalClosing(itk(scene), reach[::-1])
    return jobs


def reach_of(mm: float) -> list[int]:
    """How many voxels reach a distance along each axis."""
    return [int((mm + TIE) / step) for step in SPACING]


def padded(region: Region, reach: Sequence[int], value: int = 0) -> Region:
    """A region with voxels around it."""
    return np.pad(region, [(r, r) for r in reach], constant_values=bool(value))


def ball_of(mm: float) -> Region:
    """The voxels of a ball."""
    z, y, x = np.ogrid[tuple(slice(-r, r + 1) for r in reach_of(mm))]
    ball: Region = np.sqrt(
        (z * SPACING[0]) ** 2 + (y * SPACING[1]) ** 2 + (x * SPACING[2]) ** 2
    ) <= (mm + TIE)
    return ball


def gaps(side: int) -> Jobs:
    """Who fills 7 slices between two outlines with a hole."""
    labels = np.zeros(SHAPE, np.uint8)
    corner = (SHAPE[1] - side) // 2
    window = (slice(corner, corner + side),) * 2
    labels[100][window], labels[108][window] = outline(side, 0.36), outline(side, 0.44)
    scene = Scene(labels, 1, SPACING)

    def by_depth(measured: Callable[[Any], Any]) -> Callable[[], Any]:
        def job() -> Any:
            (slices, *window), region = chosen(scene)
            a, b = (measured(plane) - measured(~plane) for plane in (region[0], region[-1]))
            between = np.stack([(8 - k) * a + k * b > 0 for k in range(1, 8)])
            box = (slice(slices.start + 1, slices.stop - 1), *window)
            return repainted(scene, box, between, unchanged="")

        return job

    def with_cv2(mask: int) -> Callable[[], Any]:
        return by_depth(lambda p: cv2.distanceTransform(p.view(np.uint8), cv2.DIST_L2, mask))

    return {
        OURS: lambda: interpolate(scene),
        "cv2, exact": with_cv2(cv2.DIST_MASK_PRECISE),
        "cv2, 5 x 5": with_cv2(cv2.DIST_MASK_5),
        "edt": by_depth(lambda plane: edt.edt(plane.view(np.uint8))),
        "scipy": by_depth(ndimage.distance_transform_edt),
    }


def outline(side: int, radius: float) -> Region:
    """A shape with five bays and a hole."""
    y, x = (np.mgrid[:side, :side] - side / 2) / side
    shape: Region = np.hypot(x, y) < radius + 0.03 * np.cos(5 * np.arctan2(y, x))
    return shape & (np.hypot(x - 0.1, y) > 0.06)


def boxes(scene: Scene) -> Jobs:
    """Who finds the box of a segment in the whole mask."""
    labels, value = scene.labels, scene.value
    jobs: Jobs = {
        OURS: lambda: segment_box(labels, value),
        "scipy": lambda: ndimage.find_objects(labels)[value - 1],
        "np.argwhere": lambda: np.argwhere(labels == value).min(axis=0),
    }
    assert jobs[OURS]() == jobs["scipy"]() == BOX
    return jobs


def check(scene: Scene, jobs: Jobs) -> None:
    """Hold what all find against ours; a star says that a method is another one."""
    expected = region_of(scene, jobs[OURS]())
    for name, job in jobs.items():
        if not name.endswith("*"):
            assert np.array_equal(region_of(scene, job()), expected), f"{name} has OTHER voxels"


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


def report(title: str, jobs: Jobs, runs: int) -> None:
    """Print the times, and how they relate to ours."""
    print(title)
    times = measure(jobs, runs)
    print(f"  {'':22}{'ms':>8}{'x ours':>8}")
    for name, taken in times.items():
        print(f"  {name:22}{taken:8.1f}{taken / times[OURS]:8.2f}")


def main() -> None:
    """Measure every tool, on a lesion and between outlines."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    for name, there in (("SimpleITK", HAS_SIMPLE_ITK), ("fill_voids", HAS_FILL_VOIDS)):
        if not there:
            print(f"{name} is not installed")
    scene = scene_of(lesion())
    report("find the box of a segment in 300 x 512 x 512", boxes(scene), options.runs)
    for title, jobs in (
        ("islands: remove those below 0.2 ml", small_islands(scene, 0.2)),
        ("islands: keep the largest", largest_island(scene)),
        ("islands: remove one", one_island(scene)),
        ("holes in 3-D", holes_in_3d(scene)),
        ("holes in every slice", holes_in_slices(scene)),
        ("grow by 3 mm", growing(scene, 3)),
        ("grow by 10 mm", growing(scene, 10)),
        ("shrink by 3 mm", shrinking(scene, 3)),
        ("smooth, median over 5 mm", medians(scene, 5)),
        ("smooth, Gaussian over 3 mm", gaussians(scene, 3)),
        ("open by 2.1 mm", opening(scene, 2.1)),
        ("close by 2.1 mm", closing(scene, 2.1)),
    ):
        check(scene, jobs)
        report(title, handing_over(scene, jobs), options.runs)
    for side in (160, 400):
        report(f"fill a gap of 7 slices, {side} x {side}", gaps(side), options.runs)


if __name__ == "__main__":
    main()
