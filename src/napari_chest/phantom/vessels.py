"""Branching trees that fill a region, and how they are drawn into voxels.

A tree is grown from its targets: all that a branch has to supply is split in two at each fork, and
the branch runs towards the middle of its share. Radii follow from the number supplied.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from napari_chest.phantom.shapes import Space

_BRANCHING = 2.2
"""Exponent of the law that joins a branch's radius to those of its children."""

_CHUNK = 2_000_000


@dataclass(frozen=True, eq=False)
class Branches:
    """Curved branches of any number of trees.

    Attributes
    ----------
    start, bend, end : (N, 3) x, y, z in reference mm; the curve leaves towards ``bend``.
    near, far : (N,) radii at both ends, mm.
    tree : (N,) which root each grew from.
    """

    start: npt.NDArray[np.float32]
    bend: npt.NDArray[np.float32]
    end: npt.NDArray[np.float32]
    near: npt.NDArray[np.float32]
    far: npt.NDArray[np.float32]
    tree: npt.NDArray[np.intp]

    def where(self, chosen: npt.NDArray[np.bool_]) -> Branches:
        """Some of the branches."""
        return Branches(*(getattr(self, name)[chosen] for name in _COLUMNS))

    def beside(self, distance: npt.NDArray[np.float32], scale: float) -> Branches:
        """The branches moved sideways by so many mm (N,), with their radii scaled."""
        along = self.end - self.start
        side = np.cross(along, np.array([0.3, 1.0, 0.2], np.float32))
        side /= np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-3)
        shift = (side * distance[:, None]).astype(np.float32)
        return Branches(
            self.start + shift,
            self.bend + shift,
            self.end + shift,
            self.near * np.float32(scale),
            self.far * np.float32(scale),
            self.tree,
        )

    def thicker(self, by: float) -> Branches:
        """The branches with ``by`` mm added to their radii."""
        near, far = self.near + np.float32(by), self.far + np.float32(by)
        return Branches(self.start, self.bend, self.end, near, far, self.tree)


_COLUMNS = tuple(field.name for field in fields(Branches))


def grow_trees(
    rng: np.random.Generator,
    roots: npt.NDArray[np.float32],
    targets: npt.NDArray[np.float32],
    tree: npt.NDArray[np.intp],
    leaf_radius: float,
) -> Branches:
    """Trees from ``roots`` (T, 3) to ``targets`` (N, 3), each target fed by its ``tree`` (N,).

    All trees grow at once, a generation at a time: nodes are numbers, and a target knows its node.
    """
    tips = _Tips(roots, np.zeros_like(roots), np.arange(len(roots)))
    node = tree.copy()
    active = np.arange(len(targets))
    grown = [_no_branches()]
    while len(active):
        branches, child, size = _fork(rng, tips, targets[active], node[active], leaf_radius)
        grown.append(branches)
        along = branches.end - branches.bend
        length = np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-3)
        tips = _Tips(branches.end, (along / length).astype(np.float32), branches.tree)
        node[active] = child
        active = active[size[child] > 1]
    return Branches(*(np.concatenate([getattr(part, name) for part in grown]) for name in _COLUMNS))


class _Tips(NamedTuple):
    """The ends from which trees grow on: where (N, 3), the way they point, and of which tree."""

    position: npt.NDArray[np.float32]
    heading: npt.NDArray[np.float32]
    tree: npt.NDArray[np.intp]


def _no_branches() -> Branches:
    points, radii = np.zeros((0, 3), np.float32), np.zeros(0, np.float32)
    return Branches(points, points, points, radii, radii, np.zeros(0, np.intp))


