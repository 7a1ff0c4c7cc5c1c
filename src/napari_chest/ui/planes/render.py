"""One slice of a volume as pixels, and the masks that lie over it; pure.

Pixels are numbers ``0xAARRGGBB``; what lies over an image is premultiplied by its alpha.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from napari_chest.model import Window
    from napari_chest.ui.planes.facing import Facing

_OPAQUE = np.uint32(0xFF000000)
_GREY = np.uint32(0x00010101)
OUTLINE = 2
"""Thickness of outlines in pixels of the screen."""
_NEIGHBOURS = ((0, OUTLINE), (2 * OUTLINE, OUTLINE), (OUTLINE, 0), (OUTLINE, 2 * OUTLINE))
"""Where, in an array that is padded by the outline, the neighbours at its distance begin."""


def cut(array: npt.NDArray[Any], facing: Facing, index: int) -> npt.NDArray[Any]:
    """A slice of a display array (Z, Y, X) as it faces a person, contiguous in memory."""
    at: list[Any] = [slice(None)] * 3
    at[facing.axis] = index
    found = array[tuple(at)]
    return np.ascontiguousarray(found if facing.down < facing.right else found.T)


def grey_pixels(
    voxels: npt.NDArray[Any], window: Window, *, inverted: bool = False
) -> npt.NDArray[np.uint32]:
    """Opaque grey pixels of a slice (H, W) in a grey window.

    Parameters
    ----------
    voxels : (H, W), any kind of numbers.
    window : what lies below it is black, what lies above white.
    inverted : the other way round.
    """
    low, high = window.limits
    grey = voxels.astype(np.float32)
    grey -= low
    grey *= 255 / max(high - low, 1e-6)
    np.clip(grey, 0, 255, out=grey)
    if inverted:
        np.subtract(255, grey, out=grey)
    grey += 0.5  # the nearest grey, not the one below
    pixels: npt.NDArray[np.uint32] = grey.astype(np.uint32) * _GREY
    pixels |= _OPAQUE
    return pixels


def filled_box(labels: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], int, int] | None:
    """The box that a slice of a mask (H, W) fills, with its first row and column; None if empty."""
    rows, columns = (np.flatnonzero(labels.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    top, left = int(rows[0]), int(columns[0])
    return labels[top : rows[-1] + 1, left : columns[-1] + 1], top, left


def label_pixels(labels: npt.NDArray[Any], lut: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """Pixels of labels (H, W), from a table of `packed`; values beyond it have its last colour."""
    return np.take(lut, labels, mode="clip")


def outline_pixels(
    labels: npt.NDArray[Any],
    lut: npt.NDArray[np.uint32],
    rows: npt.NDArray[np.float64],
    columns: npt.NDArray[np.float64],
) -> npt.NDArray[np.uint32]:
    """Pixels of the outlines of labels, as thick on the screen however large a voxel is.

    Parameters
    ----------
    labels : (H, W) unsigned; all around is background.
    lut : (N,) pixel of each value, from `packed`.
    rows, columns : of the pixels of the screen, in voxels; the middle of a voxel is a whole number.
    """
    down = np.clip(np.rint(rows), -1, labels.shape[0]).astype(np.intp) + 1
    right = np.clip(np.rint(columns), -1, labels.shape[1]).astype(np.intp) + 1
    seen = np.pad(labels, 1)[down][:, right]
    around = np.pad(seen, OUTLINE)
    height, width = seen.shape
    inner = np.ones(seen.shape, bool)
    for y, x in _NEIGHBOURS:
        inner &= around[y : y + height, x : x + width] == seen
    pixels = label_pixels(seen, lut)
    pixels[inner] = 0
    return pixels


def color_table(colors: Mapping[int | None, str], opacity: float) -> npt.NDArray[np.uint8]:
    """Table (N, 4) of red, green, blue and alpha of every value, from colours as napari has them.

    Parameters
    ----------
    colors : ``#RRGGBB`` or ``transparent`` of every value; None stands for all others.
    opacity : of what is not transparent, 0 to 1.
    """
    rows = max(256, max((value for value in colors if value is not None), default=0) + 2)
    table = np.zeros((rows, 4), np.uint8)
    table[:] = _rgba(colors.get(None, "transparent"), opacity)
    for value, color in colors.items():
        if value is not None:
            table[value] = _rgba(color, opacity)
    return table


def _rgba(color: str, opacity: float) -> tuple[int, int, int, int]:
    if color == "transparent":
        return 0, 0, 0, 0
    red, green, blue = bytes.fromhex(color.removeprefix("#"))
    return red, green, blue, round(255 * opacity)


def packed(table: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint32]:
    """Premultiplied pixels (N,) of a table (N, 4) of red, green, blue and alpha."""
    alpha = table[:, 3].astype(np.uint32)
    red, green, blue = ((table[:, i] * alpha + 127) // 255 for i in range(3))
    pixels: npt.NDArray[np.uint32] = (alpha << 24 | red << 16 | green << 8 | blue).astype(np.uint32)
    return pixels
