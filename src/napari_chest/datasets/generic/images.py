"""One case's image and the masks on its grid, whichever kind of file holds it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_chest.errors import ReadError
from napari_chest.files import nifti
from napari_chest.files.dicom import Series, stream_series
from napari_chest.files.paths import leads_inside
from napari_chest.model import Stored

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    from napari_chest.datasets.generic.listing import Found
    from napari_chest.files.nifti import LabelFile, NiftiHeader
    from napari_chest.model import Grid, Problem, VolumeStream

    Labels = npt.NDArray[np.unsignedinteger[Any]]

_NEAR = 0.01
"""Distance in mm up to which corners of two grids are the same place: headers round."""


@dataclass(frozen=True, eq=False)
class Image:
    """A case's image before its voxels are read.

    Attributes
    ----------
    grid : where its voxels lie.
    source : the series or the NIfTI file's header.
    problems : what a person should know before working on it.
    """

    grid: Grid
    source: Series | NiftiHeader
    problems: tuple[Problem, ...] = ()

    def stream(self, first: int | None) -> VolumeStream:
        """The volume from slice ``first`` outwards; raises ReadError."""
        if isinstance(self.source, Series):
            return stream_series(self.source, first=first)
        return nifti.stream_nifti(self.source.path, first)

    def new_mask(self, labels: Labels) -> bytes:
        """A new label file (.nii.gz) on the image's grid; labels are (Z, Y, X)."""
        if isinstance(self.source, Series):
            return nifti.labels_on_grid(labels, self.grid)
        return nifti.labels_like(labels, self.source)

    def read_mask(self, path: Path, inside: Path) -> LabelFile:
        """A label file in the display order of the image.

        Raises
        ------
        ReadError
            when it cannot be read, lies on another grid or leads out of the folder ``inside``.
        """
        if not leads_inside(path, inside):
            raise ReadError(path, f"it cannot be reached, or is a link that leads out of {inside}.")
        header = nifti.read_header(path)
        stored = self._stored_order(header)
        found = nifti.grid_of(header, stored)
        if not self._is_on(found):
            raise ReadError(
                path,
                f"the mask lies on another grid than the image: expected {_text(self.grid)}, "
                f"found {_text(found)}. Resample it to the image.",
            )
        return nifti.read_labels(path, stored)

    def _stored_order(self, header: NiftiHeader) -> Stored | None:
        """How a label file is to be turned to lie like the image."""
        if not self.grid.placed:  # nothing says how they lie to each other: as we write them
            return nifti.ON_GRID if isinstance(self.source, Series) else self.grid.stored
        columns = nifti.grid_of(header, Stored()).affine[:3, :3]
        steps = np.linalg.solve(columns, self.grid.affine[:3, :3])  # in stored voxels of the mask
        z, y, x = (int(axis) for axis in np.abs(steps).argmax(axis=0))
        if {z, y, x} != {0, 1, 2}:
            return None
        return Stored((z, y, x), (steps[z, 0] < 0, steps[y, 1] < 0, steps[x, 2] < 0))

    def _is_on(self, grid: Grid) -> bool:
        if grid.shape != self.grid.shape or grid.placed != self.grid.placed:
            return False
        if not grid.placed:
            return np.allclose(grid.spacing, self.grid.spacing, rtol=0, atol=_NEAR)
        ends = product(*((0, length - 1) for length in grid.shape))
        away = [np.linalg.norm(grid.position(*end) - self.grid.position(*end)) for end in ends]
        return bool(max(away) <= _NEAR)


def open_image(case: Found, series: Series | None, problems: Sequence[Problem] = ()) -> Image:
    """The image of a case, given its series where it is DICOM.

    Raises
    ------
    ReadError
        when it cannot be read.
    """
    if series is not None:
        return Image(series.grid, series, (*problems, *series.problems))
    header = nifti.read_header(case.path)
    return Image(nifti.grid_of(header), header, tuple(problems))


def _text(grid: Grid) -> str:
    affine = np.round(grid.affine[:3], 4).tolist()
    return f"the shape {grid.shape} and the affine {affine}{'' if grid.placed else ' (assumed)'}"
