"""What is told of the dataset as a whole: which variant it is and what of it is not here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from napari_chest.datasets.mosmed.cases import absent
from napari_chest.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from napari_chest.datasets.mosmed.cases import Case
    from napari_chest.datasets.mosmed.layout import Layout
    from napari_chest.datasets.mosmed.registry import Registry

_PUBLISHED = re.compile(
    r"studies/CT-[0-4]/study_[0-9]{4}\.nii\.gz|masks/study_[0-9]{4}_mask\.nii\.gz"
)
_MOST_FOLDERS = 6


def dataset_problems(
    files: Layout, registry: Registry, cases: Mapping[str, Case]
) -> Iterator[Problem]:
    """The variant that was found, what is missing, and what was passed over."""
    yield _variant(files, registry)
    if gone := absent(registry, cases):
        text = f"{gone:,} of the {len(registry.rows):,} studies of the registry are not here"
        masks_too = ", and no masks of them either." if files.masks else "."
        yield Problem("warning", text + masks_too)
    if files.studies and files.masks:
        text = (
            f"{len(files.masks):,} studies have a mask. A study without one is not free of "
            "lesions for that: only the first fifty of CT-1 were annotated."
        )
        yield Problem("note", text)
    yield from registry.problems
    yield from files.problems


def _variant(files: Layout, registry: Registry) -> Problem:
    studies = [path for paths in files.studies.values() for path in paths]
    masks = [path for paths in files.masks.values() for path in paths]
    published = all(_PUBLISHED.fullmatch(path.as_posix()) for path in (*studies, *masks))
    parts = []
    for kind, paths in (("studies", studies), ("masks", masks)):
        plain = sum(path.suffix == ".nii" for path in paths)
        packed = f" ({plain:,} not packed)" if plain else ""
        parts.append(f"{len(paths):,} {kind}{packed}{_folders(paths)}")
    parts.append(f"registry {registry.path}" if registry.path else "no registry")
    which = "The published layout" if published else "Another layout than the published one"
    return Problem("note", f"{which}: {', '.join(parts)}.")


def _folders(paths: Iterable[Path]) -> str:
    folders = sorted({path.parent.as_posix() for path in paths})
    if not folders:
        return ""
    shown = ", ".join("the root" if folder == "." else folder for folder in folders[:_MOST_FOLDERS])
    more = f" and {len(folders) - _MOST_FOLDERS} more" if len(folders) > _MOST_FOLDERS else ""
    return f" in {shown}{more}"
