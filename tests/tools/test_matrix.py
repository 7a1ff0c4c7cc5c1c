"""Every tool under every protection: no protected voxel changes, and every other one may."""

import numpy as np
import pytest

from napari_chest.edits import Draft, Protection
from napari_chest.model import CaseInfo, Mask, Reading, Segment
from napari_chest.tools import TOOLS, Painted, Scene, Tool
from napari_chest.tools.brush import dab

CASE = CaseInfo("c", "C", "CT")
SHAPE = (14, 48, 64)
SPACING = (2.0, 1.0, 1.0)
SLICE = 4
SEGMENTS = tuple(Segment(n, f"s{n}", "#ffffff") for n in (1, 2, 3))
MAIN, ISLAND, OUTSIDE = (4, 20, 14), (3, 8, 20), (4, 34, 40)
PLACES = {"grow": OUTSIDE, "remove_island": ISLAND}


def chest():
    """A body with two lungs in air, each with denser places, and the noise of a scanner."""
    random = np.random.default_rng(0)
    _, y, x = np.ogrid[: SHAPE[0], -1:1:48j, -1:1:64j]
    voxels = np.full(SHAPE, -1000.0)
    voxels[np.broadcast_to(np.hypot(y, x) < 0.95, SHAPE)] = 40
    for side in (-0.45, 0.45):
        voxels[np.broadcast_to(np.hypot(y / 0.7, (x - side) / 0.35) < 1, SHAPE)] = -850
    voxels[2:11, 12:30, 8:24] = -500
    voxels[2:11, 28:38, 36:46] = -500
    voxels[3:9, 14:20, 10:18] = -200
    return (voxels + random.uniform(-60, 60, SHAPE)).astype(np.int16)


def drawn():
    """Segments with a hole, a bridge, a gap between slices, islands and neighbours."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[2:6, 12:30, 8:24] = 1
    labels[8:11, 14:28, 10:22] = 1
    labels[3:5, 18:20, 16:18] = 0
    labels[4, 20, 24:27] = 1
    labels[2:5, 7:9, 19:21] = 1
    labels[2:11, 30:36, 8:24] = 2
    labels[2:11, 12:30, 4:8] = 3
    labels[2:6, 16:24, 40:52] = 2
    return labels


IMAGE, LABELS = chest(), drawn()


def stroke(value, axes):
    """A tool that draws one stroke of the brush over the border of a segment."""

    def run(scene):
        box, inside = dab(
            MAIN, (5, 20, 30), spacing=SPACING, axes=axes, diameter=9, shape=scene.labels.shape
        )
        return Painted(box, np.where(inside, value, scene.labels[box]).astype(np.uint8))

    name = f"{'brush' if value else 'eraser'} in {axes}"
    return Tool(name, name, "", "", run, needs="nothing")


STROKES = tuple(stroke(value, axes) for value in (1, 2, 0) for axes in ((1, 2), (0, 1, 2)))
ALL = (*STROKES, *TOOLS)


def wanted_by(tool):
    """The whole mask as a tool wants it."""
    others = {p.key: 2 for p in tool.parameters if p.kind == "segment"}
    where = {"at": PLACES.get(tool.key, MAIN)} if tool.needs == "voxel" else {}
    scene = Scene(LABELS, 1, SPACING, SLICE, IMAGE)
    painted = tool.run(scene, **where, **others)
    wanted = LABELS.copy()
    wanted[painted.box] = painted.labels
    return painted, wanted


def half(changed):
    """Every second of the voxels that a tool changes, as a mask of its own."""
    zone = np.zeros(SHAPE, np.uint8)
    zone[tuple(np.argwhere(changed)[::2].T)] = 3
    return zone


def middle(changed):
    return int(np.median(IMAGE[changed]))


PROTECTIONS = {
    "chosen segment": lambda changed: Protection(locks=frozenset({("m", 1)})),
    "another segment": lambda changed: Protection(locks=frozenset({("m", 2), ("zone", 1)})),
    "HU range": lambda changed: Protection(hounsfield=(middle(changed), 3000)),
    "inside": lambda changed: Protection(inside=("zone", frozenset({3}))),
    "slices": lambda changed: Protection(slices=(SLICE, SLICE + 3)),
    "others": lambda changed: Protection(keep_others=True),
    "all": lambda changed: Protection(
        frozenset({("m", 3)}), (middle(changed), 3000), ("zone", frozenset({3})), (2, 9), True
    ),
}


def may_change(protection, wanted, zone):
    """Where the protection lets the mask become what is wanted, judged by its words."""
    allowed = np.ones(SHAPE, bool)
    for mask, value in protection.locks:
        if mask == "m":
            allowed[(value == LABELS) | (wanted == value)] = False
    if protection.hounsfield is not None:
        low, high = protection.hounsfield
        allowed[(low > IMAGE) | (high < IMAGE)] = False
    if protection.inside is not None:
        allowed[zone != 3] = False
    if protection.slices is not None:
        first, last = protection.slices
        allowed[:first] = allowed[last + 1 :] = False
    if protection.keep_others:
        allowed[(LABELS > 0) & (wanted > 0)] = False
    return allowed


@pytest.mark.parametrize("kind", PROTECTIONS)
@pytest.mark.parametrize("tool", ALL, ids=lambda tool: tool.key)
def test_a_tool_changes_what_is_not_protected_and_nothing_else(tool, kind):
    painted, wanted = wanted_by(tool)
    changed = wanted != LABELS
    assert np.count_nonzero(changed) > 1, "the scene has to give every tool something to do"
    zone = half(changed)
    masks = (Mask("m", LABELS, SEGMENTS), Mask("zone", zone, SEGMENTS))
    draft = Draft(CASE, Reading("r", masks))
    draft.protection = PROTECTIONS[kind](changed)
    allowed = may_change(draft.protection, wanted, zone) & changed
    edit = draft.painted(tool.title, "m", painted.box, painted.labels, IMAGE)
    assert (edit is not None) == allowed.any()
    if edit is not None:
        draft.do(edit)
    after = draft.mask_labels("m")
    np.testing.assert_array_equal(after != LABELS, allowed)
    np.testing.assert_array_equal(after[allowed], wanted[allowed])
    if kind in {"HU range", "inside"}:
        assert allowed.any()
        assert (changed & ~allowed).any()
    draft.undo()
    np.testing.assert_array_equal(draft.mask_labels("m"), LABELS)


@pytest.mark.parametrize("kind", PROTECTIONS)
def test_every_protection_lets_some_tool_change_something_and_keeps_some_from_it(kind):
    lets = keeps = 0
    for tool in ALL:
        _, wanted = wanted_by(tool)
        changed = wanted != LABELS
        zone = half(changed)
        allowed = may_change(PROTECTIONS[kind](changed), wanted, zone)
        lets += int((changed & allowed).any())
        keeps += int((changed & ~allowed).any())
    assert lets > 0
    assert keeps > 0
