"""The bytes of an export, as a file of its own or packed."""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import TYPE_CHECKING, Final

from napari_chest.errors import ReadError
from napari_chest.files.atomic import read_whole

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES: Final = 2**30
_MOST_EXPANDED: Final = 200
"""Exports shrink to a tenth; what grows much more was made to fill the memory."""
_ZIP: Final = b"PK"
_NEVER_REFUSED: Final = 2**20


def read_export(path: Path) -> bytes:
    """The bytes of a JSON file, or of the first one in a zip archive.

    Raises
    ------
    ReadError
        when it cannot be read, is too large, or is an archive without a JSON file.
    """
    content = read_whole(path, MAX_BYTES)
    if not content.startswith(_ZIP):
        return content
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _member(path, archive)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        NotImplementedError,
        RuntimeError,  # encrypted
        ValueError,
    ) as error:
        raise ReadError(path, f"expected a zip archive, found a broken one: {error}.") from error


def _member(path: Path, archive: zipfile.ZipFile) -> bytes:
    """The first JSON file; its name is never used as a path."""
    member = next((one for one in archive.infolist() if _is_export(one)), None)
    if member is None:
        raise ReadError(path, "expected a JSON file in the zip archive, found none.")
    limit = min(MAX_BYTES, max(_NEVER_REFUSED, member.compress_size * _MOST_EXPANDED))
    with archive.open(member) as file:
        content = b"" if member.file_size > limit else file.read(limit + 1)
    if member.file_size > limit or len(content) > limit:
        raise ReadError(
            path,
            f"expected at most {limit:,} bytes in the zip archive, found more. Unpack it yourself "
            "if you trust it.",
        )
    return content


def _is_export(member: zipfile.ZipInfo) -> bool:
    name = member.filename.casefold()
    # macOS packs a file of its own beside each.
    return name.endswith(".json") and not name.startswith("__macosx") and not member.is_dir()
