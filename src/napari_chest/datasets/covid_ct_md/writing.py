"""What has to hold before label files are written, and what is to be corrected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_chest.datasets.covid_ct_md import labels, layout
from napari_chest.errors import SaveError
from napari_chest.files.atomic import read_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from napari_chest.datasets.covid_ct_md.labels import LabelPair
    from napari_chest.files.npy import NpyFile


def standing(
    out: Path, pairs: Mapping[str, LabelPair], index_bytes: bytes | None
) -> dict[Path, bytes]:
    """What is to be corrected: the files of ``out``, and the originals of those it lacks."""
    files = all_files(pairs.values())
    contents = {out / name: file.content for name, file in files.items()}
    if index_bytes is not None:
        index = out / layout.INDEX_NAME
        contents[index] = index_bytes
        if index.is_file() and read_whole(index, layout.INDEX_LIMIT) != index_bytes:
            raise SaveError(
                f"{out} holds labels of another Index.csv, so nothing was written. "
                "Move that folder away, then save again."
            )
    return contents


def usable_pairs(out: Path) -> list[LabelPair]:
    """The label versions in ``out``; refuses where one is unreadable and would be overwritten."""
    pairs, problems = labels.find_pairs(out)
    broken = next((problem for problem in problems if problem.level == "error"), None)
    if broken is not None:
        raise SaveError(
            f"{out} holds labels that cannot be read, so nothing was written. {broken.text} "
            "Move that file away, then save again."
        )
    return pairs


def all_files(pairs: Iterable[LabelPair]) -> dict[str, NpyFile]:
    """Every array of the pairs, by file name."""
    return {name: file for pair in pairs for name, file in pair.files.items()}
