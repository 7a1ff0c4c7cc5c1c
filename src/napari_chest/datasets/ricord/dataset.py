"""MIDRC-RICORD as a `Dataset`."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from napari_chest import changes
from napari_chest.changes import CaseChange
from napari_chest.datasets.base import Dataset
from napari_chest.datasets.ricord import checks, comparing, facts, layout, writing
from napari_chest.datasets.ricord.census import Census
from napari_chest.datasets.ricord.corrections import Place
from napari_chest.datasets.ricord.documents import is_inside, seal_of
from napari_chest.datasets.ricord.drawing import RULE, Drawing
from napari_chest.datasets.ricord.findings import may_be_drawn, segment_of
from napari_chest.datasets.ricord.marks import marks, notes_group
from napari_chest.datasets.ricord.source import Source
from napari_chest.errors import ChangedOnDiskError, ReadError, SaveError
from napari_chest.files.atomic import read_whole, write_together
from napari_chest.files.dicom import read_header, stream_series
from napari_chest.files.dicom.tree import stream_tree_image
from napari_chest.files.mdai import MAX_BYTES
from napari_chest.model import MaskOffer

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from threading import Event

    from napari_chest.datasets.ricord.cases import Case
    from napari_chest.datasets.ricord.documents import Document
    from napari_chest.datasets.ricord.drawing import Rule
    from napari_chest.datasets.ricord.readers import Reader
    from napari_chest.files.dicom import SliceHeader
    from napari_chest.files.mdai import MdaiFile
    from napari_chest.model import (
        Annotation,
        CaseInfo,
        FactGroup,
        Problem,
        Question,
        Reading,
        VolumeStream,
    )


class Ricord(Dataset):
    """MIDRC-RICORD-1A, 1B and 1C, opened at a folder that holds images and annotations.

    A case is one CT series or one radiograph. Every label group is a reader, and where several
    people used it each of them is one; what they drew is a mask per label, what they said of a
    study is answered with the study's first case.

    Parameters
    ----------
    root : the folder.
    rule : which pixels a ring covers, see `drawing.RULE`.
    """

    name: ClassVar[str] = "ricord"
    title: ClassVar[str] = "MIDRC-RICORD"
    list_facts: ClassVar[tuple[str, ...]] = facts.LIST_FACTS

    def __init__(self, root: Path, rule: Rule = RULE) -> None:
        super().__init__(root)
        self._source = Source(root, rule)
        self._first_read: dict[str, MdaiFile] = {}  # what was written over in the root

    @classmethod
    def missing(cls, root: Path) -> list[str]:
        """What the folder lacks to be MIDRC-RICORD, in words; empty when it is."""
        return layout.lacking(root)

    def prepare(
        self, progress: Callable[[int, int], None] | None = None, stop: Event | None = None
    ) -> None:
        """Read the header of every image; a folder of the user's remembers them."""
        self._source.prepare(progress, stop)

    # Reading

    def cases(self) -> Sequence[CaseInfo]:
        """Every CT series and radiograph, those that are annotated first."""
        return self._infos

    def stream(self, case_id: str, first: int | None = None) -> VolumeStream:
        """The series from ``first`` outwards, or the radiograph."""
        case = self._source.case(case_id)
        if case.entry is not None:
            return stream_tree_image(self._source.tree, case.entry)
        return stream_series(self._source.series(case_id), first=first)

    def readings(self, case_id: str, at: Path | None = None) -> tuple[Reading, ...]:
        """What every reader drew and answered, those first who drew on this case."""
        case = self._source.case(case_id)
        documents = self._source.here if at is None else self._source.documents(at)
        document = documents.of_study(case.study_uid)
        if document is None:
            return ()
        state = self._source.state(document.file, case, keep=at is None)
        readers = self._source.readers_of(document.file, case)
        found = (self._source.reading(case, state, reader) for reader in readers)
        return tuple(sorted(found, key=lambda reading: not reading.masks))

    def adjudicated_as(self, readings: Sequence[Reading]) -> str | None:
        """The label group of the adjudication where the case has one, else the first reader."""
        roster = self._source.roster
        names = {
            name for reader, name in roster.names.items() if roster.is_adjudication(reader.group)
        }
        agreed = (reading.reader for reading in readings if reading.reader in names)
        return next(agreed, super().adjudicated_as(readings))

    @property
    def questions(self) -> tuple[Question, ...]:
        """What each label group may say of a study."""
        groups = self._source.labels.values()
        return tuple(labels.question for labels in groups if labels.answered)

    def offers(self, case_id: str, reading: Reading) -> tuple[MaskOffer, ...]:
        """The labels of the reader's group that can be drawn and are not."""
        reader = self._source.roster.by_name.get(reading.reader)
        if reader is None or not self._source.takes_rings(self._source.case(case_id)):
            return ()
        labels = self._source.labels[reader.group]
        taken = {mask.name for mask in reading.masks}
        return tuple(
            MaskOffer(f"Add {labels.drawn[label.id]}", labels.drawn[label.id], (segment_of(label),))
            for label in labels.group.labels
            if may_be_drawn(label) and labels.drawn[label.id] not in taken
        )

    def about(self, case_id: str) -> tuple[FactGroup, ...]:
        """The readers side by side, notes, clinical rows and what the headers tell."""
        source, case = self._source, self._source.case(case_id)
        groups: list[FactGroup] = []
        document = source.here.of_study(case.study_uid)
        if document is not None:
            drawing = source.state(document.file, case).drawing or Drawing()
            groups = [
                facts.readers_group(case, document.file, source.roster, source.labels),
                facts.drawn_group(drawing, source.roster, source.labels),
                notes_group(case, document.file, source.grid(case), source.roster),
            ]
        groups += [*source.clinical.groups(case), facts.image_group(case)]
        return tuple(group for group in groups if group.rows)

    def annotations(self, case_id: str) -> tuple[Annotation, ...]:
        """Every annotation that is drawn on a slice of the case."""
        case = self._source.case(case_id)
        document = self._source.here.of_study(case.study_uid)
        if document is None:
            return ()
        drawing = self._source.state(document.file, case).drawing or Drawing()
        return marks(document.file, drawing, self._source.roster)

    def source_headers(self, case_id: str) -> Sequence[SliceHeader]:
        """The headers of the case's images, in display order; raises ReadError without any."""
        case = self._source.case(case_id)
        if case.entry is not None:
            return (read_header(self._source.tree.path_of(case.entry)),)
        return self._source.series(case_id).slices

    def problems(self, case_id: str | None = None) -> list[Problem]:
        """What a person should know before working on the case, or on the dataset when None."""
        if case_id is None:
            return list(checks.dataset_problems(self._source))
        return list(checks.case_problems(self._source, self._source.case(case_id)))

    # Writing

    def annotation_files(self, at: Path | None = None) -> tuple[Path, ...]:
        """The annotation exports of the root or another folder, relative to it."""
        here = at is None or at == self.root
        documents = self._source.here if here or at is None else self._source.documents(at)
        return tuple(Path(name) for name in documents.names)

    def write(self, case_id: str, readings: Sequence[Reading], out: Path) -> list[Path]:
        """Write a case's readings into ``out``; see `Dataset.write`.

        A zipped export is never rewritten: a corrected one is written beside it, unpacked, and is
        read instead of it from then on. A mask that a reading has no more is emptied.
        """
        out = writing.checked_out(self.root, out)
        case = self._source.case(case_id)
        self._check_unchanged()
        document = self._source.here.of_study(case.study_uid)
        contents: dict[str, bytes] = {}
        if document is not None:
            standing = document.file if out == self.root else self._standing(out, document)
            after = self._corrected(case, readings, standing, document)
            if after is not standing:
                contents[document.target] = after.content
        elif any(reading.masks or reading.answers for reading in readings):
            raise SaveError(
                f"{case.title}: no annotation export is about its study. Nothing was written."
            )
        carried = {} if out == self.root else self._carried(out, leaving=contents)
        write_together(
            {out / name: content for name, content in (carried | contents).items()}, inside=out
        )
        if contents and out == self.root:
            self._refresh(contents)
        return sorted(out / name for name in contents)

    def compare(self, before: Path, after: Path) -> tuple[CaseChange, ...]:
        """Every ring and answer that differs between two folders, both read anew from disk."""
        was, now = self._source.documents(before), self._source.documents(after)
        if gone := [name for name in was.names if name not in now.names]:
            raise ReadError(after, f"{', '.join(gone)} is gone or cannot be read any more.")
        found: list[CaseChange] = []
        for old, new in comparing.pairs(was, now):
            where = after / new.name
            touched = comparing.touched(old.file, new.file, where)
            for case in comparing.cases_about(touched, self._source.cases.values(), where):
                found += self._compare_case(case, touched.readers, old.file, new.file)
        return tuple(found)

    # What is read once, until it is written

    @cached_property
    def _infos(self) -> tuple[CaseInfo, ...]:
        source = self._source
        census = Census(source.here.read.values())
        return tuple(
            facts.case_info(case, source.here.of_study(case.study_uid), census, source.roster)
            for case in source.cases.values()
        )

    def _refresh(self, written: Collection[str]) -> None:
        """Know the root's files as they stand after a write."""
        for document in self._source.here.read.values():
            if document.target in written:
                self._first_read.setdefault(document.target, document.file)
        self._source.forget_annotations()
        self.__dict__.pop("_infos", None)

    # Writing, step by step

    def _check_unchanged(self) -> None:
        here = self._source.here
        for name in self._source.names:
            if name in here.seals:
                changed = seal_of(self.root / name) != here.seals[name]
            else:
                changed = name not in here.present and is_inside(self.root, name)
            if changed:
                raise ChangedOnDiskError(self.root / name)

    def _standing(self, out: Path, document: Document) -> MdaiFile:
        """What ``out`` has of an export; the dataset's own where it has none."""
        there = self._source.documents(out)
        for other in there.read.values():
            if other.target == document.target:
                return other.file
        if document.target in there.present:
            told = " ".join(p.text for p in there.problems if document.target in p.files)
            raise SaveError(
                f"{out / document.target} stands where the corrected annotations go. {told} "
                "Nothing was written; move that file away first."
            )
        return document.file

    def _corrected(
        self, case: Case, readings: Sequence[Reading], standing: MdaiFile, document: Document
    ) -> MdaiFile:
        source = self._source
        original = self._first_read.get(document.target, document.file)
        before = None if original is standing else source.state(original, case, keep=False)
        state = source.state(standing, case, keep=standing is document.file)
        for reading in readings:
            reader = source.roster.by_name.get(reading.reader)
            if reader is None or reader.group not in {group.id for group in standing.groups}:
                raise SaveError(
                    f"{case.title}: {reading.reader} is no reader of its annotations. Nothing was "
                    "written."
                )
            labels = source.labels[reader.group]
            place = Place(case, source.grid(case), reader, labels, source.rule)
            state = writing.corrected(place, reading, state, before)
        return state.file

    def _carried(self, out: Path, leaving: Collection[str]) -> dict[str, bytes]:
        """The dataset's annotation files that ``out`` has not."""
        names = [name for name in self._source.here.names if name not in leaving]
        lacks = [name for name in names if not (out / name).is_file()]
        try:
            return {name: read_whole(self.root / name, MAX_BYTES) for name in lacks}
        except ReadError as error:
            raise SaveError(f"Not every file can be carried along. {error}") from error

    # Comparing

    def _compare_case(
        self, case: Case, readers: Collection[Reader], was: MdaiFile, now: MdaiFile
    ) -> Iterator[CaseChange]:
        source = self._source
        before, after = (source.state(file, case, keep=False) for file in (was, now))
        known = (*source.readers_of(was, case), *source.readers_of(now, case))
        for reader in dict.fromkeys(one for one in known if one in readers):
            old, new = (source.reading(case, state, reader) for state in (before, after))
            if change := changes.compare(old, new):
                yield CaseChange(case.title, change)
