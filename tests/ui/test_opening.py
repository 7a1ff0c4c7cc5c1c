"""Opening datasets and cases in the window."""

import numpy as np
import pytest
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDropEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

import napari_chest
from napari_chest.model import Window
from napari_chest.phantom import make_covid_ct_md
from napari_chest.ui.preferences import Preferences


def test_first_case_opens_in_the_lung_window_at_its_middle_slice(opened, phantom):
    canvas, session = opened.controller.canvas, opened.session
    assert session.open_case.info.title == "P001"
    assert canvas.slice == canvas.volume.grid.shape[0] // 2
    assert canvas.window == Window(-600, 1500)
    dataset = napari_chest.open_dataset(phantom.root)
    np.testing.assert_array_equal(
        opened.viewer.layers["P001"].data, dataset.volume(dataset.cases()[0].id).voxels
    )
    assert [layer.name for layer in opened.viewer.layers] == ["P001", "labels updated-1"]


def test_layers_lie_in_millimetres_and_the_strip_stands_beside_the_image(opened):
    image, strip = opened.viewer.layers
    assert tuple(image.scale) == pytest.approx(opened.controller.canvas.volume.grid.spacing)
    assert {str(unit) for unit in image.units} == {"millimeter"}
    image_right = image.extent.world[1][2]
    assert strip.extent.world[0][2] > image_right
    assert strip.data.shape == (24, 1, 6)
    assert strip.extent.world[:, 0] == pytest.approx(image.extent.world[:, 0])


