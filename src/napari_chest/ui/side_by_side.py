"""Two readers side by side: the canvas, another reader and the difference, at one place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.compat import isalive
from qtpy.QtCore import QTimer
from superqt.utils import qthrottled

from napari_chest.ui.background import Background
from napari_chest.ui.keys import shown
from napari_chest.ui.layers import FILL_OPACITY, mask_colors
from napari_chest.ui.naming import colors_of, titles_of
from napari_chest.ui.planes import render
from napari_chest.ui.planes.beside import Beside
from napari_chest.ui.planes.compared import BOTH, ONLY_A, ONLY_B, compared, disagreeing
from napari_chest.ui.planes.facing import facings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from qtpy.QtWidgets import QWidget

    from napari_chest.model import Mask, Reading, Window
    from napari_chest.ui.canvas import Canvas
    from napari_chest.ui.layout import Layout
    from napari_chest.ui.planes.facing import Facing
    from napari_chest.ui.planes.pane import Pane
    from napari_chest.ui.session import Session
    from napari_chest.ui.workbench import Workbench

_NAME = "Side by side"
_MOVE_MS = 30
_ARRIVED_MS = 250
_NO_CASE = "Open a case to see two readers side by side."
_NO_MASKS = "The reading on screen has no masks to hold against others."
_ALONE = "There is no other reading of this case that has masks."
_DIFFERENCE_OPACITY = 0.8
"""What differs is often one voxel wide."""
_ONE_PANE, _TWO_PANES = 1 / 2, 2 / 3
"""Which part of the room of image and panes the panes have, so that all are of one size."""


class SideBySide:
    """Shows another reader beside the one on screen, and what only one of them has.

    There is no room for the other planes then: showing the one hides the other.
    """

    def __init__(self, session: Session, bench: Workbench, canvas: Canvas, layout: Layout) -> None:
        self._layout = layout
        self._session = session
        self._bench = bench
        self._canvas = canvas
        self._dock: QWidget | None = None
        self._panes: Beside | None = None
        self._other = ""
        self._linked = True
        self._at = 0
        self._held = False
        self._shown = ""
        self._search: Background | None = None
        self._arrived: set[int] = set()
        self._follow_soon = qthrottled(self._follow, timeout=_MOVE_MS)
        self._refresh_soon = qthrottled(self._refresh, timeout=_ARRIVED_MS)
        for signal, slot in self._signals():
            signal.connect(slot)

    def actions(self) -> dict[str, Callable[[], Any]]:
        """What the keys of `keys.KEYS` do side by side."""
        return {"side_by_side": self.toggle, "unlink": self.toggle_link}

    def hold(self, held: bool) -> None:
        """Show the other reader's masks on the canvas as long as a key is held."""
        if held and not self._held:
            self._begin_hold()
        elif not held and self._held:
            self._held = False
            self._canvas.show_other_while(False)

    def close(self) -> None:
        """Listen no more, and take the panes out of the window."""
        for signal, slot in self._signals():
            signal.disconnect(slot)
        for soon in (self._follow_soon, self._refresh_soon):
            soon.cancel()
        self._stop_search()
        if self._panes is not None and isalive(self._panes):
            self._canvas.undock(self._panes)

    # Shown or not

    @property
    def panes(self) -> Beside | None:
        """The panes, where they were ever shown."""
        return self._panes

    @property
    def visible(self) -> bool:
        """Whether the panes are shown."""
        return self._dock is not None and isalive(self._dock) and bool(self._dock.isVisible())

    def toggle(self) -> None:
        """Show the panes, or the canvas alone."""
        if self.visible:
            self.hide()
        else:
            self._show()
        self._canvas.set_focus()

    def hide(self) -> None:
        """Show the canvas alone."""
        if self._dock is not None and self.visible:
            width = self._bench.width()
            self._dock.hide()
            self._give_room(width)
            self._canvas.prepare_other(None)

    def _show(self) -> None:
        width = self._bench.width()
        if self._panes is None or not isalive(self._panes):
            self._panes = self._make()
        if self._panes.parent() is None:  # new, or let go by a dock that was closed
            self._dock = self._canvas.dock_beside(self._panes, _NAME, self._bench)
            self._panes.show()
        self._layout.hide()
        if self._dock is not None and not self._dock.isVisible():
            self._dock.show()
        self._give_room(width)
        self._show_case()
        if self._session.open_case is not None:
            self._shown = self._session.open_case.info.id
        self._find_largest()

    def _make(self) -> Beside:
        panes = Beside()
        panes.other_requested.connect(self._choose)
        panes.link_requested.connect(self.toggle_link)
        panes.wide_changed.connect(self._on_wide)
        for pane in panes.panes:
            pane.stepped.connect(self._step)
            pane.view_changed.connect(self._canvas.axes.look_at)
            pane.window_dragged.connect(self._canvas.set_window)
            pane.window_set.connect(lambda: self._canvas.window_chosen.emit(self._canvas.window))
        return panes

    def _give_room(self, width: int) -> None:
        """Leave the workbench its width and make image and panes alike."""

        def resize() -> None:
            widths: dict[QWidget, int] = {self._bench: width}
            panes, image = self._panes, self._canvas.widget
            if panes is not None and image is not None and self.visible:
                share = _TWO_PANES if panes.wide else _ONE_PANE
                widths[panes] = round((image.width() + panes.width()) * share)
            self._canvas.resize_docks({part: w for part, w in widths.items() if isalive(part)})
            QTimer.singleShot(0, self._canvas.fit)

        QTimer.singleShot(0, resize)  # once Qt has taken note of what is there

    def _on_wide(self) -> None:
        if self.visible:
            self._give_room(self._bench.width())

    # Whose masks

    def _readings(self) -> dict[str, Reading]:
        """The readings of the open case that have masks, by name."""
        case, draft = self._session.open_case, self._session.draft
        if case is None or draft is None or case.blind:
            return {}
        return {one.reader: one for one in case.readings if any(not m.aid for m in one.masks)}

    def _names(self) -> list[str]:
        """All readers of the open case, which tells their colours and lines."""
        case = self._session.open_case
        return [] if case is None else [one.reader for one in case.readings]

    def _pair(self) -> tuple[Reading, Reading] | None:
        """The reading on screen and the one it is held against."""
        case, draft, readings = self._session.open_case, self._session.draft, self._readings()
        if case is None or draft is None or not draft.standing.masks:
            return None
        if case.volume is not self._canvas.volume:
            return None  # one of both is still of the case before
        others = [name for name in readings if name != draft.saved.reader]
        if not others:
            return None
        name = self._other if self._other in others else others[0]
        other = self._session.standing(name)
        return None if other is None else (draft.standing, other)

    def _choose(self, reader: str) -> None:
        self._other = reader
        self._show_case()
        self._find_largest()
        self._canvas.set_focus()

    def _why_nothing(self) -> str:
        case, draft = self._session.open_case, self._session.draft
        if case is None or draft is None:
            return _NO_CASE
        if case.blind:
            return case.blind
        return _ALONE if draft.standing.masks else _NO_MASKS

    def _show_case(self) -> None:
        """Show whom there is to compare with, and the panes of the case."""
        panes, pair = self._panes, self._pair()
        if panes is None or not self.visible:
            return
        panes.show_empty("" if pair else self._why_nothing())
        volume = self._canvas.volume if pair else None
        for pane in panes.panes:
            pane.show_volume(volume)
        if pair is None:
            panes.show_readers((), "")
            self._canvas.prepare_other(None)
            return
        names = self._names()
        colors, titles = colors_of(names), titles_of(self._session, names)
        a, b = (one.reader for one in pair)
        offered = [(name, titles[name], colors[name]) for name in self._readings() if name != a]
        panes.show_readers(offered, b)
        panes.show_names(titles[a], titles[b], colors[a], colors[b])
        table = render.color_table(
            {0: "transparent", ONLY_A: colors[a], ONLY_B: colors[b], BOTH: "transparent"},
            _DIFFERENCE_OPACITY,
        )
        panes.difference.show_over(table)
        self._show_other_masks(panes.other, pair[1].masks)
        self._canvas.prepare_other(pair[1], titles[b])
        self._follow()
        self._on_window(self._canvas.window)

    def _show_other_masks(self, pane: Pane, masks: Sequence[Mask]) -> None:
        told = {mask.splits for mask in masks}
        pane.show_masks(
            [
                (mask.labels, render.color_table(mask_colors(mask), FILL_OPACITY))
                for mask in masks
                if not mask.aid and mask.name not in told
            ]
        )

    def _begin_hold(self) -> None:
        pair = self._pair()
        if pair is None:
            self._bench.show_message(self._why_nothing())
            return
        name = pair[1].reader
        self._canvas.prepare_other(pair[1], titles_of(self._session, self._names())[name])
        self._held = True
        self._canvas.show_other_while(True)

    # Where

    def toggle_link(self) -> None:
        """Let the panes scroll with the canvas, or on their own."""
        if self._panes is None or not self.visible:
            text = f"Scrolling is linked side by side: {shown('side_by_side')} shows two readers."
            self._bench.show_message(text)
            return
        self._linked = not self._linked
        self._panes.show_linked(self._linked)
        self._follow()

    def _step(self, steps: int) -> None:
        if self._linked:
            self._canvas.step(steps)
            return
        volume = self._canvas.volume
        if volume is not None and self._panes is not None:
            last = volume.grid.shape[self._panes.other.axis] - 1
            self._at = min(max(self._at + steps, 0), last)
            self._show_slice()

    def _signals(self) -> Iterator[tuple[Any, Callable[..., None]]]:
        canvas, session = self._canvas, self._session
        yield session.reading_chosen, self._on_reading
        yield session.edited, self._on_edited
        yield self._layout.planes_shown, self.hide
        yield canvas.volume_changed, self._show_case
        yield canvas.voxels_arrived, self._on_arrived
        yield canvas.moved, self._follow_soon
        yield canvas.order_changed, self._follow_soon
        yield canvas.view_changed, self._follow_soon
        yield canvas.window_changed, self._on_window

    def _follow(self) -> None:
        """Look where the canvas looks."""
        panes, volume = self._panes, self._canvas.volume
        if panes is None or volume is None or not self.visible:
            return
        axis = self._canvas.axes.order[0]
        if self._linked or axis != panes.other.axis:
            self._at = self._canvas.axes.index(axis)
        for pane in panes.panes:
            pane.show_along(axis)
            pane.look_at(self._canvas.axes.view)
        self._show_slice()

    def _show_slice(self) -> None:
        """Show the slice, and draw over it what it has to show."""
        panes, volume, pair = self._panes, self._canvas.volume, self._pair()
        if panes is None or volume is None or pair is None:
            return
        facing = facings(volume.grid)[panes.other.axis]
        at = [0, 0, 0]
        at[facing.axis] = self._at
        for pane in panes.panes:
            pane.show_at((at[0], at[1], at[2]))
        found = compared(pair[0].masks, pair[1].masks, facing, self._at)
        panes.difference.show_plane(found)
        panes.show_outlines(
            self._outlined(pair[1], facing), None if found is None else found == BOTH
        )

    def _outlined(self, reading: Reading, facing: Facing) -> list[tuple[Any, int]]:
        """What a reader has on the slice, and the number of the reader's line."""
        planes = [
            render.cut(mask.labels, facing, self._at) != 0 for mask in reading.masks if not mask.aid
        ]
        return (
            [(np.logical_or.reduce(planes), self._names().index(reading.reader))] if planes else []
        )

    # What happens elsewhere

    def _on_reading(self, _: object) -> None:
        self.hold(False)
        self._canvas.prepare_other(None)
        self._show_case()
        case = self._session.open_case
        if self.visible and case is not None and case.info.id != self._shown:
            self._shown = case.info.id
            self._find_largest()

    def _on_edited(self, _: object) -> None:
        if self.visible:
            self._show_slice()

    def _on_window(self, window: Window | None) -> None:
        if window is not None and self._panes is not None and isalive(self._panes):
            for pane in self._panes.panes:
                pane.show_window(window, inverted=self._canvas.inverted)

    def _on_arrived(self, slices: Sequence[int]) -> None:
        self._arrived.update(slices)
        self._refresh_soon()

    def _refresh(self) -> None:
        """Show voxels that have arrived, where they are looked at."""
        arrived, self._arrived = self._arrived, set()
        panes = self._panes
        if panes is not None and self.visible:
            for pane in panes.panes:
                if pane.axis != 0 or self._at in arrived:
                    pane.refresh()

    # Where most disagree

    def _find_largest(self) -> None:
        """Go to the slice on which the two disagree most, unless somebody has moved by then."""
        self._stop_search()
        volume, pair = self._canvas.volume, self._pair()
        if volume is None or pair is None or volume.grid.shape[0] == 1:
            return
        facing, start = facings(volume.grid)[0], self._canvas.slice

        def search() -> int | None:
            count = volume.grid.shape[0]
            sizes = list(disagreeing(pair[0].masks, pair[1].masks, facing, count))
            return int(np.argmax(sizes)) if any(sizes) else None

        def go(z: int | None) -> None:
            self._search = None
            if z is not None and self._canvas.volume is volume and self._canvas.slice == start:
                self._canvas.go_to(z)

        self._search = Background(search, returned=go, errored=self._on_error)

    def _on_error(self, error: Exception) -> None:
        self._search = None
        raise error  # a mistake of ours: napari shows it with its traceback

    def _stop_search(self) -> None:
        if self._search is not None:
            self._search.let_go()
            self._search = None
