"""Every move of every reading, on disk within a moment; and which window works on which case."""

from napari_chest.review.journal.journal import NAME, Journal
from napari_chest.review.journal.replay import JournalMismatch

__all__ = ["NAME", "Journal", "JournalMismatch"]
