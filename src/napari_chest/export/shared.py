"""What exports into other formats share: which cases, where to, and names any system takes."""

from __future__ import annotations

import itertools
import re
import unicodedata
from typing import TYPE_CHECKING, Final

from napari_chest.errors import SaveError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_chest.datasets import Dataset

_LONGEST_NAME: Final = 80
_RESERVED: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def chosen_titles(dataset: Dataset, case_ids: Sequence[str], out: Path) -> dict[str, str]:
    """The titles of a dataset's cases by id, once it is sure that these can be written there.

    Raises
    ------
    SaveError
        when ``out`` is part of the dataset, or a case is not.
    """
    if out.resolve().is_relative_to(dataset.root.resolve()):
        raise SaveError(
            f"{out} is inside the dataset, which an export does not change. Nothing was written; "
            "choose another folder."
        )
    titles = {case.id: case.title for case in dataset.cases()}
    if unknown := [case_id for case_id in case_ids if case_id not in titles]:
        raise SaveError(f"The dataset has no case {', '.join(unknown)}. Nothing was written.")
    return titles


def file_names(names: Sequence[str]) -> dict[str, str]:
    """A name for each that any system takes as one file or folder, no two the same."""
    taken: set[str] = set()
    found: dict[str, str] = {}
    for name in dict.fromkeys(names):
        safe = _file_name(name)
        numbered = itertools.chain([safe], (f"{safe}-{n}" for n in itertools.count(2)))
        found[name] = next(one for one in numbered if one.casefold() not in taken)
        taken.add(found[name].casefold())
    return found


def _file_name(name: str) -> str:
    plain = unicodedata.normalize("NFC", name)
    safe = re.sub(r"[^\w.() +-]|^\.", "_", plain)[:_LONGEST_NAME].rstrip(" .")
    return f"_{safe}" if not safe or _RESERVED.fullmatch(safe) else safe
