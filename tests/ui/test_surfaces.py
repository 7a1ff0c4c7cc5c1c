"""Segments as surfaces in a window of their own."""

import time

import numpy as np
import painted
import pytest
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_chest import findings
from napari_chest.geometry import display_affine, display_order
from napari_chest.measure.surface import surface
from napari_chest.model import Grid, Mask
from napari_chest.ui import surfaces as module
from napari_chest.ui.surfaces import Part, Surfaces, patient_surface, visible_parts


@pytest.fixture
def window(make_napari_viewer, qtbot):
    """The window; what it owns must be gone after it was closed, which napari's fixture checks."""
    make_napari_viewer()
    window = Surfaces()
    window.show()
    yield window
    window.close()
    QTest.qWait(50)


def wait(qtbot, window):
    qtbot.waitUntil(lambda: not window.busy, timeout=20_000)
    QApplication.processEvents()


def parts(labels=None):
    labels = painted.lesions() if labels is None else labels
    return visible_parts(
        (Mask("lesions", labels, painted.LESIONS),), lambda _: True, lambda _: frozenset()
    )


def test_each_visible_segment_becomes_one_surface_in_its_colour(window, qtbot):
    window.show_parts(painted.grid(), parts())
    wait(qtbot, window)
    layers = window.viewer.layers
    assert [layer.name for layer in layers] == [s.name for s in painted.LESIONS]
    wanted = painted.LESIONS[0].color.lstrip("#").lower()
    rgb = (np.asarray(layers[0].vertex_colors)[0, :3] * 255).round().astype(int)
    assert "".join(f"{part:02x}" for part in rgb) == wanted
    assert window.viewer.dims.ndisplay == 3
    assert "right is on the left" in window.message.text()
    assert window.message.isVisible()
    assert not window.stop_button.isVisible()


def test_it_is_seen_from_the_front_with_the_head_up(window, qtbot):
    window.show_parts(painted.grid(), parts())
    wait(qtbot, window)
    camera = window.viewer.scene.camera
    assert camera.view_direction == pytest.approx((0, 1, 0), abs=1e-6)  # to the back
    assert camera.up_direction == pytest.approx((-1, 0, 0), abs=1e-6)  # to the head
    assert camera.handedness == "right"
    right = np.cross(camera.view_direction, camera.up_direction)
    assert right == pytest.approx((0, 0, 1), abs=1e-6)  # to the patient's left


def test_lungs_are_translucent_and_come_last():
    lungs = Mask("lungs", painted.lesions(), painted.LESIONS, aid=True)
    lesions = Mask("lesions", painted.lesions(), painted.LESIONS)
    found = visible_parts((lungs, lesions), lambda _: True, lambda name: {2} & {len(name) % 4})
    assert [part.translucent for part in found] == sorted(part.translucent for part in found)
    assert found[-1].translucent


def test_what_is_hidden_is_left_out():
    masks = [Mask(name, painted.lesions(), painted.LESIONS) for name in ("one", "two")]
    found = visible_parts(masks, lambda name: name == "two", lambda _: {1})
    assert [(part.name, part.value) for part in found] == [(painted.LESIONS[1].name, 2)]


def test_without_anything_to_show_a_sentence_says_so(window, qtbot):
    window.show_parts(painted.grid(), parts(np.zeros(painted.SHAPE, np.uint8)))
    wait(qtbot, window)
    assert window.empty.isVisible()
    assert "no visible segment" in window.empty.text()
    window.show_parts(painted.grid(), parts())
    wait(qtbot, window)
    assert not window.empty.isVisible()


def test_stop_leaves_what_is_there(window, qtbot, monkeypatch):
    stopped = []
    slow = [*parts(), Part("again", painted.lesions(), 1, findings.OTHER.color)]
    monkeypatch.setattr(module, "surface", _held(stopped))
    window.show_parts(painted.grid(), slow)
    qtbot.waitUntil(lambda: len(window.viewer.layers) == 1, timeout=20_000)
    window.stop_button.click()
    stopped.append(True)
    QTest.qWait(100)
    assert len(window.viewer.layers) == 1
    assert "Stopped" in window.message.text()
    assert not window.busy


def _held(stopped):
    """Surfaces of which the second waits for the person."""

    def made(labels, value, spacing):
        until = time.monotonic() + 20
        while value == 2 and not stopped and time.monotonic() < until:
            time.sleep(0.01)
        return surface(labels, value, spacing)

    return made


def test_an_error_is_told(window, qtbot, monkeypatch):
    def failing(labels, value, spacing):
        raise MemoryError("no room")

    monkeypatch.setattr(module, "surface", failing)
    window.show_parts(painted.grid(), parts())
    wait(qtbot, window)
    assert "no room" in window.message.text()


def test_a_volume_acquired_upright_is_not_mirrored():
    """Slices from front to back: display axes are a left-handed frame there."""
    ras = np.diag([-1.0, -5.0, 1.0, 1.0])
    shape = (20, 10, 30)
    turned = display_order(ras, shape)
    grid = Grid(
        tuple(shape[axis] for axis in turned.axes),
        display_affine(ras, shape, turned),
        tuple(map(str, range(10))),
    )
    labels = np.zeros(grid.shape, np.uint8)
    labels[2:4, 3:9, 12:18] = 1
    found = patient_surface(surface(labels, 1, grid.spacing), grid)
    corner = grid.position(2.5, 5.5, 14.5) - grid.position(0, 0, 0)
    middle = (found.vertices.min(axis=0) + found.vertices.max(axis=0)) / 2
    assert middle == pytest.approx((-corner[2], corner[1], corner[0]), abs=0.6)
    # Seen from outside, the corners of every triangle run the same way round: the volume is > 0.
    a, b, c = (found.vertices[found.faces[:, i]].astype(float) for i in range(3))
    assert (np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6) == pytest.approx(
        2 * 5 * 6 * 6, rel=0.2
    )
