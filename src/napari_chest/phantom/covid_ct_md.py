"""A synthetic dataset laid out as COVID-CT-MD is published, quirks included.

Two families of DICOM files, an index whose numbers are not row numbers and whose paths match no
folder, two pairs of label arrays, and clutter. The labels come from the phantom's truth but for a
few `Mistake` values, which are what a reviewer should find.
"""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from napari_chest.phantom.chest import Chest, make_chest
from napari_chest.phantom.covid_ct_md_headers import Family, Patient, series_headers
from napari_chest.phantom.dicom import encode_elements, to_stored, write_slice
from napari_chest.phantom.folder import made_whole, seed_of
from napari_chest.phantom.patient import LOBES, Sex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy.typing as npt

ClassFolder = Literal["COVID-19 subjects", "Cap subjects", "Normal subjects"]
Pair = Literal["original", "updated-1"]

COLUMNS = 200
"""Columns of the published label arrays; more only where a case has more slices."""

MISLABELLED = 10
"""Slices on which the label of the lobe is wrong, where the disease is that long."""

MISSED = 4
"""Diseased slices that the older pair of label arrays calls healthy."""

_DIAGNOSES: dict[ClassFolder, tuple[str, str, str]] = {  # index name, index path, clinical name
    "COVID-19 subjects": ("COVID-19", "./COVID-19/", "COVID-19"),
    "Cap subjects": ("CAP", "./CAP/", "CAP"),
    "Normal subjects": ("Normal", "./Normal/", "Normal"),
}
_INDEX = "Index.csv"
_CLUTTER = b"\x00\x00\x00\x01Bud1" + bytes(24)


@dataclass(frozen=True)
class PhantomCase:
    """One patient of the synthetic dataset.

    Attributes
    ----------
    class_folder : the folder of the diagnosis, at the root.
    leaf : the patient's folder, such as ``P001``.
    family : which of the two families of DICOM files.
    severity : 0 healthy to 1 severe.
    labelled : whether the index and the label arrays have a row for it.
    consolidated : share of the opacities that are consolidations.
    lobes : the lobes that may have disease.
    sex, age : in the DICOM header and the clinical table; age in years.
    """

    class_folder: ClassFolder
    leaf: str
    family: Family
    severity: float
    labelled: bool
    consolidated: float = 0.15
    lobes: tuple[str, ...] = LOBES
    sex: Sex = "M"
    age: int = 50


@dataclass(frozen=True, eq=False)
class CaseTruth:
    """What is true of one case, whatever the label arrays say.

    Attributes
    ----------
    case : the description it was made from.
    folder : its folder.
    row : its row in the label arrays, or None where it has none.
    files : the names of its slices from head to feet.
    lobes : (Z, Y, X) uint8; 0 outside, 1 to 5 as LLL, LUL, RLL, RML, RUL.
    opacity : (Z, Y, X) uint8; 0 none, 1 ground glass, 2 consolidation.
    slice_labels : (Z, 5) bool, in the order of `lobes`.
    """

    case: PhantomCase
    folder: Path
    row: int | None
    files: tuple[str, ...]
    lobes: npt.NDArray[np.uint8]
    opacity: npt.NDArray[np.uint8]
    slice_labels: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Mistake:
    """A deliberate error in the label arrays.

    Attributes
    ----------
    leaf : the case.
    pairs : the label arrays that have it.
    slices : display slices, 0 at the head.
    labelled, true : the lobes that the arrays say and those that are right, on each of the slices.
    text : one sentence about it.
    """

    leaf: str
    pairs: tuple[Pair, ...]
    slices: tuple[int, ...]
    labelled: tuple[tuple[str, ...], ...]
    true: tuple[tuple[str, ...], ...]
    text: str


@dataclass(frozen=True, eq=False)
class CovidCtMdPhantom:
    """A synthetic dataset on disk and what is true of it.

    Attributes
    ----------
    root : the folder to open.
    cases : the truth of each case, in the order they were described.
    mistakes : where the label arrays depart from the truth.
    """

    root: Path
    cases: tuple[CaseTruth, ...]
    mistakes: tuple[Mistake, ...]

    def case(self, leaf: str) -> CaseTruth:
        """The truth of the case with this folder name."""
        return next(truth for truth in self.cases if truth.case.leaf == leaf)


_COVID: ClassFolder = "COVID-19 subjects"
_CAP: ClassFolder = "Cap subjects"

