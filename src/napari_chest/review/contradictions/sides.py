"""The side that texts name against the side that is drawn on, in patient coordinates.

A text names a side where it names one only: reports speak of catheters and effusions too, so that
only sentences about opacities count, and none that deny something.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from napari_chest.review.contradictions.seen import middle_of
from napari_chest.tools.lungs import LUNG_SEGMENTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy.typing as npt

    from napari_chest.model import Annotation, Grid, Level
    from napari_chest.review.contradictions.seen import Flags, Seen
    from napari_chest.review.contradictions.words import Contradiction

Side = Literal["left", "right"]

MARGIN_MM = 10.0
"""So close to the midline of the lungs a lesion may belong to either. Ours."""
MARGIN_BODY_MM = 25.0
"""Likewise of the body, whose middle the mediastinum need not share. Ours."""
MARGIN_RADIOGRAPH = 0.08
"""Share of a radiograph's width, likewise: nobody stands in the very middle. Ours."""
STRAYING = 0.02
"""Share of the voxels of one side that may lie in the middle. Ours."""
TISSUE_HU = -300
"""From here on a voxel is body and no lung or air."""
_STEP: Final = 4
"""Voxels of a slice that are looked at for the body, in rows and columns."""
_LONGEST: Final = 20_000
"""Characters of a text that are looked at."""

# UMLS terms as BIMCV writes them ("loc right"), lobes, and Spanish and English words.
_LEFT = re.compile(r"\b(left|lll|lul|lingula\w*|língula\w*|izquierd\w*|izq|c0443246)\b")
_RIGHT = re.compile(r"\b(right|rll|rul|rml|derech\w*|dch[oa]|dcha|c0444532)\b")
_BOTH = re.compile(
    r"\b(bilateral\w*|both|ambos|ambas|bibasal\w*|bibasilar\w*|bipulmona\w*|diffuse\w*|difus\w*"
    r"|c0238767)\b"
)
_DENIES = re.compile(r"\b(no|not|without|sin|ni|descart\w*|negativ\w*|resolved|resuelt\w*)\b")
_OPACITY = re.compile(
    r"consolid|opaci|ground.?glass|ggo\b|vidrio|deslustrado|esmerilado|infiltra|neum[oó]n"
    r"|pneumon|densidad|covid"
)
_SENTENCE = re.compile(r"[.;\n\r]+")
_REPORTS: Final = ("Report", "Reports")
_LOCALIZATIONS: Final = "Localizations"
_NOTES: Final = "Notes"
_WHOLE: Final = ("Study", "Series")
_LIST: Final = "the list of localizations"


def sides_in(text: str) -> frozenset[Side]:
    """The sides that a text names."""
    folded = text[:_LONGEST].casefold()
    if _BOTH.search(folded):
        return frozenset(("left", "right"))
    found: set[Side] = set()
    if _LEFT.search(folded):
        found.add("left")
    if _RIGHT.search(folded):
        found.add("right")
    return frozenset(found)


def sides_of_opacities(text: str) -> frozenset[Side]:
    """The sides that a report's sentences about opacities name, but for those that deny any."""
    found: set[Side] = set()
    for sentence in _SENTENCE.split(text[:_LONGEST]):
        folded = sentence.casefold()
        if _OPACITY.search(folded) and not _DENIES.search(folded):
            found |= sides_in(folded)
    return frozenset(found)


def check_text(seen: Seen) -> Iterator[Contradiction]:
    """Reports, localizations, notes or answers that name one side, over lesions of the other."""
    if seen.lesions is None or not seen.lesions.any():
        return
    told = {source: sides for source, sides in _sources(seen) if sides}
    named = {side for sides in told.values() for side in sides}
    if len(named) == 1:
        # A list of localizations alone may speak of a catheter.
        sure = next((source for source in told if source != _LIST), "")
        level: Level = "warning" if sure else "note"
        yield from _against(seen, seen.lesions, named.pop(), sure or _LIST, level=level)


def check_columns(seen: Seen) -> Iterator[Contradiction]:
    """A slice table that names lobes of one side only, over lesions of the other."""
    table = seen.reading.slice_labels
    if table is None or seen.lesions is None or not seen.lesions.any():
        return
    used = zip(table.columns, np.count_nonzero(table.values, axis=0), strict=True)
    named = {side for column, is_used in used if is_used for side in sides_in(column)}
    if len(named) == 1:
        yield from _against(seen, seen.lesions, named.pop(), "the slice table", kind="lobe side")


