"""From distances to Hounsfield units, one slice at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import ndimage

from napari_chest.phantom.patient import number_lobes

if TYPE_CHECKING:
    import numpy.typing as npt

    from napari_chest.phantom.disease import Opacities
    from napari_chest.phantom.patient import Patient, Trees
    from napari_chest.phantom.shapes import Floats, Resampler

AIR, PADDING = -1000, -1024
_NEAR = 6.0  # mm; fields further away than this everywhere in a plane are not painted


@dataclass(frozen=True)
class Hounsfield:
    """Mean Hounsfield units of what is painted."""

    skin: float = -10
    fat: float = -104
    muscle: float = 56
    gland: float = 25
    blood: float = 42
    heart: float = 46
    soft: float = 38
    liver: float = 62
    spleen: float = 52
    stomach: float = 28
    gas: float = -985
    cortex: float = 620
    marrow: float = 125
    cartilage: float = 105
    canal: float = 22
    lung: float = -872
    glass: float = -530
    solid: float = 28
    vessel: float = 40
    airway: float = -975


HU = Hounsfield()

HALF = 127
"""A voxel counts as diseased from this coverage on, of 255."""

TABLE = (  # sag at the edges, y in the middle, half thickness in mm, HU
    (55, 121, 6.0, -960),
    (55, 128, 0.7, -560),
    (68, 147, 1.3, -150),
)
SHEETS = ((13, 2.0, 0.5), (29, 13, 1.0))
"""Distance of a sheet of fat from the ribs' inside, how far it sways, half its thickness in mm."""


Box = Any
"""A part of an array: slices along (z, y, x), or ``...`` for the whole."""


class Painted(NamedTuple):
    """A slice: voxels in HU, lobe numbers and opacity numbers, (Y, X) each."""

    voxels: npt.NDArray[np.int16]
    lobes: npt.NDArray[np.uint8]
    opacity: npt.NDArray[np.uint8]


class Painter:
    """Paints the slices of one patient; several parts may be painted at the same time."""

    def __init__(
        self,
        patient: Patient,
        resampler: Resampler,
        trees: Trees,
        opacities: Opacities | None,
        seed: int,
    ) -> None:
        self.patient, self.resampler, self.trees = patient, resampler, trees
        self.opacities, self.seed = opacities, seed
        self.fields: dict[str, Floats] = {
            name: getattr(source, name)
            for source in (patient, patient.organs, patient.bones)
            for name in source.__dataclass_fields__
            if isinstance(getattr(source, name), np.ndarray)
        }
        self.boxes = {name: _box(resampler, values) for name, values in self.fields.items()}

    def paint(self, slices: slice) -> Painted:
        """Some neighbouring slices."""
        canvas = _Canvas(self, slices)
        canvas.paint_table()
        canvas.paint_body()
        canvas.paint_organs()
        lobes = canvas.paint_lungs()
        canvas.paint_skeleton()
        opacity = np.zeros_like(lobes)
        if self.opacities is not None:
            opacity[(self.opacities.glass[slices] > HALF) & (lobes > 0)] = 1
            opacity[(self.opacities.solid[slices] > HALF) & (lobes > 0)] = 2
        return Painted(canvas.finish(), lobes, opacity)


