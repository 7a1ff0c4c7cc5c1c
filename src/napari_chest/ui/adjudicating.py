"""From disagreement to disagreement: what is shown of them, and what is decided."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from napari_chest.review.deciding import decided, target_of, target_of_case, target_on_slice
from napari_chest.review.disagreement import Component, asked
from napari_chest.ui.disputes import Asked, asked_rows, row_of, said_of
from napari_chest.ui.finding import Finding
from napari_chest.ui.layers import READER_COLORS
from napari_chest.ui.naming import colors_of, titles_of
from napari_chest.ui.taking import Taking
from napari_chest.ui.units import Unit
from napari_chest.ui.widgets.adjudication import ReaderChoice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from napari_chest.edits import Step
    from napari_chest.review.deciding import Target
    from napari_chest.review.disagreement import Disagreements, Item
    from napari_chest.review.words import Choice, Decision
    from napari_chest.ui.canvas import Canvas
    from napari_chest.ui.session import Session
    from napari_chest.ui.workbench import Workbench

_ALIKE = "These readings say the same everywhere."
_ALL_DECIDED = "Every disagreement of this case is decided."
_GO_FIRST = "Go to a disagreement first: press . or choose it in the list."
_AGREED = "The readings agree on this already."


class Adjudicating:
    """Walks through what differs between readings of the open case, and lets it be decided.

    Attributes
    ----------
    finding : what is compared, and what differs.
    taking : what becomes of decisions.
    current : the disagreement that was gone to last.
    """

    def __init__(self, session: Session, bench: Workbench, canvas: Canvas) -> None:
        self._session = session
        self._bench = bench
        self._canvas = canvas
        self._panel = bench.work.adjudication
        self._list = bench.work.disagreements
        self._table = bench.work.answers
        self._decided: Mapping[Item, Decision] = {}
        self._asked: tuple[Asked, ...] = ()
        self.finding = Finding(session, bench)
        self.taking = Taking(session, canvas)
        self.current: Item | None = None
        for signal, slot in self._signals():
            signal.connect(slot)
        self.finding.found_changed.connect(self._on_found)
        self.finding.failed.connect(lambda text: bench.show_message(text, "bad"))
        self._panel.unfolded.connect(self._on_unfolded)
        self._panel.readers_requested.connect(lambda a, b, rest: self.finding.choose((a, b, *rest)))
        self._panel.take_requested.connect(self._take)
        self._panel.reopen_requested.connect(self._reopen)
        self._list.row_requested.connect(lambda row: self._go_to(self._items[row]))
        self._table.cell_requested.connect(self._take_cell)
        self._on_reading()

    def actions(self) -> dict[str, Callable[[], Any]]:
        """What the keys of `keys.KEYS` do about disagreements."""
        take = self._panel.take
        return {
            "disagreement_next": partial(self._when_found, partial(self._step, 1)),
            "disagreement_previous": partial(self._when_found, partial(self._step, -1)),
            "take_a": partial(take, "A"),
            "take_b": partial(take, "B"),
            "take_union": partial(take, "union"),
            "take_intersection": partial(take, "intersection"),
            "take_consensus": lambda: take(self._panel.consensus),
        }

    def forget(self) -> None:
        """Let go of the case that is left."""
        self.finding.let_go()
        self.taking.forget()
        self.current = None
        self._canvas.differences.hide()

    def close(self) -> None:
        """Stop, and listen to the session no more, which outlives the dock."""
        self.finding.let_go()
        for signal, slot in self._signals():
            signal.disconnect(slot)

    def _signals(self) -> Iterator[tuple[Any, Callable[..., None]]]:
        session = self._session
        yield session.reading_chosen, self._on_reading
        yield session.edited, self._on_edited
        yield session.review_changed, self._on_review
        yield self._canvas.slice_changed, self._on_slice

    @property
    def _items(self) -> tuple[Item, ...]:
        return self.finding.found.items if self.finding.found is not None else ()

    # What happens elsewhere

    def _on_reading(self, *_: object) -> None:
        if self.finding.see_case():
            self.forget()
        blind = self._session.open_case is not None and bool(self._session.open_case.blind)
        self._panel.setVisible(len(self.finding.comparable) > 1 or blind)
        self._show()
        self.finding.look()

    def _on_edited(self, step: Step | None) -> None:
        self.finding.see_step(step)
        if self.taking.follow(step):
            self._show()

    def _on_review(self, changed: object) -> None:  # noqa: ARG002
        self._show()

    def _on_slice(self, z: int) -> None:  # noqa: ARG002
        if self._panel.toggle.isChecked():
            self._show_asked()

    def _on_unfolded(self, unfolded: bool) -> None:
        self.finding.wanted = unfolded
        self._show()
        self._show_layer()
        self.finding.look()

    def _on_found(self) -> None:
        self.current = self.current if self.current in self._items else None
        self._show()
        self._show_layer()
        if self.finding.found is not None and self._panel.toggle.isChecked():
            self._bench.work.bring(self._panel)

    # Going from one to the next

    def _when_found(self, act: Callable[[], None]) -> None:
        """Act once it is known what differs now; says why where that cannot be."""
        refusal = self.finding.refusal
        if refusal:
            self._bench.show_message(refusal)
            return
        self._canvas.flush()
        if not self._panel.toggle.isChecked():
            self._panel.toggle.setChecked(True)
        self.finding.when_found(act)

    def _step(self, step: int) -> None:
        """Go to the next disagreement that is open, or where none is to the next one."""
        items = self._items
        if not items:
            self._bench.show_message(_ALIKE)
            return
        before_first = -1 if step > 0 else 0
        at = items.index(self.current) if self.current in items else before_first
        around = [items[(at + step * more) % len(items)] for more in range(1, len(items) + 1)]
        still_open = [item for item in around if item not in self._decided]
        if not still_open:
            self._bench.show_message(_ALL_DECIDED)
        self._go_to(still_open[0] if still_open else around[0])

    def _go_to(self, item: Item) -> None:
        self.current = item
        self._emphasise()  # first, because a slice that is gone to is drawn anew in any case
        if isinstance(item, Component):
            self._canvas.visit(item.voxel)
        elif item.box:
            self._canvas.show_box((slice(*item.box[0]),))
        self._show_current()

    # Deciding

    def _take(self, choice: str, scope: str, reason: str) -> None:
        self._when_found(partial(self._decide, cast("Choice", choice), scope, reason))

    def _decide(self, choice: Choice, scope: str, reason: str) -> None:
        found = self.finding.found
        assert found is not None
        z = self._canvas.slice
        if scope == "component" and self.current is None:
            self._bench.show_message(_GO_FIRST if self._items else _ALIKE)
            return
        if scope == "component" and self.current is not None:
            target = target_of(self.current)
        else:
            target = target_of_case(found) if scope == "case" else target_on_slice(found, z)
        if target:
            self._decide_about(choice, target, found, reason)
        else:
            where = f"on slice {z + 1}" if scope == "slice" else "in this case"
            self._bench.show_message(f"Nothing differs {where}.")

    def _decide_about(
        self, choice: Choice, target: Target, found: Disagreements, reason: str
    ) -> None:
        if choice == "STAPLE" and not self.taking.why_not():
            masks = {one.mask for one in target.components}
            self.finding.weigh(masks, partial(self._finish, choice, target, found, reason))
        else:
            self._finish(choice, target, found, reason)

    def _finish(self, choice: Choice, target: Target, found: Disagreements, reason: str) -> None:
        staple = self.finding.staple if choice == "STAPLE" else None
        said = self.taking.take(choice, target, found, reason, staple)
        self._panel.reason.clear()
        self._say(said)

    def _take_cell(self, row: int, column: int) -> None:
        """Take what one reader says of a question or of a run of slices, or most of them."""
        found, item = self.finding.found, self._asked[row].item
        if found is None or item is None or not self.finding.fresh:
            self._bench.show_message(_AGREED)
            return
        if column == len(found.readers):
            self._decide_about("majority", target_of(item), found, "")
            return
        order = (column, *(i for i in range(len(found.readers)) if i != column))
        turned = replace(found, readers=tuple(found.readers[i] for i in order))
        says: Any = tuple(item.says[i] for i in order)
        self._decide_about("A", target_of(replace(item, says=says)), turned, "")

    def _reopen(self) -> None:
        decision = self._decided.get(self.current) if self.current is not None else None
        if decision is not None and not self.taking.why_not():
            self._say(self.taking.reopen(decision))

    def _say(self, text: str) -> None:
        self._show()
        self._bench.show_message(text)

    # What is shown

    def _show(self) -> None:
        """Show what is compared, found and decided."""
        self._decided = self._decisions()
        self._show_readers()
        self._show_words()
        total = None if self.finding.found is None else len(self._items)
        self._panel.show_count(len(self._decided), total)
        if self._panel.toggle.isChecked():
            self._show_rows()
            self._show_current()
            self._show_asked()

    @property
    def undecided(self) -> int:
        """How many disagreements of the open case nobody has decided about, as far as is known."""
        found = self.finding.found
        return 0 if found is None else len(set(found.items) - set(self._decisions()))

    def _decisions(self) -> Mapping[Item, Decision]:
        case, found, desk = self._session.open_case, self.finding.found, self._session.desk
        if case is None or found is None or desk is None:
            return {}
        return decided(found, desk.book.decisions(case.info.id))

    def _show_readers(self) -> None:
        readers = self._readers
        colors, titles = colors_of(readers), titles_of(self._session, readers)
        names = [reading.reader for reading in self.finding.comparable]
        choices = [ReaderChoice(name, titles[name], colors[name]) for name in names]
        self._panel.show_readers(choices, self.finding.compared)

    def _show_words(self) -> None:
        finding, why_not = self.finding, self.taking.why_not()
        words = [finding.refusal]
        if finding.found is not None:
            words += [why_not if self._items else _ALIKE, *finding.found.notes]
        self._panel.show_words(
            " ".join(word for word in words if word),
            readers=len(finding.comparable) > 1,
            decisions=bool(self._items),
            allowed=not why_not,
        )

    def _show_rows(self) -> None:
        case, found = self._session.open_case, self.finding.found
        if case is not None and found is not None:
            unit = Unit(case.volume.grid)
            rows = [row_of(one, found, unit, self._decided.get(one)) for one in found.items]
            self._list.show_rows(rows)

    def _show_current(self) -> None:
        case, found, item = self._session.open_case, self.finding.found, self.current
        if case is None or found is None or item is None:
            self._list.show_current(None)
            self._panel.show_current("", decided=False)
            return
        self._list.show_current(found.items.index(item))
        titles = titles_of(self._session, self._readers)
        decision = self._decided.get(item)
        said = said_of(item, found, titles, Unit(case.volume.grid), decision)
        self._panel.show_current(said, decided=decision is not None)

    def _show_asked(self) -> None:
        found, readings = self.finding.found, self.finding.readings
        if found is None:
            self._table.show_rows("", (), ())
            return
        names = titles_of(self._session, self._readers)
        titles = [names[reading.reader] for reading in readings]
        everything = asked(readings, self.finding.questions)
        z = self._canvas.slice
        self._asked = tuple(asked_rows(found, everything, readings, titles, z))
        title = f"Slice {z + 1}" if found.columns else ""
        self._table.show_rows(title, titles, [one.row for one in self._asked])

    def _show_layer(self) -> None:
        case, found = self._session.open_case, self.finding.found
        shown = self._panel.toggle.isChecked() and found is not None and found.components
        if case is None or found is None or not shown:
            self._canvas.differences.hide()
            return
        kinds = np.zeros(case.volume.grid.shape, np.uint8)
        found.fill(kinds)
        self._canvas.show_differences(kinds, self._colors(found))
        self._emphasise()

    def _colors(self, found: Disagreements) -> Sequence[str]:
        """The colours of what only A shows, only B, and of all else that differs."""
        colors = colors_of(self._readers)
        pair = [colors[reader] for reader in found.readers[:2]]
        return (*pair, next(color for color in READER_COLORS if color not in pair))

    def _emphasise(self) -> None:
        item = self.current
        box = tuple(slice(*part) for part in item.box) if isinstance(item, Component) else None
        self._canvas.differences.emphasise(box)

    @property
    def _readers(self) -> list[str]:
        """All readers of the open case, in the order that gives each its colour."""
        case = self._session.open_case
        return [reading.reader for reading in case.readings] if case is not None else []
