"""Imports run one way, from the window down to the model; a map of it is in FLOORS."""

import ast
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "napari_chest"

# From the bottom to the top. A room uses itself and every room on a lower floor.
FLOORS = (
    {"errors"},
    {"model"},
    {"geometry", "rings", "changes", "findings"},
    {"codes", "projection"},
    {"files"},
    {"datasets"},
    {"edits"},
    {"tools", "measure"},
    {"review"},
    {"export"},
    {"phantom"},
    {"ui"},
    {"cli"},
    {"__main__"},
)

WINDOWS = {"napari", "qtpy", "magicgui", "superqt", "vispy", "PySide6", "PyQt6", "PyQt5"}
WINDOWS |= {"pyqtgraph"}
FORMATS = {"pydicom", "nibabel", "openpyxl", "highdicom", "imagecodecs", "isal", "python_calamine"}
DATABASES = {"sqlalchemy", "alembic", "psycopg"}


class Import(NamedTuple):
    """One name that a module imports, written out: ``napari_chest.ui.session``."""

    target: str
    line: int
    at_top: bool


def imports(text):
    """Every import of a module, also inside functions and for types only."""
    found = []
    tree = ast.parse(text)
    top = set()
    for statement in tree.body:
        top |= {id(node) for node in ast.walk(statement)} if _runs_on_import(statement) else set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Call) and _called(node) in {"import_module", "__import__"}:
            names = [a.value for a in node.args[:1] if isinstance(a, ast.Constant)]
        else:
            continue
        found += [Import(name, node.lineno, id(node) in top) for name in names]
    return found


def _runs_on_import(statement):
    if isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test):
        return False
    return not isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef)


def _called(node):
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


MODULES = {
    path.relative_to(SOURCE).with_suffix("").as_posix(): imports(path.read_text(encoding="utf-8"))
    for path in sorted(SOURCE.rglob("*.py"))
}


def room_of(module):
    """``files`` for ``files/dicom/header`` and for ``napari_chest.files.dicom.header``."""
    parts = [part for part in module.replace("/", ".").split(".") if part != "napari_chest"]
    return parts[0] if parts else "__init__"


def floor_of(room):
    return next(n for n, rooms in enumerate(FLOORS) if room in rooms)


def ours(module):
    return [one for one in MODULES[module] if one.target.split(".")[0] == "napari_chest"]


def refused(module, found):
    """What of the imports the borders forbid, as ``file:line target``."""
    room = room_of(module)
    wrong = []
    for one in found:
        library, inner = one.target.split(".")[0], room_of(one.target)
        if library == "napari_chest":
            crosses = inner != room and floor_of(inner) >= floor_of(room)
            crosses |= room == "cli" and inner == "ui" and one.at_top
        else:
            crosses = library in WINDOWS and room != "ui"
            crosses |= library in FORMATS and room not in {"files", "export", "phantom"}
            crosses |= library in DATABASES and room != "review"
        if crosses:
            wrong.append(f"{module}.py:{one.line} {one.target}")
    return wrong


def test_every_room_has_its_floor():
    rooms = {room_of(module) for module in MODULES} - {"__init__"}
    assert rooms <= set().union(*FLOORS)
    assert {"model", "errors", "files", "datasets", "edits", "export", "review", "ui"} <= rooms
    assert len(MODULES) > 40


@pytest.mark.parametrize("module", [m for m in MODULES if m != "__init__"])
def test_imports_run_one_way(module):
    assert refused(module, MODULES[module]) == []


def test_front_door_opens_datasets_errors_and_words_only():
    assert {room_of(one.target) for one in ours("__init__")} == {"datasets", "errors", "model"}


def test_a_dataset_never_imports_another():
    for module in MODULES:
        room, _, rest = module.partition("/")
        own = rest.partition("/")[0]
        if room != "datasets" or own == "__init__":
            continue
        for one in ours(module):
            parts = one.target.split(".")
            if parts[1] == "datasets":
                assert parts[2] in {own, "base"}, f"{module} imports {one.target}"


def test_a_widget_never_imports_a_widget_or_what_acts():
    widgets = [m for m in MODULES if m.startswith("ui/widgets/") and not m.endswith("__init__")]
    assert len(widgets) > 5
    forbidden = {"datasets", "edits", "export", "review", "files.dicom", "phantom"}
    forbidden |= {f"ui.{name}" for name in ("session", "controller", "saving", "reading", "plugin")}
    for module in widgets:
        own = module.rpartition("/")[2]
        for one in ours(module):
            inner = one.target.removeprefix("napari_chest.")
            if inner.startswith("review.words."):  # which say what is shown, and do nothing
                continue
            assert not any(f"{inner}.".startswith(f"{room}.") for room in forbidden), one
            if inner.startswith("ui.widgets."):
                assert inner.split(".")[2] in {own, "style", "icons"}, one


def test_model_needs_numpy_alone():
    known = {"numpy", "napari_chest"} | set(sys.stdlib_module_names)
    for module in ("model", "errors", "geometry", "changes"):
        libraries = {one.target.split(".")[0] for one in MODULES[module]}
        assert libraries <= known


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("model", "from napari_chest import geometry"),
        ("model", "import napari_chest.changes as c"),
        ("geometry", "from napari_chest.changes import compare"),
        ("files/npy", "def f():\n    from napari_chest.datasets import open_dataset"),
        ("datasets/x", "from napari_chest.edits import settle"),
        ("edits/x", "from napari_chest.export import Proof"),
        ("review/x", "from napari_chest.export import Proof"),
        ("export/x", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import napari"),
        ("export/x", "from napari_chest.ui.session import Session"),
        ("datasets/x", "import pydicom.uid"),
        ("ui/x", "from pydicom import dcmread"),
        ("datasets/x", "import importlib\nimportlib.import_module('qtpy.QtCore')"),
        ("datasets/x", "from napari_chest.phantom import make"),
        ("cli", "from napari_chest.ui import demo"),
        ("ui/x", "from sqlalchemy import select"),
        ("export/x", "def f():\n    import alembic.command"),
    ],
)
def test_borders_are_guarded(module, text):
    """The guard itself sees what it should."""
    assert len(refused(module, imports(text))) == 1


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("export/x", "from napari_chest.review.folder import stamp"),
        ("cli", "def run():\n    from napari_chest.ui import demo"),
        ("phantom/x", "from napari_chest.export import Proof"),
        ("ui/x", "import napari"),
        ("review/x", "import sqlalchemy"),
        ("files/x", "from napari_chest.errors import ReadError\nimport imagecodecs"),
    ],
)
def test_borders_may_be_crossed_downwards(module, text):
    assert refused(module, imports(text)) == []


def test_nothing_below_the_window_loads_one():
    """What scripts and workers import starts no Qt, and neither does the session."""
    code = f"""
import sys
unwanted = {sorted(WINDOWS)}
for name in ("napari_chest", "napari_chest.export", "napari_chest.edits", "napari_chest.phantom",
             "napari_chest.cli", "napari_chest.ui.session", "napari_chest.ui.layers"):
    __import__(name)
    print(name, *[one for one in unwanted if one in sys.modules], sep=",")
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True
    )
    lines = done.stdout.split()
    assert len(lines) == 7
    assert [line for line in lines if "," in line] == []
