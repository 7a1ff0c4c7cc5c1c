"""Readings as DICOM Segmentations, one per case and reader, with the proof that they hold them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from napari_chest.errors import ChestError, ReadError
from napari_chest.export.shared import chosen_titles, file_names
from napari_chest.files.dicom_seg import SegIdentity, compare_seg, read_seg, write_seg

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from napari_chest.datasets import Dataset
    from napari_chest.files.dicom import SliceHeader
    from napari_chest.model import Reading

_FIRST_SERIES_NUMBER: Final = 9001


@dataclass(frozen=True)
class WrittenSeg:
    """A segmentation that was written and read back.

    Attributes
    ----------
    case : title of its case.
    reader : whose reading it holds.
    file : its name relative to the export's folder.
    segments : names of its segments.
    frames, voxels : how many of each were found in it.
    doubts : in what it differs from the reading, a sentence each; empty when it is the same.
    """

    case: str
    reader: str
    file: str
    segments: tuple[str, ...]
    frames: int
    voxels: int
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True)
class SegProof:
    """What an export as DICOM Segmentation left on disk, found by reading every file again.

    Attributes
    ----------
    folder : where the files are.
    written : the files, in the order of cases and readings.
    skipped : what there was nothing to write of, a sentence each.
    refused : what could not be written and why, a sentence each.
    """

    folder: Path
    written: tuple[WrittenSeg, ...]
    skipped: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether anything was written, every file holds its reading, and nothing was refused."""
        return bool(self.written) and self.as_meant and not self.refused

    @property
    def as_meant(self) -> bool:
        """Whether every file that was written holds exactly its reading."""
        return not any(one.doubts for one in self.written)

    @property
    def headline(self) -> str:
        """The result in one sentence."""
        if not self.as_meant:
            return "NOT proved: what was read back is not what was meant."
        if not self.written:
            return "Nothing was written."
        count = len(self.written)
        files = "1 segmentation" if count == 1 else f"{count} segmentations"
        proved = f"{files} on disk, voxel for voxel as in the readings"
        if self.refused:
            return f"Not everything was written: {len(self.refused)} refused; {proved}."
        return f"Proved: {proved}."

    def lines(self) -> list[str]:
        """The proof as lines of text, for a person or a file."""
        lines = [self.headline]
        for one in self.written:
            segments = ", ".join(one.segments)
            lines.append(f"  {one.file}: {one.case}, {one.reader}; {segments}")
            lines.append(f"    {one.frames} frames, {one.voxels} voxels")
            lines += [f"    {doubt}" for doubt in one.doubts]
        lines += [f"  Refused: {why}" for why in self.refused]
        lines += [f"  Skipped: {why}" for why in self.skipped]
        return [*lines, f"Export: {self.folder}"]


def export_dicom_seg(
    dataset: Dataset,
    case_ids: Sequence[str],
    out: Path,
    *,
    progress: Callable[[int, int], None] | None = None,
    now: datetime | None = None,
) -> SegProof:
    """Write ``<case>/<reader>.dcm`` into ``out`` for every reading that has masks.

    Every export makes new objects with new UIDs; files of an earlier one are replaced. A file
    refers to the case's own DICOM images, so cases whose dataset has none are skipped.

    Parameters
    ----------
    dataset : the dataset.
    case_ids : the cases, in the order to write them.
    out : a folder outside the dataset.
    progress : called with how many cases are done and how many there are.
    now : the date the files carry; the present unless given.

    Raises
    ------
    SaveError
        when ``out`` is part of the dataset, or a case is not.
    """
    titles = chosen_titles(dataset, case_ids, out)
    export = _Export(dataset, out, now or datetime.now())
    folders = file_names(case_ids)
    for done, case_id in enumerate(case_ids, 1):
        export.case(case_id, titles[case_id], folders[case_id])
        if progress is not None:
            progress(done, len(case_ids))
    return SegProof(out, tuple(export.written), tuple(export.skipped), tuple(export.refused))


class _Export:
    """Writes case after case and keeps what came of each."""

    def __init__(self, dataset: Dataset, out: Path, now: datetime) -> None:
        self.dataset = dataset
        self.out = out
        self.now = now
        self.written: list[WrittenSeg] = []
        self.skipped: list[str] = []
        self.refused: list[str] = []

    def case(self, case_id: str, title: str, folder: str) -> None:
        """Write every reading of a case that has masks."""
        try:
            headers = self.dataset.source_headers(case_id)
            readings = self.dataset.readings(case_id) if headers else ()
        except ChestError as error:
            self.refused.append(f"{title}: {error}")
            return
        if not headers:
            self.skipped.append(
                f"{title} has no DICOM images, and a segmentation has to name the images it was "
                "drawn on."
            )
            return
        names = file_names([reading.reader for reading in readings])
        for number, reading in enumerate(readings, _FIRST_SERIES_NUMBER):
            if not any(mask.labels.any() for mask in reading.masks):
                self.skipped.append(f"{title}, {reading.reader}: nothing is drawn.")
                continue
            file = f"{folder}/{names[reading.reader]}.dcm"
            try:
                self.written.append(self._write(title, reading, headers, file, number))
            except ChestError as error:
                self.refused.append(f"{title}, {reading.reader}: {error}")

    def _write(
        self,
        title: str,
        reading: Reading,
        headers: Sequence[SliceHeader],
        file: str,
        series_number: int,
    ) -> WrittenSeg:
        identity = SegIdentity(
            reading.reader, _new_uid(), _new_uid(), _new_uid(), self.now, series_number
        )
        path = self.out / file
        write_seg(path, headers, reading.masks, identity, inside=self.out)
        try:
            seg = read_seg(path)
        except ReadError as error:  # the file is written by now: a person has to hear of it
            doubt = f"What was written cannot be read back. {error}"
            return WrittenSeg(title, reading.reader, file, (), 0, 0, (doubt,))
        voxels, doubts = compare_seg(seg, reading.masks, headers)
        segments = tuple(segment.label for segment in seg.segments)
        return WrittenSeg(title, reading.reader, file, segments, len(seg.frames), voxels, doubts)


def _new_uid() -> str:
    return f"2.25.{uuid.uuid4().int}"
