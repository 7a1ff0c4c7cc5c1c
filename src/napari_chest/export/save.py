"""Saving corrected readings in the dataset's own format, with the proof that it was done."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_chest import changes
from napari_chest.changes import CaseChange, Correction
from napari_chest.errors import ChestError, SaveError
from napari_chest.export.proof import Proof
from napari_chest.files.atomic import digest, reason, write_together
from napari_chest.model import Reading
from napari_chest.review.folder import review_folder, stamp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_chest.changes import ReadingChange
    from napari_chest.datasets import Dataset
    from napari_chest.export.proof import SaveKind

    Corrected = Mapping[str, Sequence[Reading | Correction]]


def export_readings(dataset: Dataset, corrected: Corrected, out: Path | None = None) -> Proof:
    """Write the annotation files with the corrections into ``out``, laid out as the dataset.

    Earlier exports in the same folder are corrected further; the dataset itself is not touched.
    The proof is also kept as a text file in the review folder.

    Parameters
    ----------
    dataset : the dataset.
    corrected : case id to what is to be written: a `Correction`, of which only what differs is, or
        a `Reading`, which then stands there as a whole.
    out : the folder; ``export`` in the review folder unless given.

    Raises
    ------
    SaveError
        when nothing could be saved.
    """
    review = review_folder(dataset.root)
    out = out or review / "export"
    if out.resolve() == dataset.root.resolve():
        raise SaveError(
            f"{out} is the dataset itself, which an export does not change. Nothing was written; "
            "choose another folder, or write back into the dataset."
        )
    with _temporary_folder() as folder:
        before = Path(folder)
        _copy_annotations(dataset, dataset.root, before)
        _copy_annotations(dataset, out, before)
        proof = _save(dataset, corrected, out, before, "export")
    return _kept(proof, review)


def write_back(dataset: Dataset, corrected: Corrected) -> Proof:
    """Write the corrections into the dataset itself, after a dated backup of its annotation files.

    The backup and the proof are kept in the review folder. ``corrected`` is as in
    `export_readings`.

    Raises
    ------
    SaveError
        when nothing could be saved.
    """
    review = review_folder(dataset.root)
    backup = _new_folder(review / "backup" / stamp())
    _copy_annotations(dataset, dataset.root, backup)
    proof = _save(dataset, corrected, dataset.root, backup, "write back")
    return _kept(proof, review)


def _save(
    dataset: Dataset,
    corrected: Corrected,
    out: Path,
    before: Path,
    kind: SaveKind,
) -> Proof:
    if not corrected:
        raise SaveError("Nothing was written, because there is nothing to save.")
    titles = {case.id: case.title for case in dataset.cases()}
    written: set[Path] = set()
    meant: list[CaseChange] = []
    refused: dict[str, ChestError] = {}
    for case_id, wanted in corrected.items():
        try:
            asked = [_asked(dataset, case_id, part, before) for part in wanted]
            paths = dataset.write(case_id, [reading for reading, _ in asked], out)
        except ChestError as error:
            refused[titles.get(case_id, case_id)] = error
            continue
        written.update(path.resolve() for path in paths)
        meant.extend(CaseChange(titles[case_id], change) for _, change in asked if change)
    if refused and len(refused) == len(corrected):
        raise next(iter(refused.values()))
    changed, identical = _compare_files(dataset, before, out)
    doubts = [
        f"{name} is not as it was, though nothing was meant to be written to it."
        for name in changed
        if (out / name).resolve() not in written
    ]
    remarks: list[str] = []
    return Proof(
        kind=kind,
        folder=out,
        meant=tuple(meant),
        found=_found(dataset, before, out, doubts),
        changed_files=changed,
        identical_files=identical,
        refused={title: str(error) for title, error in refused.items()},
        backup=before if kind == "write back" else None,
        since_dataset=_since_dataset(dataset, out, remarks) if kind == "export" else (),
        doubts=tuple(doubts),
        questions={question.key: question.text for question in dataset.questions},
        remarks=tuple(remarks),
    )


def _found(
    dataset: Dataset, before: Path, after: Path, doubts: list[str]
) -> tuple[CaseChange, ...]:
    try:
        return dataset.compare(before, after)
    except ChestError as error:  # the files are written by now: a person has to hear of them
        doubts.append(f"What was written cannot be read back. {error}")
        return ()


def _since_dataset(dataset: Dataset, out: Path, remarks: list[str]) -> tuple[CaseChange, ...]:
    try:
        return dataset.compare(dataset.root, out)
    except ChestError as error:  # which says nothing against what was written now
        remarks.append(f"How all exports differ from the dataset cannot be told. {error}")
        return ()


def _asked(
    dataset: Dataset, case_id: str, wanted: Reading | Correction, before: Path
) -> tuple[Reading, ReadingChange]:
    """The reading that is to stand in the end, and how it differs from the one it replaces."""
    after = wanted.after if isinstance(wanted, Correction) else wanted
    standing = _standing(dataset, case_id, after.reader, before)
    try:
        reading = wanted.onto(standing) if isinstance(wanted, Correction) else wanted
        return reading, changes.compare(standing, reading)
    except ValueError as error:
        raise SaveError(
            f"{case_id}: the reading does not fit the one on disk ({error}). Nothing was written."
        ) from error


def _standing(dataset: Dataset, case_id: str, reader: str, at: Path) -> Reading:
    """What a reader's reading replaces: the one of that reader, or for a new one the newest.

    Where nobody can be added, a reader who is not there has nothing left that could be told.
    """
    standing = dataset.readings(case_id, at=at)
    if not standing:
        raise SaveError(
            f"{case_id} has no reading on disk that could be corrected. Nothing was written; see "
            "whether the dataset's folder is still where it was."
        )
    missing = standing[0] if dataset.new_reader() is not None else Reading(reader)
    return next((r for r in standing if r.reader == reader), missing)


def _copy_annotations(dataset: Dataset, source: Path, target: Path) -> None:
    """Copy the annotation files that are in ``source``, over those of ``target``."""
    try:
        for name in dataset.annotation_files(source):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / name, target / name)
    except OSError as error:
        raise SaveError(
            f"The files in {source} could not be copied to {target} first: {reason(error)}. "
            "Nothing was changed."
        ) from error


def _compare_files(
    dataset: Dataset, before: Path, after: Path
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    names = {*dataset.annotation_files(before), *dataset.annotation_files(after)}
    changed: list[str] = []
    identical: list[str] = []
    for name in sorted(names):
        (identical if _same_bytes(before / name, after / name) else changed).append(name.as_posix())
    return tuple(changed), tuple(identical)


def _same_bytes(a: Path, b: Path) -> bool:
    try:
        return digest(a.read_bytes()) == digest(b.read_bytes())
    except OSError:  # one is not there, or cannot be read any more
        return False


def _temporary_folder() -> tempfile.TemporaryDirectory[str]:
    try:
        return tempfile.TemporaryDirectory(prefix="napari-chest-", ignore_cleanup_errors=True)
    except OSError as error:  # also where no folder for temporary files can be used at all
        raise SaveError(
            f"No temporary folder can be made: {reason(error)}. Nothing was changed; make room on "
            "the disk, then save again."
        ) from error


def _new_folder(path: Path) -> Path:
    numbered = [path, *(path.with_name(f"{path.name}-{n}") for n in range(2, 100))]
    try:
        for folder in numbered:
            if not folder.exists():
                folder.mkdir(parents=True)
                return folder
    except OSError as error:
        raise SaveError(f"No backup can be made in {path}: {reason(error)}.") from error
    raise SaveError(f"No backup can be made in {path.parent}: too many within one second.")


def _kept(proof: Proof, review: Path) -> Proof:
    content = ("\n".join(proof.lines()) + "\n").encode(errors="replace")
    name = f"{stamp()}-{proof.kind.replace(' ', '-')}"
    numbered = [f"{name}.txt", *(f"{name}-{n}.txt" for n in range(2, 100))]
    paths = [review / "proof" / name for name in numbered]
    try:
        write_together({next((p for p in paths if not p.exists()), paths[-1]): content})
    except SaveError as error:  # what was proved stands all the same
        return replace(proof, remarks=(*proof.remarks, f"This proof is not kept: {error}"))
    return proof
