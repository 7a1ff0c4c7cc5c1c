"""What a brush costs on screen, beside napari's own: a mouse move of a stroke, and its end.

One run, turn by turn: plain napari (an image, one labels layer, its own brush) and our dock, with
journal, live numbers, overlay and protection off and on. Both paint the same strokes with real
mouse events on canvases of one size. A move counts until it is drawn (wall) and with all that it
leaves for later (CPU of the window's thread); the end of a stroke from the release until edit,
list, numbers and journal have it. Medians in milliseconds, one JSON line a figure.

Run it on a screen, real or virtual: ``make bench``.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import napari
import nibabel as nib
import numpy as np
from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QEnterEvent, QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_chest.edits import LUNGS, Protection
from napari_chest.ui.canvas.masks import BRUSH
from napari_chest.ui.canvas.window import canvas_widget
from napari_chest.ui.layers import brush_voxels
from napari_chest.ui.plugin import open_workbench

if TYPE_CHECKING:
    from collections.abc import Callable

SPACING = (1.0, 0.7, 0.7)
SIDE = 512
BRUSHES = {"10 mm disc": (10.0, False), "40 mm ball": (40.0, True)}
LENGTHS = (150, 600)
PLAIN, OURS, PROTECTED = "napari", "ours", "ours protected"
PLAIN_TWO, INSIDE = "napari, two masks", "ours inside lungs"
GOAL_BESIDE, GOAL_LENGTH = 1.15, 1.1
_MOVE_MS = 30
_END_MS = 120
_FREE, _LOCKED = 1, 2


@dataclass
class Painter:
    """One of the contenders: its canvas, how it gets ready, how it takes a stroke back."""

    name: str
    viewer: napari.Viewer
    ready: Callable[[float, bool], None]
    undo: Callable[[], None]
    painted: Callable[[], int]
    canvas: object = field(init=False)

    def __post_init__(self):
        self.canvas = canvas_widget(self.viewer)


@dataclass
class Times:
    """Milliseconds of single moves or ends: CPU of the window's thread, and wall until drawn."""

    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)

    def take(self, act, wait):
        """Do something, and let the window do what it has put off."""
        start, spent = time.perf_counter(), time.thread_time()
        act()
        QApplication.processEvents()
        self.wall.append(1000 * (time.perf_counter() - start))
        while time.perf_counter() - start < wait / 1000:
            time.sleep(0.002)
            QApplication.processEvents()
        self.cpu.append(1000 * (time.thread_time() - spent))

    @property
    def medians(self):
        """Of CPU and wall."""
        return statistics.median(self.cpu), statistics.median(self.wall)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--strokes", type=int, default=4, help="of each contender and brush")
    parser.add_argument("--moves", type=int, default=30, help="of a stroke")
    options = parser.parse_args()
    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["NAPARI_CHEST_CONFIG"] = os.environ["NAPARI_CHEST_CACHE"] = scratch
        viewer, plain = napari.Viewer(), napari.Viewer()
        viewer.window.resize(1440, 900)
        controller = open_workbench(viewer)
        for slices in LENGTHS:
            controller.opening.open_folder(_scan(Path(scratch) / f"{slices}-slices", slices))
            _settle(controller)
            for make in (_with_one_mask, _with_lungs):
                painters = make(controller, viewer, plain)
                _as_large(plain, painters[0].canvas, painters[1].canvas)
                for brush in BRUSHES:
                    times = compare(painters, brush, options.strokes, options.moves)
                    found |= {(brush, slices, *key): value for key, value in times.items()}
        report(found)
        plain.close()
        viewer.close()


def compare(painters, brush, strokes, moves):
    """Strokes of all contenders, turn by turn, so that whatever else runs slows all of them."""
    found = {(p.name, part): Times() for p in painters for part in ("move", "end")}
    for turn in range(strokes + 1):
        for painter in painters:
            painter.ready(*BRUSHES[brush])
            QTest.qWait(300)
            before = painter.painted()
            move, end = _stroke(painter, turn, moves)
            assert painter.painted() > before, f"{painter.name} did not paint"
            if turn:  # the first stroke loads and compiles
                for part, times in (("move", move), ("end", end)):
                    found[painter.name, part].cpu += times.cpu
                    found[painter.name, part].wall += times.wall
            painter.undo()
            QTest.qWait(50)
    return found


