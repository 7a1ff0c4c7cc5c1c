"""Everything of the dataset that is read once, and what it says of a case."""

from __future__ import annotations

import os
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import platformdirs

from napari_chest.datasets.ricord import answers
from napari_chest.datasets.ricord.cases import find_cases
from napari_chest.datasets.ricord.census import Census
from napari_chest.datasets.ricord.clinical import read_clinical
from napari_chest.datasets.ricord.corrections import State
from napari_chest.datasets.ricord.documents import Documents, candidates
from napari_chest.datasets.ricord.drawing import draw, masks
from napari_chest.datasets.ricord.findings import labels_of, question_key
from napari_chest.datasets.ricord.layout import list_files
from napari_chest.datasets.ricord.readers import Reader, Roster
from napari_chest.errors import ReadError
from napari_chest.files.dicom.tree import index_tree, read_tree_series, stream_tree_image
from napari_chest.model import Reading

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

    from napari_chest.datasets.ricord.cases import Case
    from napari_chest.datasets.ricord.clinical import Clinical
    from napari_chest.datasets.ricord.drawing import Drawing, Rule
    from napari_chest.datasets.ricord.findings import GroupLabels
    from napari_chest.datasets.ricord.layout import Listing
    from napari_chest.files.dicom import Series
    from napari_chest.files.dicom.tree import DicomTree
    from napari_chest.files.mdai import MdaiFile
    from napari_chest.model import Grid

CACHE: Final = "NAPARI_CHEST_CACHE"
"""Names the folder in which headers are remembered; empty to remember nothing."""

_KEPT_SERIES: Final = 8
_KEPT_DRAWINGS: Final = 4


class Source:
    """The images, exports and tables of a dataset, each read when it is first asked for.

    Attributes
    ----------
    root : the dataset's folder.
    rule : which pixels a ring covers.
    here : the exports of the root as they stand; replaced when they are written.
    """

    def __init__(self, root: Path, rule: Rule) -> None:
        self.root = root
        self.rule = rule
        self.series = lru_cache(_KEPT_SERIES)(self._read_series)
        self._drawing = lru_cache(_KEPT_DRAWINGS)(self._draw)
        self._tree: DicomTree | None = None

    def prepare(self, progress: Callable[[int, int], None] | None, stop: Event | None) -> None:
        """Read the header of every image, unless they were read."""
        if self._tree is None:
            self._tree = index_tree(self.root, cache_folder(), progress=progress, stop=stop)

    @property
    def tree(self) -> DicomTree:
        """The images."""
        self.prepare(None, None)
        assert self._tree is not None
        return self._tree

    @cached_property
    def here(self) -> Documents:
        """The exports of the root."""
        return self.documents(self.root)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Where exports may stand in a folder laid out as the dataset."""
        return candidates(self._listing)

    @cached_property
    def roster(self) -> Roster:
        """The readers, under the names that they had when the root was first read."""
        return Roster(self.here.read.values())

    @cached_property
    def labels(self) -> dict[str, GroupLabels]:
        """The labels of every group."""
        return {group.id: labels_of(group) for group in self.roster.groups.values()}

    @cached_property
    def census(self) -> Census:
        """What the exports spoke of when the root was first read."""
        return Census(self.here.read.values())

    @cached_property
    def cases(self) -> dict[str, Case]:
        """Every case by its identifier, in the order of a work list."""
        return find_cases(self.tree, self.census.rings, self.census.without_images(self.tree))

    @cached_property
    def clinical(self) -> Clinical:
        """The clinical tables."""
        return read_clinical(self.root, self._listing.tables)

    def documents(self, folder: Path) -> Documents:
        """The exports of a folder laid out as the dataset, read anew."""
        return Documents(folder, self.names)

    def forget_annotations(self) -> None:
        """Read the exports of the root again when they are next asked for."""
        self._drawing.cache_clear()
        self.__dict__.pop("here", None)

    # A case

    def case(self, case_id: str) -> Case:
        """A case; raises ReadError where there is none."""
        case = self.cases.get(case_id)
        if case is None:
            raise ReadError(case_id, f"no image of it is in {self.root}.")
        return case

    def grid(self, case: Case) -> Grid | None:
        """The grid of a case; None where it has no readable image."""
        try:
            if case.entry is not None:
                return stream_tree_image(self.tree, case.entry).volume.grid
            return self.series(case.id).grid
        except ReadError:
            return None

    def takes_rings(self, case: Case) -> bool:
        """Whether annotations can say which of the case's slices they are on."""
        grid, images = self.grid(case), self.tree.by_sop
        return grid is not None and all(uid in images for uid in grid.slice_ids)

    def state(self, file: MdaiFile, case: Case, *, keep: bool = True) -> State:
        """An export as it speaks of a case; ``keep`` for one that is asked for again."""
        return State(file, self._drawing(file, case.id) if keep else self._draw(file, case.id))

    def readers_of(self, file: MdaiFile, case: Case) -> list[Reader]:
        """Who says anything of a case's study, and the adjudication; all where nobody does."""
        spoke = {
            Reader(label.group, one.creator)
            for one in file.of_study(case.study_uid)
            if (label := file.labels.get(one.label_id)) is not None
        }
        groups = {group.id for group in file.groups}
        known = [reader for reader in self.roster.names if reader.group in groups]
        if not spoke:
            return known
        wanted = spoke | {one for one in known if self.roster.is_adjudication(one.group)}
        return [*(one for one in known if one in wanted), *sorted(spoke - set(known))]

    def reading(self, case: Case, state: State, reader: Reader) -> Reading:
        """What a reader drew on a case and answered with it."""
        labels = self.labels[reader.group]
        grid = self.grid(case) if state.drawing is not None else None
        drawn = masks(state.drawing, reader, labels, grid.shape) if state.drawing and grid else ()
        said = {}
        if answers.asks(case, labels):
            key = question_key(reader.group)
            said[key] = answers.answers_of(state.file, case, reader, labels)
        return Reading(self.roster.name_of(reader), drawn, None, said)

    @cached_property
    def _listing(self) -> Listing:
        return list_files(self.root)

    def _read_series(self, case_id: str) -> Series:
        case = self.case(case_id)
        if case.series is None:
            raise ReadError(
                case.title,
                f"none of its {len(case.broken)} files can be read. Copy or download them again: "
                f"{', '.join(case.broken[:3])}.",
            )
        return read_tree_series(self.tree, case.series)

    def _draw(self, file: MdaiFile, case_id: str) -> Drawing | None:
        grid = self.grid(self.case(case_id))
        return None if grid is None else draw(file, grid, self.rule)


def cache_folder() -> Path | None:
    """Where the headers of datasets are remembered; None where nothing is to be."""
    told = os.environ.get(CACHE)
    if told is None:
        return platformdirs.user_cache_path("napari-chest") / "index"
    return Path(told) / "index" if told else None
