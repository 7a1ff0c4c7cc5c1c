"""Organs of the mediastinum and the upper abdomen.

Tables hold points ``(x, y, z, radius)`` in reference millimetres, see `anatomy`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from napari_chest.phantom import shapes
from napari_chest.phantom.anatomy import Build, spine_border, spine_front

if TYPE_CHECKING:
    from napari_chest.phantom.shapes import Floats, Point, Space

_REACH = 18.0  # mm around vessels and airways within which fat fills the gaps

AORTA: tuple[Point, ...] = (
    (-2, -38, 172, 14.5),
    (-13, -34, 150, 15.0),
    (-15, -30, 120, 14.5),
    (-5, -30, 101, 13.5),
    (12, -18, 90, 12.5),
    (21, -2, 90, 12.0),
    (22, 11, 102, 12.0),
    (20, 16, 122, 12.0),
    (18, 19, 160, 11.5),
    (15, 17, 220, 11.0),
    (7, 12, 280, 10.5),
    (4, 9, 324, 10.0),
)
GREAT_VESSELS: tuple[tuple[Point, ...], ...] = (
    # superior vena cava and right brachiocephalic vein
    ((-28, -30, 170, 9.5), (-29, -29, 120, 9.0), (-26, -32, 78, 8.5), (-31, -38, 46, 7.0),
     (-40, -30, 10, 6.0)),
    # left brachiocephalic vein
    ((-24, -36, 76, 7.5), (0, -43, 68, 6.5), (24, -42, 52, 6.5), (42, -32, 12, 6.0)),
    # brachiocephalic, left carotid and left subclavian artery
    ((-7, -25, 88, 7.0), (-13, -26, 66, 6.0), (-22, -24, 40, 5.5), (-24, -20, 0, 4.0)),
    ((9, -22, 82, 4.5), (11, -22, 55, 4.0), (16, -18, 0, 4.0)),
    ((19, -4, 82, 5.0), (22, -4, 58, 5.0), (32, -8, 30, 4.5), (70, -16, 18, 4.0)),
    ((-22, -24, 40, 4.5), (-40, -14, 26, 4.5), (-74, -16, 18, 4.0)),
    # pulmonary trunk
    ((12, -54, 168, 14.0), (17, -44, 150, 14.0), (18, -28, 136, 13.5), (26, -14, 130, 12.0)),
    ((16, -27, 138, 11.0), (-4, -15, 139, 11.0), (-22, -10, 141, 10.0)),
    # inferior vena cava, azygos
    ((-26, -24, 205, 11.5), (-26, -14, 240, 11.5), (-22, -4, 324, 11.0)),
    ((-7, 14, 300, 3.5), (-9, 13, 140, 3.5), (-13, 6, 116, 4.0), (-24, -18, 106, 4.5)),
)  # fmt: skip
HILAR_VESSELS: tuple[tuple[Point, ...], ...] = (
    # the pulmonary arteries of both lungs
    ((26, -14, 130, 12.0), (38, -2, 130, 9.5), (45, 8, 142, 8.0), (46, 14, 164, 6.0)),
    ((44, 2, 138, 6.0), (52, -10, 128, 4.0)),
    ((-22, -10, 141, 10.0), (-36, -4, 146, 8.5), (-43, 5, 160, 7.0), (-44, 9, 172, 5.5)),
    ((-34, -6, 142, 6.0), (-46, -6, 132, 4.0)),
    # the pulmonary veins
    ((-20, -12, 164, 8.0), (-46, -14, 154, 5.0)),
    ((-20, -6, 178, 8.0), (-44, 4, 184, 5.0)),
    ((24, -12, 160, 8.0), (47, -14, 150, 5.0)),
    ((24, -4, 174, 8.0), (44, 10, 184, 5.0)),
)  # fmt: skip
ESOPHAGUS: tuple[Point, ...] = (
    (3, -10, 0, 6.5),
    (4, -4, 38, 6.5),
    (4, 4, 80, 6.5),
    (3, 11, 120, 6.5),
    (3, 14, 165, 7.0),
    (4, 10, 215, 7.5),
    (14, -6, 262, 8.5),
)
TRACHEA: tuple[Point, ...] = (
    (0, -32, -10, 8.6),
    (0, -27, 25, 8.6),
    (-2, -17, 62, 8.4),
    (-4, -10, 92, 8.4),
    (-2, -6, 112, 8.6),
)
BRONCHI: tuple[tuple[Point, ...], ...] = (
    ((-1, -6, 111, 7.6), (-14, -3, 124, 7.0), (-27, 0, 138, 6.4), (-35, 4, 156, 5.6),
     (-40, 9, 172, 4.6)),
    ((-22, -1, 133, 5.2), (-34, -3, 131, 4.6), (-46, -4, 128, 3.6)),
    ((-36, 4, 160, 3.8), (-40, -8, 168, 3.2), (-44, -18, 174, 2.6)),
    ((3, -6, 111, 6.8), (18, 0, 127, 6.2), (34, 6, 143, 5.6), (41, 11, 158, 4.8),
     (44, 15, 170, 4.2)),
    ((35, 6, 143, 4.8), (44, 0, 144, 4.2), (52, -6, 140, 3.4)),
)  # fmt: skip
HEART: tuple[tuple[tuple[float, float, float], tuple[float, float, float]], ...] = (
    ((31, -44, 203), (38, 40, 39)),  # left ventricle
    ((5, -62, 200), (39, 27, 37)),  # right ventricle
    ((-26, -38, 186), (20, 28, 34)),  # right atrium
    ((1, -10, 170), (31, 19, 22)),  # left atrium
)
GROOVES: tuple[tuple[tuple[float, float, float], float], ...] = (
    ((0.62, -0.62, 0.48), 107.0),  # between atria and ventricles
    ((0.80, 0.58, -0.10), -34.0),  # between the ventricles
)
"""Sheets of fat that notch the heart: unit normal (x, y, z) and distance from the origin."""

PERICARDIAL_FAT: tuple[tuple[tuple[float, float, float], tuple[float, float, float]], ...] = (
    ((-34, -66, 226), (24, 24, 20)),
    ((44, -70, 228), (28, 20, 22)),
    ((4, -58, 150), (20, 28, 34)),
)


@dataclass(frozen=True, eq=False)
class Organs:
    """Distances to organs, negative inside, (Z, Y, X) each.

    ``mediastinum`` holds all between the lungs with its fat; ``lumen`` is the air in trachea and
    bronchi, ``soft`` their walls, the oesophagus, the diaphragm and the like; ``gas`` is air in the
    gut.
    """

    mediastinum: Floats
    heart: Floats
    vessels: Floats
    lumen: Floats
    soft: Floats
    liver: Floats
    spleen: Floats
    stomach: Floats
    gas: Floats


def place_organs(
    space: Space,
    build: Build,
    rng: np.random.Generator,
    cavity: Floats,
    below: Floats,
    border: Floats,
) -> Organs:
    """Organs for a body with this cavity, diaphragm (`below`) and sheet between the lungs."""
    heart = _heart(space, build)
    vessels, hilar, lumen, bronchi, soft = (space.empty(_REACH) for _ in range(5))
    for line in (AORTA, *GREAT_VESSELS):
        shapes.add_tube(vessels, space, shapes.curve(line), margin=_REACH)
    for line in HILAR_VESSELS:
        shapes.add_tube(hilar, space, shapes.curve(line), margin=_REACH)
    shapes.add_tube(lumen, space, shapes.curve(TRACHEA), margin=_REACH)
    for line in BRONCHI:
        shapes.add_tube(bronchi, space, shapes.curve(line, 6), margin=_REACH)
    shapes.add_tube(soft, space, shapes.curve(ESOPHAGUS), margin=_REACH)
    spine = spine_border(space)
    between = shapes.blend(shapes.blend(heart - 2.5, vessels - 1.5, 12), lumen - 2.5, 12)
    between = shapes.blend(between, soft - 2.5, 12)
    for center, radii in PERICARDIAL_FAT:
        between = shapes.blend(between, shapes.ellipsoid(space, center, radii), 14)
    between = shapes.blend(between, border, 10)
    between = shapes.blend(between, spine, 14)
    # What runs into the lungs brings hardly any fat along.
    between = shapes.blend(between, np.minimum(hilar - 0.5, bronchi - 1.6), 3)
    vessels, lumen = np.minimum(vessels, hilar), np.minimum(lumen, bronchi)
    abdomen = _abdomen(space, rng, cavity, below, spine)
    muscle = np.maximum(np.abs(below - 1.6) - 1.6, cavity)
    beside = np.maximum(np.maximum(spine + 2.5, spine_front(space)), cavity - 10)
    soft = np.minimum(np.minimum(soft, lumen - 1.7), np.minimum(muscle, beside))
    # The heart rests on the diaphragm.
    heart = np.maximum(heart, below + 1.5)
    return Organs(between, heart, vessels, lumen, soft, *abdomen)


def _heart(space: Space, build: Build) -> Floats:
    parts = []
    for center, radii in HEART:
        scale = build.heart
        place = (center[0] * scale, center[1] * build.depth, center[2] - 0.4 * build.lift)
        size = (radii[0] * scale, radii[1] * scale, radii[2] * scale)
        parts.append(shapes.ellipsoid(space, place, size))
    heart = reduce(lambda whole, part: shapes.blend(whole, part, 7), parts)
    z, y, x = space.axes
    for normal, offset in GROOVES:
        sheet = x * normal[0] + y * normal[1] + z * normal[2] - offset
        notch = 1.4 - np.hypot(sheet, np.clip(-heart - 2, 0, None) * 0.5)
        heart = np.maximum(heart, notch)
    return heart


def _abdomen(
    space: Space, rng: np.random.Generator, cavity: Floats, below: Floats, spine: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    z, y, x = space.axes
    wave = shapes.smooth_noise(rng, space, 45)
    inside = np.maximum(np.maximum(cavity + 1.2, 2 - below), 5 - spine)
    left_edge = (x - 12) * 0.8 + (y + 45) * 0.55 + (z - 285) * 0.25 + 4 * wave
    liver = np.maximum(inside, left_edge)
    spleen = shapes.ellipsoid(space, (98, 40, 292), (30, 46, 42)) + 2 * wave
    spleen = np.maximum(spleen, inside)
    stomach = shapes.ellipsoid(space, (60, -16, 292), (50, 66, 55)) + 3 * wave
    stomach = np.maximum(np.maximum(stomach, inside + 1), 3 - np.minimum(spleen, liver))
    # Gas rises to the front and stands level on the fluid.
    gas = np.maximum(stomach + 3.0, y + 62 + 0 * z)
    for center, radii in (((98, -62, 308), (18, 17, 15)), ((76, -72, 314), (16, 13, 12))):
        colon = np.maximum(
            shapes.ellipsoid(space, center, radii), np.maximum(inside + 2, 6 - below)
        )
        gas = np.minimum(gas, np.maximum(colon, 2 - stomach))
    return liver, spleen, stomach, gas
