"""Makes the pictures of README and docs from the real window on the synthetic dataset.

Run it on a screen, real or virtual: ``make screenshots``.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import napari
from qtpy.QtWidgets import QApplication

from napari_chest.phantom import make_covid_ct_md
from napari_chest.ui.canvas.window import main_window
from napari_chest.ui.plugin import open_workbench

IMAGES = Path(__file__).parent / "images"
SIZE = (1366, 768)


def main() -> int:
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["NAPARI_CHEST_CONFIG"] = scratch
        root = make_covid_ct_md(Path(scratch) / "covid-ct-md").root
        viewer = napari.Viewer()
        viewer.window.resize(*SIZE)
        controller = open_workbench(viewer)
        settle()
        grab(viewer, "start")
        controller.open_folder(root)
        wait_for(lambda: controller.session.draft is not None and not controller.reader.busy)
        correct(controller)
        grab(viewer, "workbench")
        viewer.dims.order = (1, 0, 2)
        viewer.reset_view()
        grab(viewer, "coronal")
        viewer.dims.order = (0, 1, 2)
        viewer.reset_view()
        controller.act("save")
        grab(viewer, "save")
        controller.bench.save.export_button.click()
        wait_for(lambda: controller.bench.pages.currentWidget() is controller.bench.proof)
        grab(viewer, "proof")
        viewer.close()
    return 0


def correct(controller) -> None:  # noqa: ANN001
    labels = controller.session.draft.labels
    wrong = labels.columns.index("LLL")
    confused = (labels.values[:, wrong] & ~labels.values[:, wrong + 1]).nonzero()[0]
    controller.canvas.go_to(int(confused[0]))
    controller.act("mark")
    controller.canvas.go_to(int(confused[0]) + 9)
    controller.act("toggle_0")
    controller.act("toggle_1")


def grab(viewer: napari.Viewer, name: str) -> None:
    settle()
    window = main_window(viewer)
    assert window is not None
    path = IMAGES / f"{name}.png"
    window.grab().save(str(path))
    print(path.relative_to(IMAGES.parent.parent))


def settle(seconds: float = 0.6) -> None:
    wait_for(lambda: False, seconds)


def wait_for(condition, seconds: float = 60.0) -> None:  # noqa: ANN001
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        QApplication.processEvents()
        time.sleep(0.005)


if __name__ == "__main__":
    sys.exit(main())
