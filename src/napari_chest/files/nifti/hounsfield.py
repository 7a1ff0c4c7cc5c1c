"""Turns stored numbers into int16 Hounsfield units, one stored plane after another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from napari_chest.files.dicom import AIR_HU
from napari_chest.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from napari_chest.files.nifti.container import Source
    from napari_chest.files.nifti.header import NiftiHeader

    Plane = npt.NDArray[np.int16]
    Numbers = npt.NDArray[Any]

_LOWEST: Final = -(2**15)
_HIGHEST: Final = 2**15 - 1
_PLAIN: Final = np.dtype("<i2")


class Converter:
    """Reads planes and remembers what could not be shown as it is stored.

    Attributes
    ----------
    clipped : number of voxels beyond int16.
    not_numbers : number of voxels that are no number, shown as air.
    rounded : whether any value had a fraction.
    """

    def __init__(self, header: NiftiHeader) -> None:
        self.clipped = 0
        self.not_numbers = 0
        self.rounded = False
        self._name = header.path.name
        self._slope, self._inter = header.slope, header.inter
        self._scaled = header.scaled
        self._direct = header.dtype == _PLAIN == np.dtype(np.int16) and not self._scaled
        shape = header.shape[1::-1]
        self._stored = np.empty(0 if self._direct else shape, header.dtype)

    def read(self, source: Source, out: Plane) -> bool:
        """Fill a plane (Y, X in stored order) from the source; False, and air, where it ends."""
        into: Numbers = out if self._direct else self._stored
        whole = False
        try:
            whole = source.fill(into.reshape(-1).view(np.uint8).data) == into.nbytes
        finally:
            if not whole:
                out.fill(AIR_HU)
        if whole and not self._direct:
            self._convert(out)
        return whole

    def problems(self) -> Iterator[Problem]:
        """What a person should know of the values shown."""
        if self.clipped:
            text = f"Voxels beyond {_LOWEST} to {_HIGHEST} HU, shown clipped: {self.clipped:,}."
            yield Problem("note", text, (self._name,))
        if self.not_numbers:
            text = f"Voxels that are no number, shown as air: {self.not_numbers:,}."
            yield Problem("note", text, (self._name,))
        if self.rounded:
            text = "Values have fractions; they are shown rounded to whole Hounsfield units."
            yield Problem("note", text, (self._name,))

    def _convert(self, out: Plane) -> None:
        values: Numbers = self._stored
        with np.errstate(all="ignore"):  # what is no number becomes air
            if self._scaled:
                values = values.astype(np.float64) * self._slope + self._inter
            if values.dtype.kind == "f":
                values = self._whole(values)
        if values.max() > _HIGHEST:
            self.clipped += int(np.count_nonzero(values > _HIGHEST))
            values = np.minimum(values, _HIGHEST)
        if values.min() < _LOWEST:
            self.clipped += int(np.count_nonzero(values < _LOWEST))
            values = np.maximum(values, _LOWEST)
        out[...] = values

    def _whole(self, values: Numbers) -> Numbers:
        nothing = np.isnan(values)
        if nothing.any():
            self.not_numbers += int(np.count_nonzero(nothing))
            values = np.where(nothing, AIR_HU, values)
        whole = np.rint(values)
        self.rounded = self.rounded or not np.array_equal(whole, values)
        return whole
