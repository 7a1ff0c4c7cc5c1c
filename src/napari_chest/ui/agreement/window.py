"""The window of agreement: this case, and all cases."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMenu,
    QProgressBar,
    QPushButton,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_chest.ui import wording
from napari_chest.ui.agreement.sheets import (
    ConcordanceSheet,
    MasksSheet,
    OverallMasksSheet,
    Sheet,
)
from napari_chest.ui.agreement.tables import (
    Table,
    answers_table,
    as_csv,
    as_json,
    columns_table,
    overall_segments_table,
    pooled_table,
    segments_table,
)
from napari_chest.ui.widgets.style import ACCENT, BACKGROUND, RAISED, STYLE, TEXT

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from napari_chest.measure.agreement import CaseAgreement
    from napari_chest.ui.agreement.run import AllCases
    from napari_chest.ui.agreement.tables import Names

_ICON = 12
_NO_MASKS = "None of these readings has a mask: there is nothing to measure."
_NO_LABELS = "Fewer than two of these readings have slice labels."
_NO_ANSWERS = "None of these readers answered a question about this case."
_NOT_RUN = (
    "“Compare all cases” holds the readings of every case against each other. It takes about as "
    "long as reading their masks; what was measured once is remembered until the program ends."
)
_WHAT_COUNTS = "As the dataset has them and as they were submitted."
_TABS = f"""
QDialog#chest QTabBar {{ border: 0; }}
QDialog#chest QTabWidget::pane {{ border: 0; border-top: 2px solid {RAISED}; }}
QDialog#chest QTabBar::tab {{
    background: {BACKGROUND}; color: {TEXT}; border: 2px solid transparent; padding: 4px 12px;
}}
QDialog#chest QTabBar::tab:selected {{ background: {RAISED}; }}
QDialog#chest QTabBar:focus::tab:selected {{ border-color: {ACCENT}; }}
QDialog#chest QToolTip {{ background: {BACKGROUND}; color: {TEXT}; border: 1px solid {RAISED}; }}
"""


class AgreementWindow(QDialog):
    """Shows how far readers agree, and tells what a person asks for.

    Signals
    -------
    readers_changed(names) : these readers do not count.
    run_requested(), stop_requested() : hold all cases against each other, or stop that.
    slice_requested(index) : show this slice.
    case_requested(id) : open this case.
    """

    readers_changed = Signal(object)
    run_requested = Signal()
    stop_requested = Signal()
    slice_requested = Signal(int)
    case_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("chest")
        self.setStyleSheet(STYLE + _TABS)
        self.setWindowTitle("Agreement of readers")
        self.setWindowFlag(Qt.WindowType.WindowMaximizeButtonHint)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._left_out: frozenset[str] = frozenset()
        self._make_head()
        self._make_case_page()
        self._make_all_page()
        self._make_foot()
        self.pages = QTabWidget()
        self.pages.addTab(self.case_page, "&This case")
        self.pages.addTab(self.all_page, "&All cases")
        layout = QVBoxLayout(self)
        layout.addLayout(self._head)
        layout.addWidget(self.pages, 1)
        layout.addWidget(self.definition)
        layout.addLayout(self._foot)
        self.resize(1060, 660)

    # What is shown

    def show_readers(
        self, readers: Sequence[tuple[str, str, str]], left_out: Collection[str]
    ) -> None:
        """Offer these readers: name, what it is called and colour of each."""
        self._left_out = frozenset(left_out)
        menu = QMenu(self.readers)
        for name, title, color in readers:
            pixmap = QPixmap(_ICON, _ICON)
            pixmap.fill(QColor(color))
            action = menu.addAction(QIcon(pixmap), title)
            action.setCheckable(True)
            action.setChecked(name not in left_out)
            action.toggled.connect(lambda on, name=name: self._count(name, on))
        before = self.readers.menu()
        self.readers.setMenu(menu)
        if before is not None:
            before.deleteLater()
        shown = [
            (number, title, color)
            for number, (name, title, color) in enumerate(readers, 1)
            if name not in left_out
        ]
        self.readers.setText(f"{wording.count(len(shown), 'reader')} of {len(readers)}")
        self.readers.setEnabled(bool(readers))
        self.legend.setText(
            " &nbsp; ".join(
                f'<span style="color:{color}">■</span>&nbsp;<b>{number}</b>&nbsp;{_plain(title)}'
                for number, title, color in shown
            )
        )

    def show_case(self, found: CaseAgreement, names: Names, pixel: float | None) -> None:
        """Show a case; ``pixel`` is the area of a pixel of its slices in cm², where known."""
        self.masks.show_case(found, segments_table(found, names), names, pixel, _NO_MASKS)
        self.labels.show_rows(columns_table(found, names), names, _NO_LABELS)
        self.answers.show_answers(answers_table(found, names))
        more = (
            f" And {wording.count(len(found.notes) - 1, 'note')} more." if found.notes[1:] else ""
        )
        self.case_note.setText("".join(found.notes[:1]) + more)
        self.case_note.setToolTip("\n".join(found.notes))
        self.case_note.setVisible(bool(found.notes))
        self._show_first_filled(self.case_tabs)

    def show_no_case(self, why: str) -> None:
        """Say why nothing of this case can be held against each other."""
        for sheet in (self.masks, self.labels, self.answers):
            sheet.show_empty(why)
        self.case_note.hide()
        self.definition.setText("")

    def show_slice(self, z: int) -> None:
        """Mark the slice that is on screen."""
        self.masks.show_slice(z)

    def show_all_cases(self, found: AllCases, names: Names) -> None:
        """Show what all cases tell together."""
        agreement = found.agreement
        self.all_masks.show_cases(
            agreement, overall_segments_table(agreement, names), names, _NO_MASKS
        )
        columns = pooled_table("Slice labels over cases", agreement.columns, names, "slices")
        self.all_labels.show_rows(columns, names, _NO_LABELS)
        questions = pooled_table("Questions over cases", agreement.questions, names, "cases")
        self.all_answers.show_rows(questions, names, "No question was answered by two readers.")
        self.summary.setText(_summary(found))
        self.summary.setToolTip("\n".join(f"{title}: {text}" for title, text in found.problems))
        self._show_first_filled(self.all_tabs)

    def show_no_cases(self, why: str = _NOT_RUN) -> None:
        """Say why there is nothing of all cases."""
        for sheet in (self.all_masks, self.all_labels, self.all_answers):
            sheet.show_empty(why)
        self.summary.setText("")

    def show_progress(self, done: int, of: int) -> None:
        """Show how many cases were looked at; nothing is under way when all were."""
        busy = done < of
        self.progress.setRange(0, of)
        self.progress.setValue(done)
        self.progress.setFormat(f"{done:,} of {wording.count(of, 'case')}")
        self.progress.setVisible(busy)
        self.stop_button.setVisible(busy)
        self.run_button.setEnabled(not busy)

    @property
    def sheet(self) -> Sheet:
        """The sheet that is in front."""
        tabs = self.case_tabs if self.pages.currentIndex() == 0 else self.all_tabs
        return tabs.currentWidget()

    # What a person asks for

    def copy(self) -> None:
        """Put the table in front on the clipboard."""
        self.sheet.table.copy()
        self.definition.setText("Copied." if self.sheet.tables else "There is nothing to copy.")

    def export(self) -> None:
        """Save the table in front as CSV, or all tables of the page as JSON."""
        tables = self._tables()
        if not tables:
            self.definition.setText("There is nothing to export.")
            return
        kinds = "This table (*.csv);;All tables of this page (*.json)"
        chosen, kind = QFileDialog.getSaveFileName(self, "Export agreement", "agreement.csv", kinds)
        if chosen:
            self.definition.setText(save_tables(Path(chosen), kind, self.sheet.tables, tables))

    def _tables(self) -> list[Table]:
        tabs = self.case_tabs if self.pages.currentIndex() == 0 else self.all_tabs
        sheets = [tabs.widget(index) for index in range(tabs.count())]
        return [table for sheet in sheets for table in sheet.tables]

    def _count(self, name: str, counts: bool) -> None:
        wanted = self._left_out - {name} if counts else self._left_out | {name}
        self.readers_changed.emit(wanted)

    # Parts

    def _make_head(self) -> None:
        self.readers = QToolButton()
        self.readers.setAccessibleName("Readers to compare")
        self.readers.setToolTip("Which readings are held against each other")
        self.readers.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.legend = QLabel()
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        self.legend.setWordWrap(True)
        self._head = QHBoxLayout()
        self._head.addWidget(self.readers)
        self._head.addWidget(self.legend, 1)

    def _make_case_page(self) -> None:
        self.masks = MasksSheet()
        self.labels = ConcordanceSheet("Agreement of slice labels")
        self.answers = AnswersSheet()
        self.case_note = QLabel()
        self.case_note.setProperty("role", "secondary")
        self.case_note.setWordWrap(True)
        self.case_note.hide()
        self.masks.profile.slice_requested.connect(self.slice_requested)
        self.case_tabs = self._tabs(self.masks, self.labels, self.answers)
        self.case_page = QWidget()
        column = QVBoxLayout(self.case_page)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.case_tabs, 1)
        column.addWidget(self.case_note)

    def _make_all_page(self) -> None:
        self.all_masks = OverallMasksSheet()
        self.all_labels = ConcordanceSheet("Agreement of slice labels over cases")
        self.all_answers = ConcordanceSheet("Agreement of answers over cases")
        for chart in (self.all_masks.dice, self.all_masks.volumes):
            chart.case_requested.connect(self.case_requested)
        self.run_button = QPushButton("Compare all cases")
        self.run_button.setToolTip(_WHAT_COUNTS)
        self.run_button.clicked.connect(self.run_requested)
        self.stop_button = QPushButton("Stop")
        self.stop_button.clicked.connect(self.stop_requested)
        self.progress = QProgressBar()
        self.summary = QLabel()
        self.summary.setProperty("role", "secondary")
        self.summary.setWordWrap(True)
        bar = QHBoxLayout()
        bar.addWidget(self.run_button)
        bar.addWidget(self.progress, 1)
        bar.addWidget(self.stop_button)
        bar.addWidget(self.summary, 2)
        self.all_tabs = self._tabs(self.all_masks, self.all_labels, self.all_answers)
        self.all_page = QWidget()
        column = QVBoxLayout(self.all_page)
        column.setContentsMargins(0, 4, 0, 0)
        column.addLayout(bar)
        column.addWidget(self.all_tabs, 1)
        self.show_progress(0, 0)
        self.show_no_cases()

    def _tabs(self, masks: Sheet, labels: Sheet, answers: Sheet) -> QTabWidget:
        tabs = QTabWidget()
        for sheet, title in ((masks, "Masks"), (labels, "Slice labels"), (answers, "Questions")):
            tabs.addTab(sheet, title)
            sheet.defined.connect(lambda text: self.definition.setText(text))
        tabs.currentChanged.connect(lambda _: self.definition.setText(""))
        return tabs

    def _make_foot(self) -> None:
        self.definition = QLabel()
        self.definition.setAccessibleName("What the column means")
        self.definition.setProperty("role", "secondary")
        self.definition.setWordWrap(True)
        # Long definitions must not move the table.
        self.definition.setMinimumHeight(2 * self.fontMetrics().lineSpacing())
        self.definition.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.copy_button = QPushButton("Copy")
        self.copy_button.setToolTip("The table, as a spreadsheet takes it (Ctrl+C in the table)")
        self.copy_button.clicked.connect(self.copy)
        self.export_button = QPushButton("Export…")
        self.export_button.setToolTip("This table as CSV, or all tables of this page as JSON")
        self.export_button.clicked.connect(self.export)
        close = QPushButton("Close")
        close.clicked.connect(self.close)
        for button in (self.copy_button, self.export_button, close, self.run_button):
            button.setAutoDefault(False)  # Enter belongs to the tables
        self.stop_button.setAutoDefault(False)
        self._foot = QHBoxLayout()
        self._foot.addStretch(1)
        for button in (self.copy_button, self.export_button, close):
            self._foot.addWidget(button)

    def _show_first_filled(self, tabs: QTabWidget) -> None:
        """Bring a sheet that says something to the front, unless the one there does."""
        if not tabs.currentWidget().tables:
            filled = [i for i in range(tabs.count()) if tabs.widget(i).tables]
            tabs.setCurrentIndex(filled[0] if filled else tabs.currentIndex())


class AnswersSheet(Sheet):
    """What each reader answered about this case."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Answers of readers", parent)

    def show_answers(self, table: Table) -> None:
        """Show these answers."""
        self._show_table(table, _NO_ANSWERS)


