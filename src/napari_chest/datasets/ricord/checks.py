"""What a person should know of the dataset or of a case before working on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from napari_chest.datasets.ricord.census import orphan_problems
from napari_chest.errors import ReadError
from napari_chest.files.dicom.tree import stream_tree_image
from napari_chest.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from napari_chest.datasets.ricord.cases import Case
    from napari_chest.datasets.ricord.documents import Document
    from napari_chest.datasets.ricord.drawing import Drawing
    from napari_chest.datasets.ricord.source import Source
    from napari_chest.files.mdai import MdaiAnnotation
    from napari_chest.model import Grid

_SHOWN: Final = 3


def dataset_problems(source: Source) -> Iterator[Problem]:
    """What is wrong with images, exports and tables, and what of them is not here."""
    yield from source.tree.problems
    yield from source.here.problems
    documents = source.here.read.values()
    if not documents:
        yield Problem("note", "There is no annotation export here, so nothing is annotated.")
    for document in documents:
        for problem in document.file.problems:
            yield Problem(problem.level, problem.text, (document.name,))
    yield from orphan_problems(source.census, documents, source.tree)
    yield from source.clinical.problems


def case_problems(source: Source, case: Case) -> Iterator[Problem]:
    """What is wrong with a case's images and with what is said of it."""
    try:
        if case.entry is not None:
            yield from stream_tree_image(source.tree, case.entry).problems
        else:
            yield from source.series(case.id).problems
    except ReadError as error:
        yield Problem("error", f"The image cannot be shown. {error}", case.broken)
        return
    document = source.here.of_study(case.study_uid)
    if document is not None:
        drawing = source.state(document.file, case).drawing
        yield from _hidden_problems(case, document, drawing, source.grid(case))
        yield from _parent_problems(case, document)


def _hidden_problems(
    case: Case, document: Document, drawing: Drawing | None, grid: Grid | None
) -> Iterator[Problem]:
    """Annotations that cannot be drawn, and those on images that are left out of the stack."""
    if drawing is None or grid is None:
        return
    for why, found in drawing.hidden.items():
        text = f"{_named(found)} not shown, but kept: {why}."
        yield Problem("warning", text, (document.name,))
    slices = set(grid.slice_ids)
    outside = [
        one
        for uid in case.sop_uids
        if uid and uid not in slices
        for one in document.file.of_sop(uid)
    ]
    if outside:
        text = (
            f"{_named(outside)} not shown, but kept: the image is in the series, but not in the "
            "stack of slices that is shown, or it has not a UID of its own."
        )
        yield Problem("warning", text, (document.name,))


def _parent_problems(case: Case, document: Document) -> Iterator[Problem]:
    """Annotations that are part of another one that is not there any more."""
    study = document.file.of_study(case.study_uid)
    ids = {one.id for one in study}
    if parted := [one for one in study if one.parent_id and one.parent_id not in ids]:
        text = f"{_named(parted)} part of an annotation that is not there."
        yield Problem("note", text, (document.name,))


def _named(found: Sequence[MdaiAnnotation]) -> str:
    names = ", ".join(str(one).removeprefix("Annotation ") for one in found[:_SHOWN])
    if len(found) == 1:
        return f"Annotation {names} is"
    more = f" and {len(found) - _SHOWN:,} more" if len(found) > _SHOWN else ""
    return f"{len(found):,} annotations ({names}{more}) are"
