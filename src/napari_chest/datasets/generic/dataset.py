"""Any folder of images as a `Dataset`."""

from __future__ import annotations

from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from napari_chest import changes
from napari_chest.changes import CaseChange
from napari_chest.datasets.base import Dataset
from napari_chest.datasets.generic import listing, names, segments, walk, writing
from napari_chest.datasets.generic.images import Image, open_image
from napari_chest.errors import ChangedOnDiskError, ReadError, SaveError
from napari_chest.files.atomic import digest, read_whole, write_together
from napari_chest.files.dicom import Series
from napari_chest.files.paths import is_there, leads_inside
from napari_chest.model import CaseInfo, Mask, MaskOffer, Problem, Reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from napari_chest.datasets.generic.listing import Found, MaskFile
    from napari_chest.files.dicom import SliceHeader
    from napari_chest.model import Segment, VolumeStream

    Masks = tuple[tuple[Mask, ...], tuple[Problem, ...]]

ANNOTATOR = "annotator"
_INDEXED_FOLDERS = 8
"""Folders whose slice headers are kept: a person goes back and forth between a few."""
_KEPT_MASKS = 2
"""Cases whose masks are kept: opening one asks for them several times."""


class Generic(Dataset):
    """Any folder of DICOM series and NIfTI files that is none of the published datasets.

    Each case has one reading, whose mask ``findings`` lies in the folder ``masks`` of the root.
    Masks that lie beside an image under a usual name are further masks of it. A mask is shown only
    on exactly the grid of its image, which also keeps masks apart when series are added to a
    folder and those there get other numbers.
    """

    name: ClassVar[str] = "generic"
    title: ClassVar[str] = "Folder of images"
    list_facts: ClassVar[tuple[str, ...]] = ("Series", "Slices", "Modality", "Mask")
    general: ClassVar[bool] = True

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._seen: dict[str, str | None] = {}
        self._folder = lru_cache(_INDEXED_FOLDERS)(self._index_folder)
        self._masks = lru_cache(_KEPT_MASKS)(self._read_root_masks)

    @classmethod
    def missing(cls, root: Path) -> list[str]:
        """What the folder lacks to be opened for its images, in words; empty when it is one."""
        return walk.lacking(root)

    # Reading

    def cases(self) -> Sequence[CaseInfo]:
        """Every NIfTI image and every DICOM series, in the order of their paths."""
        titles = names.short_titles([case.stem for case in self._found])
        return [self._info(case, title) for case, title in zip(self._found, titles, strict=True)]

    def stream(self, case_id: str, first: int | None = None) -> VolumeStream:
        """The case's volume from ``first`` outwards; raises ReadError where there is none."""
        return self._image(case_id).stream(first)

    def readings(self, case_id: str, at: Path | None = None) -> tuple[Reading, ...]:
        """The one reading of the case, with the masks that can be shown; none without an image."""
        try:
            if at is None:
                masks, _ = self._masks(case_id)
            else:
                masks, _ = self._read_masks(case_id, at)
        except ReadError:
            return ()
        return (Reading(ANNOTATOR, masks),)

    def offers(self, case_id: str, reading: Reading) -> tuple[MaskOffer, ...]:
        """A mask of findings, where neither the reading nor the folder has one."""
        own = self._case(case_id).mask_files[0]
        if any(mask.name == own.name for mask in reading.masks) or self._is_there(own.path):
            return ()
        return (MaskOffer("Begin a mask", own.name, self._segments[0] or segments.DEFAULT),)

    def source_headers(self, case_id: str) -> Sequence[SliceHeader]:
        """Headers of a DICOM series in display order; none for NIfTI."""
        source = self._image(case_id).source
        return source.slices if isinstance(source, Series) else ()

    def problems(self, case_id: str | None = None) -> list[Problem]:
        """What a person should know before working on the case, or on the dataset when None."""
        if case_id is None:
            return [*self._listing[1], *self._segments[1], *self._stray_masks()]
        try:
            image = self._image(case_id)
            return [*image.problems, *self._masks(case_id)[1]]
        except ReadError as error:
            case = self._case(case_id)
            told = [] if case.is_nifti else self._folder(case.path)[1]
            return [Problem("error", f"The image cannot be shown. {error}"), *told]

    # Writing

    def annotation_files(self, at: Path | None = None) -> tuple[Path, ...]:
        """The masks of all cases and their table of structures, relative to the folder."""
        folder = at or self.root
        wanted = [segments.SEGMENTS]
        wanted += (file.path for case in self._found for file in case.mask_files)
        there = [name for name in wanted if is_there(folder / name)]
        return tuple(Path(name) for name in there if leads_inside(folder / name, folder))

    def write(self, case_id: str, readings: Sequence[Reading], out: Path) -> list[Path]:
        """Write a case's masks into ``out``; see `Dataset.write`.

        A mask that the reading does not have is left as it stands.
        """
        out = self._target(out)
        self._check_unchanged()
        contents: dict[Path, bytes] = {}
        for reading in readings:
            if reading.reader != ANNOTATOR:
                raise SaveError(
                    f"{reading.reader} is no reader of this dataset, whose only one is {ANNOTATOR}."
                    " Nothing was written."
                )
            for mask in reading.masks:
                contents |= self._written(case_id, mask, out)
        changed = sorted(contents)
        if out != self.root:
            contents = self._missing_in(out) | contents
        write_together(contents, inside=out)
        if out == self.root:
            self._take_over({path: contents[path] for path in changed})
        return changed

    def compare(self, before: Path, after: Path) -> tuple[CaseChange, ...]:
        """Every voxel of a mask that differs between two folders, both read anew from disk."""
        found = []
        for case in self.cases():
            files = [
                file
                for file in self._case(case.id).mask_files
                if not _same_bytes(before / file.path, after / file.path)
            ]
            if not files:
                continue
            for file in files:
                self._check_frame(case.id, file, before, after)
            was, now = (self._reading_of(case.id, files, folder) for folder in (before, after))
            gone = {mask.name for mask in was.masks} - {mask.name for mask in now.masks}
            if gone:
                raise ReadError(after, f"of {case.title} the mask {', '.join(gone)} is gone.")
            if change := changes.compare(was, now):
                found.append(CaseChange(case.title, change))
        return tuple(found)

    # What is read once

    @cached_property
    def _listing(self) -> tuple[tuple[Found, ...], list[Problem]]:
        return listing.list_cases(self.root)

    @cached_property
    def _by_id(self) -> dict[str, Found]:
        return {case.id: case for case in self._found}

    @cached_property
    def _segments(self) -> tuple[tuple[Segment, ...] | None, list[Problem]]:
        self._look_at(segments.SEGMENTS)
        return segments.read_segments(self.root)

    @property
    def _found(self) -> tuple[Found, ...]:
        return self._listing[0]

    def _index_folder(self, folder: Path) -> tuple[list[Series], list[Problem]]:
        try:
            return listing.folder_series(folder, self.root)
        except ReadError as error:
            return [], [Problem("error", str(error))]

    def _read_root_masks(self, case_id: str) -> Masks:
        return self._read_masks(case_id, self.root)

    def _case(self, case_id: str) -> Found:
        case = self._by_id.get(case_id)
        if case is None:
            raise ReadError(case_id, f"no such image was found in {self.root}.")
        return case

    def _image(self, case_id: str) -> Image:
        case = self._case(case_id)
        if case.is_nifti:
            return open_image(case, None)
        found, problems = self._folder(case.path)
        wanted = (one for one in found if case.series in {None, listing.key_of(one)})
        series = next(wanted, None)
        if series is None:
            raise ReadError(case_id, "it holds no readable DICOM slices.")
        return open_image(case, series, problems)

    # The work list

    def _info(self, case: Found, title: str) -> CaseInfo:
        mask = "yes" if any(self._is_there(file.path) for file in case.mask_files) else "no"
        facts = {
            "Series": case.facts.get("Series", ""),
            "Slices": case.facts.get("Slices", ""),
            "Modality": case.modality,
            "Mask": mask,
            **case.facts,
        }
        return CaseInfo(case.id, title, case.modality, {k: v for k, v in facts.items() if v})

    def _is_there(self, name: str) -> bool:
        return is_there(self.root / name)

    def _stray_masks(self) -> Iterator[Problem]:
        known = {file.path for case in self._found for file in case.mask_files}
        ours = self.root / names.MASKS
        if not leads_inside(ours, self.root):
            return
        folders = walk.walk(ours, walk.MOST_LOOKED_AT, [])
        paths = [folder.path / name for folder in folders for name in folder.nifti]
        strays = {path.relative_to(self.root).as_posix() for path in paths} - known
        if strays:
            text = "These masks belong to no image by their names, and are not shown."
            yield Problem("note", text, tuple(sorted(strays)))

    # Masks of a case

    def _read_masks(self, case_id: str, folder: Path) -> Masks:
        image = self._image(case_id)
        masks: list[Mask] = []
        problems: list[Problem] = []
        for file in self._case(case_id).mask_files:
            if folder == self.root:
                self._look_at(file.path)
            if not is_there(folder / file.path):
                continue
            try:
                masks.append(self._read_mask(image, file, folder))
            except ReadError as error:
                text = f"The mask {file.name} is not shown. {error}"
                problems.append(Problem("error", text, (file.path,)))
        return tuple(masks), tuple(problems)

    def _read_mask(self, image: Image, file: MaskFile, folder: Path) -> Mask:
        labels = image.read_mask(folder / file.path, folder)
        same = folder == self.root
        table = self._segments[0] if same else segments.read_segments(folder)[0]
        if file.name != listing.FINDINGS:  # whose values were given elsewhere
            return Mask(file.name, labels.labels, segments.named(labels.values, table or ()))
        known = segments.DEFAULT if table is None else table
        others = {*labels.values} - {segment.value for segment in known}
        return Mask(file.name, labels.labels, (*known, *segments.named(others, ())))

    def _reading_of(self, case_id: str, files: Sequence[MaskFile], folder: Path) -> Reading:
        image = self._image(case_id)
        there = [file for file in files if is_there(folder / file.path)]
        return Reading(ANNOTATOR, tuple(self._read_mask(image, file, folder) for file in there))

    def _check_frame(self, case_id: str, file: MaskFile, before: Path, after: Path) -> None:
        """Refuse two states of a mask's file that differ in more than their voxels."""
        if not all(is_there(folder / file.path) for folder in (before, after)):
            return
        image = self._image(case_id)
        was, now = (image.read_mask(folder / file.path, folder) for folder in (before, after))
        if was.frame != now.frame:
            raise ReadError(
                after / file.path, "what is around its voxels changed, which no correction changes."
            )

    # Writing, step by step

    def _look_at(self, name: str) -> None:
        """Remember a file of the root as it is when it is first read."""
        if name not in self._seen:
            self._seen[name] = self._digest(name)

    def _digest(self, name: str) -> str | None:
        try:
            path = self.root / name
            return digest(read_whole(path, writing.LIMIT)) if is_there(path) else None
        except ReadError as error:  # which is told by whoever reads it for what it holds
            return str(error)

    def _check_unchanged(self) -> None:
        for name, seen in self._seen.items():
            if self._digest(name) != seen:
                raise ChangedOnDiskError(self.root / name)

    def _written(self, case_id: str, mask: Mask, out: Path) -> dict[Path, bytes]:
        files = {file.name: file for file in self._case(case_id).mask_files}
        if mask.name not in files:
            raise SaveError(
                f"{mask.name} is no mask of {case_id} ({', '.join(files)}). Nothing was written."
            )
        name = files[mask.name].path
        inside = self._standing(name, out)
        content = writing.with_mask(self._image(case_id), mask, inside / name, inside)
        if content is None:
            return {}
        written = {out / name: content}
        if mask.name == listing.FINDINGS:
            begun = not is_there(inside / name)
            table = segments.table_with(
                self._standing(segments.SEGMENTS, out), mask.segments, begun=begun
            )
            written |= {} if table is None else {out / segments.SEGMENTS: table}
        return written

    def _standing(self, name: str, out: Path) -> Path:
        """The folder whose file is corrected: ``out`` where it has it, else the root."""
        return out if is_there(out / name) else self.root

    def _missing_in(self, out: Path) -> dict[Path, bytes]:
        return {
            out / name: read_whole(self.root / name, writing.LIMIT)
            for name in self.annotation_files()
            if not is_there(out / name)
        }

    def _take_over(self, written: Mapping[Path, bytes]) -> None:
        """Take what was written into the root for what was read there."""
        for path, content in written.items():
            self._seen[path.relative_to(self.root).as_posix()] = digest(content)
        self._masks.cache_clear()
        self.__dict__.pop("_segments", None)


def _same_bytes(one: Path, other: Path) -> bool:
    if not (is_there(one) and is_there(other)):
        return is_there(one) == is_there(other)
    return read_whole(one, writing.LIMIT) == read_whole(other, writing.LIMIT)
