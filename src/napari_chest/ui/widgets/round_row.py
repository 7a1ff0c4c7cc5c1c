"""In which reading round one works."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QWidget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_chest.review.words import Round

REVIEW = "Review"
"""What round 0 is called."""


class RoundRow(QWidget):
    """A choice of rounds; hidden while there is none.

    Signals
    -------
    round_requested(int) : read in this round.
    """

    round_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rounds = QComboBox()
        self.rounds.setAccessibleName("Reading round")
        self.rounds.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.rounds, 1)
        self.rounds.activated.connect(
            lambda index: self.round_requested.emit(self.rounds.itemData(index))
        )
        self.show_rounds((), 0)

    def show_rounds(self, rounds: Sequence[Round], current: int) -> None:
        """Offer the review of the dataset's readings and these rounds."""
        self.rounds.clear()
        self.rounds.addItem(f"Round: {REVIEW}", 0)
        for one in rounds:
            self.rounds.addItem(f"Round: {title(one)}", one.number)
        self.rounds.setCurrentIndex(max(self.rounds.findData(current), 0))
        self.rounds.setToolTip(self.rounds.currentText())
        self.setVisible(bool(rounds))


def title(one: Round) -> str:
    """A round in a few words: ``1 Pilot (blind)``."""
    kinds = [word for word, holds in (("blind", one.blind), ("closed", one.closed)) if holds]
    return f"{one.number} {one.title}" + (f" ({', '.join(kinds)})" if kinds else "")
