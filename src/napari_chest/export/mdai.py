"""Readings as MD.ai documents that can be imported there, one per reader, with their proof."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_chest.errors import ChestError
from napari_chest.export.shared import chosen_titles, file_names
from napari_chest.files.atomic import write_together
from napari_chest.files.mdai import MdaiSlice, mask_of, new_mdai, read_mdai
from napari_chest.rings import encode_mask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from napari_chest.datasets import Dataset
    from napari_chest.model import Mask, Reading, Segment


class _Image(NamedTuple):
    study_uid: str
    series_uid: str
    sop_uid: str


@dataclass(frozen=True)
class WrittenMdai:
    """A document that was written and read back.

    Attributes
    ----------
    reader : whose readings it holds.
    file : its name relative to the export's folder.
    cases : titles of the cases with masks in it.
    annotations : how many rings it has.
    doubts : in what it differs from the readings, a sentence each; empty when it is the same.
    """

    reader: str
    file: str
    cases: tuple[str, ...]
    annotations: int
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True)
class MdaiProof:
    """What an export for MD.ai left on disk, found by reading every file again.

    Attributes
    ----------
    folder : where the files are.
    written : the files.
    skipped : what there was nothing to write of, a sentence each.
    refused : what could not be written and why, a sentence each.
    remarks : what else a person should know, a sentence each.
    """

    folder: Path
    written: tuple[WrittenMdai, ...]
    skipped: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def as_meant(self) -> bool:
        """Whether every file that was written holds exactly its readings."""
        return not any(one.doubts for one in self.written)

    @property
    def holds(self) -> bool:
        """Whether anything was written, every file holds its readings, and nothing was refused."""
        return bool(self.written) and self.as_meant and not self.refused

    @property
    def headline(self) -> str:
        """The result in one sentence."""
        if not self.as_meant:
            return "NOT proved: what was read back is not what was meant."
        if not self.written:
            return "Nothing was written."
        rings = sum(one.annotations for one in self.written)
        proved = f"{rings} annotations on disk, pixel for pixel as in the readings"
        if self.refused:
            return f"Not everything was written: {len(self.refused)} refused; {proved}."
        return f"Proved: {proved}."

    def lines(self) -> list[str]:
        """The proof as lines of text, for a person or a file."""
        lines = [self.headline]
        for one in self.written:
            lines.append(f"  {one.file}: {one.reader}, {one.annotations} annotations")
            lines.append(f"    {', '.join(one.cases)}")
            lines += [f"    {doubt}" for doubt in one.doubts]
        lines += [f"  Refused: {why}" for why in self.refused]
        lines += [f"  Skipped: {why}" for why in self.skipped]
        return [*lines, *self.remarks, f"Export: {self.folder}"]


def export_mdai(
    dataset: Dataset,
    case_ids: Sequence[str],
    out: Path,
    *,
    progress: Callable[[int, int], None] | None = None,
    now: datetime | None = None,
) -> MdaiProof:
    """Write ``<reader>.json`` into ``out`` with the masks of every case, as outlines on its slices.

    Slices are named by their DICOM UIDs. A case that was published without them, such as NIfTI,
    gets UIDs made of its id: always the same, so that its images can be given them too.

    Parameters
    ----------
    dataset : the dataset.
    case_ids : the cases, in the order to write them.
    out : a folder outside the dataset.
    progress : called with how many cases are done and how many there are.
    now : the date of the annotations; the present unless given.

    Raises
    ------
    SaveError
        when ``out`` is part of the dataset, or a case is not.
    """
    titles = chosen_titles(dataset, case_ids, out)
    export = _Export(dataset)
    for done, case_id in enumerate(case_ids, 1):
        export.take(case_id, titles[case_id])
        if progress is not None:
            progress(done, len(case_ids))
    return export.write(out, now or datetime.now(UTC))


class _Export:
    """Gathers the outlines of each reader over all cases, then writes them."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._slices: defaultdict[str, list[MdaiSlice]] = defaultdict(list)
        self._masks: defaultdict[str, dict[tuple[str, str], npt.NDArray[np.bool_]]]
        self._masks = defaultdict(dict)
        self._segments: defaultdict[str, dict[str, Segment]] = defaultdict(dict)
        self._cases: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self._skipped: list[str] = []
        self._refused: list[str] = []
        self._without_uids: list[str] = []

    def take(self, case_id: str, title: str) -> None:
        """Gather the masks of a case."""
        try:
            readings = self._dataset.readings(case_id)
            drawn = [reading for reading in readings if _is_drawn(reading)]
            if not drawn:
                self._skipped.append(f"{title}: nothing is drawn.")
                return
            images = self._images(case_id, drawn[0].masks[0].labels.shape[0], title)
        except ChestError as error:
            self._refused.append(f"{title}: {error}")
            return
        for reading in drawn:
            self._cases[reading.reader][title] = None
            self._slices[reading.reader] += self._outlined(reading, images)

    def write(self, out: Path, now: datetime) -> MdaiProof:
        """Write a document per reader and read each back."""
        names = file_names(list(self._slices))
        written = []
        for reader, slices in self._slices.items():
            path = out / f"{names[reader]}.json"
            try:
                segments = list(self._segments[reader].values())
                write_together({path: new_mdai(reader, segments, slices, now)}, inside=out)
            except ChestError as error:
                self._refused.append(f"{reader}: {error}")
                continue
            written.append(self._read_back(reader, path))
        return MdaiProof(
            out, tuple(written), tuple(self._skipped), tuple(self._refused), self._remarks()
        )

    def _remarks(self) -> tuple[str, ...]:
        if not self._without_uids:
            return ()
        cases = ", ".join(self._without_uids)
        return (f"Without DICOM UIDs of their own, with UIDs made of their names: {cases}.",)

    def _images(self, case_id: str, slices: int, title: str) -> list[_Image]:
        headers = self._dataset.source_headers(case_id)
        if len(headers) == slices and all(header.sop_instance_uid for header in headers):
            return [_Image(h.study_uid, h.series_uid, h.sop_instance_uid) for h in headers]
        self._without_uids.append(title)
        study, series = (_uid(self._dataset.name, case_id, part) for part in ("study", "series"))
        return [
            _Image(study, series, _uid(self._dataset.name, case_id, str(z))) for z in range(slices)
        ]

    def _outlined(self, reading: Reading, images: Sequence[_Image]) -> Iterator[MdaiSlice]:
        planes = {
            label: plane
            for mask in _told_apart(reading)
            for label, plane in self._labelled(reading.reader, mask)
        }
        for z, image in enumerate(images):
            rings = {}
            for label, plane in planes.items():
                if plane[z].any():
                    rings[label] = encode_mask(plane[z])
                    self._masks[reading.reader][label, image.sop_uid] = plane[z]
            if rings:
                height, width = next(iter(planes.values())).shape[1:]
                yield MdaiSlice(*image, height, width, rings)

    def _labelled(self, reader: str, mask: Mask) -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
        """Each segment of a mask under a label that no other mask of the reader has."""
        for segment in mask.segments:
            label = segment.name
            known = self._segments[reader].get(label)
            if known is not None and known.color != segment.color:
                label = f"{segment.name} ({mask.name})"
            self._segments[reader].setdefault(label, replace(segment, name=label))
            yield label, mask.labels == segment.value

    def _read_back(self, reader: str, path: Path) -> WrittenMdai:
        meant = self._masks[reader]
        cases = tuple(self._cases[reader])
        try:
            file = read_mdai(path)
        except ChestError as error:  # the file is written by now: a person has to hear of it
            return WrittenMdai(reader, path.name, cases, 0, (f"It cannot be read back. {error}",))
        found: dict[tuple[str, str], npt.NDArray[np.bool_]] = {}
        for one in file.annotations:
            key = file.labels[one.label_id].name, one.sop_uid
            size = one.height or 0, one.width or 0
            plane = found.setdefault(key, np.zeros(size, np.bool_))
            y, x, patch = mask_of(one.shape, size)
            plane[y : y + patch.shape[0], x : x + patch.shape[1]] |= patch
        doubts = [
            f"{label} on the image {sop} is not what the reading has."
            for label, sop in dict.fromkeys((*meant, *found))
            if not _same(meant.get((label, sop)), found.get((label, sop)))
        ]
        return WrittenMdai(reader, path.name, cases, len(file.annotations), tuple(doubts))


def _is_drawn(reading: Reading) -> bool:
    return any(mask.labels.any() for mask in reading.masks)


def _told_apart(reading: Reading) -> list[Mask]:
    """The masks of a reading without those that another one tells apart."""
    wholes = {mask.splits for mask in reading.masks}
    return [mask for mask in reading.masks if mask.name not in wholes]


def _same(a: npt.NDArray[Any] | None, b: npt.NDArray[Any] | None) -> bool:
    return a is not None and b is not None and np.array_equal(a, b)


def _uid(*parts: str) -> str:
    """A UID that is always the same for the same words (DICOM PS3.5 B.2)."""
    number = int.from_bytes(hashlib.sha256("\0".join(parts).encode()).digest()[:16], "big")
    return f"2.25.{number}"
