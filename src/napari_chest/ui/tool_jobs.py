"""One use of one tool, from what it reads to the edit that comes of it; no widgets."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_chest.changes import slice_ranges
from napari_chest.tools.base import Scene

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from napari_chest.edits import Draft, Edit
    from napari_chest.model import Mask
    from napari_chest.tools.base import Painted, Tool, Voxel


COMES, GOES = 1, 2
"""What a voxel of `Outcome.difference` stands for; 0 is one that stays."""
_NOWHERE = (slice(0, 0),) * 3


@dataclass(frozen=True, eq=False)
class Job:
    """One use of one tool.

    Attributes
    ----------
    tool : the tool.
    draft : what it works on.
    mask : the mask of the draft.
    value : the segment that is chosen in it.
    spacing : distances between voxel centres along (z, y, x) in mm.
    slice : the display slice that is looked at.
    voxels : (Z, Y, X), the whole image in HU; None where it has none.
    at : the voxel that was pointed at, for a tool that needs one.
    values : the tool's parameters.
    stop : set when somebody asks to stop.
    """

    tool: Tool
    draft: Draft
    mask: Mask
    value: int
    spacing: tuple[float, float, float]
    slice: int
    voxels: npt.NDArray[Any] | None = None
    at: Voxel | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    stop: Event = field(default_factory=Event)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of a job.

    Attributes
    ----------
    edit : not done yet; None where nothing would change.
    wanted : whether the tool wanted a change, which protection may have kept from happening.
    came, went : how many voxels the segment gains and loses.
    slices : the display slices that change, as a person reads them, with their noun.
    note : what the tool has to say about how it went.
    difference : of the edit's box; `COMES`, `GOES`, or 0 where nothing changes. Made where the
        tool works, because the window would take long. None where nothing is previewed.
    """

    edit: Edit | None
    wanted: bool
    came: int = 0
    went: int = 0
    slices: str = ""
    note: str = ""
    difference: npt.NDArray[np.uint8] | None = None


def perform(job: Job) -> Outcome:
    """Use the tool; meant for a thread.

    Raises
    ------
    ToolError
        when the tool has nothing to do or lacks what it needs.
    StoppedError
        when somebody asked to stop.
    ProtectedError
        when what is protected does not fit the image or the draft.
    """
    draft, mask = job.draft, job.mask.name
    draft.editable(mask, _NOWHERE, job.voxels)  # raises before work that would be refused
    # A copy, because edits change the draft's array in place, and a tool may look at it twice.
    labels = draft.mask_labels(mask).copy()
    scene = Scene(
        labels, job.value, job.spacing, job.slice, job.voxels, _within(job), job.stop.is_set
    )
    where = {} if job.at is None else {"at": job.at}
    painted: Painted = job.tool.run(scene, **where, **job.values)
    scene.go_on()
    edit = draft.painted(job.tool.title, mask, painted.box, painted.labels, job.voxels)
    if edit is None:
        wanted = bool((labels[painted.box] != painted.labels).any())
        return Outcome(None, wanted, note=painted.note)
    draft.own(mask)  # so that the window need not copy the mask when it does the edit
    return _told(job, edit, painted.note)


def _told(job: Job, edit: Edit, note: str) -> Outcome:
    before, after = edit.before, edit.after
    changed = before != after
    rows = (np.flatnonzero(changed.any(axis=(1, 2))) + edit.box[0].start).tolist()
    slices = f"{'slice' if len(rows) == 1 else 'slices'} {slice_ranges(rows)}"
    came_here, went_here = (values[changed] for values in (after, before))
    came, went = (int(np.count_nonzero(v == job.value)) for v in (came_here, went_here))
    if not came + went:  # a tool may be pointed at another segment than the chosen one
        came = int(np.count_nonzero(came_here[went_here == 0]))
        went = int(np.count_nonzero(went_here[came_here == 0]))
    values = set(np.unique(came_here).tolist()) - {0} or set(np.unique(went_here).tolist())
    names = [segment.name for segment in job.mask.segments if segment.value in values]
    edit.name = f"{job.tool.title}: {' and '.join(names) or job.mask.name} on {slices}"
    difference = None
    if job.tool.preview:
        difference = changed.astype(np.uint8)
        difference[changed & (after == 0)] = GOES
    edit.pack()
    return Outcome(edit, True, came, went, slices, note, difference)


def _within(job: Job) -> npt.NDArray[np.bool_] | None:
    """Where protection lets a tool go that spreads by itself; None for everywhere."""
    inside = job.draft.protection.inside
    if job.tool.needs != "voxel" or inside is None or inside[0] == job.mask.name:
        return None
    labels = job.draft.mask_labels(inside[0])
    found = np.zeros(labels.shape, bool)
    for value in inside[1]:
        found |= labels == value
    return found
