"""MosMedData as a `Dataset`."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from napari_chest import changes
from napari_chest.changes import CaseChange
from napari_chest.datasets.base import Dataset
from napari_chest.datasets.mosmed import cases, corrections, layout, masks, registry, writing
from napari_chest.datasets.mosmed.masks import OPACITIES, TYPES
from napari_chest.datasets.mosmed.summary import dataset_problems
from napari_chest.errors import ChangedOnDiskError, ReadError, SaveError
from napari_chest.files.atomic import digest, read_whole, write_together
from napari_chest.files.dicom import AIR_HU
from napari_chest.files.nifti import grid_of, read_header, stream_nifti
from napari_chest.files.paths import is_inside, is_there
from napari_chest.model import Problem, Question, Reading, Volume, VolumeStream

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from napari_chest.changes import ReadingChange
    from napari_chest.datasets.mosmed.cases import Case
    from napari_chest.datasets.mosmed.corrections import Corrections
    from napari_chest.datasets.mosmed.layout import Layout
    from napari_chest.datasets.mosmed.masks import CaseMasks
    from napari_chest.datasets.mosmed.registry import Registry
    from napari_chest.files.nifti import NiftiHeader
    from napari_chest.model import CaseInfo, FactGroup, Grid, MaskOffer

_KEPT_MASKS = 4
"""Cases whose masks are kept: they are asked for by the image, its problems and a save."""
_KEPT_HEADERS = 64
_MASK_OF_KIND = {"mask": OPACITIES, "split": TYPES}


class MosMed(Dataset):
    """MosMedData COVID19_1110, opened at the folder that holds its studies, masks or registry.

    Each case has one reading: the published mask, where there is one, and the severity category of
    its folder. What tells the lesions of a mask apart, and corrected categories, are files of
    their own, because the published mask knows one class and the registry is never rewritten.
    """

    name: ClassVar[str] = "mosmed"
    title: ClassVar[str] = "MosMedData"
    list_facts: ClassVar[tuple[str, ...]] = ("Category", "Mask")

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._digests: dict[Path, str] = {}  # of the masks as they were when first read
        self._masks = lru_cache(_KEPT_MASKS)(self._read_own_masks)
        self._study_header = lru_cache(_KEPT_HEADERS)(self._read_study_header)

    @classmethod
    def missing(cls, root: Path) -> list[str]:
        """What the folder lacks to be MosMedData, in words; empty when it is."""
        known = layout.has_files(root) or any(map(registry.is_registry, layout.registries(root)))
        if not known:
            return [
                "files such as studies/CT-1/study_0255.nii.gz or masks/study_0255_mask.nii.gz, "
                "or dataset_registry.xlsx with the columns study_id and category"
            ]
        if layout.is_part(root):
            return [f"the rest of the dataset, which is beside {root.name}"]
        return []

    # Reading

    def cases(self) -> Sequence[CaseInfo]:
        """Every study that is here, or a mask of it, by number."""
        return self._infos

    def stream(self, case_id: str, first: int | None = None) -> VolumeStream:
        """The study from ``first`` outwards; air on the grid of its mask where it is not here."""
        case = self._case(case_id)
        if case.study is not None:
            return stream_nifti(self.root / case.study, first=first)
        own = self._masks(case_id)
        if own.binary is None:
            raise ReadError(case_id, f"it has no study. {own.unusable.get(OPACITIES, '')}".strip())
        return _air(own.binary.grid, first)

    def readings(self, case_id: str, at: Path | None = None) -> tuple[Reading, ...]:
        """The one reading of a case: its masks, where there are any, and its category."""
        case = self._case(case_id)
        if at is None:
            return (_reading(case, self._masks(case_id), self._corrections),)
        return (self._reading_at(case, at),)

    @property
    def questions(self) -> tuple[Question, ...]:
        """The severity category, which the dataset tells by its folders."""
        return (Question(writing.CATEGORY, "Severity category", cases.CATEGORIES),)

    def offers(self, case_id: str, reading: Reading) -> tuple[MaskOffer, ...]:
        """A mask where there is none, and its split into ground glass and consolidation."""
        return masks.offers(reading, self._masks(case_id))

    def about(self, case_id: str) -> tuple[FactGroup, ...]:
        """The registry's row as registered, and the files."""
        return self._case(case_id).about()

    def problems(self, case_id: str | None = None) -> list[Problem]:
        """What a person should know before working on the case, or on the dataset when None."""
        if case_id is None:
            told = dataset_problems(self._files, self._registry, self._cases)
            return [*told, *self._corrections.problems]
        case = self._case(case_id)
        return [
            *self._image_problems(case),
            *cases.contradictions(case, self._files, self._registry),
            *self._masks(case_id).problems,
        ]

    # Writing

    def annotation_files(self, at: Path | None = None) -> tuple[Path, ...]:
        """Masks, their splits and corrected categories of the root or another folder."""
        folder = at or self.root
        names = layout.annotation_names(folder, self._files.annotation_folders)
        return (*corrections.names(folder), *names)

    def write(self, case_id: str, readings: Sequence[Reading], out: Path) -> list[Path]:
        """Write a case's reading into ``out``; see `Dataset.write`."""
        out = self._target(out)
        case = self._case(case_id)
        self._check_unchanged()
        contents: dict[Path, bytes] = {}
        for reading in readings:
            writing.check_reading(case, reading)
            contents |= self._changed(case, reading, out)
        carried = {} if out == self.root else self._carried(out, leaving=contents)
        write_together(
            {out / name: content for name, content in (carried | contents).items()}, inside=out
        )
        if contents and out == self.root:
            self._refresh(contents)
        return sorted(out / name for name in contents)

    def compare(self, before: Path, after: Path) -> tuple[CaseChange, ...]:
        """Every voxel and category that differs between two folders, both read anew from disk."""
        was, now = self.annotation_files(before), self.annotation_files(after)
        if gone := [name.as_posix() for name in was if name not in now]:
            raise ReadError(after, f"{', '.join(gone)} is gone or cannot be read any more.")
        differing = [n for n in now if not writing.same_bytes(before / n, after / n)]
        changed: dict[int, set[str]] = {}
        for name in differing:
            for number, what in self._concerned(name, before, after):
                changed.setdefault(number, set()).add(what)
        found = []
        for number in sorted(changed):
            case = cases.make_case(number, self.root, self._files, self._registry)
            change = self._compare_case(case, changed[number], before, after)
            if change:
                found.append(CaseChange(case.id, change))
        return tuple(found)

    # What is read once

    @cached_property
    def _files(self) -> Layout:
        return layout.find_files(self.root)

    @cached_property
    def _names(self) -> tuple[Path, ...]:
        return self.annotation_files()

    @cached_property
    def _registry(self) -> Registry:
        return registry.read_registry(self.root, self._files.registries)

    @cached_property
    def _corrections(self) -> Corrections:
        return corrections.read_corrections(self.root)

    @cached_property
    def _cases(self) -> dict[str, Case]:
        self._names  # noqa: B018  # at one time with the files, compared before writing
        numbers = sorted({*self._files.studies, *self._files.masks})
        made = (cases.make_case(n, self.root, self._files, self._registry) for n in numbers)
        return {case.id: case for case in made}

    @cached_property
    def _infos(self) -> tuple[CaseInfo, ...]:
        stands = self._corrections.categories
        return tuple(c.info(stands.get(c.number, c.category)) for c in self._cases.values())

    def _case(self, case_id: str) -> Case:
        case = self._cases.get(case_id)
        if case is None:
            raise ReadError(case_id, f"neither the study nor a mask of it is in {self.root}.")
        return case

    def _read_own_masks(self, case_id: str) -> CaseMasks:
        case = self._case(case_id)
        own = self._masks_in(case, self.root)
        for name, file in ((case.mask_path, own.binary), (case.split_path, own.split)):
            if file is not None:
                self._digests.setdefault(name, digest(file.content))
        return own

    def _read_study_header(self, case_id: str) -> NiftiHeader:
        study = self._case(case_id).study
        if study is None:
            raise ReadError(case_id, "its study is not here.")
        return read_header(self.root / study)

    # Annotations of a case

    def _masks_in(self, case: Case, *folders: Path) -> CaseMasks:
        """The masks of a case, each from the first of the folders that has it."""
        mask = _first(case.mask_path, folders)
        header = None
        if case.study is not None and mask is not None:
            with suppress(ReadError):  # which is an error of the image, and told as such
                header = self._study_header(case.id)
        return masks.read_masks(mask, _first(case.split_path, folders), header)

    def _reading_at(self, case: Case, at: Path) -> Reading:
        return _reading(case, self._masks_in(case, at), corrections.read_corrections(at))

    def _image_problems(self, case: Case) -> list[Problem]:
        if case.study is None:
            return []
        try:
            grid = grid_of(self._study_header(case.id))
        except ReadError as error:
            return [Problem("error", f"The image cannot be shown. {error}")]
        if grid.placed:
            return []
        text = "The study does not say where it lies in the patient: sides are not known for sure."
        return [Problem("warning", text, (str(case.study),))]

    # Writing, step by step

    def _check_unchanged(self) -> None:
        now = self.annotation_files()
        for name in (*self._names, *now):
            if name not in now or name not in self._names:
                raise ChangedOnDiskError(self.root / name)
        read = dict(self._digests)
        if self._corrections.content is not None:
            read[corrections.PATH] = digest(self._corrections.content)
        for name, was in read.items():
            if _digest_of(self.root / name) != was:
                raise ChangedOnDiskError(self.root / name)

    def _changed(self, case: Case, reading: Reading, out: Path) -> dict[Path, bytes]:
        """New bytes of the files that differ from the reading, by path relative to ``out``."""
        elsewhere = out != self.root
        standing = self._masks_in(case, out, self.root) if elsewhere else self._masks(case.id)
        contents = writing.mask_contents(
            case,
            reading,
            standing,
            self._masks(case.id) if elsewhere else None,
            lambda: self._study_header(case.id),
        )
        table = self._corrections
        if elsewhere and is_there(out / corrections.PATH):
            table = corrections.read_corrections(out)
        content = writing.category_content(case, reading, table, self._corrections)
        return contents if content is None else contents | {corrections.PATH: content}

    def _carried(self, out: Path, leaving: Iterable[Path]) -> dict[Path, bytes]:
        """The dataset's annotation files that ``out`` has not."""
        lacks = (name for name in self._names if not is_there(out / name))
        try:
            return {
                n: read_whole(self.root / n, writing.LARGEST) for n in lacks if n not in leaving
            }
        except ReadError as error:
            raise SaveError(f"Not every file can be carried along. {error}") from error

    def _refresh(self, written: Mapping[Path, bytes]) -> None:
        for name, content in written.items():
            if name != corrections.PATH:
                self._digests[name] = digest(content)
        self._masks.cache_clear()
        for read_once in ("_files", "_names", "_corrections", "_cases", "_infos"):
            self.__dict__.pop(read_once, None)

    # Comparing

    def _concerned(self, name: Path, before: Path, after: Path) -> Iterator[tuple[int, str]]:
        """The studies, and what of each, that a file which differs may be about."""
        known = layout.kind_and_number(name.name)
        if known is not None:
            yield known[1], _MASK_OF_KIND[known[0]]
            return
        was, now = (corrections.read_corrections(folder) for folder in (before, after))
        if now.unusable:
            raise ReadError(after / name, now.problems[0].text)
        for number in {*was.categories, *now.categories}:
            yield number, writing.CATEGORY

    def _compare_case(
        self, case: Case, parts: Collection[str], before: Path, after: Path
    ) -> ReadingChange:
        was, now = self._masks_in(case, before), self._masks_in(case, after)
        for name in parts:
            for folder, state in ((after, now), (before, was)):
                if name in state.unusable:
                    raise ReadError(folder, f"{case.id}: {state.unusable[name]}")
        writing.check_frame(was.binary, now.binary)
        writing.check_frame(was.split, now.split)
        return changes.compare(
            _reading(case, was, corrections.read_corrections(before)),
            _reading(case, now, corrections.read_corrections(after)),
        )


def _reading(case: Case, own: CaseMasks, table: Corrections) -> Reading:
    category = table.categories.get(case.number, case.category)
    answers = {writing.CATEGORY: (category,) if category else ()}
    return Reading(writing.READER, masks=own.shown, answers=answers)


def _air(grid: Grid, first: int | None) -> VolumeStream:
    volume = Volume(np.full(grid.shape, AIR_HU, np.int16), grid, "CT")
    middle = grid.shape[0] // 2 if first is None else min(max(first, 0), grid.shape[0] - 1)
    order = sorted(range(grid.shape[0]), key=lambda z: abs(z - middle))
    return VolumeStream(volume, (z for z in order))


def _first(name: Path, folders: Iterable[Path]) -> Path | None:
    found = (folder / name for folder in folders if is_inside(folder / name, folder))
    return next(found, None)


def _digest_of(path: Path) -> str:
    try:
        return digest(read_whole(path, writing.LARGEST))
    except ReadError:
        return "unreadable"
