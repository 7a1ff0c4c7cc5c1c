"""Several readers in the window: outlines of the others, and single annotations."""

import numpy as np
import pytest
from hands import go_to
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_chest.datasets import Ricord
from napari_chest.errors import StoppedError
from napari_chest.phantom import make_ricord
from napari_chest.ui.canvas.window import main_window
from napari_chest.ui.layers import READER_COLORS


@pytest.fixture(scope="module")
def ricord(tmp_path_factory):
    """Never written to."""
    return make_ricord(tmp_path_factory.mktemp("ricord") / "set", shape=(24, 64, 64))


@pytest.fixture
def work(bench, ricord):
    bench.open(ricord.root)
    return bench


def actions(work):
    return {action.text(): action for action in work.dock.others.menu().actions() if action.text()}


def test_another_reader_is_shown_as_outlines_in_a_colour_of_its_own(work):
    readings = work.session.open_case.readings
    first, second = [reading for reading in readings if reading.masks][:2]
    assert work.session.draft.saved.reader == first.reader
    assert first.reader not in actions(work)
    actions(work)[second.reader].setChecked(True)
    layer = work.viewer.layers[second.reader]
    expected = np.any([mask.labels != 0 for mask in second.masks], axis=0)
    np.testing.assert_array_equal(layer.data != 0, expected)
    assert layer.contour > 0
    assert not layer.editable
    number = [reading.reader for reading in readings].index(second.reader)
    red = int(READER_COLORS[number][1:3], 16) / 255
    assert layer.get_color(1)[0] == pytest.approx(red, abs=0.01)
    assert work.viewer.layers.selection.active is not layer
    actions(work)[second.reader].setChecked(False)
    assert second.reader not in work.viewer.layers


def test_all_readers_stay_shown_from_case_to_case(work):
    actions(work)["All readers"].trigger()
    shown = {layer.name for layer in work.viewer.layers}
    others = {r.reader for r in work.session.open_case.readings if r.masks}
    others.discard(work.session.draft.saved.reader)
    assert others
    assert others <= shown
    work.key(Qt.Key.Key_G)
    assert not any(work.viewer.layers[name].visible for name in others)
    work.controller.opening.step_case(1)
    work.wait(lambda: not work.controller.opening.reader.busy)
    now = {r.reader for r in work.session.open_case.readings if r.masks}
    now.discard(work.session.draft.saved.reader)
    assert now & others <= {layer.name for layer in work.viewer.layers}


def test_the_reader_corrected_is_never_its_own_outline(work):
    actions(work)["All readers"].trigger()
    other = next(
        r.reader
        for r in work.session.open_case.readings
        if r.masks and r.reader != work.session.draft.saved.reader
    )
    work.controller.session.choose_reader(other)
    QTest.qWait(20)
    assert other not in actions(work)
    assert [layer.name for layer in work.viewer.layers].count(other) == 0


def test_annotations_of_the_slice_are_listed_and_found(work):
    annotations = work.session.open_case.annotations
    z = annotations[len(annotations) // 2].slice
    go_to(work, z)
    list_ = work.dock.annotations
    here = [one for one in annotations if one.slice == z]
    list_.toggle.setChecked(True)
    assert list_.list.count() == len(here)
    assert str(len(annotations)) in list_.toggle.text()
    list_.annotation_requested.emit(here[0])
    top, bottom, left, right = here[0].box
    _, dy, dx = work.controller.canvas.volume.grid.spacing
    center = work.viewer.scene.camera.center
    assert center[-2:] == pytest.approx(((top + bottom) / 2 * dy, (left + right) / 2 * dx))


def test_n_goes_to_the_next_annotated_slice(work):
    drawn = np.any([mask.labels.any(axis=(1, 2)) for mask in work.session.draft.masks()], axis=0)
    go_to(work, 0)
    slices = [int(z) for z in np.flatnonzero(drawn) if z > 0]
    work.key(Qt.Key.Key_N)
    assert work.controller.canvas.slice == slices[0]


def test_readers_are_no_versions(work):
    texts = [work.dock.reading.itemText(i) for i in range(work.dock.reading.count())]
    assert len(texts) > 2
    assert not any("newest" in text for text in texts)


def test_keys_go_from_annotation_to_annotation(work):
    found = sorted(work.session.open_case.annotations, key=lambda one: one.slice)
    go_to(work, 0)
    first = next(i for i, one in enumerate(found) if one.slice >= 0)
    for one in found[first : first + 4]:
        work.key(Qt.Key.Key_N, Qt.KeyboardModifier.AltModifier)
        assert work.controller.canvas.slice == one.slice
        assert work.controller.annotating.shown == one
    both = Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.ShiftModifier
    work.key(Qt.Key.Key_N, both)
    assert work.controller.annotating.shown == found[first + 2]


def test_reading_a_tree_shows_progress_and_can_be_stopped(bench, ricord, monkeypatch):
    told = []

    def slow(self, progress=None, stop=None):
        progress(1_200, 31_856)
        told.append(stop.wait(20))
        raise StoppedError("stopped")

    monkeypatch.setattr(Ricord, "prepare", slow)
    bench.controller.opening.open_folder(ricord.root)
    bench.wait(lambda: bench.dock.progress.value() == 1_200)
    assert bench.dock.progress.maximum() == 31_856
    assert "1,200 of 31,856" in bench.dock.progress.format()
    bench.dock.cancel_button.click()
    bench.wait(lambda: told == [True])
    assert not bench.controller.opening.reader.busy
    assert bench.session.dataset is None
    assert bench.dock.message.text() == "Stopped."
    assert bench.dock.start.message.text() == ""


def test_annotations_that_are_unfolded_come_into_view(work):
    main_window(work.viewer).resize(1366, 768)
    wanted = work.dock.annotations
    work.controller.canvas.go_to(wanted.annotations[0].slice)
    wanted.toggle.setChecked(True)
    QTest.qWait(150)
    assert wanted.list.isVisible()
    assert wanted.list.visibleRegion().boundingRect().height() == wanted.list.height()
