"""The errors of napari-chest, each a sentence a person can act on.

::

    ChestError
    ├── UnknownDatasetError     no dataset recognises the folder
    ├── ReadError               a file or folder cannot be read as what it should be
    ├── SaveError               nothing was written, and why
    │   └── ChangedOnDiskError  the original changed since it was read
    ├── StoppedError            somebody asked to stop
    ├── AmbiguousError          more than one thing fits, and guessing could do harm
    ├── ProtectedError          an edit would change what is protected
    └── StoreError              the store of reviews cannot be used, or not for this
        ├── UnreachableError    it cannot be reached now; what was meant for it can be sent later
        ├── NotAllowedError     the rules of the review do not let this person do it
        └── ConflictError       somebody else was faster

A message says what failed, where, what was expected, what was found, and what to do next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class ChestError(Exception):
    """Base of all errors that napari-chest raises on purpose."""


class UnknownDatasetError(ChestError):
    """No dataset recognises the folder.

    Attributes
    ----------
    missing : mapping of dataset name to what the folder lacks to be that dataset.
    nearby : a folder above that is a dataset, if there is one.
    """

    def __init__(
        self, root: Path, missing: Mapping[str, Sequence[str]], nearby: Path | None = None
    ) -> None:
        self.root = root
        self.missing = missing
        self.nearby = nearby
        reasons = "\n".join(f"  {name}: {'; '.join(lacks)}" for name, lacks in missing.items())
        hint = f"\nThe folder above it is one: open {nearby} instead." if nearby else ""
        super().__init__(
            f"{root} is not a dataset that napari-chest knows. What it lacks to be one:\n"
            f"{reasons}{hint}"
        )


class ReadError(ChestError):
    """A file or folder cannot be read as what it should be."""

    def __init__(self, where: Path | str, problem: str) -> None:
        self.where = where
        super().__init__(f"{where}: {problem}")


class SaveError(ChestError):
    """Nothing was written; the message says why."""


class ChangedOnDiskError(SaveError):
    """The original changed on disk since it was read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(
            f"{path} changed on disk since it was read, so nothing was written. "
            "Open the dataset again to see its present state, then repeat the correction."
        )


class StoppedError(ChestError):
    """Work ended early because somebody asked for it."""


class AmbiguousError(ChestError):
    """More than one thing fits, and guessing could do harm."""


class ProtectedError(ChestError):
    """An edit would change what is protected."""


class StoreError(ChestError):
    """The store of reviews cannot be used, or not for what was asked of it."""


class UnreachableError(StoreError):
    """The store cannot be reached now; what was meant for it can be sent later."""


class NotAllowedError(StoreError):
    """The rules of the review do not let this person do it, or nobody."""


class ConflictError(StoreError):
    """What was decided about changed since it was seen; the message says who was faster."""
