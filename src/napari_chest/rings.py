"""Masks as rings of vertices, and back without changing one pixel; pure.

A ring is (n, 2) float64, x then y, finite, not repeated at its end; whole numbers are the centres
of pixels. What `encode_mask` writes gives the same mask to everybody who draws rings, whether
vertices are truncated or rounded (``cv2.fillPoly``) or taken as they are
(``skimage.draw.polygon``): every pixel becomes a square that begins at its centre and ends before
half of the way to the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    Point = tuple[int, int]

FARTHEST = 2**20
"""Vertices beyond this are no outline of any image; readers must refuse them, as drawing them would
take minutes."""

_FAR_EDGE = 0.49
"""From the near to the far edge of a pixel: below 0.5, so that both round to the same number."""

_VERTEX_REACH = 1e-12
_BLOCK = 2**18


def encode_mask(mask: npt.NDArray[np.bool_]) -> list[npt.NDArray[np.float64]]:
    """One ring for every 8-connected part of a (Y, X) mask; holes hang on their part's ring.

    A ring has 4 vertices or more; an empty mask has none.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return []
    top, left = int(rows[0]), int(columns[0])
    box = mask[top : rows[-1] + 1, left : columns[-1] + 1].astype(np.uint8)
    doubled = box.repeat(2, axis=0).repeat(2, axis=1)  # so that nothing is one pixel thin
    contours, hierarchy = cv2.findContours(doubled, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    borders = [np.asarray(contour, dtype=np.int64).reshape(-1, 2) for contour in contours]
    outer_of = np.asarray(hierarchy).reshape(-1, 4)[:, 3]
    holes: dict[int, list[npt.NDArray[np.int64]]] = {}
    for border, outer in zip(borders, outer_of.tolist(), strict=True):
        holes.setdefault(outer, []).append(border)
    rings = []
    for number, border in enumerate(borders):
        if outer_of[number] >= 0:
            continue
        ring = _with_holes(border, holes[number], doubled) if number in holes else border
        corners = _corners(ring)
        rings.append(corners // 2 + corners % 2 * _FAR_EDGE + (left, top))
    return rings


def decode_rings(
    rings: Sequence[npt.NDArray[np.float64]], shape: tuple[int, int]
) -> npt.NDArray[np.bool_]:
    """The (Y, X) mask of all pixels whose centre lies in or on any of the rings."""
    mask = np.zeros(shape, dtype=np.bool_)
    for ring in rings:
        (top, left), inside = ring_patch(ring, shape)
        height, width = inside.shape
        mask[top : top + height, left : left + width] |= inside
    return mask


def decode_fillpoly(
    rings: Sequence[npt.NDArray[np.float64]], shape: tuple[int, int]
) -> npt.NDArray[np.bool_]:
    """The (Y, X) mask of all rings as ``cv2.fillPoly`` draws them once vertices are truncated."""
    mask = np.zeros(shape, dtype=np.uint8)
    for ring in rings:
        if len(ring):
            cv2.fillPoly(mask, [np.asarray(ring).astype(np.int32)], 1)
    return mask.astype(np.bool_)


def ring_pixels(
    ring: npt.NDArray[np.float64], shape: tuple[int, int]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Rows and columns of the pixels whose centre lies in or on the ring."""
    (top, left), inside = ring_patch(ring, shape)
    rows, columns = np.nonzero(inside)
    return rows + top, columns + left


def ring_patch(
    ring: npt.NDArray[np.float64], shape: tuple[int, int]
) -> tuple[tuple[int, int], npt.NDArray[np.bool_]]:
    """First row and column of the ring's box in an image, and which pixels of the box it covers.

    They are those of ``skimage.draw.polygon``, which takes time for every pixel and every vertex;
    this takes time for every pixel and every row that an edge crosses.
    """
    nothing = (0, 0), np.zeros((0, 0), dtype=np.bool_)
    if not len(ring):
        return nothing
    low, high = np.floor(ring.min(axis=0)), np.ceil(ring.max(axis=0))
    left, top = (int(v) for v in np.maximum(low, 0))
    right, bottom = (int(v) for v in np.minimum(high, (shape[1] - 1, shape[0] - 1)))
    if left > right or top > bottom:
        return nothing
    moved = ring - (left, top)
    size = bottom - top + 1, right - left + 1
    inside = _odd_crossings(moved, size, on_the_right=True)
    inside |= _odd_crossings(moved, size, on_the_right=False)
    centres = np.rint(moved)
    hit = (np.abs(moved - centres) < _VERTEX_REACH).all(axis=1)
    hit &= ((centres >= 0) & (centres < (size[1], size[0]))).all(axis=1)
    x, y = centres[hit].astype(np.intp).T
    inside[y, x] = True
    return (top, left), inside


def _with_holes(
    outer: npt.NDArray[np.int64],
    holes: list[npt.NDArray[np.int64]],
    foreground: npt.NDArray[np.uint8],
) -> npt.NDArray[np.int64]:
    """One ring out of an outer border and its holes, each reached over a bridge and left by it.

    A bridge runs to the left through the foreground until it meets the ring. The left-most hole
    comes first, so that it can meet nothing but the outer border or a hole that is joined.
    """
    points: list[Point] = []
    following: list[int] = []
    known: dict[Point, int] = {}

    def add(border: list[Point], then: int) -> int:
        first = len(points)
        points.extend(border)
        following.extend(range(first + 1, len(points)))
        following.append(then)
        for number, point in enumerate(border, first):
            known.setdefault(point, number)
        return first

    add([(x, y) for x, y in outer.tolist()], 0)
    for hole in sorted(holes, key=lambda hole: int(hole[:, 0].min())):
        start = int(np.lexsort((hole[:, 1], hole[:, 0]))[0])
        border = [(x, y) for x, y in np.roll(hole, -start, axis=0).tolist()]
        x, y = border[0]
        while (x, y) not in known and foreground[y, x]:
            x -= 1
        meets = known[x, y]
        following[meets] = add([*border, border[0], (x, y)], following[meets])
    order = [0]
    while following[order[-1]]:
        order.append(following[order[-1]])
    return np.array(points, dtype=np.int64)[order]


def _corners(ring: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The ring without repeated points, then without points in the middle of a line.

    In this order: beside a repeated point every point would look like one in the middle.
    """
    ring = ring[(ring != np.roll(ring, 1, axis=0)).any(axis=1)]
    before = ring - np.roll(ring, 1, axis=0)
    after = np.roll(ring, -1, axis=0) - ring
    turns = before[:, 0] * after[:, 1] != before[:, 1] * after[:, 0]
    turns_back = (before * after).sum(axis=1) < 0
    corners: npt.NDArray[np.int64] = ring[turns | turns_back]
    return corners


def _odd_crossings(
    ring: npt.NDArray[np.float64], size: tuple[int, int], *, on_the_right: bool
) -> npt.NDArray[np.bool_]:
    """Where a ray from the pixel's centre crosses the ring an odd number of times, (Y, X).

    A ray to the right does not count where the ring only touches it from below, one to the left
    where it touches from above, so that together they tell the pixels on the ring.
    """
    height, width = size
    flips = np.zeros(height * (width + 1), dtype=np.bool_)
    for (x0, y0, x1, y1), rows in _crossed_rows(ring, height, on_the_right):
        crossing = x0 + (rows - y0) * (x1 - x0) / (y1 - y0)
        columns = np.clip(np.rint(crossing), -1, width)
        # Decided once more at the nearest centre, by the very sums of skimage.draw.polygon.
        side = (x0 - columns) * (y1 - rows) - (x1 - columns) * (y0 - rows)
        side /= (y1 - rows) - (y0 - rows)
        first = columns + ((side > 0) if on_the_right else (side >= 0))
        first = np.clip(first, 0, width)
        places, counts = np.unique((rows * (width + 1) + first).astype(np.intp), return_counts=True)
        flips[places] ^= counts % 2 == 1
    odd: npt.NDArray[np.bool_] = np.logical_xor.accumulate(
        flips.reshape(height, width + 1)[:, :width], axis=1
    )
    return odd


def _crossed_rows(
    ring: npt.NDArray[np.float64], height: int, on_the_right: bool
) -> Iterator[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]:
    """Edges (x0, y0, x1, y1), (4, n), and for each a row that it crosses, (n,), in blocks."""
    edges = np.hstack([ring, np.roll(ring, 1, axis=0)])
    low, high = np.sort(edges[:, [1, 3]], axis=1).T
    if on_the_right:
        first, end = np.ceil(low), np.ceil(high)
    else:
        first, end = np.floor(low) + 1, np.floor(high) + 1
    first, end = np.clip(first, 0, height), np.clip(end, 0, height)
    counts = (end - first).astype(np.intp)
    totals = counts.cumsum()
    stops = np.searchsorted(totals, np.arange(_BLOCK, totals[-1], _BLOCK))
    for block in np.split(np.arange(len(edges)), stops):
        of_edge = np.repeat(block, counts[block])
        begins = np.repeat(totals[block] - counts[block], counts[block])
        nth = np.arange(len(of_edge)) + (begins[0] if len(begins) else 0) - begins
        yield edges[of_edge].T, first[of_edge] + nth
