"""What has to hold before masks are written, and what is to be written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_chest.errors import ReadError, SaveError
from napari_chest.files.paths import is_there

if TYPE_CHECKING:
    from pathlib import Path

    from napari_chest.datasets.generic.images import Image
    from napari_chest.model import Mask

LIMIT = 2**31
"""Bytes of a label file; packed ones have some hundred thousand."""


def with_mask(image: Image, mask: Mask, standing: Path, inside: Path) -> bytes | None:
    """The content of a label file once it holds a mask; None where it holds it already.

    Parameters
    ----------
    image : what the mask lies on.
    mask : what is to stand in the end.
    standing : the file that is corrected; a new one is made where it is not there.
    inside : the folder out of which no link may lead.

    Raises
    ------
    SaveError
        when the mask does not fit, or the file that would be overwritten cannot be read.
    """
    if mask.labels.shape != image.grid.shape:
        raise SaveError(
            f"The mask {mask.name} has the shape {mask.labels.shape}, the image "
            f"{image.grid.shape}. Nothing was written."
        )
    if not is_there(standing):
        return image.new_mask(mask.labels)
    try:
        file = image.read_mask(standing, inside)
    except ReadError as error:
        raise SaveError(
            f"The mask {mask.name} would overwrite one that cannot be read, so nothing was "
            f"written. {error} Move that file away, then save again."
        ) from error
    if np.array_equal(file.labels, mask.labels):
        return None
    return file.with_labels(mask.labels)
