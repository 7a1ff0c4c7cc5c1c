"""The Chest dock: its parts and where they stand. It connects nothing; `controller` does."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from qtpy.QtCore import QCoreApplication, QEvent, QSize, Qt, QTimer, Signal
from qtpy.QtGui import QDragEnterEvent, QDropEvent, QKeySequence, QShortcut
from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_chest.ui.elided_label import ElidedLabel
from napari_chest.ui.keys import KEYS, qt_sequence, shown
from napari_chest.ui.scrolled import Scrolled
from napari_chest.ui.widgets.annotation_list import AnnotationList
from napari_chest.ui.widgets.case_list import CaseList
from napari_chest.ui.widgets.details import Details
from napari_chest.ui.widgets.keys_card import KeysCard
from napari_chest.ui.widgets.numbers import NumbersLine
from napari_chest.ui.widgets.preview_bar import PreviewBar
from napari_chest.ui.widgets.proof_card import ProofCard
from napari_chest.ui.widgets.protection import ProtectionRow
from napari_chest.ui.widgets.questions import QuestionPanel
from napari_chest.ui.widgets.save_page import SavePage
from napari_chest.ui.widgets.segment_list import SegmentList
from napari_chest.ui.widgets.slice_grid import SliceGrid
from napari_chest.ui.widgets.start_page import StartPage
from napari_chest.ui.widgets.style import STYLE
from napari_chest.ui.widgets.tool_form import ToolForm
from napari_chest.ui.widgets.tool_menu import ToolMenu
from napari_chest.ui.widgets.tools import ToolBar
from napari_chest.ui.widgets.window_bar import WindowBar

_WIDTH, _MIN_WIDTH = 320, 280
_MESSAGE_MS = 8000
_FEW_ROWS = 3
"""Of the case list, which stay where other parts need the room."""
_UNLIMITED = 2**24 - 1  # QWIDGETSIZE_MAX
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
    _divided = False
    """Whether a person has chosen how much room the case list has."""
    _unfolded: QWidget | None = None

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
        self.work = self._make_work_page()
        self.save = SavePage()
        self.proof = ProofCard()
        self.keys_card = KeysCard()
        self.pages = QStackedWidget()
        for page in (self.start, self.work, self.save, self.proof, self.keys_card):
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

    def order_tabs(self) -> None:
        """Let Tab reach the answers where they stand: Qt puts what is made later last."""
        before: QWidget = self.redo_button
        for widget in self.questions.focus_order():
            QWidget.setTabOrder(before, widget)
            before = widget

    def _balance(self) -> None:
        """Leave to the case list what the parts below it do not need; to open facts, all there is.

        Neither goes below a few rows, and what a person has chosen stays.
        """
        # Parts within parts learn only then what they need.
        QCoreApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest.value)
        facts = self.details.toggle.isChecked()
        # The table of slices and the facts take what they get; everything else has its size.
        grows = facts or not self.grid.isHidden()
        needed = self._scroll.full_height
        self._scroll.setMaximumHeight(_UNLIMITED if grows else needed)
        few = self.cases.height_of(_FEW_ROWS)
        self.cases.setMaximumHeight(few if facts else _UNLIMITED)
        if not grows and not self._divided:
            room = sum(self._splitter.sizes())
            lower = min(needed, room - few)
            self._splitter.setSizes([room - lower, lower])
        if self._unfolded is not None:
            self._scroll.ensureWidgetVisible(self._unfolded)
            self._unfolded = None

    def _on_unfolded(self, unfolded: bool) -> None:
        """Bring what was unfolded into view, once it has its room."""
        self._unfolded = self.annotations.list if unfolded else None

    def _on_splitter_moved(self) -> None:
        self._divided = True

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
        return super().event(event)

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

    def _make_work_page(self) -> QWidget:
        self.windows = WindowBar()
        self.cases = CaseList()
        self.details = Details()
        self.reading = QComboBox()
        self.reading.setAccessibleName("Reader")
        self.reading.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.undo_button = _tool("Undo", f"Undo ({shown('undo')})")
        self.redo_button = _tool("Redo", f"Redo ({shown('redo')})")
        self.questions = QuestionPanel()
        self.others = _tool("Others", "Show other readers as outlines")
        self.others.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.annotations = AnnotationList()
        self.segments = SegmentList()
        self.numbers = NumbersLine()
        self.tools = ToolBar()
        self.tool_menu = ToolMenu()
        self.tool_form = ToolForm()
        self.preview = PreviewBar()
        self.protection = ProtectionRow(self.tool_menu)
        self.grid = SliceGrid()
        head = _row(self.reading, self.others, self.undo_button, self.redo_button, stretch=0)
        parts = (
            self.details,
            head,
            self.questions,
            self.segments,
            self.numbers,
            self.tools,
            self.protection,
            self.annotations,
            self.grid,
        )
        self._lower = _column(*parts, stretch=len(parts) - 1)
        self._balance_timer = QTimer(self)
        self._balance_timer.setSingleShot(True)
        self._balance_timer.timeout.connect(self._balance)
        self._scroll = Scrolled(self._lower)
        # Once Qt has taken note of what became visible.
        self._scroll.room_changed.connect(partial(self._balance_timer.start, 0))
        self._splitter = QSplitter(Qt.Orientation.Vertical)
        self._splitter.setChildrenCollapsible(False)
        self._splitter.addWidget(self.cases)
        self._splitter.addWidget(self._scroll)
        self._splitter.setStretchFactor(0, 2)
        self._splitter.setStretchFactor(1, 3)
        self._splitter.splitterMoved.connect(self._on_splitter_moved)
        self.annotations.toggle.toggled.connect(self._on_unfolded)
        # What a tool asks and would change stands below all that may have to be scrolled.
        return _column(self.windows, self._splitter, self.tool_form, self.preview, stretch=1)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setSpacing(5)
        head = (self.title, self.journal, self.open_button, self.keys_button)
        layout.addWidget(_row(*head, stretch=0))
        layout.addWidget(_row(self.state, self.save_button, stretch=0))
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


def _tool(text: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setToolTip(tip)
    return button


def _row(*widgets: QWidget, stretch: int | None = None) -> QWidget:
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(4)
    for index, widget in enumerate(widgets):
        layout.addWidget(widget, 1 if index == stretch else 0)
    if stretch is None:
        layout.addStretch(1)
    return row


def _column(*widgets: QWidget, stretch: int) -> QWidget:
    column = QWidget()
    layout = QVBoxLayout(column)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(4)
    for index, widget in enumerate(widgets):
        layout.addWidget(widget, 1 if index == stretch else 0)
    return column


def _dropped_folder(event: QDropEvent) -> str | None:
    paths = [url.toLocalFile() for url in event.mimeData().urls()]
    return next((path for path in paths if path and Path(path).is_dir()), None)
