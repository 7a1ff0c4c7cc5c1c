"""How long tools in 3-D hold the window, and what they leave in the history.

A timer ticks every 5 ms in the window's thread while a tool works on its own thread, is previewed,
kept, undone and done again on 300 x 512 x 512 voxels; the longest time between two ticks is what a
person may feel. CPU is what the window's thread itself spent in that time: the rest of it was
drawing on other threads, or other programs. One JSON line an act.

Run it on a screen, real or virtual: ``make bench``.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from functools import partial
from pathlib import Path

import napari
import nibabel as nib
import numpy as np
from qtpy.QtCore import QEventLoop, Qt, QTimer
from qtpy.QtWidgets import QApplication
from scipy import ndimage

from napari_chest.phantom import make_chest
from napari_chest.tools import tool
from napari_chest.ui.plugin import open_workbench

GOAL_MS, GOAL_MB = 100, 5
MOST_ML = 8000
_TICK_MS = 5
_SETTLE_SECONDS = 0.7
_PATIENCE_SECONDS = 120


class Heartbeat:
    """Ticks in the window's thread, and remembers its longest pause and the CPU spent in it."""

    def __init__(self):
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start(_TICK_MS)
        self.begin()

    def begin(self):
        """Forget what was."""
        self.pause_ms = self.cpu_ms = 0.0
        self._wall, self._cpu = time.perf_counter(), time.thread_time()

    def _tick(self):
        wall, cpu = time.perf_counter(), time.thread_time()
        if 1000 * (wall - self._wall) > self.pause_ms:
            self.pause_ms = 1000 * (wall - self._wall)
            self.cpu_ms = 1000 * (cpu - self._cpu)
        self._wall, self._cpu = wall, cpu


class Desk:
    """A case at work, and the heart that beats meanwhile."""

    def __init__(self, controller, rounds):
        self.controller = controller
        self.tooling = controller.tooling
        self.session = controller.session
        self.heart = Heartbeat()
        self.rounds = rounds
        self.pauses: dict[str, list[tuple[float, float]]] = {}
        self.held: dict[str, float] = {}

    def do(self, what, act):
        """Do something and wait until the window is idle again."""
        _pass(0.2)
        self.heart.begin()
        act()
        started = time.monotonic()
        _pass(0.05)
        while self.tooling.busy:
            _pass(0.02)
            if time.monotonic() - started > _PATIENCE_SECONDS:
                raise TimeoutError(f"{what} did not end")
        _pass(_SETTLE_SECONDS)
        self.pauses.setdefault(what, []).append((self.heart.pause_ms, self.heart.cpu_ms))

    def use(self, what, act, *, preview=True):
        """Use a tool, keep what it previews, undo it and do it again, and leave all as it was."""
        for _ in range(self.rounds):
            self.do(what, act)
            if preview:
                assert self.controller.canvas.masks.preview.shown, (
                    self.controller.bench.message.text()
                )
                self.do(f"{what}: keep", self.tooling.keep)
            step = self.session.draft.undoable
            assert step is not None, f"{what} did nothing"
            for name in ("undo", "redo", "undo"):
                self.do(f"{what}: {name}", partial(self.controller.act, name))
            step.pack()
            self.held[what] = step.nbytes / 2**20

    def report(self):
        """One line an act."""
        for what, pauses in self.pauses.items():
            longest, cpu = max(pauses)
            line = {"figure": what, "longest_hold_ms": round(longest, 1), "cpu_ms": round(cpu, 1)}
            line |= {"goal": GOAL_MS, "met": longest <= GOAL_MS}
            if what in self.held:
                held = self.held[what]
                line |= {"history_mb": round(held, 2), "goal_mb": GOAL_MB}
                line["met"] = line["met"] and held <= GOAL_MB
            print(json.dumps(line), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--planes", type=int, choices=(1, 3), default=1)
    options = parser.parse_args()
    chest = make_chest((options.slices, 512, 512), severity=0.4)
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["NAPARI_CHEST_CONFIG"] = os.environ["NAPARI_CHEST_CACHE"] = scratch
        viewer = napari.Viewer()
        viewer.window.resize(1440, 900)
        controller = open_workbench(viewer)
        controller.opening.open_folder(_saved(chest, Path(scratch) / "chest"))
        _settle(controller)
        if options.planes == 3:
            controller.act("layout")
        desk = Desk(controller, options.rounds)
        work(desk, chest)
        desk.report()
        viewer.close()


def work(desk, chest):
    """All tools, one after another."""
    tooling = desk.tooling
    grow = partial(tooling.use, tool("grow"), _in_a_lung(chest), {"most": MOST_ML})
    desk.use("grow in a lung", grow)
    _set(desk, _riddled(chest))
    desk.use("fill holes", partial(tooling.use, tool("fill_holes")))
    _set(desk, (chest.lobes > 3).astype(np.uint8))
    desk.use("smooth a lung", partial(tooling.use, tool("smooth")))
    outlined = np.zeros_like(chest.lobes)
    outlined[::8] = chest.lobes[::8] > 3
    _set(desk, outlined)
    desk.use("interpolate a lung", partial(tooling.use, tool("interpolate")))
    desk.use("find the lungs", tooling.find_lungs, preview=False)


def _in_a_lung(chest):
    """A voxel in the middle of healthy lung, with the median of what is around it."""
    z = len(chest.voxels) // 3
    lung = ndimage.binary_erosion((chest.lobes[z] > 0) & (chest.opacity[z] == 0), iterations=8)
    usual = np.median(chest.voxels[z][lung])
    places = np.argwhere(lung & (np.abs(chest.voxels[z] - usual) < 10))
    y, x = places[len(places) // 2]
    return z, int(y), int(x)


def _riddled(chest):
    """A lung full of small holes."""
    lung = (chest.lobes > 3).astype(np.uint8)
    inner = lung[:, 1:-1, 1:-1]
    inner[np.random.default_rng(0).random(inner.shape) < 0.001] = 0
    return lung


def _set(desk, labels):
    """Give the mask these labels, as one edit."""
    mask = desk.session.draft.masks()[0].name
    whole = tuple(slice(0, length) for length in labels.shape)
    desk.session.paint("prepared", mask, whole, labels)
    desk.controller.canvas.masks.select(mask, 1)
    _pass(1)


def _saved(chest, folder):
    """The chest as a folder of NIfTI files, its opacities as a mask."""
    folder.mkdir()
    z, y, x = chest.spacing
    affine = np.diag([-x, -y, -z, 1.0])
    for name, array in (("scan.nii.gz", chest.voxels), ("scan_mask.nii.gz", chest.opacity)):
        image = nib.Nifti1Image(np.ascontiguousarray(array.transpose(2, 1, 0)), affine)
        nib.save(image, folder / name)
    return folder


def _settle(controller):
    until = time.monotonic() + _PATIENCE_SECONDS
    while controller.reader.busy or controller.session.open_case is None:
        QApplication.processEvents()
        if time.monotonic() > until:
            raise TimeoutError("the case did not open")
    _pass(2)


def _pass(seconds):
    """Let the window live for a while."""
    loop = QEventLoop()
    QTimer.singleShot(round(1000 * seconds), loop.quit)
    loop.exec()


if __name__ == "__main__":
    main()
