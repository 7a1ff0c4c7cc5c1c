"""A patient put together: every field of distances that a picture is painted from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from napari_chest.phantom import anatomy, shapes
from napari_chest.phantom.bones import Bones, make_bones
from napari_chest.phantom.organs import Organs, place_organs
from napari_chest.phantom.shapes import Space
from napari_chest.phantom.vessels import Branches, draw, grow_trees

if TYPE_CHECKING:
    import numpy.typing as npt

    from napari_chest.phantom.shapes import Floats

Sex = Literal["M", "F"]

LOBES = ("LLL", "LUL", "RLL", "RML", "RUL")
"""The lobes in the order of their numbers, 1 to 5, and of the columns of slice labels."""

# x, y, z of the artery's and the vein's root of each lobe.
_ROOTS = {
    "LLL": ((44, 12, 164), (42, 10, 182)),
    "LUL": ((44, 2, 138), (44, -14, 150)),
    "RLL": ((-42, 7, 166), (-42, 4, 182)),
    "RML": ((-42, -8, 164), (-40, -16, 168)),
    "RUL": ((-40, -2, 140), (-44, -14, 152)),
}
_LITRE = 1e6
_TARGETS = 560  # ends of arteries per litre of lung; veins have as many
_LEAF = 0.32  # radius of the last branches, mm
_AIRWAY = 1.7  # radius of the thinnest artery whose airway is drawn, mm
_FREE = 5.0  # mm under the pleura without vessels


@dataclass(frozen=True, eq=False)
class Patient:
    """Distances of one patient on the coarse grid, (Z, Y, X) each, negative inside.

    ``oblique`` and ``horizontal`` are distances past the fissures, ``wobble``
    and ``lean`` are noise of 14 and 38 mm.
    """

    space: Space
    build: anatomy.Build
    body: Floats
    cavity: Floats
    lung: Floats
    oblique: Floats
    horizontal: Floats
    wobble: Floats
    lean: Floats
    organs: Organs
    bones: Bones

    def lobes(self) -> npt.NDArray[np.uint8]:
        """Lobe numbers on the coarse grid, (Z, Y, X)."""
        return number_lobes(self.space.x, self.lung, self.oblique, self.horizontal)


def make_patient(
    shape: tuple[int, int, int], rng: np.random.Generator, sex: Sex | None = None
) -> Patient:
    """A patient at random, to be shown in a picture of this shape."""
    space = Space.coarse(shape)
    build = anatomy.Build.of_seed(rng, breasts=sex == "F" if sex else bool(rng.random() < 0.5))
    body = anatomy.body_outline(space, build, rng)
    cavity = anatomy.chest_cavity(space, build, rng)
    below = anatomy.diaphragm(space, build, rng)
    organs = place_organs(space, build, rng, cavity, below, anatomy.partition(space))
    bones = make_bones(space, build)
    apices = anatomy.apices(space)
    lung = anatomy.lungs(cavity, apices, below, organs.mediastinum, bones.bone)
    return Patient(
        space,
        build,
        body,
        cavity,
        lung,
        anatomy.oblique_fissure(space, rng),
        anatomy.horizontal_fissure(space, rng),
        shapes.smooth_noise(rng, space, 14),
        shapes.smooth_noise(rng, space, 38),
        organs,
        bones,
    )


def number_lobes(
    x: Floats, lung: Floats, oblique: Floats, horizontal: Floats
) -> npt.NDArray[np.uint8]:
    """Lobe numbers where the distance to the lung is negative; any shape that ends in x."""
    left = np.where(oblique > 0, 1, 2)
    right = np.where(oblique > 0, 3, np.where(horizontal > 0, 4, 5))
    return np.where(lung < 0, np.where(x > 0, left, right), 0).astype(np.uint8)


def within_lobe(
    number: int, x: Floats, lung: Floats, oblique: Floats, horizontal: Floats
) -> Floats:
    """Distance to the surface of one lobe, negative inside; any shape that ends in x."""
    name = LOBES[number - 1]
    distance = np.maximum(lung, -x if name.startswith("L") else x)
    distance = np.maximum(distance, -oblique if name.endswith("LL") else oblique)
    if name in ("RML", "RUL"):
        distance = np.maximum(distance, -horizontal if name == "RML" else horizontal)
    return distance


@dataclass(frozen=True, eq=False)
class Trees:
    """Coverage of the lungs' vessels and of the air in their bronchi, (Z, Y, X) uint8, 255 full."""

    vessels: npt.NDArray[np.uint8]
    airways: npt.NDArray[np.uint8]


def draw_trees(patient: Patient, fine: Space, rng: np.random.Generator) -> Trees:
    """Arteries, veins and bronchi of all lobes on a fine grid."""
    vessels = np.zeros(fine.shape, np.uint8)
    airways = np.zeros(fine.shape, np.uint8)
    arteries, veins = _grow(patient, fine, rng)
    draw(vessels, fine, arteries)
    draw(vessels, fine, veins)
    accompanied = arteries.where(arteries.far > _AIRWAY)
    if len(accompanied.far):
        bronchi = accompanied.beside(accompanied.far * 1.9 + 0.5, 0.75)
        draw(vessels, fine, bronchi.thicker(0.35))
        draw(airways, fine, bronchi)
    return Trees(vessels, airways)


def _grow(patient: Patient, fine: Space, rng: np.random.Generator) -> tuple[Branches, Branches]:
    space = patient.space
    lobes = np.where(patient.lung < -_FREE, patient.lobes(), 0)
    voxel = float(np.prod(space.step))
    # Small pictures cannot show fine branches.
    detail = min(1.0, (fine.step[1] / 2.2) ** -2)
    targets: list[list[Floats]] = [[], []]
    trees: list[list[npt.NDArray[np.intp]]] = [[], []]
    for tree, name in enumerate(LOBES):
        places = np.argwhere(lobes == LOBES.index(name) + 1)
        count = int(len(places) * voxel / _LITRE * _TARGETS * detail) if len(places) else 0
        for kind in range(2):
            chosen = places[rng.integers(0, max(len(places), 1), count)]
            jitter = rng.uniform(-0.5, 0.5, chosen.shape)
            z, y, x = (chosen + jitter + 0.5).T * np.array(space.step)[:, None]
            half = shapes.EXTENT[1] / 2
            targets[kind].append(np.stack([x - half, y - half, z], axis=1).astype(np.float32))
            trees[kind].append(np.full(count, tree, np.intp))
    roots = np.array([_ROOTS[name] for name in LOBES], np.float32)
    arteries, veins = (
        grow_trees(
            rng, roots[:, kind], np.concatenate(targets[kind]), np.concatenate(trees[kind]), _LEAF
        )
        for kind in range(2)
    )
    return arteries, veins
