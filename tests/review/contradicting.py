"""A dataset in memory whose cases contradict themselves, or do not."""

import numpy as np

from napari_chest import findings
from napari_chest.datasets.base import Dataset
from napari_chest.errors import ReadError
from napari_chest.model import (
    CaseInfo,
    Grid,
    Mask,
    Question,
    Reading,
    SliceLabels,
    Volume,
    VolumeStream,
)

SHAPE = (12, 40, 60)
SPACING = (5.0, 4.0, 4.0)
CATEGORY = Question("category", "Severity category", tuple(f"CT-{k}" for k in range(5)))
EXAM = Question(
    "exam",
    "Exam labels",
    ("Typical", "Indeterminate", "Atypical", "Negative for pneumonia", "Mild (1-2 zones)"),
    several=True,
)
OPACITY = findings.OPACITY.segment(1, "GGO or consolidation")
AIR, TISSUE = -1000, 40


class Small(Dataset):
    """Cases by name; ``state`` is what is said, ``told`` what else is known of each."""

    name = "small"
    title = "Small"

    def __init__(self, root, state=None, told=None, marks=None, volumes=None, questions=None):
        super().__init__(root)
        self.state = state or {}
        self.told = told or {}
        self.marks = marks or {}
        self.volumes = volumes or {}
        self.opened = []
        self.read = []
        self._questions = questions or (CATEGORY, EXAM)

    @classmethod
    def missing(cls, root):
        return ["it lives in memory"]

    def cases(self):
        return [info(name) for name in self.state]

    @property
    def questions(self):
        return self._questions

    def about(self, case_id):
        return self.told.get(case_id, ())

    def annotations(self, case_id):
        return self.marks.get(case_id, ())

    def stream(self, case_id, first=None):
        self.opened.append(case_id)
        if case_id not in self.volumes:
            raise ReadError(case_id, "it has no image.")
        volume = self.volumes[case_id]
        return VolumeStream(volume, (z for z in range(volume.grid.shape[0])))

    def readings(self, case_id, at=None):
        self.read.append(case_id)
        found = self.state[case_id]
        if isinstance(found, Exception):
            raise found
        return found

    def problems(self, case_id=None):
        return []

    def annotation_files(self, at=None):
        return ()

    def write(self, case_id, readings, out):
        raise NotImplementedError

    def compare(self, before, after):
        raise NotImplementedError


def info(name, modality="CT", **facts):
    return CaseInfo(name, name, modality, facts)


def grid(shape=SHAPE, spacing=SPACING, *, mirrored=False, placed=True):
    """Axial; x of the display grows to the patient's left, or to the right where mirrored."""
    dz, dy, dx = spacing
    affine = np.eye(4)
    affine[:3, :3] = [[0, 0, -dx if mirrored else dx], [0, dy, 0], [-dz, 0, 0]]
    affine[0, 3] = -400.0  # far from 0: the middle has to be found, not taken for granted
    return Grid(shape, affine, tuple(map(str, range(shape[0]))), placed=placed)


def volume(**how):
    """A body with a lung on either side, of the display's left and right."""
    place = grid(**how)
    voxels = np.full(place.shape, AIR, np.int16)
    voxels[:, 4:36, 4:56] = TISSUE
    voxels[lungs() != 0] = -800
    return Volume(voxels, place, "CT")


def lungs(*, mirrored=False):
    """1 is the right lung: on the display's left, unless x is mirrored."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[1:11, 8:32, 8:26] = 2 if mirrored else 1
    labels[1:11, 8:32, 34:52] = 1 if mirrored else 2
    return labels


def mask(*boxes, name="opacities", segments=(OPACITY,), shape=SHAPE, value=1):
    """A mask with boxes of a value: (z, y, x) slices each."""
    labels = np.zeros(shape, np.uint8)
    for box in boxes:
        labels[box] = value
    return Mask(name, labels, segments)


def table(rows, columns=("infected",), any_column=None, depth=SHAPE[0]):
    """A slice table: display slice to the columns that are true there."""
    values = np.zeros((depth, len(columns)), bool)
    for z, named in rows.items():
        values[z, [columns.index(name) for name in named]] = True
    return SliceLabels(columns, values, any_column)


def reading(*masks, labels=None, reader="A", **answers):
    return Reading(reader, masks, labels, answers)
