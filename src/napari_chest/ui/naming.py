"""What readers are called on screen, and the colour of each; names are hidden in blind rounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_chest.ui.layers import READER_COLORS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_chest.ui.session import Session


def colors_of(readers: Sequence[str]) -> dict[str, str]:
    """The colour of each reader, by its place among the readings of a case."""
    return {
        reader: READER_COLORS[number % len(READER_COLORS)] for number, reader in enumerate(readers)
    }


def titles_of(session: Session, readers: Sequence[str]) -> dict[str, str]:
    """What each reader is called: in a blind round that is still read only a number."""
    if not names_hidden(session):
        return {reader: reader for reader in readers}
    return {reader: f"Reader {number}" for number, reader in enumerate(readers, 1)}


def names_hidden(session: Session) -> bool:
    """Whether a blind round is being read."""
    desk = session.desk
    found = desk.book.round_of(session.round) if desk is not None and session.round else None
    return found is not None and found.blind and not found.closed
