"""What a tool works on, what it gives back, and how it is told to people; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_chest.errors import ChestError, StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from napari_chest.edits.steps import Box

Voxel = tuple[int, int, int]
Kind = Literal["number", "whole number", "choice", "segment", "yes or no"]
Needs = Literal["segment", "voxel", "nothing"]


class ToolError(ChestError):
    """A tool has nothing to do, or lacks what it needs; the message says what to do instead."""


def never() -> bool:
    """Nobody asks to stop."""
    return False


@dataclass(frozen=True, eq=False)
class Scene:
    """One mask, the segment that is chosen in it, and the image behind it.

    Attributes
    ----------
    labels : (Z, Y, X) uint8 or uint16, read-only; the mask as it stands.
    value : the segment that is chosen.
    spacing : distances between voxel centres along (z, y, x) in mm.
    slice : the display slice that is looked at.
    voxels : (Z, Y, X), HU; None where the image has no HU, such as a radiograph.
    within : (Z, Y, X) bool, or None; where a growing tool may go, such as inside the lungs.
    stopped : whether somebody has asked to stop.
    """

    labels: npt.NDArray[np.unsignedinteger]
    value: int
    spacing: tuple[float, float, float]
    slice: int = 0
    voxels: npt.NDArray[Any] | None = None
    within: npt.NDArray[np.bool_] | None = None
    stopped: Callable[[], bool] = never

    def hounsfield(self) -> npt.NDArray[Any]:
        """The voxels in HU.

        Raises
        ------
        ToolError
            where the image has none.
        """
        if self.voxels is None:
            raise ToolError("This image has no Hounsfield units, so the tool cannot be used on it.")
        return self.voxels

    def go_on(self) -> None:
        """Return unless somebody has asked to stop.

        Raises
        ------
        StoppedError
            where somebody has.
        """
        if self.stopped():
            raise StoppedError("Stopped; nothing was changed.")


@dataclass(frozen=True, eq=False)
class Painted:
    """What a tool wants a box of a mask to hold; protection has the last word.

    Attributes
    ----------
    box : one slice per axis.
    labels : of the box's shape and the mask's kind of numbers.
    note : what a person should know of how it went, such as ``stopped at 50 ml``.
    """

    box: Box
    labels: npt.NDArray[Any]
    note: str = ""


@dataclass(frozen=True)
class Parameter:
    """A number or choice that a person gives a tool.

    Attributes
    ----------
    key : name of the tool's argument.
    text : what it is, as on a form.
    kind : ``segment`` is the value of another segment of the same mask.
    default : what it is at first; None for a segment.
    low, high : the range of a number.
    unit : of a number: ``mm``, ``HU``, ``ml``.
    choices : what can be chosen.
    """

    key: str
    text: str
    kind: Kind = "number"
    default: Any = None
    low: float = 0.0
    high: float = 0.0
    unit: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tool:
    """A tool as people and programs find it.

    Attributes
    ----------
    key : its name in programs and settings: ``fill_holes``.
    title : its name on a button: ``Fill holes``.
    text : what it does, one sentence.
    group : under which heading it stands.
    run : called with a `Scene`, with ``at`` where it needs a voxel, and with its parameters.
    parameters : what a person may set.
    needs : ``segment``, a segment that is not empty; ``voxel``, a voxel that is pointed at.
    preview : whether its result is shown before it is kept.
    """

    key: str
    title: str
    text: str
    group: str
    run: Callable[..., Painted]
    parameters: tuple[Parameter, ...] = ()
    needs: Needs = "segment"
    preview: bool = False


def segment_box(labels: npt.NDArray[Any], value: int) -> Box | None:
    """The smallest box around all voxels of a segment; None where it has none.

    Parameters
    ----------
    labels : a mask of any number of axes in any memory order, or bool with ``value`` True.
    value : the segment.
    """
    # Plane by plane along the axis that is slowest in memory, so that no copy of it all is made.
    slowest = int(np.argmax(np.abs(labels.strides)))
    planes = np.moveaxis(labels, slowest, 0)
    shadow = np.zeros(planes.shape[1:], dtype=np.bool_)
    met = []
    for index, plane in enumerate(planes):
        here = plane == value
        if here.any():
            met.append(index)
            shadow |= here
    if not met:
        return None
    parts = [_extent(shadow, axis) for axis in range(shadow.ndim)]
    parts.insert(slowest, slice(met[0], met[-1] + 1))
    return tuple(parts)


def _extent(shadow: npt.NDArray[np.bool_], axis: int) -> slice:
    others = tuple(other for other in range(shadow.ndim) if other != axis)
    where = np.flatnonzero(shadow.any(axis=others))
    return slice(int(where[0]), int(where[-1]) + 1)
