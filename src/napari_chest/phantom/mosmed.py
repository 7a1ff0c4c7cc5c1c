"""A synthetic dataset laid out as MosMedData COVID19_1110 is published, quirks included.

Studies in folders of their category, binary masks for a few of them that lack nothing but the
kind of opacity, and a registry whose paths begin with a slash. Masks and categories come from the
phantom's truth but for a few `MosMedMistake` values, which are what a reviewer should find.
"""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import ndimage

from napari_chest.phantom.chest import Chest, make_chest
from napari_chest.phantom.folder import made_whole, seed_of
from napari_chest.phantom.nifti import nifti_file, nifti_header, stored_axially
from napari_chest.phantom.patient import LOBES
from napari_chest.phantom.shapes import EXTENT
from napari_chest.phantom.workbook import workbook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    from napari_chest.phantom.patient import Sex

Category = Literal["CT-0", "CT-1", "CT-2", "CT-3", "CT-4"]
MistakeKind = Literal["false patch", "missing lesion", "category", "missing mask"]

SPACING = 8.0
"""mm between slices: every tenth of a series of 0.8 mm was published."""

LIMITS: dict[Category, float] = {"CT-0": 0.0, "CT-1": 0.25, "CT-2": 0.5, "CT-3": 0.75, "CT-4": 1.0}
"""The largest share of the lungs with opacity in each category."""

_REGISTRY = "dataset_registry.xlsx"
_SHEET = "MosMedData COVID19_1110"
_HEADER = ("study_id", "category", "study_file", "mask_file")
_MIDDLE = (0.0, -130.0, -820.0)  # x, y, z of every volume's middle in the patient, RAS+ mm
_PATCH = 13.0  # largest radius of a false patch, mm
_TRIES = 8

_LICENSE = """These images show no patient. A program made them up so that software can be tried on
a dataset that is laid out as MosMedData COVID19_1110. Do with them what you like.
"""
_README = """# Synthetic chest CT, laid out as MosMedData COVID19_1110

`studies` holds chest CT as NIfTI in one folder per category, CT-0 (no opacity) to CT-4 (more than
three quarters of the lungs). `masks` holds 1 where there is ground glass or consolidation.
`dataset_registry.xlsx` lists both. A few errors are in it on purpose.
"""


@dataclass(frozen=True)
class MosMedCase:
    """One study of the synthetic dataset.

    Attributes
    ----------
    number : of the study.
    category : that its folder and the registry say.
    share : about how much of the lungs has opacity.
    mask : whether there is a mask, none, or none though the registry promises one.
    consolidated : share of the opacities that are consolidations.
    lobes : the lobes that may have disease.
    sex : of the patient.
    true_category : the right category, where it is not the one said.
    wrong_mask : whether the mask has mistakes.
    """

    number: int
    category: Category
    share: float
    mask: Literal["there", "none", "promised"] = "none"
    consolidated: float = 0.2
    lobes: tuple[str, ...] = LOBES
    sex: Sex = "M"
    true_category: Category | None = None
    wrong_mask: bool = False


@dataclass(frozen=True, eq=False)
class StudyTruth:
    """What is true of one study, whatever its mask and its folder say.

    Attributes
    ----------
    case : the description it was made from.
    study : its file.
    mask : the file of its mask, or None where there is none.
    category : the right category.
    lobes : (Z, Y, X) uint8 in display order; 0 outside, 1 to 5 as LLL, LUL, RLL, RML, RUL.
    opacity : (Z, Y, X) uint8 in display order; 0 none, 1 ground glass, 2 consolidation.
    spacing : (z, y, x) mm.
    """

    case: MosMedCase
    study: Path
    mask: Path | None
    category: Category
    lobes: npt.NDArray[np.uint8]
    opacity: npt.NDArray[np.uint8]
    spacing: tuple[float, float, float]

    @property
    def share(self) -> float:
        """How much of the lungs has opacity, 0 to 1."""
        return _share(self.lobes, self.opacity)


@dataclass(frozen=True, eq=False)
class MosMedMistake:
    """A deliberate error in the dataset.

    Attributes
    ----------
    number : of the study.
    kind : what is wrong.
    slices : display slices, 0 at the head; none where a whole study is concerned.
    voxels : (Z, Y, X) bool; where the mask is wrong. None where no mask is.
    said, true : what the dataset says and what is right.
    text : one sentence about it.
    """

    number: int
    kind: MistakeKind
    slices: tuple[int, ...]
    voxels: npt.NDArray[np.bool_] | None
    said: str
    true: str
    text: str


@dataclass(frozen=True, eq=False)
class MosMedPhantom:
    """A synthetic dataset on disk and what is true of it.

    Attributes
    ----------
    root : the folder to open.
    studies : the truth of each study, in the order of their numbers.
    mistakes : where the dataset departs from the truth.
    """

    root: Path
    studies: tuple[StudyTruth, ...]
    mistakes: tuple[MosMedMistake, ...]

    def study(self, number: int) -> StudyTruth:
        """The truth of the study with this number."""
        return next(truth for truth in self.studies if truth.case.number == number)


