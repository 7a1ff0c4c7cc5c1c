"""Reads the voxels of a NIfTI volume; slices appear as they are unpacked."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final

import numpy as np

from napari_chest import geometry
from napari_chest.errors import ReadError
from napari_chest.files.atomic import reason
from napari_chest.files.dicom import AIR_HU
from napari_chest.files.nifti.container import DamagedError, Source, open_file, size_of
from napari_chest.files.nifti.header import check_promise, grid_of, parsed, read_header
from napari_chest.files.nifti.hounsfield import Converter
from napari_chest.model import Problem, Volume, VolumeStream, Window

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator
    from pathlib import Path

    import numpy.typing as npt

    from napari_chest.files.nifti.header import NiftiHeader
    from napari_chest.model import Grid

    Planes = npt.NDArray[np.int16]

_LAST_AXIS: Final = 2
_MOST_TRAILING: Final = 2**20


def stream_nifti(path: Path, first: int | None = None) -> VolumeStream:
    """A volume of ``(Z, Y, X)`` int16 Hounsfield units whose slices arrive as they are unpacked.

    Nothing is handed out before display slice ``first`` (the middle one by default); then come
    those that were unpacked before it, the nearest first, then the others. What a damaged file
    lacks stays air and is told in ``problems``. The file is open only while slices are taken.

    Raises
    ------
    ReadError
        when the file holds no volume of numbers or promises more than fits into memory or into its
        own size; and from ``slices``, when no slice can be read.
    """
    header = read_header(path)
    grid = grid_of(header)
    with open_file(path) as file:
        check_promise(header, size_of(file))
    planes = np.full(header.shape[::-1], AIR_HU, np.int16)  # the first stored axis runs fastest
    voxels = geometry.to_display(planes.T, grid.stored)
    start = grid.shape[0] // 2 if first is None else min(max(first, 0), grid.shape[0] - 1)
    problems: list[Problem] = []
    slices = _read_slices(header, grid, planes, start, problems)
    return VolumeStream(Volume(voxels, grid, "CT", _window(header)), slices, problems)


def _window(header: NiftiHeader) -> Window | None:
    fields = parsed(header.raw)
    low, high = float(fields["cal_min"]), float(fields["cal_max"])
    if not (np.isfinite([low, high]).all() and high > low):
        return None
    return Window((low + high) / 2, high - low)


def _read_slices(
    header: NiftiHeader, grid: Grid, planes: Planes, start: int, problems: list[Problem]
) -> Generator[int, None, None]:
    last = grid.shape[0] - 1
    with closing(_read_planes(header, grid, planes, problems)) as read:
        if not _slices_in_turn(grid):  # no slice is whole before all of the file was read
            for _ in read:
                pass
            yield from _outwards(start, range(last + 1))
            return
        shown = (last - plane if grid.stored.flipped[0] else plane for plane in read)
        held = []
        for index in shown:
            held.append(index)
            if index == start:
                break
        yield from _outwards(start, held)
        yield from shown


def _slices_in_turn(grid: Grid) -> bool:
    """Whether the file holds one slice after another, not a part of each."""
    return grid.stored.axes[0] == _LAST_AXIS


def _outwards(start: int, slices: Iterable[int]) -> list[int]:
    return sorted(slices, key=lambda index: (abs(index - start), -index))


def _read_planes(
    header: NiftiHeader, grid: Grid, planes: Planes, problems: list[Problem]
) -> Generator[int, None, None]:
    """Fill the planes in the file's order; those that are missing are told and handed out too."""
    converter = Converter(header)
    done = 0
    with open_file(header.path) as file:
        source = Source(file, header.gzip)
        try:
            if source.read(len(header.raw)) != header.raw:
                raise ReadError(header.path, "it changed while it was read. Open it again.")
            for plane in planes:
                if not converter.read(source, plane):
                    raise DamagedError("the file is cut short")
                yield done
                done += 1
            problems += _end_problems(header, source)
        except (DamagedError, OSError) as error:
            why = reason(error) if isinstance(error, OSError) else str(error)
            problems.append(_missing(header, grid, done, why))
    problems += converter.problems()
    yield from range(done, len(planes))


def _missing(header: NiftiHeader, grid: Grid, done: int, why: str) -> Problem:
    count = header.shape[_LAST_AXIS]
    if not done:
        raise ReadError(header.path, f"no slice can be read: {why}.")
    if done == count:
        text = f"Voxels may be wrong: {why}."
    elif _slices_in_turn(grid):
        text = f"{count - done} of {count} slices are missing and shown as air: {why}."
    else:
        part = f"{count - done} of {count} stored planes"
        text = f"Every slice lacks a part, as {part} are missing and shown as air: {why}."
    return Problem("error", text, (header.path.name,))


def _end_problems(header: NiftiHeader, source: Source) -> Iterator[Problem]:
    """What is odd behind the last voxel."""
    files = (header.path.name,)
    more = source.read(_MOST_TRAILING)
    if source.cut:
        text = "The file's last bytes are missing, so its voxels cannot be checked for damage."
        yield Problem("warning", text, files)
    if more or source.rest.strip(b"\0"):
        text = "More follows the voxels than the header promises; it is not shown."
        yield Problem("note", text, files)
