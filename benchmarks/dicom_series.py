"""Opening a DICOM CT series: this project beside SimpleITK, plain pydicom and the floor.

Every contender opens the same folder in the same process, turn by turn, and the median counts. The
floor knows the order of the files and where their frames begin, and does nothing but read and
decode them on all cores into one array. Run with the ``bench`` dependency group:

    python benchmarks/dicom_series.py [FOLDER ...] [--synthetic N] [--runs 7]
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
import pydicom
from pydicom.encaps import encapsulate, get_frame

from napari_chest.files.dicom import index_folder, main_series, stream_series

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from napari_chest.files.dicom import Series

    Voxels = npt.NDArray[np.generic]

REPOSITORY = Path(__file__).resolve().parents[1]
SAMPLE = REPOSITORY.parent / "shared/data/covid-ct-md/Sample data"
FOLDERS = (SAMPLE / "COVID-19 subjects/P001", SAMPLE / "Cap subjects/cap002")
JPEG_LOSSLESS = "1.2.840.10008.1.2.4.70"
EXPLICIT_LE = "1.2.840.10008.1.2.1"
MEGABYTE = 2**20


def ours(folder: Path) -> Voxels:
    """Index, order and decode with this project."""
    found, _ = index_folder(folder)
    return stream_series(main_series(found)).complete().voxels


def ours_first(folder: Path) -> int:
    """As `ours`, to the first slice."""
    found, _ = index_folder(folder)
    stream = stream_series(main_series(found))
    index = next(stream.slices)
    stop.append(stream.slices)  # closed outside the measured time
    return index


stop: list = []


def simple_itk(names: list[str]) -> Voxels:
    """SimpleITK with names already in order, which spares it the sorting."""
    import SimpleITK

    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(names)
    return SimpleITK.GetArrayFromImage(reader.Execute())


def naive(folder: Path) -> Voxels:
    """pydicom as most scripts use it, with a fast decoder where it has none."""
    datasets = [pydicom.dcmread(path) for path in folder.glob("*.dcm")]
    datasets.sort(key=lambda dataset: -float(dataset.ImagePositionPatient[2]))
    return np.stack(
        [_pixels(one) * float(one.RescaleSlope) + float(one.RescaleIntercept) for one in datasets]
    ).astype(np.int16)


def _pixels(dataset: pydicom.Dataset) -> Voxels:
    if dataset.file_meta.TransferSyntaxUID == JPEG_LOSSLESS:  # pydicom needs a plugin for it
        return imagecodecs.jpeg8_decode(get_frame(dataset.PixelData, 0, number_of_frames=1))
    return dataset.pixel_array


def floor(places: list[tuple[str, int, int]], shape: tuple[int, int, int]) -> Voxels:
    """Read and decode the known bytes on all cores into one new array."""
    voxels = np.empty(shape, np.uint16)

    def one(z: int) -> None:
        path, offset, length = places[z]
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123
            file.seek(offset)
            data = file.read(length)
        if length == voxels[z].nbytes:
            voxels[z] = np.frombuffer(data, np.uint16).reshape(shape[1:])
        else:
            imagecodecs.jpeg8_decode(data, out=voxels[z])

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(one, range(shape[0])))
    return voxels


def frame_places(series: Series) -> list[tuple[str, int, int]]:
    """Where each slice's frame lies in its file."""
    places = []
    for header in series.slices:
        data = header.path.read_bytes()
        start, end = header.pixel_offset, len(data)
        if header.pixel_length is None:  # offset table, then one fragment
            start += 8 + int.from_bytes(data[start + 4 : start + 8], "little")
            end = start + 8 + int.from_bytes(data[start + 4 : start + 8], "little")
            start += 8
        else:
            end = start + header.pixel_length
        places.append((str(header.path), start, end - start))
    return places