CASES = (
    MosMedCase(12, "CT-0", 0.0, sex="F"),
    MosMedCase(255, "CT-1", 0.08, "there", lobes=("LUL", "RLL", "RUL"), wrong_mask=True),
    MosMedCase(256, "CT-1", 0.13, "there", 0.4, sex="F"),
    MosMedCase(257, "CT-1", 0.36, "there", true_category="CT-2"),
    MosMedCase(258, "CT-1", 0.04, "there", 0.6, lobes=("RLL",), sex="F"),
    MosMedCase(305, "CT-1", 0.06, "promised", lobes=("LLL", "RLL")),
    MosMedCase(940, "CT-2", 0.36, sex="F"),
    MosMedCase(1070, "CT-3", 0.62, consolidated=0.3),
    MosMedCase(1109, "CT-4", 0.87, consolidated=0.5),
)


def make_mosmed(
    root: Path | str,
    shape: tuple[int, int, int] = (40, 256, 256),
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> MosMedPhantom:
    """Write a synthetic dataset laid out as MosMedData COVID19_1110; return what is true of it.

    Parameters
    ----------
    root : the dataset's folder, which must be empty or not exist.
    shape : (Z, Y, X) of every study; slices lie 8 mm apart whatever their number.
    seed : same seed, same bytes.
    progress : called after each study with the number of studies done and their total.

    Raises
    ------
    SaveError
        when the folder holds anything: two datasets would mix, and it may be real data.
    """
    root = Path(root)
    studies: list[StudyTruth] = []
    mistakes: list[MosMedMistake] = []
    with made_whole(root, last=_REGISTRY) as partial:
        for truth, found in _write_studies(partial, root, shape, seed):
            studies.append(truth)
            mistakes.extend(found)
            if progress is not None:
                progress(len(studies), len(CASES))
        _write_registry(partial)
        (partial / "LICENSE").write_bytes(_LICENSE.encode())
        (partial / "README_EN.md").write_bytes(_README.encode())
    return MosMedPhantom(root, tuple(studies), tuple(mistakes))


def _write_studies(
    folder: Path, root: Path, shape: tuple[int, int, int], seed: int
) -> Iterator[tuple[StudyTruth, list[MosMedMistake]]]:
    """The truth of each study and its mistakes, once its files are written."""
    for name in ("masks", *(f"studies/{category}" for category in LIMITS)):
        (folder / name).mkdir(parents=True)
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        waiting: tuple[StudyTruth, list[MosMedMistake], list[Future[int]]] | None = None
        for number, case in enumerate(CASES):
            own_seed = seed_of(seed, number)
            chest = _chest(case, shape, own_seed)
            if waiting is not None:
                yield _finished(*waiting)
            # Written while the next chest is made.
            waiting = _write_study(pool, folder, root, case, chest, own_seed)
        if waiting is not None:
            yield _finished(*waiting)


def _finished(
    truth: StudyTruth, mistakes: list[MosMedMistake], writes: list[Future[int]]
) -> tuple[StudyTruth, list[MosMedMistake]]:
    for write in writes:
        write.result()
    return truth, mistakes


def _chest(case: MosMedCase, shape: tuple[int, int, int], seed: int) -> Chest:
    """A chest whose share of opacity is in the case's right category."""
    spacing = (SPACING, EXTENT[1] / shape[1], EXTENT[2] / shape[2])
    severity = 0.3 + 4.6 * case.share if case.share else 0.0
    for _ in range(_TRIES):
        chest = make_chest(
            shape,
            spacing,
            seed,
            severity=severity,
            consolidated=case.consolidated,
            lobes=case.lobes,
            sex=case.sex,
        )
        share = _share(chest.lobes, chest.opacity)
        if category_of(share) == (case.true_category or case.category):
            break
        severity *= 1.12 if share < case.share else 0.9
    return chest


def _share(lobes: npt.NDArray[np.uint8], opacity: npt.NDArray[np.uint8]) -> float:
    return float((opacity > 0).sum() / max((lobes > 0).sum(), 1))


def category_of(share: float) -> Category:
    """The category of lungs of which so much has opacity, 0 to 1."""
    return next(category for category, most in LIMITS.items() if share <= most)


def _write_study(
    pool: ThreadPoolExecutor, folder: Path, root: Path, case: MosMedCase, chest: Chest, seed: int
) -> tuple[StudyTruth, list[MosMedMistake], list[Future[int]]]:
    study, mask = _study_file(case), _mask_file(case)
    truth = StudyTruth(
        case,
        root / study,
        root / mask if case.mask == "there" else None,
        case.true_category or case.category,
        chest.lobes,
        chest.opacity,
        chest.spacing,
    )
    files = {folder / study: chest.voxels}
    mistakes = _mistakes(truth)
    if case.mask == "there":
        labels = (chest.opacity > 0).astype(np.int16)
        for mistake in mistakes:
            if mistake.voxels is not None:
                labels[mistake.voxels] = 1 - labels[mistake.voxels]
        files[folder / mask] = labels
    clock = _clock(seed)
    writes = [
        pool.submit(_write, path, display, chest.spacing, clock) for path, display in files.items()
    ]
    return truth, mistakes, writes


def _write(
    path: Path,
    display: npt.NDArray[np.int16],
    spacing: tuple[float, float, float],
    description: str,
) -> int:
    stored, affine = stored_axially(display, spacing, _MIDDLE)
    # The header of a mask is that of its study to the bit.
    header = nifti_header(stored.shape[::-1], affine, description)
    return path.write_bytes(nifti_file(header, stored, path.name.removesuffix(".gz")))


def _clock(seed: int) -> str:
    """The time of the acquisition as the converter leaves it."""
    rng = np.random.default_rng((seed, 2))
    hour, minute, second = (int(rng.integers(most)) for most in (24, 60, 60))
    digits = f"{hour:02d}{minute:02d}{second:02d}".lstrip("0")
    return f"Time={digits}.{rng.integers(1000):03d}"


def _study_file(case: MosMedCase) -> str:
    return f"studies/{case.category}/study_{case.number:04d}.nii.gz"


def _mask_file(case: MosMedCase) -> str:
    return f"masks/study_{case.number:04d}_mask.nii.gz"


def _write_registry(folder: Path) -> None:
    rows: list[tuple[str | int | None, ...]] = [_HEADER]
    for case in CASES:
        mask = None if case.mask == "none" else f"/{_mask_file(case)}"
        rows.append((case.number, case.category, f"/{_study_file(case)}", mask))
    (folder / _REGISTRY).write_bytes(workbook(_SHEET, rows))


def _mistakes(truth: StudyTruth) -> list[MosMedMistake]:
    case, found = truth.case, []
    if case.wrong_mask:
        found += _mask_mistakes(truth)
    if truth.category != case.category:
        percent = round(100 * truth.share)
        text = f"{percent} % of the lungs has opacity, which is {truth.category}."
        found.append(
            MosMedMistake(case.number, "category", (), None, case.category, truth.category, text)
        )
    if case.mask == "promised":
        text = "The registry names a mask that is not in the folder."
        found.append(
            MosMedMistake(case.number, "missing mask", (), None, f"/{_mask_file(case)}", "", text)
        )
    return found


def _mask_mistakes(truth: StudyTruth) -> list[MosMedMistake]:
    """A false patch and a missing lesion on each of two neighbouring slices."""
    found = []
    first = _two_slices_with_lesions(truth.opacity > 0)
    for z, lung in ((first, "left"), (first + 1, "right")):
        kinds: tuple[tuple[MistakeKind, npt.NDArray[np.bool_], str, str, str], ...] = (
            (
                "false patch",
                _false_patch(truth, z, lung),
                "opacity",
                "none",
                "Healthy lung is marked.",
            ),
            (
                "missing lesion",
                _lesion(truth.opacity[z] > 0),
                "none",
                "opacity",
                "A lesion is not marked.",
            ),
        )
        for kind, plane, said, true, text in kinds:
            voxels = np.zeros(truth.opacity.shape, np.bool_)
            voxels[z] = plane
            found.append(MosMedMistake(truth.case.number, kind, (z,), voxels, said, true, text))
    return found


def _two_slices_with_lesions(opacity: npt.NDArray[np.bool_]) -> int:
    """The first of two neighbouring slices with a large second lesion each."""
    sizes = np.zeros((len(opacity), 2), np.intp)
    for z, plane in enumerate(opacity):
        counts = sorted(np.bincount(ndimage.label(plane)[0].ravel())[1:], reverse=True)[:2]
        sizes[z, : len(counts)] = counts
    both = np.minimum(sizes[:-1], sizes[1:])
    return int(np.lexsort((both[:, 0], both[:, 1]))[-1])


def _lesion(plane: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The second largest lesion of a slice, (Y, X), or its only one."""
    labels, _ = ndimage.label(plane)
    counts = np.bincount(labels.ravel())
    counts[0] = 0
    largest = np.argsort(counts)[::-1]
    chosen = largest[1] if len(counts) > 2 else largest[0]
    lesion: npt.NDArray[np.bool_] = labels == chosen
    return lesion


def _false_patch(truth: StudyTruth, z: int, lung: str) -> npt.NDArray[np.bool_]:
    """A patch in the middle of the healthy part of the left or the right lung of a slice."""
    left = truth.lobes[z] <= 2
    healthy = (truth.lobes[z] > 0) & (truth.opacity[z] == 0) & (left == (lung == "left"))
    step = truth.spacing[1:]
    depth = ndimage.distance_transform_edt(np.pad(healthy, 1), sampling=step)[1:-1, 1:-1]
    y, x = np.unravel_index(depth.argmax(), depth.shape)
    radius = max(min(_PATCH, 0.8 * float(depth.max())), 0.6 * max(step))
    rows, columns = (np.arange(n) - at for n, at in zip(healthy.shape, (y, x), strict=True))
    apart = np.hypot(0.8 * step[0] * rows[:, None], step[1] * columns)
    patch: npt.NDArray[np.bool_] = (apart < radius) & healthy
    return patch
