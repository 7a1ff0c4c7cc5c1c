"""One case of MosMedData: its files, what the registry says of it, and where they contradict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_chest.datasets.mosmed import layout
from napari_chest.model import CaseInfo, FactGroup, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from napari_chest.datasets.mosmed.layout import Layout
    from napari_chest.datasets.mosmed.registry import Registry, Row

CATEGORIES = ("CT-0", "CT-1", "CT-2", "CT-3", "CT-4")


@dataclass(frozen=True)
class Case:
    """One study with all that lies in the root about it; paths are relative to the root.

    Attributes
    ----------
    number : of the study, 1 to 1110 in the release.
    study, mask, split : its files, None where there is none; of several the one that is used.
    mask_path, split_path : where the mask and its split lie, or would.
    category : the dataset's own, or empty where it is not told for certain.
    folder_categories : what its folder stands for: none, one, or several in a merged mirror.
    row : its row of the registry.
    """

    number: int
    study: Path | None
    mask: Path | None
    split: Path | None
    mask_path: Path
    split_path: Path
    category: str
    folder_categories: tuple[str, ...]
    row: Row | None

    @property
    def id(self) -> str:
        """The name of the study's file without its endings: ``study_0255``."""
        return case_id(self.number)

    @property
    def mask_is_ours(self) -> bool:
        """Whether a mask of this case is none of the release, as the registry tells."""
        return self.row is not None and not self.row.mask_file

    def info(self, category: str) -> CaseInfo:
        """The case in a work list, under the category that stands now."""
        told = category or " or ".join(self.folder_categories)
        facts = {"Category": told, "Mask": "yes" if self.mask else "no"}
        if self.row is not None and contradicts(self.row, self.folder_categories):
            facts["Folder"] = (self.study or self.mask_path).parent.as_posix()
        return CaseInfo(self.id, self.id, "CT", {key: text for key, text in facts.items() if text})

    def about(self) -> tuple[FactGroup, ...]:
        """Its row of the registry as registered, and its files relative to the root."""
        groups = []
        if self.row is not None:
            row = self.row
            told = (
                ("study_id", str(row.number)),
                ("category", row.category),
                ("study_file", row.study_file),
                ("mask_file", row.mask_file),
            )
            groups.append(FactGroup("Registry", told))
        named = (("Study", self.study), ("Mask", self.mask), ("Split mask", self.split))
        files = tuple((name, path.as_posix()) for name, path in named if path)
        return (*groups, FactGroup("Files", files))


def case_id(number: int) -> str:
    """A case's id by its number."""
    return f"study_{number:04}"


def contradicts(row: Row, folder_categories: Sequence[str]) -> bool:
    """Whether the registry says another category than the folder."""
    return bool(row.category and folder_categories) and row.category not in folder_categories


def make_case(number: int, root: Path, files: Layout, registry: Registry) -> Case:
    """The case of a number, listed or not."""
    row = registry.rows.get(number)
    study = _chosen(files.studies.get(number, ()), row.study_file if row else "")
    mask = _chosen(files.masks.get(number, ()), row.mask_file if row else "")
    mask_path = mask or files.mask_folder / f"{case_id(number)}_mask.nii.gz"
    beside = [path for path in files.splits.get(number, ()) if mask and path.parent == mask.parent]
    split = next(iter(beside), None)
    where = study or mask
    told = layout.categories_of(root, where) if where else ()
    registered = row.category if row else ""
    return Case(
        number=number,
        study=study,
        mask=mask,
        split=split,
        mask_path=mask_path,
        split_path=split or mask_path.parent / f"{case_id(number)}_mask_split.nii.gz",
        category=told[0] if len(told) == 1 else registered,
        folder_categories=told,
        row=row,
    )


def contradictions(case: Case, files: Layout, registry: Registry) -> Iterator[Problem]:
    """Where a case's files, its folder and the registry contradict each other."""
    yield from _repeated("study", files.studies.get(case.number, ()), case.study)
    yield from _repeated("mask", files.masks.get(case.number, ()), case.mask)
    splits = files.splits.get(case.number, ())
    if aside := [path for path in splits if path != case.split_path]:
        text = "This split mask is not shown: the mask that it splits does not lie beside it."
        if case.split is not None:
            text = f"More than one file splits this mask; {case.split.as_posix()} is used."
        yield Problem("warning", text, tuple(path.as_posix() for path in aside))
    if case.study is None and case.mask is not None:
        text = "The study of this mask is not here, so the mask is shown on air."
        yield Problem("warning", text, (case.mask.as_posix(),))
    if registry.path is not None:
        yield from _against_registry(case, registry.path)


def _chosen(paths: Sequence[Path], registered: str) -> Path | None:
    # A registered path begins with a slash: it is compared as text and never opened.
    wanted = "/" + registered.replace("\\", "/").strip("/")
    matching = [path for path in paths if f"/{path.as_posix()}".endswith(wanted)]
    return next(iter((*matching, *paths)), None)


def _repeated(kind: str, paths: Sequence[Path], used: Path | None) -> Iterator[Problem]:
    if len(paths) > 1 and used is not None:
        text = f"More than one file holds this {kind}; {used.as_posix()} is used."
        yield Problem("warning", text, tuple(path.as_posix() for path in paths))


def _against_registry(case: Case, path: Path) -> Iterator[Problem]:
    row, told = case.row, case.folder_categories
    if row is None:
        yield Problem("note", "The registry does not know this study.", (path.as_posix(),))
        return
    if row.mask_file and case.mask is None:
        text = f"The registry says that there is a mask, {row.mask_file}; it is not here."
        yield Problem("warning", text, (path.as_posix(),))
    if case.mask is not None and not row.mask_file:
        yield Problem("note", "The registry does not know this mask.", (case.mask.as_posix(),))
    if contradicts(row, told):
        where = case.study or case.mask_path
        text = (
            f"The registry says {row.category}, the folder says {' or '.join(told)}; "
            f"{case.category} is used."
        )
        yield Problem("warning", text, (where.as_posix(),))


def absent(registry: Registry, cases: Mapping[str, Case]) -> int:
    """How many rows of the registry have neither a study nor a mask on disk."""
    return sum(case_id(number) not in cases for number in registry.rows)