def measure(contenders: dict[str, Callable[[], object]], runs: int) -> dict[str, float]:
    """Median milliseconds of each contender, taken in turns after one run to warm up."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for run in range(runs + 1):
        for name, open_series in contenders.items():
            started = time.perf_counter()
            result = open_series()
            elapsed = time.perf_counter() - started
            del result
            while stop:
                stop.pop().close()
            if run:
                times[name].append(1000 * elapsed)
    return {name: statistics.median(taken) for name, taken in times.items()}


def compare(folder: Path, runs: int) -> None:
    """Check that all contenders agree, then print their times."""
    series = main_series(index_folder(folder)[0])
    names, places = [str(header.path) for header in series.slices], frame_places(series)
    shape = series.grid.shape
    contenders: dict[str, Callable[[], object]] = {
        "floor": lambda: floor(places, shape),
        "napari-chest": lambda: ours(folder),
        "  to the first slice": lambda: ours_first(folder),
        "  index only": lambda: index_folder(folder),
        "pydicom naive": lambda: naive(folder),
        "SimpleITK": lambda: simple_itk(names),
    }
    expected = ours(folder)
    for name in ("pydicom naive", "SimpleITK"):
        try:
            same = np.array_equal(contenders[name](), expected)
        except ImportError:
            print(f"  {name} is not installed")
            del contenders[name]
            continue
        print(f"  {name} has {'the same' if same else 'OTHER'} voxels")
    times = measure(contenders, runs)
    print(f"  {'':22}{'ms':>8}{'x floor':>9}{'x ours':>8}")
    for name, taken in times.items():
        print(
            f"  {name:22}{taken:8.1f}{taken / times['floor']:9.2f}"
            f"{taken / times['napari-chest']:8.2f}"
        )


def peak_memory(folder: Path) -> None:
    """Print what opening takes beyond the imports, in a child process.

    To be called before anything large was opened: on Linux a child inherits its parent's peak.
    """
    command = [sys.executable, "-W", "ignore", __file__, "--child", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    peak, size = map(int, done.stdout.split())
    print(f"{folder.name}: peak memory {peak / MEGABYTE:.0f} MB = {peak / size:.2f} x the volume")


def child(folder: Path) -> None:
    """Open a series and print the growth of the peak and the volume's size in bytes."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    size = ours(folder).nbytes
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1 if sys.platform == "darwin" else 1024
    print((after - before) * unit, size)


def write_synthetic(folder: Path, count: int, syntax: str) -> None:
    """A noisy series with 512 x 512 voxels a slice."""
    random = np.random.default_rng(0)
    base = (1000 + 400 * np.hypot(*np.mgrid[-1:1:512j, -1:1:512j])).astype(np.uint16)
    for n in range(count):
        stored = base + random.integers(0, 64, base.shape, np.uint16)
        dataset = pydicom.Dataset()
        dataset.preamble, dataset.file_meta = bytes(128), pydicom.dataset.FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", f"1.2.3.{n}"
        dataset.Modality, dataset.SeriesInstanceUID = "CT", "1.2.3"
        dataset.InstanceNumber = n + 1
        dataset.ImagePositionPatient = [0, 0, -1.0 * n]
        dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        dataset.PixelSpacing, dataset.SliceThickness = [0.7, 0.7], 1
        dataset.Rows = dataset.Columns = 512
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
        dataset.PixelRepresentation = 0
        dataset.RescaleSlope, dataset.RescaleIntercept = 1, -1024
        dataset.PixelData = stored.tobytes()
        dataset["PixelData"].VR = "OW"
        if syntax == JPEG_LOSSLESS:
            coded = imagecodecs.jpeg8_encode(stored, lossless=True, predictor=1, bitspersample=12)
            dataset.PixelData = encapsulate([coded])
            dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
        pydicom.dcmwrite(folder / f"s{n}.dcm", dataset, implicit_vr=False, little_endian=True)


def main() -> None:
    """Measure the folders that are asked for, or the published sample, or a synthetic series."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--synthetic", type=int, metavar="N", help="N generated slices instead")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.child:
        child(options.child)
        return
    folders = options.folders or [folder for folder in FOLDERS if folder.is_dir()]
    with tempfile.TemporaryDirectory() as made:
        if options.synthetic or not folders:
            folders = synthetic_folders(Path(made), options.synthetic or 150)
        for folder in folders:
            peak_memory(folder)
        for folder in folders:
            print(folder.name)
            compare(folder, options.runs)


def synthetic_folders(parent: Path, count: int) -> list[Path]:
    """A generated series of ``count`` slices, compressed and not."""
    folders = []
    for name, syntax in (("jpeg-lossless", JPEG_LOSSLESS), ("uncompressed", EXPLICIT_LE)):
        folders.append(parent / name)
        folders[-1].mkdir()
        write_synthetic(folders[-1], count, syntax)
    return folders


if __name__ == "__main__":
    main()
