"""Load the Qt and napari pytest plugins where they work, and say what is skipped where not."""

import os
import subprocess
import sys

import pytest

if sys.platform.startswith("linux") and not (
    os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # otherwise Qt aborts the interpreter

# In a child process, where an abort for want of a system library is harmless.
_PROBE = (
    "import napari.layers;"
    "from qtpy.QtWidgets import QApplication;"
    "from qtpy.QtGui import QOpenGLContext;"
    "app = QApplication([]);"
    "print('GL' if QOpenGLContext().create() else 'QT')"
)
_found = subprocess.run(
    [sys.executable, "-W", "ignore", "-c", _PROBE], capture_output=True, text=True, check=False
).stdout
HAS_QT, HAS_GL = bool(_found.strip()), "GL" in _found

if HAS_QT:
    pytest_plugins = ["pytestqt.plugin", "napari.utils._testsupport"]
collect_ignore_glob = [] if HAS_GL else ["tests/ui/*"]


def pytest_report_header(config):
    if HAS_GL:
        return "windows: tested"
    lacks = "OpenGL (a display, or xvfb-run)" if HAS_QT else "Qt's system libraries"
    return f"windows: NOT tested, tests/ui is skipped for want of {lacks}; `make test` has both"


def pytest_terminal_summary(terminalreporter):
    if not HAS_GL:
        terminalreporter.write_line(f"tests/ui skipped: {pytest_report_header(None)}")


@pytest.fixture(scope="session")
def real_covid_ct_md(pytestconfig):
    """The published sample of COVID-CT-MD; tests that use it skip where it is absent."""
    root = pytestconfig.rootpath.parent / "shared" / "data" / "covid-ct-md"
    if not root.is_dir():
        pytest.skip("the published COVID-CT-MD sample is not beside the project")
    return root
