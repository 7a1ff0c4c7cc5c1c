"""Files swapped in whole: others see the old bytes or the new, and a failure leaves the old."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from napari_chest.errors import ReadError, SaveError

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping


def digest(content: bytes) -> str:
    """SHA-256 of the content, as hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def read_whole(path: Path, limit: int) -> bytes:
    """The bytes of a file of at most ``limit`` bytes.

    Raises
    ------
    ReadError
        when it is no file, cannot be read or is larger.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):  # a pipe or a device may never end
            raise ReadError(path, "expected a file, found a folder, pipe or device.")
        if found.st_size > limit:
            raise ReadError(path, f"expected at most {limit:,} bytes, found {found.st_size:,}.")
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


def write_together(contents: Mapping[Path, bytes], inside: Path | None = None) -> None:
    """Replace or create all the files, or change none of them.

    Every new content is on disk before the first file is swapped, so a full disk is met while
    nothing has changed yet; if a swap itself fails, the files swapped before it are put back.
    A link is followed; one that leads out of ``inside``, where that is given, is refused.

    Raises
    ------
    SaveError
        when anything fails; no file has changed then. Should the disk refuse even to put a swapped
        file back, the message says where its old content is kept.
    """
    targets = {_resolved(path, inside): content for path, content in contents.items()}
    made: list[Path] = []
    staged: dict[Path, Path] = {}
    kept: dict[Path, Path | None] = {}
    try:
        for path, content in targets.items():
            made += (folder for folder in path.parents if not folder.exists())
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
            with suppress(OSError):
                if leftover is not None:
                    leftover.unlink(missing_ok=True)
        # The innermost first; those in which something was written are not empty and stay.
        for folder in sorted(made, key=lambda folder: len(folder.parts), reverse=True):
            with suppress(OSError):
                folder.rmdir()
    for folder in {path.parent for path in targets}:
        _sync_folder(folder)


def _resolved(path: Path, inside: Path | None) -> Path:
    try:
        target = path.resolve()
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links, until Python 3.13
        raise SaveError(f"{path} is a link that leads nowhere. Nothing was changed.") from error
    if inside is not None and not target.is_relative_to(inside.resolve()):
        raise SaveError(
            f"{path} is a link that leads out of {inside}. Nothing was changed; move the link "
            "away, then save again."
        )
    return target


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


def _swap(staged: Mapping[Path, Path], kept: MutableMapping[Path, Path | None]) -> None:
    swapped: list[Path] = []
    try:
        for path, new in staged.items():
            new.replace(path)
            swapped.append(path)
    except BaseException as error:  # also when a person interrupts
        stuck = [path for path in reversed(swapped) if not _put_back(path, kept)]
        if stuck:
            raise _half_saved(stuck, kept) from error
        raise


def _put_back(path: Path, kept: Mapping[Path, Path | None]) -> bool:
    old = kept[path]
    try:
        if old is None:
            path.unlink()
        else:
            old.replace(path)
    except OSError:
        return False
    return True


def _half_saved(stuck: list[Path], kept: MutableMapping[Path, Path | None]) -> SaveError:
    # Taken out of ``kept``, so that the only copy of the old content is not cleared away.
    parts = [f"{path} (before: {kept.pop(path) or 'no file'})" for path in stuck]
    return SaveError(
        "The disk failed while files were exchanged, and these could not be put back: "
        f"{', '.join(parts)}. Rename each file named as before to get its old content again."
    )


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows cannot open a folder to sync it
        return
    # The files are swapped by now, and some network disks cannot sync a folder.
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _sibling(path: Path, suffix: str) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(6)}.{suffix}")


def _common_folder(paths: Mapping[Path, bytes]) -> Path:
    return Path(os.path.commonpath([path.parent for path in paths]))
