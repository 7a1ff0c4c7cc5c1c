"""NIfTI files: reading a packed CT and saving a corrected mask, beside nibabel and SimpleITK.

Every contender does the same job in the same process, turn by turn, and the median counts.
SimpleITK takes part where it is installed (the ``bench`` dependency group).

    python benchmarks/nifti.py [--slices 300] [--mask-slices 40] [--runs 7]
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import tempfile
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np

from napari_chest.files.atomic import write_together
from napari_chest.files.nifti import read_labels, stream_nifti

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Voxels = npt.NDArray[np.generic]
    Jobs = dict[str, Callable[[], object]]

HAS_SIMPLE_ITK = importlib.util.find_spec("SimpleITK") is not None
LAS = np.diag([-0.7, 0.7, 1.0, 1.0])
SIDE = 512


def synthetic_ct(slices: int) -> Voxels:
    """A body with two lungs and the noise of a scanner, stored as x, y, z."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    body, lungs = np.hypot(x, y) < 0.9, np.hypot(1.6 * x, y) < 0.6
    mean = np.where(lungs, -850, np.where(body, 40, -1000))
    noise = np.where(body, 25, 4)
    voxels = np.empty((SIDE, SIDE, slices), np.int16, order="F")
    for z in range(slices):
        voxels[..., z] = mean + noise * random.standard_normal(mean.shape)
    return voxels


def synthetic_mask(slices: int) -> Voxels:
    """A few lesions with ragged borders, about as many voxels as in published masks."""
    random = np.random.default_rng(1)
    places = np.mgrid[:SIDE, :SIDE, :slices].transpose(1, 2, 3, 0)
    mask = np.zeros((SIDE, SIDE, slices), np.int16, order="F")
    for _ in range(12):
        centre = random.uniform((100, 100, 5), (412, 412, slices - 5))
        away = np.linalg.norm((places - centre) / (20, 26, 3), axis=-1)
        mask[away + random.normal(0, 0.05, mask.shape) < 1] = 1
    return mask


def read_with_nibabel(path: Path) -> Voxels:
    """As scripts read it that keep the stored type."""
    return np.asarray(nib.load(path).dataobj)


def read_with_simple_itk(path: Path) -> object:
    """Its own image, without the copy that makes an array of it."""
    import SimpleITK

    return SimpleITK.ReadImage(str(path))


def first_slice(path: Path) -> Voxels:
    """The slice that is looked at first."""
    stream = stream_nifti(path)
    index = next(stream.slices)
    stream.slices.close()
    return stream.volume.voxels[index]


def reading(path: Path, expected: Voxels) -> Jobs:
    """Who reads a volume, after a check that all read the same."""
    jobs: Jobs = {
        "napari-chest": lambda: stream_nifti(path).complete(),
        "  to the first slice": lambda: first_slice(path),
        "nibabel": lambda: read_with_nibabel(path),
    }
    same = {"napari-chest": stream_nifti(path).complete().voxels[::-1, ::-1].T}
    same["nibabel"] = read_with_nibabel(path)
    if HAS_SIMPLE_ITK:
        jobs["SimpleITK"] = lambda: read_with_simple_itk(path)
        import SimpleITK

        same["SimpleITK"] = SimpleITK.GetArrayFromImage(read_with_simple_itk(path)).T
    for name, voxels in same.items():
        assert np.array_equal(voxels, expected), f"{name} has OTHER voxels"
    return jobs


def saving(path: Path, out: Path) -> Jobs:
    """Who writes a mask of which one slice was corrected; reading it before is not counted."""
    file = read_labels(path)
    labels = file.labels.copy()
    labels[20, 100:140, 100:140] = 1
    image = nib.load(path)
    stored = np.asarray(image.dataobj).copy()
    stored[100:140, SIDE - 140 : SIDE - 100, labels.shape[0] - 21] = 1
    jobs: Jobs = {
        "napari-chest": lambda: write_together({out / "ours.nii.gz": file.with_labels(labels)}),
        "  without the disk": lambda: file.with_labels(labels),
        "nibabel": lambda: nib.save(
            nib.Nifti1Image(stored, image.affine, image.header), out / "nibabel.nii.gz"
        ),
    }
    if HAS_SIMPLE_ITK:
        import SimpleITK

        picture = SimpleITK.GetImageFromArray(stored.T)
        jobs["SimpleITK"] = lambda: SimpleITK.WriteImage(picture, str(out / "itk.nii.gz"), True)
    jobs["napari-chest"]()
    assert np.array_equal(read_with_nibabel(out / "ours.nii.gz"), stored), "OTHER voxels saved"
    return jobs


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
        print(f"  {name:22}{taken:8.1f}{taken / times['napari-chest']:8.2f}")


def main() -> None:
    """Measure reading a volume and saving a mask, both synthetic."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--mask-slices", type=int, default=40)
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if not HAS_SIMPLE_ITK:
        print("SimpleITK is not installed")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for name, voxels in (
            ("ct.nii.gz", synthetic_ct(options.slices)),
            ("mask.nii.gz", synthetic_mask(options.mask_slices)),
        ):
            nib.save(nib.Nifti1Image(voxels, LAS), folder / name)
        ct = read_with_nibabel(folder / "ct.nii.gz")
        size = f"{SIDE} x {SIDE} x"
        report(
            f"read int16 {size} {options.slices}", reading(folder / "ct.nii.gz", ct), options.runs
        )
        report(
            f"save a corrected int16 mask {size} {options.mask_slices}",
            saving(folder / "mask.nii.gz", folder),
            options.runs,
        )


if __name__ == "__main__":
    main()
