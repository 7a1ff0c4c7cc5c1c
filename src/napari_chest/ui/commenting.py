"""Comments on the open case: pinned to a voxel, listed, marked in the image, settled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_chest.review.acts import Remark, Resolve
from napari_chest.review.blind import comments_seen
from napari_chest.review.words import ADJUDICATED

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_chest.review.words import Comment, Voxel
    from napari_chest.ui.canvas import Canvas
    from napari_chest.ui.session import Session
    from napari_chest.ui.workbench import Workbench


class Commenting:
    """Turns what is said about the open case into acts, and shows what was said."""

    def __init__(self, session: Session, bench: Workbench, canvas: Canvas) -> None:
        self._session = session
        self._bench = bench
        self._list = bench.work.comments
        self._canvas = canvas
        self._case = ""
        self._at: Voxel | None = None
        """The voxel of the open case that was pointed at, or gone to, last."""
        self._plane = -1
        """The slice of the main view on which it was pointed at; -1 in another plane."""
        comments = self._list
        comments.comment_requested.connect(self.begin)
        comments.remark_requested.connect(self._remark)
        comments.comment_chosen.connect(self.show)
        comments.resolve_requested.connect(self._resolve)
        comments.left.connect(canvas.set_focus)
        canvas.navigated.connect(self._on_pointer)
        canvas.pointer_changed.connect(self._on_pointer)
        session.review_changed.connect(self._on_changed)
        session.reading_chosen.connect(self._on_reading)
        self._show_comments()

    def actions(self) -> dict[str, Callable[[], Any]]:
        """What the keys of `keys.KEYS` do to comments."""
        return {"comment": self.begin}

    def close(self) -> None:
        """Listen no more: the session outlives the dock."""
        self._session.review_changed.disconnect(self._on_changed)
        self._session.reading_chosen.disconnect(self._on_reading)

    def begin(self) -> None:
        """Open the field for a comment on the voxel pointed at, or the last one gone to."""
        if self._session.desk is None or self._session.open_case is None:
            self._bench.show_message("Open a case to comment on it.")
            return
        self._list.begin(self._voxel())

    def show(self, comment: Comment) -> None:
        """Bring the place of a comment into view."""
        if comment.voxel is not None:
            self._canvas.show_voxel(comment.voxel)

    def _voxel(self) -> Voxel | None:
        """The voxel pointed at on the plane on screen, else the one gone to last."""
        axis = self._canvas.axes.order[0]
        if self._at is None or self._plane != self._at[axis]:
            return self._at
        # The pointer stays where it is while the slice under it changes.
        place = list(self._at)
        place[axis] = self._canvas.axes.index(axis)
        z, y, x = place
        return z, y, x

    def _remark(self, text: str, voxel: Voxel | None) -> None:
        desk, case = self._session.desk, self._session.open_case
        if desk is None or case is None:
            return
        desk.do(
            Remark(
                who=desk.person, case=case.info.id, round=self._session.round, text=text,
                voxel=voxel, reader=self._about(),
            )
        )  # fmt: skip
        self._list.toggle.setChecked(True)
        self._session.review_changed.emit(frozenset({case.info.id}))
        self._canvas.set_focus()

    def _about(self) -> str:
        """Whose reading is commented on; empty for the person's own and for the dataset's."""
        draft, case = self._session.draft, self._session.open_case
        kept = case.kept.get(draft.saved.reader) if draft is not None and case is not None else None
        if kept is None or kept.owner == self._session.person:
            return ""
        return kept.owner or ADJUDICATED

    def _resolve(self, comment: Comment, resolved: bool) -> None:
        desk = self._session.desk
        if desk is not None:
            desk.do(
                Resolve(who=desk.person, case=comment.case, comment=comment.id, resolved=resolved)
            )
            self._session.review_changed.emit(frozenset({comment.case}))

    # What is shown

    def _on_pointer(self, voxel: Voxel | None) -> None:
        if voxel is not None:
            axis = self._canvas.axes.order[0]
            here = self._canvas.axes.index(axis)
            self._at, self._plane = voxel, here if voxel[axis] == here else -1

    def _on_changed(self, cases: frozenset[str]) -> None:
        case = self._session.open_case
        if case is None or not cases or case.info.id in cases:
            self._show_comments()

    def _on_reading(self, _: object) -> None:
        case = self._session.open_case
        opened = case.info.id if case is not None else ""
        if opened != self._case:
            self._case, self._at = opened, None
            self._list.clear()
        self._show_comments()

    def _show_comments(self) -> None:
        desk, case, volume = self._session.desk, self._session.open_case, self._canvas.volume
        self._list.setVisible(desk is not None and case is not None)
        if desk is None or case is None or volume is None:
            self._list.show_comments((), 1)
            self._canvas.show_pins(())
            return
        told = desk.book.comments(case.info.id)
        seen = comments_seen(desk.book, desk.person, self._session.round, case.info.id, told)
        self._list.show_comments(seen, volume.grid.shape[0], hidden=bool(case.blind))
        self._canvas.show_pins(
            [(one.voxel, bool(one.resolved)) for one in seen if one.voxel is not None]
        )