def report(found):
    """One line a figure, and beside napari's own."""
    for brush in BRUSHES:
        for part in ("move", "end"):
            for plain, *ours in ((PLAIN, OURS, PROTECTED), (PLAIN_TWO, INSIDE)):
                for slices in LENGTHS:
                    _beside(found, brush, slices, part, plain, ours)
                for name in (plain, *ours):
                    _growth(found, brush, name, part)


def _beside(found, brush, slices, part, plain, ours):
    own = found[brush, slices, plain, part].medians
    for name in (plain, *ours):
        cpu, wall = found[brush, slices, name, part].medians
        line = {"figure": f"{part}, {brush}, {slices} slices", "by": name}
        line |= {"cpu_ms": round(cpu, 2), "wall_ms": round(wall, 2)}
        if name != plain:
            ratios = cpu / own[0], wall / own[1]
            line |= {"cpu_ratio": round(ratios[0], 2), "wall_ratio": round(ratios[1], 2)}
            if part == "move":
                line |= {"goal": GOAL_BESIDE, "met": max(ratios) <= GOAL_BESIDE}
        print(json.dumps(line), flush=True)


def _growth(found, brush, name, part):
    pairs = zip(*(found[brush, slices, name, part].medians for slices in LENGTHS), strict=True)
    cpu, wall = (long / short for short, long in pairs)
    line = {"figure": f"{part}, {brush}: 600 to 150 slices", "by": name}
    line |= {"cpu_ratio": round(cpu, 2), "wall_ratio": round(wall, 2), "goal": GOAL_LENGTH}
    print(json.dumps(line | {"met": max(cpu, wall) <= GOAL_LENGTH}), flush=True)


# The contenders


def _with_one_mask(controller, viewer, plain):
    """Plain napari with a mask, and our dock without and with protection, on the same voxels."""
    case, draft = controller.session.open_case, controller.session.draft
    mask = draft.masks()[0].name
    depth = case.volume.grid.shape[0]
    plain.layers.clear()
    plain.add_image(case.volume.voxels, scale=SPACING, contrast_limits=(-1350, 150))
    plain.add_labels(draft.mask_labels(mask).copy(), scale=SPACING)
    locks = frozenset({(mask, _LOCKED)})
    protection = Protection(locks, (-1000.0, 400.0), None, (0, depth - 1), keep_others=True)
    return (
        _plain(PLAIN, plain, depth),
        _dock(OURS, viewer, controller, Protection()),
        _dock(PROTECTED, viewer, controller, protection),
    )


def _with_lungs(controller, viewer, plain):
    """The same with lungs as a second mask, outside of which ours may paint nothing."""
    depth, *_ = shape = controller.session.open_case.volume.grid.shape
    lungs = np.zeros(shape, np.uint8)
    lungs[:, 60:-60, 60:-60] = 1
    controller.session.lungs_begun(lungs)
    plain.add_labels(lungs, scale=SPACING)
    protection = Protection(inside=(LUNGS, frozenset({1, 2})))
    return (
        _plain(PLAIN_TWO, plain, depth),
        _dock(INSIDE, viewer, controller, protection),
    )


