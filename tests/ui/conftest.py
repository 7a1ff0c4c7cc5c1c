"""A real napari window with the Chest dock on a small synthetic dataset."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import painted
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QMessageBox
from superqt.utils import WorkerBase

from napari_chest.phantom import make_covid_ct_md
from napari_chest.ui.plugin import ChestDock

SHAPE = (24, 64, 64)


@pytest.fixture(scope="session")
def phantom(tmp_path_factory):
    """The synthetic dataset with its truth; never written to."""
    return make_covid_ct_md(tmp_path_factory.mktemp("phantom") / "covid-ct-md", shape=SHAPE)


@pytest.fixture
def dataset_folder(phantom, tmp_path):
    """A copy of the synthetic dataset that a test may write to."""
    return Path(shutil.copytree(phantom.root, tmp_path / "covid-ct-md"))


@pytest.fixture(autouse=True)
def own_preferences(tmp_path, monkeypatch):
    """Keep the tests away from what this person's program remembers."""
    monkeypatch.setenv("NAPARI_CHEST_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("NAPARI_CHEST_CACHE", str(tmp_path / "cache"))


class Answers:
    """What a person answers to questions; a question nobody expects fails the test."""

    def __init__(self):
        self.asked = []
        self._wanted = None

    def expect(self, button_text):
        self._wanted = button_text

    def exec(self, box):
        self.asked.append(box.text())
        buttons = {button.text().replace("&", ""): button for button in box.buttons()}
        assert self._wanted in buttons, f"asked: {box.text()} {list(buttons)}"
        self._clicked = buttons[self._wanted]
        self._wanted = None
        return 0

    def clicked(self, box):
        return self._clicked


@pytest.fixture(autouse=True)
def answers(monkeypatch):
    answers = Answers()
    monkeypatch.setattr(QMessageBox, "exec", lambda box: answers.exec(box))
    monkeypatch.setattr(QMessageBox, "clickedButton", lambda box: answers.clicked(box))
    return answers


@dataclass
class Bench:
    """The dock under test, with a person's hands."""

    viewer: object
    dock: ChestDock
    qtbot: object

    @property
    def controller(self):
        return self.dock.controller

    @property
    def session(self):
        return self.controller.session

    @property
    def values(self):
        return self.session.draft.labels.values

    def wait(self, condition):
        self.qtbot.waitUntil(condition, timeout=20_000)

    def open(self, folder, case_id=None):
        self.controller.opening.open_folder(folder, case_id)
        self.wait(
            lambda: self.session.open_case is not None and not self.controller.opening.reader.busy
        )

    def open_case(self, title):
        case = next(case for case in self.session.cases if case.title == title)
        self.controller.opening.open_case(case.id)
        self.wait(
            lambda: (
                self.session.open_case.info.title == title
                and not self.controller.opening.reader.busy
            )
        )

    def key(self, key, modifiers=Qt.KeyboardModifier.NoModifier):
        """Press a key while the canvas has the keyboard."""
        QTest.keyClick(self.controller.canvas.widget, key, modifiers)
        QApplication.processEvents()

    def save(self, button):
        """Go through the save page to the proof."""
        self.controller.act("save")
        button.click()
        self.wait(lambda: self.dock.pages.currentWidget() is self.dock.proof)


@pytest.fixture
def bench(make_napari_viewer, qtbot):
    """The dock in a window, with nothing open yet."""
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1366, 768)
    dock = ChestDock(viewer)
    viewer.window.add_dock_widget(dock, name="Chest", area="right")
    bench = Bench(viewer, dock, qtbot)
    yield bench
    bench.controller.opening.reader.stop()
    WorkerBase.await_workers(5000)
    bench.session.close()


@pytest.fixture
def opened(bench, dataset_folder):
    """The dock with the first case of the synthetic dataset."""
    bench.open(dataset_folder)
    return bench


@pytest.fixture
def work(bench, tmp_path):
    """The dock on a case with two segments on thick slices."""
    dataset = painted.Painted(tmp_path)
    bench.controller.opening._on_dataset_read(dataset, dataset.cases())
    bench.wait(lambda: bench.session.draft is not None and not bench.controller.opening.reader.busy)
    bench.viewer.window._qt_window.activateWindow()
    QTest.qWait(50)
    return bench
