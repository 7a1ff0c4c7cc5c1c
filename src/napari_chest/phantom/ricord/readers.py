"""What the readers of the synthetic RICORD-1A drew and said, and where they erred."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_chest.phantom.ricord.cases import (
    ATELECTASIS,
    FINDINGS,
    GROUPS,
    HANDS,
    MICRONODULES,
    NAMES,
    NEGATIVE,
    NODULE,
    OPACITY,
    STUDY_LABELS,
)
from napari_chest.phantom.ricord.drawing import covered, draw, spots
from napari_chest.phantom.ricord.project import Label, Place, Project
from napari_chest.phantom.ricord.truth import ReadingTruth, RicordMistake, RingTruth

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy.typing as npt

    from napari_chest.phantom.ricord.cases import CtStudy, Person
    from napari_chest.phantom.ricord.ct import Ct
    from napari_chest.phantom.ricord.project import Age, Row
    from napari_chest.phantom.ricord.truth import MistakeKind

    Mask = npt.NDArray[np.bool_]

ADJUDICATION = "Adjudication Group"
SHAPES = {
    "Extent": "bbox",
    "Trace": "polygon",
    "Largest diameter": "line",
    "Carina": "location",
    "Whole lesion": "mask",
    "Sphere": "sphere",
}
"""The labels of further shapes, which only the adjudication has; ``sphere`` is a mode of no one."""

WRONG_SERIES = "Wrong series"
GONE = "L_gone99"
"""Id of a label that no group has."""

_AGES: dict[Person, Age] = {"P1": "2020", "P2": "2020", "O1": "later", "A1": "oddest", "": "later"}
_NOTES = (
    "motion at bases",
    'see "prior", slice 12\\13\nübernommen ≈ 2 cm',
    "fraglich\u2028👀 </script>",
)
_EVERY = 3  # slices; on one in so many the largest spot is drawn as two rings that overlap
_LARGE = 40  # pixels of a spot that is
_SHARED = 2  # pixels on either side of the middle that both rings have
_SMALL = 25  # pixels up to which somebody calls a spot micronodules


class Readers:
    """Readers at work in a project.

    Parameters
    ----------
    seed : same seed, same drawings.

    Attributes
    ----------
    project : what they made so far.
    mistakes : where they erred so far.
    readings : everybody's work on every study so far.
    """

    def __init__(self, seed: int) -> None:
        self.project = Project("Synthetic RICORD-1A", np.random.default_rng((seed, 5)))
        self.rng = np.random.default_rng((seed, 6))
        self.mistakes: list[RicordMistake] = []
        self.readings: list[Reading] = []
        _add_groups(self.project)

    def read(self, study: CtStudy, ct: Ct) -> None:
        """Let everybody draw in a study and answer about it, as the tables say."""
        self.project.studies.append(
            {"StudyInstanceUID": ct.uid, "number": len(self.project.studies) + 1}
        )
        for group, people in GROUPS.items():
            for person in people:
                reading = Reading(self, study, ct, person, group)
                self.readings.append(reading)
                if person in study.drawn:
                    reading.draw()
                if person in study.answered:
                    reading.answer()

    def reading(self, ct: Ct, person: Person) -> Reading:
        """The work of a person on a study."""
        return next(one for one in self.readings if one.ct is ct and one.person == person)

    def shuffle(self) -> None:
        """Bring the annotations into the order in which a database returns them: none."""
        rows = self.project.rows
        self.project.rows = [rows[n] for n in self.rng.permutation(len(rows))]

    def truth(self, ct: Ct) -> tuple[ReadingTruth, ...]:
        """What was drawn in a study and said of it, in the order of the annotations."""
        order = {row["id"]: place for place, row in enumerate(self.project.rows)}
        found = [one.truth(order) for one in self.readings if one.ct is ct]
        return tuple(truth for truth in found if truth.rings or truth.answers)


class Reading:
    """One person's work on one study."""

    def __init__(
        self, readers: Readers, study: CtStudy, ct: Ct, person: Person, group: str
    ) -> None:
        self.readers, self.study, self.ct = readers, study, ct
        self.person, self.group = person, group
        self.project = readers.project
        self.rings: list[RingTruth] = []
        self.answers: list[tuple[str, str]] = []
        self.patches: list[tuple[str, int, Mask]] = []

    def annotate(
        self,
        label: str,
        place: Place,
        data: Row | None = None,
        *,
        note: str | None = None,
        parent: str | None = None,
    ) -> Row:
        """Add an annotation of a label of the person's group."""
        return self.project.annotate(
            self.project.labels[self.group, label],
            place,
            self.person or None,
            data,
            note=note,
            parent=parent,
            age=_AGES[self.person],
            group=self.project.group_id(self.group),
        )

    def place(self, z: int) -> Place:
        """A slice of the axial series."""
        axial = self.ct.axial
        _, rows, columns = axial.voxels.shape
        return Place(self.ct.uid, axial.uid, axial.sops[z], (rows, columns))

    def ring(self, label: str, z: int, spot: Mask) -> None:
        """Draw around a spot (Y, X) of a slice."""
        vertices = draw(spot, HANDS[self.person], self.readers.rng)
        row = self.annotate(label, self.place(z), {"vertices": vertices.tolist()})
        self.rings.append(RingTruth(row["id"], label, z, vertices))

    def draw(self) -> None:
        """Draw all rings of the study."""
        missed = self._missed()
        for z, opacity in enumerate(self.ct.chest.opacity):
            if z != missed:
                for label, spot in self._spots(z, opacity):
                    self.ring(label, z, spot)
        if self.study.planned and self.person == "P1":
            self._draw_falsely()

    def _spots(self, z: int, opacity: npt.NDArray[np.uint8]) -> Iterator[tuple[str, Mask]]:
        hand = HANDS[self.person]
        found = sorted(spots(opacity > 0, hand.least), key=lambda spot: -int(spot.sum()))
        for rank, spot in enumerate(found):
            area = int(spot.sum())
            if self.person == "P2" and area <= _SMALL:
                yield MICRONODULES, spot
            elif rank == 0 and area >= _LARGE and z % _EVERY == 0:
                yield from ((OPACITY, half) for half in _halves(spot))
            else:
                yield OPACITY, spot
        if self.person == "O1":
            if self.study.planned:
                yield from ((ATELECTASIS, spot) for spot in spots(opacity == 2, 2 * hand.least))
            yield from ((NODULE, spot) for spot in spots(self.ct.nodule[z]))

    def _missed(self) -> int | None:
        """The slice that is left out by mistake: the fullest between two that are drawn in."""
        if not self.study.planned or self.person != "O1":
            return None
        opacity = self.ct.chest.opacity > 0
        least = HANDS[self.person].least
        spotted = np.array([any(True for _ in spots(plane, least)) for plane in opacity])
        between = np.zeros_like(spotted)
        between[1:-1] = spotted[:-2] & spotted[1:-1] & spotted[2:]
        if not between.any():
            return None
        z = int(np.where(between, opacity.sum(axis=(1, 2)), 0).argmax())
        voxels = np.zeros_like(opacity)
        voxels[z] = opacity[z]
        text = "The opacities of a slice are not drawn; those of its neighbours are."
        self._err("missing slice", OPACITY, (z,), voxels, "nothing", OPACITY, text)
        return z

    def _draw_falsely(self) -> None:
        """Draw a ring where nothing is."""
        chest = self.ct.chest
        counts = ((chest.lobes > 0) & (chest.opacity == 0)).sum(axis=(1, 2))
        z = int(counts.argmax())
        spot = _healthy_spot(chest.lobes[z], chest.opacity[z])
        self.ring(OPACITY, z, spot)
        voxels = np.zeros(chest.lobes.shape, np.bool_)
        voxels[z] = covered([self.rings[-1].vertices], (spot.shape[0], spot.shape[1]))
        text = "A ring lies over healthy lung."
        self._err("false ring", OPACITY, (z,), voxels, OPACITY, "nothing", text)

    def answer(self) -> None:
        """Give the study its labels."""
        said = self.study.answered[self.person] or self.study.labels
        rows: dict[str, Row] = {}
        for number, label in enumerate(said):
            parent = rows.get(STUDY_LABELS[label] or "", {}).get("id")
            note = _NOTES[len(self.project.rows) % len(_NOTES)] if number == 1 else None
            rows[label] = self.annotate(label, Place(self.ct.uid), parent=parent, note=note)
            self.answers.append((rows[label]["id"], label))
        if NEGATIVE in said and NEGATIVE not in self.study.labels:
            text = "The study is called negative; there are opacities on many slices."
            true = ", ".join(self.study.labels)
            self._err("wrong exam label", NEGATIVE, (), None, NEGATIVE, true, text)

    def _err(
        self,
        kind: MistakeKind,
        label: str,
        slices: tuple[int, ...],
        voxels: Mask | None,
        said: str,
        true: str,
        text: str,
    ) -> None:
        creator = self.project.people[self.person]
        self.readers.mistakes.append(
            RicordMistake(
                self.ct.uid, kind, self.group, creator, label, slices, voxels, said, true, text
            )
        )

    def truth(self, order: Mapping[str, int]) -> ReadingTruth:
        """What was drawn and said, in the order of the annotations' ids."""
        shape = self.ct.chest.opacity.shape
        masks: dict[str, Mask] = {}
        covers = [(ring.label, ring.z, covered([ring.vertices], shape[1:])) for ring in self.rings]
        for label, z, cover in covers + self.patches:
            masks.setdefault(label, np.zeros(shape, np.bool_))[z] |= cover
        return ReadingTruth(
            self.group,
            self.project.group_id(self.group),
            self.project.people.get(self.person, ""),
            tuple(sorted(self.rings, key=lambda ring: order[ring.annotation])),
            masks,
            tuple(label for _, label in sorted(self.answers, key=lambda said: order[said[0]])),
        )


