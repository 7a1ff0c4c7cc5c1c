"""A person's hands on masks: mouse and keys on the canvas, and what came of them."""

import numpy as np
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
NONE, CTRL, SHIFT = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
)


def labels(work, mask="lesions"):
    """The mask as the session has it, and the screen must show it too."""
    now = work.session.draft.mask_labels(mask)
    np.testing.assert_array_equal(work.controller.canvas.masks.values(mask), now)
    return now


def at(work, y, x):
    """Where a voxel of the slice on screen lies on the canvas."""
    canvas = work.controller.canvas
    dy, dx = canvas.volume.grid.spacing[1:]
    px, py = canvas.axes.to_pixels(y * dy, x * dx)
    return QPoint(round(px), round(py))


def press(work, y, x, modifiers=NONE):
    QTest.mousePress(work.controller.canvas.widget, LEFT, modifiers, at(work, y, x))


def move(work, start, stop):
    """Move the pointer from one voxel to another, with what is pressed."""
    steps = 6
    for step in range(1, steps + 1):
        where = [a + (b - a) * step / steps for a, b in zip(start, stop, strict=True)]
        QTest.mouseMove(work.controller.canvas.widget, at(work, *where))
        QTest.qWait(10)


def release(work, y, x, modifiers=NONE):
    QTest.mouseRelease(work.controller.canvas.widget, LEFT, modifiers, at(work, y, x))
    QTest.qWait(30)


def drag(work, start, stop, modifiers=NONE):
    press(work, *start, modifiers)
    move(work, start, stop)
    release(work, *stop, modifiers)


def click(work, y, x, modifiers=NONE, button=LEFT):
    QTest.mouseClick(work.controller.canvas.widget, button, modifiers, at(work, y, x))
    QTest.qWait(30)


def go_to(work, z):
    work.controller.canvas.go_to(z)
    QApplication.processEvents()


def rows(work):
    return {row.segment.name: row for row in work.dock.segments.rows}
