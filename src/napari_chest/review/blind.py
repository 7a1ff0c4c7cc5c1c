"""Who may see what of a case: in a blind round only one's own reading until it is submitted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_chest.review.words import SUBMITTED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_chest.review.book import Book
    from napari_chest.review.words import Comment, Round


def sees_all(book: Book, person: str, round_number: int, case: str) -> bool:
    """Whether somebody may see the dataset's readings and those of others.

    A person who reads a case in a blind round sees them once the case is submitted there, and
    until then not in another round either.

    Parameters
    ----------
    book : what the review knows.
    person : who looks.
    round_number : the round in which the case is opened; 0 outside rounds.
    case : id of the case.
    """
    return blind_round(book, person, round_number, case) is None


def blind_round(book: Book, person: str, round_number: int, case: str) -> Round | None:
    """The blind round in which somebody still has to submit a case; None where all may be seen."""
    for one in book.rounds:
        if not one.blind or one.closed or (one.cases and case not in one.cases):
            continue
        work = book.work(one.number, case, person)
        reads = one.number == round_number or person in one.readers
        reads |= work.assigned or work.state != "not started"
        if reads and work.state not in SUBMITTED:
            return one
    return None


def comments_seen(
    book: Book, person: str, round_number: int, case: str, comments: Iterable[Comment]
) -> tuple[Comment, ...]:
    """The comments on a case that somebody may see: in blind reading only one's own."""
    if sees_all(book, person, round_number, case):
        return tuple(comments)
    return tuple(comment for comment in comments if comment.author == person)
