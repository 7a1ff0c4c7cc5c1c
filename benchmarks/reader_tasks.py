"""Reader tasks in the real window: how many actions a person needs, and how long they wait.

T1 opens a dataset and reaches its first case, T2 corrects ground glass on three slices, T3 removes
a false island, T4 fills between two outlined slices, T5 moves a label to another lobe on ten
slices, T6 answers four questions and submits, T7 takes a disagreement as one reader has it and
comments on it, T8 saves the corrected case and sees the proof. A script uses the real widgets; an
event filter counts what a person would do: a mouse button released, a key pressed, a run of the
wheel, and one more for every dialog that opens. Waiting ends when the result is on screen and the
event loop is idle.

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
from dataclasses import dataclass, field, replace
from pathlib import Path

import napari
import numpy as np
from qtpy.QtCore import QEvent, QObject, QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QDialog
from scipy import ndimage

from napari_chest.edits import fingerprint
from napari_chest.model import Window
from napari_chest.phantom import make_covid_ct_md, make_mosmed, make_ricord
from napari_chest.review.acts import Enrol, Packed, Submit
from napari_chest.review.desk import Desk
from napari_chest.review.packed import pack_reading, unpack_reading
from napari_chest.review.store import open_store
from napari_chest.review.words import ADJUDICATED, corrected_name
from napari_chest.tools.brush import dab
from napari_chest.ui.plugin import open_workbench
from napari_chest.ui.preferences import Preferences

GOALS = {"T1": 2, "T2": 8, "T3": 2, "T4": 2, "T5": 4, "T6": 5, "T7": 5, "T8": 2}
_IDLE_SECONDS = 0.05
_BRUSH_MM = 10.0
_WHEEL_RUN_SECONDS = 0.3
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
        self._wheeled = 0.0
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
        elif kind == QEvent.Type.Wheel:
            self._wheel()
        elif kind == QEvent.Type.Show and isinstance(watched, QDialog):
            self.actions += 1
        return False

    def _wheel(self):
        now = time.monotonic()
        if now - self._wheeled > _WHEEL_RUN_SECONDS:
            self.actions += 1
        self._wheeled = now

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
        open_masks(controller, make_mosmed(Path(scratch) / "mosmed").root)
        passed += [
            t2_correct_ground_glass(controller, counter),
            t3_remove_island(controller, counter),
            t4_fill_between(controller, counter),
            t7_take_and_comment(controller, counter),
        ]
        open_form(controller, make_ricord(Path(scratch) / "ricord", shape=(24, 128, 128)).root)
        passed.append(t6_answer_and_submit(controller, counter))
        QApplication.instance().removeEventFilter(counter)
        viewer.close()
    return 0 if all(passed) else 1


def t1_open(controller, counter):
    """Start screen, dataset on disk and opened before -> its first case, lung window, middle."""
    task = Task("T1", counter)
    session, canvas = controller.session, controller.canvas
    task.do(
        lambda: _click(controller.bench.start.recent[0]),
        lambda: session.draft is not None and not controller.opening.reader.busy,
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


# Masks: every task begins on the middle slice, without a tool


def open_masks(controller, root):
    """Open a case with a mask and wait until it is complete."""
    controller.opening.open_folder(root)
    session = controller.session
    _wait(lambda: session.dataset is not None and session.dataset.root == root)
    masked = next(case.id for case in session.cases if session.dataset.readings(case.id)[0].masks)
    controller.opening.open_case(masked)
    _wait(
        lambda: (
            session.open_case is not None
            and session.open_case.info.id == masked
            and not controller.opening.reader.busy
        )
    )
    _idle()


def t2_correct_ground_glass(controller, counter):
    """Two false patches and two missing ones on three slices -> Dice of 0.95 and nothing else."""
    session, canvas = controller.session, controller.canvas
    name, value = canvas.masks.selected
    truth = session.draft.mask_labels(name).copy()
    spacing = canvas.volume.grid.spacing
    middle = truth.shape[0] // 2
    slices = (middle - 4, middle, middle + 4)
    false, missing = _clear_paths(truth, slices), _labelled_paths(truth, slices)
    wrong = truth.copy()
    for z, path in ((slices[0], false[0]), (slices[2], false[2])):
        _draw(wrong, z, path, value, spacing)
    for z, path in ((slices[1], missing[1]), (slices[2], missing[2])):
        _draw(wrong, z, path, 0, spacing)
    _set(session, name, wrong)
    _start(controller)
    task = Task("T2", counter)
    task.do(lambda: QTest.keyClick(canvas.widget, Qt.Key.Key_A))
    erase = Qt.KeyboardModifier.ControlModifier
    task.do(lambda: _wheel_to(canvas, slices[0]))
    task.do(lambda: _stroke(canvas, false[0], erase))
    task.do(lambda: _wheel_to(canvas, slices[1]))
    task.do(lambda: _stroke(canvas, missing[1]))
    task.do(lambda: _wheel_to(canvas, slices[2]))
    task.do(lambda: _stroke(canvas, false[2], erase))
    task.do(lambda: _stroke(canvas, missing[2]))
    now = session.draft.mask_labels(name)
    others = np.setdiff1d(np.arange(len(truth)), slices)
    return task.report(
        all(_dice(now[z] == value, truth[z] == value) >= 0.95 for z in slices)
        and np.array_equal(now[others], wrong[others])
    )


def t3_remove_island(controller, counter):
    """A false island over five slices -> gone, nothing else changed; one undo brings it back."""
    session, canvas = controller.session, controller.canvas
    name, value = canvas.masks.selected
    truth = session.draft.mask_labels(name).copy()
    middle = truth.shape[0] // 2
    (y, x), _ = _clear_paths(truth, range(middle + 2, middle + 9))[0]
    island = truth.copy()
    island[middle + 3 : middle + 8, y : y + 6, x : x + 6] = value
    _set(session, name, island)
    _start(controller)
    task = Task("T3", counter)
    task.do(lambda: _wheel_to(canvas, middle + 5))
    _point(canvas, (y + 3, x + 3))
    task.do(
        lambda: QTest.keyClick(canvas.widget, Qt.Key.Key_Delete),
        lambda: np.array_equal(session.draft.mask_labels(name), truth),
    )
    gone = np.array_equal(session.draft.mask_labels(name), truth)
    passed = task.report(gone)
    session.undo()
    back = np.array_equal(session.draft.mask_labels(name), island)
    session.redo()
    return passed and back


def t4_fill_between(controller, counter):
    """Outlines ten slices apart -> the nine between filled, Dice of 0.9, the outlines unchanged."""
    session, canvas = controller.session, controller.canvas
    name, value = canvas.masks.selected
    before = np.zeros_like(session.draft.mask_labels(name))
    middle = before.shape[0] // 2
    z, y, x = np.ogrid[tuple(slice(0, n) for n in before.shape)]
    radius = 0.25 * min(before.shape[1:])
    lesion = (y - before.shape[1] / 2) ** 2 + (x - before.shape[2] / 2) ** 2 < (
        radius - np.abs(z - middle)
    ) ** 2
    ends = [middle - 5, middle + 5]
    before[ends] = np.where(lesion[ends], value, 0)
    _set(session, name, before)
    _start(controller)
    task = Task("T4", counter)
    task.do(lambda: QTest.keyClick(canvas.widget, Qt.Key.Key_I), lambda: canvas.masks.preview.shown)
    task.do(
        lambda: QTest.keyClick(canvas.widget, Qt.Key.Key_Return),
        lambda: not canvas.masks.preview.shown,
    )
    now = session.draft.mask_labels(name)
    between = slice(ends[0] + 1, ends[1])
    return task.report(
        np.array_equal(now[ends], before[ends])
        and all(now[z].any() for z in range(between.start, between.stop))
        and _dice(now[between] == value, lesion[between]) >= 0.9
    )


def open_form(controller, root):
    """Open a case whose form of exam labels is empty, and stand in it."""
    controller.opening.open_folder(root)
    session = controller.session
    _wait(
        lambda: (
            session.dataset is not None
            and session.dataset.root == root
            and session.open_case is not None
            and not controller.opening.reader.busy
        )
    )
    for question in session.draft.answers:
        session.answer(question, ())
    (form,) = controller.bench.questions.forms.values()
    form.begin()
    _idle()


def t6_answer_and_submit(controller, counter):
    """An exam has four labels -> stored with reader and time, submitted, next case open."""
    session, questions = controller.session, controller.bench.questions
    case, reader = session.open_case.info.id, session.draft.saved.reader
    (key,) = questions.forms
    choices = next(one.choices for one in session.dataset.questions if one.key == key)
    task = Task("T6", counter)
    for digit in (Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_6, Qt.Key.Key_8):
        task.do(lambda digit=digit: QTest.keyClick(questions.focusWidget(), digit))
    task.do(
        lambda: QTest.keyClick(questions.focusWidget(), Qt.Key.Key_Return),
        lambda: session.open_case.info.id != case and not controller.opening.reader.busy,
    )
    stored = next(one for one in session.desk.readings(case) if one.of == reader)
    wanted = {choices[place] for place in (0, 1, 5, 7)}
    return task.report(
        set(unpack_reading(stored.payload).answers[key]) == wanted
        and stored.owner == session.person
        and abs(time.time() - stored.at.timestamp()) < 60
        and session.desk.book.work(0, case, session.person).state == "submitted"
        and _logged(session, "submit") == 1
        and session.open_case.info.id in {one.id for one in session.cases} - {case}
    )


def t7_take_and_comment(controller, counter):
    """Two readings differ in three places -> the largest as A has it, why, and nothing else."""
    session, canvas, bench = controller.session, controller.canvas, controller.bench
    a, b, voxel_in = second_reading(controller)
    task = Task("T7", counter)
    task.do(
        lambda: QTest.keyClick(canvas.widget, Qt.Key.Key_Period),
        lambda: controller.adjudicating.current is not None,
    )
    control = Qt.KeyboardModifier.ControlModifier
    task.do(
        lambda: QTest.keyClick(canvas.widget, Qt.Key.Key_1, control),
        lambda: session.draft.saved.reader == ADJUDICATED,
    )
    task.do(lambda: QTest.keyClick(canvas.widget, Qt.Key.Key_C))
    field = bench.work.comments.field
    task.do(lambda: _type(counter, field, "B has missed this one"))
    task.do(lambda: QTest.keyClick(field, Qt.Key.Key_Return))
    expected = np.where(a == b, a, 0)
    expected[voxel_in] = a[voxel_in]
    (name,) = (mask.name for mask in session.draft.masks())
    (comment,) = session.desk.book.comments(session.open_case.info.id)
    return task.report(
        np.array_equal(session.draft.mask_labels(name), expected)
        and voxel_in[comment.voxel]
        and (comment.author, comment.reader) == (session.person, ADJUDICATED)
        and abs(time.time() - comment.at.timestamp()) < 60
        and _logged(session, "adjudicate") == 1
    )


def second_reading(controller):
    """Open a case of which somebody has submitted a second reading; both, and where most differs.

    The second reader lacks what lies around three voxels of the lesions.
    """
    session = controller.session
    cases = [case.id for case in session.cases if session.dataset.readings(case.id)[0].masks]
    (reading,) = session.dataset.readings(cases[-1])
    (mask,) = (mask for mask in reading.masks if mask.labels.any())
    other = mask.labels.copy()
    for voxels in _apart(np.argwhere(other)):
        low = np.maximum(voxels - 3, 0)
        box = tuple(slice(start, stop + 4) for start, stop in zip(low, voxels, strict=True))
        parts, _ = ndimage.label(other[box], np.ones((3, 3, 3)))
        other[box][parts == parts[tuple(voxels - low)]] = 0
    numbers, count = ndimage.label(other != mask.labels, np.ones((3, 3, 3)))
    assert count == 3, count
    largest = numbers == 1 + np.argmax(np.bincount(numbers.ravel())[1:])
    name = corrected_name(reading.reader, "Ben")
    theirs = replace(reading, reader=name, masks=(replace(mask, labels=other),))
    packed = Packed(name, reading.reader, fingerprint(reading), pack_reading(theirs))
    session.desk.do(Enrol(who=session.person, person="Ben"))
    assert session.desk.sent()
    desk = Desk("", _review(session), session.dataset.name, "Ben")
    desk.do(Submit(who="Ben", case=cases[-1], reader="Ben", readings=(packed,)))
    assert desk.sent()
    desk.close()
    controller.opening.open_case(cases[-1])
    _wait(
        lambda: (
            session.open_case.info.id == cases[-1]
            and not controller.opening.reader.busy
            and len(session.open_case.readings) == 2
        )
    )
    _start(controller)
    return mask.labels.copy(), other, largest


def _apart(voxels):
    """Three voxels that lie far from each other."""
    first = voxels[len(voxels) // 2]
    found = [first]
    for _ in range(2):
        away = np.min([np.abs(voxels - one).max(axis=1) for one in found], axis=0)
        found.append(voxels[away.argmax()])
    return found


def _logged(session, what):
    """How many acts of a kind the store has in its log."""
    assert session.desk.sent()
    store = open_store(_review(session) / "review.sqlite", session.dataset.name)
    entries = [entry for entry in store.log() if entry.what == what]
    store.close()
    return len(entries)


def _review(session):
    return session.dataset.root.with_name(f"{session.dataset.root.name}-review")


def _type(counter, field, text):
    """Type a text into the field that has the keyboard: one action, however long it is."""
    assert field.window().focusWidget() is field
    field.setText(text)
    counter.actions += 1


def _start(controller):
    """Stand on the middle slice without a tool."""
    canvas = controller.canvas
    canvas.masks.set_tool("pan_zoom")
    canvas.masks.set_brush(_BRUSH_MM, deep=False)
    canvas.go_to(canvas.volume.grid.shape[0] // 2)
    canvas.set_focus()
    _idle()


def _set(session, name, labels):
    """Give a mask these labels, as one edit."""
    session.paint("prepared", name, tuple(slice(0, n) for n in labels.shape), labels)


def _clear_paths(labels, slices):
    """A short path for a brush on each slice, over background alone."""
    return [_path(ndimage.maximum_filter(labels[z], 41) == 0) for z in slices]


def _labelled_paths(labels, slices):
    """A short path for a brush on each slice, within the mask as far as it goes."""
    return [_path(labels[z] != 0) for z in slices]


def _path(wanted):
    depth = ndimage.distance_transform_edt(np.pad(wanted, 1))[1:-1, 1:-1]
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return (int(y), int(x)), (int(y), int(x) + 6)


def _draw(labels, z, path, value, spacing):
    """Draw a path as the brush would."""
    (y0, x0), (y1, x1) = path
    found = dab(
        (z, y1, x1),
        (z, y0, x0),
        spacing=spacing,
        axes=(1, 2),
        diameter=_BRUSH_MM,
        shape=labels.shape,
    )
    box, mask = found
    labels[box][mask] = value


def _dice(a, b):
    return 2 * np.count_nonzero(a & b) / max(np.count_nonzero(a) + np.count_nonzero(b), 1)


def _at(canvas, place):
    dy, dx = canvas.volume.grid.spacing[1:]
    px, py = canvas.axes.to_pixels(place[0] * dy, place[1] * dx)
    return QPoint(round(px), round(py))


def _point(canvas, place):
    QTest.mouseMove(canvas.widget, _at(canvas, place))
    _idle()


def _stroke(canvas, path, modifiers=Qt.KeyboardModifier.NoModifier):
    button = Qt.MouseButton.LeftButton
    start, stop = (_at(canvas, place) for place in path)
    QTest.mousePress(canvas.widget, button, modifiers, start)
    QTest.mouseMove(canvas.widget, stop)
    QTest.mouseRelease(canvas.widget, button, modifiers, stop)


def _wheel_to(canvas, z):
    while canvas.slice != z:
        notch = -120 if z > canvas.slice else 120
        middle = QPointF(canvas.widget.rect().center())
        event = QWheelEvent(
            middle,
            QPointF(canvas.widget.mapToGlobal(middle.toPoint())),
            QPoint(),
            QPoint(0, notch),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(canvas.widget, event)


def _wait(condition):
    deadline = time.monotonic() + 60
    while not condition() and time.monotonic() < deadline:
        QApplication.processEvents()
    assert condition()


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
