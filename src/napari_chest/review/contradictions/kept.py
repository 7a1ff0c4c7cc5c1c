"""What was found in the cases of a dataset, and what was dismissed: a file in the review folder."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from napari_chest.errors import ReadError, SaveError
from napari_chest.files.atomic import read_whole, write_together
from napari_chest.review.contradictions.words import Key

if TYPE_CHECKING:
    from pathlib import Path

    from napari_chest.review.contradictions.words import Contradiction

NAME = "contradictions.json"
LIMIT = 2**27
"""Bytes of the file; a finding has about 300 of them."""
_VERSION = 1


class Found(msgspec.Struct, frozen=True):
    """A contradiction as it is kept: without the arrays of its fixes, of which only the names are.

    Attributes
    ----------
    kind, case, reader, mask : by which it is known again.
    level, text, voxel, slice : see `words.Contradiction`.
    fixes : what can be done once the case is open.
    """

    kind: str
    case: str
    reader: str
    level: str
    text: str
    mask: str = ""
    voxel: tuple[int, int, int] | None = None
    slice: int | None = None
    fixes: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        """By what it is known again."""
        return Key(self.kind, self.case, self.reader, self.mask)


class Checked(msgspec.Struct, frozen=True):
    """What was found in a case.

    Attributes
    ----------
    mark : of what was looked at; see `running.mark_of`.
    images : whether everything was looked at for which an image is needed.
    found : what was found.
    failed : why the case could not be looked at; empty where it could.
    at : when, in seconds since 1970.
    """

    mark: str
    images: bool
    found: tuple[Found, ...] = ()
    failed: str = ""
    at: float = 0.0


class Dismissed(msgspec.Struct, frozen=True):
    """A contradiction that a person looked at and lets be; ``undone`` where it was taken back."""

    kind: str
    case: str
    reader: str
    mask: str
    who: str
    why: str
    at: float
    undone: bool = False

    @property
    def key(self) -> Key:
        """What it dismisses."""
        return Key(self.kind, self.case, self.reader, self.mask)


class _File(msgspec.Struct):
    version: int
    dataset: str
    cases: dict[str, Checked] = {}
    dismissed: list[Dismissed] = []


def kept_as(one: Contradiction) -> Found:
    """A contradiction as it is kept."""
    names = tuple(fix.text for fix in one.fixes)
    return Found(
        one.kind,
        one.case,
        one.reader,
        one.level,
        one.text,
        one.mask,
        one.voxel,
        one.slice,
        names,
    )


class Queue:
    """The file, read once and written whole.

    Two windows may work on one dataset: before it is written the file is read again, and of each
    case and each dismissal the later one stays.

    Parameters
    ----------
    folder : the review folder; nothing is read or written without one.
    dataset : short name of the dataset.
    read_only : whether the file is only read; one that cannot be stays where it is.

    Attributes
    ----------
    problem : why what was kept before is not used; empty where it is.
    """

    def __init__(self, folder: Path | None, dataset: str, *, read_only: bool = False) -> None:
        self.path = None if folder is None else folder / NAME
        self._dataset = dataset
        self.problem = ""
        self._read_only = read_only
        self._broken = False
        self._cases: dict[str, Checked] = {}
        self._dismissed: dict[Key, Dismissed] = {}
        self._join(self._read())

    @property
    def cases(self) -> dict[str, Checked]:
        """What was found in each case, by id."""
        return dict(self._cases)

    @property
    def dismissed(self) -> dict[Key, Dismissed]:
        """What a person lets be."""
        return {key: one for key, one in self._dismissed.items() if not one.undone}

    def remember(self, case: str, checked: Checked) -> None:
        """Take note of what was found in a case; written by `save`."""
        self._cases[case] = msgspec.structs.replace(checked, at=checked.at or time.time())

    def dismiss(self, key: Key, who: str, why: str) -> None:
        """Let a contradiction be, from now on."""
        self._dismissed[key] = Dismissed(*key, who, why, time.time())

    def restore(self, key: Key, who: str) -> None:
        """Show a dismissed contradiction again."""
        self._dismissed[key] = Dismissed(*key, who, "", time.time(), undone=True)

    def save(self) -> None:
        """Write the file.

        Raises
        ------
        SaveError
            when it cannot be written, or is one of a later program.
        """
        if self.path is None or self._read_only:
            return
        self._join(self._read())
        if self._broken:
            raise SaveError(f"{self.problem} What was found now is not kept.")
        file = _File(_VERSION, self._dataset, self._cases, list(self._dismissed.values()))
        write_together({self.path: msgspec.json.format(msgspec.json.encode(file), indent=1)})

    def _read(self) -> _File | None:
        self._broken = False
        if self.path is None or not self.path.exists():
            return None
        try:
            file = msgspec.json.decode(read_whole(self.path, LIMIT), type=_File)
        except (ReadError, msgspec.MsgspecError, RecursionError) as error:
            self.problem = self._set_aside(str(error))
            return None
        if file.version > _VERSION or file.dataset != self._dataset:
            self._broken = True
            self.problem = (
                f"{self.path} is of a later program or of another dataset ({file.dataset}, version "
                f"{file.version}). Move it away, or use that program."
            )
            return None
        return file

    def _set_aside(self, why: str) -> str:
        """Move a file that cannot be read out of the way, where a person may find it."""
        assert self.path is not None
        if self._read_only:
            return f"{self.path} cannot be read: {why}."
        aside = self.path.with_suffix(f".{int(time.time())}.damaged")
        try:
            self.path.replace(aside)
        except OSError:
            self._broken = True
            return f"{self.path} cannot be read: {why}."
        return f"{self.path} could not be read and is kept as {aside.name}: {why}."

    def _join(self, file: _File | None) -> None:
        if file is None:
            return
        for case, checked in file.cases.items():
            if case not in self._cases or self._cases[case].at < checked.at:
                self._cases[case] = checked
        for one in file.dismissed:
            if one.key not in self._dismissed or self._dismissed[one.key].at < one.at:
                self._dismissed[one.key] = one
