"""The journal in the window: whether all is on disk, where else it can go, what was left."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, QTimer, Signal
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_chest.errors import ChestError
from napari_chest.ui.background import Background
from napari_chest.ui.resuming import all_unsaved

if TYPE_CHECKING:
    from napari_chest.review.journal import Journal
    from napari_chest.review.journal.telling import JournalState
    from napari_chest.ui.preferences import Preferences
    from napari_chest.ui.resuming import Unsaved
    from napari_chest.ui.session import Session

BEHIND_SECONDS = 5.0
_LOOK_MS = 250


class Journaling(QObject):
    """Tells how far the journal is, and what earlier sessions left.

    Signals
    -------
    state_changed(str, str) : text for a person, and ``saved``, ``unsaved`` or ``bad``.
    said(str, str) : a message and its state, empty or ``bad``.
    """

    state_changed = Signal(str, str)
    said = Signal(str, str)

    def __init__(self, session: Session, preferences: Preferences, parent: QWidget) -> None:
        super().__init__(parent)
        self._session = session
        self._preferences = preferences
        self._window = parent
        self._journal: Journal | None = None
        self._notice = ""
        self._told = ("", "")
        self._looking: Background | None = None
        self._moving: Background | None = None
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.look)
        self._timer.start(_LOOK_MS)
        session.journal_changed.connect(self._on_journal)
        self._on_journal()

    def close(self) -> None:
        """Look no more, and listen to the session no more, which outlives the dock."""
        self._timer.stop()
        self._session.journal_changed.disconnect(self._on_journal)
        for work in (self._looking, self._moving):
            if work is not None:
                work.let_go()

    def look(self) -> None:
        """Tell how far the journal is now."""
        state = self._session.check_journal()
        text = state_text(state, datetime.now(UTC)) if self._session.journal else ("", "saved")
        if text != self._told:
            self._told = text
            self.state_changed.emit(*text)
        if state.notice != self._notice:
            self._notice = state.notice
            if state.notice:
                self.said.emit(state.notice, "bad")

    def save_elsewhere(self) -> None:
        """Ask for a folder, and go on with the journal there."""
        journal = self._session.journal
        if journal is None or self._moving is not None:
            return
        start = str(Path.home())
        folder = QFileDialog.getExistingDirectory(self._window, "Record the work in", start)
        if folder:
            self.move_to(Path(folder))

    def move_to(self, folder: Path) -> None:
        """Go on with the journal in another folder, also when the dataset is opened again."""
        journal, dataset = self._session.journal, self._session.dataset
        if journal is None or dataset is None:
            return

        def returned(_: None) -> None:
            self._moving = None
            self._preferences.remember_journal(dataset.root, folder)
            self.said.emit(f"Your work is recorded in {folder} from now on.", "")
            self.look()

        def errored(error: Exception) -> None:
            self._moving = None
            self.said.emit(str(error), "bad")
            if not isinstance(error, ChestError):
                raise error  # a mistake of ours: napari shows it with its traceback

        self._moving = Background(
            lambda: journal.move_to(folder), returned=returned, errored=errored
        )

    def _on_journal(self) -> None:
        """Look back where the session has another journal now."""
        journal, dataset = self._session.journal, self._session.dataset
        if journal is self._journal:
            return
        self._journal = journal
        if self._looking is not None:
            self._looking.let_go()
            self._looking = None
        if journal is not None and dataset is not None:
            cases = tuple(self._session.cases)
            self._looking = Background(
                lambda: all_unsaved(journal, dataset, cases),
                returned=self._on_found,
                errored=self._on_not_found,
            )

    def _on_found(self, found: list[Unsaved]) -> None:
        self._looking = None
        if found:
            self._session.remember_left(found)

    def _on_not_found(self, error: Exception) -> None:
        self._looking = None
        self.said.emit(str(error), "bad")
        if not isinstance(error, ChestError | OSError):
            raise error  # a mistake of ours: napari shows it with its traceback


def state_text(state: JournalState, now: datetime) -> tuple[str, str]:
    """How far the journal is, as text and as ``saved``, ``unsaved`` or ``bad``.

    Parameters
    ----------
    state : of the journal.
    now : the present moment, with its time zone.
    """
    if state.error:
        return f"not saved: {state.error}", "bad"
    behind = time.monotonic() - state.oldest if state.oldest is not None else 0.0
    if behind > BEHIND_SECONDS:
        return f"saving, {behind:.0f} s behind", "unsaved"
    if state.saved is None:
        return "", "saved"
    return f"saved {_ago((now - state.saved).total_seconds())}", "saved"


def _ago(seconds: float) -> str:
    whole = max(int(seconds), 0)
    if whole < 60:
        return f"{whole} s ago"
    return f"{whole // 60} min ago" if whole < 3600 else f"{whole // 3600} h ago"
