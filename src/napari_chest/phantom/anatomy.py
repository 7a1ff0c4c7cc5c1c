"""The outline of the body, the chest cavity, the lungs and their lobes.

Lengths are millimetres of a reference patient: x from the midline to the patient's left, y from the
middle of the picture to the back, z from the top of the picture to the feet. The profiles were set
by eye to look like an adult on his back with the arms up, breathed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_chest.phantom import shapes

if TYPE_CHECKING:
    from napari_chest.phantom.shapes import Floats, Space

# z, half width, front y, back y
BODY = (
    (0, 215, -56, 90),
    (25, 212, -76, 100),
    (45, 205, -94, 106),
    (70, 194, -108, 109),
    (110, 178, -119, 111),
    (166, 167, -124, 113),
    (215, 162, -123, 113),
    (260, 161, -121, 111),
    (320, 162, -118, 107),
)
CAVITY = (
    (12, 50, 2, 46),
    (22, 57, -6, 50),
    (38, 72, -26, 58),
    (64, 95, -62, 70),
    (90, 110, -81, 79),
    (115, 119, -91, 86),
    (140, 124, -96, 90),
    (166, 128, -99, 92),
    (200, 131, -99, 94),
    (230, 134, -96, 94),
    (260, 136, -92, 92),
    (320, 135, -88, 87),
)
SPINE = (  # z, y of the middle of the vertebral bodies, their radius
    (0, 0, 13.0),
    (38, 13, 13.5),
    (64, 21, 14.0),
    (90, 28, 14.5),
    (115, 33, 15.0),
    (166, 37, 16.0),
    (220, 38, 17.5),
    (260, 36, 19.0),
    (320, 33, 21.0),
)
CAVITY_POWER = 2.35
BODY_POWER = 2.45
CAVITY_MIDDLE = 4.0
"""y at which the chest is widest."""


@dataclass(frozen=True)
class Build:
    """What differs between patients.

    Attributes
    ----------
    width, depth : scale of the chest and body across and front to back.
    fat : mm of fat under the skin.
    heart : scale of the heart.
    lift : mm by which the diaphragm stands higher than in the reference.
    muscle : scale of how far the shoulders stand out.
    breasts : whether there is breast tissue.
    """

    width: float = 1.0
    depth: float = 1.0
    fat: float = 11.0
    heart: float = 1.0
    lift: float = 0.0
    breasts: bool = False

    @classmethod
    def of_seed(cls, rng: np.random.Generator, breasts: bool) -> Build:
        """A patient drawn at random."""
        return cls(
            width=float(rng.uniform(0.93, 1.0)),
            depth=float(rng.uniform(0.93, 1.03)),
            fat=float(rng.uniform(9, 18)) + 4 * breasts,
            heart=float(rng.uniform(0.94, 1.08)),
            lift=float(rng.uniform(-10, 10)),
            breasts=breasts,
        )


def body_outline(space: Space, build: Build, rng: np.random.Generator) -> Floats:
    """Distance to the skin."""
    half, front, back = shapes.profile(space.z, BODY)
    grown = np.float32(build.fat - 11)
    outline = shapes.super_ellipse(
        space,
        8 + 18 * np.clip((125 - space.z[:, None, None]) / 60, 0, 1),
        half * np.float32(build.width) + grown,
        front * np.float32(build.depth) - grown,
        back * np.float32(build.depth) + grown / 2,
        BODY_POWER,
    )
    _, y, x = space.axes
    furrow = 6 * np.exp(-((x / 15) ** 2)) * (y > 0) + 3 * np.exp(-((x / 18) ** 2)) * (y < 0)
    outline = outline + furrow.astype(np.float32)
    if build.breasts:
        for side in (-1, 1):
            place = (side * 70.0, float(front.min()) * build.depth - float(grown) + 20, 172.0)
            breast = shapes.ellipsoid(space, place, (50, 38, 48))
            outline = shapes.blend(outline, breast, 22)
    wave: Floats = outline + np.float32(1.3) * shapes.smooth_noise(rng, space, 55)
    return wave


def chest_cavity(space: Space, build: Build, rng: np.random.Generator) -> Floats:
    """Distance to the inside of the ribs, down into the abdomen."""
    half, front, back = shapes.profile(space.z, CAVITY)
    middle = np.minimum(np.float32(CAVITY_MIDDLE), (front + back) / 2 + 6)
    cavity = shapes.super_ellipse(
        space,
        middle,
        half * np.float32(build.width),
        front * np.float32(build.depth),
        back * np.float32(build.depth),
        CAVITY_POWER,
    )
    _, y, x = space.axes
    # On either side of the spine the chest reaches further back than at the spine.
    gutter = 8 * np.exp(-((x / 34) ** 2)) * np.clip(y / 40, 0, 1)
    whole: Floats = cavity + gutter + np.float32(1.4) * shapes.smooth_noise(rng, space, 40)
    return whole


def apices(space: Space) -> Floats:
    """Distance to the two domes that close the chest above; far inside below them."""
    z, y, x = space.axes
    rise = np.clip((112 - z) / 94, 0, None)
    dy = (y - (4 + 12 * rise)) / 88
    dx = (np.abs(x) - (44 - 2 * rise)) / 62
    reach = np.sqrt(rise**1.6 + dy**2 + dx**2)
    # Only where the dome curves does it bound the lung.
    bound: Floats = np.where(rise > 0, (reach - 1) * 52 - (1 - np.clip(rise * 5, 0, 1)) * 60, -60)
    return bound.astype(np.float32)


def diaphragm(space: Space, build: Build, rng: np.random.Generator) -> Floats:
    """Distance below the diaphragm: negative above it, positive in the abdomen."""
    _, y, x = space.axes
    right, left = (_dome(x, y, top, middle) for top, middle in ((231, -62), (237, 68)))
    share = 1 / (1 + np.exp(-x / 9))
    height = right + (left - right) * share - np.float32(build.lift)
    flat = space.part((slice(0, 1), slice(None), slice(None)))
    height = height + 2.5 * shapes.smooth_noise(rng, flat, 30)
    height = np.minimum(height, 314.0)[0]
    if min(height.shape) > 1:
        slope_y, slope_x = np.gradient(height, space.y, space.x)
        steep = np.sqrt(1 + slope_x**2 + slope_y**2)
    else:
        steep = np.ones_like(height)
    below: Floats = ((space.z[:, None, None] - height) / steep).astype(np.float32)
    return below


def _dome(x: Floats, y: Floats, top: float, middle: float) -> Floats:
    """Height (z) of one half of the diaphragm; it falls to the sides and furthest to the back."""
    outward = np.clip((x - middle) * np.sign(middle), 0, None) / 64
    inward = np.clip((middle - x) * np.sign(middle), 0, 70) / 64
    front, back = np.clip(-28 - y, 0, None) / 66, np.clip(y + 28, 0, None) / 118
    sides = 20 * outward**2 + 26 * outward**4 + 9 * inward**2
    dome: Floats = top + sides + 19 * front**2 + 8 * front**4 + 94 * back**1.75
    return dome


def spine_border(space: Space) -> Floats:
    """Distance to what the spine and the ribs' heads keep free of lung."""
    middle, radius = shapes.profile(space.z, SPINE)
    _, y, x = space.axes
    back = np.clip((y - middle) / 50, 0, 1)
    dy = y - middle - back * 50
    border: Floats = np.sqrt(x * x + dy * dy) - (radius + 2.5 + back * 17)
    return border.astype(np.float32)