class _Canvas:
    """Some slices while they are painted: Hounsfield units, (Z, Y, X)."""

    def __init__(self, painter: Painter, slices: slice) -> None:
        self.painter, self.slices = painter, slices
        fine = painter.resampler.fine.part((slices, slice(None), slice(None)))
        self.at, self.y, self.x = fine.axes
        self.hu: Floats = np.full(fine.shape, AIR, np.float32)
        step = painter.resampler.fine.step[2]
        # The edge of a soft kernel, and of the voxel.
        self.step, self.edge = step, np.float32(np.hypot(step, 1.1))
        self.wobble = self.field("wobble")
        self.rng = np.random.default_rng((painter.seed, slices.start))
        self.grain = self.noise(1.2)

    def noise(self, scale: float) -> Floats:
        """Noise of unit variance that varies over ``scale`` mm within a slice."""
        blur = max(0.5, scale / self.step)
        white = self.rng.standard_normal(self.hu.shape, dtype=np.float32)
        soft: Floats = ndimage.gaussian_filter(white, (0, blur, blur), mode="wrap", truncate=2.5)
        # White noise loses this much to a Gaussian.
        soft *= np.float32(2 * np.sqrt(np.pi) * blur)
        return soft

    def field(self, name: str, box: Box | None = None) -> Floats:
        """A field of distances over the slices, or in a box of the whole picture."""
        box = box or (self.slices, slice(None), slice(None))
        return self.painter.resampler.show(self.painter.fields[name], box)

    def cover(self, distance: Floats) -> Floats:
        """How much of each voxel lies inside, 0 to 1."""
        inside: Floats = np.clip(np.float32(0.5) - distance / self.edge, 0, 1)
        return inside

    def mix(self, value: Floats | float, amount: Floats, box: Box = ...) -> None:
        part = self.hu[box]
        part += amount * (np.asarray(value, np.float32) - part)

    def fill(self, name: str, value: float, mottle: float = 0.0) -> None:
        """Paint an organ whose Hounsfield units vary by ``mottle``."""
        found = self.near(name)
        if found is not None:
            box, distance = found
            self.mix(value + mottle * self.wobble[box], self.cover(distance), box)

    def near(self, name: str) -> tuple[Box, Floats] | None:
        """Where in the slices an organ may be, and its distances there."""
        planes, rows, columns = self.painter.boxes[name]
        first, last = max(planes.start, self.slices.start), min(planes.stop, self.slices.stop)
        if first >= last or not rows.stop > rows.start or not columns.stop > columns.start:
            return None
        distance = self.painter.resampler.show(
            self.painter.fields[name], (slice(first, last), rows, columns)
        )
        offset = self.slices.start
        return (slice(first - offset, last - offset), rows, columns), distance

    def paint_table(self) -> None:
        for sag, middle, thick, value in TABLE:
            line = np.abs(self.y - (middle + 6 - sag * (self.x / 175) ** 2)) - thick
            self.mix(value, self.cover(line))

    def paint_body(self) -> None:
        skin, cavity = self.field("body"), self.field("cavity")
        self.depth = np.clip(-skin, 0, None)
        self.mix(HU.skin, self.cover(skin))
        self.mix(HU.fat + 5 * self.wobble, self.cover(skin + 1.8))
        layer = 0.75 * self.painter.patient.build.fat + 1.5 * self.wobble
        lean = self.field("lean")
        muscle = np.maximum(cavity - self.muscle_reach(), skin + layer)
        muscle = self.cover(np.maximum(muscle, self.axilla() + 6 * lean + 2 * self.wobble))
        muscle = muscle * (1 - self.septa(cavity, lean))
        wall = self.cover(cavity - 9 - 1.5 * self.wobble)
        self.mix(HU.muscle + 4 * self.wobble, np.maximum(muscle, wall))
        if self.painter.patient.build.breasts:
            self.mix(HU.gland, self.glands(skin, cavity, lean))
        # Above the lungs the neck's muscles go on to the spine.
        self.mix(HU.fat, self.cover(cavity) * np.clip((self.at - 22) / 12, 0, 1))

    def glands(self, skin: Floats, cavity: Floats, lean: Floats) -> Floats:
        """How much of each voxel is glandular tissue of the breasts, 0 to 1."""
        within = self.cover(24 - cavity + 5 * lean) * self.cover(skin + 9)
        front = np.clip((-self.y - 85) / 12, 0, 1) * np.clip(2.3 - np.abs(self.at - 172) / 25, 0, 1)
        strands: Floats = within * front * np.clip(0.25 + 0.55 * self.wobble + 0.15 * lean, 0, 0.8)
        return strands

    def axilla(self) -> Floats:
        """Positive in the hollow under the shoulder, which fat fills."""
        across, along = (np.abs(self.x) - 119) / 19, (self.y + 14) / 25
        height = (self.at - 82) / 48
        hollow: Floats = 11 * (1 - across**2 - along**2 - height**4)
        return np.maximum(hollow, -20)

    def muscle_reach(self) -> Floats:
        """How far outside the ribs there is muscle, mm: thick at the shoulders and by the spine."""
        across = np.abs(self.x)
        shoulder = np.clip((150 - self.at) / 85, 0, 1)
        side = np.clip((across - 60) / 50, 0, 1)
        chest = 22 * shoulder * np.clip(-self.y / 50, 0, 1) * np.clip(2 - across / 60, 0.4, 1)
        back = 26 * np.exp(-(((across - 26) / 24) ** 2)) * np.clip(self.y / 60, 0, 1)
        neck = 45 * np.clip((75 - self.at) / 50, 0, 1)
        reach: Floats = 13 + neck + 75 * shoulder * side + chest + back + 2.5 * self.wobble
        return reach

    def septa(self, cavity: Floats, lean: Floats) -> Floats:
        """Sheets of fat between and within the muscles of the chest wall, 0 to 1."""
        sheets = np.zeros_like(cavity)
        for distance, sway, thick in SHEETS:
            line = np.abs(cavity - distance - sway * lean) - thick - 0.5 * self.wobble
            sheets = np.maximum(sheets, self.cover(line))
        strands = self.cover(np.abs(lean + 0.6 * self.wobble) * 18 - 0.3)
        return np.maximum(sheets, strands * np.clip((cavity - 11) / 4, 0, 1)) * 0.85

    def paint_organs(self) -> None:
        self.fill("soft", HU.soft, 3)
        self.fill("heart", HU.heart, 3)
        self.fill("vessels", HU.blood)
        self.fill("liver", HU.liver, 3)
        self.fill("spleen", HU.spleen)
        self.fill("stomach", HU.stomach, 8)
        self.fill("gas", HU.gas)
        self.fill("lumen", HU.gas)

    def paint_lungs(self) -> npt.NDArray[np.uint8]:
        """Paint the lungs with what is in them and return the lobe numbers."""
        lobes = np.zeros(self.hu.shape, np.uint8)
        found = self.near("lung")
        if found is None:
            return lobes
        box, lung = found
        planes = slice(box[0].start + self.slices.start, box[0].stop + self.slices.start)
        whole = (planes, *box[1:])
        oblique, horizontal = (self.field(name, whole) for name in ("oblique", "horizontal"))
        x = self.painter.resampler.fine.x[box[2]]
        lobes[box] = number_lobes(x, lung, oblique, horizontal)
        tissue: Floats = HU.lung + 0.22 * self.y[:, box[1]] + 9 * self.wobble[box]
        tissue = tissue + self.fissures(oblique, horizontal, box, x)
        tissue = self.diseased(tissue, box, whole)
        for volume, value in (
            (self.painter.trees.vessels, HU.vessel),
            (self.painter.trees.airways, HU.airway),
        ):
            tissue += volume[whole] * np.float32(1 / 255) * (np.float32(value) - tissue)
        self.mix(tissue, self.cover(lung), box)
        return lobes

    def fissures(self, oblique: Floats, horizontal: Floats, box: Box, x: Floats) -> Floats:
        """What the fissures add to the lung, HU."""
        width = self.edge * np.float32(0.75)
        line = np.exp(-((oblique / width) ** 2))
        middle = np.exp(-((horizontal / width) ** 2)) * ((oblique < 0) & (x < 0))
        faint = np.clip(0.75 + 0.4 * self.wobble[box], 0.2, 1)
        added: Floats = 80 * faint * np.maximum(line, 0.7 * middle)
        return added

    def diseased(self, tissue: Floats, box: Box, whole: Box) -> Floats:
        found = self.painter.opacities
        if found is None:
            return tissue
        mesh, wobble = 75 * self.grain[box], self.wobble[box]
        glass = found.glass[whole] * np.float32(1 / 255)
        tissue = tissue + glass * (HU.glass + 40 * wobble + mesh - tissue)
        solid = found.solid[whole] * np.float32(1 / 255)
        return tissue + solid * (HU.solid + 14 * wobble + 0.3 * mesh - tissue)

    def paint_skeleton(self) -> None:
        self.fill("cartilage", HU.cartilage)
        found = self.near("bone")
        if found is not None:
            box, bone = found
            self.mix(HU.cortex, self.cover(bone), box)
            spongy = HU.marrow + 16 * self.grain[box] + 25 * self.wobble[box]
            self.mix(spongy, self.cover(bone + 1.9) * 0.95, box)
        self.fill("canal", HU.canal)

    def finish(self) -> npt.NDArray[np.int16]:
        """The picture with the noise of the scanner."""
        strength = 8 + 15 * np.clip(self.depth / 110, 0, 1)
        # Little gets through the shoulders from side to side.
        streaks = np.clip(1 - self.at / 60, 0, None)
        if streaks.any():
            rows = self.rng.standard_normal(self.hu.shape, dtype=np.float32)
            rows = ndimage.gaussian_filter(rows, (0, 0.7, 14), mode="wrap")
            self.hu += 130 * streaks * rows * (self.depth > 0)
        picture = self.hu + strength * self.noise(0.95)
        return np.clip(np.rint(picture), PADDING, 3071).astype(np.int16)


def _box(resampler: Resampler, values: Floats) -> tuple[slice, slice, slice]:
    """The part (z, y, x) of the fine grid outside of which a field is far from its organ."""
    near = values < _NEAR
    spans = []
    for axis, (coarse, fine) in enumerate(
        zip(resampler.coarse.shape, resampler.fine.shape, strict=True)
    ):
        others = tuple(other for other in range(3) if other != axis)
        found = np.flatnonzero(near.any(axis=others))
        if not len(found):
            return slice(0, 0), slice(0, 0), slice(0, 0)
        # One coarse voxel more on both sides, for the edge's sake.
        first, last = (found[0] - 1) / coarse, (found[-1] + 2) / coarse
        spans.append(slice(max(0, int(first * fine)), min(fine, int(last * fine) + 1)))
    return spans[0], spans[1], spans[2]
