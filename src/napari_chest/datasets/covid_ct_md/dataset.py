"""COVID-CT-MD as a `Dataset`."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from napari_chest.changes import CaseChange, CellChange, ReadingChange
from napari_chest.datasets.base import Dataset
from napari_chest.datasets.covid_ct_md import clinical, labels, layout, rows, writing
from napari_chest.datasets.covid_ct_md.columns import label_columns
from napari_chest.errors import ChangedOnDiskError, ReadError, SaveError
from napari_chest.files.atomic import read_whole, write_together
from napari_chest.files.dicom import index_folder, main_series, stream_series
from napari_chest.files.npy import MAX_BYTES
from napari_chest.files.paths import is_there
from napari_chest.model import CaseInfo, Problem, Reading, SliceLabels

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    from napari_chest.datasets.covid_ct_md.labels import LabelPair
    from napari_chest.datasets.covid_ct_md.layout import CaseFolder, Index
    from napari_chest.files.dicom import Series, SliceHeader
    from napari_chest.model import VolumeStream

_INDEXED_CASES = 8
"""Cases whose slice headers are kept: a person goes back and forth between a few."""


class CovidCtMd(Dataset):
    """COVID-CT-MD, opened at the folder that holds Index.csv and the label arrays.

    Each label version is one reading, by the name that follows the array's stem; the newest comes
    first. Column k of the arrays is the k-th slice from head to feet.
    """

    name: ClassVar[str] = "covid-ct-md"
    title: ClassVar[str] = "COVID-CT-MD"
    list_facts: ClassVar[tuple[str, ...]] = ("Diagnosis", "Labels", "Slices", "Sex", "Age")

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._series = lru_cache(_INDEXED_CASES)(self._index_series)

    @classmethod
    def missing(cls, root: Path) -> list[str]:
        """What the folder lacks to be COVID-CT-MD, in words; empty when it is."""
        lacks = []
        if not labels.has_labels(root) and not is_there(root / layout.INDEX_NAME):
            lacks.append("a label array such as Slice-level-labels.npy, or Index.csv")
        if not layout.has_cases(root):
            lacks.append("case folders such as COVID-19 subjects/P001")
        return lacks

    # Reading

    def cases(self) -> Sequence[CaseInfo]:
        """Every case folder: COVID-19 first, then CAP, then normal."""
        return self._cases

    def stream(self, case_id: str, first: int | None = None) -> VolumeStream:
        """The case's CT from ``first`` outwards; raises ReadError where there is none."""
        series, _ = self._series(case_id)
        return stream_series(series, first=first)

    def readings(self, case_id: str, at: Path | None = None) -> tuple[Reading, ...]:
        """One reading per label version, the newest first; none for a case outside Index.csv."""
        pairs = self._pairs[0] if at is None else labels.find_pairs(at)[0]
        series, _ = self._series(case_id)
        found = []
        for pair in pairs:
            row = self._array_row(case_id, pair)
            if row is None or rows.unusable(pair.row(row)) is not None:
                continue
            values = rows.on_slices(pair.row(row) != 0, self._columns(series))
            any_column = labels.INFECTED if pair.lobe_name else None
            table = SliceLabels(pair.columns, values, any_column)
            found.append(Reading(pair.version, slice_labels=table))
        return tuple(found)

    def blank(self, case_id: str, slices: int) -> Reading:  # noqa: ARG002
        """No lobe is marked, in the columns of the newest version."""
        columns = self._pairs[0][0].columns if self._pairs[0] else (*labels.LOBES, labels.INFECTED)
        any_column = labels.INFECTED if len(columns) > 1 else None
        values = np.zeros((slices, len(columns)), bool)
        return Reading("", slice_labels=SliceLabels(columns, values, any_column))

    def source_headers(self, case_id: str) -> Sequence[SliceHeader]:
        """Headers of the case's slices from head to feet."""
        return self._series(case_id)[0].slices

    def problems(self, case_id: str | None = None) -> list[Problem]:
        """What a person should know before working on the case, or on the dataset when None."""
        if case_id is None:
            return [
                *self._folders[1],
                *self._index.problems,
                *self._pairs[1],
                *self._unmatched(),
                *self._clinical[1],
            ]
        try:
            series, found = self._series(case_id)
        except ReadError as error:
            return [Problem("error", f"The image cannot be shown. {error}")]
        return [*found, *series.problems, *self._label_problems(case_id, series)]

    # Writing

    def annotation_files(self, at: Path | None = None) -> tuple[Path, ...]:
        """Index.csv and the label arrays of the root or another folder, relative to it."""
        folder = at or self.root
        index = [layout.INDEX_NAME] if (folder / layout.INDEX_NAME).is_file() else []
        return tuple(Path(name) for name in (*index, *labels.label_names(folder)))

    def write(self, case_id: str, readings: Sequence[Reading], out: Path) -> list[Path]:
        """Write a case's label versions into ``out``; see `Dataset.write`.

        Both arrays of a version are written together. A reader ``updated-<n>`` that ``out`` does
        not have becomes a new pair of arrays, made from the newest one.
        """
        out = self._target(out)
        self._check_unchanged()
        pairs = {pair.version: pair for pair in self._pairs[0]}
        if out != self.root:
            pairs |= {pair.version: pair for pair in writing.usable_pairs(out)}
        standing = writing.standing(out, pairs, self._index_bytes)
        present = labels.versions_of((*self._label_names, *labels.label_names(out)))
        contents = dict(standing)
        for reading in readings:
            pair = self._patched(case_id, reading, pairs, labels.next_version(present | {*pairs}))
            pairs[reading.reader] = pair
            contents |= {out / name: file.content for name, file in pair.files.items()}
        changed = [path for path, content in contents.items() if standing.get(path) != content]
        to_write = {p: c for p, c in contents.items() if p in changed or not p.is_file()}
        write_together(to_write, inside=out)
        if changed and out == self.root:
            for read_once in ("_label_names", "_pairs", "_cases"):
                self.__dict__.pop(read_once, None)
        return sorted(changed)

    def compare(self, before: Path, after: Path) -> tuple[CaseChange, ...]:
        """Every label that differs between two folders, both read anew from disk."""
        was = labels.find_pairs(before)[0]
        old = {pair.version: pair for pair in was}
        now = {pair.version: pair for pair in labels.find_pairs(after)[0]}
        if gone := ", ".join(version for version in old if version not in now):
            raise ReadError(after, f"label version {gone} is gone or cannot be read any more.")
        found: list[CaseChange] = []
        for pair in now.values():
            base = old.get(pair.version) or (was[0] if was else None)
            if base is None or not base.same_frame(pair):
                raise ReadError(after, f"label version {pair.version} fits none in {before}.")
            found.extend(self._compare_pairs(base, pair))
        return tuple(found)

    def new_reader(self) -> str | None:
        """The name of the label version that would follow the present ones."""
        if not self._pairs[0]:
            return None
        return labels.next_version(labels.versions_of(self._label_names))

    # What is read once

    @cached_property
    def _folders(self) -> tuple[list[CaseFolder], list[Problem]]:
        return layout.find_cases(self.root)

    @cached_property
    def _folder_by_id(self) -> dict[str, CaseFolder]:
        return {case.id: case for case in self._folders[0]}

    @cached_property
    def _index(self) -> Index:
        return layout.read_index(self.root)

    @cached_property
    def _index_bytes(self) -> bytes | None:
        path = self.root / layout.INDEX_NAME
        return read_whole(path, layout.INDEX_LIMIT) if path.is_file() else None

    @cached_property
    def _label_names(self) -> tuple[str, ...]:
        return tuple(labels.label_names(self.root))

    @cached_property
    def _pairs(self) -> tuple[list[LabelPair], list[Problem]]:
        self._index_bytes, self._label_names  # noqa: B018  # at one time, compared before writing
        return labels.find_pairs(self.root)

    @cached_property
    def _clinical(self) -> tuple[dict[str, dict[str, str]], list[Problem]]:
        return clinical.read_clinical(self.root)

    @cached_property
    def _cases(self) -> tuple[CaseInfo, ...]:
        return tuple(self._case_info(case) for case in self._folders[0])

    @cached_property
    def _repeated_leaves(self) -> set[str]:
        leaves = [case.leaf.casefold() for case in self._folders[0]]
        return {leaf for leaf in leaves if leaves.count(leaf) > 1}

    def _folder(self, case_id: str) -> CaseFolder:
        folder = self._folder_by_id.get(case_id)
        if folder is None:
            raise ReadError(case_id, f"no such case folder was found in {self.root}.")
        return folder

    def _index_series(self, case_id: str) -> tuple[Series, list[Problem]]:
        folder = self._folder(case_id)
        found, problems = index_folder(folder.path, root=self.root)
        if not found:
            raise ReadError(case_id, "it holds no readable DICOM slices.")
        return main_series(found), problems

    # The work list

    def _case_info(self, case: CaseFolder) -> CaseInfo:
        facts = {"Diagnosis": case.diagnosis, "Labels": self._label_fact(case)}
        facts |= layout.image_facts(case.path, self.root)
        facts |= self._clinical[0].get(case.leaf.casefold(), {})
        return CaseInfo(case.id, case.leaf, "CT", {k: v for k, v in facts.items() if v})

    def _label_fact(self, case: CaseFolder) -> str:
        for pair in self._pairs[0]:
            row = self._array_row(case.id, pair)
            if row is not None:
                infected = int(np.count_nonzero(pair.row(row)[:, -1]))
                return f"{infected} infected" if infected else "none infected"
        return "not labelled"

    # Labels of a case

    def _array_row(self, case_id: str, pair: LabelPair) -> int | None:
        leaf = self._folder(case_id).leaf
        if leaf.casefold() in self._repeated_leaves:
            return None
        row = self._index.row_for(leaf)
        array_row = None if row is None else self._index.array_row(row, pair.shape[0])
        return array_row if array_row is not None and array_row < pair.shape[0] else None

    def _columns(self, series: Series) -> npt.NDArray[np.intp]:
        return label_columns(series)[0]

    def _unmatched(self) -> Iterator[Problem]:
        rows = self._index.rows
        for pair in self._pairs[0]:
            if self._index.problems and not rows:
                continue  # which are told already
            if all(self._index.array_row(row, pair.shape[0]) is None for row in rows):
                text = (
                    f"Label version {pair.version} is not shown: its arrays have {pair.shape[0]} "
                    f"rows, Index.csv has {len(rows)}, and neither its order nor its Label Index "
                    "explains the difference."
                )
                yield Problem("error", text, tuple(pair.files))

    def _label_problems(self, case_id: str, series: Series) -> Iterator[Problem]:
        folder = self._folder(case_id)
        if folder.leaf.casefold() in self._repeated_leaves:
            text = (
                f"More than one folder is named {folder.leaf}; Index.csv does not tell which one "
                "is labelled, so none of them shows labels."
            )
            yield Problem("error", text, (case_id,))
        row = self._index.row_for(folder.leaf)
        if row is not None and row.diagnosis and not layout.same_diagnosis(row.diagnosis, folder):
            text = f"Index.csv says {row.diagnosis}, the folder lies with {folder.diagnosis}."
            yield Problem("warning", text, (case_id,))
        yield from self._clinical_problems(folder)
        columns, problem = label_columns(series)
        if problem:
            yield problem
        for pair in self._pairs[0]:
            array_row = self._array_row(case_id, pair)
            if array_row is not None:
                yield from rows.row_problems(pair, array_row, columns)

    def _clinical_problems(self, folder: CaseFolder) -> Iterator[Problem]:
        row = self._clinical[0].get(folder.leaf.casefold(), {})
        facts = layout.image_facts(folder.path, self.root)
        if text := clinical.contradiction(row, facts.get("Sex", ""), facts.get("Age", "")):
            yield Problem("warning", f"The clinical table and the images disagree: {text}.")

    # Writing, step by step

    def _check_unchanged(self) -> None:
        path = self.root / layout.INDEX_NAME
        now = read_whole(path, layout.INDEX_LIMIT) if path.is_file() else None
        if now != self._index_bytes:
            raise ChangedOnDiskError(path)
        for name, file in writing.all_files(self._pairs[0]).items():
            path = self.root / name
            if not path.is_file() or read_whole(path, MAX_BYTES) != file.content:
                raise ChangedOnDiskError(path)
        for name in labels.label_names(self.root):
            if name not in self._label_names:
                raise ChangedOnDiskError(self.root / name)

    def _patched(
        self, case_id: str, reading: Reading, pairs: Mapping[str, LabelPair], next_version: str
    ) -> LabelPair:
        pair = pairs.get(reading.reader)
        if pair is None:
            if not pairs or reading.reader != next_version:
                raise SaveError(
                    f"{reading.reader} is no label version of this dataset ({', '.join(pairs)}) "
                    "and not the next one. Nothing was written."
                )
            pair = labels.newest(pairs.values()).renamed(reading.reader)
        row = self._array_row(case_id, pair)
        if row is None:
            raise SaveError(
                f"{case_id} has no row in label version {reading.reader}. Nothing was written."
            )
        columns = self._columns(self._series(case_id)[0])
        return rows.with_reading(pair, row, columns, reading, case_id)

    def _compare_pairs(self, was: LabelPair, now: LabelPair) -> Iterator[CaseChange]:
        case_of = {self._array_row(case.id, now): case for case in self._folders[0]}
        for row in range(now.shape[0]):
            before, after = was.row(row), now.row(row)
            cells = np.argwhere(~rows.same(before, after))
            if not len(cells):
                continue
            case = case_of.get(row)
            slice_of = self._slice_of_column(case, now.shape[1])
            changes = tuple(
                CellChange(slice_of[int(k)], now.columns[c], bool(before[k, c]), bool(after[k, c]))
                for k, c in cells
            )
            title = case.leaf if case else f"row {row}"
            yield CaseChange(title, ReadingChange(now.version, tuple(sorted(changes))))

    def _slice_of_column(self, case: CaseFolder | None, columns: int) -> dict[int, int]:
        slice_of = {k: k for k in range(columns)}
        if case is not None:
            with suppress(ReadError):  # without images only the columns can be told
                taken = self._columns(self._series(case.id)[0])
                slice_of |= {int(k): z for z, k in enumerate(taken)}
        return slice_of
