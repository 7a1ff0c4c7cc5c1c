"""What the manifest offers to napari."""

import subprocess
import sys

import pytest
from npe2 import PluginManager, PluginManifest

import napari_chest
from napari_chest import changes
from napari_chest.changes import ReadingChange
from napari_chest.phantom import LAYOUTS
from napari_chest.ui.demo_data import demo_folder


@pytest.fixture
def viewer(make_napari_viewer, qtbot):
    """A viewer that knows this plugin alone."""
    viewer = make_napari_viewer(show=True)
    manifest = PluginManifest.from_distribution("napari-chest")
    manager = PluginManager.instance()
    if "napari-chest" not in manager:
        manager.register(manifest, warn_disabled=False)
    yield viewer
    for dock in list(viewer.window.dock_widgets.values()):
        controller = getattr(dock, "controller", None)
        if controller is not None:
            controller.opening.reader.stop()


def workbench(viewer):
    docks = viewer.window.dock_widgets
    return next(dock for name, dock in docks.items() if name.startswith("Chest"))


def test_file_open_of_a_dataset_folder_opens_the_workbench(viewer, dataset_folder, qtbot):
    viewer.open(dataset_folder, plugin="napari-chest")
    session = workbench(viewer).controller.session
    qtbot.waitUntil(lambda: session.draft is not None, timeout=20_000)
    assert session.open_case.info.title == "P001"
    assert {layer.name for layer in viewer.layers} == {"P001", "labels updated-1"}


def test_opening_a_second_folder_uses_the_same_workbench(viewer, dataset_folder, qtbot):
    viewer.open(dataset_folder, plugin="napari-chest")
    first = workbench(viewer)
    qtbot.waitUntil(lambda: first.controller.session.draft is not None, timeout=20_000)
    viewer.open(dataset_folder, plugin="napari-chest")
    assert workbench(viewer) is first
    qtbot.waitUntil(lambda: not first.controller.opening.reader.busy, timeout=20_000)


def test_a_dock_works_on_its_own_window_also_beside_one_that_shows_the_same(
    viewer, make_napari_viewer
):
    for one in (viewer, make_napari_viewer(show=True)):
        _, dock = one.window.add_plugin_dock_widget("napari-chest", "Chest")
        assert dock.controller.canvas.widget.window() is dock.window()


def test_the_reader_leaves_other_folders_and_files_alone(tmp_path, dataset_folder):
    from napari_chest.ui.plugin import get_reader

    assert get_reader(str(tmp_path)) is None
    assert get_reader(str(dataset_folder / "Index.csv")) is None
    assert get_reader([str(dataset_folder)] * 2) is None
    assert callable(get_reader(str(dataset_folder)))


def test_reading_without_a_window_gives_the_first_case(dataset_folder):
    code = (
        "import sys; from napari_chest.ui.plugin import get_reader;"
        "path = sys.argv[1]; layers = get_reader(path)(path);"
        "print([(kind, data.shape, meta['name']) for data, meta, kind in layers])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, str(dataset_folder)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "('image', (24, 64, 64), 'P001')" in done.stdout
    assert "('labels', (24, 1, 6), 'labels updated-1')" in done.stdout


SMALL = {"covid-ct-md": {"shape": (24, 64, 64)}, "mosmed": {"shape": (24, 64, 64)}, "bimcv": {}}


@pytest.mark.parametrize("layout", SMALL)
def test_samples_are_made_and_opened_ready_to_correct(viewer, qtbot, monkeypatch, layout):
    make = LAYOUTS[layout]
    small = SMALL[layout] or {"size": (112, 122)}
    monkeypatch.setitem(LAYOUTS, layout, lambda root: make(root, **small))
    viewer.open_sample("napari-chest", f"synthetic-{layout}")
    session = workbench(viewer).controller.session
    qtbot.waitUntil(lambda: session.draft is not None, timeout=60_000)
    assert session.dataset.name == layout
    assert session.dataset.root == demo_folder(layout)
    expected = napari_chest.open_dataset(demo_folder(layout)).readings(session.open_case.info.id)[0]
    assert changes.compare(expected, session.draft.reading) == ReadingChange(expected.reader)
    qtbot.waitUntil(lambda: not workbench(viewer).controller.opening.reader.busy, timeout=20_000)


def test_without_a_window_masks_are_read_too(tmp_path):
    root = LAYOUTS["mosmed"](tmp_path / "set", shape=(12, 32, 32)).root
    code = (
        "import sys; from napari_chest.ui.plugin import _first_case;"
        "import napari_chest; d = napari_chest.open_dataset(sys.argv[1]);"
        "d.__class__.cases = lambda self, c=[i for i in d.cases() if i.facts['Mask'] == 'yes']: c;"
        "print([(kind, data.shape, meta['name']) for data, meta, kind in _first_case(d)])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, str(root)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "('labels', (12, 32, 32), 'opacities')" in done.stdout


def test_the_manifest_at_top_level_is_the_one_in_the_package(pytestconfig):
    link = pytestconfig.rootpath / "napari.yaml"
    inside = pytestconfig.rootpath / "src" / "napari_chest" / "napari.yaml"
    assert link.resolve() == inside.resolve()
    manifest = PluginManifest.from_file(inside)
    assert {r.command for r in manifest.contributions.readers} == {"napari-chest.read"}
    assert [w.display_name for w in manifest.contributions.widgets] == ["Chest"]
    assert {s.key for s in manifest.contributions.sample_data} == {
        f"synthetic-{n}" for n in LAYOUTS
    }
    writer = manifest.contributions.writers[0]
    assert writer.filename_extensions == [".nii.gz", ".nii"]
