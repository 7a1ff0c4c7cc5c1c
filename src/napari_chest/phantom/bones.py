"""The skeleton of the chest: spine, ribs and their cartilage, breastbone, shoulders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_chest.phantom import shapes
from napari_chest.phantom.anatomy import (
    CAVITY,
    CAVITY_MIDDLE,
    CAVITY_POWER,
    SPINE,
    Build,
)

if TYPE_CHECKING:
    from napari_chest.phantom.shapes import Floats, Point, Space

LEVELS = tuple(float(12 + 23.0 * n + 0.25 * n * n) for n in range(-1, 14))
"""z of the middle of each vertebra, the first above the first rib."""

RIBS = 12
_DISC = 2.8  # half the height of a disc, mm
_CANAL = 8.0  # radius of the spinal canal, mm
_REACH = 7.0  # mm around bones within which distances are worked out
_RIB = 3.6  # half the thickness of a rib, mm
_RIB_FLAT = 0.56  # thickness of a rib over its height
_BREASTBONE = (  # z, half width, half thickness
    (56, 27, 7.0),
    (72, 24, 6.5),
    (92, 14, 5.5),
    (120, 15, 5.0),
    (165, 18, 5.0),
    (186, 14, 4.0),
)
_COLLAR: tuple[Point, ...] = (
    (17, -42, 52, 9.0),
    (34, -50, 42, 7.0),
    (62, -46, 30, 5.6),
    (100, -26, 20, 5.6),
    (140, -6, 10, 6.0),
)
_BLADE = (  # z, inner x, inner y, outer x, outer y
    (40, 78, 86, 146, 42),
    (64, 76, 90, 148, 46),
    (90, 78, 91, 142, 54),
    (120, 84, 90, 130, 66),
    (150, 92, 87, 118, 76),
    (168, 100, 84, 108, 81),
)


@dataclass(frozen=True, eq=False)
class Bones:
    """Distances to bone, cartilage and discs, and the spinal canal; negative inside."""

    bone: Floats
    cartilage: Floats
    canal: Floats


def make_bones(space: Space, build: Build) -> Bones:
    """The skeleton for a build."""
    bone, cartilage, canal = (space.empty(_REACH) for _ in range(3))
    _add_spine(space, bone, cartilage, canal)
    for number in range(1, RIBS + 1):
        _add_rib(space, build, number, bone, cartilage)
    _add_breastbone(space, build, bone)
    for side in (1, -1):
        _add_shoulder(space, build, side, bone)
    return Bones(bone, cartilage, canal)


def _add_spine(space: Space, bone: Floats, cartilage: Floats, canal: Floats) -> None:
    box = space.box((-52, -30, -20), (52, 125, 340))
    part = space.part(box)
    z, y, x = part.axes
    middle, radius = shapes.profile(part.z, SPINE)
    levels = np.array(LEVELS, np.float32)
    nearest = np.abs(part.z[:, None] - levels).argmin(axis=1)
    level = levels[nearest][:, None, None]
    half = (np.gradient(levels)[nearest] / 2)[:, None, None].astype(np.float32)
    apart = np.abs(z - level)
    dy = y - middle
    # Waisted between flat end plates, flattened where the canal lies.
    waist = radius - 1.6 + 1.8 * (apart / half) ** 2
    column = np.sqrt((x / 1.16) ** 2 + dy * dy) - waist
    column = np.maximum(column, dy - radius * 0.78)
    body = np.maximum(column, apart - (half - _DISC))
    disc = np.maximum(column - 0.5, half - _DISC - apart)
    center = middle + radius * 0.78 + _CANAL
    ring = np.sqrt((x / 1.15) ** 2 + (y - center) ** 2)
    # Each arch hangs a little below its body.
    low = np.abs(z - level - 4)
    lamina = np.maximum(np.abs(ring - _CANAL - 3.2) - 2.8, low - 8.5 - 2 * (y < center))
    behind = y - center - _CANAL
    slant = np.abs(z - level - 9 - 0.55 * behind)
    process = np.maximum(np.maximum(np.abs(x) - 2.9, np.abs(behind - 15) - 17), slant - 7)
    arch = np.maximum(np.minimum(lamina, process), _CANAL - ring)
    for field, values in (
        (bone, np.minimum(body, arch)),
        (cartilage, disc),
        (canal, ring - _CANAL + 0.6),
    ):
        np.minimum(field[box], values, out=field[box])


def _chest_wall(build: Build, z: float, angle: float, outward: float) -> tuple[float, float]:
    """Where (x, y) the chest wall lies at one level, at an angle from the back (0) to the front."""
    half, front, back = (
        float(column.item()) for column in shapes.profile(np.array([z], np.float32), CAVITY)
    )
    middle = min(CAVITY_MIDDLE, (front + back) / 2 + 6)
    across = half * build.width + outward
    depth = (back if np.cos(angle) > 0 else -front) * build.depth
    depth = abs(depth - np.sign(np.cos(angle)) * middle) + outward
    reach = (
        abs(np.sin(angle) / across) ** CAVITY_POWER + abs(np.cos(angle) / depth) ** CAVITY_POWER
    ) ** (-1 / CAVITY_POWER)
    return float(reach * np.sin(angle)), float(middle + reach * np.cos(angle))


def _rib_lines(build: Build, number: int) -> tuple[list[Point], list[Point]]:
    """The bony line of a left rib from its head, and the cartilage from there to the breastbone."""
    start_z = LEVELS[number] - 7
    middle, radius = _spine_at(LEVELS[number])
    drop = 34 + 5.0 * min(number, 9)
    ends = {1: 2.5, 11: 1.9, 12: 1.35}.get(number, 2.42 if number <= 7 else 2.25)
    line: list[Point] = [
        (radius * 1.05, middle + 6, start_z, _RIB),
        (radius + 8, middle + 20, start_z + 1, _RIB),
    ]
    angles = np.linspace(0.5, ends, 26)
    for angle in angles:
        share = (angle - angles[0]) / (2.42 - angles[0])
        z = start_z + 3 + drop * min(share, 1.05) ** 1.1
        x, y = _chest_wall(build, z, angle, 4.6)
        line.append((x, y, z, _RIB + 0.4 * float(share)))
    if number > 10 or number == 1:
        return line, []
    last = line[-1]
    edge = 66.0 + 18.5 * (min(number, 7) - 1)
    half = float(np.interp(edge, [row[0] for row in _BREASTBONE], [row[1] for row in _BREASTBONE]))
    _, front = _chest_wall(build, min(edge, 190.0), np.pi - 0.12, 4.0)
    aim: Point = (half + 2, front, min(edge, 190.0), 4.2)
    halfway: Point = (*((np.array(last[:3]) + aim[:3]) / 2 + (4, -5, 5)).tolist(), 4.4)
    return line, [last, halfway, aim]


def _add_rib(space: Space, build: Build, number: int, bone: Floats, cartilage: Floats) -> None:
    line, joint = _rib_lines(build, number)
    middle, radius = _spine_at(LEVELS[number])
    transverse: list[Point] = [
        (radius * 0.7, middle + radius + 6, LEVELS[number] + 1, 5.0),
        (radius + 14, middle + radius + 15, LEVELS[number], 4.2),
    ]
    for side in (list, shapes.mirrored):
        shapes.add_tube(bone, space, side(line), flat=_RIB_FLAT, margin=_REACH)
        shapes.add_tube(bone, space, side(transverse), margin=_REACH)
        if joint:
            shapes.add_tube(
                cartilage, space, side(shapes.curve(joint, 10)), flat=0.7, margin=_REACH
            )


def _add_breastbone(space: Space, build: Build, bone: Floats) -> None:
    box = space.box((-40, -140, 45), (40, 0, 200))
    part = space.part(box)
    z, y, x = part.axes
    half, thick = shapes.profile(part.z, _BREASTBONE)
    _, front, _ = shapes.profile(part.z, CAVITY)
    across = np.clip(np.abs(x) - half + thick, 0, None)
    dy = y - (front * np.float32(build.depth) - 8) - 0.003 * x * x
    plate = np.sqrt(across**2 + dy**2) - thick
    # Cartilage joins the handle to the body.
    gap = 1.5 - np.abs(z - 94)
    ends = np.maximum(_BREASTBONE[0][0] - z, z - _BREASTBONE[-1][0])
    np.minimum(bone[box], np.maximum(plate, np.maximum(ends, gap)), out=bone[box])


def _add_shoulder(space: Space, build: Build, side: int, bone: Floats) -> None:
    def place(x: float, y: float, z: float, r: float) -> Point:
        return (side * x * build.width, y * build.depth, z, r)

    shapes.add_tube(
        bone, space, [place(*point) for point in shapes.curve(_COLLAR, 10)], margin=_REACH
    )
    rows = np.array(_BLADE)
    for z in np.arange(_BLADE[0][0], _BLADE[-1][0], 4.0):
        xi, yi, xo, yo = (np.interp(z, rows[:, 0], column) for column in rows[:, 1:].T)
        bend = place((xi + xo) / 2, (yi + yo) / 2 - 3, z, 1.7)
        line = [place(xi, yi, z, 2.6), bend, place(xo, yo, z, 5.0)]
        shapes.add_tube(bone, space, line, margin=_REACH)
    spine = [place(82, 92, 66, 3.5), place(112, 88, 52, 4.0), place(150, 62, 26, 6.0)]
    shapes.add_tube(bone, space, spine, margin=_REACH)
    socket = [place(148, 44, 40, 9.0), place(152, 34, 26, 9.0)]
    shapes.add_tube(bone, space, socket, margin=_REACH)
    shapes.add_tube(
        bone, space, [place(172, 14, 14, 22.0), place(196, 2, -20, 15.0)], margin=_REACH
    )


def _spine_at(z: float) -> tuple[float, float]:
    middle, radius = shapes.profile(np.array([z], np.float32), SPINE)
    return float(middle.item()), float(radius.item())
