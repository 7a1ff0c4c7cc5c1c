"""Opens the images of a tree: a series as a volume, a radiograph by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_chest.errors import ReadError
from napari_chest.files.dicom.series import Series, series_of_files
from napari_chest.files.dicom.stream import stream_series
from napari_chest.files.dicom.tree.entries import look_at
from napari_chest.files.dicom.tree.radiograph import read_radiograph_file
from napari_chest.model import VolumeStream

if TYPE_CHECKING:
    from collections.abc import Generator

    from napari_chest.files.dicom.tree.entries import TreeEntry
    from napari_chest.files.dicom.tree.index import DicomTree
    from napari_chest.files.dicom.tree.series import TreeSeries


def read_tree_series(tree: DicomTree, series: TreeSeries) -> Series:
    """The images of a series in display order; their headers are read anew.

    Raises
    ------
    ReadError
        when none of its files can be read.
    """
    paths = [tree.path_of(entry) for entry in series.entries]
    return series_of_files(tree.root, paths)


def stream_tree_series(
    tree: DicomTree, series: TreeSeries, first: int | None = None
) -> VolumeStream:
    """The volume of a series; see `stream_series`.

    Raises
    ------
    ReadError
        when none of its files can be read, or it is a series of several radiographs.
    """
    if series.kind == "radiograph":
        if series.n_files == 1:
            return stream_tree_image(tree, series.entries[0])
        raise ReadError(
            tree.root, f"{series.title} holds {series.n_files} radiographs, which are no volume."
        )
    return stream_series(read_tree_series(tree, series), first=first)


def stream_tree_image(tree: DicomTree, entry: TreeEntry) -> VolumeStream:
    """One radiograph as a volume with Z = 1; see `read_radiograph_file`.

    Raises
    ------
    ReadError
        when the file cannot be read as an image.
    """
    volume, problems = read_radiograph_file(tree.path_of(entry))
    return VolumeStream(volume, _only_slice(), problems)


def read_patient_id(tree: DicomTree, entry: TreeEntry) -> str:
    """Patient ID as the file says, which the index does not remember; empty where it has none.

    Raises
    ------
    ReadError
        when the file cannot be read.
    """
    path = tree.path_of(entry)
    look = look_at(path)
    if look.header is None:
        raise ReadError(path, look.failure)
    return look.patient_id.decode("ascii", "replace")


def _only_slice() -> Generator[int, None, None]:
    yield 0
