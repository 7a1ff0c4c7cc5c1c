"""The shapes between two outlined slices, part by part; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from napari_chest.tools.distance import depth

if TYPE_CHECKING:
    import numpy.typing as npt

    Plane = npt.NDArray[np.bool_]

_APART = 0.5
"""Two parts that share less than this of the smaller one are moved onto each other."""
_NEAR = 2.0
"""Parts that share nothing belong together up to so many times the sum of their radii."""
_EDGE = 1
"""Pixels around a shape, so that there is an outside to be measured to."""


class Parts(NamedTuple):
    """The parts of a slice: pixels that touch by side or corner.

    Attributes
    ----------
    labels : (Y, X) int32; 0 outside, else 1 plus the part's index.
    first, last : (N, 2) first row and column of each, and those after its last.
    sizes : (N,) pixels of each.
    middles : (N, 2) row and column of the centre of each.
    """

    labels: npt.NDArray[np.int32]
    first: npt.NDArray[np.int64]
    last: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]
    middles: npt.NDArray[np.float64]


class Link(NamedTuple):
    """Parts of both slices that go over into each other.

    Attributes
    ----------
    low, high : indices of the parts; one of both may be empty, where parts end.
    move : (2,) rows and columns by which the parts move from slice to slice.
    """

    low: npt.NDArray[np.int64]
    high: npt.NDArray[np.int64]
    move: npt.NDArray[np.int64]


class Passing(NamedTuple):
    """Pixels that are of one shape only, counted through the plane.

    Attributes
    ----------
    places : the pixels.
    deep : how far they lie from the border of that shape.
    away : how far they lie from the other shape.
    """

    places: npt.NDArray[np.int64]
    deep: npt.NDArray[np.float32]
    away: npt.NDArray[np.float32]


def shapes_between(low: Plane, high: Plane, count: int, spacing: tuple[float, float]) -> Plane:
    """The shapes on so many slices between two; empty where no part of both belongs together.

    Parts that overlap go over into each other, as many as there are. A part that lies near one of
    the other slice without overlap moves there. Any other part tapers off halfway, if the rest
    goes on.

    Parameters
    ----------
    low, high : (Y, X), the slices before and after.
    count : how many slices lie between them.
    spacing : distances between pixel centres along (y, x) in mm.

    Returns
    -------
    (count, Y, X) bool.
    """
    below, above = parts_of(low), parts_of(high)
    between = np.zeros((count, *low.shape), dtype=np.bool_)
    links = links_between(below, above, spacing)
    if any(len(link.low) and len(link.high) for link in links):
        for link in links:
            _fill(between, below, above, link, spacing)
    return between


def parts_of(plane: Plane) -> Parts:
    """The parts of a slice."""
    _, labels, stats, middles = cv2.connectedComponentsWithStats(plane.view(np.uint8))
    numbers = stats[1:].astype(np.int64)  # x, y, width, height, pixels
    first = numbers[:, [1, 0]]
    return Parts(
        labels=labels.astype(np.int32, copy=False),
        first=first,
        last=first + numbers[:, [3, 2]],
        sizes=numbers[:, 4],
        middles=middles[1:, ::-1].astype(np.float64, copy=False),
    )


def links_between(low: Parts, high: Parts, spacing: tuple[float, float]) -> list[Link]:
    """Which parts of two slices go over into which; every part is in one link."""
    shared = (low.labels > 0) & (high.labels > 0)
    met = (low.labels[shared] - 1, high.labels[shared] - 1)
    shape = len(low.sizes), len(high.sizes)
    ones = np.ones(len(met[0]), dtype=np.int64)
    table = csr_array((ones, met), shape=shape).tocoo()  # which adds up what meets repeatedly
    pairs = np.stack(table.coords)
    moving = _neighbours(low, high, pairs, np.asarray(spacing))
    n, total = len(low.sizes), len(low.sizes) + len(high.sizes)
    i, j = np.hstack([pairs, moving])
    graph = coo_array((np.ones(len(i)), (i, j + n)), shape=(total, total))
    count, group = connected_components(graph, directed=False)
    overlap_of = np.bincount(group[pairs[0]], table.data, count)
    links = []
    for number in range(count):
        ours = np.flatnonzero(group[:n] == number)
        theirs = np.flatnonzero(group[n:] == number)
        move = np.zeros(2, dtype=np.int64)
        if len(ours) == len(theirs) == 1:
            smaller = min(low.sizes[ours[0]], high.sizes[theirs[0]])
            if overlap_of[number] < _APART * smaller:
                way = high.middles[theirs[0]] - low.middles[ours[0]]
                move = np.rint(way).astype(np.int64)
        links.append(Link(ours, theirs, move))
    return links


def _neighbours(
    low: Parts,
    high: Parts,
    overlapping: npt.NDArray[np.int64],
    spacing: npt.NDArray[np.float64],
) -> npt.NDArray[np.int64]:
    """Pairs (2, N) of parts without overlap that are each other's nearest, and near."""
    ours = np.setdiff1d(np.arange(len(low.sizes)), overlapping[0])
    theirs = np.setdiff1d(np.arange(len(high.sizes)), overlapping[1])
    if not (len(ours) and len(theirs)):
        return np.empty((2, 0), dtype=np.int64)
    here, there = low.middles[ours] * spacing, high.middles[theirs] * spacing
    away, nearest = KDTree(there).query(here)
    _, back = KDTree(here).query(there)
    area = spacing.prod() / np.pi
    radii = np.sqrt(low.sizes[ours] * area) + np.sqrt(high.sizes[theirs[nearest]] * area)
    mutual = (back[nearest] == np.arange(len(ours))) & (away <= _NEAR * radii)
    return np.stack([ours[mutual], theirs[nearest[mutual]]])