DEFAULT_CASES = (
    PhantomCase(_COVID, "P001", "named", 0.45, True, lobes=("LUL", "RLL", "RUL"), sex="M", age=46),
    PhantomCase(_COVID, "P002", "IM", 0.8, True, 0.3, sex="F", age=63),
    PhantomCase(_CAP, "cap001", "named", 0.4, True, 0.8, lobes=("RLL", "RML"), sex="M", age=71),
    PhantomCase(_CAP, "cap002", "IM", 0.3, True, 0.7, lobes=("LLL",), sex="F", age=58),
    PhantomCase(_COVID, "P003", "IM", 0.3, False, sex="M", age=37),
    PhantomCase("Normal subjects", "normal001", "named", 0.0, False, sex="F", age=34),
)


def make_covid_ct_md(
    root: Path | str,
    *,
    shape: tuple[int, int, int] = (160, 256, 256),
    cases: Sequence[PhantomCase] = DEFAULT_CASES,
    seed: int = 0,
    spacing: tuple[float, float, float] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> CovidCtMdPhantom:
    """Write a synthetic dataset laid out as COVID-CT-MD and return what is true of it.

    Parameters
    ----------
    root : the dataset's folder, which must be empty or not exist.
    shape : (Z, Y, X) of every case.
    cases : the patients. The first labelled case with disease in LUL gets the mistakes.
    seed : same seed, same bytes.
    spacing : (z, y, x) mm; by default 320 mm of patient in a field of view of 350 mm.
    progress : called after each case with the number of cases done and their total.

    Raises
    ------
    SaveError
        when the folder holds anything: slices of two patients would mix, and it may be real data.
    """
    root = Path(root)
    with made_whole(root, last=_INDEX) as partial:
        truths, mistakes = _write_dataset(partial, shape, spacing, cases, seed, progress)
    moved = tuple(
        replace(truth, folder=root / truth.folder.relative_to(partial)) for truth in truths
    )
    return CovidCtMdPhantom(root, moved, mistakes)


def _write_dataset(
    root: Path,
    shape: tuple[int, int, int],
    spacing: tuple[float, float, float] | None,
    cases: Sequence[PhantomCase],
    seed: int,
    progress: Callable[[int, int], None] | None,
) -> tuple[list[CaseTruth], tuple[Mistake, ...]]:
    truths: list[CaseTruth] = []
    for truth in _write_cases(root, shape, spacing, cases, seed):
        truths.append(truth)
        if progress is not None:
            progress(len(truths), len(cases))
    mistakes = _mistakes(truths)
    _write_labels(root, truths, mistakes)
    _write_index(root, cases)
    _write_clinical(root, cases, seed)
    for folder in {root, *(root / case.class_folder for case in cases)}:
        (folder / ".DS_Store").write_bytes(_CLUTTER)
    return truths, mistakes


def _rows(cases: Sequence[PhantomCase]) -> dict[str, int]:
    # The published arrays list COVID-19 first, then CAP, each by folder name.
    order = list(_DIAGNOSES)
    labelled = sorted(
        (case for case in cases if case.labelled),
        key=lambda case: (order.index(case.class_folder), case.leaf),
    )
    return {case.leaf: row for row, case in enumerate(labelled)}


def _write_cases(
    root: Path,
    shape: tuple[int, int, int],
    spacing: tuple[float, float, float] | None,
    cases: Sequence[PhantomCase],
    seed: int,
) -> Iterator[CaseTruth]:
    """The truth of each case once its files are written."""
    rows = _rows(cases)
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        waiting: tuple[CaseTruth, list[Future[None]]] | None = None
        for number, case in enumerate(cases):
            own_seed = seed_of(seed, number)
            chest = make_chest(
                shape,
                spacing,
                own_seed,
                severity=case.severity,
                consolidated=case.consolidated,
                lobes=case.lobes,
                sex=case.sex,
            )
            if waiting is not None:
                yield _finished(*waiting)
            # Written while the next chest is made.
            waiting = _write_case(pool, root, case, rows.get(case.leaf), chest, own_seed)
        if waiting is not None:
            yield _finished(*waiting)


def _finished(truth: CaseTruth, writes: Sequence[Future[None]]) -> CaseTruth:
    for write in writes:
        write.result()
    return truth


def _write_case(
    pool: ThreadPoolExecutor,
    root: Path,
    case: PhantomCase,
    row: int | None,
    chest: Chest,
    seed: int,
) -> tuple[CaseTruth, list[Future[None]]]:
    folder = root / case.class_folder / case.leaf
    folder.mkdir(parents=True, exist_ok=True)
    stored = to_stored(chest.voxels)
    headers = series_headers(
        Patient(case.leaf, case.sex, case.age), case.family, stored.shape, chest.spacing, seed
    )
    shared = encode_elements(headers.shared)

    def write(z: int) -> None:
        write_slice(folder / headers.files[z], stored[z], shared, headers.own(z))

    truth = CaseTruth(
        case, folder, row, headers.files, chest.lobes, chest.opacity, chest.slice_labels
    )
    return truth, [pool.submit(write, z) for z in range(len(stored))]


def _mistakes(truths: Sequence[CaseTruth]) -> tuple[Mistake, ...]:
    lll, lul = LOBES.index("LLL"), LOBES.index("LUL")
    for truth in truths:
        labels = truth.slice_labels
        run = _longest_run(labels[:, lul] & ~labels[:, lll])[:MISLABELLED]
        if truth.row is None or not len(run):
            continue
        wrong = labels.copy()
        wrong[run, lll], wrong[run, lul] = True, False
        missed = np.setdiff1d(np.flatnonzero(labels.any(axis=1)), run)[-MISSED:]
        texts = (
            "LLL is set on slices where the disease lies in LUL.",
            "Diseased slices are labelled healthy; updated-1 has them right.",
        )
        return (
            _mistake(truth, ("original", "updated-1"), run, wrong, texts[0]),
            _mistake(truth, ("original",), missed, np.zeros_like(labels), texts[1]),
        )
    return ()


def _mistake(
    truth: CaseTruth,
    pairs: tuple[Pair, ...],
    slices: npt.NDArray[np.intp],
    wrong: npt.NDArray[np.bool_],
    text: str,
) -> Mistake:
    numbers = tuple(int(z) for z in slices)
    labelled, true = (
        tuple(
            tuple(name for name, present in zip(LOBES, row, strict=True) if present) for row in rows
        )
        for rows in (wrong[slices], truth.slice_labels[slices])
    )
    return Mistake(truth.case.leaf, pairs, numbers, labelled, true, text)


def _longest_run(found: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    runs = np.split(np.arange(len(found)), np.flatnonzero(np.diff(found)) + 1)
    return max((run for run in runs if found[run[0]]), key=len, default=np.arange(0))


def _write_labels(root: Path, truths: Sequence[CaseTruth], mistakes: Sequence[Mistake]) -> None:
    names: dict[Pair, tuple[str, type[np.generic]]] = {
        "original": ("level-labels.npy", np.int64),
        "updated-1": ("level-labels-updated-1.npy", np.int32),
    }
    labelled = [truth for truth in truths if truth.row is not None]
    if not labelled:
        return
    columns = max(COLUMNS, *(len(truth.slice_labels) for truth in labelled))
    for pair, (name, dtype) in names.items():
        lobes = np.zeros((len(labelled), columns, len(LOBES)))
        for truth in labelled:
            lobes[truth.row, : len(truth.slice_labels)] = truth.slice_labels
        rows = {truth.case.leaf: truth.row for truth in labelled}
        for mistake in mistakes:
            if pair in mistake.pairs:
                for z, said in zip(mistake.slices, mistake.labelled, strict=True):
                    lobes[rows[mistake.leaf], z] = [lobe in said for lobe in LOBES]
        np.save(root / f"Lobe-{name}", lobes)
        np.save(root / f"Slice-{name}", lobes.any(axis=2).astype(dtype))


def _write_index(root: Path, cases: Sequence[PhantomCase]) -> None:
    folders = {case.leaf: case.class_folder for case in cases}
    lines = ["Label Index,Diagnosis,Relative Path,Folder/ID"]
    skipped = 0
    for leaf, row in _rows(cases).items():
        diagnosis, path, _ = _DIAGNOSES[folders[leaf]]
        # A removed case left a gap in the published numbers but not in the rows.
        skipped = skipped or int(folders[leaf] != _COVID)
        lines.append(f"{row + skipped},{diagnosis},{path},{leaf}")
    (root / _INDEX).write_bytes("\r\n".join(lines).encode("ascii"))


def _write_clinical(root: Path, cases: Sequence[PhantomCase], seed: int) -> None:
    symptoms = ("Dyspnea", "Cough", "Fever", "Fatigue")
    rng = np.random.default_rng((seed, 1))
    lines = [",".join(("Folder/ID", "Diagnosis", "Patient Gender", "Patient Age", *symptoms))]
    for case in cases:
        present = rng.random(len(symptoms)) < (0.7 if case.severity > 0 else 0.05)
        cells = [case.leaf, _DIAGNOSES[case.class_folder][2], case.sex, f"{case.age:03d}Y"]
        lines.append(",".join(cells + [str(int(value)) for value in present]))
    (root / "Clinical-data.csv").write_bytes("".join(f"{line}\r\n" for line in lines).encode())
