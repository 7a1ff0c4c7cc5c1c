"""The words of napari-chest as frozen values: arrays are read-only and know nothing of files.

Display arrays are ``(Z, Y, X)``, slices first. For axial CT, z grows from head to feet, y from
front to back and x from the patient's right to left, so that the axial view stands in the
radiological convention. Patient coordinates are millimetres in LPS (DICOM PS3.3 C.7.6.2.1.1): x
grows to the patient's left, y to the back, z to the head.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    import numpy.typing as npt

Modality = Literal["CT", "CR", "DX"]
Level = Literal["error", "warning", "note"]
Calibration = Literal["patient", "detector", "unknown"]
A = TypeVar("A", bound="npt.NDArray[Any]")


class Window(NamedTuple):
    """A grey window: the centre and the full width of the range that is shown, in HU for CT."""

    center: float
    width: float

    @property
    def limits(self) -> tuple[float, float]:
        """The darkest and the brightest value."""
        return self.center - self.width / 2, self.center + self.width / 2


@dataclass(frozen=True)
class Problem:
    """Something a person should know before working on a case.

    Attributes
    ----------
    level : ``error`` when something cannot be shown or saved, ``warning`` when what is shown may
        mislead, ``note`` for the rest.
    text : one sentence that names what was found and what follows.
    files : names of the files concerned, relative to the dataset's root or the case's folder.
    """

    level: Level
    text: str
    files: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.files:
            return f"{self.level}: {self.text}"
        shown = ", ".join(self.files[:5])
        more = f" and {len(self.files) - 5} more" if len(self.files) > 5 else ""
        return f"{self.level}: {self.text} ({shown}{more})"


@dataclass(frozen=True)
class Stored:
    """How the display array maps to the stored one, by permutation and flips only.

    Attributes
    ----------
    axes : display axis ``i`` is stored axis ``axes[i]``.
    flipped : whether display axis ``i`` runs against its stored axis.
    """

    axes: tuple[int, int, int] = (0, 1, 2)
    flipped: tuple[bool, bool, bool] = (False, False, False)


@dataclass(frozen=True, eq=False)
class Grid:
    """Where the voxels of a volume lie in the patient.

    Attributes
    ----------
    shape : (Z, Y, X).
    affine : (4, 4) float64; maps the display voxel centre ``(z, y, x, 1)`` to patient mm, LPS.
        A gantry tilt is kept as its shear.
    slice_ids : one name per slice, unique within the volume. For DICOM the SOP Instance UID where
        every slice has its own, else the file name.
    stored : how the display array maps to the stored one.
    placed : False when the files do not say where the voxels lie; positions and orientation are
        then unknown and the affine only carries the spacing.
    calibration : where the spacing was measured: in the patient; at the detector of a radiograph,
        where the patient is magnified; or ``unknown``, when the affine's unit is one voxel.
    """

    shape: tuple[int, int, int]
    affine: npt.NDArray[np.float64]
    slice_ids: tuple[str, ...]
    stored: Stored = field(default_factory=Stored)
    placed: bool = True
    calibration: Calibration = "patient"

    def __post_init__(self) -> None:
        object.__setattr__(self, "affine", _read_only_view(self.affine))

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Distances between voxel centres along (z, y, x) in mm."""
        dz, dy, dx = (float(v) for v in np.linalg.norm(self.affine[:3, :3], axis=0))
        return dz, dy, dx

    def position(self, z: float, y: float, x: float) -> npt.NDArray[np.float64]:
        """Patient position of a display voxel, (3,) LPS mm."""
        position: npt.NDArray[np.float64] = (self.affine @ (z, y, x, 1.0))[:3]
        return position


@dataclass(frozen=True, eq=False)
class Volume:
    """Voxels and where they lie; a radiograph is a volume with Z = 1.

    Attributes
    ----------
    voxels : (Z, Y, X), read-only. CT: int16 Hounsfield units. Radiographs: stored values.
    grid : the voxels' grid.
    modality : DICOM modality.
    window : the file's own window, if it has one.
    inverted : True when small values are meant to be shown bright (MONOCHROME1).
    """

    voxels: npt.NDArray[np.generic]
    grid: Grid
    modality: Modality
    window: Window | None = None
    inverted: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "voxels", _read_only_view(self.voxels))


@dataclass(frozen=True, eq=False)
class VolumeStream:
    """A volume whose slices arrive one after another.

    ``volume`` is whole from the start but for its voxels: a slice shows air until its index has
    come out of ``slices``. Exhaust ``slices`` to complete it; close it to stop early and free its
    files. Iterating may raise `ReadError` where nothing of the volume can be read; a slice that
    alone cannot be read stays air and is listed in ``problems`` once ``slices`` is exhausted.
    """

    volume: Volume
    slices: Generator[int, None, None]
    problems: list[Problem] = field(default_factory=list)

    def complete(self) -> Volume:
        """Read every remaining slice and return the volume."""
        for _ in self.slices:
            pass
        return self.volume


