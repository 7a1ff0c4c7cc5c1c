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
import numpy as np
from qtpy.QtWidgets import QApplication, QWidget

import napari_chest
from napari_chest.phantom import make_bimcv, make_covid_ct_md, make_mosmed, make_ricord
from napari_chest.review.acts import Decide, Prioritise, Remark, Submit
from napari_chest.ui.canvas.window import main_window
from napari_chest.ui.plugin import open_workbench

IMAGES = Path(__file__).parent / "images"
SIZE = (1366, 768)


def main() -> int:
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["NAPARI_CHEST_CONFIG"] = scratch
        os.environ["NAPARI_CHEST_PERSON"] = "Ada"
        root = make_covid_ct_md(Path(scratch) / "covid-ct-md").root
        viewer = napari.Viewer()
        viewer.window.resize(*SIZE)
        controller = open_workbench(viewer)
        settle()
        grab(viewer, "start")
        controller.opening.open_folder(root)
        wait_for(
            lambda: controller.session.draft is not None and not controller.opening.reader.busy
        )
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
        controller.bench.proof.done_button.click()
        masks(controller, Path(scratch))
        grab(viewer, "masks")
        outlines_apart(controller)
        controller.act("interpolate")
        wait_for(lambda: controller.canvas.masks.preview.shown)
        grab(viewer, "preview")
        controller.tooling.keep()
        planes(controller)
        grab(viewer, "planes")
        controller.act("layout")
        radiograph(controller, Path(scratch))
        grab(viewer, "radiograph")
        readers(controller, Path(scratch))
        grab(viewer, "readers")
        review(controller)
        grab(viewer, "review")
        controller.bench.work.comments.toggle.setChecked(False)
        controller.act("disagreement_next")
        wait_for(lambda: controller.adjudicating.current is not None)
        grab(viewer, "adjudication")
        controller.act("agreement")
        wait_for(lambda: controller.agreeing.window is not None and not controller.agreeing.busy)
        save(controller.agreeing.window, "agreement")
        viewer.close()
    return 0


def masks(controller, folder: Path) -> None:  # noqa: ANN001
    """A mask on its way from one segment to two."""
    phantom = make_mosmed(folder / "mosmed")
    wrong = next(m for m in phantom.mistakes if m.kind == "false patch")
    open_case(controller, phantom.root, f"study_{wrong.number:04}")
    controller.canvas.go_to(wrong.slices[0])
    controller.bench.segments.add_button.click()
    opacity = phantom.study(wrong.number).opacity
    labels = controller.session.draft.mask_labels("opacity types")
    whole = tuple(slice(0, length) for length in labels.shape)
    told_apart = np.where((labels != 0) & (opacity != 0), opacity, labels)
    controller.session.paint("tell apart", "opacity types", whole, told_apart)
    controller.painting.select_row(2)


def outlines_apart(controller) -> None:  # noqa: ANN001
    """The largest segment outlined on every fourth slice only, as a person begins it."""
    draft = controller.session.draft
    name, value = "opacity types", 1
    labels = draft.mask_labels(name)
    middle = int((labels == value).sum(axis=(1, 2)).argmax())
    box = (slice(middle + 1, middle + 4), *map(slice, (0, 0), labels.shape[1:]))
    controller.session.paint("outline", name, box, np.zeros_like(labels[box]))
    controller.canvas.masks.select(name, value)
    controller.canvas.go_to(middle + 2)


def planes(controller) -> None:  # noqa: ANN001
    """All three planes through a segment, the lungs found, and protection by them."""
    controller.act("lungs")
    wait_for(lambda: "lungs" in {mask.name for mask in controller.session.draft.masks()})
    controller.act("layout")
    controller.act("tool_brush")
    settle()
    labels = controller.session.draft.mask_labels("opacity types")
    z = controller.canvas.slice
    y, x = (int(np.median(places)) for places in labels[z].nonzero())
    controller.layout.viewing.go_to((z, y, x))


def radiograph(controller, folder: Path) -> None:  # noqa: ANN001
    """Two ROIs that overlap, and what is known of the case."""
    root = make_bimcv(folder / "bimcv").root
    open_case(controller, root, "S00001 E00001 run-1 PA")
    controller.bench.details.toggle.setChecked(True)


def readers(controller, folder: Path) -> None:  # noqa: ANN001
    """All readers of a case beside the one that is corrected."""
    controller.bench.details.toggle.setChecked(False)
    phantom = make_ricord(folder / "ricord")
    os.environ["NAPARI_CHEST_CACHE"] = str(folder / "cache")
    dataset = napari_chest.open_dataset(phantom.root)
    open_case(controller, phantom.root, dataset.cases()[1].title)
    for action in controller.bench.others.menu().actions():
        if action.text() == "All readers":
            action.trigger()
            break
    else:
        controller.bench.others.menu().actions()[0].setChecked(True)
    drawn = np.any([m.labels.any(axis=(1, 2)) for m in controller.session.draft.masks()], axis=0)
    controller.canvas.go_to(int(np.flatnonzero(drawn)[len(np.flatnonzero(drawn)) // 2]))
    controller.bench.annotations.toggle.setChecked(True)


def review(controller) -> None:  # noqa: ANN001
    """A work list on its way, with a comment on the case that is open."""
    session, desk = controller.session, controller.session.desk
    controller.bench.annotations.toggle.setChecked(False)
    for action in controller.bench.others.menu().actions():
        action.setChecked(False)
    others = [case.id for case in session.cases if case.id != session.open_case.info.id]
    desk.do(
        *(Submit(who=desk.person, case=case, reader=desk.person) for case in others[:3]),
        Decide(who=desk.person, case=others[0], reader=desk.person, state="approved", seen=1),
        Decide(
            who=desk.person,
            case=others[1],
            reader=desk.person,
            state="needs fix",
            seen=1,
            reason="extent",
        ),
        Prioritise(who=desk.person, cases=(others[3],), priority=3),
        Remark(
            who=desk.person,
            case=session.open_case.info.id,
            text="Is the rim still ground glass?",
            voxel=(controller.canvas.slice, 100, 100),
        ),
    )
    session.review_changed.emit(frozenset())
    controller.bench.work.comments.toggle.setChecked(True)


def open_case(controller, root: Path, title: str) -> None:  # noqa: ANN001
    controller.opening.open_folder(root, title)
    session = controller.session
    wait_for(
        lambda: (
            session.open_case is not None
            and session.open_case.info.title == title
            and not controller.opening.reader.busy
        )
    )


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
    save(main_window(viewer), name)


def save(window: QWidget | None, name: str) -> None:
    settle()
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