def _fork(
    rng: np.random.Generator,
    tips: _Tips,
    targets: npt.NDArray[np.float32],
    node: npt.NDArray[np.intp],
    leaf_radius: float,
) -> tuple[Branches, npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """One generation: the new branches, the branch of each target, the targets of each branch."""
    children, child = np.unique(node * 2 + _halves(rng, targets, node), return_inverse=True)
    parent = children // 2
    size = np.bincount(child)
    middle = np.stack([np.bincount(child, axis) / size for axis in targets.T], 1)
    start = tips.position[parent]
    toward = middle.astype(np.float32) - start
    reach = rng.uniform(0.4, 0.62, (len(children), 1)).astype(np.float32)
    jitter = rng.normal(0, 0.07, toward.shape) * np.linalg.norm(toward, axis=1)[:, None]
    end = np.where((size == 1)[:, None], middle, start + reach * toward + jitter)
    length = np.linalg.norm(end - start, axis=1)[:, None]
    heading = tips.heading[parent]
    bend = np.where(
        heading.any(axis=1, keepdims=True), start + heading * length * 0.45, (start + end) / 2
    )
    supplied = np.bincount(node, minlength=len(tips.position))[parent]
    near, far = (leaf_radius * count ** (1 / _BRANCHING) for count in (supplied, size))
    # A fork's child soon has its own radius; only the step from the parent tapers.
    near = 0.35 * near + 0.65 * far
    start, bend, end, near, far = (
        part.astype(np.float32) for part in (start, bend, end, near, far)
    )
    return Branches(start, bend, end, near, far, tips.tree[parent]), child, size


def _halves(
    rng: np.random.Generator, points: npt.NDArray[np.float32], node: npt.NDArray[np.intp]
) -> npt.NDArray[np.intp]:
    """Which half of its node each point belongs to, 0 or 1, cut across where it is longest."""
    count = np.bincount(node)
    share = np.maximum(count, 1)
    offset = points - np.stack([np.bincount(node, axis) / share for axis in points.T], 1)[node]
    spread = np.empty((len(count), 3, 3))
    for i, j in np.ndindex(3, 3):
        spread[:, i, j] = np.bincount(node, offset[:, i] * offset[:, j])
    longest = np.linalg.eigh(spread)[1][:, :, 2] + rng.normal(0, 0.3, (len(count), 3))
    value = (offset * longest[node]).sum(axis=1)
    order = np.lexsort((value, node))
    first = np.concatenate([[0], np.cumsum(count)])[node[order]]
    half = np.empty(len(points), np.intp)
    half[order] = (np.arange(len(points)) - first) >= (count[node[order]] + 1) // 2
    return half


def draw(volume: npt.NDArray[np.uint8], space: Space, branches: Branches) -> None:
    """Draw branches into a volume of coverage, 0 to 255, keeping the larger value.

    A branch thinner than a voxel is drawn one voxel wide and fainter.
    """
    step = np.asarray(space.step, np.float32)[::-1]  # x, y, z
    width = np.float32((step[0] + step[1]) / 2)
    centers, radii = _along(branches, 0.8 * width)
    origin = np.array([space.x[0], space.y[0], space.z[0]], np.float32)
    shown = np.maximum(radii, width * np.float32(0.55))
    # A centre lies up to half a voxel from the voxel it is rounded to.
    reach = (shown[:, None] + width / 2 + np.maximum(step - width, 0) / 2) / step + 0.5
    kinds, kind = np.unique(reach.astype(np.intp), axis=0, return_inverse=True)
    for number, extent in enumerate(kinds):
        members = np.flatnonzero(kind.ravel() == number)
        block = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in extent), indexing="ij"), -1)
        offsets = block.reshape(-1, 3)
        pieces = max(1, len(members) * len(offsets) // _CHUNK)
        for piece in np.array_split(members, pieces):
            _stamp(volume, (centers[piece] - origin) / step, radii[piece], offsets, step)


def _stamp(
    volume: npt.NDArray[np.uint8],
    at: npt.NDArray[np.float32],
    radii: npt.NDArray[np.float32],
    offsets: npt.NDArray[np.intp],
    step: npt.NDArray[np.float32],
) -> None:
    width = (step[0] + step[1]) / 2
    base = np.rint(at).astype(np.intp)
    index = base[:, None, :] + offsets
    apart = np.abs(index - at[:, None, :]).astype(np.float32) * step
    # A voxel that is longer than wide sees all that crosses its length.
    apart[..., 2] = np.maximum(apart[..., 2] - max(step[2] - width, 0) / 2, 0)
    distance = np.sqrt((apart * apart).sum(axis=-1))
    shown = np.maximum(radii, width * np.float32(0.55))
    strength = np.minimum(1, radii / shown)[:, None] ** 1.6
    value = strength * np.clip((shown[:, None] - distance) / width + 0.5, 0, 1) * 255
    inside = ((index >= 0) & (index < np.array(volume.shape)[::-1])).all(axis=-1) & (value >= 1)
    x, y, z = index[inside].T
    flat = (z * volume.shape[1] + y) * volume.shape[2] + x
    np.maximum.at(volume.reshape(-1), flat, value[inside].astype(np.uint8))


def _along(
    branches: Branches, spacing: np.float32
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Points (N, 3) along all branches, about ``spacing`` mm apart, and their radii (N,)."""
    length = np.linalg.norm(branches.bend - branches.start, axis=1)
    length = length + np.linalg.norm(branches.end - branches.bend, axis=1)
    # Thick branches need no dense points: their stamps overlap.
    gap = np.maximum(spacing, 0.35 * branches.far)
    count = np.ceil(length / gap).astype(np.intp) + 1
    which = np.repeat(np.arange(len(count)), count)
    first = np.repeat(np.cumsum(count) - count, count)
    t = (np.arange(len(which)) - first) / np.maximum(count - 1, 1)[which]
    t = t.astype(np.float32)[:, None]
    start, bend, end = (part[which] for part in (branches.start, branches.bend, branches.end))
    points = (1 - t) ** 2 * start + 2 * t * (1 - t) * bend + t * t * end
    near, far = branches.near[which], branches.far[which]
    return points, near + (far - near) * t[:, 0]
