"""A synthetic dataset laid out as BIMCV COVID-19 is published, quirks included.

Radiographs as PNG and CT as NIfTI with DICOM headers as JSON beside them, reports and labels in
tables, and outlined findings as AIM XML whose file names hold backslashes. Outlines and labels come
from the phantom's truth but for a few `BimcvMistake` values, which are what a reviewer should find.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_chest.phantom.bimcv import tables
from napari_chest.phantom.bimcv.cases import (
    CT_LOBES,
    CT_SESSION,
    CT_SUBJECT,
    EXPOSURES,
    PERSONS,
    UNLABELLED,
    session_id,
    subject_id,
)
from napari_chest.phantom.bimcv.layout import LAYOUTS, Release, Writer
from napari_chest.phantom.bimcv.radiographs import DATE, write_radiographs
from napari_chest.phantom.bimcv.truth import FINDINGS, BimcvMistake, BimcvPhantom, ImageTruth
from napari_chest.phantom.bimcv.volumes import write_scanned_page, write_volumes
from napari_chest.phantom.folder import made_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_chest.phantom.bimcv.tables import Session

__all__ = ["FINDINGS", "BimcvMistake", "BimcvPhantom", "ImageTruth", "Release", "make_bimcv"]


def make_bimcv(
    root: Path | str,
    size: tuple[int, int] = (448, 490),
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    *,
    release: Release = "1+2+3",
    quirks: bool = True,
) -> BimcvPhantom:
    """Write a synthetic dataset laid out as BIMCV COVID-19 and return what is true of it.

    Parameters
    ----------
    root : the dataset's folder, which must be empty or not exist.
    size : (rows, columns) of every radiograph; pixels are square where they are as 32 to 35.
    seed : same seed, same bytes.
    progress : called after each image with the number of images done and their total.
    release : as which of the releases the same content is laid out.
    quirks : whether to add what the published files have of the unreadable: an empty image, a
        scanned page in colour, a list cut off, labels of no image.

    Raises
    ------
    SaveError
        when the folder holds anything: two datasets would mix, and it may be real data.
    """
    root = Path(root)
    with made_whole(root, last=LAYOUTS[release].head) as partial:
        writer = Writer(root, partial, release, seed)
        _write_images(writer, size, progress)
        if quirks:
            _write_empty_image(writer)
            write_scanned_page(writer)
        _write_tables(writer, quirks)
    return BimcvPhantom(root, release, tuple(writer.images), tuple(writer.mistakes))


def _write_images(
    writer: Writer, size: tuple[int, int], progress: Callable[[int, int], None] | None
) -> None:
    total = len(EXPOSURES) + 1
    report = progress or (lambda _done, _total: None)
    for done, _ in enumerate(write_radiographs(writer, size), 1):
        report(done, total)
    write_volumes(writer, size)
    report(total, total)


def _write_empty_image(writer: Writer) -> None:
    last = EXPOSURES[-1]
    folder = f"{writer.session(last.subject, last.session)}/mod-rx"
    name = last.stem.replace("acq-2", "acq-3") + ".png"
    writer.write(f"{folder}/{name}", b"")
    writer.others.setdefault(last.session, []).append(name)


def _write_tables(writer: Writer, quirks: bool) -> None:
    sessions = _sessions(writer)
    negative = writer.release == "negative"
    head, layout = writer.layout.head, writer.layout
    labels = f"{head}/derivatives/labels/{layout.labels}"
    partition = "neg" if negative else "posi"
    texts = {
        labels: tables.labels_table(sessions, writer.release, quirks),
        f"{head}/derivatives/labels/tree_term_CUI_counts_image_covid_{partition}.csv": (
            tables.term_tree(sessions, not negative)
        ),
        f"{head}/derivatives/partitions.tsv": tables.partitions_table(sessions, negative),
        f"{head}/participants.tsv": tables.participants_table(sessions),
    }
    if layout.tests:
        tests = tables.tests_table(writer.release, PERSONS)
        texts[f"{head}/derivatives/EHR/{layout.tests}"] = tests
    if negative:
        texts["listjoin_ok.tsv"] = tables.joined_table()
    for path, text in (texts | _inner_tables(writer, sessions)).items():
        writer.write(path, text.encode())
    session, kind = UNLABELLED
    finding = FINDINGS[kind]
    text = f"The labels of the session do not name the {finding.lower()} that it shows."
    writer.mistakes.append(
        BimcvMistake(session_id(session), "missing label", finding, labels, None, None, text)
    )


def _inner_tables(writer: Writer, sessions: Sequence[Session]) -> dict[str, str]:
    """The tables within the folders of patients and sessions, by path."""
    texts = {}
    for subject in PERSONS:
        own = [session for session in sessions if session.subject == subject]
        path = f"{writer.subject(subject)}/{subject_id(subject)}_sessions.tsv"
        texts[path] = tables.sessions_table(own)
    for session in sessions:
        sizes = {name: writer.sizes[name] for name in session.files if name in writer.sizes}
        folder = writer.session(session.subject, session.number)
        name = f"{subject_id(session.subject)}_{session_id(session.number)}_scans.tsv"
        texts[f"{folder}/{name}"] = tables.scans_table(sizes, session.modality)
    return texts


def _sessions(writer: Writer) -> list[Session]:
    """The sessions as the tables have them, in the order of their numbers."""
    lobes = {exposure.session: exposure.lobes for exposure in EXPOSURES} | {CT_SESSION: CT_LOBES}
    subjects = {exposure.session: exposure.subject for exposure in EXPOSURES}
    subjects[CT_SESSION] = CT_SUBJECT
    found = []
    for number in sorted(lobes):
        images = [truth for truth in writer.images if truth.session == session_id(number)]
        kinds = tuple(
            kind
            for kind, name in FINDINGS.items()
            if any(truth.findings[name].any() for truth in images) and (number, kind) != UNLABELLED
        )
        files = (*(truth.path.name for truth in images), *writer.others.get(number, ()))
        date, side = DATE.format(10 + number), tables.side_of(lobes[number])
        modality = images[0].modality
        found.append(tables.Session(subjects[number], number, modality, date, kinds, side, files))
    return found
