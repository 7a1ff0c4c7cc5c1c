"""Growing from a click and from seeds, beside scikit-image, SimpleITK and scipy.

Every contender does the same job in the same process, turn by turn, and the median counts. From a
click all must find the same voxels. From seeds every method decides otherwise, so the overlap with
the known truth (Dice) is told beside the time. SimpleITK takes part where it is installed (the
``bench`` dependency group), real CTs where they lie beside the project.

    python benchmarks/tools_grow.py [--slices 300] [--runs 5]
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import ndimage
from skimage.segmentation import flood, watershed

from napari_chest.files.dicom import index_folder, main_series, stream_series
from napari_chest.phantom.chest import make_chest
from napari_chest.tools.base import Scene, ToolError
from napari_chest.tools.grow import grow
from napari_chest.tools.seeds import grow_from_seeds

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from napari_chest.tools.base import Voxel

    Voxels = npt.NDArray[np.int16]
    Labels = npt.NDArray[np.uint8]
    Spacing = tuple[float, float, float]
    Jobs = dict[str, Callable[[], object]]

HAS_SIMPLE_ITK = importlib.util.find_spec("SimpleITK") is not None
SAMPLE = Path(__file__).resolve().parents[2] / "shared/data/covid-ct-md/Sample data"
REAL = (SAMPLE / "COVID-19 subjects/P001", SAMPLE / "Cap subjects/cap002")
TOLERANCE = 150
MOST = 8000
SEEDS_BOX = (60, 200, 200)
"""What is competed for when growing from seeds, in voxels."""


class Image(NamedTuple):
    """A CT to click into."""

    name: str
    voxels: Voxels
    spacing: Spacing


def phantom(slices: int) -> tuple[Image, Labels]:
    """A synthetic chest with a nodule, and its opacities."""
    chest = make_chest((slices, 512, 512), severity=0.4)
    voxels = chest.voxels.copy()
    lung = ndimage.binary_erosion(chest.lobes[slices // 3] > 0, iterations=14)
    middle = np.argwhere(lung & (chest.opacity[slices // 3] == 0))[0]
    centre = (slices // 3, *middle.tolist())
    away = sum(
        ((np.arange(n) - at) * step).reshape([-1 if k == axis else 1 for k in range(3)]) ** 2
        for axis, (n, at, step) in enumerate(zip(voxels.shape, centre, chest.spacing, strict=True))
    )
    nodule = away <= 6.0**2
    voxels[nodule] += np.int16(40) - np.int16(-850)
    return Image(f"phantom {voxels.shape}", voxels, chest.spacing), chest.opacity


def real(folder: Path) -> Image:
    """A published CT."""
    found, _ = index_folder(folder)
    volume = stream_series(main_series(found)).complete()
    return Image(f"{folder.name} {volume.voxels.shape}", volume.voxels, volume.grid.spacing)


def clicks(image: Image) -> dict[str, Voxel]:
    """Where to click: in a lung and in something as small as a nodule.

    The median around each is its own value, which makes what is asked of all contenders the same.
    """
    voxels = image.voxels
    found: dict[str, Voxel] = {}
    rng = np.random.default_rng(0)
    corner = np.array([len(voxels) // 3 - 20, 100, 60])
    part = voxels[corner[0] : corner[0] + 40, 100:-100, 60:-60]
    for name, low, high, least, most in (
        ("lung", -880, -830, 500, MOST),
        ("nodule", 0, 80, 0.3, 3),
    ):
        places = np.argwhere((part >= low) & (part <= high)) + corner
        for place in rng.permutation(places)[:2000]:
            z, y, x = at = tuple(place.tolist())
            around = voxels[z, y - 1 : y + 2, x - 1 : x + 2]
            if np.median(around) == voxels[at] and volume_at(image, at, most) > least:
                found[name] = at
                break
    return found


def volume_at(image: Image, at: Voxel, most: float) -> float:
    """How many ml grow from a click; 0 where they are more than allowed."""
    empty = np.broadcast_to(np.uint8(0), image.voxels.shape)
    scene = Scene(empty, 1, image.spacing, voxels=image.voxels)
    try:
        painted = grow(scene, at, tolerance=TOLERANCE, most=most)
    except ToolError:
        return 0.0
    return float(np.count_nonzero(painted.labels) * np.prod(image.spacing) / 1000)


def from_a_click(image: Image, at: Voxel) -> Jobs:
    """Who grows from a click, after a check that all find the same voxels."""
    voxels, value = image.voxels, int(image.voxels[at])
    low, high = value - TOLERANCE, value + TOLERANCE
    labels = np.zeros(voxels.shape, np.uint8)
    scene = Scene(labels, 1, image.spacing, voxels=voxels)

    def scipy_label() -> Labels:
        parts, _ = ndimage.label((voxels >= low) & (voxels <= high))
        return parts == parts[at]

    jobs: Jobs = {
        "napari-chest": lambda: grow(scene, at, tolerance=TOLERANCE, most=MOST),
        "skimage.flood": lambda: flood(voxels, at, connectivity=1, tolerance=TOLERANCE),
        "scipy.ndimage.label": scipy_label,
    }
    painted = jobs["napari-chest"]()
    expected = np.zeros(voxels.shape, np.bool_)
    expected[painted.box] = painted.labels > 0
    same = {name: job() for name, job in jobs.items() if name != "napari-chest"}
    if HAS_SIMPLE_ITK:
        import SimpleITK

        picture = SimpleITK.GetImageFromArray(voxels)
        jobs["SimpleITK"] = lambda: SimpleITK.ConnectedThreshold(picture, [at[::-1]], low, high)
        same["SimpleITK"] = SimpleITK.GetArrayFromImage(jobs["SimpleITK"]()) > 0
    for name, found in same.items():
        assert np.array_equal(found, expected), f"{name} finds OTHER voxels"
    return jobs


def scribbles(image: Image, opacity: Labels) -> tuple[Voxels, Labels, Labels]:
    """A box around opacities: its voxels, its truth, and seeds on every sixth slice.

    Seeds 1 and 2 are ground glass and consolidation, 3 is what lies around.
    """
    middle = np.median(np.argwhere(opacity == 2), axis=0).astype(int)
    box = tuple(
        slice(start, start + n)
        for start, n in (
            (min(max(0, at - n // 2), length - n), n)
            for at, n, length in zip(middle, SEEDS_BOX, opacity.shape, strict=True)
        )
    )
    truth, seeds = opacity[box], np.zeros(SEEDS_BOX, np.uint8)
    for z in range(0, len(truth), 6):
        for value in (1, 2):
            deep = ndimage.distance_transform_edt(truth[z] == value)
            seeds[z][(deep > 2) & (deep > 0.6 * deep.max())] = value
        seeds[z][ndimage.distance_transform_edt(truth[z] == 0) > 25] = 3
    return image.voxels[box], truth, seeds


def from_seeds(voxels: Voxels, seeds: Labels, spacing: Spacing) -> Jobs:
    """Who grows from seeds; making an edge image is part of the work."""
    scene = Scene(seeds, 1, spacing, voxels=voxels)
    markers = seeds.astype(np.int32)

    def edges() -> Labels:
        gradient = ndimage.gaussian_gradient_magnitude(voxels.astype(np.float32), 1)
        return np.clip(gradient / 2, 0, 255).astype(np.uint8)

    def grey() -> Labels:
        return np.clip((voxels + 1024.0) / 5, 0, 255).astype(np.uint8)

    jobs: Jobs = {
        "napari-chest": lambda: grow_from_seeds(scene).labels,
        "skimage.watershed": lambda: watershed(edges(), markers),
        "scipy watershed_ift": lambda: ndimage.watershed_ift(grey(), markers.astype(np.int16)),
    }
    if HAS_SIMPLE_ITK:
        import SimpleITK

        picture = SimpleITK.GetImageFromArray(voxels.astype(np.float32))
        marks = SimpleITK.GetImageFromArray(seeds)

        def simple_itk() -> Labels:
            gradient = SimpleITK.GradientMagnitudeRecursiveGaussian(picture, 1.0)
            return SimpleITK.GetArrayFromImage(
                SimpleITK.MorphologicalWatershedFromMarkers(gradient, marks, False, False)
            )

        jobs["SimpleITK watershed"] = simple_itk
    return jobs


def dice(found: Labels, truth: Labels) -> str:
    """The overlap of ground glass and of consolidation with the truth."""
    shares = []
    for value in (1, 2):
        one, other = found == value, truth == value
        shares.append(2 * np.count_nonzero(one & other) / max(1, one.sum() + other.sum()))
    return " ".join(f"{share:.3f}" for share in shares)


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


def report(title: str, jobs: Jobs, runs: int, remarks: dict[str, str] | None = None) -> None:
    """Print the times, and how they relate to ours."""
    print(title)
    times = measure(jobs, runs)
    print(f"  {'':22}{'ms':>9}{'x ours':>9}{'  dice' if remarks else ''}")
    for name, taken in times.items():
        remark = f"  {remarks[name]}" if remarks else ""
        print(f"  {name:22}{taken:9.2f}{taken / times['napari-chest']:9.2f}{remark}")


def main() -> None:
    """Measure growing in a phantom, and from clicks in real CTs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    if not HAS_SIMPLE_ITK:
        print("SimpleITK is not installed")
    synthetic, opacity = phantom(options.slices)
    images = [synthetic, *(real(folder) for folder in REAL if folder.is_dir())]
    for image in images:
        for name, at in clicks(image).items():
            title = f"grow {name} ({volume_at(image, at, MOST):.3g} ml), {image.name}"
            report(title, from_a_click(image, at), options.runs)
    voxels, truth, seeds = scribbles(synthetic, opacity)
    jobs = from_seeds(voxels, seeds, synthetic.spacing)
    overlaps = {name: dice(job(), truth) for name, job in jobs.items()}
    report(f"grow from seeds, {SEEDS_BOX}", jobs, options.runs, overlaps)


if __name__ == "__main__":
    main()
