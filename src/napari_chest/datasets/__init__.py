"""One module per dataset, reading and writing side by side; `open_dataset` finds the right one."""

from __future__ import annotations

from pathlib import Path

from napari_chest.datasets.base import Dataset
from napari_chest.datasets.covid_ct_md import CovidCtMd
from napari_chest.errors import UnknownDatasetError

DATASETS: tuple[type[Dataset], ...] = (CovidCtMd,)
"""Every dataset, in the order in which they are asked whether a folder is theirs."""

__all__ = ["DATASETS", "CovidCtMd", "Dataset", "open_dataset"]


def open_dataset(path: str | Path) -> Dataset:
    """The dataset at a root folder.

    Raises
    ------
    UnknownDatasetError
        when no dataset recognises the folder; it lists what each of them missed.
    """
    root = Path(path).expanduser().absolute()
    missing: dict[str, list[str]] = {}
    for dataset in DATASETS:
        lacks = dataset.missing(root)
        if not lacks:
            return dataset(root)
        missing[dataset.title] = lacks
    raise UnknownDatasetError(root, missing, nearby=_dataset_above(root))


def _dataset_above(root: Path) -> Path | None:
    """A folder above that is a dataset: people often open one level too deep."""
    above = list(root.parents)[:3]
    return next((p for p in above if any(not d.missing(p) for d in DATASETS)), None)
