"""Puts the images of a CT series in display order and says what is odd about their places.

Slices are ordered by Image Position (Patient) along the slice normal, since it alone says where
they lie (DICOM PS3.3 C.7.6.2.1.1). Where it is absent the order is a guess, and a problem says so.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_chest import geometry
from napari_chest.files.names import natural_key
from napari_chest.model import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from napari_chest.files.dicom.header import SliceHeader

    Distances = npt.NDArray[np.float64]

_SAME_PLACE = 0.01
"""Slices closer than this many mm are duplicates."""
_UNEVEN = 0.1
"""Steps that differ by more than this many mm, and by a twentieth of the usual step, are uneven."""
_SIDEWAYS = 1.0
_LEAST_TILT = 0.1
_MOST_NAMED = 5


class Ordered(NamedTuple):
    """Slices in display order.

    Attributes
    ----------
    slices : the headers.
    distances : (N,) mm along the reading direction, or None where no place is known.
    placed : whether the distances come from Image Position (Patient).
    problems : what a person should know about the order and the steps.
    """

    slices: tuple[SliceHeader, ...]
    distances: Distances | None
    placed: bool
    problems: list[Problem]


def in_display_order(
    headers: Sequence[SliceHeader], orientation: Sequence[float] | None
) -> Ordered:
    """Order the slices of one stack, drop duplicates and look at the steps between slices."""
    named = sorted(headers, key=lambda header: (natural_key(header.path.name), header.frame or 0))
    placed = orientation is not None and all(header.position for header in named)
    distances, problems = _distances(named, orientation if placed else None)
    if distances is None:
        return Ordered(tuple(named_or_numbered(named, problems)), None, False, problems)
    order = np.argsort(distances, kind="stable")
    slices = [named[index] for index in order]
    slices, distances = _without_duplicates(slices, distances[order], problems)
    problems += _step_problems(slices, distances)
    if placed and orientation is not None:
        problems += _tilt_problems(slices, orientation)
    return Ordered(tuple(slices), distances, placed, problems)


def named_or_numbered(
    named: Sequence[SliceHeader], problems: list[Problem]
) -> Sequence[SliceHeader]:
    """The slices by Instance Number, or by file name where one has none; adds a problem."""
    numbers = [header.instance_number for header in named]
    basis = "instance number" if None not in numbers and len(set(numbers)) > 1 else "file name"
    if any(header.frame is not None for header in named):
        basis = f"{basis} and frame"
    if len(named) > 1:
        problems.append(
            Problem(
                "warning",
                f"The slices do not say where they lie, so they are ordered by {basis}; "
                "head and feet may be exchanged.",
                _unplaced(named),
            )
        )
    if basis.startswith("file name"):
        return named
    return sorted(named, key=lambda header: header.instance_number or 0)


def _distances(
    named: Sequence[SliceHeader], orientation: Sequence[float] | None
) -> tuple[Distances | None, list[Problem]]:
    if orientation is not None:
        positions = np.array([header.position for header in named], dtype=np.float64)
        direction = geometry.reading_direction(orientation)
        return geometry.distances_along(positions, direction), []
    locations = [header.slice_location for header in named]
    known = [location for location in locations if location is not None]
    if len(known) < len(named) or (len(named) > 1 and len(set(known)) == 1):
        return None, []
    problem = Problem(
        "warning",
        "Image Position or Orientation (Patient) is missing, so the slices are ordered by Slice "
        "Location from high to low, which is head to feet for axial slices.",
        _unplaced(named),
    )
    return -np.array(known, dtype=np.float64), [problem]


def _unplaced(named: Sequence[SliceHeader]) -> tuple[str, ...]:
    """The slices at fault, where it is not all of them."""
    names = tuple(header.name for header in named if header.position is None)
    return names if len(names) < len(named) else ()


def _without_duplicates(
    slices: Sequence[SliceHeader], distances: Distances, problems: list[Problem]
) -> tuple[list[SliceHeader], Distances]:
    """Keep one slice of each place: of the commonest scan and kernel, then the lowest number."""
    breaks = np.flatnonzero(np.diff(distances) >= _SAME_PLACE) + 1
    groups = np.split(np.arange(len(slices)), breaks)
    if len(groups) == len(slices):
        return list(slices), distances
    made = [(header.acquisition_number, header.kernel) for header in slices]
    kept = [
        min(group, key=lambda index: (-made.count(made[index]), _number(slices[index])))
        for group in groups
    ]
    dropped = sorted(set(range(len(slices))) - set(kept))
    problems.append(
        Problem(
            "warning",
            f"{len(dropped)} slices lie where another one does and are left out; of each place the "
            "one of the commonest acquisition with the lowest instance number is kept.",
            tuple(slices[index].name for index in dropped),
        )
    )
    return [slices[index] for index in kept], distances[kept]


def _number(header: SliceHeader) -> float:
    return math.inf if header.instance_number is None else header.instance_number


def _step_problems(slices: Sequence[SliceHeader], distances: Distances) -> list[Problem]:
    steps = np.diff(distances)
    if len(steps) < 2:
        return []
    usual = float(np.median(steps))
    gaps = [int(index) for index in np.flatnonzero(_is_gap(steps, usual))]
    uneven = (np.abs(steps - usual) > max(_UNEVEN, usual / 20)) & ~_is_gap(steps, usual)
    problems = [_gap_problem(slices, index, steps[index], usual) for index in gaps[:_MOST_NAMED]]
    if len(gaps) > _MOST_NAMED:
        problems.append(
            Problem(
                "warning",
                f"Slices are missing at {len(gaps) - _MOST_NAMED} more places, before these.",
                tuple(slices[index + 1].name for index in gaps[_MOST_NAMED:]),
            )
        )
    if uneven.any():
        problems.append(_uneven_problem(slices, steps, uneven, usual))
    return problems


def _is_gap(steps: Distances, usual: float) -> npt.NDArray[np.bool_]:
    multiples = steps / usual
    near: npt.NDArray[np.bool_] = np.abs(multiples - np.rint(multiples)) < 0.1
    return (multiples > 1.5) & near


def _gap_problem(slices: Sequence[SliceHeader], index: int, step: float, usual: float) -> Problem:
    missing = round(step / usual) - 1
    counted = "1 slice is" if missing == 1 else f"{missing} slices are"
    before, after = slices[index].name, slices[index + 1].name
    return Problem(
        "warning",
        f"{counted} missing between {before} and {after}: they lie {step:.4g} mm apart instead of "
        f"{usual:.4g} mm. Later slices are counted without the missing ones.",
        (before, after),
    )


def _uneven_problem(
    slices: Sequence[SliceHeader], steps: Distances, uneven: npt.NDArray[np.bool_], usual: float
) -> Problem:
    worst = int(np.where(uneven, np.abs(steps - usual), 0).argmax())
    before, after = slices[worst].name, slices[worst + 1].name
    return Problem(
        "warning",
        f"The steps between slices are uneven: {int(uneven.sum())} of {len(steps)} differ from the "
        f"usual {usual:.4g} mm, most of all {steps[worst]:.4g} mm between {before} and {after}. "
        "Distances and volumes are computed with the mean step.",
        (before, after),
    )


def _tilt_problems(slices: Sequence[SliceHeader], orientation: Sequence[float]) -> list[Problem]:
    """Whether slices are displaced within their own plane from one to the next."""
    if len(slices) < 2:
        return []
    positions = np.array([header.position for header in slices], dtype=np.float64)
    path = positions - positions[0]
    along = path @ geometry.reading_direction(orientation)
    step = path[-1] / along[-1]
    astray = np.linalg.norm(path - along[:, np.newaxis] * step, axis=1)
    if astray.max() > _SIDEWAYS:
        return [_sideways_problem(slices, astray)]
    angle = math.degrees(math.acos(min(1.0, 1.0 / float(np.linalg.norm(step)))))
    if angle < _LEAST_TILT:
        return []
    return [
        Problem(
            "note",
            f"The gantry was tilted by {angle:.1f} degrees: each slice is shifted against the "
            "next, which the volume's affine keeps. Other planes look sheared.",
        )
    ]


def _sideways_problem(slices: Sequence[SliceHeader], astray: Distances) -> Problem:
    worst = int(astray.argmax())
    return Problem(
        "warning",
        f"The slices are not one behind the other: {slices[worst].name} lies {astray[worst]:.4g} "
        "mm beside the line from the first to the last. Places in the patient are approximate.",
        (slices[worst].name,),
    )
