"""Names of files and folders that any system takes."""

from __future__ import annotations

import itertools
import re
import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST_NAME: Final = 80
_RESERVED: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


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
