"""A window of its own that shows segments as surfaces in three dimensions."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.components import ViewerModel
from napari.qt import QtViewer
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from napari_chest.measure.surface import Surface, surface
from napari_chest.ui.background import Background
from napari_chest.ui.widgets.style import STYLE

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterable, Sequence

    import numpy.typing as npt

    from napari_chest.model import Grid, Mask

_TO_THE_BACK, _TO_THE_HEAD = (0.0, 1.0, 0.0), (-1.0, 0.0, 0.0)
_TRANSLUCENT = 0.2
_EMPTY = "There is nothing to show: no visible segment has any voxels."
_SEEN = "From the front: the patient's right is on the left. Drag to turn, wheel to zoom."
_STOPPED = "Stopped. What is shown is not all there is."


@dataclass(frozen=True, eq=False)
class Part:
    """A segment that is to be shown.

    Attributes
    ----------
    name : of the segment.
    labels : (Z, Y, X) labels of its mask.
    value : the segment's.
    color : ``#RRGGBB``.
    translucent : whether what lies inside should be seen.
    """

    name: str
    labels: npt.NDArray[Any]
    value: int
    color: str
    translucent: bool = False


def visible_parts(
    masks: Iterable[Mask], shown: Callable[[str], bool], hidden: Callable[[str], Collection[int]]
) -> list[Part]:
    """The segments on screen, those that help with the work (the lungs) translucent and last.

    Parameters
    ----------
    masks : of the reading on screen.
    shown : whether a mask is shown.
    hidden : the segments of a mask that are not.
    """
    parts = [
        Part(segment.name, mask.labels, segment.value, segment.color, mask.aid)
        for mask in masks
        if shown(mask.name)
        for segment in mask.segments
        if segment.value not in hidden(mask.name)
    ]
    return sorted(parts, key=lambda part: part.translucent)


class Surfaces(QDialog):
    """Shows the surfaces of segments as they were when they were asked for.

    They are computed on a thread and shown one after another. The window owns a viewer of napari's
    that holds nothing else, and takes it along when it is closed.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("chest")
        self.setStyleSheet(STYLE)
        self.setWindowTitle("Surfaces")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.viewer = ViewerModel(title="Surfaces", ndisplay=3)
        self._qt_viewer = QtViewer(self.viewer, show_welcome_screen=False)
        self._work: Background | None = None
        self._stop = Event()
        self._made = 0
        self.message = QLabel()
        self.message.setWordWrap(True)
        self.progress = QProgressBar()
        self.stop_button = QPushButton("Stop")
        self.stop_button.clicked.connect(self.stop)
        self.empty = QLabel(_EMPTY)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        self._lay_out()
        self.resize(700, 700)

    def show_parts(self, grid: Grid, parts: Sequence[Part]) -> None:
        """Show these segments in place of those before; translucent ones should come last."""
        self._let_go()
        self.viewer.layers.clear()
        self._made = 0
        self._stop = Event()
        self.progress.setRange(0, len(parts))
        self.progress.setValue(0)
        self._show_busy(True)
        self.message.setText("")
        self._stack.setCurrentWidget(self._qt_viewer)
        stop = self._stop

        def work() -> Generator[tuple[Part, Surface | None], None, None]:
            for part in parts:
                if stop.is_set():
                    return
                yield part, patient_surface(surface(part.labels, part.value, grid.spacing), grid)

        self._work = Background(
            work, returned=self._on_done, errored=self._on_error, yielded=self._on_surface
        )

    @property
    def busy(self) -> bool:
        """Whether surfaces are still being computed."""
        return self._work is not None

    def stop(self) -> None:
        """Compute no further surface; those that are there stay."""
        self._stop.set()
        self._let_go()
        self._show_busy(False)
        self.message.setText(_STOPPED)

    def done(self, result: int) -> None:
        """Close, with the thread and the viewer."""
        self._stop.set()
        self._let_go()
        if self._qt_viewer is not None:
            self.viewer.layers.clear()
            self._qt_viewer.close()
            self._qt_viewer.deleteLater()
            self._qt_viewer = None
        super().done(result)

    def _lay_out(self) -> None:
        foot = QHBoxLayout()
        foot.addWidget(self.message, 1)
        foot.addWidget(self.progress, 1)
        foot.addWidget(self.stop_button)
        self._stack = QStackedLayout()
        self._stack.addWidget(self._qt_viewer)
        self._stack.addWidget(self.empty)
        layout = QVBoxLayout(self)
        layout.addLayout(self._stack, 1)
        layout.addLayout(foot)

    def _show_busy(self, busy: bool) -> None:
        self.progress.setVisible(busy)
        self.stop_button.setVisible(busy)
        self.message.setVisible(not busy)

    def _let_go(self) -> None:
        if self._work is not None:
            self._work.let_go()
            self._work = None

    def _on_surface(self, made: tuple[Part, Surface | None]) -> None:
        part, found = made
        self.progress.setValue(self.progress.value() + 1)
        if found is None:
            return
        self.viewer.add_surface(
            (found.vertices, found.faces),
            name=part.name,
            vertex_colors=np.tile(_rgb(part.color), (len(found.vertices), 1)),
            opacity=_TRANSLUCENT if part.translucent else 1.0,
            blending="translucent" if part.translucent else "opaque",
            shading="smooth",
            units=("mm",) * 3,
        )
        self._made += 1
        self._look()

    def _look(self) -> None:
        """Look at all surfaces from the front, head up."""
        self.viewer.reset_view()
        self.viewer.scene.camera.set_view_direction(_TO_THE_BACK, _TO_THE_HEAD)

    def _on_done(self, _: object) -> None:
        self._work = None
        self._show_busy(False)
        self.message.setText(_SEEN if self._made else "")
        if not self._made:
            self._stack.setCurrentWidget(self.empty)

    def _on_error(self, error: Exception) -> None:
        self._work = None
        self._show_busy(False)
        self.message.setText(f"The surfaces could not be made: {error}")


def patient_surface(found: Surface | None, grid: Grid) -> Surface | None:
    """A surface turned into the patient: mm to the feet, to the back and to the left.

    A volume that was acquired upright or tilted is then seen as the others are, and none mirrored.
    """
    if found is None:
        return None
    directions = grid.affine[:3, :3] / np.linalg.norm(grid.affine[:3, :3], axis=0)
    x, y, z = directions @ found.vertices.T.astype(np.float64)
    vertices = np.stack([-z, y, x], axis=1).astype(np.float32)
    # Where display axes are mirrored, triangles would show their inside.
    faces = found.faces if np.linalg.det(directions) > 0 else found.faces[:, ::-1]
    return Surface(vertices, faces)


def _rgb(color: str) -> npt.NDArray[np.float32]:
    red, green, blue = bytes.fromhex(color.removeprefix("#"))
    return np.array((red, green, blue), np.float32) / np.float32(255)
