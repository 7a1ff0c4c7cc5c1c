"""Going from annotation to annotation of the open case."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_chest.model import Annotation
    from napari_chest.ui.canvas import Canvas
    from napari_chest.ui.workbench import Workbench


class Annotating:
    """Brings the annotations into view that keys and the list ask for."""

    def __init__(self, bench: Workbench, canvas: Canvas) -> None:
        self._bench = bench
        self._canvas = canvas
        self.shown: Annotation | None = None
        """The annotation that was gone to last."""
        bench.annotations.annotation_requested.connect(self.show)

    def actions(self) -> dict[str, Callable[[], Any]]:
        """What the keys of `keys.KEYS` do to annotations."""
        return {
            "annotation_next": partial(self._step, 1),
            "annotation_previous": partial(self._step, -1),
        }

    def show(self, annotation: Annotation) -> None:
        """Bring an annotation into the middle of the view."""
        self.shown = annotation
        top, bottom, left, right = annotation.box
        self._canvas.go_to(annotation.slice)
        self._canvas.center_on((top + bottom) / 2, (left + right) / 2)

    def _step(self, step: int) -> None:
        """Go to the next or previous annotation, from the slice shown or the one gone to before."""
        found = sorted(self._bench.annotations.annotations, key=lambda one: one.slice)
        if not found:
            self._bench.show_message("The dataset has no single annotations of this case.")
            return
        z, at = self._canvas.slice, self.shown
        if at is not None and at in found and at.slice == z:
            index = found.index(at) + step
        else:
            before = sum(one.slice < z for one in found)
            through = sum(one.slice <= z for one in found)
            index = before if step > 0 else through - 1
        if 0 <= index < len(found):
            self.show(found[index])
        else:
            self._bench.show_message("No annotation further on.")
