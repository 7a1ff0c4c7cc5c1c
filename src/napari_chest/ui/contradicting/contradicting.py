"""Contradictions as a queue: those of the open case as it stands, and on request of all cases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_chest.errors import ChestError, SaveError
from napari_chest.review.acts import Remark
from napari_chest.review.blind import sees_all
from napari_chest.review.contradictions import Queue, kept_as
from napari_chest.ui.contradicting.everywhere import AllCasesLooking
from napari_chest.ui.contradicting.fixes import do_fix
from napari_chest.ui.contradicting.here import OpenCaseLooking
from napari_chest.ui.widgets.contradictions import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari_chest.review.contradictions import Found, Key, Result
    from napari_chest.ui.canvas import Canvas
    from napari_chest.ui.contradicting.work import Looked
    from napari_chest.ui.opening import Opening
    from napari_chest.ui.preferences import Preferences
    from napari_chest.ui.session import Session
    from napari_chest.ui.workbench import Workbench

_LAG_MS = 300
"""How long the list may lag behind while cases are looked at."""
_WAIT = "The case is being looked at again. One moment, then try again."


class Contradicting:
    """Lists contradictions, goes to them, and does what a person chooses to do about them.

    Signals
    -------
    marked(frozenset) : ids of all cases with contradictions that nobody dismissed.

    Parameters
    ----------
    session, bench, canvas, opening, preferences : at work.
    flush : turns into edits what is on screen, before something else is.
    """

    marked = Signal(object)

    def __init__(
        self,
        session: Session,
        bench: Workbench,
        canvas: Canvas,
        opening: Opening,
        preferences: Preferences,
        flush: Callable[[], None],
    ) -> None:
        self._session, self._bench, self._canvas = session, bench, canvas
        self._opening, self._preferences, self._flush = opening, preferences, flush
        self._widget = bench.work.contradictions
        self._queue = Queue(None, "")
        self._here = OpenCaseLooking(session, bench, opening, self._on_looked)
        self._all = AllCasesLooking(session, bench, self._on_result, self._on_all)
        self._target: Found | None = None
        self._gone_to: Key | None = None
        self._marked: frozenset[str] = frozenset()
        self._whole = False
        self._lag = QTimer(bench)
        self._lag.setSingleShot(True)
        self._lag.timeout.connect(self._show)
        self._connect_widget()
        for signal, slot in self._signals():
            signal.connect(slot)
        if session.dataset is not None:
            self._begin_dataset()

    def actions(self) -> dict[str, Callable[[], Any]]:
        """What the keys of `keys.KEYS` do about contradictions."""
        return {"contradictions": self.show, "contradiction_next": self.go_to_next}

    @property
    def busy(self) -> bool:
        """Whether something is being looked at, or is not shown yet."""
        return self._here.busy or self._all.busy or self._lag.isActive()

    def show(self) -> None:
        """Unfold the list, or fold it again."""
        if self._widget.toggle.isChecked():
            self._widget.toggle.setChecked(False)
            self._canvas.set_focus()
        else:
            self._widget.unfold()

    def close(self) -> None:
        """Listen no more, stop what is under way and keep what was found."""
        for signal, slot in self._signals():
            signal.disconnect(slot)
        self._lag.stop()
        self._here.close()
        self._all.leave()
        self._save()

    def _connect_widget(self) -> None:
        widget = self._widget
        widget.row_requested.connect(self._go_to_key)
        widget.next_requested.connect(self.go_to_next)
        widget.fix_requested.connect(self._fix)
        widget.dismiss_requested.connect(self._dismiss)
        widget.restore_requested.connect(self._restore)
        widget.check_requested.connect(self._check_all)
        widget.stop_requested.connect(self._all.stop)
        widget.dismissed_toggled.connect(lambda _: self._show())
        widget.toggle.toggled.connect(lambda on: self._here.seek_lungs(wanted=on))

    def _signals(self) -> Iterator[tuple[Any, Callable[..., None]]]:
        yield self._session.review_changed, self._show_soon
        yield self._opening.dataset_left, self._begin_dataset
        yield self._opening.dataset_shown, self._tell_problem
        yield self._opening.case_left, self._show_soon
        yield self._opening.case_shown, self._on_case_shown

    # What is found

    def _begin_dataset(self) -> None:
        self._here.leave()
        self._all.leave()
        self._save()
        self._whole = False
        dataset = self._session.dataset
        assert dataset is not None
        self._queue = Queue(self._preferences.journal_folder(dataset.root), dataset.name)
        self._show()

    def _tell_problem(self) -> None:
        # Once the dataset has told its own, which are under Facts too.
        if self._queue.problem:
            self._bench.show_message(self._queue.problem, "bad")

    def _on_looked(self, looked: Looked) -> None:
        case = self._session.open_case
        # What is seen of one's own reading in a blind round is nobody else's news.
        if case is not None and not case.blind:
            self._queue.remember(looked.case, looked.checked)
        self._show()

    def _check_all(self, images: bool) -> None:
        self._flush()
        cases = [case for case in self._session.cases if self._sees(case.id)]
        self._all.start(cases, self._queue.cases, images=images)

    def _on_result(self, result: Result) -> None:
        if result.anew and result.case != self._here.case:
            self._queue.remember(result.case, result.checked)
        if not self._lag.isActive():
            self._lag.start(_LAG_MS)

    def _on_all(self, whole: bool) -> None:
        self._whole = whole
        self._save()
        self._show()
        failed = [one.failed for one in self._queue.cases.values() if one.failed]
        if failed:
            told = "1 case" if len(failed) == 1 else f"{len(failed)} cases"
            self._bench.show_message(f"{told} could not be looked at. {failed[0]}", "bad")

    # What is shown

    def _listed(self) -> list[Found]:
        """All that may be shown, in the order of the cases; of the open case as it stands."""
        cases = self._queue.cases
        found: list[Found] = []
        for case in self._session.cases:
            if case.id == self._here.case:
                found += map(kept_as, self._here.found.values())
            elif case.id in cases and self._sees(case.id):
                found += cases[case.id].found
        return found

    def _sees(self, case: str) -> bool:
        """Whether the person may know what others say of a case."""
        desk = self._session.desk
        return desk is None or sees_all(desk.book, desk.person, self._session.round, case)

    def _show_soon(self, *_: object) -> None:
        self._lag.start(_LAG_MS)

    def _show(self) -> None:
        dismissed, with_dismissed = self._queue.dismissed, self._widget.show_dismissed.isChecked()
        titles = {case.id: case.title for case in self._session.cases}
        listed = self._listed()
        rows = []
        for one in listed:
            let_be = dismissed.get(one.key)
            if let_be is None or with_dismissed:
                why = f"{let_be.why} ({let_be.who})" if let_be is not None else ""
                rows.append(_row(one, titles[one.case], one.case == self._here.case, why))
        self._widget.show_rows(rows, checked=self._whole)
        marked = frozenset(one.case for one in listed if one.key not in dismissed)
        if marked != self._marked:
            self._marked = marked
            self.marked.emit(marked)

    # Going there

    def go_to_next(self) -> None:
        """Go to the chosen contradiction, or from there to the next one of the list."""
        self._widget.toggle.setChecked(True)
        rows, chosen = self._widget.rows, self._widget.chosen
        start = 0 if chosen is None else rows.index(chosen)
        if chosen is not None and chosen.key == self._gone_to:
            start += 1
        after = [row.key for row in rows[start:] if not row.dismissed]
        if after:
            self._go_to_key(after[0])
        elif rows:
            self._bench.show_message("No contradiction further on.")
        else:
            self._bench.show_message("Still looking. One moment." if self.busy else _NONE)

    def _go_to_key(self, key: Key) -> None:
        found = self._find(key)
        if found is None:
            return
        self._widget.choose(key)
        self._gone_to = key
        case = self._session.open_case
        if case is not None and case.info.id == found.case:
            self._go_to(found)
        else:
            self._target = found
            self._opening.go_to_case(found.case)

    def _find(self, key: Key) -> Found | None:
        return next((one for one in self._listed() if one.key == key), None)

    def _on_case_shown(self) -> None:
        target, self._target = self._target, None
        case = self._session.open_case
        if target is not None and case is not None and case.info.id == target.case:
            self._go_to(target)

    def _go_to(self, found: Found) -> None:
        self._choose_reader(found.reader)
        if found.slice is not None:
            self._canvas.go_to(found.slice)
        if found.voxel is not None:
            self._canvas.center_on(found.voxel[1], found.voxel[2])

    def _choose_reader(self, reader: str) -> bool:
        """Show a reader's reading; says whether it is shown."""
        case, draft = self._session.open_case, self._session.draft
        if draft is not None and draft.saved.reader == reader:
            return True
        if case is None or reader not in {reading.reader for reading in case.readings}:
            return False
        self._flush()
        self._session.choose_reader(reader)
        return True

    # Doing something about it

    def _fix(self, key: Key, number: int) -> None:
        self._flush()
        one = self._here.found.get(key)
        if one is None or self._here.stale or not self._choose_reader(one.reader):
            self._bench.show_message(_WAIT)
            return
        fix = one.fixes[number]
        try:
            changed = do_fix(self._session, fix)
        except ChestError as error:  # what is protected stays
            self._bench.show_message(str(error))
            return
        draft = self._session.draft
        if changed:
            self._bench.show_message(f"{fix.text}: done; undo takes it back.")
        elif draft is not None and not draft.read_only:
            self._bench.show_message(f"{fix.text}: nothing changed, because it is protected.")

    def _dismiss(self, key: Key, why: str) -> None:
        found = self._find(key)
        if found is not None:
            self._queue.dismiss(key, self._person, why)
            self._log(found, f"Contradiction dismissed: {found.text} Why: {why}")

    def _restore(self, key: Key) -> None:
        found = self._find(key)
        if found is not None:
            self._queue.restore(key, self._person)
            self._log(found, f"Contradiction taken up again: {found.text}")

    def _log(self, found: Found, text: str) -> None:
        """Keep what was decided, and tell the review of it where there is one."""
        desk = self._session.desk
        if desk is not None:
            desk.do(
                Remark(
                    who=desk.person,
                    case=found.case,
                    text=text,
                    round=self._session.round,
                    voxel=found.voxel,
                    reader=found.reader,
                )
            )
            self._session.review_changed.emit(frozenset({found.case}))
        self._save()
        self._show()

    @property
    def _person(self) -> str:
        return self._session.person or self._preferences.person

    def _save(self) -> None:
        try:
            self._queue.save()
        except SaveError as error:
            self._bench.show_message(str(error), "bad")


_NONE = "No contradictions are known. “Check all” looks at every case."


def _row(found: Found, title: str, is_here: bool, why: str) -> Row:
    return Row(
        found.key,
        title,
        found.text,
        found.reader,
        is_note=found.level == "note",
        is_here=is_here,
        fixes=found.fixes,
        dismissed=why,
    )
