"""What three linked planes cost: main-thread CPU of a slice step, a crosshair jump and a dab.

Run it on a screen, real or virtual: ``make bench``. One JSON line a figure; milliseconds of the
window's thread, medians, on 300 slices of 512 x 512 with one mask. Ratios compare three planes with
one in the same run.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path

import napari
import nibabel as nib
import numpy as np
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_chest.ui.canvas.masks import BRUSH
from napari_chest.ui.plugin import open_workbench

SLICES = 300
GOAL = 1.6
_FRAME_MS = 40


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=40)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["NAPARI_CHEST_CONFIG"] = scratch
        viewer = napari.Viewer()
        viewer.window.resize(1440, 900)
        controller = open_workbench(viewer)
        controller.opening.open_folder(_scan(Path(scratch) / "scan"))
        _settle(controller)
        compare(controller, options.steps)
        drawing(controller, options.steps)
        viewer.close()


def compare(controller, steps):
    """One plane and three of them, in turns, so that whatever else runs slows both."""
    acts = {"a slice step": _step, "a crosshair jump": _jump, "a dab": _dab}
    found = {(what, planes): [] for what in acts for planes in (1, 3)}
    controller.canvas.masks.set_tool(BRUSH)
    for what, act in acts.items():
        for turn in range(4):
            planes = 1 if turn % 2 == 0 else 3
            _show(controller, planes)
            for step in range(steps // 2):
                index = 60 + turn * steps // 2 + step  # a dab where one was made costs nothing
                found[what, planes].append(_cpu(partial(act, controller, index)))
        one, three = (statistics.median(found[what, planes]) for planes in (1, 3))
        line = {"figure": what, "one_plane_ms": round(one, 1), "three_planes_ms": round(three, 1)}
        line |= {"ratio": round(three / one, 2)}
        if act is _step:
            line |= {"goal": GOAL, "met": three <= GOAL * one}
        print(json.dumps(line), flush=True)


def drawing(controller, steps):
    """Drawing a new slice in each plane alone."""
    _show(controller, 3)
    planes = controller.layout.planes
    for plane in planes.planes:
        planes.set_main((plane.axis + 1) % 3)
        QTest.qWait(50)
        spent = []
        for step in range(steps):
            planes.show_at((100 + step, 200 + step, 200 + step))
            spent.append(_cpu(plane.repaint, wait=0))
        name = plane.picture.facing.plane
        line = {"figure": f"a new {name} slice", "median_ms": round(statistics.median(spent), 2)}
        print(json.dumps(line), flush=True)


def _step(controller, z):
    controller.canvas.go_to(z)


def _jump(controller, index):
    viewing = controller.layout.viewing
    if viewing is None or not controller.layout.planes.isVisible():
        controller.canvas.go_to(index)
    else:
        viewing.go_to((index, 100 + index, 100 + index))


def _dab(controller, index):
    masks = controller.canvas.masks
    at = (float(controller.canvas.slice), 20.0 + 2 * index, 20.0 + 2 * index)
    if masks.begin_stroke(at, 0, erase=False):
        masks.end_stroke()


def _show(controller, planes):
    layout = controller.layout
    shown = layout.planes is not None and layout.planes.isVisible()
    if shown != (planes == 3):
        controller.act("layout")
    QTest.qWait(300)


def _scan(folder):
    """A CT of air with a mask beside it."""
    folder.mkdir()
    for name, dtype in (("scan.nii.gz", np.int16), ("scan_mask.nii.gz", np.uint8)):
        voxels = np.zeros((512, 512, SLICES), dtype)
        voxels[200:300, 200:300, SLICES // 3 : SLICES // 2] = 1
        nib.save(nib.Nifti1Image(voxels, np.diag([-0.7, -0.7, 1.0, 1.0])), folder / name)
    return folder


def _settle(controller):
    until = time.monotonic() + 60
    while controller.reader.busy or controller.session.open_case is None:
        QApplication.processEvents()
        if time.monotonic() > until:
            raise TimeoutError("the case did not open")
    QTest.qWait(300)


def _cpu(act, wait=_FRAME_MS):
    """CPU time of this thread until what was done is drawn, in ms."""
    start = time.thread_time()
    act()
    until = time.monotonic() + wait / 1000
    QApplication.processEvents()
    while time.monotonic() < until:  # what is throttled comes later
        time.sleep(0.002)
        QApplication.processEvents()
    return 1000 * (time.thread_time() - start)


if __name__ == "__main__":
    main()
