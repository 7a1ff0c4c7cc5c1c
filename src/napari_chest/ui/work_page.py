"""The page a person works on: the cases above, below them all that belongs to the open one."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import QCoreApplication, QEvent, Qt, QTimer
from qtpy.QtWidgets import QComboBox, QSplitter, QToolButton, QVBoxLayout, QWidget

from napari_chest.ui.boxes import column, row
from napari_chest.ui.keys import shown
from napari_chest.ui.scrolled import Scrolled
from napari_chest.ui.widgets.adjudication import AdjudicationPanel
from napari_chest.ui.widgets.annotation_list import AnnotationList
from napari_chest.ui.widgets.answers_table import AnswersTable
from napari_chest.ui.widgets.case_list import CaseList
from napari_chest.ui.widgets.comments import CommentList
from napari_chest.ui.widgets.contradictions import Contradictions
from napari_chest.ui.widgets.details import Details
from napari_chest.ui.widgets.disagreement_list import DisagreementList
from napari_chest.ui.widgets.numbers import NumbersLine
from napari_chest.ui.widgets.preview_bar import PreviewBar
from napari_chest.ui.widgets.progress_strip import ProgressStrip
from napari_chest.ui.widgets.protection import ProtectionRow
from napari_chest.ui.widgets.questions import QuestionPanel
from napari_chest.ui.widgets.review_bar import ReviewBar
from napari_chest.ui.widgets.round_row import RoundRow
from napari_chest.ui.widgets.segment_list import SegmentList
from napari_chest.ui.widgets.slice_grid import SliceGrid
from napari_chest.ui.widgets.tool_form import ToolForm
from napari_chest.ui.widgets.tool_menu import ToolMenu
from napari_chest.ui.widgets.tools import ToolBar
from napari_chest.ui.widgets.window_bar import WindowBar

_FEW_ROWS = 3
"""Of the case list, which stay where other parts need the room."""
_UNLIMITED = 2**24 - 1  # QWIDGETSIZE_MAX


class WorkPage(QWidget):
    """Makes the parts and gives each its room; what they ask for is connected elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self._divided = False
        """Whether a person has chosen how much room the case list has."""
        self._unfolded: QWidget | None = None
        self._make_parts()
        self._scroll = Scrolled(self._make_lower())
        self._splitter = self._make_splitter()
        self._balance_timer = QTimer(self)
        self._balance_timer.setSingleShot(True)
        self._balance_timer.timeout.connect(self._balance)
        # Once Qt has taken note of what became visible.
        self._scroll.room_changed.connect(partial(self._balance_timer.start, 0))
        self.annotations.toggle.toggled.connect(partial(self._on_unfolded, self.annotations.list))
        fold = self.contradictions
        fold.toggle.toggled.connect(partial(self._on_unfolded, fold.body))
        fold.grown.connect(partial(self._on_unfolded, fold.acts, True))
        self.comments.toggle.toggled.connect(partial(self._on_unfolded, self.comments.list))
        self.adjudication.unfolded.connect(partial(self._on_unfolded, self.adjudication))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.windows)
        layout.addWidget(self.rounds)
        layout.addWidget(self._splitter, 1)
        # What a tool asks and would change stands below all that may have to be scrolled.
        for part in (self.tool_form, self.preview, self.review):
            layout.addWidget(part)

    def order_tabs(self) -> None:
        """Let Tab reach the answers where they stand: Qt puts what is made later last."""
        before: QWidget = self.redo_button
        for widget in self.questions.focus_order():
            QWidget.setTabOrder(before, widget)
            before = widget

    def bring(self, part: QWidget) -> None:
        """Bring a part into view, once it has the room it needs now."""
        self._unfolded = part
        self._balance_timer.start(0)

    # Parts

    def _make_parts(self) -> None:
        self.windows = WindowBar()
        self.cases = CaseList()
        self.work_progress = ProgressStrip()
        self.cases.add_below(self.work_progress)
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
        self.disagreements, self.answers = DisagreementList(), AnswersTable()
        self.adjudication = AdjudicationPanel(self.disagreements, self.answers)
        self.segments = SegmentList()
        self.numbers = NumbersLine()
        self.tools = ToolBar()
        self.tool_menu = ToolMenu()
        self.tool_form = ToolForm()
        self.preview = PreviewBar()
        self.protection = ProtectionRow(self.tool_menu)
        self.grid = SliceGrid()
        self.rounds = RoundRow()
        self.comments = CommentList()
        self.contradictions = Contradictions()
        self.review = ReviewBar()

    def _make_lower(self) -> QWidget:
        """What belongs to the open case, and is scrolled where it has no room."""
        parts = (
            self.details,
            row(self.reading, self.others, self.undo_button, self.redo_button, stretch=0),
            self.questions,
            self.segments,
            self.numbers,
            self.tools,
            self.protection,
            self.annotations,
            self.comments,
            self.contradictions,
            self.adjudication,
            self.grid,
        )
        return column(*parts, stretch=len(parts) - 1)

    def _make_splitter(self) -> QSplitter:
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self.cases)
        splitter.addWidget(self._scroll)
        splitter.setStretchFactor(0, 2)
        splitter.setStretchFactor(1, 3)
        splitter.splitterMoved.connect(self._on_splitter_moved)
        return splitter

    # Room

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
            self._scroll.bring(self._unfolded)
            self._unfolded = None

    def _on_unfolded(self, part: QWidget, unfolded: bool) -> None:
        """Bring what was unfolded into view, once it has its room."""
        self._unfolded = part if unfolded else None

    def _on_splitter_moved(self) -> None:
        self._divided = True


def _tool(text: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setToolTip(tip)
    return button