@dataclass(frozen=True)
class Segment:
    """One structure in a mask.

    Attributes
    ----------
    value : its number in the mask, 1 or more.
    name : what a person calls it.
    color : ``#RRGGBB``.
    code : short code shown where colours do not suffice, such as ``GG``.
    """

    value: int
    name: str
    color: str
    code: str = ""


@dataclass(frozen=True, eq=False)
class Mask:
    """One label image on the case's grid.

    Attributes
    ----------
    name : what the mask shows; unique within a reading.
    labels : (Z, Y, X) uint8 or uint16, read-only; 0 is background.
    segments : the structures, one per value.
    splits : name of the mask of the same reading that this one tells apart: that one is 1 exactly
        where this one is not 0. Only this one is edited then.
    aid : whether the mask only helps with the work, as the lungs do; it is never written to a
        dataset.
    """

    name: str
    labels: npt.NDArray[np.unsignedinteger]
    segments: tuple[Segment, ...]
    splits: str | None = None
    aid: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", _read_only_view(self.labels))


@dataclass(frozen=True)
class MaskOffer:
    """A mask that a person may add to a reading.

    Attributes
    ----------
    text : what adding it does, as on a button: ``Split into ground glass and consolidation``.
    name : name of the mask.
    segments : its structures.
    splits : name of the mask of the reading that the new one tells apart, if it does. The new mask
        then begins with its last segment wherever that one is not 0; otherwise it begins empty.
    """

    text: str
    name: str
    segments: tuple[Segment, ...]
    splits: str | None = None


@dataclass(frozen=True, eq=False)
class SliceLabels:
    """A yes/no table about the slices of a volume.

    Attributes
    ----------
    columns : what is asked of each slice.
    values : (Z, C) bool, read-only; row z is display slice z.
    any_column : the column that is true exactly where any other is, if the dataset has such a one.
    """

    columns: tuple[str, ...]
    values: npt.NDArray[np.bool_]
    any_column: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", _read_only_view(self.values))

    def with_values(self, values: npt.NDArray[np.bool_]) -> SliceLabels:
        """The same table with other values, (Z, C) bool."""
        return SliceLabels(self.columns, values.copy(), self.any_column)


@dataclass(frozen=True)
class Question:
    """Something asked of a case as a whole.

    Attributes
    ----------
    key : its name in answers and files.
    text : what a person is asked.
    choices : the possible answers.
    several : whether more than one choice may hold at once.
    topic : what it asks, where other readers are asked the same under another key; the key
        otherwise.
    """

    key: str
    text: str
    choices: tuple[str, ...]
    several: bool = False
    topic: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "topic", self.topic or self.key)


@dataclass(frozen=True, eq=False)
class Reading:
    """Everything one reader says about one case.

    Attributes
    ----------
    reader : who said it.
    masks : label images on the case's grid.
    slice_labels : the slice table, or None where this reader labelled no slices. A table that is
        False throughout says that every slice was found negative.
    answers : question key to the chosen answers.
    """

    reader: str
    masks: tuple[Mask, ...] = ()
    slice_labels: SliceLabels | None = None
    answers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class CaseInfo:
    """What a work list shows of a case; cheap to make, no image is opened.

    Attributes
    ----------
    id : unique in the dataset and stable between sessions.
    title : what a person calls the case.
    modality : DICOM modality.
    facts : what is known of the case, in the order to show it.
    """

    id: str
    title: str
    modality: Modality
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FactGroup:
    """A few things known of a case that belong together, such as its tests over time.

    Attributes
    ----------
    title : what they are.
    rows : name and text of each; the name may be empty, and blanks before it are its depth in a
        tree.
    """

    title: str
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Annotation:
    """One mark of a reader on one slice, as the dataset keeps it.

    Attributes
    ----------
    slice : display slice, from 0.
    reader : who made it.
    label : what it marks.
    text : what else is said of it: its kind, its author's note.
    box : first and last row, then first and last column that it touches, in voxels.
    color : of the label, ``#RRGGBB``.
    """

    slice: int
    reader: str
    label: str
    text: str
    box: tuple[int, int, int, int]
    color: str


def _read_only_view(array: A) -> A:
    # A view, so that whoever fills a streaming volume keeps the one writable handle to it.
    view = array.view()
    view.flags.writeable = False
    return view
