"""The tools that combine a segment with others: of its mask, of other masks, of other readers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from napari_chest.tools.base import Parameter, Tool
from napari_chest.tools.combine import intersect, subtract, unite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np
    import numpy.typing as npt

    from napari_chest.edits import Draft
    from napari_chest.model import Mask, Reading
    from napari_chest.tools.base import Painted, Scene

    Region = npt.NDArray[np.bool_]

COMBINE = "Combine"
COMBINING = (
    Tool("unite", "Add", "Adds another segment to this one.", COMBINE, unite, (), "nothing", True),
    Tool(
        "subtract",
        "Subtract",
        "Clears what another segment covers.",
        COMBINE,
        subtract,
        (),
        preview=True,
    ),
    Tool(
        "intersect",
        "Intersect",
        "Clears what another segment does not cover.",
        COMBINE,
        intersect,
        (),
        preview=True,
    ),
)
"""They need a region of which `equipped` lets a person choose."""


def with_combining(tools: Sequence[Tool]) -> Sequence[Tool]:
    """All tools, these under their heading."""
    first = next((i for i, tool in enumerate(tools) if tool.group == COMBINE), len(tools))
    return (*tools[:first], *COMBINING, *tools[first:])


@dataclass(frozen=True, eq=False)
class Source:
    """A segment that another one can be combined with.

    Attributes
    ----------
    name : with its mask or its reader where these are others.
    labels : (Z, Y, X), the mask; edits may show in it.
    value : the segment in it.
    """

    name: str
    labels: npt.NDArray[Any]
    value: int

    def region(self) -> Region:
        """Where the segment is, (Z, Y, X); reads the whole mask."""
        region: Region = self.labels == self.value
        return region


def sources(draft: Draft, readings: Sequence[Reading], mask: str, value: int) -> tuple[Source, ...]:
    """What the segment of a mask can be combined with.

    Parameters
    ----------
    draft : the reading that is corrected.
    readings : all of the case.
    mask, value : the segment.
    """
    shape = draft.mask_labels(mask).shape
    found = [*_own(draft, mask, value), *_of_others(draft, readings)]
    return tuple(source for source in found if source.labels.shape == shape)


def equipped(tool: Tool, found: Sequence[Source]) -> Tool:
    """The tool, with a choice of these."""
    names = tuple(source.name for source in found)
    choice = Parameter("other", "With", "choice", names[0] if names else None, choices=names)
    by_name = {source.name: source.region for source in found}
    return replace(tool, run=partial(_run, tool.run, by_name), parameters=(choice,))


def _run(
    run: Callable[..., Painted], regions: dict[str, Callable[[], Region]], scene: Scene, other: str
) -> Painted:
    return run(scene, regions[other]())


def _own(draft: Draft, mask: str, value: int) -> Iterator[Source]:
    for one in sorted(draft.masks(), key=lambda other: other.name != mask):
        labels = draft.mask_labels(one.name)
        for segment in one.segments:
            if one.name == mask and segment.value != value:
                yield Source(segment.name, labels, segment.value)
            elif one.name != mask:
                yield Source(_named(one, segment.name), labels, segment.value)


def _of_others(draft: Draft, readings: Sequence[Reading]) -> Iterator[Source]:
    for reading in readings:
        if reading.reader != draft.saved.reader:
            for one in reading.masks:
                for segment in one.segments:
                    name = f"{reading.reader}: {_named(one, segment.name)}"
                    yield Source(name, one.labels, segment.value)


def _named(mask: Mask, segment: str) -> str:
    """The segment's name, with that of its mask where they differ."""
    return (
        segment if len(mask.segments) == 1 and mask.name == segment else f"{segment} ({mask.name})"
    )