def spine_front(space: Space) -> Floats:
    """Distance to all that lies behind the middle of the vertebral bodies."""
    middle, _ = shapes.profile(space.z, SPINE)
    behind: Floats = middle + 4 - space.axes[1] + 0 * space.axes[2]
    return behind


def partition(space: Space) -> Floats:
    """Distance to the sheet between the lungs: behind the breastbone it is only a line."""
    z, y, x = space.axes
    behind = np.clip((y + 86) / 60, 0, 1)
    wide = 1.5 + 17 * behind**1.6 * np.clip((z - 20) / 60, 0.55, 1)
    shift = 3 * np.clip((z - 120) / 60, -0.6, 1)
    sheet: Floats = np.abs(x - shift) - wide
    return sheet.astype(np.float32)


def oblique_fissure(space: Space, rng: np.random.Generator) -> Floats:
    """Distance past the oblique fissure of the side: positive in the lower lobe."""
    z, y, x = space.axes
    left = x > 0
    back_z = np.where(left, np.float32(101), np.float32(102))
    along = (82 - y) / 160
    drop = 150 * along + 20 * np.sin(np.pi * np.clip(along, 0, 1))
    bow = 10 * (np.abs(x) / 70 - 0.9) * np.where(left, 1, -0.6)
    wave = 3.5 * shapes.smooth_noise(rng, space, 60)
    past: Floats = (z - back_z - drop - bow + wave) / 1.42
    return past.astype(np.float32)


def horizontal_fissure(space: Space, rng: np.random.Generator) -> Floats:
    """Distance below the horizontal fissure of the right lung: positive in the middle lobe."""
    z, y, x = space.axes
    dome = 9 * ((x + 70) / 60) ** 2 + 6 * ((y + 30) / 60) ** 2
    wave = 3 * shapes.smooth_noise(rng, space, 60)
    return (z - 163 - dome + wave).astype(np.float32)


def lungs(
    cavity: Floats, caps: Floats, below: Floats, mediastinum: Floats, bones: Floats
) -> Floats:
    """Distance to the surface of the lungs: the cavity but for what else is in it."""
    # Ribs press into the surface and leave it wavy, with the pleura between.
    # (Distances to bones are only known near them.)
    surface = np.maximum(cavity + 1.0, 2.2 - bones - 15 * np.clip(bones - 3, 0, None))
    around = np.maximum(np.maximum(surface, caps), below)
    # The border turns over from the chest wall to the mediastinum in a round corner.
    return -shapes.blend(-around, mediastinum - 1.0, 9)