def _fill(
    between: Plane, low: Parts, high: Parts, link: Link, spacing: tuple[float, float]
) -> None:
    """Draw what a link looks like on each slice between."""
    first = np.vstack([low.first[link.low], high.first[link.high] - link.move]).min(axis=0) - _EDGE
    last = np.vstack([low.last[link.low], high.last[link.high] - link.move]).max(axis=0) + _EDGE
    here = _window(low, link.low, first, last)
    there = _window(high, link.high, first + link.move, last + link.move)
    leaving, coming = _passing(here, there, spacing), _passing(there, here, spacing)
    shape = here & there
    flat = shape.ravel()
    steps = len(between) + 1
    for step, plane in enumerate(between, start=1):
        # Products of whole numbers of steps, so that both directions give the same.
        flat[leaving.places] = (steps - step) * leaving.deep > step * leaving.away
        flat[coming.places] = step * coming.deep > (steps - step) * coming.away
        corner = first + np.rint(step * link.move / steps).astype(np.int64)
        window, inner = _common(corner, corner + shape.shape, plane.shape)
        plane[window] |= shape[inner]


def _window(
    parts: Parts,
    which: npt.NDArray[np.int64],
    first: npt.NDArray[np.int64],
    last: npt.NDArray[np.int64],
) -> Plane:
    """Where in a window, which may reach beyond the slice, some parts are."""
    taken = np.zeros(len(parts.sizes) + 1, dtype=np.bool_)
    taken[which + 1] = True
    plane = np.zeros(last - first, dtype=np.bool_)
    window, inner = _common(first, last, parts.labels.shape)
    plane[inner] = taken[parts.labels[window]]
    return plane


def _passing(one: Plane, other: Plane, spacing: tuple[float, float]) -> Passing:
    """The pixels of one shape that are not of the other, which may be empty."""
    places = np.flatnonzero(one > other)
    if not len(places):
        nothing = np.empty(0, dtype=np.float32)
        return Passing(places, nothing, nothing)
    deep = depth(one, spacing).ravel()[places]
    if other.any():
        return Passing(places, deep, depth(~other, spacing).ravel()[places])
    return Passing(places, deep, np.full_like(deep, deep.max()))


def _common(
    first: npt.NDArray[np.int64], last: npt.NDArray[np.int64], shape: tuple[int, ...]
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """What a window and a slice have in common, as a box of the slice and as one of the window."""
    start, stop = np.maximum(first, 0), np.minimum(last, shape)
    box = tuple(slice(int(a), int(b)) for a, b in zip(start, stop, strict=True))
    inner = tuple(slice(int(a), int(b)) for a, b in zip(start - first, stop - first, strict=True))
    return box, inner