def _add_groups(project: Project) -> None:
    for key, name in NAMES.items():
        project.add_person(key, name)
    labels = [Label(name, "INSTANCE", "freeform") for name in FINDINGS]
    labels += [Label(name, "STUDY", parent=parent) for name, parent in STUDY_LABELS.items()]
    labels.append(Label(WRONG_SERIES, "SERIES"))
    shapes = [Label(name, "INSTANCE", mode) for name, mode in SHAPES.items()]
    for group in GROUPS:
        project.add_group(group, labels + shapes if group == ADJUDICATION else labels)


def _halves(spot: Mask) -> Iterator[Mask]:
    """The left and the right part of a spot (Y, X), which share its middle."""
    columns = np.arange(spot.shape[1])
    middle = float(np.median(np.nonzero(spot)[1]))
    for side in (columns <= middle + _SHARED, columns >= middle - _SHARED):
        yield max(spots(spot & side), key=lambda part: int(part.sum()))


def _healthy_spot(lobes: npt.NDArray[np.uint8], opacity: npt.NDArray[np.uint8]) -> Mask:
    """A round spot in the middle of the healthy lung of a slice (Y, X)."""
    healthy = (lobes > 0) & (opacity == 0)
    depth = ndimage.distance_transform_edt(np.pad(healthy, 1))[1:-1, 1:-1]
    middle = np.unravel_index(depth.argmax(), depth.shape)
    y, x = (np.arange(n) - at for n, at in zip(healthy.shape, middle, strict=True))
    spot: Mask = np.hypot(y[:, None], x) < 0.6 * depth.max()
    return spot
