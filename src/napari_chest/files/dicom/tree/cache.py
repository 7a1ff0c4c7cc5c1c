"""Remembers the headers of a tree between sessions, in one file of a folder the caller names.

The file holds neither names of files and folders, which may name patients, nor Patient IDs:
each header is kept under a digest of its file's path.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from msgspec.structs import astuple

from napari_chest.errors import ReadError, SaveError
from napari_chest.files.atomic import read_whole, write_together
from napari_chest.files.dicom.tree.entries import TreeHeader

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from napari_chest.files.dicom.tree.folders import FoundFile

_MAGIC: Final = b"napari-chest DICOM index 1\n"
"""To be changed whenever what is stored changes, so that older files are read anew."""
_MOST_BYTES: Final = 2**30
_KEY_BYTES: Final = 16
_CHECK_BYTES: Final = 4
_OWN: Final = 3
"""The first fields of a header are a file's own; the others are often those of its series."""


class Remembered(NamedTuple):
    """What is known of a file: its header, or why it has none."""

    header: TreeHeader | None
    failure: str = ""


class _Record(msgspec.Struct, array_like=True, frozen=True, gc=False):
    key: bytes
    size: int
    mtime_ns: int
    own: tuple[str, int | None, tuple[float, float, float] | None] | None
    shared: int
    failure: str


_Shared = tuple[
    str, str, str, int, str, tuple[str, ...], int | None, str,
    tuple[float, float, float, float, float, float] | None, tuple[float, float] | None,
    int, int, int, str, str, bool,
]  # fmt: skip


class _Content(msgspec.Struct, array_like=True, frozen=True):
    shared: list[_Shared]
    records: list[_Record]


_decode = msgspec.msgpack.Decoder(_Content).decode
_encode = msgspec.msgpack.Encoder().encode


class TreeCache:
    """What is remembered of one tree.

    Parameters
    ----------
    folder : where caches lie; None to remember nothing.
    root : the tree's folder.
    """

    def __init__(self, folder: Path | None, root: Path) -> None:
        name = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:24]
        self._path = None if folder is None else folder / f"dicom-{name}.index"

    def recall(self, files: Iterable[FoundFile]) -> dict[str, Remembered]:
        """What is remembered of those files whose size and time are still the same, by path.

        A cache that is damaged, of another version or unreadable counts as empty.
        """
        try:
            return _recalled(self._content(), files)
        except (ReadError, msgspec.MsgspecError, IndexError):
            return {}

    def keep(self, files: Iterable[FoundFile], known: Mapping[str, Remembered]) -> None:
        """Replace what is remembered; where the folder cannot be written, nothing happens."""
        if self._path is not None:
            with suppress(SaveError):
                write_together({self._path: _stored(files, known)})

    def _content(self) -> _Content:
        if self._path is None:
            return _Content([], [])
        data = memoryview(read_whole(self._path, _MOST_BYTES))
        start = len(_MAGIC) + _CHECK_BYTES
        body = data[start:]
        if data[:start] != _MAGIC + _check(body):
            return _Content([], [])
        return _decode(body)


def _recalled(content: _Content, files: Iterable[FoundFile]) -> dict[str, Remembered]:
    records = {record.key: record for record in content.records}
    known: dict[str, Remembered] = {}
    for path, size, mtime_ns in files:
        record = records.get(_key(path))
        if record is None or record.size != size or record.mtime_ns != mtime_ns:
            continue
        if record.own is None:
            known[path] = Remembered(None, record.failure)
        else:
            values: tuple[Any, ...] = record.own + content.shared[record.shared]
            known[path] = Remembered(TreeHeader(*values))
    return known


def _stored(files: Iterable[FoundFile], known: Mapping[str, Remembered]) -> bytes:
    places: dict[_Shared, int] = {}
    records = []
    for path, size, mtime_ns in files:
        if path not in known:
            continue
        header, failure = known[path]
        own = shared = None
        if header is not None:
            values = astuple(header)
            own, shared = values[:_OWN], places.setdefault(values[_OWN:], len(places))
        records.append((_key(path), size, mtime_ns, own, shared or 0, failure))
    body = _encode((list(places), records))
    return _MAGIC + _check(body) + body


def _key(path: str) -> bytes:
    return hashlib.blake2b(os.fsencode(path), digest_size=_KEY_BYTES).digest()


def _check(body: bytes | memoryview) -> bytes:
    return zlib.crc32(body).to_bytes(_CHECK_BYTES, "big")
