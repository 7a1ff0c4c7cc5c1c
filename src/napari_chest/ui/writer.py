"""Any labels layer of napari's as a NIfTI label image, on the grid of the case that is open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_chest.errors import SaveError
from napari_chest.files.atomic import write_together
from napari_chest.files.nifti import ON_GRID, labels_on_grid
from napari_chest.geometry import spacing_affine
from napari_chest.model import Grid, Stored

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy.typing as npt

_LARGEST = int(np.iinfo(np.uint16).max)


def write_labels(path: Path, data: Any, meta: Mapping[str, Any], case_grid: Grid | None) -> Path:
    """Write a labels layer, and return the file's path.

    Parameters
    ----------
    path : ``.nii.gz``, or ``.nii`` to write it unpacked.
    data : the layer's array, (Z, Y, X) or (Y, X).
    meta : the layer's attributes as napari hands them to writers; ``scale`` is used where the
        layer is not on the case's grid.
    case_grid : the grid of the case that is open, or None.

    Raises
    ------
    SaveError
        when the layer holds no labels that NIfTI can hold.
    """
    labels = _labels(np.asarray(data))
    on_case = case_grid is not None and labels.shape == case_grid.shape
    grid = case_grid if on_case else _own_grid(labels, meta)
    assert grid is not None
    # Laid out as the study is stored, for programs that take both index by index.
    stored = ON_GRID if grid.stored == Stored() else grid.stored
    content = labels_on_grid(labels, grid, stored=stored, packed=path.name.endswith(".gz"))
    write_together({path: content})
    return path


def _labels(data: npt.NDArray[Any]) -> npt.NDArray[np.unsignedinteger]:
    if data.ndim == 2:
        data = data[None]
    if data.ndim != 3:
        raise SaveError(f"a NIfTI label image has three axes, this layer has {data.ndim}.")
    low, high = int(data.min(initial=0)), int(data.max(initial=0))
    if low < 0 or high > _LARGEST:
        raise SaveError(
            f"labels from 0 to {_LARGEST} can be saved, this layer has {low} to {high}."
        )
    return data.astype(np.uint8 if high <= np.iinfo(np.uint8).max else np.uint16)


def _own_grid(labels: npt.NDArray[Any], meta: Mapping[str, Any]) -> Grid:
    scale = [abs(float(step)) or 1.0 for step in meta.get("scale", ())]
    dz, dy, dx = [1.0, 1.0, 1.0, *scale][-3:]
    ids = tuple(str(z) for z in range(labels.shape[0]))
    shape = (labels.shape[0], labels.shape[1], labels.shape[2])
    return Grid(shape, spacing_affine((dz, dy, dx)), ids, placed=False)
