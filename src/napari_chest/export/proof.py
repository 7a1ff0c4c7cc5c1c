"""The proof of a save: what was read back from disk, held against what was meant."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from napari_chest.changes import slice_ranges

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from napari_chest.changes import CaseChange, CellChange, MaskChange, ReadingChange


SaveKind = Literal["export", "write back"]


@dataclass(frozen=True)
class Proof:
    """What a save changed on disk, found by reading everything written again.

    Attributes
    ----------
    kind : ``export`` into a folder of its own, or ``write back`` into the dataset.
    folder : where the files are.
    meant : the changes that were asked for.
    found : the changes between the files before and after, read anew.
    changed_files, identical_files : names relative to ``folder``; identical means byte for byte.
    refused : case title to the reason why its changes were not written.
    backup : where the files as they were before are kept, for a write back.
    since_dataset : how the exported files now differ from the dataset's own, all saves together.
    doubts : what was found on disk that no change explains, a sentence each.
    remarks : what else a person should know, a sentence each.
    questions : the words of the dataset's questions, by their keys.
    """

    kind: SaveKind
    folder: Path
    meant: tuple[CaseChange, ...]
    found: tuple[CaseChange, ...]
    changed_files: tuple[str, ...]
    identical_files: tuple[str, ...]
    refused: dict[str, str]
    backup: Path | None = None
    since_dataset: tuple[CaseChange, ...] = ()
    doubts: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    questions: Mapping[str, str] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether exactly what was meant was found, and nothing was refused."""
        return not self.refused and self.as_meant

    @property
    def as_meant(self) -> bool:
        """Whether exactly what was meant was found of all that was not refused."""
        return not self.doubts and _as_set(self.meant) == _as_set(self.found)

    @property
    def headline(self) -> str:
        """The result in one sentence."""
        if self.holds:
            cells = sum(_count(change.reading) for change in self.found)
            if not cells:
                return "Proved: nothing differed, every file is byte for byte the same."
            return f"Proved: exactly {_plural(cells, 'change')} on disk, everything else identical."
        if self.as_meant:
            return f"Not everything was saved: {_plural(len(self.refused), 'case')} refused."
        return "NOT proved: what was read back is not what was meant."

    def lines(self) -> list[str]:
        """The proof as lines of text, for a person or a file."""
        lines = [self.headline]
        lines += [f"  {line}" for change in self.found for line in self._describe(change)]
        lines += [f"  {doubt}" for doubt in self.doubts]
        if not self.as_meant:
            lines += ["  Meant:", *(f"    {x}" for c in self.meant for x in self._describe(c))]
        lines += [f"  Refused {case}: {why}" for case, why in self.refused.items()]
        lines += [f"Changed file: {name}" for name in self.changed_files]
        if self.identical_files:
            lines.append(f"Byte for byte the same: {', '.join(self.identical_files)}")
        lines.append(f"{'Dataset' if self.kind == 'write back' else 'Export'}: {self.folder}")
        if self.backup is not None:
            lines.append(f"Backup of the files as they were: {self.backup}")
        if self.since_dataset and _as_set(self.since_dataset) != _as_set(self.found):
            lines.append("With earlier saves, the export differs from the dataset in:")
            lines += [f"  {line}" for c in self.since_dataset for line in self._describe(c)]
        return [*lines, *self.remarks]

    def _describe(self, change: CaseChange) -> list[str]:
        return describe(change, self.questions)


def describe(change: CaseChange, questions: Mapping[str, str] | None = None) -> list[str]:
    """A case's change in a line per column, mask and question; slices count from 1.

    Parameters
    ----------
    change : what differs in the case.
    questions : the words of questions, by their keys; a key stands for itself without.
    """
    reading = change.reading
    head = f"{change.case}, {reading.reader}:"
    lines = []
    for column in dict.fromkeys(cell.column for cell in reading.cells):
        for now, word in ((True, "set"), (False, "cleared")):
            cells = [c for c in reading.cells if c.column == column and c.after is now]
            if cells:
                lines.append(f"{head} {column} {word} on {_slices(cells)}")
    for name in dict.fromkeys(mask.mask for mask in reading.masks):
        changed = [m for m in reading.masks if m.mask == name]
        voxels = sum(m.voxels for m in changed)
        lines.append(f"{head} {name}, {_plural(voxels, 'voxel')} on {_slices(changed)}")
    for answer in reading.answers:
        now_answer = ", ".join(answer.after) or "no answer"
        asked = (questions or {}).get(answer.question, answer.question)
        lines.append(f"{head} {asked}: now {now_answer}")
    return lines


def _slices(changes: Sequence[CellChange | MaskChange]) -> str:
    slices = [change.slice for change in changes]
    return f"{'slice' if len(slices) == 1 else 'slices'} {slice_ranges(slices)}"


def _as_set(changes: Iterable[CaseChange]) -> set[tuple[str, str, object]]:
    return {
        (change.case, change.reading.reader, part)
        for change in changes
        for part in (
            *change.reading.cells,
            *change.reading.masks,
            *(answer.in_order for answer in change.reading.answers),
        )
    }


def _count(change: ReadingChange) -> int:
    return len(change.cells) + len(change.masks) + len(change.answers)


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
