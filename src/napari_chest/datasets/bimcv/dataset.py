"""BIMCV COVID-19 as a `Dataset`."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from napari_chest import changes
from napari_chest.changes import AnswerChange, CaseChange, ReadingChange
from napari_chest.datasets.base import Dataset
from napari_chest.datasets.bimcv import checks, facts, layout, writing
from napari_chest.datasets.bimcv.corrections import check_rest
from napari_chest.datasets.bimcv.findings import FINDINGS, RADIOGRAPH_FINDINGS, unique_name
from napari_chest.datasets.bimcv.folder import Annotations
from napari_chest.datasets.bimcv.rois import place_rois
from napari_chest.datasets.bimcv.source import FINDINGS_KEY, READER, Source
from napari_chest.errors import ChangedOnDiskError, ReadError, SaveError
from napari_chest.files.aim import differ_elsewhere
from napari_chest.files.atomic import write_together
from napari_chest.files.nifti import stream_nifti
from napari_chest.model import MaskOffer, Question, VolumeStream

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

    from napari_chest.datasets.bimcv.names import ImageName
    from napari_chest.model import CaseInfo, FactGroup, Problem, Reading


class Bimcv(Dataset):
    """BIMCV COVID-19+ and COVID-19-, opened at a folder above the subjects' folders.

    A case is one image file. Its reading has a mask per finding of its ROI files; the labels of a
    session's reports are answered once, with the session's first image.
    """

    name: ClassVar[str] = "bimcv"
    title: ClassVar[str] = "BIMCV COVID-19"
    list_facts: ClassVar[tuple[str, ...]] = ("Findings", "ROIs", "View", "Subject", "Partition")

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._source = Source(root)
        self._before: dict[str, bytes] = {}  # contents that were written over in the root
        self._made: set[str] = set()  # files that were made there

    @classmethod
    def missing(cls, root: Path) -> list[str]:
        """What the folder lacks to be BIMCV COVID-19, in words; empty when it is."""
        if layout.has_images(root):
            return []
        return ["images such as sub-S03044/ses-E06138/mod-rx/..._run-1_bp-chest_vp-ap_cr.png"]

    # Reading

    def cases(self) -> Sequence[CaseInfo]:
        """Every image, by its path."""
        return self._cases

    def stream(self, case_id: str, first: int | None = None) -> VolumeStream:
        """The case's image, a CT from ``first`` outwards; raises ReadError where it is none."""
        image = self._source.image(case_id)
        if image.is_png:
            return VolumeStream(self._source.radiograph(image)[0], _only_slice())
        stream = stream_nifti(self.root / image.path, first)
        if stream.volume.modality == image.modality:
            return stream
        return replace(stream, volume=replace(stream.volume, modality=image.modality))

    def readings(self, case_id: str, at: Path | None = None) -> tuple[Reading, ...]:
        """The one reading of a case, which is empty where nothing is said."""
        where = self._here if at is None else self._source.annotations(at)
        return (self._source.reading(self._source.image(case_id), where),)

    @property
    def questions(self) -> tuple[Question, ...]:
        """The labels of a session's reports."""
        corrected = (one for labels in self._here.corrected.values() for one in labels)
        released = self._source.labels.vocabulary
        known = released or tuple(finding.name for finding in FINDINGS.values())
        choices = tuple(dict.fromkeys((*known, *corrected)))
        return (Question(FINDINGS_KEY, "Radiological findings", choices, several=True),)

    def offers(self, case_id: str, reading: Reading) -> tuple[MaskOffer, ...]:
        """The findings of radiographs; none for a CT, whose slices a ROI file cannot name here."""
        image = self._source.image(case_id)
        if not self._source.shape(image) or not self._source.sidecar(image).image_uid:
            return ()
        files, broken = self._source.files_of(image, self._here)
        if broken:  # a new region would have to go into it
            return ()
        if not files and not self._source.new_roi_file(image):
            return ()
        placed = place_rois(files, image, self._source.sidecar(image))
        taken = {mask.name for mask in reading.masks}
        taken |= {roi.name for roi in placed if roi.image_uid is None}
        found = []
        for number in RADIOGRAPH_FINDINGS:
            finding = FINDINGS[number]
            name = unique_name(finding.name, taken)
            what = finding.name.casefold()
            text = f"Add {what}" if name == finding.name else f"Add another region of {what}"
            found.append(MaskOffer(text, name, (finding.segment(number),)))
        return tuple(found)

    def about(self, case_id: str) -> tuple[FactGroup, ...]:
        """Reports, labels, tests and what is known of the image and its files."""
        return facts.fact_groups(self._source, self._here, self._source.image(case_id))

    def problems(self, case_id: str | None = None) -> list[Problem]:
        """What a person should know before working on the case, or on the dataset when None."""
        if case_id is None:
            return list(checks.dataset_problems(self._source, self._here))
        image = self._source.image(case_id)
        return list(checks.image_problems(self._source, self._here, image))

    # Writing

    def annotation_files(self, at: Path | None = None) -> tuple[Path, ...]:
        """The ROI files and the tables of corrected labels, relative to the folder."""
        return tuple(Path(name) for name in self._source.annotations(at or self.root).names)

    def write(self, case_id: str, readings: Sequence[Reading], out: Path) -> list[Path]:
        """Write a case's reading into ``out``; see `Dataset.write`.

        Masks go to the image's ROI file, which is made where there is none, labels to the table of
        corrected labels. A mask that the reading has no more is emptied.
        """
        out = self._target(out)
        self._check_unchanged()
        here = self._here
        standing = here if out == self.root else self._source.annotations(out, below=here)
        image = self._source.image(case_id)
        changed: dict[str, bytes] = {}
        for reading in readings:
            changed |= writing.changed_files(
                self._source, image, reading, standing, self._first_read
            )
        try:
            lacking = [name for name in standing.names if not (out / name).is_file()]
            contents = {name: standing.content(name) for name in lacking} | changed
            old = {name: here.content(name) for name in changed if name in here.names}
        except ReadError as error:
            raise SaveError(f"Nothing was written. {error}") from error
        write_together({out / name: content for name, content in contents.items()}, inside=out)
        if out == self.root:
            self._remember(changed, old)
        return sorted(out / name for name in changed)

    def compare(self, before: Path, after: Path) -> tuple[CaseChange, ...]:
        """Every mask and every session's labels that differ between two folders, read anew."""
        was, now = self._source.annotations(before), self._source.annotations(after)
        if gone := ", ".join(name for name in was.names if name not in now.names):
            raise ReadError(after, f"{gone} is gone.")
        concerned = self._concerned(was, now)
        found = []
        for path, image in self._source.images.items():
            if path not in concerned:
                continue
            old, new = self._source.reading(image, was), self._source.reading(image, now)
            lost = {mask.name for mask in old.masks} - {mask.name for mask in new.masks}
            if lost and self._rewritten(image, was, now):
                names = ", ".join(sorted(lost))
                raise ReadError(after, f"{image.title}: {names} cannot be read any more.")
            self._check_rest(image, was, now)
            if change := changes.compare(old, new):
                found.append(CaseChange(self._source.titles[path], change))
        return (*found, *self._changed_without_image(was, now))

    # What is read once, until it is written

    @cached_property
    def _here(self) -> Annotations:
        self._as_read  # noqa: B018  # before anything is made of them: no change is missed then
        return self._source.annotations(self.root)

    @cached_property
    def _as_read(self) -> dict[str, str]:
        return self._source.annotations(self.root).digests()

    @cached_property
    def _cases(self) -> tuple[CaseInfo, ...]:
        return facts.case_infos(self._source, self._here)

    @property
    def _first_read(self) -> Annotations:
        """The annotation files of the root as they were before this dataset wrote any."""
        rois, tables = (
            [name for name in names if name not in self._made]
            for names in (self._here.rois, self._here.tables)
        )
        return Annotations(self.root, rois, tables, kept=self._before)

    def _remember(self, changed: Mapping[str, bytes], old: Mapping[str, bytes]) -> None:
        """Know the root's files as they stand after a write."""
        if not changed:
            return
        self._made |= changed.keys() - old.keys()
        self._before = {**old, **self._before}
        self.__dict__.pop("_cases", None)
        self.__dict__.pop("_here", None)
        self._as_read |= {name: self._here.digest(name) for name in changed}

    def _check_unchanged(self) -> None:
        now = self._source.annotations(self.root)
        for name in dict.fromkeys((*self._as_read, *now.names)):
            found = now.digest(name) if name in now.names else None
            if self._as_read.get(name) != found:
                raise ChangedOnDiskError(self.root / name)

    # Comparing, step by step

    def _concerned(self, was: Annotations, now: Annotations) -> set[str]:
        """The images whose ROI files or labels differ in their bytes."""
        owners = self._source.owners
        found: set[str] = set()
        for name in now.rois:
            if name in was.rois and was.content(name) == now.content(name):
                continue
            found |= {image.path for image in owners.images_of(name, now.aim(name))}
            with suppress(ReadError):  # what could not be read before is new
                if name in was.rois:
                    found |= {image.path for image in owners.images_of(name, was.aim(name))}
        if now.corrections[1] and not was.corrections[1]:
            raise ReadError(now.folder, now.corrections[1][0].text)
        for name in was.corrections[0].keys() & now.corrections[0].keys():
            check_rest(was.corrections[0][name], now.corrections[0][name], now.folder / name)
        first = self._source.first_image
        keys = {*was.corrected, *now.corrected} & first.keys()
        return found | {
            first[key].path for key in keys if was.corrected.get(key) != now.corrected.get(key)
        }

    def _check_rest(self, image: ImageName, was: Annotations, now: Annotations) -> None:
        """Refuse ROI files of an image that differ in more than regions."""
        old, new = (self._source.files_of(image, where)[0] for where in (was, now))
        for name in old.keys() & new.keys() & self._rewritten(image, was, now):
            if differ_elsewhere(old[name], new[name]):
                raise ReadError(now.folder / name, "more than the corrected regions changed.")

    def _rewritten(self, image: ImageName, was: Annotations, now: Annotations) -> set[str]:
        """The ROI files of an image that have not the bytes that they had at first.

        Those that have them lack the regions that were added since.
        """
        first, old, new = (
            self._source.files_of(image, where)[0] for where in (self._first_read, was, now)
        )
        first_bytes = {name: file.content for name, file in first.items()}
        same = {name for name, file in new.items() if file.content == first_bytes.get(name)}
        return {*old, *new} - same

    def _changed_without_image(self, was: Annotations, now: Annotations) -> Iterator[CaseChange]:
        """Corrected labels of sessions that have no image here."""
        for key in sorted({*was.corrected, *now.corrected} - self._source.first_image.keys()):
            old, new = self._source.labels_of(key, was), self._source.labels_of(key, now)
            if old != new:
                answer = AnswerChange(FINDINGS_KEY, old, new)
                yield CaseChange(" ".join(key), ReadingChange(READER, answers=(answer,)))


def _only_slice() -> Generator[int, None, None]:
    yield 0
