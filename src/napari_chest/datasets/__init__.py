"""One module per dataset, reading and writing side by side; `open_dataset` finds the right one."""

from __future__ import annotations

from pathlib import Path

from napari_chest.datasets.base import Dataset
from napari_chest.datasets.bimcv import Bimcv
from napari_chest.datasets.covid_ct_md import CovidCtMd
from napari_chest.datasets.generic import Generic
from napari_chest.datasets.mosmed import MosMed
from napari_chest.datasets.ricord import Ricord
from napari_chest.errors import UnknownDatasetError

DATASETS: tuple[type[Dataset], ...] = (CovidCtMd, MosMed, Bimcv, Ricord, Generic)
"""Every dataset, in the order in which they are asked whether a folder is theirs."""

_LEVELS = 6
"""Folders above that are asked: an image of RICORD lies so deep below its dataset."""

__all__ = [
    "DATASETS",
    "Bimcv",
    "CovidCtMd",
    "Dataset",
    "Generic",
    "MosMed",
    "Ricord",
    "open_dataset",
]


def open_dataset(path: str | Path) -> Dataset:
    """The dataset at a root folder.

    Raises
    ------
    UnknownDatasetError
        when no dataset recognises the folder; it lists what each of them missed. A general one
        does not take a folder that lies in a published dataset or holds one; that one is named.
    """
    root = Path(path).expanduser().absolute()
    missing: dict[str, list[str]] = {}
    for dataset in DATASETS:
        lacks = dataset.missing(root)
        if dataset.general and not lacks:
            lacks = _of_others(root)
        if not lacks:
            return dataset(root)
        missing[dataset.title] = lacks
    raise UnknownDatasetError(root, missing, nearby=_dataset_above(root))


def _of_others(root: Path) -> list[str]:
    """What a folder lacks to be a dataset of its own: it lies in a published one or holds one."""
    lacks = "images that are no part of a published dataset"
    if _dataset_above(root):
        return [lacks]
    inside = _dataset_inside(root)
    if inside:
        return [f"{lacks}; the folder {inside.name} in it is one, open {inside} instead"]
    return []


def _dataset_above(root: Path) -> Path | None:
    """A folder above that is a published dataset: people often open one level too deep."""
    return next(filter(_is_published, list(root.parents)[:_LEVELS]), None)


def _dataset_inside(root: Path) -> Path | None:
    """A folder in it that is a published dataset, of the first hundred: one level too high."""
    inner = sorted(p for p in root.iterdir() if not p.is_symlink() and p.is_dir())
    return next(filter(_is_published, inner[:100]), None)


def _is_published(folder: Path) -> bool:
    return any(not dataset.missing(folder) for dataset in DATASETS if not dataset.general)