def test_dropping_a_folder_on_the_dock_opens_it(bench, dataset_folder):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(dataset_folder))])
    event = QDropEvent(
        QPointF(10, 10),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    bench.dock.dropEvent(event)
    bench.wait(lambda: bench.session.open_case is not None)
    assert bench.dock.title.text() == "COVID-CT-MD"


def test_a_folder_opened_before_is_offered_and_opens_with_one_click(
    make_napari_viewer, dataset_folder, qtbot
):
    from napari_chest.ui.plugin import ChestDock

    Preferences().remember_folder(dataset_folder)
    viewer = make_napari_viewer(show=True)
    dock = ChestDock(viewer)
    viewer.window.add_dock_widget(dock, name="Chest")
    assert [button.text() for button in dock.start.recent] == ["covid-ct-md"]
    dock.start.recent[0].click()
    qtbot.waitUntil(lambda: dock.controller.session.draft is not None, timeout=20_000)
    assert Preferences().recent() == [str(dataset_folder)]
    qtbot.waitUntil(lambda: not dock.controller.opening.reader.busy, timeout=20_000)


def test_an_unknown_folder_says_what_is_missing(bench, tmp_path):
    (tmp_path / "empty").mkdir()
    bench.controller.opening.open_folder(tmp_path / "empty")
    bench.wait(lambda: bench.dock.start.message.isVisible())
    text = bench.dock.start.message.text()
    assert "COVID-CT-MD: a label array" in text
    assert "case folders such as COVID-19 subjects/P001" in text


def test_case_list_shows_searches_filters_and_sorts(opened):
    cases = opened.dock.cases
    titles = {case.id: case.title for case in opened.session.cases}

    def listed():
        return [titles[case_id] for case_id in cases.order()]

    everything = listed()
    assert everything[:3] == ["P001", "P002", "P003"]
    cases.search.setText("cap infected")
    assert listed() == ["cap001", "cap002"]
    cases.search.setText("")
    cases.filter.setCurrentIndex(cases.filter.findText("Diagnosis: Normal"))
    assert listed() == ["normal001"]
    cases.filter.setCurrentIndex(0)
    cases.table.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    assert listed() == sorted(everything, key=str.casefold, reverse=True)
    assert "of 6" in cases.count.text()


def test_clicking_a_case_opens_it(opened):
    cases = opened.dock.cases
    index = cases.table.model().index(1, 0)
    QTest.mouseClick(
        cases.table.viewport(),
        Qt.MouseButton.LeftButton,
        pos=cases.table.visualRect(index).center(),
    )
    opened.wait(lambda: opened.session.open_case.info.title == "P002")


def test_case_keys_follow_the_filtered_list(opened):
    opened.dock.cases.search.setText("cap")
    opened.key(Qt.Key.Key_PageDown, Qt.KeyboardModifier.ControlModifier)
    opened.wait(lambda: opened.session.open_case.info.title == "cap001")
    opened.key(Qt.Key.Key_PageDown, Qt.KeyboardModifier.ControlModifier)
    opened.wait(lambda: opened.session.open_case.info.title == "cap002")
    opened.wait(lambda: not opened.controller.opening.reader.busy)
    opened.key(Qt.Key.Key_PageDown, Qt.KeyboardModifier.ControlModifier)
    assert "last case" in opened.dock.message.text()
    assert opened.session.open_case.info.title == "cap002"


def test_an_unlabelled_case_says_so_and_is_not_all_negative(opened):
    opened.open_case("P003")
    assert opened.dock.grid.labels is None
    assert [layer.name for layer in opened.viewer.layers] == ["P003"]
    assert opened.dock.reading.currentText() == "no labels"
    opened.key(Qt.Key.Key_1)
    assert opened.session.unsaved() == []


def test_a_label_version_can_be_chosen_and_the_newest_comes_first(opened):
    reading = opened.dock.reading
    assert [reading.itemText(i) for i in range(reading.count())] == [
        "updated-1 (newest)",
        "original",
    ]
    newest = opened.values.copy()
    reading.setCurrentIndex(1)
    reading.activated.emit(1)
    assert opened.session.draft.saved.reader == "original"
    assert not np.array_equal(opened.values, newest)
    np.testing.assert_array_equal(
        opened.viewer.layers["labels original"].data[:, 0, :] != 0, opened.values
    )


def test_a_broken_case_is_told_and_the_others_go_on(bench, dataset_folder):
    for path in (dataset_folder / "COVID-19 subjects" / "P002").glob("*.dcm"):
        path.write_bytes(b"")
    bench.open(dataset_folder)
    broken = next(case for case in bench.session.cases if case.title == "P002")
    bench.controller.opening.open_case(broken.id)
    bench.wait(lambda: "P002" in bench.dock.message.text())
    assert bench.session.open_case.info.title == "P001"
    bench.open_case("cap001")
    assert bench.values.any()


def test_a_missing_slice_is_listed_among_the_facts(bench, dataset_folder):
    folder = dataset_folder / "COVID-19 subjects" / "P002"
    (folder / "IM0010.dcm").unlink()
    bench.open(dataset_folder, "P002")
    assert bench.session.open_case.volume.grid.shape[0] == 23
    assert "note" in bench.dock.details.toggle.text()
    assert "IM0009.dcm" in bench.dock.details.text.text()


def test_reading_can_be_stopped_and_started_again(opened):
    case = next(case for case in opened.session.cases if case.title == "P002")
    opened.controller.opening.open_case(case.id)
    opened.dock.cancel_button.click()
    assert not opened.controller.opening.reader.busy
    opened.open_case("P002")
    assert opened.session.open_case.info.title == "P002"


def test_the_window_is_remembered_for_the_next_day(opened, dataset_folder):
    opened.key(Qt.Key.Key_F3)
    assert opened.controller.canvas.window == Window(40, 400)
    remembered = opened.controller.preferences.window("covid-ct-md", "CT")
    assert remembered == Window(40, 400)
    opened.open_case("P002")
    assert opened.controller.canvas.window == Window(40, 400)


def test_the_strip_is_a_timeline_in_the_coronal_view(opened):
    opened.viewer.dims.order = (1, 0, 2)
    opened.viewer.reset_view()
    strip = opened.viewer.layers["labels updated-1"]
    assert strip._data_view.shape == (24, 6)
    letters = opened.controller.canvas.overlay_text.letters
    assert (letters.left, letters.right, letters.top, letters.bottom) == ("R", "L", "H", "F")


def test_corners_and_letters_say_where_one_is(opened):
    canvas = opened.controller.canvas
    canvas.go_to(4)
    text = canvas.overlay_text
    assert text.top_left == ("COVID-CT-MD · P001 · updated-1",)
    assert text.top_right == ()
    assert "W 1500 L -600 Lung" in text.bottom_left
    assert text.bottom_right[0] == "5/24"
    letters = text.letters
    assert (letters.left, letters.right, letters.top, letters.bottom) == ("R", "L", "A", "P")
    z, y, x = 4, 30, 20
    spacing = canvas.volume.grid.spacing
    px, py = canvas.axes.to_pixels(y * spacing[1], x * spacing[2])
    QTest.mouseMove(canvas.widget, QPoint(round(px), round(py)))
    value = f"HU {canvas.volume.voxels[z, y, x]} @ {x},{y}"
    opened.wait(lambda: canvas.overlay_text.bottom_left[0] == value)
    right, back, head = canvas.volume.grid.position(z, y, x) * (-1, 1, 1)
    names = f"{'R' if right > 0 else 'L'} {abs(right):.1f}  {'P' if back >= 0 else 'A'} "
    assert canvas.overlay_text.bottom_left[1].startswith(names)
    assert canvas.overlay_text.bottom_left[1].endswith(
        f"{'H' if head >= 0 else 'F'} {abs(head):.1f}"
    )


def test_closing_the_dock_leaves_the_viewer_as_it_was_and_keeps_the_work(opened):
    from napari_chest.ui.plugin import ChestDock

    viewer = opened.viewer
    opened.key(Qt.Key.Key_2)
    changed = opened.values.copy()
    viewer.window.remove_dock_widget(opened.dock)
    assert list(viewer.layers) == []
    assert viewer.scene.camera.mouse_zoom
    wheel = [act.__name__ for act in viewer.mouse_wheel_callbacks]
    assert wheel == ["dims_scroll", "layers_scroll"]
    assert not any("_on_drag" in act.__name__ for act in viewer.mouse_drag_callbacks)
    again = ChestDock(viewer)
    viewer.window.add_dock_widget(again, name="Chest again")
    session = again.controller.session
    opened.wait(lambda: session.draft is not None and not again.controller.opening.reader.busy)
    assert session.unsaved()
    np.testing.assert_array_equal(session.draft.labels.values, changed)
    assert [layer.name for layer in viewer.layers] == ["P001", "labels updated-1"]
    again.controller.opening.reader.stop()


def test_floating_and_hiding_the_dock_does_not_close_it(opened):
    outer = opened.dock.parent()
    while not hasattr(outer, "setFloating"):
        outer = outer.parent()
    outer.setFloating(True)
    outer.setFloating(False)
    outer.hide()
    outer.show()
    assert [layer.name for layer in opened.viewer.layers] == ["P001", "labels updated-1"]


def test_wheel_steps_slices_and_ctrl_wheel_zooms(opened):
    from qtpy.QtGui import QWheelEvent
    from qtpy.QtWidgets import QApplication

    canvas = opened.controller.canvas
    widget = canvas.widget
    canvas.go_to(10)

    def wheel(notches, modifiers):
        at = QPointF(widget.width() / 2, widget.height() / 2)
        event = QWheelEvent(
            at,
            QPointF(widget.mapToGlobal(QPoint(int(at.x()), int(at.y())))),
            QPoint(0, 0),
            QPoint(0, 120 * notches),
            Qt.MouseButton.NoButton,
            modifiers,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(widget, event)

    wheel(-1, Qt.KeyboardModifier.NoModifier)
    assert canvas.slice == 11
    zoom = opened.viewer.scene.camera.zoom
    wheel(1, Qt.KeyboardModifier.ControlModifier)
    assert opened.viewer.scene.camera.zoom > zoom
    assert canvas.slice == 11

    opened.viewer.dims.order = (1, 0, 2)
    y = canvas.axes.index(1)
    wheel(-1, Qt.KeyboardModifier.NoModifier)
    assert canvas.axes.index(1) == y + 1
    assert canvas.slice == 11
    assert canvas.overlay_text.bottom_right[0] == f"{y + 2}/64"


def test_an_unreadable_case_does_not_stop_the_way_through_the_list(bench, dataset_folder):
    for path in (dataset_folder / "COVID-19 subjects" / "P002").glob("*.dcm"):
        path.write_bytes(b"")
    bench.open(dataset_folder)
    bench.controller.opening.step_case(1)
    bench.wait(lambda: "P002" in bench.dock.message.text())
    bench.controller.opening.step_case(1)
    bench.wait(lambda: bench.session.open_case.info.title == "P003")


def test_two_quick_steps_go_two_cases_on(opened):
    opened.controller.opening.step_case(1)
    opened.controller.opening.step_case(1)
    opened.wait(lambda: opened.session.open_case.info.title == "P003")


def test_broken_labels_are_not_called_unlabelled(bench, dataset_folder):
    for path in dataset_folder.glob("*.npy"):
        path.write_bytes(b"no array")
    bench.open(dataset_folder)
    assert "expected a NumPy array file" in bench.dock.grid._empty
    assert "expected a NumPy array file" in bench.dock.details.text.text()


def test_a_folder_that_is_no_dataset_does_not_leave_a_case_half_read(opened, tmp_path):
    opened.open_case("P002")
    case = next(case for case in opened.session.cases if case.title == "cap001")
    opened.controller.opening.open_case(case.id)
    opened.wait(lambda: opened.session.open_case.info.title == "cap001")
    opened.controller.opening.open_folder(tmp_path)
    opened.wait(lambda: "is not a dataset" in opened.dock.message.text())
    opened.wait(lambda: not opened.controller.opening.reader.busy)
    dataset = napari_chest.open_dataset(opened.session.dataset.root)
    np.testing.assert_array_equal(
        opened.viewer.layers["cap001"].data, dataset.volume(case.id).voxels
    )


def test_layers_of_others_do_not_move_our_slices(opened):
    canvas, viewer = opened.controller.canvas, opened.viewer
    canvas.go_to(6)
    spacing = canvas.volume.grid.spacing
    fine = viewer.add_image(
        np.zeros((96, 64, 64), np.uint8), scale=(spacing[0] / 4, *spacing[1:]), name="fine"
    )
    assert canvas.slice == 6
    canvas.step(1)
    assert canvas.slice == 7
    assert viewer.dims.point[0] == pytest.approx(7 * spacing[0])
    viewer.layers.selection.active = viewer.layers["P001"]
    before = opened.values.copy()
    opened.key(Qt.Key.Key_2)
    assert set(np.argwhere(opened.values != before)[:, 0]) == {7}
    viewer.layers.remove(fine)


def test_a_layer_with_a_time_axis_does_not_disturb(opened):
    canvas, viewer = opened.controller.canvas, opened.viewer
    moving = viewer.add_image(np.zeros((3, 24, 64, 64), np.uint8), name="moving")
    canvas.go_to(5)
    assert canvas.slice == 5
    assert viewer.dims.point[0] == viewer.dims.range[0].start or viewer.dims.ndim == 4
    assert canvas.axial
    viewer.layers.remove(moving)
    canvas.go_to(9)
    assert canvas.slice == 9


def test_an_image_in_the_trash_is_told_before_a_key_edits_what_is_not_seen(opened):
    opened.viewer.layers.remove("P001")
    opened.viewer.layers.selection.active = opened.viewer.layers["labels updated-1"]
    before = opened.values.copy()
    opened.key(Qt.Key.Key_2)
    np.testing.assert_array_equal(opened.values, before)
    assert "The image was removed" in opened.dock.message.text()
    opened.open_case("P002")
    assert {layer.name for layer in opened.viewer.layers} == {"P002", "labels updated-1"}


def test_another_image_opens_though_the_pointer_lies_beside_it(work):
    widget = work.controller.canvas.widget
    work.controller.canvas.go_to(5)
    QTest.mouseMove(widget, widget.rect().center())
    QApplication.processEvents()
    work.open_case("xray")
    assert work.controller.canvas.volume.grid.shape[0] == 1
    assert work.session.draft.case.id == "xray"


def test_the_keyboard_is_with_the_image_once_a_dataset_is_open(bench, dataset_folder):
    bench.dock.start.open_button.setFocus()
    bench.open(dataset_folder)
    assert QApplication.focusWidget() is bench.controller.canvas.widget
    bench.dock.cases.table.setFocus()
    bench.open_case("P002")
    assert QApplication.focusWidget() is bench.dock.cases.table


@pytest.mark.parametrize("slices", [12, 13])
def test_keys_edit_the_slice_on_screen_from_the_first_moment(bench, tmp_path, slices):
    """napari announces no step where the view stands at the opening slice already."""
    root = make_covid_ct_md(tmp_path / "set", shape=(slices, 32, 32)).root
    bench.open(root)
    for title in ("P001", "P002", "cap001"):
        bench.open_case(title)
        canvas = bench.controller.canvas
        spacing = canvas.volume.grid.spacing[0]
        on_screen = round(bench.viewer.dims.point[0] / spacing)
        assert canvas.slice == on_screen == slices // 2
        assert bench.dock.grid._current == on_screen
        assert canvas.overlay_text.bottom_right[0] == f"{on_screen + 1}/{slices}"
        before = bench.values.copy()
        bench.key(Qt.Key.Key_4)
        assert set(np.argwhere(bench.values != before)[:, 0]) == {on_screen}
