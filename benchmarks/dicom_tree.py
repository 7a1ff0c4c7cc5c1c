"""Indexing a tree of DICOM files: this project beside GDCM's scanner, plain pydicom and the floor.

Every contender reads the same tree, turn by turn, and the median counts. The floor walks the tree,
opens every file and reads its first 8 KB. GDCM is measured where its ``gdcmscanner`` is installed,
with four tags, which is its fastest; the start of its process, some 10 ms, is among its time.

    python benchmarks/dicom_tree.py [FOLDER] [--files 31856] [--runs 3] [--gdcmscanner PROGRAM]

Without a folder a tree is made: two series a study with the header of a published file, where the
sample lies beside the project, or one like it, and 8 KB of pixels.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import tempfile
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import pydicom

from napari_chest.files.dicom.tree import index_tree

if TYPE_CHECKING:
    from collections.abc import Callable

REPOSITORY = Path(__file__).resolve().parents[1]
SAMPLE = REPOSITORY.parent / "shared/data/covid-ct-md/Sample data/COVID-19 subjects/P001"
EXPLICIT_LE = "1.2.840.10008.1.2.1"
STUDIES, SERIES_EACH = 117, 2
UIDS = ("0020,000d", "0020,000e", "0008,0018", "0008,0060")
TAGS = (
    "ImageType", "SOPClassUID", "SOPInstanceUID", "Modality", "SeriesDescription", "PatientID",
    "StudyInstanceUID", "SeriesInstanceUID", "SeriesNumber", "InstanceNumber",
    "ImagePositionPatient", "ImageOrientationPatient", "PhotometricInterpretation",
    "NumberOfFrames", "Rows", "Columns", "PixelSpacing",
)  # fmt: skip


def all_files(folder: str) -> list[str]:
    """Every file below a folder."""
    found, waiting = [], [folder]
    while waiting:
        with os.scandir(waiting.pop()) as scan:
            for entry in scan:
                (waiting if entry.is_dir() else found).append(entry.path)
    return found


def floor(root: Path) -> int:
    """Walk, open, read and do nothing with it."""
    read = 0
    for path in all_files(str(root)):
        handle = os.open(path, os.O_RDONLY)
        read += len(os.read(handle, 8192))
        os.close(handle)
    return read


def plain_pydicom(root: Path) -> int:
    """The same elements, as most scripts read them."""
    index = {}
    for path in all_files(str(root)):
        dataset = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=list(TAGS))
        index[path] = [dataset.get(name) for name in TAGS]
    return len(index)


def gdcm(program: str, root: Path) -> None:
    """GDCM's scanner for four UIDs."""
    tags = [part for tag in UIDS for part in ("-t", tag)]
    command = [program, "-r", "-d", str(root), *tags]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def indexed_anew(root: Path, cache: Path, workers: int | None) -> int:
    """Our index with nothing remembered, which is written."""
    shutil.rmtree(cache, ignore_errors=True)
    return len(index_tree(root, cache, workers=workers).entries)


def compare(root: Path, cache: Path, program: str | None, runs: int) -> None:
    """Measure all contenders in turn and print their medians."""
    contenders: dict[str, Callable[[], object]] = {
        "floor": lambda: floor(root),
        "napari-chest": lambda: indexed_anew(root, cache, None),
        "  again": lambda: index_tree(root, cache),
        "  one process": lambda: indexed_anew(root, cache, 1),
        "pydicom": lambda: plain_pydicom(root),
    }
    if program:
        contenders["gdcmscanner"] = lambda: gdcm(program, root)
    else:
        print("gdcmscanner is not installed")
    times: dict[str, list[float]] = {name: [] for name in contenders}
    floor(root)
    for _ in range(runs):
        for name, run in contenders.items():
            started = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - started)
    ours = statistics.median(times["napari-chest"])
    count = len(index_tree(root, cache).entries)
    print(f"{count} files, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"  {'':16}{'s':>8}{'files/s':>10}{'x ours':>8}")
    for name, taken in times.items():
        seconds = statistics.median(taken)
        print(f"  {name:16}{seconds:8.3f}{count / seconds:10.0f}{seconds / ours:8.2f}")


def sample_dataset() -> pydicom.Dataset:
    """A published header where there is one, else one of that size."""
    for path in sorted(SAMPLE.glob("*.dcm"))[:1]:
        return pydicom.dcmread(path, stop_before_pixels=True)
    dataset = pydicom.Dataset()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.preamble = bytes(128)
    dataset.SOPClassUID, dataset.Modality = "1.2.840.10008.5.1.4.1.1.2", "CT"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.SeriesDescription, dataset.PixelSpacing = "Thorax", ["0.75", "0.75"]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation = 0
    block = dataset.private_block(0x0029, "BENCH", create=True)
    for n in range(60):
        block.add_new(n, "LO", f"a private element {n:03}" * 2)
    return dataset


def write_tree(root: Path, count: int) -> None:
    """A tree in the layout of the NBIA Data Retriever."""
    dataset = sample_dataset()
    dataset.file_meta.TransferSyntaxUID = EXPLICIT_LE
    dataset.Rows = dataset.Columns = 64
    dataset.PixelData = bytes(8192)
    dataset["PixelData"].VR = "OW"
    n_series = min(STUDIES * SERIES_EACH, count)
    for number in range(n_series):
        study = number // SERIES_EACH
        dataset.PatientID = f"MIDRC-RICORD-1A-419639-{study:06}"
        dataset.StudyInstanceUID = f"1.2.826.0.1.3680043.10.474.419639.9{study:05}12345678901"
        dataset.SeriesInstanceUID = f"1.2.826.0.1.3680043.10.474.419639.8{number:05}98765432109"
        dataset.SeriesNumber = number % SERIES_EACH + 1
        folder = root / dataset.PatientID / f"study-{study}" / f"{dataset.SeriesNumber}.000000-NA"
        folder.mkdir(parents=True)
        for n in range(count // n_series + (number < count % n_series)):
            dataset.SOPInstanceUID = f"1.2.826.0.1.3680043.10.474.7{number:05}{n:05}5551212"
            dataset.InstanceNumber = n + 1
            dataset.ImagePositionPatient = [-172.125, -328.125, -2.0 * n]
            dataset.save_as(folder / f"1-{n + 1:03}.dcm", enforce_file_format=False)


def main() -> None:
    """Measure the folder that is given, or a tree made for it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--files", type=int, default=31_856)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--gdcmscanner", default=shutil.which("gdcmscanner"))
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as made:
        root = options.folder or Path(made) / "tree"
        if options.folder is None:
            write_tree(root, options.files)
        compare(root, Path(made) / "cache", options.gdcmscanner, options.runs)


if __name__ == "__main__":
    main()
