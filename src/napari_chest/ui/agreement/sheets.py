"""Sheets of the window of agreement: each a table with its plots below it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QSplitter,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from napari_chest.measure.agreement import BETWEEN_READERS
from napari_chest.ui.agreement.plots import (
    BlandAltmanChart,
    Curve,
    DiceChart,
    KappaChart,
    Look,
    ProfileChart,
)
from napari_chest.ui.agreement.table_view import TableView
from napari_chest.ui.agreement.tables import Names, Table, confusion_table, segment_title

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from napari_chest.measure.agreement import CaseAgreement, SegmentAgreement
    from napari_chest.measure.kappa import Concordance
    from napari_chest.measure.overall import Agreement, SegmentSummary
    from napari_chest.measure.resampling import Estimate
    from napari_chest.ui.agreement.tables import Row

_DICE, _AREA = "Dice per slice", "Area per slice"
_MANY = "#f0f1f2"
"""Colour of more than two readers at once."""


def look_of(names: Names, readers: Sequence[str], *, strong: bool = True) -> Look:
    """How readers are drawn together."""
    if len(readers) > 2:
        return Look("all", _MANY, _MANY, strong)
    first, last = (names.colors.get(reader, _MANY) for reader in (readers[0], readers[-1]))
    return Look(names.readers(readers).text, first, last, strong)


class Sheet(QWidget):
    """A table above its plots, or a sentence that says why there is none.

    Signals
    -------
    defined(text) : what a column means.
    """

    defined = Signal(str)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.table = TableView(name)
        self.table.defined.connect(self.defined)
        self.empty = QLabel()
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        self.empty.setMargin(24)
        self.split = QSplitter(Qt.Orientation.Vertical)
        self.split.setChildrenCollapsible(False)
        self.split.addWidget(self.table)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self.split)

    @property
    def tables(self) -> tuple[Table, ...]:
        """What there is to export."""
        return (self.table.table,) if self.table.table.rows else ()

    def show_empty(self, text: str) -> None:
        """Say why there is nothing to show."""
        self.table.show_table(Table(""))
        self.empty.setText(text)
        self._stack.setCurrentWidget(self.empty)

    def _show_legend(self, what: str, looks: Iterable[Look]) -> None:
        parts = [look.html for look in sorted(set(looks), key=lambda look: look.name)]
        self.legend.setText(" &nbsp; ".join([f"{what}:", *parts] if what else parts))

    def _show_table(self, table: Table, why_empty: str) -> bool:
        """Show a table, or why it is empty; tells which."""
        if not table.rows:
            self.show_empty(why_empty)
            return False
        self._stack.setCurrentWidget(self.split)
        self.table.show_table(table)
        return True

    def _add_below(self, *widgets: QWidget, head: QWidget | None = None) -> None:
        self.legend = QLabel()
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        self.legend.setWordWrap(True)
        below = QWidget()
        column = QVBoxLayout(below)
        column.setContentsMargins(0, 0, 0, 0)
        top = QHBoxLayout()
        if head is not None:
            top.addWidget(head)
        top.addWidget(self.legend, 1)
        column.addLayout(top)
        row = QHBoxLayout()
        for widget in widgets:
            row.addWidget(widget, 1)
        column.addLayout(row, 1)
        self.split.addWidget(below)
        self.split.setStretchFactor(0, 2)
        self.split.setStretchFactor(1, 3)
        self.split.setSizes([200, 300])


class MasksSheet(Sheet):
    """Masks of this case, with a profile through its slices."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Agreement of masks", parent)
        self.measure = QComboBox()
        self.measure.setAccessibleName("What is drawn slice by slice")
        self.measure.addItems([_DICE, _AREA])
        self.measure.currentIndexChanged.connect(lambda _: self._draw())
        self.profile = ProfileChart()
        self._found: CaseAgreement | None = None
        self._names = Names()
        self._pixel: float | None = None
        self._z = 0
        self._add_below(self.profile, head=self.measure)
        self.table.row_chosen.connect(lambda _: self._draw())

    def show_case(
        self, found: CaseAgreement, table: Table, names: Names, pixel: float | None, why: str
    ) -> None:
        """Show the masks of a case; ``pixel`` is the area of one in cm², where it is known."""
        self._found, self._names, self._pixel = found, names, pixel
        if self._show_table(table, why):
            self._draw()

    def show_slice(self, z: int) -> None:
        """Mark the slice that is on screen."""
        self._z = z
        self.profile.show_current(z)

    def _draw(self) -> None:
        row = self.table.current
        if self._found is None or row is None:
            return
        shown: SegmentAgreement = row.about
        alike = [
            one
            for one in self._found.segments
            if (one.mask, one.segment) == (shown.mask, shown.segment)
        ]
        segment = segment_title(shown.mask, shown.segment)
        if self.measure.currentText() == _DICE:
            curves = self._dice(alike, shown)
            self.profile.show_curves("Dice", curves, top=1.0)
        else:
            curves = self._areas(alike, shown)
            self.profile.show_curves("px" if self._pixel is None else "cm²", curves)
        self._show_legend(segment, [curve.look for curve in curves])
        self.profile.show_current(self._z)

    def _dice(self, alike: Sequence[SegmentAgreement], shown: SegmentAgreement) -> list[Curve]:
        """The Dice of every two readers on each slice, that of the row last, on top."""
        return [
            Curve(look_of(self._names, one.readers, strong=one is shown), one.overlap.slices.dice)
            for one in sorted(alike, key=lambda one: one is shown)
        ]

    def _areas(self, alike: Sequence[SegmentAgreement], shown: SegmentAgreement) -> list[Curve]:
        """The area of each reader on each slice, those of the row on top."""
        voxels: dict[str, npt.NDArray[Any]] = {}
        for one in alike:
            sides = (one.overlap.slices.a, one.overlap.slices.b)
            voxels |= dict(zip(one.readers, sides, strict=True))
        scale = 1.0 if self._pixel is None else self._pixel
        return [
            Curve(
                look_of(self._names, (reader,), strong=reader in shown.readers),
                voxels[reader] * scale,
            )
            for reader in sorted(voxels, key=lambda reader: reader in shown.readers)
        ]


