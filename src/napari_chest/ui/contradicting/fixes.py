"""Doing what a fix says, as one step of the reading on screen that can be undone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_chest.review.contradictions import SetAnswer, SetCells

if TYPE_CHECKING:
    from napari_chest.review.contradictions import Fix
    from napari_chest.ui.session import Session


def do_fix(session: Session, fix: Fix) -> bool:
    """Do a fix; says whether anything changed.

    Raises
    ------
    ProtectedError
        when what is protected refuses it as a whole.
    """
    draft = session.draft
    if draft is None:
        return False
    before = draft.undoable
    if isinstance(fix, SetAnswer):
        session.answer(fix.question, fix.answers)
    elif isinstance(fix, SetCells):
        if draft.labels is not None:
            wanted = draft.labels.values.copy()
            for z, column, value in fix.cells:
                wanted[z, draft.labels.columns.index(column)] = value
            session.edit(fix.text, wanted)
    else:
        labels = draft.mask_labels(fix.mask)[fix.box].copy()
        labels[fix.where] = fix.value
        session.paint(fix.text, fix.mask, fix.box, labels)
    return draft.undoable is not before
