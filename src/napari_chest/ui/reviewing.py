"""The review of the case on screen: who is how far, handing in, deciding, what others did."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QTimer, Signal

from napari_chest.review.acts import Begin, Decide, Rate, Spend
from napari_chest.review.words import ADJUDICATED, REASONS, SUBMITTED, WorkKey
from napari_chest.ui.presence import Presence
from napari_chest.ui.widgets.review_bar import Shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_chest.edits import Step
    from napari_chest.review.desk import Desk
    from napari_chest.review.words import State
    from napari_chest.ui.assigning import Assigning
    from napari_chest.ui.opening import Opening
    from napari_chest.ui.session import Session
    from napari_chest.ui.workbench import Workbench

_TOGETHER_MS = 50
"""Changes that come so soon after each other are shown at once."""
_SPEND_MS = 60_000
_SHORTEST_SECONDS = 1.0
_NO_DESK = "There is no review of this dataset."


class Reviewing(QObject):
    """Turns what people ask for into acts of the desk, and tells what the desk brings.

    Parameters
    ----------
    flush : turns into edits what is on screen, before it is handed in.
    undecided : tells how many disagreements of the open case are open.

    Signals
    -------
    told(frozenset) : the review of these cases changed, of any where it is empty; crosses from the
        desk's thread to the window's.
    """

    told = Signal(object)

    def __init__(
        self,
        session: Session,
        bench: Workbench,
        opening: Opening,
        assigning: Assigning,
        flush: Callable[[], None],
        undecided: Callable[[], int],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._bench = bench
        self._bar = bench.work.review
        self._opening = opening
        self._assigning = assigning
        self._flush = flush
        self._undecided = undecided
        self._warned: tuple[WorkKey, int] | None = None
        self._whose = ""
        """Whose work was asked for; empty for that of the reading on screen."""
        self._changed_since: set[WorkKey] = set()
        self._waiting: set[str] | None = None
        """Cases that changed and are not told yet; no cases stand for any, None for nothing."""
        self._said = ""
        """What is said once the next case is on screen."""
        self._presence = Presence(self)
        self._tell_timer = _timer(self, self._tell, _TOGETHER_MS, once=True)
        self._spend_timer = _timer(self, self.spend, _SPEND_MS)
        self._spend_timer.start()
        # Where the desk's thread emits, Qt hands the call over to this one.
        self.told.connect(self._on_told)
        self._signals = (
            (session.desk_changed, self._pass_on),
            (session.review_changed, self._on_changed),
            (session.reading_chosen, self._on_reading),
            (session.edited, self._on_edited),
        )
        for signal, slot in self._signals:
            signal.connect(slot)
        opening.case_left.connect(self.spend)
        opening.case_shown.connect(self._on_shown)
        opening.dataset_left.connect(self._show_work)
        self._connect_bar()

    def _connect_bar(self) -> None:
        bar = self._bar
        bar.submit_requested.connect(self.submit)
        bar.decision_requested.connect(self.decide)
        bar.difficulty_requested.connect(self._rate)
        bar.reader_requested.connect(self._show_reader)
        self._bench.questions.submit_requested.connect(partial(self._act, "submit"))

    def actions(self) -> dict[str, Callable[[], Any]]:
        """What the keys of `keys.KEYS` do to the work on screen."""
        return {
            "submit": partial(self._act, "submit"),
            "approve": partial(self._act, "approved"),
            "needs_fix": partial(self._act, "needs fix"),
            "reject": partial(self._act, "rejected"),
            "defer": partial(self._act, "deferred"),
        }

    def close(self) -> None:
        """Hand in the time that was counted, and listen no more: the session outlives the dock."""
        self.spend()
        for timer in (self._spend_timer, self._tell_timer):
            timer.stop()
        for signal, slot in self._signals:
            signal.disconnect(slot)
        self._presence.close()

    # What people ask for

    def submit(self) -> None:
        """Hand in the work on screen, say how far that is, and open the next case to do."""
        self._flush()
        key, title = self._key(), self._title()
        following = self._bench.cases.unreviewed_after(key.case) if key is not None else None
        self.spend()
        if key is None or not self._may_hand_in(key) or not self._session.submit():
            return
        self._done_with(key)
        self._go_on(f"{title} submitted. {self._progress()}", following)

    def decide(self, state: State, reason: str = "", note: str = "") -> None:
        """Bring the work on screen to another state; a decision opens the next case to do."""
        desk, key, title = self._session.desk, self._key(), self._title()
        if desk is None or key is None:
            return
        # What the person saw: who was faster in the meantime must not be overruled.
        seen = self._bar.shown.work if self._bar.shown is not None else desk.book.work(*key)
        if self._is_own(key) and state in SUBMITTED and seen.state not in SUBMITTED:
            self._flush()
            if (
                not self._may_hand_in(key) or not self._session.submit()
            ):  # what is approved is what was handed in
                return
            seen = desk.book.work(*key)
        following = self._bench.cases.unreviewed_after(key.case)
        desk.do(
            Decide(
                who=desk.person, case=key.case, reader=key.reader, round=key.round, state=state,
                seen=seen.version, reason=reason, note=note,
            )
        )  # fmt: skip
        self._done_with(key)
        whose = "" if key.reader == desk.person else f" of {key.reader}"
        why = f" ({REASONS.get(reason, reason)})" if reason else ""
        said = f"{title}{whose}: {state}{why}."
        other = self._submitted_too(desk, key)
        if state == "in progress":
            self._bench.show_message(said)
        elif other:
            self._show_reader(other)
            self._bench.show_message(f"{said} {other} has submitted it too.")
        else:
            self._go_on(f"{said} {self._progress()}", following)

    def _may_hand_in(self, key: WorkKey) -> bool:
        """Whether a reading is handed in; asks once where disagreements are left open."""
        left = self._undecided() if key.reader == ADJUDICATED else 0
        if not left or self._warned == (key, left):
            return True
        self._warned = key, left
        are = "disagreement is" if left == 1 else "disagreements are"
        self._bench.show_message(
            f"{left} {are} open: there the adjudicated reading has only what all agree on. Do it "
            "again to hand it in as it is."
        )
        return False

    def spend(self) -> None:
        """Hand in how long the person worked on the case on screen."""
        seconds, desk, key = self._presence.take(), self._session.desk, self._own_key()
        if desk is None or key is None or seconds < _SHORTEST_SECONDS or not self._is_own(key):
            return
        # A look at what is not begun is no work on it.
        if desk.book.work(*key).state != "not started":
            desk.do(
                Spend(
                    who=desk.person, case=key.case, reader=key.reader, round=key.round,
                    seconds=round(seconds, 1),
                )
            )  # fmt: skip

    def _act(self, act: str) -> None:
        if self._bench.pages.currentWidget() is not self._bench.work:
            return
        if not self._bar.act(act):
            self._bench.show_message(self._why_not(act))

    def _rate(self, difficulty: int) -> None:
        desk, key = self._session.desk, self._key()
        if desk is not None and key is not None:
            desk.do(
                Rate(
                    who=desk.person, case=key.case, reader=key.reader, round=key.round,
                    difficulty=difficulty,
                )
            )  # fmt: skip

    def _show_reader(self, reader: str) -> None:
        """Show the work of somebody, with the reading that belongs to it."""
        case = self._session.open_case
        if case is None:
            return
        names = (
            name
            for name, kept in case.kept.items()
            if (kept.owner or ADJUDICATED) == reader and kept.round == self._session.round
        )
        name = next(names, None)
        if name is not None:
            self._flush()
            self._session.choose_reader(name)
        self._whose = reader
        self._show_work()

    # What happens

    def _pass_on(self, cases: frozenset[str]) -> None:
        """Called on the desk's thread."""
        self.told.emit(cases)

    def _on_told(self, cases: frozenset[str]) -> None:
        everything = not cases or self._waiting == set()
        self._waiting = set() if everything else (self._waiting or set()) | cases
        self._tell_timer.start()

    def _tell(self) -> None:
        cases, self._waiting = self._waiting, None
        if cases is not None:
            self._session.review_changed.emit(frozenset(cases))

    def _on_changed(self, cases: frozenset[str]) -> None:
        case = self._session.open_case
        if case is None or not cases or case.info.id in cases:
            self._show_work()

    def _on_reading(self, _: object) -> None:
        self._whose = ""
        self._show_work()

    def _on_edited(self, step: Step | None) -> None:
        """Begin the case with the first edit of what is one's own to correct."""
        desk, key = self._session.desk, self._own_key()
        if step is None or desk is None or key is None:
            return
        work = desk.book.work(*key)
        if work.state == "not started":
            desk.do(Begin(who=desk.person, case=key.case, reader=key.reader, round=key.round))
        elif work.state in SUBMITTED and key not in self._changed_since:
            self._changed_since.add(key)
            self._bench.show_message("This was submitted before. Submit it again to hand it in.")
        self._show_work()

    def _on_shown(self) -> None:
        self._presence.begin(self._bench.window().windowHandle())
        self._bench.questions.go_on()
        said, self._said = self._said, ""
        if said:
            self._bench.show_message(said)

    # What is shown

    def _show_work(self) -> None:
        desk, key = self._session.desk, self._key()
        if desk is None:
            self._bar.show_nothing(_NO_DESK if self._session.dataset is not None else "")
        elif key is None:
            self._bar.show_nothing("Open a case to review it.")
        else:
            self._bar.show_work(self._shown(desk, key))

    def _shown(self, desk: Desk, key: WorkKey) -> Shown:
        case = self._session.open_case
        adjudicates = desk.book.is_adjudicator(desk.person)
        blind = case.blind if case is not None else ""
        readers = self._readers(desk, key) if adjudicates and not blind else ()
        return Shown(
            desk.book.work(*key),
            own=self._is_own(key),
            adjudicates=adjudicates,
            readers=readers,
            changed=key in self._changed_since,
            closed=self._why_closed(desk, key),
            word=blind,
        )

    def _readers(self, desk: Desk, key: WorkKey) -> tuple[str, ...]:
        """Whose work on the case there is to look at, the person first."""
        found = {
            work.key.reader
            for work in desk.book.of_case(key.case)
            if work.key.round == key.round and work.state != "not started"
        }
        return (desk.person, *sorted(found - {desk.person}, key=str.casefold))

    def _why_closed(self, desk: Desk, key: WorkKey) -> str:
        one = desk.book.round_of(key.round) if key.round else None
        if one is None:
            return ""
        if one.closed:
            return f"{one.title} is closed."
        if one.cases and key.case not in one.cases:
            return f"This case is not read in {one.title}."
        if one.readers and key.reader not in (*one.readers, ADJUDICATED):
            return f"{one.title} is read by {', '.join(one.readers)}."
        return ""

    def _why_not(self, act: str) -> str:
        """Why something cannot be done with the work on screen."""
        shown = self._bar.shown
        if shown is None:
            return self._bar.state.text()
        if shown.closed:
            return shown.closed
        if act in ("approved", "needs fix", "rejected") and not shown.adjudicates:
            return "Only an adjudicator can do this."
        if act in ("submit", "deferred") and not shown.own:
            return f"This is the work of {shown.work.key.reader}."
        if shown.work.state not in SUBMITTED and act != "deferred":
            return "This was not submitted, so that there is nothing to decide about."
        return f"This is {shown.work.state} already."

    # Whose work it is

    def _key(self) -> WorkKey | None:
        """The work on screen."""
        case, own = self._session.open_case, self._own_key()
        if own is None or case is None:
            return None
        if self._whose and not case.blind:
            return WorkKey(self._session.round, case.info.id, self._whose)
        return own

    def _own_key(self) -> WorkKey | None:
        """The work that edits of the reading on screen belong to."""
        session, case = self._session, self._session.open_case
        if session.desk is None or case is None:
            return None
        kept = case.kept.get(session.draft.saved.reader) if session.draft is not None else None
        if kept is None:
            return WorkKey(session.round, case.info.id, session.person)
        return WorkKey(kept.round, case.info.id, kept.owner or ADJUDICATED)

    def _is_own(self, key: WorkKey) -> bool:
        return key.reader in (self._session.person, ADJUDICATED)

    def _submitted_too(self, desk: Desk, key: WorkKey) -> str:
        """Another reader who waits for a decision about the case; empty where none does."""
        if self._is_own(key):
            return ""
        found = (
            work.key.reader
            for work in desk.book.of_case(key.case)
            if work.key.round == key.round and work.state == "submitted"
        )
        return next((one for one in found if one not in (desk.person, key.reader)), "")

    def _title(self) -> str:
        case = self._session.open_case
        return case.info.title if case is not None else ""

    def _progress(self) -> str:
        """``12 of 40 done.``, of the person's own cases."""
        own = self._assigning.own
        return f"{own.in_short}." if own is not None else ""

    # Steps of these

    def _done_with(self, key: WorkKey) -> None:
        """Show at once what was done just now: the desk tells of it a moment later."""
        self._changed_since.discard(key)
        self._session.review_changed.emit(frozenset({key.case}))

    def _go_on(self, said: str, following: str | None) -> None:
        """Open the next case to do, and say there what was done."""
        if following is None:
            self._said = f"{said} No other case of the list is waiting."
            self._opening.read_again()
        else:
            self._said = said
            self._opening.open_case(following)


def _timer(parent: QObject, act: Callable[[], None], every: int, *, once: bool = False) -> QTimer:
    timer = QTimer(parent)
    timer.setSingleShot(once)
    timer.setInterval(every)
    timer.timeout.connect(act)
    return timer
