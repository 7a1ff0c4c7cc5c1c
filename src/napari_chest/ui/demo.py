"""napari with the Chest dock: on a dataset, or walking through a synthetic one by itself."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import napari
import numpy as np
from qtpy.QtWidgets import QApplication

from napari_chest.errors import ChestError
from napari_chest.ui.canvas.window import can_draw, main_window
from napari_chest.ui.demo_data import demo_folder
from napari_chest.ui.plugin import open_workbench

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_chest.model import CaseInfo
    from napari_chest.ui.controller import Controller

WRONG, RIGHT = "LLL", "LUL"
"""The labels that the synthetic dataset confuses on ten slices of its first case."""
_SIZE = (1440, 900)
_PATIENCE_SECONDS = 120
_SETTLE_SECONDS = 0.4


def show(folder: Path, case_id: str | None = None) -> int:
    """Open napari on a dataset and wait until its window is closed."""
    viewer = napari.Viewer()
    open_workbench(viewer).opening.open_folder(folder, case_id)
    napari.run()
    return 0


def run(layout: str, folder: Path, *, scripted: bool = False) -> int:
    """Make a synthetic dataset in a folder and open it, or walk through it where nobody looks.

    Raises
    ------
    ChestError
        when there is neither a display nor a virtual one.
    """
    print(f"Making a synthetic dataset in {folder} (once, some seconds) ...", flush=True)  # noqa: T201
    dataset = demo_folder(layout, folder / layout)
    scenario = SCENARIOS[layout]
    if scripted or not _somebody_looks():
        return _walk_through(dataset, folder, scenario)
    print(scenario.hint)  # noqa: T201
    return show(dataset)


def _somebody_looks() -> bool:
    if sys.platform != "linux":
        return True
    offscreen = os.environ.get("QT_QPA_PLATFORM") in ("offscreen", "minimal")
    return not offscreen and bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _walk_through(dataset: Path, folder: Path, scenario: Scenario) -> int:
    """Open, correct, save and prove in the real window, by its own actions and buttons."""
    if not os.environ.get("DISPLAY") and sys.platform == "linux":
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # otherwise Qt aborts the process
    if not can_draw():
        raise ChestError(
            "there is no display to draw on, not even a virtual one. Install xvfb (Debian, "
            "Ubuntu: apt-get install xvfb) and run: xvfb-run -a napari-chest demo --scripted"
        )
    viewer = napari.Viewer()
    viewer.window.resize(*_SIZE)
    controller = open_workbench(viewer)
    bench, session = controller.bench, controller.session
    controller.opening.open_folder(dataset)
    _wait_for(lambda: session.draft is not None and not controller.opening.reader.busy)
    scenario.correct(controller)
    pictures = [_picture(viewer, folder / "screenshot-corrected.png")]
    controller.act("save")
    bench.save.export_button.click()
    _wait_for(lambda: bench.pages.currentWidget() is bench.proof)
    pictures.append(_picture(viewer, folder / "screenshot-proof.png"))
    holds = bench.proof.headline.property("state") == "saved"
    viewer.close()
    _report(dataset, pictures)
    return 0 if holds else 1


def _exchange_lobes(controller: Controller) -> None:
    """Put the right label in place of the wrong one, where a run of slices confuses them."""
    draft = controller.session.draft
    assert draft is not None
    assert draft.labels is not None
    values, columns = draft.labels.values, draft.labels.columns
    confused = np.flatnonzero(values[:, columns.index(WRONG)] & ~values[:, columns.index(RIGHT)])
    if not len(confused):
        raise ChestError(
            f"the synthetic dataset has been corrected already. Delete {_root(controller)} and its "
            "review folder, then run the demo again."
        )
    run = confused[: int(np.argmax(np.diff(confused, append=confused[-1] + 2) > 1)) + 1]
    controller.canvas.go_to(int(run[0]))
    controller.act("mark")
    controller.canvas.go_to(int(run[-1]))
    controller.act(f"toggle_{columns.index(WRONG)}")
    controller.act(f"toggle_{columns.index(RIGHT)}")


def _paint_a_stroke(controller: Controller) -> None:
    """Paint with napari's brush into the first case that has a mask."""
    session = controller.session
    for info in session.cases:
        controller.opening.open_case(info.id)
        _wait_for(partial(_is_open, controller, info))
        if session.draft is not None and session.draft.masks():
            break
    else:
        raise ChestError(f"no case of {_root(controller)} has a mask.")
    mask = session.draft.masks()[0]
    slices = np.flatnonzero(mask.labels.any(axis=(1, 2)))
    z = int(slices[len(slices) // 2])
    controller.canvas.go_to(z)
    _, height, width = mask.labels.shape
    controller.canvas.masks.stroke(mask.name, (z, height // 2, width // 3))
    _wait_for(lambda: bool(session.unsaved()))


def _take_back_an_answer(controller: Controller) -> None:
    """Withdraw the first answer of the first case whose reader gave one."""
    session = controller.session
    for info in session.cases:
        controller.opening.open_case(info.id)
        _wait_for(partial(_is_open, controller, info))
        answers = session.draft.answers if session.draft is not None else {}
        answered = next((key for key, answer in answers.items() if answer), None)
        if answered is not None:
            session.answer(answered, answers[answered][1:])
            return
    raise ChestError(f"no case of {_root(controller)} has an answer.")


def _is_open(controller: Controller, info: CaseInfo) -> bool:
    case = controller.session.open_case
    return case is not None and case.info.id == info.id and not controller.opening.reader.busy


@dataclass(frozen=True)
class Scenario:
    """What there is to correct in a synthetic dataset.

    Attributes
    ----------
    hint : tells a person how.
    correct : does it by itself.
    """

    hint: str
    correct: Callable[[Controller], None]


SCENARIOS = {
    "covid-ct-md": Scenario(
        f"In case P001, {WRONG} is set on ten slices where the disease is in {RIGHT}. Mark the "
        "first of them with M, go to the last, press 1 and 2, then Ctrl+Shift+E and Enter to save.",
        _exchange_lobes,
    ),
    "mosmed": Scenario(
        "One of the masks has two false patches and two missing lesions. Erase with E, paint with "
        "P, then press Ctrl+Shift+E and Enter to save.",
        _paint_a_stroke,
    ),
    "bimcv": Scenario(
        "One ROI lies over the wrong lung, and one case lacks a finding. Erase with E, paint with "
        "P, then press Ctrl+Shift+E and Enter to save.",
        _paint_a_stroke,
    ),
    "ricord": Scenario(
        "In the first study one reader's ring lies in healthy lung, and another reader missed a "
        "slice. Choose the reader above the list, erase with E, paint with P, then press "
        "Ctrl+Shift+E and Enter to save.",
        _paint_a_stroke,
    ),
    "ricord-1c": Scenario(
        "One reader calls a severe exam negative. Choose the reader above the list, correct the "
        "exam labels, then press Ctrl+Shift+E and Enter to save.",
        _take_back_an_answer,
    ),
}


def _root(controller: Controller) -> Path:
    assert controller.session.dataset is not None
    return controller.session.dataset.root


def _picture(viewer: napari.Viewer, path: Path) -> Path:
    until = time.monotonic() + _SETTLE_SECONDS
    while time.monotonic() < until:
        QApplication.processEvents()
    window = main_window(viewer)
    assert window is not None
    window.grab().save(str(path))
    return path


def _report(dataset: Path, pictures: list[Path]) -> None:
    review = dataset.with_name(f"{dataset.name}-review")
    proof = max((review / "proof").iterdir())
    lines = [
        proof.read_text(encoding="utf-8"),
        f"Screenshots:       {', '.join(map(str, pictures))}",
        f"Synthetic dataset: {dataset}",
        f"Written dataset:   {review / 'export'}",
        f"Proof:             {proof}",
    ]
    print("\n".join(lines))  # noqa: T201


def _wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > until:
            raise ChestError("the demo did not get further; please report this with its output.")
        QApplication.processEvents()
        time.sleep(0.005)