def check_notes(seen: Seen) -> Iterator[Contradiction]:
    """Notes of single annotations that name a side, where the annotation lies on the other."""
    if seen.alone or seen.volume is None:
        return
    told = [
        (one, named)
        for one in seen.dataset.annotations(seen.case.id)
        if one.reader == seen.reading.reader and len(named := sides_in(one.text)) == 1
    ]
    midline = _midline(seen) if told else None
    wrong = []
    for one, named in told:
        side = midline.side_of_box(one) if midline is not None else None
        if side is not None and side not in named and _still_there(seen, one):
            wrong.append((one, side))
    if wrong:
        one, side = wrong[0]
        top, bottom, left, right = one.box
        more = f"; {len(wrong) - 1} more notes likewise" if len(wrong) > 1 else ""
        text = (
            f"Slice {one.slice + 1}: the note of {one.label} says {_other(side)}, and it lies on "
            f"the patient's {side}{more}."
        )
        at = (one.slice, (top + bottom) // 2, (left + right) // 2)
        yield seen.found("note side", text, voxel=at)


def _against(
    seen: Seen,
    lesions: Flags,
    named: Side,
    source: str,
    kind: str = "text side",
    level: Level = "warning",
) -> Iterator[Contradiction]:
    midline = _midline(seen)
    side = midline.side_of(lesions) if midline is not None else None
    if side is not None and side != named:
        text = f"{source[:1].upper()}{source[1:]} names the {named} side only; all that is drawn "
        text += f"lies on the patient's {side}."
        yield seen.found(kind, text, level=level, voxel=middle_of(lesions))


def _sources(seen: Seen) -> Iterator[tuple[str, frozenset[Side]]]:
    """What names sides, and which of them."""
    for group in seen.about:
        texts = [text for _, text in group.rows]
        if group.title == _LOCALIZATIONS:
            yield _LIST, _united(map(sides_in, texts))
        elif group.title in _REPORTS:
            yield "the report", _united(map(sides_of_opacities, texts))
        elif group.title == _NOTES:
            notes = [_note_of(seen, text) for place, text in group.rows if place in _WHOLE]
            yield "a note", _united(map(sides_of_opacities, notes))
    for given in seen.reading.answers.values():
        yield "an answer", _united(map(sides_of_opacities, given))


def _note_of(seen: Seen, row: str) -> str:
    """A note of the reading's reader; empty where another one wrote it."""
    return row.partition(f"{seen.reading.reader}: ")[2]


def _united(parts: Iterable[frozenset[Side]]) -> frozenset[Side]:
    return frozenset[Side]().union(*parts)


class Midline:
    """Where the patient's middle lies on a grid.

    Parameters
    ----------
    grid : the voxels' grid, which says where they lie.
    middle, margin : patient x of the middle, and how far beyond it a side is sure, in mm.
    """

    def __init__(self, grid: Grid, middle: float, margin: float) -> None:
        self._grid = grid
        self._middle = middle
        self._margin = margin

    def side_of(self, flags: Flags) -> Side | None:
        """The side on which voxels (Z, Y, X) lie for sure; None where there is none such.

        A few of them may lie in the middle, and none on the other side.
        """
        return self._side(_patient_x(self._grid, np.argwhere(flags)))

    def side_of_box(self, one: Annotation) -> Side | None:
        """Likewise of a box on a slice."""
        top, bottom, left, right = one.box
        corners = [(one.slice, y, x) for y in (top, bottom) for x in (left, right)]
        return self._side(_patient_x(self._grid, np.array(corners)))

    def _side(self, xs: npt.NDArray[np.float64]) -> Side | None:
        if not len(xs):
            return None
        low, high = self._middle - self._margin, self._middle + self._margin
        if xs.min() > low and np.quantile(xs, STRAYING) > high:
            return "left"  # patient x grows to the left
        if xs.max() < high and np.quantile(xs, 1 - STRAYING) < low:
            return "right"
        return None


def _midline(seen: Seen) -> Midline | None:
    """The middle of the lungs, else of the body, else of the radiograph; None if nobody knows."""
    volume = seen.volume
    if volume is None or not volume.grid.placed or not seen.labels_of_grid:
        return None
    grid = volume.grid
    if volume.modality != "CT":
        ends = _patient_x(grid, np.array([(0, 0, 0), (0, 0, grid.shape[2] - 1)]))
        width = abs(ends[1] - ends[0])
        return Midline(grid, float(ends.mean()), MARGIN_RADIOGRAPH * width) if width else None
    lungs = seen.lungs
    if lungs is not None and lungs.shape == grid.shape:
        right, left = (_mean_x(grid, lungs == segment.value) for segment in LUNG_SEGMENTS)
        if right is not None and left is not None:
            return Midline(grid, (right + left) / 2, MARGIN_MM)
    body = _mean_x(grid, np.asarray(volume.voxels) > TISSUE_HU)
    return None if body is None else Midline(grid, body, MARGIN_BODY_MM)


def _mean_x(grid: Grid, flags: Flags) -> float | None:
    """Mean patient x of the voxels that are True, by every few of them; None without any."""
    places = np.argwhere(flags[:, ::_STEP, ::_STEP]) * (1, _STEP, _STEP)
    return float(_patient_x(grid, places).mean()) if len(places) else None


def _patient_x(grid: Grid, places: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """Patient x (N,) in mm of voxels (N, 3)."""
    found: npt.NDArray[np.float64] = places @ grid.affine[0, :3] + grid.affine[0, 3]
    return found


def _still_there(seen: Seen, one: Annotation) -> bool:
    """Whether the reading has anything where an annotation of the dataset was."""
    top, bottom, left, right = one.box
    return any(
        one.slice < len(mask.labels)
        and mask.labels[one.slice, max(top, 0) : bottom + 1, max(left, 0) : right + 1].any()
        for mask in seen.masks
    )


def _other(side: Side) -> Side:
    return "left" if side == "right" else "right"
