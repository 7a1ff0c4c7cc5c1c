"""Files swapped in whole: others see the old bytes or the new, and a failure leaves the old."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from napari_chest.errors import ReadError, SaveError

if TYPE_CHECKING:
    from collections.abc import Mapping


def digest(content: bytes) -> str:
    """SHA-256 of the content, as hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def read_whole(path: Path, limit: int) -> bytes:
    """The bytes of a file of at most ``limit`` bytes.

    Raises
    ------
    ReadError
        when the file cannot be read or is larger.
    """
    try:
        size = path.stat().st_size
        if size > limit:
            raise ReadError(path, f"expected at most {limit:,} bytes, found {size:,}.")
        return path.read_bytes()
    except OSError as error:
        raise ReadError(path, f"cannot be read: {reason(error)}.") from error


def reason(error: OSError) -> str:
    """Why the system refused, in words a person can act on."""
    words = {
        errno.ENOSPC: "the disk is full",
        errno.EFBIG: "the file would be larger than the system allows",
        errno.EROFS: "the disk is read-only",
        errno.EACCES: "permission is denied",
        errno.EPERM: "permission is denied",
        errno.ENOENT: "it is no longer there",
        errno.EIO: "the disk reports an error",
    }
    return words.get(error.errno or 0, error.strerror or type(error).__name__)


def write_together(contents: Mapping[Path, bytes]) -> None:
    """Replace or create all the files, or change none of them.

    Every new content is on disk before the first file is swapped, so a full disk is met while
    nothing has changed yet; if a swap itself fails, the files swapped before it are put back.

    Raises
    ------
    SaveError
        when anything fails; no file has changed then.
    """
    targets = {path.resolve(): content for path, content in contents.items()}
    staged: dict[Path, Path] = {}
    kept: dict[Path, Path | None] = {}
    try:
        for path, content in targets.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            staged[path] = _stage(path, content)
        for path in targets:
            kept[path] = _keep(path)
        _swap(staged, kept)
    except OSError as error:
        names = ", ".join(sorted(path.name for path in targets))
        raise SaveError(
            f"{names} could not be saved in {_common_folder(targets)}: {reason(error)}. "
            "Nothing was changed; make room or choose another folder, then save again."
        ) from error
    finally:
        for leftover in (*staged.values(), *kept.values()):
            if leftover is not None:
                leftover.unlink(missing_ok=True)
    for folder in {path.parent for path in targets}:
        _sync_folder(folder)


def _stage(path: Path, content: bytes) -> Path:
    staged = _sibling(path, "new")
    try:
        with staged.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, staged)
    except OSError:
        staged.unlink(missing_ok=True)
        raise
    return staged


def _keep(path: Path) -> Path | None:
    """A second name for the present file, from which it can be put back."""
    if not path.exists():
        return None
    kept = _sibling(path, "old")
    try:
        kept.hardlink_to(path)
    except OSError:  # not every file system has hard links
        try:
            shutil.copy2(path, kept)
        except OSError:
            kept.unlink(missing_ok=True)
            raise
    return kept


def _swap(staged: Mapping[Path, Path], kept: Mapping[Path, Path | None]) -> None:
    swapped: list[Path] = []
    try:
        for path, new in staged.items():
            new.replace(path)
            swapped.append(path)
    except OSError:
        for path in reversed(swapped):
            old = kept[path]
            if old is None:
                path.unlink()
            else:
                old.replace(path)
        raise


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows cannot open a folder to sync it
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sibling(path: Path, suffix: str) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(6)}.{suffix}")


def _common_folder(paths: Mapping[Path, bytes]) -> Path:
    return Path(os.path.commonpath([path.parent for path in paths]))
