"""Reading rounds, people and the store: what the page of the review asks for, and what it shows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from qtpy.QtCore import QObject, QTimer
from qtpy.QtWidgets import QFileDialog

from napari_chest.errors import ChestError, StoreError
from napari_chest.review.acts import CloseRound, Enrol, OpenRound
from napari_chest.review.naming import clean_name
from napari_chest.ui.background import Background
from napari_chest.ui.review_words import act_in_words, in_header, in_words, round_lines, save_log

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_chest.review.acts import AnyAct
    from napari_chest.review.desk import Desk, DeskState
    from napari_chest.review.words import Role
    from napari_chest.ui.opening import Opening
    from napari_chest.ui.preferences import Preferences
    from napari_chest.ui.session import Session
    from napari_chest.ui.widgets.round_list import NewRound
    from napari_chest.ui.workbench import Workbench

_LOOK_MS = 500
_PATIENT_LOOKS = 4
"""So often a store may be found not connected before it is told: connecting takes a moment."""
_ONLY_ADJUDICATORS = "Only adjudicators open and close rounds and give roles."
_NO_PASSWORDS = (
    "Leave the password out of the address, where it would be kept in clear. PostgreSQL takes it "
    "from the file .pgpass of your home folder, or from PGPASSWORD."
)


class Rounds(QObject):
    """Shows how rounds, people and store are, and does what is asked of them.

    Parameters
    ----------
    flush : turns into edits what is on screen, before another round is chosen.
    """

    def __init__(
        self,
        session: Session,
        bench: Workbench,
        opening: Opening,
        preferences: Preferences,
        flush: Callable[[], None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._bench = bench
        self._page = bench.rounds_page
        self._opening = opening
        self._preferences = preferences
        self._flush = flush
        self._saving: Background | None = None
        self._looks = 0
        self._notice = ""
        self._refused: frozenset[str] = frozenset()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.look)
        self._timer.start(_LOOK_MS)
        session.review_changed.connect(self._on_changed)
        opening.dataset_left.connect(self._on_dataset)
        self._connect()
        self._on_dataset()

    def _connect(self) -> None:
        page, bench = self._page, self._bench
        bench.review_button.clicked.connect(self.show)
        bench.work.rounds.round_requested.connect(self.choose)
        page.person.person_requested.connect(self._go_by)
        page.rounds.round_requested.connect(self._read_in)
        page.rounds.open_requested.connect(self._open_round)
        page.rounds.close_requested.connect(self._close_round)
        page.people.enrol_requested.connect(self._enrol)
        page.store.store_requested.connect(self._keep_in)
        page.store.dismiss_requested.connect(self._dismiss)
        page.store.log_requested.connect(self._save_log)

    def close(self) -> None:
        """Listen no more: the session outlives the dock."""
        self._timer.stop()
        if self._saving is not None:
            self._saving.let_go()
        self._session.review_changed.disconnect(self._on_changed)

    def show(self) -> None:
        """Bring the page to the front."""
        self._bench.show_page(self._page)
        self._show()
        self._page.done_button.setFocus()

    def choose(self, number: int) -> None:
        """Read in another round from now on."""
        if number != self._session.round:
            self._flush()
            self._session.choose_round(number)
            self._opening.read_again()

    def look(self) -> None:
        """Tell how the store is, in the header and on the page."""
        desk = self._session.desk
        if desk is None:
            self._bench.show_store("")
            return
        state = desk.state
        self._looks = 0 if state.connected else self._looks + 1
        slow = self._looks > _PATIENT_LOOKS
        self._bench.show_store(*in_header(state, slow=slow))
        self._tell(state)
        if self._is_shown:
            self._show_store(state)

    # What people ask for

    def _go_by(self, name: str) -> None:
        try:
            self._preferences.person = clean_name(name)
        except StoreError as error:
            self._page.person.show_refused(str(error))
            return
        self._page.person.accept()
        self._begin_anew()

    def _keep_in(self, address: str) -> None:
        dataset = self._session.dataset
        if dataset is None:
            return
        if "://" in address and urlsplit(address).password is not None:
            self._page.store.show_refused_address(_NO_PASSWORDS)
            return
        self._preferences.remember_store(dataset.root, address)
        self._page.store.accept()
        self._begin_anew()

    def _begin_anew(self) -> None:
        """Sit at another desk, with the case on screen as that one has it."""
        self._flush()
        self._opening.sit_down()
        self._looks = 0
        self._opening.read_again()
        self._show()

    def _read_in(self, number: int) -> None:
        self._page.done_requested.emit()
        self.choose(number)

    def _open_round(self, wanted: NewRound) -> None:
        desk = self._session.desk
        if desk is None:
            return
        number = max((one.number for one in desk.book.rounds), default=0) + 1
        act = OpenRound(
            who=desk.person,
            number=number,
            title=wanted.title,
            blind=wanted.blind,
            start=wanted.start,
            readers=wanted.readers,
            cases=tuple(self._bench.cases.order()) if wanted.listed else (),
        )
        why = self._do(desk, act)
        if why:
            self._page.rounds.show_refused(why)
        else:
            self._page.rounds.accept()
            self._bench.show_message(f"Round {number}, {wanted.title}, is open.")

    def _close_round(self, number: int) -> None:
        desk = self._session.desk
        if desk is not None:
            why = self._do(desk, CloseRound(who=desk.person, number=number))
            self._bench.show_message(why or f"Round {number} is closed.", "bad" if why else "")

    def _enrol(self, person: str, role: Role) -> None:
        desk = self._session.desk
        if desk is None:
            return
        act = Enrol(
            who=desk.person, person=person, role="adjudicator" if role != "reader" else role
        )
        why = self._do(desk, act)
        self._bench.show_message(why or f"{person} takes part as {role}.", "bad" if why else "")
        if not why:
            self._page.people.accept()

    def _dismiss(self, act_id: str) -> None:
        if self._session.desk is not None:
            self._session.desk.dismiss(act_id)
            self.look()

    def _save_log(self, kind: str) -> None:
        """Ask for a file, and write the log into it."""
        desk, dataset = self._session.desk, self._session.dataset
        if desk is None or dataset is None or self._saving is not None:
            return
        start = str(self._preferences.journal_folder(dataset.root) / f"review-log.{kind}")
        name, _ = QFileDialog.getSaveFileName(self._bench, "Save the log as", start, f"*.{kind}")
        if name:
            self._saving = Background(
                lambda: save_log(desk, Path(name), kind),
                returned=self._on_log_saved,
                errored=self._on_log_failed,
            )

    def _on_log_saved(self, said: str) -> None:
        self._saving = None
        self._bench.show_message(said)

    def _on_log_failed(self, error: Exception) -> None:
        self._saving = None
        self._bench.show_message(f"The log was not saved: {error}", "bad")
        if not isinstance(error, ChestError | OSError):
            raise error  # a mistake of ours: napari shows it with its traceback

    def _do(self, desk: Desk, act: AnyAct) -> str:
        """Do something that the rules may forbid; empty, or why it was not done."""
        try:
            desk.book.with_act(act)
        except StoreError as error:
            return str(error)
        desk.do(act)
        self._session.review_changed.emit(frozenset())
        return ""

    # What is shown

    def _on_dataset(self) -> None:
        self._looks = 0
        self._notice, self._refused = "", frozenset()
        self._on_changed(frozenset())

    def _on_changed(self, cases: frozenset[str]) -> None:
        desk = self._session.desk
        self._bench.review_button.setVisible(desk is not None)
        if not cases:
            rounds = desk.book.rounds if desk is not None else ()
            self._bench.work.rounds.show_rounds(rounds, self._session.round)
        if self._is_shown:
            self._show()

    @property
    def _is_shown(self) -> bool:
        return self._bench.pages.currentWidget() is self._page

    def _show(self) -> None:
        """Show everything on the page."""
        desk, page, session = self._session.desk, self._page, self._session
        if desk is None:
            return
        book = desk.book
        adjudicates = book.is_adjudicator(desk.person) or (book.is_empty() and desk.state.connected)
        why = "" if adjudicates else _ONLY_ADJUDICATORS
        role = book.role(desk.person)
        page.person.show_person(
            desk.person, f"takes part as {role}" if role else "takes part with the first act"
        )
        lines = round_lines(book, desk.person, [case.id for case in session.cases])
        page.rounds.show_rounds(lines, session.round, why)
        page.rounds.show_cases(len(self._bench.cases.order()), len(session.cases))
        page.people.show_people(book.people, why)
        self._show_store(desk.state)

    def _show_store(self, state: DeskState) -> None:
        dataset, store = self._session.dataset, self._page.store
        address = self._preferences.store(dataset.root) if dataset is not None else ""
        store.show_log("" if state.connected else "The store is not connected.")
        text, mood = in_words(state, address)
        store.show_store(address, text, mood)
        store.show_refused([(one.act.id, act_in_words(one.act), one.why) for one in state.refused])

    def _tell(self, state: DeskState) -> None:
        """Say once what a person should know."""
        if state.notice and state.notice != self._notice:
            self._bench.show_message(state.notice, "bad")
        self._notice = state.notice
        refused = frozenset(one.act.id for one in state.refused)
        new = [one for one in state.refused if one.act.id not in self._refused]
        if new:
            self._bench.show_message(f"The store did not take over: {new[-1].why}", "bad")
            self._session.review_changed.emit(frozenset())  # the case stands as before
        self._refused = refused
