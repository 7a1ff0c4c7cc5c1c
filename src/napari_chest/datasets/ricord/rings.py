"""What an annotation says of where: the pixels of one part as the data of its label's mode."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from skimage.draw import polygon

from napari_chest.errors import SaveError
from napari_chest.files.mdai import ring_data
from napari_chest.rings import encode_mask

if TYPE_CHECKING:
    import numpy.typing as npt

    from napari_chest.files.mdai import MdaiLabel, Shape

    Pixels = npt.NDArray[np.bool_]
    Ring = npt.NDArray[np.float64]

_NO_MASKS: Final = frozenset({"line", "point", "unknown"})


def data_of(part: Pixels, label: MdaiLabel, before: Shape | None, what: str) -> dict[str, object]:
    """The data of an annotation that covers exactly the pixels of one connected part.

    Parameters
    ----------
    part : (Y, X) bool, one 8-connected part.
    label : the annotation's label.
    before : what the annotation drew until now; None for a new one.
    what : names the place in messages.

    Raises
    ------
    SaveError
        when the annotation has no room for these pixels, or other programs would see others.
    """
    kind = before.kind if before is not None else label.mode
    if kind in _NO_MASKS:
        raise SaveError(
            f"{what}: a {label.mode} cannot be corrected as a mask. Nothing was written."
        )
    if kind == "bbox":
        return _box(part, what)
    (ring,) = encode_mask(part)
    check_ring(ring, part, what)
    data = ring_data(ring)
    if kind == "mask":
        return {"foreground": [data["vertices"]], "background": []}
    return dict(data)


def check_ring(ring: Ring, part: Pixels, what: str) -> None:
    """Draw a ring as the programs in use do, and refuse one that any of them draws otherwise.

    Raises
    ------
    SaveError
        when one does.
    """
    truncated, rounded = np.zeros((2, *part.shape), dtype=np.uint8)
    cv2.fillPoly(truncated, [ring.astype(np.int32)], 1)
    cv2.fillPoly(rounded, [np.rint(ring).astype(np.int32)], 1)
    centred = np.zeros(part.shape, dtype=np.bool_)
    centred[polygon(ring[:, 1], ring[:, 0], part.shape)] = True
    if not all(np.array_equal(drawn, part) for drawn in (truncated, rounded, centred)):
        raise SaveError(
            f"{what}: other programs would see other pixels than were painted, so nothing was "
            "written. Please report this."
        )


def _box(part: Pixels, what: str) -> dict[str, object]:
    rows, columns = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
    height, width = int(rows[-1] - rows[0]), int(columns[-1] - columns[0])
    if part.sum() != (height + 1) * (width + 1):
        raise SaveError(
            f"{what}: a box can only be corrected to another box, a full rectangle. Nothing was "
            "written."
        )
    return {"x": int(columns[0]), "y": int(rows[0]), "width": width, "height": height}
