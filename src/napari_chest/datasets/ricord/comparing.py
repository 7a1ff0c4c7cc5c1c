"""Which annotations differ between two states of an export, and that nothing else does."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from napari_chest.datasets.ricord.readers import Reader
from napari_chest.errors import ReadError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from napari_chest.datasets.ricord.cases import Case
    from napari_chest.datasets.ricord.documents import Document, Documents
    from napari_chest.files.mdai import MdaiFile


@dataclass(frozen=True)
class Touched:
    """What the annotations that differ are about.

    Attributes
    ----------
    images : SOP Instance UIDs, with the name of an annotation of each.
    studies : Study Instance UIDs of annotations that are about no image, likewise.
    readers : who made them.
    """

    images: dict[str, str] = field(default_factory=dict)
    studies: dict[str, str] = field(default_factory=dict)
    readers: set[Reader] = field(default_factory=set)


def pairs(was: Documents, now: Documents) -> Iterator[tuple[Document, Document]]:
    """The exports of two folders that stand for each other and are not the same."""
    older = {document.target: document for document in was.read.values()}
    for document in now.read.values():
        before = older.get(document.target)
        if before is not None and before.file.content != document.file.content:
            yield before, document


def touched(was: MdaiFile, now: MdaiFile, where: Path) -> Touched:
    """What the annotations are about that do not stand byte for byte in both states.

    Raises
    ------
    ReadError
        when more than annotations differs.
    """
    if list(_around(was)) != list(_around(now)):
        raise ReadError(where, "more than its annotations changed, which no correction changes.")
    older, newer = list(_texts(was)), list(_texts(now))
    same = 0
    while same < min(len(older), len(newer)) and older[same] == newer[same]:
        same += 1
    # Counted, as annotations may stand twice or elsewhere.
    counts, others = Counter(older[same:]), Counter(newer[same:])
    differing = {*(counts - others), *(others - counts)}
    found = Touched()
    for file, texts in ((was, older), (now, newer)):
        for one, text in zip(file.annotations[same:], texts[same:], strict=True):
            if text in differing:
                places = found.images if one.sop_uid else found.studies
                places[one.sop_uid or one.study_uid] = str(one)
                if (label := file.labels.get(one.label_id)) is not None:
                    found.readers.add(Reader(label.group, one.creator))
    return found


def cases_about(found: Touched, cases: Iterable[Case], where: Path) -> list[Case]:
    """The cases that the annotations which differ are about.

    Raises
    ------
    ReadError
        when one is about none of them: nothing of ours changes such annotations.
    """
    known, images, studies = [], set(found.images), set(found.studies)
    for case in cases:
        own = images.intersection(case.sop_uids)
        if own or case.study_uid in found.studies:
            known.append(case)
            images -= own
            studies.discard(case.study_uid)
    lost = [found.images[uid] for uid in sorted(images)]
    lost += [found.studies[uid] for uid in sorted(studies)]
    if lost:
        raise ReadError(where, f"{lost[0]} changed, though it is about nothing that is here.")
    return known


def _texts(file: MdaiFile) -> Iterator[bytes]:
    text = file.text.text
    return (text[slice(*one.span)] for one in file.annotations)


def _around(file: MdaiFile) -> Iterator[bytes]:
    """The text between the arrays of annotations."""
    position = 0
    for dataset in file.places.datasets or ():
        if dataset.annotations is not None:
            start, stop = dataset.annotations.span
            yield file.text.text[position : start + 1]
            position = stop - 1
    yield file.text.text[position:]
