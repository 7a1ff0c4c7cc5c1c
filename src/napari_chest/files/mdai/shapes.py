"""What an annotation draws: its shape, and the pixels that it covers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from napari_chest.rings import FARTHEST, ring_pixels

if TYPE_CHECKING:
    from collections.abc import Sequence

Points = npt.NDArray[np.float64]
Patch = tuple[int, int, npt.NDArray[np.bool_]]
Kind = Literal["bbox", "ring", "line", "point", "mask", "nothing", "unknown"]
Rule = Literal["fillpoly", "center"]

MODES = ("bbox", "polygon", "freeform", "line", "location", "mask")
LINE_WIDTH = 12
POINT_RADIUS = 7
_DECIMALS = 6


@dataclass(frozen=True, eq=False)
class Shape:
    """What an annotation draws on its image.

    Attributes
    ----------
    kind : ``nothing`` where it draws nothing by intent, ``unknown`` where what it draws cannot be
        shown; both are kept as they are.
    points : (n, 2) float64, x then y, whole numbers being centres of pixels: the vertices of a
        ring or a line, the corners of a box, a single point.
    foreground, background : the rings of a mask; the second are taken out of the first.
    fault : why it cannot be shown as it is meant, as a sentence; empty where it can.
    """

    kind: Kind
    points: Points
    foreground: tuple[Points, ...] = ()
    background: tuple[Points, ...] = ()
    fault: str = ""


def shape_of(data: object, mode: str | None) -> Shape:
    """The shape that ``data`` says, first by its keys and then by the label's mode."""
    if data is None:
        return Shape("nothing", _points(()))
    if mode is not None and mode not in MODES:
        return no_shape(f"the mode {mode[:40]!r} is not known")
    if not isinstance(data, dict):
        return no_shape("its data is neither an object nor null")
    try:
        shape = _shape(data, mode)
    except (msgspec.ValidationError, OverflowError):
        return no_shape("its coordinates are not pairs of numbers")
    return _checked(shape)


def no_shape(fault: str) -> Shape:
    """What cannot be shown, and why not."""
    return Shape("unknown", _points(()), fault=fault)


def mask_of(shape: Shape, size: tuple[int, int], rule: Rule = "fillpoly") -> Patch:
    """The pixels of a shape on an image of ``size`` (Y, X).

    Boxes, lines and points are drawn as MD.ai's own library draws them, whatever the rule.

    Parameters
    ----------
    rule : which pixels a ring covers. ``fillpoly`` is ``cv2.fillPoly`` on truncated vertices,
        ``center`` the pixels whose centre lies in or on the ring.

    Returns
    -------
    (y, x, patch) : ``patch`` (h, w) bool stands at row y and column x of the image; it may have
        no pixels.
    """
    if shape.kind in ("nothing", "unknown"):
        return 0, 0, np.zeros((0, 0), np.bool_)
    rings = shape.foreground if shape.kind == "mask" else (shape.points,)
    vertices = np.concatenate([*rings, *shape.background]).astype(np.int32)
    margin = {"line": LINE_WIDTH, "point": POINT_RADIUS}.get(shape.kind, 1)
    height, width = size
    left, top = np.maximum(vertices.min(axis=0, initial=FARTHEST) - margin, 0).tolist()
    right, bottom = np.minimum(
        vertices.max(axis=0, initial=-FARTHEST) + margin + 1, (width, height)
    ).tolist()
    if left >= right or top >= bottom:
        return 0, 0, np.zeros((0, 0), np.bool_)
    patch = np.zeros((bottom - top, right - left), np.uint8)
    corner = np.array((left, top), np.int32)
    if shape.kind not in ("ring", "mask"):
        _draw(patch, shape, corner)
        return top, left, patch.astype(np.bool_)
    for value, ring in (*((1, ring) for ring in rings), *((0, ring) for ring in shape.background)):
        if rule == "center":
            rows, columns = ring_pixels(ring, size)
            patch[rows - top, columns - left] = value
        elif len(ring):
            cv2.fillPoly(patch, [ring.astype(np.int32) - corner], value)
    return top, left, patch.astype(np.bool_)


def ring_data(ring: Points) -> dict[str, list[list[float]]]:
    """The ``data`` of a ring or a line (n, 2); whole numbers are written without a fraction."""
    return {"vertices": [[_plain(x), _plain(y)] for x, y in ring.tolist()]}


def _shape(data: dict[str, object], mode: str | None) -> Shape:
    if "vertices" in data:
        kind: Kind = "line" if mode == "line" else "ring"
        return Shape(kind, _points(data["vertices"]))
    if "foreground" in data or "background" in data:
        return Shape(
            "mask", _points(()), _rings(data.get("foreground")), _rings(data.get("background"))
        )
    if "x" in data and "y" in data and ("width" in data or "height" in data):
        x, y, width, height = _numbers([data.get(key) for key in ("x", "y", "width", "height")])
        return Shape("bbox", np.array([(x, y), (x + width, y + height)]))
    if "x" in data and "y" in data:
        return Shape("point", _points([(data["x"], data["y"])]))
    return no_shape("its data has no keys that are known")


def _checked(shape: Shape) -> Shape:
    """The shape once its vertices can be drawn; what is wrong with them otherwise."""
    if shape.kind == "unknown":
        return shape
    is_mask = shape.kind == "mask"
    rings = (*shape.foreground, *shape.background) if is_mask else (shape.points,)
    points = np.concatenate([np.empty((0, 2)), *rings])
    if not len(points):
        return no_shape("it has no vertices")
    if not np.isfinite(points).all():
        return no_shape("it has coordinates that are no finite numbers")
    if np.abs(points).max() > FARTHEST:  # also bounds what is turned into int32 to be drawn
        return no_shape(f"it has coordinates beyond {FARTHEST:,}")
    fewest = {"ring": 3, "mask": 3, "line": 2}.get(shape.kind, 1)
    if min(map(len, rings)) < fewest:
        return replace(shape, fault=f"it has fewer than {fewest} vertices")
    return shape


def _draw(patch: npt.NDArray[np.uint8], shape: Shape, corner: npt.NDArray[np.int32]) -> None:
    """Draw a box, a line or a point as MD.ai's library does."""
    points = shape.points.astype(np.int32) - corner
    if shape.kind == "line":
        cv2.polylines(patch, [points], False, 1, LINE_WIDTH)
    elif shape.kind == "point":
        cv2.circle(patch, points[0].tolist(), POINT_RADIUS, 1, -1)
    else:
        size = np.round(shape.points[1] - shape.points[0], _DECIMALS).astype(np.int32)
        cv2.rectangle(patch, points[0].tolist(), (points[0] + size).tolist(), 1, -1)


def _points(vertices: object) -> Points:
    pairs = msgspec.convert(vertices or [], list[tuple[float, float]])
    points = np.array(pairs, dtype=np.float64).reshape(-1, 2)
    points.flags.writeable = False
    return points


def _rings(rings: object) -> tuple[Points, ...]:
    return tuple(_points(ring) for ring in msgspec.convert(rings or [], list[object]))


def _numbers(values: Sequence[object]) -> list[float]:
    return msgspec.convert(values, list[float])


def _plain(number: float) -> float:
    number = round(number, _DECIMALS)
    return int(number) if number.is_integer() else number