class ConcordanceSheet(Sheet):
    """Columns of slice labels, or questions, with their kappas and who said what."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self.kappas = KappaChart()
        self.confusion = TableView("Who said what")
        self.confusion.defined.connect(self.defined)
        self._names = Names()
        self._add_below(self.kappas, self.confusion)
        self.table.row_chosen.connect(self._on_row)

    @property
    def tables(self) -> tuple[Table, ...]:
        """What there is to export."""
        return (*super().tables, *((self.confusion.table,) if self.confusion.table.rows else ()))

    def show_rows(self, table: Table, names: Names, why: str) -> None:
        """Show a table whose rows are of a name and a concordance."""
        self._names = names
        if not self._show_table(table, why):
            return
        found: dict[tuple[str, ...], dict[str, Estimate]] = {}
        shown = []
        for row in table.rows:
            name, each = row.about
            found.setdefault(each.readers, {})[name] = each.kappa
            shown.append(str(row.cells[0]))
        keys = list(dict.fromkeys(row.about[0] for row in table.rows))
        looks = {readers: look_of(names, readers) for readers in found}
        self.kappas.show_kappas(
            list(dict.fromkeys(shown)),
            [
                (looks[readers], [kappas.get(key) for key in keys])
                for readers, kappas in found.items()
            ],
        )
        self._show_legend("", looks.values())

    def _on_row(self, row: Row) -> None:
        concordance: Concordance = row.about[1]
        self.confusion.show_table(confusion_table(concordance, self._names))
        self.confusion.setVisible(bool(self.confusion.table.rows))


class OverallMasksSheet(Sheet):
    """Masks over cases, with the volumes by Bland and Altman and the Dice of every case."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Agreement of masks over cases", parent)
        self.volumes = BlandAltmanChart()
        self.dice = DiceChart()
        self._found: Agreement | None = None
        self._names = Names()
        self._add_below(self.dice, self.volumes)
        self.table.row_chosen.connect(self._on_row)

    def show_cases(self, found: Agreement, table: Table, names: Names, why: str) -> None:
        """Show what cases tell together."""
        self._found, self._names = found, names
        self._show_table(table, why)

    def _on_row(self, row: Row) -> None:
        shown: SegmentSummary = row.about
        if self._found is None:
            return
        titles = [self._names.cases.get(case, case) for case in shown.volumes.cases]
        self.volumes.show_numbers(shown.volumes, look_of(self._names, shown.readers), titles)
        alike = [
            one
            for one in self._found.segments
            if (one.mask, one.segment) == (shown.mask, shown.segment)
        ]
        drawn = [
            (look_of(self._names, one.readers, strong=one is shown), self._dice(one))
            for one in sorted(alike, key=lambda one: one is shown)
        ]
        self.dice.show_cases(drawn, BETWEEN_READERS)
        self._show_legend(segment_title(shown.mask, shown.segment), [look for look, _ in drawn])

    def _dice(self, one: SegmentSummary) -> list[tuple[str, str, float]]:
        """Id, title and Dice of the cases in which a reader marked something."""
        return [
            (case, self._names.cases.get(case, case), overlap.dice)
            for case, overlap in zip(one.cases, one.overlaps, strict=True)
            if overlap.dice is not None
        ]
