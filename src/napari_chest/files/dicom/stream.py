"""Reads the voxels of a series, the slice that is looked at first."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final

import numpy as np

from napari_chest.errors import ReadError
from napari_chest.files.dicom.pixels import AIR_HU, decode_into
from napari_chest.model import Modality, Problem, Volume, VolumeStream

if TYPE_CHECKING:
    from collections.abc import Generator

    import numpy.typing as npt

    from napari_chest.files.dicom.header import SliceHeader
    from napari_chest.files.dicom.series import Series

    Voxels = npt.NDArray[np.int16]

_MOST_VOXELS: Final = 2**31
_MODALITIES: Final[dict[str, Modality]] = {"CR": "CR", "DX": "DX"}


def stream_series(
    series: Series, *, first: int | None = None, workers: int | None = None
) -> VolumeStream:
    """A volume of ``(Z, Y, X)`` int16 Hounsfield units whose slices are decoded on all cores.

    Parameters
    ----------
    series : what to read.
    first : index of the slice to read first, then its neighbours outwards; the middle by default.
    workers : number of threads; one per core by default.

    A slice that cannot be read stays air and is told in ``problems``. Files are opened one per
    thread and only while slices are taken; closing ``slices`` waits for the slices in work.

    Raises
    ------
    ReadError
        when the volume would exceed 2**31 voxels; and from ``slices``, when no slice can be read.
    """
    workers = workers or os.cpu_count() or 1
    voxels = _air(series, workers)
    problems: list[Problem] = []
    volume = Volume(voxels, series.grid, _MODALITIES.get(series.modality, "CT"), series.window)
    start = series.n_slices // 2 if first is None else min(max(first, 0), series.n_slices - 1)
    slices = _decode_all(series, voxels, start, workers, problems)
    return VolumeStream(volume, slices, problems)


def outwards(start: int, count: int) -> list[int]:
    """All indices below ``count``, those nearest to ``start`` first."""
    return sorted(range(count), key=lambda index: (abs(index - start), -index))


def _air(series: Series, workers: int) -> Voxels:
    count = int(np.prod(series.grid.shape, dtype=np.int64))
    if count > _MOST_VOXELS:
        raise ReadError(series.folder, f"a volume of {count} voxels is too large to be shown.")
    voxels = np.empty(series.grid.shape, np.int16)
    # Most of the time goes into the system's first touch of each page, which threads share.
    with ThreadPoolExecutor(workers, thread_name_prefix="dicom") as pool:
        for block in np.array_split(voxels, workers):
            pool.submit(block.fill, AIR_HU)
    return voxels


def _decode_all(
    series: Series, voxels: Voxels, start: int, workers: int, problems: list[Problem]
) -> Generator[int, None, None]:
    done: SimpleQueue[tuple[int, Problem | None]] = SimpleQueue()

    def work(index: int) -> None:
        done.put((index, _decode_one(series.slices[index], voxels[index])))

    work(start)  # before the threads start, so that the slice looked at has a core to itself
    pool = ThreadPoolExecutor(workers, thread_name_prefix="dicom")
    try:
        for index in outwards(start, series.n_slices)[1:]:
            pool.submit(work, index)
        for _ in range(series.n_slices):
            index, problem = done.get()
            if problem is not None:
                problems.append(problem)
            yield index
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    if len(problems) == series.n_slices:
        raise ReadError(series.folder, f"no slice can be read. The first: {problems[0].text}")


def _decode_one(header: SliceHeader, out: Voxels) -> Problem | None:
    try:
        decode_into(header, out)
    except Exception as error:  # one slice must never stop the others
        out.fill(AIR_HU)
        reason = str(error).removeprefix(f"{header.path}: ")
        return Problem(
            "error", f"The slice of {header.name} is shown as air: {reason}", (header.name,)
        )
    return None
