"""How long a person waits in the window: first image, next slice, next label.

Run it on a screen, real or virtual: ``make bench``. One JSON line a figure; times in milliseconds,
medians. Ratios compare a long case with a short one in the same run: they should be near 1, since
neither scrolling nor labelling may grow with the number of slices.
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
from qtpy.QtWidgets import QApplication

from napari_chest.phantom import PhantomCase, make_covid_ct_md
from napari_chest.ui.plugin import open_workbench

REAL = Path(__file__).resolve().parents[2] / "shared" / "data" / "covid-ct-md"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=REAL, help="a COVID-CT-MD folder")
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["NAPARI_CHEST_CONFIG"] = scratch
        viewer = napari.Viewer()
        viewer.window.resize(1440, 900)
        controller = open_workbench(viewer)
        folder = options.folder if options.folder.is_dir() else _phantom(Path(scratch), 160)
        first_image(controller, folder, options.runs)
        growth(controller, Path(scratch), options.runs)
        strokes(controller, Path(scratch), options.runs)
        viewer.close()


def first_image(controller, folder, runs):
    """From choosing a case to its first slice being drawn, and to the whole of it."""
    controller.opening.open_folder(folder)
    _settle(controller)
    cases = [case.id for case in controller.session.cases][:2]
    first, whole = [], []
    for run in range(runs * len(cases)):
        shown = []
        record = _on_first(controller, shown)
        start = time.perf_counter()
        controller.opening.open_case(cases[(run + 1) % len(cases)])
        while not shown:
            QApplication.processEvents()
        # The layer has its data; one more turn of the loop draws it.
        QApplication.processEvents()
        first.append(1000 * (time.perf_counter() - start))
        _settle(controller)
        whole.append(1000 * (time.perf_counter() - start))
        controller.opening.reader.first_image.disconnect(record)
    _print("choose a case to first image", first, goal_ms=500)
    _print("choose a case to all slices", whole)


def growth(controller, scratch, runs):
    """Scrolling and labelling on 60 and on 600 slices."""
    medians = {}
    for slices in (60, 600):
        controller.opening.open_folder(_phantom(scratch, slices))
        _settle(controller)
        medians[slices] = _scroll(controller, runs * 8), _label(controller, runs * 8)
    for index, what in enumerate(("scroll a slice", "toggle a lobe")):
        short, long = medians[60][index], medians[600][index]
        line = {"figure": what, "60_slices_ms": short, "600_slices_ms": long}
        print(json.dumps({k: round(v, 1) if k != "figure" else v for k, v in line.items()}))
        print(json.dumps({"figure": f"{what}: 600 to 60 slices", "ratio": round(long / short, 2)}))


def strokes(controller, scratch, runs):
    """A click of the brush and its undo, until both are on screen, on 40 and on 300 slices."""
    medians = {}
    for slices in (40, 300):
        controller.opening.open_folder(_scan(scratch / f"scan-{slices}", slices))
        _settle(controller)
        mask = controller.session.draft.masks()[0].name
        z = controller.canvas.slice
        stroke, undo = [], []
        for run in range(runs * 4):
            voxel = (z, 50 + run, 256)
            stroke.append(_timed(partial(_stroke, controller, mask, voxel)))
            undo.append(_timed(partial(controller.act, "undo")))
        medians[slices] = statistics.median(stroke), statistics.median(undo)
        _print(f"a stroke on {slices} slices", stroke, goal_ms=50)
        _print(f"its undo on {slices} slices", undo)
        controller.session.open_dataset(controller.session.dataset, controller.session.cases)
    for index, what in enumerate(("a stroke", "its undo")):
        ratio = medians[300][index] / medians[40][index]
        print(json.dumps({"figure": f"{what}: 300 to 40 slices", "ratio": round(ratio, 2)}))


def _stroke(controller, mask, voxel):
    controller.canvas.masks.stroke(mask, voxel)
    while controller.session.draft.undoable is None:
        QApplication.processEvents()


def _scan(folder, slices):
    """A CT of air with a mask beside it, 512 voxels a side."""
    folder.mkdir()
    shape = (512, 512, slices)
    for name, dtype in (("scan.nii.gz", np.int16), ("scan_mask.nii.gz", np.uint8)):
        voxels = np.zeros(shape, dtype)
        voxels[200:300, 200:300, slices // 3 : slices // 2] = 1
        nib.save(nib.Nifti1Image(voxels, np.diag([-0.7, -0.7, 1.0, 1.0])), folder / name)
    return folder


def _scroll(controller, steps):
    go_to = controller.canvas.go_to
    return statistics.median(_timed(partial(go_to, 20 + step % 20)) for step in range(steps))


def _label(controller, steps):
    return statistics.median(_timed(lambda: controller.act("toggle_1")) for _ in range(steps))


def _timed(act):
    start = time.perf_counter()
    act()
    QApplication.processEvents()
    return 1000 * (time.perf_counter() - start)


def _on_first(controller, shown):
    def record(*_):
        shown.append(True)

    controller.opening.reader.first_image.connect(record)
    return record


def _settle(controller):
    until = time.monotonic() + 60
    while controller.opening.reader.busy or controller.session.open_case is None:
        QApplication.processEvents()
        if time.monotonic() > until:
            raise TimeoutError("the case did not open")
    for _ in range(20):
        QApplication.processEvents()
        time.sleep(0.005)


def _phantom(scratch, slices):
    case = PhantomCase("COVID-19 subjects", "P001", "named", 0.4, True)
    return make_covid_ct_md(
        scratch / f"{slices}-slices", shape=(slices, 128, 128), cases=(case,)
    ).root


def _print(figure, values, **more):
    line = {"figure": figure, "median_ms": round(statistics.median(values), 1), **more}
    line["min_ms"], line["max_ms"] = round(min(values), 1), round(max(values), 1)
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
