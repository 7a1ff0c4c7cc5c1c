"""The Chest dock: its parts and where they stand. It connects nothing; `controller` does."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QEvent, QSize, Qt, QTimer, Signal
from qtpy.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent, QKeySequence, QShortcut
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from napari_chest.ui.boxes import row
from napari_chest.ui.elided_label import ElidedLabel
from napari_chest.ui.keys import KEYS, qt_sequence, shown
from napari_chest.ui.rounds_page import RoundsPage
from napari_chest.ui.widgets.keys_card import KeysCard
from napari_chest.ui.widgets.proof_card import ProofCard
from napari_chest.ui.widgets.save_page import SavePage
from napari_chest.ui.widgets.start_page import StartPage
from napari_chest.ui.widgets.style import STYLE
from napari_chest.ui.work_page import WorkPage

_WIDTH, _MIN_WIDTH = 320, 280
_MESSAGE_MS = 8000
_BUSY_DELAY_MS = 300
"""Work that is done sooner shows no progress bar: it would only flash."""


class Workbench(QWidget):
    """The dock: one page at a time below a header that is always there.

    Signals
    -------
    folder_dropped(str) : a folder was dropped on the dock.
    action_requested(str) : a key of `keys.KEYS` was pressed while the dock has the keyboard.
    closed() : the dock was closed for good; napari then takes the widget out of its parent.
    """

    folder_dropped = Signal(str)
    action_requested = Signal(str)
    closed = Signal()
    _docked = False

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("chest")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setStyleSheet(STYLE)
        self.setAcceptDrops(True)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self._make_header()
        self._make_progress()
        self.start = StartPage()
        self.work = WorkPage()
        self._name_parts()
        self.rounds_page = RoundsPage()
        self.save = SavePage()
        self.proof = ProofCard()
        self.keys_card = KeysCard()
        self.pages = QStackedWidget()
        pages = (self.start, self.work, self.rounds_page, self.save, self.proof, self.keys_card)
        for page in pages:
            self.pages.addWidget(page)
        self._lay_out()
        self._add_shortcuts()

    def sizeHint(self) -> QSize:  # noqa: N802
        """Narrow, so that a laptop's screen is left to the image."""
        return QSize(_WIDTH, 620)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Wide enough for all that is in it, and for a name."""
        return super().minimumSizeHint().expandedTo(QSize(_MIN_WIDTH, 1))

    def show_page(self, page: QWidget) -> None:
        """Bring a page to the front."""
        self.pages.setCurrentWidget(page)

    def show_dataset(self, title: str, folder: str) -> None:
        """Show which dataset is open."""
        self.title.setText(title)
        self.title.setToolTip(f"{title}\n{folder}")

    def show_state(self, text: str, state: str, more: str = "") -> None:
        """Show whether all is exported.

        Parameters
        ----------
        text : a few words.
        state : ``saved``, ``unsaved`` or ``bad``.
        more : the same at length, for the tool tip.
        """
        self.state.setText(text)
        self.state.setToolTip(more or text)
        self.state.setProperty("state", state)
        self.state.style().polish(self.state)

    def show_journal(self, text: str, state: str) -> None:
        """Show how far the journal is; ``state`` is ``saved``, ``unsaved`` or ``bad``."""
        bad = state == "bad"
        # Short, because the dataset's name stands beside it; and a clock that ticks would disturb.
        short = {"saved": "saved" if text else "", "bad": "not saved"}
        self.journal.setText(short.get(state, text))
        self.journal.setToolTip(text if bad else f"Every step is kept in the review folder: {text}")
        self.journal.setProperty("state", state if state != "saved" else "")
        self.journal.setProperty("role", "secondary" if state == "saved" else "")
        self.journal.style().polish(self.journal)
        if bad:
            self.show_message(text, "bad")
        elif self.elsewhere_button.isVisible():
            self.show_message("Every step is saved again.")
        self.elsewhere_button.setVisible(bad)

    def show_store(self, text: str, more: str = "") -> None:
        """Show how the store of the review is, where that is not fine, also at length."""
        self.store.setText(text)
        self.store.setToolTip(more or text)
        self.store.setVisible(bool(text))

    def show_message(self, text: str, state: str = "") -> None:
        """Say something for a while; errors stay until the next message."""
        self.message.setText(text)
        self.message.setProperty("state", state)
        self.message.style().polish(self.message)
        self.message.setVisible(bool(text))
        self._message_timer.stop()
        if text and state != "bad":
            self._message_timer.start(_MESSAGE_MS)

    def show_busy(self, text: str, *, can_stop: bool = True) -> None:
        """Show that something is under way, should it take long."""
        self.cancel_button.setVisible(can_stop)
        self.progress.setRange(0, 0)
        self.progress.setFormat(text)
        if not self._busy_area.isVisible():
            self._busy_timer.start(_BUSY_DELAY_MS)

    def show_progress(self, done: int, total: int, text: str) -> None:
        """Show how far it is."""
        self.progress.setRange(0, total)
        self.progress.setValue(done)
        self.progress.setFormat(text)

    def show_idle(self) -> None:
        """Show that nothing is under way."""
        self._busy_timer.stop()
        self._busy_area.hide()

    def event(self, event: QEvent) -> bool:
        """Notice when the dock lets go of the widget."""
        if event.type() == QEvent.Type.ParentChange:
            was_docked, self._docked = self._docked, self.parent() is not None
            if was_docked and not self._docked:
                self.closed.emit()
        elif event.type() == QEvent.Type.ShortcutOverride and _is_save(event):
            event.accept()  # it comes as a press then: a menu of napari has the key as well
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Put every stroke on disk."""
        if _is_save(event):
            self.action_requested.emit("journal")
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802
        """Take folders."""
        if _dropped_folder(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        """Ask for the dropped folder."""
        folder = _dropped_folder(event)
        if folder is not None:
            event.acceptProposedAction()
            self.folder_dropped.emit(folder)

    # Parts

    def _make_header(self) -> None:
        self.title = ElidedLabel("No dataset is open")
        self.title.setProperty("role", "title")
        self.open_button = QPushButton("Open…")
        self.open_button.setToolTip("Open a dataset folder")
        self.keys_button = QPushButton("?")
        self.keys_button.setAccessibleName("Keys")
        self.keys_button.setToolTip(f"All keys ({shown('show_keys')})")
        self.journal = QLabel()
        self.journal.setAccessibleName("Journal")
        self.elsewhere_button = QPushButton("Save elsewhere…")
        self.elsewhere_button.setToolTip("Record every step in another folder from now on")
        self.elsewhere_button.hide()
        self.state = ElidedLabel()
        self.review_button = QPushButton("Review…")
        self.review_button.setToolTip("Who you are, reading rounds, people, the store, the log")
        self.review_button.hide()
        self.store = QLabel()
        self.store.setAccessibleName("Store of the review")
        self.store.setProperty("state", "unsaved")
        self.store.hide()
        self.save_button = QPushButton("Save…")
        self.save_button.setToolTip(f"Export or write back, with proof ({shown('save')})")
        self.save_button.setProperty("primary", "true")
        self.save_button.setEnabled(False)
        self.message = QLabel()
        self.message.setWordWrap(True)
        self.message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.message.hide()
        self._message_timer = QTimer(self)
        self._message_timer.setSingleShot(True)
        self._message_timer.timeout.connect(self.message.hide)

    def _make_progress(self) -> None:
        self.progress = QProgressBar()
        self.progress.setMaximumHeight(self.fontMetrics().height() + 6)
        self.cancel_button = QPushButton("Stop")
        self._busy_area = QWidget()
        row = QHBoxLayout(self._busy_area)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.progress, 1)
        row.addWidget(self.cancel_button)
        self._busy_area.hide()
        self._busy_timer = QTimer(self)
        self._busy_timer.setSingleShot(True)
        self._busy_timer.timeout.connect(self._busy_area.show)

    def _name_parts(self) -> None:
        """Let the parts of the work page go by their own names, as those of the dock do."""
        work = self.work
        self.windows, self.cases, self.details = work.windows, work.cases, work.details
        self.work_progress = work.work_progress
        self.reading, self.others, self.questions = work.reading, work.others, work.questions
        self.undo_button, self.redo_button = work.undo_button, work.redo_button
        self.annotations, self.segments = work.annotations, work.segments
        self.numbers, self.tools, self.tool_menu = work.numbers, work.tools, work.tool_menu
        self.tool_form, self.preview = work.tool_form, work.preview
        self.protection, self.grid = work.protection, work.grid

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setSpacing(5)
        head = (self.title, self.journal, self.open_button, self.keys_button)
        states = (self.state, self.store, self.review_button, self.save_button)
        layout.addWidget(row(*head, stretch=0))
        layout.addWidget(row(*states, stretch=0))
        layout.addWidget(self._busy_area)
        layout.addWidget(self.message)
        layout.addWidget(self.elsewhere_button, 0, Qt.AlignmentFlag.AlignRight)
        layout.addWidget(self.pages, 1)

    def _add_shortcuts(self) -> None:
        for key in KEYS:
            for name in () if key.held else key.keys:
                shortcut = QShortcut(QKeySequence(qt_sequence(name)), self.work)
                shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
                shortcut.activated.connect(
                    lambda action=key.action: self.action_requested.emit(action)
                )


def _is_save(event: QEvent) -> bool:
    wanted = QKeySequence(shown("journal"))
    return isinstance(event, QKeyEvent) and QKeySequence(event.keyCombination()) == wanted


def _dropped_folder(event: QDropEvent) -> str | None:
    paths = [url.toLocalFile() for url in event.mimeData().urls()]
    return next((path for path in paths if path and Path(path).is_dir()), None)