def save_tables(path: Path, kind: str, front: Sequence[Table], tables: Sequence[Table]) -> str:
    """Write the first table in front as CSV or all tables as JSON; returns what to say of it.

    Parameters
    ----------
    path : the file; without an ending it gets that of the kind.
    kind : the filter that was chosen in the dialog.
    front, tables : of the sheet in front, and of the whole page.
    """
    ending = path.suffix.lower() or (".json" if "json" in kind else ".csv")
    path = path.with_suffix(ending)
    text = as_json(tables) if ending == ".json" or not front else as_csv(front[0])
    try:
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        return f"Nothing was written to {path}: {error.strerror}. Choose another folder."
    return f"Written to {path}."


def _summary(found: AllCases) -> str:
    parts = [f"{wording.count(len(found.agreement.cases), 'case')} with two readings or more"]
    if found.alone:
        parts.append(f"{found.alone} with fewer")
    if found.blind:
        parts.append(f"{found.blind} hidden until you submit")
    if found.problems:
        parts.append(f"{wording.count(len(found.problems), 'problem')} (see tool tip)")
    stopped = "Stopped; these are not all. " if found.stopped else ""
    return f"{stopped}{', '.join(parts)}. {_WHAT_COUNTS}"


def _plain(text: str) -> str:
    """A name as rich text shows it on one line, whatever signs it has."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return plain.replace(" ", "&nbsp;")
