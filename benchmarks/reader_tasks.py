"""Reader tasks in the real window: how many actions a person needs, and how long they wait.

T1 opens a dataset and reaches its first case, T5 moves a label to another lobe on ten slices, T8
saves the corrected case and sees the proof. A script uses the real widgets; an event filter counts
what a person would do: a mouse button released, a key pressed, a run of the wheel, and one more for
every dialog that opens. Waiting ends when the result is on screen and the event loop is idle.

One JSON line a task. The exit code is 1 when an end state is wrong or a task takes more than one
action above its goal. Run it on a screen, real or virtual: ``make bench``.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import napari
import numpy as np
from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QDialog

from napari_chest.model import Window
from napari_chest.phantom import make_covid_ct_md
from napari_chest.ui.plugin import open_workbench
from napari_chest.ui.preferences import Preferences

GOALS = {"T1": 2, "T5": 4, "T8": 2}
_IDLE_SECONDS = 0.05
_MODIFIER_KEYS = (Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt)
_WRONG, _RIGHT = 0, 1  # LLL, LUL


class ActionCounter(QObject):
    """Counts what a person does to the application.

    Qt hands one event on from widget to widget until one takes it, and announces a key as a
    possible shortcut before it presses it; so an action is counted when a button or key goes down
    that was up.
    """

    def __init__(self):
        super().__init__()
        self.actions = 0
        self._down = set()
        QApplication.instance().installEventFilter(self)

    def eventFilter(self, watched, event):  # noqa: N802
        kind = event.type()
        if kind in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress):
            self._press(event.key(), _MODIFIER_KEYS)
        elif kind == QEvent.Type.KeyRelease:
            self._down.discard(event.key())
        elif kind == QEvent.Type.MouseButtonPress:
            self._press(event.button(), ())
        elif kind == QEvent.Type.MouseButtonRelease:
            self._down.discard(event.button())
        elif kind == QEvent.Type.Show and isinstance(watched, QDialog):
            self.actions += 1
        return False

    def _press(self, key, free):
        if key not in self._down and key not in free:
            self.actions += 1
        self._down.add(key)


@dataclass
class Task:
    """One task under way: its actions and how long each made a person wait."""

    name: str
    counter: ActionCounter
    waits: list[float] = field(default_factory=list)

    def __post_init__(self):
        self.counter.actions = 0

    def do(self, act, until=lambda: True):
        act()
        start = time.perf_counter()
        deadline = start + 30
        idle_since = None
        while idle_since is None or time.perf_counter() - idle_since < _IDLE_SECONDS:
            before = time.perf_counter()
            QApplication.processEvents()
            busy = time.perf_counter() - before > 0.002
            if busy or not until():
                idle_since = None
            elif idle_since is None:
                idle_since = time.perf_counter()
            if time.perf_counter() > deadline:
                break
        ended = idle_since or time.perf_counter()
        self.waits.append(max(ended - start, 0.0))

    def report(self, end_state):
        line = {
            "task": self.name,
            "actions": self.counter.actions,
            "goal": GOALS[self.name],
            "wait_ms": round(1000 * sum(self.waits)),
            "longest_ms": round(1000 * max(self.waits)),
            "end_state": bool(end_state),
        }
        print(json.dumps(line), flush=True)
        return end_state and self.counter.actions <= GOALS[self.name] + 1


def main():
    with tempfile.TemporaryDirectory() as scratch:
        root = make_covid_ct_md(Path(scratch) / "covid-ct-md").root
        os.environ["NAPARI_CHEST_CONFIG"] = scratch
        Preferences().remember_folder(root)
        viewer = napari.Viewer()
        viewer.window.resize(1440, 900)
        controller = open_workbench(viewer)
        _idle()
        counter = ActionCounter()
        passed = [
            t1_open(controller, counter),
            t5_move_labels(controller, counter),
            t8_save(controller, counter, root),
        ]
        QApplication.instance().removeEventFilter(counter)
        viewer.close()
    return 0 if all(passed) else 1


def t1_open(controller, counter):
    """Start screen, dataset on disk and opened before -> its first case, lung window, middle."""
    task = Task("T1", counter)
    session, canvas = controller.session, controller.canvas
    task.do(
        lambda: _click(controller.bench.start.recent[0]),
        lambda: session.draft is not None and not controller.reader.busy,
    )
    return task.report(
        session.open_case.info.id == session.cases[0].id
        and canvas.window == Window(-600, 1500)
        and canvas.slice == canvas.volume.grid.shape[0] // 2
    )


def t5_move_labels(controller, counter):
    """LLL is set on ten slices where LUL is meant -> only those twenty cells differ."""
    session, grid = controller.session, controller.bench.grid
    before = session.draft.labels.values.copy()
    confused = np.flatnonzero(before[:, _WRONG] & ~before[:, _RIGHT])
    first = int(confused[0])
    last = first + 9
    expected = before.copy()
    expected[first : last + 1, [_WRONG, _RIGHT]] = [False, True]
    grid.show_current(first)
    _idle()
    task = Task("T5", counter)
    task.do(lambda: _click(grid.viewport(), grid.number_rect(first).center()))
    task.do(
        lambda: _click(
            grid.viewport(), grid.number_rect(last).center(), Qt.KeyboardModifier.ShiftModifier
        )
    )
    grid.setFocus()
    task.do(lambda: QTest.keyClick(grid, Qt.Key.Key_1))
    task.do(lambda: QTest.keyClick(grid, Qt.Key.Key_2))
    return task.report(np.array_equal(session.draft.labels.values, expected))


def t8_save(controller, counter, root):
    """Ten slices are corrected -> written in the dataset's own format, read again, proof shown."""
    bench, grid = controller.bench, controller.bench.grid
    source = _digests(root)
    wanted = controller.session.draft.labels.values.copy()
    original = np.load(root / "Lobe-level-labels-updated-1.npy")
    modifiers = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    task = Task("T8", counter)
    task.do(lambda: QTest.keyClick(grid, Qt.Key.Key_E, modifiers))
    task.do(
        lambda: QTest.keyClick(bench.save.export_button, Qt.Key.Key_Return),
        lambda: bench.pages.currentWidget() is bench.proof,
    )
    export = root.with_name(f"{root.name}-review") / "export"
    written = np.load(export / "Lobe-level-labels-updated-1.npy")
    rows = slice(1, None)  # P001 is row 0
    return task.report(
        written.dtype == original.dtype
        and np.array_equal(written[0, : len(wanted)] != 0, wanted[:, :5])
        and np.array_equal(written[rows], original[rows])
        and _digests(root) == source
        and bench.proof.headline.property("state") == "saved"
    )


def _click(widget, at=None, modifiers=Qt.KeyboardModifier.NoModifier):
    at = at if at is not None else widget.rect().center()
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, modifiers, at)


def _idle():
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        QApplication.processEvents()


def _digests(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


if __name__ == "__main__":
    sys.exit(main())