def _plain(name, viewer, depth):
    layer = viewer.layers[1]

    def ready(size, deep):
        viewer.dims.set_point(0, depth // 2 * SPACING[0])
        viewer.layers.selection.active = layer
        layer.mode, layer.selected_label = "paint", _FREE
        layer.n_edit_dimensions = 3 if deep else 2
        layer.brush_size = brush_voxels(size, min(SPACING if deep else SPACING[1:]))
        _to_front(viewer)

    return Painter(name, viewer, ready, layer.undo, lambda: int((layer.data == _FREE).sum()))


def _dock(name, viewer, controller, protection):
    session, masks = controller.session, controller.canvas.masks
    mask, depth = session.draft.masks()[0].name, session.open_case.volume.grid.shape[0]

    def ready(size, deep):
        controller.canvas.go_to(depth // 2)
        session.protect(protection)
        masks.select(mask, _FREE)
        masks.set_tool(BRUSH)
        masks.set_brush(size, deep=deep)
        _to_front(viewer)

    return Painter(
        name, viewer, ready, session.undo, lambda: int(session.draft.voxels(mask)[_FREE])
    )


def _scan(folder, slices):
    """A CT of water with two lesions in its mask."""
    folder.mkdir()
    voxels = np.zeros((SIDE, SIDE, slices), np.int16)
    labels = np.zeros((SIDE, SIDE, slices), np.uint8)
    labels[100:160, 200:280, slices // 3 : 2 * slices // 3] = _FREE
    labels[300:360, 200:280, slices // 3 : 2 * slices // 3] = _LOCKED
    affine = np.diag([-SPACING[2], -SPACING[1], SPACING[0], 1.0])
    for name, array in (("scan.nii.gz", voxels), ("scan_mask.nii.gz", labels)):
        nib.save(nib.Nifti1Image(array, affine), folder / name)
    return folder


# The mouse


def _stroke(painter, turn, moves):
    """A wavy stroke through the image, elsewhere at every turn: its moves, and its end."""
    path = [_place(painter, turn, step / moves) for step in range(moves + 1)]
    _mouse(painter.canvas, QEvent.Type.MouseMove, path[0], held=False)
    QTest.qWait(100)
    _mouse(painter.canvas, QEvent.Type.MouseButtonPress, path[0])
    QApplication.processEvents()
    move, end = Times(), Times()
    for place in path[1:]:
        move.take(partial(_mouse, painter.canvas, QEvent.Type.MouseMove, place), _MOVE_MS)
    release = partial(_mouse, painter.canvas, QEvent.Type.MouseButtonRelease, path[-1], held=False)
    end.take(release, _END_MS)
    return move, end


def _place(painter, turn, share):
    """Where a stroke is, in pixels of the canvas."""
    y = SIDE * (0.25 + 0.08 * turn + 0.04 * math.sin(9 * share))
    x = SIDE * (0.2 + 0.5 * share)
    camera = painter.viewer.scene.camera
    width, height = painter.canvas.width(), painter.canvas.height()
    right = (x * SPACING[2] - camera.center[-1]) * camera.zoom
    down = (y * SPACING[1] - camera.center[-2]) * camera.zoom
    return QPointF(width / 2 + right, height / 2 + down)


def _mouse(canvas, kind, place, *, held=True):
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    button = none if kind == QEvent.Type.MouseMove else left
    event = QMouseEvent(
        kind,
        place,
        QPointF(canvas.mapToGlobal(place.toPoint())),
        button,
        left if held else none,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(canvas, event)


# The windows


def _as_large(plain, canvas, wanted):
    """Give plain napari a canvas of the size of ours: what is drawn is most of what it costs."""
    for _ in range(3):
        QTest.qWait(300)
        window = canvas.window()
        plain.window.resize(
            window.width() + wanted.width() - canvas.width(),
            window.height() + wanted.height() - canvas.height(),
        )
    QTest.qWait(300)
    plain.reset_view()


def _to_front(viewer):
    window = canvas_widget(viewer).window()
    window.raise_()
    window.activateWindow()
    # napari tells of what is under the pointer from when the pointer first enters a window.
    middle = QPointF(window.rect().center())
    QApplication.sendEvent(window, QEnterEvent(middle, middle, middle))


def _settle(controller):
    until = time.monotonic() + 120
    while controller.reader.busy or controller.session.open_case is None:
        QApplication.processEvents()
        if time.monotonic() > until:
            raise TimeoutError("the case did not open")
    QTest.qWait(500)


if __name__ == "__main__":
    main()
