"""Finds the CT series in a folder: which files belong together, in which order, on which grid."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

from napari_chest import geometry
from napari_chest.errors import ReadError
from napari_chest.files.dicom.header import SliceHeader, read_headers
from napari_chest.files.dicom.ordering import Ordered, in_display_order
from napari_chest.files.names import natural_key
from napari_chest.model import Grid, Problem, Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

V = TypeVar("V")

_ENDINGS: Final = frozenset({"dcm", "dicom", "ima", "img"})
_LUNG_CENTER: Final = -600.0
_SAME_DIRECTION: Final = 0.01
_SAME_SPACING: Final = 1e-3


@dataclass(frozen=True, eq=False)
class Series:
    """The images of one DICOM series that form a stack, in display order.

    Attributes
    ----------
    folder : where its files lie.
    slices : one header per slice; axial slices run from head to feet.
    grid : where the voxels lie in the patient.
    problems : what a person should know before working on it.
    """

    folder: Path
    slices: tuple[SliceHeader, ...]
    grid: Grid
    problems: tuple[Problem, ...] = ()

    @property
    def n_slices(self) -> int:
        """Number of slices."""
        return len(self.slices)

    @property
    def uid(self) -> str:
        """Series Instance UID as in the files; may be empty or invalid."""
        return self.slices[0].series_uid

    @property
    def modality(self) -> str:
        """DICOM modality."""
        return self.slices[0].modality

    @property
    def title(self) -> str:
        """What a person calls the series."""
        header = self.slices[0]
        number = "" if header.series_number is None else f"series {header.series_number}"
        return " ".join(filter(None, (number, header.series_description))) or "unnamed series"

    @property
    def facts(self) -> dict[str, str]:
        """What the files say of patient and scan, in the order to show it; names nobody."""
        dz, dy, dx = self.grid.spacing
        return self.slices[0].facts | {
            "Slices": str(self.n_slices),
            "Voxel": f"{dx:.3g} x {dy:.3g} x {dz:.3g} mm",
        }

    @property
    def window(self) -> Window | None:
        """The file's own window; of several the one nearest to a lung window.

        CT files often carry a soft-tissue and a lung window, in no fixed order. This reader serves
        annotations of the lungs, so the centre closest to -600 HU is taken.
        """
        header = self.slices[self.n_slices // 2]
        pairs = zip(header.window_centers, header.window_widths, strict=False)
        windows = [Window(center, width) for center, width in pairs if width >= 1]
        return min(windows, key=lambda w: abs(w.center - _LUNG_CENTER), default=None)


def index_folder(folder: Path, *, root: Path | None = None) -> tuple[list[Series], list[Problem]]:
    """The image series whose files lie directly in a folder, and what is wrong with other files.

    A series is what shares Series Instance UID and Series Number; empty and invalid UIDs count as
    they stand. Within a series the largest group of one matrix, orientation and pixel spacing is
    its stack; localizers and all other images are left out, and a problem names them.

    Files named ``*.dcm``, ``*.dicom``, ``*.ima``, ``*.img``, without extension or ending in a
    number (names made of UIDs) are looked at; dot files, ``DICOMDIR`` and others are not. A
    symbolic link that leads out of ``root`` (the folder itself by default) is not followed.

    Raises
    ------
    ReadError
        when the folder itself cannot be read.
    """
    problems: list[Problem] = []
    groups: dict[tuple[str, int | None], list[SliceHeader]] = defaultdict(list)
    for path in _candidates(folder, folder if root is None else root, problems):
        try:
            headers = read_headers(path)
        except ReadError as error:
            problems.append(_unreadable(path, error))
            continue
        for header in headers:
            groups[header.series_uid, header.series_number].append(header)
    found = [_series(folder, headers, problems) for headers in groups.values()]
    series = [one for one in found if one is not None]
    return sorted(series, key=_importance), problems


def series_of_files(folder: Path, paths: Iterable[Path]) -> Series:
    """The stack that these files of one series make up, wherever they lie below a folder.

    Its problems tell which files and images are left out, by the rules of `index_folder`.

    Raises
    ------
    ReadError
        when none of them can be read.
    """
    headers: list[SliceHeader] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            headers += read_headers(path)
        except ReadError as error:
            problems.append(_unreadable(path, error))
    series = _series(folder, headers, problems)
    if series is None:
        first = f" {problems[0]}." if problems else ""
        raise ReadError(folder, f"no image of the series can be read.{first}")
    return replace(series, problems=(*problems, *series.problems))


def main_series(series: Sequence[Series]) -> Series:
    """The series to show: CT before others, no localizer, then the one with the most slices.

    A problem of the returned series names those that were left out.

    Raises
    ------
    ReadError
        when there is none.
    """
    if not series:
        raise ReadError("this folder", "it holds no series of DICOM images.")
    chosen, *others = sorted(series, key=_importance)
    if not others:
        return chosen
    named = "; ".join(f"{other.title} with {other.n_slices} slices" for other in others)
    problem = Problem(
        "warning",
        f"The folder holds {len(series)} series. Shown is {chosen.title} with {chosen.n_slices} "
        f"slices; left out: {named}.",
        tuple(header.name for other in others for header in other.slices),
    )
    return replace(chosen, problems=(*chosen.problems, problem))


def _importance(series: Series) -> tuple[bool, bool, int, object]:
    first = series.slices[0]
    return (
        series.modality != "CT",
        first.is_localizer,
        -series.n_slices,
        natural_key(f"{first.series_number} {first.path.name}"),
    )


def _candidates(folder: Path, root: Path, problems: list[Problem]) -> Iterator[Path]:
    try:
        with os.scandir(folder) as scan:
            entries = sorted(scan, key=lambda entry: entry.name)
        inside = root.resolve()
    except OSError as error:
        raise ReadError(folder, f"the folder cannot be read ({error.strerror}).") from error
    for entry in entries:
        name = entry.name
        if not may_be_dicom(name):
            continue
        path = folder / name
        if entry.is_symlink() and not _leads_inside(path, inside):
            text = "This link leads out of the dataset or nowhere and was not followed."
            problems.append(Problem("warning", text, (name,)))
        elif entry.is_file():
            yield path


def may_be_dicom(name: str) -> bool:
    """Whether a file of this name may be a DICOM image; see `index_folder`."""
    if name.startswith("."):
        return False
    _, dot, ending = name.rpartition(".")
    if not dot:
        return name.upper() != "DICOMDIR"
    return ending.lower() in _ENDINGS or ending.isdecimal()


def _leads_inside(path: Path, inside: Path) -> bool:
    try:
        return path.resolve(strict=True).is_relative_to(inside)
    except (OSError, RuntimeError):  # a loop of links
        return False


def _unreadable(path: Path, error: ReadError) -> Problem:
    reason = str(error).removeprefix(f"{path}: ")
    named_dicom = path.suffix.lower() in {".dcm", ".dicom", ".ima"}
    return Problem("warning" if named_dicom else "note", f"Left out: {reason}", (path.name,))


def _series(
    folder: Path, headers: Sequence[SliceHeader], folder_problems: list[Problem]
) -> Series | None:
    problems: list[Problem] = []
    stack = _one_stack(headers, problems)
    if not stack:
        folder_problems += problems
        return None
    orientation = _majority((header.orientation for header in stack), _same_direction)
    if orientation is not None and not _is_orientation(orientation):
        problems.append(
            Problem("warning", f"Image Orientation (Patient) {orientation} is no orientation.")
        )
        orientation = None
    ordered = in_display_order(stack, orientation)
    grid = _grid(ordered, orientation, problems)
    problems += _value_problems(ordered.slices)
    return Series(folder, ordered.slices, grid, (*ordered.problems, *problems))


def _one_stack(headers: Sequence[SliceHeader], problems: list[Problem]) -> list[SliceHeader]:
    """The largest group of images that fit on each other; adds a problem for the others."""
    stack = [header for header in headers if header.complete]
    sized = {(header.rows, header.columns) for header in stack}
    # A file whose end is missing keeps its place, but must not decide how large the volume is.
    stack += [h for h in headers if not h.complete and (h.rows, h.columns) in sized]
    _left_out(problems, "their files end too early", headers, stack)
    pictures = [header for header in stack if not header.is_localizer] or stack
    _left_out(problems, "they are localizers", stack, pictures)
    for what, value, same in _FITS:
        common = _majority((value(header) for header in pictures), same)
        fitting = [header for header in pictures if _fits(value(header), common, same)]
        _left_out(problems, f"their {what} is not that of most slices", pictures, fitting)
        pictures = fitting
    return pictures


def _left_out(
    problems: list[Problem],
    reason: str,
    before: Sequence[SliceHeader],
    after: Sequence[SliceHeader],
) -> None:
    kept = set(map(id, after))
    names = tuple(header.name for header in before if id(header) not in kept)
    if names:
        images = "1 image is" if len(names) == 1 else f"{len(names)} images are"
        problems.append(Problem("warning", f"{images} left out because {reason}.", names))


def _majority(values: Iterable[V | None], same: Callable[[V, V], bool]) -> V | None:
    """The value that most others equal or come near to; None where there is none at all."""
    counts = Counter(value for value in values if value is not None)
    if len(counts) < 2:
        return next(iter(counts), None)
    common = [value for value, _ in counts.most_common(64)]
    return max(common, key=lambda v: sum(n for other, n in counts.items() if same(v, other)))


def _fits(value: V | None, common: V | None, same: Callable[[V, V], bool]) -> bool:
    return value is None or common is None or same(value, common)


def _same_direction(one: Sequence[float], other: Sequence[float]) -> bool:
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) < _SAME_DIRECTION


def _same_spacing(one: Sequence[float], other: Sequence[float]) -> bool:
    return all(abs(a - b) <= _SAME_SPACING * b for a, b in zip(one, other, strict=True))


def _equal(one: object, other: object) -> bool:
    return one == other


_FITS: Final[tuple[tuple[str, Callable[[SliceHeader], Any], Callable[[Any, Any], bool]], ...]] = (
    ("matrix", lambda h: (h.rows, h.columns, h.samples_per_pixel), _equal),
    ("plane", lambda h: h.orientation, _same_direction),
    ("pixel spacing", lambda h: h.pixel_spacing, _same_spacing),
)


def _is_orientation(orientation: Sequence[float]) -> bool:
    try:
        geometry.slice_normal(orientation)
    except ValueError:
        return False
    return True


def _grid(ordered: Ordered, orientation: Sequence[float] | None, problems: list[Problem]) -> Grid:
    slices = ordered.slices
    first = slices[0]
    spacing = first.pixel_spacing
    if spacing is None:
        problems.append(
            Problem("warning", "Pixel Spacing is missing; 1 mm is assumed, so sizes are wrong.")
        )
    rows_mm, columns_mm = spacing or (1.0, 1.0)
    thickness = first.slice_thickness or 1.0
    if ordered.placed and orientation is not None:
        positions = np.array([header.position for header in slices], dtype=np.float64)
        affine = geometry.series_affine(orientation, (rows_mm, columns_mm), positions, thickness)
    else:
        step = thickness
        if ordered.distances is not None and len(slices) > 1:
            step = float(np.ptp(ordered.distances)) / (len(slices) - 1)
        affine = geometry.spacing_affine((step, rows_mm, columns_mm))
    shape = (len(slices), first.rows, first.columns)
    placed = ordered.placed and spacing is not None
    return Grid(shape, affine, _slice_ids(slices), placed=placed)


def _slice_ids(slices: Sequence[SliceHeader]) -> tuple[str, ...]:
    uids = tuple(
        header.sop_instance_uid
        if header.frame is None or not header.sop_instance_uid
        else f"{header.sop_instance_uid}#{header.frame + 1}"
        for header in slices
    )
    unique = "" not in uids and len(set(uids)) == len(uids)
    return uids if unique else tuple(header.name for header in slices)


def _value_problems(slices: Sequence[SliceHeader]) -> Iterator[Problem]:
    """What is odd about the voxels' values, before any is read."""
    bare = tuple(header.name for header in slices if not header.rescaled)
    if bare:
        text = "Rescale Slope or Intercept is missing; values shown may not be Hounsfield units."
        yield Problem("warning", text, bare)
    modality = slices[0].modality
    if modality != "CT":
        yield Problem("warning", f"The modality is {modality or 'missing'}; it is shown as CT.")
